#include "base/time.h"
#include "policy/decide.h"

/* Seconds of 7900 years: beyond what any certificate can say. */
#define LONGEST ((int64_t)7900 * 366 * 86400)

/* "90d" in the arena. */
static struct cs_span shown(struct cs_decide *j, int64_t seconds)
{
	char text[CS_TIME_TEXT];
	struct cs_span copy = {0};

	cs_time_duration(seconds, text);
	if (!cs_arena_dup(j->arena, cs_span_str(text), &copy))
		j->no_memory = true;
	return copy;
}

/* A duration out of its bounds. */
static void refuse(struct cs_decide *j, enum cs_code code, int64_t asked,
		   const struct cs_rule *rule, int64_t bound, const char *words)
{
	struct cs_span value = shown(j, asked);
	struct cs_span expect = shown(j, bound);

	cs_decide_refuse(j, code, CS_SPAN_LIT("validity"), value, rule, expect,
			 "%.*s is %s than %.*s", CS_SPAN_FMT(value), words,
			 CS_SPAN_FMT(expect));
}

/* A line of the diff about the duration. */
static void change(struct cs_decide *j, enum cs_disposition disposition,
		   bool has_asked, int64_t asked, int64_t given,
		   const struct cs_rule *rule)
{
	struct cs_span a = shown(j, asked), g = shown(j, given);

	cs_decide_diff(j, disposition, CS_SPAN_LIT("validity"),
		       has_asked ? &a : NULL, &g, rule);
}

/* Does the CA's certificate end before? Reject, or end with it. */
static int64_t judge_ca_expiry(struct cs_decide *j, int64_t not_before,
			       int64_t duration)
{
	const struct cs_validity_rules *v = &j->policy->validity;
	int64_t end = j->facts->request.issuer_not_after_s;
	char text[CS_TIME_TEXT];

	if (end == 0 || not_before + duration <= end)
		return duration;
	if (v->on_ca_expiry == CS_CA_EXPIRY_CLAMP && end > not_before) {
		change(j, CS_DISPOSITION_CLAMPED, true, duration,
		       end - not_before, &v->ca_expiry);
		return end - not_before;
	}
	cs_time_rfc3339(end, text);
	cs_decide_refuse(j, CS_CODE_CA_EXPIRY, CS_SPAN_LIT("validity"),
			 shown(j, duration), &v->ca_expiry,
			 cs_span_make(NULL, 0),
			 "the certificate would outlive its CA, which ends at "
			 "%s",
			 text);
	return duration;
}

void cs_decide_validity(struct cs_decide *j)
{
	const struct cs_validity_rules *v = &j->policy->validity;
	const struct cs_request_facts *r = &j->facts->request;
	int64_t stated = r->has_duration ? r->duration_s : v->fallback_s;
	/* Dates end with the year 9999 (RFC 5280 4.1.2.5). */
	int64_t asked = stated < LONGEST ? stated : LONGEST;
	int64_t given = asked;
	size_t lines = j->v->diff_n, findings = j->v->findings.n;
	int64_t not_before = r->now_s - v->backdate_s;
	bool waives = cs_decide_waives(j, CS_CODE_VALIDITY_TOO_LONG);

	if (!r->has_duration)
		change(j, CS_DISPOSITION_DEFAULTED, false, 0, given,
		       &v->fallback);
	/*
	 * What is refused is kept in bounds, so that sums stay in theirs;
	 * what is warned of stays as asked.
	 */
	if (asked < v->min_s) {
		given = waives ? asked : v->min_s;
		refuse(j, CS_CODE_VALIDITY_TOO_SHORT, asked, &v->min, v->min_s,
		       "shorter");
	}
	if (asked > v->max_s && v->on_max == CS_ON_VIOLATION_CLAMP && !waives) {
		given = v->max_s;
		change(j, CS_DISPOSITION_CLAMPED, true, asked, given, &v->max);
	} else if (asked > v->max_s) {
		given = waives ? asked : v->max_s;
		refuse(j, CS_CODE_VALIDITY_TOO_LONG, asked, &v->max, v->max_s,
		       "longer");
	}
	/* A duration that was refused says nothing about the CA's. */
	if (j->v->findings.n == findings)
		given = judge_ca_expiry(j, not_before, given);
	if (j->v->diff_n == lines)
		cs_decide_kept(j, CS_SPAN_LIT("validity"));
	j->v->plan.not_before_s = not_before;
	j->v->plan.not_after_s = not_before + given;
}
