#include "api/policy_body.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/sources.h"

/* Names of sources are those of files: no directory, nothing hidden. */
static bool is_name(struct cs_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && !(c >= '0' && c <= '9') &&
		    (i == 0 || (c != '.' && c != '-' && c != '_')))
			return false;
	}
	return s.n > 0;
}

/* One source: {"name", "text"}. */
static bool read_source(const struct cs_body *b, struct cs_source *ret)
{
	static const char *const fields[] = {"name", "text", NULL};

	if (!cs_body_known(b, fields) ||
	    !cs_body_get_text(b, "name", CS_BODY_LINE, CS_MAX_SOURCE_NAME,
			      &ret->name) ||
	    !cs_body_get_text(b, "text", CS_BODY_LINES, CS_MAX_POLICY_FILE,
			      &ret->bytes))
		return false;
	if (ret->name.p == NULL)
		return cs_body_refuse(b, "name", "it is missing");
	if (ret->bytes.p == NULL)
		return cs_body_refuse(b, "text", "it is missing");
	if (is_name(ret->name))
		return true;
	return cs_body_refuse(b, "name",
			      "\"%.*s\" is no name of a file: letters, digits,"
			      " '.', '-', '_', beginning with a letter or"
			      " digit",
			      CS_SPAN_FMT(ret->name));
}

/* Stands this name among the first n? */
static bool is_known(const struct cs_source *items, size_t n,
		     struct cs_span name)
{
	for (size_t i = 0; i < n; i++) {
		if (cs_span_equal(items[i].name, name))
			return true;
	}
	return false;
}

/* All of them into the array. */
static bool read_sources(const struct cs_body *b, const char *field,
			 const json_t *list, struct cs_source *items)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		char path[48];
		struct cs_body in = {json_array_get(list, i), path, b->p};

		(void)snprintf(path, sizeof(path), "%s[%zu]", field, i);
		if (!json_is_object(in.object))
			return cs_body_refuse(b, path, "no object");
		(void)snprintf(path, sizeof(path), "%s[%zu].", field, i);
		if (!read_source(&in, &items[i]))
			return false;
		if (is_known(items, i, items[i].name))
			return cs_body_refuse(&in, "name",
					      "\"%.*s\" stands twice",
					      CS_SPAN_FMT(items[i].name));
	}
	return true;
}

bool cs_policy_body_sources(const struct cs_body *b, const char *field,
			    struct cs_arena *arena, struct cs_buf *out,
			    bool *ret_there)
{
	struct cs_sources sources = {0};
	json_t *list;

	if (!cs_body_get_array(b, field, CS_MAX_POLICY_FILES, &list))
		return false;
	*ret_there = list != NULL;
	if (list == NULL)
		return true;
	sources.n = json_array_size(list);
	sources.items = cs_arena_new_array(arena, sources.n + 1,
					   sizeof(*sources.items));
	if (sources.items == NULL)
		return cs_problem_set(b->p, CS_PROBLEM_BUSY, "",
				      "Out of memory.");
	if (!read_sources(b, field, list, sources.items))
		return false;
	cs_sources_encode(&sources, out);
	return cs_buf_ok(out) ||
	       cs_problem_set(b->p, CS_PROBLEM_BUSY, "", "Out of memory.");
}

bool cs_policy_body_read(struct cs_span body, struct cs_arena *arena,
			 struct cs_buf *out, struct cs_problem *p)
{
	static const char *const fields[] = {"sources", NULL};
	struct cs_body b = {cs_body_parse(body, p), "", p};
	bool there = false;
	bool ok;

	if (b.object == NULL)
		return false;
	ok = cs_body_known(&b, fields) &&
	     cs_policy_body_sources(&b, "sources", arena, out, &there);
	if (ok && !there)
		ok = cs_body_refuse(&b, "sources", "it is missing");
	json_decref(b.object);
	return ok;
}
