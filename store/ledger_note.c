/* DIR/checkpoint: the last note, for whoever looks at it from outside. */
#include "base/failpoint.h"
#include "base/file.h"
#include "store/ledger_room.h"

/* DIR/checkpoint is written no more often than this. */
#define NOTE_EVERY_MS 1000

void cs_ledger_note_write(struct cs_ledger *l, enum cs_when when)
{
	int64_t now = cs_clock_boot_ms(&l->config.clock);
	struct cs_error err = {0};
	char *path;

	if (!l->note_unwritten ||
	    (when == CS_WHEN_DUE &&
	     now - l->note_written_boot_ms < NOTE_EVERY_MS))
		return;
	path = cs_arena_printf(&l->batch.arena, "%s/checkpoint", l->config.dir);
	if (l->ready)
		(void)cs_failpoint("ledger.before_checkpoint_file");
	else
		(void)cs_failpoint("ledger.recover_checkpoint_file");
	if (path == NULL ||
	    !cs_file_replace(path, 0644, cs_buf_span(&l->note), &err)) {
		/* The database has it; the next second tries again. */
		cs_log_error(l->config.log, "checkpoint.file", &err);
		l->note_written_boot_ms = now;
		return;
	}
	l->note_unwritten = false;
	l->note_written_boot_ms = now;
}
