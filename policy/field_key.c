#include "policy/decide.h"

/* Does one entry of the list take the key? */
static bool spec_allows(const struct cs_key_spec *spec,
			const struct cs_fact_key *key)
{
	if (spec->alg != key->alg)
		return false;
	switch (key->alg) {
	case CS_KEY_EC:
		return (key->bits == 256 && (spec->curves & CS_CURVE_P256)) ||
		       (key->bits == 384 && (spec->curves & CS_CURVE_P384)) ||
		       (key->bits == 521 && (spec->curves & CS_CURVE_P521));
	case CS_KEY_RSA:
		return key->bits >= spec->min_bits &&
		       key->bits <= spec->max_bits;
	case CS_KEY_ED25519:
	default:
		return key->alg == CS_KEY_ED25519;
	}
}

bool cs_decide_key_allowed(const struct cs_key_rules *rules,
			   const struct cs_fact_key *key)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (spec_allows(&rules->allow[i], key))
			return true;
	}
	return false;
}

struct cs_span cs_decide_key_text(struct cs_decide *j,
				  const struct cs_fact_key *key)
{
	char *text;

	if (key->alg == CS_KEY_ED25519)
		return CS_SPAN_LIT("Ed25519");
	text = cs_arena_printf(j->arena, "%s%u",
			       key->alg == CS_KEY_EC ? "EC P-" : "RSA ",
			       key->bits);
	if (text == NULL)
		j->no_memory = true;
	return cs_span_str(text);
}

void cs_decide_key(struct cs_decide *j)
{
	const struct cs_key_rules *rules = &j->policy->key;
	const struct cs_fact_key *key = &j->facts->csr.key;
	struct cs_span text;

	if (cs_decide_key_allowed(rules, key)) {
		cs_decide_kept(j, CS_SPAN_LIT("key"));
		return;
	}
	text = cs_decide_key_text(j, key);
	cs_decide_refuse(j, CS_CODE_KEY_NOT_ALLOWED, CS_SPAN_LIT("key"), text,
			 &rules->rule, rules->expect,
			 "the key %.*s is not %.*s", CS_SPAN_FMT(text),
			 CS_SPAN_FMT(rules->expect));
}
