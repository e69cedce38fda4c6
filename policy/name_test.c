#include <tests/lib/test.h>

#include <string.h>

#include "policy/name.h"

typedef bool name_fn(struct cs_span, struct cs_arena *, struct cs_span *,
		     struct cs_error *);

/* fn(text) must give `want`; NULL: must be refused. */
static void expect_n(name_fn *fn, const char *text, size_t n, const char *want)
{
	struct cs_arena arena;
	struct cs_error err = {0};
	struct cs_span out = {0};
	bool ok;

	cs_arena_init(&arena, 100000);
	ok = fn(cs_span_make(text, n), &arena, &out, &err);
	if (ok != (want != NULL))
		fail_msg("%s: %s", text, ok ? "accepted" : err.text);
	if (ok && !cs_span_equal_str(out, want))
		fail_msg("%s: gave %.*s", text, CS_SPAN_FMT(out));
	if (!ok)
		assert_int_equal(err.code, CS_E_FORMAT);
	cs_arena_done(&arena);
}

static void expect(name_fn *fn, const char *text, const char *want)
{
	expect_n(fn, text, strlen(text), want);
}

static void dns_names_have_one_spelling(void **state)
{
	(void)state;
	expect(cs_name_dns, "www.corp.example", "www.corp.example");
	expect(cs_name_dns, "WWW.Corp.Example.", "www.corp.example");
	expect(cs_name_dns, "localhost", "localhost");
	expect(cs_name_dns, "*.Corp.example", "*.corp.example");
	expect(cs_name_dns, "xn--bcher-kva.example", "xn--bcher-kva.example");
	expect(cs_name_dns, "1.example", "1.example");
}

static void what_is_no_dns_name_is_refused(void **state)
{
	char label64[80] = "", name254[300] = "";

	(void)state;
	memset(label64, 'a', 64);
	memcpy(label64 + 64, ".x", 3);
	expect(cs_name_dns, label64, NULL);
	for (size_t i = 0; i < 127; i++)
		memcpy(name254 + 2 * i, "a.", 3);
	name254[252] = 'a';
	name254[253] = 'b';
	expect(cs_name_dns, name254, NULL);
	name254[253] = '\0';
	expect(cs_name_dns, name254, name254);
	expect_n(cs_name_dns, "a\0b.example", 11, NULL);
	expect(cs_name_dns, "", NULL);
	expect(cs_name_dns, ".", NULL);
	expect(cs_name_dns, "*", NULL);
	expect(cs_name_dns, "*.", NULL);
	expect(cs_name_dns, "a..example", NULL);
	expect(cs_name_dns, ".example", NULL);
	expect(cs_name_dns, "a.example..", NULL);
	expect(cs_name_dns, "a_b.example", NULL);
	expect(cs_name_dns, "a b.example", NULL);
	expect(cs_name_dns, "-a.example", NULL);
	expect(cs_name_dns, "a-.example", NULL);
	expect(cs_name_dns, "a.*.example", NULL);
	expect(cs_name_dns, "*a.example", NULL);
	expect(cs_name_dns, "a*.example", NULL);
	expect(cs_name_dns, "*.*.example", NULL);
	expect(cs_name_dns, "b\303\274cher.example", NULL);
	expect(cs_name_dns, "10.0.0.1", NULL);
	expect(cs_name_dns, "example.123", NULL);
}

/* Text to octets to text. */
static bool ip_round(struct cs_span text, struct cs_arena *arena,
		     struct cs_span *ret, struct cs_error *err)
{
	struct cs_span octets;

	return cs_name_ip_octets(text, arena, &octets, err) &&
	       cs_name_ip_text(octets, arena, ret, err);
}

static void addresses_are_written_as_rfc_5952_says(void **state)
{
	(void)state;
	expect(ip_round, "10.0.0.1", "10.0.0.1");
	expect(ip_round, "255.255.255.255", "255.255.255.255");
	expect(ip_round, "::", "::");
	expect(ip_round, "::1", "::1");
	expect(ip_round, "1::", "1::");
	expect(ip_round, "2001:DB8:0:0:0:0:0:1", "2001:db8::1");
	expect(ip_round, "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
	expect(ip_round, "2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
	expect(ip_round, "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
	expect(ip_round, "::1.2.3.4", "::102:304");
	expect(ip_round, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	expect(ip_round, "", NULL);
	expect(ip_round, "010.0.0.1", NULL);
	expect(ip_round, "10.1", NULL);
	expect(ip_round, "256.0.0.1", NULL);
	expect(ip_round, "::ffff:10.0.0.1", NULL);
	expect(ip_round, "fe80::1%eth0", NULL);
	expect(ip_round, "1::2::3", NULL);
	expect_n(ip_round, "10.0.0.1\0", 9, NULL);
	expect_n(cs_name_ip_text, "\1\2\3", 3, NULL);
	expect_n(cs_name_ip_text, "\1\2\3\4\5\6\7\10", 8, NULL);
	expect_n(cs_name_ip_text, "", 0, NULL);
}

static void uris_keep_all_but_scheme_and_host(void **state)
{
	(void)state;
	expect(cs_name_uri, "SPIFFE://Prod.Example/ns/A",
	       "spiffe://prod.example/ns/A");
	expect(cs_name_uri, "https://User@Host:8443/P?Q#F",
	       "https://User@host:8443/P?Q#F");
	expect(cs_name_uri, "https://[2001:DB8::1]:1/x",
	       "https://[2001:db8::1]:1/x");
	expect(cs_name_uri, "urn:uuid:ABC", "urn:uuid:ABC");
	expect(cs_name_uri, "spiffe://trust_domain/a%2F",
	       "spiffe://trust_domain/a%2F");
}

static void what_is_no_uri_is_refused(void **state)
{
	(void)state;
	expect(cs_name_uri, "", NULL);
	expect(cs_name_uri, "/relative", NULL);
	expect(cs_name_uri, "host.example", NULL);
	expect(cs_name_uri, "urn:", NULL);
	expect(cs_name_uri, "1a:b", NULL);
	expect(cs_name_uri, "https:///path", NULL);
	expect(cs_name_uri, "https://", NULL);
	expect(cs_name_uri, "https://a@b@c/", NULL);
	expect(cs_name_uri, "https://a b/", NULL);
	expect(cs_name_uri, "https://a.example./", NULL);
	expect(cs_name_uri, "https://.example/", NULL);
	expect(cs_name_uri, "https://a..example:1/", NULL);
	expect(cs_name_uri, "https://h/%zz", NULL);
	expect(cs_name_uri, "https://h/%2", NULL);
	expect(cs_name_uri, "https://[nonsense]/", NULL);
	expect(cs_name_uri, "https://h:80x/", NULL);
	expect(cs_name_uri, "https://h/#a#b", NULL);
	expect_n(cs_name_uri, "https://h/\0", 11, NULL);
	expect(cs_name_uri, "https://h\303\274/", NULL);
}

static void mailboxes_keep_their_local_part(void **state)
{
	(void)state;
	expect(cs_name_email, "Alice.B@Corp.Example", "Alice.B@corp.example");
	expect(cs_name_email, "a+b@corp.example.", "a+b@corp.example");
}

static void what_is_no_mailbox_is_refused(void **state)
{
	(void)state;
	expect(cs_name_email, "", NULL);
	expect(cs_name_email, "corp.example", NULL);
	expect(cs_name_email, "@corp.example", NULL);
	expect(cs_name_email, "a@", NULL);
	expect(cs_name_email, "a@b@c", NULL);
	expect(cs_name_email, "a..b@corp.example", NULL);
	expect(cs_name_email, ".a@corp.example", NULL);
	expect(cs_name_email, "a.@corp.example", NULL);
	expect(cs_name_email, "\"a b\"@corp.example", NULL);
	expect(cs_name_email, "a@[10.0.0.1]", NULL);
	expect(cs_name_email, "a@*.corp.example", NULL);
	expect(cs_name_email, "\303\274@corp.example", NULL);
	expect_n(cs_name_email, "a\0@corp.example", 15, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dns_names_have_one_spelling),
		cmocka_unit_test(what_is_no_dns_name_is_refused),
		cmocka_unit_test(addresses_are_written_as_rfc_5952_says),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(uris_keep_all_but_scheme_and_host),
		cmocka_unit_test(what_is_no_uri_is_refused),
		cmocka_unit_test(mailboxes_keep_their_local_part),
		cmocka_unit_test(what_is_no_mailbox_is_refused),
	};

	return cs_test_run("policy/name", tests);
}
