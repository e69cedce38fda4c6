#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/json.h"
#include "base/mem.h"
#include "policy/builtin.h"
#include "policy/select.h"
#include "policy/self_test.h"

void cs_policy_set_free(struct cs_policy_set *set)
{
	if (set == NULL)
		return;
	cs_arena_done(&set->arena);
	cs_mem_free(set);
}

/* A document that is compiled in. */
static struct cs_policy *load_builtin(struct cs_load *l, struct cs_span text,
				      struct cs_hash *hash,
				      const struct cs_policy *base)
{
	struct cs_error err = {0};
	struct cs_yaml *doc = cs_yaml_parse(text, "built-in", l->arena, &err);
	struct cs_policy *p;

	l->source = cs_span_make(NULL, 0);
	if (doc == NULL) {
		cs_report_add(l->report, CS_PROBLEM_ERROR, l->source, 0, 0,
			      "%s", err.text);
		return NULL;
	}
	p = cs_load_document(l, doc, hash, base, NULL);
	if (p != NULL)
		cs_self_test_run(l, p);
	return p;
}

/* Document number i, which is there. */
static const struct cs_policy_info *info_of(const struct cs_policy_set *set,
					    size_t i)
{
	return i < set->n ? &set->sorted[i]->info
			  : &set->guards[i - set->n]->info;
}

/* A guard's id is its name in every answer: there is one in a set. */
static void check_ids(struct cs_load *l, const struct cs_policy_set *set,
		      const struct cs_policy *p, const struct cs_yaml *doc)
{
	for (size_t i = 0; i < set->guards_n; i++) {
		const struct cs_policy *other = set->guards[i];

		for (size_t k = 0; k < other->guards_n * p->guards_n; k++) {
			const struct cs_rule *a =
				&other->guards[k / p->guards_n].rule;
			const struct cs_rule *b =
				&p->guards[k % p->guards_n].rule;

			if (cs_span_equal(a->id, b->id))
				cs_load_error(
					l, doc, "`%.*s` is at %.*s already",
					CS_SPAN_FMT(b->id), CS_SPAN_FMT(a->at));
		}
	}
}

/* A document of a source: keep it. */
static void keep(struct cs_load *l, struct cs_policy_set *set,
		 struct cs_policy *p, const struct cs_yaml *doc)
{
	size_t count = cs_policy_set_count(set);

	for (size_t i = 0; i < count; i++) {
		const struct cs_policy_info *other = info_of(set, i);

		if (!cs_span_equal(other->name, p->info.name))
			continue;
		cs_load_error(l, doc,
			      "the name `%.*s` is taken by the document at "
			      "%.*s:%u",
			      CS_SPAN_FMT(p->info.name),
			      CS_SPAN_FMT(other->source), other->line);
		return;
	}
	if (count == CS_MAX_POLICIES) {
		cs_load_error(l, doc, "more than %d policies", CS_MAX_POLICIES);
		return;
	}
	if (p->info.kind == CS_DOCUMENT_GUARDS) {
		check_ids(l, set, p, doc);
		set->guards[set->guards_n++] = p;
	} else {
		set->sorted[set->n++] = p;
	}
}

/* The sentence of a YAML error already begins with its place. */
static void report_yaml(struct cs_load *l, const struct cs_error *err)
{
	struct cs_span source;

	cs_report_add(l->report, CS_PROBLEM_ERROR, cs_span_make(NULL, 0), 0, 0,
		      "%s", err->text);
	/* The report outlives the set, so it needs a copy. */
	if (l->report->n > 0 &&
	    cs_arena_dup(l->report->arena, l->source, &source))
		l->report->items[l->report->n - 1].source = source;
}

/* A document of a source, before and after it is loaded. */
struct doc {
	const struct cs_yaml *node;
	struct cs_span source;
	struct cs_policy *policy; /* NULL: not yet, or it does not load */
	struct doc *next;
};

/* All documents of one source, behind *last. */
static void parse_source(struct cs_load *l, struct cs_policy_set *set,
			 const struct cs_source *source, struct doc ***last)
{
	struct cs_error err = {0};
	char *name = cs_arena_str(l->arena, source->name);
	struct cs_yaml *node;

	if (name == NULL) {
		cs_load_no_memory(l);
		return;
	}
	l->source = cs_span_str(name);
	if (cs_load_is_blocklist(l->source)) {
		cs_load_blocklist(l, source->bytes, &set->blocklist);
		return;
	}
	node = cs_yaml_parse(source->bytes, name, l->arena, &err);
	if (node == NULL)
		report_yaml(l, &err);
	for (; node != NULL; node = node->next) {
		struct doc *doc;

		/* A file of comments, or an end marker too many. */
		if (node->kind == CS_YAML_NULL)
			continue;
		doc = cs_arena_new(l->arena, sizeof(*doc));
		if (doc == NULL) {
			cs_load_no_memory(l);
			return;
		}
		doc->node = node;
		doc->source = l->source;
		**last = doc;
		*last = &doc->next;
	}
}

/* What a document extends; NULL: nothing. */
static const struct cs_yaml *extends(const struct doc *doc)
{
	return cs_yaml_get(cs_yaml_get(doc->node, "spec"), "extends");
}

/* The name that a document gives itself; empty: none. */
static struct cs_span name_of(const struct doc *doc)
{
	const struct cs_yaml *name =
		cs_yaml_get(cs_yaml_get(doc->node, "metadata"), "name");

	return name != NULL && name->kind == CS_YAML_TEXT
		       ? name->text
		       : cs_span_make(NULL, 0);
}

/* No document is called that: the nearest name is a hint. */
static void unknown_parent(struct cs_load *l, const struct doc *docs,
			   const struct cs_yaml *node, struct cs_span name)
{
	const char *near = NULL;

	for (; docs != NULL && near == NULL; docs = docs->next) {
		struct cs_load_key one[2] = {{NULL, false, NULL},
					     {NULL, false, NULL}};

		one[0].name = cs_arena_str(l->arena, name_of(docs));
		near = cs_load_nearest(name, one);
	}
	cs_load_error(l, node, "there is no policy `%.*s` to extend%s%s%s",
		      CS_SPAN_FMT(name), near != NULL ? "; did you mean `" : "",
		      near != NULL ? near : "", near != NULL ? "`?" : "");
}

/* The parent of a document, which must be loaded by now; NULL: reported. */
static const struct doc *find_parent(struct cs_load *l, const struct doc *docs,
				     const struct doc *doc)
{
	const struct cs_yaml *node = extends(doc);
	const struct doc *d = docs;
	struct cs_span name;

	l->path = "spec";
	if (!cs_load_text(l, node, &name))
		return NULL;
	while (d != NULL && !cs_span_equal(name_of(d), name))
		d = d->next;
	if (d == NULL) {
		unknown_parent(l, docs, node, name);
		return NULL;
	}
	if (extends(d) != NULL) {
		cs_load_error(l, node,
			      "`%.*s` extends another policy itself; only one "
			      "level is possible",
			      CS_SPAN_FMT(name));
		return NULL;
	}
	return d;
}

/* One document; it is kept, and its tests are run. */
static void load_doc(struct cs_load *l, struct cs_policy_set *set,
		     const struct doc *docs, struct doc *doc,
		     struct cs_hash *hash, const struct cs_policy *base)
{
	size_t before = l->report->errors;
	struct cs_load_parent parent = {0};
	const struct doc *of = NULL;

	l->source = doc->source;
	if (extends(doc) != NULL) {
		of = find_parent(l, docs, doc);
		/* A parent that does not load has errors of its own. */
		if (of == NULL || of->policy == NULL)
			return;
		if (of->policy->info.kind != CS_DOCUMENT_POLICY) {
			cs_load_error(l, extends(doc),
				      "only a policy can be extended");
			return;
		}
		parent.spec = cs_yaml_get(of->node, "spec");
		parent.source = of->source;
	}
	doc->policy = cs_load_document(l, doc->node, hash, base,
				       of != NULL ? &parent : NULL);
	if (doc->policy != NULL)
		keep(l, set, doc->policy, doc->node);
	if (l->report->errors == before && doc->policy != NULL)
		cs_self_test_run(l, doc->policy);
}

/* All sources: first what extends nothing, then the rest. */
static void load_sources(struct cs_load *l, struct cs_policy_set *set,
			 const struct cs_sources *sources, struct cs_hash *hash,
			 const struct cs_policy *base)
{
	struct doc *docs = NULL, **last = &docs;

	for (size_t i = 0; i < sources->n; i++)
		parse_source(l, set, &sources->items[i], &last);
	for (struct doc *d = docs; d != NULL; d = d->next) {
		if (extends(d) == NULL)
			load_doc(l, set, docs, d, hash, base);
	}
	for (struct doc *d = docs; d != NULL; d = d->next) {
		if (extends(d) != NULL)
			load_doc(l, set, docs, d, hash, base);
	}
}

/* Highest priority first; ties by name, so that the order is one. */
static int compare(const void *a, const void *b)
{
	const struct cs_policy *x = *(struct cs_policy *const *)a;
	const struct cs_policy *y = *(struct cs_policy *const *)b;

	if (x->info.priority != y->info.priority)
		return x->info.priority > y->info.priority ? -1 : 1;
	return cs_span_compare(x->info.name, y->info.name);
}

/* Two spans by their bytes, for qsort. */
static int compare_spans(const void *a, const void *b)
{
	return cs_span_compare(*(const struct cs_span *)a,
			       *(const struct cs_span *)b);
}

/*
 * The set's identity, policies and guards alike: the sorted hashes as a JSON
 * array, hashed. The blocklist, where there is one, is one more document.
 */
static bool hash_set(struct cs_policy_set *set, struct cs_hash *hash,
		     struct cs_error *err)
{
	size_t count = cs_policy_set_count(set);
	struct cs_span *hex =
		cs_arena_new_array(&set->arena, count + 1, sizeof(*hex));
	CS_CLEANUP(cs_buf_done) struct cs_buf list;
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	uint8_t sha256[CS_SHA256_SIZE];
	struct cs_json j;
	size_t n;

	cs_buf_init(&list, 2 * (size_t)CS_SHA256_SIZE);
	cs_buf_init(&b, 70 * ((size_t)CS_MAX_POLICIES + 1));
	if (hex == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	for (n = 0; n < count; n++)
		hex[n] = info_of(set, n)->sha256_text;
	if (!cs_load_blocklist_end(&set->blocklist, hash, sha256, err))
		return false;
	if (set->blocklist.n > 0) {
		cs_codec_hex(cs_span_make(sha256, sizeof(sha256)), &list);
		hex[n++] = cs_buf_span(&list);
	}
	qsort(hex, n, sizeof(*hex), compare_spans);
	cs_json_begin(&j, &b);
	cs_json_array(&j);
	for (size_t i = 0; i < n; i++)
		cs_json_string(&j, hex[i]);
	cs_json_end(&j);
	return cs_json_finish(&j, "the set's hashes", err) &&
	       cs_hash_sha256(hash, cs_buf_span(&b), set->sha256, err);
}

/* A policy refuses what is on a list, and there is none. */
static void warn_of_no_list(const struct cs_policy_set *set,
			    struct cs_policy_report *report)
{
	for (size_t i = 0; set->blocklist.n == 0 && i < set->n; i++) {
		const struct cs_policy *p = set->sorted[i];

		if (p->key.blocklist)
			cs_report_add(report, CS_PROBLEM_WARNING,
				      p->info.source, p->info.line, 1,
				      "`key.reject` names the blocklist, and "
				      "no file NAME.blocklist stands beside "
				      "the policies");
	}
}

/* Everything, into a set that is empty. */
static void load_all(struct cs_policy_set *set,
		     const struct cs_sources *sources, struct cs_hash *hash,
		     struct cs_policy_report *report)
{
	struct cs_load l = {.arena = &set->arena, .report = report, .path = ""};
	struct cs_error err = {0};
	struct cs_policy *base;

	set->sorted = cs_arena_new_array(&set->arena, CS_MAX_POLICIES,
					 sizeof(struct cs_policy *));
	set->guards = cs_arena_new_array(&set->arena, CS_MAX_POLICIES,
					 sizeof(struct cs_policy *));
	if (set->sorted == NULL || set->guards == NULL) {
		cs_load_no_memory(&l);
		return;
	}
	base = load_builtin(&l, cs_builtin_default(), hash, NULL);
	if (base == NULL)
		return;
	set->house[CS_HOUSE_LISTENER] =
		load_builtin(&l, cs_builtin_listener(), hash, base);
	set->house[CS_HOUSE_OCSP] =
		load_builtin(&l, cs_builtin_ocsp(), hash, base);
	load_sources(&l, set, sources, hash, base);
	qsort(set->sorted, set->n, sizeof(struct cs_policy *), compare);
	qsort(set->guards, set->guards_n, sizeof(struct cs_policy *), compare);
	cs_select_check_ties(set, report);
	cs_select_check_shadows(set, report);
	cs_select_warn(set, report);
	warn_of_no_list(set, report);
	if (!hash_set(set, hash, &err))
		cs_report_add(report, CS_PROBLEM_ERROR, cs_span_make(NULL, 0),
			      0, 0, "%s", err.text);
}

struct cs_policy_set *cs_policy_set_load(const struct cs_sources *sources,
					 struct cs_hash *hash,
					 struct cs_policy_report *report)
{
	struct cs_policy_set *set = cs_mem_new(sizeof(*set));

	if (set == NULL) {
		cs_report_add(report, CS_PROBLEM_ERROR, cs_span_make(NULL, 0),
			      0, 0, "no memory to load the set");
		return NULL;
	}
	cs_arena_init(&set->arena, CS_MAX_POLICY_SET_ARENA);
	load_all(set, sources, hash, report);
	if (report->errors > 0) {
		cs_policy_set_free(set);
		return NULL;
	}
	return set;
}

const uint8_t *cs_policy_set_sha256(const struct cs_policy_set *set)
{
	return set->sha256;
}

const char *cs_document_kind_name(enum cs_document_kind kind)
{
	return kind == CS_DOCUMENT_GUARDS ? "IssuanceGuards" : "IssuancePolicy";
}

size_t cs_policy_set_count(const struct cs_policy_set *set)
{
	return set->n + set->guards_n;
}

const struct cs_policy_info *cs_policy_set_at(const struct cs_policy_set *set,
					      size_t i)
{
	return i < cs_policy_set_count(set) ? info_of(set, i) : NULL;
}

struct cs_span cs_policy_default_text(void)
{
	return cs_builtin_default();
}
