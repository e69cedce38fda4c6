#include "policy/load.h"
#include "policy/match.h"
#include "policy/select.h"

/* Memory of one comparison of two lists of globs. */
#define SCRATCH_MAX ((size_t)1024 * 1024)

/* Is there a `*` in it? */
static bool is_glob(struct cs_span s)
{
	return cs_span_find(s, '*', NULL);
}

/* Do two globs meet, and where? */
static bool globs_meet(struct cs_span a, struct cs_span b,
		       struct cs_arena *scratch, struct cs_span *ret_witness)
{
	if (!is_glob(a)) {
		*ret_witness = a;
		return cs_match_glob(b, a);
	}
	if (!is_glob(b)) {
		*ret_witness = b;
		return cs_match_glob(a, b);
	}
	cs_arena_reset(scratch);
	return cs_match_globs_meet(a, b, scratch, ret_witness);
}

/*
 * Do two selectors of globs meet? The witness is a text that both match;
 * empty for "any". The source "listener" is no witness: documents never
 * match it.
 */
static bool selectors_meet(const struct cs_selector *a,
			   const struct cs_selector *b,
			   struct cs_arena *scratch,
			   struct cs_span *ret_witness)
{
	*ret_witness = cs_span_make(NULL, 0);
	if (!a->present && !b->present)
		return true;
	if (!a->present || !b->present) {
		*ret_witness = a->present ? a->items[0] : b->items[0];
		return true;
	}
	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < b->n; k++) {
			if (globs_meet(a->items[i], b->items[k], scratch,
				       ret_witness))
				return true;
		}
	}
	return false;
}

/* A witness for people. */
static struct cs_span shown(struct cs_span witness)
{
	return witness.n > 0 ? witness : CS_SPAN_LIT("*");
}

/* Two policies of one priority. */
static void check_pair(const struct cs_policy *a, const struct cs_policy *b,
		       struct cs_arena *scratch,
		       struct cs_policy_report *report)
{
	struct cs_span issuer, source;
	char text[CS_MAX_NAME + 1] = "";

	if (!selectors_meet(&a->match.issuer, &b->match.issuer, scratch,
			    &issuer))
		return;
	/* The scratch arena is used again for the sources. */
	issuer = shown(cs_span_sub(issuer, 0, CS_MAX_NAME));
	for (size_t i = 0; i < issuer.n; i++)
		text[i] = (char)issuer.p[i];
	if (!selectors_meet(&a->match.source, &b->match.source, scratch,
			    &source))
		return;
	source = shown(source);
	cs_report_add(report, CS_PROBLEM_ERROR, b->info.source, b->info.line, 1,
		      "`%.*s` and `%.*s` (%.*s:%u) have the same priority, "
		      "%lld, and can both match: issuer `%s`, source `%.*s`; "
		      "give one of them another priority",
		      CS_SPAN_FMT(b->info.name), CS_SPAN_FMT(a->info.name),
		      CS_SPAN_FMT(a->info.source), a->info.line,
		      (long long)a->info.priority, text, CS_SPAN_FMT(source));
}

void cs_select_check_ties(const struct cs_policy_set *set,
			  struct cs_policy_report *report)
{
	struct cs_arena scratch;

	cs_arena_init(&scratch, SCRATCH_MAX);
	for (size_t i = 0; i < set->n; i++) {
		for (size_t k = i + 1; k < set->n; k++) {
			if (set->sorted[k]->info.priority !=
			    set->sorted[i]->info.priority)
				break;
			check_pair(set->sorted[i], set->sorted[k], &scratch,
				   report);
		}
	}
	cs_arena_done(&scratch);
}

/* Does a policy for everybody accept every DNS name? */
static bool accepts_anything(const struct cs_policy *p)
{
	const struct cs_matchers *allow = &p->san.kind[CS_NAME_DNS].allow;

	if (p->match.issuer.present || p->match.source.present ||
	    p->match.users.present || p->match.groups.present)
		return false;
	for (size_t i = 0; i < allow->n; i++) {
		if (allow->items[i].kind == CS_MATCH_ANY)
			return true;
	}
	return false;
}

void cs_select_warn(const struct cs_policy_set *set,
		    struct cs_policy_report *report)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct cs_policy *p = set->sorted[i];

		if (accepts_anything(p))
			cs_report_add(
				report, CS_PROBLEM_WARNING, p->info.source,
				p->info.line, 1,
				"`%.*s` accepts any name from anybody; it "
				"should go once the set covers its requesters",
				CS_SPAN_FMT(p->info.name));
	}
}
