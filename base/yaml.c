#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/limits.h"
#include "base/yaml_scalar.h"

/* One open collection. */
struct level {
	struct cs_yaml *node;
	struct cs_yaml *last; /* its last child so far */
	struct cs_yaml *key;  /* a map's key that waits for its value */
	unsigned char is_list;
};

struct reader {
	yaml_parser_t parser;
	struct cs_span text;
	const char *file;
	struct cs_arena *arena;
	struct cs_error *err;
	size_t nodes;
	size_t depth;
	struct level level[CS_MAX_YAML_DEPTH];
	struct cs_yaml *first; /* document */
	struct cs_yaml *last;
};

/* "web.yaml:14:3: sentence". Returns false. */
static bool fail(struct reader *r, size_t line, size_t column,
		 const char *sentence, const char *more)
{
	return cs_error_set(r->err, CS_E_YAML, "%s:%zu:%zu: %s%s", r->file,
			    line, column, sentence, more);
}

/* The same at a mark of libyaml's, which counts from 0. */
static bool fail_at(struct reader *r, const yaml_mark_t *at,
		    const char *sentence, const char *more)
{
	return fail(r, at->line + 1, at->column + 1, sentence, more);
}

/* The sentence for an allocation that failed. */
static bool no_memory(struct reader *r)
{
	return cs_error_set(r->err, CS_E_NO_MEMORY, "%s: no memory", r->file);
}

/* The byte at a mark, whose column counts characters; 0 beyond the text. */
static uint8_t byte_at(const struct reader *r, const yaml_mark_t *at)
{
	size_t i = 0;

	for (size_t line = 0; line < at->line; line++) {
		while (i < r->text.n && r->text.p[i] != '\n')
			i++;
		i++;
	}
	for (size_t column = 0; column < at->column && i < r->text.n; i++) {
		bool next_is_tail =
			i + 1 < r->text.n && (r->text.p[i + 1] & 0xc0) == 0x80;

		column += next_is_tail ? 0 : 1;
	}
	return i < r->text.n ? r->text.p[i] : 0;
}

/* A byte that libyaml could not decode or does not allow. */
static bool fail_reading(struct reader *r)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < r->parser.problem_offset && i < r->text.n; i++) {
		column++;
		if (r->text.p[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return fail(r, line, column, r->parser.problem, "");
}

/* What libyaml's scanner or parser stumbled over, with a hint. */
static bool fail_parsing(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const yaml_mark_t *at = &p->problem_mark;
	uint8_t c;

	if (p->error == YAML_MEMORY_ERROR)
		return no_memory(r);
	if (p->error == YAML_READER_ERROR)
		return fail_reading(r);
	c = byte_at(r, at);
	if (p->context != NULL && p->error == YAML_SCANNER_ERROR &&
	    byte_at(r, &p->context_mark) != '\0' &&
	    strchr("*&!%", byte_at(r, &p->context_mark)) != NULL) {
		at = &p->context_mark;
		c = byte_at(r, at);
	}
	if (c != '\0' && strchr("*&!%@`", c) != NULL)
		return fail_at(r, at, "text that starts with a mark of YAML's",
			       "; quote this");
	if (c == '\t')
		return fail_at(r, at, "a tab", "; indent with spaces");
	if (strstr(p->problem, "mapping values are not allowed") != NULL)
		return fail_at(r, at, "`:` inside plain text",
			       "; quote this text");
	return fail_at(r, at, p->problem, "");
}

/* A new node at a mark. */
static struct cs_yaml *node_new(struct reader *r, enum cs_yaml_kind kind,
				const yaml_mark_t *at)
{
	struct cs_yaml *node;

	if (++r->nodes > CS_MAX_YAML_NODES) {
		(void)fail_at(r, at, "more nodes than a document may have", "");
		return NULL;
	}
	node = cs_arena_new(r->arena, sizeof(*node));
	if (node == NULL) {
		(void)no_memory(r);
		return NULL;
	}
	node->kind = kind;
	node->line = (unsigned)at->line + 1;
	node->column = (unsigned)at->column + 1;
	return node;
}

/* Hang a finished or opened node where it belongs. */
static void attach(struct reader *r, struct cs_yaml *node)
{
	struct level *top;

	if (r->depth == 0) {
		if (r->last == NULL)
			r->first = node;
		else
			r->last->next = node;
		r->last = node;
		return;
	}
	top = &r->level[r->depth - 1];
	if (!top->is_list) {
		node->key = top->key->text;
		node->key_line = top->key->line;
		node->key_column = top->key->column;
		top->key = NULL;
	}
	if (top->last == NULL)
		top->node->child = node;
	else
		top->last->next = node;
	top->last = node;
	top->node->n++;
}

/* Is the next scalar a map's key? */
static bool wants_key(const struct reader *r)
{
	return r->depth > 0 && !r->level[r->depth - 1].is_list &&
	       r->level[r->depth - 1].key == NULL;
}

/* A key: plain ones must read as text everywhere. */
static bool take_key(struct reader *r, struct cs_yaml *key,
		     const yaml_event_t *e)
{
	if (cs_span_equal_str(key->text, "<<"))
		return fail_at(r, &e->start_mark, "a merge key",
			       "; write the keys out");
	if (key->kind != CS_YAML_TEXT)
		return fail_at(r, &e->start_mark, "a key that is not text",
			       "; quote this");
	r->level[r->depth - 1].key = key;
	return true;
}

/* Anchors and tags, on whatever they stand. */
static bool check_marks(struct reader *r, const yaml_event_t *e,
			const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		return fail_at(r, &e->start_mark, "an anchor",
			       "; quote this if it is text");
	if (tag != NULL)
		return fail_at(r, &e->start_mark, "a tag",
			       "; quote this if it is text");
	return true;
}

/* A scalar as a key, an item, a value or a whole document. */
static bool take_scalar(struct reader *r, const yaml_event_t *e)
{
	struct cs_span value =
		cs_span_make(e->data.scalar.value, e->data.scalar.length);
	const char *other = NULL;
	struct cs_yaml *node;
	char *copy;

	if (!check_marks(r, e, e->data.scalar.anchor, e->data.scalar.tag))
		return false;
	if (cs_span_find(value, '\0', NULL))
		return fail_at(r, &e->start_mark, "a NUL in text", "");
	node = node_new(r, CS_YAML_TEXT, &e->start_mark);
	if (node == NULL)
		return false;
	/* With a NUL behind it: Jansson wants its keys so. */
	copy = cs_arena_str(r->arena, value);
	if (copy == NULL)
		return no_memory(r);
	node->text = cs_span_make(copy, value.n);
	if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		other = cs_yaml_scalar_plain(node);
	if (other != NULL)
		return cs_error_set(r->err, CS_E_YAML,
				    "%s:%u:%u: other readers take this for "
				    "%s; %squote this if it is text",
				    r->file, node->line, node->column, other,
				    strstr(other, "boolean") != NULL
					    ? "write true or false, or "
					    : "");
	if (wants_key(r))
		return take_key(r, node, e);
	attach(r, node);
	return true;
}

/* A list or map begins. */
static bool open_level(struct reader *r, const yaml_event_t *e)
{
	bool list = e->type == YAML_SEQUENCE_START_EVENT;
	struct cs_yaml *node;

	if (list ? !check_marks(r, e, e->data.sequence_start.anchor,
				e->data.sequence_start.tag)
		 : !check_marks(r, e, e->data.mapping_start.anchor,
				e->data.mapping_start.tag))
		return false;
	if (wants_key(r))
		return fail_at(r, &e->start_mark, "a key that is not a scalar",
			       "; quote this if it is text");
	if (r->depth == CS_MAX_YAML_DEPTH)
		return fail_at(r, &e->start_mark, "nested too deeply", "");
	node = node_new(r, list ? CS_YAML_LIST : CS_YAML_MAP, &e->start_mark);
	if (node == NULL)
		return false;
	attach(r, node);
	r->level[r->depth++] = (struct level){.node = node, .is_list = list};
	return true;
}

/* By key, for qsort; the later in the file counts as the greater. */
static int compare_keys(const void *a, const void *b)
{
	const struct cs_yaml *x = *(const struct cs_yaml *const *)a;
	const struct cs_yaml *y = *(const struct cs_yaml *const *)b;
	int order = cs_span_compare(x->key, y->key);

	if (order != 0)
		return order;
	if (x->key_line != y->key_line)
		return x->key_line < y->key_line ? -1 : 1;
	return x->key_column < y->key_column ? -1 : 1;
}

/* No key of a map stands there twice. */
static bool check_unique(struct reader *r, const struct cs_yaml *map)
{
	const struct cs_yaml **sorted;
	size_t n = 0;

	if (map->n < 2)
		return true;
	sorted = cs_arena_new_array(r->arena, map->n, sizeof(struct cs_yaml *));
	if (sorted == NULL)
		return no_memory(r);
	for (const struct cs_yaml *c = map->child; c != NULL; c = c->next)
		sorted[n++] = c;
	qsort(sorted, n, sizeof(struct cs_yaml *), compare_keys);
	for (size_t i = 1; i < n; i++) {
		if (!cs_span_equal(sorted[i - 1]->key, sorted[i]->key))
			continue;
		return cs_error_set(
			r->err, CS_E_YAML,
			"%s:%u:%u: the key `%.*s` stands there "
			"twice; the first is in line %u",
			r->file, sorted[i]->key_line, sorted[i]->key_column,
			CS_SPAN_FMT(sorted[i]->key), sorted[i - 1]->key_line);
	}
	return true;
}

/* A list or map ends. */
static bool close_level(struct reader *r)
{
	struct level *top = &r->level[--r->depth];

	return top->is_list || check_unique(r, top->node);
}

/* One event; *ret_end at the stream's end. */
static bool take_event(struct reader *r, const yaml_event_t *e, bool *ret_end)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(r, e);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return open_level(r, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_level(r);
	case YAML_ALIAS_EVENT:
		return fail_at(r, &e->start_mark, "an alias",
			       "; quote this if it is text");
	case YAML_DOCUMENT_START_EVENT:
		if (e->data.document_start.version_directive != NULL ||
		    e->data.document_start.tag_directives.start !=
			    e->data.document_start.tag_directives.end)
			return fail_at(r, &e->start_mark,
				       "a directive before the document", "");
		return true;
	case YAML_STREAM_END_EVENT:
		*ret_end = true;
		return true;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	default:
		return true;
	}
}

/* All events of the stream. */
static bool read_all(struct reader *r)
{
	bool end = false;

	while (!end) {
		yaml_event_t event;
		bool ok;

		if (!yaml_parser_parse(&r->parser, &event))
			return fail_parsing(r);
		ok = take_event(r, &event, &end);
		yaml_event_delete(&event);
		if (!ok)
			return false;
	}
	return true;
}

struct cs_yaml *cs_yaml_parse(struct cs_span text, const char *file,
			      struct cs_arena *arena, struct cs_error *err)
{
	static const yaml_mark_t start = {0};
	struct reader r = {
		.text = text, .file = file, .arena = arena, .err = err};
	bool ok;

	if (!yaml_parser_initialize(&r.parser)) {
		(void)no_memory(&r);
		return NULL;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	/* libyaml takes no null, which is where an empty file's text lies. */
	yaml_parser_set_input_string(
		&r.parser, text.n > 0 ? text.p : (const uint8_t *)"", text.n);
	ok = read_all(&r);
	yaml_parser_delete(&r.parser);
	if (!ok)
		return NULL;
	return r.first != NULL ? r.first : node_new(&r, CS_YAML_NULL, &start);
}

const struct cs_yaml *cs_yaml_get(const struct cs_yaml *map, const char *key)
{
	if (map == NULL || map->kind != CS_YAML_MAP)
		return NULL;
	for (const struct cs_yaml *c = map->child; c != NULL; c = c->next) {
		if (cs_span_equal_str(c->key, key))
			return c;
	}
	return NULL;
}

const char *cs_yaml_kind_name(enum cs_yaml_kind kind)
{
	static const char *const names[] = {
		[CS_YAML_NULL] = "nothing", [CS_YAML_BOOL] = "a boolean",
		[CS_YAML_INT] = "a number", [CS_YAML_TEXT] = "text",
		[CS_YAML_LIST] = "a list",  [CS_YAML_MAP] = "a map",
	};

	return (unsigned)kind <= CS_YAML_MAP ? names[kind] : "unknown";
}

/* One node without its children. NULL: no memory. */
static json_t *json_of(const struct cs_yaml *node)
{
	switch (node->kind) {
	case CS_YAML_BOOL:
		return json_boolean(node->boolean);
	case CS_YAML_INT:
		return json_integer(node->integer);
	case CS_YAML_TEXT:
		return json_stringn((const char *)node->text.p, node->text.n);
	case CS_YAML_LIST:
		return json_array();
	case CS_YAML_MAP:
		return json_object();
	case CS_YAML_NULL:
	default:
		return json_null();
	}
}

/* Put value (taken) into the container that its node is a child of. */
static bool json_put(json_t *container, const struct cs_yaml *node,
		     json_t *value)
{
	if (json_is_array(container))
		return json_array_append_new(container, value) == 0;
	return json_object_set_new(container, (const char *)node->key.p,
				   value) == 0;
}

json_t *cs_yaml_to_json(const struct cs_yaml *node)
{
	struct {
		json_t *container; /* borrowed from its parent */
		const struct cs_yaml *next;
	} level[CS_MAX_YAML_DEPTH + 1];
	json_t *root = json_of(node);
	size_t depth = 0;

	if (root == NULL)
		return NULL;
	level[depth].container = root;
	level[depth++].next = node->child;
	while (depth > 0) {
		const struct cs_yaml *one = level[depth - 1].next;
		json_t *value;

		if (one == NULL) {
			depth--;
			continue;
		}
		level[depth - 1].next = one->next;
		value = json_of(one);
		if (!json_put(level[depth - 1].container, one, value)) {
			json_decref(root);
			return NULL;
		}
		if (one->child != NULL && depth < CS_MAX_YAML_DEPTH + 1) {
			level[depth].container = value;
			level[depth++].next = one->child;
		}
	}
	return root;
}
