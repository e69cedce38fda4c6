/*
 * A database that nobody writes just now: a copy (backup, restore), or the
 * file of a stopped server.
 *
 * What is checked is the file itself (SQLite's own integrity check, foreign
 * keys) and then what it says (store/verify.h). All of it is read, so it
 * takes as long as reading takes.
 */
#ifndef CS_STORE_COPY_H
#define CS_STORE_COPY_H

#include "store/verify.h"

/*
 * Make one plain file of a copy: what it is read with leaves no -wal and no
 * -shm beside it, also where nothing may be written. The ledger turns it into
 * a WAL database again when it opens it.
 */
bool cs_copy_settle(const char *path, struct cs_error *err) CS_MUST_USE;

/*
 * Are pages, indexes and foreign keys as they must be? CS_E_DB_CORRUPT with
 * SQLite's first sentence when they are not.
 */
bool cs_copy_check_file(struct cs_db *db, struct cs_error *err) CS_MUST_USE;

struct cs_copy_check {
	const char *path;
	/* NULL: the key in meta. */
	const struct cs_note_verifier *verifier;
	struct cs_span note; /* the checkpoint kept with it; empty: none */
};

/* Both checks; CS_E_VERIFY with the first contradiction, if there is one. */
bool cs_copy_check(const struct cs_copy_check *config,
		   struct cs_verify_report *ret_report,
		   struct cs_error *err) CS_MUST_USE;

/* Leaves of its log. */
bool cs_copy_size(const char *path, uint64_t *ret_tree_size,
		  struct cs_error *err) CS_MUST_USE;

#endif
