#include "issuer/constraints.h"

#include <stdio.h>

#include "issuer/oids.h"
#include "policy/codes.h"
#include "policy/name.h"

/* id-on-SmtpUTF8Mailbox (RFC 9598 3). */
#define OID_SMTP_UTF8 "\x2b\x06\x01\x05\x05\x07\x08\x09"

/* One name of the certificate, as it is judged. */
struct item {
	enum cs_name_kind kind;
	const char *field;
	struct cs_span value;  /* for people */
	struct cs_span text;   /* DNS, e-mail: canonical */
	struct cs_span host;   /* URI: its host (RFC 3986 3.2.2) */
	struct cs_span other;  /* URI: its host as careless readers have it */
	struct cs_span octets; /* IP */
	struct cs_subtree_rdn *rdns;
	size_t rdns_n;
};

/* One check under way. */
struct check {
	const struct cs_constraints *set;
	const struct cs_cert_facts *cert;
	struct cs_findings *findings;
	struct cs_error *err;
};

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for a finding");
}

/* Add a finding: the field, and how it offends. */
static bool offend(struct check *k, const struct item *it, const char *how)
{
	struct cs_span field;

	if (!cs_arena_dup(k->findings->arena, cs_span_str(it->field), &field) ||
	    !cs_findings_builtin(k->findings,
				 cs_code_name(CS_CODE_CA_NAME_CONSTRAINT),
				 field, it->value,
				 "RFC 5280 4.2.1.10: %s %s (certificate %u "
				 "of the issuer's chain)",
				 it->field, how, k->set->number))
		return no_memory(k->err);
	return true;
}

/* -- one subtree ---------------------------------------------------------- */

/* Below ".zone", or the zone itself and below it. */
static bool is_below(struct cs_span name, struct cs_span zone)
{
	if (zone.n == 0 || cs_span_equal(name, zone))
		return true;
	if (name.n <= zone.n || !cs_span_ends_with(name, zone))
		return false;
	return zone.p[0] == '.' || name.p[name.n - zone.n - 1] == '.';
}

/* Exactly the host, or below ".zone": URIs and mailboxes. */
static bool is_host(struct cs_span name, struct cs_span base)
{
	return cs_span_equal(name, base) ||
	       (base.n > 0 && base.p[0] == '.' && name.n > base.n &&
		cs_span_ends_with(name, base));
}

/* Is one of the hosts right below "*."'s zone the base, or below it? */
static bool wildcard_touches(struct cs_span wildcard, struct cs_span base)
{
	struct cs_span zone = cs_span_sub(wildcard, 2, wildcard.n);
	size_t dot;

	if (is_below(wildcard, base))
		return true;
	/* The base is one label and the zone: a host that it stands for. */
	return base.n > 0 && base.p[0] != '.' &&
	       cs_span_find(base, '.', &dot) &&
	       cs_span_equal(cs_span_sub(base, dot + 1, base.n), zone);
}

static bool is_mailbox(struct cs_span email, struct cs_span base)
{
	struct cs_span host = email;
	size_t at;

	if (cs_span_find(base, '@', NULL))
		return cs_span_equal(email, base);
	while (cs_span_find(host, '@', &at))
		host = cs_span_sub(host, at + 1, host.n);
	return is_host(host, base);
}

static bool is_in_net(const struct cs_subtree *s, struct cs_span octets)
{
	if (octets.n != s->address.n)
		return false;
	for (size_t i = 0; i < octets.n; i++) {
		if (((octets.p[i] ^ s->address.p[i]) & s->mask.p[i]) != 0)
			return false;
	}
	return true;
}

/*= RFC 5280 7.1: the first RDNs are the base's */
static bool begins_with(const struct item *it, const struct cs_subtree *s)
{
	if (it->rdns_n < s->rdns_n)
		return false;
	for (size_t i = 0; i < s->rdns_n; i++) {
		if (!cs_span_equal(it->rdns[i].oid, s->rdns[i].oid) ||
		    !cs_span_equal(it->rdns[i].value, s->rdns[i].value))
			return false;
	}
	return true;
}

/* Is all that the name stands for in the subtree? */
static bool is_within(const struct item *it, const struct cs_subtree *s)
{
	switch (it->kind) {
	case CS_NAME_DNS:
		return is_below(it->text, s->text);
	case CS_NAME_EMAIL:
		return is_mailbox(it->text, s->text);
	case CS_NAME_URI:
		return is_host(it->host, s->text) &&
		       is_host(it->other, s->text);
	case CS_NAME_IP:
		return is_in_net(s, it->octets);
	case CS_NAME_DIRECTORY:
		return begins_with(it, s);
	default:
		return false;
	}
}

/* Is anything that the name stands for in the subtree? */
static bool touches(const struct item *it, const struct cs_subtree *s)
{
	switch (it->kind) {
	case CS_NAME_DNS:
		return cs_name_dns_is_wildcard(it->text)
			       ? wildcard_touches(it->text, s->text)
			       : is_below(it->text, s->text);
	case CS_NAME_URI:
		return is_host(it->host, s->text) ||
		       is_host(it->other, s->text);
	case CS_NAME_OTHER:
	case CS_NAME_REGISTERED_ID:
		return true;
	default:
		return is_within(it, s);
	}
}

/* -- one name ------------------------------------------------------------- */

static bool has_kind(const struct cs_subtree *list, size_t n,
		     enum cs_name_kind kind)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].kind == kind)
			return true;
	}
	return false;
}

/* Does the set say anything of names of this kind? */
static bool is_constrained(const struct cs_constraints *set,
			   enum cs_name_kind kind)
{
	return has_kind(set->permitted, set->permitted_n, kind) ||
	       has_kind(set->excluded, set->excluded_n, kind);
}

static bool is_permitted(const struct cs_constraints *set,
			 const struct item *it)
{
	for (size_t i = 0; i < set->permitted_n; i++) {
		if (set->permitted[i].kind == it->kind &&
		    is_within(it, &set->permitted[i]))
			return true;
	}
	return !has_kind(set->permitted, set->permitted_n, it->kind);
}

static bool is_excluded(const struct cs_constraints *set, const struct item *it)
{
	for (size_t i = 0; i < set->excluded_n; i++) {
		if (set->excluded[i].kind == it->kind &&
		    touches(it, &set->excluded[i]))
			return true;
	}
	return false;
}

static bool check_item(struct check *k, const struct item *it)
{
	if (is_excluded(k->set, it))
		return offend(k, it, "is in a subtree that the CA excludes");
	if (!is_permitted(k->set, it))
		return offend(k, it, "is in no subtree that the CA permits");
	return true;
}

/* -- URIs ----------------------------------------------------------------- */

static struct cs_span cut(struct cs_span s, const char *ends)
{
	for (size_t i = 0; i < s.n; i++) {
		for (const char *e = ends; *e != '\0'; e++) {
			if (s.p[i] == (uint8_t)*e)
				return cs_span_sub(s, 0, i);
		}
	}
	return s;
}

/* The host of a canonical URI, twice. False: it has none. */
static bool read_uri(struct item *it, struct cs_span uri)
{
	struct cs_span rest, authority, colon;
	size_t at;

	if (!cs_span_find(uri, ':', &at))
		return false;
	rest = cs_span_sub(uri, at + 1, uri.n);
	if (!cs_span_starts_with(rest, CS_SPAN_LIT("//")))
		return false;
	rest = cs_span_sub(rest, 2, rest.n);
	authority = cut(rest, "/?#");
	while (cs_span_find(authority, '@', &at))
		authority = cs_span_sub(authority, at + 1, authority.n);
	if (authority.n == 0 || authority.p[0] == '[')
		return false;
	it->host = cut(authority, ":");
	/* OpenSSL ends it at the first colon, else at the first slash. */
	colon = cut(rest, ":");
	it->other = colon.n < rest.n ? colon : cut(rest, "/");
	return it->host.n > 0;
}

/* The text as an address, if it is one. False: no memory. */
static bool read_address(struct check *k, struct cs_span text,
			 struct cs_span *ret_octets, bool *ret_is)
{
	struct cs_error why = {0};

	*ret_is = cs_name_ip_octets(text, k->findings->arena, ret_octets, &why);
	return *ret_is || why.code != CS_E_NO_MEMORY || no_memory(k->err);
}

static bool check_uri(struct check *k, struct item *it, struct cs_span uri)
{
	bool has_host, is_address = false;

	/*= RFC 5280 4.2.1.10: a URI without a host must be rejected */
	if (!is_constrained(k->set, CS_NAME_URI))
		return true;
	has_host = read_uri(it, uri);
	if (has_host && !read_address(k, it->host, &it->octets, &is_address))
		return false;
	if (!has_host || is_address)
		return offend(k, it,
			      "has no host name, which constraints on URIs "
			      "require");
	return check_item(k, it);
}

/* -- the certificate ------------------------------------------------------ */

/* A directoryName; one that cannot be compared is in no subtree, and in all. */
static bool check_directory(struct check *k, struct item *it,
			    struct cs_span name)
{
	struct cs_error why;

	if (!is_constrained(k->set, CS_NAME_DIRECTORY))
		return true;
	if (cs_constraints_rdns(name, k->findings->arena, &it->rdns,
				&it->rdns_n, &why))
		return check_item(k, it);
	if (why.code == CS_E_NO_MEMORY)
		return no_memory(k->err);
	return offend(k, it, "is a directory name that cannot be compared");
}

static bool check_other(struct check *k, struct item *it,
			const struct cs_fact_name *name)
{
	if (cs_span_equal(name->oid, CS_SPAN_LIT(OID_SMTP_UTF8)) &&
	    is_constrained(k->set, CS_NAME_EMAIL))
		return offend(k, it,
			      "is a mailbox (RFC 9598 6), and the CA "
			      "constrains them");
	return check_item(k, it);
}

static bool check_name(struct check *k, const struct cs_fact_name *name)
{
	static const char *const words[CS_NAME_KINDS] = {
		[CS_NAME_DNS] = "dns",
		[CS_NAME_IP] = "ip",
		[CS_NAME_URI] = "uri",
		[CS_NAME_EMAIL] = "email",
		[CS_NAME_OTHER] = "other_name",
		[CS_NAME_DIRECTORY] = "directory_name",
		[CS_NAME_REGISTERED_ID] = "registered_id",
	};
	struct item it = {.kind = name->kind,
			  .value = name->canonical,
			  .text = name->canonical,
			  .octets = name->content};
	char field[48];

	snprintf(field, sizeof(field), "san.%s[%u]", words[name->kind],
		 name->index);
	it.field = field;
	switch (name->kind) {
	case CS_NAME_URI:
		return check_uri(k, &it, name->canonical);
	case CS_NAME_DIRECTORY:
		return check_directory(k, &it, name->content);
	case CS_NAME_OTHER:
		return check_other(k, &it, name);
	default:
		return check_item(k, &it);
	}
}

/* An emailAddress of the subject is a mailbox like one of the names. */
static bool check_mailbox(struct check *k, const struct cs_fact_attr *a)
{
	struct item it = {.kind = CS_NAME_EMAIL,
			  .field = "subject.emailAddress[0]",
			  .value = a->value};
	struct cs_error why;

	if (!is_constrained(k->set, CS_NAME_EMAIL))
		return true;
	if (cs_name_email(a->value, k->findings->arena, &it.text, &why))
		return check_item(k, &it);
	if (why.code == CS_E_NO_MEMORY)
		return no_memory(k->err);
	return offend(k, &it, "is no mailbox, and the CA constrains them");
}

/* Letters, digits, hyphens, underscores, an asterisk, and a dot inside? */
static bool looks_like_a_host(struct cs_span s)
{
	bool dot = false;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		dot = dot || c == '.';
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '.' || c == '-' ||
		    c == '_' || c == '*')
			continue;
		return false;
	}
	return dot;
}

/* A common name that reads as a host or as an address is one. */
static bool check_common_name(struct check *k, const struct cs_fact_attr *a)
{
	struct item it = {.field = "subject.commonName[0]", .value = a->value};
	bool is_address;

	it.kind = CS_NAME_IP;
	if (!read_address(k, a->value, &it.octets, &is_address) ||
	    (is_address && !check_item(k, &it)))
		return false;
	/* An IPv4 address reads as a host too, to those who do not look. */
	if (!looks_like_a_host(a->value))
		return true;
	it.kind = CS_NAME_DNS;
	return cs_constraints_fold(a->value, k->findings->arena, &it.text,
				   k->err) &&
	       check_item(k, &it);
}

/* The subject as a directory name, and what stands in it. */
static bool check_subject(struct check *k)
{
	const struct cs_cert_facts *cert = k->cert;
	struct item it = {.kind = CS_NAME_DIRECTORY, .field = "subject"};

	it.rdns = cs_arena_new_array(k->findings->arena, cert->subject_n,
				     sizeof(*it.rdns));
	if (it.rdns == NULL)
		return no_memory(k->err);
	for (size_t i = 0; i < cert->subject_n; i++) {
		const struct cs_fact_attr *a = &cert->subject[i];
		bool ok = true;

		it.rdns[i].oid = a->oid;
		if (!cs_constraints_fold(a->value, k->findings->arena,
					 &it.rdns[i].value, k->err))
			return false;
		if (cs_span_equal(a->oid, CS_SPAN_LIT(CS_OID_EMAIL_ADDRESS)))
			ok = check_mailbox(k, a);
		else if (cs_span_equal(a->oid, CS_SPAN_LIT(CS_OID_COMMON_NAME)))
			ok = check_common_name(k, a);
		if (!ok)
			return false;
	}
	it.rdns_n = cert->subject_n;
	/*= RFC 5280 4.2.1.10: when the certificate has a subject */
	return cert->subject_n == 0 || check_item(k, &it);
}

bool cs_constraints_check(const struct cs_constraints *sets, size_t n,
			  const struct cs_cert_facts *cert,
			  struct cs_findings *findings, struct cs_error *err)
{
	for (size_t i = 0; i < n; i++) {
		struct check k = {&sets[i], cert, findings, err};

		if (!check_subject(&k))
			return false;
		for (size_t j = 0; j < cert->names_n; j++) {
			if (!check_name(&k, &cert->names[j]))
				return false;
		}
	}
	return true;
}
