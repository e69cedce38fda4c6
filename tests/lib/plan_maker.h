/*
 * Random plans for tests of what is written from them: every field of a plan,
 * with values as policy may decide on, and a few that no policy would (any
 * key usage with any purpose), because the writer judges nothing.
 *
 * The same seed gives the same plans.
 */
#ifndef CS_TESTS_LIB_PLAN_MAKER_H
#define CS_TESTS_LIB_PLAN_MAKER_H

#include "base/arena.h"
#include "policy/plan.h"

struct plan_maker {
	uint64_t state;
};

/* 0 to below - 1. */
unsigned plan_draw(struct plan_maker *m, unsigned below);

/* Into the arena, which must not run out. */
void plan_make(struct plan_maker *m, struct cs_arena *a, struct cs_plan *ret);

#endif
