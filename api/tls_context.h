/* What stream.c borrows from tls.c; nobody else includes it. */
#ifndef CS_API_TLS_CONTEXT_H
#define CS_API_TLS_CONTEXT_H

struct cs_tls;
struct ssl_ctx_st;

/* Borrowed; an SSL object made from it keeps its own reference. */
struct ssl_ctx_st *cs_tls_context(const struct cs_tls *tls);

#endif
