#include "api/peer_cert.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/x509.h"

/* OpenSSL's: 112 bits, hence no SHA-1 and no RSA below 2048 bits. */
#define SECURITY_LEVEL 2
/* All names of one certificate, with their kinds. */
#define MAX_NAMES_BYTES 65536

struct cs_peer_ca {
	X509_STORE *store;  /* holds this one certificate */
	uint8_t sha256[32]; /* of its DER */
};

struct cs_peer_cert {
	X509 *leaf;
	STACK_OF(X509) * chain; /* above the leaf, as it came */
	uint8_t fingerprint[32];
	bool malformed;
	int64_t not_before_ms;
	int64_t not_after_ms; /* the last millisecond that it is valid in */
	uint32_t usages;      /* XKU_*; UINT32_MAX: not stated */
	struct cs_buf text;
	struct cs_span names[CS_MAX_NAMES];
	size_t names_n;
	/* The anchor of the chain that held last, and when it holds. */
	bool held;
	uint8_t held_ca[32];
	int64_t held_from_ms;
	int64_t held_until_ms;
};

/* -- a CA ---------------------------------------------------------------- */

void cs_peer_ca_free(struct cs_peer_ca *ca)
{
	if (ca == NULL)
		return;
	X509_STORE_free(ca->store);
	cs_mem_free(ca);
}

/* A store with this certificate alone; NULL: no memory. */
static struct cs_peer_ca *ca_of(X509 *cert)
{
	struct cs_peer_ca *ca = cs_mem_new(sizeof(*ca));
	unsigned n = 0;

	if (ca == NULL)
		return NULL;
	ca->store = X509_STORE_new();
	if (ca->store != NULL && X509_STORE_add_cert(ca->store, cert) == 1 &&
	    X509_digest(cert, EVP_sha256(), ca->sha256, &n) == 1)
		return ca;
	cs_peer_ca_free(ca);
	return NULL;
}

struct cs_peer_ca *cs_peer_ca_new(struct cs_span der, struct cs_error *err)
{
	struct cs_peer_ca *ca = NULL;
	X509 *cert = cs_x509_decode(der, NULL);

	/* RFC 5280 4.2.1.9: cA is stated; 1 is what OpenSSL says of that. */
	if (cert == NULL || X509_check_ca(cert) != 1) {
		cs_error_set(err, CS_E_FORMAT,
			     "RFC 5280 4.2.1.9: not the certificate of a CA");
	} else {
		ca = ca_of(cert);
		if (ca == NULL)
			cs_error_set(err, CS_E_NO_MEMORY,
				     "out of memory for a CA");
	}
	X509_free(cert);
	ERR_clear_error();
	return ca;
}

/* -- a peer's certificate ------------------------------------------------ */

void cs_peer_cert_free(struct cs_peer_cert *c)
{
	if (c == NULL)
		return;
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	cs_buf_done(&c->text);
	cs_mem_free(c);
}

/* One more name in canonical form; false: it is none that may stand there. */
static bool add_name(struct cs_peer_cert *c, const char *kind,
		     const ASN1_IA5STRING *value)
{
	struct cs_span s = cs_span_make(ASN1_STRING_get0_data(value),
					(size_t)ASN1_STRING_length(value));
	bool dns = kind[0] == 'd';

	if (s.n == 0 || s.n > (dns ? CS_MAX_DNS_NAME : CS_MAX_URI) ||
	    c->names_n == CS_MAX_NAMES)
		return false;
	cs_buf_add_str(&c->text, kind);
	for (size_t i = 0; i < s.n; i++) {
		uint8_t b = s.p[i];

		/* RFC 5280 4.2.1.6: IA5String; what is not to be seen is no
		   part of a name. */
		if (b <= 0x20 || b >= 0x7f)
			return false;
		if (dns && b >= 'A' && b <= 'Z')
			b = (uint8_t)(b - 'A' + 'a');
		cs_buf_add_byte(&c->text, b);
	}
	c->names[c->names_n++] = cs_span_make(NULL, strlen(kind) + s.n);
	return cs_buf_ok(&c->text);
}

/* All alternative names. */
static bool read_names(struct cs_peer_cert *c)
{
	int state = 0; /* of the extension: -1 is not there */
	GENERAL_NAMES *names =
		X509_get_ext_d2i(c->leaf, NID_subject_alt_name, &state, NULL);
	const uint8_t *at;
	bool ok = names != NULL || state == -1;

	for (int i = 0; ok && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

		if (n->type == GEN_DNS)
			ok = add_name(c, "dns:", n->d.dNSName);
		else if (n->type == GEN_URI)
			ok = add_name(c,
				      "uri:", n->d.uniformResourceIdentifier);
	}
	GENERAL_NAMES_free(names);
	/* The text is where it stays only now. */
	at = c->text.p;
	for (size_t i = 0; i < c->names_n; i++) {
		c->names[i].p = at;
		at += c->names[i].n;
	}
	return ok;
}

/* What the leaf says. */
static bool read_leaf(struct cs_peer_cert *c)
{
	int64_t from, to;
	unsigned n = 0;

	if (X509_digest(c->leaf, EVP_sha256(), c->fingerprint, &n) != 1 ||
	    n != sizeof(c->fingerprint) ||
	    !cs_x509_seconds(X509_get0_notBefore(c->leaf), &from) ||
	    !cs_x509_seconds(X509_get0_notAfter(c->leaf), &to) ||
	    (X509_get_extension_flags(c->leaf) & EXFLAG_INVALID) != 0)
		return false;
	c->not_before_ms = from * 1000;
	/* RFC 5280 4.1.2.5: through notAfter, inclusive. */
	c->not_after_ms = to * 1000 + 999;
	c->usages = X509_get_extended_key_usage(c->leaf);
	return read_names(c);
}

/* Take the leaf (and a reference to each of the chain). NULL: no memory. */
static struct cs_peer_cert *take(X509 *leaf, STACK_OF(X509) * chain,
				 struct cs_error *err)
{
	struct cs_peer_cert *c = cs_mem_new(sizeof(*c));

	if (c == NULL) {
		X509_free(leaf);
		cs_error_set(err, CS_E_NO_MEMORY, "peer's certificate");
		return NULL;
	}
	c->leaf = leaf;
	cs_buf_init(&c->text, MAX_NAMES_BYTES);
	c->chain =
		chain == NULL ? sk_X509_new_null() : X509_chain_up_ref(chain);
	if (c->chain == NULL) {
		cs_peer_cert_free(c);
		cs_error_set(err, CS_E_NO_MEMORY, "peer's certificate");
		return NULL;
	}
	c->malformed = !read_leaf(c) || sk_X509_num(c->chain) > CS_MAX_CHAIN;
	ERR_clear_error();
	return c;
}

struct cs_peer_cert *cs_peer_cert_new(struct cs_span leaf,
				      const struct cs_span *chain, size_t n,
				      struct cs_error *err)
{
	STACK_OF(X509) *above = sk_X509_new_null();
	struct cs_peer_cert *c = NULL;
	X509 *cert = cs_x509_decode(leaf, NULL);
	bool ok = above != NULL && cert != NULL;

	for (size_t i = 0; ok && i < n; i++) {
		X509 *one = cs_x509_decode(chain[i], NULL);

		ok = one != NULL && sk_X509_push(above, one) > 0;
		if (!ok)
			X509_free(one);
	}
	if (ok) {
		c = take(cert, above, err);
	} else {
		X509_free(cert);
		cs_error_set(err, CS_E_FORMAT,
			     "RFC 5280 4.1: not a certificate");
	}
	sk_X509_pop_free(above, X509_free);
	ERR_clear_error();
	return c;
}

bool cs_peer_cert_of(const struct ssl_st *ssl, struct cs_peer_cert **ret_cert,
		     struct cs_error *err)
{
	X509 *leaf = SSL_get1_peer_certificate(ssl);

	*ret_cert = NULL;
	if (leaf == NULL)
		return true;
	/* On the server's side the chain is without the leaf. */
	*ret_cert = take(leaf, SSL_get_peer_cert_chain(ssl), err);
	return *ret_cert != NULL;
}

const uint8_t *cs_peer_cert_fingerprint(const struct cs_peer_cert *c)
{
	return c->fingerprint;
}

struct cs_span cs_peer_cert_serial(const struct cs_peer_cert *c)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(c->leaf);

	return cs_span_make(ASN1_STRING_get0_data(serial),
			    (size_t)ASN1_STRING_length(serial));
}

enum cs_peer_cert_state cs_peer_cert_state(const struct cs_peer_cert *c,
					   int64_t wall_ms)
{
	if (c->malformed)
		return CS_PEER_CERT_MALFORMED;
	if (wall_ms < c->not_before_ms)
		return CS_PEER_CERT_NOT_YET;
	if (wall_ms > c->not_after_ms)
		return CS_PEER_CERT_EXPIRED;
	if (c->usages != UINT32_MAX && (c->usages & XKU_SSL_CLIENT) == 0)
		return CS_PEER_CERT_NO_CLIENT;
	return CS_PEER_CERT_GOOD;
}

int64_t cs_peer_cert_not_after_ms(const struct cs_peer_cert *c)
{
	return c->not_after_ms;
}

size_t cs_peer_cert_names(const struct cs_peer_cert *c)
{
	return c->names_n;
}

struct cs_span cs_peer_cert_name(const struct cs_peer_cert *c, size_t n)
{
	return c->names[n];
}

/* Remember when the chain that was just built holds. */
static void remember(struct cs_peer_cert *c, const struct cs_peer_ca *ca,
		     X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int64_t from = INT64_MIN;
	int64_t until = INT64_MAX;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		const X509 *cert = sk_X509_value(chain, i);
		int64_t start, end;

		if (!cs_x509_seconds(X509_get0_notBefore(cert), &start) ||
		    !cs_x509_seconds(X509_get0_notAfter(cert), &end))
			return;
		from = start > from ? start : from;
		until = end < until ? end : until;
	}
	c->held = true;
	memcpy(c->held_ca, ca->sha256, sizeof(c->held_ca));
	c->held_from_ms = from;
	c->held_until_ms = until;
}

/* RFC 5280 6 with this one anchor. */
static bool verify(struct cs_peer_cert *c, const struct cs_peer_ca *ca,
		   X509_STORE_CTX *ctx, int64_t wall_ms, const char **ret_why)
{
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(ctx, ca->store, c->leaf, c->chain) != 1)
		return false;
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)(wall_ms / 1000));
	X509_VERIFY_PARAM_set_depth(param, CS_MAX_CHAIN);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	/* The operator's CA is the anchor, though it be no root. */
	if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) !=
		    1 ||
	    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) != 1)
		return false;
	if (X509_verify_cert(ctx) == 1) {
		remember(c, ca, ctx);
		return true;
	}
	*ret_why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	return false;
}

bool cs_peer_cert_chains_to(struct cs_peer_cert *c, const struct cs_peer_ca *ca,
			    int64_t wall_ms, const char **ret_why)
{
	X509_STORE_CTX *ctx;
	bool ok;

	/* An absent usage is any usage, and so nobody's word. */
	if (c->usages == UINT32_MAX) {
		*ret_why = "the extended key usage clientAuth is not stated";
		return false;
	}
	if ((X509_get_extension_flags(c->leaf) & EXFLAG_CA) != 0) {
		*ret_why = "it is the certificate of a CA";
		return false;
	}
	/* By digest: the table, and the CAs in it, may be others by now. */
	if (c->held &&
	    memcmp(c->held_ca, ca->sha256, sizeof(c->held_ca)) == 0 &&
	    wall_ms >= c->held_from_ms && wall_ms <= c->held_until_ms)
		return true;
	*ret_why = "it cannot be verified now";
	ctx = X509_STORE_CTX_new();
	ok = ctx != NULL && verify(c, ca, ctx, wall_ms, ret_why);
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}
