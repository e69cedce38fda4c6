#include "api/http_body.h"

#include "base/mem.h"

struct cs_http_body {
	size_t references;
	uint8_t *p; /* owned */
	size_t n;
};

struct cs_http_body *cs_http_body_new(struct cs_span bytes)
{
	struct cs_http_body *b = cs_mem_new(sizeof(*b));

	if (b == NULL)
		return NULL;
	b->references = 1;
	b->p = cs_mem_dup(bytes.p, bytes.n);
	b->n = bytes.n;
	if (b->p != NULL)
		return b;
	cs_mem_free(b);
	return NULL;
}

struct cs_http_body *cs_http_body_keep(struct cs_http_body *b)
{
	if (b != NULL)
		b->references++;
	return b;
}

void cs_http_body_drop(struct cs_http_body *b)
{
	if (b == NULL || --b->references > 0)
		return;
	cs_mem_free(b->p);
	cs_mem_free(b);
}

struct cs_span cs_http_body_span(const struct cs_http_body *b)
{
	return b == NULL ? cs_span_make(NULL, 0) : cs_span_make(b->p, b->n);
}
