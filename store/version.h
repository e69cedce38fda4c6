/* The version of SQLite that runs, as it says itself: "3.40.1". */
#ifndef CS_STORE_VERSION_H
#define CS_STORE_VERSION_H

const char *cs_version_sqlite(void);

#endif
