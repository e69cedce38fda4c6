/*
 * Calls of the heap, counted: for what must make none. A program that links
 * heap.c is linked with --wrap for malloc, calloc and realloc.
 */
#ifndef CS_TESTS_BENCH_HEAP_H
#define CS_TESTS_BENCH_HEAP_H

/* So far, of the whole process. */
unsigned long bench_heap_calls(void);

#endif
