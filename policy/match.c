#include "policy/match.h"

#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "policy/name.h"

struct cs_match_value cs_match_text(struct cs_span text)
{
	return (struct cs_match_value){.text = text};
}

struct cs_match_value cs_match_dns(struct cs_span canonical)
{
	return (struct cs_match_value){
		.text = canonical,
		.is_dns = true,
		.is_wildcard = cs_name_dns_is_wildcard(canonical),
	};
}

struct cs_match_value cs_match_ip(struct cs_span canonical,
				  struct cs_span octets)
{
	return (struct cs_match_value){.text = canonical, .octets = octets};
}

/* Is name one label or more in front of zone? */
static bool is_below(struct cs_span name, struct cs_span zone)
{
	size_t front = name.n - zone.n;

	return name.n > zone.n + 1 && name.p[front - 1] == '.' &&
	       memcmp(name.p + front, zone.p, zone.n) == 0;
}

/* What stands behind the first label; empty for a single label. */
static struct cs_span parent(struct cs_span name)
{
	size_t dot;

	if (!cs_span_find(name, '.', &dot))
		return cs_span_make(NULL, 0);
	return cs_span_sub(name, dot + 1, SIZE_MAX);
}

/* Does the network hold the address? */
static bool in_network(const struct cs_matcher *m, struct cs_span octets)
{
	size_t whole = m->prefix / 8;
	unsigned rest = m->prefix % 8;

	if (octets.n == 0 || octets.n != m->net.n ||
	    memcmp(octets.p, m->net.p, whole) != 0)
		return false;
	return rest == 0 ||
	       ((octets.p[whole] ^ m->net.p[whole]) >> (8 - rest)) == 0;
}

/* One name that is no wildcard. */
static bool dns_one(enum cs_match_kind kind, struct cs_span zone,
		    struct cs_span name)
{
	if (kind == CS_MATCH_DNS_HOST)
		return cs_span_equal(name, zone);
	if (kind == CS_MATCH_DNS_ONE)
		return cs_span_equal(parent(name), zone);
	if (kind == CS_MATCH_DNS_BELOW)
		return is_below(name, zone);
	return kind == CS_MATCH_DNS_WITHIN &&
	       (cs_span_equal(name, zone) || is_below(name, zone));
}

/* The domain of a mailbox by a host's pattern. */
static bool email(const struct cs_matcher *m, struct cs_span text)
{
	size_t at = text.n;

	while (at > 0 && text.p[at - 1] != '@')
		at--;
	return at > 0 &&
	       dns_one(m->host_kind, m->text, cs_span_sub(text, at, SIZE_MAX));
}

/* A canonical URI, taken apart (RFC 3986 3). */
struct uri {
	struct cs_span scheme, host, path;
	bool plain; /* without user, port, query and fragment */
};

/* The authority's host; a port or a user make it not plain. */
static void split_authority(struct cs_span authority, struct uri *u)
{
	size_t at;

	if (cs_span_find(authority, '@', &at)) {
		u->plain = false;
		authority = cs_span_sub(authority, at + 1, SIZE_MAX);
	}
	u->host = authority;
	if (authority.n > 0 && authority.p[0] == '[') {
		if (authority.p[authority.n - 1] != ']')
			u->plain = false;
		return;
	}
	if (cs_span_find(authority, ':', &at)) {
		u->plain = false;
		u->host = cs_span_sub(authority, 0, at);
	}
}

static struct uri split(struct cs_span text)
{
	struct uri u = {.plain = true};
	size_t at = text.n;

	(void)cs_span_find(text, ':', &at);
	u.scheme = cs_span_sub(text, 0, at);
	text = cs_span_sub(text, at + 1, SIZE_MAX);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '?' || text.p[i] == '#') {
			u.plain = false;
			text.n = i;
		}
	}
	if (cs_span_starts_with(text, CS_SPAN_LIT("//"))) {
		text = cs_span_sub(text, 2, SIZE_MAX);
		at = text.n;
		(void)cs_span_find(text, '/', &at);
		split_authority(cs_span_sub(text, 0, at), &u);
		text = cs_span_sub(text, at, SIZE_MAX);
	}
	u.path = text;
	return u;
}

/* Does %XX hide what a reader may take for itself, or for a slash? */
static bool hides(struct cs_span path, size_t at)
{
	int high = at + 2 < path.n ? cs_codec_hex_digit(path.p[at + 1]) : -1;
	int low = at + 2 < path.n ? cs_codec_hex_digit(path.p[at + 2]) : -1;
	int c = 16 * high + low;

	if (high < 0 || low < 0)
		return true;
	/* RFC 3986 2.3: unreserved; and the two slashes, and NUL. */
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~' || c == '/' || c == '\\' || c == 0;
}

/*
 * A path that may be read in two ways: segments that are empty, `.` or `..`,
 * or encoded bytes that need no encoding (RFC 3986 6.2.2).
 */
static bool is_ambiguous(struct cs_span path)
{
	size_t start = 0;

	for (size_t i = 0; i <= path.n; i++) {
		size_t n = i - start;

		if (i < path.n && path.p[i] == '%' && hides(path, i))
			return true;
		if (i < path.n && path.p[i] != '/')
			continue;
		if ((n == 0 && start > 0 && i < path.n) ||
		    (n == 1 && path.p[start] == '.') ||
		    (n == 2 && path.p[start] == '.' &&
		     path.p[start + 1] == '.'))
			return true;
		start = i + 1;
	}
	return false;
}

/*
 * All of a URI inside (for allow), or some reading of it (for deny): a path
 * that may be read in two ways is inside nothing that tells paths apart, and
 * hits everything that does; what the matcher says nothing of (user, port,
 * query, fragment) must not be there to be inside.
 */
static bool uri(const struct cs_matcher *m, struct cs_span text, bool all)
{
	struct uri u = split(text);

	if ((m->scheme.n > 0 && !cs_span_equal(m->scheme, u.scheme)) ||
	    (m->text.n > 0 && !dns_one(m->host_kind, m->text, u.host)) ||
	    (all && !u.plain))
		return false;
	if (!m->has_path)
		return true;
	if (is_ambiguous(u.path))
		return !all;
	return cs_match_items(&m->glob, u.path);
}

/* All of "*.zone", whose members are LABEL.zone for every label. */
static bool wildcard_all(const struct cs_matcher *m, struct cs_span name)
{
	struct cs_span zone = cs_span_sub(name, 2, SIZE_MAX);

	switch (m->kind) {
	case CS_MATCH_DNS_HOST:
		return cs_span_equal(name, m->text);
	case CS_MATCH_DNS_ONE:
		return cs_span_equal(zone, m->text);
	case CS_MATCH_DNS_BELOW:
	case CS_MATCH_DNS_WITHIN:
		return cs_span_equal(zone, m->text) || is_below(zone, m->text);
	case CS_MATCH_ANY:
	case CS_MATCH_EXACT:
	case CS_MATCH_IEXACT:
	case CS_MATCH_GLOB:
	case CS_MATCH_REGEX:
	case CS_MATCH_CIDR:
	case CS_MATCH_EMAIL:
	case CS_MATCH_URI:
	default:
		return false;
	}
}

/* Some member of "*.zone". */
static bool wildcard_some(const struct cs_matcher *m, struct cs_span name)
{
	struct cs_span zone = cs_span_sub(name, 2, SIZE_MAX);

	switch (m->kind) {
	case CS_MATCH_DNS_HOST:
		return cs_span_equal(name, m->text) ||
		       cs_span_equal(zone, parent(m->text));
	case CS_MATCH_DNS_WITHIN:
		/* The apex itself may be a member. */
		return wildcard_all(m, name) ||
		       cs_span_equal(zone, parent(m->text));
	case CS_MATCH_DNS_ONE:
	case CS_MATCH_DNS_BELOW:
		return wildcard_all(m, name);
	case CS_MATCH_ANY:
	case CS_MATCH_EXACT:
	case CS_MATCH_IEXACT:
	case CS_MATCH_GLOB:
	case CS_MATCH_REGEX:
	case CS_MATCH_CIDR:
	case CS_MATCH_EMAIL:
	case CS_MATCH_URI:
	default:
		return false;
	}
}

/*
 * A regular expression over the whole text. What reads as a wildcard is a set
 * here, too, whatever field it stands in; a path that may be read in two ways
 * is inside no expression and hits every one, as in uri().
 */
static bool regex(const struct cs_matcher *m, struct cs_span text, bool all)
{
	enum cs_regex_how how = CS_REGEX_FULL;

	if (m->has_path && is_ambiguous(split(text).path))
		return !all;
	if (cs_span_starts_with(text, CS_SPAN_LIT("*.")))
		how = all ? CS_REGEX_STAR_ALL : CS_REGEX_STAR_SOME;
	return cs_regex_run(m->regex, how, text).matched;
}

/* The matchers that do not know about sets; *ret_known: was it one? */
static bool plain(const struct cs_matcher *m, const struct cs_match_value *v,
		  bool all, bool *ret_known)
{
	*ret_known = true;
	switch (m->kind) {
	case CS_MATCH_ANY:
		return true;
	case CS_MATCH_EXACT:
		return cs_span_equal(v->text, m->text);
	case CS_MATCH_IEXACT:
		return cs_span_equal_icase(v->text, m->text);
	case CS_MATCH_GLOB:
		return cs_match_items(&m->glob, v->text);
	case CS_MATCH_REGEX:
		return regex(m, v->text, all);
	case CS_MATCH_CIDR:
		return in_network(m, v->octets);
	case CS_MATCH_EMAIL:
		return email(m, v->text);
	case CS_MATCH_URI:
		return uri(m, v->text, all);
	case CS_MATCH_DNS_HOST:
	case CS_MATCH_DNS_ONE:
	case CS_MATCH_DNS_BELOW:
	case CS_MATCH_DNS_WITHIN:
	default:
		*ret_known = false;
		return false;
	}
}

bool cs_matcher_all(const struct cs_matcher *m, const struct cs_match_value *v)
{
	bool known, hit = plain(m, v, true, &known);

	if (known || !v->is_dns)
		return hit;
	return v->is_wildcard ? wildcard_all(m, v->text)
			      : dns_one(m->kind, m->text, v->text);
}

bool cs_matcher_some(const struct cs_matcher *m, const struct cs_match_value *v)
{
	bool known, hit = plain(m, v, false, &known);

	if (!hit && v->is_wildcard && m->kind == CS_MATCH_GLOB)
		return cs_match_items_meet(&m->glob, v->text);
	/* Text that reads as a host is a member, too. */
	if (!hit && v->is_wildcard &&
	    (m->kind == CS_MATCH_EXACT || m->kind == CS_MATCH_IEXACT))
		return cs_span_equal_icase(cs_span_sub(v->text, 2, SIZE_MAX),
					   parent(m->text));
	if (known || !v->is_dns)
		return hit;
	return v->is_wildcard ? wildcard_some(m, v->text)
			      : dns_one(m->kind, m->text, v->text);
}

bool cs_match_all(const struct cs_matchers *m, const struct cs_match_value *v)
{
	for (size_t i = 0; i < m->n; i++) {
		if (cs_matcher_all(&m->items[i], v))
			return true;
	}
	return false;
}

bool cs_match_some(const struct cs_matchers *m, const struct cs_match_value *v)
{
	for (size_t i = 0; i < m->n; i++) {
		if (cs_matcher_some(&m->items[i], v))
			return true;
	}
	return false;
}
