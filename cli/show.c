#include "cli/show.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* One cell: a value that policy or a stranger wrote. */
#define CELL_BYTES 16384

/* A value that is no list; an object is called by its name. */
static void put_scalar(const json_t *value, struct cs_buf *out)
{
	if (json_is_object(value))
		value = json_object_get(value, "name");
	if (json_is_string(value))
		cs_buf_add_str(out, json_string_value(value));
	else if (json_is_integer(value))
		cs_buf_addf(out, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		cs_buf_add_str(out, json_is_true(value) ? "true" : "false");
	else
		cs_buf_add_byte(out, '-');
}

void cs_show_value(const json_t *value, struct cs_buf *out)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value)) {
		put_scalar(value, out);
		return;
	}
	json_array_foreach(value, i, item)
	{
		cs_buf_add_str(out, i > 0 ? ", " : "");
		put_scalar(item, out);
	}
}

/* The member as a cell. */
static void cell(struct cs_table *t, const json_t *object, const char *name)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, CELL_BYTES);
	cs_show_value(json_object_get(object, name), &b);
	cs_table_cell(t, cs_buf_ok(&b) ? cs_buf_str(&b) : "(too long)");
}

void cs_show_object(json_t *object, FILE *out)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf name, value;
	struct cs_table t;
	json_t *v, *w;
	const char *k, *l;

	cs_buf_init(&name, CELL_BYTES);
	cs_buf_init(&value, CELL_BYTES);
	cs_table_init(&t, 2, NULL);
	json_object_foreach(object, k, v)
	{
		if (!json_is_object(v)) {
			cs_table_cell(&t, k);
			cell(&t, object, k);
			continue;
		}
		json_object_foreach(v, l, w)
		{
			cs_buf_reset(&name);
			cs_buf_addf(&name, "%s.%s", k, l);
			cs_table_cell(&t, cs_buf_str(&name));
			cell(&t, v, l);
		}
	}
	if (!cs_table_print(&t, "", out, NULL))
		fputs("(no memory for the list)\n", out);
	cs_table_done(&t);
}

/* The value at "a.b" or, with alternatives, "a|b.c"; NULL: none. */
static const json_t *find_path(const json_t *object, const char *path)
{
	while (*path != '\0') {
		const json_t *v = object;
		size_t n = strcspn(path, "|");
		const char *end = path + n;

		while (path < end && v != NULL) {
			size_t m = strcspn(path, ".|");

			v = json_object_getn(v, path, m);
			path += m + (path + m < end);
		}
		if (v != NULL && !json_is_null(v))
			return v;
		path = *end == '|' ? end + 1 : end;
	}
	return NULL;
}

void cs_show_list(const json_t *items, const char *const *header,
		  const char *const *names, size_t n, FILE *out)
{
	struct cs_table t;
	const json_t *item;
	size_t i;

	cs_table_init(&t, n, header);
	json_array_foreach(items, i, item) for (size_t k = 0; k < n; k++)
	{
		CS_CLEANUP(cs_buf_done) struct cs_buf b;

		cs_buf_init(&b, CELL_BYTES);
		cs_show_value(find_path(item, names[k]), &b);
		cs_table_cell(&t,
			      cs_buf_ok(&b) ? cs_buf_str(&b) : "(too long)");
	}
	if (!cs_table_print(&t, "", out, NULL))
		fputs("(no memory for the list)\n", out);
	cs_table_done(&t);
}
