#include "cli/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cli/files.h"

/*
 * Connections that wait for accept. Front takes them at once, but a flood that
 * fills this keeps an honest peer out for a second, until its SYN comes again.
 */
#define BACKLOG 4096
#define SOCKET	"run/countersign.sock"
/*
 * The front of a house that was killed holds its port for a moment longer;
 * a supervisor's restart must not lose to that.
 */
#define PATIENCE_MS 3000
#define STEP_MS	    20

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* The port behind the last colon. */
static bool parse_port(const char *text, in_port_t *ret)
{
	unsigned n = 0;

	if (*text == '\0' || strlen(text) > 5)
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (unsigned)(*text - '0');
	}
	if (n > 65535)
		return false;
	*ret = htons((uint16_t)n);
	return true;
}

static bool parse_address(const char *text, union address *ret,
			  socklen_t *ret_size)
{
	const char *colon = strrchr(text, ':');
	char host[CS_LISTEN_TEXT];
	size_t n;

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		return false;
	n = (size_t)(colon - text);
	memcpy(host, text, n);
	host[n] = '\0';
	*ret = (union address){0};
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		ret->v6.sin6_family = AF_INET6;
		*ret_size = sizeof(ret->v6);
		return inet_pton(AF_INET6, host + 1, &ret->v6.sin6_addr) == 1 &&
		       parse_port(colon + 1, &ret->v6.sin6_port);
	}
	ret->v4.sin_family = AF_INET;
	*ret_size = sizeof(ret->v4);
	return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1 &&
	       parse_port(colon + 1, &ret->v4.sin_port);
}

/* The bound address as text. */
static bool tell_address(int fd, char out[CS_LISTEN_TEXT])
{
	union address a = {0};
	socklen_t size = sizeof(a);
	char host[INET6_ADDRSTRLEN];

	if (getsockname(fd, &a.any, &size) != 0)
		return false;
	if (a.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof(host));
		snprintf(out, CS_LISTEN_TEXT, "[%s]:%u", host,
			 ntohs(a.v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof(host));
		snprintf(out, CS_LISTEN_TEXT, "%s:%u", host,
			 ntohs(a.v4.sin_port));
	}
	return true;
}

/* Bind, waiting a little while the address is in use. */
static bool bind_patiently(int fd, const struct sockaddr *address,
			   socklen_t size)
{
	const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};

	for (int ms = 0; bind(fd, address, size) != 0; ms += STEP_MS) {
		if (errno != EADDRINUSE || ms >= PATIENCE_MS)
			return false;
		(void)nanosleep(&step, NULL);
	}
	return true;
}

bool cs_listen_tcp(const char *address, int *ret_fd,
		   char ret_text[CS_LISTEN_TEXT], struct cs_error *err)
{
	const int on = 1;
	union address a;
	socklen_t size = 0;
	int fd;

	if (!parse_address(address, &a, &size))
		return cs_error_set(err, CS_E_CONFIG,
				    "listen: `%s`: expected ADDRESS:PORT or "
				    "[IPV6]:PORT",
				    address);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (a.any.sa_family != AF_INET6 ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
	    bind_patiently(fd, &a.any, size) && listen(fd, BACKLOG) == 0 &&
	    tell_address(fd, ret_text)) {
		*ret_fd = fd;
		return true;
	}
	cs_error_set_errno(err, CS_E_IO, errno, "listen at %s", address);
	close(fd);
	return false;
}

static bool socket_path(const char *dir, struct sockaddr_un *ret,
			struct cs_error *err)
{
	int n;

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/" SOCKET, dir);
	if (n < 0 || (size_t)n >= sizeof(ret->sun_path))
		return cs_error_set(err, CS_E_CONFIG,
				    "%s/" SOCKET
				    ": longer than a socket's path may be "
				    "(%zu bytes)",
				    dir, sizeof(ret->sun_path) - 1);
	return true;
}

bool cs_listen_local(const char *dir, enum cs_listen_access access, int *ret_fd,
		     struct cs_error *err)
{
	struct sockaddr_un a;
	mode_t mode = access == CS_LISTEN_OWNER ? 0600 : 0666;
	int fd;

	if (!socket_path(dir, &a, err) || !cs_files_make_dir(dir, "run", err))
		return false;
	(void)unlink(a.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "socket");
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    chmod(a.sun_path, mode) == 0 && listen(fd, BACKLOG) == 0) {
		*ret_fd = fd;
		return true;
	}
	cs_error_set_errno(err, CS_E_IO, errno, "listen at %s", a.sun_path);
	close(fd);
	return false;
}

void cs_listen_local_remove(const char *dir)
{
	struct sockaddr_un a;

	if (socket_path(dir, &a, NULL))
		(void)unlink(a.sun_path);
}
