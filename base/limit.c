#include "base/limit.h"

#include "base/wire.h"

/* Is it one of the two about keys? */
static bool is_about_key(unsigned disposition)
{
	return disposition == CS_LIMIT_KEY_OTHER_SUBJECT ||
	       disposition == CS_LIMIT_KEY_SAME_SUBJECT;
}

bool cs_limit_counts(const struct cs_limit *limit)
{
	return limit->disposition == CS_LIMIT_REFUSE ||
	       limit->disposition == CS_LIMIT_HOLD;
}

void cs_limit_put(struct cs_buf *out, const struct cs_limit *limit)
{
	cs_wire_put_u8(out, (uint8_t)limit->disposition);
	cs_wire_put_u32(out, limit->count);
	cs_wire_put_u32(out, limit->window_s);
	cs_wire_put_bytes(out, limit->rule);
	cs_wire_put_bytes(out, limit->key);
}

bool cs_limit_next(struct cs_span *list, struct cs_limit *ret_limit,
		   bool *ret_bad)
{
	struct cs_wire_reader r = cs_wire_reader(*list);
	struct cs_limit limit;
	uint8_t disposition;

	*ret_bad = false;
	if (list->n == 0)
		return false;
	disposition = cs_wire_get_u8(&r);
	limit.count = cs_wire_get_u32(&r);
	limit.window_s = cs_wire_get_u32(&r);
	limit.rule = cs_wire_get_bytes(&r);
	limit.key = cs_wire_get_bytes(&r);
	if (r.failed || (limit.window_s == 0) != is_about_key(disposition) ||
	    limit.rule.n == 0 || limit.rule.n > CS_MAX_LIMIT_RULE ||
	    disposition < CS_LIMIT_REFUSE ||
	    disposition > CS_LIMIT_KEY_SAME_SUBJECT) {
		*ret_bad = true;
		return false;
	}
	limit.disposition = (enum cs_limit_disposition)disposition;
	*list = r.rest;
	*ret_limit = limit;
	return true;
}
