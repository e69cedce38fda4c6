/*
 * What the tests of the CSR reader share: keys of each kind, room, and one
 * way to read a request and to look for a finding.
 */
#ifndef CS_TESTS_LIB_CSR_FIXTURE_H
#define CS_TESTS_LIB_CSR_FIXTURE_H

#include "issuer/csr.h"
#include "tests/lib/csr_maker.h"

struct csr_fixture {
	struct cs_key *ec, *p384, *rsa, *ed;
	struct cs_crypto *crypto;
	struct cs_arena arena;
	struct cs_buf der;   /* the CSR under test */
	struct cs_buf parts; /* pieces of it */
	struct cs_buf more;
	struct cs_cert_facts facts;
	struct cs_findings findings;
};

/* For cmocka's groups: *state becomes the fixture. */
int csr_set_up(void **state);
int csr_tear_down(void **state);

/* Read f->der; findings and facts are in the fixture. */
void csr_read_der(struct csr_fixture *f);

/* Make a CSR, and read it. */
void csr_read_made(struct csr_fixture *f, const struct csr_maker *m);

/* Nothing was found. */
void csr_assert_accepted(const struct csr_fixture *f);

/* There is a finding with this code whose sentence has these words. */
void csr_assert_found(const struct csr_fixture *f, const char *code,
		      const char *words);

void csr_assert_span(struct cs_span s, const char *text);

#endif
