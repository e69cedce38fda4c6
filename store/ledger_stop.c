/* The end: when nothing is under way any more. */
#include "store/ledger_room.h"

/* The last leaf. */
static bool stop_leaf(struct cs_ledger *l, struct cs_error *err)
{
	return cs_ledger_draft(l, CS_LEAF_STOP, err) != NULL;
}

/* Is every signer there? Parent ends the house when one is not. */
static bool has_signers(const struct cs_ledger *l)
{
	for (size_t i = 0; i < l->signers_n; i++)
		if (l->signers[i] == NULL)
			return false;
	return l->signers_n > 0;
}

void cs_ledger_finish_if_drained(struct cs_ledger *l)
{
	struct cs_error err = {0};

	if (!l->stopping || l->over || l->first != NULL)
		return;
	if (l->attempts != NULL && has_signers(l) && !l->drained)
		return;
	cs_ledger_send_all_busy(l, "STOPPING", "the server is stopping");
	if (!l->split && !l->full && !cs_ledger_own_batch(l, stop_leaf, &err)) {
		cs_log_error(l->config.log, "ledger.stop", &err);
		l->over = true;
		cs_loop_stop(l->loop, CS_LEDGER_AGAIN);
		return;
	}
	cs_ledger_note_write(l, CS_WHEN_NOW);
	l->over = true;
	cs_loop_stop(l->loop, 0);
}
