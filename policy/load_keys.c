#include <stdio.h>
#include <string.h>

#include "policy/load.h"

/* A key longer than this is near to nothing. */
#define MAX_KEY ((size_t)32)
/* Edits between a misspelt key and the one that was meant. */
#define MAX_DISTANCE ((size_t)3)

/* The keys that an unknown one could have been, in words. */
#define KNOWN_BYTES ((size_t)256)

/* The smallest of three. */
static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* ASCII upper case and `_`, `-` do not make keys different. */
static int fold(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c + 32;
	return c == '-' ? '_' : c;
}

/* Levenshtein's distance of two short texts. */
static size_t distance(struct cs_span a, struct cs_span b)
{
	size_t row[MAX_KEY + 1];

	if (a.n > MAX_KEY || b.n > MAX_KEY)
		return MAX_KEY;
	for (size_t k = 0; k <= b.n; k++)
		row[k] = k;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= b.n; k++) {
			size_t above = row[k];
			bool same = fold(a.p[i - 1]) == fold(b.p[k - 1]);

			row[k] = least(above + 1, row[k - 1] + 1,
				       diagonal + (same ? 0 : 1));
			diagonal = above;
		}
	}
	return row[b.n];
}

const char *cs_load_nearest(struct cs_span text, const struct cs_load_key *keys)
{
	const char *best = NULL;
	size_t least_far = MAX_DISTANCE + 1;

	for (; keys->name != NULL; keys++) {
		size_t far = distance(text, cs_span_str(keys->name));

		/* Half of the letters must be right. */
		if (far < least_far && 2 * far < strlen(keys->name)) {
			least_far = far;
			best = keys->name;
		}
	}
	return best;
}

/* "known are a, b, c": what there is instead. */
static const char *list_known(const struct cs_load_key *keys,
			      char ret_text[KNOWN_BYTES])
{
	const char *gap = "known are ";
	size_t n = 0;

	ret_text[0] = '\0';
	for (; keys->name != NULL; keys++) {
		if (keys->later || n + strlen(keys->name) + 16 > KNOWN_BYTES)
			continue;
		n += (size_t)snprintf(ret_text + n, KNOWN_BYTES - n, "%s%s",
				      gap, keys->name);
		gap = ", ";
	}
	return ret_text;
}

/* "spec.san.dns.foo", or "foo" at the top. */
static void unknown_key(struct cs_load *l, const struct cs_yaml *child,
			const struct cs_load_key *keys)
{
	const char *near = cs_load_nearest(child->key, keys);
	const char *dot = l->path[0] == '\0' ? "" : ".";
	char known[KNOWN_BYTES];

	if (near != NULL)
		cs_load_error_key(l, child,
				  "`%s%s%.*s` is not known; did you mean "
				  "`%s`?",
				  l->path, dot, CS_SPAN_FMT(child->key), near);
	else
		cs_load_error_key(l, child, "`%s%s%.*s` is not known; %s",
				  l->path, dot, CS_SPAN_FMT(child->key),
				  list_known(keys, known));
}

/* One key against the list. */
static void check_key(struct cs_load *l, const struct cs_yaml *child,
		      const struct cs_load_key *keys)
{
	for (const struct cs_load_key *k = keys; k->name != NULL; k++) {
		if (!cs_span_equal_str(child->key, k->name))
			continue;
		if (k->later)
			cs_load_error_key(l, child,
					  "`%s%s%s` is not supported yet by "
					  "this version",
					  l->path,
					  l->path[0] == '\0' ? "" : ".",
					  k->name);
		return;
	}
	unknown_key(l, child, keys);
}

bool cs_load_map(struct cs_load *l, const struct cs_yaml *node,
		 const struct cs_load_key *keys)
{
	if (node == NULL)
		return false;
	if (node->kind != CS_YAML_MAP) {
		cs_load_error(l, node, "`%s` wants a map, not %s", l->path,
			      cs_yaml_kind_name(node->kind));
		return false;
	}
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next)
		check_key(l, c, keys);
	return true;
}
