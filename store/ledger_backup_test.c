/* The copy that a backup takes, while decisions go on. */
#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sqlite3.h>

#include <tests/lib/ledger_house.h>

/* Decisions of one round, and how much each adds to the file. */
#define ROUND	 40
#define WORDS	 15000
#define PATIENCE 200 /* rounds */

/* The number that a statement gives on a database file. */
static int64_t number_of(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *s;
	int64_t n;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}

/* Decisions that make the file grow by more than a step of the copy. */
static void decide(struct cs_house *h, const char *words)
{
	size_t before = cs_house_count(h, CS_MSG_ANSWER);

	for (int i = 0; i < ROUND; i++)
		(void)cs_house_ask(h, &(struct cs_ask){.words = words});
	assert_true(cs_house_wait(h, CS_MSG_ANSWER, before + ROUND));
}

static void a_copy_ends_however_fast_the_ledger_grows(void **state)
{
	const struct cs_msg_backup m = {.credential = 1, .uid = 1000};
	char words[WORDS + 1], path[160];
	struct cs_house h;
	struct cs_msg_admin_done done;
	const struct cs_got *got;
	json_t *answer;
	size_t acts;
	int rounds = 0;

	(void)state;
	memset(words, 'x', WORDS);
	words[WORDS] = '\0';
	cs_house_open(&h);
	acts = cs_house_count(&h, CS_MSG_ADMIN_DONE);
	assert_true(cs_link_send_backup(h.front, ++h.ticket, &m, NULL));
	while (cs_house_count(&h, CS_MSG_ADMIN_DONE) == acts &&
	       rounds++ < PATIENCE)
		decide(&h, words);
	if (rounds > PATIENCE)
		fail_msg("no end of it after %d rounds", PATIENCE);
	got = cs_house_last(&h, CS_MSG_ADMIN_DONE);
	assert_true(cs_msg_admin_done_decode(cs_span_make(got->body, got->n),
					     &done, NULL));
	assert_int_equal(done.ok, 1);
	answer = json_loadb((const char *)done.body.p, done.body.n, 0, NULL);
	(void)snprintf(path, sizeof(path), "%s/%s", h.dir,
		       json_string_value(json_object_get(answer, "file")));
	assert_int_equal(number_of(path,
				   "SELECT count(*) FROM pragma_integrity_check"
				   " WHERE integrity_check = 'ok'"),
			 1);
	assert_int_equal(
		number_of(path, "SELECT count(*) FROM leaf"),
		json_integer_value(json_object_get(answer, "tree_size")));
	json_decref(answer);
	assert_int_equal(unlink(path), 0);
	cs_house_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_ends_however_fast_the_ledger_grows),
	};

	return cs_test_run("store/ledger_backup", tests);
}
