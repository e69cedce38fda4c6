#include "kube/where_parts.h"

#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "kube/file.h"

/* What is being read, for sentences. */
struct reading {
	const char *path;
	struct cs_error *err;
};

/* A text below a map, or an empty span. */
static struct cs_span text_of(const struct cs_yaml *map, const char *key)
{
	const struct cs_yaml *v = map != NULL ? cs_yaml_get(map, key) : NULL;

	return v != NULL && v->kind != CS_YAML_NULL ? v->text
						    : cs_span_make(NULL, 0);
}

/* The item of `list` with this name: its member `what`. */
static const struct cs_yaml *named(const struct cs_yaml *root, const char *list,
				   const char *what, struct cs_span name)
{
	const struct cs_yaml *l = cs_yaml_get(root, list);

	if (l == NULL || l->kind != CS_YAML_LIST)
		return NULL;
	for (const struct cs_yaml *i = l->child; i != NULL; i = i->next) {
		const struct cs_yaml *v;

		if (i->kind != CS_YAML_MAP ||
		    !cs_span_equal(text_of(i, "name"), name))
			continue;
		v = cs_yaml_get(i, what);
		if (v != NULL && v->kind == CS_YAML_MAP)
			return v;
	}
	return NULL;
}

static bool fail(const struct reading *r, const char *what, struct cs_span name)
{
	return cs_error_set(r->err, CS_E_CONFIG, "%s: there is no %s \"%.*s\"",
			    r->path, what, CS_SPAN_FMT(name));
}

/* A path beside the kubeconfig. */
static char *beside(const struct reading *r, struct cs_span name)
{
	const char *slash = strrchr(r->path, '/');
	struct cs_buf b;
	char *path;

	cs_buf_init(&b, CS_MAX_URI);
	if (name.n > 0 && name.p[0] != '/' && slash != NULL)
		cs_buf_add(&b, cs_span_make(r->path,
					    (size_t)(slash - r->path) + 1));
	cs_buf_add(&b, name);
	path = cs_buf_ok(&b) ? cs_mem_strdup(cs_buf_str(&b)) : NULL;
	cs_buf_done(&b);
	return path;
}

/* KEY-data in Base64, or the path KEY. */
static bool read_file(const struct reading *r, const struct cs_yaml *map,
		      const char *key, const char *data_key,
		      struct cs_where_file *ret)
{
	struct cs_span data = data_key != NULL ? text_of(map, data_key)
					       : cs_span_make(NULL, 0);
	struct cs_span path = text_of(map, key);

	if (data.n > 0) {
		cs_buf_init(&ret->text, CS_MAX_PEM_FILE);
		if (cs_codec_base64_decode(data, &ret->text, r->err))
			return true;
		return cs_error_prefix(r->err, "%s: %s", r->path, data_key);
	}
	if (path.n == 0)
		return true;
	ret->path = beside(r, path);
	return ret->path != NULL ||
	       cs_error_set(r->err, CS_E_NO_MEMORY, "%s: no memory", r->path);
}

static bool copy(const struct reading *r, struct cs_span text, char **ret)
{
	if (text.n == 0)
		return true;
	*ret = cs_mem_strndup((const char *)text.p, text.n);
	return *ret != NULL ||
	       cs_error_set(r->err, CS_E_NO_MEMORY, "%s: no memory", r->path);
}

/* What would change who or where we are, and is not done here. */
static bool refuse(const struct reading *r, const struct cs_yaml *map)
{
	static const char *const keys[] = {
		"exec",	    "auth-provider", "username",
		"password", "proxy-url",     "as",
		"as-uid",   "as-groups",     "as-user-extra"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct cs_yaml *v = cs_yaml_get(map, keys[i]);

		if (v != NULL && v->kind != CS_YAML_NULL)
			return cs_error_set(
				r->err, CS_E_CONFIG,
				"%s:%u: %s is not supported: use a token, a"
				" tokenFile or a client certificate",
				r->path, v->key_line, keys[i]);
	}
	return true;
}

static bool read_cluster(const struct reading *r, const struct cs_yaml *c,
			 struct cs_where *w)
{
	const struct cs_yaml *skip = cs_yaml_get(c, "insecure-skip-tls-verify");

	w->insecure =
		skip != NULL && skip->kind == CS_YAML_BOOL && skip->boolean;
	if (text_of(c, "server").n == 0)
		return cs_error_set(r->err, CS_E_CONFIG,
				    "%s:%u: the cluster has no server", r->path,
				    c->line);
	return refuse(r, c) && copy(r, text_of(c, "server"), &w->server) &&
	       copy(r, text_of(c, "tls-server-name"), &w->server_name) &&
	       read_file(r, c, "certificate-authority",
			 "certificate-authority-data", &w->ca);
}

static bool read_user(const struct reading *r, const struct cs_yaml *u,
		      struct cs_where *w)
{
	struct cs_span token = text_of(u, "token");

	if (!refuse(r, u) ||
	    !read_file(r, u, "client-certificate", "client-certificate-data",
		       &w->cert) ||
	    !read_file(r, u, "client-key", "client-key-data", &w->key) ||
	    !read_file(r, u, "tokenFile", NULL, &w->token))
		return false;
	if (token.n == 0 || w->token.path != NULL)
		return true;
	cs_buf_init(&w->token.text, CS_MAX_KUBE_TOKEN);
	cs_buf_add(&w->token.text, token);
	return cs_buf_finish(&w->token.text, "token", r->err);
}

static bool read_root(const struct reading *r, const struct cs_yaml *root,
		      struct cs_where *w)
{
	struct cs_span name = text_of(root, "current-context");
	const struct cs_yaml *context =
		named(root, "contexts", "context", name);
	const struct cs_yaml *cluster, *user;

	if (context == NULL)
		return fail(r, "context", name);
	cluster =
		named(root, "clusters", "cluster", text_of(context, "cluster"));
	if (cluster == NULL)
		return fail(r, "cluster", text_of(context, "cluster"));
	user = named(root, "users", "user", text_of(context, "user"));
	if (user == NULL)
		return fail(r, "user", text_of(context, "user"));
	return copy(r, text_of(context, "namespace"), &w->namespace) &&
	       read_cluster(r, cluster, w) && read_user(r, user, w);
}

bool cs_where_kubeconfig(const char *path, struct cs_where *w,
			 struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text = {0};
	const struct reading r = {path, err};
	const struct cs_yaml *root;
	struct cs_arena arena;
	bool ok;

	if (!cs_kube_file_read(path, CS_MAX_POLICY_FILE, &text, err))
		return false;
	cs_arena_init(&arena, CS_MAX_POLICY_SET_ARENA);
	root = cs_yaml_parse(cs_buf_span(&text), path, &arena, err);
	ok = root != NULL;
	if (ok && (root->kind != CS_YAML_MAP || root->next != NULL))
		ok = cs_error_set(err, CS_E_CONFIG, "%s: no kubeconfig", path);
	ok = ok && read_root(&r, root, w);
	cs_arena_done(&arena);
	return ok;
}
