#include "cli/reply.h"

#include "cli/show.h"

void cs_reply_done(struct cs_reply *r)
{
	json_decref(r->body);
	*r = (struct cs_reply){0};
}

int cs_exit_of_status(int status)
{
	switch (status) {
	case 200:
	case 201:
	case 204:
		return CS_EXIT_DONE;
	case 202:
		return CS_EXIT_PENDING;
	case 400:
		return CS_EXIT_USAGE;
	case 401:
	case 403:
		return CS_EXIT_FORBIDDEN;
	case 404:
	case 410:
		return CS_EXIT_NOT_FOUND;
	case 429:
	case 503:
		return CS_EXIT_AGAIN;
	default:
		return CS_EXIT_REFUSED;
	}
}

const char *cs_reply_text(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL ? s : "";
}

int cs_reply_print_json(const struct cs_call *call, const struct cs_reply *r)
{
	size_t form =
		cs_call_wants(call, "ndjson") ? JSON_COMPACT : JSON_INDENT(2);

	json_dumpf(r->body, call->out, form | JSON_ENCODE_ANY | JSON_SORT_KEYS);
	fputc('\n', call->out);
	return cs_exit_of_status(r->status);
}

int cs_reply_tell_problem(const struct cs_call *call, const struct cs_reply *r)
{
	const char *code = cs_reply_text(r->body, "code");
	const char *detail = cs_reply_text(r->body, "detail");

	if (json_object_get(r->body, "violations") != NULL) {
		cs_show_refusal(r->body, call->err);
		return cs_exit_of_status(r->status);
	}
	fputs("countersign: ", call->err);
	cs_text_print(call->err, detail);
	if (detail[0] == '\0')
		fprintf(call->err, "the server answered with status %d",
			r->status);
	if (code[0] != '\0') {
		fputs(" (", call->err);
		cs_text_print(call->err, code);
		fputc(')', call->err);
	}
	fputc('\n', call->err);
	return cs_exit_of_status(r->status);
}

/* Is it for a program? */
static bool wants_json(const struct cs_call *call)
{
	return cs_call_wants(call, "json") || cs_call_wants(call, "ndjson");
}

int cs_reply_print_problem(const struct cs_call *call, const struct cs_reply *r)
{
	if (wants_json(call))
		(void)cs_reply_print_json(call, r);
	return cs_reply_tell_problem(call, r);
}

bool cs_reply_print(const struct cs_call *call, const struct cs_reply *r,
		    int *ret_status)
{
	*ret_status = cs_exit_of_status(r->status);
	if (r->status >= 400)
		(void)cs_reply_print_problem(call, r);
	else if (wants_json(call))
		(void)cs_reply_print_json(call, r);
	else
		return false;
	return true;
}
