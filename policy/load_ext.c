#include "policy/load.h"
#include "policy/match.h"
#include "policy/usage.h"

const struct cs_load_key cs_keys_extensions[] = {
	{"key_usage", false, "usages"},
	{"ext_key_usage", false, "usages"},
	{"basic_constraints", false, "constraints"},
	{"unlisted", false, "drop"},
	{"policies", false, "policies"},
	{"aia", false, "aia"},
	{"crl_dp", false, "text+"},
	{"no_rev_avail", false, "boolean"},
	{"pass", false, "pass+"},
	{"add", false, "add+"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_usages[] = {
	{"allow", false, "text+"},	 {"default", false, "text+"},
	{"set", false, "text+"},	 {"critical", false, "boolean"},
	{"on_violation", false, "drop"}, {NULL, false, NULL},
};

const struct cs_load_key cs_keys_constraints[] = {
	{"ca", false, "boolean"},
	{"path_len", false, "count"},
	{NULL, false, NULL},
};

/* Is it `any`, alone: anything? */
static bool is_any(const struct cs_yaml *node)
{
	if (node != NULL && node->kind == CS_YAML_LIST && node->n == 1)
		node = node->child;
	return node != NULL && node->kind == CS_YAML_TEXT &&
	       cs_span_equal_str(node->text, "any");
}

/* One usage of the kind that is wanted. */
static bool load_usage(struct cs_load *l, const struct cs_yaml *node, bool bit,
		       struct cs_usage *usage)
{
	struct cs_error err = {0};
	struct cs_span text;

	if (!cs_load_text(l, node, &text))
		return false;
	if (cs_span_equal_str(text, "any")) {
		cs_load_error(l, node,
			      "`any` stands alone in `allow`, for anything; "
			      "write 2.5.29.37.0 for the usage");
		return false;
	}
	if (!cs_usage_parse(text, l->arena, usage, &err)) {
		cs_load_error(l, node, "%s", err.text);
		return false;
	}
	if ((usage->key_usage != 0) != bit) {
		cs_load_error(l, node, "`%.*s` is %s", CS_SPAN_FMT(text),
			      bit ? "an extended key usage; it goes to "
				    "`ext_key_usage`"
				  : "a key usage; it goes to `key_usage`");
		return false;
	}
	return true;
}

/* A list of key usages to bits. */
static bool load_bits(struct cs_load *l, const struct cs_yaml *node,
		      const char *path, unsigned *bits, struct cs_rule *rule)
{
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);
	struct cs_usage usage;

	*bits = 0;
	for (size_t i = 0; i < n; i++, item = item->next) {
		if (load_usage(l, item, true, &usage))
			*bits |= usage.key_usage;
	}
	if (n > 0)
		*rule = cs_load_rule(l, path, node);
	return n > 0;
}

static void load_key_usage(struct cs_load *l, const struct cs_yaml *node,
			   struct cs_key_usage_rules *ku)
{
	const struct cs_yaml *allow = cs_yaml_get(node, "allow");
	struct cs_rule rule;

	l->path = "extensions.key_usage";
	if (!cs_load_map(l, node, cs_keys_usages))
		return;
	rule = cs_load_rule(l, l->path, node);
	*ku = (struct cs_key_usage_rules){
		.critical = true,
		.allow_rule = rule,
		.set_rule = rule,
		.fallback_rule = rule,
	};
	if (is_any(allow)) {
		ku->has_allow = true;
		ku->allow = 2 * CS_KU_DECIPHER_ONLY - 1;
		ku->allow_rule =
			cs_load_rule(l, "extensions.key_usage.allow", allow);
	} else {
		ku->has_allow =
			load_bits(l, allow, "extensions.key_usage.allow",
				  &ku->allow, &ku->allow_rule);
	}
	ku->has_set =
		load_bits(l, cs_yaml_get(node, "set"),
			  "extensions.key_usage.set", &ku->set, &ku->set_rule);
	ku->has_default = load_bits(l, cs_yaml_get(node, "default"),
				    "extensions.key_usage.default",
				    &ku->fallback, &ku->fallback_rule);
	(void)cs_load_bool(l, cs_yaml_get(node, "critical"), &ku->critical);
	cs_load_on_violation(l, cs_yaml_get(node, "on_violation"),
			     &ku->on_violation);
	if (ku->has_set && ku->has_default)
		cs_load_error(l, node,
			      "`set` and `default` exclude each other");
	if (!cs_usage_bits_text(ku->allow, l->arena, &ku->expect))
		cs_load_no_memory(l);
}

/* A list of extended key usages to OIDs; words for those who read them. */
static bool load_oids(struct cs_load *l, const struct cs_yaml *node,
		      const char *path, struct cs_values *values,
		      struct cs_span *words)
{
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);
	struct cs_span *texts = cs_arena_new_array(l->arena, n, sizeof(*texts));
	struct cs_usage usage;

	if (n == 0)
		return false;
	values->items = cs_arena_new_array(l->arena, n, sizeof(*texts));
	if (texts == NULL || values->items == NULL) {
		cs_load_no_memory(l);
		return false;
	}
	for (size_t i = 0; i < n; i++, item = item->next) {
		if (!load_usage(l, item, false, &usage))
			continue;
		values->items[i] = usage.oid;
		texts[i] = item->text;
	}
	values->present = true;
	values->n = n;
	values->rule = cs_load_rule(l, path, node);
	*words = cs_load_join(l, texts, n);
	return true;
}

/* allow: OIDs as exact matchers, or any. */
static void load_eku_allow(struct cs_load *l, const struct cs_yaml *node,
			   struct cs_matchers *allow)
{
	static const struct cs_matcher any = {.kind = CS_MATCH_ANY};
	struct cs_matcher *items;
	struct cs_values oids = {0};

	if (node == NULL)
		return;
	if (is_any(node)) {
		*allow = (struct cs_matchers){
			.present = true, .items = &any, .n = 1};
		allow->expect = CS_SPAN_LIT("any");
	} else {
		if (!load_oids(l, node, "", &oids, &allow->expect))
			return;
		items = cs_arena_new_array(l->arena, oids.n, sizeof(*items));
		if (items == NULL) {
			cs_load_no_memory(l);
			return;
		}
		for (size_t i = 0; i < oids.n; i++) {
			items[i].kind = CS_MATCH_EXACT;
			items[i].text = oids.items[i];
		}
		allow->items = items;
		allow->n = oids.n;
		allow->present = true;
	}
	allow->phrase = allow->expect;
	allow->rule = cs_load_rule(l, "extensions.ext_key_usage.allow", node);
}

static void load_ext_key_usage(struct cs_load *l, const struct cs_yaml *node,
			       struct cs_ext_key_usage_rules *eku)
{
	struct cs_span words;

	l->path = "extensions.ext_key_usage";
	if (!cs_load_map(l, node, cs_keys_usages))
		return;
	*eku = (struct cs_ext_key_usage_rules){0};
	eku->allow.rule = cs_load_rule(l, l->path, node);
	load_eku_allow(l, cs_yaml_get(node, "allow"), &eku->allow);
	(void)load_oids(l, cs_yaml_get(node, "set"),
			"extensions.ext_key_usage.set", &eku->set, &words);
	(void)load_oids(l, cs_yaml_get(node, "default"),
			"extensions.ext_key_usage.default", &eku->fallback,
			&words);
	(void)cs_load_bool(l, cs_yaml_get(node, "critical"), &eku->critical);
	cs_load_on_violation(l, cs_yaml_get(node, "on_violation"),
			     &eku->on_violation);
	if (eku->set.present && eku->fallback.present)
		cs_load_error(l, node,
			      "`set` and `default` exclude each other");
}

/* {ca: true, path_len: 0}: what may be asked for. */
static void load_constraints(struct cs_load *l, const struct cs_yaml *node,
			     struct cs_constraints_rules *bc)
{
	const struct cs_yaml *ca = cs_yaml_get(node, "ca");
	const struct cs_yaml *path_len = cs_yaml_get(node, "path_len");
	int64_t n = 0;

	l->path = "extensions.basic_constraints";
	if (!cs_load_map(l, node, cs_keys_constraints))
		return;
	*bc = (struct cs_constraints_rules){
		.rule = cs_load_rule(l, "extensions.basic_constraints.ca",
				     ca != NULL ? ca : node),
	};
	(void)cs_load_bool(l, ca, &bc->ca);
	if (bc->ca)
		cs_load_warning(l, ca,
				"only an issuer whose ceiling says `ca: true` "
				"certifies CAs: under any other one, what this "
				"allows ends in CA_CEILING");
	if (path_len == NULL || !cs_load_int(l, path_len, 0, CS_MAX_CHAIN, &n))
		return;
	if (!bc->ca)
		cs_load_error(l, path_len,
			      "RFC 5280 4.2.1.9: `path_len` has a meaning "
			      "with `ca: true` only");
	bc->has_path_len = true;
	bc->path_len = (unsigned)n;
	bc->path_rule = cs_load_rule(l, "extensions.basic_constraints.path_len",
				     path_len);
}

void cs_load_extensions(struct cs_load *l, const struct cs_yaml *node,
			struct cs_ext_rules *ext)
{
	const struct cs_yaml *one;

	cs_load_unlisted(l, node, "extensions.unlisted", &ext->unlisted);
	l->path = "extensions";
	if (!cs_load_map(l, node, cs_keys_extensions))
		return;
	one = cs_yaml_get(node, "key_usage");
	if (one != NULL)
		load_key_usage(l, one, &ext->key_usage);
	one = cs_yaml_get(node, "ext_key_usage");
	if (one != NULL)
		load_ext_key_usage(l, one, &ext->ext_key_usage);
	one = cs_yaml_get(node, "basic_constraints");
	if (one != NULL)
		load_constraints(l, one, &ext->constraints);
	cs_load_own_extensions(l, node, ext);
}
