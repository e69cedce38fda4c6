#include "api/routes.h"

#include <string.h>

#define PUBLIC	CS_ACCESS_PUBLIC, 0
#define ANYBODY CS_ACCESS_ANYBODY, 0
#define LOCAL	CS_ACCESS_LOCAL, CS_RIGHT_ADMIN
#define CLIENT	CS_ACCESS_CLIENT, 0
#define AUDITOR CS_ACCESS_CLIENT, CS_RIGHT_AUDIT
/* Reads what it submitted itself, or, with `audit`, everything. */
#define READER                                                                 \
	CS_ACCESS_CLIENT, CS_RIGHT_SUBMIT | CS_RIGHT_APPROVE | CS_RIGHT_AUDIT

static const struct cs_route_row rows[] = {
	{CS_HTTP_GET, "/healthz", PUBLIC, CS_ROUTE_HEALTHZ},
	{CS_HTTP_GET, "/readyz", ANYBODY, CS_ROUTE_READYZ},
	{CS_HTTP_GET, "/openapi.json", ANYBODY, CS_ROUTE_OPENAPI},
	/* Also for the addresses that the configuration names. */
	{CS_HTTP_GET, "/metrics", AUDITOR, CS_ROUTE_METRICS},
	{CS_HTTP_GET, "/v1/status", LOCAL, CS_ROUTE_STATUS},
	{CS_HTTP_POST, "/v1/requests", CS_ACCESS_CLIENT, CS_RIGHT_SUBMIT,
	 CS_ROUTE_SUBMIT},
	{CS_HTTP_GET, "/v1/requests", READER, CS_ROUTE_REQUESTS},
	{CS_HTTP_GET, "/v1/requests/{}", READER, CS_ROUTE_REQUEST},
	{CS_HTTP_POST, "/v1/requests/{}/approve", CS_ACCESS_CLIENT,
	 CS_RIGHT_APPROVE, CS_ROUTE_APPROVE},
	{CS_HTTP_POST, "/v1/requests/{}/deny", CS_ACCESS_CLIENT,
	 CS_RIGHT_APPROVE, CS_ROUTE_DENY},
	{CS_HTTP_GET, "/v1/certificates", READER, CS_ROUTE_CERTIFICATES},
	{CS_HTTP_GET, "/v1/certificates/{}", READER, CS_ROUTE_CERTIFICATE},
	{CS_HTTP_GET, "/v1/history", AUDITOR, CS_ROUTE_HISTORY},
	{CS_HTTP_POST, "/v1/certificates/{}/revoke", CS_ACCESS_CLIENT,
	 CS_RIGHT_REVOKE, CS_ROUTE_REVOKE},
	{CS_HTTP_GET, "/v1/audit", AUDITOR, CS_ROUTE_AUDIT},
	{CS_HTTP_GET, "/v1/audit/{}", AUDITOR, CS_ROUTE_AUDIT_ENTRY},
	{CS_HTTP_GET, "/v1/audit/{}/proof", AUDITOR, CS_ROUTE_AUDIT_PROOF},
	{CS_HTTP_GET, "/checkpoint", PUBLIC, CS_ROUTE_CHECKPOINT},
	{CS_HTTP_GET, "/tile/entries/{*}", AUDITOR, CS_ROUTE_ENTRIES},
	{CS_HTTP_GET, "/tile/{*}", PUBLIC, CS_ROUTE_TILE},
	{CS_HTTP_GET, "/crl/{}/{}", PUBLIC, CS_ROUTE_CRL},
	{CS_HTTP_GET, "/v1/crls", CLIENT, CS_ROUTE_CRLS},
	{CS_HTTP_POST, "/v1/crls", CS_ACCESS_CLIENT, CS_RIGHT_ADMIN,
	 CS_ROUTE_CRL_PUBLISH},
	{CS_HTTP_GET, "/v1/issuers", CLIENT, CS_ROUTE_ISSUERS},
	{CS_HTTP_GET, "/v1/issuers/{}", CLIENT, CS_ROUTE_ISSUER},
	{CS_HTTP_GET, "/v1/issuers/{}/chain.pem", PUBLIC, CS_ROUTE_CHAIN},
	{CS_HTTP_GET, "/v1/policies", AUDITOR, CS_ROUTE_POLICIES},
	{CS_HTTP_GET, "/v1/policies/{}", AUDITOR, CS_ROUTE_POLICY_SET},
	{CS_HTTP_POST, "/v1/policies", CS_ACCESS_CLIENT, CS_RIGHT_ADMIN,
	 CS_ROUTE_POLICIES_APPLY},
	{CS_HTTP_POST, "/v1/policies/evaluate", AUDITOR, CS_ROUTE_EVALUATE},
	{CS_HTTP_GET, "/v1/clients", LOCAL, CS_ROUTE_CLIENTS},
	{CS_HTTP_POST, "/v1/clients", LOCAL, CS_ROUTE_CLIENT_ADD},
	{CS_HTTP_DELETE, "/v1/clients/{}", LOCAL, CS_ROUTE_CLIENT_REMOVE},
	{CS_HTTP_POST, "/v1/clients/{}/tokens", LOCAL, CS_ROUTE_CLIENT_TOKEN},
	{CS_HTTP_POST, "/v1/clients/{}/certificates", LOCAL,
	 CS_ROUTE_CLIENT_CERTIFICATE},
	{CS_HTTP_DELETE, "/v1/clients/{}/credentials/{}", LOCAL,
	 CS_ROUTE_CLIENT_REVOKE},
	{CS_HTTP_POST, "/v1/clock/accept", LOCAL, CS_ROUTE_CLOCK_ACCEPT},
	{CS_HTTP_POST, "/v1/backup", LOCAL, CS_ROUTE_BACKUP},
	{CS_HTTP_POST, "/ocsp", PUBLIC, CS_ROUTE_OCSP},
	{CS_HTTP_GET, "/ocsp/{*}", PUBLIC, CS_ROUTE_OCSP_GET},
};

#define ROWS_N (sizeof(rows) / sizeof(rows[0]))

/*
 * Does the path follow the pattern? `{}` is one segment of it, twice at most,
 * `{*}` all that is left.
 */
static bool follows(struct cs_span path, const char *pattern,
		    struct cs_span ret_args[2])
{
	struct cs_span args[2] = {{0}};
	size_t n = 0;
	size_t at = 0;

	while (*pattern != '\0') {
		size_t start = at;

		if (strncmp(pattern, "{*}", 3) == 0) {
			args[n] = cs_span_sub(path, at, SIZE_MAX);
			at = path.n;
			if (args[n].n == 0)
				return false;
			break;
		}
		if (strncmp(pattern, "{}", 2) != 0) {
			if (at == path.n || path.p[at++] != (uint8_t)*pattern++)
				return false;
			continue;
		}
		while (at < path.n && path.p[at] != '/')
			at++;
		if (at == start)
			return false;
		args[n++] = cs_span_sub(path, start, at - start);
		pattern += 2;
	}
	if (at != path.n)
		return false;
	memcpy(ret_args, args, sizeof(args));
	return true;
}

const struct cs_route_row *cs_route_at(size_t n)
{
	return n < ROWS_N ? &rows[n] : NULL;
}

/* One more method for the Allow header. */
static void allow(char *text, const char *method)
{
	size_t n = strlen(text);

	if (n > 0) {
		memcpy(text + n, ", ", 2);
		n += 2;
	}
	memcpy(text + n, method, strlen(method) + 1);
}

enum cs_route_result cs_route_find(enum cs_http_method method,
				   struct cs_span path,
				   struct cs_route_match *ret_match,
				   char ret_allow[CS_ROUTE_ALLOW])
{
	enum cs_http_method wanted =
		method == CS_HTTP_HEAD ? CS_HTTP_GET : method;
	bool path_found = false;

	ret_allow[0] = '\0';
	for (size_t i = 0; i < ROWS_N; i++) {
		struct cs_route_match match = {.row = &rows[i]};

		if (!follows(path, rows[i].pattern, match.args))
			continue;
		if (rows[i].method == wanted) {
			*ret_match = match;
			return CS_ROUTE_FOUND;
		}
		path_found = true;
		ret_match->row = &rows[i];
		allow(ret_allow, rows[i].method == CS_HTTP_GET	  ? "GET, HEAD"
				 : rows[i].method == CS_HTTP_POST ? "POST"
								  : "DELETE");
	}
	return path_found ? CS_ROUTE_NO_METHOD : CS_ROUTE_NO_PATH;
}
