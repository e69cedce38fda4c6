/*
 * What front waits for beside requests in flight: answers of the reader
 * (PAGE), of the ledger to administration and denials (ADMIN_DONE, ANSWER),
 * of parent and a worker to a policy set (POLICY_FILES, CHECKED).
 *
 * A fixed number of slots. A wait's ticket has its top bit set, so that no
 * flight's is ever the same, and is not used twice. Each wait owns an arena
 * for what it must remember, a token that is shown once, and a buffer for
 * policy sources; all of it ends with the wait, the token wiped.
 */
#ifndef CS_API_WAITS_H
#define CS_API_WAITS_H

#include "api/auth.h"
#include "api/decide.h"
#include "api/list_form.h"
#include "base/arena.h"
#include "base/msg.h"

enum cs_wait_kind {
	CS_WAIT_FREE,
	CS_WAIT_PAGE,	     /* JSON of the reader as it is */
	CS_WAIT_LIST,	     /* a page of a list, by `list` */
	CS_WAIT_REQUEST,     /* an encoded ANSWER of the reader */
	CS_WAIT_CERTIFICATE, /* JSON, or what stands in it, by `form` */
	CS_WAIT_CHECKPOINT,  /* a note of the reader as it is */
	CS_WAIT_TILE,	     /* octets of the reader as they are */
	CS_WAIT_STATUS,	     /* JSON of the reader, into our own */
	CS_WAIT_ISSUERS,     /* the same; `name`: of one only */
	CS_WAIT_OCSP,	     /* OCSP_ANSWER of the reader, by `method` */
	CS_WAIT_LOOK,	     /* the stored REQUEST, then a dry run of it */
	CS_WAIT_APPROVE,     /* the stored REQUEST, to be approved */
	CS_WAIT_DENY,	     /* the stored REQUEST, to be denied */
	CS_WAIT_DENIED,	     /* the ledger's ANSWER to DENY */
	CS_WAIT_ADMIN,	     /* ADMIN_DONE */
	CS_WAIT_BACKUP,	     /* ADMIN_DONE, not soon */
	CS_WAIT_CRL,	     /* a CRL of the reader; `name`, If-None-Match */
	CS_WAIT_CRL_PUBLISH, /* ADMIN_DONE, not soon */
	CS_WAIT_CLIENT_ADD,  /* ADMIN_DONE, to be shown with the token */
	CS_WAIT_SOURCES,     /* POLICY_FILES of parent */
	CS_WAIT_CHECK,	     /* CHECKED of a worker, or ADMIN_DONE */
	CS_WAIT_EVALUATE     /* EVALUATED of a worker */
};

enum cs_certificate_form {
	CS_FORM_JSON,
	CS_FORM_PEM_CHAIN,
	CS_FORM_DER,
	CS_FORM_NONE /* the client takes none of them */
};

/* Who asked, by ids: the table may have been replaced by then. */
struct cs_asker {
	uint64_t client;
	uint64_t credential;
	int64_t uid;
	bool by_certificate;
	struct cs_serial_key serial_key; /* then: of the certificate */
};

/* A list's page on its way; spans are in the wait's arena. */
struct cs_wait_list {
	enum cs_query kind;
	enum cs_list_form form;
	const char *const *columns; /* of CSV */
	struct cs_span path, query; /* of the target */
	/* A poll: `after`, and what stands behind it in the parameters. */
	bool polls;
	bool parked; /* nothing is asked; the log has to grow */
	uint64_t after;
	struct cs_span rest;
	uint64_t asked_size; /* of the tree, when it was asked */
	int64_t until_ms;    /* boot clock */
};

struct cs_wait {
	uint64_t ticket;
	enum cs_wait_kind kind;
	uint64_t http;	 /* the server's ticket; 0: nobody, or gone */
	unsigned status; /* ADMIN: of the answer; 0: 200 */
	struct cs_asker asker;
	bool of_stranger; /* of a route for anybody */
	struct cs_arena arena;
	struct cs_decide_body decision; /* APPROVE, DENY */
	/* APPROVE, DENY: whence, to what; path of CRL: If-None-Match. */
	struct cs_span address, path;
	enum cs_certificate_form form; /* CERTIFICATE */
	enum cs_http_method method;    /* OCSP */
	struct cs_wait_list list;      /* LIST */
	struct cs_auth_token token;    /* CLIENT_ADD */
	struct cs_span name; /* CLIENT_ADD, ISSUERS, CRL, in the arena */
	int64_t expires_ms;  /* CLIENT_ADD; 0: never */
	/* CHECK, EVALUATE: */
	uint8_t apply; /* CHECK */
	/* EVALUATE: an encoded REQUEST; LOOK: an ANSWER */
	struct cs_buf request;
	struct cs_buf sources; /* encoded; EVALUATE: maybe empty */
	bool sent;	       /* to a worker */
	unsigned worker;       /* if sent */
	unsigned tries;
};

struct cs_waits;

void cs_waits_free(struct cs_waits *w);
struct cs_waits *cs_waits_new(size_t capacity,
			      struct cs_error *err) CS_MUST_USE;
size_t cs_waits_count(const struct cs_waits *w);
size_t cs_waits_capacity(const struct cs_waits *w);

/* How many are of this kind. */
size_t cs_waits_of(const struct cs_waits *w, enum cs_wait_kind kind);

/* Of these, polls (CS_WAIT_LIST with list.polls). */
size_t cs_waits_polls(const struct cs_waits *w);

/* Of these, of strangers; OCSP is not among them. */
size_t cs_waits_strangers(const struct cs_waits *w);

/* Is the ticket of the kind that waits have? */
bool cs_waits_owns(uint64_t ticket);

/* NULL: every slot is taken. */
struct cs_wait *cs_waits_add(struct cs_waits *w, enum cs_wait_kind kind,
			     uint64_t http);

/* NULL: no such wait (any more). */
struct cs_wait *cs_waits_find(struct cs_waits *w, uint64_t ticket);

/* The n-th slot, n < capacity; NULL when it is free. */
struct cs_wait *cs_waits_at(struct cs_waits *w, size_t n);

void cs_waits_end(struct cs_waits *w, struct cs_wait *wait);

#endif
