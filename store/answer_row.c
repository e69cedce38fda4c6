#include "store/answer_row.h"

#include <string.h>

#include "base/der.h"
#include "store/leaf.h"

/* Which answer a state is. */
static const struct {
	const char *state;
	enum cs_answer outcome;
} outcomes[] = {
	{"issued", CS_ANSWER_ISSUED},	{"refused", CS_ANSWER_REFUSED},
	{"denied", CS_ANSWER_DENIED},	{"expired", CS_ANSWER_EXPIRED},
	{"pending", CS_ANSWER_PENDING}, {"approved", CS_ANSWER_HELD},
};

/* False: no such state. */
static bool outcome_of(struct cs_span state, enum cs_answer *ret)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (cs_span_equal_str(state, outcomes[i].state)) {
			*ret = outcomes[i].outcome;
			return true;
		}
	return false;
}

/* The row of request and its leaf. *ret_leaf is -1 when not decided. */
static bool request_columns(struct cs_stmt *s, struct cs_arena *arena,
			    struct cs_answer_row *row, int64_t *ret_leaf,
			    struct cs_error *err)
{
	bool terminal = !cs_stmt_is_null(s, 6);

	if (!cs_stmt_col_fixed(s, 1, row->fingerprint, 32) ||
	    !outcome_of(cs_stmt_col(s, 2), &row->outcome))
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "request %lld: a column is damaged",
				    (long long)cs_stmt_col_int(s, 0));
	*ret_leaf = terminal ? cs_stmt_col_int(s, 6) : -1;
	if (!terminal) {
		row->expires_ms = cs_stmt_col_int(s, 3);
		row->answer_version = CS_ANSWER_VERSION;
		if (!cs_arena_dup(arena, cs_stmt_col(s, 4), &row->hold) ||
		    !cs_arena_dup(arena, cs_stmt_col(s, 5), &row->body))
			return cs_error_set(err, CS_E_NO_MEMORY, "answer");
		return true;
	}
	row->index = (uint64_t)*ret_leaf;
	row->tree_size = (uint64_t)cs_stmt_col_int(s, 8);
	row->decided_ms = cs_stmt_col_int(s, 9);
	row->answer_version = (uint32_t)cs_stmt_col_int(s, 10);
	if (!cs_stmt_col_fixed(s, 7, row->leaf_hash, 32))
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "leaf %lld: its hash is damaged",
				    (long long)*ret_leaf);
	return true;
}

/* The columns of one started statement into spans, in order. */
static bool spans_load(struct cs_stmt *s, struct cs_arena *arena,
		       struct cs_span **out, int n, int64_t leaf,
		       struct cs_error *err)
{
	bool found = false;
	bool ok = true;

	if (!cs_stmt_step(s, &found, err))
		return false;
	for (int i = 0; found && ok && i < n; i++)
		ok = cs_arena_dup(arena, cs_stmt_col(s, i), out[i]);
	cs_stmt_end(s);
	if (!found)
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "leaf %lld: its decision is missing",
				    (long long)leaf);
	if (!ok)
		return cs_error_set(err, CS_E_NO_MEMORY, "answer");
	return true;
}

/* What stands behind a terminal leaf. */
static bool decision_load(struct cs_db *db, struct cs_arena *arena,
			  struct cs_answer_row *row, int64_t leaf,
			  struct cs_error *err)
{
	struct cs_span *refused[] = {&row->body};
	struct cs_span *issued[] = {
		&row->serial,  &row->tbs,   &row->body, &row->signature,
		&row->sig_alg, &row->chain, &row->ca,
	};
	bool is_issued = row->outcome == CS_ANSWER_ISSUED;
	struct cs_stmt s = cs_stmt(db, is_issued ? CS_SQL_ANSWER_ISSUED
						 : CS_SQL_ANSWER_REFUSAL);

	cs_stmt_int(&s, leaf);
	return is_issued ? spans_load(&s, arena, issued, 7, leaf, err)
			 : spans_load(&s, arena, refused, 1, leaf, err);
}

bool cs_answer_row_load(struct cs_db *db, struct cs_span id,
			struct cs_arena *arena, struct cs_answer_row *ret_row,
			bool *ret_found, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_ANSWER_REQUEST);
	struct cs_answer_row row = {0};
	int64_t leaf = -1;
	bool found = false;
	bool ok = true;

	cs_stmt_blob(&s, id);
	if (!cs_stmt_step(&s, &found, err))
		return false;
	if (found)
		ok = request_columns(&s, arena, &row, &leaf, err);
	cs_stmt_end(&s);
	if (!ok || (leaf >= 0 && !decision_load(db, arena, &row, leaf, err)))
		return false;
	if (found) {
		memcpy(row.id, id.p, sizeof(row.id));
		*ret_row = row;
	}
	*ret_found = found;
	return true;
}

bool cs_answer_row_make(const struct cs_answer_row *row, struct cs_buf *der,
			struct cs_msg_answer *ret_answer, struct cs_error *err)
{
	struct cs_msg_answer m = {
		.outcome = (uint8_t)row->outcome,
		.serial = row->serial,
		.chain = row->chain,
		.ca = row->ca,
		.body = row->body,
		.index = row->index,
		.tree_size = row->tree_size,
		.decided_ms = row->decided_ms,
		.answer_version = row->answer_version,
	};

	memcpy(m.id, row->id, sizeof(m.id));
	memcpy(m.fingerprint, row->fingerprint, sizeof(m.fingerprint));
	memcpy(m.leaf_hash, row->leaf_hash, sizeof(m.leaf_hash));
	cs_buf_reset(der);
	switch (row->outcome) {
	case CS_ANSWER_ISSUED:
		cs_der_write_signed(der, row->tbs, row->sig_alg,
				    row->signature);
		if (!cs_buf_finish(der, "certificate", err))
			return false;
		m.certificate = cs_buf_span(der);
		break;
	case CS_ANSWER_PENDING:
		m.expires_ms = row->expires_ms;
		break;
	case CS_ANSWER_HELD:
		m.expires_ms = row->expires_ms;
		m.code = row->hold.n > 0 ? row->hold
					 : CS_SPAN_LIT("IN_PROGRESS");
		m.retry_s = 1;
		break;
	default:
		break;
	}
	*ret_answer = m;
	return true;
}
