/*
 * The closed table of codes (policy/codes.def), as an enumeration for those
 * who write findings and as a list for those who document them.
 */
#ifndef CS_POLICY_CODES_H
#define CS_POLICY_CODES_H

#include <stdbool.h>

enum cs_code {
#define CS_CODE(name, meaning) CS_CODE_##name,
#include "policy/codes.def"
#undef CS_CODE
	CS_CODES
};

/* "SAN_DNS_NOT_ALLOWED"; never NULL. */
const char *cs_code_name(enum cs_code code);

/* One line for people; never NULL. */
const char *cs_code_meaning(enum cs_code code);

/* Is this text one of the table's names? */
bool cs_code_is_known(const char *name);

/* The code of a name; CS_CODES if there is none. */
enum cs_code cs_code_by_name(const char *name);

#endif
