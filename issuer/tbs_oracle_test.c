/*
 * OpenSSL as the oracle of the TBS writer and of our reader: from each of many
 * random plans a certificate is written, and every field that either of them
 * reads from it is the plan's.
 *
 *     tbs_oracle_test [COUNT [SEED [DIR]]]
 *
 * With DIR, every hundredth plan is left there as JSON beside its certificate,
 * for readers in other languages (tests/campaign/check_plans.py). The
 * signatures are not ones: nothing here depends on them, and tbs_test.c has
 * real ones verified.
 */
#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/der.h"
#include "base/json.h"
#include "issuer/cert_facts.h"
#include "issuer/key.h"
#include "issuer/oids.h"
#include "issuer/subject.h"
#include "issuer/tbs.h"
#include "issuer/x509.h"
#include <tests/lib/ca_maker.h>
#include <tests/lib/plan_maker.h>

#define KEYS   6
#define SAMPLE 100

/* From the command line. */
static unsigned long count = 20000, seed = 20261124;
static const char *dir;

struct fixture {
	struct ca_maker maker;
	struct cs_hash *hash;
	struct cs_arena keys; /* subjects' keys */
	struct cs_fact_key subject_keys[KEYS];
	struct cs_arena arena; /* of one certificate */
	struct cs_buf tbs, der, json;
	uint8_t serial[CS_SERIAL_SIZE];
};

/* -- set-up --------------------------------------------------------------- */

static void make_subject_keys(struct fixture *f)
{
	static const enum cs_key_kind kinds[KEYS] = {
		CS_KEY_KIND_EC_P256, CS_KEY_KIND_EC_P384, CS_KEY_KIND_RSA_3072,
		CS_KEY_KIND_ED25519, CS_KEY_KIND_EC_P256, CS_KEY_KIND_EC_P384};

	for (size_t i = 0; i < KEYS; i++) {
		struct cs_key *key = cs_key_generate(kinds[i], NULL);
		struct cs_findings findings;
		struct cs_x509 x = {&f->keys, &findings, f->hash};
		struct cs_span copy;
		struct cs_buf spki;

		cs_buf_init(&spki, 1000);
		cs_findings_init(&findings, &f->keys);
		assert_true(cs_key_spki(key, &spki, NULL));
		assert_true(cs_arena_dup(&f->keys, cs_buf_span(&spki), &copy));
		assert_true(cs_spki_read(&x, copy, &f->subject_keys[i], NULL));
		cs_buf_done(&spki);
		cs_key_free(key);
	}
}

static void open_fixture(struct fixture *f, enum cs_key_kind kind)
{
	ca_make(&f->maker, kind, CS_KEYGEN_TWO_TIERS);
	f->hash = cs_hash_new(NULL);
	cs_arena_init(&f->keys, 1000000);
	cs_arena_init(&f->arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&f->tbs, CS_MAX_TBS);
	cs_buf_init(&f->der, CS_MAX_CERT);
	cs_buf_init(&f->json, 200000);
	make_subject_keys(f);
}

static void close_fixture(struct fixture *f)
{
	cs_hash_free(f->hash);
	cs_arena_done(&f->keys);
	cs_arena_done(&f->arena);
	cs_buf_done(&f->tbs);
	cs_buf_done(&f->der);
	cs_buf_done(&f->json);
	ca_done(&f->maker);
}

/* Plan to certificate, in f->der. */
static void write_certificate(struct fixture *f, const struct cs_plan *p,
			      const struct cs_fact_key *key)
{
	const struct cs_issuer_ca *ca = f->maker.ca;
	struct cs_error err = {0};

	cs_buf_reset(&f->tbs);
	cs_buf_reset(&f->der);
	assert_true(cs_tbs_serial(1800000000, f->serial, NULL));
	if (!cs_tbs_write(p, key, ca,
			  cs_span_make(f->serial, sizeof(f->serial)), f->hash,
			  &f->arena, &f->tbs, &err))
		fail_msg("%s", err.text);
	cs_der_write_signed(&f->der, cs_buf_span(&f->tbs), ca->sig_alg,
			    CS_SPAN_LIT("no signature"));
}

/* -- OpenSSL's reading ---------------------------------------------------- */

static void assert_bytes(struct cs_span ours, const void *p, size_t n)
{
	assert_int_equal(ours.n, n);
	assert_memory_equal(ours.p, p, n);
}

static void assert_string(struct cs_span ours, const ASN1_STRING *theirs)
{
	assert_bytes(ours, ASN1_STRING_get0_data(theirs),
		     (size_t)ASN1_STRING_length(theirs));
}

static void assert_oid(struct cs_span ours, const ASN1_OBJECT *theirs)
{
	assert_bytes(ours, OBJ_get0_data(theirs), OBJ_length(theirs));
}

static void compare_subject(const struct cs_plan *p, X509 *cert)
{
	X509_NAME *name = X509_get_subject_name(cert);

	assert_int_equal(X509_NAME_entry_count(name), p->subject_n);
	for (size_t i = 0; i < p->subject_n; i++) {
		X509_NAME_ENTRY *e = X509_NAME_get_entry(name, (int)i);
		ASN1_STRING *value = X509_NAME_ENTRY_get_data(e);

		assert_oid(p->subject[i].oid, X509_NAME_ENTRY_get_object(e));
		assert_string(p->subject[i].value, value);
		assert_int_equal(ASN1_STRING_type(value),
				 cs_subject_attr_tag(p->subject[i].oid));
		assert_int_equal(X509_NAME_ENTRY_set(e), i);
	}
}

/* A value that the plan has as DER. */
static void assert_der(struct cs_span ours, unsigned char *theirs, int n)
{
	assert_true(n > 0);
	assert_bytes(ours, theirs, (size_t)n);
	OPENSSL_free(theirs);
}

static void compare_name(const struct cs_plan_name *ours,
			 const GENERAL_NAME *theirs)
{
	static const int types[CS_NAME_KINDS] = {
		[CS_NAME_DNS] = GEN_DNS,
		[CS_NAME_IP] = GEN_IPADD,
		[CS_NAME_URI] = GEN_URI,
		[CS_NAME_EMAIL] = GEN_EMAIL,
		[CS_NAME_OTHER] = GEN_OTHERNAME,
		[CS_NAME_DIRECTORY] = GEN_DIRNAME,
		[CS_NAME_REGISTERED_ID] = GEN_RID};
	unsigned char *der = NULL;
	int type, n;
	void *value = GENERAL_NAME_get0_value(theirs, &type);

	assert_int_equal(type, types[ours->kind]);
	switch (ours->kind) {
	case CS_NAME_OTHER:
		assert_oid(ours->oid, ((OTHERNAME *)value)->type_id);
		n = i2d_ASN1_TYPE(((OTHERNAME *)value)->value, &der);
		assert_der(ours->content, der, n);
		break;
	case CS_NAME_DIRECTORY:
		n = i2d_X509_NAME(value, &der);
		assert_der(ours->content, der, n);
		break;
	case CS_NAME_REGISTERED_ID:
		assert_oid(ours->content, value);
		break;
	default:
		assert_string(ours->content, value);
	}
}

static void compare_names(const struct cs_plan *p, X509 *cert)
{
	int critical;
	GENERAL_NAMES *names =
		X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);

	if (p->names_n == 0) {
		assert_null(names);
		assert_int_equal(critical, -1);
		return;
	}
	assert_non_null(names);
	assert_int_equal(critical, p->subject_n == 0);
	assert_int_equal(sk_GENERAL_NAME_num(names), p->names_n);
	for (size_t i = 0; i < p->names_n; i++)
		compare_name(&p->names[i],
			     sk_GENERAL_NAME_value(names, (int)i));
	GENERAL_NAMES_free(names);
}

static void compare_key_usage(const struct cs_plan *p, X509 *cert)
{
	int critical;
	ASN1_BIT_STRING *ku =
		X509_get_ext_d2i(cert, NID_key_usage, &critical, NULL);

	if (p->key_usage == 0) {
		assert_null(ku);
		assert_int_equal(critical, -1);
	} else {
		assert_int_equal(critical, p->key_usage_critical);
		for (int i = 0; i < 16; i++)
			assert_int_equal(ASN1_BIT_STRING_get_bit(ku, i),
					 p->key_usage >> i & 1);
	}
	ASN1_BIT_STRING_free(ku);
}

static void compare_purposes(const struct cs_plan *p, X509 *cert)
{
	int critical;
	EXTENDED_KEY_USAGE *eku =
		X509_get_ext_d2i(cert, NID_ext_key_usage, &critical, NULL);

	if (p->ext_key_usage_n == 0) {
		assert_null(eku);
		assert_int_equal(critical, -1);
		return;
	}
	assert_int_equal(critical, p->ext_key_usage_critical);
	assert_int_equal(sk_ASN1_OBJECT_num(eku), p->ext_key_usage_n);
	for (size_t i = 0; i < p->ext_key_usage_n; i++)
		assert_oid(p->ext_key_usage[i],
			   sk_ASN1_OBJECT_value(eku, (int)i));
	EXTENDED_KEY_USAGE_free(eku);
}

static void compare_constraints(const struct cs_plan *p, X509 *cert)
{
	int critical;
	BASIC_CONSTRAINTS *bc =
		X509_get_ext_d2i(cert, NID_basic_constraints, &critical, NULL);

	assert_non_null(bc);
	assert_int_equal(critical, 1);
	assert_int_equal(bc->ca != 0, p->ca);
	assert_int_equal(bc->pathlen != NULL, p->has_path_len);
	if (p->has_path_len)
		assert_int_equal(ASN1_INTEGER_get(bc->pathlen), p->path_len);
	BASIC_CONSTRAINTS_free(bc);
}

static void compare_policies(const struct cs_plan *p, X509 *cert)
{
	int critical;
	CERTIFICATEPOLICIES *policies = X509_get_ext_d2i(
		cert, NID_certificate_policies, &critical, NULL);

	assert_int_equal(critical, p->policies_n == 0 ? -1 : 0);
	assert_int_equal(policies == NULL ? 0 : sk_POLICYINFO_num(policies),
			 p->policies_n);
	for (size_t i = 0; i < p->policies_n; i++) {
		POLICYINFO *info = sk_POLICYINFO_value(policies, (int)i);

		assert_oid(p->policies[i], info->policyid);
		assert_null(info->qualifiers);
	}
	CERTIFICATEPOLICIES_free(policies);
}

/* The plan's points, or the one of the serial's shard, or none. */
static void compare_points(struct fixture *f, const struct cs_plan *p,
			   X509 *cert)
{
	int critical;
	CRL_DIST_POINTS *points = X509_get_ext_d2i(
		cert, NID_crl_distribution_points, &critical, NULL);
	size_t n = p->crl_urls_n > 0 ? p->crl_urls_n : !p->no_rev_avail;
	struct cs_span own;

	assert_true(cs_issuer_ca_crl_url(
		f->maker.ca, cs_span_make(f->serial, sizeof(f->serial)),
		&f->arena, &own, NULL));
	assert_int_equal(critical, n == 0 ? -1 : 0);
	assert_int_equal(points == NULL ? 0 : sk_DIST_POINT_num(points), n);
	for (size_t i = 0; i < n; i++) {
		DIST_POINT *point = sk_DIST_POINT_value(points, (int)i);
		GENERAL_NAMES *names = point->distpoint->name.fullname;
		GENERAL_NAME *name = sk_GENERAL_NAME_value(names, 0);

		assert_null(point->reasons);
		assert_null(point->CRLissuer);
		assert_int_equal(point->distpoint->type, 0);
		assert_int_equal(sk_GENERAL_NAME_num(names), 1);
		assert_int_equal(name->type, GEN_URI);
		assert_string(p->crl_urls_n > 0 ? p->crl_urls[i] : own,
			      name->d.uniformResourceIdentifier);
	}
	CRL_DIST_POINTS_free(points);
}

static void compare_access(const AUTHORITY_INFO_ACCESS *info, size_t from,
			   int method, const struct cs_span *urls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ACCESS_DESCRIPTION *one =
			sk_ACCESS_DESCRIPTION_value(info, (int)(from + i));

		assert_int_equal(OBJ_obj2nid(one->method), method);
		assert_int_equal(one->location->type, GEN_URI);
		assert_string(urls[i],
			      one->location->d.uniformResourceIdentifier);
	}
}

static void compare_info(const struct cs_plan *p, X509 *cert)
{
	size_t n = p->ocsp_urls_n + p->ca_issuers_urls_n;
	int critical;
	AUTHORITY_INFO_ACCESS *info =
		X509_get_ext_d2i(cert, NID_info_access, &critical, NULL);

	assert_int_equal(critical, n == 0 ? -1 : 0);
	assert_int_equal(info == NULL ? 0 : sk_ACCESS_DESCRIPTION_num(info), n);
	compare_access(info, 0, NID_ad_OCSP, p->ocsp_urls, p->ocsp_urls_n);
	compare_access(info, p->ocsp_urls_n, NID_ad_ca_issuers,
		       p->ca_issuers_urls, p->ca_issuers_urls_n);
	AUTHORITY_INFO_ACCESS_free(info);
}

/* The plan's own extensions are the last ones. */
static void compare_further(const struct cs_plan *p, X509 *cert)
{
	int n = X509_get_ext_count(cert), own = (int)p->extensions_n;

	for (int i = 0; i < own; i++) {
		X509_EXTENSION *e = X509_get_ext(cert, n - own + i);

		assert_oid(p->extensions[i].oid, X509_EXTENSION_get_object(e));
		assert_string(p->extensions[i].value,
			      X509_EXTENSION_get_data(e));
		assert_int_equal(X509_EXTENSION_get_critical(e),
				 p->extensions[i].critical);
	}
	/* AKI, SKI and basicConstraints are always there. */
	n -= own + 3 + (p->key_usage != 0) + (p->ext_key_usage_n > 0) +
	     (p->names_n > 0) + (p->policies_n > 0) +
	     (p->crl_urls_n > 0 || !p->no_rev_avail) +
	     (p->ocsp_urls_n + p->ca_issuers_urls_n > 0);
	assert_int_equal(n, 0);
}

static void compare_time(int64_t ours, const ASN1_TIME *theirs)
{
	/* RFC 5280 4.1.2.5: UTCTime through 2049. */
	bool utc = ours < INT64_C(2524608000);

	assert_int_equal(ASN1_STRING_type((const ASN1_STRING *)theirs),
			 utc ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME);
	assert_int_equal(ASN1_TIME_cmp_time_t(theirs, (time_t)ours), 0);
}

static void compare_frame(struct fixture *f, const struct cs_plan *p,
			  const struct cs_fact_key *key, X509 *cert)
{
	const struct cs_issuer_ca *ca = f->maker.ca;
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	unsigned char *spki = NULL, *name = NULL;
	uint8_t id[20];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);

	assert_int_equal(X509_get_version(cert), X509_VERSION_3);
	assert_int_equal(ASN1_STRING_type(serial), V_ASN1_INTEGER);
	assert_string(cs_span_make(f->serial, sizeof(f->serial)), serial);
	assert_der(key->spki, spki, n);
	n = i2d_X509_NAME(X509_get_issuer_name(cert), &name);
	assert_der(ca->subject, name, n);
	assert_int_equal(X509_get_signature_nid(cert),
			 OBJ_obj2nid(X509_get0_tbs_sigalg(cert)->algorithm));
	assert_true(cs_tbs_key_id(f->hash, key, id, NULL));
	assert_string(cs_span_make(id, 20), X509_get0_subject_key_id(cert));
	assert_string(ca->ski, X509_get0_authority_key_id(cert));
	assert_null(X509_get0_authority_issuer(cert));
	compare_time(p->not_before_s, X509_get0_notBefore(cert));
	compare_time(p->not_after_s, X509_get0_notAfter(cert));
}

static void compare_openssl(struct fixture *f, const struct cs_plan *p,
			    const struct cs_fact_key *key)
{
	const unsigned char *at = f->der.p;
	unsigned char *again = NULL;
	X509 *cert = d2i_X509(NULL, &at, (long)f->der.n);
	int n;

	assert_non_null(cert);
	assert_ptr_equal(at, f->der.p + f->der.n);
	n = i2d_X509(cert, &again);
	assert_der(cs_buf_span(&f->der), again, n);
	/* Encoded anew from what was parsed: the same octets. */
	again = NULL;
	n = i2d_re_X509_tbs(cert, &again);
	assert_der(cs_buf_span(&f->tbs), again, n);
	compare_frame(f, p, key, cert);
	compare_subject(p, cert);
	compare_names(p, cert);
	compare_key_usage(p, cert);
	compare_purposes(p, cert);
	compare_constraints(p, cert);
	compare_policies(p, cert);
	compare_points(f, p, cert);
	compare_info(p, cert);
	compare_further(p, cert);
	assert_int_equal(ERR_peek_error(), 0);
	X509_free(cert);
}

/* -- our own reading ------------------------------------------------------ */

static void assert_spans(const struct cs_span *a, size_t a_n,
			 const struct cs_span *b, size_t b_n)
{
	assert_int_equal(a_n, b_n);
	for (size_t i = 0; i < a_n; i++)
		assert_true(cs_span_equal(a[i], b[i]));
}

static void compare_own_names(const struct cs_plan *p,
			      const struct cs_cert_facts *c)
{
	assert_int_equal(c->subject_n, p->subject_n);
	for (size_t i = 0; i < p->subject_n; i++) {
		assert_true(
			cs_span_equal(c->subject[i].oid, p->subject[i].oid));
		assert_true(cs_span_equal(c->subject[i].value,
					  p->subject[i].value));
	}
	assert_int_equal(c->names_n, p->names_n);
	for (size_t i = 0; i < p->names_n; i++) {
		assert_int_equal(c->names[i].kind, p->names[i].kind);
		assert_true(cs_span_equal(c->names[i].content,
					  p->names[i].content));
		assert_true(cs_span_equal(c->names[i].oid, p->names[i].oid));
		assert_false(c->names[i].normalized);
	}
	assert_int_equal(c->san_critical, p->names_n > 0 && p->subject_n == 0);
}

static void compare_own_lists(const struct cs_plan *p,
			      const struct cs_tbs_facts *t)
{
	const struct cs_cert_facts *c = &t->cert;

	assert_spans(c->ext_key_usage, c->ext_key_usage_n, p->ext_key_usage,
		     p->ext_key_usage_n);
	assert_spans(t->policies, t->policies_n, p->policies, p->policies_n);
	assert_spans(t->ocsp_urls, t->ocsp_urls_n, p->ocsp_urls,
		     p->ocsp_urls_n);
	assert_spans(t->ca_issuers_urls, t->ca_issuers_urls_n,
		     p->ca_issuers_urls, p->ca_issuers_urls_n);
	if (p->crl_urls_n > 0)
		assert_spans(t->crl_urls, t->crl_urls_n, p->crl_urls,
			     p->crl_urls_n);
	else
		assert_int_equal(t->crl_urls_n, !p->no_rev_avail);
	assert_int_equal(c->extensions_n, p->extensions_n);
	for (size_t i = 0; i < p->extensions_n; i++) {
		assert_true(cs_span_equal(c->extensions[i].oid,
					  p->extensions[i].oid));
		assert_true(cs_span_equal(c->extensions[i].value,
					  p->extensions[i].value));
		assert_int_equal(c->extensions[i].critical,
				 p->extensions[i].critical);
	}
}

static void compare_own(struct fixture *f, const struct cs_plan *p,
			const struct cs_fact_key *key)
{
	struct cs_tbs_facts t;
	struct cs_error err = {0};

	if (!cs_cert_facts_read(f->hash, cs_buf_span(&f->der), &f->arena, &t,
				&err))
		fail_msg("%s", err.text);
	assert_true(cs_span_equal(t.tbs, cs_buf_span(&f->tbs)));
	assert_true(cs_span_equal(t.issuer, f->maker.ca->subject));
	assert_true(cs_span_equal(t.aki, f->maker.ca->ski));
	assert_true(cs_span_equal(t.cert.key.spki, key->spki));
	assert_int_equal(t.not_before_s, p->not_before_s);
	assert_int_equal(t.not_after_s, p->not_after_s);
	assert_int_equal(t.cert.key_usage, p->key_usage);
	assert_int_equal(t.cert.has_key_usage, p->key_usage != 0);
	assert_int_equal(t.cert.key_usage_critical,
			 p->key_usage != 0 && p->key_usage_critical);
	assert_int_equal(t.cert.ext_key_usage_critical,
			 p->ext_key_usage_n > 0 && p->ext_key_usage_critical);
	assert_true(t.cert.has_basic_constraints);
	assert_int_equal(t.cert.ca, p->ca);
	assert_int_equal(t.cert.has_path_len, p->has_path_len);
	assert_int_equal(t.cert.path_len, p->path_len);
	compare_own_names(p, &t.cert);
	compare_own_lists(p, &t);
}

/* -- for readers in other languages --------------------------------------- */

static void put_spans(struct cs_json *w, const char *name,
		      const struct cs_span *list, size_t n)
{
	cs_json_name(w, name);
	cs_json_array(w);
	for (size_t i = 0; i < n; i++)
		cs_json_hex(w, list[i]);
	cs_json_end(w);
}

static void put_names(struct cs_json *w, const struct cs_plan *p)
{
	static const char *const kinds[CS_NAME_KINDS] = {
		[CS_NAME_DNS] = "dns",
		[CS_NAME_IP] = "ip",
		[CS_NAME_URI] = "uri",
		[CS_NAME_EMAIL] = "email",
		[CS_NAME_OTHER] = "other",
		[CS_NAME_DIRECTORY] = "directory",
		[CS_NAME_REGISTERED_ID] = "registered_id",
	};

	cs_json_name(w, "names");
	cs_json_array(w);
	for (size_t i = 0; i < p->names_n; i++) {
		cs_json_object(w);
		cs_json_member_hex(w, "content", p->names[i].content);
		cs_json_member_str(w, "kind", kinds[p->names[i].kind]);
		cs_json_end(w);
	}
	cs_json_end(w);
}

static void put_subject(struct cs_json *w, const struct cs_plan *p)
{
	cs_json_name(w, "subject");
	cs_json_array(w);
	for (size_t i = 0; i < p->subject_n; i++) {
		cs_json_array(w);
		cs_json_hex(w, p->subject[i].oid);
		cs_json_string(w, p->subject[i].value);
		cs_json_end(w);
	}
	cs_json_end(w);
}

static void put_plan(struct fixture *f, const struct cs_plan *p,
		     const struct cs_fact_key *key)
{
	struct cs_json w;
	uint8_t id[20];

	assert_true(cs_tbs_key_id(f->hash, key, id, NULL));
	cs_json_begin(&w, &f->json);
	cs_json_object(&w);
	cs_json_member_hex(&w, "aki", f->maker.ca->ski);
	cs_json_name(&w, "ca");
	cs_json_bool(&w, p->ca);
	put_spans(&w, "ca_issuers_urls", p->ca_issuers_urls,
		  p->ca_issuers_urls_n);
	put_spans(&w, "crl_urls", p->crl_urls, p->crl_urls_n);
	put_spans(&w, "ext_key_usage", p->ext_key_usage, p->ext_key_usage_n);
	cs_json_name(&w, "ext_key_usage_critical");
	cs_json_bool(&w, p->ext_key_usage_critical);
	cs_json_name(&w, "extensions");
	cs_json_array(&w);
	for (size_t i = 0; i < p->extensions_n; i++) {
		cs_json_object(&w);
		cs_json_name(&w, "critical");
		cs_json_bool(&w, p->extensions[i].critical);
		cs_json_member_hex(&w, "oid", p->extensions[i].oid);
		cs_json_member_hex(&w, "value", p->extensions[i].value);
		cs_json_end(&w);
	}
	cs_json_end(&w);
	cs_json_member_int(&w, "key_usage", p->key_usage);
	cs_json_name(&w, "key_usage_critical");
	cs_json_bool(&w, p->key_usage_critical);
	put_names(&w, p);
	cs_json_name(&w, "no_rev_avail");
	cs_json_bool(&w, p->no_rev_avail);
	cs_json_member_int(&w, "not_after", p->not_after_s);
	cs_json_member_int(&w, "not_before", p->not_before_s);
	put_spans(&w, "ocsp_urls", p->ocsp_urls, p->ocsp_urls_n);
	cs_json_member_int(&w, "path_len",
			   p->has_path_len ? (int64_t)p->path_len : -1);
	put_spans(&w, "policies", p->policies, p->policies_n);
	cs_json_member_hex(&w, "serial",
			   cs_span_make(f->serial, sizeof(f->serial)));
	cs_json_member_hex(&w, "ski", cs_span_make(id, sizeof(id)));
	put_subject(&w, p);
	cs_json_end(&w);
	assert_true(cs_json_finish(&w, "plan", NULL));
}

static void save(const struct cs_buf *bytes, const char *ca, unsigned long i,
		 const char *suffix)
{
	char path[1024];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s-%06lu.%s", dir, ca, i,
		       suffix);
	file = fopen(path, "wbe");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes->p, 1, bytes->n, file), bytes->n);
	assert_int_equal(fclose(file), 0);
}

/* -- tests ---------------------------------------------------------------- */

static void run(enum cs_key_kind kind, const char *ca, unsigned long n)
{
	struct plan_maker maker = {.state = seed};
	struct fixture f;
	struct cs_plan p;

	open_fixture(&f, kind);
	for (unsigned long i = 0; i < n; i++) {
		const struct cs_fact_key *key = &f.subject_keys[i % KEYS];

		cs_arena_reset(&f.arena);
		plan_make(&maker, &f.arena, &p);
		write_certificate(&f, &p, key);
		compare_openssl(&f, &p, key);
		compare_own(&f, &p, key);
		if (dir == NULL || i % SAMPLE != 0)
			continue;
		cs_buf_reset(&f.json);
		put_plan(&f, &p, key);
		save(&f.json, ca, i, "json");
		save(&f.der, ca, i, "der");
	}
	close_fixture(&f);
}

static void openssl_and_we_read_what_was_planned(void **state)
{
	(void)state;
	print_message("# %lu plans, seed %lu\n", count, seed);
	run(CS_KEY_KIND_EC_P256, "p256", count - count / 4);
	seed++;
	run(CS_KEY_KIND_RSA_3072, "rsa", count / 8);
	seed++;
	run(CS_KEY_KIND_ED25519, "ed25519", count / 8);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_and_we_read_what_was_planned),
	};

	if (argc > 1)
		count = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		seed = strtoul(argv[2], NULL, 10);
	dir = argc > 3 ? argv[3] : NULL;
	return cs_test_run("issuer/tbs_oracle", tests);
}
