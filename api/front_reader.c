#include "api/front_reader.h"

#include <unistd.h>

#include "api/front_admin.h"
#include "api/front_crl.h"
#include "api/front_issuers.h"
#include "api/front_life.h"
#include "api/front_list.h"
#include "api/front_log.h"
#include "api/front_look.h"
#include "api/front_ocsp.h"
#include "api/front_read.h"
#include "api/front_reply.h"
#include "api/front_request.h"
#include "api/front_room.h"
#include "base/ipc.h"

/* Nothing was found, or the question was not good. */
static void reply_nothing(struct cs_front *f, const struct cs_wait *w,
			  const struct cs_msg_page *m)
{
	struct cs_problem p;

	if (m->code.n > 0) {
		cs_front_reply_foreign(f, w->http, m->code, m->detail);
		return;
	}
	cs_problem_set(&p, CS_PROBLEM_NOT_FOUND, "",
		       "There is no such thing, or it is not yours to see.");
	cs_front_reply_problem(f, w->http, &p);
}

/* A PAGE: whose wait it is says what is made of it. */
static void on_page(struct cs_front *f, uint64_t ticket,
		    const struct cs_msg_page *m)
{
	struct cs_wait *w = cs_waits_find(f->waits, ticket);

	cs_histogram_add(&f->metrics.question_time, CS_HISTOGRAM_TIMES,
			 m->took_us);
	f->metrics.questions_failed +=
		m->found == 0 &&
		cs_problem_status(cs_problem_from_name(m->code)) >= 500;
	if (w == NULL)
		return;
	if (m->found == 0 && w->kind == CS_WAIT_LOOK) {
		cs_front_look_stored(f, w, cs_span_make(NULL, 0));
		return;
	}
	if (m->found == 0) {
		reply_nothing(f, w, m);
		cs_waits_end(f->waits, w);
		cs_front_check_stop(f);
		return;
	}
	switch (w->kind) {
	case CS_WAIT_APPROVE:
	case CS_WAIT_DENY:
		cs_front_decide(f, w, m->body);
		return;
	case CS_WAIT_REQUEST:
		if (cs_front_reply_request(f, w, m->body))
			return;
		break;
	case CS_WAIT_LOOK:
		cs_front_look_stored(f, w, m->body);
		return;
	case CS_WAIT_CERTIFICATE:
		cs_front_reply_certificate(f, w, m->body);
		break;
	case CS_WAIT_STATUS:
		cs_front_reply_status(f, w->http, m->body);
		break;
	case CS_WAIT_CRL:
		cs_front_reply_crl(f, w, m->body);
		break;
	case CS_WAIT_ISSUERS:
		cs_front_reply_issuers(f, w, m->body);
		break;
	case CS_WAIT_CHECKPOINT:
	case CS_WAIT_TILE:
		cs_front_reply_octets(f, w, m->body);
		break;
	case CS_WAIT_LIST:
		if (cs_front_list_page(f, w, m->body))
			return; /* it waits for more */
		break;
	default:
		cs_front_reply_json(f, w->http, 200, m->body);
		break;
	}
	cs_waits_end(f->waits, w);
	cs_front_check_stop(f);
}

bool cs_front_on_reader(void *ctx, struct cs_link *link, unsigned number,
			uint64_t ticket, struct cs_span body, int fd,
			struct cs_error *err)
{
	struct cs_front *f = ctx;
	union {
		struct cs_msg_page page;
		struct cs_msg_ocsp_answer ocsp;
		struct cs_msg_ocsp_responder responder;
	} m;

	(void)link;
	if (fd >= 0)
		close(fd);
	switch (number) {
	case CS_MSG_PAGE:
		if (!cs_msg_page_decode(body, &m.page, err))
			return false;
		on_page(f, ticket, &m.page);
		return true;
	case CS_MSG_OCSP_ANSWER:
		if (!cs_msg_ocsp_answer_decode(body, &m.ocsp, err))
			return false;
		cs_front_ocsp_answer(f, ticket, &m.ocsp);
		return true;
	case CS_MSG_OCSP_RESPONDER:
		if (!cs_msg_ocsp_responder_decode(body, &m.responder, err))
			return false;
		cs_front_ocsp_responder(f, &m.responder);
		return true;
	default:
		return cs_error_set(err, CS_E_PROTOCOL, "unexpected %s",
				    cs_msg_name(number));
	}
}
