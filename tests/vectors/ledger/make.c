/*
 * Prints a database of the schema's version as SQL, with every kind of
 * decision and every open state in it, as a ledger wrote it: the fixture for
 * each later migration. `make tests/vectors/ledger/make` builds it;
 *
 *	tests/vectors/ledger/make > tests/vectors/ledger/v2.sql
 *
 * was run once, when version 2 was fixed (and so for each). Keys in it are good
 *for nothing.
 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#include "base/limit.h"
#include "store/schema.h"
#include "tests/lib/ledger_house.h"

/* Decisions and open requests of every kind. */
static void live(struct cs_house *h)
{
	static const uint8_t held[16] = {0xa1}, waits[16] = {0xa2},
			     old[16] = {0xa3};
	struct cs_limit limit = {CS_LIMIT_HOLD, 1, 3600,
				 CS_SPAN_LIT("web/limits"), CS_SPAN_LIT("www")};
	struct cs_msg_answer m;
	struct cs_msg_admin_done done;
	struct cs_ask ask = {.key = "issued"};
	struct cs_buf b;

	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &limit);
	ask.limits = cs_buf_span(&b);
	(void)cs_house_ask_wait(h, &ask, &m);
	ask.id = held;
	ask.key = "held";
	(void)cs_house_ask_wait(h, &ask, &m);
	cs_buf_done(&b);
	(void)cs_house_ask_wait(h, &(struct cs_ask){.code = "REFUSED"}, &m);
	(void)cs_house_ask_wait(h, &(struct cs_ask){.flags = CS_REQ_DENIED},
				&m);
	h->ledger->config.pending_ttl_ms = 1000;
	(void)cs_house_ask_wait(h, &(struct cs_ask){.id = old, .pending = 1},
				&m);
	h->ledger->config.pending_ttl_ms = 3600000;
	(void)cs_house_ask_wait(h, &(struct cs_ask){.id = waits, .pending = 1},
				&m);
	/* The tick that looks for what has expired. */
	h->wall_ms += 2000;
	h->boot_ms += 2000;
	h->ledger->ticks = 4;
	cs_house_turn(h, 1500);
	h->signing = CS_FAKE_REFUSES;
	(void)cs_house_ask_wait(h, &(struct cs_ask){0}, &m);
	cs_house_apply(h, "allow: less", &done);
	/* Terms of all but the last leaves. */
	cs_house_pass(h, 1000);
	h->signing = CS_FAKE_HOLDS;
	(void)cs_house_ask(h, &(struct cs_ask){.key = "under way"});
	assert_true(cs_house_wait(h, CS_MSG_SIGN, 3));
	cs_house_crash(h);
}

/* Rows of one query, each printed behind `before` and before `after`. */
static void print_rows(struct cs_db *db, const char *sql, const char *before,
		       const char *after)
{
	struct cs_stmt s = cs_stmt_text(db, sql);
	bool row = true;

	while (row) {
		assert_true(cs_stmt_step(&s, &row, NULL));
		if (row)
			(void)printf("%s%.*s%s", before,
				     CS_SPAN_FMT(cs_stmt_col(&s, 0)), after);
	}
	cs_stmt_end(&s);
}

/* INSERT statements for one table. */
static void print_table(struct cs_db *db, const char *name)
{
	char sql[2048] = "SELECT ";
	char before[96];
	struct cs_stmt s =
		cs_stmt_text(db, "SELECT group_concat('quote(' || name || ')',"
				 " ' || '','' || ') FROM pragma_table_info(?)");
	bool row = false;

	cs_stmt_str(&s, cs_span_str(name));
	assert_true(cs_stmt_step(&s, &row, NULL) && row);
	(void)snprintf(sql, sizeof(sql), "SELECT %.*s FROM %s",
		       CS_SPAN_FMT(cs_stmt_col(&s, 0)), name);
	cs_stmt_end(&s);
	(void)snprintf(before, sizeof(before), "INSERT INTO %s VALUES (", name);
	print_rows(db, sql, before, ");\n");
}

/* Everything, in an order in which it can be run. */
static void print_database(struct cs_db *db)
{
	struct cs_stmt s;
	bool row = true;

	(void)printf("PRAGMA application_id = %d;\nPRAGMA user_version = %d;\n",
		     CS_SCHEMA_APPLICATION_ID, CS_SCHEMA_VERSION);
	print_rows(db,
		   "SELECT sql FROM sqlite_schema WHERE type = 'table'"
		   " ORDER BY rowid",
		   "", ";\n");
	s = cs_stmt_text(db, "SELECT name FROM sqlite_schema"
			     " WHERE type = 'table' ORDER BY rowid");
	while (row) {
		char name[64];

		assert_true(cs_stmt_step(&s, &row, NULL));
		if (!row)
			break;
		(void)snprintf(name, sizeof(name), "%.*s",
			       CS_SPAN_FMT(cs_stmt_col(&s, 0)));
		print_table(db, name);
	}
	cs_stmt_end(&s);
	print_rows(db,
		   "SELECT sql FROM sqlite_schema WHERE type <> 'table'"
		   " AND sql IS NOT NULL ORDER BY rowid",
		   "", ";\n");
}

int main(void)
{
	struct cs_house h;
	struct cs_db_config config;
	struct cs_db *db;

	cs_house_open(&h);
	live(&h);
	config = (struct cs_db_config){.path = h.db_path};
	db = cs_db_open(&config, CS_DB_READ, NULL);
	assert_non_null(db);
	print_database(db);
	cs_db_close(db);
	cs_house_done(&h);
	return 0;
}
