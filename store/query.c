#include "store/query.h"

#include <sqlite3.h>

#include "base/limits.h"
#include "base/mem.h"
#include "store/query_internal.h"

/* Virtual machine steps between two looks at the clock. */
#define PROGRESS_STEPS 1000
/* Memory of one question: its values, and a request with its CSR. */
#define MAX_QUESTION (4 * 1024 * 1024)

void cs_questions_free(struct cs_questions *q)
{
	if (q == NULL)
		return;
	sqlite3_progress_handler(cs_db_handle(q->db), 0, NULL, NULL);
	cs_hash_free(q->hash);
	cs_arena_done(&q->arena);
	cs_buf_done(&q->item);
	cs_mem_free(q);
}

/* SQLite asks whether to go on: not when the deadline has passed. */
static int progress(void *ctx)
{
	const struct cs_questions *q = ctx;

	return q->until_ms != 0 && cs_clock_boot_ms(&q->clock) > q->until_ms;
}

struct cs_questions *cs_questions_new(struct cs_db *db,
				      const struct cs_clock *clock,
				      uint32_t deadline_ms,
				      struct cs_error *err)
{
	struct cs_questions *q = cs_mem_new(sizeof(*q));

	if (q == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "questions: no memory");
		return NULL;
	}
	q->db = db;
	q->clock = *clock;
	q->deadline_ms = deadline_ms;
	cs_arena_init(&q->arena, MAX_QUESTION);
	cs_buf_init(&q->item, CS_MAX_MESSAGE);
	q->hash = cs_hash_new(err);
	if (q->hash == NULL) {
		cs_questions_free(q);
		return NULL;
	}
	sqlite3_progress_handler(cs_db_handle(db), PROGRESS_STEPS, progress, q);
	return q;
}

/* The function of a kind. */
static bool answer(struct cs_questions *q, struct cs_error *err)
{
	static bool (*const kinds[])(struct cs_questions *,
				     struct cs_error *) = {
		[CS_QUERY_REQUEST] = cs_query_request,
		[CS_QUERY_REQUESTS] = cs_query_requests,
		[CS_QUERY_STORED] = cs_query_stored,
		[CS_QUERY_CERTIFICATE] = cs_query_certificate,
		[CS_QUERY_CERTIFICATES] = cs_query_audit,
		[CS_QUERY_AUDIT] = cs_query_audit,
		[CS_QUERY_AUDIT_ENTRY] = cs_query_audit_entry,
		[CS_QUERY_POLICY] = cs_query_policy,
		[CS_QUERY_CLIENTS] = cs_query_clients,
		[CS_QUERY_ISSUERS] = cs_query_issuers,
		[CS_QUERY_STATUS] = cs_query_status,
		[CS_QUERY_PROOF] = cs_query_proof,
		[CS_QUERY_CHECKPOINT] = cs_query_checkpoint,
		[CS_QUERY_TILE] = cs_query_tile,
		[CS_QUERY_ENTRIES] = cs_query_entries,
		[CS_QUERY_HISTORY] = cs_query_audit,
		[CS_QUERY_CRL] = cs_query_crl,
		[CS_QUERY_CRLS] = cs_query_crls,
	};
	unsigned kind = (unsigned)q->what->kind;

	if (kind >= sizeof(kinds) / sizeof(kinds[0]) || kinds[kind] == NULL)
		return cs_query_refuse(q, "BAD_PARAMETER",
				       "There is no question of kind %u.",
				       kind);
	return kinds[kind](q, err);
}

/* Ask inside one read transaction. */
static bool ask(struct cs_questions *q, struct cs_error *err)
{
	struct cs_stmt begin = cs_stmt(q->db, CS_SQL_READ_BEGIN);
	struct cs_error why = {0};
	size_t start = q->body->n;
	bool late;
	bool ok;

	q->until_ms = q->deadline_ms == 0
			      ? 0
			      : cs_clock_boot_ms(&q->clock) + q->deadline_ms;
	ok = cs_stmt_run(&begin, &why) && answer(q, &why);
	late = progress(q);
	q->until_ms = 0;
	cs_db_rollback(q->db);
	if (ok && q->result->found)
		return cs_buf_ok(q->body) ||
		       cs_buf_finish(q->body, "page", err);
	cs_buf_truncate(q->body, start);
	if (ok)
		return true;
	if (late)
		return cs_query_refuse(q, "BUSY",
				       "The question took more than %u ms; ask "
				       "for less.",
				       q->deadline_ms);
	if (err != NULL)
		*err = why;
	return false;
}

bool cs_questions_ask(struct cs_questions *q, const struct cs_question *what,
		      struct cs_buf *body,
		      struct cs_question_result *ret_result,
		      struct cs_error *err)
{
	struct cs_error why = {0};
	bool ok;

	*ret_result = (struct cs_question_result){.found = 1, .code = ""};
	q->what = what;
	q->body = body;
	q->result = ret_result;
	q->params = cs_json_parse(what->params, "parameters", &why);
	q->issuers = NULL;
	if (q->params != NULL && what->issuers.n > 0)
		q->issuers = cs_json_parse(what->issuers, "issuers", &why);
	if (q->params == NULL && why.code == CS_E_NO_MEMORY) {
		if (err != NULL)
			*err = why;
		return false;
	}
	/* A limit that cannot be read is none that may be widened. */
	if (q->params == NULL || !json_is_object(q->params) ||
	    (what->issuers.n > 0 && !json_is_array(q->issuers)))
		ok = cs_query_refuse(q, "BAD_PARAMETER", "%s", why.text);
	else
		ok = ask(q, err);
	json_decref(q->params);
	json_decref(q->issuers);
	q->params = NULL;
	q->issuers = NULL;
	q->body = NULL;
	q->result = NULL;
	cs_arena_reset(&q->arena);
	return ok;
}
