/*
 * Policy sources on disk: DIR/policies, or whatever a person names for
 * `policy check`, as the list that travels and is stored (base/sources.h).
 *
 * Of a directory, the files whose names end in .yaml, .yml or .json are
 * taken, in the order of their names; hidden files are not. A file that is
 * named is taken whatever it is called. The names in the list are those that
 * places are shown with: "web.yaml". Bounds are those of base/limits.h.
 *
 * What is not checked here: what stands in them (policy/engine.h).
 */
#ifndef CS_CLI_POLICIES_H
#define CS_CLI_POLICIES_H

#include "base/arena.h"
#include "base/sources.h"

/* The directory's name inside an installation. */
#define CS_POLICIES_DIR "policies"

/* Read the files and directories named; everything lives in the arena. */
bool cs_policies_read(const char *const *paths, size_t n,
		      struct cs_arena *arena, struct cs_sources *ret_sources,
		      struct cs_error *err) CS_MUST_USE;

/* DIR/policies, encoded. */
bool cs_policies_read_dir(const char *dir, struct cs_buf *out,
			  struct cs_error *err) CS_MUST_USE;

#endif
