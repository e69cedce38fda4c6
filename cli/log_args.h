/*
 * What commands about the log are told by words and files: an entry's index,
 * and the public key that its checkpoints are signed with.
 *
 * Not checked here: whether the log has such an entry, and whether the key is
 * the one that somebody else keeps (docs/audit.md).
 */
#ifndef CS_CLI_LOG_ARGS_H
#define CS_CLI_LOG_ARGS_H

#include <stdint.h>

#include "base/error.h"
#include "store/note.h"

/* The name of the log's public key in an installation or a backup. */
#define CS_LOG_KEY_FILE "log.pub"

/* An index; CS_E_USAGE. */
bool cs_log_index_parse(const char *text, int64_t *ret_index,
			struct cs_error *err) CS_MUST_USE;

/* The key that stands in dir/file. CS_E_NOT_FOUND: there is no such file. */
bool cs_log_key_read(const char *dir, const char *file,
		     struct cs_note_verifier *ret_key,
		     struct cs_error *err) CS_MUST_USE;

#endif
