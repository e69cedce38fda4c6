#include "api/front_revoke.h"

#include "api/body.h"
#include "api/front_ask.h"
#include "api/front_room.h"
#include "api/params.h"
#include "base/codec.h"
#include "base/revoke.h"

/* {"message"?, "reason"?}; borrows from the document. */
static bool read_body(const struct cs_body *b, struct cs_msg_revoke *m)
{
	static const char *const fields[] = {"message", "reason", NULL};
	enum cs_reason reason = CS_REASON_UNSPECIFIED;
	struct cs_span name;
	struct cs_error err;

	if (!cs_body_known(b, fields) ||
	    !cs_body_get_text(b, "reason", CS_BODY_LINE, CS_MAX_NAME, &name) ||
	    !cs_body_get_text(b, "message", CS_BODY_LINES, CS_MAX_FREE_TEXT,
			      &m->message))
		return false;
	if (name.p != NULL && !cs_reason_parse(name, &reason, &err))
		return cs_body_refuse(b, "reason", "%s", err.text);
	m->reason = reason;
	return true;
}

/* REVOKE to the ledger; its ADMIN_DONE finds the wait. */
static bool send_revoke(struct cs_front *f, struct cs_call *c,
			const struct cs_msg_revoke *m)
{
	struct cs_error err;
	struct cs_wait *w;

	if (!cs_front_wait(f, c, CS_WAIT_ADMIN, &w))
		return false;
	if (cs_link_send_revoke(f->ledger, w->ticket, m, &err))
		return true;
	cs_waits_end(f->waits, w);
	return cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			      err.text);
}

bool cs_front_revoke(struct cs_front *f, struct cs_call *c)
{
	struct cs_body b = {.path = "", .p = c->p};
	struct cs_msg_revoke m = {
		.reason = CS_REASON_UNSPECIFIED,
		.credential = c->who.credential,
		.uid = c->who.uid,
		.shown = cs_serial_key_whole(&c->who.serial_key),
	};
	struct cs_error err;
	bool ok;

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	if (c->arg.n > 2 * CS_MAX_SERIAL ||
	    !cs_codec_hex_decode(c->arg, &f->arena, &m.serial, &err))
		return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
				      "This is no serial: expected hexadecimal"
				      " digits.");
	if (c->request->body.n == 0)
		return send_revoke(f, c, &m);
	b.object = cs_body_parse(c->request->body, c->p);
	if (b.object == NULL)
		return false;
	ok = read_body(&b, &m) && send_revoke(f, c, &m);
	json_decref(b.object);
	return ok;
}
