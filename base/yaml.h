/*
 * A strict subset of YAML 1.2 (and so JSON), read into a tree that knows
 * where everything stood: policies and the configuration are made of it.
 *
 * Refused, with file, line and column: anchors, aliases, tags, merge keys,
 * directives, duplicate keys, keys that are not scalars, more than
 * CS_MAX_YAML_NODES or CS_MAX_YAML_DEPTH; plain scalars that other readers
 * would take for something else (yes, no, on, off, y, n, ~, octal 0777 and
 * 0o777, hexadecimal, exponents, floats); and, with the hint "quote this",
 * plain scalars that start with `*`, `!`, `&`, `%`, `@` or a backquote.
 *
 * A plain scalar is null (null or empty), true, false, an integer of int64,
 * or text; a quoted or block scalar is always text. A tree borrows nothing:
 * everything lives in the arena.
 */
#ifndef CS_BASE_YAML_H
#define CS_BASE_YAML_H

#include <jansson.h>

#include "base/arena.h"
#include "base/error.h"

enum cs_yaml_kind {
	CS_YAML_NULL,
	CS_YAML_BOOL,
	CS_YAML_INT,
	CS_YAML_TEXT,
	CS_YAML_LIST,
	CS_YAML_MAP
};

struct cs_yaml {
	enum cs_yaml_kind kind;
	unsigned line, column; /* from 1 */
	bool boolean;
	int64_t integer;
	struct cs_span text;   /* TEXT: its value; others: as written */
	struct cs_yaml *child; /* first of LIST or MAP */
	struct cs_yaml *next;  /* sibling */
	struct cs_span key;    /* of a MAP's child */
	unsigned key_line, key_column;
	size_t n; /* children */
};

/*
 * All documents of one file, as siblings by `next`. `file` names it in
 * sentences: "web.yaml:14:3: ...". NULL on error.
 */
struct cs_yaml *cs_yaml_parse(struct cs_span text, const char *file,
			      struct cs_arena *arena,
			      struct cs_error *err) CS_MUST_USE;

/* A map's child by name, or NULL. */
const struct cs_yaml *cs_yaml_get(const struct cs_yaml *map, const char *key);

const char *cs_yaml_kind_name(enum cs_yaml_kind kind);

/* The tree as a JSON value (new reference), or NULL: no memory. */
json_t *cs_yaml_to_json(const struct cs_yaml *node) CS_MUST_USE;

#endif
