/*
 * What every unit test includes first: cmocka, with its prerequisites, and
 * the one way to run a group. One group per program, its output in TAP.
 */
#ifndef CS_TESTS_LIB_TEST_H
#define CS_TESTS_LIB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"

/* Test programs may use what base/banned.h bans. */
CS_OWNS_BANNED

/* Run one group; `name` is the folder and unit, as in "base/buf". */
#define cs_test_run(name, tests)                                               \
	(cmocka_set_message_output(CM_OUTPUT_TAP),                             \
	 cmocka_run_group_tests_name((name), (tests), NULL, NULL))

#endif
