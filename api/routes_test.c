#include <tests/lib/test.h>

#include <string.h>

#include "api/accept.h"
#include "api/params.h"
#include "api/routes.h"
#include "base/limits.h"

/* The route of a path, or -1 (no path), -2 (no method). */
static int route(enum cs_http_method method, const char *path, char *allow)
{
	struct cs_route_match match;

	switch (cs_route_find(method, cs_span_str(path), &match, allow)) {
	case CS_ROUTE_NO_PATH:
		return -1;
	case CS_ROUTE_NO_METHOD:
		return -2;
	case CS_ROUTE_FOUND:
		break;
	}
	return (int)match.row->route;
}

static void finds_each_path_and_method(void **state)
{
	char allow[CS_ROUTE_ALLOW];

	(void)state;
	assert_int_equal(route(CS_HTTP_GET, "/healthz", allow),
			 CS_ROUTE_HEALTHZ);
	assert_int_equal(route(CS_HTTP_HEAD, "/readyz", allow),
			 CS_ROUTE_READYZ);
	assert_int_equal(route(CS_HTTP_POST, "/v1/requests", allow),
			 CS_ROUTE_SUBMIT);
	assert_int_equal(route(CS_HTTP_GET, "/v1/requests", allow),
			 CS_ROUTE_REQUESTS);
	assert_int_equal(route(CS_HTTP_GET, "/v1/requests/00ff", allow),
			 CS_ROUTE_REQUEST);
	assert_int_equal(route(CS_HTTP_POST, "/v1/requests/0/deny", allow),
			 CS_ROUTE_DENY);
	assert_int_equal(route(CS_HTTP_GET, "/v1/issuers/a/chain.pem", allow),
			 CS_ROUTE_CHAIN);
	assert_int_equal(route(CS_HTTP_DELETE, "/v1/clients/gw", allow),
			 CS_ROUTE_CLIENT_REMOVE);
	assert_int_equal(route(CS_HTTP_POST, "/ocsp", allow), CS_ROUTE_OCSP);
	assert_int_equal(route(CS_HTTP_GET, "/ocsp/a/b+=%2F", allow),
			 CS_ROUTE_OCSP_GET);
	assert_int_equal(route(CS_HTTP_GET, "/ocsp/", allow), -1);
}

/* What is served in clear text grows by a decision, not by an accident. */
static void few_routes_are_public(void **state)
{
	static const char *const known[] = {
		"/healthz",  "/checkpoint",
		"/tile/{*}", "/v1/issuers/{}/chain.pem",
		"/ocsp",     "/ocsp/{*}"};
	const struct cs_route_row *row;
	size_t found = 0;

	(void)state;
	for (size_t n = 0; (row = cs_route_at(n)) != NULL; n++) {
		size_t i = 0;

		if (row->access != CS_ACCESS_PUBLIC)
			continue;
		assert_int_equal(row->rights, 0);
		while (i < sizeof(known) / sizeof(known[0]) &&
		       strcmp(known[i], row->pattern) != 0)
			i++;
		if (i == sizeof(known) / sizeof(known[0]) &&
		    strncmp(row->pattern, "/crl/", 5) != 0)
			fail_msg("%s is served in clear text", row->pattern);
		found++;
	}
	assert_true(found >= sizeof(known) / sizeof(known[0]));
}

static void other_spellings_are_other_paths(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"/v1/requests/",
		"/v1//requests",
		"/V1/requests",
		"/v1/requests/a/b",
		"/v1/requests/../audit",
		"/v1/requestsx",
		"/v1/request",
	};
	char allow[CS_ROUTE_ALLOW];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(route(CS_HTTP_GET, paths[i], allow), -1);
}

static void another_method_is_told_what_is_allowed(void **state)
{
	char allow[CS_ROUTE_ALLOW];

	(void)state;
	assert_int_equal(route(CS_HTTP_DELETE, "/v1/requests", allow), -2);
	assert_string_equal(allow, "POST, GET, HEAD");
	assert_int_equal(route(CS_HTTP_POST, "/v1/clients/gw", allow), -2);
	assert_string_equal(allow, "DELETE");
	assert_int_equal(route(CS_HTTP_POST, "/healthz", allow), -2);
	assert_string_equal(allow, "GET, HEAD");
}

static void chooses_the_certificates_form_by_weight(void **state)
{
	static const struct {
		const char *accept;
		enum cs_certificate_form form;
	} cases[] = {
		{"", CS_FORM_JSON},
		{"*/*", CS_FORM_JSON},
		{"application/pkix-cert", CS_FORM_DER},
		{"Application/PEM-certificate-chain", CS_FORM_PEM_CHAIN},
		{"text/html, application/pkix-cert;q=0.5", CS_FORM_DER},
		{"application/json;q=0.1,application/pkix-cert;q=0.9",
		 CS_FORM_DER},
		{"application/pkix-cert;q=0, */*;q=0.1", CS_FORM_JSON},
		{"application/pem-certificate-chain, application/json",
		 CS_FORM_PEM_CHAIN},
		{"text/html", CS_FORM_NONE},
		{"application/pkix-cert;q=7", CS_FORM_NONE},
		{",;=,", CS_FORM_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			cs_accept_certificate(cs_span_str(cases[i].accept)),
			cases[i].form);
}

static void writes_a_question_from_a_query(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out = {0};
	struct cs_arena arena;
	struct cs_problem p;

	(void)state;
	cs_arena_init(&arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&out, CS_MAX_HTTP_BODY);
	assert_true(cs_params_write(cs_params_audit, (struct cs_span){0},
				    &arena, &out, &p));
	assert_string_equal(cs_buf_str(&out),
			    "{\"limit\":100,\"order\":\"desc\"}");
	cs_buf_reset(&out);
	assert_true(cs_params_write(
		cs_params_audit,
		cs_span_str("verdict=refused&verdict=denied&name=.shop.corp"
			    "&since=2026-01-02T00%3a00:00Z&limit=5&order=asc"
			    "&changed=true&self_approved=true"
			    "&requester=a%2Bb%20c+d"),
		&arena, &out, &p));
	assert_string_equal(
		cs_buf_str(&out),
		"{\"flag\":[\"changed\",\"self_approved\"],\"limit\":5,"
		"\"name\":[\".shop.corp\"],\"order\":\"asc\",\"requester\":"
		"[\"a+b c+d\"],\"since_ms\":1767312000000,\"verdict\":"
		"[\"refused\",\"denied\"]}");
	cs_arena_done(&arena);
}

/* 60 letters. */
#define X19 "xxxxxxxxxxxxxxxxxxx"
#define X20 X19 "x"
#define X60 X20 X20 X20

static void refuses_what_a_list_does_not_take(void **state)
{
	static const struct {
		const char *query;
		const char *part;
	} cases[] = {
		{"colour=red", "colour: \"red\" belongs to no parameter"},
		{"limit=0", "limit: \"0\" is no number from 1 to 1000"},
		{"limit=abc", "limit: \"abc\" is no number"},
		{"limit=1001", "is no number"},
		{"limit=1&limit=2", "is a second value"},
		{"order=up", "is neither asc nor desc"},
		{"since=yesterday", "is no RFC 3339 time"},
		{"changed=false", "is not true"},
		{"name=%zz", "\"name\" is not percent-encoded"},
		{"name=%ff", "\"name\" is not percent-encoded"},
		{"name=%00", "\"name\" is not percent-encoded"},
		{"name=%0", "\"name\" is not percent-encoded"},
		{"&", "belongs to no parameter"},
		/* An o with a line through it at the end of what is shown. */
		{X60 "xx%C3%B8=1", "belongs to no parameter"},
		{"since=" X60 X19 "%C3%B8", "since: "},
	};
	CS_CLEANUP(cs_buf_done) struct cs_buf out = {0};
	struct cs_arena arena;
	struct cs_problem p;

	(void)state;
	cs_arena_init(&arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&out, CS_MAX_HTTP_BODY);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cs_buf_reset(&out);
		if (cs_params_write(cs_params_audit,
				    cs_span_str(cases[i].query), &arena, &out,
				    &p) ||
		    p.code != CS_PROBLEM_BAD_PARAMETER ||
		    strstr(p.detail, cases[i].part) == NULL)
			fail_msg("%s: %s", cases[i].query, p.detail);
		/* What is shown of it is cut between characters. */
		cs_buf_reset(&out);
		assert_true(cs_problem_write(&p, &out, NULL));
		assert_null(strstr(cs_buf_str(&out), "\xef\xbf\xbd"));
	}
	cs_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_each_path_and_method),
		cmocka_unit_test(few_routes_are_public),
		cmocka_unit_test(other_spellings_are_other_paths),
		cmocka_unit_test(another_method_is_told_what_is_allowed),
		cmocka_unit_test(chooses_the_certificates_form_by_weight),
		cmocka_unit_test(writes_a_question_from_a_query),
		cmocka_unit_test(refuses_what_a_list_does_not_take),
	};

	return cs_test_run("api/routes", tests);
}
