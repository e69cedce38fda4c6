#include "api/front_refusal.h"

#include <string.h>

#include "api/front_reply.h"
#include "api/front_room.h"
#include "base/json.h"

/* Bytes of a path that a refusal's record shows. */
#define MAX_PATH_SHOWN 256

struct cs_span cs_front_host(const struct cs_http_peer *peer)
{
	const char *colon = strrchr(peer->address, ':');

	if (peer->is_local || colon == NULL)
		return cs_span_str(peer->address);
	return cs_span_make(peer->address, (size_t)(colon - peer->address));
}

void cs_front_note(struct cs_front *f, const struct cs_front_refusal *r)
{
	struct cs_msg_auth_refused m;
	struct cs_buf *out;
	struct cs_error err;
	struct cs_json j;
	uint64_t suppressed;

	f->metrics.auth_refusals++;
	if (!cs_auth_refusal(f->auth, cs_clock_boot_ms(&f->config.clock),
			     &suppressed))
		return;
	out = cs_front_out(f);
	cs_json_begin(&j, out);
	cs_json_object(&j);
	if (r->address.n > 0) {
		cs_json_name(&j, "address");
		cs_json_text(&j, r->address);
	}
	if (r->client.n > 0) {
		cs_json_name(&j, "client");
		cs_json_text(&j, r->client);
	}
	cs_json_member_str(&j, "code", cs_problem_name(r->code));
	if (r->path.n > 0) {
		cs_json_name(&j, "path");
		cs_json_text(&j, cs_span_sub(r->path, 0, MAX_PATH_SHOWN));
	}
	if (suppressed > 0)
		cs_json_member_int(&j, "suppressed", (int64_t)suppressed);
	if (r->uid >= 0)
		cs_json_member_int(&j, "uid", r->uid);
	cs_json_end(&j);
	m.what = cs_buf_span(out);
	if (!cs_json_finish(&j, "the refusal", &err) ||
	    !cs_link_send_auth_refused(f->ledger, 0, &m, &err))
		cs_log_error(f->config.log, "front.refusal", &err);
}

void cs_front_note_refusal(struct cs_front *f, const struct cs_call *c)
{
	const struct cs_http_peer *peer = c->request->peer;
	struct cs_front_refusal r = {
		.address = cs_front_host(peer),
		.code = c->p->code,
		.path = c->request->head->path,
		.uid = peer->is_local ? (int64_t)peer->uid : -1,
	};

	if (c->who.client != NULL)
		r.client = c->who.client->name;
	cs_front_note(f, &r);
}

void cs_front_note_late(struct cs_front *f, uint64_t ticket, uint64_t client,
			struct cs_span code)
{
	const struct cs_http_peer *peer =
		f->server == NULL ? NULL
				  : cs_http_server_peer(f->server, ticket);
	const struct cs_client *c = cs_clients_by_id(f->clients, client);
	struct cs_front_refusal r = {
		.code = cs_problem_from_name(code),
		.uid = -1,
	};

	if (r.code == CS_PROBLEM_NONE)
		r.code = CS_PROBLEM_FORBIDDEN;
	if (peer != NULL)
		r.address = cs_front_host(peer);
	if (peer != NULL && peer->is_local)
		r.uid = (int64_t)peer->uid;
	if (c != NULL)
		r.client = c->name;
	cs_front_note(f, &r);
}

void cs_front_on_bad_certificate(void *ctx, const struct cs_http_peer *peer)
{
	const struct cs_front_refusal r = {
		.address = cs_front_host(peer),
		.code = CS_PROBLEM_BAD_CERTIFICATE,
		.path = CS_SPAN_LIT(""),
		.uid = -1,
	};
	struct cs_front *f = ctx;

	if (f->life == CS_FRONT_SERVING)
		cs_front_note(f, &r);
}
