/*
 * OpenSSL as the oracle of the CSR reader: requests that it makes are read
 * with the facts that it reads from them itself.
 */
#include <tests/lib/test.h>

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "issuer/csr.h"

#define REQUESTS 600
#define KEYS	 5

struct fixture {
	struct cs_crypto *crypto;
	struct cs_arena arena;
	EVP_PKEY *keys[KEYS];
	struct cs_cert_facts facts;
};

/* The same requests in every run. */
static uint64_t seed = 42;

static unsigned draw(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

static void add_subject(X509_REQ *req)
{
	static const char *const words[] = {"CN", "O",	 "OU",		"L",
					    "ST", "UID", "serialNumber"};
	X509_NAME *name = X509_REQ_get_subject_name(req);
	char text[32];

	for (unsigned n = draw(5); n > 0; n--) {
		const char *word = words[draw(7)];

		snprintf(text, sizeof(text), "value %u%s", draw(1000),
			 word[0] == 's' || draw(2) ? "" : " \xc3\xbc");
		assert_int_equal(
			X509_NAME_add_entry_by_txt(name, word, MBSTRING_UTF8,
						   (const unsigned char *)text,
						   -1, -1, 0),
			1);
	}
}

static void add_ext(STACK_OF(X509_EXTENSION) * exts, const char *name,
		    const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf(NULL, NULL, name, value);

	assert_non_null(ext);
	sk_X509_EXTENSION_push(exts, ext);
}

static void add_names(STACK_OF(X509_EXTENSION) * exts)
{
	char value[600];
	size_t n = 0;

	for (unsigned i = 0, k = 1 + draw(6); i < k; i++) {
		static const char *const forms[] = {
			"DNS:h%u.example",
			"DNS:*.z%u.example",
			"IP:10.0.0.%u",
			"IP:2001:db8::%x",
			"URI:spiffe://td%u.example/a",
			"email:p%u@corp.example"};

		/* The form is one of ours, its argument the name's number. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n += (size_t)snprintf(value + n, sizeof(value) - n,
				      forms[draw(6)], i + 1);
#pragma GCC diagnostic pop
		if (i + 1 < k)
			value[n++] = ',';
	}
	value[n] = '\0';
	add_ext(exts, "subjectAltName", value);
}

static void add_extensions(X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();

	if (draw(4) != 0)
		add_names(exts);
	if (draw(2))
		add_ext(exts, "keyUsage",
			draw(2) ? "critical,digitalSignature"
				: "digitalSignature,keyAgreement");
	if (draw(2))
		add_ext(exts, "extendedKeyUsage",
			draw(2) ? "serverAuth" : "serverAuth,clientAuth");
	if (draw(3) == 0)
		add_ext(exts, "basicConstraints",
			draw(2) ? "CA:FALSE" : "critical,CA:TRUE,pathlen:2");
	if (draw(4) == 0)
		add_ext(exts, "tlsfeature", "status_request");
	if (sk_X509_EXTENSION_num(exts) > 0)
		assert_int_equal(X509_REQ_add_extensions(req, exts), 1);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

static X509_REQ *make(struct fixture *f, unsigned kind)
{
	static const char *const digests[] = {"SHA256", "SHA384", "SHA512"};
	X509_REQ *req = X509_REQ_new();
	const EVP_MD *md =
		kind == 3 ? NULL : EVP_get_digestbyname(digests[draw(3)]);

	assert_int_equal(X509_REQ_set_version(req, X509_REQ_VERSION_1), 1);
	add_subject(req);
	add_extensions(req);
	assert_int_equal(X509_REQ_set_pubkey(req, f->keys[kind]), 1);
	assert_true(X509_REQ_sign(req, f->keys[kind], md) > 0);
	return req;
}

static void assert_bytes(struct cs_span ours, const void *p, size_t n)
{
	assert_int_equal(ours.n, n);
	assert_memory_equal(ours.p, p, n);
}

static void compare_subject(const struct cs_cert_facts *facts, X509_REQ *req)
{
	X509_NAME *name = X509_REQ_get_subject_name(req);

	assert_int_equal(facts->subject_n, X509_NAME_entry_count(name));
	for (size_t i = 0; i < facts->subject_n; i++) {
		X509_NAME_ENTRY *e = X509_NAME_get_entry(name, (int)i);
		ASN1_OBJECT *o = X509_NAME_ENTRY_get_object(e);
		ASN1_STRING *v = X509_NAME_ENTRY_get_data(e);

		assert_bytes(facts->subject[i].oid, OBJ_get0_data(o),
			     OBJ_length(o));
		assert_bytes(facts->subject[i].value, ASN1_STRING_get0_data(v),
			     (size_t)ASN1_STRING_length(v));
		assert_int_equal(facts->subject[i].tag, ASN1_STRING_type(v));
	}
}

static void compare_names(const struct cs_cert_facts *facts,
			  STACK_OF(X509_EXTENSION) * exts)
{
	static const int types[] = {GEN_DNS, GEN_IPADD, GEN_URI, GEN_EMAIL};
	GENERAL_NAMES *names =
		X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL);

	assert_int_equal(facts->names_n,
			 names == NULL ? 0 : sk_GENERAL_NAME_num(names));
	for (size_t i = 0; i < facts->names_n; i++) {
		int type;
		const ASN1_STRING *v = GENERAL_NAME_get0_value(
			sk_GENERAL_NAME_value(names, (int)i), &type);

		assert_int_equal(types[facts->names[i].kind], type);
		assert_bytes(facts->names[i].asked, ASN1_STRING_get0_data(v),
			     (size_t)ASN1_STRING_length(v));
	}
	GENERAL_NAMES_free(names);
}

static void compare_usages(const struct cs_cert_facts *facts,
			   STACK_OF(X509_EXTENSION) * exts)
{
	int critical;
	ASN1_BIT_STRING *ku =
		X509V3_get_d2i(exts, NID_key_usage, &critical, NULL);
	EXTENDED_KEY_USAGE *eku =
		X509V3_get_d2i(exts, NID_ext_key_usage, NULL, NULL);
	BASIC_CONSTRAINTS *bc =
		X509V3_get_d2i(exts, NID_basic_constraints, NULL, NULL);

	assert_int_equal(facts->has_key_usage, ku != NULL);
	for (int i = 0; ku != NULL && i < 9; i++)
		assert_int_equal(facts->key_usage >> i & 1,
				 ASN1_BIT_STRING_get_bit(ku, i));
	if (ku != NULL)
		assert_int_equal(facts->key_usage_critical, critical);
	assert_int_equal(facts->ext_key_usage_n,
			 eku == NULL ? 0 : sk_ASN1_OBJECT_num(eku));
	assert_int_equal(facts->has_basic_constraints, bc != NULL);
	if (bc != NULL)
		assert_int_equal(facts->ca, bc->ca != 0);
	if (bc != NULL && bc->pathlen != NULL)
		assert_int_equal(facts->path_len,
				 ASN1_INTEGER_get(bc->pathlen));
	assert_int_equal(facts->extensions_n,
			 X509v3_get_ext_by_NID(exts, NID_tlsfeature, -1) >= 0);
	ASN1_BIT_STRING_free(ku);
	EXTENDED_KEY_USAGE_free(eku);
	BASIC_CONSTRAINTS_free(bc);
}

static void compare_key(const struct cs_cert_facts *facts, X509_REQ *req)
{
	unsigned char *spki = NULL;
	int n = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(req), &spki);
	EVP_PKEY *key = X509_REQ_get0_pubkey(req);

	assert_bytes(facts->key.spki, spki, (size_t)n);
	assert_int_equal(facts->key.bits, EVP_PKEY_is_a(key, "ED25519")
						  ? 256
						  : EVP_PKEY_get_bits(key));
	OPENSSL_free(spki);
}

static void compare(struct fixture *f, X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
	struct cs_findings findings;
	struct cs_error err = {0};
	unsigned char *der = NULL;
	int n = i2d_X509_REQ(req, &der);

	cs_arena_reset(&f->arena);
	cs_findings_init(&findings, &f->arena);
	if (!cs_csr_read(f->crypto, cs_span_make(der, (size_t)n), &f->arena,
			 &f->facts, &findings, &err))
		fail_msg("%s", err.text);
	if (findings.n > 0)
		fail_msg("%.*s", CS_SPAN_FMT(findings.items[0].message));
	compare_subject(&f->facts, req);
	compare_names(&f->facts, exts);
	compare_usages(&f->facts, exts);
	compare_key(&f->facts, req);
	assert_int_equal(ERR_peek_error(), 0);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	OPENSSL_free(der);
}

static void reads_what_openssl_writes(void **state)
{
	struct fixture f = {.crypto = cs_crypto_new(NULL)};

	(void)state;
	cs_arena_init(&f.arena, CS_MAX_REQUEST_ARENA);
	f.keys[0] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	f.keys[1] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	f.keys[2] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	f.keys[3] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	f.keys[4] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	for (unsigned i = 0; i < REQUESTS; i++) {
		X509_REQ *req = make(&f, i % KEYS);

		ERR_clear_error();
		compare(&f, req);
		X509_REQ_free(req);
	}
	for (size_t i = 0; i < KEYS; i++)
		EVP_PKEY_free(f.keys[i]);
	cs_crypto_free(f.crypto);
	cs_arena_done(&f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_openssl_writes),
	};

	return cs_test_run("issuer/csr_oracle", tests);
}
