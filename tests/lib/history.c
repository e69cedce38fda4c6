#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/der.h"
#include "base/terms.h"
#include "store/migrate.h"
#include "store/rows.h"
#include "tests/lib/history_parts.h"

/* The key of tests/vectors/log/checkpoints.json. */
static const char pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIObzbqQI+9tkmmFSBUju0gYifXzD3MM/vUFas/2YQkrD\n"
	"-----END PRIVATE KEY-----\n";
static const char origin[] = "ca.example/countersign/1f0c9a2b";

void history_run(struct cs_history *h, const char *sql, const char *format, ...)
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

const uint8_t *history_digest(struct cs_history *h, const char *what,
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
	history_run(
		h,
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
	history_run(h, "INSERT INTO checkpoint (tree_size, note) VALUES (?, ?)",
		    "ib", (int64_t)h->edge.size, cs_buf_span(&note));
	(void)snprintf(h->checkpoint, sizeof(h->checkpoint), "%s",
		       cs_buf_str(&note));
	write_meta(h);
}

void history_leaf(struct cs_history *h, struct cs_leaf_record *r,
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
	history_run(
		h,
		"INSERT INTO leaf (idx, hash, kind, at_ms, tree_size, request,"
		" answer_version, entry) VALUES (?, ?, ?, ?, ?, nullif(?, 0), "
		"1,"
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
	r.client = HISTORY_CLIENT_LOCAL;
	r.client_name = CS_SPAN_LIT("_local");
	r.credential = 1;
	r.uid = 0;
	history_leaf(h, &r, cs_span_str(decision), 0);
}

/* The leaf of an act that left rows. */
void cs_history_act_write(struct cs_history *h, struct cs_leaf_record *r,
			  const char *decision, const struct cs_buf *rows)
{
	r->client = HISTORY_CLIENT_LOCAL;
	r->client_name = CS_SPAN_LIT("_local");
	r->credential = 1;
	r->uid = 0;
	r->rows = cs_buf_span(rows);
	history_leaf(h, r, cs_span_str(decision), 0);
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
	history_run(
		h,
		"INSERT INTO client (id, name, realm, rights, issuers, "
		"namespaces,"
		" groups, created_ms, removed_ms, leaf) VALUES (?, ?, 'corp',"
		" '[\"submit\"]', '[\"default\"]', '[\"web\"]', '[\"g\"]', ?, "
		"?,"
		" ?)",
		"isiii", id, name, h->now_ms, h->now_ms + 1,
		(int64_t)h->edge.size);
	if (token == NULL)
		history_run(
			h,
			"INSERT INTO credential (id, client, kind, created_ms)"
			" VALUES (?, ?, 'peer', ?)",
			"iii", id, id, h->now_ms);
	else
		history_run(
			h,
			"INSERT INTO credential (id, client, kind, token_id,"
			" digest, created_ms, expires_ms, revoked_ms)"
			" VALUES (?, ?, 'token', ?, ?, ?, 5, 6)",
			"iisbi", id, id, token,
			cs_span_make(history_digest(h, token, 0, d), 32),
			h->now_ms);
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
	cs_der_write_raw(out, CS_SPAN_LIT(HISTORY_SIG_ALG));
	cs_der_write_bit_string_octets(out, CS_SPAN_LIT("root"));
	cs_der_write_end(out, mark);
}

/* The CA's certificate as an attempt without a request. */
static void write_ca_attempt(struct cs_history *h,
			     const struct cs_leaf_record *r)
{
	history_run(
		h,
		"INSERT INTO attempt (seq, issuer, serial, spki, subject_key,"
		" now_ms, epoch, not_after_s, tbs, body, terms, inputs, limits)"
		" VALUES (?, 1, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, x'')",
		"ibbbiibbbb", (int64_t)r->seq, r->serial,
		cs_span_make(r->spki_sha256, 32),
		cs_span_make(r->subject_key, 32), r->now_ms, r->not_after_s,
		r->tbs, r->body, r->terms, r->inputs);
	history_run(
		h,
		"INSERT INTO key_use (spki, subject_key, seq) VALUES (?, ?, ?)",
		"bbi", cs_span_make(r->spki_sha256, 32),
		cs_span_make(r->subject_key, 32), (int64_t)r->seq);
	history_run(
		h,
		"INSERT INTO outcome (seq, signature, leaf) VALUES (?, ?, ?)",
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
	history_run(
		h,
		"INSERT INTO issuer (id, name, generation, sha256, chain, ca,"
		" sig_alg, crl_base, crl_shards, created_ms, leaf) VALUES (1,"
		" 'default', 1, ?, ?, ?, ?, 'http://crl.example/', 4, ?, ?)",
		"bbbbii", cs_span_make(history_digest(h, "issuer", 0, d), 32),
		CS_SPAN_LIT("-----BEGIN CERTIFICATE-----\nissuer chain, longer "
			    "than sixty-four octets in all\n"),
		CS_SPAN_LIT("root"), CS_SPAN_LIT(HISTORY_SIG_ALG), h->now_ms,
		(int64_t)h->edge.size);
	assert_true(
		cs_rows_issuer(h->db, h->hash, HISTORY_ISSUER, &rows, NULL));
	cs_buf_init(&der, 1000);
	write_ca_certificate(&der);
	r.seq = ++h->seq;
	r.serial = cs_span_make(ca_serial, sizeof(ca_serial));
	r.spki_sha256 = history_digest(h, "ca spki", 0, d);
	r.subject_key = history_digest(h, "ca subject", 0, subject);
	r.now_ms = h->now_ms;
	r.not_after_s = h->now_ms / 1000 + 86400;
	r.tbs = cs_span_make(ca_tbs, sizeof(ca_tbs));
	r.body = CS_SPAN_LIT("{}");
	r.terms = cs_span_make(ca_terms, sizeof(ca_terms));
	r.inputs = CS_SPAN_LIT("{}");
	r.certificate = cs_buf_span(&der);
	r.issuer = HISTORY_ISSUER;
	r.issuer_name = CS_SPAN_LIT("default");
	r.generation = 1;
	cs_history_act_write(h, &r, "{\"issuer\":\"default\"}", &rows);
	write_ca_attempt(h, &r);
	history_run(h, "UPDATE meta SET seq = ?", "i", (int64_t)h->seq);
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
	history_digest(h, HISTORY_SET, 0, set);
	for (int64_t n = 1; n <= 2; n++)
		history_run(h,
			    "INSERT INTO policy_source (n, sha256, name, bytes)"
			    " VALUES (?, ?, ?, ?)",
			    "ibsb", n,
			    cs_span_make(
				    history_digest(h, "source", (uint64_t)n, d),
				    32),
			    n == 1 ? "default.yaml" : "web.yaml",
			    CS_SPAN_LIT("policy: default\n"));
	history_run(
		h,
		"INSERT INTO policy_set (epoch, set_sha256, engine, applied_ms,"
		" leaf) VALUES (1, ?, 'countersign 0.1.0', ?, ?)",
		"bii", cs_span_make(set, 32), h->now_ms, (int64_t)h->edge.size);
	history_run(h,
		    "INSERT INTO policy_set_source (epoch, n, source)"
		    " VALUES (1, 0, 1), (1, 1, 2)",
		    "");
	assert_true(
		cs_rows_policy_set(h->db, h->hash, HISTORY_EPOCH, &rows, NULL));
	r.epoch = HISTORY_EPOCH;
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
	add_client(h, HISTORY_CLIENT_LOCAL, "_local", NULL);
	add_client(h, HISTORY_CLIENT_HOUSE, "_house", NULL);
	add_client(h, HISTORY_CLIENT_PORTAL, "portal", "0badcafe");
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
			history_run(h,
				    "INSERT OR IGNORE INTO term (field, value, "
				    "leaf)"
				    " VALUES (?, ?, ?)",
				    "ibi", (int64_t)field, value,
				    cs_stmt_col_int(&s, 0));
		}
	}
	cs_stmt_end(&s);
	history_run(h, "UPDATE meta SET terms_done = tree_size", "");
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
