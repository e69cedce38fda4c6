/* `client ...`: who may speak to the server, and what proves that. */
#include <string.h>

#include "base/limits.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/clients_at.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/list.h"
#include "cli/show.h"

/* What a client is known by; none of the three is a token. */
#define PROOF_OPTIONS                                                          \
	{"cert", 0, "FILE", "it is who holds this certificate (PEM)"},         \
		{"cert-issuer", 0, "FILE",                                     \
		 "it is who holds a certificate of this CA (PEM)"},            \
		{"cert-san", 0, "NAME",                                        \
		 "and of those the one with this name: dns:HOST or uri:URI"},  \
	{                                                                      \
		"expires", 0, "DURATION", "when that ends by itself, as 90d"   \
	}

static const struct cs_option add_options[] = {
	{"right", 0, "RIGHTS",
	 "submit, approve, gateway, audit, revoke, admin; with commas, or "
	 "repeated"},
	{"issuer", 0, "NAME", "only with this issuer; repeatable"},
	{"realm", 0, "REALM", "where it speaks for, as recorded"},
	{"group", 0, "GROUP", "of the client as a requester; repeatable"},
	{"namespace", 0, "NAME", "only for this namespace; repeatable"},
	PROOF_OPTIONS,
	{0},
};

static const struct cs_option bind_options[] = {
	PROOF_OPTIONS,
	{0},
};

static const struct cs_option token_options[] = {
	{"expires", 0, "DURATION", "when it ends by itself, as 90d"},
	{0},
};

/* Append the texts between commas. */
static bool append_words(json_t *list, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, ",");

		if (n > 0 &&
		    json_array_append_new(list, json_stringn(text, n)) != 0)
			return false;
		text += n + (text[n] == ',');
	}
	return true;
}

/* A repeatable option as a list, when it was given. */
static bool add_list(const struct cs_call *call, const char *option,
		     const char *member, json_t *body)
{
	const char *value;
	json_t *list;

	if (cs_call_get(call, option) == NULL)
		return true;
	list = json_array();
	for (size_t i = 0; (value = cs_call_get_nth(call, option, i)) != NULL;
	     i++)
		if (!append_words(list, value)) {
			json_decref(list);
			return false;
		}
	return json_object_set_new(body, member, list) == 0;
}

static bool add_text(const struct cs_call *call, const char *option,
		     json_t *body)
{
	const char *value = cs_call_get(call, option);

	return value == NULL ||
	       json_object_set_new(body, option, json_string(value)) == 0;
}

/* A PEM file named by an option, as a member. */
static bool add_file(const struct cs_call *call, const char *option,
		     const char *member, json_t *body, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text = {0};
	const char *path = cs_call_get(call, option);

	if (path == NULL)
		return true;
	cs_buf_init(&text, CS_MAX_CSR_PEM);
	if (!cs_files_read(".", path, &text, err))
		return false;
	if (json_object_set_new(body, member, json_string(cs_buf_str(&text))) ==
	    0)
		return true;
	return cs_error_set(err, CS_E_USAGE, "%s: not PEM", path);
}

/* What the client is known by, and until when. */
static bool add_proof(const struct cs_call *call, json_t *body,
		      struct cs_error *err)
{
	const char *san = cs_call_get(call, "cert-san");

	if (!add_text(call, "expires", body) ||
	    (san != NULL &&
	     json_object_set_new(body, "san", json_string(san)) != 0))
		return cs_error_set(err, CS_E_USAGE,
				    "an option is not valid UTF-8");
	return add_file(call, "cert", "certificate", body, err) &&
	       add_file(call, "cert-issuer", "ca", body, err);
}

/* "7  cert-san  dns:a.example", or the token. */
static int print_proof(const struct cs_call *call, const struct cs_reply *r)
{
	const json_t *c = json_object_get(r->body, "credential");
	const char *token = cs_reply_text(r->body, "token");
	const char *fingerprint = cs_reply_text(c, "fingerprint");
	int status;

	if (cs_reply_print(call, r, &status))
		return status;
	/* Shown once; the server keeps its hash only. */
	if (token[0] != '\0')
		fprintf(call->out, "%s\n", token);
	else
		fprintf(call->out, "credential %lld: a certificate %s %s\n",
			(long long)json_integer_value(json_object_get(c, "id")),
			fingerprint[0] != '\0' ? "with the fingerprint"
					       : "of the CA",
			fingerprint[0] != '\0' ? fingerprint
					       : cs_reply_text(c, "ca_sha256"));
	return status;
}

/* POST /v1/clients/NAME/WHAT. */
static int post_proof(const struct cs_call *call, const char *what,
		      const json_t *body)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf target;
	struct cs_error err = {0};
	struct cs_reply r;
	int status;

	cs_buf_init(&target, CS_MAX_HTTP_TARGET);
	cs_buf_add_str(&target, "/v1/clients/");
	cs_ask_escape(&target, call->args[0]);
	cs_buf_addf(&target, "/%s", what);
	if (!cs_buf_finish(&target, "the name", &err) ||
	    !cs_ask(call, "POST", cs_buf_str(&target), body, NULL, &r, &err))
		return cs_call_fail(call, &err);
	status = print_proof(call, &r);
	cs_reply_done(&r);
	return status;
}

static int run_token(const struct cs_call *call)
{
	json_t *body = json_object();
	struct cs_error err = {0};
	int status;

	if (body == NULL || !add_text(call, "expires", body)) {
		json_decref(body);
		cs_error_set(&err, CS_E_USAGE, "an option is not valid UTF-8");
		return cs_call_fail(call, &err);
	}
	status = post_proof(call, "tokens", body);
	json_decref(body);
	return status;
}

static int run_bind(const struct cs_call *call)
{
	json_t *body = json_object();
	struct cs_error err = {0};
	int status;

	if (body == NULL || !add_proof(call, body, &err)) {
		json_decref(body);
		return cs_call_fail(call, &err);
	}
	status = post_proof(call, "certificates", body);
	json_decref(body);
	return status;
}

/* DELETE the client, or what is behind it by the second argument. */
static int send_delete(const struct cs_call *call, const char *behind)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf target;
	struct cs_error err = {0};
	struct cs_reply r;
	int status;

	cs_buf_init(&target, CS_MAX_HTTP_TARGET);
	cs_buf_add_str(&target, "/v1/clients/");
	cs_ask_escape(&target, call->args[0]);
	if (behind != NULL) {
		cs_buf_add_str(&target, behind);
		cs_ask_escape(&target, call->args[1]);
	}
	if (!cs_buf_finish(&target, "the name", &err) ||
	    !cs_ask(call, "DELETE", cs_buf_str(&target), NULL, NULL, &r, &err))
		return cs_call_fail(call, &err);
	cs_reply_print(call, &r, &status);
	cs_reply_done(&r);
	return status;
}

static int run_revoke(const struct cs_call *call)
{
	return send_delete(call, "/credentials/");
}

static int run_add(const struct cs_call *call)
{
	json_t *body = json_pack("{s:s}", "name", call->args[0]);
	struct cs_error err = {0};
	struct cs_reply r;
	bool ok;
	int status;

	ok = body != NULL && add_list(call, "right", "rights", body) &&
	     add_list(call, "issuer", "issuers", body) &&
	     add_list(call, "group", "groups", body) &&
	     add_list(call, "namespace", "namespaces", body) &&
	     add_text(call, "realm", body);
	if (!ok)
		cs_error_set(&err, CS_E_USAGE, "an option is not valid UTF-8");
	else if (cs_call_get(call, "right") == NULL)
		ok = cs_error_set(&err, CS_E_USAGE,
				  "`client add` needs --right");
	ok = ok && add_proof(call, body, &err) &&
	     cs_ask(call, "POST", "/v1/clients", body, NULL, &r, &err);
	json_decref(body);
	if (!ok)
		return cs_call_fail(call, &err);
	status = print_proof(call, &r);
	cs_reply_done(&r);
	return status;
}

/* "7 token until 2027-01-31, 9 cert-san": what still counts, in one cell. */
static void summarise(json_t *client)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text = {0};
	const json_t *list = json_object_get(client, "credentials");
	const json_t *c;
	size_t i;

	cs_buf_init(&text, CS_MAX_HTTP_BODY);
	json_array_foreach(list, i, c)
	{
		if (cs_reply_text(c, "revoked")[0] != '\0')
			continue;
		cs_buf_addf(
			&text, "%s%lld %s", text.n > 0 ? ", " : "",
			(long long)json_integer_value(json_object_get(c, "id")),
			cs_reply_text(c, "kind"));
		if (cs_reply_text(c, "expires")[0] != '\0')
			cs_buf_addf(&text, " until %.10s",
				    cs_reply_text(c, "expires"));
	}
	if (cs_buf_ok(&text))
		(void)json_object_set_new(client, "proofs",
					  json_string(cs_buf_str(&text)));
}

static const struct cs_option list_options[] = {
	CS_CLIENTS_AT_OPTIONS,
	{0},
};

static int run_list(const struct cs_call *call)
{
	static const char *const header[] = {
		"NAME",	  "RIGHTS",	"REALM",      "ISSUERS",
		"GROUPS", "NAMESPACES", "CREDENTIALS"};
	static const char *const names[] = {"name",    "rights", "realm",
					    "issuers", "groups", "namespaces",
					    "proofs"};
	static const char *const csv[] = {
		"name",	      "rights", "realm",   "issuers", "groups",
		"namespaces", "proofs", "created", "removed", NULL};
	static const struct cs_list list = {.header = header,
					    .names = names,
					    .columns = sizeof(names) /
						       sizeof(names[0]),
					    .csv = csv,
					    .prepare = summarise};
	const struct cs_question_call q = {.kind = CS_QUERY_CLIENTS,
					   .target = "/v1/clients"};
	struct cs_error err = {0};
	struct cs_reply r;
	int status;

	if (!cs_call_needs(call, "right", "at", &err) ||
	    !cs_call_needs(call, "issuer", "at", &err))
		return cs_call_fail(call, &err);
	if (cs_call_get(call, "at") != NULL)
		return cs_clients_at_run(call);
	if (!cs_ask_question(call, &q, &r, &err))
		return cs_call_fail(call, &err);
	if (r.status >= 400 || cs_call_wants(call, "json"))
		cs_reply_print(call, &r, &status);
	else
		status = cs_list_print(call, &list,
				       json_object_get(r.body, "items"));
	cs_reply_done(&r);
	return status;
}

/* The client of that name in a list; NULL: there is none. */
static json_t *find_client(const json_t *items, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		if (strcmp(cs_reply_text(item, "name"), name) == 0)
			return item;
	}
	return NULL;
}

/* The client's own members, then its credentials, a line for each. */
static void show_client(json_t *client, FILE *out)
{
	static const char *const header[] = {"ID", "KIND", "KNOWN BY",
					     "EXPIRES", "REVOKED"};
	static const char *const names[] = {
		"id", "kind", "token_id|fingerprint|san|ca_sha256", "expires",
		"revoked"};
	json_t *credentials =
		json_incref(json_object_get(client, "credentials"));

	(void)json_object_del(client, "credentials");
	cs_show_object(client, out);
	fputc('\n', out);
	cs_show_list(credentials, header, names,
		     sizeof(names) / sizeof(names[0]), out);
	json_decref(credentials);
}

static int run_show(const struct cs_call *call)
{
	const struct cs_question_call q = {.kind = CS_QUERY_CLIENTS,
					   .target = "/v1/clients"};
	struct cs_error err = {0};
	struct cs_reply r, one;
	int status;

	if (!cs_ask_question(call, &q, &r, &err))
		return cs_call_fail(call, &err);
	one = (struct cs_reply){
		.status = r.status,
		.body = find_client(json_object_get(r.body, "items"),
				    call->args[0]),
		.stopped = r.stopped,
	};
	if (r.status >= 400) {
		status = cs_reply_print_problem(call, &r);
	} else if (one.body == NULL) {
		cs_error_set(&err, CS_E_NOT_FOUND, "there is no client `%s`",
			     call->args[0]);
		status = cs_call_fail(call, &err);
	} else if (!cs_reply_print(call, &one, &status)) {
		show_client(one.body, call->out);
	}
	cs_reply_done(&r);
	return status;
}

static int run_remove(const struct cs_call *call)
{
	return send_delete(call, NULL);
}

const struct cs_command cs_cmd_client_add = {
	.name = "client add",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Add a client and print its bearer token, once, or what "
		"certificate it is bound to",
	.outputs = "table|json",
	.options = add_options,
	.example = "countersign client add gw --right submit,approve,gateway "
		   "--realm prod --expires 90d",
	.run = run_add,
};

const struct cs_command cs_cmd_client_list = {
	.name = "client list",
	.args = "",
	.help = "List the clients and their rights",
	.outputs = "table|json|ndjson|csv",
	.options = list_options,
	.example = "countersign client list",
	.run = run_list,
};

const struct cs_command cs_cmd_client_show = {
	.name = "client show",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Show a client and each of its credentials",
	.outputs = "table|json",
	.example = "countersign client show gw",
	.run = run_show,
};

const struct cs_command cs_cmd_client_token = {
	.name = "client token",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Give a client one more token; the others stay until they "
		"expire or are revoked",
	.outputs = "table|json",
	.options = token_options,
	.example = "countersign client token gw --expires 90d",
	.run = run_token,
};

const struct cs_command cs_cmd_client_bind = {
	.name = "client bind",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Let a client be known by a certificate as well",
	.outputs = "table|json",
	.options = bind_options,
	.example = "countersign client bind gw --cert-issuer mesh-ca.pem "
		   "--cert-san uri:spiffe://corp.example/gw",
	.run = run_bind,
};

const struct cs_command cs_cmd_client_revoke = {
	.name = "client revoke",
	.args = "NAME ID",
	.min_args = 2,
	.max_args = 2,
	.help = "End one credential of a client, at once",
	.outputs = "table|json",
	.example = "countersign client revoke gw 7",
	.run = run_revoke,
};

const struct cs_command cs_cmd_client_remove = {
	.name = "client remove",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Remove a client; its pending requests are denied",
	.outputs = "table|json",
	.example = "countersign client remove gw",
	.run = run_remove,
};
