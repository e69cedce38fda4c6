/*
 * Addresses and networks that a configuration names, and whether a peer is
 * in one. Plain values; names are not resolved.
 */
#ifndef CS_BASE_NET_H
#define CS_BASE_NET_H

#include <stdbool.h>
#include <stdint.h>

struct cs_net {
	int family; /* AF_INET, AF_INET6 */
	unsigned bits;
	uint8_t address[16];
};

/* "192.0.2.1", "10.0.0.0/8", "2001:db8::/32". False: it is none. */
bool cs_net_parse(const char *text, struct cs_net *ret_net);

/*
 * Is the peer "192.0.2.1:4711" or "[2001:db8::1]:4711" in it? What is no
 * address, such as "local", never is.
 */
bool cs_net_holds(const struct cs_net *net, const char *peer);

#endif
