/*
 * A policy with {{path}} in it becomes, for one request, one without: vars
 * first, then every matcher and value that has a path. What judges the fields
 * sees ordinary rules, in phase C and again in phase D.
 */
#include <string.h>

#include "policy/attribute.h"
#include "policy/decide.h"
#include "policy/template.h"

/* One policy on its way, and what it may name. */
struct making {
	struct cs_decide *j;
	struct cs_template_env env;
	struct cs_policy *p; /* the copy */
	size_t vars_bytes;
};

/* A value that is missing, or not what its place wants. */
static void refuse(struct making *m, const struct cs_rule *rule,
		   const struct cs_error *err)
{
	struct cs_span field = rule->id;
	const struct cs_span none = {0};
	size_t slash;

	if (err->code == CS_E_NO_MEMORY) {
		m->j->no_memory = true;
		return;
	}
	/* The rule's path, as fields are written. */
	if (cs_span_find(field, '/', &slash))
		field = cs_span_sub(field, slash + 1, SIZE_MAX);
	cs_decide_refuse(m->j, CS_CODE_POLICY_ERROR, field, none, rule, none,
			 "%s", err->text);
}

/* All texts of a template; one that is empty for a template without parts. */
static bool resolve(struct making *m, const struct cs_template *t,
		    struct cs_resolved **ret_items, size_t *ret_n,
		    struct cs_error *err)
{
	return cs_template_resolve(t, &m->env, m->j->arena, ret_items, ret_n,
				   err);
}

/* The values of one var, from all its literals. */
static bool make_var(struct making *m, const struct cs_var *var,
		     struct cs_policy_value *value, struct cs_error *err)
{
	struct cs_span *items =
		cs_decide_new(m->j, CS_MAX_POLICY_EXPANSION, sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < var->n; i++) {
		struct cs_resolved *texts = NULL;
		size_t more = 0;

		if (items == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		if (!resolve(m, &var->items[i], &texts, &more, err))
			return false;
		if (n + more > CS_MAX_POLICY_EXPANSION)
			return cs_error_set(err, CS_E_POLICY,
					    "a var of more than %d values",
					    CS_MAX_POLICY_EXPANSION);
		for (size_t k = 0; k < more; k++) {
			m->vars_bytes += texts[k].text.n;
			items[n++] = texts[k].text;
		}
	}
	if (m->vars_bytes > CS_MAX_POLICY_VARS_BYTES)
		return cs_error_set(err, CS_E_POLICY,
				    "the vars hold more than %d bytes",
				    CS_MAX_POLICY_VARS_BYTES);
	*value = (struct cs_policy_value){var->name, items, n, var->is_list};
	return true;
}

/* vars, in order; false: one has no value, and those after it none either. */
static bool make_vars(struct making *m)
{
	const struct cs_policy *p = m->env.policy;
	struct cs_policy_value *values =
		cs_decide_new(m->j, p->vars_n + 1, sizeof(*values));
	struct cs_error err = {0};

	if (values == NULL)
		return false;
	m->env.vars = values;
	m->j->v->vars = values;
	for (size_t i = 0; i < p->vars_n; i++) {
		if (!make_var(m, &p->vars[i], &values[i], &err)) {
			refuse(m, &p->vars[i].rule, &err);
			return false;
		}
		m->env.vars_n = i + 1;
		m->j->v->vars_n = i + 1;
	}
	return true;
}

/* The texts of one source. */
struct texts {
	struct cs_resolved *values, *paths;
	size_t values_n, paths_n;
};

/* The matchers of one source, behind those of the others. */
static bool make_matcher(struct making *m, const struct cs_matcher_source *s,
			 const struct texts *t, struct cs_matcher *items,
			 size_t *n, struct cs_error *err)
{
	for (size_t i = 0; i < t->values_n; i++) {
		for (size_t k = 0; k < t->paths_n; k++) {
			if (!cs_matcher_make(s, &t->values[i], &t->paths[k],
					     m->j->arena, &items[*n], err))
				return false;
			(*n)++;
		}
	}
	return true;
}

/* The matchers of all sources; how many, in *ret_n. NULL: refused. */
static struct cs_matcher *make_items(struct making *m,
				     const struct cs_matchers *list,
				     size_t *ret_n, struct cs_error *err)
{
	struct texts *texts = cs_decide_new(m->j, list->n, sizeof(*texts));
	struct cs_matcher *items = NULL;
	size_t total = 0, n = 0;
	bool ok = texts != NULL;

	for (size_t i = 0; ok && i < list->n; i++) {
		const struct cs_matcher_source *s = &list->sources[i];
		struct texts *t = &texts[i];

		if (!resolve(m, &s->value, &t->values, &t->values_n, err) ||
		    !resolve(m, &s->path, &t->paths, &t->paths_n, err))
			return NULL;
		total += t->values_n * t->paths_n;
		if (total > CS_MAX_POLICY_EXPANSION + list->n) {
			cs_error_set(err, CS_E_POLICY,
				     "the list makes more than %d matchers",
				     CS_MAX_POLICY_EXPANSION);
			return NULL;
		}
	}
	if (ok)
		items = cs_decide_new(m->j, total, sizeof(*items));
	if (items == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for matchers");
		return NULL;
	}
	for (size_t i = 0; i < list->n; i++) {
		if (!make_matcher(m, &list->sources[i], &texts[i], items, &n,
				  err))
			return NULL;
	}
	*ret_n = n;
	return items;
}

/* What a list takes, in words, now that it is known. */
static void describe(struct making *m, struct cs_matchers *list)
{
	struct cs_span *expect = cs_decide_new(m->j, list->n, sizeof(*expect));
	struct cs_span *phrase = cs_decide_new(m->j, list->n, sizeof(*phrase));
	bool ok = expect != NULL && phrase != NULL;

	for (size_t i = 0; ok && i < list->n; i++) {
		expect[i] = list->items[i].shown;
		ok = cs_matcher_phrase(&list->items[i], m->j->arena,
				       &phrase[i]);
	}
	ok = ok &&
	     cs_template_join(expect, list->n, m->j->arena, &list->expect) &&
	     cs_template_join(phrase, list->n, m->j->arena, &list->phrase);
	if (!ok)
		m->j->no_memory = true;
}

/* A list of matchers, if it has a path in it. */
static void make_matchers(struct making *m, struct cs_matchers *list)
{
	struct cs_error err = {0};
	struct cs_matcher *items;
	size_t n = 0;

	if (list->sources == NULL)
		return;
	items = make_items(m, list, &n, &err);
	if (items == NULL) {
		refuse(m, &list->rule, &err);
		return;
	}
	list->items = items;
	list->n = n;
	list->sources = NULL;
	describe(m, list);
}

/* set or default, if it has a path in it; each is one text. */
static void make_values(struct making *m, const struct cs_attr_rules *a,
			struct cs_values *values)
{
	struct cs_error err = {0};
	struct cs_span *items;

	if (values->templates == NULL)
		return;
	items = cs_decide_new(m->j, values->n, sizeof(*items));
	if (items == NULL)
		return;
	for (size_t i = 0; i < values->n; i++) {
		struct cs_resolved *texts = NULL;
		size_t n = 0;

		if (!resolve(m, &values->templates[i], &texts, &n, &err) ||
		    !cs_attribute_check(a->oid, texts[0].text, &err)) {
			refuse(m, &values->rule, &err);
			return;
		}
		items[i] = texts[0].text;
	}
	values->items = items;
	values->templates = NULL;
}

static void make_subject(struct making *m)
{
	struct cs_subject_rules *s = &m->p->subject;
	struct cs_attr_rules *attrs =
		cs_decide_new(m->j, s->n + 1, sizeof(*attrs));

	if (attrs == NULL || s->n == 0)
		return;
	memcpy(attrs, s->attrs, s->n * sizeof(*attrs));
	s->attrs = attrs;
	for (size_t i = 0; i < s->n; i++) {
		make_matchers(m, &attrs[i].deny);
		make_matchers(m, &attrs[i].allow);
		make_values(m, &attrs[i], &attrs[i].set);
		make_values(m, &attrs[i], &attrs[i].fallback);
	}
}

static void make_san(struct making *m)
{
	struct cs_sans_rules *san = &m->p->san;
	struct cs_other_rules *others =
		cs_decide_new(m->j, san->others_n + 1, sizeof(*others));

	for (int k = 0; k < CS_SAN_KINDS; k++) {
		make_matchers(m, &san->kind[k].deny);
		make_matchers(m, &san->kind[k].allow);
	}
	if (others == NULL || san->others_n == 0)
		return;
	memcpy(others, san->others, san->others_n * sizeof(*others));
	san->others = others;
	for (size_t i = 0; i < san->others_n; i++) {
		make_matchers(m, &others[i].rules.deny);
		make_matchers(m, &others[i].rules.allow);
	}
}

/* Keys of limits; each is one text. */
static void make_limits(struct making *m)
{
	struct cs_timing_rules *t = &m->p->timing;
	struct cs_limit_rule *limits =
		cs_decide_new(m->j, t->limits_n + 1, sizeof(*limits));

	if (limits == NULL || t->limits_n == 0)
		return;
	memcpy(limits, t->limits, t->limits_n * sizeof(*limits));
	t->limits = limits;
	for (size_t i = 0; i < t->limits_n; i++) {
		struct cs_limit_rule *r = &limits[i];
		struct cs_resolved *texts = NULL;
		struct cs_error err = {0};
		size_t n = 0;
		bool ok;

		if (!r->template.dynamic)
			continue;
		ok = resolve(m, &r->template, &texts, &n, &err);
		if (ok && texts[0].text.n > CS_MAX_PRINCIPAL)
			ok = cs_error_set(&err, CS_E_POLICY,
					  "the key of the limit is longer "
					  "than %d bytes",
					  CS_MAX_PRINCIPAL);
		if (ok)
			r->key = texts[0].text;
		else
			refuse(m, &r->rule, &err);
	}
}

bool cs_decide_instantiate(struct cs_decide *j)
{
	struct making m = {.j = j,
			   .env = {.request = &j->facts->request,
				   .csr = &j->facts->csr,
				   .policy = j->policy}};
	size_t before = j->v->findings.n;

	if (!j->policy->dynamic)
		return true;
	if (!make_vars(&m))
		return false;
	m.p = cs_decide_new(j, 1, sizeof(*m.p));
	if (m.p == NULL)
		return false;
	*m.p = *j->policy;
	make_subject(&m);
	make_san(&m);
	make_limits(&m);
	j->policy = m.p;
	return !j->no_memory && j->v->findings.n == before;
}

bool cs_decide_matchers(struct cs_decide *j, const struct cs_policy *document,
			struct cs_matchers *list, struct cs_error *err)
{
	struct making m = {.j = j,
			   .env = {.request = &j->facts->request,
				   .csr = &j->facts->csr,
				   .policy = document}};
	struct cs_matcher *items;
	size_t n = 0;

	items = make_items(&m, list, &n, err);
	if (items == NULL)
		return false;
	list->items = items;
	list->n = n;
	list->sources = NULL;
	return true;
}

bool cs_decide_text(struct cs_decide *j, const struct cs_policy *document,
		    const struct cs_template *template,
		    struct cs_span *ret_text, struct cs_error *err)
{
	struct making m = {.j = j,
			   .env = {.request = &j->facts->request,
				   .csr = &j->facts->csr,
				   .policy = document}};
	struct cs_resolved *texts = NULL;
	size_t n = 0;

	if (!resolve(&m, template, &texts, &n, err))
		return false;
	*ret_text = texts[0].text;
	return true;
}
