/*
 * OpenSSL's X509_verify_cert() as the oracle of issuer/feasible.h: chains of
 * CAs with random dates, path lengths, extended key usages and name
 * constraints, and certificates with random names below them.
 *
 * What we would issue, OpenSSL must accept, when it begins and when it ends,
 * for each purpose that it has. What we refuse, OpenSSL must reject, except
 * by a rule of `stricter` below, which cites its clause. A chain that we do
 * not load, OpenSSL must not take either.
 *
 *     feasible_oracle_test [CHAINS [SEED]]
 */
#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/der.h"
#include "base/mem.h"
#include "issuer/feasible.h"
#include "issuer/oids.h"
#include "issuer/tbs.h"
#include "issuer/x509.h"
#include "policy/name.h"
#include <tests/lib/plan_maker.h>

#define NOW	      INT64_C(1795521600)
#define DAY	      INT64_C(86400)
#define DEPTH	      3
#define LEAVES	      12 /* of each chain */
#define PICK(m, list) ((list)[plan_draw((m), sizeof(list) / sizeof(*(list)))])

/* From the command line. */
static unsigned long chains = 400, seed = 1;

/* Where we are stricter, and how often we were. */
static struct {
	const char *field, *words;
	const char *why;
	unsigned long n;
} stricter[] = {
	{"san.dns", "excludes",
	 "4.2.1.10: a wildcard that stands for an "
	 "excluded host",
	 0},
	{"subject.commonName", "",
	 "4.2.1.10: a common name beside subject "
	 "alternative names",
	 0},
	{"san.uri", "no host name",
	 "4.2.1.10: a URI without a host must be "
	 "rejected",
	 0},
	{"san.uri", "excludes", "4.2.1.10: a URI's host, by RFC 3986", 0},
	{"san.uri", "in no subtree",
	 "4.2.1.10: a URI's host as OpenSSL before 3.5 reads it, too", 0},
	{"san.other_name", "", "4.2.1.10: a kind that is not processed", 0},
	{"extensions.ext_key_usage", "",
	 "4.2.1.12: a purpose that OpenSSL "
	 "has no word for",
	 0},
	{"extensions.basic_constraints", "",
	 "6.1.4: a CA that could have no "
	 "certificate below it",
	 0},
};
static unsigned long accepted, refused, unloaded, any_purpose;

struct fixture {
	struct plan_maker m;
	EVP_PKEY *keys[DEPTH + 1]; /* [0] is the issuing CA's, last a leaf's */
	CONF *conf;
	struct cs_hash *hash;
	struct cs_arena once, arena;
	struct cs_fact_key leaf_key;
	struct cs_buf tbs, der;
	/* The chain under way, issuing CA first. */
	X509 *certs[DEPTH];
	unsigned depth;
	bool has_any; /* a CA has anyExtendedKeyUsage */
	struct cs_issuer_ca *ca;
};

/* -- chains --------------------------------------------------------------- */

/* Directory names of subtrees, for openssl's configuration. */
static const char sections[] = "[d1]\nO=Corp\n[d2]\nO=Corp\nOU=A\n"
			       "[d3]\nO=  cORP\n[d4]\nO=Other\n[d5]\nCN=x\n";

static const char *const subtrees[] = {
	"DNS:example",
	"DNS:corp.example",
	"DNS:a.corp.example",
	"DNS:b.corp.example",
	"DNS:.corp.example",
	"DNS:CORP.example",
	"DNS:other.test",
	"email:corp.example",
	"email:.corp.example",
	"email:joe@corp.example",
	"email:Joe@Corp.example",
	"URI:corp.example",
	"URI:.corp.example",
	"URI:td.example",
	"IP:10.0.0.0/255.0.0.0",
	"IP:10.1.0.0/255.255.0.0",
	"IP:192.0.2.0/255.255.255.0",
	"IP:0.0.0.0/0.0.0.0",
	"IP:2001:db8:0:0:0:0:0:0/ffff:ffff:0:0:0:0:0:0",
	"dirName:d1",
	"dirName:d2",
	"dirName:d3",
	"dirName:d4",
	"dirName:d5",
	"RID:1.2.3",
	"otherName:1.2.3.4;UTF8:x",
};

/* The value of a nameConstraints extension for openssl's configuration. */
static void draw_constraints(struct plan_maker *m, char *out, size_t room)
{
	size_t n = (size_t)snprintf(out, room, "critical");

	for (unsigned i = 0, k = 1 + plan_draw(m, 4); i < k; i++)
		n += (size_t)snprintf(out + n, room - n, ",%s;%s",
				      plan_draw(m, 3) ? "permitted"
						      : "excluded",
				      PICK(m, subtrees));
}

static void add_ext(struct fixture *f, X509 *cert, const char *name,
		    const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, f->conf);
	ext = X509V3_EXT_nconf(f->conf, &ctx, name, value);
	if (ext == NULL)
		fail_msg("%s = %s", name, value);
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

static void draw_extensions(struct fixture *f, X509 *cert, unsigned i)
{
	static const char *const lengths[] = {
		"", "", "", ",pathlen:0", ",pathlen:1", ",pathlen:2"};
	static const char *const purposes[] = {"serverAuth",
					       "clientAuth",
					       "serverAuth,clientAuth",
					       "serverAuth,emailProtection",
					       "anyExtendedKeyUsage",
					       "clientAuth,1.2.3.4"};
	const char *purpose = PICK(&f->m, purposes);
	char value[400];

	snprintf(value, sizeof(value), "critical,CA:TRUE%s",
		 i == 0 ? PICK(&f->m, lengths)
			: lengths[plan_draw(&f->m, 3) + (i > 1 ? 3 : 2)]);
	add_ext(f, cert, "basicConstraints", value);
	add_ext(f, cert, "keyUsage", "critical,keyCertSign,cRLSign");
	add_ext(f, cert, "subjectKeyIdentifier", "hash");
	if (plan_draw(&f->m, 5) == 0) {
		add_ext(f, cert, "extendedKeyUsage", purpose);
		f->has_any = f->has_any || purpose[0] == 'a';
	}
	if (plan_draw(&f->m, 2)) {
		draw_constraints(&f->m, value, sizeof(value));
		add_ext(f, cert, "nameConstraints", value);
	}
}

static void set_time(ASN1_TIME *t, int64_t s)
{
	assert_non_null(ASN1_TIME_set(t, (time_t)s));
}

/* CA i; its issuer is i + 1, the last is a root. */
static void make_ca(struct fixture *f, unsigned i)
{
	static const int64_t lives[] = {20, 100, 400, 4000, 4000, 4000};
	static const char *const organizations[] = {"Corp", "Corp", "Corp",
						    "CORP", "Other"};
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	unsigned by = i + 1 < f->depth ? i + 1 : i;
	unsigned char cn[2] = {(unsigned char)('0' + i), 0};

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1 + (long)i);
	set_time(X509_getm_notBefore(cert), NOW - 10 * DAY);
	if (plan_draw(&f->m, 20) == 0)
		set_time(X509_getm_notBefore(cert), NOW + 60);
	set_time(X509_getm_notAfter(cert), NOW + PICK(&f->m, lives) * DAY);
	X509_NAME_add_entry_by_txt(
		name, "O", MBSTRING_UTF8,
		(const unsigned char *)PICK(&f->m, organizations), -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, cn, -1, -1, 0);
	X509_set_issuer_name(
		cert, by == i ? name : X509_get_subject_name(f->certs[by]));
	X509_set_pubkey(cert, f->keys[i]);
	draw_extensions(f, cert, i);
	assert_true(X509_sign(cert, f->keys[by], EVP_sha256()) > 0);
	/* As a verifier has it: read from its octets. */
	f->certs[i] = X509_dup(cert);
	X509_free(cert);
}

/* Make a chain; f->ca is NULL when it does not load, and says why. */
static void make_chain(struct fixture *f, struct cs_error *err)
{
	struct cs_issuer_ca_source source = {.name = CS_SPAN_LIT("x")};
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long n;

	f->depth = 1 + plan_draw(&f->m, DEPTH);
	f->has_any = false;
	for (unsigned i = f->depth; i > 0; i--)
		make_ca(f, i - 1);
	for (unsigned i = 0; i < f->depth; i++)
		PEM_write_bio_X509(bio, f->certs[i]);
	n = BIO_get_mem_data(bio, &pem);
	source.chain_pem = cs_span_make(pem, (size_t)n);
	f->ca = cs_issuer_ca_new(&source, err);
	BIO_free(bio);
}

static void free_chain(struct fixture *f)
{
	for (unsigned i = 0; i < f->depth; i++)
		X509_free(f->certs[i]);
	cs_issuer_ca_free(f->ca);
}

/* -- OpenSSL's verdict ---------------------------------------------------- */

/* X509_V_OK, or why it rejects `cert`. purpose 0: whatever it is for. */
static int verify(struct fixture *f, X509 *cert, int64_t at, int purpose)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *between = sk_X509_new_null();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int code;

	X509_STORE_add_cert(store, f->certs[f->depth - 1]);
	for (unsigned i = 0; i + 1 < f->depth; i++)
		sk_X509_push(between, f->certs[i]);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, cert, between), 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)at);
	if (purpose != 0)
		X509_VERIFY_PARAM_set_purpose(param, purpose);
	X509_verify_cert(ctx);
	code = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	sk_X509_free(between);
	X509_STORE_free(store);
	ERR_clear_error();
	return code;
}

/* OpenSSL's purpose for an extended key usage; 0: it has none. */
static int purpose_of(struct cs_span oid)
{
	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_SERVER_AUTH)))
		return X509_PURPOSE_SSL_SERVER;
	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_EMAIL_PROTECTION)))
		return X509_PURPOSE_SMIME_SIGN;
	if (cs_span_equal(oid, CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x03\x02")))
		return X509_PURPOSE_SSL_CLIENT;
	return 0;
}

/* The first rejection, of all purposes and of begin and end. */
static int verify_all(struct fixture *f, const struct cs_plan *p, X509 *cert)
{
	/* OpenSSL takes the last second of a validity for its end. */
	const int64_t times[] = {NOW, p->not_after_s - 1};
	int code = X509_V_OK;

	for (size_t t = 0; code == X509_V_OK && t < 2; t++) {
		code = verify(f, cert, times[t], 0);
		for (size_t i = 0;
		     code == X509_V_OK && i < p->ext_key_usage_n && !p->ca; i++)
			code = verify(f, cert, times[t],
				      purpose_of(p->ext_key_usage[i]));
	}
	return code;
}

/* -- certificates --------------------------------------------------------- */

static struct cs_span name_of(struct cs_arena *a, const char *o, const char *ou)
{
	const struct cs_plan_attr attrs[] = {
		{CS_SPAN_LIT(CS_OID_ORGANIZATION), cs_span_str(o)},
		{CS_SPAN_LIT(CS_OID_ORGANIZATIONAL_UNIT), cs_span_str(ou)}};
	struct cs_span copy;
	struct cs_buf out;
	size_t name, rdn, attr;

	cs_buf_init(&out, 400);
	name = cs_der_write_begin(&out, CS_DER_SEQUENCE);
	for (size_t i = 0; i < 2; i++) {
		rdn = cs_der_write_begin(&out, CS_DER_SET);
		attr = cs_der_write_begin(&out, CS_DER_SEQUENCE);
		cs_der_write(&out, CS_DER_OID, attrs[i].oid);
		cs_der_write(&out, CS_DER_UTF8_STRING, attrs[i].value);
		cs_der_write_end(&out, attr);
		cs_der_write_end(&out, rdn);
	}
	cs_der_write_end(&out, name);
	assert_true(cs_arena_dup(a, cs_buf_span(&out), &copy));
	cs_buf_done(&out);
	return copy;
}

static void draw_name(struct fixture *f, struct cs_plan_name *n)
{
	static const struct {
		enum cs_name_kind kind;
		const char *text;
	} pool[] = {
		{CS_NAME_DNS, "corp.example"},
		{CS_NAME_DNS, "www.corp.example"},
		{CS_NAME_DNS, "a.corp.example"},
		{CS_NAME_DNS, "x.a.corp.example"},
		{CS_NAME_DNS, "*.corp.example"},
		{CS_NAME_DNS, "*.a.corp.example"},
		{CS_NAME_DNS, "*.example"},
		{CS_NAME_DNS, "notcorp.example"},
		{CS_NAME_DNS, "other.test"},
		{CS_NAME_EMAIL, "joe@corp.example"},
		{CS_NAME_EMAIL, "Joe@corp.example"},
		{CS_NAME_EMAIL, "ann@corp.example"},
		{CS_NAME_EMAIL, "joe@x.corp.example"},
		{CS_NAME_EMAIL, "joe@example"},
		{CS_NAME_URI, "spiffe://corp.example/a"},
		{CS_NAME_URI, "https://a.corp.example:8443/x"},
		{CS_NAME_URI, "https://joe@corp.example/"},
		{CS_NAME_URI, "https://corp.example?x=1"},
		{CS_NAME_URI, "spiffe://td.example/ns:a"},
		{CS_NAME_URI, "https://10.1.2.3/"},
		{CS_NAME_URI, "urn:uuid:1"},
		{CS_NAME_IP, "10.1.2.3"},
		{CS_NAME_IP, "10.2.2.3"},
		{CS_NAME_IP, "192.0.2.1"},
		{CS_NAME_IP, "2001:db8::1"},
		{CS_NAME_IP, "2001:db9::1"},
		{CS_NAME_REGISTERED_ID, "\x2a\x03"},
		{CS_NAME_OTHER, "\x0c\x01x"},
		{CS_NAME_DIRECTORY, "Corp"},
		{CS_NAME_DIRECTORY, "corp "},
		{CS_NAME_DIRECTORY, "Other"},
	};
	size_t i = plan_draw(&f->m, sizeof(pool) / sizeof(*pool));

	*n = (struct cs_plan_name){.kind = pool[i].kind,
				   .content = cs_span_str(pool[i].text)};
	if (n->kind == CS_NAME_IP)
		assert_true(cs_name_ip_octets(n->content, &f->arena,
					      &n->content, NULL));
	if (n->kind == CS_NAME_OTHER)
		n->oid = plan_draw(&f->m, 2)
				 ? CS_SPAN_LIT("\x2a\x03\x04")
				 : CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x08"
					       "\x09");
	if (n->kind == CS_NAME_DIRECTORY)
		n->content = name_of(&f->arena, pool[i].text,
				     plan_draw(&f->m, 2) ? "A" : "b");
}

static void draw_names(struct fixture *f, struct cs_plan *p)
{
	p->names = cs_arena_new_array(&f->arena, 3, sizeof(*p->names));
	assert_non_null(p->names);
	for (unsigned i = 0, n = plan_draw(&f->m, 4); i < n; i++) {
		bool there = false;

		draw_name(f, &p->names[p->names_n]);
		for (size_t k = 0; k < p->names_n; k++)
			there = there ||
				cs_span_equal(p->names[k].content,
					      p->names[p->names_n].content);
		p->names_n += !there;
	}
}

static void draw_subject(struct fixture *f, struct cs_plan *p)
{
	static const struct {
		const char *oid, *value;
	} pool[] = {
		{CS_OID_ORGANIZATION, "Corp"},
		{CS_OID_ORGANIZATION, "corp"},
		{CS_OID_ORGANIZATION, "Other"},
		{CS_OID_ORGANIZATIONAL_UNIT, "A"},
		{CS_OID_ORGANIZATIONAL_UNIT, "a"},
		{CS_OID_COMMON_NAME, "www.corp.example"},
		{CS_OID_COMMON_NAME, "a_b.corp.example"},
		{CS_OID_COMMON_NAME, "10.1.2.3"},
		{CS_OID_COMMON_NAME, "somebody"},
		{CS_OID_COMMON_NAME, "two words.example"},
		{CS_OID_EMAIL_ADDRESS, "joe@corp.example"},
		{CS_OID_EMAIL_ADDRESS, "no address"},
	};

	p->subject = cs_arena_new_array(&f->arena, 3, sizeof(*p->subject));
	assert_non_null(p->subject);
	p->subject_n = plan_draw(&f->m, 4);
	for (size_t i = 0; i < p->subject_n; i++) {
		size_t k =
			i == 0 ? plan_draw(&f->m, 3)
			       : plan_draw(&f->m, sizeof(pool) / sizeof(*pool));

		p->subject[i] = (struct cs_plan_attr){
			cs_span_str(pool[k].oid), cs_span_str(pool[k].value)};
	}
	if (p->subject_n == 0 && p->names_n == 0)
		p->subject[p->subject_n++] = (struct cs_plan_attr){
			CS_SPAN_LIT(CS_OID_ORGANIZATION), CS_SPAN_LIT("Corp")};
}

static void draw_leaf(struct fixture *f, struct cs_plan *p)
{
	static const int64_t lives[] = {1, 1, 1, 90, 365};
	static const struct cs_span purposes[] = {
		CS_SPAN_INIT(CS_OID_SERVER_AUTH),
		CS_SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x03\x02"),
		CS_SPAN_INIT(CS_OID_EMAIL_PROTECTION),
		CS_SPAN_INIT("\x2a\x03\x04")};
	unsigned first = plan_draw(&f->m, 4);

	*p = (struct cs_plan){.not_before_s = NOW - 30};
	draw_names(f, p);
	draw_subject(f, p);
	p->not_after_s = NOW - 30 + PICK(&f->m, lives) * DAY;
	p->ca = plan_draw(&f->m, 12) == 0;
	p->key_usage = p->ca ? CS_KU_CERT_SIGN : CS_KU_DIGITAL_SIGNATURE;
	p->key_usage_critical = true;
	p->ext_key_usage_n = plan_draw(&f->m, 3);
	p->ext_key_usage =
		cs_arena_new_array(&f->arena, 2, sizeof(*p->ext_key_usage));
	assert_non_null(p->ext_key_usage);
	for (size_t i = 0; i < p->ext_key_usage_n; i++)
		p->ext_key_usage[i] = purposes[(first + i) % 4];
}

/* The plan's certificate below f->ca, and what we find in it. */
static X509 *issue(struct fixture *f, const struct cs_plan *p,
		   struct cs_findings *findings)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct cs_error err = {0};
	struct cs_tbs_facts facts;
	const unsigned char *at;
	uint8_t signature[200];
	size_t n = sizeof(signature);

	cs_buf_reset(&f->tbs);
	cs_buf_reset(&f->der);
	if (!cs_tbs_write(p, &f->leaf_key, f->ca, CS_SPAN_LIT("\x5b\x01"),
			  f->hash, &f->arena, &f->tbs, &err) ||
	    !cs_tbs_facts_read(f->hash, cs_buf_span(&f->tbs), &f->arena, &facts,
			       &err) ||
	    !cs_feasible_check(f->ca, &facts, NOW, findings, &err))
		fail_msg("%s", err.text);
	assert_int_equal(
		EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, f->keys[0]),
		1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &n, f->tbs.p, f->tbs.n),
			 1);
	EVP_MD_CTX_free(ctx);
	cs_der_write_signed(&f->der, cs_buf_span(&f->tbs), f->ca->sig_alg,
			    cs_span_make(signature, n));
	at = f->der.p;
	return d2i_X509(NULL, &at, (long)f->der.n);
}

/* -- tests ---------------------------------------------------------------- */

/* Everything about a case that ended a run. */
static void tell(struct fixture *f, X509 *cert, const char *ours, int theirs)
{
	BIO *bio = BIO_new_fp(stderr, BIO_NOCLOSE);

	for (unsigned i = 0; i < f->depth; i++)
		X509_print_ex(bio, f->certs[i], 0,
			      X509_FLAG_NO_PUBKEY | X509_FLAG_NO_SIGDUMP);
	if (cert != NULL)
		X509_print_ex(bio, cert, 0,
			      X509_FLAG_NO_PUBKEY | X509_FLAG_NO_SIGDUMP);
	BIO_free(bio);
	fail_msg("we: %s; OpenSSL: %s", ours,
		 X509_verify_cert_error_string(theirs));
}

static bool contains(struct cs_span text, const char *words)
{
	return memmem(text.p, text.n, words, strlen(words)) != NULL;
}

/* A URI whose authority does not end at the first colon or else slash. */
static bool has_two_readings(struct cs_span uri)
{
	return contains(uri, "?") || contains(uri, "#") || contains(uri, "@") ||
	       memmem(uri.p, uri.n, "/ns:", 4) != NULL;
}

/* May we refuse for this reason what OpenSSL accepts? */
static bool is_stricter(const struct cs_finding *finding)
{
	for (size_t i = 0; i < sizeof(stricter) / sizeof(*stricter); i++) {
		if (!cs_span_starts_with(finding->field,
					 cs_span_str(stricter[i].field)) ||
		    !contains(finding->message, stricter[i].words))
			continue;
		if (strcmp(stricter[i].field, "san.dns") == 0 &&
		    !cs_name_dns_is_wildcard(finding->value))
			continue;
		if (strcmp(stricter[i].words, "in no subtree") == 0 &&
		    !has_two_readings(finding->value))
			continue;
		stricter[i].n++;
		return true;
	}
	return false;
}

static void judge_leaf(struct fixture *f)
{
	struct cs_findings findings;
	struct cs_plan p;
	X509 *cert;
	int code;

	cs_arena_reset(&f->arena);
	cs_findings_init(&findings, &f->arena);
	draw_leaf(f, &p);
	cert = issue(f, &p, &findings);
	assert_non_null(cert);
	code = verify_all(f, &p, cert);
	/* RFC 5280 4.2.1.12: any purpose; OpenSSL takes it for none of TLS */
	if (code == X509_V_ERR_INVALID_PURPOSE && f->has_any && findings.n == 0)
		any_purpose++;
	else if (findings.n == 0 && code != X509_V_OK)
		tell(f, cert, "issued", code);
	else if (findings.n > 0 && code == X509_V_OK) {
		for (size_t i = 0; i < findings.n; i++) {
			struct cs_span why = findings.items[i].message;

			if (!is_stricter(&findings.items[i]))
				tell(f, cert, (const char *)why.p, code);
		}
	}
	accepted += findings.n == 0;
	refused += findings.n > 0;
	X509_free(cert);
}

/* A chain that we do not load: OpenSSL must not take the issuing CA. */
static void judge_unloaded(struct fixture *f, const char *why)
{
	int64_t at = NOW + DAY;
	int code = verify(f, f->certs[0], at, X509_PURPOSE_SSL_SERVER);

	if (code == X509_V_OK)
		code = verify(f, f->certs[0], at, X509_PURPOSE_SSL_CLIENT);
	if (code == X509_V_OK)
		tell(f, NULL, why, code);
	unloaded++;
}

static void open_fixture(struct fixture *f)
{
	struct cs_findings findings;
	struct cs_x509 x = {&f->once, &findings, NULL};
	unsigned char *spki = NULL;
	BIO *bio = BIO_new_mem_buf(sections, -1);
	int n;

	*f = (struct fixture){.m = {.state = seed}};
	for (size_t i = 0; i < DEPTH + 1; i++)
		f->keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	f->conf = NCONF_new(NULL);
	assert_int_equal(NCONF_load_bio(f->conf, bio, NULL), 1);
	BIO_free(bio);
	f->hash = cs_hash_new(NULL);
	x.hash = f->hash;
	cs_arena_init(&f->once, 10000);
	cs_arena_init(&f->arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&f->tbs, CS_MAX_TBS);
	cs_buf_init(&f->der, CS_MAX_CERT);
	cs_findings_init(&findings, &f->once);
	n = i2d_PUBKEY(f->keys[DEPTH], &spki);
	assert_true(n > 0);
	assert_true(cs_spki_read(&x, cs_span_make(spki, (size_t)n),
				 &f->leaf_key, NULL));
	assert_true(
		cs_arena_dup(&f->once, f->leaf_key.spki, &f->leaf_key.spki));
	assert_true(cs_arena_dup(&f->once, f->leaf_key.key, &f->leaf_key.key));
	OPENSSL_free(spki);
}

static void close_fixture(struct fixture *f)
{
	for (size_t i = 0; i < DEPTH + 1; i++)
		EVP_PKEY_free(f->keys[i]);
	NCONF_free(f->conf);
	cs_hash_free(f->hash);
	cs_arena_done(&f->once);
	cs_arena_done(&f->arena);
	cs_buf_done(&f->tbs);
	cs_buf_done(&f->der);
}

static void openssl_accepts_what_is_feasible_and_nothing_else(void **state)
{
	struct cs_error err = {0};
	struct fixture f;

	(void)state;
	open_fixture(&f);
	for (unsigned long i = 0; i < chains; i++) {
		make_chain(&f, &err);
		if (f.ca == NULL)
			judge_unloaded(&f, err.text);
		for (int k = 0; f.ca != NULL && k < LEAVES; k++)
			judge_leaf(&f);
		free_chain(&f);
	}
	close_fixture(&f);
	print_message("# seed %lu: %lu chains, %lu of them not loaded; %lu "
		      "certificates accepted, %lu refused, as OpenSSL does\n",
		      seed, chains, unloaded, accepted, refused);
	for (size_t i = 0; i < sizeof(stricter) / sizeof(*stricter); i++)
		print_message("# stricter %lu times: RFC 5280 %s\n",
			      stricter[i].n, stricter[i].why);
	print_message("# OpenSSL stricter %lu times: anyExtendedKeyUsage of a "
		      "CA\n",
		      any_purpose);
	assert_true(accepted > 0 && refused > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			openssl_accepts_what_is_feasible_and_nothing_else),
	};

	if (argc > 1)
		chains = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		seed = strtoul(argv[2], NULL, 10);
	return cs_test_run("issuer/feasible_oracle", tests);
}
