/*
 * Plays RE2's public vectors: stanzas of strings and expressions, and for
 * each pair of them what matches. Only whether there is a match is compared,
 * for the whole text and for a part of it. TAP, one line a file.
 *
 * A file: lines of `strings`, quoted strings, `regexps`, then for each
 * quoted expression one line a string, with four results between
 * semicolons: whole text and part, first match, then the same for the
 * longest match. "-" is no match. Lines that start with # or a capital are
 * comments. From oracle.go come also `refused`, for an expression that is an
 * error, and "?", for a pair that is left out.
 *
 * Usage: regex_vectors [FILE | -]   (default: the sample in the tree)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/regex.h"
#include "policy/regex_text.h"

CS_OWNS_BANNED

#define MAX_STRINGS 20000
#define MAX_SHOWN   50

struct play {
	struct cs_arena arena;	/* of one expression */
	struct cs_arena stanza; /* of its strings */
	struct cs_span strings[MAX_STRINGS];
	size_t strings_n, next;
	bool in_strings;
	const struct cs_regex *re;
	struct cs_error err; /* why the expression is refused */
	struct cs_span pattern;
	unsigned long line, expressions, refused, pairs, differences;
	unsigned long long bytes, steps;
};

/* Say a difference, the first of them. */
static void differ(struct play *p, const char *what, struct cs_span text)
{
	if (p->differences++ < MAX_SHOWN)
		printf("# line %lu: `%.*s` on `%.*s`: %s\n", p->line,
		       CS_SPAN_FMT(p->pattern), CS_SPAN_FMT(text), what);
}

/* n hexadecimal digits. */
static unsigned long hex(const char *s, size_t n)
{
	char digits[9] = "";

	memcpy(digits, s, n);
	return strtoul(digits, NULL, 16);
}

/* A code point as UTF-8. */
static size_t encode(unsigned long c, uint8_t *out)
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

/* Go's double quotes, undone in place. False: not such a string. */
static bool unquote(char *line, size_t n, struct cs_span *ret)
{
	static const char letters[] = "abfnrtv\\\"",
			  values[] = "\a\b\f\n\r\t\v\\\"";
	uint8_t *out = (uint8_t *)line;

	if (n < 2 || line[n - 1] != '"')
		return false;
	for (size_t i = 1; i < n - 1; i++) {
		const char *letter;
		size_t digits;

		if (line[i] != '\\') {
			*out++ = (uint8_t)line[i];
			continue;
		}
		i++;
		digits = line[i] == 'x'	  ? 2
			 : line[i] == 'u' ? 4
			 : line[i] == 'U' ? 8
					  : 0;
		letter = strchr(letters, line[i]);
		if (digits == 0 && letter == NULL)
			return false;
		if (digits == 0)
			*out++ = (uint8_t)values[letter - letters];
		else if (digits == 2)
			*out++ = (uint8_t)hex(line + i + 1, 2);
		else
			out += encode(hex(line + i + 1, digits), out);
		i += digits;
	}
	*ret = cs_span_make(line, (size_t)(out - (uint8_t *)line));
	return true;
}

/* A quoted line: a string, or the next expression. */
static bool quoted(struct play *p, char *line, size_t n)
{
	struct cs_span text;

	if (!unquote(line, n, &text))
		return false;
	if (p->in_strings)
		return p->strings_n < MAX_STRINGS &&
		       cs_arena_dup(&p->stanza, text,
				    &p->strings[p->strings_n++]);
	if (p->next != p->strings_n)
		return false;
	cs_arena_reset(&p->arena);
	if (!cs_arena_dup(&p->arena, text, &p->pattern))
		return false;
	p->expressions++;
	p->next = 0;
	p->re = NULL;
	if (!cs_regex_compile(text, &p->arena, &p->re, &p->err))
		p->refused++;
	return true;
}

/* The expression should be an error. */
static bool refused(struct play *p)
{
	if (p->next != 0)
		return false;
	p->next = p->strings_n;
	if (p->re != NULL)
		differ(p, "not refused", cs_span_make(NULL, 0));
	return true;
}

/* Four results of one pair. */
static bool results(struct play *p, const char *line)
{
	static const char *const names[] = {"full", "part", "full, longest",
					    "part, longest"};
	struct cs_span text;
	char why[64];

	if (p->next == p->strings_n)
		return false;
	text = p->strings[p->next++];
	p->pairs++;
	if (p->re == NULL && p->next == 1)
		differ(p, p->err.text, text);
	if (p->re == NULL || line[0] == '?')
		return true;
	for (size_t i = 0; i < 4; i++) {
		bool want = line[0] != '-';
		struct cs_regex_result got = cs_regex_run(
			p->re, i % 2 == 0 ? CS_REGEX_FULL : CS_REGEX_SEARCH,
			text);

		p->bytes += text.n;
		p->steps += got.steps;
		if (got.steps > (text.n + 1) * cs_regex_size(p->re))
			differ(p, "too many steps", text);
		if (got.matched != want) {
			snprintf(why, sizeof(why), "%s is %d, expected %d",
				 names[i], got.matched, want);
			differ(p, why, text);
		}
		line = strchr(line, ';');
		if ((line == NULL) != (i == 3))
			return false;
		line = line == NULL ? NULL : line + 1;
	}
	return true;
}

/* One line of the file. */
static bool play_line(struct play *p, char *line, size_t n)
{
	if (strcmp(line, "strings") == 0) {
		if (p->next != p->strings_n)
			return false;
		p->strings_n = p->next = 0;
		cs_arena_reset(&p->stanza);
		p->in_strings = true;
		p->re = NULL;
		return true;
	}
	if (strcmp(line, "regexps") == 0) {
		p->in_strings = false;
		p->next = p->strings_n;
		return true;
	}
	if (line[0] == '"')
		return quoted(p, line, n);
	if (strcmp(line, "refused") == 0)
		return refused(p);
	if (line[0] == '-' || line[0] == '?' ||
	    (line[0] >= '0' && line[0] <= '9'))
		return results(p, line);
	return line[0] == '#' || (line[0] >= 'A' && line[0] <= 'Z');
}

/* The whole file; false: it is not what it should be. */
static bool play(struct play *p, FILE *f)
{
	char *line = NULL;
	size_t cap = 0;
	bool ok = true;
	ssize_t n;

	while (ok && (n = getline(&line, &cap, f)) > 0) {
		p->line++;
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		ok = play_line(p, line, (size_t)n);
	}
	free(line);
	return ok && p->expressions > 0 && p->next == p->strings_n;
}

int main(int argc, char **argv)
{
	static struct play p;
	const char *src = getenv("srcdir");
	struct timespec ts;
	char path[4096];
	FILE *f = stdin;
	bool ok;

	snprintf(path, sizeof(path), "%s/tests/vectors/regex/re2-search.txt",
		 src == NULL ? "." : src);
	if (argc < 2 || strcmp(argv[1], "-") != 0)
		f = fopen(argc > 1 ? argv[1] : path, "re");
	if (f == NULL) {
		printf("Bail out! no vectors in %s\n",
		       argc > 1 ? argv[1] : path);
		return 1;
	}
	cs_arena_init(&p.arena, 1 << 20);
	cs_arena_init(&p.stanza, 16 << 20);
	ok = play(&p, f);
	if (!ok)
		printf("# line %lu: out of step\n", p.line);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	printf("# %llu bytes matched in %llu steps, %.1f s of CPU in all\n",
	       p.bytes, p.steps, (double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
	printf("%sok 1 - %lu expressions (%lu refused), %lu pairs, "
	       "%lu differences\n1..1\n",
	       ok && p.differences == 0 ? "" : "not ", p.expressions, p.refused,
	       p.pairs, p.differences);
	cs_arena_done(&p.arena);
	cs_arena_done(&p.stanza);
	fclose(f);
	return !ok || p.differences > 0;
}
