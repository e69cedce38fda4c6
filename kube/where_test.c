#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kube/where.h"

static char dir[] = "/tmp/kube-where-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"config", "ca.crt", "token",
					    "namespace"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
}

/* A file in our directory; its path lives until the next call. */
static const char *file(const char *name, const char *text)
{
	static char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

#define CONFIG(cluster, user)                                                  \
	"apiVersion: v1\nkind: Config\ncurrent-context: c\n"                   \
	"contexts:\n- name: c\n  context: {cluster: k, user: u,"               \
	" namespace: here}\n"                                                  \
	"clusters:\n- name: k\n  cluster: {" cluster "}\n"                     \
	"users:\n- name: u\n  user: {" user "}\n"

static bool find(const char *config, struct cs_where *w, struct cs_error *err)
{
	const struct cs_where_flags flags = {.kubeconfig =
						     file("config", config)};

	return cs_where_find(&flags, w, err);
}

static void a_kubeconfig_is_read_with_paths_beside_it(void **state)
{
	struct cs_where w;
	struct cs_error err;
	struct cs_fetch_peer peer;

	(void)state;
	file("ca.crt", "the ca\n");
	file("token", "first\n");
	assert_true(find(CONFIG("server: \"https://k.example:6443/\","
				" certificate-authority: ca.crt,"
				" tls-server-name: kube",
				"tokenFile: token"),
			 &w, &err));
	peer = cs_where_peer(&w);
	assert_string_equal(w.server, "https://k.example:6443");
	assert_string_equal(w.namespace, "here");
	assert_string_equal(peer.server_name, "kube");
	assert_string_equal(peer.bearer, "first");
	assert_true(cs_span_equal_str(peer.ca, "the ca"));
	file("token", "second\n");
	assert_true(cs_where_refresh(&w, &err));
	assert_string_equal(cs_where_peer(&w).bearer, "second");
	/* What cannot be read leaves what was there. */
	unlink(w.token.path);
	assert_false(cs_where_refresh(&w, &err));
	assert_string_equal(cs_where_peer(&w).bearer, "second");
	cs_where_done(&w);
}

static void what_is_inline_is_decoded(void **state)
{
	struct cs_where w;
	struct cs_error err;

	(void)state;
	assert_true(find(CONFIG("server: \"https://k\","
				" certificate-authority-data: QUJD",
				"client-certificate-data: REVG,"
				" client-key-data: R0hJ"),
			 &w, &err));
	assert_true(cs_span_equal_str(cs_where_peer(&w).ca, "ABC"));
	assert_true(cs_span_equal_str(cs_where_peer(&w).cert, "DEF"));
	assert_true(cs_span_equal_str(cs_where_peer(&w).key, "GHI"));
	assert_null(cs_where_peer(&w).bearer);
	cs_where_done(&w);
}

static void what_we_do_not_do_is_refused_by_its_name(void **state)
{
	static const struct {
		const char *config, *word;
	} cases[] = {
		{CONFIG("server: \"https://k\"", "exec: {command: x}"), "exec"},
		{CONFIG("server: \"https://k\"", "as: admin"), "as is"},
		{CONFIG("server: \"https://k\", proxy-url: \"http://p\"", ""),
		 "proxy-url"},
		{CONFIG("server: \"http://k\"", "token: x"), "https://"},
		{CONFIG("server: \"https://u:p@k\", "
			"certificate-authority-data: QUJD",
			"token: x"),
		 "https://"},
		{CONFIG("server: \"https://k\"", "token: x"), "CA"},
		{CONFIG("", ""), "server"},
		{"current-context: c\n", "context"},
		{"- 1\n", "kubeconfig"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cs_where w;
		struct cs_error err = {0};

		assert_false(find(cases[i].config, &w, &err));
		if (strstr(err.text, cases[i].word) == NULL)
			fail_msg("%zu: %s", i, err.text);
		cs_where_done(&w);
	}
}

static void a_pod_finds_its_account_by_itself(void **state)
{
	struct cs_where_flags flags = {.account_dir = dir};
	struct cs_where w;
	struct cs_error err;

	(void)state;
	(void)unsetenv("KUBECONFIG");
	(void)unsetenv("KUBERNETES_SERVICE_HOST");
	assert_false(cs_where_find(&flags, &w, &err));
	assert_non_null(strstr(err.text, "which cluster?"));
	cs_where_done(&w);
	file("ca.crt", "ca");
	file("token", "t");
	file("namespace", "countersign");
	(void)setenv("KUBERNETES_SERVICE_HOST", "2001:db8::1", 1);
	(void)setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	assert_true(cs_where_find(&flags, &w, &err));
	assert_string_equal(w.server, "https://[2001:db8::1]:443");
	assert_string_equal(w.namespace, "countersign");
	cs_where_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kubeconfig_is_read_with_paths_beside_it),
		cmocka_unit_test(what_is_inline_is_decoded),
		cmocka_unit_test(what_we_do_not_do_is_refused_by_its_name),
		cmocka_unit_test(a_pod_finds_its_account_by_itself),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("kube/where", tests, make_dir,
					   remove_dir);
}
