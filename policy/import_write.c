/*
 * A draft as YAML: sections and fields as blocks, what is below them in one
 * line where it fits. Every text that is not a plain word is quoted, with
 * JSON's escapes, which YAML knows too.
 */
#include <string.h>

#include "base/text.h"
#include "policy/import_parts.h"
#include "policy/name.h"

/* Columns of a line that is not one long text. */
#define WIDTH 78
/* Levels of a value in one line. */
#define FLOW_DEPTH 8
/* Lists longer than this have an item a line. */
#define FLOW_ITEMS 12

/* Sections in the order in which people read them. */
static const char *const sections[] = {"mode",	   "priority",	 "match",
				       "subject",  "san",	 "key",
				       "validity", "extensions", NULL};

/* Words that a reader of YAML takes for something else than text. */
static bool is_reserved(struct cs_span s)
{
	static const char *const words[] = {"true", "false", "null", "yes",
					    "no",   "on",    "off",  "y",
					    "n",    NULL};

	for (const char *const *w = words; *w != NULL; w++) {
		if (cs_span_equal_icase(s, cs_span_str(*w)))
			return true;
	}
	return false;
}

/* May it stand without quotes? */
static bool is_plain(struct cs_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool inside = (c >= '0' && c <= '9') || c == '-' || c == '_' ||
			      c == '.' || c == ' ';

		if (!letter && (i == 0 || !inside))
			return false;
	}
	return s.n > 0 && s.p[s.n - 1] != ' ' && !is_reserved(s);
}

/* 90d, 1.2.3 and the like: digits first, but no number. */
static bool is_plain_duration(struct cs_span s)
{
	bool unit = false;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		unit = c == 'd' || c == 'h' || c == 'm' || c == 's';
		if (!unit && !(c >= '0' && c <= '9'))
			return false;
	}
	return unit && s.p[0] >= '0' && s.p[0] <= '9';
}

static void put_text(struct cs_buf *b, struct cs_span s)
{
	bool escape = cs_name_has_control(s);

	if (is_plain(s) || is_plain_duration(s)) {
		cs_buf_add(b, s);
		return;
	}
	cs_buf_add_byte(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c == '"' || c == '\\')
			cs_buf_add_byte(b, '\\');
		/* What is never issued is left out before; this is a net. */
		if (c < 0x20 || c == 0x7f || (c >= 0x80 && escape))
			cs_buf_addf(b, "\\x%02x", c);
		else
			cs_buf_add_byte(b, c);
	}
	cs_buf_add_byte(b, '"');
}

/* A value that is neither a list nor a map. */
static void put_scalar(struct cs_buf *b, const json_t *v)
{
	if (json_is_string(v))
		put_text(b, cs_span_make(json_string_value(v),
					 json_string_length(v)));
	else if (json_is_integer(v))
		cs_buf_addf(b, "%lld", (long long)json_integer_value(v));
	else
		cs_buf_add_str(b, json_is_true(v) ? "true" : "false");
}

static void put_key(struct cs_buf *b, const char *key)
{
	put_text(b, cs_span_str(key));
	cs_buf_add_str(b, ": ");
}

/* A list or map on its way into a line. */
struct level {
	json_t *of;
	void *iter; /* of a map */
	size_t at;  /* of a list */
	bool any;
};

/* The level's next value, its key and the comma before it; NULL: the end. */
static json_t *next_value(struct level *l, struct cs_buf *b)
{
	json_t *v = NULL;
	const char *key = NULL;

	if (json_is_array(l->of)) {
		v = json_array_get(l->of, l->at++);
	} else {
		l->iter = l->any ? json_object_iter_next(l->of, l->iter)
				 : json_object_iter(l->of);
		if (l->iter != NULL) {
			key = json_object_iter_key(l->iter);
			v = json_object_iter_value(l->iter);
		}
	}
	if (v != NULL && l->any)
		cs_buf_add_str(b, ", ");
	if (v != NULL && key != NULL)
		put_key(b, key);
	l->any = l->any || v != NULL;
	return v;
}

/* A value in one line: [a, {b: c}]. */
static void put_flow(struct cs_buf *b, json_t *value)
{
	struct level level[FLOW_DEPTH];
	size_t depth = 0;
	json_t *v = value;

	for (;;) {
		if (v != NULL && (json_is_array(v) || json_is_object(v)) &&
		    depth < FLOW_DEPTH) {
			cs_buf_add_byte(b, json_is_array(v) ? '[' : '{');
			level[depth++] = (struct level){.of = v};
		} else if (v != NULL) {
			put_scalar(b, v);
		} else {
			depth--;
			cs_buf_add_byte(
				b, json_is_array(level[depth].of) ? ']' : '}');
		}
		if (depth == 0)
			return;
		v = next_value(&level[depth - 1], b);
	}
}

/* Does the value go behind its key, from column `from` on? */
static bool fits(struct cs_buf *out, json_t *value, size_t from)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, CS_MAX_POLICY_FILE);
	if (!json_is_array(value) && !json_is_object(value))
		return true;
	if (json_array_size(value) > FLOW_ITEMS)
		return false;
	put_flow(&b, value);
	if (!cs_buf_ok(&b))
		out->failed = out->no_memory = b.no_memory;
	return cs_buf_ok(&b) && from + b.n <= WIDTH;
}

static void put_indent(struct cs_buf *b, size_t n)
{
	while (n-- > 0)
		cs_buf_add_byte(b, ' ');
}

/* A list, an item a line. */
static void put_items(struct cs_buf *b, json_t *list, size_t indent)
{
	json_t *item;
	size_t k;

	json_array_foreach(list, k, item)
	{
		put_indent(b, indent);
		cs_buf_add_str(b, "- ");
		put_flow(b, item);
		cs_buf_add_byte(b, '\n');
	}
}

/* `KEY: value` in one line; false: it does not fit, only `KEY:` was put. */
static bool put_line(struct cs_buf *b, const char *key, json_t *value,
		     size_t indent)
{
	put_indent(b, indent);
	put_text(b, cs_span_str(key));
	cs_buf_add_byte(b, ':');
	if (!fits(b, value, indent + strlen(key) + 4)) {
		cs_buf_add_byte(b, '\n');
		return false;
	}
	cs_buf_add_byte(b, ' ');
	put_flow(b, value);
	cs_buf_add_byte(b, '\n');
	return true;
}

/* A field of a section: a line, or its parts, a line or a list each. */
static void put_field(struct cs_buf *b, const char *key, json_t *field)
{
	const char *name;
	json_t *part;

	if (put_line(b, key, field, 4))
		return;
	if (json_is_array(field)) {
		put_items(b, field, 6);
		return;
	}
	json_object_foreach(field, name, part)
	{
		if (put_line(b, name, part, 6))
			continue;
		if (json_is_array(part)) {
			put_items(b, part, 8);
			continue;
		}
		put_indent(b, 8);
		put_flow(b, part);
		cs_buf_add_byte(b, '\n');
	}
}

static void put_section(struct cs_buf *b, const char *name, json_t *section)
{
	const char *key;
	json_t *field;

	if (put_line(b, name, section, 2))
		return;
	json_object_foreach(section, key, field) put_field(b, key, field);
}

/* Has it an end that is in the past? */
static bool is_past(const struct cs_draft *d)
{
	return json_object_get(json_object_get(d->spec, "match"), "until") !=
	       NULL;
}

/*
 * It must not decide: in shadow, of which a set may have only so many; those
 * beyond are over before they begin.
 */
static void stop(struct cs_importing *i, struct cs_draft *d)
{
	i->draft = d;
	if (++i->shadows_n > CS_MAX_POLICY_SHADOWS)
		cs_import_set(i, cs_import_section(i, "match"), "until",
			      json_string("2000-01-01"));
	else
		cs_import_set(i, d->spec, "mode", json_string("shadow"));
	i->draft = NULL;
}

/* The lines that somebody who reads the document has to know of. */
static void put_comments(struct cs_buf *b, const struct cs_draft *d)
{
	cs_buf_add_str(b, "# Translated from ");
	cs_text_put(b, d->policy->source);
	cs_buf_addf(b, ":%u by `countersign policy import`.\n",
		    d->policy->line);
	for (const struct cs_import_line *l = d->policy->lines; l != NULL;
	     l = l->next) {
		if (l->grade < CS_IMPORT_NARROWER)
			continue;
		cs_buf_addf(b, "# %s: ", cs_import_grade_name(l->grade));
		cs_text_put(b, l->field);
		cs_buf_addf(b, " (line %u): ", l->line);
		cs_text_put(b, l->text);
		cs_buf_add_byte(b, '\n');
	}
	if (d->shadow && !is_past(d))
		cs_buf_add_str(b, "# In shadow: it decides nothing until "
				  "`mode` is taken out.\n");
	if (is_past(d))
		cs_buf_add_str(b, "# Over: it decides nothing until "
				  "`match.until` is taken out.\n");
}

void cs_import_write(struct cs_importing *i, struct cs_draft *d)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	if (d->shadow)
		stop(i, d);
	cs_buf_init(&b, CS_MAX_POLICY_FILE);
	put_comments(&b, d);
	cs_buf_add_str(&b, "apiVersion: countersign.dev/v1\n"
			   "kind: IssuancePolicy\n"
			   "metadata: {name: ");
	put_text(&b, d->policy->name);
	cs_buf_add_str(&b, "}\nspec:\n");
	for (const char *const *s = sections; *s != NULL; s++) {
		json_t *section = json_object_get(d->spec, *s);

		if (section != NULL && !(json_is_object(section) &&
					 json_object_size(section) == 0))
			put_section(&b, *s, section);
	}
	if (!cs_buf_ok(&b) ||
	    !cs_arena_dup(i->arena, cs_buf_span(&b), &d->policy->text)) {
		if (b.failed && !b.no_memory) {
			i->failed = true;
			cs_error_set(i->err, CS_E_TOO_LARGE,
				     "the policy `%.*s` becomes larger than a "
				     "policy file may be",
				     CS_SPAN_FMT(d->policy->name));
		} else {
			i->no_memory = true;
		}
	}
}
