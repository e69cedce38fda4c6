#include "api/front.h"

#include <unistd.h>

#include "api/crl_cache.h"
#include "api/front_flights.h"
#include "api/front_house_ask.h"
#include "api/front_http.h"
#include "api/front_ledger.h"
#include "api/front_life.h"
#include "api/front_list.h"
#include "api/front_parent.h"
#include "api/front_reader.h"
#include "api/front_refusal.h"
#include "api/front_room.h"
#include "api/tls.h"
#include "base/mem.h"

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

/* -- links -------------------------------------------------------------- */

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
						  CS_MAX_OCSP_WAITS +
						  CS_MAX_STRANGERS,
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
	       open_link(f, &c->parent_fd, CS_ROOM_P, cs_front_on_parent,
			 &f->parent, err) &&
	       open_link(f, &c->ledger_fd, CS_ROOM_L, cs_front_on_ledger,
			 &f->ledger, err) &&
	       open_link(f, &c->reader_fd, CS_ROOM_R, cs_front_on_reader,
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
