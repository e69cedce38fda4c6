/*
 * The places that a connection takes in its server: a slot, by which its
 * ticket finds it; a count among the connections of its address; and, while it
 * may be dropped to make room for another, a stand in a queue.
 *
 * Bookkeeping alone: nobody is let in, dropped or told here. Who may come in
 * judges listener.c.
 */
#ifndef CS_API_HTTP_PLACES_H
#define CS_API_HTTP_PLACES_H

#include <sys/socket.h>

#include "api/server_parts.h"

/* Slots for TCP peers, and some kept for local ones. False: no memory. */
bool cs_http_slots_make(struct cs_http_server *s) CS_MUST_USE;
void cs_http_slots_free(struct cs_http_server *s);

/* One has to be free. A connection in a slot is open (stats.open). */
void cs_http_slot_take(struct cs_http_conn *c);
void cs_http_slot_leave(struct cs_http_conn *c);

/* Whose request in flight this is; NULL: gone, or answered already. */
struct cs_http_conn *cs_http_slot_find(const struct cs_http_server *s,
				       uint64_t ticket);

/*
 * Count one more TCP connection, of this kind and from this address (IPv6: its
 * /64). NULL: the address has as many as it may, or no memory.
 */
struct cs_http_address *cs_http_address_enter(
	struct cs_http_server *s, enum cs_http_listen_kind kind,
	const struct sockaddr_storage *from) CS_MUST_USE;

/* One connection of this kind fewer from this address; NULL is allowed. */
void cs_http_address_leave(struct cs_http_server *s,
			   enum cs_http_listen_kind kind,
			   struct cs_http_address *a);

/* Stand where a connection in this state stands; NULL: in no queue. */
void cs_http_queue_move(struct cs_http_conn *c, struct cs_http_queue *to);

#endif
