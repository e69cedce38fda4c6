#include <string.h>

#include "base/limits.h"
#include "policy/match.h"

/*
 * Stars take as little as they can. That is right also where a star must not
 * cross `stop` (0: nothing): what stands between two stars either holds a
 * stop, and then has one place only, or its first place leaves the next star
 * most to take.
 */
static bool glob(struct cs_span pattern, struct cs_span text, uint8_t stop)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.n && pattern.p[p] == text.p[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX &&
			   (stop == 0 || text.p[mark] != stop)) {
			/* The last star takes one byte more. */
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

bool cs_match_glob(struct cs_span pattern, struct cs_span text)
{
	return glob(pattern, text, 0);
}

bool cs_match_user_glob(struct cs_span pattern, struct cs_span text)
{
	return glob(pattern, text, ':');
}

/* Where a star stands, and where what it takes ends. */
struct star {
	size_t item, at;
	bool there;
};

/* Let a star take one byte more, if it may; go on behind it. */
static bool take_more(struct star *s, struct cs_span text, bool stop_at_slash,
		      size_t *item, size_t *at)
{
	if (!s->there || s->at >= text.n ||
	    (stop_at_slash && text.p[s->at] == '/'))
		return false;
	*at = ++s->at;
	*item = s->item + 1;
	return true;
}

/*
 * Two levels: the last star within a segment takes more until the segment
 * ends, then the last star of any bytes does, and all behind it starts anew.
 * Earlier stars need not be tried again, for the reason told above.
 */
bool cs_match_items(const struct cs_glob *g, struct cs_span text)
{
	struct star any = {0}, segment = {0};
	size_t i = 0, t = 0;

	for (;;) {
		unsigned item = i < g->n ? g->items[i] : 0;

		if (i < g->n && item == CS_GLOB_ANY) {
			any = (struct star){i++, t, true};
			segment.there = false;
		} else if (i < g->n && item == CS_GLOB_SEGMENT) {
			segment = (struct star){i++, t, true};
		} else if (i == g->n && t == text.n) {
			return true;
		} else if (i < g->n && t < text.n &&
			   (item == text.p[t] ||
			    (item == CS_GLOB_ONE && text.p[t] != '/'))) {
			i++;
			t++;
		} else if (!take_more(&segment, text, true, &i, &t)) {
			segment.there = false;
			if (!take_more(&any, text, false, &i, &t))
				return false;
		}
	}
}

/* What is reachable in the wildcard before the glob's next item. */
static void stay(bool row[CS_MAX_DNS_NAME + 1], size_t n)
{
	/* The asked star is a label of any length. */
	row[1] = row[1] || row[0];
	for (size_t k = 1; k < n; k++)
		row[k + 1] = row[k + 1] || row[k];
}

bool cs_match_items_meet(const struct cs_glob *g, struct cs_span wildcard)
{
	bool row[CS_MAX_DNS_NAME + 1] = {true};
	size_t n = wildcard.n;

	if (n > CS_MAX_DNS_NAME)
		return true;
	for (size_t i = 0; i < g->n; i++) {
		bool next[CS_MAX_DNS_NAME + 1] = {false};
		uint16_t item = g->items[i];

		if (item == CS_GLOB_ANY) {
			stay(row, n);
			continue;
		}
		/* The label's star takes a byte, and may be done or not. */
		if (row[0] && item != '.')
			next[0] = next[1] = true;
		row[1] = row[1] || row[0];
		for (size_t k = 1; k < n; k++) {
			if (row[k] && wildcard.p[k] == item)
				next[k + 1] = true;
		}
		memcpy(row, next, sizeof(row));
	}
	row[1] = row[1] || row[0];
	return row[n];
}

/* Positions in both patterns, one number for each pair. */
#define SIDE (CS_MAX_NAME + 1)

struct step {
	unsigned short from; /* the pair before; itself at the start */
	uint8_t byte;	     /* what this step adds to the witness; 0: none */
	bool seen;
};

struct search {
	struct cs_span a, b;
	struct step *step;     /* SIDE * SIDE */
	unsigned short *queue; /* the same */
	size_t head, tail;
};

/* Reach the pair (i, k), if it is new. */
static void reach(struct search *s, size_t i, size_t k, size_t from,
		  uint8_t byte)
{
	size_t pair = i * SIDE + k;

	if (s->step[pair].seen)
		return;
	s->step[pair] = (struct step){(unsigned short)from, byte, true};
	s->queue[s->tail++] = (unsigned short)pair;
}

/* All pairs that one byte, or a star that takes none, leads to. */
static void expand(struct search *s, size_t pair)
{
	size_t i = pair / SIDE, k = pair % SIDE;
	bool star_a = i < s->a.n && s->a.p[i] == '*';
	bool star_b = k < s->b.n && s->b.p[k] == '*';

	if (star_a)
		reach(s, i + 1, k, pair, 0);
	if (star_b)
		reach(s, i, k + 1, pair, 0);
	if (star_a && k < s->b.n && !star_b)
		reach(s, i, k + 1, pair, s->b.p[k]);
	if (star_b && i < s->a.n && !star_a)
		reach(s, i + 1, k, pair, s->a.p[i]);
	if (i < s->a.n && k < s->b.n && !star_a && !star_b &&
	    s->a.p[i] == s->b.p[k])
		reach(s, i + 1, k + 1, pair, s->a.p[i]);
}

/* Walk back from the end and write down what was added. */
static struct cs_span witness(const struct search *s, size_t pair,
			      struct cs_arena *arena)
{
	uint8_t text[2 * CS_MAX_NAME];
	size_t at = sizeof(text);
	struct cs_span copy = {0};

	while (s->step[pair].from != pair && at > 0) {
		if (s->step[pair].byte != 0)
			text[--at] = s->step[pair].byte;
		pair = s->step[pair].from;
	}
	if (!cs_arena_dup(arena, cs_span_make(text + at, sizeof(text) - at),
			  &copy))
		return cs_span_make(NULL, 0);
	return copy;
}

bool cs_match_globs_meet(struct cs_span a, struct cs_span b,
			 struct cs_arena *arena, struct cs_span *ret_witness)
{
	struct search s = {.a = a, .b = b};
	size_t end = a.n * SIDE + b.n;

	*ret_witness = cs_span_make(NULL, 0);
	if (a.n > CS_MAX_NAME || b.n > CS_MAX_NAME)
		return true;
	s.step = cs_arena_new_array(arena, SIDE * SIDE, sizeof(*s.step));
	s.queue = cs_arena_new_array(arena, SIDE * SIDE, sizeof(*s.queue));
	if (s.step == NULL || s.queue == NULL)
		return true;
	reach(&s, 0, 0, 0, 0);
	while (s.head < s.tail && !s.step[end].seen)
		expand(&s, s.queue[s.head++]);
	if (s.step[end].seen)
		*ret_witness = witness(&s, end, arena);
	return s.step[end].seen;
}
