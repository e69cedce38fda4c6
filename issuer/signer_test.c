#include <tests/lib/test.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ipc.h"
#include "issuer/crypto.h"
#include "issuer/oids.h"
#include "issuer/signer.h"
#include "issuer/tbs.h"
#include "issuer/x509.h"
#include <tests/lib/ca_maker.h>

/* A signer in a child process, with this program as its ledger and parent. */
struct fixture {
	struct ca_maker maker, other;
	struct cs_loop *loop;
	struct cs_link *ledger; /* our ends */
	struct cs_link *parent;
	unsigned number, count; /* of the signers */
	enum cs_signer_duty duty;
	pid_t pid;
	struct cs_crypto *crypto;
	struct cs_fact_key key; /* a subject's */
	struct cs_arena arena;
	struct cs_buf tbs;

	/* What came last. */
	bool ready;
	bool gone;
	uint64_t ticket;
	struct cs_msg_signed answer;
	uint8_t signature[CS_MAX_SIGNATURE];
	char code[32], detail[CS_ERROR_MAX];
	struct cs_msg_crl_signed crl; /* without its spans */
	size_t crl_n;
};

static int64_t at_test_time(void *ctx)
{
	(void)ctx;
	return CA_MAKER_NOW * 1000;
}

/* -- our ends ------------------------------------------------------------- */

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	struct fixture *f = ctx;

	(void)link;
	(void)fd;
	if (number == CS_MSG_READY) {
		f->ready = true;
	} else if (number == CS_MSG_CRL_SIGNED) {
		if (!cs_msg_crl_signed_decode(body, &f->crl, err))
			return false;
		f->ticket = ticket;
		f->crl_n = f->crl.crl.n;
		snprintf(f->code, sizeof(f->code), "%.*s",
			 CS_SPAN_FMT(f->crl.code));
	} else {
		assert_int_equal(number, CS_MSG_SIGNED);
		if (!cs_msg_signed_decode(body, &f->answer, err))
			return false;
		f->ticket = ticket;
		memcpy(f->signature, f->answer.signature.p,
		       f->answer.signature.n);
		f->answer.signature.p = f->signature;
		snprintf(f->code, sizeof(f->code), "%.*s",
			 CS_SPAN_FMT(f->answer.code));
		snprintf(f->detail, sizeof(f->detail), "%.*s",
			 CS_SPAN_FMT(f->answer.detail));
	}
	cs_loop_stop(f->loop, 0);
	return true;
}

static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct fixture *f = ctx;

	(void)link;
	(void)why;
	f->gone = true;
	cs_loop_stop(f->loop, 0);
}

/* One turn: until something comes. A loop stops for good, so a new one. */
static void open_loop(struct fixture *f, int ledger_fd, int parent_fd)
{
	f->loop = cs_loop_new(NULL);
	assert_non_null(f->loop);
	f->ledger = cs_link_new(f->loop, ledger_fd, CS_ROOM_L, CS_ROOM_S,
				on_message, on_gone, f, NULL);
	f->parent = cs_link_new(f->loop, parent_fd, CS_ROOM_P, CS_ROOM_S,
				on_message, on_gone, f, NULL);
	assert_non_null(f->ledger);
	assert_non_null(f->parent);
}

static void run_child(const struct cs_signer_config *c)
{
	int status;

	alarm(60);
	status = cs_signer_run(c);
	_exit(status);
}

/* Fork a signer for the issuer `maker`, with the key in key_path. */
static void start_signer(struct fixture *f, const char *key_path)
{
	struct cs_log log = {.fd = open("/dev/null", O_WRONLY),
			     .room = "signer",
			     .level = CS_LOG_ERROR,
			     .clock = cs_clock_system()};
	struct cs_signer_issuer issuer = {.duty = f->duty,
					  .ca = f->maker.ca,
					  .ceiling = &f->maker.ceiling,
					  .key_fd = open(key_path, O_RDONLY),
					  .key_name = "key.pem",
					  .passphrase_fd = -1};
	struct cs_signer_config c = {
		.passphrase_fd = -1,
		.issuers = &issuer,
		.issuers_n = 1,
		.number = f->number,
		.count = f->count,
		.clock = {.wall_ms = at_test_time, .boot_ms = at_test_time},
		.log = &log,
	};
	int ledger[2], parent[2];

	assert_true(issuer.key_fd >= 0);
	assert_true(cs_link_pair(ledger, NULL));
	assert_true(cs_link_pair(parent, NULL));
	c.ledger_fd = ledger[1];
	c.parent_fd = parent[1];
	f->pid = fork();
	if (f->pid == 0) {
		close(ledger[0]);
		close(parent[0]);
		run_child(&c);
	}
	close(ledger[1]);
	close(parent[1]);
	close(issuer.key_fd);
	close(log.fd);
	f->ready = f->gone = false;
	open_loop(f, ledger[0], parent[0]);
}

static int end_signer(struct fixture *f)
{
	int status;

	/* As in an orderly stop: the ledger first, parent last. */
	cs_link_free(f->ledger);
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	cs_link_free(f->parent);
	cs_loop_free(f->loop);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void wait_for_something(struct fixture *f)
{
	cs_loop_run(f->loop);
}

static void start_and_seed(struct fixture *f, uint64_t seq)
{
	const struct cs_msg_sign_seed seed = {.seq = seq};

	start_signer(f, f->maker.key);
	wait_for_something(f);
	assert_true(f->ready);
	assert_true(cs_link_send_sign_seed(f->ledger, 0, &seed, NULL));
}

/* Ask for a signature over f->tbs and wait for the answer. */
static void sign(struct fixture *f, uint64_t seq, const char *issuer)
{
	const struct cs_msg_sign m = {.seq = seq,
				      .issuer = cs_span_str(issuer),
				      .tbs = cs_buf_span(&f->tbs)};

	f->answer = (struct cs_msg_signed){0};
	assert_true(cs_link_send_sign(f->ledger, 1000 + seq, &m, NULL));
	wait_for_something(f);
}

/* -- what is to be signed ------------------------------------------------- */

static void make_subject_key(struct fixture *f)
{
	struct cs_key *key = cs_key_generate(CS_KEY_KIND_EC_P256, NULL);
	struct cs_findings findings;
	struct cs_x509 x = {&f->arena, &findings, cs_crypto_hash(f->crypto)};
	struct cs_span copy;
	struct cs_buf spki;

	cs_buf_init(&spki, 1000);
	cs_findings_init(&findings, &f->arena);
	assert_true(cs_key_spki(key, &spki, NULL));
	assert_true(cs_arena_dup(&f->arena, cs_buf_span(&spki), &copy));
	assert_true(cs_spki_read(&x, copy, &f->key, NULL));
	cs_buf_done(&spki);
	cs_key_free(key);
}

/* A TBS that is changed by `spoil` first. */
static void build(struct fixture *f, const struct cs_issuer_ca *ca,
		  void (*spoil)(struct cs_plan *plan))
{
	static struct cs_plan_name name = {
		.kind = CS_NAME_DNS, .content = CS_SPAN_INIT("a.example")};
	static struct cs_span purpose = CS_SPAN_INIT(CS_OID_SERVER_AUTH);
	struct cs_plan p = {.names = &name,
			    .names_n = 1,
			    .not_before_s = CA_MAKER_NOW,
			    .not_after_s = CA_MAKER_NOW + 86399,
			    .key_usage = CS_KU_DIGITAL_SIGNATURE,
			    .ext_key_usage = &purpose,
			    .ext_key_usage_n = 1};
	uint8_t serial[CS_SERIAL_SIZE];

	if (spoil != NULL)
		spoil(&p);
	assert_true(cs_tbs_serial(1800000000, serial, NULL));
	cs_buf_reset(&f->tbs);
	assert_true(cs_tbs_write(
		&p, &f->key, ca, cs_span_make(serial, sizeof(serial)),
		cs_crypto_hash(f->crypto), &f->arena, &f->tbs, NULL));
}

static void for_a_hundred_years(struct cs_plan *p)
{
	p->not_after_s = p->not_before_s + INT64_C(3155760000);
}

static void for_a_ca(struct cs_plan *p)
{
	p->ca = true;
}

static void for_code_signing(struct cs_plan *p)
{
	static struct cs_span purpose =
		CS_SPAN_INIT("\x2b\x06\x01\x05\x05\x07\x03\x03");

	p->ext_key_usage = &purpose;
}

static int set_up(void **state)
{
	static struct fixture f;

	ca_make(&f.maker, CS_KEY_KIND_EC_P256, CS_KEYGEN_TWO_TIERS);
	ca_make(&f.other, CS_KEY_KIND_EC_P256, CS_KEYGEN_TWO_TIERS);
	f.crypto = cs_crypto_new(NULL);
	cs_arena_init(&f.arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&f.tbs, CS_MAX_TBS);
	make_subject_key(&f);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	ca_done(&f->maker);
	ca_done(&f->other);
	cs_crypto_free(f->crypto);
	cs_arena_done(&f->arena);
	cs_buf_done(&f->tbs);
	return 0;
}

/* -- tests ---------------------------------------------------------------- */

static void signs_what_is_within_the_ceiling(void **state)
{
	struct fixture *f = *state;

	start_and_seed(f, 41);
	for (uint64_t seq = 42; seq < 60; seq += 3) {
		build(f, f->maker.ca, NULL);
		sign(f, seq, "default");
		assert_int_equal(f->answer.ok, 1);
		assert_int_equal(f->answer.seq, seq);
		assert_int_equal(f->ticket, 1000 + seq);
		assert_true(cs_crypto_verify(
			f->crypto, &f->maker.ca->key, f->maker.ca->alg,
			cs_buf_span(&f->tbs), f->answer.signature, NULL));
	}
	assert_int_equal(end_signer(f), 0);
}

static void never_signs_a_sequence_twice(void **state)
{
	struct fixture *f = *state;

	start_and_seed(f, 41);
	build(f, f->maker.ca, NULL);
	sign(f, 41, "default");
	assert_int_equal(f->answer.ok, 0);
	assert_string_equal(f->code, "exists");
	sign(f, 43, "default");
	assert_int_equal(f->answer.ok, 1);
	sign(f, 43, "default");
	assert_int_equal(f->answer.ok, 0);
	sign(f, 42, "default");
	assert_int_equal(f->answer.ok, 0);
	assert_int_equal(f->answer.signature.n, 0);
	/* One that was refused is used up, too. */
	sign(f, 50, "nobody");
	assert_int_equal(f->answer.ok, 0);
	assert_string_equal(f->code, "not-found");
	sign(f, 50, "default");
	assert_int_equal(f->answer.ok, 0);
	assert_int_equal(end_signer(f), 0);
}

static void signs_its_own_share_of_the_sequences_only(void **state)
{
	struct fixture *f = *state;

	f->number = 1;
	f->count = 3;
	start_and_seed(f, 9);
	build(f, f->maker.ca, NULL);
	for (uint64_t seq = 10; seq < 20; seq++) {
		sign(f, seq, "default");
		assert_int_equal(f->answer.ok, seq % 3 == 1);
		if (seq % 3 != 1)
			assert_string_equal(f->code, "protocol");
	}
	assert_int_equal(end_signer(f), 0);
	f->number = f->count = 0;
}

static void refuses_what_is_beyond_the_ceiling(void **state)
{
	static const struct {
		void (*spoil)(struct cs_plan *plan);
		const char *words;
	} bad[] = {
		{for_a_hundred_years, "ceiling is 398d"},
		{for_a_ca, "makes no CAs"},
		{for_code_signing, "code signing"},
	};
	struct fixture *f = *state;

	start_and_seed(f, 0);
	for (size_t i = 0; i < 3; i++) {
		build(f, f->maker.ca, bad[i].spoil);
		sign(f, i + 1, "default");
		assert_int_equal(f->answer.ok, 0);
		assert_int_equal(f->answer.signature.n, 0);
		assert_string_equal(f->code, "ceiling");
		assert_non_null(strstr(f->detail, bad[i].words));
	}
	build(f, f->other.ca, NULL);
	sign(f, 10, "default");
	assert_string_equal(f->code, "ceiling");
	assert_int_equal(end_signer(f), 0);
}

static void refuses_what_the_ca_excludes_by_itself(void **state)
{
	struct cs_subtree zone = {.kind = CS_NAME_DNS,
				  .text = CS_SPAN_INIT("example")};
	struct cs_constraints set = {
		.number = 1, .excluded = &zone, .excluded_n = 1};
	struct fixture *f = *state;

	f->maker.ca->constraints = &set;
	f->maker.ca->constraints_n = 1;
	start_and_seed(f, 0);
	build(f, f->maker.ca, NULL);
	sign(f, 1, "default");
	assert_int_equal(f->answer.ok, 0);
	assert_int_equal(f->answer.signature.n, 0);
	assert_non_null(strstr(f->detail, "RFC 5280 4.2.1.10"));
	assert_int_equal(end_signer(f), 0);
	f->maker.ca->constraints_n = 0;
}

static void refuses_certificates_of_a_generation_that_is_over(void **state)
{
	static const char *const words[] = {
		[CS_SIGNER_SUPERSEDED] = "generation 1 signs no certificates "
					 "any more: it is superseded",
		[CS_SIGNER_RETIRED] = "it is retired"};
	struct fixture *f = *state;

	for (unsigned d = CS_SIGNER_SUPERSEDED; d <= CS_SIGNER_RETIRED; d++) {
		f->duty = d;
		start_and_seed(f, 0);
		build(f, f->maker.ca, NULL);
		sign(f, 1, "default");
		assert_int_equal(f->answer.ok, 0);
		assert_int_equal(f->answer.signature.n, 0);
		assert_string_equal(f->code, "ceiling");
		assert_non_null(strstr(f->detail, words[d]));
		assert_int_equal(end_signer(f), 0);
	}
	f->duty = CS_SIGNER_CERTIFICATES;
}

static void finds_a_key_by_the_label_of_its_generation(void **state)
{
	struct cs_span label = CS_SPAN_LIT("default@2");
	struct fixture *f = *state;

	f->maker.ca->label = label;
	start_and_seed(f, 0);
	build(f, f->maker.ca, NULL);
	sign(f, 1, "default");
	assert_string_equal(f->code, "not-found");
	sign(f, 2, "default@2");
	assert_int_equal(f->answer.ok, 1);
	assert_int_equal(end_signer(f), 0);
	f->maker.ca->label = f->maker.ca->name;
}

static void refuses_what_is_no_tbs(void **state)
{
	struct fixture *f = *state;

	start_and_seed(f, 0);
	build(f, f->maker.ca, NULL);
	cs_buf_add_byte(&f->tbs, 0);
	sign(f, 1, "default");
	assert_int_equal(f->answer.ok, 0);
	assert_string_equal(f->code, "der");
	cs_buf_reset(&f->tbs);
	sign(f, 2, "default");
	assert_int_equal(f->answer.ok, 0);
	assert_string_equal(f->code, "der");
	assert_int_equal(end_signer(f), 0);
}

static void makes_crls_of_what_it_is_told(void **state)
{
	const uint8_t entry[] = {2, 0, 0, 0, 0x5b, 1, 0, 0,
				 0, 0, 0, 0, 0,	   0, 1};
	struct cs_msg_crl_sign m = {
		.issuer = CS_SPAN_LIT("default"),
		.shard = 2,
		.number = 7,
		.this_update_s = CA_MAKER_NOW,
		.next_update_s = CA_MAKER_NOW + 86400,
		.entries = cs_span_make(entry, sizeof(entry)),
	};
	struct fixture *f = *state;

	start_and_seed(f, 0);
	assert_true(cs_link_send_crl_sign(f->ledger, 4711, &m, NULL));
	wait_for_something(f);
	assert_int_equal(f->crl.ok, 1);
	assert_int_equal(f->crl.count, 1);
	assert_int_equal(f->ticket, 4711);
	assert_true(f->crl_n > 200);
	/* The same number again, and another's. */
	assert_true(cs_link_send_crl_sign(f->ledger, 4712, &m, NULL));
	wait_for_something(f);
	assert_int_equal(f->crl.ok, 0);
	assert_int_equal(f->crl_n, 0);
	assert_string_equal(f->code, "exists");
	m.issuer = CS_SPAN_LIT("other");
	assert_true(cs_link_send_crl_sign(f->ledger, 4713, &m, NULL));
	wait_for_something(f);
	assert_int_equal(f->crl.ok, 0);
	assert_string_equal(f->code, "not-found");
	assert_int_equal(end_signer(f), 0);
}

static void ends_when_it_is_asked_before_it_is_seeded(void **state)
{
	struct fixture *f = *state;

	start_signer(f, f->maker.key);
	wait_for_something(f);
	build(f, f->maker.ca, NULL);
	sign(f, 1, "default");
	assert_true(f->gone);
	assert_int_equal(end_signer(f), 75);
}

static void ends_at_a_second_seed_and_at_noise(void **state)
{
	const struct cs_msg_sign_seed seed = {.seq = 0};
	struct fixture *f = *state;

	start_and_seed(f, 7);
	assert_true(cs_link_send_sign_seed(f->ledger, 0, &seed, NULL));
	wait_for_something(f);
	assert_true(f->gone);
	assert_int_equal(end_signer(f), 75);

	start_and_seed(f, 7);
	assert_true(cs_link_send(f->ledger, CS_MSG_SIGN, 1,
				 CS_SPAN_LIT("noise"), -1, NULL));
	wait_for_something(f);
	assert_true(f->gone);
	assert_int_equal(end_signer(f), 75);
}

static void does_not_start_with_another_cas_key(void **state)
{
	struct fixture *f = *state;

	start_signer(f, f->other.key);
	wait_for_something(f);
	assert_false(f->ready);
	assert_int_equal(end_signer(f), 1);
}

static void stops_when_parent_says_so(void **state)
{
	const struct cs_msg_stop stop = {.drain_ms = 100};
	struct fixture *f = *state;

	start_and_seed(f, 0);
	assert_true(cs_link_send_stop(f->parent, 0, &stop, NULL));
	wait_for_something(f);
	assert_true(f->gone);
	assert_int_equal(end_signer(f), 0);
}

/* Nothing of the key is to be read from outside, not even by its own user. */
static void cannot_be_dumped(void **state)
{
	struct fixture *f = *state;
	char path[64], line[64];
	FILE *file;

	start_and_seed(f, 0);
	snprintf(path, sizeof(path), "/proc/%d/limits", (int)f->pid);
	file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "Max core file size        0 ", 28) == 0)
			break;
	}
	if (file != NULL) {
		assert_true(strncmp(line, "Max core file size        0", 27) ==
			    0);
		fclose(file);
	}
	assert_int_equal(end_signer(f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_what_is_within_the_ceiling),
		cmocka_unit_test(never_signs_a_sequence_twice),
		cmocka_unit_test(signs_its_own_share_of_the_sequences_only),
		cmocka_unit_test(refuses_what_is_beyond_the_ceiling),
		cmocka_unit_test(refuses_what_the_ca_excludes_by_itself),
		cmocka_unit_test(
			refuses_certificates_of_a_generation_that_is_over),
		cmocka_unit_test(finds_a_key_by_the_label_of_its_generation),
		cmocka_unit_test(refuses_what_is_no_tbs),
		cmocka_unit_test(makes_crls_of_what_it_is_told),
		cmocka_unit_test(ends_when_it_is_asked_before_it_is_seeded),
		cmocka_unit_test(ends_at_a_second_seed_and_at_noise),
		cmocka_unit_test(does_not_start_with_another_cas_key),
		cmocka_unit_test(stops_when_parent_says_so),
		cmocka_unit_test(cannot_be_dumped),
	};

	alarm(120);
	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/signer", tests, set_up,
					    tear_down));
}
