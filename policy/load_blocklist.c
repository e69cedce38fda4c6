#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "policy/load.h"

#define SUFFIX ".blocklist"

bool cs_load_is_blocklist(struct cs_span name)
{
	return cs_span_ends_with(name, CS_SPAN_LIT(SUFFIX));
}

/* What a line says, without comment and blanks. */
static struct cs_span content_of(struct cs_span line)
{
	size_t at;

	if (cs_span_find(line, '#', &at))
		line.n = at;
	while (line.n > 0 &&
	       (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t' ||
		line.p[line.n - 1] == '\r'))
		line.n--;
	while (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
		line = cs_span_sub(line, 1, SIZE_MAX);
	return line;
}

/* Room for as many more as the text has lines. */
static bool make_room(struct cs_load *l, struct cs_span text,
		      struct cs_blocklist *list)
{
	size_t n = 1;
	uint8_t(*items)[32];

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	items = cs_arena_new_array(l->arena, list->n + n, sizeof(*items));
	if (items == NULL) {
		cs_load_no_memory(l);
		return false;
	}
	if (list->n > 0)
		memcpy(items, list->items, list->n * sizeof(*items));
	list->items = items;
	return true;
}

void cs_load_blocklist(struct cs_load *l, struct cs_span text,
		       struct cs_blocklist *list)
{
	if (!make_room(l, text, list))
		return;
	for (unsigned line = 1; text.n > 0; line++) {
		size_t end = text.n;
		struct cs_span hex;

		(void)cs_span_find(text, '\n', &end);
		hex = content_of(cs_span_sub(text, 0, end));
		text = cs_span_sub(text, end + 1, SIZE_MAX);
		if (hex.n == 0)
			continue;
		if (cs_codec_hex_fixed(hex, list->items[list->n], 32))
			list->n++;
		else
			cs_report_add(l->report, CS_PROBLEM_ERROR, l->source,
				      line, 1,
				      "a line is the SHA-256 of a "
				      "SubjectPublicKeyInfo, 64 hexadecimal "
				      "digits");
	}
}

/* Two hashes, for qsort. */
static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

bool cs_load_blocklist_end(struct cs_blocklist *list, struct cs_hash *hash,
			   uint8_t ret_sha256[32], struct cs_error *err)
{
	size_t n = 0;

	if (list->n == 0)
		return true;
	qsort(list->items, list->n, sizeof(*list->items), compare);
	for (size_t i = 0; i < list->n; i++) {
		if (n > 0 && compare(list->items[n - 1], list->items[i]) == 0)
			continue;
		memmove(list->items[n++], list->items[i], 32);
	}
	list->n = n;
	return cs_hash_sha256(hash, cs_span_make(list->items[0], 32 * n),
			      ret_sha256, err);
}
