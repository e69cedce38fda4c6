/*
 * The adapter's readers: an object of the cluster, and an answer. What is
 * submitted has an approval and a name that is no path, and is JSON with a CSR
 * in it; a message has no control character; what is issued has a certificate.
 *
 * The first octet says which: '0' to '2' a CertificateRequest, a CSR, an
 * answer of 201; else an answer of another status.
 */
#include "base/limits.h"
#include "kube/object.h"
#include "kube/request.h"
#include "kube/verdict.h"
#include "tests/fuzz/fuzz.h"

static void request(enum cs_kube_kind kind, struct cs_span text)
{
	json_t *object = cs_kube_json(text);
	struct cs_kube_request r;
	struct cs_buf out;
	json_t *body;

	if (object != NULL && cs_kube_request_read(kind, object, &r) &&
	    r.todo == CS_KUBE_SUBMIT) {
		FUZZ_CHECK(cs_kube_condition(object, "Approved") != NULL);
		FUZZ_CHECK(cs_kube_is_name(r.name));
		cs_buf_init(&out, CS_MAX_HTTP_BODY);
		if (cs_kube_request_body(&r, "i", NULL, &out, NULL)) {
			/* A NUL passes here, and is refused by the API. */
			body = cs_kube_json(cs_buf_span(&out));
			FUZZ_CHECK(json_is_object(body));
			FUZZ_CHECK(cs_kube_text(body, "csr") != NULL);
			json_decref(body);
		}
		cs_buf_done(&out);
	}
	json_decref(object);
}

static void answer(int status, struct cs_span text)
{
	const struct cs_fetch_result r = {
		.status = status, .body = text, .why = ""};
	struct cs_kube_verdict v;

	cs_kube_verdict_read(&r, &v);
	FUZZ_CHECK(v.message.n > 0);
	for (size_t i = 0; i < v.message.n; i++)
		FUZZ_CHECK(v.message.p[i] >= 0x20 && v.message.p[i] != 0x7f);
	if (v.outcome == CS_KUBE_ISSUED)
		FUZZ_CHECK(status == 201 && v.certificate.n > 0);
	cs_kube_verdict_done(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {202, 400, 401, 403, 404, 409,
				       413, 422, 429, 500, 503, 301};
	struct cs_span text;

	if (size == 0)
		return 0;
	text = cs_span_make(data + 1, size - 1);
	switch (data[0]) {
	case '0':
		request(CS_KUBE_CR, text);
		break;
	case '1':
		request(CS_KUBE_CSR, text);
		break;
	case '2':
		answer(201, text);
		break;
	default:
		answer(statuses[data[0] % 12], text);
	}
	return 0;
}
