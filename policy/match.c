#include "policy/match.h"

#include <string.h>

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
static bool dns_one(const struct cs_matcher *m, struct cs_span name)
{
	switch (m->kind) {
	case CS_MATCH_DNS_HOST:
		return cs_span_equal(name, m->text);
	case CS_MATCH_DNS_ONE:
		return cs_span_equal(parent(name), m->text);
	case CS_MATCH_DNS_BELOW:
		return is_below(name, m->text);
	case CS_MATCH_DNS_WITHIN:
		return cs_span_equal(name, m->text) || is_below(name, m->text);
	case CS_MATCH_ANY:
	case CS_MATCH_EXACT:
	case CS_MATCH_IEXACT:
	case CS_MATCH_CIDR:
	default:
		return false;
	}
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
	case CS_MATCH_CIDR:
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
	case CS_MATCH_CIDR:
	default:
		return false;
	}
}

/* The matchers that do not know about sets; *ret_known: was it one? */
static bool plain(const struct cs_matcher *m, const struct cs_match_value *v,
		  bool *ret_known)
{
	*ret_known = true;
	switch (m->kind) {
	case CS_MATCH_ANY:
		return true;
	case CS_MATCH_EXACT:
		return cs_span_equal(v->text, m->text);
	case CS_MATCH_IEXACT:
		return cs_span_equal_icase(v->text, m->text);
	case CS_MATCH_CIDR:
		return in_network(m, v->octets);
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
	bool known, hit = plain(m, v, &known);

	if (known || !v->is_dns)
		return hit;
	return v->is_wildcard ? wildcard_all(m, v->text) : dns_one(m, v->text);
}

bool cs_matcher_some(const struct cs_matcher *m, const struct cs_match_value *v)
{
	bool known, hit = plain(m, v, &known);

	/* Text that reads as a host is a member, too. */
	if (!hit && v->is_wildcard &&
	    (m->kind == CS_MATCH_EXACT || m->kind == CS_MATCH_IEXACT))
		return cs_span_equal_icase(cs_span_sub(v->text, 2, SIZE_MAX),
					   parent(m->text));
	if (known || !v->is_dns)
		return hit;
	return v->is_wildcard ? wildcard_some(m, v->text) : dns_one(m, v->text);
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
