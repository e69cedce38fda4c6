/*
 * Questions under way: who asked, what of the record is shown to it, and the
 * QUERY that the reader answers with a PAGE.
 *
 * A wait (api/waits.h) is all that a question leaves behind; whoever handles
 * the answer ends it. The asker is kept as ids: the table of clients may have
 * been replaced by then, so its right to know is looked up again
 * (cs_front_find_asker) where that matters.
 *
 * A wait that other rooms answer (ADMIN_DONE, CHECKED ...) begins with
 * cs_front_wait() likewise.
 */
#ifndef CS_API_FRONT_ASK_H
#define CS_API_FRONT_ASK_H

#include "api/front_room.h"

/* Who asked, as the table is now. False: it is not there any more. */
bool cs_front_find_asker(const struct cs_front *f, const struct cs_asker *a,
			 struct cs_principal *ret_who) CS_MUST_USE;

/* A wait for this call, or the problem BUSY. */
bool cs_front_wait(struct cs_front *f, struct cs_call *c,
		   enum cs_wait_kind kind,
		   struct cs_wait **ret_wait) CS_MUST_USE;

/*
 * What somebody sees of the record: with one of these rights all, or all of
 * the issuers that the client is limited to, and always its own.
 */
struct cs_front_view {
	uint64_t client;	/* 0: everything */
	struct cs_span issuers; /* JSON list; valid until the next view */
};
struct cs_front_view cs_front_view(struct cs_front *f,
				   const struct cs_client *c, unsigned rights);
/* For questions that are not about requests. */
extern const struct cs_front_view cs_front_everything;
/* Send a question; its PAGE finds the wait by the ticket. _new: its own. */
bool cs_front_ask_new(struct cs_front *f, struct cs_call *c,
		      enum cs_wait_kind wait, enum cs_query kind,
		      const struct cs_front_view *view,
		      struct cs_span params) CS_MUST_USE;
bool cs_front_ask(struct cs_front *f, struct cs_call *c, struct cs_wait *w,
		  enum cs_query kind, const struct cs_front_view *view,
		  struct cs_span params) CS_MUST_USE;

/*
 * {"NAME":"text"} of what the path names, hexadecimal and of at most `max`
 * octets; in the room's `out`, so until the next answer or message. False:
 * NOT_FOUND.
 */
bool cs_front_hex_params(struct cs_front *f, struct cs_call *c,
			 const char *name, size_t max,
			 struct cs_span *ret_params) CS_MUST_USE;

#endif
