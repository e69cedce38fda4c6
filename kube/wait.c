#include "kube/wait.h"

#include <string.h>

#include "base/random.h"

void cs_wait_init(struct cs_wait *w, uint32_t first_ms, uint32_t most_ms)
{
	*w = (struct cs_wait){first_ms, most_ms, first_ms};
}

void cs_wait_reset(struct cs_wait *w)
{
	w->next_ms = w->first_ms;
}

uint32_t cs_wait_chance(uint32_t n)
{
	uint8_t b[4];
	uint32_t v;

	if (n == 0 || !cs_random_public(b, sizeof(b), NULL))
		return 0;
	memcpy(&v, b, sizeof(v));
	return v % n;
}

uint32_t cs_wait_next(struct cs_wait *w, uint32_t least_s)
{
	uint32_t ms = w->next_ms;
	uint32_t least_ms = least_s * 1000;

	w->next_ms = ms < w->most_ms / 2 ? ms * 2 : w->most_ms;
	if (ms < least_ms)
		ms = least_ms;
	return ms + cs_wait_chance(ms);
}
