#include "issuer/constraints.h"

#include "base/der.h"
#include "policy/name.h"

static const char what[] = "nameConstraints";

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for subtrees");
}

/* A sentence about one subtree, with its text. */
static bool refuse(struct cs_error *err, const char *kind, struct cs_span text,
		   const char *why)
{
	return cs_error_set(err, CS_E_CERT,
			    "RFC 5280 4.2.1.10: the %s subtree \"%.*s\" %s",
			    kind, CS_SPAN_FMT(text), why);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*= RFC 5280 7.1: without regard to case, and white space compressed */
bool cs_constraints_fold(struct cs_span value, struct cs_arena *arena,
			 struct cs_span *ret_folded, struct cs_error *err)
{
	uint8_t *out = cs_arena_new(arena, value.n + 1);
	size_t n = 0;

	if (out == NULL)
		return no_memory(err);
	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];

		if (is_blank(c)) {
			if (n > 0 && out[n - 1] != ' ')
				out[n++] = ' ';
			continue;
		}
		out[n++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
	}
	if (n > 0 && out[n - 1] == ' ')
		n--;
	*ret_folded = cs_span_make(out, n);
	return true;
}

/* One RDN of one attribute. */
static bool read_rdn(struct cs_der *name, struct cs_arena *arena,
		     struct cs_subtree_rdn *rdn, struct cs_error *err)
{
	struct cs_der set, attr;
	struct cs_span value;
	uint8_t tag;

	if (!cs_der_enter(name, CS_DER_SET, "RDN", &set, err) ||
	    !cs_der_enter(&set, CS_DER_SEQUENCE, "attribute", &attr, err) ||
	    !cs_der_end(&set, "RDN of one attribute", err) ||
	    !cs_der_oid(&attr, "attribute", &rdn->oid, err) ||
	    !cs_der_any(&attr, &tag, &value, NULL, err) ||
	    !cs_der_end(&attr, "attribute", err))
		return false;
	if (tag != CS_DER_UTF8_STRING && tag != CS_DER_PRINTABLE_STRING &&
	    tag != CS_DER_IA5_STRING)
		return cs_error_set(err, CS_E_CERT,
				    "RFC 5280 7.1: a directory name with a "
				    "string of tag 0x%02x is not compared",
				    tag);
	return cs_constraints_fold(value, arena, &rdn->value, err);
}

bool cs_constraints_rdns(struct cs_span name, struct cs_arena *arena,
			 struct cs_subtree_rdn **ret_rdns, size_t *ret_n,
			 struct cs_error *err)
{
	struct cs_der r = cs_der_reader(name), list;
	struct cs_subtree_rdn *rdns;
	size_t n = 0;

	rdns = cs_arena_new_array(arena, CS_MAX_RDNS, sizeof(*rdns));
	if (rdns == NULL)
		return no_memory(err);
	if (!cs_der_enter(&r, CS_DER_SEQUENCE, "directoryName", &list, err) ||
	    !cs_der_end(&r, "directoryName", err))
		return false;
	while (!cs_der_at_end(&list)) {
		if (n == CS_MAX_RDNS)
			return cs_error_set(err, CS_E_CERT,
					    "RFC 5280 4.2.1.10: a directory "
					    "name of more than %d RDNs",
					    CS_MAX_RDNS);
		if (!read_rdn(&list, arena, &rdns[n++], err))
			return false;
	}
	*ret_rdns = rdns;
	*ret_n = n;
	return true;
}

/* A host, or ".zone"; no wildcard. */
static bool read_host(const char *kind, struct cs_span text,
		      struct cs_arena *arena, struct cs_span *ret_host,
		      struct cs_error *err)
{
	bool dot = text.n > 1 && text.p[0] == '.';
	struct cs_span host = cs_span_sub(text, dot, text.n);
	struct cs_error why;
	const char *zone;

	/* Verifiers compare octets: with a dot at its end it is no zone. */
	if (cs_span_ends_with(text, CS_SPAN_LIT(".")))
		return refuse(err, kind, text, "is neither a host nor a zone");
	if (!cs_name_dns(host, arena, &host, &why)) {
		if (why.code == CS_E_NO_MEMORY)
			return no_memory(err);
		return refuse(err, kind, text, "is neither a host nor a zone");
	}
	if (cs_name_dns_is_wildcard(host))
		return refuse(err, kind, text, "has a wildcard");
	zone = cs_arena_printf(arena, "%s%.*s", dot ? "." : "",
			       CS_SPAN_FMT(host));
	if (zone == NULL)
		return no_memory(err);
	*ret_host = cs_span_str(zone);
	return true;
}

static bool read_dns(struct cs_subtree *s, struct cs_span content,
		     struct cs_arena *arena, struct cs_error *err)
{
	/* The empty name: all that labels can be added to. */
	return content.n == 0 ||
	       read_host("dNSName", content, arena, &s->text, err);
}

static bool read_uri(struct cs_subtree *s, struct cs_span content,
		     struct cs_arena *arena, struct cs_error *err)
{
	return read_host("uniformResourceIdentifier", content, arena, &s->text,
			 err);
}

static bool read_email(struct cs_subtree *s, struct cs_span content,
		       struct cs_arena *arena, struct cs_error *err)
{
	struct cs_error why;

	if (!cs_span_find(content, '@', NULL))
		return read_host("rfc822Name", content, arena, &s->text, err);
	if (cs_name_email(content, arena, &s->text, &why))
		return true;
	if (why.code == CS_E_NO_MEMORY)
		return no_memory(err);
	return refuse(err, "rfc822Name", content, "is no mailbox");
}

/* Ones, then zeros (RFC 4632 3.1)? */
static bool is_prefix(struct cs_span mask)
{
	bool ended = false;

	for (size_t i = 0; i < mask.n * 8; i++) {
		bool one = mask.p[i / 8] >> (7 - i % 8) & 1;

		if (one && ended)
			return false;
		ended = ended || !one;
	}
	return true;
}

static bool read_ip(struct cs_subtree *s, struct cs_span content,
		    struct cs_arena *arena, struct cs_error *err)
{
	(void)arena;
	if (content.n != 8 && content.n != 32)
		return cs_error_set(err, CS_E_CERT,
				    "RFC 5280 4.2.1.10: an iPAddress subtree "
				    "has 8 or 32 octets, not %zu",
				    content.n);
	s->address = cs_span_sub(content, 0, content.n / 2);
	s->mask = cs_span_sub(content, content.n / 2, content.n);
	if (!is_prefix(s->mask))
		return cs_error_set(err, CS_E_CERT,
				    "RFC 5280 4.2.1.10: the mask of an "
				    "iPAddress subtree is not a prefix "
				    "(RFC 4632 3.1)");
	return true;
}

static bool read_directory(struct cs_subtree *s, struct cs_span content,
			   struct cs_arena *arena, struct cs_error *err)
{
	return cs_constraints_rdns(content, arena, &s->rdns, &s->rdns_n, err);
}

/* Only that there is one: see the header. */
static bool read_other(struct cs_subtree *s, struct cs_span content,
		       struct cs_arena *arena, struct cs_error *err)
{
	(void)s;
	(void)content;
	(void)arena;
	(void)err;
	return true;
}

static const struct {
	uint8_t tag;
	enum cs_name_kind kind;
	bool (*read)(struct cs_subtree *s, struct cs_span content,
		     struct cs_arena *arena, struct cs_error *err);
} kinds[] = {
	{CS_DER_CONTEXT(1), CS_NAME_EMAIL, read_email},
	{CS_DER_CONTEXT(2), CS_NAME_DNS, read_dns},
	{CS_DER_CONTEXT(6), CS_NAME_URI, read_uri},
	{CS_DER_CONTEXT(7), CS_NAME_IP, read_ip},
	{CS_DER_CONTEXT_CONSTRUCTED(4), CS_NAME_DIRECTORY, read_directory},
	{CS_DER_CONTEXT_CONSTRUCTED(0), CS_NAME_OTHER, read_other},
	{CS_DER_CONTEXT(8), CS_NAME_REGISTERED_ID, read_other},
	/* x400Address and ediPartyName: no certificate of ours has one. */
	{CS_DER_CONTEXT_CONSTRUCTED(3), CS_NAME_KINDS, read_other},
	{CS_DER_CONTEXT_CONSTRUCTED(5), CS_NAME_KINDS, read_other},
};

/* GeneralSubtree: a base, minimum 0 (left out in DER) and no maximum. */
static bool read_subtree(struct cs_der *list, struct cs_arena *arena,
			 struct cs_subtree *s, struct cs_error *err)
{
	struct cs_span content;
	struct cs_der subtree;
	uint8_t tag;

	if (!cs_der_enter(list, CS_DER_SEQUENCE, what, &subtree, err) ||
	    !cs_der_any(&subtree, &tag, &content, NULL, err))
		return false;
	if (!cs_der_at_end(&subtree))
		return cs_error_set(err, CS_E_CERT,
				    "RFC 5280 4.2.1.10: a subtree has a "
				    "minimum other than 0, or a maximum");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].tag != tag)
			continue;
		s->kind = kinds[i].kind;
		return kinds[i].read(s, content, arena, err);
	}
	return cs_error_set(err, CS_E_CERT,
			    "RFC 5280 4.2.1.10: a subtree of no kind of name "
			    "(tag 0x%02x)",
			    tag);
}

/* GeneralSubtrees behind a tag of their own, if they are there. */
static bool read_list(struct cs_der *r, uint8_t tag, struct cs_arena *arena,
		      struct cs_subtree **ret_items, size_t *ret_n,
		      struct cs_error *err)
{
	struct cs_subtree *items;
	struct cs_der list, count;
	struct cs_span skipped;
	uint8_t any;
	bool there;
	size_t n = 0;

	if (!cs_der_enter_optional(r, tag, what, &list, &there, err))
		return false;
	if (!there)
		return true;
	for (count = list; !cs_der_at_end(&count); n++) {
		if (!cs_der_any(&count, &any, &skipped, NULL, err))
			return false;
	}
	if (n == 0 || n > CS_MAX_SUBTREES)
		return cs_error_set(err, CS_E_CERT,
				    "RFC 5280 4.2.1.10: a list of %zu "
				    "subtrees; 1 to %d are taken",
				    n, CS_MAX_SUBTREES);
	items = cs_arena_new_array(arena, n, sizeof(*items));
	if (items == NULL)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		if (!read_subtree(&list, arena, &items[i], err))
			return false;
	}
	*ret_items = items;
	*ret_n = n;
	return true;
}

bool cs_constraints_read(struct cs_span value, struct cs_arena *arena,
			 struct cs_constraints *ret_constraints,
			 struct cs_error *err)
{
	struct cs_der r = cs_der_reader(value), outer;
	struct cs_constraints c = {0};

	if (!cs_der_enter(&r, CS_DER_SEQUENCE, what, &outer, err) ||
	    !cs_der_end(&r, what, err) ||
	    !read_list(&outer, CS_DER_CONTEXT_CONSTRUCTED(0), arena,
		       &c.permitted, &c.permitted_n, err) ||
	    !read_list(&outer, CS_DER_CONTEXT_CONSTRUCTED(1), arena,
		       &c.excluded, &c.excluded_n, err) ||
	    !cs_der_end(&outer, what, err))
		return false;
	if (c.permitted_n + c.excluded_n == 0)
		return cs_error_set(err, CS_E_CERT,
				    "RFC 5280 4.2.1.10: name constraints "
				    "without a subtree");
	*ret_constraints = c;
	return true;
}
