#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "cli/config.h"

/* A whole configuration; each test changes one line of it. */
static const char good[] = "listen: [\"127.0.0.1:8443\"]\n"
			   "tls:\n"
			   "  hosts: [localhost]\n"
			   "  key: tls/key.pem\n"
			   "  chain: tls/chain.pem\n"
			   "admin_uids: [0]\n"
			   "workers: 2\n"
			   "pending: {quota: 10, expiry: 2d}\n"
			   "policy_source: files\n"
			   "log: {origin: localhost/x, key: log.key}\n"
			   "issuers:\n"
			   "  - name: default\n"
			   "    chain: c.pem\n"
			   "    key: k.pem\n"
			   "    self_approval: true\n"
			   "    no_policy: refuse\n"
			   "    crl_shards: 4\n"
			   "    ceiling:\n"
			   "      max_validity: 90d\n"
			   "      ext_key_usage: [server auth]\n"
			   "    ocsp: true\n"
			   "    ocsp_url: http://o.example/ocsp\n"
			   "    ocsp_validity: 2h\n"
			   "limits: {connections: 999, "
			   "connections_per_address: 128}\n"
			   "retention: 7y\n";

/* The good text with its first `from` replaced by `to`. */
static struct cs_span changed(const char *from, const char *to)
{
	static char text[4096];
	const char *at = strstr(good, from);

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, to,
		 at + strlen(from));
	return cs_span_str(text);
}

static void refuses(const char *from, const char *to, const char *sentence)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	struct cs_config config;
	struct cs_error err = {0};

	cs_arena_init(&arena, 1 << 20);
	assert_false(cs_config_parse(changed(from, to), "c.yaml", &arena,
				     &config, &err));
	assert_string_equal(err.text, sentence);
}

static void reads_every_key(void **state)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	struct cs_config c;
	struct cs_error err = {0};

	(void)state;
	cs_arena_init(&arena, 1 << 20);
	assert_true(
		cs_config_parse(cs_span_str(good), "c.yaml", &arena, &c, &err));
	assert_string_equal(c.listen.item[0], "127.0.0.1:8443");
	assert_int_equal(c.workers, 2);
	assert_int_equal(c.connections, 999);
	assert_int_equal(c.per_address, 128);
	assert_int_equal(c.pending_quota, 10);
	assert_int_equal(c.pending_expiry_s, 2 * 86400);
	assert_int_equal(c.retention_s, 7LL * 366 * 86400);
	/* CA/B BR 5.4.3, 5.5.2: two years, unless the file says. */
	assert_true(cs_config_parse(changed("retention: 7y\n", ""), "c.yaml",
				    &arena, &c, &err));
	assert_int_equal(c.retention_s, 2LL * 366 * 86400);
	assert_int_equal(c.crl_validity_s, 7 * 86400);
	assert_int_equal(c.crl_refresh_s, 86400);
	assert_int_equal(c.n_issuers, 1);
	assert_true(c.issuers[0].self_approval);
	assert_int_equal(c.issuers[0].crl_shards, 4);
	assert_null(c.issuers[0].crl_url);
	assert_true(c.issuers[0].ocsp);
	assert_string_equal(c.issuers[0].ocsp_url, "http://o.example/ocsp");
	assert_int_equal(c.issuers[0].ocsp_validity_s, 7200);
	assert_int_equal(c.public_listen.n, 0);
	assert_string_equal(c.issuers[0].ceiling.max_validity, "90d");
	assert_ptr_equal(cs_config_issuer(&c, "default"), &c.issuers[0]);
	assert_null(cs_config_issuer(&c, "other"));
}

static void names_the_place_of_every_error(void **state)
{
	(void)state;
	refuses("retention: 7y", "retention: 1h",
		"c.yaml:25:12: retention: expected 1d to 100y");
	refuses("retention: 7y", "retention: [7y]",
		"c.yaml:25:12: retention: expected an age such as 2y or 900d, "
		"not a list");
	refuses("workers: 2", "wrokers: 2",
		"c.yaml:7:1: unknown key `wrokers`");
	refuses("workers: 2", "workers: two",
		"c.yaml:7:10: workers: expected a whole number, not text");
	refuses("workers: 2", "workers: 65",
		"c.yaml:7:10: workers: 65 is not between 0 and 64");
	refuses("expiry: 2d", "expiry: 2x",
		"c.yaml:8:30: expiry: not a duration: a number needs one of "
		"the units d, h, m, s, ms and must be whole");
	refuses("expiry: 2d", "expiry: 1s",
		"c.yaml:8:30: expiry: expected 1m to 3650d");
	refuses("files\n", "git\n",
		"c.yaml:9:16: policy_source: expected files or api");
	refuses("- name: default", "- name: Def",
		"c.yaml:12:11: name: `Def`: expected lower-case letters, "
		"digits and `-`, a letter first");
	refuses("    key: k.pem\n", "", "c.yaml:12:5: key `key` is missing");
	refuses("crl_shards: 4", "crl_shards: 3",
		"c.yaml:17:17: crl_shards: 3 is not a power of two");
	refuses("policy_source: files",
		"crl: {refresh: 7d}\npolicy_source: files",
		"c.yaml:9:6: refresh: expected less than the validity");
	refuses("policy_source: files",
		"crl: {validity: 367d}\npolicy_source: files",
		"c.yaml:9:6: validity: expected at most 366d");
	refuses("no_policy: refuse", "no_policy: wait",
		"c.yaml:16:16: no_policy: expected refuse or hold");
	refuses("ocsp: true", "ocsp: false",
		"c.yaml:12:5: issuer `default`: ocsp_url without `ocsp: true`: "
		"nobody would answer there");
	refuses("ocsp_validity: 2h", "ocsp_validity: 2d",
		"c.yaml:23:20: ocsp_validity: expected 1m to 1d");
	refuses("no_policy: refuse", "crl_url: ftp://x",
		"c.yaml:16:14: crl_url: expected an http or https URL");
	refuses("self_approval: true", "self_approval: 1",
		"c.yaml:15:20: self_approval: expected true or false, not "
		"a number");
	refuses("      max_validity: 90d\n", "      ca: 1\n",
		"c.yaml:19:11: ca: expected true or false, not a number");
	refuses("no_policy: refuse", "passphrase_credential: a/b",
		"c.yaml:16:28: passphrase_credential: expected a "
		"credential's name");
	refuses("no_policy: refuse",
		"passphrase_file: /p\n    passphrase_credential: b",
		"c.yaml:12:5: issuer `default`: passphrase_file and "
		"passphrase_credential: one of them");
	refuses("admin_uids: [0]", "admin_uids: []",
		"c.yaml:6:13: admin_uids: expected a list of user ids, not "
		"a list");
	refuses("listen: [\"127.0.0.1:8443\"]", "listen: []",
		"c.yaml:1:1: `listen` is empty");
}

static void reads_back_what_it_writes(void **state)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	CS_CLEANUP(cs_buf_done) struct cs_buf text, again;
	struct cs_config c, d;
	struct cs_error err = {0};

	(void)state;
	cs_arena_init(&arena, 1 << 20);
	cs_buf_init(&text, 1 << 16);
	cs_buf_init(&again, 1 << 16);
	assert_true(cs_config_parse(
		changed("no_policy: refuse", "crl_url: http://a/\"\\"),
		"c.yaml", &arena, &c, &err));
	assert_true(cs_config_write(&c, &text, &err));
	assert_true(cs_config_parse(cs_buf_span(&text), "c.yaml", &arena, &d,
				    &err));
	assert_string_equal(d.issuers[0].crl_url, "http://a/\"\\");
	assert_true(cs_config_write(&d, &again, &err));
	assert_string_equal(cs_buf_str(&text), cs_buf_str(&again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_key),
		cmocka_unit_test(names_the_place_of_every_error),
		cmocka_unit_test(reads_back_what_it_writes),
	};

	return cs_test_run("cli/config", tests);
}
