/*
 * Policies of other systems, translated: approver-policy's
 * CertificateRequestPolicy, the policy of step-ca, roles of Vault's PKI engine
 * (and of OpenBao's). What comes out is native documents as text, and a
 * report of what became of each field.
 *
 * The measure: a document that was written never issues a certificate that
 * the foreign system refuses. What cannot be said in the native language is
 * left out when it allows something, closes its field when it restricts one,
 * and puts the whole document in shadow (where it decides nothing) when it
 * restricts all of it. Names are compared as they are issued, that is in
 * their canonical form (policy/name.h): upper and lower case of a DNS name
 * make no difference, as they do in some of these systems.
 *
 * Nothing is dropped silently: a field that is not known, or that means
 * nothing here, has its line in the report.
 *
 * Pure. Everything lives in the arena; sources are borrowed. Not checked here:
 * whether the documents load together (policy/engine.h does that); bounds of
 * the sources (cli/policies.h).
 */
#ifndef CS_POLICY_IMPORT_H
#define CS_POLICY_IMPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/sources.h"

enum cs_import_from {
	CS_IMPORT_ANY, /* each document is recognised by what stands in it */
	CS_IMPORT_APPROVER_POLICY,
	CS_IMPORT_STEP_CA,
	CS_IMPORT_VAULT
};

/* By its name, "approver-policy", "step-ca" or "vault". */
bool cs_import_from_name(struct cs_span name, enum cs_import_from *ret_from);

/* What became of a field. */
enum cs_import_grade {
	CS_IMPORT_EXACT,    /* it says the same */
	CS_IMPORT_NOTE,	    /* it decides nothing, or something else does it */
	CS_IMPORT_NARROWER, /* less passes than before */
	CS_IMPORT_BY_HAND   /* a person has to do or to decide something */
};

/* "exact", "note", "narrower", "by hand". */
const char *cs_import_grade_name(enum cs_import_grade grade);

struct cs_import_line {
	enum cs_import_grade grade;
	struct cs_span source; /* "crp.yaml" */
	unsigned line;	       /* from 1 */
	struct cs_span field;  /* "spec.allowed.dnsNames" */
	struct cs_span text; /* a sentence; from outside, so print it escaped */
	struct cs_import_line *next;
};

struct cs_import_policy {
	struct cs_span name;   /* metadata.name of the native document */
	struct cs_span source; /* where it comes from */
	unsigned line;
	struct cs_span text; /* YAML, the report's weighty lines as comments */
	struct cs_import_line *lines;
	struct cs_import_policy *next;
};

struct cs_import {
	struct cs_import_policy *policies; /* in order of priority */
	size_t n;
	struct cs_import_line *lines; /* of no policy, or of all */
	size_t count[CS_IMPORT_BY_HAND + 1];
};

struct cs_import_options {
	enum cs_import_from from;
	struct cs_span issuer; /* the native issuer; empty: not said */
	/*
	 * Who may ask (match.requester.users): the foreign document does not
	 * say. None: not said; "*" alone: anybody.
	 */
	const struct cs_span *users;
	size_t users_n;
};

/*
 * Translate all documents of all sources. CS_E_YAML or CS_E_FORMAT with
 * file, line and column when one cannot be read or is not what it should be;
 * CS_E_NO_MEMORY.
 */
bool cs_import_read(const struct cs_sources *sources,
		    const struct cs_import_options *options,
		    struct cs_arena *arena, struct cs_import *ret_import,
		    struct cs_error *err) CS_MUST_USE;

#endif
