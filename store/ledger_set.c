/* The policy set in force: read, and sent to workers. */
#include <string.h>

#include "base/sources.h"
#include "store/ledger_room.h"

bool cs_ledger_set_load(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_source items[CS_MAX_POLICY_FILES];
	struct cs_sources sources = {items, 0};
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_POLICY_SET_GET);
	struct cs_arena arena;
	bool row = false;
	bool ok = true;

	cs_buf_reset(&l->set);
	if (l->epoch == 0)
		return true;
	cs_stmt_int(&s, (int64_t)l->epoch);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	ok = row && cs_stmt_col_fixed(&s, 0, l->set_sha256, 32);
	cs_stmt_end(&s);
	if (!ok)
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "epoch %llu: its policy set is missing",
				    (unsigned long long)l->epoch);
	cs_arena_init(&arena, 2 * CS_MAX_POLICY_SET);
	s = cs_stmt(l->db, CS_SQL_POLICY_SET_SOURCES);
	cs_stmt_int(&s, (int64_t)l->epoch);
	while (ok && row && sources.n < CS_MAX_POLICY_FILES) {
		struct cs_source *item = &items[sources.n];

		ok = cs_stmt_step(&s, &row, err);
		if (!ok || !row)
			break;
		if (!cs_arena_dup(&arena, cs_stmt_col(&s, 0), &item->name) ||
		    !cs_arena_dup(&arena, cs_stmt_col(&s, 1), &item->bytes))
			ok = cs_error_set(err, CS_E_NO_MEMORY, "policy set");
		sources.n++;
	}
	cs_stmt_end(&s);
	if (ok)
		cs_sources_encode(&sources, &l->set);
	cs_arena_done(&arena);
	return ok && cs_buf_finish(&l->set, "policy set", err);
}

void cs_ledger_send_set(struct cs_ledger *l, struct cs_link *worker)
{
	struct cs_msg_set m = {.epoch = l->epoch,
			       .files = cs_buf_span(&l->set)};
	struct cs_error err = {0};

	if (worker == NULL || l->epoch == 0)
		return;
	memcpy(m.set_sha256, l->set_sha256, sizeof(m.set_sha256));
	if (!cs_link_send_set(worker, 0, &m, &err))
		cs_ledger_link_failed(l, &err);
}
