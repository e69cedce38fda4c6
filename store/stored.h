/*
 * A stored request, as the ledger recorded it and as front needs it to drive
 * it again: the row of `request` with its approval, and the REQUEST message
 * made from both.
 *
 * Used by the ledger (recovery, approvals) and by the reader (the query
 * STORED). Spans are in the arena that was given.
 */
#ifndef CS_STORE_STORED_H
#define CS_STORE_STORED_H

#include "base/arena.h"
#include "base/msg.h"
#include "store/db.h"

enum cs_request_state {
	CS_STATE_PENDING,
	CS_STATE_APPROVED,
	CS_STATE_ISSUED,
	CS_STATE_REFUSED,
	CS_STATE_DENIED,
	CS_STATE_EXPIRED
};

/* The word in request.state. */
const char *cs_request_state_name(enum cs_request_state state);

struct cs_stored_approval {
	uint64_t client; /* 0: none stands */
	uint64_t credential;
	int64_t uid;
	uint8_t binds[32];
	int64_t at_ms;
	unsigned denies;
	unsigned self;
	struct cs_span claimed_by;
	struct cs_span reason;
	struct cs_span message;
};

struct cs_stored {
	int64_t n; /* row; 0: not recorded */
	uint8_t id[16];
	uint64_t client;
	uint64_t credential;
	int64_t uid;
	struct cs_span client_name;
	struct cs_span realm;
	struct cs_span source;
	struct cs_span idem_key;
	uint8_t fingerprint[32];
	int64_t received_ms;
	uint32_t flags;
	struct cs_span issuer;
	struct cs_span scalars;
	struct cs_span csr;
	enum cs_request_state state;
	int64_t expires_ms;
	struct cs_span hold;
	int64_t not_before_ms;
	struct cs_span pending_body;
	struct cs_span pending_terms;
	struct cs_stored_approval approval;
};

/* By id, by (client, key), or by row. *ret_found = false: there is none. */
bool cs_stored_by_id(struct cs_db *db, struct cs_span id,
		     struct cs_arena *arena, struct cs_stored *ret_stored,
		     bool *ret_found, struct cs_error *err) CS_MUST_USE;
bool cs_stored_by_key(struct cs_db *db, uint64_t client, struct cs_span key,
		      struct cs_arena *arena, struct cs_stored *ret_stored,
		      bool *ret_found, struct cs_error *err) CS_MUST_USE;
bool cs_stored_by_row(struct cs_db *db, int64_t n, struct cs_arena *arena,
		      struct cs_stored *ret_stored, bool *ret_found,
		      struct cs_error *err) CS_MUST_USE;

/*
 * The canonical JSON that front wrote about an approval, from its columns;
 * and the columns from that JSON. `by` is the approver's name. Reading takes
 * what is there and ignores members that it does not know; CS_E_PROTOCOL
 * when it is no such object.
 */
bool cs_stored_approval_write(const struct cs_stored_approval *a,
			      struct cs_span by, struct cs_buf *out,
			      struct cs_error *err) CS_MUST_USE;
bool cs_stored_approval_read(struct cs_span said, struct cs_arena *arena,
			     struct cs_stored_approval *a,
			     struct cs_error *err) CS_MUST_USE;

/* A client's name, in the arena; empty when there is none. */
bool cs_stored_client_name(struct cs_db *db, uint64_t client,
			   struct cs_arena *arena, struct cs_span *ret_name,
			   struct cs_error *err) CS_MUST_USE;

/*
 * The REQUEST that drives it: CS_REQ_KNOWN, the approval that stands (if
 * any), everything else as recorded. `scratch` is reset and keeps the
 * approval's JSON; `approver` is the approver's name.
 */
bool cs_stored_request(const struct cs_stored *s, struct cs_span approver,
		       struct cs_buf *scratch, struct cs_msg_request *ret_m,
		       struct cs_error *err) CS_MUST_USE;

#endif
