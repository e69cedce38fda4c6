/*
 * A ledger on a loop of its own in this process, with the other rooms' ends
 * of its links in the test's hands: front, a worker, a signer, a parent and
 * a reader that only remember what came. Time stands still unless a test
 * moves it.
 *
 * Two checks run with every message, through a second, read-only connection:
 * a SIGN comes only when its attempt is visible there, an ANSWER with a
 * decision only when that decision's leaf and its rows are.
 *
 * A failing step fails the test.
 */
#ifndef CS_TESTS_LIB_LEDGER_HOUSE_H
#define CS_TESTS_LIB_LEDGER_HOUSE_H

#include "base/hash.h"
#include "base/ipc.h"
#include "base/limits.h"
#include "store/db.h"
#include "store/ledger.h"
#include "store/ledger_room.h"

enum cs_fake_signer {
	CS_FAKE_SIGNS,
	CS_FAKE_HOLDS,	 /* keeps SIGNs until cs_house_sign() */
	CS_FAKE_REFUSES, /* ok = 0 */
	CS_FAKE_FAILS	 /* ok = 0, for a reason of its own: fail_code */
};

/* A message that came, with a copy of its body. */
struct cs_got {
	unsigned number;
	uint64_t ticket;
	uint8_t *body;
	size_t n;
};

struct cs_house {
	char dir[64];
	char db_path[80];
	struct cs_loop *loop;
	struct cs_timer *patience;
	struct cs_ledger *ledger;
	struct cs_hash *hash;
	struct cs_db *look; /* the second connection */
	struct cs_ledger_issuer issuers[2];
	size_t issuers_n;
	uint8_t chain[2][64], certificate[2][512];
	struct cs_ledger_config config;

	int64_t wall_ms, boot_ms;
	struct cs_log log;

	struct cs_link *parent, *front, *reader, *signer, *worker;
	enum cs_fake_signer signing;
	const char *fail_code; /* NULL: that of a lost token */
	struct cs_got *front_got, *signer_got, *worker_got, *parent_got;
	size_t front_n, signer_n, worker_n, parent_n;
	size_t signed_n; /* SIGNs answered */
	uint8_t state;	 /* of the last STATE at front */
	uint64_t state_size;
	int status; /* of the loop's end by the ledger; -1: it lives */

	/* What a wait is for. */
	unsigned want_number;
	size_t want_count;
	bool timed_out;

	uint64_t next_serial;
	uint64_t ticket;
};

/* What a request is like; zeroed: a plain approved one of client gw. */
struct cs_ask {
	unsigned flags;		     /* CS_REQ_*; approved unless `pending` */
	unsigned pending;	     /* 1: no approval */
	uint64_t client, credential; /* 0: those of gw */
	const char *key;
	const char *name;      /* what the fingerprint is of; NULL: "www" */
	const char *words;     /* other scalars, same fingerprint */
	const char *issuer;    /* NULL: "default" */
	const uint8_t *id;     /* NULL: a new one */
	uint64_t epoch;	       /* 0: the one in force */
	int64_t now_offset_ms; /* of the worker's clock */
	uint64_t serial;       /* 0: a new one */
	const char *code;      /* a REFUSAL with this code */
	struct cs_span limits;
	uint64_t spki;	 /* its key; 0: a new one */
	uint8_t subject; /* whom it is for, as its first octet */
	uint64_t approver, approver_credential; /* 0: those of gw */
	struct cs_span shown; /* serial of the client's certificate */
};

/* A new installation; with a policy set and client gw (id 3). */
void cs_house_open(struct cs_house *h);
/* The same without policy and clients, and before the ledger was started. */
void cs_house_create(struct cs_house *h);
/* Its start, policy and clients, once its issuers are as they should be. */
void cs_house_furnish(struct cs_house *h);
void cs_house_done(struct cs_house *h);

/* Start the ledger; false: it would not (err says why). */
bool cs_house_start(struct cs_house *h, struct cs_error *err);
/* As kill -9 does: nothing is said to anybody. */
void cs_house_crash(struct cs_house *h);
/* STOP; the status with which it ended. */
int cs_house_stop(struct cs_house *h);

/* Turn the loop until front (signer, worker) has `count` of this message. */
bool cs_house_wait(struct cs_house *h, unsigned number, size_t count);
/* The same with patience for so many real milliseconds. */
bool cs_house_wait_for(struct cs_house *h, unsigned number, size_t count,
		       uint32_t ms);
/* Turn it for so many real milliseconds. */
void cs_house_turn(struct cs_house *h, uint32_t ms);
/* Move both clocks, and wait for the ledger's tick. */
void cs_house_pass(struct cs_house *h, int64_t ms);

/* Ask: INTENT or REFUSAL by the worker. The ticket. */
uint64_t cs_house_ask(struct cs_house *h, const struct cs_ask *ask);
/* The n-th ANSWER to this ticket (0: the first), or NULL. */
const struct cs_got *cs_house_answer(struct cs_house *h, uint64_t ticket,
				     size_t n, struct cs_msg_answer *ret);
/* Ask and wait for the answer; its outcome. */
enum cs_answer cs_house_ask_wait(struct cs_house *h, const struct cs_ask *ask,
				 struct cs_msg_answer *ret);
/* How many messages of this number front (worker, signer, parent) has. */
size_t cs_house_count(const struct cs_house *h, unsigned number);
const struct cs_got *cs_house_last(const struct cs_house *h, unsigned number);

/* Sign what was held. */
void cs_house_sign(struct cs_house *h);
/* CLIENT_CHANGE by the local administrator, and its ADMIN_DONE. */
void cs_house_change(struct cs_house *h, const char *json,
		     struct cs_msg_admin_done *ret);
void cs_house_apply(struct cs_house *h, const char *rules,
		    struct cs_msg_admin_done *ret);

/* Be the worker at this end; the one so far is gone. */
void cs_house_take_worker(struct cs_house *h, int fd);

/* One integer of the database. */
int64_t cs_house_number(struct cs_house *h, const char *sql);
/* `audit verify`: fails the test unless nothing is found. */
void cs_house_verify(struct cs_house *h);

#endif
