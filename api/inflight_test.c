#include <tests/lib/test.h>

#include <string.h>

#include "api/inflight.h"
#include "base/limits.h"

static struct cs_flight *add(struct cs_inflight *t, const char *text)
{
	return cs_inflight_add(t, cs_span_str(text), CS_FLIGHT_CLIENT, 5);
}

static void holds_no_more_than_its_capacity(void **state)
{
	struct cs_inflight *t = cs_inflight_new(3, NULL);
	struct cs_flight *f;
	uint64_t ticket;

	(void)state;
	assert_non_null(f = add(t, "a"));
	assert_non_null(add(t, "b"));
	assert_non_null(add(t, "c"));
	assert_null(add(t, "d"));
	assert_int_equal(cs_inflight_count(t), 3);
	ticket = f->ticket;
	cs_inflight_end(t, f);
	assert_null(cs_inflight_find(t, ticket));
	/* The slot is used again, the ticket is not. */
	assert_non_null(f = add(t, "d"));
	assert_int_not_equal(f->ticket, ticket);
	assert_null(cs_inflight_find(t, ticket));
	assert_ptr_equal(cs_inflight_find(t, f->ticket), f);
	cs_inflight_free(t);
}

static void waits_until_there_is_a_worker(void **state)
{
	struct cs_inflight *t = cs_inflight_new(3, NULL);
	struct cs_flight *a = add(t, "a");
	struct cs_flight *b = add(t, "b");

	(void)state;
	assert_null(cs_inflight_assign(t));
	cs_inflight_worker_up(t, 7);
	assert_ptr_equal(cs_inflight_assign(t), a);
	assert_ptr_equal(cs_inflight_assign(t), b);
	assert_int_equal(a->worker, 7);
	assert_null(cs_inflight_assign(t));
	cs_inflight_free(t);
}

static void sends_to_the_least_loaded_worker(void **state)
{
	struct cs_inflight *t = cs_inflight_new(8, NULL);
	unsigned n[2] = {0, 0};
	struct cs_flight *f;

	(void)state;
	cs_inflight_worker_up(t, 0);
	cs_inflight_worker_up(t, 1);
	for (int i = 0; i < 6; i++)
		assert_non_null(add(t, "x"));
	while ((f = cs_inflight_assign(t)) != NULL)
		n[f->worker]++;
	assert_int_equal(n[0], 3);
	assert_int_equal(n[1], 3);
	cs_inflight_free(t);
}

static void a_dead_workers_requests_are_sent_again_in_their_order(void **state)
{
	struct cs_inflight *t = cs_inflight_new(8, NULL);
	struct cs_flight *a = add(t, "a");
	struct cs_flight *b = add(t, "b");
	struct cs_flight *c;

	(void)state;
	cs_inflight_worker_up(t, 0);
	assert_non_null(cs_inflight_assign(t));
	assert_non_null(cs_inflight_assign(t));
	c = add(t, "c");
	assert_int_equal(cs_inflight_worker_down(t, 0), 0);
	assert_int_equal(a->state, CS_FLIGHT_WAITING);
	cs_inflight_worker_up(t, 1);
	assert_ptr_equal(cs_inflight_assign(t), a);
	/* b is a suspect too, and a worker has one at a time. */
	assert_ptr_equal(cs_inflight_assign(t), c);
	assert_null(cs_inflight_assign(t));
	cs_inflight_end(t, a);
	assert_ptr_equal(cs_inflight_assign(t), b);
	cs_inflight_free(t);
}

static void the_second_death_is_blamed_on_the_suspect_only(void **state)
{
	struct cs_inflight *t = cs_inflight_new(8, NULL);
	struct cs_flight *a = add(t, "a");
	struct cs_flight *b = add(t, "b");
	struct cs_flight *c;

	(void)state;
	cs_inflight_worker_up(t, 0);
	while (cs_inflight_assign(t) != NULL)
		;
	assert_int_equal(cs_inflight_worker_down(t, 0), 0);
	c = add(t, "c");
	cs_inflight_worker_up(t, 0);
	while (cs_inflight_assign(t) != NULL)
		;
	assert_int_equal(cs_inflight_worker_down(t, 0), 1);
	assert_int_equal(a->state, CS_FLIGHT_CONDEMNED);
	assert_int_equal(b->state, CS_FLIGHT_WAITING);
	assert_int_equal(b->deaths, 1);
	assert_int_equal(c->deaths, 1);
	/* The ledger's answer ends it like any other. */
	cs_inflight_end(t, a);
	assert_int_equal(cs_inflight_count(t), 2);
	cs_inflight_free(t);
}

static void an_answer_ends_a_request_that_waits_again(void **state)
{
	struct cs_inflight *t = cs_inflight_new(8, NULL);
	struct cs_flight *a = add(t, "a");

	(void)state;
	cs_inflight_worker_up(t, 0);
	assert_non_null(cs_inflight_assign(t));
	assert_int_equal(cs_inflight_worker_down(t, 0), 0);
	cs_inflight_end(t, a);
	cs_inflight_worker_up(t, 0);
	assert_null(cs_inflight_assign(t));
	cs_inflight_free(t);
}

static void is_judged_again_twice_at_most(void **state)
{
	struct cs_inflight *t = cs_inflight_new(8, NULL);
	struct cs_flight *a = add(t, "a");

	(void)state;
	cs_inflight_worker_up(t, 0);
	for (int i = 0; i < CS_MAX_REJUDGES; i++) {
		assert_ptr_equal(cs_inflight_assign(t), a);
		assert_true(cs_inflight_rejudge(t, a));
		assert_int_equal(a->state, CS_FLIGHT_WAITING);
		/* A second message about the same opinion changes nothing. */
		assert_true(cs_inflight_rejudge(t, a));
	}
	assert_ptr_equal(cs_inflight_assign(t), a);
	assert_false(cs_inflight_rejudge(t, a));
	cs_inflight_free(t);
}

static void refuses_a_request_beyond_its_maximum(void **state)
{
	static char big[CS_MAX_REQUEST_MESSAGE + 2];
	struct cs_inflight *t = cs_inflight_new(2, NULL);

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	assert_null(add(t, big));
	assert_int_equal(cs_inflight_count(t), 0);
	assert_non_null(add(t, "a"));
	cs_inflight_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_no_more_than_its_capacity),
		cmocka_unit_test(waits_until_there_is_a_worker),
		cmocka_unit_test(sends_to_the_least_loaded_worker),
		cmocka_unit_test(
			a_dead_workers_requests_are_sent_again_in_their_order),
		cmocka_unit_test(
			the_second_death_is_blamed_on_the_suspect_only),
		cmocka_unit_test(an_answer_ends_a_request_that_waits_again),
		cmocka_unit_test(is_judged_again_twice_at_most),
		cmocka_unit_test(refuses_a_request_beyond_its_maximum),
	};

	return cs_test_run("api/inflight", tests);
}
