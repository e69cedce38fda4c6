/*
 * Name constraints: what is read, and what they leave. That verifiers agree
 * is feasible_oracle_test.c's.
 */
#include <tests/lib/test.h>

#include <string.h>

#include "base/der.h"
#include "issuer/constraints.h"
#include "issuer/oids.h"

struct fixture {
	struct cs_arena arena;
	struct cs_buf value;
	struct cs_constraints set;
	struct cs_findings findings;
	struct cs_fact_name name;
	struct cs_fact_attr attr;
	struct cs_cert_facts cert;
};

static int set_up(void **state)
{
	static struct fixture f;

	cs_arena_init(&f.arena, 1000000);
	cs_buf_init(&f.value, 100000);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cs_arena_done(&f->arena);
	cs_buf_done(&f->value);
	return 0;
}

/* One list of `n` equal subtrees, what follows the base behind each. */
static void write_list(struct fixture *f, uint8_t list, uint8_t tag,
		       struct cs_span base, struct cs_span rest, int n)
{
	size_t outer = cs_der_write_begin(&f->value, list), one;

	for (int i = 0; i < n; i++) {
		one = cs_der_write_begin(&f->value, CS_DER_SEQUENCE);
		cs_der_write(&f->value, tag, base);
		cs_der_write_raw(&f->value, rest);
		cs_der_write_end(&f->value, one);
	}
	cs_der_write_end(&f->value, outer);
}

/* A value with one list (0: permitted, 1: excluded). */
static void write_value(struct fixture *f, int list, uint8_t tag,
			struct cs_span base, struct cs_span rest, int n)
{
	size_t outer;

	cs_buf_reset(&f->value);
	cs_arena_reset(&f->arena);
	outer = cs_der_write_begin(&f->value, CS_DER_SEQUENCE);
	write_list(f, CS_DER_CONTEXT_CONSTRUCTED((uint8_t)list), tag, base,
		   rest, n);
	cs_der_write_end(&f->value, outer);
}

static bool read_value(struct fixture *f, struct cs_error *err)
{
	return cs_constraints_read(cs_buf_span(&f->value), &f->arena, &f->set,
				   err);
}

static void read_one(struct fixture *f, int list, uint8_t tag, const char *base)
{
	struct cs_error err = {0};

	write_value(f, list, tag, cs_span_str(base), (struct cs_span){0}, 1);
	if (!read_value(f, &err))
		fail_msg("%s: %s", base, err.text);
}

static void refuses(struct fixture *f, const char *words)
{
	struct cs_error err = {0};

	if (read_value(f, &err))
		fail_msg("taken, though: %s", words);
	if (strstr(err.text, words) == NULL)
		fail_msg("%s, not: %s", err.text, words);
}

static void refuses_what_is_malformed(void **state)
{
	static const struct {
		uint8_t tag;
		struct cs_span base;
		const char *words;
	} bad[] = {
		{CS_DER_CONTEXT(2), CS_SPAN_INIT("*.example"), "a wildcard"},
		{CS_DER_CONTEXT(2), CS_SPAN_INIT("a b"), "neither a host"},
		{CS_DER_CONTEXT(2), CS_SPAN_INIT("example."), "neither"},
		{CS_DER_CONTEXT(2), CS_SPAN_INIT("."), "neither"},
		{CS_DER_CONTEXT(6), CS_SPAN_INIT(""), "neither a host"},
		{CS_DER_CONTEXT(6), CS_SPAN_INIT("http://x"), "neither"},
		{CS_DER_CONTEXT(1), CS_SPAN_INIT(""), "neither a host"},
		{CS_DER_CONTEXT(1), CS_SPAN_INIT("@x.example"), "no mailbox"},
		{CS_DER_CONTEXT(7), CS_SPAN_INIT("\x0a\x00\x00\x00"),
		 "8 or 32"},
		{CS_DER_CONTEXT(7),
		 CS_SPAN_INIT("\x0a\x00\x00\x00\xff\x00\xff\x00"), "RFC 4632"},
		{CS_DER_CONTEXT_CONSTRUCTED(4), CS_SPAN_INIT("\x05\x00"),
		 "directoryName"},
		{CS_DER_CONTEXT_CONSTRUCTED(4),
		 CS_SPAN_INIT("\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x0a"
			      "\x1e\x03"
			      "abc"),
		 "tag 0x1e"},
		{CS_DER_CONTEXT(9), CS_SPAN_INIT("x"), "no kind"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_value(f, 0, bad[i].tag, bad[i].base, (struct cs_span){0},
			    1);
		refuses(f, bad[i].words);
	}
	write_value(f, 1, CS_DER_CONTEXT(2), CS_SPAN_LIT("example"),
		    CS_SPAN_LIT("\x80\x01\x01"), 1);
	refuses(f, "a minimum");
	write_value(f, 1, CS_DER_CONTEXT(2), CS_SPAN_LIT("example"),
		    (struct cs_span){0}, 0);
	refuses(f, "0 subtrees");
	write_value(f, 1, CS_DER_CONTEXT(2), CS_SPAN_LIT("x"),
		    (struct cs_span){0}, CS_MAX_SUBTREES + 1);
	refuses(f, "1025 subtrees");
	cs_buf_reset(&f->value);
	cs_buf_add(&f->value, CS_SPAN_LIT("\x30\x00"));
	refuses(f, "without a subtree");
	cs_buf_add_byte(&f->value, 0);
	refuses(f, "nameConstraints");
}

/* Is a certificate with this one name left alone? */
static bool allows(struct fixture *f, enum cs_name_kind kind, const char *text)
{
	struct cs_error err = {0};

	f->name = (struct cs_fact_name){.kind = kind,
					.canonical = cs_span_str(text),
					.content = cs_span_str(text)};
	f->cert = (struct cs_cert_facts){.names = &f->name, .names_n = 1};
	cs_findings_init(&f->findings, &f->arena);
	assert_true(
		cs_constraints_check(&f->set, 1, &f->cert, &f->findings, &err));
	if (f->findings.n > 0)
		assert_string_equal(f->findings.items[0].code,
				    "CA_NAME_CONSTRAINT");
	return f->findings.n == 0;
}

static void a_zone_is_itself_and_what_is_below(void **state)
{
	struct fixture *f = *state;

	read_one(f, 0, CS_DER_CONTEXT(2), "Corp.example");
	assert_true(allows(f, CS_NAME_DNS, "corp.example"));
	assert_true(allows(f, CS_NAME_DNS, "a.corp.example"));
	assert_true(allows(f, CS_NAME_DNS, "*.corp.example"));
	assert_false(allows(f, CS_NAME_DNS, "notcorp.example"));
	assert_false(allows(f, CS_NAME_DNS, "*.example"));
	assert_true(allows(f, CS_NAME_URI, "urn:x"));
	read_one(f, 0, CS_DER_CONTEXT(2), ".corp.example");
	assert_false(allows(f, CS_NAME_DNS, "corp.example"));
	assert_true(allows(f, CS_NAME_DNS, "a.corp.example"));
	read_one(f, 0, CS_DER_CONTEXT(2), "");
	assert_true(allows(f, CS_NAME_DNS, "anything"));
	read_one(f, 1, CS_DER_CONTEXT(2), "");
	assert_false(allows(f, CS_NAME_DNS, "anything"));
}

static void an_exclusion_needs_one_host_of_a_wildcard(void **state)
{
	struct fixture *f = *state;

	read_one(f, 1, CS_DER_CONTEXT(2), "secret.corp.example");
	assert_false(allows(f, CS_NAME_DNS, "*.corp.example"));
	assert_false(allows(f, CS_NAME_DNS, "*.secret.corp.example"));
	assert_true(allows(f, CS_NAME_DNS, "*.example"));
	assert_true(allows(f, CS_NAME_DNS, "www.corp.example"));
	read_one(f, 1, CS_DER_CONTEXT(2), ".secret.corp.example");
	assert_true(allows(f, CS_NAME_DNS, "*.corp.example"));
	assert_false(allows(f, CS_NAME_DNS, "*.secret.corp.example"));
}

static void hosts_and_mailboxes_are_exact_without_a_dot(void **state)
{
	struct fixture *f = *state;

	read_one(f, 0, CS_DER_CONTEXT(1), "corp.example");
	assert_true(allows(f, CS_NAME_EMAIL, "joe@corp.example"));
	assert_false(allows(f, CS_NAME_EMAIL, "joe@a.corp.example"));
	read_one(f, 0, CS_DER_CONTEXT(1), ".corp.example");
	assert_false(allows(f, CS_NAME_EMAIL, "joe@corp.example"));
	assert_true(allows(f, CS_NAME_EMAIL, "joe@a.corp.example"));
	read_one(f, 0, CS_DER_CONTEXT(1), "joe@corp.example");
	assert_true(allows(f, CS_NAME_EMAIL, "joe@corp.example"));
	assert_false(allows(f, CS_NAME_EMAIL, "Joe@corp.example"));
	read_one(f, 0, CS_DER_CONTEXT(6), "corp.example");
	assert_true(allows(f, CS_NAME_URI, "https://corp.example:1/x"));
	assert_false(allows(f, CS_NAME_URI, "https://a.corp.example/x"));
	assert_false(allows(f, CS_NAME_URI, "https://corp.example/a:b"));
	assert_false(allows(f, CS_NAME_URI, "https://[2001:db8::1]/"));
	assert_false(allows(f, CS_NAME_URI, "urn:x"));
	read_one(f, 1, CS_DER_CONTEXT(6), "corp.example");
	assert_false(allows(f, CS_NAME_URI, "https://joe@corp.example/"));
	assert_false(allows(f, CS_NAME_URI, "https://10.0.0.1/"));
	assert_true(allows(f, CS_NAME_URI, "https://b.example/a:b"));
}

static void kinds_that_are_not_processed_have_no_names(void **state)
{
	struct fixture *f = *state;

	read_one(f, 0, CS_DER_CONTEXT(8), "\x2a\x03");
	assert_false(allows(f, CS_NAME_REGISTERED_ID, "\x2a\x03"));
	assert_true(cs_span_equal_str(f->findings.items[0].field,
				      "san.registered_id[0]"));
	assert_true(allows(f, CS_NAME_DNS, "a.example"));
	read_one(f, 0, CS_DER_CONTEXT_CONSTRUCTED(5), "\xa1\x00");
	assert_true(allows(f, CS_NAME_DNS, "a.example"));
}

/* Is a subject of this one attribute left alone? */
static bool allows_subject(struct fixture *f, struct cs_span oid,
			   const char *text)
{
	struct cs_error err = {0};

	f->attr = (struct cs_fact_attr){.oid = oid, .value = cs_span_str(text)};
	f->cert = (struct cs_cert_facts){.subject = &f->attr, .subject_n = 1};
	cs_findings_init(&f->findings, &f->arena);
	assert_true(
		cs_constraints_check(&f->set, 1, &f->cert, &f->findings, &err));
	return f->findings.n == 0;
}

static void subjects_are_compared_without_case_and_spaces(void **state)
{
	static const char corp[] = "\x30\x11\x31\x0f\x30\x0d\x06\x03\x55\x04"
				   "\x0a\x0c\x06 Corp ";
	const struct cs_span o = CS_SPAN_LIT(CS_OID_ORGANIZATION);
	const struct cs_span cn = CS_SPAN_LIT(CS_OID_COMMON_NAME);
	const struct cs_span email = CS_SPAN_LIT(CS_OID_EMAIL_ADDRESS);
	struct fixture *f = *state;

	read_one(f, 0, CS_DER_CONTEXT_CONSTRUCTED(4), corp);
	assert_true(allows_subject(f, o, "corp"));
	assert_true(allows_subject(f, o, "  CORP"));
	assert_false(allows_subject(f, o, "Corp."));
	assert_false(allows_subject(f, cn, "Corp"));
	assert_true(allows(f, CS_NAME_DNS, "without.subject"));
	read_one(f, 0, CS_DER_CONTEXT(2), "corp.example");
	assert_true(allows_subject(f, cn, "WWW.corp.example"));
	assert_false(allows_subject(f, cn, "www.other.example"));
	assert_false(allows_subject(f, cn, "a_b.other.example"));
	assert_true(allows_subject(f, cn, "Joe Doe"));
	read_one(f, 0, CS_DER_CONTEXT(1), "corp.example");
	assert_true(allows_subject(f, email, "joe@Corp.example"));
	assert_false(allows_subject(f, email, "joe@other.example"));
	assert_false(allows_subject(f, email, "joe"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_malformed),
		cmocka_unit_test(a_zone_is_itself_and_what_is_below),
		cmocka_unit_test(an_exclusion_needs_one_host_of_a_wildcard),
		cmocka_unit_test(hosts_and_mailboxes_are_exact_without_a_dot),
		cmocka_unit_test(kinds_that_are_not_processed_have_no_names),
		cmocka_unit_test(subjects_are_compared_without_case_and_spaces),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/constraints", tests, set_up,
					    tear_down));
}
