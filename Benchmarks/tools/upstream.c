// The upstream of the benchmark: answers, closes first, and checks that every request was cleaned.
//
//   upstream ADDRESS PORT [AUTHORITY]
//
// GET  …/bytes/N/   N bytes of the bulk pattern
// GET  anything     a small JSON document
// POST anything     reads a Content-Length body, compares it with the pattern, answers the small JSON
//
// Commands, one a line on stdin, each answered by one line on stdout; end of input ends the program:
//   hold      keep answers to small requests back
//   release   send them, and hold no more
//   stats     {"requests":…,"held":…,"violations":…,"first":"…"}
//   reset     set the counts to zero
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum { MAX_DESCRIPTORS = 65536, HEAD_BYTES = 4096, EVENTS = 256 };
enum phase { READING_HEAD, READING_BODY, HELD, SENDING };

struct connection {
    enum phase phase;
    bool watched;             // is in the epoll set
    uint32_t interest;
    size_t head_length;
    uint64_t body_expected, body_received;
    uint64_t answer_length, answer_sent; // of a bulk answer
    char head[HEAD_BYTES + 1];
    char slug[64]; // whose number is asked for; empty for any other request
};

static struct connection *connections[MAX_DESCRIPTORS];
static int epoll_fd;
static bool holding;
static struct { uint64_t requests, held, violations; char first[160]; } counts;
static char authority[64];

// Fields that must not arrive on the elevated route; a name that ends in '-' is a prefix.
static const char *const forbidden[] = {
    "accept-language", "authentication", "cookie", "expect", "forwarded", "keep-alive", "origin", "proxy-authorization",
    "proxy-connection", "te", "trailer", "upgrade", "via", "x-forwarded-", "x-is-agent", "x-real-ip", "x-sentry-auth",
    "x-sentry-relay-", "x-viewer-context", "x-hop",
};

static const char small_answer[] =
    "HTTP/1.1 200 OK\r\nServer: upstream\r\nContent-Type: application/json\r\nContent-Language: en\r\n"
    "Vary: Accept-Language, Cookie\r\nX-Frame-Options: deny\r\nX-Content-Type-Options: nosniff\r\n"
    "Set-Cookie: sentrysid=must-not-pass; Path=/\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s";
static char small_bytes[2048];
static size_t small_length;

static void violation(const char *what, const char *detail) {
    if (counts.violations++ == 0) snprintf(counts.first, sizeof counts.first, "%s %.80s", what, detail);
    for (char *c = counts.first; *c; c++)
        if (*c == '"' || *c == '\\' || *c < ' ') *c = '\'';
}

static bool is_forbidden(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        size_t n = strlen(forbidden[i]);
        bool prefix = forbidden[i][n - 1] == '-';
        if ((prefix ? length >= n : length == n) && strncasecmp(name, forbidden[i], n) == 0) return true;
    }
    return false;
}

static bool named(const char *line, const char *name, const char **value) {
    size_t n = strlen(name);
    if (strncasecmp(line, name, n) != 0 || line[n] != ':') return false;
    *value = line + n + 1 + strspn(line + n + 1, " \t");
    return true;
}

// Checks one whole head, which is cut into lines in place. Sets what the connection answers or reads next.
static void check_head(struct connection *c, char *head) {
    int authorizations = 0, hosts = 0, closes = 0;
    bool length_seen = false;
    char *rest = head, *line = strsep(&rest, "\n");
    const char *bytes = strstr(line, "/bytes/");
    bool post = strncmp(line, "POST ", 5) == 0;
    if (!strstr(line, " HTTP/1.1\r")) violation("request line", line);
    c->answer_length = bytes ? strtoull(bytes + 7, NULL, 10) : 0;
    c->slug[0] = 0;
    int end = 0;
    if (sscanf(line, "GET /api/0/organizations/%63[a-z0-9-]/?detailed=0%*1[ ]%n", c->slug, &end) < 1 || !end) {
        if (sscanf(line, "GET /api/0/projects/%*[a-z0-9-]/%63[a-z0-9-]/%*1[ ]%n", c->slug, &end) < 1 || !end) c->slug[0] = 0;
    }
    while ((line = strsep(&rest, "\n")) != NULL) {
        const char *value;
        size_t n = strlen(line);
        if (n > 0 && line[n - 1] == '\r') line[n - 1] = 0;
        if (*line == 0) break;
        if (is_forbidden(line, strcspn(line, ":"))) violation("not dropped:", line);
        if (named(line, "authorization", &value)) {
            authorizations++;
            if (strcmp(value, "Bearer " UPSTREAM_TOKEN) != 0) violation("wrong token:", value);
        } else if (named(line, "host", &value)) {
            hosts++;
            if (strcmp(value, authority) != 0) violation("wrong host:", value);
        } else if (named(line, "connection", &value)) {
            closes += strcasecmp(value, "close") == 0;
        } else if (named(line, "accept-encoding", &value)) {
            if (strcmp(value, "identity") != 0) violation("wrong encoding:", value);
        } else if (named(line, "transfer-encoding", &value)) {
            violation("unexpected framing:", line);
        } else if (named(line, "content-length", &value)) {
            length_seen = true;
            c->body_expected = strtoull(value, NULL, 10);
        }
    }
    if (authorizations != 1) violation("Authorization fields", authorizations ? "more than one" : "none");
    if (hosts != 1) violation("Host fields", hosts ? "more than one" : "none");
    if (closes != 1) violation("Connection: close", "missing");
    if (post && !length_seen) violation("Content-Length", "missing");
}

static void drop(int fd) {
    close(fd);
    free(connections[fd]);
    connections[fd] = NULL;
}

static void watch(int fd, uint32_t interest) {
    struct connection *c = connections[fd];
    if (c->watched && c->interest == interest) return;
    struct epoll_event event = {.events = interest, .data.fd = fd};
    if (epoll_ctl(epoll_fd, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
    c->watched = true;
    c->interest = interest;
}

static void answer_small(int fd) {
    // It fits any socket buffer; a short send means that the peer is gone, which the load generator sees.
    (void)!send(fd, small_bytes, small_length, MSG_NOSIGNAL);
    drop(fd);
}

// What Sentry says of an organization or a project: the proxy asks that of the names that aliases are held to.
static void answer_name(int fd, const char *slug) {
    uint32_t id = 2166136261u;
    for (const char *c = slug; *c; c++) id = (id ^ (unsigned char)*c) * 16777619u;
    char body[160], answer[320];
    int n = snprintf(body, sizeof body, "{\"id\":\"%u\",\"slug\":\"%s\"}", id | 1, slug);
    n = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", n, body);
    (void)!send(fd, answer, (size_t)n, MSG_NOSIGNAL);
    drop(fd);
}

static void send_bulk(int fd) {
    struct connection *c = connections[fd];
    for (int budget = 8; budget > 0; budget--) {
        uint64_t left = c->answer_length - c->answer_sent;
        if (left == 0) return drop(fd);
        size_t n = left < BULK_CHUNK ? (size_t)left : BULK_CHUNK;
        ssize_t sent = send(fd, bulk_pattern() + c->answer_sent % PATTERN_PERIOD, n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return drop(fd);
        if (sent < 0) break;
        c->answer_sent += (uint64_t)sent;
    }
    watch(fd, EPOLLOUT);
}

static void begin_answer(int fd) {
    struct connection *c = connections[fd];
    counts.requests++;
    if (c->slug[0]) return answer_name(fd, c->slug);
    if (c->answer_length > 0) {
        char head[160];
        int n = snprintf(head, sizeof head,
                         "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n"
                         "Content-Length: %llu\r\n\r\n", (unsigned long long)c->answer_length);
        c->phase = SENDING;
        (void)!send(fd, head, (size_t)n, MSG_NOSIGNAL | MSG_MORE);
        send_bulk(fd);
    } else if (holding && c->body_expected == 0) {
        c->phase = HELD;
        counts.held++;
        watch(fd, 0); // only EPOLLHUP and EPOLLERR are left
    } else {
        answer_small(fd);
    }
}

static void take_body(int fd, const unsigned char *bytes, size_t n) {
    struct connection *c = connections[fd];
    if (c->body_received + n > c->body_expected) violation("body", "longer than its Content-Length");
    else if (memcmp(bytes, bulk_pattern() + c->body_received % PATTERN_PERIOD, n) != 0) violation("body", "other bytes than were sent");
    c->body_received += n;
    if (c->body_received >= c->body_expected) begin_answer(fd);
}

static void read_some(int fd) {
    static unsigned char bulk[BULK_CHUNK];
    struct connection *c = connections[fd];
    if (c->phase == READING_BODY) {
        ssize_t n = recv(fd, bulk, sizeof bulk, 0);
        if (n > 0) return take_body(fd, bulk, (size_t)n);
        if (n < 0 && errno == EAGAIN) return;
        violation("body", "cut short");
        return drop(fd);
    }
    ssize_t n = recv(fd, c->head + c->head_length, HEAD_BYTES - c->head_length, 0);
    if (n < 0 && errno == EAGAIN) return watch(fd, EPOLLIN);
    if (n <= 0) {
        if (c->head_length > 0) violation("head", "cut short");
        return drop(fd);
    }
    c->head_length += (size_t)n;
    c->head[c->head_length] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) {
        if (c->head_length == HEAD_BYTES) violation("head", "too long"), drop(fd);
        else watch(fd, EPOLLIN);
        return;
    }
    size_t head_length = (size_t)(end + 4 - c->head), extra = c->head_length - head_length;
    unsigned char early[HEAD_BYTES];
    memcpy(early, end + 4, extra);
    end[2] = 0;
    check_head(c, c->head);
    if (extra > c->body_expected) violation("bytes after the request", "");
    if (c->body_expected == 0) return begin_answer(fd);
    c->phase = READING_BODY;
    if (extra > 0) take_body(fd, early, extra);
    if (connections[fd] && c->phase == READING_BODY) watch(fd, EPOLLIN);
}

static void accept_some(int listener) {
    for (int budget = 64; budget > 0; budget--) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        if (fd >= MAX_DESCRIPTORS || !(connections[fd] = malloc(sizeof(struct connection)))) {
            close(fd);
            continue;
        }
        // Not calloc: the head's 4 KiB need no clearing.
        struct connection *c = connections[fd];
        c->phase = READING_HEAD, c->watched = false, c->interest = 0, c->head_length = 0;
        c->body_expected = c->body_received = c->answer_length = c->answer_sent = 0;
        read_some(fd);
    }
}

static void obey(const char *command) {
    if (strcmp(command, "hold") == 0) {
        holding = true;
    } else if (strcmp(command, "release") == 0) {
        holding = false;
        for (int fd = 0; fd < MAX_DESCRIPTORS; fd++)
            if (connections[fd] && connections[fd]->phase == HELD) answer_small(fd);
        counts.held = 0;
    } else if (strcmp(command, "reset") == 0) {
        memset(&counts, 0, sizeof counts);
    } else if (strcmp(command, "stats") != 0) {
        exit(64);
    }
    printf("{\"requests\":%llu,\"held\":%llu,\"violations\":%llu,\"first\":\"%s\"}\n", (unsigned long long)counts.requests,
           (unsigned long long)counts.held, (unsigned long long)counts.violations, counts.first);
    fflush(stdout);
}

static void read_commands(void) {
    static char line[64];
    static size_t length;
    char bytes[64];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n <= 0) exit(0);
    for (ssize_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') line[length] = 0, length = 0, obey(line);
        else if (length < sizeof line - 1) line[length++] = bytes[i];
    }
}

int main(int argc, char **argv) {
    if (argc != 3 && argc != 4) return fprintf(stderr, "usage: upstream ADDRESS PORT [AUTHORITY]\n"), 64;
    signal(SIGPIPE, SIG_IGN);
    if (argc == 4) snprintf(authority, sizeof authority, "%s", argv[3]);
    else snprintf(authority, sizeof authority, "%s:%s", argv[1], argv[2]);
    small_length = (size_t)snprintf(small_bytes, sizeof small_bytes, small_answer, strlen(SMALL_BODY), SMALL_BODY);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) return fprintf(stderr, "upstream: bad address\n"), 64;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) die("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // accepted sockets inherit it
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
    if (listen(listener, 4096) < 0) die("listen");

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll");
    event.data.fd = STDIN_FILENO;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0) die("epoll stdin");
    printf("ready\n");
    fflush(stdout);

    for (;;) {
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);
        if (n < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) accept_some(listener);
            else if (fd == STDIN_FILENO) read_commands();
            else if (!connections[fd]) continue; // closed earlier in this round
            else if (connections[fd]->phase == SENDING) send_bulk(fd);
            else if (connections[fd]->phase == HELD) violation("connection", "given up while held"), drop(fd);
            else read_some(fd);
        }
    }
}
