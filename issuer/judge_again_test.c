#include <tests/lib/test.h>

#include <string.h>

#include "issuer/judge.h"
#include <tests/lib/ca_maker.h>
#include <tests/lib/csr_maker.h>
#include <tests/lib/judge_maker.h>

#define SCALARS "{\"issuer\":\"default\",\"requester\":\"alice\"}"

static int64_t at_test_time(CS_UNUSED void *ctx)
{
	return CA_MAKER_NOW * 1000;
}

struct fixture {
	struct ca_maker maker;
	struct cs_judge_issuer issuer;
	struct cs_judge *judge;
	struct cs_buf request, tbs, serial;
};

/* A judge, and a request that it has judged once. */
static void begin(struct fixture *f)
{
	struct csr_maker csr_maker = {0};
	struct cs_judgement first;
	struct cs_msg_set set;
	struct cs_buf csr, text;

	ca_make(&f->maker, CS_KEY_KIND_EC_P256, CS_KEYGEN_TWO_TIERS);
	f->issuer.ca = f->maker.ca;
	f->issuer.ceiling = &f->maker.ceiling;
	f->judge = cs_judge_new(&f->issuer, 1,
				(struct cs_clock){.wall_ms = at_test_time,
						  .boot_ms = at_test_time},
				NULL);
	assert_non_null(f->judge);
	cs_buf_init(&text, 1000000);
	cs_buf_init(&csr, 100000);
	cs_buf_init(&f->request, 1000000);
	cs_buf_init(&f->tbs, CS_MAX_TBS);
	cs_buf_init(&f->serial, CS_MAX_SERIAL);
	judge_make_set(NULL, 5, &text);
	assert_true(cs_msg_set_decode(cs_buf_span(&text), &set, NULL));
	assert_true(cs_judge_set(f->judge, &set, NULL));
	csr_maker.key = cs_key_generate(CS_KEY_KIND_EC_P256, NULL);
	csr_make(&csr_maker, &csr);
	judge_make_request(SCALARS, cs_buf_span(&csr), &f->request);
	assert_true(cs_judge_request(f->judge, cs_buf_span(&f->request), &first,
				     NULL));
	assert_true(first.issue);
	cs_buf_add(&f->tbs, first.intent.tbs);
	cs_buf_add(&f->serial, first.intent.serial);
	cs_key_free(csr_maker.key);
	cs_buf_done(&csr);
	cs_buf_done(&text);
}

static void end(struct fixture *f)
{
	cs_buf_done(&f->request);
	cs_buf_done(&f->tbs);
	cs_buf_done(&f->serial);
	cs_judge_free(f->judge);
	ca_done(&f->maker);
}

static bool again(struct fixture *f, struct cs_span serial,
		  struct cs_judgement *ret)
{
	return cs_judge_again(f->judge, cs_buf_span(&f->request), serial, ret,
			      NULL);
}

static void under_its_serial_a_certificate_is_the_same_to_the_octet(
	CS_UNUSED void **state)
{
	struct cs_judgement out;
	struct fixture f = {0};

	begin(&f);
	for (int i = 0; i < 3; i++) {
		assert_true(again(&f, cs_buf_span(&f.serial), &out));
		assert_true(out.issue);
		assert_true(cs_span_equal(out.intent.tbs, cs_buf_span(&f.tbs)));
	}
	/* Without one it gets a new one, also after that. */
	assert_true(again(&f, cs_span_make(NULL, 0), &out));
	assert_true(out.issue);
	assert_false(cs_span_equal(out.intent.tbs, cs_buf_span(&f.tbs)));
	end(&f);
}

static void a_serial_that_is_none_of_ours_is_refused_by_the_ceiling(
	CS_UNUSED void **state)
{
	uint8_t octets[CS_MAX_SERIAL + 1];
	struct cs_judgement out;
	struct fixture f = {0};

	begin(&f);
	memset(octets, 0x11, sizeof(octets));
	assert_true(again(&f, cs_span_make(octets, CS_MAX_SERIAL), &out));
	assert_false(out.issue);
	assert_non_null(memmem(out.refusal.body.p, out.refusal.body.n,
			       "CA_CEILING", 10));
	assert_false(again(&f, cs_span_make(octets, sizeof(octets)), &out));
	end(&f);
}

static void a_retired_issuer_refuses_all_but_its_ocsp_responder(
	CS_UNUSED void **state)
{
	static const char *const sources[] = {"api", "ocsp"};
	struct cs_msg_request m;
	struct cs_judgement out;
	struct fixture f = {0};
	struct cs_buf request;

	begin(&f);
	f.issuer.is_retired = true;
	assert_true(cs_msg_request_decode(cs_buf_span(&f.request), &m, NULL));
	for (size_t i = 0; i < 2; i++) {
		cs_buf_init(&request, 1000000);
		m.source = cs_span_str(sources[i]);
		cs_msg_request_encode(&m, &request);
		assert_true(cs_judge_request(f.judge, cs_buf_span(&request),
					     &out, NULL));
		assert_int_equal(!out.issue &&
					 memmem(out.refusal.body.p,
						out.refusal.body.n,
						"ISSUER_RETIRED", 14) != NULL,
				 i == 0);
		cs_buf_done(&request);
	}
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			under_its_serial_a_certificate_is_the_same_to_the_octet),
		cmocka_unit_test(
			a_serial_that_is_none_of_ours_is_refused_by_the_ceiling),
		cmocka_unit_test(
			a_retired_issuer_refuses_all_but_its_ocsp_responder),
	};

	return cs_test_run("issuer/judge_again", tests);
}
