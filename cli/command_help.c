/* What --help prints of a command, of a group of them, of all. */
#include "cli/command.h"

/* One line of a command's options. */
static void help_option(const struct cs_command *c, const struct cs_option *o,
			FILE *out)
{
	char left[64];

	if (o->letter != 0)
		snprintf(left, sizeof(left), "-%c, --%s%s%s", o->letter,
			 o->name, o->value != NULL ? " " : "",
			 o->value != NULL ? o->value : "");
	else
		snprintf(left, sizeof(left), "    --%s%s%s", o->name,
			 o->value != NULL ? " " : "",
			 o->value != NULL ? o->value : "");
	fprintf(out, "  %-28s  %s%s%s\n", left, o->help,
		o->letter == 'o' ? ": " : "",
		o->letter == 'o' ? c->outputs : "");
}

void cs_command_help(const struct cs_command *command, FILE *out)
{
	const struct cs_option *o;

	fprintf(out,
		"Usage: countersign %s%s%s [OPTION]...\n\n%s\n\nOptions:\n",
		command->name, command->args[0] != '\0' ? " " : "",
		command->args, command->help);
	for (size_t n = 0; (o = cs_command_option_at(command, n)) != NULL; n++)
		help_option(command, o, out);
	fprintf(out, "\nExample:\n  %s\n", command->example);
}

/* One command in a list of them. */
static void help_line(const struct cs_command *c, FILE *out)
{
	fprintf(out, "  %-16s  %s\n", c->name, c->help);
}

void cs_command_help_group(const struct cs_command *const *commands,
			   const struct cs_command_group *group, FILE *out)
{
	fprintf(out,
		"Usage: countersign %s COMMAND [ARGUMENT]... [OPTION]...\n\n"
		"%s\n\nCommands:\n",
		group->name, group->help);
	for (; *commands != NULL; commands++)
		if (cs_command_in_group(*commands, group->name))
			help_line(*commands, out);
	fprintf(out,
		"\n`countersign %s COMMAND --help` shows options and an "
		"example,\n`countersign --help` all commands. Read on in "
		"%s.\n",
		group->name, group->more);
}

void cs_command_help_all(const struct cs_command *const *commands, FILE *out)
{
	fputs("Usage: countersign COMMAND [ARGUMENT]... [OPTION]...\n\n"
	      "A certificate issuer that has the last word.\n\nCommands:\n",
	      out);
	for (; *commands != NULL; commands++)
		help_line(*commands, out);
	fputs("\n`countersign COMMAND --help` shows options and an example.\n"
	      "Exit status: 0 done, 1 refused, 2 wrong usage, 3 server not "
	      "reachable,\n4 verification failed, 5 not found, 6 pending, "
	      "7 forbidden, 75 try again.\n",
	      out);
}
