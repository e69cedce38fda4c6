/*
 * The Issuers and ClusterIssuers of our group: what each says, whether it is
 * good, and what it takes to ask its Countersign.
 *
 * An issuer is checked when it appears or changes, once in a while, and at
 * once when somebody doubts it: its CA and its token are read, Countersign has
 * to be ready, to know the token, and to have the issuer that is named. The
 * result is its Ready condition, written where it differs from what stands
 * there. `Failed` is a spec that cannot work; it waits for another generation.
 * Everything else is `Pending` and is checked again.
 *
 * Whose secrets: a namespaced issuer's only from its own namespace, a cluster
 * issuer's only from the namespace that the operator named. The adapter's own
 * token goes only to addresses that cluster issuers name, because whoever may
 * write an Issuer in a namespace could name his own.
 */
#ifndef CS_KUBE_ISSUERS_H
#define CS_KUBE_ISSUERS_H

#include <jansson.h>

#include "kube/api.h"

struct cs_issuers;

struct cs_issuers_config {
	struct cs_kube_api *api;
	struct cs_fetch *fetch;
	struct cs_loop *loop;
	struct cs_clock clock;
	struct cs_log *log;
	const char *namespace;	/* of cluster issuers' secrets; may be NULL */
	const char *token_file; /* the adapter's own token; may be NULL */
	uint32_t check_s;
	/* Something that requests of this issuer wait for has changed. */
	void (*on_change)(void *ctx, const char *key);
	void *ctx;
};

enum cs_issuer_state {
	CS_ISSUER_ABSENT,
	CS_ISSUER_UNKNOWN, /* not checked yet, as it is now */
	CS_ISSUER_READY,
	CS_ISSUER_PENDING,
	CS_ISSUER_FAILED
};

/* Borrowed; until the loop goes on. */
struct cs_issuer_view {
	enum cs_issuer_state state;
	const char *message;
	const char *url, *issuer;  /* READY */
	struct cs_fetch_peer peer; /* READY */
};

/* The config is copied, what it points to is borrowed. */
struct cs_issuers *cs_issuers_new(const struct cs_issuers_config *config,
				  struct cs_error *err) CS_MUST_USE;
void cs_issuers_free(struct cs_issuers *is);

enum cs_issuers_scope {
	CS_ISSUERS_NAMESPACED,
	CS_ISSUERS_CLUSTER
};

/* From a list or a watch; starts no call from inside. */
void cs_issuers_put(struct cs_issuers *is, enum cs_issuers_scope scope,
		    json_t *object);
void cs_issuers_gone(struct cs_issuers *is, enum cs_issuers_scope scope,
		     const json_t *object);
void cs_issuers_listing(struct cs_issuers *is, enum cs_issuers_scope scope);
void cs_issuers_listed(struct cs_issuers *is, enum cs_issuers_scope scope);

/* By its key, see kube/queue.h. */
struct cs_issuer_view cs_issuers_find(struct cs_issuers *is, const char *key);

/* Its Countersign did not do what it should: check it soon. */
void cs_issuers_doubt(struct cs_issuers *is, const char *key);

/* Append the metrics of each. */
void cs_issuers_metrics(const struct cs_issuers *is, struct cs_buf *out);

#endif
