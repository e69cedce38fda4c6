#include "policy/regex_program.h"

/* May the instruction take a byte of the alphabet? */
static bool takes(const struct cs_regex *re, const struct cs_regex_inst *inst,
		  const struct cs_regex_alphabet *a)
{
	unsigned c = (unsigned)inst->arg;

	switch (inst->op) {
	case CS_REGEX_CHAR:
		return c < 128 && (a->ascii[c / 64] >> c % 64 & 1) != 0;
	case CS_REGEX_CLASS:
		return (re->classes[c].ascii[0] & a->ascii[0]) != 0 ||
		       (re->classes[c].ascii[1] & a->ascii[1]) != 0;
	case CS_REGEX_ANY:
	case CS_REGEX_ANY_NOT_NL:
	case CS_REGEX_BYTE:
		return true;
	case CS_REGEX_ASSERT: /* it may hold */
	case CS_REGEX_MATCH:
	case CS_REGEX_SPLIT:
	case CS_REGEX_JUMP:
	default:
		return true;
	}
}

bool cs_regex_may_match(const struct cs_regex *re,
			const struct cs_regex_alphabet *alphabet)
{
	bool seen[CS_MAX_REGEX_STATES] = {false};
	uint16_t stack[CS_MAX_REGEX_STATES + 1];
	size_t n = 1;

	stack[0] = 0;
	seen[0] = true;
	while (n > 0) {
		size_t state = stack[--n];
		const struct cs_regex_inst *inst = &re->insts[state];
		size_t next[2] = {state + 1, state + 1};

		if (inst->op == CS_REGEX_MATCH)
			return true;
		if (!takes(re, inst, alphabet))
			continue;
		if (inst->op == CS_REGEX_JUMP)
			next[0] = next[1] = state + (size_t)inst->arg;
		if (inst->op == CS_REGEX_SPLIT)
			next[1] = state + (size_t)inst->arg;
		for (size_t i = 0; i < 2; i++) {
			if (seen[next[i]])
				continue;
			seen[next[i]] = true;
			stack[n++] = (uint16_t)next[i];
		}
	}
	return false;
}
