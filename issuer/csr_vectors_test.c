/* Replays tests/vectors/csr: each file gives exactly the codes expected. */
#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "issuer/csr.h"
#include "policy/codes.h"

#define LONGEST (256 * 1024)
#define FEWEST	80  /* files; fewer: the list was not read */
#define WORD	128 /* bytes of a word of the list */

struct fixture {
	struct cs_crypto *crypto;
	struct cs_arena arena;
	uint8_t *bytes;
};

static int set_up(void **state)
{
	static struct fixture f;

	f.crypto = cs_crypto_new(NULL);
	cs_arena_init(&f.arena, CS_MAX_REQUEST_ARENA);
	f.bytes = test_malloc(LONGEST);
	*state = &f;
	return f.crypto == NULL;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cs_crypto_free(f->crypto);
	cs_arena_done(&f->arena);
	test_free(f->bytes);
	return 0;
}

/* A file of the corpus, open. */
static FILE *open_file(const char *name, const char *suffix)
{
	const char *src = getenv("srcdir");
	char path[1024];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/tests/vectors/csr/%s%s",
		       src != NULL ? src : ".", name, suffix);
	file = fopen(path, "rbe");
	if (file == NULL)
		fail_msg("%s cannot be read", path);
	return file;
}

/* "CSR_KEY", "-", or "weak:roca": what was found, in words. */
static const char *found(const struct cs_findings *findings,
			 const struct cs_cert_facts *facts)
{
	if (findings->n > 0)
		return findings->items[0].code;
	switch (facts->key.weak) {
	case 0:
		return "-";
	case CS_WEAK_ROCA:
		return "weak:roca";
	case CS_WEAK_FERMAT:
		return "weak:fermat";
	case CS_WEAK_SMALL_FACTORS:
		return "weak:small-factors";
	default:
		return "weak in several ways";
	}
}

/* One file: the first code is the expected one, and so is every other. */
static void replay(struct fixture *f, const char *name, const char *expected)
{
	FILE *file = open_file(name, ".der");
	size_t n = fread(f->bytes, 1, LONGEST, file);
	struct cs_cert_facts facts = {0};
	struct cs_findings findings;
	struct cs_error err = {0};
	uint8_t *exact;

	fclose(file);
	cs_arena_reset(&f->arena);
	cs_findings_init(&findings, &f->arena);
	/* A block of the exact size, so that an overrun is seen. */
	exact = test_malloc(n + 1);
	memcpy(exact + 1, f->bytes, n);
	if (!cs_csr_read(f->crypto, cs_span_make(exact + 1, n), &f->arena,
			 &facts, &findings, &err))
		fail_msg("%s: %s", name, err.text);
	if (strcmp(found(&findings, &facts), expected) != 0)
		fail_msg("%s: %s, expected %s", name, found(&findings, &facts),
			 expected);
	for (size_t i = 0; i < findings.n; i++) {
		if (strcmp(findings.items[i].code, expected) != 0)
			fail_msg("%s: also %s: %.*s", name,
				 findings.items[i].code,
				 CS_SPAN_FMT(findings.items[i].message));
	}
	test_free(exact);
}

static void every_pitfall_has_its_code(void **state)
{
	struct fixture *f = *state;
	FILE *list = open_file("expected", "");
	char name[WORD], expected[WORD];
	size_t n = 0;

	while (fscanf(list, "%127s %127s", name, expected) == 2) {
		replay(f, name, expected);
		n++;
	}
	fclose(list);
	assert_true(n >= FEWEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pitfall_has_its_code),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/csr_vectors", tests, set_up,
					    tear_down));
}
