/*
 * What is suspicious in a set that loads: rules that can never decide, and
 * rules that no test covers. Only told by who checks a set; judging is as
 * well without it.
 */
#include <stdio.h>
#include <string.h>

#include "policy/decide.h"
#include "policy/self_test.h"

/* Rules of one policy that are looked at; what is beyond is not. */
#define MAX_RULES ((size_t)256)
/* Memory of one test's judgement. */
#define TEST_ARENA ((size_t)CS_MAX_REQUEST_ARENA)
/* A clamp to less than this meets the renewBefore values in use: 15d, 30d. */
#define COMMON_RENEW_BEFORE ((int64_t)30 * 86400)

/* One set under the eye. */
struct linting {
	const struct cs_policy_set *set;
	const struct cs_policy *policy;
	struct cs_policy_report *report;
	struct {
		const struct cs_rule *rule;
		bool covered;
	} rules[MAX_RULES];
	size_t n;
};

/* The line in "web.yaml:21"; 0: none. */
static unsigned line_of(struct cs_span at)
{
	unsigned line = 0;
	size_t i = at.n;

	while (i > 0 && at.p[i - 1] != ':')
		i--;
	for (; i < at.n && at.p[i] >= '0' && at.p[i] <= '9'; i++)
		line = line * 10 + (unsigned)(at.p[i] - '0');
	return line;
}

/* The source in it: of another policy, where that one is extended. */
static struct cs_span source_of(struct cs_span at)
{
	size_t i = at.n;

	while (i > 0 && at.p[i - 1] != ':')
		i--;
	return cs_span_sub(at, 0, i > 0 ? i - 1 : 0);
}

/* A warning at a rule of the policy; two texts that it may be about. */
static void warn(struct linting *l, const struct cs_rule *rule,
		 const char *before, struct cs_span what, const char *between,
		 struct cs_span other, const char *after)
{
	cs_report_add(l->report, CS_PROBLEM_WARNING, source_of(rule->at),
		      line_of(rule->at), 1, "%s%.*s%s%.*s%s", before,
		      CS_SPAN_FMT(what), between, CS_SPAN_FMT(other), after);
}

/* -- selection ------------------------------------------------------------ */

/* Does `wide` take everything that `narrow` takes? */
static bool selector_covers(const struct cs_selector *wide,
			    const struct cs_selector *narrow)
{
	if (!wide->present)
		return true;
	for (size_t i = 0; i < narrow->n; i++) {
		bool found = false;

		for (size_t k = 0; k < wide->n; k++)
			found = found ||
				cs_span_equal(wide->items[k], narrow->items[i]);
		if (!found)
			return false;
	}
	return narrow->present;
}

/* Does the policy in front match whatever the one behind matches? */
static bool match_covers(const struct cs_match_rules *wide,
			 const struct cs_match_rules *narrow)
{
	return wide->labels_n == 0 && !wide->has_until &&
	       selector_covers(&wide->issuer, &narrow->issuer) &&
	       selector_covers(&wide->source, &narrow->source) &&
	       selector_covers(&wide->realm, &narrow->realm) &&
	       selector_covers(&wide->namespace, &narrow->namespace) &&
	       selector_covers(&wide->users, &narrow->users) &&
	       selector_covers(&wide->groups, &narrow->groups) &&
	       selector_covers(&wide->user_namespace,
			       &narrow->user_namespace) &&
	       selector_covers(&wide->service_account,
			       &narrow->service_account);
}

/* A policy that another always goes before. */
static void check_reach(struct linting *l, size_t at)
{
	const struct cs_policy_info *mine = &l->set->sorted[at]->info;

	for (size_t i = 0; i < at; i++) {
		const struct cs_policy *p = l->set->sorted[i];

		if (p->info.mode == CS_MODE_SHADOW ||
		    mine->mode == CS_MODE_SHADOW ||
		    !match_covers(&p->match, &l->set->sorted[at]->match))
			continue;
		cs_report_add(l->report, CS_PROBLEM_WARNING, mine->source,
			      mine->line, 1,
			      "`%.*s` never governs: `%.*s` (%.*s:%u) goes "
			      "before it and matches all that it matches",
			      CS_SPAN_FMT(mine->name),
			      CS_SPAN_FMT(p->info.name),
			      CS_SPAN_FMT(p->info.source), p->info.line);
		return;
	}
}

/* -- matchers ------------------------------------------------------------- */

static bool is_zone(const struct cs_matcher *m)
{
	return m->kind == CS_MATCH_DNS_ONE || m->kind == CS_MATCH_DNS_BELOW ||
	       m->kind == CS_MATCH_DNS_WITHIN;
}

/* Is every value that `a` takes also taken by `b`? False when not known. */
static bool is_inside(const struct cs_matcher *a, const struct cs_matcher *b)
{
	struct cs_match_value value = cs_match_dns(a->text);
	char wildcard[CS_MAX_DNS_NAME + 3];

	if (b->kind == CS_MATCH_ANY)
		return true;
	if (a->kind == CS_MATCH_DNS_HOST)
		return cs_matcher_all(b, &value);
	if (a->kind == CS_MATCH_EXACT && b->kind == CS_MATCH_EXACT)
		return cs_span_equal(a->text, b->text);
	if (a->kind == CS_MATCH_CIDR)
		return b->kind == CS_MATCH_CIDR && a->prefix >= b->prefix &&
		       cs_matcher_all(
			       b, &(struct cs_match_value){.text = a->text,
							   .octets = a->net});
	if (!is_zone(a) || !is_zone(b) || a->text.n > CS_MAX_DNS_NAME ||
	    (a->kind != CS_MATCH_DNS_ONE && b->kind == CS_MATCH_DNS_ONE))
		return false;
	/* The apex is a member of ".zone" only. */
	if (a->kind == CS_MATCH_DNS_WITHIN && !cs_matcher_all(b, &value))
		return false;
	(void)snprintf(wildcard, sizeof(wildcard), "*.%.*s",
		       CS_SPAN_FMT(a->text));
	value = cs_match_dns(cs_span_str(wildcard));
	return cs_matcher_all(b, &value);
}

/* Is the matcher inside one of the list? */
static bool is_inside_any(const struct cs_matcher *a,
			  const struct cs_matchers *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (is_inside(a, &list->items[i]))
			return true;
	}
	return false;
}

/* An allow that deny always hits; {{}} stands for nothing known yet. */
static void check_allow(struct linting *l, const struct cs_matchers *allow,
			const struct cs_matchers *deny)
{
	if (!deny->present || allow->sources != NULL || deny->sources != NULL)
		return;
	for (size_t i = 0; i < allow->n; i++) {
		const struct cs_matcher *a = &allow->items[i];

		if (is_inside_any(a, deny))
			warn(l, &allow->rule, "`", a->shown,
			     "` of `allow` is inside `deny`: it allows nothing",
			     CS_SPAN_LIT(""), "");
	}
}

/* A deny of DNS names outside of everything that allow takes. */
static void check_deny(struct linting *l, const struct cs_matchers *allow,
		       const struct cs_matchers *deny)
{
	if (allow->sources != NULL || deny->sources != NULL)
		return;
	for (size_t i = 0; i < deny->n; i++) {
		const struct cs_matcher *d = &deny->items[i];
		bool meets = !is_zone(d) && d->kind != CS_MATCH_DNS_HOST;

		/* Zones are one inside the other, or have nothing in common. */
		for (size_t k = 0; k < allow->n && !meets; k++) {
			const struct cs_matcher *a = &allow->items[k];

			meets = (!is_zone(a) && a->kind != CS_MATCH_DNS_HOST) ||
				is_inside(a, d) || is_inside(d, a);
		}
		if (!meets)
			warn(l, &deny->rule, "`", d->shown,
			     "` of `deny` hits nothing that `allow` takes",
			     CS_SPAN_LIT(""), "");
	}
}

/* An exact wildcard where wildcards are forbidden. */
static void check_wildcards(struct linting *l, const struct cs_san_rules *r)
{
	for (size_t i = 0;
	     i < r->allow.n && !r->wildcards && r->allow.sources == NULL; i++) {
		const struct cs_matcher *a = &r->allow.items[i];

		if ((a->kind == CS_MATCH_EXACT ||
		     a->kind == CS_MATCH_DNS_HOST) &&
		    cs_span_starts_with(a->text, CS_SPAN_LIT("*.")))
			warn(l, &r->allow.rule, "`", a->text,
			     "` of `allow` never matches: `wildcard` is forbid",
			     CS_SPAN_LIT(""), "");
	}
}

static void check_san(struct linting *l)
{
	const struct cs_sans_rules *san = &l->policy->san;

	for (int kind = 0; kind < CS_SAN_KINDS; kind++) {
		const struct cs_san_rules *r = &san->kind[kind];

		check_allow(l, &r->allow, &r->deny);
		if (r->deny.present && !r->allow.present)
			warn(l, &r->deny.rule, "", CS_SPAN_LIT(""),
			     "`deny` without `allow`: nothing is allowed "
			     "anyway",
			     CS_SPAN_LIT(""), "");
		else if (kind == CS_NAME_DNS)
			check_deny(l, &r->allow, &r->deny);
	}
	check_wildcards(l, &san->kind[CS_NAME_DNS]);
}

static void check_subject(struct linting *l)
{
	const struct cs_subject_rules *subject = &l->policy->subject;

	for (size_t i = 0; i < subject->n; i++)
		check_allow(l, &subject->attrs[i].allow,
			    &subject->attrs[i].deny);
}

/* -- cert-manager --------------------------------------------------------- */

/* May a request of Kubernetes be governed by it? */
static bool may_be_kubernetes(const struct cs_match_rules *m)
{
	for (size_t i = 0; i < m->source.n; i++) {
		if (cs_match_glob(m->source.items[i],
				  CS_SPAN_LIT("kubernetes")))
			return true;
	}
	return !m->source.present;
}

/* A clamp that cert-manager would answer with renewals without end. */
static void check_clamp(struct linting *l)
{
	const struct cs_validity_rules *v = &l->policy->validity;

	if (v->on_max == CS_ON_VIOLATION_CLAMP &&
	    v->max_s <= COMMON_RENEW_BEFORE &&
	    may_be_kubernetes(&l->policy->match))
		warn(l, &v->max, "", CS_SPAN_LIT(""),
		     "a clamp to so little makes cert-manager renew without "
		     "end where `renewBefore` is as long (15d and 30d are "
		     "common); `reject` tells whoever asks",
		     CS_SPAN_LIT(""), "");
}

/* -- coverage ------------------------------------------------------------- */

/* A rule of the document itself, when it is there. */
static void add(struct linting *l, bool present, const struct cs_rule *rule)
{
	if (present && rule->at.n > 0 && l->n < MAX_RULES)
		l->rules[l->n++].rule = rule;
}

/* A list that takes anything decides nothing, and needs no test. */
static void add_list(struct linting *l, const struct cs_matchers *list)
{
	bool any = false;

	for (size_t i = 0; i < list->n; i++)
		any = any || (list->sources == NULL &&
			      list->items[i].kind == CS_MATCH_ANY);
	add(l, list->present && !any, &list->rule);
}

/* The rules of a policy that its own document states. */
static void collect(struct linting *l)
{
	const struct cs_policy *p = l->policy;
	const struct cs_key_usage_rules *ku = &p->ext.key_usage;
	const struct cs_ext_key_usage_rules *eku = &p->ext.ext_key_usage;

	for (size_t i = 0; i < p->subject.n; i++) {
		const struct cs_attr_rules *a = &p->subject.attrs[i];

		add_list(l, &a->allow);
		add_list(l, &a->deny);
		add(l, a->set.present, &a->set.rule);
		add(l, a->fallback.present, &a->fallback.rule);
	}
	for (int kind = 0; kind < CS_SAN_KINDS; kind++) {
		const struct cs_san_rules *r = &p->san.kind[kind];

		add_list(l, &r->allow);
		add_list(l, &r->deny);
		add(l, r->max.present, &r->max.rule);
	}
	add(l, p->san.max_total.present, &p->san.max_total.rule);
	add(l, true, &p->key.rule);
	add(l, true, &p->validity.max);
	add(l, ku->has_allow, &ku->allow_rule);
	add(l, ku->has_set, &ku->set_rule);
	add_list(l, &eku->allow);
	add(l, eku->set.present, &eku->set.rule);
}

/* The rule decided something in a test. */
static void cover(struct linting *l, struct cs_span id)
{
	for (size_t i = 0; i < l->n; i++) {
		if (cs_span_equal(l->rules[i].rule->id, id))
			l->rules[i].covered = true;
	}
}

/* Every test once more, for what it reaches. */
static void run_tests(struct linting *l)
{
	struct cs_arena arena;
	struct cs_verdict v;

	cs_arena_init(&arena, TEST_ARENA);
	for (size_t i = 0; i < l->policy->tests_n; i++) {
		if (cs_decide_alone(l->policy, &l->policy->tests[i].facts,
				    &arena, &v, NULL)) {
			for (size_t k = 0; k < v.findings.n; k++)
				cover(l, v.findings.items[k].rule);
			for (size_t k = 0; k < v.diff_n; k++)
				cover(l, v.diff[k].rule);
		}
		cs_arena_reset(&arena);
	}
	cs_arena_done(&arena);
}

/* Rules that decide in no test. */
static void check_coverage(struct linting *l)
{
	if (l->policy->tests_n == 0) {
		cs_report_add(l->report, CS_PROBLEM_WARNING,
			      l->policy->info.source, l->policy->info.line, 1,
			      "`%.*s` carries no tests",
			      CS_SPAN_FMT(l->policy->info.name));
		return;
	}
	l->n = 0;
	memset(l->rules, 0, sizeof(l->rules));
	collect(l);
	run_tests(l);
	for (size_t i = 0; i < l->n; i++) {
		const struct cs_rule *rule = l->rules[i].rule;

		if (!l->rules[i].covered)
			warn(l, rule, "no test is decided by `", rule->id, "`",
			     CS_SPAN_LIT(""), "");
	}
}

void cs_policy_set_lint(const struct cs_policy_set *set,
			struct cs_policy_report *report)
{
	struct linting l = {.set = set, .report = report};

	for (size_t i = 0; i < set->n; i++) {
		l.policy = set->sorted[i];
		check_reach(&l, i);
		check_subject(&l);
		check_san(&l);
		check_clamp(&l);
		check_coverage(&l);
	}
}
