/*
 * The program's log on standard error, for the commands that run a house.
 */
#ifndef CS_CLI_LOGGING_H
#define CS_CLI_LOGGING_H

#include "base/log.h"

/*
 * A log that never waits for whoever reads it. Standard error itself is left
 * blocking where it can be opened a second time (it may be a terminal that
 * others share).
 */
void cs_logging_init(struct cs_log *log, enum cs_log_level level,
		     struct cs_clock clock);

#endif
