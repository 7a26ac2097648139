// libpq is opened when PostgreSQL is asked for, not when the program starts: it brings 18 more libraries, which take longer
// to load than all else (docs/adr/0018-start-and-memory-at-rest.md). Its functions are here by their own names and types,
// which the compiler holds against libpq's header; each goes on to the one that was found.
#include "cpostgres.h"

#include <dlfcn.h>
#include <stddef.h>

// F(result, name, (parameters), (arguments)); P for a procedure without a result.
#define FUNCTIONS(F, P) \
    F(PGconn *, PQconnectStartParams, (const char *const *k, const char *const *v, int expand), (k, v, expand)) \
    F(PostgresPollingStatusType, PQconnectPoll, (PGconn * c), (c)) \
    P(PQfinish, (PGconn * c), (c)) \
    F(PQconninfoOption *, PQconninfoParse, (const char *info, char **message), (info, message)) \
    F(PQconninfoOption *, PQconninfo, (PGconn * c), (c)) \
    P(PQconninfoFree, (PQconninfoOption * options), (options)) \
    F(PGcancel *, PQgetCancel, (PGconn * c), (c)) \
    P(PQfreeCancel, (PGcancel * request), (request)) \
    F(int, PQcancel, (PGcancel * request, char *message, int size), (request, message, size)) \
    F(ConnStatusType, PQstatus, (const PGconn *c), (c)) \
    F(char *, PQerrorMessage, (const PGconn *c), (c)) \
    F(int, PQsocket, (const PGconn *c), (c)) \
    F(int, PQconnectionNeedsPassword, (const PGconn *c), (c)) \
    F(PGVerbosity, PQsetErrorVerbosity, (PGconn * c, PGVerbosity verbosity), (c, verbosity)) \
    F(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn * c, PQnoticeProcessor body, void *context), (c, body, context)) \
    F(int, PQsendQuery, (PGconn * c, const char *query), (c, query)) \
    F(int, PQsendQueryParams, \
      (PGconn * c, const char *query, int n, const Oid *types, const char *const *values, const int *lengths, \
       const int *formats, int result_format), \
      (c, query, n, types, values, lengths, formats, result_format)) \
    F(PGresult *, PQgetResult, (PGconn * c), (c)) \
    F(int, PQisBusy, (PGconn * c), (c)) \
    F(int, PQconsumeInput, (PGconn * c), (c)) \
    F(PGnotify *, PQnotifies, (PGconn * c), (c)) \
    F(int, PQsetnonblocking, (PGconn * c, int on), (c, on)) \
    F(int, PQflush, (PGconn * c), (c)) \
    F(ExecStatusType, PQresultStatus, (const PGresult *r), (r)) \
    F(char *, PQresultErrorMessage, (const PGresult *r), (r)) \
    F(char *, PQresultErrorField, (const PGresult *r, int field), (r, field)) \
    F(int, PQntuples, (const PGresult *r), (r)) \
    F(int, PQnfields, (const PGresult *r), (r)) \
    F(char *, PQgetvalue, (const PGresult *r, int row, int column), (r, row, column)) \
    F(int, PQgetlength, (const PGresult *r, int row, int column), (r, row, column)) \
    F(int, PQgetisnull, (const PGresult *r, int row, int column), (r, row, column)) \
    P(PQclear, (PGresult * r), (r)) \
    P(PQfreemem, (void *memory), (memory))

#define FOUND_FUNCTION(result, name, parameters, arguments) static result(*found_##name) parameters;
#define FOUND_PROCEDURE(name, parameters, arguments) FOUND_FUNCTION(void, name, parameters, arguments)
FUNCTIONS(FOUND_FUNCTION, FOUND_PROCEDURE)

// Hidden, so that libpq's own calls of these names stay within it.
#define HIDDEN __attribute__((visibility("hidden")))
#define FUNCTION(result, name, parameters, arguments) \
    HIDDEN result name parameters { return found_##name arguments; }
#define PROCEDURE(name, parameters, arguments) \
    HIDDEN void name parameters { found_##name arguments; }
FUNCTIONS(FUNCTION, PROCEDURE)

const char *cpostgres_open(void) {
    static void *library;
    if (library) return NULL;
    void *opened = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!opened) return dlerror();
#define FIND_FUNCTION(result, name, parameters, arguments) \
    if (!(*(void **)&found_##name = dlsym(opened, #name))) return dlerror();
#define FIND_PROCEDURE(name, parameters, arguments) FIND_FUNCTION(void, name, parameters, arguments)
    FUNCTIONS(FIND_FUNCTION, FIND_PROCEDURE)
    library = opened;
    return NULL;
}
