/*
 * How long to wait before the next try: from `first_ms`, doubled each time up
 * to `most_ms`, and up to twice that by chance, so that many who wait for one
 * server do not come back together. Plain values.
 */
#ifndef CS_KUBE_WAIT_H
#define CS_KUBE_WAIT_H

#include <stdint.h>

struct cs_wait {
	uint32_t first_ms, most_ms, next_ms;
};

void cs_wait_init(struct cs_wait *w, uint32_t first_ms, uint32_t most_ms);
void cs_wait_reset(struct cs_wait *w);

/* Milliseconds; never less than least_s seconds (a Retry-After). */
uint32_t cs_wait_next(struct cs_wait *w, uint32_t least_s);

/* From 0 to below n, by chance; 0 where there is no randomness. */
uint32_t cs_wait_chance(uint32_t n);

#endif
