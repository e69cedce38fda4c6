/*
 * Messages between processes: one struct, one encoder and one decoder for
 * each row of base/msg.def, all made from that table.
 *
 *	struct cs_msg_sign m = {.seq = 7, .issuer = name, .tbs = tbs};
 *	cs_msg_sign_encode(&m, &buf);
 *	cs_msg_sign_decode(body, &m, err);
 *
 * A decoded struct borrows its `bytes` fields from the body: valid for the
 * length of the receiving call only. A decoder refuses bodies that are too
 * short, too long or that hold a length beyond their end (CS_E_PROTOCOL),
 * which ends the link. It does not check what the fields mean; the receiving
 * room does.
 *
 * Wire form: fields in order, numbers little-endian, `bytes` as a u32 length
 * and the octets. It is private to one installation's running processes and
 * never stored.
 */
#ifndef CS_BASE_MSG_H
#define CS_BASE_MSG_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

/* Raised with every change of a message's fields. */
#define CS_MSG_VERSION 4

/* Rooms: who a process is. */
enum cs_room {
	CS_ROOM_ANY,
	CS_ROOM_P, /* parent */
	CS_ROOM_F, /* front */
	CS_ROOM_W, /* worker */
	CS_ROOM_L, /* ledger */
	CS_ROOM_R, /* reader */
	CS_ROOM_S  /* signer */
};

/* REQUEST.flags */
enum {
	CS_REQ_DRY_RUN = 1 << 0,  /* judge, record nothing */
	CS_REQ_KNOWN = 1 << 1,	  /* the ledger has this id already */
	CS_REQ_APPROVED = 1 << 2, /* an approval stands */
	CS_REQ_DENIED = 1 << 3,	  /* condition Denied=True: refuse for good */
	CS_REQ_SELF = 1 << 4	  /* approver and requester are one */
};

/* ANSWER.outcome */
enum cs_answer {
	CS_ANSWER_ISSUED = 1,
	CS_ANSWER_REFUSED,   /* terminal, recorded */
	CS_ANSWER_DENIED,    /* terminal, recorded */
	CS_ANSWER_EXPIRED,   /* terminal, recorded */
	CS_ANSWER_PENDING,   /* recorded, waits for an approval */
	CS_ANSWER_HELD,	     /* approved, not now: retry_s */
	CS_ANSWER_DRY_RUN,   /* body says what would happen */
	CS_ANSWER_CONFLICT,  /* nothing decided: code, detail (409) */
	CS_ANSWER_FORBIDDEN, /* nothing decided: code, detail (403) */
	CS_ANSWER_GONE,	     /* no such request (404) */
	CS_ANSWER_BUSY	     /* nothing decided: try again (503) */
};

/* STATE.state */
enum cs_ledger_state {
	CS_LEDGER_ISSUING = 1,
	CS_LEDGER_CLOCK,     /* wall clock not trusted: `clock accept` */
	CS_LEDGER_FULL,	     /* no disk space: retrying */
	CS_LEDGER_SPLIT,     /* checkpoint outside is newer: reads only */
	CS_LEDGER_NO_POLICY, /* no set was ever applied */
	CS_LEDGER_STOPPING
};

/* QUERY.kind */
enum cs_query {
	CS_QUERY_REQUEST = 1,  /* {"id"}: the answer as GET gives it */
	CS_QUERY_REQUESTS,     /* list */
	CS_QUERY_STORED,       /* {"id"}: what front needs to drive it again */
	CS_QUERY_CERTIFICATE,  /* {"serial"} */
	CS_QUERY_CERTIFICATES, /* list */
	CS_QUERY_AUDIT,	       /* list with filters and cursor */
	CS_QUERY_AUDIT_ENTRY,  /* {"index"} */
	CS_QUERY_POLICY,       /* what is in force, with its sources */
	CS_QUERY_CLIENTS,
	CS_QUERY_ISSUERS,
	CS_QUERY_STATUS,
	CS_QUERY_PROOF,	     /* {"index"} */
	CS_QUERY_CHECKPOINT, /* the last note, as it is */
	CS_QUERY_TILE,	     /* {"level", "n", "width"}: hashes, as octets */
	CS_QUERY_ENTRIES,    /* {"n", "width"}: an entry bundle */
	CS_QUERY_HISTORY,    /* list of what was judged, to be judged again */
	CS_QUERY_CRL,	     /* {"issuer", "generation", "shard"}: octets */
	CS_QUERY_CRLS	     /* list of the last CRLs */
};

enum cs_msg_number {
#define CS_MSG(NAME, name, number, from, to, descriptor)                       \
	CS_MSG_##NAME = (number),
#include "base/msg.def"
#undef CS_MSG
};

#define CS_MSG_DECL(type, field) CS_MSG_DECL_##type(field)
#define CS_MSG_DECL_u8(field)	 uint8_t field;
#define CS_MSG_DECL_u32(field)	 uint32_t field;
#define CS_MSG_DECL_u64(field)	 uint64_t field;
#define CS_MSG_DECL_i64(field)	 int64_t field;
#define CS_MSG_DECL_id(field)	 uint8_t field[16];
#define CS_MSG_DECL_hash(field)	 uint8_t field[32];
#define CS_MSG_DECL_bytes(field) struct cs_span field;

#define CS_MSG(NAME, name, number, from, to, descriptor)                       \
	struct cs_msg_##name {                                                 \
		CS_MSG_FIELDS_##NAME(CS_MSG_DECL)                              \
	};                                                                     \
	void cs_msg_##name##_encode(const struct cs_msg_##name *m,             \
				    struct cs_buf *out);                       \
	bool cs_msg_##name##_decode(struct cs_span body,                       \
				    struct cs_msg_##name *ret_m,               \
				    struct cs_error *err) CS_MUST_USE;
#include "base/msg.def"
#undef CS_MSG

/* The name of a message number for logs; "?" when there is none. */
const char *cs_msg_name(unsigned number);

/* May a message of this number travel from one room to the other? */
bool cs_msg_allowed(unsigned number, enum cs_room from, enum cs_room to);

/* May a message of this number carry a descriptor? */
bool cs_msg_carries_descriptor(unsigned number);

#endif
