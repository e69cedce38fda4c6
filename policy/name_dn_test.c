#include <tests/lib/test.h>

#include <string.h>

#include "base/buf.h"
#include "base/der.h"
#include "policy/name.h"

/* One attribute of a name: type, tag and value. */
struct attr {
	const char *oid;
	uint8_t tag;
	const char *value;
};

#define CN	"\x55\x04\x03"
#define O	"\x55\x04\x0a"
#define OU	"\x55\x04\x0b"
#define EMAIL	"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"
#define UNKNOWN "\x2a\x03\x04"

/* A Name; `together`: all attributes in one RDN. */
static void write_name(const struct attr *attrs, size_t n, size_t together,
		       struct cs_buf *out)
{
	size_t name = cs_der_write_begin(out, CS_DER_SEQUENCE);
	size_t rdn = 0, seq;

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || i >= together)
			rdn = cs_der_write_begin(out, CS_DER_SET);
		seq = cs_der_write_begin(out, CS_DER_SEQUENCE);
		cs_der_write(out, CS_DER_OID, cs_span_str(attrs[i].oid));
		cs_der_write(out, attrs[i].tag, cs_span_str(attrs[i].value));
		cs_der_write_end(out, seq);
		if (i + 1 >= together)
			cs_der_write_end(out, rdn);
	}
	cs_der_write_end(out, name);
	assert_true(cs_buf_ok(out));
}

/* The canonical text of a Name; NULL: it must be refused. */
static void expect(const struct attr *attrs, size_t n, size_t together,
		   const char *want)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	struct cs_error err = {0};
	struct cs_span text = {0};
	struct cs_arena arena;
	bool ok;

	cs_buf_init(&der, 65536);
	cs_arena_init(&arena, 1000000);
	write_name(attrs, n, together, &der);
	ok = cs_name_dn(cs_buf_span(&der), &arena, &text, &err);
	if (ok != (want != NULL))
		fail_msg("%s: %.*s %s", want != NULL ? want : "refused",
			 CS_SPAN_FMT(text), err.text);
	if (ok && !cs_span_equal_str(text, want))
		fail_msg("%.*s, not %s", CS_SPAN_FMT(text), want);
	if (!ok)
		assert_true(err.text[0] != '\0');
	cs_arena_done(&arena);
}

/* A text's canonical form; NULL: it must be refused. */
static void expect_text(const char *text, const char *foreign, const char *want,
			const char *words)
{
	uint8_t flags[256] = {0};
	struct cs_error err = {0};
	struct cs_span out = {0};
	struct cs_arena arena;
	bool ok;

	for (size_t i = 0; foreign != NULL && foreign[i] != '\0'; i++)
		flags[i] = foreign[i] == '^';
	cs_arena_init(&arena, 1000000);
	ok = cs_name_dn_text(cs_span_str(text), foreign != NULL ? flags : NULL,
			     &arena, &out, &err);
	if (ok != (want != NULL))
		fail_msg("%s: %.*s %s", text, CS_SPAN_FMT(out), err.text);
	if (ok && !cs_span_equal_str(out, want))
		fail_msg("%s: %.*s, not %s", text, CS_SPAN_FMT(out), want);
	if (!ok && strstr(err.text, words) == NULL)
		fail_msg("%s: %s", text, err.text);
	cs_arena_done(&arena);
}

static void a_name_is_written_from_its_end(void **state)
{
	static const struct attr attrs[] = {
		{O, CS_DER_PRINTABLE_STRING, "Example  Corp "},
		{OU, CS_DER_UTF8_STRING, "M\xc3\x84rz, A+B #1"},
		{CN, CS_DER_UTF8_STRING, "#WWW"},
		{EMAIL, CS_DER_IA5_STRING, "Root@Corp.example"},
		{UNKNOWN, CS_DER_UTF8_STRING, "Xy"},
	};

	(void)state;
	expect(attrs, 1, 0, "O=example corp");
	expect(attrs, 5, 0,
	       "1.2.3.4=#0c027879,emailAddress=root@corp.example,"
	       "CN=\\#www,OU=m\xc3\x84rz\\, a\\+b #1,O=example corp");
}

static void what_readers_do_not_agree_on_is_refused(void **state)
{
	static const struct attr bad[] = {
		{CN, 0x1e, "ab"},
		{CN, 0x14, "ab"},
		{CN, CS_DER_UTF8_STRING, ""},
		{CN, CS_DER_UTF8_STRING, "  "},
		{CN, CS_DER_UTF8_STRING, "a\nb"},
		{CN, CS_DER_UTF8_STRING, "a\xff"},
		{CN, CS_DER_UTF8_STRING, "a\xe2\x80\xae"},
		{CN, CS_DER_PRINTABLE_STRING, "a\xc3\xa4"},
		{"\x55\x80", CS_DER_UTF8_STRING, "a"},
	};
	struct attr many[17];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(&bad[i], 1, 0, NULL);
	expect(bad, 0, 0, NULL);
	for (size_t i = 0; i < 17; i++)
		many[i] = (struct attr){CN, CS_DER_UTF8_STRING, "a"};
	expect(many, 16, 0,
	       "CN=a,CN=a,CN=a,CN=a,CN=a,CN=a,CN=a,CN=a,CN=a,CN=a,CN=a,CN=a,"
	       "CN=a,CN=a,CN=a,CN=a");
	expect(many, 17, 0, NULL);
	/* Two attributes in one relative name. */
	expect(many, 2, 2, NULL);
}

static void a_text_has_one_canonical_form(void **state)
{
	(void)state;
	expect_text("CN=www,O=Example Corp", NULL, "CN=www,O=example corp", "");
	expect_text("cn=WWW, o=Example  corp ", NULL, "CN=www,O=example corp",
		    "");
	expect_text("commonName=www,organization=x", NULL, "CN=www,O=x", "");
	expect_text("2.5.4.3=www", NULL, "CN=www", "");
	expect_text("1.2.3.4=Xy", NULL, "1.2.3.4=#0c027879", "");
	expect_text("1.2.3.4=#13025879", NULL, "1.2.3.4=#0c027879", "");
	expect_text("CN=#0c03414243", NULL, "CN=abc", "");
	expect_text("CN=a\\,b\\+c\\\\d\\\"e\\20\\C3\\84", NULL,
		    "CN=a\\,b\\+c\\\\d\\\"e \xc3\x84", "");
	expect_text("CN=\\#a", NULL, "CN=\\#a", "");
	expect_text("CN=a=b", NULL, "CN=a=b", "");
	expect_text("CN=", NULL, NULL, "an empty value");
	expect_text("", NULL, NULL, "TYPE=VALUE is wanted");
	expect_text("www", NULL, NULL, "TYPE=VALUE is wanted");
	expect_text("CN=a,", NULL, NULL, "TYPE=VALUE is wanted");
	expect_text("CN=a,,O=b", NULL, NULL, "`,O` is no attribute's name");
	expect_text("XY=a", NULL, NULL, "`XY` is no attribute's name");
	expect_text("CN=a+O=b", NULL, NULL, "of one attribute");
	expect_text("CN=a;O=b", NULL, NULL, "missing before `;`");
	expect_text("CN=\"a\"", NULL, NULL, "missing before `\"`");
	expect_text("CN=a\\zz", NULL, NULL, "two hexadecimal digits");
	expect_text("CN=a\\", NULL, NULL, "two hexadecimal digits");
	expect_text("CN=a\\ff", NULL, NULL, "no text of one line");
	expect_text("CN=#0c", NULL, NULL, "");
	expect_text("CN=#zz", NULL, NULL, "RFC 4514 2.4");
	expect_text("CN=#1e020041", NULL, NULL, "string type 0x1e");
}

static void what_is_interpolated_is_a_value(void **state)
{
	(void)state;
	expect_text("CN=a,O=b", "   ^^^^^", "CN=a\\,o=b", "");
	expect_text("CN=\\41", "   ^^^", "CN=\\\\41", "");
	expect_text("CN=#0c0141", "   ^^^^^^^", "CN=\\#0c0141", "");
	expect_text("CN=a+b", "    ^", "CN=a\\+b", "");
	expect_text("CN=a", "^^  ", NULL, "TYPE=VALUE is wanted");
	expect_text("CN=a", "  ^ ", NULL, "TYPE=VALUE is wanted");
}

static void an_oid_is_dotted_text(void **state)
{
	struct cs_span text = {0};
	struct cs_arena arena;

	(void)state;
	cs_arena_init(&arena, 100000);
	assert_true(
		cs_name_oid(CS_SPAN_LIT("\x2a\x86\x48"), &arena, &text, NULL));
	assert_true(cs_span_equal_str(text, "1.2.840"));
	assert_false(cs_name_oid(CS_SPAN_LIT(""), &arena, &text, NULL));
	assert_false(
		cs_name_oid(CS_SPAN_LIT("\x2a\x80\x01"), &arena, &text, NULL));
	assert_false(cs_name_oid(CS_SPAN_LIT("\x2a\x86"), &arena, &text, NULL));
	cs_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_written_from_its_end),
		cmocka_unit_test(what_readers_do_not_agree_on_is_refused),
		cmocka_unit_test(a_text_has_one_canonical_form),
		cmocka_unit_test(what_is_interpolated_is_a_value),
		cmocka_unit_test(an_oid_is_dotted_text),
	};

	return cs_test_run("policy/name_dn", tests);
}
