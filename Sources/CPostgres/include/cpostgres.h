#ifndef CPOSTGRES_H
#define CPOSTGRES_H

// Fedora and others have it on the path; Debian keeps it in a folder.
#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif

// Opens libpq. Until that has gone well, no function of it may be called. To be called by one thread at a time.
// Returns NULL, or else what the dynamic loader says against it.
const char *cpostgres_open(void);

#endif
