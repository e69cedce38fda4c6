/*
 * Versions of this program and of the libraries that run with it, as the
 * libraries themselves say (not as the headers did at build time).
 */
#ifndef CS_BASE_VERSION_H
#define CS_BASE_VERSION_H

/* This program's: "0.1.0". */
const char *cs_version(void);

/* OpenSSL's: "3.0.22". */
const char *cs_version_openssl(void);

#endif
