/* Keys, durations, usages and policies of a role. */
#include "policy/import_vault.h"

#define NS  ((int64_t)1000000000)
#define DAY ((int64_t)86400)

/* -- keys ------------------------------------------------------------------
 */

static void allow_ec(struct cs_importing *i, int64_t bits, json_t *key)
{
	static const struct {
		int64_t bits;
		const char *name;
	} curves[] = {{256, "P-256"}, {384, "P-384"}, {521, "P-521"}};
	json_t *spec = cs_import_matcher(i, "alg", CS_SPAN_LIT("EC"));

	for (size_t c = 0; c < sizeof(curves) / sizeof(curves[0]); c++) {
		if (bits <= curves[c].bits)
			cs_import_add_text(i, spec, "curves",
					   cs_span_str(curves[c].name));
	}
	cs_import_add(i, key, "allow", spec);
}

static void allow_rsa(struct cs_importing *i, int64_t bits, json_t *key)
{
	json_t *spec = cs_import_matcher(i, "alg", CS_SPAN_LIT("RSA"));
	char *text = cs_arena_printf(i->arena, "%lld..",
				     (long long)(bits < 2048 ? 2048 : bits));

	if (text == NULL)
		i->no_memory = true;
	cs_import_set_text(i, spec, "bits", cs_span_str(text));
	cs_import_add(i, key, "allow", spec);
}

/* key_type and key_bits, which is the least that a CSR's key must have. */
static void keys(struct cs_importing *i, struct cs_vault *v)
{
	const struct cs_yaml *type = cs_yaml_get(v->role, "key_type");
	const struct cs_yaml *size = cs_yaml_get(v->role, "key_bits");
	json_t *key = cs_import_section(i, "key");
	struct cs_span text = CS_SPAN_LIT("rsa");
	bool any, rsa, ec, ed25519;
	int64_t bits = 0;

	if (cs_import_text(i, type, "key_type", &text))
		cs_import_tell(i, CS_IMPORT_EXACT, type, "key_type",
			       "key.allow");
	any = cs_span_equal_str(text, "any");
	rsa = any || cs_span_equal_str(text, "rsa");
	ec = any || cs_span_equal_str(text, "ec");
	ed25519 = any || cs_span_equal_str(text, "ed25519");
	if (cs_import_int(i, size, "key_bits", &bits))
		cs_import_tell(i, any ? CS_IMPORT_NOTE : CS_IMPORT_EXACT, size,
			       "key_bits",
			       any ? "decides nothing beside `any`"
				   : "key.allow");
	if (!i->failed && !rsa && !ec && !ed25519)
		cs_import_fail(i, type, "key_type",
			       "rsa, ec, ed25519 or any is wanted");
	if (i->failed)
		return;
	if (any)
		bits = 0;
	v->any_key = any;
	v->no_key_agreement = rsa || ed25519;
	v->no_key_encipherment = ec || ed25519;
	if (bits > (ec ? 521 : 16384) || bits < 0) {
		(void)json_object_del(i->draft->spec, "key");
		cs_import_shadow(i, size, "key_bits",
				 "no key that can be certified is so long");
		return;
	}
	if (ec)
		allow_ec(i, bits, key);
	if (rsa)
		allow_rsa(i, bits, key);
	if (ed25519)
		cs_import_add(
			i, key, "allow",
			cs_import_matcher(i, "alg", CS_SPAN_LIT("Ed25519")));
	cs_import_key_reject(i);
}

/* -- durations -------------------------------------------------------------
 */

/* A number of seconds, or a text such as 72h. */
static int64_t seconds(struct cs_importing *i, const struct cs_vault *v,
		       const char *name, int64_t fallback)
{
	const struct cs_yaml *node = cs_yaml_get(v->role, name);
	int64_t s = fallback, ns = 0;
	struct cs_span text = {0};

	if (!cs_import_has(node))
		return fallback;
	if (node->kind == CS_YAML_INT) {
		s = node->integer;
	} else if (cs_import_text(i, node, name, &text)) {
		if (text.n == 0)
			return fallback;
		if (!cs_import_go_duration(text, &ns))
			s = -1;
		else
			s = ns / NS;
	}
	if (!i->failed && s < 0)
		cs_import_fail(i, node, name,
			       "a number of seconds or a duration such as 72h "
			       "is wanted");
	return s < 36500 * DAY ? s : 36500 * DAY;
}

/* not_after and not_before: fixed dates. */
static void dates(struct cs_importing *i, const struct cs_vault *v)
{
	const struct cs_yaml *after = cs_yaml_get(v->role, "not_after");
	const struct cs_yaml *before = cs_yaml_get(v->role, "not_before");
	struct cs_span text = {0};

	if (cs_import_text(i, after, "not_after", &text) && text.n > 0)
		cs_import_shadow(i, after, "not_after",
				 "a fixed end is not translated; the policy is "
				 "in shadow until somebody has written how "
				 "long its certificates live");
	text.n = 0;
	if (cs_import_text(i, before, "not_before", &text) && text.n > 0)
		cs_import_tell(i, CS_IMPORT_NOTE, before, "not_before",
			       "certificates begin when they are issued");
}

static void durations(struct cs_importing *i, const struct cs_vault *v)
{
	const struct cs_yaml *ttl_at = cs_yaml_get(v->role, "ttl");
	const struct cs_yaml *max_at = cs_yaml_get(v->role, "max_ttl");
	const struct cs_yaml *back_at =
		cs_yaml_get(v->role, "not_before_duration");
	int64_t ttl = seconds(i, v, "ttl", 0);
	int64_t max = seconds(i, v, "max_ttl", 0);
	int64_t back = seconds(i, v, "not_before_duration", 30);
	json_t *validity = cs_import_section(i, "validity"), *limit;

	if (i->failed)
		return;
	if (max == 0)
		cs_import_tell(i, CS_IMPORT_BY_HAND, max_at, "max_ttl",
			       "the longest lifetime is that of the mount, "
			       "which is not in the role: see that it is not "
			       "less than 768h, which is written here");
	else
		cs_import_tell(i, CS_IMPORT_EXACT, max_at, "max_ttl",
			       "validity.max, with on_violation: clamp");
	max = max > 0 ? max : 768 * (int64_t)3600;
	if (ttl == 0)
		cs_import_tell(i, CS_IMPORT_NOTE, ttl_at, "ttl",
			       "the usual lifetime is that of the mount, "
			       "which is not in the role: validity.default "
			       "is 768h, or what is the longest");
	else
		cs_import_tell(i, CS_IMPORT_EXACT, ttl_at, "ttl",
			       "validity.default");
	ttl = ttl > 0 ? ttl : 768 * (int64_t)3600;
	ttl = ttl < max ? ttl : max;
	back = back < ttl ? back : ttl - 1;
	cs_import_set_seconds(i, validity, "default", ttl);
	cs_import_set_seconds(i, validity, "min", back + 1);
	limit = json_object();
	cs_import_set_seconds(i, limit, "value", max);
	cs_import_set(i, limit, "on_violation", json_string("clamp"));
	cs_import_set(i, validity, "max", limit);
	cs_import_set_seconds(i, validity, "backdate", back);
	cs_import_tell(i, CS_IMPORT_NOTE, back_at, "not_before_duration",
		       "validity.backdate, which is part of the lifetime here: "
		       "certificates end that much earlier, and live longer "
		       "than that");
}

/* -- usages ----------------------------------------------------------------
 */

/* Vault's words, without regard to case, and ours. */
struct word {
	const char *vault, *native;
};

static const struct word key_usages[] = {
	{"digitalsignature", "digital signature"},
	{"contentcommitment", "content commitment"},
	{"keyencipherment", "key encipherment"},
	{"dataencipherment", "data encipherment"},
	{"keyagreement", "key agreement"},
	{"certsign", "cert sign"},
	{"crlsign", "crl sign"},
	{"encipheronly", "encipher only"},
	{"decipheronly", "decipher only"},
	{NULL, NULL}};

static const struct word ext_key_usages[] = {
	{"any", "2.5.29.37.0"},
	{"serverauth", "server auth"},
	{"clientauth", "client auth"},
	{"codesigning", "code signing"},
	{"emailprotection", "email protection"},
	{"ipsecendsystem", "ipsec end system"},
	{"ipsectunnel", "ipsec tunnel"},
	{"ipsecuser", "ipsec user"},
	{"timestamping", "timestamping"},
	{"ocspsigning", "ocsp signing"},
	{"microsoftservergatedcrypto", "microsoft sgc"},
	{"netscapeservergatedcrypto", "netscape sgc"},
	{NULL, NULL}};

static const char *native_word(const struct word *words, struct cs_span text)
{
	for (; words->vault != NULL; words++) {
		if (cs_span_equal_icase(text, cs_span_str(words->vault)))
			return words->native;
	}
	return NULL;
}

/* Once in the list. */
static void add_word(struct cs_importing *i, json_t *object, const char *word)
{
	const json_t *list = json_object_get(object, "set");

	for (size_t k = 0; k < json_array_size(list); k++) {
		if (cs_span_equal_str(
			    cs_span_str(word),
			    json_string_value(json_array_get(list, k))))
			return;
	}
	cs_import_add_text(i, object, "set", cs_span_str(word));
}

/* Whatever was asked, there is none; or what is set. */
static void finish_usages(struct cs_importing *i, json_t *object)
{
	if (json_object_get(object, "set") == NULL)
		cs_import_set(i, object, "on_violation", json_string("drop"));
}

/* Why a certificate of this role cannot have the usage; NULL: it can. */
static const char *unfit(const struct cs_vault *v, const char *word)
{
	struct cs_span s = cs_span_str(word);
	bool enciphers = cs_span_ends_with(s, CS_SPAN_LIT("encipherment"));
	bool agrees = cs_span_equal_str(s, "key agreement") ||
		      cs_span_ends_with(s, CS_SPAN_LIT("only"));

	if (cs_span_ends_with(s, CS_SPAN_LIT("sign")))
		return "RFC 5280 4.2.1.9: only CAs sign certificates and CRLs";
	if (v->no_key_encipherment && enciphers)
		return "RFC 8813 3, RFC 8410 5: keys of elliptic curves do not "
		       "encipher";
	if (v->no_key_agreement && agrees)
		return "RFC 3279 2.3.1, RFC 8410 5: RSA and Ed25519 keys do "
		       "not agree on keys";
	return NULL;
}

static void key_usage(struct cs_importing *i, const struct cs_vault *v)
{
	static const char *const usual[] = {
		"digital signature", "key agreement", "key encipherment"};
	const struct cs_yaml *node = cs_yaml_get(v->role, "key_usage");
	json_t *object = cs_import_field(i, "extensions", "key_usage");
	struct cs_vault_list list;
	struct cs_span text;
	const char *field;

	for (size_t k = 0; node == NULL && k < 3; k++) {
		const char *why = unfit(v, usual[k]);

		if (why == NULL)
			add_word(i, object, usual[k]);
		else
			cs_import_tell(i,
				       v->any_key ? CS_IMPORT_NARROWER
						  : CS_IMPORT_NOTE,
				       NULL, "key_usage",
				       "`%s`, which Vault gives where nothing "
				       "is said, is left out: %s",
				       usual[k], why);
	}
	cs_vault_list(i, v, "key_usage", &list);
	while (cs_vault_next(i, &list, &text, &field)) {
		const char *word = native_word(key_usages, text);
		const char *why = word != NULL ? unfit(v, word)
					       : "Vault has no such word and "
						 "ignores it";

		if (why == NULL) {
			add_word(i, object, word);
			cs_import_tell(i, CS_IMPORT_EXACT, node, field,
				       "extensions.key_usage.set");
			continue;
		}
		cs_import_tell(i,
			       word != NULL && v->any_key ? CS_IMPORT_NARROWER
							  : CS_IMPORT_NOTE,
			       node, field, "left out: %s", why);
	}
	finish_usages(i, object);
}

/* Flags, words and OIDs together. */
static void ext_key_usage(struct cs_importing *i, const struct cs_vault *v)
{
	static const struct {
		const char *flag, *word;
		bool fallback;
	} flags[] = {{"server_flag", "server auth", true},
		     {"client_flag", "client auth", true},
		     {"code_signing_flag", "code signing", false},
		     {"email_protection_flag", "email protection", false}};
	static const char *const lists[] = {"ext_key_usage",
					    "ext_key_usage_oids"};
	json_t *object = cs_import_field(i, "extensions", "ext_key_usage");
	struct cs_vault_list list;
	struct cs_span text;
	const char *field;

	for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++) {
		const struct cs_yaml *node =
			cs_yaml_get(v->role, flags[k].flag);

		if (cs_vault_flag(i, v, flags[k].flag, flags[k].fallback))
			add_word(i, object, flags[k].word);
		if (node != NULL)
			cs_import_tell(i, CS_IMPORT_EXACT, node, flags[k].flag,
				       "extensions.ext_key_usage.set");
	}
	for (size_t k = 0; k < 2; k++) {
		const struct cs_yaml *node = cs_yaml_get(v->role, lists[k]);

		cs_vault_list(i, v, lists[k], &list);
		while (cs_vault_next(i, &list, &text, &field)) {
			const char *word = native_word(ext_key_usages, text);
			struct cs_span der;

			if (k == 1)
				word = cs_import_oid(i, text, &der)
					       ? cs_arena_str(i->arena, text)
					       : NULL;
			if (word != NULL)
				add_word(i, object, word);
			cs_import_tell(i,
				       word != NULL ? CS_IMPORT_EXACT
						    : CS_IMPORT_BY_HAND,
				       node, field,
				       word != NULL
					       ? "extensions.ext_key_usage.set"
					       : "left out: it is no usage "
						 "that is known");
		}
	}
	finish_usages(i, object);
}

/* policy_identifiers: OIDs; what else they may hold is not translated. */
static void policies(struct cs_importing *i, const struct cs_vault *v)
{
	const struct cs_yaml *node = cs_yaml_get(v->role, "policy_identifiers");
	struct cs_vault_list list;
	struct cs_span text;
	const char *field;

	cs_vault_list(i, v, "policy_identifiers", &list);
	while (cs_vault_next(i, &list, &text, &field)) {
		struct cs_span der;
		bool made = cs_import_oid(i, text, &der);

		if (made)
			cs_import_add_text(
				i, cs_import_field(i, "extensions", "policies"),
				"set", text);
		cs_import_tell(i, made ? CS_IMPORT_EXACT : CS_IMPORT_BY_HAND,
			       node, field,
			       made ? "extensions.policies.set"
				    : "left out: it is no OID alone");
	}
}

void cs_vault_rest(struct cs_importing *i, struct cs_vault *v)
{
	keys(i, v);
	if (!i->failed)
		dates(i, v);
	if (!i->failed)
		durations(i, v);
	if (!i->failed)
		key_usage(i, v);
	if (!i->failed)
		ext_key_usage(i, v);
	if (!i->failed)
		policies(i, v);
	cs_import_set(i, cs_import_field(i, "extensions", "basic_constraints"),
		      "ca", json_false());
}
