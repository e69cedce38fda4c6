#include "api/front.h"

#include <string.h>
#include <unistd.h>

#include "api/crl_cache.h"
#include "api/front_answer.h"
#include "api/front_flights.h"
#include "api/front_house_ask.h"
#include "api/front_life.h"
#include "api/front_refusal.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/front_workers.h"
#include "api/tls.h"
#include "base/mem.h"
#include "base/secret.h"

/* Exit status of a room that could not be opened: start again. */
#define EXIT_AGAIN 75
/* A CSR of the house's. */
#define MAX_HOUSE_CSR CS_MAX_CSR_PEM

/* -- the room's life ---------------------------------------------------- */

static void on_drained(void *ctx)
{
	struct cs_front *f = ctx;

	f->drained = true;
	cs_front_check_stop(f);
}

/* Time is up: what is not finished by now is left to the next start. */
static void on_drain_time(void *ctx)
{
	struct cs_front *f = ctx;

	if (f->life != CS_FRONT_STOPPING)
		return;
	cs_log_write(f->config.log, CS_LOG_WARNING, "front.drain",
		     "%zu requests were not finished in time",
		     cs_inflight_count(f->inflight));
	cs_front_finish(f);
}

/* Stopping does not wait for a backup, nor for CRLs. */
static void tell_backups(struct cs_front *f)
{
	struct cs_problem p = {.code = CS_PROBLEM_NONE};

	(void)cs_problem_set(&p, CS_PROBLEM_STOPPING, "",
			     "The server is stopping.");
	for (size_t i = 0; i < cs_waits_capacity(f->waits); i++) {
		struct cs_wait *w = cs_waits_at(f->waits, i);

		if (w == NULL || (w->kind != CS_WAIT_BACKUP &&
				  w->kind != CS_WAIT_CRL_PUBLISH))
			continue;
		cs_front_reply_problem(f, w->http, &p);
		cs_waits_end(f->waits, w);
	}
}

/* STOP: take nothing new, finish the rest. */
static void stop(struct cs_front *f, const struct cs_msg_stop *m)
{
	if (!cs_front_begin_stop(f))
		return;
	f->house.wanted = false;
	tell_backups(f);
	cs_timer_stop(f->retry);
	cs_front_tails_end(f);
	cs_timer_start(f->drain, m->drain_ms);
	if (f->server != NULL)
		cs_http_server_drain(f->server);
	else
		f->drained = true;
	cs_front_check_stop(f);
}

/* -- links -------------------------------------------------------------- */

/* The ledger's state; the first one may make the room ready. */
static bool on_state(struct cs_front *f, struct cs_span body,
		     struct cs_error *err)
{
	struct cs_front_state *s = &f->state;
	struct cs_msg_state m;
	size_t n;

	if (!cs_msg_state_decode(body, &m, err))
		return false;
	n = m.reason.n < sizeof(s->reason) ? m.reason.n : sizeof(s->reason) - 1;
	s->known = true;
	s->state = (enum cs_ledger_state)m.state;
	if (n > 0)
		memcpy(s->reason, m.reason.p, n);
	s->reason[n] = '\0';
	s->tree_size = m.tree_size;
	s->epoch = m.epoch;
	memcpy(s->set_sha256, m.set_sha256, sizeof(s->set_sha256));
	cs_front_check_ready(f);
	cs_front_house_try(f);
	return true;
}

/* A new client table takes the old one's place at once. */
static bool on_clients(struct cs_front *f, struct cs_span body,
		       struct cs_error *err)
{
	struct cs_msg_client_table m;
	struct cs_clients *table;

	if (!cs_msg_client_table_decode(body, &m, err))
		return false;
	table = cs_clients_new(m.table, err);
	if (table == NULL)
		return false;
	cs_clients_free(f->clients);
	f->clients = table;
	cs_front_check_ready(f);
	return true;
}

/* More certificates that count no longer. */
static bool on_revoked(struct cs_front *f, struct cs_span body,
		       struct cs_error *err)
{
	bool before = cs_revoked_is_beyond(f->revoked);
	struct cs_msg_revoked m;

	if (!cs_msg_revoked_decode(body, &m, err) ||
	    !cs_revoked_take(f->revoked, &m, err))
		return false;
	if (!before && cs_revoked_is_beyond(f->revoked))
		cs_log_write(f->config.log, CS_LOG_ERROR, "revoked.too_many",
			     "more certificates are revoked than are known "
			     "here: none of a client is accepted");
	return true;
}

static bool on_ledger_message(void *ctx, struct cs_link *link, unsigned number,
			      uint64_t ticket, struct cs_span body, int fd,
			      struct cs_error *err)
{
	struct cs_front *f = ctx;
	union {
		struct cs_msg_answer answer;
		struct cs_msg_rejudge rejudge;
		struct cs_msg_drive drive;
		struct cs_msg_admin_done done;
		struct cs_msg_metrics metrics;
	} m;

	(void)link;
	if (fd >= 0)
		close(fd);
	switch (number) {
	case CS_MSG_ANSWER:
		if (!cs_msg_answer_decode(body, &m.answer, err))
			return false;
		cs_front_answer(f, ticket, &m.answer);
		return true;
	case CS_MSG_REJUDGE:
		if (!cs_msg_rejudge_decode(body, &m.rejudge, err))
			return false;
		cs_front_rejudge(f, ticket, m.rejudge.epoch);
		return true;
	case CS_MSG_DRIVE:
		if (!cs_msg_drive_decode(body, &m.drive, err))
			return false;
		cs_front_drive(f, m.drive.request);
		return true;
	case CS_MSG_ADMIN_DONE:
		if (!cs_msg_admin_done_decode(body, &m.done, err))
			return false;
		cs_front_admin_done(f, ticket, &m.done);
		return true;
	case CS_MSG_CLIENT_TABLE:
		return on_clients(f, body, err);
	case CS_MSG_REVOKED:
		return on_revoked(f, body, err);
	case CS_MSG_STATE:
		return on_state(f, body, err);
	case CS_MSG_METRICS:
		if (!cs_msg_metrics_decode(body, &m.metrics, err))
			return false;
		cs_front_metrics_take(f, m.metrics.text);
		return true;
	default:
		return cs_error_set(err, CS_E_PROTOCOL, "unexpected %s",
				    cs_msg_name(number));
	}
}

static bool on_reader_message(void *ctx, struct cs_link *link, unsigned number,
			      uint64_t ticket, struct cs_span body, int fd,
			      struct cs_error *err)
{
	struct cs_front *f = ctx;
	union {
		struct cs_msg_page page;
		struct cs_msg_ocsp_answer ocsp;
		struct cs_msg_ocsp_responder responder;
	} m;

	(void)link;
	if (fd >= 0)
		close(fd);
	switch (number) {
	case CS_MSG_PAGE:
		if (!cs_msg_page_decode(body, &m.page, err))
			return false;
		cs_front_page(f, ticket, &m.page);
		return true;
	case CS_MSG_OCSP_ANSWER:
		if (!cs_msg_ocsp_answer_decode(body, &m.ocsp, err))
			return false;
		cs_front_ocsp_answer(f, ticket, &m.ocsp);
		return true;
	case CS_MSG_OCSP_RESPONDER:
		if (!cs_msg_ocsp_responder_decode(body, &m.responder, err))
			return false;
		cs_front_ocsp_responder(f, &m.responder);
		return true;
	default:
		return cs_error_set(err, CS_E_PROTOCOL, "unexpected %s",
				    cs_msg_name(number));
	}
}

/* WORKER_LINK and WORKER_GONE: parent's news of workers. */
static bool on_worker_news(struct cs_front *f, unsigned number,
			   struct cs_span body, int fd, struct cs_error *err)
{
	struct cs_msg_worker_link up;
	struct cs_msg_worker_gone gone;

	if (number == CS_MSG_WORKER_LINK) {
		if (cs_msg_worker_link_decode(body, &up, err))
			return cs_front_worker_link(f, up.worker, fd, err);
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (!cs_msg_worker_gone_decode(body, &gone, err))
		return false;
	cs_front_worker_gone(f, gone.worker);
	return true;
}

/* LISTENER_KEY: another credential for connections from now on. */
static bool on_listener_key(struct cs_front *f, struct cs_span body, int fd,
			    struct cs_error *err)
{
	struct cs_msg_listener_key m;
	struct cs_secret key = {0};
	struct cs_tls *tls = NULL;
	struct cs_error why;
	bool ok = cs_msg_listener_key_decode(body, &m, err);

	if (ok && fd >= 0 && f->server != NULL) {
		if (cs_secret_read(fd, CS_MAX_PEM_FILE, &key, &why))
			tls = cs_tls_new(m.chain, cs_span_make(key.p, key.n),
					 &why);
		/* The old one stays: better than none. */
		if (tls == NULL) {
			cs_log_error(f->config.log, "front.listener_key", &why);
		} else {
			f->metrics.listener_not_after_s = cs_tls_not_after(tls);
			cs_http_server_set_tls(f->server, tls);
		}
	}
	cs_secret_done(&key);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool on_parent_message(void *ctx, struct cs_link *link, unsigned number,
			      uint64_t ticket, struct cs_span body, int fd,
			      struct cs_error *err)
{
	struct cs_front *f = ctx;
	union {
		struct cs_msg_stop stop;
		struct cs_msg_policy_files files;
		struct cs_msg_house_csr csr;
	} m;

	(void)link;
	if (fd >= 0 && !cs_msg_carries_descriptor(number))
		close(fd);
	switch (number) {
	case CS_MSG_STOP:
		if (!cs_msg_stop_decode(body, &m.stop, err))
			return false;
		stop(f, &m.stop);
		return true;
	case CS_MSG_WORKER_LINK:
	case CS_MSG_WORKER_GONE:
		return on_worker_news(f, number, body, fd, err);
	case CS_MSG_LISTENER_KEY:
		return on_listener_key(f, body, fd, err);
	case CS_MSG_POLICY_FILES:
		return cs_msg_policy_files_decode(body, &m.files, err) &&
		       cs_front_policy_files(f, ticket, &m.files, err);
	case CS_MSG_HOUSE_CSR:
		return cs_msg_house_csr_decode(body, &m.csr, err) &&
		       cs_front_house_csr(f, ticket, &m.csr, err);
	default:
		return cs_error_set(err, CS_E_PROTOCOL, "unexpected %s",
				    cs_msg_name(number));
	}
}

/* Parent, ledger or reader: without any of them the house ends. */
static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct cs_front *f = ctx;
	struct cs_link **links[] = {&f->parent, &f->ledger, &f->reader};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (*links[i] == link)
			*links[i] = NULL;
	}
	cs_link_free(link);
	cs_front_fail(f, "front.link", why);
}

/* -- start and end ------------------------------------------------------ */

/* One link; its descriptor is the link's from here on, or closed. */
static bool open_link(struct cs_front *f, int *fd, enum cs_room peer,
		      cs_link_message_fn *on_message, struct cs_link **ret_link,
		      struct cs_error *err)
{
	int taken = *fd;

	*fd = -1;
	*ret_link = cs_link_new(f->loop, taken, CS_ROOM_F, peer, on_message,
				on_gone, f, err);
	return *ret_link != NULL;
}

/* The listener's credential; NULL with no error set where there is none. */
static bool open_tls(struct cs_front *f, struct cs_tls **ret_tls,
		     struct cs_error *err)
{
	struct cs_tls *tls = NULL;

	if (f->config.tls_key_fd >= 0 && f->config.tls_chain_fd >= 0) {
		tls = cs_tls_new_from_fds(f->config.tls_chain_fd,
					  f->config.tls_key_fd, err);
		if (tls == NULL)
			return false;
	}
	*ret_tls = tls;
	return true;
}

/* The server, where there is anything to listen at. */
static bool open_server(struct cs_front *f, struct cs_error *err)
{
	struct cs_http_server_config c = {
		.loop = f->loop,
		.clock = f->config.clock,
		.listens = f->config.listens,
		.listens_n = f->config.listens_n,
		.limits = cs_http_limits_default(),
		.on_request = cs_front_on_request,
		.on_gone = cs_front_on_gone,
		.on_drained = on_drained,
		.on_bad_certificate = cs_front_on_bad_certificate,
		.ctx = f,
	};

	if (f->config.listens_n == 0)
		return true;
	if (f->config.max_connections > 0)
		c.limits.max_connections = f->config.max_connections;
	if (f->config.max_per_address > 0)
		c.limits.max_per_address = f->config.max_per_address;
	if (!open_tls(f, &c.tls, err))
		return false;
	if (c.tls != NULL)
		f->metrics.listener_not_after_s = cs_tls_not_after(c.tls);
	f->config.listens_n = 0; /* the server's from here on */
	f->server = cs_http_server_new(&c, err);
	return f->server != NULL;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Everything that can fail, in the order of the room's needs. */
static bool open_room(struct cs_front *f, struct cs_error *err)
{
	struct cs_front_config *c = &f->config;

	f->hash = cs_hash_new(err);
	if (f->hash == NULL)
		return false;
	f->revoked = cs_revoked_new(CS_MAX_REVOKED_KEYS, err);
	if (f->revoked == NULL)
		return false;
	f->auth = cs_auth_new(f->hash, c->admin_uids, c->admin_uids_n, err);
	f->inflight = f->auth == NULL
			      ? NULL
			      : cs_inflight_new(
					CS_MAX_IN_FLIGHT + CS_MAX_DRIVES, err);
	f->waits = f->inflight == NULL
			   ? NULL
			   : cs_waits_new(CS_MAX_QUESTIONS + CS_MAX_POLLS +
						  CS_MAX_OCSP_WAITS,
					  err);
	f->crls = cs_mem_new(sizeof(*f->crls));
	if (f->crls == NULL)
		cs_error_set(err, CS_E_NO_MEMORY, "front");
	if (f->waits == NULL || f->crls == NULL)
		return false;
	cs_auth_revoked(f->auth, f->revoked);
	f->drain = cs_timer_new(f->loop, on_drain_time, f, err);
	f->retry = f->drain == NULL
			   ? NULL
			   : cs_timer_new(f->loop, cs_front_house_try, f, err);
	f->tails = f->retry == NULL
			   ? NULL
			   : cs_timer_new(f->loop, cs_front_tails_look, f, err);
	return f->tails != NULL &&
	       open_link(f, &c->parent_fd, CS_ROOM_P, on_parent_message,
			 &f->parent, err) &&
	       open_link(f, &c->ledger_fd, CS_ROOM_L, on_ledger_message,
			 &f->ledger, err) &&
	       open_link(f, &c->reader_fd, CS_ROOM_R, on_reader_message,
			 &f->reader, err) &&
	       open_server(f, err);
}

void cs_front_free(struct cs_front *f)
{
	if (f == NULL)
		return;
	cs_http_server_free(f->server);
	for (size_t i = 0; i < CS_MAX_WORKERS; i++)
		cs_link_free(f->workers[i].link);
	cs_link_free(f->parent);
	cs_link_free(f->ledger);
	cs_link_free(f->reader);
	close_fd(&f->config.parent_fd);
	close_fd(&f->config.ledger_fd);
	close_fd(&f->config.reader_fd);
	for (size_t i = 0; i < f->config.listens_n; i++)
		close(f->config.listens[i].fd);
	cs_timer_free(f->drain);
	cs_timer_free(f->retry);
	cs_timer_free(f->tails);
	cs_front_drop_driven(f);
	cs_waits_free(f->waits);
	if (f->crls != NULL)
		cs_crl_cache_done(f->crls);
	cs_mem_free(f->crls);
	cs_inflight_free(f->inflight);
	cs_clients_free(f->clients);
	cs_auth_free(f->auth);
	cs_revoked_free(f->revoked);
	cs_hash_free(f->hash);
	cs_buf_done(&f->house.source);
	cs_buf_done(&f->house.issuer);
	cs_buf_done(&f->house.csr);
	cs_buf_done(&f->out);
	cs_buf_done(&f->view);
	cs_buf_done(&f->metrics.ledger);
	cs_arena_done(&f->arena);
	cs_mem_free(f);
}

struct cs_front *cs_front_new(struct cs_loop *loop,
			      const struct cs_front_config *config,
			      struct cs_error *err)
{
	struct cs_front *f = cs_mem_new(sizeof(*f));
	bool ok;

	if (f == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "out of memory");
		return NULL;
	}
	f->config = *config;
	f->loop = loop;
	cs_arena_init(&f->arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&f->out, CS_MAX_MESSAGE);
	cs_buf_init(&f->view, CS_MAX_MESSAGE);
	cs_buf_init(&f->metrics.ledger, CS_MAX_METRICS);
	f->metrics.start_ms = cs_clock_wall_ms(&config->clock);
	cs_buf_init(&f->house.source, CS_MAX_NAME);
	cs_buf_init(&f->house.issuer, CS_MAX_NAME);
	cs_buf_init(&f->house.csr, MAX_HOUSE_CSR);
	ok = open_room(f, err);
	close_fd(&f->config.tls_key_fd);
	close_fd(&f->config.tls_chain_fd);
	if (ok)
		return f;
	cs_front_free(f);
	return NULL;
}

int cs_front_run(const struct cs_front_config *config)
{
	struct cs_error err;
	struct cs_loop *loop = cs_loop_new(&err);
	struct cs_front *f =
		loop == NULL ? NULL : cs_front_new(loop, config, &err);
	int status = EXIT_AGAIN;

	if (f == NULL)
		cs_log_error(config->log, "front.start", &err);
	else
		status = cs_loop_run(loop);
	cs_front_free(f);
	cs_loop_free(loop);
	return status;
}
