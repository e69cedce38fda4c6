noinst_LIBRARIES += libcs_api.a
libcs_api_a_SOURCES = \
	api/clients.h \
	api/front.h
