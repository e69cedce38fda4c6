#include <tests/lib/test.h>

#include <string.h>

#include "base/der.h"
#include "issuer/crypto.h"
#include "issuer/key.h"

/* A key, its public half as a CSR's facts have it, and a signature by it. */
struct owner {
	struct cs_key *key;
	struct cs_buf spki, signature;
	struct cs_fact_key facts;
};

struct fixture {
	struct cs_crypto *crypto;
	struct owner a, b, p384;
};

#define MESSAGE CS_SPAN_LIT("what is signed")

static void owner_init(struct owner *o, enum cs_key_kind kind)
{
	size_t n = kind == CS_KEY_KIND_EC_P384 ? 97 : 65;

	cs_buf_init(&o->spki, 1024);
	cs_buf_init(&o->signature, 1024);
	o->key = cs_key_generate(kind, NULL);
	assert_non_null(o->key);
	assert_true(cs_key_spki(o->key, &o->spki, NULL));
	assert_true(cs_key_sign(o->key, CS_SIG_ECDSA_SHA256, MESSAGE,
				&o->signature, NULL));
	o->facts = (struct cs_fact_key){
		.alg = CS_KEY_EC,
		.bits = kind == CS_KEY_KIND_EC_P384 ? 384 : 256,
		.key = cs_span_sub(cs_buf_span(&o->spki), o->spki.n - n, n),
	};
}

static void owner_done(struct owner *o)
{
	cs_key_free(o->key);
	cs_buf_done(&o->spki);
	cs_buf_done(&o->signature);
}

static int set_up(void **state)
{
	static struct fixture f;

	f.crypto = cs_crypto_new(NULL);
	owner_init(&f.a, CS_KEY_KIND_EC_P256);
	owner_init(&f.b, CS_KEY_KIND_EC_P256);
	owner_init(&f.p384, CS_KEY_KIND_EC_P384);
	*state = &f;
	return f.crypto == NULL;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cs_crypto_free(f->crypto);
	owner_done(&f->a);
	owner_done(&f->b);
	owner_done(&f->p384);
	return 0;
}

/* What verifying by's signature with the key of `of` says. */
static enum cs_error_code verify(struct fixture *f, const struct owner *of,
				 const struct owner *by)
{
	struct cs_error err = {0};

	if (cs_crypto_verify(f->crypto, &of->facts, CS_SIG_ECDSA_SHA256,
			     MESSAGE, cs_buf_span(&by->signature), &err))
		return CS_E_NONE;
	return err.code;
}

static void each_key_verifies_what_it_signed_itself(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(verify(f, &f->a, &f->a), CS_E_NONE);
		assert_int_equal(verify(f, &f->b, &f->a), CS_E_VERIFY);
		assert_int_equal(verify(f, &f->b, &f->b), CS_E_NONE);
		assert_int_equal(verify(f, &f->p384, &f->b), CS_E_VERIFY);
		assert_int_equal(verify(f, &f->a, &f->b), CS_E_VERIFY);
		assert_int_equal(verify(f, &f->p384, &f->p384), CS_E_NONE);
		assert_int_equal(verify(f, &f->a, &f->p384), CS_E_VERIFY);
	}
}

static void a_point_off_its_curve_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct owner bad = f->b;
	uint8_t point[65];

	memcpy(point, f->b.facts.key.p, sizeof(point));
	point[64] ^= 1;
	bad.facts.key = cs_span_make(point, sizeof(point));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(verify(f, &f->a, &f->a), CS_E_NONE);
		assert_int_equal(verify(f, &bad, &f->a), CS_E_KEY);
		assert_int_equal(verify(f, &bad, &f->b), CS_E_KEY);
		assert_int_equal(verify(f, &f->b, &f->b), CS_E_NONE);
		assert_int_equal(verify(f, &f->b, &f->a), CS_E_VERIFY);
	}
}

static void an_algorithm_of_another_kind_of_key_is_refused(void **state)
{
	struct fixture *f = *state;
	struct cs_error err = {0};

	assert_false(cs_crypto_verify(f->crypto, &f->a.facts, CS_SIG_RSA_SHA256,
				      MESSAGE, cs_buf_span(&f->a.signature),
				      &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_verifies_what_it_signed_itself),
		cmocka_unit_test(a_point_off_its_curve_leaves_nothing_behind),
		cmocka_unit_test(
			an_algorithm_of_another_kind_of_key_is_refused),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/crypto", tests, set_up,
					    tear_down));
}
