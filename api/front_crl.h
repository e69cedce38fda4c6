/*
 * CRLs: the last one, to anybody; and signing them now, an act of
 * administration. (The list of them is api/front_list.h's.)
 *
 * The last one is kept for a second (api/crl_cache.h), so that many who ask at
 * once cost the reader one question.
 */
#ifndef CS_API_FRONT_CRL_H
#define CS_API_FRONT_CRL_H

#include "api/front_room.h"

bool cs_front_get_crl(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_publish_crls(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

/* The reader said which CRL is the last one. */
void cs_front_reply_crl(struct cs_front *f, const struct cs_wait *w,
			struct cs_span page);

#endif
