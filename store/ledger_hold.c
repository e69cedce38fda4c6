/*
 * What the ledger itself has to say of a judgement: limits that are reached,
 * keys that are in use, requests that wait for a policy; and dry runs, which
 * are told the same without a trace.
 */
#include <string.h>

#include "base/json.h"
#include "base/limit.h"
#include "base/time.h"
#include "store/fixed_body.h"
#include "store/ledger_room.h"

/* How long a request waits for a policy before it is judged again. */
#define POLICY_RETRY_MS ((int64_t)60 * 1000)

/* A hold in words: its code, its sentence, and when it is over. */
struct hold {
	const char *code;
	struct cs_span rule;
	struct cs_span detail; /* in the batch's arena */
	int64_t free_ms;
};

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "what a limit says");
}

/* printf into the batch's arena. */
#define SENTENCE(l, ...)                                                       \
	cs_span_str(cs_arena_printf(&(l)->batch.arena, __VA_ARGS__))

/* -- holding --------------------------------------------------------------- */

/* It stays approved, is open, and expires. */
static bool hold(struct cs_ledger *l, struct cs_work *w, const struct hold *h,
		 struct cs_error *err)
{
	int64_t expires = l->batch.now_ms + l->config.pending_ttl_ms;
	int64_t wait = h->free_ms - l->batch.now_ms;
	bool room = true;
	struct cs_stmt s;

	if (w->row.n == 0 && !cs_ledger_quota(l, w, &room, err))
		return false;
	if (!room)
		return true;
	cs_work_answer(w, CS_ANSWER_HELD, h->code, "%.*s",
		       CS_SPAN_FMT(h->detail));
	w->retry_s = wait <= 0 ? 1 : (uint32_t)((wait + 999) / 1000);
	if (w->row.n == 0) {
		w->row.hold = cs_span_str(h->code);
		w->row.not_before_ms = h->free_ms;
		w->row.expires_ms = expires;
		return cs_ledger_request_insert(l, &w->row, CS_STATE_APPROVED,
						-1, err) &&
		       cs_ledger_approval_insert(l, &w->row, err);
	}
	if (w->row.expires_ms == 0)
		w->row.expires_ms = expires;
	s = cs_stmt(l->db, CS_SQL_REQUEST_HOLD);
	cs_stmt_str(&s, cs_span_str(h->code));
	cs_stmt_int(&s, h->free_ms);
	cs_stmt_int(&s, w->row.expires_ms);
	cs_stmt_int(&s, w->row.n);
	l->batch.wrote = true;
	return cs_stmt_run(&s, err);
}

/* What a limit or window that holds says. False: no memory. */
static bool describe_hold(struct cs_ledger *l, const struct cs_limit *limit,
			  int64_t free_ms, struct hold *ret,
			  struct cs_error *err)
{
	char until[CS_TIME_TEXT], window[CS_TIME_TEXT];
	bool is_window = limit->disposition == CS_LIMIT_WINDOW;

	cs_time_rfc3339_ms(free_ms, until);
	cs_time_duration(limit->window_s, window);
	*ret = (struct hold){.code = is_window ? "WINDOW" : "LIMIT",
			     .rule = limit->rule,
			     .free_ms = free_ms};
	if (is_window)
		ret->detail = SENTENCE(l, "%.*s: nothing is issued before %s",
				       CS_SPAN_FMT(limit->rule), until);
	else
		ret->detail = SENTENCE(l,
				       "%.*s: %u in %s are reached; free "
				       "again at %s",
				       CS_SPAN_FMT(limit->rule), limit->count,
				       window, until);
	return ret->detail.p != NULL || no_memory(err);
}

/* -- refusing -------------------------------------------------------------- */

/* A limit that counts, reached. */
static bool describe_count(struct cs_ledger *l, const struct cs_limit *limit,
			   int64_t free_ms, struct cs_fixed_finding *ret,
			   struct cs_error *err)
{
	char until[CS_TIME_TEXT], window[CS_TIME_TEXT];

	cs_time_rfc3339_ms(free_ms, until);
	cs_time_duration(limit->window_s, window);
	*ret = (struct cs_fixed_finding){
		.code = "LIMIT",
		.rule = limit->rule,
		.field = CS_SPAN_LIT("request"),
		.value = limit->key,
		.expect = SENTENCE(l, "at most %u in %s", limit->count, window),
		.message = SENTENCE(l, "%u in %s are reached; free again at %s",
				    limit->count, window, until),
	};
	return (ret->expect.p != NULL && ret->message.p != NULL) ||
	       no_memory(err);
}

/* A key that is in use, or known to others. */
static void describe_key(const struct cs_limit *limit,
			 struct cs_fixed_finding *ret)
{
	if (limit->disposition == CS_LIMIT_KEY_COMPROMISED) {
		*ret = (struct cs_fixed_finding){
			.code = "KEY_COMPROMISED",
			.rule = limit->rule,
			.field = CS_SPAN_LIT("key"),
			.expect = CS_SPAN_LIT("a new key"),
			.message = CS_SPAN_LIT("a certificate of the key was "
					       "revoked for keyCompromise"),
		};
		return;
	}
	*ret = (struct cs_fixed_finding){
		.code = "KEY_REUSED",
		.rule = limit->rule,
		.field = CS_SPAN_LIT("key"),
		.expect = CS_SPAN_LIT("a new key"),
		.message =
			limit->disposition == CS_LIMIT_KEY_SAME_SUBJECT
				? CS_SPAN_LIT("the key was certified before, "
					      "for the same subject and names")
				: CS_SPAN_LIT("the key was certified before, "
					      "for another subject and names"),
	};
}

/* What a limit that refuses says, and its sentence. */
static bool describe_refusal(struct cs_ledger *l, const struct cs_limit *limit,
			     int64_t free_ms, struct cs_fixed_finding *ret,
			     struct cs_span *ret_detail, struct cs_error *err)
{
	bool counts = cs_limit_counts(limit);

	if (!counts)
		describe_key(limit, ret);
	else if (!describe_count(l, limit, free_ms, ret, err))
		return false;
	*ret_detail =
		SENTENCE(l, "%.*s: %.*s. %s; then: submit it again",
			 CS_SPAN_FMT(limit->rule), CS_SPAN_FMT(ret->message),
			 counts ? "Wait, or ask the policy's owner"
				: "Make a new key and CSR");
	return ret_detail->p != NULL || no_memory(err);
}

/* The body of a judgement that is overruled, in the batch's arena. */
static bool overrule(struct cs_ledger *l, struct cs_span judged,
		     const char *verdict, const struct cs_fixed_finding *f,
		     struct cs_span detail, struct cs_span *ret,
		     struct cs_error *err)
{
	cs_buf_reset(&l->json);
	if (!cs_fixed_body_overruled(judged, verdict, f, detail, &l->json, err))
		return false;
	return cs_arena_dup(&l->batch.arena, cs_buf_span(&l->json), ret) ||
	       no_memory(err);
}

/* Search terms: names and people as the worker found them. */
static bool terms(struct cs_ledger *l, const struct cs_work *w,
		  const struct cs_fixed_finding *f, struct cs_span *ret,
		  struct cs_error *err)
{
	struct cs_stored row = w->row;

	row.pending_terms = w->m.intent.terms;
	cs_buf_reset(&l->json);
	if (!cs_fixed_body_terms(&row,
				 cs_roster_name(l->roster, row.approval.client),
				 "refused", f->code, f->rule, &l->batch.arena,
				 &l->json, err))
		return false;
	return cs_arena_dup(&l->batch.arena, cs_buf_span(&l->json), ret) ||
	       no_memory(err);
}

static bool refuse(struct cs_ledger *l, struct cs_work *w,
		   const struct cs_limit *limit, int64_t free_ms,
		   struct cs_error *err)
{
	const struct cs_msg_intent *m = &w->m.intent;
	struct cs_verdict v = {.kind = CS_LEAF_REFUSED,
			       .inputs = m->inputs,
			       .now_ms = m->now_ms,
			       .epoch = m->epoch};
	struct cs_fixed_finding f;
	struct cs_span detail;
	struct cs_draft *d;

	if (!describe_refusal(l, limit, free_ms, &f, &detail, err) ||
	    !overrule(l, m->body, "refused", &f, detail, &v.body, err) ||
	    !terms(l, w, &f, &v.terms, err) ||
	    !cs_ledger_refuse(l, &w->row, &v, &d, err))
		return false;
	cs_work_decided(w, d);
	return true;
}

/* Does it hold rather than refuse? */
static bool holds(const struct cs_limit *limit)
{
	return limit->disposition == CS_LIMIT_HOLD ||
	       limit->disposition == CS_LIMIT_WINDOW;
}

bool cs_ledger_limited(struct cs_ledger *l, struct cs_work *w,
		       const struct cs_limit *limit, int64_t free_ms,
		       struct cs_error *err)
{
	struct hold h;

	if (!holds(limit))
		return refuse(l, w, limit, free_ms, err);
	return describe_hold(l, limit, free_ms, &h, err) && hold(l, w, &h, err);
}

/* -- waiting for a policy -------------------------------------------------- */

bool cs_ledger_waits_for_policy(struct cs_ledger *l, const struct cs_work *w,
				bool *ret_waits, struct cs_error *err)
{
	const struct cs_ledger_issuer_row *issuer =
		cs_ledger_issuer(l, w->row.issuer);
	const char *code;
	json_t *body;

	*ret_waits = false;
	if (w->number != CS_MSG_REFUSAL || issuer == NULL ||
	    !issuer->config->hold_no_policy)
		return true;
	body = cs_json_parse(w->m.refusal.body, "the judgement", err);
	if (body == NULL)
		return false;
	code = json_string_value(json_object_get(body, "code"));
	*ret_waits = code != NULL && strcmp(code, "NO_POLICY") == 0;
	json_decref(body);
	return true;
}

/* What such a hold says. */
static bool describe_wait(struct cs_ledger *l, const struct cs_work *w,
			  struct hold *ret, struct cs_error *err)
{
	*ret = (struct hold){
		.code = "NO_POLICY",
		.free_ms = l->batch.now_ms + POLICY_RETRY_MS,
		.detail = SENTENCE(l,
				   "no policy matches the request; issuer "
				   "%.*s holds it until one does",
				   CS_SPAN_FMT(w->row.issuer)),
	};
	return ret->detail.p != NULL || no_memory(err);
}

bool cs_ledger_hold_for_policy(struct cs_ledger *l, struct cs_work *w,
			       struct cs_error *err)
{
	struct hold h;

	return describe_wait(l, w, &h, err) && hold(l, w, &h, err);
}

bool cs_ledger_holds_end(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_REQUEST_HOLDS_END);

	cs_stmt_int(&s, l->batch.now_ms);
	return cs_stmt_run(&s, err);
}

/* -- dry runs -------------------------------------------------------------- */

/* "held", with everything that the judgement says. */
static bool tell_hold(struct cs_ledger *l, struct cs_work *w,
		      struct cs_span judged, const struct hold *h,
		      struct cs_error *err)
{
	const struct cs_fixed_finding f = {.code = h->code, .rule = h->rule};

	return overrule(l, judged, "held", &f, h->detail, &w->reply, err);
}

/* What the limits would make of an INTENT. */
static bool tell_limits(struct cs_ledger *l, struct cs_work *w,
			struct cs_error *err)
{
	struct cs_fixed_finding f;
	struct cs_limit broken;
	struct cs_span detail;
	int64_t free_ms = 0;
	struct hold h;

	w->reply = w->m.intent.body;
	if (!cs_ledger_limits(l, &w->m.intent, &broken, &free_ms, err))
		return false;
	if (broken.rule.n == 0)
		return true;
	if (holds(&broken))
		return describe_hold(l, &broken, free_ms, &h, err) &&
		       tell_hold(l, w, w->m.intent.body, &h, err);
	return describe_refusal(l, &broken, free_ms, &f, &detail, err) &&
	       overrule(l, w->m.intent.body, "refused", &f, detail, &w->reply,
			err);
}

bool cs_ledger_dry_run(struct cs_ledger *l, struct cs_work *w,
		       struct cs_error *err)
{
	bool wait = false;
	struct hold h;

	if (w->number == CS_MSG_WORKER_KILLER) {
		cs_work_answer(w, CS_ANSWER_BUSY, "CSR_WORKER_FAILED",
			       "the CSR made two workers fail");
		return true;
	}
	cs_work_answer(w, CS_ANSWER_DRY_RUN, "", "%s", "");
	if (w->number == CS_MSG_INTENT)
		return tell_limits(l, w, err);
	w->reply = w->m.refusal.body;
	if (!cs_ledger_waits_for_policy(l, w, &wait, err))
		return false;
	return !wait || (describe_wait(l, w, &h, err) &&
			 tell_hold(l, w, w->m.refusal.body, &h, err));
}
