#include "cli/config.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/net.h"
#include "base/time.h"
#include "base/yaml.h"

/* Where we are: for sentences, and for what is made. */
struct reader {
	const char *file;
	struct cs_arena *arena;
	struct cs_error *err;
};

/* One key of a mapping and who reads its value into `target`. */
struct key {
	const char *name;
	bool (*read)(struct reader *r, const struct cs_yaml *v, void *target);
	size_t offset; /* of the target in the struct that is read */
	bool required;
};

#define KEY(type, member, read, required)                                      \
	{                                                                      \
#member, (read), offsetof(type, member), (required)            \
	}

/* Refuse node v with a place and a sentence. */
#define refuse(r, v, ...)                                                      \
	(cs_error_set((r)->err, CS_E_CONFIG, __VA_ARGS__),                     \
	 cs_error_prefix((r)->err, "%s:%u:%u", (r)->file, (v)->line,           \
			 (v)->column))

static bool expected(struct reader *r, const struct cs_yaml *v,
		     const char *what)
{
	/* Neither the file as a whole nor a list's item has a name. */
	return refuse(r, v, "%.*s%sexpected %s, not %s", CS_SPAN_FMT(v->key),
		      v->key.n > 0 ? ": " : "", what,
		      cs_yaml_kind_name(v->kind));
}

/* A mapping by its table of keys; every other key is an error. */
static bool read_map(struct reader *r, const struct cs_yaml *map,
		     const struct key *keys, size_t n, void *target)
{
	if (map->kind != CS_YAML_MAP)
		return expected(r, map, "a mapping");
	for (const struct cs_yaml *v = map->child; v != NULL; v = v->next) {
		size_t i = 0;

		while (i < n && !cs_span_equal_str(v->key, keys[i].name))
			i++;
		if (i == n) {
			cs_error_set(r->err, CS_E_CONFIG,
				     "%s:%u:%u: unknown key `%.*s`", r->file,
				     v->key_line, v->key_column,
				     CS_SPAN_FMT(v->key));
			return false;
		}
		if (!keys[i].read(r, v, (char *)target + keys[i].offset))
			return false;
	}
	for (size_t i = 0; i < n; i++)
		if (keys[i].required && cs_yaml_get(map, keys[i].name) == NULL)
			return refuse(r, map, "key `%s` is missing",
				      keys[i].name);
	return true;
}

static bool read_text(struct reader *r, const struct cs_yaml *v, void *target)
{
	const char **out = target;

	if (v->kind != CS_YAML_TEXT)
		return expected(r, v, "a text");
	if (v->text.n == 0 || cs_span_find(v->text, 0, NULL))
		return refuse(r, v, "%.*s: an empty text, or a NUL in it",
			      CS_SPAN_FMT(v->key));
	*out = cs_arena_str(r->arena, v->text);
	return *out != NULL || cs_error_set(r->err, CS_E_NO_MEMORY,
					    "no memory to read %s", r->file);
}

static bool read_bool(struct reader *r, const struct cs_yaml *v, void *target)
{
	if (v->kind != CS_YAML_BOOL)
		return expected(r, v, "true or false");
	*(bool *)target = v->boolean;
	return true;
}

/* A whole number between low and high. */
static bool read_number(struct reader *r, const struct cs_yaml *v, int64_t low,
			int64_t high, int64_t *ret)
{
	if (v->kind != CS_YAML_INT)
		return expected(r, v, "a whole number");
	if (v->integer < low || v->integer > high)
		return refuse(r, v, "%.*s: %lld is not between %lld and %lld",
			      CS_SPAN_FMT(v->key), (long long)v->integer,
			      (long long)low, (long long)high);
	*ret = v->integer;
	return true;
}

/* The same into 32 bits; high fits. */
static bool read_u32(struct reader *r, const struct cs_yaml *v, int64_t low,
		     int64_t high, uint32_t *target)
{
	int64_t n = 0;

	if (!read_number(r, v, low, high, &n))
		return false;
	*target = (uint32_t)n;
	return true;
}

static bool read_workers(struct reader *r, const struct cs_yaml *v,
			 void *target)
{
	return read_u32(r, v, 0, CS_MAX_WORKERS, target);
}

static bool read_signers(struct reader *r, const struct cs_yaml *v,
			 void *target)
{
	return read_u32(r, v, 1, CS_MAX_SIGNERS, target);
}

static bool read_quota(struct reader *r, const struct cs_yaml *v, void *target)
{
	return read_u32(r, v, 0, 1000000, target);
}

static bool read_connections(struct reader *r, const struct cs_yaml *v,
			     void *target)
{
	return read_u32(r, v, 1, CS_MAX_HTTP_CONNECTIONS, target);
}

static bool read_shards(struct reader *r, const struct cs_yaml *v, void *target)
{
	uint32_t n = 0;

	if (!read_u32(r, v, 1, CS_MAX_CRL_SHARDS, &n))
		return false;
	if ((n & (n - 1)) != 0)
		return refuse(r, v, "crl_shards: %u is not a power of two", n);
	*(uint32_t *)target = n;
	return true;
}

static bool read_duration(struct reader *r, const struct cs_yaml *v,
			  void *target)
{
	int64_t seconds;

	if (v->kind != CS_YAML_TEXT)
		return expected(r, v, "a duration such as 90d or 24h");
	if (!cs_time_parse_duration(v->text, &seconds, r->err))
		return cs_error_prefix(r->err, "%s:%u:%u: %.*s", r->file,
				       v->line, v->column, CS_SPAN_FMT(v->key));
	if (seconds < 60 || seconds > CS_CONFIG_MAX_DURATION)
		return refuse(r, v, "%.*s: expected 1m to 3650d",
			      CS_SPAN_FMT(v->key));
	*(int64_t *)target = seconds;
	return true;
}

/* How long what has ended is kept: an age. */
static bool read_retention(struct reader *r, const struct cs_yaml *v,
			   void *target)
{
	int64_t seconds;

	if (v->kind != CS_YAML_TEXT)
		return expected(r, v, "an age such as 2y or 900d");
	if (!cs_time_parse_age(v->text, &seconds, r->err))
		return cs_error_prefix(r->err, "%s:%u:%u: %.*s", r->file,
				       v->line, v->column, CS_SPAN_FMT(v->key));
	if (seconds < 86400 || seconds > CS_CONFIG_MAX_RETENTION)
		return refuse(r, v, "%.*s: expected 1d to 100y",
			      CS_SPAN_FMT(v->key));
	*(int64_t *)target = seconds;
	return true;
}

static bool read_list(struct reader *r, const struct cs_yaml *v, void *target)
{
	struct cs_config_list *out = target;

	if (v->kind != CS_YAML_LIST)
		return expected(r, v, "a list of texts");
	if (v->n > CS_MAX_CONFIG_LIST)
		return refuse(r, v, "%.*s: more than %d entries",
			      CS_SPAN_FMT(v->key), CS_MAX_CONFIG_LIST);
	out->n = 0;
	for (const struct cs_yaml *i = v->child; i != NULL; i = i->next) {
		if (!read_text(r, i, &out->item[out->n]))
			return false;
		out->n++;
	}
	return true;
}

static bool read_uids(struct reader *r, const struct cs_yaml *v, void *target)
{
	struct cs_config *c = target;

	if (v->kind != CS_YAML_LIST || v->n == 0)
		return expected(r, v, "a list of user ids");
	if (v->n > CS_MAX_CONFIG_LIST)
		return refuse(r, v, "admin_uids: more than %d entries",
			      CS_MAX_CONFIG_LIST);
	for (const struct cs_yaml *i = v->child; i != NULL; i = i->next)
		if (!read_number(r, i, 0, UINT32_MAX - 1,
				 &c->admin_uids[c->n_admin_uids++]))
			return false;
	return true;
}

/* One of two words; `yes` gives true. */
static bool read_choice(struct reader *r, const struct cs_yaml *v,
			const char *no, const char *yes, bool *ret)
{
	if (v->kind != CS_YAML_TEXT || (!cs_span_equal_str(v->text, no) &&
					!cs_span_equal_str(v->text, yes)))
		return refuse(r, v, "%.*s: expected %s or %s",
			      CS_SPAN_FMT(v->key), no, yes);
	*ret = cs_span_equal_str(v->text, yes);
	return true;
}

static bool read_no_policy(struct reader *r, const struct cs_yaml *v,
			   void *target)
{
	return read_choice(r, v, "refuse", "hold", target);
}

static bool read_policy_source(struct reader *r, const struct cs_yaml *v,
			       void *target)
{
	return read_choice(r, v, "files", "api", target);
}

/* Issuers are part of URLs and file names: [a-z0-9-], from a letter. */
bool cs_config_issuer_name(struct cs_span name, struct cs_error *err)
{
	bool ok = name.n > 0;

	if (name.n > CS_MAX_NAME)
		return cs_error_set(err, CS_E_CONFIG,
				    "name: longer than %d bytes", CS_MAX_NAME);
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if ((c < 'a' || c > 'z') &&
		    (i == 0 || ((c < '0' || c > '9') && c != '-')))
			ok = false;
	}
	return ok || cs_error_set(err, CS_E_CONFIG,
				  "name: `%.*s`: expected "
				  "lower-case letters, digits and `-`, a "
				  "letter first",
				  CS_SPAN_FMT(name));
}

static bool read_issuer_name(struct reader *r, const struct cs_yaml *v,
			     void *target)
{
	if (!read_text(r, v, target))
		return false;
	return cs_config_issuer_name(v->text, r->err) ||
	       cs_error_prefix(r->err, "%s:%u:%u", r->file, v->line, v->column);
}

/* A credential is a file's name within a directory that systemd made. */
static bool read_credential(struct reader *r, const struct cs_yaml *v,
			    void *target)
{
	if (!read_text(r, v, target))
		return false;
	if (cs_span_find(v->text, '/', NULL) || v->text.p[0] == '.' ||
	    v->text.n > CS_MAX_SOURCE_NAME)
		return refuse(r, v, "%.*s: expected a credential's name",
			      CS_SPAN_FMT(v->key));
	return true;
}

static bool read_url(struct reader *r, const struct cs_yaml *v, void *target)
{
	if (!read_text(r, v, target))
		return false;
	if (!cs_span_starts_with(v->text, CS_SPAN_LIT("http://")) &&
	    !cs_span_starts_with(v->text, CS_SPAN_LIT("https://")))
		return refuse(r, v, "%.*s: expected an http or https URL",
			      CS_SPAN_FMT(v->key));
	if (v->text.n > CS_MAX_URI)
		return refuse(r, v, "%.*s: longer than %d bytes",
			      CS_SPAN_FMT(v->key), CS_MAX_URI);
	return true;
}

/* A responder lives for a week: what it says holds for a day at most. */
static bool read_ocsp_validity(struct reader *r, const struct cs_yaml *v,
			       void *target)
{
	int64_t seconds = 0;

	if (!read_duration(r, v, &seconds))
		return false;
	if (seconds > 86400)
		return refuse(r, v, "ocsp_validity: expected 1m to 1d");
	*(int64_t *)target = seconds;
	return true;
}

/* The text of a duration: checked here, given on as it is. */
static bool read_duration_text(struct reader *r, const struct cs_yaml *v,
			       void *target)
{
	int64_t seconds;

	return read_duration(r, v, &seconds) && read_text(r, v, target);
}

static const struct key ceiling_keys[] = {
	KEY(struct cs_config_ceiling, max_validity, read_duration_text, true),
	KEY(struct cs_config_ceiling, ext_key_usage, read_list, true),
	KEY(struct cs_config_ceiling, permitted_dns, read_list, false),
	KEY(struct cs_config_ceiling, permitted_ip, read_list, false),
	KEY(struct cs_config_ceiling, permitted_kinds, read_list, false),
	KEY(struct cs_config_ceiling, ca, read_bool, false),
};

static bool read_ceiling(struct reader *r, const struct cs_yaml *v,
			 void *target)
{
	return read_map(r, v, ceiling_keys,
			sizeof(ceiling_keys) / sizeof(ceiling_keys[0]), target);
}

static const struct key issuer_keys[] = {
	KEY(struct cs_config_issuer, name, read_issuer_name, true),
	KEY(struct cs_config_issuer, chain, read_text, true),
	KEY(struct cs_config_issuer, key, read_text, true),
	KEY(struct cs_config_issuer, passphrase_file, read_text, false),
	KEY(struct cs_config_issuer, passphrase_credential, read_credential,
	    false),
	KEY(struct cs_config_issuer, self_approval, read_bool, false),
	{"no_policy", read_no_policy,
	 offsetof(struct cs_config_issuer, hold_no_policy), false},
	KEY(struct cs_config_issuer, crl_url, read_url, false),
	KEY(struct cs_config_issuer, crl_shards, read_shards, false),
	KEY(struct cs_config_issuer, ocsp, read_bool, false),
	KEY(struct cs_config_issuer, ocsp_url, read_url, false),
	{"ocsp_validity", read_ocsp_validity,
	 offsetof(struct cs_config_issuer, ocsp_validity_s), false},
	KEY(struct cs_config_issuer, ceiling, read_ceiling, true),
};

static bool read_issuers(struct reader *r, const struct cs_yaml *v,
			 void *target)
{
	struct cs_config *c = target;

	if (v->kind != CS_YAML_LIST || v->n == 0)
		return expected(r, v, "a list with at least one issuer");
	if (v->n > CS_MAX_ISSUERS)
		return refuse(r, v, "issuers: more than %d", CS_MAX_ISSUERS);
	c->issuers = cs_arena_new_array(r->arena, v->n, sizeof(*c->issuers));
	if (c->issuers == NULL)
		return cs_error_set(r->err, CS_E_NO_MEMORY,
				    "no memory to read %s", r->file);
	for (const struct cs_yaml *i = v->child; i != NULL; i = i->next) {
		struct cs_config_issuer *is = &c->issuers[c->n_issuers];

		is->crl_shards = 1;
		is->ocsp_validity_s = CS_CONFIG_OCSP_VALIDITY;
		is->line = i->line;
		if (!read_map(r, i, issuer_keys,
			      sizeof(issuer_keys) / sizeof(issuer_keys[0]), is))
			return false;
		if (is->passphrase_file != NULL &&
		    is->passphrase_credential != NULL)
			return refuse(r, i,
				      "issuer `%s`: passphrase_file and "
				      "passphrase_credential: one of them",
				      is->name);
		if (is->ocsp_url != NULL && !is->ocsp)
			return refuse(r, i,
				      "issuer `%s`: ocsp_url without `ocsp: "
				      "true`: nobody would answer there",
				      is->name);
		if (cs_config_issuer(c, is->name) != NULL)
			return refuse(r, i, "issuer `%s` stands twice",
				      is->name);
		c->n_issuers++;
	}
	return true;
}

static const struct key pending_keys[] = {
	{"quota", read_quota, offsetof(struct cs_config, pending_quota), false},
	{"expiry", read_duration, offsetof(struct cs_config, pending_expiry_s),
	 false},
};

static bool read_pending(struct reader *r, const struct cs_yaml *v,
			 void *target)
{
	return read_map(r, v, pending_keys,
			sizeof(pending_keys) / sizeof(pending_keys[0]), target);
}

static const struct key crl_keys[] = {
	{"validity", read_duration, offsetof(struct cs_config, crl_validity_s),
	 false},
	{"refresh", read_duration, offsetof(struct cs_config, crl_refresh_s),
	 false},
};

/* RFC 5280 5: a new one has to be there before the last one ends. */
static bool read_crl(struct reader *r, const struct cs_yaml *v, void *target)
{
	const struct cs_config *c = target;

	if (!read_map(r, v, crl_keys, sizeof(crl_keys) / sizeof(crl_keys[0]),
		      target))
		return false;
	if (c->crl_validity_s > INT64_C(86400) * CS_MAX_CRL_DAYS)
		return refuse(r, v, "validity: expected at most %dd",
			      CS_MAX_CRL_DAYS);
	if (c->crl_refresh_s >= c->crl_validity_s)
		return refuse(r, v, "refresh: expected less than the validity");
	return true;
}

static const struct key log_keys[] = {
	{"origin", read_text, offsetof(struct cs_config, origin), true},
	{"key", read_text, offsetof(struct cs_config, log_key), true},
};

static bool read_log(struct reader *r, const struct cs_yaml *v, void *target)
{
	return read_map(r, v, log_keys, sizeof(log_keys) / sizeof(log_keys[0]),
			target);
}

static const struct key tls_keys[] = {
	{"hosts", read_list, offsetof(struct cs_config, hosts), true},
	{"key", read_text, offsetof(struct cs_config, tls_key), true},
	{"chain", read_text, offsetof(struct cs_config, tls_chain), true},
	{"issuer", read_text, offsetof(struct cs_config, tls_issuer), false},
};

static bool read_tls(struct reader *r, const struct cs_yaml *v, void *target)
{
	return read_map(r, v, tls_keys, sizeof(tls_keys) / sizeof(tls_keys[0]),
			target);
}

/* Addresses and networks, as front reads them. */
static bool read_nets(struct reader *r, const struct cs_yaml *v, void *target)
{
	struct cs_config_list *list = target;
	struct cs_net net;

	if (!read_list(r, v, target))
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (!cs_net_parse(list->item[i], &net))
			return refuse(r, v,
				      "%.*s: `%s` is no address and no "
				      "network such as 10.0.0.0/8",
				      CS_SPAN_FMT(v->key), list->item[i]);
	return true;
}

static const struct key metrics_keys[] = {
	{"scrape_from", read_nets, offsetof(struct cs_config, scrape_from),
	 false},
};

static bool read_metrics(struct reader *r, const struct cs_yaml *v,
			 void *target)
{
	return read_map(r, v, metrics_keys,
			sizeof(metrics_keys) / sizeof(metrics_keys[0]), target);
}

static bool read_log_level(struct reader *r, const struct cs_yaml *v,
			   void *target)
{
	enum cs_log_level *level = target;

	if (v->kind == CS_YAML_TEXT && cs_log_level_parse(v->text, level))
		return true;
	return refuse(r, v,
		      "log_level: expected error, warning, info or debug");
}

static const struct key limits_keys[] = {
	{"connections", read_connections,
	 offsetof(struct cs_config, connections), false},
	{"connections_per_address", read_connections,
	 offsetof(struct cs_config, per_address), false},
};

static bool read_limits(struct reader *r, const struct cs_yaml *v, void *target)
{
	return read_map(r, v, limits_keys,
			sizeof(limits_keys) / sizeof(limits_keys[0]), target);
}

static const struct key top_keys[] = {
	KEY(struct cs_config, listen, read_list, true),
	KEY(struct cs_config, public_listen, read_list, false),
	{"limits", read_limits, 0, false},
	{"tls", read_tls, 0, true},
	{"admin_uids", read_uids, 0, true},
	KEY(struct cs_config, workers, read_workers, false),
	KEY(struct cs_config, signers, read_signers, false),
	{"pending", read_pending, 0, false},
	{"crl", read_crl, 0, false},
	{"retention", read_retention, offsetof(struct cs_config, retention_s),
	 false},
	{"policy_source", read_policy_source,
	 offsetof(struct cs_config, policy_by_api), false},
	{"metrics", read_metrics, 0, false},
	KEY(struct cs_config, log_level, read_log_level, false),
	{"log", read_log, 0, true},
	{"issuers", read_issuers, 0, true},
};

bool cs_config_parse(struct cs_span text, const char *file,
		     struct cs_arena *arena, struct cs_config *ret_config,
		     struct cs_error *err)
{
	struct reader r = {.file = file, .arena = arena, .err = err};
	struct cs_config c = {.connections = CS_HTTP_CONNECTIONS,
			      .per_address = CS_HTTP_PER_ADDRESS,
			      .signers = 1,
			      .pending_quota = 1000,
			      .log_level = CS_LOG_INFO,
			      .pending_expiry_s = 7 * 86400,
			      .crl_validity_s = CS_CONFIG_CRL_VALIDITY,
			      .crl_refresh_s = CS_CONFIG_CRL_REFRESH,
			      .retention_s = CS_CONFIG_RETENTION};
	struct cs_yaml *doc = cs_yaml_parse(text, file, arena, err);

	if (doc == NULL)
		return false;
	if (doc->next != NULL)
		return refuse(&r, doc->next, "a second document");
	if (!read_map(&r, doc, top_keys, sizeof(top_keys) / sizeof(top_keys[0]),
		      &c))
		return false;
	if (c.listen.n == 0 || c.hosts.n == 0)
		return refuse(&r, doc, "`%s` is empty",
			      c.listen.n == 0 ? "listen" : "tls.hosts");
	if (c.tls_issuer != NULL && cs_config_issuer(&c, c.tls_issuer) == NULL)
		return refuse(&r, doc, "tls.issuer: there is no issuer `%s`",
			      c.tls_issuer);
	*ret_config = c;
	return true;
}

const struct cs_config_issuer *cs_config_issuer(const struct cs_config *config,
						const char *name)
{
	for (size_t i = 0; i < config->n_issuers; i++)
		if (strcmp(config->issuers[i].name, name) == 0)
			return &config->issuers[i];
	return NULL;
}
