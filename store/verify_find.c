#include <stdarg.h>
#include <stdio.h>

#include "store/verify_internal.h"

/* Findings that are given out when nothing else is asked. */
#define MAX_FINDINGS 100

void cs_verify_find(struct cs_verify *v, uint64_t index, const char *where,
		    int64_t row, const char *fmt, ...)
{
	uint64_t max = v->config->max_findings == 0 ? MAX_FINDINGS
						    : v->config->max_findings;
	struct cs_verify_finding f = {
		.index = index, .where = where, .row = row};
	va_list ap;

	if (v->report->findings++ >= max || v->config->finding == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(f.text, sizeof(f.text), fmt, ap);
	va_end(ap);
	v->config->finding(v->config->ctx, &f);
}

bool cs_verify_is_finding(const struct cs_error *err)
{
	return err->code == CS_E_FORMAT || err->code == CS_E_TOO_LARGE ||
	       err->code == CS_E_VERIFY || err->code == CS_E_INTERNAL ||
	       err->code == CS_E_ARGUMENT;
}
