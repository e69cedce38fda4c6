/*
 * A judge with an issuer whose CA is made anew and a policy set in force, and
 * the CSR that is judged: for tests of issuer/judge.h. A failing step fails
 * the test.
 */
#ifndef CS_TESTS_LIB_JUDGING_H
#define CS_TESTS_LIB_JUDGING_H

#include <jansson.h>

#include "issuer/judge.h"
#include <tests/lib/ca_maker.h>
#include <tests/lib/csr_maker.h>

#define JUDGING_SCALARS "{\"issuer\":\"default\",\"requester\":\"alice\"}"

struct judging {
	struct ca_maker maker;
	struct cs_judge_issuer issuer;
	struct cs_judge *judge;
	struct cs_key *key;
	struct csr_maker csr_maker;
	struct cs_buf parts, csr, request, set;
	struct cs_judgement out;
	json_t *body;
};

/* What the judge's clock says; a test that moves it puts it back. */
extern int64_t judging_now_ms;
int64_t judging_time(void *ctx);

/* For a group of tests; epoch 5 is in force. */
int judging_set_up(void **state);
int judging_tear_down(void **state);

/* Apply a set of this one file; NULL: the usual one. */
void judging_put_set(struct judging *f, const char *yaml, uint64_t epoch);
/* A new CSR, with the fixture's key. */
void judging_start(struct judging *f);
/* Judge these octets as a CSR, or the one that f->csr_maker makes. */
void judging_octets(struct judging *f, const char *scalars, struct cs_span csr);
void judging_csr(struct judging *f, const char *scalars);
/* A text of the body. */
const char *judging_member(const struct judging *f, const char *name);

#endif
