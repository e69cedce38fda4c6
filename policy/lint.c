/*
 * What is suspicious in a set that loads: policies and rules that can never
 * decide. Only told by who checks a set; judging is as well without it.
 */
#include "policy/lint.h"

#include <stdio.h>
#include <string.h>

#include "policy/match.h"

/* A clamp to less than this meets the renewBefore values in use: 15d, 30d. */
#define COMMON_RENEW_BEFORE ((int64_t)30 * 86400)

/* One set under the eye. */
struct linting {
	const struct cs_policy_set *set;
	const struct cs_policy *policy;
	struct cs_policy_report *report;
};

/* -- selection ------------------------------------------------------------ */

/*
 * Does `wide` take everything that `narrow` takes? A glob takes all that
 * another stands for when it takes its text: a star is taken by a star only.
 */
static bool selector_covers(const struct cs_selector *wide,
			    const struct cs_selector *narrow,
			    bool (*takes)(struct cs_span, struct cs_span))
{
	if (!wide->present)
		return true;
	for (size_t i = 0; i < narrow->n; i++) {
		bool found = false;

		for (size_t k = 0; k < wide->n; k++)
			found = found ||
				takes(wide->items[k], narrow->items[i]);
		if (!found)
			return false;
	}
	return narrow->present;
}

/* Has `narrow` every label that `wide` wants? */
static bool labels_cover(const struct cs_match_rules *wide,
			 const struct cs_match_rules *narrow)
{
	for (size_t i = 0; i < wide->labels_n; i++) {
		const struct cs_fact_pair *w = &wide->labels[i];
		bool found = false;

		for (size_t k = 0; k < narrow->labels_n; k++)
			found = found ||
				(cs_span_equal(narrow->labels[k].key, w->key) &&
				 cs_span_equal(narrow->labels[k].value,
					       w->value));
		if (!found)
			return false;
	}
	return true;
}

/* Has every key of `wide` its values in `narrow`, and no other? */
static bool extra_covers(const struct cs_match_rules *wide,
			 const struct cs_match_rules *narrow)
{
	for (size_t i = 0; i < wide->extra_n; i++) {
		const struct cs_fact_extra *w = &wide->extra[i];
		const struct cs_selector values = {true, w->values, w->n};
		bool found = false;

		for (size_t k = 0; k < narrow->extra_n; k++) {
			const struct cs_fact_extra *e = &narrow->extra[k];
			const struct cs_selector own = {true, e->values, e->n};

			found = found ||
				(cs_span_equal(e->key, w->key) &&
				 selector_covers(&values, &own, cs_span_equal));
		}
		if (!found)
			return false;
	}
	return true;
}

/* Does the policy in front match whatever the one behind matches? */
static bool match_covers(const struct cs_match_rules *wide,
			 const struct cs_match_rules *narrow)
{
	if (wide->has_until &&
	    (!narrow->has_until || narrow->until_s > wide->until_s))
		return false;
	return labels_cover(wide, narrow) && extra_covers(wide, narrow) &&
	       selector_covers(&wide->issuer, &narrow->issuer, cs_match_glob) &&
	       selector_covers(&wide->source, &narrow->source, cs_match_glob) &&
	       selector_covers(&wide->realm, &narrow->realm, cs_match_glob) &&
	       selector_covers(&wide->namespace, &narrow->namespace,
			       cs_match_glob) &&
	       selector_covers(&wide->users, &narrow->users,
			       cs_match_user_glob) &&
	       selector_covers(&wide->groups, &narrow->groups, cs_span_equal) &&
	       selector_covers(&wide->user_namespace, &narrow->user_namespace,
			       cs_match_glob) &&
	       selector_covers(&wide->service_account, &narrow->service_account,
			       cs_match_glob);
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

static bool is_zone(enum cs_match_kind kind)
{
	return kind == CS_MATCH_DNS_ONE || kind == CS_MATCH_DNS_BELOW ||
	       kind == CS_MATCH_DNS_WITHIN;
}

/* Is the zone `a` inside the zone or host `b`? */
static bool zone_is_inside(const struct cs_matcher *a,
			   const struct cs_matcher *b)
{
	struct cs_match_value value = cs_match_dns(a->text);
	char wildcard[CS_MAX_DNS_NAME + 3];

	if (!is_zone(b->kind) || a->text.n > CS_MAX_DNS_NAME ||
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

/* By the domains of two matchers of e-mail addresses. */
static bool email_is_inside(const struct cs_matcher *a,
			    const struct cs_matcher *b)
{
	struct cs_matcher host_a = {.kind = a->host_kind, .text = a->text};
	struct cs_matcher host_b = {.kind = b->host_kind, .text = b->text};
	struct cs_match_value value = cs_match_dns(a->text);

	if (b->kind != CS_MATCH_EMAIL)
		return false;
	return a->host_kind == CS_MATCH_DNS_HOST
		       ? cs_matcher_all(&host_b, &value)
		       : zone_is_inside(&host_a, &host_b);
}

bool cs_lint_is_inside(const struct cs_matcher *a, const struct cs_matcher *b)
{
	struct cs_match_value value = cs_match_text(a->text);

	if (b->kind == CS_MATCH_ANY ||
	    (a->kind == b->kind && cs_span_equal(a->shown, b->shown)))
		return true;
	if (a->kind == CS_MATCH_DNS_HOST) {
		value = cs_match_dns(a->text);
		return cs_matcher_all(b, &value);
	}
	if (a->kind == CS_MATCH_EXACT)
		return cs_matcher_all(b, &value);
	if (a->kind == CS_MATCH_CIDR) {
		value = cs_match_ip(a->text, a->net);
		return b->kind == CS_MATCH_CIDR && a->prefix >= b->prefix &&
		       cs_matcher_all(b, &value);
	}
	if (a->kind == CS_MATCH_EMAIL)
		return email_is_inside(a, b);
	return is_zone(a->kind) && zone_is_inside(a, b);
}

/* Is the matcher inside one of the list? */
static bool is_inside_any(const struct cs_matcher *a,
			  const struct cs_matchers *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (cs_lint_is_inside(a, &list->items[i]))
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
			cs_lint_warn(l->report, &allow->rule,
				     "`%.*s` of `allow` is inside `deny`: it "
				     "allows nothing",
				     CS_SPAN_FMT(a->shown));
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
		bool meets = !is_zone(d->kind) && d->kind != CS_MATCH_DNS_HOST;

		/* Zones are one inside the other, or have nothing in common. */
		for (size_t k = 0; k < allow->n && !meets; k++) {
			const struct cs_matcher *a = &allow->items[k];

			meets = (!is_zone(a->kind) &&
				 a->kind != CS_MATCH_DNS_HOST) ||
				cs_lint_is_inside(a, d) ||
				cs_lint_is_inside(d, a);
		}
		if (!meets)
			cs_lint_warn(l->report, &deny->rule,
				     "`%.*s` of `deny` hits nothing that "
				     "`allow` takes",
				     CS_SPAN_FMT(d->shown));
	}
}

/* `deny` where nothing is allowed anyway. */
static void check_deny_alone(struct linting *l, const struct cs_matchers *deny,
			     bool allows, bool sets)
{
	if (!deny->present || allows)
		return;
	cs_lint_warn(l->report, &deny->rule, "%s",
		     sets ? "`deny` beside `set` without `allow`: what is "
			    "asked is not judged anyway"
			  : "`deny` without `allow`: nothing is allowed "
			    "anyway");
}

/* Does somebody expect values who says how many there may be? */
static bool expects(const struct cs_count *min, const struct cs_count *max)
{
	return min->present || (max->present && max->value > 0);
}

/* Rules of what may be there, of which nothing may. */
static void warn_closed(struct linting *l, const struct cs_rule *rule)
{
	cs_lint_warn(l->report, rule, "`%.*s` has no `allow`: nothing passes",
		     CS_SPAN_FMT(rule->id));
}

/* What `max`, `min` and the like say of names is never asked. */
static void check_closed_names(struct linting *l, const struct cs_san_rules *r)
{
	if (!r->listed || r->allow.present || r->deny.present ||
	    r->on_violation == CS_ON_VIOLATION_DROP)
		return;
	if (expects(&r->min, &r->max) || r->wildcards)
		warn_closed(l, &r->rule);
}

/* The same of an attribute that has no value of its own. */
static void check_closed_attr(struct linting *l, const struct cs_attr_rules *a)
{
	if (a->allow.present || a->deny.present || a->set.present ||
	    a->fallback.present || a->on_violation == CS_ON_VIOLATION_DROP)
		return;
	if (expects(&a->min, &a->max) ||
	    (a->is_cn && a->in_san != CS_IN_SAN_REQUIRE))
		warn_closed(l, &a->rule);
}

static void check_san(struct linting *l)
{
	const struct cs_sans_rules *san = &l->policy->san;

	for (int kind = 0; kind < CS_SAN_KINDS; kind++) {
		const struct cs_san_rules *r = &san->kind[kind];

		check_allow(l, &r->allow, &r->deny);
		check_deny_alone(l, &r->deny, r->allow.present, false);
		check_closed_names(l, r);
		if (kind == CS_NAME_DNS && r->allow.present)
			check_deny(l, &r->allow, &r->deny);
	}
	for (size_t i = 0; i < san->others_n; i++) {
		const struct cs_san_rules *r = &san->others[i].rules;

		check_allow(l, &r->allow, &r->deny);
		check_deny_alone(l, &r->deny, r->allow.present, false);
	}
}

static void check_subject(struct linting *l)
{
	const struct cs_subject_rules *subject = &l->policy->subject;

	for (size_t i = 0; i < subject->n; i++) {
		const struct cs_attr_rules *a = &subject->attrs[i];

		check_allow(l, &a->allow, &a->deny);
		check_deny_alone(l, &a->deny, a->allow.present, a->set.present);
		check_closed_attr(l, a);
	}
}

/* -- cert-manager --------------------------------------------------------- */

bool cs_lint_may_be_kubernetes(const struct cs_match_rules *m)
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
	    cs_lint_may_be_kubernetes(&l->policy->match))
		cs_lint_warn(l->report, &v->max,
			     "a clamp to so little makes cert-manager renew "
			     "without end where `renewBefore` is as long (15d "
			     "and 30d are common); `reject` tells whoever "
			     "asks");
}

/* Does a path in it begin with `requester`? */
static bool names_requester(const struct cs_template *t)
{
	for (size_t i = 0; i < t->n; i++) {
		for (size_t k = 0; k < t->parts[i].ops_n; k++) {
			const struct cs_path_op *op = &t->parts[i].ops[k];

			if (op->code == CS_PATH_FACT &&
			    (op->index == CS_FACT_USERNAME ||
			     op->index == CS_FACT_GROUPS ||
			     op->index == CS_FACT_EXTRA ||
			     op->index == CS_FACT_USER_NAMESPACE ||
			     op->index == CS_FACT_SERVICE_ACCOUNT))
				return true;
		}
	}
	return false;
}

/*
 * Keys that mean cert-manager, who asks for whoever wrote a Certificate, and
 * not the team: only where the policy says that it is for Kubernetes.
 */
static void check_requester(struct linting *l)
{
	static const char words[] =
		"for requests that a Certificate made, `requester` is "
		"cert-manager itself; `request.namespace` and "
		"`request.owner` say whose they are";
	const struct cs_policy *p = l->policy;

	if (!p->match.source.present || !cs_lint_may_be_kubernetes(&p->match))
		return;
	for (size_t i = 0; i < p->timing.limits_n; i++) {
		const struct cs_limit_rule *r = &p->timing.limits[i];

		if (names_requester(&r->template))
			cs_lint_warn(l->report, &r->rule, "%s", words);
	}
	for (size_t i = 0; i < p->vars_n; i++) {
		for (size_t k = 0; k < p->vars[i].n; k++) {
			if (names_requester(&p->vars[i].items[k]))
				cs_lint_warn(l->report, &p->vars[i].rule, "%s",
					     words);
		}
	}
}

void cs_policy_set_lint(const struct cs_policy_set *set,
			struct cs_policy_report *report)
{
	struct linting l = {.set = set, .report = report};

	if (set->n == 0)
		cs_report_add(report, CS_PROBLEM_WARNING, cs_span_make(NULL, 0),
			      0, 0,
			      "the set holds no policy: put in force, it would "
			      "refuse every request (NO_POLICY)");
	for (size_t i = 0; i < set->n; i++) {
		l.policy = set->sorted[i];
		check_reach(&l, i);
		check_subject(&l);
		check_san(&l);
		check_clamp(&l);
		check_requester(&l);
		cs_lint_match(l.policy, report);
		cs_lint_coverage(l.policy, report);
	}
	for (size_t i = 0; i < set->guards_n; i++) {
		cs_lint_match(set->guards[i], report);
		cs_lint_coverage(set->guards[i], report);
	}
}
