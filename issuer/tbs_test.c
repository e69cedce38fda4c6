#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/der.h"
#include "issuer/cert_facts.h"
#include "issuer/key.h"
#include "issuer/oids.h"
#include "issuer/tbs.h"
#include "issuer/x509.h"
#include <tests/lib/ca_maker.h>
#include <tests/lib/plan_maker.h>

#define CERTIFICATES 300

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
	assert_true(cs_tbs_serial(1800000000, serial, NULL));
	if (!cs_tbs_write(p, key, ca, cs_span_make(serial, sizeof(serial)),
			  f->hash, &f->arena, &f->tbs, &err))
		fail_msg("%s", err.text);
	assert_true(cs_key_sign(f->key, ca->alg, cs_buf_span(&f->tbs),
				&f->signature, NULL));
	cs_der_write_signed(&f->der, cs_buf_span(&f->tbs), ca->sig_alg,
			    cs_buf_span(&f->signature));
}

/* Does OpenSSL, strict, accept it under our root? */
static void verify(struct fixture *f, const struct cs_plan *p)
{
	const unsigned char *at = f->der.p;
	X509 *cert = d2i_X509(NULL, &at, (long)f->der.n);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	assert_non_null(cert);
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
	X509_free(cert);
}

/* -- tests ---------------------------------------------------------------- */

/* What verifiers reject, though it can be written: made harmless. */
static void tame(struct cs_plan *p)
{
	p->not_before_s = CA_MAKER_NOW;
	p->not_after_s = CA_MAKER_NOW + 86400;
	p->ca = p->has_path_len = false;
	p->key_usage &= ~(unsigned)(CS_KU_CERT_SIGN | CS_KU_CRL_SIGN);
	for (size_t i = 0; i < p->extensions_n; i++)
		p->extensions[i].critical = false;
}

static void run(enum cs_key_kind kind, int n)
{
	struct plan_maker maker = {.state = 20261124};
	struct fixture f;
	struct cs_plan p;

	open_fixture(&f, kind);
	for (int i = 0; i < n; i++) {
		cs_arena_reset(&f.arena);
		plan_make(&maker, &f.arena, &p);
		tame(&p);
		issue(&f, &p, &f.subject_keys[i % 4]);
		verify(&f, &p);
	}
	close_fixture(&f);
}

static void openssl_verifies_what_is_issued(void **state)
{
	(void)state;
	run(CS_KEY_KIND_EC_P256, CERTIFICATES);
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
	struct plan_maker m = {.state = 1};
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
		f.tbs.p[i] ^= (uint8_t)(1u << plan_draw(&m, 8));
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
		assert_true(cs_tbs_serial(0x6b49d200, a, NULL));
		assert_true(cs_tbs_serial(0x6b49d200, b, NULL));
		assert_memory_equal(a, "\x5b\x6b\x49\xd2\x00", 5);
		assert_memory_not_equal(a, b, sizeof(a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_verifies_what_is_issued),
		cmocka_unit_test(writes_dates_on_both_sides_of_2050),
		cmocka_unit_test(refuses_what_cannot_be_written),
		cmocka_unit_test(
			reader_refuses_every_cut_and_survives_every_change),
		cmocka_unit_test(serials_are_never_the_same),
	};

	return cs_test_run("issuer/tbs", tests);
}
