#include "api/decide.h"

#include <string.h>

#include "api/body.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/limits.h"

/* Copy the texts out of the document. */
static bool keep_texts(struct cs_decide_body *b, struct cs_arena *arena,
		       struct cs_problem *p)
{
	if (cs_arena_dup(arena, b->reason, &b->reason) &&
	    cs_arena_dup(arena, b->message, &b->message) &&
	    cs_arena_dup(arena, b->claimed_by, &b->claimed_by))
		return true;
	return cs_problem_set(p, CS_PROBLEM_BUSY, "", "Out of memory.");
}

/* The fields, from a document. */
static bool read_fields(const struct cs_body *in, enum cs_decision decision,
			struct cs_decide_body *b)
{
	static const char *const fields[] = {"claimed_by", "message", "reason",
					     "request_sha256", NULL};
	struct cs_span hash;

	if (!cs_body_known(in, fields) ||
	    !cs_body_get_text(in, "reason", CS_BODY_LINE, CS_MAX_FREE_TEXT,
			      &b->reason) ||
	    !cs_body_get_text(in, "message", CS_BODY_LINES, CS_MAX_FREE_TEXT,
			      &b->message) ||
	    !cs_body_get_text(in, "claimed_by", CS_BODY_LINE, CS_MAX_PRINCIPAL,
			      &b->claimed_by) ||
	    !cs_body_get_text(in, "request_sha256", CS_BODY_LINE,
			      2 * sizeof(b->sha256), &hash))
		return false;
	b->has_sha256 = hash.p != NULL;
	if (!b->has_sha256 && decision == CS_DECIDE_APPROVE)
		return cs_body_refuse(in, "request_sha256",
				      "it is missing; it says what is"
				      " approved");
	if (b->has_sha256 &&
	    !cs_codec_hex_fixed(hash, b->sha256, sizeof(b->sha256)))
		return cs_body_refuse(in, "request_sha256",
				      "\"%.*s\" is no SHA-256 in hexadecimal",
				      CS_SPAN_FMT(hash));
	return true;
}

bool cs_decide_read(struct cs_span body, enum cs_decision decision,
		    struct cs_arena *arena, struct cs_decide_body *ret_body,
		    struct cs_problem *ret_problem)
{
	struct cs_body in = {.path = "", .p = ret_problem};
	struct cs_decide_body b = {0};
	bool ok;

	if (body.n == 0 && decision == CS_DECIDE_DENY) {
		*ret_body = b;
		return true;
	}
	in.object = cs_body_parse(body, ret_problem);
	if (in.object == NULL)
		return false;
	ok = read_fields(&in, decision, &b) &&
	     keep_texts(&b, arena, ret_problem);
	json_decref(in.object);
	if (ok)
		*ret_body = b;
	return ok;
}

/* Who may decide, and about this? */
static bool check(const struct cs_decide *d, struct cs_problem *p)
{
	const struct cs_client *c = d->who->client;
	struct cs_span issuer = d->stored->issuer;

	if (!cs_client_may(c, CS_RIGHT_APPROVE, issuer))
		return cs_problem_set(p, CS_PROBLEM_FORBIDDEN, "",
				      "The client %.*s may not approve or deny"
				      " for the issuer \"%.*s\" (right"
				      " approve).",
				      CS_SPAN_FMT(c->name),
				      CS_SPAN_FMT(issuer));
	if (d->body->claimed_by.n > 0 &&
	    !cs_client_may(c, CS_RIGHT_GATEWAY, issuer))
		return cs_problem_set(p, CS_PROBLEM_FORBIDDEN, "claimed_by",
				      "claimed_by: only a gateway may state"
				      " it; the client %.*s does not hold the"
				      " right gateway for the issuer"
				      " \"%.*s\".",
				      CS_SPAN_FMT(c->name),
				      CS_SPAN_FMT(issuer));
	if (d->body->has_sha256 &&
	    memcmp(d->body->sha256, d->stored->fingerprint,
		   sizeof(d->body->sha256)) != 0)
		return cs_problem_set(p, CS_PROBLEM_HASH_MISMATCH,
				      "request_sha256",
				      "request_sha256: the request with this"
				      " id has another one");
	return true;
}

/* The requester of a stored request: a member of its scalars. */
static bool requester_of(const struct cs_decide *d, struct cs_span *ret_name,
			 struct cs_problem *p)
{
	json_t *scalars = cs_json_parse(d->stored->scalars, "scalars", NULL);
	json_t *stated = json_object_get(scalars, "requester");
	bool ok = json_is_string(stated) &&
		  cs_arena_dup(d->arena, cs_body_string(stated), ret_name);

	json_decref(scalars);
	if (ok)
		return true;
	return cs_problem_set(p, CS_PROBLEM_BUSY, "",
			      "The stored request could not be read.");
}

/* The approver's word as it is recorded, in the arena. */
static bool write_approval(const struct cs_decide *d, enum cs_self self,
			   struct cs_span *ret_text, struct cs_problem *p)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text = {0};
	const struct cs_approval a = {
		.at_ms = d->now_ms,
		.by = d->who->client->name,
		.claimed_by = d->body->claimed_by,
		.reason = d->body->reason,
		.message = d->body->message,
		.self = self == CS_SELF_ALLOWED,
		.uid = d->who->uid,
	};
	struct cs_error err;

	cs_buf_init(&text, CS_MAX_SCALARS);
	if (!cs_approval_write(&a, &text, &err))
		return cs_problem_set(p, cs_problem_of_error(err.code), "",
				      "%s", err.text);
	if (!cs_arena_dup(d->arena, cs_buf_span(&text), ret_text))
		return cs_problem_set(p, CS_PROBLEM_BUSY, "", "Out of memory.");
	return true;
}

bool cs_decide_approve(const struct cs_decide *d,
		       struct cs_msg_request *ret_request,
		       struct cs_problem *ret_problem)
{
	struct cs_msg_request m = *d->stored;
	struct cs_span requester;
	enum cs_self self;

	if (!check(d, ret_problem) || !requester_of(d, &requester, ret_problem))
		return false;
	self = cs_submit_self(
		cs_submit_issuer(d->issuers, d->issuers_n, m.issuer), requester,
		d->who->client->name, d->body->claimed_by);
	if (self == CS_SELF_REFUSED)
		return cs_problem_set(ret_problem, CS_PROBLEM_SELF_APPROVAL, "",
				      "Requester and approver are one"
				      " (\"%.*s\"), which the issuer \"%.*s\""
				      " does not allow (self_approval).",
				      CS_SPAN_FMT(requester),
				      CS_SPAN_FMT(m.issuer));
	if (!write_approval(d, self, &m.approval, ret_problem))
		return false;
	m.flags = CS_REQ_KNOWN | CS_REQ_APPROVED |
		  (self == CS_SELF_ALLOWED ? CS_REQ_SELF : 0);
	m.approver_client = d->who->client->id;
	m.approver_credential = d->who->credential;
	m.shown = cs_serial_key_whole(&d->who->serial_key);
	*ret_request = m;
	return true;
}

bool cs_decide_deny(const struct cs_decide *d, struct cs_msg_deny *ret_deny,
		    struct cs_problem *ret_problem)
{
	struct cs_msg_deny m = {
		.client = d->who->client->id,
		.credential = d->who->credential,
		.uid = d->who->uid,
		.shown = cs_serial_key_whole(&d->who->serial_key),
	};

	if (!check(d, ret_problem) ||
	    !write_approval(d, CS_SELF_NO, &m.approval, ret_problem))
		return false;
	memcpy(m.id, d->stored->id, sizeof(m.id));
	memcpy(m.fingerprint, d->stored->fingerprint, sizeof(m.fingerprint));
	*ret_deny = m;
	return true;
}
