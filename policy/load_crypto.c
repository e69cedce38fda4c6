#include <string.h>

#include "policy/load.h"

const struct cs_load_key cs_keys_key[] = {
	{"allow", false, "key_spec+"},
	{"reject", false, "weak+"},
	{"reuse", false, "reuse"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_reuse[] = {
	{"other_subject", false, "reuse_rule"},
	{"same_subject", false, "reuse_rule"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_key_ec[] = {
	{"alg", false, "alg_ec"},
	{"curves", false, "curve+"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_key_rsa[] = {
	{"alg", false, "alg_rsa"},
	{"bits", false, "bits"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_key_ed25519[] = {
	{"alg", false, "alg_ed25519"},
	{NULL, false, NULL},
};

/* Digits to a number of bits; 0: none, or absurd. */
static unsigned bits_of(struct cs_span s)
{
	unsigned v = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || v > 100000)
			return 0;
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

/* 3072, "3072..4096" or "2048..". */
static void load_bits(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_key_spec *spec)
{
	size_t dot;
	struct cs_span from, to;

	if (node == NULL)
		return;
	from = to = node->text;
	if (node->kind == CS_YAML_TEXT && cs_span_find(from, '.', &dot) &&
	    cs_span_starts_with(cs_span_sub(from, dot, 2), CS_SPAN_LIT(".."))) {
		to = cs_span_sub(from, dot + 2, SIZE_MAX);
		from = cs_span_sub(from, 0, dot);
	}
	spec->min_bits = bits_of(from);
	spec->max_bits = to.n == 0 ? 16384 : bits_of(to);
	if (spec->min_bits < 2048 || spec->max_bits < spec->min_bits)
		cs_load_error(l, node,
			      "bits are a number or a range such as "
			      "3072..4096, from 2048 on");
}

/* A list of curves; absent: all that are supported. */
static void load_curves(struct cs_load *l, const struct cs_yaml *node,
			struct cs_key_spec *spec)
{
	static const char *const words[] = {"P-256", "P-384", "P-521", NULL};
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);

	if (node == NULL)
		spec->curves = CS_CURVE_P256 | CS_CURVE_P384 | CS_CURVE_P521;
	for (size_t i = 0; i < n; i++, item = item->next) {
		unsigned word;

		if (cs_load_word(l, item, words, &word))
			spec->curves |= 1u << word;
	}
}

/* One {alg: ...}. */
static void load_spec(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_key_spec *spec)
{
	static const char *const words[] = {"EC", "RSA", "Ed25519", NULL};
	static const struct cs_load_key *const keys[] = {
		cs_keys_key_ec, cs_keys_key_rsa, cs_keys_key_ed25519};
	const struct cs_yaml *name = cs_yaml_get(node, "alg");
	unsigned alg;

	if (name == NULL) {
		cs_load_error(l, node, "a key is a map such as {alg: EC}");
		return;
	}
	if (!cs_load_word(l, name, words, &alg) ||
	    !cs_load_map(l, node, keys[alg]))
		return;
	spec->alg = (enum cs_key_alg)alg;
	if (spec->alg == CS_KEY_EC)
		load_curves(l, cs_yaml_get(node, "curves"), spec);
	spec->min_bits = 2048;
	spec->max_bits = 16384;
	if (spec->alg == CS_KEY_RSA)
		load_bits(l, cs_yaml_get(node, "bits"), spec);
}

/* "EC P-256/P-384", "RSA 3072..4096", "Ed25519" */
static struct cs_span shown(struct cs_load *l, const struct cs_key_spec *spec)
{
	char *text;

	if (spec->alg == CS_KEY_ED25519)
		return CS_SPAN_LIT("Ed25519");
	if (spec->alg == CS_KEY_RSA && spec->max_bits == 16384)
		text = cs_arena_printf(l->arena, "RSA of %u bits or more",
				       spec->min_bits);
	else if (spec->alg == CS_KEY_RSA)
		text = cs_arena_printf(l->arena, "RSA %u..%u", spec->min_bits,
				       spec->max_bits);
	else
		text = cs_arena_printf(
			l->arena, "EC%s%s%s",
			spec->curves & CS_CURVE_P256 ? " P-256" : "",
			spec->curves & CS_CURVE_P384 ? " P-384" : "",
			spec->curves & CS_CURVE_P521 ? " P-521" : "");
	if (text == NULL)
		cs_load_no_memory(l);
	return cs_span_str(text);
}

/* A list of roca, fermat, small-factors, blocklist. */
static void load_reject(struct cs_load *l, const struct cs_yaml *node,
			struct cs_key_rules *key)
{
	static const char *const words[] = {"roca", "fermat", "small-factors",
					    "blocklist", NULL};
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);

	for (size_t i = 0; i < n; i++, item = item->next) {
		unsigned word;

		if (!cs_load_word(l, item, words, &word))
			continue;
		if (word == 3)
			key->blocklist = true;
		else
			key->weak |= 1u << word;
	}
	if (n > 0)
		key->reject = cs_load_rule(l, "key.reject", node);
}

/* One of reuse: reject | allow. */
static void load_reuse_rule(struct cs_load *l, const struct cs_yaml *node,
			    const char *path, struct cs_reuse_rule *rule)
{
	static const char *const words[] = {"allow", "reject", NULL};
	unsigned i = 0;

	if (node == NULL || !cs_load_word(l, node, words, &i))
		return;
	rule->reject = i == 1;
	rule->rule = cs_load_rule(l, path, node);
}

/* reuse: {other_subject: reject, same_subject: allow} */
static void load_reuse(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_key_rules *key)
{
	l->path = "key.reuse";
	if (!cs_load_map(l, node, cs_keys_reuse))
		return;
	if (node->n == 0)
		cs_load_error(l, node, "`key.reuse` is empty");
	load_reuse_rule(l, cs_yaml_get(node, "other_subject"),
			"key.reuse.other_subject", &key->other_subject);
	load_reuse_rule(l, cs_yaml_get(node, "same_subject"),
			"key.reuse.same_subject", &key->same_subject);
}

void cs_load_key(struct cs_load *l, const struct cs_yaml *node,
		 struct cs_key_rules *key)
{
	const struct cs_yaml *allow = cs_yaml_get(node, "allow");
	const struct cs_yaml *item = NULL;
	struct cs_span *texts;
	size_t n;

	l->path = "key";
	if (!cs_load_map(l, node, cs_keys_key))
		return;
	*key = (struct cs_key_rules){0};
	load_reject(l, cs_yaml_get(node, "reject"), key);
	load_reuse(l, cs_yaml_get(node, "reuse"), key);
	key->rule = cs_load_rule(l, "key.allow", allow != NULL ? allow : node);
	if (allow == NULL) {
		cs_load_error(l, node, "`key` without `allow` allows no key");
		return;
	}
	n = cs_load_list(l, allow, &item);
	key->allow = cs_arena_new_array(l->arena, n, sizeof(*key->allow));
	texts = cs_arena_new_array(l->arena, n, sizeof(*texts));
	if (key->allow == NULL || texts == NULL) {
		cs_load_no_memory(l);
		return;
	}
	l->path = "key.allow";
	for (size_t i = 0; i < n; i++, item = item->next) {
		load_spec(l, item, &key->allow[i]);
		texts[i] = shown(l, &key->allow[i]);
	}
	key->n = n;
	key->expect = cs_load_join(l, texts, n);
}
