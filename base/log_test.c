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
		       "\"message\":\"bob: \\\"\xef\xbf\xbd\\\"\xef\xbf\xbd\","
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
	for (int i = 0; i < 2000; i++)
		cs_log_write(&f.log, CS_LOG_INFO, "x", "%0100d", i);
	assert_true(f.log.dropped > 0);
	dropped = f.log.dropped;
	(void)drain(&f);
	errno = 4711;
	cs_log_write(&f.log, CS_LOG_INFO, "x", "again");
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
		cmocka_unit_test(a_bad_descriptor_only_counts),
	};

	return cs_test_run("base/log", tests);
}
