/*
 * Our reader of CSRs: hexadecimal lines in, verdicts out. "ok", or for each
 * finding its code, a blank and its message, with tabs between findings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "issuer/csr.h"

#define LONGEST (2 * 1024 * 1024)

/* One line without its end; false: the end of the input. */
static bool read_line(char *line, size_t *ret_n)
{
	if (fgets(line, LONGEST, stdin) == NULL)
		return false;
	*ret_n = strcspn(line, "\n");
	return true;
}

static void tell(const struct cs_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		printf("%s%s %.*s", i > 0 ? "\t" : "", findings->items[i].code,
		       CS_SPAN_FMT(findings->items[i].message));
	puts(findings->n == 0 ? "ok" : "");
}

int main(void)
{
	static char line[LONGEST];
	struct cs_crypto *crypto = cs_crypto_new(NULL);
	struct cs_arena arena, bytes;
	size_t n;

	if (crypto == NULL)
		return 2;
	cs_arena_init(&arena, CS_MAX_REQUEST_ARENA);
	cs_arena_init(&bytes, LONGEST);
	while (read_line(line, &n)) {
		struct cs_findings findings;
		struct cs_cert_facts facts = {0};
		struct cs_error err = {0};
		struct cs_span der;

		cs_arena_reset(&arena);
		cs_arena_reset(&bytes);
		cs_findings_init(&findings, &arena);
		if (!cs_codec_hex_decode(cs_span_make(line, n), &bytes, &der,
					 &err) ||
		    !cs_csr_read(crypto, der, &arena, &facts, &findings,
				 &err)) {
			fprintf(stderr, "csr_reader: %s\n", err.text);
			return 2;
		}
		tell(&findings);
	}
	cs_arena_done(&arena);
	cs_arena_done(&bytes);
	cs_crypto_free(crypto);
	return 0;
}
