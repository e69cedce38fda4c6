/*
 * What is written back: bodies of PATCH and POST, each a pure function.
 *
 * A status is applied (server-side apply) under one field manager that never
 * changes: the conditions of others keep their owners and their bytes, and
 * what we wrote last time and leave out now goes. Each carries the uid and the
 * version that the decision was made on, so that nothing is written over what
 * came since, and never into another object of the same name.
 */
#ifndef CS_KUBE_WRITE_H
#define CS_KUBE_WRITE_H

#include "kube/request.h"

/* Our name as a field manager, and in events. */
#define CS_KUBE_MANAGER "countersign.dev"
#define CS_KUBE_APPLY	"application/apply-patch+yaml"
#define CS_KUBE_BEHIND	"/status?fieldManager=" CS_KUBE_MANAGER "&force=true"

/* What a request's Ready says now. */
struct cs_kube_ready {
	const char *reason;	    /* Pending, Issued, Failed, Denied */
	struct cs_span message;	    /* cut to what a condition takes */
	struct cs_span certificate; /* Issued: PEM */
	struct cs_span ca;	    /* Issued: PEM, or empty */
	int64_t now_ms;
};

/* Does the object say so already? Then nothing is to be written. */
bool cs_kube_ready_stands(const struct cs_kube_request *r,
			  const struct cs_kube_ready *ready);

/* A CSR takes Issued and Failed only: it has no other way to say anything. */
bool cs_kube_write_request(const struct cs_kube_request *r,
			   const struct cs_kube_ready *ready,
			   struct cs_buf *out,
			   struct cs_error *err) CS_MUST_USE;

/* The Ready of an issuer. */
struct cs_kube_issuer_ready {
	const char *kind, *namespace, *name, *uid; /* namespace may be NULL */
	int64_t generation;
	const char *status, *reason, *message;
	int64_t since_ms; /* lastTransitionTime */
};

bool cs_kube_write_issuer(const struct cs_kube_issuer_ready *i,
			  struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/* An event, events.k8s.io/v1, about an object. */
struct cs_kube_event {
	const char *api, *kind, *namespace, *name, *uid, *version;
	const char *type;   /* Normal, Warning */
	const char *reason; /* of a word */
	struct cs_span note;
	const char *reporter; /* this process */
	uint64_t number;      /* of its events: makes a name */
	int64_t now_ms;
};

/* Its path, then its body. */
void cs_kube_event_path(const struct cs_kube_event *e, struct cs_buf *out);
bool cs_kube_write_event(const struct cs_kube_event *e, struct cs_buf *out,
			 struct cs_error *err) CS_MUST_USE;

#endif
