noinst_LIBRARIES += libcs_store.a
libcs_store_a_SOURCES = \
	store/leaf.h \
	store/note.h \
	store/rows.h \
	store/tree.h
