# The adapter for cert-manager: a client of the API, with a library of its own.
noinst_LIBRARIES += libcs_kube.a
libcs_kube_a_SOURCES = \
	kube/adapter.c kube/adapter.h kube/adapter_parts.h \
	kube/api.c kube/api.h \
	kube/fetch.c kube/fetch.h \
	kube/file.c kube/file.h \
	kube/issuers.c kube/issuers.h \
	kube/issuers_check.c kube/issuers_parts.h \
	kube/lease.c kube/lease.h \
	kube/object.c kube/object.h \
	kube/probe.c kube/probe.h \
	kube/queue.c kube/queue.h \
	kube/reflect.c kube/reflect.h \
	kube/request.c kube/request.h kube/request_body.c \
	kube/verdict.c kube/verdict.h \
	kube/wait.c kube/wait.h \
	kube/where.c kube/where.h \
	kube/where_kubeconfig.c kube/where_parts.h \
	kube/work.c \
	kube/write.c kube/write.h

kube_tests = kube/queue_test kube/request_test kube/verdict_test \
	kube/where_test kube/write_test
UNIT_TESTS += $(kube_tests)
kube_queue_test_LDADD = $(KUBE_LIBS) $(CMOCKA_LIBS)
kube_request_test_LDADD = $(KUBE_LIBS) $(CMOCKA_LIBS)
kube_verdict_test_LDADD = $(KUBE_LIBS) $(CMOCKA_LIBS)
kube_where_test_LDADD = $(KUBE_LIBS) $(CMOCKA_LIBS)
kube_write_test_LDADD = $(KUBE_LIBS) $(CMOCKA_LIBS)
