#include "issuer/set_report.h"

#include "base/json.h"
#include "base/limits.h"
#include "policy/doc.h"

/* One document of a set that loaded. */
static void write_policy(struct cs_json *w, const struct cs_policy_info *info)
{
	cs_json_object(w);
	cs_json_member_str(w, "kind", cs_document_kind_name(info->kind));
	cs_json_member_int(w, "line", info->line);
	cs_json_member_span(w, "name", info->name);
	if (info->owner.n > 0)
		cs_json_member_span(w, "owner", info->owner);
	if (info->kind == CS_DOCUMENT_POLICY)
		cs_json_member_int(w, "priority", info->priority);
	cs_json_member_hex(w, "sha256", cs_span_make(info->policy_sha256, 32));
	cs_json_member_span(w, "source", info->source);
	cs_json_member_int(w, "tests", (int64_t)info->tests);
	if (info->ticket.n > 0)
		cs_json_member_span(w, "ticket", info->ticket);
	cs_json_end(w);
}

static void write_problem(struct cs_json *w, const struct cs_policy_problem *p)
{
	cs_json_object(w);
	cs_json_member_int(w, "column", p->column);
	cs_json_member_int(w, "line", p->line);
	cs_json_member_str(w, "severity",
			   p->severity == CS_PROBLEM_ERROR ? "error"
							   : "warning");
	cs_json_member_span(w, "source", p->source);
	cs_json_name(w, "text");
	cs_json_text(w, p->text);
	cs_json_end(w);
}

/* The difference as JSON, or without its keys when that is too long. */
static bool write_diff(struct cs_json *w, const struct cs_policy_set *set,
		       const struct cs_policy_set *now, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	json_t *diff = cs_policy_doc_diff(now, set);
	bool ok = diff != NULL;

	cs_buf_init(&text, CS_MAX_POLICY_DIFF);
	if (ok && !cs_json_canonical(diff, &text, NULL)) {
		for (size_t i = 0; i < json_array_size(diff); i++)
			json_object_set_new(json_array_get(diff, i), "keys",
					    json_null());
		cs_buf_done(&text);
		cs_buf_init(&text, CS_MAX_POLICY_REPORT);
		ok = cs_json_canonical(diff, &text, NULL);
	}
	json_decref(diff);
	if (!ok)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory to compare policies");
	cs_json_name(w, "diff");
	cs_json_raw(w, cs_buf_span(&text));
	return true;
}

bool cs_set_report_write(const struct cs_policy_set *set,
			 const struct cs_policy_report *report,
			 const struct cs_policy_set *now, uint64_t epoch,
			 struct cs_buf *out, struct cs_error *err)
{
	struct cs_json w;

	cs_json_begin(&w, out);
	cs_json_object(&w);
	if (set != NULL) {
		if (!write_diff(&w, set, now, err))
			return false;
		cs_json_member_int(&w, "from", (int64_t)epoch);
	}
	if (report->more > 0)
		cs_json_member_int(&w, "more", (int64_t)report->more);
	cs_json_name(&w, "ok");
	cs_json_bool(&w, set != NULL);
	cs_json_name(&w, "policies");
	cs_json_array(&w);
	for (size_t i = 0; set != NULL && i < cs_policy_set_count(set); i++)
		write_policy(&w, cs_policy_set_at(set, i));
	cs_json_end(&w);
	cs_json_name(&w, "problems");
	cs_json_array(&w);
	for (size_t i = 0; i < report->n; i++)
		write_problem(&w, &report->items[i]);
	cs_json_end(&w);
	cs_json_name(&w, "set_sha256");
	if (set != NULL)
		cs_json_hex(&w, cs_span_make(cs_policy_set_sha256(set), 32));
	else
		cs_json_null(&w);
	cs_json_end(&w);
	return cs_json_finish(&w, "policy report", err) &&
	       cs_buf_finish(out, "policy report", err);
}
