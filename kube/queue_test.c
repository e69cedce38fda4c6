#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "kube/queue.h"

static unsigned lost;
static char lost_uid[8];
static char lost_serial[64];

static void on_lost(void *ctx, const struct cs_kube_item *item)
{
	(void)ctx;
	assert_non_null(item->name);
	lost++;
	(void)snprintf(lost_uid, sizeof(lost_uid), "%s", item->uid);
	(void)snprintf(lost_serial, sizeof(lost_serial), "%s", item->serial);
}

static struct cs_kube_request request(const char *name, const char *uid)
{
	return (struct cs_kube_request){
		.kind = CS_KUBE_CR,
		.name = name,
		.namespace = "shop",
		.uid = uid,
		.issuer = "ca",
		.todo = CS_KUBE_SUBMIT,
	};
}

static void put(struct cs_queue *q, const char *name, const char *uid,
		int64_t now)
{
	struct cs_kube_request r = request(name, uid);

	cs_queue_put(q, &r, now);
}

static struct cs_queue *queue(size_t max)
{
	struct cs_queue *q = cs_queue_new(max, on_lost, NULL, NULL);

	assert_non_null(q);
	lost = 0;
	return q;
}

static void items_come_in_the_order_of_their_times(void **state)
{
	struct cs_queue *q = queue(100);
	char name[8];
	int64_t last = 0;

	(void)state;
	for (int i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof(name), "r%d", i);
		put(q, name, "u", (i * 37) % 50);
	}
	assert_int_equal(cs_queue_wait(q, -10), 10);
	for (int i = 0; i < 50; i++) {
		struct cs_kube_item *item = cs_queue_take(q, 100);

		assert_non_null(item);
		assert_true(item->due_ms >= last);
		last = item->due_ms;
	}
	assert_null(cs_queue_take(q, 100));
	assert_int_equal(cs_queue_wait(q, 0), -1);
	cs_queue_free(q);
}

static void the_same_event_again_wakes_nobody_another_uid_does(void **state)
{
	struct cs_queue *q = queue(10);
	struct cs_kube_item *item;

	(void)state;
	put(q, "a", "u1", 0);
	item = cs_queue_take(q, 0);
	cs_queue_done(q, item, CS_QUEUE_AT, 1000);
	put(q, "a", "u1", 5);
	assert_null(cs_queue_take(q, 10));
	put(q, "a", "u2", 5);
	item = cs_queue_take(q, 10);
	assert_string_equal(item->uid, "u2");
	/* While it is worked on: afterwards, and at once. */
	put(q, "a", "u3", 20);
	cs_queue_done(q, item, CS_QUEUE_DROP, 0);
	item = cs_queue_take(q, 20);
	assert_non_null(item);
	assert_string_equal(item->uid, "u3");
	cs_queue_done(q, item, CS_QUEUE_DROP, 0);
	assert_int_equal(cs_queue_stats(q).items, 0);
	cs_queue_free(q);
}

static void who_waits_for_an_issuer_is_due_when_it_changes(void **state)
{
	struct cs_queue *q = queue(10);

	(void)state;
	put(q, "a", "u", 0);
	cs_queue_done(q, cs_queue_take(q, 0), CS_QUEUE_PARK, 0);
	assert_int_equal(cs_queue_stats(q).parked, 1);
	cs_queue_wake(q, "/ca", 5);
	assert_null(cs_queue_take(q, 10));
	cs_queue_wake(q, "shop/ca", 5);
	assert_non_null(cs_queue_take(q, 10));
	cs_queue_free(q);
}

static void what_a_list_does_not_bring_is_gone(void **state)
{
	struct cs_queue *q = queue(10);
	struct cs_kube_item *busy;

	(void)state;
	put(q, "a", "u", 0);
	busy = cs_queue_take(q, 0);
	put(q, "b", "u", 0);
	put(q, "c", "u", 0);
	cs_queue_listing(q, CS_KUBE_CR);
	put(q, "c", "u", 0);
	cs_queue_listed(q, CS_KUBE_CR);
	assert_int_equal(lost, 1);
	assert_int_equal(cs_queue_stats(q).items, 2);
	/* Not under its worker. */
	assert_string_equal(busy->name, "a");
	cs_queue_done(q, busy, CS_QUEUE_AT, 0);
	assert_int_equal(cs_queue_stats(q).items, 1);
	cs_queue_free(q);
}

static void what_was_issued_for_one_is_lost_with_the_next_of_its_name(
	void **state)
{
	struct cs_queue *q = queue(10);
	struct cs_kube_item *item;

	(void)state;
	put(q, "a", "old", 0);
	item = cs_queue_take(q, 0);
	(void)snprintf(item->serial, sizeof(item->serial), "5b01");
	put(q, "a", "new", 0);
	assert_int_equal(lost, 1);
	assert_string_equal(lost_uid, "old");
	assert_string_equal(lost_serial, "5b01");
	assert_string_equal(item->uid, "new");
	assert_string_equal(item->serial, "");
	cs_queue_free(q);
}

static void what_stands_in_its_request_is_not_lost(void **state)
{
	struct cs_queue *q = queue(10);
	struct cs_kube_request r = request("a", "u");
	struct cs_kube_item *item;

	(void)state;
	put(q, "a", "u", 0);
	item = cs_queue_take(q, 0);
	(void)snprintf(item->serial, sizeof(item->serial), "5b01");
	cs_queue_done(q, item, CS_QUEUE_AT, 1000);
	r.todo = CS_KUBE_IGNORE;
	r.delivered = true;
	cs_queue_put(q, &r, 0);
	assert_int_equal(lost, 1);
	assert_string_equal(lost_serial, "");
	/* It has an end, but another one. */
	put(q, "a", "u", 0);
	item = cs_queue_take(q, 0);
	(void)snprintf(item->serial, sizeof(item->serial), "5b02");
	cs_queue_done(q, item, CS_QUEUE_AT, 1000);
	r.delivered = false;
	cs_queue_forget(q, &r);
	assert_int_equal(lost, 2);
	assert_string_equal(lost_serial, "5b02");
	cs_queue_free(q);
}

static void beyond_the_maximum_it_is_counted(void **state)
{
	struct cs_queue *q = queue(2);

	(void)state;
	put(q, "a", "u", 0);
	put(q, "b", "u", 0);
	put(q, "c", "u", 0);
	assert_int_equal(cs_queue_stats(q).items, 2);
	assert_int_equal(cs_queue_stats(q).dropped, 1);
	/* A list is wanted when there is room for what it brings. */
	assert_false(cs_queue_wants_list(q, CS_KUBE_CR));
	cs_queue_done(q, cs_queue_take(q, 0), CS_QUEUE_DROP, 0);
	assert_true(cs_queue_wants_list(q, CS_KUBE_CR));
	assert_false(cs_queue_wants_list(q, CS_KUBE_CSR));
	cs_queue_listing(q, CS_KUBE_CR);
	assert_false(cs_queue_wants_list(q, CS_KUBE_CR));
	cs_queue_free(q);
}

static void waits_are_doubled_and_never_shorter_than_asked(void **state)
{
	struct cs_wait w;
	uint32_t ms;

	(void)state;
	cs_wait_init(&w, 100, 1000);
	for (unsigned base = 100; base < 5000; base *= 2) {
		unsigned want = base < 1000 ? base : 1000;

		ms = cs_wait_next(&w, 0);
		assert_true(ms >= want && ms < 2 * want);
	}
	ms = cs_wait_next(&w, 7);
	assert_true(ms >= 7000 && ms < 14000);
	cs_wait_reset(&w);
	assert_true(cs_wait_next(&w, 0) < 200);
	assert_int_equal(cs_wait_chance(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_in_the_order_of_their_times),
		cmocka_unit_test(
			the_same_event_again_wakes_nobody_another_uid_does),
		cmocka_unit_test(
			who_waits_for_an_issuer_is_due_when_it_changes),
		cmocka_unit_test(what_a_list_does_not_bring_is_gone),
		cmocka_unit_test(
			what_was_issued_for_one_is_lost_with_the_next_of_its_name),
		cmocka_unit_test(what_stands_in_its_request_is_not_lost),
		cmocka_unit_test(beyond_the_maximum_it_is_counted),
		cmocka_unit_test(
			waits_are_doubled_and_never_shorter_than_asked),
	};

	return cs_test_run("kube/queue", tests);
}
