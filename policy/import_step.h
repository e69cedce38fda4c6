/* What the files about step-ca share: policy/import_step*.c. */
#ifndef CS_POLICY_IMPORT_STEP_H
#define CS_POLICY_IMPORT_STEP_H

#include "policy/import_parts.h"

/* x509 of a policy (NULL: none, all is open): names and common names. */
void cs_step_names(struct cs_importing *i, const struct cs_yaml *x509,
		   const char *path);

#endif
