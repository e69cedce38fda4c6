#include "store/leaf.h"

#include <string.h>

#include "base/json.h"
#include "base/terms.h"

/* The closed list of kinds (docs/log-format.md). */
static const struct {
	enum cs_leaf_kind kind;
	const char *name;
} kinds[] = {
	{CS_LEAF_ISSUED, "issued"},
	{CS_LEAF_REFUSED, "refused"},
	{CS_LEAF_DENIED, "denied"},
	{CS_LEAF_EXPIRED, "expired"},
	{CS_LEAF_ATTEMPT_ABANDONED, "attempt.abandoned"},
	{CS_LEAF_REVOKED, "revoked"},
	{CS_LEAF_POLICY_APPLIED, "policy.applied"},
	{CS_LEAF_POLICY_REJECTED, "policy.rejected"},
	{CS_LEAF_CLIENT_CHANGED, "client.changed"},
	{CS_LEAF_AUTH_REFUSED, "auth.refused"},
	{CS_LEAF_KEY_USED, "key.used"},
	{CS_LEAF_CRL_SIGNED, "crl.signed"},
	{CS_LEAF_CONFIG_APPLIED, "config.applied"},
	{CS_LEAF_CA_CREATED, "ca.created"},
	{CS_LEAF_BACKUP, "backup"},
	{CS_LEAF_RESTORE, "restore"},
	{CS_LEAF_CLOCK, "clock"},
	{CS_LEAF_START, "start"},
	{CS_LEAF_STOP, "stop"},
	{CS_LEAF_PURGED, "purged"},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A free text stands whole up to this many octets. */
#define MAX_TEXT 256

#define HEAD   "{\"decision\":"
#define MIDDLE ",\"record\":"
#define TAIL   ",\"v\":1}"
#define FRAME  (sizeof(HEAD) + sizeof(MIDDLE) + sizeof(TAIL) - 3)

const char *cs_leaf_kind_name(enum cs_leaf_kind kind)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].kind == kind)
			return kinds[i].name;
	}
	return NULL;
}

bool cs_leaf_kind_parse(struct cs_span name, enum cs_leaf_kind *ret_kind)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (cs_span_equal_str(name, kinds[i].name)) {
			*ret_kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

bool cs_leaf_kind_is_decision(enum cs_leaf_kind kind)
{
	return kind == CS_LEAF_ISSUED || kind == CS_LEAF_REFUSED ||
	       kind == CS_LEAF_DENIED || kind == CS_LEAF_EXPIRED;
}

bool cs_leaf_kind_has_terms(enum cs_leaf_kind kind)
{
	return cs_leaf_kind_is_decision(kind) || kind == CS_LEAF_REVOKED;
}

bool cs_leaf_files_term(enum cs_leaf_kind kind, uint8_t field)
{
	return kind != CS_LEAF_ISSUED ||
	       (field != CS_TERM_SERIAL && field != CS_TERM_SPKI);
}

void cs_leaf_record_init(struct cs_leaf_record *r, enum cs_leaf_kind kind,
			 uint64_t index, int64_t at_ms)
{
	*r = (struct cs_leaf_record){.kind = kind,
				     .index = index,
				     .at_ms = at_ms,
				     .uid = -1,
				     .approval = {.uid = -1}};
}

/* The writer of one record: errors are sticky, like those of its buffer. */
struct writer {
	struct cs_json json;
	struct cs_hash *hash; /* borrowed */
	struct cs_error *err; /* of the first hash that failed */
	bool failed;
};

/* A member with the SHA-256 of octets, unless there are none. */
static void put_sha256(struct writer *w, const char *name,
		       struct cs_span octets)
{
	uint8_t digest[CS_SHA256_SIZE];

	if (octets.n == 0 || w->failed)
		return;
	if (!cs_hash_sha256(w->hash, octets, digest, w->err)) {
		w->failed = true;
		return;
	}
	cs_json_member_hex(&w->json, name,
			   cs_span_make(digest, sizeof(digest)));
}

/* A member in hexadecimal, unless p is NULL or n is 0. */
static void put_hex(struct writer *w, const char *name, const uint8_t *p,
		    size_t n)
{
	if (p != NULL && n > 0)
		cs_json_member_hex(&w->json, name, cs_span_make(p, n));
}

/* A text member, unless it is empty. Fails on what is not UTF-8. */
static void put_text(struct writer *w, const char *name, struct cs_span utf8)
{
	if (utf8.n > 0)
		cs_json_member_span(&w->json, name, utf8);
}

/* A number, unless it is the one that says nothing. */
static void put_int(struct writer *w, const char *name, int64_t v, int64_t none)
{
	if (v != none)
		cs_json_member_int(&w->json, name, v);
}

/* As put_int for row ids and counts; too large a one fails the writer. */
static void put_uint(struct writer *w, const char *name, uint64_t v)
{
	put_int(w, name, v > INT64_MAX ? INT64_MAX : (int64_t)v, 0);
}

/* A text member; a long one as {"sha256":hex,"size":n}. */
static void put_free_text(struct writer *w, const char *name,
			  struct cs_span utf8)
{
	if (utf8.n <= MAX_TEXT) {
		put_text(w, name, utf8);
		return;
	}
	cs_json_name(&w->json, name);
	cs_json_object(&w->json);
	put_sha256(w, "sha256", utf8);
	put_uint(w, "size", utf8.n);
	cs_json_end(&w->json);
}

/* The approval's object. */
static void put_approval(struct writer *w, const struct cs_leaf_approval *a)
{
	if (a->client == 0)
		return;
	cs_json_name(&w->json, "approval");
	cs_json_object(&w->json);
	cs_json_member_int(&w->json, "at", a->at_ms);
	put_hex(w, "binds", a->binds, 32);
	put_free_text(w, "claimed_by", a->claimed_by);
	put_text(w, "client", a->client_name);
	put_uint(w, "client_id", a->client);
	put_uint(w, "credential", a->credential);
	put_uint(w, "denies", a->denies);
	put_free_text(w, "message", a->message);
	put_free_text(w, "reason", a->reason);
	put_uint(w, "self", a->self);
	put_int(w, "uid", a->uid, -1);
	cs_json_end(&w->json);
}

/* Members from "answer_version" to "inputs". */
static void put_first_half(struct writer *w, const struct cs_leaf_record *r)
{
	if (cs_leaf_kind_is_decision(r->kind))
		put_int(w, "answer_version", CS_ANSWER_VERSION, 0);
	put_approval(w, &r->approval);
	cs_json_member_int(&w->json, "at", r->at_ms);
	put_sha256(w, "body", r->body);
	put_sha256(w, "certificate", r->certificate);
	put_text(w, "client", r->client_name);
	put_uint(w, "client_id", r->client);
	put_uint(w, "credential", r->credential);
	put_sha256(w, "csr", r->csr);
	put_uint(w, "epoch", r->epoch);
	put_int(w, "expires", r->expires_ms, 0);
	put_hex(w, "fingerprint", r->fingerprint, 32);
	put_uint(w, "flags", r->flags);
	put_uint(w, "generation", r->generation);
	put_text(w, "hold", r->hold);
	put_hex(w, "id", r->id, 16);
	put_text(w, "idem_key", r->idem_key);
	cs_json_member_int(&w->json, "index",
			   r->index > INT64_MAX ? INT64_MAX
						: (int64_t)r->index);
	put_sha256(w, "inputs", r->inputs);
}

/* Members from "issuer" to "uid". */
static void put_second_half(struct writer *w, const struct cs_leaf_record *r)
{
	const char *kind = cs_leaf_kind_name(r->kind);

	put_text(w, "issuer", r->issuer_name);
	put_text(w, "issuer_asked", r->issuer_asked);
	put_uint(w, "issuer_id", r->issuer);
	cs_json_member_str(&w->json, "kind", kind == NULL ? "" : kind);
	put_sha256(w, "limits", r->limits);
	put_int(w, "not_after", r->not_after_s, 0);
	put_int(w, "not_before", r->not_before_ms, 0);
	put_int(w, "now", r->now_ms, 0);
	put_sha256(w, "pending_body", r->pending_body);
	put_sha256(w, "pending_terms", r->pending_terms);
	put_text(w, "realm", r->realm);
	put_uint(w, "reason", r->reason);
	put_int(w, "received", r->received_ms, 0);
	put_sha256(w, "rows", r->rows);
	put_sha256(w, "scalars", r->scalars);
	put_uint(w, "seq", r->seq);
	put_hex(w, "serial", r->serial.p, r->serial.n);
	put_hex(w, "set", r->set_sha256, 32);
	put_text(w, "source", r->source);
	put_hex(w, "spki", r->spki_sha256, 32);
	put_hex(w, "subject_key", r->subject_key, 32);
	put_sha256(w, "tbs", r->tbs);
	put_sha256(w, "terms", r->terms);
	put_int(w, "uid", r->uid, -1);
}

bool cs_leaf_record_write(struct cs_hash *h, const struct cs_leaf_record *r,
			  struct cs_buf *out, struct cs_error *err)
{
	struct writer w = {.hash = h, .err = err};

	cs_json_begin(&w.json, out);
	cs_json_object(&w.json);
	put_first_half(&w, r);
	put_second_half(&w, r);
	cs_json_end(&w.json);
	return !w.failed && cs_json_finish(&w.json, "record", err);
}

/* {"count":n,"sha256":hex} of an array. NULL: no memory, or hashing failed. */
static json_t *summary(struct cs_hash *h, const json_t *array,
		       struct cs_buf *scratch, struct cs_error *err)
{
	uint8_t digest[CS_SHA256_SIZE];
	char hex[2 * CS_SHA256_SIZE + 1];
	static const char digits[] = "0123456789abcdef";
	json_t *o;

	cs_buf_reset(scratch);
	if (!cs_json_canonical(array, scratch, err) ||
	    !cs_hash_sha256(h, cs_buf_span(scratch), digest, err))
		return NULL;
	for (size_t i = 0; i < sizeof(digest); i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[sizeof(hex) - 1] = '\0';
	o = json_pack("{s:I, s:s}", "count", (json_int_t)json_array_size(array),
		      "sha256", hex);
	if (o == NULL)
		cs_error_set(err, CS_E_NO_MEMORY, "leaf: no memory");
	return o;
}

/*
 * The member whose array is longest in canonical form, the first of equals
 * in the order of names; NULL in *ret_name when no array is left.
 */
static bool longest_array(json_t *decision, struct cs_buf *scratch,
			  const char **ret_name, struct cs_error *err)
{
	const char *name;
	json_t *value;
	size_t longest = 0;

	*ret_name = NULL;
	json_object_foreach(decision, name, value)
	{
		size_t n;

		if (!json_is_array(value))
			continue;
		cs_buf_reset(scratch);
		if (!cs_json_canonical(value, scratch, err))
			return false;
		n = cs_buf_span(scratch).n;
		if (n > longest || (n == longest && *ret_name != NULL &&
				    strcmp(name, *ret_name) < 0)) {
			longest = n;
			*ret_name = name;
		}
	}
	return true;
}

/* The last resort: {"sha256":hex,"size":n} of the whole decision. */
static bool digest_whole(struct cs_hash *h, struct cs_span decision,
			 struct cs_buf *out, struct cs_error *err)
{
	struct writer w = {.hash = h, .err = err};

	cs_json_begin(&w.json, out);
	cs_json_object(&w.json);
	put_sha256(&w, "sha256", decision);
	put_uint(&w, "size", decision.n);
	cs_json_end(&w.json);
	return !w.failed && cs_json_finish(&w.json, "decision", err);
}

/* Replace arrays by their summaries until the object fits into `max`. */
static bool shorten_object(struct cs_hash *h, json_t *object, size_t max,
			   struct cs_buf *out, bool *ret_fits,
			   struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf scratch;
	size_t start = out->n;

	cs_buf_init(&scratch, CS_MAX_MESSAGE);
	for (;;) {
		const char *name;
		json_t *less;

		if (!longest_array(object, &scratch, &name, err))
			return false;
		*ret_fits = name != NULL;
		if (name == NULL)
			return true;
		less = summary(h, json_object_get(object, name), &scratch, err);
		if (less == NULL)
			return false;
		if (json_object_set_new(object, name, less) != 0)
			return cs_error_set(err, CS_E_NO_MEMORY,
					    "leaf: no memory");
		cs_buf_reset(&scratch);
		if (!cs_json_canonical(object, &scratch, err))
			return false;
		if (cs_buf_span(&scratch).n <= max) {
			cs_buf_truncate(out, start);
			return cs_buf_add(out, cs_buf_span(&scratch)) ||
			       cs_buf_finish(out, "leaf", err);
		}
	}
}

/* Append the decision in at most `max` octets. */
static bool put_decision(struct cs_hash *h, struct cs_span decision, size_t max,
			 struct cs_buf *out, struct cs_error *err)
{
	json_t *object;
	bool fits = false;
	bool ok;

	if (decision.n <= max) {
		cs_buf_add(out, decision);
		return cs_buf_finish(out, "leaf", err);
	}
	object = cs_json_parse(decision, "decision", err);
	if (object == NULL)
		return false;
	ok = !json_is_object(object) ||
	     shorten_object(h, object, max, out, &fits, err);
	json_decref(object);
	if (!ok || fits)
		return ok;
	return digest_whole(h, decision, out, err);
}

bool cs_leaf_entry_write(struct cs_hash *h, struct cs_span decision,
			 const struct cs_leaf_record *r, struct cs_buf *out,
			 struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf record;
	size_t start = out->n;
	size_t n;

	cs_buf_init(&record, CS_MAX_LEAF);
	if (!cs_leaf_record_write(h, r, &record, err))
		return false;
	n = cs_buf_span(&record).n;
	if (n + FRAME > CS_MAX_LEAF)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "record: %zu octets do not fit a leaf", n);
	cs_buf_add_str(out, HEAD);
	if (!put_decision(h, decision, CS_MAX_LEAF - FRAME - n, out, err))
		return false;
	cs_buf_add_str(out, MIDDLE);
	cs_buf_add(out, cs_buf_span(&record));
	cs_buf_add_str(out, TAIL);
	if (!cs_buf_finish(out, "leaf", err))
		return false;
	if (out->n - start > CS_MAX_LEAF)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "leaf: %zu octets, at most %d",
				    out->n - start, CS_MAX_LEAF);
	return true;
}

/* The length of the object at the start of s, by its braces; 0: none. */
static size_t object_length(struct cs_span s)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted) {
			if (s.p[i] == '\\')
				i++;
			else if (s.p[i] == '"')
				quoted = false;
			continue;
		}
		if (s.p[i] == '"')
			quoted = true;
		else if (s.p[i] == '{')
			depth++;
		else if (s.p[i] == '}' && depth > 0 && --depth == 0)
			return i + 1;
		if (depth == 0)
			return 0;
	}
	return 0;
}

/* Take a literal off the front of *s. */
static bool take_literal(struct cs_span *s, struct cs_span literal)
{
	if (!cs_span_starts_with(*s, literal))
		return false;
	*s = cs_span_sub(*s, literal.n, SIZE_MAX);
	return true;
}

/* Take an object off the front of *s. */
static bool take_object(struct cs_span *s, struct cs_span *ret_object)
{
	size_t n = object_length(*s);

	*ret_object = cs_span_sub(*s, 0, n);
	*s = cs_span_sub(*s, n, SIZE_MAX);
	return n > 0;
}

bool cs_leaf_entry_split(struct cs_span entry, struct cs_span *ret_decision,
			 struct cs_span *ret_record, struct cs_error *err)
{
	struct cs_span rest = entry;
	struct cs_span decision;
	struct cs_span record;

	if (!take_literal(&rest, CS_SPAN_LIT(HEAD)) ||
	    !take_object(&rest, &decision) ||
	    !take_literal(&rest, CS_SPAN_LIT(MIDDLE)) ||
	    !take_object(&rest, &record) ||
	    !cs_span_equal(rest, CS_SPAN_LIT(TAIL)))
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "leaf: the entry is not of version 1");
	*ret_decision = decision;
	*ret_record = record;
	return true;
}
