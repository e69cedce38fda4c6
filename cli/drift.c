#include "cli/drift.h"

#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/config.h"
#include "cli/files.h"
#include "cli/policies.h"
#include "cli/text.h"

/* Does policy come from files? No, when that cannot be read. */
static bool from_files(const struct cs_call *call)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_config config;

	cs_arena_init(&arena, 8 * CS_MAX_POLICY_FILE);
	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	return cs_files_read(call->dir, CS_CONFIG_FILE, &text, NULL) &&
	       cs_config_parse(cs_buf_span(&text), CS_CONFIG_FILE, &arena,
			       &config, NULL) &&
	       !config.policy_by_api;
}

static bool add(json_t *list, struct cs_span file, const char *is)
{
	return json_array_append_new(list,
				     json_pack("{s:s%, s:s}", "file", file.p,
					       file.n, "is", is)) == 0;
}

/* The source of that name among what is in force; NULL: none. */
static const json_t *find(const json_t *sources, struct cs_span name)
{
	const json_t *s;
	size_t i;

	json_array_foreach(sources, i, s)
	{
		if (cs_span_equal_str(name, cs_reply_text(s, "name")))
			return s;
	}
	return NULL;
}

/* Is it among the files? */
static bool is_file(const struct cs_sources *files, const char *name)
{
	for (size_t i = 0; i < files->n; i++) {
		if (cs_span_equal_str(files->items[i].name, name))
			return true;
	}
	return false;
}

/* Both, file by file. */
static bool compare(const struct cs_sources *files, const json_t *sources,
		    json_t *list)
{
	const json_t *s;
	size_t i;

	for (i = 0; i < files->n; i++) {
		const struct cs_source *f = &files->items[i];
		const json_t *text;

		s = find(sources, f->name);
		text = json_object_get(s, "text");
		if (s == NULL ? !add(list, f->name, "new")
			      : (!cs_span_equal(
					 f->bytes,
					 cs_span_make(
						 json_string_value(text),
						 json_string_length(text))) &&
				 !add(list, f->name, "changed")))
			return false;
	}
	json_array_foreach(sources, i, s)
	{
		const char *name = cs_reply_text(s, "name");

		if (!is_file(files, name) &&
		    !add(list, cs_span_str(name), "gone"))
			return false;
	}
	return true;
}

json_t *cs_drift_list(const struct cs_call *call)
{
	const struct cs_question_call q = {.kind = CS_QUERY_POLICY,
					   .target = "/v1/policies"};
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	struct cs_sources files;
	struct cs_reply r = {0};
	json_t *list = json_array();
	const char *path;
	bool ok = true;

	cs_arena_init(&arena, 2 * CS_MAX_POLICY_SET);
	path = cs_files_path(&arena, call->dir, CS_POLICIES_DIR);
	if (path != NULL && from_files(call) &&
	    cs_policies_read(&path, 1, &arena, &files, NULL) &&
	    cs_ask_question(call, &q, &r, NULL) && r.status == 200)
		ok = compare(&files, json_object_get(r.body, "sources"), list);
	cs_reply_done(&r);
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

void cs_drift_print(const json_t *list, FILE *out)
{
	const json_t *d;
	size_t i;

	json_array_foreach(list, i, d)
	{
		fputs(i == 0 ? "warning: policies/ is not what is in force: "
			     : ", ",
		      out);
		cs_text_print(out, cs_reply_text(d, "file"));
		fprintf(out, " %s", cs_reply_text(d, "is"));
	}
	if (json_array_size(list) > 0)
		fputs("; see `countersign policy diff`, then `countersign "
		      "policy apply`\n",
		      out);
}
