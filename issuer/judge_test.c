#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/codec.h"
#include "base/der.h"
#include "base/json.h"
#include "base/limit.h"
#include "base/terms.h"
#include "issuer/cert_facts.h"
#include "issuer/judge.h"
#include "issuer/oids.h"
#include "issuer/tbs.h"
#include <tests/lib/ca_maker.h>
#include <tests/lib/csr_maker.h>
#include <tests/lib/judge_maker.h>
#include <tests/lib/judging.h>

static void assert_refused(const struct judging *f, const char *code)
{
	const json_t *list = json_object_get(f->body, "violations"), *one;
	size_t i;

	assert_false(f->out.issue);
	assert_string_equal(judging_member(f, "verdict"), "refused");
	json_array_foreach((json_t *)(uintptr_t)list, i, one)
	{
		const char *c = json_string_value(json_object_get(one, "code"));

		if (strcmp(c, code) == 0)
			return;
	}
	fail_msg("no %s in %s", code, json_dumps(f->body, JSON_INDENT(1)));
}

static bool has_term(struct cs_span terms, enum cs_term field,
		     struct cs_span value)
{
	struct cs_span v;
	uint8_t kind;

	while (cs_terms_next(&terms, &kind, &v, NULL)) {
		if (kind == field && cs_span_equal(v, value))
			return true;
	}
	return false;
}

/* -- tests ---------------------------------------------------------------- */

static void issues_what_policy_decided(void **state)
{
	struct judging *f = *state;
	const struct cs_msg_intent *i = &f->out.intent;
	struct cs_tbs_facts t;
	struct cs_hash *hash = cs_hash_new(NULL);
	struct cs_arena arena;
	struct cs_error err = {0};

	judging_start(f);
	judging_csr(f, JUDGING_SCALARS);
	if (!f->out.issue)
		fail_msg("%s", json_dumps(f->body, 0));
	assert_string_equal(judging_member(f, "verdict"), "issued");
	assert_true(cs_span_equal(i->request, cs_buf_span(&f->request)));
	assert_true(cs_span_equal(i->csr, cs_buf_span(&f->csr)));
	assert_int_equal(i->now_ms, judging_now_ms);
	assert_int_equal(i->epoch, 5);
	assert_int_equal(i->serial.n, CS_SERIAL_SIZE);
	assert_int_equal(i->decision.n, 0);
	assert_int_equal(i->limits.n, 0);
	assert_true(cs_span_equal_str(i->inputs,
				      "{\"engine\":\"countersign 0.1.0\","
				      "\"epoch\":5,\"now_ms\":1795521600123}"));
	cs_arena_init(&arena, 1000000);
	if (!cs_tbs_facts_read(hash, i->tbs, &arena, &t, &err))
		fail_msg("%s", err.text);
	assert_true(cs_span_equal(t.serial, i->serial));
	assert_int_equal(t.not_after_s, i->not_after_s);
	assert_memory_equal(t.cert.key.spki_sha256, i->spki_sha256, 32);
	/* 90 days, 30 seconds of them in the past. */
	assert_int_equal(t.not_before_s, CA_MAKER_NOW - 30);
	assert_in_range(t.not_after_s - t.not_before_s, 90 * 86400 - 1,
			90 * 86400);
	cs_arena_done(&arena);
	cs_hash_free(hash);
}

static void files_terms_for_an_auditor(void **state)
{
	struct judging *f = *state;
	struct cs_span terms;

	judging_start(f);
	judging_csr(f, JUDGING_SCALARS);
	terms = f->out.intent.terms;
	assert_true(
		has_term(terms, CS_TERM_DNS, CS_SPAN_LIT("example.corp.web")));
	assert_true(has_term(terms, CS_TERM_REQUESTER, CS_SPAN_LIT("alice")));
	assert_true(has_term(terms, CS_TERM_CLIENT, CS_SPAN_LIT("ci")));
	assert_true(has_term(terms, CS_TERM_APPROVER, CS_SPAN_LIT("boss")));
	assert_true(has_term(terms, CS_TERM_ISSUER, CS_SPAN_LIT("default")));
	assert_true(has_term(terms, CS_TERM_POLICY, CS_SPAN_LIT("default")));
	assert_true(has_term(terms, CS_TERM_VERDICT, CS_SPAN_LIT("issued")));
	assert_true(has_term(terms, CS_TERM_SERIAL, f->out.intent.serial));
	assert_true(has_term(terms, CS_TERM_SPKI,
			     cs_span_make(f->out.intent.spki_sha256, 32)));
}

static void takes_pem_of_both_labels(void **state)
{
	static const char *const labels[] = {"CERTIFICATE REQUEST",
					     "NEW CERTIFICATE REQUEST"};
	struct judging *f = *state;
	struct cs_buf pem;

	judging_start(f);
	csr_make(&f->csr_maker, &f->csr);
	for (size_t i = 0; i < 2; i++) {
		cs_buf_init(&pem, 10000);
		cs_codec_pem(labels[i], cs_buf_span(&f->csr), &pem);
		judging_octets(f, JUDGING_SCALARS, cs_buf_span(&pem));
		assert_true(f->out.issue);
		assert_true(
			cs_span_equal(f->out.intent.csr, cs_buf_span(&f->csr)));
		cs_buf_done(&pem);
	}
}

static void refuses_text_that_is_no_pem(void **state)
{
	struct judging *f = *state;
	struct cs_buf pem;

	judging_start(f);
	judging_octets(f, JUDGING_SCALARS, CS_SPAN_LIT("hello"));
	assert_refused(f, "CSR_MALFORMED");
	assert_string_equal(judging_member(f, "code"), "CSR_MALFORMED");
	/* What was received is what is kept. */
	assert_true(cs_span_equal_str(f->out.refusal.csr, "hello"));
	judging_octets(f, JUDGING_SCALARS, CS_SPAN_LIT(""));
	assert_refused(f, "CSR_MALFORMED");
	csr_make(&f->csr_maker, &f->csr);
	cs_buf_init(&pem, 10000);
	cs_codec_pem("PRIVATE KEY", cs_buf_span(&f->csr), &pem);
	judging_octets(f, JUDGING_SCALARS, cs_buf_span(&pem));
	assert_refused(f, "CSR_MALFORMED");
	cs_buf_done(&pem);
}

static void refuses_a_csr_with_every_violation(void **state)
{
	struct judging *f = *state;

	judging_start(f);
	f->csr_maker.version = CS_SPAN_LIT("\x01");
	f->csr_maker.sig_alg = cs_sigalg_der(CS_SIG_RSA_SHA256);
	judging_csr(f, JUDGING_SCALARS);
	assert_refused(f, "CSR_MALFORMED");
	assert_refused(f, "CSR_ALGORITHM");
	assert_string_equal(judging_member(f, "code"), "CSR_MALFORMED");
	assert_true(has_term(f->out.refusal.terms, CS_TERM_CODE,
			     CS_SPAN_LIT("CSR_ALGORITHM")));
	assert_true(has_term(f->out.refusal.terms, CS_TERM_VERDICT,
			     CS_SPAN_LIT("refused")));
}

static void refuses_what_policy_does_not_allow(void **state)
{
	struct judging *f = *state;

	judging_start(f);
	judging_csr(f, "{\"duration\":\"9000h\",\"isCA\":true}");
	assert_refused(f, "VALIDITY_TOO_LONG");
	assert_refused(f, "BASIC_CONSTRAINTS_NOT_ALLOWED");
	assert_string_equal(judging_member(f, "code"), "REFUSED");
}

static void refuses_an_unknown_issuer(void **state)
{
	struct judging *f = *state;
	struct cs_msg_request m;
	struct cs_error err = {0};
	struct cs_buf again;

	judging_start(f);
	csr_make(&f->csr_maker, &f->csr);
	cs_buf_reset(&f->request);
	judge_make_request(JUDGING_SCALARS, cs_buf_span(&f->csr), &f->request);
	assert_true(cs_msg_request_decode(cs_buf_span(&f->request), &m, NULL));
	m.issuer = CS_SPAN_LIT("nobody");
	cs_buf_init(&again, 100000);
	cs_msg_request_encode(&m, &again);
	assert_true(
		cs_judge_request(f->judge, cs_buf_span(&again), &f->out, &err));
	json_decref(f->body);
	f->body = cs_json_parse(f->out.refusal.body, "body", NULL);
	assert_refused(f, "ISSUER_UNKNOWN");
	cs_buf_done(&again);
}

static void refuses_what_only_the_ceiling_forbids(void **state)
{
	struct judging *f = *state;
	int64_t before = f->maker.ceiling.max_validity_s;

	judging_start(f);
	f->maker.ceiling.max_validity_s = 86400;
	judging_csr(f, JUDGING_SCALARS);
	f->maker.ceiling.max_validity_s = before;
	assert_refused(f, "CA_CEILING");
}

static void refuses_what_only_the_lint_forbids(void **state)
{
	/* What a request asks in vain is dropped; what a policy sets is not. */
	static const char yaml[] =
		"apiVersion: countersign.dev/v1\n"
		"kind: IssuancePolicy\n"
		"metadata: {name: web}\n"
		"spec:\n"
		"  subject: {commonName: {allow: [any]}}\n"
		"  san: {dns: {allow: [any]}}\n"
		"  extensions:\n"
		"    key_usage: {set: [digital signature, key encipherment]}\n";
	struct judging *f = *state;

	judging_start(f);
	judging_put_set(f, yaml, 6);
	judging_csr(f, JUDGING_SCALARS);
	assert_refused(f, "LINT");
	judging_put_set(f, NULL, 5);
}

static void refuses_under_an_expired_ca(void **state)
{
	struct judging *f = *state;
	int64_t before = judging_now_ms;

	judging_start(f);
	judging_now_ms = (f->maker.ca->not_after_s + 10) * 1000;
	judging_csr(f, JUDGING_SCALARS);
	judging_now_ms = before;
	assert_refused(f, "CA_EXPIRY");
}

static void overrides_and_says_so(void **state)
{
	static const char yaml[] =
		"apiVersion: countersign.dev/v1\n"
		"kind: IssuancePolicy\n"
		"metadata: {name: web}\n"
		"spec:\n"
		"  subject:\n"
		"    unlisted: reject\n"
		"    commonName: {max: 1, allow: [any], in_san: require}\n"
		"    organization: {set: Example Corp}\n"
		"  san:\n"
		"    dns: {allow: [{dns: .corp.example}]}\n";
	struct judging *f = *state;
	const json_t *first;

	judging_start(f);
	judging_put_set(f, yaml, 6);
	judging_csr(f, JUDGING_SCALARS);
	if (!f->out.issue)
		fail_msg("%s", json_dumps(f->body, 0));
	assert_true(json_is_true(json_object_get(f->body, "changed")));
	first = json_array_get(json_object_get(f->body, "diff"), 0);
	assert_non_null(first);
	assert_int_equal(f->out.intent.epoch, 6);
	assert_non_null(memmem(f->out.intent.tbs.p, f->out.intent.tbs.n,
			       "Example Corp", 12));
	assert_true(has_term(f->out.intent.terms, CS_TERM_FLAG,
			     CS_SPAN_LIT("changed")));
	judging_put_set(f, NULL, 5);
}

/* A policy that gives or passes on every kind of extension. */
#define GIVEN                                                                  \
	"apiVersion: countersign.dev/v1\n"                                     \
	"kind: IssuancePolicy\n"                                               \
	"metadata: {name: given}\n"                                            \
	"spec:\n"                                                              \
	"  subject: {commonName: {allow: [any]}}\n"                            \
	"  san: {dns: {allow: [any]}}\n"                                       \
	"  extensions:\n"                                                      \
	"    policies: {set: [2.23.140.1.2.1]}\n"                              \
	"    aia: {ocsp: [\"http://o.example/\"], ca_issuers: "                \
	"[\"http://c.example/ca.crt\"]}\n"                                     \
	"    pass: [{oid: 1.3.6.1.5.5.7.1.24, max_bytes: 16}]\n"               \
	"    add: [{oid: 1.3.6.1.4.1.99999.1, der: \"0c026869\"}]\n"

/* The intent's TBS as facts, in an arena that the caller ends. */
static struct cs_tbs_facts facts_of(const struct judging *f,
				    struct cs_arena *arena)
{
	struct cs_hash *hash = cs_hash_new(NULL);
	struct cs_error err = {0};
	struct cs_tbs_facts t;

	if (!f->out.issue)
		fail_msg("%s", json_dumps(f->body, 0));
	cs_arena_init(arena, 1000000);
	if (!cs_tbs_facts_read(hash, f->out.intent.tbs, arena, &t, &err))
		fail_msg("%s", err.text);
	cs_hash_free(hash);
	return t;
}

static void issues_the_extensions_that_policy_gives(void **state)
{
	struct judging *f = *state;
	struct cs_issuer_ca ca = *f->maker.ca;
	struct cs_tbs_facts t;
	struct cs_arena arena;

	ca.crl_url = CS_SPAN_LIT("http://crl.example");
	ca.crl_shards = 1;
	ca.ocsp_url = CS_SPAN_LIT("http://ocsp.example/ocsp");
	f->issuer.ca = &ca;
	judging_put_set(f, GIVEN, 6);
	judging_start(f);
	cs_buf_reset(&f->parts);
	csr_ext_san(&f->parts, CS_DER_CONTEXT(2),
		    CS_SPAN_LIT("web.corp.example"));
	csr_ext(&f->parts, CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x01\x18"),
		false, CS_SPAN_LIT("\x30\x03\x02\x01\x05"));
	f->csr_maker.extensions = cs_buf_span(&f->parts);
	judging_csr(f, JUDGING_SCALARS);
	t = facts_of(f, &arena);
	assert_int_equal(t.policies_n, 1);
	assert_int_equal(t.ocsp_urls_n, 1);
	assert_true(cs_span_equal_str(t.ocsp_urls[0], "http://o.example/"));
	assert_int_equal(t.ca_issuers_urls_n, 1);
	assert_int_equal(t.crl_urls_n, 1);
	assert_true(
		cs_span_equal_str(t.crl_urls[0], "http://crl.example/0.crl"));
	assert_int_equal(t.cert.extensions_n, 2);
	assert_true(cs_span_equal(t.cert.extensions[0].value,
				  CS_SPAN_LIT("\x30\x03\x02\x01\x05")));
	assert_true(
		cs_span_equal_str(t.cert.extensions[1].value, "\x0c\x02hi"));
	cs_arena_done(&arena);

	judging_put_set(
		f, GIVEN "    crl_dp: [\"http://other.example/1.crl\"]\n", 7);
	judging_csr(f, JUDGING_SCALARS);
	t = facts_of(f, &arena);
	assert_int_equal(t.crl_urls_n, 1);
	assert_true(
		cs_span_equal_str(t.crl_urls[0], "http://other.example/1.crl"));
	cs_arena_done(&arena);
	f->issuer.ca = f->maker.ca;
	judging_put_set(f, NULL, 5);
}

static void no_rev_avail_leaves_the_issuers_crl_out(void **state)
{
	struct judging *f = *state;
	struct cs_issuer_ca ca = *f->maker.ca;
	struct cs_tbs_facts t;
	struct cs_arena arena;

	ca.crl_url = CS_SPAN_LIT("http://crl.example");
	ca.crl_shards = 1;
	ca.ocsp_url = CS_SPAN_LIT("http://ocsp.example/ocsp");
	f->issuer.ca = &ca;
	judging_put_set(f,
			"apiVersion: countersign.dev/v1\n"
			"kind: IssuancePolicy\n"
			"metadata: {name: short}\n"
			"spec:\n"
			"  subject: {commonName: {allow: [any]}}\n"
			"  san: {dns: {allow: [any]}}\n"
			"  extensions: {no_rev_avail: true}\n",
			6);
	judging_start(f);
	judging_csr(f, JUDGING_SCALARS);
	t = facts_of(f, &arena);
	assert_int_equal(t.crl_urls_n, 0);
	assert_int_equal(t.ocsp_urls_n, 0);
	assert_int_equal(t.cert.extensions_n, 1);
	/*= RFC 9608 2 */
	assert_true(
		cs_span_equal_str(t.cert.extensions[0].oid, "\x55\x1d\x38"));
	assert_true(cs_span_equal(t.cert.extensions[0].value,
				  CS_SPAN_LIT("\x05\x00")));
	assert_false(t.cert.extensions[0].critical);
	cs_arena_done(&arena);
	/* Where policy says nothing, the issuer's locations stand. */
	judging_put_set(f, NULL, 7);
	judging_csr(f, JUDGING_SCALARS);
	t = facts_of(f, &arena);
	assert_int_equal(t.crl_urls_n, 1);
	assert_int_equal(t.ocsp_urls_n, 1);
	assert_true(cs_span_equal(t.ocsp_urls[0], ca.ocsp_url));
	cs_arena_done(&arena);
	f->issuer.ca = f->maker.ca;
	judging_put_set(f, NULL, 5);
}

static void tells_the_ledger_what_to_count(void **state)
{
	struct judging *f = *state;
	struct cs_limit got;
	struct cs_span list;
	bool bad = false;

	judging_put_set(
		f,
		"apiVersion: countersign.dev/v1\n"
		"kind: IssuancePolicy\n"
		"metadata: {name: few}\n"
		"spec:\n"
		"  subject: {commonName: {allow: [any]}}\n"
		"  san: {dns: {allow: [any]}}\n"
		"  key: {allow: [{alg: EC}], reuse: {other_subject: reject}}\n"
		"  limits: [{id: all, key: k, rate: 6/1h, on_violation: "
		"hold}]\n",
		6);
	judging_start(f);
	judging_csr(f, JUDGING_SCALARS);
	assert_true(f->out.issue);
	list = f->out.intent.limits;
	assert_true(cs_limit_next(&list, &got, &bad));
	assert_int_equal(got.disposition, CS_LIMIT_KEY_OTHER_SUBJECT);
	assert_true(cs_limit_next(&list, &got, &bad));
	assert_int_equal(got.disposition, CS_LIMIT_HOLD);
	assert_int_equal(got.count, 6);
	assert_true(cs_span_equal_str(got.rule, "few/limits.all"));
	assert_false(cs_limit_next(&list, &got, &bad));
	assert_false(bad);
	judging_put_set(f, NULL, 5);
}

static void a_ca_that_policy_allows_is_beyond_the_ceiling(void **state)
{
	struct judging *f = *state;

	judging_put_set(f,
			"apiVersion: countersign.dev/v1\n"
			"kind: IssuancePolicy\n"
			"metadata: {name: ca}\n"
			"spec:\n"
			"  subject: {commonName: {allow: [any]}}\n"
			"  san: {dns: {allow: [any]}}\n"
			"  extensions:\n"
			"    key_usage: {set: [cert sign, crl sign]}\n"
			"    basic_constraints: {ca: true, path_len: 0}\n",
			6);
	judging_start(f);
	judging_csr(f, "{\"isCA\":true}");
	assert_refused(f, "CA_CEILING");
	judging_put_set(f, NULL, 5);
}

static void records_vars_and_what_shadows_would_do(void **state)
{
	static const char yaml[] =
		"apiVersion: countersign.dev/v1\n"
		"kind: IssuancePolicy\n"
		"metadata: {name: web}\n"
		"spec:\n"
		"  mode: warn\n"
		"  match: {namespaceLabels: {tier: web}}\n"
		"  vars: {env: '{{request.attributes.env}}', pods: "
		"'{{requester.extra[\"k8s/pod\"]}}'}\n"
		"  subject: {commonName: {allow: [any]}}\n"
		"  san:\n"
		"    dns: {allow: [{dns: '.{{env}}.example'}]}\n"
		"---\n"
		"apiVersion: countersign.dev/v1\n"
		"kind: IssuancePolicy\n"
		"metadata: {name: later}\n"
		"spec: {mode: shadow, match: {namespace: shop}}\n";
	static const char scalars[] =
		"{\"attributes\":{\"env\":\"prod\"},\"issuer\":\"default\","
		"\"namespace\":\"shop\",\"namespace_labels\":{\"team\":"
		"\"shop\",\"tier\":\"web\"},\"requester\":\"alice\","
		"\"requester_extra\":{\"k8s/pod\":[\"a\",\"b\"]}}";
	static const char vars[] =
		"\"vars\":[{\"name\":\"env\",\"value\":\"prod\"},"
		"{\"name\":\"pods\",\"value\":[\"a\",\"b\"]}]";
	struct judging *f = *state;
	struct cs_span inputs;
	json_t *json, *shadow;

	judging_start(f);
	judging_put_set(f, yaml, 6);
	judging_csr(f, scalars);
	if (!f->out.issue)
		fail_msg("%s", json_dumps(f->body, 0));
	assert_true(json_array_size(json_object_get(f->body, "warnings")) > 0);
	assert_true(has_term(f->out.intent.terms, CS_TERM_FLAG,
			     CS_SPAN_LIT("warned")));
	assert_true(has_term(f->out.intent.terms, CS_TERM_CODE,
			     CS_SPAN_LIT("SAN_DNS_NOT_ALLOWED")));
	inputs = f->out.intent.inputs;
	assert_non_null(memmem(inputs.p, inputs.n, vars, strlen(vars)));
	json = cs_json_parse(inputs, "inputs", NULL);
	shadow = json_array_get(json_object_get(json, "shadow"), 0);
	assert_string_equal(
		json_string_value(json_object_get(shadow, "policy")), "later");
	assert_string_equal(
		json_string_value(json_object_get(shadow, "verdict")),
		"refused");
	assert_true(json_array_size(json_object_get(shadow, "codes")) > 0);
	json_decref(json);
	/* Without its label the namespace has no policy. */
	judging_start(f);
	judging_csr(f, JUDGING_SCALARS);
	assert_refused(f, "NO_POLICY");
	assert_null(memmem(f->out.refusal.inputs.p, f->out.refusal.inputs.n,
			   "vars", 4));
	judging_put_set(f, NULL, 5);
}

static void refuses_scalars_of_other_kinds(void **state)
{
	static const char *const texts[] = {
		"{\"attributes\":[]}",
		"{\"attributes\":{\"a\":1}}",
		"{\"namespace_labels\":\"a\"}",
		"{\"requester_extra\":[]}",
		"{\"requester_extra\":{\"a\":\"b\"}}",
		"{\"requester_extra\":{\"a\":[1]}}",
	};
	struct judging *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct cs_error err = {0};

		judging_start(f);
		csr_make(&f->csr_maker, &f->csr);
		cs_buf_reset(&f->request);
		judge_make_request(texts[i], cs_buf_span(&f->csr), &f->request);
		assert_false(cs_judge_request(
			f->judge, cs_buf_span(&f->request), &f->out, &err));
		assert_int_equal(err.code, CS_E_PROTOCOL);
	}
}

static void binds_a_key_to_its_names_in_any_order(void **state)
{
	struct judging *f = *state;
	static const char *const orders[2][2] = {{"a.example", "b.example"},
						 {"b.example", "a.example"}};
	uint8_t keys[2][32];

	for (size_t i = 0; i < 2; i++) {
		struct cs_buf san;
		size_t seq;

		judging_start(f);
		cs_buf_init(&san, 1000);
		seq = cs_der_write_begin(&san, CS_DER_SEQUENCE);
		for (size_t k = 0; k < 2; k++)
			cs_der_write(&san, CS_DER_CONTEXT(2),
				     cs_span_str(orders[i][k]));
		cs_der_write_end(&san, seq);
		cs_buf_reset(&f->parts);
		csr_ext(&f->parts, CS_SPAN_LIT(CS_OID_SUBJECT_ALT_NAME), true,
			cs_buf_span(&san));
		f->csr_maker.extensions = cs_buf_span(&f->parts);
		f->csr_maker.subject = CS_SPAN_LIT("\x30\0");
		judging_csr(f, JUDGING_SCALARS);
		assert_true(f->out.issue);
		memcpy(keys[i], f->out.intent.subject_key, 32);
		cs_buf_done(&san);
	}
	assert_memory_equal(keys[0], keys[1], 32);
}

static void malformed_messages_decide_nothing(void **state)
{
	struct judging *f = *state;
	struct cs_error err = {0};

	assert_false(cs_judge_request(f->judge, CS_SPAN_LIT("noise"), &f->out,
				      &err));
	assert_int_equal(err.code, CS_E_PROTOCOL);
	judging_start(f);
	csr_make(&f->csr_maker, &f->csr);
	cs_buf_reset(&f->request);
	judge_make_request("{\"isCA\":3}", cs_buf_span(&f->csr), &f->request);
	assert_false(cs_judge_request(f->judge, cs_buf_span(&f->request),
				      &f->out, &err));
	assert_int_equal(err.code, CS_E_PROTOCOL);
	cs_buf_reset(&f->request);
	judge_make_request("nonsense", cs_buf_span(&f->csr), &f->request);
	assert_false(cs_judge_request(f->judge, cs_buf_span(&f->request),
				      &f->out, &err));
	assert_int_equal(err.code, CS_E_PROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issues_what_policy_decided),
		cmocka_unit_test(files_terms_for_an_auditor),
		cmocka_unit_test(takes_pem_of_both_labels),
		cmocka_unit_test(refuses_text_that_is_no_pem),
		cmocka_unit_test(refuses_a_csr_with_every_violation),
		cmocka_unit_test(refuses_what_policy_does_not_allow),
		cmocka_unit_test(refuses_an_unknown_issuer),
		cmocka_unit_test(refuses_what_only_the_ceiling_forbids),
		cmocka_unit_test(refuses_what_only_the_lint_forbids),
		cmocka_unit_test(refuses_under_an_expired_ca),
		cmocka_unit_test(overrides_and_says_so),
		cmocka_unit_test(issues_the_extensions_that_policy_gives),
		cmocka_unit_test(no_rev_avail_leaves_the_issuers_crl_out),
		cmocka_unit_test(tells_the_ledger_what_to_count),
		cmocka_unit_test(a_ca_that_policy_allows_is_beyond_the_ceiling),
		cmocka_unit_test(records_vars_and_what_shadows_would_do),
		cmocka_unit_test(refuses_scalars_of_other_kinds),
		cmocka_unit_test(binds_a_key_to_its_names_in_any_order),
		cmocka_unit_test(malformed_messages_decide_nothing),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/judge", tests,
					    judging_set_up, judging_tear_down));
}
