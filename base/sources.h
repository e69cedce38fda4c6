/*
 * A list of sources: what files were called and what stood in them, as read.
 * Policy sets travel in this form (POLICY_FILES, CHECK, APPLY, SET), are
 * stored in it, and are loaded from it (policy/engine.h), so that a rule's
 * place, "web.yaml:14", can still be shown from the stored bytes.
 *
 * Encoding, with base/wire.h: u32 count, then for each source its name and
 * its bytes, each behind a u32 length. The order is kept; it has no meaning.
 *
 * Plain values. A decoded list borrows names and bytes from the encoding;
 * only the array lives in the arena. Not checked here: what the bytes mean.
 */
#ifndef CS_BASE_SOURCES_H
#define CS_BASE_SOURCES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

struct cs_source {
	struct cs_span name;  /* UTF-8, as shown in places; without NUL */
	struct cs_span bytes; /* at most CS_MAX_POLICY_FILE */
};

struct cs_sources {
	struct cs_source *items;
	size_t n;
};

/*
 * Is this a name that can stand in "NAME:14:3: sentence", and in the log? 1 to
 * CS_MAX_SOURCE_NAME bytes of UTF-8 without control characters.
 */
bool cs_source_name_is_usable(struct cs_span name);

/* Append the encoding; the buffer's sticky error tells of no room. */
void cs_sources_encode(const struct cs_sources *sources, struct cs_buf *out);

/*
 * Read an encoding. CS_E_PROTOCOL when it is malformed; CS_E_TOO_LARGE beyond
 * CS_MAX_POLICY_FILES, CS_MAX_POLICY_FILE or CS_MAX_POLICY_SET; CS_E_FORMAT
 * for a name that is not usable or stands there twice; CS_E_NO_MEMORY.
 */
bool cs_sources_decode(struct cs_span encoded, struct cs_arena *arena,
		       struct cs_sources *ret_sources,
		       struct cs_error *err) CS_MUST_USE;

#endif
