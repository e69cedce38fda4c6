/*
 * What the commands that make and change issuers share: the options, the
 * files that a caller brings, the stanza of countersign.yaml, who certifies.
 * For cli/cmd_ca*.c only.
 *
 * A job is one command under way. Keys are made and read in children that
 * die; what a failure leaves is removed. The server takes a change in when
 * it starts again, and records it then.
 */
#ifndef CS_CLI_CA_JOB_H
#define CS_CLI_CA_JOB_H

#include "base/clock.h"
#include "cli/ca_place.h"
#include "cli/command.h"
#include "cli/install.h"
#include "cli/roots.h"
#include "issuer/ca_make.h"

/* A hundred years. */
#define CS_CA_MAX_DAYS 36525

/* Options of the commands that add a stanza. */
#define CS_CA_STANZA_OPTIONS                                                   \
	{"crl-url", 0, "URL", "where CRLs will be found; fixed for good"},     \
		{"passphrase-fd", 0, "N",                                      \
		 "descriptor with the passphrase of its key"},                 \
		{"passphrase-file", 0, "FILE",                                 \
		 "file with it, from which the server takes it, too"},         \
		{"passphrase-credential", 0, "NAME",                           \
		 "systemd credential from which the server takes it"},         \
	{                                                                      \
		"no-config", 0, NULL,                                          \
			"print its stanza of countersign.yaml, do not add it"  \
	}

/* Options about who certifies, beside --under. */
#define CS_CA_PARENT_OPTIONS                                                   \
	{"ca-key", 0, "FILE",                                                  \
	 "key of the one who certifies (offline/root.key, the issuer's)"},     \
		{"ca-passphrase-fd", 0, "N",                                   \
		 "descriptor with that key's passphrase"},                     \
	{                                                                      \
		"ca-passphrase-file", 0, "FILE", "file with it"                \
	}

struct cs_ca_job {
	const struct cs_call *call;
	const char *name; /* of the issuer: the first argument */
	struct cs_arena arena;
	struct cs_clock clock;
	struct cs_install *install;
	struct cs_roots roots;
	struct cs_config_issuer issuer; /* its stanza */
	struct cs_ca_place place;
	struct cs_ca_file passphrase;
	struct cs_buf config; /* the new text of countersign.yaml */
	bool root_added;
};

/* Lock and load the installation, do it, release all; an exit status. */
int cs_ca_job_run(const struct cs_call *call,
		  bool (*make)(struct cs_ca_job *j, struct cs_error *err));

/* CS_E_USAGE with this sentence; false. */
bool cs_ca_job_usage(struct cs_error *err, const char *sentence);

/*
 * A file that the caller brings: regular, or a pipe (a decrypting command's).
 * A key that others can read is used, and said so.
 */
bool cs_ca_job_open(const struct cs_call *call, const char *path,
		    struct cs_ca_file *ret, struct cs_error *err) CS_MUST_USE;
void cs_ca_job_close(struct cs_ca_file *f);

/*
 * The stanza of a new issuer from the options of CS_CA_STANZA_OPTIONS, its
 * passphrase opened, and countersign.yaml with it in j->config: before any
 * key is made.
 */
bool cs_ca_job_plan(struct cs_ca_job *j, struct cs_error *err) CS_MUST_USE;

/*
 * The passphrase of an issuer that is there: by --passphrase-fd, else from
 * where the server has it.
 */
bool cs_ca_job_own_passphrase(struct cs_ca_job *j,
			      const struct cs_config_issuer *issuer,
			      struct cs_error *err) CS_MUST_USE;

/* Was the stanza to be left to the operator? */
bool cs_ca_job_by_hand(const struct cs_ca_job *j);

/* countersign.yaml with the stanza into its place, unless by hand. */
bool cs_ca_job_put_stanza(struct cs_ca_job *j,
			  struct cs_error *err) CS_MUST_USE;

/*
 * The place of a new issuer, which countersign.yaml does not have; and, when
 * what follows its commit failed, what was put there away again.
 */
bool cs_ca_job_begin_new(struct cs_ca_job *j, struct cs_error *err) CS_MUST_USE;
void cs_ca_job_take_back(struct cs_ca_job *j);

/* Print the stanza that the operator puts into the configuration. */
void cs_ca_job_print_stanza(const struct cs_ca_job *j, FILE *out);

/* The chain file of the installation, loaded as the house will load it. */
struct cs_issuer_ca *cs_ca_job_load_made(struct cs_ca_job *j, const char *path,
					 struct cs_error *err) CS_MUST_USE;

/*
 * A chain that the caller brings: as the house will load it, valid today,
 * and none that this installation's own log has issued by a request.
 */
struct cs_issuer_ca *cs_ca_job_load_given(struct cs_ca_job *j, const char *path,
					  struct cs_error *err) CS_MUST_USE;

/*
 * Who certifies, `under` being "root" or an issuer's name: the CAs, the
 * ceiling, the key and its passphrase, by CS_CA_PARENT_OPTIONS or from where
 * they lie. What is opened is closed by cs_ca_job_close_parent().
 */
bool cs_ca_job_parent(struct cs_ca_job *j, const char *under,
		      struct cs_ca_create *c, struct cs_error *err) CS_MUST_USE;
void cs_ca_job_close_parent(struct cs_ca_create *c);

#endif
