/*
 * Replay: what was decided, judged once more by another policy set (or by the
 * set that decided it), at its own time and, where a certificate came of it,
 * under its own serial. The judge is the worker's (issuer/judge.h), so that
 * the same set gives the same octets; what is different is the candidate's.
 *
 * An item of GET /v1/history goes in, what became of it comes out:
 *
 *	unchanged	  the same verdict, and the same certificate
 *	allow-to-refuse	  issued then; the candidate refuses it
 *	refuse-to-allow	  refused then; the candidate lets it pass
 *	changed		  another certificate
 *	held		  issued then; it would wait: for a policy, or for the
 *			  end of a window
 *	refused-otherwise refused both times, for other reasons
 *	told-otherwise	  the same, but the record would say it in other words
 *			  (only where that is asked for)
 *	error		  it could not be judged
 *	not-replayed	  nothing that a set decides: see cs_replay_skip
 *
 * Not replayed is what the ledger alone decides: limits and the reuse of keys
 * (a candidate's are not looked at, and what they refused then counts as not
 * replayed), denials, expiry. The issuers' ceilings are today's. The CA
 * certificate is that of then, out of the issuer's generations; where it is
 * gone, or its issuer got a URL for CRLs or OCSP since, certificates are
 * compared but for what the CA adds.
 *
 * One object a command; what a result borrows lives until the next judgement.
 */
#ifndef CS_CLI_REPLAY_H
#define CS_CLI_REPLAY_H

#include <jansson.h>

#include "cli/install.h"
#include "cli/sets.h"
#include "issuer/cert_diff.h"

enum cs_replay_class {
	CS_REPLAY_UNCHANGED,
	CS_REPLAY_ALLOW_TO_REFUSE,
	CS_REPLAY_REFUSE_TO_ALLOW,
	CS_REPLAY_CHANGED,
	CS_REPLAY_HELD,
	CS_REPLAY_REFUSED_OTHERWISE,
	CS_REPLAY_TOLD_OTHERWISE,
	CS_REPLAY_ERROR,
	CS_REPLAY_NOT_REPLAYED,
	CS_REPLAY_CLASSES
};

/* "allow-to-refuse". */
const char *cs_replay_class_name(enum cs_replay_class c);

/* Why an item was not replayed. */
enum cs_replay_skip {
	CS_SKIP_DENIED,	       /* an approver said no */
	CS_SKIP_EXPIRED,       /* nobody approved it in time */
	CS_SKIP_LIMITS,	       /* refused by a limit, or for its key */
	CS_SKIP_NOT_BY_POLICY, /* refused by the house: no set was asked */
	CS_SKIP_NO_ISSUER,     /* its issuer is not configured any more */
	CS_SKIP_PURGED,	       /* what it was judged by is gone */
	CS_SKIPS
};

/* "not-by-policy". */
const char *cs_replay_skip_name(enum cs_replay_skip s);

/* What became of one item. Everything borrows. */
struct cs_replay_result {
	enum cs_replay_class class;
	enum cs_replay_skip skip; /* NOT_REPLAYED */
	bool other_ca;		  /* the CA adds otherwise than it did then */
	json_t *was;		  /* the recorded members; NULL: none */
	json_t *now; /* the same by the candidate; NULL: not judged */
	/* What caused it: of the candidate, or of the set that decided. */
	const char *policy, *rule, *at, *code, *field;
	size_t weight; /* violations or changes: small is easy to see */
	size_t csr_octets;
	struct cs_cert_diff diff; /* CHANGED */
	struct cs_error why;	  /* ERROR */
};

struct cs_replayer;

void cs_replayer_free(struct cs_replayer *r);
/* The installation is borrowed. */
struct cs_replayer *cs_replayer_new(const struct cs_install *install,
				    struct cs_error *err) CS_MUST_USE;

/* Judge by this set from now on. It must have loaded. */
bool cs_replayer_set(struct cs_replayer *r, const struct cs_loaded *set,
		     struct cs_error *err) CS_MUST_USE;

/* Does the record have to be the same, too, and not only what it says? */
enum cs_replay_care {
	CS_REPLAY_VERDICTS,
	CS_REPLAY_RECORDS
};

/*
 * Judge one item, which is borrowed for as long as the result. False: no
 * memory, or the item is none (CS_E_FORMAT).
 */
bool cs_replayer_judge(struct cs_replayer *r, const json_t *item,
		       enum cs_replay_care care,
		       struct cs_replay_result *ret_result,
		       struct cs_error *err) CS_MUST_USE;

#endif
