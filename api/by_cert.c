#include "api/by_cert.h"

/* One search among the bindings of a kind. */
struct search {
	struct cs_peer_cert *cert;
	int64_t wall_ms;
	struct cs_bound found; /* client NULL: nothing so far */
	bool ambiguous;
	const char
		*why; /* of the first that did not hold; NULL: none was met */
};

const char *cs_by_cert_says(enum cs_peer_cert_state state)
{
	switch (state) {
	case CS_PEER_CERT_NOT_YET:
		return "it is not yet valid";
	case CS_PEER_CERT_EXPIRED:
		return "it has expired";
	case CS_PEER_CERT_NO_CLIENT:
		return "its extended key usages do not include clientAuth";
	case CS_PEER_CERT_MALFORMED:
		return "it is malformed, or has too many names";
	case CS_PEER_CERT_GOOD:
		break;
	}
	return "";
}

/* Does this binding hold? */
static void consider(struct search *s, const struct cs_bound *b)
{
	const struct cs_credential *c = b->credential;
	const char *why = "the CA that it is bound to cannot be read";
	bool good = c->ca == NULL || (c->ca->ca != NULL &&
				      cs_peer_cert_chains_to(s->cert, c->ca->ca,
							     s->wall_ms, &why));

	if (s->wall_ms >= c->expires_ms) {
		why = "the time of its binding is over";
		good = false;
	}
	if (!good) {
		s->why = s->why != NULL ? s->why : why;
		return;
	}
	if (s->found.client != NULL && s->found.client != b->client)
		s->ambiguous = true;
	s->found = *b;
}

/* By the alternative names. */
static void search_names(struct search *s, const struct cs_clients *clients)
{
	for (size_t i = 0; i < cs_peer_cert_names(s->cert); i++) {
		size_t n = 0;
		const struct cs_bound *b = cs_clients_san(
			clients, cs_peer_cert_name(s->cert, i), &n);

		for (size_t k = 0; k < n; k++)
			consider(s, &b[k]);
	}
}

/* By the CA alone. */
static void search_issued(struct search *s, const struct cs_clients *clients)
{
	size_t n = 0;
	const struct cs_bound *b = cs_clients_issued(clients, &n);

	for (size_t k = 0; k < n; k++)
		consider(s, &b[k]);
}

bool cs_by_cert(const struct cs_clients *clients, struct cs_peer_cert *cert,
		int64_t wall_ms, struct cs_bound *ret_bound,
		struct cs_problem *ret_problem)
{
	enum cs_peer_cert_state state = cs_peer_cert_state(cert, wall_ms);
	struct search s = {.cert = cert, .wall_ms = wall_ms};
	const struct cs_bound *pinned =
		cs_clients_fingerprint(clients, cs_peer_cert_fingerprint(cert));

	if (state != CS_PEER_CERT_GOOD)
		return cs_problem_set(ret_problem, CS_PROBLEM_BAD_CERTIFICATE,
				      "",
				      "The client certificate is refused: %s.",
				      cs_by_cert_says(state));
	if (pinned != NULL)
		consider(&s, pinned);
	if (s.found.client == NULL)
		search_names(&s, clients);
	if (s.found.client == NULL)
		search_issued(&s, clients);
	if (s.found.client != NULL && !s.ambiguous) {
		*ret_bound = s.found;
		return true;
	}
	return cs_problem_set(
		ret_problem, CS_PROBLEM_BAD_CERTIFICATE, "",
		"The client certificate is refused: %s.",
		s.ambiguous	? "it is bound to more than one client"
		: s.why != NULL ? s.why
				: "it is bound to no client, or not any more");
}
