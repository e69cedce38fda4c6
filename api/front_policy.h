/*
 * Policy sets: applied from DIR/policies, which parent reads, or as they came
 * with the call, and looked at without being applied (dry_run).
 *
 *	POLICY_READ -> parent -> POLICY_FILES -+
 *	the call's body -----------------------+-> CHECK -> a worker
 *
 * The worker tells the ledger what it found of a set that is to be applied, and
 * the ledger's ADMIN_DONE answers; of one that is looked at it says CHECKED.
 */
#ifndef CS_API_FRONT_POLICY_H
#define CS_API_FRONT_POLICY_H

#include "api/front_room.h"

bool cs_front_apply_policies(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

/*
 * POLICY_FILES; ticket 0: the house itself asked for it, and nobody waits.
 * Errors: they are too large.
 */
bool cs_front_policy_files(struct cs_front *f, uint64_t ticket,
			   const struct cs_msg_policy_files *m,
			   struct cs_error *err) CS_MUST_USE;

/* CHECKED: the worker's report. */
void cs_front_checked(struct cs_front *f, uint64_t ticket,
		      const struct cs_msg_checked *m);

/* The ledger has put a set in force, or has not. */
void cs_front_policy_done(struct cs_front *f, struct cs_wait *w,
			  const struct cs_msg_admin_done *m);

#endif
