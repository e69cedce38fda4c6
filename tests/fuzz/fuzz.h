/*
 * A fuzz target: one file with this function. With --enable-fuzzing it is
 * linked with libFuzzer; always it is linked with replay.c, which plays the
 * corpus in tests/fuzz/corpus/NAME as part of `make check`. An input that
 * once broke something enters its corpus for ever.
 *
 * A target states what must hold (by FUZZ_CHECK), not only that nothing
 * crashes.
 */
#ifndef CS_TESTS_FUZZ_FUZZ_H
#define CS_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                  \
	do {                                                                   \
		if (!(condition))                                              \
			abort();                                               \
	} while (0)

#endif
