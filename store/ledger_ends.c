/*
 * What is done about a CA certificate for good: it is retired, its key is
 * destroyed. The files say so (cli/generation.h); the first start that sees
 * it writes a row and a leaf. From then on the files have to go on saying so.
 */
#include "base/json.h"
#include "store/ledger_room.h"
#include "store/rows.h"

/* Is it recorded that this was done? */
static bool find_end(struct cs_ledger *l,
		     const struct cs_ledger_issuer_row *row, const char *op,
		     bool *ret_there, int64_t *ret_leaf, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_ISSUER_END_GET);

	*ret_there = false;
	cs_stmt_int(&s, row->id);
	cs_stmt_str(&s, cs_span_str(op));
	if (!cs_stmt_step(&s, ret_there, err))
		return false;
	if (*ret_there)
		*ret_leaf = cs_stmt_col_int(&s, 0);
	cs_stmt_end(&s);
	return true;
}

/* What the leaf says, in l->json. */
static bool write_decision(struct cs_ledger *l,
			   const struct cs_ledger_issuer_row *row,
			   const char *op, struct cs_error *err)
{
	struct cs_json j;

	cs_buf_reset(&l->json);
	cs_json_begin(&j, &l->json);
	cs_json_object(&j);
	if (l->config.config_sha256 != NULL)
		cs_json_member_hex(&j, "config_sha256",
				   cs_span_make(l->config.config_sha256, 32));
	cs_json_member_int(&j, "generation", (int64_t)row->generation);
	cs_json_member_str(&j, "issuer", row->config->name);
	cs_json_member_str(&j, "op", op);
	cs_json_end(&j);
	return cs_json_finish(&j, "an issuer's end", err);
}

/* Row and leaf. */
static bool record(struct cs_ledger *l, const struct cs_ledger_issuer_row *row,
		   const char *op, struct cs_error *err)
{
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_CONFIG_APPLIED, err);
	struct cs_stmt s;

	if (d == NULL || !write_decision(l, row, op, err))
		return false;
	if (!cs_arena_dup(&l->batch.arena, cs_buf_span(&l->json), &d->decision))
		return cs_error_set(err, CS_E_NO_MEMORY, "an issuer's end");
	s = cs_stmt(l->db, CS_SQL_ISSUER_END_INSERT);
	cs_stmt_int(&s, row->id);
	cs_stmt_str(&s, cs_span_str(op));
	cs_stmt_int(&s, l->batch.now_ms);
	cs_stmt_int(&s, (int64_t)d->rec.index);
	if (!cs_stmt_run(&s, err))
		return false;
	cs_buf_reset(&l->json);
	return cs_rows_issuer_end(l->db, l->hash, d->rec.index, &l->json,
				  err) &&
	       (cs_arena_dup(&l->batch.arena, cs_buf_span(&l->json),
			     &d->rec.rows) ||
		cs_error_set(err, CS_E_NO_MEMORY, "an issuer's end"));
}

/* One thing that is done for good, or not. */
static bool sync(struct cs_ledger *l, const struct cs_ledger_issuer_row *row,
		 const char *op, bool is_done, struct cs_error *err)
{
	bool there;
	int64_t leaf = 0;

	if (!find_end(l, row, op, &there, &leaf, err))
		return false;
	if (there && !is_done)
		return cs_error_set(err, CS_E_CONFIG,
				    "issuer %s: entry %lld of the log says %s "
				    "of generation %llu, and its "
				    "generation.yaml does not: put that file "
				    "back",
				    row->config->name, (long long)leaf, op,
				    (unsigned long long)row->generation);
	return there || !is_done || record(l, row, op, err);
}

static bool sync_all(struct cs_ledger *l,
		     const struct cs_ledger_issuer_row *rows, size_t n,
		     struct cs_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!sync(l, &rows[i], "retire", rows[i].config->is_retired,
			  err) ||
		    !sync(l, &rows[i], "destroy_key",
			  rows[i].config->key_is_gone, err))
			return false;
	return true;
}

bool cs_ledger_ends_record(struct cs_ledger *l, struct cs_error *err)
{
	return sync_all(l, l->older, l->older_n, err) &&
	       sync_all(l, l->issuers, l->issuers_n, err);
}
