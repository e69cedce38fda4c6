#include "tests/http/readings.h"

#include <llhttp.h>
#include <picohttpparser.h>
#include <string.h>

#include "api/http_parse.h"

#define FIELDS_MAX                                                             \
	(sizeof(((struct reading *)NULL)->fields) / sizeof(struct field))

/* Without SP and HTAB at both ends. */
static struct cs_span trim(struct cs_span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = cs_span_sub(s, 1, s.n);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* -- ours --------------------------------------------------------------- */

/* One of the fields that our server reads, if it is there. */
static void add_ours(struct reading *r, const char *name, struct cs_span value)
{
	if (value.p != NULL)
		r->fields[r->fields_n++] =
			(struct field){cs_span_str(name), value};
}

void read_ours(struct cs_span all, struct reading *ret)
{
	static const char *const methods[] = {
		[CS_HTTP_GET] = "GET",
		[CS_HTTP_HEAD] = "HEAD",
		[CS_HTTP_POST] = "POST",
		[CS_HTTP_DELETE] = "DELETE",
	};
	struct cs_http_refusal refusal;
	struct cs_http_parser p;
	struct cs_http_head h;

	memset(ret, 0, sizeof(*ret));
	cs_http_parser_init(&p);
	switch (cs_http_parse(&p, all, &h, &refusal)) {
	case CS_HTTP_MORE:
		ret->refusal = "incomplete";
		return;
	case CS_HTTP_REFUSED:
		ret->refusal = refusal.sentence;
		return;
	case CS_HTTP_DONE:
		break;
	}
	ret->method = cs_span_str(methods[h.method]);
	ret->target = h.path;
	if (h.query.p != NULL)
		ret->target.n = (size_t)(h.query.p - h.path.p) + h.query.n;
	ret->minor = h.minor;
	ret->head_n = h.size;
	ret->body_n = h.content_length;
	ret->keep_alive = !h.close;
	add_ours(ret, "Host", h.host);
	add_ours(ret, "Authorization", h.authorization);
	add_ours(ret, "Content-Type", h.content_type);
	add_ours(ret, "Accept", h.accept);
	add_ours(ret, "Idempotency-Key", h.idempotency_key);
}

/* -- picohttpparser ----------------------------------------------------- */

void read_pico(struct cs_span all, struct reading *ret)
{
	struct phr_header headers[CS_MAX_HTTP_HEADERS + 1];
	size_t n = CS_MAX_HTTP_HEADERS + 1;
	const char *method, *path;
	size_t method_n, path_n;
	int minor = -1;
	int size;

	memset(ret, 0, sizeof(*ret));
	size = phr_parse_request((const char *)all.p, all.n, &method, &method_n,
				 &path, &path_n, &minor, headers, &n, 0);
	if (size <= 0) {
		ret->refusal = size == -2 ? "incomplete" : "refused";
		return;
	}
	ret->method = cs_span_make(method, method_n);
	ret->target = cs_span_make(path, path_n);
	ret->minor = minor;
	ret->head_n = (size_t)size;
	for (size_t i = 0; i < n; i++) {
		const struct phr_header *h = &headers[i];

		if (h->name == NULL) {
			ret->refusal = "a folded field";
			return;
		}
		ret->fields[ret->fields_n++] = (struct field){
			cs_span_make(h->name, h->name_len),
			trim(cs_span_make(h->value, h->value_len))};
	}
}

/* -- llhttp ------------------------------------------------------------- */

struct watcher {
	llhttp_t parser; /* first: llhttp hands out a pointer to it */
	struct reading *r;
	bool in_value;
	bool complete;
};

/* A part of a text that came in one buffer, perhaps in pieces. */
static void extend(struct cs_span *s, const char *at, size_t n)
{
	if (s->p == NULL)
		*s = cs_span_make(at, 0);
	s->n += n;
}

static int on_method(llhttp_t *p, const char *at, size_t n)
{
	extend(&((struct watcher *)p)->r->method, at, n);
	return 0;
}

static int on_url(llhttp_t *p, const char *at, size_t n)
{
	extend(&((struct watcher *)p)->r->target, at, n);
	return 0;
}

static int on_field(llhttp_t *p, const char *at, size_t n)
{
	struct watcher *w = (struct watcher *)p;

	if (w->in_value || w->r->fields_n == 0) {
		if (w->r->fields_n == FIELDS_MAX)
			return -1;
		w->r->fields[w->r->fields_n++] = (struct field){0};
		w->in_value = false;
	}
	extend(&w->r->fields[w->r->fields_n - 1].name, at, n);
	return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
	struct watcher *w = (struct watcher *)p;

	w->in_value = true;
	extend(&w->r->fields[w->r->fields_n - 1].value, at, n);
	return 0;
}

/* An empty value comes without any data. */
static int on_value_end(llhttp_t *p)
{
	((struct watcher *)p)->in_value = true;
	return 0;
}

static int on_head(llhttp_t *p)
{
	struct watcher *w = (struct watcher *)p;

	w->r->minor = llhttp_get_http_minor(p);
	w->r->keep_alive = llhttp_should_keep_alive(p) != 0;
	return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
	(void)at;
	((struct watcher *)p)->r->body_n += n;
	return 0;
}

static int on_complete(llhttp_t *p)
{
	((struct watcher *)p)->complete = true;
	return 0;
}

/* Some more bytes. An upgrade that it would take part in is no refusal. */
static bool feed(struct watcher *w, struct cs_span bytes)
{
	llhttp_errno_t e =
		llhttp_execute(&w->parser, (const char *)bytes.p, bytes.n);

	if (e == HPE_OK || e == HPE_PAUSED_UPGRADE)
		return true;
	w->r->refusal = llhttp_errno_name(e);
	return false;
}

void read_llhttp(struct cs_span all, struct reading *ret)
{
	llhttp_settings_t settings;
	struct watcher w;

	memset(ret, 0, sizeof(*ret));
	memset(&w, 0, sizeof(w));
	llhttp_settings_init(&settings);
	settings.on_method = on_method;
	settings.on_url = on_url;
	settings.on_header_field = on_field;
	settings.on_header_value = on_value;
	settings.on_header_value_complete = on_value_end;
	settings.on_headers_complete = on_head;
	settings.on_body = on_body;
	settings.on_message_complete = on_complete;
	llhttp_init(&w.parser, HTTP_REQUEST, &settings);
	w.r = ret;
	/* The request ends with its last octet, not before and not behind. */
	if (!feed(&w, cs_span_sub(all, 0, all.n - 1)))
		return;
	if (w.complete) {
		ret->refusal = "it ends earlier";
		return;
	}
	if (!feed(&w, cs_span_sub(all, all.n - 1, all.n)))
		return;
	if (!w.complete)
		ret->refusal = "it goes on";
	for (size_t i = 0; i < ret->fields_n; i++)
		ret->fields[i].value = trim(ret->fields[i].value);
}
