/*
 * What the parts of store/query.c share. Not for anybody else.
 */
#ifndef CS_STORE_QUERY_INTERNAL_H
#define CS_STORE_QUERY_INTERNAL_H

#include <jansson.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "store/leaf.h"
#include "store/query.h"

struct cs_questions {
	struct cs_db *db; /* borrowed */
	struct cs_clock clock;
	uint32_t deadline_ms;
	int64_t until_ms; /* of the question under way, boot time; 0: none */
	struct cs_hash *hash;  /* owned */
	struct cs_arena arena; /* of the question under way */
	struct cs_buf item;    /* one item of a list, or one certificate */

	/* The question under way. */
	const struct cs_question *what;
	json_t *params;	 /* owned */
	json_t *issuers; /* owned; NULL: what->issuers was empty */
	struct cs_buf *body;
	struct cs_question_result *result;
};

/* -- query_refuse.c ------------------------------------------------------ */

/* Refuse the question: found = 0, a code and a sentence. Returns true. */
bool cs_query_refuse(struct cs_questions *q, const char *code, const char *fmt,
		     ...) CS_PRINTF(3, 4);

/* May who asks see a request of this client, to this issuer? */
bool cs_query_may_see(const struct cs_questions *q, uint64_t client,
		      struct cs_span issuer);

/* -- query_params.c ----------------------------------------------------- */

/* A text parameter; empty when it is not there. */
struct cs_span cs_query_text(const struct cs_questions *q, const char *name);

/* Octets of a hexadecimal parameter, 1 to max. False: it is none. */
bool cs_query_hex(struct cs_questions *q, const char *name, size_t max,
		  struct cs_span *ret_octets);

/* By which table the leaves of an alternative are found. */
enum cs_query_way {
	CS_WAY_TERM,   /* term */
	CS_WAY_SERIAL, /* attempt, and term for what was refused */
	CS_WAY_KEY,    /* key_use, and term for what was refused */
	CS_WAY_ACT     /* leaf, by kind: acts of administration */
};

/* One way in which a leaf can match a filter. */
struct cs_query_alternative {
	enum cs_query_way way;
	uint8_t field; /* enum cs_term */
	struct cs_span value;
	uint8_t below; /* also what goes on with this octet behind it; or 0 */
	int64_t kind;  /* CS_WAY_ACT */
};

/* Any of the alternatives must match. */
struct cs_query_filter {
	const struct cs_query_alternative *any; /* in the arena */
	size_t n;
};

#define CS_QUERY_FILTERS 24
/* Bits of the kinds that decide a request. */
#define CS_QUERY_DECISIONS                                                     \
	(1u << CS_LEAF_ISSUED | 1u << CS_LEAF_REFUSED | 1u << CS_LEAF_DENIED | \
	 1u << CS_LEAF_EXPIRED)

/* Certificates that are revoked, and those that are not. */
#define CS_QUERY_REVOKED 1u
#define CS_QUERY_STANDS	 2u

/* What is common to the lists. */
struct cs_query_list {
	/* All must match; those that fewer leaves are likely to match first. */
	struct cs_query_filter filter[CS_QUERY_FILTERS];
	size_t filters;
	uint32_t kinds; /* bit n: kind n is wanted */
	int64_t since_ms, until_ms;
	unsigned has_valid_at; /* 1: certificates that were valid then */
	int64_t valid_at_ms;
	int64_t expires_before_s; /* INT64_MAX: whenever */
	unsigned revoked;    /* CS_QUERY_REVOKED, CS_QUERY_STANDS: or both */
	unsigned by_revoked; /* 1: in the order of revocations */
	unsigned by_end;     /* 1: in the order of the end of validity */
	size_t limit;
	unsigned ascending;
	unsigned tail;	       /* 1: `after` was said */
	unsigned has_position; /* 1: only what comes behind it */
	uint64_t position;
	uint8_t question[8]; /* hash of the question, for the cursor */
};

/* The log as the question finds it, and the part that it is about. */
struct cs_query_range {
	uint64_t low, high; /* [low, high) */
	uint64_t terms_done;
	unsigned clock_accepted; /* 1: times may have been anything */
};

/*
 * Read the parameters of a list. *ret_ok = false: the question was refused,
 * and q->result says why.
 */
bool cs_query_list_read(struct cs_questions *q, struct cs_query_list *l,
			bool *ret_ok, struct cs_error *err) CS_MUST_USE;

/* Does a decision with these search terms match all filters? */
bool cs_query_matches(const struct cs_query_list *l, struct cs_span terms);

/* Is a leaf's kind and time wanted? */
bool cs_query_wants(const struct cs_query_list *l, int64_t kind, int64_t at_ms);

/*
 * Are all of the parameter's values among these words, with a space between?
 * False: the question was refused.
 */
bool cs_query_check_words(struct cs_questions *q, const char *name,
			  const char *words) CS_MUST_USE;

/* Is this text one of the parameter's values (or is there no parameter)? */
bool cs_query_one_of(const struct cs_questions *q, const char *name,
		     struct cs_span text);

/* -- query_page.c: writing lists ---------------------------------------- */

struct cs_query_page {
	struct cs_json json;
	struct cs_query_list *list;
	struct cs_clock clock;
	int64_t begun_ms; /* on the boot clock */
	size_t items;
	size_t scanned;
	uint64_t last;	    /* position looked at last */
	uint64_t last_item; /* position of the last item written */
	unsigned more;	    /* 1: there is more, behind `last` or `last_item` */
	unsigned full;	    /* 1: more than fits was there */
	unsigned bad_cursor; /* 1: its position is of no list */
};

void cs_query_page_begin(struct cs_questions *q, struct cs_query_page *p,
			 struct cs_query_list *list);
/* Note that a row is looked at, for so much; false: enough for one page. */
bool cs_query_page_look(struct cs_query_page *p, uint64_t position,
			unsigned cost);
/* Add q->item as it stands; false: it does not fit, the page is over. */
bool cs_query_page_add(struct cs_questions *q, struct cs_query_page *p,
		       uint64_t position);
bool cs_query_page_end(struct cs_questions *q, struct cs_query_page *p,
		       struct cs_error *err) CS_MUST_USE;

/* A text member, unless it is empty. */
void cs_query_put_text(struct cs_json *j, const char *name,
		       struct cs_span text);
/* The members "names" of an item: the first few, from search terms. */
void cs_query_put_names(struct cs_json *j, struct cs_span terms);

/*
 * The member "revoked": {"at", "index", "reason"} from three columns of the
 * row in hand (at_ms, reason, leaf), null when the first one is.
 */
void cs_query_put_revoked(struct cs_json *j, struct cs_stmt *s, int column);

/* A member of several lines: line ends stay, unless it is no UTF-8. */
void cs_query_put_lines(struct cs_json *j, const char *name,
			struct cs_span text);

/* A member of an object that is a string; empty when it is not there. */
struct cs_span cs_query_member(const json_t *object, const char *name);

/* -- query_walk.c: from leaf to leaf ------------------------------------- */

/* The lists of leaves, of what kind the question says. */
bool cs_query_audit(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;

/*
 * A statement that gives the numbers of requests in order, NULL among them:
 * those that a filter of few leads to, those decided lately, and the open
 * ones. *ret_led = false: no filter leads to few, all have to be looked at.
 */
bool cs_query_lead_requests(struct cs_questions *q,
			    const struct cs_query_list *l, struct cs_stmt *ret,
			    bool *ret_led, struct cs_error *err) CS_MUST_USE;

/* -- query_audit.c, query_history.c: one leaf ----------------------------- */

/* When a TBS begins to be valid; false: it cannot be read. */
bool cs_query_not_before(struct cs_span tbs, int64_t *ret_seconds);

/*
 * One candidate of cs_query_audit(); it becomes an item if it matches. *ret_go
 * = false: the page is over.
 */
bool cs_query_leaf_consider(struct cs_questions *q,
			    const struct cs_query_list *l,
			    struct cs_query_page *p, uint64_t index,
			    bool *ret_go, struct cs_error *err) CS_MUST_USE;

/* The same for HISTORY. */
bool cs_query_history_consider(struct cs_questions *q,
			       const struct cs_query_list *l,
			       struct cs_query_page *p, uint64_t index,
			       bool *ret_go, struct cs_error *err) CS_MUST_USE;

/* -- the kinds ----------------------------------------------------------- */

bool cs_query_audit_entry(struct cs_questions *q,
			  struct cs_error *err) CS_MUST_USE;
bool cs_query_requests(struct cs_questions *q,
		       struct cs_error *err) CS_MUST_USE;
bool cs_query_request(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_stored(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_certificate(struct cs_questions *q,
			  struct cs_error *err) CS_MUST_USE;
bool cs_query_policy(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_clients(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_crl(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_crls(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_issuers(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_status(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_proof(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_checkpoint(struct cs_questions *q,
			 struct cs_error *err) CS_MUST_USE;
bool cs_query_tile(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_entries(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;

#endif
