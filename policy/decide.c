#include "policy/decide.h"

#include "policy/select.h"

/* Memory ran out somewhere: no verdict. */
static bool finish(const struct cs_decide *j, struct cs_error *err)
{
	if (j->no_memory)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory to judge the request");
	return true;
}

/*
 * Nobody governs. Why each policy does not is told beside the violation:
 * other people's policies are not for every reader.
 */
static void refuse_selection(struct cs_decide *j,
			     const struct cs_policy_set *set)
{
	j->v->code = cs_code_name(CS_CODE_NO_POLICY);
	if (!cs_select_others(set, &j->facts->request, j->arena, j->v))
		j->no_memory = true;
	cs_decide_refuse(j, CS_CODE_NO_POLICY, cs_span_make(NULL, 0),
			 cs_span_make(NULL, 0), cs_decide_builtin(),
			 cs_span_make(NULL, 0), "%s",
			 set->n == 0 ? "no policy is loaded"
				     : "no policy matches the request");
}

/* Phase C: every section, so that all violations are told at once. */
static void judge_fields(struct cs_decide *j)
{
	cs_decide_timing(j);
	cs_decide_guards(j, &j->facts->csr);
	cs_decide_subject(j);
	cs_decide_san(j);
	cs_decide_key(j);
	cs_decide_validity(j);
	cs_decide_ext_key_usage(j);
	cs_decide_key_usage(j);
	cs_decide_extensions(j);
}

/* The policy that governs is known: its rules over the facts. */
static void judge_by(struct cs_decide *j, const struct cs_policy *policy)
{
	struct cs_verdict *v = j->v;

	j->policy = policy;
	v->policy = &policy->info;
	v->reached = CS_PHASE_FIELDS;
	if (!cs_decide_instantiate(j)) {
		v->code = cs_code_name(CS_CODE_POLICY_ERROR);
		cs_decide_guards(j, &j->facts->csr);
		return;
	}
	v->rules = j->policy;
	judge_fields(j);
}

/* What one policy in shadow would have done. */
static void judge_shadow(struct cs_decide *j, const struct cs_policy *policy,
			 struct cs_policy_shadow *ret)
{
	struct cs_verdict v;
	struct cs_decide beside = {.blocklist = j->blocklist,
				   .facts = j->facts,
				   .arena = j->arena,
				   .v = &v};

	cs_verdict_init(&v, j->arena);
	cs_decide_usages(&beside);
	judge_by(&beside, policy);
	j->no_memory = j->no_memory || beside.no_memory;
	*ret = (struct cs_policy_shadow){
		.policy = &policy->info,
		.refused = cs_verdict_is_refused(&v),
		.changed = cs_verdict_is_changed(&v),
		.findings = v.findings,
	};
}

/* Every one in shadow that matches, whatever became of the request. */
static void judge_shadows(struct cs_decide *j, const struct cs_policy_set *set)
{
	struct cs_verdict *v = j->v;

	for (size_t i = 0; i < set->n; i++) {
		const struct cs_policy *p = set->sorted[i];

		if (p->info.mode != CS_MODE_SHADOW ||
		    v->shadows_n == CS_MAX_POLICY_SHADOWS ||
		    !cs_select_matches(p, &j->facts->request))
			continue;
		if (v->shadows == NULL)
			v->shadows = cs_decide_new(j, CS_MAX_POLICY_SHADOWS,
						   sizeof(*v->shadows));
		if (v->shadows == NULL)
			return;
		judge_shadow(j, p, &v->shadows[v->shadows_n++]);
	}
}

/* Phases A (usages of CSR and body) to C. */
static void judge(struct cs_decide *j, const struct cs_policy_set *set)
{
	struct cs_verdict *v = j->v;
	const struct cs_policy *policy;

	cs_decide_usages(j);
	if (v->findings.n > 0) {
		v->code = v->findings.items[0].code;
		return;
	}
	j->blocklist = &set->blocklist;
	j->guards = set->guards;
	j->guards_n = set->guards_n;
	judge_shadows(j, set);
	v->reached = CS_PHASE_SELECT;
	policy = cs_select(set, &j->facts->request);
	if (policy == NULL) {
		refuse_selection(j, set);
		return;
	}
	judge_by(j, policy);
}

bool cs_policy_judge(const struct cs_policy_set *set,
		     const struct cs_facts *facts, struct cs_arena *arena,
		     struct cs_verdict *ret_verdict, struct cs_error *err)
{
	struct cs_decide j = {.facts = facts, .arena = arena, .v = ret_verdict};

	cs_verdict_init(ret_verdict, arena);
	cs_verdict_request(ret_verdict, facts);
	ret_verdict->set_sha256 = cs_policy_set_sha256(set);
	judge(&j, set);
	return finish(&j, err);
}

bool cs_decide_alone(const struct cs_policy *policy,
		     const struct cs_facts *facts, struct cs_arena *arena,
		     struct cs_verdict *ret_verdict, struct cs_error *err)
{
	struct cs_decide j = {.facts = facts, .arena = arena, .v = ret_verdict};

	cs_verdict_init(ret_verdict, arena);
	cs_decide_usages(&j);
	if (ret_verdict->findings.n > 0)
		return finish(&j, err);
	if (policy->info.kind == CS_DOCUMENT_GUARDS)
		cs_decide_guard_document(&j, policy, &facts->csr);
	else
		judge_by(&j, policy);
	return finish(&j, err);
}
