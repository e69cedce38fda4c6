#include <tests/lib/test.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/http_client.h"
#include "base/limits.h"
#include "base/mem.h"

/* An installation's directory and a child that plays its server. */
struct stage {
	char dir[64];
	char path[104];
	pid_t child;
};

/* Make the directory and a listening socket in it. */
static int stage_open(struct stage *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char run[80];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	*s = (struct stage){.child = -1};
	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/cs-client-test-%ld",
		       (long)getpid());
	(void)snprintf(run, sizeof(run), "%s/run", s->dir);
	(void)snprintf(s->path, sizeof(s->path), "%s/countersign.sock", run);
	(void)mkdir(s->dir, 0700);
	(void)mkdir(run, 0700);
	(void)unlink(s->path);
	memcpy(a.sun_path, s->path, strlen(s->path));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* Remove it all; the child is done or is ended. */
static void stage_close(struct stage *s)
{
	char run[80];

	if (s->child > 0) {
		(void)kill(s->child, SIGKILL);
		(void)waitpid(s->child, NULL, 0);
	}
	(void)unlink(s->path);
	(void)snprintf(run, sizeof(run), "%s/run", s->dir);
	(void)rmdir(run);
	(void)rmdir(s->dir);
}

/*
 * A server for one connection: reads `reads` bytes, sends these bytes, one
 * at a time if `slowly`, then closes, or stays silent.
 */
enum manner {
	AT_ONCE,
	SLOWLY,
	AND_STAYS
};

static void serve(struct stage *s, int fd, size_t reads, struct cs_span bytes,
		  enum manner manner)
{
	char waste[4096];
	size_t i, step = manner == SLOWLY ? 1 : bytes.n;
	int peer;

	s->child = fork();
	assert_true(s->child >= 0);
	if (s->child > 0) {
		close(fd);
		return;
	}
	peer = accept(fd, NULL, NULL);
	while (reads > 0) {
		ssize_t n = read(peer, waste,
				 reads < sizeof(waste) ? reads : sizeof(waste));

		if (n <= 0)
			_exit(1);
		reads -= (size_t)n;
	}
	for (i = 0; i < bytes.n; i += step)
		(void)send(peer, bytes.p + i, step, MSG_NOSIGNAL);
	if (manner == AND_STAYS)
		(void)pause();
	(void)shutdown(peer, SHUT_WR);
	while (read(peer, waste, sizeof(waste)) > 0)
		;
	_exit(0);
}

/* One call against one canned answer. */
static bool call_with(struct cs_span answer, enum manner manner,
		      struct cs_http_result *r, struct cs_error *err)
{
	struct stage s;
	int fd = stage_open(&s);
	struct cs_http_call call = {.dir = s.dir,
				    .method = "GET",
				    .target = "/healthz",
				    .timeout_ms = 500};
	bool fine;

	serve(&s, fd, 20, answer, manner);
	fine = cs_http_call(&call, r, err);
	stage_close(&s);
	return fine;
}

static void assert_text(struct cs_span s, const char *text)
{
	assert_true(cs_span_equal_str(s, text));
}

static void gives_status_fields_and_body(void **state)
{
	static const enum manner manners[] = {AT_ONCE, SLOWLY, AND_STAYS};
	struct cs_http_result r = {0};
	struct cs_error err = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_true(call_with(
			CS_SPAN_LIT("HTTP/1.1 422 Unprocessable Content\r\n"
				    "content-type: application/problem+json\r\n"
				    "Retry-After:  3\t\r\n"
				    "Content-Length: 5\r\n\r\nhello"),
			manners[i], &r, &err));
		assert_int_equal(r.status, 422);
		assert_text(cs_buf_span(&r.body), "hello");
		assert_text(cs_http_result_header(&r, "Content-Type"),
			    "application/problem+json");
		assert_text(cs_http_result_header(&r, "retry-after"), "3");
		assert_null(cs_http_result_header(&r, "Location").p);
		assert_null(cs_http_result_header(&r, "HTTP/1.1 422 U").p);
		cs_http_result_done(&r);
	}
	assert_true(call_with(CS_SPAN_LIT("HTTP/1.1 204 \r\n\r\n"), AT_ONCE, &r,
			      &err));
	assert_int_equal(r.status, 204);
	assert_int_equal(r.body.n, 0);
	cs_http_result_done(&r);
}

static void sends_a_request_that_our_parser_wants(void **state)
{
	static const char expected[] =
		"POST /v1/requests?dry_run=true HTTP/1.1\r\n"
		"Host: localhost\r\nConnection: close\r\n"
		"Accept: application/json\r\n"
		"Content-Type: application/json\r\n"
		"Idempotency-Key: k 1\r\nContent-Length: 2\r\n\r\n{}";
	struct cs_http_result r = {0};
	struct cs_error err = {0};
	struct stage s;
	int fd = stage_open(&s);
	struct cs_http_call call = {.dir = s.dir,
				    .method = "POST",
				    .target = "/v1/requests?dry_run=true",
				    .accept = "application/json",
				    .content_type = "application/json",
				    .idempotency_key = "k 1",
				    .body = CS_SPAN_LIT("{}")};
	char got[sizeof(expected)] = "";
	int peer;

	(void)state;
	s.child = fork();
	if (s.child == 0) {
		peer = accept(fd, NULL, NULL);
		if (recv(peer, got, sizeof(got) - 1, MSG_WAITALL) !=
			    sizeof(got) - 1 ||
		    strcmp(got, expected) != 0)
			_exit(1);
		(void)send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
			   38, MSG_NOSIGNAL);
		_exit(0);
	}
	close(fd);
	assert_true(cs_http_call(&call, &r, &err));
	assert_int_equal(r.status, 200);
	cs_http_result_done(&r);
	stage_close(&s);
}

static void reads_an_answer_to_what_was_not_read_to_its_end(void **state)
{
	struct cs_http_result r = {0};
	struct cs_error err = {0};
	struct stage s;
	int fd = stage_open(&s);
	void *body = cs_mem_new(CS_MAX_HTTP_BODY);
	struct cs_http_call call = {
		.dir = s.dir,
		.method = "POST",
		.target = "/",
		.body = cs_span_make(body, CS_MAX_HTTP_BODY)};

	(void)state;
	serve(&s, fd, 20,
	      CS_SPAN_LIT("HTTP/1.1 413 x\r\nContent-Length: 2\r\n\r\nno"),
	      AT_ONCE);
	assert_true(cs_http_call(&call, &r, &err));
	assert_int_equal(r.status, 413);
	cs_http_result_done(&r);
	stage_close(&s);
	cs_mem_free(body);
}

static void says_unreachable_when_nobody_answers(void **state)
{
	struct cs_http_result r = {0};
	struct cs_error err = {0};
	struct stage s;
	int fd = stage_open(&s);
	struct cs_http_call call = {.dir = s.dir,
				    .method = "GET",
				    .target = "/",
				    .timeout_ms = 100};

	(void)state;
	/* Somebody listens and never accepts. */
	assert_false(cs_http_call(&call, &r, &err));
	assert_int_equal(err.code, CS_E_UNREACHABLE);
	/* Nobody listens. */
	close(fd);
	assert_false(cs_http_call(&call, &r, &err));
	assert_int_equal(err.code, CS_E_UNREACHABLE);
	/* Nothing is there. */
	stage_close(&s);
	assert_false(cs_http_call(&call, &r, &err));
	assert_int_equal(err.code, CS_E_UNREACHABLE);
}

static void refuses_answers_that_break_the_rules(void **state)
{
	static const struct {
		enum cs_error_code code;
		struct cs_span answer;
	} cases[] = {
#define CASE(code, text)                                                       \
	{                                                                      \
		CS_E_##code,                                                   \
		{                                                              \
			(const uint8_t *)(text), sizeof(text) - 1              \
		}                                                              \
	}
		CASE(UNREACHABLE, ""),
		CASE(UNREACHABLE, "HTTP/1.1 200 OK\r\nContent-Le"),
		CASE(UNREACHABLE,
		     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"),
		CASE(HTTP, "HTTP/1.1 200 OK\r\n\r\nhello"),
		CASE(HTTP, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
		CASE(HTTP, "HTTP/1.1 100 Continue\r\n\r\n"),
		CASE(HTTP, "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"),
		CASE(HTTP, "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
		CASE(HTTP, "SSH-2.0-x\r\n\r\n"),
		CASE(HTTP, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
			   "Content-Length: 5\r\n\r\nhello"),
		CASE(HTTP, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
			   "Transfer-Encoding: chunked\r\n\r\nhello"),
		CASE(HTTP,
		     "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"),
		CASE(HTTP, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello"),
		CASE(HTTP,
		     "HTTP/1.1 200 OK\r\nX: a\nContent-Length: 0\r\n\r\n"),
		CASE(HTTP, "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n"
			   "Content-Length: 0\r\n\r\n"),
		CASE(HTTP, "HTTP/1.1 200 OK\r\nX: \x1B\r\n"
			   "Content-Length: 0\r\n\r\n"),
		CASE(TOO_LARGE,
		     "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"),
	};
	struct cs_http_result r = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cs_error err = {0};

		assert_false(call_with(cases[i].answer, AT_ONCE, &r, &err));
		assert_int_equal(err.code, cases[i].code);
	}
}

static void limits_the_head_and_the_time(void **state)
{
	struct cs_http_result r = {0};
	struct cs_error err = {0};
	char *text = cs_mem_new(CS_MAX_HTTP_ANSWER_HEAD + 100);

	(void)state;
	memset(text, 'x', CS_MAX_HTTP_ANSWER_HEAD + 100);
	memcpy(text, "HTTP/1.1 200 OK\r\nX: ", 20);
	assert_false(
		call_with(cs_span_make(text, CS_MAX_HTTP_ANSWER_HEAD + 100),
			  AND_STAYS, &r, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	assert_false(call_with(CS_SPAN_LIT("HTTP/1.1 200 OK\r\n"), AND_STAYS,
			       &r, &err));
	assert_int_equal(err.code, CS_E_UNREACHABLE);
	cs_mem_free(text);
}

static void refuses_arguments_that_would_break_the_request(void **state)
{
	static const char *const targets[] = {"", "a", "/a b", "/a\r\nX: y",
					      "/\xC3\xA4"};
	char dir[200];
	struct cs_http_call call = {.dir = "/nowhere", .method = "GET"};
	struct cs_http_result r = {0};
	struct cs_error err = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		call.target = targets[i];
		assert_false(cs_http_call(&call, &r, &err));
		assert_int_equal(err.code, CS_E_ARGUMENT);
	}
	call.target = "/";
	call.idempotency_key = "a\r\nX: y";
	assert_false(cs_http_call(&call, &r, &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
	call.idempotency_key = NULL;
	memset(dir, 'd', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	call.dir = dir;
	assert_false(cs_http_call(&call, &r, &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_status_fields_and_body),
		cmocka_unit_test(sends_a_request_that_our_parser_wants),
		cmocka_unit_test(
			reads_an_answer_to_what_was_not_read_to_its_end),
		cmocka_unit_test(says_unreachable_when_nobody_answers),
		cmocka_unit_test(refuses_answers_that_break_the_rules),
		cmocka_unit_test(limits_the_head_and_the_time),
		cmocka_unit_test(
			refuses_arguments_that_would_break_the_request),
	};

	return cs_test_run("api/http_client", tests);
}
