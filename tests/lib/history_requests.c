#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "base/limit.h"
#include "base/revoke.h"
#include "base/terms.h"
#include "tests/lib/history_parts.h"

/* What is asked and decided in a history, and what is revoked of it. */

/* What one request of the history needs while it is written. */
struct made {
	uint8_t id[16];
	uint8_t fingerprint[32];
	uint8_t set[32];
	uint8_t spki[32];
	uint8_t subject_key[32];
	char csr[100];
	char scalars[200];
	char body[300];
	char inputs[100];
	struct cs_buf terms;
	struct cs_buf limits;
	struct cs_buf der;
	char tbs[100];
	uint8_t serial[17];
	struct cs_leaf_record r;
};

/* Release the buffers. */
static void made_done(struct made *m)
{
	cs_buf_done(&m->terms);
	cs_buf_done(&m->limits);
	cs_buf_done(&m->der);
}

/* The search terms of a decision. */
static void make_terms(const struct cs_history_request *q, const char *verdict,
		       struct made *m)
{
	struct cs_arena arena;
	struct cs_terms t;

	cs_arena_init(&arena, 1 << 16);
	cs_terms_init(&t, &arena);
	assert_true(cs_terms_add_dns(&t, cs_span_str(q->name)));
	assert_true(
		cs_terms_add(&t, CS_TERM_REQUESTER, cs_span_str(q->requester)));
	assert_true(cs_terms_add(&t, CS_TERM_CLIENT, CS_SPAN_LIT("portal")));
	assert_true(cs_terms_add(&t, CS_TERM_ISSUER, CS_SPAN_LIT("default")));
	assert_true(cs_terms_add(&t, CS_TERM_CODE, cs_span_str(q->code)));
	assert_true(cs_terms_add(&t, CS_TERM_VERDICT, cs_span_str(verdict)));
	if (m->r.serial.n > 0)
		assert_true(cs_terms_add(&t, CS_TERM_SERIAL, m->r.serial));
	if (q->changed)
		assert_true(
			cs_terms_add(&t, CS_TERM_FLAG, CS_SPAN_LIT("changed")));
	cs_buf_init(&m->terms, CS_MAX_TERMS);
	cs_terms_encode(&t, &m->terms);
	cs_arena_done(&arena);
	m->r.terms = cs_buf_span(&m->terms);
}

/* The request's half of a record, from a number that makes it unique. */
static void make_request(struct cs_history *h,
			 const struct cs_history_request *q, struct made *m,
			 enum cs_leaf_kind kind)
{
	uint64_t n = (uint64_t)++h->requests;
	uint8_t d[32];

	memset(m, 0, sizeof(*m));
	cs_history_begin(h, &m->r, kind);
	memcpy(m->id, history_digest(h, "id", n, d), 16);
	history_digest(h, "fingerprint", n, m->fingerprint);
	history_digest(h, HISTORY_SET, 0, m->set);
	(void)snprintf(m->csr, sizeof(m->csr), "the CSR of %s", q->name);
	(void)snprintf(m->scalars, sizeof(m->scalars),
		       "{\"issuer\":\"default\",\"requester\":\"%s\"}",
		       q->requester);
	m->r.client = HISTORY_CLIENT_PORTAL;
	m->r.client_name = CS_SPAN_LIT("portal");
	m->r.credential = HISTORY_CLIENT_PORTAL;
	m->r.uid = q->approved ? -1 : 1000;
	m->r.id = m->id;
	m->r.flags = q->approved ? 4 : 0;
	m->r.fingerprint = m->fingerprint;
	m->r.idem_key = cs_span_str(q->key);
	m->r.realm = CS_SPAN_LIT("corp");
	m->r.source = CS_SPAN_LIT("api");
	m->r.issuer_asked = CS_SPAN_LIT("default");
	m->r.received_ms = h->now_ms - 1;
	m->r.csr = cs_span_str(m->csr);
	m->r.scalars = cs_span_str(m->scalars);
	if (!q->approved) {
		m->r.expires_ms = h->now_ms + 604800000;
		m->r.hold = CS_SPAN_LIT("WINDOW");
		m->r.not_before_ms = h->now_ms + 5;
		m->r.pending_body = CS_SPAN_LIT("{\"verdict\":\"issued\"}");
		m->r.pending_terms = CS_SPAN_LIT("\x05\x01\x00\x00\x00x");
	}
}

/* Who said yes, or no. */
static void make_approval(struct made *m, unsigned denies)
{
	m->r.approval = (struct cs_leaf_approval){
		.at_ms = m->r.at_ms - 1,
		.client = HISTORY_CLIENT_LOCAL,
		.client_name = CS_SPAN_LIT("_local"),
		.credential = HISTORY_CLIENT_LOCAL,
		.uid = 1000,
		.binds = m->fingerprint,
		.denies = denies,
		.self = 1 - denies,
		.claimed_by = CS_SPAN_LIT("bob"),
		.reason = CS_SPAN_LIT("Reviewed"),
		.message = CS_SPAN_LIT("ticket 4711"),
	};
}

/* The judgement's half: body, inputs, terms. */
static void make_judgement(struct cs_history *h,
			   const struct cs_history_request *q, struct made *m,
			   const char *verdict)
{
	if (q->code == NULL)
		(void)snprintf(m->body, sizeof(m->body),
			       "{\"changed\":%s,\"diff\":[],\"policy\":{"
			       "\"name\":\"web\"},\"verdict\":\"%s\"}",
			       q->changed ? "true" : "false", verdict);
	else
		(void)snprintf(m->body, sizeof(m->body),
			       "{\"changed\":false,\"code\":\"%s\",\"policy\":{"
			       "\"name\":\"web\"},\"verdict\":\"%s\"}",
			       q->code, verdict);
	(void)snprintf(m->inputs, sizeof(m->inputs), "{\"now_ms\":%lld}",
		       (long long)h->now_ms);
	m->r.now_ms = h->now_ms;
	m->r.epoch = HISTORY_EPOCH;
	m->r.set_sha256 = m->set;
	m->r.body = cs_span_str(m->body);
	m->r.inputs = cs_span_str(m->inputs);
	make_terms(q, verdict, m);
}

/* The attempt's part, with a serial of its own. */
static void make_attempt(struct cs_history *h, struct made *m)
{
	struct cs_limit limit = {.disposition = CS_LIMIT_HOLD,
				 .count = 5,
				 .window_s = 60,
				 .rule = CS_SPAN_LIT("web/limits.per_name"),
				 .key = CS_SPAN_LIT("key")};
	uint8_t d[32];

	h->seq++;
	memcpy(m->serial + 1, history_digest(h, "serial", h->seq, d), 16);
	m->serial[0] = 0x5b;
	history_digest(h, "spki", (uint64_t)h->requests, m->spki);
	history_digest(h, "subject", (uint64_t)h->requests, m->subject_key);
	(void)snprintf(m->tbs, sizeof(m->tbs), "the TBS of attempt %llu",
		       (unsigned long long)h->seq);
	cs_buf_init(&m->limits, 1000);
	cs_limit_put(&m->limits, &limit);
	m->r.issuer = HISTORY_ISSUER;
	m->r.issuer_name = CS_SPAN_LIT("default");
	m->r.generation = 1;
	m->r.seq = h->seq;
	m->r.serial = cs_span_make(m->serial, sizeof(m->serial));
	m->r.spki_sha256 = m->spki;
	m->r.subject_key = m->subject_key;
	m->r.not_after_s = h->now_ms / 1000 + 86400;
	m->r.limits = cs_buf_span(&m->limits);
	m->r.tbs = cs_span_str(m->tbs);
}

/* A text column from a span: NULL when it is empty. */
static const char *text_or_null(struct cs_span s, char *out, size_t n)
{
	if (s.n == 0)
		return NULL;
	(void)snprintf(out, n, "%.*s", CS_SPAN_FMT(s));
	return out;
}

/* The request's row, and its approval's. `leaf` -1: not decided. */
static int64_t write_request(struct cs_history *h, const struct made *m,
			     const char *state, int64_t leaf)
{
	const struct cs_leaf_record *r = &m->r;
	const struct cs_leaf_approval *a = &r->approval;
	char key[100];
	char hold[100];

	history_run(
		h,
		"INSERT INTO request (n, id, client, credential, uid, realm,"
		" source, idem_key, fingerprint, received_ms, flags, issuer,"
		" scalars, csr, state, expires_ms, hold, not_before_ms,"
		" pending_body, pending_terms, leaf) VALUES (?, ?, ?, ?, ?, "
		"'corp',"
		" 'api', ?, ?, ?, ?, 'default', ?, ?, ?, nullif(?, 0), ?,"
		" nullif(?, 0), nullif(?, x''), nullif(?, x''), nullif(?, -1))",
		"ibiiisbiibbsisibbi", h->requests, cs_span_make(m->id, 16),
		(int64_t)r->client, (int64_t)r->credential, r->uid,
		text_or_null(r->idem_key, key, sizeof(key)),
		cs_span_make(m->fingerprint, 32), r->received_ms,
		(int64_t)r->flags, r->scalars, r->csr, state, r->expires_ms,
		text_or_null(r->hold, hold, sizeof(hold)), r->not_before_ms,
		r->pending_body, r->pending_terms, leaf);
	if (a->client != 0)
		history_run(
			h,
			"INSERT INTO approval (request, client, credential, "
			"uid,"
			" binds, at_ms, denies, self, claimed_by, reason, "
			"message)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'bob', 'Reviewed',"
			" 'ticket 4711')",
			"iiiibiii", h->requests, (int64_t)a->client,
			(int64_t)a->credential, a->uid,
			cs_span_make(a->binds, 32), a->at_ms,
			(int64_t)a->denies, (int64_t)a->self);
	return h->requests;
}

/* The attempt's rows. */
static void write_attempt(struct cs_history *h, const struct made *m,
			  int64_t request)
{
	const struct cs_leaf_record *r = &m->r;

	history_run(
		h,
		"INSERT INTO attempt (seq, request, issuer, serial, spki,"
		" subject_key, now_ms, epoch, not_after_s, tbs, body, terms,"
		" inputs, limits) VALUES (?, ?, 1, ?, ?, ?, ?, 1, ?, ?, ?, ?, "
		"?,"
		" ?)",
		"iibbbiibbbbb", (int64_t)r->seq, request, r->serial,
		cs_span_make(m->spki, 32), cs_span_make(m->subject_key, 32),
		r->now_ms, r->not_after_s, r->tbs, r->body, r->terms, r->inputs,
		r->limits);
	history_run(
		h,
		"INSERT INTO key_use (spki, subject_key, seq) VALUES (?, ?, ?)",
		"bbi", cs_span_make(m->spki, 32),
		cs_span_make(m->subject_key, 32), (int64_t)r->seq);
	history_run(h,
		    "INSERT INTO limit_use (rule, key, at_ms, seq)"
		    " VALUES ('web/limits.per_name', x'6b6579', ?, ?)",
		    "ii", r->now_ms, (int64_t)r->seq);
}

/* Sign: the signature is words, which nobody verifies here. */
static void write_issued(struct cs_history *h, struct made *m, int64_t request)
{
	struct cs_span signature = CS_SPAN_LIT("the signature");
	uint64_t index = m->r.index;
	size_t mark;

	cs_buf_init(&m->der, 1000);
	mark = cs_der_write_begin(&m->der, CS_DER_SEQUENCE);
	cs_der_write_raw(&m->der, m->r.tbs);
	cs_der_write_raw(&m->der, CS_SPAN_LIT(HISTORY_SIG_ALG));
	cs_der_write_bit_string_octets(&m->der, signature);
	cs_der_write_end(&m->der, mark);
	m->r.certificate = cs_buf_span(&m->der);
	history_leaf(h, &m->r, m->r.body, request);
	history_run(
		h,
		"INSERT INTO outcome (seq, signature, leaf) VALUES (?, ?, ?)",
		"ibi", (int64_t)m->r.seq, signature, (int64_t)index);
	history_run(h, "UPDATE meta SET seq = ?", "i", (int64_t)h->seq);
}

int64_t cs_history_issue(struct cs_history *h,
			 const struct cs_history_request *q)
{
	struct made m;
	int64_t n;

	assert_true(cs_db_begin(h->db, NULL));
	make_request(h, q, &m, CS_LEAF_ISSUED);
	make_approval(&m, 0);
	make_attempt(h, &m);
	make_judgement(h, q, &m, "issued");
	n = write_request(h, &m, "issued", (int64_t)m.r.index);
	write_attempt(h, &m, n);
	write_issued(h, &m, n);
	made_done(&m);
	assert_true(cs_db_commit(h->db, NULL));
	return n;
}

int64_t cs_history_refuse(struct cs_history *h, enum cs_leaf_kind kind,
			  const struct cs_history_request *q)
{
	struct made m;
	const char *verdict = cs_leaf_kind_name(kind);
	uint64_t index;
	int64_t n;

	assert_true(cs_db_begin(h->db, NULL));
	make_request(h, q, &m, kind);
	if (kind == CS_LEAF_DENIED)
		make_approval(&m, 1);
	make_judgement(h, q, &m, verdict);
	index = m.r.index;
	n = write_request(h, &m, verdict, (int64_t)index);
	history_leaf(h, &m.r, m.r.body, n);
	history_run(h,
		    "INSERT INTO refusal (leaf, request, now_ms, epoch, body, "
		    "terms,"
		    " inputs) VALUES (?, ?, ?, 1, ?, ?, ?)",
		    "iiibbb", (int64_t)index, n, m.r.now_ms, m.r.body,
		    m.r.terms, m.r.inputs);
	made_done(&m);
	assert_true(cs_db_commit(h->db, NULL));
	return n;
}

int64_t cs_history_pending(struct cs_history *h,
			   const struct cs_history_request *q)
{
	struct made m;
	int64_t n;

	assert_true(cs_db_begin(h->db, NULL));
	make_request(h, q, &m, CS_LEAF_ISSUED);
	n = write_request(h, &m, "pending", -1);
	made_done(&m);
	assert_true(cs_db_commit(h->db, NULL));
	return n;
}

int64_t cs_history_abandon_and_issue(struct cs_history *h,
				     const struct cs_history_request *q)
{
	struct made m;
	struct made again;
	struct cs_leaf_record r;
	int64_t n;

	assert_true(cs_db_begin(h->db, NULL));
	make_request(h, q, &m, CS_LEAF_ATTEMPT_ABANDONED);
	make_approval(&m, 0);
	make_attempt(h, &m);
	make_judgement(h, q, &m, "issued");
	n = write_request(h, &m, "issued", (int64_t)m.r.index + 1);
	write_attempt(h, &m, n);
	r = m.r;
	cs_leaf_record_init(&r, CS_LEAF_ATTEMPT_ABANDONED, m.r.index,
			    m.r.at_ms);
	r.id = m.id;
	r.issuer = m.r.issuer;
	r.issuer_name = m.r.issuer_name;
	r.generation = m.r.generation;
	r.now_ms = m.r.now_ms;
	r.epoch = m.r.epoch;
	r.set_sha256 = m.r.set_sha256;
	r.body = m.r.body;
	r.terms = m.r.terms;
	r.inputs = m.r.inputs;
	r.seq = m.r.seq;
	r.serial = m.r.serial;
	r.spki_sha256 = m.r.spki_sha256;
	r.subject_key = m.r.subject_key;
	r.not_after_s = m.r.not_after_s;
	r.limits = m.r.limits;
	r.tbs = m.r.tbs;
	history_leaf(h, &r, r.body, n);
	history_run(h,
		    "INSERT INTO outcome (seq, signature, leaf) VALUES (?, "
		    "NULL, ?)",
		    "ii", (int64_t)r.seq, (int64_t)r.index);
	h->requests--;
	make_request(h, q, &again, CS_LEAF_ISSUED);
	again.r.received_ms = m.r.received_ms;
	again.r.expires_ms = m.r.expires_ms;
	again.r.not_before_ms = m.r.not_before_ms;
	make_approval(&again, 0);
	again.r.approval.at_ms = m.r.approval.at_ms;
	make_attempt(h, &again);
	make_judgement(h, q, &again, "issued");
	write_attempt(h, &again, n);
	write_issued(h, &again, n);
	made_done(&m);
	made_done(&again);
	assert_true(cs_db_commit(h->db, NULL));
	return n;
}

/* Terms of a revocation: who, of which issuer, what. */
static void revocation_terms(struct cs_span serial, struct cs_buf *out)
{
	struct cs_arena arena;
	struct cs_terms t;

	cs_arena_init(&arena, 1 << 16);
	cs_terms_init(&t, &arena);
	assert_true(cs_terms_add(&t, CS_TERM_CLIENT, CS_SPAN_LIT("portal")));
	assert_true(cs_terms_add(&t, CS_TERM_ISSUER, CS_SPAN_LIT("default")));
	assert_true(cs_terms_add(&t, CS_TERM_SERIAL, serial));
	cs_terms_encode(&t, out);
	cs_arena_done(&arena);
}

void cs_history_revoke(struct cs_history *h, uint64_t seq, unsigned reason)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf terms;
	struct cs_leaf_record r;
	struct cs_stmt s;
	uint8_t serial[CS_MAX_SERIAL];
	char body[100];
	bool row = false;

	cs_buf_init(&terms, CS_MAX_TERMS);
	assert_true(cs_db_begin(h->db, NULL));
	cs_history_begin(h, &r, CS_LEAF_REVOKED);
	s = cs_stmt_text(h->db, "SELECT serial, not_after_s FROM attempt"
				" WHERE seq = ?");
	cs_stmt_int(&s, (int64_t)seq);
	assert_true(cs_stmt_step(&s, &row, NULL) && row);
	r.serial = cs_stmt_col(&s, 0);
	memcpy(serial, r.serial.p, r.serial.n);
	r.serial.p = serial;
	r.not_after_s = cs_stmt_col_int(&s, 1);
	cs_stmt_end(&s);
	revocation_terms(r.serial, &terms);
	(void)snprintf(body, sizeof(body), "{\"reason\":\"%s\"}",
		       cs_reason_name((enum cs_reason)reason));
	r.client = HISTORY_CLIENT_PORTAL;
	r.client_name = CS_SPAN_LIT("portal");
	r.credential = HISTORY_CLIENT_PORTAL;
	r.uid = 1000;
	r.issuer = HISTORY_ISSUER;
	r.issuer_name = CS_SPAN_LIT("default");
	r.generation = 1;
	r.seq = seq;
	r.reason = reason;
	r.body = cs_span_str(body);
	r.terms = cs_buf_span(&terms);
	history_run(
		h,
		"INSERT INTO revocation (seq, issuer, shard, serial, "
		"not_after_s,"
		" at_ms, reason, client, credential, uid, body, terms, leaf)"
		" VALUES (?, 1, ?, ?, ?, ?, ?, 3, 3, 1000, ?, ?, ?)",
		"iibiiibbi", (int64_t)seq,
		(int64_t)cs_revoke_shard(r.serial, 4), r.serial, r.not_after_s,
		r.at_ms, (int64_t)reason, r.body, r.terms, (int64_t)r.index);
	history_leaf(h, &r, r.body, 0);
	assert_true(cs_db_commit(h->db, NULL));
}
