#include "policy/detail.h"

/* What a finding is about, for the count in front. */
enum about {
	ABOUT_NAME,
	ABOUT_SUBJECT,
	ABOUT_KEY,
	ABOUT_VALIDITY,
	ABOUT_USAGE,
	ABOUT_EXTENSION,
	ABOUT_REST,
	ABOUTS
};

/* By the field's beginning; a common name counts as a name. */
static enum about about(const struct cs_finding *f)
{
	static const struct {
		const char *prefix;
		enum about what;
	} prefixes[] = {
		{"san", ABOUT_NAME},
		{"subject.commonName", ABOUT_NAME},
		{"subject", ABOUT_SUBJECT},
		{"key", ABOUT_KEY},
		{"validity", ABOUT_VALIDITY},
		{"extensions.key_usage", ABOUT_USAGE},
		{"extensions.ext_key_usage", ABOUT_USAGE},
		{"request.usages", ABOUT_USAGE},
		{"extensions", ABOUT_EXTENSION},
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		if (cs_span_starts_with(f->field,
					cs_span_str(prefixes[i].prefix)))
			return prefixes[i].what;
	}
	return ABOUT_REST;
}

/* "2 names", "the key", "an extension" */
static void write_group(struct cs_buf *out, enum about what, size_t n)
{
	static const struct {
		const char *one, *many;
	} words[] = {
		[ABOUT_NAME] = {"1 name", "names"},
		[ABOUT_SUBJECT] = {"1 subject attribute", "subject attributes"},
		[ABOUT_KEY] = {"the key", "rules of the key"},
		[ABOUT_VALIDITY] = {"the validity", "rules of the validity"},
		[ABOUT_USAGE] = {"1 usage", "usages"},
		[ABOUT_EXTENSION] = {"1 extension", "extensions"},
		[ABOUT_REST] = {"the request", "rules of the request"},
	};

	if (n == 1)
		cs_buf_add_str(out, words[what].one);
	else
		cs_buf_addf(out, "%zu %s", n, words[what].many);
}

/* "2 names, the key: " */
static void write_head(const struct cs_findings *f, struct cs_buf *out)
{
	size_t n[ABOUTS] = {0};
	bool any = false;

	for (size_t i = 0; i < f->n; i++)
		n[about(&f->items[i])]++;
	/* What concerns the whole request needs no count. */
	if (n[ABOUT_REST] == f->n)
		return;
	for (int what = 0; what < ABOUTS; what++) {
		if (n[what] == 0)
			continue;
		if (any)
			cs_buf_add_str(out, ", ");
		write_group(out, (enum about)what, n[what]);
		any = true;
	}
	cs_buf_add_str(out, ": ");
}

/* "SENTENCE (RULE, PLACE)" */
static void write_finding(const struct cs_finding *f, struct cs_buf *out)
{
	cs_buf_add(out, f->message);
	if (f->at.n > 0)
		cs_buf_addf(out, " (%.*s, %.*s)", CS_SPAN_FMT(f->rule),
			    CS_SPAN_FMT(f->at));
	else if (!cs_span_equal_str(f->rule, "built-in"))
		cs_buf_addf(out, " (%.*s)", CS_SPAN_FMT(f->rule));
}

void cs_verdict_detail(const struct cs_verdict *v, struct cs_buf *out)
{
	const struct cs_findings *f = &v->findings;
	size_t told = f->n < CS_DETAIL_FINDINGS ? f->n : CS_DETAIL_FINDINGS;

	write_head(f, out);
	for (size_t i = 0; i < told; i++) {
		if (i > 0)
			cs_buf_add_str(out, "; ");
		write_finding(&f->items[i], out);
	}
	if (f->n + f->more > told)
		cs_buf_addf(out, "; and %zu more", f->n + f->more - told);
}
