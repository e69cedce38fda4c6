noinst_LIBRARIES += libcs_api.a
libcs_api_a_SOURCES = \
	api/http_body.c api/http_body.h \
	api/http_call.h \
	api/http_client.c api/http_client.h \
	api/http_conn.c api/http_conn.h \
	api/http_parse.c api/http_parse.h \
	api/http_places.c api/http_places.h \
	api/http_write.c api/http_write.h \
	api/listener.c api/listener.h \
	api/server.c api/server.h api/server_parts.h \
	api/server_errands.c api/server_errands.h \
	api/stream.c api/stream.h \
	api/tls.c api/tls.h api/tls_context.h

PEERS = tests/lib/http_peers.c tests/lib/http_peers.h
api_tests = api/http_client_test api/http_parse_test api/http_write_test \
	api/server_oom_test api/server_plain_test api/server_test api/server_tls_test
UNIT_TESTS += $(api_tests)
api_http_client_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_http_parse_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_http_write_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_server_oom_test_SOURCES = api/server_oom_test.c $(PEERS)
api_server_oom_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_server_oom_test_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
api_server_plain_test_SOURCES = api/server_plain_test.c $(PEERS)
api_server_plain_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_server_test_SOURCES = api/server_test.c $(PEERS)
api_server_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_server_tls_test_SOURCES = api/server_tls_test.c $(PEERS)
api_server_tls_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)

# Front: who is asking, what for, and the answer.
libcs_api_a_SOURCES += \
	api/accept.c api/accept.h \
	api/answer.c api/answer.h \
	api/auth.c api/auth.h \
	api/body.c api/body.h \
	api/by_cert.c api/by_cert.h \
	api/client.c api/client.h \
	api/client_body.c api/client_body.h \
	api/client_read.c api/client_read.h \
	api/clients.c api/clients.h \
	api/crl_cache.c api/crl_cache.h \
	api/csv.c api/csv.h \
	api/decide.c api/decide.h \
	api/front.c api/front.h \
	api/front_admin.c api/front_admin.h \
	api/front_answer.c api/front_answer.h \
	api/front_ask.c api/front_ask.h \
	api/front_checks.c api/front_checks.h \
	api/front_clients.c api/front_clients.h \
	api/front_crl.c api/front_crl.h \
	api/front_evaluate.c api/front_evaluate.h \
	api/front_flights.c api/front_flights.h \
	api/front_house_ask.c api/front_house_ask.h \
	api/front_house_tell.c api/front_house_tell.h \
	api/front_ledger.c api/front_ledger.h \
	api/front_life.c api/front_life.h \
	api/front_list.c api/front_list.h \
	api/front_log.c api/front_log.h \
	api/front_look.c api/front_look.h \
	api/front_ocsp.c api/front_ocsp.h \
	api/front_http.c api/front_http.h \
	api/front_metrics.c api/front_metrics.h \
	api/front_parent.c api/front_parent.h \
	api/front_policy.c api/front_policy.h \
	api/front_issuers.c api/front_issuers.h \
	api/front_reader.c api/front_reader.h \
	api/front_read.c api/front_read.h \
	api/front_refusal.c api/front_refusal.h \
	api/front_reply.c api/front_reply.h \
	api/front_revoke.c api/front_revoke.h \
	api/front_request.c api/front_request.h \
	api/front_room.h \
	api/front_workers.c api/front_workers.h \
	api/inflight.c api/inflight.h \
	api/issuers.c api/issuers.h \
	api/list_form.c api/list_form.h \
	api/openapi.h \
	api/params.c api/params.h \
	api/policy_body.c api/policy_body.h \
	api/peer_cert.c api/peer_cert.h \
	api/problem.c api/problem.h \
	api/problem.def \
	api/request_body.c api/request_body.h \
	api/revoked.c api/revoked.h \
	api/routes.c api/routes.h \
	api/submit.c api/submit.h \
	api/waits.c api/waits.h

# The description that /openapi.json serves, as C.
nodist_libcs_api_a_SOURCES = api/openapi_text.c
EXTRA_DIST += api/openapi.json
CLEANFILES += api/openapi_text.c
api/openapi_text.c: api/openapi.json tools/embed
	$(AM_V_GEN)$(MKDIR_P) api && \
	$(SHELL) $(srcdir)/tools/embed api/openapi.h \
	  cs_openapi=$(srcdir)/api/openapi.json >$@.tmp && mv -f $@.tmp $@

front_tests = api/answer_test api/auth_test \
	api/inflight_test api/list_form_test api/openapi_test api/routes_test \
	api/submit_test
front_tests += api/issuers_test api/front_ocsp_test
api_front_ocsp_test_SOURCES = api/front_ocsp_test.c tests/lib/fake_server.c \
	tests/lib/fake_server.h
api_front_ocsp_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_issuers_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += $(front_tests)
api_answer_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_auth_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_auth_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=CRYPTO_memcmp
api_list_form_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_inflight_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_openapi_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_routes_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_submit_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += api/revoked_test
api_revoked_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += api/by_cert_test
api_by_cert_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)

# Front's files, between links in the test's hands.
FRONT_ROOM = tests/lib/fake_server.c tests/lib/fake_server.h \
	tests/lib/front_room.c tests/lib/front_room.h
UNIT_TESTS += api/front_test \
	api/front_clients_test \
	api/front_flights_test \
	api/front_house_ask_test \
	api/front_http_test \
	api/front_policy_test \
	api/front_read_test \
	api/front_request_test \
	api/front_revoke_test
api_front_test_SOURCES = api/front_test.c $(FRONT_ROOM)
api_front_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_front_clients_test_SOURCES = api/front_clients_test.c $(FRONT_ROOM)
api_front_clients_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_front_flights_test_SOURCES = api/front_flights_test.c $(FRONT_ROOM)
api_front_flights_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_front_house_ask_test_SOURCES = api/front_house_ask_test.c $(FRONT_ROOM)
api_front_house_ask_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_front_http_test_SOURCES = api/front_http_test.c $(FRONT_ROOM)
api_front_http_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_front_policy_test_SOURCES = api/front_policy_test.c $(FRONT_ROOM)
api_front_policy_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_front_read_test_SOURCES = api/front_read_test.c $(FRONT_ROOM)
api_front_read_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_front_request_test_SOURCES = api/front_request_test.c $(FRONT_ROOM)
api_front_request_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
api_front_revoke_test_SOURCES = api/front_revoke_test.c $(FRONT_ROOM)
api_front_revoke_test_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
