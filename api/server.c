#include "api/server.h"

#include <assert.h>
#include <signal.h>
#include <unistd.h>

#include "api/http_conn.h"
#include "api/http_places.h"
#include "api/listener.h"
#include "api/server_errands.h"
#include "api/tls.h"
#include "base/mem.h"

/* Deadlines are kept to within this, or a quarter of the shortest. */
#define SWEEP_MS 100
/*
 * In one pass of the loop: connections that are cut, and steps of handshakes,
 * which take a hundred times as long as anything else here. Whoever is at
 * work already waits for so many and no more.
 */
#define CUTS_A_PASS   64
#define SHAKES_A_PASS 2

struct cs_http_limits cs_http_limits_default(void)
{
	return (struct cs_http_limits){
		.handshake_ms = 5000,
		.head_ms = 5000,
		.body_ms = 10000,
		.reply_ms = 10000,
		.idle_ms = 30000,
		.linger_ms = 1000,
		.drain_ms = 10000,
		.grace_ms = 1000,
		.max_connections = CS_HTTP_CONNECTIONS,
		.max_per_address = CS_HTTP_PER_ADDRESS,
		.max_requests = 1000,
	};
}

/* Tell the owner, once, that a drain is over. */
static void check_drained(struct cs_http_server *s)
{
	if (!s->draining || s->drained || s->stats.open > 0)
		return;
	s->drained = true;
	cs_timer_stop(s->drain);
	if (s->config.on_drained != NULL)
		s->config.on_drained(s->config.ctx);
}

/*
 * The loop's callback, with nothing of ours on the stack: go on with
 * connections whose buffers hold something, release those that ended.
 */
static void on_errands(void *ctx)
{
	struct cs_http_server *s = ctx;
	struct cs_http_conn *next;
	struct cs_http_conn *c;

	for (c = s->resumed, s->resumed = NULL; c != NULL; c = next) {
		next = c->next_resumed;
		c->resumes = false;
		cs_http_conn_resume(c);
	}
	for (c = s->buried, s->buried = NULL; c != NULL; c = next) {
		next = c->next_buried;
		if (c->resumes || c->shakes) {
			/* Named in another list: next time. */
			c->next_buried = s->buried;
			s->buried = c;
		} else {
			cs_http_conn_free(c);
		}
	}
	if (s->resumed != NULL || s->buried != NULL)
		cs_timer_start(s->errands, 0);
	check_drained(s);
}

/* The loop's callback: some handshakes, in the order they came. */
static void on_shakes(void *ctx)
{
	struct cs_http_server *s = ctx;
	struct cs_http_conn *c;
	int n = 0;

	while (s->shaking != NULL && n < SHAKES_A_PASS) {
		c = s->shaking;
		s->shaking = c->next_shaking;
		c->shakes = false;
		if (c->state == CS_HTTP_STATE_BURIED)
			continue;
		cs_http_conn_shake(c);
		n++;
	}
	if (s->shaking != NULL)
		cs_timer_start(s->shakes, 0);
}

/* The loop's callback: cut what is late. */
static void on_sweep(void *ctx)
{
	struct cs_http_server *s = ctx;
	int64_t now = cs_http_server_now(s);
	struct cs_http_conn *c;
	int cuts = 0;

	for (; s->sweep_at < s->slots_n && cuts < CUTS_A_PASS; s->sweep_at++) {
		c = s->slots[s->sweep_at];
		if (c == NULL || c->deadline > now)
			continue;
		cs_http_conn_expire(c);
		cuts++;
	}
	if (s->sweep_at < s->slots_n) {
		cs_timer_start(s->sweep, 0);
		return;
	}
	s->sweep_at = 0;
	s->sweeping = false;
	if (s->stats.open > 0)
		cs_http_server_sweep_start(s);
}

/* The loop's callback: the drain's time is up. */
static void on_drain_end(void *ctx)
{
	struct cs_http_server *s = ctx;
	uint32_t i;

	for (i = 0; i < s->slots_n; i++) {
		if (s->slots[i] != NULL)
			cs_http_conn_cut(s->slots[i]);
	}
	check_drained(s);
}

void cs_http_server_drain(struct cs_http_server *s)
{
	uint32_t i;

	if (s->draining)
		return;
	s->draining = true;
	cs_http_doors_close(s);
	cs_timer_start(s->drain, s->config.limits.drain_ms);
	for (i = 0; i < s->slots_n; i++) {
		if (s->slots[i] != NULL)
			cs_http_conn_drain(s->slots[i]);
	}
	/* on_drained comes from the loop, also when nothing was open. */
	cs_timer_start(s->errands, 0);
}

/* How often to look: fine enough for the shortest deadline. */
static uint32_t sweep_interval(const struct cs_http_limits *l)
{
	const uint32_t all[] = {l->handshake_ms, l->head_ms, l->body_ms,
				l->reply_ms,	 l->idle_ms, l->linger_ms};
	uint32_t ms = SWEEP_MS;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] / 4 < ms)
			ms = all[i] / 4;
	}
	return ms < 5 ? 5 : ms;
}

/* Counts and times that make sense. */
static bool check_config(const struct cs_http_server_config *config,
			 struct cs_error *err)
{
	const struct cs_http_limits *l = &config->limits;

	if (config->listens_n > CS_MAX_HTTP_LISTENS)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "HTTP server: more than %d listeners",
				    CS_MAX_HTTP_LISTENS);
	if (l->max_connections == 0 ||
	    l->max_connections > CS_MAX_HTTP_CONNECTIONS)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "HTTP server: connections are limited to "
				    "1..%d",
				    CS_MAX_HTTP_CONNECTIONS);
	if (l->handshake_ms == 0 || l->head_ms == 0 || l->body_ms == 0 ||
	    l->reply_ms == 0 || l->idle_ms == 0 || l->linger_ms == 0 ||
	    l->max_per_address == 0 || l->max_requests == 0)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "HTTP server: a limit is 0");
	return true;
}

/* Everything that can fail, once the object owns what it was given. */
static bool set_up(struct cs_http_server *s, struct cs_error *err)
{
	struct cs_loop *loop = s->config.loop;

	if (!check_config(&s->config, err))
		return false;
	if (!cs_http_slots_make(s))
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "HTTP server: out of memory");
	s->sweep_ms = sweep_interval(&s->config.limits);
	s->sweep = cs_timer_new(loop, on_sweep, s, err);
	s->errands = cs_timer_new(loop, on_errands, s, err);
	s->shakes = cs_timer_new(loop, on_shakes, s, err);
	s->drain = cs_timer_new(loop, on_drain_end, s, err);
	return s->sweep != NULL && s->errands != NULL && s->shakes != NULL &&
	       s->drain != NULL && cs_http_doors_open(s, err);
}

/* Close what was handed over to an object that could not be made. */
static void give_up(const struct cs_http_server_config *config)
{
	size_t i;

	for (i = 0; i < config->listens_n; i++)
		(void)close(config->listens[i].fd);
	cs_tls_free(config->tls);
}

struct cs_http_server *cs_http_server_new(
	const struct cs_http_server_config *config, struct cs_error *err)
{
	struct cs_http_server *s = NULL;
	size_t i;

	if (config->listens_n <= CS_MAX_HTTP_LISTENS)
		s = cs_mem_new(sizeof(*s));
	if (s == NULL) {
		give_up(config);
		if (check_config(config, err))
			cs_error_set(err, CS_E_NO_MEMORY,
				     "HTTP server: out of memory");
		return NULL;
	}
	s->config = *config;
	s->config.listens = NULL;
	s->tls = config->tls;
	s->reserve_fd = -1;
	for (i = 0; i < config->listens_n; i++)
		s->doors[i] = (struct cs_http_door){
			.server = s,
			.fd = config->listens[i].fd,
			.kind = config->listens[i].kind,
		};
	s->doors_n = config->listens_n;
	/* A peer that has closed is an ordinary error of a write. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (!set_up(s, err)) {
		cs_http_server_free(s);
		return NULL;
	}
	return s;
}

void cs_http_server_free(struct cs_http_server *s)
{
	struct cs_http_conn *next;
	struct cs_http_conn *c;
	uint32_t i;

	if (s == NULL)
		return;
	cs_http_doors_close(s);
	for (i = 0; s->slots != NULL && i < s->slots_n; i++) {
		if (s->slots[i] == NULL)
			continue;
		cs_http_address_leave(s, s->slots[i]->kind,
				      s->slots[i]->address);
		cs_http_conn_free(s->slots[i]);
	}
	for (c = s->buried; c != NULL; c = next) {
		next = c->next_buried;
		cs_http_conn_free(c);
	}
	cs_timer_free(s->sweep);
	cs_timer_free(s->errands);
	cs_timer_free(s->shakes);
	cs_timer_free(s->drain);
	cs_tls_free(s->tls);
	cs_http_slots_free(s);
	cs_mem_free(s);
}

void cs_http_server_set_tls(struct cs_http_server *s, struct cs_tls *tls)
{
	assert(tls != NULL);
	cs_tls_free(s->tls);
	s->tls = tls;
}

void cs_http_reply(struct cs_http_server *s, uint64_t ticket,
		   const struct cs_http_answer *answer)
{
	struct cs_http_conn *c = cs_http_slot_find(s, ticket);

	if (c != NULL)
		cs_http_conn_reply(c, answer);
}

const struct cs_http_peer *cs_http_server_peer(const struct cs_http_server *s,
					       uint64_t ticket)
{
	const struct cs_http_conn *c = cs_http_slot_find(s, ticket);

	return c == NULL ? NULL : &c->peer;
}

struct cs_http_stats cs_http_server_stats(const struct cs_http_server *s)
{
	return s->stats;
}
