#include <tests/lib/test.h>

#include <string.h>

#include "base/json.h"
#include <tests/lib/judge_maker.h>
#include <tests/lib/judging.h>

static void keeps_the_old_set_when_a_new_one_does_not_load(void **state)
{
	struct judging *f = *state;
	struct cs_msg_set m = {.epoch = 9};
	struct cs_error err = {0};
	struct cs_buf files;

	judging_start(f);
	cs_buf_init(&files, 10000);
	judge_make_files("kind: Nonsense\n", &files);
	m.files = cs_buf_span(&files);
	assert_false(cs_judge_set(f->judge, &m, &err));
	assert_int_equal(err.code, CS_E_POLICY);
	assert_non_null(strstr(err.text, "web.yaml"));
	/* A good one under another hash. */
	cs_buf_reset(&files);
	judge_make_files(NULL, &files);
	m.files = cs_buf_span(&files);
	assert_false(cs_judge_set(f->judge, &m, &err));
	judging_csr(f, JUDGING_SCALARS);
	assert_true(f->out.issue);
	assert_int_equal(f->out.intent.epoch, 5);
	cs_buf_done(&files);
}

static void reports_what_a_set_would_come_to(void **state)
{
	struct judging *f = *state;
	struct cs_buf files, report;
	uint8_t hash[32];
	json_t *json;
	bool ok;

	cs_buf_init(&files, 100000);
	cs_buf_init(&report, CS_MAX_POLICY_REPORT);
	judge_make_files(NULL, &files);
	assert_true(cs_judge_check_set(f->judge, cs_buf_span(&files), &ok, hash,
				       &report, NULL));
	assert_true(ok);
	json = cs_json_parse(cs_buf_span(&report), "report", NULL);
	assert_non_null(json);
	assert_int_equal(json_array_size(json_object_get(json, "policies")), 1);
	/* It is what is in force. */
	assert_int_equal(json_array_size(json_object_get(json, "diff")), 0);
	assert_int_equal(json_integer_value(json_object_get(json, "from")), 5);
	json_decref(json);
	cs_buf_reset(&files);
	cs_buf_reset(&report);
	judge_make_files("a: b: c\n", &files);
	assert_true(cs_judge_check_set(f->judge, cs_buf_span(&files), &ok, hash,
				       &report, NULL));
	assert_false(ok);
	json = cs_json_parse(cs_buf_span(&report), "report", NULL);
	assert_true(json_array_size(json_object_get(json, "problems")) > 0);
	json_decref(json);
	/* Not even a list of sources. */
	cs_buf_reset(&report);
	assert_true(cs_judge_check_set(f->judge, CS_SPAN_LIT("\xff\xff"), &ok,
				       hash, &report, NULL));
	assert_false(ok);
	json = cs_json_parse(cs_buf_span(&report), "report", NULL);
	assert_int_equal(json_array_size(json_object_get(json, "problems")), 1);
	json_decref(json);
	cs_buf_done(&files);
	cs_buf_done(&report);
}

/* Evaluate the fixture's request by these files; the verdict, or NULL. */
static json_t *evaluate(struct judging *f, const char *yaml,
			struct cs_buf *report, bool *ret_ok)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf files;
	struct cs_msg_evaluate m = {.request = cs_buf_span(&f->request)};
	struct cs_msg_evaluated out;
	struct cs_error err = {0};

	cs_buf_init(&files, 100000);
	if (yaml != NULL) {
		judge_make_files(yaml, &files);
		m.files = cs_buf_span(&files);
	}
	if (!cs_judge_evaluate(f->judge, &m, report, &out, &err))
		fail_msg("%s", err.text);
	*ret_ok = out.ok != 0;
	return out.ok != 0 ? cs_json_parse(out.body, "verdict", NULL) : NULL;
}

static void evaluates_by_another_set_and_keeps_its_own(void **state)
{
	static const char *const other =
		"apiVersion: countersign.dev/v1\nkind: IssuancePolicy\n"
		"metadata: {name: other}\n"
		"spec: {match: {namespace: [shop]}, san: {dns: {allow: "
		"[any]}}}\n";
	struct judging *f = *state;
	CS_CLEANUP(cs_buf_done) struct cs_buf report;
	json_t *verdict, *others;
	bool ok;

	cs_buf_init(&report, CS_MAX_POLICY_REPORT);
	judging_start(f);
	judging_csr(f, JUDGING_SCALARS);
	assert_true(f->out.issue);
	/* By the set in force, as judging does; limits are the ledger's. */
	verdict = evaluate(f, NULL, &report, &ok);
	assert_true(ok);
	assert_string_equal(
		json_string_value(json_object_get(verdict, "verdict")),
		"issued");
	assert_string_equal(
		json_string_value(json_array_get(
			json_object_get(verdict, "not_reached"), 0)),
		"limits");
	json_decref(verdict);
	verdict = evaluate(f, other, &report, &ok);
	assert_true(ok);
	assert_string_equal(json_string_value(json_object_get(verdict, "code")),
			    "NO_POLICY");
	others = json_object_get(verdict, "others");
	assert_int_equal(json_array_size(others), 1);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(others, 0), "why")),
			    "wants a namespace, and the request states none "
			    "(shop)");
	json_decref(verdict);
	cs_buf_reset(&report);
	assert_null(evaluate(f, "kind: Nonsense\n", &report, &ok));
	assert_false(ok);
	assert_non_null(strstr(cs_buf_str(&report), "web.yaml"));
	/* Nothing of that is left behind. */
	judging_csr(f, JUDGING_SCALARS);
	assert_true(f->out.issue);
	assert_int_equal(f->out.intent.epoch, 5);
}

static void without_a_set_there_is_nothing_to_evaluate_by(void **state)
{
	struct judging *f = *state;
	CS_CLEANUP(cs_buf_done) struct cs_buf report;
	struct cs_judge *judge =
		cs_judge_new(&f->issuer, 1,
			     (struct cs_clock){.wall_ms = judging_time,
					       .boot_ms = judging_time},
			     NULL);
	struct cs_msg_evaluate m = {.request = cs_buf_span(&f->request)};
	struct cs_msg_evaluated out;

	cs_buf_init(&report, CS_MAX_POLICY_REPORT);
	assert_true(cs_judge_evaluate(judge, &m, &report, &out, NULL));
	assert_int_equal(out.ok, 0);
	assert_true(cs_span_equal_str(out.code, "NO_POLICY_SET"));
	cs_judge_free(judge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			keeps_the_old_set_when_a_new_one_does_not_load),
		cmocka_unit_test(reports_what_a_set_would_come_to),
		cmocka_unit_test(evaluates_by_another_set_and_keeps_its_own),
		cmocka_unit_test(without_a_set_there_is_nothing_to_evaluate_by),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/judge_set", tests,
					    judging_set_up, judging_tear_down));
}
