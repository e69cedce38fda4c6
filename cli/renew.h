/*
 * The listener's own certificate: when to renew it, and how its files are
 * replaced.
 *
 * The new key and chain are made in DIR/tls.new; when both are durable the
 * two directories change places in one step (RENAME_EXCHANGE), so that a
 * crash leaves the old pair or the new one, never halves of both. An
 * installation whose tls.key or tls.chain lie elsewhere renews by other
 * means: nothing is due here then.
 *
 * The certificate goes through the same gate as everybody's: house asks
 * front (LISTENER_CSR), under the policy `_listener`.
 */
#ifndef CS_CLI_RENEW_H
#define CS_CLI_RENEW_H

#include "cli/install.h"

/* Has two thirds of the certificate's life passed? */
bool cs_renew_is_due(const struct cs_install *in, int64_t now_s, bool *ret_due,
		     struct cs_error *err) CS_MUST_USE;

/* A new key in DIR/tls.new, made in a child; its CSR (DER) into out. */
bool cs_renew_begin(const struct cs_install *in, struct cs_buf *out,
		    struct cs_error *err) CS_MUST_USE;

/* The chain has come: put both in their place. */
bool cs_renew_finish(const struct cs_install *in, struct cs_span chain_pem,
		     struct cs_error *err) CS_MUST_USE;

#endif
