#include <tests/lib/test.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* A folder for one test. */
static int make_folder(void **state)
{
	char *dir = strdup("/tmp/countersign-file-XXXXXX");

	*state = dir;
	return dir != NULL && mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"a", "b", "a.tmp"};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", (char *)*state, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(*state), 0);
	free(*state);
	return 0;
}

static const char *in(void **state, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", (char *)*state, name);
	return path;
}

static void what_replaces_a_file_is_read_again(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_error err = {0};
	struct stat st;

	cs_buf_init(&out, 100000);
	for (int i = 0; i < 9000; i++)
		cs_buf_add_str(&out, "0123456789");
	assert_true(cs_file_replace(in(state, "a"), 0600, CS_SPAN_LIT("old"),
				    &err));
	assert_true(
		cs_file_replace(in(state, "a"), 0600, cs_buf_span(&out), &err));
	assert_int_equal(stat(in(state, "a"), &st), 0);
	assert_int_equal(st.st_size, 90000);
	assert_int_equal(st.st_mode & 0777, 0600);
	cs_buf_reset(&out);
	assert_true(cs_file_read(in(state, "a"), &out, &err));
	assert_int_equal(out.n, 90000);
	assert_memory_equal(out.p + 89990, "0123456789", 10);
	assert_int_equal(access(in(state, "a.tmp"), F_OK), -1);
}

static void a_file_over_the_limit_is_named_with_it(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_error err = {0};
	char sentence[200];

	cs_buf_init(&out, 8);
	assert_true(cs_file_replace(in(state, "a"), 0600,
				    CS_SPAN_LIT("12345678"), &err));
	assert_true(cs_file_read(in(state, "a"), &out, &err));
	assert_true(cs_file_replace(in(state, "a"), 0600,
				    CS_SPAN_LIT("123456789"), &err));
	cs_buf_reset(&out);
	assert_false(cs_file_read(in(state, "a"), &out, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	snprintf(sentence, sizeof(sentence), "%s: longer than 8 bytes",
		 in(state, "a"));
	assert_string_equal(err.text, sentence);
}

static void what_is_no_file_is_named(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_error err = {0};
	char target[128];

	cs_buf_init(&out, 8);
	assert_false(cs_file_read(in(state, "b"), &out, &err));
	assert_int_equal(err.code, CS_E_NOT_FOUND);
	assert_non_null(strstr(err.text, in(state, "b")));
	assert_false(cs_file_read(*state, &out, &err));
	assert_int_equal(err.code, CS_E_IO);
	assert_non_null(strstr(err.text, *state));
	assert_non_null(strstr(err.text, "Is a directory"));
	snprintf(target, sizeof(target), "%s", in(state, "a"));
	assert_true(cs_file_replace(target, 0600, CS_SPAN_LIT("x"), &err));
	assert_int_equal(symlink(target, in(state, "b")), 0);
	assert_false(cs_file_read(in(state, "b"), &out, &err));
	assert_int_equal(err.code, CS_E_IO);
}

static void a_path_without_a_folder_or_too_long_is_told(void **state)
{
	struct cs_error err = {0};
	char path[8192];

	(void)state;
	assert_true(cs_file_sync_folder("here", &err));
	assert_true(cs_file_sync_folder("/", &err));
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_false(cs_file_sync_folder(path, &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
	assert_false(cs_file_replace(path, 0600, CS_SPAN_LIT("x"), &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_replaces_a_file_is_read_again, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(
			a_file_over_the_limit_is_named_with_it, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_named,
						make_folder, remove_folder),
		cmocka_unit_test(a_path_without_a_folder_or_too_long_is_told),
	};

	return cs_test_run("base/file", tests);
}
