/*
 * The life of front's room, and its end:
 *
 *	STARTING --> SERVING --> STOPPING --> STOPPED
 *	    |                       ^             ^
 *	    +-----------------------+             |
 *	    (from every state, when a link that it needs is gone)
 *
 * Only this file moves it. Whoever ends something that stopping may wait for
 * (a flight, a wait, the server's drain) calls cs_front_check_stop() behind
 * it; nobody asks whether it was the last.
 *
 * It knows the room's state and nothing of what is done there, so every other
 * file of front's may call it.
 */
#ifndef CS_API_FRONT_LIFE_H
#define CS_API_FRONT_LIFE_H

#include "api/front_room.h"

/* End the room: with 75 unless it was told to stop. Logs why. */
void cs_front_fail(struct cs_front *f, const char *what,
		   const struct cs_error *why);

/* When starting: is everything there? Then serve, and tell parent READY. */
void cs_front_check_ready(struct cs_front *f);

/* STOP has come. False: it came before. */
bool cs_front_begin_stop(struct cs_front *f) CS_MUST_USE;

/* When stopping: is everything finished? Then end, with 0. */
void cs_front_check_stop(struct cs_front *f);

/* When stopping: end, whatever is under way. */
void cs_front_finish(struct cs_front *f);

#endif
