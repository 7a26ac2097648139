// What the load generator and the upstream agree on: the request's secrets, the small answer, the bulk pattern.
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// The token that the proxy must put in, and the one that a client sends and must not get through.
#define UPSTREAM_TOKEN "bench-upstream-token-0123456789abcdef0123456789abcdef"
#define CLIENT_TOKEN "client-token-that-must-not-pass"
// Of one alias of many, and a request that it makes; the digits change.
#define ALIAS_TOKEN "bench-alias-000000-0123456789abcdef"
#define ALIAS_PATH "/api/0/projects/team-000/web/events/0123456789abcdef0123456789abcdef/"
#define ALIAS_TEAMS 500u

#define SMALL_BODY                                                                                                     \
    "[{\"id\":\"4504\",\"version\":\"web@24.9.1\",\"status\":\"open\",\"dateCreated\":\"2024-09-17T09:21:44.112Z\","     \
    "\"projects\":[{\"id\":\"11\",\"slug\":\"web\",\"name\":\"web\",\"platform\":\"python-django\"}],\"newGroups\":3,"    \
    "\"commitCount\":12,\"deployCount\":1,\"url\":null,\"ref\":null}]"

// Bulk bodies are this pattern over and over. Its period is a prime, so that a lost or repeated block of any
// usual buffer size shows. The table repeats, so that every slice up to BULK_CHUNK is contiguous.
#define PATTERN_PERIOD 65521u
#define BULK_CHUNK 262144u

static inline const unsigned char *bulk_pattern(void) {
    static unsigned char table[PATTERN_PERIOD + BULK_CHUNK];
    static bool filled;
    if (!filled) {
        uint32_t state = 2463534242u;
        for (size_t i = 0; i < sizeof table; i++) {
            if (i >= PATTERN_PERIOD) {
                table[i] = table[i - PATTERN_PERIOD];
                continue;
            }
            state ^= state << 13, state ^= state >> 17, state ^= state << 5;
            table[i] = (unsigned char)state;
        }
        filled = true;
    }
    return table;
}

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline _Noreturn void die(const char *what) {
    perror(what);
    exit(1);
}

#endif
