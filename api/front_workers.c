#include "api/front_workers.h"

#include <unistd.h>

#include "api/front_checks.h"
#include "api/front_evaluate.h"
#include "api/front_flights.h"
#include "api/front_policy.h"
#include "api/front_room.h"
#include "base/ipc.h"

/* Messages of a worker: reports about policy sets, and evaluations. */
static bool on_worker_message(void *ctx, struct cs_link *link, unsigned number,
			      uint64_t ticket, struct cs_span body, int fd,
			      struct cs_error *err)
{
	struct cs_front_worker *w = ctx;
	struct cs_msg_evaluated evaluated;
	struct cs_msg_checked checked;

	(void)link;
	if (fd >= 0)
		close(fd);
	switch (number) {
	case CS_MSG_CHECKED:
		if (!cs_msg_checked_decode(body, &checked, err))
			return false;
		cs_front_checked(w->front, ticket, &checked);
		return true;
	case CS_MSG_EVALUATED:
		if (!cs_msg_evaluated_decode(body, &evaluated, err))
			return false;
		cs_front_evaluated(w->front, ticket, &evaluated);
		return true;
	default:
		return cs_error_set(err, CS_E_PROTOCOL, "unexpected %s",
				    cs_msg_name(number));
	}
}

static void on_worker_gone(void *ctx, struct cs_link *link,
			   const struct cs_error *why)
{
	struct cs_front_worker *w = ctx;

	(void)link;
	if (why->code != CS_E_PEER_GONE)
		cs_log_error(w->front->config.log, "front.worker", why);
	cs_front_worker_gone(w->front, w->number);
}

bool cs_front_worker_link(struct cs_front *f, unsigned number, int fd,
			  struct cs_error *err)
{
	struct cs_front_worker *w;

	if (number >= CS_MAX_WORKERS || fd < 0) {
		if (fd >= 0)
			close(fd);
		return cs_error_set(err, CS_E_PROTOCOL,
				    "WORKER_LINK without a link");
	}
	w = &f->workers[number];
	cs_front_worker_gone(f, number);
	w->front = f;
	w->number = number;
	w->link = cs_link_new(f->loop, fd, CS_ROOM_F, CS_ROOM_W,
			      on_worker_message, on_worker_gone, w, err);
	if (w->link == NULL)
		return false;
	cs_inflight_worker_up(f->inflight, number);
	cs_front_pump(f);
	cs_front_pump_checks(f);
	return true;
}
