#include "issuer/ca_request.h"

#include "base/codec.h"
#include "base/der.h"
#include "issuer/csr.h"
#include "issuer/keygen_parts.h"
#include "issuer/newfile.h"
#include "issuer/oids.h"
#include "issuer/tbs.h"
#include "issuer/tbs_parts.h"

/* RFC 5280 A.1: ub-common-name, ub-organization-name. */
#define UB_NAME 64

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for a CA's CSR");
}

/* -- making --------------------------------------------------------------- */

static bool check_text(struct cs_span text, struct cs_error *err)
{
	if (text.n <= UB_NAME && cs_codec_is_utf8(text))
		return true;
	return cs_error_set(err, CS_E_USAGE,
			    "RFC 5280 A.1: a CA's name and organization have "
			    "1 to %d bytes of UTF-8: \"%.*s\"",
			    UB_NAME, CS_SPAN_FMT(text));
}

static bool write_subject(const struct cs_ca_request *c, struct cs_buf *out,
			  struct cs_error *err)
{
	struct cs_plan_attr attrs[2];
	size_t n = 0;

	if (c->subject.n > 0) {
		cs_der_write_raw(out, c->subject);
		return true;
	}
	if (!check_text(c->organization, err) || !check_text(c->name, err))
		return false;
	if (c->organization.n > 0)
		attrs[n++] = (struct cs_plan_attr){
			.oid = CS_SPAN_LIT(CS_OID_ORGANIZATION),
			.value = c->organization};
	attrs[n++] = (struct cs_plan_attr){
		.oid = CS_SPAN_LIT(CS_OID_COMMON_NAME), .value = c->name};
	return cs_tbs_name(attrs, n, out, err);
}

/* RFC 2986 4.1, RFC 2985 5.4.2 */
static bool write_info(struct cs_keygen_work *w, const struct cs_ca_request *c,
		       const struct cs_fact_key *key, struct cs_buf *out,
		       struct cs_error *err)
{
	const struct cs_plan plan = {
		.ca = true, .has_path_len = true, .path_len = c->path_len};
	struct cs_tbs_request_marks m;
	uint8_t id[20];

	if (!cs_tbs_key_id(w->hash, key, id, err))
		return false;
	cs_tbs_request_begin(out, &m);
	if (!write_subject(c, out, err))
		return false;
	cs_tbs_request_extensions(out, key->spki, &m);
	cs_tbs_ext_ski(out, cs_span_make(id, sizeof(id)));
	cs_tbs_ext_key_usage(out, CS_KU_CERT_SIGN | CS_KU_CRL_SIGN,
			     CS_TBS_CRITICAL);
	cs_tbs_ext_constraints(out, &plan);
	cs_tbs_request_end(out, &m);
	return cs_buf_finish(out, "CSR", err);
}

/* Make the key and write its file, or read the one there is. */
static bool take_key(struct cs_keygen_work *w, const struct cs_ca_request *c,
		     struct cs_key **ret_key, struct cs_fact_key *ret_facts,
		     struct cs_error *err)
{
	struct cs_secret passphrase = {0};
	bool ok;

	ok = cs_keygen_passphrase(c->passphrase.fd, &passphrase, err) ||
	     cs_error_prefix(err, "%s", c->passphrase.name);
	ok = ok && (cs_keygen_same_protection(c->before.fd, &passphrase, err) ||
		    cs_error_prefix(err, "%s", c->before.name));
	if (ok && c->from.fd >= 0) {
		*ret_key = cs_key_read(
			c->from.fd, passphrase.n > 0 ? &passphrase : NULL, err);
		ok = (*ret_key != NULL &&
		      cs_keygen_facts(w, *ret_key, ret_facts, err)) ||
		     cs_error_prefix(err, "%s", c->from.name);
	} else if (ok) {
		ok = cs_keygen_key(w, c->kind, ret_key, ret_facts, err) &&
		     cs_key_write(*ret_key, c->key, &passphrase, err);
	}
	cs_secret_done(&passphrase);
	return ok;
}

/* In the child. */
static bool make(const void *what, struct cs_buf *out, struct cs_error *err)
{
	const struct cs_ca_request *c = what;
	CS_CLEANUP(cs_buf_done) struct cs_buf info, der, pem;
	struct cs_fact_key facts;
	struct cs_keygen_work w;
	struct cs_key *key = NULL;
	bool ok;

	(void)out;
	cs_buf_init(&info, CS_MAX_CSR_DER);
	cs_buf_init(&der, CS_MAX_CSR_DER);
	cs_buf_init(&pem, CS_MAX_PEM_FILE);
	ok = cs_keygen_work_init(&w, err) &&
	     take_key(&w, c, &key, &facts, err) &&
	     write_info(&w, c, &facts, &info, err) &&
	     cs_keygen_sign(key, cs_sigalg_for_key(&facts), cs_buf_span(&info),
			    &der, err);
	if (ok)
		cs_codec_pem("CERTIFICATE REQUEST", cs_buf_span(&der), &pem);
	ok = ok && cs_buf_finish(&pem, "CSR", err) &&
	     cs_newfile_write(c->request, 0644, cs_buf_span(&pem), err);
	cs_key_free(key);
	cs_keygen_work_done(&w);
	return ok;
}

bool cs_ca_request_in_child(const struct cs_ca_request *c, struct cs_error *err)
{
	return cs_keygen_in_child(make, c, NULL, err);
}

/* -- reading -------------------------------------------------------------- */

/* Name and organization of the subject, for people. */
static bool subject_text(const struct cs_cert_facts *facts,
			 struct cs_arena *arena, struct cs_span *ret,
			 struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_CSR_DER);
	for (size_t i = facts->subject_n; i-- > 0;) {
		const struct cs_fact_attr *a = &facts->subject[i];
		const char *name =
			cs_span_equal(a->oid, CS_SPAN_LIT(CS_OID_COMMON_NAME))
				? "CN"
			: cs_span_equal(a->oid,
					CS_SPAN_LIT(CS_OID_ORGANIZATION))
				? "O"
				: NULL;

		if (name == NULL)
			continue;
		cs_buf_addf(&text, "%s%s=", text.n > 0 ? "," : "", name);
		cs_buf_add(&text, a->value);
	}
	return (cs_buf_ok(&text) &&
		cs_arena_dup(arena, cs_buf_span(&text), ret)) ||
	       no_memory(err);
}

/* DER, by the reader that reads everybody's. */
static bool read_der(struct cs_crypto *crypto, struct cs_span der,
		     struct cs_arena *arena, struct cs_ca_request_facts *f,
		     struct cs_error *err)
{
	struct cs_findings findings;
	struct cs_cert_facts facts;
	struct cs_span copy;

	if (!cs_arena_dup(arena, der, &copy))
		return no_memory(err);
	cs_findings_init(&findings, arena);
	if (!cs_csr_read(crypto, copy, arena, &facts, &findings, err))
		return false;
	if (findings.n > 0)
		return cs_error_set(err, CS_E_FORMAT, "%.*s",
				    CS_SPAN_FMT(findings.items[0].message));
	f->key = facts.key;
	return subject_text(&facts, arena, &f->subject_text, err);
}

bool cs_ca_request_read(struct cs_span pem, struct cs_arena *arena,
			struct cs_ca_request_facts *ret_facts,
			struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	struct cs_ca_request_facts f = {0};
	struct cs_crypto *crypto;
	bool found = false, ok;

	cs_buf_init(&der, CS_MAX_CSR_DER);
	if (!cs_codec_pem_next("CERTIFICATE REQUEST", &pem, &der, &found, err))
		return false;
	if (!found)
		return cs_error_set(err, CS_E_FORMAT, "no CSR is there");
	crypto = cs_crypto_new(err);
	ok = crypto != NULL &&
	     read_der(crypto, cs_buf_span(&der), arena, &f, err);
	cs_crypto_free(crypto);
	if (ok)
		*ret_facts = f;
	return ok;
}
