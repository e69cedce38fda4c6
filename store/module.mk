noinst_LIBRARIES += libcs_store.a
libcs_store_a_SOURCES = \
	store/db.c store/db.h \
	store/leaf.h \
	store/note.h \
	store/rows.h \
	store/schema.c store/schema.h \
	store/sql.def \
	store/tree.h
