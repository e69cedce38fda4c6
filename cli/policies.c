#include "cli/policies.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/text.h"
#include "cli/files.h"

/* What is being collected. */
struct collection {
	struct cs_arena *arena;
	struct cs_source item[CS_MAX_POLICY_FILES];
	size_t n;
	size_t bytes;
};

static bool has_suffix(const char *name)
{
	static const char *const suffixes[] = {".yaml", ".yml", ".json",
					       ".blocklist"};
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t m = strlen(suffixes[i]);

		if (n > m && strcmp(name + n - m, suffixes[i]) == 0)
			return true;
	}
	return false;
}

/* A name that the log can have. What it is not is told escaped. */
static bool check_name(const char *dir, const char *name, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_HTTP_BODY);
	if (cs_source_name_is_usable(cs_span_str(name)))
		return true;
	cs_text_put_str(&text, name);
	return cs_error_set(err, CS_E_FORMAT,
			    "%s: the name `%s` of a policy file is not UTF-8 "
			    "without control characters: rename it",
			    dir, cs_buf_str(&text));
}

/* Read one file into the collection, called `name` in places. */
static bool add_file(struct collection *c, const char *dir, const char *path,
		     const char *name, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_source *s = &c->item[c->n];

	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	if (c->n == CS_MAX_POLICY_FILES)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "%s: more than %d policy files", dir,
				    CS_MAX_POLICY_FILES);
	if (!check_name(dir, name, err) ||
	    !cs_files_read(dir, path, &text, err))
		return false;
	c->bytes += cs_buf_span(&text).n;
	if (c->bytes > CS_MAX_POLICY_SET)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "%s: the policy files are larger than %d "
				    "bytes together",
				    dir, CS_MAX_POLICY_SET);
	if (!cs_arena_dup(c->arena, cs_span_str(name), &s->name) ||
	    !cs_arena_dup(c->arena, cs_buf_span(&text), &s->bytes))
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory to read %s",
				    path);
	c->n++;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the sources in a directory, sorted. */
static bool list_dir(struct collection *c, const char *dir, const char ***ret,
		     size_t *ret_n, struct cs_error *err)
{
	const char **names = cs_arena_new_array(
		c->arena, CS_MAX_POLICY_FILES + 1, sizeof(*names));
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n = 0;

	if (d == NULL)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", dir);
	while (names != NULL && n <= CS_MAX_POLICY_FILES &&
	       (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || !has_suffix(e->d_name))
			continue;
		names[n] = cs_arena_str(c->arena, cs_span_str(e->d_name));
		if (names[n++] == NULL)
			names = NULL;
	}
	closedir(d);
	if (names == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory to read %s",
				    dir);
	qsort(names, n, sizeof(*names), compare_names);
	*ret = names;
	*ret_n = n;
	return true;
}

/* Whoever reads a pipe waits, and the server's parent must not. */
static bool check_regular(struct collection *c, const char *dir,
			  const char *name, struct cs_error *err)
{
	const char *path = cs_files_path(c->arena, dir, name);
	struct stat st;

	if (path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory to read %s",
				    dir);
	if (stat(path, &st) != 0)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", path);
	return S_ISREG(st.st_mode) ||
	       cs_error_set(err, CS_E_IO, "%s: not a regular file", path);
}

static bool add_dir(struct collection *c, const char *dir, struct cs_error *err)
{
	const char **names = NULL;
	size_t n = 0;

	if (!list_dir(c, dir, &names, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!check_name(dir, names[i], err) ||
		    !check_regular(c, dir, names[i], err) ||
		    !add_file(c, dir, names[i], names[i], err))
			return false;
	return true;
}

bool cs_policies_read(const char *const *paths, size_t n,
		      struct cs_arena *arena, struct cs_sources *ret_sources,
		      struct cs_error *err)
{
	struct collection *c = cs_arena_new(arena, sizeof(*c));
	struct stat st;

	if (c == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory to read policies");
	c->arena = arena;
	for (size_t i = 0; i < n; i++) {
		const char *slash = strrchr(paths[i], '/');
		bool ok;

		if (stat(paths[i], &st) != 0)
			return cs_error_set_errno(
				err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO,
				errno, "%s", paths[i]);
		ok = S_ISDIR(st.st_mode)
			     ? add_dir(c, paths[i], err)
			     : add_file(c, ".", paths[i],
					slash != NULL ? slash + 1 : paths[i],
					err);
		if (!ok)
			return false;
	}
	ret_sources->items = c->item;
	ret_sources->n = c->n;
	return true;
}

bool cs_policies_read_dir(const char *dir, struct cs_buf *out,
			  struct cs_error *err)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	struct cs_sources sources;
	const char *path;

	cs_arena_init(&arena, 2 * CS_MAX_POLICY_SET);
	path = cs_files_path(&arena, dir, CS_POLICIES_DIR);
	if (path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory to read policies");
	if (!cs_policies_read(&path, 1, &arena, &sources, err))
		return false;
	cs_sources_encode(&sources, out);
	return cs_buf_finish(out, CS_POLICIES_DIR, err);
}
