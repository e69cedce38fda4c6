#include "base/der.h"
#include "policy/decide.h"

/* "extensions.1.2.3" */
static struct cs_span field_of(struct cs_decide *j, struct cs_span oid)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_span field = {0};

	cs_buf_init(&b, 16 * CS_MAX_OID);
	cs_buf_add_str(&b, "extensions.");
	cs_der_oid_text(oid, &b);
	if (!cs_buf_ok(&b) || !cs_arena_dup(j->arena, cs_buf_span(&b), &field))
		j->no_memory = true;
	return field;
}

/* -- basic constraints ----------------------------------------------------- */

bool cs_decide_constraints_allowed(const struct cs_constraints_rules *rules,
				   bool ca, bool has_path_len,
				   unsigned path_len)
{
	if (!ca)
		return true;
	if (!rules->ca)
		return false;
	return !rules->has_path_len ||
	       (has_path_len && path_len <= rules->path_len);
}

/* How many CAs may stand below; where the request does not say, the rule. */
static void judge_path_len(struct cs_decide *j, struct cs_span field)
{
	const struct cs_constraints_rules *r = &j->policy->ext.constraints;
	const struct cs_cert_facts *csr = &j->facts->csr;
	struct cs_plan *plan = &j->v->plan;
	struct cs_span is;

	plan->has_path_len = csr->has_path_len || r->has_path_len;
	plan->path_len = csr->has_path_len ? csr->path_len : r->path_len;
	if (csr->has_path_len && r->has_path_len && csr->path_len > r->path_len)
		cs_decide_refuse(j, CS_CODE_BASIC_CONSTRAINTS_NOT_ALLOWED,
				 field, CS_SPAN_LIT("CA:TRUE"), &r->path_rule,
				 CS_SPAN_LIT("a smaller path length"),
				 "RFC 5280 4.2.1.9: the path length %u is "
				 "greater than %u",
				 csr->path_len, r->path_len);
	if (csr->has_path_len || !r->has_path_len) {
		cs_decide_kept(j, field);
		return;
	}
	is = cs_span_str(
		cs_arena_printf(j->arena, "CA:TRUE, pathlen:%u", r->path_len));
	if (is.p == NULL)
		j->no_memory = true;
	cs_decide_diff(j, CS_DISPOSITION_DEFAULTED, field, NULL, &is,
		       &r->path_rule);
}

/* The CA bit, of CSR or body. */
static void judge_ca(struct cs_decide *j)
{
	const struct cs_facts *f = j->facts;
	const struct cs_constraints_rules *r = &j->policy->ext.constraints;
	const struct cs_span field =
		CS_SPAN_LIT("extensions.basic_constraints");
	bool asked = (f->request.has_is_ca && f->request.is_ca) || f->csr.ca;

	if (!asked) {
		if (f->csr.has_basic_constraints)
			cs_decide_kept(j, field);
		return;
	}
	if (!r->ca) {
		cs_decide_refuse(j, CS_CODE_BASIC_CONSTRAINTS_NOT_ALLOWED,
				 field, CS_SPAN_LIT("CA:TRUE"), &r->rule,
				 CS_SPAN_LIT("CA:FALSE"),
				 "CA certificates are not allowed");
		return;
	}
	j->v->plan.ca = true;
	judge_path_len(j, field);
}

/* -- what the policy gives --------------------------------------------------
 */

/* The request's extension with this OID; NULL: none. */
static const struct cs_fact_ext *asked_ext(const struct cs_decide *j,
					   struct cs_span oid)
{
	const struct cs_cert_facts *csr = &j->facts->csr;

	for (size_t i = 0; i < csr->extensions_n; i++) {
		if (cs_span_equal(csr->extensions[i].oid, oid))
			return &csr->extensions[i];
	}
	return NULL;
}

/* An extension's place in the plan, of which there are enough. */
static void give(struct cs_decide *j, struct cs_span oid, struct cs_span value,
		 bool critical)
{
	struct cs_plan *plan = &j->v->plan;

	plan->extensions[plan->extensions_n++] = (struct cs_plan_ext){
		.oid = oid, .value = value, .critical = critical};
}

/* One of its own: added, or instead of the request's. */
static void give_own(struct cs_decide *j, const struct cs_own_ext *own)
{
	const struct cs_fact_ext *asked = asked_ext(j, own->oid);
	const struct cs_span was = CS_SPAN_LIT("another value");

	if (own->der.n > 0)
		give(j, own->oid, own->der, own->critical);
	if (asked == NULL)
		cs_decide_diff(j, CS_DISPOSITION_ADDED, own->field, NULL,
			       &own->shown, &own->rule);
	else if (own->der.n > 0 && asked->critical == own->critical &&
		 cs_span_equal(asked->value, own->der))
		cs_decide_kept(j, own->field);
	else
		cs_decide_diff(j, CS_DISPOSITION_OVERRIDDEN, own->field, &was,
			       &own->shown, &own->rule);
}

/* All of them; lists are the policy's own. */
static void give_all(struct cs_decide *j)
{
	const struct cs_ext_rules *r = &j->policy->ext;
	struct cs_plan *plan = &j->v->plan;

	plan->policies = r->policies.items;
	plan->policies_n = r->policies.n;
	plan->ocsp_urls = r->ocsp.items;
	plan->ocsp_urls_n = r->ocsp.n;
	plan->ca_issuers_urls = r->ca_issuers.items;
	plan->ca_issuers_urls_n = r->ca_issuers.n;
	plan->crl_urls = r->crl_dp.items;
	plan->crl_urls_n = r->crl_dp.n;
	plan->no_rev_avail = r->no_rev_avail;
	for (size_t i = 0; i < r->own_n; i++)
		give_own(j, &r->own[i]);
}

/* -- what was asked ---------------------------------------------------------
 */

/* Passed on as it is, when it is one DER element and not too long. */
static void pass(struct cs_decide *j, const struct cs_pass_rule *p,
		 const struct cs_fact_ext *e)
{
	struct cs_span field = field_of(j, e->oid);
	const struct cs_span none = {0};
	struct cs_error why = {0};

	if (e->value.n > p->max_bytes)
		cs_decide_refuse(j, CS_CODE_EXTENSION_TOO_LONG, field, none,
				 &p->rule, none,
				 "the extension has %zu octets, at most %zu "
				 "are allowed",
				 e->value.n, p->max_bytes);
	/*= RFC 5280 4.2: extnValue is the DER encoding of an ASN.1 value */
	if (!cs_der_check(e->value, "extnValue", &why))
		cs_decide_refuse(j, CS_CODE_EXTENSION_MALFORMED, field, none,
				 &p->rule, none, "RFC 5280 4.2: %s", why.text);
	give(j, e->oid, e->value, e->critical);
	cs_decide_kept(j, field);
}

/* One that the policy does not mention. */
static void unlisted(struct cs_decide *j, const struct cs_fact_ext *e)
{
	const struct cs_unlisted *u = &j->policy->ext.unlisted;
	struct cs_span field = field_of(j, e->oid);
	const struct cs_span value = {0};

	if (u->action == CS_ON_VIOLATION_DROP)
		cs_decide_diff(j, CS_DISPOSITION_DROPPED, field, &value, NULL,
			       &u->rule);
	else
		cs_decide_refuse(
			j, CS_CODE_EXTENSION_UNLISTED, field, value, &u->rule,
			value, "the policy does not mention the extension %.*s",
			CS_SPAN_FMT(cs_span_sub(field, 11, SIZE_MAX)));
}

/* One extension of the request: given already, passed on, or unlisted. */
static void judge_asked(struct cs_decide *j, const struct cs_fact_ext *e)
{
	const struct cs_ext_rules *r = &j->policy->ext;

	for (size_t i = 0; i < r->own_n; i++) {
		if (cs_span_equal(r->own[i].oid, e->oid))
			return;
	}
	for (size_t i = 0; i < r->pass_n; i++) {
		if (cs_span_equal(r->pass[i].oid, e->oid)) {
			pass(j, &r->pass[i], e);
			return;
		}
	}
	unlisted(j, e);
}

void cs_decide_extensions(struct cs_decide *j)
{
	const struct cs_ext_rules *r = &j->policy->ext;
	const struct cs_cert_facts *csr = &j->facts->csr;
	struct cs_plan *plan = &j->v->plan;

	judge_ca(j);
	if (r->own_n + csr->extensions_n == 0)
		return;
	plan->extensions = cs_decide_new(j, r->own_n + csr->extensions_n,
					 sizeof(*plan->extensions));
	if (plan->extensions == NULL)
		return;
	for (size_t i = 0; i < csr->extensions_n; i++)
		judge_asked(j, &csr->extensions[i]);
	give_all(j);
}
