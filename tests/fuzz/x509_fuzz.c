/*
 * CSRs and certificates: whatever our strict readers accept, OpenSSL accepts
 * too, and writes back to the same octets.
 */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "issuer/cert_facts.h"
#include "issuer/constraints.h"
#include "issuer/csr.h"
#include "tests/fuzz/fuzz.h"

/* Made once: fetching algorithms is what would take the time. */
static struct cs_crypto *crypto;

static void compare_request(struct cs_span der)
{
	const unsigned char *p = der.p;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.n);
	unsigned char *again = NULL;
	int n;

	FUZZ_CHECK(req != NULL && p == der.p + der.n);
	FUZZ_CHECK(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1);
	n = i2d_X509_REQ(req, &again);
	FUZZ_CHECK(cs_span_equal(der, cs_span_make(again, (size_t)n)));
	OPENSSL_free(again);
	X509_REQ_free(req);
}

/* The issuer's strings are not ours to judge (issuer/cert_facts.c). */
static int issuer_is_readable(const struct cs_tbs_facts *tbs)
{
	const unsigned char *p = tbs->issuer.p;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)tbs->issuer.n);
	int ok = name != NULL;

	X509_NAME_free(name);
	return ok;
}

static void compare_certificate(struct cs_span der,
				const struct cs_tbs_facts *tbs)
{
	const unsigned char *p = der.p;
	unsigned char *again = NULL;
	X509 *cert;
	int n;

	if (!issuer_is_readable(tbs))
		return;
	cert = d2i_X509(NULL, &p, (long)der.n);
	FUZZ_CHECK(cert != NULL && p == der.p + der.n);
	n = i2d_X509(cert, &again);
	FUZZ_CHECK(cs_span_equal(der, cs_span_make(again, (size_t)n)));
	FUZZ_CHECK((X509_get_extension_flags(cert) & EXFLAG_INVALID) == 0);
	OPENSSL_free(again);
	X509_free(cert);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_span der = cs_span_make(data, size);
	struct cs_findings findings;
	struct cs_cert_facts facts;
	struct cs_constraints constraints;
	struct cs_tbs_facts tbs;
	struct cs_arena arena;

	if (crypto == NULL)
		crypto = cs_crypto_new(NULL);
	FUZZ_CHECK(crypto != NULL);
	cs_arena_init(&arena, CS_MAX_REQUEST_ARENA);
	cs_findings_init(&findings, &arena);
	FUZZ_CHECK(cs_csr_read(crypto, der, &arena, &facts, &findings, NULL));
	FUZZ_CHECK(ERR_peek_error() == 0);
	if (findings.n == 0)
		compare_request(der);
	if (cs_cert_facts_read(cs_crypto_hash(crypto), der, &arena, &tbs, NULL))
		compare_certificate(der, &tbs);
	/* Only that nothing breaks. */
	(void)!cs_constraints_read(der, &arena, &constraints, NULL);
	ERR_clear_error();
	cs_arena_done(&arena);
	return 0;
}
