#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/der.h"
#include "base/file.h"
#include "base/json.h"
#include "base/terms.h"
#include "store/ledger_room.h"
#include "store/rows.h"

/* The one row of meta. The log's key must be the one that began it. */
static bool meta_load(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_META_GET);
	char origin[CS_MAX_ORIGIN + 1];
	uint8_t key[32];
	struct cs_span text;
	bool row = false;
	bool ok;

	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return cs_error_set(err, CS_E_DB_CORRUPT, "meta: no row");
	text = cs_stmt_col(&s, 0);
	ok = text.n <= CS_MAX_ORIGIN && cs_stmt_col_fixed(&s, 1, key, 32) &&
	     cs_stmt_col_fixed(&s, 8, l->config_sha256, 32);
	(void)snprintf(origin, sizeof(origin), "%.*s", CS_SPAN_FMT(text));
	l->epoch = (uint64_t)cs_stmt_col_int(&s, 2);
	l->seq = (uint64_t)cs_stmt_col_int(&s, 3);
	l->terms_done = (uint64_t)cs_stmt_col_int(&s, 6);
	l->clock_ms = cs_stmt_col_int(&s, 7);
	ok = ok && cs_tree_edge_read((uint64_t)cs_stmt_col_int(&s, 4),
				     cs_stmt_col(&s, 5), &l->edge, err);
	cs_stmt_end(&s);
	if (!ok)
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "meta: a column is damaged");
	l->signer_of_notes =
		cs_note_signer_new(l->config.log_key_fd, origin, err);
	(void)close(l->config.log_key_fd);
	if (l->signer_of_notes == NULL)
		return false;
	if (memcmp(cs_note_signer_verifier(l->signer_of_notes)->public_key, key,
		   sizeof(key)) != 0)
		return cs_error_set(err, CS_E_KEY,
				    "log.key: not the key of this log");
	return true;
}

/* How many subtrees' roots are filed. */
static bool subtrees_read(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_SUBTREE_NEXT);
	bool row = false;

	if (!cs_stmt_step(&s, &row, err))
		return false;
	l->subtrees = row ? (uint64_t)cs_stmt_col_int(&s, 0) : 0;
	cs_stmt_end(&s);
	return true;
}

/* The last checkpoint's root must follow from the right edge. */
static bool edge_check(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CHECKPOINT_LAST);
	struct cs_checkpoint last = {0};
	uint8_t root[CS_TREE_HASH];
	bool row = false;
	bool ok = true;

	if (!cs_tree_edge_root(l->hash, &l->edge, root, err) ||
	    !cs_stmt_step(&s, &row, err))
		return false;
	if (row) {
		cs_buf_reset(&l->note);
		cs_buf_add(&l->note, cs_stmt_col(&s, 1));
		ok = cs_note_checkpoint_open(
			cs_note_signer_verifier(l->signer_of_notes),
			cs_buf_span(&l->note), &last, err);
	}
	cs_stmt_end(&s);
	if (!ok)
		return false;
	if (last.size != l->edge.size ||
	    (row && memcmp(last.root, root, sizeof(root)) != 0))
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "the log's right edge and its last "
				    "checkpoint contradict each other; run "
				    "countersign audit verify");
	return true;
}

/* Is there a checkpoint of ours of this size with this root? */
static bool checkpoint_is_ours(struct cs_ledger *l,
			       const struct cs_checkpoint *outside,
			       bool *ret_ours, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CHECKPOINT_AT);
	struct cs_checkpoint ours;
	bool row = false;

	cs_stmt_int(&s, (int64_t)outside->size);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	*ret_ours = row &&
		    cs_note_checkpoint_open(
			    cs_note_signer_verifier(l->signer_of_notes),
			    cs_stmt_col(&s, 0), &ours, NULL) &&
		    memcmp(ours.root, outside->root, sizeof(ours.root)) == 0;
	cs_stmt_end(&s);
	return true;
}

/*
 * The note outside, in l->json, is not of our past: nothing is appended from
 * here on, unless an operator has accepted exactly this note.
 */
static void split(struct cs_ledger *l, const char *why)
{
	if (cs_ledger_restore_accepts(l, cs_buf_span(&l->json))) {
		cs_log_write(l->config.log, CS_LOG_WARNING,
			     "log.split_accepted", "%s", why);
		l->note_unwritten = true;
		return;
	}
	l->split = true;
	l->note_unwritten = false;
	(void)snprintf(l->reason, sizeof(l->reason), "%s", why);
	cs_log_write(l->config.log, CS_LOG_ERROR, "log.split", "%s", why);
}

/* Compare with DIR/checkpoint: an older or other database must not go on. */
static bool outside_check(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_checkpoint outside;
	struct cs_error why = {0};
	bool ours = false;
	char *path = cs_arena_printf(&l->arena, "%s/checkpoint", l->config.dir);

	if (path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "checkpoint");
	cs_buf_reset(&l->json);
	if (!cs_file_read(path, &l->json, &why)) {
		if (why.code != CS_E_NOT_FOUND)
			return cs_error_set(err, why.code, "%s", why.text);
		if (l->edge.size > 0)
			cs_log_write(l->config.log, CS_LOG_WARNING,
				     "checkpoint.missing",
				     "%s is not there: written anew", path);
		l->note_unwritten = l->edge.size > 0;
		return true;
	}
	if (!cs_note_checkpoint_open(
		    cs_note_signer_verifier(l->signer_of_notes),
		    cs_buf_span(&l->json), &outside, &why)) {
		split(l, "the checkpoint outside is not one of this log");
		return true;
	}
	if (outside.size > l->edge.size) {
		split(l, "the checkpoint outside is newer than the log");
		return true;
	}
	if (!checkpoint_is_ours(l, &outside, &ours, err))
		return false;
	l->note_unwritten = outside.size < l->edge.size;
	if (!ours && outside.size > 0)
		split(l, "the checkpoint outside is of another log");
	return true;
}

bool cs_ledger_load(struct cs_ledger *l, struct cs_error *err)
{
	if (!meta_load(l, err) || !subtrees_read(l, err) ||
	    !edge_check(l, err) || !cs_ledger_restore_load(l, err) ||
	    !outside_check(l, err) || !cs_ledger_set_load(l, err))
		return false;
	l->roster = cs_roster_new(l->db, err);
	return l->roster != NULL;
}

/* -- issuers ------------------------------------------------------------ */

/* What is recorded of a CA's own certificate. All borrowed from its DER. */
struct ca_fields {
	struct cs_span tbs, serial, subject, spki, signature;
	int64_t not_after_s;
};

/* RFC 5280 4.1.2, as far as it is needed; OpenSSL has read it before. */
static bool ca_tbs_read(struct cs_der *tbs, struct ca_fields *f,
			struct cs_error *err)
{
	struct cs_der validity, version;
	struct cs_span skip;
	bool there = false;
	int64_t from;

	return cs_der_enter_optional(tbs, CS_DER_CONTEXT_CONSTRUCTED(0),
				     "version", &version, &there, err) &&
	       cs_der_integer(tbs, "serialNumber", &f->serial, err) &&
	       cs_der_element(tbs, CS_DER_SEQUENCE, "signature", &skip, NULL,
			      err) &&
	       cs_der_element(tbs, CS_DER_SEQUENCE, "issuer", &skip, NULL,
			      err) &&
	       cs_der_enter(tbs, CS_DER_SEQUENCE, "validity", &validity, err) &&
	       cs_der_time(&validity, "notBefore", &from, err) &&
	       cs_der_time(&validity, "notAfter", &f->not_after_s, err) &&
	       cs_der_element(tbs, CS_DER_SEQUENCE, "subject", &skip,
			      &f->subject, err) &&
	       cs_der_element(tbs, CS_DER_SEQUENCE, "subjectPublicKeyInfo",
			      &skip, &f->spki, err);
}

/* RFC 5280 4.1: TBS, algorithm, signature. */
static bool ca_read(struct cs_span der, struct ca_fields *f,
		    struct cs_error *err)
{
	struct cs_der r = cs_der_reader(der);
	struct cs_der cert, tbs;
	struct cs_span content, skip;

	if (!cs_der_enter(&r, CS_DER_SEQUENCE, "Certificate", &cert, err) ||
	    !cs_der_element(&cert, CS_DER_SEQUENCE, "tbsCertificate", &content,
			    &f->tbs, err) ||
	    !cs_der_element(&cert, CS_DER_SEQUENCE, "signatureAlgorithm", &skip,
			    NULL, err) ||
	    !cs_der_bit_string_octets(&cert, "signature", &f->signature, err))
		return false;
	tbs = cs_der_reader(content);
	if (!ca_tbs_read(&tbs, f, err))
		return false;
	/* A sign octet is the encoding's, not the number's. */
	if (f->serial.n > 1 && f->serial.p[0] == 0)
		f->serial = cs_span_sub(f->serial, 1, f->serial.n);
	return true;
}

/* The issuer's row. */
static bool issuer_insert(struct cs_ledger *l, struct cs_ledger_issuer_row *row,
			  const uint8_t sha256[32], uint64_t leaf,
			  struct cs_error *err)
{
	const struct cs_ledger_issuer *c = row->config;
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_ISSUER_LAST_GENERATION);
	bool there = false;

	cs_stmt_str(&s, cs_span_str(c->name));
	if (!cs_stmt_step(&s, &there, err))
		return false;
	row->generation = (there ? (uint64_t)cs_stmt_col_int(&s, 0) : 0) + 1;
	s = cs_stmt(l->db, CS_SQL_ISSUER_INSERT);
	cs_stmt_str(&s, cs_span_str(c->name));
	cs_stmt_int(&s, (int64_t)row->generation);
	cs_stmt_blob(&s, cs_span_make(sha256, 32));
	cs_stmt_blob(&s, c->chain);
	cs_stmt_blob(&s, c->ca);
	cs_stmt_blob(&s, c->sig_alg);
	cs_stmt_str_or_null(&s, cs_span_str(c->crl_base));
	cs_stmt_int(&s, c->crl_shards == 0 ? 1 : c->crl_shards);
	cs_stmt_int(&s, l->batch.now_ms);
	cs_stmt_int(&s, (int64_t)leaf);
	if (!cs_stmt_run(&s, err))
		return false;
	row->id = cs_db_last_row(l->db);
	row->chain = c->chain;
	row->ca = c->ca;
	row->sig_alg = c->sig_alg;
	return true;
}

/* The CA's own certificate as an attempt: its serial joins the others. */
static bool ca_attempt_insert(struct cs_ledger *l, struct cs_draft *d,
			      struct cs_error *err)
{
	struct cs_leaf_record *rec = &d->rec;
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_ATTEMPT_INSERT);
	struct cs_span none = cs_span_make(NULL, 0);

	cs_stmt_int(&s, (int64_t)rec->seq);
	cs_stmt_null(&s);
	cs_stmt_int(&s, (int64_t)rec->issuer);
	cs_stmt_blob(&s, rec->serial);
	cs_stmt_blob(&s, cs_span_make(rec->spki_sha256, 32));
	cs_stmt_blob(&s, cs_span_make(rec->subject_key, 32));
	cs_stmt_int(&s, rec->now_ms);
	cs_stmt_int(&s, (int64_t)rec->epoch);
	cs_stmt_int(&s, rec->not_after_s);
	cs_stmt_blob(&s, rec->tbs);
	cs_stmt_blob(&s, rec->body);
	cs_stmt_blob(&s, rec->terms);
	cs_stmt_blob(&s, rec->inputs);
	cs_stmt_blob(&s, none);
	if (!cs_stmt_run(&s, err))
		return false;
	s = cs_stmt(l->db, CS_SQL_KEY_USE_INSERT);
	cs_stmt_blob(&s, cs_span_make(rec->spki_sha256, 32));
	cs_stmt_blob(&s, cs_span_make(rec->subject_key, 32));
	cs_stmt_int(&s, (int64_t)rec->seq);
	return cs_stmt_run(&s, err);
}

/* By what its creation is found: the issuer's name. */
static bool ca_terms(struct cs_ledger *l, struct cs_leaf_record *rec,
		     struct cs_error *err)
{
	struct cs_terms terms;

	cs_terms_init(&terms, &l->batch.arena);
	cs_buf_reset(&l->json);
	if (!cs_terms_add(&terms, CS_TERM_ISSUER, rec->issuer_name))
		return cs_error_set(err, CS_E_NO_MEMORY, "issuer");
	cs_terms_encode(&terms, &l->json);
	return cs_ledger_act_keep(l, NULL, &rec->terms, err);
}

/* Row, attempt and leaf of a CA certificate that was never seen before. */
static bool issuer_created(struct cs_ledger *l,
			   struct cs_ledger_issuer_row *row,
			   const uint8_t sha256[32], struct cs_error *err)
{
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_CA_CREATED, err);
	uint8_t *digests = cs_arena_new(&l->batch.arena, 64);
	struct ca_fields f = {0};
	struct cs_json j;

	if (d == NULL || digests == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "issuer");
	if (!ca_read(row->config->certificate, &f, err) ||
	    !cs_hash_sha256(l->hash, f.spki, digests, err) ||
	    !cs_hash_sha256(l->hash, f.subject, digests + 32, err) ||
	    !issuer_insert(l, row, sha256, d->rec.index, err))
		return cs_error_prefix(err, "issuer %s", row->config->name);
	d->row = CS_DRAFT_OUTCOME;
	d->signature = f.signature;
	d->rec.issuer = (uint64_t)row->id;
	d->rec.issuer_name = cs_span_str(row->config->name);
	d->rec.generation = row->generation;
	d->rec.now_ms = l->batch.now_ms;
	d->rec.seq = ++l->batch.seq;
	d->rec.serial = f.serial;
	d->rec.spki_sha256 = digests;
	d->rec.subject_key = digests + 32;
	d->rec.not_after_s = f.not_after_s;
	d->rec.tbs = f.tbs;
	d->rec.certificate = row->config->certificate;
	d->rec.body = CS_SPAN_LIT("{}");
	d->rec.inputs = CS_SPAN_LIT("{}");
	cs_buf_reset(&l->json);
	cs_json_begin(&j, &l->json);
	cs_json_object(&j);
	cs_json_member_int(&j, "generation", (int64_t)row->generation);
	cs_json_member_str(&j, "issuer", row->config->name);
	cs_json_member_hex(&j, "serial", f.serial);
	cs_json_end(&j);
	if (!cs_json_finish(&j, "issuer", err) ||
	    !cs_arena_dup(&l->batch.arena, cs_buf_span(&l->json),
			  &d->decision) ||
	    !ca_terms(l, &d->rec, err) || !ca_attempt_insert(l, d, err))
		return false;
	cs_buf_reset(&l->json);
	return cs_rows_issuer(l->db, l->hash, (uint64_t)row->id, &l->json,
			      err) &&
	       cs_arena_dup(&l->batch.arena, cs_buf_span(&l->json),
			    &d->rec.rows);
}

/* A row that is there: what certificates carry must not have changed. */
static bool issuer_compare(struct cs_ledger *l, struct cs_stmt *s,
			   struct cs_ledger_issuer_row *row,
			   struct cs_error *err)
{
	const struct cs_ledger_issuer *c = row->config;
	struct cs_span crl = cs_stmt_col(s, 3);

	if (!cs_span_equal_str(cs_stmt_col(s, 1), c->name))
		return cs_error_set(err, CS_E_CONFIG,
				    "issuer %s: this CA certificate is that "
				    "of issuer %.*s",
				    c->name, CS_SPAN_FMT(cs_stmt_col(s, 1)));
	if (!cs_span_equal(crl, cs_span_str(c->crl_base)) ||
	    cs_stmt_col_int(s, 4) != (c->crl_shards == 0 ? 1 : c->crl_shards))
		return cs_error_set(err, CS_E_CONFIG,
				    "issuer %s: CRL URL and shards are fixed "
				    "for the life of its CA certificate "
				    "(%.*s, %lld)",
				    c->name, CS_SPAN_FMT(crl),
				    (long long)cs_stmt_col_int(s, 4));
	row->id = cs_stmt_col_int(s, 0);
	row->generation = (uint64_t)cs_stmt_col_int(s, 2);
	if (!cs_arena_dup(&l->arena, cs_stmt_col(s, 5), &row->chain) ||
	    !cs_arena_dup(&l->arena, cs_stmt_col(s, 6), &row->ca) ||
	    !cs_arena_dup(&l->arena, cs_stmt_col(s, 7), &row->sig_alg))
		return cs_error_set(err, CS_E_NO_MEMORY, "issuer");
	return true;
}

/* One configured issuer: its row, made at first sight. */
static bool issuer_sync(struct cs_ledger *l, struct cs_ledger_issuer_row *row,
			struct cs_error *err)
{
	struct ca_fields f = {0};
	struct cs_stmt s;
	uint8_t sha256[32];
	bool there = false;
	bool ok = true;

	if (!cs_hash_sha256(l->hash, row->config->certificate, sha256, err) ||
	    !ca_read(row->config->certificate, &f, err))
		return cs_error_prefix(err, "issuer %s", row->config->name);
	row->not_after_s = f.not_after_s;
	s = cs_stmt(l->db, CS_SQL_ISSUER_BY_SHA256);
	cs_stmt_blob(&s, cs_span_make(sha256, sizeof(sha256)));
	if (!cs_stmt_step(&s, &there, err))
		return false;
	if (there)
		ok = issuer_compare(l, &s, row, err);
	cs_stmt_end(&s);
	if (!ok || there)
		return ok;
	if (l->split)
		return cs_error_set(err, CS_E_SPLIT,
				    "issuer %s is new, and nothing may be "
				    "recorded: %s",
				    row->config->name, l->reason);
	return issuer_created(l, row, sha256, err);
}

/* The rows that every installation has. */
static bool house_rows(struct cs_ledger *l, struct cs_error *err)
{
	static const struct {
		uint64_t id;
		const char *name;
	} rows[] = {
		{CS_ROSTER_LOCAL, "_local"},
		{CS_ROSTER_HOUSE, "_house"},
	};

	if (cs_roster_count(l->roster) > 0)
		return true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cs_client_new c = {
			.id = rows[i].id,
			.name = cs_span_str(rows[i].name),
			.rights = CS_SPAN_LIT("[\"admin\"]"),
			.issuers = CS_SPAN_LIT("[]"),
			.namespaces = CS_SPAN_LIT("[]"),
			.groups = CS_SPAN_LIT("[]"),
		};
		uint64_t id = 0;

		if (!cs_ledger_client_insert(l, &c, &id, err))
			return false;
	}
	l->batch.roster_changed = true;
	return true;
}

/* config.applied, when the configuration is another than last time. */
static bool config_record(struct cs_ledger *l, struct cs_error *err)
{
	const uint8_t *now = l->config.config_sha256;
	struct cs_draft *d;
	struct cs_json j;
	struct cs_stmt s;

	if (now == NULL || memcmp(now, l->config_sha256, 32) == 0)
		return true;
	d = cs_ledger_draft(l, CS_LEAF_CONFIG_APPLIED, err);
	if (d == NULL)
		return false;
	cs_buf_reset(&l->json);
	cs_json_begin(&j, &l->json);
	cs_json_object(&j);
	cs_json_member_hex(&j, "config_sha256", cs_span_make(now, 32));
	cs_json_end(&j);
	if (!cs_arena_dup(&l->batch.arena, cs_buf_span(&l->json), &d->decision))
		return cs_error_set(err, CS_E_NO_MEMORY, "configuration");
	s = cs_stmt(l->db, CS_SQL_META_CONFIG);
	cs_stmt_blob(&s, cs_span_make(now, 32));
	memcpy(l->config_sha256, now, 32);
	return cs_stmt_run(&s, err);
}

/* What the log says of meta's columns, so that these cannot be changed. */
static bool start_claims(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_META_CLAIMS);
	struct cs_json j;
	bool row = false;

	if (!cs_stmt_step(&s, &row, err))
		return false;
	cs_buf_reset(&l->json);
	cs_json_begin(&j, &l->json);
	cs_json_object(&j);
	if (row) {
		cs_json_member_hex(&j, "config_sha256", cs_stmt_col(&s, 0));
		cs_json_member_int(&j, "created_ms", cs_stmt_col_int(&s, 1));
	}
	cs_json_member_str(&j, "engine", l->config.engine);
	if (row)
		cs_json_member_hex(&j, "installation", cs_stmt_col(&s, 2));
	cs_json_end(&j);
	cs_stmt_end(&s);
	return cs_json_finish(&j, "start", err);
}

/* The leaf that says which engine runs from here on. */
static bool start_leaf(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_START, err);

	if (d == NULL || !start_claims(l, err))
		return false;
	if (!cs_arena_dup(&l->batch.arena, cs_buf_span(&l->json), &d->decision))
		return cs_error_set(err, CS_E_NO_MEMORY, "start");
	return true;
}

/* One generation, with its row, which has the number that the files say. */
static bool generation_sync(struct cs_ledger *l,
			    struct cs_ledger_issuer_row *row,
			    struct cs_error *err)
{
	const struct cs_ledger_issuer *c = row->config;

	if (!issuer_sync(l, row, err))
		return false;
	if (c->generation <= 1 || row->generation == c->generation)
		return true;
	return cs_error_set(err, CS_E_CONFIG,
			    "issuer %s: its files say that this CA certificate "
			    "is generation %u, the log that it is %llu",
			    c->name, c->generation,
			    (unsigned long long)row->generation);
}

bool cs_ledger_first_rows(struct cs_ledger *l, struct cs_error *err)
{
	for (size_t i = 0; i < l->older_n; i++)
		if (!generation_sync(l, &l->older[i], err))
			return false;
	for (size_t i = 0; i < l->issuers_n; i++)
		if (!generation_sync(l, &l->issuers[i], err))
			return false;
	if (l->split)
		return true;
	return house_rows(l, err) && config_record(l, err) &&
	       cs_ledger_ends_record(l, err) &&
	       cs_ledger_restore_leaf(l, err) && start_leaf(l, err);
}
