/*
 * /ocsp, for strangers: octets that nobody here looks into, to the reader,
 * and what it answers (RFC 6960 A.1, RFC 5019 4 and 5).
 *
 * A few are under way at a time, beside all other questions and never in the
 * place of one; whoever comes when there are more is told tryLater, which
 * every client knows what to do with. What could not even be read is
 * malformedRequest for the same reason: a client of OCSP reads no problems.
 */
#ifndef CS_API_FRONT_OCSP_H
#define CS_API_FRONT_OCSP_H

#include "api/front_room.h"

bool cs_front_post_ocsp(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_get_ocsp(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

/* The reader's answer. */
void cs_front_ocsp_answer(struct cs_front *f, uint64_t ticket,
			  const struct cs_msg_ocsp_answer *m);

/* How long the responder of an issuer lasts. */
void cs_front_ocsp_responder(struct cs_front *f,
			     const struct cs_msg_ocsp_responder *m);

/* Its part of /metrics. */
void cs_front_ocsp_metrics(const struct cs_front *f, struct cs_buf *out);

#endif
