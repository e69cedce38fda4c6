#include <tests/lib/test.h>

#include <string.h>

#include "api/decide.h"
#include "api/submit.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/limits.h"

#define CSR "-----BEGIN CERTIFICATE REQUEST-----\\nMIIB\\n"

static const struct cs_front_issuer issuers[] = {
	{.name = "default", .self_approval = true},
	{.name = "strict", .self_approval = false},
};

/* A client with everything that a submission needs around it. */
struct fixture {
	struct cs_hash *hash;
	struct cs_arena arena;
	struct cs_span issuer_list[1];
	struct cs_span namespace_list[1];
	struct cs_span group_list[1];
	struct cs_client client;
	struct cs_principal who;
	struct cs_submit s;
	struct cs_msg_request m;
	struct cs_problem p;
};

static struct fixture *setup(unsigned rights)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.hash = cs_hash_new(NULL);
	assert_non_null(f.hash);
	cs_arena_init(&f.arena, CS_MAX_REQUEST_ARENA);
	f.client = (struct cs_client){
		.id = 7,
		.name = CS_SPAN_LIT("web"),
		.realm = CS_SPAN_LIT("prod"),
		.rights = rights,
		.all_issuers = true,
		.all_namespaces = true,
	};
	f.who = (struct cs_principal){
		.client = &f.client, .credential = 11, .uid = -1};
	f.s = (struct cs_submit){
		.who = &f.who,
		.now_ms = 1790000000000,
		.issuers = issuers,
		.issuers_n = 2,
		.hash = f.hash,
		.arena = &f.arena,
	};
	return &f;
}

static void teardown(struct fixture *f)
{
	cs_arena_done(&f->arena);
	cs_hash_free(f->hash);
}

static bool submit(struct fixture *f, const char *body)
{
	f->s.body = cs_span_str(body);
	return cs_submit_request(&f->s, &f->m, &f->p);
}

static void assert_span(struct cs_span s, const char *text)
{
	if (!cs_span_equal_str(s, text))
		fail_msg("\"%.*s\" is not \"%s\"", CS_SPAN_FMT(s), text);
}

#define ALL                                                                    \
	(CS_RIGHT_SUBMIT | CS_RIGHT_APPROVE | CS_RIGHT_GATEWAY | CS_RIGHT_AUDIT)

static void refuses_a_body_naming_field_and_value(void **state)
{
	static const struct {
		const char *body;
		enum cs_problem_code code;
		const char *field;
		const char *part; /* of the sentence */
	} cases[] = {
		{"", CS_PROBLEM_BAD_JSON, "", "body: line 1"},
		{"[]", CS_PROBLEM_BAD_JSON, "", "a JSON object is needed"},
		{"{\"csr\":\"a\",\"csr\":\"b\"}", CS_PROBLEM_BAD_JSON, "",
		 "duplicate"},
		{"{\"csr\":\"a\"} x", CS_PROBLEM_BAD_JSON, "", "line 1"},
		{"{}", CS_PROBLEM_BAD_FIELD, "csr", "csr: it is missing"},
		{"{\"csr\":1}", CS_PROBLEM_BAD_FIELD, "csr",
		 "csr: a number (1) stands where a string is needed"},
		{"{\"csr\":\"\"}", CS_PROBLEM_BAD_FIELD, "csr",
		 "an empty string"},
		{"{\"csr\":\"a\",\"cn\":\"x\"}", CS_PROBLEM_UNKNOWN_FIELD, "cn",
		 "cn: there is no such field"},
		{"{\"csr\":\"a\",\"issuer\":null}", CS_PROBLEM_BAD_FIELD,
		 "issuer", "null (null) stands where a string"},
		{"{\"csr\":\"a\",\"issuer\":\"nope\"}",
		 CS_PROBLEM_UNKNOWN_ISSUER, "issuer", "\"nope\""},
		{"{\"csr\":\"a\",\"duration\":\"soon\"}", CS_PROBLEM_BAD_FIELD,
		 "duration", "duration: "},
		{"{\"csr\":\"a\",\"duration\":\"0s\"}", CS_PROBLEM_BAD_FIELD,
		 "duration", "no time at all"},
		{"{\"csr\":\"a\",\"isCA\":\"yes\"}", CS_PROBLEM_BAD_FIELD,
		 "isCA", "(\"yes\") stands where true or false"},
		{"{\"csr\":\"a\",\"usages\":\"server auth\"}",
		 CS_PROBLEM_BAD_FIELD, "usages", "an array is needed"},
		{"{\"csr\":\"a\",\"usages\":[]}", CS_PROBLEM_BAD_FIELD,
		 "usages", "an empty list"},
		{"{\"csr\":\"a\",\"usages\":[\"server auth\",2]}",
		 CS_PROBLEM_BAD_FIELD, "usages[1]", "a string is needed"},
		{"{\"csr\":\"a\",\"usages\":[\"Server Auth\"]}",
		 CS_PROBLEM_BAD_FIELD, "usages[0]", "\"Server Auth\""},
		{"{\"csr\":\"a\",\"usages\":[\"any\",\"any\"]}",
		 CS_PROBLEM_BAD_FIELD, "usages[1]", "stands twice"},
		{"{\"csr\":\"a\",\"requester\":{\"groups\":[]}}",
		 CS_PROBLEM_BAD_FIELD, "requester.username", "missing"},
		{"{\"csr\":\"a\",\"requester\":{\"username\":\"a\",\"x\":1}}",
		 CS_PROBLEM_UNKNOWN_FIELD, "requester.x", "no such field"},
		{"{\"csr\":\"a\",\"requester\":\"a\\u0007\"}",
		 CS_PROBLEM_BAD_FIELD, "requester", "control character"},
		{"{\"csr\":\"a\",\"approval\":{\"claimed_by\":\"bob\"}}",
		 CS_PROBLEM_BAD_FIELD, "approval", "Approved=True"},
		{"{\"csr\":\"a\",\"conditions\":{}}", CS_PROBLEM_BAD_FIELD,
		 "conditions", "an array is needed"},
		{"{\"csr\":\"a\",\"conditions\":[1]}", CS_PROBLEM_BAD_FIELD,
		 "conditions[0]", "no object"},
		{"{\"csr\":\"a\",\"conditions\":[{\"type\":\"Approved\","
		 "\"status\":true}]}",
		 CS_PROBLEM_BAD_FIELD, "conditions[0].status",
		 "a boolean (true) stands where a string"},
		{"{\"csr\":\"a\",\"conditions\":[{\"type\":\"Approved\","
		 "\"status\":\"true\"}]}",
		 CS_PROBLEM_BAD_FIELD, "conditions[0].status", "\"true\""},
		{"{\"csr\":\"a\",\"conditions\":[{\"type\":\"A\",\"status\":"
		 "\"True\"},{\"type\":\"A\",\"status\":\"False\"}]}",
		 CS_PROBLEM_BAD_FIELD, "conditions[1].type",
		 "stands in conditions[0]"},
		{"{\"csr\":\"a\",\"attributes\":{\"env\":3}}",
		 CS_PROBLEM_BAD_FIELD, "attributes[\"env\"]",
		 "a string is needed"},
	};
	struct fixture *f = setup(ALL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(submit(f, cases[i].body));
		if (f->p.code != cases[i].code ||
		    strcmp(f->p.field, cases[i].field) != 0 ||
		    strstr(f->p.detail, cases[i].part) == NULL)
			fail_msg("%s: %s %s \"%s\"", cases[i].body,
				 cs_problem_name(f->p.code), f->p.field,
				 f->p.detail);
	}
	teardown(f);
}

static void only_a_gateway_states_who_asked(void **state)
{
	static const struct {
		const char *member;
		const char *field;
	} cases[] = {
		{"\"requester\":\"alice\"", "requester"},
		{"\"namespace\":\"shop\"", "namespace"},
		{"\"namespace_labels\":{}", "namespace_labels"},
		{"\"owner\":\"x\"", "owner"},
		{"\"renewal\":false", "renewal"},
		{"\"source\":\"kubernetes\"", "source"},
		{"\"approval\":{\"claimed_by\":\"b\"},\"conditions\":[{"
		 "\"type\":\"Approved\",\"status\":\"True\"}]",
		 "approval"},
	};
	struct fixture *f = setup(CS_RIGHT_SUBMIT | CS_RIGHT_APPROVE);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char body[256];

		(void)snprintf(body, sizeof(body), "{\"csr\":\"a\",%s}",
			       cases[i].member);
		f->client.rights = CS_RIGHT_SUBMIT | CS_RIGHT_APPROVE;
		assert_false(submit(f, body));
		assert_int_equal(f->p.code, CS_PROBLEM_FORBIDDEN);
		assert_string_equal(f->p.field, cases[i].field);
		assert_non_null(strstr(f->p.detail, "right gateway"));
		f->client.rights = ALL;
		assert_true(submit(f, body));
	}
	teardown(f);
}

static void the_way_in_is_what_a_gateway_says_or_the_api(void **state)
{
	struct fixture *f = setup(ALL);

	(void)state;
	assert_true(submit(f, "{\"csr\":\"a\"}"));
	assert_true(cs_span_equal_str(f->m.source, "api"));
	assert_true(submit(f, "{\"csr\":\"a\",\"source\":\"kubernetes\"}"));
	assert_true(cs_span_equal_str(f->m.source, "kubernetes"));
	assert_false(submit(f, "{\"csr\":\"a\",\"source\":\"listener\"}"));
	assert_int_equal(f->p.code, CS_PROBLEM_BAD_FIELD);
	teardown(f);
}

static void a_gateway_speaks_for_its_namespaces_only(void **state)
{
	struct fixture *f = setup(CS_RIGHT_SUBMIT | CS_RIGHT_GATEWAY);

	(void)state;
	f->namespace_list[0] = CS_SPAN_LIT("shop");
	f->client.all_namespaces = false;
	f->client.namespaces = f->namespace_list;
	f->client.namespaces_n = 1;
	assert_true(submit(f, "{\"csr\":\"a\",\"namespace\":\"shop\"}"));
	assert_false(submit(f, "{\"csr\":\"a\",\"namespace\":\"pay\"}"));
	assert_int_equal(f->p.code, CS_PROBLEM_FORBIDDEN);
	assert_non_null(strstr(f->p.detail, "\"pay\""));
	assert_false(submit(f, "{\"csr\":\"a\"}"));
	assert_int_equal(f->p.code, CS_PROBLEM_FORBIDDEN);
	teardown(f);
}

static void a_right_is_for_its_issuers_only(void **state)
{
	struct fixture *f = setup(CS_RIGHT_SUBMIT);

	(void)state;
	f->issuer_list[0] = CS_SPAN_LIT("strict");
	f->client.all_issuers = false;
	f->client.issuers = f->issuer_list;
	f->client.issuers_n = 1;
	assert_true(submit(f, "{\"csr\":\"a\",\"issuer\":\"strict\"}"));
	assert_false(submit(f, "{\"csr\":\"a\"}"));
	assert_int_equal(f->p.code, CS_PROBLEM_FORBIDDEN);
	assert_non_null(strstr(f->p.detail, "\"default\""));
	teardown(f);
}

static void an_evaluation_states_anything_where_audit_is_held(void **state)
{
	struct fixture *f = setup(CS_RIGHT_AUDIT);

	(void)state;
	f->issuer_list[0] = CS_SPAN_LIT("strict");
	f->client.all_issuers = false;
	f->client.issuers = f->issuer_list;
	f->client.issuers_n = 1;
	f->s.flags = CS_SUBMIT_EVALUATE | CS_SUBMIT_DRY_RUN;
	assert_true(submit(f, "{\"csr\":\"a\",\"issuer\":\"strict\","
			      "\"namespace\":\"pay\",\"realm\":\"test\","
			      "\"requester\":\"bob\",\"source\":"
			      "\"kubernetes\"}"));
	assert_span(f->m.realm, "test");
	assert_span(f->m.source, "kubernetes");
	assert_int_equal(f->m.flags, CS_REQ_DRY_RUN);
	assert_false(submit(f, "{\"csr\":\"a\",\"issuer\":\"strict\","
			       "\"source\":\"listener\"}"));
	assert_int_equal(f->p.code, CS_PROBLEM_BAD_FIELD);
	assert_false(submit(f, "{\"csr\":\"a\"}"));
	assert_int_equal(f->p.code, CS_PROBLEM_FORBIDDEN);
	assert_non_null(strstr(f->p.detail, "right audit"));
	assert_non_null(strstr(f->p.detail, "evaluate for: strict"));
	/* What is submitted has none of these fields. */
	f->s.flags = 0;
	assert_false(submit(f, "{\"csr\":\"a\",\"realm\":\"test\"}"));
	assert_int_equal(f->p.code, CS_PROBLEM_UNKNOWN_FIELD);
	teardown(f);
}

#define APPROVED                                                               \
	"\"conditions\":[{\"type\":\"Approved\",\"status\":\"True\","          \
	"\"reason\":\"Reviewed\",\"message\":\"ticket 4711\"}]"

static void an_approval_needs_the_right(void **state)
{
	struct fixture *f = setup(CS_RIGHT_SUBMIT | CS_RIGHT_GATEWAY);

	(void)state;
	assert_false(submit(f, "{\"csr\":\"a\"," APPROVED "}"));
	assert_int_equal(f->p.code, CS_PROBLEM_FORBIDDEN);
	assert_non_null(strstr(f->p.detail, "right approve"));
	/* Not approved is no approval. */
	assert_true(submit(f, "{\"csr\":\"a\",\"conditions\":[{\"type\":"
			      "\"Approved\",\"status\":\"False\"}]}"));
	assert_int_equal(f->m.flags, 0);
	assert_int_equal(f->m.approval.n, 0);
	teardown(f);
}

static void denied_wins_and_needs_no_right(void **state)
{
	struct fixture *f = setup(CS_RIGHT_SUBMIT);

	(void)state;
	assert_true(submit(
		f, "{\"csr\":\"a\",\"conditions\":[{\"type\":\"Denied\","
		   "\"status\":\"True\",\"reason\":\"no\"},{\"type\":"
		   "\"Approved\",\"status\":\"True\",\"reason\":\"y\"}]}"));
	assert_int_equal(f->m.flags, CS_REQ_DENIED);
	assert_span(f->m.approval, "{\"at\":1790000000000,\"by\":\"web\","
				   "\"reason\":\"no\"}");
	teardown(f);
}

static void nobody_approves_itself_unless_the_issuer_says_so(void **state)
{
	struct fixture *f = setup(ALL);

	(void)state;
	assert_true(submit(f, "{\"csr\":\"a\"," APPROVED "}"));
	assert_int_equal(f->m.flags, CS_REQ_APPROVED | CS_REQ_SELF);
	assert_span(f->m.approval,
		    "{\"at\":1790000000000,\"by\":\"web\",\"message\":"
		    "\"ticket 4711\",\"reason\":\"Reviewed\",\"self\":true}");
	assert_int_equal(f->m.approver_client, 7);
	assert_int_equal(f->m.approver_credential, 11);
	assert_false(submit(f, "{\"csr\":\"a\",\"issuer\":\"strict\"," APPROVED
			       "}"));
	assert_int_equal(f->p.code, CS_PROBLEM_SELF_APPROVAL);
	/* As a gateway, for somebody else, it is not itself. */
	assert_true(submit(f, "{\"csr\":\"a\",\"issuer\":\"strict\","
			      "\"requester\":\"alice\"," APPROVED "}"));
	assert_int_equal(f->m.flags, CS_REQ_APPROVED);
	/* Who is said to have approved asked. */
	assert_false(submit(f, "{\"csr\":\"a\",\"issuer\":\"strict\","
			       "\"requester\":\"alice\",\"approval\":"
			       "{\"claimed_by\":\"alice\"}," APPROVED "}"));
	assert_int_equal(f->p.code, CS_PROBLEM_SELF_APPROVAL);
	teardown(f);
}

static void takes_the_key_from_header_or_body(void **state)
{
	struct fixture *f = setup(ALL);

	(void)state;
	f->s.idempotency_key = CS_SPAN_LIT("k-1");
	assert_true(submit(f, "{\"csr\":\"a\"}"));
	assert_span(f->m.idem_key, "k-1");
	assert_true(submit(f, "{\"csr\":\"a\",\"uid\":\"k-1\"}"));
	assert_span(f->m.idem_key, "k-1");
	assert_false(submit(f, "{\"csr\":\"a\",\"uid\":\"k-2\"}"));
	assert_int_equal(f->p.code, CS_PROBLEM_BAD_FIELD);
	assert_string_equal(f->p.field, "uid");
	f->s.idempotency_key = (struct cs_span){0};
	assert_true(submit(f, "{\"csr\":\"a\",\"uid\":\"k-2\"}"));
	assert_span(f->m.idem_key, "k-2");
	f->s.idempotency_key = CS_SPAN_LIT("k 1");
	assert_false(submit(f, "{\"csr\":\"a\"}"));
	assert_int_equal(f->p.code, CS_PROBLEM_BAD_HEADER);
	teardown(f);
}

static void writes_scalars_in_canonical_form(void **state)
{
	struct fixture *f = setup(ALL);

	(void)state;
	f->group_list[0] = CS_SPAN_LIT("ops");
	f->client.groups = f->group_list;
	f->client.groups_n = 1;
	assert_true(submit(f, "{\"csr\":\"a\"}"));
	assert_span(f->m.scalars, "{\"groups\":[\"ops\"],\"issuer\":"
				  "\"default\",\"requester\":\"web\"}");
	assert_span(f->m.source, "api");
	assert_span(f->m.realm, "prod");
	f->s.flags = CS_SUBMIT_DRY_RUN;
	assert_true(submit(
		f, "{ \"usages\": [\"server auth\", \"1.3.6.1\"],\n"
		   "\"csr\":\"a\",\"uid\":\"u\",\"renewal\":true,"
		   "\"requester\":{\"username\":\"al\\u0069ce\",\"groups\":"
		   "[\"b\",\"a\"],\"extra\":{\"k\":[\"v\"]}},\"owner\":\"o\","
		   "\"namespace\":\"shop\",\"namespace_labels\":{\"tier\":"
		   "\"web\"},\"isCA\":false,\"duration\":\"24h\","
		   "\"conditions\":[{\"type\":\"Ready\",\"status\":"
		   "\"Unknown\"}],\"attributes\":{\"z\":\"\",\"env\":"
		   "\"prod\"}}"));
	assert_span(f->m.scalars,
		    "{\"attributes\":{\"env\":\"prod\",\"z\":\"\"},"
		    "\"conditions\":[{\"status\":\"Unknown\",\"type\":"
		    "\"Ready\"}],\"dry_run\":true,\"duration\":\"24h\","
		    "\"groups\":[\"b\",\"a\"],\"isCA\":false,\"issuer\":"
		    "\"default\",\"namespace\":\"shop\",\"namespace_labels\":"
		    "{\"tier\":\"web\"},\"owner\":\"o\",\"renewal\":true,"
		    "\"requester\":\"alice\",\"requester_extra\":{\"k\":"
		    "[\"v\"]},\"uid\":\"u\",\"usages\":[\"server auth\","
		    "\"1.3.6.1\"]}");
	assert_int_equal(f->m.flags, CS_REQ_DRY_RUN);
	teardown(f);
}

/* The digest of a literal, for comparison. */
static void assert_fingerprint(struct fixture *f, const char *canonical)
{
	uint8_t digest[32];

	assert_true(
		cs_hash_sha256(f->hash, cs_span_str(canonical), digest, NULL));
	assert_memory_equal(digest, f->m.fingerprint, 32);
}

static void the_fingerprint_is_a_hash_of_what_was_asked(void **state)
{
	/* printf '{"csr":"a","issuer":"default","requester":"web"}' |
	   sha256sum */
	static const char golden[] = "0783bb807f5eba0a0328a7f336a5b679c1143dd01"
				     "1245f0d273ee0160063ba66";
	struct fixture *f = setup(ALL);
	CS_CLEANUP(cs_buf_done) struct cs_buf hex = {0};

	(void)state;
	cs_buf_init(&hex, 100);
	assert_true(submit(f, "{\"csr\":\"a\"}"));
	cs_codec_hex(cs_span_make(f->m.fingerprint, 32), &hex);
	assert_string_equal(cs_buf_str(&hex), golden);
	/* The rest is taken from the first submission. */
	assert_true(submit(f, "{\"csr\":\"a\",\"attributes\":{\"a\":\"b\"},"
			      "\"issuer\":\"default\"," APPROVED "}"));
	assert_fingerprint(f, "{\"csr\":\"a\",\"issuer\":\"default\","
			      "\"requester\":\"web\"}");
	assert_true(submit(
		f, "{\"csr\":\"" CSR "\",\"duration\":\"24h\",\"isCA\":true,"
		   "\"namespace\":\"shop\",\"owner\":\"o\",\"requester\":"
		   "\"alice\",\"usages\":[\"server auth\"]}"));
	assert_fingerprint(f, "{\"csr\":\"" CSR "\",\"duration\":\"24h\","
			      "\"isCA\":true,\"issuer\":\"default\","
			      "\"namespace\":\"shop\",\"owner\":\"o\","
			      "\"requester\":\"alice\",\"usages\":"
			      "[\"server auth\"]}");
	teardown(f);
}

/* A stored request of alice, through a gateway, and who decides about it. */
static struct cs_decide decision(struct fixture *f, struct cs_decide_body *body,
				 struct cs_msg_request *stored)
{
	*stored = (struct cs_msg_request){
		.id = {1, 2, 3},
		.client = 3,
		.credential = 4,
		.client_name = CS_SPAN_LIT("gw"),
		.issuer = CS_SPAN_LIT("strict"),
		.scalars = CS_SPAN_LIT("{\"issuer\":\"strict\","
				       "\"requester\":\"alice\"}"),
		.csr = CS_SPAN_LIT("der"),
	};
	memset(stored->fingerprint, 0xab, 32);
	return (struct cs_decide){
		.who = &f->who,
		.body = body,
		.stored = stored,
		.now_ms = 5,
		.issuers = issuers,
		.issuers_n = 2,
		.arena = &f->arena,
	};
}

#define AB4  "abababab"
#define AB32 AB4 AB4 AB4 AB4 AB4 AB4 AB4 AB4

static void an_approver_approves_what_it_looked_at(void **state)
{
	struct fixture *f = setup(CS_RIGHT_APPROVE);
	struct cs_decide_body body;
	struct cs_msg_request stored, m;
	struct cs_decide d = decision(f, &body, &stored);

	(void)state;
	assert_true(cs_decide_read(cs_span_str("{\"request_sha256\":\"" AB32
					       "\",\"reason\":\"fine\"}"),
				   CS_DECIDE_APPROVE, &f->arena, &body, &f->p));
	assert_true(cs_decide_approve(&d, &m, &f->p));
	assert_int_equal(m.flags, CS_REQ_KNOWN | CS_REQ_APPROVED);
	assert_int_equal(m.client, 3);
	assert_int_equal(m.approver_client, 7);
	assert_span(m.approval,
		    "{\"at\":5,\"by\":\"web\",\"reason\":\"fine\"}");
	assert_span(m.csr, "der");
	stored.fingerprint[31] ^= 1;
	assert_false(cs_decide_approve(&d, &m, &f->p));
	assert_int_equal(f->p.code, CS_PROBLEM_HASH_MISMATCH);
	assert_int_equal(cs_problem_status(f->p.code), 409);
	teardown(f);
}

static void who_asked_does_not_approve(void **state)
{
	struct fixture *f = setup(ALL);
	struct cs_decide_body body = {0};
	struct cs_msg_request stored, m;
	struct cs_decide d = decision(f, &body, &stored);

	(void)state;
	f->client.name = CS_SPAN_LIT("alice");
	assert_false(cs_decide_approve(&d, &m, &f->p));
	assert_int_equal(f->p.code, CS_PROBLEM_SELF_APPROVAL);
	stored.issuer = CS_SPAN_LIT("default");
	assert_true(cs_decide_approve(&d, &m, &f->p));
	assert_int_equal(m.flags, CS_REQ_KNOWN | CS_REQ_APPROVED | CS_REQ_SELF);
	/* Asking alone is no right to decide. */
	stored.issuer = CS_SPAN_LIT("strict");
	f->client.rights = CS_RIGHT_SUBMIT;
	assert_false(cs_decide_approve(&d, &m, &f->p));
	assert_int_equal(f->p.code, CS_PROBLEM_FORBIDDEN);
	teardown(f);
}

static void a_denial_may_leave_the_hash_out(void **state)
{
	struct fixture *f = setup(CS_RIGHT_APPROVE);
	struct cs_decide_body body;
	struct cs_msg_request stored;
	struct cs_msg_deny m;
	struct cs_decide d = decision(f, &body, &stored);

	(void)state;
	assert_true(cs_decide_read((struct cs_span){0}, CS_DECIDE_DENY,
				   &f->arena, &body, &f->p));
	assert_true(cs_decide_deny(&d, &m, &f->p));
	assert_memory_equal(m.id, stored.id, 16);
	assert_memory_equal(m.fingerprint, stored.fingerprint, 32);
	assert_span(m.approval, "{\"at\":5,\"by\":\"web\"}");
	assert_false(cs_decide_read(cs_span_str("{}"), CS_DECIDE_APPROVE,
				    &f->arena, &body, &f->p));
	assert_string_equal(f->p.field, "request_sha256");
	teardown(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_a_body_naming_field_and_value),
		cmocka_unit_test(only_a_gateway_states_who_asked),
		cmocka_unit_test(the_way_in_is_what_a_gateway_says_or_the_api),
		cmocka_unit_test(a_gateway_speaks_for_its_namespaces_only),
		cmocka_unit_test(a_right_is_for_its_issuers_only),
		cmocka_unit_test(
			an_evaluation_states_anything_where_audit_is_held),
		cmocka_unit_test(an_approval_needs_the_right),
		cmocka_unit_test(denied_wins_and_needs_no_right),
		cmocka_unit_test(
			nobody_approves_itself_unless_the_issuer_says_so),
		cmocka_unit_test(takes_the_key_from_header_or_body),
		cmocka_unit_test(writes_scalars_in_canonical_form),
		cmocka_unit_test(the_fingerprint_is_a_hash_of_what_was_asked),
		cmocka_unit_test(an_approver_approves_what_it_looked_at),
		cmocka_unit_test(who_asked_does_not_approve),
		cmocka_unit_test(a_denial_may_leave_the_hash_out),
	};

	return cs_test_run("api/submit", tests);
}
