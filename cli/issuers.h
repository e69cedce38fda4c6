/*
 * An issuer of the installation as JSON (api/issuers.h): the part that the
 * configuration and the CA's certificate say.
 */
#ifndef CS_CLI_ISSUERS_H
#define CS_CLI_ISSUERS_H

#include <jansson.h>
#include <stdio.h>

#include "api/front.h"
#include "cli/install.h"

/* What front has to know of issuer `i`; texts are made in the arena. */
bool cs_issuers_fill(const struct cs_install *in, size_t i,
		     struct cs_arena *arena, struct cs_front_issuer *ret_issuer,
		     struct cs_error *err) CS_MUST_USE;

/*
 * An issuer that waits for its certificate, in the members that there are:
 * "key", "name", "state": "waiting", "subject", and the CSR as "request".
 * NULL: no memory.
 */
json_t *cs_issuers_waiting(const struct cs_install_waiting *w) CS_MUST_USE;

/* A line on err for each issuer that waits. */
void cs_issuers_tell_waiting(const struct cs_install *in, FILE *err);

#endif
