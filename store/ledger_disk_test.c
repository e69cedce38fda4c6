/*
 * Every write and every sync of the ledger fails in turn. After each, the
 * house is started again on a disk that works: whatever an answer said is
 * there, no serial is there twice, and `audit verify` finds nothing.
 */
#include <tests/lib/test.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <tests/lib/ledger_house.h>
#include <tests/lib/vfs_shim.h>

/* Requests of one round. */
#define ASKS 3

/* What the client of one round was told. */
struct told {
	uint8_t outcome[ASKS];
	uint64_t index[ASKS];
};

/* One ask; no answer within the time is one, too. */
static void ask(struct cs_house *h, int i, struct told *told)
{
	char key[16];
	struct cs_msg_answer m;
	uint64_t ticket;
	size_t before = cs_house_count(h, CS_MSG_ANSWER);

	if (h->ledger->over)
		return;
	(void)snprintf(key, sizeof(key), "k%d", i);
	ticket = cs_house_ask(h, &(struct cs_ask){.key = key});
	(void)cs_house_wait_for(h, CS_MSG_ANSWER, before + 1, 20);
	if (cs_house_answer(h, ticket, 0, &m) == NULL)
		return;
	told->outcome[i] = m.outcome;
	told->index[i] = m.index;
}

/* After the restart: is everything there that was told? */
static void check(struct cs_house *h, const struct told *told)
{
	struct cs_msg_answer m;
	char key[16];

	for (int i = 0; i < ASKS; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(
			cs_house_ask_wait(h, &(struct cs_ask){.key = key}, &m),
			CS_ANSWER_ISSUED);
		if (told->outcome[i] == CS_ANSWER_ISSUED) {
			assert_int_equal(m.replay, 1);
			assert_int_equal(m.index, told->index[i]);
		}
	}
	cs_house_verify(h);
}

/* One round: operations n to last fail. *ret_done: none was left to fail. */
static void round_with(unsigned n, unsigned last, enum cs_shim_error how,
		       bool *ret_done)
{
	struct cs_house h;
	struct cs_error err = {0};
	struct told told = {{0}, {0}};

	cs_house_open(&h);
	cs_house_crash(&h);
	h.config.vfs = "shim";
	cs_shim_fail(n, last, how);
	if (cs_house_start(&h, &err)) {
		for (int i = 0; i < ASKS; i++)
			ask(&h, i, &told);
	}
	*ret_done = cs_shim_count() < n;
	cs_house_crash(&h);
	cs_shim_fail(0, 0, how);
	h.config.vfs = NULL;
	if (!cs_house_start(&h, &err))
		fail_msg("operation %u: %s", n, err.text);
	assert_true(cs_house_wait(&h, CS_MSG_STATE, 1));
	check(&h, &told);
	cs_house_done(&h);
}

/* Until a round meets no failure any more. */
static void rounds(unsigned width, enum cs_shim_error how)
{
	bool done = false;
	unsigned n;

	for (n = 1; !done; n++)
		round_with(n, width == 0 ? UINT_MAX : n + width - 1, how,
			   &done);
	/* A start and three decisions write more than this. */
	assert_true(n > 15);
}

static void each_write_and_sync_that_fails_once_loses_nothing(void **state)
{
	(void)state;
	rounds(1, CS_SHIM_IO);
}

static void a_disk_that_breaks_for_good_loses_nothing(void **state)
{
	(void)state;
	rounds(0, CS_SHIM_IO);
}

static void a_disk_that_is_full_for_a_moment_loses_nothing(void **state)
{
	(void)state;
	rounds(1, CS_SHIM_FULL);
}

static void a_file_system_that_turns_read_only_ends_the_house(void **state)
{
	struct cs_house h;
	struct cs_error err = {0};
	struct told told = {{0}, {0}};

	(void)state;
	cs_house_open(&h);
	cs_house_crash(&h);
	h.config.vfs = "shim";
	cs_shim_fail(0, 0, CS_SHIM_READONLY);
	assert_true(cs_house_start(&h, &err));
	assert_true(cs_house_wait(&h, CS_MSG_STATE, 1));
	ask(&h, 0, &told);
	assert_int_equal(told.outcome[0], CS_ANSWER_ISSUED);
	cs_shim_fail(1, UINT_MAX, CS_SHIM_READONLY);
	ask(&h, 1, &told);
	assert_int_not_equal(told.outcome[1], CS_ANSWER_ISSUED);
	assert_true(h.ledger->over);
	cs_house_crash(&h);
	cs_shim_fail(0, 0, CS_SHIM_READONLY);
	h.config.vfs = NULL;
	assert_true(cs_house_start(&h, &err));
	assert_true(cs_house_wait(&h, CS_MSG_STATE, 1));
	check(&h, &told);
	cs_house_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_write_and_sync_that_fails_once_loses_nothing),
		cmocka_unit_test(a_disk_that_breaks_for_good_loses_nothing),
		cmocka_unit_test(
			a_file_system_that_turns_read_only_ends_the_house),
		cmocka_unit_test(
			a_disk_that_is_full_for_a_moment_loses_nothing),
	};

	cs_shim_register();
	return cs_test_run("store/ledger_disk", tests);
}
