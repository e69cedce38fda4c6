#include <tests/lib/test.h>

#include "base/json.h"
#include <tests/lib/judge_maker.h>
#include <tests/lib/judging.h>

int64_t judging_now_ms = CA_MAKER_NOW * 1000 + 123;

int64_t judging_time(void *ctx)
{
	(void)ctx;
	return judging_now_ms;
}

void judging_put_set(struct judging *f, const char *yaml, uint64_t epoch)
{
	struct cs_error err = {0};
	struct cs_msg_set m;

	cs_buf_reset(&f->set);
	judge_make_set(yaml, epoch, &f->set);
	assert_true(cs_msg_set_decode(cs_buf_span(&f->set), &m, NULL));
	if (!cs_judge_set(f->judge, &m, &err))
		fail_msg("%s", err.text);
}

int judging_set_up(void **state)
{
	static struct judging f;

	ca_make(&f.maker, CS_KEY_KIND_EC_P256, CS_KEYGEN_TWO_TIERS);
	f.issuer.ca = f.maker.ca;
	f.issuer.ceiling = &f.maker.ceiling;
	f.judge = cs_judge_new(&f.issuer, 1,
			       (struct cs_clock){.wall_ms = judging_time,
						 .boot_ms = judging_time},
			       NULL);
	f.key = cs_key_generate(CS_KEY_KIND_EC_P256, NULL);
	cs_buf_init(&f.parts, 100000);
	cs_buf_init(&f.csr, 100000);
	cs_buf_init(&f.request, 1000000);
	cs_buf_init(&f.set, 1000000);
	judging_put_set(&f, NULL, 5);
	*state = &f;
	return 0;
}

int judging_tear_down(void **state)
{
	struct judging *f = *state;

	json_decref(f->body);
	cs_judge_free(f->judge);
	cs_key_free(f->key);
	ca_done(&f->maker);
	cs_buf_done(&f->parts);
	cs_buf_done(&f->csr);
	cs_buf_done(&f->request);
	cs_buf_done(&f->set);
	return 0;
}

void judging_octets(struct judging *f, const char *scalars, struct cs_span csr)
{
	struct cs_error err = {0};
	struct cs_span body;

	cs_buf_reset(&f->request);
	judge_make_request(scalars, csr, &f->request);
	if (!cs_judge_request(f->judge, cs_buf_span(&f->request), &f->out,
			      &err))
		fail_msg("%s", err.text);
	body = f->out.issue ? f->out.intent.body : f->out.refusal.body;
	json_decref(f->body);
	f->body = cs_json_parse(body, "body", &err);
	if (f->body == NULL)
		fail_msg("%s", err.text);
}

void judging_csr(struct judging *f, const char *scalars)
{
	csr_make(&f->csr_maker, &f->csr);
	judging_octets(f, scalars, cs_buf_span(&f->csr));
}

void judging_start(struct judging *f)
{
	f->csr_maker = (struct csr_maker){.key = f->key};
}

const char *judging_member(const struct judging *f, const char *name)
{
	return json_string_value(json_object_get(f->body, name));
}
