#include "cli/show.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* One cell: a value that policy or a stranger wrote. */
#define CELL_BYTES 16384
/* Digits of a hash that people compare by eye. */
#define SHORT_HASH 12

static const char *text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL ? s : "";
}

static void print_text(FILE *out, const char *before, const char *text,
		       const char *after)
{
	fputs(before, out);
	cs_text_print(out, text);
	fputs(after, out);
}

/* A value that is no list; an object is called by its name. */
static void put_scalar(const json_t *value, struct cs_buf *out)
{
	if (json_is_object(value))
		value = json_object_get(value, "name");
	if (json_is_string(value))
		cs_buf_add_str(out, json_string_value(value));
	else if (json_is_integer(value))
		cs_buf_addf(out, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		cs_buf_add_str(out, json_is_true(value) ? "true" : "false");
	else
		cs_buf_add_byte(out, '-');
}

void cs_show_value(const json_t *value, struct cs_buf *out)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value)) {
		put_scalar(value, out);
		return;
	}
	json_array_foreach(value, i, item)
	{
		cs_buf_add_str(out, i > 0 ? ", " : "");
		put_scalar(item, out);
	}
}

/* The member as a cell, `prefix` before it. */
static void cell(struct cs_table *t, const char *prefix, const json_t *object,
		 const char *name)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, CELL_BYTES);
	cs_buf_add_str(&b, prefix);
	cs_show_value(json_object_get(object, name), &b);
	cs_table_cell(t, cs_buf_ok(&b) ? cs_buf_str(&b) : "(too long)");
}

/* "asked "Acme"", in quotes when it is a text. */
static void quoted_cell(struct cs_table *t, const char *word,
			const json_t *object, const char *name)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	const json_t *value = json_object_get(object, name);
	const char *quote = json_is_string(value) ? "\"" : "";

	cs_buf_init(&b, CELL_BYTES);
	cs_buf_addf(&b, "%s %s", word, quote);
	cs_show_value(value, &b);
	cs_buf_add_str(&b, quote);
	cs_table_cell(t, cs_buf_ok(&b) ? cs_buf_str(&b) : "(too long)");
}

/* "policy team-web (sha 3f9a12...)  log #48213" */
static void print_head(const json_t *answer, FILE *out)
{
	const json_t *policy = json_object_get(answer, "policy");
	const json_t *log = json_object_get(answer, "log");

	if (json_is_object(policy)) {
		print_text(out, "  policy ", text_of(policy, "name"), "");
		fprintf(out, " (sha %.*s)", SHORT_HASH,
			text_of(policy, "sha256"));
	}
	if (json_is_object(log))
		fprintf(out, "  log #%lld",
			(long long)json_integer_value(
				json_object_get(log, "index")));
	fputc('\n', out);
}

/* Lines of a list of findings. */
static void print_findings(const json_t *findings, const char *mark, FILE *out)
{
	struct cs_table t;
	const json_t *v;
	size_t i;

	cs_table_init(&t, 6, NULL);
	json_array_foreach(findings, i, v)
	{
		const char *message = text_of(v, "message");

		cell(&t, mark, v, "field");
		cell(&t, "", v, "value");
		cell(&t, "", v, "code");
		if (text_of(v, "expected")[0] != '\0' || message[0] == '\0')
			cell(&t, "expected ", v, "expected");
		else
			cs_table_cell(&t, message);
		cell(&t, "", v, "rule");
		cs_table_cell(&t, text_of(v, "at"));
	}
	if (!cs_table_print(&t, "  ", out, NULL))
		fputs("  (no memory for the list)\n", out);
	cs_table_done(&t);
}

/* "WORD: a, b, c" when there is something in the list. */
static void print_list(const json_t *answer, const char *name, const char *word,
		       FILE *out)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	const json_t *list = json_object_get(answer, name);

	cs_buf_init(&b, CELL_BYTES);
	if (json_array_size(list) == 0)
		return;
	cs_show_value(list, &b);
	fprintf(out, "  %s: ", word);
	cs_text_print(out, cs_buf_ok(&b) ? cs_buf_str(&b) : "(too long)");
	fputc('\n', out);
}

void cs_show_refusal(const json_t *answer, FILE *out)
{
	const char *code = text_of(answer, "code");

	print_text(out, code[0] != '\0' ? "" : "REFUSED", code, "  ");
	cs_text_print(out, text_of(answer, "detail"));
	print_head(answer, out);
	print_findings(json_object_get(answer, "violations"), "\xe2\x9c\x97 ",
		       out);
	print_list(answer, "not_reached", "not reached", out);
	if (json_is_true(json_object_get(answer, "final")))
		fputs("  final for this request\n", out);
}

static void print_diff(const json_t *answer, FILE *out)
{
	struct cs_table t;
	const json_t *d;
	size_t i;

	cs_table_init(&t, 6, NULL);
	json_array_foreach(json_object_get(answer, "diff"), i, d)
	{
		cell(&t, "", d, "field");
		quoted_cell(&t, "asked", d, "asked");
		quoted_cell(&t, "given", d, "given");
		cell(&t, "", d, "disposition");
		cs_table_cell(&t, text_of(d, "rule"));
		cs_table_cell(&t, text_of(d, "at"));
	}
	if (!cs_table_print(&t, "  ", out, NULL))
		fputs("  (no memory for the list)\n", out);
	cs_table_done(&t);
}

void cs_show_issued(const json_t *answer, FILE *out)
{
	bool changed = json_is_true(json_object_get(answer, "changed"));
	const char *serial = text_of(answer, "serial");

	if (json_object_get(answer, "would") != NULL)
		fputs("WOULD BE ", out);
	fprintf(out, "ISSUED%s", changed ? ", CHANGED" : "");
	if (serial[0] != '\0')
		print_text(out, "  serial ", serial, "");
	print_head(answer, out);
	print_diff(answer, out);
	print_findings(json_object_get(answer, "warnings"), "! ", out);
	print_list(answer, "kept", "kept", out);
}

/* What an approver has to know. */
static void show_pending(const json_t *answer, FILE *out)
{
	print_text(out, "", text_of(answer, "state"), "  request ");
	print_text(out, "", text_of(answer, "id"), "\n");
	print_text(out, "  expires  ", text_of(answer, "expires"), "\n");
	print_text(out, "  sha256   ", text_of(answer, "request_sha256"), "\n");
	print_text(out, "  approve  countersign request approve ",
		   text_of(answer, "id"), "\n");
}

void cs_show_answer(const json_t *answer, FILE *out)
{
	const char *state = text_of(answer, "state");
	const char *would = text_of(answer, "would");

	if (strcmp(state, "pending") == 0 || strcmp(state, "approved") == 0)
		show_pending(answer, out);
	if (strcmp(state, "issued") == 0 || strcmp(would, "issued") == 0)
		cs_show_issued(answer, out);
	else if (state[0] == '\0' || strcmp(state, "pending") != 0 ||
		 strcmp(would, "refused") == 0)
		cs_show_refusal(answer, out);
}

void cs_show_object(json_t *object, FILE *out)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf name, value;
	struct cs_table t;
	json_t *v, *w;
	const char *k, *l;

	cs_buf_init(&name, CELL_BYTES);
	cs_buf_init(&value, CELL_BYTES);
	cs_table_init(&t, 2, NULL);
	json_object_foreach(object, k, v)
	{
		if (!json_is_object(v)) {
			cs_table_cell(&t, k);
			cell(&t, "", object, k);
			continue;
		}
		json_object_foreach(v, l, w)
		{
			cs_buf_reset(&name);
			cs_buf_addf(&name, "%s.%s", k, l);
			cs_table_cell(&t, cs_buf_str(&name));
			cell(&t, "", v, l);
		}
	}
	if (!cs_table_print(&t, "", out, NULL))
		fputs("(no memory for the list)\n", out);
	cs_table_done(&t);
}

/* The value at "a.b" or, with alternatives, "a|b.c"; NULL: none. */
static const json_t *find_path(const json_t *object, const char *path)
{
	while (*path != '\0') {
		const json_t *v = object;
		size_t n = strcspn(path, "|");
		const char *end = path + n;

		while (path < end && v != NULL) {
			size_t m = strcspn(path, ".|");

			v = json_object_getn(v, path, m);
			path += m + (path + m < end);
		}
		if (v != NULL && !json_is_null(v))
			return v;
		path = *end == '|' ? end + 1 : end;
	}
	return NULL;
}

void cs_show_list(const json_t *items, const char *const *header,
		  const char *const *names, size_t n, FILE *out)
{
	struct cs_table t;
	const json_t *item;
	size_t i;

	cs_table_init(&t, n, header);
	json_array_foreach(items, i, item) for (size_t k = 0; k < n; k++)
	{
		CS_CLEANUP(cs_buf_done) struct cs_buf b;

		cs_buf_init(&b, CELL_BYTES);
		cs_show_value(find_path(item, names[k]), &b);
		cs_table_cell(&t,
			      cs_buf_ok(&b) ? cs_buf_str(&b) : "(too long)");
	}
	if (!cs_table_print(&t, "", out, NULL))
		fputs("(no memory for the list)\n", out);
	cs_table_done(&t);
}
