/*
 * countersign.yaml: what an operator may say about an installation.
 *
 * Read at start by the parent process (and by commands that work on a
 * stopped installation's files) with the strict YAML reader; every error,
 * unknown keys included, says file, line and column. Paths that are not
 * absolute are relative to the installation's directory. Everything except
 * the policy files and the listener's key needs a restart to change.
 *
 * Texts are NUL-terminated and live in the arena given to the loader; texts
 * with a NUL inside are refused. What is not checked here: that files exist,
 * that keys and chains fit, and who may read them (cli/files.h and the rooms
 * do that).
 */
#ifndef CS_CLI_CONFIG_H
#define CS_CLI_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"

/* The file's name inside an installation. */
#define CS_CONFIG_FILE "countersign.yaml"

/* Listening addresses, host names and administrators of one installation. */
#define CS_MAX_CONFIG_LIST 32

/* The longest life that a ceiling, or a pending request, may have: seconds. */
#define CS_CONFIG_MAX_DURATION (3650LL * 86400)

/*
 * How long what has ended is kept, unless the file says: seconds. CA/B
 * Baseline Requirements 5.4.3 and 5.5.2: two years from a certificate's end.
 */
#define CS_CONFIG_CRL_VALIDITY	(7 * 86400)
#define CS_CONFIG_CRL_REFRESH	86400
#define CS_CONFIG_RETENTION	(2LL * 366 * 86400)
#define CS_CONFIG_MAX_RETENTION (100LL * 366 * 86400)

/* How long an OCSP answer holds unless it is said: seconds. */
#define CS_CONFIG_OCSP_VALIDITY 3600

struct cs_config_list {
	const char *item[CS_MAX_CONFIG_LIST];
	size_t n;
};

/*
 * What the signer itself enforces, whatever policy says; the entries are
 * read by issuer/ceiling.h.
 */
struct cs_config_ceiling {
	const char *max_validity;	     /* a duration */
	struct cs_config_list ext_key_usage; /* words or OIDs; empty: any */
	struct cs_config_list permitted_dns; /* empty: any */
	struct cs_config_list permitted_ip;  /* CIDR; empty: any */
	/* other_name, directory_name, registered_id; empty: none of them */
	struct cs_config_list permitted_kinds;
	bool ca; /* may it certify CAs? */
};

struct cs_config_issuer {
	const char *name;
	const char *chain, *key; /* paths */
	/*
	 * Where an encrypted key's passphrase is: a file, or the name of a
	 * systemd credential. At most one; neither: --passphrase-fd.
	 */
	const char *passphrase_file, *passphrase_credential;
	bool self_approval;
	bool hold_no_policy;	 /* no_policy: hold */
	const char *crl_url;	 /* NULL: no CRLDP */
	uint32_t crl_shards;	 /* a power of two */
	bool ocsp;		 /* /ocsp answers for it */
	const char *ocsp_url;	 /* written into certificates; NULL: none */
	int64_t ocsp_validity_s; /* how long an answer holds */
	struct cs_config_ceiling ceiling;
	unsigned line;
};

struct cs_config {
	struct cs_config_list listen; /* ADDR:PORT, [ADDR6]:PORT */
	/* The same, in clear, for what is public; may be empty. */
	struct cs_config_list public_listen;
	struct cs_config_list hosts; /* names of the listener's certificate */
	int64_t admin_uids[CS_MAX_CONFIG_LIST];
	size_t n_admin_uids;
	struct cs_config_list scrape_from; /* /metrics without a credential */
	enum cs_log_level log_level;	   /* of the program's own log */
	uint32_t workers;		   /* 0: one for each core */
	uint32_t signers;		   /* at least 1 */
	uint32_t connections;		   /* TCP, in all */
	uint32_t per_address;		   /* TCP connections of one address */
	uint32_t pending_quota;		   /* open requests of one client */
	int64_t pending_expiry_s;
	/* CRLs: in force for so long, a new one so long after the last. */
	int64_t crl_validity_s, crl_refresh_s;
	int64_t retention_s; /* of what has ended, before it is purged */
	bool policy_by_api;  /* policy_source: api */
	const char *origin;  /* of the log, fixed at init */
	const char *log_key; /* path */
	const char *tls_key, *tls_chain; /* paths */
	const char
		*tls_issuer; /* who certifies the listener; NULL: the first */
	struct cs_config_issuer *issuers;
	size_t n_issuers;
};

/* Parse text; `file` names it in sentences (CS_E_CONFIG or CS_E_YAML). */
bool cs_config_parse(struct cs_span text, const char *file,
		     struct cs_arena *arena, struct cs_config *ret_config,
		     struct cs_error *err) CS_MUST_USE;

/* The same as a commented file that a person can edit. */
bool cs_config_write(const struct cs_config *config, struct cs_buf *out,
		     struct cs_error *err) CS_MUST_USE;

/* One issuer's stanza of it: an item of the list `issuers`, two spaces in. */
void cs_config_write_issuer(const struct cs_config_issuer *issuer,
			    struct cs_buf *out);

/* A text as a double-quoted YAML scalar. */
void cs_config_write_quoted(const char *text, struct cs_buf *out);

/*
 * Is this a name that an issuer may have: lower-case letters, digits and `-`,
 * a letter first, at most CS_MAX_NAME bytes? CS_E_CONFIG: no.
 */
bool cs_config_issuer_name(struct cs_span name,
			   struct cs_error *err) CS_MUST_USE;

/* An issuer by its name, or NULL. */
const struct cs_config_issuer *cs_config_issuer(const struct cs_config *config,
						const char *name);

#endif
