/*
 * Files of an installation: reading, writing whole and durably, and opening
 * what is secret without ever reading it.
 *
 * Paths are `dir` and a path relative to it (an absolute one stands alone).
 * Writing is temporary file, fsync, rename, fsync of the directory, so a
 * reader sees the old bytes or the new. The opener of secrets refuses
 * symbolic links, other owners than this process's user (root's files are
 * taken too) and modes that let anybody else read.
 */
#ifndef CS_CLI_FILES_H
#define CS_CLI_FILES_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/* dir/path, or path when it is absolute. NULL: no memory. */
char *cs_files_path(struct cs_arena *arena, const char *dir,
		    const char *path) CS_MUST_USE;

/* Append the whole file to out, whose maximum bounds it. */
bool cs_files_read(const char *dir, const char *path, struct cs_buf *out,
		   struct cs_error *err) CS_MUST_USE;

/* What an option named: a file, from here, or `-` for standard input. */
bool cs_files_read_given(const char *file, struct cs_buf *out,
			 struct cs_error *err) CS_MUST_USE;

/* Replace or make the file, durably, with this mode. */
bool cs_files_write(const char *dir, const char *path, struct cs_span bytes,
		    mode_t mode, struct cs_error *err) CS_MUST_USE;

/* Replace a file that is there, durably, keeping its owner and mode. */
bool cs_files_replace(const char *dir, const char *path, struct cs_span bytes,
		      struct cs_error *err) CS_MUST_USE;

/* Open for reading, CLOEXEC. */
bool cs_files_open(const char *dir, const char *path, int *ret_fd,
		   struct cs_error *err) CS_MUST_USE;

/* The same after the checks above. */
bool cs_files_open_secret(const char *dir, const char *path, int *ret_fd,
			  struct cs_error *err) CS_MUST_USE;

/* Make dir/path with mode 0700, and its parents. Existing ones are kept. */
bool cs_files_make_dir(const char *dir, const char *path,
		       struct cs_error *err) CS_MUST_USE;

/* The folder that path stands in, likewise. */
bool cs_files_make_parent(const char *path, struct cs_error *err) CS_MUST_USE;

/* Does the directory hold nothing? A missing one is empty. */
bool cs_files_is_empty(const char *dir, bool *ret_empty,
		       struct cs_error *err) CS_MUST_USE;

/* A directory for something new; fd -1: none was taken. */
struct cs_files_taken {
	int fd;	   /* holds the lock on it */
	bool made; /* it was not there before */
};

/*
 * Take a directory for what is made in it: made with its parents if it is
 * missing, locked, empty, and for us alone from now on (0700). The caller
 * closes fd when it is done. CS_E_LOCKED: another command has it; CS_E_EXISTS:
 * it is not empty. On an error nothing in it was touched.
 */
bool cs_files_take_empty(const char *dir, struct cs_files_taken *ret,
			 struct cs_error *err) CS_MUST_USE;

/*
 * Remove everything in an open directory (borrowed), following no links: not
 * the directory itself. Without a descriptor: dir, if it is no link.
 */
void cs_files_remove_in(int fd);
void cs_files_remove_below(const char *dir);

/* The same, and the directory itself; a link in its place goes alone. */
void cs_files_remove_tree(const char *path);

#endif
