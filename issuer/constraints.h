/*
 * Name constraints (RFC 5280 4.2.1.10): which names a CA's certificate leaves
 * to those below it. They are read when a chain is loaded (issuer/ca.h), one
 * set for each CA that has them, and every name of a certificate must be
 * within all sets: in a permitted subtree of its kind, if there is one, and
 * in no excluded one.
 *
 * Processed are dNSName, iPAddress, rfc822Name, uniformResourceIdentifier and
 * directoryName. A constraint on another kind is not understood; so a
 * certificate under it has no name of that kind, which 4.2.1.10 allows as the
 * alternative to processing it.
 *
 * Where verifiers differ, the stricter reading holds, so that none of them
 * rejects what is issued:
 *   wildcards    "*.zone" stands for every host right below the zone: all of
 *                them must be permitted, none excluded (most verifiers take
 *                the asterisk for a label like any other)
 *   subject      addresses in emailAddress are judged always, and a common
 *                name that reads as a host or an IP address is one, also
 *                beside subject alternative names
 *   URIs         a URI without a host, or with an IP address as its host, is
 *                rejected as soon as URIs are constrained at all; a host is
 *                permitted only if the reader who ends it at the first `:`
 *                or `/` permits it too
 *   mailboxes    an SmtpUTF8Mailbox (RFC 9598) is rejected where mailboxes
 *                are constrained
 *
 * Plain values in the arena that was given.
 */
#ifndef CS_ISSUER_CONSTRAINTS_H
#define CS_ISSUER_CONSTRAINTS_H

#include "base/arena.h"
#include "base/error.h"
#include "policy/facts.h"
#include "policy/finding.h"

/* One attribute of a directoryName: the n-th RDN, which has only this. */
struct cs_subtree_rdn {
	struct cs_span oid;
	struct cs_span value; /* as compared: see RFC 5280 7.1 */
};

struct cs_subtree {
	enum cs_name_kind kind;
	/*
	 * DNS: a zone, ".zone" (only below it) or empty (every name); URI: a
	 * host or ".zone"; e-mail: a mailbox, a host or ".zone".
	 */
	struct cs_span text;
	struct cs_span address; /* IP: 4 or 16 octets */
	struct cs_span mask;	/* as many */
	struct cs_subtree_rdn *rdns;
	size_t rdns_n;
};

struct cs_constraints {
	unsigned number; /* of the certificate in its chain, from 1 */
	struct cs_subtree *permitted;
	size_t permitted_n;
	struct cs_subtree *excluded;
	size_t excluded_n;
};

/*
 * Read an extension's value. CS_E_CERT with a sentence: malformed, a subtree
 * that is not of its kind's grammar, minimum or maximum, more than
 * CS_MAX_SUBTREES; CS_E_NO_MEMORY.
 */
bool cs_constraints_read(struct cs_span value, struct cs_arena *arena,
			 struct cs_constraints *ret_constraints,
			 struct cs_error *err) CS_MUST_USE;

/*
 * Attributes of a Name, DER, as directoryName subtrees are compared. False
 * with CS_E_CERT: it is not a Name of one attribute an RDN, in UTF8String,
 * PrintableString or IA5String; CS_E_NO_MEMORY.
 */
bool cs_constraints_rdns(struct cs_span name, struct cs_arena *arena,
			 struct cs_subtree_rdn **ret_rdns, size_t *ret_n,
			 struct cs_error *err) CS_MUST_USE;

/* A value as it is compared: folded case, single spaces. Into the arena. */
bool cs_constraints_fold(struct cs_span value, struct cs_arena *arena,
			 struct cs_span *ret_folded,
			 struct cs_error *err) CS_MUST_USE;

/*
 * Adds a finding CA_NAME_CONSTRAINT for each name of the certificate (its
 * subject included) that one of the sets does not leave to it. False: no
 * memory.
 */
bool cs_constraints_check(const struct cs_constraints *sets, size_t n,
			  const struct cs_cert_facts *cert,
			  struct cs_findings *findings,
			  struct cs_error *err) CS_MUST_USE;

#endif
