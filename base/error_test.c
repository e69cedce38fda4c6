#include <tests/lib/test.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

static void says_what_where_and_how(void **state)
{
	struct cs_error err = {0};

	(void)state;
	assert_false(cs_error_set(&err, CS_E_DER, "%s: %d", "length", 7));
	assert_int_equal(err.code, CS_E_DER);
	assert_string_equal(err.text, "length: 7");
	assert_non_null(strstr(err.file, "error_test.c"));
	assert_true(err.line > 0);
}

static void cuts_a_sentence_that_is_too_long(void **state)
{
	struct cs_error err = {0};
	char text[2 * CS_ERROR_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_false(cs_error_set(&err, CS_E_IO, "%s", text));
	assert_int_equal(strlen(err.text), CS_ERROR_MAX - 1);
	assert_false(cs_error_prefix(&err, "before"));
	assert_int_equal(strlen(err.text), CS_ERROR_MAX - 1);
	assert_memory_equal(err.text, "before: xxx", 11);
	assert_false(cs_error_set_errno(&err, CS_E_IO, ENOENT, "%s", text));
	assert_int_equal(strlen(err.text), CS_ERROR_MAX - 1);
}

static void adds_the_text_of_an_errno(void **state)
{
	struct cs_error err = {0};

	(void)state;
	assert_false(cs_error_set_errno(&err, CS_E_IO, ENOENT, "file %s", "a"));
	assert_string_equal(err.text, "file a: No such file or directory");
	assert_false(cs_error_prefix(&err, "%s", "init"));
	assert_string_equal(err.text,
			    "init: file a: No such file or directory");
	assert_int_equal(err.code, CS_E_IO);
}

static void nobody_needs_to_listen(void **state)
{
	(void)state;
	assert_false(cs_error_set(NULL, CS_E_IO, "x"));
	assert_false(cs_error_set_errno(NULL, CS_E_IO, ENOENT, "x"));
	assert_false(cs_error_prefix(NULL, "x"));
}

static void slugs_are_unique_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CS_E_COUNT; i++) {
		const char *slug = cs_error_slug((enum cs_error_code)i);

		assert_int_equal(
			strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-"),
			strlen(slug));
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(
				slug, cs_error_slug((enum cs_error_code)k));
	}
	assert_string_equal(cs_error_slug(CS_E_COUNT), "internal");
}

static void the_heap_refuses_sizes_that_overflow(void **state)
{
	void *p = cs_mem_new(8);

	(void)state;
	assert_non_null(p);
	assert_null(cs_mem_new_array(SIZE_MAX / 2, 3));
	assert_null(cs_mem_resize(p, SIZE_MAX / 2, 3));
	assert_null(cs_mem_strndup("x", SIZE_MAX));
	assert_int_equal(((char *)p)[7], 0);
	cs_mem_free(p);
}

static void the_heap_gives_something_for_nothing(void **state)
{
	void *p[] = {cs_mem_new(0), cs_mem_new_array(0, 8),
		     cs_mem_new_array(8, 0), cs_mem_dup(NULL, 0),
		     cs_mem_resize(NULL, 0, 1)};

	(void)state;
	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++) {
		assert_non_null(p[i]);
		cs_mem_free(p[i]);
	}
	cs_mem_free(NULL);
}

static void moving_out_of_a_variable_leaves_NULL(void **state)
{
	CS_CLEANUP(cs_mem_free_at) char *a = cs_mem_strdup("abc");
	char *b = cs_mem_take(&a);

	(void)state;
	assert_null(a);
	assert_string_equal(b, "abc");
	cs_mem_free_at(&b);
	assert_null(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_where_and_how),
		cmocka_unit_test(cuts_a_sentence_that_is_too_long),
		cmocka_unit_test(adds_the_text_of_an_errno),
		cmocka_unit_test(nobody_needs_to_listen),
		cmocka_unit_test(slugs_are_unique_words),
		cmocka_unit_test(the_heap_refuses_sizes_that_overflow),
		cmocka_unit_test(the_heap_gives_something_for_nothing),
		cmocka_unit_test(moving_out_of_a_variable_leaves_NULL),
	};

	return cs_test_run("base/error", tests);
}
