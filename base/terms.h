/*
 * Search terms of one decision: what an auditor may ask for it by. The
 * worker writes them, the ledger stores the blob with the row and files them
 * later, in small sorted slices, behind a watermark.
 *
 * Encoding: for each term a u8 field, a u32 length and the value's octets;
 * terms are in ascending order of (field, value), without repetition. DNS
 * values have their labels reversed and joined by dots ("example.corp.www"),
 * a wildcard's `*` stays a label, so that a zone and all below it is a range.
 */
#ifndef CS_BASE_TERMS_H
#define CS_BASE_TERMS_H

#include "base/arena.h"
#include "base/buf.h"

/* Fields. Numbers are stored: never reuse one. */
enum cs_term {
	CS_TERM_DNS = 1, /* reversed, CN included when it is a DNS name */
	CS_TERM_IP = 2,	 /* 4 or 16 octets */
	CS_TERM_URI = 3,
	CS_TERM_EMAIL = 4,
	CS_TERM_CN = 5, /* a common name that is none of these, as text */
	CS_TERM_REQUESTER = 6,
	CS_TERM_CLIENT = 7,
	CS_TERM_APPROVER = 8,
	CS_TERM_NAMESPACE = 9,
	CS_TERM_REALM = 10,
	CS_TERM_ISSUER = 11,
	CS_TERM_POLICY = 12, /* its name, and its SHA-256 in hex */
	CS_TERM_RULE = 13,   /* each rule that refused or changed something */
	CS_TERM_CODE = 14,   /* each violation's code */
	CS_TERM_FIELD = 15,
	CS_TERM_DISPOSITION = 16,
	CS_TERM_SPKI = 17,   /* SHA-256, 32 octets */
	CS_TERM_SERIAL = 18, /* octets */
	CS_TERM_VERDICT = 19,
	CS_TERM_SOURCE = 20,
	CS_TERM_FLAG = 21 /* "changed", "warned", "self_approved", "ca" */
};

/* Collect terms in any order, then encode them sorted. */
struct cs_terms {
	struct cs_arena *arena; /* borrowed */
	struct cs_term_item {
		uint8_t field;
		struct cs_span value;
	} * items;
	size_t n, cap;
};

void cs_terms_init(struct cs_terms *t, struct cs_arena *arena);
/* The value is copied. Empty values are skipped. False: no memory. */
bool cs_terms_add(struct cs_terms *t, enum cs_term field,
		  struct cs_span value) CS_MUST_USE;
/* A canonical DNS name; its labels are reversed. */
bool cs_terms_add_dns(struct cs_terms *t, struct cs_span name) CS_MUST_USE;
void cs_terms_encode(struct cs_terms *t, struct cs_buf *out);

/* Reverse the labels of a canonical DNS name, into out. */
void cs_terms_reverse_dns(struct cs_span name, struct cs_buf *out);

/*
 * The next term of an encoded blob: *blob moves behind it. False at the end;
 * *ret_bad (may be NULL) says whether that end was a malformed one.
 */
bool cs_terms_next(struct cs_span *blob, uint8_t *ret_field,
		   struct cs_span *ret_value, bool *ret_bad);

#endif
