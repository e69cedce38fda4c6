#include "policy/decide.h"
#include "policy/usage.h"

/* Is the OID in the list? */
static bool lists(const struct cs_span *oids, size_t n, struct cs_span oid)
{
	for (size_t i = 0; i < n; i++) {
		if (cs_span_equal(oids[i], oid))
			return true;
	}
	return false;
}

/* The body's words, into bits and OIDs without repetition. */
static void read_words(struct cs_decide *j, struct cs_asked_usages *u)
{
	const struct cs_request_facts *r = &j->facts->request;

	u->oids = cs_decide_new(j, r->usages_n, sizeof(*u->oids));
	if (u->oids == NULL)
		return;
	for (size_t i = 0; i < r->usages_n; i++) {
		struct cs_error err = {0};
		struct cs_usage usage;

		if (!cs_usage_parse(r->usages[i], j->arena, &usage, &err)) {
			cs_decide_refuse(
				j, CS_CODE_USAGES_MALFORMED,
				cs_decide_field(
					j, CS_SPAN_LIT("request.usages"), i),
				r->usages[i], cs_decide_builtin(),
				cs_span_make(NULL, 0), "%s", err.text);
			continue;
		}
		u->key_usage |= usage.key_usage;
		if (usage.key_usage == 0 &&
		    !lists(u->oids, u->oids_n, usage.oid))
			u->oids[u->oids_n++] = usage.oid;
	}
}

/* Are the CSR's extended usages the same set as the body's? */
static bool same_set(const struct cs_cert_facts *csr,
		     const struct cs_asked_usages *u)
{
	for (size_t i = 0; i < csr->ext_key_usage_n; i++) {
		if (!lists(u->oids, u->oids_n, csr->ext_key_usage[i]))
			return false;
	}
	for (size_t i = 0; i < u->oids_n; i++) {
		if (!lists(csr->ext_key_usage, csr->ext_key_usage_n,
			   u->oids[i]))
			return false;
	}
	return true;
}

/* Body and CSR both state usages: an extension must say the same. */
static void check_conflict(struct cs_decide *j, const struct cs_asked_usages *u)
{
	const struct cs_cert_facts *csr = &j->facts->csr;
	const struct cs_span none = {0};

	if (csr->has_key_usage && csr->key_usage != u->key_usage)
		cs_decide_refuse(j, CS_CODE_USAGES_CONFLICT,
				 CS_SPAN_LIT("extensions.key_usage"), none,
				 cs_decide_builtin(), none,
				 "the CSR's key usage differs from the usages "
				 "of the request's body; state them in one "
				 "place, or the same in both");
	if (csr->has_ext_key_usage && !same_set(csr, u))
		cs_decide_refuse(
			j, CS_CODE_USAGES_CONFLICT,
			CS_SPAN_LIT("extensions.ext_key_usage"), none,
			cs_decide_builtin(), none,
			"the CSR's extended key usage differs from the "
			"usages of the request's body; state them in "
			"one place, or the same in both");
}

void cs_decide_usages(struct cs_decide *j)
{
	const struct cs_cert_facts *csr = &j->facts->csr;
	const struct cs_request_facts *r = &j->facts->request;

	if (r->has_usages && r->usages_n > 0) {
		read_words(j, &j->asked);
		if (j->v->findings.n == 0)
			check_conflict(j, &j->asked);
	} else {
		j->asked.key_usage = csr->has_key_usage ? csr->key_usage : 0;
		j->asked.oids = csr->ext_key_usage;
		j->asked.oids_n = csr->ext_key_usage_n;
	}
	if (r->has_is_ca && csr->has_basic_constraints && r->is_ca != csr->ca)
		cs_decide_refuse(j, CS_CODE_BASIC_CONSTRAINTS_CONFLICT,
				 CS_SPAN_LIT("extensions.basic_constraints"),
				 cs_span_make(NULL, 0), cs_decide_builtin(),
				 cs_span_make(NULL, 0),
				 "the CSR and the request's body disagree "
				 "about the CA bit");
}

/* "digital signature, key agreement" */
static struct cs_span bits_text(struct cs_decide *j, unsigned bits)
{
	struct cs_span text = {0};

	if (!cs_usage_bits_text(bits, j->arena, &text))
		j->no_memory = true;
	return text;
}

/* Asked bits against allow; what stands of them. */
static unsigned allowed_bits(struct cs_decide *j,
			     const struct cs_key_usage_rules *r,
			     struct cs_span field)
{
	unsigned asked = j->asked.key_usage;
	unsigned allow = r->has_allow ? r->allow : 0;
	bool waives = cs_decide_waives(j, CS_CODE_KEY_USAGE_NOT_ALLOWED);

	for (unsigned bit = 1; bit <= asked; bit <<= 1) {
		struct cs_span word = cs_usage_bit_word(bit);

		if ((asked & bit) == 0 || (allow & bit) != 0)
			continue;
		if (r->on_violation == CS_ON_VIOLATION_DROP && !waives)
			cs_decide_diff(j, CS_DISPOSITION_DROPPED, field, &word,
				       NULL, &r->allow_rule);
		else
			cs_decide_refuse(j, CS_CODE_KEY_USAGE_NOT_ALLOWED,
					 field, word, &r->allow_rule, r->expect,
					 "the key usage %.*s is not allowed",
					 CS_SPAN_FMT(word));
	}
	return waives ? asked : asked & allow;
}

/*
 * The bits that this key can serve and that one of the purposes has a use
 * for: keys of elliptic curves do not encipher (RFC 8813 3, RFC 8410 5), and
 * a TLS client's key does not either (RFC 5280 4.2.1.12). A CA's extended
 * usages are about those below it.
 */
static unsigned useful_bits(const struct cs_decide *j, unsigned asked)
{
	const struct cs_plan *plan = &j->v->plan;
	unsigned ca = CS_KU_CERT_SIGN | CS_KU_CRL_SIGN;
	unsigned bits = ca;

	if (plan->ext_key_usage_n == 0 || (asked & ca) != 0)
		bits = ~0u;
	for (size_t i = 0; i < plan->ext_key_usage_n; i++)
		bits |= cs_usage_oid_bits(plan->ext_key_usage[i]);
	if (j->facts->csr.key.alg != CS_KEY_RSA)
		bits &= ~(unsigned)(CS_KU_KEY_ENCIPHERMENT |
				    CS_KU_DATA_ENCIPHERMENT);
	return bits;
}

/*
 * Many clients ask for useless bits, cert-manager by default; so they are
 * dropped, and the diff says so.
 */
static unsigned possible_bits(struct cs_decide *j, unsigned bits,
			      struct cs_span field)
{
	unsigned useful = useful_bits(j, bits);

	for (unsigned bit = 1; bit <= bits; bit <<= 1) {
		struct cs_span word = cs_usage_bit_word(bit);

		if ((bits & ~useful & bit) != 0)
			cs_decide_diff(j, CS_DISPOSITION_DROPPED, field, &word,
				       NULL, cs_decide_builtin());
	}
	return bits & useful;
}

void cs_decide_key_usage(struct cs_decide *j)
{
	const struct cs_key_usage_rules *r = &j->policy->ext.key_usage;
	const struct cs_span field = CS_SPAN_LIT("extensions.key_usage");
	unsigned asked = j->asked.key_usage, given = asked;
	struct cs_span was, is;

	if (!r->has_set || r->has_allow)
		given = possible_bits(j, allowed_bits(j, r, field), field);
	if (r->has_set && r->set != asked) {
		was = bits_text(j, asked);
		is = bits_text(j, r->set);
		cs_decide_diff(j, CS_DISPOSITION_OVERRIDDEN, field,
			       asked != 0 ? &was : NULL, &is, &r->set_rule);
	} else if (!r->has_set && given == 0 && r->has_default) {
		given = r->fallback;
		is = bits_text(j, given);
		cs_decide_diff(j, CS_DISPOSITION_DEFAULTED, field, NULL, &is,
			       &r->fallback_rule);
	} else if (asked != 0 && (given == asked || r->has_set)) {
		cs_decide_kept(j, field);
	}
	j->v->plan.key_usage = r->has_set ? r->set : given;
	j->v->plan.key_usage_critical = r->critical;
}

/* The word of an extended key usage. */
static struct cs_span oid_word(struct cs_decide *j, struct cs_span oid)
{
	struct cs_span word = {0};

	if (!cs_usage_oid_word(oid, j->arena, &word))
		j->no_memory = true;
	return word;
}

/* Put an extended key usage into the plan. */
static void give(struct cs_decide *j, struct cs_span oid)
{
	j->v->plan.ext_key_usage[j->v->plan.ext_key_usage_n++] = oid;
}

/* One asked usage against allow; with `set` it is given there. */
static void judge_oid(struct cs_decide *j,
		      const struct cs_ext_key_usage_rules *r, size_t i)
{
	struct cs_span oid = j->asked.oids[i];
	struct cs_match_value v = cs_match_text(oid);
	struct cs_span word = oid_word(j, oid);
	struct cs_span field =
		cs_decide_field(j, CS_SPAN_LIT("extensions.ext_key_usage"), i);

	bool waives = cs_decide_waives(j, CS_CODE_EXT_KEY_USAGE_NOT_ALLOWED);
	bool allowed = cs_match_all(&r->allow, &v);

	if (!allowed && (r->on_violation != CS_ON_VIOLATION_DROP || waives))
		cs_decide_refuse(j, CS_CODE_EXT_KEY_USAGE_NOT_ALLOWED, field,
				 word, &r->allow.rule, r->allow.expect,
				 "the extended key usage %.*s is not allowed",
				 CS_SPAN_FMT(word));
	else if (!allowed && !r->set.present)
		cs_decide_diff(j, CS_DISPOSITION_DROPPED, field, &word, NULL,
			       &r->allow.rule);
	/* With `set` it is given there. */
	if ((allowed || waives) && !r->set.present) {
		cs_decide_kept(j, field);
		give(j, oid);
	}
}

/* set: the k-th asked one gives way to the k-th of the policy. */
static void override(struct cs_decide *j, const struct cs_values *set)
{
	size_t n = set->n > j->asked.oids_n ? set->n : j->asked.oids_n;

	for (size_t k = 0; k < n; k++) {
		struct cs_span field = cs_decide_field(
			j, CS_SPAN_LIT("extensions.ext_key_usage"), k);
		bool had = k < j->asked.oids_n, has = k < set->n;
		struct cs_span was = {0}, is = {0};

		if (has)
			give(j, set->items[k]);
		if (had && has &&
		    cs_span_equal(j->asked.oids[k], set->items[k])) {
			cs_decide_kept(j, field);
			continue;
		}
		if (had)
			was = oid_word(j, j->asked.oids[k]);
		if (has)
			is = oid_word(j, set->items[k]);
		cs_decide_diff(j, CS_DISPOSITION_OVERRIDDEN, field,
			       had ? &was : NULL, has ? &is : NULL, &set->rule);
	}
}

/* default: where nothing is left. */
static void fill(struct cs_decide *j, const struct cs_values *fallback)
{
	for (size_t k = 0; k < fallback->n; k++) {
		struct cs_span is = oid_word(j, fallback->items[k]);

		cs_decide_diff(
			j, CS_DISPOSITION_DEFAULTED,
			cs_decide_field(
				j, CS_SPAN_LIT("extensions.ext_key_usage"), k),
			NULL, &is, &fallback->rule);
		give(j, fallback->items[k]);
	}
}

void cs_decide_ext_key_usage(struct cs_decide *j)
{
	const struct cs_ext_key_usage_rules *r = &j->policy->ext.ext_key_usage;
	struct cs_plan *plan = &j->v->plan;

	plan->ext_key_usage =
		cs_decide_new(j, j->asked.oids_n + r->set.n + r->fallback.n,
			      sizeof(*plan->ext_key_usage));
	if (plan->ext_key_usage == NULL)
		return;
	plan->ext_key_usage_critical = r->critical;
	if (!r->set.present || r->allow.present) {
		for (size_t i = 0; i < j->asked.oids_n; i++)
			judge_oid(j, r, i);
	}
	if (r->set.present)
		override(j, &r->set);
	else if (plan->ext_key_usage_n == 0)
		fill(j, &r->fallback);
}
