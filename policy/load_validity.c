#include "policy/load.h"

/* Seconds in 36500 days; X.509 itself ends in the year 9999. */
#define MAX_DURATION ((int64_t)36500 * 86400)

const struct cs_load_key cs_keys_validity[] = {
	{"default", false, "duration"}, {"min", false, "duration"},
	{"max", false, "max_validity"}, {"backdate", false, "duration"},
	{"ca_expiry", false, "clamp"},	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_max[] = {
	{"value", false, "duration"},
	{"on_violation", false, "clamp"},
	{NULL, false, NULL},
};

/* A duration and where it stands. */
static bool load_one(struct cs_load *l, const struct cs_yaml *node,
		     const char *path, int64_t *seconds, struct cs_rule *rule)
{
	if (node == NULL || !cs_load_duration(l, node, seconds))
		return false;
	*rule = cs_load_rule(l, path, node);
	return true;
}

/* 24h, or {value: 90d, on_violation: clamp}. */
static bool load_max(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_validity_rules *v)
{
	static const char *const words[] = {"reject", "clamp", NULL};
	const struct cs_yaml *on = cs_yaml_get(node, "on_violation");
	const struct cs_yaml *value = node;
	unsigned i = 0;

	if (node == NULL)
		return false;
	if (node->kind == CS_YAML_MAP) {
		l->path = "validity.max";
		if (!cs_load_map(l, node, cs_keys_max))
			return false;
		value = cs_yaml_get(node, "value");
		if (value == NULL)
			cs_load_error(l, node,
				      "`validity.max` without `value`");
		if (on != NULL)
			(void)cs_load_word(l, on, words, &i);
	}
	v->on_max = i == 0 ? CS_ON_VIOLATION_REJECT : CS_ON_VIOLATION_CLAMP;
	if (value == NULL || !cs_load_duration(l, value, &v->max_s))
		return false;
	v->max = cs_load_rule(l, "validity.max", node);
	return true;
}

/* What the document does not say gives way to what it says. */
static void fit(struct cs_validity_rules *v, bool has_default, bool has_min)
{
	if (!has_min && v->min_s > v->max_s)
		v->min_s = v->max_s;
	if (!has_default && v->fallback_s > v->max_s) {
		v->fallback_s = v->max_s;
		v->fallback = v->max;
	}
	if (!has_default && v->fallback_s < v->min_s) {
		v->fallback_s = v->min_s;
		v->fallback = v->min;
	}
}

/* Do the durations go together? */
static void check(struct cs_load *l, const struct cs_yaml *node,
		  const struct cs_validity_rules *v)
{
	if (v->max_s > MAX_DURATION || v->backdate_s > MAX_DURATION)
		cs_load_error(l, node, "a duration of more than 36500d");
	else if (v->min_s > v->max_s)
		cs_load_error(l, node, "`min` is longer than `max`");
	else if (v->fallback_s < v->min_s || v->fallback_s > v->max_s)
		cs_load_error(l, node, "`default` is not within min and max");
	if (v->backdate_s >= v->min_s)
		cs_load_error(l, node,
			      "`backdate` is not shorter than `min`: a "
			      "certificate would be born expired");
}

void cs_load_validity(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_validity_rules *v)
{
	static const char *const words[] = {"reject", "clamp", NULL};
	const struct cs_yaml *expiry = cs_yaml_get(node, "ca_expiry");
	size_t before = l->report->errors;
	bool has_default, has_min;
	unsigned i = 0;

	l->path = "validity";
	if (!cs_load_map(l, node, cs_keys_validity))
		return;
	has_default =
		load_one(l, cs_yaml_get(node, "default"), "validity.default",
			 &v->fallback_s, &v->fallback);
	has_min = load_one(l, cs_yaml_get(node, "min"), "validity.min",
			   &v->min_s, &v->min);
	(void)load_max(l, cs_yaml_get(node, "max"), v);
	(void)load_one(l, cs_yaml_get(node, "backdate"), "validity.backdate",
		       &v->backdate_s, &v->backdate);
	if (expiry != NULL && cs_load_word(l, expiry, words, &i)) {
		v->on_ca_expiry = (enum cs_ca_expiry)i;
		v->ca_expiry = cs_load_rule(l, "validity.ca_expiry", expiry);
	}
	fit(v, has_default, has_min);
	if (l->report->errors == before)
		check(l, node, v);
}
