#include "base/crl.h"

#include "base/limits.h"
#include "base/wire.h"

/* aACompromise, the last one that there is. */
#define LAST_REASON 10

void cs_crl_entry_put(struct cs_buf *out, const struct cs_crl_entry *entry)
{
	cs_wire_put_bytes(out, entry->serial);
	cs_wire_put_u64(out, (uint64_t)entry->revoked_s);
	cs_wire_put_u8(out, (uint8_t)entry->reason);
}

/* RFC 5280 4.1.2.2: positive, at most 20 octets, minimal as X.690 8.3.2. */
static bool is_serial(struct cs_span s)
{
	if (s.n == 0 || s.n > CS_MAX_SERIAL || s.p[0] >= 0x80)
		return false;
	return s.p[0] != 0 || (s.n > 1 && s.p[1] >= 0x80);
}

/* RFC 5280 5.3.1: 7 is not used, 8 is for delta CRLs. */
static bool is_reason(unsigned reason)
{
	return reason <= LAST_REASON && reason != 7 && reason != 8;
}

bool cs_crl_entry_next(struct cs_span *list, struct cs_crl_entry *ret_entry,
		       bool *ret_there, struct cs_error *err)
{
	struct cs_wire_reader r = cs_wire_reader(*list);
	struct cs_crl_entry entry;
	uint64_t revoked;

	*ret_there = list->n > 0;
	if (list->n == 0)
		return true;
	entry.serial = cs_wire_get_bytes(&r);
	revoked = cs_wire_get_u64(&r);
	entry.reason = cs_wire_get_u8(&r);
	if (r.failed)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "CRL: an entry is cut off");
	if (!is_serial(entry.serial))
		return cs_error_set(err, CS_E_PROTOCOL,
				    "RFC 5280 4.1.2.2: a serial is positive "
				    "and has at most %d octets",
				    CS_MAX_SERIAL);
	if (!is_reason(entry.reason))
		return cs_error_set(err, CS_E_PROTOCOL,
				    "RFC 5280 5.3.1: there is no reason %u",
				    entry.reason);
	entry.revoked_s = (int64_t)revoked;
	*list = r.rest;
	*ret_entry = entry;
	return true;
}
