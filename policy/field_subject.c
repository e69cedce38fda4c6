#include "policy/attribute.h"
#include "policy/decide.h"

#include "base/der.h"
#include "policy/name.h"

/* An asked attribute on its way through the rules. */
struct work {
	const struct cs_fact_attr *asked;
	const struct cs_attr_rules *rules; /* NULL: unlisted */
	struct cs_span field;
	struct cs_span given;
	bool gone;    /* refused or dropped */
	bool ignored; /* `set` without `allow`: not judged */
	bool normalized;
};

const struct cs_attr_rules *cs_decide_attr_rules(
	const struct cs_subject_rules *subject, struct cs_span oid)
{
	for (size_t i = 0; i < subject->n; i++) {
		if (cs_span_equal(subject->attrs[i].oid, oid))
			return &subject->attrs[i];
	}
	return NULL;
}

struct cs_span cs_decide_attr_field(struct cs_decide *j, struct cs_span oid)
{
	const struct cs_attribute *a = cs_attribute_by_oid(oid);
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_span field = {0};

	cs_buf_init(&b, 16 * CS_MAX_OID);
	cs_buf_add_str(&b, "subject.");
	if (a != NULL)
		cs_buf_add_str(&b, a->name);
	else
		cs_der_oid_text(oid, &b);
	if (!cs_buf_ok(&b) || !cs_arena_dup(j->arena, cs_buf_span(&b), &field))
		j->no_memory = true;
	return field;
}

struct cs_cn cs_decide_cn(struct cs_decide *j, struct cs_span value)
{
	struct cs_cn cn = {.canonical = value};

	cn.is_name = true;
	if (cs_name_ip_octets(value, j->arena, &cn.content, NULL) &&
	    cs_name_ip_text(cn.content, j->arena, &cn.canonical, NULL)) {
		cn.kind = CS_NAME_IP;
		return cn;
	}
	cn.kind = CS_NAME_EMAIL;
	if (!cs_name_email(value, j->arena, &cn.canonical, NULL)) {
		cn.kind = CS_NAME_DNS;
		cn.is_name = cs_name_dns(value, j->arena, &cn.canonical, NULL);
	}
	cn.content = cn.canonical;
	return cn;
}

/* How matchers see a value: a common name is what it parses as. */
static struct cs_match_value seen(struct cs_span value, const struct cs_cn *cn)
{
	if (cn == NULL || !cn->is_name)
		return cs_match_text(value);
	if (cn->kind == CS_NAME_DNS)
		return cs_match_dns(cn->canonical);
	return cs_match_text(cn->canonical);
}

/* What follows "is not" for a list that is absent. */
static struct cs_span phrase_of(const struct cs_matchers *m)
{
	return m->present ? m->phrase : CS_SPAN_LIT("allowed");
}

bool cs_decide_attr_hits(const struct cs_matchers *deny, struct cs_span value,
			 const struct cs_cn *cn)
{
	struct cs_match_value v = seen(value, cn);
	/* Also the name as it was asked. */
	struct cs_match_value plain = cs_match_text(value);

	return cs_match_some(deny, &v) || cs_match_some(deny, &plain);
}

bool cs_decide_attr_value(struct cs_decide *j, const struct cs_attr_rules *a,
			  struct cs_span field, struct cs_span value,
			  const struct cs_cn *cn, const struct cs_rule **rule)
{
	const struct cs_matchers *m = &a->deny;
	struct cs_match_value v = seen(value, cn);
	/* `any` and exact text also take a name as it was asked. */
	struct cs_match_value plain = cs_match_text(value);
	enum cs_code code =
		a->is_cn ? CS_CODE_CN_DENIED : CS_CODE_SUBJECT_DENIED;
	bool waives = cs_decide_waives(j, code);
	bool drop = a->on_violation == CS_ON_VIOLATION_DROP && !waives;

	if (cs_decide_attr_hits(m, value, cn)) {
		*rule = &m->rule;
		if (!drop)
			cs_decide_refuse(j, code, field, value, &m->rule,
					 cs_span_make(NULL, 0),
					 "%.*s is denied", CS_SPAN_FMT(value));
		return waives;
	}
	m = &a->allow;
	if (cs_match_all(m, &v) || cs_match_all(m, &plain))
		return true;
	*rule = m->present ? &m->rule : &a->rule;
	if (!drop)
		cs_decide_refuse(j,
				 a->is_cn ? CS_CODE_CN_NOT_ALLOWED
					  : CS_CODE_SUBJECT_NOT_ALLOWED,
				 field, value, *rule, m->expect,
				 "%.*s is not %.*s", CS_SPAN_FMT(value),
				 CS_SPAN_FMT(phrase_of(m)));
	return waives;
}

/* Is this name among the subject alternative names? */
static bool in_san(const struct cs_decide *j, const struct cs_cn *cn)
{
	for (size_t i = 0; i < j->names_n; i++) {
		if (j->names[i].kind == cn->kind &&
		    cs_span_equal(j->names[i].canonical, cn->canonical))
			return true;
	}
	return false;
}

/* Add a common name to the names that are judged as SANs. */
static void add_to_san(struct cs_decide *j, const struct cs_cn *cn,
		       struct cs_span asked)
{
	unsigned index = 0;

	for (size_t i = 0; i < j->names_n; i++)
		index += j->names[i].kind == cn->kind;
	j->names[j->names_n++] = (struct cs_fact_name){
		.kind = cn->kind,
		.asked = asked,
		.canonical = cn->canonical,
		.content = cn->content,
		.index = index,
	};
}

/* in_san: the common name against the SANs, before they are judged. */
static void judge_in_san(struct cs_decide *j, struct work *w,
			 const struct cs_cn *cn)
{
	const struct cs_attr_rules *a = w->rules;
	struct cs_span value = w->asked->value;

	if (a->in_san == CS_IN_SAN_IGNORE)
		return;
	if (!cn->is_name) {
		w->gone = !cs_decide_waives(j, CS_CODE_CN_MALFORMED);
		cs_decide_refuse(j, CS_CODE_CN_MALFORMED, w->field, value,
				 &a->in_san_rule,
				 CS_SPAN_LIT("a DNS name, an IP address or an "
					     "e-mail address"),
				 "%.*s is no name, but common names must be "
				 "subject alternative names",
				 CS_SPAN_FMT(value));
		return;
	}
	if (!in_san(j, cn)) {
		if (a->in_san == CS_IN_SAN_ADD) {
			add_to_san(j, cn, value);
		} else {
			w->gone = !cs_decide_waives(j, CS_CODE_CN_CONFLICT);
			cs_decide_refuse(j, CS_CODE_CN_CONFLICT, w->field,
					 value, &a->in_san_rule,
					 CS_SPAN_LIT("one of the subject "
						     "alternative names"),
					 "%.*s is not one of the subject "
					 "alternative names",
					 CS_SPAN_FMT(value));
		}
	}
	w->normalized = !cs_span_equal(value, cn->canonical);
	w->given = cn->canonical;
}

/* An attribute that the policy does not mention. */
static void judge_unlisted(struct cs_decide *j, struct work *w)
{
	const struct cs_unlisted *u = &j->policy->subject.unlisted;
	enum cs_code code = cs_attribute_is_cn(w->asked->oid)
				    ? CS_CODE_CN_UNLISTED
				    : CS_CODE_SUBJECT_UNLISTED;
	bool waives = cs_decide_waives(j, code);

	w->gone = !waives;
	if (u->action == CS_ON_VIOLATION_DROP && !waives)
		cs_decide_diff(j, CS_DISPOSITION_DROPPED, w->field,
			       &w->asked->value, NULL, &u->rule);
	else
		cs_decide_refuse(
			j, code, w->field, w->asked->value, &u->rule,
			cs_span_make(NULL, 0),
			"%.*s is not covered: the policy does not "
			"mention %.*s",
			CS_SPAN_FMT(w->asked->value),
			CS_SPAN_FMT(cs_decide_attr_field(j, w->asked->oid)));
}

/* One asked attribute: in_san, deny, allow. */
static void judge_asked(struct cs_decide *j, struct work *w)
{
	const struct cs_attr_rules *a = w->rules;
	const struct cs_rule *rule = NULL;
	struct cs_cn cn = {0};

	w->given = w->asked->value;
	if (a == NULL) {
		judge_unlisted(j, w);
		return;
	}
	if (a->set.present && !a->allow.present) {
		w->ignored = true;
		return;
	}
	if (a->is_cn)
		cn = cs_decide_cn(j, w->asked->value);
	if (!cs_decide_attr_value(j, a, w->field, w->asked->value,
				  a->is_cn ? &cn : NULL, &rule)) {
		w->gone = true;
		/* With `set` it is overridden, which is told there. */
		if (a->on_violation == CS_ON_VIOLATION_DROP && !a->set.present)
			cs_decide_diff(j, CS_DISPOSITION_DROPPED, w->field,
				       &w->asked->value, NULL, rule);
		return;
	}
	if (a->is_cn)
		judge_in_san(j, w, &cn);
}

/* max, over what was asked and not dropped: what is refused counts. */
static void judge_count(struct cs_decide *j, const struct cs_attr_rules *a,
			const struct work *work, size_t n)
{
	size_t count = 0;

	if (!a->max.present)
		return;
	for (size_t i = 0; i < n; i++)
		count += work[i].rules == a && !work[i].ignored &&
			 !(work[i].gone &&
			   a->on_violation == CS_ON_VIOLATION_DROP);
	if (count > a->max.value)
		cs_decide_refuse(j,
				 a->is_cn ? CS_CODE_CN_TOO_MANY
					  : CS_CODE_SUBJECT_TOO_MANY,
				 a->field, cs_span_make(NULL, 0), &a->max.rule,
				 cs_span_make(NULL, 0),
				 "%zu values of %.*s, at most %zu are allowed",
				 count, CS_SPAN_FMT(a->field), a->max.value);
}

/* min, over what the certificate gets or would get but for a refusal. */
static void judge_min(struct cs_decide *j, const struct cs_attr_rules *a,
		      const struct work *work, size_t n)
{
	const struct cs_plan *plan = &j->v->plan;
	size_t count = 0;

	if (!a->min.present)
		return;
	for (size_t i = 0; i < plan->subject_n; i++)
		count += cs_span_equal(plan->subject[i].oid, a->oid);
	for (size_t i = 0; i < n; i++)
		count += work[i].rules == a && work[i].gone &&
			 a->on_violation != CS_ON_VIOLATION_DROP;
	if (count < a->min.value)
		cs_decide_refuse(
			j,
			a->is_cn ? CS_CODE_CN_REQUIRED
				 : CS_CODE_SUBJECT_REQUIRED,
			a->field, cs_span_make(NULL, 0), &a->min.rule,
			cs_span_make(NULL, 0),
			"%zu values of %.*s, at least %zu are required", count,
			CS_SPAN_FMT(a->field), a->min.value);
}

/* Put an attribute into the plan. */
static void give(struct cs_decide *j, struct cs_span oid, struct cs_span value)
{
	struct cs_plan *plan = &j->v->plan;

	plan->subject[plan->subject_n++] =
		(struct cs_plan_attr){.oid = oid, .value = value};
}

/*
 * A value of the policy's own: deny holds for it, too. A common name is what
 * it parses as, as those that are asked for are.
 */
static void give_value(struct cs_decide *j, const struct cs_attr_rules *a,
		       struct cs_span field, const struct cs_span *value)
{
	struct cs_cn cn = {0};
	struct cs_match_value v, plain = cs_match_text(*value);

	if (a->deny.present) {
		if (a->is_cn)
			cn = cs_decide_cn(j, *value);
		v = seen(*value, a->is_cn ? &cn : NULL);
		if (cs_match_some(&a->deny, &v) ||
		    cs_match_some(&a->deny, &plain))
			cs_decide_refuse(j,
					 a->is_cn ? CS_CODE_CN_DENIED
						  : CS_CODE_SUBJECT_DENIED,
					 field, *value, &a->deny.rule,
					 cs_span_make(NULL, 0),
					 "%.*s, which the policy itself "
					 "gives, is denied",
					 CS_SPAN_FMT(*value));
	}
	give(j, a->oid, *value);
}

/* The k-th asked value of an attribute with `set`. */
static void override(struct cs_decide *j, const struct work *w, size_t k)
{
	const struct cs_values *set = &w->rules->set;
	const struct cs_span *given = k < set->n ? &set->items[k] : NULL;

	if (given != NULL && cs_span_equal(*given, w->asked->value))
		cs_decide_kept(j, w->field);
	else
		cs_decide_diff(j, CS_DISPOSITION_OVERRIDDEN, w->field,
			       &w->asked->value, given, &set->rule);
	if (given != NULL)
		give_value(j, w->rules, w->field, given);
}

/* What becomes of the asked attributes, in the order in which they stand. */
static void give_asked(struct cs_decide *j, const struct work *work, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct work *w = &work[i];

		if (w->rules != NULL && w->rules->set.present) {
			override(j, w, w->asked->index);
			continue;
		}
		if (w->gone)
			continue;
		if (w->normalized)
			cs_decide_diff(j, CS_DISPOSITION_NORMALIZED, w->field,
				       &w->asked->value, &w->given,
				       cs_decide_builtin());
		else
			cs_decide_kept(j, w->field);
		give(j, w->asked->oid, w->given);
	}
}

/* set beyond what was asked, and default for what is missing. */
static void give_own(struct cs_decide *j, const struct cs_attr_rules *a,
		     const struct work *work, size_t n)
{
	const struct cs_values *values =
		a->set.present ? &a->set : &a->fallback;
	size_t asked = 0, left = 0;

	for (size_t i = 0; i < n; i++) {
		asked += work[i].rules == a;
		left += work[i].rules == a && !work[i].gone;
	}
	if (!values->present || (!a->set.present && left > 0))
		return;
	for (size_t k = a->set.present ? asked : 0; k < values->n; k++) {
		struct cs_span field = cs_decide_field(j, a->field, k);

		cs_decide_diff(j,
			       a->set.present ? CS_DISPOSITION_OVERRIDDEN
					      : CS_DISPOSITION_DEFAULTED,
			       field, NULL, &values->items[k], &values->rule);
		give_value(j, a, field, &values->items[k]);
	}
}

/* How many attributes a plan may hold. */
static size_t room(const struct cs_subject_rules *s, size_t asked)
{
	size_t n = asked;

	for (size_t i = 0; i < s->n; i++)
		n += s->attrs[i].set.n + s->attrs[i].fallback.n;
	return n;
}

void cs_decide_subject(struct cs_decide *j)
{
	const struct cs_cert_facts *csr = &j->facts->csr;
	const struct cs_subject_rules *s = &j->policy->subject;
	struct work *work = cs_decide_new(j, csr->subject_n, sizeof(*work));

	j->names = cs_decide_new(j, csr->names_n + csr->subject_n,
				 sizeof(*j->names));
	j->v->plan.subject = cs_decide_new(j, room(s, csr->subject_n),
					   sizeof(*j->v->plan.subject));
	if (work == NULL || j->names == NULL || j->v->plan.subject == NULL)
		return;
	for (size_t i = 0; i < csr->names_n; i++)
		j->names[i] = csr->names[i];
	j->names_n = j->names_asked = csr->names_n;
	for (size_t i = 0; i < csr->subject_n; i++) {
		struct work *w = &work[i];

		w->asked = &csr->subject[i];
		w->rules = cs_decide_attr_rules(s, w->asked->oid);
		w->field = cs_decide_field(
			j,
			w->rules != NULL
				? w->rules->field
				: cs_decide_attr_field(j, w->asked->oid),
			w->asked->index);
		judge_asked(j, w);
	}
	for (size_t i = 0; i < s->n; i++)
		judge_count(j, &s->attrs[i], work, csr->subject_n);
	give_asked(j, work, csr->subject_n);
	for (size_t i = 0; i < s->n; i++) {
		give_own(j, &s->attrs[i], work, csr->subject_n);
		judge_min(j, &s->attrs[i], work, csr->subject_n);
	}
}
