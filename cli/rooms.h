/*
 * Who is forked with what: one function for each room that opens the
 * secrets which this room alone may read, forks it with them and its links,
 * and closes them again. Parent never reads a key's bytes.
 *
 * The link ends that are given stay open in the caller, who closes them.
 */
#ifndef CS_CLI_ROOMS_H
#define CS_CLI_ROOMS_H

#include <sys/types.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/install.h"

/* A socket of ours: TCP with TLS, or the Unix socket. */
struct cs_rooms_listen {
	int fd;
	bool is_local; /* the Unix socket */
	bool is_plain; /* TCP without TLS */
};

/* What all rooms are made from. Borrowed. */
struct cs_rooms {
	const struct cs_install *install;
	struct cs_clock clock;
	struct cs_log *log;
	int passphrase_fd; /* of the issuers' keys; -1: none */
	const struct cs_rooms_listen *listens;
	size_t listens_n;
};

bool cs_rooms_start_signer(const struct cs_rooms *r, unsigned number,
			   int parent_fd, int ledger_fd, pid_t *ret_pid,
			   struct cs_error *err) CS_MUST_USE;

struct cs_rooms_ledger_links {
	int parent_fd, front_fd, reader_fd;
	int signer_fds[CS_MAX_SIGNERS]; /* as many as are configured */
};

bool cs_rooms_start_ledger(const struct cs_rooms *r,
			   const struct cs_rooms_ledger_links *links,
			   pid_t *ret_pid, struct cs_error *err) CS_MUST_USE;

bool cs_rooms_start_reader(const struct cs_rooms *r, int parent_fd,
			   int front_fd, int ledger_fd, pid_t *ret_pid,
			   struct cs_error *err) CS_MUST_USE;

/* With the listener's key and chain, unless there are no listening sockets. */
bool cs_rooms_start_front(const struct cs_rooms *r, int parent_fd,
			  int ledger_fd, int reader_fd, pid_t *ret_pid,
			  struct cs_error *err) CS_MUST_USE;

bool cs_rooms_start_worker(const struct cs_rooms *r, unsigned number,
			   int parent_fd, int front_fd, int ledger_fd,
			   pid_t *ret_pid, struct cs_error *err) CS_MUST_USE;

#endif
