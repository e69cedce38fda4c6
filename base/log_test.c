#include <tests/lib/test.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/log.h"

/* A clock that stands still. */
static int64_t stands_still(void *ctx)
{
	(void)ctx;
	return 1795566043123;
}

/* A log on a pipe that is never waited for. */
struct fixture {
	int ends[2];
	struct cs_log log;
	char text[65536 * 2];
};

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(pipe2(f->ends, O_NONBLOCK | O_CLOEXEC), 0);
	f->log = (struct cs_log){
		.fd = f->ends[1],
		.room = "front",
		.level = CS_LOG_INFO,
		.clock = {stands_still, stands_still, NULL},
	};
}

static void end(struct fixture *f)
{
	assert_int_equal(close(f->ends[0]), 0);
	assert_int_equal(close(f->ends[1]), 0);
}

/* What stands in the pipe. */
static const char *drain(struct fixture *f)
{
	ssize_t n = read(f->ends[0], f->text, sizeof(f->text) - 1);

	f->text[n < 0 ? 0 : n] = '\0';
	return f->text;
}

static void writes_one_JSON_line_an_event(void **state)
{
	struct fixture f;
	char expected[400];

	(void)state;
	begin(&f);
	cs_log_write(&f.log, CS_LOG_INFO, "client.refused", "%s: \"%s\"\n",
		     "bob", "\xff");
	(void)snprintf(expected, sizeof(expected),
		       "{\"at\":\"2026-11-25T00:20:43.123Z\","
		       "\"event\":\"client.refused\",\"level\":\"info\","
		       "\"message\":\"bob: \\\"\\\\xff\\\"\\\\x0a\","
		       "\"pid\":%d,\"room\":\"front\"}\n",
		       getpid());
	assert_string_equal(drain(&f), expected);
	end(&f);
}

static void an_error_has_its_code_and_place(void **state)
{
	struct fixture f;
	struct cs_error err = {
		.code = CS_E_DER, .file = "../../a/b.c", .line = 7};

	(void)state;
	begin(&f);
	memcpy(err.text, "no", 3);
	cs_log_error(&f.log, "csr.bad", &err);
	assert_non_null(strstr(drain(&f), "\"code\":\"der\""));
	assert_non_null(strstr(f.text, "\"place\":\"a/b.c:7\""));
	assert_non_null(strstr(f.text, "\"level\":\"error\""));
	end(&f);
}

static void writes_nothing_that_is_not_wanted(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	cs_log_write(&f.log, CS_LOG_DEBUG, "x", "y");
	cs_log_write(NULL, CS_LOG_ERROR, "x", "y");
	cs_log_error(NULL, "x", &(struct cs_error){0});
	assert_string_equal(drain(&f), "");
	end(&f);
}

static void drops_and_counts_when_nobody_reads(void **state)
{
	struct fixture f;
	uint64_t dropped;

	(void)state;
	begin(&f);
	f.log.level = CS_LOG_DEBUG;
	for (int i = 0; i < 2000; i++)
		cs_log_write(&f.log, CS_LOG_DEBUG, "x", "%0100d", i);
	assert_true(f.log.dropped > 0);
	dropped = f.log.dropped;
	(void)drain(&f);
	errno = 4711;
	cs_log_write(&f.log, CS_LOG_INFO, "y", "again");
	assert_int_equal(errno, 4711);
	assert_int_equal(f.log.dropped, 0);
	(void)drain(&f);
	{
		json_t *v = json_loads(f.text, 0, NULL);

		assert_non_null(v);
		assert_int_equal(
			json_integer_value(json_object_get(v, "dropped")),
			dropped);
		json_decref(v);
	}
	end(&f);
}

static void a_line_always_fits_into_one_write(void **state)
{
	struct fixture f;
	char text[5000];
	const char *line;

	(void)state;
	begin(&f);
	memset(text, '\xff', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	cs_log_write(&f.log, CS_LOG_INFO, "x", "%s", text);
	assert_int_equal(f.log.dropped, 0);
	line = drain(&f);
	assert_true(strlen(line) <= PIPE_BUF);
	assert_int_equal(line[strlen(line) - 1], '\n');
	end(&f);
}

static void a_line_cannot_move_a_cursor_or_turn_text(void **state)
{
	const struct cs_log_field fields[] = {
		{"agent", CS_SPAN_LIT("curl\r\nX: \x1b[2J\xe2\x80\xae"), 0},
		{"status", {NULL, 0}, 404},
	};
	struct fixture f;

	(void)state;
	begin(&f);
	cs_log_fields(&f.log, CS_LOG_INFO, "x", fields, 2, "a\x1b\xc2\x9b%s",
		      "\xe2\x80\xae"
		      "b");
	assert_non_null(strstr(drain(&f),
			       "\"fields\":{\"agent\":\"curl\\\\x0d\\\\x0aX: "
			       "\\\\x1b[2J\\\\u{202e}\",\"status\":404}"));
	assert_non_null(strstr(f.text, "a\\\\x1b\\\\u{9b}\\\\u{202e}b"));
	for (const char *p = f.text; *p != '\0'; p++)
		assert_true((*p >= 0x20 && *p < 0x7f) || p[1] == '\0');
	end(&f);
}

static void the_longest_line_has_all_its_fields(void **state)
{
	struct cs_log_field fields[CS_LOG_FIELDS];
	struct fixture f;
	char text[5000];
	json_t *v;

	(void)state;
	begin(&f);
	memset(text, '"', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < CS_LOG_FIELDS; i++) {
		static const char *const names[] = {"a", "b", "c", "d"};

		fields[i] =
			(struct cs_log_field){names[i], cs_span_str(text), 0};
	}
	cs_log_fields(&f.log, CS_LOG_INFO, "x", fields, CS_LOG_FIELDS, "%s",
		      text);
	assert_int_equal(f.log.dropped, 0);
	v = json_loads(drain(&f), 0, NULL);
	assert_int_equal(json_object_size(json_object_get(v, "fields")),
			 CS_LOG_FIELDS);
	json_decref(v);
	end(&f);
}

/* A clock that a test moves. */
static int64_t moves(void *ctx)
{
	return *(int64_t *)ctx;
}

static void a_flood_of_one_event_is_counted_not_written(void **state)
{
	struct fixture f;
	int64_t now = 1000000;
	json_t *v;
	const char *last;

	(void)state;
	begin(&f);
	f.log.clock = (struct cs_clock){
		.wall_ms = moves, .boot_ms = moves, .ctx = &now};
	for (int i = 0; i < 1000; i++)
		cs_log_write(&f.log, CS_LOG_INFO, "flood", "%d", i);
	cs_log_write(&f.log, CS_LOG_INFO, "other", "is heard");
	assert_non_null(strstr(drain(&f), "is heard"));
	assert_non_null(strstr(f.text, "\"message\":\"49\""));
	assert_null(strstr(f.text, "\"message\":\"50\""));
	assert_int_equal(f.log.suppressed_ever, 950);
	now += 10000;
	cs_log_write(&f.log, CS_LOG_INFO, "flood", "again");
	last = drain(&f);
	v = json_loads(last, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(v, "suppressed")),
			 950);
	json_decref(v);
	end(&f);
}

static void a_bad_descriptor_only_counts(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.log.fd = -1;
	cs_log_write(&f.log, CS_LOG_INFO, "x", "y");
	assert_int_equal(f.log.dropped, 1);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_one_JSON_line_an_event),
		cmocka_unit_test(an_error_has_its_code_and_place),
		cmocka_unit_test(writes_nothing_that_is_not_wanted),
		cmocka_unit_test(drops_and_counts_when_nobody_reads),
		cmocka_unit_test(a_line_always_fits_into_one_write),
		cmocka_unit_test(a_line_cannot_move_a_cursor_or_turn_text),
		cmocka_unit_test(the_longest_line_has_all_its_fields),
		cmocka_unit_test(a_flood_of_one_event_is_counted_not_written),
		cmocka_unit_test(a_bad_descriptor_only_counts),
	};

	return cs_test_run("base/log", tests);
}
