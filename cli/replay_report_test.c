#include <tests/lib/test.h>

#include <string.h>

#include "cli/replay_report.h"

/* An item of the history, and what became of it. */
struct example {
	json_t *item;
	struct cs_replay_result x;
};

static void begin(struct example *e, enum cs_replay_class class)
{
	*e = (struct example){
		.item = json_pack("{s:s, s:i, s:s, s:s, s:[s, s], s:{s:s}, "
				  "s:{s:s, s:{s:s}}}",
				  "id", "00", "index", 7, "issuer", "default",
				  "judged", "2026-11-25T00:00:00.000Z", "names",
				  "a.example", "b.example", "scalars",
				  "requester", "alice", "body", "verdict",
				  "issued", "policy", "name", "web"),
		.x = {.class = class,
		      .policy = "web",
		      .rule = "web/san.dns.allow",
		      .at = "web.yaml:7",
		      .code = "SAN_DNS_NOT_ALLOWED",
		      .field = "san.dns[1]",
		      .weight = 2,
		      .csr_octets = 300}};
	assert_non_null(e->item);
	e->x.was = json_object_get(e->item, "body");
	e->x.now = json_pack("{s:s}", "verdict", "refused");
}

/* Count it as request `id`. */
static void add(struct cs_replay_report *r, struct example *e, const char *id)
{
	json_object_set_new(e->item, "id", json_string(id));
	assert_true(cs_replay_report_add(r, e->item, &e->x, NULL));
}

static void end(struct example *e)
{
	json_decref(e->item);
	json_decref(e->x.now);
}

static struct cs_replay_report *make(void)
{
	struct cs_replay_report *r = cs_replay_report_new(NULL);

	assert_non_null(r);
	return r;
}

static json_t *report_of(const struct cs_replay_report *r)
{
	json_t *report = cs_replay_report_json(r, "policies/", NULL);

	assert_non_null(report);
	return report;
}

static const json_t *group(const json_t *report, size_t i)
{
	return json_array_get(json_object_get(report, "groups"), i);
}

static const char *text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static long long number(const json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

static void the_smallest_request_is_the_witness(CS_UNUSED void **state)
{
	struct cs_replay_report *r = make();
	struct example e;
	json_t *report;

	begin(&e, CS_REPLAY_ALLOW_TO_REFUSE);
	add(r, &e, "first");
	e.x.csr_octets = 200;
	add(r, &e, "smaller");
	e.x.weight = 1;
	e.x.csr_octets = 900;
	add(r, &e, "fewer");
	json_array_remove(json_object_get(e.item, "names"), 0);
	e.x.csr_octets = 901;
	add(r, &e, "one name");
	e.x.csr_octets = 902;
	add(r, &e, "no smaller");
	e.x.weight = 5;
	e.x.csr_octets = 1;
	add(r, &e, "more");
	report = report_of(r);
	assert_int_equal(json_array_size(json_object_get(report, "groups")), 1);
	assert_int_equal(number(group(report, 0), "count"), 6);
	assert_string_equal(text(group(report, 0), "field"), "san.dns");
	assert_string_equal(
		text(json_object_get(group(report, 0), "witness"), "id"),
		"one name");
	json_decref(report);
	end(&e);
	cs_replay_report_free(r);
}

static void groups_are_by_class_then_by_count(CS_UNUSED void **state)
{
	struct cs_replay_report *r = make();
	struct example e;
	json_t *report;

	begin(&e, CS_REPLAY_CHANGED);
	for (int i = 0; i < 9; i++)
		add(r, &e, "changed");
	end(&e);
	begin(&e, CS_REPLAY_ALLOW_TO_REFUSE);
	add(r, &e, "once");
	e.x.rule = "web/validity.max";
	add(r, &e, "twice");
	add(r, &e, "twice");
	end(&e);
	begin(&e, CS_REPLAY_UNCHANGED);
	add(r, &e, "unchanged");
	end(&e);
	begin(&e, CS_REPLAY_NOT_REPLAYED);
	e.x.skip = CS_SKIP_LIMITS;
	add(r, &e, "limits");
	end(&e);
	report = report_of(r);
	assert_int_equal(json_array_size(json_object_get(report, "groups")), 3);
	assert_string_equal(text(group(report, 0), "rule"), "web/validity.max");
	assert_int_equal(number(group(report, 1), "count"), 1);
	assert_string_equal(text(group(report, 2), "class"), "changed");
	assert_int_equal(number(report, "decisions"), 14);
	assert_int_equal(number(report, "replayed"), 13);
	assert_int_equal(
		number(json_object_get(report, "not_replayed"), "limits"), 1);
	assert_int_equal(
		number(json_array_get(json_object_get(report, "issuers"), 0),
		       "allow-to-refuse"),
		3);
	assert_int_equal(
		number(json_array_get(json_object_get(report, "policies"), 0),
		       "unchanged"),
		1);
	assert_int_equal(cs_replay_report_count(r, CS_REPLAY_CHANGED), 9);
	json_decref(report);
	cs_replay_report_free(r);
}

static void what_would_wait_is_told_as_held(CS_UNUSED void **state)
{
	struct cs_replay_report *r = make();
	struct example e;
	json_t *report;
	const json_t *answer;

	begin(&e, CS_REPLAY_HELD);
	json_object_set_new(e.x.now, "final", json_true());
	add(r, &e, "held");
	report = report_of(r);
	answer = json_object_get(json_object_get(group(report, 0), "witness"),
				 "answer");
	assert_string_equal(text(answer, "would"), "held");
	assert_null(json_object_get(answer, "final"));
	assert_null(json_object_get(answer, "verdict"));
	/* What was lent stays as it was. */
	assert_string_equal(text(e.x.now, "verdict"), "refused");
	json_decref(report);
	end(&e);
	cs_replay_report_free(r);
}

static void more_rules_than_fit_are_counted(CS_UNUSED void **state)
{
	struct cs_replay_report *r = make();
	struct example e;
	json_t *report;
	char rule[32];

	begin(&e, CS_REPLAY_ALLOW_TO_REFUSE);
	e.x.rule = rule;
	for (int i = 0; i < CS_MAX_REPLAY_GROUPS + 5; i++) {
		(void)snprintf(rule, sizeof(rule), "web/%d", i);
		add(r, &e, "x");
	}
	report = report_of(r);
	assert_int_equal(json_array_size(json_object_get(report, "groups")),
			 CS_MAX_REPLAY_GROUPS);
	assert_int_equal(number(report, "groups_more"), 5);
	json_decref(report);
	end(&e);
	cs_replay_report_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_request_is_the_witness),
		cmocka_unit_test(groups_are_by_class_then_by_count),
		cmocka_unit_test(what_would_wait_is_told_as_held),
		cmocka_unit_test(more_rules_than_fit_are_counted),
	};

	return cs_test_run("cli/replay_report", tests);
}
