#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/time.h"

/* Integers that every JSON reader keeps exactly: |v| < 2^53. */
#define INT_LIMIT ((int64_t)1 << 53)

/* Remember the first broken promise. */
static void broken(struct cs_json *j, const char *why)
{
	if (!j->failed)
		j->why = why;
	j->failed = true;
}

void cs_json_begin(struct cs_json *j, struct cs_buf *out)
{
	*j = (struct cs_json){.out = out};
}

/* The letter of a two-character escape (RFC 8785 3.2.2.2), or 0. */
static char short_escape(uint8_t c)
{
	switch (c) {
	case '\b':
		return 'b';
	case '\t':
		return 't';
	case '\n':
		return 'n';
	case '\f':
		return 'f';
	case '\r':
		return 'r';
	case '"':
	case '\\':
		return (char)c;
	default:
		return 0;
	}
}

/* One character that cannot stand for itself. */
static void put_escape(struct cs_buf *out, uint8_t c)
{
	static const char digits[] = "0123456789abcdef";
	char letter = short_escape(c);
	char text[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};

	if (letter != 0) {
		text[1] = letter;
		cs_buf_add(out, cs_span_make(text, 2));
		return;
	}
	cs_buf_add(out, cs_span_make(text, sizeof(text)));
}

/* Eight times the same octet. */
#define EIGHT(octet) ((octet)*UINT64_C(0x0101010101010101))

/* Which octets are below `limit` (at most 0x80): their top bits, and perhaps
 * some above the first of them. */
static uint64_t below(uint64_t eight, uint8_t limit)
{
	return (eight - EIGHT(limit)) & ~eight & EIGHT(0x80);
}

/* Do the next eight octets stand for themselves? */
static bool eight_are_plain(struct cs_span s, size_t at)
{
	uint64_t eight;

	if (s.n - at < sizeof(eight))
		return false;
	memcpy(&eight, s.p + at, sizeof(eight));
	return (below(eight, 0x20) | below(eight ^ EIGHT('"'), 1) |
		below(eight ^ EIGHT('\\'), 1)) == 0;
}

/* Valid UTF-8, escaped, without quotes. Runs are copied whole. */
static void put_escaped(struct cs_buf *out, struct cs_span s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c;

		while (eight_are_plain(s, i))
			i += 8;
		if (i == s.n)
			break;
		c = s.p[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		cs_buf_add(out, cs_span_sub(s, from, i - from));
		put_escape(out, c);
		from = i + 1;
	}
	cs_buf_add(out, cs_span_sub(s, from, SIZE_MAX));
}

/* A quoted string of valid UTF-8. */
static void put_quoted(struct cs_buf *out, struct cs_span s)
{
	cs_buf_add_byte(out, '"');
	put_escaped(out, s);
	cs_buf_add_byte(out, '"');
}

/* Decimal digits. */
static void put_int(struct cs_buf *out, int64_t v)
{
	char text[20];
	size_t at = sizeof(text);
	uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do {
		text[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (v < 0)
		text[--at] = '-';
	cs_buf_add(out, cs_span_make(text + at, sizeof(text) - at));
}

/*
 * Where a byte of UTF-8 sorts among UTF-16 code units (RFC 8785 3.2.3): as
 * in UTF-8, but for the characters beyond U+FFFF (lead bytes f0 to f4),
 * whose surrogates come before U+E000 to U+FFFF (lead bytes ee and ef). The
 * end of a name (-1) comes before everything.
 */
static int unit_order(int byte)
{
	return byte == 0xee || byte == 0xef ? byte + 0x10 : byte;
}

/* The next byte of an escaped name as it was before escaping; -1: end. */
static int next_unescaped(struct cs_span s, size_t *at)
{
	static const char letters[] = "btnfr";
	static const char values[] = "\b\t\n\f\r";
	const char *letter;
	uint8_t c;

	if (*at >= s.n)
		return -1;
	c = s.p[(*at)++];
	if (c != '\\')
		return c;
	c = s.p[(*at)++];
	if (c == 'u') {
		char digits[3] = {(char)s.p[*at + 2], (char)s.p[*at + 3], 0};

		*at += 4;
		return (int)strtol(digits, NULL, 16);
	}
	letter = strchr(letters, c);
	return letter == NULL ? c : values[letter - letters];
}

/* Does name come behind the last one, which was escaped when written? */
static bool name_ascends(struct cs_span last, struct cs_span name)
{
	size_t at = 0;

	for (size_t i = 0; i <= name.n; i++) {
		int a = next_unescaped(last, &at);
		int b = i < name.n ? name.p[i] : -1;

		if (a != b)
			return unit_order(a) < unit_order(b);
	}
	return false;
}

/* A value is about to be written: its comma, and may it stand here? */
static bool value(struct cs_json *j)
{
	if (j->failed)
		return false;
	if (j->depth == 0) {
		if (j->began)
			broken(j, "a second value");
		j->began = true;
		return !j->failed;
	}
	if (j->level[j->depth - 1].object) {
		if (!j->after_name)
			broken(j, "a value without a name");
		j->after_name = false;
		return !j->failed;
	}
	if (j->level[j->depth - 1].any)
		cs_buf_add_byte(j->out, ',');
	j->level[j->depth - 1].any = true;
	return true;
}

/* Begin an object or an array. */
static void open_level(struct cs_json *j, bool object)
{
	if (!value(j))
		return;
	if (j->depth == CS_JSON_DEPTH) {
		broken(j, "too many levels");
		return;
	}
	memset(&j->level[j->depth], 0, sizeof(j->level[0]));
	j->level[j->depth].object = object;
	j->depth++;
	cs_buf_add_byte(j->out, object ? '{' : '[');
}

void cs_json_object(struct cs_json *j)
{
	open_level(j, true);
}

void cs_json_array(struct cs_json *j)
{
	open_level(j, false);
}

void cs_json_end(struct cs_json *j)
{
	if (j->failed)
		return;
	if (j->depth == 0 || j->after_name) {
		broken(j, "an end without its beginning");
		return;
	}
	j->depth--;
	cs_buf_add_byte(j->out, j->level[j->depth].object ? '}' : ']');
}

/* May a name or members stand here? */
static bool in_object(struct cs_json *j)
{
	if (j->failed)
		return false;
	if (j->depth == 0 || !j->level[j->depth - 1].object || j->after_name)
		broken(j, "a name outside an object");
	return !j->failed;
}

void cs_json_name(struct cs_json *j, const char *name)
{
	struct cs_span s = cs_span_str(name);
	size_t i = j->depth - 1;

	/* A failed buffer has no bytes to compare with. */
	if (!in_object(j) || !cs_buf_ok(j->out))
		return;
	if (!cs_codec_is_utf8(s)) {
		broken(j, "a name is not UTF-8");
		return;
	}
	if (j->level[i].name_at > 0 &&
	    !name_ascends(cs_span_sub(cs_buf_span(j->out), j->level[i].name_at,
				      j->level[i].name_n),
			  s)) {
		broken(j, "names out of order");
		return;
	}
	if (j->level[i].any)
		cs_buf_add_byte(j->out, ',');
	j->level[i].any = true;
	cs_buf_add_byte(j->out, '"');
	j->level[i].name_at = j->out->n;
	put_escaped(j->out, s);
	j->level[i].name_n = j->out->n - j->level[i].name_at;
	cs_buf_add(j->out, CS_SPAN_LIT("\":"));
	j->after_name = true;
}

void cs_json_string(struct cs_json *j, struct cs_span utf8)
{
	if (!value(j))
		return;
	if (!cs_codec_is_utf8(utf8)) {
		broken(j, "a string is not UTF-8");
		return;
	}
	put_quoted(j->out, utf8);
}

void cs_json_str(struct cs_json *j, const char *utf8)
{
	cs_json_string(j, cs_span_str(utf8));
}

/* Is a well-formed character of n octets a control, C0, DEL or C1? */
static bool is_control(const uint8_t *p, size_t n)
{
	if (n == 1)
		return p[0] < 0x20 || p[0] == 0x7f;
	return n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

void cs_json_text(struct cs_json *j, struct cs_span bytes)
{
	size_t from = 0;

	if (!value(j))
		return;
	cs_buf_add_byte(j->out, '"');
	for (size_t i = 0; i < bytes.n;) {
		struct cs_span rest = cs_span_sub(bytes, i, SIZE_MAX);
		size_t n = cs_codec_utf8_first(rest);

		if (n > 0 && !is_control(rest.p, n)) {
			i += n;
			continue;
		}
		put_escaped(j->out, cs_span_sub(bytes, from, i - from));
		cs_buf_add(j->out, CS_SPAN_LIT("\xef\xbf\xbd"));
		i += n == 0 ? 1 : n;
		from = i;
	}
	put_escaped(j->out, cs_span_sub(bytes, from, SIZE_MAX));
	cs_buf_add_byte(j->out, '"');
}

void cs_json_hex(struct cs_json *j, struct cs_span bytes)
{
	if (!value(j))
		return;
	cs_buf_add_byte(j->out, '"');
	cs_codec_hex(bytes, j->out);
	cs_buf_add_byte(j->out, '"');
}

void cs_json_int(struct cs_json *j, int64_t v)
{
	if (!value(j))
		return;
	if (v >= INT_LIMIT || v <= -INT_LIMIT) {
		broken(j, "an integer beyond 2^53");
		return;
	}
	put_int(j->out, v);
}

void cs_json_bool(struct cs_json *j, bool v)
{
	if (value(j))
		cs_buf_add_str(j->out, v ? "true" : "false");
}

void cs_json_null(struct cs_json *j)
{
	if (value(j))
		cs_buf_add_str(j->out, "null");
}

void cs_json_time_ms(struct cs_json *j, int64_t wall_ms)
{
	char text[CS_TIME_TEXT];

	cs_time_rfc3339_ms(wall_ms, text);
	cs_json_str(j, text);
}

void cs_json_raw(struct cs_json *j, struct cs_span json)
{
	if (!value(j))
		return;
	if (json.n == 0)
		broken(j, "an empty raw value");
	cs_buf_add(j->out, json);
}

void cs_json_members(struct cs_json *j, struct cs_span object)
{
	size_t i = j->depth - 1;

	if (!in_object(j))
		return;
	if (object.n < 2 || object.p[0] != '{' ||
	    object.p[object.n - 1] != '}') {
		broken(j, "members of what is no object");
		return;
	}
	if (object.n == 2)
		return;
	if (j->level[i].any)
		cs_buf_add_byte(j->out, ',');
	j->level[i].any = true;
	j->level[i].name_at = 0; /* the order is the caller's from here */
	cs_buf_add(j->out, cs_span_sub(object, 1, object.n - 2));
}

void cs_json_member_span(struct cs_json *j, const char *name,
			 struct cs_span utf8)
{
	cs_json_name(j, name);
	cs_json_string(j, utf8);
}

void cs_json_member_str(struct cs_json *j, const char *name, const char *utf8)
{
	cs_json_name(j, name);
	cs_json_str(j, utf8);
}

void cs_json_member_int(struct cs_json *j, const char *name, int64_t v)
{
	cs_json_name(j, name);
	cs_json_int(j, v);
}

void cs_json_member_hex(struct cs_json *j, const char *name,
			struct cs_span bytes)
{
	cs_json_name(j, name);
	cs_json_hex(j, bytes);
}

bool cs_json_finish(const struct cs_json *j, const char *what,
		    struct cs_error *err)
{
	if (!cs_buf_finish(j->out, what, err))
		return false;
	if (j->failed)
		return cs_error_set(err, CS_E_INTERNAL,
				    "%s: broken JSON writer: %s", what, j->why);
	if (j->depth > 0 || !j->began)
		return cs_error_set(err, CS_E_INTERNAL,
				    "%s: broken JSON writer: not ended", what);
	return true;
}

/* -- canonical form of a Jansson value ----------------------------------- */

/* One open container: what to write next of it. */
struct frame {
	const json_t *value;
	const char **names; /* of an object, sorted; owned */
	size_t n;
	size_t at;
};

/* qsort's order of names. */
static int compare_names(const void *pa, const void *pb)
{
	const uint8_t *a = *(const uint8_t *const *)pa;
	const uint8_t *b = *(const uint8_t *const *)pb;

	while (*a == *b && *a != 0) {
		a++;
		b++;
	}
	/* NUL ends a name, and sorts before everything. */
	return unit_order(*a) - unit_order(*b);
}

/* Open an object or array; false: no memory. */
static bool frame_open(struct frame *f, const json_t *v, struct cs_buf *out)
{
	const char *name;
	json_t *unused;

	*f = (struct frame){.value = v};
	cs_buf_add_byte(out, json_is_object(v) ? '{' : '[');
	if (json_is_array(v)) {
		f->n = json_array_size(v);
		return true;
	}
	f->names = cs_mem_new_array(json_object_size(v), sizeof(*f->names));
	if (f->names == NULL)
		return false;
	json_object_foreach((json_t *)(uintptr_t)v, name, unused)
		f->names[f->n++] = name;
	if (f->n > 1)
		qsort(f->names, f->n, sizeof(*f->names), compare_names);
	return true;
}

/* The next value in a frame, its comma and name written; NULL: closed. */
static const json_t *frame_next(struct frame *f, struct cs_buf *out)
{
	size_t at = f->at++;

	if (at == f->n) {
		cs_buf_add_byte(out, json_is_object(f->value) ? '}' : ']');
		cs_mem_free(f->names);
		f->names = NULL;
		return NULL;
	}
	if (at > 0)
		cs_buf_add_byte(out, ',');
	if (json_is_array(f->value))
		return json_array_get(f->value, at);
	put_quoted(out, cs_span_str(f->names[at]));
	cs_buf_add_byte(out, ':');
	return json_object_get(f->value, f->names[at]);
}

/* A value that is no container. */
static bool put_scalar(const json_t *v, struct cs_buf *out,
		       struct cs_error *err)
{
	json_int_t i;

	switch (json_typeof(v)) {
	case JSON_STRING:
		put_quoted(out, cs_span_make(json_string_value(v),
					     json_string_length(v)));
		return true;
	case JSON_INTEGER:
		i = json_integer_value(v);
		if (i >= INT_LIMIT || i <= -INT_LIMIT)
			return cs_error_set(err, CS_E_FORMAT,
					    "RFC 8785 3.2.2.3: the integer "
					    "%lld is beyond 2^53",
					    (long long)i);
		put_int(out, i);
		return true;
	case JSON_TRUE:
		cs_buf_add_str(out, "true");
		return true;
	case JSON_FALSE:
		cs_buf_add_str(out, "false");
		return true;
	case JSON_NULL:
		cs_buf_add_str(out, "null");
		return true;
	default:
		return cs_error_set(err, CS_E_FORMAT,
				    "%.17g is not a whole number",
				    json_real_value(v));
	}
}

/* Is it an object or an array? */
static bool is_container(const json_t *v)
{
	return json_is_object(v) || json_is_array(v);
}

/* Walk the tree with a stack of our own. */
static bool canonical(const json_t *v, struct frame *stack, size_t *depth,
		      struct cs_buf *out, struct cs_error *err)
{
	for (;;) {
		if (v == NULL) {
			if (--*depth == 0)
				return true;
		} else if (!is_container(v)) {
			if (!put_scalar(v, out, err))
				return false;
		} else if (*depth == CS_JSON_READ_DEPTH) {
			return cs_error_set(err, CS_E_FORMAT,
					    "JSON of more than %d levels",
					    CS_JSON_READ_DEPTH);
		} else if (!frame_open(&stack[(*depth)++], v, out)) {
			return cs_error_set(err, CS_E_NO_MEMORY,
					    "JSON: out of memory");
		}
		if (*depth == 0)
			return true;
		v = frame_next(&stack[*depth - 1], out);
	}
}

bool cs_json_canonical(const json_t *v, struct cs_buf *out,
		       struct cs_error *err)
{
	struct frame stack[CS_JSON_READ_DEPTH] = {{0}};
	size_t depth = 0;
	bool ok;

	if (v == NULL)
		return cs_error_set(err, CS_E_INTERNAL, "no JSON value");
	ok = canonical(v, stack, &depth, out, err);
	for (size_t i = 0; i < depth; i++)
		cs_mem_free(stack[i].names);
	return ok && cs_buf_finish(out, "JSON", err);
}
