/*
 * `ca list`, `ca show`: the issuers of the running server, or of a stopped
 * one's files, and those that wait for a certificate, of which no server
 * knows.
 */
#include <string.h>

#include "api/issuers.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/issuers.h"
#include "cli/list.h"
#include "cli/show.h"

/* What 64 issuers are described by. */
#define ARENA_BYTES (64 * 1024 * 1024)

/* -- what there is ------------------------------------------------------ */

/* The installation's own issuers, joined with what the ledger recorded. */
static json_t *from_files(const struct cs_install *in, const json_t *recorded,
			  struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf rows, list;
	struct cs_front_issuer issuers[CS_MAX_ISSUERS];
	struct cs_arena arena;
	json_t *all = NULL;
	bool ok;

	cs_arena_init(&arena, ARENA_BYTES);
	cs_buf_init(&rows, CS_MAX_MESSAGE);
	cs_buf_init(&list, ARENA_BYTES);
	ok = cs_json_canonical(recorded, &rows, err);
	for (size_t i = 0; ok && i < in->config.n_issuers; i++)
		ok = cs_issuers_fill(in, i, &arena, &issuers[i], err);
	ok = ok && cs_issuers_write(issuers, in->config.n_issuers,
				    cs_buf_span(&rows), &list, err);
	if (ok)
		all = cs_json_parse(cs_buf_span(&list), "the issuers", err);
	cs_arena_done(&arena);
	return all;
}

/* valid, expired, not yet valid: by the clock of whoever asks. */
static const char *state_of(const json_t *issuer)
{
	struct cs_clock clock = cs_clock_system();
	int64_t now = cs_clock_wall_ms(&clock), from = 0, to = 0;

	if (!cs_time_parse_rfc3339(
		    cs_span_str(cs_reply_text(issuer, "not_before")), &from,
		    NULL) ||
	    !cs_time_parse_rfc3339(
		    cs_span_str(cs_reply_text(issuer, "not_after")), &to, NULL))
		return "unknown";
	if (strcmp(cs_reply_text(issuer, "state"), "retired") == 0)
		return "retired";
	if (json_is_null(json_object_get(issuer, "generation")))
		return "new";
	if (now < from)
		return "not yet valid";
	return now / 1000 > to / 1000 ? "expired" : "valid";
}

static const json_t *by_name(const json_t *items, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		if (strcmp(cs_reply_text(item, "name"), name) == 0)
			return item;
	}
	return NULL;
}

/* What the configuration has that the server does not run yet. */
static void tell_new(const struct cs_call *call, const struct cs_install *in,
		     const json_t *items)
{
	for (size_t i = 0; i < in->config.n_issuers; i++) {
		const char *name = in->config.issuers[i].name;

		if (by_name(items, name) == NULL)
			fprintf(call->err,
				"countersign: %s is configured, and taken in "
				"at the next start\n",
				name);
	}
}

/*
 * {"items": [..]} with a state for each. *ret_status is an exit status: when
 * it is not CS_EXIT_DONE, why was printed already.
 */
static json_t *collect(const struct cs_call *call, int *ret_status)
{
	const struct cs_question_call q = {.kind = CS_QUERY_ISSUERS,
					   .target = "/v1/issuers"};
	struct cs_error err = {0}, why = {0};
	struct cs_install *in;
	struct cs_reply r = {0};
	json_t *all = NULL, *item;
	size_t i;

	if (!cs_ask_question(call, &q, &r, &err)) {
		*ret_status = cs_call_fail(call, &err);
		return NULL;
	}
	if (r.status >= 400) {
		*ret_status = cs_reply_print_problem(call, &r);
		cs_reply_done(&r);
		return NULL;
	}
	in = cs_install_load(call->dir, &why);
	if (!r.stopped)
		all = json_incref(r.body);
	else if (in != NULL)
		all = from_files(in, r.body, &why);
	if (all == NULL)
		*ret_status = cs_call_fail(call, &why);
	else if (in != NULL && !r.stopped)
		tell_new(call, in, json_object_get(all, "items"));
	json_array_foreach(json_object_get(all, "items"), i, item)
	{
		json_object_set_new(item, "state", json_string(state_of(item)));
	}
	for (i = 0; in != NULL && i < in->waiting_n; i++)
		json_array_append_new(json_object_get(all, "items"),
				      cs_issuers_waiting(&in->waiting[i]));
	cs_install_free(in);
	cs_reply_done(&r);
	return all;
}

static int print_json(const struct cs_call *call, const json_t *value)
{
	json_dumpf(value, call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
	fputc('\n', call->out);
	return CS_EXIT_DONE;
}

/* -- the commands ------------------------------------------------------- */

static int run_list(const struct cs_call *call)
{
	static const char *const header[] = {"NAME",  "GENERATION", "KEY",
					     "STATE", "NOT AFTER",  "SUBJECT"};
	static const char *const names[] = {"name",  "generation", "key",
					    "state", "not_after",  "subject"};
	static const char *const csv[] = {"name",    "generation", "key",
					  "state",   "not_before", "not_after",
					  "subject", NULL};
	static const struct cs_list list = {.header = header,
					    .names = names,
					    .columns = sizeof(names) /
						       sizeof(names[0]),
					    .csv = csv};
	int status = CS_EXIT_DONE;
	json_t *all = collect(call, &status);

	if (all == NULL)
		return status;
	status = cs_list_print(call, &list, json_object_get(all, "items"));
	json_decref(all);
	return status;
}

/* The chain of the present generation, or of --generation; or the CSR. */
static int print_pem(const struct cs_call *call, const json_t *one)
{
	const json_t *of = one;
	struct cs_error err = {0};
	unsigned number = 0;
	json_t *g;
	size_t i;

	if (!cs_call_number(call, "generation", 1, CS_MAX_GENERATION, &number,
			    &err))
		return cs_call_fail(call, &err);
	if (number > 0)
		of = NULL;
	json_array_foreach(json_object_get(one, "generations"), i, g)
	{
		if (json_integer_value(json_object_get(g, "generation")) ==
		    (json_int_t)number)
			of = g;
	}
	if (of == NULL) {
		cs_error_set(&err, CS_E_NOT_FOUND,
			     "issuer %s has no generation %u", call->args[0],
			     number);
		return cs_call_fail(call, &err);
	}
	fprintf(call->out, "%s%s%s", cs_reply_text(of, "chain"),
		cs_reply_text(of, "ca"), cs_reply_text(of, "request"));
	return CS_EXIT_DONE;
}

/* What is there, without PEM, and its generations below it. */
static void print_table(const struct cs_call *call, json_t *one)
{
	static const char *const header[] = {"GENERATION", "STATE", "CREATED",
					     "NOT AFTER", "SERIAL"};
	static const char *const names[] = {"generation", "state", "created",
					    "not_after", "serial"};
	json_t *generations = json_incref(json_object_get(one, "generations"));

	json_object_del(one, "request");
	json_object_del(one, "ca");
	json_object_del(one, "chain");
	json_object_del(one, "generations");
	cs_show_object(one, call->out);
	if (json_array_size(generations) > 1) {
		fputc('\n', call->out);
		cs_show_list(generations, header, names,
			     sizeof(names) / sizeof(names[0]), call->out);
	}
	json_decref(generations);
}

static int run_show(const struct cs_call *call)
{
	int status = CS_EXIT_DONE;
	struct cs_error err = {0};
	json_t *all, *one;

	if (cs_call_get(call, "generation") != NULL &&
	    !cs_call_wants(call, "pem")) {
		cs_error_set(&err, CS_E_USAGE,
			     "--generation is for -o pem; the others have all "
			     "generations");
		return cs_call_fail(call, &err);
	}
	all = collect(call, &status);
	if (all == NULL)
		return status;
	one = json_deep_copy(
		by_name(json_object_get(all, "items"), call->args[0]));
	json_decref(all);
	if (one == NULL) {
		cs_error_set(&err, CS_E_NOT_FOUND, "there is no issuer `%s`",
			     call->args[0]);
		return cs_call_fail(call, &err);
	}
	if (cs_call_wants(call, "json"))
		status = print_json(call, one);
	else if (cs_call_wants(call, "pem"))
		status = print_pem(call, one);
	else
		print_table(call, one);
	json_decref(one);
	return status;
}

static const struct cs_option show_options[] = {
	{"generation", 0, "G", "with -o pem: the chain of this generation"},
	{0},
};

const struct cs_command cs_cmd_ca_list = {
	.name = "ca list",
	.args = "",
	.help = "List the issuers, their keys and how long they live",
	.outputs = "table|json|ndjson|csv",
	.example = "countersign ca list",
	.run = run_list,
};

const struct cs_command cs_cmd_ca_show = {
	.name = "ca show",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Show an issuer: certificate, ceiling, where its CRLs are",
	.outputs = "table|json|pem",
	.options = show_options,
	.example = "countersign ca show default -o pem",
	.run = run_show,
};
