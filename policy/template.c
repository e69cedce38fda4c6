#include "policy/template.h"

#include <stdlib.h>
#include <string.h>

#include "policy/requester.h"

/* Bytes of a list after which the rest of it is counted. */
#define MAX_SHOWN ((size_t)160)
/* Values on the stack of one path: its brackets, and one more. */
#define MAX_STACK (CS_MAX_PATH_DEPTH + 2)

/* A value on the stack. */
struct value {
	const struct cs_span *items; /* texts */
	size_t n;
	struct cs_span one; /* where `items` may point */
	const struct cs_table *table;
	const struct cs_fact_pair *pairs;
	const struct cs_fact_extra *extra;
	size_t map_n; /* of pairs or extra */
};

bool cs_resolved_is_foreign(const struct cs_resolved *r, size_t at)
{
	return r->foreign != NULL && r->foreign[at] != 0;
}

/* Put a text into a value. */
static void set_text(struct value *v, struct cs_span text)
{
	*v = (struct value){.one = text};
	v->items = &v->one;
	v->n = text.n > 0 ? 1 : 0;
}

/* Texts of the request itself. */
static struct cs_span fact_text(const struct cs_request_facts *r,
				enum cs_path_fact fact)
{
	struct cs_span namespace = {0}, name = {0};

	(void)cs_requester_service_account(r->requester, &namespace, &name);
	switch (fact) {
	case CS_FACT_NAMESPACE:
		return r->namespace;
	case CS_FACT_OWNER:
		return r->owner;
	case CS_FACT_REALM:
		return r->realm;
	case CS_FACT_ISSUER:
		return r->issuer;
	case CS_FACT_SOURCE:
		return r->source;
	case CS_FACT_CLIENT:
		return r->client;
	case CS_FACT_RENEWAL:
		return r->renewal ? CS_SPAN_LIT("true") : CS_SPAN_LIT("false");
	case CS_FACT_USERNAME:
		return r->requester;
	case CS_FACT_USER_NAMESPACE:
		return namespace;
	case CS_FACT_SERVICE_ACCOUNT:
		return name;
	case CS_FACT_NAMESPACE_LABELS:
	case CS_FACT_ATTRIBUTES:
	case CS_FACT_GROUPS:
	case CS_FACT_EXTRA:
	default:
		return cs_span_make(NULL, 0);
	}
}

/* Push a fact. */
static void set_fact(struct value *v, const struct cs_request_facts *r,
		     enum cs_path_fact fact)
{
	*v = (struct value){0};
	if (fact == CS_FACT_NAMESPACE_LABELS) {
		v->pairs = r->labels;
		v->map_n = r->labels_n;
	} else if (fact == CS_FACT_ATTRIBUTES) {
		v->pairs = r->attributes;
		v->map_n = r->attributes_n;
	} else if (fact == CS_FACT_EXTRA) {
		v->extra = r->extra;
		v->map_n = r->extra_n;
	} else if (fact == CS_FACT_GROUPS) {
		v->items = r->groups;
		v->n = r->groups_n;
	} else {
		set_text(v, fact_text(r, fact));
	}
}

/* For bsearch: a key and an entry. */
static int compare_entry(const void *key, const void *entry)
{
	return cs_span_compare(*(const struct cs_span *)key,
			       ((const struct cs_table_entry *)entry)->key);
}

/* What stands at a key of a map; no values: nothing. */
static void get(const struct value *map, struct cs_span key, struct value *v)
{
	const struct cs_table_entry *entry;

	*v = (struct value){0};
	if (map->table != NULL) {
		entry = bsearch(&key, map->table->entries, map->table->n,
				sizeof(*entry), compare_entry);
		if (entry != NULL) {
			v->items = entry->values;
			v->n = entry->n;
		}
		return;
	}
	for (size_t i = 0; i < map->map_n; i++) {
		if (map->pairs != NULL &&
		    cs_span_equal(map->pairs[i].key, key)) {
			set_text(v, map->pairs[i].value);
			return;
		}
		if (map->extra != NULL &&
		    cs_span_equal(map->extra[i].key, key)) {
			v->items = map->extra[i].values;
			v->n = map->extra[i].n;
			return;
		}
	}
}

/*
 * An attribute of the CSR's subject: one text, since nobody could say which
 * of several is meant.
 */
static bool set_attr(struct value *v, const struct cs_cert_facts *csr,
		     const struct cs_template_part *part, struct cs_span oid,
		     struct cs_error *err)
{
	*v = (struct value){0};
	for (size_t i = 0; i < csr->subject_n; i++) {
		if (!cs_span_equal(csr->subject[i].oid, oid))
			continue;
		if (v->n > 0)
			return cs_error_set(err, CS_E_POLICY,
					    "{{%.*s}} has more than one value",
					    CS_SPAN_FMT(part->text));
		set_text(v, csr->subject[i].value);
	}
	return true;
}

/* The CSR's names of one kind, in their canonical form. */
static bool set_names(struct value *v, const struct cs_cert_facts *csr,
		      size_t kind, struct cs_arena *arena, struct cs_error *err)
{
	struct cs_span *items =
		cs_arena_new_array(arena, csr->names_n, sizeof(*items));
	size_t n = 0;

	if (items == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory for names");
	for (size_t i = 0; i < csr->names_n; i++) {
		if (csr->names[i].kind == (enum cs_name_kind)kind)
			items[n++] = csr->names[i].canonical;
	}
	*v = (struct value){.items = items, .n = n};
	return true;
}

/* A path has no value. */
static bool nothing(const struct cs_template_part *part, struct cs_span key,
		    struct cs_error *err)
{
	if (key.n > 0)
		return cs_error_set(err, CS_E_POLICY,
				    "{{%.*s}} has no value: there is no "
				    "`%.*s`",
				    CS_SPAN_FMT(part->text),
				    CS_SPAN_FMT(cs_span_sub(key, 0, 128)));
	return cs_error_set(err, CS_E_POLICY, "{{%.*s}} has no value",
			    CS_SPAN_FMT(part->text));
}

/* Run a path; the stack's place of its value holds the texts. */
static bool run(const struct cs_template_part *part,
		const struct cs_template_env *env,
		struct value stack[MAX_STACK], struct cs_arena *arena,
		struct cs_error *err)
{
	struct cs_span key = {0};
	struct value got;
	size_t n = 0;

	for (size_t i = 0; i < part->ops_n; i++) {
		const struct cs_path_op *op = &part->ops[i];

		switch (op->code) {
		case CS_PATH_FACT:
			set_fact(&stack[n++], env->request,
				 (enum cs_path_fact)op->index);
			break;
		case CS_PATH_VAR:
			stack[n++] = (struct value){
				.items = env->vars[op->index].items,
				.n = env->vars[op->index].n};
			break;
		case CS_PATH_TABLE:
			stack[n++] = (struct value){
				.table = &env->policy->tables[op->index]};
			break;
		case CS_PATH_TEXT:
			set_text(&stack[n++], op->text);
			break;
		case CS_PATH_ATTR:
			if (!set_attr(&stack[n++], env->csr, part, op->text,
				      err))
				return false;
			break;
		case CS_PATH_NAMES:
			if (!set_names(&stack[n++], env->csr, op->index, arena,
				       err))
				return false;
			break;
		case CS_PATH_GET:
		default:
			if (stack[n - 1].n != 1)
				return nothing(part, key, err);
			key = stack[n - 1].items[0];
			n--;
			get(&stack[n - 1], key, &got);
			stack[n - 1] = got;
			if (got.items == &got.one)
				stack[n - 1].items = &stack[n - 1].one;
			break;
		}
	}
	if (stack[0].n == 0)
		return nothing(part, key, err);
	for (size_t i = 0; i < stack[0].n; i++) {
		if (stack[0].items[i].n == 0)
			return nothing(part, key, err);
	}
	return true;
}

/* The values of every part of a template. */
static bool run_parts(const struct cs_template *t,
		      const struct cs_template_env *env, struct cs_arena *arena,
		      struct value *values, size_t *ret_n, struct cs_error *err)
{
	struct value stack[MAX_STACK];
	size_t total = 1;

	for (size_t i = 0; i < t->n; i++) {
		const struct cs_template_part *part = &t->parts[i];

		if (part->ops_n == 0) {
			values[i] =
				(struct value){.items = &part->text, .n = 1};
			continue;
		}
		if (!run(part, env, stack, arena, err))
			return false;
		values[i] = stack[0];
		if (stack[0].items == &stack[0].one)
			values[i].items = &values[i].one;
		if (values[i].n > CS_MAX_POLICY_EXPANSION / total)
			return cs_error_set(err, CS_E_POLICY,
					    "{{%.*s}} makes more than %d "
					    "values",
					    CS_SPAN_FMT(part->text),
					    CS_MAX_POLICY_EXPANSION);
		total *= values[i].n;
	}
	*ret_n = total;
	return true;
}

/* The k-th combination of the parts' values. */
static bool combine(const struct cs_template *t, const struct value *values,
		    size_t k, struct cs_arena *arena, struct cs_resolved *ret)
{
	size_t size = 0, rest = k, at = 0;
	uint8_t *text, *foreign;

	for (size_t i = 0; i < t->n; rest /= values[i].n, i++)
		size += values[i].items[rest % values[i].n].n;
	text = cs_arena_new(arena, 2 * size + 1);
	if (text == NULL)
		return false;
	foreign = text + size;
	rest = k;
	for (size_t i = 0; i < t->n; rest /= values[i].n, i++) {
		struct cs_span one = values[i].items[rest % values[i].n];

		if (one.n == 0)
			continue;
		memcpy(text + at, one.p, one.n);
		memset(foreign + at, t->parts[i].ops_n > 0, one.n);
		at += one.n;
	}
	*ret = (struct cs_resolved){cs_span_make(text, size), foreign};
	return true;
}

bool cs_template_resolve(const struct cs_template *t,
			 const struct cs_template_env *env,
			 struct cs_arena *arena, struct cs_resolved **ret_items,
			 size_t *ret_n, struct cs_error *err)
{
	struct value *values =
		cs_arena_new_array(arena, t->n + 1, sizeof(*values));
	struct cs_resolved *items = NULL;
	size_t n = 0;
	bool ok = values != NULL;

	if (ok && !run_parts(t, env, arena, values, &n, err))
		return false;
	if (ok)
		items = cs_arena_new_array(arena, n, sizeof(*items));
	ok = ok && items != NULL;
	for (size_t k = 0; ok && k < n; k++)
		ok = combine(t, values, k, arena, &items[k]);
	if (!ok)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for a value");
	*ret_items = items;
	*ret_n = n;
	return true;
}

bool cs_template_join(const struct cs_span *items, size_t n,
		      struct cs_arena *arena, struct cs_span *ret_joined)
{
	size_t size = 32, told = 0, at = 0;
	uint8_t *text;
	char *more;

	for (; told < n; told++) {
		if (size > MAX_SHOWN && told + 1 < n)
			break;
		size += items[told].n + 4;
	}
	text = cs_arena_new(arena, size);
	if (text == NULL)
		return false;
	for (size_t i = 0; i < told; i++) {
		if (i > 0) {
			memcpy(text + at, " or ", 4);
			at += 4;
		}
		if (items[i].n > 0)
			memcpy(text + at, items[i].p, items[i].n);
		at += items[i].n;
	}
	if (told == n) {
		*ret_joined = cs_span_make(text, at);
		return true;
	}
	more = cs_arena_printf(arena, "%.*s or %zu more", (int)at,
			       (const char *)text, n - told);
	if (more == NULL)
		return false;
	*ret_joined = cs_span_str(more);
	return true;
}
