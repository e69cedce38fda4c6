/*
 * What the cluster asks: a CertificateRequest of cert-manager, or a
 * CertificateSigningRequest of Kubernetes, read, and what is to be done about
 * it. Pure: no call is made here and nothing is kept.
 *
 * The order of the questions is cert-manager's own: is it ours, has it an end
 * already, was it denied, is it approved, can it be signed at all, is its
 * issuer good. The last one is asked by the caller.
 *
 * A struct cs_kube_request borrows from the JSON.
 *
 * What it does not look at: what is in the CSR (Countersign does), labels and
 * annotations that anybody may change, except those that cert-manager's
 * webhook keeps as they were made.
 */
#ifndef CS_KUBE_REQUEST_H
#define CS_KUBE_REQUEST_H

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"

#define CS_KUBE_GROUP	"countersign.dev"
#define CS_KUBE_VERSION "v1alpha1"

enum cs_kube_kind {
	CS_KUBE_CR, /* cert-manager.io/v1 CertificateRequest */
	CS_KUBE_CSR /* certificates.k8s.io/v1 CertificateSigningRequest */
};

enum cs_kube_todo {
	CS_KUBE_IGNORE, /* not ours, or nothing to do any more */
	CS_KUBE_WAIT,	/* neither approved nor denied: its events tell */
	CS_KUBE_DENY,	/* Denied: say so, and that this is the end */
	CS_KUBE_REFUSE, /* it is not to be signed, see `why` */
	CS_KUBE_SUBMIT
};

struct cs_kube_request {
	enum cs_kube_kind kind;
	const char *name, *namespace, *uid, *version;
	bool cluster_issuer;
	const char *issuer; /* its name */
	enum cs_kube_todo todo;
	const char *why;    /* of REFUSE: a sentence; NULL else */
	const char *reason; /* of Denied: its condition's message, or NULL */
	bool delivered;	    /* a certificate stands in it */
	int64_t created_ms, approved_ms; /* 0: not known */
	json_t *object;			 /* borrowed */
};

/*
 * False: this is no such object at all (no name, no uid). `kind` is what was
 * asked for: items of a list do not say.
 */
bool cs_kube_request_read(enum cs_kube_kind kind, json_t *object,
			  struct cs_kube_request *ret) CS_MUST_USE;

/* What an event may change of it: 0 is nothing to do. */
unsigned cs_kube_request_mark(const struct cs_kube_request *r);

/* "GROUP/VERSION", "Kind", and the path of the object with `behind`. */
const char *cs_kube_request_api(enum cs_kube_kind kind);
const char *cs_kube_request_kind(enum cs_kube_kind kind);
void cs_kube_request_path(enum cs_kube_kind kind, const char *namespace,
			  const char *name, const char *behind,
			  struct cs_buf *out);

/*
 * Letters, digits, `-`, `_` and `.`, of which the first is no point: a name
 * that stands in a path for itself alone.
 */
bool cs_kube_is_name(const char *s);

/*
 * Let go of what is not read here: annotations, book-keeping and labels that a
 * stranger may have made many of. For an object that is kept for a while; what
 * was read from it before is not to be used any more.
 */
void cs_kube_request_trim(json_t *object);

/* The condition of this type, or NULL. */
json_t *cs_kube_condition(const json_t *object, const char *type);

/*
 * The body of POST /v1/requests. `labels` are the namespace's, or NULL. What is
 * to be refused is denied in it, so that it stands in Countersign's record.
 * With a sentence in *err: CS_E_FORMAT is a request that cannot be asked.
 */
bool cs_kube_request_body(const struct cs_kube_request *r, const char *issuer,
			  const json_t *labels, struct cs_buf *out,
			  struct cs_error *err) CS_MUST_USE;

#endif
