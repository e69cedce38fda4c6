/* Front's life: ready, stopping, at its end. */
#include <tests/lib/test.h>

#include "tests/lib/front_room.h"

static void is_ready_with_clients_and_state(CS_UNUSED void **state)
{
	uint64_t t;

	open_house();
	turn();
	assert_int_equal(house.parent.n, 0);
	t = ask(NOBODY, CS_HTTP_GET, "/readyz", NULL);
	assert_reply(t, 503, "\"code\":\"STARTING\"");
	t = submit();
	assert_reply(t, 503, "\"code\":\"STARTING\"");
	tell_state(CS_LEDGER_CLOCK);
	assert_int_equal(house.parent.n, 0);
	tell_clients();
	last(&house.parent, CS_MSG_READY, &t);
	t = ask(NOBODY, CS_HTTP_GET, "/readyz", NULL);
	assert_reply(t, 503, "\"code\":\"CLOCK\"");
	tell_state(CS_LEDGER_SPLIT);
	t = ask(NOBODY, CS_HTTP_GET, "/readyz", NULL);
	assert_reply(t, 503, "\"code\":\"SPLIT_VIEW\"");
	tell_state(CS_LEDGER_ISSUING);
	t = ask(NOBODY, CS_HTTP_GET, "/readyz", NULL);
	assert_reply(t, 200, "ready");
	t = ask(NOBODY, CS_HTTP_GET, "/healthz", NULL);
	assert_reply(t, 200, "ok");
	close_house();
}

static void stopping_finishes_what_is_under_way(CS_UNUSED void **state)
{
	const struct cs_msg_stop stop = {.drain_ms = 60000};
	struct cs_timer *last_connection;
	uint64_t t, other, ticket, late;

	open_serving();
	t = submit();
	last(&house.worker[0], CS_MSG_REQUEST, &ticket);
	assert_true(cs_link_send_stop(house.parent.link, 0, &stop, NULL));
	turn();
	assert_int_equal(fake.drains, 1);
	other = submit(); /* on its way before: still served */
	last(&house.worker[0], CS_MSG_REQUEST, &late);
	answer(ticket, CS_ANSWER_ISSUED, "");
	answer(late, CS_ANSWER_ISSUED, "");
	assert_reply(t, 201, "issued");
	assert_reply(other, 201, "issued");
	last_connection = cs_timer_new(house.loop, fake.config.on_drained,
				       fake.config.ctx, NULL);
	cs_timer_start(last_connection, 1);
	assert_int_equal(cs_loop_run(house.loop), 0);
	cs_timer_free(last_connection);
	close_house();
}

static void without_the_ledger_the_house_ends(CS_UNUSED void **state)
{
	open_serving();
	close_room(&house.ledger);
	assert_int_equal(cs_loop_run(house.loop), 75);
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_ready_with_clients_and_state),
		cmocka_unit_test(stopping_finishes_what_is_under_way),
		cmocka_unit_test(without_the_ledger_the_house_ends),
	};

	return cs_test_run("api/front", tests);
}
