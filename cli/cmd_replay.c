/* `policy replay`: what was decided, judged by a candidate set. */
#include <string.h>
#include <unistd.h>

#include "api/csv.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/list.h"
#include "cli/policies.h"
#include "cli/replay_report.h"
#include "cli/show.h"

static const struct cs_option options[] = {
	{"candidate", 0, "PATH", "judge by these policies (DIR/policies)"},
	{"set", 0, "HASH", "judge by this set, which is or was in force"},
	{"verify", 0, NULL,
	 "judge each by the set that decided it: nothing may be different"},
	{"fail-on", 0, "LIST",
	 "exit 1 for these alone (allow-to-refuse,changed..; none)"},
	{"issuer", 0, "NAME", "of this issuer; repeatable"},
	{"policy", 0, "NAME", "that this policy decided; repeatable"},
	{"namespace", 0, "NAME", "of this namespace; repeatable"},
	{"requester", 0, "NAME", "who asked; repeatable"},
	{"client", 0, "NAME", "who submitted; repeatable"},
	{"verdict", 0, "VERDICT", "issued or refused"},
	CS_LIST_TIME_OPTIONS,
	{0},
};

/* One call. */
struct replaying {
	const struct cs_call *call;
	struct cs_install *install;
	struct cs_loaded set; /* the candidate; of --verify: the one in hand */
	const char *what;
	struct cs_replayer *replayer;
	struct cs_replay_report *report;
	char set_sha256[65]; /* of --verify: of the set in hand */
	size_t n;
	long long first, last; /* indexes */
	bool verify;
	bool shows_progress;
};

/* What was asked for, and what would have to be looked at. */
static struct cs_list history(void)
{
	static const char *const filters[] = {
		"issuer", "policy",  "namespace", "requester",
		"client", "verdict", NULL};

	return (struct cs_list){.kind = CS_QUERY_HISTORY,
				.target = "/v1/history",
				.filters = filters,
				.order = "asc",
				.limit = CS_LIST_ALL};
}

/* -- sets ------------------------------------------------------------------ */

/* --set: one that is or was in force. */
static bool load_set(struct replaying *x, const char *hash,
		     struct cs_error *err)
{
	uint8_t sha256[CS_SHA256_SIZE];

	x->what = "a set of the log";
	if (!cs_codec_hex_fixed(cs_span_str(hash), sha256, sizeof(sha256)))
		return cs_error_set(err, CS_E_USAGE,
				    "--set: `%s` is not a set's hash: expected "
				    "the 64 hexadecimal digits of set_sha256",
				    hash);
	return cs_loaded_recorded(x->call, hash, &x->set, err) &&
	       cs_replayer_set(x->replayer, &x->set, err);
}

/* The candidate: files. */
static bool load_candidate(struct replaying *x, struct cs_error *err)
{
	const char *hash = cs_call_get(x->call, "set");
	const char *path = cs_call_get(x->call, "candidate");

	if (hash != NULL)
		return load_set(x, hash, err);

	x->what = path != NULL ? path : CS_POLICIES_DIR "/";
	return (path != NULL ? cs_loaded_files(&path, 1, &x->set, err)
			     : cs_loaded_dir(x->call, &x->set, err)) &&
	       cs_loaded_check(&x->set, x->what, err) &&
	       cs_replayer_set(x->replayer, &x->set, err);
}

/* --verify: the set that decided this one. */
static bool load_recorded(struct replaying *x, const json_t *item,
			  struct cs_error *err)
{
	const char *hash =
		cs_reply_text(json_object_get(item, "body"), "set_sha256");

	if (hash[0] == '\0' || strcmp(hash, x->set_sha256) == 0)
		return true;
	cs_loaded_done(&x->set);
	x->set_sha256[0] = '\0';
	if (!cs_loaded_recorded(x->call, hash, &x->set, err) ||
	    !cs_replayer_set(x->replayer, &x->set, err))
		return false;
	(void)snprintf(x->set_sha256, sizeof(x->set_sha256), "%s", hash);
	return true;
}

/* -- the way through the history ------------------------------------------- */

static void show_progress(struct replaying *x, const json_t *item)
{
	long long at =
		(long long)json_integer_value(json_object_get(item, "index"));

	if (x->first < 0)
		x->first = at;
	if (!x->shows_progress || x->last <= x->first)
		return;
	fprintf(x->call->err, "\rreplayed %zu, %lld%%", x->n,
		(at - x->first) * 100 / (x->last - x->first));
	fflush(x->call->err);
}

static bool replay(void *ctx, json_t *items, struct cs_error *err)
{
	struct replaying *x = ctx;
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		struct cs_replay_result result;

		if ((x->verify && !load_recorded(x, item, err)) ||
		    !cs_replayer_judge(x->replayer, item,
				       x->verify ? CS_REPLAY_RECORDS
						 : CS_REPLAY_VERDICTS,
				       &result, err) ||
		    !cs_replay_report_add(x->report, item, &result, err))
			return false;
		x->n++;
		if (i == 0)
			show_progress(x, item);
	}
	return true;
}

/* The newest index, for how far it is; without it, nothing is told. */
static void find_last(struct replaying *x)
{
	struct cs_question_call q = {.kind = CS_QUERY_HISTORY,
				     .target = "/v1/history"};
	struct cs_reply r = {0};

	x->first = -1;
	x->shows_progress = isatty(fileno(x->call->err)) == 1;
	if (!x->shows_progress)
		return;
	cs_question_add(&q,
			(struct cs_ask_param){CS_ASK_INT, "limit", NULL, 1});
	if (cs_ask_question(x->call, &q, &r, NULL))
		x->last = (long long)json_integer_value(json_object_get(
			json_array_get(json_object_get(r.body, "items"), 0),
			"index"));
	cs_reply_done(&r);
}

/* -- what comes out -------------------------------------------------------- */

/* The groups as lines. */
static bool print_lines(const struct cs_call *call, const json_t *groups,
			struct cs_error *err)
{
	static const char *const columns[] = {"class",
					      "count",
					      "policy",
					      "rule",
					      "at",
					      "code",
					      "field",
					      "witness.id",
					      "witness.index",
					      "witness.judged",
					      "witness.issuer",
					      "witness.requester",
					      "witness.names",
					      NULL};
	CS_CLEANUP(cs_buf_done) struct cs_buf line;
	const json_t *g;
	size_t i;

	cs_buf_init(&line, CS_MAX_MESSAGE);
	if (cs_call_wants(call, "csv"))
		cs_csv_header(&line, columns);
	json_array_foreach(groups, i, g)
	{
		if (cs_call_wants(call, "csv")) {
			cs_csv_item(&line, columns, g);
			continue;
		}
		json_dumpf(g, call->out, JSON_COMPACT | JSON_SORT_KEYS);
		fputc('\n', call->out);
	}
	if (!cs_buf_finish(&line, "the report", err))
		return false;
	if (line.n > 0)
		fwrite(line.p, 1, line.n, call->out);
	return true;
}

static bool print(const struct replaying *x, struct cs_error *err)
{
	const struct cs_call *call = x->call;
	json_t *report = cs_replay_report_json(
		x->report, x->what,
		x->verify ? NULL : cs_policy_set_sha256(x->set.set));
	bool ok = true;

	if (report == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (cs_call_wants(call, "json")) {
		json_dumpf(report, call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
		fputc('\n', call->out);
	} else if (cs_call_wants(call, "table")) {
		cs_replay_report_show(report, call->out);
	} else {
		ok = print_lines(call, json_object_get(report, "groups"), err);
	}
	json_decref(report);
	return ok;
}

/* -- the command ----------------------------------------------------------- */

/* The next of words with commas between; false: there is none. */
static bool next_word(const char **list, struct cs_span *ret_word)
{
	size_t n;

	if (*list == NULL)
		return false;
	n = strcspn(*list, ",");
	*ret_word = cs_span_make(*list, n);
	*list = (*list)[n] == ',' ? *list + n + 1 : NULL;
	return true;
}

/* Is the class one of the words of --fail-on? */
static bool fails_on(const struct replaying *x, enum cs_replay_class c)
{
	const char *list = cs_call_get(x->call, "fail-on");
	struct cs_span word;

	if (list == NULL)
		return x->verify || c != CS_REPLAY_REFUSED_OTHERWISE;
	while (next_word(&list, &word)) {
		if (cs_span_equal_str(word, cs_replay_class_name(c)))
			return true;
	}
	return false;
}

/* Is it a word of --fail-on? */
static bool is_known(struct cs_span word)
{
	for (int c = CS_REPLAY_ALLOW_TO_REFUSE; c < CS_REPLAY_TOLD_OTHERWISE;
	     c++) {
		if (cs_span_equal_str(word, cs_replay_class_name(
						    (enum cs_replay_class)c)))
			return true;
	}
	return cs_span_equal_str(word, "none");
}

static bool check_fail_on(const struct cs_call *call, struct cs_error *err)
{
	const char *list = cs_call_get(call, "fail-on");
	struct cs_span word;

	while (next_word(&list, &word)) {
		if (!is_known(word))
			return cs_error_set(
				err, CS_E_USAGE,
				"--fail-on: `%.*s`: expected allow-to-refuse, "
				"refuse-to-allow, changed, held, "
				"refused-otherwise or none",
				CS_SPAN_FMT(word));
	}
	return true;
}

/* The exit status of what was found. */
static int status_of(const struct replaying *x)
{
	if (cs_replay_report_count(x->report, CS_REPLAY_ERROR) > 0)
		return CS_EXIT_VERIFY;
	for (int c = CS_REPLAY_ALLOW_TO_REFUSE; c < CS_REPLAY_ERROR; c++) {
		enum cs_replay_class class = (enum cs_replay_class)c;

		if (cs_replay_report_count(x->report, class) > 0 &&
		    fails_on(x, class))
			return CS_EXIT_REFUSED;
	}
	return CS_EXIT_DONE;
}

/* Everything up to the report. *ret_status: of a question that failed. */
static bool run_all(struct replaying *x, int *ret_status, struct cs_error *err)
{
	const struct cs_list list = history();

	*ret_status = CS_EXIT_DONE;
	x->install = cs_install_load(x->call->dir, err);
	if (x->install == NULL)
		return false;
	x->replayer = cs_replayer_new(x->install, err);
	x->report = x->replayer != NULL ? cs_replay_report_new(err) : NULL;
	if (x->report == NULL || (!x->verify && !load_candidate(x, err)))
		return false;
	find_last(x);
	if (!cs_list_pages(x->call, &list, replay, x, ret_status, err))
		return false;
	if (x->shows_progress)
		fprintf(x->call->err, "\rreplayed %zu      \n", x->n);
	return *ret_status != CS_EXIT_DONE || print(x, err);
}

static int run(const struct cs_call *call)
{
	struct replaying x = {
		.call = call,
		.what = "the sets that decided",
		.verify = cs_call_get(call, "verify") != NULL,
	};
	struct cs_error err = {0};
	int status = CS_EXIT_DONE;

	if (x.verify + (cs_call_get(call, "candidate") != NULL) +
		    (cs_call_get(call, "set") != NULL) >
	    1)
		cs_error_set(&err, CS_E_USAGE,
			     "--candidate, --set and --verify: only one says "
			     "by what it is judged");
	if (err.code != CS_E_NONE || !check_fail_on(call, &err))
		return cs_call_fail(call, &err);
	if (!run_all(&x, &status, &err)) {
		(void)cs_call_fail(call, &err);
		status =
			err.code == CS_E_USAGE ? CS_EXIT_USAGE : CS_EXIT_VERIFY;
	} else if (status == CS_EXIT_DONE) {
		status = status_of(&x);
	} else if (status != CS_EXIT_USAGE) {
		status = CS_EXIT_VERIFY;
	}
	cs_replay_report_free(x.report);
	cs_replayer_free(x.replayer);
	cs_loaded_done(&x.set);
	cs_install_free(x.install);
	return status;
}

const struct cs_command cs_cmd_policy_replay = {
	.name = "policy replay",
	.args = "",
	.help = "Judge what was decided by other policies (exit 1: different)",
	.outputs = "table|json|ndjson|csv",
	.options = options,
	.example = "countersign policy replay --candidate policies/ --since "
		   "30d",
	.run = run,
};
