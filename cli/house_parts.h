/*
 * What the house's parts share: its state, and who does what. For
 * cli/house*.c only.
 *
 *	house.c		the life of it: signals and deaths
 *	house_start.c	starting rooms, their links, a worker once more
 *	house_files.c	policy files and the house's own certificates
 *	house_end.c	stopping and failing; finding a room
 *
 * Each calls only those below it.
 */
#ifndef CS_CLI_HOUSE_PARTS_H
#define CS_CLI_HOUSE_PARTS_H

#include <signal.h>
#include <unistd.h>

#include "base/ipc.h"
#include "base/limits.h"
#include "cli/house.h"
#include "cli/listen.h"
#include "cli/renew.h"

/* Sent with what belongs to no request of front's. */
#define CS_HOUSE_NO_TICKET 0
/* Rooms beside workers and signers: front, ledger, reader. */
#define CS_HOUSE_FIXED_ROOMS 3
/* `init` answers within this, or something is wrong. */
#define CS_HOUSE_INIT_MS 60000

struct cs_house;

/* One child. */
struct cs_house_proc {
	struct cs_house *house;
	enum cs_room room;
	unsigned number; /* a worker's, a signer's */
	pid_t pid;	 /* 0: not running */
	struct cs_link *link;
	bool ready;
};

enum cs_house_phase {
	CS_HOUSE_PHASE_LEDGER, /* signer and ledger start */
	CS_HOUSE_PHASE_ROOMS,  /* the others start */
	CS_HOUSE_PHASE_RUNNING,
	CS_HOUSE_PHASE_STOPPING
};

/* The two ends of a link; -1 when closed. */
struct cs_house_pair {
	int end[2];
};

struct cs_house {
	const struct cs_house_config *config;
	struct cs_rooms rooms;
	struct cs_loop *loop;
	struct cs_watch *signals;
	struct cs_timer *timer;
	struct cs_timer *renew_timer;
	/* Of what is renewed (cli/renew.h): is a HOUSE_CERT awaited for the
	   one at hand, which is next, has one failed since the first. */
	bool renewing, renew_failed;
	size_t renew_next;
	sigset_t old_mask;
	int signal_fd;
	enum cs_house_phase phase;
	size_t stop_stage;
	int status;
	struct cs_error why; /* of a status that is not 0 */
	struct cs_house_pair front_ledger, front_reader, ledger_reader,
		ledger_signer[CS_MAX_SIGNERS];
	struct cs_rooms_listen listens[2 * CS_MAX_CONFIG_LIST + 1];
	/* Of TCP, those with TLS first. */
	char addresses[2 * CS_MAX_CONFIG_LIST][CS_LISTEN_TEXT];
	size_t n_addresses, n_tls_addresses;
	bool local_bound;
	unsigned n_workers;
	int64_t deaths[CS_MAX_WORKER_DEATHS]; /* of workers, boot ms, a ring */
	size_t n_deaths;
	struct cs_house_proc
		proc[CS_HOUSE_FIXED_ROOMS + CS_MAX_SIGNERS + CS_MAX_WORKERS];
	size_t n_procs;
};

static inline void cs_house_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* -- house_end.c -------------------------------------------------------- */

const char *cs_house_room_name(enum cs_room room);

/* The running child of a room that has one, or NULL. */
struct cs_house_proc *cs_house_find(struct cs_house *h, enum cs_room room);

/* Kill what still lives, and end the loop with this status. */
void cs_house_end(struct cs_house *h, int status);

/* The same with CS_EXIT_AGAIN; h->why says why. */
void cs_house_fail(struct cs_house *h);

/* Stop room by room, then end with this status. */
void cs_house_stop(struct cs_house *h, int status);

/* A child has died of it: is it the next stage's turn? */
void cs_house_stop_on(struct cs_house *h);

/* A timer's: too slow, to start (`init`) or to stop. */
void cs_house_too_slow(void *ctx);

/* -- house_start.c ------------------------------------------------------ */

/*
 * Bind the TCP addresses, with and without TLS; make the links; fork signer
 * and ledger. The others follow as rooms become ready.
 */
bool cs_house_open(struct cs_house *h, struct cs_error *err) CS_MUST_USE;

/* Fork a worker, or one in the place of a dead one. */
bool cs_house_start_worker(struct cs_house *h, unsigned number,
			   struct cs_error *err) CS_MUST_USE;

/* -- house_files.c ------------------------------------------------------ */

/* POLICY_FILES to front: the directory as it is now, or why it is not. */
bool cs_house_send_policies(struct cs_house *h, struct cs_link *front,
			    uint64_t ticket, struct cs_error *err) CS_MUST_USE;

/* HOUSE_CSR to front, and what came of it (`init`, renewal). */
bool cs_house_send_csr(struct cs_link *front, const struct cs_renew *r,
		       struct cs_span csr, struct cs_error *err) CS_MUST_USE;
bool cs_house_take_cert(struct cs_house *h, struct cs_link *front,
			struct cs_span body, struct cs_error *err) CS_MUST_USE;

/* SIGHUP: read again what can be, and hand it on. */
void cs_house_reload(struct cs_house *h);

/* A timer's: which of the house's own certificates is to be renewed? */
void cs_house_renew(void *ctx);

#endif
