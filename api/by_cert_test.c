#include <tests/lib/test.h>

#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "api/by_cert.h"
#include "base/codec.h"
#include "base/hash.h"

#define DAY   INT64_C(86400)
#define NOW_S INT64_C(1800000000)
#define NOW   (NOW_S * 1000)

/* A certificate with its key, as some CA has made it. */
struct made {
	X509 *cert;
	EVP_PKEY *key;
	uint8_t der[4096];
	size_t n;
};

/* What is to be made; zero: an ordinary client's leaf. */
struct spec {
	const char *name; /* CN */
	bool ca;
	const char *eku; /* NULL: clientAuth; "": none */
	const char *san;
	const char *constraints;
	bool rsa_1024;
	bool sha1;
	int64_t from_s, until_s; /* 0: a day around NOW */
};

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

/* issuer NULL: signed by itself. */
static void make(struct made *m, const struct made *issuer, struct spec s)
{
	X509 *above = issuer == NULL ? NULL : issuer->cert;
	uint8_t *p = m->der;
	X509_NAME *name;
	int n;

	m->key = s.rsa_1024 ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256");
	m->cert = X509_new();
	assert_non_null(m->key);
	assert_int_equal(X509_set_version(m->cert, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(m->cert), 7);
	name = X509_get_subject_name(m->cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const uint8_t *)s.name, -1, -1, 0);
	X509_set_issuer_name(
		m->cert, above == NULL ? name : X509_get_subject_name(above));
	X509_set_pubkey(m->cert, m->key);
	ASN1_TIME_set(X509_getm_notBefore(m->cert),
		      s.from_s != 0 ? s.from_s : NOW_S - DAY);
	ASN1_TIME_set(X509_getm_notAfter(m->cert),
		      s.until_s != 0 ? s.until_s : NOW_S + DAY);
	above = above == NULL ? m->cert : above;
	extend(m->cert, above, NID_subject_key_identifier, "hash");
	if (s.ca)
		extend(m->cert, above, NID_basic_constraints,
		       "critical,CA:TRUE");
	if (!s.ca && (s.eku == NULL || s.eku[0] != '\0'))
		extend(m->cert, above, NID_ext_key_usage,
		       s.eku == NULL ? "clientAuth" : s.eku);
	if (s.san != NULL)
		extend(m->cert, above, NID_subject_alt_name, s.san);
	if (s.constraints != NULL)
		extend(m->cert, above, NID_name_constraints, s.constraints);
	assert_true(X509_sign(m->cert, issuer == NULL ? m->key : issuer->key,
			      s.sha1 ? EVP_sha1() : EVP_sha256()) > 0);
	n = i2d_X509(m->cert, &p);
	assert_true(n > 0 && (size_t)n <= sizeof(m->der));
	m->n = (size_t)n;
}

static void unmake(struct made *m)
{
	X509_free(m->cert);
	EVP_PKEY_free(m->key);
}

static struct cs_span der_of(const struct made *m)
{
	return cs_span_make(m->der, m->n);
}

/* What the table says of one client. */
struct bind {
	unsigned client;
	const struct made *pinned; /* or ... */
	const char *san;	   /* NULL: all that ca has issued */
	const struct made *ca;
};

static void put_hex(struct cs_buf *b, struct cs_span bytes)
{
	cs_buf_add_str(b, "\"");
	cs_codec_hex(bytes, b);
	cs_buf_add_str(b, "\"");
}

static void put_sha256(struct cs_buf *b, const struct made *m)
{
	struct cs_hash *h = cs_hash_new(NULL);
	uint8_t digest[32];

	assert_true(cs_hash_sha256(h, der_of(m), digest, NULL));
	put_hex(b, cs_span_make(digest, 32));
	cs_hash_free(h);
}

/* A table of these bindings; each CA may stand there once. */
static struct cs_clients *table(const struct bind *binds, size_t n)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b = {0};
	struct cs_error err = {0};
	struct cs_clients *t;

	cs_buf_init(&b, 100000);
	cs_buf_add_str(&b, "{\"cas\":[");
	for (size_t i = 0, k = 0; i < n; i++) {
		bool seen = binds[i].ca == NULL;

		for (size_t j = 0; j < i; j++)
			seen = seen || binds[j].ca == binds[i].ca;
		if (seen)
			continue;
		cs_buf_add_str(&b, k++ == 0 ? "{\"der\":" : ",{\"der\":");
		put_hex(&b, der_of(binds[i].ca));
		cs_buf_add_str(&b, ",\"sha256\":");
		put_sha256(&b, binds[i].ca);
		cs_buf_add_str(&b, "}");
	}
	cs_buf_add_str(&b, "],\"clients\":[");
	for (size_t i = 0; i < n; i++) {
		cs_buf_addf(&b,
			    "%s{\"id\":%u,\"name\":\"c%zu\",\"rights\":"
			    "[\"submit\"],\"credentials\":[{\"id\":%zu,"
			    "\"kind\":\"cert\",",
			    i == 0 ? "" : ",", binds[i].client, i, 100 + i);
		cs_buf_add_str(&b, binds[i].pinned != NULL ? "\"fingerprint\":"
							   : "\"ca_sha256\":");
		put_sha256(&b, binds[i].pinned != NULL ? binds[i].pinned
						       : binds[i].ca);
		if (binds[i].san != NULL)
			cs_buf_addf(&b, ",\"san\":\"%s\"", binds[i].san);
		cs_buf_add_str(&b, "}]}");
	}
	cs_buf_add_str(&b, "]}");
	t = cs_clients_new(cs_buf_span(&b), &err);
	if (t == NULL)
		fail_msg("%s", err.text);
	return t;
}

/* Whose it is; 0: nobody's, and why says why. */
static uint64_t whose(const struct cs_clients *t, struct cs_peer_cert *c,
		      int64_t wall_ms, const char **why)
{
	static struct cs_problem p;
	struct cs_bound bound;

	*why = "";
	if (cs_by_cert(t, c, wall_ms, &bound, &p))
		return bound.client->id;
	assert_int_equal(p.code, CS_PROBLEM_BAD_CERTIFICATE);
	*why = p.detail;
	return 0;
}

/* The same for one certificate that is shown alone or below another. */
static uint64_t shown(const struct cs_clients *t, const struct made *leaf,
		      const struct made *above, const char **why)
{
	struct cs_span chain =
		above == NULL ? (struct cs_span){0} : der_of(above);
	struct cs_peer_cert *c =
		cs_peer_cert_new(der_of(leaf), &chain, above != NULL, NULL);
	uint64_t id;

	assert_non_null(c);
	id = whose(t, c, NOW, why);
	cs_peer_cert_free(c);
	return id;
}

#define REFUSED(t, leaf, above, text)                                          \
	do {                                                                   \
		const char *why_;                                              \
		assert_int_equal(shown(t, leaf, above, &why_), 0);             \
		assert_non_null(strstr(why_, text));                           \
	} while (0)

static void the_narrower_binding_decides(void **state)
{
	struct made ca, leaf;
	const char *why;
	struct cs_clients *t;

	(void)state;
	make(&ca, NULL, (struct spec){.name = "ca", .ca = true});
	make(&leaf, &ca, (struct spec){.name = "l", .san = "DNS:a.example"});
	{
		const struct bind all[] = {
			{3, &leaf, NULL, NULL},
			{4, NULL, "dns:a.example", &ca},
			{5, NULL, NULL, &ca},
		};

		for (size_t i = 0; i < 3; i++) {
			t = table(all + i, 3 - i);
			assert_int_equal(shown(t, &leaf, NULL, &why), 3 + i);
			cs_clients_free(t);
		}
	}
	unmake(&leaf);
	unmake(&ca);
}

/* By which front knows what is revoked. */
static void a_serial_is_read_without_leading_zeros(void **state)
{
	struct made leaf;
	struct cs_peer_cert *cert;

	(void)state;
	make(&leaf, NULL, (struct spec){.name = "l"});
	cert = cs_peer_cert_new(der_of(&leaf), NULL, 0, NULL);
	assert_non_null(cert);
	assert_true(
		cs_span_equal(cs_peer_cert_serial(cert), CS_SPAN_LIT("\x07")));
	cs_peer_cert_free(cert);
	unmake(&leaf);
}

static void names_are_compared_exactly(void **state)
{
	static const struct {
		const char *san;
		uint64_t client;
	} cases[] = {
		{"DNS:a.example", 4},
		{"DNS:A.Example", 4},
		{"DNS:other.example,DNS:a.example", 4},
		{"URI:spiffe://corp/web", 5},
		{"URI:spiffe://corp/Web", 0},
		{"URI:spiffe://corp/web/", 0},
		{"DNS:a.example.evil.example", 0},
		{"DNS:*.example", 0},
		{"DNS:b.a.example", 0},
		{"email:a.example", 0},
		{"URI:a.example", 0},
		{"DNS:spiffe://corp/web", 0},
	};
	struct made ca, leaf;
	struct bind binds[] = {{4, NULL, "dns:a.example", &ca},
			       {5, NULL, "uri:spiffe://corp/web", &ca}};
	struct cs_clients *t;
	const char *why;

	(void)state;
	make(&ca, NULL, (struct spec){.name = "ca", .ca = true});
	t = table(binds, 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make(&leaf, &ca,
		     (struct spec){.name = "a.example", .san = cases[i].san});
		if (shown(t, &leaf, NULL, &why) != cases[i].client)
			fail_msg("%s: %s", cases[i].san, why);
		unmake(&leaf);
	}
	/* Two clients by one certificate are nobody. */
	make(&leaf, &ca,
	     (struct spec){.name = "l",
			   .san = "DNS:a.example,URI:spiffe://corp/web"});
	REFUSED(t, &leaf, NULL, "more than one client");
	unmake(&leaf);
	cs_clients_free(t);
	unmake(&ca);
}

/* Bytes that the text form of an extension cannot have. */
static void a_nul_in_a_name_is_no_end_of_it(void **state)
{
	static const char name[] = "a.example\0.evil.example";
	struct made ca, leaf;
	const struct bind bind = {4, NULL, "dns:a.example", &ca};
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *one = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	struct cs_clients *t;
	uint8_t *p = leaf.der;

	(void)state;
	make(&ca, NULL, (struct spec){.name = "ca", .ca = true});
	make(&leaf, &ca, (struct spec){.name = "l"});
	ASN1_STRING_set(text, name, sizeof(name) - 1);
	GENERAL_NAME_set0_value(one, GEN_DNS, text);
	sk_GENERAL_NAME_push(names, one);
	assert_int_equal(
		X509_add1_ext_i2d(leaf.cert, NID_subject_alt_name, names, 0, 0),
		1);
	assert_true(X509_sign(leaf.cert, ca.key, EVP_sha256()) > 0);
	leaf.n = (size_t)i2d_X509(leaf.cert, &p);
	t = table(&bind, 1);
	REFUSED(t, &leaf, NULL, "malformed");
	cs_clients_free(t);
	GENERAL_NAMES_free(names);
	unmake(&leaf);
	unmake(&ca);
}

static void a_certificate_has_to_be_a_clients_and_in_time(void **state)
{
	struct made ca, other, leaf;
	struct bind binds[] = {{5, NULL, NULL, &ca}, {6, &leaf, NULL, NULL}};
	struct cs_clients *t;
	const char *why;

	(void)state;
	make(&ca, NULL, (struct spec){.name = "ca", .ca = true});
	/* Another key under the same name. */
	make(&other, NULL, (struct spec){.name = "ca", .ca = true});
	make(&leaf, &other, (struct spec){.name = "l"});
	t = table(binds, 1);
	REFUSED(t, &leaf, NULL, "certificate signature failure");
	REFUSED(t, &leaf, &other, "certificate");
	cs_clients_free(t);
	/* Pinned, it does not matter who issued it. */
	t = table(binds, 2);
	assert_int_equal(shown(t, &leaf, NULL, &why), 6);
	unmake(&leaf);
	make(&leaf, &ca, (struct spec){.name = "l", .eku = "serverAuth"});
	REFUSED(t, &leaf, NULL, "do not include clientAuth");
	unmake(&leaf);
	make(&leaf, &ca, (struct spec){.name = "l", .eku = ""});
	REFUSED(t, &leaf, NULL, "clientAuth is not stated");
	unmake(&leaf);
	make(&leaf, &ca, (struct spec){.name = "l", .until_s = NOW_S - 1});
	REFUSED(t, &leaf, NULL, "has expired");
	unmake(&leaf);
	make(&leaf, &ca, (struct spec){.name = "l", .from_s = NOW_S + 1});
	REFUSED(t, &leaf, NULL, "not yet valid");
	unmake(&leaf);
	make(&leaf, &ca, (struct spec){.name = "l", .rsa_1024 = true});
	REFUSED(t, &leaf, NULL, "too weak");
	unmake(&leaf);
	make(&leaf, &ca, (struct spec){.name = "l", .sha1 = true});
	REFUSED(t, &leaf, NULL, "too weak");
	unmake(&leaf);
	/* The CA itself is nobody. */
	REFUSED(t, &ca, NULL, "clientAuth");
	cs_clients_free(t);
	unmake(&other);
	unmake(&ca);
}

static void a_chain_ends_at_the_named_ca_and_within_its_constraints(
	void **state)
{
	struct made root, below, leaf;
	struct bind binds[] = {{5, NULL, NULL, &root}, {6, NULL, NULL, &below}};
	struct cs_clients *t;
	const char *why;

	(void)state;
	make(&root, NULL,
	     (struct spec){.name = "root",
			   .ca = true,
			   .constraints = "critical,permitted;DNS:corp"});
	make(&below, &root, (struct spec){.name = "below", .ca = true});
	make(&leaf, &below, (struct spec){.name = "l", .san = "DNS:a.corp"});
	t = table(binds, 1);
	assert_int_equal(shown(t, &leaf, &below, &why), 5);
	REFUSED(t, &leaf, NULL, "unable to get local issuer certificate");
	cs_clients_free(t);
	/* An intermediate that was named is an anchor as good as a root. */
	t = table(binds + 1, 1);
	assert_int_equal(shown(t, &leaf, NULL, &why), 6);
	cs_clients_free(t);
	t = table(binds, 1);
	unmake(&leaf);
	make(&leaf, &below, (struct spec){.name = "l", .san = "DNS:a.evil"});
	REFUSED(t, &leaf, &below, "permitted subtree violation");
	cs_clients_free(t);
	unmake(&leaf);
	unmake(&below);
	unmake(&root);
}

static void what_was_verified_is_not_remembered_for_too_long(void **state)
{
	struct made ca, same, leaf;
	struct bind by_ca = {5, NULL, NULL, &ca};
	struct bind by_same = {5, NULL, NULL, &same};
	struct cs_clients *t;
	struct cs_peer_cert *c;
	const char *why;

	(void)state;
	/* The CA ends before the leaf does. */
	make(&ca, NULL,
	     (struct spec){.name = "ca", .ca = true, .until_s = NOW_S + 60});
	make(&same, NULL, (struct spec){.name = "ca", .ca = true});
	make(&leaf, &ca, (struct spec){.name = "l"});
	c = cs_peer_cert_new(der_of(&leaf), NULL, 0, NULL);
	t = table(&by_ca, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(whose(t, c, NOW + i, &why), 5);
	assert_int_equal(whose(t, c, NOW + 61000, &why), 0);
	assert_non_null(strstr(why, "expired"));
	/* The clock goes back; so does the verdict, and by verifying. */
	assert_int_equal(whose(t, c, NOW, &why), 5);
	assert_int_equal(whose(t, c, NOW - 2 * DAY * 1000, &why), 0);
	cs_clients_free(t);
	/* A new table has another CA of that name, perhaps at that address. */
	t = table(&by_same, 1);
	assert_int_equal(whose(t, c, NOW, &why), 0);
	cs_clients_free(t);
	cs_peer_cert_free(c);
	unmake(&leaf);
	unmake(&same);
	unmake(&ca);
}

static void what_is_no_certificate_is_refused_when_it_is_bound(void **state)
{
	struct made ca, leaf;
	struct cs_error err = {0};

	(void)state;
	make(&ca, NULL, (struct spec){.name = "ca", .ca = true});
	make(&leaf, &ca, (struct spec){.name = "l"});
	assert_null(cs_peer_ca_new(der_of(&leaf), &err));
	assert_int_equal(err.code, CS_E_FORMAT);
	assert_null(cs_peer_ca_new(CS_SPAN_LIT("x"), &err));
	ca.der[ca.n] = 0;
	assert_null(cs_peer_ca_new(cs_span_make(ca.der, ca.n + 1), &err));
	assert_null(cs_peer_cert_new(CS_SPAN_LIT(""), NULL, 0, &err));
	assert_int_equal(err.code, CS_E_FORMAT);
	unmake(&leaf);
	unmake(&ca);
}

static void a_ca_that_cannot_be_read_binds_nobody(void **state)
{
	struct made ca, leaf, broken;
	struct bind binds[] = {{4, NULL, NULL, &broken}, {5, NULL, NULL, &ca}};
	struct cs_clients *t;
	const char *why;

	(void)state;
	make(&ca, NULL, (struct spec){.name = "ca", .ca = true});
	make(&leaf, &ca, (struct spec){.name = "l"});
	broken = ca;
	broken.n = 5;
	t = table(binds, 1);
	REFUSED(t, &leaf, NULL, "cannot be read");
	cs_clients_free(t);
	t = table(binds, 2);
	assert_int_equal(shown(t, &leaf, NULL, &why), 5);
	cs_clients_free(t);
	unmake(&leaf);
	unmake(&ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_narrower_binding_decides),
		cmocka_unit_test(a_serial_is_read_without_leading_zeros),
		cmocka_unit_test(names_are_compared_exactly),
		cmocka_unit_test(a_nul_in_a_name_is_no_end_of_it),
		cmocka_unit_test(a_certificate_has_to_be_a_clients_and_in_time),
		cmocka_unit_test(
			a_chain_ends_at_the_named_ca_and_within_its_constraints),
		cmocka_unit_test(
			what_was_verified_is_not_remembered_for_too_long),
		cmocka_unit_test(a_ca_that_cannot_be_read_binds_nobody),
		cmocka_unit_test(
			what_is_no_certificate_is_refused_when_it_is_bound),
	};

	return cs_test_run("api/by_cert", tests);
}
