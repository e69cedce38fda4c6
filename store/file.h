/*
 * Files that must survive a power cut: written beside their place, synced,
 * renamed into it, and the folder synced. A reader sees the old bytes or the
 * new ones, never a mixture.
 */
#ifndef CS_STORE_FILE_H
#define CS_STORE_FILE_H

#include "base/buf.h"

/* Replace path (mode 0644 or less by `mode`) with these bytes. */
bool cs_file_replace(const char *path, unsigned mode, struct cs_span bytes,
		     struct cs_error *err) CS_MUST_USE;

/* Sync the folder that path stands in. */
bool cs_file_sync_folder(const char *path, struct cs_error *err) CS_MUST_USE;

/* Append all of a file, at most the buffer's maximum. CS_E_NOT_FOUND. */
bool cs_file_read(const char *path, struct cs_buf *out,
		  struct cs_error *err) CS_MUST_USE;

#endif
