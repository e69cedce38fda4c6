#include "issuer/signer.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/ipc.h"
#include "base/mem.h"
#include "issuer/crl_sign.h"
#include "issuer/crypto.h"
#include "issuer/feasible.h"
#include "issuer/key.h"
#include "issuer/oids.h"
#include "issuer/token.h"

/*
 * Locked memory for keys: 64 RSA-4096 keys with what OpenSSL adds. Twice
 * that for twice as many generations.
 */
#define SIGNER_HEAP ((size_t)1 << 19)

/* An exit status after which a supervisor starts the house again. */
#define EXIT_AGAIN 75
/* One that a supervisor should not answer so: the keys are not right. */
#define EXIT_REFUSED 1

/* One issuer, ready to sign. */
struct issuer {
	const struct cs_signer_issuer *config;
	struct cs_key *key;
	struct cs_verifier *verifier;
	struct cs_crl_signer crls;
};

struct signer {
	const struct cs_signer_config *config;
	struct cs_loop *loop;
	struct cs_link *parent;
	struct cs_link *ledger;
	struct cs_crypto *crypto;
	struct issuer *issuers;
	struct cs_arena arena;	 /* of one SIGN */
	struct cs_buf signature; /* of one SIGN */
	bool seeded;
	uint64_t last; /* nothing at or below is signed */
};

/* -- start ---------------------------------------------------------------- */

/* No cores, no ptrace by the same uid, no /proc/self/mem for others. */
static bool lock_down(struct cs_error *err)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return cs_error_set(err, CS_E_INTERNAL,
				    "the signer cannot forbid core dumps");
	return true;
}

/* The passphrase of one key; empty: there is none. */
static bool read_passphrase(const struct cs_signer_config *c,
			    const struct cs_signer_issuer *is,
			    struct cs_secret *ret, struct cs_error *err)
{
	int fd = is->passphrase_fd >= 0 ? is->passphrase_fd : c->passphrase_fd;

	if (fd < 0 || cs_key_passphrase(fd, ret, err))
		return true;
	return cs_error_prefix(err, "%s",
			       is->passphrase_fd >= 0 ? is->passphrase_name
						      : "passphrase");
}

/* The key that is in a file, which must be that of the CA's certificate. */
static struct cs_key *read_file(const struct cs_signer_issuer *c,
				const struct cs_secret *passphrase,
				struct cs_error *err)
{
	struct cs_key *key = cs_key_read(c->key_fd, passphrase, err);

	if (key != NULL && cs_key_check_spki(key, c->ca->key.spki, err))
		return key;
	cs_key_free(key);
	return NULL;
}

/*
 * Tokens are opened by one signer after another: the file that names the key
 * stays locked until all keys are read, and its descriptor closed. SoftHSM
 * for one finds no token while another process opens it.
 */
static struct cs_key *read_token(const struct cs_signer_issuer *c,
				 const struct cs_secret *pin,
				 struct cs_error *err)
{
	while (flock(c->key_fd, LOCK_EX) != 0) {
		if (errno == EINTR)
			continue;
		cs_error_set_errno(err, CS_E_IO, errno, "flock");
		return NULL;
	}
	return cs_token_key_read(c->key_fd, pin, c->ca, err);
}

/* The key, wherever it is. */
static bool read_issuer(struct signer *s, struct issuer *is,
			struct cs_error *err)
{
	const struct cs_signer_issuer *c = is->config;
	struct cs_secret passphrase = {0};

	if (!read_passphrase(s->config, c, &passphrase, err))
		return cs_error_prefix(err, "issuer %.*s",
				       CS_SPAN_FMT(c->ca->label));
	is->key = c->key_is_uri ? read_token(c, &passphrase, err)
				: read_file(c, &passphrase, err);
	cs_secret_done(&passphrase);
	if (is->key == NULL)
		return cs_error_prefix(err, "issuer %.*s: %s",
				       CS_SPAN_FMT(c->ca->label), c->key_name);
	is->verifier = cs_verifier_new(s->crypto, &c->ca->key, c->ca->alg, err);
	is->crls = (struct cs_crl_signer){
		.ca = c->ca, .key = is->key, .verifier = is->verifier};
	return is->verifier != NULL;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Read every key, then let go of the files. */
static bool read_keys(struct signer *s, struct cs_error *err)
{
	const struct cs_signer_config *c = s->config;
	bool ok = true;

	s->issuers = cs_mem_new_array(c->issuers_n, sizeof(*s->issuers));
	if (s->issuers == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for issuers");
	for (size_t i = 0; ok && i < c->issuers_n; i++) {
		s->issuers[i].config = &c->issuers[i];
		ok = read_issuer(s, &s->issuers[i], err);
	}
	for (size_t i = 0; i < c->issuers_n; i++) {
		close_fd(c->issuers[i].key_fd);
		close_fd(c->issuers[i].passphrase_fd);
	}
	close_fd(c->passphrase_fd);
	return ok;
}

/* -- signing -------------------------------------------------------------- */

/* The generation of this label. */
static struct issuer *find_issuer(struct signer *s, struct cs_span label)
{
	for (size_t i = 0; i < s->config->issuers_n; i++) {
		if (cs_span_equal(s->config->issuers[i].ca->label, label))
			return &s->issuers[i];
	}
	return NULL;
}

/* Is it good for OCSP responses alone (RFC 6960 4.2.2.2)? */
static bool is_responder(const struct cs_tbs_facts *facts)
{
	return facts->cert.ext_key_usage_n == 1 &&
	       cs_span_equal(facts->cert.ext_key_usage[0],
			     CS_SPAN_LIT(CS_OID_OCSP_SIGNING));
}

/* Does this generation still sign certificates, or at least this one? */
static bool check_duty(const struct cs_signer_issuer *c,
		       const struct cs_tbs_facts *facts, struct cs_error *err)
{
	bool retired = c->duty == CS_SIGNER_RETIRED;

	if (c->duty == CS_SIGNER_CERTIFICATES ||
	    (retired && is_responder(facts)))
		return true;
	return cs_error_set(err, CS_E_CEILING,
			    "issuer %.*s: generation %u signs no certificates "
			    "any more: it is %s",
			    CS_SPAN_FMT(c->ca->name), c->ca->generation,
			    retired ? "retired" : "superseded");
}

/* The signer's own judgement, which trusts nobody's. */
static bool check_tbs(struct signer *s, const struct issuer *is,
		      struct cs_span tbs, struct cs_error *err)
{
	const struct cs_signer_issuer *c = is->config;
	struct cs_findings findings;
	struct cs_tbs_facts facts;
	int64_t now_s = cs_clock_wall_ms(&s->config->clock) / 1000;

	cs_findings_init(&findings, &s->arena);
	if (!cs_tbs_facts_read(cs_crypto_hash(s->crypto), tbs, &s->arena,
			       &facts, err) ||
	    !cs_ceiling_check(c->ceiling, c->ca, &facts, &findings, err) ||
	    !cs_feasible_check(c->ca, &facts, now_s, &findings, err))
		return false;
	if (findings.n > 0)
		return cs_error_set(err, CS_E_CEILING, "%.*s",
				    CS_SPAN_FMT(findings.items[0].message));
	return check_duty(c, &facts, err);
}

/* Sequence, issuer, TBS; then the signature into s->signature, verified. */
static bool sign(struct signer *s, const struct cs_msg_sign *m,
		 struct cs_error *err)
{
	const struct cs_signer_config *c = s->config;
	struct issuer *is = find_issuer(s, m->issuer);

	if (c->count > 1 && m->seq % c->count != c->number)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "sequence %llu is another signer's",
				    (unsigned long long)m->seq);
	if (m->seq <= s->last)
		return cs_error_set(err, CS_E_EXISTS,
				    "sequence %llu is not above %llu",
				    (unsigned long long)m->seq,
				    (unsigned long long)s->last);
	s->last = m->seq;
	if (is == NULL)
		return cs_error_set(err, CS_E_NOT_FOUND,
				    "the signer has no issuer of this name");
	if (!check_tbs(s, is, m->tbs, err))
		return false;
	if (cs_failpoint("signer.before_sign"))
		return cs_error_set(err, CS_E_CRYPTO, "signer.before_sign");
	if (!cs_key_sign(is->key, is->config->ca->alg, m->tbs, &s->signature,
			 err) ||
	    !cs_verifier_check(is->verifier, m->tbs, cs_buf_span(&s->signature),
			       err))
		return false;
	if (cs_failpoint("signer.after_sign"))
		return cs_error_set(err, CS_E_CRYPTO, "signer.after_sign");
	return true;
}

/* Answer one SIGN, either way. */
static bool on_sign(struct signer *s, uint64_t ticket, struct cs_span body,
		    struct cs_error *err)
{
	struct cs_msg_signed answer = {0};
	struct cs_error why = {0};
	struct cs_msg_sign m;

	if (!cs_msg_sign_decode(body, &m, err))
		return false;
	if (!s->seeded)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "SIGN came before SIGN_SEED");
	cs_arena_reset(&s->arena);
	cs_buf_reset(&s->signature);
	answer.seq = m.seq;
	answer.ok = sign(s, &m, &why);
	if (answer.ok) {
		answer.signature = cs_buf_span(&s->signature);
		cs_failpoint_signed(m.seq, m.tbs);
	} else {
		answer.code = cs_span_str(cs_error_slug(why.code));
		answer.detail = cs_span_str(why.text);
		cs_log_error(s->config->log, "signer.refused", &why);
	}
	return cs_link_send_signed(s->ledger, ticket, &answer, err);
}

/* Answer one CRL_SIGN, either way. */
static bool on_crl_sign(struct signer *s, uint64_t ticket, struct cs_span body,
			struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der = {0};
	int64_t now_s = cs_clock_wall_ms(&s->config->clock) / 1000;
	struct cs_msg_crl_signed answer = {0};
	struct cs_error why = {0};
	struct cs_msg_crl_sign m;
	struct issuer *is;
	size_t n = 0;

	if (!cs_msg_crl_sign_decode(body, &m, err))
		return false;
	cs_buf_init(&der, CS_MAX_CRL);
	is = find_issuer(s, m.issuer);
	if (is == NULL) {
		cs_error_set(&why, CS_E_NOT_FOUND,
			     "the signer has no issuer of this name");
	} else {
		const struct cs_crl crl = {
			.shard = m.shard,
			.number = m.number,
			.this_update_s = m.this_update_s,
			.next_update_s = m.next_update_s,
			.entries = m.entries,
		};

		answer.ok = cs_crl_signer_sign(&is->crls, &crl, now_s, &der, &n,
					       &why);
	}
	if (answer.ok) {
		answer.crl = cs_buf_span(&der);
		answer.count = (uint32_t)n;
	} else {
		answer.code = cs_span_str(cs_error_slug(why.code));
		answer.detail = cs_span_str(why.text);
		cs_log_error(s->config->log, "signer.refused", &why);
	}
	return cs_link_send_crl_signed(s->ledger, ticket, &answer, err);
}

static bool on_seed(struct signer *s, struct cs_span body, struct cs_error *err)
{
	struct cs_msg_sign_seed m;

	if (!cs_msg_sign_seed_decode(body, &m, err))
		return false;
	if (s->seeded)
		return cs_error_set(err, CS_E_PROTOCOL, "SIGN_SEED came twice");
	s->seeded = true;
	s->last = m.seq;
	return true;
}

/* -- links ---------------------------------------------------------------- */

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	struct signer *s = ctx;

	(void)link;
	if (fd >= 0)
		close(fd);
	switch (number) {
	case CS_MSG_SIGN:
		return on_sign(s, ticket, body, err);
	case CS_MSG_CRL_SIGN:
		return on_crl_sign(s, ticket, body, err);
	case CS_MSG_SIGN_SEED:
		return on_seed(s, body, err);
	case CS_MSG_STOP:
		cs_loop_stop(s->loop, 0);
		return true;
	default:
		/* STATE and news of workers: nothing to the signer. */
		return true;
	}
}

/*
 * A link is over. The ledger closes its own in an orderly stop, before the
 * signer is told to; whatever else ends one is a fault.
 */
static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct signer *s = ctx;
	bool orderly = link == s->ledger && why->code == CS_E_PEER_GONE;

	if (!orderly)
		cs_log_error(s->config->log, "signer.link", why);
	cs_loop_stop(s->loop, orderly ? 0 : EXIT_AGAIN);
}

static bool open_links(struct signer *s, struct cs_error *err)
{
	const struct cs_signer_config *c = s->config;
	const struct cs_msg_ready ready = {.detail = CS_SPAN_LIT("")};

	s->loop = cs_loop_new(err);
	if (s->loop == NULL)
		return false;
	s->parent = cs_link_new(s->loop, c->parent_fd, CS_ROOM_S, CS_ROOM_P,
				on_message, on_gone, s, err);
	if (s->parent == NULL)
		return false;
	s->ledger = cs_link_new(s->loop, c->ledger_fd, CS_ROOM_S, CS_ROOM_L,
				on_message, on_gone, s, err);
	return s->ledger != NULL &&
	       cs_link_send_ready(s->parent, 0, &ready, err);
}

static bool start(struct signer *s, struct cs_error *err)
{
	size_t heap = SIGNER_HEAP;

	for (size_t n = CS_MAX_ISSUERS; n < s->config->issuers_n; n *= 2)
		heap *= 2;
	if (!lock_down(err) || !cs_secret_heap_init(heap, err))
		return false;
	s->crypto = cs_crypto_new(err);
	return s->crypto != NULL && read_keys(s, err) && open_links(s, err);
}

static void finish(struct signer *s)
{
	for (size_t i = 0; s->issuers != NULL && i < s->config->issuers_n;
	     i++) {
		cs_key_free(s->issuers[i].key);
		cs_verifier_free(s->issuers[i].verifier);
		cs_crl_signer_done(&s->issuers[i].crls);
	}
	cs_mem_free(s->issuers);
	cs_link_free(s->ledger);
	cs_link_free(s->parent);
	cs_loop_free(s->loop);
	cs_crypto_free(s->crypto);
	cs_buf_done(&s->signature);
	cs_arena_done(&s->arena);
}

int cs_signer_run(const struct cs_signer_config *config)
{
	struct signer s = {.config = config};
	struct cs_error err;
	int status = EXIT_AGAIN;

	cs_arena_init(&s.arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&s.signature, CS_MAX_SIGNATURE);
	if (start(&s, &err)) {
		status = cs_loop_run(s.loop);
	} else {
		cs_log_error(config->log, "signer.start", &err);
		if (err.code == CS_E_KEY)
			status = EXIT_REFUSED;
	}
	finish(&s);
	return status;
}
