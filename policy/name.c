#include "policy/name.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

/* Bytes of one DNS label, RFC 1035 2.3.4. */
#define MAX_LABEL ((size_t)63)
/* Bytes of a mailbox and its local part, RFC 5321 4.5.3.1. */
#define MAX_MAILBOX    ((size_t)254)
#define MAX_LOCAL_PART ((size_t)64)
#define IS_UPPER(c)    ((c) >= 'A' && (c) <= 'Z')
#define IS_LOWER(c)    ((c) >= 'a' && (c) <= 'z')
#define IS_DIGIT(c)    ((c) >= '0' && (c) <= '9')
#define IS_LETTER(c)   (IS_UPPER(c) || IS_LOWER(c))
#define IS_ALNUM(c)    (IS_LETTER(c) || IS_DIGIT(c))
#define IS_HEX_DIGIT(c)                                                        \
	(IS_DIGIT(c) || (((c) | 32) >= 'a' && ((c) | 32) <= 'f'))

/* The sentence for an allocation that failed. */
static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for a name");
}

/* Bytes [from, to) of s in lower case, borrowed when they are already. */
static bool lower(struct cs_span s, size_t from, size_t to,
		  struct cs_arena *arena, struct cs_span *ret_lower)
{
	size_t i = from;
	uint8_t *copy;

	while (i < to && !IS_UPPER(s.p[i]))
		i++;
	if (i == to) {
		*ret_lower = s;
		return true;
	}
	copy = cs_arena_new(arena, s.n);
	if (copy == NULL)
		return false;
	memcpy(copy, s.p, s.n);
	for (; i < to; i++) {
		if (IS_UPPER(copy[i]))
			copy[i] = (uint8_t)(copy[i] + 32);
	}
	*ret_lower = cs_span_make(copy, s.n);
	return true;
}

/* Is this byte fit for a label? If not, say why not. */
static bool dns_byte(uint8_t c, struct cs_error *err)
{
	if (IS_ALNUM(c) || c == '-')
		return true;
	if (c >= 0x80)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 7.2: a DNS name is ASCII; "
				    "write the A-label (xn--...)");
	if (c == 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 4.2.1.6: NUL in a DNS name");
	if (c == '*')
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 6125 6.4.3: `*` only as the whole "
				    "leftmost label");
	return cs_error_set(err, CS_E_FORMAT,
			    "RFC 1034 3.5: byte 0x%02x is no letter, digit "
			    "or hyphen",
			    c);
}

/* One label; *ret_digits: is it all digits? */
static bool dns_label(struct cs_span label, bool *ret_digits,
		      struct cs_error *err)
{
	bool digits = true;

	if (label.n == 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 1035 2.3.1: an empty label");
	for (size_t i = 0; i < label.n; i++) {
		if (!dns_byte(label.p[i], err))
			return false;
		digits = digits && IS_DIGIT(label.p[i]);
	}
	if (label.n > MAX_LABEL)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 1035 2.3.4: a label longer than 63 "
				    "bytes");
	if (label.p[0] == '-' || label.p[label.n - 1] == '-')
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 1035 2.3.1: a label starts or ends "
				    "with a hyphen");
	*ret_digits = digits;
	return true;
}

/* Every label of a name without trailing dot and wildcard. */
static bool dns_labels(struct cs_span rest, struct cs_error *err)
{
	bool digits = false;

	for (;;) {
		size_t dot;
		bool more = cs_span_find(rest, '.', &dot);
		struct cs_span label =
			cs_span_sub(rest, 0, more ? dot : rest.n);

		if (!dns_label(label, &digits, err))
			return false;
		if (!more)
			break;
		rest = cs_span_sub(rest, dot + 1, SIZE_MAX);
	}
	if (digits)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 1123 2.1: the last label is a "
				    "number, as in an IPv4 address");
	return true;
}

bool cs_name_dns(struct cs_span text, struct cs_arena *arena,
		 struct cs_span *ret_canonical, struct cs_error *err)
{
	struct cs_span name = text;

	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	if (name.n == 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 4.2.1.6: an empty DNS name");
	if (name.n > CS_MAX_DNS_NAME)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 1035 2.3.4: a DNS name longer than "
				    "%d bytes",
				    CS_MAX_DNS_NAME);
	if (!dns_labels(cs_name_dns_is_wildcard(name)
				? cs_span_sub(name, 2, SIZE_MAX)
				: name,
			err))
		return false;
	return lower(name, 0, name.n, arena, ret_canonical) || no_memory(err);
}

bool cs_name_dns_is_wildcard(struct cs_span canonical)
{
	return canonical.n > 2 && canonical.p[0] == '*' &&
	       canonical.p[1] == '.';
}

/* The longest run of two or more zero groups, RFC 5952 4.2. */
static void longest_zeros(const unsigned group[8], int *ret_from, int *ret_n)
{
	int run = 0;

	*ret_from = -1;
	*ret_n = 1;
	for (int i = 0; i < 8; i++) {
		run = group[i] == 0 ? run + 1 : 0;
		if (run > *ret_n) {
			*ret_n = run;
			*ret_from = i - run + 1;
		}
	}
}

/* RFC 5952 text of 16 octets. */
static void ip6_text(const uint8_t *p, char text[INET6_ADDRSTRLEN])
{
	unsigned group[8];
	int from, n, used = 0;

	for (int i = 0; i < 8; i++)
		group[i] = (unsigned)p[2 * i] << 8 | p[2 * i + 1];
	longest_zeros(group, &from, &n);
	for (int i = 0; i < 8; i++) {
		size_t room = INET6_ADDRSTRLEN - (size_t)used;
		/* Behind "::" there is a colon already. */
		bool colon = i > 0 && (from < 0 || i != from + n);

		if (i == from) {
			used += snprintf(text + used, room, "::");
			i += n - 1;
			continue;
		}
		used += snprintf(text + used, room, colon ? ":%x" : "%x",
				 group[i]);
	}
}

/* Is it ::ffff:0:0/96, RFC 4291 2.5.5.2? */
static bool is_mapped(struct cs_span octets)
{
	static const uint8_t prefix[12] = {0, 0, 0, 0, 0,    0,
					   0, 0, 0, 0, 0xff, 0xff};

	return octets.n == 16 && memcmp(octets.p, prefix, sizeof(prefix)) == 0;
}

/* 4 or 16 octets, and not an IPv4-mapped address? */
static bool ip_check(struct cs_span octets, struct cs_error *err)
{
	if (octets.n != 4 && octets.n != 16)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 4.2.1.6: an IP address has 4 or "
				    "16 octets, not %zu",
				    octets.n);
	if (is_mapped(octets))
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 4291 2.5.5.2: an IPv4-mapped IPv6 "
				    "address; ask for the IPv4 address");
	return true;
}

bool cs_name_ip_text(struct cs_span octets, struct cs_arena *arena,
		     struct cs_span *ret_canonical, struct cs_error *err)
{
	char text[INET6_ADDRSTRLEN];

	if (!ip_check(octets, err))
		return false;
	if (octets.n == 4)
		(void)snprintf(text, sizeof(text), "%u.%u.%u.%u", octets.p[0],
			       octets.p[1], octets.p[2], octets.p[3]);
	else
		ip6_text(octets.p, text);
	return cs_arena_dup(arena, cs_span_str(text), ret_canonical) ||
	       no_memory(err);
}

bool cs_name_ip_octets(struct cs_span text, struct cs_arena *arena,
		       struct cs_span *ret_octets, struct cs_error *err)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t octets[16];
	struct cs_span s = {0};

	if (text.n == 0 || text.n >= sizeof(copy) ||
	    cs_span_find(text, '\0', NULL))
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 4291 2.2: no IP address in text");
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET, copy, octets) == 1)
		s = cs_span_make(octets, 4);
	else if (inet_pton(AF_INET6, copy, octets) == 1)
		s = cs_span_make(octets, 16);
	else
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 4291 2.2: no IP address in text");
	if (!ip_check(s, err))
		return false;
	return cs_arena_dup(arena, s, ret_octets) || no_memory(err);
}

/* May this byte stand in a URI, RFC 3986 2? `%` is looked at by the caller. */
static bool uri_byte(uint8_t c)
{
	return IS_ALNUM(c) ||
	       (c != 0 && strchr("-._~:/?#[]@!$&'()*+,;=%", c) != NULL);
}

/* Every byte allowed, every `%` followed by two hexadecimal digits? */
static bool uri_bytes(struct cs_span text, struct cs_error *err)
{
	size_t fragments = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (!uri_byte(c))
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 3986 2: byte 0x%02x in a URI",
					    c);
		if (c == '%' &&
		    (i + 2 >= text.n || !IS_HEX_DIGIT(text.p[i + 1]) ||
		     !IS_HEX_DIGIT(text.p[i + 2])))
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 3986 2.1: `%%` without two "
					    "hexadecimal digits");
		if (c == '#' && fragments++ > 0)
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 3986 3.5: a second `#`");
	}
	return true;
}

/* The scheme; *ret_n: its bytes, without the colon. */
static bool uri_scheme(struct cs_span text, size_t *ret_n, struct cs_error *err)
{
	size_t n;

	if (!cs_span_find(text, ':', &n) || n == 0 || !IS_LETTER(text.p[0]))
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 3986 3.1: a URI without a scheme");
	for (size_t i = 1; i < n; i++) {
		uint8_t c = text.p[i];

		if (!IS_ALNUM(c) && c != '+' && c != '-' && c != '.')
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 3986 3.1: byte 0x%02x in a "
					    "URI's scheme",
					    c);
	}
	if (n + 1 == text.n)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 4.2.1.6: nothing behind the "
				    "URI's scheme");
	*ret_n = n;
	return true;
}

/* "[v6]" as a host: an IPv6 address in brackets and nothing else. */
static bool uri_host_literal(struct cs_span host)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t octets[16];

	if (host.n < 4 || host.n - 2 >= sizeof(copy) ||
	    host.p[host.n - 1] != ']')
		return false;
	memcpy(copy, host.p + 1, host.n - 2);
	copy[host.n - 2] = '\0';
	return inet_pton(AF_INET6, copy, octets) == 1;
}

/* A host: a name (SPIFFE allows `_`), an IPv4 address, a bracketed IPv6. */
static bool uri_host(struct cs_span host, struct cs_error *err)
{
	if (host.n == 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5280 4.2.1.6: a URI with an empty "
				    "host");
	if (host.p[0] == '[') {
		if (uri_host_literal(host))
			return true;
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 3986 3.2.2: no IPv6 address in the "
				    "brackets");
	}
	for (size_t i = 0; i < host.n; i++) {
		uint8_t c = host.p[i];
		bool last = i + 1 == host.n;

		/* Readers differ on the root's empty label: Go takes none. */
		if (c == '.' && (i == 0 || last || host.p[i + 1] == '.'))
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 1034 3.5: a URI's host with "
					    "an empty label");
		if (!IS_ALNUM(c) && c != '-' && c != '.' && c != '_')
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 5280 4.2.1.6: byte 0x%02x in "
					    "a URI's host",
					    c);
	}
	if (host.n > CS_MAX_DNS_NAME)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 1035 2.3.4: a host longer than %d "
				    "bytes",
				    CS_MAX_DNS_NAME);
	return true;
}

/* Where the host of an authority begins and ends; its port is digits. */
static bool uri_authority(struct cs_span text, size_t at, size_t *ret_from,
			  size_t *ret_to, struct cs_error *err)
{
	size_t end = at, from = at, to;

	while (end < text.n && text.p[end] != '/' && text.p[end] != '?' &&
	       text.p[end] != '#')
		end++;
	for (size_t i = at; i < end; i++) {
		if (text.p[i] != '@')
			continue;
		if (from != at)
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 3986 3.2: a second `@` in "
					    "the authority");
		from = i + 1;
	}
	to = end;
	while (to > from && IS_DIGIT(text.p[to - 1]))
		to--;
	if (to > from && text.p[to - 1] == ':')
		to--;
	else
		to = end;
	*ret_from = from;
	*ret_to = to;
	return uri_host(cs_span_sub(text, from, to - from), err);
}

bool cs_name_uri(struct cs_span text, struct cs_arena *arena,
		 struct cs_span *ret_canonical, struct cs_error *err)
{
	size_t scheme = 0, from = 0, to = 0;
	struct cs_span s;

	if (text.n > CS_MAX_URI)
		return cs_error_set(err, CS_E_FORMAT,
				    "a URI longer than %d bytes", CS_MAX_URI);
	if (!uri_bytes(text, err) || !uri_scheme(text, &scheme, err))
		return false;
	if (cs_span_starts_with(cs_span_sub(text, scheme + 1, SIZE_MAX),
				CS_SPAN_LIT("//")) &&
	    !uri_authority(text, scheme + 3, &from, &to, err))
		return false;
	if (!lower(text, 0, scheme, arena, &s) ||
	    !lower(s, from, to, arena, &s))
		return no_memory(err);
	*ret_canonical = s;
	return true;
}

/* RFC 5322 3.2.3: a dot-atom. */
static bool local_part(struct cs_span s, struct cs_error *err)
{
	bool dot = true;

	if (s.n == 0 || s.n > MAX_LOCAL_PART)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5321 4.5.3.1.1: a local part has 1 "
				    "to 64 bytes");
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c == '.' && dot)
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 5321 4.1.2: an empty atom in "
					    "the local part");
		dot = c == '.';
		if (!dot && !IS_ALNUM(c) &&
		    (c == 0 || strchr("!#$%&'*+-/=?^_`{|}~", c) == NULL))
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 5321 4.1.2: byte 0x%02x in "
					    "the local part",
					    c);
	}
	if (dot)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5321 4.1.2: the local part ends with "
				    "a dot");
	return true;
}

bool cs_name_email(struct cs_span text, struct cs_arena *arena,
		   struct cs_span *ret_canonical, struct cs_error *err)
{
	struct cs_span host, name;
	size_t at;

	if (text.n > MAX_MAILBOX)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5321 4.5.3.1.3: a mailbox longer "
				    "than 254 bytes");
	if (!cs_span_find(text, '@', &at))
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5321 4.1.2: a mailbox without `@`");
	if (!local_part(cs_span_sub(text, 0, at), err))
		return false;
	host = cs_span_sub(text, at + 1, SIZE_MAX);
	if (!cs_name_dns(host, arena, &name, err))
		return cs_error_prefix(err, "the mailbox's host");
	if (cs_name_dns_is_wildcard(name))
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 5321 4.1.2: a wildcard as a "
				    "mailbox's host");
	/* The trailing dot went with the canonical name. */
	text.n = at + 1 + name.n;
	return lower(text, at + 1, text.n, arena, ret_canonical) ||
	       no_memory(err);
}

bool cs_name_has_control(struct cs_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < s.n && s.p[i + 1] < 0xa0)
			return true;
		if (c != 0xe2 || i + 2 >= s.n)
			continue;
		if (s.p[i + 1] == 0x80 &&
		    ((s.p[i + 2] >= 0x8b && s.p[i + 2] <= 0x8f) ||
		     (s.p[i + 2] >= 0xa8 && s.p[i + 2] <= 0xae)))
			return true;
		if (s.p[i + 1] == 0x81 && s.p[i + 2] >= 0xa0 &&
		    s.p[i + 2] <= 0xaf)
			return true;
	}
	return false;
}
