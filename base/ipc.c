#include "base/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/wire.h"

/* "CS" and the version of the table. */
#define MAGIC	    (0x5343u << 16 | CS_MSG_VERSION)
#define HEADER_SIZE ((size_t)24)
/* Largest body inside a packet. */
#define INLINE_MAX (CS_MAX_PACKET - HEADER_SIZE)
/* Packets taken in one turn of the loop, so that no link starves others. */
#define BURST 64
/* Asked of the kernel for each direction; it may give less. */
#define SOCKET_BUFFER (1024 * 1024)

/* Header flags. */
enum {
	FLAG_MEMFD = 1 << 0, /* the body is in the first descriptor */
	FLAG_FD = 1 << 1     /* the last descriptor belongs to the message */
};

struct header {
	uint32_t magic;
	uint32_t number;
	uint32_t flags;
	uint32_t length; /* of the body, wherever it is */
	uint64_t ticket;
};

/* A packet that the socket did not take yet. */
struct packet {
	struct packet *next;
	int fds[2];
	int fds_n;
	size_t n;
	uint8_t bytes[];
};

struct cs_link {
	struct cs_loop *loop; /* borrowed */
	int fd;
	enum cs_room self, peer;
	cs_link_message_fn *on_message;
	cs_link_gone_fn *gone;
	void *ctx;
	struct cs_watch *readable, *writable;
	struct packet *first, **last; /* outbound queue */
	size_t queued, queued_bytes;
	struct cs_buf scratch;
	bool busy;   /* inside on_readable */
	bool doomed; /* freed there: the memory goes at its end */
	bool over;   /* gone was called */
	bool paused;
	uint8_t in[CS_MAX_PACKET];
};

bool cs_link_pair(int ret_ends[2], struct cs_error *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, ret_ends) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "socketpair");
	return true;
}

/* Close the descriptors of a packet and release it. */
static void packet_free(struct packet *p)
{
	for (int i = 0; i < p->fds_n; i++)
		close(p->fds[i]);
	cs_mem_free(p);
}

void cs_link_free(struct cs_link *link)
{
	if (link == NULL)
		return;
	if (link->doomed)
		return;
	cs_watch_free(link->readable);
	cs_watch_free(link->writable);
	while (link->first != NULL) {
		struct packet *p = link->first;

		link->first = p->next;
		packet_free(p);
	}
	cs_buf_done(&link->scratch);
	close(link->fd);
	link->doomed = true;
	if (!link->busy)
		cs_mem_free(link);
}

/* Call `gone` once; the link may be freed when this returns. */
static void end_link(struct cs_link *link, const struct cs_error *why)
{
	if (link->over)
		return;
	link->over = true;
	cs_watch_disable(link->readable);
	cs_watch_disable(link->writable);
	link->gone(link->ctx, link, why);
}

/* The descriptors of one received packet, all of them now ours. */
struct received {
	int fds[4];
	int n;
};

static void received_close(struct received *r)
{
	for (int i = 0; i < r->n; i++)
		close(r->fds[i]);
	r->n = 0;
}

/* Collect what came as SCM_RIGHTS. */
static void collect_fds(struct msghdr *mh, struct received *ret)
{
	ret->n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c != NULL;
	     c = CMSG_NXTHDR(mh, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (ret->n < 4)
				ret->fds[ret->n++] = fd;
			else
				close(fd);
		}
	}
}

static bool read_header(struct cs_span packet, struct header *ret,
			struct cs_error *err)
{
	struct cs_wire_reader r =
		cs_wire_reader(cs_span_sub(packet, 0, HEADER_SIZE));

	ret->magic = cs_wire_get_u32(&r);
	ret->number = cs_wire_get_u32(&r);
	ret->flags = cs_wire_get_u32(&r);
	ret->length = cs_wire_get_u32(&r);
	ret->ticket = cs_wire_get_u64(&r);
	if (!cs_wire_finish(&r, "header", err))
		return false;
	if (ret->magic != MAGIC)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "header: magic %08x is not ours",
				    ret->magic);
	return true;
}

/* Is this header one that our peer may send us? */
static bool check_header(const struct cs_link *link, const struct header *h,
			 size_t in_packet, int fds, struct cs_error *err)
{
	int want = ((h->flags & FLAG_MEMFD) != 0) + ((h->flags & FLAG_FD) != 0);

	if (!cs_msg_allowed(h->number, link->peer, link->self))
		return cs_error_set(err, CS_E_PROTOCOL,
				    "message %u (%s) may not come this way",
				    h->number, cs_msg_name(h->number));
	if ((h->flags & FLAG_FD) != 0 && !cs_msg_carries_descriptor(h->number))
		return cs_error_set(err, CS_E_PROTOCOL,
				    "%s carries no descriptor",
				    cs_msg_name(h->number));
	if (fds != want)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "%s: %d descriptors where %d belong",
				    cs_msg_name(h->number), fds, want);
	if (h->length > CS_MAX_MESSAGE)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "%s: %u octets are too many",
				    cs_msg_name(h->number), h->length);
	if (in_packet != ((h->flags & FLAG_MEMFD) != 0 ? 0 : h->length))
		return cs_error_set(err, CS_E_PROTOCOL,
				    "%s: %zu octets in the packet, length %u",
				    cs_msg_name(h->number), in_packet,
				    h->length);
	return true;
}

/* Map a body that came as a memfd, after checking that it cannot change. */
static bool map_body(int fd, size_t length, void **ret_map,
		     struct cs_error *err)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct stat st;

	if ((fcntl(fd, F_GET_SEALS) & seals) != seals)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "body: the memfd is not sealed");
	if (fstat(fd, &st) != 0 || (size_t)st.st_size != length || length == 0)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "body: the memfd has another length");
	*ret_map = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
	if (*ret_map == MAP_FAILED)
		return cs_error_set_errno(err, CS_E_IO, errno, "mmap of body");
	return true;
}

/* Hand one checked message to its handler. */
static bool deliver(struct cs_link *link, const struct header *h,
		    struct cs_span body, struct received *fds,
		    struct cs_error *err)
{
	void *map = NULL;
	int fd = -1;
	bool ok;

	if ((h->flags & FLAG_FD) != 0)
		fd = fds->fds[--fds->n];
	if ((h->flags & FLAG_MEMFD) != 0) {
		if (!map_body(fds->fds[0], h->length, &map, err)) {
			if (fd >= 0)
				close(fd);
			return false;
		}
		body = cs_span_make(map, h->length);
	}
	ok = link->on_message(link->ctx, link, h->number, h->ticket, body, fd,
			      err);
	if (map != NULL)
		munmap(map, h->length);
	return ok;
}

/* One received packet: check it whole, then deliver it. */
static bool take_packet(struct cs_link *link, struct msghdr *mh, size_t n,
			struct cs_error *err)
{
	struct received fds;
	struct header h;
	struct cs_span packet = cs_span_make(link->in, n);
	bool ok;

	collect_fds(mh, &fds);
	if ((mh->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		ok = cs_error_set(err, CS_E_PROTOCOL,
				  "a packet was longer than any may be");
	else
		ok = read_header(packet, &h, err) &&
		     check_header(link, &h, n - HEADER_SIZE, fds.n, err) &&
		     deliver(link, &h, cs_span_sub(packet, HEADER_SIZE, n),
			     &fds, err);
	received_close(&fds);
	return ok;
}

/*
 * Receive one packet. 1: delivered, 0: none there, -1: the link is over and
 * *err says why.
 */
static int receive(struct cs_link *link, struct cs_error *err)
{
	char control[CMSG_SPACE(4 * sizeof(int))];
	struct iovec iov = {link->in, sizeof(link->in)};
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(link->fd, &mh, MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/*
	 * ECONNRESET comes before the packets that a dead peer still had in
	 * flight: look once more.
	 */
	if (n < 0 && errno == ECONNRESET) {
		mh.msg_controllen = sizeof(control);
		n = recvmsg(link->fd, &mh, MSG_CMSG_CLOEXEC);
	}
	if (n < 0) {
		cs_error_set_errno(err, CS_E_PEER_GONE, errno, "link");
		return -1;
	}
	if (n == 0) {
		cs_error_set(err, CS_E_PEER_GONE, "link: closed by its peer");
		return -1;
	}
	return take_packet(link, &mh, (size_t)n, err) ? 1 : -1;
}

/* The socket is readable: take packets until it is empty, within a burst. */
static void on_readable(void *ctx)
{
	struct cs_link *link = ctx;
	struct cs_error err = {0};
	int got = 1;

	link->busy = true;
	for (int i = 0; i < BURST && got > 0 && !link->paused; i++) {
		got = receive(link, &err);
		if (link->doomed)
			break;
	}
	if (got < 0 && !link->doomed)
		end_link(link, &err);
	link->busy = false;
	if (link->doomed)
		cs_mem_free(link);
}

/* Try to put one packet on the wire. 1: done, 0: not now, -1: never. */
static int transmit(struct cs_link *link, struct cs_span head,
		    struct cs_span body, const int *fds, int fds_n)
{
	char control[CMSG_SPACE(2 * sizeof(int))] = {0};
	struct iovec iov[2] = {{(void *)(uintptr_t)head.p, head.n},
			       {(void *)(uintptr_t)body.p, body.n}};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = body.n > 0 ? 2 : 1};

	if (fds_n > 0) {
		struct cmsghdr *c;
		size_t bytes = (size_t)fds_n * sizeof(int);

		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(bytes);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(c), fds, bytes);
	}
	if (sendmsg(link->fd, &mh, MSG_NOSIGNAL) >= 0)
		return 1;
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
		return 0;
	return -1;
}

/* The socket takes packets again. */
static void on_writable(void *ctx)
{
	struct cs_link *link = ctx;

	while (link->first != NULL) {
		struct packet *p = link->first;
		int sent = transmit(link, cs_span_make(p->bytes, p->n),
				    cs_span_make(NULL, 0), p->fds, p->fds_n);

		if (sent == 0)
			return;
		/*
		 * A broken pipe is told by the reading side, behind what the
		 * peer still had to say; here the packets are just dropped.
		 */
		link->first = p->next;
		if (link->first == NULL)
			link->last = &link->first;
		link->queued--;
		link->queued_bytes -= p->n;
		packet_free(p);
	}
	cs_watch_disable(link->writable);
}

/* Keep a packet for later, with descriptors of its own. */
static bool enqueue(struct cs_link *link, struct cs_span head,
		    struct cs_span body, const int *fds, int fds_n,
		    struct cs_error *err)
{
	struct packet *p;

	if (link->queued >= CS_MAX_LINK_QUEUE ||
	    link->queued_bytes + head.n + body.n > CS_MAX_LINK_QUEUE_BYTES)
		return cs_error_set(err, CS_E_LINK_FULL,
				    "link: %zu messages wait already",
				    link->queued);
	p = cs_mem_new(sizeof(*p) + head.n + body.n);
	if (p == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "link: out of memory");
	memcpy(p->bytes, head.p, head.n);
	if (body.n > 0)
		memcpy(p->bytes + head.n, body.p, body.n);
	p->n = head.n + body.n;
	for (int i = 0; i < fds_n; i++) {
		int copy = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);

		if (copy < 0) {
			cs_error_set_errno(err, CS_E_IO, errno, "dup");
			packet_free(p);
			return false;
		}
		p->fds[p->fds_n++] = copy;
	}
	*link->last = p;
	link->last = &p->next;
	link->queued++;
	link->queued_bytes += p->n;
	cs_watch_enable(link->writable);
	return true;
}

/* A sealed memfd that holds the body, or -1. */
static int seal_body(struct cs_span body, struct cs_error *err)
{
	int fd = memfd_create("cs-body", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && cs_fd_write(fd, body) &&
	    fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ==
		    0)
		return fd;
	cs_error_set_errno(err, CS_E_IO, errno, "memfd");
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Send now if nothing waits before it, else queue. */
static bool send_packet(struct cs_link *link, const struct header *h,
			struct cs_span body, const int *fds, int fds_n,
			struct cs_error *err)
{
	uint8_t bytes[HEADER_SIZE + 1];
	struct cs_buf head = {
		.p = bytes, .cap = sizeof(bytes), .max = HEADER_SIZE};
	int sent = 0;

	cs_wire_put_u32(&head, h->magic);
	cs_wire_put_u32(&head, h->number);
	cs_wire_put_u32(&head, h->flags);
	cs_wire_put_u32(&head, h->length);
	cs_wire_put_u64(&head, h->ticket);
	if (link->first == NULL)
		sent = transmit(link, cs_buf_span(&head), body, fds, fds_n);
	if (sent != 0)
		return true; /* a dead peer is told by the reading side */
	return enqueue(link, cs_buf_span(&head), body, fds, fds_n, err);
}

bool cs_link_send(struct cs_link *link, unsigned number, uint64_t ticket,
		  struct cs_span body, int fd, struct cs_error *err)
{
	struct header h = {.magic = MAGIC,
			   .number = number,
			   .length = (uint32_t)body.n,
			   .ticket = ticket};
	int fds[2];
	int fds_n = 0;
	int memfd = -1;
	bool ok;

	if (link->over)
		return true; /* its owner has been told */
	if (!cs_msg_allowed(number, link->self, link->peer))
		return cs_error_set(err, CS_E_INTERNAL,
				    "%s may not be sent this way",
				    cs_msg_name(number));
	if (body.n > CS_MAX_MESSAGE)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "%s: %zu octets are too many",
				    cs_msg_name(number), body.n);
	if (body.n > INLINE_MAX) {
		memfd = seal_body(body, err);
		if (memfd < 0)
			return false;
		h.flags |= FLAG_MEMFD;
		fds[fds_n++] = memfd;
		body = cs_span_make(NULL, 0);
	}
	if (fd >= 0) {
		h.flags |= FLAG_FD;
		fds[fds_n++] = fd;
	}
	ok = send_packet(link, &h, body, fds, fds_n, err);
	if (memfd >= 0)
		close(memfd);
	return ok;
}

struct cs_buf *cs_link_scratch(struct cs_link *link)
{
	cs_buf_reset(&link->scratch);
	return &link->scratch;
}

void cs_link_pause(struct cs_link *link)
{
	link->paused = true;
	cs_watch_disable(link->readable);
}

void cs_link_resume(struct cs_link *link)
{
	link->paused = false;
	if (!link->over)
		cs_watch_enable(link->readable);
}

size_t cs_link_queued(const struct cs_link *link)
{
	return link->queued;
}

struct cs_link *cs_link_new(struct cs_loop *loop, int fd, enum cs_room self,
			    enum cs_room peer, cs_link_message_fn *on_message,
			    cs_link_gone_fn *gone, void *ctx,
			    struct cs_error *err)
{
	struct cs_link *link = cs_mem_new(sizeof(*link));
	int size = SOCKET_BUFFER;

	if (link == NULL) {
		close(fd);
		cs_error_set(err, CS_E_NO_MEMORY, "link: out of memory");
		return NULL;
	}
	link->loop = loop;
	link->fd = fd;
	link->self = self;
	link->peer = peer;
	link->on_message = on_message;
	link->gone = gone;
	link->ctx = ctx;
	link->last = &link->first;
	cs_buf_init(&link->scratch, CS_MAX_MESSAGE);
	/* The kernel caps these; the queue makes up for what it refuses. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	link->writable = cs_watch_writable(loop, fd, on_writable, link, err);
	if (link->writable != NULL)
		link->readable =
			cs_watch_readable(loop, fd, on_readable, link, err);
	if (link->readable == NULL) {
		cs_link_free(link);
		return NULL;
	}
	return link;
}
