#include "api/front_http.h"

#include <string.h>

#include "api/front_admin.h"
#include "api/front_clients.h"
#include "api/front_crl.h"
#include "api/front_evaluate.h"
#include "api/front_issuers.h"
#include "api/front_list.h"
#include "api/front_log.h"
#include "api/front_metrics.h"
#include "api/front_ocsp.h"
#include "api/front_policy.h"
#include "api/front_read.h"
#include "api/front_refusal.h"
#include "api/front_reply.h"
#include "api/front_request.h"
#include "api/front_revoke.h"
#include "api/front_room.h"

typedef bool handler_fn(struct cs_front *f, struct cs_call *c);

static handler_fn *const handlers[CS_ROUTES] = {
	[CS_ROUTE_HEALTHZ] = cs_front_healthz,
	[CS_ROUTE_READYZ] = cs_front_readyz,
	[CS_ROUTE_OPENAPI] = cs_front_get_openapi,
	[CS_ROUTE_STATUS] = cs_front_get_status,
	[CS_ROUTE_SUBMIT] = cs_front_submit,
	[CS_ROUTE_REQUESTS] = cs_front_list_requests,
	[CS_ROUTE_REQUEST] = cs_front_get_request,
	[CS_ROUTE_APPROVE] = cs_front_approve,
	[CS_ROUTE_DENY] = cs_front_deny,
	[CS_ROUTE_CERTIFICATE] = cs_front_get_certificate,
	[CS_ROUTE_CERTIFICATES] = cs_front_list_certificates,
	[CS_ROUTE_HISTORY] = cs_front_list_history,
	[CS_ROUTE_REVOKE] = cs_front_revoke,
	[CS_ROUTE_AUDIT] = cs_front_list_audit,
	[CS_ROUTE_AUDIT_ENTRY] = cs_front_get_audit,
	[CS_ROUTE_AUDIT_PROOF] = cs_front_get_proof,
	[CS_ROUTE_CHECKPOINT] = cs_front_get_checkpoint,
	[CS_ROUTE_TILE] = cs_front_get_tile,
	[CS_ROUTE_ENTRIES] = cs_front_get_entries,
	[CS_ROUTE_CRL] = cs_front_get_crl,
	[CS_ROUTE_CRLS] = cs_front_list_crls,
	[CS_ROUTE_CRL_PUBLISH] = cs_front_publish_crls,
	[CS_ROUTE_ISSUERS] = cs_front_list_issuers,
	[CS_ROUTE_ISSUER] = cs_front_get_issuer,
	[CS_ROUTE_CHAIN] = cs_front_get_chain,
	[CS_ROUTE_POLICIES] = cs_front_get_policies,
	[CS_ROUTE_POLICY_SET] = cs_front_get_policy_set,
	[CS_ROUTE_EVALUATE] = cs_front_evaluate,
	[CS_ROUTE_POLICIES_APPLY] = cs_front_apply_policies,
	[CS_ROUTE_CLIENTS] = cs_front_list_clients,
	[CS_ROUTE_CLIENT_ADD] = cs_front_add_client,
	[CS_ROUTE_CLIENT_REMOVE] = cs_front_remove_client,
	[CS_ROUTE_CLIENT_TOKEN] = cs_front_add_token,
	[CS_ROUTE_CLIENT_CERTIFICATE] = cs_front_add_certificate,
	[CS_ROUTE_CLIENT_REVOKE] = cs_front_revoke_credential,
	[CS_ROUTE_CLOCK_ACCEPT] = cs_front_accept_clock,
	[CS_ROUTE_BACKUP] = cs_front_backup,
	[CS_ROUTE_METRICS] = cs_front_get_metrics,
	[CS_ROUTE_OCSP] = cs_front_post_ocsp,
	[CS_ROUTE_OCSP_GET] = cs_front_get_ocsp,
};

/* Is the body's media type what the route takes (RFC 9110 8.3.1)? */
static bool check_media_type(const struct cs_call *c, enum cs_route route)
{
	const struct cs_span wanted =
		route == CS_ROUTE_OCSP ? CS_SPAN_LIT("application/ocsp-request")
				       : CS_SPAN_LIT("application/json");
	struct cs_span type = c->request->head->content_type;

	if (c->request->body.n == 0)
		return true;
	if (cs_span_equal_icase(cs_span_sub(type, 0, wanted.n), wanted) &&
	    (type.n == wanted.n || type.p[wanted.n] == ';' ||
	     type.p[wanted.n] == ' '))
		return true;
	return cs_problem_set(c->p, CS_PROBLEM_BAD_CONTENT_TYPE, "",
			      "The body must be %.*s, not \"%.*s\".",
			      CS_SPAN_FMT(wanted),
			      CS_SPAN_FMT(cs_span_sub(type, 0, 80)));
}

/* Does who is asking hold what the route needs? */
static bool check_rights(const struct cs_call *c,
			 const struct cs_route_row *row)
{
	const struct cs_client *client = c->who.client;

	if (row->access == CS_ACCESS_LOCAL && !c->who.is_local)
		return cs_problem_set(c->p, CS_PROBLEM_LOCAL_ONLY, "",
				      "Administration is done over the Unix"
				      " socket, on the server itself.");
	if (row->rights == 0 || (client->rights & row->rights) != 0)
		return true;
	return cs_problem_set(c->p, CS_PROBLEM_FORBIDDEN, "",
			      "The client %.*s does not hold the right %s.",
			      CS_SPAN_FMT(client->name),
			      row->access == CS_ACCESS_LOCAL ? "admin"
			      : (row->rights & CS_RIGHT_AUDIT) != 0
				      ? "audit"
				      : cs_right_name(row->rights));
}

/* Who is it, and may it? What is refused is told to the ledger. */
static bool authorize(struct cs_front *f, struct cs_call *c,
		      const struct cs_route_row *row)
{
	const struct cs_clock *clock = &f->config.clock;
	bool presented = false;

	if (row->access == CS_ACCESS_PUBLIC ||
	    row->access == CS_ACCESS_ANYBODY ||
	    (row->route == CS_ROUTE_METRICS &&
	     cs_front_may_scrape(f, c->request->peer)))
		return true;
	if (f->life == CS_FRONT_STARTING)
		return cs_problem_set(c->p, CS_PROBLEM_STARTING, "",
				      "The server is starting.");
	if (!cs_auth_identify(f->auth, f->clients, c->request->peer,
			      c->request->head->authorization,
			      cs_clock_wall_ms(clock), cs_clock_boot_ms(clock),
			      &c->who, &presented, c->p)) {
		if (presented)
			cs_front_note_refusal(f, c);
		return false;
	}
	if (!check_rights(c, row)) {
		cs_front_note_refusal(f, c);
		return false;
	}
	return true;
}

/* Does a parameter of the query begin like this? */
static bool begins_parameter(struct cs_span query, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i + n <= query.n; i++) {
		if ((i == 0 || query.p[i - 1] == '&') &&
		    memcmp(query.p + i, name, n) == 0)
			return true;
	}
	return false;
}

/*
 * RFC 6750 2.3: what stands in an address is written to the logs of proxies
 * and shells. A token there is known to others by now, and is not taken.
 */
static bool check_target(const struct cs_call *c)
{
	static const char *const names[] = {"access_token=", "token="};
	const struct cs_http_head *head = c->request->head;
	bool found = cs_auth_holds_token(head->path) ||
		     cs_auth_holds_token(head->query);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		found = found || begins_parameter(head->query, names[i]);
	if (!found)
		return true;
	return cs_problem_set(c->p, CS_PROBLEM_TOKEN_IN_TARGET, "",
			      "A token belongs into the Authorization header"
			      " and nowhere else. Revoke this one: addresses"
			      " are written to logs.");
}

/*
 * What came in clear text: no credential, which others have read by now, and
 * nothing but what is public.
 */
static bool check_clear_text(struct cs_front *f, struct cs_call *c,
			     const struct cs_route_row *row)
{
	if (!c->request->peer->is_clear_text)
		return true;
	if (c->request->head->authorization.p != NULL) {
		cs_problem_set(c->p, CS_PROBLEM_CREDENTIAL_IN_CLEAR_TEXT, "",
			       "This connection is not encrypted, and nobody "
			       "is known by a credential here. Revoke this "
			       "one: others may have read it.");
		cs_front_note_refusal(f, c);
		return false;
	}
	if (row != NULL && row->access == CS_ACCESS_PUBLIC)
		return true;
	return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
			      "There is nothing at this path.");
}

/* From the path to the handler's answer, or to a problem. */
static bool serve(struct cs_front *f, struct cs_call *c, char *allow)
{
	const struct cs_http_head *head = c->request->head;
	struct cs_route_match match = {0};
	enum cs_route_result found =
		cs_route_find(head->method, head->path, &match, allow);

	if (!check_target(c) || !check_clear_text(f, c, match.row))
		return false;
	switch (found) {
	case CS_ROUTE_NO_PATH:
		return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
				      "There is nothing at this path.");
	case CS_ROUTE_NO_METHOD:
		return cs_problem_set(c->p, CS_PROBLEM_METHOD_NOT_ALLOWED, "",
				      "Possible here: %s.", allow);
	case CS_ROUTE_FOUND:
		break;
	}
	c->arg = match.args[0];
	c->arg2 = match.args[1];
	if (!authorize(f, c, match.row) ||
	    !check_media_type(c, match.row->route))
		return false;
	/*
	 * A client whose request was on its way when the doors were shut is
	 * served; the server lets in no more of them. Acts of administration
	 * can be repeated, and could take longer than there is time.
	 */
	if (f->life >= CS_FRONT_STOPPING &&
	    match.row->access == CS_ACCESS_LOCAL)
		return cs_problem_set(c->p, CS_PROBLEM_STOPPING, "",
				      "The server is stopping.");
	return handlers[match.row->route](f, c);
}

/* At level debug: what came in. Never a header's value, nor a body. */
static void log_request(struct cs_front *f,
			const struct cs_http_request *request)
{
	static const char *const methods[] = {
		[CS_HTTP_GET] = "GET",
		[CS_HTTP_HEAD] = "HEAD",
		[CS_HTTP_POST] = "POST",
		[CS_HTTP_DELETE] = "DELETE",
	};
	const struct cs_log_field fields[] = {
		{"method", cs_span_str(methods[request->head->method]), 0},
		{"path", request->head->path, 0},
		{"peer", cs_span_str(request->peer->address), 0},
		{"ticket", {NULL, 0}, (int64_t)request->ticket},
	};

	if (f->config.log == NULL || f->config.log->level < CS_LOG_DEBUG)
		return;
	cs_log_fields(f->config.log, CS_LOG_DEBUG, "http.request", fields,
		      sizeof(fields) / sizeof(fields[0]), "a request");
}

void cs_front_on_request(void *ctx, const struct cs_http_request *request)
{
	struct cs_front *f = ctx;
	struct cs_problem p = {.code = CS_PROBLEM_NONE};
	struct cs_call c = {
		.ticket = request->ticket,
		.request = request,
		.p = &p,
	};
	char allow[CS_ROUTE_ALLOW] = "";

	cs_arena_reset(&f->arena);
	log_request(f, request);
	if (serve(f, &c, allow))
		return;
	if (p.code == CS_PROBLEM_METHOD_NOT_ALLOWED)
		cs_front_reply_405(f, c.ticket, &p, allow);
	else
		cs_front_reply_problem(f, c.ticket, &p);
}

void cs_front_on_gone(void *ctx, uint64_t ticket)
{
	struct cs_front *f = ctx;

	for (size_t i = 0; i < cs_inflight_capacity(f->inflight); i++) {
		struct cs_flight *flight = cs_inflight_at(f->inflight, i);

		if (flight == NULL || flight->waiter != ticket ||
		    flight->owner == CS_FLIGHT_HOUSE)
			continue;
		flight->owner = CS_FLIGHT_NOBODY;
		flight->waiter = 0;
	}
	for (size_t i = 0; i < cs_waits_capacity(f->waits); i++) {
		struct cs_wait *w = cs_waits_at(f->waits, i);

		if (w == NULL || w->http != ticket)
			continue;
		w->http = 0;
		if (w->kind == CS_WAIT_LIST && w->list.parked)
			cs_waits_end(f->waits, w);
	}
}
