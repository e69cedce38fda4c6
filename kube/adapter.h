/*
 * cert-manager's external issuer: a program of its own in the cluster, and a
 * client of Countersign's HTTP API like everybody else.
 *
 * It watches CertificateRequests (and, where it is asked to,
 * CertificateSigningRequests of Kubernetes) that name an Issuer or
 * ClusterIssuer of the group countersign.dev, submits those that were approved
 * upstream, and writes the answer back. It keeps nothing on disk: the object
 * says how far it is, and Countersign gives the same answer for the same uid,
 * so that a killed adapter, or a second one, delivers the same certificate.
 *
 * One loop, no threads of its own. Returns at SIGTERM or SIGINT, or when
 * another replica has taken over.
 */
#ifndef CS_KUBE_ADAPTER_H
#define CS_KUBE_ADAPTER_H

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "kube/where.h"

struct cs_adapter_config {
	struct cs_where_flags where;
	const char *token_file; /* our token in Countersign, or NULL */
	const char *probe;	/* ADDR:PORT for probes and metrics, or NULL */
	const char *lease;	/* name of the Lease, or NULL: we are alone */
	const char *identity;	/* of this replica; the host's name */
	bool kubernetes_csr;	/* also certificates.k8s.io */
	bool without_ca;	/* leave status.ca out */
	uint32_t check_s, watch_s; /* of issuers; of one watch */
	int64_t give_up_s;	   /* from the approval on; 0: never */
	struct cs_clock clock;
	struct cs_log *log; /* borrowed */
	FILE *out;	    /* "ready", once */
};

/* What it returns: supervisors start it again after the second. */
enum cs_adapter_end {
	CS_ADAPTER_DONE,
	CS_ADAPTER_FAILED, /* *err says why: it never worked */
	CS_ADAPTER_LOST	   /* the Lease is another's now */
};

enum cs_adapter_end cs_adapter_run(const struct cs_adapter_config *config,
				   struct cs_error *err);

#endif
