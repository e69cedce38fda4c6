#include "tests/lib/test.h"

#include <string.h>

#include "base/codec.h"
#include "base/der.h"
#include "issuer/csr.h"
#include "issuer/oids.h"
#include "policy/codes.h"
#include "tests/lib/csr_maker.h"

/* What every test has: keys of each kind, and room. */
struct fixture {
	struct cs_key *ec, *p384, *rsa, *ed;
	struct cs_crypto *crypto;
	struct cs_arena arena;
	struct cs_buf der;   /* the CSR under test */
	struct cs_buf parts; /* pieces of it */
	struct cs_buf more;
	struct cs_cert_facts facts;
	struct cs_findings findings;
};

static int set_up(void **state)
{
	static struct fixture f;

	f.ec = cs_key_generate(CS_KEY_KIND_EC_P256, NULL);
	f.p384 = cs_key_generate(CS_KEY_KIND_EC_P384, NULL);
	f.rsa = cs_key_generate(CS_KEY_KIND_RSA_3072, NULL);
	f.ed = cs_key_generate(CS_KEY_KIND_ED25519, NULL);
	f.crypto = cs_crypto_new(NULL);
	cs_arena_init(&f.arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&f.der, 400000);
	cs_buf_init(&f.parts, 200000);
	cs_buf_init(&f.more, 200000);
	*state = &f;
	return f.ec == NULL || f.p384 == NULL || f.rsa == NULL ||
	       f.ed == NULL || f.crypto == NULL;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cs_key_free(f->ec);
	cs_key_free(f->p384);
	cs_key_free(f->rsa);
	cs_key_free(f->ed);
	cs_crypto_free(f->crypto);
	cs_arena_done(&f->arena);
	cs_buf_done(&f->der);
	cs_buf_done(&f->parts);
	cs_buf_done(&f->more);
	return 0;
}

/* Read f->der; findings and facts are in the fixture. */
static void read_der(struct fixture *f)
{
	struct cs_error err = {0};

	cs_arena_reset(&f->arena);
	cs_findings_init(&f->findings, &f->arena);
	if (!cs_csr_read(f->crypto, cs_buf_span(&f->der), &f->arena, &f->facts,
			 &f->findings, &err))
		fail_msg("%s", err.text);
}

static void read_csr(struct fixture *f, const struct csr_maker *m)
{
	csr_make(m, &f->der);
	read_der(f);
}

static void assert_accepted(const struct fixture *f)
{
	if (f->findings.n > 0)
		fail_msg("refused: %.*s",
			 CS_SPAN_FMT(f->findings.items[0].message));
}

/* There is a finding with this code whose sentence has these words. */
static void assert_found(const struct fixture *f, const char *code,
			 const char *words)
{
	for (size_t i = 0; i < f->findings.n; i++) {
		const struct cs_finding *one = &f->findings.items[i];
		char text[CS_ERROR_MAX];

		assert_true(cs_code_is_known(one->code));
		snprintf(text, sizeof(text), "%.*s", CS_SPAN_FMT(one->message));
		if (strcmp(one->code, code) == 0 && strstr(text, words) != NULL)
			return;
	}
	for (size_t i = 0; i < f->findings.n; i++)
		print_message("found: %s %.*s\n", f->findings.items[i].code,
			      CS_SPAN_FMT(f->findings.items[i].message));
	fail_msg("no finding %s with \"%s\"", code, words);
}

static void assert_span(struct cs_span s, const char *text)
{
	assert_int_equal(s.n, strlen(text));
	assert_memory_equal(s.p, text, s.n);
}

/* -- accepted ------------------------------------------------------------- */

static void reads_what_a_csr_asks_for(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	read_csr(f, &m);
	assert_accepted(f);
	assert_int_equal(f->facts.subject_n, 1);
	assert_span(f->facts.subject[0].value, "web.corp.example");
	assert_int_equal(f->facts.names_n, 1);
	assert_int_equal(f->facts.names[0].kind, CS_NAME_DNS);
	assert_span(f->facts.names[0].canonical, "web.corp.example");
	assert_false(f->facts.names[0].normalized);
	assert_int_equal(f->facts.key.alg, CS_KEY_EC);
	assert_int_equal(f->facts.key.bits, 256);
	assert_int_equal(f->facts.key.key.n, 65);
}

static void accepts_every_kind_of_key_and_digest(void **state)
{
	struct fixture *f = *state;
	const struct csr_maker all[] = {
		{.key = f->ec, .alg = CS_SIG_ECDSA_SHA256},
		{.key = f->ec, .alg = CS_SIG_ECDSA_SHA384},
		{.key = f->ec, .alg = CS_SIG_ECDSA_SHA512},
		{.key = f->p384, .alg = CS_SIG_ECDSA_SHA256},
		{.key = f->p384, .alg = CS_SIG_ECDSA_SHA384},
		{.key = f->rsa, .alg = CS_SIG_RSA_SHA256},
		{.key = f->rsa, .alg = CS_SIG_RSA_SHA384},
		{.key = f->rsa, .alg = CS_SIG_RSA_SHA512},
		{.key = f->ed, .alg = CS_SIG_ED25519},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		read_csr(f, &all[i]);
		assert_accepted(f);
	}
}

static void accepts_empty_attributes(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec, .no_extensions = true};

	read_csr(f, &m);
	assert_accepted(f);
	assert_int_equal(f->facts.names_n, 0);
}

static void accepts_an_empty_subject(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec, .subject = CS_SPAN_LIT("\x30\0")};

	read_csr(f, &m);
	assert_accepted(f);
	assert_int_equal(f->facts.subject_n, 0);
}

static void normalises_names_and_says_so(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_ext_san(&f->parts, CS_DER_CONTEXT(2),
		    CS_SPAN_LIT("WEB.corp.example"));
	m.extensions = cs_buf_span(&f->parts);
	read_csr(f, &m);
	assert_accepted(f);
	assert_true(f->facts.names[0].normalized);
	assert_span(f->facts.names[0].asked, "WEB.corp.example");
	assert_span(f->facts.names[0].content, "web.corp.example");
}

/* Every kind of GeneralName that becomes a fact. */
static void reads_every_kind_of_name(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};
	size_t seq, other, value;

	cs_buf_reset(&f->parts);
	cs_buf_reset(&f->more);
	seq = cs_der_write_begin(&f->more, CS_DER_SEQUENCE);
	cs_der_write(&f->more, CS_DER_CONTEXT(2), CS_SPAN_LIT("a.example"));
	cs_der_write(&f->more, CS_DER_CONTEXT(7), CS_SPAN_LIT("\x0a\0\0\x01"));
	cs_der_write(&f->more, CS_DER_CONTEXT(6),
		     CS_SPAN_LIT("spiffe://td.example/a"));
	cs_der_write(&f->more, CS_DER_CONTEXT(1), CS_SPAN_LIT("a@b.example"));
	other = cs_der_write_begin(&f->more, CS_DER_CONTEXT_CONSTRUCTED(0));
	cs_der_write(&f->more, CS_DER_OID,
		     CS_SPAN_LIT("\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03"));
	value = cs_der_write_begin(&f->more, CS_DER_CONTEXT_CONSTRUCTED(0));
	cs_der_write(&f->more, CS_DER_UTF8_STRING, CS_SPAN_LIT("u@corp"));
	cs_der_write_end(&f->more, value);
	cs_der_write_end(&f->more, other);
	cs_der_write(&f->more, CS_DER_CONTEXT(8), CS_SPAN_LIT("\x2a\x03"));
	cs_der_write_end(&f->more, seq);
	csr_ext(&f->parts, CS_SPAN_LIT(CS_OID_SUBJECT_ALT_NAME), true,
		cs_buf_span(&f->more));
	m.extensions = cs_buf_span(&f->parts);
	read_csr(f, &m);
	assert_accepted(f);
	assert_int_equal(f->facts.names_n, 6);
	assert_true(f->facts.san_critical);
	assert_span(f->facts.names[1].canonical, "10.0.0.1");
	assert_span(f->facts.names[2].canonical, "spiffe://td.example/a");
	assert_span(f->facts.names[3].canonical, "a@b.example");
	assert_int_equal(f->facts.names[4].kind, CS_NAME_OTHER);
	assert_span(f->facts.names[4].content, "\x0c\x06u@corp");
	assert_int_equal(f->facts.names[5].kind, CS_NAME_REGISTERED_ID);
}

static void reads_usages_and_lists_other_extensions(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_ext(&f->parts, CS_SPAN_LIT(CS_OID_KEY_USAGE), true,
		CS_SPAN_LIT("\x03\x02\x05\xa0"));
	csr_ext(&f->parts, CS_SPAN_LIT(CS_OID_EXT_KEY_USAGE), false,
		CS_SPAN_LIT("\x30\x0a\x06\x08" CS_OID_SERVER_AUTH));
	csr_ext(&f->parts, CS_SPAN_LIT(CS_OID_BASIC_CONSTRAINTS), true,
		CS_SPAN_LIT("\x30\x06\x01\x01\xff\x02\x01\x03"));
	csr_ext(&f->parts, CS_SPAN_LIT("\x2a\x03\x04"), false,
		CS_SPAN_LIT("\x05\0"));
	m.extensions = cs_buf_span(&f->parts);
	read_csr(f, &m);
	assert_accepted(f);
	assert_int_equal(f->facts.key_usage,
			 CS_KU_DIGITAL_SIGNATURE | CS_KU_KEY_ENCIPHERMENT);
	assert_true(f->facts.key_usage_critical);
	assert_int_equal(f->facts.ext_key_usage_n, 1);
	assert_true(f->facts.ca);
	assert_int_equal(f->facts.path_len, 3);
	assert_int_equal(f->facts.extensions_n, 1);
	assert_span(f->facts.extensions[0].oid, "\x2a\x03\x04");
}

/* -- structure ------------------------------------------------------------ */

static void refuses_octets_behind_the_end(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	csr_make(&m, &f->der);
	cs_buf_add_byte(&f->der, 0);
	read_der(f);
	assert_found(f, "CSR_MALFORMED", "");
}

static void refuses_every_cut(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	csr_make(&m, &f->der);
	while (f->der.n > 0) {
		cs_buf_truncate(&f->der, f->der.n - 1);
		read_der(f);
		assert_int_not_equal(f->findings.n, 0);
	}
}

static void refuses_indefinite_and_long_lengths(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	csr_make(&m, &f->der);
	assert_int_equal(f->der.p[1], 0x82);
	f->der.p[1] = 0x80;
	read_der(f);
	assert_found(f, "CSR_MALFORMED", "X.690");
	csr_make(&m, &f->der);
	f->der.p[1] = 0x83;
	cs_buf_insert(&f->der, 2, CS_SPAN_LIT("\0"));
	read_der(f);
	assert_found(f, "CSR_MALFORMED", "X.690");
}

static void refuses_what_is_too_large(void **state)
{
	struct fixture *f = *state;

	cs_buf_reset(&f->der);
	cs_buf_extend(&f->der, CS_MAX_CSR_DER + 1);
	read_der(f);
	assert_found(f, "CSR_TOO_LARGE", "16384");
}

static void refuses_other_versions(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec, .version = CS_SPAN_LIT("\x05")};

	read_csr(f, &m);
	assert_found(f, "CSR_MALFORMED", "RFC 2986 4.1");
	m.version = CS_SPAN_LIT("\xff");
	read_csr(f, &m);
	assert_found(f, "CSR_MALFORMED", "RFC 2986 4.1");
	m.version = CS_SPAN_LIT("\0\0");
	read_csr(f, &m);
	assert_found(f, "CSR_MALFORMED", "X.690 8.3.2");
}

static void refuses_missing_attributes(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec, .no_attributes = true};

	read_csr(f, &m);
	assert_found(f, "CSR_MALFORMED", "RFC 2986 4.1: attributes");
}

/* -- subject -------------------------------------------------------------- */

/* A CSR whose subject is one attribute. */
static void read_subject(struct fixture *f, struct cs_span oid, uint8_t tag,
			 struct cs_span value)
{
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	cs_buf_reset(&f->more);
	csr_rdn(&f->parts, oid, tag, value);
	csr_name(&f->more, cs_buf_span(&f->parts));
	m.subject = cs_buf_span(&f->more);
	read_csr(f, &m);
}

static void refuses_nul_and_controls_in_a_subject(void **state)
{
	struct fixture *f = *state;
	struct cs_span cn = CS_SPAN_LIT(CS_OID_COMMON_NAME);

	read_subject(f, cn, CS_DER_UTF8_STRING,
		     CS_SPAN_LIT("good.example\0.evil"));
	assert_found(f, "CSR_SUBJECT", "control");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("a\r\nb"));
	assert_found(f, "CSR_SUBJECT", "control");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("a\xc2\x85"));
	assert_found(f, "CSR_SUBJECT", "control");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("a\xe2\x80\xae"));
	assert_found(f, "CSR_SUBJECT", "control");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("M\xc3\xbcller"));
	assert_accepted(f);
}

static void refuses_other_string_types(void **state)
{
	static const uint8_t tags[] = {
		CS_DER_T61_STRING, CS_DER_BMP_STRING, CS_DER_UNIVERSAL_STRING,
		CS_DER_IA5_STRING, CS_DER_NUMERIC_STRING};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(tags); i++) {
		read_subject(f, CS_SPAN_LIT(CS_OID_COMMON_NAME), tags[i],
			     CS_SPAN_LIT("1234"));
		assert_found(f, "CSR_SUBJECT", "RFC 5280 4.1.2.4");
	}
	read_subject(f, CS_SPAN_LIT(CS_OID_EMAIL_ADDRESS), CS_DER_IA5_STRING,
		     CS_SPAN_LIT("a@b.example"));
	assert_accepted(f);
}

static void refuses_octets_that_the_string_type_lacks(void **state)
{
	struct fixture *f = *state;
	struct cs_span cn = CS_SPAN_LIT(CS_OID_COMMON_NAME);

	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("a\xff"));
	assert_found(f, "CSR_SUBJECT", "X.680");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("\xc0\xaf"));
	assert_found(f, "CSR_SUBJECT", "X.680");
	read_subject(f, cn, CS_DER_PRINTABLE_STRING, CS_SPAN_LIT("a_b"));
	assert_found(f, "CSR_SUBJECT", "X.680");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT(""));
	assert_found(f, "CSR_SUBJECT", "empty");
}

static void refuses_values_beyond_their_upper_bounds(void **state)
{
	struct fixture *f = *state;
	char text[200];

	memset(text, 'a', sizeof(text));
	read_subject(f, CS_SPAN_LIT(CS_OID_COMMON_NAME), CS_DER_UTF8_STRING,
		     cs_span_make(text, 64));
	assert_accepted(f);
	read_subject(f, CS_SPAN_LIT(CS_OID_COMMON_NAME), CS_DER_UTF8_STRING,
		     cs_span_make(text, 65));
	assert_found(f, "CSR_SUBJECT", "RFC 5280 A.1");
	read_subject(f, CS_SPAN_LIT(CS_OID_LOCALITY), CS_DER_UTF8_STRING,
		     cs_span_make(text, 128));
	assert_accepted(f);
	read_subject(f, CS_SPAN_LIT(CS_OID_COUNTRY), CS_DER_PRINTABLE_STRING,
		     CS_SPAN_LIT("DEU"));
	assert_found(f, "CSR_SUBJECT", "at most 2");
}

static void refuses_names_of_several_attributes(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};
	size_t set;

	cs_buf_reset(&f->parts);
	cs_buf_reset(&f->more);
	set = cs_der_write_begin(&f->parts, CS_DER_SET);
	for (int i = 0; i < 2; i++) {
		size_t attr = cs_der_write_begin(&f->parts, CS_DER_SEQUENCE);

		cs_der_write(&f->parts, CS_DER_OID,
			     CS_SPAN_LIT(CS_OID_COMMON_NAME));
		cs_der_write(&f->parts, CS_DER_UTF8_STRING,
			     i == 0 ? CS_SPAN_LIT("a") : CS_SPAN_LIT("b"));
		cs_der_write_end(&f->parts, attr);
	}
	cs_der_write_end(&f->parts, set);
	csr_name(&f->more, cs_buf_span(&f->parts));
	m.subject = cs_buf_span(&f->more);
	read_csr(f, &m);
	assert_found(f, "CSR_SUBJECT", "more than one");
}

static void refuses_more_relative_names_than_its_maximum(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	cs_buf_reset(&f->more);
	for (int i = 0; i < CS_MAX_RDNS + 1; i++)
		csr_rdn(&f->parts, CS_SPAN_LIT(CS_OID_ORGANIZATIONAL_UNIT),
			CS_DER_UTF8_STRING, CS_SPAN_LIT("x"));
	csr_name(&f->more, cs_buf_span(&f->parts));
	m.subject = cs_buf_span(&f->more);
	read_csr(f, &m);
	assert_found(f, "CSR_SUBJECT", "16");
}

/* -- names ---------------------------------------------------------------- */

static void read_san(struct fixture *f, uint8_t tag, struct cs_span content)
{
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_ext_san(&f->parts, tag, content);
	m.extensions = cs_buf_span(&f->parts);
	read_csr(f, &m);
}

static void refuses_names_that_are_none(void **state)
{
	static const struct {
		uint8_t tag;
		struct cs_span content;
	} bad[] = {
		{CS_DER_CONTEXT(2), CS_SPAN_INIT("good.example\0.evil")},
		{CS_DER_CONTEXT(2), CS_SPAN_INIT("")},
		{CS_DER_CONTEXT(2), CS_SPAN_INIT("a..b")},
		{CS_DER_CONTEXT(2), CS_SPAN_INIT("a.*.example")},
		{CS_DER_CONTEXT(2), CS_SPAN_INIT("1.2.3.4")},
		{CS_DER_CONTEXT(2), CS_SPAN_INIT("b\xc3\xbc.example")},
		{CS_DER_CONTEXT(6), CS_SPAN_INIT("https://a/\r\nX: y")},
		{CS_DER_CONTEXT(6), CS_SPAN_INIT("")},
		{CS_DER_CONTEXT(7), CS_SPAN_INIT("\x0a\0\0\x01\0")},
		{CS_DER_CONTEXT(7), CS_SPAN_INIT("")},
		{CS_DER_CONTEXT(7),
		 CS_SPAN_INIT("\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01")},
		{CS_DER_CONTEXT(1), CS_SPAN_INIT("nobody")},
		{CS_DER_CONTEXT_CONSTRUCTED(3), CS_SPAN_INIT("\x30\0")},
		{CS_DER_CONTEXT_CONSTRUCTED(5), CS_SPAN_INIT("\x30\0")},
		{CS_DER_CONTEXT_CONSTRUCTED(0), CS_SPAN_INIT("\x06\x01\x2a")},
		{CS_DER_CONTEXT_CONSTRUCTED(4), CS_SPAN_INIT("\x31\0")},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		read_san(f, bad[i].tag, bad[i].content);
		assert_found(f, "CSR_SAN", "");
	}
}

static void refuses_an_empty_list_of_names(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_ext(&f->parts, CS_SPAN_LIT(CS_OID_SUBJECT_ALT_NAME), false,
		CS_SPAN_LIT("\x30\0"));
	m.extensions = cs_buf_span(&f->parts);
	read_csr(f, &m);
	assert_found(f, "CSR_SAN", "RFC 5280 4.2.1.6");
}

static void refuses_the_same_name_twice(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};
	size_t seq;

	cs_buf_reset(&f->parts);
	cs_buf_reset(&f->more);
	seq = cs_der_write_begin(&f->more, CS_DER_SEQUENCE);
	cs_der_write(&f->more, CS_DER_CONTEXT(2), CS_SPAN_LIT("a.example"));
	cs_der_write(&f->more, CS_DER_CONTEXT(2), CS_SPAN_LIT("A.example"));
	cs_der_write_end(&f->more, seq);
	csr_ext(&f->parts, CS_SPAN_LIT(CS_OID_SUBJECT_ALT_NAME), false,
		cs_buf_span(&f->more));
	m.extensions = cs_buf_span(&f->parts);
	read_csr(f, &m);
	assert_found(f, "CSR_DUPLICATE", "san.dns[1]");
}

static void refuses_more_names_than_its_maximum(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};
	char name[32];
	size_t seq;

	cs_buf_reset(&f->parts);
	cs_buf_reset(&f->more);
	seq = cs_der_write_begin(&f->more, CS_DER_SEQUENCE);
	for (int i = 0; i <= CS_MAX_NAMES; i++) {
		snprintf(name, sizeof(name), "h%d.example", i);
		cs_der_write(&f->more, CS_DER_CONTEXT(2), cs_span_str(name));
	}
	cs_der_write_end(&f->more, seq);
	csr_ext(&f->parts, CS_SPAN_LIT(CS_OID_SUBJECT_ALT_NAME), false,
		cs_buf_span(&f->more));
	m.extensions = cs_buf_span(&f->parts);
	read_csr(f, &m);
	assert_found(f, "CSR_SAN", "100");
}

static void tells_every_bad_name_at_once(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec, .version = CS_SPAN_LIT("\x05")};
	size_t seq;

	cs_buf_reset(&f->parts);
	cs_buf_reset(&f->more);
	seq = cs_der_write_begin(&f->more, CS_DER_SEQUENCE);
	cs_der_write(&f->more, CS_DER_CONTEXT(2), CS_SPAN_LIT("a..b"));
	cs_der_write(&f->more, CS_DER_CONTEXT(7), CS_SPAN_LIT("abc"));
	cs_der_write_end(&f->more, seq);
	csr_ext(&f->parts, CS_SPAN_LIT(CS_OID_SUBJECT_ALT_NAME), false,
		cs_buf_span(&f->more));
	m.extensions = cs_buf_span(&f->parts);
	read_csr(f, &m);
	assert_int_equal(f->findings.n, 3);
}

/* -- attributes and extensions -------------------------------------------- */

static void refuses_two_extension_requests(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};
	CS_CLEANUP(cs_buf_done) struct cs_buf attrs;

	cs_buf_init(&attrs, 10000);
	for (int i = 0; i < 2; i++) {
		cs_buf_reset(&f->parts);
		cs_buf_reset(&f->more);
		csr_ext_san(&f->parts, CS_DER_CONTEXT(2),
			    i == 0 ? CS_SPAN_LIT("a.example")
				   : CS_SPAN_LIT("b.example"));
		csr_sequence(&f->more, cs_buf_span(&f->parts));
		csr_attribute(&attrs, CS_SPAN_LIT(CS_OID_EXTENSION_REQUEST),
			      cs_buf_span(&f->more));
	}
	m.attributes = cs_buf_span(&attrs);
	read_csr(f, &m);
	assert_found(f, "CSR_DUPLICATE", "RFC 2985 5.4.2");
}

/* A CSR with one attribute of this kind. */
static void read_attribute(struct fixture *f, struct cs_span oid,
			   struct cs_span value)
{
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_attribute(&f->parts, oid, value);
	m.attributes = cs_buf_span(&f->parts);
	read_csr(f, &m);
}

static void refuses_other_attributes(void **state)
{
	struct fixture *f = *state;

	read_attribute(f, CS_SPAN_LIT(CS_OID_MS_EXTENSION_REQUEST),
		       CS_SPAN_LIT("\x30\0"));
	assert_found(f, "CSR_ATTRIBUTE", "Microsoft");
	read_attribute(f, CS_SPAN_LIT(CS_OID_CHALLENGE_PASSWORD),
		       CS_SPAN_LIT("\x0c\x03"
				   "abc"));
	assert_found(f, "CSR_ATTRIBUTE", "RFC 2985 5.4.1");
	read_attribute(f, CS_SPAN_LIT("\x2a\x03\x04"), CS_SPAN_LIT("\x05\0"));
	assert_found(f, "CSR_ATTRIBUTE", "1.2.3.4");
	/* Two values in one extensionRequest, and none. */
	read_attribute(f, CS_SPAN_LIT(CS_OID_EXTENSION_REQUEST),
		       CS_SPAN_LIT("\x30\0\x30\0"));
	assert_found(f, "CSR_EXTENSION", "");
	read_attribute(f, CS_SPAN_LIT(CS_OID_EXTENSION_REQUEST),
		       CS_SPAN_LIT(""));
	assert_found(f, "CSR_EXTENSION", "");
}

static void refuses_an_extension_twice(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_ext_san(&f->parts, CS_DER_CONTEXT(2), CS_SPAN_LIT("a.example"));
	csr_ext_san(&f->parts, CS_DER_CONTEXT(2), CS_SPAN_LIT("b.example"));
	m.extensions = cs_buf_span(&f->parts);
	read_csr(f, &m);
	assert_found(f, "CSR_DUPLICATE", "2.5.29.17");
}

static void read_ext(struct fixture *f, struct cs_span oid,
		     struct cs_span value)
{
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_ext(&f->parts, oid, true, value);
	m.extensions = cs_buf_span(&f->parts);
	read_csr(f, &m);
}

static void refuses_malformed_extensions(void **state)
{
	static const struct {
		struct cs_span oid, value;
	} bad[] = {
		/* No bit; a bit beyond the ninth; padding that is set. */
		{CS_SPAN_INIT(CS_OID_KEY_USAGE), CS_SPAN_INIT("\x03\x01\0")},
		{CS_SPAN_INIT(CS_OID_KEY_USAGE),
		 CS_SPAN_INIT("\x03\x03\x05\x80\x20")},
		{CS_SPAN_INIT(CS_OID_KEY_USAGE),
		 CS_SPAN_INIT("\x03\x02\x07\x81")},
		{CS_SPAN_INIT(CS_OID_EXT_KEY_USAGE), CS_SPAN_INIT("\x30\0")},
		{CS_SPAN_INIT(CS_OID_EXT_KEY_USAGE),
		 CS_SPAN_INIT("\x30\x06\x06\x01\x2a\x06\x01\x2a")},
		/* BOOLEAN 0x01; the default encoded; a path without a CA. */
		{CS_SPAN_INIT(CS_OID_BASIC_CONSTRAINTS),
		 CS_SPAN_INIT("\x30\x03\x01\x01\x01")},
		{CS_SPAN_INIT(CS_OID_BASIC_CONSTRAINTS),
		 CS_SPAN_INIT("\x30\x03\x01\x01\0")},
		{CS_SPAN_INIT(CS_OID_BASIC_CONSTRAINTS),
		 CS_SPAN_INIT("\x30\x03\x02\x01\x03")},
		{CS_SPAN_INIT(CS_OID_BASIC_CONSTRAINTS),
		 CS_SPAN_INIT("\x30\0\0")},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		read_ext(f, bad[i].oid, bad[i].value);
		assert_found(f, "CSR_EXTENSION", "");
	}
}

static void refuses_a_critical_that_is_no_der(void **state)
{
	static const char *const exts[] = {
		"\x30\x0c\x06\x03\x2a\x03\x04\x01\x01\x01\x04\x02\x05",
		"\x30\x0c\x06\x03\x2a\x03\x04\x01\x01\x00\x04\x02\x05",
	};
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	for (size_t i = 0; i < 2; i++) {
		m.extensions = cs_span_make(exts[i], 14);
		read_csr(f, &m);
		assert_found(f, "CSR_EXTENSION", "X.690");
	}
}

/* -- keys ----------------------------------------------------------------- */

/* An SPKI of these parts into f->more. */
static struct cs_span make_spki(struct fixture *f, struct cs_span alg,
				struct cs_span key)
{
	size_t seq;

	cs_buf_reset(&f->more);
	seq = cs_der_write_begin(&f->more, CS_DER_SEQUENCE);
	cs_der_write(&f->more, CS_DER_SEQUENCE, alg);
	cs_der_write_bit_string_octets(&f->more, key);
	cs_der_write_end(&f->more, seq);
	return cs_buf_span(&f->more);
}

static void read_key(struct fixture *f, struct cs_span alg, struct cs_span key)
{
	struct csr_maker m = {.key = f->ec, .spki = make_spki(f, alg, key)};

	read_csr(f, &m);
}

#define ALG_P256 "\x06\x07" CS_OID_EC_PUBLIC_KEY "\x06\x08" CS_OID_P256
#define ALG_P521 "\x06\x07" CS_OID_EC_PUBLIC_KEY "\x06\x05" CS_OID_P521
#define ALG_RSA	 "\x06\x09" CS_OID_RSA "\x05\0"

static void refuses_ec_keys_in_other_forms(void **state)
{
	struct fixture *f = *state;
	uint8_t point[133] = {0x04};

	/* Not on the curve. */
	read_key(f, CS_SPAN_LIT(ALG_P256), cs_span_make(point, 65));
	assert_found(f, "CSR_KEY", "SEC 1 2.3.4");
	/* The point at infinity, a compressed one, a short one. */
	read_key(f, CS_SPAN_LIT(ALG_P256), CS_SPAN_LIT("\0"));
	assert_found(f, "CSR_KEY", "RFC 5480 2.2");
	point[0] = 0x02;
	read_key(f, CS_SPAN_LIT(ALG_P256), cs_span_make(point, 33));
	assert_found(f, "CSR_KEY", "RFC 5480 2.2");
	point[0] = 0x04;
	read_key(f, CS_SPAN_LIT(ALG_P256), cs_span_make(point, 64));
	assert_found(f, "CSR_KEY", "RFC 5480 2.2");
	read_key(f, CS_SPAN_LIT(ALG_P521), cs_span_make(point, 133));
	assert_found(f, "CSR_KEY", "P-521");
	/* Explicit parameters, implicit ones, none. */
	read_key(f, CS_SPAN_LIT("\x06\x07" CS_OID_EC_PUBLIC_KEY "\x30\0"),
		 cs_span_make(point, 65));
	assert_found(f, "CSR_KEY", "named curve");
	read_key(f, CS_SPAN_LIT("\x06\x07" CS_OID_EC_PUBLIC_KEY "\x05\0"),
		 cs_span_make(point, 65));
	assert_found(f, "CSR_KEY", "named curve");
	read_key(f, CS_SPAN_LIT("\x06\x07" CS_OID_EC_PUBLIC_KEY),
		 cs_span_make(point, 65));
	assert_found(f, "CSR_KEY", "named curve");
}

/* An RSAPublicKey with a modulus of `octets` octets and this exponent. */
static void read_rsa(struct fixture *f, size_t octets, uint8_t last,
		     struct cs_span exponent)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf key;
	uint8_t modulus[2048];
	size_t seq;

	memset(modulus, 0xc3, sizeof(modulus));
	modulus[octets - 1] = last;
	cs_buf_init(&key, 10000);
	seq = cs_der_write_begin(&key, CS_DER_SEQUENCE);
	cs_der_write_uint_octets(&key, cs_span_make(modulus, octets));
	cs_der_write_uint_octets(&key, exponent);
	cs_der_write_end(&key, seq);
	read_key(f, CS_SPAN_LIT(ALG_RSA), cs_buf_span(&key));
}

static void refuses_rsa_keys_by_size_before_any_mathematics(void **state)
{
	const struct cs_span e = CS_SPAN_LIT("\x01\0\x01");
	struct fixture *f = *state;
	uint8_t huge[375];

	memset(huge, 0xff, sizeof(huge));
	read_rsa(f, 128, 0xc3, e);
	assert_found(f, "CSR_KEY", "1024 bits");
	read_rsa(f, 255, 0xc3, e);
	assert_found(f, "CSR_KEY", "2040 bits");
	read_rsa(f, 2048, 0xc3, e);
	assert_found(f, "CSR_KEY", "16384 bits");
	read_rsa(f, 256, 0xc2, e);
	assert_found(f, "CSR_KEY", "even");
	read_rsa(f, 384, 0xc3, cs_span_make(huge, sizeof(huge)));
	assert_found(f, "CSR_KEY", "exponent");
	read_rsa(f, 256, 0xc3, CS_SPAN_LIT("\x01"));
	assert_found(f, "CSR_KEY", "exponent");
	read_rsa(f, 256, 0xc3, CS_SPAN_LIT("\x03"));
	assert_found(f, "CSR_KEY", "exponent");
	read_rsa(f, 256, 0xc3, CS_SPAN_LIT("\x01\0\x02"));
	assert_found(f, "CSR_KEY", "exponent");
	read_rsa(f, 256, 0xc3, CS_SPAN_LIT("\x01\0\0\0\x01"));
	assert_found(f, "CSR_KEY", "exponent");
}

static void refuses_malformed_and_unknown_keys(void **state)
{
	struct fixture *f = *state;

	read_key(f, CS_SPAN_LIT(ALG_RSA), CS_SPAN_LIT("\x30\0"));
	assert_found(f, "CSR_KEY", "");
	read_key(f, CS_SPAN_LIT(ALG_RSA),
		 CS_SPAN_LIT("\x30\x06\x02\x01\xff\x02\x01\x03"));
	assert_found(f, "CSR_KEY", "negative");
	read_key(f, CS_SPAN_LIT("\x06\x09" CS_OID_RSA),
		 CS_SPAN_LIT("\x30\x06\x02\x01\x7f\x02\x01\x03"));
	assert_found(f, "CSR_KEY", "RFC 3279");
	read_key(f, CS_SPAN_LIT("\x06\x03" CS_OID_ED25519), CS_SPAN_LIT("abc"));
	assert_found(f, "CSR_KEY", "RFC 8032");
	read_key(f, CS_SPAN_LIT("\x06\x03" CS_OID_ED25519 "\x05\0"),
		 CS_SPAN_LIT("abc"));
	assert_found(f, "CSR_KEY", "RFC 8410");
	/* DSA (1.2.840.10040.4.1). */
	read_key(f, CS_SPAN_LIT("\x06\x07\x2a\x86\x48\xce\x38\x04\x01"),
		 CS_SPAN_LIT("\x02\x01\x01"));
	assert_found(f, "CSR_KEY", "none of EC, RSA and Ed25519");
}

/* -- signatures ----------------------------------------------------------- */

static void refuses_a_signature_that_does_not_verify(void **state)
{
	struct fixture *f = *state;
	const struct csr_maker all[] = {
		{.key = f->ec, .break_signature = true},
		{.key = f->rsa,
		 .alg = CS_SIG_RSA_SHA256,
		 .break_signature = true},
		{.key = f->ed, .alg = CS_SIG_ED25519, .break_signature = true},
	};
	struct csr_maker other = {.key = f->ec};
	struct cs_buf spki;

	for (size_t i = 0; i < 3; i++) {
		csr_make(&all[i], &f->der);
		read_der(f);
		assert_int_not_equal(f->findings.n, 0);
	}
	/* Somebody else's key. */
	cs_buf_init(&spki, 1000);
	assert_true(cs_key_spki(f->p384, &spki, NULL));
	other.spki = cs_buf_span(&spki);
	read_csr(f, &other);
	assert_found(f, "CSR_SIGNATURE", "RFC 2986 3");
	cs_buf_done(&spki);
}

static void refuses_weak_and_unknown_signature_algorithms(void **state)
{
	static const struct cs_span algs[] = {
		/* ecdsa-with-SHA1, sha1WithRSA, md5WithRSA, RSASSA-PSS */
		CS_SPAN_INIT("\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"),
		CS_SPAN_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
			     "\x05\x05\0"),
		CS_SPAN_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
			     "\x04\x05\0"),
		CS_SPAN_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
			     "\x0a\x30\0"),
		/* sha256WithRSA without NULL, ecdsa-with-SHA256 with it */
		CS_SPAN_INIT("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
			     "\x0b"),
		CS_SPAN_INIT("\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
			     "\x05\0"),
	};
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		m.sig_alg = algs[i];
		read_csr(f, &m);
		assert_found(f, "CSR_ALGORITHM", "");
	}
	m.sig_alg = cs_sigalg_der(CS_SIG_RSA_SHA256);
	read_csr(f, &m);
	assert_found(f, "CSR_ALGORITHM", "does not belong to the key");
}

/* -- noise ---------------------------------------------------------------- */

/* Every single-octet change of a good CSR is refused, and nothing breaks. */
static void refuses_every_changed_octet(void **state)
{
	struct fixture *f = *state;
	struct csr_maker m = {.key = f->ec};
	size_t n;

	csr_make(&m, &f->der);
	n = f->der.n;
	for (size_t i = 0; i < n; i++) {
		for (unsigned bit = 0; bit < 8; bit += 3) {
			f->der.p[i] ^= (uint8_t)(1u << bit);
			read_der(f);
			assert_int_not_equal(f->findings.n, 0);
			f->der.p[i] ^= (uint8_t)(1u << bit);
		}
	}
	read_der(f);
	assert_accepted(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_a_csr_asks_for),
		cmocka_unit_test(accepts_every_kind_of_key_and_digest),
		cmocka_unit_test(accepts_empty_attributes),
		cmocka_unit_test(accepts_an_empty_subject),
		cmocka_unit_test(normalises_names_and_says_so),
		cmocka_unit_test(reads_every_kind_of_name),
		cmocka_unit_test(reads_usages_and_lists_other_extensions),
		cmocka_unit_test(refuses_octets_behind_the_end),
		cmocka_unit_test(refuses_every_cut),
		cmocka_unit_test(refuses_indefinite_and_long_lengths),
		cmocka_unit_test(refuses_what_is_too_large),
		cmocka_unit_test(refuses_other_versions),
		cmocka_unit_test(refuses_missing_attributes),
		cmocka_unit_test(refuses_nul_and_controls_in_a_subject),
		cmocka_unit_test(refuses_other_string_types),
		cmocka_unit_test(refuses_octets_that_the_string_type_lacks),
		cmocka_unit_test(refuses_values_beyond_their_upper_bounds),
		cmocka_unit_test(refuses_names_of_several_attributes),
		cmocka_unit_test(refuses_more_relative_names_than_its_maximum),
		cmocka_unit_test(refuses_names_that_are_none),
		cmocka_unit_test(refuses_an_empty_list_of_names),
		cmocka_unit_test(refuses_the_same_name_twice),
		cmocka_unit_test(refuses_more_names_than_its_maximum),
		cmocka_unit_test(tells_every_bad_name_at_once),
		cmocka_unit_test(refuses_two_extension_requests),
		cmocka_unit_test(refuses_other_attributes),
		cmocka_unit_test(refuses_an_extension_twice),
		cmocka_unit_test(refuses_malformed_extensions),
		cmocka_unit_test(refuses_a_critical_that_is_no_der),
		cmocka_unit_test(refuses_ec_keys_in_other_forms),
		cmocka_unit_test(
			refuses_rsa_keys_by_size_before_any_mathematics),
		cmocka_unit_test(refuses_malformed_and_unknown_keys),
		cmocka_unit_test(refuses_a_signature_that_does_not_verify),
		cmocka_unit_test(refuses_weak_and_unknown_signature_algorithms),
		cmocka_unit_test(refuses_every_changed_octet),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/csr", tests, set_up,
					    tear_down));
}
