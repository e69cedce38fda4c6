/* A policy set is applied. */
#include <tests/lib/test.h>

#include "tests/lib/front_room.h"

static void a_policy_set_is_read_checked_and_applied(CS_UNUSED void **state)
{
	const struct cs_msg_policy_files files = {
		.ok = 1, .files = CS_SPAN_LIT("sources")};
	const struct cs_msg_admin_done rejected = {
		.code = CS_SPAN_LIT("POLICY_REJECTED"),
		.detail = CS_SPAN_LIT("it does not load"),
		.body = CS_SPAN_LIT("{\"problems\":[{\"text\":"
				    "\"bad.yaml:4: no\"}]}")};
	struct cs_msg_check m;
	uint64_t t, ticket, again;

	open_serving();
	t = ask(LOCAL, CS_HTTP_POST, "/v1/policies", NULL);
	last(&house.parent, CS_MSG_POLICY_READ, &ticket);
	assert_true(cs_link_send_policy_files(house.parent.link, ticket, &files,
					      NULL));
	turn();
	assert_true(cs_msg_check_decode(
		last(&house.worker[0], CS_MSG_CHECK, &again), &m, NULL));
	assert_int_equal(again, ticket);
	assert_int_equal(m.apply, 1);
	assert_int_equal(m.uid, 1000);
	assert_true(cs_span_equal_str(m.files, "sources"));
	/* The worker dies over it: another one is asked. */
	kill_worker(0);
	add_worker(1);
	last(&house.worker[1], CS_MSG_CHECK, &again);
	assert_int_equal(again, ticket);
	assert_true(cs_link_send_admin_done(house.ledger.link, ticket,
					    &rejected, NULL));
	turn();
	assert_reply(t, 422, "\"problems\":[{\"text\":\"bad.yaml:4: no\"}]");
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_set_is_read_checked_and_applied),
	};

	return cs_test_run("api/front_policy", tests);
}
