#include "base/failpoint.h"

bool cs_failpoint(const char *name)
{
	(void)name;
	return false;
}
