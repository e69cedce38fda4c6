/*
 * What is asked, for commands that tell what would become of it: a request's
 * body as POST /v1/policies/evaluate takes it, made of options and of a
 * document.
 *
 * The document (--request) is such a body, as YAML or JSON, or a
 * CertificateRequest of cert-manager.io/v1 as `kubectl get -o yaml` shows it:
 *
 *	spec.request (Base64 of PEM)		csr
 *	spec.duration, usages, isCA		duration, usages, isCA
 *	spec.issuerRef.name			issuer
 *	spec.username, groups, extra		requester
 *	metadata.namespace			namespace
 *	annotation cert-manager.io/certificate-name, or metadata.name	owner
 *	annotation cert-manager.io/certificate-revision above 1		renewal
 *	metadata.uid, status.conditions		uid, conditions
 *	(the way in)				source: kubernetes
 *
 * Labels of the namespace stand in no CertificateRequest: --label. An option
 * that is given stands in the place of what the document says. A
 * CertificateRequest's other members are not looked at.
 *
 * What is not checked here: what the values mean, and whether there is a CSR
 * in the CSR.
 */
#ifndef CS_CLI_ASKED_H
#define CS_CLI_ASKED_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/command.h"

/* What a table of options of such a command begins with. */
#define CS_ASKED_OPTIONS                                                       \
	{"csr", 0, "FILE", "the CSR, PEM or DER; - for standard input"},       \
		{"request", 0, "FILE",                                         \
		 "a CertificateRequest or a request's body, YAML or JSON"},    \
		{"issuer", 0, "NAME", "who is to issue (default)"},            \
		{"source", 0, "SOURCE",                                        \
		 "the way in: api (the default), kubernetes"},                 \
		{"requester", 0, "NAME", "who asks"},                          \
		{"group", 0, "GROUP", "a group of who asks; repeatable"},      \
		{"realm", 0, "REALM", "of the gateway"},                       \
		{"namespace", 0, "NAME", "that the gateway speaks for"},       \
		{"label", 0, "NAME=VALUE",                                     \
		 "a label of the namespace; repeatable"},                      \
		{"owner", 0, "NAME", "what asks: the Certificate's name"},     \
		{"duration", 0, "DURATION", "validity, as 24h or 90d"},        \
	{                                                                      \
		"usage", 0, "USAGE", "such as 'server auth'; repeatable"       \
	}

/*
 * The one mapping that a file holds, in YAML or JSON; `-` is standard input.
 * NULL: CS_E_USAGE and what is wrong, or an error of the file.
 */
json_t *cs_asked_document(const char *file, struct cs_error *err) CS_MUST_USE;

/*
 * Put the CSR of --csr into the body: PEM as it is, DER as PEM. Without the
 * option the body must have one already. CS_E_USAGE, or of the file.
 */
bool cs_asked_csr(const struct cs_call *call, json_t *body,
		  struct cs_error *err) CS_MUST_USE;

/*
 * The body, with a CSR in PEM. NULL: CS_E_USAGE and what is wrong, an error
 * of the file, or CS_E_NO_MEMORY.
 */
json_t *cs_asked_body(const struct cs_call *call,
		      struct cs_error *err) CS_MUST_USE;

/*
 * The same as an encoded REQUEST of the client `_local`, as front would write
 * it, for a judge in the command's own hands.
 */
bool cs_asked_request(json_t *body, struct cs_buf *out,
		      struct cs_error *err) CS_MUST_USE;

#endif
