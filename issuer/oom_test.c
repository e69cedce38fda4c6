/*
 * Out of memory in the straight way: a request that would be issued is either
 * issued or not decided at all; it is never refused for want of memory.
 */
#include <tests/lib/test.h>

#include <string.h>

#include "issuer/judge.h"
#include <tests/lib/ca_maker.h>
#include <tests/lib/csr_maker.h>
#include <tests/lib/judge_maker.h>
#include <tests/lib/oom.h>

struct fixture {
	struct ca_maker maker;
	struct cs_judge_issuer issuer;
	struct cs_buf set, csr, request;
	bool refused; /* the request is one that is to be refused */
};

static int64_t at_test_time(void *ctx)
{
	(void)ctx;
	return CA_MAKER_NOW * 1000;
}

static void make_request(struct fixture *f, enum cs_key_kind kind, bool broken)
{
	static const enum cs_sig_alg algs[] = {
		[CS_KEY_KIND_EC_P256] = CS_SIG_ECDSA_SHA256,
		[CS_KEY_KIND_EC_P384] = CS_SIG_ECDSA_SHA384,
		[CS_KEY_KIND_RSA_3072] = CS_SIG_RSA_SHA256,
		[CS_KEY_KIND_RSA_4096] = CS_SIG_RSA_SHA256,
		[CS_KEY_KIND_ED25519] = CS_SIG_ED25519,
	};
	struct csr_maker m = {.key = cs_key_generate(kind, NULL),
			      .alg = algs[kind]};

	if (broken)
		m.version = CS_SPAN_LIT("\x07");
	csr_make(&m, &f->csr);
	cs_buf_reset(&f->request);
	judge_make_request("{\"groups\":[\"a\"],\"issuer\":\"default\","
			   "\"usages\":[\"server auth\"]}",
			   cs_buf_span(&f->csr), &f->request);
	cs_key_free(m.key);
	f->refused = broken;
}

/* A judge of its own, so that every allocation is in the count. */
static bool judge_once(void *ctx, struct cs_error *err)
{
	struct fixture *f = ctx;
	struct cs_judge *j =
		cs_judge_new(&f->issuer, 1,
			     (struct cs_clock){.wall_ms = at_test_time,
					       .boot_ms = at_test_time},
			     err);
	struct cs_judgement out;
	struct cs_msg_set set;
	bool ok;

	if (j == NULL)
		return false;
	ok = cs_msg_set_decode(cs_buf_span(&f->set), &set, err);
	if (ok && !cs_judge_set(j, &set, err)) {
		/* The engine tells in a report, which has sentences only. */
		err->code = CS_E_NO_MEMORY;
		ok = false;
	}
	ok = ok && cs_judge_request(j, cs_buf_span(&f->request), &out, err);
	/* Jansson does not always say that it was memory (base/json.h). */
	if (!ok && err->code == CS_E_PROTOCOL)
		err->code = CS_E_NO_MEMORY;
	if (ok && out.issue == f->refused)
		fail_msg("%.*s", CS_SPAN_FMT(out.issue ? out.intent.body
						       : out.refusal.body));
	cs_judge_free(j);
	return ok;
}

static void never_refuses_for_want_of_memory(void **state)
{
	struct fixture *f = *state;

	for (int kind = CS_KEY_KIND_EC_P256; kind <= CS_KEY_KIND_ED25519;
	     kind++) {
		make_request(f, (enum cs_key_kind)kind, false);
		oom_sweep(judge_once, f);
	}
}

static void never_issues_for_want_of_memory(void **state)
{
	struct fixture *f = *state;

	make_request(f, CS_KEY_KIND_EC_P256, true);
	oom_sweep(judge_once, f);
}

static int set_up(void **state)
{
	static struct cs_subtree zone = {.kind = CS_NAME_DNS,
					 .text = CS_SPAN_INIT("example")};
	static struct cs_subtree net = {
		.kind = CS_NAME_IP,
		.address = CS_SPAN_INIT("abcd"),
		.mask = CS_SPAN_INIT("\xff\xff\xff\xff")};
	static struct cs_constraints constraints = {.permitted = &zone,
						    .permitted_n = 1,
						    .excluded = &net,
						    .excluded_n = 1};
	static struct fixture f;

	ca_make(&f.maker, CS_KEY_KIND_EC_P256, CS_KEYGEN_SINGLE);
	f.maker.ca->constraints = &constraints;
	f.maker.ca->constraints_n = 1;
	f.issuer.ca = f.maker.ca;
	f.issuer.ceiling = &f.maker.ceiling;
	cs_buf_init(&f.set, 100000);
	cs_buf_init(&f.csr, 100000);
	cs_buf_init(&f.request, 100000);
	judge_make_set(NULL, 1, &f.set);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	ca_done(&f->maker);
	cs_buf_done(&f->set);
	cs_buf_done(&f->csr);
	cs_buf_done(&f->request);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_refuses_for_want_of_memory),
		cmocka_unit_test(never_issues_for_want_of_memory),
	};

	if (!oom_init())
		return 1;
	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/oom", tests, set_up,
					    tear_down));
}
