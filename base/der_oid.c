#include "base/der.h"

#include "base/limits.h"

/*
 * An arc may be larger than any integer type (UUIDs under 2.25 have 128
 * bits), so that both directions work digit by digit, least significant
 * first. CS_MAX_OID octets of seven bits have fewer decimal digits than:
 */
#define MAX_DIGITS (CS_MAX_OID * 7 / 3 + 1)

struct decimal {
	uint8_t digit[MAX_DIGITS]; /* 0 to 9, least significant first */
	size_t n;		   /* without leading zeros; 0 is n = 0 */
};

/* d = d * 128 + septet */
static void decimal_push(struct decimal *d, unsigned septet)
{
	unsigned carry = septet;

	for (size_t i = 0; i < d->n; i++) {
		carry += d->digit[i] * 128U;
		d->digit[i] = (uint8_t)(carry % 10);
		carry /= 10;
	}
	for (; carry > 0 && d->n < MAX_DIGITS; carry /= 10)
		d->digit[d->n++] = (uint8_t)(carry % 10);
}

/* d = d - v, where d is not less than v */
static void decimal_subtract(struct decimal *d, unsigned v)
{
	unsigned borrow = 0;

	for (size_t i = 0; i < d->n; i++) {
		unsigned take = v % 10 + borrow;

		borrow = d->digit[i] < take;
		d->digit[i] = (uint8_t)(d->digit[i] + 10 * borrow - take);
		v /= 10;
	}
	while (d->n > 0 && d->digit[d->n - 1] == 0)
		d->n--;
}

/* The value if it is below 100, else 100. */
static unsigned decimal_small(const struct decimal *d)
{
	if (d->n > 2)
		return 100;
	return (d->n > 1 ? d->digit[1] * 10U : 0) +
	       (d->n > 0 ? d->digit[0] : 0);
}

/* Append the digits, most significant first. */
static void decimal_write(const struct decimal *d, struct cs_buf *out)
{
	if (d->n == 0)
		cs_buf_add_byte(out, '0');
	for (size_t i = d->n; i-- > 0;)
		cs_buf_add_byte(out, (uint8_t)('0' + d->digit[i]));
}

/* X.690 8.19.4: the first subidentifier is 40 times one arc plus the next. */
static void write_first(struct decimal *d, struct cs_buf *out)
{
	unsigned v = decimal_small(d);
	unsigned arc = v < 40 ? 0 : v < 80 ? 1 : 2;

	cs_buf_add_byte(out, (uint8_t)('0' + arc));
	cs_buf_add_byte(out, '.');
	decimal_subtract(d, 40 * arc);
	decimal_write(d, out);
}

void cs_der_oid_text(struct cs_span oid, struct cs_buf *out)
{
	struct decimal d = {.n = 0};
	bool first = true;

	if (oid.n == 0 || oid.n > CS_MAX_OID || oid.p[oid.n - 1] >= 0x80) {
		cs_buf_add_byte(out, '?');
		return;
	}
	for (size_t i = 0; i < oid.n; i++) {
		decimal_push(&d, oid.p[i] & 0x7fU);
		if (oid.p[i] >= 0x80)
			continue;
		if (first) {
			write_first(&d, out);
		} else {
			cs_buf_add_byte(out, '.');
			decimal_write(&d, out);
		}
		first = false;
		d.n = 0;
	}
}

/* -- text to content ----------------------------------------------------- */

struct septets {
	uint8_t septet[CS_MAX_OID]; /* least significant first */
	size_t n;
};

/* s = s * factor + v; false: longer than any OID may be. */
static bool septets_push(struct septets *s, unsigned factor, unsigned v)
{
	unsigned carry = v;

	for (size_t i = 0; i < s->n; i++) {
		carry += s->septet[i] * factor;
		s->septet[i] = carry & 0x7f;
		carry >>= 7;
	}
	for (; carry > 0; carry >>= 7) {
		if (s->n == CS_MAX_OID)
			return false;
		s->septet[s->n++] = carry & 0x7f;
	}
	return true;
}

/* Append an arc: seven bits an octet, all but the last with bit 8 set. */
static void septets_write(const struct septets *s, struct cs_buf *out)
{
	if (s->n == 0)
		cs_buf_add_byte(out, 0);
	for (size_t i = s->n; i-- > 0;)
		cs_buf_add_byte(out,
				(uint8_t)(s->septet[i] | (i > 0 ? 0x80 : 0)));
}

/* Take one arc of decimal digits from *text. */
static bool take_arc(struct cs_span *text, struct septets *ret_arc)
{
	struct septets arc = {.n = 0};
	size_t n = 0;

	while (n < text->n && text->p[n] >= '0' && text->p[n] <= '9') {
		if (!septets_push(&arc, 10, text->p[n] - '0'))
			return false;
		n++;
	}
	if (n == 0 || (n > 1 && text->p[0] == '0'))
		return false;
	*text = cs_span_sub(*text, n, SIZE_MAX);
	*ret_arc = arc;
	return true;
}

/* Take the dot in front of another arc. */
static bool take_dot(struct cs_span *text)
{
	if (text->n == 0 || text->p[0] != '.')
		return false;
	*text = cs_span_sub(*text, 1, SIZE_MAX);
	return true;
}

/* Take the first two arcs as the one subidentifier that they become. */
static bool take_first(struct cs_span *text, struct septets *ret_arc)
{
	struct septets root = {.n = 0};
	struct septets arc = {.n = 0};

	if (!take_arc(text, &root) || !take_dot(text) || !take_arc(text, &arc))
		return false;
	if (root.n > 1 || root.septet[0] > 2)
		return false;
	if (root.septet[0] < 2 &&
	    (arc.n > 1 || (arc.n == 1 && arc.septet[0] >= 40)))
		return false;
	*ret_arc = arc;
	return septets_push(ret_arc, 1, root.septet[0] * 40U);
}

bool cs_der_oid_parse(struct cs_span text, struct cs_buf *out_content,
		      struct cs_error *err)
{
	size_t before = out_content->n;
	struct septets arc = {.n = 0};
	bool ok = take_first(&text, &arc);

	while (ok) {
		septets_write(&arc, out_content);
		if (text.n == 0)
			break;
		ok = take_dot(&text) && take_arc(&text, &arc) &&
		     out_content->n - before <= CS_MAX_OID;
	}
	if (!cs_buf_finish(out_content, "OBJECT IDENTIFIER", err))
		return false;
	if (ok && out_content->n - before <= CS_MAX_OID)
		return true;
	cs_buf_truncate(out_content, before);
	return cs_error_set(err, CS_E_FORMAT,
			    "X.660 7: not an OBJECT IDENTIFIER like 1.2.840, "
			    "or one of more than %d octets",
			    CS_MAX_OID);
}
