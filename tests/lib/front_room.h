/*
 * Front between links whose other ends are in the test's hands, and a server
 * that only remembers (tests/lib/fake_server.h): no network, no other process.
 * There is one, `house`, made anew by each open. Time stands still unless a
 * test moves it.
 *
 * Its clients are `_local` (credential 1, by uid 1000), `_house` (2) and `web`
 * (9, a token; submit and approve).
 *
 * A failing step fails the test.
 */
#ifndef CS_TESTS_LIB_FRONT_ROOM_H
#define CS_TESTS_LIB_FRONT_ROOM_H

#include "api/auth.h"
#include "api/front.h"
#include "base/hash.h"
#include "base/ipc.h"
#include "base/loop.h"
#include "tests/lib/fake_server.h"

struct seen {
	unsigned number;
	uint64_t ticket;
	uint8_t *p;
	size_t n;
};

/* Another room's end of a link, and what came out of it. */
struct room {
	struct cs_link *link;
	struct seen seen[MAX_SEEN];
	size_t n;
};

struct house {
	struct cs_loop *loop;
	struct cs_front *front;
	struct room parent, ledger, reader, worker[2];
	struct cs_hash *hash;
	struct cs_auth *auth;
	struct cs_auth_token token; /* of `web` */
	struct cs_log log;
	int64_t now_ms;
	uint64_t http;
};

extern struct house house;

/* A front that is not ready yet. */
void open_house(void);
/* One that serves, with one worker. */
void open_serving(void);
void close_house(void);

/* Let messages that are on their way arrive, and what they cause. */
void turn(void);

/* The ledger's STATE, and its table of clients. */
void tell_state(enum cs_ledger_state state);
void tell_clients(void);

void add_worker(unsigned number);
void kill_worker(unsigned number);
void close_room(struct room *r);

/* The last message of a room, which must be of this number. */
struct cs_span last(const struct room *r, unsigned number,
		    uint64_t *ret_ticket);

enum who {
	NOBODY,
	WEB,	 /* by its token, over TCP */
	GUESSER, /* by a token that is wrong */
	LOCAL
};

/* A call of theirs comes in; its ticket. Body: NULL is none. */
uint64_t ask(enum who who, enum cs_http_method method, const char *target,
	     const char *body);

/* WEB submits something that is approved. */
uint64_t submit(void);

/* The reply to a ticket, or NULL. */
const struct reply *reply_to(uint64_t ticket);
void assert_reply(uint64_t ticket, int status, const char *part);

/* The ledger's answer to a ticket. */
void answer(uint64_t ticket, enum cs_answer outcome, const char *body);

/* The reader's page to the last question. */
void page(unsigned found, struct cs_span body, const char *code);

/* An encoded REQUEST of `robot`, id 7, as the ledger stores it. */
void stored(struct cs_buf *out);

#endif
