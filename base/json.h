/*
 * JSON out, in the canonical form of RFC 8785: no white space, members in
 * ascending order of their names, minimal escapes, integers only.
 *
 * A streaming writer over a struct cs_buf, whose sticky errors it shares:
 * write everything, then ask cs_json_finish(). Within an object, names must
 * be given in ascending byte order (for our names, which are ASCII, that is
 * the order of RFC 8785 3.2.3); a name out of order is a broken promise and
 * fails the writer. Strings must be valid UTF-8; others fail the writer, so
 * bytes from outside go through cs_json_text().
 *
 * Reading JSON is Jansson's; cs_json_canonical() writes what Jansson read.
 */
#ifndef CS_BASE_JSON_H
#define CS_BASE_JSON_H

#include <jansson.h>

#include "base/buf.h"

/* Nesting of one document that we write. */
#define CS_JSON_DEPTH 16
/* Nesting of one document that we read, or write as it was read. */
#define CS_JSON_READ_DEPTH 32

struct cs_json {
	struct cs_buf *out; /* borrowed */
	unsigned depth;
	bool began; /* the one value of the document */
	bool failed;
	const char *why; /* the first broken promise */
	struct {
		bool object;
		bool any;	/* something was written at this level */
		size_t name_at; /* the last name, as an offset in out; or 0 */
		size_t name_n;
	} level[CS_JSON_DEPTH];
	bool after_name;
};

void cs_json_begin(struct cs_json *j, struct cs_buf *out);

void cs_json_object(struct cs_json *j); /* { ... until cs_json_end */
void cs_json_array(struct cs_json *j);	/* [ ... until cs_json_end */
void cs_json_end(struct cs_json *j);

/* The name of the next member. */
void cs_json_name(struct cs_json *j, const char *name);

void cs_json_string(struct cs_json *j, struct cs_span utf8);
void cs_json_str(struct cs_json *j, const char *utf8);
/* Any bytes: what is not UTF-8 or is a control (C0, C1) becomes U+FFFD. */
void cs_json_text(struct cs_json *j, struct cs_span bytes);
void cs_json_hex(struct cs_json *j, struct cs_span bytes);
/* |v| must stay below 2^53, RFC 8785 3.2.2.3. */
void cs_json_int(struct cs_json *j, int64_t v);
void cs_json_bool(struct cs_json *j, bool v);
void cs_json_null(struct cs_json *j);
/* RFC 3339 UTC with milliseconds, as a string. */
void cs_json_time_ms(struct cs_json *j, int64_t wall_ms);
/* One value that is canonical JSON already. */
void cs_json_raw(struct cs_json *j, struct cs_span value);
/*
 * The members of an object that is canonical JSON already, spliced into the
 * object being written; the caller answers for their order, also against the
 * names before and behind them.
 */
void cs_json_members(struct cs_json *j, struct cs_span object);

/* Name and value in one, for the commonest members. */
void cs_json_member_span(struct cs_json *j, const char *name,
			 struct cs_span utf8);
void cs_json_member_str(struct cs_json *j, const char *name, const char *utf8);
void cs_json_member_int(struct cs_json *j, const char *name, int64_t v);
void cs_json_member_hex(struct cs_json *j, const char *name,
			struct cs_span bytes);

/* Everything written, every level ended? `what` names the document. */
bool cs_json_finish(const struct cs_json *j, const char *what,
		    struct cs_error *err) CS_MUST_USE;

/*
 * Append a Jansson value in canonical form, members in order of their UTF-16
 * code units (RFC 8785 3.2.3). Refused (CS_E_FORMAT): reals, which nothing of
 * ours uses; integers from 2^53 on; more than CS_JSON_READ_DEPTH levels. The
 * buffer's own failures are reported too. On failure out has a part.
 */
bool cs_json_canonical(const json_t *value, struct cs_buf *out,
		       struct cs_error *err) CS_MUST_USE;

/*
 * Parse strictly (RFC 8259, any value at the top): duplicate names, numbers
 * beyond int64 or a double, trailing text, more than CS_JSON_READ_DEPTH
 * levels and NUL in strings are errors whose sentence says line and column.
 * NULL on error; the caller owns the value. Jansson's scanner may call an
 * allocation that failed a syntax error, so that CS_E_FORMAT does not rule
 * out memory.
 */
json_t *cs_json_parse(struct cs_span text, const char *what,
		      struct cs_error *err) CS_MUST_USE;

#endif
