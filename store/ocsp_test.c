#include <tests/lib/test.h>

#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/codec.h"
#include "base/mem.h"
#include "store/ocsp.h"
#include "tests/lib/history.h"
#include "tests/lib/ocsp_maker.h"

/* Answers from a record of real kinds of rows, read by OpenSSL's client. */
struct fixture {
	struct cs_history h;
	struct ocsp_maker maker, other;
	struct cs_ocsp_issuer issuers[2];
	struct cs_ocsp *ocsp;
	struct cs_buf request, out;
	struct cs_ocsp_result result;
	uint64_t good, revoked, burnt;
	int64_t end_s; /* of the maker's responder */
};

static int64_t now_s;

static int64_t wall_ms(void *ctx)
{
	(void)ctx;
	return now_s * 1000;
}

/* ", column = x'SHA-256 of the bytes'" */
static void put_digest(struct fixture *f, struct cs_buf *sql,
		       const char *column, const uint8_t *bytes, int n)
{
	uint8_t sha256[32];

	assert_true(n > 0);
	assert_true(cs_hash_sha256(f->h.hash, cs_span_make(bytes, (size_t)n),
				   sha256, NULL));
	cs_buf_add_str(sql, column);
	cs_buf_add_str(sql, " = x'");
	cs_codec_hex(cs_span_make(sha256, 32), sql);
	cs_buf_add_str(sql, "'");
}

/*
 * Make the history's issuer that of the CA: by its key and name, under
 * another certificate than the one that is configured.
 */
static void set_issuer(struct fixture *f)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf sql;
	uint8_t *spki = NULL, *name = NULL;
	int spki_n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(f->maker.ca), &spki);
	int name_n = i2d_X509_NAME(X509_get_subject_name(f->maker.ca), &name);

	cs_buf_init(&sql, 1000);
	cs_buf_add_str(&sql, "UPDATE attempt SET ");
	put_digest(f, &sql, "spki", spki, spki_n);
	cs_buf_add_str(&sql, ", ");
	put_digest(f, &sql, "subject_key", name, name_n);
	cs_buf_add_str(&sql, " WHERE request IS NULL");
	assert_true(
		cs_db_exec(f->h.db, "DROP TRIGGER attempt_no_update", NULL));
	assert_true(cs_db_exec(f->h.db, cs_buf_str(&sql), NULL));
	OPENSSL_free(spki);
	OPENSSL_free(name);
}

/* A descriptor that reads the responder's key. */
static int key_fd(const struct ocsp_maker *m)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], m->key_pem.p, m->key_pem.n),
			 (ssize_t)m->key_pem.n);
	close(ends[1]);
	return ends[0];
}

/* When the responder that it takes ends; 0: it takes none. */
static int64_t take(struct fixture *f, const char *name,
		    const struct ocsp_maker *m, struct cs_error *err)
{
	int64_t end = 0;
	int fd = key_fd(m);
	bool ok = cs_ocsp_take(f->ocsp, cs_span_str(name), fd,
			       cs_buf_span(&m->chain_pem), &end, err);

	close(fd);
	assert_int_equal(ok, end != 0);
	return end;
}

static int set_up(void **state)
{
	static struct fixture f;
	const struct cs_history_request r = {.name = "a.example",
					     .requester = "alice"};
	struct cs_clock clock = {.wall_ms = wall_ms, .boot_ms = wall_ms};
	struct cs_clock system = cs_clock_system();

	now_s = cs_clock_wall_ms(&system) / 1000;
	cs_history_open(&f.h);
	(void)cs_history_issue(&f.h, &r);
	f.good = f.h.seq;
	(void)cs_history_issue(&f.h, &r);
	f.revoked = f.h.seq;
	cs_history_revoke(&f.h, f.revoked, 1);
	(void)cs_history_abandon_and_issue(&f.h, &r);
	f.burnt = f.h.seq - 1;
	ocsp_maker_init(&f.maker, OCSP_MAKER_GOOD);
	ocsp_maker_init(&f.other, OCSP_MAKER_GOOD);
	set_issuer(&f);
	f.issuers[0] = (struct cs_ocsp_issuer){
		.name = "other",
		.certificate = cs_buf_span(&f.other.ca_der),
		.validity_s = 3600};
	f.issuers[1] = (struct cs_ocsp_issuer){
		.name = "default",
		.certificate = cs_buf_span(&f.maker.ca_der),
		.validity_s = 3600};
	f.ocsp = cs_ocsp_new(f.issuers, 2, &clock, NULL);
	assert_non_null(f.ocsp);
	f.end_s = take(&f, "default", &f.maker, NULL);
	assert_true(f.end_s > now_s);
	cs_buf_init(&f.request, CS_MAX_OCSP_REQUEST);
	cs_buf_init(&f.out, CS_MAX_OCSP_RESPONSE);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cs_ocsp_free(f->ocsp);
	ocsp_maker_done(&f->maker);
	ocsp_maker_done(&f->other);
	cs_buf_done(&f->request);
	cs_buf_done(&f->out);
	cs_history_done(&f->h);
	return 0;
}

/* An attempt's serial. */
static void serial_of(struct fixture *f, uint64_t seq, uint8_t *out, size_t *n)
{
	struct cs_stmt s = cs_stmt_text(
		f->h.db, "SELECT serial FROM attempt WHERE seq = ?");
	bool row = false;

	cs_stmt_int(&s, (int64_t)seq);
	assert_true(cs_stmt_step(&s, &row, NULL) && row);
	*n = cs_stmt_col(&s, 0).n;
	memcpy(out, cs_stmt_col(&s, 0).p, *n);
	cs_stmt_end(&s);
}

static OCSP_CERTID *id_of(struct fixture *f, const struct ocsp_maker *m,
			  const EVP_MD *md, uint64_t seq)
{
	uint8_t serial[CS_MAX_SERIAL];
	size_t n;

	serial_of(f, seq, serial, &n);
	return ocsp_maker_id(m, md, cs_span_make(serial, n));
}

/* Send a request (freed here). */
static void ask(struct fixture *f, OCSP_REQUEST *request)
{
	struct cs_error err = {0};

	ocsp_maker_encode(request, &f->request);
	OCSP_REQUEST_free(request);
	cs_buf_reset(&f->out);
	if (!cs_ocsp_answer(f->ocsp, f->h.db, cs_buf_span(&f->request), &f->out,
			    &f->result, &err))
		fail_msg("%s", err.text);
	assert_int_equal(ERR_peek_error(), 0);
}

static OCSP_REQUEST *about(OCSP_CERTID *id)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();

	assert_non_null(OCSP_request_add0_id(request, id));
	return request;
}

/* The status of the only certificate in the answer, by OpenSSL's client. */
static int status_of(struct fixture *f, int *ret_reason)
{
	OCSP_BASICRESP *basic =
		ocsp_maker_verify(&f->maker, cs_buf_span(&f->out));
	int status;

	assert_int_equal(OCSP_resp_count(basic), 1);
	status = OCSP_single_get0_status(OCSP_resp_get0(basic, 0), ret_reason,
					 NULL, NULL, NULL);
	OCSP_BASICRESP_free(basic);
	return status;
}

static void says_what_the_record_says(void **state)
{
	struct fixture *f = *state;
	const EVP_MD *md[] = {EVP_sha1(), EVP_sha256()};
	int reason;

	for (int i = 0; i < 2; i++) {
		ask(f, about(id_of(f, &f->maker, md[i], f->good)));
		assert_int_equal(status_of(f, &reason), V_OCSP_CERTSTATUS_GOOD);
		assert_int_equal(f->result.good, 1);
		ask(f, about(id_of(f, &f->maker, md[i], f->revoked)));
		assert_int_equal(status_of(f, &reason),
				 V_OCSP_CERTSTATUS_REVOKED);
		assert_int_equal(reason, OCSP_REVOKED_STATUS_KEYCOMPROMISE);
		assert_int_equal(f->result.revoked, 1);
	}
	assert_int_equal(f->result.status, CS_OCSP_SUCCESSFUL);
	assert_int_equal(f->result.produced_s, now_s);
	assert_int_equal(f->result.next_update_s, now_s + 3600);
}

static void no_serial_is_good_that_was_not_issued(void **state)
{
	struct fixture *f = *state;
	int reason;

	ask(f, about(id_of(f, &f->maker, EVP_sha1(), f->burnt)));
	assert_int_equal(status_of(f, &reason), V_OCSP_CERTSTATUS_UNKNOWN);
	/* Its signer may have signed it, and died: somebody is careful. */
	cs_history_revoke(&f->h, f->burnt, 5);
	ask(f, about(id_of(f, &f->maker, EVP_sha1(), f->burnt)));
	assert_int_equal(status_of(f, &reason), V_OCSP_CERTSTATUS_REVOKED);
	assert_int_equal(reason, 5);
	ask(f, about(ocsp_maker_id(&f->maker, EVP_sha1(),
				   CS_SPAN_LIT("\x5b\x01"))));
	assert_int_equal(status_of(f, &reason), V_OCSP_CERTSTATUS_UNKNOWN);
	assert_int_equal(f->result.unknown, 1);
}

/* Its own certificate is by whoever is above it. */
static void a_ca_does_not_answer_for_its_own_certificate(void **state)
{
	struct fixture *f = *state;
	struct cs_stmt s = cs_stmt_text(
		f->h.db, "SELECT seq FROM attempt WHERE request IS NULL");
	bool row = false;
	uint64_t seq;
	int reason;

	assert_true(cs_stmt_step(&s, &row, NULL) && row);
	seq = (uint64_t)cs_stmt_col_int(&s, 0);
	cs_stmt_end(&s);
	ask(f, about(id_of(f, &f->maker, EVP_sha1(), seq)));
	assert_int_equal(status_of(f, &reason), V_OCSP_CERTSTATUS_UNKNOWN);
}

/*= RFC 5019 2.2.3 */
static void whom_it_does_not_know_it_refuses(void **state)
{
	struct fixture *f = *state;
	OCSP_REQUEST *both;
	struct ocsp_maker stranger;

	ocsp_maker_init(&stranger, OCSP_MAKER_GOOD);
	ask(f, about(id_of(f, &stranger, EVP_sha256(), f->good)));
	assert_int_equal(f->result.status, CS_OCSP_UNAUTHORIZED);
	assert_int_equal(f->result.next_update_s, 0);
	/* A hash that we do not keep. */
	ask(f, about(id_of(f, &f->maker, EVP_sha512(), f->good)));
	assert_int_equal(f->result.status, CS_OCSP_UNAUTHORIZED);
	/* Nobody answers for two CAs at a time. */
	both = about(id_of(f, &f->maker, EVP_sha1(), f->good));
	OCSP_request_add0_id(both, id_of(f, &f->other, EVP_sha1(), f->good));
	ask(f, both);
	assert_int_equal(f->result.status, CS_OCSP_UNAUTHORIZED);
	ocsp_maker_done(&stranger);
}

static void another_issuers_certificate_is_not_this_ones(void **state)
{
	struct fixture *f = *state;
	struct cs_error err = {0};

	ask(f, about(id_of(f, &f->other, EVP_sha1(), f->good)));
	assert_int_equal(f->result.status, CS_OCSP_TRY_LATER);
	/* A responder of another CA is none. */
	assert_int_equal(take(f, "other", &f->maker, &err), 0);
	assert_non_null(strstr(err.text, "issuer other"));
	assert_int_equal(take(f, "nobody", &f->maker, &err), 0);
	assert_int_equal(err.code, CS_E_NOT_FOUND);
	assert_true(take(f, "other", &f->other, &err) > now_s);
	ask(f, about(id_of(f, &f->other, EVP_sha1(), f->good)));
	assert_int_equal(f->result.status, CS_OCSP_SUCCESSFUL);
	assert_int_equal(f->result.unknown, 1);
}

static void what_is_malformed_is_called_so(void **state)
{
	struct fixture *f = *state;
	const unsigned char *p;
	OCSP_RESPONSE *r;

	for (int i = 0; i < 3; i++) {
		cs_buf_reset(&f->out);
		assert_true(cs_ocsp_answer(
			f->ocsp, f->h.db,
			i == 0	 ? CS_SPAN_LIT("")
			: i == 1 ? CS_SPAN_LIT("GET / HTTP/1.1")
				 : CS_SPAN_LIT("\x30\x80\x00\x00"),
			&f->out, &f->result, NULL));
		p = f->out.p;
		r = d2i_OCSP_RESPONSE(NULL, &p, (long)f->out.n);
		assert_int_equal(OCSP_response_status(r),
				 OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
		OCSP_RESPONSE_free(r);
	}
}

static void an_answer_with_a_nonce_is_for_one_alone(void **state)
{
	struct fixture *f = *state;
	OCSP_REQUEST *request = about(id_of(f, &f->maker, EVP_sha1(), f->good));

	OCSP_request_add1_nonce(request, NULL, 32);
	ask(f, request);
	assert_int_equal(f->result.status, CS_OCSP_SUCCESSFUL);
	assert_int_equal(f->result.next_update_s, 0);
}

static void nothing_outlives_its_responder(void **state)
{
	struct fixture *f = *state;
	int64_t now = now_s;

	now_s = f->end_s - 1;
	ask(f, about(id_of(f, &f->maker, EVP_sha1(), f->good)));
	assert_int_equal(f->result.status, CS_OCSP_SUCCESSFUL);
	assert_int_equal(f->result.next_update_s, f->end_s);
	now_s = f->end_s;
	ask(f, about(id_of(f, &f->maker, EVP_sha1(), f->good)));
	assert_int_equal(f->result.status, CS_OCSP_TRY_LATER);
	/* Nor comes before it: it was made when a clock was ahead. */
	now_s = now - 2 * 86400;
	ask(f, about(id_of(f, &f->maker, EVP_sha1(), f->good)));
	assert_int_equal(f->result.status, CS_OCSP_TRY_LATER);
	now_s = now;
}

/* Last: the database breaks. */
static void a_database_that_fails_is_told_as_such(void **state)
{
	struct fixture *f = *state;
	OCSP_REQUEST *request = about(id_of(f, &f->maker, EVP_sha1(), f->good));
	struct cs_error err = {0};

	ocsp_maker_encode(request, &f->request);
	OCSP_REQUEST_free(request);
	assert_true(cs_db_exec(f->h.db, "ALTER TABLE revocation RENAME TO gone",
			       NULL));
	cs_buf_reset(&f->out);
	assert_false(cs_ocsp_answer(f->ocsp, f->h.db, cs_buf_span(&f->request),
				    &f->out, &f->result, &err));
	assert_int_equal(err.code, CS_E_DB);
	assert_int_equal(f->result.status, CS_OCSP_INTERNAL);
	assert_true(cs_span_equal(cs_buf_span(&f->out),
				  CS_SPAN_LIT("\x30\x03\x0a\x01\x02")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_the_record_says),
		cmocka_unit_test(no_serial_is_good_that_was_not_issued),
		cmocka_unit_test(a_ca_does_not_answer_for_its_own_certificate),
		cmocka_unit_test(whom_it_does_not_know_it_refuses),
		cmocka_unit_test(another_issuers_certificate_is_not_this_ones),
		cmocka_unit_test(what_is_malformed_is_called_so),
		cmocka_unit_test(an_answer_with_a_nonce_is_for_one_alone),
		cmocka_unit_test(nothing_outlives_its_responder),
		cmocka_unit_test(a_database_that_fails_is_told_as_such),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("store/ocsp", tests, set_up,
					    tear_down));
}
