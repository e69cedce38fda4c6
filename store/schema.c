#include "store/schema.h"

#include "store/migrate.h"

/* Refuse any change of a table's rows: what was recorded stays. */
#define APPEND_ONLY(table)                                                     \
	"CREATE TRIGGER " table "_no_update BEFORE UPDATE ON " table           \
	" BEGIN SELECT RAISE(ABORT, '" table " is append-only'); END",         \
		"CREATE TRIGGER " table "_no_delete BEFORE DELETE ON " table   \
		" BEGIN SELECT RAISE(ABORT, '" table " is append-only'); END"

const char *const cs_schema_v1[] = {
	/*
	 * One row. right_edge is the tree's (store/tree.h) at tree_size; `seq`
	 * the last attempt's; leaves below terms_done are in `term`; clock_ms
	 * is the latest time that was ever recorded; config_sha256 is of the
	 * configuration that the last config.applied leaf names.
	 */
	"CREATE TABLE meta ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" installation BLOB NOT NULL CHECK (length(installation) = 16),"
	" created_ms INTEGER NOT NULL,"
	" origin TEXT NOT NULL,"
	" log_key BLOB NOT NULL CHECK (length(log_key) = 32),"
	" epoch INTEGER NOT NULL CHECK (epoch >= 0),"
	" seq INTEGER NOT NULL CHECK (seq >= 0),"
	" tree_size INTEGER NOT NULL CHECK (tree_size >= 0),"
	" right_edge BLOB NOT NULL CHECK (length(right_edge) % 32 = 0),"
	" terms_done INTEGER NOT NULL CHECK (terms_done <= tree_size),"
	" clock_ms INTEGER NOT NULL,"
	" clock_accepted_ms INTEGER NOT NULL,"
	" config_sha256 BLOB NOT NULL CHECK (length(config_sha256) = 32)"
	") STRICT",

	/*
	 * One row for each CA certificate (generation) of an issuer. `chain`
	 * is PEM, the issuer's own certificate first; `ca` PEM of the root, or
	 * empty. sig_alg: AlgorithmIdentifier in DER of what it signs with.
	 * crl_base and crl_shards never change: certificates carry them.
	 */
	"CREATE TABLE issuer ("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),"
	" generation INTEGER NOT NULL CHECK (generation >= 1),"
	" sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),"
	" chain BLOB NOT NULL,"
	" ca BLOB NOT NULL,"
	" sig_alg BLOB NOT NULL,"
	" crl_base TEXT,"
	" crl_shards INTEGER NOT NULL CHECK (crl_shards BETWEEN 1 AND 65536),"
	" created_ms INTEGER NOT NULL,"
	" leaf INTEGER NOT NULL,"
	" UNIQUE (name, generation)"
	") STRICT",

	/*
	 * Who may speak to us. A row is a name for ever: a removed client that
	 * is added again gets its row back, with new rights and credentials.
	 * rights, issuers, namespaces, groups: JSON arrays of strings; an
	 * empty list of issuers or namespaces means all of them. `leaf` is
	 * that of the latest change, credentials included.
	 */
	"CREATE TABLE client ("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),"
	" realm TEXT NOT NULL,"
	" rights TEXT NOT NULL,"
	" issuers TEXT NOT NULL,"
	" namespaces TEXT NOT NULL,"
	" groups TEXT NOT NULL,"
	" created_ms INTEGER NOT NULL,"
	" removed_ms INTEGER,"
	" leaf INTEGER NOT NULL"
	") STRICT",
	/* kind: token (digest of the secret), cert (see version 2), peer */
	"CREATE TABLE credential ("
	" id INTEGER PRIMARY KEY,"
	" client INTEGER NOT NULL REFERENCES client (id),"
	" kind TEXT NOT NULL CHECK (kind IN ('token', 'cert', 'peer')),"
	" token_id TEXT UNIQUE,"
	" digest BLOB UNIQUE CHECK (length(digest) = 32),"
	" created_ms INTEGER NOT NULL,"
	" expires_ms INTEGER,"
	" revoked_ms INTEGER"
	") STRICT",

	/* Sources are kept once, by what they say and how they were called. */
	"CREATE TABLE policy_source ("
	" n INTEGER PRIMARY KEY,"
	" sha256 BLOB NOT NULL CHECK (length(sha256) = 32),"
	" name TEXT NOT NULL,"
	" bytes BLOB NOT NULL,"
	" UNIQUE (sha256, name)"
	") STRICT",
	"CREATE TABLE policy_set ("
	" epoch INTEGER PRIMARY KEY CHECK (epoch >= 1),"
	" set_sha256 BLOB NOT NULL CHECK (length(set_sha256) = 32),"
	" engine TEXT NOT NULL,"
	" applied_ms INTEGER NOT NULL,"
	" leaf INTEGER NOT NULL"
	") STRICT",
	"CREATE TABLE policy_set_source ("
	" epoch INTEGER NOT NULL REFERENCES policy_set (epoch),"
	" n INTEGER NOT NULL,"
	" source INTEGER NOT NULL REFERENCES policy_source (n),"
	" PRIMARY KEY (epoch, n)"
	") STRICT, WITHOUT ROWID",

	/*
	 * What somebody asked. `flags` are base/msg.h's CS_REQ_*; uid is the
	 * Unix peer's or -1. csr is DER, or the octets as received when they
	 * were no CSR. `leaf` is the terminal decision's. The states are
	 * compared one by one: for a longer IN list SQLite builds a B-tree of
	 * its own each time a row is checked.
	 */
	"CREATE TABLE request ("
	" n INTEGER PRIMARY KEY,"
	" id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
	" client INTEGER NOT NULL REFERENCES client (id),"
	" credential INTEGER NOT NULL REFERENCES credential (id),"
	" uid INTEGER NOT NULL,"
	" realm TEXT NOT NULL,"
	" source TEXT NOT NULL,"
	" idem_key TEXT CHECK (length(idem_key) > 0),"
	" fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),"
	" received_ms INTEGER NOT NULL,"
	" flags INTEGER NOT NULL,"
	" issuer TEXT NOT NULL,"
	" scalars BLOB NOT NULL,"
	" csr BLOB NOT NULL,"
	" state TEXT NOT NULL CHECK (state = 'pending' OR state = 'approved'"
	"  OR state = 'issued' OR state = 'refused' OR state = 'denied'"
	"  OR state = 'expired'),"
	" expires_ms INTEGER,"
	" hold TEXT,"
	" not_before_ms INTEGER,"
	" pending_body BLOB,"
	" pending_terms BLOB,"
	" leaf INTEGER,"
	" CHECK ((leaf IS NULL) = (state IN ('pending', 'approved')))"
	") STRICT",
	"CREATE UNIQUE INDEX request_key ON request (client, idem_key)"
	" WHERE idem_key IS NOT NULL",
	"CREATE INDEX request_open ON request (state, client)"
	" WHERE state IN ('pending', 'approved')",

	/*
	 * Who said yes (denies = 0) or no (1) to a request, on which `binds`,
	 * the request's fingerprint, was before their eyes. claimed_by is
	 * whom a gateway names.
	 */
	"CREATE TABLE approval ("
	" request INTEGER PRIMARY KEY REFERENCES request (n),"
	" client INTEGER NOT NULL REFERENCES client (id),"
	" credential INTEGER NOT NULL REFERENCES credential (id),"
	" uid INTEGER NOT NULL,"
	" binds BLOB NOT NULL CHECK (length(binds) = 32),"
	" at_ms INTEGER NOT NULL,"
	" denies INTEGER NOT NULL CHECK (denies IN (0, 1)),"
	" self INTEGER NOT NULL CHECK (self IN (0, 1)),"
	" claimed_by TEXT,"
	" reason TEXT,"
	" message TEXT"
	") STRICT",

	/*
	 * Every leaf of the log; kind is store/leaf.h's. tree_size is that of
	 * the checkpoint that covers it first; `request` whose decision it is;
	 * `entry` the leaf itself, or NULL once purged (the hash stays).
	 */
	"CREATE TABLE leaf ("
	" idx INTEGER PRIMARY KEY,"
	" hash BLOB NOT NULL CHECK (length(hash) = 32),"
	" kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 19),"
	" at_ms INTEGER NOT NULL,"
	" tree_size INTEGER NOT NULL,"
	" request INTEGER REFERENCES request (n),"
	" answer_version INTEGER NOT NULL,"
	" entry BLOB,"
	" CHECK (tree_size > idx)"
	") STRICT",

	/*
	 * One try to sign for a request. Without a request: a CA certificate
	 * of ours, so that its serial is in the same index as all others.
	 */
	"CREATE TABLE attempt ("
	" seq INTEGER PRIMARY KEY CHECK (seq >= 1),"
	" request INTEGER REFERENCES request (n),"
	" issuer INTEGER NOT NULL REFERENCES issuer (id),"
	" serial BLOB NOT NULL UNIQUE CHECK (length(serial) BETWEEN 1 AND 20),"
	" spki BLOB NOT NULL CHECK (length(spki) = 32),"
	" subject_key BLOB NOT NULL CHECK (length(subject_key) = 32),"
	" now_ms INTEGER NOT NULL,"
	" epoch INTEGER NOT NULL,"
	" not_after_s INTEGER NOT NULL,"
	" tbs BLOB NOT NULL,"
	" body BLOB NOT NULL,"
	" terms BLOB NOT NULL,"
	" inputs BLOB NOT NULL,"
	" limits BLOB NOT NULL"
	") STRICT",
	/*
	 * How it ended; signature NULL: abandoned, the serial is burnt. From a
	 * leaf to the one attempt that ended in it (a request may have
	 * abandoned ones beside it) leads the index of `leaf UNIQUE`, which
	 * grows at its end; nobody asks for a request's attempts by the
	 * request.
	 */
	"CREATE TABLE outcome ("
	" seq INTEGER PRIMARY KEY REFERENCES attempt (seq),"
	" signature BLOB,"
	" leaf INTEGER NOT NULL UNIQUE REFERENCES leaf (idx)"
	") STRICT",
	/* A request's end without a certificate. epoch 0: not by policy. */
	"CREATE TABLE refusal ("
	" leaf INTEGER PRIMARY KEY REFERENCES leaf (idx),"
	" request INTEGER NOT NULL REFERENCES request (n),"
	" now_ms INTEGER NOT NULL,"
	" epoch INTEGER NOT NULL,"
	" body BLOB NOT NULL,"
	" terms BLOB NOT NULL,"
	" inputs BLOB NOT NULL"
	") STRICT",
	"CREATE TABLE checkpoint ("
	" tree_size INTEGER PRIMARY KEY,"
	" note BLOB NOT NULL"
	") STRICT",

	/* Which keys were certified for whom, by attempt. */
	"CREATE TABLE key_use ("
	" spki BLOB NOT NULL,"
	" subject_key BLOB NOT NULL,"
	" seq INTEGER NOT NULL REFERENCES attempt (seq),"
	" PRIMARY KEY (spki, subject_key, seq)"
	") STRICT, WITHOUT ROWID",
	/* What counts against a limit: attempts that were not abandoned. */
	"CREATE TABLE limit_use ("
	" rule TEXT NOT NULL,"
	" key BLOB NOT NULL,"
	" at_ms INTEGER NOT NULL,"
	" seq INTEGER NOT NULL REFERENCES attempt (seq),"
	" PRIMARY KEY (rule, key, at_ms, seq)"
	") STRICT, WITHOUT ROWID",
	/* Search terms (base/terms.h), filled behind meta.terms_done. */
	"CREATE TABLE term ("
	" field INTEGER NOT NULL,"
	" value BLOB NOT NULL,"
	" leaf INTEGER NOT NULL,"
	" PRIMARY KEY (field, value, leaf)"
	") STRICT, WITHOUT ROWID",

	APPEND_ONLY("approval"),
	APPEND_ONLY("attempt"),
	APPEND_ONLY("outcome"),
	APPEND_ONLY("refusal"),
	APPEND_ONLY("checkpoint"),
	APPEND_ONLY("policy_source"),
	APPEND_ONLY("policy_set"),
	APPEND_ONLY("policy_set_source"),
	APPEND_ONLY("issuer"),
	/* An entry may be purged; nothing else of a leaf changes. */
	"CREATE TRIGGER leaf_no_update BEFORE UPDATE ON leaf"
	" WHEN NEW.entry IS NOT NULL OR NEW.idx <> OLD.idx"
	" OR NEW.hash <> OLD.hash OR NEW.kind <> OLD.kind"
	" OR NEW.at_ms <> OLD.at_ms OR NEW.tree_size <> OLD.tree_size"
	" OR NEW.request IS NOT OLD.request"
	" OR NEW.answer_version <> OLD.answer_version"
	" BEGIN SELECT RAISE(ABORT, 'leaf is append-only'); END",
	"CREATE TRIGGER leaf_no_delete BEFORE DELETE ON leaf"
	" BEGIN SELECT RAISE(ABORT, 'leaf is append-only'); END",
	"CREATE TRIGGER request_no_update BEFORE UPDATE OF n, id, client,"
	" credential, uid, realm, source, idem_key, fingerprint, received_ms,"
	" issuer, scalars, csr ON request"
	" BEGIN SELECT RAISE(ABORT, 'what was asked is append-only'); END",
	/* A decided request stays as it is, for ever. */
	"CREATE TRIGGER request_no_reopen BEFORE UPDATE ON request"
	" WHEN OLD.leaf IS NOT NULL"
	" BEGIN SELECT RAISE(ABORT, 'the request is decided'); END",
	"CREATE TRIGGER request_no_delete BEFORE DELETE ON request"
	" BEGIN SELECT RAISE(ABORT, 'request is append-only'); END",
	"CREATE TRIGGER client_no_rename BEFORE UPDATE OF id, name ON client"
	" BEGIN SELECT RAISE(ABORT, 'a client keeps its name'); END",
	"CREATE TRIGGER client_no_delete BEFORE DELETE ON client"
	" BEGIN SELECT RAISE(ABORT, 'clients are kept'); END",
	"CREATE TRIGGER credential_no_delete BEFORE DELETE ON credential"
	" BEGIN SELECT RAISE(ABORT, 'credentials are kept'); END",
	"CREATE TRIGGER meta_no_delete BEFORE DELETE ON meta"
	" BEGIN SELECT RAISE(ABORT, 'meta has one row'); END",
};

const size_t cs_schema_v1_n = sizeof(cs_schema_v1) / sizeof(cs_schema_v1[0]);

/* From version 1 to version 2. */
static const char *const to_v2[] = {
	/* What expires when; acts of administration among the decisions. */
	"CREATE INDEX attempt_not_after ON attempt (not_after_s)"
	" WHERE request IS NOT NULL",
	"CREATE INDEX leaf_act ON leaf (kind) WHERE kind > 4",
	/*
	 * Roots of complete subtrees of 256 leaves, from leaf n * 256 on, so
	 * that proofs and tiles need not read every leaf. Filled behind the
	 * leaves, as the search terms are.
	 */
	"CREATE TABLE subtree ("
	" n INTEGER PRIMARY KEY CHECK (n >= 0),"
	" hash BLOB NOT NULL CHECK (length(hash) = 32)"
	") STRICT",
	/* Serials and keys of certificates: attempt and key_use find them. */
	"DELETE FROM term WHERE field IN (17, 18) AND leaf IN"
	" (SELECT leaf FROM outcome WHERE signature IS NOT NULL)",
	/*
	 * A credential of kind cert names a client certificate: the one with
	 * this fingerprint (SHA-256 of its DER), or whichever the certificate
	 * `ca` (DER) has issued, with the alternative name `san` ("dns:..." or
	 * "uri:...") or, when that is NULL, with any.
	 */
	"ALTER TABLE credential ADD COLUMN"
	" fingerprint BLOB CHECK (length(fingerprint) = 32)",
	"ALTER TABLE credential ADD COLUMN san TEXT CHECK (length(san) > 4)",
	"ALTER TABLE credential ADD COLUMN ca BLOB CHECK (length(ca) > 0)",
	/* One certificate is one client's, as long as it counts. */
	"CREATE UNIQUE INDEX credential_fingerprint ON credential (fingerprint)"
	" WHERE fingerprint IS NOT NULL AND revoked_ms IS NULL",
	"CREATE TRIGGER credential_no_update BEFORE UPDATE OF id, client, kind,"
	" token_id, digest, created_ms, expires_ms, fingerprint, san, ca"
	" ON credential"
	" BEGIN SELECT RAISE(ABORT, 'a credential stays as it is'); END",
	"CREATE TRIGGER credential_no_return BEFORE UPDATE OF revoked_ms"
	" ON credential WHEN OLD.revoked_ms IS NOT NULL"
	" BEGIN SELECT RAISE(ABORT, 'the credential is revoked'); END",
};

/* Is the content of this leaf gone, by an act in the log? */
#define IS_PURGED(idx) "EXISTS (SELECT 1 FROM purged WHERE idx = " idx ")"

/* From version 2 to version 3. */
static const char *const to_v3[] = {
	/*
	 * What was revoked, for ever: one row for an attempt, whatever became
	 * of it (base/revoke.h). issuer, serial and not_after_s are the
	 * attempt's, shard is the serial's of the issuer's: they stand here so
	 * that a CRL comes from one index alone. at_ms is the leaf's time;
	 * reason RFC 5280 5.3.1's number; client, credential, uid say whose
	 * act it was. body and terms are as those of a decision. The leaf is
	 * written behind its row, in the same transaction.
	 */
	"CREATE TABLE revocation ("
	" seq INTEGER PRIMARY KEY REFERENCES attempt (seq),"
	" issuer INTEGER NOT NULL REFERENCES issuer (id),"
	" shard INTEGER NOT NULL CHECK (shard BETWEEN 0 AND 65535),"
	" serial BLOB NOT NULL CHECK (length(serial) BETWEEN 1 AND 20),"
	" not_after_s INTEGER NOT NULL,"
	" at_ms INTEGER NOT NULL,"
	" reason INTEGER NOT NULL CHECK (reason BETWEEN 0 AND 10"
	"  AND reason <> 6 AND reason <> 7 AND reason <> 8),"
	" client INTEGER NOT NULL REFERENCES client (id),"
	" credential INTEGER NOT NULL REFERENCES credential (id),"
	" uid INTEGER NOT NULL,"
	" body BLOB NOT NULL,"
	" terms BLOB NOT NULL,"
	" leaf INTEGER NOT NULL UNIQUE REFERENCES leaf (idx)"
	"  DEFERRABLE INITIALLY DEFERRED"
	") STRICT",
	/* A CRL's entries: of one issuer and shard, what has not ended. */
	"CREATE INDEX revocation_crl ON revocation"
	" (issuer, shard, not_after_s, serial, at_ms, reason)",
	APPEND_ONLY("revocation"),

	/* A kind more, `purged`; a CHECK is all that changes of the table. */
	"PRAGMA writable_schema = ON",
	"UPDATE sqlite_schema SET sql = replace(sql, 'kind BETWEEN 1 AND 19',"
	" 'kind BETWEEN 1 AND 20') WHERE type = 'table' AND name = 'leaf'",
	"PRAGMA writable_schema = RESET",
	/*
	 * Leaves whose content is gone, and the act that removed it: a leaf of
	 * that kind which is written behind these rows, in the same
	 * transaction. `kept` is of what the leaf's rows still say
	 * (store/rows.h).
	 */
	"CREATE TABLE purged ("
	" act INTEGER NOT NULL REFERENCES leaf (idx)"
	"  DEFERRABLE INITIALLY DEFERRED,"
	" idx INTEGER NOT NULL UNIQUE REFERENCES leaf (idx),"
	" kept BLOB NOT NULL CHECK (length(kept) = 32),"
	" PRIMARY KEY (act, idx),"
	" CHECK (idx < act)"
	") STRICT, WITHOUT ROWID",
	APPEND_ONLY("purged"),
	"CREATE TRIGGER purged_by_the_next_leaf BEFORE INSERT ON purged"
	" WHEN NEW.act <> (SELECT tree_size FROM meta)"
	" BEGIN SELECT RAISE(ABORT, 'a purge is the next leaf'); END",
	/*
	 * What was append-only may lose its content, and nothing else, where
	 * its leaf stands in `purged`. What store/purge.c
	 * changes and what these triggers allow is the same.
	 */
	"DROP TRIGGER leaf_no_update",
	"CREATE TRIGGER leaf_no_update BEFORE UPDATE ON leaf"
	" WHEN NOT " IS_PURGED(
		"OLD.idx") " OR NEW.entry IS NOT NULL"
			   " OR NEW.idx <> OLD.idx OR NEW.hash <> OLD.hash"
			   " OR NEW.kind <> OLD.kind OR NEW.at_ms <> OLD.at_ms"
			   " OR NEW.tree_size <> OLD.tree_size OR NEW.request "
			   "IS NOT OLD.request"
			   " OR NEW.answer_version <> OLD.answer_version"
			   " BEGIN SELECT RAISE(ABORT, 'leaf is append-only'); "
			   "END",
	"DROP TRIGGER request_no_update",
	"CREATE TRIGGER request_no_update BEFORE UPDATE OF n, id, client,"
	" credential, uid, realm, source, idem_key, fingerprint, received_ms,"
	" issuer, scalars, csr ON request"
	" WHEN NOT " IS_PURGED(
		"OLD.leaf") " OR NEW.scalars <> x''"
			    " OR NEW.csr <> x'' OR NEW.idem_key IS NOT NULL OR "
			    "NEW.n <> OLD.n"
			    " OR NEW.id <> OLD.id OR NEW.client <> OLD.client"
			    " OR NEW.credential <> OLD.credential OR NEW.uid "
			    "<> OLD.uid"
			    " OR NEW.realm <> OLD.realm OR NEW.source <> "
			    "OLD.source"
			    " OR NEW.fingerprint <> OLD.fingerprint"
			    " OR NEW.received_ms <> OLD.received_ms OR "
			    "NEW.issuer <> OLD.issuer"
			    " BEGIN SELECT RAISE(ABORT, 'what was asked is "
			    "append-only'); END",
	"DROP TRIGGER request_no_reopen",
	"CREATE TRIGGER request_no_reopen BEFORE UPDATE ON request"
	" WHEN OLD.leaf IS NOT NULL AND (NOT " IS_PURGED(
		"OLD.leaf") " OR NEW.pending_body IS NOT NULL OR "
			    "NEW.pending_terms IS NOT NULL"
			    " OR NEW.flags <> OLD.flags OR NEW.state <> "
			    "OLD.state"
			    " OR NEW.expires_ms IS NOT OLD.expires_ms OR "
			    "NEW.hold IS NOT OLD.hold"
			    " OR NEW.not_before_ms IS NOT OLD.not_before_ms"
			    " OR NEW.leaf IS NOT OLD.leaf)"
			    " BEGIN SELECT RAISE(ABORT, 'the request is "
			    "decided'); END",
	"DROP TRIGGER approval_no_update",
	"CREATE TRIGGER approval_no_update BEFORE UPDATE ON approval"
	" WHEN NOT EXISTS (SELECT 1 FROM request AS r JOIN purged AS p"
	"  ON p.idx = r.leaf WHERE r.n = OLD.request)"
	" OR NEW.claimed_by IS NOT NULL OR NEW.reason IS NOT NULL"
	" OR NEW.message IS NOT NULL OR NEW.request <> OLD.request"
	" OR NEW.client <> OLD.client OR NEW.credential <> OLD.credential"
	" OR NEW.uid <> OLD.uid OR NEW.binds <> OLD.binds"
	" OR NEW.at_ms <> OLD.at_ms OR NEW.denies <> OLD.denies"
	" OR NEW.self <> OLD.self"
	" BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END",
	"DROP TRIGGER attempt_no_update",
	"CREATE TRIGGER attempt_no_update BEFORE UPDATE ON attempt"
	" WHEN NOT EXISTS (SELECT 1 FROM outcome AS o JOIN purged AS p"
	"  ON p.idx = o.leaf WHERE o.seq = OLD.seq)"
	" OR length(NEW.tbs) + length(NEW.body) + length(NEW.terms)"
	"  + length(NEW.inputs) + length(NEW.limits) > 0"
	" OR NEW.seq <> OLD.seq OR NEW.request IS NOT OLD.request"
	" OR NEW.issuer <> OLD.issuer OR NEW.serial <> OLD.serial"
	" OR NEW.spki <> OLD.spki OR NEW.subject_key <> OLD.subject_key"
	" OR NEW.now_ms <> OLD.now_ms OR NEW.epoch <> OLD.epoch"
	" OR NEW.not_after_s <> OLD.not_after_s"
	" BEGIN SELECT RAISE(ABORT, 'attempt is append-only'); END",
	"DROP TRIGGER outcome_no_update",
	"CREATE TRIGGER outcome_no_update BEFORE UPDATE ON outcome"
	" WHEN NOT " IS_PURGED(
		"OLD.leaf") " OR length(NEW.signature) > 0"
			    " OR (NEW.signature IS NULL) <> (OLD.signature IS "
			    "NULL)"
			    " OR NEW.seq <> OLD.seq OR NEW.leaf <> OLD.leaf"
			    " BEGIN SELECT RAISE(ABORT, 'outcome is "
			    "append-only'); END",
	"DROP TRIGGER refusal_no_update",
	"CREATE TRIGGER refusal_no_update BEFORE UPDATE ON refusal"
	" WHEN NOT " IS_PURGED(
		"OLD.leaf") " OR length(NEW.body) + length(NEW.terms) + "
			    "length(NEW.inputs) > 0"
			    " OR NEW.leaf <> OLD.leaf OR NEW.request <> "
			    "OLD.request"
			    " OR NEW.now_ms <> OLD.now_ms OR NEW.epoch <> "
			    "OLD.epoch"
			    " BEGIN SELECT RAISE(ABORT, 'refusal is "
			    "append-only'); END",
	"DROP TRIGGER revocation_no_update",
	"CREATE TRIGGER revocation_no_update BEFORE UPDATE ON revocation"
	" WHEN NOT " IS_PURGED(
		"OLD.leaf") " OR length(NEW.body) + length(NEW.terms) > 0 OR "
			    "NEW.seq <> OLD.seq"
			    " OR NEW.issuer <> OLD.issuer OR NEW.shard <> "
			    "OLD.shard"
			    " OR NEW.serial <> OLD.serial OR NEW.not_after_s "
			    "<> OLD.not_after_s"
			    " OR NEW.at_ms <> OLD.at_ms OR NEW.reason <> "
			    "OLD.reason"
			    " OR NEW.client <> OLD.client OR NEW.credential <> "
			    "OLD.credential"
			    " OR NEW.uid <> OLD.uid OR NEW.leaf <> OLD.leaf"
			    " BEGIN SELECT RAISE(ABORT, 'revocation is "
			    "append-only'); END",
	/*
	 * CRLs by issuer and shard: `crl` has the last one that was signed,
	 * earlier ones stand in the log by their hash. `covers`: every
	 * revocation in a leaf below is on it. regular_s: when the last regular
	 * one was signed (store/ledger_crl.h). `crl_asked` has the number that
	 * the signer was asked for last and the SHA-256 of its entries
	 * (base/crl.h), until that one is recorded.
	 */
	"CREATE TABLE crl ("
	" id INTEGER PRIMARY KEY,"
	" issuer INTEGER NOT NULL REFERENCES issuer (id),"
	" shard INTEGER NOT NULL CHECK (shard BETWEEN 0 AND 65535),"
	" number INTEGER NOT NULL CHECK (number >= 1),"
	" this_update_s INTEGER NOT NULL,"
	" next_update_s INTEGER NOT NULL CHECK (next_update_s > this_update_s),"
	" regular_s INTEGER NOT NULL,"
	" covers INTEGER NOT NULL,"
	" entries INTEGER NOT NULL CHECK (entries >= 0),"
	" leaf INTEGER NOT NULL UNIQUE REFERENCES leaf (idx)"
	"  DEFERRABLE INITIALLY DEFERRED,"
	" sha256 BLOB NOT NULL CHECK (length(sha256) = 32),"
	" der BLOB NOT NULL,"
	" UNIQUE (issuer, shard)"
	") STRICT",
	"CREATE TRIGGER crl_upwards BEFORE UPDATE ON crl"
	" WHEN NEW.number <= OLD.number OR NEW.id <> OLD.id"
	" OR NEW.issuer <> OLD.issuer OR NEW.shard <> OLD.shard"
	" BEGIN SELECT RAISE(ABORT, 'numbers of CRLs go up'); END",
	"CREATE TRIGGER crl_no_delete BEFORE DELETE ON crl"
	" BEGIN SELECT RAISE(ABORT, 'the last CRL is kept'); END",
	"CREATE TABLE crl_asked ("
	" issuer INTEGER NOT NULL REFERENCES issuer (id),"
	" shard INTEGER NOT NULL CHECK (shard BETWEEN 0 AND 65535),"
	" number INTEGER NOT NULL CHECK (number >= 1),"
	" at_ms INTEGER NOT NULL,"
	" sha256 BLOB NOT NULL CHECK (length(sha256) = 32),"
	" PRIMARY KEY (issuer, shard)"
	") STRICT, WITHOUT ROWID",
	"CREATE TRIGGER crl_asked_upwards BEFORE UPDATE ON crl_asked"
	" WHEN NEW.number <= OLD.number"
	" BEGIN SELECT RAISE(ABORT, 'numbers of CRLs go up'); END",
	/*
	 * What was done for good about a CA certificate: it is retired, and
	 * signs no certificate any more; its key is destroyed. at_ms is when
	 * it was recorded, in the leaf `leaf` (kind config.applied).
	 */
	"CREATE TABLE issuer_end ("
	" n INTEGER PRIMARY KEY,"
	" issuer INTEGER NOT NULL REFERENCES issuer (id),"
	" op TEXT NOT NULL CHECK (op = 'retire' OR op = 'destroy_key'),"
	" at_ms INTEGER NOT NULL,"
	" leaf INTEGER NOT NULL UNIQUE REFERENCES leaf (idx)"
	"  DEFERRABLE INITIALLY DEFERRED,"
	" UNIQUE (issuer, op)"
	") STRICT",
	APPEND_ONLY("issuer_end"),
};

const char cs_schema_compromised[] =
	"CREATE TEMP TABLE compromised ("
	" spki BLOB PRIMARY KEY CHECK (length(spki) = 32)"
	") STRICT, WITHOUT ROWID";

/* Each change of schema adds a row. */
const struct cs_migration cs_migrations[] = {
	{1, to_v2, sizeof(to_v2) / sizeof(to_v2[0])},
	{2, to_v3, sizeof(to_v3) / sizeof(to_v3[0])},
};
const size_t cs_migrations_n = sizeof(cs_migrations) / sizeof(cs_migrations[0]);
