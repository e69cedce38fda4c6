#include "tests/lib/test.h"

#include "tests/lib/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/der.h"
#include "base/limit.h"
#include "base/revoke.h"
#include "base/terms.h"
#include "store/migrate.h"
#include "store/rows.h"

/* The key of tests/vectors/log/checkpoints.json. */
static const char pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIObzbqQI+9tkmmFSBUju0gYifXzD3MM/vUFas/2YQkrD\n"
	"-----END PRIVATE KEY-----\n";
static const char origin[] = "ca.example/countersign/1f0c9a2b";

/* ecdsa-with-SHA256, RFC 5758 3.2. */
static const uint8_t sig_alg[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
				  0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

enum {
	CLIENT_LOCAL = 1,
	CLIENT_HOUSE = 2,
	CLIENT_PORTAL = 3,
	ISSUER = 1,
	EPOCH = 1
};

static const char set_name[] = "the set";

/* Run a statement; format: i int64_t, s C string or NULL, b span. */
static void run(struct cs_history *h, const char *sql, const char *format, ...)
{
	struct cs_stmt s = cs_stmt_text(h->db, sql);
	struct cs_error err = {0};
	va_list ap;

	va_start(ap, format);
	for (; *format != '\0'; format++) {
		if (*format == 'i') {
			cs_stmt_int(&s, va_arg(ap, int64_t));
		} else if (*format == 'b') {
			cs_stmt_blob(&s, va_arg(ap, struct cs_span));
		} else {
			const char *text = va_arg(ap, const char *);

			if (text == NULL)
				cs_stmt_null(&s);
			else
				cs_stmt_str(&s, cs_span_str(text));
		}
	}
	va_end(ap);
	if (!cs_stmt_run(&s, &err))
		fail_msg("%s", err.text);
}

/* 32 octets that only these words give. */
static const uint8_t *digest(struct cs_history *h, const char *what,
			     uint64_t number, uint8_t out[32])
{
	char text[100];

	(void)snprintf(text, sizeof(text), "%s %llu", what,
		       (unsigned long long)number);
	assert_true(cs_hash_sha256(h->hash, cs_span_str(text), out, NULL));
	return out;
}

/* Put meta where the tree is. */
static void write_meta(struct cs_history *h)
{
	run(h,
	    "UPDATE meta SET tree_size = ?, right_edge = ?, clock_ms = ?,"
	    " seq = ?, epoch = (SELECT coalesce(max(epoch), 0)"
	    " FROM policy_set)",
	    "ibii", (int64_t)h->edge.size, cs_tree_edge_bytes(&h->edge),
	    h->now_ms, (int64_t)h->seq);
}

/* A signed checkpoint of the present tree, and meta beside it. */
static void write_checkpoint(struct cs_history *h)
{
	uint8_t root[CS_TREE_HASH];
	CS_CLEANUP(cs_buf_done) struct cs_buf note;

	cs_buf_init(&note, CS_MAX_NOTE);
	assert_true(cs_tree_edge_root(h->hash, &h->edge, root, NULL));
	assert_true(cs_note_checkpoint_sign(h->signer, h->edge.size, root,
					    &note, NULL));
	run(h, "INSERT INTO checkpoint (tree_size, note) VALUES (?, ?)", "ib",
	    (int64_t)h->edge.size, cs_buf_span(&note));
	(void)snprintf(h->checkpoint, sizeof(h->checkpoint), "%s",
		       cs_buf_str(&note));
	write_meta(h);
}

/* The leaf of a record; a request's row, or 0. */
static void write_leaf(struct cs_history *h, struct cs_leaf_record *r,
		       struct cs_span decision, int64_t request)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf entry;
	uint8_t hash[CS_TREE_HASH];
	struct cs_error err = {0};

	cs_buf_init(&entry, CS_MAX_LEAF);
	if (!cs_leaf_entry_write(h->hash, decision, r, &entry, &err))
		fail_msg("%s", err.text);
	assert_true(
		cs_tree_leaf_hash(h->hash, cs_buf_span(&entry), hash, NULL));
	assert_true(cs_tree_edge_append(h->hash, &h->edge, hash, NULL));
	if (h->next_size < h->edge.size)
		h->next_size = h->edge.size;
	run(h,
	    "INSERT INTO leaf (idx, hash, kind, at_ms, tree_size, request,"
	    " answer_version, entry) VALUES (?, ?, ?, ?, ?, nullif(?, 0), 1,"
	    " ?)",
	    "ibiiiib", (int64_t)r->index, cs_span_make(hash, sizeof(hash)),
	    (int64_t)r->kind, r->at_ms, (int64_t)h->next_size, request,
	    cs_buf_span(&entry));
	if (h->next_size == h->edge.size)
		write_checkpoint(h);
}

/* A record at the next index, a little later than the last. */
void cs_history_begin(struct cs_history *h, struct cs_leaf_record *r,
		      enum cs_leaf_kind kind)
{
	h->now_ms += 1000;
	cs_leaf_record_init(r, kind, h->edge.size, h->now_ms);
}

void cs_history_act(struct cs_history *h, enum cs_leaf_kind kind,
		    const char *decision)
{
	struct cs_leaf_record r;

	cs_history_begin(h, &r, kind);
	r.client = CLIENT_LOCAL;
	r.client_name = CS_SPAN_LIT("_local");
	r.credential = 1;
	r.uid = 0;
	write_leaf(h, &r, cs_span_str(decision), 0);
}

/* The leaf of an act that left rows. */
void cs_history_act_write(struct cs_history *h, struct cs_leaf_record *r,
			  const char *decision, const struct cs_buf *rows)
{
	r->client = CLIENT_LOCAL;
	r->client_name = CS_SPAN_LIT("_local");
	r->credential = 1;
	r->uid = 0;
	r->rows = cs_buf_span(rows);
	write_leaf(h, r, cs_span_str(decision), 0);
}

/* A client with one credential of that number, which may be a token. */
static void add_client(struct cs_history *h, int64_t id, const char *name,
		       const char *token)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf rows;
	struct cs_leaf_record r;
	char decision[200];
	uint8_t d[32];

	cs_buf_init(&rows, CS_ROWS_MAX);
	cs_history_begin(h, &r, CS_LEAF_CLIENT_CHANGED);
	run(h,
	    "INSERT INTO client (id, name, realm, rights, issuers, namespaces,"
	    " groups, created_ms, removed_ms, leaf) VALUES (?, ?, 'corp',"
	    " '[\"submit\"]', '[\"default\"]', '[\"web\"]', '[\"g\"]', ?, ?,"
	    " ?)",
	    "isiii", id, name, h->now_ms, h->now_ms + 1, (int64_t)h->edge.size);
	if (token == NULL)
		run(h,
		    "INSERT INTO credential (id, client, kind, created_ms)"
		    " VALUES (?, ?, 'peer', ?)",
		    "iii", id, id, h->now_ms);
	else
		run(h,
		    "INSERT INTO credential (id, client, kind, token_id,"
		    " digest, created_ms, expires_ms, revoked_ms)"
		    " VALUES (?, ?, 'token', ?, ?, ?, 5, 6)",
		    "iisbi", id, id, token,
		    cs_span_make(digest(h, token, 0, d), 32), h->now_ms);
	assert_true(cs_rows_client(h->db, h->hash, (uint64_t)id, &rows, NULL));
	(void)snprintf(decision, sizeof(decision),
		       "{\"name\":\"%s\",\"op\":\"add\"}", name);
	cs_history_act_write(h, &r, decision, &rows);
}

/* A TBS as far as it is looked into: version, serial, algorithm. */
static const uint8_t ca_tbs[] = {0x30, 0x14, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02,
				 0x01, 0x5b, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
				 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t ca_serial[] = {0x5b};

/* base/terms.h: CS_TERM_ISSUER, its length, the name. */
static const uint8_t ca_terms[] = {
	CS_TERM_ISSUER, 7, 0, 0, 0, 'd', 'e', 'f', 'a', 'u', 'l', 't'};

/* The CA's certificate: TBS, the algorithm in it, and words. */
static void write_ca_certificate(struct cs_buf *out)
{
	size_t mark = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_der_write_raw(out, cs_span_make(ca_tbs, sizeof(ca_tbs)));
	cs_der_write_raw(out, cs_span_make(sig_alg, sizeof(sig_alg)));
	cs_der_write_bit_string_octets(out, CS_SPAN_LIT("root"));
	cs_der_write_end(out, mark);
}

/* The CA's certificate as an attempt without a request. */
static void write_ca_attempt(struct cs_history *h,
			     const struct cs_leaf_record *r)
{
	run(h,
	    "INSERT INTO attempt (seq, issuer, serial, spki, subject_key,"
	    " now_ms, epoch, not_after_s, tbs, body, terms, inputs, limits)"
	    " VALUES (?, 1, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, x'')",
	    "ibbbiibbbb", (int64_t)r->seq, r->serial,
	    cs_span_make(r->spki_sha256, 32), cs_span_make(r->subject_key, 32),
	    r->now_ms, r->not_after_s, r->tbs, r->body, r->terms, r->inputs);
	run(h, "INSERT INTO key_use (spki, subject_key, seq) VALUES (?, ?, ?)",
	    "bbi", cs_span_make(r->spki_sha256, 32),
	    cs_span_make(r->subject_key, 32), (int64_t)r->seq);
	run(h, "INSERT INTO outcome (seq, signature, leaf) VALUES (?, ?, ?)",
	    "ibi", (int64_t)r->seq, CS_SPAN_LIT("root"), (int64_t)r->index);
}

/* The issuer `default`. */
static void add_issuer(struct cs_history *h)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf rows;
	struct cs_leaf_record r;
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	uint8_t d[32];
	uint8_t subject[32];

	cs_buf_init(&rows, CS_ROWS_MAX);
	cs_history_begin(h, &r, CS_LEAF_CA_CREATED);
	run(h,
	    "INSERT INTO issuer (id, name, generation, sha256, chain, ca,"
	    " sig_alg, crl_base, crl_shards, created_ms, leaf) VALUES (1,"
	    " 'default', 1, ?, ?, ?, ?, 'http://crl.example/', 4, ?, ?)",
	    "bbbbii", cs_span_make(digest(h, "issuer", 0, d), 32),
	    CS_SPAN_LIT("-----BEGIN CERTIFICATE-----\nissuer chain, longer "
			"than sixty-four octets in all\n"),
	    CS_SPAN_LIT("root"), cs_span_make(sig_alg, sizeof(sig_alg)),
	    h->now_ms, (int64_t)h->edge.size);
	assert_true(cs_rows_issuer(h->db, h->hash, ISSUER, &rows, NULL));
	cs_buf_init(&der, 1000);
	write_ca_certificate(&der);
	r.seq = ++h->seq;
	r.serial = cs_span_make(ca_serial, sizeof(ca_serial));
	r.spki_sha256 = digest(h, "ca spki", 0, d);
	r.subject_key = digest(h, "ca subject", 0, subject);
	r.now_ms = h->now_ms;
	r.not_after_s = h->now_ms / 1000 + 86400;
	r.tbs = cs_span_make(ca_tbs, sizeof(ca_tbs));
	r.body = CS_SPAN_LIT("{}");
	r.terms = cs_span_make(ca_terms, sizeof(ca_terms));
	r.inputs = CS_SPAN_LIT("{}");
	r.certificate = cs_buf_span(&der);
	r.issuer = ISSUER;
	r.issuer_name = CS_SPAN_LIT("default");
	r.generation = 1;
	cs_history_act_write(h, &r, "{\"issuer\":\"default\"}", &rows);
	write_ca_attempt(h, &r);
	run(h, "UPDATE meta SET seq = ?", "i", (int64_t)h->seq);
}

/* A policy set of two sources. */
static void add_policy(struct cs_history *h)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf rows;
	struct cs_leaf_record r;
	uint8_t d[32];
	uint8_t set[32];

	cs_buf_init(&rows, CS_ROWS_MAX);
	cs_history_begin(h, &r, CS_LEAF_POLICY_APPLIED);
	digest(h, set_name, 0, set);
	for (int64_t n = 1; n <= 2; n++)
		run(h,
		    "INSERT INTO policy_source (n, sha256, name, bytes)"
		    " VALUES (?, ?, ?, ?)",
		    "ibsb", n,
		    cs_span_make(digest(h, "source", (uint64_t)n, d), 32),
		    n == 1 ? "default.yaml" : "web.yaml",
		    CS_SPAN_LIT("policy: default\n"));
	run(h,
	    "INSERT INTO policy_set (epoch, set_sha256, engine, applied_ms,"
	    " leaf) VALUES (1, ?, 'countersign 0.1.0', ?, ?)",
	    "bii", cs_span_make(set, 32), h->now_ms, (int64_t)h->edge.size);
	run(h,
	    "INSERT INTO policy_set_source (epoch, n, source)"
	    " VALUES (1, 0, 1), (1, 1, 2)",
	    "");
	assert_true(cs_rows_policy_set(h->db, h->hash, EPOCH, &rows, NULL));
	r.epoch = EPOCH;
	r.set_sha256 = set;
	cs_history_act_write(h, &r, "{\"set_sha256\":\"\"}", &rows);
}

void cs_history_open(struct cs_history *h)
{
	struct cs_installation in = {.origin = origin,
				     .now_ms = CS_HISTORY_START_MS * 1000LL};
	struct cs_db_config config = {.path = h->path};
	struct cs_error err = {0};
	uint8_t id[16] = {7};
	int ends[2];

	*h = (struct cs_history){.now_ms = in.now_ms};
	strcpy(h->dir, "/tmp/cs-history-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	(void)snprintf(h->path, sizeof(h->path), "%s/ledger.db", h->dir);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], pem, sizeof(pem) - 1), sizeof(pem) - 1);
	close(ends[1]);
	h->signer = cs_note_signer_new(ends[0], origin, NULL);
	close(ends[0]);
	h->hash = cs_hash_new(NULL);
	assert_true(h->signer != NULL && h->hash != NULL);
	in.id = id;
	in.log_key = cs_note_signer_verifier(h->signer)->public_key;
	if (!cs_store_create(&config, &in, &err))
		fail_msg("%s", err.text);
	h->db = cs_db_open(&config, CS_DB_WRITE, &err);
	if (h->db == NULL)
		fail_msg("%s", err.text);
	cs_tree_edge_init(&h->edge);
	assert_true(cs_db_begin(h->db, NULL));
	add_client(h, CLIENT_LOCAL, "_local", NULL);
	add_client(h, CLIENT_HOUSE, "_house", NULL);
	add_client(h, CLIENT_PORTAL, "portal", "0badcafe");
	add_issuer(h);
	add_policy(h);
	assert_true(cs_db_commit(h->db, NULL));
}

void cs_history_close(struct cs_history *h)
{
	cs_db_close(h->db);
	h->db = NULL;
}

void cs_history_done(struct cs_history *h)
{
	static const char *const files[] = {"ledger.db", "ledger.db-wal",
					    "ledger.db-shm"};
	char path[100];

	cs_history_close(h);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", h->dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(h->dir);
	cs_note_signer_free(h->signer);
	cs_hash_free(h->hash);
}

void cs_history_batch(struct cs_history *h, uint64_t size)
{
	h->next_size = size;
}

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
	memcpy(m->id, digest(h, "id", n, d), 16);
	digest(h, "fingerprint", n, m->fingerprint);
	digest(h, set_name, 0, m->set);
	(void)snprintf(m->csr, sizeof(m->csr), "the CSR of %s", q->name);
	(void)snprintf(m->scalars, sizeof(m->scalars),
		       "{\"issuer\":\"default\",\"requester\":\"%s\"}",
		       q->requester);
	m->r.client = CLIENT_PORTAL;
	m->r.client_name = CS_SPAN_LIT("portal");
	m->r.credential = CLIENT_PORTAL;
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
		.client = CLIENT_LOCAL,
		.client_name = CS_SPAN_LIT("_local"),
		.credential = CLIENT_LOCAL,
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
	m->r.epoch = EPOCH;
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
	memcpy(m->serial + 1, digest(h, "serial", h->seq, d), 16);
	m->serial[0] = 0x5b;
	digest(h, "spki", (uint64_t)h->requests, m->spki);
	digest(h, "subject", (uint64_t)h->requests, m->subject_key);
	(void)snprintf(m->tbs, sizeof(m->tbs), "the TBS of attempt %llu",
		       (unsigned long long)h->seq);
	cs_buf_init(&m->limits, 1000);
	cs_limit_put(&m->limits, &limit);
	m->r.issuer = ISSUER;
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

	run(h,
	    "INSERT INTO request (n, id, client, credential, uid, realm,"
	    " source, idem_key, fingerprint, received_ms, flags, issuer,"
	    " scalars, csr, state, expires_ms, hold, not_before_ms,"
	    " pending_body, pending_terms, leaf) VALUES (?, ?, ?, ?, ?, 'corp',"
	    " 'api', ?, ?, ?, ?, 'default', ?, ?, ?, nullif(?, 0), ?,"
	    " nullif(?, 0), nullif(?, x''), nullif(?, x''), nullif(?, -1))",
	    "ibiiisbiibbsisibbi", h->requests, cs_span_make(m->id, 16),
	    (int64_t)r->client, (int64_t)r->credential, r->uid,
	    text_or_null(r->idem_key, key, sizeof(key)),
	    cs_span_make(m->fingerprint, 32), r->received_ms, (int64_t)r->flags,
	    r->scalars, r->csr, state, r->expires_ms,
	    text_or_null(r->hold, hold, sizeof(hold)), r->not_before_ms,
	    r->pending_body, r->pending_terms, leaf);
	if (a->client != 0)
		run(h,
		    "INSERT INTO approval (request, client, credential, uid,"
		    " binds, at_ms, denies, self, claimed_by, reason, message)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'bob', 'Reviewed',"
		    " 'ticket 4711')",
		    "iiiibiii", h->requests, (int64_t)a->client,
		    (int64_t)a->credential, a->uid, cs_span_make(a->binds, 32),
		    a->at_ms, (int64_t)a->denies, (int64_t)a->self);
	return h->requests;
}

/* The attempt's rows. */
static void write_attempt(struct cs_history *h, const struct made *m,
			  int64_t request)
{
	const struct cs_leaf_record *r = &m->r;

	run(h,
	    "INSERT INTO attempt (seq, request, issuer, serial, spki,"
	    " subject_key, now_ms, epoch, not_after_s, tbs, body, terms,"
	    " inputs, limits) VALUES (?, ?, 1, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?,"
	    " ?)",
	    "iibbbiibbbbb", (int64_t)r->seq, request, r->serial,
	    cs_span_make(m->spki, 32), cs_span_make(m->subject_key, 32),
	    r->now_ms, r->not_after_s, r->tbs, r->body, r->terms, r->inputs,
	    r->limits);
	run(h, "INSERT INTO key_use (spki, subject_key, seq) VALUES (?, ?, ?)",
	    "bbi", cs_span_make(m->spki, 32), cs_span_make(m->subject_key, 32),
	    (int64_t)r->seq);
	run(h,
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
	cs_der_write_raw(&m->der, cs_span_make(sig_alg, sizeof(sig_alg)));
	cs_der_write_bit_string_octets(&m->der, signature);
	cs_der_write_end(&m->der, mark);
	m->r.certificate = cs_buf_span(&m->der);
	write_leaf(h, &m->r, m->r.body, request);
	run(h, "INSERT INTO outcome (seq, signature, leaf) VALUES (?, ?, ?)",
	    "ibi", (int64_t)m->r.seq, signature, (int64_t)index);
	run(h, "UPDATE meta SET seq = ?", "i", (int64_t)h->seq);
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
	write_leaf(h, &m.r, m.r.body, n);
	run(h,
	    "INSERT INTO refusal (leaf, request, now_ms, epoch, body, terms,"
	    " inputs) VALUES (?, ?, ?, 1, ?, ?, ?)",
	    "iiibbb", (int64_t)index, n, m.r.now_ms, m.r.body, m.r.terms,
	    m.r.inputs);
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
	write_leaf(h, &r, r.body, n);
	run(h, "INSERT INTO outcome (seq, signature, leaf) VALUES (?, NULL, ?)",
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
	r.client = CLIENT_PORTAL;
	r.client_name = CS_SPAN_LIT("portal");
	r.credential = CLIENT_PORTAL;
	r.uid = 1000;
	r.issuer = ISSUER;
	r.issuer_name = CS_SPAN_LIT("default");
	r.generation = 1;
	r.seq = seq;
	r.reason = reason;
	r.body = cs_span_str(body);
	r.terms = cs_buf_span(&terms);
	run(h,
	    "INSERT INTO revocation (seq, issuer, shard, serial, not_after_s,"
	    " at_ms, reason, client, credential, uid, body, terms, leaf)"
	    " VALUES (?, 1, ?, ?, ?, ?, ?, 3, 3, 1000, ?, ?, ?)",
	    "iibiiibbi", (int64_t)seq, (int64_t)cs_revoke_shard(r.serial, 4),
	    r.serial, r.not_after_s, r.at_ms, (int64_t)reason, r.body, r.terms,
	    (int64_t)r.index);
	write_leaf(h, &r, r.body, 0);
	assert_true(cs_db_commit(h->db, NULL));
}

void cs_history_file_terms(struct cs_history *h)
{
	struct cs_stmt s;
	bool row = false;

	assert_true(cs_db_begin(h->db, NULL));
	s = cs_stmt_text(h->db,
			 "SELECT l.idx, coalesce(a.terms, f.terms, v.terms),"
			 " l.kind FROM leaf"
			 " AS l LEFT JOIN outcome AS o ON o.leaf = l.idx"
			 " LEFT JOIN attempt AS a ON a.seq = o.seq"
			 " LEFT JOIN refusal AS f ON f.leaf = l.idx"
			 " LEFT JOIN revocation AS v ON v.leaf = l.idx"
			 " WHERE l.kind <= 4 OR l.kind IN (6, 14)");
	while (cs_stmt_step(&s, &row, NULL) && row) {
		struct cs_span terms = cs_stmt_col(&s, 1);
		struct cs_span value;
		uint8_t field;

		while (cs_terms_next(&terms, &field, &value, NULL)) {
			if (!cs_leaf_files_term(
				    (enum cs_leaf_kind)cs_stmt_col_int(&s, 2),
				    field))
				continue;
			run(h,
			    "INSERT OR IGNORE INTO term (field, value, leaf)"
			    " VALUES (?, ?, ?)",
			    "ibi", (int64_t)field, value,
			    cs_stmt_col_int(&s, 0));
		}
	}
	cs_stmt_end(&s);
	run(h, "UPDATE meta SET terms_done = tree_size", "");
	assert_true(cs_db_commit(h->db, NULL));
}

void cs_history_make(struct cs_history *h)
{
	cs_history_open(h);
	cs_history_act(h, CS_LEAF_START,
		       "{\"config_sha256\":\"00000000000000000000000000000000"
		       "00000000000000000000000000000000\",\"created_ms\":"
		       "1700000000000,\"installation\":"
		       "\"07000000000000000000000000000000\"}");
	cs_history_issue(
		h, &(struct cs_history_request){.name = "www.shop.corp.example",
						.requester = "alice",
						.key = "k-1",
						.approved = 1,
						.changed = 1});
	cs_history_batch(h, 9);
	cs_history_refuse(
		h, CS_LEAF_REFUSED,
		&(struct cs_history_request){.name = "pay.other.example",
					     .requester = "alice",
					     .code = "REFUSED"});
	cs_history_refuse(
		h, CS_LEAF_DENIED,
		&(struct cs_history_request){.name = "b.shop.corp.example",
					     .requester = "bert",
					     .key = "k-2",
					     .code = "DENIED"});
	cs_history_refuse(
		h, CS_LEAF_EXPIRED,
		&(struct cs_history_request){.name = "c.shop.corp.example",
					     .requester = "carl",
					     .code = "EXPIRED"});
	cs_history_abandon_and_issue(
		h, &(struct cs_history_request){.name = "*.shop.corp.example",
						.requester = "alice",
						.key = "k-3"});
	cs_history_file_terms(h);
	cs_history_issue(
		h, &(struct cs_history_request){.name = "shop.corp.example",
						.requester = "dora",
						.key = "k-4",
						.approved = 1});
	cs_history_act(h, CS_LEAF_STOP, "{}");
}
