#include "base/net.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

bool cs_net_parse(const char *text, struct cs_net *ret_net)
{
	struct cs_net net = {.family = AF_INET, .bits = 32};
	char host[INET6_ADDRSTRLEN + 1];
	const char *slash = strchr(text, '/');
	size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	unsigned bits = 0;

	if (n == 0 || n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	if (inet_pton(AF_INET, host, net.address) != 1) {
		net.family = AF_INET6;
		net.bits = 128;
		if (inet_pton(AF_INET6, host, net.address) != 1)
			return false;
	}
	if (slash != NULL) {
		const char *p = slash + 1;

		if (*p == '\0' || strlen(p) > 3)
			return false;
		for (; *p != '\0'; p++) {
			if (*p < '0' || *p > '9')
				return false;
			bits = bits * 10 + (unsigned)(*p - '0');
		}
		if (bits > net.bits)
			return false;
		net.bits = bits;
	}
	*ret_net = net;
	return true;
}

bool cs_net_holds(const struct cs_net *net, const char *peer)
{
	struct cs_net is;
	char host[INET6_ADDRSTRLEN + 1];
	const char *colon = strrchr(peer, ':');
	const char *begin = peer;
	size_t n;
	unsigned whole = net->bits / 8;
	unsigned rest = net->bits % 8;

	if (colon == NULL)
		return false;
	n = (size_t)(colon - peer);
	if (n >= 2 && peer[0] == '[' && peer[n - 1] == ']') {
		begin++;
		n -= 2;
	}
	if (n >= sizeof(host))
		return false;
	memcpy(host, begin, n);
	host[n] = '\0';
	if (!cs_net_parse(host, &is) || is.family != net->family ||
	    memcmp(is.address, net->address, whole) != 0)
		return false;
	return rest == 0 ||
	       ((is.address[whole] ^ net->address[whole]) >> (8 - rest)) == 0;
}
