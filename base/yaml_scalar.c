#include "base/yaml_scalar.h"

#include <string.h>

#define IS_DIGIT(c) ((c) >= '0' && (c) <= '9')

/* Is s one of the words, in any mixture of cases? */
static bool is_word(struct cs_span s, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (cs_span_equal_icase(s, cs_span_str(*words)))
			return true;
	}
	return false;
}

/* How many digits (and `_`, which YAML 1.1 allows) s has from `at` on. */
static size_t digits(struct cs_span s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n &&
	       (IS_DIGIT(s.p[at + n]) || (n > 0 && s.p[at + n] == '_')))
		n++;
	return n;
}

/* Bytes of a sign at the start. */
static size_t sign(struct cs_span s)
{
	return s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
}

/* 0x1f, 0o17, 0b11, 017 and 1_000 in any reader's eyes. */
static bool is_odd_integer(struct cs_span s)
{
	size_t at = sign(s), n = digits(s, at);

	if (n == 0 || s.n == at)
		return false;
	if (at + n == s.n)
		return s.p[0] == '+' || (n > 1 && s.p[at] == '0') ||
		       cs_span_find(s, '_', NULL);
	if (n != 1 || s.p[at] != '0' || s.n < at + 3)
		return false;
	for (size_t i = at + 2; i < s.n; i++) {
		if (!IS_DIGIT(s.p[i]) &&
		    strchr("abcdefABCDEF_", s.p[i]) == NULL)
			return false;
	}
	return strchr("xXobB", s.p[at + 1]) != NULL;
}

/* 1.5, .5, 1., 1e3, -2.5E-3, .inf, .nan */
static bool is_float(struct cs_span s)
{
	static const char *const words[] = {".inf", "+.inf", "-.inf", ".nan",
					    NULL};
	size_t at = sign(s), whole = digits(s, at), part = 0;

	if (is_word(s, words))
		return true;
	at += whole;
	if (at < s.n && s.p[at] == '.') {
		part = digits(s, at + 1);
		at += 1 + part;
	}
	if (whole + part == 0)
		return false;
	if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
		size_t exponent = at + 1;

		if (exponent < s.n &&
		    (s.p[exponent] == '-' || s.p[exponent] == '+'))
			exponent++;
		part = digits(s, exponent);
		if (part == 0)
			return false;
		at = exponent + part;
	}
	return at == s.n;
}

/* 12:30:45, which YAML 1.1 reads in base 60. */
static bool is_sexagesimal(struct cs_span s)
{
	size_t at = sign(s), n = digits(s, at), parts = 0;

	if (n == 0)
		return false;
	for (at += n; at < s.n && s.p[at] == ':'; at += 1 + n) {
		n = digits(s, at + 1);
		if (n == 0 || n > 2)
			return false;
		parts++;
	}
	return at == s.n && parts > 0;
}

/* A decimal integer of int64 without leading zeros. */
static bool integer(struct cs_span s, int64_t *ret)
{
	size_t at = s.n > 0 && s.p[0] == '-' ? 1 : 0;
	int64_t v = 0;

	if (at == s.n || (s.p[at] == '0' && s.n > 1))
		return false;
	for (size_t i = at; i < s.n; i++) {
		int digit = s.p[i] - '0';

		if (!IS_DIGIT(s.p[i]) || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, digit, &v))
			return false;
	}
	/* Counted downwards, because INT64_MIN has no positive. */
	if (at == 0 && v == INT64_MIN)
		return false;
	*ret = at == 0 ? -v : v;
	return true;
}

/* What another reader would take this text for, or NULL. */
static const char *ambiguous(struct cs_span s)
{
	static const char *const bools[] = {"yes", "no",   "on",    "off", "y",
					    "n",   "true", "false", NULL};
	static const char *const nulls[] = {"~", "null", NULL};

	if (is_word(s, bools))
		return "a boolean";
	if (is_word(s, nulls))
		return "null";
	if (is_odd_integer(s))
		return "an integer in another notation";
	if (is_sexagesimal(s))
		return "a number in base 60";
	if (is_float(s))
		return "a float, or an integer beyond 64 bits";
	return NULL;
}

const char *cs_yaml_scalar_plain(struct cs_yaml *node)
{
	struct cs_span s = node->text;
	const char *other;

	if (s.n == 0 || cs_span_equal_str(s, "null")) {
		node->kind = CS_YAML_NULL;
		return NULL;
	}
	if (cs_span_equal_str(s, "true") || cs_span_equal_str(s, "false")) {
		node->kind = CS_YAML_BOOL;
		node->boolean = s.p[0] == 't';
		return NULL;
	}
	if (integer(s, &node->integer)) {
		node->kind = CS_YAML_INT;
		return NULL;
	}
	other = ambiguous(s);
	if (other == NULL)
		node->kind = CS_YAML_TEXT;
	return other;
}
