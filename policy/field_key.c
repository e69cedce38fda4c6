#include <stdlib.h>
#include <string.h>

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

/* Two hashes, for bsearch. */
static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

/* Is the key on the operator's list, or said to be in a policy's test? */
static bool is_listed(const struct cs_decide *j, const struct cs_fact_key *key)
{
	const struct cs_blocklist *list = j->blocklist;

	return (key->weak & CS_WEAK_LISTED) != 0 ||
	       (list != NULL && list->n > 0 &&
		bsearch(key->spki_sha256, list->items, list->n, 32, compare) !=
			NULL);
}

/* The key is not as good as its size: never waived. */
static void judge_weakness(struct cs_decide *j)
{
	static const struct {
		unsigned weak;
		const char *sentence;
	} words[] = {
		{CS_WEAK_ROCA,
		 "CVE-2017-15361 (ROCA): the key was made by a library whose "
		 "keys can be factored; make a new one elsewhere"},
		{CS_WEAK_FERMAT,
		 "CVE-2022-26320: the key's primes are so close that Fermat's "
		 "method finds them; make a new one elsewhere"},
		{CS_WEAK_SMALL_FACTORS,
		 "the key's modulus has a factor below 65536; make a new one "
		 "elsewhere"},
	};
	const struct cs_key_rules *r = &j->policy->key;
	const struct cs_fact_key *key = &j->facts->csr.key;
	const struct cs_span field = CS_SPAN_LIT("key"), none = {0};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((r->weak & key->weak & words[i].weak) != 0)
			cs_decide_refuse(j, CS_CODE_KEY_WEAK, field, none,
					 &r->reject, none, "%s",
					 words[i].sentence);
	}
	if (r->blocklist && is_listed(j, key))
		cs_decide_refuse(j, CS_CODE_KEY_WEAK, field, none, &r->reject,
				 none,
				 "the key is on the blocklist; make a new "
				 "one");
}

void cs_decide_key(struct cs_decide *j)
{
	const struct cs_key_rules *rules = &j->policy->key;
	const struct cs_fact_key *key = &j->facts->csr.key;
	struct cs_span text;

	judge_weakness(j);
	if (cs_decide_key_allowed(rules, key)) {
		cs_decide_kept(j, CS_SPAN_LIT("key"));
		return;
	}
	text = cs_decide_key_text(j, key);
	cs_decide_refuse(j, CS_CODE_KEY_NOT_ALLOWED, CS_SPAN_LIT("key"), text,
			 &rules->rule, rules->expect,
			 "the key %.*s is not %.*s", CS_SPAN_FMT(text),
			 CS_SPAN_FMT(rules->expect));
	if (cs_decide_waives(j, CS_CODE_KEY_NOT_ALLOWED))
		cs_decide_kept(j, CS_SPAN_LIT("key"));
}
