#include "policy/tell.h"

#include "base/text.h"

/* One cell: a value that policy or a stranger wrote. */
#define CELL_BYTES 16384
/* Digits of a policy's hash in a first line. */
#define SHORT_HASH 6

#define CHECK_MARK "\xe2\x9c\x93"
#define CROSS_MARK "\xe2\x9c\x97"
#define DASH	   "\xe2\x80\x93"

/* "BEFORE text", escaped; nothing when there is no text. */
static void put(struct cs_buf *out, const char *before, struct cs_span text)
{
	if (text.n == 0)
		return;
	cs_buf_add_str(out, before);
	cs_text_put(out, text);
}

/* "BEFORE a, b, c"; nothing when the list is empty. */
static void put_list(struct cs_buf *out, const char *before,
		     const struct cs_tell_texts *list)
{
	for (size_t i = 0; i < list->n; i++) {
		cs_buf_add_str(out, i == 0 ? before : ", ");
		cs_text_put(out, list->items[i]);
	}
}

static bool is_code(const struct cs_tell *t, const char *code)
{
	return cs_span_equal_str(t->code, code);
}

/* -- what is wrong, counted ------------------------------------------------ */

/* What a finding is about, for the count in front. */
enum about {
	ABOUT_NAMES,
	ABOUT_LIST,
	ABOUT_SUBJECT,
	ABOUT_KEY,
	ABOUT_VALIDITY,
	ABOUT_USAGES,
	ABOUT_EXTENSIONS,
	ABOUT_REST,
	ABOUTS
};

/* By the field's beginning; a common name counts as a name. */
static enum about about(struct cs_span field)
{
	bool one = cs_span_ends_with(field, CS_SPAN_LIT("]"));
	static const struct {
		const char *prefix;
		enum about what;
	} prefixes[] = {
		{"san", ABOUT_NAMES},
		{"subject.commonName", ABOUT_NAMES},
		{"subject", ABOUT_SUBJECT},
		{"key", ABOUT_KEY},
		{"validity", ABOUT_VALIDITY},
		{"extensions.key_usage", ABOUT_USAGES},
		{"extensions.ext_key_usage", ABOUT_USAGES},
		{"request.usages", ABOUT_USAGES},
		{"extensions", ABOUT_EXTENSIONS},
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		if (!cs_span_starts_with(field,
					 cs_span_str(prefixes[i].prefix)))
			continue;
		/* "san.dns": that there are too many, say. */
		return prefixes[i].what == ABOUT_NAMES && !one
			       ? ABOUT_LIST
			       : prefixes[i].what;
	}
	return ABOUT_REST;
}

/* Is the field of violation `at` one that stood in front of it already? */
static bool seen_before(const struct cs_tell *t, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (cs_span_equal(t->violations[i].field,
				  t->violations[at].field))
			return true;
	}
	return false;
}

/* "3 of 5 names", "the key", "2 usages" */
static void put_group(struct cs_buf *out, enum about what, size_t n,
		      size_t names)
{
	static const struct {
		const char *one, *many;
	} words[ABOUTS] = {
		[ABOUT_NAMES] = {"1 name", "names"},
		[ABOUT_LIST] = {"the list of names", "rules of the names"},
		[ABOUT_SUBJECT] = {"1 subject attribute", "subject attributes"},
		[ABOUT_KEY] = {"the key", "rules of the key"},
		[ABOUT_VALIDITY] = {"the validity", "rules of the validity"},
		[ABOUT_USAGES] = {"1 usage", "usages"},
		[ABOUT_EXTENSIONS] = {"1 extension", "extensions"},
		[ABOUT_REST] = {"the request", "rules of the request"},
	};

	if (what == ABOUT_NAMES && n <= names)
		cs_buf_addf(out, "%zu of %zu names", n, names);
	else if (n == 1)
		cs_buf_add_str(out, words[what].one);
	else
		cs_buf_addf(out, "%zu %s", n, words[what].many);
}

/* "3 of 5 names, and the key" */
static void put_summary(const struct cs_tell *t, struct cs_buf *out)
{
	size_t n[ABOUTS] = {0};
	size_t groups = 0, told = 0;

	if (is_code(t, "NO_POLICY")) {
		cs_buf_add_str(out, "no policy governs the request");
		return;
	}
	for (size_t i = 0; i < t->violations_n; i++)
		if (!seen_before(t, i))
			n[about(t->violations[i].field)]++;
	for (int i = 0; i < ABOUTS; i++)
		groups += n[i] > 0;
	for (int i = 0; i < ABOUTS; i++) {
		if (n[i] == 0)
			continue;
		if (told > 0)
			cs_buf_add_str(out,
				       told + 1 == groups ? ", and " : ", ");
		put_group(out, (enum about)i, n[i], t->names);
		told++;
	}
}

/* -- the end: what was not looked at, and what to do ----------------------- */

/* "BEFORE build, lint, limits": our own lint is a part of the building. */
static void put_not_reached(const struct cs_tell *t, const char *before,
			    struct cs_buf *out)
{
	for (size_t i = 0; i < t->not_reached.n; i++) {
		cs_buf_add_str(out, i == 0 ? before : ", ");
		cs_text_put(out, t->not_reached.items[i]);
		if (cs_span_equal_str(t->not_reached.items[i], "build"))
			cs_buf_add_str(out, ", lint");
	}
}

/* Whom to ask: by `name`, where the reader has not read it yet. */
static void put_owner(const struct cs_tell *t, bool by_name, struct cs_buf *out)
{
	if (t->policy_owner.n > 0 && by_name)
		put(out, ", or ask ", t->policy_owner);
	else if (t->policy_owner.n > 0)
		cs_buf_add_str(out, ", or ask the owner");
	else if (t->policy.n > 0)
		cs_buf_add_str(out, ", or ask the policy's owner");
}

/* "Fix the CSR, or ask the owner; then: cmctl renew shop-tls -n shop" */
static void put_next(const struct cs_tell *t, bool by_name, struct cs_buf *out)
{
	if (is_code(t, "KEY_REUSED") || is_code(t, "KEY_COMPROMISED"))
		cs_buf_add_str(out, "Make a new key and CSR");
	else if (is_code(t, "LIMIT"))
		cs_buf_add_str(out, "Wait");
	else if (is_code(t, "NO_POLICY"))
		cs_buf_add_str(out, "Ask for a policy that covers it");
	else if (is_code(t, "ISSUER_RETIRED"))
		cs_buf_add_str(out, "Ask another issuer");
	else
		cs_buf_add_str(out, "Fix the CSR");
	put_owner(t, by_name, out);
	if (cs_span_equal_str(t->source, "kubernetes") && t->owner.n > 0 &&
	    t->namespace.n > 0) {
		put(out, "; then: cmctl renew ", t->owner);
		put(out, " -n ", t->namespace);
	} else {
		cs_buf_add_str(out, "; then: submit it again");
	}
}

/* -- the long form: its first lines ---------------------------------------- */

/* "policy team-web (sha 3f9a12, team-web.yaml, owner pki@corp.example)" */
static void put_policy(const struct cs_tell *t, const char *gap,
		       struct cs_buf *out)
{
	if (t->policy.n == 0)
		return;
	cs_buf_add_str(out, gap);
	put(out, "policy ", t->policy);
	put(out, " (sha ", cs_span_sub(t->policy_sha256, 0, SHORT_HASH));
	if (!t->issued) {
		put(out, ", ", t->policy_source);
		put(out, ", owner ", t->policy_owner);
	}
	cs_buf_add_byte(out, ')');
}

static void put_log(const struct cs_tell *t, const char *gap,
		    struct cs_buf *out)
{
	if (t->has_log)
		cs_buf_addf(out, "%slog #%lld", gap, (long long)t->log);
	cs_buf_add_byte(out, '\n');
}

/* "requested ci-vm, approved release-bot (ticket 4711)" */
static void put_people(const struct cs_tell *t, struct cs_buf *out)
{
	put(out, "  requested ", t->requested);
	put(out, t->requested.n > 0 ? ", approved " : "  approved ",
	    t->approved);
	if (t->approval.n > 0) {
		put(out, " (", t->approval);
		cs_buf_add_byte(out, ')');
	}
}

static void put_issued_head(const struct cs_tell *t, struct cs_buf *out)
{
	cs_buf_add_str(out, t->would ? "WOULD BE ISSUED" : "ISSUED");
	if (t->changed)
		cs_buf_add_str(out, ", CHANGED");
	put(out, "  serial ", t->serial);
	put_policy(t, "  ", out);
	put_people(t, out);
	put_log(t, "  ", out);
}

static void put_refused_head(const struct cs_tell *t, struct cs_buf *out)
{
	if (t->held) {
		cs_buf_add_str(out, t->would ? "WOULD BE HELD" : "HELD");
		put(out, "  ", t->code);
		put(out, "  ", t->detail);
	} else if (t->violations_n > 0) {
		cs_buf_add_str(out,
			       t->would ? "WOULD BE REFUSED  " : "REFUSED  ");
		put_summary(t, out);
	} else {
		/* It was no policy's doing. */
		put(out, "", t->code.n > 0 ? t->code : CS_SPAN_LIT("REFUSED"));
		put(out, "  ", t->detail);
	}
	put_policy(t, "   ", out);
	put_log(t, "   ", out);
}

/* Why this policy, what its variables were, and why no other. */
static void put_selection(const struct cs_tell *t, struct cs_buf *out)
{
	struct cs_table table;

	put_list(out, "  why this policy   ", &t->because);
	put_list(out, t->because.n > 0 ? "          vars  " : "  vars  ",
		 &t->vars);
	if (t->because.n > 0 || t->vars.n > 0)
		cs_buf_add_byte(out, '\n');
	cs_table_init(&table, 2, NULL);
	for (size_t i = 0; i < t->others_n; i++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf b;

		cs_buf_init(&b, CELL_BYTES);
		cs_buf_add_str(&b, "not ");
		cs_buf_add(&b, t->others[i].policy);
		cs_table_cell(&table, cs_buf_str(&b));
		cs_table_cell_span(&table, t->others[i].why);
	}
	cs_table_write(&table, "  ", out);
	cs_table_done(&table);
}

/* -- tables ---------------------------------------------------------------- */

/* A cell with something in front of the text. */
static void cell(struct cs_table *table, const char *before,
		 struct cs_span text)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, CELL_BYTES);
	cs_buf_add_str(&b, before);
	cs_buf_add(&b, text);
	cs_table_cell_span(table, cs_buf_ok(&b) ? cs_buf_span(&b)
						: CS_SPAN_LIT("(too long)"));
}

/* A line for each finding, behind its mark. */
static void put_findings(const struct cs_finding *f, size_t n, const char *mark,
			 struct cs_buf *out)
{
	struct cs_table table;

	cs_table_init(&table, 6, NULL);
	for (size_t i = 0; i < n; i++) {
		cell(&table, mark,
		     f[i].field.n > 0 ? f[i].field : CS_SPAN_LIT("-"));
		cell(&table, "",
		     f[i].value.n > 0 ? f[i].value : CS_SPAN_LIT("-"));
		cs_table_cell(&table, f[i].code);
		if (f[i].expect.n > 0)
			cell(&table, "expected ", f[i].expect);
		else
			cell(&table, "", f[i].message);
		cell(&table, "", f[i].rule);
		cell(&table, "", f[i].at);
	}
	cs_table_write(&table, "  ", out);
	cs_table_done(&table);
}

/* "asked "Acme"", "given 90d", "given –": free text is in quotes. */
static void value_cell(struct cs_table *table, const char *word, bool has,
		       struct cs_span value, struct cs_span field)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	bool quoted = has && cs_span_starts_with(field, CS_SPAN_LIT("subject"));

	cs_buf_init(&b, CELL_BYTES);
	cs_buf_add_str(&b, word);
	cs_buf_add_str(&b, quoted ? " \"" : " ");
	cs_buf_add(&b, has ? value : CS_SPAN_LIT(DASH));
	cs_buf_add_str(&b, quoted ? "\"" : "");
	cs_table_cell_span(table, cs_buf_ok(&b) ? cs_buf_span(&b)
						: CS_SPAN_LIT("(too long)"));
}

static void put_changes(const struct cs_tell *t, struct cs_buf *out)
{
	struct cs_table table;

	cs_table_init(&table, 6, NULL);
	for (size_t i = 0; i < t->changes_n; i++) {
		const struct cs_tell_change *c = &t->changes[i];

		cell(&table, "", c->field);
		value_cell(&table, "asked", c->has_asked, c->asked, c->field);
		value_cell(&table, "given", c->has_given, c->given, c->field);
		cell(&table, "", c->disposition);
		cell(&table, "", c->rule);
		cell(&table, "", c->at);
	}
	cs_table_write(&table, "  ", out);
	cs_table_done(&table);
}

/* Every rule of the policy with its value, when that was asked for. */
static void put_rules(const struct cs_tell *t, struct cs_buf *out)
{
	struct cs_table table;

	cs_table_init(&table, 3, NULL);
	for (size_t i = 0; t->all && i < t->rules_n; i++) {
		const struct cs_tell_rule *r = &t->rules[i];
		bool bad = cs_span_equal_str(r->outcome, "violated");

		cell(&table, bad ? CROSS_MARK " " : CHECK_MARK " ", r->rule);
		cell(&table, "", r->value);
		cell(&table, "", r->outcome);
	}
	cs_table_write(&table, "  ", out);
	cs_table_done(&table);
}

/* -- the long form: its last lines ----------------------------------------- */

/* "2 names, CN, the key" of what is as asked; how many of these. */
static size_t put_kept(const struct cs_tell *t, struct cs_buf *out)
{
	size_t names = 0, told = 0;
	bool cn = false, key = false;

	for (size_t i = 0; i < t->kept.n; i++) {
		struct cs_span f = t->kept.items[i];

		names += cs_span_starts_with(f, CS_SPAN_LIT("san."));
		cn |= cs_span_starts_with(f, CS_SPAN_LIT("subject.commonName"));
		key |= cs_span_equal_str(f, "key");
	}
	if (names > 0 && ++told > 0)
		cs_buf_addf(out, "%zu name%s", names, names == 1 ? "" : "s");
	if (cn)
		cs_buf_addf(out, "%sCN", told++ > 0 ? ", " : "");
	if (key)
		cs_buf_addf(out, "%sthe key", told++ > 0 ? ", " : "");
	return told;
}

/* One line: what stood, and what was not looked at. */
static void put_rest(const struct cs_tell *t, struct cs_buf *out)
{
	size_t holding = 0, told;

	for (size_t i = 0; i < t->rules_n; i++)
		holding += !cs_span_equal_str(t->rules[i].outcome, "violated");
	if (t->has_kept) {
		cs_buf_add_str(out, "  " CHECK_MARK " ");
		told = put_kept(t, out);
		if (holding > 0)
			cs_buf_addf(out, "%s%zu other rule%s%s",
				    told > 0 ? ", " : "", holding,
				    holding == 1 ? "" : "s",
				    t->all ? "" : " (--all)");
		else if (told == 0)
			cs_buf_add_str(out, "nothing");
	}
	put_not_reached(
		t,
		t->has_kept ? "      not reached: " : "  not reached: ", out);
	if (t->has_kept || t->not_reached.n > 0)
		cs_buf_add_byte(out, '\n');
}

/* "kept: a, b; added: SKI, AKI, serial": the issuer's own come last. */
static void put_unchanged(const struct cs_tell *t, struct cs_buf *out)
{
	cs_buf_add_str(out, "  ");
	put_list(out, "kept: ", &t->kept);
	cs_buf_add_str(out, t->kept.n > 0 ? "; " : "");
	cs_buf_add_str(out, "added: SKI, AKI, serial\n");
	put_not_reached(t, "  not reached: ", out);
	if (t->not_reached.n > 0)
		cs_buf_add_byte(out, '\n');
}

static void put_last_line(const struct cs_tell *t, struct cs_buf *out)
{
	if (!t->final)
		return;
	cs_buf_add_str(out, t->would ? "  nothing was recorded. "
				     : "  final for this request. ");
	put_next(t, false, out);
	cs_buf_add_byte(out, '\n');
}

void cs_tell_long(const struct cs_tell *t, struct cs_buf *out)
{
	if (t->issued) {
		put_issued_head(t, out);
		put_selection(t, out);
		put_changes(t, out);
		put_findings(t->warnings, t->warnings_n, "! ", out);
		put_rules(t, out);
		put_unchanged(t, out);
		return;
	}
	put_refused_head(t, out);
	put_selection(t, out);
	put_findings(t->violations, t->violations_n, CROSS_MARK " ", out);
	if (t->violations_more > 0)
		cs_buf_addf(out, "  and %zu more\n", t->violations_more);
	put_changes(t, out);
	put_rules(t, out);
	put_rest(t, out);
	put_last_line(t, out);
}

/* -- the short form -------------------------------------------------------- */

/*
 * "SENTENCE (RULE, PLACE)", the field in front of it for readers who have
 * nothing but this line.
 */
static void put_sentence(const struct cs_finding *f, bool with_field,
			 struct cs_buf *out)
{
	if (with_field && f->field.n > 0) {
		cs_text_put(out, f->field);
		cs_buf_add_str(out, ": ");
	}
	cs_text_put(out, f->message);
	if (cs_span_equal_str(f->rule, "built-in") || f->rule.n == 0)
		return;
	put(out, " (", f->rule);
	put(out, ", ", f->at);
	cs_buf_add_byte(out, ')');
}

/* Is everything about the request as a whole? That needs no count. */
static bool is_whole(const struct cs_tell *t)
{
	for (size_t i = 0; i < t->violations_n; i++)
		if (about(t->violations[i].field) != ABOUT_REST)
			return false;
	return true;
}

void cs_tell_short(const struct cs_tell *t, size_t most, struct cs_span id,
		   struct cs_buf *out)
{
	size_t told = t->violations_n < most ? t->violations_n : most;
	size_t more = t->violations_n + t->violations_more - told;

	if (t->violations_n == 0)
		put(out, "", t->detail);
	if (!is_whole(t)) {
		put_summary(t, out);
		cs_buf_add_str(out, ": ");
	}
	for (size_t i = 0; i < told; i++) {
		cs_buf_add_str(out, i > 0 ? "; " : "");
		put_sentence(&t->violations[i], id.n > 0, out);
	}
	if (more > 0)
		cs_buf_addf(out, "; and %zu more", more);
	if (more > 0)
		put(out, ": countersign request show ", id);
	put_not_reached(t, "; not reached: ", out);
	if (t->final) {
		cs_buf_add_str(out, ". ");
		put_next(t, true, out);
	}
}
