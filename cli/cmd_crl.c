/* `crl show`, `crl publish`: what is revoked, as it is told to others. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "base/wire.h"
#include "cli/commands.h"
#include "cli/list.h"
#include "cli/show.h"
#include "cli/text.h"
#include "issuer/print.h"

/* 65536 CRLs, a hundred a second. */
#define PATIENCE_MS (15u * 60 * 1000)

/* -- crl show ------------------------------------------------------------- */

static const struct cs_option show_options[] = {
	{"shard", 0, "N", "which of the issuer's, for text, pem and der (0)"},
	{"limit", 0, "N", "list at most so many (all)"},
	{0},
};

/* The columns of a list of them. */
static int run_list(const struct cs_call *call)
{
	static const char *const header[] = {
		"ISSUER",  "GENERATION",  "SHARD",	"NUMBER",
		"ENTRIES", "THIS UPDATE", "NEXT UPDATE"};
	static const char *const names[] = {
		"issuer",  "generation",  "shard",	"number",
		"entries", "this_update", "next_update"};
	static const char *const csv[] = {
		"issuer",      "generation",  "shard",	 "number",
		"this_update", "next_update", "entries", "size",
		"sha256",      "index",	      NULL};
	static const char *const none[] = {NULL};
	const struct cs_ask_param issuer = {
		CS_ASK_LIST, "issuer", call->n_args > 0 ? call->args[0] : "",
		0};
	const struct cs_list list = {
		.kind = CS_QUERY_CRLS,
		.target = "/v1/crls",
		.filters = none,
		.flags = none,
		.fixed = &issuer,
		.n_fixed = call->n_args > 0 ? 1 : 0,
		.header = header,
		.names = names,
		.columns = sizeof(names) / sizeof(names[0]),
		.csv = csv,
		.limit = CS_LIST_ALL,
	};

	return cs_list_run(call, &list);
}

/* "web@2" is generation 2 of web. */
static void split_label(const char *label, char name[CS_MAX_LABEL + 1],
			int64_t *ret_generation)
{
	char *at;

	(void)snprintf(name, CS_MAX_LABEL + 1, "%s", label);
	at = strchr(name, '@');
	*ret_generation = at == NULL ? 1 : strtol(at + 1, NULL, 10);
	if (at != NULL)
		*at = '\0';
}

/* The octets out of what the files' reader answers (store/query.h). */
static struct cs_span der_of(const struct cs_reply *r, struct cs_span body)
{
	struct cs_wire_reader reader = cs_wire_reader(body);

	if (!r->stopped)
		return body;
	(void)cs_wire_get_u64(&reader);
	(void)cs_wire_get_u64(&reader);
	(void)cs_wire_get_bytes(&reader);
	return cs_wire_get_bytes(&reader);
}

/* The CRL in the form that is asked for. */
static int print_crl(const struct cs_call *call, struct cs_span der)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_error err = {0};

	/* A line of text is a few times an entry. */
	cs_buf_init(&text, (size_t)CS_MAX_CRL * 8);
	if (cs_call_wants(call, "der")) {
		fwrite(der.p, 1, der.n, call->out);
		return CS_EXIT_DONE;
	}
	if (cs_call_wants(call, "pem"))
		cs_codec_pem("X509 CRL", der, &text);
	else if (!cs_crl_print(der, &text, &err))
		return cs_call_fail(call, &err);
	if (!cs_buf_finish(&text, "the CRL", &err))
		return cs_call_fail(call, &err);
	fputs(cs_buf_str(&text), call->out);
	return CS_EXIT_DONE;
}

/* One CRL, as octets. */
static int run_one(const struct cs_call *call)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf body, target;
	struct cs_question_call q = {.kind = CS_QUERY_CRL};
	char name[CS_MAX_LABEL + 1];
	struct cs_error err = {0};
	struct cs_reply r = {0};
	int64_t generation;
	unsigned shard = 0;
	int status;

	cs_buf_init(&body, CS_MAX_MESSAGE);
	cs_buf_init(&target, CS_MAX_HTTP_TARGET);
	if (!cs_call_number(call, "shard", 0, CS_MAX_CRL_SHARDS - 1, &shard,
			    &err))
		return cs_call_fail(call, &err);
	split_label(call->args[0], name, &generation);
	cs_buf_add_str(&target, "/crl/");
	cs_ask_escape(&target, name);
	if (generation > 1)
		cs_buf_addf(&target, "@%lld", (long long)generation);
	cs_buf_addf(&target, "/%u.crl", shard);
	q.target = cs_buf_str(&target);
	cs_question_add(&q,
			(struct cs_ask_param){CS_ASK_ONE, "issuer", name, 0});
	cs_question_add(&q, (struct cs_ask_param){CS_ASK_INT, "generation",
						  NULL, generation});
	cs_question_add(
		&q, (struct cs_ask_param){CS_ASK_INT, "shard", NULL, shard});
	q.in_path = q.param[0];
	if (!cs_ask_octets(call, &q, &body, &r, &err))
		return cs_call_fail(call, &err);
	if (r.status >= 400)
		status = cs_reply_print_problem(call, &r);
	else
		status = print_crl(call, der_of(&r, cs_buf_span(&body)));
	cs_reply_done(&r);
	return status;
}

static int run_show(const struct cs_call *call)
{
	struct cs_error err = {0};

	bool one = cs_call_wants(call, "text") || cs_call_wants(call, "pem") ||
		   cs_call_wants(call, "der");

	if (one && call->n_args > 0)
		return run_one(call);
	if (!one && cs_call_get(call, "shard") == NULL)
		return run_list(call);
	if (one)
		cs_error_set(&err, CS_E_USAGE,
			     "-o %s: of which issuer? countersign crl show "
			     "lists them",
			     call->output);
	else
		cs_error_set(&err, CS_E_USAGE,
			     "--shard is for -o text, pem or der");
	return cs_call_fail(call, &err);
}

/* -- crl publish ---------------------------------------------------------- */

/* What was signed, a line each. */
static void print_published(const struct cs_call *call, const json_t *body)
{
	const json_t *items = json_object_get(body, "items"), *item;
	json_int_t total = json_integer_value(json_object_get(body, "total"));
	size_t i;

	json_array_foreach(items, i, item)
	{
		json_int_t generation =
			json_integer_value(json_object_get(item, "generation"));

		cs_text_print(call->out, cs_reply_text(item, "issuer"));
		if (generation > 1)
			fprintf(call->out, "@%lld", (long long)generation);
		fprintf(call->out,
			" shard %lld: number %lld, entries %lld, until ",
			(long long)json_integer_value(
				json_object_get(item, "shard")),
			(long long)json_integer_value(
				json_object_get(item, "number")),
			(long long)json_integer_value(
				json_object_get(item, "entries")));
		cs_text_print(call->out, cs_reply_text(item, "next_update"));
		fputc('\n', call->out);
	}
	if ((size_t)total > json_array_size(items))
		fprintf(call->out, "and %lld more\n",
			(long long)total - (long long)json_array_size(items));
}

static int run_publish(const struct cs_call *call)
{
	json_t *body = json_object();
	struct cs_error err = {0};
	struct cs_reply r = {0};
	int status;
	bool ok;

	if (call->n_args > 0)
		json_object_set_new(body, "issuer", json_string(call->args[0]));
	ok = cs_ask_long(call, "POST", "/v1/crls", body, PATIENCE_MS, &r, &err);
	json_decref(body);
	if (!ok)
		return cs_call_fail(call, &err);
	if (!cs_reply_print(call, &r, &status))
		print_published(call, r.body);
	cs_reply_done(&r);
	return status;
}

const struct cs_command cs_cmd_crl_show = {
	.name = "crl show",
	.args = "[ISSUER]",
	.max_args = 1,
	.help = "List the CRLs, or show one",
	.outputs = "table|json|ndjson|csv|text|pem|der",
	.options = show_options,
	.example = "countersign crl show default -o text",
	.run = run_show,
};

const struct cs_command cs_cmd_crl_publish = {
	.name = "crl publish",
	.args = "[ISSUER]",
	.max_args = 1,
	.help = "Sign CRLs now, of one issuer or of all",
	.outputs = "text|json",
	.example = "countersign crl publish default",
	.run = run_publish,
};
