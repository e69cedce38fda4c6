#include "tests/lib/test.h"

#include "tests/lib/ledger_house.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crl.h"
#include "base/der.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/migrate.h"
#include "store/verify.h"

/* How long a wait may take, in real time. */
#define PATIENCE_MS 5000
#define START_MS    1700000000000

static int64_t wall(void *ctx)
{
	return ((struct cs_house *)ctx)->wall_ms;
}

static int64_t boot(void *ctx)
{
	return ((struct cs_house *)ctx)->boot_ms;
}

/* -- what comes --------------------------------------------------------- */

/* Keep a message. */
static void keep(struct cs_got **list, size_t *n, unsigned number,
		 uint64_t ticket, struct cs_span body)
{
	struct cs_got *more = cs_mem_resize(*list, *n + 1, sizeof(*more));

	assert_non_null(more);
	*list = more;
	more[*n] = (struct cs_got){number, ticket, cs_mem_dup(body.p, body.n),
				   body.n};
	(*n)++;
}

/* Is what the test waits for there? */
static void check_want(struct cs_house *h)
{
	if (h->want_number != 0 &&
	    cs_house_count(h, h->want_number) >= h->want_count) {
		h->want_number = 0;
		cs_loop_stop(h->loop, 0);
	}
}

/* A count that the second connection must see. */
static int64_t look(struct cs_house *h, const char *sql, uint64_t v)
{
	struct cs_stmt s = cs_stmt_text(h->look, sql);
	bool row = false;
	int64_t n;

	cs_stmt_int(&s, (int64_t)v);
	assert_true(cs_stmt_step(&s, &row, NULL) && row);
	n = cs_stmt_col_int(&s, 0);
	cs_stmt_end(&s);
	return n;
}

/* No decision leaves before its rows can be seen by others. */
static void check_answer(struct cs_house *h, struct cs_span body)
{
	struct cs_msg_answer m;

	assert_true(cs_msg_answer_decode(body, &m, NULL));
	if (m.outcome == CS_ANSWER_ISSUED)
		assert_int_equal(
			look(h,
			     "SELECT count(*) FROM outcome WHERE leaf = ?"
			     " AND signature IS NOT NULL",
			     m.index),
			1);
	else if (m.outcome <= CS_ANSWER_EXPIRED)
		assert_int_equal(
			look(h, "SELECT count(*) FROM refusal WHERE leaf = ?",
			     m.index),
			1);
}

static bool on_front(void *ctx, struct cs_link *link, unsigned number,
		     uint64_t ticket, struct cs_span body, int fd,
		     struct cs_error *err)
{
	struct cs_house *h = ctx;
	struct cs_msg_state m;

	(void)link;
	(void)fd;
	(void)err;
	if (number == CS_MSG_STATE) {
		assert_true(cs_msg_state_decode(body, &m, NULL));
		h->state = m.state;
		h->state_size = m.tree_size;
	} else if (number == CS_MSG_ANSWER) {
		check_answer(h, body);
	}
	keep(&h->front_got, &h->front_n, number, ticket, body);
	check_want(h);
	return true;
}

/* SIGNED for one SIGN. */
static void sign(struct cs_house *h, const struct cs_got *got)
{
	struct cs_msg_sign m;
	struct cs_msg_signed out = {.ok = h->signing < CS_FAKE_REFUSES};
	char text[32];

	assert_true(
		cs_msg_sign_decode(cs_span_make(got->body, got->n), &m, NULL));
	(void)snprintf(text, sizeof(text), "signature-%llu",
		       (unsigned long long)m.seq);
	out.seq = m.seq;
	if (out.ok) {
		out.signature = cs_span_str(text);
	} else if (h->signing == CS_FAKE_FAILS) {
		out.code = cs_span_str(h->fail_code != NULL ? h->fail_code
							    : "crypto");
		out.detail = CS_SPAN_LIT("the token is gone");
	} else {
		out.code = CS_SPAN_LIT("ceiling");
		out.detail = CS_SPAN_LIT("beyond the ceiling");
	}
	assert_true(cs_link_send_signed(h->signer, 0, &out, NULL));
}

/*
 * CRL_SIGNED for one CRL_SIGN: for a CRL, the list itself. Its number stands
 * in a committed row by then.
 */
static void sign_crl(struct cs_house *h, const struct cs_got *got)
{
	struct cs_msg_crl_signed out = {.ok = h->signing < CS_FAKE_REFUSES};
	struct cs_crl_entry entry;
	struct cs_msg_crl_sign m;
	struct cs_span list;
	bool there = true;

	assert_true(cs_msg_crl_sign_decode(cs_span_make(got->body, got->n), &m,
					   NULL));
	assert_int_equal(look(h,
			      "SELECT count(*) FROM crl_asked"
			      " WHERE number = ?",
			      m.number) > 0,
			 1);
	list = m.entries;
	while (cs_crl_entry_next(&list, &entry, &there, NULL) && there)
		out.count++;
	assert_false(there);
	if (out.ok) {
		out.crl = cs_span_make(got->body, got->n);
	} else {
		out.code = CS_SPAN_LIT("key");
		out.detail = CS_SPAN_LIT("no key for that");
		out.count = 0;
	}
	assert_true(
		cs_link_send_crl_signed(h->signer, got->ticket, &out, NULL));
}

static bool on_signer(void *ctx, struct cs_link *link, unsigned number,
		      uint64_t ticket, struct cs_span body, int fd,
		      struct cs_error *err)
{
	struct cs_house *h = ctx;
	struct cs_msg_sign m;

	(void)link;
	(void)fd;
	(void)err;
	keep(&h->signer_got, &h->signer_n, number, ticket, body);
	if (number == CS_MSG_SIGN) {
		assert_true(cs_msg_sign_decode(body, &m, NULL));
		assert_int_equal(
			look(h, "SELECT count(*) FROM attempt WHERE seq = ?",
			     m.seq),
			1);
		if (h->signing != CS_FAKE_HOLDS) {
			sign(h, &h->signer_got[h->signer_n - 1]);
			h->signed_n = h->signer_n;
		}
	} else if (number == CS_MSG_CRL_SIGN) {
		if (h->signing != CS_FAKE_HOLDS) {
			sign_crl(h, &h->signer_got[h->signer_n - 1]);
			h->signed_n = h->signer_n;
		}
	} else {
		h->signed_n = h->signer_n;
	}
	check_want(h);
	return true;
}

static bool on_worker(void *ctx, struct cs_link *link, unsigned number,
		      uint64_t ticket, struct cs_span body, int fd,
		      struct cs_error *err)
{
	struct cs_house *h = ctx;

	(void)link;
	(void)fd;
	(void)err;
	keep(&h->worker_got, &h->worker_n, number, ticket, body);
	check_want(h);
	return true;
}

static bool on_parent(void *ctx, struct cs_link *link, unsigned number,
		      uint64_t ticket, struct cs_span body, int fd,
		      struct cs_error *err)
{
	struct cs_house *h = ctx;

	(void)link;
	(void)fd;
	(void)err;
	keep(&h->parent_got, &h->parent_n, number, ticket, body);
	check_want(h);
	return true;
}

static bool on_reader(void *ctx, struct cs_link *link, unsigned number,
		      uint64_t ticket, struct cs_span body, int fd,
		      struct cs_error *err)
{
	(void)ctx;
	(void)link;
	(void)number;
	(void)ticket;
	(void)body;
	(void)fd;
	(void)err;
	return true;
}

static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct cs_house *h = ctx;
	struct cs_link **all[] = {&h->parent, &h->front, &h->reader, &h->signer,
				  &h->worker};

	(void)why;
	for (size_t i = 0; i < 5; i++)
		if (*all[i] == link)
			*all[i] = NULL;
	cs_link_free(link);
}

static void on_patience(void *ctx)
{
	struct cs_house *h = ctx;

	h->timed_out = true;
	cs_loop_stop(h->loop, 0);
}

/* -- the installation --------------------------------------------------- */

/* Enough of a certificate for the ledger: RFC 5280 4.1 without extensions. */
static struct cs_span fake_certificate(const char *name, uint8_t serial,
				       uint8_t *bytes, size_t size)
{
	struct cs_buf b;
	size_t cert, tbs, at;

	cs_buf_init(&b, size);
	cert = cs_der_write_begin(&b, CS_DER_SEQUENCE);
	tbs = cs_der_write_begin(&b, CS_DER_SEQUENCE);
	cs_der_write_uint(&b, serial);
	for (int i = 0; i < 5; i++) {
		at = cs_der_write_begin(&b, CS_DER_SEQUENCE);
		if (i == 2) {
			cs_der_write_time(&b, 1600000000);
			cs_der_write_time(&b, 1900000000);
		} else if (i > 0) { /* RFC 5280 4.1.1.2: 0 as outside */
			cs_der_write(&b, CS_DER_UTF8_STRING, cs_span_str(name));
		}
		cs_der_write_end(&b, at);
	}
	cs_der_write_end(&b, tbs);
	at = cs_der_write_begin(&b, CS_DER_SEQUENCE);
	cs_der_write_end(&b, at);
	cs_der_write_bit_string_octets(&b, cs_span_str("root's signature"));
	cs_der_write_end(&b, cert);
	assert_true(cs_buf_ok(&b));
	memcpy(bytes, b.p, b.n);
	at = b.n;
	cs_buf_done(&b);
	return cs_span_make(bytes, at);
}

/* The configuration's issuers: default, and strict without self approval. */
static void make_issuers(struct cs_house *h)
{
	static const char *const names[] = {"default", "strict"};
	static const uint8_t sig_alg[] = {0x30, 0x00};

	for (size_t i = 0; i < 2; i++) {
		int n = snprintf((char *)h->chain[i], sizeof(h->chain[i]),
				 "chain of %s\n", names[i]);

		h->issuers[i] = (struct cs_ledger_issuer){
			.name = names[i],
			.chain = cs_span_make(h->chain[i], (size_t)n),
			.ca = CS_SPAN_LIT("root\n"),
			.certificate = fake_certificate(
				names[i], (uint8_t)(17 + i), h->certificate[i],
				sizeof(h->certificate[i])),
			.sig_alg = cs_span_make(sig_alg, sizeof(sig_alg)),
			.crl_shards = 4,
			.self_approval = i == 0,
		};
	}
	h->issuers_n = 2;
}

void cs_house_create(struct cs_house *h)
{
	struct cs_installation in = {.origin = "test.example/countersign/0a"};
	struct cs_db_config db;
	struct cs_note_signer *signer;
	char path[96];
	uint8_t id[16] = {1};
	struct cs_error err = {0};
	int fd;

	memset(h, 0, sizeof(*h));
	h->wall_ms = START_MS;
	h->boot_ms = 1000000;
	h->status = -1;
	(void)snprintf(h->dir, sizeof(h->dir), "/tmp/cs-ledger-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	(void)snprintf(h->db_path, sizeof(h->db_path), "%s/ledger.db", h->dir);
	(void)snprintf(path, sizeof(path), "%s/log.key", h->dir);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(cs_note_key_create(fd, &err));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	signer = cs_note_signer_new(fd, in.origin, &err);
	assert_non_null(signer);
	close(fd);
	in.id = id;
	in.log_key = cs_note_signer_verifier(signer)->public_key;
	in.now_ms = START_MS;
	db = (struct cs_db_config){.path = h->db_path};
	if (!cs_store_create(&db, &in, &err))
		fail_msg("%s", err.text);
	cs_note_signer_free(signer);
	make_issuers(h);
	h->hash = cs_hash_new(&err);
	assert_non_null(h->hash);
	h->log = (struct cs_log){
		.fd = open("/dev/null", O_WRONLY | O_CLOEXEC),
		.room = "ledger",
	};
	if (getenv("CS_TEST_LOG") != NULL)
		h->log.fd = dup(2);
	h->log.clock =
		(struct cs_clock){.wall_ms = wall, .boot_ms = boot, .ctx = h};
	h->log.level = CS_LOG_DEBUG;
}

/* Our ends of the links. */
static void open_ends(struct cs_house *h, int ends[5][2])
{
	struct cs_error err = {0};

	for (int i = 0; i < 5; i++)
		assert_true(cs_link_pair(ends[i], &err));
	h->parent = cs_link_new(h->loop, ends[0][1], CS_ROOM_P, CS_ROOM_L,
				on_parent, on_gone, h, &err);
	h->front = cs_link_new(h->loop, ends[1][1], CS_ROOM_F, CS_ROOM_L,
			       on_front, on_gone, h, &err);
	h->reader = cs_link_new(h->loop, ends[2][1], CS_ROOM_R, CS_ROOM_L,
				on_reader, on_gone, h, &err);
	h->signer = cs_link_new(h->loop, ends[3][1], CS_ROOM_S, CS_ROOM_L,
				on_signer, on_gone, h, &err);
	h->worker = cs_link_new(h->loop, ends[4][1], CS_ROOM_W, CS_ROOM_L,
				on_worker, on_gone, h, &err);
	assert_true(h->parent != NULL && h->front != NULL &&
		    h->reader != NULL && h->signer != NULL &&
		    h->worker != NULL);
}

bool cs_house_start(struct cs_house *h, struct cs_error *err)
{
	int ends[5][2];
	struct cs_ledger_worker worker = {.number = 1};
	struct cs_ledger_config c = h->config;
	struct cs_db_config db = {.path = h->db_path};
	char path[96];

	h->loop = cs_loop_new(err);
	assert_non_null(h->loop);
	h->patience = cs_timer_new(h->loop, on_patience, h, err);
	open_ends(h, ends);
	c.dir = h->dir;
	c.clock = (struct cs_clock){.wall_ms = wall, .boot_ms = boot, .ctx = h};
	c.log = &h->log;
	c.parent_fd = ends[0][0];
	c.front_fd = ends[1][0];
	c.reader_fd = ends[2][0];
	c.signer_fd = ends[3][0];
	worker.fd = ends[4][0];
	c.workers = &worker;
	c.workers_n = 1;
	c.issuers = h->issuers;
	c.issuers_n = h->issuers_n;
	c.engine = "countersign test";
	(void)snprintf(path, sizeof(path), "%s/log.key", h->dir);
	c.log_key_fd = open(path, O_RDONLY | O_CLOEXEC);
	h->status = -1;
	h->ledger = cs_ledger_new(h->loop, &c, err);
	if (h->ledger == NULL)
		return false;
	h->look = cs_db_open(&db, CS_DB_READ, err);
	assert_non_null(h->look);
	return true;
}

/* Forget what came. */
static void forget(struct cs_got **list, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		cs_mem_free((*list)[i].body);
	cs_mem_free(*list);
	*list = NULL;
	*n = 0;
}

void cs_house_crash(struct cs_house *h)
{
	cs_db_close(h->look);
	h->look = NULL;
	cs_ledger_free(h->ledger);
	h->ledger = NULL;
	cs_link_free(h->parent);
	cs_link_free(h->front);
	cs_link_free(h->reader);
	cs_link_free(h->signer);
	cs_link_free(h->worker);
	h->parent = h->front = h->reader = h->signer = h->worker = NULL;
	cs_timer_free(h->patience);
	h->patience = NULL;
	cs_loop_free(h->loop);
	h->loop = NULL;
	forget(&h->front_got, &h->front_n);
	forget(&h->signer_got, &h->signer_n);
	forget(&h->worker_got, &h->worker_n);
	forget(&h->parent_got, &h->parent_n);
	h->signed_n = 0;
}

int cs_house_stop(struct cs_house *h)
{
	struct cs_msg_stop m = {.drain_ms = 200};

	assert_true(cs_link_send_stop(h->parent, 0, &m, NULL));
	h->timed_out = false;
	cs_timer_start(h->patience, PATIENCE_MS);
	return cs_loop_run(h->loop);
}

/* Remove a folder of ours, one level deep. */
static void remove_folder(const char *dir)
{
	static const char *const names[] = {"ledger.db",     "ledger.db-wal",
					    "ledger.db-shm", "ledger.db.new",
					    "ledger.db.v1",  "copy.db",
					    "checkpoint",    "log.key",
					    "run/lock",	     "run"};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)remove(path);
	}
	(void)rmdir(dir);
}

void cs_house_done(struct cs_house *h)
{
	cs_house_crash(h);
	cs_hash_free(h->hash);
	close(h->log.fd);
	remove_folder(h->dir);
}

void cs_house_open(struct cs_house *h)
{
	cs_house_create(h);
	cs_house_furnish(h);
}

void cs_house_furnish(struct cs_house *h)
{
	struct cs_msg_admin_done done;
	struct cs_error err = {0};

	if (!cs_house_start(h, &err))
		fail_msg("%s", err.text);
	assert_true(cs_house_wait(h, CS_MSG_STATE, 1));
	cs_house_apply(h, "allow: all", &done);
	assert_int_equal(done.ok, 1);
	cs_house_change(h,
			"{\"credential\":{\"digest\":"
			"\"00112233445566778899aabbccddeeff"
			"00112233445566778899aabbccddeeff\","
			"\"kind\":\"token\",\"token_id\":\"0001\"},"
			"\"name\":\"gw\",\"op\":\"add\",\"realm\":\"prod\","
			"\"rights\":[\"submit\",\"approve\"]}",
			&done);
	assert_int_equal(done.ok, 1);
}

/* -- turning ------------------------------------------------------------ */

bool cs_house_wait(struct cs_house *h, unsigned number, size_t count)
{
	return cs_house_wait_for(h, number, count, PATIENCE_MS);
}

bool cs_house_wait_for(struct cs_house *h, unsigned number, size_t count,
		       uint32_t ms)
{
	if (cs_house_count(h, number) >= count)
		return true;
	h->want_number = number;
	h->want_count = count;
	h->timed_out = false;
	cs_timer_start(h->patience, ms);
	h->status = cs_loop_run(h->loop);
	cs_timer_stop(h->patience);
	h->want_number = 0;
	return !h->timed_out && cs_house_count(h, number) >= count;
}

void cs_house_turn(struct cs_house *h, uint32_t ms)
{
	cs_timer_start(h->patience, ms);
	h->status = cs_loop_run(h->loop);
	cs_timer_stop(h->patience);
}

void cs_house_pass(struct cs_house *h, int64_t ms)
{
	h->wall_ms += ms;
	h->boot_ms += ms;
	cs_house_turn(h, 1100);
}

/* Count one kind in one list. */
static size_t count(const struct cs_got *list, size_t n, unsigned number)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += list[i].number == number;
	return found;
}

size_t cs_house_count(const struct cs_house *h, unsigned number)
{
	return count(h->front_got, h->front_n, number) +
	       count(h->signer_got, h->signer_n, number) +
	       count(h->worker_got, h->worker_n, number) +
	       count(h->parent_got, h->parent_n, number);
}

const struct cs_got *cs_house_last(const struct cs_house *h, unsigned number)
{
	for (size_t i = h->front_n; i-- > 0;)
		if (h->front_got[i].number == number)
			return &h->front_got[i];
	for (size_t i = h->signer_n; i-- > 0;)
		if (h->signer_got[i].number == number)
			return &h->signer_got[i];
	for (size_t i = h->worker_n; i-- > 0;)
		if (h->worker_got[i].number == number)
			return &h->worker_got[i];
	return NULL;
}

void cs_house_take_worker(struct cs_house *h, int fd)
{
	cs_link_free(h->worker);
	h->worker = cs_link_new(h->loop, fd, CS_ROOM_W, CS_ROOM_L, on_worker,
				on_gone, h, NULL);
	assert_non_null(h->worker);
}

void cs_house_sign(struct cs_house *h)
{
	for (; h->signed_n < h->signer_n; h->signed_n++)
		if (h->signer_got[h->signed_n].number == CS_MSG_SIGN)
			sign(h, &h->signer_got[h->signed_n]);
		else if (h->signer_got[h->signed_n].number == CS_MSG_CRL_SIGN)
			sign_crl(h, &h->signer_got[h->signed_n]);
}

/* -- looking ------------------------------------------------------------ */

int64_t cs_house_number(struct cs_house *h, const char *sql)
{
	struct cs_db_config c = {.path = h->db_path};
	struct cs_db *db = h->look;
	struct cs_stmt s;
	bool row = false;
	int64_t n;

	if (db == NULL)
		db = cs_db_open(&c, CS_DB_READ, NULL);
	assert_non_null(db);
	s = cs_stmt_text(db, sql);
	assert_true(cs_stmt_step(&s, &row, NULL) && row);
	n = cs_stmt_col_int(&s, 0);
	cs_stmt_end(&s);
	if (db != h->look)
		cs_db_close(db);
	return n;
}

static void on_finding(void *ctx, const struct cs_verify_finding *f)
{
	(void)ctx;
	print_error("finding: leaf %lld, %s row %lld: %s\n",
		    (long long)f->index, f->where, (long long)f->row, f->text);
}

void cs_house_verify(struct cs_house *h)
{
	struct cs_db_config c = {.path = h->db_path};
	struct cs_error err = {0};
	struct cs_db *db = cs_db_open(&c, CS_DB_READ, &err);
	struct cs_verify_config v = {.db = db, .finding = on_finding};
	struct cs_verify_report report;
	struct cs_buf outside;
	char path[96];

	assert_non_null(db);
	cs_buf_init(&outside, 4096);
	(void)snprintf(path, sizeof(path), "%s/checkpoint", h->dir);
	if (cs_file_read(path, &outside, NULL))
		v.outside = cs_buf_span(&outside);
	if (!cs_verify_run(&v, &report, &err))
		fail_msg("%s", err.text);
	assert_int_equal(report.findings, 0);
	cs_buf_done(&outside);
	cs_db_close(db);
}
