/*
 * Bodies of POST /v1/requests and of .../approve and .../deny: whatever the
 * bytes, they are read, or refused with a problem that can be rendered; what
 * is read has its required parts, and no control characters.
 */
#include "api/decide.h"
#include "api/request_body.h"
#include "tests/fuzz/fuzz.h"

/* A refusal is a client's fault, and valid JSON without control characters. */
static void check_problem(const struct cs_problem *p)
{
	struct cs_buf out;
	json_t *v;

	FUZZ_CHECK(p->code != CS_PROBLEM_NONE && p->detail[0] != '\0');
	FUZZ_CHECK(cs_problem_status(p->code) / 100 == 4);
	cs_buf_init(&out, CS_MAX_MESSAGE);
	FUZZ_CHECK(cs_problem_write(p, &out, NULL));
	v = cs_json_parse(cs_buf_span(&out), "problem", NULL);
	FUZZ_CHECK(v != NULL);
	FUZZ_CHECK(cs_body_is_clean(
		cs_body_string(json_object_get(v, "detail")), CS_BODY_LINE));
	json_decref(v);
	cs_buf_done(&out);
}

/* A field that may be absent, of one line. */
static void check_line(struct cs_span text)
{
	FUZZ_CHECK(text.p == NULL ||
		   (text.n > 0 && cs_body_is_clean(text, CS_BODY_LINE)));
}

static void read_request(struct cs_span data, enum cs_request_form form)
{
	struct cs_problem p = {0};
	struct cs_request_body b;
	json_t *root = cs_body_parse(data, &p);

	if (root == NULL) {
		check_problem(&p);
		return;
	}
	if (cs_request_body_read(root, form, &b, &p)) {
		FUZZ_CHECK(b.csr.n > 0);
		FUZZ_CHECK(!(b.approved && b.denied));
		check_line(b.issuer);
		check_line(b.duration);
		check_line(b.uid);
		check_line(b.requester);
		check_line(b.namespace);
		check_line(b.owner);
		check_line(b.claimed_by);
	} else {
		check_problem(&p);
	}
	json_decref(root);
}

static void read_decision(struct cs_span data, enum cs_decision decision)
{
	struct cs_problem p = {0};
	struct cs_decide_body b = {0};
	struct cs_arena arena;

	cs_arena_init(&arena, 1 << 20);
	if (cs_decide_read(data, decision, &arena, &b, &p)) {
		FUZZ_CHECK(b.has_sha256 || decision == CS_DECIDE_DENY);
		FUZZ_CHECK(cs_body_is_clean(b.claimed_by, CS_BODY_LINE));
		FUZZ_CHECK(cs_body_is_clean(b.reason, CS_BODY_LINE));
		FUZZ_CHECK(cs_body_is_clean(b.message, CS_BODY_LINES));
	} else {
		check_problem(&p);
	}
	cs_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_span all = cs_span_make(data, size);

	if (size > CS_MAX_HTTP_BODY)
		return 0;
	read_request(all, CS_REQUEST_SUBMIT);
	read_request(all, CS_REQUEST_EVALUATE);
	read_decision(all, CS_DECIDE_APPROVE);
	read_decision(all, CS_DECIDE_DENY);
	return 0;
}
