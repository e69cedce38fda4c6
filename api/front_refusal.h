/*
 * Refusals of a credential or a right: counted, and told to the ledger as
 * AUTH_REFUSED (api/front.h says what it looks like), at most one in six
 * seconds; the next one says how many were left out (api/auth.h).
 *
 * It does not answer who was refused, and does not say whether it was right.
 */
#ifndef CS_API_FRONT_REFUSAL_H
#define CS_API_FRONT_REFUSAL_H

#include "api/front_room.h"

/* A refusal of a right, as it is told. Spans may be empty. */
struct cs_front_refusal {
	struct cs_span address; /* without a port */
	struct cs_span client;	/* if it is known */
	enum cs_problem_code code;
	struct cs_span path;
	int64_t uid; /* -1: not over the Unix socket */
};
/* Tell the ledger that a right was refused, if that is worth a leaf. */
void cs_front_note(struct cs_front *f, const struct cs_front_refusal *r);
void cs_front_note_refusal(struct cs_front *f, const struct cs_call *c);
/*
 * The same for a right that only the ledger's transaction saw missing, when
 * its answer comes: `ticket` is the server's, `client` whose right it was.
 */
void cs_front_note_late(struct cs_front *f, uint64_t ticket, uint64_t client,
			struct cs_span code);
/* The server's callback: a certificate did not survive its handshake. */
void cs_front_on_bad_certificate(void *ctx, const struct cs_http_peer *peer);
/* The address of a peer without its port. */
struct cs_span cs_front_host(const struct cs_http_peer *peer);

#endif
