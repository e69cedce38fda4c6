#include <stdio.h>

#include "policy/attribute.h"
#include "policy/load.h"
#include "policy/match.h"

const struct cs_load_key cs_keys_attr[] = {
	{"allow", false, "@+"},	 {"deny", false, "@+"},
	{"set", false, "text+"}, {"default", false, "text+"},
	{"max", false, "count"}, {"on_violation", false, "drop"},
	{"min", false, "count"}, {NULL, false, NULL},
};

const struct cs_load_key cs_keys_common_name[] = {
	{"allow", false, "@+"},	     {"deny", false, "@+"},
	{"set", false, "text+"},     {"default", false, "text+"},
	{"max", false, "count"},     {"on_violation", false, "drop"},
	{"in_san", false, "in_san"}, {"min", false, "count"},
	{NULL, false, NULL},
};

/* May this text be issued as a value of the attribute? */
static void check_value(struct cs_load *l, const struct cs_yaml *node,
			const struct cs_attr_rules *a, struct cs_span value)
{
	struct cs_match_value v = cs_match_text(value);
	struct cs_error err = {0};

	if (!cs_attribute_check(a->oid, value, &err))
		cs_load_error(l, node, "%s", err.text);
	if (a->deny.present && a->deny.sources == NULL &&
	    cs_match_some(&a->deny, &v))
		cs_load_error(l, node, "`deny` of the same attribute hits it");
}

/* One text of set or default. */
static void load_item(struct cs_load *l, const struct cs_yaml *node,
		      const struct cs_attr_rules *a, struct cs_values *values,
		      struct cs_template *t)
{
	if (!cs_load_template(l, node, t))
		return;
	if (t->is_list)
		cs_load_error(l, node,
			      "a list cannot be set: it does not say which of "
			      "its members");
	if (t->dynamic) {
		values->n++;
		return;
	}
	values->items[values->n] = node->text;
	check_value(l, node, a, values->items[values->n++]);
}

/* set or default. */
static void load_values(struct cs_load *l, const struct cs_yaml *node,
			const char *path, const struct cs_attr_rules *a,
			struct cs_values *values)
{
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);
	struct cs_template *templates;
	bool dynamic = false;

	if (n == 0)
		return;
	templates = cs_arena_new_array(l->arena, n, sizeof(*templates));
	values->items = cs_arena_new_array(l->arena, n, sizeof(struct cs_span));
	if (templates == NULL || values->items == NULL) {
		cs_load_no_memory(l);
		return;
	}
	values->present = true;
	values->rule = cs_load_rule(l, path, node);
	for (size_t i = 0; i < n; i++, item = item->next) {
		load_item(l, item, a, values, &templates[i]);
		dynamic = dynamic || templates[i].dynamic;
	}
	if (dynamic)
		values->templates = templates;
	if (a->max.present && values->n > a->max.value)
		cs_load_error(l, node, "more values than `max` allows");
}

/* commonName only: in_san, and one at most unless `max` says otherwise. */
static void load_cn(struct cs_load *l, const struct cs_yaml *node,
		    struct cs_attr_rules *a)
{
	static const char *const words[] = {"require", "add", "ignore", NULL};
	const struct cs_yaml *in_san = cs_yaml_get(node, "in_san");
	unsigned i = CS_IN_SAN_REQUIRE;

	if (!a->max.present) {
		a->max.present = true;
		a->max.value = 1;
		a->max.rule = cs_load_rule(l, "subject.commonName.max", node);
	}
	if (in_san != NULL)
		(void)cs_load_word(l, in_san, words, &i);
	a->in_san = (enum cs_in_san)i;
	a->in_san_rule = cs_load_rule(l, "subject.commonName.in_san",
				      in_san != NULL ? in_san : node);
}

/* One attribute's rules. */
static void load_attr(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_attr_rules *a)
{
	enum cs_match_domain domain = a->is_cn ? CS_DOMAIN_CN : CS_DOMAIN_TEXT;
	char path[128], key[160];

	(void)snprintf(path, sizeof(path), "subject.%.*s",
		       CS_SPAN_FMT(cs_span_sub(node->key, 0, 100)));
	l->path = path;
	if (!cs_arena_dup(l->arena, cs_span_str(path), &a->field))
		cs_load_no_memory(l);
	a->rule = cs_load_rule(l, path, node);
	if (!cs_load_map(l, node,
			 a->is_cn ? cs_keys_common_name : cs_keys_attr)) {
		l->path = "subject";
		return;
	}
	(void)snprintf(key, sizeof(key), "%s.deny", path);
	cs_load_matchers(l, cs_yaml_get(node, "deny"), key, domain, &a->deny);
	(void)snprintf(key, sizeof(key), "%s.allow", path);
	cs_load_matchers(l, cs_yaml_get(node, "allow"), key, domain, &a->allow);
	(void)snprintf(key, sizeof(key), "%s.min", path);
	cs_load_count(l, cs_yaml_get(node, "min"), key, &a->min);
	(void)snprintf(key, sizeof(key), "%s.max", path);
	cs_load_count(l, cs_yaml_get(node, "max"), key, &a->max);
	(void)snprintf(key, sizeof(key), "%s.set", path);
	load_values(l, cs_yaml_get(node, "set"), key, a, &a->set);
	(void)snprintf(key, sizeof(key), "%s.default", path);
	load_values(l, cs_yaml_get(node, "default"), key, a, &a->fallback);
	cs_load_on_violation(l, cs_yaml_get(node, "on_violation"),
			     &a->on_violation);
	if (a->set.present && a->fallback.present)
		cs_load_error(l, node,
			      "`set` and `default` exclude each other");
	if (a->is_cn)
		load_cn(l, node, a);
	if (a->min.present && a->max.present && a->min.value > a->max.value)
		cs_load_error(l, node, "`min` is greater than `max`");
	l->path = "subject";
}

void cs_load_subject(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_subject_rules *subject)
{
	size_t n = 0;

	cs_load_unlisted(l, node, "subject.unlisted", &subject->unlisted);
	if (node->kind != CS_YAML_MAP) {
		cs_load_error(l, node, "`subject` wants a map, not %s",
			      cs_yaml_kind_name(node->kind));
		return;
	}
	subject->attrs =
		cs_arena_new_array(l->arena, node->n, sizeof(*subject->attrs));
	if (subject->attrs == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next) {
		struct cs_attr_rules *a = &subject->attrs[n];

		if (cs_span_equal_str(c->key, "unlisted") ||
		    !cs_load_attribute(l, c, c->key, &a->oid))
			continue;
		a->is_cn = cs_attribute_is_cn(a->oid);
		load_attr(l, c, a);
		n++;
	}
	subject->n = n;
}
