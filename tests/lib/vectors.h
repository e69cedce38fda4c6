/*
 * Reading tests/vectors/ in unit tests. Automake runs a test with `srcdir`
 * in its environment; by hand it runs in the source folder or below it.
 */
#ifndef CS_TESTS_LIB_VECTORS_H
#define CS_TESTS_LIB_VECTORS_H

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "tests/lib/test.h"

/* A JSON file of tests/vectors/, or a failed test. The caller owns it. */
static inline json_t *cs_vectors_load(const char *name)
{
	const char *srcdir = getenv("srcdir");
	char path[512];
	json_t *value;

	(void)snprintf(path, sizeof(path), "%s/tests/vectors/%s",
		       srcdir == NULL ? "." : srcdir, name);
	value = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(value);
	return value;
}

#endif
