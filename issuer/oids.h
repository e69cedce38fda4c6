/*
 * Object identifiers, as content octets. The names are those of the
 * standards. Each is a string literal: CS_SPAN_LIT(CS_OID_...)
 * in expressions, CS_SPAN_INIT(CS_OID_...) in static tables.
 */
#ifndef CS_ISSUER_OIDS_H
#define CS_ISSUER_OIDS_H

/* X.520 attributes (RFC 5280 A.1) and what else subjects hold. */
#define CS_OID_COMMON_NAME	   "\x55\x04\x03"
#define CS_OID_SURNAME		   "\x55\x04\x04"
#define CS_OID_SERIAL_NUMBER	   "\x55\x04\x05"
#define CS_OID_COUNTRY		   "\x55\x04\x06"
#define CS_OID_LOCALITY		   "\x55\x04\x07"
#define CS_OID_STATE		   "\x55\x04\x08"
#define CS_OID_STREET		   "\x55\x04\x09"
#define CS_OID_ORGANIZATION	   "\x55\x04\x0a"
#define CS_OID_ORGANIZATIONAL_UNIT "\x55\x04\x0b"
#define CS_OID_TITLE		   "\x55\x04\x0c"
#define CS_OID_POSTAL_CODE	   "\x55\x04\x11"
#define CS_OID_NAME		   "\x55\x04\x29"
#define CS_OID_GIVEN_NAME	   "\x55\x04\x2a"
#define CS_OID_INITIALS		   "\x55\x04\x2b"
#define CS_OID_GENERATION	   "\x55\x04\x2c"
#define CS_OID_DN_QUALIFIER	   "\x55\x04\x2e"
#define CS_OID_PSEUDONYM	   "\x55\x04\x41"
#define CS_OID_ORGANIZATION_ID	   "\x55\x04\x61"
#define CS_OID_DOMAIN_COMPONENT	   "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"
#define CS_OID_USER_ID		   "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"
#define CS_OID_EMAIL_ADDRESS	   "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"

/* PKCS#10 attributes (RFC 2985 5.4) and Microsoft's. */
#define CS_OID_CHALLENGE_PASSWORD   "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"
#define CS_OID_EXTENSION_REQUEST    "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"
#define CS_OID_MS_EXTENSION_REQUEST "\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"

/* Keys (RFC 5480 2.1.1, RFC 3279 2.3.1, RFC 8410 3). */
#define CS_OID_EC_PUBLIC_KEY "\x2a\x86\x48\xce\x3d\x02\x01"
#define CS_OID_P256	     "\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define CS_OID_P384	     "\x2b\x81\x04\x00\x22"
#define CS_OID_P521	     "\x2b\x81\x04\x00\x23"
#define CS_OID_RSA	     "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define CS_OID_ED25519	     "\x2b\x65\x70"

/* Extensions (RFC 5280 4.2). */
#define CS_OID_SUBJECT_KEY_ID	 "\x55\x1d\x0e"
#define CS_OID_KEY_USAGE	 "\x55\x1d\x0f"
#define CS_OID_SUBJECT_ALT_NAME	 "\x55\x1d\x11"
#define CS_OID_BASIC_CONSTRAINTS "\x55\x1d\x13"
#define CS_OID_NAME_CONSTRAINTS	 "\x55\x1d\x1e"
#define CS_OID_CRL_DP		 "\x55\x1d\x1f"
#define CS_OID_POLICIES		 "\x55\x1d\x20"
#define CS_OID_AUTHORITY_KEY_ID	 "\x55\x1d\x23"
#define CS_OID_EXT_KEY_USAGE	 "\x55\x1d\x25"
#define CS_OID_AUTHORITY_INFO	 "\x2b\x06\x01\x05\x05\x07\x01\x01"
#define CS_OID_FRESHEST_CRL	 "\x55\x1d\x2e"
#define CS_OID_CRL_NUMBER	 "\x55\x1d\x14"
#define CS_OID_REASON_CODE	 "\x55\x1d\x15"
#define CS_OID_ISSUING_POINT	 "\x55\x1d\x1c"
#define CS_OID_NO_REV_AVAIL	 "\x55\x1d\x38"
#define CS_OID_AD_OCSP		 "\x2b\x06\x01\x05\x05\x07\x30\x01"
#define CS_OID_AD_CA_ISSUERS	 "\x2b\x06\x01\x05\x05\x07\x30\x02"
#define CS_OID_SERVER_AUTH	 "\x2b\x06\x01\x05\x05\x07\x03\x01"
#define CS_OID_EMAIL_PROTECTION	 "\x2b\x06\x01\x05\x05\x07\x03\x04"
#define CS_OID_OCSP_SIGNING	 "\x2b\x06\x01\x05\x05\x07\x03\x09"
#define CS_OID_OCSP_NO_CHECK	 "\x2b\x06\x01\x05\x05\x07\x30\x01\x05"
#define CS_OID_ANY_EKU		 "\x55\x1d\x25\x00"

#endif
