#include "base/version.h"

#include <openssl/crypto.h>

#include "config.h"

const char *cs_version(void)
{
	return PACKAGE_VERSION;
}

const char *cs_version_openssl(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}
