#include <string.h>

#include "policy/regex_program.h"
#include "policy/regex_text.h"

/*
 * All threads of the program at once: a set of states for each position. A
 * code point has up to four bytes, so a thread that takes one goes on up to
 * four positions ahead; five sets, used in turn, are all there can be. Each
 * set is a queue as well, and a state enters it once: hence the bound.
 */
#define SETS  5
#define WORDS ((CS_MAX_REGEX_STATES + 63) / 64)

struct sets {
	uint16_t state[SETS][CS_MAX_REGEX_STATES];
	uint64_t seen[SETS][WORDS];
	size_t n[SETS];
	size_t waiting; /* the sum of n */
};

_Static_assert(sizeof(struct sets) <= CS_REGEX_STACK, "the promised stack");
_Static_assert(CS_MAX_REGEX_STATES <= UINT16_MAX, "a state fits");

struct run {
	const struct cs_regex *re;
	enum cs_regex_how how;
	struct cs_span text;
	size_t at;
	size_t here;  /* the set of `at` */
	uint32_t c;   /* the code point at `at` */
	size_t width; /* its bytes; 0: none */
	uint64_t steps;
	struct sets *sets;
};

/* A state enters a set, unless it is there. */
static void enter(struct sets *s, size_t i, size_t state)
{
	uint64_t bit = UINT64_C(1) << state % 64;

	if ((s->seen[i][state / 64] & bit) != 0)
		return;
	s->seen[i][state / 64] |= bit;
	s->state[i][s->n[i]++] = (uint16_t)state;
	s->waiting++;
}

/* The set of a position n bytes ahead. */
static size_t next_set(size_t i, size_t n)
{
	i += n;
	return i < SETS ? i : i - SETS;
}

/* The set's position is done. */
static void leave(struct sets *s, size_t i)
{
	for (size_t k = 0; k < s->n[i]; k++)
		s->seen[i][s->state[i][k] / 64] = 0;
	s->waiting -= s->n[i];
	s->n[i] = 0;
}

/* Is the code point in the class? */
static bool in_class(const struct cs_regex *re, int32_t index, uint32_t c)
{
	const struct cs_regex_class *class = &re->classes[index];
	const struct cs_regex_range *ranges;
	size_t low = 0, high = class->n;

	if (c < 128)
		return (class->ascii[c / 64] >> c % 64 & 1) != 0;
	if (high == 0)
		return false;
	ranges = re->ranges + class->first;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c > ranges[middle].hi)
			low = middle + 1;
		else if (c < ranges[middle].lo)
			high = middle;
		else
			return true;
	}
	return false;
}

/* What holds between the byte before and the one here. */
static unsigned assertions(const struct run *r)
{
	struct cs_span text = r->text;
	size_t at = r->at;
	bool begin = at == 0, end = at == text.n;
	bool before = !begin && cs_regex_is_word(text.p[at - 1]);
	bool after = !end && cs_regex_is_word(text.p[at]);
	unsigned holds = before == after ? CS_REGEX_NOT_WORD : CS_REGEX_WORD;

	/* Behind a label that is not known, anything may hold. */
	if (r->how == CS_REGEX_STAR_SOME && at <= 1)
		return ~0U;
	if (begin)
		holds |= CS_REGEX_TEXT_BEGIN;
	if (begin || text.p[at - 1] == '\n')
		holds |= CS_REGEX_LINE_BEGIN;
	if (end)
		holds |= CS_REGEX_TEXT_END;
	if (end || text.p[at] == '\n')
		holds |= CS_REGEX_LINE_END;
	return holds;
}

/* How many bytes the instruction takes here; 0: it does not match. */
static size_t takes(const struct run *r, const struct cs_regex_inst *inst)
{
	bool star = r->how == CS_REGEX_STAR_ALL && r->at == 0;

	switch (inst->op) {
	case CS_REGEX_CHAR:
		return r->c == (uint32_t)inst->arg ? r->width : 0;
	case CS_REGEX_CLASS:
		return !star && r->width > 0 && in_class(r->re, inst->arg, r->c)
			       ? r->width
			       : 0;
	case CS_REGEX_ANY:
		return star ? 0 : r->width;
	case CS_REGEX_ANY_NOT_NL:
		return star || r->c == '\n' ? 0 : r->width;
	case CS_REGEX_BYTE:
		return star || r->at == r->text.n ? 0 : 1;
	case CS_REGEX_MATCH:
	case CS_REGEX_SPLIT:
	case CS_REGEX_JUMP:
	case CS_REGEX_ASSERT:
	default:
		return 0;
	}
}

/* Follow all states of this position. True: one of them is a match. */
static bool follow(struct run *r)
{
	struct sets *s = r->sets;
	size_t i = r->here, n;

	for (size_t k = 0; k < s->n[i]; k++) {
		size_t state = s->state[i][k];
		const struct cs_regex_inst *inst = &r->re->insts[state];
		size_t other = state + (size_t)inst->arg;

		r->steps++;
		switch (inst->op) {
		case CS_REGEX_MATCH:
			if (r->how == CS_REGEX_SEARCH || r->at == r->text.n)
				return true;
			break;
		case CS_REGEX_SPLIT:
			enter(s, i, state + 1);
			enter(s, i, other);
			break;
		case CS_REGEX_JUMP:
			enter(s, i, other);
			break;
		case CS_REGEX_ASSERT:
			if ((assertions(r) & (unsigned)inst->arg) != 0)
				enter(s, i, state + 1);
			break;
		case CS_REGEX_CHAR:
		case CS_REGEX_CLASS:
		case CS_REGEX_ANY:
		case CS_REGEX_ANY_NOT_NL:
		case CS_REGEX_BYTE:
		default:
			n = takes(r, inst);
			if (n > 0)
				enter(s, next_set(i, n), state + 1);
		}
	}
	return false;
}

/* Does the instruction take some character of a label, or "*"? */
static bool takes_label(const struct run *r, const struct cs_regex_inst *inst)
{
	static const char label[] = "-0123456789_abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ*";
	struct run one = *r;

	one.how = CS_REGEX_FULL;
	one.width = 1;
	for (size_t i = 0; label[i] != '\0'; i++) {
		one.c = (uint8_t)label[i];
		if (takes(&one, inst) > 0)
			return true;
	}
	return false;
}

/*
 * Position 0 stands for a label: all states that some label leads to, which
 * are the states behind any number of its characters.
 */
static void follow_label(struct run *r)
{
	struct sets *s = r->sets;

	for (size_t k = 0; k < s->n[0]; k++) {
		size_t state = s->state[0][k];
		const struct cs_regex_inst *inst = &r->re->insts[state];
		size_t other = state + (size_t)inst->arg;

		r->steps++;
		if (inst->op == CS_REGEX_SPLIT || inst->op == CS_REGEX_ASSERT)
			enter(s, 0, state + 1);
		if (inst->op == CS_REGEX_SPLIT || inst->op == CS_REGEX_JUMP)
			enter(s, 0, other);
		if (!takes_label(r, inst))
			continue;
		enter(s, 0, state + 1);
		enter(s, 1, state + 1);
	}
	leave(s, 0);
}

/* Position by position. */
static bool play(struct run *r)
{
	struct sets *s = r->sets;

	enter(s, 0, 0);
	if (r->how == CS_REGEX_STAR_SOME && r->text.n > 0) {
		follow_label(r);
		r->at = 1;
		r->here = 1;
	}
	for (; r->at <= r->text.n; r->at++) {
		if (r->how == CS_REGEX_SEARCH)
			enter(s, r->here, 0);
		if (s->waiting == 0)
			return false;
		r->c = 0;
		r->width = cs_regex_decode(r->text, r->at, &r->c);
		if (follow(r))
			return true;
		leave(s, r->here);
		r->here = next_set(r->here, 1);
	}
	return false;
}

struct cs_regex_result cs_regex_run(const struct cs_regex *re,
				    enum cs_regex_how how, struct cs_span text)
{
	struct sets sets;
	struct run r = {.re = re, .how = how, .text = text, .sets = &sets};
	bool matched;

	/* States are written before they are read; only this must be clear. */
	for (size_t i = 0; i < SETS; i++)
		memset(sets.seen[i], 0, (re->n + 63) / 64 * sizeof(uint64_t));
	memset(sets.n, 0, sizeof(sets.n));
	sets.waiting = 0;
	matched = play(&r);
	return (struct cs_regex_result){matched, r.steps};
}

bool cs_regex_full(const struct cs_regex *re, struct cs_span text)
{
	return cs_regex_run(re, CS_REGEX_FULL, text).matched;
}

bool cs_regex_search(const struct cs_regex *re, struct cs_span text)
{
	return cs_regex_run(re, CS_REGEX_SEARCH, text).matched;
}

size_t cs_regex_size(const struct cs_regex *re)
{
	return re->n;
}
