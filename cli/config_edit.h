/*
 * countersign.yaml, changed by the program and not by its owner: one issuer
 * more, or another one for the listener. What a person wrote stays as it is,
 * comments included; the stanza is put behind the last issuer's, in that list's
 * indentation.
 *
 * The result is read again: it must parse, have every issuer that was there,
 * and the new one last. A file that cannot be changed so (its list is
 * written as `[{...}]`) is left alone, with CS_E_FORMAT: the caller shows
 * the stanza then.
 */
#ifndef CS_CLI_CONFIG_EDIT_H
#define CS_CLI_CONFIG_EDIT_H

#include "cli/config.h"

/* Append to out the text with the issuer in it. */
bool cs_config_add_issuer(struct cs_span text,
			  const struct cs_config_issuer *issuer,
			  struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/*
 * Append to out the text in which tls.issuer is `name`: a line behind that of
 * tls.chain, or in the place of the one there was. CS_E_FORMAT: it cannot be
 * changed so, as above.
 */
bool cs_config_set_listener(struct cs_span text, const char *name,
			    struct cs_buf *out,
			    struct cs_error *err) CS_MUST_USE;

#endif
