/*
 * Guards: what nobody gets, whichever policy governs. They refuse with the
 * code GUARD, which no mode waives, and are asked twice: over what the request
 * says, and over the certificate as it was built.
 */
#include "policy/attribute.h"
#include "policy/decide.h"
#include "policy/select.h"

/* A hit: in the author's words, or in ours. */
static void hit(struct cs_decide *j, const struct cs_guard *g,
		struct cs_span field, struct cs_span value)
{
	const struct cs_span none = {0};

	if (g->message.n > 0)
		cs_decide_refuse(j, CS_CODE_GUARD, field, value, &g->rule, none,
				 "%.*s", CS_SPAN_FMT(g->message));
	else if (value.n > 0)
		cs_decide_refuse(j, CS_CODE_GUARD, field, value, &g->rule, none,
				 "nobody gets %.*s", CS_SPAN_FMT(value));
	else
		cs_decide_refuse(j, CS_CODE_GUARD, field, value, &g->rule, none,
				 "nobody gets this name");
}

/* Alternative names of the field's kind. */
static void guard_names(struct cs_decide *j, const struct cs_guard *g,
			const struct cs_guard_field *f,
			const struct cs_cert_facts *facts)
{
	for (size_t i = 0; i < facts->names_n; i++) {
		const struct cs_fact_name *name = &facts->names[i];
		struct cs_match_value v;

		/* What cannot be read cannot be cleared: it is hit. */
		if (name->kind == f->kind && (!cs_decide_name_value(name, &v) ||
					      cs_match_some(&f->deny, &v)))
			hit(j, g, cs_decide_name_field(j, name),
			    cs_decide_name_shown(name));
	}
}

/* Subject attributes of the field's OID. */
static void guard_attrs(struct cs_decide *j, const struct cs_guard *g,
			const struct cs_guard_field *f,
			const struct cs_cert_facts *facts)
{
	for (size_t i = 0; i < facts->subject_n; i++) {
		const struct cs_fact_attr *a = &facts->subject[i];
		struct cs_cn cn;

		if (!cs_span_equal(a->oid, f->oid))
			continue;
		cn = cs_decide_cn(j, a->value);
		if (cs_decide_attr_hits(&f->deny, a->value,
					cs_attribute_is_cn(a->oid) ? &cn
								   : NULL))
			hit(j, g,
			    cs_decide_field(j, cs_decide_attr_field(j, a->oid),
					    a->index),
			    a->value);
	}
}

void cs_decide_guard_document(struct cs_decide *j,
			      const struct cs_policy *document,
			      const struct cs_cert_facts *facts)
{
	for (size_t i = 0; i < document->guards_n; i++) {
		const struct cs_guard *g = &document->guards[i];

		for (size_t k = 0; k < g->n; k++) {
			if (g->fields[k].is_name)
				guard_names(j, g, &g->fields[k], facts);
			else
				guard_attrs(j, g, &g->fields[k], facts);
		}
	}
}

void cs_decide_guards(struct cs_decide *j, const struct cs_cert_facts *facts)
{
	for (size_t i = 0; i < j->guards_n; i++) {
		if (cs_select_guards(j->guards[i], &j->facts->request))
			cs_decide_guard_document(j, j->guards[i], facts);
	}
}
