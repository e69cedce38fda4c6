/*
 * What leaves the ledger for other rooms, and its end when something cannot
 * go on.
 */
#include <string.h>

#include "store/ledger_room.h"

void cs_ledger_link_failed(struct cs_ledger *l, const struct cs_error *err)
{
	/* A dead peer is noticed by its link and ended by parent. */
	if (err->code == CS_E_NONE || err->code == CS_E_PEER_GONE ||
	    err->code == CS_E_IO || l->over)
		return;
	cs_log_error(l->config.log, "link.failed", err);
	l->over = true;
	cs_loop_stop(l->loop, CS_LEDGER_AGAIN);
}

void cs_ledger_send_answer(struct cs_ledger *l, uint64_t ticket,
			   const struct cs_msg_answer *m)
{
	struct cs_error err = {0};

	if (l->front == NULL || !cs_link_send_answer(l->front, ticket, m, &err))
		cs_ledger_link_failed(l, &err);
}

void cs_ledger_send_busy(struct cs_ledger *l, uint64_t ticket,
			 const uint8_t id[16], const char *code,
			 const char *detail)
{
	struct cs_msg_answer m = {
		.outcome = CS_ANSWER_BUSY,
		.code = cs_span_str(code),
		.detail = cs_span_str(detail),
		.retry_s = 1,
	};

	memcpy(m.id, id, sizeof(m.id));
	cs_ledger_send_answer(l, ticket, &m);
}

void cs_ledger_send_clients(struct cs_ledger *l)
{
	struct cs_msg_client_table m;
	struct cs_buf table;
	struct cs_error err = {0};

	cs_buf_init(&table, CS_ROSTER_MAX);
	if (cs_roster_write(l->roster, &table, &err)) {
		m.table = cs_buf_span(&table);
		if (l->front == NULL ||
		    !cs_link_send_client_table(l->front, 0, &m, &err))
			cs_ledger_link_failed(l, &err);
	} else {
		cs_ledger_link_failed(l, &err);
	}
	cs_buf_done(&table);
}

void cs_ledger_send_done(struct cs_ledger *l, uint64_t ticket, uint8_t ok,
			 const char *code, const char *detail,
			 struct cs_span body)
{
	const struct cs_msg_admin_done m = {
		.ok = ok,
		.code = cs_span_str(code),
		.detail = cs_span_str(detail),
		.body = body,
	};
	struct cs_error err = {0};

	if (l->front == NULL ||
	    !cs_link_send_admin_done(l->front, ticket, &m, &err))
		cs_ledger_link_failed(l, &err);
}

void cs_ledger_send_admin(struct cs_ledger *l, const struct cs_work *w)
{
	cs_ledger_send_done(l, w->ticket, w->ok, w->code, w->detail, w->reply);
}

void cs_ledger_send_all_busy(struct cs_ledger *l, const char *code,
			     const char *detail)
{
	static const uint8_t none[16];

	for (struct cs_work *w = l->first; w != NULL; w = w->next)
		if (w->number == CS_MSG_INTENT || w->number == CS_MSG_REFUSAL ||
		    w->number == CS_MSG_WORKER_KILLER)
			cs_ledger_send_busy(l, w->ticket, w->request.id, code,
					    detail);
	for (struct cs_attempt *a = l->attempts; a != NULL; a = a->next)
		cs_ledger_send_busy(l, a->work->ticket, a->work->row.id, code,
				    detail);
	for (struct cs_waiter *w = l->waiters; w != NULL; w = w->next)
		cs_ledger_send_busy(l, w->ticket, none, code, detail);
}

void cs_ledger_fail(struct cs_ledger *l, const struct cs_error *why)
{
	if (l->over)
		return;
	cs_log_error(l->config.log, "ledger.failed", why);
	cs_ledger_send_all_busy(l, "LEDGER_ERROR",
				"the ledger is being restarted");
	l->over = true;
	cs_loop_stop(l->loop, CS_LEDGER_AGAIN);
}
