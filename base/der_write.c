#include "base/der.h"

#include "base/time.h"

/* Years of UTCTime (RFC 5280 4.1.2.5.1). */
#define UTC_FIRST 1950
#define UTC_LAST  2049

/* Fail the buffer: a promise of the caller's was broken. */
static void fail(struct cs_buf *out)
{
	(void)cs_buf_extend(out, SIZE_MAX);
}

/* The octets of a minimal length, X.690 10.1; returns how many. */
static size_t length_octets(size_t length, uint8_t octets[9])
{
	size_t n = 0;

	if (length < 0x80) {
		octets[0] = (uint8_t)length;
		return 1;
	}
	for (size_t left = length; left > 0; left >>= 8)
		n++;
	octets[0] = (uint8_t)(0x80 | n);
	for (size_t i = 0; i < n; i++)
		octets[1 + i] = (uint8_t)(length >> (8 * (n - 1 - i)));
	return n + 1;
}

/* Tag and length in front of a content of known length. */
static void put_header(struct cs_buf *out, uint8_t tag, size_t length)
{
	uint8_t octets[10] = {tag};
	size_t n = length_octets(length, octets + 1);

	cs_buf_add(out, cs_span_make(octets, n + 1));
}

size_t cs_der_write_begin(struct cs_buf *out, uint8_t tag)
{
	/* One octet is kept for the length; most need no more. */
	const uint8_t octets[2] = {tag, 0};

	cs_buf_add(out, cs_span_make(octets, sizeof(octets)));
	return out->n;
}

void cs_der_write_end(struct cs_buf *out, size_t mark)
{
	uint8_t octets[9];
	size_t n;

	if (!cs_buf_ok(out))
		return;
	if (mark < 2 || mark > out->n) {
		fail(out);
		return;
	}
	n = length_octets(out->n - mark, octets);
	out->p[mark - 1] = octets[0];
	if (n > 1)
		cs_buf_insert(out, mark, cs_span_make(octets + 1, n - 1));
}

void cs_der_write(struct cs_buf *out, uint8_t tag, struct cs_span content)
{
	put_header(out, tag, content.n);
	cs_buf_add(out, content);
}

void cs_der_write_raw(struct cs_buf *out, struct cs_span der)
{
	cs_buf_add(out, der);
}

void cs_der_write_boolean_true(struct cs_buf *out)
{
	cs_buf_add(out, CS_SPAN_LIT("\x01\x01\xff"));
}

void cs_der_write_uint(struct cs_buf *out, uint64_t v)
{
	uint8_t octets[8];

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(v >> (56 - 8 * i));
	cs_der_write_uint_octets(out, cs_span_make(octets, sizeof(octets)));
}

void cs_der_write_uint_octets(struct cs_buf *out, struct cs_span octets)
{
	bool sign;

	while (octets.n > 0 && octets.p[0] == 0)
		octets = cs_span_make(octets.p + 1, octets.n - 1);
	/* Zero needs an octet, and a high bit must not read as a sign. */
	sign = octets.n == 0 || octets.p[0] >= 0x80;
	put_header(out, CS_DER_INTEGER, octets.n + sign);
	if (sign)
		cs_buf_add_byte(out, 0);
	cs_buf_add(out, octets);
}

void cs_der_write_bit_string_octets(struct cs_buf *out, struct cs_span octets)
{
	put_header(out, CS_DER_BIT_STRING, octets.n + 1);
	cs_buf_add_byte(out, 0);
	cs_buf_add(out, octets);
}

/*= RFC 5280 4.1: SEQUENCE of TBS, algorithm and signature */
void cs_der_write_signed(struct cs_buf *out, struct cs_span tbs,
			 struct cs_span sig_alg, struct cs_span signature)
{
	size_t outer = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_der_write_raw(out, tbs);
	cs_der_write_raw(out, sig_alg);
	cs_der_write_bit_string_octets(out, signature);
	cs_der_write_end(out, outer);
}

void cs_der_write_named_bits(struct cs_buf *out, uint32_t bits)
{
	uint8_t content[5] = {0};
	unsigned used = 0;

	for (unsigned i = 0; i < 32; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		content[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
		used = i + 1;
	}
	content[0] = (uint8_t)((8 - used % 8) % 8);
	cs_der_write(out, CS_DER_BIT_STRING,
		     cs_span_make(content, 1 + (used + 7) / 8));
}

/* Two digits at p. */
static void put_two(uint8_t *p, int v)
{
	p[0] = (uint8_t)('0' + v / 10);
	p[1] = (uint8_t)('0' + v % 10);
}

/* YYYYMMDDHHMMSSZ; false: the year has no form in a certificate. */
static bool put_time(int64_t seconds, uint8_t text[15], int *ret_year)
{
	struct cs_civil c = {0};

	if (!cs_time_to_civil(seconds, &c) || c.year < UTC_FIRST)
		return false;
	put_two(text, c.year / 100);
	put_two(text + 2, c.year % 100);
	put_two(text + 4, c.month);
	put_two(text + 6, c.day);
	put_two(text + 8, c.hour);
	put_two(text + 10, c.minute);
	put_two(text + 12, c.second);
	text[14] = 'Z';
	*ret_year = c.year;
	return true;
}

void cs_der_write_time(struct cs_buf *out, int64_t seconds)
{
	uint8_t text[15];
	int year;

	if (!put_time(seconds, text, &year)) {
		fail(out);
		return;
	}
	/*= RFC 5280 4.1.2.5 */
	if (year <= UTC_LAST)
		cs_der_write(out, CS_DER_UTC_TIME, cs_span_make(text + 2, 13));
	else
		cs_der_write(out, CS_DER_GENERALIZED_TIME,
			     cs_span_make(text, 15));
}

void cs_der_write_generalized_time(struct cs_buf *out, int64_t seconds)
{
	uint8_t text[15];
	int year;

	if (put_time(seconds, text, &year))
		cs_der_write(out, CS_DER_GENERALIZED_TIME,
			     cs_span_make(text, 15));
	else
		fail(out);
}
