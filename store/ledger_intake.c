#include <string.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/revoke.h"
#include "store/ledger_room.h"

/*
 * What a peer sends must fit the tables and the log's form before it comes
 * near a transaction: a row that SQLite or the leaf's writer refuses would
 * end the house, a message that is refused here ends one link.
 */

/* RFC 8785 3.2.2.3: integers of a leaf stay below 2^53. */
#define INT_MAX_JSON (((int64_t)1 << 53) - 1)

void cs_ledger_work_free(struct cs_work *w)
{
	if (w == NULL)
		return;
	cs_arena_done(&w->arena);
	cs_mem_free(w->body);
	cs_mem_free(w);
}

/* An octet string of at most max octets. */
static bool bytes_fit(struct cs_span s, size_t max, const char *what,
		      struct cs_error *err)
{
	if (s.n > max)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "%s: %zu octets, at most %zu", what, s.n,
				    max);
	return true;
}

/* Text of at most max octets. */
static bool text_fits(struct cs_span s, size_t max, const char *what,
		      struct cs_error *err)
{
	if (!cs_codec_is_utf8(s))
		return cs_error_set(err, CS_E_PROTOCOL, "%s: not UTF-8", what);
	return bytes_fit(s, max, what, err);
}

/* An integer that a leaf can hold. */
static bool int_fits(int64_t v, const char *what, struct cs_error *err)
{
	if (v > INT_MAX_JSON || v < -INT_MAX_JSON)
		return cs_error_set(err, CS_E_PROTOCOL, "%s: out of range",
				    what);
	return true;
}

/* Bytes that look like a JSON object; its writer answers for the rest. */
static bool object_fits(struct cs_span s, size_t max, const char *what,
			struct cs_error *err)
{
	if (s.n < 2 || s.p[0] != '{' || s.p[s.n - 1] != '}')
		return cs_error_set(err, CS_E_PROTOCOL, "%s: not an object",
				    what);
	return text_fits(s, max, what, err);
}

/* The serial of a client's certificate, where one was shown. */
static bool shown_fits(struct cs_span serial, struct cs_error *err)
{
	return bytes_fit(serial, CS_MAX_SERIAL, "shown", err);
}

/* REQUEST, as front wrote it. */
static bool request_fits(const struct cs_msg_request *m, struct cs_error *err)
{
	return text_fits(m->client_name, CS_MAX_NAME, "client", err) &&
	       text_fits(m->realm, CS_MAX_NAME, "realm", err) &&
	       text_fits(m->source, CS_MAX_NAME, "source", err) &&
	       text_fits(m->issuer, CS_MAX_NAME, "issuer", err) &&
	       text_fits(m->idem_key, CS_MAX_IDEMPOTENCY_KEY, "idempotency key",
			 err) &&
	       text_fits(m->scalars, CS_MAX_SCALARS, "scalars", err) &&
	       bytes_fit(m->csr, CS_MAX_HTTP_BODY, "csr", err) &&
	       int_fits(m->received_ms, "received", err) &&
	       shown_fits(m->shown, err) && int_fits(m->uid, "uid", err);
}

/* INTENT beside its request. */
static bool intent_fits(const struct cs_msg_intent *m, struct cs_error *err)
{
	if (m->serial.n == 0)
		return cs_error_set(err, CS_E_PROTOCOL, "serial: empty");
	if (m->tbs.n == 0)
		return cs_error_set(err, CS_E_PROTOCOL, "tbs: empty");
	return bytes_fit(m->csr, CS_MAX_HTTP_BODY, "csr", err) &&
	       bytes_fit(m->serial, CS_MAX_SERIAL, "serial", err) &&
	       bytes_fit(m->tbs, CS_MAX_TBS, "tbs", err) &&
	       object_fits(m->body, CS_MAX_DECISION, "body", err) &&
	       bytes_fit(m->terms, CS_MAX_TERMS, "terms", err) &&
	       bytes_fit(m->inputs, CS_MAX_INPUTS, "inputs", err) &&
	       bytes_fit(m->limits, CS_MAX_TERMS, "limits", err) &&
	       int_fits(m->now_ms, "now", err) &&
	       int_fits(m->not_after_s, "notAfter", err);
}

/* REFUSAL beside its request. */
static bool refusal_fits(const struct cs_msg_refusal *m, struct cs_error *err)
{
	return bytes_fit(m->csr, CS_MAX_HTTP_BODY, "csr", err) &&
	       object_fits(m->body, CS_MAX_DECISION, "body", err) &&
	       bytes_fit(m->terms, CS_MAX_TERMS, "terms", err) &&
	       bytes_fit(m->inputs, CS_MAX_INPUTS, "inputs", err) &&
	       int_fits(m->now_ms, "now", err);
}

/* REVOKE: also the reason, which the table would not take. */
static bool revoke_fits(const struct cs_msg_revoke *m, struct cs_error *err)
{
	enum cs_reason reason;
	const char *name = cs_reason_name((enum cs_reason)m->reason);

	if (name == NULL || !cs_reason_parse(cs_span_str(name), &reason, NULL))
		return cs_error_set(err, CS_E_PROTOCOL,
				    "reason: cannot be given");
	return bytes_fit(m->serial, CS_MAX_SERIAL, "serial", err) &&
	       text_fits(m->message, CS_MAX_FREE_TEXT, "message", err) &&
	       shown_fits(m->shown, err) && int_fits(m->uid, "uid", err);
}

/* INTENT, REFUSAL, WORKER_KILLER: with the REQUEST that each holds. */
static bool request_decode(struct cs_work *w, struct cs_span body,
			   struct cs_error *err)
{
	struct cs_msg_worker_killer killer;
	struct cs_span request;

	switch (w->number) {
	case CS_MSG_INTENT:
		if (!cs_msg_intent_decode(body, &w->m.intent, err) ||
		    !intent_fits(&w->m.intent, err))
			return false;
		request = w->m.intent.request;
		break;
	case CS_MSG_REFUSAL:
		if (!cs_msg_refusal_decode(body, &w->m.refusal, err) ||
		    !refusal_fits(&w->m.refusal, err))
			return false;
		request = w->m.refusal.request;
		break;
	default:
		if (!cs_msg_worker_killer_decode(body, &killer, err))
			return false;
		request = killer.request;
		break;
	}
	return cs_msg_request_decode(request, &w->request, err) &&
	       request_fits(&w->request, err);
}

/* What stands in an approval or denial, if there is one. */
static bool said_read(struct cs_work *w, struct cs_span said,
		      struct cs_error *err)
{
	w->said.uid = -1;
	return said.n == 0 ||
	       (cs_stored_approval_read(said, &w->arena, &w->said, err) &&
		int_fits(w->said.at_ms, "approval", err) &&
		int_fits(w->said.uid, "approval", err));
}

/* Decode what the work holds; the spans point into its copy. */
static bool work_decode(struct cs_work *w, struct cs_span body,
			struct cs_error *err)
{
	switch (w->number) {
	case CS_MSG_INTENT:
	case CS_MSG_REFUSAL:
	case CS_MSG_WORKER_KILLER:
		return request_decode(w, body, err) &&
		       said_read(w, w->request.approval, err);
	case CS_MSG_DENY:
		return cs_msg_deny_decode(body, &w->m.deny, err) &&
		       shown_fits(w->m.deny.shown, err) &&
		       int_fits(w->m.deny.uid, "uid", err) &&
		       said_read(w, w->m.deny.approval, err);
	case CS_MSG_APPLY:
		return cs_msg_apply_decode(body, &w->m.apply, err) &&
		       shown_fits(w->m.apply.shown, err) &&
		       int_fits(w->m.apply.uid, "uid", err) &&
		       text_fits(w->m.apply.engine, CS_MAX_NAME, "engine", err);
	case CS_MSG_CLIENT_CHANGE:
		return cs_msg_client_change_decode(body, &w->m.client_change,
						   err) &&
		       shown_fits(w->m.client_change.shown, err) &&
		       int_fits(w->m.client_change.uid, "uid", err);
	case CS_MSG_CLOCK_ACCEPT:
		return cs_msg_clock_accept_decode(body, &w->m.clock_accept,
						  err) &&
		       shown_fits(w->m.clock_accept.shown, err) &&
		       int_fits(w->m.clock_accept.uid, "uid", err);
	case CS_MSG_REVOKE:
		return cs_msg_revoke_decode(body, &w->m.revoke, err) &&
		       revoke_fits(&w->m.revoke, err);
	case CS_MSG_BACKUP:
		return cs_msg_backup_decode(body, &w->m.backup, err) &&
		       shown_fits(w->m.backup.shown, err) &&
		       int_fits(w->m.backup.uid, "uid", err);
	case CS_MSG_CRL_PUBLISH:
		return cs_msg_crl_publish_decode(body, &w->m.crl_publish,
						 err) &&
		       shown_fits(w->m.crl_publish.shown, err) &&
		       int_fits(w->m.crl_publish.uid, "uid", err);
	case CS_MSG_AUTH_REFUSED:
		return cs_msg_auth_refused_decode(body, &w->m.auth_refused,
						  err);
	default:
		return cs_error_set(err, CS_E_PROTOCOL, "%s: unexpected here",
				    cs_msg_name(w->number));
	}
}

struct cs_work *cs_ledger_work_new(unsigned number, uint64_t ticket,
				   struct cs_span body, struct cs_error *err)
{
	struct cs_work *w = cs_mem_new(sizeof(*w));

	if (w == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "%s", cs_msg_name(number));
		return NULL;
	}
	cs_arena_init(&w->arena, CS_MAX_MESSAGE);
	w->number = number;
	w->ticket = ticket;
	w->code = "";
	w->body = cs_mem_dup(body.p, body.n);
	if (w->body == NULL)
		cs_error_set(err, CS_E_NO_MEMORY, "%s", cs_msg_name(number));
	else if (work_decode(w, cs_span_make(w->body, body.n), err))
		return w;
	else
		cs_error_prefix(err, "%s", cs_msg_name(number));
	cs_ledger_work_free(w);
	return NULL;
}
