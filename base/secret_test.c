#include <tests/lib/test.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/secret.h"

/* A descriptor of a file with these contents, at its beginning. */
static int file_with(const char *text)
{
	int fd = memfd_create("secret", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void heap_sizes_that_OpenSSL_would_abort_on_are_errors(void **state)
{
	struct cs_error err = {0};

	(void)state;
	assert_false(cs_secret_heap_init(0, &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
	assert_false(cs_secret_heap_init(2048, &err));
	assert_false(cs_secret_heap_init(65537, &err));
	assert_int_equal(CRYPTO_secure_malloc_initialized(), 0);
}

static void works_without_a_heap_of_its_own(void **state)
{
	struct cs_secret s = {0};

	(void)state;
	cs_secret_done(&s);
	assert_true(cs_secret_new(10, &s, NULL));
	assert_int_equal(s.n, 10);
	assert_memory_equal(s.p, (uint8_t[10]){0}, 10);
	cs_secret_done(&s);
	assert_null(s.p);
	cs_secret_done(&s);
}

static void lives_in_the_secure_heap_once_there_is_one(void **state)
{
	struct cs_secret s = {0};
	struct cs_error err = {0};

	(void)state;
	/* A machine may forbid locking; the heap is there even so. */
	if (!cs_secret_heap_init(65536, &err))
		assert_non_null(strstr(err.text, "locked in memory"));
	assert_int_equal(CRYPTO_secure_malloc_initialized(), 1);
	assert_true(cs_secret_heap_init(65536, &err));
	assert_true(cs_secret_new(100, &s, &err));
	assert_int_equal(CRYPTO_secure_allocated(s.p), 1);
	cs_secret_done(&s);
	assert_int_equal(CRYPTO_secure_used(), 0);
	assert_true(cs_secret_new(0, &s, &err));
	cs_secret_done(&s);
	assert_false(cs_secret_new(1 << 20, &s, &err));
	assert_int_equal(err.code, CS_E_NO_MEMORY);
	assert_int_equal(ERR_peek_error(), 0);
}

static void reads_a_file_up_to_its_maximum(void **state)
{
	struct cs_secret s = {0};
	struct cs_error err = {0};
	int fd = file_with("0123456789");

	(void)state;
	assert_true(cs_secret_read(fd, 10, &s, &err));
	assert_int_equal(s.n, 10);
	assert_memory_equal(s.p, "0123456789", 10);
	cs_secret_done(&s);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_false(cs_secret_read(fd, 9, &s, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	assert_null(s.p);
	assert_int_equal(close(fd), 0);
	fd = file_with("");
	assert_true(cs_secret_read(fd, 9, &s, &err));
	assert_int_equal(s.n, 0);
	cs_secret_done(&s);
	assert_int_equal(close(fd), 0);
	assert_false(cs_secret_read(-1, 9, &s, &err));
	assert_int_equal(err.code, CS_E_IO);
	assert_int_equal(CRYPTO_secure_used(), 0);
}

static void reads_a_pipe_in_pieces(void **state)
{
	struct cs_secret s = {0};
	struct cs_error err = {0};
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	assert_int_equal(write(ends[1], "def", 3), 3);
	assert_int_equal(close(ends[1]), 0);
	assert_true(cs_secret_read(ends[0], 100, &s, &err));
	assert_int_equal(s.n, 6);
	assert_memory_equal(s.p, "abcdef", 6);
	cs_secret_done(&s);
	assert_int_equal(close(ends[0]), 0);
}

/* Two processes share one position of one open file. */
static void reads_a_file_whole_wherever_its_position_is(void **state)
{
	char path[] = "/tmp/cs-secret-XXXXXX";
	struct cs_secret s = {0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)unlink(path);
	assert_int_equal(write(fd, "passphrase", 10), 10);
	for (int i = 0; i < 2; i++) {
		assert_true(cs_secret_read_file(fd, 100, &s, NULL));
		assert_int_equal(s.n, 10);
		assert_memory_equal(s.p, "passphrase", 10);
		cs_secret_done(&s);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), 10);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_file_whole_wherever_its_position_is),
		cmocka_unit_test(
			heap_sizes_that_OpenSSL_would_abort_on_are_errors),
		cmocka_unit_test(works_without_a_heap_of_its_own),
		cmocka_unit_test(lives_in_the_secure_heap_once_there_is_one),
		cmocka_unit_test(reads_a_file_up_to_its_maximum),
		cmocka_unit_test(reads_a_pipe_in_pieces),
	};

	return cs_test_run("base/secret", tests);
}
