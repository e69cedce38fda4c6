#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "issuer/cert_facts.h"
#include "issuer/feasible.h"
#include "issuer/key.h"
#include "issuer/lint.h"
#include "issuer/oids.h"
#include "issuer/subject.h"
#include "issuer/tbs.h"
#include "issuer/x509.h"
#include <tests/lib/ca_maker.h>

#define CERTIFICATES 3000

struct fixture {
	struct ca_maker maker;
	struct cs_key *key; /* the CA's */
	struct cs_hash *hash;
	X509_STORE *store;
	STACK_OF(X509) * chain;
	struct cs_arena keys; /* subjects' keys */
	struct cs_fact_key subject_keys[4];
	struct cs_arena arena; /* of one certificate */
	struct cs_buf tbs, der, signature;
};

/* -- a small generator: the same plans in every run ----------------------- */

static uint64_t seed = 20261124;

static unsigned draw(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

static struct cs_span draw_text(struct cs_arena *a, const char *alphabet,
				size_t max)
{
	size_t n = 1 + draw((unsigned)max), k = strlen(alphabet);
	char *text = cs_arena_new(a, n + 1);

	for (size_t i = 0; i < n; i++)
		text[i] = alphabet[draw((unsigned)k)];
	return cs_span_make(text, n);
}

static const struct cs_span attr_oids[] = {
	CS_SPAN_INIT(CS_OID_COMMON_NAME),
	CS_SPAN_INIT(CS_OID_ORGANIZATION),
	CS_SPAN_INIT(CS_OID_ORGANIZATIONAL_UNIT),
	CS_SPAN_INIT(CS_OID_LOCALITY),
	CS_SPAN_INIT(CS_OID_SERIAL_NUMBER),
	CS_SPAN_INIT(CS_OID_DOMAIN_COMPONENT),
	CS_SPAN_INIT(CS_OID_EMAIL_ADDRESS),
	CS_SPAN_INIT(CS_OID_USER_ID),
	CS_SPAN_INIT("\x2a\x03\x04\x05"),
};

static void draw_subject(struct cs_arena *a, struct cs_plan *p)
{
	static const char latin[] = "abcdefgh ABCDEFGH0123-.";
	size_t n = draw(5);

	p->subject = cs_arena_new_array(a, 6, sizeof(*p->subject));
	p->subject_n = n;
	for (size_t i = 0; i < n; i++) {
		p->subject[i].oid = attr_oids[draw(9)];
		p->subject[i].value = draw_text(a, latin, 63);
		if (draw(8) == 0 && cs_subject_attr_tag(p->subject[i].oid) ==
					    CS_DER_UTF8_STRING)
			p->subject[i].value = CS_SPAN_LIT("Z\xc3\xbcrich AG");
	}
	if (draw(4) == 0)
		p->subject[p->subject_n++] = (struct cs_plan_attr){
			.oid = CS_SPAN_LIT(CS_OID_COUNTRY),
			.value = CS_SPAN_LIT("CH")};
}

static void draw_name(struct cs_arena *a, size_t i, struct cs_plan_name *n)
{
	static const char low[] = "abcdefghij";
	const char *text;

	switch (draw(5)) {
	case 0:
		n->kind = CS_NAME_IP;
		text = cs_arena_printf(a, "\x0a%c%c%c", (int)(1 + i),
				       (int)(1 + draw(255)),
				       (int)(1 + draw(255)));
		n->content = cs_span_make(text, 4);
		break;
	case 1:
		n->kind = CS_NAME_URI;
		text = cs_arena_printf(a, "spiffe://%zu.example/%.*s", i,
				       CS_SPAN_FMT(draw_text(a, low, 40)));
		n->content = cs_span_str(text);
		break;
	case 2:
		n->kind = CS_NAME_EMAIL;
		text = cs_arena_printf(a, "%.*s@%zu.example",
				       CS_SPAN_FMT(draw_text(a, low, 20)), i);
		n->content = cs_span_str(text);
		break;
	default:
		n->kind = CS_NAME_DNS;
		text = cs_arena_printf(a, "%s%.*s.%zu.example",
				       draw(6) == 0 ? "*." : "",
				       CS_SPAN_FMT(draw_text(a, low, 40)), i);
		n->content = cs_span_str(text);
	}
}

static void draw_lists(struct cs_arena *a, struct cs_plan *p)
{
	static const struct cs_span purposes[] = {
		CS_SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x03\x01"),
		CS_SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x03\x02"),
		CS_SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x03\x04"),
	};
	static struct cs_span urls[] = {
		CS_SPAN_INIT("http://ocsp.example/a"),
		CS_SPAN_INIT("http://ca.example/b.cer"),
		CS_SPAN_INIT("http://crl.example/c.crl"),
	};
	static struct cs_span oids[] = {
		CS_SPAN_INIT("\x67\x81\x0c\x01\x02\x01"),
		CS_SPAN_INIT("\x2a\x03\x04\x05\x06"),
	};

	p->ext_key_usage = cs_arena_new_array(a, 3, sizeof(struct cs_span));
	p->ext_key_usage_n = draw(4);
	for (size_t i = 0; i < p->ext_key_usage_n; i++)
		p->ext_key_usage[i] = purposes[i];
	p->ext_key_usage_critical = draw(2);
	p->policies = oids;
	p->policies_n = draw(3);
	p->ocsp_urls = urls;
	p->ocsp_urls_n = draw(2);
	p->ca_issuers_urls = urls + 1;
	p->ca_issuers_urls_n = draw(2);
	p->crl_urls = urls + 2;
	p->crl_urls_n = draw(2);
}

static void draw_plan(struct cs_arena *a, struct cs_plan *p)
{
	static struct cs_plan_ext ext = {
		.oid = CS_SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x01\x18"),
		.value = CS_SPAN_INIT("\x30\x03\x02\x01\x05")};

	*p = (struct cs_plan){0};
	draw_subject(a, p);
	p->names_n = draw(8);
	if (p->subject_n == 0 && p->names_n == 0)
		p->names_n = 1;
	p->names = cs_arena_new_array(a, 8, sizeof(*p->names));
	for (size_t i = 0; i < p->names_n; i++)
		draw_name(a, i, &p->names[i]);
	p->not_before_s = CA_MAKER_NOW + draw(1000000);
	p->not_after_s = p->not_before_s + draw(30000000);
	p->key_usage = draw(2) ? 0 : 1 + draw(15);
	p->key_usage_critical = draw(4) != 0;
	draw_lists(a, p);
	p->extensions = &ext;
	p->extensions_n = draw(2);
}

/* -- set-up --------------------------------------------------------------- */

static void make_subject_keys(struct fixture *f)
{
	static const enum cs_key_kind kinds[] = {
		CS_KEY_KIND_EC_P256, CS_KEY_KIND_EC_P384, CS_KEY_KIND_RSA_3072,
		CS_KEY_KIND_ED25519};

	for (size_t i = 0; i < 4; i++) {
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

static X509 *read_pem(struct cs_span pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(cert);
	return cert;
}

static void open_fixture(struct fixture *f, enum cs_key_kind kind)
{
	X509 *root;

	ca_make(&f->maker, kind, CS_KEYGEN_TWO_TIERS);
	f->key = ca_key(&f->maker);
	f->hash = cs_hash_new(NULL);
	cs_arena_init(&f->keys, 1000000);
	cs_arena_init(&f->arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&f->tbs, CS_MAX_TBS);
	cs_buf_init(&f->der, CS_MAX_CERT);
	cs_buf_init(&f->signature, CS_MAX_SIGNATURE);
	make_subject_keys(f);
	f->store = X509_STORE_new();
	root = read_pem(f->maker.ca->root_pem);
	X509_STORE_add_cert(f->store, root);
	X509_free(root);
	f->chain = sk_X509_new_null();
	sk_X509_push(f->chain, read_pem(f->maker.ca->chain_pem));
}

static void close_fixture(struct fixture *f)
{
	sk_X509_pop_free(f->chain, X509_free);
	X509_STORE_free(f->store);
	cs_key_free(f->key);
	cs_hash_free(f->hash);
	cs_arena_done(&f->keys);
	cs_arena_done(&f->arena);
	cs_buf_done(&f->tbs);
	cs_buf_done(&f->der);
	cs_buf_done(&f->signature);
	ca_done(&f->maker);
}

/* Plan to TBS, signed, as a certificate in f->der. */
static void issue(struct fixture *f, const struct cs_plan *p,
		  const struct cs_fact_key *key)
{
	const struct cs_issuer_ca *ca = f->maker.ca;
	uint8_t serial[CS_SERIAL_SIZE];
	struct cs_error err = {0};

	cs_buf_reset(&f->tbs);
	cs_buf_reset(&f->der);
	cs_buf_reset(&f->signature);
	assert_true(cs_tbs_serial(serial, NULL));
	if (!cs_tbs_write(p, key, ca, cs_span_make(serial, sizeof(serial)),
			  f->hash, &f->arena, &f->tbs, &err))
		fail_msg("%s", err.text);
	assert_true(cs_key_sign(f->key, ca->alg, cs_buf_span(&f->tbs),
				&f->signature, NULL));
	cs_tbs_certificate(cs_buf_span(&f->tbs), ca->sig_alg,
			   cs_buf_span(&f->signature), &f->der);
}

/* -- comparison with OpenSSL's reading ------------------------------------ */

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

static void compare_subject(const struct cs_plan *p, X509 *cert)
{
	X509_NAME *name = X509_get_subject_name(cert);

	assert_int_equal(X509_NAME_entry_count(name), p->subject_n);
	for (size_t i = 0; i < p->subject_n; i++) {
		X509_NAME_ENTRY *e = X509_NAME_get_entry(name, (int)i);
		ASN1_OBJECT *o = X509_NAME_ENTRY_get_object(e);

		assert_bytes(p->subject[i].oid, OBJ_get0_data(o),
			     OBJ_length(o));
		assert_string(p->subject[i].value, X509_NAME_ENTRY_get_data(e));
		assert_int_equal(X509_NAME_ENTRY_set(e), i);
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
	for (size_t i = 0; i < p->names_n; i++) {
		static const int types[] = {GEN_DNS, GEN_IPADD, GEN_URI,
					    GEN_EMAIL};
		int type;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(
			sk_GENERAL_NAME_value(names, (int)i), &type);

		assert_int_equal(type, types[p->names[i].kind]);
		assert_string(p->names[i].content, value);
	}
	GENERAL_NAMES_free(names);
}

static void compare_usages(const struct cs_plan *p, X509 *cert)
{
	EXTENDED_KEY_USAGE *eku;
	ASN1_BIT_STRING *ku;
	int critical;

	ku = X509_get_ext_d2i(cert, NID_key_usage, &critical, NULL);
	if (p->key_usage == 0) {
		assert_null(ku);
		assert_int_equal(critical, -1);
	} else {
		assert_int_equal(critical, p->key_usage_critical);
		for (int i = 0; i < 9; i++)
			assert_int_equal(ASN1_BIT_STRING_get_bit(ku, i),
					 p->key_usage >> i & 1);
	}
	ASN1_BIT_STRING_free(ku);
	eku = X509_get_ext_d2i(cert, NID_ext_key_usage, &critical, NULL);
	if (p->ext_key_usage_n == 0) {
		assert_null(eku);
		return;
	}
	assert_int_equal(critical, p->ext_key_usage_critical);
	assert_int_equal(sk_ASN1_OBJECT_num(eku), p->ext_key_usage_n);
	for (size_t i = 0; i < p->ext_key_usage_n; i++) {
		ASN1_OBJECT *o = sk_ASN1_OBJECT_value(eku, (int)i);

		assert_bytes(p->ext_key_usage[i], OBJ_get0_data(o),
			     OBJ_length(o));
	}
	EXTENDED_KEY_USAGE_free(eku);
}

static void compare_urls(const struct cs_plan *p, X509 *cert)
{
	CRL_DIST_POINTS *points =
		X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	AUTHORITY_INFO_ACCESS *info =
		X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
	size_t n = p->ocsp_urls_n + p->ca_issuers_urls_n;
	DIST_POINT *point;
	GENERAL_NAME *name;

	assert_non_null(points);
	assert_int_equal(sk_DIST_POINT_num(points), 1);
	point = sk_DIST_POINT_value(points, 0);
	assert_int_equal(point->distpoint->type, 0);
	name = sk_GENERAL_NAME_value(point->distpoint->name.fullname, 0);
	if (p->crl_urls_n > 0)
		assert_string(p->crl_urls[0],
			      name->d.uniformResourceIdentifier);
	else
		assert_memory_equal(name->d.uniformResourceIdentifier->data,
				    "http://crl.corp.example/default/", 32);
	CRL_DIST_POINTS_free(points);
	assert_int_equal(info == NULL ? 0 : sk_ACCESS_DESCRIPTION_num(info), n);
	if (p->ocsp_urls_n > 0)
		assert_string(p->ocsp_urls[0],
			      sk_ACCESS_DESCRIPTION_value(info, 0)
				      ->location->d.uniformResourceIdentifier);
	AUTHORITY_INFO_ACCESS_free(info);
}

static void compare_dates(const struct cs_plan *p, X509 *cert)
{
	time_t from = (time_t)p->not_before_s, to = (time_t)p->not_after_s;

	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert), from),
			 0);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert), to), 0);
}

static void compare_rest(struct fixture *f, const struct cs_plan *p,
			 const struct cs_fact_key *key, X509 *cert)
{
	const struct cs_issuer_ca *ca = f->maker.ca;
	CERTIFICATEPOLICIES *policies;
	unsigned char *spki = NULL;
	uint8_t id[20];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);

	assert_bytes(key->spki, spki, (size_t)n);
	OPENSSL_free(spki);
	assert_int_equal(X509_get_version(cert), X509_VERSION_3);
	assert_true(cs_tbs_key_id(f->hash, key, id, NULL));
	assert_string(cs_span_make(id, 20), X509_get0_subject_key_id(cert));
	assert_string(ca->ski, X509_get0_authority_key_id(cert));
	assert_true(X509_get_extension_flags(cert) & EXFLAG_BCONS);
	assert_false(X509_get_extension_flags(cert) & EXFLAG_CA);
	policies = X509_get_ext_d2i(cert, NID_certificate_policies, NULL, NULL);
	assert_int_equal(policies == NULL ? 0 : sk_POLICYINFO_num(policies),
			 p->policies_n);
	CERTIFICATEPOLICIES_free(policies);
	assert_int_equal(X509_get_ext_by_NID(cert, NID_tlsfeature, -1) >= 0,
			 p->extensions_n == 1);
}

/* Does OpenSSL, strict, accept it under our root? */
static void verify(struct fixture *f, const struct cs_plan *p, X509 *cert)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	assert_int_equal(X509_STORE_CTX_init(ctx, f->store, cert, f->chain), 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param,
				    X509_V_FLAG_X509_STRICT |
					    X509_V_FLAG_CHECK_SS_SIGNATURE);
	X509_VERIFY_PARAM_set_time(param, (time_t)p->not_before_s);
	if (X509_verify_cert(ctx) != 1)
		fail_msg("%s", X509_verify_cert_error_string(
				       X509_STORE_CTX_get_error(ctx)));
	X509_STORE_CTX_free(ctx);
}

/* Our own reading of it, against the plan. */
static void compare_own(struct fixture *f, const struct cs_plan *p,
			const struct cs_fact_key *key)
{
	struct cs_tbs_facts t;
	struct cs_error err = {0};

	if (!cs_cert_facts_read(f->hash, cs_buf_span(&f->der), &f->arena, &t,
				&err))
		fail_msg("%s", err.text);
	assert_true(cs_span_equal(t.tbs, cs_buf_span(&f->tbs)));
	assert_true(cs_span_equal(t.signature, cs_buf_span(&f->signature)));
	assert_true(cs_span_equal(t.issuer, f->maker.ca->subject));
	assert_true(cs_span_equal(t.aki, f->maker.ca->ski));
	assert_true(cs_span_equal(t.cert.key.spki, key->spki));
	assert_int_equal(t.not_before_s, p->not_before_s);
	assert_int_equal(t.not_after_s, p->not_after_s);
	assert_int_equal(t.cert.subject_n, p->subject_n);
	assert_int_equal(t.cert.names_n, p->names_n);
	for (size_t i = 0; i < p->names_n; i++) {
		assert_int_equal(t.cert.names[i].kind, p->names[i].kind);
		assert_true(cs_span_equal(t.cert.names[i].asked,
					  p->names[i].content));
		assert_false(t.cert.names[i].normalized);
	}
	assert_int_equal(t.cert.key_usage, p->key_usage);
	assert_int_equal(t.cert.ext_key_usage_n, p->ext_key_usage_n);
	assert_int_equal(t.policies_n, p->policies_n);
	assert_int_equal(t.ocsp_urls_n, p->ocsp_urls_n);
	assert_int_equal(t.ca_issuers_urls_n, p->ca_issuers_urls_n);
	assert_int_equal(t.crl_urls_n, 1);
	assert_int_equal(t.cert.extensions_n, p->extensions_n);
	assert_true(t.cert.has_basic_constraints && !t.cert.ca);
}

static void compare(struct fixture *f, const struct cs_plan *p,
		    const struct cs_fact_key *key)
{
	const unsigned char *at = f->der.p;
	unsigned char *again = NULL;
	X509 *cert = d2i_X509(NULL, &at, (long)f->der.n);
	int n;

	assert_non_null(cert);
	assert_ptr_equal(at, f->der.p + f->der.n);
	n = i2d_X509(cert, &again);
	assert_bytes(cs_buf_span(&f->der), again, (size_t)n);
	OPENSSL_free(again);
	compare_subject(p, cert);
	compare_names(p, cert);
	compare_usages(p, cert);
	compare_urls(p, cert);
	compare_dates(p, cert);
	compare_rest(f, p, key, cert);
	verify(f, p, cert);
	compare_own(f, p, key);
	X509_free(cert);
}

/* -- tests ---------------------------------------------------------------- */

static void run(enum cs_key_kind kind, int n)
{
	struct fixture f;
	struct cs_plan p;

	open_fixture(&f, kind);
	for (int i = 0; i < n; i++) {
		const struct cs_fact_key *key = &f.subject_keys[i % 4];

		cs_arena_reset(&f.arena);
		draw_plan(&f.arena, &p);
		issue(&f, &p, key);
		compare(&f, &p, key);
	}
	close_fixture(&f);
}

static void openssl_agrees_on_thousands_of_certificates(void **state)
{
	(void)state;
	run(CS_KEY_KIND_EC_P256, CERTIFICATES);
}

static void openssl_agrees_under_cas_of_other_kinds(void **state)
{
	(void)state;
	run(CS_KEY_KIND_EC_P384, 40);
	run(CS_KEY_KIND_RSA_3072, 40);
	run(CS_KEY_KIND_ED25519, 40);
}

/* A plan that is good enough for a server. */
static void server_plan(struct cs_plan *p)
{
	static struct cs_plan_name name = {
		.kind = CS_NAME_DNS, .content = CS_SPAN_INIT("a.example")};
	static struct cs_span purpose = CS_SPAN_INIT(CS_OID_SERVER_AUTH);

	*p = (struct cs_plan){.names = &name,
			      .names_n = 1,
			      .not_before_s = CA_MAKER_NOW,
			      .not_after_s = CA_MAKER_NOW + 86399,
			      .key_usage = CS_KU_DIGITAL_SIGNATURE,
			      .key_usage_critical = true,
			      .ext_key_usage = &purpose,
			      .ext_key_usage_n = 1};
}

static void writes_dates_on_both_sides_of_2050(void **state)
{
	const struct {
		int64_t at;
		const char *tag_and_text;
	} dates[] = {
		{INT64_C(2524607999), "\x17\x0d"
				      "491231235959Z"},
		{INT64_C(2524608000), "\x18\x0f"
				      "20500101000000Z"},
	};
	struct fixture f;
	struct cs_plan p;

	(void)state;
	open_fixture(&f, CS_KEY_KIND_EC_P256);
	for (size_t i = 0; i < 2; i++) {
		const char *want = dates[i].tag_and_text;

		server_plan(&p);
		p.not_after_s = dates[i].at;
		issue(&f, &p, &f.subject_keys[0]);
		assert_non_null(memmem(f.tbs.p, f.tbs.n, want, strlen(want)));
	}
	close_fixture(&f);
}

static void refuses_what_cannot_be_written(void **state)
{
	struct cs_plan_attr attr = {.oid = CS_SPAN_INIT(CS_OID_COUNTRY),
				    .value = CS_SPAN_INIT("\xc3\xa4")};
	struct cs_plan_ext ext = {.oid = CS_SPAN_INIT(CS_OID_BASIC_CONSTRAINTS),
				  .value =
					  CS_SPAN_INIT("\x30\x03\x01\x01\xff")};
	const struct cs_span serial = CS_SPAN_LIT("\x5b");
	struct cs_error err = {0};
	struct fixture f;
	struct cs_plan p;

	(void)state;
	open_fixture(&f, CS_KEY_KIND_EC_P256);
	server_plan(&p);
	p.subject = &attr;
	p.subject_n = 1;
	assert_false(cs_tbs_write(&p, &f.subject_keys[0], f.maker.ca, serial,
				  f.hash, &f.arena, &f.tbs, &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
	server_plan(&p);
	p.extensions = &ext;
	p.extensions_n = 1;
	cs_buf_reset(&f.tbs);
	assert_false(cs_tbs_write(&p, &f.subject_keys[0], f.maker.ca, serial,
				  f.hash, &f.arena, &f.tbs, &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
	server_plan(&p);
	p.not_after_s = p.not_before_s - 1;
	cs_buf_reset(&f.tbs);
	assert_false(cs_tbs_write(&p, &f.subject_keys[0], f.maker.ca, serial,
				  f.hash, &f.arena, &f.tbs, &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
	close_fixture(&f);
}

static void reader_refuses_every_cut_and_survives_every_change(void **state)
{
	struct cs_tbs_facts t;
	struct fixture f;
	struct cs_plan p;
	size_t n;

	(void)state;
	open_fixture(&f, CS_KEY_KIND_EC_P256);
	server_plan(&p);
	issue(&f, &p, &f.subject_keys[0]);
	n = f.tbs.n;
	for (size_t i = 0; i < n; i++)
		assert_false(cs_tbs_facts_read(f.hash, cs_span_make(f.tbs.p, i),
					       &f.arena, &t, NULL));
	for (size_t i = 0; i < n; i++) {
		cs_arena_reset(&f.arena);
		f.tbs.p[i] ^= (uint8_t)(1u << draw(8));
		/* Only that nothing breaks: some changes are other values. */
		(void)!cs_tbs_facts_read(f.hash, cs_buf_span(&f.tbs), &f.arena,
					 &t, NULL);
	}
	close_fixture(&f);
}

static void serials_are_never_the_same(void **state)
{
	uint8_t a[CS_SERIAL_SIZE], b[CS_SERIAL_SIZE];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_true(cs_tbs_serial(a, NULL));
		assert_true(cs_tbs_serial(b, NULL));
		assert_int_equal(a[0], CS_SERIAL_FIRST);
		assert_memory_not_equal(a, b, sizeof(a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_agrees_on_thousands_of_certificates),
		cmocka_unit_test(openssl_agrees_under_cas_of_other_kinds),
		cmocka_unit_test(writes_dates_on_both_sides_of_2050),
		cmocka_unit_test(refuses_what_cannot_be_written),
		cmocka_unit_test(
			reader_refuses_every_cut_and_survives_every_change),
		cmocka_unit_test(serials_are_never_the_same),
	};

	return cs_test_run("issuer/tbs", tests);
}
