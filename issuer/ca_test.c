#include <tests/lib/test.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "issuer/tbs.h"
#include <tests/lib/ca_maker.h>

static const enum cs_key_kind all_kinds[] = {
	CS_KEY_KIND_EC_P256, CS_KEY_KIND_EC_P384, CS_KEY_KIND_RSA_3072,
	CS_KEY_KIND_ED25519};

/* Load a chain; the sentence of a refusal is in *err. */
static struct cs_issuer_ca *load(const char *pem, struct cs_error *err)
{
	struct cs_issuer_ca_source s = {.name = CS_SPAN_LIT("x"),
					.chain_pem = cs_span_str(pem)};

	return cs_issuer_ca_new(&s, err);
}

/* The first PEM block's end in a chain file. */
static char *second_block(char *pem)
{
	char *end = strstr(pem, "-----END CERTIFICATE-----");

	assert_non_null(end);
	return strchr(end, '\n') + 1;
}

static void loads_what_init_makes(void **state)
{
	struct ca_maker m;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		ca_make(&m, all_kinds[i], CS_KEYGEN_TWO_TIERS);
		assert_int_equal(m.ca->alg, cs_sigalg_for_key(&m.ca->key));
		assert_int_equal(m.ca->ski.n, 20);
		assert_int_equal(m.ca->serial.n, CS_SERIAL_SIZE);
		assert_true(m.ca->has_path_len);
		assert_int_equal(m.ca->path_len, 0);
		assert_int_equal(m.ca->not_before_s, CA_MAKER_NOW - 3600);
		assert_int_equal(m.ca->not_after_s,
				 CA_MAKER_NOW - 3600 +
					 CS_KEYGEN_ISSUER_DAYS * 86400LL - 1);
		assert_true(m.ca->chain_pem.n > 0);
		ca_done(&m);
	}
}

static void loads_a_root_that_issues(void **state)
{
	struct ca_maker m;

	(void)state;
	ca_make(&m, CS_KEY_KIND_EC_P256, CS_KEYGEN_SINGLE);
	assert_int_equal(m.ca->chain_pem.n, 0);
	assert_true(cs_span_equal(m.ca->root_pem, m.ca->full_pem));
	ca_done(&m);
}

static void writes_files_that_only_their_owner_reads(void **state)
{
	struct cs_keygen_ca again;
	struct ca_maker m;
	struct stat st;
	struct cs_error err = {0};

	(void)state;
	ca_make(&m, CS_KEY_KIND_EC_P256, CS_KEYGEN_TWO_TIERS);
	assert_int_equal(stat(m.key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(m.root_key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(m.chain, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	/* Never over what is there. */
	again = (struct cs_keygen_ca){
		.tiers = CS_KEYGEN_SINGLE,
		.kind = CS_KEY_KIND_ED25519,
		.name = CS_SPAN_LIT("Example"),
		.now_s = CA_MAKER_NOW,
		.passphrase_fd = -1,
		.root_pem = m.root_pem,
		.issuer_key = m.key,
		.issuer_chain = m.chain,
	};
	assert_false(cs_keygen_ca_in_child(&again, &err));
	assert_int_equal(err.code, CS_E_EXISTS);
	ca_done(&m);
}

static void refuses_a_name_that_is_too_long(void **state)
{
	struct cs_keygen_ca c = {
		.kind = CS_KEY_KIND_EC_P256,
		.name = CS_SPAN_LIT("0123456789012345678901234567890123456789"
				    "01234567890123456789"),
		.now_s = CA_MAKER_NOW,
		.passphrase_fd = -1,
	};
	struct cs_error err = {0};

	(void)state;
	assert_false(cs_keygen_ca_in_child(&c, &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
}

static void refuses_chains_that_are_none(void **state)
{
	struct cs_error err = {0};
	struct ca_maker m, other;
	char *pem, *rest, swapped[20000];

	(void)state;
	ca_make(&m, CS_KEY_KIND_EC_P256, CS_KEYGEN_TWO_TIERS);
	ca_make(&other, CS_KEY_KIND_EC_P256, CS_KEYGEN_SINGLE);
	pem = ca_read_file(m.chain);
	rest = second_block(pem);

	assert_null(load("", &err));
	assert_non_null(strstr(err.text, "no certificate"));
	/* Root first. */
	snprintf(swapped, sizeof(swapped), "%s%.*s", rest, (int)(rest - pem),
		 pem);
	assert_null(load(swapped, &err));
	assert_int_equal(err.code, CS_E_CERT);
	/* Somebody else's root. */
	snprintf(swapped, sizeof(swapped), "%.*s%.*s", (int)(rest - pem), pem,
		 CS_SPAN_FMT(other.ca->root_pem));
	assert_null(load(swapped, &err));
	assert_non_null(strstr(err.text, "certificate 1"));
	/* No root at all. */
	*rest = '\0';
	assert_null(load(pem, &err));
	assert_non_null(strstr(err.text, "self-signed"));
	cs_mem_free(pem);
	ca_done(&m);
	ca_done(&other);
}

/* A self-signed certificate by OpenSSL with these extensions, as PEM. */
static char *make_root(const char *const *exts, size_t n)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	BIO *bio = BIO_new(BIO_s_mem());
	char *p, *copy;
	long len;
	X509V3_CTX ctx;

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
	X509_gmtime_adj(X509_getm_notBefore(cert), -100);
	X509_gmtime_adj(X509_getm_notAfter(cert), 100000);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)"R", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	for (size_t i = 0; i < n; i += 2) {
		X509_EXTENSION *ext =
			X509V3_EXT_conf(NULL, &ctx, exts[i], exts[i + 1]);

		assert_non_null(ext);
		X509_add_ext(cert, ext, -1);
		X509_EXTENSION_free(ext);
	}
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	PEM_write_bio_X509(bio, cert);
	len = BIO_get_mem_data(bio, &p);
	copy = cs_mem_strndup(p, (size_t)len);
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
	return copy;
}

static void refuses_cas_that_cannot_be_ours(void **state)
{
	static const struct {
		const char *const exts[8];
		size_t n;
		const char *words;
	} bad[] = {
		{{"basicConstraints", "critical,CA:TRUE", "keyUsage",
		  "critical,keyCertSign", "subjectKeyIdentifier", "hash"},
		 6,
		 NULL},
		{{"keyUsage", "critical,keyCertSign", "subjectKeyIdentifier",
		  "hash"},
		 4,
		 "RFC 5280 4.2.1.9"},
		{{"basicConstraints", "critical,CA:FALSE", "keyUsage",
		  "critical,keyCertSign", "subjectKeyIdentifier", "hash"},
		 6,
		 "RFC 5280 4.2.1.9"},
		{{"basicConstraints", "critical,CA:TRUE", "keyUsage",
		  "critical,digitalSignature", "subjectKeyIdentifier", "hash"},
		 6,
		 "keyCertSign"},
		{{"basicConstraints", "critical,CA:TRUE",
		  "subjectKeyIdentifier", "hash"},
		 4,
		 "keyCertSign"},
		{{"basicConstraints", "critical,CA:TRUE", "keyUsage",
		  "critical,keyCertSign"},
		 4,
		 "RFC 5280 4.2.1.2"},
		{{"basicConstraints", "critical,CA:TRUE", "keyUsage",
		  "critical,keyCertSign", "subjectKeyIdentifier", "hash",
		  "nameConstraints", "critical,permitted;DNS:example"},
		 8,
		 NULL},
		{{"basicConstraints", "critical,CA:TRUE", "keyUsage",
		  "critical,keyCertSign", "subjectKeyIdentifier", "hash",
		  "nameConstraints", "critical,permitted;DNS:*.example"},
		 8,
		 "RFC 5280 4.2.1.10"},
	};
	struct cs_error err = {0};
	struct cs_issuer_ca *ca;
	char *pem;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pem = make_root(bad[i].exts, bad[i].n);
		ca = load(pem, &err);
		if (bad[i].words == NULL)
			assert_non_null(ca);
		else
			assert_null(ca);
		if (bad[i].words != NULL &&
		    strstr(err.text, bad[i].words) == NULL)
			fail_msg("%zu: %s", i, err.text);
		cs_issuer_ca_free(ca);
		cs_mem_free(pem);
	}
}

static void shards_by_the_low_bits_of_the_serial(void **state)
{
	struct cs_arena arena;
	struct cs_span url;
	struct ca_maker m;

	(void)state;
	cs_arena_init(&arena, 10000);
	ca_make(&m, CS_KEY_KIND_EC_P256, CS_KEYGEN_SINGLE);
	assert_true(cs_issuer_ca_crl_url(
		m.ca, CS_SPAN_LIT("\x5b\x01\x02\x03\x04\xfd"), &arena, &url,
		NULL));
	assert_true(cs_span_equal_str(
		url, "http://crl.corp.example/default/13.crl"));
	ca_done(&m);
	cs_arena_done(&arena);
}

static void a_later_generation_is_at_the_end_of_its_crl_url(void **state)
{
	static const struct {
		unsigned generation;
		const char *configured, *label, *url;
	} t[] = {
		{0, "http://crl.example/crl/x", "x",
		 "http://crl.example/crl/x"},
		{1, "http://crl.example/crl/x/", "x",
		 "http://crl.example/crl/x/"},
		{2, "http://crl.example/crl/x", "x@2",
		 "http://crl.example/crl/x@2"},
		{12, "http://crl.example/crl/x/", "x@12",
		 "http://crl.example/crl/x@12"},
		{2, "http://crl.example", "x@2", "http://crl.example/x@2"},
		{2, "http://crl.example/", "x@2", "http://crl.example/x@2"},
		{2, "http://x", "x@2", "http://x/x@2"},
		{2, "http://crl.example/max", "x@2",
		 "http://crl.example/max/x@2"},
		{2, "", "x@2", ""},
	};
	struct ca_maker m;

	(void)state;
	ca_make(&m, CS_KEY_KIND_EC_P256, CS_KEYGEN_SINGLE);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const struct cs_issuer_ca_source s = {
			.name = CS_SPAN_LIT("x"),
			.chain_pem = m.ca->full_pem,
			.generation = t[i].generation,
			.crl_url = cs_span_str(t[i].configured)};
		struct cs_issuer_ca *ca = cs_issuer_ca_new(&s, NULL);

		assert_non_null(ca);
		if (!cs_span_equal_str(ca->label, t[i].label) ||
		    !cs_span_equal_str(ca->crl_url, t[i].url))
			fail_msg("%s: %.*s, %.*s", t[i].configured,
				 CS_SPAN_FMT(ca->label),
				 CS_SPAN_FMT(ca->crl_url));
		cs_issuer_ca_free(ca);
	}
	ca_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_what_init_makes),
		cmocka_unit_test(loads_a_root_that_issues),
		cmocka_unit_test(writes_files_that_only_their_owner_reads),
		cmocka_unit_test(refuses_a_name_that_is_too_long),
		cmocka_unit_test(refuses_chains_that_are_none),
		cmocka_unit_test(refuses_cas_that_cannot_be_ours),
		cmocka_unit_test(shards_by_the_low_bits_of_the_serial),
		cmocka_unit_test(
			a_later_generation_is_at_the_end_of_its_crl_url),
	};

	return cs_test_run("issuer/ca", tests);
}
