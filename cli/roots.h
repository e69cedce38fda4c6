/*
 * DIR/root.pem: what clients trust, one root or several.
 */
#ifndef CS_CLI_ROOTS_H
#define CS_CLI_ROOTS_H

#include "cli/install.h"

#define CS_ROOTS_FILE "root.pem"

/* The roots, each loaded as a CA named "root". */
struct cs_roots {
	struct cs_issuer_ca *ca[CS_MAX_ISSUERS];
	size_t n;
};

/* Safe on a zeroed struct. */
void cs_roots_done(struct cs_roots *r);
bool cs_roots_load(const char *dir, struct cs_roots *r,
		   struct cs_error *err) CS_MUST_USE;

/* Add a root, if it is not there; *ret_added says so. */
bool cs_roots_add(const char *dir, const struct cs_issuer_ca *ca,
		  bool *ret_added, struct cs_error *err) CS_MUST_USE;

#endif
