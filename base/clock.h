/*
 * Time as a parameter. A struct cs_clock is handed to everything that needs
 * to know the time, so that a test can hand over another one.
 *
 * wall_ms: milliseconds since 1970, UTC, what certificates are dated with.
 * boot_ms: milliseconds since boot, suspended time included, never set by
 * anybody: what the wall clock is checked against.
 * boot_us: the same in microseconds, for measuring; may be NULL.
 */
#ifndef CS_BASE_CLOCK_H
#define CS_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct cs_clock {
	int64_t (*wall_ms)(void *ctx);
	int64_t (*boot_ms)(void *ctx);
	void *ctx;
	int64_t (*boot_us)(void *ctx);
};

/*
 * The system's clocks. Test programs link another definition (see
 * tests/lib/clock_shifted.c) whose wall clock a test can move.
 */
struct cs_clock cs_clock_system(void);

static inline int64_t cs_clock_wall_ms(const struct cs_clock *c)
{
	return c->wall_ms(c->ctx);
}

static inline int64_t cs_clock_boot_ms(const struct cs_clock *c)
{
	return c->boot_ms(c->ctx);
}

static inline int64_t cs_clock_boot_us(const struct cs_clock *c)
{
	return c->boot_us != NULL ? c->boot_us(c->ctx)
				  : c->boot_ms(c->ctx) * 1000;
}

#endif
