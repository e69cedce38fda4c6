/*
 * HTTP heads: the answer does not depend on how the bytes arrived, and what
 * is accepted holds no byte that framing could be confused by.
 */
#include <string.h>

#include "api/http_parse.h"
#include "tests/fuzz/fuzz.h"

/* Feed the bytes in pieces of `step`. */
static enum cs_http_progress feed(struct cs_span all, size_t step,
				  struct cs_http_head *head,
				  struct cs_http_refusal *refusal)
{
	struct cs_http_parser p;
	enum cs_http_progress got = CS_HTTP_MORE;

	cs_http_parser_init(&p);
	for (size_t n = step; got == CS_HTTP_MORE; n += step) {
		got = cs_http_parse(&p, cs_span_sub(all, 0, n), head, refusal);
		if (n >= all.n)
			break;
	}
	return got;
}

/* What stands in an accepted head. */
static void check_head(struct cs_span all, const struct cs_http_head *h)
{
	struct cs_span head = cs_span_sub(all, 0, h->size);

	FUZZ_CHECK(h->size <= all.n && h->size <= CS_MAX_HTTP_HEAD);
	FUZZ_CHECK(cs_span_ends_with(head, CS_SPAN_LIT("\r\n\r\n")));
	for (size_t i = 0; i < head.n; i++) {
		uint8_t c = head.p[i];

		FUZZ_CHECK(c == '\t' || c == '\r' || c == '\n' ||
			   (c >= 0x20 && c < 0x7f));
		FUZZ_CHECK(c != '\n' || (i > 0 && head.p[i - 1] == '\r'));
		FUZZ_CHECK(c != '\r' || head.p[i + 1] == '\n');
	}
	FUZZ_CHECK(h->path.n > 0 && h->path.p[0] == '/');
	FUZZ_CHECK(!cs_span_find(h->path, '%', NULL) ||
		   cs_span_starts_with(h->path, CS_SPAN_LIT("/ocsp/")));
	FUZZ_CHECK(h->content_length <= CS_MAX_HTTP_BODY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_span all = cs_span_make(data, size);
	struct cs_http_head whole, pieces;
	struct cs_http_refusal a = {0}, b = {0};
	enum cs_http_progress got = feed(all, size + 1, &whole, &a);

	if (got == CS_HTTP_DONE)
		check_head(all, &whole);
	for (size_t step = 1; step < 8; step += 3) {
		FUZZ_CHECK(feed(all, step, &pieces, &b) == got);
		FUZZ_CHECK(a.status == b.status);
		if (got == CS_HTTP_DONE)
			FUZZ_CHECK(pieces.size == whole.size &&
				   pieces.content_length ==
					   whole.content_length);
	}
	return 0;
}
