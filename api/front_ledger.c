#include "api/front_ledger.h"

#include <string.h>
#include <unistd.h>

#include "api/crl_cache.h"
#include "api/front_answer.h"
#include "api/front_clients.h"
#include "api/front_flights.h"
#include "api/front_house_ask.h"
#include "api/front_life.h"
#include "api/front_metrics.h"
#include "api/front_policy.h"
#include "api/front_refusal.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "base/ipc.h"

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

/* What was asked of it is done, or is not: the wait says what that means. */
static void on_done(struct cs_front *f, uint64_t ticket,
		    const struct cs_msg_admin_done *m)
{
	struct cs_wait *w = cs_waits_find(f->waits, ticket);

	if (w == NULL)
		return;
	if (m->ok == 0 &&
	    cs_problem_status(cs_problem_from_name(m->code)) == 403)
		cs_front_note_late(f, w->http, w->asker.client, m->code);
	if (w->kind == CS_WAIT_CRL_PUBLISH)
		cs_crl_cache_expire(f->crls);
	if (w->kind == CS_WAIT_CHECK)
		cs_front_policy_done(f, w, m);
	else if (m->ok == 0)
		cs_front_reply_foreign(f, w->http, m->code, m->detail);
	else if (w->kind == CS_WAIT_CLIENT_ADD)
		cs_front_reply_token(f, w, m->body);
	else
		cs_front_reply_json(
			f, w->http, w->status != 0 ? w->status : 200,
			m->body.n > 0 ? m->body : CS_SPAN_LIT("{}"));
	cs_waits_end(f->waits, w);
	cs_front_check_stop(f);
}

bool cs_front_on_ledger(void *ctx, struct cs_link *link, unsigned number,
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
		on_done(f, ticket, &m.done);
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
