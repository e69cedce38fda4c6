/* `db check|migrate`: the database as a file. */
#include "base/arena.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "store/copy.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/schema.h"

/* DIR/ledger.db. NULL: no memory. */
static char *database(const struct cs_call *call, struct cs_arena *arena,
		      struct cs_error *err)
{
	char *path = cs_files_path(arena, call->dir, "ledger.db");

	if (path == NULL)
		cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return path;
}

static bool check(const struct cs_call *call, struct cs_arena *arena,
		  struct cs_error *err)
{
	const struct cs_db_config config = {.path = database(call, arena, err)};
	struct cs_db *db;
	int64_t pages = 0, size = 0, leaves = 0;
	bool ok;

	if (config.path == NULL)
		return false;
	db = cs_db_open(&config, CS_DB_READ, err);
	ok = db != NULL && cs_copy_check_file(db, err) &&
	     cs_db_pragma_int(db, "PRAGMA page_count", &pages, err) &&
	     cs_db_pragma_int(db, "PRAGMA page_size", &size, err) &&
	     cs_db_pragma_int(db, "SELECT tree_size FROM meta", &leaves, err);
	cs_db_close(db);
	if (ok)
		fprintf(call->out,
			"%s: version %d, %lld pages of %lld octets, %lld "
			"leaves: pages, indexes and references are whole\n",
			config.path, CS_SCHEMA_VERSION, (long long)pages,
			(long long)size, (long long)leaves);
	return ok;
}

static int run_check(const struct cs_call *call)
{
	struct cs_arena arena;
	struct cs_error err = {0};
	int status = CS_EXIT_DONE;

	cs_arena_init(&arena, 65536);
	if (!check(call, &arena, &err)) {
		status = cs_call_fail(call, &err);
		if (err.code == CS_E_DB_CORRUPT || err.code == CS_E_DB)
			status = CS_EXIT_VERIFY;
	}
	cs_arena_done(&arena);
	return status;
}

static bool migrate(const struct cs_call *call, struct cs_arena *arena,
		    struct cs_error *err)
{
	const struct cs_db_config config = {.path = database(call, arena, err)};
	size_t steps = 0;
	int lock;
	bool ok;

	if (config.path == NULL)
		return false;
	lock = cs_lock_take(call->dir, err);
	ok = lock >= 0 &&
	     cs_store_migrate(&config, cs_migrations, cs_migrations_n,
			      CS_SCHEMA_VERSION, &steps, err);
	cs_lock_drop(lock);
	if (ok && steps == 0)
		fprintf(call->out, "%s is of version %d already\n", config.path,
			CS_SCHEMA_VERSION);
	else if (ok)
		fprintf(call->out,
			"%s is of version %d now; as it was, it lies beside "
			"it (%s.v%d)\n",
			config.path, CS_SCHEMA_VERSION, config.path,
			CS_SCHEMA_VERSION - (int)steps);
	return ok;
}

static int run_migrate(const struct cs_call *call)
{
	struct cs_arena arena;
	struct cs_error err = {0};
	int status = CS_EXIT_DONE;

	cs_arena_init(&arena, 65536);
	if (!migrate(call, &arena, &err))
		status = cs_call_fail(call, &err);
	cs_arena_done(&arena);
	return status;
}

const struct cs_command cs_cmd_db_check = {
	.name = "db check",
	.args = "",
	.help = "Are the database's pages, indexes and references whole?",
	.example = "countersign db check",
	.run = run_check,
};

const struct cs_command cs_cmd_db_migrate = {
	.name = "db migrate",
	.args = "",
	.help = "Bring a stopped server's database up to this version",
	.example = "countersign db migrate --dir /var/lib/countersign",
	.run = run_migrate,
};
