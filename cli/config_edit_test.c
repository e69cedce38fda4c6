#include <tests/lib/test.h>

#include <string.h>

#include "base/limits.h"
#include "cli/config_edit.h"

/* What stands before the list of issuers. */
#define HEAD                                                                   \
	"# Ours.\nlisten: [\"127.0.0.1:8443\"]\n"                              \
	"tls: {hosts: [localhost], key: k, chain: c}\n"                        \
	"admin_uids: [0]\nlog: {origin: o, key: l}\n"

static const struct cs_config_issuer web = {
	.name = "web",
	.chain = "issuers/web/chain.pem",
	.key = "issuers/web/key.pem",
	.passphrase_file = "/etc/pass",
	.crl_shards = 1,
	.ocsp_validity_s = 1800,
	.ceiling = {.max_validity = "90d"},
};

/* One issuer, indented by `in`. */
static const char *item(const char *in, const char *name)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "%s- name: %s\n%s  chain: c.pem # its chain\n%s  key: %s.key\n"
		 "%s  ceiling: {max_validity: 90d, ext_key_usage: []}\n",
		 in, name, in, in, name, in);
	return text;
}

static char *join(const char *a, const char *b, const char *c)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%s%s%s", a, b, c);
	return text;
}

/* The result begins with `before`, ends with `after`, and has the issuer. */
static void adds_between(const char *before, const char *after)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	char text[4096];
	struct cs_error err = {0};

	snprintf(text, sizeof(text), "%s%s", before, after);
	cs_buf_init(&out, CS_MAX_POLICY_FILE);
	if (!cs_config_add_issuer(cs_span_str(text), &web, &out, &err))
		fail_msg("%s\n%s", err.text, text);
	assert_true(
		cs_span_starts_with(cs_buf_span(&out), cs_span_str(before)));
	assert_true(cs_span_ends_with(cs_buf_span(&out), cs_span_str(after)));
	assert_non_null(strstr(cs_buf_str(&out), "name: \"web\""));
	assert_non_null(
		strstr(cs_buf_str(&out), "passphrase_file: \"/etc/pass\""));
}

static void adds_behind_the_last_issuer_wherever_the_list_stands(void **state)
{
	static const char *const indents[] = {"", "  ", "      "};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *issuers = item(indents[i], "default");

		adds_between(join(HEAD, "issuers:\n", issuers), "");
		adds_between(join(HEAD, "issuers:\n", issuers),
			     "\n# How many.\nworkers: 2\n");
		adds_between(join(HEAD, "issuers:\n", issuers), "workers: 2");
	}
}

static void leaves_a_comment_with_the_issuer_that_it_is_about(void **state)
{
	(void)state;
	adds_between(join(HEAD "issuers:\n", item("  ", "default"),
			  "    # About its ceiling.\n"),
		     "\n# How many.\nworkers: 2\n");
}

/* Refused, with this code. */
static void leaves_alone(const char *text, enum cs_error_code code)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_error err = {0};

	cs_buf_init(&out, CS_MAX_POLICY_FILE);
	assert_false(cs_config_add_issuer(cs_span_str(text), &web, &out, &err));
	if (err.code != code)
		fail_msg("%s", err.text);
}

static void leaves_alone_what_it_cannot_add_to(void **state)
{
	(void)state;
	leaves_alone(HEAD "issuers: [{name: a, chain: c, key: k, ceiling: "
			  "{max_validity: 1d, ext_key_usage: []}}]\n",
		     CS_E_FORMAT);
	leaves_alone(join(HEAD, "issuers:\n", item("  ", "web")), CS_E_CONFIG);
	leaves_alone(HEAD "issuers: []\n", CS_E_FORMAT);
	leaves_alone(HEAD, CS_E_FORMAT);
	leaves_alone("a: [", CS_E_YAML);
}

/* HEAD with tls written as lines, and what stands in them. */
#define LISTENER(members)                                                      \
	"listen: [\"127.0.0.1:8443\"]\ntls: # ours\n" members                  \
	"admin_uids: [0]\nlog: {origin: o, key: l}\nissuers:\n"                \
	"  - name: a\n    chain: c\n    key: k\n"                              \
	"    ceiling: {max_validity: 90d, ext_key_usage: []}\n"                \
	"  - name: b\n    chain: c\n    key: k\n"                              \
	"    ceiling: {max_validity: 90d, ext_key_usage: []}\n"

static void another_issuer_certifies_the_listener(void **state)
{
	static const struct {
		const char *before, *after;
	} t[] = {
		{LISTENER("  hosts: [x]\n  chain: c # so\n  key: k\n"),
		 LISTENER("  hosts: [x]\n  chain: c # so\n  issuer: \"b\"\n"
			  "  key: k\n")},
		{LISTENER("    hosts: [x]\n    issuer: a\n    key: k\n"
			  "    chain: c\n"),
		 LISTENER("    hosts: [x]\n    issuer: \"b\"\n    key: k\n"
			  "    chain: c\n")},
	};
	struct cs_buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		cs_buf_init(&out, 4096);
		assert_true(cs_config_set_listener(cs_span_str(t[i].before),
						   "b", &out, NULL));
		assert_string_equal(cs_buf_str(&out), t[i].after);
		cs_buf_done(&out);
	}
}

static void a_listener_that_cannot_be_set_is_left_alone(void **state)
{
	struct cs_error err = {0};
	struct cs_buf out;

	(void)state;
	cs_buf_init(&out, 4096);
	assert_false(cs_config_set_listener(
		cs_span_str(join(HEAD, "issuers:\n", item("  ", "b"))), "b",
		&out, &err));
	assert_int_equal(err.code, CS_E_FORMAT);
	cs_buf_reset(&out);
	/* No issuer of this name. */
	assert_false(cs_config_set_listener(
		CS_SPAN_LIT(LISTENER("  hosts: [x]\n  chain: c\n  key: k\n")),
		"z", &out, &err));
	assert_int_equal(err.code, CS_E_CONFIG);
	cs_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			adds_behind_the_last_issuer_wherever_the_list_stands),
		cmocka_unit_test(
			leaves_a_comment_with_the_issuer_that_it_is_about),
		cmocka_unit_test(leaves_alone_what_it_cannot_add_to),
		cmocka_unit_test(another_issuer_certifies_the_listener),
		cmocka_unit_test(a_listener_that_cannot_be_set_is_left_alone),
	};

	return cs_test_run("cli/config_edit", tests);
}
