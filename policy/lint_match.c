/* Matchers, and keys, that match nothing that ever comes. */
#include "policy/attribute.h"
#include "policy/lint.h"
#include "policy/match.h"

/* What a CSR may hold at all (issuer/x509.h). */
#define RSA_MIN 2048
#define RSA_MAX 4096

/* One item of a list, and why. */
static void never(struct cs_policy_report *report,
		  const struct cs_matchers *list, const struct cs_matcher *m,
		  const char *why)
{
	cs_lint_warn(report, &list->rule, "`%.*s` never matches: %s",
		     CS_SPAN_FMT(m->shown), why);
}

/* Canonical DNS names hold no other bytes than these. */
static bool may_be_dns(const struct cs_regex *regex)
{
	struct cs_regex_alphabet alphabet = {{0}};

	for (unsigned c = 0; c < 128; c++) {
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_' || c == '*')
			alphabet.ascii[c / 64] |= UINT64_C(1) << c % 64;
	}
	return cs_regex_may_match(regex, &alphabet);
}

/* A list about DNS names; `wildcards`: may there be any? */
static void check_dns(struct cs_policy_report *report,
		      const struct cs_matchers *list, bool wildcards)
{
	for (size_t i = 0; i < list->n && list->sources == NULL; i++) {
		const struct cs_matcher *m = &list->items[i];

		if (!wildcards && m->kind == CS_MATCH_DNS_HOST &&
		    cs_span_starts_with(m->text, CS_SPAN_LIT("*.")))
			never(report, list, m, "`wildcard` is forbid");
		if (m->kind == CS_MATCH_REGEX && !may_be_dns(m->regex))
			never(report, list, m,
			      "names are compared in lower case, without a "
			      "dot at the end");
	}
}

/* A list about an attribute, whose values have bounds. */
static void check_attr(struct cs_policy_report *report,
		       const struct cs_attr_rules *a,
		       const struct cs_matchers *list)
{
	for (size_t i = 0; i < list->n && list->sources == NULL; i++) {
		const struct cs_matcher *m = &list->items[i];
		struct cs_error err = {0};

		if ((m->kind == CS_MATCH_EXACT || m->kind == CS_MATCH_IEXACT ||
		     m->kind == CS_MATCH_DNS_HOST) &&
		    !cs_attribute_check(a->oid, m->text, &err))
			never(report, list, m, err.text);
	}
}

/* Sizes of RSA keys that no request has. */
static void check_keys(struct cs_policy_report *report,
		       const struct cs_key_rules *key)
{
	for (size_t i = 0; i < key->n; i++) {
		const struct cs_key_spec *k = &key->allow[i];
		unsigned first = (k->min_bits + 7) / 8 * 8;

		if (k->alg == CS_KEY_RSA &&
		    (first > RSA_MAX || first > k->max_bits ||
		     k->max_bits < RSA_MIN))
			cs_lint_warn(report, &key->rule,
				     "RSA of %u..%u bits never matches: keys "
				     "have %d to %d, a multiple of 8",
				     k->min_bits, k->max_bits, RSA_MIN,
				     RSA_MAX);
	}
}

/* `max: 0` in front of a list that is never asked. */
static void check_max(struct cs_policy_report *report,
		      const struct cs_matchers *allow,
		      const struct cs_count *max)
{
	if (allow->present && max->present && max->value == 0)
		cs_lint_warn(report, &max->rule,
			     "`max: 0` lets nothing pass that `allow` takes");
}

/* The same of guards, whose items stand in one list for each field. */
static void check_guards(struct cs_policy_report *report,
			 const struct cs_policy *document)
{
	for (size_t i = 0; i < document->guards_n; i++) {
		const struct cs_guard *g = &document->guards[i];

		for (size_t k = 0; k < g->n; k++) {
			const struct cs_attr_rules a = {
				.oid = g->fields[k].oid};

			if (!g->fields[k].is_name)
				check_attr(report, &a, &g->fields[k].deny);
			else if (g->fields[k].kind == CS_NAME_DNS)
				check_dns(report, &g->fields[k].deny, true);
		}
	}
}

void cs_lint_match(const struct cs_policy *policy,
		   struct cs_policy_report *report)
{
	const struct cs_san_rules *dns = &policy->san.kind[CS_NAME_DNS];

	check_guards(report, policy);
	check_dns(report, &dns->allow, dns->wildcards);
	check_dns(report, &dns->deny, true);
	for (int kind = 0; kind < CS_SAN_KINDS; kind++)
		check_max(report, &policy->san.kind[kind].allow,
			  &policy->san.kind[kind].max);
	for (size_t i = 0; i < policy->subject.n; i++) {
		const struct cs_attr_rules *a = &policy->subject.attrs[i];

		check_attr(report, a, &a->allow);
		check_attr(report, a, &a->deny);
		check_max(report, &a->allow, &a->max);
	}
	check_keys(report, &policy->key);
}
