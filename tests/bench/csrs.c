/* Distinct keys and CSRs, and the cryptography nobody can do without. */
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* DNS names in each CSR: BENCH_NAMES, else one. */
static size_t names_per_csr(void)
{
	const char *text = getenv("BENCH_NAMES");
	unsigned long n = text == NULL ? 1 : strtoul(text, NULL, 10);

	if (n == 0 || n > BENCH_MAX_NAMES)
		bench_die("BENCH_NAMES is 1 to %d", BENCH_MAX_NAMES);
	return n;
}

/* The subjectAltName as OpenSSL's configuration has it. */
static void write_names(char *out, size_t size, size_t number)
{
	size_t at = 0, n = names_per_csr();

	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, size - at,
				       "%sDNS:host%zu-%zu.shop.corp.example",
				       i == 0 ? "" : ",", number, i);
}

/* One P-256 CSR, as PEM in a memory BIO. */
static BIO *make_csr(size_t number)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *req = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
	BIO *out = BIO_new(BIO_s_mem());
	X509_EXTENSION *san;
	char names[BENCH_MAX_NAMES * 64];

	write_names(names, sizeof(names), number);
	san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	if (key == NULL || san == NULL ||
	    sk_X509_EXTENSION_push(exts, san) <= 0 ||
	    X509_REQ_set_version(req, 0) != 1 ||
	    X509_REQ_set_pubkey(req, key) != 1 ||
	    X509_REQ_add_extensions(req, exts) != 1 ||
	    X509_REQ_sign(req, key, EVP_sha256()) <= 0 ||
	    PEM_write_bio_X509_REQ(out, req) != 1)
		bench_die("could not make a CSR");
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	return out;
}

/* The JSON body around one PEM text. */
static char *make_body(const char *pem, long n, const char *issuer)
{
	size_t size = (size_t)n * 2 + 512;
	char *body = malloc(size);
	size_t at;

	if (body == NULL)
		bench_die("out of memory");
	at = (size_t)snprintf(body, size, "{\"csr\":\"");
	for (long i = 0; i < n; i++) {
		if (pem[i] == '\n') {
			body[at++] = '\\';
			body[at++] = 'n';
		} else {
			body[at++] = pem[i];
		}
	}
	snprintf(body + at, size - at,
		 "\",\"issuer\":\"%s\",\"duration\":\"24h\",\"usages\":"
		 "[\"digital signature\",\"server auth\"],\"conditions\":"
		 "[{\"type\":\"Approved\",\"status\":\"True\"}]}",
		 issuer);
	return body;
}

char **bench_bodies(size_t n, const char *issuer)
{
	char **bodies = calloc(n, sizeof(*bodies));

	if (bodies == NULL)
		bench_die("out of memory");
	for (size_t i = 0; i < n; i++) {
		BIO *csr = make_csr(i);
		char *pem;
		long pem_n = BIO_get_mem_data(csr, &pem);

		bodies[i] = make_body(pem, pem_n, issuer);
		BIO_free(csr);
	}
	return bodies;
}

int64_t bench_floor_ns(void)
{
	enum {
		ROUNDS = 3000
	};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new(key, NULL);
	EVP_PKEY_CTX *verify = EVP_PKEY_CTX_new(key, NULL);
	unsigned char digest[32] = {1};
	unsigned char sig[128];
	size_t n;
	int64_t start;

	if (EVP_PKEY_sign_init(sign) != 1 || EVP_PKEY_verify_init(verify) != 1)
		bench_die("OpenSSL: no P-256");
	start = bench_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < ROUNDS; i++) {
		n = sizeof(sig);
		if (EVP_PKEY_sign(sign, sig, &n, digest, 32) != 1 ||
		    EVP_PKEY_verify(verify, sig, n, digest, 32) != 1 ||
		    EVP_PKEY_verify(verify, sig, n, digest, 32) != 1)
			bench_die("OpenSSL: signature failed");
	}
	start = bench_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
	EVP_PKEY_CTX_free(sign);
	EVP_PKEY_CTX_free(verify);
	EVP_PKEY_free(key);
	return start / ROUNDS;
}
