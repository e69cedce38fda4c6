/*
 * An installation as the parent process knows it: the configuration, and
 * what is public of each issuer (chain and ceiling). Loaded before anything
 * is forked; rooms inherit it and only read it.
 *
 * An issuer whose certificate has not come from the CA above it yet has a
 * CSR in the place of a chain (cli/ca_place.h). It waits: it stands in no
 * list but `waiting`, and no room hears of it.
 *
 * No key file is opened here.
 */
#ifndef CS_CLI_INSTALL_H
#define CS_CLI_INSTALL_H

#include "base/arena.h"
#include "base/hash.h"
#include "cli/config.h"
#include "cli/generation.h"
#include "issuer/ca.h"
#include "issuer/ceiling.h"

/*
 * A generation of an issuer before its present one: it signs no certificate
 * any more, but CRLs as long as its certificates live.
 */
struct cs_install_older {
	size_t issuer; /* in config.issuers */
	struct cs_issuer_ca *ca;
	struct cs_generation state;
	const char *folder; /* "issuers/web/generation-1" */
	const char *chain, *key;
};

/* An issuer that has no certificate yet. */
struct cs_install_waiting {
	const struct cs_config_issuer *config;
	struct cs_span request; /* PEM, not looked into */
};

struct cs_install {
	struct cs_arena arena;
	const char *dir; /* absolute */
	struct cs_config config;
	uint8_t config_sha256[CS_SHA256_SIZE]; /* of countersign.yaml's bytes */
	/* In the order of config.issuers, config.n_issuers of each. */
	struct cs_issuer_ca **ca;
	struct cs_ceiling *ceiling;
	struct cs_generation *state;
	/* By issuer, and oldest first. */
	struct cs_install_older *older;
	size_t older_n;
	struct cs_install_waiting *waiting;
	size_t waiting_n;
};

void cs_install_free(struct cs_install *in);

/* Load DIR. NULL: CS_E_NOT_FOUND (none there), CS_E_CONFIG, CS_E_CERT... */
struct cs_install *cs_install_load(const char *dir,
				   struct cs_error *err) CS_MUST_USE;

/* Is this issuer, which is there, retired? */
bool cs_install_is_retired(const struct cs_install *in, const char *name);

/* The issuer that certifies the listener. */
const struct cs_config_issuer *cs_install_listener(const struct cs_install *in);

/*
 * Do an issuer's key and chain lie in issuers/NAME, where its generations are
 * kept? Those of other places have one generation.
 */
bool cs_install_is_kept(const struct cs_config_issuer *issuer);

/* Is its key in a PKCS#11 token? What its `key` names ends in ".uri" then. */
bool cs_install_is_token(const struct cs_config_issuer *issuer);

/* The issuer of this name that waits; NULL: none. */
const struct cs_install_waiting *cs_install_waiting(const struct cs_install *in,
						    const char *name);

#endif
