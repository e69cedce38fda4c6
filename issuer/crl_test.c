/* OpenSSL is the oracle of what the writer writes. */
#include <tests/lib/test.h>

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/der.h"
#include "base/mem.h"
#include "issuer/crl.h"
#include "issuer/key.h"
#include <tests/lib/ca_maker.h>

#define NOW CA_MAKER_NOW

struct fixture {
	struct ca_maker maker;
	struct cs_key *key;
	struct cs_buf entries, tbs, der;
};

static void set_up(struct fixture *f, enum cs_key_kind kind)
{
	memset(f, 0, sizeof(*f));
	ca_make(&f->maker, kind, CS_KEYGEN_SINGLE);
	f->key = ca_key(&f->maker);
	cs_buf_init(&f->entries, CS_MAX_MESSAGE);
	cs_buf_init(&f->tbs, CS_MAX_CRL);
	cs_buf_init(&f->der, CS_MAX_CRL);
}

static void tear_down(struct fixture *f)
{
	cs_buf_done(&f->entries);
	cs_buf_done(&f->tbs);
	cs_buf_done(&f->der);
	cs_key_free(f->key);
	ca_done(&f->maker);
	assert_int_equal(ERR_peek_error(), 0);
}

static struct cs_crl crl_of(const struct fixture *f)
{
	return (struct cs_crl){
		.shard = 13,
		.number = 4711,
		.this_update_s = NOW,
		.next_update_s = NOW + 7 * 86400,
		.entries = cs_buf_span(&f->entries),
	};
}

/* Write, sign, and read with OpenSSL, which finds the signature good. */
static X509_CRL *make(struct fixture *f, const struct cs_crl *crl,
		      size_t *ret_n)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf signature;
	const uint8_t *p;
	uint8_t *again = NULL;
	struct cs_error err = {0};
	X509_CRL *x;
	X509 *ca;
	int n;

	cs_buf_init(&signature, CS_MAX_SIGNATURE);
	cs_buf_reset(&f->tbs);
	cs_buf_reset(&f->der);
	if (!cs_crl_tbs_write(f->maker.ca, crl, &f->tbs, ret_n, &err))
		fail_msg("%s", err.text);
	assert_true(cs_key_sign(f->key, f->maker.ca->alg, cs_buf_span(&f->tbs),
				&signature, &err));
	cs_der_write_signed(&f->der, cs_buf_span(&f->tbs), f->maker.ca->sig_alg,
			    cs_buf_span(&signature));
	assert_true(cs_buf_ok(&f->der));
	p = f->der.p;
	x = d2i_X509_CRL(NULL, &p, (long)f->der.n);
	assert_non_null(x);
	assert_ptr_equal(p, f->der.p + f->der.n);
	p = f->maker.ca->certificate.p;
	ca = d2i_X509(NULL, &p, (long)f->maker.ca->certificate.n);
	assert_int_equal(X509_CRL_verify(x, X509_get0_pubkey(ca)), 1);
	assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(x),
				       X509_get_subject_name(ca)),
			 0);
	X509_free(ca);
	/* DER has one form: written anew by OpenSSL, it is the same. */
	n = i2d_re_X509_CRL_tbs(x, &again);
	assert_int_equal(n, f->tbs.n);
	assert_memory_equal(again, f->tbs.p, f->tbs.n);
	OPENSSL_free(again);
	return x;
}

static void put(struct fixture *f, struct cs_span serial, int64_t at,
		unsigned reason)
{
	const struct cs_crl_entry e = {serial, at, reason};

	cs_crl_entry_put(&f->entries, &e);
}

/* The n-th serial of a long list: 20 octets, ascending. */
static void nth(size_t n, uint8_t ret_serial[20])
{
	memset(ret_serial, 0x11, 20);
	ret_serial[0] = 0x5b;
	for (int i = 0; i < 4; i++)
		ret_serial[1 + i] = (uint8_t)(n >> (8 * (3 - i)));
}

static const X509_REVOKED *entry_of(X509_CRL *x, struct cs_span serial)
{
	BIGNUM *bn = BN_bin2bn(serial.p, (int)serial.n, NULL);
	ASN1_INTEGER *i = BN_to_ASN1_INTEGER(bn, NULL);
	X509_REVOKED *r = NULL;

	if (X509_CRL_get0_by_serial(x, &r, i) != 1)
		r = NULL;
	BN_free(bn);
	ASN1_INTEGER_free(i);
	return r;
}

/* -1: no reasonCode. */
static long reason_of(const X509_REVOKED *r)
{
	ASN1_ENUMERATED *e =
		X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
	long reason = e == NULL ? -1 : ASN1_ENUMERATED_get(e);

	ASN1_ENUMERATED_free(e);
	return reason;
}

static uint64_t number_of(X509_CRL *x)
{
	ASN1_INTEGER *i = X509_CRL_get_ext_d2i(x, NID_crl_number, NULL, NULL);
	uint64_t n = 0;

	assert_int_equal(ASN1_INTEGER_get_uint64(&n, i), 1);
	ASN1_INTEGER_free(i);
	return n;
}

/* -- tests ---------------------------------------------------------------- */

/* RFC 5280 5.1.2.1, 5.1.2.4, 5.1.2.5, 5.1.2.6 */
static void without_entries_there_is_no_list(void **state)
{
	struct fixture f;
	struct cs_crl crl;
	size_t n = 7;
	X509_CRL *x;

	(void)state;
	set_up(&f, CS_KEY_KIND_EC_P256);
	crl = crl_of(&f);
	x = make(&f, &crl, &n);
	assert_int_equal(n, 0);
	assert_null(X509_CRL_get_REVOKED(x));
	assert_int_equal(X509_CRL_get_version(x), 1);
	assert_int_equal(number_of(x), 4711);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_lastUpdate(x), NOW),
			 0);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_nextUpdate(x),
					      NOW + 7 * 86400),
			 0);
	X509_CRL_free(x);
	tear_down(&f);
}

/* RFC 5280 5.2.1, 5.2.5 */
static void it_says_which_shard_it_is_of(void **state)
{
	struct fixture f;
	struct cs_crl crl;
	size_t n;
	X509_CRL *x;
	ISSUING_DIST_POINT *idp;
	AUTHORITY_KEYID *aki;
	GENERAL_NAME *name;
	int critical = -1;

	(void)state;
	set_up(&f, CS_KEY_KIND_EC_P256);
	crl = crl_of(&f);
	x = make(&f, &crl, &n);
	idp = X509_CRL_get_ext_d2i(x, NID_issuing_distribution_point, &critical,
				   NULL);
	assert_non_null(idp);
	assert_int_equal(critical, 1);
	assert_int_equal(idp->onlyuser, 0);
	assert_int_equal(idp->onlyCA, 0);
	assert_int_equal(idp->indirectCRL, 0);
	assert_null(idp->onlysomereasons);
	assert_int_equal(sk_GENERAL_NAME_num(idp->distpoint->name.fullname), 1);
	name = sk_GENERAL_NAME_value(idp->distpoint->name.fullname, 0);
	assert_int_equal(name->type, GEN_URI);
	assert_string_equal((const char *)ASN1_STRING_get0_data(
				    name->d.uniformResourceIdentifier),
			    "http://crl.corp.example/default/13.crl");
	ISSUING_DIST_POINT_free(idp);
	aki = X509_CRL_get_ext_d2i(x, NID_authority_key_identifier, &critical,
				   NULL);
	assert_non_null(aki);
	assert_int_equal(critical, 0);
	assert_int_equal(ASN1_STRING_length(aki->keyid), f.maker.ca->ski.n);
	assert_memory_equal(ASN1_STRING_get0_data(aki->keyid),
			    f.maker.ca->ski.p, f.maker.ca->ski.n);
	AUTHORITY_KEYID_free(aki);
	assert_int_equal(X509_CRL_get_ext_count(x), 3);
	X509_CRL_free(x);
	tear_down(&f);
}

static void without_a_url_there_is_one_crl_of_everything(void **state)
{
	struct fixture f;
	struct cs_crl crl;
	struct cs_error err = {0};
	size_t n;
	X509_CRL *x;

	(void)state;
	set_up(&f, CS_KEY_KIND_EC_P256);
	f.maker.ca->crl_url = (struct cs_span){0};
	assert_int_equal(cs_crl_shards(f.maker.ca), 1);
	crl = crl_of(&f);
	crl.shard = 1;
	assert_false(cs_crl_tbs_write(f.maker.ca, &crl, &f.tbs, &n, &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
	crl.shard = 0;
	x = make(&f, &crl, &n);
	assert_int_equal(
		X509_CRL_get_ext_by_NID(x, NID_issuing_distribution_point, -1),
		-1);
	assert_int_equal(X509_CRL_get_ext_count(x), 2);
	X509_CRL_free(x);
	tear_down(&f);
}

/* RFC 5280 5.3.1: "absent instead of using the unspecified (0)" */
static void entries_have_the_reasons_that_say_something(void **state)
{
	static const unsigned reasons[] = {0, 1, 2, 3, 4, 5, 6, 9, 10};
	struct fixture f;
	struct cs_crl crl;
	size_t n;
	X509_CRL *x;
	uint8_t serial[20];

	(void)state;
	set_up(&f, CS_KEY_KIND_EC_P256);
	for (size_t i = 0; i < 9; i++) {
		nth(i, serial);
		put(&f, cs_span_make(serial, 20), NOW - (int64_t)i, reasons[i]);
	}
	crl = crl_of(&f);
	x = make(&f, &crl, &n);
	assert_int_equal(n, 9);
	for (size_t i = 0; i < 9; i++) {
		const X509_REVOKED *r;

		nth(i, serial);
		r = entry_of(x, cs_span_make(serial, 20));
		assert_non_null(r);
		assert_int_equal(reason_of(r), i == 0 ? -1 : (long)reasons[i]);
		assert_int_equal(ASN1_TIME_cmp_time_t(
					 X509_REVOKED_get0_revocationDate(r),
					 NOW - (int64_t)i),
				 0);
		assert_int_equal(
			sk_X509_EXTENSION_num(X509_REVOKED_get0_extensions(r)),
			i == 0 ? -1 : 1);
	}
	X509_CRL_free(x);
	tear_down(&f);
}

/* RFC 5280 4.1.2.2 */
static void serials_may_be_short_or_long(void **state)
{
	static const struct cs_span serials[] = {
		CS_SPAN_INIT("\x00\x80"),
		CS_SPAN_INIT("\x01"),
		CS_SPAN_INIT("\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			     "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
	};
	struct fixture f;
	struct cs_crl crl;
	size_t n;
	X509_CRL *x;

	(void)state;
	set_up(&f, CS_KEY_KIND_EC_P256);
	for (size_t i = 0; i < 3; i++)
		put(&f, serials[i], NOW, 0);
	crl = crl_of(&f);
	x = make(&f, &crl, &n);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_non_null(entry_of(x, serials[i]));
	X509_CRL_free(x);
	tear_down(&f);
}

/* RFC 5280 5.1.2.4, 5.1.2.6: GeneralizedTime from 2050 on */
static void times_from_2050_on_are_generalized(void **state)
{
	const int64_t y2050 = INT64_C(2524608000);
	struct fixture f;
	struct cs_crl crl;
	size_t n;
	X509_CRL *x;
	const X509_REVOKED *r;

	(void)state;
	set_up(&f, CS_KEY_KIND_EC_P256);
	put(&f, CS_SPAN_LIT("\x01"), y2050 - 1, 1);
	put(&f, CS_SPAN_LIT("\x02"), y2050, 1);
	crl = crl_of(&f);
	crl.this_update_s = y2050 - 1;
	crl.next_update_s = y2050;
	x = make(&f, &crl, &n);
	assert_int_equal(X509_CRL_get0_lastUpdate(x)->type, V_ASN1_UTCTIME);
	assert_int_equal(X509_CRL_get0_nextUpdate(x)->type,
			 V_ASN1_GENERALIZEDTIME);
	r = entry_of(x, CS_SPAN_LIT("\x01"));
	assert_int_equal(X509_REVOKED_get0_revocationDate(r)->type,
			 V_ASN1_UTCTIME);
	r = entry_of(x, CS_SPAN_LIT("\x02"));
	assert_int_equal(X509_REVOKED_get0_revocationDate(r)->type,
			 V_ASN1_GENERALIZEDTIME);
	assert_int_equal(ASN1_TIME_cmp_time_t(
				 X509_REVOKED_get0_revocationDate(r), y2050),
			 0);
	X509_CRL_free(x);
	tear_down(&f);
}

static void ten_thousand_entries_with_each_kind_of_key(void **state)
{
	static const enum cs_key_kind kinds[] = {
		CS_KEY_KIND_EC_P256, CS_KEY_KIND_EC_P384, CS_KEY_KIND_RSA_3072,
		CS_KEY_KIND_RSA_4096, CS_KEY_KIND_ED25519};

	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct fixture f;
		struct cs_crl crl;
		uint8_t serial[20];
		size_t n;
		X509_CRL *x;

		set_up(&f, kinds[k]);
		for (size_t i = 0; i < 10000; i++) {
			nth(i, serial);
			put(&f, cs_span_make(serial, 20), NOW,
			    (unsigned)(i % 6));
		}
		crl = crl_of(&f);
		x = make(&f, &crl, &n);
		assert_int_equal(n, 10000);
		assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(x)),
				 10000);
		nth(9999, serial);
		assert_non_null(entry_of(x, cs_span_make(serial, 20)));
		nth(10000, serial);
		assert_null(entry_of(x, cs_span_make(serial, 20)));
		X509_CRL_free(x);
		tear_down(&f);
	}
}

/* The most that is allowed fits, with the largest entries that there are. */
static void as_many_as_are_allowed_fit(void **state)
{
	struct fixture f;
	struct cs_crl crl;
	uint8_t serial[20];
	size_t n;

	(void)state;
	set_up(&f, CS_KEY_KIND_RSA_4096);
	for (size_t i = 0; i < CS_MAX_CRL_ENTRIES; i++) {
		nth(i, serial);
		put(&f, cs_span_make(serial, 20), INT64_C(2600000000), 1);
	}
	assert_true(f.entries.n < CS_MAX_MESSAGE / 2 + 1000000);
	crl = crl_of(&f);
	X509_CRL_free(make(&f, &crl, &n));
	assert_int_equal(n, CS_MAX_CRL_ENTRIES);
	assert_true(f.der.n <= CS_MAX_CRL);
	tear_down(&f);
}

static void equal_lists_are_equal_bytes(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf other;
	struct fixture f;
	struct cs_crl crl;
	uint8_t serial[20];
	size_t n;

	(void)state;
	set_up(&f, CS_KEY_KIND_EC_P256);
	cs_buf_init(&other, CS_MAX_CRL);
	for (size_t i = 0; i < 100; i++) {
		nth(i * 37 % 100, serial);
		put(&f, cs_span_make(serial, 20), NOW, 1);
	}
	crl = crl_of(&f);
	assert_true(cs_crl_tbs_write(f.maker.ca, &crl, &f.tbs, &n, NULL));
	cs_buf_reset(&f.entries);
	for (size_t i = 0; i < 100; i++) {
		nth(i, serial);
		put(&f, cs_span_make(serial, 20), NOW, 1);
	}
	crl = crl_of(&f);
	assert_true(cs_crl_tbs_write(f.maker.ca, &crl, &other, &n, NULL));
	assert_true(cs_span_equal(cs_buf_span(&f.tbs), cs_buf_span(&other)));
	tear_down(&f);
}

static void a_serial_that_comes_twice_is_refused(void **state)
{
	struct fixture f;
	struct cs_error err = {0};
	struct cs_crl crl;
	size_t n;

	(void)state;
	set_up(&f, CS_KEY_KIND_EC_P256);
	put(&f, CS_SPAN_LIT("\x02"), NOW, 1);
	put(&f, CS_SPAN_LIT("\x01"), NOW, 1);
	put(&f, CS_SPAN_LIT("\x02"), NOW - 1, 0);
	crl = crl_of(&f);
	assert_false(cs_crl_tbs_write(f.maker.ca, &crl, &f.tbs, &n, &err));
	assert_int_equal(err.code, CS_E_PROTOCOL);
	tear_down(&f);
}

static void more_than_are_allowed_are_too_large(void **state)
{
	struct fixture f;
	struct cs_error err = {0};
	struct cs_crl crl;
	uint8_t serial[20];
	size_t n;

	(void)state;
	set_up(&f, CS_KEY_KIND_EC_P256);
	for (size_t i = 0; i <= CS_MAX_CRL_ENTRIES; i++) {
		nth(i, serial);
		put(&f, cs_span_make(serial, 20), NOW, 1);
	}
	crl = crl_of(&f);
	assert_false(cs_crl_tbs_write(f.maker.ca, &crl, &f.tbs, &n, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	tear_down(&f);
}

/* Each change of a good one makes it a bad one. */
static void what_cannot_be_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, CS_KEY_KIND_EC_P256);
	for (int i = 0; i < 7; i++) {
		struct cs_error err = {0};
		struct cs_crl crl = crl_of(&f);
		size_t n;

		cs_buf_reset(&f.tbs);
		if (i == 0)
			crl.shard = 16;
		if (i == 1)
			crl.number = 0;
		if (i == 2)
			crl.next_update_s = crl.this_update_s;
		if (i == 3)
			crl.next_update_s = INT64_C(253402300800);
		if (i == 4)
			crl.this_update_s = INT64_C(-631152001);
		if (i == 5)
			crl.entries = CS_SPAN_LIT("\x01");
		if (i == 6) {
			put(&f, CS_SPAN_LIT("\x01"), INT64_MAX, 1);
			crl.entries = cs_buf_span(&f.entries);
		}
		assert_false(
			cs_crl_tbs_write(f.maker.ca, &crl, &f.tbs, &n, &err));
		assert_true(err.code == CS_E_ARGUMENT ||
			    err.code == CS_E_PROTOCOL);
	}
	tear_down(&f);
}

static void a_crl_beyond_the_maximum_is_too_large(void **state)
{
	struct fixture f;
	struct cs_error err = {0};
	struct cs_crl crl;
	size_t n;

	(void)state;
	set_up(&f, CS_KEY_KIND_EC_P256);
	put(&f, CS_SPAN_LIT("\x01"), NOW, 1);
	crl = crl_of(&f);
	f.tbs.max = 100;
	assert_false(cs_crl_tbs_write(f.maker.ca, &crl, &f.tbs, &n, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_entries_there_is_no_list),
		cmocka_unit_test(it_says_which_shard_it_is_of),
		cmocka_unit_test(without_a_url_there_is_one_crl_of_everything),
		cmocka_unit_test(entries_have_the_reasons_that_say_something),
		cmocka_unit_test(serials_may_be_short_or_long),
		cmocka_unit_test(times_from_2050_on_are_generalized),
		cmocka_unit_test(ten_thousand_entries_with_each_kind_of_key),
		cmocka_unit_test(as_many_as_are_allowed_fit),
		cmocka_unit_test(equal_lists_are_equal_bytes),
		cmocka_unit_test(a_serial_that_comes_twice_is_refused),
		cmocka_unit_test(more_than_are_allowed_are_too_large),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(a_crl_beyond_the_maximum_is_too_large),
	};

	return cs_test_run("issuer/crl", tests);
}
