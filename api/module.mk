noinst_LIBRARIES += libcs_api.a
libcs_api_a_SOURCES = \
	api/http_client.h \
	api/http_parse.h \
	api/server.h \
	api/tls.h
