/*
 * Routes: which method on which path is what, for whom.
 *
 * A constant table, matched on the path's raw bytes; nothing is decoded, so
 * two spellings never mean one resource (what stands behind /ocsp/ is Base64
 * that may be escaped: its handler's to decode). A pattern's segment `{}` takes
 * one non-empty segment, `{*}` at its end all that is left. HEAD is GET.
 */
#ifndef CS_API_ROUTES_H
#define CS_API_ROUTES_H

#include "api/clients.h"
#include "api/http_parse.h"

enum cs_route {
	CS_ROUTE_HEALTHZ,
	CS_ROUTE_READYZ,
	CS_ROUTE_OPENAPI,
	CS_ROUTE_STATUS,
	CS_ROUTE_SUBMIT,
	CS_ROUTE_REQUESTS,
	CS_ROUTE_REQUEST,
	CS_ROUTE_APPROVE,
	CS_ROUTE_DENY,
	CS_ROUTE_CERTIFICATE,
	CS_ROUTE_CERTIFICATES,
	CS_ROUTE_HISTORY,
	CS_ROUTE_REVOKE,
	CS_ROUTE_AUDIT,
	CS_ROUTE_AUDIT_ENTRY,
	CS_ROUTE_AUDIT_PROOF,
	CS_ROUTE_CHECKPOINT,
	CS_ROUTE_TILE,
	CS_ROUTE_ENTRIES,
	CS_ROUTE_CRL,
	CS_ROUTE_CRLS,
	CS_ROUTE_CRL_PUBLISH,
	CS_ROUTE_ISSUERS,
	CS_ROUTE_ISSUER,
	CS_ROUTE_CHAIN,
	CS_ROUTE_POLICIES,
	CS_ROUTE_POLICY_SET,
	CS_ROUTE_POLICIES_APPLY,
	CS_ROUTE_EVALUATE,
	CS_ROUTE_CLIENTS,
	CS_ROUTE_CLIENT_ADD,
	CS_ROUTE_CLIENT_REMOVE,
	CS_ROUTE_CLIENT_TOKEN,
	CS_ROUTE_CLIENT_CERTIFICATE,
	CS_ROUTE_CLIENT_REVOKE,
	CS_ROUTE_CLOCK_ACCEPT,
	CS_ROUTE_BACKUP,
	CS_ROUTE_METRICS,
	CS_ROUTE_OCSP,
	CS_ROUTE_OCSP_GET,
	CS_ROUTES
};

enum cs_access {
	/* Nor a credential, nor TLS: what is public and signed by itself. */
	CS_ACCESS_PUBLIC,
	CS_ACCESS_ANYBODY, /* not even a credential */
	CS_ACCESS_CLIENT,  /* a credential; any of the rights, if there are */
	CS_ACCESS_LOCAL	   /* an administrator, over the Unix socket */
};

struct cs_route_row {
	enum cs_http_method method;
	const char *pattern;
	enum cs_access access;
	unsigned rights; /* CS_RIGHT_*; 0: the handler decides */
	enum cs_route route;
};

struct cs_route_match {
	const struct cs_route_row *row;
	struct cs_span args[2]; /* what each `{}` took; empty */
};

enum cs_route_result {
	CS_ROUTE_FOUND,
	CS_ROUTE_NO_PATH,  /* 404 */
	CS_ROUTE_NO_METHOD /* 405; ret_allow is the Allow header's value */
};

/* Bytes of ret_allow, NUL included: "GET, HEAD, POST, DELETE". */
#define CS_ROUTE_ALLOW 32

/* The n-th row of the table; NULL: there are no more. */
const struct cs_route_row *cs_route_at(size_t n);

/*
 * ret_match is written when a route was found; with CS_ROUTE_NO_METHOD its row
 * is one of those that the path has.
 */
enum cs_route_result cs_route_find(enum cs_http_method method,
				   struct cs_span path,
				   struct cs_route_match *ret_match,
				   char ret_allow[CS_ROUTE_ALLOW]);

#endif
