/*
 * Names, made canonical: one spelling for each identity, decided on
 * length-counted bytes, never on C strings.
 *
 *   DNS    lower-case LDH labels without trailing dot, at most 253 bytes and
 *          63 a label (RFC 1035 2.3.4, RFC 5280 4.2.1.6); `*` only as the
 *          whole leftmost label (RFC 6125 6.4.3); U-labels are refused with
 *          a hint, A-labels are kept; a name whose last label is all digits
 *          is refused (it would read as an IPv4 address)
 *   IP     4 or 16 octets; text is dotted quad or RFC 5952; an IPv4-mapped
 *          IPv6 address is refused
 *   URI    RFC 3986 with a scheme and, where there is an authority, a host
 *          (RFC 5280 4.2.1.6): scheme and host lower case, the rest as it is
 *   e-mail RFC 5321 Mailbox in ASCII, dot-atom local part; host lower case
 *   DN     RFC 4514 text, from the last relative name to the first: types by
 *          their names, ASCII letters of values in lower case, one space where
 *          there are several and none at the ends (RFC 5280 7.1). One attribute
 *          in each relative name; other types have their value in hexadecimal
 *   OID    dotted
 *
 * Each function writes *ret_canonical (in the arena, or borrowed from the
 * input when nothing changed) and returns false with a sentence that cites
 * the clause when the input is not such a name (CS_E_FORMAT) or memory ran
 * out (CS_E_NO_MEMORY). None of them asks the network.
 */
#ifndef CS_POLICY_NAME_H
#define CS_POLICY_NAME_H

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

bool cs_name_dns(struct cs_span text, struct cs_arena *arena,
		 struct cs_span *ret_canonical,
		 struct cs_error *err) CS_MUST_USE;
bool cs_name_uri(struct cs_span text, struct cs_arena *arena,
		 struct cs_span *ret_canonical,
		 struct cs_error *err) CS_MUST_USE;
bool cs_name_email(struct cs_span text, struct cs_arena *arena,
		   struct cs_span *ret_canonical,
		   struct cs_error *err) CS_MUST_USE;

/* 4 or 16 octets to text. */
bool cs_name_ip_text(struct cs_span octets, struct cs_arena *arena,
		     struct cs_span *ret_canonical,
		     struct cs_error *err) CS_MUST_USE;

/* Text to 4 or 16 octets in the arena. */
bool cs_name_ip_octets(struct cs_span text, struct cs_arena *arena,
		       struct cs_span *ret_octets,
		       struct cs_error *err) CS_MUST_USE;

/* The DER of a Name, all its bytes. */
bool cs_name_dn(struct cs_span der, struct cs_arena *arena,
		struct cs_span *ret_canonical,
		struct cs_error *err) CS_MUST_USE;

/*
 * A text of RFC 4514 to its canonical form. Bytes whose flag in `foreign` (may
 * be NULL) is set are part of values, whatever they are.
 */
bool cs_name_dn_text(struct cs_span text, const uint8_t *foreign,
		     struct cs_arena *arena, struct cs_span *ret_canonical,
		     struct cs_error *err) CS_MUST_USE;

/* Content octets of an OID, as dotted text. */
bool cs_name_oid(struct cs_span content, struct cs_arena *arena,
		 struct cs_span *ret_canonical,
		 struct cs_error *err) CS_MUST_USE;

/*
 * C0 and C1 controls, DEL, and the Unicode marks that turn the direction of
 * text: nothing that a name needs, and all that a terminal can be fooled by.
 * The text is valid UTF-8.
 */
bool cs_name_has_control(struct cs_span text);

/* Is the canonical DNS name a wildcard, "*.zone"? */
bool cs_name_dns_is_wildcard(struct cs_span canonical);

#endif
