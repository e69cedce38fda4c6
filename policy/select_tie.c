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
 * empty for "any". The house's own sources are no witnesses: documents never
 * match them.
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

/* The keys of `match` that can keep two policies apart. */
#define KEYS ((size_t)4)

static const char *const key_names[KEYS] = {"issuer", "source", "realm",
					    "namespace"};

/* The selector of one of them. */
static const struct cs_selector *selector(const struct cs_policy *p, size_t key)
{
	const struct cs_selector *const all[KEYS] = {
		&p->match.issuer, &p->match.source, &p->match.realm,
		&p->match.namespace};

	return all[key];
}

/*
 * One key's part of the witness. Realm and namespace are told only where one
 * of the two has something to say about them.
 */
static void tell(struct cs_buf *b, size_t key, bool said,
		 struct cs_span witness)
{
	if (!said && key >= 2)
		return;
	cs_buf_addf(b, "%s%s `%.*s`", key == 0 ? "" : ", ", key_names[key],
		    CS_SPAN_FMT(witness.n > 0 ? witness : CS_SPAN_LIT("*")));
}

/* Two policies of one priority. */
static void check_pair(const struct cs_policy *a, const struct cs_policy *b,
		       struct cs_arena *scratch,
		       struct cs_policy_report *report)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf witness;

	cs_buf_init(&witness, CS_ERROR_MAX);
	for (size_t key = 0; key < KEYS; key++) {
		const struct cs_selector *of_a = selector(a, key);
		const struct cs_selector *of_b = selector(b, key);
		struct cs_span text;

		if (!selectors_meet(of_a, of_b, scratch, &text))
			return;
		tell(&witness, key, of_a->present || of_b->present, text);
	}
	cs_report_add(report, CS_PROBLEM_ERROR, b->info.source, b->info.line, 1,
		      "`%.*s` and `%.*s` (%.*s:%u) have the same priority, "
		      "%lld, and can both match: %.*s; "
		      "give one of them another priority",
		      CS_SPAN_FMT(b->info.name), CS_SPAN_FMT(a->info.name),
		      CS_SPAN_FMT(a->info.source), a->info.line,
		      (long long)a->info.priority,
		      CS_SPAN_FMT(cs_buf_span(&witness)));
}

void cs_select_check_ties(const struct cs_policy_set *set,
			  struct cs_policy_report *report)
{
	struct cs_arena scratch;

	cs_arena_init(&scratch, SCRATCH_MAX);
	for (size_t i = 0; i < set->n; i++) {
		if (set->sorted[i]->info.mode == CS_MODE_SHADOW)
			continue;
		for (size_t k = i + 1; k < set->n; k++) {
			if (set->sorted[k]->info.priority !=
			    set->sorted[i]->info.priority)
				break;
			if (set->sorted[k]->info.mode == CS_MODE_SHADOW)
				continue;
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

	const struct cs_match_rules *m = &p->match;

	if (p->info.mode == CS_MODE_SHADOW || m->issuer.present ||
	    m->source.present || m->realm.present || m->namespace.present ||
	    m->users.present || m->groups.present ||
	    m->user_namespace.present || m->service_account.present ||
	    m->labels_n > 0 || m->extra_n > 0)
		return false;
	for (size_t i = 0; i < allow->n; i++) {
		if (allow->items[i].kind == CS_MATCH_ANY)
			return true;
	}
	return false;
}

void cs_select_check_shadows(const struct cs_policy_set *set,
			     struct cs_policy_report *report)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct cs_policy *p = set->sorted[i];

		if (p->info.mode != CS_MODE_SHADOW ||
		    ++n <= CS_MAX_POLICY_SHADOWS)
			continue;
		cs_report_add(report, CS_PROBLEM_ERROR, p->info.source,
			      p->info.line, 1,
			      "more than %d policies are in shadow; each is "
			      "judged with every request",
			      CS_MAX_POLICY_SHADOWS);
		return;
	}
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
