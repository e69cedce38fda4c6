/*
 * The issuers, as GET /v1/issuers and `ca list` show them: what the
 * configuration and the CA's certificate say (rendered before front is
 * forked), joined by the certificate's SHA-256 with what the ledger recorded
 * when it first saw it.
 *
 *	{"ca": PEM of the root, "ceiling": {"ca", "ext_key_usage": [..],
 *	 "max_validity", "permitted_dns": [..], "permitted_ip": [..]},
 *	 "chain": PEM below the root, its own certificate first,
 *	 "created": time | null, "crl_shards", "crl_url": URL | null,
 *	 "generation": n | null, "generations": [..], "key": "ec-p256",
 *	 "key_place": "file" | "pkcs11", "name", "not_after",
 *	 "not_before", "ocsp": whether it answers, "ocsp_url": URL | null,
 *	 "path_len": n | null, "self_approval", "serial": hex,
 *	 "sha256": hex, "signature_algorithm", "state": "active" | "retired",
 *	 "subject": RFC 4514}
 *
 * not_before and not_after are those of the whole chain, path_len the CAs
 * that may still stand below; created and generation are null as long as
 * nothing is recorded, which the first start with the issuer does.
 *
 * generations are the CA certificates that the issuer has had, as they are
 * recorded, oldest first; chain.pem is that of the present one:
 *
 *	{"ca", "chain", "created", "crl_shards", "crl_url"?, "generation",
 *	 "key_destroyed"?: time, "not_after", "retired"?: time, "serial",
 *	 "sha256", "state": "active" | "superseded" | "retired"}
 */
#ifndef CS_API_ISSUERS_H
#define CS_API_ISSUERS_H

#include "api/front.h"
#include "base/buf.h"
#include "base/error.h"

/*
 * {"items": [..], "next": null}, appended to out; `recorded` is the reader's
 * page of CS_QUERY_ISSUERS.
 */
bool cs_issuers_write(const struct cs_front_issuer *issuers, size_t n,
		      struct cs_span recorded, struct cs_buf *out,
		      struct cs_error *err) CS_MUST_USE;

/* One of them. */
bool cs_issuers_write_one(const struct cs_front_issuer *issuer,
			  struct cs_span recorded, struct cs_buf *out,
			  struct cs_error *err) CS_MUST_USE;

#endif
