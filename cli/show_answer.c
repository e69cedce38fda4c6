/* Answers about requests as people read them: refusals, certificates. */
#include "cli/show.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* One cell: a value that policy or a stranger wrote. */
#define CELL_BYTES 16384
/* Digits of a policy's hash in a first line. */
#define SHORT_HASH 6

#define CHECK_MARK "\xe2\x9c\x93"
#define CROSS_MARK "\xe2\x9c\x97"

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

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* -- cells and lists ------------------------------------------------------ */

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

static void print_table(const struct cs_table *t, FILE *out)
{
	if (!cs_table_print(t, "  ", out, NULL))
		fputs("  (no memory for the list)\n", out);
}

/* The texts of a list, joined. */
static void print_texts(const json_t *list, FILE *out)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, CELL_BYTES);
	cs_show_value(list, &b);
	cs_text_print(out, cs_buf_ok(&b) ? cs_buf_str(&b) : "(too long)");
}

/* "WORD: a, b, c" when there is something in the list. */
static void print_list(const json_t *answer, const char *name, const char *word,
		       FILE *out)
{
	const json_t *list = json_object_get(answer, name);

	if (json_array_size(list) == 0)
		return;
	fprintf(out, "  %s: ", word);
	print_texts(list, out);
	fputc('\n', out);
}

/* -- the first line ------------------------------------------------------- */

/* What a violation is about, for the count in front. */
enum about {
	ABOUT_NAMES,
	ABOUT_SUBJECT,
	ABOUT_KEY,
	ABOUT_VALIDITY,
	ABOUT_USAGES,
	ABOUT_EXTENSIONS,
	ABOUT_REST,
	ABOUTS
};

static enum about about(const char *field)
{
	static const struct {
		const char *prefix;
		enum about what;
	} prefixes[] = {
		{"san.", ABOUT_NAMES},
		{"subject.commonName", ABOUT_NAMES},
		{"subject", ABOUT_SUBJECT},
		{"key", ABOUT_KEY},
		{"validity", ABOUT_VALIDITY},
		{"extensions.key_usage", ABOUT_USAGES},
		{"extensions.ext_key_usage", ABOUT_USAGES},
		{"request.usages", ABOUT_USAGES},
		{"extensions", ABOUT_EXTENSIONS},
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (starts_with(field, prefixes[i].prefix))
			return prefixes[i].what;
	}
	return ABOUT_REST;
}

/* Is the field of violation `at` one that stood in front of it already? */
static bool seen_before(const json_t *violations, size_t at)
{
	const char *field = text_of(json_array_get(violations, at), "field");

	for (size_t i = 0; i < at; i++) {
		if (strcmp(text_of(json_array_get(violations, i), "field"),
			   field) == 0)
			return true;
	}
	return false;
}

/* "3 of 5 names", "the key", "2 usages" */
static void print_group(enum about what, size_t n, long long names, FILE *out)
{
	static const struct {
		const char *one, *many;
	} words[ABOUTS] = {
		[ABOUT_NAMES] = {"1 name", "names"},
		[ABOUT_SUBJECT] = {"1 subject attribute", "subject attributes"},
		[ABOUT_KEY] = {"the key", "rules of the key"},
		[ABOUT_VALIDITY] = {"the validity", "rules of the validity"},
		[ABOUT_USAGES] = {"1 usage", "usages"},
		[ABOUT_EXTENSIONS] = {"1 extension", "extensions"},
		[ABOUT_REST] = {"the request", "rules of the request"},
	};

	if (what == ABOUT_NAMES && names > 0)
		fprintf(out, "%zu of %lld names", n, names);
	else if (n == 1)
		fputs(words[what].one, out);
	else
		fprintf(out, "%zu %s", n, words[what].many);
}

/* "3 of 5 names, and the key" */
static void print_summary(const json_t *answer, FILE *out)
{
	const json_t *violations = json_object_get(answer, "violations");
	long long names = json_integer_value(json_object_get(answer, "names"));
	size_t n[ABOUTS] = {0};
	size_t groups = 0, told = 0;

	for (size_t i = 0; i < json_array_size(violations); i++) {
		const json_t *v = json_array_get(violations, i);

		if (!seen_before(violations, i))
			n[about(text_of(v, "field"))]++;
	}
	for (int i = 0; i < ABOUTS; i++)
		groups += n[i] > 0;
	for (int i = 0; i < ABOUTS; i++) {
		if (n[i] == 0)
			continue;
		if (told > 0)
			fputs(told + 1 == groups ? ", and " : ", ", out);
		print_group((enum about)i, n[i], names, out);
		told++;
	}
}

/* The file of the rules that decided: "team-web.yaml" of its places. */
static void print_source(const json_t *policy, FILE *out)
{
	const char *source = text_of(policy, "source");
	const char *owner = text_of(policy, "owner");

	if (source[0] != '\0')
		print_text(out, ", ", source, "");
	if (owner[0] != '\0')
		print_text(out, ", owner ", owner, "");
}

/* "   policy team-web (sha 3f9a12, team-web.yaml)   log #48213" */
static void print_head(const json_t *answer, FILE *out)
{
	const json_t *policy = json_object_get(answer, "policy");
	const json_t *log = json_object_get(answer, "log");

	if (json_is_object(policy)) {
		print_text(out, "   policy ", text_of(policy, "name"), "");
		fprintf(out, " (sha %.*s", SHORT_HASH,
			text_of(policy, "sha256"));
		print_source(policy, out);
		fputc(')', out);
	}
	if (json_is_object(log))
		fprintf(out, "   log #%lld",
			(long long)json_integer_value(
				json_object_get(log, "index")));
	fputc('\n', out);
}

/* Why this policy, what its variables were, and why no other. */
static void print_selection(const json_t *answer, FILE *out)
{
	const json_t *others = json_object_get(answer, "others");
	const json_t *o;
	struct cs_table t;
	size_t i;

	print_list(answer, "because", "why this policy", out);
	print_list(answer, "vars", "vars", out);
	cs_table_init(&t, 2, NULL);
	json_array_foreach(others, i, o)
	{
		cell(&t, "not ", o, "policy");
		cs_table_cell(&t, text_of(o, "why"));
	}
	print_table(&t, out);
	cs_table_done(&t);
}

/* -- findings and rules --------------------------------------------------- */

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
	print_table(&t, out);
	cs_table_done(&t);
}

/* Rules that hold, beside those that are shown by what they decided. */
static size_t count_holding(const json_t *answer)
{
	const json_t *rules = json_object_get(answer, "rules");
	const json_t *r;
	size_t i, n = 0;

	json_array_foreach(rules, i, r) n +=
		strcmp(text_of(r, "outcome"), "violated") != 0;
	return n;
}

/* "2 names, CN, the key, 9 rules" of what is as asked. */
static size_t print_kept(const json_t *answer, FILE *out)
{
	const json_t *kept = json_object_get(answer, "kept");
	size_t names = 0, told = 0;
	bool cn = false, key = false;
	const json_t *k;
	size_t i;

	json_array_foreach(kept, i, k)
	{
		const char *field = json_string_value(k);

		if (field == NULL)
			continue;
		names += starts_with(field, "san.");
		cn = cn || starts_with(field, "subject.commonName");
		key = key || strcmp(field, "key") == 0;
	}
	if (names > 0 && ++told > 0)
		fprintf(out, "%zu name%s", names, names == 1 ? "" : "s");
	if (cn)
		fprintf(out, "%sCN", told++ > 0 ? ", " : "");
	if (key)
		fprintf(out, "%sthe key", told++ > 0 ? ", " : "");
	return told;
}

/* One line: what stood, and what was not looked at. */
static void print_rest(const json_t *answer, FILE *out)
{
	const json_t *not_reached = json_object_get(answer, "not_reached");
	size_t holding = count_holding(answer);
	size_t told;

	if (json_object_get(answer, "kept") != NULL) {
		fputs("  " CHECK_MARK " ", out);
		told = print_kept(answer, out);
		if (holding > 0)
			fprintf(out, "%s%zu other rule%s", told > 0 ? ", " : "",
				holding, holding == 1 ? "" : "s");
		else if (told == 0)
			fputs("nothing", out);
		if (holding > 0 && json_object_get(answer, "all") == NULL)
			fputs(" (--all)", out);
		if (json_array_size(not_reached) == 0)
			fputc('\n', out);
		else
			fputc(' ', out);
	}
	print_list(answer, "not_reached", "not reached", out);
}

/* Every rule of the policy with its value, when that was asked for. */
static void print_rules(const json_t *answer, FILE *out)
{
	const json_t *r;
	struct cs_table t;
	size_t i;

	if (json_object_get(answer, "all") == NULL)
		return;
	cs_table_init(&t, 3, NULL);
	json_array_foreach(json_object_get(answer, "rules"), i, r)
	{
		bool bad = strcmp(text_of(r, "outcome"), "violated") == 0;

		cell(&t, bad ? CROSS_MARK " " : CHECK_MARK " ", r, "rule");
		cell(&t, "", r, "value");
		cs_table_cell(&t, text_of(r, "outcome"));
	}
	print_table(&t, out);
	cs_table_done(&t);
}

/* -- refusals ------------------------------------------------------------- */

/* How the same thing is asked for again. */
static void print_again(const json_t *answer, FILE *out)
{
	const json_t *request = json_object_get(answer, "request");
	const char *namespace = text_of(request, "namespace");
	const char *owner = text_of(request, "owner");

	if (strcmp(text_of(request, "source"), "kubernetes") != 0 ||
	    owner[0] == '\0' || namespace[0] == '\0') {
		fputs("; then: submit it again\n", out);
		return;
	}
	print_text(out, "; then: cmctl renew ", owner, "");
	print_text(out, " -n ", namespace, "\n");
}

/* What to do next. */
static void print_next(const json_t *answer, FILE *out)
{
	const json_t *policy = json_object_get(answer, "policy");
	const char *owner = text_of(policy, "owner");

	if (!json_is_true(json_object_get(answer, "final")))
		return;
	fputs(text_of(answer, "would")[0] != '\0' ? "  nothing was recorded"
						  : "  final for this request",
	      out);
	fputs(". Fix the CSR", out);
	if (strcmp(text_of(answer, "code"), "NO_POLICY") == 0)
		fputs(", or ask for a policy that covers it", out);
	else if (owner[0] != '\0')
		print_text(out, ", or ask ", owner, "");
	else if (json_is_object(policy))
		fputs(", or ask the policy's owner", out);
	print_again(answer, out);
}

/* "REFUSED  2 names", or "DENIED  why" when it was no policy's doing. */
static void print_verdict(const json_t *answer, FILE *out)
{
	const char *code = text_of(answer, "code");

	if (json_array_size(json_object_get(answer, "violations")) > 0) {
		if (text_of(answer, "would")[0] != '\0')
			fputs("WOULD BE ", out);
		fputs("REFUSED  ", out);
		if (strcmp(code, "NO_POLICY") == 0)
			fputs("no policy governs the request", out);
		else
			print_summary(answer, out);
		return;
	}
	print_text(out, code[0] != '\0' ? "" : "REFUSED", code, "  ");
	cs_text_print(out, text_of(answer, "detail"));
}

void cs_show_refusal(const json_t *answer, FILE *out)
{
	long long more =
		json_integer_value(json_object_get(answer, "violations_more"));

	print_verdict(answer, out);
	print_head(answer, out);
	print_selection(answer, out);
	print_findings(json_object_get(answer, "violations"), CROSS_MARK " ",
		       out);
	if (more > 0)
		fprintf(out, "  and %lld more\n", more);
	print_rules(answer, out);
	print_rest(answer, out);
	print_next(answer, out);
}

/* -- certificates --------------------------------------------------------- */

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
	print_table(&t, out);
	cs_table_done(&t);
}

/* "kept: a, b; added: SKI, AKI, serial": the issuer's own come last. */
static void print_unchanged(const json_t *answer, FILE *out)
{
	const json_t *kept = json_object_get(answer, "kept");

	fputs("  ", out);
	if (json_array_size(kept) > 0) {
		fputs("kept: ", out);
		print_texts(kept, out);
		fputs("; ", out);
	}
	fputs("added: serial, SKI, AKI\n", out);
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
	print_selection(answer, out);
	print_diff(answer, out);
	print_findings(json_object_get(answer, "warnings"), "! ", out);
	print_rules(answer, out);
	print_unchanged(answer, out);
	print_list(answer, "not_reached", "not reached", out);
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
