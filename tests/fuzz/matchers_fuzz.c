/*
 * Matchers: DOMAIN WORD WORD, a byte each, then lines: value and path of two
 * matchers, a scheme, and a name. In values and paths \x01 stands around what
 * was interpolated. Whatever all are:
 *
 *   a name's canonical form is its own canonical form
 *   what is inside a matcher hits it, and for no wildcard there is a difference
 *   what holds all of a wildcard holds each member, unless it spells the
 *   wildcard itself; what hits one member hits the wildcard
 *   a matcher that is all a value matches that value and nothing else
 *   what lint calls inside another matcher takes nothing that that one leaves
 */
#include <string.h>

#include "policy/lint.h"
#include "policy/match.h"
#include "policy/name.h"
#include "policy/template.h"
#include "tests/fuzz/fuzz.h"

#define LINES 6

/* What an input is about. */
struct input {
	enum cs_match_domain domain;
	enum cs_matcher_word word[2];
	struct cs_span line[LINES];
};

/* Split the lines; what is missing is empty. */
static bool read_input(const uint8_t *data, size_t size, struct input *in)
{
	struct cs_span rest;
	size_t end;

	if (size < 3)
		return false;
	in->domain = (enum cs_match_domain)(data[0] % (CS_DOMAIN_OID + 1));
	for (int i = 0; i < 2; i++)
		in->word[i] =
			(enum cs_matcher_word)(data[1 + i] % (CS_WORD_DN + 1));
	rest = cs_span_make(data + 3, size - 3);
	for (size_t i = 0; i < LINES; i++) {
		if (i + 1 == LINES || !cs_span_find(rest, '\n', &end))
			end = rest.n;
		in->line[i] = cs_span_sub(rest, 0, end);
		rest = cs_span_sub(rest, end + 1, SIZE_MAX);
	}
	return true;
}

/* A text with its flags; \x01 toggles them. */
static struct cs_resolved resolve(struct cs_span marked, struct cs_arena *arena)
{
	uint8_t *text = cs_arena_new(arena, marked.n + 1);
	uint8_t *foreign = cs_arena_new(arena, marked.n + 1);
	uint8_t inside = 0;
	size_t n = 0;

	if (text == NULL || foreign == NULL)
		return (struct cs_resolved){0};
	for (size_t i = 0; i < marked.n; i++) {
		if (marked.p[i] == 1) {
			inside = !inside;
			continue;
		}
		foreign[n] = inside;
		text[n++] = marked.p[i];
	}
	return (struct cs_resolved){cs_span_make(text, n), foreign};
}

/* One of the two matchers. False: it is none, and says why. */
static bool make(const struct input *in, int which, struct cs_arena *arena,
		 struct cs_matcher *m)
{
	struct cs_matcher_source source = {.word = in->word[which],
					   .domain = in->domain,
					   .scheme = in->line[4]};
	struct cs_resolved value = resolve(in->line[2 * which], arena);
	struct cs_resolved path = resolve(in->line[2 * which + 1], arena);
	struct cs_error err = {0};
	struct cs_span phrase;

	if (!cs_load_matcher_fits(source.domain,
				  cs_keys_matcher[source.word].name))
		return false;
	source.has_path = path.text.n > 0;
	if (cs_matcher_make(&source, &value, &path, arena, m, &err)) {
		FUZZ_CHECK(cs_matcher_phrase(m, arena, &phrase));
		return true;
	}
	FUZZ_CHECK(err.text[0] != '\0' && err.code != CS_E_INTERNAL);
	return false;
}

/* A name of the domain, canonical, as matchers see it. False: it is none. */
static bool see(enum cs_match_domain domain, struct cs_span text,
		struct cs_arena *arena, struct cs_match_value *v)
{
	struct cs_span out = {0}, octets;

	*v = cs_match_text(text);
	switch (domain) {
	case CS_DOMAIN_DNS:
		if (!cs_name_dns(text, arena, &out, NULL))
			return false;
		*v = cs_match_dns(out);
		return true;
	case CS_DOMAIN_IP:
		if (!cs_name_ip_octets(text, arena, &octets, NULL) ||
		    !cs_name_ip_text(octets, arena, &out, NULL))
			return false;
		*v = cs_match_ip(out, octets);
		return true;
	case CS_DOMAIN_URI:
		*v = cs_match_text(out);
		return cs_name_uri(text, arena, &v->text, NULL);
	case CS_DOMAIN_EMAIL:
		return cs_name_email(text, arena, &v->text, NULL);
	case CS_DOMAIN_DN:
		return cs_name_dn_text(text, NULL, arena, &v->text, NULL);
	case CS_DOMAIN_CN:
		if (cs_name_dns(text, arena, &out, NULL))
			*v = cs_match_dns(out);
		return true;
	case CS_DOMAIN_OID:
	case CS_DOMAIN_TEXT:
	default:
		return true;
	}
}

/* The canonical form of the canonical form. */
static void check_canonical(enum cs_match_domain domain,
			    const struct cs_match_value *v,
			    struct cs_arena *arena)
{
	struct cs_match_value again;

	FUZZ_CHECK(see(domain, v->text, arena, &again));
	FUZZ_CHECK(cs_span_equal(again.text, v->text));
}

/* Is it about names, and not about how a wildcard is spelt? */
static bool is_about_sets(const struct cs_matcher *m)
{
	return m->kind == CS_MATCH_ANY || m->kind == CS_MATCH_DNS_ONE ||
	       m->kind == CS_MATCH_DNS_BELOW || m->kind == CS_MATCH_DNS_WITHIN;
}

/* One member of "*.zone", by its label. */
static void check_member(const struct cs_matcher *m,
			 const struct cs_match_value *wildcard,
			 struct cs_span label, struct cs_arena *arena)
{
	char *text = cs_arena_printf(
		arena, "%.*s%.*s", CS_SPAN_FMT(label),
		CS_SPAN_FMT(cs_span_sub(wildcard->text, 1, SIZE_MAX)));
	struct cs_match_value member;

	if (text == NULL ||
	    !see(CS_DOMAIN_DNS, cs_span_str(text), arena, &member) ||
	    member.is_wildcard)
		return;
	FUZZ_CHECK(!is_about_sets(m) || !cs_matcher_all(m, wildcard) ||
		   cs_matcher_all(m, &member));
	FUZZ_CHECK(!cs_matcher_some(m, &member) ||
		   cs_matcher_some(m, wildcard));
}

/* Members with labels of all kinds, and that of the matcher's own host. */
static void check_members(const struct cs_matcher *m,
			  const struct cs_match_value *wildcard,
			  struct cs_arena *arena)
{
	static const char *const labels[] = {"a", "0", "web-1", "xn--p1ai",
					     "zone"};
	size_t dot;

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		check_member(m, wildcard, cs_span_str(labels[i]), arena);
	if (cs_span_find(m->text, '.', &dot))
		check_member(m, wildcard, cs_span_sub(m->text, 0, dot), arena);
}

/* A value that was interpolated is a literal. */
static void check_literal(const struct input *in, struct cs_arena *arena,
			  const struct cs_match_value *v)
{
	uint8_t *flags = cs_arena_new(arena, in->line[0].n + 1);
	struct cs_resolved value = {in->line[0], flags}, none = {0};
	struct cs_matcher_source source = {.word = in->word[0],
					   .domain = in->domain};
	struct cs_matcher m = {0};

	if (flags == NULL || source.word == CS_WORD_URI ||
	    source.word == CS_WORD_EMAIL || source.word == CS_WORD_CIDR ||
	    source.word == CS_WORD_ANY || source.word == CS_WORD_DN)
		return;
	memset(flags, 1, in->line[0].n);
	if (!cs_matcher_make(&source, &value, &none, arena, &m, NULL))
		return;
	FUZZ_CHECK(m.kind != CS_MATCH_DNS_ONE && m.kind != CS_MATCH_DNS_BELOW &&
		   m.kind != CS_MATCH_DNS_WITHIN);
	if (source.word == CS_WORD_GLOB || source.word == CS_WORD_EXACT)
		FUZZ_CHECK(!cs_matcher_all(&m, v) ||
			   in->domain != CS_DOMAIN_TEXT ||
			   cs_span_equal(v->text, in->line[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_matcher m[2];
	struct cs_match_value v;
	struct cs_arena arena;
	bool made[2], named;
	struct input in;

	if (!read_input(data, size, &in))
		return 0;
	cs_arena_init(&arena, CS_MAX_REQUEST_ARENA);
	for (int i = 0; i < 2; i++)
		made[i] =
			cs_load_matcher_fits(
				in.domain, cs_keys_matcher[in.word[i]].name) &&
			make(&in, i, &arena, &m[i]);
	named = see(in.domain, cs_span_sub(in.line[5], 0, CS_MAX_URI), &arena,
		    &v);
	if (named) {
		check_canonical(in.domain, &v, &arena);
		check_literal(&in, &arena, &v);
	}
	for (int i = 0; i < 2 && named; i++) {
		if (!made[i])
			continue;
		FUZZ_CHECK(!cs_matcher_all(&m[i], &v) ||
			   cs_matcher_some(&m[i], &v));
		if (v.is_wildcard)
			check_members(&m[i], &v, &arena);
		else if (in.domain == CS_DOMAIN_DNS)
			FUZZ_CHECK(cs_matcher_all(&m[i], &v) ==
				   cs_matcher_some(&m[i], &v));
	}
	if (named && made[0] && made[1] && cs_lint_is_inside(&m[0], &m[1]))
		FUZZ_CHECK(!cs_matcher_all(&m[0], &v) ||
			   cs_matcher_all(&m[1], &v));
	cs_arena_done(&arena);
	return 0;
}
