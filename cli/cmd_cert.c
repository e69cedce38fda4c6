/* `cert show`. */
#include <string.h>

#include "base/limits.h"
#include "cli/ask.h"
#include "cli/commands.h"
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

static int run(const struct cs_call *call)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf target;
	struct cs_question_call q = {
		.kind = CS_QUERY_CERTIFICATE,
		.in_path = {CS_ASK_ONE, "serial", call->args[0], 0}};
	struct cs_error err = {0};
	struct cs_reply r;
	const char *pem;
	int status = CS_EXIT_DONE;

	cs_buf_init(&target, CS_MAX_HTTP_TARGET);
	cs_buf_add_str(&target, "/v1/certificates/");
	cs_ask_escape(&target, call->args[0]);
	if (!cs_buf_finish(&target, "the serial", &err))
		return cs_call_fail(call, &err);
	q.target = cs_buf_str(&target);
	if (!cs_ask_question(call, &q, &r, &err))
		return cs_call_fail(call, &err);
	pem = cs_reply_text(r.body, "certificate");
	if (r.status >= 400)
		status = cs_reply_print_problem(call, &r);
	else if (cs_call_wants(call, "json"))
		status = cs_reply_print_json(call, &r);
	else if (cs_call_wants(call, "pem"))
		fputs(pem, call->out);
	else if (!print_text(call, pem, &err))
		status = cs_call_fail(call, &err);
	cs_reply_done(&r);
	return status;
}

const struct cs_command cs_cmd_cert_show = {
	.name = "cert show",
	.args = "SERIAL",
	.min_args = 1,
	.max_args = 1,
	.help = "Show a certificate that was issued",
	.outputs = "pem|text|json",
	.example = "countersign cert show 5b1c0f2a9d3e4b5c6d7e8f901a2b3c4d5e "
		   "-o text",
	.run = run,
};
