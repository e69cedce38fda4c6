#include "base/der.h"
#include "policy/decide.h"

/* "extensions.1.2.3" */
static struct cs_span field_of(struct cs_decide *j, struct cs_span oid)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_span field = {0};

	cs_buf_init(&b, 16 * CS_MAX_OID);
	cs_buf_add_str(&b, "extensions.");
	cs_der_oid_text(oid, &b);
	if (!cs_buf_ok(&b) || !cs_arena_dup(j->arena, cs_buf_span(&b), &field))
		j->no_memory = true;
	return field;
}

/* The CA bit; no policy of this version can allow it. */
static void judge_ca(struct cs_decide *j)
{
	const struct cs_facts *f = j->facts;
	const struct cs_span field =
		CS_SPAN_LIT("extensions.basic_constraints");

	if ((f->request.has_is_ca && f->request.is_ca) || f->csr.ca)
		cs_decide_refuse(j, CS_CODE_BASIC_CONSTRAINTS_NOT_ALLOWED,
				 field, CS_SPAN_LIT("CA:TRUE"),
				 &j->policy->ext.ca_rule,
				 CS_SPAN_LIT("CA:FALSE"),
				 "CA certificates are not allowed");
	else if (f->csr.has_basic_constraints)
		cs_decide_kept(j, field);
}

/* Extensions that have no rules of their own: unlisted, all of them. */
void cs_decide_extensions(struct cs_decide *j)
{
	const struct cs_unlisted *u = &j->policy->ext.unlisted;

	judge_ca(j);
	for (size_t i = 0; i < j->facts->csr.extensions_n; i++) {
		const struct cs_fact_ext *e = &j->facts->csr.extensions[i];
		struct cs_span field = field_of(j, e->oid);
		const struct cs_span value = {0};

		if (u->action == CS_ON_VIOLATION_DROP)
			cs_decide_diff(j, CS_DISPOSITION_DROPPED, field, &value,
				       NULL, &u->rule);
		else
			cs_decide_refuse(
				j, CS_CODE_EXTENSION_UNLISTED, field, value,
				&u->rule, value,
				"the policy does not mention the "
				"extension %.*s",
				CS_SPAN_FMT(cs_span_sub(field, 11, SIZE_MAX)));
	}
}
