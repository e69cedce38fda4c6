#include "cli/floor.h"

#include <stdio.h>

#include <event2/event.h>

#include "base/version.h"
#include "store/version.h"

/* One library, and what is asked of it. */
struct floor {
	const char *name;
	const char *found;
	int least[3], better[3];
	const char *why;
};

/* Is the version text below `least`? */
static bool is_below(const char *text, const int least[3])
{
	int have[3] = {0};

	(void)sscanf(text, "%9d.%9d.%9d", &have[0], &have[1], &have[2]);
	for (int i = 0; i < 3; i++)
		if (have[i] != least[i])
			return have[i] < least[i];
	return false;
}

void cs_floor_report(struct cs_log *log)
{
	const struct floor libraries[] = {
		{"libevent",
		 event_get_version(),
		 {2, 1, 12},
		 {2, 1, 12},
		 "several CVEs in buffers and HTTP"},
		{"OpenSSL",
		 cs_version_openssl(),
		 {3, 0, 19},
		 {3, 0, 22},
		 "CVE-2024-13176, CVE-2026-7383, CVE-2026-34180 and others"},
		{"SQLite",
		 cs_version_sqlite(),
		 {3, 40, 1},
		 {3, 40, 1},
		 "lost commits in WAL mode"},
	};

	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		const struct floor *f = &libraries[i];

		if (is_below(f->found, f->least))
			cs_log_write(log, CS_LOG_ERROR, "library.below_floor",
				     "%s %s IS BELOW THE SECURITY FLOOR "
				     "%d.%d.%d (%s): upgrade it",
				     f->name, f->found, f->least[0],
				     f->least[1], f->least[2], f->why);
		else if (is_below(f->found, f->better))
			cs_log_write(log, CS_LOG_WARNING, "library.old",
				     "%s %s: %d.%d.%d is recommended (%s)",
				     f->name, f->found, f->better[0],
				     f->better[1], f->better[2], f->why);
		else
			cs_log_write(log, CS_LOG_INFO, "library", "%s %s",
				     f->name, f->found);
	}
}
