#include "cli/config_edit.h"

#include <string.h>

#include "base/limits.h"
#include "base/yaml.h"

/* Two readings of a configuration. */
#define EDIT_ARENA (16 * 1024 * 1024)
/* What cs_config_write_issuer() indents by. */
#define OWN_INDENT 2
/* A list's indentation; deeper ones are nobody's. */
#define MAX_INDENT 16

/* Where line `number` (from 1) begins; text.n: there is none. */
static size_t line_at(struct cs_span text, unsigned number)
{
	size_t at = 0, n;

	while (number > 1 && at < text.n) {
		if (!cs_span_find(cs_span_sub(text, at, text.n), '\n', &n))
			return text.n;
		at += n + 1;
		number--;
	}
	return at;
}

/* The line without its end. */
static struct cs_span line_text(struct cs_span text, unsigned number)
{
	size_t at = line_at(text, number), n;
	struct cs_span rest = cs_span_sub(text, at, text.n);

	if (!cs_span_find(rest, '\n', &n))
		n = rest.n;
	return cs_span_sub(rest, 0, n);
}

/* Is it empty, or a comment from the first column on? */
static bool is_between(struct cs_span line)
{
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '#')
			return i == 0;
		if (line.p[i] != ' ' && line.p[i] != '\r')
			return false;
	}
	return true;
}

/* Spaces before the dash of the list's first item. */
static bool find_indent(struct cs_span text, const struct cs_yaml *list,
			size_t *ret_indent)
{
	struct cs_span line = line_text(text, list->child->line);
	size_t n = 0;

	while (n < line.n && line.p[n] == ' ')
		n++;
	*ret_indent = n;
	return n <= MAX_INDENT && n + 1 < line.n && line.p[n] == '-' &&
	       line.p[n + 1] == ' ';
}

/* Where the stanza goes: before what follows the list. */
static size_t find_place(struct cs_span text, const struct cs_yaml *list)
{
	unsigned line;

	if (list->next == NULL)
		return text.n;
	line = list->next->key_line;
	while (line > 1 && is_between(line_text(text, line - 1)))
		line--;
	return line_at(text, line);
}

/* The stanza, moved to the list's indentation. */
static bool put_stanza(const struct cs_config_issuer *issuer, size_t indent,
		       struct cs_buf *out, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf own;
	struct cs_span rest;

	cs_buf_init(&own, CS_MAX_POLICY_FILE);
	cs_config_write_issuer(issuer, &own);
	if (!cs_buf_finish(&own, "stanza", err))
		return false;
	rest = cs_buf_span(&own);
	while (rest.n > 0) {
		size_t n = rest.n;

		(void)cs_span_find(rest, '\n', &n);
		for (size_t i = 0; i < indent; i++)
			cs_buf_add_byte(out, ' ');
		cs_buf_add(out,
			   cs_span_sub(rest, OWN_INDENT,
				       n < OWN_INDENT ? 0 : n - OWN_INDENT));
		cs_buf_add_byte(out, '\n');
		rest = cs_span_sub(rest, n + 1, rest.n);
	}
	return true;
}

/* Is the new text the old one with this issuer behind the others? */
static bool check(struct cs_span before, struct cs_span after,
		  const struct cs_config_issuer *issuer, struct cs_arena *arena,
		  struct cs_error *err)
{
	struct cs_config old, new;
	bool same;

	if (!cs_config_parse(before, CS_CONFIG_FILE, arena, &old, err) ||
	    !cs_config_parse(after, CS_CONFIG_FILE, arena, &new, err))
		return false;
	same = new.n_issuers == old.n_issuers + 1 &&
	       strcmp(new.issuers[old.n_issuers].name, issuer->name) == 0;
	for (size_t i = 0; same && i < old.n_issuers; i++)
		same = strcmp(old.issuers[i].name, new.issuers[i].name) == 0 &&
		       strcmp(old.issuers[i].key, new.issuers[i].key) == 0;
	return same || cs_error_set(err, CS_E_FORMAT,
				    CS_CONFIG_FILE
				    ": its list of issuers is not one that "
				    "can be added to");
}

static bool add(struct cs_span text, const struct cs_config_issuer *issuer,
		struct cs_arena *arena, struct cs_buf *out,
		struct cs_error *err)
{
	struct cs_yaml *doc = cs_yaml_parse(text, CS_CONFIG_FILE, arena, err);
	const struct cs_yaml *list;
	size_t indent, place;

	if (doc == NULL)
		return false;
	list = cs_yaml_get(doc, "issuers");
	if (list == NULL || list->kind != CS_YAML_LIST || list->n == 0 ||
	    !find_indent(text, list, &indent))
		return cs_error_set(err, CS_E_FORMAT,
				    CS_CONFIG_FILE
				    ": its list of issuers is not written as "
				    "lines that begin with `- `");
	place = find_place(text, list);
	cs_buf_add(out, cs_span_sub(text, 0, place));
	if (place > 0 && text.p[place - 1] != '\n')
		cs_buf_add_byte(out, '\n');
	if (!put_stanza(issuer, indent, out, err))
		return false;
	cs_buf_add(out, cs_span_sub(text, place, text.n));
	return cs_buf_finish(out, CS_CONFIG_FILE, err) &&
	       check(text, cs_buf_span(out), issuer, arena, err);
}

bool cs_config_add_issuer(struct cs_span text,
			  const struct cs_config_issuer *issuer,
			  struct cs_buf *out, struct cs_error *err)
{
	struct cs_arena arena;
	bool ok;

	cs_arena_init(&arena, EDIT_ARENA);
	ok = add(text, issuer, &arena, out, err);
	cs_arena_done(&arena);
	return ok;
}

/* -- the listener's issuer ------------------------------------------------ */

/* The text with the line: what is before it, it, what is behind. */
static bool put_listener(struct cs_span text, const struct cs_yaml *tls,
			 const char *name, struct cs_buf *out)
{
	const struct cs_yaml *old = cs_yaml_get(tls, "issuer");
	const struct cs_yaml *chain = cs_yaml_get(tls, "chain");
	const struct cs_yaml *at = old != NULL ? old : chain;
	struct cs_span line;
	size_t from, indent = 0;

	if (chain == NULL || chain->key_line == tls->key_line)
		return false;
	line = line_text(text, at->key_line);
	while (indent < line.n && line.p[indent] == ' ')
		indent++;
	from = line_at(text, at->key_line + (old == NULL));
	cs_buf_add(out, cs_span_sub(text, 0, from));
	if (from > 0 && text.p[from - 1] != '\n')
		cs_buf_add_byte(out, '\n');
	for (size_t i = 0; i < indent; i++)
		cs_buf_add_byte(out, ' ');
	cs_buf_add_str(out, "issuer: ");
	cs_config_write_quoted(name, out);
	cs_buf_add_byte(out, '\n');
	if (old != NULL)
		from = line_at(text, at->key_line + 1);
	cs_buf_add(out, cs_span_sub(text, from, text.n));
	return true;
}

/* Does the new text say it? */
static bool check_listener(struct cs_span after, const char *name,
			   struct cs_arena *arena, struct cs_error *err)
{
	struct cs_config c;

	return cs_config_parse(after, CS_CONFIG_FILE, arena, &c, err) &&
	       ((c.tls_issuer != NULL && strcmp(c.tls_issuer, name) == 0) ||
		cs_error_set(err, CS_E_FORMAT,
			     CS_CONFIG_FILE ": tls.issuer cannot be set"));
}

bool cs_config_set_listener(struct cs_span text, const char *name,
			    struct cs_buf *out, struct cs_error *err)
{
	struct cs_arena arena;
	struct cs_yaml *doc;
	const struct cs_yaml *tls;
	bool ok;

	cs_arena_init(&arena, EDIT_ARENA);
	doc = cs_yaml_parse(text, CS_CONFIG_FILE, &arena, err);
	tls = doc != NULL ? cs_yaml_get(doc, "tls") : NULL;
	ok = doc != NULL;
	if (ok && (tls == NULL || tls->kind != CS_YAML_MAP ||
		   !put_listener(text, tls, name, out)))
		ok = cs_error_set(err, CS_E_FORMAT,
				  CS_CONFIG_FILE
				  ": tls is not written as a line for each "
				  "member: add `issuer: %s` to it",
				  name);
	ok = ok && cs_buf_finish(out, CS_CONFIG_FILE, err) &&
	     check_listener(cs_buf_span(out), name, &arena, err);
	cs_arena_done(&arena);
	return ok;
}
