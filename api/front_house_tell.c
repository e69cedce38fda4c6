#include "api/front_house_tell.h"

#include "api/front_reply.h"
#include "api/front_room.h"
#include "base/codec.h"
#include "base/ipc.h"
#include "base/json.h"

/* How often a certificate of the house is asked for. */
#define HOUSE_TRIES 100

/* Why it was not issued: the answer's sentence, or that of its body. */
static struct cs_span house_why(struct cs_front *f,
				const struct cs_msg_answer *m)
{
	struct cs_span why = m->detail.n > 0 ? m->detail : m->body;
	struct cs_error err;
	const char *detail;
	json_t *body;

	if (m->detail.n > 0 || m->body.n == 0)
		return why;
	body = cs_json_parse(m->body, "the answer", &err);
	detail = json_string_value(json_object_get(body, "detail"));
	if (detail != NULL)
		(void)!cs_arena_dup(&f->arena, cs_span_str(detail), &why);
	json_decref(body);
	return why;
}

void cs_front_house_answer(struct cs_front *f, uint64_t ticket,
			   const struct cs_msg_answer *m)
{
	struct cs_msg_house_cert cert = {
		.ok = 1,
		.detail = house_why(f, m),
	};
	struct cs_error err;

	if (m->outcome == CS_ANSWER_BUSY && f->house.tries < HOUSE_TRIES) {
		f->house.wanted = true;
		cs_timer_start(f->retry, CS_FRONT_HOUSE_RETRY_MS);
		return;
	}
	if (m->outcome == CS_ANSWER_ISSUED) {
		struct cs_buf *out = cs_front_out(f);

		cs_codec_pem("CERTIFICATE", m->certificate, out);
		cs_buf_add(out, m->chain);
		cert.chain = cs_buf_span(out);
		cert.detail = (struct cs_span){0};
		cert.ok = cs_buf_ok(out) ? 1 : 0;
	} else {
		cert.ok = 0;
	}
	if (!cs_link_send_house_cert(f->parent, ticket, &cert, &err))
		cs_log_error(f->config.log, "front.house", &err);
}

void cs_front_house_failed(struct cs_front *f, struct cs_span detail)
{
	const struct cs_msg_house_cert cert = {.ok = 0, .detail = detail};
	struct cs_error err;

	f->house.wanted = false;
	if (!cs_link_send_house_cert(f->parent, f->house.ticket, &cert, &err))
		cs_log_error(f->config.log, "front.house", &err);
}
