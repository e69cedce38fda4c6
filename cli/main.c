/*
 * Only main(): everything else is in libcs_cli.a, so that a test build can
 * link another clock or named failpoints in front of it.
 */
#include "cli/command.h"

int main(int argc, char **argv)
{
	return cs_cli_main(argc, argv);
}
