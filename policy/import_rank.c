/*
 * Priorities. The foreign systems ask every policy that is selected, and one
 * that approves is enough; here exactly one governs. So the narrower selection
 * goes first, and where two selections have a request in common, the report
 * says what the one behind loses by it.
 */
#include <stdlib.h>

#include "policy/import_parts.h"
#include "policy/match.h"

/* Memory of one comparison of two globs. */
#define SCRATCH ((size_t)256 * 1024)
/* More pairs of globs than this are not compared: they count as meeting. */
#define MANY 4096
/* Between two priorities, so that people can put one in. */
#define STEP 10

/* match.KEY of a draft; NULL: any. */
static json_t *selector(const struct cs_draft *d, const char *key)
{
	return json_object_get(json_object_get(d->spec, "match"), key);
}

static struct cs_span span_of(const json_t *text)
{
	return cs_span_make(json_string_value(text), json_string_length(text));
}

/* May a text be selected by both lists of globs? */
static bool globs_meet(const json_t *a, const json_t *b,
		       struct cs_arena *scratch)
{
	struct cs_span witness;

	if (a == NULL || b == NULL ||
	    json_array_size(a) * json_array_size(b) > MANY)
		return true;
	for (size_t i = 0; i < json_array_size(a); i++) {
		for (size_t k = 0; k < json_array_size(b); k++) {
			cs_arena_reset(scratch);
			if (cs_match_globs_meet(span_of(json_array_get(a, i)),
						span_of(json_array_get(b, k)),
						scratch, &witness))
				return true;
		}
	}
	return false;
}

/* Labels of which one key has two values keep requests apart. */
static bool labels_meet(json_t *a, const json_t *b)
{
	const char *key;
	json_t *value;

	json_object_foreach(a, key, value)
	{
		const json_t *other = json_object_get(b, key);

		if (other != NULL && !json_equal(value, other))
			return false;
	}
	return true;
}

/* May one request be selected by both? */
static bool overlap(const struct cs_draft *a, const struct cs_draft *b,
		    struct cs_arena *scratch)
{
	static const char *const keys[] = {"issuer", "source", "namespace"};

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		if (!globs_meet(selector(a, keys[k]), selector(b, keys[k]),
				scratch))
			return false;
	}
	return labels_meet(selector(a, "namespaceLabels"),
			   selector(b, "namespaceLabels"));
}

/* Where a selector is, and where it has no star, the selection is narrower. */
static int weight_of(const struct cs_draft *d)
{
	static const char *const keys[] = {"namespace", "issuer"};
	int weight = 0;

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		const json_t *list = selector(d, keys[k]);
		bool stars = false;

		for (size_t i = 0; i < json_array_size(list); i++)
			stars = stars ||
				cs_span_find(span_of(json_array_get(list, i)),
					     '*', NULL);
		if (list != NULL)
			weight += stars ? 1 : 2;
	}
	return weight +
	       2 * (int)json_object_size(selector(d, "namespaceLabels"));
}

/* The narrowest first; those that are as narrow stay in their order. */
static void sort(struct cs_importing *i)
{
	struct cs_draft *sorted = NULL;

	while (i->drafts != NULL) {
		struct cs_draft *d = i->drafts, **at = &sorted;

		i->drafts = d->next;
		while (*at != NULL && (*at)->weight >= d->weight)
			at = &(*at)->next;
		d->next = *at;
		*at = d;
	}
	i->drafts = sorted;
}

/* What a policy loses to those before it. */
static void tell_overlaps(struct cs_importing *i, struct cs_draft *d,
			  struct cs_arena *scratch)
{
	for (struct cs_draft *a = i->drafts; a != d; a = a->next) {
		const struct cs_yaml at = {.line = d->policy->line};

		if (a->shadow || d->shadow || !overlap(a, d, scratch))
			continue;
		i->draft = d;
		i->source = d->policy->source;
		cs_import_tell(i, CS_IMPORT_NARROWER, &at, "priority",
			       "`%.*s` goes before it, and both select some "
			       "requests: those are judged by that one alone, "
			       "where any of the two was enough",
			       CS_SPAN_FMT(a->policy->name));
		i->draft = NULL;
		return;
	}
}

void cs_import_rank(struct cs_importing *i)
{
	struct cs_arena scratch;
	int64_t n = 0;

	for (struct cs_draft *d = i->drafts; d != NULL; d = d->next) {
		d->weight = weight_of(d);
		n++;
	}
	sort(i);
	cs_arena_init(&scratch, SCRATCH);
	/* All that a comparison wants, so that none fails for memory. */
	if (cs_arena_new(&scratch, SCRATCH / 2) == NULL)
		i->no_memory = true;
	for (struct cs_draft *d = i->drafts; d != NULL; d = d->next) {
		cs_import_set(i, d->spec, "priority",
			      json_integer((json_int_t)(STEP * n--)));
		tell_overlaps(i, d, &scratch);
	}
	cs_arena_done(&scratch);
}
