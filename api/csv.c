#include "api/csv.h"

#include <string.h>

/* One cell, before it is quoted: a decision is no longer. */
#define CELL_BYTES (256 * 1024)

const char *const cs_csv_audit[] = {
	"index",     "time",	"kind",	      "verdict", "changed",   "client",
	"requester", "issuer",	"names",      "serial",	 "not_after", "policy",
	"code",	     "changes", "violations", "id",	 "leaf_hash", NULL,
};
const char *const cs_csv_certificates[] = {
	"index",  "time",	"issuer",	  "names",     "serial",
	"client", "requester",	"not_before",	  "not_after", "policy",
	"id",	  "revoked.at", "revoked.reason", NULL,
};
const char *const cs_csv_history[] = {
	"index",  "judged", "kind",  "issuer", "source", "realm",
	"client", "names",  "epoch", "id",     "csr",	 NULL,
};
const char *const cs_csv_crls[] = {
	"issuer",      "generation",  "shard",	 "number",
	"this_update", "next_update", "entries", "size",
	"sha256",      "index",	      NULL,
};
const char *const cs_csv_requests[] = {
	"received", "state",   "issuer", "namespace", "requester", "client",
	"names",    "expires", "id",	 "index",     NULL,
};

/* Could a spreadsheet take it for more than text? */
static bool is_formula(struct cs_span s)
{
	return s.n > 0 && memchr("=+-@\t\r", s.p[0], 6) != NULL;
}

void cs_csv_cell(struct cs_buf *out, struct cs_span text)
{
	bool formula = is_formula(text);
	bool quoted = formula;

	for (size_t i = 0; i < text.n; i++) {
		if (memchr("\",;'\r\n\t", text.p[i], 7) != NULL)
			quoted = true;
	}
	if (quoted)
		cs_buf_add_byte(out, '"');
	if (formula)
		cs_buf_add_byte(out, '\'');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			cs_buf_add_byte(out, '"');
		cs_buf_add_byte(out, text.p[i]);
	}
	if (quoted)
		cs_buf_add_byte(out, '"');
}

void cs_csv_header(struct cs_buf *out, const char *const *columns)
{
	for (size_t i = 0; columns[i] != NULL; i++) {
		cs_buf_add_str(out, i > 0 ? "," : "");
		cs_csv_cell(out, cs_span_str(columns[i]));
	}
	cs_buf_add_str(out, "\r\n");
}

/* A value as text; null and what is nested are none. */
static void put_value(struct cs_buf *out, const json_t *v)
{
	const json_t *item;
	size_t i;

	if (json_is_string(v))
		cs_buf_add(out, cs_span_make(json_string_value(v),
					     json_string_length(v)));
	else if (json_is_integer(v))
		cs_buf_addf(out, "%lld", (long long)json_integer_value(v));
	else if (json_is_boolean(v))
		cs_buf_add_str(out, json_is_true(v) ? "true" : "false");
	if (!json_is_array(v))
		return;
	json_array_foreach(v, i, item)
	{
		cs_buf_add_str(out, i > 0 ? " " : "");
		if (!json_is_array(item))
			put_value(out, item);
	}
}

void cs_csv_put_changes(struct cs_buf *out, const json_t *decision)
{
	const json_t *diff = json_object_get(decision, "diff");
	const json_t *d;
	size_t i;

	json_array_foreach(diff, i, d)
	{
		cs_buf_add_str(out, i > 0 ? "; " : "");
		put_value(out, json_object_get(d, "field"));
		cs_buf_add_str(out, ": ");
		put_value(out, json_object_get(d, "asked"));
		cs_buf_add_str(out, " -> ");
		put_value(out, json_object_get(d, "given"));
		cs_buf_add_str(out, " (");
		put_value(out, json_object_get(d, "disposition"));
		cs_buf_add_str(out, ", ");
		put_value(out, json_object_get(d, "rule"));
		cs_buf_add_str(out, ")");
	}
}

void cs_csv_put_violations(struct cs_buf *out, const json_t *decision)
{
	const json_t *list = json_object_get(decision, "violations");
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		cs_buf_add_str(out, i > 0 ? "; " : "");
		put_value(out, json_object_get(v, "code"));
		cs_buf_add_byte(out, ' ');
		put_value(out, json_object_get(v, "field"));
		cs_buf_add_byte(out, '=');
		put_value(out, json_object_get(v, "value"));
	}
}

/* The value at "a.b". */
static const json_t *find(const json_t *object, const char *path)
{
	while (object != NULL) {
		size_t n = strcspn(path, ".");

		object = json_object_getn(object, path, n);
		if (path[n] == '\0')
			return object;
		path += n + 1;
	}
	return NULL;
}

/* The text of one column. */
static void put_column(struct cs_buf *out, const char *name, const json_t *item)
{
	const json_t *decision = json_object_get(item, "decision");

	if (strcmp(name, "changes") == 0)
		cs_csv_put_changes(out, decision);
	else if (strcmp(name, "violations") == 0)
		cs_csv_put_violations(out, decision);
	else
		put_value(out, find(item, name));
}

void cs_csv_item(struct cs_buf *out, const char *const *columns,
		 const json_t *item)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf cell;

	cs_buf_init(&cell, CELL_BYTES);
	for (size_t i = 0; columns[i] != NULL; i++) {
		cs_buf_reset(&cell);
		put_column(&cell, columns[i], item);
		cs_buf_add_str(out, i > 0 ? "," : "");
		cs_csv_cell(out, cs_buf_ok(&cell) ? cs_buf_span(&cell)
						  : CS_SPAN_LIT("(too long)"));
	}
	cs_buf_add_str(out, "\r\n");
}
