#include "store/ledger_room.h"

enum cs_ledger_state cs_ledger_state(const struct cs_ledger *l)
{
	if (l->split)
		return CS_LEDGER_SPLIT;
	if (l->stopping)
		return CS_LEDGER_STOPPING;
	if (l->full)
		return CS_LEDGER_FULL;
	if (l->clock_bad)
		return CS_LEDGER_CLOCK;
	if (l->epoch == 0)
		return CS_LEDGER_NO_POLICY;
	return CS_LEDGER_ISSUING;
}

int64_t cs_ledger_now(const struct cs_ledger *l)
{
	int64_t wall = cs_clock_wall_ms(&l->config.clock);

	/* What is recorded never runs backwards unless accepted. */
	return wall > l->clock_ms ? wall : l->clock_ms;
}
