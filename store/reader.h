/*
 * The reader: the process that answers questions (QUERY from front, PAGE
 * back), so that none of them ever holds up a decision.
 *
 * It holds a read-only connection to DIR/ledger.db, opened after the ledger
 * has recovered (the ledger's first STATE says so), without automatic
 * checkpoints and without one at its close: the ledger's connection is the
 * only one that checkpoints. Questions are answered one at a time in the
 * order they come; each is a short transaction with a deadline, so that the
 * WAL can be reset between them.
 *
 * It also answers OCSP (OCSP from front, OCSP_ANSWER back) for the issuers
 * that do, with the keys of their responders: read here from descriptors that
 * parent opened, at start and, after a renewal, with OCSP_KEY; front hears of
 * each (OCSP_RESPONDER). These are no CA's keys. While the ledger's state says
 * that the record or the clock cannot be relied upon, the answer is tryLater.
 *
 * READY goes to parent once the links are open. It stops with 0 at STOP and
 * when parent's link closes after it, else with 75.
 */
#ifndef CS_STORE_READER_H
#define CS_STORE_READER_H

#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/ocsp.h"

struct cs_reader_config {
	const char *dir; /* the installation; ledger.db stands in it */
	const char *vfs; /* SQLite VFS; NULL: its default */
	struct cs_clock clock;
	struct cs_log *log; /* borrowed */

	int parent_fd; /* links; the reader owns them */
	int front_fd;
	int ledger_fd;

	uint32_t deadline_ms; /* of one question; 0: 5000 */

	/* Who answers OCSP; the reader closes the descriptors. */
	struct cs_ocsp_issuer *ocsp;
	size_t ocsp_n;
};

/* Runs until the house stops; the process's exit status. */
int cs_reader_run(const struct cs_reader_config *config);

#endif
