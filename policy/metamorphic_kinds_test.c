#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "policy/testing.h"

/*
 * The relations of metamorphic_test.c for every field that has matchers, with
 * every matcher that may stand there: one more deny never lets more pass, one
 * more allow never less, the order of a list changes nothing; and a guard
 * denies what `deny` of the same field denies.
 */

#define ROUNDS 120
#define ITEMS  8

/* A field: where its lists stand, what may stand in them, what is asked. */
static const struct field {
	const char *before, *after; /* around `allow: [...], deny: [...]` */
	const char *guard;
	enum cs_name_kind kind; /* or OTHER and KINDS, see add() */
	const char *matchers[ITEMS];
	const char *values[ITEMS];
} fields[] = {
	{"  san: {dns: {wildcard: leftmost, ",
	 "}}\n",
	 "san.dns",
	 CS_NAME_DNS,
	 {"{dns: a.example}", "{dns: .example}", "{dns: '*.b.example'}",
	  "{dns: '**.example'}", "{exact: '*.example'}", "{regex: '[ab][.].*'}",
	  "any"},
	 {"a.example", "b.example", "c.b.example", "*.b.example", "*.example",
	  "*.c.test", "example"}},
	{"  san: {ip: {",
	 "}}\n",
	 "san.ip",
	 CS_NAME_IP,
	 {"{cidr: 10.0.0.0/8}", "{cidr: 10.1.0.0/16}", "{exact: 10.1.2.3}",
	  "{cidr: '2001:db8::/32'}", "{cidr: 10.1.2.3}", "any"},
	 {"10.1.2.3", "10.2.0.1", "192.0.2.1", "2001:db8::1", "::1"}},
	{"  san: {uri: {",
	 "}}\n",
	 "san.uri",
	 CS_NAME_URI,
	 {"{uri: {scheme: spiffe}}", "{uri: {host: .example}}",
	  "{uri: {scheme: spiffe, host: a.example, path: '/ns/*'}}",
	  "{uri: {path: '/**'}}", "{exact: 'spiffe://a.example/ns/x'}",
	  "{regex: 'spiffe:.*x'}", "any"},
	 {"spiffe://a.example/ns/x", "spiffe://b.example/ns/x/y",
	  "https://a.example:8443/ns/x", "spiffe://a.example/ns/%2e%2e",
	  "urn:x", "https://user@b.example/"}},
	{"  san: {email: {",
	 "}}\n",
	 "san.email",
	 CS_NAME_EMAIL,
	 {"{email: {domain: a.example}}", "{email: {domain: .example}}",
	  "{email: {domain: '*.a.example'}}", "{exact: root@a.example}",
	  "{iexact: ROOT@b.a.example}", "{regex: 'x.*'}", "any"},
	 {"root@a.example", "x@b.a.example", "Root@b.a.example", "x@test",
	  "root@example"}},
	{"  san: {directory_name: {",
	 "}}\n",
	 "san.directory_name",
	 CS_NAME_DIRECTORY,
	 {"{dn: 'CN=a,O=b'}", "{dn: 'CN=a'}", "{dn: 'cn=A,o=B'}",
	  "{dn: '1.2.3=x'}", "any"},
	 {"CN=a,O=b", "CN=A,O=B", "CN=a", "O=b,CN=a", "1.2.3=x"}},
	{"  san: {registered_id: {",
	 "}}\n",
	 "san.registered_id",
	 CS_NAME_REGISTERED_ID,
	 {"{oid: 1.2.3}", "{oid: 1.2.3.4}", "any"},
	 {"1.2.3", "1.2.3.4", "2.5.4.3"}},
	{"  san: {other_name: [{oid: 1.2.3, type: utf8, ",
	 "}]}\n",
	 "san.other_name",
	 CS_NAME_OTHER,
	 {"{exact: ab}", "{iexact: AB}", "{glob: 'a*'}", "{regex: '.b|x'}",
	  "{glob: '*'}", "any"},
	 {"ab", "Ab", "a*", "x", "abc"}},
	{"  subject: {organization: {",
	 "}}\n",
	 "subject.organization",
	 CS_NAME_KINDS,
	 {"{exact: ab}", "{iexact: AB}", "{glob: 'a*'}", "{regex: '.b|x'}",
	  "{glob: '*b'}", "any"},
	 {"ab", "Ab", "a*", "x", "abc"}},
	{"  subject: {commonName: {in_san: ignore, ",
	 "}}\n",
	 "subject.commonName",
	 CS_NAME_KINDS,
	 {"{exact: ab}", "{iexact: A.EXAMPLE}", "{glob: '*.example'}",
	  "{dns: .example}", "{dns: '*.b.example'}",
	  "{email: {domain: .example}}", "{regex: '[a-c].*'}", "any"},
	 {"ab", "A.example", "*.b.example", "x y", "root@b.example", "10.1.2.3",
	  "c.b.example"}},
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* A small generator of our own: the same documents in every run. */
static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

static size_t count(const char *const items[ITEMS])
{
	size_t n = 0;

	while (n < ITEMS && items[n] != NULL)
		n++;
	return n;
}

/* Ask for a value of the field. */
static void add(struct cs_testing *t, const struct field *f, const char *value)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	struct cs_fact_name *name;

	cs_buf_init(&der, 256);
	if (f->kind == CS_NAME_KINDS) {
		cs_testing_attr(t, f->guard[8] == 'c' ? 3 : 10, value);
		return;
	}
	if (f->kind == CS_NAME_IP) {
		cs_testing_ip(t, value);
		return;
	}
	if (f->kind != CS_NAME_OTHER) {
		cs_testing_name(t, f->kind, value);
		return;
	}
	cs_der_write(&der, CS_DER_UTF8_STRING, cs_span_str(value));
	name = &t->facts.csr.names[t->facts.csr.names_n++];
	*name = (struct cs_fact_name){.kind = CS_NAME_OTHER,
				      .oid = CS_SPAN_LIT("\x2a\x03")};
	assert_true(cs_arena_dup(&t->arena, cs_buf_span(&der), &name->content));
	name->asked = name->content;
}

/* Up to three matchers of the field; at least one. */
struct list {
	const char *items[4];
	size_t n;
};

static struct list draw(const struct field *f, uint32_t *seed)
{
	struct list l = {.n = 1 + next(seed) % 3};

	for (size_t i = 0; i < l.n; i++)
		l.items[i] = f->matchers[next(seed) % count(f->matchers)];
	return l;
}

/* "[a, b]", from the end when it is turned. */
static void write_list(const struct list *l, bool turned, char out[512])
{
	size_t at = 0;

	out[at++] = '[';
	for (size_t i = 0; i < l->n; i++)
		at += (size_t)snprintf(out + at, 512 - at, "%s%s",
				       i > 0 ? ", " : "",
				       l->items[turned ? l->n - 1 - i : i]);
	(void)snprintf(out + at, 512 - at, "]");
}

/* A policy; deny stands in it, or in guards, or nowhere. */
enum where {
	IN_POLICY,
	IN_GUARDS
};

static void load(struct cs_testing *t, const struct field *f,
		 const struct list *allow, const struct list *deny,
		 enum where where, bool turned)
{
	char a[512], d[512], text[4096];

	write_list(allow, turned, a);
	write_list(deny, turned, d);
	if (where == IN_POLICY)
		(void)snprintf(
			text, sizeof(text),
			CS_TESTING_POLICY("web", "%sallow: %s, deny: %s%s"),
			f->before, a, d, f->after);
	else
		(void)snprintf(
			text, sizeof(text),
			CS_TESTING_POLICY(
				"web", "%sallow: %s%s") "---\napiVersion: "
							"countersign.dev/v1\n"
							"kind: "
							"IssuanceGuards\nmetada"
							"ta: {name: g}\nspec:\n"
							"  guards: [{id: g, "
							"deny: {%s: %s}}]\n",
			f->before, a, f->after, f->guard, d);
	cs_testing_load(t, text);
	if (t->set == NULL)
		fail_msg("%s\n%.*s", text,
			 CS_SPAN_FMT(t->report.items[0].text));
}

/* Which of the field's values pass. */
static void ask(struct cs_testing *t, const struct field *f, bool passed[ITEMS])
{
	for (size_t i = 0; i < count(f->values); i++) {
		cs_testing_request(t);
		add(t, f, f->values[i]);
		passed[i] = cs_testing_judge(t);
	}
}

/* Every relation, for random lists of one field. */
static void check_field(const struct field *f, uint32_t *seed, size_t *issued)
{
	bool base[ITEMS], other[ITEMS];
	struct list allow = draw(f, seed), deny = draw(f, seed);
	const char *more = f->matchers[next(seed) % count(f->matchers)];
	struct cs_testing t;

	cs_testing_init(&t);
	load(&t, f, &allow, &deny, IN_POLICY, false);
	ask(&t, f, base);
	load(&t, f, &allow, &deny, IN_POLICY, true);
	ask(&t, f, other);
	for (size_t i = 0; i < count(f->values); i++) {
		*issued += base[i];
		if (base[i] != other[i])
			fail_msg("order: %s, %s", f->guard, f->values[i]);
	}
	load(&t, f, &allow, &deny, IN_GUARDS, false);
	ask(&t, f, other);
	for (size_t i = 0; i < count(f->values); i++) {
		if (base[i] != other[i])
			fail_msg("guard: %s, %s", f->guard, f->values[i]);
	}
	deny.items[deny.n++] = more;
	load(&t, f, &allow, &deny, IN_POLICY, false);
	ask(&t, f, other);
	for (size_t i = 0; i < count(f->values); i++) {
		if (other[i] && !base[i])
			fail_msg("deny %s widens: %s", more, f->values[i]);
	}
	deny.n--;
	allow.items[allow.n++] = more;
	load(&t, f, &allow, &deny, IN_POLICY, false);
	ask(&t, f, other);
	for (size_t i = 0; i < count(f->values); i++) {
		if (!other[i] && base[i])
			fail_msg("allow %s narrows: %s", more, f->values[i]);
	}
	cs_testing_done(&t);
}

static void the_relations_hold_for_every_field_and_matcher(void **state)
{
	uint32_t seed = 31;

	(void)state;
	for (size_t i = 0; i < FIELDS; i++) {
		size_t issued = 0;

		for (int round = 0; round < ROUNDS; round++)
			check_field(&fields[i], &seed, &issued);
		/* The generator must not refuse everything, or nothing. */
		assert_in_range(issued, ROUNDS / 10,
				ROUNDS * count(fields[i].values) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_relations_hold_for_every_field_and_matcher),
	};

	return cs_test_run("policy/metamorphic_kinds", tests);
}
