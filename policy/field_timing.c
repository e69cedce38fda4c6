#include "base/time.h"
#include "policy/decide.h"

/* One more for the ledger; there is room for all. */
static void tell(struct cs_decide *j, enum cs_limit_disposition disposition,
		 uint32_t count, uint32_t window_s, const struct cs_rule *rule,
		 struct cs_span key)
{
	struct cs_verdict *v = j->v;

	v->limits[v->limits_n++] = (struct cs_limit){
		.disposition = disposition,
		.count = count,
		.window_s = window_s,
		.rule = rule->id,
		.key = key,
	};
}

/* Now is within: refused, or held until it is over. */
static void judge_window(struct cs_decide *j, const struct cs_window_rule *w)
{
	int64_t now = j->facts->request.now_s, left = w->to_s - now;
	const struct cs_span none = {0};
	char until[CS_TIME_TEXT];

	if (now < w->from_s || left <= 0)
		return;
	if (w->on_violation == CS_ON_VIOLATION_HOLD) {
		tell(j, CS_LIMIT_WINDOW, 0,
		     left > UINT32_MAX ? UINT32_MAX : (uint32_t)left, &w->rule,
		     none);
		return;
	}
	cs_time_rfc3339(w->to_s, until);
	cs_decide_refuse(j, CS_CODE_WINDOW, none, none, &w->rule, none,
			 "nothing is issued before %s", until);
}

/*
 * cert-manager can be made to renew without end. Where a policy says nothing
 * of limits, one owner in Kubernetes gets so many certificates, and waits for
 * more; for good it is refused nothing.
 */
#define STORM_COUNT    10
#define STORM_WINDOW_S 3600

static bool may_storm(const struct cs_decide *j)
{
	return !j->policy->timing.has_limits &&
	       cs_span_equal_str(j->facts->request.source, "kubernetes") &&
	       j->facts->request.owner.n > 0;
}

static void tell_storm(struct cs_decide *j)
{
	static const struct cs_rule rule = {
		.id = {(const uint8_t *)"built-in/limits.storm", 21}};
	const struct cs_request_facts *r = &j->facts->request;
	char *key = cs_arena_printf(
		j->arena, "%.*s/%.*s/%.*s", CS_SPAN_FMT(r->realm),
		CS_SPAN_FMT(r->namespace), CS_SPAN_FMT(r->owner));

	if (key == NULL)
		j->no_memory = true;
	else
		tell(j, CS_LIMIT_HOLD, STORM_COUNT, STORM_WINDOW_S, &rule,
		     cs_span_sub(cs_span_str(key), 0, CS_MAX_PRINCIPAL));
}

void cs_decide_timing(struct cs_decide *j)
{
	const struct cs_timing_rules *t = &j->policy->timing;
	const struct cs_key_rules *key = &j->policy->key;
	const struct cs_span none = {0};
	size_t n = t->limits_n + t->windows_n + key->other_subject.reject +
		   key->same_subject.reject + may_storm(j);

	j->v->lint_warnings_refuse = t->lint_warnings_refuse;
	if (n == 0)
		return;
	j->v->limits = cs_decide_new(j, n, sizeof(*j->v->limits));
	if (j->v->limits == NULL)
		return;
	/* What refuses for good stands before what only holds. */
	if (key->other_subject.reject)
		tell(j, CS_LIMIT_KEY_OTHER_SUBJECT, 0, 0,
		     &key->other_subject.rule, none);
	if (key->same_subject.reject)
		tell(j, CS_LIMIT_KEY_SAME_SUBJECT, 0, 0,
		     &key->same_subject.rule, none);
	for (size_t i = 0; i < t->windows_n; i++)
		judge_window(j, &t->windows[i]);
	for (size_t i = 0; i < t->limits_n; i++) {
		const struct cs_limit_rule *r = &t->limits[i];

		tell(j,
		     r->on_violation == CS_ON_VIOLATION_HOLD ? CS_LIMIT_HOLD
							     : CS_LIMIT_REFUSE,
		     r->count, r->window_s, &r->rule, r->key);
	}
	if (may_storm(j))
		tell_storm(j);
}
