#include <inttypes.h>

#include "store/verify_internal.h"

/* Statements of which every row is a finding. */
static const struct {
	enum cs_sql sql;
	const char *where;
	const char *text;
} checks[] = {
	{CS_SQL_VERIFY_REQUEST_LEAF, "request",
	 "it is decided, but no leaf decides it"},
	{CS_SQL_VERIFY_OUTCOME_LEAF, "outcome",
	 "its leaf does not end an attempt"},
	{CS_SQL_VERIFY_REFUSAL_LEAF, "refusal", "its leaf refuses nothing"},
	{CS_SQL_VERIFY_REVOCATION_LEAF, "revocation",
	 "its leaf revokes nothing"},
	{CS_SQL_VERIFY_PURGED_ACT, "purged", "its act purges nothing"},
	{CS_SQL_VERIFY_CRL_LEAF, "crl", "its leaf signs no CRL"},
	{CS_SQL_VERIFY_CRL_ASKED, "crl",
	 "the number that was asked for last is not above its own"},
	{CS_SQL_VERIFY_ATTEMPT_OPEN, "attempt",
	 "it has no outcome, and its request is not under way"},
	{CS_SQL_VERIFY_ISSUER_LEAF, "issuer", "its leaf creates no issuer"},
	{CS_SQL_VERIFY_ISSUER_END_LEAF, "issuer_end",
	 "its leaf ends no issuer"},
	{CS_SQL_VERIFY_POLICY_SET_LEAF, "policy_set",
	 "its leaf applies no policy"},
	{CS_SQL_VERIFY_POLICY_SOURCE, "policy_source",
	 "no policy set has this source"},
	{CS_SQL_VERIFY_KEY_USE_MISSING, "key_use",
	 "an attempt's key use is not recorded"},
	{CS_SQL_VERIFY_KEY_USE_EXTRA, "key_use",
	 "it is not the attempt's whose number it has"},
	{CS_SQL_VERIFY_META_EPOCH, "meta",
	 "epoch is not that of the last policy set"},
	{CS_SQL_VERIFY_META_SEQ, "meta", "seq is not the last attempt's"},
};

/* Run one of them. */
static bool check(struct cs_verify *v, size_t i, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, checks[i].sql);
	bool row = false;
	bool ok;

	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		uint64_t index = cs_stmt_is_null(&s, 0)
					 ? CS_VERIFY_NO_INDEX
					 : (uint64_t)cs_stmt_col_int(&s, 0);

		cs_verify_find(v, index, checks[i].where,
			       cs_stmt_col_int(&s, 1), "%s", checks[i].text);
	}
	cs_stmt_end(&s);
	return ok;
}

/* As many filed rows as the leaves call for? Each was looked up already. */
static bool check_count(struct cs_verify *v, enum cs_sql sql, const char *where,
			uint64_t want, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, sql);
	bool row = false;
	int64_t n;

	if (!cs_stmt_step(&s, &row, err))
		return false;
	n = row ? cs_stmt_col_int(&s, 0) : 0;
	cs_stmt_end(&s);
	if (n != (int64_t)want)
		cs_verify_find(v, CS_VERIFY_NO_INDEX, where, 0,
			       "there are %" PRId64 " rows, but the leaves "
			       "call for %" PRIu64,
			       n, want);
	return true;
}

/* Rows that refer to rows which are not there, as SQLite sees them. */
static bool check_references(struct cs_verify *v, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt_text(v->db, "PRAGMA foreign_key_check");
	bool row = false;
	bool ok;

	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		struct cs_span table = cs_stmt_col(&s, 0);
		struct cs_span parent = cs_stmt_col(&s, 2);

		cs_verify_find(v, CS_VERIFY_NO_INDEX, "references",
			       cs_stmt_col_int(&s, 1),
			       "table %.*s refers to a row of %.*s that is not "
			       "there",
			       CS_SPAN_FMT(table), CS_SPAN_FMT(parent));
	}
	cs_stmt_end(&s);
	return ok;
}

/* The file itself: pages, indexes against tables, constraints. */
static bool check_file(struct cs_verify *v, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt_text(v->db, "PRAGMA integrity_check(20)");
	bool row = false;
	bool ok;

	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		struct cs_span text = cs_stmt_col(&s, 0);

		if (!cs_span_equal_str(text, "ok"))
			cs_verify_find(v, CS_VERIFY_NO_INDEX, "file", 0, "%.*s",
				       CS_SPAN_FMT(text));
	}
	cs_stmt_end(&s);
	return ok;
}

bool cs_verify_coverage(struct cs_verify *v, struct cs_error *err)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (!check(v, i, err))
			return false;
	}
	return check_count(v, CS_SQL_VERIFY_TERM_COUNT, "term", v->terms,
			   err) &&
	       check_count(v, CS_SQL_VERIFY_LIMIT_COUNT, "limit_use", v->limits,
			   err) &&
	       check_references(v, err) && check_file(v, err);
}

bool cs_verify_subtrees(struct cs_verify *v, struct cs_error *err)
{
	return check_count(v, CS_SQL_VERIFY_SUBTREE_COUNT, "subtree",
			   v->subtrees, err);
}
