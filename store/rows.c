#include "store/rows.h"

#include <sqlite3.h>

#include "base/json.h"

/* Octets longer than this stand as their digest. */
#define MAX_OCTETS 64

/* "sha256:" and the digest, as a string. */
static bool put_digest(struct cs_json *j, struct cs_hash *h,
		       struct cs_span octets, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	uint8_t digest[CS_SHA256_SIZE];

	cs_buf_init(&text, 7 + 2 * sizeof(digest));
	if (!cs_hash_sha256(h, octets, digest, err))
		return false;
	cs_buf_add_str(&text, "sha256:");
	for (size_t i = 0; i < sizeof(digest); i++)
		cs_buf_addf(&text, "%02x", digest[i]);
	cs_json_string(j, cs_buf_span(&text));
	return cs_buf_finish(&text, "rows", err);
}

/* One column of the current row, unless it is NULL. */
static bool put_column(struct cs_json *j, struct cs_hash *h, struct cs_stmt *s,
		       int i, struct cs_error *err)
{
	int type = sqlite3_column_type(s->stmt, i);
	struct cs_span octets;

	if (type == SQLITE_NULL)
		return true;
	cs_json_name(j, sqlite3_column_name(s->stmt, i));
	if (type == SQLITE_INTEGER) {
		cs_json_int(j, cs_stmt_col_int(s, i));
		return true;
	}
	octets = cs_stmt_col(s, i);
	if (type == SQLITE_TEXT)
		cs_json_string(j, octets);
	else if (octets.n <= MAX_OCTETS)
		cs_json_hex(j, octets);
	else
		return put_digest(j, h, octets, err);
	return true;
}

/* All rows of one statement as a member of the object. */
static bool put_rows(struct cs_json *j, struct cs_hash *h, struct cs_db *db,
		     const char *table, enum cs_sql sql, uint64_t key,
		     struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, sql);
	bool row = false;
	bool ok = true;

	cs_json_name(j, table);
	cs_json_array(j);
	cs_stmt_int(&s, (int64_t)key);
	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		int n = sqlite3_column_count(s.stmt);

		cs_json_object(j);
		for (int i = 0; ok && i < n; i++)
			ok = put_column(j, h, &s, i, err);
		cs_json_end(j);
		if (!ok)
			break;
	}
	cs_stmt_end(&s);
	cs_json_end(j);
	return ok;
}

bool cs_rows_client(struct cs_db *db, struct cs_hash *h, uint64_t client,
		    struct cs_buf *out, struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	if (!put_rows(&j, h, db, "client", CS_SQL_ROWS_CLIENT, client, err) ||
	    !put_rows(&j, h, db, "credential", CS_SQL_ROWS_CREDENTIAL, client,
		      err))
		return false;
	cs_json_end(&j);
	return cs_json_finish(&j, "rows of a client", err);
}

bool cs_rows_policy_set(struct cs_db *db, struct cs_hash *h, uint64_t epoch,
			struct cs_buf *out, struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	if (!put_rows(&j, h, db, "policy_set", CS_SQL_ROWS_POLICY_SET, epoch,
		      err) ||
	    !put_rows(&j, h, db, "policy_set_source",
		      CS_SQL_ROWS_POLICY_SET_SOURCE, epoch, err) ||
	    !put_rows(&j, h, db, "policy_source", CS_SQL_ROWS_POLICY_SOURCE,
		      epoch, err))
		return false;
	cs_json_end(&j);
	return cs_json_finish(&j, "rows of a policy set", err);
}

bool cs_rows_crl(struct cs_db *db, struct cs_hash *h, uint64_t id,
		 struct cs_buf *out, struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	if (!put_rows(&j, h, db, "crl", CS_SQL_ROWS_CRL, id, err))
		return false;
	cs_json_end(&j);
	return cs_json_finish(&j, "rows of a CRL", err);
}

bool cs_rows_issuer(struct cs_db *db, struct cs_hash *h, uint64_t issuer,
		    struct cs_buf *out, struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	if (!put_rows(&j, h, db, "issuer", CS_SQL_ROWS_ISSUER, issuer, err))
		return false;
	cs_json_end(&j);
	return cs_json_finish(&j, "rows of an issuer", err);
}

bool cs_rows_kept(struct cs_db *db, struct cs_hash *h, uint64_t leaf,
		  struct cs_buf *out, struct cs_error *err)
{
	static const struct {
		const char *table;
		enum cs_sql sql;
	} parts[] = {
		{"approval", CS_SQL_ROWS_KEPT_APPROVAL},
		{"attempt", CS_SQL_ROWS_KEPT_ATTEMPT},
		{"leaf", CS_SQL_ROWS_KEPT_LEAF},
		{"outcome", CS_SQL_ROWS_KEPT_OUTCOME},
		{"refusal", CS_SQL_ROWS_KEPT_REFUSAL},
		{"request", CS_SQL_ROWS_KEPT_REQUEST},
		{"revocation", CS_SQL_ROWS_KEPT_REVOCATION},
	};
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!put_rows(&j, h, db, parts[i].table, parts[i].sql, leaf,
			      err))
			return false;
	cs_json_end(&j);
	return cs_json_finish(&j, "rows of a purged leaf", err);
}

bool cs_rows_issuer_end(struct cs_db *db, struct cs_hash *h, uint64_t leaf,
			struct cs_buf *out, struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	if (!put_rows(&j, h, db, "issuer_end", CS_SQL_ROWS_ISSUER_END, leaf,
		      err))
		return false;
	cs_json_end(&j);
	return cs_json_finish(&j, "rows of an issuer's end", err);
}
