#include "policy/codes.h"

#include <stddef.h>
#include <string.h>

const char *cs_code_name(enum cs_code code)
{
	static const char *const names[] = {
#define CS_CODE(name, meaning) [CS_CODE_##name] = #name,
#include "policy/codes.def"
#undef CS_CODE
	};

	if ((unsigned)code >= CS_CODES)
		return "POLICY_ERROR";
	return names[code];
}

const char *cs_code_meaning(enum cs_code code)
{
	static const char *const meanings[] = {
#define CS_CODE(name, meaning) [CS_CODE_##name] = (meaning),
#include "policy/codes.def"
#undef CS_CODE
	};

	if ((unsigned)code >= CS_CODES)
		return "";
	return meanings[code];
}

enum cs_code cs_code_by_name(const char *name)
{
	int i = 0;

	while (i < CS_CODES && strcmp(name, cs_code_name((enum cs_code)i)) != 0)
		i++;
	return (enum cs_code)i;
}

bool cs_code_is_known(const char *name)
{
	return cs_code_by_name(name) != CS_CODES;
}
