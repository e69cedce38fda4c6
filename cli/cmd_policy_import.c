/* `policy import`: policies of other systems, translated. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/policies.h"
#include "cli/sets.h"
#include "cli/text.h"
#include "policy/import.h"

/* Users of --requester: as many as a call has options. */
#define MAX_USERS CS_MAX_CALL_OPTIONS

static const struct cs_option options[] = {
	{"from", 0, "SYSTEM", "approver-policy, step-ca or vault"},
	{"issuer", 0, "NAME", "the issuer that the policies are for"},
	{"requester", 0, "USER", "who may ask (repeat); `*`: anybody"},
	{"out", 0, "PATH", "a file for each policy in this directory"},
	{"strict", 0, NULL, "write nothing unless it all says the same"},
	{0},
};

/* -- what is read ---------------------------------------------------------- */

/* Standard input as the only source. */
static bool read_stdin(struct cs_arena *arena, struct cs_sources *ret,
		       struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_source *s = cs_arena_new(arena, sizeof(*s));

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	if (!cs_files_read_given("-", &text, err))
		return false;
	if (s == NULL || !cs_arena_dup(arena, cs_buf_span(&text), &s->bytes))
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	s->name = CS_SPAN_LIT("stdin");
	*ret = (struct cs_sources){s, 1};
	return true;
}

static bool read_sources(const struct cs_call *call, struct cs_arena *arena,
			 struct cs_sources *ret, struct cs_error *err)
{
	if (call->n_args == 1 && strcmp(call->args[0], "-") == 0)
		return read_stdin(arena, ret, err);
	return cs_policies_read(call->args, call->n_args, arena, ret, err);
}

static bool read_options(const struct cs_call *call,
			 struct cs_span users[MAX_USERS],
			 struct cs_import_options *o, struct cs_error *err)
{
	const char *from = cs_call_get(call, "from");
	const char *user;

	*o = (struct cs_import_options){.users = users};
	if (from != NULL && !cs_import_from_name(cs_span_str(from), &o->from))
		return cs_error_set(err, CS_E_USAGE,
				    "--from %s: policies of that system are "
				    "not known; known are approver-policy, "
				    "step-ca and vault",
				    from);
	o->issuer = cs_span_str(cs_call_get(call, "issuer"));
	while ((user = cs_call_get_nth(call, "requester", o->users_n)) != NULL)
		users[o->users_n++] = cs_span_str(user);
	for (size_t i = 0; i < o->users_n; i++) {
		if (o->users_n > 1 && cs_span_equal_str(users[i], "*"))
			return cs_error_set(err, CS_E_USAGE,
					    "--requester `*` is anybody, and "
					    "stands alone");
	}
	return true;
}

/* -- what is told ---------------------------------------------------------- */

/* The lines of one policy, or of all, as a table. */
static bool print_lines(const struct cs_call *call,
			const struct cs_import_line *lines,
			struct cs_error *err)
{
	struct cs_table t;
	bool ok;

	cs_table_init(&t, 4, NULL);
	for (; lines != NULL; lines = lines->next) {
		char line[16];

		(void)snprintf(line, sizeof(line), "%u", lines->line);
		cs_table_cell(&t, cs_import_grade_name(lines->grade));
		cs_table_cell(&t, line);
		cs_table_cell_span(&t, lines->field);
		cs_table_cell_span(&t, lines->text);
	}
	ok = cs_table_print(&t, "  ", call->err, err);
	cs_table_done(&t);
	return ok;
}

static void print_name(const struct cs_call *call, struct cs_span s)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_HTTP_BODY);
	cs_text_put(&text, s);
	fputs(cs_buf_str(&text), call->err);
}

/* The whole report, which goes to standard error. */
static bool print_report(const struct cs_call *call,
			 const struct cs_import *import, struct cs_error *err)
{
	for (const struct cs_import_policy *p = import->policies; p != NULL;
	     p = p->next) {
		print_name(call, p->name);
		fputs(", from ", call->err);
		print_name(call, p->source);
		fprintf(call->err, ":%u\n", p->line);
		if (!print_lines(call, p->lines, err))
			return false;
	}
	if (import->lines != NULL) {
		fputs("all\n", call->err);
		if (!print_lines(call, import->lines, err))
			return false;
	}
	fprintf(call->err,
		"%zu polic%s: %zu exact, %zu note, %zu narrower, %zu by hand\n",
		import->n, import->n == 1 ? "y" : "ies",
		import->count[CS_IMPORT_EXACT], import->count[CS_IMPORT_NOTE],
		import->count[CS_IMPORT_NARROWER],
		import->count[CS_IMPORT_BY_HAND]);
	return true;
}

/* -- what is written ------------------------------------------------------- */

/* "NAME.yaml" in the arena; NULL: no memory. */
static const char *file_name(struct cs_arena *arena,
			     const struct cs_import_policy *p)
{
	return cs_arena_printf(arena, "%.*s.yaml", CS_SPAN_FMT(p->name));
}

/* Do they load together? What was made here and does not is a fault of ours. */
static bool check(const struct cs_import *import, struct cs_arena *arena,
		  struct cs_error *err)
{
	struct cs_source *items =
		cs_arena_new_array(arena, import->n, sizeof(*items));
	const struct cs_sources sources = {items, import->n};
	CS_CLEANUP(cs_loaded_done) struct cs_loaded l = {0};
	size_t n = 0;

	if (items == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	for (const struct cs_import_policy *p = import->policies; p != NULL;
	     p = p->next, n++) {
		const char *name = file_name(arena, p);

		if (name == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		items[n] = (struct cs_source){cs_span_str(name), p->text};
	}
	return cs_loaded_sources(&sources, &l, err) &&
	       cs_loaded_check(&l, "what was translated", err);
}

/* A file for each policy; none of them may be there. */
static bool write_files(const char *dir, const struct cs_import *import,
			struct cs_arena *arena, struct cs_error *err)
{
	struct stat st;

	for (const struct cs_import_policy *p = import->policies; p != NULL;
	     p = p->next) {
		const char *name = file_name(arena, p);
		const char *path =
			name == NULL ? NULL : cs_files_path(arena, dir, name);

		if (path == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		if (lstat(path, &st) == 0)
			return cs_error_set(err, CS_E_EXISTS,
					    "%s is there already; nothing was "
					    "written",
					    path);
	}
	if (mkdir(dir, 0777) != 0 && errno != EEXIST)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", dir);
	for (const struct cs_import_policy *p = import->policies; p != NULL;
	     p = p->next) {
		const char *name = file_name(arena, p);

		if (name == NULL ||
		    !cs_files_write(dir, name, p->text, 0644, err))
			return false;
	}
	return true;
}

static bool write_all(const struct cs_call *call,
		      const struct cs_import *import, struct cs_arena *arena,
		      struct cs_error *err)
{
	const char *dir = cs_call_get(call, "out");

	if (dir != NULL)
		return write_files(dir, import, arena, err);
	for (const struct cs_import_policy *p = import->policies; p != NULL;
	     p = p->next) {
		if (p != import->policies)
			fputs("---\n", call->out);
		(void)fwrite(p->text.p, 1, p->text.n, call->out);
	}
	return true;
}

static int run_import(const struct cs_call *call)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	struct cs_span users[MAX_USERS];
	struct cs_import_options o;
	struct cs_import import = {0};
	struct cs_sources sources;
	struct cs_error err = {0};
	bool same;

	cs_arena_init(&arena, CS_MAX_POLICY_SET_ARENA);
	if (!read_options(call, users, &o, &err) ||
	    !read_sources(call, &arena, &sources, &err) ||
	    !cs_import_read(&sources, &o, &arena, &import, &err)) {
		(void)cs_call_fail(call, &err);
		return CS_EXIT_USAGE;
	}
	same = import.n > 0 && import.count[CS_IMPORT_NARROWER] == 0 &&
	       import.count[CS_IMPORT_BY_HAND] == 0;
	if (import.n == 0 && import.lines == NULL) {
		fputs("countersign: there is no policy in what was given\n",
		      call->err);
		return CS_EXIT_REFUSED;
	}
	if (!print_report(call, &import, &err) ||
	    (import.n > 0 && !check(&import, &arena, &err)))
		return cs_call_fail(call, &err);
	if (!same && cs_call_get(call, "strict") != NULL)
		fputs("nothing was written, because of --strict\n", call->err);
	else if (!write_all(call, &import, &arena, &err))
		return cs_call_fail(call, &err);
	return same ? CS_EXIT_DONE : CS_EXIT_REFUSED;
}

const struct cs_command cs_cmd_policy_import = {
	.name = "policy import",
	.args = "FILE...",
	.min_args = 1,
	.max_args = CS_MAX_CALL_ARGS,
	.help = "Translate policies of approver-policy, step-ca or Vault",
	.options = options,
	.example = "countersign policy import crp.yaml --issuer default "
		   "--requester '*' --out policies.imported",
	.run = run_import,
};
