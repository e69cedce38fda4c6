#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/decide.h"

/* What lists of a verdict start with: an ordinary request's fields. */
#define FIRST_CAP ((size_t)16)

void *cs_decide_new(struct cs_decide *j, size_t count, size_t size)
{
	void *p = cs_arena_new_array(j->arena, count, size);

	if (p == NULL)
		j->no_memory = true;
	return p;
}

const struct cs_rule *cs_decide_builtin(void)
{
	static const struct cs_rule rule = {
		.id = {(const uint8_t *)"built-in", 8}};

	return &rule;
}

struct cs_span cs_decide_field(struct cs_decide *j, struct cs_span prefix,
			       size_t index)
{
	uint8_t digits[20];
	size_t n = 0;
	uint8_t *text = cs_decide_new(j, prefix.n + sizeof(digits) + 2, 1);

	if (text == NULL)
		return cs_span_make(NULL, 0);
	do {
		digits[n++] = (uint8_t)('0' + index % 10);
		index /= 10;
	} while (index > 0);
	/* Empty when there was no memory for it. */
	if (prefix.n > 0)
		memcpy(text, prefix.p, prefix.n);
	text[prefix.n] = '[';
	for (size_t i = 0; i < n; i++)
		text[prefix.n + 1 + i] = digits[n - 1 - i];
	text[prefix.n + 1 + n] = ']';
	return cs_span_make(text, prefix.n + n + 2);
}

bool cs_decide_waives(const struct cs_decide *j, enum cs_code code)
{
	/* Rules of fields, and subject attributes that are unlisted. */
	static const enum cs_code codes[] = {
		CS_CODE_CN_NOT_ALLOWED,
		CS_CODE_CN_DENIED,
		CS_CODE_CN_UNLISTED,
		CS_CODE_CN_MALFORMED,
		CS_CODE_CN_REQUIRED,
		CS_CODE_CN_TOO_MANY,
		CS_CODE_CN_CONFLICT,
		CS_CODE_SUBJECT_NOT_ALLOWED,
		CS_CODE_SUBJECT_DENIED,
		CS_CODE_SUBJECT_UNLISTED,
		CS_CODE_SUBJECT_REQUIRED,
		CS_CODE_SUBJECT_TOO_MANY,
		CS_CODE_SAN_DNS_NOT_ALLOWED,
		CS_CODE_SAN_DNS_DENIED,
		CS_CODE_SAN_DNS_WILDCARD,
		CS_CODE_SAN_DNS_REQUIRED,
		CS_CODE_SAN_DNS_TOO_MANY,
		CS_CODE_SAN_DNS_TOO_FEW,
		CS_CODE_SAN_IP_NOT_ALLOWED,
		CS_CODE_SAN_IP_DENIED,
		CS_CODE_SAN_IP_REQUIRED,
		CS_CODE_SAN_IP_TOO_MANY,
		CS_CODE_SAN_IP_TOO_FEW,
		CS_CODE_SAN_URI_NOT_ALLOWED,
		CS_CODE_SAN_URI_DENIED,
		CS_CODE_SAN_URI_REQUIRED,
		CS_CODE_SAN_URI_TOO_MANY,
		CS_CODE_SAN_URI_TOO_FEW,
		CS_CODE_SAN_EMAIL_NOT_ALLOWED,
		CS_CODE_SAN_EMAIL_DENIED,
		CS_CODE_SAN_EMAIL_REQUIRED,
		CS_CODE_SAN_EMAIL_TOO_MANY,
		CS_CODE_SAN_EMAIL_TOO_FEW,
		CS_CODE_SAN_OTHER_NOT_ALLOWED,
		CS_CODE_SAN_OTHER_DENIED,
		CS_CODE_SAN_OTHER_REQUIRED,
		CS_CODE_SAN_OTHER_TOO_MANY,
		CS_CODE_SAN_OTHER_TOO_FEW,
		CS_CODE_SAN_DIRECTORY_NOT_ALLOWED,
		CS_CODE_SAN_DIRECTORY_DENIED,
		CS_CODE_SAN_DIRECTORY_REQUIRED,
		CS_CODE_SAN_DIRECTORY_TOO_MANY,
		CS_CODE_SAN_DIRECTORY_TOO_FEW,
		CS_CODE_SAN_REGISTERED_ID_NOT_ALLOWED,
		CS_CODE_SAN_REGISTERED_ID_DENIED,
		CS_CODE_SAN_REGISTERED_ID_REQUIRED,
		CS_CODE_SAN_REGISTERED_ID_TOO_MANY,
		CS_CODE_SAN_REGISTERED_ID_TOO_FEW,
		CS_CODE_SAN_REQUIRED,
		CS_CODE_SAN_TOO_MANY,
		CS_CODE_SAN_TOO_FEW,
		CS_CODE_KEY_NOT_ALLOWED,
		CS_CODE_VALIDITY_TOO_LONG,
		CS_CODE_VALIDITY_TOO_SHORT,
		CS_CODE_KEY_USAGE_NOT_ALLOWED,
		CS_CODE_EXT_KEY_USAGE_NOT_ALLOWED,
	};

	if (j->policy == NULL || j->policy->info.mode != CS_MODE_WARN)
		return false;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i] == code)
			return true;
	}
	return false;
}

void cs_decide_refuse(struct cs_decide *j, enum cs_code code,
		      struct cs_span field, struct cs_span value,
		      const struct cs_rule *rule, struct cs_span expect,
		      const char *fmt, ...)
{
	struct cs_finding one = {
		.code = cs_code_name(code),
		.field = field,
		.value = value,
		.expect = expect,
		.rule = rule->id,
		.at = rule->at,
	};
	bool waives = cs_decide_waives(j, code);
	char sentence[CS_ERROR_MAX];
	va_list ap;

	if (waives && j->built)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	if (!cs_arena_dup(j->arena, cs_span_str(sentence), &one.message) ||
	    !cs_findings_add(waives ? &j->v->warnings : &j->v->findings, &one))
		j->no_memory = true;
}

/* A list twice as long, with what it held. */
static void *grown(struct cs_decide *j, const void *items, size_t n,
		   size_t *cap, size_t size)
{
	size_t more = *cap == 0 ? FIRST_CAP : *cap * 2;
	void *p = cs_decide_new(j, more, size);

	if (p == NULL)
		return NULL;
	if (n > 0)
		memcpy(p, items, n * size);
	*cap = more;
	return p;
}

void cs_decide_kept(struct cs_decide *j, struct cs_span field)
{
	struct cs_verdict *v = j->v;

	if (v->kept_n == v->kept_cap) {
		struct cs_span *p =
			grown(j, v->kept, v->kept_n, &v->kept_cap, sizeof(*p));

		if (p == NULL)
			return;
		v->kept = p;
	}
	v->kept[v->kept_n++] = field;
}

void cs_decide_diff(struct cs_decide *j, enum cs_disposition disposition,
		    struct cs_span field, const struct cs_span *asked,
		    const struct cs_span *given, const struct cs_rule *rule)
{
	struct cs_verdict *v = j->v;
	struct cs_diff_entry *e;

	if (v->diff_n == v->diff_cap) {
		e = grown(j, v->diff, v->diff_n, &v->diff_cap, sizeof(*e));
		if (e == NULL)
			return;
		v->diff = e;
	}
	e = &v->diff[v->diff_n++];
	*e = (struct cs_diff_entry){
		.disposition = disposition,
		.field = field,
		.has_asked = asked != NULL,
		.has_given = given != NULL,
		.rule = rule->id,
		.at = rule->at,
	};
	if (asked != NULL)
		e->asked = *asked;
	if (given != NULL)
		e->given = *given;
}
