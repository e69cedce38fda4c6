#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

CS_OWNS_BANNED

void *cs_mem_new(size_t n)
{
	return calloc(1, n == 0 ? 1 : n);
}

void *cs_mem_new_array(size_t count, size_t size)
{
	if (count == 0 || size == 0)
		return calloc(1, 1);
	if (count > SIZE_MAX / size)
		return NULL;
	return calloc(count, size);
}

void *cs_mem_resize(void *p, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return realloc(p, count * size == 0 ? 1 : count * size);
}

void *cs_mem_dup(const void *p, size_t n)
{
	void *copy = malloc(n == 0 ? 1 : n);

	if (copy != NULL && n > 0)
		memcpy(copy, p, n);
	return copy;
}

char *cs_mem_strndup(const char *s, size_t n)
{
	char *copy;

	if (n == SIZE_MAX)
		return NULL;
	copy = malloc(n + 1);
	if (copy == NULL)
		return NULL;
	if (n > 0)
		memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *cs_mem_strdup(const char *s)
{
	return cs_mem_strndup(s, strlen(s));
}

void cs_mem_free(void *p)
{
	free(p);
}

void cs_mem_free_at(void *pp)
{
	void *p = cs_mem_take(pp);

	free(p);
}

void *cs_mem_take(void *pp)
{
	void *p;
	void *none = NULL;

	/* Through bytes: the variable has its own pointer type. */
	memcpy(&p, pp, sizeof(p));
	memcpy(pp, &none, sizeof(none));
	return p;
}
