#include <tests/lib/test.h>

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "kube/object.h"
#include "kube/request.h"

#define META                                                                   \
	"\"metadata\":{\"name\":\"n\",\"namespace\":\"shop\",\"uid\":\"u\","   \
	"\"resourceVersion\":\"7\",\"generation\":1}"
#define REF                                                                    \
	"\"issuerRef\":{\"group\":\"countersign.dev\",\"kind\":\"Issuer\","    \
	"\"name\":\"ca\"}"
#define APPROVED "{\"type\":\"Approved\",\"status\":\"True\"}"
#define DENIED	 "{\"type\":\"Denied\",\"status\":\"True\",\"message\":\"no\"}"

/* Read it; the object lives until the next call. */
static struct cs_kube_request read_as(enum cs_kube_kind kind, const char *text)
{
	static json_t *object;
	struct cs_kube_request r = {0};

	json_decref(object);
	object = cs_kube_json(cs_span_str(text));
	assert_non_null(object);
	assert_true(cs_kube_request_read(kind, object, &r));
	return r;
}

static enum cs_kube_todo todo(const char *spec, const char *conditions)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		       "{" META ",\"spec\":{%s},"
		       "\"status\":{\"conditions\":[%s]}}",
		       spec, conditions);
	return read_as(CS_KUBE_CR, text).todo;
}

static void the_questions_are_asked_in_their_order(void **state)
{
	(void)state;
	assert_int_equal(todo(REF, ""), CS_KUBE_WAIT);
	assert_int_equal(todo(REF, APPROVED), CS_KUBE_SUBMIT);
	assert_int_equal(todo(REF, APPROVED "," DENIED), CS_KUBE_DENY);
	assert_int_equal(todo(REF, DENIED ",{\"type\":\"Ready\",\"status\":"
					  "\"False\",\"reason\":\"Denied\"}"),
			 CS_KUBE_IGNORE);
	assert_int_equal(todo(REF, APPROVED ",{\"type\":\"Ready\",\"status\":"
					    "\"True\",\"reason\":\"x\"}"),
			 CS_KUBE_IGNORE);
	assert_int_equal(todo(REF,
			      APPROVED ",{\"type\":\"Ready\",\"status\":"
				       "\"False\",\"reason\":\"Pending\"}"),
			 CS_KUBE_SUBMIT);
	assert_int_equal(todo(REF, APPROVED ",{\"type\":\"InvalidRequest\","
					    "\"status\":\"True\"}"),
			 CS_KUBE_IGNORE);
}

static void what_only_looks_like_an_approval_is_none(void **state)
{
	(void)state;
	assert_int_equal(
		todo(REF, "{\"type\":\"Approved\",\"status\":\"False\"}"),
		CS_KUBE_WAIT);
	assert_int_equal(
		todo(REF,
		     "{\"type\":\"Approved\\u0000x\",\"status\":\"True\"}"),
		CS_KUBE_WAIT);
	assert_int_equal(todo(REF, "{\"type\":\"Approved\",\"status\":true}"),
			 CS_KUBE_WAIT);
	assert_int_equal(todo(REF, "7"), CS_KUBE_WAIT);
}

static void only_our_group_and_kinds_are_ours(void **state)
{
	static const struct {
		const char *spec;
		enum cs_kube_todo todo;
	} cases[] = {
		{"\"issuerRef\":{\"group\":\"countersign.dev\",\"name\":\"a\"}",
		 CS_KUBE_SUBMIT},
		{"\"issuerRef\":{\"group\":\"countersign.dev\",\"kind\":\"\","
		 "\"name\":\"a\"}",
		 CS_KUBE_SUBMIT},
		{"\"issuerRef\":{\"group\":\"countersign.dev\",\"kind\":"
		 "\"ClusterIssuer\",\"name\":\"a\"}",
		 CS_KUBE_SUBMIT},
		{"\"issuerRef\":{\"group\":\"Countersign.dev\",\"name\":\"a\"}",
		 CS_KUBE_IGNORE},
		{"\"issuerRef\":{\"group\":\"\",\"name\":\"a\"}",
		 CS_KUBE_IGNORE},
		{"\"issuerRef\":{\"name\":\"a\"}", CS_KUBE_IGNORE},
		{"\"issuerRef\":{\"group\":\"countersign.dev\"}",
		 CS_KUBE_IGNORE},
		{"", CS_KUBE_IGNORE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(todo(cases[i].spec, APPROVED), cases[i].todo);
}

static void a_signer_names_a_cluster_issuer_or_is_not_ours(void **state)
{
	static const struct {
		const char *signer;
		const char *issuer; /* NULL: not ours */
	} cases[] = {
		{"clusterissuers.countersign.dev/a.b", "a.b"},
		{"clusterissuers.countersign.dev/", NULL},
		{"clusterissuers.countersign.dev", NULL},
		{"clusterissuers.countersign.dev/a/b", NULL},
		{"issuers.countersign.dev/shop.a", NULL},
		{"kubernetes.io/kubelet-serving", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cs_kube_request r;
		char text[1024];

		(void)snprintf(text, sizeof(text),
			       "{" META ",\"spec\":{\"signerName\":\"%s\"},"
			       "\"status\":{\"conditions\":[" APPROVED "]}}",
			       cases[i].signer);
		r = read_as(CS_KUBE_CSR, text);
		if (cases[i].issuer == NULL) {
			assert_int_equal(r.todo, CS_KUBE_IGNORE);
			continue;
		}
		assert_int_equal(r.todo, CS_KUBE_SUBMIT);
		assert_string_equal(r.issuer, cases[i].issuer);
		assert_true(r.cluster_issuer);
	}
}

static void a_spec_that_was_changed_is_refused(void **state)
{
	struct cs_kube_request r = read_as(
		CS_KUBE_CR,
		"{\"metadata\":{\"name\":\"n\",\"namespace\":\"s\",\"uid\":"
		"\"u\",\"resourceVersion\":\"1\",\"generation\":2},\"spec\":"
		"{" REF "},\"status\":{\"conditions\":[" APPROVED "]}}");

	(void)state;
	assert_int_equal(r.todo, CS_KUBE_REFUSE);
	assert_non_null(r.why);
}

static void a_name_is_no_path(void **state)
{
	static const char *const bad[] = {"",	 ".",	  "..",	 "../x", "a/b",
					  "a?b", "a%2fb", "a b", ".a"};

	(void)state;
	assert_true(cs_kube_is_name("shop-tls-1.x_y"));
	assert_false(cs_kube_is_name(NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(cs_kube_is_name(bad[i]));
}

/* Does the body of this object say so? */
static void says(const char *spec_and_status, const char *part)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out = {0};
	struct cs_kube_request r;
	struct cs_error err;
	char text[4096];

	(void)snprintf(text, sizeof(text), "{" META ",%s}", spec_and_status);
	r = read_as(CS_KUBE_CR, text);
	cs_buf_init(&out, CS_MAX_HTTP_BODY);
	assert_true(cs_kube_request_body(&r, "web", NULL, &out, &err));
	if (strstr(cs_buf_str(&out), part) == NULL)
		fail_msg("no %s in %s", part, cs_buf_str(&out));
}

#define SPEC "\"spec\":{" REF ",\"request\":\"QUJD\",\"username\":\"a\""

static void a_request_is_asked_as_it_stands(void **state)
{
	(void)state;
	says(SPEC "}", "{\"conditions\":[],\"csr\":\"ABC\",\"issuer\":\"web\","
		       "\"namespace\":\"shop\",\"requester\":{\"username\":"
		       "\"a\"},\"source\":\"kubernetes\",\"uid\":\"u\"}");
	says(SPEC ",\"isCA\":true,\"duration\":\"24h0m0s\"}",
	     "\"duration\":\"24h0m0s\",\"isCA\":true");
	says(SPEC ",\"usages\":[\"server auth\"],\"groups\":[\"g\"]}",
	     "\"groups\":[\"g\"]");
	/* Our own condition is not sent back, the others are. */
	says(SPEC "},\"status\":{\"conditions\":[{\"type\":\"Ready\","
		  "\"status\":\"False\"}," APPROVED "]}",
	     "\"conditions\":[{\"status\":\"True\",\"type\":\"Approved\"}]");
	/* What the API does not take of a message is a space there. */
	says(SPEC "},\"status\":{\"conditions\":[{\"type\":\"X\",\"status\":"
		  "\"True\",\"message\":\"a\\u001b\\u0085b\\nc\"}]}",
	     "\"message\":\"a  b\\nc\"");
}

static void what_is_refused_is_denied_in_what_is_asked(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out = {0};
	struct cs_kube_request r;
	struct cs_error err;

	(void)state;
	r = read_as(CS_KUBE_CR,
		    "{\"metadata\":{\"name\":\"n\",\"namespace\":\"s\",\"uid\":"
		    "\"u\",\"resourceVersion\":\"1\",\"generation\":2}," SPEC
		    "},\"status\":{\"conditions\":[" APPROVED
		    ",{\"type\":\"Denied\",\"status\":\"False\"}]}}");
	cs_buf_init(&out, CS_MAX_HTTP_BODY);
	assert_true(cs_kube_request_body(&r, "web", NULL, &out, &err));
	assert_non_null(strstr(cs_buf_str(&out),
			       "{\"message\":\"the spec was changed"));
	assert_non_null(strstr(cs_buf_str(&out),
			       "\"reason\":\"SpecChanged\",\"status\":"
			       "\"True\",\"type\":\"Denied\"}]"));
	assert_null(strstr(cs_buf_str(&out), "False"));
	assert_null(strstr(cs_buf_str(&out), "claimed_by"));
}

static void what_is_not_read_is_let_go(void **state)
{
	static const char text[] =
		"{\"metadata\":{\"name\":\"n\",\"namespace\":\"shop\","
		"\"uid\":\"u\",\"resourceVersion\":\"7\",\"generation\":1,"
		"\"labels\":{\"a\":\"b\"},\"finalizers\":[\"f\"],"
		"\"annotations\":{\"x\":\"y\","
		"\"cert-manager.io/certificate-name\":\"tls\"},"
		"\"managedFields\":[{\"manager\":\"kubectl\"},{\"manager\":"
		"\"cm\",\"fieldsV1\":{\"f:status\":{\"f:conditions\":{"
		"\"k:{\\\"type\\\":\\\"Approved\\\"}\":{\"z\":{}}}}}}]}," SPEC
		"},\"status\":{\"conditions\":[" APPROVED "]}}";
	CS_CLEANUP(cs_buf_done) struct cs_buf before = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf after = {0};
	struct cs_kube_request r = read_as(CS_KUBE_CR, text);
	json_t *object = r.object;
	json_t *meta = json_object_get(object, "metadata");
	struct cs_error err;

	(void)state;
	cs_buf_init(&before, CS_MAX_HTTP_BODY);
	cs_buf_init(&after, CS_MAX_HTTP_BODY);
	assert_true(cs_kube_request_body(&r, "web", NULL, &before, &err));
	cs_kube_request_trim(object);
	assert_true(cs_kube_request_read(CS_KUBE_CR, object, &r));
	assert_true(cs_kube_request_body(&r, "web", NULL, &after, &err));
	assert_string_equal(cs_buf_str(&before), cs_buf_str(&after));
	assert_non_null(strstr(cs_buf_str(&after), "\"claimed_by\":\"cm\""));
	assert_null(json_object_get(meta, "labels"));
	assert_null(json_object_get(meta, "finalizers"));
	assert_int_equal(json_object_size(json_object_get(meta, "annotations")),
			 1);
	assert_int_equal(
		json_array_size(json_object_get(meta, "managedFields")), 1);
	cs_kube_request_trim(NULL);
}

static void what_cannot_be_asked_is_told(void **state)
{
	static const char *const bad[] = {
		"\"spec\":{" REF "}",
		"\"spec\":{" REF ",\"request\":\"?\"}",
		SPEC ",\"duration\":\"0s\"}",
		SPEC ",\"duration\":\"-1h\"}",
		SPEC ",\"duration\":\"1.5h\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out = {0};
		struct cs_kube_request r;
		struct cs_error err;
		char text[1024];

		(void)snprintf(text, sizeof(text), "{" META ",%s}", bad[i]);
		r = read_as(CS_KUBE_CR, text);
		cs_buf_init(&out, CS_MAX_HTTP_BODY);
		assert_false(cs_kube_request_body(&r, "web", NULL, &out, &err));
		assert_int_equal(err.code, CS_E_FORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_questions_are_asked_in_their_order),
		cmocka_unit_test(what_only_looks_like_an_approval_is_none),
		cmocka_unit_test(only_our_group_and_kinds_are_ours),
		cmocka_unit_test(
			a_signer_names_a_cluster_issuer_or_is_not_ours),
		cmocka_unit_test(a_spec_that_was_changed_is_refused),
		cmocka_unit_test(a_name_is_no_path),
		cmocka_unit_test(a_request_is_asked_as_it_stands),
		cmocka_unit_test(what_is_refused_is_denied_in_what_is_asked),
		cmocka_unit_test(what_is_not_read_is_let_go),
		cmocka_unit_test(what_cannot_be_asked_is_told),
	};

	return cs_test_run("kube/request", tests);
}
