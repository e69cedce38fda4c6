#include <stdio.h>

#include "policy/load.h"

static const struct cs_load_key san_keys[] = {
	{"unlisted", false},	 {"min_total", false}, {"max_total", false},
	{"dns", false},		 {"ip", false},	       {"uri", false},
	{"email", false},	 {"other_name", true}, {"directory_name", true},
	{"registered_id", true}, {NULL, false},
};

static const struct cs_load_key kind_keys[] = {
	{"min", false},		 {"max", false}, {"allow", false},
	{"deny", false},	 {"set", true},	 {"default", true},
	{"on_violation", false}, {NULL, false},
};

static const struct cs_load_key dns_keys[] = {
	{"min", false},		 {"max", false},      {"allow", false},
	{"deny", false},	 {"wildcard", false}, {"set", true},
	{"on_violation", false}, {"default", true},   {NULL, false},
};

static const struct {
	const char *name;
	enum cs_load_domain domain;
} kinds[CS_SAN_KINDS] = {
	[CS_NAME_DNS] = {"dns", CS_LOAD_DNS},
	[CS_NAME_IP] = {"ip", CS_LOAD_IP},
	[CS_NAME_URI] = {"uri", CS_LOAD_URI},
	[CS_NAME_EMAIL] = {"email", CS_LOAD_EMAIL},
};

/* drop in a list of names is worth a word. */
static void warn_of_drop(struct cs_load *l, const struct cs_yaml *node,
			 enum cs_on_violation action)
{
	if (node != NULL && action == CS_ON_VIOLATION_DROP)
		cs_load_warning(l, node,
				"names that are dropped surprise whoever "
				"asked for them; reject tells them why");
}

/* Whether wildcards may be asked for; not unless it is said. */
static void load_wildcard(struct cs_load *l, const struct cs_yaml *section,
			  struct cs_san_rules *r)
{
	static const char *const words[] = {"forbid", "leftmost", NULL};
	const struct cs_yaml *node = cs_yaml_get(section, "wildcard");
	unsigned i = 0;

	if (node != NULL)
		(void)cs_load_word(l, node, words, &i);
	r->wildcards = i == 1;
	r->wildcard_rule = cs_load_rule(l, "san.dns.wildcard",
					node != NULL ? node : section);
}

/* The rules of one kind of name. */
static void load_kind(struct cs_load *l, const struct cs_yaml *node,
		      enum cs_name_kind kind, struct cs_san_rules *r)
{
	const struct cs_yaml *on = cs_yaml_get(node, "on_violation");
	char path[32], key[64];

	(void)snprintf(path, sizeof(path), "san.%s", kinds[kind].name);
	l->path = path;
	r->listed = true;
	r->rule = cs_load_rule(l, path, node);
	if (!cs_load_map(l, node, kind == CS_NAME_DNS ? dns_keys : kind_keys)) {
		l->path = "san";
		return;
	}
	(void)snprintf(key, sizeof(key), "%s.deny", path);
	cs_load_matchers(l, cs_yaml_get(node, "deny"), key, kinds[kind].domain,
			 &r->deny);
	(void)snprintf(key, sizeof(key), "%s.allow", path);
	cs_load_matchers(l, cs_yaml_get(node, "allow"), key, kinds[kind].domain,
			 &r->allow);
	(void)snprintf(key, sizeof(key), "%s.min", path);
	cs_load_count(l, cs_yaml_get(node, "min"), key, &r->min);
	(void)snprintf(key, sizeof(key), "%s.max", path);
	cs_load_count(l, cs_yaml_get(node, "max"), key, &r->max);
	if (r->min.present && r->max.present && r->min.value > r->max.value)
		cs_load_error(l, node, "`min` is greater than `max`");
	cs_load_on_violation(l, on, &r->on_violation);
	warn_of_drop(l, on, r->on_violation);
	if (kind == CS_NAME_DNS)
		load_wildcard(l, node, r);
	l->path = "san";
}

void cs_load_san(struct cs_load *l, const struct cs_yaml *node,
		 struct cs_sans_rules *san)
{
	cs_load_unlisted(l, node, "san.unlisted", &san->unlisted);
	l->path = "san";
	if (!cs_load_map(l, node, san_keys))
		return;
	warn_of_drop(l, cs_yaml_get(node, "unlisted"), san->unlisted.action);
	cs_load_count(l, cs_yaml_get(node, "min_total"), "san.min_total",
		      &san->min_total);
	cs_load_count(l, cs_yaml_get(node, "max_total"), "san.max_total",
		      &san->max_total);
	for (int kind = 0; kind < CS_SAN_KINDS; kind++) {
		const struct cs_yaml *one = cs_yaml_get(node, kinds[kind].name);

		if (one != NULL)
			load_kind(l, one, (enum cs_name_kind)kind,
				  &san->kind[kind]);
	}
}
