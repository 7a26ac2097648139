// A bad network between two programs: a TCP relay that delays, and that delays more what a network would have lost.
//
//   delay ADDRESS PORT TARGET-ADDRESS TARGET-PORT ONE-WAY-MS LOSS-PERCENT
//
// Where the kernel has no netem. Every segment of 1,448 bytes arrives ONE-WAY-MS after it was read, in order. One that is lost comes
// a round trip later when others follow it at once (fast retransmit), else after 200 ms (the least RTO of Linux), and holds up what
// is behind it. A connection's first bytes wait for its handshake, one round trip. At most WINDOW bytes are on their way in each
// direction; congestion control is not acted out. The losses are the same in every run.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum { SEGMENT = 1448, READ_BYTES = 16 * SEGMENT, WINDOW = 4 << 20, RTO_MS = 200, EVENTS = 256, MAX_DESCRIPTORS = 65536 };

struct piece { // length 0 is the end of the stream
    struct piece *next;
    uint64_t due_ns;
    size_t length, sent;
    unsigned char bytes[];
};

struct direction {
    int from, to;
    struct piece *first, *last;
    uint64_t last_due_ns;
    size_t on_its_way;
    bool asks;        // from the one that opened the connection
    bool ended, full; // nothing more is read; `to` takes nothing now
};

struct pair {
    struct pair *next, **link;
    struct direction ways[2]; // from the client, from the target
    bool broken;
};

static struct pair *pairs, *by_fd[MAX_DESCRIPTORS];
static int epoll_fd;
static struct sockaddr_in target;
static uint64_t one_way_ns, round_trip_ns;
static double loss;
static uint32_t state = 2463534242u;

static bool is_lost(void) {
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    return (double)state / 4294967296.0 < loss;
}

static void watch(struct pair *p, int fd, int operation) {
    struct direction *in = &p->ways[fd != p->ways[0].from], *out = &p->ways[fd == p->ways[0].from];
    struct epoll_event event = {.data.fd = fd};
    if (!in->ended && in->on_its_way < WINDOW) event.events |= EPOLLIN;
    if (out->full) event.events |= EPOLLOUT;
    if (epoll_ctl(epoll_fd, operation, fd, &event) < 0 && errno != ENOENT) die("epoll_ctl");
}

static void append(struct direction *d, const unsigned char *bytes, size_t n, bool others_follow) {
    struct piece *piece = malloc(sizeof *piece + n);
    if (!piece) die("malloc");
    bool first = d->asks && d->last_due_ns == 0;
    uint64_t due = now_ns() + one_way_ns + (first ? round_trip_ns : 0);
    if (n > 0 && is_lost()) due += others_follow ? round_trip_ns : (uint64_t)RTO_MS * 1000000u;
    if (due < d->last_due_ns) due = d->last_due_ns;
    *piece = (struct piece){.due_ns = due, .length = n};
    if (n > 0) memcpy(piece->bytes, bytes, n);
    if (d->last) d->last->next = piece;
    else d->first = piece;
    d->last = piece;
    d->last_due_ns = due;
    d->on_its_way += n;
}

static void read_some(struct pair *p, struct direction *d) {
    static unsigned char buffer[READ_BYTES];
    ssize_t n = recv(d->from, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) {
        p->broken = true;
        return;
    }
    if (n == 0) d->ended = true, append(d, NULL, 0, false);
    for (ssize_t at = 0; at < n; at += SEGMENT) append(d, buffer + at, (size_t)(n - at < SEGMENT ? n - at : SEGMENT), at + SEGMENT < n);
    watch(p, d->from, EPOLL_CTL_MOD);
}

static void deliver(struct pair *p, struct direction *d, uint64_t now) {
    size_t before = d->on_its_way;
    bool was_full = d->full;
    d->full = false;
    while (d->first && d->first->due_ns <= now && !d->full) {
        struct piece *piece = d->first;
        if (piece->length == 0) {
            shutdown(d->to, SHUT_WR);
        } else {
            ssize_t n = send(d->to, piece->bytes + piece->sent, piece->length - piece->sent, MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN) {
                p->broken = true;
                return;
            }
            d->full = n < 0;
            if (n > 0) piece->sent += (size_t)n, d->on_its_way -= (size_t)n;
            if (piece->sent < piece->length) continue;
        }
        d->first = piece->next;
        if (!d->first) d->last = NULL;
        free(piece);
    }
    if (before >= WINDOW && d->on_its_way < WINDOW) watch(p, d->from, EPOLL_CTL_MOD);
    if (was_full != d->full) watch(p, d->to, EPOLL_CTL_MOD);
}

static void end(struct pair *p) {
    for (int i = 0; i < 2; i++) {
        struct direction *d = &p->ways[i];
        by_fd[d->from] = NULL;
        if (p->broken) { // both sides see a reset
            struct linger reset = {.l_onoff = 1, .l_linger = 0};
            setsockopt(d->from, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        }
        close(d->from);
        for (struct piece *piece = d->first, *next; piece; piece = next) next = piece->next, free(piece);
    }
    if ((*p->link = p->next)) p->next->link = p->link;
    free(p);
}

static void begin(int client) {
    int on = 1, other = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct pair *p = calloc(1, sizeof *p);
    if (other < 0 || other >= MAX_DESCRIPTORS || client >= MAX_DESCRIPTORS || !p) die("begin");
    setsockopt(other, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(other, (struct sockaddr *)&target, sizeof target) < 0 && errno != EINPROGRESS) die("connect");
    p->ways[0].from = p->ways[1].to = client;
    p->ways[1].from = p->ways[0].to = other;
    p->ways[0].asks = true;
    p->link = &pairs;
    if ((p->next = pairs)) pairs->link = &p->next;
    pairs = by_fd[client] = by_fd[other] = p;
    watch(p, client, EPOLL_CTL_ADD);
    watch(p, other, EPOLL_CTL_ADD);
}

int main(int argc, char **argv) {
    if (argc != 7) return fprintf(stderr, "usage: delay ADDRESS PORT TARGET-ADDRESS TARGET-PORT ONE-WAY-MS LOSS-PERCENT\n"), 64;
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[4]))};
    if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1 || inet_pton(AF_INET, argv[3], &target.sin_addr) != 1) return 64;
    one_way_ns = (uint64_t)(atof(argv[5]) * 1e6), round_trip_ns = 2 * one_way_ns, loss = atof(argv[6]) / 100;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) die("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // accepted sockets inherit it
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
    if (listen(listener, 4096) < 0) die("listen");
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll");
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        uint64_t now = now_ns(), nearest = UINT64_MAX;
        for (struct pair *p = pairs, *next; p; p = next) {
            next = p->next;
            for (int i = 0; i < 2 && !p->broken; i++) {
                deliver(p, &p->ways[i], now);
                struct piece *first = p->ways[i].first;
                if (first && !p->ways[i].full && first->due_ns < nearest) nearest = first->due_ns;
            }
            if (p->broken || (p->ways[0].ended && p->ways[1].ended && !p->ways[0].first && !p->ways[1].first)) end(p);
        }
        int timeout = nearest == UINT64_MAX ? -1 : nearest <= now ? 0 : (int)((nearest - now) / 1000000u) + 1;
        int n = epoll_wait(epoll_fd, events, EVENTS, timeout);
        if (n < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            struct pair *p = fd == listener ? NULL : by_fd[fd];
            if (fd == listener)
                for (int client; (client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) begin(client);
            else if (p && events[i].events & EPOLLERR) p->broken = true;
            else if (p && events[i].events & EPOLLIN) read_some(p, &p->ways[fd != p->ways[0].from]);
            else if (p && events[i].events & EPOLLHUP && p->ways[fd != p->ways[0].from].ended)
                epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL); // it cannot be masked, and tells nothing new
        }
    }
}
