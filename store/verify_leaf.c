#include <inttypes.h>
#include <string.h>

#include "base/der.h"
#include "base/limit.h"
#include "base/limits.h"
#include "base/revoke.h"
#include "base/terms.h"
#include "store/verify_internal.h"

/* Columns of VERIFY_REQUEST. */
enum {
	R_ID,
	R_CLIENT,
	R_CLIENT_NAME,
	R_CREDENTIAL,
	R_UID,
	R_REALM,
	R_SOURCE,
	R_IDEM_KEY,
	R_FINGERPRINT,
	R_RECEIVED,
	R_FLAGS,
	R_ISSUER,
	R_SCALARS,
	R_CSR,
	R_STATE,
	R_EXPIRES,
	R_HOLD,
	R_NOT_BEFORE,
	R_PENDING_BODY,
	R_PENDING_TERMS,
	R_LEAF,
	P_CLIENT,
	P_CLIENT_NAME,
	P_CREDENTIAL,
	P_UID,
	P_BINDS,
	P_AT,
	P_DENIES,
	P_SELF,
	P_CLAIMED_BY,
	P_REASON,
	P_MESSAGE
};

/* Columns of VERIFY_ATTEMPT. */
enum {
	A_SEQ,
	A_REQUEST,
	A_ISSUER,
	A_SERIAL,
	A_SPKI,
	A_SUBJECT_KEY,
	A_NOW,
	A_EPOCH,
	A_NOT_AFTER,
	A_TBS,
	A_BODY,
	A_TERMS,
	A_INPUTS,
	A_LIMITS,
	A_SIGNATURE,
	A_ISSUER_NAME,
	A_GENERATION,
	A_SIG_ALG,
	A_SET,
	A_REQUEST_ID
};

/* Columns of VERIFY_REFUSAL. */
enum {
	F_REQUEST,
	F_NOW,
	F_EPOCH,
	F_BODY,
	F_TERMS,
	F_INPUTS,
	F_SET
};

/* Columns of VERIFY_REVOCATION. */
enum {
	V_SEQ,
	V_ISSUER,
	V_SHARD,
	V_SERIAL,
	V_NOT_AFTER,
	V_AT,
	V_REASON,
	V_CLIENT,
	V_CLIENT_NAME,
	V_CREDENTIAL,
	V_UID,
	V_BODY,
	V_TERMS,
	V_OF_ISSUER, /* the attempt's own */
	V_OF_SERIAL,
	V_OF_NOT_AFTER,
	V_OF_REQUEST,
	V_ISSUER_NAME,
	V_GENERATION,
	V_SHARDS
};

/* Octets of exactly n, borrowed; NULL for any other length. */
static const uint8_t *fixed(struct cs_stmt *s, int column, size_t n)
{
	struct cs_span v = cs_stmt_col(s, column);

	return v.n == n ? v.p : NULL;
}

/* The request's members of the record, and its approval's. */
static void take_request(struct cs_stmt *s, struct cs_leaf_record *r)
{
	r->id = fixed(s, R_ID, 16);
	r->client = (uint64_t)cs_stmt_col_int(s, R_CLIENT);
	r->client_name = cs_stmt_col(s, R_CLIENT_NAME);
	r->credential = (uint64_t)cs_stmt_col_int(s, R_CREDENTIAL);
	r->uid = cs_stmt_col_int(s, R_UID);
	r->realm = cs_stmt_col(s, R_REALM);
	r->source = cs_stmt_col(s, R_SOURCE);
	r->idem_key = cs_stmt_col(s, R_IDEM_KEY);
	r->fingerprint = fixed(s, R_FINGERPRINT, 32);
	r->received_ms = cs_stmt_col_int(s, R_RECEIVED);
	r->flags = (uint32_t)cs_stmt_col_int(s, R_FLAGS);
	r->issuer_asked = cs_stmt_col(s, R_ISSUER);
	r->scalars = cs_stmt_col(s, R_SCALARS);
	r->csr = cs_stmt_col(s, R_CSR);
	r->expires_ms = cs_stmt_col_int(s, R_EXPIRES);
	r->hold = cs_stmt_col(s, R_HOLD);
	r->not_before_ms = cs_stmt_col_int(s, R_NOT_BEFORE);
	r->pending_body = cs_stmt_col(s, R_PENDING_BODY);
	r->pending_terms = cs_stmt_col(s, R_PENDING_TERMS);
	if (cs_stmt_is_null(s, P_CLIENT))
		return;
	r->approval = (struct cs_leaf_approval){
		.client = (uint64_t)cs_stmt_col_int(s, P_CLIENT),
		.client_name = cs_stmt_col(s, P_CLIENT_NAME),
		.credential = (uint64_t)cs_stmt_col_int(s, P_CREDENTIAL),
		.uid = cs_stmt_col_int(s, P_UID),
		.binds = fixed(s, P_BINDS, 32),
		.at_ms = cs_stmt_col_int(s, P_AT),
		.denies = (unsigned)cs_stmt_col_int(s, P_DENIES),
		.self = (unsigned)cs_stmt_col_int(s, P_SELF),
		.claimed_by = cs_stmt_col(s, P_CLAIMED_BY),
		.reason = cs_stmt_col(s, P_REASON),
		.message = cs_stmt_col(s, P_MESSAGE),
	};
}

/* The attempt's members of the record, and its issuer's. */
static void take_attempt(struct cs_stmt *s, struct cs_leaf_record *r)
{
	r->issuer = (uint64_t)cs_stmt_col_int(s, A_ISSUER);
	r->issuer_name = cs_stmt_col(s, A_ISSUER_NAME);
	r->generation = (uint64_t)cs_stmt_col_int(s, A_GENERATION);
	r->now_ms = cs_stmt_col_int(s, A_NOW);
	r->epoch = (uint64_t)cs_stmt_col_int(s, A_EPOCH);
	r->set_sha256 = fixed(s, A_SET, 32);
	r->body = cs_stmt_col(s, A_BODY);
	r->terms = cs_stmt_col(s, A_TERMS);
	r->inputs = cs_stmt_col(s, A_INPUTS);
	r->seq = (uint64_t)cs_stmt_col_int(s, A_SEQ);
	r->serial = cs_stmt_col(s, A_SERIAL);
	r->spki_sha256 = fixed(s, A_SPKI, 32);
	r->subject_key = fixed(s, A_SUBJECT_KEY, 32);
	r->not_after_s = cs_stmt_col_int(s, A_NOT_AFTER);
	r->limits = cs_stmt_col(s, A_LIMITS);
	r->tbs = cs_stmt_col(s, A_TBS);
}

/* The refusal's members of the record. */
static void take_refusal(struct cs_stmt *s, struct cs_leaf_record *r)
{
	r->now_ms = cs_stmt_col_int(s, F_NOW);
	r->epoch = (uint64_t)cs_stmt_col_int(s, F_EPOCH);
	r->set_sha256 = fixed(s, F_SET, 32);
	r->body = cs_stmt_col(s, F_BODY);
	r->terms = cs_stmt_col(s, F_TERMS);
	r->inputs = cs_stmt_col(s, F_INPUTS);
}

/* The certificate in hand. */
static bool put_certificate(struct cs_verify *v, struct cs_stmt *s,
			    struct cs_span algorithm, struct cs_error *err)
{
	cs_buf_reset(&v->der);
	cs_der_write_signed(&v->der, cs_stmt_col(s, A_TBS), algorithm,
			    cs_stmt_col(s, A_SIGNATURE));
	v->report->certificates++;
	return cs_buf_finish(&v->der, "certificate", err);
}

/*
 * The algorithm that a TBS says it is signed with, all its bytes (RFC 5280
 * 4.1.1.2: the same as outside). Empty: this is no TBS.
 */
static struct cs_span tbs_algorithm(struct cs_span tbs)
{
	struct cs_der outer = cs_der_reader(tbs);
	struct cs_der r;
	struct cs_der version;
	struct cs_span content;
	struct cs_span whole;
	bool there;

	if (!cs_der_enter(&outer, CS_DER_SEQUENCE, "TBS", &r, NULL) ||
	    !cs_der_enter_optional(&r, CS_DER_CONTEXT_CONSTRUCTED(0), "version",
				   &version, &there, NULL) ||
	    !cs_der_integer(&r, "serialNumber", &content, NULL) ||
	    !cs_der_element(&r, CS_DER_SEQUENCE, "signature", &content, &whole,
			    NULL))
		return cs_span_make(NULL, 0);
	return whole;
}

/*
 * Are the terms that the watermark says are filed, filed? Beyond it a run
 * under way may have filed some; they are counted, as all others are.
 */
static bool check_terms(struct cs_verify *v, const struct cs_verify_row *leaf,
			struct cs_span terms, struct cs_error *err)
{
	uint8_t field;
	struct cs_span value;
	bool bad = false;
	bool due = leaf->index < v->terms_done;

	if (!cs_leaf_kind_has_terms((enum cs_leaf_kind)leaf->kind) &&
	    leaf->kind != CS_LEAF_CA_CREATED)
		return true;
	while (cs_terms_next(&terms, &field, &value, &bad)) {
		struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_TERM);
		bool row = false;

		if (!cs_leaf_files_term((enum cs_leaf_kind)leaf->kind, field))
			continue;
		cs_stmt_int(&s, field);
		cs_stmt_blob(&s, value);
		cs_stmt_int(&s, (int64_t)leaf->index);
		if (!cs_stmt_step(&s, &row, err))
			return false;
		cs_stmt_end(&s);
		v->terms += row || due;
		if (!row && due)
			cs_verify_find(v, leaf->index, "term", 0,
				       "a search term of field %u is not filed",
				       field);
	}
	if (bad)
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "its search terms are malformed");
	return true;
}

/* Is the use of every limit that the attempt fell under recorded? */
static bool check_limits(struct cs_verify *v, const struct cs_verify_row *leaf,
			 const struct cs_leaf_record *r, struct cs_error *err)
{
	struct cs_span list = r->limits;
	struct cs_limit limit;
	bool bad = false;

	while (cs_limit_next(&list, &limit, &bad)) {
		struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_LIMIT);
		bool row = false;

		if (!cs_limit_counts(&limit)) {
			cs_stmt_end(&s);
			continue;
		}
		cs_stmt_str(&s, limit.rule);
		cs_stmt_blob(&s, limit.key);
		cs_stmt_int(&s, r->now_ms);
		cs_stmt_int(&s, (int64_t)r->seq);
		if (!cs_stmt_step(&s, &row, err))
			return false;
		cs_stmt_end(&s);
		v->limits++;
		if (!row)
			cs_verify_find(v, leaf->index, "limit_use",
				       (int64_t)r->seq,
				       "a limit's use is not recorded");
	}
	if (bad)
		cs_verify_find(v, leaf->index, "attempt", (int64_t)r->seq,
			       "its limits are malformed");
	return true;
}

/* Write the entry again; compare it with the stored one and the hash. */
static bool compare_entry(struct cs_verify *v, const struct cs_verify_row *leaf,
			  const struct cs_leaf_record *r, struct cs_error *err)
{
	struct cs_error why = {0};
	uint8_t hash[CS_TREE_HASH];

	cs_buf_reset(&v->entry);
	if (!cs_leaf_entry_write(v->hash, r->body, r, &v->entry, &why)) {
		if (!cs_verify_is_finding(&why)) {
			if (err != NULL)
				*err = why;
			return false;
		}
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "its rows make no leaf: %s", why.text);
		return true;
	}
	if (!cs_tree_leaf_hash(v->hash, cs_buf_span(&v->entry), hash, err))
		return false;
	if (!cs_span_equal(leaf->hash, cs_span_make(hash, sizeof(hash))))
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "its rows do not give its hash");
	if (!cs_span_equal(leaf->entry, cs_buf_span(&v->entry)))
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "its entry is not what its rows give");
	return check_terms(v, leaf, r->terms, err) &&
	       check_limits(v, leaf, r, err);
}

/* A leaf that ends an attempt: the attempt's rows, or a finding. */
static bool with_attempt(struct cs_verify *v, const struct cs_verify_row *leaf,
			 struct cs_leaf_record *r, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_ATTEMPT);
	bool abandoned = r->kind == CS_LEAF_ATTEMPT_ABANDONED;
	bool row = false;
	bool ok = true;

	cs_stmt_int(&s, (int64_t)leaf->index);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (!row) {
		cs_verify_find(v, leaf->index, "outcome", 0,
			       "no attempt ends in this leaf");
		cs_stmt_end(&s);
		return true;
	}
	if (leaf->request != 0 &&
	    cs_stmt_col_int(&s, A_REQUEST) != leaf->request)
		cs_verify_find(v, leaf->index, "attempt",
			       cs_stmt_col_int(&s, A_SEQ),
			       "it belongs to another request than its leaf");
	if (cs_stmt_is_null(&s, A_SIGNATURE) != abandoned)
		cs_verify_find(v, leaf->index, "outcome",
			       cs_stmt_col_int(&s, A_SEQ),
			       "signature: there must be one exactly when the "
			       "attempt was not abandoned");
	take_attempt(&s, r);
	if (abandoned)
		r->id = fixed(&s, A_REQUEST_ID, 16);
	else
		ok = put_certificate(v, &s, cs_stmt_col(&s, A_SIG_ALG), err);
	r->certificate = cs_buf_span(&v->der);
	if (abandoned)
		r->certificate = cs_span_make(NULL, 0);
	ok = ok && compare_entry(v, leaf, r, err);
	cs_stmt_end(&s);
	return ok;
}

/* A leaf that ends a request without a certificate. */
static bool with_refusal(struct cs_verify *v, const struct cs_verify_row *leaf,
			 struct cs_leaf_record *r, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_REFUSAL);
	bool row = false;
	bool ok;

	cs_stmt_int(&s, (int64_t)leaf->index);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (!row) {
		cs_verify_find(v, leaf->index, "refusal", 0,
			       "no row says why it was refused");
		cs_stmt_end(&s);
		return true;
	}
	if (cs_stmt_col_int(&s, F_REQUEST) != leaf->request)
		cs_verify_find(v, leaf->index, "refusal", (int64_t)leaf->index,
			       "it belongs to another request than its leaf");
	take_refusal(&s, r);
	ok = compare_entry(v, leaf, r, err);
	cs_stmt_end(&s);
	return ok;
}

/* Are the columns that repeat the attempt's and its issuer's the same? */
static bool same_attempt(struct cs_stmt *s)
{
	int64_t shards = cs_stmt_col_int(s, V_SHARDS);

	return !cs_stmt_is_null(s, V_OF_REQUEST) && shards > 0 &&
	       cs_stmt_col_int(s, V_ISSUER) ==
		       cs_stmt_col_int(s, V_OF_ISSUER) &&
	       cs_span_equal(cs_stmt_col(s, V_SERIAL),
			     cs_stmt_col(s, V_OF_SERIAL)) &&
	       cs_stmt_col_int(s, V_NOT_AFTER) ==
		       cs_stmt_col_int(s, V_OF_NOT_AFTER) &&
	       cs_stmt_col_int(s, V_SHARD) ==
		       cs_revoke_shard(cs_stmt_col(s, V_SERIAL),
				       (uint32_t)shards);
}

/* The revocation's members of the record. */
static void take_revocation(struct cs_stmt *s, struct cs_leaf_record *r)
{
	r->client = (uint64_t)cs_stmt_col_int(s, V_CLIENT);
	r->client_name = cs_stmt_col(s, V_CLIENT_NAME);
	r->credential = (uint64_t)cs_stmt_col_int(s, V_CREDENTIAL);
	r->uid = cs_stmt_col_int(s, V_UID);
	r->issuer = (uint64_t)cs_stmt_col_int(s, V_ISSUER);
	r->issuer_name = cs_stmt_col(s, V_ISSUER_NAME);
	r->generation = (uint64_t)cs_stmt_col_int(s, V_GENERATION);
	r->seq = (uint64_t)cs_stmt_col_int(s, V_SEQ);
	r->serial = cs_stmt_col(s, V_SERIAL);
	r->not_after_s = cs_stmt_col_int(s, V_NOT_AFTER);
	r->reason = (unsigned)cs_stmt_col_int(s, V_REASON);
	r->body = cs_stmt_col(s, V_BODY);
	r->terms = cs_stmt_col(s, V_TERMS);
}

/* A leaf that revokes an attempt's certificate. */
static bool with_revocation(struct cs_verify *v,
			    const struct cs_verify_row *leaf,
			    struct cs_leaf_record *r, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_REVOCATION);
	bool row = false;
	bool ok;

	if (leaf->request != 0)
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "a revocation names a request");
	cs_stmt_int(&s, (int64_t)leaf->index);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (!row) {
		cs_verify_find(v, leaf->index, "revocation", 0,
			       "no row says what was revoked");
		cs_stmt_end(&s);
		return true;
	}
	take_revocation(&s, r);
	if (!same_attempt(&s) || cs_stmt_col_int(&s, V_AT) != leaf->at_ms)
		cs_verify_find(v, leaf->index, "revocation", (int64_t)r->seq,
			       "it is not of the attempt and the time that "
			       "it names");
	ok = compare_entry(v, leaf, r, err);
	cs_stmt_end(&s);
	return ok;
}

/* The record of a CA from its rows, against the stored one. */
static bool compare_record(struct cs_verify *v,
			   const struct cs_verify_row *leaf,
			   const struct cs_leaf_record *r,
			   struct cs_span record, struct cs_error *err)
{
	struct cs_error why = {0};

	cs_buf_reset(&v->entry);
	if (!cs_leaf_record_write(v->hash, r, &v->entry, &why)) {
		if (cs_verify_is_finding(&why)) {
			cs_verify_find(v, leaf->index, "leaf",
				       (int64_t)leaf->index,
				       "its rows make no record: %s", why.text);
			return true;
		}
		if (err != NULL)
			*err = why;
		return false;
	}
	if (!cs_span_equal(cs_buf_span(&v->entry), record))
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "its record is not what its rows give");
	return true;
}

bool cs_verify_ca(struct cs_verify *v, const struct cs_verify_row *leaf,
		  struct cs_leaf_record *r, struct cs_span record,
		  struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_ATTEMPT);
	bool row = false;
	bool ok = true;

	cs_stmt_int(&s, (int64_t)leaf->index);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (!row) {
		cs_verify_find(v, leaf->index, "outcome", 0,
			       "no attempt ends in this leaf");
	} else if (!cs_stmt_is_null(&s, A_REQUEST)) {
		cs_verify_find(v, leaf->index, "attempt",
			       cs_stmt_col_int(&s, A_SEQ),
			       "the CA's certificate belongs to a request");
	} else {
		take_attempt(&s, r);
		ok = put_certificate(v, &s, tbs_algorithm(r->tbs), err);
		r->certificate = cs_buf_span(&v->der);
		r->rows = cs_buf_span(&v->rows);
		ok = ok && compare_record(v, leaf, r, record, err) &&
		     check_terms(v, leaf, r->terms, err);
	}
	cs_stmt_end(&s);
	return ok;
}

bool cs_verify_decision(struct cs_verify *v, const struct cs_verify_row *leaf,
			struct cs_error *err)
{
	enum cs_leaf_kind kind = (enum cs_leaf_kind)leaf->kind;
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_REQUEST);
	struct cs_leaf_record r;
	bool row = false;
	bool ok;

	cs_leaf_record_init(&r, kind, leaf->index, leaf->at_ms);
	if (kind == CS_LEAF_ATTEMPT_ABANDONED)
		return with_attempt(v, leaf, &r, err);
	if (kind == CS_LEAF_REVOKED)
		return with_revocation(v, leaf, &r, err);
	cs_stmt_int(&s, leaf->request);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (!row) {
		cs_verify_find(v, leaf->index, "request", leaf->request,
			       "the request that it decides is missing");
		cs_stmt_end(&s);
		return true;
	}
	if (!cs_span_equal_str(cs_stmt_col(&s, R_STATE),
			       cs_leaf_kind_name(kind)) ||
	    cs_stmt_is_null(&s, R_LEAF) ||
	    cs_stmt_col_int(&s, R_LEAF) != (int64_t)leaf->index)
		cs_verify_find(v, leaf->index, "request", leaf->request,
			       "its state or leaf is another decision's");
	take_request(&s, &r);
	ok = kind == CS_LEAF_ISSUED ? with_attempt(v, leaf, &r, err)
				    : with_refusal(v, leaf, &r, err);
	cs_stmt_end(&s);
	return ok;
}
