#include "store/ledger_room.h"

/*
 * A wall clock may be behind what was recorded by this much before it counts
 * as set back: NTP steps of a second are usual after a start.
 */
#define BACK_MS 1000
/*
 * Between two looks, wall and boot clock may drift apart by this share of the
 * time that passed (chrony slews at most 100,000 ppm by default) and by this
 * much in any case (a scheduling delay between reading the two).
 */
#define SLEW_PER_MILLE 100
#define STEP_MS	       2000

/* Stop issuing, once, with a reason. */
static void distrust(struct cs_ledger *l, const char *why, int64_t by_ms)
{
	struct cs_error err = {0};

	if (l->clock_bad)
		return;
	l->clock_bad = true;
	cs_log_write(l->config.log, CS_LOG_ERROR, "clock.distrusted",
		     "%s by %lld ms; countersign clock accept goes on", why,
		     (long long)by_ms);
	cs_ledger_state_soon(l);
	/* Reading goes on, by whoever is not revoked at this time. */
	if (l->ready && !cs_ledger_revoked_tell_all(l, &err))
		cs_ledger_link_failed(l, &err);
}

/* Is the wall clock behind what was recorded? */
static void look_back(struct cs_ledger *l)
{
	int64_t behind = l->clock_ms - cs_clock_wall_ms(&l->config.clock);

	if (behind > BACK_MS)
		distrust(l, "the wall clock is behind the record", behind);
}

void cs_ledger_clock_start(struct cs_ledger *l)
{
	int64_t boot = cs_clock_boot_ms(&l->config.clock);

	l->clock_boot_ms = boot;
	l->clock_offset_ms = cs_clock_wall_ms(&l->config.clock) - boot;
	look_back(l);
}

void cs_ledger_clock_check(struct cs_ledger *l)
{
	int64_t boot = cs_clock_boot_ms(&l->config.clock);
	int64_t offset = cs_clock_wall_ms(&l->config.clock) - boot;
	int64_t passed = boot - l->clock_boot_ms;
	int64_t moved = offset - l->clock_offset_ms;
	int64_t allowed = STEP_MS + passed * SLEW_PER_MILLE / 1000;

	if (moved > allowed || moved < -allowed)
		distrust(l, "the wall clock jumped", moved);
}

void cs_ledger_clock_look(struct cs_ledger *l)
{
	int64_t boot = cs_clock_boot_ms(&l->config.clock);
	int64_t offset = cs_clock_wall_ms(&l->config.clock) - boot;

	cs_ledger_clock_check(l);
	look_back(l);
	/* While distrusted the old offset stays: a clock set right again
	 * is still to be accepted by somebody. */
	if (!l->clock_bad) {
		l->clock_offset_ms = offset;
		l->clock_boot_ms = boot;
	}
}
