noinst_LIBRARIES += libcs_issuer.a
libcs_issuer_a_SOURCES =
