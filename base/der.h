/*
 * Strict DER (X.690), reading and writing, in the manner of CBS and CBB.
 *
 * The reader walks a span and never copies: definite minimal lengths,
 * low-tag-number form, minimal INTEGERs, BOOLEAN 0x00 or 0xff, no padding
 * bits set, nothing behind the end. It is iterative; depth is what the
 * caller nests. Every failure cites its clause ("X.690 10.1: ..."), and
 * leaves *r where it was.
 *
 * The writer appends to a struct cs_buf (sticky errors): begin a constructed
 * element, write its content, end it; the length is put in afterwards.
 *
 * Not here: meaning (issuer/), signatures, keys, CRLs (OpenSSL's).
 */
#ifndef CS_BASE_DER_H
#define CS_BASE_DER_H

#include "base/buf.h"

/* Identifier octets: class, constructed bit and number in one byte. */
enum {
	CS_DER_BOOLEAN = 0x01,
	CS_DER_INTEGER = 0x02,
	CS_DER_BIT_STRING = 0x03,
	CS_DER_OCTET_STRING = 0x04,
	CS_DER_NULL = 0x05,
	CS_DER_OID = 0x06,
	CS_DER_ENUMERATED = 0x0a,
	CS_DER_UTF8_STRING = 0x0c,
	CS_DER_NUMERIC_STRING = 0x12,
	CS_DER_PRINTABLE_STRING = 0x13,
	CS_DER_T61_STRING = 0x14,
	CS_DER_IA5_STRING = 0x16,
	CS_DER_UTC_TIME = 0x17,
	CS_DER_GENERALIZED_TIME = 0x18,
	CS_DER_UNIVERSAL_STRING = 0x1c,
	CS_DER_BMP_STRING = 0x1e,
	CS_DER_SEQUENCE = 0x30,
	CS_DER_SET = 0x31
};
#define CS_DER_CONTEXT(n)	      ((uint8_t)(0x80 | (n)))
#define CS_DER_CONTEXT_CONSTRUCTED(n) ((uint8_t)(0xa0 | (n)))

struct cs_der {
	struct cs_span rest; /* not yet read */
};

struct cs_der cs_der_reader(struct cs_span bytes);
bool cs_der_at_end(const struct cs_der *r);

/* Is there another element, and does it have this tag? Reads nothing. */
bool cs_der_next_is(const struct cs_der *r, uint8_t tag);

/*
 * Any element: its tag and content, and all its bytes if ret_whole is not
 * NULL. Universal types must be primitive or constructed as X.690 8 and 10.2
 * have them.
 */
bool cs_der_any(struct cs_der *r, uint8_t *ret_tag, struct cs_span *ret_content,
		struct cs_span *ret_whole, struct cs_error *err) CS_MUST_USE;

/* An element with this tag; ret_whole may be NULL. `what` is for errors. */
bool cs_der_element(struct cs_der *r, uint8_t tag, const char *what,
		    struct cs_span *ret_content, struct cs_span *ret_whole,
		    struct cs_error *err) CS_MUST_USE;

/* The same, as a reader over the content. */
bool cs_der_enter(struct cs_der *r, uint8_t tag, const char *what,
		  struct cs_der *ret_inner, struct cs_error *err) CS_MUST_USE;

/* As cs_der_enter if the next element has the tag; else *ret_there = false. */
bool cs_der_enter_optional(struct cs_der *r, uint8_t tag, const char *what,
			   struct cs_der *ret_inner, bool *ret_there,
			   struct cs_error *err) CS_MUST_USE;

/*
 * Exactly one element, nothing behind it, and whatever is constructed in it
 * well-formed too, down to CS_MAX_DER_DEPTH levels. What OCTET STRINGs and
 * BIT STRINGs hold is not looked into.
 */
bool cs_der_check(struct cs_span bytes, const char *what,
		  struct cs_error *err) CS_MUST_USE;

/* Nothing may follow. */
bool cs_der_end(const struct cs_der *r, const char *what,
		struct cs_error *err) CS_MUST_USE;

bool cs_der_boolean(struct cs_der *r, const char *what, bool *ret_value,
		    struct cs_error *err) CS_MUST_USE;
/* Content octets of a minimal INTEGER, sign included. */
bool cs_der_integer(struct cs_der *r, const char *what,
		    struct cs_span *ret_content,
		    struct cs_error *err) CS_MUST_USE;
/* A non-negative INTEGER that fits. */
bool cs_der_uint(struct cs_der *r, const char *what, uint64_t *ret_value,
		 struct cs_error *err) CS_MUST_USE;
/* A well-formed OID's content octets (minimal arcs), at most CS_MAX_OID. */
bool cs_der_oid(struct cs_der *r, const char *what, struct cs_span *ret_oid,
		struct cs_error *err) CS_MUST_USE;
/* A BIT STRING of whole octets, as SPKI and signatures are. */
bool cs_der_bit_string_octets(struct cs_der *r, const char *what,
			      struct cs_span *ret_octets,
			      struct cs_error *err) CS_MUST_USE;
/* A named-bit-list (X.690 11.2.2) of at most 32 bits: bit n is 1 << n. */
bool cs_der_named_bits(struct cs_der *r, const char *what, uint32_t *ret_bits,
		       struct cs_error *err) CS_MUST_USE;
/*
 * UTCTime (1950 to 2049) or GeneralizedTime (from 2050 on) as RFC 5280 4.1.2.5
 * wants them: with seconds and Z, no fraction. Seconds since 1970.
 */
bool cs_der_time(struct cs_der *r, const char *what, int64_t *ret_seconds,
		 struct cs_error *err) CS_MUST_USE;

/*
 * Dotted text of an OID's content octets, "1.2.840..."; and back. Arcs may
 * have any size that fits into CS_MAX_OID octets of content. What is not
 * well-formed is written as "?".
 */
void cs_der_oid_text(struct cs_span oid, struct cs_buf *out);
bool cs_der_oid_parse(struct cs_span text, struct cs_buf *out_content,
		      struct cs_error *err) CS_MUST_USE;

/* -- writing ------------------------------------------------------------ */

/*
 * Begin an element; returns a mark for cs_der_write_end(). Marks nest: the
 * element begun last is ended first.
 */
size_t cs_der_write_begin(struct cs_buf *out, uint8_t tag);
void cs_der_write_end(struct cs_buf *out, size_t mark);

/* A primitive element with this content. */
void cs_der_write(struct cs_buf *out, uint8_t tag, struct cs_span content);
/* Bytes that are DER already. */
void cs_der_write_raw(struct cs_buf *out, struct cs_span der);
void cs_der_write_boolean_true(struct cs_buf *out);
void cs_der_write_uint(struct cs_buf *out, uint64_t v);
/* A non-negative INTEGER from big-endian octets; made minimal. */
void cs_der_write_uint_octets(struct cs_buf *out, struct cs_span octets);
void cs_der_write_bit_string_octets(struct cs_buf *out, struct cs_span octets);
/*
 * What is signed with its signature: SEQUENCE { tbs, signature algorithm,
 * BIT STRING }, a certificate (RFC 5280 4.1) or a CRL (5.1).
 */
void cs_der_write_signed(struct cs_buf *out, struct cs_span tbs,
			 struct cs_span sig_alg, struct cs_span signature);
/* Bit n is 1 << n; no trailing zero bits (X.690 11.2.2). */
void cs_der_write_named_bits(struct cs_buf *out, uint32_t bits);
/*
 * UTCTime up to 2049, GeneralizedTime from then on (RFC 5280 4.1.2.5). A time
 * outside 1950 to 9999 has no form there and fails the buffer: the caller
 * checks the years it writes.
 */
void cs_der_write_time(struct cs_buf *out, int64_t seconds);
/* GeneralizedTime whatever the year (RFC 6960 4.2.2.1). */
void cs_der_write_generalized_time(struct cs_buf *out, int64_t seconds);

#endif
