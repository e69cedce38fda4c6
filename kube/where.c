#include "kube/where.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "kube/file.h"
#include "kube/where_parts.h"

#define ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY,
			    "no memory for the configuration");
}

void cs_where_done(struct cs_where *w)
{
	struct cs_where_file *files[] = {&w->ca, &w->cert, &w->key, &w->token};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		cs_mem_free(files[i]->path);
		cs_buf_done(&files[i]->text);
	}
	cs_mem_free(w->server);
	cs_mem_free(w->server_name);
	cs_mem_free(w->namespace);
	*w = (struct cs_where){0};
}

bool cs_where_refresh(struct cs_where *w, struct cs_error *err)
{
	struct cs_where_file *files[] = {&w->ca, &w->cert, &w->key, &w->token};
	bool ok = true;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct cs_where_file *f = files[i];
		size_t max =
			f == &w->token ? CS_MAX_KUBE_TOKEN : CS_MAX_PEM_FILE;

		if (f->path != NULL &&
		    !cs_kube_file_read(f->path, max, &f->text, err))
			ok = false;
	}
	return ok;
}

struct cs_fetch_peer cs_where_peer(struct cs_where *w)
{
	return (struct cs_fetch_peer){
		.ca = cs_buf_span(&w->ca.text),
		.cert = cs_buf_span(&w->cert.text),
		.key = cs_buf_span(&w->key.text),
		.bearer =
			w->token.text.n > 0 ? cs_buf_str(&w->token.text) : NULL,
		.server_name = w->server_name,
		.insecure = w->insecure,
	};
}

/* A copy of a flag, where there is one. */
static bool copy(const char *text, char **ret)
{
	if (text == NULL)
		return true;
	*ret = cs_mem_strdup(text);
	return *ret != NULL;
}

/* --server, with its files. */
static bool from_flags(const struct cs_where_flags *f, struct cs_where *w,
		       struct cs_error *err)
{
	if (f->ca_file == NULL || f->token_file == NULL)
		return cs_error_set(err, CS_E_USAGE,
				    "--server needs --ca and --token-file");
	return (copy(f->server, &w->server) && copy(f->ca_file, &w->ca.path) &&
		copy(f->token_file, &w->token.path)) ||
	       no_memory(err);
}

/* DIR/NAME as a file of ours. */
static bool file_in(const char *dir, const char *name, char **ret)
{
	struct cs_buf b;

	cs_buf_init(&b, CS_MAX_URI);
	cs_buf_addf(&b, "%s/%s", dir, name);
	*ret = cs_buf_ok(&b) ? cs_mem_strdup(cs_buf_str(&b)) : NULL;
	cs_buf_done(&b);
	return *ret != NULL;
}

/* What the kubelet puts into a pod. */
static bool from_pod(const char *dir, struct cs_where *w, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf url = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf namespace = {0};
	CS_CLEANUP(cs_mem_free_at) char *path = NULL;
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");

	if (host == NULL || port == NULL)
		return cs_error_set(
			err, CS_E_CONFIG,
			"which cluster? Neither --kubeconfig nor --server was"
			" given, and this is no pod"
			" (KUBERNETES_SERVICE_HOST is not set)");
	cs_buf_init(&url, CS_MAX_URI);
	cs_buf_addf(&url,
		    strchr(host, ':') != NULL ? "https://[%s]:%s"
					      : "https://%s:%s",
		    host, port);
	if (!cs_buf_finish(&url, "KUBERNETES_SERVICE_HOST", err))
		return false;
	if (!copy(cs_buf_str(&url), &w->server) ||
	    !file_in(dir, "ca.crt", &w->ca.path) ||
	    !file_in(dir, "token", &w->token.path) ||
	    !file_in(dir, "namespace", &path))
		return no_memory(err);
	if (!cs_kube_file_read(path, CS_MAX_NAME, &namespace, err))
		return false;
	return copy(cs_buf_str(&namespace), &w->namespace) || no_memory(err);
}

/* The first of $KUBECONFIG's files, or NULL. */
static char *kubeconfig_of_environment(void)
{
	const char *list = getenv("KUBECONFIG");
	size_t n = list != NULL ? strcspn(list, ":") : 0;

	return n > 0 ? cs_mem_strndup(list, n) : NULL;
}

/* No slash at the end of the address; is it one? */
static bool check_server(struct cs_where *w, struct cs_error *err)
{
	size_t n = strlen(w->server);

	while (n > 0 && w->server[n - 1] == '/')
		w->server[--n] = '\0';
	if (!cs_fetch_is_base(w->server))
		return cs_error_set(err, CS_E_CONFIG,
				    "the API server's address \"%s\" is not of"
				    " the form https://HOST[:PORT]",
				    w->server);
	if (w->ca.path == NULL && w->ca.text.n == 0 && !w->insecure)
		return cs_error_set(err, CS_E_CONFIG,
				    "the CA of the API server is not stated");
	return true;
}

bool cs_where_find(const struct cs_where_flags *flags,
		   struct cs_where *ret_where, struct cs_error *err)
{
	CS_CLEANUP(cs_mem_free_at) char *named = NULL;
	struct cs_where *w = ret_where;
	bool ok;

	*w = (struct cs_where){0};
	named = flags->kubeconfig != NULL ? cs_mem_strdup(flags->kubeconfig)
					  : kubeconfig_of_environment();
	if (flags->server != NULL)
		ok = from_flags(flags, w, err);
	else if (named != NULL)
		ok = cs_where_kubeconfig(named, w, err);
	else
		ok = from_pod(flags->account_dir != NULL ? flags->account_dir
							 : ACCOUNT_DIR,
			      w, err);
	if (!ok || !check_server(w, err) || !cs_where_refresh(w, err))
		return false;
	if (flags->namespace != NULL) {
		cs_mem_free(w->namespace);
		w->namespace = NULL;
	}
	return copy(flags->namespace, &w->namespace) || no_memory(err);
}
