#include "base/json.h"

/* A place in a text, for sentences. */
struct place {
	size_t line;
	size_t column;
};

/* Where offset `at` is, both counted from 1. */
static struct place place_of(struct cs_span text, size_t at)
{
	struct place place = {1, 1};

	for (size_t i = 0; i < at; i++) {
		place.column++;
		if (text.p[i] == '\n')
			place = (struct place){place.line + 1, 1};
	}
	return place;
}

/*
 * Jansson recurses, to a depth of its own that is far beyond ours, so that
 * brackets are counted before it sees the text. Whether they are the right
 * ones is its business.
 */
static bool depth_is_bounded(struct cs_span text, const char *what,
			     struct cs_error *err)
{
	bool quoted = false;
	size_t depth = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '"') {
			quoted = !quoted;
		} else if (quoted) {
			i += c == '\\';
		} else if (c == '{' || c == '[') {
			struct place at;

			if (depth++ < CS_JSON_READ_DEPTH)
				continue;
			at = place_of(text, i);
			return cs_error_set(err, CS_E_FORMAT,
					    "%s: line %zu column %zu: more "
					    "than %d levels",
					    what, at.line, at.column,
					    CS_JSON_READ_DEPTH);
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return true;
}

json_t *cs_json_parse(struct cs_span text, const char *what,
		      struct cs_error *err)
{
	json_error_t error;
	json_t *v;

	if (!depth_is_bounded(text, what, err))
		return NULL;
	/* Jansson takes a NULL buffer for a wrong call. */
	v = json_loadb(text.n == 0 ? "" : (const char *)text.p, text.n,
		       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (v != NULL)
		return v;
	/* Jansson has no words when there was no memory to begin with. */
	if (json_error_code(&error) == json_error_out_of_memory ||
	    error.text[0] == '\0')
		cs_error_set(err, CS_E_NO_MEMORY, "%s: out of memory", what);
	else
		cs_error_set(err, CS_E_FORMAT, "%s: line %d column %d: %s",
			     what, error.line, error.column, error.text);
	return NULL;
}
