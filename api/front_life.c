#include "api/front_life.h"

#include <assert.h>

#include "api/front_room.h"
#include "base/ipc.h"

/* Exit statuses: done; the house has to start again. */
#define EXIT_DONE  0
#define EXIT_AGAIN 75

#define TO(life) (1u << CS_FRONT_##life)
static const unsigned moves[CS_FRONT_LIVES] = {
	[CS_FRONT_STARTING] = TO(SERVING) | TO(STOPPING) | TO(STOPPED),
	[CS_FRONT_SERVING] = TO(STOPPING) | TO(STOPPED),
	[CS_FRONT_STOPPING] = TO(STOPPED),
	[CS_FRONT_STOPPED] = 0,
};

/* What is true in each state. */
static bool invariant(const struct cs_front *f)
{
	switch (f->life) {
	case CS_FRONT_STARTING:
		return true;
	case CS_FRONT_SERVING:
		return f->clients != NULL && f->state.known &&
		       f->ledger != NULL && f->reader != NULL &&
		       f->parent != NULL;
	default:
		return true;
	}
}

static void move(struct cs_front *f, enum cs_front_life to)
{
	assert((moves[f->life] & (1u << to)) != 0);
	f->life = to;
	assert(invariant(f));
}

void cs_front_fail(struct cs_front *f, const char *what,
		   const struct cs_error *why)
{
	if (f->life == CS_FRONT_STOPPED)
		return;
	cs_log_error(f->config.log, what, why);
	move(f, CS_FRONT_STOPPED);
	cs_loop_stop(f->loop, EXIT_AGAIN);
}

void cs_front_check_ready(struct cs_front *f)
{
	const struct cs_msg_ready m = {.detail = {0}};
	struct cs_error err;

	if (f->life != CS_FRONT_STARTING || f->clients == NULL ||
	    !f->state.known)
		return;
	move(f, CS_FRONT_SERVING);
	if (!cs_link_send_ready(f->parent, 0, &m, &err))
		cs_front_fail(f, "front.ready", &err);
}

bool cs_front_begin_stop(struct cs_front *f)
{
	if (f->life >= CS_FRONT_STOPPING)
		return false;
	move(f, CS_FRONT_STOPPING);
	return true;
}

void cs_front_finish(struct cs_front *f)
{
	if (f->life != CS_FRONT_STOPPING)
		return;
	move(f, CS_FRONT_STOPPED);
	cs_loop_stop(f->loop, EXIT_DONE);
}

void cs_front_check_stop(struct cs_front *f)
{
	if (f->life == CS_FRONT_STOPPING && f->drained &&
	    cs_inflight_count(f->inflight) == 0 &&
	    cs_waits_count(f->waits) == 0)
		cs_front_finish(f);
}
