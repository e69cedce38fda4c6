#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/files.h"
#include "cli/generation.h"

/* An empty directory, and memory. */
struct fixture {
	char dir[64];
	struct cs_arena arena;
};

static int set_up(void **state)
{
	static struct fixture f;

	snprintf(f.dir, sizeof(f.dir), "/tmp/generation-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	cs_arena_init(&f.arena, 100000);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cs_files_remove_below(f->dir);
	(void)rmdir(f->dir);
	cs_arena_done(&f->arena);
	return 0;
}

static void without_a_file_it_is_the_first(void **state)
{
	struct fixture *f = *state;
	struct cs_generation g;

	assert_true(cs_generation_read(f->dir, ".", &f->arena, &g, NULL));
	assert_int_equal(g.number, 1);
	assert_false(g.has_crl || g.is_retired || g.key_is_destroyed);
}

static void what_is_written_is_read(void **state)
{
	const struct cs_generation g = {.number = 7,
					.has_crl = true,
					.crl_url = "http://a/\"\\@7",
					.crl_shards = 16,
					.is_retired = true,
					.retired_s = 1764061200,
					.key_is_destroyed = true,
					.key_destroyed_s = 1764061201};
	struct fixture *f = *state;
	struct cs_generation got;
	struct cs_buf text;

	cs_buf_init(&text, 4096);
	assert_true(cs_generation_write(&g, &text, NULL));
	assert_true(cs_files_write(f->dir, CS_GENERATION_FILE,
				   cs_buf_span(&text), 0644, NULL));
	assert_true(cs_generation_read(f->dir, ".", &f->arena, &got, NULL));
	assert_int_equal(got.number, 7);
	assert_true(got.has_crl && got.is_retired && got.key_is_destroyed);
	assert_string_equal(got.crl_url, g.crl_url);
	assert_int_equal(got.crl_shards, 16);
	assert_int_equal(got.retired_s, g.retired_s);
	assert_int_equal(got.key_destroyed_s, g.key_destroyed_s);
	cs_buf_done(&text);
}

static void what_was_not_written_by_us_is_refused(void **state)
{
	static const char *const bad[] = {
		"generation: 0\n",
		"generation: 1001\n",
		"generation: two\n",
		"crl_shards: 0\n",
		"crl_url: 7\n",
		"retired: yesterday\n",
		"key_destroyed: true\n",
		"other: 1\n",
		"",
		"- 1\n",
		"generation: 1\n---\ngeneration: 2\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cs_generation g = {.number = 99};
		struct cs_error err = {0};

		assert_true(cs_files_write(f->dir, CS_GENERATION_FILE,
					   cs_span_str(bad[i]), 0644, NULL));
		if (cs_generation_read(f->dir, ".", &f->arena, &g, &err))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(g.number, 99);
		assert_non_null(strstr(err.text, CS_GENERATION_FILE ":"));
		assert_non_null(strstr(err.text, "expected generation"));
		assert_non_null(strstr(err.text, "from a backup"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_a_file_it_is_the_first,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_written_is_read, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_not_written_by_us_is_refused, set_up,
			tear_down),
	};

	return cs_test_run("cli/generation", tests);
}
