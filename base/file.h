/*
 * Whole files, and files that must survive a power cut: these are written
 * beside their place, synced, renamed into it, and the folder synced, so that
 * a reader sees the old octets or the new ones, never a mixture.
 *
 * What is read is bounded by the buffer that it goes into; an error names the
 * file and that limit. What is secret is not read here (base/secret.h): a
 * buffer is ordinary memory.
 *
 * What is not checked here: whose a file is, and who else may read it.
 */
#ifndef CS_BASE_FILE_H
#define CS_BASE_FILE_H

#include "base/buf.h"

/*
 * Append all of a file that is no symbolic link. CS_E_NOT_FOUND, CS_E_IO;
 * CS_E_TOO_LARGE or CS_E_NO_MEMORY of the buffer.
 */
bool cs_file_read(const char *path, struct cs_buf *out,
		  struct cs_error *err) CS_MUST_USE;

/* Replace path (mode 0644 or less by `mode`) with these bytes. */
bool cs_file_replace(const char *path, unsigned mode, struct cs_span bytes,
		     struct cs_error *err) CS_MUST_USE;

/* Sync the folder that path stands in. */
bool cs_file_sync_folder(const char *path, struct cs_error *err) CS_MUST_USE;

#endif
