#include <string.h>

#include "policy/decide.h"

/* The certificate as it was read back, and what it should be. */
struct built {
	struct cs_decide *j;
	const struct cs_cert_facts *facts;
	const struct cs_plan *plan;
	int64_t not_before_s, not_after_s;
};

/* It is not what was decided. */
static void conflict(const struct built *b, const char *field,
		     const char *words)
{
	const struct cs_span none = {0};

	cs_decide_refuse(b->j, CS_CODE_BUILD_CONFLICT, cs_span_str(field), none,
			 cs_decide_builtin(), none,
			 "the certificate that was built %s", words);
}

/* Subject and names, one by one, in the plan's order. */
static void compare_names(const struct built *b)
{
	const struct cs_cert_facts *f = b->facts;
	const struct cs_plan *p = b->plan;
	bool same = f->subject_n == p->subject_n;

	for (size_t i = 0; same && i < f->subject_n; i++)
		same = cs_span_equal(f->subject[i].oid, p->subject[i].oid) &&
		       cs_span_equal(f->subject[i].value, p->subject[i].value);
	if (!same)
		conflict(b, "subject", "has another subject");
	same = f->names_n == p->names_n;
	for (size_t i = 0; same && i < f->names_n; i++)
		same = f->names[i].kind == p->names[i].kind &&
		       cs_span_equal(f->names[i].asked, p->names[i].content) &&
		       cs_span_equal(f->names[i].oid, p->names[i].oid);
	if (!same)
		conflict(b, "san", "has other alternative names");
}

/* Usages, the CA bit, the key, the dates. */
static void compare_rest(const struct built *b)
{
	const struct cs_cert_facts *f = b->facts;
	const struct cs_plan *p = b->plan;
	bool same = f->ext_key_usage_n == p->ext_key_usage_n;

	if (f->has_key_usage != (p->key_usage != 0) ||
	    (f->has_key_usage &&
	     (f->key_usage != p->key_usage ||
	      f->key_usage_critical != p->key_usage_critical)))
		conflict(b, "extensions.key_usage", "has another key usage");
	for (size_t i = 0; same && i < f->ext_key_usage_n; i++)
		same = cs_span_equal(f->ext_key_usage[i], p->ext_key_usage[i]);
	if (!same || (f->has_ext_key_usage &&
		      f->ext_key_usage_critical != p->ext_key_usage_critical))
		conflict(b, "extensions.ext_key_usage",
			 "has another extended key usage");
	if (f->ca != p->ca || f->has_path_len != p->has_path_len ||
	    (f->has_path_len && f->path_len != p->path_len))
		conflict(b, "extensions.basic_constraints",
			 "has other basic constraints");
	if (!cs_span_equal(f->key.spki, b->j->facts->csr.key.spki))
		conflict(b, "key", "has another key");
	if (b->not_before_s != p->not_before_s ||
	    b->not_after_s != p->not_after_s)
		conflict(b, "validity", "has other dates");
}

/* Extensions that come from the plan's lists, or from the issuer itself. */
static bool is_expected(const struct cs_plan *p, const struct cs_fact_ext *e)
{
	const struct {
		struct cs_span oid;
		bool wanted;
	} known[] = {
		{CS_SPAN_LIT("\x55\x1d\x0e"), true}, /* SKI, RFC 5280 4.2.1.2 */
		{CS_SPAN_LIT("\x55\x1d\x23"), true}, /* AKI, 4.2.1.1 */
		{CS_SPAN_LIT("\x55\x1d\x20"), p->policies_n > 0},
		{CS_SPAN_LIT("\x55\x1d\x1f"), p->crl_urls_n > 0},
		{CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x01\x01"),
		 p->ocsp_urls_n + p->ca_issuers_urls_n > 0},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (cs_span_equal(e->oid, known[i].oid))
			return known[i].wanted;
	}
	for (size_t i = 0; i < p->extensions_n; i++) {
		if (cs_span_equal(e->oid, p->extensions[i].oid))
			return e->critical == p->extensions[i].critical &&
			       cs_span_equal(e->value, p->extensions[i].value);
	}
	return false;
}

/* Does the certificate have this one? */
static bool is_built(const struct cs_cert_facts *f, struct cs_span oid)
{
	for (size_t i = 0; i < f->extensions_n; i++) {
		if (cs_span_equal(f->extensions[i].oid, oid))
			return true;
	}
	return false;
}

/* Every further extension must have been decided, and be there. */
static void compare_extensions(const struct built *b)
{
	for (size_t i = 0; i < b->plan->extensions_n; i++) {
		if (!is_built(b->facts, b->plan->extensions[i].oid))
			conflict(b, "extensions",
				 "lacks an extension that was decided");
	}
	for (size_t i = 0; i < b->facts->extensions_n; i++) {
		if (!is_expected(b->plan, &b->facts->extensions[i]))
			conflict(b, "extensions",
				 "has an extension that was not decided");
	}
}

/* Is the value one of the policy's own? */
static bool is_own(const struct cs_attr_rules *a, struct cs_span value)
{
	for (size_t i = 0; i < a->set.n; i++) {
		if (cs_span_equal(a->set.items[i], value))
			return true;
	}
	for (size_t i = 0; i < a->fallback.n; i++) {
		if (cs_span_equal(a->fallback.items[i], value))
			return true;
	}
	return false;
}

/* One attribute by its rules; values of the policy's own need no allow. */
static void judge_attr(const struct built *b, const struct cs_fact_attr *attr)
{
	const struct cs_subject_rules *s = &b->j->policy->subject;
	const struct cs_attr_rules *a = cs_decide_attr_rules(s, attr->oid);
	const struct cs_rule *rule = NULL;
	struct cs_attr_rules strict;
	struct cs_cn cn = {0};
	struct cs_span field = cs_decide_field(
		b->j,
		a != NULL ? a->field : cs_decide_attr_field(b->j, attr->oid),
		attr->index);

	if (a == NULL) {
		cs_decide_refuse(
			b->j, CS_CODE_SUBJECT_UNLISTED, field, attr->value,
			&s->unlisted.rule, cs_span_make(NULL, 0),
			"%.*s is not covered: the policy does not "
			"mention %.*s",
			CS_SPAN_FMT(attr->value),
			CS_SPAN_FMT(cs_decide_attr_field(b->j, attr->oid)));
		return;
	}
	if (is_own(a, attr->value))
		return;
	if (a->is_cn)
		cn = cs_decide_cn(b->j, attr->value);
	/* Nothing is dropped any more. */
	strict = *a;
	strict.on_violation = CS_ON_VIOLATION_REJECT;
	(void)cs_decide_attr_value(b->j, &strict, field, attr->value,
				   a->is_cn ? &cn : NULL, &rule);
}

/* The names and the subject by their rules. */
static void judge_names(const struct built *b)
{
	for (size_t i = 0; i < b->facts->subject_n; i++)
		judge_attr(b, &b->facts->subject[i]);
	for (size_t i = 0; i < b->facts->names_n; i++) {
		const struct cs_fact_name *name = &b->facts->names[i];
		struct cs_name_violation v;

		if (cs_decide_name_violation(&b->j->policy->san, name, &v))
			cs_decide_refuse(
				b->j, v.code, cs_decide_name_field(b->j, name),
				name->canonical, v.rule, v.expect,
				"%.*s %s%.*s", CS_SPAN_FMT(name->canonical),
				v.words, CS_SPAN_FMT(v.phrase));
	}
}

/* Usages that are neither allowed nor the policy's own. */
static void judge_usages(const struct built *b)
{
	const struct cs_key_usage_rules *ku = &b->j->policy->ext.key_usage;
	const struct cs_ext_key_usage_rules *eku =
		&b->j->policy->ext.ext_key_usage;
	const struct cs_span none = {0};
	unsigned may = ku->has_set ? ku->set : ku->allow | ku->fallback;

	if ((b->facts->key_usage & ~may) != 0)
		cs_decide_refuse(b->j, CS_CODE_KEY_USAGE_NOT_ALLOWED,
				 CS_SPAN_LIT("extensions.key_usage"), none,
				 &ku->allow_rule, ku->expect,
				 "a key usage is not allowed");
	for (size_t i = 0; i < b->facts->ext_key_usage_n; i++) {
		struct cs_match_value v =
			cs_match_text(b->facts->ext_key_usage[i]);
		const struct cs_values *own =
			eku->set.present ? &eku->set : &eku->fallback;
		bool ok = !eku->set.present && cs_match_all(&eku->allow, &v);

		for (size_t k = 0; !ok && k < own->n; k++)
			ok = cs_span_equal(own->items[k], v.text);
		if (!ok)
			cs_decide_refuse(
				b->j, CS_CODE_EXT_KEY_USAGE_NOT_ALLOWED,
				cs_decide_field(
					b->j,
					CS_SPAN_LIT("extensions.ext_key_usage"),
					i),
				none, &eku->allow.rule, eku->allow.expect,
				"an extended key usage is not allowed");
	}
}

/* Key, dates, CA bit. */
static void judge_rest(const struct built *b)
{
	const struct cs_policy *p = b->j->policy;
	const struct cs_span none = {0};

	if (!cs_decide_key_allowed(&p->key, &b->facts->key))
		cs_decide_refuse(
			b->j, CS_CODE_KEY_NOT_ALLOWED, CS_SPAN_LIT("key"),
			cs_decide_key_text(b->j, &b->facts->key), &p->key.rule,
			p->key.expect, "the key is not %.*s",
			CS_SPAN_FMT(p->key.expect));
	if (b->not_after_s - b->not_before_s > p->validity.max_s)
		cs_decide_refuse(b->j, CS_CODE_VALIDITY_TOO_LONG,
				 CS_SPAN_LIT("validity"), none,
				 &p->validity.max, none,
				 "the validity is too long");
	if (!cs_decide_constraints_allowed(&p->ext.constraints, b->facts->ca,
					   b->facts->has_path_len,
					   b->facts->path_len))
		cs_decide_refuse(b->j, CS_CODE_BASIC_CONSTRAINTS_NOT_ALLOWED,
				 CS_SPAN_LIT("extensions.basic_constraints"),
				 none, &p->ext.constraints.rule, none,
				 "these basic constraints are not allowed");
}

/* min and max of each kind, of all, and of attributes. */
static void judge_counts(const struct built *b)
{
	const struct cs_policy *p = b->j->policy;
	const struct cs_sans_rules *san = &p->san;
	size_t n[CS_NAME_KINDS] = {0}, total = b->facts->names_n;
	bool ok = (!san->min_total.present || total >= san->min_total.value) &&
		  (!san->max_total.present || total <= san->max_total.value);

	for (size_t i = 0; i < total; i++)
		n[b->facts->names[i].kind]++;
	for (int k = 0; k < CS_SAN_KINDS; k++) {
		const struct cs_san_rules *r = &san->kind[k];

		ok = ok && (!r->min.present || n[k] >= r->min.value) &&
		     (!r->max.present || n[k] <= r->max.value);
	}
	for (size_t i = 0; i < p->subject.n; i++) {
		const struct cs_attr_rules *a = &p->subject.attrs[i];
		size_t count = 0;

		for (size_t k = 0; k < b->facts->subject_n; k++)
			count +=
				cs_span_equal(b->facts->subject[k].oid, a->oid);
		ok = ok && (!a->max.present || count <= a->max.value) &&
		     (!a->min.present || count >= a->min.value);
	}
	if (!ok && !cs_decide_waives(b->j, CS_CODE_SAN_TOO_MANY))
		conflict(b, "san", "has more or fewer names than allowed");
}

bool cs_policy_judge_built(const struct cs_policy_set *set,
			   const struct cs_facts *facts,
			   const struct cs_cert_facts *built,
			   int64_t not_before_s, int64_t not_after_s,
			   struct cs_arena *arena, struct cs_verdict *verdict,
			   struct cs_error *err)
{
	struct cs_decide j = {.policy = verdict->rules,
			      .facts = facts,
			      .arena = arena,
			      .guards = set->guards,
			      .guards_n = set->guards_n,
			      .v = verdict,
			      .built = true};
	const struct built b = {&j, built, &verdict->plan, not_before_s,
				not_after_s};

	if (j.policy == NULL || verdict->set_sha256 != set->sha256)
		return cs_error_set(err, CS_E_INTERNAL,
				    "phase D without the set that governs");
	verdict->reached = CS_PHASE_BUILD;
	cs_decide_guards(&j, built);
	compare_names(&b);
	compare_rest(&b);
	compare_extensions(&b);
	judge_names(&b);
	judge_usages(&b);
	judge_rest(&b);
	judge_counts(&b);
	if (j.no_memory)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory to judge the certificate");
	return true;
}
