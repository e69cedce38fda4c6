/* The configuration as a file that a person can edit. */
#include "cli/config.h"

#include "base/time.h"

void cs_config_write_quoted(const char *s, struct cs_buf *out)
{
	cs_buf_add_byte(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			cs_buf_add_byte(out, '\\');
		if ((unsigned char)*s < 0x20)
			cs_buf_addf(out, "\\x%02x", (unsigned char)*s);
		else
			cs_buf_add_byte(out, (uint8_t)*s);
	}
	cs_buf_add_byte(out, '"');
}

static void put_text(struct cs_buf *out, const char *key, const char *s)
{
	cs_buf_addf(out, "%s: ", key);
	cs_config_write_quoted(s, out);
	cs_buf_add_byte(out, '\n');
}

static void put_list(struct cs_buf *out, const char *key,
		     const struct cs_config_list *list)
{
	cs_buf_addf(out, "%s: [", key);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			cs_buf_add_str(out, ", ");
		cs_config_write_quoted(list->item[i], out);
	}
	cs_buf_add_str(out, "]\n");
}

/* Where the key's passphrase is, or how that is said. */
static void put_passphrase(struct cs_buf *out,
			   const struct cs_config_issuer *is)
{
	if (is->passphrase_file != NULL)
		put_text(out, "    passphrase_file", is->passphrase_file);
	if (is->passphrase_credential != NULL)
		put_text(out, "    passphrase_credential",
			 is->passphrase_credential);
}

static void put_ocsp(struct cs_buf *out, const struct cs_config_issuer *is)
{
	char validity[CS_TIME_TEXT];

	cs_time_duration(is->ocsp_validity_s, validity);
	cs_buf_addf(out,
		    "    # Does /ocsp answer for it, by a responder of its "
		    "own? For how long an\n    # answer holds, and where "
		    "certificates say that it is to be had.\n    ocsp: %s\n"
		    "    ocsp_validity: %s\n",
		    is->ocsp ? "true" : "false", validity);
	if (is->ocsp_url != NULL)
		put_text(out, "    ocsp_url", is->ocsp_url);
	else
		cs_buf_add_str(out, "    # ocsp_url: "
				    "\"http://ca.example/ocsp\"\n");
}

void cs_config_write_issuer(const struct cs_config_issuer *is,
			    struct cs_buf *out)
{
	put_text(out, "  - name", is->name);
	put_text(out, "    chain", is->chain);
	put_text(out, "    key", is->key);
	put_passphrase(out, is);
	cs_buf_addf(out,
		    "    # May one principal submit and approve? Convenient "
		    "at first;\n    # every such entry in the log says "
		    "`self_approved`.\n    self_approval: %s\n",
		    is->self_approval ? "true" : "false");
	cs_buf_addf(out,
		    "    # What becomes of a request that no policy matches: "
		    "refuse, or hold\n    # (202, judged again when policy "
		    "changes).\n    no_policy: %s\n",
		    is->hold_no_policy ? "hold" : "refuse");
	if (is->crl_url != NULL)
		put_text(out, "    crl_url", is->crl_url);
	else
		cs_buf_addf(out,
			    "    # crl_url: \"http://pki.example/crl/%s\"\n",
			    is->name);
	cs_buf_addf(out,
		    "    # Fixed when the issuer is made: the CRL of a serial "
		    "depends on it.\n    crl_shards: %u\n",
		    is->crl_shards);
	put_ocsp(out, is);
	cs_buf_addf(out,
		    "    # The signer itself signs nothing beyond this, "
		    "whatever policy says.\n    ceiling:\n      "
		    "max_validity: %s\n",
		    is->ceiling.max_validity);
	put_list(out, "      ext_key_usage", &is->ceiling.ext_key_usage);
	cs_buf_add_str(out, "      # Names and everything below them, "
			    "networks; empty: any.\n");
	put_list(out, "      permitted_dns", &is->ceiling.permitted_dns);
	put_list(out, "      permitted_ip", &is->ceiling.permitted_ip);
	cs_buf_add_str(out, "      # Of other_name, directory_name, "
			    "registered_id; empty: none.\n");
	put_list(out, "      permitted_kinds", &is->ceiling.permitted_kinds);
	cs_buf_addf(out,
		    "      # May it certify CAs? Only where policy says so, "
		    "too.\n      ca: %s\n",
		    is->ceiling.ca ? "true" : "false");
}

/* How long something is, behind its key. */
static void put_duration(struct cs_buf *out, const char *key, int64_t seconds)
{
	char text[CS_TIME_TEXT];

	cs_time_duration(seconds, text);
	cs_buf_addf(out, "%s: %s\n", key, text);
}

/* Where it serves, to how many, and as whom. */
static void put_listener(const struct cs_config *config, struct cs_buf *out)
{
	cs_buf_add_str(out, "\n# Where HTTPS is served: ADDRESS:PORT, "
			    "[IPV6]:PORT.\n");
	put_list(out, "listen", &config->listen);
	cs_buf_add_str(out, "\n# Where plain HTTP serves what is public and "
			    "signed by itself: OCSP, CRLs,\n# CA chains, the "
			    "log's checkpoint and tiles; nothing else.\n");
	put_list(out, "public_listen", &config->public_listen);
	cs_buf_addf(out,
		    "\n# Open connections: in all, and of one address (IPv6: "
		    "of one /64).\nlimits:\n  connections: %u\n  "
		    "connections_per_address: %u\n",
		    config->connections, config->per_address);
	cs_buf_add_str(out, "\n# The listener's own certificate: the names in "
			    "it, and where it lies.\ntls:\n");
	put_list(out, "  hosts", &config->hosts);
	put_text(out, "  key", config->tls_key);
	put_text(out, "  chain", config->tls_chain);
	if (config->tls_issuer != NULL)
		put_text(out, "  issuer", config->tls_issuer);
	cs_buf_add_str(out, "\n# Who administers over run/countersign.sock: "
			    "user ids.\nadmin_uids: [");
	for (size_t i = 0; i < config->n_admin_uids; i++)
		cs_buf_addf(out, "%s%lld", i > 0 ? ", " : "",
			    (long long)config->admin_uids[i]);
	cs_buf_add_str(out, "]\n");
}

/* Who works, and how long what they make stays. */
static void put_work(const struct cs_config *config, struct cs_buf *out)
{
	cs_buf_addf(out,
		    "\n# Processes that judge requests; 0: one for each "
		    "core.\nworkers: %u\n\n# Processes that sign: several pay "
		    "where keys are RSA.\nsigners: %u\n\n# Requests that wait "
		    "for an approval: how many of one client, how long.\n"
		    "pending:\n  quota: %u\n",
		    config->workers, config->signers, config->pending_quota);
	put_duration(out, "  expiry", config->pending_expiry_s);
	cs_buf_add_str(out, "\n# CRLs: how long one is in force, and when it "
			    "is signed anew (sooner, when\n# something is "
			    "revoked).\ncrl:\n");
	put_duration(out, "  validity", config->crl_validity_s);
	put_duration(out, "  refresh", config->crl_refresh_s);
	cs_buf_add_str(out, "\n# How long what has ended is kept (a "
			    "certificate: from its expiry) before\n# `db "
			    "purge` may remove its content.\n");
	put_duration(out, "retention", config->retention_s);
	cs_buf_addf(out,
		    "\n# Where policy comes from: the directory policies/ "
		    "(files), or\n# POST /v1/policies (api).\npolicy_source: "
		    "%s\n",
		    config->policy_by_api ? "api" : "files");
}

/* Who sees what it does, and where it is written down. */
static void put_records(const struct cs_config *config, struct cs_buf *out)
{
	cs_buf_add_str(out, "\n# Who may read /metrics without a credential: "
			    "addresses, networks.\nmetrics:\n");
	put_list(out, "  scrape_from", &config->scrape_from);
	cs_buf_addf(out,
		    "\n# The program's own log, on standard error: error, "
		    "warning, info or debug.\nlog_level: %s\n",
		    cs_log_level_name(config->log_level));
	cs_buf_add_str(out, "\n# The log of decisions. Its origin never "
			    "changes.\nlog:\n");
	put_text(out, "  origin", config->origin);
	put_text(out, "  key", config->log_key);
}

bool cs_config_write(const struct cs_config *config, struct cs_buf *out,
		     struct cs_error *err)
{
	cs_buf_add_str(out, "# The configuration of this installation of "
			    "countersign.\n# Paths are relative to this "
			    "directory. A change needs a restart.\n");
	put_listener(config, out);
	put_work(config, out);
	put_records(config, out);
	cs_buf_add_str(out, "\nissuers:\n");
	for (size_t i = 0; i < config->n_issuers; i++)
		cs_config_write_issuer(&config->issuers[i], out);
	return cs_buf_finish(out, CS_CONFIG_FILE, err);
}
