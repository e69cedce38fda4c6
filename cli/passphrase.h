/*
 * The passphrases of encrypted issuer keys: parent opens what holds one and
 * hands the descriptor to whoever needs it (the maker of a key, the signer),
 * without ever reading it; never from argv or the environment.
 *
 * One for all keys comes from --passphrase-fd N (moved into a sealed memfd,
 * since a pipe can be read once only), else from a systemd credential named
 * `countersign-passphrase`. An issuer may have its own in the configuration:
 * passphrase_file, or passphrase_credential.
 */
#ifndef CS_CLI_PASSPHRASE_H
#define CS_CLI_PASSPHRASE_H

#include "cli/command.h"
#include "cli/config.h"

/*
 * *ret_fd: a memfd at offset 0 that the caller closes, or -1: none is given.
 */
bool cs_passphrase_open(const struct cs_call *call, int *ret_fd,
			struct cs_error *err) CS_MUST_USE;

/* The same with the descriptor from another option than --passphrase-fd. */
bool cs_passphrase_open_option(const struct cs_call *call, const char *option,
			       int *ret_fd, struct cs_error *err) CS_MUST_USE;

/*
 * An issuer's own one: a file of mode 0600 or 0400 (cli/files.h), or a
 * credential. *ret_fd -1: it has none.
 */
bool cs_passphrase_open_issuer(const char *dir,
			       const struct cs_config_issuer *issuer,
			       int *ret_fd, struct cs_error *err) CS_MUST_USE;

/*
 * The systemd credential `name`: a file in $CREDENTIALS_DIRECTORY that others
 * cannot read. Its group's bits may be the mask of an access list, by which
 * systemd lets the unit's user in, and say nothing. CS_E_NOT_FOUND: no such
 * file, or the process has no credentials.
 */
bool cs_passphrase_open_credential(const char *name, int *ret_fd,
				   struct cs_error *err) CS_MUST_USE;

/* Back to its beginning, for the next reader. */
bool cs_passphrase_rewind(int fd, struct cs_error *err) CS_MUST_USE;

#endif
