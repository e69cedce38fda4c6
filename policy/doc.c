#include "policy/doc.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "policy/effective.h"
#include "policy/rules.h"

/* Maps inside maps that a document can hold: base/yaml.h allows less. */
#define MAX_DEPTH 64
/* A key path, and a list as text. */
#define PATH_BYTES  4096
#define VALUE_BYTES CS_MAX_POLICY_FILE

/* A map under way. */
struct level {
	json_t *map;
	void *next;  /* iterator */
	size_t path; /* bytes of the path above it */
};

/* A value that is no map, as one text. */
static json_t *value_text(const json_t *value, const char *path)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, VALUE_BYTES);
	if (json_is_string(value))
		return json_string(json_string_value(value));
	if (strcmp(path, "tests") == 0 && json_is_array(value))
		cs_buf_addf(&b, "%zu tests", json_array_size(value));
	else if (!cs_json_canonical(value, &b, NULL))
		return json_string("(too long)");
	return json_stringn(cs_buf_str(&b), cs_buf_span(&b).n);
}

/* Everything below one map, under `prefix`. */
static bool flatten(json_t *map, const char *prefix, json_t *out)
{
	struct level stack[MAX_DEPTH];
	CS_CLEANUP(cs_buf_done) struct cs_buf path;
	size_t depth = 1;

	cs_buf_init(&path, PATH_BYTES);
	cs_buf_add_str(&path, prefix);
	stack[0] = (struct level){map, json_object_iter(map),
				  cs_buf_span(&path).n};
	while (depth > 0) {
		struct level *top = &stack[depth - 1];
		json_t *value;

		if (top->next == NULL) {
			depth--;
			continue;
		}
		cs_buf_truncate(&path, top->path);
		cs_buf_addf(&path, "%s%s", top->path > 0 ? "." : "",
			    json_object_iter_key(top->next));
		value = json_object_iter_value(top->next);
		top->next = json_object_iter_next(top->map, top->next);
		if (json_is_object(value) && json_object_size(value) > 0 &&
		    depth < MAX_DEPTH) {
			stack[depth++] =
				(struct level){value, json_object_iter(value),
					       cs_buf_span(&path).n};
			continue;
		}
		if (!cs_buf_ok(&path) ||
		    json_object_set_new(out, cs_buf_str(&path),
					value_text(value, cs_buf_str(&path))) !=
			    0)
			return false;
	}
	return true;
}

json_t *cs_policy_doc_flat(struct cs_span json)
{
	struct cs_error err = {0};
	json_t *doc = cs_json_parse(json, "the policy", &err);
	json_t *metadata = json_object_get(doc, "metadata");
	json_t *spec = json_object_get(doc, "spec");
	json_t *out = json_object();

	if (doc == NULL || out == NULL ||
	    (json_is_object(metadata) && !flatten(metadata, "metadata", out)) ||
	    (json_is_object(spec) && !flatten(spec, "", out))) {
		json_decref(out);
		out = NULL;
	}
	json_decref(doc);
	return out;
}

/* A policy of the set by its name; NULL: none. */
static const struct cs_policy_info *find(const struct cs_policy_set *set,
					 struct cs_span name)
{
	for (size_t i = 0; i < cs_policy_set_count(set); i++) {
		const struct cs_policy_info *p = cs_policy_set_at(set, i);

		if (cs_span_equal(p->name, name))
			return p;
	}
	return NULL;
}

/* One key of either, when it is not the same in both. */
static bool add_key(json_t *keys, const char *key, json_t *old, json_t *new)
{
	if (old != NULL && new != NULL && json_equal(old, new))
		return true;
	return json_array_append_new(keys,
				     json_pack("{s:s, s:O?, s:O?}", "key", key,
					       "new", new, "old", old)) == 0;
}

/* [{"key", "new", "old"}] of two documents. */
static json_t *diff_keys(const struct cs_policy_info *now,
			 const struct cs_policy_info *then)
{
	json_t *a = cs_policy_doc_flat(now->json);
	json_t *b = cs_policy_doc_flat(then->json);
	json_t *keys = json_array();
	bool ok = a != NULL && b != NULL && keys != NULL;
	const char *key;
	json_t *value;

	json_object_foreach(a, key, value)
	{
		ok = ok && add_key(keys, key, value, json_object_get(b, key));
	}
	json_object_foreach(b, key, value)
	{
		ok = ok && (json_object_get(a, key) != NULL ||
			    add_key(keys, key, NULL, value));
	}
	/* Only what the flat form does not tell apart. */
	if (ok && json_array_size(keys) == 0)
		ok = add_key(keys, "tests", NULL, NULL);
	json_decref(a);
	json_decref(b);
	if (ok)
		return keys;
	json_decref(keys);
	return NULL;
}

/* One line of the list; keys are taken over, NULL for none. */
static bool add_change(json_t *list, const char *change,
		       const struct cs_policy_info *p, json_t *keys)
{
	return json_array_append_new(
		       list, json_pack("{s:s, s:o?, s:o, s:o}", "change",
				       change, "keys", keys, "name",
				       json_stringn((const char *)p->name.p,
						    p->name.n),
				       "source",
				       json_stringn((const char *)p->source.p,
						    p->source.n))) == 0;
}

/* The hashes of keys that nobody gets, which are no document's. */
static bool add_blocklist(json_t *list, const struct cs_policy_set *now,
			  const struct cs_policy_set *then)
{
	size_t old = now != NULL ? now->blocklist.n : 0;
	size_t new = then->blocklist.n;
	json_t *keys;

	if (old == new &&
	    (old == 0 || memcmp(now->blocklist.items, then->blocklist.items,
				old * 32) == 0))
		return true;
	keys = json_pack("[{s:s, s:o, s:o}]", "key", "hashes", "new",
			 json_sprintf("%zu", new), "old",
			 json_sprintf("%zu", old));
	return keys != NULL &&
	       json_array_append_new(
		       list, json_pack("{s:s, s:o, s:s, s:s}", "change",
				       old == 0	  ? "added"
				       : new == 0 ? "removed"
						  : "changed",
				       "keys", keys, "name", "blocklist",
				       "source", "*.blocklist")) == 0;
}

json_t *cs_policy_doc_diff(const struct cs_policy_set *now,
			   const struct cs_policy_set *then)
{
	size_t n = now != NULL ? cs_policy_set_count(now) : 0;
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < n; i++) {
		const struct cs_policy_info *old = cs_policy_set_at(now, i);
		const struct cs_policy_info *new = find(then, old->name);
		json_t *keys;

		if (new == NULL) {
			ok = add_change(list, "removed", old, NULL);
		} else if (!cs_span_equal(old->sha256_text, new->sha256_text)) {
			keys = diff_keys(old, new);
			ok = keys != NULL &&
			     add_change(list, "changed", new, keys);
		}
	}
	for (size_t i = 0; ok && i < cs_policy_set_count(then); i++) {
		const struct cs_policy_info *new = cs_policy_set_at(then, i);

		if (now == NULL || find(now, new->name) == NULL)
			ok = add_change(list, "added", new, NULL);
	}
	ok = ok && add_blocklist(list, now, then);
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

json_t *cs_policy_doc_rules(const struct cs_policy_info *policy)
{
	static const char *const others[] = {"match",  "priority", "tests",
					     "tables", "vars",	   "mode",
					     "extends"};
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	json_t *doc = cs_policy_effective(policy);
	json_t *spec = json_object_get(doc, "spec");
	json_t *flat = NULL;

	cs_buf_init(&text, 8 * (size_t)CS_MAX_POLICY_FILE);
	json_object_del(doc, "metadata");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		json_object_del(spec, others[i]);
	if (doc != NULL && cs_json_canonical(doc, &text, NULL))
		flat = cs_policy_doc_flat(cs_buf_span(&text));
	json_decref(doc);
	return flat;
}
