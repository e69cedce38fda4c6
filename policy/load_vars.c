#include <stdlib.h>

#include "policy/load.h"

/* A name that a path can begin with, and that is not taken. */
static bool check_name(struct cs_load *l, const struct cs_yaml *node)
{
	static const char *const taken[] = {"request", "requester", "csr",
					    "cert",    "now",	    "issuer",
					    "vars",    "tables"};
	const struct cs_policy *p = l->into;
	struct cs_span key = node->key;
	bool ok = key.n > 0 && key.n <= CS_MAX_NAME;

	for (size_t i = 0; ok && i < key.n; i++) {
		uint8_t c = key.p[i];

		ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		     c == '_' ||
		     (i > 0 && ((c >= '0' && c <= '9') || c == '-'));
	}
	if (!ok) {
		cs_load_error_key(l, node,
				  "a name has 1 to %d letters, digits, `_` and "
				  "`-`, and begins with a letter",
				  CS_MAX_NAME);
		return false;
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		ok = ok && !cs_span_equal_str(key, taken[i]);
	for (size_t i = 0; i < p->tables_n; i++)
		ok = ok && !cs_span_equal(key, p->tables[i].name);
	if (!ok)
		cs_load_error_key(l, node, "the name `%.*s` is taken",
				  CS_SPAN_FMT(key));
	return ok;
}

/* Is it a map with at most so many entries? */
static bool check_map(struct cs_load *l, const struct cs_yaml *node, size_t max)
{
	if (node == NULL)
		return false;
	if (node->kind != CS_YAML_MAP) {
		cs_load_error(l, node, "`%s` wants a map, not %s", l->path,
			      cs_yaml_kind_name(node->kind));
		return false;
	}
	if (node->n > max) {
		cs_load_error(l, node, "`%s` has more than %zu entries",
			      l->path, max);
		return false;
	}
	return true;
}

/* Entries in ascending order of their keys, for bsearch. */
static int compare(const void *a, const void *b)
{
	return cs_span_compare(((const struct cs_table_entry *)a)->key,
			       ((const struct cs_table_entry *)b)->key);
}

/* One table: {shop: [shop.example, ...], pay: pay.example} */
static void load_table(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_table *t)
{
	t->name = node->key;
	if (node->kind != CS_YAML_MAP || node->n == 0) {
		cs_load_error(l, node,
			      "a table is a map of texts or lists of texts");
		return;
	}
	t->entries = cs_arena_new_array(l->arena, node->n, sizeof(*t->entries));
	if (t->entries == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next) {
		struct cs_table_entry *e = &t->entries[t->n];
		struct cs_span *values = NULL;

		e->key = c->key;
		if (!cs_load_texts(l, c, &values, &e->n))
			continue;
		for (size_t i = 0; i < e->n; i++) {
			if (values[i].n == 0)
				cs_load_error(l, c, "an empty text");
		}
		e->values = values;
		t->is_list = t->is_list || c->kind == CS_YAML_LIST;
		t->n++;
	}
	qsort(t->entries, t->n, sizeof(*t->entries), compare);
}

void cs_load_tables(struct cs_load *l, const struct cs_yaml *node,
		    struct cs_policy *policy)
{
	l->path = "tables";
	if (!check_map(l, node, CS_MAX_POLICY_TABLES))
		return;
	policy->tables =
		cs_arena_new_array(l->arena, node->n, sizeof(*policy->tables));
	if (policy->tables == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next) {
		if (!check_name(l, c))
			continue;
		load_table(l, c, &policy->tables[policy->tables_n]);
		policy->tables_n++;
	}
}

/* One var: a literal, or several. It may name those above it. */
static bool load_var(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_var *var)
{
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);
	struct cs_template *items;
	char *path;

	if (n == 0)
		return false;
	items = cs_arena_new_array(l->arena, n, sizeof(*items));
	path = cs_arena_printf(l->arena, "vars.%.*s", CS_SPAN_FMT(node->key));
	if (items == NULL || path == NULL) {
		cs_load_no_memory(l);
		return false;
	}
	var->is_list = node->kind == CS_YAML_LIST;
	for (size_t i = 0; i < n; i++, item = item->next) {
		if (!cs_load_template(l, item, &items[i]))
			return false;
		var->is_list = var->is_list || items[i].is_list;
	}
	var->name = node->key;
	var->rule = cs_load_rule(l, path, node);
	var->items = items;
	var->n = n;
	return true;
}

void cs_load_vars(struct cs_load *l, const struct cs_yaml *node,
		  struct cs_policy *policy)
{
	l->path = "vars";
	if (!check_map(l, node, CS_MAX_POLICY_VARS))
		return;
	policy->vars =
		cs_arena_new_array(l->arena, node->n, sizeof(*policy->vars));
	if (policy->vars == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next) {
		if (check_name(l, c) &&
		    load_var(l, c, &policy->vars[policy->vars_n]))
			policy->vars_n++;
	}
	policy->dynamic = policy->dynamic || policy->vars_n > 0;
}
