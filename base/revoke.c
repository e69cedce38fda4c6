#include "base/revoke.h"

#include <string.h>

static const char no_hold[] =
	"what is revoked stays revoked, so that whether it was valid on a "
	"given day has one answer (CA/Browser Forum BR 7.2.2 forbids it, too)";
static const char not_yours[] =
	"it is said of the certificate of an authority, and this is none";

/* RFC 5280 5.3.1; why not: NULL, when it can be given. */
static const struct {
	enum cs_reason reason;
	const char *name;
	const char *why_not;
} reasons[] = {
	{CS_REASON_UNSPECIFIED, "unspecified", NULL},
	{CS_REASON_KEY_COMPROMISE, "keyCompromise", NULL},
	{CS_REASON_CA_COMPROMISE, "cACompromise", not_yours},
	{CS_REASON_AFFILIATION_CHANGED, "affiliationChanged", NULL},
	{CS_REASON_SUPERSEDED, "superseded", NULL},
	{CS_REASON_CESSATION_OF_OPERATION, "cessationOfOperation", NULL},
	{CS_REASON_CERTIFICATE_HOLD, "certificateHold", no_hold},
	{CS_REASON_REMOVE_FROM_CRL, "removeFromCRL", no_hold},
	{CS_REASON_PRIVILEGE_WITHDRAWN, "privilegeWithdrawn", NULL},
	{CS_REASON_AA_COMPROMISE, "aACompromise", not_yours},
};

#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

const char *cs_reason_name(enum cs_reason reason)
{
	for (size_t i = 0; i < REASONS; i++) {
		if (reasons[i].reason == reason)
			return reasons[i].name;
	}
	return NULL;
}

/* The lower case of an ASCII letter, or the octet itself. */
static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Is it the name, as it is, or in lower case with words set off by '-'? */
static bool same(struct cs_span said, const char *name)
{
	size_t at = 0;

	if (cs_span_equal_str(said, name))
		return true;
	for (const char *p = name; *p != '\0'; p++) {
		bool capital = lower((uint8_t)*p) != (uint8_t)*p;

		/* "cACompromise" is "ca-compromise", "removeFromCRL" goes on */
		if (capital && at < said.n && said.p[at] == '-')
			at++;
		if (at == said.n || said.p[at++] != lower((uint8_t)*p))
			return false;
	}
	return at == said.n;
}

bool cs_reason_parse(struct cs_span name, enum cs_reason *ret_reason,
		     struct cs_error *err)
{
	for (size_t i = 0; i < REASONS; i++) {
		if (!same(name, reasons[i].name))
			continue;
		if (reasons[i].why_not != NULL)
			return cs_error_set(
				err, CS_E_ARGUMENT, "RFC 5280 5.3.1: %s: %s",
				reasons[i].name, reasons[i].why_not);
		*ret_reason = reasons[i].reason;
		return true;
	}
	return cs_error_set(err, CS_E_ARGUMENT,
			    "RFC 5280 5.3.1: a reason is unspecified, "
			    "keyCompromise, affiliationChanged, superseded, "
			    "cessationOfOperation or privilegeWithdrawn");
}

void cs_revoked_key(struct cs_span serial, uint8_t ret_key[CS_REVOKED_KEY])
{
	size_t n = serial.n < CS_REVOKED_KEY ? serial.n : CS_REVOKED_KEY;

	memset(ret_key, 0, CS_REVOKED_KEY);
	if (n > 0)
		memcpy(ret_key + CS_REVOKED_KEY - n, serial.p + serial.n - n,
		       n);
}

uint32_t cs_revoke_shard(struct cs_span serial, uint32_t shards)
{
	uint32_t low = 0;

	for (size_t i = serial.n > 4 ? serial.n - 4 : 0; i < serial.n; i++)
		low = low << 8 | serial.p[i];
	return low % shards;
}
