#include "cli/clients_at.h"

#include <string.h>

#include "api/clients.h"
#include "base/time.h"
#include "cli/show.h"

/* A text of the list; an empty list is every one of them, where `all`. */
static bool holds(const json_t *list, const char *text, bool all)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (strcmp(json_string_value(item), text) == 0)
			return true;
	}
	return all && json_array_size(list) == 0;
}

/* One entry: what it says of its client is how the client is from there on. */
static void replay(json_t *clients, const json_t *entry)
{
	json_t *decision = json_object_get(entry, "decision");
	const char *name = cs_reply_text(decision, "name");
	json_t *client;

	if (strcmp(cs_reply_text(decision, "op"), "remove") == 0) {
		json_object_del(clients, name);
		return;
	}
	client = json_object_get(clients, name);
	if (client == NULL) {
		client = json_object();
		json_object_set_new(clients, name, client);
	}
	json_object_update(client, decision);
	json_object_set(client, "since", json_object_get(entry, "time"));
	json_object_set(client, "index", json_object_get(entry, "index"));
}

static bool replay_page(void *ctx, json_t *items, struct cs_error *err)
{
	const json_t *item;
	size_t i;

	(void)err;
	json_array_foreach(items, i, item) replay(ctx, item);
	return true;
}

/* Those that could do what is asked. admin implies the rights but one. */
static json_t *choose(const struct cs_call *call, json_t *clients)
{
	const char *right = cs_call_get(call, "right");
	const char *issuer = cs_call_get(call, "issuer");
	json_t *chosen = json_array();
	const char *name;
	json_t *client;

	json_object_foreach(clients, name, client)
	{
		const json_t *rights = json_object_get(client, "rights");

		if (right != NULL && !holds(rights, right, false) &&
		    !holds(rights, "admin", false))
			continue;
		if (issuer != NULL &&
		    !holds(json_object_get(client, "issuers"), issuer, true))
			continue;
		json_array_append(chosen, client);
	}
	return chosen;
}

static int print(const struct cs_call *call, json_t *chosen)
{
	static const char *const header[] = {"NAME",	"RIGHTS",     "REALM",
					     "ISSUERS", "NAMESPACES", "SINCE",
					     "INDEX"};
	static const char *const names[] = {"name",    "rights",     "realm",
					    "issuers", "namespaces", "since",
					    "index"};
	static const char *const csv[] = {"name",    "rights",	   "realm",
					  "issuers", "namespaces", "since",
					  "index",   NULL};
	static const struct cs_list list = {.header = header,
					    .names = names,
					    .columns = sizeof(names) /
						       sizeof(names[0]),
					    .csv = csv};

	return cs_list_print(call, &list, chosen);
}

/* The right that is asked for, if any, is one. */
static bool check_right(const struct cs_call *call, struct cs_error *err)
{
	const char *right = cs_call_get(call, "right");

	return right == NULL || cs_right_from_name(cs_span_str(right)) != 0 ||
	       cs_error_set(err, CS_E_USAGE,
			    "--right: there is no right `%s`: expected "
			    "submit, approve, gateway, audit, revoke or admin",
			    right);
}

int cs_clients_at_run(const struct cs_call *call)
{
	static const char *const none[] = {NULL};
	struct cs_ask_param fixed[] = {
		{CS_ASK_LIST, "kind", "client.changed", 0},
		{CS_ASK_TIME, "until", NULL, 0},
	};
	const struct cs_list list = {.kind = CS_QUERY_AUDIT,
				     .target = "/v1/audit",
				     .filters = none,
				     .fixed = fixed,
				     .n_fixed = 2,
				     .order = "asc",
				     .limit = CS_LIST_ALL};
	struct cs_error err = {0};
	json_t *clients = json_object(), *chosen;
	int status = CS_EXIT_REFUSED;
	bool ok;

	ok = check_right(call, &err) &&
	     cs_list_parse_time("at", cs_call_get(call, "at"), &fixed[1].number,
				&err);
	fixed[1].number++; /* `until` is exclusive */
	ok = ok &&
	     cs_list_pages(call, &list, replay_page, clients, &status, &err);
	if (!ok) {
		status = cs_call_fail(call, &err);
	} else if (status == CS_EXIT_DONE) {
		chosen = choose(call, clients);
		status = print(call, chosen);
		json_decref(chosen);
	}
	json_decref(clients);
	return status;
}
