/* For issuers.c and issuers_check.c only: one issuer, and its check. */
#ifndef CS_KUBE_ISSUERS_PARTS_H
#define CS_KUBE_ISSUERS_PARTS_H

#include "kube/issuers.h"
#include "kube/wait.h"

/* A member of a Secret or a ConfigMap. */
struct cs_issuer_ref {
	char *kind; /* "secrets", "configmaps"; NULL: there is none */
	char *name, *key;
};

/* What the last check found. */
struct cs_issuer_said {
	const char *status, *reason; /* literals; NULL: nothing yet */
	struct cs_buf message;
	int64_t generation, since_ms;
};

struct cs_issuer {
	struct cs_issuers *all;
	char *key;		      /* "NAMESPACE/NAME" */
	char *namespace, *name, *uid; /* namespace: NULL for a cluster's */
	int64_t generation;
	unsigned seen;

	/* its spec */
	char *url, *issuer;
	struct cs_buf ca_inline;
	struct cs_issuer_ref ca_ref, token_ref;

	/* the check */
	struct cs_timer *timer;
	struct cs_kube_call *call;	/* of the API server */
	struct cs_fetch_call *transfer; /* of Countersign */
	struct cs_kube_call *writing;
	struct cs_wait wait;
	bool doubted; /* the next check is soon */
	enum cs_issuer_state state;
	struct cs_issuer_said said, stands; /* by us; in the object */
	struct cs_buf ca, token;	    /* of the last good check */
	struct cs_buf ca_new, token_new;    /* as read for this one */
	struct cs_issuer *next;
};

struct cs_issuers {
	struct cs_issuers_config c;
	struct cs_issuer *first;
	size_t n;
	unsigned list[2];
};

/* Begin the check; whatever was under way ends. */
void cs_issuer_check(struct cs_issuer *i);
/* End what is under way. */
void cs_issuer_stop(struct cs_issuer *i);

#endif
