#include "tests/lib/test.h"

#include <string.h>

#include "store/rows.h"
#include "tests/lib/history.h"

/* The shard's row, new or in the place of the last one. */
static void put_row(struct cs_history *h, int64_t number, uint64_t leaf)
{
	struct cs_stmt s = cs_stmt(h->db, CS_SQL_CRL_PUT);
	uint8_t der[70];

	memset(der, (int)number, sizeof(der));
	cs_stmt_int(&s, 1);
	cs_stmt_int(&s, 0);
	cs_stmt_int(&s, number);
	cs_stmt_int(&s, 1000);
	cs_stmt_int(&s, 2000);
	cs_stmt_int(&s, 900);
	cs_stmt_int(&s, 7);
	cs_stmt_int(&s, 2);
	cs_stmt_int(&s, (int64_t)leaf);
	cs_stmt_blob(&s, cs_span_make(der, 32));
	cs_stmt_blob(&s, cs_span_make(der, sizeof(der)));
	assert_true(cs_stmt_run(&s, NULL));
}

void cs_history_crl(struct cs_history *h, int64_t number)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf rows;
	struct cs_leaf_record r;

	cs_buf_init(&rows, CS_ROWS_MAX);
	assert_true(cs_db_begin(h->db, NULL));
	cs_history_begin(h, &r, CS_LEAF_CRL_SIGNED);
	put_row(h, number, r.index);
	assert_true(cs_rows_crl(h->db, h->hash, 1, &rows, NULL));
	r.issuer = 1;
	r.issuer_name = CS_SPAN_LIT("default");
	r.generation = 1;
	cs_history_act_write(h, &r, "{\"shard\":0}", &rows);
	assert_true(cs_db_commit(h->db, NULL));
}

void cs_history_retire(struct cs_history *h)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf rows;
	struct cs_leaf_record r;
	struct cs_stmt s;

	cs_buf_init(&rows, CS_ROWS_MAX);
	assert_true(cs_db_begin(h->db, NULL));
	cs_history_begin(h, &r, CS_LEAF_CONFIG_APPLIED);
	s = cs_stmt(h->db, CS_SQL_ISSUER_END_INSERT);
	cs_stmt_int(&s, 1);
	cs_stmt_str(&s, CS_SPAN_LIT("retire"));
	cs_stmt_int(&s, h->now_ms);
	cs_stmt_int(&s, (int64_t)r.index);
	assert_true(cs_stmt_run(&s, NULL));
	assert_true(cs_rows_issuer_end(h->db, h->hash, r.index, &rows, NULL));
	cs_history_act_write(h, &r,
			     "{\"generation\":1,\"issuer\":\"default\","
			     "\"op\":\"retire\"}",
			     &rows);
	assert_true(cs_db_commit(h->db, NULL));
}
