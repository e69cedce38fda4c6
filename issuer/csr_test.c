#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "issuer/oids.h"
#include "policy/attribute.h"
#include <tests/lib/csr_fixture.h>

/* -- accepted ------------------------------------------------------------- */

static void reads_what_a_csr_asks_for(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	csr_read_made(f, &m);
	csr_assert_accepted(f);
	assert_int_equal(f->facts.subject_n, 1);
	csr_assert_span(f->facts.subject[0].value, "web.corp.example");
	assert_int_equal(f->facts.names_n, 1);
	assert_int_equal(f->facts.names[0].kind, CS_NAME_DNS);
	csr_assert_span(f->facts.names[0].canonical, "web.corp.example");
	assert_false(f->facts.names[0].normalized);
	assert_int_equal(f->facts.key.alg, CS_KEY_EC);
	assert_int_equal(f->facts.key.bits, 256);
	assert_int_equal(f->facts.key.key.n, 65);
}

static void accepts_every_kind_of_key_and_digest(void **state)
{
	struct csr_fixture *f = *state;
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
		csr_read_made(f, &all[i]);
		csr_assert_accepted(f);
	}
}

static void accepts_empty_attributes(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec, .no_extensions = true};

	csr_read_made(f, &m);
	csr_assert_accepted(f);
	assert_int_equal(f->facts.names_n, 0);
}

static void accepts_an_empty_subject(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec, .subject = CS_SPAN_LIT("\x30\0")};

	csr_read_made(f, &m);
	csr_assert_accepted(f);
	assert_int_equal(f->facts.subject_n, 0);
}

static void normalises_names_and_says_so(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_ext_san(&f->parts, CS_DER_CONTEXT(2),
		    CS_SPAN_LIT("WEB.corp.example"));
	m.extensions = cs_buf_span(&f->parts);
	csr_read_made(f, &m);
	csr_assert_accepted(f);
	assert_true(f->facts.names[0].normalized);
	csr_assert_span(f->facts.names[0].asked, "WEB.corp.example");
	csr_assert_span(f->facts.names[0].content, "web.corp.example");
}

/* Every kind of GeneralName that becomes a fact. */
static void reads_every_kind_of_name(void **state)
{
	struct csr_fixture *f = *state;
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
	csr_read_made(f, &m);
	csr_assert_accepted(f);
	assert_int_equal(f->facts.names_n, 6);
	assert_true(f->facts.san_critical);
	csr_assert_span(f->facts.names[1].canonical, "10.0.0.1");
	csr_assert_span(f->facts.names[2].canonical, "spiffe://td.example/a");
	csr_assert_span(f->facts.names[3].canonical, "a@b.example");
	assert_int_equal(f->facts.names[4].kind, CS_NAME_OTHER);
	csr_assert_span(f->facts.names[4].content, "\x0c\x06u@corp");
	assert_int_equal(f->facts.names[5].kind, CS_NAME_REGISTERED_ID);
}

static void reads_usages_and_lists_other_extensions(void **state)
{
	struct csr_fixture *f = *state;
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
	csr_read_made(f, &m);
	csr_assert_accepted(f);
	assert_int_equal(f->facts.key_usage,
			 CS_KU_DIGITAL_SIGNATURE | CS_KU_KEY_ENCIPHERMENT);
	assert_true(f->facts.key_usage_critical);
	assert_int_equal(f->facts.ext_key_usage_n, 1);
	assert_true(f->facts.ca);
	assert_int_equal(f->facts.path_len, 3);
	assert_int_equal(f->facts.extensions_n, 1);
	csr_assert_span(f->facts.extensions[0].oid, "\x2a\x03\x04");
}

/* -- structure ------------------------------------------------------------ */

static void refuses_octets_behind_the_end(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	csr_make(&m, &f->der);
	cs_buf_add_byte(&f->der, 0);
	csr_read_der(f);
	csr_assert_found(f, "CSR_MALFORMED", "");
}

static void refuses_every_cut(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	csr_make(&m, &f->der);
	while (f->der.n > 0) {
		cs_buf_truncate(&f->der, f->der.n - 1);
		csr_read_der(f);
		assert_int_not_equal(f->findings.n, 0);
	}
}

static void refuses_indefinite_and_long_lengths(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	csr_make(&m, &f->der);
	assert_int_equal(f->der.p[1], 0x82);
	f->der.p[1] = 0x80;
	csr_read_der(f);
	csr_assert_found(f, "CSR_MALFORMED", "X.690");
	csr_make(&m, &f->der);
	f->der.p[1] = 0x83;
	cs_buf_insert(&f->der, 2, CS_SPAN_LIT("\0"));
	csr_read_der(f);
	csr_assert_found(f, "CSR_MALFORMED", "X.690");
}

static void refuses_what_is_too_large(void **state)
{
	struct csr_fixture *f = *state;

	cs_buf_reset(&f->der);
	cs_buf_extend(&f->der, CS_MAX_CSR_DER + 1);
	csr_read_der(f);
	csr_assert_found(f, "CSR_TOO_LARGE", "16384");
}

static void refuses_other_versions(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec, .version = CS_SPAN_LIT("\x05")};

	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_MALFORMED", "RFC 2986 4.1");
	m.version = CS_SPAN_LIT("\xff");
	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_MALFORMED", "RFC 2986 4.1");
	m.version = CS_SPAN_LIT("\0\0");
	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_MALFORMED", "X.690 8.3.2");
}

static void refuses_missing_attributes(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec, .no_attributes = true};

	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_MALFORMED", "RFC 2986 4.1: attributes");
}

/* -- subject -------------------------------------------------------------- */

/* A CSR whose subject is one attribute. */
static void read_subject(struct csr_fixture *f, struct cs_span oid, uint8_t tag,
			 struct cs_span value)
{
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	cs_buf_reset(&f->more);
	csr_rdn(&f->parts, oid, tag, value);
	csr_name(&f->more, cs_buf_span(&f->parts));
	m.subject = cs_buf_span(&f->more);
	csr_read_made(f, &m);
}

static void refuses_nul_and_controls_in_a_subject(void **state)
{
	struct csr_fixture *f = *state;
	struct cs_span cn = CS_SPAN_LIT(CS_OID_COMMON_NAME);

	read_subject(f, cn, CS_DER_UTF8_STRING,
		     CS_SPAN_LIT("good.example\0.evil"));
	csr_assert_found(f, "CSR_SUBJECT", "control");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("a\r\nb"));
	csr_assert_found(f, "CSR_SUBJECT", "control");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("a\xc2\x85"));
	csr_assert_found(f, "CSR_SUBJECT", "control");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("a\xe2\x80\xae"));
	csr_assert_found(f, "CSR_SUBJECT", "control");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("M\xc3\xbcller"));
	csr_assert_accepted(f);
}

static void refuses_other_string_types(void **state)
{
	static const uint8_t tags[] = {
		CS_DER_T61_STRING, CS_DER_BMP_STRING, CS_DER_UNIVERSAL_STRING,
		CS_DER_IA5_STRING, CS_DER_NUMERIC_STRING};
	struct csr_fixture *f = *state;

	for (size_t i = 0; i < sizeof(tags); i++) {
		read_subject(f, CS_SPAN_LIT(CS_OID_COMMON_NAME), tags[i],
			     CS_SPAN_LIT("1234"));
		csr_assert_found(f, "CSR_SUBJECT", "RFC 5280 4.1.2.4");
	}
	read_subject(f, CS_SPAN_LIT(CS_OID_EMAIL_ADDRESS), CS_DER_IA5_STRING,
		     CS_SPAN_LIT("a@b.example"));
	csr_assert_accepted(f);
}

static void refuses_octets_that_the_string_type_lacks(void **state)
{
	struct csr_fixture *f = *state;
	struct cs_span cn = CS_SPAN_LIT(CS_OID_COMMON_NAME);

	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("a\xff"));
	csr_assert_found(f, "CSR_SUBJECT", "X.680");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT("\xc0\xaf"));
	csr_assert_found(f, "CSR_SUBJECT", "X.680");
	read_subject(f, cn, CS_DER_PRINTABLE_STRING, CS_SPAN_LIT("a_b"));
	csr_assert_found(f, "CSR_SUBJECT", "X.680");
	read_subject(f, cn, CS_DER_UTF8_STRING, CS_SPAN_LIT(""));
	csr_assert_found(f, "CSR_SUBJECT", "empty");
}

static void refuses_values_beyond_their_upper_bounds(void **state)
{
	struct csr_fixture *f = *state;
	char text[200];

	memset(text, 'a', sizeof(text));
	read_subject(f, CS_SPAN_LIT(CS_OID_COMMON_NAME), CS_DER_UTF8_STRING,
		     cs_span_make(text, 64));
	csr_assert_accepted(f);
	read_subject(f, CS_SPAN_LIT(CS_OID_COMMON_NAME), CS_DER_UTF8_STRING,
		     cs_span_make(text, 65));
	csr_assert_found(f, "CSR_SUBJECT", "RFC 5280 A.1");
	read_subject(f, CS_SPAN_LIT(CS_OID_LOCALITY), CS_DER_UTF8_STRING,
		     cs_span_make(text, 128));
	csr_assert_accepted(f);
	read_subject(f, CS_SPAN_LIT(CS_OID_COUNTRY), CS_DER_PRINTABLE_STRING,
		     CS_SPAN_LIT("DEU"));
	csr_assert_found(f, "CSR_SUBJECT", "at most 2");
}

static void refuses_names_of_several_attributes(void **state)
{
	struct csr_fixture *f = *state;
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
	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_SUBJECT", "more than one");
}

static void refuses_more_relative_names_than_its_maximum(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	cs_buf_reset(&f->more);
	for (int i = 0; i < CS_MAX_RDNS + 1; i++)
		csr_rdn(&f->parts, CS_SPAN_LIT(CS_OID_ORGANIZATIONAL_UNIT),
			CS_DER_UTF8_STRING, CS_SPAN_LIT("x"));
	csr_name(&f->more, cs_buf_span(&f->parts));
	m.subject = cs_buf_span(&f->more);
	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_SUBJECT", "16");
}

/* Each attribute that has a name, at its bound and beyond it. */
static void attributes_have_the_bounds_and_names_that_policies_know(
	void **state)
{
	struct csr_fixture *f = *state;
	const struct cs_attribute *a;
	char text[200], field[80];

	for (size_t i = 0; (a = cs_attribute_at(i)) != NULL; i++) {
		memset(text, 'A', sizeof(text));
		read_subject(f, a->oid, CS_DER_UTF8_STRING,
			     cs_span_make(text, a->max));
		csr_assert_accepted(f);
		read_subject(f, a->oid, CS_DER_UTF8_STRING,
			     cs_span_make(text, a->max + 1));
		csr_assert_found(f, "CSR_SUBJECT", "RFC 5280 A.1");
		(void)snprintf(field, sizeof(field), "subject.%s[0]", a->name);
		assert_true(
			cs_span_equal_str(f->findings.items[0].field, field));
	}
	read_subject(f, CS_SPAN_LIT(CS_OID_COUNTRY), CS_DER_UTF8_STRING,
		     CS_SPAN_LIT("D"));
	csr_assert_found(f, "CSR_SUBJECT", "two letters");
	read_subject(f, CS_SPAN_LIT(CS_OID_COUNTRY), CS_DER_UTF8_STRING,
		     CS_SPAN_LIT("\xc3\x84\xc3\x96"));
	csr_assert_found(f, "CSR_SUBJECT", "type PrintableString");
	read_subject(f, CS_SPAN_LIT(CS_OID_SERIAL_NUMBER), CS_DER_UTF8_STRING,
		     CS_SPAN_LIT("a@b"));
	csr_assert_found(f, "CSR_SUBJECT", "type PrintableString");
	read_subject(f, CS_SPAN_LIT(CS_OID_EMAIL_ADDRESS), CS_DER_UTF8_STRING,
		     CS_SPAN_LIT("\xc3\xa4@b.example"));
	csr_assert_found(f, "CSR_SUBJECT", "type IA5String");
}

/* -- names ---------------------------------------------------------------- */

static void read_san(struct csr_fixture *f, uint8_t tag, struct cs_span content)
{
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_ext_san(&f->parts, tag, content);
	m.extensions = cs_buf_span(&f->parts);
	csr_read_made(f, &m);
}

static void directory_names_and_ids_are_facts_with_a_text(void **state)
{
	struct csr_fixture *f = *state;
	struct cs_span two = CS_SPAN_LIT("\x30\x18\x31\x16"
					 "\x30\x09\x06\x03\x55\x04\x03\x0c"
					 "\x02xy\x30\x09\x06\x03\x55\x04"
					 "\x0a\x0c\x02"
					 "ab");

	cs_buf_reset(&f->parts);
	cs_buf_reset(&f->more);
	csr_rdn(&f->parts, CS_SPAN_LIT(CS_OID_ORGANIZATION),
		CS_DER_PRINTABLE_STRING, CS_SPAN_LIT("Example Corp"));
	csr_rdn(&f->parts, CS_SPAN_LIT(CS_OID_COMMON_NAME), CS_DER_UTF8_STRING,
		CS_SPAN_LIT("a,b"));
	csr_name(&f->more, cs_buf_span(&f->parts));
	read_san(f, CS_DER_CONTEXT_CONSTRUCTED(4), cs_buf_span(&f->more));
	csr_assert_accepted(f);
	assert_int_equal(f->facts.names[0].kind, CS_NAME_DIRECTORY);
	csr_assert_span(f->facts.names[0].canonical, "CN=a\\,b,O=example corp");
	/* It is issued as it was asked for. */
	assert_true(cs_span_equal(f->facts.names[0].content,
				  cs_buf_span(&f->more)));
	assert_false(f->facts.names[0].normalized);
	read_san(f, CS_DER_CONTEXT(8), CS_SPAN_LIT("\x2a\x03\x04"));
	csr_assert_accepted(f);
	csr_assert_span(f->facts.names[0].canonical, "1.2.3.4");
	/* Two attributes in one relative name; an empty one; a BMPString. */
	read_san(f, CS_DER_CONTEXT_CONSTRUCTED(4), two);
	csr_assert_found(f, "CSR_SAN", "RelativeDistinguishedName");
	read_san(f, CS_DER_CONTEXT_CONSTRUCTED(4), CS_SPAN_LIT("\x30\0"));
	csr_assert_found(f, "CSR_SAN", "an empty directory name");
	read_san(f, CS_DER_CONTEXT_CONSTRUCTED(4),
		 CS_SPAN_LIT("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03"
			     "\x1e\x02\0a"));
	csr_assert_found(f, "CSR_SAN", "string type 0x1e");
	read_san(f, CS_DER_CONTEXT(8), CS_SPAN_LIT("\x2a\x80\x01"));
	csr_assert_found(f, "CSR_SAN", "");
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
	struct csr_fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		read_san(f, bad[i].tag, bad[i].content);
		csr_assert_found(f, "CSR_SAN", "");
	}
}

static void refuses_an_empty_list_of_names(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_ext(&f->parts, CS_SPAN_LIT(CS_OID_SUBJECT_ALT_NAME), false,
		CS_SPAN_LIT("\x30\0"));
	m.extensions = cs_buf_span(&f->parts);
	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_SAN", "RFC 5280 4.2.1.6");
}

static void refuses_the_same_name_twice(void **state)
{
	struct csr_fixture *f = *state;
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
	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_DUPLICATE", "san.dns[1]");
}

static void refuses_more_names_than_its_maximum(void **state)
{
	struct csr_fixture *f = *state;
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
	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_SAN", "100");
}

static void tells_every_bad_name_at_once(void **state)
{
	struct csr_fixture *f = *state;
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
	csr_read_made(f, &m);
	assert_int_equal(f->findings.n, 3);
}

/* -- attributes and extensions -------------------------------------------- */

static void refuses_two_extension_requests(void **state)
{
	struct csr_fixture *f = *state;
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
	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_DUPLICATE", "RFC 2985 5.4.2");
}

/* A CSR with one attribute of this kind. */
static void read_attribute(struct csr_fixture *f, struct cs_span oid,
			   struct cs_span value)
{
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_attribute(&f->parts, oid, value);
	m.attributes = cs_buf_span(&f->parts);
	csr_read_made(f, &m);
}

static void refuses_other_attributes(void **state)
{
	struct csr_fixture *f = *state;

	read_attribute(f, CS_SPAN_LIT(CS_OID_MS_EXTENSION_REQUEST),
		       CS_SPAN_LIT("\x30\0"));
	csr_assert_found(f, "CSR_ATTRIBUTE", "Microsoft");
	read_attribute(f, CS_SPAN_LIT(CS_OID_CHALLENGE_PASSWORD),
		       CS_SPAN_LIT("\x0c\x03"
				   "abc"));
	csr_assert_found(f, "CSR_ATTRIBUTE", "RFC 2985 5.4.1");
	read_attribute(f, CS_SPAN_LIT("\x2a\x03\x04"), CS_SPAN_LIT("\x05\0"));
	csr_assert_found(f, "CSR_ATTRIBUTE", "1.2.3.4");
	/* Two values in one extensionRequest, and none. */
	read_attribute(f, CS_SPAN_LIT(CS_OID_EXTENSION_REQUEST),
		       CS_SPAN_LIT("\x30\0\x30\0"));
	csr_assert_found(f, "CSR_EXTENSION", "");
	read_attribute(f, CS_SPAN_LIT(CS_OID_EXTENSION_REQUEST),
		       CS_SPAN_LIT(""));
	csr_assert_found(f, "CSR_EXTENSION", "");
}

static void refuses_an_extension_twice(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_ext_san(&f->parts, CS_DER_CONTEXT(2), CS_SPAN_LIT("a.example"));
	csr_ext_san(&f->parts, CS_DER_CONTEXT(2), CS_SPAN_LIT("b.example"));
	m.extensions = cs_buf_span(&f->parts);
	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_DUPLICATE", "2.5.29.17");
}

static void read_ext(struct csr_fixture *f, struct cs_span oid,
		     struct cs_span value)
{
	struct csr_maker m = {.key = f->ec};

	cs_buf_reset(&f->parts);
	csr_ext(&f->parts, oid, true, value);
	m.extensions = cs_buf_span(&f->parts);
	csr_read_made(f, &m);
}

static void refuses_an_other_name_with_noise_inside(void **state)
{
	/* A SEQUENCE that holds a cut element; a second value. */
	static const char *const values[] = {
		"\x06\x03\x2a\x03\x04\xa0\x04\x30\x02\x05\x05",
		"\x06\x03\x2a\x03\x04\xa0\x04\x05\x00\x05\x00",
	};
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	for (size_t i = 0; i < 2; i++) {
		cs_buf_reset(&f->parts);
		csr_ext_san(&f->parts, CS_DER_CONTEXT_CONSTRUCTED(0),
			    cs_span_make(values[i], 11));
		m.extensions = cs_buf_span(&f->parts);
		csr_read_made(f, &m);
		csr_assert_found(f, "CSR_SAN", "X.690");
	}
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
	struct csr_fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		read_ext(f, bad[i].oid, bad[i].value);
		csr_assert_found(f, "CSR_EXTENSION", "");
	}
}

static void refuses_a_critical_that_is_no_der(void **state)
{
	static const char *const exts[] = {
		"\x30\x0c\x06\x03\x2a\x03\x04\x01\x01\x01\x04\x02\x05",
		"\x30\x0c\x06\x03\x2a\x03\x04\x01\x01\x00\x04\x02\x05",
	};
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	for (size_t i = 0; i < 2; i++) {
		m.extensions = cs_span_make(exts[i], 14);
		csr_read_made(f, &m);
		csr_assert_found(f, "CSR_EXTENSION", "X.690");
	}
}

/* -- noise ---------------------------------------------------------------- */

/* Every single-octet change of a good CSR is refused, and nothing breaks. */
static void refuses_every_changed_octet(void **state)
{
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};
	size_t n;

	csr_make(&m, &f->der);
	n = f->der.n;
	for (size_t i = 0; i < n; i++) {
		for (unsigned bit = 0; bit < 8; bit += 3) {
			f->der.p[i] ^= (uint8_t)(1u << bit);
			csr_read_der(f);
			assert_int_not_equal(f->findings.n, 0);
			f->der.p[i] ^= (uint8_t)(1u << bit);
		}
	}
	csr_read_der(f);
	csr_assert_accepted(f);
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
		cmocka_unit_test(
			attributes_have_the_bounds_and_names_that_policies_know),
		cmocka_unit_test(directory_names_and_ids_are_facts_with_a_text),
		cmocka_unit_test(refuses_names_that_are_none),
		cmocka_unit_test(refuses_an_empty_list_of_names),
		cmocka_unit_test(refuses_the_same_name_twice),
		cmocka_unit_test(refuses_more_names_than_its_maximum),
		cmocka_unit_test(tells_every_bad_name_at_once),
		cmocka_unit_test(refuses_two_extension_requests),
		cmocka_unit_test(refuses_other_attributes),
		cmocka_unit_test(refuses_an_extension_twice),
		cmocka_unit_test(refuses_an_other_name_with_noise_inside),
		cmocka_unit_test(refuses_malformed_extensions),
		cmocka_unit_test(refuses_a_critical_that_is_no_der),
		cmocka_unit_test(refuses_every_changed_octet),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/csr", tests, csr_set_up,
					    csr_tear_down));
}
