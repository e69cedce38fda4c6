/*
 * Lists: of requests, certificates, their history, CRLs, the audit log. They
 * are given as JSON, NDJSON or CSV (api/list_form.h).
 *
 * A poll of the audit log that finds nothing is kept ("parked"), and asked
 * again when the log has grown, with what its client may see by then. It ends
 * with its client, its time, or the room.
 */
#ifndef CS_API_FRONT_LIST_H
#define CS_API_FRONT_LIST_H

#include "api/front_room.h"

bool cs_front_list_requests(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_list_certificates(struct cs_front *f,
				struct cs_call *c) CS_MUST_USE;
bool cs_front_list_history(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_list_crls(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_list_audit(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

/* A page has come; true: the poll waits on, and so does its wait. */
bool cs_front_list_page(struct cs_front *f, struct cs_wait *w,
			struct cs_span page) CS_MUST_USE;

/*
 * Ask again for polls behind which the log has grown, and end those whose
 * time is up. `front` is the room: its timer `tails` calls it.
 */
void cs_front_tails_look(void *front);

/* End all of them, with an empty page. */
void cs_front_tails_end(struct cs_front *f);

#endif
