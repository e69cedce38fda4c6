#include <string.h>

#include "base/time.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/drift.h"
#include "cli/issuers.h"
#include "cli/show.h"
#include "issuer/ca.h"

/* The issuer of the list with this name in its newest generation. */
static json_t *newest(const json_t *items, const char *name)
{
	json_t *best = NULL, *item;
	json_int_t generation = -1;
	size_t i;

	json_array_foreach(items, i, item)
	{
		json_int_t g =
			json_integer_value(json_object_get(item, "generation"));

		if (strcmp(cs_reply_text(item, "name"), name) != 0 ||
		    g <= generation)
			continue;
		best = item;
		generation = g;
	}
	return best;
}

/* When the issuer's chain ends, as RFC 3339; "-" when it cannot be read. */
static json_t *not_after(const json_t *issuer)
{
	struct cs_issuer_ca_source source = {
		.name = cs_span_str(cs_reply_text(issuer, "name"))};
	struct cs_error err = {0};
	struct cs_issuer_ca *read;
	char text[CS_TIME_TEXT];
	json_t *both = json_sprintf("%s%s", cs_reply_text(issuer, "chain"),
				    cs_reply_text(issuer, "ca"));

	source.chain_pem =
		cs_span_make(json_string_value(both), json_string_length(both));
	read = cs_issuer_ca_new(&source, &err);
	json_decref(both);
	if (read == NULL)
		return json_string("-");
	cs_time_rfc3339(read->not_after_s, text);
	cs_issuer_ca_free(read);
	return json_string(text);
}

/* Until when it answers OCSP: "-" for not at all, "none" for not now. */
static json_t *ocsp_until(const json_t *item)
{
	const json_t *end = json_object_get(item, "ocsp_responder_not_after");

	if (!json_is_true(json_object_get(item, "ocsp")))
		return json_string("-");
	return json_string(json_is_string(end) ? json_string_value(end)
					       : "none");
}

/* Of generations that a stopped one's files list, the newest of each name. */
static void keep_newest(json_t *issuers)
{
	for (size_t i = json_array_size(issuers); i-- > 0;) {
		json_t *item = json_array_get(issuers, i);

		if (json_object_get(item, "generation") != NULL &&
		    newest(issuers, cs_reply_text(item, "name")) != item)
			json_array_remove(issuers, i);
	}
}

/* A row for each issuer of the status, with what the ledger knows of it. */
static void print_issuers(const struct cs_call *call, const json_t *status)
{
	static const char *const header[] = {"ISSUER",	   "GENERATION",
					     "STATE",	   "NOT AFTER",
					     "OCSP UNTIL", "SELF APPROVAL"};
	static const char *const names[] = {"name",	  "generation",
					    "state",	  "not_after",
					    "ocsp_until", "self_approval"};
	const struct cs_question_call q = {.kind = CS_QUERY_ISSUERS,
					   .target = "/v1/issuers"};
	const json_t *ledger = json_object_get(status, "ledger");
	json_t *issuers = json_object_get(status, "issuers");
	const json_t *generations =
		json_object_get(ledger != NULL ? ledger : status, "issuers");
	struct cs_error err = {0};
	struct cs_reply r;
	const json_t *items;
	json_t *item;
	size_t i;

	if (!cs_ask_question(call, &q, &r, &err)) {
		(void)cs_call_fail(call, &err);
		return;
	}
	items = json_object_get(r.body, "items");
	keep_newest(issuers);
	json_array_foreach(issuers, i, item)
	{
		const char *name = cs_reply_text(item, "name");
		json_t *known = newest(items, name);

		json_object_set(item, "generation",
				json_object_get(newest(generations, name),
						"generation"));
		json_object_set_new(item, "not_after", not_after(known));
		json_object_set_new(item, "ocsp_until", ocsp_until(item));
	}
	fputc('\n', call->out);
	cs_show_list(issuers, header, names, sizeof(names) / sizeof(names[0]),
		     call->out);
	cs_reply_done(&r);
}

static void print_status(const struct cs_call *call, json_t *status)
{
	json_t *rest = json_deep_copy(status);

	json_object_del(rest, "issuers");
	json_object_del(rest, "policy_files");
	json_object_del(json_object_get(rest, "ledger"), "issuers");
	cs_show_object(rest, call->out);
	json_decref(rest);
	print_issuers(call, status);
}

/* Issuers without a certificate, when the files are at hand. */
static void tell_waiting(const struct cs_call *call)
{
	struct cs_error why = {0};
	struct cs_install *in = cs_install_load(call->dir, &why);

	if (in != NULL)
		cs_issuers_tell_waiting(in, call->err);
	cs_install_free(in);
}

static int run(const struct cs_call *call)
{
	const struct cs_question_call q = {.kind = CS_QUERY_STATUS,
					   .target = "/v1/status"};
	struct cs_reply r;
	struct cs_error err = {0};
	json_t *drift;
	int status;

	if (!cs_ask_question(call, &q, &r, &err))
		return cs_call_fail(call, &err);
	if (r.stopped)
		fputs("countersign: no server runs; this is what the files "
		      "say\n",
		      call->err);
	drift = r.status == 200 ? cs_drift_list(call) : NULL;
	if (json_array_size(drift) > 0)
		json_object_set(r.body, "policy_files", drift);
	if (!cs_reply_print(call, &r, &status))
		print_status(call, r.body);
	cs_drift_print(drift, call->err);
	tell_waiting(call);
	json_decref(drift);
	cs_reply_done(&r);
	return status;
}

const struct cs_command cs_cmd_status = {
	.name = "status",
	.args = "",
	.help = "Show whether the installation issues, and under what",
	.outputs = "table|json",
	.example = "countersign status -o json",
	.run = run,
};
