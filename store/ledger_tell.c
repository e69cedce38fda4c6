/* STATE: what people and other rooms are told of the ledger's state. */
#include <string.h>

#include "store/ledger_room.h"

/* Readers' tails wake no later than this after a commit. */
#define SOON_MS 50

/* A sentence for people; when it issues: a warning, or empty. */
static const char *reason(const struct cs_ledger *l)
{
	switch (cs_ledger_state(l)) {
	case CS_LEDGER_SPLIT:
		return l->reason;
	case CS_LEDGER_STOPPING:
		return "the server is stopping";
	case CS_LEDGER_FULL:
		return "no space is left for the ledger; it tries again";
	case CS_LEDGER_CLOCK:
		return "the wall clock is not trusted; see countersign clock "
		       "accept";
	case CS_LEDGER_NO_POLICY:
		return "no policy set was ever applied";
	default:
		return l->disk_low ? "little space is left for the ledger"
				   : cs_ledger_crl_trouble(l);
	}
}

/* STATE to one room. */
static void send(struct cs_ledger *l, struct cs_link *link)
{
	struct cs_msg_state m = {
		.state = (uint8_t)cs_ledger_state(l),
		.reason = cs_span_str(reason(l)),
		.tree_size = l->edge.size,
		.epoch = l->epoch,
		.seq = l->seq,
	};
	struct cs_error err = {0};

	memcpy(m.set_sha256, l->set_sha256, sizeof(m.set_sha256));
	if (link != NULL && !cs_link_send_state(link, 0, &m, &err))
		cs_ledger_link_failed(l, &err);
}

void cs_ledger_state_send(void *ctx)
{
	struct cs_ledger *l = ctx;

	l->tell_soon = false;
	send(l, l->front);
	send(l, l->reader);
}

void cs_ledger_state_soon(struct cs_ledger *l)
{
	if (l->tell_soon)
		return;
	l->tell_soon = true;
	cs_timer_start(l->tell, SOON_MS);
}

void cs_ledger_is_full(struct cs_ledger *l)
{
	if (!l->full)
		cs_log_write(l->config.log, CS_LOG_ERROR, "ledger.full",
			     "no space is left for the ledger");
	l->full = true;
	l->metrics->full++;
	cs_ledger_state_soon(l);
}
