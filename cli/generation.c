#include "cli/generation.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/time.h"
#include "base/yaml.h"
#include "cli/config.h"
#include "cli/files.h"

/* Of a value, in a sentence about it. */
#define SHOWN 40

/* What stands there is no member, or not a value of it. */
static bool refuse(const struct cs_yaml *v, const char *file,
		   struct cs_error *err)
{
	size_t most = v->text.n < SHOWN ? v->text.n : SHOWN;

	return cs_error_set(
		err, CS_E_CONFIG,
		"%s:%u:%u: `%.*s%s%.*s`: expected generation (1 to %d), "
		"crl_url, crl_shards (1 to %d), retired and key_destroyed (as "
		"\"2026-11-25T09:00:00Z\"), which this program writes: take "
		"the file from a backup",
		file, v->line, v->column, CS_SPAN_FMT(v->key),
		v->key.n > 0 && v->text.n > 0 ? ": " : "",
		CS_SPAN_FMT(cs_span_sub(v->text, 0, most)), CS_MAX_GENERATION,
		CS_MAX_CRL_SHARDS);
}

static bool read_time(const struct cs_yaml *v, bool *ret_there, int64_t *ret_s)
{
	int64_t ms;

	if (v->kind != CS_YAML_TEXT ||
	    !cs_time_parse_rfc3339(v->text, &ms, NULL))
		return false;
	*ret_there = true;
	*ret_s = ms / 1000;
	return true;
}

static bool read_number(const struct cs_yaml *v, int64_t most, int64_t *ret)
{
	*ret = v->integer;
	return v->kind == CS_YAML_INT && v->integer >= 1 && v->integer <= most;
}

/* One member. */
static bool take(struct cs_generation *g, const struct cs_yaml *v,
		 struct cs_arena *arena)
{
	int64_t n = 0;

	if (cs_span_equal_str(v->key, "generation")) {
		if (!read_number(v, CS_MAX_GENERATION, &n))
			return false;
		g->number = (unsigned)n;
		return true;
	}
	if (cs_span_equal_str(v->key, "crl_shards")) {
		if (!read_number(v, CS_MAX_CRL_SHARDS, &n))
			return false;
		g->has_crl = true;
		g->crl_shards = (uint32_t)n;
		return true;
	}
	if (cs_span_equal_str(v->key, "crl_url")) {
		g->crl_url = v->kind == CS_YAML_TEXT
				     ? cs_arena_str(arena, v->text)
				     : NULL;
		return g->crl_url != NULL;
	}
	if (cs_span_equal_str(v->key, "retired"))
		return read_time(v, &g->is_retired, &g->retired_s);
	return cs_span_equal_str(v->key, "key_destroyed") &&
	       read_time(v, &g->key_is_destroyed, &g->key_destroyed_s);
}

static bool parse(struct cs_span text, const char *file, struct cs_arena *arena,
		  struct cs_generation *g, struct cs_error *err)
{
	const struct cs_yaml *doc = cs_yaml_parse(text, file, arena, err);

	if (doc == NULL)
		return false;
	if (doc->kind != CS_YAML_MAP || doc->next != NULL)
		return refuse(doc, file, err);
	for (const struct cs_yaml *v = doc->child; v != NULL; v = v->next)
		if (!take(g, v, arena))
			return refuse(v, file, err);
	return true;
}

bool cs_generation_read(const char *dir, const char *folder,
			struct cs_arena *arena, struct cs_generation *ret,
			struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_generation g = {.number = 1};
	struct cs_error why = {0};
	const char *file =
		cs_arena_printf(arena, "%s/" CS_GENERATION_FILE, folder);

	cs_buf_init(&text, CS_MAX_PEM_FILE);
	if (file == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (!cs_files_read(dir, file, &text, &why)) {
		if (why.code != CS_E_NOT_FOUND)
			return cs_error_set(err, why.code, "%s", why.text);
	} else if (!parse(cs_buf_span(&text), file, arena, &g, err)) {
		return false;
	}
	*ret = g;
	return true;
}

static void put_time(struct cs_buf *out, const char *name, int64_t s)
{
	char text[CS_TIME_TEXT];

	cs_time_rfc3339(s, text);
	cs_buf_addf(out, "%s: \"%s\"\n", name, text);
}

bool cs_generation_write(const struct cs_generation *g, struct cs_buf *out,
			 struct cs_error *err)
{
	cs_buf_addf(out,
		    "# Kept by countersign; what stands here is recorded and "
		    "stays.\ngeneration: %u\n",
		    g->number);
	if (g->has_crl && g->crl_url != NULL) {
		cs_buf_add_str(out, "crl_url: ");
		cs_config_write_quoted(g->crl_url, out);
		cs_buf_add_byte(out, '\n');
	}
	if (g->has_crl)
		cs_buf_addf(out, "crl_shards: %u\n", g->crl_shards);
	if (g->is_retired)
		put_time(out, "retired", g->retired_s);
	if (g->key_is_destroyed)
		put_time(out, "key_destroyed", g->key_destroyed_s);
	return cs_buf_finish(out, CS_GENERATION_FILE, err);
}
