/* What becomes of policies, as people read it (policy/doc.h). */
#include "base/limits.h"
#include "cli/show.h"

static const char *text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL ? s : "";
}

/* "  san.dns.allow  OLD  ->  NEW" */
static void print_keys(const json_t *keys, FILE *out)
{
	static const char *const names[] = {"key", "old", "arrow", "new"};
	struct cs_table t;
	const json_t *k;
	size_t i;

	cs_table_init(&t, 4, NULL);
	json_array_foreach(keys, i, k)
	{
		for (size_t n = 0; n < 4; n++) {
			CS_CLEANUP(cs_buf_done) struct cs_buf b;

			cs_buf_init(&b, CS_MAX_POLICY_FILE);
			if (n == 2)
				cs_buf_add_str(&b, "\xe2\x86\x92");
			else
				cs_show_value(json_object_get(k, names[n]), &b);
			cs_table_cell(&t, cs_buf_str(&b));
		}
	}
	if (!cs_table_print(&t, "  ", out, NULL))
		fputs("  (no memory for the list)\n", out);
	cs_table_done(&t);
}

void cs_show_policy_diff(const json_t *diff, FILE *out)
{
	const json_t *d;
	size_t i;

	if (json_array_size(diff) == 0)
		fputs("no difference\n", out);
	json_array_foreach(diff, i, d)
	{
		fprintf(out, "%-7s  ", text_of(d, "change"));
		cs_text_print(out, text_of(d, "name"));
		fputs("  ", out);
		cs_text_print(out, text_of(d, "source"));
		fputc('\n', out);
		print_keys(json_object_get(d, "keys"), out);
	}
}
