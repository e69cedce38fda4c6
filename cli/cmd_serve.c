#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/floor.h"
#include "cli/house.h"
#include "cli/logging.h"
#include "cli/passphrase.h"
#include "cli/place.h"

static const struct cs_option options[] = {
	{"listen", 0, "ADDR:PORT",
	 "listen here instead of what the configuration says; repeatable"},
	{"public-listen", 0, "ADDR:PORT",
	 "serve what is public in clear text here instead; repeatable"},
	{"passphrase-fd", 0, "N",
	 "descriptor with the issuer key's passphrase"},
	{0},
};

/* --listen or --public-listen, if it was given. */
static bool collect(const struct cs_call *call, const char *option,
		    struct cs_config_list *ret, struct cs_error *err)
{
	const char *value;

	*ret = (struct cs_config_list){0};
	while ((value = cs_call_get_nth(call, option, ret->n)) != NULL) {
		if (ret->n == CS_MAX_CONFIG_LIST)
			return cs_error_set(err, CS_E_USAGE,
					    "--%s: more than %d", option,
					    CS_MAX_CONFIG_LIST);
		ret->item[ret->n++] = value;
	}
	return true;
}

static int run(const struct cs_call *call)
{
	struct cs_error err = {0};
	struct cs_config_list listen, open;
	struct cs_log log;
	struct cs_house_config house = {
		.purpose = CS_HOUSE_SERVE,
		.passphrase_fd = -1,
		.clock = cs_clock_system(),
		.log = &log,
		.out = call->out,
	};
	struct cs_install *install;
	int status;

	if (!collect(call, "listen", &listen, &err) ||
	    !collect(call, "public-listen", &open, &err))
		return cs_call_fail(call, &err);
	if (listen.n > 0)
		house.listen = &listen;
	if (open.n > 0)
		house.public_listen = &open;
	install = cs_install_load(call->dir, &err);
	if (install == NULL)
		return cs_call_fail(call, &err);
	house.install = install;
	cs_logging_init(&log, install->config.log_level, house.clock);
	cs_floor_report(&log);
	if (!cs_place_check(install->dir, &log, &err)) {
		cs_install_free(install);
		return cs_call_fail(call, &err);
	}
	if (!cs_passphrase_open(call, &house.passphrase_fd, &err)) {
		cs_install_free(install);
		return cs_call_fail(call, &err);
	}
	status = cs_house_run(&house, &err);
	if (status != CS_EXIT_DONE)
		(void)cs_call_fail(call, &err);
	cs_install_free(install);
	return status;
}

const struct cs_command cs_cmd_serve = {
	.name = "serve",
	.args = "",
	.help = "Run the server in the foreground until SIGTERM",
	.options = options,
	.example = "countersign serve --dir /var/lib/countersign",
	.run = run,
};
