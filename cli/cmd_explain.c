/* `policy explain`: what the policy says of a CSR or a recorded request. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/limits.h"
#include "base/time.h"
#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/explain.h"
#include "cli/files.h"
#include "cli/show.h"
#include "store/recorded.h"

/* Memory of one explanation's texts. */
#define ARENA_BYTES (4 * CS_MAX_MESSAGE)

static const struct cs_option options[] = {
	CS_ASKED_OPTIONS,
	{"against", 0, "PATH", "judge by these policies, not those in force"},
	{"all", 0, NULL, "show every rule of the policy with its value"},
	{0},
};

/* One call. */
struct explaining {
	const struct cs_call *call;
	struct cs_arena arena;
	struct cs_buf request; /* encoded */
	struct cs_explain e;
	struct cs_recorded recorded;
	bool is_recorded;
};

/* The request that the options describe. */
static bool make_request(struct explaining *x, struct cs_error *err)
{
	struct cs_clock clock = cs_clock_system();
	json_t *body = cs_asked_body(x->call, err);
	bool ok = body != NULL && cs_asked_request(body, &x->request, err);

	json_decref(body);
	x->e.now_ms = cs_clock_wall_ms(&clock);
	return ok;
}

/* -- a recorded request ---------------------------------------------------- */

/* The 16 octets of an id. */
static bool parse_id(const struct explaining *x, uint8_t ret_id[16],
		     struct cs_error *err)
{
	if (cs_codec_hex_fixed(cs_span_str(x->call->args[0]), ret_id, 16))
		return true;
	return cs_error_set(err, CS_E_USAGE,
			    "`%s` is not a request's id of 32 hexadecimal "
			    "digits",
			    x->call->args[0]);
}

static bool load_recorded(struct explaining *x, struct cs_error *err)
{
	struct cs_db_config config = {
		.path = cs_files_path(&x->arena, x->call->dir, "ledger.db")};
	uint8_t id[16];
	struct cs_db *db;
	bool ok;

	if (!parse_id(x, id, err))
		return false;
	if (config.path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	db = cs_db_open(&config, CS_DB_READ, err);
	if (db == NULL)
		return false;
	ok = cs_recorded_load(db, cs_span_make(id, sizeof(id)), &x->arena,
			      &x->request, &x->recorded, &x->is_recorded, err);
	cs_db_close(db);
	if (ok && !x->is_recorded)
		return cs_error_set(err, CS_E_NOT_FOUND,
				    "there is no request %s", x->call->args[0]);
	x->e.now_ms = x->recorded.now_ms;
	return ok;
}

/* Who approved it, and what was said; "ticket 4711". */
static void add_approval(const struct explaining *x, json_t *answer)
{
	const struct cs_stored_approval *a = &x->recorded.stored.approval;
	json_t *request = json_object_get(answer, "request");
	struct cs_span by =
		a->claimed_by.n > 0 ? a->claimed_by : x->recorded.approver;
	struct cs_span why = a->message.n > 0 ? a->message : a->reason;

	if (a->client == 0 || a->denies)
		return;
	json_object_set_new(request, "approved",
			    json_stringn((const char *)by.p, by.n));
	if (why.n > 0)
		json_object_set_new(request, "approval",
				    json_stringn((const char *)why.p, why.n));
}

/* The serial of what was issued. */
static void add_serial(const struct explaining *x, json_t *answer)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf hex;

	cs_buf_init(&hex, 4 * CS_MAX_SERIAL);
	cs_codec_hex(x->recorded.serial, &hex);
	if (cs_buf_span(&hex).n > 0)
		json_object_set_new(answer, "serial",
				    json_string(cs_buf_str(&hex)));
}

/* What was decided of it then. */
static void add_recorded(const struct explaining *x, json_t *answer)
{
	const struct cs_recorded *r = &x->recorded;
	char at[CS_TIME_TEXT];

	if (!x->is_recorded)
		return;
	cs_time_rfc3339_ms(r->now_ms, at);
	json_object_set_new(answer, "recorded",
			    json_pack("{s:I, s:s, s:s}", "epoch",
				      (json_int_t)r->epoch, "state",
				      cs_request_state_name(r->stored.state),
				      "time", at));
	add_approval(x, answer);
	add_serial(x, answer);
	if (r->has_leaf)
		json_object_set_new(
			answer, "log",
			json_pack("{s:I}", "index", (json_int_t)r->leaf));
}

static void print_recorded(const struct explaining *x, FILE *out)
{
	const struct cs_recorded *r = &x->recorded;
	char at[CS_TIME_TEXT];

	if (!x->is_recorded)
		return;
	cs_time_rfc3339_ms(r->now_ms, at);
	fprintf(out,
		"recorded: %s, judged at %s by epoch %llu; now, as of "
		"then:\n",
		cs_request_state_name(r->stored.state), at,
		(unsigned long long)r->epoch);
}

/* -- the command ----------------------------------------------------------- */

/* What was asked for, and the exit status that goes with it. */
static int print(const struct explaining *x, json_t *answer)
{
	const struct cs_call *call = x->call;
	const char *would = json_string_value(json_object_get(answer, "would"));
	bool issued = would != NULL && strcmp(would, "issued") == 0;

	add_recorded(x, answer);
	if (cs_call_get(call, "all") != NULL)
		json_object_set_new(answer, "all", json_true());
	if (cs_call_wants(call, "json")) {
		json_object_del(answer, "all");
		json_dumpf(answer, call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
		fputc('\n', call->out);
	} else {
		print_recorded(x, call->out);
		cs_show_answer(answer, call->out);
	}
	return issued ? CS_EXIT_DONE : CS_EXIT_REFUSED;
}

/* The policies, the installation where there is one, and the answer. */
static int explain(struct explaining *x, struct cs_loaded *policy,
		   struct cs_error *err)
{
	const char *against = cs_call_get(x->call, "against");
	struct cs_install *install;
	struct cs_error why = {0};
	json_t *answer;
	int status;

	if (!(against != NULL ? cs_loaded_files(&against, 1, policy, err)
			      : cs_loaded_in_force(x->call, policy, err)) ||
	    !cs_loaded_check(policy, against, err))
		return cs_call_fail(x->call, err);
	install = cs_install_load(x->call->dir, &why);
	if (install == NULL && why.code != CS_E_NOT_FOUND)
		return cs_call_fail(x->call, &why);
	x->e.policy = policy;
	x->e.install = install;
	x->e.request = cs_buf_span(&x->request);
	x->e.is_recorded = x->is_recorded;
	answer = cs_explain_make(&x->e, err);
	status = answer != NULL ? print(x, answer) : cs_call_fail(x->call, err);
	json_decref(answer);
	cs_install_free(install);
	return status;
}

static int run(const struct cs_call *call)
{
	struct explaining x = {.call = call};
	struct cs_loaded policy = {0};
	struct cs_error err = {0};
	bool has_csr = cs_call_get(call, "csr") != NULL ||
		       cs_call_get(call, "request") != NULL;
	int status;

	if (has_csr == (call->n_args > 0)) {
		cs_error_set(&err, CS_E_USAGE,
			     "`policy explain` needs --csr FILE, --request "
			     "FILE, or the id of a recorded request");
		return cs_call_fail(call, &err);
	}
	cs_arena_init(&x.arena, ARENA_BYTES);
	cs_buf_init(&x.request, CS_MAX_MESSAGE);
	if (has_csr ? make_request(&x, &err) : load_recorded(&x, &err))
		status = explain(&x, &policy, &err);
	else
		status = cs_call_fail(call, &err);
	cs_loaded_done(&policy);
	cs_buf_done(&x.request);
	cs_arena_done(&x.arena);
	return status;
}

const struct cs_command cs_cmd_policy_explain = {
	.name = "policy explain",
	.args = "[ID]",
	.max_args = 1,
	.help = "Tell what the policy says of a CSR, a CertificateRequest or "
		"a recorded request, and why",
	.outputs = "table|json",
	.options = options,
	.example = "countersign policy explain --csr web.csr --group "
		   "web-admins --against policies/",
	.run = run,
};
