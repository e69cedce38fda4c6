#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "issuer/keygen_parts.h"

/* Secure heap of a child that makes keys. */
#define KEYGEN_HEAP ((size_t)1 << 18)

/* What comes back through the pipe, before the bytes. */
struct result {
	bool ok;
	struct cs_error err;
};

/* No cores, no ptrace by the same uid. */
static bool lock_down(struct cs_error *err)
{
	const struct rlimit none = {0, 0};

	return (setrlimit(RLIMIT_CORE, &none) == 0 &&
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0) ||
	       cs_error_set_errno(err, CS_E_INTERNAL, errno,
				  "a process that handles keys cannot forbid "
				  "core dumps");
}

/* The child's whole life. */
static int child(cs_keygen_fn *make, const void *what, int fd)
{
	struct result r = {.ok = false};
	struct cs_buf out;
	bool sent;

	cs_buf_init(&out, CS_MAX_CSR_DER);
	r.ok = lock_down(&r.err) && cs_secret_heap_init(KEYGEN_HEAP, &r.err) &&
	       make(what, &out, &r.err);
	sent = cs_fd_write(fd, cs_span_make(&r, sizeof(r))) &&
	       cs_fd_write(fd, cs_buf_span(&out));
	cs_buf_done(&out);
	return sent ? 0 : 1;
}

/* Take the result apart; the child's error becomes ours. */
static bool take_result(struct cs_span bytes, struct cs_buf *out,
			struct cs_error *err)
{
	struct result r;

	if (bytes.n < sizeof(r))
		return cs_error_set(err, CS_E_INTERNAL,
				    "the process that makes keys ended early");
	memcpy(&r, bytes.p, sizeof(r));
	if (!r.ok) {
		r.err.text[sizeof(r.err.text) - 1] = '\0';
		return cs_error_set(err, r.err.code, "%s", r.err.text);
	}
	bytes = cs_span_sub(bytes, sizeof(r), bytes.n);
	if (out == NULL)
		return true;
	cs_buf_add(out, bytes);
	return cs_buf_finish(out, "CSR", err);
}

bool cs_keygen_in_child(cs_keygen_fn *make, const void *what,
			struct cs_buf *out, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf bytes;
	int ends[2], status;
	pid_t pid;
	bool ok;

	cs_buf_init(&bytes, sizeof(struct result) + CS_MAX_CSR_DER);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "pipe");
	pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return cs_error_set_errno(err, CS_E_IO, errno, "fork");
	}
	if (pid == 0) {
		close(ends[0]);
		_exit(child(make, what, ends[1]));
	}
	close(ends[1]);
	ok = cs_fd_read(ends[0], "the process that makes keys", &bytes, err);
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return ok && take_result(cs_buf_span(&bytes), out, err);
}
