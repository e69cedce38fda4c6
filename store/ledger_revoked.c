/* REVOKED: what front must know of revocations. */
#include "base/revoke.h"
#include "store/ledger_room.h"

/* Keys of one message. */
#define KEYS_N ((size_t)65536)

void cs_ledger_revoked_tell(struct cs_ledger *l, const struct cs_draft *d)
{
	uint8_t key[CS_REVOKED_KEY];
	struct cs_msg_revoked m = {.beyond = 0};
	struct cs_error err = {0};

	if (d->rec.kind != CS_LEAF_REVOKED)
		return;
	cs_revoked_key(d->rec.serial, key);
	m.keys = cs_span_make(key, sizeof(key));
	if (l->front == NULL || !cs_link_send_revoked(l->front, 0, &m, &err))
		cs_ledger_link_failed(l, &err);
}

/* A piece of the list, whole. */
static bool send_keys(struct cs_ledger *l, struct cs_buf *keys, bool beyond,
		      struct cs_error *err)
{
	struct cs_msg_revoked m = {.beyond = beyond};

	if (!cs_buf_finish(keys, "revoked", err))
		return false;
	m.keys = cs_buf_span(keys);
	if (!cs_link_send_revoked(l->front, 0, &m, err))
		return false;
	cs_buf_reset(keys);
	return true;
}

bool cs_ledger_revoked_tell_all(struct cs_ledger *l, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf keys = {0};
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_REVOCATION_ALL);
	uint8_t key[CS_REVOKED_KEY];
	size_t n = 0;
	bool row = false;
	bool ok;

	if (l->front == NULL)
		return true;
	cs_buf_init(&keys, KEYS_N * CS_REVOKED_KEY);
	/* Not the record's time, which may have been of a clock ahead. */
	cs_stmt_int(&s, cs_clock_wall_ms(&l->config.clock) / 1000);
	cs_stmt_int(&s, CS_MAX_REVOKED_KEYS + 1);
	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		cs_revoked_key(cs_stmt_col(&s, 0), key);
		cs_buf_add(&keys, cs_span_make(key, sizeof(key)));
		if (++n % KEYS_N == 0 || n > CS_MAX_REVOKED_KEYS)
			ok = send_keys(l, &keys, n > CS_MAX_REVOKED_KEYS, err);
		if (!ok)
			break;
	}
	cs_stmt_end(&s);
	return ok && (keys.n == 0 || send_keys(l, &keys, false, err));
}
