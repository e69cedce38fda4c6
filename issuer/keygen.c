#include "issuer/keygen.h"

#include <string.h>

#include "base/codec.h"
#include "base/der.h"
#include "issuer/ceiling.h"
#include "issuer/keygen_parts.h"
#include "issuer/newfile.h"
#include "issuer/oids.h"
#include "issuer/tbs.h"
#include "issuer/tbs_parts.h"
#include "policy/name.h"

/* One side of a new CA certificate. */
struct party {
	struct cs_key *key;
	struct cs_fact_key facts;
	struct cs_plan_attr subject[2];
	uint8_t key_id[20];
};

/* O=NAME, CN=NAME + ending. */
static bool make_subject(struct cs_keygen_work *w, struct cs_span name,
			 const char *ending, struct cs_plan_attr *subject,
			 struct cs_error *err)
{
	const char *cn = cs_arena_printf(&w->arena, "%.*s %s",
					 CS_SPAN_FMT(name), ending);

	if (cn == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (name.n == 0 || strlen(cn) > 64 || !cs_codec_is_utf8(name))
		return cs_error_set(err, CS_E_ARGUMENT,
				    "RFC 5280 A.1: a CA's name has 1 to %zu "
				    "bytes of UTF-8",
				    64 - strlen(ending) - 1);
	subject[0] = (struct cs_plan_attr){
		.oid = CS_SPAN_LIT(CS_OID_ORGANIZATION), .value = name};
	subject[1] =
		(struct cs_plan_attr){.oid = CS_SPAN_LIT(CS_OID_COMMON_NAME),
				      .value = cs_span_str(cn)};
	return true;
}

static bool party_init(struct cs_keygen_work *w, struct party *p,
		       enum cs_key_kind kind, struct cs_span name,
		       const char *ending, struct cs_error *err)
{
	return make_subject(w, name, ending, p->subject, err) &&
	       cs_keygen_key(w, kind, &p->key, &p->facts, err) &&
	       cs_tbs_key_id(w->hash, &p->facts, p->key_id, err);
}

/* The TBS of a CA certificate of `subject`, by `issuer`. */
static bool write_ca_tbs(const struct party *subject,
			 const struct party *issuer, const struct cs_plan *plan,
			 struct cs_buf *out, struct cs_error *err)
{
	size_t tbs = cs_der_write_begin(out, CS_DER_SEQUENCE), outer, list;
	uint8_t serial[CS_SERIAL_SIZE];

	if (!cs_tbs_serial(plan->not_before_s, serial, err))
		return false;
	cs_tbs_version_and_serial(out, cs_span_make(serial, sizeof(serial)));
	cs_der_write_raw(out, cs_sigalg_der(cs_sigalg_for_key(&issuer->facts)));
	if (!cs_tbs_name(issuer->subject, 2, out, err) ||
	    !cs_tbs_validity(out, plan->not_before_s, plan->not_after_s, err) ||
	    !cs_tbs_name(subject->subject, 2, out, err))
		return false;
	cs_der_write_raw(out, subject->facts.spki);
	outer = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(3));
	list = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_tbs_ext_aki(out, cs_span_make(issuer->key_id, 20));
	cs_tbs_ext_ski(out, cs_span_make(subject->key_id, 20));
	cs_tbs_ext_key_usage(out, CS_KU_CERT_SIGN | CS_KU_CRL_SIGN,
			     CS_TBS_CRITICAL);
	cs_tbs_ext_constraints(out, plan);
	cs_der_write_end(out, list);
	cs_der_write_end(out, outer);
	cs_der_write_end(out, tbs);
	return cs_buf_finish(out, "TBS", err);
}

/* A CA certificate, appended to pem. */
static bool make_certificate(const struct party *subject, struct party *issuer,
			     int64_t now_s, int days, unsigned path_len,
			     struct cs_buf *pem, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf tbs;
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	struct cs_plan plan = {
		.not_before_s = now_s - CS_KEYGEN_BACKDATE_S,
		.not_after_s = now_s - CS_KEYGEN_BACKDATE_S +
			       days * CS_KEYGEN_DAY_S - 1,
		.ca = true,
		.has_path_len = true,
		.path_len = path_len,
	};

	cs_buf_init(&tbs, CS_MAX_TBS);
	cs_buf_init(&der, CS_MAX_CERT);
	if (!write_ca_tbs(subject, issuer, &plan, &tbs, err) ||
	    !cs_keygen_sign(issuer->key, cs_sigalg_for_key(&issuer->facts),
			    cs_buf_span(&tbs), &der, err))
		return false;
	cs_codec_pem("CERTIFICATE", cs_buf_span(&der), pem);
	return cs_buf_finish(pem, "chain", err);
}

static bool make_root_only(struct cs_keygen_work *w,
			   const struct cs_keygen_ca *c,
			   const struct cs_secret *passphrase,
			   struct party *root, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf pem;

	cs_buf_init(&pem, CS_MAX_PEM_FILE);
	return party_init(w, root, c->kind, c->name, "Root CA", err) &&
	       make_certificate(root, root, c->now_s, CS_KEYGEN_ROOT_DAYS, 0,
				&pem, err) &&
	       cs_key_write(root->key, c->issuer_key, passphrase, err) &&
	       cs_newfile_write(c->issuer_chain, 0644, cs_buf_span(&pem),
				err) &&
	       cs_newfile_write(c->root_pem, 0644, cs_buf_span(&pem), err);
}

static bool make_two_tiers(struct cs_keygen_work *w,
			   const struct cs_keygen_ca *c,
			   const struct cs_secret *passphrase,
			   struct party *root, struct party *issuer,
			   struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf root_pem;
	CS_CLEANUP(cs_buf_done) struct cs_buf chain;

	cs_buf_init(&root_pem, CS_MAX_PEM_FILE);
	cs_buf_init(&chain, CS_MAX_PEM_FILE);
	if (!party_init(w, root, c->kind, c->name, "Root CA", err) ||
	    !party_init(w, issuer, c->kind, c->name, "CA 1", err) ||
	    !make_certificate(root, root, c->now_s, CS_KEYGEN_ROOT_DAYS, 1,
			      &root_pem, err) ||
	    !make_certificate(issuer, root, c->now_s, CS_KEYGEN_ISSUER_DAYS, 0,
			      &chain, err))
		return false;
	cs_buf_add(&chain, cs_buf_span(&root_pem));
	return cs_buf_finish(&chain, "chain", err) &&
	       cs_key_write(root->key, c->root_key, passphrase, err) &&
	       cs_key_write(issuer->key, c->issuer_key, passphrase, err) &&
	       cs_newfile_write(c->issuer_chain, 0644, cs_buf_span(&chain),
				err) &&
	       cs_newfile_write(c->root_pem, 0644, cs_buf_span(&root_pem), err);
}

/* In the child: everything of a new CA. */
static bool make_ca(const void *what, struct cs_buf *out, struct cs_error *err)
{
	const struct cs_keygen_ca *c = what;
	struct party root = {0}, issuer = {0};
	struct cs_secret passphrase = {0};
	struct cs_keygen_work w;
	bool ok;

	(void)out;
	ok = cs_keygen_work_init(&w, err) &&
	     cs_keygen_passphrase(c->passphrase_fd, &passphrase, err);
	if (ok && c->tiers == CS_KEYGEN_SINGLE)
		ok = make_root_only(&w, c, &passphrase, &root, err);
	else if (ok)
		ok = make_two_tiers(&w, c, &passphrase, &root, &issuer, err);
	cs_key_free(root.key);
	cs_key_free(issuer.key);
	cs_secret_done(&passphrase);
	cs_keygen_work_done(&w);
	return ok;
}

/* A host as a name: an address if it reads as one, else DNS. */
static bool make_name(struct cs_keygen_work *w, struct cs_span host,
		      struct cs_plan_name *name, struct cs_error *err)
{
	if (cs_name_ip_octets(host, &w->arena, &name->content, NULL)) {
		name->kind = CS_NAME_IP;
		return true;
	}
	name->kind = CS_NAME_DNS;
	return cs_name_dns(host, &w->arena, &name->content, err);
}

/* The one purpose of the certificate. */
static void write_purpose(enum cs_keygen_purpose purpose, struct cs_buf *out)
{
	struct cs_tbs_ext_marks m = cs_tbs_ext_begin(
		out, CS_SPAN_LIT(CS_OID_EXT_KEY_USAGE), CS_TBS_NOT_CRITICAL);
	size_t seq = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_der_write(out, CS_DER_OID,
		     purpose == CS_KEYGEN_LISTENER
			     ? CS_SPAN_LIT(CS_OID_SERVER_AUTH)
			     : CS_SPAN_LIT(CS_OID_OCSP_SIGNING));
	cs_der_write_end(out, seq);
	cs_tbs_ext_end(out, m);
}

/* RFC 2986 4.1, RFC 2985 5.4.2 */
static bool write_request_info(const struct cs_fact_key *key,
			       enum cs_keygen_purpose purpose,
			       const struct cs_plan *plan, struct cs_buf *out,
			       struct cs_error *err)
{
	struct cs_tbs_request_marks m;

	cs_tbs_request_begin(out, &m);
	if (!cs_tbs_name(plan->subject, plan->subject_n, out, err))
		return false;
	cs_tbs_request_extensions(out, key->spki, &m);
	cs_tbs_ext_key_usage(out, CS_KU_DIGITAL_SIGNATURE, CS_TBS_CRITICAL);
	write_purpose(purpose, out);
	cs_tbs_ext_names(out, plan);
	cs_tbs_request_end(out, &m);
	return cs_buf_finish(out, "CSR", err);
}

/* What it asks for: the hosts, or the name that responders have. */
static bool make_plan(struct cs_keygen_work *w, const struct cs_keygen_house *c,
		      struct cs_plan *plan, struct cs_error *err)
{
	if (c->purpose == CS_KEYGEN_RESPONDER) {
		plan->subject = cs_arena_new_array(&w->arena, 1,
						   sizeof(*plan->subject));
		if (plan->subject == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		plan->subject[0] = (struct cs_plan_attr){
			.oid = CS_SPAN_LIT(CS_OID_COMMON_NAME),
			.value = CS_SPAN_LIT(CS_OCSP_RESPONDER_NAME)};
		plan->subject_n = 1;
		return true;
	}
	if (c->hosts_n == 0 || c->hosts_n > CS_MAX_NAMES)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "a listener has 1 to %d hosts",
				    CS_MAX_NAMES);
	plan->names =
		cs_arena_new_array(&w->arena, c->hosts_n, sizeof(*plan->names));
	if (plan->names == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	for (; plan->names_n < c->hosts_n; plan->names_n++) {
		if (!make_name(w, c->hosts[plan->names_n],
			       &plan->names[plan->names_n], err))
			return false;
	}
	return true;
}

/* The CSR of a fresh key. */
static bool make_request(struct cs_keygen_work *w,
			 const struct cs_keygen_house *c, struct party *self,
			 struct cs_buf *out, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf info;
	struct cs_plan plan = {0};

	cs_buf_init(&info, CS_MAX_CSR_DER);
	return make_plan(w, c, &plan, err) &&
	       cs_keygen_key(w, c->kind, &self->key, &self->facts, err) &&
	       write_request_info(&self->facts, c->purpose, &plan, &info,
				  err) &&
	       cs_keygen_sign(self->key, cs_sigalg_for_key(&self->facts),
			      cs_buf_span(&info), out, err) &&
	       cs_key_write(self->key, c->key, NULL, err);
}

/* In the child: the key and its CSR. */
static bool make_house(const void *what, struct cs_buf *out,
		       struct cs_error *err)
{
	struct party self = {0};
	struct cs_keygen_work w;
	bool ok;

	ok = cs_keygen_work_init(&w, err) &&
	     make_request(&w, what, &self, out, err);
	cs_key_free(self.key);
	cs_keygen_work_done(&w);
	return ok;
}

bool cs_keygen_ca_in_child(const struct cs_keygen_ca *c, struct cs_error *err)
{
	return cs_keygen_in_child(make_ca, c, NULL, err);
}

bool cs_keygen_house_in_child(const struct cs_keygen_house *c,
			      struct cs_buf *out_csr, struct cs_error *err)
{
	return cs_keygen_in_child(make_house, c, out_csr, err);
}
