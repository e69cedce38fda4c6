#include "policy/verdict_json.h"

#include "base/json.h"
#include "base/limits.h"
#include "policy/codes.h"
#include "policy/detail.h"

/* Bytes of a detail: a few findings in words. */
#define MAX_DETAIL ((size_t)16384)
/* Bytes of why other policies do not govern. */
#define OTHERS_UNTIL ((size_t)16384)

/*
 * A decision must fit its maximum (CS_MAX_DECISION), and the answer that is
 * made of it CS_MAX_HTTP_BODY. So violations are told in full up to the first
 * mark, then without what only helps, and past the second they are counted.
 */
#define FULL_UNTIL  ((size_t)24 * 1024)
#define TERSE_UNTIL ((size_t)56 * 1024)
/* Bytes of a value in a terse violation. */
#define TERSE_VALUE ((size_t)72)

/* A member that is text or null. */
static void member(struct cs_json *j, const char *name, bool has,
		   struct cs_span value)
{
	cs_json_name(j, name);
	if (has)
		cs_json_text(j, value);
	else
		cs_json_null(j);
}

/* One line of the diff. */
static void write_entry(struct cs_json *j, const struct cs_diff_entry *e)
{
	cs_json_object(j);
	member(j, "asked", e->has_asked, e->asked);
	member(j, "at", true, e->at);
	cs_json_member_str(j, "disposition",
			   cs_disposition_name(e->disposition));
	member(j, "field", true, e->field);
	member(j, "given", e->has_given, e->given);
	member(j, "rule", true, e->rule);
	cs_json_end(j);
}

/* A refused request has no certificate, so nothing was changed in it. */
static void write_diff(struct cs_json *j, const struct cs_verdict *v)
{
	cs_json_name(j, "diff");
	cs_json_array(j);
	if (!cs_verdict_is_refused(v)) {
		for (size_t i = 0; i < v->diff_n; i++)
			write_entry(j, &v->diff[i]);
	}
	cs_json_end(j);
}

/* {"name", "owner"?, "sha256", "source"} or null. */
static void write_policy(struct cs_json *j, const struct cs_verdict *v)
{
	cs_json_name(j, "policy");
	if (v->policy == NULL) {
		cs_json_null(j);
		return;
	}
	cs_json_object(j);
	cs_json_member_span(j, "name", v->policy->name);
	if (v->policy->owner.n > 0)
		cs_json_member_span(j, "owner", v->policy->owner);
	cs_json_member_span(j, "sha256", v->policy->sha256_text);
	cs_json_member_span(j, "source", v->policy->source);
	cs_json_end(j);
}

/* The set's identity, or null. */
static void write_set(struct cs_json *j, const struct cs_verdict *v)
{
	cs_json_name(j, "set_sha256");
	if (v->set_sha256 == NULL)
		cs_json_null(j);
	else
		cs_json_hex(j, cs_span_make(v->set_sha256, CS_SHA256_SIZE));
}

/* One violation or warning. */
static void write_finding(struct cs_json *j, const struct cs_finding *f)
{
	cs_json_object(j);
	member(j, "at", true, f->at);
	cs_json_member_str(j, "code", f->code);
	member(j, "expected", true, f->expect);
	member(j, "field", true, f->field);
	member(j, "message", true, f->message);
	member(j, "rule", true, f->rule);
	member(j, "value", true, f->value);
	cs_json_end(j);
}

/* The same without what is expected, in the words of its code. */
static void write_terse(struct cs_json *j, const struct cs_finding *f)
{
	struct cs_finding terse = *f;

	terse.expect = cs_span_make(NULL, 0);
	terse.message = cs_span_str(cs_code_meaning(cs_code_by_name(f->code)));
	terse.value = cs_span_sub(f->value, 0, TERSE_VALUE);
	write_finding(j, &terse);
}

/* A list of findings; returns how many did not fit. */
static size_t write_findings(struct cs_json *j, const char *name,
			     const struct cs_findings *f)
{
	size_t start = j->out->n, told = 0;

	cs_json_name(j, name);
	cs_json_array(j);
	for (size_t i = 0; i < f->n && j->out->n < TERSE_UNTIL; i++) {
		if (j->out->n - start < FULL_UNTIL)
			write_finding(j, &f->items[i]);
		else
			write_terse(j, &f->items[i]);
		told++;
	}
	cs_json_end(j);
	return f->n - told + f->more;
}

/* The phases behind the one that ended the judgement. */
static void write_not_reached(struct cs_json *j, const struct cs_verdict *v)
{
	cs_json_name(j, "not_reached");
	cs_json_array(j);
	for (int p = (int)v->reached + 1; p < CS_PHASES; p++)
		cs_json_str(j, cs_phase_name((enum cs_phase)p));
	cs_json_end(j);
}

/* [{"policy", "why"}], when no policy governs. */
static void write_others(struct cs_json *j, const struct cs_verdict *v)
{
	size_t start = j->out->n, told = 0;

	if (v->others_n == 0)
		return;
	cs_json_name(j, "others");
	cs_json_array(j);
	while (told < v->others_n && j->out->n - start < OTHERS_UNTIL) {
		const struct cs_policy_other *o = &v->others[told++];

		cs_json_object(j);
		member(j, "policy", true, o->policy);
		member(j, "why", true, o->why);
		cs_json_end(j);
	}
	cs_json_end(j);
	if (told < v->others_n)
		cs_json_member_int(j, "others_more",
				   (int64_t)(v->others_n - told));
}

/* The members of a refusal. */
static void write_refused(struct cs_json *j, const struct cs_verdict *v)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf detail;
	size_t more;

	cs_buf_init(&detail, MAX_DETAIL);
	cs_verdict_detail(v, &detail);
	cs_json_member_str(j, "code", v->code);
	cs_json_name(j, "detail");
	cs_json_text(j, cs_buf_span(&detail));
	write_diff(j, v);
	cs_json_name(j, "final");
	cs_json_bool(j, true);
	if (v->names > 0)
		cs_json_member_int(j, "names", (int64_t)v->names);
	write_not_reached(j, v);
	write_others(j, v);
	write_policy(j, v);
	write_set(j, v);
	cs_json_member_str(j, "verdict", "refused");
	more = write_findings(j, "violations", &v->findings);
	if (more > 0)
		cs_json_member_int(j, "violations_more", (int64_t)more);
}

/* The members of an issued certificate's answer. */
static void write_issued(struct cs_json *j, const struct cs_verdict *v)
{
	write_diff(j, v);
	cs_json_name(j, "kept");
	cs_json_array(j);
	for (size_t i = 0; i < v->kept_n; i++)
		cs_json_string(j, v->kept[i]);
	cs_json_end(j);
	if (v->explained)
		write_not_reached(j, v);
	write_others(j, v);
	write_policy(j, v);
	write_set(j, v);
	cs_json_member_str(j, "verdict", "issued");
	if (v->warnings.n > 0)
		(void)write_findings(j, "warnings", &v->warnings);
}

bool cs_verdict_json(const struct cs_verdict *v, struct cs_buf *out,
		     struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_name(&j, "changed");
	cs_json_bool(&j, cs_verdict_is_changed(v));
	if (cs_verdict_is_refused(v))
		write_refused(&j, v);
	else
		write_issued(&j, v);
	cs_json_end(&j);
	return cs_json_finish(&j, "the verdict", err);
}
