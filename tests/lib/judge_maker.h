/*
 * Requests and policy sets as messages, for tests of judge and worker.
 */
#ifndef CS_TESTS_LIB_JUDGE_MAKER_H
#define CS_TESTS_LIB_JUDGE_MAKER_H

#include "base/msg.h"

/*
 * A SET of one source, encoded; the default policy for NULL. The body of the
 * message is appended to out.
 */
void judge_make_set(const char *yaml, uint64_t epoch, struct cs_buf *out);

/* The encoded list of sources alone. */
void judge_make_files(const char *yaml, struct cs_buf *out);

/*
 * A REQUEST of the client "ci" to the issuer "default", with an approval. The
 * body of the message is appended to out. _from: by this way in; else "api".
 */
void judge_make_request(const char *scalars, struct cs_span csr,
			struct cs_buf *out);
void judge_make_request_from(const char *source, const char *scalars,
			     struct cs_span csr, struct cs_buf *out);

#endif
