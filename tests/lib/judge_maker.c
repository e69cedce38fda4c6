#include "tests/lib/test.h"

#include "tests/lib/judge_maker.h"

#include <string.h>

#include "base/sources.h"
#include "policy/engine.h"

void judge_make_files(const char *yaml, struct cs_buf *out)
{
	struct cs_source one = {
		.name = CS_SPAN_LIT("web.yaml"),
		.bytes = yaml == NULL ? cs_policy_default_text()
				      : cs_span_str(yaml),
	};
	const struct cs_sources all = {.items = &one, .n = 1};

	cs_sources_encode(&all, out);
	assert_true(cs_buf_ok(out));
}

void judge_make_set(const char *yaml, uint64_t epoch, struct cs_buf *out)
{
	struct cs_hash *hash = cs_hash_new(NULL);
	struct cs_msg_set m = {.epoch = epoch};
	struct cs_policy_report report;
	struct cs_policy_set *set;
	struct cs_sources sources;
	struct cs_arena arena;
	struct cs_buf files;

	cs_arena_init(&arena, 10000000);
	cs_buf_init(&files, 1000000);
	cs_policy_report_init(&report, &arena);
	judge_make_files(yaml, &files);
	assert_true(
		cs_sources_decode(cs_buf_span(&files), &arena, &sources, NULL));
	set = cs_policy_set_load(&sources, hash, &report);
	if (set == NULL)
		fail_msg("%.*s", CS_SPAN_FMT(report.items[0].text));
	memcpy(m.set_sha256, cs_policy_set_sha256(set), 32);
	m.files = cs_buf_span(&files);
	cs_msg_set_encode(&m, out);
	assert_true(cs_buf_ok(out));
	cs_policy_set_free(set);
	cs_buf_done(&files);
	cs_arena_done(&arena);
	cs_hash_free(hash);
}

void judge_make_request(const char *scalars, struct cs_span csr,
			struct cs_buf *out)
{
	judge_make_request_from("api", scalars, csr, out);
}

void judge_make_request_from(const char *source, const char *scalars,
			     struct cs_span csr, struct cs_buf *out)
{
	struct cs_msg_request m = {
		.flags = CS_REQ_APPROVED,
		.client = 7,
		.credential = 8,
		.uid = -1,
		.client_name = CS_SPAN_LIT("ci"),
		.realm = CS_SPAN_LIT("prod"),
		.source = cs_span_str(source),
		.issuer = CS_SPAN_LIT("default"),
		.scalars = cs_span_str(scalars),
		.csr = csr,
		.approval = CS_SPAN_LIT("{\"at\":1,\"by\":\"boss\"}"),
	};

	memset(m.id, 0xab, sizeof(m.id));
	cs_msg_request_encode(&m, out);
	assert_true(cs_buf_ok(out));
}
