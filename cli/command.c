#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#define DEFAULT_DIR "/var/lib/countersign"

/* A hint is given for names at most this many edits away. */
#define HINT_DISTANCE 3
/* The longest name that a hint is looked for. */
#define HINT_LENGTH 40

static const struct cs_option common_options[] = {
	{"dir", 0, "DIR",
	 "the installation (else $COUNTERSIGN_DIR, else " DEFAULT_DIR ")"},
	{"help", 'h', NULL, "show this help"},
	{0},
};

static const struct cs_option output_option = {"output", 'o', "FORMAT",
					       "form of the output"};

/* Edits that turn a into b (Levenshtein); both short, else a large number. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[HINT_LENGTH + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (na > HINT_LENGTH || nb > HINT_LENGTH)
		return HINT_LENGTH;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

/* Keep the name nearest to word. */
static void nearer(const char *word, const char *name, const char **best,
		   size_t *best_distance)
{
	size_t d = edit_distance(word, name);

	if (d < *best_distance) {
		*best = name;
		*best_distance = d;
	}
}

/* Does the command's name consist of these words (b may be NULL)? */
static bool name_is(const struct cs_command *c, const char *a, const char *b)
{
	size_t n = strlen(a);

	if (strncmp(c->name, a, n) != 0)
		return false;
	if (b == NULL)
		return c->name[n] == '\0';
	return c->name[n] == ' ' && strcmp(c->name + n + 1, b) == 0;
}

bool cs_command_in_group(const struct cs_command *c, const char *group)
{
	size_t n = strlen(group);

	return strncmp(c->name, group, n) == 0 && c->name[n] == ' ';
}

/* Is a the first word of a command of two words? */
static bool is_group(const struct cs_command *const *commands, const char *a)
{
	for (; *commands != NULL; commands++)
		if (cs_command_in_group(*commands, a))
			return true;
	return false;
}

/* The command nearest to the words, or NULL when none is near. */
static const char *nearest_command(const struct cs_command *const *commands,
				   const char *a, const char *b)
{
	char word[HINT_LENGTH + 1];
	const char *best = NULL;
	size_t distance = HINT_DISTANCE;

	snprintf(word, sizeof(word), "%s%s%s", a, b != NULL ? " " : "",
		 b != NULL ? b : "");
	for (; *commands != NULL; commands++) {
		nearer(word, (*commands)->name, &best, &distance);
		nearer(a, (*commands)->name, &best, &distance);
	}
	return best;
}

/* The sentence for words that name no command. */
static bool unknown_command(const struct cs_command *const *commands,
			    const char *a, const char *b, struct cs_error *err)
{
	const char *best = nearest_command(commands, a, b);

	if (best != NULL)
		return cs_error_set(err, CS_E_USAGE,
				    "no command `%.*s`; did you mean `%s`?",
				    HINT_LENGTH, a, best);
	return cs_error_set(err, CS_E_USAGE,
			    "no command `%.*s`; see `countersign --help`",
			    HINT_LENGTH, a);
}

/* The sentence for a word b that no command of group a has; b may be NULL. */
static bool unknown_in_group(const struct cs_command *const *commands,
			     const char *a, const char *b, struct cs_error *err)
{
	const char *best;
	char words[CS_ERROR_MAX / 2];
	size_t n = 0;

	if (b == NULL)
		return cs_error_set(err, CS_E_USAGE, "`%s` needs another word",
				    a);
	best = nearest_command(commands, a, b);
	for (; *commands != NULL; commands++)
		if (cs_command_in_group(*commands, a) && n < sizeof(words))
			n += (size_t)snprintf(words + n, sizeof(words) - n,
					      "%s%s", n > 0 ? ", " : "",
					      (*commands)->name + strlen(a) +
						      1);
	if (best != NULL)
		return cs_error_set(err, CS_E_USAGE,
				    "no command `%s %.*s`; did you mean `%s`? "
				    "`%s` has %s",
				    a, HINT_LENGTH, b, best, a, words);
	return cs_error_set(err, CS_E_USAGE,
			    "no command `%s %.*s`; `%s` has %s", a, HINT_LENGTH,
			    b, a, words);
}

/* An option of this command by its long name of n bytes. */
static const struct cs_option *find_long(const struct cs_command *c,
					 const char *name, size_t n)
{
	const struct cs_option *tables[] = {c != NULL ? c->options : NULL,
					    common_options};

	for (size_t t = 0; t < 2; t++)
		for (const struct cs_option *o = tables[t];
		     o != NULL && o->name != NULL; o++)
			if (strlen(o->name) == n &&
			    memcmp(o->name, name, n) == 0)
				return o;
	if ((c == NULL || c->outputs != NULL) &&
	    strlen(output_option.name) == n &&
	    memcmp(output_option.name, name, n) == 0)
		return &output_option;
	return NULL;
}

/* The same by its letter. */
static const struct cs_option *find_letter(const struct cs_command *c,
					   char letter)
{
	const struct cs_option *tables[] = {c != NULL ? c->options : NULL,
					    common_options};

	for (size_t t = 0; t < 2; t++)
		for (const struct cs_option *o = tables[t];
		     o != NULL && o->name != NULL; o++)
			if (o->letter == letter)
				return o;
	if (letter == 'o' && (c == NULL || c->outputs != NULL))
		return &output_option;
	return NULL;
}

/* The sentence for an option that the command does not have. */
static bool unknown_option(const struct cs_command *c, const char *word,
			   struct cs_error *err)
{
	const char *best = NULL;
	size_t distance = HINT_DISTANCE;

	if (c != NULL && strncmp(word, "--", 2) == 0) {
		for (const struct cs_option *o = c->options;
		     o != NULL && o->name != NULL; o++)
			nearer(word + 2, o->name, &best, &distance);
		for (const struct cs_option *o = common_options;
		     o->name != NULL; o++)
			nearer(word + 2, o->name, &best, &distance);
		if (c->outputs != NULL)
			nearer(word + 2, output_option.name, &best, &distance);
	}
	if (best != NULL)
		return cs_error_set(err, CS_E_USAGE,
				    "`%s` has no option `%s`; did you mean "
				    "`--%s`?",
				    c->name, word, best);
	return cs_error_set(err, CS_E_USAGE, "%s%s%s has no option `%s`",
			    c != NULL ? "`" : "", c != NULL ? c->name : "this",
			    c != NULL ? "`" : "", word);
}

/* One option word of argv: what it is, and its value. */
struct option_word {
	const struct cs_option *option;
	const char *value;
	bool takes_next; /* the value was the next word */
};

/* Read the option at argv[i]. With c NULL: only what all commands take. */
static bool read_option(const struct cs_command *c, int argc, char *const *argv,
			int i, struct option_word *ret, struct cs_error *err)
{
	const char *word = argv[i];
	const char *equals = NULL;

	*ret = (struct option_word){0};
	if (strncmp(word, "--", 2) == 0) {
		equals = strchr(word, '=');
		ret->option =
			find_long(c, word + 2,
				  equals != NULL ? (size_t)(equals - word - 2)
						 : strlen(word + 2));
	} else if (word[2] == '\0') {
		ret->option = find_letter(c, word[1]);
	}
	if (ret->option == NULL)
		return unknown_option(c, word, err);
	if (ret->option->value == NULL) {
		if (equals != NULL)
			return cs_error_set(err, CS_E_USAGE,
					    "`--%s` takes no value",
					    ret->option->name);
		ret->value = "";
		return true;
	}
	if (equals != NULL) {
		ret->value = equals + 1;
		return true;
	}
	if (i + 1 >= argc)
		return cs_error_set(err, CS_E_USAGE, "`--%s` needs a value: %s",
				    ret->option->name, ret->option->value);
	ret->value = argv[i + 1];
	ret->takes_next = true;
	return true;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

/* Where the command's words stand in argv. */
struct command_words {
	const struct cs_command *command;
	const char
		*group; /* command NULL: the group that the first one names */
	int first, second; /* indexes; 0: none */
	int help_word;	   /* of `help` before them; 0: none */
	bool help;	   /* asked for before, or in place of, the command */
};

/* Find the first two words that are no options, and what stands before. */
static bool find_words(int argc, char *const *argv, struct command_words *ret,
		       struct cs_error *err)
{
	struct option_word o;

	for (int i = 1; i < argc && ret->second == 0; i++) {
		if (is_option(argv[i])) {
			if (ret->first > 0)
				return true; /* may be the command's own */
			if (!read_option(NULL, argc, argv, i, &o, err))
				return false;
			ret->help |= o.option->letter == 'h';
			i += o.takes_next;
		} else if (ret->first > 0) {
			ret->second = i;
		} else if (!ret->help && strcmp(argv[i], "help") == 0) {
			ret->help = true;
			ret->help_word = i;
		} else {
			ret->first = i;
		}
	}
	return true;
}

/* Is one of the words from argv[i] on the option --help? */
static bool asks_help(int argc, char *const *argv, int i)
{
	for (; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

/* The command or the group that the first two words name. */
static bool find_command(const struct cs_command *const *commands, int argc,
			 char *const *argv, struct command_words *ret,
			 struct cs_error *err)
{
	const char *a, *b;

	*ret = (struct command_words){0};
	if (!find_words(argc, argv, ret, err))
		return false;
	if (ret->first == 0)
		return true;
	a = argv[ret->first];
	b = ret->second > 0 ? argv[ret->second] : NULL;
	for (size_t i = 0; b != NULL && commands[i] != NULL; i++)
		if (name_is(commands[i], a, b)) {
			ret->command = commands[i];
			return true;
		}
	for (size_t i = 0; commands[i] != NULL; i++)
		if (name_is(commands[i], a, NULL)) {
			ret->command = commands[i];
			ret->second = 0;
			return true;
		}
	if (!is_group(commands, a))
		return unknown_command(commands, a, b, err);
	ret->group = a;
	if (b == NULL)
		ret->help |= asks_help(argc, argv, ret->first + 1);
	else if (strcmp(b, "help") == 0)
		ret->help = true;
	else
		return unknown_in_group(commands, a, b, err);
	return true;
}

/* Is `name` one of "a|b|c"? */
static bool is_one_of(const char *name, const char *list)
{
	size_t n = strlen(name);

	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, "|");

		if (len == n && memcmp(list, name, n) == 0)
			return true;
		list += len + (list[len] == '|');
	}
	return false;
}

/* Put one option into the call. */
static bool take_option(struct cs_call *call, const struct option_word *o,
			struct cs_error *err)
{
	if (o->option->letter == 'h') {
		call->what = CS_CALL_HELP;
		return true;
	}
	if (o->option == &common_options[0]) {
		if (o->value[0] == '\0')
			return cs_error_set(err, CS_E_USAGE,
					    "`--dir` needs a directory");
		call->dir = o->value;
		return true;
	}
	if (o->option == &output_option) {
		if (!is_one_of(o->value, call->command->outputs))
			return cs_error_set(err, CS_E_USAGE,
					    "`-o %s`: expected %s", o->value,
					    call->command->outputs);
		call->output = o->value;
		return true;
	}
	if (call->n_given == CS_MAX_CALL_OPTIONS)
		return cs_error_set(err, CS_E_USAGE,
				    "more than %d options in one call",
				    CS_MAX_CALL_OPTIONS);
	call->given[call->n_given].option = o->option;
	call->given[call->n_given].value = o->value;
	call->n_given++;
	return true;
}

static bool check_args(const struct cs_call *call, struct cs_error *err)
{
	const struct cs_command *c = call->command;

	if (call->what == CS_CALL_HELP)
		return true;
	if (call->n_args < c->min_args)
		return cs_error_set(err, CS_E_USAGE, "`%s` needs %s", c->name,
				    c->args);
	if (call->n_args > c->max_args)
		return cs_error_set(err, CS_E_USAGE,
				    "`%s` takes no further word `%s`", c->name,
				    call->args[c->max_args]);
	return true;
}

/* The second pass: options and words of a known command. */
static bool parse_rest(struct cs_call *call, const struct command_words *w,
		       int argc, char *const *argv, struct cs_error *err)
{
	struct option_word o;
	bool ended = false;

	for (int i = 1; i < argc; i++) {
		if (i == w->first || i == w->second || i == w->help_word)
			continue;
		if (!ended && strcmp(argv[i], "--") == 0) {
			ended = true;
			continue;
		}
		if (!ended && is_option(argv[i])) {
			if (!read_option(call->command, argc, argv, i, &o,
					 err) ||
			    !take_option(call, &o, err))
				return false;
			i += o.takes_next;
			continue;
		}
		if (call->n_args == CS_MAX_CALL_ARGS)
			return cs_error_set(err, CS_E_USAGE,
					    "more than %d words in one call",
					    CS_MAX_CALL_ARGS);
		call->args[call->n_args++] = argv[i];
	}
	return check_args(call, err);
}

bool cs_command_parse(const struct cs_command *const *commands, int argc,
		      char *const *argv, struct cs_call *ret_call,
		      struct cs_error *err)
{
	const char *dir = getenv("COUNTERSIGN_DIR");
	struct command_words w;

	*ret_call = (struct cs_call){
		.commands = commands, .out = stdout, .err = stderr};
	ret_call->dir = dir != NULL && dir[0] != '\0' ? dir : DEFAULT_DIR;
	if (!find_command(commands, argc, argv, &w, err)) {
		ret_call->group = w.group;
		return false;
	}
	ret_call->command = w.command;
	ret_call->group = w.group;
	if (w.help || w.command == NULL)
		ret_call->what = CS_CALL_HELP;
	if (w.command == NULL) {
		if (w.help)
			return true;
		if (w.group != NULL)
			return unknown_in_group(commands, w.group, NULL, err);
		return cs_error_set(err, CS_E_USAGE,
				    "a command is needed; see `countersign "
				    "--help`");
	}
	if (w.command->outputs != NULL)
		ret_call->output = w.command->outputs;
	return parse_rest(ret_call, &w, argc, argv, err);
}

const struct cs_option *cs_command_option_at(const struct cs_command *c,
					     size_t n)
{
	size_t own = 0;

	while (c->options != NULL && c->options[own].name != NULL)
		own++;
	if (n < own)
		return &c->options[n];
	n -= own;
	if (c->outputs != NULL && n-- == 0)
		return &output_option;
	return n < sizeof(common_options) / sizeof(common_options[0]) - 1
		       ? &common_options[n]
		       : NULL;
}

bool cs_command_is_path(const char *value)
{
	return value != NULL &&
	       (strstr(value, "FILE") != NULL || strstr(value, "DIR") != NULL ||
		strstr(value, "PATH") != NULL);
}

const char *cs_call_get(const struct cs_call *call, const char *option)
{
	const char *value = NULL;

	for (size_t i = 0; i < call->n_given; i++)
		if (strcmp(call->given[i].option->name, option) == 0)
			value = call->given[i].value;
	return value;
}

const char *cs_call_get_nth(const struct cs_call *call, const char *option,
			    size_t at)
{
	for (size_t i = 0; i < call->n_given; i++)
		if (strcmp(call->given[i].option->name, option) == 0 &&
		    at-- == 0)
			return call->given[i].value;
	return NULL;
}

bool cs_call_number(const struct cs_call *call, const char *option,
		    unsigned low, unsigned high, unsigned *ret,
		    struct cs_error *err)
{
	const char *text = cs_call_get(call, option);
	char *end;
	long n;

	if (text == NULL)
		return true;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < (long)low ||
	    n > (long)high)
		return cs_error_set(err, CS_E_USAGE,
				    "--%s: `%s`: expected %u to %u", option,
				    text, low, high);
	*ret = (unsigned)n;
	return true;
}

bool cs_call_needs(const struct cs_call *call, const char *option,
		   const char *beside, struct cs_error *err)
{
	return cs_call_get(call, option) == NULL ||
	       cs_call_get(call, beside) != NULL ||
	       cs_error_set(err, CS_E_USAGE, "--%s is for --%s", option,
			    beside);
}

bool cs_call_wants(const struct cs_call *call, const char *output)
{
	size_t n = strlen(output);

	/* The default is the whole list, of which the first word counts. */
	return call->output != NULL && strncmp(call->output, output, n) == 0 &&
	       (call->output[n] == '\0' || call->output[n] == '|');
}

int cs_exit_of_error(const struct cs_error *err)
{
	switch (err->code) {
	case CS_E_USAGE:
	case CS_E_CONFIG:
		return CS_EXIT_USAGE;
	case CS_E_UNREACHABLE:
		return CS_EXIT_UNREACHABLE;
	case CS_E_VERIFY:
	case CS_E_SPLIT:
		return CS_EXIT_VERIFY;
	case CS_E_NOT_FOUND:
		return CS_EXIT_NOT_FOUND;
	case CS_E_PERMISSION:
		return CS_EXIT_FORBIDDEN;
	default:
		return CS_EXIT_REFUSED;
	}
}

int cs_call_fail(const struct cs_call *call, const struct cs_error *err)
{
	fflush(call->out);
	fprintf(call->err, "countersign: %s\n", err->text);
	return cs_exit_of_error(err);
}
