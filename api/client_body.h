/*
 * What a client is to be, and what is to prove it, from the JSON of POST
 * /v1/clients and of what stands below it; and the CLIENT_CHANGE that the
 * ledger makes of it (api/front.h says what that looks like).
 *
 * What is read borrows from the document and from the arena. Whatever cannot
 * be kept is refused here, with the place: a name that is none, a right or an
 * issuer that there is not, a certificate that is over or revoked.
 *
 * What it does not check: whether there is a client of that name, and the
 * asker's right to make one. The ledger does.
 */
#ifndef CS_API_CLIENT_BODY_H
#define CS_API_CLIENT_BODY_H

#include "api/auth.h"
#include "api/body.h"
#include "api/front.h"
#include "api/revoked.h"
#include "base/arena.h"
#include "base/buf.h"

/* What it is read from and against. Borrowed. */
struct cs_client_body {
	const struct cs_body *body;
	const struct cs_front_issuer *issuers;
	size_t issuers_n;
	const struct cs_revoked *revoked;
	int64_t now_ms; /* wall clock */
	struct cs_arena *arena;
};

/* What proves a client. Spans are in the arena. */
struct cs_new_credential {
	bool is_cert; /* else a token, which is made later */
	uint8_t fingerprint[32];
	struct cs_span san; /* p NULL: whatever its names are */
	struct cs_span ca;  /* DER; p NULL: by fingerprint */
	int64_t expires_ms; /* 0: never */
};

/* What a client is to be. Borrows from the document. */
struct cs_new_client {
	struct cs_span name;
	struct cs_span realm;
	json_t *rights, *issuers, *namespaces, *groups;
	struct cs_new_credential credential;
};

/* A name of ours: letters, digits, `.`, `-`, `_`; the house's begin with _. */
bool cs_client_is_name(struct cs_span s) CS_MUST_USE;

/*
 * {name, rights, issuers?, realm?, groups?, namespaces?} and {certificate?,
 * ca?, san?, expires?}: none of the first three is a token. False: the body's
 * problem says what is wrong with it. *ret_client is zeroed before.
 */
bool cs_client_body_read(const struct cs_client_body *r,
			 struct cs_new_client *ret_client) CS_MUST_USE;

/* {expires?}. Likewise. */
bool cs_client_body_token(const struct cs_client_body *r,
			  struct cs_new_credential *ret) CS_MUST_USE;

/* {certificate?, ca?, san?, expires?}, and not a token. Likewise. */
bool cs_client_body_certificate(const struct cs_client_body *r,
				struct cs_new_credential *ret) CS_MUST_USE;

/*
 * The CLIENT_CHANGE that adds a client (op "add"), or binds a credential to
 * one ("bind"). A token is told by its digest. Errors: NO_MEMORY, TOO_LARGE,
 * text that is no UTF-8.
 */
bool cs_client_change_write(const struct cs_new_client *n, const char *op,
			    const struct cs_auth_token *t, struct cs_buf *out,
			    struct cs_error *err) CS_MUST_USE;

#endif
