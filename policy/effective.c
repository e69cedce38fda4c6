/*
 * A policy with every default filled in. What a document does not say is told
 * from the compiled rules, that is from what judging reads, and so cannot be
 * another than the one in force; only whole sections that the built-in default
 * stands in for are taken from its text, as the loader takes them.
 */
#include "policy/effective.h"

#include <string.h>

#include "base/json.h"
#include "base/time.h"
#include "base/yaml.h"
#include "policy/builtin.h"
#include "policy/rules.h"

/* Words of the language, in the order of their enums. */
static const char *const on_violation[] = {
	[CS_ON_VIOLATION_REJECT] = "reject",
	[CS_ON_VIOLATION_DROP] = "drop",
	[CS_ON_VIOLATION_CLAMP] = "clamp",
	[CS_ON_VIOLATION_HOLD] = "hold",
};
static const char *const modes[] = {
	[CS_MODE_ENFORCE] = "enforce",
	[CS_MODE_WARN] = "warn",
	[CS_MODE_SHADOW] = "shadow",
};
static const char *const in_san[] = {
	[CS_IN_SAN_REQUIRE] = "require",
	[CS_IN_SAN_ADD] = "add",
	[CS_IN_SAN_IGNORE] = "ignore",
};
static const char *const ca_expiry[] = {
	[CS_CA_EXPIRY_REJECT] = "reject",
	[CS_CA_EXPIRY_CLAMP] = "clamp",
};

/* The spec of the built-in default as JSON. NULL: no memory. */
static json_t *default_spec(void)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	struct cs_yaml *doc;
	json_t *json, *spec;

	cs_arena_init(&arena, CS_MAX_POLICY_FILE);
	doc = cs_yaml_parse(cs_builtin_default(), "built-in", &arena, NULL);
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

static void fill_seconds(json_t *object, const char *key, int64_t seconds)
{
	char text[CS_TIME_TEXT];

	cs_time_duration(seconds, text);
	fill_word(object, key, text);
}

/* A section that the object has, or an empty one. */
static json_t *section(json_t *object, const char *name)
{
	fill(object, name, json_object());
	return json_object_get(object, name);
}

/* The rules of "subject.NAME"; NULL: `unlisted`. */
static const struct cs_attr_rules *attr_rules(const struct cs_policy *p,
					      const char *name)
{
	for (size_t i = 0; i < p->subject.n; i++) {
		const struct cs_attr_rules *a = &p->subject.attrs[i];
		struct cs_span own =
			cs_span_sub(a->field, strlen("subject."), SIZE_MAX);

		if (cs_span_equal_str(own, name))
			return a;
	}
	return NULL;
}

static void fill_subject(json_t *subject, const struct cs_policy *p)
{
	const struct cs_attr_rules *a;
	const char *name;
	json_t *attr;

	json_object_foreach(subject, name, attr)
	{
		a = attr_rules(p, name);
		if (a == NULL)
			continue;
		fill_word(attr, "on_violation", on_violation[a->on_violation]);
		if (!a->is_cn)
			continue;
		fill(attr, "max", json_integer((json_int_t)a->max.value));
		fill_word(attr, "in_san", in_san[a->in_san]);
	}
	fill_word(subject, "unlisted",
		  on_violation[p->subject.unlisted.action]);
}

static void fill_san(json_t *san, const struct cs_sans_rules *rules)
{
	static const char *const names[CS_SAN_KINDS] = {
		[CS_NAME_DNS] = "dns",
		[CS_NAME_IP] = "ip",
		[CS_NAME_URI] = "uri",
		[CS_NAME_EMAIL] = "email",
		[CS_NAME_DIRECTORY] = "directory_name",
		[CS_NAME_REGISTERED_ID] = "registered_id",
	};
	json_t *others = json_object_get(san, "other_name");
	json_t *kind;

	for (size_t k = 0; k < CS_SAN_KINDS; k++) {
		const struct cs_san_rules *r = &rules->kind[k];

		kind = json_object_get(san, names[k]);
		if (kind == NULL)
			continue;
		fill_word(kind, "on_violation", on_violation[r->on_violation]);
		if (k == CS_NAME_DNS)
			fill_word(kind, "wildcard",
				  r->wildcards ? "leftmost" : "forbid");
	}
	/* One type may stand alone, without its list. */
	for (size_t i = 0; i < rules->others_n; i++)
		fill_word(json_is_array(others) ? json_array_get(others, i)
						: others,
			  "on_violation",
			  on_violation[rules->others[i].rules.on_violation]);
	fill_word(san, "unlisted", on_violation[rules->unlisted.action]);
}

static void fill_key(json_t *spec, const json_t *base,
		     const struct cs_key_rules *rules)
{
	json_t *reuse;

	fill_from(spec, "key", base);
	reuse = section(json_object_get(spec, "key"), "reuse");
	fill_word(reuse, "other_subject",
		  rules->other_subject.reject ? "reject" : "allow");
	fill_word(reuse, "same_subject",
		  rules->same_subject.reject ? "reject" : "allow");
}

static void fill_validity(json_t *validity, const struct cs_validity_rules *v)
{
	json_t *max;

	fill_seconds(validity, "default", v->fallback_s);
	fill_seconds(validity, "min", v->min_s);
	fill_seconds(validity, "max", v->max_s);
	fill_seconds(validity, "backdate", v->backdate_s);
	fill_word(validity, "ca_expiry", ca_expiry[v->on_ca_expiry]);
	max = json_object_get(validity, "max");
	if (json_is_object(max))
		fill_word(max, "on_violation", on_violation[v->on_max]);
}

static void fill_extensions(json_t *ext, const json_t *base,
			    const struct cs_ext_rules *rules)
{
	json_t *one;
	size_t i;

	fill_from(ext, "key_usage", base);
	fill_from(ext, "ext_key_usage", base);
	one = json_object_get(ext, "key_usage");
	fill(one, "critical", json_boolean(rules->key_usage.critical));
	fill_word(one, "on_violation",
		  on_violation[rules->key_usage.on_violation]);
	one = json_object_get(ext, "ext_key_usage");
	fill(one, "critical", json_boolean(rules->ext_key_usage.critical));
	fill_word(one, "on_violation",
		  on_violation[rules->ext_key_usage.on_violation]);
	one = section(ext, "basic_constraints");
	fill(one, "ca", json_boolean(rules->constraints.ca));
	fill(ext, "no_rev_avail", json_boolean(rules->no_rev_avail));
	fill_word(ext, "unlisted", on_violation[rules->unlisted.action]);
	json_array_foreach(json_object_get(ext, "add"), i, one)
	{
		fill(one, "critical", json_false());
	}
}

/* on_violation of each in a list of limits or windows, or of one alone. */
static void fill_timing(json_t *spec, const struct cs_timing_rules *t)
{
	json_t *limits = json_object_get(spec, "limits");
	json_t *windows = json_object_get(spec, "windows");

	for (size_t i = 0; i < t->limits_n; i++)
		fill_word(json_is_array(limits) ? json_array_get(limits, i)
						: limits,
			  "on_violation",
			  on_violation[t->limits[i].on_violation]);
	for (size_t i = 0; i < t->windows_n; i++)
		fill_word(json_is_array(windows) ? json_array_get(windows, i)
						 : windows,
			  "on_violation",
			  on_violation[t->windows[i].on_violation]);
	fill(section(spec, "lint"), "fail",
	     t->lint_warnings_refuse ? json_pack("[s, s]", "error", "warning")
				     : json_pack("[s]", "error"));
}

json_t *cs_policy_effective(const struct cs_policy_info *info)
{
	/* It is the first member of what was compiled. */
	const struct cs_policy *p = (const struct cs_policy *)info;
	json_t *doc = cs_json_parse(info->json, "the policy", NULL);
	json_t *spec = json_object_get(doc, "spec");
	json_t *base;

	/* Guards are all that they say. */
	if (spec == NULL || info->kind == CS_DOCUMENT_GUARDS)
		return doc;
	base = default_spec();
	if (base == NULL) {
		json_decref(doc);
		return NULL;
	}
	fill(spec, "priority", json_integer((json_int_t)info->priority));
	fill_word(spec, "mode", modes[info->mode]);
	fill_subject(section(spec, "subject"), p);
	fill_san(section(spec, "san"), &p->san);
	fill_key(spec, base, &p->key);
	fill_validity(section(spec, "validity"), &p->validity);
	fill_extensions(section(spec, "extensions"),
			json_object_get(base, "extensions"), &p->ext);
	fill_timing(spec, &p->timing);
	json_decref(base);
	return doc;
}
