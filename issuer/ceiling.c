#include "issuer/ceiling.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "issuer/oids.h"
#include "issuer/tbs.h"
#include "policy/codes.h"
#include "policy/name.h"
#include "policy/usage.h"

/* One check under way. */
struct check {
	const struct cs_ceiling *ceiling;
	const struct cs_issuer_ca *ca;
	const struct cs_tbs_facts *tbs;
	struct cs_findings *findings;
	struct cs_error *err;
};

/* -- from the configuration ----------------------------------------------- */

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for a ceiling");
}

static bool parse_purposes(const struct cs_ceiling_text *text,
			   struct cs_arena *arena, struct cs_ceiling *c,
			   struct cs_error *err)
{
	struct cs_usage usage;
	size_t n = text->ext_key_usage_n;

	c->ext_key_usage =
		cs_arena_new_array(arena, n, sizeof(*c->ext_key_usage));
	if (c->ext_key_usage == NULL)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		if (!cs_usage_parse(text->ext_key_usage[i], arena, &usage,
				    err)) {
			cs_error_prefix(err, "ceiling.ext_key_usage");
			return false;
		}
		if (usage.key_usage != 0)
			return cs_error_set(
				err, CS_E_CONFIG,
				"ceiling.ext_key_usage: \"%.*s\" "
				"is a key usage, not an extended "
				"one",
				CS_SPAN_FMT(text->ext_key_usage[i]));
		if (!cs_arena_dup(arena, usage.oid, &c->ext_key_usage[i]))
			return no_memory(err);
	}
	c->ext_key_usage_n = n;
	return true;
}

static bool parse_zones(const struct cs_ceiling_text *text,
			struct cs_arena *arena, struct cs_ceiling *c,
			struct cs_error *err)
{
	size_t n = text->permitted_dns_n;
	struct cs_span zone;

	c->permitted_dns =
		cs_arena_new_array(arena, n, sizeof(*c->permitted_dns));
	if (c->permitted_dns == NULL)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		zone = text->permitted_dns[i];
		if (!cs_name_dns(zone, arena, &zone, err)) {
			cs_error_prefix(err, "ceiling.permitted_dns");
			return false;
		}
		if (cs_name_dns_is_wildcard(zone))
			return cs_error_set(err, CS_E_CONFIG,
					    "ceiling.permitted_dns: \"%.*s\": "
					    "a zone covers all below it; write "
					    "it without `*.`",
					    CS_SPAN_FMT(zone));
		if (!cs_arena_dup(arena, zone, &c->permitted_dns[i]))
			return no_memory(err);
	}
	c->permitted_dns_n = n;
	return true;
}

/* The digits behind the slash; false: not a number up to max. */
static bool parse_prefix(struct cs_span text, unsigned max,
			 unsigned *ret_prefix)
{
	unsigned v = 0;

	if (text.n == 0 || text.n > 3)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		v = v * 10 + (text.p[i] - '0');
	}
	*ret_prefix = v;
	return v <= max;
}

static bool parse_net(struct cs_span text, struct cs_arena *arena,
		      struct cs_ceiling_net *net, struct cs_error *err)
{
	struct cs_span octets;
	size_t slash;

	if (!cs_span_find(text, '/', &slash))
		return cs_error_set(err, CS_E_CONFIG,
				    "ceiling.permitted_ip: \"%.*s\": write "
				    "ADDRESS/BITS",
				    CS_SPAN_FMT(text));
	if (!cs_name_ip_octets(cs_span_sub(text, 0, slash), arena, &octets,
			       err)) {
		cs_error_prefix(err, "ceiling.permitted_ip");
		return false;
	}
	memcpy(net->octets, octets.p, octets.n);
	net->octets_n = (unsigned)octets.n;
	if (!parse_prefix(cs_span_sub(text, slash + 1, text.n),
			  net->octets_n * 8, &net->prefix))
		return cs_error_set(err, CS_E_CONFIG,
				    "ceiling.permitted_ip: \"%.*s\": 0 to %u "
				    "bits",
				    CS_SPAN_FMT(text), net->octets_n * 8);
	return true;
}

static bool parse_nets(const struct cs_ceiling_text *text,
		       struct cs_arena *arena, struct cs_ceiling *c,
		       struct cs_error *err)
{
	size_t n = text->permitted_ip_n;

	c->permitted_ip =
		cs_arena_new_array(arena, n, sizeof(*c->permitted_ip));
	if (c->permitted_ip == NULL)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		if (!parse_net(text->permitted_ip[i], arena,
			       &c->permitted_ip[i], err))
			return false;
	}
	c->permitted_ip_n = n;
	return true;
}

static bool parse_kinds(const struct cs_ceiling_text *text,
			struct cs_ceiling *c, struct cs_error *err)
{
	static const struct {
		const char *word;
		enum cs_name_kind kind;
	} kinds[] = {
		{"other_name", CS_NAME_OTHER},
		{"directory_name", CS_NAME_DIRECTORY},
		{"registered_id", CS_NAME_REGISTERED_ID},
	};
	size_t k;

	for (size_t i = 0; i < text->permitted_kinds_n; i++) {
		for (k = 0; k < 3; k++) {
			if (cs_span_equal_str(text->permitted_kinds[i],
					      kinds[k].word))
				break;
		}
		if (k == 3)
			return cs_error_set(
				err, CS_E_CONFIG,
				"ceiling.permitted_kinds: \"%.*s\" is not "
				"other_name, directory_name or registered_id",
				CS_SPAN_FMT(text->permitted_kinds[i]));
		c->kinds |= 1u << kinds[k].kind;
	}
	return true;
}

bool cs_ceiling_parse(const struct cs_ceiling_text *text,
		      struct cs_arena *arena, struct cs_ceiling *ret_ceiling,
		      struct cs_error *err)
{
	struct cs_ceiling c = {.ca = text->ca, .ocsp = text->ocsp};

	if (!cs_time_parse_duration(text->max_validity, &c.max_validity_s,
				    err)) {
		cs_error_prefix(err, "ceiling.max_validity");
		return false;
	}
	if (c.max_validity_s <= 0)
		return cs_error_set(err, CS_E_CONFIG,
				    "ceiling.max_validity must not be zero");
	/*= RFC 5280 4.2.1.10 */
	if (c.ca && text->permitted_dns_n + text->permitted_ip_n > 0)
		return cs_error_set(err, CS_E_CONFIG,
				    "RFC 5280 4.2.1.10: ca: true beside "
				    "permitted_dns or permitted_ip: a CA below "
				    "could be held to these names by name "
				    "constraints only, which are not written");
	if (!parse_purposes(text, arena, &c, err) ||
	    !parse_zones(text, arena, &c, err) ||
	    !parse_nets(text, arena, &c, err) || !parse_kinds(text, &c, err))
		return false;
	*ret_ceiling = c;
	return true;
}

/* -- the check ------------------------------------------------------------ */

/* Add a finding. */
static bool beyond(struct check *k, const char *field, struct cs_span value,
		   const char *fmt, ...) CS_PRINTF(4, 5);

static bool beyond(struct check *k, const char *field, struct cs_span value,
		   const char *fmt, ...)
{
	struct cs_finding f = {
		.code = cs_code_name(CS_CODE_CA_CEILING),
		.value = value,
		.rule = CS_SPAN_LIT("ceiling"),
	};
	char text[CS_ERROR_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!cs_arena_dup(k->findings->arena, cs_span_str(field), &f.field) ||
	    !cs_arena_dup(k->findings->arena, cs_span_str(text), &f.message) ||
	    !cs_findings_add(k->findings, &f))
		return no_memory(k->err);
	return true;
}

static bool check_issuer(struct check *k)
{
	const struct cs_span none = {0};

	/*= RFC 5280 4.1.2.4 */
	if (!cs_span_equal(k->tbs->issuer, k->ca->subject) &&
	    !beyond(k, "issuer", none,
		    "RFC 5280 4.1.2.4: the issuer is not this CA"))
		return false;
	/*= RFC 5280 4.2.1.1 */
	if (!cs_span_equal(k->tbs->aki, k->ca->ski) &&
	    !beyond(k, "authority_key_id", none,
		    "RFC 5280 4.2.1.1: the authority key identifier is not "
		    "this CA's"))
		return false;
	/*= RFC 5280 4.1.2.3 */
	if (!cs_span_equal(k->tbs->sig_alg, k->ca->sig_alg) &&
	    !beyond(k, "signature", none,
		    "RFC 5280 4.1.2.3: the signature algorithm is not %s",
		    cs_sigalg_name(k->ca->alg)))
		return false;
	return true;
}

/*= RFC 5280 4.1.2.2: positive, at most 20 octets; here: of our own shape */
static bool check_serial(struct check *k)
{
	struct cs_span serial = k->tbs->serial;

	if (serial.n == CS_SERIAL_SIZE && serial.p[0] == CS_SERIAL_FIRST)
		return true;
	return beyond(k, "serial", (struct cs_span){0},
		      "RFC 5280 4.1.2.2: the serial is not 0x%02x and %d "
		      "octets",
		      CS_SERIAL_FIRST, CS_SERIAL_SIZE - 1);
}

static bool check_validity(struct check *k)
{
	const struct cs_tbs_facts *t = k->tbs;
	const struct cs_span none = {0};
	char asked[CS_TIME_TEXT], given[CS_TIME_TEXT];
	int64_t span;

	if (t->not_after_s < t->not_before_s)
		return beyond(k, "validity", none,
			      "RFC 5280 4.1.2.5: it ends before it begins");
	span = t->not_after_s - t->not_before_s;
	cs_time_duration(span, asked);
	cs_time_duration(k->ceiling->max_validity_s, given);
	if (span > k->ceiling->max_validity_s &&
	    !beyond(k, "validity", none,
		    "a validity of %s, the issuer's ceiling is %s", asked,
		    given))
		return false;
	if (t->not_after_s > k->ca->not_after_s &&
	    !beyond(k, "validity", none,
		    "RFC 5280 6.1.3: it would outlive its CA"))
		return false;
	return true;
}

static bool check_ca_bit(struct check *k)
{
	const struct cs_cert_facts *cert = &k->tbs->cert;
	const struct cs_span none = {0};

	/*= RFC 5280 4.2.1.9 */
	if (cert->ca && !k->ceiling->ca &&
	    !beyond(k, "extensions.basic_constraints", none,
		    "RFC 5280 4.2.1.9: this issuer makes no CAs"))
		return false;
	/*= RFC 5280 4.2.1.3 */
	if ((cert->key_usage & (CS_KU_CERT_SIGN | CS_KU_CRL_SIGN)) != 0 &&
	    !(cert->ca && k->ceiling->ca) &&
	    !beyond(k, "extensions.key_usage", none,
		    "RFC 5280 4.2.1.3: keyCertSign and cRLSign are for CAs"))
		return false;
	return true;
}

/* Is the purpose on the list? */
static bool has_purpose(const struct cs_ceiling *c, struct cs_span oid)
{
	for (size_t i = 0; i < c->ext_key_usage_n; i++) {
		if (cs_span_equal(c->ext_key_usage[i], oid))
			return true;
	}
	return false;
}

/* Is one of its purposes to answer for the CA? */
static bool is_for_ocsp(const struct cs_cert_facts *cert)
{
	for (size_t i = 0; i < cert->ext_key_usage_n; i++) {
		if (cs_span_equal(cert->ext_key_usage[i],
				  CS_SPAN_LIT(CS_OID_OCSP_SIGNING)))
			return true;
	}
	return false;
}

/* "Do not ask about this one", said in OCSP's words or in RFC 9608's. */
static bool only_says_not_to_ask(const struct cs_cert_facts *cert)
{
	bool no_check = false;

	for (size_t i = 0; i < cert->extensions_n; i++) {
		const struct cs_fact_ext *e = &cert->extensions[i];
		bool is_no_check = cs_span_equal(
			e->oid, CS_SPAN_LIT(CS_OID_OCSP_NO_CHECK));

		if (!is_no_check &&
		    !cs_span_equal(e->oid, CS_SPAN_LIT(CS_OID_NO_REV_AVAIL)))
			return false;
		if (e->critical)
			return false;
		no_check |= is_no_check;
	}
	return no_check;
}

/* Does it look exactly as the house's own responder's does? */
static bool is_house_responder(const struct cs_tbs_facts *t)
{
	const struct cs_cert_facts *c = &t->cert;

	return c->ext_key_usage_n == 1 && is_for_ocsp(c) && !c->ca &&
	       c->key_usage == CS_KU_DIGITAL_SIGNATURE && c->names_n == 0 &&
	       c->subject_n == 1 &&
	       cs_span_equal(c->subject[0].oid,
			     CS_SPAN_LIT(CS_OID_COMMON_NAME)) &&
	       cs_span_equal_str(c->subject[0].value, CS_OCSP_RESPONDER_NAME) &&
	       t->policies_n == 0 && t->crl_urls_n == 0 &&
	       t->ocsp_urls_n == 0 && t->ca_issuers_urls_n == 0 &&
	       t->not_after_s - t->not_before_s <= CS_OCSP_RESPONDER_LIFE &&
	       only_says_not_to_ask(c);
}

/*= RFC 6960 4.2.2.2: whoever has this purpose answers for the CA */
static bool check_ocsp_purpose(struct check *k)
{
	if (!is_for_ocsp(&k->tbs->cert) ||
	    has_purpose(k->ceiling, CS_SPAN_LIT(CS_OID_OCSP_SIGNING)))
		return true;
	return beyond(k, "extensions.ext_key_usage",
		      CS_SPAN_LIT("ocsp signing"),
		      "RFC 6960 4.2.2.2: a certificate for OCSP signing "
		      "answers for the CA: the issuer's ceiling does not name "
		      "this purpose");
}

/*= RFC 5280 4.2.1.12: no extension means any purpose */
static bool check_purposes(struct check *k)
{
	static const char field[] = "extensions.ext_key_usage";
	const struct cs_cert_facts *cert = &k->tbs->cert;
	struct cs_span word;

	if (k->ceiling->ocsp && is_house_responder(k->tbs))
		return true;
	if (!check_ocsp_purpose(k))
		return false;
	if (k->ceiling->ext_key_usage_n == 0)
		return true;
	if (cert->ext_key_usage_n == 0)
		return beyond(k, field, (struct cs_span){0},
			      "RFC 5280 4.2.1.12: without extended key usages "
			      "every purpose is allowed, more than the "
			      "issuer's ceiling");
	for (size_t i = 0; i < cert->ext_key_usage_n; i++) {
		/* That one has been told already. */
		if (has_purpose(k->ceiling, cert->ext_key_usage[i]) ||
		    cs_span_equal(cert->ext_key_usage[i],
				  CS_SPAN_LIT(CS_OID_OCSP_SIGNING)))
			continue;
		if (!cs_usage_oid_word(cert->ext_key_usage[i],
				       k->findings->arena, &word))
			return no_memory(k->err);
		if (!beyond(k, field, word,
			    "\"%.*s\" is not among the issuer's extended key "
			    "usages",
			    CS_SPAN_FMT(word)))
			return false;
	}
	return true;
}

/* Is the host the zone, or below it? A wildcard's base decides. */
static bool is_in_zone(struct cs_span host, struct cs_span zone)
{
	if (cs_name_dns_is_wildcard(host))
		host = cs_span_sub(host, 2, host.n);
	if (cs_span_equal(host, zone))
		return true;
	return host.n > zone.n + 1 && cs_span_ends_with(host, zone) &&
	       host.p[host.n - zone.n - 1] == '.';
}

static bool host_is_permitted(const struct cs_ceiling *c, struct cs_span host)
{
	for (size_t i = 0; i < c->permitted_dns_n; i++) {
		if (is_in_zone(host, c->permitted_dns[i]))
			return true;
	}
	return c->permitted_dns_n == 0;
}

static bool address_is_in(const struct cs_ceiling_net *net,
			  struct cs_span address)
{
	unsigned whole = net->prefix / 8, bits = net->prefix % 8;

	if (address.n != net->octets_n ||
	    memcmp(address.p, net->octets, whole) != 0)
		return false;
	return bits == 0 ||
	       (address.p[whole] ^ net->octets[whole]) >> (8 - bits) == 0;
}

static bool address_is_permitted(const struct cs_ceiling *c,
				 struct cs_span address)
{
	for (size_t i = 0; i < c->permitted_ip_n; i++) {
		if (address_is_in(&c->permitted_ip[i], address))
			return true;
	}
	return c->permitted_ip_n == 0;
}

/*
 * The host of a canonical URI's authority, without user and port; empty when
 * it has none. An IPv6 literal keeps its brackets, and is in no zone.
 */
static struct cs_span uri_host(struct cs_span uri)
{
	struct cs_span none = {0};
	struct cs_span rest;
	size_t at;

	if (!cs_span_find(uri, ':', &at))
		return none;
	rest = cs_span_sub(uri, at + 1, uri.n);
	if (!cs_span_starts_with(rest, CS_SPAN_LIT("//")))
		return none;
	rest = cs_span_sub(rest, 2, rest.n);
	for (size_t i = 0; i < rest.n; i++) {
		if (rest.p[i] == '/' || rest.p[i] == '?' || rest.p[i] == '#') {
			rest.n = i;
			break;
		}
	}
	while (cs_span_find(rest, '@', &at))
		rest = cs_span_sub(rest, at + 1, rest.n);
	if (rest.n > 0 && rest.p[0] == '[')
		return rest;
	if (cs_span_find(rest, ':', &at))
		rest.n = at;
	return rest;
}

static struct cs_span email_host(struct cs_span email)
{
	size_t at;

	while (cs_span_find(email, '@', &at))
		email = cs_span_sub(email, at + 1, email.n);
	return email;
}

/* Is the name within the permitted subtrees? */
static bool name_is_permitted(const struct cs_ceiling *c,
			      const struct cs_fact_name *name)
{
	switch (name->kind) {
	case CS_NAME_DNS:
		return host_is_permitted(c, name->canonical);
	case CS_NAME_IP:
		return address_is_permitted(c, name->content);
	case CS_NAME_URI:
		return host_is_permitted(c, uri_host(name->canonical));
	case CS_NAME_EMAIL:
		return host_is_permitted(c, email_host(name->canonical));
	default:
		return (c->kinds & 1u << name->kind) != 0;
	}
}

/*= RFC 5280 4.2.1.10: subtrees, as its name constraints have them */
static bool check_names(struct check *k)
{
	static const char *const fields[CS_NAME_KINDS] = {
		[CS_NAME_DNS] = "san.dns",
		[CS_NAME_IP] = "san.ip",
		[CS_NAME_URI] = "san.uri",
		[CS_NAME_EMAIL] = "san.email",
		[CS_NAME_DIRECTORY] = "san.directory_name",
		[CS_NAME_REGISTERED_ID] = "san.registered_id",
		[CS_NAME_OTHER] = "san.other_name",
	};
	const struct cs_cert_facts *cert = &k->tbs->cert;
	char field[48];

	for (size_t i = 0; i < cert->names_n; i++) {
		const struct cs_fact_name *name = &cert->names[i];

		if (name_is_permitted(k->ceiling, name))
			continue;
		snprintf(field, sizeof(field), "%s[%u]", fields[name->kind],
			 name->index);
		if (!beyond(k, field, name->canonical,
			    "%s is outside of what the issuer's ceiling "
			    "permits",
			    field))
			return false;
	}
	return true;
}

/* A common name that reads as a DNS name or an address counts as one. */
static bool check_common_names(struct check *k)
{
	const struct cs_cert_facts *cert = &k->tbs->cert;
	struct cs_arena *arena = k->findings->arena;
	struct cs_span name;
	bool ok;

	for (size_t i = 0; i < cert->subject_n; i++) {
		const struct cs_fact_attr *a = &cert->subject[i];

		if (!cs_span_equal(a->oid, CS_SPAN_LIT(CS_OID_COMMON_NAME)))
			continue;
		if (cs_name_ip_octets(a->value, arena, &name, NULL))
			ok = address_is_permitted(k->ceiling, name);
		else if (cs_name_dns(a->value, arena, &name, NULL))
			ok = host_is_permitted(k->ceiling, name);
		else
			ok = true;
		if (!ok && !beyond(k, "subject.commonName[0]", a->value,
				   "the common name is outside of what the "
				   "issuer's ceiling permits"))
			return false;
	}
	return true;
}

bool cs_ceiling_check(const struct cs_ceiling *ceiling,
		      const struct cs_issuer_ca *ca,
		      const struct cs_tbs_facts *tbs,
		      struct cs_findings *findings, struct cs_error *err)
{
	struct check k = {ceiling, ca, tbs, findings, err};

	return check_issuer(&k) && check_serial(&k) && check_validity(&k) &&
	       check_ca_bit(&k) && check_purposes(&k) && check_names(&k) &&
	       check_common_names(&k);
}
