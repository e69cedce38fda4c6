/*
 * The oldest library versions that this program should run on, because of
 * what was fixed in them: libevent 2.1.12 (and of Debian's, +deb12u1: the
 * number does not tell), OpenSSL 3.0.19 (3.0.22 is recommended: names built
 * from foreign bytes, over-reads), SQLite 3.40.1 (the WAL-reset race of
 * older and newer ones is avoided by our one writer).
 *
 * What runs is asked of the libraries themselves, not of the headers. Below
 * the floor the program says so loudly and goes on: the operator may know of
 * a backported fix.
 */
#ifndef CS_CLI_FLOOR_H
#define CS_CLI_FLOOR_H

#include "base/log.h"

/* Log the versions found, and a warning for each one below. */
void cs_floor_report(struct cs_log *log);

#endif
