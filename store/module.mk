noinst_LIBRARIES += libcs_store.a
libcs_store_a_SOURCES =
