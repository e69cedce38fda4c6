/*
 * Guards: what nobody gets, whichever policy governs. They refuse with the
 * code GUARD, which no mode waives, and are asked twice: over what the request
 * says, and over the certificate as it was built. A guard that cannot be asked,
 * because a {{path}} in it has no value, refuses too.
 */
#include "policy/attribute.h"
#include "policy/decide.h"
#include "policy/select.h"

/* One guard at work. */
struct asking {
	struct cs_decide *j;
	const struct cs_policy *document;
	const struct cs_guard *guard;
	const struct cs_cert_facts *facts;
};

/* What the author wants people to be told; empty: a sentence of ours. */
static struct cs_span message(const struct asking *k)
{
	struct cs_span text = k->guard->message;
	struct cs_error err = {0};

	if (!k->guard->template.dynamic)
		return text;
	/* Without a value it is still a hit, which ours tells. */
	if (cs_decide_text(k->j, k->document, &k->guard->template, &text, &err))
		return text;
	if (err.code == CS_E_NO_MEMORY)
		k->j->no_memory = true;
	return cs_span_make(NULL, 0);
}

/* A hit: in the author's words, or in ours. */
static void hit(const struct asking *k, struct cs_span field,
		struct cs_span value)
{
	const struct cs_guard *g = k->guard;
	const struct cs_span none = {0};
	struct cs_span words = message(k);
	struct cs_decide *j = k->j;

	if (words.n > 0)
		cs_decide_refuse(j, CS_CODE_GUARD, field, value, &g->rule, none,
				 "%.*s", CS_SPAN_FMT(words));
	else if (value.n > 0)
		cs_decide_refuse(j, CS_CODE_GUARD, field, value, &g->rule, none,
				 "nobody gets %.*s", CS_SPAN_FMT(value));
	else
		cs_decide_refuse(j, CS_CODE_GUARD, field, value, &g->rule, none,
				 "nobody gets this name");
}

/* Alternative names of the field's kind. */
static void guard_names(const struct asking *k, enum cs_name_kind kind,
			const struct cs_matchers *deny)
{
	for (size_t i = 0; i < k->facts->names_n; i++) {
		const struct cs_fact_name *name = &k->facts->names[i];
		struct cs_match_value v;

		/* What cannot be read cannot be cleared: it is hit. */
		if (name->kind == kind && (!cs_decide_name_value(name, &v) ||
					   cs_match_some(deny, &v)))
			hit(k, cs_decide_name_field(k->j, name),
			    cs_decide_name_shown(name));
	}
}

/* Subject attributes of the field's OID. */
static void guard_attrs(const struct asking *k, struct cs_span oid,
			const struct cs_matchers *deny)
{
	struct cs_decide *j = k->j;

	for (size_t i = 0; i < k->facts->subject_n; i++) {
		const struct cs_fact_attr *a = &k->facts->subject[i];
		struct cs_cn cn;

		if (!cs_span_equal(a->oid, oid))
			continue;
		cn = cs_decide_cn(j, a->value);
		if (cs_decide_attr_hits(deny, a->value,
					cs_attribute_is_cn(a->oid) ? &cn
								   : NULL))
			hit(k,
			    cs_decide_field(j, cs_decide_attr_field(j, a->oid),
					    a->index),
			    a->value);
	}
}

/* One field: its matchers, with values in the place of every {{path}}. */
static void guard_field(const struct asking *k, const struct cs_guard_field *f)
{
	struct cs_matchers deny = f->deny;
	const struct cs_span none = {0};
	struct cs_error err = {0};

	if (deny.sources != NULL &&
	    !cs_decide_matchers(k->j, k->document, &deny, &err)) {
		if (err.code == CS_E_NO_MEMORY)
			k->j->no_memory = true;
		else
			cs_decide_refuse(k->j, CS_CODE_GUARD, none, none,
					 &k->guard->rule, none,
					 "the guard cannot be asked: %s",
					 err.text);
		return;
	}
	if (f->is_name)
		guard_names(k, f->kind, &deny);
	else
		guard_attrs(k, f->oid, &deny);
}

void cs_decide_guard_document(struct cs_decide *j,
			      const struct cs_policy *document,
			      const struct cs_cert_facts *facts)
{
	for (size_t i = 0; i < document->guards_n; i++) {
		const struct asking k = {j, document, &document->guards[i],
					 facts};

		for (size_t n = 0; n < k.guard->n; n++)
			guard_field(&k, &k.guard->fields[n]);
	}
}

void cs_decide_guards(struct cs_decide *j, const struct cs_cert_facts *facts)
{
	for (size_t i = 0; i < j->guards_n; i++) {
		if (cs_select_guards(j->guards[i], &j->facts->request))
			cs_decide_guard_document(j, j->guards[i], facts);
	}
}
