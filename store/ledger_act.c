/* What every act of administration has: an object, and an end. */
#include <stdio.h>

#include "base/json.h"
#include "store/ledger_room.h"

void cs_ledger_act_done(struct cs_work *w, unsigned ok, const char *code,
			const char *detail)
{
	w->end = CS_END_ADMIN;
	w->ok = ok != 0;
	w->code = code;
	(void)snprintf(w->detail, sizeof(w->detail), "%.190s", detail);
}

void cs_ledger_act_begin(struct cs_ledger *l, struct cs_json *j)
{
	cs_buf_reset(&l->json);
	cs_json_begin(j, &l->json);
	cs_json_object(j);
}

bool cs_ledger_act_keep(struct cs_ledger *l, struct cs_json *j,
			struct cs_span *ret, struct cs_error *err)
{
	if (j != NULL && !cs_json_finish(j, "act", err))
		return false;
	if (!cs_buf_finish(&l->json, "act", err))
		return false;
	if (!cs_arena_dup(&l->batch.arena, cs_buf_span(&l->json), ret))
		return cs_error_set(err, CS_E_NO_MEMORY, "act");
	return true;
}
