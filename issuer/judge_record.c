/* What a decision leaves for the record: terms, inputs, what a key is for. */
#include <string.h>

#include "base/json.h"
#include "base/terms.h"
#include "base/wire.h"
#include "config.h"
#include "issuer/judge_parts.h"
#include "issuer/oids.h"
#include "policy/name.h"

const char *cs_judge_engine(void)
{
	return PACKAGE_NAME " " PACKAGE_VERSION;
}

/* [{"name":"team","value":"shop"}, ...], in the order of the policy. */
static void write_vars(struct cs_json *j, const struct cs_verdict *v)
{
	cs_json_name(j, "vars");
	cs_json_array(j);
	for (size_t i = 0; i < v->vars_n; i++) {
		const struct cs_policy_value *var = &v->vars[i];

		cs_json_object(j);
		cs_json_member_span(j, "name", var->name);
		cs_json_name(j, "value");
		if (var->is_list)
			cs_json_array(j);
		for (size_t k = 0; k < var->n; k++)
			cs_json_text(j, var->items[k]);
		if (var->is_list)
			cs_json_end(j);
		cs_json_end(j);
	}
	cs_json_end(j);
}

/* Was this code told already? */
static bool is_told(const struct cs_findings *f, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(f->items[k].code, f->items[i].code) == 0)
			return true;
	}
	return false;
}

/* What each policy in shadow would have done, and by which codes. */
static void write_shadows(struct cs_json *j, const struct cs_verdict *v)
{
	cs_json_name(j, "shadow");
	cs_json_array(j);
	for (size_t i = 0; i < v->shadows_n; i++) {
		const struct cs_policy_shadow *s = &v->shadows[i];
		size_t told = 0;

		cs_json_object(j);
		cs_json_name(j, "changed");
		cs_json_bool(j, s->changed);
		cs_json_name(j, "codes");
		cs_json_array(j);
		for (size_t k = 0; k < s->findings.n; k++) {
			if (told == CS_MAX_SHADOW_CODES ||
			    is_told(&s->findings, k))
				continue;
			cs_json_str(j, s->findings.items[k].code);
			told++;
		}
		cs_json_end(j);
		cs_json_member_span(j, "policy", s->policy->name);
		cs_json_member_span(j, "sha256", s->policy->sha256_text);
		cs_json_member_str(j, "verdict",
				   s->refused ? "refused" : "issued");
		cs_json_end(j);
	}
	cs_json_end(j);
}

bool cs_judge_inputs(uint64_t epoch, int64_t now_ms,
		     const struct cs_verdict *verdict, struct cs_buf *out,
		     struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_str(&j, "engine", cs_judge_engine());
	cs_json_member_int(&j, "epoch", (int64_t)epoch);
	cs_json_member_int(&j, "now_ms", now_ms);
	if (verdict->shadows_n > 0)
		write_shadows(&j, verdict);
	if (verdict->vars_n > 0)
		write_vars(&j, verdict);
	cs_json_end(&j);
	return cs_json_finish(&j, "inputs", err);
}

/* -- terms ---------------------------------------------------------------- */

/* One alternative name, by its kind. */
static bool add_name(struct cs_terms *t, const struct cs_fact_name *name)
{
	switch (name->kind) {
	case CS_NAME_DNS:
		return name->canonical.n == 0 ||
		       cs_terms_add_dns(t, name->canonical);
	case CS_NAME_IP:
		return name->canonical.n == 0 ||
		       cs_terms_add(t, CS_TERM_IP, name->content);
	case CS_NAME_URI:
		return cs_terms_add(t, CS_TERM_URI, name->canonical);
	case CS_NAME_EMAIL:
		return cs_terms_add(t, CS_TERM_EMAIL, name->canonical);
	default:
		return true;
	}
}

/* A common name counts as what it reads as. */
static bool add_common_name(struct cs_terms *t, struct cs_span value,
			    struct cs_arena *arena)
{
	struct cs_span canonical;

	if (cs_name_ip_octets(value, arena, &canonical, NULL))
		return cs_terms_add(t, CS_TERM_IP, canonical);
	if (cs_name_dns(value, arena, &canonical, NULL))
		return cs_terms_add_dns(t, canonical);
	return cs_terms_add(t, CS_TERM_CN, value);
}

/* Names, common names and key of what was asked or given. */
static bool add_cert(struct cs_terms *t, const struct cs_cert_facts *cert,
		     struct cs_arena *arena)
{
	bool ok = true;

	for (size_t i = 0; ok && i < cert->names_n; i++)
		ok = add_name(t, &cert->names[i]);
	for (size_t i = 0; ok && i < cert->subject_n; i++) {
		if (cs_span_equal(cert->subject[i].oid,
				  CS_SPAN_LIT(CS_OID_COMMON_NAME)))
			ok = add_common_name(t, cert->subject[i].value, arena);
	}
	if (ok && cert->key.spki.n > 0)
		ok = cs_terms_add(t, CS_TERM_SPKI,
				  cs_span_make(cert->key.spki_sha256, 32));
	return ok;
}

/* Who, where and for whom. */
static bool add_request(struct cs_terms *t, const struct cs_msg_request *m,
			const struct cs_request_facts *f)
{
	return cs_terms_add(t, CS_TERM_REQUESTER, f->requester) &&
	       cs_terms_add(t, CS_TERM_CLIENT, m->client_name) &&
	       cs_terms_add(t, CS_TERM_NAMESPACE, f->namespace) &&
	       cs_terms_add(t, CS_TERM_REALM, m->realm) &&
	       cs_terms_add(t, CS_TERM_ISSUER, m->issuer) &&
	       cs_terms_add(t, CS_TERM_SOURCE, m->source) &&
	       ((m->flags & CS_REQ_SELF) == 0 ||
		cs_terms_add(t, CS_TERM_FLAG, CS_SPAN_LIT("self_approved")));
}

/* Who approved: `by` and `claimed_by` of the approval. */
static bool add_approvers(struct cs_terms *t, const struct cs_msg_request *m)
{
	static const char *const names[] = {"by", "claimed_by"};
	json_t *json;
	bool ok = true;

	if (m->approval.n == 0)
		return true;
	/* Front wrote it: what cannot be read is a want of memory. */
	json = cs_json_parse(m->approval, "approval", NULL);
	if (json == NULL)
		return false;
	for (size_t i = 0; ok && i < 2; i++) {
		const json_t *v = json_object_get(json, names[i]);

		if (json_is_string(v))
			ok = cs_terms_add(t, CS_TERM_APPROVER,
					  cs_span_make(json_string_value(v),
						       json_string_length(v)));
	}
	json_decref(json);
	return ok;
}

static bool add_findings(struct cs_terms *t, const struct cs_findings *findings)
{
	bool ok = true;

	for (size_t i = 0; ok && i < findings->n; i++) {
		const struct cs_finding *f = &findings->items[i];

		ok = cs_terms_add(t, CS_TERM_CODE, cs_span_str(f->code)) &&
		     cs_terms_add(t, CS_TERM_RULE, f->rule) &&
		     cs_terms_add(t, CS_TERM_FIELD, f->field);
	}
	return ok;
}

/* Verdict, policy, and every rule that refused or changed something. */
static bool add_verdict(struct cs_terms *t, const struct cs_verdict *v)
{
	bool refused = cs_verdict_is_refused(v), ok;

	ok = cs_terms_add(t, CS_TERM_VERDICT,
			  cs_span_str(refused ? "refused" : "issued")) &&
	     add_findings(t, &v->findings) &&
	     (refused || add_findings(t, &v->warnings));
	if (ok && v->policy != NULL)
		ok = cs_terms_add(t, CS_TERM_POLICY, v->policy->name) &&
		     cs_terms_add(t, CS_TERM_POLICY, v->policy->sha256_text);
	if (ok && !refused && v->warnings.n > 0)
		ok = cs_terms_add(t, CS_TERM_FLAG, CS_SPAN_LIT("warned"));
	if (!ok || refused)
		return ok;
	if (cs_verdict_is_changed(v))
		ok = cs_terms_add(t, CS_TERM_FLAG, CS_SPAN_LIT("changed"));
	for (size_t i = 0; ok && i < v->diff_n; i++) {
		const struct cs_diff_entry *d = &v->diff[i];

		ok = cs_terms_add(t, CS_TERM_RULE, d->rule) &&
		     cs_terms_add(t, CS_TERM_FIELD, d->field) &&
		     cs_terms_add(
			     t, CS_TERM_DISPOSITION,
			     cs_span_str(cs_disposition_name(d->disposition)));
	}
	return ok;
}

bool cs_judge_terms(const struct cs_msg_request *request,
		    const struct cs_facts *facts,
		    const struct cs_verdict *verdict,
		    const struct cs_tbs_facts *tbs, struct cs_arena *arena,
		    struct cs_buf *out, struct cs_error *err)
{
	struct cs_terms t;
	bool ok;

	cs_terms_init(&t, arena);
	ok = add_request(&t, request, &facts->request) &&
	     add_approvers(&t, request) && add_verdict(&t, verdict) &&
	     add_cert(&t, tbs != NULL ? &tbs->cert : &facts->csr, arena);
	if (ok && tbs != NULL)
		ok = cs_terms_add(&t, CS_TERM_SERIAL, tbs->serial) &&
		     (!tbs->cert.ca ||
		      cs_terms_add(&t, CS_TERM_FLAG, CS_SPAN_LIT("ca")));
	if (!ok)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for search terms");
	cs_terms_encode(&t, out);
	return cs_buf_finish(out, "search terms", err);
}

/* -- what a key is bound to ----------------------------------------------- */

/* Does name a stand before b? */
static bool is_before(const struct cs_fact_name *a,
		      const struct cs_fact_name *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind;
	return cs_span_compare(a->content, b->content) < 0;
}

/* Names in ascending order; there are at most CS_MAX_NAMES. */
static const struct cs_fact_name **sort_names(const struct cs_cert_facts *cert,
					      struct cs_arena *arena)
{
	const struct cs_fact_name **sorted =
		cs_arena_new_array(arena, cert->names_n + 1, sizeof(*sorted));
	size_t at;

	for (size_t i = 0; sorted != NULL && i < cert->names_n; i++) {
		for (at = i;
		     at > 0 && is_before(&cert->names[i], sorted[at - 1]); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = &cert->names[i];
	}
	return sorted;
}

bool cs_judge_subject_key(struct cs_hash *hash, const struct cs_tbs_facts *tbs,
			  struct cs_arena *arena, uint8_t ret_key[32],
			  struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	const struct cs_fact_name **names = sort_names(&tbs->cert, arena);

	cs_buf_init(&text, 2 * CS_MAX_TBS);
	if (names == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory for names");
	cs_wire_put_bytes(&text, tbs->subject);
	for (size_t i = 0; i < tbs->cert.names_n; i++) {
		cs_wire_put_u8(&text, (uint8_t)names[i]->kind);
		cs_wire_put_bytes(&text, names[i]->oid);
		cs_wire_put_bytes(&text, names[i]->content);
	}
	return cs_buf_finish(&text, "subject key", err) &&
	       cs_hash_sha256(hash, cs_buf_span(&text), ret_key, err);
}
