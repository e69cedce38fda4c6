#include "issuer/keygen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/der.h"
#include "base/mem.h"
#include "issuer/newfile.h"
#include "issuer/oids.h"
#include "issuer/tbs.h"
#include "issuer/tbs_parts.h"
#include "issuer/x509.h"
#include "policy/name.h"

/* A day, and how much older than now a new CA says it is: clocks differ. */
#define DAY	 ((int64_t)86400)
#define BACKDATE ((int64_t)3600)

/* Secure heap of a child that makes keys. */
#define KEYGEN_HEAP ((size_t)1 << 18)

/* What a child needs while it works. */
struct work {
	struct cs_arena arena;
	struct cs_hash *hash;
};

/* One side of a new CA certificate. */
struct party {
	struct cs_key *key;
	struct cs_fact_key facts;
	struct cs_plan_attr subject[2];
	uint8_t key_id[20];
};

static bool work_init(struct work *w, struct cs_error *err)
{
	cs_arena_init(&w->arena, CS_MAX_REQUEST_ARENA);
	w->hash = cs_hash_new(err);
	return w->hash != NULL;
}

static void work_done(struct work *w)
{
	cs_hash_free(w->hash);
	cs_arena_done(&w->arena);
}

/* A fresh key, with the facts that the strict reader has of it. */
static bool make_key(struct work *w, enum cs_key_kind kind,
		     struct cs_key **ret_key, struct cs_fact_key *ret_facts,
		     struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf spki;
	struct cs_key *key = cs_key_generate(kind, err);
	struct cs_findings findings;
	struct cs_x509 x = {&w->arena, &findings, w->hash};
	struct cs_span copy;

	cs_buf_init(&spki, CS_MAX_CERT);
	if (key == NULL)
		return false;
	*ret_key = key;
	if (!cs_key_spki(key, &spki, err))
		return false;
	if (!cs_arena_dup(&w->arena, cs_buf_span(&spki), &copy))
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	cs_findings_init(&findings, &w->arena);
	if (!cs_spki_read(&x, copy, ret_facts, err))
		return false;
	if (findings.n > 0)
		return cs_error_set(err, CS_E_KEY, "%.*s",
				    CS_SPAN_FMT(findings.items[0].message));
	return true;
}

/* O=NAME, CN=NAME + ending. */
static bool make_subject(struct work *w, struct cs_span name,
			 const char *ending, struct cs_plan_attr *subject,
			 struct cs_error *err)
{
	const char *cn = cs_arena_printf(&w->arena, "%.*s %s",
					 CS_SPAN_FMT(name), ending);

	if (cn == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (name.n == 0 || strlen(cn) > 64 || !cs_codec_is_utf8(name))
		return cs_error_set(err, CS_E_ARGUMENT,
				    "RFC 5280 A.1: a CA's name has 1 to %zu "
				    "bytes of UTF-8",
				    64 - strlen(ending) - 1);
	subject[0] = (struct cs_plan_attr){
		.oid = CS_SPAN_LIT(CS_OID_ORGANIZATION), .value = name};
	subject[1] =
		(struct cs_plan_attr){.oid = CS_SPAN_LIT(CS_OID_COMMON_NAME),
				      .value = cs_span_str(cn)};
	return true;
}

static bool party_init(struct work *w, struct party *p, enum cs_key_kind kind,
		       struct cs_span name, const char *ending,
		       struct cs_error *err)
{
	return make_subject(w, name, ending, p->subject, err) &&
	       make_key(w, kind, &p->key, &p->facts, err) &&
	       cs_tbs_key_id(w->hash, &p->facts, p->key_id, err);
}

/* The TBS of a CA certificate of `subject`, by `issuer`. */
static bool write_ca_tbs(const struct party *subject,
			 const struct party *issuer, const struct cs_plan *plan,
			 struct cs_buf *out, struct cs_error *err)
{
	size_t tbs = cs_der_write_begin(out, CS_DER_SEQUENCE), outer, list;
	uint8_t serial[CS_SERIAL_SIZE];

	if (!cs_tbs_serial(serial, err))
		return false;
	cs_tbs_version_and_serial(out, cs_span_make(serial, sizeof(serial)));
	cs_der_write_raw(out, cs_sigalg_der(cs_sigalg_for_key(&issuer->facts)));
	if (!cs_tbs_name(issuer->subject, 2, out, err) ||
	    !cs_tbs_validity(out, plan->not_before_s, plan->not_after_s, err) ||
	    !cs_tbs_name(subject->subject, 2, out, err))
		return false;
	cs_der_write_raw(out, subject->facts.spki);
	outer = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(3));
	list = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_tbs_ext_aki(out, cs_span_make(issuer->key_id, 20));
	cs_tbs_ext_ski(out, cs_span_make(subject->key_id, 20));
	cs_tbs_ext_key_usage(out, CS_KU_CERT_SIGN | CS_KU_CRL_SIGN,
			     CS_TBS_CRITICAL);
	cs_tbs_ext_constraints(out, plan);
	cs_der_write_end(out, list);
	cs_der_write_end(out, outer);
	cs_der_write_end(out, tbs);
	return cs_buf_finish(out, "TBS", err);
}

/* Sign bytes, and wrap them as certificates and CSRs are. */
static bool sign(struct party *by, struct cs_span tbs, struct cs_buf *out,
		 struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf signature;
	enum cs_sig_alg alg = cs_sigalg_for_key(&by->facts);

	cs_buf_init(&signature, CS_MAX_SIGNATURE);
	if (!cs_key_sign(by->key, alg, tbs, &signature, err))
		return false;
	cs_tbs_certificate(tbs, cs_sigalg_der(alg), cs_buf_span(&signature),
			   out);
	return cs_buf_finish(out, "certificate", err);
}

/* A CA certificate, appended to pem. */
static bool make_certificate(const struct party *subject, struct party *issuer,
			     int64_t now_s, int days, unsigned path_len,
			     struct cs_buf *pem, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf tbs;
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	struct cs_plan plan = {
		.not_before_s = now_s - BACKDATE,
		.not_after_s = now_s - BACKDATE + days * DAY - 1,
		.ca = true,
		.has_path_len = true,
		.path_len = path_len,
	};

	cs_buf_init(&tbs, CS_MAX_TBS);
	cs_buf_init(&der, CS_MAX_CERT);
	if (!write_ca_tbs(subject, issuer, &plan, &tbs, err) ||
	    !sign(issuer, cs_buf_span(&tbs), &der, err))
		return false;
	cs_codec_pem("CERTIFICATE", cs_buf_span(&der), pem);
	return cs_buf_finish(pem, "chain", err);
}

/* A passphrase without its line end. */
static bool read_passphrase(int fd, struct cs_secret *ret, struct cs_error *err)
{
	if (fd < 0)
		return true;
	if (!cs_key_passphrase(fd, ret, err))
		return false;
	if (ret->n == 0)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "the passphrase is empty");
	return true;
}

static bool make_root_only(struct work *w, const struct cs_keygen_ca *c,
			   const struct cs_secret *passphrase,
			   struct party *root, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf pem;

	cs_buf_init(&pem, CS_MAX_PEM_FILE);
	return party_init(w, root, c->kind, c->name, "Root CA", err) &&
	       make_certificate(root, root, c->now_s, CS_KEYGEN_ROOT_DAYS, 0,
				&pem, err) &&
	       cs_key_write(root->key, c->issuer_key, passphrase, err) &&
	       cs_newfile_write(c->issuer_chain, 0644, cs_buf_span(&pem),
				err) &&
	       cs_newfile_write(c->root_pem, 0644, cs_buf_span(&pem), err);
}

static bool make_two_tiers(struct work *w, const struct cs_keygen_ca *c,
			   const struct cs_secret *passphrase,
			   struct party *root, struct party *issuer,
			   struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf root_pem;
	CS_CLEANUP(cs_buf_done) struct cs_buf chain;

	cs_buf_init(&root_pem, CS_MAX_PEM_FILE);
	cs_buf_init(&chain, CS_MAX_PEM_FILE);
	if (!party_init(w, root, c->kind, c->name, "Root CA", err) ||
	    !party_init(w, issuer, c->kind, c->name, "CA 1", err) ||
	    !make_certificate(root, root, c->now_s, CS_KEYGEN_ROOT_DAYS, 1,
			      &root_pem, err) ||
	    !make_certificate(issuer, root, c->now_s, CS_KEYGEN_ISSUER_DAYS, 0,
			      &chain, err))
		return false;
	cs_buf_add(&chain, cs_buf_span(&root_pem));
	return cs_buf_finish(&chain, "chain", err) &&
	       cs_key_write(root->key, c->root_key, passphrase, err) &&
	       cs_key_write(issuer->key, c->issuer_key, passphrase, err) &&
	       cs_newfile_write(c->issuer_chain, 0644, cs_buf_span(&chain),
				err) &&
	       cs_newfile_write(c->root_pem, 0644, cs_buf_span(&root_pem), err);
}

/* In the child: everything of a new CA. */
static bool make_ca(const void *what, struct cs_buf *out, struct cs_error *err)
{
	const struct cs_keygen_ca *c = what;
	struct party root = {0}, issuer = {0};
	struct cs_secret passphrase = {0};
	struct work w;
	bool ok;

	(void)out;
	ok = work_init(&w, err) &&
	     read_passphrase(c->passphrase_fd, &passphrase, err);
	if (ok && c->tiers == CS_KEYGEN_SINGLE)
		ok = make_root_only(&w, c, &passphrase, &root, err);
	else if (ok)
		ok = make_two_tiers(&w, c, &passphrase, &root, &issuer, err);
	cs_key_free(root.key);
	cs_key_free(issuer.key);
	cs_secret_done(&passphrase);
	work_done(&w);
	return ok;
}

/* A host as a name: an address if it reads as one, else DNS. */
static bool make_name(struct work *w, struct cs_span host,
		      struct cs_plan_name *name, struct cs_error *err)
{
	if (cs_name_ip_octets(host, &w->arena, &name->content, NULL)) {
		name->kind = CS_NAME_IP;
		return true;
	}
	name->kind = CS_NAME_DNS;
	return cs_name_dns(host, &w->arena, &name->content, err);
}

/* The one purpose of a listener's certificate: serverAuth. */
static void write_server_purpose(struct cs_buf *out)
{
	struct cs_tbs_ext_marks m = cs_tbs_ext_begin(
		out, CS_SPAN_LIT(CS_OID_EXT_KEY_USAGE), CS_TBS_NOT_CRITICAL);
	size_t seq = cs_der_write_begin(out, CS_DER_SEQUENCE);

	cs_der_write(out, CS_DER_OID, CS_SPAN_LIT(CS_OID_SERVER_AUTH));
	cs_der_write_end(out, seq);
	cs_tbs_ext_end(out, m);
}

/* RFC 2986 4.1, RFC 2985 5.4.2 */
static bool write_request_info(const struct cs_fact_key *key,
			       const struct cs_plan *plan, struct cs_buf *out,
			       struct cs_error *err)
{
	size_t info = cs_der_write_begin(out, CS_DER_SEQUENCE), marks[4];

	cs_der_write_uint(out, 0);
	if (!cs_tbs_name(NULL, 0, out, err))
		return false;
	cs_der_write_raw(out, key->spki);
	marks[0] = cs_der_write_begin(out, CS_DER_CONTEXT_CONSTRUCTED(0));
	marks[1] = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_der_write(out, CS_DER_OID, CS_SPAN_LIT(CS_OID_EXTENSION_REQUEST));
	marks[2] = cs_der_write_begin(out, CS_DER_SET);
	marks[3] = cs_der_write_begin(out, CS_DER_SEQUENCE);
	cs_tbs_ext_key_usage(out, CS_KU_DIGITAL_SIGNATURE, CS_TBS_CRITICAL);
	write_server_purpose(out);
	cs_tbs_ext_names(out, plan);
	for (size_t i = 4; i-- > 0;)
		cs_der_write_end(out, marks[i]);
	cs_der_write_end(out, info);
	return cs_buf_finish(out, "CSR", err);
}

/* The CSR of the listener's fresh key. */
static bool make_request(struct work *w, const struct cs_keygen_listener *c,
			 struct party *self, struct cs_buf *out,
			 struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf info;
	struct cs_plan plan = {.names_n = c->hosts_n};

	cs_buf_init(&info, CS_MAX_CSR_DER);
	if (c->hosts_n == 0 || c->hosts_n > CS_MAX_NAMES)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "a listener has 1 to %d hosts",
				    CS_MAX_NAMES);
	plan.names =
		cs_arena_new_array(&w->arena, c->hosts_n, sizeof(*plan.names));
	if (plan.names == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	for (size_t i = 0; i < c->hosts_n; i++) {
		if (!make_name(w, c->hosts[i], &plan.names[i], err))
			return false;
	}
	return make_key(w, c->kind, &self->key, &self->facts, err) &&
	       write_request_info(&self->facts, &plan, &info, err) &&
	       sign(self, cs_buf_span(&info), out, err) &&
	       cs_key_write(self->key, c->key, NULL, err);
}

/* In the child: the listener's key and CSR. */
static bool make_listener(const void *what, struct cs_buf *out,
			  struct cs_error *err)
{
	struct party self = {0};
	struct work w;
	bool ok;

	ok = work_init(&w, err) && make_request(&w, what, &self, out, err);
	cs_key_free(self.key);
	work_done(&w);
	return ok;
}

/* -- the child ------------------------------------------------------------ */

typedef bool make_fn(const void *what, struct cs_buf *out,
		     struct cs_error *err);

/* What comes back through the pipe, before the bytes. */
struct result {
	bool ok;
	struct cs_error err;
};

static bool write_pipe(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t k = write(fd, at, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		at += k;
		n -= (size_t)k;
	}
	return true;
}

/* The child's whole life. */
static int child(make_fn *make, const void *what, int fd)
{
	struct result r = {.ok = false};
	struct cs_buf out;
	bool sent;

	cs_buf_init(&out, CS_MAX_CSR_DER);
	r.ok = cs_secret_heap_init(KEYGEN_HEAP, &r.err) &&
	       make(what, &out, &r.err);
	sent = write_pipe(fd, &r, sizeof(r)) && write_pipe(fd, out.p, out.n);
	cs_buf_done(&out);
	return sent ? 0 : 1;
}

/* Everything until the pipe ends. */
static void read_pipe(int fd, struct cs_buf *out)
{
	uint8_t part[4096];
	ssize_t k;

	do {
		k = read(fd, part, sizeof(part));
		if (k > 0)
			cs_buf_add(out, cs_span_make(part, (size_t)k));
	} while (k > 0 || (k < 0 && errno == EINTR));
}

/* Take the result apart; the child's error becomes ours. */
static bool take_result(struct cs_span bytes, struct cs_buf *out,
			struct cs_error *err)
{
	struct result r;

	if (bytes.n < sizeof(r))
		return cs_error_set(err, CS_E_INTERNAL,
				    "the process that makes keys ended early");
	memcpy(&r, bytes.p, sizeof(r));
	if (!r.ok) {
		r.err.text[sizeof(r.err.text) - 1] = '\0';
		return cs_error_set(err, r.err.code, "%s", r.err.text);
	}
	bytes = cs_span_sub(bytes, sizeof(r), bytes.n);
	if (out == NULL)
		return true;
	cs_buf_add(out, bytes);
	return cs_buf_finish(out, "CSR", err);
}

/* Fork, let the child make it, and collect what it says. */
static bool in_child(make_fn *make, const void *what, struct cs_buf *out,
		     struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf bytes;
	int ends[2], status;
	pid_t pid;

	cs_buf_init(&bytes, sizeof(struct result) + CS_MAX_CSR_DER);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "pipe");
	pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return cs_error_set_errno(err, CS_E_IO, errno, "fork");
	}
	if (pid == 0) {
		close(ends[0]);
		_exit(child(make, what, ends[1]));
	}
	close(ends[1]);
	read_pipe(ends[0], &bytes);
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return take_result(cs_buf_span(&bytes), out, err);
}

bool cs_keygen_ca_in_child(const struct cs_keygen_ca *c, struct cs_error *err)
{
	return in_child(make_ca, c, NULL, err);
}

bool cs_keygen_listener_in_child(const struct cs_keygen_listener *c,
				 struct cs_buf *out_csr, struct cs_error *err)
{
	return in_child(make_listener, c, out_csr, err);
}
