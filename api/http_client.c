#include "api/http_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"

#define DEFAULT_TIMEOUT_MS 60000
/* How long to wait when the server's backlog is full. */
#define RETRY_MS 10
/* A request's head: our fields are short, a target is the longest part. */
#define MAX_HEAD (CS_MAX_HTTP_TARGET + 4 * CS_MAX_FREE_TEXT)
/* An answer's head and body, and one byte too many to notice it. */
#define MAX_ANSWER (CS_MAX_HTTP_ANSWER_HEAD + CS_MAX_CRL + READ_SIZE)
#define READ_SIZE  16384

/* One call under way. */
struct call {
	int fd; /* owned; -1: none */
	struct cs_clock clock;
	int64_t deadline;
	struct sockaddr_un address;
	struct cs_buf out; /* the request */
	struct cs_buf in;  /* everything that came */
	size_t head;	   /* octets of the answer's head */
	size_t length;	   /* octets of its body */
	int status;
};

/* For CS_CLEANUP. */
static void call_done(struct call *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	cs_buf_done(&c->out);
	cs_buf_done(&c->in);
}

/* Milliseconds left, at least 0. */
static int left_ms(const struct call *c)
{
	int64_t left = c->deadline - cs_clock_boot_ms(&c->clock);

	if (left < 0)
		return 0;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Wait for the socket. */
static bool await(const struct call *c, short what, struct cs_error *err)
{
	struct pollfd p = {.fd = c->fd, .events = what};
	int n;

	do {
		n = poll(&p, 1, left_ms(c));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "poll");
	if (n == 0)
		return cs_error_set(err, CS_E_UNREACHABLE,
				    "%s: no answer in time",
				    c->address.sun_path);
	return true;
}

/* The socket of an installation. */
static bool set_address(struct call *c, const char *dir, struct cs_error *err)
{
	int n;

	c->address.sun_family = AF_UNIX;
	n = snprintf(c->address.sun_path, sizeof(c->address.sun_path),
		     "%s/run/countersign.sock", dir);
	if (n < 0 || (size_t)n >= sizeof(c->address.sun_path))
		return cs_error_set(err, CS_E_ARGUMENT,
				    "%s: too long for the path of a socket",
				    dir);
	return true;
}

/* Connect; a full backlog is waited for. */
static bool connect_call(struct call *c, struct cs_error *err)
{
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "socket");
	while (connect(c->fd, (const struct sockaddr *)&c->address,
		       sizeof(c->address)) != 0) {
		if (errno != EAGAIN && errno != EINTR)
			return cs_error_set_errno(
				err, CS_E_UNREACHABLE, errno,
				"no server answers at %s (start it with "
				"`countersign serve`; --dir says where)",
				c->address.sun_path);
		if (left_ms(c) == 0)
			return cs_error_set(err, CS_E_UNREACHABLE,
					    "%s: the server is too busy",
					    c->address.sun_path);
		(void)poll(NULL, 0, RETRY_MS);
	}
	return true;
}

/* May this stand in a head? Visible ASCII; SP only where it may. */
static bool is_clean(const char *text, uint8_t least)
{
	const char *p;

	for (p = text; *p != '\0'; p++) {
		if ((uint8_t)*p < least || (uint8_t)*p > 0x7E)
			return false;
	}
	return true;
}

/* One field of the request, if there is one. */
static bool add_field(struct call *c, const char *name, const char *value,
		      struct cs_error *err)
{
	if (value == NULL)
		return true;
	if (!is_clean(value, ' '))
		return cs_error_set(err, CS_E_ARGUMENT,
				    "%s holds a byte that is not visible "
				    "ASCII",
				    name);
	cs_buf_addf(&c->out, "%s: %s\r\n", name, value);
	return true;
}

/* The request as bytes. */
static bool write_request(struct call *c, const struct cs_http_call *call,
			  struct cs_error *err)
{
	if (!is_clean(call->method, '!') || !is_clean(call->target, '!') ||
	    call->target[0] != '/')
		return cs_error_set(err, CS_E_ARGUMENT,
				    "the target is not a path of visible "
				    "ASCII");
	if (call->body.n > CS_MAX_HTTP_BODY)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "the request is longer than %d bytes",
				    CS_MAX_HTTP_BODY);
	cs_buf_addf(&c->out,
		    "%s %s HTTP/1.1\r\nHost: localhost\r\n"
		    "Connection: close\r\n",
		    call->method, call->target);
	if (!add_field(c, "Accept", call->accept, err) ||
	    !add_field(c, "Content-Type", call->content_type, err) ||
	    !add_field(c, "Idempotency-Key", call->idempotency_key, err))
		return false;
	if (call->body.n > 0 || strcmp(call->method, "POST") == 0)
		cs_buf_addf(&c->out, "Content-Length: %zu\r\n", call->body.n);
	cs_buf_add_str(&c->out, "\r\n");
	cs_buf_add(&c->out, call->body);
	return cs_buf_finish(&c->out, "the request", err);
}

/*
 * Send it. A server that has had enough answers and closes before it has
 * read everything, so a broken pipe is no error yet: there may be an answer.
 */
static bool send_request(struct call *c, struct cs_error *err)
{
	size_t at = 0;
	ssize_t n;

	while (at < c->out.n) {
		n = send(c->fd, c->out.p + at, c->out.n - at, MSG_NOSIGNAL);
		if (n >= 0)
			at += (size_t)n;
		else if (errno == EPIPE || errno == ECONNRESET)
			return true;
		else if (errno != EAGAIN && errno != EINTR)
			return cs_error_set_errno(err, CS_E_IO, errno,
						  "%s: send",
						  c->address.sun_path);
		else if (!await(c, POLLOUT, err))
			return false;
	}
	return true;
}

/* A rule of HTTP is broken. */
static bool broken(const struct call *c, struct cs_error *err,
		   const char *sentence)
{
	return cs_error_set(err, CS_E_HTTP, "%s: %s", c->address.sun_path,
			    sentence);
}

/* Bring more bytes into `in`. */
static bool receive(struct call *c, struct cs_error *err)
{
	uint8_t bytes[READ_SIZE];
	ssize_t n;

	for (;;) {
		n = recv(c->fd, bytes, sizeof(bytes), 0);
		if (n > 0)
			break;
		if (n == 0 || errno == ECONNRESET)
			return cs_error_set(err, CS_E_UNREACHABLE,
					    "%s: the server closed before its "
					    "answer was complete",
					    c->address.sun_path);
		if (errno != EAGAIN && errno != EINTR)
			return cs_error_set_errno(err, CS_E_IO, errno,
						  "%s: receive",
						  c->address.sun_path);
		if (!await(c, POLLIN, err))
			return false;
	}
	cs_buf_add(&c->in, cs_span_make(bytes, (size_t)n));
	return cs_buf_finish(&c->in, "the answer", err);
}

/* Offset behind the empty line; 0: it is not here yet. */
static size_t head_end(struct cs_span s)
{
	size_t i;

	for (i = 4; i <= s.n; i++) {
		if (memcmp(s.p + i - 4, "\r\n\r\n", 4) == 0)
			return i;
	}
	return 0;
}

/* Without SP and HTAB at both ends. */
static struct cs_span trim(struct cs_span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = cs_span_sub(s, 1, s.n);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* The next line, without its CRLF; false at the empty one. */
static bool next_line(struct cs_span *rest, struct cs_span *ret_line)
{
	size_t at;

	if (!cs_span_find(*rest, '\n', &at) || at < 2)
		return false;
	*ret_line = cs_span_sub(*rest, 0, at - 1);
	*rest = cs_span_sub(*rest, at + 1, rest->n);
	return true;
}

/*
 * The value of the nth (from 0) field `name` of a head, trimmed; p is NULL
 * when there are fewer.
 */
static struct cs_span find_field(struct cs_span head, const char *name,
				 unsigned nth)
{
	struct cs_span rest = head;
	struct cs_span line;
	size_t at;

	(void)next_line(&rest, &line); /* the status line */
	while (next_line(&rest, &line)) {
		if (cs_span_find(line, ':', &at) &&
		    cs_span_equal_icase(cs_span_sub(line, 0, at),
					cs_span_str(name)) &&
		    nth-- == 0)
			return trim(cs_span_sub(line, at + 1, line.n));
	}
	return (struct cs_span){NULL, 0};
}

/* RFC 9112 6.3: 1*DIGIT within our maximum. */
static bool read_length(struct call *c, struct cs_span s, struct cs_error *err)
{
	size_t n = 0;
	size_t i;

	if (s.n == 0 || s.n > 9)
		return broken(c, err, "the answer has no usable length");
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return broken(c, err,
				      "the answer has no usable length");
		n = n * 10 + (size_t)(s.p[i] - '0');
	}
	if (n > CS_MAX_CRL)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "%s: the answer is longer than %d bytes",
				    c->address.sun_path, CS_MAX_CRL);
	c->length = n;
	return true;
}

/* CRLF line ends only, visible ASCII, every line a field. */
static bool is_strict(struct cs_span head)
{
	struct cs_span rest = head;
	struct cs_span line;
	size_t i;

	for (i = 0; i < head.n; i++) {
		if (head.p[i] == '\n' ? i == 0 || head.p[i - 1] != '\r'
				      : head.p[i] > 0x7E)
			return false;
		if (head.p[i] < 0x20 && head.p[i] != '\t' &&
		    head.p[i] != '\n' &&
		    (head.p[i] != '\r' || head.p[i + 1] != '\n'))
			return false;
	}
	(void)next_line(&rest, &line);
	while (next_line(&rest, &line)) {
		if (!cs_span_find(line, ':', &i) || i == 0 ||
		    line.p[0] == ' ' || line.p[0] == '\t')
			return false;
	}
	return true;
}

/* The whole head: status and length. */
static bool read_head(struct call *c, struct cs_error *err)
{
	struct cs_span head = cs_span_sub(cs_buf_span(&c->in), 0, c->head);
	const uint8_t *p = head.p;

	if (head.n < 14 || !cs_span_starts_with(head, CS_SPAN_LIT("HTTP/1.1 ")))
		return broken(c, err, "the answer is not HTTP/1.1");
	if (p[9] < '2' || p[9] > '5' || p[10] < '0' || p[10] > '9' ||
	    p[11] < '0' || p[11] > '9' || (p[12] != ' ' && p[12] != '\r'))
		return broken(c, err, "the answer has no final status");
	c->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
	if (!is_strict(head))
		return broken(c, err, "the answer's head is malformed");
	if (find_field(head, "Transfer-Encoding", 0).p != NULL ||
	    find_field(head, "Content-Length", 1).p != NULL)
		return broken(c, err, "the answer's framing is ambiguous");
	if (c->status == 204 || c->status == 304)
		return true;
	return read_length(c, find_field(head, "Content-Length", 0), err);
}

/* The whole answer. */
static bool read_answer(struct call *c, struct cs_error *err)
{
	while (c->head == 0) {
		if (!receive(c, err))
			return false;
		c->head = head_end(cs_buf_span(&c->in));
		if ((c->head == 0 ? c->in.n : c->head) >
		    CS_MAX_HTTP_ANSWER_HEAD)
			return cs_error_set(err, CS_E_TOO_LARGE,
					    "%s: the answer's head is longer "
					    "than %d bytes",
					    c->address.sun_path,
					    CS_MAX_HTTP_ANSWER_HEAD);
	}
	if (!read_head(c, err))
		return false;
	while (c->in.n < c->head + c->length) {
		if (!receive(c, err))
			return false;
	}
	if (c->in.n > c->head + c->length)
		return broken(c, err, "bytes stand behind the answer");
	return true;
}

/* Hand the answer over. */
static bool give(const struct call *c, struct cs_http_result *ret_result,
		 struct cs_error *err)
{
	struct cs_http_result r = {.status = c->status};
	struct cs_span all = cs_buf_span(&c->in);

	cs_buf_init(&r.head, CS_MAX_HTTP_ANSWER_HEAD);
	cs_buf_init(&r.body, CS_MAX_CRL);
	cs_buf_add(&r.head, cs_span_sub(all, 0, c->head));
	cs_buf_add(&r.body, cs_span_sub(all, c->head, c->length));
	if (!cs_buf_finish(&r.head, "the answer", err) ||
	    !cs_buf_finish(&r.body, "the answer", err)) {
		cs_http_result_done(&r);
		return false;
	}
	*ret_result = r;
	return true;
}

bool cs_http_call(const struct cs_http_call *call,
		  struct cs_http_result *ret_result, struct cs_error *err)
{
	CS_CLEANUP(call_done)
	struct call c = {.fd = -1, .clock = cs_clock_system()};
	uint32_t timeout = call->timeout_ms;

	if (timeout == 0)
		timeout = DEFAULT_TIMEOUT_MS;
	c.deadline = cs_clock_boot_ms(&c.clock) + (int64_t)timeout;
	cs_buf_init(&c.out, MAX_HEAD + CS_MAX_HTTP_BODY);
	cs_buf_init(&c.in, MAX_ANSWER);
	return set_address(&c, call->dir, err) &&
	       write_request(&c, call, err) && connect_call(&c, err) &&
	       send_request(&c, err) && read_answer(&c, err) &&
	       give(&c, ret_result, err);
}

void cs_http_result_done(struct cs_http_result *r)
{
	cs_buf_done(&r->head);
	cs_buf_done(&r->body);
}

struct cs_span cs_http_result_header(const struct cs_http_result *r,
				     const char *name)
{
	return find_field(cs_buf_span(&r->head), name, 0);
}
