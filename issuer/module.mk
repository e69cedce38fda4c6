noinst_LIBRARIES += libcs_issuer.a
libcs_issuer_a_SOURCES = \
	issuer/ca.h \
	issuer/ceiling.h \
	issuer/cert_facts.h \
	issuer/crypto.h \
	issuer/csr.h \
	issuer/feasible.h \
	issuer/judge.h \
	issuer/key.h \
	issuer/keygen.h \
	issuer/lint.h \
	issuer/oids.h \
	issuer/print.c issuer/print.h \
	issuer/sigalg.h \
	issuer/signer.h \
	issuer/tbs.h \
	issuer/worker.h \
	issuer/x509.h
