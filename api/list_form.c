#include "api/list_form.h"

#include "api/csv.h"
#include "base/json.h"

#define HEAD  "{\"items\":["
#define TAIL  "],\"next\":"
#define EMPTY HEAD TAIL "null}"

const char *cs_list_form_type(enum cs_list_form form)
{
	switch (form) {
	case CS_LIST_NDJSON:
		return "application/x-ndjson";
	case CS_LIST_CSV:
		return "text/csv; charset=utf-8; header=present";
	default:
		return "application/json";
	}
}

/*
 * What stands behind the items: `],"next":null}` or the same with a cursor,
 * which is hexadecimal. False: the page is none of ours.
 */
static bool split(struct cs_span page, struct cs_span *ret_items,
		  struct cs_span *ret_next)
{
	const struct cs_span head = CS_SPAN_LIT(HEAD);
	const struct cs_span tail = CS_SPAN_LIT(TAIL);
	size_t at;

	if (!cs_span_starts_with(page, head) || page.n < head.n + tail.n + 3 ||
	    page.p[page.n - 1] != '}')
		return false;
	/* No brace stands behind the last item but the page's own. */
	for (at = page.n - 1; page.p[at - 1] != '[' && page.p[at - 1] != '}';)
		at--;
	*ret_items = cs_span_sub(page, head.n, at - head.n);
	page = cs_span_sub(page, at, page.n - at - 1);
	if (!cs_span_starts_with(page, tail))
		return false;
	page = cs_span_sub(page, tail.n, SIZE_MAX);
	*ret_next = page.n > 2 && page.p[0] == '"'
			    ? cs_span_sub(page, 1, page.n - 2)
			    : cs_span_make(NULL, 0);
	return true;
}

struct cs_span cs_list_form_next(struct cs_span page)
{
	struct cs_span items, next;

	return split(page, &items, &next) ? next : cs_span_make(NULL, 0);
}

bool cs_list_form_is_over(struct cs_span page)
{
	return cs_span_equal_str(page, EMPTY);
}

/* The next object of the list; *rest moves behind it and its comma. */
static struct cs_span next_object(struct cs_span *rest)
{
	struct cs_span object = *rest;
	unsigned depth = 0;
	bool text = false;

	for (size_t i = 0; i < object.n; i++) {
		uint8_t c = object.p[i];

		if (text) {
			i += c == '\\';
			text = c != '"';
			continue;
		}
		text = c == '"';
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		if (depth > 0 || text)
			continue;
		*rest = cs_span_sub(object, i + 2, SIZE_MAX);
		return cs_span_sub(object, 0, i + 1);
	}
	*rest = cs_span_make(NULL, 0);
	return object;
}

/* One item as a line of CSV. */
static bool put_csv(struct cs_span object, const char *const *columns,
		    struct cs_buf *out, struct cs_error *err)
{
	json_t *item = cs_json_parse(object, "an item", err);

	if (item == NULL)
		return false;
	cs_csv_item(out, columns, item);
	json_decref(item);
	return true;
}

bool cs_list_form_write(enum cs_list_form form, struct cs_span page,
			const char *const *columns, struct cs_buf *out,
			struct cs_error *err)
{
	struct cs_span items, next;

	if (form == CS_LIST_JSON) {
		cs_buf_add(out, page);
		return cs_buf_finish(out, "the page", err);
	}
	if (!split(page, &items, &next))
		return cs_error_set(err, CS_E_PROTOCOL,
				    "the reader's page is no list");
	if (form == CS_LIST_CSV)
		cs_csv_header(out, columns);
	while (items.n > 0) {
		struct cs_span object = next_object(&items);

		if (form == CS_LIST_CSV) {
			if (!put_csv(object, columns, out, err))
				return false;
			continue;
		}
		cs_buf_add(out, object);
		cs_buf_add_byte(out, '\n');
	}
	return cs_buf_finish(out, "the page", err);
}

void cs_list_form_link(struct cs_span path, struct cs_span query,
		       struct cs_span cursor, struct cs_buf *out)
{
	cs_buf_addf(out, "<%.*s?", CS_SPAN_FMT(path));
	while (query.n > 0) {
		struct cs_span part = query;
		size_t at;

		if (cs_span_find(query, '&', &at)) {
			part = cs_span_sub(query, 0, at);
			query = cs_span_sub(query, at + 1, SIZE_MAX);
		} else {
			query = cs_span_make(NULL, 0);
		}
		if (part.n > 0 &&
		    !cs_span_starts_with(part, CS_SPAN_LIT("cursor=")))
			cs_buf_addf(out, "%.*s&", CS_SPAN_FMT(part));
	}
	cs_buf_addf(out, "cursor=%.*s>; rel=\"next\"", CS_SPAN_FMT(cursor));
}
