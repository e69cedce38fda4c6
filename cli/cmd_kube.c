/* countersign kube: the adapter for cert-manager, a program of its own. */
#include <limits.h>

#include "base/time.h"
#include "cli/commands.h"
#include "cli/logging.h"
#include "kube/adapter.h"

/* What options of time may say. */
#define MAX_CHECK_S (24 * 3600)
#define MIN_WATCH_S 1
#define MAX_WATCH_S 3600

static const struct cs_option options[] = {
	{"kubeconfig", 0, "FILE",
	 "how to reach the cluster; else $KUBECONFIG, else the pod's service"
	 " account"},
	{"server", 0, "URL",
	 "the API server, with --ca and --token-file, instead"},
	{"ca", 0, "FILE", "the API server's CA (PEM)"},
	{"token-file", 0, "FILE",
	 "a token for the API server; read again as it changes"},
	{"namespace", 0, "NAME",
	 "the adapter's own: its lease, and the secrets of cluster issuers"},
	{"countersign-token", 0, "FILE",
	 "the adapter's own token in Countersign, for cluster issuers that"
	 " name none"},
	{"lease", 0, "NAME", "replicas: only who holds this Lease works"},
	{"identity", 0, "NAME", "of this replica; else the host's name"},
	{"probe", 0, "ADDR:PORT", "serve /healthz, /readyz and /metrics there"},
	{"kubernetes-csr", 0, NULL,
	 "also sign Kubernetes' own CertificateSigningRequests"},
	{"without-ca", 0, NULL, "leave the root out of what is written back"},
	{"check-every", 0, "DURATION", "look after each issuer; 60s"},
	{"watch-for", 0, "DURATION", "ask for watches of this length; 300s"},
	{"give-up-after", 0, "DURATION",
	 "fail a request for which Countersign decided nothing for so long;"
	 " never"},
	{"log-level", 0, "LEVEL", "error, warning, info or debug; info"},
	{0},
};

/* A duration behind an option, in seconds. */
static bool duration(const struct cs_call *call, const char *option,
		     int64_t low, int64_t high, int64_t *ret,
		     struct cs_error *err)
{
	const char *text = cs_call_get(call, option);
	int64_t s;

	if (text == NULL)
		return true;
	if (!cs_time_parse_duration(cs_span_str(text), &s, err) || s < low ||
	    s > high)
		return cs_error_set(err, CS_E_USAGE,
				    "--%s: \"%s\" is no duration from %llds to"
				    " %llds",
				    option, text, (long long)low,
				    (long long)high);
	*ret = s;
	return true;
}

static bool level(const struct cs_call *call, enum cs_log_level *ret,
		  struct cs_error *err)
{
	const char *text = cs_call_get(call, "log-level");

	if (text == NULL || cs_log_level_parse(cs_span_str(text), ret))
		return true;
	return cs_error_set(err, CS_E_USAGE,
			    "--log-level: \"%s\" is none of error, warning,"
			    " info, debug",
			    text);
}

static int run(const struct cs_call *call)
{
	struct cs_adapter_config c = {
		.where = {.kubeconfig = cs_call_get(call, "kubeconfig"),
			  .server = cs_call_get(call, "server"),
			  .ca_file = cs_call_get(call, "ca"),
			  .token_file = cs_call_get(call, "token-file"),
			  .namespace = cs_call_get(call, "namespace")},
		.token_file = cs_call_get(call, "countersign-token"),
		.probe = cs_call_get(call, "probe"),
		.lease = cs_call_get(call, "lease"),
		.identity = cs_call_get(call, "identity"),
		.kubernetes_csr = cs_call_get(call, "kubernetes-csr") != NULL,
		.without_ca = cs_call_get(call, "without-ca") != NULL,
		.clock = cs_clock_system(),
		.out = call->out,
	};
	enum cs_log_level log_level = CS_LOG_INFO;
	struct cs_error err = {0};
	int64_t check_s = 60;
	int64_t watch_s = 300;
	struct cs_log log;

	if (!level(call, &log_level, &err) ||
	    !duration(call, "check-every", 1, MAX_CHECK_S, &check_s, &err) ||
	    !duration(call, "watch-for", MIN_WATCH_S, MAX_WATCH_S, &watch_s,
		      &err) ||
	    !duration(call, "give-up-after", 1, INT_MAX, &c.give_up_s, &err))
		return cs_call_fail(call, &err);
	c.check_s = (uint32_t)check_s;
	c.watch_s = (uint32_t)watch_s;
	cs_logging_init(&log, log_level, c.clock);
	log.room = "kube";
	c.log = &log;
	switch (cs_adapter_run(&c, &err)) {
	case CS_ADAPTER_DONE:
		return CS_EXIT_DONE;
	case CS_ADAPTER_LOST:
		return CS_EXIT_AGAIN;
	default:
		return cs_call_fail(call, &err);
	}
}

const struct cs_command cs_cmd_kube = {
	.name = "kube",
	.args = "",
	.help = "Run the adapter for cert-manager in the foreground",
	.options = options,
	.example = "countersign kube --countersign-token"
		   " /etc/countersign/token --lease countersign-kube"
		   " --probe 0.0.0.0:8081",
	.run = run,
};
