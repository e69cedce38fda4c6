/*
 * What the files of the ledger share (store/ledger.h). Nobody else includes
 * this.
 *
 * The way of one piece of work: a message arrives and becomes a struct
 * cs_work that owns a copy of it; the batch gives it an end (enum cs_end)
 * inside the transaction; after COMMIT the end is sent and the work released,
 * except that an INTENT's work lives on in its struct cs_attempt until the
 * signature has been recorded.
 *
 * No file calls one that calls it. From the top: ledger.c (links and the tick),
 * ledger_commit.c (the queue), what is done about each kind of work,
 * ledger_batch.c (one transaction and what follows it), what that tells others
 * of; ledger_send.c and ledger_state.c are the ground.
 *
 * A transaction that is rolled back leaves no trace in memory: whatever it
 * would change stands in struct cs_batch and is taken over after COMMIT.
 */
#ifndef CS_STORE_LEDGER_ROOM_H
#define CS_STORE_LEDGER_ROOM_H

#include "base/hash.h"
#include "base/ipc.h"
#include "base/json.h"
#include "base/limits.h"
#include "store/answer_row.h"
#include "store/db.h"
#include "store/disk_watch.h"
#include "store/leaf.h"
#include "store/ledger.h"
#include "store/ledger_metrics.h"
#include "store/note.h"
#include "store/roster.h"
#include "store/stored.h"
#include "store/tree.h"

/* How far a worker's `now` may be from ours. */
#define CS_LEDGER_NOW_TOLERANCE_MS 5000
/*
 * Attempts stay among the last this many of the sequence until they are
 * settled, so that recovery need not look further back. Far more than front
 * has in flight.
 */
#define CS_LEDGER_UNSETTLED_SPAN 4096
/* So long the sweep waits after a signature that could not be made. */
#define CS_LEDGER_SIGNER_REST_MS 60000
/* Exit status when the house must be started again. */
#define CS_LEDGER_AGAIN 75
/* Unfiled leaves beyond which filing no longer waits for quiet. */
#define CS_LEDGER_TERMS_LAG 8192

/*
 * Free space below which the ledger warns: four times what a WAL may take,
 * and an hour and more at a thousand decisions a minute.
 */
#define CS_LEDGER_DISK_LOW (256ULL * 1024 * 1024)

/* What becomes of a piece of work. */
enum cs_end {
	CS_END_NONE,
	CS_END_ANSWER,	/* outcome, code, detail; nothing was recorded */
	CS_END_ROW,	/* the answer that stands in the rows already */
	CS_END_DECIDED, /* a draft of this batch carries the answer */
	CS_END_PENDING, /* recorded, waits for an approval */
	CS_END_SIGN,	/* attempt recorded; the signer is next */
	CS_END_WAIT,	/* for the attempt or drive under way */
	CS_END_DRIVE,	/* approved, but has to be judged as stored */
	CS_END_REJUDGE, /* judged under another epoch */
	CS_END_ADMIN,	/* ADMIN_DONE */
	CS_END_REVOKED, /* ADMIN_DONE, from the revocation's row */
	CS_END_BACKUP,	/* a copy begins; ADMIN_DONE at its end */
	CS_END_CRL,	/* CRLs are signed; ADMIN_DONE when they are there */
	CS_END_DROP	/* nobody waits */
};

struct cs_work {
	struct cs_work *next;
	unsigned number; /* CS_MSG_* */
	uint64_t ticket;
	uint8_t *body; /* owned copy of the message */
	union {
		struct cs_msg_intent intent;
		struct cs_msg_refusal refusal;
		struct cs_msg_deny deny;
		struct cs_msg_apply apply;
		struct cs_msg_client_change client_change;
		struct cs_msg_clock_accept clock_accept;
		struct cs_msg_auth_refused auth_refused;
		struct cs_msg_backup backup;
		struct cs_msg_revoke revoke;
		struct cs_msg_crl_publish crl_publish;
	} m;
	struct cs_msg_request request;	/* INTENT, REFUSAL, WORKER_KILLER */
	struct cs_stored_approval said; /* what stands in its approval */
	struct cs_arena arena;

	/* Learned from a conflict: the batch was begun again. */
	bool look_up;	   /* the id stands in the database already */
	bool serial_taken; /* so does the serial */

	/* The request as recorded (or about to be). */
	struct cs_stored row;

	enum cs_end end;
	enum cs_answer outcome; /* CS_END_ANSWER */
	uint8_t replay;		/* CS_END_ROW */
	uint8_t ok;		/* CS_END_ADMIN */
	uint64_t revoked;	/* CS_END_REVOKED: the attempt's seq */
	const char *code;	/* literal */
	char detail[200];
	struct cs_span reply; /* body of DRY_RUN or ADMIN_DONE; borrowed */
	uint32_t retry_s;
	struct cs_attempt *attempt; /* CS_END_SIGN: ours until COMMIT */
};

/* A recorded intent whose outcome is not recorded yet. */
struct cs_attempt {
	struct cs_attempt *next; /* in attempts, ascending seq */
	struct cs_attempt *next_signed;
	uint64_t seq;
	struct cs_work *work; /* owned */
	size_t issuer;	      /* index */
	uint8_t set_sha256[32];
	bool answered;	 /* SIGNED has come */
	int64_t sent_us; /* SIGN, on the boot clock */
	bool told;	 /* its ticket had an answer already: LEDGER_FULL */
	bool good;
	bool undecided; /* not good, for no reason that lies in the TBS */
	uint8_t signature[CS_MAX_SIGNATURE];
	size_t signature_n;
	char why[200]; /* the signer's sentence, when not good */
};

/* A ticket that waits for a request's decision. */
struct cs_waiter {
	struct cs_waiter *next;
	int64_t n; /* request row */
	uint64_t ticket;
};

enum cs_draft_row {
	CS_DRAFT_PLAIN,
	CS_DRAFT_OUTCOME, /* rec.seq, signature */
	CS_DRAFT_REFUSAL  /* rec.now_ms, epoch, body, terms, inputs */
};

/* A leaf about to be written, with the rows that hang on it. */
struct cs_draft {
	struct cs_leaf_record rec;
	struct cs_span decision;
	enum cs_draft_row row;
	int64_t request; /* row; 0: none */
	bool decides;	 /* it is the request's terminal decision */
	bool update;	 /* the request's row is older than this leaf */
	enum cs_request_state state;
	struct cs_span signature; /* empty: abandoned */
	uint8_t hash[32];
	struct cs_attempt *attempt; /* issued */
	bool has_ticket;
	uint64_t ticket;
};

/* One transaction. Reset at its beginning. */
struct cs_batch {
	struct cs_arena arena;
	struct cs_draft *drafts; /* owned, grows */
	size_t drafts_n, drafts_cap;
	int64_t now_ms;
	bool wrote;
	struct cs_tree_edge edge;
	uint64_t seq;
	uint64_t epoch;
	uint8_t set_sha256[32];
	struct cs_attempt *attempts; /* new ones, newest first */
	struct cs_attempt **settled; /* signed ones of this batch */
	size_t settled_n;
	bool roster_changed;
	bool set_changed;
	bool clock_accepted;
};

struct cs_ledger_worker_link {
	unsigned number;
	struct cs_link *link; /* NULL: gone */
};

/* An issuer as configured, with its row. Answers are made from the row. */
struct cs_ledger_issuer_row {
	const struct cs_ledger_issuer *config;
	int64_t id;
	uint64_t generation;
	int64_t not_after_s;
	struct cs_span chain, ca, sig_alg; /* in the ledger's arena */
	/* Its signer could not sign last; on the boot clock: until then the
	 * sweep leaves its requests alone, then tries one. */
	bool failing;
	int64_t rest_boot_ms;
};

struct cs_ledger_terms;	 /* the run of filing under way */
struct cs_ledger_backup; /* the copy under way, or taken last */

struct cs_ledger {
	struct cs_ledger_config config;
	struct cs_loop *loop; /* borrowed */
	struct cs_db *db;
	struct cs_hash *hash;
	struct cs_note_signer *signer_of_notes;
	int lock_fd;

	struct cs_link *parent, *front, *reader;
	/* A sequence goes to the signer of its number modulo theirs. */
	struct cs_link *signers[CS_MAX_SIGNERS];
	size_t signers_n;
	struct cs_ledger_worker_link workers[CS_MAX_WORKERS];
	size_t workers_n;

	struct cs_idle *commit;
	struct cs_idle *terms;
	struct cs_timer *tick;	/* once a second */
	struct cs_timer *drive; /* requests to be driven again */
	struct cs_timer *tell;	/* STATE after a commit, not each time */
	struct cs_timer *drain; /* STOP's patience */

	struct cs_work *first, **last; /* queued */
	size_t queued;
	struct cs_attempt *attempts; /* recorded, ascending seq */
	struct cs_attempt *signed_first, **signed_last;
	size_t signed_n;
	struct cs_waiter *waiters;
	size_t waiters_n;

	/* What meta says. */
	struct cs_tree_edge edge;
	uint64_t seq;
	uint64_t epoch;
	uint8_t set_sha256[32];
	int64_t clock_ms;
	uint64_t terms_done;
	uint64_t subtrees;		   /* rows of `subtree` */
	struct cs_ledger_terms *terms_run; /* owned */
	struct cs_ledger_backup *backup;   /* owned */
	struct cs_ledger_crl *crl;	   /* owned */
	struct cs_ledger_metrics *metrics; /* owned */
	struct cs_disk_watch *disk_watch;  /* owned */
	uint8_t config_sha256[32];

	struct cs_buf restored; /* DIR/restore.json, canonical; or empty */
	struct cs_buf set;	/* sources in force, encoded */
	struct cs_roster *roster;
	struct cs_ledger_issuer_row issuers[CS_MAX_ISSUERS];
	size_t issuers_n;
	/* Generations before those. */
	struct cs_ledger_issuer_row older[CS_MAX_OLDER];
	size_t older_n;
	struct cs_arena arena; /* as long as the ledger */

	bool disk_low; /* below CS_LEDGER_DISK_LOW: decided all the same */

	/* Why nothing is decided. */
	bool split, clock_bad, full, stopping;
	char reason[200];
	bool drained; /* STOP's patience is over */
	bool ready;   /* READY was said */
	bool over;    /* the loop has been told to stop */

	/* Clock guard: wall minus boot at the last look, and when. */
	int64_t clock_offset_ms;
	int64_t clock_boot_ms;

	/* DIR/checkpoint */
	struct cs_buf note; /* the last one committed */
	bool note_unwritten;
	int64_t note_written_boot_ms;

	int64_t drive_after; /* request row; the sweep goes on behind it */
	unsigned ticks;
	bool tell_soon; /* the timer of STATE runs */

	struct cs_batch batch;
	struct cs_buf entry, der, json; /* scratch */
};

/* -- ledger_send.c ------------------------------------------------------ */

/* End with this status after telling everybody who waits BUSY. */
void cs_ledger_fail(struct cs_ledger *l, const struct cs_error *why);
/* An answer that is no decision. Errors of the link are handled there. */
void cs_ledger_send_answer(struct cs_ledger *l, uint64_t ticket,
			   const struct cs_msg_answer *m);
void cs_ledger_send_busy(struct cs_ledger *l, uint64_t ticket,
			 const uint8_t id[16], const char *code,
			 const char *detail);
/* To everybody who waits for anything: nothing was decided. */
void cs_ledger_send_all_busy(struct cs_ledger *l, const char *code,
			     const char *detail);
/* ADMIN_DONE: the end of an act of administration. */
void cs_ledger_send_done(struct cs_ledger *l, uint64_t ticket, uint8_t ok,
			 const char *code, const char *detail,
			 struct cs_span body);
/* The same, as the work says. */
void cs_ledger_send_admin(struct cs_ledger *l, const struct cs_work *w);
void cs_ledger_send_clients(struct cs_ledger *l);
/* A link's send failed: our accounting is wrong, or the peer is gone. */
void cs_ledger_link_failed(struct cs_ledger *l, const struct cs_error *err);

/* -- ledger_set.c ------------------------------------------------------- */

/* The set of l->epoch, from the database. */
bool cs_ledger_set_load(struct cs_ledger *l, struct cs_error *err) CS_MUST_USE;
/* SET. */
void cs_ledger_send_set(struct cs_ledger *l, struct cs_link *worker);

/* -- ledger_note.c ------------------------------------------------------ */

/* Write DIR/checkpoint if it is due (or `now` says at once). */
enum cs_when {
	CS_WHEN_DUE,
	CS_WHEN_NOW
};
void cs_ledger_note_write(struct cs_ledger *l, enum cs_when when);

/* -- ledger_stop.c ------------------------------------------------------ */

/* The last transaction, the checkpoint outside, then the loop's end. */
void cs_ledger_finish_if_drained(struct cs_ledger *l);

/* -- ledger_intake.c ---------------------------------------------------- */

void cs_ledger_work_free(struct cs_work *w);
/* A copy of a message, decoded and within all bounds. NULL: CS_E_PROTOCOL. */
struct cs_work *cs_ledger_work_new(unsigned number, uint64_t ticket,
				   struct cs_span body,
				   struct cs_error *err) CS_MUST_USE;

/* -- ledger_batch.c ----------------------------------------------------- */

bool cs_ledger_batch_begin(struct cs_ledger *l,
			   struct cs_error *err) CS_MUST_USE;
/* Roll back, and forget what the batch would have done. */
void cs_ledger_batch_undo(struct cs_ledger *l);
/* Everything behind the rows of single pieces of work; then comes COMMIT. */
bool cs_ledger_batch_close(struct cs_ledger *l,
			   struct cs_error *err) CS_MUST_USE;
/* What was committed is what memory says from now on. */
bool cs_ledger_batch_take(struct cs_ledger *l,
			  struct cs_error *err) CS_MUST_USE;
/* Other rooms learn of it, and whoever waited for a decision. */
void cs_ledger_batch_tell(struct cs_ledger *l);
/* Last: forget what is settled, and tell the state and the checkpoint. */
void cs_ledger_batch_settle(struct cs_ledger *l);

/* A transaction of the ledger's own: fill(), then leaves and COMMIT. */
bool cs_ledger_own_batch(struct cs_ledger *l,
			 bool (*fill)(struct cs_ledger *, struct cs_error *),
			 struct cs_error *err) CS_MUST_USE;
/* No space so far: a small transaction finds out whether there is now. */
void cs_ledger_probe(struct cs_ledger *l);

/* -- ledger_commit.c ---------------------------------------------------- */

/* The idle hook: one transaction over what has queued. */
void cs_ledger_commit(void *ctx);

/* -- ledger_decide.c ---------------------------------------------------- */

/* A new draft, its record initialised; NULL: no memory. */
struct cs_draft *cs_ledger_draft(struct cs_ledger *l, enum cs_leaf_kind kind,
				 struct cs_error *err);
/* Who did an act of administration, by credential. */
void cs_ledger_draft_actor(struct cs_ledger *l, struct cs_draft *d,
			   uint64_t client, uint64_t credential, int64_t uid);
/* Put the members of a request's row, approval included, into a record. */
void cs_ledger_draft_request(struct cs_ledger *l, struct cs_draft *d,
			     const struct cs_stored *r);
void cs_ledger_draft_attempt(struct cs_ledger *l, struct cs_draft *d,
			     const struct cs_attempt *a);

/* A request's row, in the state and with the leaf (-1: none) that it has. */
bool cs_ledger_request_insert(struct cs_ledger *l, struct cs_stored *r,
			      enum cs_request_state state, int64_t leaf,
			      struct cs_error *err) CS_MUST_USE;
bool cs_ledger_approval_insert(struct cs_ledger *l, const struct cs_stored *r,
			       struct cs_error *err) CS_MUST_USE;

/* What a refusal says. */
struct cs_verdict {
	enum cs_leaf_kind kind; /* refused, denied, expired */
	struct cs_span body, terms, inputs;
	int64_t now_ms;
	uint64_t epoch; /* 0: not by policy */
};
/* Decide without a certificate; makes the request's row if there is none. */
bool cs_ledger_refuse(struct cs_ledger *l, struct cs_stored *r,
		      const struct cs_verdict *v, struct cs_draft **ret_draft,
		      struct cs_error *err) CS_MUST_USE;
/* The same with a body of the ledger's own. */
bool cs_ledger_refuse_fixed(struct cs_ledger *l, struct cs_stored *r,
			    enum cs_leaf_kind kind, const char *code,
			    const char *detail, struct cs_draft **ret_draft,
			    struct cs_error *err) CS_MUST_USE;
/* The draft answers this work's ticket. */
void cs_work_decided(struct cs_work *w, struct cs_draft *d);
/* Pass two: leaves with their hashes, and the rows that hang on them. */
bool cs_ledger_drafts_write(struct cs_ledger *l,
			    struct cs_error *err) CS_MUST_USE;
/* After COMMIT: tell the ticket and all who wait. */
void cs_ledger_announce(struct cs_ledger *l, const struct cs_draft *d);
void cs_ledger_tell_waiters(struct cs_ledger *l, int64_t n,
			    const struct cs_msg_answer *m);

/* -- ledger_check.c ----------------------------------------------------- */

void cs_work_answer(struct cs_work *w, enum cs_answer outcome, const char *code,
		    const char *fmt, ...) CS_PRINTF(4, 5);
/* Is anything decided at all just now? If not, *w is answered. */
bool cs_ledger_is_open(struct cs_ledger *l, struct cs_work *w);
/* The reason that nothing is decided: a code; NULL: it is. */
const char *cs_ledger_closed_code(const struct cs_ledger *l);
/* Do epoch and `now` of the judgement hold? If not, *w is answered. */
bool cs_ledger_is_current(struct cs_ledger *l, struct cs_work *w,
			  uint64_t epoch, int64_t now_ms);
/* Is the issuer's CA valid now? If not, *w is answered. */
bool cs_ledger_ca_is_valid(struct cs_ledger *l, struct cs_work *w);
/*
 * Front has recognised whoever asks by a certificate that counted then. Does
 * it still, or was none shown? If not, *w is answered.
 */
bool cs_ledger_shown_stands(struct cs_ledger *l, struct cs_work *w,
			    bool *ret_stands, struct cs_error *err) CS_MUST_USE;
/* May the submitter? May the approver? If not, *w is answered. */
bool cs_ledger_may_submit(struct cs_ledger *l, struct cs_work *w);
bool cs_ledger_may_approve(struct cs_ledger *l, struct cs_work *w,
			   struct cs_span issuer, uint64_t client,
			   uint64_t credential);
/* The configured issuer of a name; NULL: none. */
const struct cs_ledger_issuer_row *cs_ledger_issuer(const struct cs_ledger *l,
						    struct cs_span name);
/* Room for one more open request of this client? */
bool cs_ledger_quota(struct cs_ledger *l, struct cs_work *w, bool *ret_room,
		     struct cs_error *err) CS_MUST_USE;
struct cs_limit;
/*
 * The first limit that an intent would break; rule.n is 0: none. *ret_free_ms
 * is when it is free again: 0, for what refuses whatever the time. Before all
 * limits of policies: a key of which a certificate was revoked for its
 * compromise is certified no more (CA/B BR 6.1.1.3).
 */
bool cs_ledger_limits(struct cs_ledger *l, const struct cs_msg_intent *m,
		      struct cs_limit *ret_broken, int64_t *ret_free_ms,
		      struct cs_error *err) CS_MUST_USE;

/* Words for what the roster said, "the client was removed". */
const char *cs_ledger_roster_says(enum cs_roster_verdict v);

/* -- the other files ---------------------------------------------------- */

/* ledger_request.c: within the transaction. False: it must be rolled back. */
bool cs_ledger_do_request(struct cs_ledger *l, struct cs_work *w,
			  struct cs_error *err) CS_MUST_USE;
bool cs_ledger_do_deny(struct cs_ledger *l, struct cs_work *w,
		       struct cs_error *err) CS_MUST_USE;

/* ledger_hold.c: what is not to be decided yet, and dry runs. */
/* A limit is reached: refused for good, or held. */
bool cs_ledger_limited(struct cs_ledger *l, struct cs_work *w,
		       const struct cs_limit *limit, int64_t free_ms,
		       struct cs_error *err) CS_MUST_USE;
/* Is this a REFUSAL for want of a policy whose issuer lets it wait? */
bool cs_ledger_waits_for_policy(struct cs_ledger *l, const struct cs_work *w,
				bool *ret_waits,
				struct cs_error *err) CS_MUST_USE;
/* Then an approved one is held: driven again soon, and at each APPLY. */
bool cs_ledger_hold_for_policy(struct cs_ledger *l, struct cs_work *w,
			       struct cs_error *err) CS_MUST_USE;
/* A set was applied: what waits for a policy need not wait longer. */
bool cs_ledger_holds_end(struct cs_ledger *l, struct cs_error *err) CS_MUST_USE;
/* What would become of it, limits and keys in use looked at, not counted. */
bool cs_ledger_dry_run(struct cs_ledger *l, struct cs_work *w,
		       struct cs_error *err) CS_MUST_USE;

/* ledger_sign.c */
void cs_ledger_attempt_free(struct cs_attempt *a);
/* The attempt under way for a request's row; NULL: none. */
struct cs_attempt *cs_ledger_attempt_of(const struct cs_ledger *l, int64_t n);
/* Record an intent: attempt, key use, limit use. */
bool cs_ledger_attempt_insert(struct cs_ledger *l, struct cs_work *w,
			      struct cs_error *err) CS_MUST_USE;
/* SIGNED came. */
bool cs_ledger_signed(struct cs_ledger *l, const struct cs_msg_signed *m,
		      struct cs_error *err) CS_MUST_USE;
/* Outcomes of what was signed, within the transaction. */
bool cs_ledger_do_signed(struct cs_ledger *l, struct cs_error *err) CS_MUST_USE;
/* After COMMIT: forget the settled, send SIGN for the new. */
void cs_ledger_attempts_settle(struct cs_ledger *l);
void cs_ledger_attempts_start(struct cs_ledger *l);

/* ledger_admin.c: within the transaction. */
bool cs_ledger_do_admin(struct cs_ledger *l, struct cs_work *w,
			struct cs_error *err) CS_MUST_USE;

/* ledger_act.c */
/* The act is done (or not): what ADMIN_DONE says. */
void cs_ledger_act_done(struct cs_work *w, unsigned ok, const char *code,
			const char *detail);
/* Begin an object in the scratch buffer. */
void cs_ledger_act_begin(struct cs_ledger *l, struct cs_json *j);
/* What was written to the scratch buffer, kept as long as the batch. */
bool cs_ledger_act_keep(struct cs_ledger *l, struct cs_json *j,
			struct cs_span *ret, struct cs_error *err) CS_MUST_USE;

/* ledger_revoke.c: at the start, which keys are compromised. */
bool cs_ledger_compromised_load(struct cs_ledger *l,
				struct cs_error *err) CS_MUST_USE;
/* Within the transaction. */
bool cs_ledger_do_revoke(struct cs_ledger *l, struct cs_work *w,
			 struct cs_error *err) CS_MUST_USE;
/* After COMMIT: the ADMIN_DONE of a revocation. */
void cs_ledger_revoke_answer(struct cs_ledger *l, struct cs_work *w);

/*
 * ledger_revoked.c: REVOKED to front, of what a batch revoked; and of all that
 * has not ended, at the start and whenever the time is another than it was.
 */
void cs_ledger_revoked_tell(struct cs_ledger *l, const struct cs_draft *d);
bool cs_ledger_revoked_tell_all(struct cs_ledger *l,
				struct cs_error *err) CS_MUST_USE;

/* ledger_clients.c: a change of clients; what is wrong undoes only it. */
bool cs_ledger_do_client_change(struct cs_ledger *l, struct cs_work *w,
				struct cs_error *err) CS_MUST_USE;
/* A client's row and its leaf; the first two come with the first start. */
struct cs_client_new {
	uint64_t id; /* 0: the next */
	struct cs_span name, realm;
	struct cs_span rights, issuers, namespaces, groups; /* JSON arrays */
};
bool cs_ledger_client_insert(struct cs_ledger *l, const struct cs_client_new *c,
			     uint64_t *ret_id,
			     struct cs_error *err) CS_MUST_USE;

/* ledger_start.c */
bool cs_ledger_load(struct cs_ledger *l, struct cs_error *err) CS_MUST_USE;
bool cs_ledger_first_rows(struct cs_ledger *l,
			  struct cs_error *err) CS_MUST_USE;

/* ledger_recover.c */
bool cs_ledger_recover(struct cs_ledger *l, struct cs_error *err) CS_MUST_USE;

/* ledger_drive.c */
void cs_ledger_drive_start(struct cs_ledger *l);
void cs_ledger_drive_next(void *ctx);
/* DRIVE for one request. */
bool cs_ledger_drive_one(struct cs_ledger *l, int64_t n,
			 struct cs_error *err) CS_MUST_USE;

/* ledger_clock.c */
void cs_ledger_clock_start(struct cs_ledger *l);
/* Has it jumped since the last look? Before each batch. */
void cs_ledger_clock_check(struct cs_ledger *l);
/* The same, and whether it is behind the record; once a second. */
void cs_ledger_clock_look(struct cs_ledger *l);

/* ledger_state.c */
enum cs_ledger_state cs_ledger_state(const struct cs_ledger *l);
int64_t cs_ledger_now(const struct cs_ledger *l);

/* ledger_tell.c: STATE, at once and after some commits more. */
void cs_ledger_state_send(void *ctx);
void cs_ledger_state_soon(struct cs_ledger *l);
/* A transaction had no space: nothing is decided until one has. */
void cs_ledger_is_full(struct cs_ledger *l);

/* ledger_terms.c */
void cs_ledger_terms_free(struct cs_ledger_terms *t);
struct cs_ledger_terms *cs_ledger_terms_new(void);
void cs_ledger_terms_slice(void *ctx);
/* Is anything to be filed? */
bool cs_ledger_terms_due(const struct cs_ledger *l);

/* ledger_backup.c */
struct cs_ledger_backup *cs_ledger_backup_new(struct cs_ledger *l,
					      struct cs_error *err) CS_MUST_USE;
/* Without an answer to whoever waits. */
void cs_ledger_backup_free(struct cs_ledger_backup *b);
/* After COMMIT, for a BACKUP that may be. */
void cs_ledger_backup_start(struct cs_ledger *l, const struct cs_work *w);
/* Once a second: a copy that nobody takes is removed. */
void cs_ledger_backup_tick(struct cs_ledger *l);
/* STOP: whoever waits is told. */
void cs_ledger_backup_abort(struct cs_ledger *l);

struct cs_ledger_crl;
struct cs_crl_shard;
struct cs_crl_job;

/* ledger_crl.c: the CRLs that there are. */
void cs_ledger_crl_free(struct cs_ledger_crl *c);
/* What is recorded of them. */
bool cs_ledger_crl_load(struct cs_ledger *l, struct cs_error *err) CS_MUST_USE;
/* A leaf was committed. */
void cs_ledger_crl_leaf(struct cs_ledger *l, const struct cs_leaf_record *rec);
struct cs_crl_shard *cs_ledger_crl_shard(struct cs_ledger *l, size_t issuer,
					 uint32_t shard);
/* The CA certificates that have CRLs, older generations behind the present. */
size_t cs_ledger_crl_rows(const struct cs_ledger *l);
const struct cs_ledger_issuer_row *cs_ledger_crl_row(const struct cs_ledger *l,
						     size_t issuer);
/* What people and the signer call it: "web", "web@2". */
const char *cs_ledger_crl_label(const struct cs_ledger *l, size_t issuer);
/* Is the issuer's CA valid now, and its key there? */
bool cs_ledger_crl_is_valid(const struct cs_ledger *l, size_t issuer);
/* It was recorded; or not, and is left alone for so long (0: as usual). */
void cs_ledger_crl_recorded(struct cs_ledger *l, const struct cs_crl_job *job);
void cs_ledger_crl_failed(struct cs_ledger *l, const struct cs_crl_job *job,
			  int64_t rest_ms);
/* Why the last CRL of some issuer failed; or empty. */
const char *cs_ledger_crl_trouble(const struct cs_ledger *l);

/* ledger_crl_due.c: which of them are due, and their lists. */
bool cs_ledger_crl_start(struct cs_ledger *l, struct cs_error *err) CS_MUST_USE;
/* Once a second. */
void cs_ledger_crl_tick(struct cs_ledger *l);
/* The idle hook: begin a round, read some rows more. */
void cs_ledger_crl_slice(void *ctx);

/* ledger_crl_metrics.c */
void cs_ledger_crl_metrics(const struct cs_ledger *l, struct cs_buf *out);

/* ledger_crl_round.c: a round of them. */
/* The lists are read: numbers, CRL_SIGN. */
void cs_ledger_crl_ask(struct cs_ledger *l);
/* CRL_SIGNED came. */
bool cs_ledger_crl_signed(struct cs_ledger *l, uint64_t ticket,
			  const struct cs_msg_crl_signed *m,
			  struct cs_error *err) CS_MUST_USE;
/* All have come: rows and leaves. */
void cs_ledger_crl_record(struct cs_ledger *l);

/* ledger_crl_wait.c: those who wait for CRLs. */
/* CRL_PUBLISH: within the transaction, and after it. */
bool cs_ledger_do_crl_publish(struct cs_ledger *l,
			      struct cs_work *w) CS_MUST_USE;
void cs_ledger_crl_publish(struct cs_ledger *l, const struct cs_work *w);
/* Tell those who wait: that it is done, that one failed, that none comes. */
void cs_ledger_crl_tell(struct cs_ledger *l);
void cs_ledger_crl_tell_failed(struct cs_ledger *l,
			       const struct cs_crl_job *job);
void cs_ledger_crl_abort(struct cs_ledger *l, const char *code);

/* ledger_ends.c: rows and leaves of what was done about issuers for good. */
bool cs_ledger_ends_record(struct cs_ledger *l,
			   struct cs_error *err) CS_MUST_USE;

/* ledger_metrics.c */
/* What is known from earlier. */
bool cs_ledger_metrics_start(struct cs_ledger *l,
			     struct cs_error *err) CS_MUST_USE;
/* METRICS to front. */
void cs_ledger_metrics_send(struct cs_ledger *l);

/* ledger_restore.c */
bool cs_ledger_restore_load(struct cs_ledger *l,
			    struct cs_error *err) CS_MUST_USE;
/* Has an operator accepted that this note outside knows more? */
bool cs_ledger_restore_accepts(const struct cs_ledger *l, struct cs_span note);
/* The leaf, within the first transaction. */
bool cs_ledger_restore_leaf(struct cs_ledger *l,
			    struct cs_error *err) CS_MUST_USE;
/* After its COMMIT. */
void cs_ledger_restore_done(struct cs_ledger *l);

/* ledger_expire.c */
void cs_ledger_expire(struct cs_ledger *l);

#endif
