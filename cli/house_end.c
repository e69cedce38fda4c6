/* What the other parts stand on: a room by its name, and the end of it all. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "cli/command.h"
#include "cli/house_parts.h"
#include "cli/notify.h"

/* How long a room may take to finish what is under way, and to go. */
#define DRAIN_MS 10000
#define STOP_MS	 15000
/* Rooms stop in this order; those of one stage together. */
static const enum cs_room stop_order[] = {CS_ROOM_F, CS_ROOM_W, CS_ROOM_R,
					  CS_ROOM_L, CS_ROOM_S};
#define STOP_STAGES (sizeof(stop_order) / sizeof(stop_order[0]))

const char *cs_house_room_name(enum cs_room room)
{
	static const char *const names[] = {
		[CS_ROOM_ANY] = "room", [CS_ROOM_P] = "parent",
		[CS_ROOM_F] = "front",	[CS_ROOM_W] = "worker",
		[CS_ROOM_L] = "ledger", [CS_ROOM_R] = "reader",
		[CS_ROOM_S] = "signer",
	};

	return names[room];
}

struct cs_house_proc *cs_house_find(struct cs_house *h, enum cs_room room)
{
	for (size_t i = 0; i < h->n_procs; i++)
		if (h->proc[i].room == room && h->proc[i].pid > 0)
			return &h->proc[i];
	return NULL;
}

void cs_house_end(struct cs_house *h, int status)
{
	for (size_t i = 0; i < h->n_procs; i++)
		if (h->proc[i].pid > 0)
			(void)kill(h->proc[i].pid, SIGKILL);
	for (size_t i = 0; i < h->n_procs; i++) {
		struct cs_house_proc *p = &h->proc[i];

		while (p->pid > 0 && waitpid(p->pid, NULL, 0) < 0 &&
		       errno == EINTR)
			;
		p->pid = 0;
	}
	if (h->status == 0)
		h->status = status;
	cs_loop_stop(h->loop, h->status);
}

void cs_house_fail(struct cs_house *h)
{
	cs_log_error(h->config->log, "house.ends", &h->why);
	cs_house_end(h, CS_EXIT_AGAIN);
}

/* Tell the rooms of the first stage that has living ones to stop. */
static void next_stop_stage(struct cs_house *h)
{
	const struct cs_msg_stop stop = {.drain_ms = DRAIN_MS};

	while (h->stop_stage < STOP_STAGES &&
	       cs_house_find(h, stop_order[h->stop_stage]) == NULL)
		h->stop_stage++;
	if (h->stop_stage == STOP_STAGES) {
		cs_loop_stop(h->loop, h->status);
		return;
	}
	for (size_t i = 0; i < h->n_procs; i++) {
		struct cs_house_proc *p = &h->proc[i];

		if (p->room != stop_order[h->stop_stage] || p->pid == 0)
			continue;
		/*
		 * One without a link, or that does not take it, is ending
		 * already, because others did. The timer ends the rest.
		 */
		if (p->link != NULL)
			(void)!cs_link_send_stop(p->link, CS_HOUSE_NO_TICKET,
						 &stop, NULL);
	}
	cs_timer_start(h->timer, STOP_MS);
}

void cs_house_stop(struct cs_house *h, int status)
{
	if (h->phase == CS_HOUSE_PHASE_STOPPING)
		return;
	if (h->status == 0)
		h->status = status;
	h->phase = CS_HOUSE_PHASE_STOPPING;
	h->stop_stage = 0;
	cs_notify("STOPPING=1");
	cs_log_write(h->config->log, CS_LOG_INFO, "house.stops",
		     "stopping, room by room");
	next_stop_stage(h);
}

void cs_house_stop_on(struct cs_house *h)
{
	if (cs_house_find(h, stop_order[h->stop_stage]) == NULL)
		next_stop_stage(h);
}

void cs_house_too_slow(void *ctx)
{
	struct cs_house *h = ctx;

	if (h->phase == CS_HOUSE_PHASE_STOPPING)
		cs_error_set(&h->why, CS_E_INTERNAL, "%s did not stop in %d s",
			     cs_house_room_name(stop_order[h->stop_stage]),
			     STOP_MS / 1000);
	else
		cs_error_set(&h->why, CS_E_INTERNAL,
			     "the house was not ready in %d s",
			     CS_HOUSE_INIT_MS / 1000);
	cs_house_fail(h);
}
