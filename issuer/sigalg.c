#include "issuer/sigalg.h"

/* One row: how it is written, whose key it needs, what it hashes with. */
static const struct {
	struct cs_span der;
	unsigned oid_n; /* content octets of its OID, which begins at 4 */
	enum cs_key_alg key;
	const char *digest;
	const char *name;
	const char *clause; /* what the RFC says about the parameters */
} algs[CS_SIG_ALGS] = {
	[CS_SIG_ECDSA_SHA256] =
		{CS_SPAN_INIT("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03"
			      "\x02"),
		 8, CS_KEY_EC, "SHA2-256", "ecdsa-with-SHA256",
		 "RFC 5758 3.2: the parameters of ecdsa-with-SHA256 must be "
		 "absent"},
	[CS_SIG_ECDSA_SHA384] =
		{CS_SPAN_INIT("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03"
			      "\x03"),
		 8, CS_KEY_EC, "SHA2-384", "ecdsa-with-SHA384",
		 "RFC 5758 3.2: the parameters of ecdsa-with-SHA384 must be "
		 "absent"},
	[CS_SIG_ECDSA_SHA512] =
		{CS_SPAN_INIT("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03"
			      "\x04"),
		 8, CS_KEY_EC, "SHA2-512", "ecdsa-with-SHA512",
		 "RFC 5758 3.2: the parameters of ecdsa-with-SHA512 must be "
		 "absent"},
	[CS_SIG_RSA_SHA256] =
		{CS_SPAN_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01"
			      "\x01\x0b\x05\x00"),
		 9, CS_KEY_RSA, "SHA2-256", "sha256WithRSAEncryption",
		 "RFC 4055 5: the parameters of sha256WithRSAEncryption must "
		 "be NULL"},
	[CS_SIG_RSA_SHA384] =
		{CS_SPAN_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01"
			      "\x01\x0c\x05\x00"),
		 9, CS_KEY_RSA, "SHA2-384", "sha384WithRSAEncryption",
		 "RFC 4055 5: the parameters of sha384WithRSAEncryption must "
		 "be NULL"},
	[CS_SIG_RSA_SHA512] =
		{CS_SPAN_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01"
			      "\x01\x0d\x05\x00"),
		 9, CS_KEY_RSA, "SHA2-512", "sha512WithRSAEncryption",
		 "RFC 4055 5: the parameters of sha512WithRSAEncryption must "
		 "be NULL"},
	[CS_SIG_ED25519] = {CS_SPAN_INIT("\x30\x05\x06\x03\x2b\x65\x70"), 3,
			    CS_KEY_ED25519, NULL, "Ed25519",
			    "RFC 8410 3: the parameters of Ed25519 must be "
			    "absent"},
};

/* Why an AlgorithmIdentifier that matches no row is refused. */
static bool explain_unknown(struct cs_span content, struct cs_error *err)
{
	struct cs_der inner = cs_der_reader(content);
	struct cs_span oid, name;
	struct cs_buf text;

	if (!cs_der_oid(&inner, "AlgorithmIdentifier", &oid, err))
		return false;
	for (size_t i = 0; i < CS_SIG_ALGS; i++) {
		name = cs_span_sub(algs[i].der, 4, algs[i].oid_n);
		if (cs_span_equal(name, oid))
			return cs_error_set(err, CS_E_DER, "%s",
					    algs[i].clause);
	}
	cs_buf_init(&text, 512);
	if (oid.n <= CS_MAX_OID)
		cs_der_oid_text(oid, &text);
	cs_error_set(
		err, CS_E_NOT_FOUND,
		"RFC 5280 4.1.1.2: the signature algorithm %s is not taken: "
		"ECDSA or RSA PKCS#1 v1.5 with SHA-256, SHA-384 or "
		"SHA-512, or Ed25519",
		text.n > 0 ? cs_buf_str(&text) : "(a long OID)");
	cs_buf_done(&text);
	return false;
}

bool cs_sigalg_read(struct cs_der *r, enum cs_sig_alg *ret_alg,
		    struct cs_error *err)
{
	struct cs_der at = *r;
	struct cs_span content, whole;

	if (!cs_der_element(&at, CS_DER_SEQUENCE, "AlgorithmIdentifier",
			    &content, &whole, err))
		return false;
	for (size_t i = 0; i < CS_SIG_ALGS; i++) {
		if (!cs_span_equal(algs[i].der, whole))
			continue;
		*ret_alg = (enum cs_sig_alg)i;
		*r = at;
		return true;
	}
	return explain_unknown(content, err);
}

struct cs_span cs_sigalg_der(enum cs_sig_alg alg)
{
	return algs[alg].der;
}

enum cs_key_alg cs_sigalg_key(enum cs_sig_alg alg)
{
	return algs[alg].key;
}

const char *cs_sigalg_digest(enum cs_sig_alg alg)
{
	return algs[alg].digest;
}

const char *cs_sigalg_name(enum cs_sig_alg alg)
{
	return algs[alg].name;
}

enum cs_sig_alg cs_sigalg_for_key(const struct cs_fact_key *key)
{
	if (key->alg == CS_KEY_ED25519)
		return CS_SIG_ED25519;
	if (key->alg == CS_KEY_RSA)
		return CS_SIG_RSA_SHA256;
	return key->bits > 256 ? CS_SIG_ECDSA_SHA384 : CS_SIG_ECDSA_SHA256;
}
