/* Clients and their credentials, as the ledger keeps them. */
#include <tests/lib/test.h>

#include <string.h>

#include <tests/lib/ledger_house.h>

#define HEX32 "0f112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define FINGERPRINT                                                            \
	"{\"credential\":{\"expires_ms\":4000000000000,"                       \
	"\"fingerprint\":\"" HEX32 "\",\"kind\":\"cert\"},"

/* Does the text stand in these bytes? */
static bool holds(struct cs_span bytes, const char *text)
{
	return memmem(bytes.p, bytes.n, text, strlen(text)) != NULL;
}

static bool change(struct cs_house *h, const char *json,
		   struct cs_msg_admin_done *done)
{
	cs_house_change(h, json, done);
	return done->ok == 1;
}

static bool table_holds(const struct cs_house *h, const char *text)
{
	const struct cs_got *t = cs_house_last(h, CS_MSG_CLIENT_TABLE);

	return holds(cs_span_make(t->body, t->n), text);
}

static void binds_a_certificate_and_says_so_in_leaf_and_table(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;

	(void)state;
	cs_house_open(&h);
	assert_true(change(&h, FINGERPRINT "\"name\":\"gw\",\"op\":\"bind\"}",
			   &done));
	assert_true(holds(done.body, "\"credential\":{\"expires_ms\":"
				     "4000000000000,\"fingerprint\":\"" HEX32
				     "\",\"id\":4,\"kind\":\"cert\"}"));
	assert_true(holds(done.body, "\"name\":\"gw\",\"op\":\"bind\"}"));
	assert_true(table_holds(&h, "\"fingerprint\":\"" HEX32 "\""));
	assert_int_equal(cs_house_number(&h,
					 "SELECT count(*) FROM leaf AS l JOIN"
					 " client AS c ON c.leaf = l.idx WHERE"
					 " c.name = 'gw' AND l.idx ="
					 " (SELECT max(idx) FROM leaf)"),
			 1);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_certificate_is_bound_to_one_client_at_a_time(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;

	(void)state;
	cs_house_open(&h);
	assert_true(change(&h, FINGERPRINT "\"name\":\"gw\",\"op\":\"bind\"}",
			   &done));
	assert_false(change(&h, FINGERPRINT "\"name\":\"gw\",\"op\":\"bind\"}",
			    &done));
	assert_true(cs_span_equal_str(done.code, "CERTIFICATE_BOUND"));
	assert_false(change(&h,
			    FINGERPRINT "\"name\":\"two\",\"op\":\"add\","
					"\"rights\":[\"submit\"]}",
			    &done));
	assert_true(cs_span_equal_str(done.code, "CERTIFICATE_BOUND"));
	assert_false(change(&h,
			    FINGERPRINT "\"name\":\"gw\",\"op\":\"add\","
					"\"rights\":[\"submit\"]}",
			    &done));
	assert_true(cs_span_equal_str(done.code, "CLIENT_EXISTS"));
	/* Once it is revoked, it may be another's. */
	assert_true(change(&h,
			   "{\"credential_id\":4,\"name\":\"gw\","
			   "\"op\":\"revoke\"}",
			   &done));
	assert_true(change(&h,
			   FINGERPRINT "\"name\":\"two\",\"op\":\"add\","
				       "\"rights\":[\"submit\"]}",
			   &done));
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void binds_by_alternative_name_or_by_issuer(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;

	(void)state;
	cs_house_open(&h);
	assert_true(change(&h,
			   "{\"credential\":{\"ca\":\"3000\",\"kind\":"
			   "\"cert\",\"san\":\"dns:a.example\"},"
			   "\"name\":\"gw\",\"op\":\"bind\"}",
			   &done));
	assert_true(change(&h,
			   "{\"credential\":{\"ca\":\"3000\",\"kind\":"
			   "\"cert\"},\"name\":\"gw\",\"op\":\"bind\"}",
			   &done));
	/* The CA's own bytes stand in the table once. */
	assert_true(table_holds(&h, "\"cas\":[{\"der\":\"3000\","
				    "\"sha256\":\"e4f60d0a"));
	assert_true(table_holds(&h, "\"kind\":\"cert\",\"san\":"
				    "\"dns:a.example\"}"));
	/* Nothing of it comes twice, and half a rule is none. */
	assert_false(change(&h,
			    "{\"credential\":{\"ca\":\"3000\",\"kind\":"
			    "\"cert\"},\"name\":\"gw\",\"op\":\"bind\"}",
			    &done));
	assert_false(change(&h,
			    "{\"credential\":{\"kind\":\"cert\","
			    "\"san\":\"dns:b.example\"},"
			    "\"name\":\"gw\",\"op\":\"bind\"}",
			    &done));
	assert_true(cs_span_equal_str(done.code, "BAD_CLIENT"));
	assert_false(change(&h,
			    "{\"credential\":{\"ca\":\"3000\",\"kind\":"
			    "\"cert\",\"san\":\"email:x\"},"
			    "\"name\":\"gw\",\"op\":\"bind\"}",
			    &done));
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_revoked_credential_counts_no_more(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	assert_true(change(&h, FINGERPRINT "\"name\":\"gw\",\"op\":\"bind\"}",
			   &done));
	/* 3 is the one that the house gave gw, and that its requests name. */
	assert_true(change(&h,
			   "{\"credential_id\":3,\"name\":\"gw\","
			   "\"op\":\"revoke\"}",
			   &done));
	assert_true(holds(done.body, "\"op\":\"revoke\""));
	assert_false(table_holds(&h, "\"id\":3,\"kind\":\"token\""));
	assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &m),
			 CS_ANSWER_FORBIDDEN);
	/* Once is enough, and it has to be the client's. */
	assert_false(change(&h,
			    "{\"credential_id\":3,\"name\":\"gw\","
			    "\"op\":\"revoke\"}",
			    &done));
	assert_true(cs_span_equal_str(done.code, "NOT_FOUND"));
	assert_false(change(&h,
			    "{\"credential_id\":1,\"name\":\"gw\","
			    "\"op\":\"revoke\"}",
			    &done));
	assert_false(change(&h,
			    "{\"credential_id\":1,\"name\":\"_local\","
			    "\"op\":\"revoke\"}",
			    &done));
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_client_has_so_many_credentials_and_no_more(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	char json[256];
	unsigned n = 0;

	(void)state;
	cs_house_open(&h);
	do {
		(void)snprintf(json, sizeof(json),
			       "{\"credential\":{\"digest\":\"%062x%02x\","
			       "\"kind\":\"token\",\"token_id\":\"t%u\"},"
			       "\"name\":\"gw\",\"op\":\"bind\"}",
			       1, n, n);
	} while (change(&h, json, &done) && ++n < 100);
	assert_int_equal(n, CS_MAX_CREDENTIALS - 1);
	assert_true(cs_span_equal_str(done.code, "BAD_CLIENT"));
	cs_house_verify(&h);
	cs_house_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			binds_a_certificate_and_says_so_in_leaf_and_table),
		cmocka_unit_test(
			a_certificate_is_bound_to_one_client_at_a_time),
		cmocka_unit_test(binds_by_alternative_name_or_by_issuer),
		cmocka_unit_test(a_revoked_credential_counts_no_more),
		cmocka_unit_test(a_client_has_so_many_credentials_and_no_more),
	};

	return cs_test_run("store/ledger_client", tests);
}
