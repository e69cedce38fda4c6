#include "tests/lib/test.h"

#include "tests/lib/csr_fixture.h"

#include <stdio.h>
#include <string.h>

#include "policy/codes.h"

int csr_set_up(void **state)
{
	static struct csr_fixture f;

	f.ec = cs_key_generate(CS_KEY_KIND_EC_P256, NULL);
	f.p384 = cs_key_generate(CS_KEY_KIND_EC_P384, NULL);
	f.rsa = cs_key_generate(CS_KEY_KIND_RSA_3072, NULL);
	f.ed = cs_key_generate(CS_KEY_KIND_ED25519, NULL);
	f.crypto = cs_crypto_new(NULL);
	cs_arena_init(&f.arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&f.der, 400000);
	cs_buf_init(&f.parts, 200000);
	cs_buf_init(&f.more, 200000);
	*state = &f;
	return f.ec == NULL || f.p384 == NULL || f.rsa == NULL ||
	       f.ed == NULL || f.crypto == NULL;
}

int csr_tear_down(void **state)
{
	struct csr_fixture *f = *state;

	cs_key_free(f->ec);
	cs_key_free(f->p384);
	cs_key_free(f->rsa);
	cs_key_free(f->ed);
	cs_crypto_free(f->crypto);
	cs_arena_done(&f->arena);
	cs_buf_done(&f->der);
	cs_buf_done(&f->parts);
	cs_buf_done(&f->more);
	return 0;
}

void csr_read_der(struct csr_fixture *f)
{
	struct cs_error err = {0};

	cs_arena_reset(&f->arena);
	cs_findings_init(&f->findings, &f->arena);
	if (!cs_csr_read(f->crypto, cs_buf_span(&f->der), &f->arena, &f->facts,
			 &f->findings, &err))
		fail_msg("%s", err.text);
}

void csr_read_made(struct csr_fixture *f, const struct csr_maker *m)
{
	csr_make(m, &f->der);
	csr_read_der(f);
}

void csr_assert_accepted(const struct csr_fixture *f)
{
	if (f->findings.n > 0)
		fail_msg("refused: %.*s",
			 CS_SPAN_FMT(f->findings.items[0].message));
}

void csr_assert_found(const struct csr_fixture *f, const char *code,
		      const char *words)
{
	for (size_t i = 0; i < f->findings.n; i++) {
		const struct cs_finding *one = &f->findings.items[i];
		char text[CS_ERROR_MAX];

		assert_true(cs_code_is_known(one->code));
		snprintf(text, sizeof(text), "%.*s", CS_SPAN_FMT(one->message));
		if (strcmp(one->code, code) == 0 && strstr(text, words) != NULL)
			return;
	}
	for (size_t i = 0; i < f->findings.n; i++)
		print_message("found: %s %.*s\n", f->findings.items[i].code,
			      CS_SPAN_FMT(f->findings.items[i].message));
	fail_msg("no finding %s with \"%s\"", code, words);
}

void csr_assert_span(struct cs_span s, const char *text)
{
	assert_int_equal(s.n, strlen(text));
	assert_memory_equal(s.p, text, s.n);
}
