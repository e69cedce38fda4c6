#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/files.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/cs-files-XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	cs_files_remove_below(dir);
	return rmdir(dir);
}

static void reads_back_what_it_wrote(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_error err = {0};
	struct stat st;
	char path[128];

	(void)state;
	cs_buf_init(&b, 5);
	assert_true(cs_files_write(dir, "a", CS_SPAN_LIT("12345"), 0640, &err));
	assert_true(cs_files_read(dir, "a", &b, &err));
	assert_string_equal(cs_buf_str(&b), "12345");
	snprintf(path, sizeof(path), "%s/a", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_true(
		cs_files_write(dir, "a", CS_SPAN_LIT("123456"), 0640, &err));
	cs_buf_reset(&b);
	assert_false(cs_files_read(dir, "a", &b, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	assert_false(cs_files_read(dir, "none", &b, &err));
	assert_int_equal(err.code, CS_E_NOT_FOUND);
}

static void opens_secrets_only_when_nobody_else_can_read_them(void **state)
{
	struct cs_error err = {0};
	char path[128], link_path[128];
	int fd;

	(void)state;
	assert_true(cs_files_write(dir, "k", CS_SPAN_LIT("x"), 0600, &err));
	assert_true(cs_files_open_secret(dir, "k", &fd, &err));
	close(fd);
	snprintf(path, sizeof(path), "%s/k", dir);
	snprintf(link_path, sizeof(link_path), "%s/l", dir);
	assert_int_equal(symlink(path, link_path), 0);
	assert_false(cs_files_open_secret(dir, "l", &fd, &err));
	assert_int_equal(err.code, CS_E_PERMISSION);
	assert_int_equal(chmod(path, 0640), 0);
	assert_false(cs_files_open_secret(dir, "k", &fd, &err));
	assert_int_equal(err.code, CS_E_PERMISSION);
	assert_non_null(strstr(err.text, "mode 0640"));
	assert_false(cs_files_open_secret(dir, ".", &fd, &err));
	assert_int_equal(err.code, CS_E_PERMISSION);
}

static void removes_trees_but_follows_no_links(void **state)
{
	struct cs_error err = {0};
	char outside[] = "/tmp/cs-outside-XXXXXX";
	char path[128];
	bool empty;

	(void)state;
	assert_non_null(mkdtemp(outside));
	assert_true(cs_files_write(outside, "f", CS_SPAN_LIT("x"), 0600, &err));
	assert_true(cs_files_make_dir(dir, "a/b/c", &err));
	assert_true(
		cs_files_write(dir, "a/b/c/f", CS_SPAN_LIT("x"), 0600, &err));
	assert_true(cs_files_write(dir, "a/g", CS_SPAN_LIT("x"), 0600, &err));
	snprintf(path, sizeof(path), "%s/a/out", dir);
	assert_int_equal(symlink(outside, path), 0);
	assert_true(cs_files_is_empty(dir, &empty, &err));
	assert_false(empty);
	cs_files_remove_below(dir);
	assert_true(cs_files_is_empty(dir, &empty, &err));
	assert_true(empty);
	assert_true(cs_files_is_empty(outside, &empty, &err));
	assert_false(empty);
	cs_files_remove_below(outside);
	assert_int_equal(rmdir(outside), 0);
}

static void a_link_in_the_place_of_a_tree_is_removed_alone(void **state)
{
	struct cs_error err = {0};
	char outside[] = "/tmp/cs-outside-XXXXXX";
	char path[128];
	struct stat st;
	bool empty;

	(void)state;
	assert_non_null(mkdtemp(outside));
	assert_true(cs_files_write(outside, "f", CS_SPAN_LIT("x"), 0600, &err));
	snprintf(path, sizeof(path), "%s/tree", dir);
	assert_int_equal(symlink(outside, path), 0);
	cs_files_remove_tree(path);
	assert_int_equal(lstat(path, &st), -1);
	assert_true(cs_files_is_empty(outside, &empty, &err));
	assert_false(empty);
	/* One that is a tree goes with all that it has. */
	assert_true(cs_files_make_dir(dir, "tree/b", &err));
	assert_true(
		cs_files_write(dir, "tree/b/f", CS_SPAN_LIT("x"), 0600, &err));
	cs_files_remove_tree(path);
	assert_int_equal(lstat(path, &st), -1);
	cs_files_remove_tree(path);
	cs_files_remove_tree(outside);
	assert_int_equal(lstat(outside, &st), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_back_what_it_wrote,
						make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			opens_secrets_only_when_nobody_else_can_read_them,
			make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			removes_trees_but_follows_no_links, make_dir,
			remove_dir),
		cmocka_unit_test_setup_teardown(
			a_link_in_the_place_of_a_tree_is_removed_alone,
			make_dir, remove_dir),
	};

	return cs_test_run("cli/files", tests);
}
