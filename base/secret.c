#include "base/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

/* Smallest piece that the secure heap hands out. */
#define HEAP_PIECE 64

/* CRYPTO_secure_malloc_init()'s answer when everything is locked. */
#define HEAP_LOCKED 1

bool cs_secret_heap_init(size_t bytes, struct cs_error *err)
{
	int answer;

	if (bytes < CS_SECRET_HEAP_MIN || (bytes & (bytes - 1)) != 0)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "a secure heap of %zu bytes: a power of "
				    "two from %d on is needed",
				    bytes, CS_SECRET_HEAP_MIN);
	if (CRYPTO_secure_malloc_initialized())
		return true;
	answer = CRYPTO_secure_malloc_init(bytes, HEAP_PIECE);
	ERR_clear_error();
	if (answer == HEAP_LOCKED)
		return true;
	return cs_error_set(err, CS_E_IO,
			    "a secure heap of %zu bytes cannot be %s", bytes,
			    answer == 0 ? "made" : "locked in memory");
}

bool cs_secret_new(size_t n, struct cs_secret *ret_secret, struct cs_error *err)
{
	uint8_t *p = OPENSSL_secure_zalloc(n == 0 ? 1 : n);

	if (p == NULL) {
		ERR_clear_error();
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "secret: out of memory");
	}
	*ret_secret = (struct cs_secret){.p = p, .n = n};
	return true;
}

void cs_secret_done(struct cs_secret *s)
{
	if (s->p != NULL)
		OPENSSL_secure_clear_free(s->p, s->n == 0 ? 1 : s->n);
	*s = (struct cs_secret){0};
}

/* Bytes to make room for: a file's size and one more, or the maximum's. */
static size_t room_for(int fd, size_t max)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0 &&
	    (uintmax_t)st.st_size < max)
		return (size_t)st.st_size + 1;
	return max + 1;
}

/*
 * Read until the end or until s is full; *ret_n bytes are there. From offset
 * 0, whatever the position is, or (`from` below 0) from the position on.
 */
static bool read_into(int fd, off_t from, struct cs_secret *s, size_t *ret_n,
		      struct cs_error *err)
{
	size_t n = 0;

	while (n < s->n) {
		ssize_t got = from < 0 ? read(fd, s->p + n, s->n - n)
				       : pread(fd, s->p + n, s->n - n,
					       from + (off_t)n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cs_error_set_errno(err, CS_E_IO, errno,
						  "cannot read a secret");
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret_n = n;
	return true;
}

/* All of it, from there on. */
static bool read_from(int fd, off_t from, size_t max,
		      struct cs_secret *ret_secret, struct cs_error *err)
{
	CS_CLEANUP(cs_secret_done) struct cs_secret room = {0};
	struct cs_secret secret = {0};
	size_t n = 0;

	if (max == SIZE_MAX)
		max--;
	if (!cs_secret_new(room_for(fd, max), &room, err) ||
	    !read_into(fd, from, &room, &n, err))
		return false;
	if (n == room.n)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "a secret of more than %zu bytes",
				    room.n - 1);
	if (!cs_secret_new(n, &secret, err))
		return false;
	memcpy(secret.p, room.p, n);
	*ret_secret = secret;
	return true;
}

bool cs_secret_read(int fd, size_t max, struct cs_secret *ret_secret,
		    struct cs_error *err)
{
	return read_from(fd, -1, max, ret_secret, err);
}

bool cs_secret_read_file(int fd, size_t max, struct cs_secret *ret_secret,
			 struct cs_error *err)
{
	off_t from = lseek(fd, 0, SEEK_CUR) < 0 ? -1 : 0;

	return read_from(fd, from, max, ret_secret, err);
}
