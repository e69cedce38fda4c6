/*
 * Where an installation lies: whether a server may run there.
 */
#ifndef CS_CLI_PLACE_H
#define CS_CLI_PLACE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"

/* What a file system is good for, by the number that statfs(2) gives. */
enum cs_place_kind {
	CS_PLACE_DISK,	  /* as far as we know */
	CS_PLACE_MEMORY,  /* lost at the next boot */
	CS_PLACE_NETWORK, /* its locks and syncs are not those of a disk */
};

enum cs_place_kind cs_place_kind(int64_t statfs_type);

/*
 * Refuse a directory of another user, one that others may list or write, and
 * a network's file system (CS_E_PERMISSION, CS_E_CONFIG). What is in memory
 * only is told to the log.
 */
bool cs_place_check(const char *dir, struct cs_log *log,
		    struct cs_error *err) CS_MUST_USE;

#endif
