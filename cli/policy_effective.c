/* A policy document with every default filled in. */
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "base/yaml.h"
#include "cli/policy_doc.h"

/* The tree of the built-in default. */
#define ARENA_BYTES CS_MAX_POLICY_FILE

/* The spec of the built-in default as JSON. NULL: no memory. */
static json_t *default_spec(void)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	struct cs_yaml *doc;
	json_t *json, *spec;

	cs_arena_init(&arena, ARENA_BYTES);
	doc = cs_yaml_parse(cs_policy_default_text(), "default.yaml", &arena,
			    NULL);
	json = doc != NULL ? cs_yaml_to_json(doc) : NULL;
	spec = json_incref(json_object_get(json, "spec"));
	json_decref(json);
	return spec;
}

/* Sets a member that is absent; takes the value. */
static void fill(json_t *object, const char *key, json_t *value)
{
	if (json_object_get(object, key) == NULL)
		json_object_set_new(object, key, value);
	else
		json_decref(value);
}

static void fill_word(json_t *object, const char *key, const char *word)
{
	fill(object, key, json_string(word));
}

/* The member of the built-in default, when it is absent. */
static void fill_from(json_t *object, const char *key, const json_t *base)
{
	fill(object, key, json_deep_copy(json_object_get(base, key)));
}

/* A section that the spec has, or an empty one. */
static json_t *section(json_t *spec, const char *name)
{
	fill(spec, name, json_object());
	return json_object_get(spec, name);
}

static void fill_subject(json_t *subject)
{
	json_t *attr;
	const char *name;

	json_object_foreach(subject, name, attr)
	{
		if (!json_is_object(attr))
			continue;
		fill_word(attr, "on_violation", "reject");
		if (strcmp(name, "commonName") != 0)
			continue;
		fill(attr, "max", json_integer(1));
		fill_word(attr, "in_san", "require");
	}
	fill_word(subject, "unlisted", "reject");
}

static void fill_san(json_t *san)
{
	json_t *kind;
	const char *name;

	json_object_foreach(san, name, kind)
	{
		if (!json_is_object(kind))
			continue;
		fill_word(kind, "on_violation", "reject");
		if (strcmp(name, "dns") == 0)
			fill_word(kind, "wildcard", "forbid");
	}
	fill_word(san, "unlisted", "reject");
}

/* A duration of the section in seconds; of max, also {value: ...}. */
static int64_t seconds_of(const json_t *validity, const char *key)
{
	const json_t *v = json_object_get(validity, key);
	const char *text = json_string_value(
		json_is_object(v) ? json_object_get(v, "value") : v);
	int64_t seconds = 0;

	if (text == NULL ||
	    !cs_time_parse_duration(cs_span_str(text), &seconds, NULL))
		return 0;
	return seconds;
}

/* What the document says pushes what it does not say. */
static void fill_validity(json_t *validity, const json_t *base)
{
	bool has_min = json_object_get(validity, "min") != NULL;
	bool has_default = json_object_get(validity, "default") != NULL;
	json_t *max;

	fill_from(validity, "max", base);
	fill_from(validity, "min", base);
	fill_from(validity, "default", base);
	fill_from(validity, "backdate", base);
	fill_from(validity, "ca_expiry", base);
	max = json_object_get(validity, "max");
	if (json_is_object(max)) {
		fill_word(max, "on_violation", "reject");
		max = json_object_get(max, "value");
	}
	if (!has_min &&
	    seconds_of(validity, "min") > seconds_of(validity, "max"))
		json_object_set(validity, "min", max);
	if (!has_default &&
	    seconds_of(validity, "default") > seconds_of(validity, "max"))
		json_object_set(validity, "default", max);
	if (!has_default &&
	    seconds_of(validity, "default") < seconds_of(validity, "min"))
		json_object_set(validity, "default",
				json_object_get(validity, "min"));
}

static void fill_extensions(json_t *ext, const json_t *base)
{
	json_t *usage;

	fill_from(ext, "key_usage", base);
	fill_from(ext, "ext_key_usage", base);
	fill_from(ext, "basic_constraints", base);
	fill_word(ext, "unlisted", "reject");
	usage = json_object_get(ext, "key_usage");
	fill(usage, "critical", json_true());
	fill_word(usage, "on_violation", "reject");
	usage = json_object_get(ext, "ext_key_usage");
	fill(usage, "critical", json_false());
	fill_word(usage, "on_violation", "reject");
}

json_t *cs_policy_doc_effective(struct cs_span json)
{
	json_t *doc = cs_json_parse(json, "the policy", NULL);
	json_t *spec = json_object_get(doc, "spec");
	json_t *base = default_spec();

	/* Guards are all that they say. */
	if (spec != NULL && json_object_get(spec, "guards") != NULL) {
		json_decref(base);
		return doc;
	}
	if (spec == NULL || base == NULL) {
		json_decref(doc);
		json_decref(base);
		return NULL;
	}
	fill(spec, "priority", json_integer(0));
	fill_subject(section(spec, "subject"));
	fill_san(section(spec, "san"));
	fill_from(spec, "key", base);
	fill_validity(section(spec, "validity"),
		      json_object_get(base, "validity"));
	fill_extensions(section(spec, "extensions"),
			json_object_get(base, "extensions"));
	json_decref(base);
	return doc;
}

json_t *cs_policy_doc_rules(struct cs_span json)
{
	static const char *const others[] = {"match",  "priority", "tests",
					     "tables", "vars",	   "mode",
					     "extends"};
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	json_t *doc = cs_policy_doc_effective(json);
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
