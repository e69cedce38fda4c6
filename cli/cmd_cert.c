/* `cert show|list|export`. */
#include <string.h>

#include "api/csv.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/list.h"
#include "cli/text.h"
#include "issuer/print.h"

/* X509_print's text, escaped line by line. */
static bool print_text(const struct cs_call *call, const char *pem,
		       struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text, line;
	struct cs_span rest;
	size_t n;

	cs_buf_init(&text, CS_MAX_MESSAGE);
	cs_buf_init(&line, CS_MAX_MESSAGE);
	if (!cs_cert_print(cs_span_str(pem), &text, err))
		return false;
	rest = cs_buf_span(&text);
	while (rest.n > 0) {
		if (!cs_span_find(rest, '\n', &n))
			n = rest.n;
		cs_text_put(&line, cs_span_sub(rest, 0, n));
		cs_buf_add_byte(&line, '\n');
		rest = cs_span_sub(rest, n + 1, rest.n);
	}
	if (!cs_buf_finish(&line, "the certificate", err))
		return false;
	fputs(cs_buf_str(&line), call->out);
	return true;
}

/* Ask for one by its serial. */
static bool get(const struct cs_call *call, const char *serial,
		struct cs_reply *ret, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf target;
	struct cs_question_call q = {
		.kind = CS_QUERY_CERTIFICATE,
		.in_path = {CS_ASK_ONE, "serial", serial, 0}};

	cs_buf_init(&target, CS_MAX_HTTP_TARGET);
	cs_buf_add_str(&target, "/v1/certificates/");
	cs_ask_escape(&target, serial);
	if (!cs_buf_finish(&target, "the serial", err))
		return false;
	q.target = cs_buf_str(&target);
	return cs_ask_question(call, &q, ret, err);
}

/* In words; nothing when it is not revoked. */
static void tell_revoked(const json_t *body, FILE *out)
{
	const json_t *revoked = json_object_get(body, "revoked");

	if (!json_is_object(revoked))
		return;
	fputs("Revoked at ", out);
	cs_text_print(out, cs_reply_text(revoked, "at"));
	fputs(" for ", out);
	cs_text_print(out, cs_reply_text(revoked, "reason"));
	fprintf(out, ", recorded in leaf %lld.\n",
		(long long)json_integer_value(
			json_object_get(revoked, "index")));
}

static int run_show(const struct cs_call *call)
{
	struct cs_error err = {0};
	struct cs_reply r;
	const char *pem;
	int status;

	if (!get(call, call->args[0], &r, &err))
		return cs_call_fail(call, &err);
	pem = cs_reply_text(r.body, "certificate");
	if (cs_reply_print(call, &r, &status)) {
		/* Nothing is left to say. */
	} else if (cs_call_wants(call, "pem")) {
		fputs(pem, call->out);
		tell_revoked(r.body, call->err);
	} else {
		tell_revoked(r.body, call->out);
		if (!print_text(call, pem, &err))
			status = cs_call_fail(call, &err);
	}
	cs_reply_done(&r);
	return status;
}

/* -- list, export --------------------------------------------------------- */

#define FILTER_OPTIONS                                                         \
	{"holding", 0, "NAME",                                                 \
	 "that hold this name; .zone: and below; repeatable"},                 \
		{"covering", 0, NULL,                                          \
		 "with it what could be shown for the name: wildcards, CAs"},  \
		{"spki", 0, "HASH", "of this key, by its SHA-256"},            \
		{"expires-in", 0, "DURATION",                                  \
		 "valid now, but not any more in 14d"},                        \
		{"expires-before", 0, "TIME", "that end before then"},         \
		{"valid-at", 0, "TIME", "that were valid then"},               \
		{"issuer", 0, "NAME", "of this issuer"},                       \
		{"requester", 0, "NAME", "who asked"},                         \
		{"client", 0, "NAME", "who submitted"},                        \
		{"namespace", 0, "NAME", "that a gateway spoke for"},          \
		{"revoked", 0, "true|false", "that are revoked, or are not"},  \
		{"policy", 0, "NAME",                                          \
		 "that judged; its SHA-256: this version of it"},              \
		CS_LIST_TIME_OPTIONS

static const struct cs_option list_options[] = {
	FILTER_OPTIONS,
	CS_LIST_OPTIONS,
	{0},
};

static const struct cs_option export_options[] = {
	FILTER_OPTIONS,
	{"limit", 0, "N", "at most so many (all)"},
	{"order", 0, "asc|desc", "oldest or newest first (asc)"},
	{0},
};

/* Filters that are no list of texts: times, and names by their meaning. */
struct fixed {
	struct cs_ask_param param[CS_MAX_CALL_OPTIONS + CS_MAX_CALL_ARGS];
	size_t n;
};

static void add_time(struct fixed *f, const char *name, int64_t ms)
{
	f->param[f->n++] = (struct cs_ask_param){CS_ASK_TIME, name, NULL, ms};
}

/* --expires-in: valid now, and ended by then. */
static bool add_expires_in(const struct cs_call *call, struct fixed *f,
			   struct cs_error *err)
{
	struct cs_clock clock = cs_clock_system();
	const char *text = cs_call_get(call, "expires-in");
	int64_t now = cs_clock_wall_ms(&clock), seconds;

	if (text == NULL)
		return true;
	if (!cs_time_parse_duration(cs_span_str(text), &seconds, NULL))
		return cs_error_set(err, CS_E_USAGE,
				    "--expires-in: `%s`: expected a duration "
				    "as 14d",
				    text);
	if (cs_call_get(call, "valid-at") == NULL)
		add_time(f, "valid_at", now);
	add_time(f, "expires_before", now + seconds * 1000);
	return true;
}

/* One time option. */
static bool add_time_option(const struct cs_call *call, struct fixed *f,
			    const char *option, const char *name,
			    struct cs_error *err)
{
	const char *text = cs_call_get(call, option);
	int64_t ms;

	if (text == NULL)
		return true;
	if (!cs_list_parse_time(option, text, &ms, err))
		return false;
	add_time(f, name, ms);
	return true;
}

/* Everything that cs_list does not know. */
static bool add_fixed(const struct cs_call *call, struct fixed *f,
		      struct cs_error *err)
{
	const char *name =
		cs_call_get(call, "covering") != NULL ? "covering" : "name";
	const char *value;

	for (size_t i = 0; i < call->n_args; i++)
		f->param[f->n++] = (struct cs_ask_param){CS_ASK_LIST, name,
							 call->args[i], 0};
	for (size_t i = 0;
	     (value = cs_call_get_nth(call, "holding", i)) != NULL; i++)
		f->param[f->n++] =
			(struct cs_ask_param){CS_ASK_LIST, name, value, 0};
	if (f->n == 0 && name[0] == 'c')
		return cs_error_set(err, CS_E_USAGE,
				    "--covering: of which name?");
	if (cs_call_get(call, "expires-in") != NULL &&
	    cs_call_get(call, "expires-before") != NULL)
		return cs_error_set(err, CS_E_USAGE,
				    "--expires-in and --expires-before: only "
				    "one of them");
	return add_expires_in(call, f, err) &&
	       add_time_option(call, f, "expires-before", "expires_before",
			       err) &&
	       add_time_option(call, f, "valid-at", "valid_at", err);
}

/* Of a purged one number, key and times are left. */
static void mark_purged(json_t *item)
{
	if (json_object_get(item, "purged") != NULL)
		(void)json_object_set_new(item, "names",
					  json_string("(purged)"));
}

/* What both commands ask. */
static struct cs_list certificates(const struct cs_call *call,
				   const struct fixed *f)
{
	static const char *const header[] = {"NAMES",	  "NOT AFTER", "ISSUER",
					     "REQUESTER", "REVOKED",   "SERIAL",
					     "INDEX"};
	static const char *const names[] = {
		"names",	  "not_after", "issuer", "requester|client",
		"revoked.reason", "serial",    "index"};
	static const char *const filters[] = {
		"spki",	     "issuer", "requester", "client",
		"namespace", "policy", "revoked",   NULL};
	bool by_end = cs_call_get(call, "expires-in") != NULL ||
		      cs_call_get(call, "expires-before") != NULL;

	return (struct cs_list){.kind = CS_QUERY_CERTIFICATES,
				.target = "/v1/certificates",
				.filters = filters,
				.fixed = f->param,
				.n_fixed = f->n,
				.header = header,
				.names = names,
				.columns = sizeof(names) / sizeof(names[0]),
				.csv = cs_csv_certificates,
				.prepare = mark_purged,
				/* What ends first comes first. */
				.order = by_end ? "asc" : NULL};
}

static int run_list(const struct cs_call *call)
{
	struct fixed f = {.n = 0};
	struct cs_error err = {0};
	struct cs_list list;

	if (!add_fixed(call, &f, &err))
		return cs_call_fail(call, &err);
	list = certificates(call, &f);
	return cs_list_run(call, &list);
}

/* An export: of whom, and how many there are no more. */
struct exporting {
	const struct cs_call *call;
	size_t purged;
};

/* The certificates of one page as PEM, without their chains. */
static bool export_page(void *ctx, json_t *items, struct cs_error *err)
{
	static const char end[] = "-----END CERTIFICATE-----\n";
	struct exporting *x = ctx;
	const struct cs_call *call = x->call;
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		const char *serial = cs_reply_text(item, "serial");
		const char *pem, *stop;
		struct cs_reply r;

		if (json_object_get(item, "purged") != NULL) {
			x->purged++;
			continue;
		}
		if (!get(call, serial, &r, err))
			return false;
		pem = cs_reply_text(r.body, "certificate");
		stop = strstr(pem, end);
		if (stop == NULL) {
			cs_error_set(err, CS_E_NOT_FOUND,
				     "%s: there is no certificate", serial);
			cs_reply_done(&r);
			return false;
		}
		fwrite(pem, 1, (size_t)(stop - pem) + sizeof(end) - 1,
		       call->out);
		cs_reply_done(&r);
	}
	return true;
}

static int run_export(const struct cs_call *call)
{
	struct exporting x = {.call = call};
	struct fixed f = {.n = 0};
	struct cs_error err = {0};
	struct cs_list list;
	int status;

	if (!add_fixed(call, &f, &err))
		return cs_call_fail(call, &err);
	list = certificates(call, &f);
	list.order = "asc";
	list.limit = CS_LIST_ALL;
	if (!cs_call_wants(call, "pem"))
		return cs_list_run(call, &list);
	if (!cs_list_pages(call, &list, export_page, &x, &status, &err))
		return cs_call_fail(call, &err);
	if (x.purged > 0)
		fprintf(call->err, "countersign: %zu more were purged\n",
			x.purged);
	return status;
}

const struct cs_command cs_cmd_cert_list = {
	.name = "cert list",
	.args = "[NAME]...",
	.max_args = CS_MAX_CALL_ARGS,
	.help = "List certificates that were issued, by name, key or end",
	.outputs = "table|json|ndjson|csv",
	.options = list_options,
	.example = "countersign cert list --expires-in 14d",
	.run = run_list,
};

const struct cs_command cs_cmd_cert_export = {
	.name = "cert export",
	.args = "[NAME]...",
	.max_args = CS_MAX_CALL_ARGS,
	.help = "Write certificates that were issued, oldest first",
	.outputs = "pem|ndjson|csv",
	.options = export_options,
	.example = "countersign cert export --holding .corp.example",
	.run = run_export,
};

const struct cs_command cs_cmd_cert_show = {
	.name = "cert show",
	.args = "SERIAL",
	.min_args = 1,
	.max_args = 1,
	.help = "Show a certificate that was issued",
	.outputs = "pem|text|json",
	.example = "countersign cert show 5b1c0f2a9d3e4b5c6d7e8f901a2b3c4d5e "
		   "-o text",
	.run = run_show,
};
