#include <stdio.h>

#include "base/der.h"
#include "policy/load.h"

const struct cs_load_key cs_keys_san[] = {
	{"unlisted", false, "drop"},
	{"min_total", false, "count"},
	{"max_total", false, "count"},
	{"dns", false, "san_dns"},
	{"ip", false, "san_ip"},
	{"uri", false, "san_uri"},
	{"email", false, "san_email"},
	{"other_name", false, "san_other+"},
	{"directory_name", false, "san_directory"},
	{"registered_id", false, "san_registered"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_san_kind[] = {
	{"min", false, "count"},
	{"max", false, "count"},
	{"allow", false, "@+"},
	{"deny", false, "@+"},
	{"set", true, NULL},
	{"default", true, NULL},
	{"on_violation", false, "drop"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_san_dns[] = {
	{"min", false, "count"},
	{"max", false, "count"},
	{"allow", false, "@+"},
	{"deny", false, "@+"},
	{"wildcard", false, "wildcard"},
	{"set", true, NULL},
	{"on_violation", false, "drop"},
	{"default", true, NULL},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_san_other[] = {
	{"oid", false, "text"},		 {"type", false, "utf8"},
	{"min", false, "count"},	 {"max", false, "count"},
	{"allow", false, "@+"},		 {"deny", false, "@+"},
	{"on_violation", false, "drop"}, {NULL, false, NULL},
};

static const struct {
	const char *name;
	enum cs_match_domain domain;
} kinds[CS_SAN_KINDS] = {
	[CS_NAME_DNS] = {"dns", CS_DOMAIN_DNS},
	[CS_NAME_IP] = {"ip", CS_DOMAIN_IP},
	[CS_NAME_URI] = {"uri", CS_DOMAIN_URI},
	[CS_NAME_EMAIL] = {"email", CS_DOMAIN_EMAIL},
	[CS_NAME_DIRECTORY] = {"directory_name", CS_DOMAIN_DN},
	[CS_NAME_REGISTERED_ID] = {"registered_id", CS_DOMAIN_OID},
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

/* What every kind of name may have: deny, allow, min, max, on_violation. */
static void load_rules(struct cs_load *l, const struct cs_yaml *node,
		       const char *path, enum cs_match_domain domain,
		       struct cs_san_rules *r)
{
	const struct cs_yaml *on = cs_yaml_get(node, "on_violation");
	char key[4 * CS_MAX_OID + 64];

	(void)snprintf(key, sizeof(key), "%s.deny", path);
	cs_load_matchers(l, cs_yaml_get(node, "deny"), key, domain, &r->deny);
	(void)snprintf(key, sizeof(key), "%s.allow", path);
	cs_load_matchers(l, cs_yaml_get(node, "allow"), key, domain, &r->allow);
	(void)snprintf(key, sizeof(key), "%s.min", path);
	cs_load_count(l, cs_yaml_get(node, "min"), key, &r->min);
	(void)snprintf(key, sizeof(key), "%s.max", path);
	cs_load_count(l, cs_yaml_get(node, "max"), key, &r->max);
	if (r->min.present && r->max.present && r->min.value > r->max.value)
		cs_load_error(l, node, "`min` is greater than `max`");
	cs_load_on_violation(l, on, &r->on_violation);
	warn_of_drop(l, on, r->on_violation);
}

/* The rules of one kind of name. */
static void load_kind(struct cs_load *l, const struct cs_yaml *node,
		      enum cs_name_kind kind, struct cs_san_rules *r)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "san.%s", kinds[kind].name);
	l->path = path;
	r->listed = true;
	r->rule = cs_load_rule(l, path, node);
	if (cs_load_map(l, node,
			kind == CS_NAME_DNS ? cs_keys_san_dns
					    : cs_keys_san_kind)) {
		load_rules(l, node, path, kinds[kind].domain, r);
		if (kind == CS_NAME_DNS)
			load_wildcard(l, node, r);
	}
	l->path = "san";
}

/* The type-id of an otherName; no two rules are for one. */
static bool load_type(struct cs_load *l, const struct cs_yaml *node,
		      const struct cs_sans_rules *san, struct cs_span *ret_oid,
		      struct cs_span *ret_text)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf oid;
	struct cs_error err = {0};

	cs_buf_init(&oid, CS_MAX_OID);
	if (!cs_load_text(l, node, ret_text))
		return false;
	if (!cs_der_oid_parse(*ret_text, &oid, &err) ||
	    !cs_buf_finish(&oid, "the OID", &err)) {
		cs_load_error(l, node, "%s", err.text);
		return false;
	}
	for (size_t i = 0; i < san->others_n; i++) {
		if (!cs_span_equal(san->others[i].oid, cs_buf_span(&oid)))
			continue;
		cs_load_error(l, node, "there are rules for %.*s already",
			      CS_SPAN_FMT(*ret_text));
		return false;
	}
	if (cs_arena_dup(l->arena, cs_buf_span(&oid), ret_oid))
		return true;
	cs_load_no_memory(l);
	return false;
}

/* {oid, type: utf8, allow, ...} */
static void load_other(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_sans_rules *san)
{
	static const char *const types[] = {"utf8", NULL};
	struct cs_other_rules *o = &san->others[san->others_n];
	const struct cs_yaml *oid = cs_yaml_get(node, "oid");
	const struct cs_yaml *type = cs_yaml_get(node, "type");
	struct cs_span text = {0};
	char path[4 * CS_MAX_OID + 32];
	unsigned i;

	l->path = "san.other_name";
	if (!cs_load_map(l, node, cs_keys_san_other))
		return;
	if (oid == NULL || type == NULL) {
		cs_load_error(l, node,
			      "an otherName has `oid` and `type: utf8`");
		return;
	}
	if (!load_type(l, oid, san, &o->oid, &text) ||
	    !cs_load_word(l, type, types, &i))
		return;
	(void)snprintf(path, sizeof(path), "san.other_name.%.*s",
		       CS_SPAN_FMT(cs_span_sub(text, 0, 3 * CS_MAX_OID)));
	o->rules.listed = true;
	o->rules.rule = cs_load_rule(l, path, node);
	load_rules(l, node, path, CS_DOMAIN_TEXT, &o->rules);
	san->others_n++;
}

/* other_name: [{oid, type, ...}] */
static void load_others(struct cs_load *l, const struct cs_yaml *node,
			struct cs_sans_rules *san)
{
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);

	if (n == 0)
		return;
	san->others = cs_arena_new_array(l->arena, n, sizeof(*san->others));
	if (san->others == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (size_t i = 0; i < n; i++, item = item->next)
		load_other(l, item, san);
	l->path = "san";
}

void cs_load_san(struct cs_load *l, const struct cs_yaml *node,
		 struct cs_sans_rules *san)
{
	cs_load_unlisted(l, node, "san.unlisted", &san->unlisted);
	l->path = "san";
	if (!cs_load_map(l, node, cs_keys_san))
		return;
	warn_of_drop(l, cs_yaml_get(node, "unlisted"), san->unlisted.action);
	cs_load_count(l, cs_yaml_get(node, "min_total"), "san.min_total",
		      &san->min_total);
	cs_load_count(l, cs_yaml_get(node, "max_total"), "san.max_total",
		      &san->max_total);
	if (san->min_total.present && san->max_total.present &&
	    san->min_total.value > san->max_total.value)
		cs_load_error(l, node,
			      "`min_total` is greater than `max_total`");
	load_others(l, cs_yaml_get(node, "other_name"), san);
	for (int kind = 0; kind < CS_SAN_KINDS; kind++) {
		const struct cs_yaml *one = cs_yaml_get(node, kinds[kind].name);

		if (one != NULL)
			load_kind(l, one, (enum cs_name_kind)kind,
				  &san->kind[kind]);
	}
}
