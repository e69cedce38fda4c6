/*
 * The command line: one constant descriptor for each subcommand, and the
 * parser that turns words into a struct cs_call.
 *
 * A command's name has one or two words ("serve", "client add"). Options may
 * stand anywhere behind or before it, as `--name VALUE`, `--name=VALUE` or,
 * where there is a letter, `-n VALUE`; `--` ends them. Every command takes
 * --help, --dir and, where it has more than one form of output, -o. A call
 * borrows from argv and lives as long as it.
 *
 * What is not checked here: what the values mean. The commands do that and
 * answer CS_EXIT_USAGE with a sentence.
 */
#ifndef CS_CLI_COMMAND_H
#define CS_CLI_COMMAND_H

#include <stdio.h>

#include "base/error.h"

/* What scripts rely on; never renumbered. */
enum cs_exit {
	CS_EXIT_DONE = 0,
	CS_EXIT_REFUSED = 1, /* refused, or it could not be done */
	CS_EXIT_USAGE = 2,
	CS_EXIT_UNREACHABLE = 3,
	CS_EXIT_VERIFY = 4,
	CS_EXIT_NOT_FOUND = 5,
	CS_EXIT_PENDING = 6,
	CS_EXIT_FORBIDDEN = 7,
	CS_EXIT_AGAIN = 75 /* sysexits' EX_TEMPFAIL: supervisors restart */
};

/* Options given in one call: a shell's line could hold more, people do not. */
#define CS_MAX_CALL_OPTIONS 64
/* Words beside the options: policy check takes a list of files. */
#define CS_MAX_CALL_ARGS 256

struct cs_option {
	const char *name;  /* without the dashes; NULL ends a table */
	char letter;	   /* or 0 */
	const char *value; /* what the value is, in help; NULL: a flag */
	const char *help;
};

struct cs_call;

struct cs_command {
	const char *name;
	const char *args; /* "NAME", "" for none */
	size_t min_args, max_args;
	const char *help; /* one line */
	const char
		*outputs; /* "table|json", the first is the default; or NULL */
	const struct cs_option *options; /* its own; may be NULL */
	const char *example;
	int (*run)(const struct cs_call *call); /* an enum cs_exit */
};

/* Commands of two words that share the first: what that word is about. */
struct cs_command_group {
	const char *name; /* the first word; NULL ends a table */
	const char *help; /* one line */
	const char *more; /* the document to read on in */
};

struct cs_call {
	const struct cs_command *const *commands; /* all, as they were given */
	const struct cs_command *command;
	const char *group;  /* command NULL: the first word, if it is one's */
	const char *dir;    /* --dir, $COUNTERSIGN_DIR or the default */
	const char *output; /* one of command->outputs, or NULL */
	const char *args[CS_MAX_CALL_ARGS];
	size_t n_args;
	struct {
		const struct cs_option *option;
		const char *value; /* "" for a flag */
	} given[CS_MAX_CALL_OPTIONS];
	size_t n_given;
	FILE *out, *err; /* borrowed */
	enum {
		CS_CALL_RUN,
		CS_CALL_HELP
	} what;
};

/*
 * Find the command and parse its options. On failure *err is a sentence for
 * the person (CS_E_USAGE), with the nearest name where there is one,
 * ret_call->command is the command meant, or NULL, and ret_call->group the
 * group meant, or NULL; what is CS_CALL_HELP where only a second word is
 * missing.
 */
bool cs_command_parse(const struct cs_command *const *commands, int argc,
		      char *const *argv, struct cs_call *ret_call,
		      struct cs_error *err) CS_MUST_USE;

/*
 * The n-th option that a command takes: its own, then --output where it has
 * more than one form, then those of every command. NULL: there are no more.
 */
const struct cs_option *cs_command_option_at(const struct cs_command *c,
					     size_t n);

/* Do a value or arguments called so name a file or directory? */
bool cs_command_is_path(const char *value);

/* Does the command have two words, of which this is the first? */
bool cs_command_in_group(const struct cs_command *c, const char *group);

/* The help of one command, of a group's (cli/command_help.c), or of all. */
void cs_command_help(const struct cs_command *command, FILE *out);
void cs_command_help_group(const struct cs_command *const *commands,
			   const struct cs_command_group *group, FILE *out);
void cs_command_help_all(const struct cs_command *const *commands, FILE *out);

/* The last value of an option by its name, or NULL when it was not given. */
const char *cs_call_get(const struct cs_call *call, const char *option);

/* The value number `at` of a repeated option, or NULL when there are less. */
const char *cs_call_get_nth(const struct cs_call *call, const char *option,
			    size_t at);

/* The number behind an option, low to high; without it *ret stays. */
bool cs_call_number(const struct cs_call *call, const char *option,
		    unsigned low, unsigned high, unsigned *ret,
		    struct cs_error *err) CS_MUST_USE;

/*
 * An option that counts only beside another one: CS_E_USAGE where it was given
 * and `beside` was not.
 */
bool cs_call_needs(const struct cs_call *call, const char *option,
		   const char *beside, struct cs_error *err) CS_MUST_USE;

/* Was -o given, or is its default, this? */
bool cs_call_wants(const struct cs_call *call, const char *output);

/* Print err as "countersign: sentence" and return the status of its code. */
int cs_call_fail(const struct cs_call *call, const struct cs_error *err);

/* The exit status that an error's code stands for. */
int cs_exit_of_error(const struct cs_error *err);

/* The whole program: parse, run, flush. Called by main() only. */
int cs_cli_main(int argc, char **argv);

#endif
