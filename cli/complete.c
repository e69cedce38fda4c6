#include "cli/complete.h"

#include <string.h>

/* -- the table, as all three shells see it ------------------------------- */

/* The first word of a command's name, of so many characters. */
static int first_word(const struct cs_command *c)
{
	return (int)strcspn(c->name, " ");
}

/* The second one, or "". */
static const char *second_word(const struct cs_command *c)
{
	const char *space = strchr(c->name, ' ');

	return space != NULL ? space + 1 : "";
}

/* Is this command the first in the table with its first word? */
static bool opens_group(const struct cs_command *const *commands, size_t at)
{
	int n = first_word(commands[at]);

	for (size_t i = 0; i < at; i++)
		if (first_word(commands[i]) == n &&
		    memcmp(commands[i]->name, commands[at]->name, (size_t)n) ==
			    0)
			return false;
	return true;
}

/* Has this command the same first word? */
static bool in_group(const struct cs_command *c, const struct cs_command *of)
{
	int n = first_word(of);

	return first_word(c) == n && memcmp(c->name, of->name, (size_t)n) == 0;
}

/* "table|json" as words with a space between. */
static void put_words(const char *list, FILE *out)
{
	for (; list != NULL && *list != '\0'; list++)
		fputc(*list == '|' ? ' ' : *list, out);
}

/*
 * Text inside single quotes. What stands in `special` gets a backslash; a
 * quote itself leaves the quotes for a moment.
 */
static void put_quoted(const char *text, const char *special, FILE *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			fputs("'\\''", out);
			continue;
		}
		if (strchr(special, *text) != NULL)
			fputc('\\', out);
		fputc(*text, out);
	}
}

/* -- bash ----------------------------------------------------------------- */

static const char bash_head[] =
	"# Completion of countersign for bash; made by `countersign completion"
	" bash`.\n"
	"_countersign() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}"
	"\n"
	"\tlocal i first= second= words= options= values= paths= outputs= "
	"args=\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tcase ${COMP_WORDS[i]} in\n"
	"\t\t--dir) ((i++)) ;;\n"
	"\t\t-*) ;;\n"
	"\t\t*) if [ -z \"$first\" ]; then first=${COMP_WORDS[i]}\n"
	"\t\t   elif [ -z \"$second\" ]; then second=${COMP_WORDS[i]}; fi ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tcase \"$first $second\" in\n";

static const char bash_tail[] =
	"\tesac\n"
	"\tcase \" $outputs|$paths|$values \" in\n"
	"\t*\"|\"*\" $prev \"*\"|\"*) COMPREPLY=($(compgen -f -- \"$cur\"));"
	" return ;;\n"
	"\t*\"|\"*\"|\"*\" $prev \"*) return ;;\n"
	"\tesac\n"
	"\tcase $prev in\n"
	"\t-o|--output) words=$outputs ;;\n"
	"\t*) case $cur in -*) words=$options ;; esac ;;\n"
	"\tesac\n"
	"\tif [ -n \"$words\" ]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	"\telif [ -n \"$args\" ]; then\n"
	"\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
	"\tfi\n"
	"}\n"
	"complete -o filenames -F _countersign countersign\n";

/* The options of one kind: 0 all, 1 with a path, 2 with another value. */
static void bash_options(const struct cs_command *c, int kind, FILE *out)
{
	const struct cs_option *o;

	for (size_t n = 0; (o = cs_command_option_at(c, n)) != NULL; n++) {
		bool path = cs_command_is_path(o->value);
		bool value = o->value != NULL && !path && o->letter != 'o';

		if (kind == 0 || (kind == 1 && path) || (kind == 2 && value))
			fprintf(out, " --%s", o->name);
	}
}

/* One branch of the script's case: what may follow this command. */
static void bash_command(const struct cs_command *c, FILE *out)
{
	bool two = second_word(c)[0] != '\0';

	fprintf(out, two ? "\t'%s')\n" : "\t'%s '*)\n", c->name);
	fputs("\t\toptions='", out);
	bash_options(c, 0, out);
	fputs("'\n\t\tpaths='", out);
	bash_options(c, 1, out);
	fputs(" ' values='", out);
	bash_options(c, 2, out);
	fputs(" '\n\t\toutputs='", out);
	put_words(c->outputs, out);
	fprintf(out, "' args=%s ;;\n", cs_command_is_path(c->args) ? "y" : "");
}

void cs_complete_bash(const struct cs_command *const *commands, FILE *out)
{
	fputs(bash_head, out);
	for (size_t i = 0; commands[i] != NULL; i++)
		bash_command(commands[i], out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (second_word(commands[i])[0] == '\0' ||
		    !opens_group(commands, i))
			continue;
		fprintf(out, "\t'%.*s '*) words='", first_word(commands[i]),
			commands[i]->name);
		for (size_t k = i; commands[k] != NULL; k++)
			if (in_group(commands[k], commands[i]))
				fprintf(out, " %s", second_word(commands[k]));
		fputs("' ;;\n", out);
	}
	fputs("\t' ') words='", out);
	for (size_t i = 0; commands[i] != NULL; i++)
		if (opens_group(commands, i))
			fprintf(out, " %.*s", first_word(commands[i]),
				commands[i]->name);
	fputs(" --help --version --dir' paths=' --dir ' ;;\n", out);
	fputs(bash_tail, out);
}

/* -- zsh ------------------------------------------------------------------ */

static const char zsh_head[] =
	"#compdef countersign\n"
	"# Completion of countersign for zsh; made by `countersign completion"
	" zsh`.\n"
	"_countersign() {\n"
	"\tlocal i first= second=\n"
	"\tlocal -a commands\n"
	"\tfor ((i = 2; i < CURRENT; i++)); do\n"
	"\t\tcase ${words[i]} in\n"
	"\t\t--dir) ((i++)) ;;\n"
	"\t\t-*) ;;\n"
	"\t\t*) if [[ -z $first ]]; then first=${words[i]}\n"
	"\t\t   elif [[ -z $second ]]; then second=${words[i]}; fi ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tcase \"$first $second\" in\n";

static const char zsh_tail[] = "\tesac\n"
			       "}\n"
			       "if [[ $funcstack[1] == _countersign ]]; then\n"
			       "\t_countersign \"$@\"\n"
			       "else\n"
			       "\tcompdef _countersign countersign\n"
			       "fi\n";

/* What may stand where a value or an argument is wanted. */
static void zsh_action(const struct cs_command *c, const struct cs_option *o,
		       FILE *out)
{
	if (o != NULL && o->letter == 'o') {
		fputs(":FORMAT:(", out);
		put_words(c->outputs, out);
		fputc(')', out);
		return;
	}
	fputc(':', out);
	put_quoted(o != NULL ? o->value : c->args, "\\:[]", out);
	fputs(cs_command_is_path(o != NULL ? o->value : c->args) ? ":_files"
								 : ": ",
	      out);
}

/* `_arguments` with a command's options. */
static void zsh_command(const struct cs_command *c, FILE *out)
{
	bool two = second_word(c)[0] != '\0';
	const struct cs_option *o;

	fprintf(out,
		two ? "\t'%s')\n\t\t_arguments '1: :' '2: :'"
		    : "\t'%s '*)\n\t\t_arguments '1: :'",
		c->name);
	if (c->max_args > 0) {
		fputs(" \\\n\t\t\t'*", out);
		zsh_action(c, NULL, out);
		fputc('\'', out);
	}
	for (size_t n = 0; (o = cs_command_option_at(c, n)) != NULL; n++) {
		fprintf(out, " \\\n\t\t\t'*--%s[", o->name);
		put_quoted(o->help, "\\:[]", out);
		fputc(']', out);
		if (o->value != NULL)
			zsh_action(c, o, out);
		fputc('\'', out);
	}
	fputs(" ;;\n", out);
}

/* `_describe` of the commands that follow. */
static void zsh_describe(const struct cs_command *const *commands, size_t from,
			 bool group, FILE *out)
{
	fputs("\n\t\tcommands=(", out);
	for (size_t i = from; commands[i] != NULL; i++) {
		const struct cs_command *c = commands[i];
		bool lone = second_word(c)[0] == '\0';

		if (group ? !in_group(c, commands[from])
			  : !opens_group(commands, i))
			continue;
		fprintf(out, "\n\t\t\t'%.*s:", group ? 64 : first_word(c),
			group ? second_word(c) : c->name);
		if (group || lone)
			put_quoted(c->help, "\\", out);
		else
			fprintf(out, "%.*s ...", first_word(c), c->name);
		fputc('\'', out);
	}
	fputs(")\n\t\t_describe command commands ;;\n", out);
}

void cs_complete_zsh(const struct cs_command *const *commands, FILE *out)
{
	fputs(zsh_head, out);
	for (size_t i = 0; commands[i] != NULL; i++)
		zsh_command(commands[i], out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (second_word(commands[i])[0] == '\0' ||
		    !opens_group(commands, i))
			continue;
		fprintf(out, "\t'%.*s '*)", first_word(commands[i]),
			commands[i]->name);
		zsh_describe(commands, i, true, out);
	}
	fputs("\t' ')", out);
	zsh_describe(commands, 0, false, out);
	fputs(zsh_tail, out);
}

/* -- fish ----------------------------------------------------------------- */

static const char fish_head[] =
	"# Completion of countersign for fish; made by `countersign completion"
	" fish`.\n"
	"function __countersign_words\n"
	"\tset -l tokens (commandline -opc)\n"
	"\tset -e tokens[1]\n"
	"\tstring match -v -- '-*' $tokens\n"
	"end\n"
	"# Nothing but these words so far.\n"
	"function __countersign_exactly\n"
	"\tset -l words (__countersign_words)\n"
	"\ttest \"$words\" = \"$argv\"\n"
	"end\n"
	"# These words first.\n"
	"function __countersign_begins\n"
	"\tset -l words (__countersign_words)\n"
	"\tset -l n (count $argv)\n"
	"\ttest (count $words) -ge $n\n"
	"\tand test \"$words[1..$n]\" = \"$argv\"\n"
	"end\n"
	"complete -c countersign -f\n";

/* One line of a command's options. */
static void fish_option(const struct cs_command *c, const struct cs_option *o,
			FILE *out)
{
	fprintf(out,
		"complete -c countersign -n '__countersign_begins %s' -l "
		"%s",
		c->name, o->name);
	if (o->letter != 0)
		fprintf(out, " -s %c", o->letter);
	if (o->value != NULL)
		fputs(cs_command_is_path(o->value) ? " -r -F" : " -x", out);
	if (o->letter == 'o') {
		fputs(" -a '", out);
		put_words(c->outputs, out);
		fputc('\'', out);
	}
	fputs(" -d '", out);
	put_quoted(o->help, "\\", out);
	fputs("'\n", out);
}

/* The end of a line that describes a command. */
static void fish_help(const struct cs_command *c, FILE *out)
{
	put_quoted(c->help, "\\", out);
	fputs("'\n", out);
}

void cs_complete_fish(const struct cs_command *const *commands, FILE *out)
{
	const struct cs_option *o;

	fputs(fish_head, out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct cs_command *c = commands[i];
		bool two = second_word(c)[0] != '\0';

		if (opens_group(commands, i))
			fprintf(out,
				"complete -c countersign -n "
				"'__countersign_exactly' -a %.*s -d '",
				first_word(c), c->name);
		if (opens_group(commands, i) && two)
			fprintf(out, "%.*s ...'\n", first_word(c), c->name);
		else if (!two)
			fish_help(c, out);
		if (two) {
			fprintf(out,
				"complete -c countersign -n "
				"'__countersign_exactly %.*s' -a %s -d '",
				first_word(c), c->name, second_word(c));
			fish_help(c, out);
		}
		for (size_t n = 0; (o = cs_command_option_at(c, n)) != NULL;
		     n++)
			fish_option(c, o, out);
		if (cs_command_is_path(c->args))
			fprintf(out,
				"complete -c countersign -n "
				"'__countersign_begins %s' -F\n",
				c->name);
	}
}
