#include <tests/lib/test.h>

#include <string.h>

#include "base/limits.h"
#include "kube/object.h"
#include "kube/write.h"

#define NOW 1790000000000

static const char object_text[] =
	"{\"metadata\":{\"name\":\"n\",\"namespace\":\"s\",\"uid\":\"u\","
	"\"resourceVersion\":\"7\",\"creationTimestamp\":"
	"\"2030-01-01T00:00:00Z\"},\"status\":{\"conditions\":[{\"type\":"
	"\"Ready\",\"status\":\"False\",\"reason\":\"Pending\",\"message\":"
	"\"m\",\"lastTransitionTime\":\"2020-01-01T00:00:00Z\"}]}}";

struct fixture {
	json_t *object;
	struct cs_kube_request r;
	struct cs_buf out;
};

static int setup(void **state)
{
	static struct fixture f;

	f.object = cs_kube_json(cs_span_str(object_text));
	assert_true(cs_kube_request_read(CS_KUBE_CR, f.object, &f.r));
	cs_buf_init(&f.out, CS_MAX_HTTP_BODY);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	json_decref(f->object);
	cs_buf_done(&f->out);
	return 0;
}

static void written(struct fixture *f, const struct cs_kube_ready *ready,
		    const char *expected)
{
	struct cs_error err;

	assert_true(cs_kube_write_request(&f->r, ready, &f->out, &err));
	assert_string_equal(cs_buf_str(&f->out), expected);
}

#define HEAD(kind, api)                                                        \
	"{\"apiVersion\":\"" api "\",\"kind\":\"" kind                         \
	"\",\"metadata\":{\"name\":\"n\",\"namespace\":\"s\","                 \
	"\"resourceVersion\":\"7\",\"uid\":\"u\"},\"status\":"

static void what_waits_keeps_the_time_of_its_status(void **state)
{
	const struct cs_kube_ready ready = {.reason = "Pending",
					    .message = CS_SPAN_LIT("x"),
					    .now_ms = NOW};

	written(*state, &ready,
		HEAD("CertificateRequest",
		     "cert-manager.io/v1") "{\"conditions\":[{"
					   "\"lastTransitionTime\":"
					   "\"2020-01-01T00:00:00Z\","
					   "\"message\":\"x\",\"reason\":"
					   "\"Pending\",\"status\":\"False\","
					   "\"type\":\"Ready\"}]}}");
}

static void a_failure_has_a_time_that_is_not_before_its_request(void **state)
{
	const struct cs_kube_ready ready = {
		.reason = "Failed", .message = CS_SPAN_LIT("x"), .now_ms = NOW};

	written(*state, &ready,
		HEAD("CertificateRequest",
		     "cert-manager.io/v1") "{\"conditions\":[{"
					   "\"lastTransitionTime\":"
					   "\"2020-01-01T00:00:00Z\","
					   "\"message\":\"x\",\"reason\":"
					   "\"Failed\",\"status\":\"False\","
					   "\"type\":\"Ready\"}],"
					   "\"failureTime\":\"2030-01-01T00:00:"
					   "00Z\"}}");
}

static void what_is_issued_has_chain_root_and_a_new_time(void **state)
{
	const struct cs_kube_ready ready = {.reason = "Issued",
					    .message = CS_SPAN_LIT("x"),
					    .certificate = CS_SPAN_LIT("ABC"),
					    .ca = CS_SPAN_LIT("DEF"),
					    .now_ms = NOW};

	written(*state, &ready,
		HEAD("CertificateRequest",
		     "cert-manager.io/v1") "{\"ca\":\"REVG\",\"certificate\":"
					   "\"QUJD\",\"conditions\":["
					   "{\"lastTransitionTime\":\"2026-09-"
					   "21T14:13:20Z\",\"message\":"
					   "\"x\",\"reason\":\"Issued\","
					   "\"status\":\"True\",\"type\":"
					   "\"Ready\"}]}}");
}

static void a_csr_is_given_a_certificate_or_a_failure_only(void **state)
{
	struct fixture *f = *state;
	struct cs_kube_ready ready = {.reason = "Issued",
				      .certificate = CS_SPAN_LIT("ABC"),
				      .ca = CS_SPAN_LIT("DEF"),
				      .now_ms = NOW};
	struct cs_error err;

	f->r.kind = CS_KUBE_CSR;
	written(f, &ready,
		HEAD("CertificateSigningRequest",
		     "certificates.k8s.io/v1") "{\"certificate\":\"QUJD\"}}");
	cs_buf_reset(&f->out);
	ready.reason = "Failed";
	assert_true(cs_kube_write_request(&f->r, &ready, &f->out, &err));
	assert_non_null(strstr(cs_buf_str(&f->out), "\"type\":\"Failed\""));
}

static void what_stands_there_is_not_written_again(void **state)
{
	struct fixture *f = *state;
	struct cs_kube_ready ready = {.reason = "Pending",
				      .message = CS_SPAN_LIT("m")};

	assert_true(cs_kube_ready_stands(&f->r, &ready));
	ready.message = CS_SPAN_LIT("m2");
	assert_false(cs_kube_ready_stands(&f->r, &ready));
	ready.message = CS_SPAN_LIT("m");
	ready.reason = "Failed";
	assert_false(cs_kube_ready_stands(&f->r, &ready));
}

static void an_event_of_what_is_in_no_namespace_goes_to_default(void **state)
{
	struct fixture *f = *state;
	const struct cs_kube_event e = {
		.api = "certificates.k8s.io/v1",
		.kind = "CertificateSigningRequest",
		.name = "n",
		.uid = "u",
		.version = "7",
		.type = "Warning",
		.reason = "Failed",
		.note = CS_SPAN_LIT("why"),
		.reporter = "me",
		.number = 1,
		.now_ms = NOW,
	};
	struct cs_error err;

	assert_true(cs_kube_write_event(&e, &f->out, &err));
	assert_non_null(
		strstr(cs_buf_str(&f->out),
		       "\"eventTime\":\"2026-09-21T14:13:20.000000Z\""));
	assert_non_null(
		strstr(cs_buf_str(&f->out), "\"namespace\":\"default\""));
	cs_buf_reset(&f->out);
	cs_kube_event_path(&e, &f->out);
	assert_string_equal(cs_buf_str(&f->out),
			    "/apis/events.k8s.io/v1/namespaces/default/events");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_waits_keeps_the_time_of_its_status),
		TEST(a_failure_has_a_time_that_is_not_before_its_request),
		TEST(what_is_issued_has_chain_root_and_a_new_time),
		TEST(a_csr_is_given_a_certificate_or_a_failure_only),
		TEST(what_stands_there_is_not_written_again),
		TEST(an_event_of_what_is_in_no_namespace_goes_to_default),
	};

	return cs_test_run("kube/write", tests);
}
