#include "policy/import_parts.h"

#include <string.h>

#define NS_PER_S ((int64_t)1000000000)

/* The nanoseconds of a unit; *ret_n: its bytes. 0: it is none. */
static int64_t unit_of(struct cs_span s, size_t *ret_n)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {{"ns", 1},
		     {"us", 1000},
		     {"\xc2\xb5s", 1000},
		     {"\xce\xbcs", 1000},
		     {"ms", 1000000},
		     {"s", NS_PER_S},
		     {"m", 60 * NS_PER_S},
		     {"h", 3600 * NS_PER_S},
		     {"d", 86400 * NS_PER_S}};

	for (size_t k = 0; k < sizeof(units) / sizeof(units[0]); k++) {
		if (!cs_span_starts_with(s, cs_span_str(units[k].name)))
			continue;
		*ret_n = strlen(units[k].name);
		return units[k].ns;
	}
	return 0;
}

/* Digits of one number with a fraction, as value / scale. */
struct number {
	int64_t value, scale;
	size_t n; /* bytes */
};

/* 1, 1.5, .5; no more digits than int64 has. */
static bool number(struct cs_span s, struct number *ret)
{
	struct number r = {0, 1, 0};
	bool point = false, any = false;

	for (; r.n < s.n; r.n++) {
		uint8_t c = s.p[r.n];

		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9')
			break;
		if (r.value > (INT64_MAX - 9) / 10 || r.scale > INT64_MAX / 10)
			return false;
		r.value = 10 * r.value + (c - '0');
		r.scale *= point ? 10 : 1;
		any = true;
	}
	*ret = r;
	return any;
}

/* sum += a * b, of what is not negative. */
static bool add_product(int64_t *sum, int64_t a, int64_t b)
{
	if (b > 0 && a > (INT64_MAX - *sum) / b)
		return false;
	*sum += a * b;
	return true;
}

bool cs_import_go_duration(struct cs_span text, int64_t *ret_ns)
{
	int64_t sum = 0;

	if (text.n == 0)
		return false;
	if (cs_span_equal_str(text, "0"))
		text.n = 0;
	while (text.n > 0) {
		struct number v;
		int64_t ns, part = 0;
		size_t unit_n = 0;

		if (!number(text, &v))
			return false;
		text = cs_span_sub(text, v.n, SIZE_MAX);
		ns = unit_of(text, &unit_n);
		if (ns == 0 || !add_product(&sum, v.value / v.scale, ns) ||
		    !add_product(&part, v.value % v.scale, ns) ||
		    !add_product(&sum, part / v.scale, 1))
			return false;
		text = cs_span_sub(text, unit_n, SIZE_MAX);
	}
	*ret_ns = sum;
	return true;
}
