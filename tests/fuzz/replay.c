/* Plays every file of a corpus through the target; TAP, one line a file. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "tests/fuzz/fuzz.h"

CS_OWNS_BANNED

#define LONGEST (1024 * 1024)

/* Through a block of its exact size, so that an overrun is seen. */
static int play(const char *path)
{
	static uint8_t bytes[LONGEST];
	FILE *f = fopen(path, "rbe");
	uint8_t *exact;
	size_t n;

	if (f == NULL)
		return 0;
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	exact = malloc(n == 0 ? 1 : n);
	if (exact == NULL)
		return 0;
	if (n > 0)
		memcpy(exact, bytes, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 1;
}

int main(int argc, char **argv)
{
	const char *src = getenv("srcdir");
	const char *name = strrchr(argv[0], '/');
	char dir[2048], path[4096];
	struct dirent *e;
	DIR *d;
	int n = 0;

	name = name == NULL ? argv[0] : name + 1;
	snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%.*s",
		 src == NULL ? "." : src, (int)strcspn(name, "_"), name);
	d = opendir(argc > 1 ? argv[1] : dir);
	if (d == NULL) {
		printf("Bail out! no corpus in %s\n", dir);
		return 1;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argc > 1 ? argv[1] : dir,
			 e->d_name);
		printf("%sok %d - %s\n", play(path) ? "" : "not ", ++n,
		       e->d_name);
	}
	closedir(d);
	printf("1..%d\n", n);
	return n == 0;
}
