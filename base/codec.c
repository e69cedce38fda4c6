#include "base/codec.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

void cs_codec_hex(struct cs_span s, struct cs_buf *out)
{
	uint8_t *p;

	if (s.n > SIZE_MAX / 2) {
		/* Longer than any maximum: fail as the buffer would. */
		(void)cs_buf_extend(out, SIZE_MAX);
		return;
	}
	p = cs_buf_extend(out, s.n * 2);
	if (p == NULL)
		return;
	for (size_t i = 0; i < s.n; i++) {
		*p++ = (uint8_t)hex_digits[s.p[i] >> 4];
		*p++ = (uint8_t)hex_digits[s.p[i] & 15];
	}
}

int cs_codec_hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool cs_codec_hex_fixed(struct cs_span text, uint8_t *out, size_t n)
{
	if (text.n % 2 != 0 || text.n / 2 != n)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (cs_codec_hex_digit(text.p[i]) < 0)
			return false;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)((unsigned)cs_codec_hex_digit(text.p[2 * i])
					   << 4 |
				   (unsigned)cs_codec_hex_digit(
					   text.p[2 * i + 1]));
	return true;
}

bool cs_codec_hex_decode(struct cs_span text, struct cs_arena *arena,
			 struct cs_span *ret_bytes, struct cs_error *err)
{
	size_t n = text.n / 2;
	uint8_t *p = cs_arena_new(arena, n);

	if (p == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "hexadecimal: out of memory");
	if (!cs_codec_hex_fixed(text, p, n))
		return cs_error_set(err, CS_E_FORMAT,
				    "not an even number of hexadecimal digits");
	*ret_bytes = cs_span_make(p, n);
	return true;
}

/* -- Base64 -------------------------------------------------------------- */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789+/";

void cs_codec_base64(struct cs_span s, struct cs_buf *out)
{
	size_t groups = s.n / 3 + (s.n % 3 != 0);
	uint8_t *p =
		groups > SIZE_MAX / 4 ? NULL : cs_buf_extend(out, groups * 4);

	if (p == NULL)
		return;
	for (size_t i = 0; i < s.n; i += 3) {
		size_t have = s.n - i < 3 ? s.n - i : 3;
		uint32_t v = (uint32_t)s.p[i] << 16;

		if (have > 1)
			v |= (uint32_t)s.p[i + 1] << 8;
		if (have > 2)
			v |= s.p[i + 2];
		for (size_t k = 0; k < 4; k++)
			*p++ = k > have ? '='
					: (uint8_t)base64_digits[v >> (18 -
								       6 * k) &
								 63];
	}
}

int cs_codec_base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Decoding in pieces, because PEM breaks the text anywhere. */
struct base64 {
	uint32_t bits;
	unsigned digits; /* of the group under way */
	unsigned pads;
};

/* Write a group's octets: three, or fewer before padding. */
static bool base64_group(struct base64 *b, struct cs_buf *out,
			 struct cs_error *err)
{
	uint8_t octets[3] = {(uint8_t)(b->bits >> 16), (uint8_t)(b->bits >> 8),
			     (uint8_t)b->bits};
	unsigned n = b->digits - 1;

	if ((n < 3 && octets[n] != 0) || n == 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 4648 3.5: Base64 with unused bits "
				    "that are not zero");
	cs_buf_add(out, cs_span_make(octets, n));
	/* Padding ends the text: pads stays, so that nothing may follow. */
	b->bits = 0;
	b->digits = b->pads > 0 ? 4 : 0;
	return true;
}

/* Take one character. */
static bool base64_feed(struct base64 *b, uint8_t c, struct cs_buf *out,
			struct cs_error *err)
{
	int v = cs_codec_base64_digit(c);

	if (c == '=' && b->digits >= 2 && b->digits + b->pads < 4) {
		b->pads++;
		return b->digits + b->pads < 4 || base64_group(b, out, err);
	}
	if (v < 0 || b->pads > 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 4648 4: octet 0x%02x does not belong "
				    "into Base64 there",
				    c);
	b->bits |= (uint32_t)v << (18 - 6 * b->digits);
	b->digits++;
	return b->digits < 4 || base64_group(b, out, err);
}

/* Is the text complete? */
static bool base64_end(const struct base64 *b, struct cs_error *err)
{
	if (b->digits == 0 || (b->digits == 4 && b->pads > 0))
		return true;
	return cs_error_set(err, CS_E_FORMAT,
			    "RFC 4648 4: Base64 ends inside a group of four");
}

bool cs_codec_base64_decode(struct cs_span text, struct cs_buf *out,
			    struct cs_error *err)
{
	struct base64 b = {0};

	for (size_t i = 0; i < text.n; i++) {
		if (!base64_feed(&b, text.p[i], out, err))
			return false;
	}
	return base64_end(&b, err) && cs_buf_finish(out, "Base64", err);
}

/* -- PEM ----------------------------------------------------------------- */

/* Octets of one line: 64 digits. */
#define PEM_LINE 48

void cs_codec_pem(const char *label, struct cs_span der, struct cs_buf *out)
{
	cs_buf_addf(out, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < der.n; i += PEM_LINE) {
		cs_codec_base64(cs_span_sub(der, i, PEM_LINE), out);
		cs_buf_add_byte(out, '\n');
	}
	cs_buf_addf(out, "-----END %s-----\n", label);
}

/* Drop white space in front. */
static void skip_space(struct cs_span *s)
{
	size_t n = 0;

	while (n < s->n && strchr(" \t\r\n", s->p[n]) != NULL && s->p[n] != 0)
		n++;
	*s = cs_span_sub(*s, n, SIZE_MAX);
}

/* Take one line, without its end; the last one may lack it. */
static struct cs_span take_line(struct cs_span *s)
{
	struct cs_span line;
	size_t n = s->n;

	if (cs_span_find(*s, '\n', &n)) {
		line = cs_span_sub(*s, 0, n);
		*s = cs_span_sub(*s, n + 1, SIZE_MAX);
	} else {
		line = *s;
		*s = cs_span_sub(*s, n, SIZE_MAX);
	}
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* Is line "-----WORD LABEL-----"? *ret_label is what stands for LABEL. */
static bool is_armour(struct cs_span line, struct cs_span word,
		      struct cs_span *ret_label)
{
	struct cs_span dashes = CS_SPAN_LIT("-----");

	if (line.n < word.n + dashes.n || !cs_span_starts_with(line, word) ||
	    !cs_span_ends_with(line, dashes))
		return false;
	*ret_label = cs_span_sub(line, word.n, line.n - word.n - dashes.n);
	return true;
}

/* Take the armour line of this kind with this label. */
static bool take_armour(struct cs_span line, const char *kind,
			struct cs_span word, const char *label,
			struct cs_error *err)
{
	struct cs_span found = {0};

	if (!is_armour(line, word, &found))
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 7468 3: the line -----%s %s----- is "
				    "missing",
				    kind, label);
	if (!cs_span_equal_str(found, label))
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 7468 3: the PEM label is not \"%s\"",
				    label);
	return true;
}

/* One block at the start of *text; its octets go to out. */
static bool take_block(const char *label, struct cs_span *text,
		       struct cs_buf *out, struct cs_error *err)
{
	const struct cs_span begin = CS_SPAN_LIT("-----BEGIN ");
	const struct cs_span end = CS_SPAN_LIT("-----END ");
	struct base64 b = {0};
	struct cs_span line = take_line(text);
	bool empty = true;

	if (!take_armour(line, "BEGIN", begin, label, err))
		return false;
	for (;;) {
		line = take_line(text);
		if (line.n == 0 || line.p[0] == '-')
			break;
		empty = false;
		if (cs_span_find(line, ':', NULL))
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 7468 2: header lines in PEM "
					    "are not allowed");
		for (size_t i = 0; i < line.n; i++) {
			if (!base64_feed(&b, line.p[i], out, err))
				return false;
		}
	}
	if (!take_armour(line, "END", end, label, err) || !base64_end(&b, err))
		return false;
	if (empty)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 7468 3: the PEM block is empty");
	return cs_buf_finish(out, "PEM", err);
}

bool cs_codec_pem_decode(const char *label, struct cs_span text,
			 struct cs_buf *out, struct cs_error *err)
{
	skip_space(&text);
	if (!take_block(label, &text, out, err))
		return false;
	skip_space(&text);
	if (cs_span_starts_with(text, CS_SPAN_LIT("-----BEGIN ")))
		return cs_error_set(err, CS_E_FORMAT,
				    "more than one PEM block, where exactly "
				    "one is expected");
	if (text.n > 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "text behind the PEM block");
	return true;
}

bool cs_codec_pem_next(const char *label, struct cs_span *text,
		       struct cs_buf *out, bool *ret_found,
		       struct cs_error *err)
{
	struct cs_span rest = *text;

	cs_buf_reset(out);
	skip_space(&rest);
	if (rest.n > 0 && !take_block(label, &rest, out, err))
		return false;
	*ret_found = rest.n != text->n && cs_buf_span(out).n > 0;
	*text = rest;
	return true;
}

/* -- UTF-8 --------------------------------------------------------------- */

/* Is octet i of s a continuation within [low, high]? */
static bool continues(struct cs_span s, size_t i, uint8_t low, uint8_t high)
{
	return i < s.n && s.p[i] >= low && s.p[i] <= high;
}

/* The table of RFC 3629 4: the second octet rules out what is not allowed. */
size_t cs_codec_utf8_first(struct cs_span s)
{
	uint8_t c = s.n == 0 ? 0xff : s.p[0];
	uint8_t low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	uint8_t high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4 || !continues(s, 1, low, high))
		return 0;
	if (c < 0xe0)
		return 2;
	if (!continues(s, 2, 0x80, 0xbf))
		return 0;
	if (c < 0xf0)
		return 3;
	return continues(s, 3, 0x80, 0xbf) ? 4 : 0;
}

struct cs_span cs_codec_utf8_cut(struct cs_span s, size_t max)
{
	if (s.n <= max)
		return s;
	while (max > 0 && (s.p[max] & 0xc0) == 0x80)
		max--;
	return cs_span_sub(s, 0, max);
}

bool cs_codec_is_utf8(struct cs_span s)
{
	size_t i = 0;

	while (i < s.n) {
		uint64_t eight;
		size_t n;

		/* ASCII goes by eights. */
		if (s.n - i >= sizeof(eight)) {
			memcpy(&eight, s.p + i, sizeof(eight));
			if ((eight & UINT64_C(0x8080808080808080)) == 0) {
				i += sizeof(eight);
				continue;
			}
		}
		n = cs_codec_utf8_first(cs_span_sub(s, i, SIZE_MAX));
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}
