#include "api/front_parent.h"

#include <unistd.h>

#include "api/front_flights.h"
#include "api/front_house_ask.h"
#include "api/front_life.h"
#include "api/front_list.h"
#include "api/front_policy.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/front_workers.h"
#include "api/tls.h"
#include "base/ipc.h"
#include "base/secret.h"

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

bool cs_front_on_parent(void *ctx, struct cs_link *link, unsigned number,
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
