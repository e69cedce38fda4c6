/*
 * A link: one end of an AF_UNIX SOCK_SEQPACKET pair between two processes.
 *
 * One packet is one message: a fixed header {magic, version, number, flags,
 * length, ticket} and the body. A body beyond CS_MAX_PACKET travels as a
 * sealed memfd. A link knows which room is at each end and takes only the
 * messages that base/msg.def allows in that direction. Anything malformed
 * (truncated packet or control data, unknown number, wrong direction, wrong
 * length, a handler that returns false) ends the link: `gone` is called once
 * with the reason, and the owner frees it.
 *
 * Sending never blocks: what the socket does not take is queued, at most
 * CS_MAX_LINK_QUEUE messages and CS_MAX_LINK_QUEUE_BYTES; past that sending
 * fails with CS_E_LINK_FULL, which is a bug in the caller's accounting, since
 * requests in flight are bounded at front.
 *
 * Messages that a dead peer had sent are still delivered before `gone`.
 * `on_message` and `gone` may free the link.
 */
#ifndef CS_BASE_IPC_H
#define CS_BASE_IPC_H

#include "base/loop.h"
#include "base/msg.h"

struct cs_link;

/*
 * One message arrived. `body` is borrowed for the call. `fd` is -1 or a
 * descriptor that the handler now owns. False, with err: end the link.
 */
typedef bool cs_link_message_fn(void *ctx, struct cs_link *link,
				unsigned number, uint64_t ticket,
				struct cs_span body, int fd,
				struct cs_error *err);

/* The link is over; why says so in a sentence (CS_E_PEER_GONE: closed). */
typedef void cs_link_gone_fn(void *ctx, struct cs_link *link,
			     const struct cs_error *why);

/* Two connected ends, CLOEXEC and non-blocking. The caller owns both. */
bool cs_link_pair(int ret_ends[2], struct cs_error *err) CS_MUST_USE;

/* Takes fd, also on failure. `ctx` is the handlers'. */
void cs_link_free(struct cs_link *link);
struct cs_link *cs_link_new(struct cs_loop *loop, int fd, enum cs_room self,
			    enum cs_room peer, cs_link_message_fn *on_message,
			    cs_link_gone_fn *gone, void *ctx,
			    struct cs_error *err) CS_MUST_USE;

/* Send one encoded message. `fd` is -1 or is passed along (borrowed). */
bool cs_link_send(struct cs_link *link, unsigned number, uint64_t ticket,
		  struct cs_span body, int fd,
		  struct cs_error *err) CS_MUST_USE;

/* A buffer to encode into; empty; valid until the next send on this link. */
struct cs_buf *cs_link_scratch(struct cs_link *link);

/* Stop reading for a while (back-pressure), and go on. */
void cs_link_pause(struct cs_link *link);
void cs_link_resume(struct cs_link *link);

/* Messages queued and not yet taken by the socket. */
size_t cs_link_queued(const struct cs_link *link);

/* Typed senders: cs_link_send_answer(link, ticket, &m, err). */
#define CS_MSG(NAME, name, number, from, to, descriptor)                       \
	static inline CS_MUST_USE bool cs_link_send_##name(                    \
		struct cs_link *link, uint64_t ticket,                         \
		const struct cs_msg_##name *m, struct cs_error *err)           \
	{                                                                      \
		struct cs_buf *b = cs_link_scratch(link);                      \
                                                                               \
		cs_msg_##name##_encode(m, b);                                  \
		return cs_buf_finish(b, #NAME, err) &&                         \
		       cs_link_send(link, CS_MSG_##NAME, ticket,               \
				    cs_buf_span(b), -1, err);                  \
	}
#include "base/msg.def"
#undef CS_MSG

#endif
