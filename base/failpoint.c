#include "base/failpoint.h"

bool cs_failpoint(const char *name)
{
	(void)name;
	return false;
}

void cs_failpoint_signed(uint64_t seq, struct cs_span tbs)
{
	(void)seq;
	(void)tbs;
}
