/*
 * Which API server, and who we are to it: from a kubeconfig, from a pod's
 * service account, or from what flags say.
 *
 * A kubeconfig's current context is read: server, certificate authority,
 * tls-server-name, insecure-skip-tls-verify; client certificate and key,
 * token, tokenFile. Paths are relative to the file. What we do not do is
 * refused by its name, not passed over: `exec` and `auth-provider` (we run no
 * programs), `username` and `password`, `proxy-url`, impersonation.
 *
 * Files are opened by their path each time they are read: the kubelet swaps
 * a link. cs_where_refresh() reads them again; what cannot be read leaves
 * what was there.
 */
#ifndef CS_KUBE_WHERE_H
#define CS_KUBE_WHERE_H

#include "base/buf.h"
#include "kube/fetch.h"

/* What the command line says; NULL: nothing. */
struct cs_where_flags {
	const char *kubeconfig;	 /* a file */
	const char *server;	 /* https://HOST:PORT */
	const char *ca_file;	 /* with server */
	const char *token_file;	 /* with server */
	const char *namespace;	 /* ours; else the pod's, the context's */
	const char *account_dir; /* a pod's service account; has a default */
};

struct cs_where_file {
	char *path;	    /* NULL: there is none; the bytes are inline */
	struct cs_buf text; /* what was read last */
};

struct cs_where {
	char *server; /* without a slash at its end */
	char *server_name;
	char *namespace;
	bool insecure;
	struct cs_where_file ca, cert, key, token;
};

/*
 * Flags first; then $KUBECONFIG's first file if kubeconfig is NULL and the
 * variable is set; then the pod's account. The sentence names what is wrong.
 * Release with cs_where_done(), also after a failure.
 */
bool cs_where_find(const struct cs_where_flags *flags,
		   struct cs_where *ret_where,
		   struct cs_error *err) CS_MUST_USE;
void cs_where_done(struct cs_where *w);

/* Read the files again. False: one could not be; *err tells of the last. */
bool cs_where_refresh(struct cs_where *w, struct cs_error *err);

/* Borrowed; until the next refresh. */
struct cs_fetch_peer cs_where_peer(struct cs_where *w);

#endif
