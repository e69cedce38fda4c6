/*
 * Typed matchers on canonical values. Internal to policy/.
 *
 * A requested wildcard, "*.zone", is the set of all names of one label and
 * the zone (RFC 6125 6.4.3). Hence two questions: is all of the value inside
 * (for allow), and does any of it hit (for deny)? For every other value they
 * have the same answer.
 */
#ifndef CS_POLICY_MATCH_H
#define CS_POLICY_MATCH_H

#include "policy/rules.h"

struct cs_match_value {
	struct cs_span text;   /* canonical; compared by EXACT, IEXACT */
	struct cs_span octets; /* an IP address: 4 or 16; else empty */
	bool is_dns;	       /* text is a canonical DNS name */
	bool is_wildcard;      /* and starts with "*." */
};

struct cs_match_value cs_match_text(struct cs_span text);
struct cs_match_value cs_match_dns(struct cs_span canonical);
struct cs_match_value cs_match_ip(struct cs_span canonical,
				  struct cs_span octets);

/* Is the whole value, every member of it, inside one matcher? */
bool cs_match_all(const struct cs_matchers *m, const struct cs_match_value *v);
/* Does at least one member of the value hit one of the matchers? */
bool cs_match_some(const struct cs_matchers *m, const struct cs_match_value *v);

/* One matcher each, for tests and for the loader. */
bool cs_matcher_all(const struct cs_matcher *m, const struct cs_match_value *v);
bool cs_matcher_some(const struct cs_matcher *m,
		     const struct cs_match_value *v);

/* A compiled glob, over the whole text. */
bool cs_match_items(const struct cs_glob *glob, struct cs_span text);
/*
 * May some member of the wildcard "*.zone" match the glob? Never false when
 * one does (it is for deny). The glob has no items that care about `/`.
 */
bool cs_match_items_meet(const struct cs_glob *glob, struct cs_span wildcard);

/* A glob on identifiers of ours: `*` stands for any bytes, also none. */
bool cs_match_glob(struct cs_span pattern, struct cs_span text);

/*
 * The same, but `*` does not go beyond a colon: "system:serviceaccount:a:*"
 * takes the service accounts of `a` and nothing else.
 */
bool cs_match_user_glob(struct cs_span pattern, struct cs_span text);

/*
 * Do two globs have a text in common? If so *ret_witness (in the arena) is
 * one; it is empty when memory ran out.
 */
bool cs_match_globs_meet(struct cs_span a, struct cs_span b,
			 struct cs_arena *arena, struct cs_span *ret_witness);

#endif
