#include <tests/lib/test.h>

#include <string.h>

#include "api/auth.h"
#include "base/codec.h"

/* A clock that the cases move, and a table with one token. */
struct fixture {
	struct cs_hash *hash;
	struct cs_auth *auth;
	struct cs_clients *clients;
	struct cs_auth_token token;
	struct cs_http_peer peer;
	int64_t wall_ms, boot_ms;
	struct cs_principal who;
	bool presented;
	struct cs_problem p;
};

static const uid_t admins[] = {0, 1000};

static struct fixture *setup(void)
{
	static struct fixture f;
	CS_CLEANUP(cs_buf_done) struct cs_buf hex = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf table = {0};

	memset(&f, 0, sizeof(f));
	cs_buf_init(&hex, 100);
	cs_buf_init(&table, 10000);
	f.hash = cs_hash_new(NULL);
	f.auth = cs_auth_new(f.hash, admins, 2, NULL);
	assert_non_null(f.auth);
	assert_true(cs_auth_token_new(f.auth, &f.token, NULL));
	cs_codec_hex(cs_span_make(f.token.digest, 32), &hex);
	cs_buf_addf(&table,
		    "{\"clients\":[{\"id\":3,\"name\":\"web\",\"realm\":\"\","
		    "\"rights\":[\"submit\"],\"issuers\":[],\"namespaces\":"
		    "null,\"credentials\":[{\"id\":9,\"kind\":\"token\","
		    "\"token_id\":\"%s\",\"digest\":\"%s\",\"expires_ms\":"
		    "2000}]},{\"id\":1,\"name\":\"_local\",\"realm\":\"\","
		    "\"rights\":[\"admin\"],\"credentials\":[{\"id\":1,"
		    "\"kind\":\"peer\"}]}]}",
		    f.token.id, cs_buf_str(&hex));
	f.clients = cs_clients_new(cs_buf_span(&table), NULL);
	assert_non_null(f.clients);
	f.wall_ms = 1000;
	f.boot_ms = 50000;
	f.peer = (struct cs_http_peer){.uid = UINT32_MAX,
				       .address = "192.0.2.1:4711"};
	return &f;
}

static void teardown(struct fixture *f)
{
	cs_clients_free(f->clients);
	cs_auth_free(f->auth);
	cs_hash_free(f->hash);
}

static bool identify(struct fixture *f, const char *authorization)
{
	return cs_auth_identify(
		f->auth, f->clients, &f->peer,
		authorization == NULL ? (struct cs_span){0}
				      : cs_span_str(authorization),
		f->wall_ms, f->boot_ms, &f->who, &f->presented, &f->p);
}

/* The Authorization header with the token, one byte changed if `at` > 0. */
static const char *header(const struct fixture *f, size_t at)
{
	static char text[128];
	char *c;

	(void)snprintf(text, sizeof(text), "Bearer %s", f->token.text);
	if (at > 0) {
		c = &text[at];
		*c = *c == '0' ? '1' : '0';
	}
	return text;
}

static void a_token_names_its_client(void **state)
{
	struct fixture *f = setup();

	(void)state;
	assert_int_equal(strlen(f->token.text), CS_AUTH_TOKEN_TEXT - 1);
	assert_memory_equal(f->token.text, "cs_", 3);
	assert_true(identify(f, header(f, 0)));
	assert_int_equal(f->who.client->id, 3);
	assert_int_equal(f->who.credential, 9);
	assert_int_equal(f->who.uid, -1);
	assert_true(cs_client_may(f->who.client, CS_RIGHT_SUBMIT,
				  CS_SPAN_LIT("any")));
	assert_false(cs_client_may(f->who.client, CS_RIGHT_APPROVE,
				   CS_SPAN_LIT("any")));
	teardown(f);
}

static void nothing_else_is_a_token(void **state)
{
	static const char *const others[] = {
		"",	      "Bearer",		 "Bearer ",
		"Basic YTpi", "Bearer cs_00_11", "Bearer cs_0000000000000000_",
	};
	struct fixture *f = setup();

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(identify(f, others[i]));
		assert_true(f->presented);
		f->boot_ms += 1000000;
	}
	/* One digit of the id, one of the secret. */
	assert_false(identify(f, header(f, 12)));
	assert_int_equal(f->p.code, CS_PROBLEM_UNAUTHENTICATED);
	assert_false(identify(f, header(f, 40)));
	assert_int_equal(f->p.code, CS_PROBLEM_UNAUTHENTICATED);
	assert_false(identify(f, NULL));
	assert_false(f->presented);
	teardown(f);
}

static void a_token_ends_at_its_time(void **state)
{
	struct fixture *f = setup();

	(void)state;
	f->wall_ms = 1999;
	assert_true(identify(f, header(f, 0)));
	f->wall_ms = 2000;
	assert_false(identify(f, header(f, 0)));
	teardown(f);
}

static void guessing_is_barred_for_a_growing_while(void **state)
{
	struct fixture *f = setup();

	(void)state;
	for (int i = 0; i < CS_AUTH_FREE_FAILURES; i++) {
		assert_false(identify(f, header(f, 40)));
		assert_int_equal(f->p.code, CS_PROBLEM_UNAUTHENTICATED);
	}
	assert_false(identify(f, header(f, 40)));
	assert_false(identify(f, header(f, 40)));
	assert_int_equal(f->p.code, CS_PROBLEM_SLOW_DOWN);
	assert_int_equal(cs_problem_status(f->p.code), 429);
	assert_int_equal(f->p.retry_s, 1);
	/* Even the right secret is not looked at from there, */
	assert_false(identify(f, header(f, 0)));
	assert_int_equal(f->p.code, CS_PROBLEM_SLOW_DOWN);
	/* but it is from anywhere else, */
	(void)snprintf(f->peer.address, sizeof(f->peer.address),
		       "192.0.2.2:4711");
	assert_true(identify(f, header(f, 0)));
	(void)snprintf(f->peer.address, sizeof(f->peer.address), "192.0.2.1:1");
	assert_false(identify(f, header(f, 0)));
	/* and after a while. */
	f->boot_ms += 1000;
	assert_true(identify(f, header(f, 0)));
	teardown(f);
}

/* A02, from many places: the table has one size, whoever comes. */
static void a_crowd_that_guesses_keeps_nobody_out(void **state)
{
	struct fixture *f = setup();
	struct cs_http_peer good = f->peer;
	unsigned barred = 0;

	(void)state;
	for (int i = 0; i < 60000; i++) {
		f->boot_ms++; /* 1,000 a second */
		(void)snprintf(f->peer.address, sizeof(f->peer.address),
			       "198.51.%d.%d:4711", i / 250 % 2, i % 250);
		assert_false(identify(f, header(f, 90)));
		barred += f->p.code == CS_PROBLEM_SLOW_DOWN;
		if (i % 100 != 0)
			continue;
		f->peer = good;
		if (!identify(f, header(f, 0)))
			fail_msg("kept out at %d: %s", i, f->p.detail);
	}
	/* Hardly anything but the first few of each was looked at. */
	assert_true(barred > 50000);
	teardown(f);
}

/* A03: what is compared, and by what. */
static struct {
	unsigned calls;
	uint8_t a[32], b[32];
	size_t n;
} compared;

int __real_CRYPTO_memcmp(const void *a, const void *b, size_t n);
int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t n);

int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t n)
{
	compared.calls++;
	compared.n = n;
	if (n == 32) {
		memcpy(compared.a, a, n);
		memcpy(compared.b, b, n);
	}
	return __real_CRYPTO_memcmp(a, b, n);
}

static void digests_are_compared_and_in_constant_time(void **state)
{
	struct fixture *f = setup();
	uint8_t digest[32];

	(void)state;
	/* First, middle and last digit of the secret. */
	for (size_t at = 27; at <= 90; at += 21) {
		const char *text = header(f, at);

		memset(&compared, 0, sizeof(compared));
		assert_false(identify(f, text));
		assert_int_equal(compared.calls, 1);
		assert_int_equal(compared.n, 32);
		assert_true(cs_hash_sha256(
			f->hash, cs_span_str(text + strlen("Bearer ")), digest,
			NULL));
		assert_memory_equal(compared.a, digest, 32);
		assert_memory_equal(compared.b, f->token.digest, 32);
	}
	memset(&compared, 0, sizeof(compared));
	assert_true(identify(f, header(f, 0)));
	assert_int_equal(compared.calls, 1);
	teardown(f);
}

static void a_token_is_found_wherever_it_stands(void **state)
{
	struct fixture *f = setup();
	char text[300];

	(void)state;
	assert_true(cs_auth_holds_token(cs_span_str(f->token.text)));
	(void)snprintf(text, sizeof(text), "ccs_c=/%s&x", f->token.text);
	assert_true(cs_auth_holds_token(cs_span_str(text)));
	(void)snprintf(text, sizeof(text), "%.*s", CS_AUTH_TOKEN_TEXT - 2,
		       f->token.text);
	assert_false(cs_auth_holds_token(cs_span_str(text)));
	assert_false(cs_auth_holds_token(cs_span_make(NULL, 0)));
	teardown(f);
}

static void one_customer_has_one_64(void **state)
{
	struct fixture *f = setup();

	(void)state;
	for (int i = 0; i <= CS_AUTH_FREE_FAILURES; i++) {
		(void)snprintf(f->peer.address, sizeof(f->peer.address),
			       "[2001:db8::%d]:4711", i);
		assert_false(identify(f, header(f, 40)));
	}
	assert_false(identify(f, header(f, 0)));
	assert_int_equal(f->p.code, CS_PROBLEM_SLOW_DOWN);
	(void)snprintf(f->peer.address, sizeof(f->peer.address),
		       "[2001:db8:0:1::1]:4711");
	assert_true(identify(f, header(f, 0)));
	teardown(f);
}

static void the_socket_is_for_listed_users(void **state)
{
	struct fixture *f = setup();

	(void)state;
	f->peer = (struct cs_http_peer){
		.is_local = true, .uid = 1000, .address = "local"};
	assert_true(identify(f, NULL));
	assert_int_equal(f->who.client->id, CS_CLIENT_LOCAL);
	assert_int_equal(f->who.credential, 1);
	assert_int_equal(f->who.uid, 1000);
	assert_true(f->who.is_local);
	assert_true(cs_client_may(f->who.client, CS_RIGHT_GATEWAY,
				  CS_SPAN_LIT("any")));
	/* A token goes first. */
	assert_true(identify(f, header(f, 0)));
	assert_int_equal(f->who.client->id, 3);
	f->peer.uid = 1001;
	assert_false(identify(f, NULL));
	assert_non_null(strstr(f->p.detail, "1001"));
	teardown(f);
}

static void refusals_are_told_at_a_bounded_rate(void **state)
{
	struct fixture *f = setup();
	uint64_t suppressed = 99;
	unsigned told = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		told += cs_auth_refusal(f->auth, f->boot_ms, &suppressed);
	assert_int_equal(told, CS_AUTH_REFUSAL_BURST);
	assert_int_equal(suppressed, 0);
	assert_true(cs_auth_refusal(f->auth, f->boot_ms + CS_AUTH_REFUSAL_MS,
				    &suppressed));
	assert_int_equal(suppressed, 90);
	assert_false(cs_auth_refusal(f->auth, f->boot_ms + CS_AUTH_REFUSAL_MS,
				     &suppressed));
	teardown(f);
}

static void a_table_that_is_none_is_refused(void **state)
{
	static const char *const tables[] = {
		"",
		"{}",
		"{\"clients\":[{}]}",
		"{\"clients\":[{\"id\":1,\"name\":\"\"}]}",
		"{\"clients\":[{\"id\":1,\"name\":\"a\",\"rights\":[\"x\"]}]}",
		"{\"clients\":[{\"id\":1,\"name\":\"a\",\"credentials\":[{"
		"\"id\":1,\"kind\":\"token\",\"token_id\":\"12\"}]}]}",
		"{\"clients\":[{\"id\":1,\"name\":\"a\",\"credentials\":[{"
		"\"id\":1,\"kind\":\"token\",\"token_id\":"
		"\"0123456789abcdef\",\"digest\":\"00\"}]}]}",
	};
	struct cs_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		assert_null(cs_clients_new(cs_span_str(tables[i]), &err));
		assert_int_equal(err.code, CS_E_FORMAT);
	}
}

static void the_list_of_clients_shows_no_digest(void **state)
{
	static const char table[] =
		"{\"clients\":[{\"id\":4,\"name\":\"gw\",\"realm\":\"prod\","
		"\"rights\":[\"gateway\",\"submit\"],\"issuers\":[\"web\"],"
		"\"namespaces\":[\"shop\"],\"groups\":[\"ops\"],"
		"\"credentials\":[{\"id\":9,\"kind\":\"token\",\"token_id\":"
		"\"0123456789abcdef\",\"digest\":\"" /* 32 octets */
		"00112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddeeff\"}]},"
		"{\"id\":1,\"name\":\"_local\",\"rights\":[\"admin\"]}]}";
	CS_CLEANUP(cs_buf_done) struct cs_buf out = {0};
	struct cs_clients *c = cs_clients_new(cs_span_str(table), NULL);

	(void)state;
	assert_non_null(c);
	cs_buf_init(&out, 10000);
	assert_true(cs_clients_write(c, &out, NULL));
	assert_string_equal(
		cs_buf_str(&out),
		"{\"items\":[{\"credentials\":[],\"groups\":[],\"id\":1,"
		"\"issuers\":[],\"name\":\"_local\",\"namespaces\":[],"
		"\"realm\":\"\",\"rights\":[\"admin\"]},{\"credentials\":[{"
		"\"id\":9,\"kind\":\"token\",\"token_id\":"
		"\"0123456789abcdef\"}],\"groups\":[\"ops\"],\"id\":4,"
		"\"issuers\":[\"web\"],\"name\":\"gw\",\"namespaces\":"
		"[\"shop\"],\"realm\":\"prod\",\"rights\":[\"submit\","
		"\"gateway\"]}],\"next\":null}");
	assert_non_null(cs_clients_by_name(c, CS_SPAN_LIT("gw")));
	assert_null(cs_clients_by_name(c, CS_SPAN_LIT("g")));
	assert_int_equal(cs_clients_by_id(c, 4)->id, 4);
	assert_null(cs_clients_by_id(c, 2));
	assert_false(cs_client_may(cs_clients_by_id(c, 4), CS_RIGHT_SUBMIT,
				   CS_SPAN_LIT("default")));
	assert_false(cs_client_covers_namespace(cs_clients_by_id(c, 4),
						CS_SPAN_LIT("pay")));
	cs_clients_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_names_its_client),
		cmocka_unit_test(nothing_else_is_a_token),
		cmocka_unit_test(a_token_ends_at_its_time),
		cmocka_unit_test(guessing_is_barred_for_a_growing_while),
		cmocka_unit_test(a_crowd_that_guesses_keeps_nobody_out),
		cmocka_unit_test(digests_are_compared_and_in_constant_time),
		cmocka_unit_test(a_token_is_found_wherever_it_stands),
		cmocka_unit_test(one_customer_has_one_64),
		cmocka_unit_test(the_socket_is_for_listed_users),
		cmocka_unit_test(refusals_are_told_at_a_bounded_rate),
		cmocka_unit_test(a_table_that_is_none_is_refused),
		cmocka_unit_test(the_list_of_clients_shows_no_digest),
	};

	return cs_test_run("api/auth", tests);
}
