/*
 * Text encodings of bytes: hexadecimal, Base64 (RFC 4648 4) and PEM (RFC
 * 7468, strict), and the UTF-8 check (RFC 3629).
 *
 * Readers are strict: no white space inside Base64 except PEM's line ends,
 * padding as it must be, unused bits zero. None of this is for secrets: key
 * files stay OpenSSL's.
 */
#ifndef CS_BASE_CODEC_H
#define CS_BASE_CODEC_H

#include "base/arena.h"
#include "base/buf.h"

/* What one digit of either case is worth; -1: it is none. */
int cs_codec_hex_digit(uint8_t c);
/* Lower-case hexadecimal digits of s. */
void cs_codec_hex(struct cs_span s, struct cs_buf *out);
/* Both cases; an even number of digits. Into the arena. */
bool cs_codec_hex_decode(struct cs_span text, struct cs_arena *arena,
			 struct cs_span *ret_bytes,
			 struct cs_error *err) CS_MUST_USE;
/* As above into exactly n bytes. */
bool cs_codec_hex_fixed(struct cs_span text, uint8_t *out,
			size_t n) CS_MUST_USE;

/*
 * The value of one digit, or -1. Without a table, so that no line of the cache
 * tells which of a key's digits it was.
 */
int cs_codec_base64_digit(uint8_t c);

void cs_codec_base64(struct cs_span s, struct cs_buf *out);
bool cs_codec_base64_decode(struct cs_span text, struct cs_buf *out,
			    struct cs_error *err) CS_MUST_USE;

/* One PEM block: 64 columns, "\n" line ends. */
void cs_codec_pem(const char *label, struct cs_span der, struct cs_buf *out);

/*
 * Exactly one block with this label, and nothing else but white space
 * before and behind it. Appends the DER to out. Lines end with LF or CRLF
 * and may have any length. A sentence says what is wrong: another label, two
 * blocks, no end line... On failure out may have a part.
 */
bool cs_codec_pem_decode(const char *label, struct cs_span text,
			 struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/*
 * The next block of a file of several: *text moves behind it. *ret_found is
 * false at the end of the text. `out` is reset first. Between blocks only
 * white space may stand.
 */
bool cs_codec_pem_next(const char *label, struct cs_span *text,
		       struct cs_buf *out, bool *ret_found,
		       struct cs_error *err) CS_MUST_USE;

/* Well-formed UTF-8 (no surrogates, no overlong forms); NUL is allowed. */
bool cs_codec_is_utf8(struct cs_span s);
/* Octets of the first character of s; 0 if s is empty or malformed there. */
size_t cs_codec_utf8_first(struct cs_span s);

/* As many whole characters of valid UTF-8 as fit into max octets. */
struct cs_span cs_codec_utf8_cut(struct cs_span s, size_t max);

#endif
