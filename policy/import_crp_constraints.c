/* spec.constraints of a CertificateRequestPolicy: durations and keys. */
#include "policy/import_crp.h"

#define NS_PER_S ((int64_t)1000000000)
#define DAY	 ((int64_t)86400)
/* The longest that a policy may say. */
#define LONGEST (36500 * DAY)
/* What cert-manager takes where nothing is said. */
#define USUAL (90 * DAY)
/* What certificates are backdated by where nothing is said. */
#define BACKDATE ((int64_t)30)

/* -- durations -------------------------------------------------------------
 */

/* A duration in nanoseconds; false: absent or failed. */
static bool duration(struct cs_importing *i, const struct cs_yaml *node,
		     const char *field, int64_t *ret_ns)
{
	struct cs_span text = {0};

	if (!cs_import_text(i, node, field, &text))
		return false;
	if (cs_import_go_duration(text, ret_ns))
		return true;
	cs_import_fail(i, node, field, "`%.*s` is no duration such as 24h",
		       CS_SPAN_FMT(cs_span_sub(text, 0, 64)));
	return false;
}

/* Whole seconds, which is all that certificates know. */
static void tell_bound(struct cs_importing *i, const struct cs_yaml *node,
		       const char *field, const char *native, int64_t ns,
		       int64_t given)
{
	if (ns == given * NS_PER_S)
		cs_import_tell(i, CS_IMPORT_EXACT, node, field, "%s", native);
	else
		cs_import_tell(i, CS_IMPORT_NARROWER, node, field,
			       "%s is %lld seconds", native, (long long)given);
}

/* minDuration and maxDuration to validity. */
static void durations(struct cs_importing *i, const struct cs_yaml *node)
{
	const struct cs_yaml *low = cs_yaml_get(node, "minDuration");
	const struct cs_yaml *high = cs_yaml_get(node, "maxDuration");
	int64_t min_ns = 0, max_ns = 0, min = 1, max = LONGEST, fallback;
	bool has_min =
		duration(i, low, "spec.constraints.minDuration", &min_ns);
	bool has_max =
		duration(i, high, "spec.constraints.maxDuration", &max_ns);
	json_t *v = cs_import_section(i, "validity");

	if (i->failed)
		return;
	if (has_min && min_ns > 0)
		min = min_ns / NS_PER_S + (min_ns % NS_PER_S != 0);
	if (has_max)
		max = max_ns / NS_PER_S < LONGEST ? max_ns / NS_PER_S : LONGEST;
	if (max < min) {
		cs_import_shadow(i, has_max ? high : low, "spec.constraints",
				 "no duration is within minDuration and "
				 "maxDuration, in whole seconds");
		return;
	}
	fallback = USUAL < min ? min : USUAL > max ? max : USUAL;
	cs_import_set_seconds(i, v, "default", fallback);
	cs_import_set_seconds(i, v, "min", min);
	cs_import_set_seconds(i, v, "max", max);
	cs_import_set_seconds(i, v, "backdate", min > BACKDATE ? BACKDATE : 0);
	if (has_min)
		tell_bound(i, low, "spec.constraints.minDuration",
			   "validity.min", min_ns > 0 ? min_ns : NS_PER_S, min);
	if (has_max)
		tell_bound(i, high, "spec.constraints.maxDuration",
			   "validity.max", max_ns, max);
	if (has_min || has_max)
		cs_import_tell(i, CS_IMPORT_NOTE, has_max ? high : low,
			       "spec.constraints",
			       "a request without a duration is denied by "
			       "approver-policy; here it gets "
			       "validity.default, which is within these "
			       "constraints");
}

/* -- keys ------------------------------------------------------------------
 */

/* privateKey as it is written; sizes are in bits. */
struct key {
	bool rsa, ec, ed25519;
	bool has_min, has_max;
	int64_t min, max;
};

/* The algorithm's name to what it allows. */
static void algorithm(struct cs_importing *i, const struct cs_yaml *node,
		      struct key *k)
{
	const char *field = "spec.constraints.privateKey.algorithm";
	struct cs_span text = {0};

	if (!cs_import_text(i, node, field, &text))
		return;
	k->rsa = cs_span_equal_str(text, "RSA");
	k->ec = cs_span_equal_str(text, "ECDSA");
	k->ed25519 = cs_span_equal_str(text, "Ed25519");
	if (!k->rsa && !k->ec && !k->ed25519)
		cs_import_fail(i, node, field,
			       "RSA, ECDSA or Ed25519 is wanted, not `%.*s`",
			       CS_SPAN_FMT(cs_span_sub(text, 0, 64)));
	else
		cs_import_tell(i, CS_IMPORT_EXACT, node, field, "key.allow");
}

/* One bound of the size. */
static bool size(struct cs_importing *i, const struct cs_yaml *map,
		 const char *name, int64_t *ret_bits)
{
	const char *field =
		cs_import_path(i, "spec.constraints.privateKey", name);
	const struct cs_yaml *node = cs_yaml_get(map, name);

	if (!cs_import_int(i, node, field, ret_bits))
		return false;
	cs_import_tell(i, CS_IMPORT_EXACT, node, field, "key.allow");
	return true;
}

/* Is a key of so many bits within the bounds? */
static bool fits(const struct key *k, int64_t bits)
{
	return (!k->has_min || bits >= k->min) &&
	       (!k->has_max || bits <= k->max);
}

/* {alg: RSA, bits: "2048..4096"} */
static void allow_rsa(struct cs_importing *i, const struct key *k, json_t *key)
{
	int64_t min = k->has_min && k->min > 2048 ? k->min : 2048;
	int64_t max = k->has_max && k->max < 16384 ? k->max : 16384;
	char *bits =
		max == 16384
			? cs_arena_printf(i->arena, "%lld..", (long long)min)
			: cs_arena_printf(i->arena, "%lld..%lld",
					  (long long)min, (long long)max);
	json_t *spec;

	if (!k->rsa || min > max)
		return;
	if (bits == NULL)
		i->no_memory = true;
	spec = cs_import_matcher(i, "alg", CS_SPAN_LIT("RSA"));
	cs_import_set_text(i, spec, "bits", cs_span_str(bits));
	cs_import_add(i, key, "allow", spec);
}

/* {alg: EC, curves: [...]} */
static void allow_ec(struct cs_importing *i, const struct key *k, json_t *key)
{
	static const struct {
		int64_t bits;
		const char *name;
	} curves[] = {{256, "P-256"}, {384, "P-384"}, {521, "P-521"}};
	json_t *spec;

	if (!k->ec || !(fits(k, 256) || fits(k, 384) || fits(k, 521)))
		return;
	spec = cs_import_matcher(i, "alg", CS_SPAN_LIT("EC"));
	for (size_t c = 0; c < sizeof(curves) / sizeof(curves[0]); c++) {
		if (fits(k, curves[c].bits))
			cs_import_add_text(i, spec, "curves",
					   cs_span_str(curves[c].name));
	}
	cs_import_add(i, key, "allow", spec);
}

static void private_key(struct cs_importing *i, const struct cs_yaml *node)
{
	static const struct cs_import_key keys[] = {{"algorithm", NULL},
						    {"minSize", NULL},
						    {"maxSize", NULL},
						    {NULL, NULL}};
	const char *path = "spec.constraints.privateKey";
	struct key k = {.rsa = true, .ec = true, .ed25519 = true};
	json_t *key = cs_import_section(i, "key");

	if (cs_import_is_map(i, node, path)) {
		cs_import_known(i, node, path, keys);
		algorithm(i, cs_yaml_get(node, "algorithm"), &k);
		k.has_min = size(i, node, "minSize", &k.min);
		k.has_max = size(i, node, "maxSize", &k.max);
	}
	if (i->failed)
		return;
	allow_ec(i, &k, key);
	allow_rsa(i, &k, key);
	/* Its size counts as -1 there. */
	if (k.ed25519 && fits(&k, -1))
		cs_import_add(
			i, key, "allow",
			cs_import_matcher(i, "alg", CS_SPAN_LIT("Ed25519")));
	if (json_object_get(key, "allow") != NULL) {
		cs_import_key_reject(i);
		return;
	}
	(void)json_object_del(i->draft->spec, "key");
	cs_import_shadow(i, node, path,
			 "no key that can be certified is within these "
			 "bounds");
}

void cs_crp_constraints(struct cs_importing *i,
			const struct cs_yaml *constraints)
{
	static const struct cs_import_key keys[] = {{"minDuration", NULL},
						    {"maxDuration", NULL},
						    {"privateKey", NULL},
						    {NULL, NULL}};

	if (cs_import_is_map(i, constraints, "spec.constraints"))
		cs_import_known(i, constraints, "spec.constraints", keys);
	if (i->failed)
		return;
	durations(i, constraints);
	if (!i->failed)
		private_key(i, cs_yaml_get(constraints, "privateKey"));
}
