/*
 * Functions that our code does not call. The build includes this header in
 * front of every file (-include); a call is a deprecation warning, and an
 * error with --enable-werror. `make lint` looks at the object files too.
 *
 * Banned everywhere: what writes without a bound (use struct cs_buf,
 * snprintf), what keeps state of its own (strtok, gmtime, rand...; use
 * base/time.h, base/random.h), what cannot report an error (atoi), what runs
 * a shell (system, popen), what grows the stack (alloca).
 *
 * Banned outside their owners:
 *	malloc calloc realloc free	base/mem.c
 *	time				base/clock.c
 *	exit				cli/main.c
 * An owner says so with CS_OWNS_BANNED in front of its first function;
 * tools/lint-globals knows the list. Test programs are not held to any of
 * it (tests/lib/test.h).
 *
 * It does not check what libraries do, or calls through a pointer.
 */
#ifndef CS_BASE_BANNED_H
#define CS_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"

#define CS_NO_BOUND "banned: it has no bound; use struct cs_buf or snprintf"
#define CS_NO_STATE "banned: it keeps state; use base/time.h, base/random.h"
#define CS_NO_SHELL "banned: it runs a shell"

/* Clang cannot mark what the C library's headers define inline; GCC does. */
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wignored-attributes"
#endif

extern __typeof__(strcpy) strcpy CS_BANNED(CS_NO_BOUND);
extern __typeof__(strcat) strcat CS_BANNED(CS_NO_BOUND);
extern __typeof__(strncpy) strncpy CS_BANNED(CS_NO_BOUND);
extern __typeof__(strncat) strncat CS_BANNED(CS_NO_BOUND);
extern __typeof__(sprintf) sprintf CS_BANNED(CS_NO_BOUND);
extern __typeof__(vsprintf) vsprintf CS_BANNED(CS_NO_BOUND);
char *gets(char *s) CS_BANNED(CS_NO_BOUND);
#undef alloca
void *alloca(size_t n) CS_BANNED("banned: it grows the stack; use an arena");

extern __typeof__(strtok) strtok CS_BANNED(CS_NO_STATE);
extern __typeof__(gmtime) gmtime CS_BANNED(CS_NO_STATE);
extern __typeof__(localtime) localtime CS_BANNED(CS_NO_STATE);
extern __typeof__(ctime) ctime CS_BANNED(CS_NO_STATE);
extern __typeof__(rand) rand CS_BANNED(CS_NO_STATE);
extern __typeof__(atoi) atoi CS_BANNED("banned: it cannot say what is wrong");
extern __typeof__(system) system CS_BANNED(CS_NO_SHELL);
extern __typeof__(popen) popen CS_BANNED(CS_NO_SHELL);

#define CS_OWNED_BY(file) CS_BANNED("banned outside " file)

extern __typeof__(malloc) malloc CS_OWNED_BY("base/mem.c");
extern __typeof__(calloc) calloc CS_OWNED_BY("base/mem.c");
extern __typeof__(realloc) realloc CS_OWNED_BY("base/mem.c");
extern __typeof__(free) free CS_OWNED_BY("base/mem.c");
extern __typeof__(time) time CS_OWNED_BY("base/clock.c");
extern __typeof__(exit) exit CS_OWNED_BY("cli/main.c");

#ifdef __clang__
#pragma clang diagnostic pop
#endif

#endif
