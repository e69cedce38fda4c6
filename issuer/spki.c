#include "issuer/x509.h"

#include "issuer/oids.h"

/* What RSA keys we take. */
#define RSA_BITS_MIN	 2048
#define RSA_BITS_MAX	 4096
#define RSA_EXPONENT_MIN 65537u
#define RSA_EXPONENT_MAX ((uint64_t)1 << 32)

/* Bits of a big-endian number without leading zero octets. */
static unsigned count_bits(struct cs_span number)
{
	unsigned bits;
	uint8_t first;

	if (number.n == 0)
		return 0;
	bits = (unsigned)(8 * (number.n - 1));
	for (first = number.p[0]; first != 0; first >>= 1)
		bits++;
	return bits;
}

/* A positive INTEGER's magnitude. */
static bool read_positive(struct cs_der *r, const char *what,
			  struct cs_span *ret_magnitude, struct cs_error *err)
{
	struct cs_span content;

	if (!cs_der_integer(r, what, &content, err))
		return false;
	if (content.p[0] & 0x80)
		return cs_error_set(err, CS_E_DER,
				    "RFC 8017 3.1: %s is negative", what);
	if (content.p[0] == 0)
		content = cs_span_sub(content, 1, content.n);
	*ret_magnitude = content;
	return true;
}

bool cs_spki_rsa(struct cs_span key, struct cs_span *ret_modulus,
		 struct cs_span *ret_exponent, struct cs_error *err)
{
	struct cs_der outer = cs_der_reader(key), inner;
	struct cs_span n, e;

	if (!cs_der_enter(&outer, CS_DER_SEQUENCE, "RSAPublicKey", &inner,
			  err) ||
	    !read_positive(&inner, "modulus", &n, err) ||
	    !read_positive(&inner, "publicExponent", &e, err) ||
	    !cs_der_end(&inner, "RSAPublicKey", err) ||
	    !cs_der_end(&outer, "RSAPublicKey", err))
		return false;
	*ret_modulus = n;
	*ret_exponent = e;
	return true;
}

/* Is the exponent odd and within its bounds? */
static bool exponent_is_good(struct cs_span e)
{
	uint64_t v = 0;

	if (e.n == 0 || e.n > 5)
		return false;
	for (size_t i = 0; i < e.n; i++)
		v = v << 8 | e.p[i];
	return v % 2 == 1 && v >= RSA_EXPONENT_MIN && v <= RSA_EXPONENT_MAX;
}

static bool judge_rsa(struct cs_x509 *x, struct cs_fact_key *key,
		      struct cs_error *err)
{
	const struct cs_span none = {0};
	struct cs_span n, e;
	struct cs_error why;

	if (!cs_spki_rsa(key->key, &n, &e, &why))
		return cs_x509_finding_error(x, CS_CODE_CSR_KEY, "key", &why,
					     err);
	key->bits = count_bits(n);
	if ((key->bits < RSA_BITS_MIN || key->bits > RSA_BITS_MAX ||
	     key->bits % 8 != 0) &&
	    !cs_x509_finding(x, CS_CODE_CSR_KEY, "key", none, err,
			     "RFC 8017 3.1: an RSA modulus of %u bits; %d to "
			     "%d bits, a multiple of 8, are taken",
			     key->bits, RSA_BITS_MIN, RSA_BITS_MAX))
		return false;
	if (n.n > 0 && n.p[n.n - 1] % 2 == 0 &&
	    !cs_x509_finding(x, CS_CODE_CSR_KEY, "key", none, err,
			     "RFC 8017 3.1: the RSA modulus is even, so it is "
			     "not a product of odd primes"))
		return false;
	if (!exponent_is_good(e) &&
	    !cs_x509_finding(x, CS_CODE_CSR_KEY, "key", cs_span_sub(e, 0, 8),
			     err,
			     "RFC 8017 3.1: the RSA exponent must be odd, at "
			     "least 65537 and at most 2^32"))
		return false;
	return true;
}

/* An EC key: `params` is what follows the algorithm's OID. */
static bool judge_ec(struct cs_x509 *x, struct cs_der params,
		     struct cs_fact_key *key, struct cs_error *err)
{
	const struct cs_span none = {0};
	struct cs_span curve;
	struct cs_error why;
	unsigned octets;

	if (!cs_der_next_is(&params, CS_DER_OID))
		return cs_x509_finding(
			x, CS_CODE_CSR_KEY, "key", none, err,
			"RFC 5480 2.1.1: EC parameters must be a named curve");
	if (!cs_der_oid(&params, "namedCurve", &curve, &why) ||
	    !cs_der_end(&params, "EC parameters", &why))
		return cs_x509_finding_error(x, CS_CODE_CSR_KEY, "key", &why,
					     err);
	if (cs_span_equal(curve, CS_SPAN_LIT(CS_OID_P256)))
		key->bits = 256;
	else if (cs_span_equal(curve, CS_SPAN_LIT(CS_OID_P384)))
		key->bits = 384;
	else if (cs_span_equal(curve, CS_SPAN_LIT(CS_OID_P521)))
		key->bits = 521;
	else
		return cs_x509_finding(
			x, CS_CODE_CSR_KEY, "key", none, err,
			"RFC 5480 2.1.1.1: an unknown curve; P-256, P-384 and "
			"P-521 are taken");
	octets = 2 * ((key->bits + 7) / 8);
	if (key->key.n != 1 + octets || key->key.p[0] != 0x04)
		return cs_x509_finding(
			x, CS_CODE_CSR_KEY, "key", none, err,
			"RFC 5480 2.2: the point must be in uncompressed form "
			"(0x04 and %u octets)",
			octets);
	return true;
}

static bool judge_ed25519(struct cs_x509 *x, struct cs_der params,
			  struct cs_fact_key *key, struct cs_error *err)
{
	const struct cs_span none = {0};

	key->bits = 256;
	if (!cs_der_at_end(&params))
		return cs_x509_finding(x, CS_CODE_CSR_KEY, "key", none, err,
				       "RFC 8410 3: the parameters of Ed25519 "
				       "must be absent");
	if (key->key.n != 32)
		return cs_x509_finding(x, CS_CODE_CSR_KEY, "key", none, err,
				       "RFC 8032 5.1.5: an Ed25519 public key "
				       "has 32 octets, not %zu",
				       key->key.n);
	return true;
}

/* By the algorithm's OID: who judges the rest. */
static bool judge_by_algorithm(struct cs_x509 *x, struct cs_span oid,
			       struct cs_der params, struct cs_fact_key *key,
			       struct cs_error *err)
{
	const struct cs_span none = {0};
	struct cs_error why;
	struct cs_span content;

	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_EC_PUBLIC_KEY))) {
		key->alg = CS_KEY_EC;
		return judge_ec(x, params, key, err);
	}
	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_ED25519))) {
		key->alg = CS_KEY_ED25519;
		return judge_ed25519(x, params, key, err);
	}
	if (!cs_span_equal(oid, CS_SPAN_LIT(CS_OID_RSA)))
		return cs_x509_finding(
			x, CS_CODE_CSR_KEY, "key", none, err,
			"RFC 5280 4.1.2.7: the key is none of EC, RSA and "
			"Ed25519");
	key->alg = CS_KEY_RSA;
	if (!cs_der_element(&params, CS_DER_NULL, "RSA parameters", &content,
			    NULL, &why) ||
	    !cs_der_end(&params, "RSA parameters", &why) || content.n != 0)
		return cs_x509_finding(x, CS_CODE_CSR_KEY, "key", none, err,
				       "RFC 3279 2.3.1: the parameters of an "
				       "RSA key must be NULL");
	return judge_rsa(x, key, err);
}

bool cs_spki_read(struct cs_x509 *x, struct cs_span spki,
		  struct cs_fact_key *key, struct cs_error *err)
{
	struct cs_der outer = cs_der_reader(spki), inner, alg;
	struct cs_error why;
	struct cs_span oid;

	key->spki = spki;
	if (!cs_hash_sha256(x->hash, spki, key->spki_sha256, err))
		return false;
	if (!cs_der_enter(&outer, CS_DER_SEQUENCE, "SubjectPublicKeyInfo",
			  &inner, &why) ||
	    !cs_der_enter(&inner, CS_DER_SEQUENCE, "key algorithm", &alg,
			  &why) ||
	    !cs_der_oid(&alg, "key algorithm", &oid, &why) ||
	    !cs_der_bit_string_octets(&inner, "subjectPublicKey", &key->key,
				      &why) ||
	    !cs_der_end(&inner, "SubjectPublicKeyInfo", &why) ||
	    !cs_der_end(&outer, "SubjectPublicKeyInfo", &why))
		return cs_x509_finding_error(x, CS_CODE_CSR_KEY, "key", &why,
					     err);
	return judge_by_algorithm(x, oid, alg, key, err);
}
