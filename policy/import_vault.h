/* What the files about Vault's roles share: policy/import_vault*.c. */
#ifndef CS_POLICY_IMPORT_VAULT_H
#define CS_POLICY_IMPORT_VAULT_H

#include "policy/import_parts.h"

/* A role: a map that is there. Fields that are absent have Vault's defaults. */
struct cs_vault {
	const struct cs_yaml *role;
	bool no_key_encipherment, no_key_agreement; /* by the kinds of keys */
	bool any_key;
};

/* A flag, or Vault's default. */
bool cs_vault_flag(struct cs_importing *i, const struct cs_vault *v,
		   const char *name, bool fallback);
/*
 * The next item of a list, from NULL on; NULL behind the last. Where a text
 * stands in a list's place, as older versions have it, it is split at commas.
 */
struct cs_vault_list {
	const struct cs_yaml *node;
	const struct cs_yaml *item; /* of a list */
	struct cs_span rest;	    /* of a text */
	size_t n;		    /* items so far */
};
void cs_vault_list(struct cs_importing *i, const struct cs_vault *v,
		   const char *name, struct cs_vault_list *ret_list);
bool cs_vault_next(struct cs_importing *i, struct cs_vault_list *list,
		   struct cs_span *ret_text, const char **ret_field);

/* Names, and the common name that becomes one of them. */
void cs_vault_names(struct cs_importing *i, const struct cs_vault *v);
/* Addresses, URIs, otherNames. */
void cs_vault_others(struct cs_importing *i, const struct cs_vault *v);
/* Attributes of the subject that the role sets, and serial numbers. */
void cs_vault_subject(struct cs_importing *i, const struct cs_vault *v);
/* Keys, durations, usages, policies. */
void cs_vault_rest(struct cs_importing *i, struct cs_vault *v);

#endif
