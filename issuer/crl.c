#include "issuer/crl.h"

#include <stdlib.h>

#include "base/der.h"
#include "base/limits.h"
#include "base/mem.h"
#include "issuer/oids.h"
#include "issuer/tbs.h"
#include "issuer/tbs_parts.h"

/* 9999-12-31T23:59:59Z, the last second that there is a form for. */
#define LAST_SECOND INT64_C(253402300799)
/* 1950-01-01T00:00:00Z, the first. */
#define FIRST_SECOND INT64_C(-631152000)

uint32_t cs_crl_shards(const struct cs_issuer_ca *ca)
{
	return ca->crl_url.n == 0 ? 1 : ca->crl_shards;
}

static bool is_time(int64_t s)
{
	return s >= FIRST_SECOND && s <= LAST_SECOND;
}

/* Is it one that this issuer has, of a time that there is? */
static bool check(const struct cs_issuer_ca *ca, const struct cs_crl *crl,
		  struct cs_error *err)
{
	if (crl->shard >= cs_crl_shards(ca))
		return cs_error_set(err, CS_E_ARGUMENT,
				    "CRL: the issuer has no shard %u",
				    (unsigned)crl->shard);
	if (crl->number == 0)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "CRL: numbers begin with 1");
	if (!is_time(crl->this_update_s) || !is_time(crl->next_update_s) ||
	    crl->next_update_s <= crl->this_update_s)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "RFC 5280 5.1.2.5: nextUpdate comes after "
				    "thisUpdate");
	return true;
}

/*= RFC 5280 5.3.1 */
static void write_reason(unsigned reason, struct cs_buf *out)
{
	const uint8_t value[] = {0x0a, 1, (uint8_t)reason}; /* ENUMERATED */
	struct cs_tbs_ext_marks m;
	size_t seq;

	if (reason == 0)
		return;
	seq = cs_der_write_begin(out, CS_DER_SEQUENCE);
	m = cs_tbs_ext_begin(out, CS_SPAN_LIT(CS_OID_REASON_CODE),
			     CS_TBS_NOT_CRITICAL);
	cs_der_write_raw(out, cs_span_make(value, sizeof(value)));
	cs_tbs_ext_end(out, m);
	cs_der_write_end(out, seq);
}

static void write_entry(const struct cs_crl_entry *e, struct cs_buf *out)
{
	size_t seq = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_der_write(out, CS_DER_INTEGER, e->serial);
	cs_der_write_time(out, e->revoked_s);
	write_reason(e->reason, out);
	cs_der_write_end(out, seq);
}

/* For qsort: by the serials' octets. */
static int by_serial(const void *a, const void *b)
{
	const struct cs_crl_entry *x = a, *y = b;

	return cs_span_compare(x->serial, y->serial);
}

/* Decode all, in order. *ret_entries is the caller's. */
static bool read_entries(struct cs_span list, struct cs_crl_entry **ret_entries,
			 size_t *ret_n, struct cs_error *err)
{
	CS_CLEANUP(cs_mem_free_at) struct cs_crl_entry *e = NULL;
	/* A serial has an octet at least. */
	size_t cap = list.n / (CS_CRL_ENTRY_MAX - CS_MAX_SERIAL + 1) + 1, n = 0;
	bool there = true;

	if (cap > CS_MAX_CRL_ENTRIES)
		cap = CS_MAX_CRL_ENTRIES;
	e = cs_mem_new_array(cap + 1, sizeof(*e));
	if (e == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "CRL");
	for (;;) {
		if (!cs_crl_entry_next(&list, &e[n], &there, err))
			return false;
		if (!there)
			break;
		if (n == CS_MAX_CRL_ENTRIES)
			return cs_error_set(err, CS_E_TOO_LARGE,
					    "CRL: more than %d entries",
					    CS_MAX_CRL_ENTRIES);
		if (!is_time(e[n].revoked_s))
			return cs_error_set(err, CS_E_PROTOCOL,
					    "CRL: a revocation has no year "
					    "that is written");
		n++;
	}
	qsort(e, n, sizeof(*e), by_serial);
	*ret_entries = cs_mem_take(&e);
	*ret_n = n;
	return true;
}

/*= RFC 5280 5.1.2.6: "the revoked certificates list MUST be absent" */
static bool write_entries(struct cs_span list, struct cs_buf *out,
			  size_t *ret_n, struct cs_error *err)
{
	CS_CLEANUP(cs_mem_free_at) struct cs_crl_entry *e = NULL;
	size_t seq, n = 0;

	if (!read_entries(list, &e, &n, err))
		return false;
	*ret_n = n;
	if (n == 0)
		return true;
	seq = cs_der_write_begin(out, CS_DER_SEQUENCE);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && cs_span_equal(e[i - 1].serial, e[i].serial))
			return cs_error_set(err, CS_E_PROTOCOL,
					    "CRL: a serial comes twice");
		write_entry(&e[i], out);
	}
	cs_der_write_end(out, seq);
	return true;
}

/*= RFC 5280 5.2.3 */
static void write_number(uint64_t number, struct cs_buf *out)
{
	struct cs_tbs_ext_marks m = cs_tbs_ext_begin(
		out, CS_SPAN_LIT(CS_OID_CRL_NUMBER), CS_TBS_NOT_CRITICAL);

	cs_der_write_uint(out, number);
	cs_tbs_ext_end(out, m);
}

/*= RFC 5280 5.2.5: "is a critical CRL extension" */
static bool write_point(const struct cs_issuer_ca *ca, uint32_t shard,
			struct cs_buf *out, struct cs_error *err)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	struct cs_tbs_ext_marks m;
	struct cs_span url;
	size_t seq, point, full;

	cs_arena_init(&arena, CS_MAX_URI + 64);
	if (ca->crl_url.n == 0)
		return true;
	if (!cs_issuer_ca_shard_url(ca, shard, &arena, &url, err))
		return false;
	m = cs_tbs_ext_begin(out, CS_SPAN_LIT(CS_OID_ISSUING_POINT),
			     CS_TBS_CRITICAL);
	seq = cs_der_write_begin(out, CS_DER_SEQUENCE);
	point = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
	full = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
	cs_der_write(out, CS_DER_CONTEXT(6), url);
	cs_der_write_end(out, full);
	cs_der_write_end(out, point);
	cs_der_write_end(out, seq);
	cs_tbs_ext_end(out, m);
	return true;
}

/*= RFC 5280 5.2.1 */
static bool write_extensions(const struct cs_issuer_ca *ca,
			     const struct cs_crl *crl, struct cs_buf *out,
			     struct cs_error *err)
{
	size_t outer = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
	size_t seq = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_tbs_ext_aki(out, ca->ski);
	write_number(crl->number, out);
	if (!write_point(ca, crl->shard, out, err))
		return false;
	cs_der_write_end(out, seq);
	cs_der_write_end(out, outer);
	return true;
}

bool cs_crl_tbs_write(const struct cs_issuer_ca *ca, const struct cs_crl *crl,
		      struct cs_buf *out, size_t *ret_n, struct cs_error *err)
{
	size_t seq, n = 0;

	if (!check(ca, crl, err))
		return false;
	seq = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_der_write_uint(out, 1); /* v2, RFC 5280 5.1.2.1 */
	cs_der_write_raw(out, ca->sig_alg);
	cs_der_write_raw(out, ca->subject);
	cs_der_write_time(out, crl->this_update_s);
	cs_der_write_time(out, crl->next_update_s);
	if (!write_entries(crl->entries, out, &n, err) ||
	    !write_extensions(ca, crl, out, err))
		return false;
	cs_der_write_end(out, seq);
	if (!cs_buf_finish(out, "CRL", err))
		return false;
	*ret_n = n;
	return true;
}
