#include "api/http_conn.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "api/http_body.h"
#include "api/http_places.h"
#include "api/peer_cert.h"
#include "api/problem.h"
#include "api/server_errands.h"
#include "base/failpoint.h"
#include "base/mem.h"

/* Read at most this much at a time: a head and a small body come in one. */
#define READ_SIZE 2000
/* A body in larger pieces. */
#define READ_SIZE_BODY 16384
/* Keep a buffer between requests only if it is no larger than this. */
#define KEEP_SIZE 8192
/* Forget at most this much after the last answer. */
#define MAX_WASTE ((size_t)256 * 1024)
/* A head, a body, and what one read can bring behind them. */
#define MAX_IN (CS_MAX_HTTP_HEAD + CS_MAX_HTTP_BODY + READ_SIZE_BODY)
/* An interim answer and a final one. */
#define MAX_OUT (CS_MAX_HTTP_ANSWER + 2 * CS_MAX_HTTP_ANSWER_HEAD)

/* Octets a millisecond that a peer takes of a shared body at the least. */
#define SLOW 32

#define BIT(s) (1u << CS_HTTP_STATE_##s)

/* Allowed moves, as in the diagram; any state may be buried. */
static const unsigned moves[CS_HTTP_STATES] = {
	[CS_HTTP_STATE_HANDSHAKE] = BIT(IDLE),
	[CS_HTTP_STATE_IDLE] = BIT(HEAD),
	[CS_HTTP_STATE_HEAD] = BIT(BODY) | BIT(REPLY),
	[CS_HTTP_STATE_BODY] = BIT(FLIGHT) | BIT(REPLY),
	[CS_HTTP_STATE_FLIGHT] = BIT(REPLY),
	[CS_HTTP_STATE_REPLY] = BIT(IDLE) | BIT(LINGER),
	[CS_HTTP_STATE_LINGER] = 0,
	[CS_HTTP_STATE_BURIED] = 0,
};

/* What one step of the pump came to. */
enum step {
	GO_ON, /* something changed: look again */
	WAIT   /* for the socket, the owner, or nothing any more */
};

/* Which queue a connection stands in: those that could be dropped. */
static struct cs_http_queue *queue_of(const struct cs_http_conn *c)
{
	switch (c->state) {
	case CS_HTTP_STATE_IDLE:
		if (c->count > 0)
			return &c->server->idle[c->kind];
		return &c->server->newcomers[c->kind];
	case CS_HTTP_STATE_HANDSHAKE:
	case CS_HTTP_STATE_HEAD:
	case CS_HTTP_STATE_BODY:
		if (c->count == 0)
			return &c->server->newcomers[c->kind];
		break;
	default:
		break;
	}
	return NULL;
}

/* Move, with the deadline of the new state; 0: none. */
static void move(struct cs_http_conn *c, enum cs_http_state to, uint32_t ms)
{
	assert(to == CS_HTTP_STATE_BURIED || (moves[c->state] & 1u << to));
	assert((c->ticket != 0) == (c->state == CS_HTTP_STATE_FLIGHT));
	c->state = to;
	c->deadline = ms == 0 ? INT64_MAX
			      : cs_http_server_now(c->server) + (int64_t)ms;
	cs_http_queue_move(c, queue_of(c));
}

/* Between two requests there is nothing to hold. */
static void shrink(struct cs_buf *b)
{
	if (b->n == 0 && b->cap > KEEP_SIZE)
		cs_buf_done(b);
}

/* Close, and leave the slot. */
static void bury(struct cs_http_conn *c)
{
	if (c->state == CS_HTTP_STATE_BURIED)
		return;
	c->ticket = 0;
	c->state = CS_HTTP_STATE_BURIED;
	cs_http_queue_move(c, NULL);
	cs_watch_free(c->readable);
	cs_watch_free(c->writable);
	c->readable = NULL;
	c->writable = NULL;
	cs_stream_done(&c->stream);
	cs_http_address_leave(c->server, c->kind, c->address);
	c->address = NULL;
	cs_http_slot_leave(c);
	cs_http_server_bury(c->server, c);
}

void cs_http_conn_cut(struct cs_http_conn *c)
{
	struct cs_http_server *s = c->server;
	uint64_t ticket = c->ticket;

	bury(c);
	if (ticket == 0)
		return;
	s->stats.gone++;
	s->config.on_gone(s->config.ctx, ticket);
}

/* No more answers: FIN, then read away what is still coming. */
static void finish(struct cs_http_conn *c)
{
	cs_stream_finish(&c->stream);
	c->wants_write = false;
	move(c, CS_HTTP_STATE_LINGER, c->server->config.limits.linger_ms);
}

/* What is to be written next: of `out`, then of a shared body. */
static struct cs_span unsent(const struct cs_http_conn *c)
{
	if (c->sent < c->out.n)
		return cs_span_sub(cs_buf_span(&c->out), c->sent, c->out.n);
	return cs_span_sub(cs_http_body_span(c->shared), c->shared_sent,
			   SIZE_MAX);
}

/* Write what there is to write, as far as it goes. */
static enum step flush(struct cs_http_conn *c)
{
	struct cs_span rest;
	size_t n;

	while ((rest = unsent(c)).n > 0) {
		switch (cs_stream_write(&c->stream, rest, &n)) {
		case CS_STREAM_OK:
			if (c->sent < c->out.n)
				c->sent += n;
			else
				c->shared_sent += n;
			break;
		case CS_STREAM_WANT_WRITE:
			return WAIT;
		default:
			cs_http_conn_cut(c);
			return WAIT;
		}
	}
	cs_buf_reset(&c->out);
	shrink(&c->out);
	c->sent = 0;
	cs_http_body_drop(c->shared);
	c->shared = NULL;
	c->shared_sent = 0;
	return GO_ON;
}

/*
 * Drop the request that was answered from the front of `in`. A bearer token
 * does not stay in memory for longer than its request.
 */
static void consume(struct cs_http_conn *c)
{
	size_t n = c->head.size + c->head.content_length;
	size_t rest = c->in.n - n;

	explicit_bzero(c->in.p, n);
	if (rest > 0)
		memmove(c->in.p, c->in.p + n, rest);
	cs_buf_truncate(&c->in, rest);
	c->head = (struct cs_http_head){0};
}

/* Put an answer, or a 500 in its place, into `out`. */
static bool compose(struct cs_http_conn *c, const struct cs_http_answer *answer)
{
	static const struct cs_http_answer broken = {.status = 500,
						     .close = true};
	struct cs_http_frame frame = {
		.method = c->head.method,
		.date = cs_http_server_date(c->server),
	};

	c->closes = c->closes || answer->close || c->server->draining ||
		    c->count >= c->server->config.limits.max_requests;
	frame.close = c->closes;
	if (cs_http_write_answer(answer, &frame, &c->out, NULL)) {
		if (frame.method != CS_HTTP_HEAD)
			c->shared = cs_http_body_keep(answer->shared);
		return true;
	}
	if (!cs_buf_ok(&c->out))
		return false;
	c->closes = true;
	frame.close = true;
	return cs_http_write_answer(&broken, &frame, &c->out, NULL);
}

/* Answer a request ourselves, and close. */
static enum step refuse(struct cs_http_conn *c, enum cs_problem_code code,
			const char *sentence)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf body;
	struct cs_http_answer answer = {
		.status = (int)cs_problem_status(code),
		.content_type = CS_PROBLEM_MEDIA_TYPE,
		.close = true,
	};
	struct cs_problem problem = {0};

	c->server->stats.refused++;
	cs_buf_init(&body, CS_MAX_HTTP_ANSWER_HEAD);
	cs_problem_set(&problem, code, "", "%s", sentence);
	if (!cs_problem_write(&problem, &body, NULL)) {
		cs_http_conn_cut(c);
		return WAIT;
	}
	answer.body = cs_buf_span(&body);
	/* A refused head says nothing that can be relied on. */
	c->head = (struct cs_http_head){0};
	if (!compose(c, &answer)) {
		cs_http_conn_cut(c);
		return WAIT;
	}
	move(c, CS_HTTP_STATE_REPLY, c->server->config.limits.reply_ms);
	return GO_ON;
}

/* The problem that has a parser's status. */
static enum cs_problem_code code_of(int status)
{
	static const enum cs_problem_code codes[] = {
		CS_PROBLEM_NOT_FOUND,	    CS_PROBLEM_LENGTH_REQUIRED,
		CS_PROBLEM_BODY_TOO_LARGE,  CS_PROBLEM_TARGET_TOO_LONG,
		CS_PROBLEM_BAD_EXPECTATION, CS_PROBLEM_HEAD_TOO_LARGE,
		CS_PROBLEM_NOT_IMPLEMENTED, CS_PROBLEM_BAD_HTTP_VERSION,
	};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if ((int)cs_problem_status(codes[i]) == status)
			return codes[i];
	}
	return CS_PROBLEM_BAD_HTTP;
}

/* Octets of the request at the front of `in`, once its head is known. */
static size_t whole(const struct cs_http_conn *c)
{
	return c->head.size + c->head.content_length;
}

/*
 * The head is whole. RFC 9110 10.1.1: a client that waits for 100 gets it
 * once, and only if its body has not come already.
 */
static enum step begin_body(struct cs_http_conn *c)
{
	(void)cs_failpoint("front.after_head");
	move(c, CS_HTTP_STATE_BODY, c->server->config.limits.body_ms);
	if (c->head.expect_continue && c->in.n == c->head.size &&
	    c->head.content_length > 0) {
		cs_buf_add_str(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
		(void)flush(c);
	}
	return c->state == CS_HTTP_STATE_BODY ? GO_ON : WAIT;
}

/* Read a head from `in`. WAIT: it needs more bytes. */
static enum step parse(struct cs_http_conn *c)
{
	struct cs_http_refusal refusal;

	switch (cs_http_parse(&c->parser, cs_buf_span(&c->in), &c->head,
			      &refusal)) {
	case CS_HTTP_DONE:
		return begin_body(c);
	case CS_HTTP_REFUSED:
		return refuse(c, code_of(refusal.status), refusal.sentence);
	case CS_HTTP_MORE:
		break;
	}
	return WAIT;
}

/* Hand the whole request to the owner. */
static enum step dispatch(struct cs_http_conn *c)
{
	struct cs_http_server *s = c->server;
	struct cs_span in = cs_buf_span(&c->in);

	(void)cs_failpoint("front.after_body");
	/* The buffer may have moved since the head was read. */
	cs_http_parser_head(&c->parser, in, &c->head);
	c->closes = c->head.close;
	c->count++;
	move(c, CS_HTTP_STATE_FLIGHT, 0);
	c->ticket = ++s->last_id << 16 | c->slot;
	c->request = (struct cs_http_request){
		.ticket = c->ticket,
		.connection = c->id,
		.peer = &c->peer,
		.head = &c->head,
		.body = cs_span_sub(in, c->head.size, c->head.content_length),
	};
	s->stats.requests++;
	s->config.on_request(s->config.ctx, &c->request);
	return GO_ON;
}

/* How much to read now: what is missing of a body, else a small piece. */
static size_t read_size(const struct cs_http_conn *c)
{
	size_t missing;

	if (c->state != CS_HTTP_STATE_BODY)
		return READ_SIZE;
	missing = whole(c) - c->in.n;
	return missing < READ_SIZE_BODY ? missing : READ_SIZE_BODY;
}

/* Bring more bytes into `in`. */
static enum step fill(struct cs_http_conn *c)
{
	size_t before = c->in.n;
	size_t size = read_size(c);
	size_t n = 0;
	uint8_t *at = cs_buf_extend(&c->in, size);
	enum cs_stream_result result;

	if (at == NULL) {
		cs_http_conn_cut(c);
		return WAIT;
	}
	result = cs_stream_read(&c->stream, at, size, &n);
	cs_buf_truncate(&c->in, before + n);
	c->wants_write = result == CS_STREAM_WANT_WRITE;
	switch (result) {
	case CS_STREAM_OK:
		return GO_ON;
	case CS_STREAM_WANT_READ:
		shrink(&c->in);
		return WAIT;
	case CS_STREAM_WANT_WRITE:
		return WAIT;
	case CS_STREAM_EOF:
	case CS_STREAM_BROKEN:
		/* A part of a request is worth nothing. */
		cs_http_conn_cut(c);
		break;
	}
	return WAIT;
}

/* TLS handshake, one step; the first one makes TLS of the stream. */
static enum step shake(struct cs_http_conn *c)
{
	enum cs_stream_result result = CS_STREAM_BROKEN;

	if (c->stream.ssl != NULL ||
	    cs_stream_start_tls(&c->stream, c->server->tls, NULL))
		result = cs_stream_handshake(&c->stream);
	c->wants_write = result == CS_STREAM_WANT_WRITE;
	if (result == CS_STREAM_WANT_READ || result == CS_STREAM_WANT_WRITE)
		return WAIT;
	/* Who cannot be read is not let in as somebody without a name. */
	if (result == CS_STREAM_OK &&
	    cs_stream_peer_cert(&c->stream, &c->peer.cert, NULL)) {
		move(c, CS_HTTP_STATE_IDLE, c->server->config.limits.head_ms);
		return GO_ON;
	}
	c->server->stats.tls_failed++;
	if (c->stream.bad_cert && c->server->config.on_bad_certificate != NULL)
		c->server->config.on_bad_certificate(c->server->config.ctx,
						     &c->peer);
	cs_http_conn_cut(c);
	return WAIT;
}

/* Between requests: is there a byte of the next one? */
static enum step idle(struct cs_http_conn *c)
{
	int64_t deadline = c->deadline;

	if (c->in.n == 0)
		return fill(c);
	cs_http_parser_init(&c->parser);
	move(c, CS_HTTP_STATE_HEAD, c->server->config.limits.head_ms);
	/* The first head's time began when the peer was let in. */
	if (c->count == 0)
		c->deadline = deadline;
	return GO_ON;
}

/* An answer is under way. */
static enum step reply(struct cs_http_conn *c)
{
	if (flush(c) == WAIT)
		return WAIT;
	c->muted = false;
	if (c->closes)
		finish(c);
	else
		move(c, CS_HTTP_STATE_IDLE, c->server->config.limits.idle_ms);
	return GO_ON;
}

/* After the last answer. */
static enum step linger(struct cs_http_conn *c)
{
	size_t n = 0;

	switch (cs_stream_discard(&c->stream, READ_SIZE, &n)) {
	case CS_STREAM_OK:
		c->wasted += n;
		if (c->wasted <= MAX_WASTE)
			return GO_ON;
		break;
	case CS_STREAM_WANT_READ:
		return WAIT;
	default:
		break;
	}
	cs_http_conn_cut(c);
	return WAIT;
}

/* What is left of an interim answer goes whenever it can. */
static enum step push_interim(struct cs_http_conn *c)
{
	if (c->out.n == 0 || flush(c) == GO_ON)
		return GO_ON;
	return c->state == CS_HTTP_STATE_BURIED ? WAIT : GO_ON;
}

/* One step of whatever state it is. */
static enum step advance(struct cs_http_conn *c)
{
	switch (c->state) {
	case CS_HTTP_STATE_HANDSHAKE:
		return shake(c);
	case CS_HTTP_STATE_IDLE:
		return idle(c);
	case CS_HTTP_STATE_HEAD:
		if (parse(c) == GO_ON)
			return GO_ON;
		return c->state == CS_HTTP_STATE_HEAD ? fill(c) : WAIT;
	case CS_HTTP_STATE_BODY:
		if (push_interim(c) == WAIT)
			return WAIT;
		return c->in.n >= whole(c) ? dispatch(c) : fill(c);
	case CS_HTTP_STATE_REPLY:
		return reply(c);
	case CS_HTTP_STATE_LINGER:
		return linger(c);
	case CS_HTTP_STATE_FLIGHT:
		(void)push_interim(c);
		break;
	case CS_HTTP_STATE_BURIED:
	case CS_HTTP_STATES:
		break;
	}
	return WAIT;
}

static void on_writable(void *ctx);

/* Have exactly the watches that this state needs. */
static void watch(struct cs_http_conn *c)
{
	bool flies = c->state == CS_HTTP_STATE_FLIGHT ||
		     c->state == CS_HTTP_STATE_REPLY;
	bool writes = c->wants_write || unsent(c).n > 0;
	bool reads = flies ? !c->muted : !c->wants_write;

	if (c->state == CS_HTTP_STATE_BURIED)
		return;
	if (writes && c->writable == NULL) {
		c->writable =
			cs_watch_writable(c->server->config.loop, c->stream.fd,
					  on_writable, c, NULL);
		if (c->writable == NULL) {
			cs_http_conn_cut(c);
			return;
		}
	}
	if (reads != c->reads)
		(reads ? cs_watch_enable : cs_watch_disable)(c->readable);
	if (writes != c->writes)
		(writes ? cs_watch_enable : cs_watch_disable)(c->writable);
	c->reads = reads;
	c->writes = writes;
}

/* After a move: close what a drain has no more use for; watch the rest. */
static void settle(struct cs_http_conn *c)
{
	if (c->server->draining && c->state == CS_HTTP_STATE_IDLE &&
	    c->in.n == 0) {
		cs_stream_finish(&c->stream);
		cs_http_conn_cut(c);
	}
	watch(c);
}

/* Go on until the socket or the owner has to do something. */
static void pump(struct cs_http_conn *c)
{
	c->pumping = true;
	while (advance(c) == GO_ON)
		;
	c->pumping = false;
	settle(c);
}

/*
 * Bytes or an end while a request is with its owner. Bytes wait for their
 * turn. A client that only stopped sending still gets its answer.
 */
static void look(struct cs_http_conn *c)
{
	switch (cs_stream_peek(&c->stream)) {
	case CS_STREAM_OK:
	case CS_STREAM_EOF:
		c->muted = true;
		watch(c);
		break;
	case CS_STREAM_BROKEN:
		cs_http_conn_cut(c);
		break;
	case CS_STREAM_WANT_READ:
	case CS_STREAM_WANT_WRITE:
		break;
	}
}

/*
 * Bytes for a handshake. They wait, unwatched, for their turn; before the
 * first record is whole there is nothing to take turns for.
 */
static void knock(struct cs_http_conn *c)
{
	enum cs_stream_result result = CS_STREAM_OK;

	if (c->stream.ssl == NULL)
		result = cs_stream_await_hello(&c->stream);
	if (result == CS_STREAM_WANT_READ)
		return;
	if (result != CS_STREAM_OK) {
		c->server->stats.tls_failed++;
		cs_http_conn_cut(c);
		return;
	}
	cs_watch_disable(c->readable);
	c->reads = false;
	cs_http_server_shake(c->server, c);
}

void cs_http_conn_shake(struct cs_http_conn *c)
{
	if (c->state == CS_HTTP_STATE_HANDSHAKE)
		pump(c);
}

/* The loop's callback. */
static void on_readable(void *ctx)
{
	struct cs_http_conn *c = ctx;

	if (c->state == CS_HTTP_STATE_HANDSHAKE)
		knock(c);
	else if (c->state == CS_HTTP_STATE_FLIGHT ||
		 c->state == CS_HTTP_STATE_REPLY)
		look(c);
	else
		pump(c);
}

/* The loop's callback. */
static void on_writable(void *ctx)
{
	struct cs_http_conn *c = ctx;

	c->wants_write = false;
	pump(c);
}

void cs_http_conn_reply(struct cs_http_conn *c,
			const struct cs_http_answer *answer)
{
	assert(c->state == CS_HTTP_STATE_FLIGHT);
	(void)cs_failpoint("front.before_reply");
	if (!compose(c, answer)) {
		bury(c); /* the owner has answered: it is not told */
		return;
	}
	move(c, CS_HTTP_STATE_REPLY,
	     c->server->config.limits.reply_ms +
		     (uint32_t)(cs_http_body_span(c->shared).n / SLOW));
	c->ticket = 0;
	c->request = (struct cs_http_request){0};
	consume(c);
	/* From inside on_request the pump is below us and goes on. */
	if (c->pumping)
		return;
	(void)reply(c);
	/*
	 * What waits in our buffers is not announced by the socket. The owner
	 * is in the middle of something, so it is looked at later.
	 */
	if (c->state == CS_HTTP_STATE_IDLE &&
	    (c->in.n > 0 || cs_stream_has_pending(&c->stream)))
		cs_http_server_resume(c->server, c);
	settle(c);
}

void cs_http_conn_resume(struct cs_http_conn *c)
{
	if (c->state != CS_HTTP_STATE_BURIED && !c->pumping)
		pump(c);
}

void cs_http_conn_expire(struct cs_http_conn *c)
{
	struct cs_http_stats *stats = &c->server->stats;

	switch (c->state) {
	case CS_HTTP_STATE_HEAD:
	case CS_HTTP_STATE_BODY:
		stats->timed_out++;
		if (refuse(c, CS_PROBLEM_REQUEST_TIMEOUT,
			   "The request was not complete in time.") == GO_ON)
			pump(c);
		return;
	case CS_HTTP_STATE_HANDSHAKE:
		stats->tls_failed++;
		stats->timed_out++;
		break;
	case CS_HTTP_STATE_IDLE:
		/* Idle after a request is no offence. */
		if (c->count == 0)
			stats->timed_out++;
		cs_stream_finish(&c->stream);
		break;
	case CS_HTTP_STATE_REPLY:
		stats->timed_out++;
		break;
	default:
		break;
	}
	cs_http_conn_cut(c);
}

void cs_http_conn_drain(struct cs_http_conn *c)
{
	/* A request that has arrived already is read before the end. */
	if (c->state == CS_HTTP_STATE_IDLE && !c->pumping)
		pump(c);
}

void cs_http_conn_free(struct cs_http_conn *c)
{
	if (c == NULL)
		return;
	cs_watch_free(c->readable);
	cs_watch_free(c->writable);
	cs_peer_cert_free(c->peer.cert);
	cs_stream_done(&c->stream);
	if (c->in.p != NULL)
		explicit_bzero(c->in.p, c->in.cap);
	cs_buf_done(&c->in);
	cs_buf_done(&c->out);
	cs_http_body_drop(c->shared);
	cs_mem_free(c);
}

/* Give a new connection its stream and its watch. */
static bool equip(struct cs_http_conn *c, int fd, enum cs_http_listen_kind kind)
{
	struct cs_http_server *s = c->server;
	const struct cs_http_limits *limits = &s->config.limits;

	cs_stream_open(&c->stream, fd);
	if (kind != CS_HTTP_LISTEN_TLS) {
		c->deadline = cs_http_server_now(s) + limits->head_ms;
		c->state = CS_HTTP_STATE_IDLE;
	} else {
		c->deadline = cs_http_server_now(s) + limits->handshake_ms;
		c->state = CS_HTTP_STATE_HANDSHAKE;
	}
	c->readable =
		cs_watch_readable(s->config.loop, fd, on_readable, c, NULL);
	c->reads = c->readable != NULL;
	return c->reads;
}

bool cs_http_conn_start(struct cs_http_server *s, int fd,
			enum cs_http_listen_kind kind,
			const struct cs_http_peer *peer,
			struct cs_http_address *address)
{
	struct cs_http_conn *c = cs_mem_new(sizeof(*c));

	if (c == NULL) {
		(void)close(fd);
		return false;
	}
	c->server = s;
	c->kind = kind;
	c->peer = *peer;
	cs_buf_init(&c->in, MAX_IN);
	cs_buf_init(&c->out, MAX_OUT);
	if (!equip(c, fd, kind)) {
		cs_http_conn_free(c);
		return false;
	}
	c->id = ++s->last_id;
	c->address = address;
	cs_http_slot_take(c);
	cs_http_queue_move(c, queue_of(c));
	s->stats.accepted++;
	cs_http_server_sweep_start(s);
	return true;
}
