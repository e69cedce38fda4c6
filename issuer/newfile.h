/*
 * Files that must not have been there before: keys and certificates of a new
 * installation. Written whole, synced, and their directory too, so that a
 * crash leaves either nothing or all of it under the name.
 */
#ifndef CS_ISSUER_NEWFILE_H
#define CS_ISSUER_NEWFILE_H

#include <sys/types.h>

#include "base/error.h"
#include "base/span.h"

/*
 * Create path with exactly this mode. CS_E_EXISTS: it is there already;
 * CS_E_IO otherwise.
 */
bool cs_newfile_write(const char *path, mode_t mode, struct cs_span bytes,
		      struct cs_error *err) CS_MUST_USE;

#endif
