#include "issuer/print.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/limits.h"

/* Print into a memory BIO and copy that. */
static bool print(X509 *cert, struct cs_buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;
	bool ok;

	ok = bio != NULL && X509_print(bio, cert) == 1;
	if (ok)
		n = BIO_get_mem_data(bio, &text);
	ok = ok && n > 0 && cs_buf_add(out, cs_span_make(text, (size_t)n));
	BIO_free(bio);
	return ok;
}

bool cs_cert_print(struct cs_span pem, struct cs_buf *out, struct cs_error *err)
{
	BIO *in;
	X509 *cert = NULL;
	bool ok;

	if (pem.n == 0 || pem.n > CS_MAX_PEM_FILE)
		return cs_error_set(err, CS_E_CERT, "no certificate");
	in = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (in != NULL)
		cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
	BIO_free(in);
	ok = cert != NULL && print(cert, out);
	X509_free(cert);
	ERR_clear_error();
	return ok || cs_error_set(err, CS_E_CERT,
				  "the certificate cannot be printed");
}

bool cs_crl_print(struct cs_span der, struct cs_buf *out, struct cs_error *err)
{
	const unsigned char *p = der.p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.n);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;
	bool ok = crl != NULL && bio != NULL && X509_CRL_print(bio, crl) == 1;

	if (ok)
		n = BIO_get_mem_data(bio, &text);
	ok = ok && n > 0 && cs_buf_add(out, cs_span_make(text, (size_t)n));
	BIO_free(bio);
	X509_CRL_free(crl);
	ERR_clear_error();
	return ok || cs_error_set(err, CS_E_CERT, "the CRL cannot be printed");
}
