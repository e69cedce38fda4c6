/*
 * The passphrase of encrypted issuer keys: parent takes a descriptor, moves
 * what is behind it into a sealed memfd without ever reading it, and hands
 * that to whoever needs it (the key maker of `init`, the signer).
 *
 * It comes from --passphrase-fd N, or from a systemd credential named
 * `countersign-passphrase`; never from argv or the environment.
 */
#ifndef CS_CLI_PASSPHRASE_H
#define CS_CLI_PASSPHRASE_H

#include "cli/command.h"

/*
 * *ret_fd: a memfd at offset 0 that the caller closes, or -1: none is given.
 */
bool cs_passphrase_open(const struct cs_call *call, int *ret_fd,
			struct cs_error *err) CS_MUST_USE;

/* Back to its beginning, for the next reader. */
bool cs_passphrase_rewind(int fd, struct cs_error *err) CS_MUST_USE;

#endif
