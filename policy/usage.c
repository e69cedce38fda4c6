#include "policy/usage.h"

#include <string.h>

#include "base/der.h"
#include "policy/facts.h"

#define PKIX_KP(arc)                                                           \
	{                                                                      \
		(const uint8_t *)"\x2b\x06\x01\x05\x05\x07\x03" arc, 8         \
	}
#define NO_OID                                                                 \
	{                                                                      \
		NULL, 0                                                        \
	}

/* The first row of a bit or an OID is the word that we write. */
static const struct {
	const char *word;
	const char *other; /* as OpenSSL and Go spell it; NULL: no such */
	unsigned bit;
	struct cs_span oid;
} table[] = {
	{"digital signature", "digitalSignature", CS_KU_DIGITAL_SIGNATURE,
	 NO_OID},
	{"signing", NULL, CS_KU_DIGITAL_SIGNATURE, NO_OID},
	{"content commitment", "contentCommitment", CS_KU_CONTENT_COMMITMENT,
	 NO_OID},
	{"key encipherment", "keyEncipherment", CS_KU_KEY_ENCIPHERMENT, NO_OID},
	{"data encipherment", "dataEncipherment", CS_KU_DATA_ENCIPHERMENT,
	 NO_OID},
	{"key agreement", "keyAgreement", CS_KU_KEY_AGREEMENT, NO_OID},
	{"cert sign", "keyCertSign", CS_KU_CERT_SIGN, NO_OID},
	{"crl sign", "cRLSign", CS_KU_CRL_SIGN, NO_OID},
	{"encipher only", "encipherOnly", CS_KU_ENCIPHER_ONLY, NO_OID},
	{"decipher only", "decipherOnly", CS_KU_DECIPHER_ONLY, NO_OID},
	{"any",
	 "anyExtendedKeyUsage",
	 0,
	 {(const uint8_t *)"\x55\x1d\x25\x00", 4}},
	{"server auth", "serverAuth", 0, PKIX_KP("\x01")},
	{"client auth", "clientAuth", 0, PKIX_KP("\x02")},
	{"code signing", "codeSigning", 0, PKIX_KP("\x03")},
	{"email protection", "emailProtection", 0, PKIX_KP("\x04")},
	{"s/mime", NULL, 0, PKIX_KP("\x04")},
	{"ipsec end system", "ipsecEndSystem", 0, PKIX_KP("\x05")},
	{"ipsec tunnel", "ipsecTunnel", 0, PKIX_KP("\x06")},
	{"ipsec user", "ipsecUser", 0, PKIX_KP("\x07")},
	{"timestamping", "timeStamping", 0, PKIX_KP("\x08")},
	{"ocsp signing", "OCSPSigning", 0, PKIX_KP("\x09")},
	{"microsoft sgc",
	 "msSGC",
	 0,
	 {(const uint8_t *)"\x2b\x06\x01\x04\x01\x82\x37\x0a\x03\x03", 10}},
	{"netscape sgc",
	 "nsSGC",
	 0,
	 {(const uint8_t *)"\x60\x86\x48\x01\x86\xf8\x42\x04\x01", 9}},
};

#define TABLE_N (sizeof(table) / sizeof(*table))

/* A dotted OID as an extended key usage. */
static bool parse_oid(struct cs_span text, struct cs_arena *arena,
		      struct cs_usage *ret_usage, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf oid;
	struct cs_usage usage = {0};

	cs_buf_init(&oid, CS_MAX_OID);
	if (!cs_der_oid_parse(text, &oid, err) ||
	    !cs_buf_finish(&oid, "the usage's OID", err))
		return false;
	if (!cs_arena_dup(arena, cs_buf_span(&oid), &usage.oid))
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	*ret_usage = usage;
	return true;
}

/* The error for a word that is none, with a hint where there is one. */
static bool unknown(struct cs_span text, struct cs_error *err)
{
	const struct cs_span nr = CS_SPAN_LIT("nonRepudiation");

	for (size_t i = 0; i < TABLE_N; i++) {
		if (cs_span_equal_icase(text, cs_span_str(table[i].word)) ||
		    (table[i].other != NULL &&
		     cs_span_equal_icase(text, cs_span_str(table[i].other))))
			return cs_error_set(err, CS_E_FORMAT,
					    "`%.*s` is no usage; write `%s`",
					    CS_SPAN_FMT(text), table[i].word);
	}
	if (cs_span_equal_icase(text, nr))
		return cs_error_set(err, CS_E_FORMAT,
				    "`%.*s` is no usage; write `content "
				    "commitment`",
				    CS_SPAN_FMT(text));
	return cs_error_set(err, CS_E_FORMAT,
			    "`%.*s` is no usage; use words such as `digital "
			    "signature`, `server auth`, or an OID",
			    (int)(text.n > 64 ? 64 : text.n),
			    (const char *)text.p);
}

bool cs_usage_parse(struct cs_span text, struct cs_arena *arena,
		    struct cs_usage *ret_usage, struct cs_error *err)
{
	for (size_t i = 0; i < TABLE_N; i++) {
		if (!cs_span_equal_str(text, table[i].word))
			continue;
		ret_usage->key_usage = table[i].bit;
		ret_usage->oid = table[i].oid;
		return true;
	}
	if (text.n > 0 && text.p[0] >= '0' && text.p[0] <= '9')
		return parse_oid(text, arena, ret_usage, err);
	return unknown(text, err);
}

struct cs_span cs_usage_bit_word(unsigned bit)
{
	for (size_t i = 0; i < TABLE_N; i++) {
		if (table[i].bit == bit && bit != 0)
			return cs_span_str(table[i].word);
	}
	return CS_SPAN_LIT("unknown bit");
}

bool cs_usage_oid_word(struct cs_span oid, struct cs_arena *arena,
		       struct cs_span *ret_word)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, 10 * (size_t)CS_MAX_OID);
	for (size_t i = 0; i < TABLE_N; i++) {
		if (table[i].bit == 0 && cs_span_equal(table[i].oid, oid)) {
			*ret_word = cs_span_str(table[i].word);
			return true;
		}
	}
	cs_der_oid_text(oid, &text);
	return cs_buf_ok(&text) &&
	       cs_arena_dup(arena, cs_buf_span(&text), ret_word);
}

/*= RFC 5280 4.2.1.12: key usage bits that may be consistent */
#define AGREE (CS_KU_KEY_AGREEMENT | CS_KU_ENCIPHER_ONLY | CS_KU_DECIPHER_ONLY)
static const struct {
	struct cs_span oid;
	unsigned bits;
} consistent[] = {
	{PKIX_KP("\x01"),
	 CS_KU_DIGITAL_SIGNATURE | CS_KU_KEY_ENCIPHERMENT | AGREE},
	{PKIX_KP("\x02"), CS_KU_DIGITAL_SIGNATURE | AGREE},
	{PKIX_KP("\x03"), CS_KU_DIGITAL_SIGNATURE},
	{PKIX_KP("\x04"), CS_KU_DIGITAL_SIGNATURE | CS_KU_CONTENT_COMMITMENT |
				  CS_KU_KEY_ENCIPHERMENT | AGREE},
	{PKIX_KP("\x08"), CS_KU_DIGITAL_SIGNATURE | CS_KU_CONTENT_COMMITMENT},
	{PKIX_KP("\x09"), CS_KU_DIGITAL_SIGNATURE | CS_KU_CONTENT_COMMITMENT},
};

unsigned cs_usage_oid_bits(struct cs_span oid)
{
	for (size_t i = 0; i < sizeof(consistent) / sizeof(*consistent); i++) {
		if (cs_span_equal(consistent[i].oid, oid))
			return consistent[i].bits;
	}
	return ~0u;
}

bool cs_usage_bits_text(unsigned bits, struct cs_arena *arena,
			struct cs_span *ret_text)
{
	char text[200] = "";
	size_t n = 0;

	for (unsigned bit = 1; bit <= CS_KU_DECIPHER_ONLY; bit <<= 1) {
		struct cs_span word = cs_usage_bit_word(bit);

		if ((bits & bit) == 0)
			continue;
		if (n > 0) {
			memcpy(text + n, ", ", 2);
			n += 2;
		}
		memcpy(text + n, word.p, word.n);
		n += word.n;
	}
	return cs_arena_dup(arena, cs_span_make(text, n), ret_text);
}
