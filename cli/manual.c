#include "cli/manual.h"

#include <string.h>

#include "base/version.h"

/* The day on which the words beside the table were last changed. */
#define DATE "November 25, 2026"

static const char head[] =
	".Dt COUNTERSIGN 1\n"
	".Os\n"
	".Sh NAME\n"
	".Nm countersign\n"
	".Nd certificate issuer that has the last word\n"
	".Sh SYNOPSIS\n"
	".Nm\n"
	".Ar command\n"
	".Op Ar argument ...\n"
	".Op Ar option ...\n"
	".Sh DESCRIPTION\n"
	".Nm\n"
	"takes certificate requests that were approved elsewhere, judges\n"
	"them by its own policy, refuses them or overrides fields of what was"
	"\n"
	"asked, signs what the policy built, and records every decision and"
	"\n"
	"every serial number in a log that outsiders can verify.\n"
	".Pp\n"
	"One directory holds an installation.\n"
	"Commands that write speak to the running server over its Unix\n"
	"socket; those that read also work on the files of a stopped one.\n"
	".Sh COMMANDS\n";

static const char tail[] =
	".Sh ENVIRONMENT\n"
	".Bl -tag -width COUNTERSIGN_DIR\n"
	".It Ev COUNTERSIGN_DIR\n"
	"The installation, where\n"
	".Fl -dir\n"
	"does not name one.\n"
	".It Ev CREDENTIALS_DIRECTORY\n"
	"Where\n"
	".Xr systemd 1\n"
	"puts the credentials of a unit.\n"
	".El\n"
	".Sh FILES\n"
	"In the installation's directory, by default\n"
	".Pa /var/lib/countersign :\n"
	".Bl -tag -width run/countersign.sock\n"
	".It Pa countersign.yaml\n"
	"Listening addresses, issuers, limits.\n"
	".It Pa policies/\n"
	"Policy sources; what is in force stands in the ledger.\n"
	".It Pa issuers/NAME/\n"
	"Chain and key of an issuer.\n"
	".It Pa ledger.db\n"
	"Everything that was decided.\n"
	".It Pa checkpoint\n"
	"The log's last checkpoint, kept outside the database.\n"
	".It Pa log.key , log.pub\n"
	"Key of the log, and the public half for verifiers.\n"
	".It Pa run/countersign.sock\n"
	"Administration.\n"
	".It Pa root.pem\n"
	"What clients trust.\n"
	".It Pa offline/\n"
	"The root's key after\n"
	".Cm init ,\n"
	"to be moved away.\n"
	".El\n"
	".Sh EXIT STATUS\n"
	".Bl -tag -width 75 -compact\n"
	".It 0\n"
	"done\n"
	".It 1\n"
	"refused, or it could not be done\n"
	".It 2\n"
	"wrong usage\n"
	".It 3\n"
	"server not reachable\n"
	".It 4\n"
	"verification failed\n"
	".It 5\n"
	"not found\n"
	".It 6\n"
	"pending\n"
	".It 7\n"
	"forbidden\n"
	".It 75\n"
	"try again\n"
	".El\n"
	".Sh DIAGNOSTICS\n"
	"What is refused is told on standard error, in a sentence or with\n"
	"every violation.\n"
	"Where\n"
	".Fl o\n"
	"is\n"
	".Cm json\n"
	"or\n"
	".Cm ndjson ,\n"
	"the problem of RFC 9457 with its\n"
	".Va code\n"
	"stands on standard output as well, unless a part of a list stands\n"
	"there already.\n"
	".Sh SEE ALSO\n"
	".Xr openssl 1 ,\n"
	".Xr sqlite3 1\n";

/* Text on a line of its own; roff sees no request and no escape in it. */
static void put_text(const char *text, FILE *out)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else
			fputc(*text, out);
	}
	fputc('\n', out);
}

/* One argument of a macro, in quotes: mdoc reads no macro in it. */
static void put_argument(const char *text, FILE *out)
{
	fputs(" \"\\&", out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputs("\"\"", out);
		else if (*text == '\\')
			fputs("\\e", out);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void write_option(const struct cs_command *c, const struct cs_option *o,
			 FILE *out)
{
	fputs(".It", out);
	if (o->letter != 0)
		fprintf(out, " Fl %c ,", o->letter);
	fprintf(out, " Fl -%s", o->name);
	if (o->value != NULL) {
		fputs(" Ar", out);
		put_argument(o->value, out);
	}
	fputc('\n', out);
	put_text(o->help, out);
	if (o->letter == 'o') {
		fputs(".Pq", out);
		put_argument(c->outputs, out);
		fputc('\n', out);
	}
}

static void write_command(const struct cs_command *c, FILE *out)
{
	const struct cs_option *o;

	fprintf(out, ".Ss %s\n.Nm\n.Cm %s\n", c->name, c->name);
	if (c->args[0] != '\0') {
		fputs(".Ar", out);
		put_argument(c->args, out);
		fputc('\n', out);
	}
	fputs(".Op Ar option ...\n.Pp\n", out);
	put_text(c->help, out);
	fputs(".Bl -tag -width Ds\n", out);
	for (size_t n = 0; (o = cs_command_option_at(c, n)) != NULL; n++)
		write_option(c, o, out);
	fputs(".El\n.Pp\nFor example:\n.Bd -literal -offset indent\n", out);
	put_text(c->example, out);
	fputs(".Ed\n", out);
}

void cs_manual_write(const struct cs_command *const *commands, FILE *out)
{
	fprintf(out,
		".\\\" countersign %s; made by `countersign manual`.\n"
		".Dd " DATE "\n",
		cs_version());
	fputs(head, out);
	for (; *commands != NULL; commands++)
		write_command(*commands, out);
	fputs(tail, out);
}
