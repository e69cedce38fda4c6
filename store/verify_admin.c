#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "base/codec.h"
#include "base/json.h"
#include "store/rows.h"
#include "store/verify_internal.h"

/* An entry taken apart. */
struct entry {
	json_t *decision;    /* owned */
	json_t *record;	     /* owned */
	struct cs_span text; /* of the record; borrowed from the entry */
};

/* Release what read_entry() made. */
static void entry_done(struct entry *e)
{
	json_decref(e->decision);
	json_decref(e->record);
	*e = (struct entry){.decision = NULL};
}

/* Both objects of an entry; false: it is none, and *why says so. */
static bool read_entry(struct cs_span bytes, struct entry *ret_entry,
		       struct cs_error *why)
{
	struct cs_span decision;
	struct cs_span record;
	struct entry e = {.decision = NULL};

	if (!cs_leaf_entry_split(bytes, &decision, &record, why))
		return false;
	e.decision = cs_json_parse(decision, "decision", why);
	e.record = e.decision == NULL ? NULL
				      : cs_json_parse(record, "record", why);
	if (e.record == NULL) {
		entry_done(&e);
		return false;
	}
	e.text = record;
	*ret_entry = e;
	return true;
}

/* A member that is a number; -1 when it is not there. */
static int64_t number_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* A row id or count; 0 when it is not there. */
static uint64_t count_of(const json_t *object, const char *name)
{
	int64_t n = number_of(object, name);

	return n < 0 ? 0 : (uint64_t)n;
}

/* A member that is a string; empty when it is not there. */
static struct cs_span string_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return cs_span_make(json_string_value(value),
			    json_string_length(value));
}

/* Is the record's member the SHA-256, in hexadecimal, of these octets? */
static bool same_digest(struct cs_verify *v, const json_t *record,
			const char *name, struct cs_span octets)
{
	uint8_t want[CS_SHA256_SIZE];
	uint8_t is[CS_SHA256_SIZE];

	return cs_codec_hex_fixed(string_of(record, name), want,
				  sizeof(want)) &&
	       cs_hash_sha256(v->hash, octets, is, NULL) &&
	       memcmp(is, want, sizeof(is)) == 0;
}

/* The rows that the act left behind, in v->rows, against the record. */
static void compare_rows(struct cs_verify *v, uint64_t index, const char *where,
			 int64_t row, const json_t *record)
{
	if (!same_digest(v, record, "rows", cs_buf_span(&v->rows)))
		cs_verify_find(v, index, where, row,
			       "the rows are not what the leaf left behind");
}

/* Look up the two numbers of a one-row statement with one parameter. */
static bool look_up(struct cs_stmt *s, bool *ret_row, int64_t *ret_first,
		    int64_t *ret_second, struct cs_error *err)
{
	*ret_first = 0;
	*ret_second = 0;
	if (!cs_stmt_step(s, ret_row, err))
		return false;
	if (*ret_row) {
		*ret_first = cs_stmt_col_int(s, 0);
		*ret_second = cs_stmt_col_int(s, 1);
	}
	cs_stmt_end(s);
	return true;
}

/* Is the member absent, or the column's octets in hexadecimal? */
static bool same_octets(const json_t *object, const char *name,
			struct cs_span octets)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf hex = {0};

	cs_buf_init(&hex, 128);
	cs_codec_hex(octets, &hex);
	return cs_span_equal(string_of(object, name), cs_buf_span(&hex));
}

/*
 * A credential's row against what the leaf that made or ended it says. Only
 * its end changes in the row, so that every leaf can be held against it and
 * not only the last one.
 */
static bool same_credential(struct cs_verify *v, struct cs_stmt *s,
			    const struct entry *e)
{
	const json_t *c = json_object_get(e->decision, "credential");
	struct cs_span ca = cs_stmt_col(s, 7);
	bool ends = cs_span_equal_str(string_of(e->decision, "op"), "revoke");

	return number_of(e->decision, "id") == cs_stmt_col_int(s, 0) &&
	       cs_span_equal(string_of(c, "kind"), cs_stmt_col(s, 1)) &&
	       cs_span_equal(string_of(c, "token_id"), cs_stmt_col(s, 2)) &&
	       count_of(c, "expires_ms") == (uint64_t)cs_stmt_col_int(s, 3) &&
	       (!ends || !cs_stmt_is_null(s, 4)) &&
	       same_octets(c, "fingerprint", cs_stmt_col(s, 5)) &&
	       cs_span_equal(string_of(c, "san"), cs_stmt_col(s, 6)) &&
	       (ca.n == 0 ? json_object_get(c, "ca_sha256") == NULL
			  : same_digest(v, c, "ca_sha256", ca));
}

/* The credential that a client.changed names; older leaves name none. */
static bool check_credential(struct cs_verify *v,
			     const struct cs_verify_row *leaf,
			     const struct entry *e, struct cs_error *err)
{
	const json_t *c = json_object_get(e->decision, "credential");
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_CREDENTIAL);
	int64_t id = number_of(c, "id");
	bool row = false;
	bool same;

	if (!json_is_object(c))
		return true;
	cs_stmt_int(&s, id);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	same = row && same_credential(v, &s, e);
	cs_stmt_end(&s);
	if (!same)
		cs_verify_find(v, leaf->index, "credential", id,
			       row ? "it is not what the leaf says was bound"
				   : "the credential is missing");
	return true;
}

/* client.changed: the client is there, and not as an earlier leaf left it. */
static bool check_client(struct cs_verify *v, const struct cs_verify_row *leaf,
			 const struct entry *e, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_CLIENT);
	int64_t id;
	int64_t last;
	bool row = false;

	cs_stmt_str(&s, string_of(e->decision, "name"));
	if (!look_up(&s, &row, &id, &last, err))
		return false;
	if (!row) {
		cs_verify_find(v, leaf->index, "client", 0,
			       "the client that was changed is missing");
		return true;
	}
	if (last < (int64_t)leaf->index)
		cs_verify_find(v, leaf->index, "client", id,
			       "its row is older than this change");
	if (last != (int64_t)leaf->index)
		return true;
	cs_buf_reset(&v->rows);
	if (!cs_rows_client(v->db, v->hash, (uint64_t)id, &v->rows, err))
		return false;
	compare_rows(v, leaf->index, "client", id, e->record);
	return true;
}

/* ca.created: the issuer's row, and its certificate as an attempt. */
static bool check_issuer(struct cs_verify *v, const struct cs_verify_row *leaf,
			 const struct entry *e, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_ISSUER);
	int64_t id = number_of(e->record, "issuer_id");
	struct cs_leaf_record r;
	int64_t created;
	int64_t unused;
	bool row = false;

	cs_stmt_int(&s, id);
	if (!look_up(&s, &row, &created, &unused, err))
		return false;
	if (!row || created != (int64_t)leaf->index) {
		cs_verify_find(v, leaf->index, "issuer", id,
			       "the issuer that was created is missing");
		return true;
	}
	cs_buf_reset(&v->rows);
	if (!cs_rows_issuer(v->db, v->hash, (uint64_t)id, &v->rows, err))
		return false;
	compare_rows(v, leaf->index, "issuer", id, e->record);
	cs_leaf_record_init(&r, CS_LEAF_CA_CREATED, leaf->index, leaf->at_ms);
	r.client_name = string_of(e->record, "client");
	r.client = count_of(e->record, "client_id");
	r.credential = count_of(e->record, "credential");
	r.uid = number_of(e->record, "uid");
	return cs_verify_ca(v, leaf, &r, e->text, err);
}

/* crl.signed: the shard's row is this CRL, or a later one. */
static bool check_crl(struct cs_verify *v, const struct cs_verify_row *leaf,
		      const struct entry *e, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_CRL);
	int64_t id;
	int64_t last;
	bool row = false;

	cs_stmt_int(&s, number_of(e->record, "issuer_id"));
	cs_stmt_int(&s, number_of(e->decision, "shard"));
	if (!look_up(&s, &row, &id, &last, err))
		return false;
	if (!row) {
		cs_verify_find(v, leaf->index, "crl", 0,
			       "the CRL that was signed is missing");
		return true;
	}
	if (last < (int64_t)leaf->index)
		cs_verify_find(v, leaf->index, "crl", id,
			       "its row is older than this CRL");
	if (last != (int64_t)leaf->index)
		return true;
	cs_buf_reset(&v->rows);
	if (!cs_rows_crl(v->db, v->hash, (uint64_t)id, &v->rows, err))
		return false;
	compare_rows(v, leaf->index, "crl", id, e->record);
	return true;
}

/* Does the row say what the leaf says was done, and to whom? */
static bool same_end(struct cs_stmt *s, const struct entry *e)
{
	return cs_span_equal(string_of(e->decision, "op"), cs_stmt_col(s, 1)) &&
	       cs_span_equal(string_of(e->decision, "issuer"),
			     cs_stmt_col(s, 2)) &&
	       number_of(e->decision, "generation") == cs_stmt_col_int(s, 3);
}

/* config.applied that ends something of an issuer's: its row. */
static bool check_issuer_end(struct cs_verify *v,
			     const struct cs_verify_row *leaf,
			     const struct entry *e, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_ISSUER_END);
	int64_t n = 0;
	bool row = false, same;

	if (!json_is_string(json_object_get(e->decision, "op"))) {
		cs_stmt_end(&s);
		return true;
	}
	cs_stmt_int(&s, (int64_t)leaf->index);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	same = row && same_end(&s, e);
	if (row)
		n = cs_stmt_col_int(&s, 0);
	cs_stmt_end(&s);
	if (!same) {
		cs_verify_find(v, leaf->index, "issuer_end", n,
			       "what was done about the issuer is missing, or "
			       "is not what the leaf says");
		return true;
	}
	cs_buf_reset(&v->rows);
	if (!cs_rows_issuer_end(v->db, v->hash, leaf->index, &v->rows, err))
		return false;
	compare_rows(v, leaf->index, "issuer_end", n, e->record);
	return true;
}

/* policy.applied: the set and its sources. */
static bool check_policy(struct cs_verify *v, const struct cs_verify_row *leaf,
			 const struct entry *e, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_POLICY_SET);
	int64_t epoch = number_of(e->record, "epoch");
	int64_t applied;
	int64_t unused;
	bool row = false;

	cs_stmt_int(&s, epoch);
	if (!look_up(&s, &row, &applied, &unused, err))
		return false;
	if (!row || applied != (int64_t)leaf->index) {
		cs_verify_find(v, leaf->index, "policy_set", epoch,
			       "the policy set that was applied is missing");
		return true;
	}
	cs_buf_reset(&v->rows);
	if (!cs_rows_policy_set(v->db, v->hash, (uint64_t)epoch, &v->rows, err))
		return false;
	compare_rows(v, leaf->index, "policy_set", epoch, e->record);
	return true;
}

/*
 * start and config.applied: what they say of meta's columns. The
 * configuration changes; the last word counts.
 */
static void compare_claims(struct cs_verify *v,
			   const struct cs_verify_row *leaf,
			   const struct entry *e)
{
	uint8_t octets[32];
	int64_t created = number_of(e->decision, "created_ms");

	if (cs_codec_hex_fixed(string_of(e->decision, "config_sha256"), octets,
			       32))
		v->config_differs =
			memcmp(octets, v->meta.config_sha256, 32) != 0;
	if ((created >= 0 && created != v->meta.created_ms) ||
	    (cs_codec_hex_fixed(string_of(e->decision, "installation"), octets,
				16) &&
	     memcmp(octets, v->meta.installation, 16) != 0))
		cs_verify_find(v, leaf->index, "meta", 1,
			       "installation or created_ms is another than the "
			       "leaf says");
}

/* What the kinds have beside their entry. */
static bool check_kind(struct cs_verify *v, const struct cs_verify_row *leaf,
		       const struct entry *e, struct cs_error *err)
{
	enum cs_leaf_kind kind = (enum cs_leaf_kind)leaf->kind;

	if (kind == CS_LEAF_CLIENT_CHANGED)
		return check_credential(v, leaf, e, err) &&
		       check_client(v, leaf, e, err);
	if (kind == CS_LEAF_CA_CREATED)
		return check_issuer(v, leaf, e, err);
	if (kind == CS_LEAF_CRL_SIGNED)
		return check_crl(v, leaf, e, err);
	if (kind == CS_LEAF_POLICY_APPLIED)
		return check_policy(v, leaf, e, err);
	if (kind == CS_LEAF_PURGED)
		return cs_verify_purge(v, leaf, e->decision, err);
	if (kind == CS_LEAF_START || kind == CS_LEAF_CONFIG_APPLIED)
		compare_claims(v, leaf, e);
	if (kind == CS_LEAF_CONFIG_APPLIED)
		return check_issuer_end(v, leaf, e, err);
	return true;
}

bool cs_verify_admin(struct cs_verify *v, const struct cs_verify_row *leaf,
		     struct cs_error *err)
{
	enum cs_leaf_kind kind = (enum cs_leaf_kind)leaf->kind;
	struct cs_error why = {0};
	uint8_t hash[CS_TREE_HASH];
	struct entry e;
	bool ok;

	if (leaf->request != 0)
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "an act of administration names a request");
	if (leaf->entry.n == 0) {
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "its entry is missing, and no act of purging "
			       "covers it");
		return true;
	}
	if (!cs_tree_leaf_hash(v->hash, leaf->entry, hash, err))
		return false;
	if (!cs_span_equal(leaf->hash, cs_span_make(hash, sizeof(hash)))) {
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "its entry does not give its hash");
		return true;
	}
	if (!read_entry(leaf->entry, &e, &why)) {
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "%s", why.text);
		return true;
	}
	if (number_of(e.record, "index") != (int64_t)leaf->index ||
	    number_of(e.record, "at") != leaf->at_ms ||
	    !cs_span_equal_str(string_of(e.record, "kind"),
			       cs_leaf_kind_name(kind)))
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "index, time or kind is not its entry's");
	ok = check_kind(v, leaf, &e, err);
	entry_done(&e);
	return ok;
}

/* One client's row: the leaf that it names must be a change of it. */
static void check_client_row(struct cs_verify *v, struct cs_stmt *s)
{
	int64_t id = cs_stmt_col_int(s, 0);
	struct cs_span name = cs_stmt_col(s, 1);
	int64_t index = cs_stmt_col_int(s, 2);
	struct cs_span bytes = cs_stmt_col(s, 4);
	struct cs_error why = {0};
	struct entry e;

	if (cs_stmt_is_null(s, 3) ||
	    cs_stmt_col_int(s, 3) != CS_LEAF_CLIENT_CHANGED) {
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "client", id,
			       "leaf %" PRId64 " is no client.changed", index);
		return;
	}
	if (bytes.n == 0) /* a finding already */
		return;
	if (!read_entry(bytes, &e, &why)) {
		cs_verify_find(v, (uint64_t)index, "leaf", index, "%s",
			       why.text);
		return;
	}
	if (!cs_span_equal(string_of(e.decision, "name"), name))
		cs_verify_find(v, (uint64_t)index, "client", id,
			       "its leaf is a change of another client");
	entry_done(&e);
}

bool cs_verify_clients(struct cs_verify *v, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_CLIENTS);
	bool row = false;
	bool ok;

	while ((ok = cs_stmt_step(&s, &row, err)) && row)
		check_client_row(v, &s);
	cs_stmt_end(&s);
	return ok;
}
