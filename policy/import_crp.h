/* What the files about approver-policy share: policy/import_crp*.c. */
#ifndef CS_POLICY_IMPORT_CRP_H
#define CS_POLICY_IMPORT_CRP_H

#include "policy/import_parts.h"

/* Where a rule of `allowed` goes. */
struct cs_crp_target {
	const char *native; /* "san.dns", for the report */
	enum cs_pattern_kind kind;
	bool single; /* `value`, not `values` */
};

/* {required, value or values, validations} into a native field. */
void cs_crp_rule(struct cs_importing *i, const struct cs_yaml *rule,
		 const char *path, const struct cs_crp_target *t,
		 json_t *object);

void cs_crp_allowed(struct cs_importing *i, const struct cs_yaml *allowed);
void cs_crp_constraints(struct cs_importing *i,
			const struct cs_yaml *constraints);

#endif
