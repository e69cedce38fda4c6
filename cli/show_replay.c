/* What a replay came to, as people read it (cli/replay_report.h). */
#include <string.h>

#include "base/limits.h"
#include "cli/replay_report.h"
#include "cli/show.h"

/* What became of them, in words; NULL: nothing to tell. */
static const char *const words[CS_REPLAY_CLASSES] = {
	[CS_REPLAY_UNCHANGED] = "unchanged",
	[CS_REPLAY_ALLOW_TO_REFUSE] = "allow \xe2\x86\x92 refuse",
	[CS_REPLAY_REFUSE_TO_ALLOW] = "refuse \xe2\x86\x92 allow",
	[CS_REPLAY_CHANGED] = "certificate changed",
	[CS_REPLAY_HELD] = "would be held",
	[CS_REPLAY_REFUSED_OTHERWISE] = "refused otherwise",
	[CS_REPLAY_TOLD_OTHERWISE] = "told otherwise",
	[CS_REPLAY_ERROR] = "error",
};

/* Why some were not replayed. */
static const char *const reasons[CS_SKIPS] = {
	[CS_SKIP_DENIED] = "denied by an approver",
	[CS_SKIP_EXPIRED] = "expired",
	[CS_SKIP_LIMITS] = "refused by limits or key reuse",
	[CS_SKIP_NOT_BY_POLICY] = "refused by the house",
	[CS_SKIP_NO_ISSUER] = "issuer not configured any more",
	[CS_SKIP_PURGED] = "purged",
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL ? s : "";
}

static long long count_of(const json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

/* The words of a class's name. */
static const char *words_of(const char *class)
{
	for (int c = 0; c < CS_REPLAY_NOT_REPLAYED; c++) {
		if (strcmp(cs_replay_class_name((enum cs_replay_class)c),
			   class) == 0)
			return words[c];
	}
	return class;
}

/* "  allow → refuse  12" */
static void show_counts(const json_t *report, FILE *out)
{
	const json_t *classes = json_object_get(report, "classes");
	struct cs_table t;
	char n[32];

	cs_table_init(&t, 2, NULL);
	for (int c = 0; c < CS_REPLAY_NOT_REPLAYED; c++) {
		long long count = count_of(
			classes, cs_replay_class_name((enum cs_replay_class)c));

		if (count == 0 && c > CS_REPLAY_CHANGED)
			continue;
		(void)snprintf(n, sizeof(n), "%lld", count);
		cs_table_cell(&t, words[c]);
		cs_table_cell(&t, n);
	}
	if (!cs_table_print(&t, "  ", out, NULL))
		fputs("  (no memory for the list)\n", out);
	cs_table_done(&t);
}

/* What was not looked at, and why. */
static void show_skips(const json_t *report, FILE *out)
{
	const json_t *skips = json_object_get(report, "not_replayed");
	const char *comma = "";
	long long more = count_of(report, "other_ca");

	if (count_of(report, "decisions") > count_of(report, "replayed")) {
		fputs("  not replayed: ", out);
		for (int s = 0; s < CS_SKIPS; s++) {
			long long n = count_of(
				skips,
				cs_replay_skip_name((enum cs_replay_skip)s));

			if (n == 0)
				continue;
			fprintf(out, "%s%lld %s", comma, n, reasons[s]);
			comma = ", ";
		}
		fputc('\n', out);
	}
	if (more > 0)
		fprintf(out,
			"  %lld issued under a CA certificate or settings that "
			"are gone: "
			"compared but for what the CA adds\n",
			more);
}

/* A table of counts, for each issuer or policy. */
static void show_table(const json_t *list, const char *title,
		       const char *member, FILE *out)
{
	const char *header[] = {title,
				"REPLAYED",
				"UNCHANGED",
				"ALLOW\xe2\x86\x92REFUSE",
				"REFUSE\xe2\x86\x92"
				"ALLOW",
				"CHANGED",
				"HELD",
				"OTHERWISE",
				"ERROR"};
	const char *names[] = {member,
			       "replayed",
			       "unchanged",
			       "allow-to-refuse",
			       "refuse-to-allow",
			       "changed",
			       "held",
			       "refused-otherwise",
			       "error"};

	if (json_array_size(list) == 0)
		return;
	fputc('\n', out);
	cs_show_list(list, header, names, sizeof(names) / sizeof(names[0]),
		     out);
}

/* "  validity  90d  →  30d" */
static void show_changes(const json_t *changes, FILE *out)
{
	struct cs_table t;
	const json_t *c;
	size_t i;

	cs_table_init(&t, 4, NULL);
	json_array_foreach(changes, i, c)
	{
		const char *was = text_of(c, "was");
		const char *now = text_of(c, "now");

		cs_table_cell(&t, text_of(c, "field"));
		cs_table_cell(&t, was[0] != '\0' ? was : "-");
		cs_table_cell(&t, "\xe2\x86\x92");
		cs_table_cell(&t, now[0] != '\0' ? now : "-");
	}
	if (!cs_table_print(&t, "  ", out, NULL))
		fputs("  (no memory for the list)\n", out);
	cs_table_done(&t);
}

static void print_member(const json_t *object, const char *name,
			 const char *before, FILE *out)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, CS_MAX_HTTP_BODY);
	cs_show_value(json_object_get(object, name), &b);
	fputs(before, out);
	cs_text_print(out, cs_buf_str(&b));
}

/* Which request it is, and what was said of it then. */
static void show_witness(const json_t *w, FILE *out)
{
	const json_t *was = json_object_get(w, "was");

	print_member(w, "id", "  smallest: request ", out);
	print_member(w, "index", ", log #", out);
	print_member(w, "judged", ", judged ", out);
	print_member(w, "issuer", "\n  issuer ", out);
	print_member(w, "requester", ", requester ", out);
	print_member(w, "names", ", names ", out);
	if (strcmp(text_of(was, "verdict"), "refused") == 0)
		print_member(was, "detail", "\n  refused then: ", out);
	fputc('\n', out);
}

/* The rule; without one the code, or the field that it is about. */
static const char *label_of(const json_t *g)
{
	static const char *const names[] = {"rule", "code", "field"};
	size_t i = 0;

	while (i < 2 && text_of(g, names[i])[0] == '\0')
		i++;
	return text_of(g, names[i]);
}

/* One group: what, how often, by which rule, and its witness. */
static void show_group(const json_t *g, FILE *out)
{
	const json_t *w = json_object_get(g, "witness");

	fprintf(out, "\n%s  %lld \xc3\x97  ", words_of(text_of(g, "class")),
		count_of(g, "count"));
	cs_text_print(out, label_of(g));
	if (text_of(g, "at")[0] != '\0')
		print_member(g, "at", "  ", out);
	fputc('\n', out);
	show_witness(w, out);
	show_changes(json_object_get(w, "changes"), out);
	if (json_object_get(w, "error") != NULL) {
		print_member(w, "error", "  ", out);
		fputc('\n', out);
	} else {
		cs_show_answer(json_object_get(w, "answer"), out);
	}
}

void cs_replay_report_show(const json_t *report, FILE *out)
{
	const json_t *candidate = json_object_get(report, "candidate");
	const json_t *groups = json_object_get(report, "groups");
	const json_t *g;
	size_t i;

	fprintf(out, "replayed %lld of %lld decisions by ",
		count_of(report, "replayed"), count_of(report, "decisions"));
	cs_text_print(out, text_of(candidate, "what"));
	if (text_of(candidate, "set_sha256")[0] != '\0')
		fprintf(out, " (set %.12s)", text_of(candidate, "set_sha256"));
	if (text_of(report, "first")[0] != '\0')
		fprintf(out, "\n  judged from %s to %s",
			text_of(report, "first"), text_of(report, "last"));
	fputc('\n', out);
	show_counts(report, out);
	show_skips(report, out);
	show_table(json_object_get(report, "issuers"), "ISSUER", "issuer", out);
	show_table(json_object_get(report, "policies"), "POLICY", "policy",
		   out);
	json_array_foreach(groups, i, g) show_group(g, out);
	if (count_of(report, "groups_more") > 0)
		fprintf(out, "\n%lld more, by other rules\n",
			count_of(report, "groups_more"));
}
