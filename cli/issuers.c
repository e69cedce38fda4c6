#include "cli/issuers.h"

#include "base/json.h"
#include "base/limits.h"
#include "issuer/ca_request.h"

/* Two chains, and a page of settings. */
#define ABOUT_BYTES (2 * CS_MAX_PEM_FILE + 65536)

/* The kind of key, as --key says it. */
static void key_text(const struct cs_fact_key *key, char text[32])
{
	if (key->alg == CS_KEY_ED25519)
		snprintf(text, 32, "ed25519");
	else
		snprintf(text, 32, "%s%u",
			 key->alg == CS_KEY_EC ? "ec-p" : "rsa-", key->bits);
}

static void put_key(struct cs_json *j, const struct cs_fact_key *key)
{
	char text[32];

	key_text(key, text);
	cs_json_member_str(j, "key", text);
}

static void put_texts(struct cs_json *j, const char *name,
		      const struct cs_config_list *list)
{
	cs_json_name(j, name);
	cs_json_array(j);
	for (size_t i = 0; i < list->n; i++)
		cs_json_str(j, list->item[i]);
	cs_json_end(j);
}

static void put_ceiling(struct cs_json *j, const struct cs_config_ceiling *c)
{
	cs_json_name(j, "ceiling");
	cs_json_object(j);
	cs_json_name(j, "ca");
	cs_json_bool(j, c->ca);
	put_texts(j, "ext_key_usage", &c->ext_key_usage);
	cs_json_member_str(j, "max_validity", c->max_validity);
	put_texts(j, "permitted_dns", &c->permitted_dns);
	put_texts(j, "permitted_ip", &c->permitted_ip);
	cs_json_end(j);
}

static void put_time(struct cs_json *j, const char *name, int64_t seconds)
{
	cs_json_name(j, name);
	cs_json_time_ms(j, seconds * 1000);
}

/* Everything, in the order of names. */
static void put_issuer(struct cs_json *j, const struct cs_config_issuer *c,
		       const struct cs_issuer_ca *ca, const uint8_t *sha256)
{
	cs_json_object(j);
	cs_json_member_span(j, "ca", ca->root_pem);
	put_ceiling(j, &c->ceiling);
	cs_json_member_span(j, "chain", ca->chain_pem);
	cs_json_member_int(j, "crl_shards", ca->crl_shards);
	cs_json_name(j, "crl_url");
	if (ca->crl_url.n > 0)
		cs_json_string(j, ca->crl_url);
	else
		cs_json_null(j);
	put_key(j, &ca->key);
	cs_json_member_str(j, "key_place",
			   cs_install_is_token(c) ? "pkcs11" : "file");
	cs_json_member_str(j, "name", c->name);
	put_time(j, "not_after", ca->not_after_s);
	put_time(j, "not_before", ca->not_before_s);
	cs_json_name(j, "ocsp");
	cs_json_bool(j, c->ocsp);
	cs_json_name(j, "ocsp_url");
	if (c->ocsp_url != NULL)
		cs_json_str(j, c->ocsp_url);
	else
		cs_json_null(j);
	cs_json_name(j, "path_len");
	if (ca->has_path_len)
		cs_json_int(j, ca->path_len);
	else
		cs_json_null(j);
	cs_json_name(j, "self_approval");
	cs_json_bool(j, c->self_approval);
	cs_json_member_hex(j, "serial", ca->serial);
	cs_json_member_hex(j, "sha256", cs_span_make(sha256, CS_SHA256_SIZE));
	cs_json_member_str(j, "signature_algorithm", cs_sigalg_name(ca->alg));
	cs_json_name(j, "subject");
	cs_json_text(j, ca->subject_text);
	cs_json_end(j);
}

bool cs_issuers_fill(const struct cs_install *in, size_t i,
		     struct cs_arena *arena, struct cs_front_issuer *ret_issuer,
		     struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	const struct cs_config_issuer *c = &in->config.issuers[i];
	const struct cs_issuer_ca *ca = in->ca[i];
	struct cs_front_issuer is = {.name = c->name,
				     .self_approval = c->self_approval,
				     .ocsp = c->ocsp,
				     .is_retired = in->state[i].is_retired,
				     .chain = ca->chain_pem,
				     .ca = ca->root_pem};
	struct cs_hash *hash = cs_hash_new(err);
	uint8_t sha256[CS_SHA256_SIZE];
	struct cs_json j;
	bool ok;

	cs_buf_init(&text, ABOUT_BYTES);
	ok = hash != NULL && cs_hash_sha256(hash, ca->certificate, sha256, err);
	cs_hash_free(hash);
	if (!ok)
		return false;
	cs_json_begin(&j, &text);
	put_issuer(&j, c, ca, sha256);
	if (!cs_json_finish(&j, "an issuer", err))
		return false;
	if (!cs_arena_dup(arena, cs_buf_span(&text), &is.about))
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	*ret_issuer = is;
	return true;
}

json_t *cs_issuers_waiting(const struct cs_install_waiting *w)
{
	struct cs_ca_request_facts facts;
	struct cs_arena arena;
	struct cs_error why;
	char key[32] = "-";
	json_t *item;

	cs_arena_init(&arena, CS_MAX_REQUEST_ARENA);
	item = json_pack("{s:s,s:s,s:n,s:n,s:s%}", "name", w->config->name,
			 "state", "waiting", "generation", "not_after",
			 "request", w->request.p, w->request.n);
	if (cs_ca_request_read(w->request, &arena, &facts, &why)) {
		key_text(&facts.key, key);
		json_object_set_new(
			item, "subject",
			json_stringn((const char *)facts.subject_text.p,
				     facts.subject_text.n));
	}
	json_object_set_new(item, "key", json_string(key));
	cs_arena_done(&arena);
	return item;
}

void cs_issuers_tell_waiting(const struct cs_install *in, FILE *err)
{
	for (size_t i = 0; i < in->waiting_n; i++)
		fprintf(err,
			"countersign: %s waits for its certificate (`ca import "
			"%s --chain FILE`)\n",
			in->waiting[i].config->name,
			in->waiting[i].config->name);
}
