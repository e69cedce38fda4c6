/*
 * Reading a request's JSON strictly: an object whose every field is known,
 * of its one type, and within its bounds; anything else is a problem (400)
 * that names the field and shows the value.
 *
 * Jansson parses (duplicate names and trailing text are refused there); the
 * functions here look at one field each. They return false with *p set.
 * Strings are valid UTF-8 without NUL (Jansson), and here also without
 * control characters unless the field may have several lines.
 *
 * Everything borrowed lives as long as the document.
 */
#ifndef CS_API_BODY_H
#define CS_API_BODY_H

#include <jansson.h>

#include "api/problem.h"

/* Where in the document: the prefix of a field's name in sentences. */
struct cs_body {
	json_t *object;	  /* borrowed */
	const char *path; /* "" or "requester." or "conditions[1]." */
	struct cs_problem *p;
};

enum cs_body_text {
	CS_BODY_LINE, /* no control characters */
	CS_BODY_LINES /* but line ends and tabs may stand */
};

enum cs_tristate {
	CS_UNSTATED,
	CS_FALSE,
	CS_TRUE
};

/* The document, an object; NULL: BAD_JSON. The caller releases it. */
json_t *cs_body_parse(struct cs_span text, struct cs_problem *p) CS_MUST_USE;

/* Is every field in the NULL-terminated list? */
bool cs_body_known(const struct cs_body *b,
		   const char *const *fields) CS_MUST_USE;

/* Is the field there? null counts as absent nowhere: it is a wrong type. */
bool cs_body_has(const struct cs_body *b, const char *field);

/* An optional string of 1 to max bytes; absent: p is NULL. */
bool cs_body_get_text(const struct cs_body *b, const char *field,
		      enum cs_body_text kind, size_t max,
		      struct cs_span *ret_text) CS_MUST_USE;

bool cs_body_get_bool(const struct cs_body *b, const char *field,
		      enum cs_tristate *ret_value) CS_MUST_USE;

/* An optional object or array of at most max members; absent: NULL. */
bool cs_body_get_object(const struct cs_body *b, const char *field, size_t max,
			json_t **ret_object) CS_MUST_USE;
bool cs_body_get_array(const struct cs_body *b, const char *field, size_t max,
		       json_t **ret_array) CS_MUST_USE;

/* An optional array of strings of 1 to max_bytes, no control characters. */
bool cs_body_get_strings(const struct cs_body *b, const char *field, size_t max,
			 size_t max_bytes, json_t **ret_array) CS_MUST_USE;

/* An optional object whose values are strings of 0 to max_bytes. */
bool cs_body_get_string_map(const struct cs_body *b, const char *field,
			    size_t max, size_t max_bytes,
			    json_t **ret_object) CS_MUST_USE;

/* Refuse a field with BAD_FIELD and a sentence about it. */
bool cs_body_refuse(const struct cs_body *b, const char *field, const char *fmt,
		    ...) CS_PRINTF(3, 4);

/* The string value of a Jansson string, borrowed. */
struct cs_span cs_body_string(const json_t *string);

/* No C0 control, DEL or C1 control in it (but line ends, if they may)? */
bool cs_body_is_clean(struct cs_span text, enum cs_body_text kind);

#endif
