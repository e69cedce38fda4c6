/*
 * Compiler extensions, all of them. Nothing else in the tree uses
 * __attribute__ directly, so this header is the whole list of what we ask
 * of a compiler beyond C17.
 */
#ifndef CS_BASE_ATTR_H
#define CS_BASE_ATTR_H

/* The result must be looked at: every fallible function carries it. */
#define CS_MUST_USE __attribute__((warn_unused_result))

/* printf-like; positions count from 1. */
#define CS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Run FN(&variable) when the variable leaves its scope. */
#define CS_CLEANUP(fn) __attribute__((cleanup(fn)))

/* The returned pointer is new and is released with FN. */
#if defined(__GNUC__) && !defined(__clang__)
#define CS_FREED_BY(fn) __attribute__((malloc, malloc(fn, 1)))
#else
#define CS_FREED_BY(fn) __attribute__((malloc))
#endif

/* A call is a warning (base/banned.h), except behind CS_OWNS_BANNED. */
#define CS_BANNED(why) __attribute__((deprecated(why)))
#define CS_OWNS_BANNED                                                         \
	_Pragma("GCC diagnostic ignored \"-Wdeprecated-declarations\"")

#define CS_NORETURN __attribute__((noreturn))
#define CS_UNUSED   __attribute__((unused))

#endif
