#include <tests/lib/test.h>

#include <string.h>

#include "issuer/feasible.h"
#include "issuer/key.h"
#include "issuer/lint.h"
#include "issuer/oids.h"
#include "issuer/tbs.h"
#include "issuer/x509.h"
#include <tests/lib/ca_maker.h>

/* Ceiling, feasibility and lint, over TBS that were written and read back. */
struct fixture {
	struct ca_maker maker, other;
	struct cs_hash *hash;
	struct cs_arena keys;
	struct cs_fact_key ec, rsa, ed;
	struct cs_arena arena;
	struct cs_buf tbs;
	struct cs_plan plan;
	struct cs_plan_name names[4];
	struct cs_plan_attr subject[2];
	struct cs_span purposes[2];
	struct cs_tbs_facts facts;
	struct cs_findings findings;
	const struct cs_issuer_ca *by; /* who issues */
	struct cs_span serial;
};

static void make_key(struct fixture *f, enum cs_key_kind kind,
		     struct cs_fact_key *ret)
{
	struct cs_key *key = cs_key_generate(kind, NULL);
	struct cs_findings findings;
	struct cs_x509 x = {&f->keys, &findings, f->hash};
	struct cs_span copy;
	struct cs_buf spki;

	cs_buf_init(&spki, 1000);
	cs_findings_init(&findings, &f->keys);
	assert_true(cs_key_spki(key, &spki, NULL));
	assert_true(cs_arena_dup(&f->keys, cs_buf_span(&spki), &copy));
	assert_true(cs_spki_read(&x, copy, ret, NULL));
	cs_buf_done(&spki);
	cs_key_free(key);
}

static int set_up(void **state)
{
	static struct fixture f;

	ca_make(&f.maker, CS_KEY_KIND_EC_P256, CS_KEYGEN_TWO_TIERS);
	ca_make(&f.other, CS_KEY_KIND_RSA_3072, CS_KEYGEN_SINGLE);
	f.hash = cs_hash_new(NULL);
	cs_arena_init(&f.keys, 100000);
	cs_arena_init(&f.arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&f.tbs, CS_MAX_TBS);
	make_key(&f, CS_KEY_KIND_EC_P256, &f.ec);
	make_key(&f, CS_KEY_KIND_RSA_3072, &f.rsa);
	make_key(&f, CS_KEY_KIND_ED25519, &f.ed);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	ca_done(&f->maker);
	ca_done(&f->other);
	cs_hash_free(f->hash);
	cs_arena_done(&f->keys);
	cs_arena_done(&f->arena);
	cs_buf_done(&f->tbs);
	return 0;
}

/* A plan that nobody objects to. */
static void start(struct fixture *f)
{
	f->names[0] = (struct cs_plan_name){
		.kind = CS_NAME_DNS, .content = CS_SPAN_LIT("a.corp.example")};
	f->purposes[0] = CS_SPAN_LIT(CS_OID_SERVER_AUTH);
	f->plan = (struct cs_plan){
		.names = f->names,
		.names_n = 1,
		.subject = f->subject,
		.not_before_s = CA_MAKER_NOW,
		.not_after_s = CA_MAKER_NOW + 90 * 86400 - 1,
		.key_usage = CS_KU_DIGITAL_SIGNATURE,
		.key_usage_critical = true,
		.ext_key_usage = f->purposes,
		.ext_key_usage_n = 1,
	};
	f->by = f->maker.ca;
	f->serial = CS_SPAN_LIT("\x5b"
				"\x6b\x49\xd2"
				"0123456789abcdef");
	cs_arena_reset(&f->arena);
	cs_findings_init(&f->findings, &f->arena);
}

static void build(struct fixture *f, const struct cs_fact_key *key)
{
	struct cs_error err = {0};

	cs_buf_reset(&f->tbs);
	if (!cs_tbs_write(&f->plan, key, f->by, f->serial, f->hash, &f->arena,
			  &f->tbs, &err) ||
	    !cs_tbs_facts_read(f->hash, cs_buf_span(&f->tbs), &f->arena,
			       &f->facts, &err))
		fail_msg("%s", err.text);
}

static void check(struct fixture *f, const struct cs_ceiling *ceiling)
{
	build(f, &f->ec);
	assert_true(cs_ceiling_check(ceiling, f->maker.ca, &f->facts,
				     &f->findings, NULL));
}

static void lint(struct fixture *f, const struct cs_fact_key *key)
{
	build(f, key);
	assert_true(cs_lint_check(&f->facts, CS_LINT_FAIL_WARNINGS,
				  &f->findings, NULL, NULL));
}

/* Exactly one finding, with these words in rule, field or message. */
static void assert_one(const struct fixture *f, const char *words)
{
	char text[1000];

	assert_int_equal(f->findings.n, 1);
	snprintf(text, sizeof(text), "%.*s %.*s %.*s",
		 CS_SPAN_FMT(f->findings.items[0].rule),
		 CS_SPAN_FMT(f->findings.items[0].field),
		 CS_SPAN_FMT(f->findings.items[0].message));
	if (strstr(text, words) == NULL)
		fail_msg("%s", text);
}

static void permits_what_is_below_it(void **state)
{
	struct fixture *f = *state;

	start(f);
	check(f, &f->maker.ceiling);
	assert_int_equal(f->findings.n, 0);
	assert_true(cs_lint_check(&f->facts, CS_LINT_FAIL_WARNINGS,
				  &f->findings, NULL, NULL));
	assert_true(cs_feasible_check(f->maker.ca, &f->facts, CA_MAKER_NOW,
				      &f->findings, NULL));
	assert_int_equal(f->findings.n, 0);
}

static void counts_a_validity_as_durations_do(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->plan.not_after_s = f->plan.not_before_s + 398 * 86400LL;
	check(f, &f->maker.ceiling);
	assert_int_equal(f->findings.n, 0);
	start(f);
	f->plan.not_after_s = f->plan.not_before_s + 398 * 86400LL + 1;
	check(f, &f->maker.ceiling);
	assert_one(f, "ceiling is 398d");
}

static void refuses_to_outlive_the_ca(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->plan.not_before_s = f->maker.ca->not_after_s - 86400;
	f->plan.not_after_s = f->maker.ca->not_after_s + 1;
	check(f, &f->maker.ceiling);
	assert_one(f, "outlive");
}

static void refuses_another_cas_name_and_serial(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->by = f->other.ca;
	check(f, &f->maker.ceiling);
	assert_int_equal(f->findings.n, 3);
	start(f);
	f->serial = CS_SPAN_LIT("\x5b"
				"\x6b\x49\xd2"
				"0123456789abcde");
	check(f, &f->maker.ceiling);
	assert_one(f, "RFC 5280 4.1.2.2");
	start(f);
	f->serial = CS_SPAN_LIT("\x4b"
				"\x6b\x49\xd2"
				"0123456789abcdef");
	check(f, &f->maker.ceiling);
	assert_one(f, "RFC 5280 4.1.2.2");
}

static void refuses_cas(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->plan.ca = true;
	check(f, &f->maker.ceiling);
	assert_one(f, "RFC 5280 4.2.1.9");
	start(f);
	f->plan.key_usage = CS_KU_CRL_SIGN;
	check(f, &f->maker.ceiling);
	assert_one(f, "RFC 5280 4.2.1.3");
}

static void permits_cas_where_that_is_configured(void **state)
{
	struct fixture *f = *state;
	struct cs_ceiling ceiling = f->maker.ceiling;

	ceiling.ca = true;
	start(f);
	f->plan.ca = true;
	f->plan.key_usage = CS_KU_CERT_SIGN | CS_KU_CRL_SIGN;
	check(f, &ceiling);
	assert_int_equal(f->findings.n, 0);
	f->plan.ext_key_usage_n = 0;
	check(f, &ceiling);
	assert_one(f, "RFC 5280 4.2.1.12");
	start(f);
	f->plan.key_usage = CS_KU_CERT_SIGN;
	check(f, &ceiling);
	assert_one(f, "RFC 5280 4.2.1.3");
}

static void has_no_cas_beside_permitted_names(void **state)
{
	struct fixture *f = *state;
	const struct cs_span zone = CS_SPAN_LIT("corp.example");
	const struct cs_ceiling_text text = {
		.max_validity = CS_SPAN_LIT("90d"),
		.permitted_dns = &zone,
		.permitted_dns_n = 1,
		.ca = true,
	};
	struct cs_ceiling ceiling;
	struct cs_error err = {0};

	assert_false(cs_ceiling_parse(&text, &f->arena, &ceiling, &err));
	assert_int_equal(err.code, CS_E_CONFIG);
	assert_non_null(strstr(err.text, "RFC 5280 4.2.1.10"));
}

static void refuses_other_purposes_and_none(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->purposes[0] = CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x03\x03");
	check(f, &f->maker.ceiling);
	assert_one(f, "code signing");
	start(f);
	f->plan.ext_key_usage_n = 0;
	check(f, &f->maker.ceiling);
	assert_one(f, "RFC 5280 4.2.1.12");
}

/* The plan of the house's own OCSP responder. */
static void start_responder(struct fixture *f)
{
	static struct cs_plan_ext no_check = {
		.oid = CS_SPAN_INIT(CS_OID_OCSP_NO_CHECK),
		.value = CS_SPAN_INIT("\x05\x00")};

	start(f);
	f->plan.names_n = 0;
	f->plan.subject_n = 1;
	f->subject[0] = (struct cs_plan_attr){
		.oid = CS_SPAN_LIT(CS_OID_COMMON_NAME),
		.value = CS_SPAN_LIT(CS_OCSP_RESPONDER_NAME)};
	f->plan.not_after_s = CA_MAKER_NOW + CS_OCSP_RESPONDER_LIFE;
	f->purposes[0] = CS_SPAN_LIT(CS_OID_OCSP_SIGNING);
	f->plan.extensions = &no_check;
	f->plan.extensions_n = 1;
	f->plan.no_rev_avail = true;
}

/*= RFC 6960 4.2.2.2 */
static void lets_through_the_houses_responder_and_nothing_like_it(void **state)
{
	static struct cs_plan_ext other = {
		.oid = CS_SPAN_INIT("\x2b\x06\x01\x04\x01\x86\x8d\x1f\x01"),
		.value = CS_SPAN_INIT("\x05\x00")};
	static struct cs_span url = CS_SPAN_INIT("http://x.example/");
	struct fixture *f = *state;
	struct cs_ceiling with = f->maker.ceiling;

	with.ocsp = true;
	start_responder(f);
	check(f, &with);
	assert_int_equal(f->findings.n, 0);
	assert_true(cs_lint_check(&f->facts, CS_LINT_FAIL_WARNINGS,
				  &f->findings, NULL, NULL));
	assert_int_equal(f->findings.n, 0);
	check(f, &f->maker.ceiling);
	assert_one(f, "RFC 6960 4.2.2.2");
	for (int i = 0; i < 9; i++) {
		start_responder(f);
		if (i == 0) {
			f->plan.names_n = 1;
		} else if (i == 1) {
			f->subject[0].value = CS_SPAN_LIT("a responder");
		} else if (i == 2) {
			f->plan.not_after_s++;
		} else if (i == 3) {
			f->plan.ext_key_usage_n = 2;
			f->purposes[1] = CS_SPAN_LIT(CS_OID_SERVER_AUTH);
		} else if (i == 4) {
			f->plan.extensions_n = 0;
		} else if (i == 5) {
			f->plan.extensions = &other;
		} else if (i == 6) {
			f->plan.no_rev_avail = false;
			f->plan.crl_urls = &url;
			f->plan.crl_urls_n = 1;
		} else if (i == 7) {
			f->plan.key_usage |= CS_KU_KEY_AGREEMENT;
		} else {
			f->plan.subject_n = 0;
		}
		check(f, &with);
		if (f->findings.n != 1)
			fail_msg("deviation %d: %zu findings", i,
				 f->findings.n);
		assert_one(f, "RFC 6960 4.2.2.2");
	}
}

/*= RFC 6960 4.2.2.2 */
static void ocsp_signing_has_to_be_named(void **state)
{
	static struct cs_span named[] = {CS_SPAN_INIT(CS_OID_OCSP_SIGNING)};
	struct fixture *f = *state;
	struct cs_ceiling c = f->maker.ceiling;

	/* An empty list permits every other purpose. */
	c.ext_key_usage_n = 0;
	start(f);
	f->plan.ext_key_usage_n = 2;
	f->purposes[1] = CS_SPAN_LIT(CS_OID_OCSP_SIGNING);
	check(f, &c);
	assert_one(f, "RFC 6960 4.2.2.2");
	start(f);
	f->purposes[0] = CS_SPAN_LIT(CS_OID_OCSP_SIGNING);
	check(f, &f->maker.ceiling);
	assert_one(f, "does not name this purpose");
	c.ext_key_usage = named;
	c.ext_key_usage_n = 1;
	start(f);
	f->purposes[0] = CS_SPAN_LIT(CS_OID_OCSP_SIGNING);
	check(f, &c);
	assert_int_equal(f->findings.n, 0);
}

/* A ceiling with subtrees, from its text. */
static void subtrees(struct fixture *f, struct cs_ceiling *ret)
{
	const struct cs_span dns = CS_SPAN_LIT("corp.example");
	const struct cs_span ip[] = {CS_SPAN_LIT("10.32.0.0/11"),
				     CS_SPAN_LIT("2001:db8::/32")};
	const struct cs_ceiling_text text = {
		.max_validity = CS_SPAN_LIT("90d"),
		.permitted_dns = &dns,
		.permitted_dns_n = 1,
		.permitted_ip = ip,
		.permitted_ip_n = 2,
	};

	assert_true(cs_ceiling_parse(&text, &f->arena, ret, NULL));
}

static void keeps_names_in_their_subtrees(void **state)
{
	static const struct {
		enum cs_name_kind kind;
		struct cs_span content;
		bool ok;
	} names[] = {
		{CS_NAME_DNS, CS_SPAN_INIT("corp.example"), true},
		{CS_NAME_DNS, CS_SPAN_INIT("a.b.corp.example"), true},
		{CS_NAME_DNS, CS_SPAN_INIT("*.corp.example"), true},
		{CS_NAME_DNS, CS_SPAN_INIT("*.example"), false},
		{CS_NAME_DNS, CS_SPAN_INIT("evilcorp.example"), false},
		{CS_NAME_DNS, CS_SPAN_INIT("corp.example.org"), false},
		{CS_NAME_URI, CS_SPAN_INIT("spiffe://corp.example/a"), true},
		{CS_NAME_URI, CS_SPAN_INIT("https://x.corp.example:8/"), true},
		{CS_NAME_URI, CS_SPAN_INIT("spiffe://other/corp.example"),
		 false},
		{CS_NAME_URI, CS_SPAN_INIT("https://corp.example@other/"),
		 false},
		{CS_NAME_URI, CS_SPAN_INIT("urn:a:corp.example"), false},
		{CS_NAME_EMAIL, CS_SPAN_INIT("a@corp.example"), true},
		{CS_NAME_EMAIL, CS_SPAN_INIT("a@other.example"), false},
		{CS_NAME_IP, CS_SPAN_INIT("\x0a\x20\x00\x01"), true},
		{CS_NAME_IP, CS_SPAN_INIT("\x0a\x3f\xff\xff"), true},
		{CS_NAME_IP, CS_SPAN_INIT("\x0a\x40\x00\x01"), false},
		{CS_NAME_IP, CS_SPAN_INIT("\x0b\x20\x00\x01"), false},
		{CS_NAME_REGISTERED_ID, CS_SPAN_INIT("\x2a\x03"), false},
	};
	struct fixture *f = *state;
	struct cs_ceiling c;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		start(f);
		subtrees(f, &c);
		f->names[0].kind = names[i].kind;
		f->names[0].content = names[i].content;
		check(f, &c);
		if (f->findings.n != (names[i].ok ? 0 : 1))
			fail_msg("name %zu", i);
	}
}

static void takes_other_kinds_only_where_they_are_listed(void **state)
{
	static const struct cs_span words[] = {CS_SPAN_INIT("registered_id"),
					       CS_SPAN_INIT("dns")};
	struct cs_ceiling_text text = {.max_validity = CS_SPAN_LIT("90d"),
				       .permitted_kinds = words,
				       .permitted_kinds_n = 1};
	struct fixture *f = *state;
	struct cs_error err = {0};
	struct cs_ceiling c;

	for (size_t n = 0; n < 2; n++) {
		start(f);
		text.permitted_kinds_n = n;
		assert_true(cs_ceiling_parse(&text, &f->arena, &c, &err));
		f->names[0].kind = CS_NAME_REGISTERED_ID;
		f->names[0].content = CS_SPAN_LIT("\x2a\x03");
		check(f, &c);
		assert_int_equal(f->findings.n, n == 0 ? 1 : 0);
	}
	text.permitted_kinds_n = 2;
	assert_false(cs_ceiling_parse(&text, &f->arena, &c, &err));
	assert_non_null(strstr(err.text, "is not other_name"));
}

static void counts_a_common_name_that_is_one(void **state)
{
	struct fixture *f = *state;
	struct cs_ceiling c;

	for (int i = 0; i < 2; i++) {
		start(f);
		subtrees(f, &c);
		f->plan.subject_n = 1;
		f->subject[0] = (struct cs_plan_attr){
			.oid = CS_SPAN_LIT(CS_OID_COMMON_NAME),
			.value = i == 0 ? CS_SPAN_LIT("other.example")
					: CS_SPAN_LIT("192.0.2.1")};
		check(f, &c);
		assert_one(f, "common name");
	}
}

static void says_what_is_wrong_with_a_configuration(void **state)
{
	struct fixture *f = *state;
	struct cs_span bad = CS_SPAN_LIT("*.corp.example");
	struct cs_ceiling_text text = {.max_validity = CS_SPAN_LIT("x")};
	struct cs_error err = {0};
	struct cs_ceiling c;

	start(f);
	assert_false(cs_ceiling_parse(&text, &f->arena, &c, &err));
	assert_non_null(strstr(err.text, "ceiling.max_validity"));
	text.max_validity = CS_SPAN_LIT("1d");
	text.permitted_dns = &bad;
	text.permitted_dns_n = 1;
	assert_false(cs_ceiling_parse(&text, &f->arena, &c, &err));
	assert_non_null(strstr(err.text, "ceiling.permitted_dns"));
	text.permitted_dns_n = 0;
	text.permitted_ip = &bad;
	text.permitted_ip_n = 1;
	bad = CS_SPAN_LIT("10.0.0.0/33");
	assert_false(cs_ceiling_parse(&text, &f->arena, &c, &err));
	assert_non_null(strstr(err.text, "0 to 32 bits"));
	text.permitted_ip_n = 0;
	text.ext_key_usage = &bad;
	text.ext_key_usage_n = 1;
	bad = CS_SPAN_LIT("digital signature");
	assert_false(cs_ceiling_parse(&text, &f->arena, &c, &err));
	assert_non_null(strstr(err.text, "ceiling.ext_key_usage"));
}

static void tells_when_the_ca_is_not_valid(void **state)
{
	struct fixture *f = *state;
	const struct cs_issuer_ca *ca = f->maker.ca;

	start(f);
	build(f, &f->ec);
	assert_true(cs_feasible_check(ca, &f->facts, ca->not_after_s + 1,
				      &f->findings, NULL));
	assert_one(f, "expired");
	start(f);
	build(f, &f->ec);
	assert_true(cs_feasible_check(ca, &f->facts, ca->not_before_s - 1,
				      &f->findings, NULL));
	assert_one(f, "valid from");
}

static void tells_when_the_ca_lacks_a_purpose(void **state)
{
	struct fixture *f = *state;
	struct cs_issuer_ca ca = *f->maker.ca;
	struct cs_span client = CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x03\x02");

	start(f);
	ca.ext_key_usage = &client;
	ca.ext_key_usage_n = 1;
	build(f, &f->ec);
	assert_true(cs_feasible_check(&ca, &f->facts, CA_MAKER_NOW,
				      &f->findings, NULL));
	assert_one(f, "RFC 5280 4.2.1.12");
}

static void tells_when_the_ca_may_have_no_ca_below(void **state)
{
	struct fixture *f = *state;
	struct cs_issuer_ca ca = *f->maker.ca;

	start(f);
	f->plan.ca = true;
	build(f, &f->ec);
	ca.has_path_len = true;
	ca.path_len = 1;
	assert_true(cs_feasible_check(&ca, &f->facts, CA_MAKER_NOW,
				      &f->findings, NULL));
	assert_int_equal(f->findings.n, 0);
	f->facts.cert.has_path_len = true;
	assert_true(cs_feasible_check(&ca, &f->facts, CA_MAKER_NOW,
				      &f->findings, NULL));
	assert_int_equal(f->findings.n, 0);
	f->facts.cert.path_len = 1;
	assert_true(cs_feasible_check(&ca, &f->facts, CA_MAKER_NOW,
				      &f->findings, NULL));
	assert_one(f, "leaves 0");
	cs_findings_init(&f->findings, &f->arena);
	ca.path_len = 0;
	assert_true(cs_feasible_check(&ca, &f->facts, CA_MAKER_NOW,
				      &f->findings, NULL));
	assert_one(f, "RFC 5280 6.1.4");
}

static void lints_what_cas_need(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->plan.subject_n = 1;
	f->subject[0] =
		(struct cs_plan_attr){.oid = CS_SPAN_LIT(CS_OID_ORGANIZATION),
				      .value = CS_SPAN_LIT("Corp")};
	f->plan.ca = true;
	lint(f, &f->ec);
	assert_one(f, "lint/ca-key-usage");
	start(f);
	f->plan.key_usage |= CS_KU_CERT_SIGN;
	lint(f, &f->ec);
	assert_one(f, "lint/cert-sign");
	start(f);
	f->plan.ca = true;
	f->plan.key_usage |= CS_KU_CERT_SIGN;
	lint(f, &f->ec);
	assert_one(f, "lint/ca-subject");
	start(f);
	f->plan.subject_n = 1;
	f->plan.names_n = 0;
	f->subject[0] =
		(struct cs_plan_attr){.oid = CS_SPAN_LIT(CS_OID_COMMON_NAME),
				      .value = CS_SPAN_LIT("Corp CA")};
	f->plan.ca = true;
	f->plan.key_usage = CS_KU_CERT_SIGN;
	lint(f, &f->ec);
	assert_int_equal(f->findings.n, 0);
}

/* The plan's one further extension. */
static void extend(struct fixture *f, struct cs_span oid, struct cs_span value,
		   bool critical)
{
	static struct cs_plan_ext ext;

	ext = (struct cs_plan_ext){oid, value, critical};
	f->plan.extensions = &ext;
	f->plan.extensions_n = 1;
}

static void lints_extensions(void **state)
{
	struct fixture *f = *state;
	struct cs_span url = CS_SPAN_LIT("https://x.example/");
	struct cs_span oid = CS_SPAN_LIT(CS_OID_NO_REV_AVAIL);

	start(f);
	extend(f, oid, CS_SPAN_LIT("\x05\x00"), false);
	f->plan.no_rev_avail = true;
	lint(f, &f->ec);
	assert_int_equal(f->findings.n, 0);
	start(f);
	url = CS_SPAN_LIT("http://x.example/");
	extend(f, oid, CS_SPAN_LIT("\x05\x00"), false);
	f->plan.crl_urls = &url;
	f->plan.crl_urls_n = 1;
	lint(f, &f->ec);
	assert_one(f, "lint/no-rev-avail ");
	start(f);
	extend(f, oid, CS_SPAN_LIT("\x30\x00"), false);
	f->plan.no_rev_avail = true;
	lint(f, &f->ec);
	assert_one(f, "lint/no-rev-avail-form");
	start(f);
	extend(f, CS_SPAN_LIT("\x2a\x03\x04"), CS_SPAN_LIT("\x05\x00"), true);
	lint(f, &f->ec);
	assert_one(f, "lint/critical-unknown");
	start(f);
	url = CS_SPAN_LIT("https://x.example/");
	f->plan.ocsp_urls = &url;
	f->plan.ocsp_urls_n = 1;
	lint(f, &f->ec);
	assert_one(f, "lint/https-location");
	start(f);
	f->plan.key_usage_critical = false;
	lint(f, &f->ec);
	assert_one(f, "lint/key-usage-critical");
}

static void lints_what_servers_and_mail_need(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->plan.key_usage = CS_KU_KEY_AGREEMENT;
	lint(f, &f->ec);
	assert_one(f, "lint/server-signature");
	start(f);
	f->plan.not_after_s = f->plan.not_before_s + 826 * 86400LL;
	lint(f, &f->ec);
	assert_one(f, "lint/server-validity");
	start(f);
	f->names[0].content = CS_SPAN_LIT("*.example");
	lint(f, &f->ec);
	assert_one(f, "lint/wide-wildcard");
	start(f);
	f->purposes[0] = CS_SPAN_LIT(CS_OID_EMAIL_PROTECTION);
	f->plan.ext_key_usage_n = 1;
	lint(f, &f->ec);
	assert_one(f, "lint/mail-address");
	start(f);
	f->plan.subject_n = 1;
	f->subject[0] =
		(struct cs_plan_attr){.oid = CS_SPAN_LIT(CS_OID_EMAIL_ADDRESS),
				      .value = CS_SPAN_LIT("a@corp.example")};
	lint(f, &f->ec);
	assert_one(f, "lint/email-in-subject");
}

static void a_warning_refuses_only_where_policy_says_so(void **state)
{
	struct fixture *f = *state;
	struct cs_findings warnings;

	start(f);
	f->plan.key_usage_critical = false;
	build(f, &f->ec);
	cs_findings_init(&warnings, &f->arena);
	assert_true(cs_lint_check(&f->facts, CS_LINT_FAIL_ERRORS, &f->findings,
				  &warnings, NULL));
	assert_int_equal(f->findings.n, 0);
	assert_int_equal(warnings.n, 1);
	assert_string_equal(warnings.items[0].code, "LINT");
}

static void lints_usages_by_the_kind_of_key(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->plan.key_usage |= CS_KU_KEY_ENCIPHERMENT;
	lint(f, &f->ec);
	assert_one(f, "lint/ec-key-usage");
	start(f);
	f->plan.key_usage |= CS_KU_KEY_ENCIPHERMENT;
	lint(f, &f->rsa);
	assert_int_equal(f->findings.n, 0);
	start(f);
	f->plan.key_usage |= CS_KU_KEY_AGREEMENT;
	lint(f, &f->rsa);
	assert_one(f, "lint/rsa-key-usage");
	start(f);
	f->plan.key_usage |= CS_KU_KEY_AGREEMENT;
	lint(f, &f->ed);
	assert_one(f, "lint/ed25519-key-usage");
	start(f);
	f->plan.key_usage |= CS_KU_ENCIPHER_ONLY;
	lint(f, &f->ec);
	assert_one(f, "lint/only-key-usage");
}

static void lints_usages_by_the_purposes(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->purposes[0] = CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x03\x02");
	f->plan.ext_key_usage_n = 1;
	f->plan.key_usage |= CS_KU_KEY_ENCIPHERMENT;
	lint(f, &f->rsa);
	assert_one(f, "lint/idle-usage");
	start(f);
	f->purposes[0] = CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x03\x03");
	f->plan.ext_key_usage_n = 1;
	f->plan.key_usage = CS_KU_KEY_AGREEMENT;
	build(f, &f->ec);
	assert_true(cs_lint_check(&f->facts, CS_LINT_FAIL_ERRORS, &f->findings,
				  &f->findings, NULL));
	assert_int_equal(f->findings.n, 2);
	assert_true(
		cs_span_equal_str(f->findings.items[0].rule, "lint/no-use"));
	/* Nothing is known of an organization's own purposes. */
	start(f);
	f->purposes[0] = CS_SPAN_LIT("\x2a\x03\x04");
	f->plan.ext_key_usage_n = 1;
	f->plan.key_usage = CS_KU_KEY_AGREEMENT;
	lint(f, &f->ec);
	assert_int_equal(f->findings.n, 0);
}

static void lints_names_of_servers(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->plan.subject_n = 1;
	f->subject[0] =
		(struct cs_plan_attr){.oid = CS_SPAN_LIT(CS_OID_COMMON_NAME),
				      .value = CS_SPAN_LIT("b.corp.example")};
	lint(f, &f->ec);
	assert_one(f, "lint/cn-in-san");
	start(f);
	f->plan.subject_n = 1;
	f->subject[0].value = CS_SPAN_LIT("A.corp.example");
	lint(f, &f->ec);
	assert_int_equal(f->findings.n, 0);
	start(f);
	f->plan.subject_n = 1;
	f->plan.names_n = 0;
	f->subject[0].oid = CS_SPAN_LIT(CS_OID_ORGANIZATION);
	lint(f, &f->ec);
	assert_one(f, "lint/server-san");
	start(f);
	f->plan.names_n = 0;
	f->plan.ext_key_usage_n = 0;
	lint(f, &f->ec);
	assert_one(f, "lint/no-name");
	start(f);
	f->plan.subject_n = 1;
	f->subject[0] = (struct cs_plan_attr){
		.oid = CS_SPAN_LIT(CS_OID_COUNTRY), .value = CS_SPAN_LIT("de")};
	lint(f, &f->ec);
	assert_one(f, "lint/country");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(permits_what_is_below_it),
		cmocka_unit_test(counts_a_validity_as_durations_do),
		cmocka_unit_test(refuses_to_outlive_the_ca),
		cmocka_unit_test(refuses_another_cas_name_and_serial),
		cmocka_unit_test(refuses_cas),
		cmocka_unit_test(permits_cas_where_that_is_configured),
		cmocka_unit_test(has_no_cas_beside_permitted_names),
		cmocka_unit_test(refuses_other_purposes_and_none),
		cmocka_unit_test(
			lets_through_the_houses_responder_and_nothing_like_it),
		cmocka_unit_test(ocsp_signing_has_to_be_named),
		cmocka_unit_test(keeps_names_in_their_subtrees),
		cmocka_unit_test(takes_other_kinds_only_where_they_are_listed),
		cmocka_unit_test(counts_a_common_name_that_is_one),
		cmocka_unit_test(says_what_is_wrong_with_a_configuration),
		cmocka_unit_test(tells_when_the_ca_is_not_valid),
		cmocka_unit_test(tells_when_the_ca_lacks_a_purpose),
		cmocka_unit_test(tells_when_the_ca_may_have_no_ca_below),
		cmocka_unit_test(lints_what_cas_need),
		cmocka_unit_test(lints_extensions),
		cmocka_unit_test(lints_what_servers_and_mail_need),
		cmocka_unit_test(a_warning_refuses_only_where_policy_says_so),
		cmocka_unit_test(lints_usages_by_the_kind_of_key),
		cmocka_unit_test(lints_usages_by_the_purposes),
		cmocka_unit_test(lints_names_of_servers),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/ceiling", tests, set_up,
					    tear_down));
}
