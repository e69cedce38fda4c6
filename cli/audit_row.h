/*
 * Entries of the audit log as people read them, and the options that filter
 * them: `audit list`, `tail`, `stats` and `export` take the same.
 */
#ifndef CS_CLI_AUDIT_ROW_H
#define CS_CLI_AUDIT_ROW_H

#include <stdio.h>

#include <jansson.h>

#include "cli/list.h"

/* All of these are repeatable; one of the values must be there. */
#define CS_AUDIT_FILTERS                                                       \
	{"kind", 0, "KIND", "issued, policy.applied, client.changed..."},      \
		{"verdict", 0, "VERDICT",                                      \
		 "issued, refused, denied or expired"},                        \
		{"requester", 0, "NAME", "who asked"},                         \
		{"client", 0, "NAME", "who submitted"},                        \
		{"approver", 0, "NAME", "who approved"},                       \
		{"name", 0, "NAME",                                            \
		 "a name in the certificate; .zone: and below"},               \
		{"covering", 0, "NAME",                                        \
		 "what could be shown for it: wildcards and CAs too"},         \
		{"serial", 0, "SERIAL", "of the certificate"},                 \
		{"spki", 0, "HASH", "SHA-256 of the public key"},              \
		{"issuer", 0, "NAME", "of this issuer"},                       \
		{"realm", 0, "REALM", "of a gateway"},                         \
		{"namespace", 0, "NAME", "that it spoke for"},                 \
		{"source", 0, "SOURCE", "the way in: api, listener"},          \
		{"policy", 0, "NAME",                                          \
		 "that judged; its SHA-256: this version of it"},              \
		{"rule", 0, "RULE", "that decided a field"},                   \
		{"code", 0, "CODE", "of a violation"},                         \
		{"field", 0, "FIELD", "that was violated or changed"},         \
		{"disposition", 0, "WORD",                                     \
		 "of a field: overridden, dropped..."},                        \
		{"changed", 0, NULL,                                           \
		 "only certificates that are not as asked"},                   \
		{"warned", 0, NULL, "only those with warnings"},               \
	{                                                                      \
		"self-approved", 0, NULL, "only those approved by who asked"   \
	}

/* What all these lists have in common, filters and columns included. */
struct cs_list cs_audit_list(void);

/* Adds "why": what was refused or changed and, of an act, what was done. */
void cs_audit_prepare(json_t *item);

/* One entry, and below it each change and violation, with rule and place. */
void cs_audit_print_detail(const json_t *item, FILE *out);

#endif
