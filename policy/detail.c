#include "policy/detail.h"

#include "policy/tell.h"

/* The phases behind the one that ended the judgement. */
static size_t not_reached(const struct cs_verdict *v,
			  struct cs_span ret_names[CS_PHASES])
{
	size_t n = 0;

	for (int p = (int)v->reached + 1; p < CS_PHASES; p++)
		ret_names[n++] = cs_span_str(cs_phase_name((enum cs_phase)p));
	return n;
}

void cs_verdict_detail(const struct cs_verdict *v, struct cs_buf *out)
{
	struct cs_span phases[CS_PHASES];
	struct cs_tell t = {
		.final = true,
		.code = cs_span_str(v->code),
		.names = v->names,
		.violations = v->findings.items,
		.violations_n = v->findings.n,
		.violations_more = v->findings.more,
		.not_reached = {phases, not_reached(v, phases)},
	};

	if (v->policy != NULL) {
		t.policy = v->policy->name;
		t.policy_owner = v->policy->owner;
	}
	if (v->request != NULL) {
		t.source = v->request->source;
		t.namespace = v->request->namespace;
		t.owner = v->request->owner;
	}
	/* There it is a condition's message: short, and where the rest is. */
	if (cs_span_equal_str(t.source, "kubernetes"))
		cs_tell_short(&t, CS_TELL_KUBERNETES_FINDINGS, v->request->id,
			      out);
	else
		cs_tell_short(&t, CS_TELL_DETAIL_FINDINGS,
			      cs_span_make(NULL, 0), out);
}
