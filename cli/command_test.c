#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

static int run_nothing(const struct cs_call *call)
{
	(void)call;
	return CS_EXIT_DONE;
}

static const struct cs_option add_options[] = {
	{"right", 0, "RIGHTS", "rights"},
	{"force", 'f', NULL, "do it"},
	{0},
};

static const struct cs_command serve = {
	.name = "serve",
	.args = "",
	.help = "Serve",
	.example = "countersign serve",
	.run = run_nothing,
};

static const struct cs_command add = {
	.name = "client add",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Add",
	.outputs = "table|json",
	.options = add_options,
	.example = "countersign client add x",
	.run = run_nothing,
};

static const struct cs_command list = {
	.name = "client list",
	.args = "",
	.help = "List",
	.outputs = "table|json",
	.example = "countersign client list",
	.run = run_nothing,
};

static const struct cs_command *const commands[] = {&serve, &add, &list, NULL};

/* Parse words separated by single spaces. */
static bool parse(const char *words, struct cs_call *call, struct cs_error *err)
{
	static char text[512];
	static char *argv[32];
	int argc = 0;
	char *p = text;

	snprintf(text, sizeof(text), "countersign %s", words);
	while (p != NULL && *p != '\0') {
		argv[argc++] = p;
		p = strchr(p, ' ');
		if (p != NULL)
			*p++ = '\0';
	}
	return cs_command_parse(commands, argc, argv, call, err);
}

static void finds_commands_of_one_and_two_words(void **state)
{
	struct cs_call call;
	struct cs_error err;

	(void)state;
	assert_true(parse("serve", &call, &err));
	assert_ptr_equal(call.command, &serve);
	assert_true(parse("client add gw --right submit,audit", &call, &err));
	assert_ptr_equal(call.command, &add);
	assert_int_equal(call.n_args, 1);
	assert_string_equal(call.args[0], "gw");
	assert_string_equal(cs_call_get(&call, "right"), "submit,audit");
	assert_null(cs_call_get(&call, "force"));
}

static void takes_options_anywhere_and_in_every_form(void **state)
{
	struct cs_call call;
	struct cs_error err;

	(void)state;
	assert_true(parse("--dir /x client add --right=a -f gw --right b "
			  "-o json",
			  &call, &err));
	assert_string_equal(call.dir, "/x");
	assert_string_equal(cs_call_get(&call, "force"), "");
	assert_string_equal(cs_call_get(&call, "right"), "b");
	assert_string_equal(cs_call_get_nth(&call, "right", 0), "a");
	assert_string_equal(cs_call_get_nth(&call, "right", 1), "b");
	assert_null(cs_call_get_nth(&call, "right", 2));
	assert_true(cs_call_wants(&call, "json"));
	assert_true(parse("client add -- --gw", &call, &err));
	assert_string_equal(call.args[0], "--gw");
	assert_true(cs_call_wants(&call, "table"));
	assert_false(cs_call_wants(&call, "json"));
}

static void shows_help_wherever_it_is_asked_for(void **state)
{
	struct cs_call call;
	struct cs_error err;

	(void)state;
	assert_true(parse("--help", &call, &err));
	assert_null(call.command);
	assert_true(call.what == CS_CALL_HELP);
	assert_null(call.group);
	assert_true(parse("client add --help", &call, &err));
	assert_ptr_equal(call.command, &add);
	assert_true(call.what == CS_CALL_HELP);
	assert_true(parse("help client add", &call, &err));
	assert_ptr_equal(call.command, &add);
	assert_true(call.what == CS_CALL_HELP);
}

static void knows_which_group_help_is_asked_for(void **state)
{
	static const char *const lines[] = {
		"client --help", "--help client", "client -h",
		"help client",	 "client help",	  "--dir /x client -h"};
	struct cs_call call;
	struct cs_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(parse(lines[i], &call, &err));
		assert_true(call.what == CS_CALL_HELP);
		assert_null(call.command);
		assert_string_equal(call.group, "client");
	}
	assert_false(parse("client", &call, &err));
	assert_true(call.what == CS_CALL_HELP);
	assert_string_equal(call.group, "client");
	assert_false(parse("client ad", &call, &err));
	assert_true(call.what == CS_CALL_RUN);
	assert_string_equal(call.group, "client");
}

/* What a helper prints; the caller frees it. */
static char *printed(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	print(out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void print_group(FILE *out)
{
	static const struct cs_command_group group = {
		"client", "Clients of the house", "docs/clients.md"};

	cs_command_help_group(commands, &group, out);
}

static void the_help_of_a_group_has_its_commands_only(void **state)
{
	char *text = printed(print_group);

	(void)state;
	assert_string_equal(
		text, "Usage: countersign client COMMAND [ARGUMENT]... "
		      "[OPTION]...\n\nClients of the house\n\nCommands:\n"
		      "  client add        Add\n"
		      "  client list       List\n"
		      "\n`countersign client COMMAND --help` shows options and "
		      "an example,\n`countersign --help` all commands. Read on "
		      "in docs/clients.md.\n");
	free(text);
}

/* Parsing fails with exactly this sentence. */
static void refuses(const char *words, const char *sentence)
{
	struct cs_call call;
	struct cs_error err = {0};

	assert_false(parse(words, &call, &err));
	assert_int_equal(err.code, CS_E_USAGE);
	assert_string_equal(err.text, sentence);
}

static void says_what_is_wrong_and_what_was_meant(void **state)
{
	(void)state;
	refuses("srve", "no command `srve`; did you mean `serve`?");
	refuses("client ad gw",
		"no command `client ad`; did you mean `client add`? "
		"`client` has add, list");
	refuses("client bananas", "no command `client bananas`; `client` has "
				  "add, list");
	refuses("bananas", "no command `bananas`; see `countersign --help`");
	refuses("bananas --help",
		"no command `bananas`; see `countersign --help`");
	refuses("client", "`client` needs another word");
	refuses("client add gw --rihgt x",
		"`client add` has no option `--rihgt`; did you mean "
		"`--right`?");
	refuses("serve --nonsense", "`serve` has no option `--nonsense`");
	refuses("serve -o json", "`serve` has no option `-o`");
	refuses("client add gw --right", "`--right` needs a value: RIGHTS");
	refuses("client add gw --force=1", "`--force` takes no value");
	refuses("client list -o xml", "`-o xml`: expected table|json");
	refuses("client add", "`client add` needs NAME");
	refuses("client add a b", "`client add` takes no further word `b`");
	refuses("", "a command is needed; see `countersign --help`");
}

static void maps_errors_to_the_statuses_that_scripts_know(void **state)
{
	struct cs_error err = {0};

	(void)state;
	cs_error_set(&err, CS_E_UNREACHABLE, "x");
	assert_int_equal(cs_exit_of_error(&err), 3);
	cs_error_set(&err, CS_E_VERIFY, "x");
	assert_int_equal(cs_exit_of_error(&err), 4);
	cs_error_set(&err, CS_E_NOT_FOUND, "x");
	assert_int_equal(cs_exit_of_error(&err), 5);
	cs_error_set(&err, CS_E_USAGE, "x");
	assert_int_equal(cs_exit_of_error(&err), 2);
	cs_error_set(&err, CS_E_IO, "x");
	assert_int_equal(cs_exit_of_error(&err), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_commands_of_one_and_two_words),
		cmocka_unit_test(takes_options_anywhere_and_in_every_form),
		cmocka_unit_test(shows_help_wherever_it_is_asked_for),
		cmocka_unit_test(knows_which_group_help_is_asked_for),
		cmocka_unit_test(the_help_of_a_group_has_its_commands_only),
		cmocka_unit_test(says_what_is_wrong_and_what_was_meant),
		cmocka_unit_test(maps_errors_to_the_statuses_that_scripts_know),
	};

	return cs_test_run("cli/command", tests);
}
