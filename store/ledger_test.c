#include <tests/lib/test.h>

#include <string.h>

#include <tests/lib/ledger_house.h>

static void starts_with_the_first_rows(void **state)
{
	struct cs_house h;
	struct cs_error err = {0};
	const struct cs_got *table;

	(void)state;
	cs_house_create(&h);
	if (!cs_house_start(&h, &err))
		fail_msg("%s", err.text);
	assert_true(cs_house_wait(&h, CS_MSG_CLIENT_TABLE, 1));
	assert_true(cs_house_wait(&h, CS_MSG_SIGN_SEED, 1));
	assert_true(cs_house_wait(&h, CS_MSG_READY, 1));
	assert_int_equal(h.state, CS_LEDGER_NO_POLICY);
	/* Two CA certificates, two clients, the start. */
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM leaf"), 5);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM attempt"),
			 2);
	table = cs_house_last(&h, CS_MSG_CLIENT_TABLE);
	assert_non_null(memmem(table->body, table->n, "\"_local\"", 8));
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void issues_what_was_asked_and_approved(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	assert_int_equal(h.ledger->epoch, 1);
	assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &m),
			 CS_ANSWER_ISSUED);
	assert_int_equal(m.replay, 0);
	assert_int_equal(m.serial.n, 17);
	assert_true(cs_span_equal_str(m.chain, "chain of default\n"));
	assert_int_equal(m.certificate.p[0], 0x30);
	assert_int_equal(m.tree_size, m.index + 1);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void issues_a_batch_behind_one_checkpoint(void **state)
{
	struct cs_house h;
	struct cs_msg_answer first, m;
	int64_t checkpoints;
	uint64_t ticket = 0;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_HOLDS;
	checkpoints = cs_house_number(&h, "SELECT count(*) FROM checkpoint");
	for (int i = 0; i < 20; i++)
		ticket = cs_house_ask(&h, &(struct cs_ask){0});
	assert_true(cs_house_wait(&h, CS_MSG_SIGN, 20));
	cs_house_sign(&h);
	assert_true(cs_house_wait(&h, CS_MSG_ANSWER, 20));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM checkpoint"),
			 checkpoints + 1);
	assert_non_null(cs_house_answer(&h, ticket, 0, &m));
	assert_non_null(cs_house_answer(&h, ticket - 19, 0, &first));
	assert_int_equal(m.tree_size, first.tree_size);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void records_a_refusal(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.code = "REFUSED"}, &m),
		CS_ANSWER_REFUSED);
	assert_non_null(memmem(m.body.p, m.body.n, "REFUSED", 7));
	assert_int_equal(
		cs_house_ask_wait(
			&h,
			&(struct cs_ask){.code = "CSR_MALFORMED", .pending = 1},
			&m),
		CS_ANSWER_REFUSED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

/* Are two answers the same bytes, but for `replay`? */
static void assert_same_answer(struct cs_msg_answer *a, struct cs_msg_answer *b)
{
	struct cs_buf one, two;

	cs_buf_init(&one, CS_MAX_MESSAGE);
	cs_buf_init(&two, CS_MAX_MESSAGE);
	a->replay = b->replay = 0;
	cs_msg_answer_encode(a, &one);
	cs_msg_answer_encode(b, &two);
	assert_int_equal(one.n, two.n);
	assert_memory_equal(one.p, two.p, one.n);
	cs_buf_done(&one);
	cs_buf_done(&two);
}

/* One ask, twice, with the same key. */
static void replay_is_the_same(struct cs_house *h, struct cs_ask ask)
{
	struct cs_msg_answer first, again;
	uint64_t ticket;
	size_t n;

	(void)cs_house_ask_wait(h, &ask, &first);
	n = cs_house_count(h, CS_MSG_ANSWER);
	ticket = cs_house_ask(h, &ask);
	assert_true(cs_house_wait(h, CS_MSG_ANSWER, n + 1));
	/* The list may have moved. */
	assert_non_null(cs_house_answer(h, ticket - 1, 0, &first));
	assert_non_null(cs_house_answer(h, ticket, 0, &again));
	assert_int_equal(first.replay, 0);
	assert_int_equal(again.replay, 1);
	assert_same_answer(&first, &again);
}

static void replays_the_same_bytes_for_the_same_key(void **state)
{
	struct cs_house h;

	(void)state;
	cs_house_open(&h);
	replay_is_the_same(&h, (struct cs_ask){.key = "k1"});
	replay_is_the_same(&h, (struct cs_ask){.key = "k2", .code = "REFUSED"});
	replay_is_the_same(
		&h, (struct cs_ask){.key = "k3", .flags = CS_REQ_DENIED});
	replay_is_the_same(&h, (struct cs_ask){.key = "k4", .pending = 1});
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void refuses_a_key_that_belongs_to_another_request(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	(void)cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m);
	assert_int_equal(
		cs_house_ask_wait(
			&h, &(struct cs_ask){.key = "k", .name = "other"}, &m),
		CS_ANSWER_CONFLICT);
	assert_true(cs_span_equal_str(m.code, "IDEMPOTENCY_CONFLICT"));
	cs_house_done(&h);
}

static void a_duplicate_in_the_batch_that_decides_is_answered(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_ask ask = {.key = "k"};
	uint64_t first;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_HOLDS;
	first = cs_house_ask(&h, &ask);
	assert_true(cs_house_wait(&h, CS_MSG_SIGN, 1));
	/* Signature and duplicate are read before the next transaction. */
	(void)cs_house_ask(&h, &ask);
	cs_house_sign(&h);
	assert_true(cs_house_wait(&h, CS_MSG_ANSWER, 2));
	assert_non_null(cs_house_answer(&h, first, 0, &m));
	assert_int_equal(m.outcome, CS_ANSWER_ISSUED);
	assert_non_null(cs_house_answer(&h, first + 1, 0, &m));
	assert_int_equal(m.outcome, CS_ANSWER_ISSUED);
	assert_int_equal(m.replay, 1);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void lets_duplicates_wait_and_issues_once(void **state)
{
	struct cs_house h;
	struct cs_msg_answer a, b, c;
	uint64_t first;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_HOLDS;
	first = cs_house_ask(&h, &(struct cs_ask){.key = "k"});
	(void)cs_house_ask(&h, &(struct cs_ask){.key = "k"});
	assert_true(cs_house_wait(&h, CS_MSG_SIGN, 1));
	(void)cs_house_ask(&h, &(struct cs_ask){.key = "k"});
	cs_house_turn(&h, 50);
	assert_int_equal(cs_house_count(&h, CS_MSG_SIGN), 1);
	assert_int_equal(cs_house_count(&h, CS_MSG_ANSWER), 0);
	cs_house_sign(&h);
	assert_true(cs_house_wait(&h, CS_MSG_ANSWER, 3));
	assert_non_null(cs_house_answer(&h, first, 0, &a));
	assert_non_null(cs_house_answer(&h, first + 1, 0, &b));
	assert_non_null(cs_house_answer(&h, first + 2, 0, &c));
	assert_int_equal(a.replay, 0);
	assert_int_equal(b.replay, 1);
	assert_same_answer(&a, &b);
	assert_same_answer(&a, &c);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void drops_a_second_opinion_after_a_workers_death(void **state)
{
	static const uint8_t id[16] = {9};
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_ask ask = {.id = id};
	uint64_t ticket;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_HOLDS;
	ticket = cs_house_ask(&h, &ask);
	h.ticket--; /* front sends the same entry again */
	assert_int_equal(cs_house_ask(&h, &ask), ticket);
	assert_true(cs_house_wait(&h, CS_MSG_SIGN, 1));
	cs_house_turn(&h, 50);
	assert_int_equal(cs_house_count(&h, CS_MSG_SIGN), 1);
	cs_house_sign(&h);
	assert_true(cs_house_wait(&h, CS_MSG_ANSWER, 1));
	cs_house_turn(&h, 50);
	assert_int_equal(cs_house_count(&h, CS_MSG_ANSWER), 1);
	assert_non_null(cs_house_answer(&h, ticket, 0, &m));
	assert_int_equal(m.outcome, CS_ANSWER_ISSUED);
	cs_house_done(&h);
}

static void keeps_pending_until_another_approves(void **state)
{
	static const uint8_t id[16] = {7};
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.id = id, .pending = 1},
				  &m),
		CS_ANSWER_PENDING);
	assert_true(m.expires_ms > h.wall_ms);
	assert_int_equal(
		cs_house_ask_wait(&h,
				  &(struct cs_ask){.id = id,
						   .flags = CS_REQ_KNOWN,
						   .approver = 1,
						   .approver_credential = 1},
				  &m),
		CS_ANSWER_ISSUED);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM approval"
					     " WHERE client = 1"),
			 1);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void approves_a_pending_one_with_the_same_key(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	assert_int_equal(
		cs_house_ask_wait(
			&h, &(struct cs_ask){.key = "k", .pending = 1}, &m),
		CS_ANSWER_PENDING);
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m),
		CS_ANSWER_ISSUED);
	assert_int_equal(m.replay, 0);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"),
			 1);
	cs_house_verify(&h);
	cs_house_done(&h);
}

/* DENY by the local administrator. */
static void send_deny(struct cs_house *h, const uint8_t id[16],
		      struct cs_msg_answer *ret)
{
	size_t n = cs_house_count(h, CS_MSG_ANSWER);
	struct cs_msg_deny m = {
		.client = 1,
		.credential = 1,
		.uid = 0,
		.approval =
			CS_SPAN_LIT("{\"at\":1700000000000,\"by\":\"_local\","
				    "\"message\":\"no\",\"uid\":0}"),
	};

	memcpy(m.id, id, 16);
	assert_true(cs_link_send_deny(h->front, ++h->ticket, &m, NULL));
	assert_true(cs_house_wait(h, CS_MSG_ANSWER, n + 1));
	assert_non_null(cs_house_answer(h, h->ticket, 0, ret));
}

static void denies_for_good(void **state)
{
	static const uint8_t id[16] = {7};
	static const uint8_t unknown[16] = {8};
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_ask ask = {.id = id, .pending = 1};

	(void)state;
	cs_house_open(&h);
	(void)cs_house_ask_wait(&h, &ask, &m);
	send_deny(&h, id, &m);
	assert_int_equal(m.outcome, CS_ANSWER_DENIED);
	assert_int_equal(m.replay, 0);
	send_deny(&h, id, &m);
	assert_int_equal(m.outcome, CS_ANSWER_DENIED);
	assert_int_equal(m.replay, 1);
	send_deny(&h, unknown, &m);
	assert_int_equal(m.outcome, CS_ANSWER_GONE);
	ask.flags = CS_REQ_KNOWN;
	ask.pending = 0;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_DENIED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_denial_wins_over_an_approval(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_ask ask = {.flags = CS_REQ_DENIED | CS_REQ_APPROVED};

	(void)state;
	cs_house_open(&h);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_DENIED);
	assert_int_equal(cs_house_count(&h, CS_MSG_SIGN), 0);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void expires_what_nobody_approved(void **state)
{
	static const uint8_t id[16] = {7};
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	h.ledger->config.pending_ttl_ms = 60000;
	(void)cs_house_ask_wait(&h, &(struct cs_ask){.id = id, .pending = 1},
				&m);
	cs_house_pass(&h, 59000);
	h.ledger->ticks = 4;
	cs_house_pass(&h, 500);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"
					     " WHERE state = 'expired'"),
			 0);
	h.ledger->ticks = 4;
	cs_house_pass(&h, 1000);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"
					     " WHERE state = 'expired'"),
			 1);
	assert_int_equal(
		cs_house_ask_wait(
			&h, &(struct cs_ask){.id = id, .flags = CS_REQ_KNOWN},
			&m),
		CS_ANSWER_EXPIRED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void holds_pending_requests_to_a_quota(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	h.ledger->config.pending_quota = 2;
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			cs_house_ask_wait(&h, &(struct cs_ask){.pending = 1},
					  &m),
			CS_ANSWER_PENDING);
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.pending = 1}, &m),
		CS_ANSWER_BUSY);
	assert_true(cs_span_equal_str(m.code, "PENDING_QUOTA"));
	cs_house_done(&h);
}

static void denies_what_a_removed_client_left_open(void **state)
{
	static const uint8_t id[16] = {7};
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_msg_admin_done done;
	const struct cs_got *table;

	(void)state;
	cs_house_open(&h);
	(void)cs_house_ask_wait(&h, &(struct cs_ask){.id = id, .pending = 1},
				&m);
	(void)cs_house_ask_wait(&h, &(struct cs_ask){.pending = 1}, &m);
	cs_house_change(&h, "{\"name\":\"gw\",\"op\":\"remove\"}", &done);
	assert_int_equal(done.ok, 1);
	assert_non_null(memmem(done.body.p, done.body.n, "\"denied\":2", 10));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"
					     " WHERE state = 'denied'"),
			 2);
	table = cs_house_last(&h, CS_MSG_CLIENT_TABLE);
	assert_null(memmem(table->body, table->n, "\"gw\"", 4));
	assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &m),
			 CS_ANSWER_FORBIDDEN);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void brings_a_removed_client_back_under_its_name(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	static const char add[] =
		"{\"credential\":{\"digest\":"
		"\"0f112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddeeff\",\"kind\":\"token\","
		"\"token_id\":\"0002\"},\"name\":\"gw\",\"op\":\"add\","
		"\"realm\":\"test\",\"rights\":[\"submit\"]}";

	(void)state;
	cs_house_open(&h);
	cs_house_change(&h, add, &done);
	assert_int_equal(done.ok, 0);
	cs_house_change(&h, "{\"name\":\"gw\",\"op\":\"remove\"}", &done);
	assert_int_equal(done.ok, 1);
	cs_house_change(&h, add, &done);
	assert_int_equal(done.ok, 1);
	cs_house_change(&h, "{\"name\":\"_local\",\"op\":\"remove\"}", &done);
	assert_int_equal(done.ok, 0);
	cs_house_change(&h, "{\"name\":\"x y\",\"op\":\"add\"}", &done);
	assert_int_equal(done.ok, 0);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void asks_for_another_judgement_under_a_new_epoch(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_msg_admin_done done;
	struct cs_ask ask = {.epoch = 1};
	uint64_t ticket;

	(void)state;
	cs_house_open(&h);
	cs_house_apply(&h, "allow: less", &done);
	assert_int_equal(h.ledger->epoch, 2);
	assert_true(cs_house_wait(&h, CS_MSG_SET, 2));
	ticket = cs_house_ask(&h, &ask);
	assert_true(cs_house_wait(&h, CS_MSG_REJUDGE, 1));
	assert_int_equal(cs_house_last(&h, CS_MSG_REJUDGE)->ticket, ticket);
	ask.epoch = 2;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void takes_no_judgement_of_another_time(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.now_offset_ms = -6000},
				  &m),
		CS_ANSWER_BUSY);
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.now_offset_ms = 6000},
				  &m),
		CS_ANSWER_BUSY);
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.now_offset_ms = 4000},
				  &m),
		CS_ANSWER_ISSUED);
	cs_house_done(&h);
}

static void uses_no_serial_twice(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m, other;
	uint64_t ticket;

	(void)state;
	cs_house_open(&h);
	h.next_serial = 100;
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.serial = 5}, &m),
		CS_ANSWER_ISSUED);
	/* In one batch with an innocent one, which is still issued. */
	ticket = cs_house_ask(&h, &(struct cs_ask){.serial = 5});
	(void)cs_house_ask(&h, &(struct cs_ask){0});
	assert_true(cs_house_wait(&h, CS_MSG_ANSWER, 3));
	assert_non_null(cs_house_answer(&h, ticket, 0, &m));
	assert_non_null(cs_house_answer(&h, ticket + 1, 0, &other));
	assert_int_equal(m.outcome, CS_ANSWER_BUSY);
	assert_true(cs_span_equal_str(m.code, "SERIAL_COLLISION"));
	assert_int_equal(other.outcome, CS_ANSWER_ISSUED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void signers_refusal_burns_the_serial_and_refuses(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_REFUSES;
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m),
		CS_ANSWER_REFUSED);
	assert_non_null(memmem(m.body.p, m.body.n, "SIGNER_REFUSED", 14));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM outcome"
					     " WHERE signature IS NULL"),
			 1);
	replay_is_the_same(&h, (struct cs_ask){.key = "k2"});
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_signer_that_fails_decides_nothing(void **state)
{
	static const char *const codes[] = {"crypto", "no-memory", "io",
					    "unreachable"};
	struct cs_house h;
	struct cs_msg_answer m, other;
	uint8_t id[16];
	uint64_t first;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_FAILS;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		h.fail_code = codes[i];
		assert_int_equal(
			cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m),
			CS_ANSWER_BUSY);
		assert_true(cs_span_equal_str(m.code, "SIGNER_UNAVAILABLE"));
		assert_in_range(m.retry_s, 2, 60);
		if (i == 0)
			memcpy(id, m.id, 16);
		assert_memory_equal(m.id, id, 16);
	}
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM outcome"
					     " WHERE signature IS NULL"),
			 4);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"
					     " WHERE state = 'approved'"),
			 1);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM refusal"),
			 0);
	/* Everybody who waits for it is told. */
	h.signing = CS_FAKE_HOLDS;
	first = cs_house_ask(&h, &(struct cs_ask){.key = "k"});
	assert_true(cs_house_wait(&h, CS_MSG_SIGN, 5));
	(void)cs_house_ask(&h, &(struct cs_ask){.key = "k"});
	cs_house_turn(&h, 50);
	h.signing = CS_FAKE_FAILS;
	cs_house_sign(&h);
	assert_true(cs_house_wait(&h, CS_MSG_ANSWER, 6));
	assert_non_null(cs_house_answer(&h, first, 0, &m));
	assert_non_null(cs_house_answer(&h, first + 1, 0, &other));
	assert_int_equal(m.outcome, CS_ANSWER_BUSY);
	assert_int_equal(other.outcome, CS_ANSWER_BUSY);
	assert_memory_equal(other.id, id, 16);
	/* Nobody drives it at once. */
	cs_house_turn(&h, 1000);
	assert_int_equal(cs_house_count(&h, CS_MSG_DRIVE), 0);
	h.signing = CS_FAKE_SIGNS;
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m),
		CS_ANSWER_ISSUED);
	assert_memory_equal(m.id, id, 16);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_code_that_is_not_known_is_a_refusal(void **state)
{
	static const char *const codes[] = {"",	      "cryptic",  "verify",
					    "exists", "protocol", "cert"};
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_FAILS;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		h.fail_code = codes[i];
		assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &m),
				 CS_ANSWER_REFUSED);
		assert_non_null(
			memmem(m.body.p, m.body.n, "SIGNER_REFUSED", 14));
	}
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void the_sweep_tries_one_of_a_failing_issuer(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	size_t drives;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_FAILS;
	for (int i = 0; i < 3; i++)
		assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &m),
				 CS_ANSWER_BUSY);
	cs_ledger_drive_start(h.ledger);
	cs_house_turn(&h, 300);
	assert_int_equal(cs_house_count(&h, CS_MSG_DRIVE), 0);
	cs_house_pass(&h, CS_LEDGER_SIGNER_REST_MS + 1000);
	cs_ledger_drive_start(h.ledger);
	cs_house_turn(&h, 300);
	assert_int_equal(cs_house_count(&h, CS_MSG_DRIVE), 1);
	h.signing = CS_FAKE_SIGNS;
	assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &m),
			 CS_ANSWER_ISSUED);
	drives = cs_house_count(&h, CS_MSG_DRIVE);
	cs_ledger_drive_start(h.ledger);
	cs_house_turn(&h, 300);
	assert_int_equal(cs_house_count(&h, CS_MSG_DRIVE), drives + 3);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void refuses_a_csr_that_kills_workers(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_msg_worker_killer killer;
	struct cs_msg_request request = {
		.client = 3,
		.credential = 3,
		.uid = -1,
		.flags = CS_REQ_APPROVED,
		.id = {5},
		.issuer = CS_SPAN_LIT("default"),
		.scalars = CS_SPAN_LIT("{}"),
		.csr = CS_SPAN_LIT("deadly"),
		.approver_client = 3,
		.approver_credential = 3,
		.source = CS_SPAN_LIT("https"),
	};
	struct cs_buf b;

	(void)state;
	cs_house_open(&h);
	cs_buf_init(&b, 65536);
	cs_msg_request_encode(&request, &b);
	killer.request = cs_buf_span(&b);
	assert_true(cs_link_send_worker_killer(h.front, 77, &killer, NULL));
	assert_true(cs_house_wait(&h, CS_MSG_ANSWER, 1));
	assert_non_null(cs_house_answer(&h, 77, 0, &m));
	assert_int_equal(m.outcome, CS_ANSWER_REFUSED);
	assert_non_null(memmem(m.body.p, m.body.n, "CSR_WORKER_FAILED", 17));
	cs_buf_done(&b);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void self_approval_is_the_issuers_to_allow(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_ask ask = {.flags = CS_REQ_SELF, .issuer = "strict"};

	(void)state;
	cs_house_open(&h);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_FORBIDDEN);
	assert_true(cs_span_equal_str(m.code, "SELF_APPROVAL"));
	ask.issuer = "default";
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	assert_int_equal(
		cs_house_number(&h,
				"SELECT count(*) FROM approval WHERE self = 1"),
		1);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void only_who_may_approve_approves(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_msg_admin_done done;
	struct cs_ask ask = {.approver = 4, .approver_credential = 4};

	(void)state;
	cs_house_open(&h);
	cs_house_change(&h,
			"{\"credential\":{\"digest\":"
			"\"ff112233445566778899aabbccddeeff"
			"00112233445566778899aabbccddeeff\",\"kind\":"
			"\"token\",\"token_id\":\"03\"},\"name\":\"sub\","
			"\"op\":\"add\",\"rights\":[\"submit\"]}",
			&done);
	assert_int_equal(done.ok, 1);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_FORBIDDEN);
	/* Another's credential is no credential. */
	ask.approver = 3;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_FORBIDDEN);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"),
			 0);
	cs_house_done(&h);
}

static void a_dry_run_leaves_nothing_behind(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	int64_t leaves;

	(void)state;
	cs_house_open(&h);
	leaves = cs_house_number(&h, "SELECT count(*) FROM leaf");
	assert_int_equal(
		cs_house_ask_wait(
			&h,
			&(struct cs_ask){.flags = CS_REQ_DRY_RUN, .key = "k"},
			&m),
		CS_ANSWER_DRY_RUN);
	assert_non_null(memmem(m.body.p, m.body.n, "issued", 6));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM leaf"),
			 leaves);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"),
			 0);
	cs_house_done(&h);
}

static void records_refused_rights_and_rejected_policies(void **state)
{
	struct cs_house h;
	struct cs_msg_auth_refused refused = {
		CS_SPAN_LIT("{\"code\":\"BAD_TOKEN\"}")};
	struct cs_msg_apply apply = {.ok = 0,
				     .report = CS_SPAN_LIT("{\"errors\":[1]}"),
				     .credential = 1};

	(void)state;
	cs_house_open(&h);
	assert_true(cs_link_send_auth_refused(h.front, 0, &refused, NULL));
	assert_true(cs_link_send_apply(h.worker, 5, &apply, NULL));
	assert_true(cs_house_wait(&h, CS_MSG_ADMIN_DONE, 3));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM leaf"
					     " WHERE kind IN (8, 10)"),
			 2);
	assert_int_equal(h.ledger->epoch, 1);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void files_search_terms_when_it_is_quiet(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	(void)cs_house_ask_wait(&h, &(struct cs_ask){0}, &m);
	(void)cs_house_ask_wait(&h, &(struct cs_ask){.code = "NO"}, &m);
	cs_house_pass(&h, 1000);
	cs_house_turn(&h, 100);
	assert_int_equal(
		cs_house_number(&h, "SELECT terms_done = tree_size FROM meta"),
		1);
	/* Two of each decision; of each CA the issuer's name. */
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM term"), 6);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void files_a_long_history_in_slices(void **state)
{
	struct cs_house h;
	int64_t filed = 0;

	(void)state;
	cs_house_open(&h);
	for (size_t i = 1; i <= 700; i++) {
		(void)cs_house_ask(&h, &(struct cs_ask){.code = "NO"});
		if (i % 100 == 0)
			assert_true(cs_house_wait(&h, CS_MSG_ANSWER, i));
	}
	/* One slice of the run: terms are there, the watermark is not. */
	while (filed == 0) {
		cs_ledger_terms_slice(h.ledger);
		filed = cs_house_number(&h, "SELECT count(*) FROM term");
	}
	assert_true(filed < 1402);
	assert_int_equal(
		cs_house_number(&h, "SELECT terms_done < 700 FROM meta"), 1);
	cs_house_verify(&h);
	/* A crash there: the run is begun again, and files nothing twice. */
	cs_house_crash(&h);
	assert_true(cs_house_start(&h, NULL));
	while (cs_house_number(&h, "SELECT terms_done < tree_size FROM meta"))
		cs_ledger_terms_slice(h.ledger);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM term"),
			 1402);
	/* And the roots of its complete subtrees, once each. */
	while (cs_ledger_terms_due(h.ledger))
		cs_ledger_terms_slice(h.ledger);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM subtree"),
			 2);
	cs_house_verify(&h);
	cs_house_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_with_the_first_rows),
		cmocka_unit_test(issues_what_was_asked_and_approved),
		cmocka_unit_test(issues_a_batch_behind_one_checkpoint),
		cmocka_unit_test(records_a_refusal),
		cmocka_unit_test(replays_the_same_bytes_for_the_same_key),
		cmocka_unit_test(refuses_a_key_that_belongs_to_another_request),
		cmocka_unit_test(
			a_duplicate_in_the_batch_that_decides_is_answered),
		cmocka_unit_test(lets_duplicates_wait_and_issues_once),
		cmocka_unit_test(drops_a_second_opinion_after_a_workers_death),
		cmocka_unit_test(keeps_pending_until_another_approves),
		cmocka_unit_test(approves_a_pending_one_with_the_same_key),
		cmocka_unit_test(denies_for_good),
		cmocka_unit_test(a_denial_wins_over_an_approval),
		cmocka_unit_test(expires_what_nobody_approved),
		cmocka_unit_test(holds_pending_requests_to_a_quota),
		cmocka_unit_test(denies_what_a_removed_client_left_open),
		cmocka_unit_test(brings_a_removed_client_back_under_its_name),
		cmocka_unit_test(asks_for_another_judgement_under_a_new_epoch),
		cmocka_unit_test(takes_no_judgement_of_another_time),
		cmocka_unit_test(uses_no_serial_twice),
		cmocka_unit_test(signers_refusal_burns_the_serial_and_refuses),
		cmocka_unit_test(a_signer_that_fails_decides_nothing),
		cmocka_unit_test(a_code_that_is_not_known_is_a_refusal),
		cmocka_unit_test(the_sweep_tries_one_of_a_failing_issuer),
		cmocka_unit_test(refuses_a_csr_that_kills_workers),
		cmocka_unit_test(self_approval_is_the_issuers_to_allow),
		cmocka_unit_test(only_who_may_approve_approves),
		cmocka_unit_test(a_dry_run_leaves_nothing_behind),
		cmocka_unit_test(records_refused_rights_and_rejected_policies),
		cmocka_unit_test(files_search_terms_when_it_is_quiet),
		cmocka_unit_test(files_a_long_history_in_slices),
	};

	return cs_test_run("store/ledger", tests);
}
