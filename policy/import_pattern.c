/* Foreign globs, whose `*` takes any characters, to native matchers. */
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "policy/import_parts.h"
#include "policy/name.h"

/*
 * One checkpoint, as the foreign matchers have it; bytes instead of
 * characters, which is the same for UTF-8.
 */
bool cs_import_glob_takes(struct cs_span glob, struct cs_span text)
{
	size_t g = 0, t = 0, star = SIZE_MAX, from = 0;

	while (t < text.n) {
		if (g < glob.n && glob.p[g] == '*') {
			star = g++;
			from = t;
		} else if (g < glob.n && glob.p[g] == text.p[t]) {
			g++;
			t++;
		} else if (star != SIZE_MAX) {
			t = ++from;
			g = star + 1;
		} else {
			return false;
		}
	}
	while (g < glob.n && glob.p[g] == '*')
		g++;
	return g == glob.n;
}

/* Is it nothing but stars? */
static bool is_all(struct cs_span glob)
{
	for (size_t i = 0; i < glob.n; i++) {
		if (glob.p[i] != '*')
			return false;
	}
	return glob.n > 0;
}

static bool has_star(struct cs_span glob)
{
	return cs_span_find(glob, '*', NULL);
}

bool cs_import_has_path(struct cs_span text)
{
	for (size_t i = 0; i + 1 < text.n; i++) {
		if (text.p[i] == '{' && text.p[i + 1] == '{')
			return true;
	}
	return false;
}

/* A copy with runs of stars made one, and ASCII in [from, to) lower case. */
static bool tidy(struct cs_importing *i, struct cs_span glob, size_t from,
		 size_t to, struct cs_span *ret)
{
	uint8_t *copy = cs_arena_new(i->arena, glob.n + 1);
	size_t n = 0;

	if (copy == NULL) {
		i->no_memory = true;
		return false;
	}
	for (size_t k = 0; k < glob.n; k++) {
		uint8_t c = glob.p[k];

		if (c == '*' && n > 0 && copy[n - 1] == '*')
			continue;
		if (k >= from && k < to && c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 32);
		copy[n++] = c;
	}
	*ret = cs_span_make(copy, n);
	return true;
}

struct cs_span cs_import_lower(struct cs_importing *i, struct cs_span text)
{
	uint8_t *copy = cs_arena_new(i->arena, text.n + 1);

	if (copy == NULL) {
		i->no_memory = true;
		return cs_span_make(NULL, 0);
	}
	for (size_t k = 0; k < text.n; k++) {
		uint8_t c = text.p[k];

		copy[k] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
	}
	return cs_span_make(copy, text.n);
}

void cs_import_quote(struct cs_buf *b, struct cs_span text)
{
	for (size_t k = 0; k < text.n; k++) {
		uint8_t c = text.p[k];

		if (c != 0 && strchr("\\.+*?()|[]{}^$", c) != NULL)
			cs_buf_add_byte(b, '\\');
		cs_buf_add_byte(b, c);
	}
}

/*
 * The glob as a regular expression of the whole text. A wildcard's own star is
 * matched only where an expression spells it out.
 */
static enum cs_pattern regex(struct cs_importing *i, struct cs_span glob,
			     json_t **ret, const char **ret_why)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, CS_MAX_REGEX_PATTERN);
	for (size_t k = 0; k < glob.n; k++) {
		uint8_t c = glob.p[k];

		if (c == '*') {
			cs_buf_add_str(&b, k == 0 ? "\\*?.*" : ".*");
			continue;
		}
		cs_import_quote(&b, cs_span_sub(glob, k, 1));
	}
	if (!cs_buf_ok(&b)) {
		i->no_memory = i->no_memory || b.no_memory;
		*ret_why = "it is longer than a regular expression may be";
		return CS_PATTERN_NOT;
	}
	*ret = cs_import_matcher(i, "regex", cs_buf_span(&b));
	return CS_PATTERN_MADE;
}

static enum cs_pattern any(json_t **ret)
{
	*ret = json_string("any");
	return CS_PATTERN_MADE;
}

static enum cs_pattern text(struct cs_importing *i, struct cs_span glob,
			    json_t **ret, const char **ret_why)
{
	if (cs_import_has_path(glob)) {
		*ret_why = "`{{` begins a path in the native language";
		return CS_PATTERN_NOT;
	}
	if (cs_name_has_control(glob)) {
		*ret_why = "no value with a control character is issued";
		return CS_PATTERN_NEVER;
	}
	*ret = cs_import_matcher(i, has_star(glob) ? "glob" : "exact", glob);
	return CS_PATTERN_MADE;
}

/* Could these bytes stand in a canonical DNS name, stars aside? */
static bool is_dns_like(struct cs_span glob)
{
	for (size_t k = 0; k < glob.n; k++) {
		uint8_t c = glob.p[k];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '.' || c == '*'))
			return false;
	}
	return true;
}

typedef bool name_fn(struct cs_span text, struct cs_arena *arena,
		     struct cs_span *ret_canonical, struct cs_error *err);

/* Is it such a name, and in its canonical form? */
static bool is_canonical(struct cs_importing *i, name_fn *read,
			 struct cs_span name)
{
	struct cs_span canonical = {0};
	struct cs_error err = {0};

	if (read(name, i->arena, &canonical, &err))
		return cs_span_equal(canonical, name);
	if (err.code == CS_E_NO_MEMORY)
		i->no_memory = true;
	return false;
}

static bool is_dns(struct cs_importing *i, struct cs_span name)
{
	return is_canonical(i, cs_name_dns, name);
}

bool cs_import_oid(struct cs_importing *i, struct cs_span text,
		   struct cs_span *ret_der)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf oid;
	bool ok;

	cs_buf_init(&oid, CS_MAX_OID);
	ok = cs_der_oid_parse(text, &oid, NULL) && cs_buf_ok(&oid);
	if (oid.no_memory ||
	    (ok && !cs_arena_dup(i->arena, cs_buf_span(&oid), ret_der)))
		i->no_memory = true;
	return ok;
}

bool cs_import_is_host(struct cs_importing *i, struct cs_span name)
{
	return is_dns(i, name) && !cs_name_dns_is_wildcard(name);
}

/* An address from its text, and back. */
static bool read_ip(struct cs_span text, struct cs_arena *arena,
		    struct cs_span *ret_canonical, struct cs_error *err)
{
	struct cs_span octets;

	return cs_name_ip_octets(text, arena, &octets, err) &&
	       cs_name_ip_text(octets, arena, ret_canonical, err);
}

static enum cs_pattern dns(struct cs_importing *i, struct cs_span glob,
			   json_t **ret, const char **ret_why)
{
	struct cs_span zone;
	char *shown;

	if (!tidy(i, glob, 0, glob.n, &glob))
		return CS_PATTERN_NOT;
	*ret_why = "no DNS name that can be issued is like this";
	if (!is_dns_like(glob))
		return CS_PATTERN_NEVER;
	if (!has_star(glob)) {
		if (!is_dns(i, glob))
			return CS_PATTERN_NEVER;
		*ret = cs_import_matcher(i, "dns", glob);
		return CS_PATTERN_MADE;
	}
	/* One label or more, and wildcards, which are such names, too. */
	zone = cs_span_sub(glob, 2, SIZE_MAX);
	if (cs_span_starts_with(glob, CS_SPAN_LIT("*.")) && !has_star(zone) &&
	    is_dns(i, zone)) {
		shown = cs_arena_printf(i->arena, "**.%.*s", CS_SPAN_FMT(zone));
		if (shown == NULL)
			i->no_memory = true;
		*ret = cs_import_matcher(i, "dns", cs_span_str(shown));
		return CS_PATTERN_MADE;
	}
	return regex(i, glob, ret, ret_why);
}

/* "10.", "10.20." or "10.20.30.": how many octets; 0: it is no such thing. */
static unsigned octets_of(struct cs_span prefix, unsigned octet[3])
{
	unsigned n = 0, value = 0, digits = 0;

	for (size_t k = 0; k < prefix.n; k++) {
		uint8_t c = prefix.p[k];

		if (c == '.' && digits > 0 && n < 3) {
			octet[n++] = value;
			value = digits = 0;
		} else if (c >= '0' && c <= '9' &&
			   !(digits == 1 && value == 0)) {
			value = 10 * value + (unsigned)(c - '0');
			if (++digits > 3 || value > 255)
				return 0;
		} else {
			return 0;
		}
	}
	return digits == 0 ? n : 0;
}

/*
 * "fd00:" up to seven groups: how many; 0: it is no such thing. A group that
 * is zero may be written as "::", so that a prefix with one says less than it
 * seems.
 */
static unsigned groups_of(struct cs_span prefix)
{
	unsigned n = 0, digits = 0;

	for (size_t k = 0; k < prefix.n; k++) {
		uint8_t c = prefix.p[k];

		if (c == ':' && digits > 0) {
			n++;
			digits = 0;
		} else if (((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) &&
			   !(digits == 0 && c == '0')) {
			if (++digits > 4)
				return 0;
		} else {
			return 0;
		}
	}
	return digits == 0 && n < 8 ? n : 0;
}

/* The network of the addresses whose text begins so. */
static enum cs_pattern network(struct cs_importing *i, struct cs_span prefix,
			       json_t **ret)
{
	unsigned octet[3] = {0}, n = octets_of(prefix, octet);
	char *net;

	if (n > 0) {
		net = cs_arena_printf(i->arena, "%u.%u.%u.0/%u", octet[0],
				      octet[1], octet[2], 8 * n);
	} else {
		n = groups_of(prefix);
		if (n == 0)
			return CS_PATTERN_NOT;
		/* Behind seven groups stands one more, not "::". */
		net = cs_arena_printf(i->arena, "%.*s%s/%u",
				      CS_SPAN_FMT(prefix), n == 7 ? "0" : ":",
				      16 * n);
	}
	if (net == NULL)
		i->no_memory = true;
	*ret = cs_import_matcher(i, "cidr", cs_span_str(net));
	return CS_PATTERN_MADE;
}

/* Digits to a prefix of at most `max` bits; false: they are none. */
static bool prefix_of(struct cs_span digits, unsigned max, unsigned *ret)
{
	unsigned bits = 0;

	for (size_t k = 0; k < digits.n; k++) {
		if (digits.p[k] < '0' || digits.p[k] > '9' || bits > max)
			return false;
		bits = 10 * bits + (unsigned)(digits.p[k] - '0');
	}
	*ret = bits;
	return digits.n > 0 && bits <= max;
}

enum cs_pattern cs_import_network(struct cs_importing *i, struct cs_span text,
				  json_t **ret_matcher, const char **ret_why)
{
	struct cs_span octets = {0}, shown = {0};
	struct cs_error err = {0};
	uint8_t net[16] = {0};
	size_t slash = text.n;
	unsigned bits = 0;
	char *cidr;

	*ret_why = "it is no network or address that can be told apart from "
		   "others";
	(void)cs_span_find(text, '/', &slash);
	if (!cs_name_ip_octets(cs_span_sub(text, 0, slash), i->arena, &octets,
			       &err) ||
	    (slash < text.n &&
	     !prefix_of(cs_span_sub(text, slash + 1, SIZE_MAX),
			(unsigned)(8 * octets.n), &bits))) {
		i->no_memory = i->no_memory || err.code == CS_E_NO_MEMORY;
		return CS_PATTERN_NOT;
	}
	if (slash == text.n)
		bits = (unsigned)(8 * octets.n);
	for (unsigned bit = 0; bit < bits; bit++)
		net[bit / 8] = (uint8_t)(net[bit / 8] |
					 (octets.p[bit / 8] & 0x80 >> bit % 8));
	if (!cs_name_ip_text(cs_span_make(net, octets.n), i->arena, &shown,
			     &err)) {
		i->no_memory = i->no_memory || err.code == CS_E_NO_MEMORY;
		return CS_PATTERN_NOT;
	}
	if (slash == text.n) {
		*ret_matcher = cs_import_matcher(i, "exact", shown);
		return CS_PATTERN_MADE;
	}
	cidr = cs_arena_printf(i->arena, "%.*s/%u", CS_SPAN_FMT(shown), bits);
	if (cidr == NULL)
		i->no_memory = true;
	*ret_matcher = cs_import_matcher(i, "cidr", cs_span_str(cidr));
	return CS_PATTERN_MADE;
}

static enum cs_pattern ip(struct cs_importing *i, struct cs_span glob,
			  json_t **ret, const char **ret_why)
{
	if (!tidy(i, glob, 0, 0, &glob))
		return CS_PATTERN_NOT;
	if (!has_star(glob)) {
		*ret_why = "it is no IP address in its usual form";
		if (!is_canonical(i, read_ip, glob))
			return CS_PATTERN_NEVER;
		*ret = cs_import_matcher(i, "exact", glob);
		return CS_PATTERN_MADE;
	}
	*ret_why = "it is no network: write the networks that are meant as "
		   "{cidr: ADDRESS/BITS}";
	if (glob.p[glob.n - 1] != '*')
		return CS_PATTERN_NOT;
	return network(i, cs_span_sub(glob, 0, glob.n - 1), ret);
}

/* Where the authority of "scheme://authority/..." ends; 0: there is none. */
static size_t authority_end(struct cs_span glob)
{
	size_t at;

	if (!cs_span_find(glob, ':', &at) ||
	    !cs_span_starts_with(cs_span_sub(glob, at, 3),
				 CS_SPAN_LIT("://")) ||
	    has_star(cs_span_sub(glob, 0, at)))
		return 0;
	at += 3;
	while (at < glob.n && glob.p[at] != '/' && glob.p[at] != '*')
		at++;
	return at;
}

static enum cs_pattern uri(struct cs_importing *i, struct cs_span glob,
			   json_t **ret, const char **ret_why)
{
	if (!tidy(i, glob, 0, authority_end(glob), &glob))
		return CS_PATTERN_NOT;
	*ret_why = "no URI that can be issued is like this";
	for (size_t k = 0; k < glob.n; k++) {
		uint8_t c = glob.p[k];

		if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL)
			return CS_PATTERN_NEVER;
	}
	if (has_star(glob))
		return regex(i, glob, ret, ret_why);
	if (!is_canonical(i, cs_name_uri, glob))
		return CS_PATTERN_NEVER;
	*ret = cs_import_matcher(i, "exact", glob);
	return CS_PATTERN_MADE;
}

/* {email: {domain: TEXT}} */
static enum cs_pattern domain(struct cs_importing *i, const char *prefix,
			      struct cs_span zone, json_t **ret)
{
	char *shown =
		cs_arena_printf(i->arena, "%s%.*s", prefix, CS_SPAN_FMT(zone));
	json_t *m = json_object();

	if (shown == NULL)
		i->no_memory = true;
	cs_import_set(i, m, "email",
		      cs_import_matcher(i, "domain", cs_span_str(shown)));
	*ret = m;
	return CS_PATTERN_MADE;
}

static enum cs_pattern email(struct cs_importing *i, struct cs_span glob,
			     json_t **ret, const char **ret_why)
{
	struct cs_span host;
	size_t at = 0;

	/*
	 * Hosts are in lower case; what is left of `@` is as it is. Without
	 * one, only what stands behind the last star is surely of the host.
	 */
	if (!cs_span_find(glob, '@', &at)) {
		at = glob.n;
		while (at > 0 && glob.p[at - 1] != '*')
			at--;
	}
	if (!tidy(i, glob, at, glob.n, &glob))
		return CS_PATTERN_NOT;
	*ret_why = "no e-mail address that can be issued is like this";
	if (!cs_span_find(glob, '@', &at))
		at = SIZE_MAX;
	host = cs_span_sub(glob, at + 1, SIZE_MAX);
	if (at == 1 && glob.p[0] == '*' && !has_star(host))
		return is_dns(i, host) && !cs_name_dns_is_wildcard(host)
			       ? domain(i, "", host, ret)
			       : CS_PATTERN_NEVER;
	if (cs_span_starts_with(glob, CS_SPAN_LIT("*@*.")) &&
	    !has_star(cs_span_sub(host, 2, SIZE_MAX)) &&
	    is_dns(i, cs_span_sub(host, 2, SIZE_MAX)))
		return domain(i, "**.", cs_span_sub(host, 2, SIZE_MAX), ret);
	if (cs_import_has_path(glob)) {
		*ret_why = "`{{` begins a path in the native language";
		return CS_PATTERN_NOT;
	}
	if (has_star(glob))
		return regex(i, glob, ret, ret_why);
	if (!is_canonical(i, cs_name_email, glob))
		return CS_PATTERN_NEVER;
	*ret = cs_import_matcher(i, "exact", glob);
	return CS_PATTERN_MADE;
}

enum cs_pattern cs_import_glob(struct cs_importing *i,
			       enum cs_pattern_kind kind, struct cs_span glob,
			       json_t **ret_matcher, const char **ret_why)
{
	*ret_matcher = NULL;
	*ret_why = "an empty pattern takes no value";
	if (glob.n == 0)
		return CS_PATTERN_NEVER;
	if (is_all(glob))
		return any(ret_matcher);
	switch (kind) {
	case CS_PATTERN_DNS:
		return dns(i, glob, ret_matcher, ret_why);
	case CS_PATTERN_IP:
		return ip(i, glob, ret_matcher, ret_why);
	case CS_PATTERN_URI:
		return uri(i, glob, ret_matcher, ret_why);
	case CS_PATTERN_EMAIL:
		return email(i, glob, ret_matcher, ret_why);
	case CS_PATTERN_TEXT:
	default:
		return text(i, glob, ret_matcher, ret_why);
	}
}
