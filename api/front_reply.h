/*
 * What front says to who asked over HTTP: octets, JSON, a problem, an ANSWER.
 *
 * A ticket is the server's (api/server.h); to ticket 0 nothing is said, and
 * nothing to one whose client has left. Each is answered once; this does not
 * check it. Whatever is sent is counted by its status.
 *
 * Of the room it knows the state alone (api/front_room.h): whoever has
 * something to say calls it, and it calls nobody.
 */
#ifndef CS_API_FRONT_REPLY_H
#define CS_API_FRONT_REPLY_H

#include "api/front_room.h"

/* An empty buffer for a body or message; valid until the next call. */
struct cs_buf *cs_front_out(struct cs_front *f);

/* Count an answer and send it. */
void cs_front_send(struct cs_front *f, uint64_t ticket,
		   const struct cs_http_answer *answer);

/* An answer's outside. Zeroed members are left out. */
struct cs_reply {
	unsigned status;
	const char *media_type;
	uint32_t retry_s;
	unsigned replay;     /* Idempotent-Replay: true */
	const char *allow;   /* 405 */
	struct cs_span link; /* RFC 8288 */
	/* What caches may keep, seconds since 1970; 0: nothing. */
	int64_t modified_s, expires_s;
};

/* Answer a server's ticket; ticket 0: nobody listens. */
void cs_front_reply(struct cs_front *f, uint64_t ticket,
		    const struct cs_reply *r, struct cs_span body);
void cs_front_reply_json(struct cs_front *f, uint64_t ticket, unsigned status,
			 struct cs_span body);
void cs_front_reply_problem(struct cs_front *f, uint64_t ticket,
			    const struct cs_problem *p);
/* 405, with what is allowed. */
void cs_front_reply_405(struct cs_front *f, uint64_t ticket,
			const struct cs_problem *p, const char *allow);
/* An error of ours: logged, and answered with what it means to a client. */
void cs_front_reply_error(struct cs_front *f, uint64_t ticket,
			  const struct cs_error *err);
/* A code and a sentence from another room. */
void cs_front_reply_foreign(struct cs_front *f, uint64_t ticket,
			    struct cs_span code, struct cs_span detail);

/* What this client may see of an answer. */
enum cs_answer_view cs_front_view_of(const struct cs_front *f, uint64_t reader);
/*
 * Render an ANSWER for whoever POSTed, or for whoever reads or decides:
 * `reader` is that client's id.
 */
void cs_front_reply_answer(struct cs_front *f, uint64_t ticket,
			   const struct cs_msg_answer *m,
			   enum cs_flight_owner owner, uint64_t reader);

#endif
