/*
 * Completion for shells, made from the table of commands: a script that knows
 * every command, its options, which of them take a file, and the forms of its
 * output. It asks nothing of the program while it completes, so it is as fast
 * on a machine whose house is not running.
 *
 * The caller writes where the shell looks for it (README.md, `make install`
 * does) or has the shell read it: `source <(countersign completion bash)`.
 */
#ifndef CS_CLI_COMPLETE_H
#define CS_CLI_COMPLETE_H

#include "cli/command.h"

/* Each writes one script to out. Commands: a table ended by NULL. */
void cs_complete_bash(const struct cs_command *const *commands, FILE *out);
void cs_complete_zsh(const struct cs_command *const *commands, FILE *out);
void cs_complete_fish(const struct cs_command *const *commands, FILE *out);

#endif
