/*
 * sd_notify without the library: one datagram to the socket that a service
 * manager names in $NOTIFY_SOCKET. Without one, nothing happens; a failure
 * is not an error, the manager's timeout tells.
 */
#ifndef CS_CLI_NOTIFY_H
#define CS_CLI_NOTIFY_H

/* `state` is "READY=1", "STOPPING=1" or the like. */
void cs_notify(const char *state);

#endif
