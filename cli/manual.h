/*
 * The manual page, made from the table of commands, so that it cannot say
 * anything else than --help does: mdoc(7), for man(1) and for mandoc(1).
 */
#ifndef CS_CLI_MANUAL_H
#define CS_CLI_MANUAL_H

#include "cli/command.h"

/* Writes countersign.1 to out. Commands: a table ended by NULL. */
void cs_manual_write(const struct cs_command *const *commands, FILE *out);

#endif
