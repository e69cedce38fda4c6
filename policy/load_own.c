/* policies, aia, crl_dp, no_rev_avail, pass, add: one list of extensions. */
#include <string.h>

#include "base/codec.h"
#include "base/der.h"
#include "policy/load.h"
#include "policy/name.h"

#define OID_POLICIES	   "\x55\x1d\x20"
#define OID_CRL_DP	   "\x55\x1d\x1f"
#define OID_NO_REV_AVAIL   "\x55\x1d\x38"
#define OID_AUTHORITY_INFO "\x2b\x06\x01\x05\x05\x07\x01\x01"

const struct cs_load_key cs_keys_policies[] = {
	{"set", false, "text+"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_aia[] = {
	{"ocsp", false, "text+"},
	{"ca_issuers", false, "text+"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_pass[] = {
	{"oid", false, "text"},
	{"max_bytes", false, "integer"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_add[] = {
	{"oid", false, "text"},
	{"critical", false, "boolean"},
	{"der", false, "text"},
	{NULL, false, NULL},
};

/* Extensions that have a key of their own, or that only the issuer writes. */
static const struct {
	struct cs_span oid;
	const char *words;
} taken[] = {
	{CS_SPAN_INIT("\x55\x1d\x0f"), "has the key `key_usage`"},
	{CS_SPAN_INIT("\x55\x1d\x25"), "has the key `ext_key_usage`"},
	{CS_SPAN_INIT("\x55\x1d\x13"), "has the key `basic_constraints`"},
	{CS_SPAN_INIT("\x55\x1d\x11"), "has the section `san`"},
	{CS_SPAN_INIT(OID_POLICIES), "has the key `policies`"},
	{CS_SPAN_INIT(OID_CRL_DP), "has the key `crl_dp`"},
	{CS_SPAN_INIT(OID_AUTHORITY_INFO), "has the key `aia`"},
	{CS_SPAN_INIT(OID_NO_REV_AVAIL), "has the key `no_rev_avail`"},
	{CS_SPAN_INIT("\x55\x1d\x0e"), "is written by the issuer"},
	{CS_SPAN_INIT("\x55\x1d\x23"), "is written by the issuer"},
	{CS_SPAN_INIT("\x55\x1d\x1e"), "is for CAs and not supported"},
};

/* One OID in dotted form, content octets in the arena. */
static bool load_oid(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_span *ret_oid)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_error err = {0};
	struct cs_span text;

	cs_buf_init(&b, CS_MAX_OID);
	if (!cs_load_text(l, node, &text))
		return false;
	if (!cs_der_oid_parse(text, &b, &err) || !cs_buf_ok(&b)) {
		cs_load_error(l, node, "`%.*s` is no OID: %s",
			      CS_SPAN_FMT(text),
			      err.text[0] != '\0' ? err.text : "too long");
		return false;
	}
	if (!cs_arena_dup(l->arena, cs_buf_span(&b), ret_oid)) {
		cs_load_no_memory(l);
		return false;
	}
	return true;
}

/* A URL that a verifier can fetch (RFC 5280 4.2.1.13, 4.2.2.1). */
static bool load_url(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_span *ret_url)
{
	struct cs_error err = {0};
	struct cs_span text;

	if (!cs_load_text(l, node, &text))
		return false;
	if (!cs_name_uri(text, l->arena, ret_url, &err)) {
		cs_load_error(l, node, "%s", err.text);
		return false;
	}
	if (!cs_span_starts_with(*ret_url, CS_SPAN_LIT("http://")) &&
	    !cs_span_starts_with(*ret_url, CS_SPAN_LIT("https://"))) {
		cs_load_error(l, node, "`%.*s` is no http or https URL",
			      CS_SPAN_FMT(text));
		return false;
	}
	return true;
}

/* A list of OIDs or URLs; `shown` joins them for the diff. */
static bool load_items(struct cs_load *l, const struct cs_yaml *node,
		       const char *path,
		       bool (*load)(struct cs_load *, const struct cs_yaml *,
				    struct cs_span *),
		       struct cs_values *values, struct cs_buf *shown)
{
	const struct cs_yaml *item = NULL;
	size_t n = cs_load_list(l, node, &item);

	if (n == 0)
		return false;
	if (n > CS_MAX_URLS) {
		cs_load_error(l, node, "more than %d entries", CS_MAX_URLS);
		return false;
	}
	values->items = cs_arena_new_array(l->arena, n, sizeof(*values->items));
	if (values->items == NULL) {
		cs_load_no_memory(l);
		return false;
	}
	for (size_t i = 0; i < n; i++, item = item->next) {
		if (!load(l, item, &values->items[i]))
			continue;
		if (shown->n > 0)
			cs_buf_add_str(shown, ", ");
		cs_buf_add(shown, item->text);
		for (size_t k = 0; k < i; k++) {
			if (cs_span_equal(values->items[k], values->items[i]))
				cs_load_error(l, item, "`%.*s` is there twice",
					      CS_SPAN_FMT(item->text));
		}
	}
	values->present = true;
	values->n = n;
	values->rule = cs_load_rule(l, path, node);
	return true;
}

/* The next place in the list of what the policy gives; NULL: reported. */
static struct cs_own_ext *own(struct cs_load *l, const struct cs_yaml *node,
			      const char *path, struct cs_span oid,
			      struct cs_ext_rules *ext)
{
	struct cs_own_ext *e;

	for (size_t i = 0; i < ext->own_n; i++) {
		if (!cs_span_equal(ext->own[i].oid, oid))
			continue;
		cs_load_error(l, node,
			      "RFC 5280 4.2: the extension is there "
			      "twice");
		return NULL;
	}
	/* Four with keys of their own stand before those of `add`. */
	if (ext->own == NULL)
		ext->own = cs_arena_new_array(l->arena,
					      4 + CS_MAX_POLICY_EXTENSIONS,
					      sizeof(*ext->own));
	if (ext->own == NULL) {
		cs_load_no_memory(l);
		return NULL;
	}
	e = &ext->own[ext->own_n++];
	e->rule = cs_load_rule(l, path, node);
	e->oid = oid;
	return e;
}

/* One with a key of its own: its field is its path. */
static void own_keyed(struct cs_load *l, const struct cs_yaml *node,
		      const char *path, struct cs_span oid,
		      struct cs_buf *shown, struct cs_ext_rules *ext)
{
	struct cs_own_ext *e = own(l, node, path, oid, ext);

	if (e == NULL)
		return;
	e->field = cs_span_str(path);
	if (!cs_buf_ok(shown) ||
	    !cs_arena_dup(l->arena, cs_buf_span(shown), &e->shown))
		cs_load_no_memory(l);
}

/*= RFC 5280 4.2.1.4 */
static void load_policies(struct cs_load *l, const struct cs_yaml *node,
			  struct cs_ext_rules *ext)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf shown;

	cs_buf_init(&shown, CS_MAX_POLICY_FILE);
	l->path = "extensions.policies";
	if (!cs_load_map(l, node, cs_keys_policies))
		return;
	if (cs_yaml_get(node, "set") == NULL)
		cs_load_error(l, node, "`policies` without `set`");
	else if (load_items(l, cs_yaml_get(node, "set"),
			    "extensions.policies.set", load_oid, &ext->policies,
			    &shown))
		own_keyed(l, node, l->path, CS_SPAN_LIT(OID_POLICIES), &shown,
			  ext);
}

/*= RFC 5280 4.2.2.1 */
static void load_aia(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_ext_rules *ext)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf shown;
	bool any;

	cs_buf_init(&shown, CS_MAX_POLICY_FILE);
	l->path = "extensions.aia";
	if (!cs_load_map(l, node, cs_keys_aia))
		return;
	any = load_items(l, cs_yaml_get(node, "ocsp"), "extensions.aia.ocsp",
			 load_url, &ext->ocsp, &shown);
	any = load_items(l, cs_yaml_get(node, "ca_issuers"),
			 "extensions.aia.ca_issuers", load_url,
			 &ext->ca_issuers, &shown) ||
	      any;
	if (any)
		own_keyed(l, node, l->path, CS_SPAN_LIT(OID_AUTHORITY_INFO),
			  &shown, ext);
	else if (node->n == 0)
		cs_load_error(l, node, "`aia` without `ocsp` and `ca_issuers`");
}

/*= RFC 5280 4.2.1.13 */
static void load_crl_dp(struct cs_load *l, const struct cs_yaml *node,
			struct cs_ext_rules *ext)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf shown;

	cs_buf_init(&shown, CS_MAX_POLICY_FILE);
	if (load_items(l, node, "extensions.crl_dp", load_url, &ext->crl_dp,
		       &shown))
		own_keyed(l, node, "extensions.crl_dp", CS_SPAN_LIT(OID_CRL_DP),
			  &shown, ext);
}

/*= RFC 9608 2: NULL, not critical, and nothing that says where to ask */
static void load_no_rev_avail(struct cs_load *l, const struct cs_yaml *node,
			      struct cs_ext_rules *ext)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf shown;

	cs_buf_init(&shown, 16);
	if (!cs_load_bool(l, node, &ext->no_rev_avail) || !ext->no_rev_avail)
		return;
	if (ext->crl_dp.present || ext->ocsp.present)
		cs_load_error(l, node,
			      "RFC 9608 3: `no_rev_avail` excludes `crl_dp` "
			      "and `aia.ocsp`");
	if (ext->constraints.ca)
		cs_load_error(l, node,
			      "RFC 9608 2: `no_rev_avail` is not for CAs");
	cs_buf_add_str(&shown, "true");
	own_keyed(l, node, "extensions.no_rev_avail",
		  CS_SPAN_LIT(OID_NO_REV_AVAIL), &shown, ext);
	if (ext->own_n > 0)
		ext->own[ext->own_n - 1].der = CS_SPAN_LIT("\x05\x00");
}

/* An OID that may stand in `pass` and `add`. */
static bool load_free_oid(struct cs_load *l, const struct cs_yaml *node,
			  struct cs_span *ret_oid)
{
	const struct cs_yaml *oid = cs_yaml_get(node, "oid");

	if (oid == NULL) {
		cs_load_error(l, node, "`%s` without `oid`", l->path);
		return false;
	}
	if (!load_oid(l, oid, ret_oid))
		return false;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (!cs_span_equal(taken[i].oid, *ret_oid))
			continue;
		cs_load_error(l, oid, "the extension %.*s %s",
			      CS_SPAN_FMT(oid->text), taken[i].words);
		return false;
	}
	return true;
}

/* How many maps stand in `pass` or `add`; 0: reported or none. */
static size_t begin_list(struct cs_load *l, const struct cs_yaml *node,
			 const char *path, const struct cs_yaml **ret_first)
{
	size_t n = cs_load_list(l, node, ret_first);

	l->path = path;
	if (n <= CS_MAX_POLICY_EXTENSIONS)
		return n;
	cs_load_error(l, node, "more than %d extensions",
		      CS_MAX_POLICY_EXTENSIONS);
	return 0;
}

static void load_pass(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_ext_rules *ext)
{
	const struct cs_yaml *item = NULL;
	size_t n = begin_list(l, node, "extensions.pass", &item);

	ext->pass = cs_arena_new_array(l->arena, n, sizeof(*ext->pass));
	if (ext->pass == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (size_t i = 0; i < n; i++, item = item->next) {
		const struct cs_yaml *max = cs_yaml_get(item, "max_bytes");
		struct cs_pass_rule *p = &ext->pass[ext->pass_n];
		int64_t bytes = 0;

		if (!cs_load_map(l, item, cs_keys_pass) ||
		    !load_free_oid(l, item, &p->oid))
			continue;
		if (max == NULL)
			cs_load_error(l, item, "`pass` without `max_bytes`");
		if (!cs_load_int(l, max, 1, CS_MAX_EXTENSION_VALUE, &bytes))
			continue;
		for (size_t k = 0; k < ext->pass_n; k++) {
			if (cs_span_equal(ext->pass[k].oid, p->oid))
				cs_load_error(l, item,
					      "the extension is there twice");
		}
		p->max_bytes = (size_t)bytes;
		p->rule = cs_load_rule(l, "extensions.pass", item);
		ext->pass_n++;
	}
}

/* Hexadecimal digits to exactly one DER element, in the arena. */
static bool load_der(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_span *ret_der)
{
	struct cs_error err = {0};
	struct cs_span text;

	if (!cs_load_text(l, node, &text))
		return false;
	if (text.n / 2 > CS_MAX_EXTENSION_VALUE) {
		cs_load_error(l, node, "`der` has more than %d octets",
			      CS_MAX_EXTENSION_VALUE);
		return false;
	}
	if (!cs_codec_hex_decode(text, l->arena, ret_der, &err) ||
	    !cs_der_check(*ret_der, "`der`", &err)) {
		cs_load_error(l, node,
			      "`der` is one DER element in hexadecimal: %s",
			      err.text);
		return false;
	}
	return true;
}

void cs_load_asked_extension(struct cs_load *l, const struct cs_yaml *node,
			     struct cs_cert_facts *csr)
{
	const struct cs_yaml *oid = cs_yaml_get(node, "oid");
	const struct cs_yaml *der = cs_yaml_get(node, "der");
	struct cs_fact_ext *e = &csr->extensions[csr->extensions_n];

	l->path = "request.extensions";
	if (!cs_load_map(l, node, cs_keys_add))
		return;
	if (oid == NULL || der == NULL)
		cs_load_error(l, node, "an extension has `oid` and `der`");
	else if (load_oid(l, oid, &e->oid) && load_der(l, der, &e->value))
		csr->extensions_n++;
	(void)cs_load_bool(l, cs_yaml_get(node, "critical"), &e->critical);
}

/* One of `add`: {oid, critical, der}. */
static void load_add(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_ext_rules *ext)
{
	const struct cs_yaml *der = cs_yaml_get(node, "der");
	struct cs_own_ext *e;
	struct cs_span oid, value;
	char *field;

	if (!cs_load_map(l, node, cs_keys_add) || !load_free_oid(l, node, &oid))
		return;
	if (der == NULL)
		cs_load_error(l, node, "`add` without `der`");
	if (!load_der(l, der, &value))
		return;
	for (size_t i = 0; i < ext->pass_n; i++) {
		if (cs_span_equal(ext->pass[i].oid, oid))
			cs_load_error(l, node,
				      "the extension is in `pass` as well");
	}
	e = own(l, node, "extensions.add", oid, ext);
	if (e == NULL)
		return;
	e->der = value;
	e->shown = der->text;
	(void)cs_load_bool(l, cs_yaml_get(node, "critical"), &e->critical);
	field = cs_arena_printf(l->arena, "extensions.%.*s",
				CS_SPAN_FMT(cs_yaml_get(node, "oid")->text));
	if (field == NULL)
		cs_load_no_memory(l);
	else
		e->field = cs_span_str(field);
}

void cs_load_own_extensions(struct cs_load *l, const struct cs_yaml *node,
			    struct cs_ext_rules *ext)
{
	const struct cs_yaml *item = NULL, *one;
	size_t n;

	if ((one = cs_yaml_get(node, "policies")) != NULL)
		load_policies(l, one, ext);
	if ((one = cs_yaml_get(node, "aia")) != NULL)
		load_aia(l, one, ext);
	load_crl_dp(l, cs_yaml_get(node, "crl_dp"), ext);
	load_no_rev_avail(l, cs_yaml_get(node, "no_rev_avail"), ext);
	if ((one = cs_yaml_get(node, "pass")) != NULL)
		load_pass(l, one, ext);
	n = begin_list(l, cs_yaml_get(node, "add"), "extensions.add", &item);
	for (size_t i = 0; i < n; i++, item = item->next)
		load_add(l, item, ext);
}
