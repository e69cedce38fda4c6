/* The report of an import, and what its readers share. */
#include <stdio.h>
#include <string.h>

#include "policy/import_parts.h"

/* Bytes of one sentence; a value in it may be cut. */
#define SENTENCE 1024

const char *cs_import_grade_name(enum cs_import_grade grade)
{
	static const char *const names[] = {
		[CS_IMPORT_EXACT] = "exact",
		[CS_IMPORT_NOTE] = "note",
		[CS_IMPORT_NARROWER] = "narrower",
		[CS_IMPORT_BY_HAND] = "by hand",
	};

	return names[grade];
}

/* A line, at the end of the draft's list or of all. */
static void add_line(struct cs_importing *i, enum cs_import_grade grade,
		     const struct cs_yaml *at, const char *field,
		     const char *sentence)
{
	struct cs_import_line *line = cs_arena_new(i->arena, sizeof(*line));
	struct cs_import_line ***last =
		i->draft != NULL ? &i->draft->last : &i->last;

	if (line == NULL ||
	    !cs_arena_dup(i->arena, cs_span_str(sentence), &line->text) ||
	    !cs_arena_dup(i->arena, cs_span_str(field), &line->field)) {
		i->no_memory = true;
		return;
	}
	line->grade = grade;
	line->source = i->source;
	if (at != NULL)
		line->line = at->key_line > 0 ? at->key_line : at->line;
	else if (i->draft != NULL)
		line->line = i->draft->policy->line;
	**last = line;
	*last = &line->next;
	i->result->count[grade]++;
}

void cs_import_tell(struct cs_importing *i, enum cs_import_grade grade,
		    const struct cs_yaml *at, const char *field,
		    const char *fmt, ...)
{
	char sentence[SENTENCE];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	add_line(i, grade, at, field, sentence);
}

void cs_import_shadow(struct cs_importing *i, const struct cs_yaml *at,
		      const char *field, const char *fmt, ...)
{
	char sentence[SENTENCE];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	add_line(i, CS_IMPORT_BY_HAND, at, field, sentence);
	if (i->draft != NULL)
		i->draft->shadow = true;
}

void cs_import_fail(struct cs_importing *i, const struct cs_yaml *at,
		    const char *field, const char *fmt, ...)
{
	char sentence[SENTENCE];
	va_list args;

	if (i->failed)
		return;
	va_start(args, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	cs_error_set(i->err, CS_E_FORMAT, "%s:%u:%u: %s%s%s", i->file, at->line,
		     at->column, field, field[0] == '\0' ? "" : ": ", sentence);
	i->failed = true;
}

/* What was printed, or "" without memory. */
static const char *or_empty(struct cs_importing *i, const char *text)
{
	if (text != NULL)
		return text;
	i->no_memory = true;
	return "";
}

const char *cs_import_path(struct cs_importing *i, const char *path,
			   const char *name)
{
	return or_empty(i, cs_arena_printf(i->arena, "%s%s%s", path,
					   path[0] == '\0' ? "" : ".", name));
}

const char *cs_import_item(struct cs_importing *i, const char *path, size_t n)
{
	return or_empty(i, cs_arena_printf(i->arena, "%s[%zu]", path, n));
}

const char *cs_import_key(struct cs_importing *i, const char *path,
			  const struct cs_yaml *child)
{
	return or_empty(i, cs_arena_printf(i->arena, "%s%s%.*s", path,
					   path[0] == '\0' ? "" : ".",
					   CS_SPAN_FMT(cs_span_sub(child->key,
								   0, 128))));
}

bool cs_import_has(const struct cs_yaml *node)
{
	return node != NULL && node->kind != CS_YAML_NULL;
}

/* The node is of another kind than it should be. */
static bool wrong_kind(struct cs_importing *i, const struct cs_yaml *node,
		       const char *field, const char *want)
{
	cs_import_fail(i, node, field, "%s is wanted, not %s", want,
		       cs_yaml_kind_name(node->kind));
	return false;
}

bool cs_import_is_map(struct cs_importing *i, const struct cs_yaml *node,
		      const char *field)
{
	if (!cs_import_has(node))
		return false;
	return node->kind == CS_YAML_MAP || wrong_kind(i, node, field, "a map");
}

bool cs_import_is_list(struct cs_importing *i, const struct cs_yaml *node,
		       const char *field)
{
	if (!cs_import_has(node))
		return false;
	if (node->kind != CS_YAML_LIST)
		return wrong_kind(i, node, field, "a list");
	return node->n > 0;
}

bool cs_import_text(struct cs_importing *i, const struct cs_yaml *node,
		    const char *field, struct cs_span *ret_text)
{
	if (!cs_import_has(node))
		return false;
	if (node->kind != CS_YAML_TEXT)
		return wrong_kind(i, node, field, "a text");
	*ret_text = node->text;
	return true;
}

bool cs_import_bool(struct cs_importing *i, const struct cs_yaml *node,
		    const char *field, bool *ret_value)
{
	if (!cs_import_has(node))
		return false;
	if (node->kind != CS_YAML_BOOL)
		return wrong_kind(i, node, field, "true or false");
	*ret_value = node->boolean;
	return true;
}

bool cs_import_int(struct cs_importing *i, const struct cs_yaml *node,
		   const char *field, int64_t *ret_value)
{
	if (!cs_import_has(node))
		return false;
	if (node->kind != CS_YAML_INT)
		return wrong_kind(i, node, field, "a whole number");
	*ret_value = node->integer;
	return true;
}

/* The table's row for a key; NULL: there is none. */
static const struct cs_import_key *row_of(const struct cs_import_key *keys,
					  struct cs_span key)
{
	for (; keys->name != NULL; keys++) {
		if (cs_span_equal_str(key, keys->name))
			return keys;
	}
	return NULL;
}

void cs_import_known(struct cs_importing *i, const struct cs_yaml *map,
		     const char *path, const struct cs_import_key *keys)
{
	if (map == NULL || map->kind != CS_YAML_MAP)
		return;
	for (const struct cs_yaml *c = map->child; c != NULL; c = c->next) {
		const struct cs_import_key *row = row_of(keys, c->key);
		const char *field = cs_import_key(i, path, c);

		if (row == NULL)
			cs_import_shadow(i, c, field,
					 "this field is not known here, and "
					 "what it restricts is not known; the "
					 "policy is in shadow until somebody "
					 "has looked");
		else if (row->note != NULL)
			cs_import_tell(i, CS_IMPORT_NOTE, c, field, "%s",
				       row->note);
	}
}

void cs_import_always(struct cs_importing *i, const struct cs_yaml *at)
{
	struct cs_draft *draft = i->draft;

	if (i->told)
		return;
	i->told = true;
	i->draft = NULL;
	cs_import_tell(i, CS_IMPORT_NOTE, at, "",
		       "names are compared as they are issued, in lower case "
		       "where that makes no difference; what is malformed or "
		       "can be read in two ways is refused");
	cs_import_tell(i, CS_IMPORT_NOTE, at, "",
		       "whatever a policy allows, there is one common name, an "
		       "RSA key has 2048 bits or more, a key that is known to "
		       "be weak is refused, and so is what the lint finds, "
		       "such as a server's common name that is none of its "
		       "names");
	if (i->options->users_n == 0)
		cs_import_tell(i, CS_IMPORT_BY_HAND, at, "",
			       "who may ask is not said here, but by RBAC, a "
			       "provisioner or a policy of Vault's: these are "
			       "for every requester, unless --requester says "
			       "for whom");
	i->draft = draft;
}

struct cs_span cs_import_stem(const struct cs_importing *i)
{
	struct cs_span s = i->source;

	for (size_t k = s.n; k > 1; k--) {
		if (s.p[k - 1] == '.')
			return cs_span_sub(s, 0, k - 1);
	}
	return s;
}
