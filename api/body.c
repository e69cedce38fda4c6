#include "api/body.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/json.h"

/* Octets of the known names that a refusal shows. */
#define MAX_NAMES_SHOWN 256

/* Bytes of a value that a sentence shows. */
#define SHOWN 80

json_t *cs_body_parse(struct cs_span text, struct cs_problem *p)
{
	struct cs_error err;
	json_t *root = cs_json_parse(text, "body", &err);

	if (root == NULL) {
		cs_problem_set(p,
			       err.code == CS_E_NO_MEMORY ? CS_PROBLEM_BUSY
							  : CS_PROBLEM_BAD_JSON,
			       "", "%s", err.text);
		return NULL;
	}
	if (!json_is_object(root)) {
		cs_problem_set(p, CS_PROBLEM_BAD_JSON, "",
			       "body: a JSON object is needed");
		json_decref(root);
		return NULL;
	}
	return root;
}

/* "requester.groups": the field with where it stands. */
static void full_name(const struct cs_body *b, const char *field, char *out,
		      size_t size)
{
	(void)snprintf(out, size, "%s%s", b->path, field);
}

bool cs_body_refuse(const struct cs_body *b, const char *field, const char *fmt,
		    ...)
{
	char name[sizeof(b->p->field)];
	char text[CS_ERROR_MAX];
	va_list ap;

	full_name(b, field, name, sizeof(name));
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cs_problem_set(b->p, CS_PROBLEM_BAD_FIELD, name, "%s: %s", name,
			      text);
}

/* What a value of the wrong type is, for a sentence. */
static const char *type_name(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		return "null";
	}
	return "something else";
}

/* Refuse a value for its type, showing it when it is short. */
static bool wrong_type(const struct cs_body *b, const char *field,
		       const json_t *v, const char *wanted)
{
	char text[SHOWN];
	size_t n = json_dumpb(v, text, sizeof(text),
			      JSON_COMPACT | JSON_ENCODE_ANY);

	if (n == 0 || n > sizeof(text))
		return cs_body_refuse(b, field, "%s stands where %s is needed",
				      type_name(v), wanted);
	return cs_body_refuse(b, field, "%s (%.*s) stands where %s is needed",
			      type_name(v), (int)n, text, wanted);
}

/* "a, b, c" of a NULL-terminated list; cut where there is no more room. */
static void list_names(const char *const *fields, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; fields[i] != NULL && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s",
				      i == 0 ? "" : ", ", fields[i]);
}

bool cs_body_known(const struct cs_body *b, const char *const *fields)
{
	const char *key;
	json_t *value;

	json_object_foreach(b->object, key, value)
	{
		char name[sizeof(b->p->field)];
		char names[MAX_NAMES_SHOWN];
		size_t i = 0;

		(void)value;
		while (fields[i] != NULL && strcmp(fields[i], key) != 0)
			i++;
		if (fields[i] != NULL)
			continue;
		full_name(b, key, name, sizeof(name));
		list_names(fields, names, sizeof(names));
		return cs_problem_set(b->p, CS_PROBLEM_UNKNOWN_FIELD, name,
				      "%s: there is no such field; known are"
				      " %s",
				      name, names);
	}
	return true;
}

bool cs_body_has(const struct cs_body *b, const char *field)
{
	return json_object_get(b->object, field) != NULL;
}

struct cs_span cs_body_string(const json_t *string)
{
	return cs_span_make(json_string_value(string),
			    json_string_length(string));
}

bool cs_body_is_clean(struct cs_span text, enum cs_body_text kind)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (kind == CS_BODY_LINES &&
		    (c == '\n' || c == '\r' || c == '\t'))
			continue;
		if (c < 0x20 || c == 0x7f)
			return false;
		/* C1: U+0080 to U+009F. */
		if (c == 0xc2 && i + 1 < text.n && text.p[i + 1] < 0xa0)
			return false;
	}
	return true;
}

/* A string value: its type, its length, its characters. */
static bool check_string(const struct cs_body *b, const char *field,
			 const json_t *v, enum cs_body_text kind, size_t min,
			 size_t max)
{
	struct cs_span text;

	if (!json_is_string(v))
		return wrong_type(b, field, v, "a string");
	text = cs_body_string(v);
	if (text.n < min)
		return cs_body_refuse(b, field, "an empty string (\"\")");
	if (text.n > max)
		return cs_body_refuse(b, field, "%zu bytes; the maximum is %zu",
				      text.n, max);
	if (!cs_body_is_clean(text, kind))
		return cs_body_refuse(
			b, field, "a control character in \"%.*s\"",
			CS_SPAN_FMT(cs_codec_utf8_cut(text, SHOWN)));
	return true;
}

bool cs_body_get_text(const struct cs_body *b, const char *field,
		      enum cs_body_text kind, size_t max,
		      struct cs_span *ret_text)
{
	json_t *v = json_object_get(b->object, field);

	if (v == NULL) {
		*ret_text = (struct cs_span){0};
		return true;
	}
	if (!check_string(b, field, v, kind, 1, max))
		return false;
	*ret_text = cs_body_string(v);
	return true;
}

bool cs_body_get_bool(const struct cs_body *b, const char *field,
		      enum cs_tristate *ret_value)
{
	json_t *v = json_object_get(b->object, field);

	if (v != NULL && !json_is_boolean(v))
		return wrong_type(b, field, v, "true or false");
	*ret_value = v == NULL ? CS_UNSTATED
			       : (json_is_true(v) ? CS_TRUE : CS_FALSE);
	return true;
}

bool cs_body_get_object(const struct cs_body *b, const char *field, size_t max,
			json_t **ret_object)
{
	json_t *v = json_object_get(b->object, field);

	if (v != NULL && !json_is_object(v))
		return wrong_type(b, field, v, "an object");
	if (json_object_size(v) > max)
		return cs_body_refuse(b, field,
				      "%zu members; the maximum is %zu",
				      json_object_size(v), max);
	*ret_object = v;
	return true;
}

bool cs_body_get_array(const struct cs_body *b, const char *field, size_t max,
		       json_t **ret_array)
{
	json_t *v = json_object_get(b->object, field);

	if (v != NULL && !json_is_array(v))
		return wrong_type(b, field, v, "an array");
	if (json_array_size(v) > max)
		return cs_body_refuse(b, field, "%zu items; the maximum is %zu",
				      json_array_size(v), max);
	*ret_array = v;
	return true;
}

bool cs_body_get_strings(const struct cs_body *b, const char *field, size_t max,
			 size_t max_bytes, json_t **ret_array)
{
	json_t *array = NULL;

	if (!cs_body_get_array(b, field, max, &array))
		return false;
	for (size_t i = 0; i < json_array_size(array); i++) {
		char name[sizeof(b->p->field)];

		(void)snprintf(name, sizeof(name), "%s[%zu]", field, i);
		if (!check_string(b, name, json_array_get(array, i),
				  CS_BODY_LINE, 1, max_bytes))
			return false;
	}
	*ret_array = array;
	return true;
}

bool cs_body_get_string_map(const struct cs_body *b, const char *field,
			    size_t max, size_t max_bytes, json_t **ret_object)
{
	json_t *object;
	const char *key;
	json_t *value;

	if (!cs_body_get_object(b, field, max, &object))
		return false;
	json_object_foreach(object, key, value)
	{
		char name[sizeof(b->p->field)];
		struct cs_span k = cs_span_str(key);

		(void)snprintf(name, sizeof(name), "%s[\"%s\"]", field, key);
		if (k.n == 0 || k.n > max_bytes ||
		    !cs_body_is_clean(k, CS_BODY_LINE))
			return cs_body_refuse(
				b, field,
				"a name of 1 to %zu bytes"
				" without control characters"
				" is needed, not \"%.*s\"",
				max_bytes,
				CS_SPAN_FMT(cs_codec_utf8_cut(k, SHOWN)));
		if (!check_string(b, name, value, CS_BODY_LINE, 0, max_bytes))
			return false;
	}
	*ret_object = object;
	return true;
}
