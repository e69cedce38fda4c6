#include <arpa/inet.h>

#include "base/codec.h"
#include "base/limits.h"
#include "base/revoke.h"
#include "base/terms.h"
#include "store/query_internal.h"

/* Names that an item of a list shows. */
#define MAX_NAMES 8
/* Octets that are left for the cursor at a page's end. */
#define PAGE_END 128

void cs_query_page_begin(struct cs_questions *q, struct cs_query_page *p,
			 struct cs_query_list *list)
{
	*p = (struct cs_query_page){.list = list,
				    .clock = q->clock,
				    .begun_ms = cs_clock_boot_ms(&q->clock)};
	cs_json_begin(&p->json, q->body);
	cs_json_object(&p->json);
	cs_json_name(&p->json, "items");
	cs_json_array(&p->json);
}

/* Was enough done for one page, by rows or by time? */
static bool is_enough(const struct cs_query_page *p)
{
	return p->scanned > CS_MAX_SCAN ||
	       (p->scanned > CS_MIN_SCAN &&
		cs_clock_boot_ms(&p->clock) - p->begun_ms > CS_MAX_PAGE_MS);
}

bool cs_query_page_look(struct cs_query_page *p, uint64_t position,
			unsigned cost)
{
	p->scanned += cost;
	if (is_enough(p)) {
		p->more = 1;
		return false;
	}
	p->last = position;
	return true;
}

bool cs_query_page_add(struct cs_questions *q, struct cs_query_page *p,
		       uint64_t position)
{
	if (p->items == p->list->limit ||
	    (p->items > 0 && q->body->n + q->item.n + PAGE_END > CS_MAX_PAGE)) {
		p->more = 1;
		p->full = 1;
		return false;
	}
	cs_json_raw(&p->json, cs_buf_span(&q->item));
	p->items++;
	p->last_item = position;
	return true;
}

/* The cursor: where the page ended, and of which question. */
static void put_cursor(struct cs_query_page *p)
{
	uint64_t at = p->full ? p->last_item : p->last;
	uint8_t octets[16];

	for (size_t i = 0; i < 8; i++) {
		octets[i] = (uint8_t)(at >> (56 - 8 * i));
		octets[8 + i] = p->list->question[i];
	}
	cs_json_hex(&p->json, cs_span_make(octets, sizeof(octets)));
}

bool cs_query_page_end(struct cs_questions *q, struct cs_query_page *p,
		       struct cs_error *err)
{
	if (p->bad_cursor)
		return cs_query_refuse(q, "BAD_CURSOR",
				       "cursor: it is not one of this list; "
				       "begin without one.");
	cs_json_end(&p->json);
	cs_json_name(&p->json, "next");
	if (p->more)
		put_cursor(p);
	else
		cs_json_null(&p->json);
	cs_json_end(&p->json);
	return cs_json_finish(&p->json, "page", err);
}

/* One name as text; false: the term is no name. */
static bool put_name(struct cs_json *j, uint8_t field, struct cs_span value)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	char address[INET6_ADDRSTRLEN];

	cs_buf_init(&text, CS_MAX_URI);
	switch (field) {
	case CS_TERM_DNS: /* turned round once more */
		cs_terms_reverse_dns(value, &text);
		cs_json_text(j, cs_buf_span(&text));
		return true;
	case CS_TERM_IP:
		if ((value.n != 4 && value.n != 16) ||
		    inet_ntop(value.n == 4 ? AF_INET : AF_INET6, value.p,
			      address, sizeof(address)) == NULL)
			return false;
		cs_json_str(j, address);
		return true;
	case CS_TERM_URI:
	case CS_TERM_EMAIL:
	case CS_TERM_CN:
		cs_json_text(j, value);
		return true;
	default:
		return false;
	}
}

void cs_query_put_names(struct cs_json *j, struct cs_span terms)
{
	uint8_t field;
	struct cs_span value;
	unsigned n = 0;

	cs_json_name(j, "names");
	cs_json_array(j);
	while (n < MAX_NAMES && cs_terms_next(&terms, &field, &value, NULL)) {
		if (put_name(j, field, value))
			n++;
	}
	cs_json_end(j);
}

void cs_query_put_revoked(struct cs_json *j, struct cs_stmt *s, int column)
{
	enum cs_reason reason = (enum cs_reason)cs_stmt_col_int(s, column + 1);

	cs_json_name(j, "revoked");
	if (cs_stmt_is_null(s, column)) {
		cs_json_null(j);
		return;
	}
	cs_json_object(j);
	cs_json_name(j, "at");
	cs_json_time_ms(j, cs_stmt_col_int(s, column));
	cs_json_member_int(j, "index", cs_stmt_col_int(s, column + 2));
	cs_query_put_text(j, "reason", cs_span_str(cs_reason_name(reason)));
	cs_json_end(j);
}

void cs_query_put_lines(struct cs_json *j, const char *name,
			struct cs_span text)
{
	cs_json_name(j, name);
	if (cs_codec_is_utf8(text))
		cs_json_string(j, text);
	else
		cs_json_text(j, text);
}

void cs_query_put_text(struct cs_json *j, const char *name, struct cs_span text)
{
	if (text.n == 0)
		return;
	cs_json_name(j, name);
	cs_json_text(j, text);
}
