/*
 * Fills an installation's ledger with decisions, through the ledger itself:
 *
 *	fill DIR COUNT
 *
 * What was decided there already are the patterns: every decision of a
 * requester "user-0000" is made again and again with another name, person,
 * key, serial and time, 100 of each pattern that was issued as it was asked
 * for one of any other. This program is front, worker and signer at once; it
 * signs with the issuer's key, and what it leaves behind passes audit verify.
 *
 * Time goes from the latest that was recorded to now, so that an installation
 * that was made by a clock in the past has a history of that length. No house
 * may run on DIR meanwhile.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/der.h"
#include "base/hash.h"
#include "base/ipc.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "store/db.h"
#include "store/ledger.h"
#include "tests/bench/bench.h"

/* Decisions under way at once; time stands still for as many. */
#define BURST	 128
#define PATTERNS 16
/* Length of an uncompressed point of P-256, and of its SPKI's DER. */
#define POINT 65
#define SPKI  91

/* A decision to make again. */
struct pattern {
	struct cs_msg_request request;
	bool issued;
	unsigned weight;
	struct cs_span csr, body, terms, inputs, limits;
	int64_t received_ms, now_ms;
	/* Of a certificate. */
	struct cs_span serial, tbs;
	int64_t not_after_s, not_before_s;
	uint8_t spki[32], point[POINT], ski[20];
};

/* A message for the ledger, made while it works on those before. */
struct ready {
	unsigned number;
	uint64_t ticket;
	struct cs_buf body;
};

/* What both processes see. */
struct shared {
	int64_t wall_ms;
};

static struct fill {
	const char *dir;
	struct cs_arena arena; /* of the patterns and the issuer */
	struct cs_arena one;   /* of the decision in hand */
	struct cs_hash *hash;
	struct pattern pattern[PATTERNS];
	size_t patterns;
	unsigned weights;
	struct cs_ledger_issuer issuer;
	uint64_t epoch;
	int64_t start_ms, end_ms;
	EVP_PKEY *ca;
	struct shared *shared;
	struct cs_loop *loop;
	struct cs_link *parent, *front, *reader, *signer, *worker;
	uint64_t count, made, sent, answered;
	struct ready ready[BURST];
	size_t ready_n;
	int64_t burst_ms; /* the time of what is made */
	struct cs_idle *idle;
} fill;

CS_OWNS_BANNED

static void check(bool ok, const struct cs_error *err)
{
	if (!ok)
		bench_die("%s", err->text);
}

static int64_t wall(void *ctx)
{
	return ((volatile struct shared *)ctx)->wall_ms;
}

/* -- the patterns --------------------------------------------------------- */

static struct cs_span keep(struct cs_span s)
{
	struct cs_span copy;

	if (!cs_arena_dup(&fill.arena, s, &copy))
		bench_die("out of memory");
	return copy;
}

/* The public point and the dates of a TBS. */
static void read_tbs(struct pattern *p)
{
	struct cs_der r = cs_der_reader(p->tbs), in, v;
	struct cs_span skip, spki = {0};
	uint8_t digest[32];
	bool there;
	struct cs_error err = {0};

	check(cs_der_enter(&r, CS_DER_SEQUENCE, "tbs", &in, &err) &&
		      cs_der_enter_optional(&in, CS_DER_CONTEXT_CONSTRUCTED(0),
					    "version", &v, &there, &err) &&
		      cs_der_integer(&in, "serial", &skip, &err) &&
		      cs_der_element(&in, CS_DER_SEQUENCE, "alg", &skip, NULL,
				     &err) &&
		      cs_der_element(&in, CS_DER_SEQUENCE, "issuer", &skip,
				     NULL, &err) &&
		      cs_der_enter(&in, CS_DER_SEQUENCE, "validity", &v,
				   &err) &&
		      cs_der_time(&v, "notBefore", &p->not_before_s, &err) &&
		      cs_der_element(&in, CS_DER_SEQUENCE, "subject", &skip,
				     NULL, &err) &&
		      cs_der_element(&in, CS_DER_SEQUENCE, "spki", &skip, &spki,
				     &err),
	      &err);
	if (spki.n != SPKI)
		bench_die("a pattern's key is not of P-256");
	memcpy(p->point, spki.p + SPKI - POINT, POINT);
	/* RFC 7093 2: the left half of SHA-256 of the point. */
	check(cs_hash_sha256(fill.hash, cs_span_make(p->point, POINT), digest,
			     &err),
	      &err);
	memcpy(p->ski, digest, 20);
}

/* One row of PATTERNS_SQL. */
static void read_pattern(struct cs_stmt *s)
{
	struct pattern *p = &fill.pattern[fill.patterns++];
	struct cs_msg_request *r = &p->request;

	if (fill.patterns == PATTERNS)
		bench_die("too many patterns");
	r->flags = (uint32_t)cs_stmt_col_int(s, 0);
	r->client = (uint64_t)cs_stmt_col_int(s, 1);
	r->credential = (uint64_t)cs_stmt_col_int(s, 2);
	r->uid = cs_stmt_col_int(s, 3);
	r->client_name = keep(cs_stmt_col(s, 4));
	r->realm = keep(cs_stmt_col(s, 5));
	r->source = keep(cs_stmt_col(s, 6));
	r->issuer = keep(cs_stmt_col(s, 7));
	r->scalars = keep(cs_stmt_col(s, 8));
	p->csr = keep(cs_stmt_col(s, 9));
	p->received_ms = cs_stmt_col_int(s, 10);
	r->approver_client = (uint64_t)cs_stmt_col_int(s, 11);
	r->approver_credential = (uint64_t)cs_stmt_col_int(s, 12);
	p->issued = !cs_stmt_is_null(s, 13);
	p->serial = keep(cs_stmt_col(s, 13));
	p->tbs = keep(cs_stmt_col(s, 14));
	p->body = keep(cs_stmt_col(s, 15));
	p->terms = keep(cs_stmt_col(s, 16));
	p->inputs = keep(cs_stmt_col(s, 17));
	p->limits = keep(cs_stmt_col(s, 18));
	p->not_after_s = cs_stmt_col_int(s, 19);
	p->now_ms = cs_stmt_col_int(s, 20);
	(void)cs_stmt_col_fixed(s, 21, p->spki, 32);
	p->weight = p->issued && strstr((const char *)p->body.p,
					"\"changed\":true") == NULL
			    ? 100
			    : 1;
	fill.weights += p->weight;
	if (p->issued)
		read_tbs(p);
}

static void read_patterns(struct cs_db *db)
{
	struct cs_stmt s = cs_stmt_text(
		db,
		"SELECT r.flags, r.client, r.credential, r.uid, c.name,"
		" r.realm, r.source, r.issuer, r.scalars, r.csr, r.received_ms,"
		" p.client, p.credential, a.serial, a.tbs,"
		" coalesce(a.body, f.body), coalesce(a.terms, f.terms),"
		" coalesce(a.inputs, f.inputs), a.limits, a.not_after_s,"
		" coalesce(a.now_ms, f.now_ms), a.spki"
		" FROM request AS r JOIN client AS c ON c.id = r.client"
		" JOIN approval AS p ON p.request = r.n"
		" LEFT JOIN outcome AS o ON o.leaf = r.leaf"
		" LEFT JOIN attempt AS a ON a.seq = o.seq"
		" LEFT JOIN refusal AS f ON f.leaf = r.leaf"
		" WHERE instr(r.scalars, x'757365722d30303030') > 0 AND r.leaf "
		"> 0"
		" ORDER BY r.n LIMIT 15");
	struct cs_error err = {0};
	bool row = false;
	bool ok;

	while ((ok = cs_stmt_step(&s, &row, &err)) && row)
		read_pattern(&s);
	check(ok, &err);
	cs_stmt_end(&s);
	if (fill.weights == 0)
		bench_die("%s: nothing of user-0000 was decided there",
			  fill.dir);
}

/* One integer. */
static int64_t number(struct cs_db *db, const char *sql)
{
	struct cs_error err = {0};
	int64_t n = 0;

	check(cs_db_pragma_int(db, sql, &n, &err), &err);
	return n;
}

/* The issuer of the patterns, as its row says. */
static void read_issuer(struct cs_db *db)
{
	struct cs_stmt s = cs_stmt_text(
		db, "SELECT name, chain, ca, sig_alg, crl_base, crl_shards"
		    " FROM issuer WHERE name = 'default'");
	struct cs_ledger_issuer *i = &fill.issuer;
	struct cs_error err = {0};
	struct cs_span pem;
	struct cs_buf der;
	bool row = false;

	check(cs_stmt_step(&s, &row, &err) && row, &err);
	i->name = "default";
	i->chain = keep(cs_stmt_col(&s, 1));
	i->ca = keep(cs_stmt_col(&s, 2));
	i->sig_alg = keep(cs_stmt_col(&s, 3));
	if (!cs_stmt_is_null(&s, 4))
		i->crl_base = cs_arena_str(&fill.arena, cs_stmt_col(&s, 4));
	i->crl_shards = (uint32_t)cs_stmt_col_int(&s, 5);
	i->self_approval = true;
	cs_stmt_end(&s);
	pem = i->chain;
	cs_buf_init(&der, CS_MAX_CERT);
	check(cs_codec_pem_next("CERTIFICATE", &pem, &der, &row, &err) && row,
	      &err);
	i->certificate = keep(cs_buf_span(&der));
	cs_buf_done(&der);
}

/* A file of the installation as the CA's key. */
static void read_key(void)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/issuers/default/key.pem", fill.dir);
	f = fopen(path, "re");
	if (f != NULL)
		fill.ca = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	if (fill.ca == NULL)
		bench_die("%s: no key", path);
	fclose(f);
}

static void read_installation(void)
{
	char path[4096];
	struct cs_db_config config = {.path = path};
	struct cs_error err = {0};
	struct cs_db *db;

	snprintf(path, sizeof(path), "%s/ledger.db", fill.dir);
	db = cs_db_open(&config, CS_DB_READ, &err);
	check(db != NULL, &err);
	read_patterns(db);
	read_issuer(db);
	fill.epoch = (uint64_t)number(db, "SELECT epoch FROM meta");
	fill.start_ms = number(db, "SELECT clock_ms FROM meta") + 1000;
	fill.end_ms = (int64_t)time(NULL) * 1000 - 1000;
	if (fill.end_ms < fill.start_ms)
		fill.end_ms = fill.start_ms;
	cs_db_close(db);
	read_key();
}

/* -- one decision --------------------------------------------------------- */

/* Every place in the copy where `from` stands becomes `to`, of its length. */
static void replace(struct cs_span copy, const void *from, const void *to,
		    size_t n)
{
	uint8_t *at = (uint8_t *)(uintptr_t)copy.p, *end = at + copy.n;

	while ((at = memmem(at, (size_t)(end - at), from, n)) != NULL) {
		memcpy(at, to, n);
		at += n;
	}
}

/* What one decision has instead of its pattern's. */
struct fresh {
	char name[24], user[24], team[24];
	char received[24], now[24], not_before[40], not_after[40];
	char old_received[24], old_now[24], old_before[40], old_after[40];
	uint8_t serial[20], spki[32], point[POINT], ski[20];
	int64_t now_ms, not_after_s;
	EVP_PKEY *key;
};

/* A UTCTime's characters. */
static void utc_time(int64_t seconds, char ret[40])
{
	struct cs_civil c;

	if (!cs_time_to_civil(seconds, &c))
		bench_die("a time is out of range");
	snprintf(ret, 40, "%02d%02d%02d%02d%02d%02dZ", c.year % 100, c.month,
		 c.day, c.hour, c.minute, c.second);
}

static void digest(struct cs_span s, uint8_t ret[32])
{
	struct cs_error err = {0};

	check(cs_hash_sha256(fill.hash, s, ret, &err), &err);
}

/* The DER of a P-256 key's SPKI. */
static const uint8_t spki_head[SPKI - POINT] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
	0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
	0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

/* A key, and what depends on it. */
static void make_key(struct fresh *f)
{
	uint8_t spki[SPKI], hash[32];
	size_t n = 0;

	f->key = EVP_EC_gen("P-256");
	if (f->key == NULL ||
	    !EVP_PKEY_get_octet_string_param(f->key, OSSL_PKEY_PARAM_PUB_KEY,
					     f->point, POINT, &n) ||
	    n != POINT)
		bench_die("no key could be made");
	memcpy(spki, spki_head, sizeof(spki_head));
	memcpy(spki + sizeof(spki_head), f->point, POINT);
	digest(cs_span_make(spki, SPKI), f->spki);
	digest(cs_span_make(f->point, POINT), hash);
	memcpy(f->ski, hash, 20);
}

/* As serials and ids begin: the second, in four octets. */
static void put_seconds(int64_t ms, uint8_t *out)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)((uint64_t)(ms / 1000) >> (24 - 8 * i));
}

/* Number i of a pattern. */
static void make_fresh(const struct pattern *p, uint64_t i, struct fresh *f)
{
	static const int64_t days[] = {1, 7, 30, 90, 30, 30};
	uint8_t hash[32];

	memset(f, 0, sizeof(*f));
	digest(cs_span_make(&i, sizeof(i)), hash);
	f->now_ms = fill.burst_ms;
	/* Each name once, and none near the one before it. */
	snprintf(f->name, sizeof(f->name), "h%07" PRIu64,
		 (i + 1) * 6364137 % 10000000);
	/* Persons and teams are not alike: the first ask for the most. */
	snprintf(f->user, sizeof(f->user), "user-%04u",
		 1 + (unsigned)hash[0] * (unsigned)hash[1] % 5000);
	snprintf(f->team, sizeof(f->team), "team-%03u",
		 1 + (unsigned)hash[2] * (unsigned)hash[3] % 500);
	snprintf(f->now, sizeof(f->now), "%" PRId64, f->now_ms);
	snprintf(f->received, sizeof(f->received), "%" PRId64, f->now_ms - 1);
	snprintf(f->old_now, sizeof(f->old_now), "%" PRId64, p->now_ms);
	snprintf(f->old_received, sizeof(f->old_received), "%" PRId64,
		 p->received_ms);
	if (!p->issued)
		return;
	f->serial[0] = 0x5b;
	put_seconds(f->now_ms, f->serial + 1);
	memcpy(f->serial + 5, hash + 8, 15);
	f->not_after_s = f->now_ms / 1000 + 86400 * days[hash[4] % 6] - 1;
	utc_time(f->now_ms / 1000, f->not_before);
	utc_time(f->not_after_s, f->not_after);
	utc_time(p->not_before_s, f->old_before);
	utc_time(p->not_after_s, f->old_after);
	make_key(f);
}

/* A copy of one of the pattern's columns with what is new. */
static struct cs_span renew(const struct pattern *p, const struct fresh *f,
			    struct cs_span column)
{
	struct cs_span copy;

	if (!cs_arena_dup(&fill.one, column, &copy))
		bench_die("out of memory");
	if (copy.n == 0)
		return copy;
	replace(copy, "h0000000", f->name, 8);
	replace(copy, "user-0000", f->user, 9);
	replace(copy, "team-000", f->team, 8);
	replace(copy, f->old_now, f->now, 13);
	replace(copy, f->old_received, f->received, 13);
	if (!p->issued)
		return copy;
	replace(copy, p->serial.p, f->serial, p->serial.n);
	replace(copy, p->point, f->point, POINT);
	replace(copy, p->spki, f->spki, 32);
	replace(copy, p->ski, f->ski, 20);
	replace(copy, f->old_before, f->not_before, 13);
	replace(copy, f->old_after, f->not_after, 13);
	return copy;
}

/* ECDSA over SHA-256. */
static struct cs_span sign(EVP_PKEY *key, struct cs_span bytes)
{
	static EVP_MD_CTX *ctx;
	uint8_t *out = cs_arena_new(&fill.one, 80);
	size_t n = 80;

	if (ctx == NULL)
		ctx = EVP_MD_CTX_new();
	if (ctx == NULL || out == NULL || !EVP_MD_CTX_reset(ctx) ||
	    !EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) ||
	    !EVP_DigestSign(ctx, out, &n, bytes.p, bytes.n))
		bench_die("a signature failed");
	return cs_span_make(out, n);
}

/* The renewed CSR, signed again by its own key. */
static struct cs_span renew_csr(const struct pattern *p, const struct fresh *f)
{
	struct cs_span copy = renew(p, f, p->csr), info, alg, skip;
	struct cs_der r = cs_der_reader(copy), in;
	struct cs_error err = {0};
	struct cs_buf out;
	size_t mark;

	if (f->key == NULL)
		return copy;
	check(cs_der_enter(&r, CS_DER_SEQUENCE, "csr", &in, &err) &&
		      cs_der_element(&in, CS_DER_SEQUENCE, "info", &skip, &info,
				     &err) &&
		      cs_der_element(&in, CS_DER_SEQUENCE, "alg", &skip, &alg,
				     &err),
	      &err);
	cs_buf_init(&out, CS_MAX_CSR_DER);
	mark = cs_der_write_begin(&out, CS_DER_SEQUENCE);
	cs_der_write_raw(&out, info);
	cs_der_write_raw(&out, alg);
	cs_der_write_bit_string_octets(&out, sign(f->key, info));
	cs_der_write_end(&out, mark);
	if (!cs_arena_dup(&fill.one, cs_buf_span(&out), &copy))
		bench_die("out of memory");
	cs_buf_done(&out);
	return copy;
}

/* The approval as front writes it: by the client itself. */
static struct cs_span approval(const struct pattern *p, const struct fresh *f)
{
	char text[256];
	struct cs_span copy;

	snprintf(text, sizeof(text),
		 "{\"at\":%s,\"by\":\"%.*s\",\"reason\":\"Reviewed\"}",
		 f->received, CS_SPAN_FMT(p->request.client_name));
	if (!cs_arena_dup(&fill.one, cs_span_str(text), &copy))
		bench_die("out of memory");
	return copy;
}

/* The encoded REQUEST of number i. */
static void encode_request(const struct pattern *p, const struct fresh *f,
			   uint64_t i, struct cs_span csr, struct cs_buf *out)
{
	struct cs_msg_request r = p->request;
	char key[40];
	uint8_t hash[32];

	r.csr = csr;
	r.scalars = renew(p, f, r.scalars);
	r.received_ms = f->now_ms - 1;
	r.approval = approval(p, f);
	digest(csr, r.fingerprint);
	digest(cs_span_make(r.fingerprint, 32), hash);
	put_seconds(f->now_ms, r.id);
	memcpy(r.id + 4, hash, 12);
	snprintf(key, sizeof(key), "%02x%02x%02x%02x-fill-%016" PRIx64,
		 hash[16], hash[17], hash[18], hash[19], i);
	r.idem_key = cs_span_str(key);
	cs_msg_request_encode(&r, out);
}

/* Make number i. */
static void decide(uint64_t i)
{
	const struct pattern *p = fill.pattern;
	unsigned at = (unsigned)(i * 2654435761u % fill.weights);
	struct ready *ready = &fill.ready[fill.ready_n++];
	struct fresh f;
	struct cs_buf request;
	struct cs_span csr;

	ready->ticket = i + 1;
	cs_buf_reset(&ready->body);
	for (; at >= p->weight; p++)
		at -= p->weight;
	cs_arena_reset(&fill.one);
	make_fresh(p, i, &f);
	csr = renew_csr(p, &f);
	cs_buf_init(&request, CS_MAX_REQUEST_MESSAGE);
	encode_request(p, &f, i, csr, &request);
	if (p->issued) {
		struct cs_msg_intent m = {
			.request = cs_buf_span(&request),
			.csr = csr,
			.now_ms = f.now_ms,
			.epoch = fill.epoch,
			.serial = cs_span_make(f.serial, sizeof(f.serial)),
			.not_after_s = f.not_after_s,
			.tbs = renew(p, &f, p->tbs),
			.body = renew(p, &f, p->body),
			.terms = renew(p, &f, p->terms),
			.inputs = renew(p, &f, p->inputs),
			.limits = p->limits};

		memcpy(m.spki_sha256, f.spki, 32);
		digest(cs_span_str(f.name), m.subject_key);
		ready->number = CS_MSG_INTENT;
		cs_msg_intent_encode(&m, &ready->body);
	} else {
		struct cs_msg_refusal m = {.request = cs_buf_span(&request),
					   .csr = csr,
					   .now_ms = f.now_ms,
					   .epoch = fill.epoch,
					   .body = renew(p, &f, p->body),
					   .terms = renew(p, &f, p->terms),
					   .inputs = renew(p, &f, p->inputs)};

		ready->number = CS_MSG_REFUSAL;
		cs_msg_refusal_encode(&m, &ready->body);
	}
	cs_buf_done(&request);
	EVP_PKEY_free(f.key);
}

/* -- the rooms around the ledger ------------------------------------------ */

/* One more of the next burst, unless that is whole. */
static bool make_one(void)
{
	if (fill.ready_n == BURST || fill.made == fill.count)
		return false;
	if (fill.ready_n == 0)
		fill.burst_ms =
			fill.start_ms +
			(int64_t)((double)(fill.end_ms - fill.start_ms) *
				  (double)fill.made / (double)fill.count);
	decide(fill.made++);
	return true;
}

/* The loop has nothing else to do. */
static void on_idle(void *ctx)
{
	(void)ctx;
	if (make_one())
		cs_idle_request(fill.idle);
}

/* Send the burst that was made; or the end. */
static void next_burst(void)
{
	struct cs_msg_stop m = {.drain_ms = 5000};
	struct cs_error err = {0};

	if (fill.sent == fill.count) {
		check(cs_link_send_stop(fill.parent, 0, &m, &err), &err);
		return;
	}
	if (fill.sent % (BURST * 256) == 0)
		fprintf(stderr, "fill: %" PRIu64 " of %" PRIu64 "\n", fill.sent,
			fill.count);
	while (make_one())
		;
	fill.shared->wall_ms = fill.burst_ms;
	for (size_t i = 0; i < fill.ready_n; i++) {
		const struct ready *r = &fill.ready[i];

		check(cs_buf_finish(&r->body, "a message", &err) &&
			      cs_link_send(fill.worker, r->number, r->ticket,
					   cs_buf_span(&r->body), -1, &err),
		      &err);
	}
	fill.sent += fill.ready_n;
	fill.ready_n = 0;
	cs_idle_request(fill.idle);
}

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	union {
		struct cs_msg_sign sign;
		struct cs_msg_answer answer;
	} m;
	struct cs_msg_signed out = {.ok = 1};

	(void)ctx;
	(void)link;
	(void)ticket;
	(void)fd;
	if (number == CS_MSG_READY)
		next_burst();
	if (number == CS_MSG_SIGN) {
		if (!cs_msg_sign_decode(body, &m.sign, err))
			return false;
		cs_arena_reset(&fill.one);
		out.seq = m.sign.seq;
		out.signature = sign(fill.ca, m.sign.tbs);
		return cs_link_send_signed(fill.signer, 0, &out, err);
	}
	if (number != CS_MSG_ANSWER)
		return true;
	if (!cs_msg_answer_decode(body, &m.answer, err))
		return false;
	if (m.answer.outcome != CS_ANSWER_ISSUED &&
	    m.answer.outcome != CS_ANSWER_REFUSED)
		bench_die("%.*s: %.*s", CS_SPAN_FMT(m.answer.code),
			  CS_SPAN_FMT(m.answer.detail));
	if (++fill.answered == fill.sent)
		next_burst();
	return true;
}

static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	(void)ctx;
	(void)why;
	(void)link;
	cs_loop_stop(fill.loop, fill.answered == fill.count ? 0 : 1);
}

/* The ledger's process. */
static int run_ledger(int ends[5][2])
{
	struct cs_clock clock = {
		.wall_ms = wall, .boot_ms = wall, .ctx = fill.shared};
	struct cs_log log = {.fd = 2,
			     .room = "ledger",
			     .clock = clock,
			     .level = CS_LOG_WARNING};
	struct cs_ledger_worker worker = {.number = 1, .fd = ends[4][0]};
	struct cs_ledger_config c = {.dir = fill.dir,
				     .clock = clock,
				     .log = &log,
				     .parent_fd = ends[0][0],
				     .front_fd = ends[1][0],
				     .reader_fd = ends[2][0],
				     .signer_fd = ends[3][0],
				     .workers = &worker,
				     .workers_n = 1,
				     .issuers = &fill.issuer,
				     .issuers_n = 1,
				     .engine = "fill"};
	char path[4096];

	for (int i = 0; i < 5; i++)
		close(ends[i][1]);
	snprintf(path, sizeof(path), "%s/log.key", fill.dir);
	c.log_key_fd = open(path, O_RDONLY | O_CLOEXEC);
	return cs_ledger_run(&c);
}

/* Fork the ledger and be everybody else. */
static void run(void)
{
	static const enum cs_room rooms[5] = {CS_ROOM_P, CS_ROOM_F, CS_ROOM_R,
					      CS_ROOM_S, CS_ROOM_W};
	struct cs_link **links[5] = {&fill.parent, &fill.front, &fill.reader,
				     &fill.signer, &fill.worker};
	struct cs_error err = {0};
	int ends[5][2];
	int status;
	pid_t pid;

	for (int i = 0; i < 5; i++)
		check(cs_link_pair(ends[i], &err), &err);
	pid = fork();
	if (pid == 0)
		_exit(run_ledger(ends));
	fill.loop = cs_loop_new(&err);
	check(pid > 0 && fill.loop != NULL, &err);
	fill.idle = cs_idle_new(fill.loop, on_idle, NULL, &err);
	check(fill.idle != NULL, &err);
	for (int i = 0; i < 5; i++) {
		close(ends[i][0]);
		*links[i] =
			cs_link_new(fill.loop, ends[i][1], rooms[i], CS_ROOM_L,
				    on_message, on_gone, NULL, &err);
		check(*links[i] != NULL, &err);
	}
	status = cs_loop_run(fill.loop);
	waitpid(pid, NULL, 0);
	if (status != 0)
		bench_die("the ledger ended");
}

int main(int argc, char **argv)
{
	struct cs_error err = {0};
	int64_t from = bench_ns(CLOCK_MONOTONIC);

	if (argc != 3)
		bench_die("usage: fill DIR COUNT");
	fill.dir = argv[1];
	fill.count = strtoull(argv[2], NULL, 10);
	cs_arena_init(&fill.arena, CS_MAX_REQUEST_ARENA);
	cs_arena_init(&fill.one, CS_MAX_REQUEST_ARENA);
	fill.hash = cs_hash_new(&err);
	check(fill.hash != NULL, &err);
	fill.shared = mmap(NULL, sizeof(*fill.shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fill.shared == MAP_FAILED)
		bench_die("no shared memory");
	for (size_t i = 0; i < BURST; i++)
		cs_buf_init(&fill.ready[i].body, CS_MAX_MESSAGE);
	read_installation();
	fill.shared->wall_ms = fill.start_ms;
	run();
	printf("fill: %" PRIu64 " decisions in %.0f s\n", fill.count,
	       (double)(bench_ns(CLOCK_MONOTONIC) - from) / 1e9);
	return 0;
}
