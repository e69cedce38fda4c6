/*
 * What `countersign restore` left for the next start: DIR/restore.json, an
 * object that becomes the decision of a `restore` leaf. Where it has the
 * member "outside", an operator has accepted that the checkpoint outside,
 * exactly that note, knows more than this log: the log goes on, and its leaf
 * carries the note for whoever compares later.
 *
 * The file is removed when the new checkpoint stands outside. A crash before
 * that leaves a second leaf that says the same.
 */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "store/ledger_room.h"

#define FILE_NAME "restore.json"

bool cs_ledger_restore_load(struct cs_ledger *l, struct cs_error *err)
{
	char *path = cs_arena_printf(&l->arena, "%s/" FILE_NAME, l->config.dir);
	struct cs_error why = {0};
	json_t *said;
	bool ok;

	if (path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, FILE_NAME);
	cs_buf_reset(&l->json);
	if (!cs_file_read(path, &l->json, &why)) {
		if (why.code == CS_E_NOT_FOUND)
			return true;
		return cs_error_set(err, why.code, "%s", why.text);
	}
	said = cs_json_parse(cs_buf_span(&l->json), FILE_NAME, err);
	if (said == NULL)
		return false;
	cs_buf_reset(&l->restored);
	ok = json_is_object(said)
		     ? cs_json_canonical(said, &l->restored, err)
		     : cs_error_set(err, CS_E_FORMAT, FILE_NAME ": no object");
	json_decref(said);
	return ok && cs_buf_finish(&l->restored, FILE_NAME, err);
}

bool cs_ledger_restore_accepts(const struct cs_ledger *l, struct cs_span note)
{
	json_t *said;
	const json_t *outside;
	bool same;

	if (l->restored.n == 0)
		return false;
	said = cs_json_parse(cs_buf_span(&l->restored), FILE_NAME, NULL);
	outside = json_object_get(said, "outside");
	same = json_is_string(outside) &&
	       cs_span_equal(note, cs_span_make(json_string_value(outside),
						json_string_length(outside)));
	json_decref(said);
	return same;
}

bool cs_ledger_restore_leaf(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_draft *d;

	if (l->restored.n == 0)
		return true;
	d = cs_ledger_draft(l, CS_LEAF_RESTORE, err);
	if (d == NULL)
		return false;
	d->decision = cs_buf_span(&l->restored);
	return true;
}

void cs_ledger_restore_done(struct cs_ledger *l)
{
	char *path;

	if (l->restored.n == 0 || l->split)
		return;
	cs_ledger_note_write(l, CS_WHEN_NOW);
	if (l->note_unwritten)
		return;
	path = cs_arena_printf(&l->arena, "%s/" FILE_NAME, l->config.dir);
	if (path != NULL && unlink(path) == 0)
		(void)!cs_file_sync_folder(path, NULL);
	cs_log_write(l->config.log, CS_LOG_WARNING, "log.restored",
		     "the log goes on after a restore, at %llu leaves",
		     (unsigned long long)l->edge.size);
}
