#include <stdarg.h>

#include "policy/lint.h"

/* The line in "web.yaml:21"; 0: none. */
static unsigned line_of(struct cs_span at)
{
	unsigned line = 0;
	size_t i = at.n;

	while (i > 0 && at.p[i - 1] != ':')
		i--;
	for (; i < at.n && at.p[i] >= '0' && at.p[i] <= '9'; i++)
		line = line * 10 + (unsigned)(at.p[i] - '0');
	return line;
}

/* The source in it: of another policy, where that one is extended. */
static struct cs_span source_of(struct cs_span at)
{
	size_t i = at.n;

	while (i > 0 && at.p[i - 1] != ':')
		i--;
	return cs_span_sub(at, 0, i > 0 ? i - 1 : 0);
}

void cs_lint_warn(struct cs_policy_report *report, const struct cs_rule *rule,
		  const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	cs_report_add_args(report, CS_PROBLEM_WARNING, source_of(rule->at),
			   line_of(rule->at), 1, fmt, args);
	va_end(args);
}
