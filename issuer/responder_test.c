#include <tests/lib/test.h>

#include <string.h>

#include "issuer/cert_facts.h"
#include "issuer/judge.h"
#include "issuer/oids.h"
#include <tests/lib/ca_maker.h>
#include <tests/lib/csr_maker.h>
#include <tests/lib/judge_maker.h>

/* Who may have a certificate that answers for the CA (RFC 6960 4.2.2.2). */
struct fixture {
	struct ca_maker maker;
	struct cs_ceiling ceiling;
	struct cs_judge_issuer issuer;
	struct cs_judge *judge;
	struct cs_key *key;
	struct cs_buf csr, request, set;
	struct cs_judgement out;
};

static int64_t at_test_time(void *ctx)
{
	(void)ctx;
	return CA_MAKER_NOW * 1000;
}

static int set_up(void **state)
{
	static struct fixture f;
	struct csr_maker csr = {.no_extensions = true};

	ca_make(&f.maker, CS_KEY_KIND_EC_P256, CS_KEYGEN_TWO_TIERS);
	f.ceiling = f.maker.ceiling;
	f.issuer.ca = f.maker.ca;
	f.issuer.ceiling = &f.ceiling;
	f.judge = cs_judge_new(&f.issuer, 1,
			       (struct cs_clock){.wall_ms = at_test_time,
						 .boot_ms = at_test_time},
			       NULL);
	f.key = cs_key_generate(CS_KEY_KIND_EC_P256, NULL);
	cs_buf_init(&f.csr, 100000);
	cs_buf_init(&f.request, 1000000);
	cs_buf_init(&f.set, 1000000);
	csr.key = f.key;
	csr_make(&csr, &f.csr);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cs_judge_free(f->judge);
	cs_key_free(f->key);
	ca_done(&f->maker);
	cs_buf_done(&f->csr);
	cs_buf_done(&f->request);
	cs_buf_done(&f->set);
	return 0;
}

/* Judge the CSR by this set, as if it had come this way. */
static void judge(struct fixture *f, const char *yaml, const char *source)
{
	static uint64_t epoch;
	struct cs_error err = {0};
	struct cs_msg_set m;

	cs_buf_reset(&f->set);
	judge_make_set(yaml, ++epoch, &f->set);
	assert_true(cs_msg_set_decode(cs_buf_span(&f->set), &m, NULL));
	assert_true(cs_judge_set(f->judge, &m, NULL));
	cs_buf_reset(&f->request);
	judge_make_request_from(source, "{}", cs_buf_span(&f->csr),
				&f->request);
	if (!cs_judge_request(f->judge, cs_buf_span(&f->request), &f->out,
			      &err))
		fail_msg("%s", err.text);
}

/* What a policy can say to have a responder's certificate, to the octet. */
#define LIKE_A_RESPONDER                                                       \
	"apiVersion: countersign.dev/v1\n"                                     \
	"kind: IssuancePolicy\n"                                               \
	"metadata: {name: like}\n"                                             \
	"spec:\n"                                                              \
	"  subject: {commonName: {set: OCSP responder}}\n"                     \
	"  san: {min_total: 0}\n"                                              \
	"  validity: {default: 1d, max: 7d}\n"                                 \
	"  extensions:\n"                                                      \
	"    ext_key_usage: {set: [ocsp signing]}\n"                           \
	"    no_rev_avail: true\n"                                             \
	"    add: [{oid: 1.3.6.1.5.5.7.48.1.5, der: \"0500\"}]\n"

static void assert_beyond_the_ceiling(const struct fixture *f)
{
	char body[10000];

	assert_false(f->out.issue);
	snprintf(body, sizeof(body), "%.*s", CS_SPAN_FMT(f->out.refusal.body));
	assert_non_null(strstr(body, "CA_CEILING"));
	assert_non_null(strstr(body, "RFC 6960 4.2.2.2"));
}

/*= RFC 6960 4.2.2.2 */
static void the_house_has_a_responder_where_that_is_configured(void **state)
{
	struct fixture *f = *state;
	struct cs_hash *hash = cs_hash_new(NULL);
	struct cs_tbs_facts t;
	struct cs_arena arena;

	f->ceiling.ocsp = false;
	judge(f, NULL, "ocsp");
	assert_beyond_the_ceiling(f);
	f->ceiling.ocsp = true;
	judge(f, NULL, "ocsp");
	assert_true(f->out.issue);
	cs_arena_init(&arena, 1000000);
	assert_true(
		cs_tbs_facts_read(hash, f->out.intent.tbs, &arena, &t, NULL));
	assert_int_equal(t.cert.ext_key_usage_n, 1);
	assert_true(cs_span_equal(t.cert.ext_key_usage[0],
				  CS_SPAN_LIT(CS_OID_OCSP_SIGNING)));
	assert_int_equal(t.not_after_s - t.not_before_s,
			 CS_OCSP_RESPONDER_LIFE);
	cs_arena_done(&arena);
	cs_hash_free(hash);
}

/*= RFC 6960 4.2.2.2 */
static void nobody_else_becomes_one_whatever_a_policy_says(void **state)
{
	static struct cs_span named[] = {CS_SPAN_INIT(CS_OID_OCSP_SIGNING)};
	struct fixture *f = *state;

	f->ceiling = f->maker.ceiling;
	f->ceiling.ocsp = true;
	judge(f, LIKE_A_RESPONDER, "api");
	assert_beyond_the_ceiling(f);
	/* An empty list of purposes does not permit this one. */
	f->ceiling.ext_key_usage_n = 0;
	judge(f, LIKE_A_RESPONDER, "api");
	assert_beyond_the_ceiling(f);
	/* But an operator may name it. */
	f->ceiling.ext_key_usage = named;
	f->ceiling.ext_key_usage_n = 1;
	judge(f, LIKE_A_RESPONDER, "api");
	assert_true(f->out.issue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_house_has_a_responder_where_that_is_configured),
		cmocka_unit_test(
			nobody_else_becomes_one_whatever_a_policy_says),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/responder", tests, set_up,
					    tear_down));
}
