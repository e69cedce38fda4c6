/* From the text of a matcher to what compares: see policy/template.h. */
#include <string.h>

#include "base/der.h"
#include "policy/name.h"
#include "policy/template.h"

/* An interpolated value may not bring one of these bytes with it. */
static bool refuse_foreign(const struct cs_resolved *r, const char *bytes,
			   const char *where, struct cs_error *err)
{
	for (size_t i = 0; i < r->text.n; i++) {
		uint8_t c = r->text.p[i];

		if (!cs_resolved_is_foreign(r, i) || c == '\0' ||
		    strchr(bytes, c) == NULL)
			continue;
		cs_error_set(err, CS_E_FORMAT,
			     "`%.*s`: the value of a {{path}} in %s cannot "
			     "hold `%c`",
			     CS_SPAN_FMT(r->text), where, c);
		return false;
	}
	return true;
}

/* A DNS name of a matcher, made canonical. */
static bool canonical_dns(struct cs_span text, struct cs_arena *arena,
			  struct cs_span *ret, struct cs_error *err)
{
	struct cs_error why = {0};

	if (cs_name_dns(text, arena, ret, &why))
		return true;
	return cs_error_set(err, why.code, "`%.*s` is no DNS name: %s",
			    CS_SPAN_FMT(text), why.text);
}

/* Does the text begin with this, in the author's own words? */
static bool begins(const struct cs_resolved *r, const char *prefix)
{
	size_t n = strlen(prefix);

	if (!cs_span_starts_with(r->text, cs_span_str(prefix)))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (cs_resolved_is_foreign(r, i))
			return false;
	}
	return true;
}

/* host, *.zone, **.zone or .zone: how many bytes are the pattern. */
static size_t zone_prefix(const struct cs_resolved *r,
			  enum cs_match_kind *ret_kind)
{
	*ret_kind = CS_MATCH_DNS_HOST;
	if (begins(r, "**.")) {
		*ret_kind = CS_MATCH_DNS_BELOW;
		return 3;
	}
	if (begins(r, "*.")) {
		*ret_kind = CS_MATCH_DNS_ONE;
		return 2;
	}
	if (begins(r, ".")) {
		*ret_kind = CS_MATCH_DNS_WITHIN;
		return 1;
	}
	return 0;
}

static bool make_dns(const struct cs_resolved *r, struct cs_arena *arena,
		     enum cs_match_kind *ret_kind, struct cs_span *ret_zone,
		     struct cs_error *err)
{
	size_t skip = zone_prefix(r, ret_kind);
	struct cs_span text = cs_span_sub(r->text, skip, SIZE_MAX);

	if (cs_span_find(text, '*', NULL))
		return cs_error_set(err, CS_E_FORMAT,
				    "`%.*s`: `*` stands only in front, as "
				    "`*.` or `**.`",
				    CS_SPAN_FMT(r->text));
	return canonical_dns(text, arena, ret_zone, err);
}

/* ADDRESS/BITS with the host's bits zero, or one address. */
static bool make_cidr(const struct cs_resolved *r, struct cs_arena *arena,
		      struct cs_matcher *m, struct cs_error *err)
{
	struct cs_span text = r->text;
	struct cs_error why = {0};
	size_t slash = text.n;
	unsigned bits = 0;

	if (!refuse_foreign(r, "/", "a network", err))
		return false;
	(void)cs_span_find(text, '/', &slash);
	if (!cs_name_ip_octets(cs_span_sub(text, 0, slash), arena, &m->net,
			       &why))
		return cs_error_set(err, why.code, "`%.*s` is no network: %s",
				    CS_SPAN_FMT(text), why.text);
	for (size_t i = slash + 1; i < text.n && bits <= 128; i++)
		bits = text.p[i] >= '0' && text.p[i] <= '9'
			       ? bits * 10 + (text.p[i] - '0')
			       : 1000;
	if (slash == text.n)
		bits = (unsigned)(8 * m->net.n);
	if (slash + 1 == text.n || bits > 8 * m->net.n)
		return cs_error_set(err, CS_E_FORMAT,
				    "`%.*s` is no network: RFC 4632 3.1 wants "
				    "ADDRESS/BITS",
				    CS_SPAN_FMT(text));
	m->prefix = bits;
	for (unsigned bit = bits; bit < 8 * m->net.n; bit++) {
		if ((m->net.p[bit / 8] & (0x80 >> bit % 8)) != 0)
			return cs_error_set(err, CS_E_FORMAT,
					    "`%.*s` has bits behind its "
					    "prefix; write the network's "
					    "address",
					    CS_SPAN_FMT(text));
	}
	return true;
}

/* What a value must not bring into a URI: RFC 3986 3.3, and more. */
#define URI_FOREIGN "/?#%[]\\ \"<>^`{|}"

/* The value of `exact`, canonical where its domain has such a thing. */
static bool make_exact(const struct cs_resolved *r, enum cs_match_domain domain,
		       struct cs_arena *arena, struct cs_matcher *m,
		       struct cs_error *err)
{
	struct cs_error why = {0};
	struct cs_span octets;
	bool ok = true;

	if (domain == CS_DOMAIN_DNS) {
		/* As DNS_HOST, so that a requested wildcard is a set. */
		m->kind = CS_MATCH_DNS_HOST;
		return refuse_foreign(r, "*", "a DNS name", err) &&
		       canonical_dns(r->text, arena, &m->text, err);
	}
	if (domain == CS_DOMAIN_URI &&
	    !refuse_foreign(r, URI_FOREIGN "@", "a URI", err))
		return false;
	m->text = r->text;
	if (domain == CS_DOMAIN_IP)
		ok = cs_name_ip_octets(r->text, arena, &octets, &why) &&
		     cs_name_ip_text(octets, arena, &m->text, &why);
	if (domain == CS_DOMAIN_URI)
		ok = cs_name_uri(r->text, arena, &m->text, &why);
	if (domain == CS_DOMAIN_EMAIL)
		ok = cs_name_email(r->text, arena, &m->text, &why);
	if (!ok)
		return cs_error_set(err, why.code, "`%.*s`: %s",
				    CS_SPAN_FMT(r->text), why.text);
	return true;
}

/*
 * A glob's items. `path`: stars stay in their segment, `**` crosses, and a
 * segment that is one star alone is never empty.
 */
static bool make_glob(const struct cs_resolved *r, bool path,
		      struct cs_arena *arena, struct cs_glob *ret,
		      struct cs_error *err)
{
	/* A star alone becomes two. */
	uint16_t *items =
		cs_arena_new_array(arena, 2 * r->text.n + 1, sizeof(*items));
	const uint8_t *p = r->text.p;
	size_t n = 0, end = r->text.n;

	if (items == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for a glob");
	for (size_t i = 0; i < end; i++) {
		if (p[i] != '*' || cs_resolved_is_foreign(r, i)) {
			items[n++] = p[i];
		} else if (!path) {
			items[n++] = CS_GLOB_ANY;
		} else if (i + 1 < end && p[i + 1] == '*' &&
			   !cs_resolved_is_foreign(r, i + 1)) {
			items[n++] = CS_GLOB_ANY;
			i++;
		} else {
			if ((i == 0 || p[i - 1] == '/') &&
			    (i + 1 == end || p[i + 1] == '/'))
				items[n++] = CS_GLOB_ONE;
			items[n++] = CS_GLOB_SEGMENT;
		}
	}
	*ret = (struct cs_glob){items, n};
	return true;
}

/* A host of a URI: a DNS pattern, or one host as it is. */
static bool make_host(const struct cs_resolved *r, struct cs_arena *arena,
		      struct cs_matcher *m, struct cs_error *err)
{
	uint8_t *lower;

	if (zone_prefix(r, &m->host_kind) > 0)
		return make_dns(r, arena, &m->host_kind, &m->text, err);
	lower = cs_arena_new(arena, r->text.n);
	if (lower == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for a host");
	for (size_t i = 0; i < r->text.n; i++) {
		uint8_t c = r->text.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 32);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '.' || c == '_'))
			return cs_error_set(err, CS_E_FORMAT,
					    "`%.*s` is no host of a URI: RFC "
					    "3986 3.2.2",
					    CS_SPAN_FMT(r->text));
		lower[i] = c;
	}
	m->text = cs_span_make(lower, r->text.n);
	return true;
}

/* Is one of the path's segments "." or ".."? */
static bool has_dots(struct cs_span path)
{
	size_t start = 0;

	for (size_t i = 0; i <= path.n; i++) {
		struct cs_span one;

		if (i < path.n && path.p[i] != '/')
			continue;
		one = cs_span_sub(path, start, i - start);
		if (cs_span_equal_str(one, ".") || cs_span_equal_str(one, ".."))
			return true;
		start = i + 1;
	}
	return false;
}

/* scheme, host and path, as far as they are given; and how it looks. */
static bool make_uri(const struct cs_matcher_source *s,
		     const struct cs_resolved *host,
		     const struct cs_resolved *path, struct cs_arena *arena,
		     struct cs_matcher *m, struct cs_error *err)
{
	struct cs_span any = CS_SPAN_LIT("*");
	struct cs_span scheme = s->scheme.n > 0 ? s->scheme : any;
	struct cs_span h = host->text.n > 0 ? host->text : any;
	struct cs_span p = s->has_path ? path->text : CS_SPAN_LIT("/**");
	char *shown =
		cs_arena_printf(arena, "%.*s://%.*s%.*s", CS_SPAN_FMT(scheme),
				CS_SPAN_FMT(h), CS_SPAN_FMT(p));

	if (shown == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory for a URI");
	m->shown = cs_span_str(shown);
	m->scheme = s->scheme;
	m->has_path = s->has_path;
	if (host->text.n > 0 && !make_host(host, arena, m, err))
		return false;
	if (!s->has_path)
		return true;
	if (!refuse_foreign(path, URI_FOREIGN, "a path's segment", err))
		return false;
	if (has_dots(path->text))
		return cs_error_set(err, CS_E_FORMAT,
				    "`%.*s`: RFC 3986 5.2.4: a path with `.` "
				    "or `..` as a segment",
				    CS_SPAN_FMT(path->text));
	return make_glob(path, true, arena, &m->glob, err);
}

/* A dotted OID, which is compared as the text that it is. */
static bool make_oid(const struct cs_resolved *r, struct cs_matcher *m,
		     struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf oid;

	cs_buf_init(&oid, CS_MAX_OID);
	if (!cs_der_oid_parse(r->text, &oid, err))
		return false;
	m->kind = CS_MATCH_EXACT;
	m->text = r->text;
	return cs_buf_finish(&oid, "the OID", err);
}

/* A directory name; what was interpolated is part of its values. */
static bool make_dn(const struct cs_resolved *r, struct cs_arena *arena,
		    struct cs_matcher *m, struct cs_error *err)
{
	struct cs_error why = {0};

	m->kind = CS_MATCH_EXACT;
	if (cs_name_dn_text(r->text, r->foreign, arena, &m->text, &why))
		return true;
	return cs_error_set(err, why.code, "`%.*s`: %s", CS_SPAN_FMT(r->text),
			    why.text);
}

/* A regular expression; what was interpolated matches itself. */
static bool make_regex(const struct cs_resolved *r, struct cs_arena *arena,
		       struct cs_matcher *m, struct cs_error *err)
{
	struct cs_error why = {0};

	if (cs_regex_compile_with_values(r->text, r->foreign, arena, &m->regex,
					 &why))
		return true;
	return cs_error_set(err, why.code, "`%.*s`: %s", CS_SPAN_FMT(r->text),
			    why.text);
}

/* The words that need only the one text. */
static bool make_plain(const struct cs_matcher_source *s,
		       const struct cs_resolved *value, struct cs_arena *arena,
		       struct cs_matcher *m, struct cs_error *err)
{
	switch (s->word) {
	case CS_WORD_DNS:
		return make_dns(value, arena, &m->kind, &m->text, err);
	case CS_WORD_CIDR:
		m->kind = CS_MATCH_CIDR;
		return make_cidr(value, arena, m, err);
	case CS_WORD_EXACT:
		m->kind = CS_MATCH_EXACT;
		return make_exact(value, s->domain, arena, m, err);
	case CS_WORD_IEXACT:
		m->kind = CS_MATCH_IEXACT;
		m->text = value->text;
		return true;
	case CS_WORD_GLOB:
		m->kind = CS_MATCH_GLOB;
		return make_glob(value, false, arena, &m->glob, err);
	case CS_WORD_REGEX:
		m->kind = CS_MATCH_REGEX;
		m->has_path = s->domain == CS_DOMAIN_URI;
		return make_regex(value, arena, m, err);
	case CS_WORD_EMAIL:
		m->kind = CS_MATCH_EMAIL;
		return make_dns(value, arena, &m->host_kind, &m->text, err);
	case CS_WORD_OID:
		return make_oid(value, m, err);
	case CS_WORD_DN:
		return make_dn(value, arena, m, err);
	case CS_WORD_ANY:
	case CS_WORD_URI:
	default:
		m->kind = CS_MATCH_ANY;
		return true;
	}
}

bool cs_matcher_make(const struct cs_matcher_source *source,
		     const struct cs_resolved *value,
		     const struct cs_resolved *path, struct cs_arena *arena,
		     struct cs_matcher *ret_matcher, struct cs_error *err)
{
	struct cs_matcher m = {.shown = value->text};
	char *shown;

	if (source->word == CS_WORD_ANY)
		m.shown = CS_SPAN_LIT("any");
	if (source->word == CS_WORD_URI) {
		m.kind = CS_MATCH_URI;
		if (!make_uri(source, value, path, arena, &m, err))
			return false;
	} else if (!make_plain(source, value, arena, &m, err)) {
		return false;
	}
	if (source->word == CS_WORD_EMAIL) {
		shown = cs_arena_printf(arena, "*@%.*s",
					CS_SPAN_FMT(value->text));
		if (shown == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY,
					    "no memory for an address");
		m.shown = cs_span_str(shown);
	}
	*ret_matcher = m;
	return true;
}

bool cs_matcher_phrase(const struct cs_matcher *m, struct cs_arena *arena,
		       struct cs_span *ret_phrase)
{
	struct cs_span text = m->shown;
	const char *before = NULL;
	char *phrase;

	if (m->kind == CS_MATCH_DNS_ONE) {
		before = "one label in front of ";
		text = m->text;
	}
	if (m->kind == CS_MATCH_DNS_BELOW || m->kind == CS_MATCH_DNS_WITHIN)
		before = "below ";
	if (m->kind == CS_MATCH_CIDR)
		before = "in ";
	if (m->kind == CS_MATCH_REGEX)
		before = "matched by ";
	if (before == NULL) {
		*ret_phrase = text;
		return true;
	}
	phrase = cs_arena_printf(arena, "%s%.*s", before, CS_SPAN_FMT(text));
	if (phrase == NULL)
		return false;
	*ret_phrase = cs_span_str(phrase);
	return true;
}
