#include "base/der.h"

#include "base/limits.h"
#include "base/time.h"

/* Universal types that are constructed, one bit a number (X.690 8). */
#define UNIVERSAL_CONSTRUCTED                                                  \
	(UINT32_C(1) << 8 | UINT32_C(1) << 11 | UINT32_C(1) << 16 |            \
	 UINT32_C(1) << 17 | UINT32_C(1) << 29)

/* Octets of a length, of which any content of ours needs less. */
#define MAX_LENGTH_OCTETS 4

/* Refuse with what was being read and the rule. */
static bool refuse(struct cs_error *err, const char *what, const char *rule)
{
	return cs_error_set(err, CS_E_DER, "%s: %s", what, rule);
}

struct cs_der cs_der_reader(struct cs_span bytes)
{
	return (struct cs_der){.rest = bytes};
}

bool cs_der_at_end(const struct cs_der *r)
{
	return r->rest.n == 0;
}

bool cs_der_next_is(const struct cs_der *r, uint8_t tag)
{
	return r->rest.n > 0 && r->rest.p[0] == tag;
}

/* The identifier octet: low form, and the form its type must have. */
static bool check_tag(uint8_t tag, const char *what, struct cs_error *err)
{
	unsigned number = tag & 0x1f;
	bool constructed = (tag & 0x20) != 0;

	if (number == 0x1f)
		return refuse(err, what,
			      "X.690 8.1.2.4: a tag number above 30");
	if ((tag & 0xc0) != 0)
		return true;
	if (number == 0)
		return refuse(err, what,
			      "X.690 8.1.5: end-of-contents octets, which only "
			      "the indefinite form has");
	if ((UNIVERSAL_CONSTRUCTED >> number & 1) != 0)
		return constructed ||
		       refuse(err, what,
			      "X.690 8.9.1: SEQUENCE and SET must be "
			      "constructed");
	return !constructed ||
	       refuse(err, what,
		      "X.690 10.2: a value of this type must be primitive");
}

/* The length at s (behind the identifier): octets it takes, and its value. */
static bool read_length(struct cs_span s, const char *what, size_t *ret_octets,
			size_t *ret_length, struct cs_error *err)
{
	size_t length = 0;
	size_t n;

	if (s.n == 0)
		return refuse(err, what,
			      "X.690 8.1.3: the input ends before the length");
	if (s.p[0] < 0x80) {
		*ret_octets = 1;
		*ret_length = s.p[0];
		return true;
	}
	n = s.p[0] & 0x7f;
	if (n == 0)
		return refuse(err, what,
			      "X.690 10.1: the indefinite form of length");
	if (n >= s.n || (n > MAX_LENGTH_OCTETS && s.p[1] != 0))
		return refuse(err, what,
			      "X.690 8.1.3: the length goes beyond the input");
	for (size_t i = 1; i <= n; i++)
		length = length << 8 | s.p[i];
	/*= X.690 10.1 */
	if (s.p[1] == 0 || length < 0x80)
		return refuse(err, what,
			      "X.690 10.1: a length that is not minimal");
	*ret_octets = n + 1;
	*ret_length = length;
	return true;
}

/* The element at the start of s; nothing is written on failure. */
static bool read_element(struct cs_span s, const char *what,
			 struct cs_span *ret_content, struct cs_span *ret_whole,
			 struct cs_error *err)
{
	size_t octets = 0;
	size_t length = 0;

	if (s.n == 0)
		return refuse(err, what, "X.690 8.1.1: the element is missing");
	if (!check_tag(s.p[0], what, err) ||
	    !read_length(cs_span_make(s.p + 1, s.n - 1), what, &octets, &length,
			 err))
		return false;
	if (length > s.n - 1 - octets)
		return refuse(err, what,
			      "X.690 8.1.3: the length goes beyond the input");
	*ret_content = cs_span_make(s.p + 1 + octets, length);
	*ret_whole = cs_span_make(s.p, 1 + octets + length);
	return true;
}

/* Move behind an element that begins where r stands. */
static void skip(struct cs_der *r, struct cs_span whole)
{
	r->rest = cs_span_make(r->rest.p + whole.n, r->rest.n - whole.n);
}

bool cs_der_any(struct cs_der *r, uint8_t *ret_tag, struct cs_span *ret_content,
		struct cs_span *ret_whole, struct cs_error *err)
{
	struct cs_span content = {0};
	struct cs_span whole = {0};

	if (!read_element(r->rest, "element", &content, &whole, err))
		return false;
	*ret_tag = r->rest.p[0];
	*ret_content = content;
	if (ret_whole != NULL)
		*ret_whole = whole;
	skip(r, whole);
	return true;
}

/* As cs_der_element, without moving r: callers look at the content first. */
static bool peek(const struct cs_der *r, uint8_t tag, const char *what,
		 struct cs_span *ret_content, struct cs_span *ret_whole,
		 struct cs_error *err)
{
	if (r->rest.n > 0 && r->rest.p[0] != tag)
		return cs_error_set(err, CS_E_DER,
				    "%s: X.690 8.1.2: tag 0x%02x stands where "
				    "0x%02x must",
				    what, r->rest.p[0], tag);
	return read_element(r->rest, what, ret_content, ret_whole, err);
}

bool cs_der_element(struct cs_der *r, uint8_t tag, const char *what,
		    struct cs_span *ret_content, struct cs_span *ret_whole,
		    struct cs_error *err)
{
	struct cs_span whole = {0};

	if (!peek(r, tag, what, ret_content, &whole, err))
		return false;
	if (ret_whole != NULL)
		*ret_whole = whole;
	skip(r, whole);
	return true;
}

bool cs_der_enter(struct cs_der *r, uint8_t tag, const char *what,
		  struct cs_der *ret_inner, struct cs_error *err)
{
	struct cs_span content = {0};

	/* ret_inner may be r itself. */
	if (!cs_der_element(r, tag, what, &content, NULL, err))
		return false;
	ret_inner->rest = content;
	return true;
}

bool cs_der_enter_optional(struct cs_der *r, uint8_t tag, const char *what,
			   struct cs_der *ret_inner, bool *ret_there,
			   struct cs_error *err)
{
	bool there = cs_der_next_is(r, tag);

	if (there && !cs_der_enter(r, tag, what, ret_inner, err))
		return false;
	*ret_there = there;
	return true;
}

bool cs_der_end(const struct cs_der *r, const char *what, struct cs_error *err)
{
	if (r->rest.n == 0)
		return true;
	return cs_error_set(err, CS_E_DER,
			    "%s: X.690 8.1.1: %zu octets behind its end", what,
			    r->rest.n);
}

bool cs_der_check(struct cs_span bytes, const char *what, struct cs_error *err)
{
	struct cs_der level[CS_MAX_DER_DEPTH];
	struct cs_der outer = cs_der_reader(bytes);
	struct cs_span content, whole;
	size_t depth = 0;
	uint8_t tag;

	if (!cs_der_any(&outer, &tag, &content, &whole, err) ||
	    !cs_der_end(&outer, what, err))
		return false;
	if ((tag & 0x20) != 0)
		level[depth++] = cs_der_reader(content);
	while (depth > 0) {
		if (cs_der_at_end(&level[depth - 1])) {
			depth--;
			continue;
		}
		if (!cs_der_any(&level[depth - 1], &tag, &content, &whole, err))
			return false;
		if ((tag & 0x20) == 0)
			continue;
		if (depth == CS_MAX_DER_DEPTH)
			return cs_error_set(err, CS_E_DER,
					    "%s: nested more than %d levels "
					    "deep",
					    what, CS_MAX_DER_DEPTH);
		level[depth++] = cs_der_reader(content);
	}
	return true;
}

bool cs_der_boolean(struct cs_der *r, const char *what, bool *ret_value,
		    struct cs_error *err)
{
	struct cs_span content = {0};
	struct cs_span whole = {0};

	if (!peek(r, CS_DER_BOOLEAN, what, &content, &whole, err))
		return false;
	if (content.n != 1)
		return refuse(err, what,
			      "X.690 8.2.1: a BOOLEAN has one octet");
	/*= X.690 11.1 */
	if (content.p[0] != 0x00 && content.p[0] != 0xff)
		return refuse(err, what,
			      "X.690 11.1: BOOLEAN true must be 0xff");
	*ret_value = content.p[0] != 0;
	skip(r, whole);
	return true;
}

/* The content of a minimal INTEGER, without moving r. */
static bool peek_integer(const struct cs_der *r, const char *what,
			 struct cs_span *ret_content, struct cs_span *ret_whole,
			 struct cs_error *err)
{
	struct cs_span c = {0};

	if (!peek(r, CS_DER_INTEGER, what, &c, ret_whole, err))
		return false;
	if (c.n == 0)
		return refuse(err, what,
			      "X.690 8.3.1: an INTEGER has at least one octet");
	/*= X.690 8.3.2 */
	if (c.n > 1 && ((c.p[0] == 0x00 && c.p[1] < 0x80) ||
			(c.p[0] == 0xff && c.p[1] >= 0x80)))
		return refuse(err, what,
			      "X.690 8.3.2: an INTEGER that is not minimal");
	*ret_content = c;
	return true;
}

bool cs_der_integer(struct cs_der *r, const char *what,
		    struct cs_span *ret_content, struct cs_error *err)
{
	struct cs_span whole = {0};

	if (!peek_integer(r, what, ret_content, &whole, err))
		return false;
	skip(r, whole);
	return true;
}

bool cs_der_uint(struct cs_der *r, const char *what, uint64_t *ret_value,
		 struct cs_error *err)
{
	struct cs_span content = {0};
	struct cs_span whole = {0};
	uint64_t v = 0;

	if (!peek_integer(r, what, &content, &whole, err))
		return false;
	if (content.p[0] >= 0x80)
		return refuse(err, what,
			      "X.690 8.3.3: a negative INTEGER where none may "
			      "be");
	if (content.n > 9 || (content.n == 9 && content.p[0] != 0))
		return refuse(err, what,
			      "X.690 8.3.3: an INTEGER beyond 64 bits");
	for (size_t i = 0; i < content.n; i++)
		v = v << 8 | content.p[i];
	*ret_value = v;
	skip(r, whole);
	return true;
}

/* Every arc minimal, the last one complete. */
static bool check_arcs(struct cs_span oid, const char *what,
		       struct cs_error *err)
{
	bool first = true; /* octet of an arc */

	for (size_t i = 0; i < oid.n; i++) {
		/*= X.690 8.19.2 */
		if (first && oid.p[i] == 0x80)
			return refuse(err, what,
				      "X.690 8.19.2: an OBJECT IDENTIFIER "
				      "with an arc that is not minimal");
		first = oid.p[i] < 0x80;
	}
	return first || refuse(err, what,
			       "X.690 8.19.2: an OBJECT IDENTIFIER that ends "
			       "inside an arc");
}

bool cs_der_oid(struct cs_der *r, const char *what, struct cs_span *ret_oid,
		struct cs_error *err)
{
	struct cs_span content = {0};
	struct cs_span whole = {0};

	if (!peek(r, CS_DER_OID, what, &content, &whole, err))
		return false;
	if (content.n == 0)
		return refuse(err, what,
			      "X.690 8.19.1: an empty OBJECT IDENTIFIER");
	if (content.n > CS_MAX_OID)
		return cs_error_set(err, CS_E_DER,
				    "%s: an OBJECT IDENTIFIER of %zu octets, "
				    "more than %d (X.690 8.19)",
				    what, content.n, CS_MAX_OID);
	if (!check_arcs(content, what, err))
		return false;
	*ret_oid = content;
	skip(r, whole);
	return true;
}

/* A BIT STRING's octets and unused bits, the latter zero; r stays. */
static bool peek_bits(const struct cs_der *r, const char *what,
		      struct cs_span *ret_octets, unsigned *ret_unused,
		      struct cs_span *ret_whole, struct cs_error *err)
{
	struct cs_span c = {0};
	unsigned unused;

	if (!peek(r, CS_DER_BIT_STRING, what, &c, ret_whole, err))
		return false;
	if (c.n == 0)
		return refuse(err, what,
			      "X.690 8.6.2.1: a BIT STRING begins with the "
			      "count of its unused bits");
	unused = c.p[0];
	if (unused > 7)
		return refuse(err, what,
			      "X.690 8.6.2.2: more than 7 unused bits");
	if (c.n == 1 && unused != 0)
		return refuse(err, what,
			      "X.690 8.6.2.3: unused bits of an empty BIT "
			      "STRING");
	/*= X.690 11.2.1 */
	if ((c.p[c.n - 1] & ((1U << unused) - 1)) != 0 && c.n > 1)
		return refuse(err, what,
			      "X.690 11.2.1: unused bits of a BIT STRING must "
			      "be zero");
	*ret_octets = cs_span_make(c.p + 1, c.n - 1);
	*ret_unused = unused;
	return true;
}

bool cs_der_bit_string_octets(struct cs_der *r, const char *what,
			      struct cs_span *ret_octets, struct cs_error *err)
{
	struct cs_span octets = {0};
	struct cs_span whole = {0};
	unsigned unused = 0;

	if (!peek_bits(r, what, &octets, &unused, &whole, err))
		return false;
	if (unused != 0)
		return refuse(err, what,
			      "X.690 8.6.2.2: a BIT STRING of whole octets has "
			      "no unused bits");
	*ret_octets = octets;
	skip(r, whole);
	return true;
}

bool cs_der_named_bits(struct cs_der *r, const char *what, uint32_t *ret_bits,
		       struct cs_error *err)
{
	struct cs_span octets = {0};
	struct cs_span whole = {0};
	unsigned unused = 0;
	uint32_t bits = 0;

	if (!peek_bits(r, what, &octets, &unused, &whole, err))
		return false;
	if (octets.n > 4)
		return refuse(err, what,
			      "X.690 8.6: a list of more than 32 named bits");
	/*= X.690 11.2.2 */
	if (octets.n > 0 && (octets.p[octets.n - 1] >> unused & 1) == 0)
		return refuse(err, what,
			      "X.690 11.2.2: a list of named bits that ends "
			      "with zeros");
	for (unsigned i = 0; i < octets.n * 8; i++) {
		if ((octets.p[i / 8] & 0x80 >> i % 8) != 0)
			bits |= UINT32_C(1) << i;
	}
	*ret_bits = bits;
	skip(r, whole);
	return true;
}

/* Two digits at p, or -1. */
static int two_digits(const uint8_t *p)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1;
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* Month to Z, ten digits and the letter; a bad digit gives a bad field. */
static bool time_from(int year, const uint8_t *p, int64_t *ret_seconds)
{
	const struct cs_civil c = {
		.year = year,
		.month = two_digits(p),
		.day = two_digits(p + 2),
		.hour = two_digits(p + 4),
		.minute = two_digits(p + 6),
		.second = two_digits(p + 8),
	};

	return p[10] == 'Z' && cs_time_from_civil(&c, ret_seconds);
}

/* RFC 5280 4.1.2.5.1: YYMMDDHHMMSSZ. */
static bool utc_time(struct cs_span s, int64_t *ret_seconds)
{
	int year;

	if (s.n != 13)
		return false;
	year = two_digits(s.p);
	if (year < 0)
		return false;
	return time_from(year < 50 ? 2000 + year : 1900 + year, s.p + 2,
			 ret_seconds);
}

/* RFC 5280 4.1.2.5.2: YYYYMMDDHHMMSSZ. */
static bool generalized_time(struct cs_span s, int *ret_year,
			     int64_t *ret_seconds)
{
	int century, year;

	if (s.n != 15)
		return false;
	century = two_digits(s.p);
	year = two_digits(s.p + 2);
	if (century < 0 || year < 0)
		return false;
	*ret_year = century * 100 + year;
	return time_from(*ret_year, s.p + 4, ret_seconds);
}

bool cs_der_time(struct cs_der *r, const char *what, int64_t *ret_seconds,
		 struct cs_error *err)
{
	bool utc = cs_der_next_is(r, CS_DER_UTC_TIME);
	struct cs_span content = {0};
	struct cs_span whole = {0};
	int64_t seconds = 0;
	int year = 0;

	if (!peek(r, utc ? CS_DER_UTC_TIME : CS_DER_GENERALIZED_TIME, what,
		  &content, &whole, err))
		return false;
	if (utc && !utc_time(content, &seconds))
		return refuse(err, what,
			      "RFC 5280 4.1.2.5.1: UTCTime must be a time as "
			      "YYMMDDHHMMSSZ");
	if (!utc && !generalized_time(content, &year, &seconds))
		return refuse(err, what,
			      "RFC 5280 4.1.2.5.2: GeneralizedTime must be a "
			      "time as YYYYMMDDHHMMSSZ");
	/*= RFC 5280 4.1.2.5 */
	if (!utc && year < 2050)
		return refuse(err, what,
			      "RFC 5280 4.1.2.5: a year before 2050 must be "
			      "UTCTime");
	*ret_seconds = seconds;
	skip(r, whole);
	return true;
}
