#include "base/codec.h"
#include "base/der.h"
#include "policy/decide.h"
#include "policy/name.h"

/* Codes and words of the kinds that have rules. */
static const struct {
	struct cs_span field;
	enum cs_code not_allowed, denied, unlisted;
	enum cs_code required, too_few, too_many;
} kinds[CS_SAN_KINDS] = {
	[CS_NAME_DNS] = {{(const uint8_t *)"san.dns", 7},
			 CS_CODE_SAN_DNS_NOT_ALLOWED,
			 CS_CODE_SAN_DNS_DENIED,
			 CS_CODE_SAN_DNS_UNLISTED,
			 CS_CODE_SAN_DNS_REQUIRED,
			 CS_CODE_SAN_DNS_TOO_FEW,
			 CS_CODE_SAN_DNS_TOO_MANY},
	[CS_NAME_IP] = {{(const uint8_t *)"san.ip", 6},
			CS_CODE_SAN_IP_NOT_ALLOWED,
			CS_CODE_SAN_IP_DENIED,
			CS_CODE_SAN_IP_UNLISTED,
			CS_CODE_SAN_IP_REQUIRED,
			CS_CODE_SAN_IP_TOO_FEW,
			CS_CODE_SAN_IP_TOO_MANY},
	[CS_NAME_URI] = {{(const uint8_t *)"san.uri", 7},
			 CS_CODE_SAN_URI_NOT_ALLOWED,
			 CS_CODE_SAN_URI_DENIED,
			 CS_CODE_SAN_URI_UNLISTED,
			 CS_CODE_SAN_URI_REQUIRED,
			 CS_CODE_SAN_URI_TOO_FEW,
			 CS_CODE_SAN_URI_TOO_MANY},
	[CS_NAME_EMAIL] = {{(const uint8_t *)"san.email", 9},
			   CS_CODE_SAN_EMAIL_NOT_ALLOWED,
			   CS_CODE_SAN_EMAIL_DENIED,
			   CS_CODE_SAN_EMAIL_UNLISTED,
			   CS_CODE_SAN_EMAIL_REQUIRED,
			   CS_CODE_SAN_EMAIL_TOO_FEW,
			   CS_CODE_SAN_EMAIL_TOO_MANY},
	[CS_NAME_DIRECTORY] = {{(const uint8_t *)"san.directory_name", 18},
			       CS_CODE_SAN_DIRECTORY_NOT_ALLOWED,
			       CS_CODE_SAN_DIRECTORY_DENIED,
			       CS_CODE_SAN_DIRECTORY_UNLISTED,
			       CS_CODE_SAN_DIRECTORY_REQUIRED,
			       CS_CODE_SAN_DIRECTORY_TOO_FEW,
			       CS_CODE_SAN_DIRECTORY_TOO_MANY},
	[CS_NAME_REGISTERED_ID] = {{(const uint8_t *)"san.registered_id", 17},
				   CS_CODE_SAN_REGISTERED_ID_NOT_ALLOWED,
				   CS_CODE_SAN_REGISTERED_ID_DENIED,
				   CS_CODE_SAN_REGISTERED_ID_UNLISTED,
				   CS_CODE_SAN_REGISTERED_ID_REQUIRED,
				   CS_CODE_SAN_REGISTERED_ID_TOO_FEW,
				   CS_CODE_SAN_REGISTERED_ID_TOO_MANY},
};

/* The same for otherName, whose types have rules by their OIDs. */
static const struct cs_san_codes {
	enum cs_code not_allowed, denied, required, too_few, too_many;
} other_codes = {CS_CODE_SAN_OTHER_NOT_ALLOWED, CS_CODE_SAN_OTHER_DENIED,
		 CS_CODE_SAN_OTHER_REQUIRED, CS_CODE_SAN_OTHER_TOO_FEW,
		 CS_CODE_SAN_OTHER_TOO_MANY};

/* Has this kind rules of its own in the language? */
static bool has_rules(enum cs_name_kind kind)
{
	return (unsigned)kind < CS_SAN_KINDS;
}

/* The field of a kind, without an index. */
static struct cs_span field_of(enum cs_name_kind kind)
{
	if (has_rules(kind))
		return kinds[kind].field;
	return CS_SPAN_LIT("san.other_name");
}

struct cs_span cs_decide_name_field(struct cs_decide *j,
				    const struct cs_fact_name *name)
{
	return cs_decide_field(j, field_of(name->kind), name->index);
}

/* The rules of an otherName's type; NULL: unlisted. */
static const struct cs_san_rules *other_rules(const struct cs_sans_rules *san,
					      const struct cs_fact_name *name)
{
	for (size_t i = 0; i < san->others_n; i++) {
		if (name->kind == CS_NAME_OTHER &&
		    cs_span_equal(san->others[i].oid, name->oid))
			return &san->others[i].rules;
	}
	return NULL;
}

/* The rules that a name has; NULL: it is unlisted. */
static const struct cs_san_rules *rules_of(const struct cs_sans_rules *san,
					   const struct cs_fact_name *name)
{
	if (!has_rules(name->kind))
		return other_rules(san, name);
	return san->kind[name->kind].listed ? &san->kind[name->kind] : NULL;
}

/*
 * The text of an otherName: one UTF8String, of one line. False: it is
 * something else.
 */
static bool other_text(const struct cs_fact_name *name, struct cs_span *ret)
{
	struct cs_der r = cs_der_reader(name->content);
	struct cs_span text;
	uint8_t tag;

	if (!cs_der_any(&r, &tag, &text, NULL, NULL) || !cs_der_at_end(&r) ||
	    tag != CS_DER_UTF8_STRING || text.n == 0 || !cs_codec_is_utf8(text))
		return false;
	if (cs_name_has_control(text))
		return false;
	*ret = text;
	return true;
}

bool cs_decide_name_value(const struct cs_fact_name *name,
			  struct cs_match_value *ret_value)
{
	struct cs_span text = name->canonical;

	if (name->kind == CS_NAME_OTHER && !other_text(name, &text))
		return false;
	if (name->kind == CS_NAME_DNS)
		*ret_value = cs_match_dns(text);
	else if (name->kind == CS_NAME_IP)
		*ret_value = cs_match_ip(text, name->content);
	else
		*ret_value = cs_match_text(text);
	return true;
}

/* A kind, or a type of otherName, that has no rules. */
static void unlisted(const struct cs_sans_rules *san,
		     const struct cs_fact_name *name,
		     struct cs_name_violation *v)
{
	v->rule = &san->unlisted.rule;
	v->words = "is not covered: the policy does not mention ";
	v->phrase = field_of(name->kind);
	v->code = has_rules(name->kind) ? kinds[name->kind].unlisted
					: CS_CODE_SAN_OTHER_UNLISTED;
}

bool cs_decide_name_violation(const struct cs_sans_rules *san,
			      const struct cs_fact_name *name,
			      struct cs_name_violation *ret)
{
	const struct cs_san_rules *r = rules_of(san, name);
	bool other = name->kind == CS_NAME_OTHER;
	struct cs_match_value v;

	*ret = (struct cs_name_violation){0};
	if (r == NULL) {
		unlisted(san, name, ret);
		return true;
	}
	ret->code = CS_CODE_SAN_OTHER_MALFORMED;
	ret->rule = &r->rule;
	ret->words = "is no UTF8String of one line";
	if (!cs_decide_name_value(name, &v))
		return true;
	ret->code = other ? other_codes.denied : kinds[name->kind].denied;
	ret->rule = &r->deny.rule;
	ret->words = "is denied";
	if (cs_match_some(&r->deny, &v))
		return true;
	ret->code = CS_CODE_SAN_DNS_WILDCARD;
	ret->rule = &r->wildcard_rule;
	ret->words = "is a wildcard, which this policy forbids";
	if (v.is_wildcard && !r->wildcards)
		return true;
	if (cs_match_all(&r->allow, &v))
		return false;
	ret->code =
		other ? other_codes.not_allowed : kinds[name->kind].not_allowed;
	ret->rule = r->allow.present ? &r->allow.rule : &r->rule;
	ret->expect = r->allow.expect;
	ret->words = "is not ";
	ret->phrase =
		r->allow.present ? r->allow.phrase : CS_SPAN_LIT("allowed");
	return true;
}

/* May the violation drop the name instead? */
static bool drops(const struct cs_decide *j, const struct cs_fact_name *name,
		  enum cs_code code)
{
	const struct cs_sans_rules *san = &j->policy->san;
	const struct cs_san_rules *r = rules_of(san, name);

	if (r == NULL)
		return san->unlisted.action == CS_ON_VIOLATION_DROP;
	return r->on_violation == CS_ON_VIOLATION_DROP &&
	       !cs_decide_waives(j, code);
}

/* A name as people read it; bytes that are no text are left out. */
static struct cs_span shown(const struct cs_fact_name *name, bool asked)
{
	struct cs_span text = {0};

	if (name->kind == CS_NAME_OTHER)
		(void)other_text(name, &text);
	if (!has_rules(name->kind))
		return text;
	/* These were asked for in octets that are no text. */
	if (name->kind == CS_NAME_IP || name->kind == CS_NAME_DIRECTORY ||
	    name->kind == CS_NAME_REGISTERED_ID)
		return name->canonical;
	return asked ? name->asked : name->canonical;
}

struct cs_span cs_decide_name_shown(const struct cs_fact_name *name)
{
	return shown(name, true);
}

/* A name that violates: refused, or dropped. */
static void violate(struct cs_decide *j, const struct cs_fact_name *name,
		    const struct cs_name_violation *v)
{
	struct cs_span field = cs_decide_name_field(j, name);
	struct cs_span value = shown(name, true);

	if (drops(j, name, v->code))
		cs_decide_diff(j, CS_DISPOSITION_DROPPED, field, &value, NULL,
			       v->rule);
	else if (value.n == 0)
		cs_decide_refuse(j, v->code, field, value, v->rule, v->expect,
				 "the name %s", v->words);
	else
		cs_decide_refuse(j, v->code, field, value, v->rule, v->expect,
				 "%.*s %s%.*s", CS_SPAN_FMT(value), v->words,
				 CS_SPAN_FMT(v->phrase));
}

/* A name that stands: into the plan, with its line. */
static void give(struct cs_decide *j, const struct cs_fact_name *name,
		 bool added)
{
	struct cs_plan *plan = &j->v->plan;
	struct cs_span field = cs_decide_name_field(j, name);
	struct cs_span asked = shown(name, true);
	struct cs_span given = shown(name, false);

	if (added)
		cs_decide_diff(
			j, CS_DISPOSITION_ADDED, field, NULL, &given,
			&cs_decide_attr_rules(&j->policy->subject,
					      CS_SPAN_LIT("\x55\x04\x03"))
				 ->in_san_rule);
	else if (name->normalized)
		cs_decide_diff(j, CS_DISPOSITION_NORMALIZED, field, &asked,
			       &given, cs_decide_builtin());
	else
		cs_decide_kept(j, field);
	plan->names[plan->names_n++] = (struct cs_plan_name){
		.kind = name->kind, .content = name->content, .oid = name->oid};
}

/* One bound on a number of names. */
static void judge_count(struct cs_decide *j, enum cs_code code,
			struct cs_span field, const struct cs_count *count,
			size_t n, const char *bound)
{
	cs_decide_refuse(j, code, field, cs_span_make(NULL, 0), &count->rule,
			 cs_span_make(NULL, 0),
			 "%zu names in %.*s, at %s %zu are %s", n,
			 CS_SPAN_FMT(field), bound, count->value,
			 bound[0] == 'm' ? "allowed" : "required");
}

/* min and max of one kind, or of one type of otherName. */
static void judge_bounds(struct cs_decide *j, const struct cs_san_rules *r,
			 const struct cs_san_codes *codes, struct cs_span field,
			 size_t n)
{
	if (r->min.present && n < r->min.value)
		judge_count(j, n == 0 ? codes->required : codes->too_few, field,
			    &r->min, n, "least");
	if (r->max.present && n > r->max.value)
		judge_count(j, codes->too_many, field, &r->max, n, "most");
}

/* Names of one type of otherName, over what stands. */
static size_t count_others(const struct cs_decide *j, struct cs_span oid)
{
	size_t n = 0;

	for (size_t i = 0; i < j->names_n; i++) {
		const struct cs_fact_name *name = &j->names[i];
		struct cs_name_violation v;

		if (name->kind != CS_NAME_OTHER ||
		    !cs_span_equal(name->oid, oid))
			continue;
		n += !cs_decide_name_violation(&j->policy->san, name, &v) ||
		     !drops(j, name, v.code);
	}
	return n;
}

/* min and max of each kind and of all, over what stands. */
static void judge_counts(struct cs_decide *j, const size_t n[CS_NAME_KINDS],
			 size_t total)
{
	const struct cs_sans_rules *san = &j->policy->san;
	const struct cs_span all = CS_SPAN_LIT("san");

	for (int k = 0; k < CS_SAN_KINDS; k++) {
		const struct cs_san_codes codes = {
			kinds[k].not_allowed, kinds[k].denied,
			kinds[k].required, kinds[k].too_few, kinds[k].too_many};

		judge_bounds(j, &san->kind[k], &codes, kinds[k].field, n[k]);
	}
	for (size_t i = 0; i < san->others_n; i++)
		judge_bounds(j, &san->others[i].rules, &other_codes,
			     field_of(CS_NAME_OTHER),
			     count_others(j, san->others[i].oid));
	if (san->min_total.present && total < san->min_total.value)
		judge_count(j,
			    total == 0 ? CS_CODE_SAN_REQUIRED
				       : CS_CODE_SAN_TOO_FEW,
			    all, &san->min_total, total, "least");
	if (san->max_total.present && total > san->max_total.value)
		judge_count(j, CS_CODE_SAN_TOO_MANY, all, &san->max_total,
			    total, "most");
}

void cs_decide_san(struct cs_decide *j)
{
	size_t n[CS_NAME_KINDS] = {0};
	size_t total = 0;

	j->v->plan.names =
		cs_decide_new(j, j->names_n, sizeof(*j->v->plan.names));
	if (j->v->plan.names == NULL)
		return;
	for (size_t i = 0; i < j->names_n; i++) {
		const struct cs_fact_name *name = &j->names[i];
		struct cs_name_violation v;

		bool stands = true;

		if (cs_decide_name_violation(&j->policy->san, name, &v)) {
			violate(j, name, &v);
			/* What is refused was asked for, and counts. */
			if (drops(j, name, v.code))
				continue;
			stands = cs_decide_waives(j, v.code);
		}
		if (stands)
			give(j, name, i >= j->names_asked);
		n[name->kind]++;
		total++;
	}
	judge_counts(j, n, total);
}
