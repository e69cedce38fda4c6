/* REQUESTs on their way, over workers to the ledger and back. */
#include <tests/lib/test.h>

#include <string.h>

#include "base/limits.h"
#include "tests/lib/front_room.h"

static void a_request_goes_to_a_worker_and_returns(CS_UNUSED void **state)
{
	struct cs_msg_request m;
	uint64_t t, ticket;

	open_serving();
	t = submit();
	assert_null(reply_to(t));
	assert_true(cs_msg_request_decode(
		last(&house.worker[0], CS_MSG_REQUEST, &ticket), &m, NULL));
	assert_int_equal(m.client, 3);
	assert_int_equal(m.credential, 9);
	assert_int_equal(m.flags, CS_REQ_APPROVED | CS_REQ_SELF);
	answer(ticket, CS_ANSWER_ISSUED, "{\"verdict\":\"issued\"}");
	assert_reply(t, 201, "\"state\":\"issued\"");
	/* A second answer to the same ticket finds nobody. */
	answer(ticket, CS_ANSWER_ISSUED, "");
	assert_int_equal(fake.n, 1);
	close_house();
}

static void nothing_is_sent_while_nothing_is_issued(CS_UNUSED void **state)
{
	uint64_t t;

	open_serving();
	tell_state(CS_LEDGER_FULL);
	t = submit();
	assert_reply(t, 503, "\"code\":\"FULL\"");
	assert_non_null(strstr(reply_to(t)->headers, "Retry-After: 1\n"));
	assert_int_equal(house.worker[0].n, 0);
	close_house();
}

static void a_dead_workers_request_is_sent_to_another(CS_UNUSED void **state)
{
	uint64_t t, first, second;

	open_serving();
	t = submit();
	last(&house.worker[0], CS_MSG_REQUEST, &first);
	kill_worker(0);
	add_worker(1);
	last(&house.worker[1], CS_MSG_REQUEST, &second);
	assert_int_equal(first, second);
	kill_worker(1);
	last(&house.ledger, CS_MSG_WORKER_KILLER, &second);
	assert_int_equal(first, second);
	add_worker(0);
	assert_int_equal(house.worker[0].n, 0);
	answer(first, CS_ANSWER_REFUSED, "{\"code\":\"CSR_WORKER_FAILED\"}");
	assert_reply(t, 422, "CSR_WORKER_FAILED");
	close_house();
}

static void a_stale_opinion_is_asked_for_again(CS_UNUSED void **state)
{
	const struct cs_msg_rejudge m = {.epoch = 2};
	uint64_t t, ticket;

	open_serving();
	t = submit();
	for (size_t i = 1; i <= 3; i++) {
		assert_int_equal(house.worker[0].n, i == 1 ? 1 : i + 1);
		last(&house.worker[0], CS_MSG_REQUEST, &ticket);
		assert_true(cs_link_send_rejudge(house.ledger.link, ticket, &m,
						 NULL));
		turn();
	}
	/* Two requests behind the first, and once which epoch is wanted. */
	assert_int_equal(house.worker[0].n, 4);
	assert_reply(t, 503, "POLICY_CHANGED");
	close_house();
}

static void more_than_the_cap_is_told_to_come_back(CS_UNUSED void **state)
{
	uint64_t t = 0;

	open_serving();
	for (int i = 0; i < CS_MAX_IN_FLIGHT; i++)
		t = submit();
	assert_null(reply_to(t));
	t = submit();
	assert_reply(t, 503, "\"code\":\"BUSY\"");
	assert_non_null(strstr(reply_to(t)->headers, "Retry-After"));
	close_house();
}

static void what_the_ledger_drives_has_slots_of_its_own(CS_UNUSED void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf request = {0};
	struct cs_msg_drive m;
	uint64_t t;

	open_serving();
	stored(&request);
	m.request = cs_buf_span(&request);
	for (int i = 0; i < CS_MAX_IN_FLIGHT; i++)
		(void)submit();
	for (int i = 0; i < CS_MAX_DRIVES + 2; i++)
		assert_true(cs_link_send_drive(house.ledger.link, 0, &m, NULL));
	turn();
	/* Two wait for a slot, and take the first ones that are free. */
	assert_int_equal(house.worker[0].n, CS_MAX_IN_FLIGHT + CS_MAX_DRIVES);
	for (int i = 0; i < 3; i++)
		answer(house.worker[0].seen[i].ticket, CS_ANSWER_BUSY, "");
	assert_int_equal(house.worker[0].n,
			 CS_MAX_IN_FLIGHT + CS_MAX_DRIVES + 2);
	last(&house.worker[0], CS_MSG_REQUEST, &t);
	/* Nobody waits for its answer. */
	answer(t, CS_ANSWER_ISSUED, "");
	assert_int_equal(fake.n, 3);
	close_house();
}

static void a_client_that_left_does_not_stop_its_request(CS_UNUSED void **state)
{
	uint64_t t, ticket;

	open_serving();
	t = submit();
	last(&house.worker[0], CS_MSG_REQUEST, &ticket);
	fake.config.on_gone(fake.config.ctx, t);
	answer(ticket, CS_ANSWER_ISSUED, "");
	assert_int_equal(fake.n, 0);
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_goes_to_a_worker_and_returns),
		cmocka_unit_test(nothing_is_sent_while_nothing_is_issued),
		cmocka_unit_test(a_dead_workers_request_is_sent_to_another),
		cmocka_unit_test(a_stale_opinion_is_asked_for_again),
		cmocka_unit_test(more_than_the_cap_is_told_to_come_back),
		cmocka_unit_test(what_the_ledger_drives_has_slots_of_its_own),
		cmocka_unit_test(a_client_that_left_does_not_stop_its_request),
	};

	return cs_test_run("api/front_flights", tests);
}
