/*
 * Checkpoints of the log: C2SP signed-note and tlog-checkpoint.
 *
 *	example.com/countersign/1f0c9a2b
 *	42
 *	CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 *
 *	— example.com/countersign/1f0c9a2b <Base64 of key id and signature>
 *
 * The text is origin, size in decimal and root in Base64, each line with its
 * newline; the signature is Ed25519 over the text. The key's name is the
 * log's origin. A key id is the first four octets of SHA-256 of name,
 * newline, 0x01 and the public key. The public form of a key, for anybody's
 * verifier, is "name+8 hex of the id+Base64 of 0x01 and the public key".
 *
 * The log's key signs checkpoints and nothing else. A signer holds it in
 * OpenSSL's secure heap where the process has one (base/secret.h); the
 * ledger and `init` are the only ones who make a signer.
 *
 * What it does not check: that a checkpoint's root is that of any tree, or
 * that it is newer than another. Signatures by keys other than the one asked
 * for are skipped, as signed-note demands.
 */
#ifndef CS_STORE_NOTE_H
#define CS_STORE_NOTE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"
#include "store/tree.h"

#define CS_NOTE_PUBLIC 32
#define CS_NOTE_ID     4

struct cs_note_signer;

/* A public key with its name; a plain value. */
struct cs_note_verifier {
	char name[CS_MAX_ORIGIN + 1];
	uint8_t id[CS_NOTE_ID];
	uint8_t public_key[CS_NOTE_PUBLIC];
};

struct cs_checkpoint {
	char origin[CS_MAX_ORIGIN + 1];
	uint64_t size;
	uint8_t root[CS_TREE_HASH];
};

/* Write a new Ed25519 private key, PKCS#8 PEM, to fd (borrowed). */
bool cs_note_key_create(int fd, struct cs_error *err) CS_MUST_USE;

/*
 * Read a PEM private key from fd (borrowed). `name` is the log's origin.
 * NULL: not an Ed25519 key (CS_E_KEY), a bad name, or reading failed.
 */
void cs_note_signer_free(struct cs_note_signer *s);
struct cs_note_signer *cs_note_signer_new(int fd, const char *name,
					  struct cs_error *err) CS_MUST_USE;

/* Its public half. */
const struct cs_note_verifier *cs_note_signer_verifier(
	const struct cs_note_signer *s);

/*
 * The verifier of a name and a public key. A name is 1 to CS_MAX_ORIGIN
 * octets of visible ASCII without `+` (signed-note).
 */
bool cs_note_verifier_make(struct cs_span name,
			   const uint8_t public_key[CS_NOTE_PUBLIC],
			   struct cs_note_verifier *ret_verifier,
			   struct cs_error *err) CS_MUST_USE;

/* The public form, and back. Reading checks the id. */
void cs_note_verifier_write(const struct cs_note_verifier *v,
			    struct cs_buf *out);
bool cs_note_verifier_parse(struct cs_span text,
			    struct cs_note_verifier *ret_verifier,
			    struct cs_error *err) CS_MUST_USE;

/* Append the signed note of a checkpoint with the signer's origin. */
bool cs_note_checkpoint_sign(struct cs_note_signer *s, uint64_t size,
			     const uint8_t root[CS_TREE_HASH],
			     struct cs_buf *out,
			     struct cs_error *err) CS_MUST_USE;

/*
 * Open a note strictly: its form, at least one good signature by this key,
 * and the verifier's name as origin. CS_E_FORMAT or CS_E_VERIFY.
 */
bool cs_note_checkpoint_open(const struct cs_note_verifier *v,
			     struct cs_span note,
			     struct cs_checkpoint *ret_checkpoint,
			     struct cs_error *err) CS_MUST_USE;

/* The text alone, unsigned: written and strictly read. */
void cs_checkpoint_write(const struct cs_checkpoint *c, struct cs_buf *out);
bool cs_checkpoint_parse(struct cs_span text,
			 struct cs_checkpoint *ret_checkpoint,
			 struct cs_error *err) CS_MUST_USE;

#endif
