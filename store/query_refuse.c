/* How a question is refused, and what of the record its asker may see. */
#include <stdarg.h>
#include <stdio.h>

#include "store/query_internal.h"

bool cs_query_refuse(struct cs_questions *q, const char *code, const char *fmt,
		     ...)
{
	va_list ap;

	q->result->found = 0;
	q->result->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(q->result->detail, sizeof(q->result->detail), fmt, ap);
	va_end(ap);
	return true;
}

bool cs_query_may_see(const struct cs_questions *q, uint64_t client,
		      struct cs_span issuer)
{
	const json_t *item;
	size_t i;

	if (q->what->client == 0 || q->what->client == client)
		return true;
	json_array_foreach(q->issuers, i, item)
	{
		if (issuer.n > 0 &&
		    cs_span_equal_str(issuer, json_string_value(item)))
			return true;
	}
	return false;
}
