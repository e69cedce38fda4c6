noinst_LIBRARIES += libcs_store.a
libcs_store_a_SOURCES = \
	store/answer_row.c store/answer_row.h \
	store/copy.c store/copy.h \
	store/db.c store/db.h \
	store/fixed_body.c store/fixed_body.h \
	store/ledger.c store/ledger.h \
	store/ledger_act.c \
	store/ledger_admin.c \
	store/ledger_backup.c \
	store/ledger_batch.c \
	store/ledger_check.c \
	store/ledger_clients.c \
	store/ledger_clock.c \
	store/ledger_commit.c \
	store/ledger_crl.c store/ledger_crl.h \
	store/ledger_crl_due.c \
	store/ledger_crl_metrics.c \
	store/ledger_crl_round.c \
	store/ledger_crl_wait.c \
	store/ledger_decide.c \
	store/ledger_drive.c \
	store/ledger_ends.c \
	store/ledger_expire.c \
	store/ledger_hold.c \
	store/ledger_intake.c \
	store/ledger_metrics.c store/ledger_metrics.h \
	store/ledger_note.c \
	store/ledger_recover.c \
	store/ledger_request.c \
	store/ledger_restore.c \
	store/ledger_revoke.c \
	store/ledger_revoked.c \
	store/ledger_room.h \
	store/ledger_send.c \
	store/ledger_set.c \
	store/ledger_sign.c \
	store/ledger_start.c \
	store/ledger_state.c \
	store/ledger_stop.c \
	store/ledger_tell.c \
	store/ledger_terms.c \
	store/lock.c store/lock.h \
	store/migrate.c store/migrate.h \
	store/purge.c store/purge.h store/purge_compact.c \
	store/roster.c store/roster.h \
	store/schema.c store/schema.h \
	store/sql.def \
	store/stored.c store/stored.h \
	store/disk_watch.c store/disk_watch.h \
	store/subtree.c store/subtree.h

# The log and the questions.
libcs_store_a_SOURCES += store/version.c store/version.h
libcs_store_a_SOURCES += \
	store/leaf.c store/leaf.h \
	store/note.c store/note.h \
	store/ocsp.c store/ocsp.h \
	store/ocsp_der.h store/ocsp_request.c store/ocsp_response.c \
	store/ocsp_responder.c store/ocsp_responder.h \
	store/query.c store/query.h store/query_internal.h \
	store/query_audit.c store/query_crl.c store/query_history.c store/query_list.c store/query_one.c \
	store/query_page.c store/query_params.c store/query_proof.c \
	store/query_refuse.c store/query_walk.c \
	store/reader.c store/reader.h \
	store/recorded.c store/recorded.h \
	store/rows.c store/rows.h \
	store/sql_log.def store/sql_purge.def \
	store/tree.c store/tree.h \
	store/verify.c store/verify.h store/verify_internal.h \
	store/verify_admin.c store/verify_find.c store/verify_leaf.c \
	store/verify_purged.c store/verify_rows.c

store_log_tests = store/leaf_test store/note_test store/ocsp_der_test \
	store/ocsp_test store/purge_test store/query_plan_test \
	store/query_test \
	store/reader_test store/tree_test store/verify_test
UNIT_TESTS += $(store_log_tests)
store_leaf_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_note_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_ocsp_der_test_SOURCES = store/ocsp_der_test.c tests/lib/ocsp_maker.c \
	tests/lib/ocsp_maker.h
UNIT_TESTS += store/ocsp_oom_test
store_ocsp_oom_test_SOURCES = store/ocsp_oom_test.c tests/lib/oom.c \
	tests/lib/oom.h tests/lib/ocsp_maker.c tests/lib/ocsp_maker.h
store_ocsp_oom_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_ocsp_oom_test_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
store_ocsp_test_SOURCES = store/ocsp_test.c $(HISTORY) tests/lib/ocsp_maker.c tests/lib/ocsp_maker.h
store_ocsp_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_ocsp_der_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_tree_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_purge_test_SOURCES = store/purge_test.c $(HISTORY)
store_purge_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_query_plan_test_SOURCES = store/query_plan_test.c $(HISTORY)
store_query_plan_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_query_test_SOURCES = store/query_test.c $(HISTORY)
store_query_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_reader_test_SOURCES = store/reader_test.c $(HISTORY)
store_reader_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_verify_test_SOURCES = store/verify_test.c $(HISTORY) \
	tests/lib/history_crl.c
store_verify_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)

# A record that no ledger wrote, row by row.
HISTORY = tests/lib/history.c tests/lib/history.h tests/lib/history_parts.h \
	tests/lib/history_requests.c

# A whole ledger in one process, with the other rooms in the test's hands.
LEDGER_HOUSE = tests/lib/ledger_house.c tests/lib/ledger_house.h \
	tests/lib/ledger_house_ask.c $(SEAMS)
store_ledger_tests = store/db_test store/ledger_backup_test \
	store/ledger_client_test store/ledger_crl_test \
	store/ledger_disk_test \
	store/ledger_fault_test store/ledger_hold_test \
	store/ledger_limit_test store/ledger_revoke_test store/ledger_test \
	store/migrate_test
UNIT_TESTS += $(store_ledger_tests)
store_ledger_test_SOURCES = store/ledger_test.c $(LEDGER_HOUSE)
store_ledger_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_ledger_disk_test_SOURCES = store/ledger_disk_test.c \
	tests/lib/vfs_shim.c tests/lib/vfs_shim.h $(LEDGER_HOUSE)
store_ledger_disk_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_ledger_backup_test_SOURCES = store/ledger_backup_test.c $(LEDGER_HOUSE)
store_ledger_backup_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_ledger_crl_test_SOURCES = store/ledger_crl_test.c $(LEDGER_HOUSE)
store_ledger_crl_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_ledger_hold_test_SOURCES = store/ledger_hold_test.c $(LEDGER_HOUSE)
store_ledger_hold_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_ledger_client_test_SOURCES = store/ledger_client_test.c $(LEDGER_HOUSE)
store_ledger_client_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_ledger_revoke_test_SOURCES = store/ledger_revoke_test.c $(LEDGER_HOUSE)
store_ledger_revoke_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_ledger_limit_test_SOURCES = store/ledger_limit_test.c $(LEDGER_HOUSE)
store_ledger_limit_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_ledger_fault_test_SOURCES = store/ledger_fault_test.c $(LEDGER_HOUSE)
store_ledger_fault_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_db_test_SOURCES = store/db_test.c
store_db_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
store_migrate_test_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)

# The fixture for every later migration, and what wrote it.
EXTRA_DIST += tests/vectors/ledger/v1.sql tests/vectors/ledger/v2.sql
EXTRA_PROGRAMS += tests/vectors/ledger/make
tests_vectors_ledger_make_SOURCES = tests/vectors/ledger/make.c $(LEDGER_HOUSE)
tests_vectors_ledger_make_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
