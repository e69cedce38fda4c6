#include "issuer/ca_make.h"

#include <string.h>

#include "base/codec.h"
#include "base/der.h"
#include "issuer/cert_facts.h"
#include "issuer/feasible.h"
#include "issuer/keygen_parts.h"
#include "issuer/newfile.h"
#include "issuer/oids.h"
#include "issuer/tbs.h"
#include "issuer/tbs_parts.h"
#include "issuer/token.h"

/* RFC 5280 A.1: ub-common-name, ub-organization-name. */
#define UB_NAME 64

/* A new CA under way, in the child. */
struct maker {
	const struct cs_ca_create *c;
	struct cs_keygen_work w;
	struct cs_key *key, *parent_key;
	struct cs_fact_key facts;
	const struct cs_issuer_ca *parent; /* NULL: itself */
	struct cs_plan_attr subject[2];
	struct cs_plan plan;
	struct cs_buf tbs, chain;
};

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for a new CA");
}

/* -- keys ----------------------------------------------------------------- */

/* A key file with its passphrase; errors begin with the file's name. */
static struct cs_key *read_key(const struct cs_ca_file *from,
			       const struct cs_ca_file *passphrase,
			       struct cs_error *err)
{
	struct cs_secret secret = {0};
	struct cs_key *key = NULL;

	if (!cs_keygen_passphrase(passphrase->fd, &secret, err)) {
		cs_error_prefix(err, "%s", passphrase->name);
		return NULL;
	}
	key = cs_key_read(from->fd, secret.n > 0 ? &secret : NULL, err);
	cs_secret_done(&secret);
	if (key == NULL)
		cs_error_prefix(err, "%s", from->name);
	return key;
}

/* The parent's key, and which of the parents it belongs to. */
static bool find_parent(struct maker *m, struct cs_error *err)
{
	const struct cs_ca_create *c = m->c;

	if (c->parents_n == 0)
		return true;
	m->parent_key = read_key(&c->parent_key, &c->parent_passphrase, err);
	if (m->parent_key == NULL)
		return false;
	for (size_t i = 0; i < c->parents_n; i++) {
		if (!cs_key_check_spki(m->parent_key, c->parents[i]->key.spki,
				       err))
			continue;
		m->parent = c->parents[i];
		return true;
	}
	if (c->parents_n > 1)
		cs_error_set(err, CS_E_KEY,
			     "the key belongs to none of the %zu roots",
			     c->parents_n);
	return cs_error_prefix(err, "%s", c->parent_key.name);
}

/* -- the certificate ------------------------------------------------------ */

/* The parent's organization, or empty. */
static bool parent_organization(struct maker *m, struct cs_span *ret,
				struct cs_error *err)
{
	struct cs_tbs_facts facts;
	struct cs_error why = {0};

	*ret = (struct cs_span){0};
	if (m->parent == NULL)
		return true;
	/* What another CA made may be beyond our strict reader: no matter. */
	if (!cs_cert_facts_read(m->w.hash, m->parent->certificate, &m->w.arena,
				&facts, &why))
		return why.code != CS_E_NO_MEMORY || no_memory(err);
	for (size_t i = 0; i < facts.cert.subject_n; i++)
		if (cs_span_equal(facts.cert.subject[i].oid,
				  CS_SPAN_LIT(CS_OID_ORGANIZATION)))
			*ret = facts.cert.subject[i].value;
	return true;
}

/* The subject of the generation before, attribute by attribute. */
static bool keep_subject(struct maker *m, struct cs_error *err)
{
	const struct cs_issuer_ca *before = m->c->before;
	struct cs_tbs_facts facts;
	struct cs_plan_attr *attrs;

	if (!cs_cert_facts_read(m->w.hash, before->certificate, &m->w.arena,
				&facts, err))
		return cs_error_prefix(err,
				       "the subject of the present certificate "
				       "cannot be kept (say --name)");
	attrs = cs_arena_new_array(&m->w.arena, facts.cert.subject_n + 1,
				   sizeof(*attrs));
	if (attrs == NULL)
		return no_memory(err);
	for (size_t i = 0; i < facts.cert.subject_n; i++)
		attrs[i] = (struct cs_plan_attr){
			.oid = facts.cert.subject[i].oid,
			.value = facts.cert.subject[i].value};
	m->plan.subject = attrs;
	m->plan.subject_n = facts.cert.subject_n;
	return true;
}

/* O as the parent has it, CN as it was asked for. */
static bool plan_subject(struct maker *m, struct cs_error *err)
{
	struct cs_span cn = m->c->name, organization;
	size_t n = 0;

	if (cn.n == 0 && m->c->before != NULL)
		return keep_subject(m, err);
	if (!parent_organization(m, &organization, err))
		return false;
	if (cn.n == 0) {
		const char *text = cs_arena_printf(
			&m->w.arena, "%.*s%sCA %.*s", CS_SPAN_FMT(organization),
			organization.n > 0 ? " " : "",
			CS_SPAN_FMT(m->c->issuer));

		if (text == NULL)
			return no_memory(err);
		cn = cs_span_str(text);
	}
	if (cn.n > UB_NAME || !cs_codec_is_utf8(cn))
		return cs_error_set(err, CS_E_USAGE,
				    "RFC 5280 A.1: a CA's name has 1 to %d "
				    "bytes of UTF-8: \"%.*s\"",
				    UB_NAME, CS_SPAN_FMT(cn));
	if (organization.n > 0)
		m->subject[n++] = (struct cs_plan_attr){
			.oid = CS_SPAN_LIT(CS_OID_ORGANIZATION),
			.value = organization};
	m->subject[n++] = (struct cs_plan_attr){
		.oid = CS_SPAN_LIT(CS_OID_COMMON_NAME), .value = cn};
	m->plan.subject = m->subject;
	m->plan.subject_n = n;
	return true;
}

/* Begin and end: never beyond the parent's. */
static bool plan_dates(struct maker *m, struct cs_error *err)
{
	const struct cs_ca_create *c = m->c;
	int64_t from = c->now_s - CS_KEYGEN_BACKDATE_S;
	int64_t to = from + c->days * CS_KEYGEN_DAY_S - 1;

	if (m->parent != NULL && from < m->parent->not_before_s)
		from = m->parent->not_before_s;
	if (m->parent != NULL && to > m->parent->not_after_s)
		to = m->parent->not_after_s;
	if (to <= c->now_s)
		return cs_error_set(err, CS_E_CERT,
				    "RFC 5280 6.1.3: the CA above has expired");
	m->plan.not_before_s = from;
	m->plan.not_after_s = to;
	return true;
}

static bool make_plan(struct maker *m, struct cs_error *err)
{
	const struct cs_ceiling *ceiling = m->c->parent_ceiling;

	m->plan.ca = true;
	m->plan.has_path_len = true;
	m->plan.path_len = m->c->path_len;
	m->plan.key_usage = CS_KU_CERT_SIGN | CS_KU_CRL_SIGN;
	m->plan.key_usage_critical = true;
	/* What the parent's ceiling lets pass goes on to those below. */
	if (ceiling != NULL) {
		m->plan.ext_key_usage = ceiling->ext_key_usage;
		m->plan.ext_key_usage_n = ceiling->ext_key_usage_n;
	}
	return plan_subject(m, err) && plan_dates(m, err);
}

/* The TBS of a root: issuer and subject are one. */
static bool write_root_tbs(struct maker *m, struct cs_span serial,
			   struct cs_error *err)
{
	struct cs_buf *out = &m->tbs;
	size_t tbs = cs_der_write_begin(out, CS_DER_SEQUENCE), outer, list;
	uint8_t id[20];

	if (!cs_tbs_key_id(m->w.hash, &m->facts, id, err))
		return false;
	cs_tbs_version_and_serial(out, serial);
	cs_der_write_raw(out, cs_sigalg_der(cs_sigalg_for_key(&m->facts)));
	if (!cs_tbs_name(m->plan.subject, m->plan.subject_n, out, err) ||
	    !cs_tbs_validity(out, m->plan.not_before_s, m->plan.not_after_s,
			     err) ||
	    !cs_tbs_name(m->plan.subject, m->plan.subject_n, out, err))
		return false;
	cs_der_write_raw(out, m->facts.spki);
	outer = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(3));
	list = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_tbs_ext_aki(out, cs_span_make(id, sizeof(id)));
	cs_tbs_ext_ski(out, cs_span_make(id, sizeof(id)));
	cs_tbs_ext_key_usage(out, m->plan.key_usage, CS_TBS_CRITICAL);
	cs_tbs_ext_constraints(out, &m->plan);
	cs_der_write_end(out, list);
	cs_der_write_end(out, outer);
	cs_der_write_end(out, tbs);
	return cs_buf_finish(out, "TBS", err);
}

/* Judge the bytes that the parent is about to sign. */
static bool judge(struct maker *m, struct cs_error *err)
{
	const struct cs_ca_create *c = m->c;
	struct cs_findings findings;
	struct cs_tbs_facts facts;

	cs_findings_init(&findings, &m->w.arena);
	if (!cs_tbs_facts_read(m->w.hash, cs_buf_span(&m->tbs), &m->w.arena,
			       &facts, err) ||
	    !cs_feasible_check(m->parent, &facts, c->now_s, &findings, err) ||
	    (c->parent_ceiling != NULL &&
	     !cs_ceiling_check(c->parent_ceiling, m->parent, &facts, &findings,
			       err)))
		return false;
	if (findings.n > 0)
		return cs_error_set(err, CS_E_CEILING, "issuer `%.*s`: %.*s",
				    CS_SPAN_FMT(m->parent->name),
				    CS_SPAN_FMT(findings.items[0].message));
	return true;
}

/* Sign, and put the chain together: the new one first. */
static bool certify(struct maker *m, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	const struct cs_issuer_ca *parent = m->parent;
	uint8_t serial[CS_SERIAL_SIZE];
	struct cs_span number = cs_span_make(serial, sizeof(serial));
	bool ok;

	cs_buf_init(&der, CS_MAX_CERT);
	if (!cs_tbs_serial(m->plan.not_before_s, serial, err))
		return false;
	if (parent == NULL)
		ok = write_root_tbs(m, number, err) &&
		     cs_keygen_sign(m->key, cs_sigalg_for_key(&m->facts),
				    cs_buf_span(&m->tbs), &der, err);
	else
		ok = cs_tbs_write(&m->plan, &m->facts, parent, number,
				  m->w.hash, &m->w.arena, &m->tbs, err) &&
		     judge(m, err) &&
		     cs_keygen_sign(m->parent_key, parent->alg,
				    cs_buf_span(&m->tbs), &der, err);
	if (!ok)
		return false;
	cs_codec_pem("CERTIFICATE", cs_buf_span(&der), &m->chain);
	if (parent != NULL)
		cs_buf_add(&m->chain, parent->full_pem);
	return cs_buf_finish(&m->chain, "chain", err);
}

/* Would the house take this chain, and is the key its? */
static bool check_result(struct maker *m, struct cs_error *err)
{
	const struct cs_issuer_ca_source source = {
		.name = m->c->issuer, .chain_pem = cs_buf_span(&m->chain)};
	struct cs_issuer_ca *ca = cs_issuer_ca_new(&source, err);
	bool ok = ca != NULL && cs_key_check_spki(m->key, ca->key.spki, err);

	cs_issuer_ca_free(ca);
	return ok;
}

static bool write_files(struct maker *m, struct cs_error *err)
{
	const struct cs_ca_create *c = m->c;
	struct cs_secret passphrase = {0};
	bool ok;

	if (c->key == NULL)
		return cs_newfile_write(c->chain, 0644, cs_buf_span(&m->chain),
					err);
	ok = cs_keygen_passphrase(c->passphrase.fd, &passphrase, err) ||
	     cs_error_prefix(err, "%s", c->passphrase.name);
	ok = ok && cs_key_write(m->key, c->key, &passphrase, err) &&
	     cs_newfile_write(c->chain, 0644, cs_buf_span(&m->chain), err);
	cs_secret_done(&passphrase);
	return ok;
}

/* Its own key: made, or the one of the generation before. */
static bool take_key(struct maker *m, struct cs_error *err)
{
	const struct cs_ca_create *c = m->c;
	struct cs_secret passphrase = {0};
	bool ok;

	if (c->before != NULL && c->key == NULL) {
		m->key = read_key(&c->before_key, &c->passphrase, err);
		return m->key != NULL &&
		       cs_keygen_facts(&m->w, m->key, &m->facts, err);
	}
	ok = cs_keygen_passphrase(c->passphrase.fd, &passphrase, err) ||
	     cs_error_prefix(err, "%s", c->passphrase.name);
	ok = ok &&
	     (c->before == NULL ||
	      cs_keygen_same_protection(c->before_key.fd, &passphrase, err) ||
	      cs_error_prefix(err, "%s", c->before_key.name));
	cs_secret_done(&passphrase);
	return ok && cs_keygen_key(&m->w, c->kind, &m->key, &m->facts, err);
}

/* In the child: everything of a new issuer. */
static bool create(const void *what, struct cs_buf *out, struct cs_error *err)
{
	struct maker m = {.c = what};
	bool ok;

	(void)out;
	cs_buf_init(&m.tbs, CS_MAX_TBS);
	cs_buf_init(&m.chain, CS_MAX_PEM_FILE);
	ok = cs_keygen_work_init(&m.w, err) && find_parent(&m, err) &&
	     make_plan(&m, err) && take_key(&m, err) && certify(&m, err) &&
	     check_result(&m, err) && write_files(&m, err);
	cs_key_free(m.key);
	cs_key_free(m.parent_key);
	cs_buf_done(&m.tbs);
	cs_buf_done(&m.chain);
	cs_keygen_work_done(&m.w);
	return ok;
}

bool cs_ca_create_in_child(const struct cs_ca_create *c, struct cs_error *err)
{
	return cs_keygen_in_child(create, c, NULL, err);
}

/* -- import --------------------------------------------------------------- */

/* Read, compare and write; pem and passphrase are the caller's. */
static bool take_over(const struct cs_ca_import *c, const struct cs_secret *pem,
		      const struct cs_secret *passphrase, struct cs_error *err)
{
	struct cs_key *key = cs_key_from_pem(pem, passphrase, err);
	bool ok = key != NULL && cs_key_check_spki(key, c->ca->key.spki, err);

	if (!ok)
		cs_error_prefix(err, "%s", c->from.name);
	else if (cs_keygen_is_encrypted(pem))
		ok = cs_newfile_write(c->key, 0600,
				      cs_span_make(pem->p, pem->n), err);
	else
		ok = cs_key_write(key, c->key, passphrase, err);
	cs_key_free(key);
	return ok && cs_newfile_write(c->chain, 0644, c->ca->full_pem, err);
}

/* The URI of a key that can be used as the house will use it. */
static bool take_uri(const struct cs_ca_import *c,
		     const struct cs_secret *passphrase, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf line;
	struct cs_span uri = cs_span_str(c->uri);
	struct cs_key *key = cs_token_key(uri, passphrase, c->ca, err);

	cs_buf_init(&line, CS_MAX_TOKEN_URI);
	cs_key_free(key);
	if (key == NULL)
		return cs_error_prefix(err, "%s", c->from.name);
	cs_buf_add(&line, uri);
	cs_buf_add_byte(&line, '\n');
	return cs_buf_finish(&line, "URI", err) &&
	       cs_newfile_write(c->key, 0600, cs_buf_span(&line), err) &&
	       cs_newfile_write(c->chain, 0644, c->ca->full_pem, err);
}

/* In the child. */
static bool import(const void *what, struct cs_buf *out, struct cs_error *err)
{
	const struct cs_ca_import *c = what;
	struct cs_secret pem = {0}, passphrase = {0};
	bool ok;

	(void)out;
	ok = (cs_keygen_passphrase(c->passphrase.fd, &passphrase, err) ||
	      cs_error_prefix(err, "%s", c->passphrase.name)) &&
	     (cs_keygen_same_protection(c->before_key.fd, &passphrase, err) ||
	      cs_error_prefix(err, "%s", c->before_key.name));
	if (ok && c->uri != NULL)
		ok = take_uri(c, &passphrase, err);
	else
		ok = ok &&
		     (cs_key_read_file(c->from.fd, &pem, err) ||
		      cs_error_prefix(err, "%s", c->from.name)) &&
		     take_over(c, &pem, &passphrase, err);
	cs_secret_done(&pem);
	cs_secret_done(&passphrase);
	return ok;
}

bool cs_ca_import_in_child(const struct cs_ca_import *c, struct cs_error *err)
{
	return cs_keygen_in_child(import, c, NULL, err);
}
