#include "cli/audit_row.h"

#include <string.h>

#include "api/csv.h"
#include "base/limits.h"
#include "cli/show.h"

/* Texts of one line. */
#define LINE_BYTES 16384

struct cs_list cs_audit_list(void)
{
	static const char *const header[] = {"INDEX", "TIME",	"KIND", "WHO",
					     "NAMES", "SERIAL", "WHY"};
	static const char *const names[] = {
		"index", "time",   "kind", "requester|client",
		"names", "serial", "why"};
	static const char *const filters[] = {
		"kind",	 "verdict",   "requester",   "client", "approver",
		"name",	 "covering",  "serial",	     "spki",   "issuer",
		"realm", "namespace", "source",	     "policy", "rule",
		"code",	 "field",     "disposition", NULL};
	static const char *const flags[] = {"changed", "warned",
					    "self_approved", NULL};

	return (struct cs_list){.kind = CS_QUERY_AUDIT,
				.target = "/v1/audit",
				.filters = filters,
				.flags = flags,
				.header = header,
				.names = names,
				.columns = sizeof(names) / sizeof(names[0]),
				.csv = cs_csv_audit,
				.prepare = cs_audit_prepare};
}

/* A word, once: "a, b". */
static void add_word(struct cs_buf *out, const char *word)
{
	if (word == NULL || strstr(cs_buf_str(out), word) != NULL)
		return;
	cs_buf_add_str(out, out->n > 0 ? ", " : "");
	cs_buf_add_str(out, word);
}

/* A member's text, or NULL. */
static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* What an act of administration says of itself. */
static void put_act(struct cs_buf *out, const json_t *decision)
{
	static const char *const names[] = {"op",	  "name",   "rights",
					    "code",	  "path",   "epoch",
					    "set_sha256", "reason", "message"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *v = json_object_get(decision, names[i]);

		if (v == NULL)
			continue;
		cs_buf_add_str(out, out->n > 0 ? " " : "");
		cs_show_value(v, out);
	}
	if (json_object_get(decision, "removed") != NULL)
		cs_buf_addf(out, "%lld entries",
			    (long long)json_integer_value(
				    json_object_get(decision, "leaves")));
}

void cs_audit_prepare(json_t *item)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf why;
	const json_t *decision = json_object_get(item, "decision");
	const json_t *list, *v;
	size_t i;

	cs_buf_init(&why, LINE_BYTES);
	list = json_object_get(decision, "violations");
	json_array_foreach(list, i, v) add_word(&why, text_of(v, "code"));
	list = json_object_get(decision, "diff");
	if (json_object_get(item, "verdict") == NULL)
		put_act(&why, decision);
	v = json_object_get(json_object_get(item, "purged"), "by");
	if (v != NULL)
		cs_buf_addf(&why, "purged by entry %lld",
			    (long long)json_integer_value(v));
	if (why.n == 0 && text_of(item, "code") != NULL)
		add_word(&why, text_of(item, "code"));
	json_array_foreach(list, i, v)
	{
		add_word(&why, text_of(v, "disposition"));
		cs_buf_add_byte(&why, ' ');
		cs_show_value(json_object_get(v, "field"), &why);
	}
	if (cs_buf_ok(&why) && why.n > 0)
		json_object_set_new(item, "why", json_string(cs_buf_str(&why)));
}

/* A value in words. */
static void put_or_nothing(struct cs_buf *out, const json_t *value)
{
	if (value == NULL || json_is_null(value))
		cs_buf_add_str(out, "(nothing)");
	else
		cs_show_value(value, out);
}

/* Rule and place of a change or violation. */
static void put_rule(struct cs_buf *out, const json_t *v)
{
	const char *rule = text_of(v, "rule"), *at = text_of(v, "at");

	if (rule != NULL && rule[0] != '\0')
		cs_buf_addf(out, "  %s", rule);
	if (at != NULL && at[0] != '\0')
		cs_buf_addf(out, " at %s", at);
}

/* Print and empty the line. */
static void print_line(struct cs_buf *line, FILE *out)
{
	cs_text_print(out, cs_buf_ok(line) ? cs_buf_str(line) : "(too long)");
	fputc('\n', out);
	cs_buf_reset(line);
}

void cs_audit_print_detail(const json_t *item, FILE *out)
{
	static const char *const names[] = {"time",  "kind",   "requester",
					    "names", "serial", "policy"};
	CS_CLEANUP(cs_buf_done) struct cs_buf line;
	const json_t *decision = json_object_get(item, "decision");
	const json_t *list, *v;
	size_t i;

	cs_buf_init(&line, LINE_BYTES);
	cs_show_value(json_object_get(item, "index"), &line);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		v = json_object_get(item, names[i]);
		if (v == NULL)
			continue;
		cs_buf_add_str(&line, "  ");
		cs_show_value(v, &line);
	}
	print_line(&line, out);
	list = json_object_get(decision, "diff");
	json_array_foreach(list, i, v)
	{
		cs_buf_add_str(&line, "  ");
		cs_show_value(json_object_get(v, "disposition"), &line);
		cs_buf_add_byte(&line, ' ');
		cs_show_value(json_object_get(v, "field"), &line);
		cs_buf_add_str(&line, ": ");
		put_or_nothing(&line, json_object_get(v, "asked"));
		cs_buf_add_str(&line, " -> ");
		put_or_nothing(&line, json_object_get(v, "given"));
		put_rule(&line, v);
		print_line(&line, out);
	}
	list = json_object_get(decision, "violations");
	json_array_foreach(list, i, v)
	{
		cs_buf_add_str(&line, "  ");
		cs_show_value(json_object_get(v, "code"), &line);
		cs_buf_add_byte(&line, ' ');
		cs_show_value(json_object_get(v, "field"), &line);
		cs_buf_add_str(&line, " = ");
		put_or_nothing(&line, json_object_get(v, "value"));
		if (text_of(v, "message") != NULL)
			cs_buf_addf(&line, ": %s", text_of(v, "message"));
		put_rule(&line, v);
		print_line(&line, out);
	}
}
