// The load generator: one request a connection, every answer checked, one line of JSON at the end.
//
//   load --target ADDRESS:PORT (--connections N | --rate R) (--seconds S | --requests N)
//        [--path P] [--upload BYTES] [--expect BYTES] [--sources N] [--timeout S] [--tls full|resumed]
//        [--aliases N]: the requests show N aliases in turn, each with a team in its path; --path is not heeded then
//
// --connections is a closed loop: N requests in flight, the next starts when one ends. --rate is an open loop: request i is due
// at start + i/R whatever became of those before it, and its latency counts from then, not from when it could be sent.
// The peer closes first and so keeps TIME_WAIT; source addresses 127.0.0.2… spread the ports.
// --tls speaks TLS 1.3 to the target; its certificate is not checked, which would cost this side alone.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bench.h"

enum { MAX_IN_FLIGHT = 32768, HEAD_BYTES = 2048, EVENTS = 256, MAX_LATENCIES = 4000000, TIMER = UINT16_MAX };
enum failure { CONNECT, RESET, HEAD, STATUS, NOT_CLEANED, LENGTH, BYTES, TIMEOUT, OVERLOAD, FAILURES };
static const char *const failure_names[FAILURES] = {
    "connect", "reset", "head", "status", "not_cleaned", "length", "bytes", "timeout", "overload",
};

struct request {
    int fd; // -1 when the slot is free
    SSL *ssl;
    uint16_t next_free;
    bool writing, whole;
    uint64_t due_ns, sent, body_received;
    size_t head_length; // bytes of the head so far
    bool head_whole;
    unsigned alias;
    char head[HEAD_BYTES + 1];
};

static struct request slots[MAX_IN_FLIGHT];
static uint16_t first_free;
static int epoll_fd;
static struct sockaddr_in target;
static char head[2048];
static char *alias_digits, *team_digits; // within it, when there are aliases
static unsigned aliases;
static size_t head_length;
static uint64_t upload_bytes, expect_bytes;
static unsigned sources = 8;

static SSL_CTX *tls; // NULL: plain
static bool resumes;
static SSL_SESSION *session; // the newest
static uint64_t resumed;

static uint64_t started, answered, failures[FAILURES], failed, in_flight, body_bytes, latency_count;
static uint32_t *latencies_ns_16; // in units of 16 ns: 32 bits hold 68 s
static char first_failure[128];

static void fail(enum failure why, const char *detail) {
    if (failed++ == 0) {
        snprintf(first_failure, sizeof first_failure, "%s %.60s", failure_names[why], detail);
        for (char *c = first_failure; *c; c++)
            if (*c == '"' || *c == '\\' || *c < ' ') *c = '\'';
    }
    failures[why]++;
}

// send() and recv(), plain or through TLS, by the same rules: -1 and EAGAIN, or 0 at the end.
static ssize_t tls_result(struct request *r, int result, size_t n) {
    if (result == 1) return (ssize_t)n;
    switch (SSL_get_error(r->ssl, result)) {
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return errno = EAGAIN, -1;
    default: return errno = EPROTO, -1;
    }
}

static ssize_t put(struct request *r, const void *bytes, size_t n, int flags) {
    if (!r->ssl) return send(r->fd, bytes, n, flags);
    size_t sent = 0;
    ERR_clear_error();
    int result = SSL_write_ex(r->ssl, bytes, n, &sent);
    return tls_result(r, result, sent);
}

static ssize_t get(struct request *r, void *bytes, size_t n) {
    if (!r->ssl) return recv(r->fd, bytes, n, 0);
    size_t received = 0;
    ERR_clear_error();
    int result = SSL_read_ex(r->ssl, bytes, n, &received);
    return tls_result(r, result, received);
}

static int keep_session(SSL *ssl, SSL_SESSION *new) {
    (void)ssl;
    SSL_SESSION_free(session);
    session = new;
    return 1;
}

static void begin_tls(struct request *r) {
    if (!(r->ssl = SSL_new(tls)) || SSL_set_fd(r->ssl, r->fd) != 1) exit(1);
    SSL_set_connect_state(r->ssl);
    if (!resumes || !session) return;
    SSL_SESSION *copy = SSL_SESSION_dup(session); // a session in use is marked as used up
    SSL_set_session(r->ssl, copy);
    SSL_SESSION_free(copy);
}

static void release(struct request *r) {
    if (r->ssl) {
        resumed += SSL_session_reused(r->ssl) == 1;
        SSL_set_shutdown(r->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(r->ssl);
        r->ssl = NULL;
    }
    close(r->fd);
    r->fd = -1;
    r->next_free = first_free;
    first_free = (uint16_t)(r - slots);
    in_flight--;
}

static void give_up(struct request *r, enum failure why, const char *detail) {
    fail(why, detail);
    release(r);
}

static void put_digits(char *place, int count, unsigned value) {
    for (; count-- > 0; value /= 10) place[count] = (char)('0' + value % 10);
}

// The head of this request: each alias has a token of its own, and its team is in the path.
static const char *head_of(const struct request *r) {
    if (aliases) put_digits(alias_digits, 6, r->alias), put_digits(team_digits, 3, r->alias % ALIAS_TEAMS);
    return head;
}

// Sends what is left of the request. False: the request has ended.
static bool write_some(struct request *r) {
    uint64_t total = head_length + upload_bytes;
    while (r->sent < total) {
        ssize_t n;
        if (r->sent < head_length) {
            n = put(r, head_of(r) + r->sent, head_length - r->sent, MSG_NOSIGNAL | (upload_bytes ? MSG_MORE : 0));
        } else {
            uint64_t offset = r->sent - head_length, left = upload_bytes - offset;
            n = put(r, bulk_pattern() + offset % PATTERN_PERIOD, left < BULK_CHUNK ? (size_t)left : BULK_CHUNK, MSG_NOSIGNAL);
        }
        if (n < 0 && errno == EAGAIN) return true;
        if (n < 0) return give_up(r, RESET, strerror(errno)), false;
        r->sent += (uint64_t)n;
    }
    if (r->writing) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)(r - slots)};
        r->writing = false;
        if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, r->fd, &event) < 0) die("epoll_ctl");
    }
    return true;
}

static void start(uint64_t due_ns) {
    started++;
    if (first_free == MAX_IN_FLIGHT) return fail(OVERLOAD, "too many in flight");
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(CONNECT, strerror(errno));
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002u + (uint32_t)(started % sources))};
    // The port is chosen at connect(), so that it need only be free for this target.
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0 ||
        (connect(fd, (struct sockaddr *)&target, sizeof target) < 0 && errno != EINPROGRESS)) {
        fail(CONNECT, strerror(errno));
        close(fd);
        return;
    }
    struct request *r = &slots[first_free];
    first_free = r->next_free;
    in_flight++;
    r->fd = fd, r->due_ns = due_ns, r->sent = r->body_received = 0, r->head_length = 0, r->head_whole = r->whole = false;
    // Scattered, so that none is near the one before.
    r->alias = aliases ? (unsigned)(started * 7919 % aliases) : 0;
    // On loopback the connection stands by now, and the first send() goes through.
    if (tls) begin_tls(r);
    ssize_t n = put(r, head_of(r), head_length, MSG_NOSIGNAL | (upload_bytes ? MSG_MORE : 0));
    if (n < 0 && errno != EAGAIN && errno != ENOTCONN) return give_up(r, CONNECT, strerror(errno));
    if (n > 0) r->sent = (uint64_t)n;
    r->writing = r->sent < head_length + upload_bytes;
    struct epoll_event event = {.events = EPOLLIN | (r->writing && !tls ? (uint32_t)EPOLLOUT : 0u), .data.u64 = (uint64_t)(r - slots)};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

static void check_body(struct request *r, const unsigned char *bytes, size_t n) {
    bool right = r->body_received + n <= expect_bytes;
    if (right && expect_bytes == sizeof SMALL_BODY - 1) right = memcmp(bytes, &SMALL_BODY[r->body_received], n) == 0;
    else if (right) right = memcmp(bytes, bulk_pattern() + r->body_received % PATTERN_PERIOD, n) == 0;
    if (!right) return give_up(r, BYTES, "other bytes than were sent");
    r->body_received += n;
    if (r->body_received < expect_bytes) return;
    r->whole = true;
    uint64_t units = (now_ns() - r->due_ns) / 16;
    if (latency_count < MAX_LATENCIES) latencies_ns_16[latency_count++] = units > UINT32_MAX ? UINT32_MAX : (uint32_t)units;
}

static void check_head(struct request *r) {
    char text[32];
    snprintf(text, sizeof text, "\r\nContent-Length: %llu\r\n", (unsigned long long)expect_bytes);
    if (strncmp(r->head, "HTTP/1.1 200 ", 13) != 0) return give_up(r, STATUS, r->head);
    if (!strcasestr(r->head, text)) return give_up(r, LENGTH, "no or another Content-Length");
    if (strcasestr(r->head, "\r\nSet-Cookie:")) return give_up(r, NOT_CLEANED, "Set-Cookie came through");
    if (!strcasestr(r->head, "\r\nConnection: close\r\n")) return give_up(r, NOT_CLEANED, "no Connection: close");
}

static void read_some(struct request *r) {
    static unsigned char bulk[BULK_CHUNK];
    for (int budget = 4; budget > 0; budget--) {
        ssize_t n = r->head_whole ? get(r, bulk, sizeof bulk) : get(r, r->head + r->head_length, HEAD_BYTES - r->head_length);
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) return give_up(r, RESET, strerror(errno));
        if (n == 0) {
            if (!r->whole) return give_up(r, r->head_whole ? LENGTH : HEAD, "cut short");
            answered++;
            body_bytes += r->body_received + upload_bytes;
            return release(r);
        }
        if (!r->head_whole) {
            r->head_length += (size_t)n;
            r->head[r->head_length] = 0;
            char *end = strstr(r->head, "\r\n\r\n");
            if (!end && r->head_length == HEAD_BYTES) return give_up(r, HEAD, "too long");
            if (!end) continue;
            r->head_whole = true;
            size_t extra = r->head_length - (size_t)(end + 4 - r->head);
            memcpy(bulk, end + 4, extra);
            end[4] = 0;
            check_head(r);
            n = (ssize_t)extra;
        }
        if (r->fd >= 0 && n > 0) check_body(r, bulk, (size_t)n);
        if (r->fd < 0) return;
    }
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// Nearest rank, in microseconds.
static double percentile(double p) {
    if (latency_count == 0) return 0;
    uint64_t rank = (uint64_t)(p * (double)latency_count + 0.999999);
    return (double)latencies_ns_16[rank > 0 ? rank - 1 : 0] * 16e-3;
}

static void write_head(const char *path) {
    char length[128] = "";
    if (upload_bytes)
        snprintf(length, sizeof length, "Content-Type: application/octet-stream\r\nContent-Length: %llu\r\n",
                 (unsigned long long)upload_bytes);
    int n = snprintf(head, sizeof head,
                     "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: sentry-cli/2.46.0\r\nAccept: application/json\r\n"
                     "Accept-Encoding: gzip, br\r\nAccept-Language: en-GB,en;q=0.8\r\nAuthorization: Bearer %s\r\n"
                     "Cookie: session=must-not-pass\r\nForwarded: for=203.0.113.9\r\nOrigin: https://sentry.example\r\n"
                     "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 203.0.113.9\r\n"
                     "X-Sentry-Auth: Sentry must-not-pass\r\n%sConnection: close\r\n\r\n",
                     upload_bytes ? "POST" : "GET", aliases ? ALIAS_PATH : path, aliases ? ALIAS_TOKEN : CLIENT_TOKEN, length);
    if (n < 0 || (size_t)n >= sizeof head) exit(64);
    head_length = (size_t)n;
    if (!aliases) return;
    alias_digits = strstr(head, "bench-alias-") + strlen("bench-alias-");
    team_digits = strstr(head, "team-") + strlen("team-");
}

static void report(uint64_t elapsed_ns) {
    qsort(latencies_ns_16, latency_count, sizeof *latencies_ns_16, by_size);
    printf("{\"started\":%llu,\"answered\":%llu,\"failed\":%llu,\"first_failure\":\"%s\",\"failures\":{", (unsigned long long)started,
           (unsigned long long)answered, (unsigned long long)failed, first_failure);
    for (int i = 0; i < FAILURES; i++) printf("%s\"%s\":%llu", i ? "," : "", failure_names[i], (unsigned long long)failures[i]);
    printf("},\"seconds\":%.6f,\"resumed\":%llu,\"body_bytes\":%llu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f}\n",
           (double)elapsed_ns * 1e-9, (unsigned long long)resumed, (unsigned long long)body_bytes, percentile(0.50), percentile(0.99), percentile(0.999), percentile(1));
}

int main(int argc, char **argv) {
    const struct option options[] = {
        {"target", 1, 0, 't'}, {"connections", 1, 0, 'c'}, {"rate", 1, 0, 'r'}, {"seconds", 1, 0, 's'}, {"requests", 1, 0, 'n'},
        {"path", 1, 0, 'p'}, {"upload", 1, 0, 'u'}, {"expect", 1, 0, 'e'}, {"sources", 1, 0, 'a'}, {"timeout", 1, 0, 'o'}, {"tls", 1, 0, 'l'},
        {"aliases", 1, 0, 'i'}, {0, 0, 0, 0},
    };
    const char *path = "/api/0/organizations/acme/releases/?per_page=25";
    uint64_t connections = 0, requests = UINT64_MAX;
    double rate = 0, seconds = 0, timeout = 10;
    char *port;
    expect_bytes = sizeof SMALL_BODY - 1;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 't':
            if (!(port = strchr(optarg, ':'))) return 64;
            *port = 0;
            target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port + 1))};
            if (inet_pton(AF_INET, optarg, &target.sin_addr) != 1) return 64;
            break;
        case 'c': connections = strtoull(optarg, NULL, 10); break;
        case 'r': rate = atof(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'n': requests = strtoull(optarg, NULL, 10); break;
        case 'p': path = optarg; break;
        case 'u': upload_bytes = strtoull(optarg, NULL, 10); break;
        case 'e': expect_bytes = strtoull(optarg, NULL, 10); break;
        case 'a': sources = (unsigned)atoi(optarg); break;
        case 'o': timeout = atof(optarg); break;
        case 'i': aliases = (unsigned)atoi(optarg); break;
        case 'l':
            if (!(tls = SSL_CTX_new(TLS_client_method()))) return 1;
            resumes = strcmp(optarg, "resumed") == 0;
            SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
            SSL_CTX_set_options(tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
            SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
            SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
            SSL_CTX_sess_set_new_cb(tls, keep_session);
            break;
        default: return 64;
        }
    }
    bool one_loop = (connections > 0) != (rate > 0), bounded = seconds > 0 || requests < UINT64_MAX;
    if (!target.sin_port || !one_loop || !bounded || sources == 0 || connections > MAX_IN_FLIGHT) {
        fprintf(stderr, "load: --target, one of --connections and --rate, and one of --seconds and --requests are needed\n");
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    write_head(path);
    for (size_t i = 0; i < MAX_IN_FLIGHT; i++) slots[i].fd = -1, slots[i].next_free = (uint16_t)(i + 1);
    if (!(latencies_ns_16 = malloc(MAX_LATENCIES * sizeof *latencies_ns_16))) die("malloc");
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (epoll_fd < 0 || timer < 0) die("epoll");

    uint64_t begin = now_ns(), end = seconds > 0 ? begin + (uint64_t)(seconds * 1e9) : UINT64_MAX, stopped = 0, due = 0;
    if (rate > 0) {
        long interval = (long)(1e9 / rate);
        struct itimerspec every = {.it_interval = {interval / 1000000000, interval % 1000000000}, .it_value = {0, 1}};
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = TIMER};
        if (timerfd_settime(timer, 0, &every, NULL) < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer, &event) < 0) die("timerfd");
    }
    struct epoll_event events[EVENTS];
    for (;;) {
        uint64_t now = now_ns();
        if (stopped == 0 && (now >= end || started >= requests || failed >= 1000)) stopped = now;
        if (stopped == 0 && connections > 0)
            // The first one brings the session that the others resume.
            while (in_flight < (resumes && !session ? 1 : connections) && started < requests && failed < 1000) start(now_ns());
        if (stopped == 0 && rate > 0)
            for (; started < requests && (due = begin + (uint64_t)((double)started * 1e9 / rate)) <= now;) start(due);
        if (stopped > 0 && in_flight == 0) break;
        if (stopped > 0 && now > stopped + (uint64_t)(timeout * 1e9)) break;
        int n = epoll_wait(epoll_fd, events, EVENTS, 100);
        if (n < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < n; i++) {
            uint64_t expirations;
            if (events[i].data.u64 == TIMER) {
                (void)!read(timer, &expirations, sizeof expirations);
                continue;
            }
            struct request *r = &slots[events[i].data.u64];
            if (r->fd < 0) continue;
            // A handshake goes on with what is read.
            if (r->writing && (events[i].events & EPOLLOUT || tls) && !write_some(r)) continue;
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_some(r);
        }
    }
    uint64_t elapsed = now_ns() - begin;
    for (size_t i = 0; i < MAX_IN_FLIGHT; i++)
        if (slots[i].fd >= 0) give_up(&slots[i], TIMEOUT, "no whole answer");
    report(elapsed);
    return failed > 0 || answered != started;
}
