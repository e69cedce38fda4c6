#include "store/note.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/codec.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/secret.h"

/* Ed25519, RFC 8032. */
#define SEED	  32
#define SIGNATURE 64
/* The signature type of signed-note for Ed25519. */
#define TYPE 0x01
/* Signature lines of one note that are looked at. */
#define MAX_SIGNATURES 100
/* "— ", U+2014 and a space: how a signature line begins. */
#define DASH "\xe2\x80\x94 "

/*= RFC 8410 7: PrivateKeyInfo of Ed25519, up to the 32 octets of the key */
static const uint8_t pkcs8[16] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30,
				  0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
				  0x04, 0x22, 0x04, 0x20};
#define PKCS8 (sizeof(pkcs8) + SEED)
/* 48 octets are exactly one line of Base64. */
#define PKCS8_BASE64 64
#define PEM_BEGIN    "-----BEGIN PRIVATE KEY-----\n"
#define PEM_END	     "\n-----END PRIVATE KEY-----\n"
#define PEM_SIZE     (sizeof(PEM_BEGIN) + PKCS8_BASE64 + sizeof(PEM_END) - 2)

struct cs_note_signer {
	struct cs_note_verifier verifier;
	EVP_PKEY *key;	 /* owned */
	EVP_MD_CTX *ctx; /* owned */
};

/* An OpenSSL failure as an error of ours; its queue is emptied. */
static bool crypto_error(const char *what, struct cs_error *err)
{
	char reason[128];

	ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
	ERR_clear_error();
	return cs_error_set(err, CS_E_CRYPTO, "%s: %s", what, reason);
}

/* The PEM text of a key, in secret memory. */
static bool encode_key(EVP_PKEY *key, struct cs_secret *der,
		       struct cs_secret *pem, struct cs_error *err)
{
	uint8_t *p = pem->p;
	size_t n = SEED;

	memcpy(der->p, pkcs8, sizeof(pkcs8));
	if (EVP_PKEY_get_raw_private_key(key, der->p + sizeof(pkcs8), &n) !=
		    1 ||
	    n != SEED)
		return crypto_error("log key", err);
	memcpy(p, PEM_BEGIN, sizeof(PEM_BEGIN) - 1);
	p += sizeof(PEM_BEGIN) - 1;
	/* Writes a NUL behind the last digit, where the end line comes. */
	(void)EVP_EncodeBlock(p, der->p, (int)PKCS8);
	memcpy(p + PKCS8_BASE64, PEM_END, sizeof(PEM_END) - 1);
	return true;
}

bool cs_note_key_create(int fd, struct cs_error *err)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct cs_secret der = {0};
	struct cs_secret pem = {0};
	bool ok;

	if (key == NULL)
		return crypto_error("log key", err);
	ok = cs_secret_new(PKCS8, &der, err) &&
	     cs_secret_new(PEM_SIZE, &pem, err) &&
	     encode_key(key, &der, &pem, err) &&
	     (cs_fd_write(fd, cs_span_make(pem.p, pem.n)) ||
	      cs_error_set_errno(err, CS_E_IO, errno, "log key"));
	cs_secret_done(&der);
	cs_secret_done(&pem);
	EVP_PKEY_free(key);
	return ok;
}

/* One sentence for every file that is not such a key. */
static bool no_key(struct cs_error *err)
{
	return cs_error_set(err, CS_E_KEY,
			    "log key: not one Ed25519 private key in PEM "
			    "(RFC 8410 7), unencrypted");
}

/*
 * A key from its PEM text. Decoded here and not by OpenSSL's PEM reader,
 * which leaves copies in the ordinary heap.
 */
static EVP_PKEY *decode_key(struct cs_span pem, struct cs_error *err)
{
	const size_t begin = sizeof(PEM_BEGIN) - 1;
	struct cs_secret der = {0};
	EVP_PKEY *key = NULL;

	if ((pem.n != PEM_SIZE && pem.n != PEM_SIZE - 1) ||
	    memcmp(pem.p, PEM_BEGIN, begin) != 0 ||
	    memcmp(pem.p + begin + PKCS8_BASE64, PEM_END,
		   pem.n - begin - PKCS8_BASE64) != 0) {
		no_key(err);
		return NULL;
	}
	if (!cs_secret_new(PKCS8, &der, err))
		return NULL;
	if (EVP_DecodeBlock(der.p, pem.p + begin, PKCS8_BASE64) != (int)PKCS8 ||
	    memcmp(der.p, pkcs8, sizeof(pkcs8)) != 0)
		no_key(err);
	else if ((key = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL,
							der.p + sizeof(pkcs8),
							SEED)) == NULL)
		crypto_error("log key", err);
	cs_secret_done(&der);
	return key;
}

void cs_note_signer_free(struct cs_note_signer *s)
{
	if (s == NULL)
		return;
	EVP_PKEY_free(s->key);
	EVP_MD_CTX_free(s->ctx);
	cs_mem_free(s);
}

/* Fill a zeroed signer; the caller frees it whatever comes of it. */
static bool signer_init(struct cs_note_signer *s, struct cs_span pem,
			const char *name, struct cs_error *err)
{
	uint8_t public_key[CS_NOTE_PUBLIC];
	size_t n = sizeof(public_key);

	s->key = decode_key(pem, err);
	if (s->key == NULL)
		return false;
	s->ctx = EVP_MD_CTX_new();
	if (s->ctx == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "log key: no memory");
	if (EVP_PKEY_get_raw_public_key(s->key, public_key, &n) != 1 ||
	    n != sizeof(public_key))
		return crypto_error("log key", err);
	return cs_note_verifier_make(cs_span_str(name), public_key,
				     &s->verifier, err);
}

struct cs_note_signer *cs_note_signer_new(int fd, const char *name,
					  struct cs_error *err)
{
	struct cs_secret pem = {0};
	struct cs_note_signer *s;

	if (!cs_secret_read(fd, CS_MAX_PEM_FILE, &pem, err))
		return NULL;
	s = cs_mem_new(sizeof(*s));
	if (s == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "log key: no memory");
	} else if (!signer_init(s, cs_span_make(pem.p, pem.n), name, err)) {
		cs_note_signer_free(s);
		s = NULL;
	}
	cs_secret_done(&pem);
	return s;
}

const struct cs_note_verifier *cs_note_signer_verifier(
	const struct cs_note_signer *s)
{
	return &s->verifier;
}

/* 1 to CS_MAX_ORIGIN octets of visible ASCII without `+`. */
static bool name_is_good(struct cs_span name)
{
	if (name.n == 0 || name.n > CS_MAX_ORIGIN)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == '+')
			return false;
	}
	return true;
}

bool cs_note_verifier_make(struct cs_span name,
			   const uint8_t public_key[CS_NOTE_PUBLIC],
			   struct cs_note_verifier *ret_verifier,
			   struct cs_error *err)
{
	uint8_t input[CS_MAX_ORIGIN + 2 + CS_NOTE_PUBLIC];
	uint8_t digest[CS_SHA256_SIZE];
	size_t n = name.n;

	if (!name_is_good(name))
		return cs_error_set(err, CS_E_FORMAT,
				    "log origin: want 1 to %d visible ASCII "
				    "octets without `+`",
				    CS_MAX_ORIGIN);
	memcpy(input, name.p, n);
	input[n++] = '\n';
	input[n++] = TYPE;
	memcpy(input + n, public_key, CS_NOTE_PUBLIC);
	n += CS_NOTE_PUBLIC;
	if (EVP_Digest(input, n, digest, NULL, EVP_sha256(), NULL) != 1)
		return crypto_error("log key id", err);
	*ret_verifier = (struct cs_note_verifier){.name = ""};
	memcpy(ret_verifier->name, name.p, name.n);
	memcpy(ret_verifier->id, digest, CS_NOTE_ID);
	memcpy(ret_verifier->public_key, public_key, CS_NOTE_PUBLIC);
	return true;
}

void cs_note_verifier_write(const struct cs_note_verifier *v,
			    struct cs_buf *out)
{
	uint8_t key[1 + CS_NOTE_PUBLIC] = {TYPE};

	memcpy(key + 1, v->public_key, CS_NOTE_PUBLIC);
	cs_buf_addf(out, "%s+", v->name);
	cs_codec_hex(cs_span_make(v->id, CS_NOTE_ID), out);
	cs_buf_add_byte(out, '+');
	cs_codec_base64(cs_span_make(key, sizeof(key)), out);
}

/* Base64 that must give exactly n octets. */
static bool base64_fixed(struct cs_span text, uint8_t *out, size_t n)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, n);
	if (!cs_codec_base64_decode(text, &b, NULL) || b.n != n)
		return false;
	memcpy(out, b.p, n);
	return true;
}

bool cs_note_verifier_parse(struct cs_span text,
			    struct cs_note_verifier *ret_verifier,
			    struct cs_error *err)
{
	struct cs_note_verifier v;
	uint8_t id[CS_NOTE_ID];
	uint8_t key[1 + CS_NOTE_PUBLIC];
	size_t plus;
	struct cs_span rest;

	if (!cs_span_find(text, '+', &plus))
		return cs_error_set(err, CS_E_FORMAT,
				    "verifier key: want NAME+HASH+KEY");
	rest = cs_span_sub(text, plus + 1, SIZE_MAX);
	if (rest.n < 9 || rest.p[8] != '+' ||
	    !cs_codec_hex_fixed(cs_span_sub(rest, 0, 8), id, sizeof(id)) ||
	    !base64_fixed(cs_span_sub(rest, 9, SIZE_MAX), key, sizeof(key)) ||
	    key[0] != TYPE)
		return cs_error_set(err, CS_E_FORMAT,
				    "verifier key: want 8 hex digits and the "
				    "Base64 of 0x01 and 32 octets");
	if (!cs_note_verifier_make(cs_span_sub(text, 0, plus), key + 1, &v,
				   err))
		return false;
	if (memcmp(v.id, id, sizeof(id)) != 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "verifier key: its hash is another key's");
	*ret_verifier = v;
	return true;
}

void cs_checkpoint_write(const struct cs_checkpoint *c, struct cs_buf *out)
{
	cs_buf_addf(out, "%s\n%" PRIu64 "\n", c->origin, c->size);
	cs_codec_base64(cs_span_make(c->root, CS_TREE_HASH), out);
	cs_buf_add_byte(out, '\n');
}

/* Take a line off *text, without its newline. False: there is none. */
static bool take_line(struct cs_span *text, struct cs_span *ret_line)
{
	size_t at;

	if (!cs_span_find(*text, '\n', &at))
		return false;
	*ret_line = cs_span_sub(*text, 0, at);
	*text = cs_span_sub(*text, at + 1, SIZE_MAX);
	return true;
}

/* A decimal number without leading zeros that fits. */
static bool parse_size(struct cs_span digits, uint64_t *ret_size)
{
	uint64_t v = 0;

	if (digits.n == 0 || (digits.n > 1 && digits.p[0] == '0'))
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		unsigned d = (unsigned)digits.p[i] - '0';

		if (d > 9 || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*ret_size = v;
	return true;
}

bool cs_checkpoint_parse(struct cs_span text,
			 struct cs_checkpoint *ret_checkpoint,
			 struct cs_error *err)
{
	struct cs_checkpoint c = {.size = 0};
	struct cs_span origin;
	struct cs_span size;
	struct cs_span root;

	if (!take_line(&text, &origin) || !take_line(&text, &size) ||
	    !take_line(&text, &root) || text.n > 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "tlog-checkpoint: want exactly three "
				    "lines: origin, size, root");
	if (!name_is_good(origin))
		return cs_error_set(err, CS_E_FORMAT,
				    "tlog-checkpoint: bad origin");
	if (!parse_size(size, &c.size))
		return cs_error_set(err, CS_E_FORMAT,
				    "tlog-checkpoint: bad tree size");
	if (!base64_fixed(root, c.root, sizeof(c.root)))
		return cs_error_set(err, CS_E_FORMAT,
				    "tlog-checkpoint: bad root");
	memcpy(c.origin, origin.p, origin.n);
	*ret_checkpoint = c;
	return true;
}

/* Ed25519 signs the text itself, RFC 8032 5.1.6. */
static bool sign_text(struct cs_note_signer *s, struct cs_span text,
		      uint8_t ret_signature[SIGNATURE], struct cs_error *err)
{
	size_t n = SIGNATURE;

	if (EVP_MD_CTX_reset(s->ctx) != 1 ||
	    EVP_DigestSignInit(s->ctx, NULL, NULL, NULL, s->key) != 1 ||
	    EVP_DigestSign(s->ctx, ret_signature, &n, text.p, text.n) != 1 ||
	    n != SIGNATURE)
		return crypto_error("log key: signing", err);
	return true;
}

bool cs_note_checkpoint_sign(struct cs_note_signer *s, uint64_t size,
			     const uint8_t root[CS_TREE_HASH],
			     struct cs_buf *out, struct cs_error *err)
{
	struct cs_checkpoint c = {.size = size};
	uint8_t signature[CS_NOTE_ID + SIGNATURE];
	size_t start = out->n;

	memcpy(c.origin, s->verifier.name, sizeof(c.origin));
	memcpy(c.root, root, sizeof(c.root));
	cs_checkpoint_write(&c, out);
	if (!cs_buf_finish(out, "checkpoint", err))
		return false;
	memcpy(signature, s->verifier.id, CS_NOTE_ID);
	if (!sign_text(s, cs_span_sub(cs_buf_span(out), start, SIZE_MAX),
		       signature + CS_NOTE_ID, err))
		return false;
	cs_buf_addf(out, "\n" DASH "%s ", s->verifier.name);
	cs_codec_base64(cs_span_make(signature, sizeof(signature)), out);
	cs_buf_add_byte(out, '\n');
	return cs_buf_finish(out, "checkpoint", err);
}

/* Where the last empty line ends the text: text and signature lines. */
static bool split_note(struct cs_span note, struct cs_span *ret_text,
		       struct cs_span *ret_signatures)
{
	for (size_t i = note.n; i >= 2; i--) {
		if (note.p[i - 1] != '\n' || note.p[i - 2] != '\n')
			continue;
		*ret_text = cs_span_sub(note, 0, i - 1);
		*ret_signatures = cs_span_sub(note, i, SIZE_MAX);
		return true;
	}
	return false;
}

/* signed-note: UTF-8, no control characters but newlines, one at the end. */
static bool note_form(struct cs_span note, struct cs_error *err)
{
	if (note.n == 0 || note.n > CS_MAX_NOTE || note.p[note.n - 1] != '\n')
		return cs_error_set(err, CS_E_FORMAT,
				    "signed-note: empty, longer than %d, or "
				    "no newline at the end",
				    CS_MAX_NOTE);
	for (size_t i = 0; i < note.n; i++) {
		if (note.p[i] < ' ' && note.p[i] != '\n')
			return cs_error_set(err, CS_E_FORMAT,
					    "signed-note: control character");
	}
	if (!cs_codec_is_utf8(note))
		return cs_error_set(err, CS_E_FORMAT, "signed-note: not UTF-8");
	return true;
}

/* Does this key's signature stand over the text? */
static bool signature_is_good(const struct cs_note_verifier *v,
			      struct cs_span text,
			      const uint8_t signature[SIGNATURE])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(
		NULL, "ED25519", NULL, v->public_key, CS_NOTE_PUBLIC);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = key != NULL && ctx != NULL &&
		    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, signature, SIGNATURE, text.p,
				     text.n) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good;
}

/*
 * One signature line. *ret_good is set when it is this key's and holds; one
 * that is this key's and does not hold is an error, others are skipped.
 */
static bool read_signature(const struct cs_note_verifier *v,
			   struct cs_span text, struct cs_span line,
			   bool *ret_good, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	size_t space;
	struct cs_span name;

	cs_buf_init(&b, CS_MAX_NOTE);
	if (!cs_span_starts_with(line, CS_SPAN_LIT(DASH)))
		return cs_error_set(err, CS_E_FORMAT,
				    "signed-note: a signature line does not "
				    "begin with a dash");
	line = cs_span_sub(line, sizeof(DASH) - 1, SIZE_MAX);
	if (!cs_span_find(line, ' ', &space) || space == 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "signed-note: a signature without a name");
	name = cs_span_sub(line, 0, space);
	if (!cs_codec_base64_decode(cs_span_sub(line, space + 1, SIZE_MAX), &b,
				    NULL) ||
	    b.n <= CS_NOTE_ID)
		return cs_error_set(err, CS_E_FORMAT,
				    "signed-note: a signature is not Base64 of "
				    "key id and signature");
	if (!cs_span_equal_str(name, v->name) ||
	    memcmp(b.p, v->id, CS_NOTE_ID) != 0)
		return true;
	if (b.n != CS_NOTE_ID + SIGNATURE ||
	    !signature_is_good(v, text, b.p + CS_NOTE_ID))
		return cs_error_set(err, CS_E_VERIFY,
				    "signed-note: the signature of %s does "
				    "not hold",
				    v->name);
	*ret_good = true;
	return true;
}

bool cs_note_checkpoint_open(const struct cs_note_verifier *v,
			     struct cs_span note,
			     struct cs_checkpoint *ret_checkpoint,
			     struct cs_error *err)
{
	struct cs_checkpoint c;
	struct cs_span text;
	struct cs_span signatures;
	struct cs_span line;
	bool good = false;
	unsigned n = 0;

	if (!note_form(note, err))
		return false;
	if (!split_note(note, &text, &signatures) || signatures.n == 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "signed-note: no signatures");
	while (take_line(&signatures, &line)) {
		if (++n > MAX_SIGNATURES)
			return cs_error_set(err, CS_E_FORMAT,
					    "signed-note: more than %d "
					    "signatures",
					    MAX_SIGNATURES);
		if (!read_signature(v, text, line, &good, err))
			return false;
	}
	if (!good)
		return cs_error_set(err, CS_E_VERIFY,
				    "signed-note: no signature by %s", v->name);
	if (!cs_checkpoint_parse(text, &c, err))
		return false;
	if (strcmp(c.origin, v->name) != 0)
		return cs_error_set(err, CS_E_VERIFY,
				    "tlog-checkpoint: origin %s, want %s",
				    c.origin, v->name);
	*ret_checkpoint = c;
	return true;
}
