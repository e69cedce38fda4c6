#include "api/submit.h"

#include <string.h>

#include "api/request_body.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/random.h"

/* Everything that one submission is made from. */
struct draft {
	const struct cs_submit *s;
	struct cs_request_body body;
	const struct cs_front_issuer *issuer;
	struct cs_span requester; /* the stated one, or the client */
	enum cs_self self;
	struct cs_problem *p;
};

const struct cs_front_issuer *cs_submit_issuer(
	const struct cs_front_issuer *issuers, size_t n, struct cs_span name)
{
	for (size_t i = 0; i < n; i++) {
		if (cs_span_equal_str(name, issuers[i].name))
			return &issuers[i];
	}
	return NULL;
}

enum cs_self cs_submit_self(const struct cs_front_issuer *issuer,
			    struct cs_span requester, struct cs_span approver,
			    struct cs_span claimed_by)
{
	if (!cs_span_equal(requester, approver) &&
	    (claimed_by.n == 0 || !cs_span_equal(requester, claimed_by)))
		return CS_SELF_NO;
	return issuer != NULL && issuer->self_approval ? CS_SELF_ALLOWED
						       : CS_SELF_REFUSED;
}

/* Out of memory, or a promise broken: what the caller can say. */
static bool fault(struct cs_problem *p, const struct cs_error *err)
{
	return cs_problem_set(p, cs_problem_of_error(err->code), "", "%s",
			      err->text);
}

/* Keep what a buffer holds in the arena. */
static bool keep(const struct draft *d, const struct cs_buf *b,
		 struct cs_span *ret_copy)
{
	if (cs_arena_dup(d->s->arena, cs_buf_span(b), ret_copy))
		return true;
	return cs_problem_set(d->p, CS_PROBLEM_BUSY, "", "Out of memory.");
}

/* Is it only asked what would be? */
static bool is_evaluation(const struct draft *d)
{
	return (d->s->flags & CS_SUBMIT_EVALUATE) != 0;
}

/* What the client has to hold for the issuer, and may do then. */
static enum cs_right needed_right(const struct draft *d)
{
	return is_evaluation(d) ? CS_RIGHT_AUDIT : CS_RIGHT_SUBMIT;
}

static const char *needed_words(const struct draft *d)
{
	return is_evaluation(d) ? "evaluate for" : "submit to";
}

/* The issuers of which the client may, in a sentence's form. */
static const char *known_issuers(const struct draft *d)
{
	const char *list = "";

	for (size_t i = 0; list != NULL && i < d->s->issuers_n; i++) {
		const char *name = d->s->issuers[i].name;

		if (cs_client_may(d->s->who->client, needed_right(d),
				  cs_span_str(name)))
			list = cs_arena_printf(d->s->arena, "%s%s%s", list,
					       list[0] != '\0' ? ", " : "",
					       name);
	}
	if (list == NULL)
		return "(out of memory)";
	return list[0] != '\0' ? list : "none";
}

/* Which issuer, and may the client submit to it, or evaluate for it? */
static bool resolve_issuer(struct draft *d)
{
	const struct cs_client *c = d->s->who->client;

	if (d->body.issuer.p == NULL)
		d->body.issuer = CS_SPAN_LIT("default");
	d->issuer = cs_submit_issuer(d->s->issuers, d->s->issuers_n,
				     d->body.issuer);
	if (d->issuer == NULL)
		return cs_problem_set(
			d->p, CS_PROBLEM_UNKNOWN_ISSUER, "issuer",
			"issuer: there is no issuer \"%.*s\"; those that %.*s"
			" may %s: %s",
			CS_SPAN_FMT(d->body.issuer), CS_SPAN_FMT(c->name),
			needed_words(d), known_issuers(d));
	if (!cs_client_may(c, needed_right(d), d->body.issuer))
		return cs_problem_set(
			d->p, CS_PROBLEM_FORBIDDEN, "issuer",
			"The client %.*s may not %s the issuer \"%.*s\" (right"
			" %s); those that it may %s: %s",
			CS_SPAN_FMT(c->name), needed_words(d),
			CS_SPAN_FMT(d->body.issuer),
			cs_right_name(needed_right(d)), needed_words(d),
			known_issuers(d));
	return true;
}

/* What only a gateway may state; and for which namespaces it may speak. */
static bool check_gateway(const struct draft *d)
{
	const struct cs_client *c = d->s->who->client;
	const struct cs_request_body *b = &d->body;
	const char *stated = b->requester.p != NULL	   ? "requester"
			     : b->namespace.p != NULL	   ? "namespace"
			     : b->namespace_labels != NULL ? "namespace_labels"
			     : b->owner.p != NULL	   ? "owner"
			     : b->renewal != CS_UNSTATED   ? "renewal"
			     : b->approval != NULL	   ? "approval"
			     : b->source.p != NULL	   ? "source"
							   : NULL;
	bool gateway = cs_client_may(c, CS_RIGHT_GATEWAY, b->issuer);

	if (is_evaluation(d))
		return true;
	if (stated != NULL && !gateway)
		return cs_problem_set(d->p, CS_PROBLEM_FORBIDDEN, stated,
				      "%s: only a gateway may state it; the"
				      " client %.*s does not hold the right"
				      " gateway for the issuer \"%.*s\".",
				      stated, CS_SPAN_FMT(c->name),
				      CS_SPAN_FMT(b->issuer));
	if (!gateway || c->all_namespaces)
		return true;
	if (b->namespace.p == NULL)
		return cs_problem_set(d->p, CS_PROBLEM_FORBIDDEN, "namespace",
				      "namespace: the client %.*s speaks for"
				      " some namespaces only and must say for"
				      " which.",
				      CS_SPAN_FMT(c->name));
	if (!cs_client_covers_namespace(c, b->namespace))
		return cs_problem_set(d->p, CS_PROBLEM_FORBIDDEN, "namespace",
				      "namespace: the client %.*s may not speak"
				      " for \"%.*s\".",
				      CS_SPAN_FMT(c->name),
				      CS_SPAN_FMT(b->namespace));
	return true;
}

/* May the client approve, and is it not approving itself? */
static bool check_approval(struct draft *d)
{
	const struct cs_client *c = d->s->who->client;
	const struct cs_request_body *b = &d->body;

	if (b->denied || !b->approved || is_evaluation(d))
		return true;
	if (!cs_client_may(c, CS_RIGHT_APPROVE, b->issuer))
		return cs_problem_set(d->p, CS_PROBLEM_FORBIDDEN, "conditions",
				      "conditions: the client %.*s may not"
				      " state Approved=True for the issuer"
				      " \"%.*s\" (right approve).",
				      CS_SPAN_FMT(c->name),
				      CS_SPAN_FMT(b->issuer));
	d->self =
		cs_submit_self(d->issuer, d->requester, c->name, b->claimed_by);
	if (d->self == CS_SELF_REFUSED)
		return cs_problem_set(
			d->p, CS_PROBLEM_SELF_APPROVAL, "conditions",
			"conditions: requester and approver are"
			" one (\"%.*s\"), which the issuer"
			" \"%.*s\" does not allow"
			" (self_approval).",
			CS_SPAN_FMT(d->requester), CS_SPAN_FMT(b->issuer));
	return true;
}

/* One key for one request: from the header, the body, or both alike. */
static bool resolve_key(const struct draft *d, struct cs_span *ret_key)
{
	struct cs_span header = d->s->idempotency_key;
	struct cs_span uid = d->body.uid;

	for (size_t i = 0; i < header.n; i++) {
		if (header.p[i] < 0x21 || header.p[i] > 0x7e)
			return cs_problem_set(d->p, CS_PROBLEM_BAD_HEADER,
					      "Idempotency-Key",
					      "Idempotency-Key: a byte that is"
					      " not visible ASCII");
	}
	if (header.p != NULL &&
	    (header.n == 0 || header.n > CS_MAX_IDEMPOTENCY_KEY))
		return cs_problem_set(d->p, CS_PROBLEM_BAD_HEADER,
				      "Idempotency-Key",
				      "Idempotency-Key: %zu bytes; 1 to %d are"
				      " possible",
				      header.n, CS_MAX_IDEMPOTENCY_KEY);
	if (header.p != NULL && uid.p != NULL && !cs_span_equal(header, uid))
		return cs_problem_set(d->p, CS_PROBLEM_BAD_FIELD, "uid",
				      "uid: \"%.*s\" and the Idempotency-Key"
				      " \"%.*s\" are different",
				      CS_SPAN_FMT(uid), CS_SPAN_FMT(header));
	*ret_key = header.p != NULL ? header : uid;
	return true;
}

/* A member with a value of the document, in canonical form. */
static void put_value(struct cs_json *j, const char *name, const json_t *value)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text = {0};

	if (value == NULL)
		return;
	cs_buf_init(&text, CS_MAX_HTTP_BODY);
	if (!cs_json_canonical(value, &text, NULL))
		j->failed = true;
	cs_json_name(j, name);
	cs_json_raw(j, cs_buf_span(&text));
}

static void put_text(struct cs_json *j, const char *name, struct cs_span text)
{
	if (text.p != NULL)
		cs_json_member_span(j, name, text);
}

static void put_bool(struct cs_json *j, const char *name,
		     enum cs_tristate value)
{
	if (value == CS_UNSTATED)
		return;
	cs_json_name(j, name);
	cs_json_bool(j, value == CS_TRUE);
}

/* SHA-256 of what was asked; what is absent is left out. */
static bool fingerprint(const struct draft *d, uint8_t ret_digest[32])
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text = {0};
	const struct cs_request_body *b = &d->body;
	struct cs_error err;
	struct cs_json j;

	cs_buf_init(&text, 2 * CS_MAX_HTTP_BODY);
	cs_json_begin(&j, &text);
	cs_json_object(&j);
	cs_json_member_span(&j, "csr", b->csr);
	put_text(&j, "duration", b->duration);
	put_bool(&j, "isCA", b->is_ca);
	cs_json_member_span(&j, "issuer", b->issuer);
	put_text(&j, "namespace", b->namespace);
	put_text(&j, "owner", b->owner);
	cs_json_member_span(&j, "requester", d->requester);
	put_value(&j, "usages", b->usages);
	cs_json_end(&j);
	if (!cs_json_finish(&j, "the fingerprint", &err) ||
	    !cs_hash_sha256(d->s->hash, cs_buf_span(&text), ret_digest, &err))
		return fault(d->p, &err);
	return true;
}

/* The requester's groups: the stated ones, or the client's own. */
static void put_groups(struct cs_json *j, const struct draft *d)
{
	const struct cs_client *c = d->s->who->client;

	if (d->body.requester.p != NULL) {
		put_value(j, "groups", d->body.groups);
		return;
	}
	if (c->groups_n == 0)
		return;
	cs_json_name(j, "groups");
	cs_json_array(j);
	for (size_t i = 0; i < c->groups_n; i++)
		cs_json_string(j, c->groups[i]);
	cs_json_end(j);
}

/* What stands beside the CSR, as it is recorded. */
static bool scalars(const struct draft *d, struct cs_span *ret_scalars)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text = {0};
	const struct cs_request_body *b = &d->body;
	struct cs_error err;
	struct cs_json j;

	cs_buf_init(&text, CS_MAX_SCALARS);
	cs_json_begin(&j, &text);
	cs_json_object(&j);
	put_value(&j, "attributes", b->attributes);
	/* A name or an issuer may bind many: which of them it was. */
	if (d->s->who->certificate != NULL)
		cs_json_member_hex(&j, "client_certificate",
				   cs_span_make(d->s->who->certificate, 32));
	put_value(&j, "conditions", b->conditions);
	if ((d->s->flags & CS_SUBMIT_DRY_RUN) != 0)
		put_bool(&j, "dry_run", CS_TRUE);
	put_text(&j, "duration", b->duration);
	put_groups(&j, d);
	put_bool(&j, "isCA", b->is_ca);
	put_text(&j, "issuer", b->issuer);
	put_text(&j, "namespace", b->namespace);
	put_value(&j, "namespace_labels", b->namespace_labels);
	put_text(&j, "owner", b->owner);
	put_bool(&j, "renewal", b->renewal);
	put_text(&j, "requester", d->requester);
	put_value(&j, "requester_extra", b->extra);
	put_text(&j, "uid", b->uid);
	put_value(&j, "usages", b->usages);
	cs_json_end(&j);
	if (cs_json_finish(&j, "the request's scalars", &err))
		return keep(d, &text, ret_scalars);
	if (err.code != CS_E_TOO_LARGE)
		return fault(d->p, &err);
	return cs_problem_set(d->p, CS_PROBLEM_BODY_TOO_LARGE, "",
			      "What stands beside the CSR takes more than %d"
			      " bytes.",
			      CS_MAX_SCALARS);
}

/* The approver's word, or the denier's; empty when there is none. */
static bool approval(const struct draft *d, struct cs_msg_request *m)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text = {0};
	const struct cs_request_body *b = &d->body;
	const struct cs_principal *who = d->s->who;
	const struct cs_approval a = {
		.at_ms = d->s->now_ms,
		.by = who->client->name,
		.claimed_by = b->claimed_by,
		.reason = b->reason,
		.message = b->message,
		.self = d->self == CS_SELF_ALLOWED,
		.uid = who->uid,
	};
	struct cs_error err;

	if (!b->approved && !b->denied)
		return true;
	cs_buf_init(&text, CS_MAX_SCALARS);
	if (!cs_approval_write(&a, &text, &err))
		return fault(d->p, &err);
	m->approver_client = who->client->id;
	m->approver_credential = who->credential;
	m->flags |= b->denied ? CS_REQ_DENIED : CS_REQ_APPROVED;
	if (a.self)
		m->flags |= CS_REQ_SELF;
	return keep(d, &text, &m->approval);
}

/* Another realm or source than the client's own. */
static bool state_way(const struct draft *d, struct cs_msg_request *m)
{
	const struct cs_request_body *b = &d->body;

	if ((b->realm.p == NULL ||
	     cs_arena_dup(d->s->arena, b->realm, &m->realm)) &&
	    (b->source.p == NULL ||
	     cs_arena_dup(d->s->arena, b->source, &m->source)))
		return true;
	return cs_problem_set(d->p, CS_PROBLEM_BUSY, "", "Out of memory.");
}

/*
 * A fresh id: the second, and 12 random octets. New ids stand beside each
 * other in the ledger's index; one that is random throughout costs a page of
 * it for each request.
 */
static bool make_id(int64_t now_ms, uint8_t ret_id[16], struct cs_error *err)
{
	uint64_t seconds = (uint64_t)(now_ms / 1000);

	for (int i = 0; i < 4; i++)
		ret_id[i] = (uint8_t)(seconds >> (24 - 8 * i));
	return cs_random_public(ret_id + 4, 12, err);
}

/* The message, from a draft that passed. */
static bool compose(const struct draft *d, struct cs_msg_request *ret_request)
{
	const struct cs_submit *s = d->s;
	const struct cs_client *c = s->who->client;
	struct cs_msg_request m = {
		.client = c->id,
		.credential = s->who->credential,
		.uid = s->who->uid,
		.shown = cs_serial_key_whole(&s->who->serial_key),
		.client_name = c->name,
		.realm = c->realm,
		.source = CS_SPAN_LIT("api"),
		.received_ms = s->now_ms,
	};
	struct cs_error err;

	if ((s->flags & CS_SUBMIT_DRY_RUN) != 0)
		m.flags |= CS_REQ_DRY_RUN;
	if (!resolve_key(d, &m.idem_key))
		return false;
	if (!make_id(s->now_ms, m.id, &err))
		return fault(d->p, &err);
	if (!fingerprint(d, m.fingerprint) || !scalars(d, &m.scalars) ||
	    !approval(d, &m))
		return false;
	if (!state_way(d, &m))
		return false;
	/* These borrow from the document, which ends with this call. */
	if (!cs_arena_dup(s->arena, d->body.csr, &m.csr) ||
	    !cs_arena_dup(s->arena, d->body.issuer, &m.issuer) ||
	    !cs_arena_dup(s->arena, m.idem_key, &m.idem_key))
		return cs_problem_set(d->p, CS_PROBLEM_BUSY, "",
				      "Out of memory.");
	*ret_request = m;
	return true;
}

bool cs_submit_document(const struct cs_submit *s, json_t *root,
			struct cs_msg_request *ret_request,
			struct cs_problem *ret_problem)
{
	struct draft d = {.s = s, .p = ret_problem};
	enum cs_request_form form =
		is_evaluation(&d) ? CS_REQUEST_EVALUATE : CS_REQUEST_SUBMIT;

	if (!cs_request_body_read(root, form, &d.body, ret_problem) ||
	    !resolve_issuer(&d))
		return false;
	d.requester = d.body.requester.p != NULL ? d.body.requester
						 : s->who->client->name;
	return check_gateway(&d) && check_approval(&d) &&
	       compose(&d, ret_request);
}

bool cs_submit_request(const struct cs_submit *s,
		       struct cs_msg_request *ret_request,
		       struct cs_problem *ret_problem)
{
	json_t *root = cs_body_parse(s->body, ret_problem);
	bool ok = root != NULL &&
		  cs_submit_document(s, root, ret_request, ret_problem);

	json_decref(root);
	return ok;
}
