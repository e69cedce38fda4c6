#include "cli/sets.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/files.h"
#include "cli/policies.h"
#include "cli/show.h"

/* Sources, and what the compiler says of them. */
#define ARENA_BYTES (4 * CS_MAX_POLICY_SET)
/* Digits of a hash in a table. */
#define SHORT_HASH 12

void cs_loaded_done(struct cs_loaded *l)
{
	cs_policy_set_free(l->set);
	cs_hash_free(l->hash);
	cs_arena_done(&l->arena);
	*l = (struct cs_loaded){0};
}

/* Compile l->sources, which stand in l->arena. */
static bool load(struct cs_loaded *l, struct cs_error *err)
{
	l->hash = cs_hash_new(err);
	if (l->hash == NULL)
		return false;
	cs_policy_report_init(&l->report, &l->arena);
	l->set = cs_policy_set_load(&l->sources, l->hash, &l->report);
	return true;
}

bool cs_loaded_files(const char *const *paths, size_t n,
		     struct cs_loaded *ret_loaded, struct cs_error *err)
{
	struct cs_loaded l = {0};

	cs_arena_init(&l.arena, ARENA_BYTES);
	if (!cs_policies_read(paths, n, &l.arena, &l.sources, err)) {
		cs_loaded_done(&l);
		return false;
	}
	*ret_loaded = l;
	/* The report points to the arena, which stays where it now is. */
	if (load(ret_loaded, err))
		return true;
	cs_loaded_done(ret_loaded);
	return false;
}

bool cs_loaded_sources(const struct cs_sources *sources,
		       struct cs_loaded *ret_loaded, struct cs_error *err)
{
	*ret_loaded = (struct cs_loaded){.sources = *sources};
	cs_arena_init(&ret_loaded->arena, ARENA_BYTES);
	if (load(ret_loaded, err))
		return true;
	cs_loaded_done(ret_loaded);
	return false;
}

bool cs_loaded_dir(const struct cs_call *call, struct cs_loaded *ret_loaded,
		   struct cs_error *err)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	const char *path;

	cs_arena_init(&arena, CS_MAX_POLICY_FILE);
	path = cs_files_path(&arena, call->dir, CS_POLICIES_DIR);
	if (path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return cs_loaded_files(&path, 1, ret_loaded, err);
}

/* The sources that stand in the answer, copied to the arena. */
static bool take_sources(const json_t *list, struct cs_loaded *l,
			 struct cs_error *err)
{
	size_t n = json_array_size(list);
	struct cs_source *items;

	items = cs_arena_new_array(&l->arena, n, sizeof(*items));
	for (size_t i = 0; items != NULL && i < n; i++) {
		const json_t *s = json_array_get(list, i);
		const json_t *text = json_object_get(s, "text");

		if (!cs_arena_dup(&l->arena,
				  cs_span_str(cs_reply_text(s, "name")),
				  &items[i].name) ||
		    !cs_arena_dup(&l->arena,
				  cs_span_make(json_string_value(text),
					       json_string_length(text)),
				  &items[i].bytes))
			items = NULL;
	}
	if (items == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for the policies");
	l->sources = (struct cs_sources){.items = items, .n = n};
	return true;
}

bool cs_loaded_check(const struct cs_loaded *l, const char *what,
		     struct cs_error *err)
{
	if (l->set != NULL)
		return true;
	if (l->report.n == 0)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	for (size_t i = 0; i < l->report.n; i++) {
		const struct cs_policy_problem *p = &l->report.items[i];

		if (p->severity == CS_PROBLEM_ERROR)
			return cs_error_set(err, CS_E_POLICY, "%s: %.*s", what,
					    CS_SPAN_FMT(p->text));
	}
	return cs_error_set(err, CS_E_POLICY, "%s does not load", what);
}

/* What a question about a set brings; `what` is what it is called. */
static bool load_asked(const struct cs_call *call,
		       const struct cs_question_call *q, const char *what,
		       struct cs_loaded *l, struct cs_error *err)
{
	struct cs_reply r;
	bool ok;

	if (!cs_ask_question(call, q, &r, err))
		return false;
	if (r.status != 200) {
		cs_error_set(err, r.status == 404 ? CS_E_NOT_FOUND : CS_E_HTTP,
			     "%s: %s", what, cs_reply_text(r.body, "detail"));
		cs_reply_done(&r);
		return false;
	}
	*l = (struct cs_loaded){
		.epoch = json_integer_value(json_object_get(r.body, "epoch"))};
	cs_arena_init(&l->arena, ARENA_BYTES);
	ok = take_sources(json_object_get(r.body, "sources"), l, err) &&
	     load(l, err) && cs_loaded_check(l, what, err);
	cs_reply_done(&r);
	if (!ok)
		cs_loaded_done(l);
	return ok;
}

bool cs_loaded_in_force(const struct cs_call *call,
			struct cs_loaded *ret_loaded, struct cs_error *err)
{
	const struct cs_question_call q = {.kind = CS_QUERY_POLICY,
					   .target = "/v1/policies"};

	return load_asked(call, &q, "the set in force", ret_loaded, err);
}

bool cs_loaded_recorded(const struct cs_call *call, const char *sha256,
			struct cs_loaded *ret_loaded, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf target, what;
	struct cs_question_call q = {
		.kind = CS_QUERY_POLICY,
		.in_path = {CS_ASK_ONE, "set_sha256", sha256, 0}};

	cs_buf_init(&target, CS_MAX_HTTP_TARGET);
	cs_buf_init(&what, CS_MAX_HTTP_TARGET);
	cs_buf_add_str(&target, "/v1/policies/");
	cs_ask_escape(&target, sha256);
	cs_buf_addf(&what, "the set %.12s", sha256);
	q.target = cs_buf_str(&target);
	return cs_buf_finish(&target, "the hash", err) &&
	       load_asked(call, &q, cs_buf_str(&what), ret_loaded, err);
}

static json_t *span_json(struct cs_span s)
{
	return json_stringn(s.n > 0 ? (const char *)s.p : "", s.n);
}

/* The document's `match` as compact JSON; "any" when it has none. */
static json_t *match_text(const struct cs_policy_info *p)
{
	struct cs_error err = {0};
	json_t *doc = cs_json_parse(p->json, "the policy", &err);
	json_t *match = json_object_get(json_object_get(doc, "spec"), "match");
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	json_t *out = NULL;

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	if (match == NULL)
		out = json_string("any");
	else if (cs_json_canonical(match, &text, &err))
		out = span_json(cs_buf_span(&text));
	json_decref(doc);
	return out;
}

json_t *cs_loaded_list(const struct cs_loaded *l)
{
	json_t *list = json_array();

	for (size_t i = 0;
	     list != NULL && l->set != NULL && i < cs_policy_set_count(l->set);
	     i++) {
		const struct cs_policy_info *p = cs_policy_set_at(l->set, i);

		if (json_array_append_new(
			    list,
			    json_pack("{s:s, s:o, s:o, s:o, s:I, s:o, s:o, "
				      "s:I, s:o}",
				      "kind", cs_document_kind_name(p->kind),
				      "match", match_text(p), "name",
				      span_json(p->name), "owner",
				      span_json(p->owner), "priority",
				      (json_int_t)p->priority, "sha256",
				      span_json(p->sha256_text), "source",
				      span_json(p->source), "tests",
				      (json_int_t)p->tests, "ticket",
				      span_json(p->ticket))) == 0)
			continue;
		json_decref(list);
		list = NULL;
	}
	return list;
}

void cs_loaded_show(const struct cs_loaded *l, FILE *out)
{
	static const char *const header[] = {"POLICY", "PRIORITY", "SHA256",
					     "SOURCE", "OWNER",	   "MATCH"};
	static const char *const names[] = {"name",   "priority", "short",
					    "source", "owner",	  "match"};
	json_t *list = cs_loaded_list(l);
	json_t *p;
	size_t i;

	json_array_foreach(list, i, p)
	{
		const char *hash = cs_reply_text(p, "sha256");

		json_object_set_new(
			p, "short",
			json_stringn(hash, strnlen(hash, SHORT_HASH)));
		if (cs_reply_text(p, "owner")[0] == '\0')
			json_object_set_new(p, "owner", json_string("-"));
		if (strcmp(cs_reply_text(p, "kind"), "IssuanceGuards") == 0)
			json_object_set_new(p, "priority",
					    json_string("guards"));
	}
	cs_show_list(list, header, names, sizeof(names) / sizeof(names[0]),
		     out);
	json_decref(list);
}
