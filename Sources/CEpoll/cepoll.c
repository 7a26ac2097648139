#define _GNU_SOURCE
// What a worker asks of the kernel. A simulation leaves this file out and defines the same functions itself
// (Tests/Simulation); everything else is in process.c.
#include "cepoll.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int checked(int result) { return result < 0 ? -errno : result; }

// What every request calls goes past the C library's own functions: those are points at which a thread may be cancelled, which
// takes them some twenty instructions each and is never done here. A sanitizer watches the library's.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define recv(fd, buffer, count, flags) syscall(SYS_recvfrom, fd, buffer, count, flags, NULL, NULL)
#define send(fd, bytes, count, flags) syscall(SYS_sendto, fd, bytes, count, flags, NULL, 0)
#define accept4(fd, address, length, flags) ((int)syscall(SYS_accept4, fd, address, length, flags))
#define connect(fd, address, length) ((int)syscall(SYS_connect, fd, address, length))
#define close(fd) ((int)syscall(SYS_close, fd))
#define epoll_wait(fd, events, count, timeout) ((int)syscall(SYS_epoll_pwait, fd, events, count, timeout, NULL, 0))
#endif

int cepoll_create(void) { return checked(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return checked(epoll_ctl(epoll, operation, fd, &event));
}

int cepoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_ADD, fd, events, token);
}

int cepoll_modify(int epoll, int fd, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, token);
}

int cepoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int cepoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms) {
    return checked(epoll_wait(epoll, events, capacity, timeout_ms));
}

int cepoll_eventfd(void) { return checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

int cepoll_eventfd_signal(int fd) {
    uint64_t one = 1;
    return write(fd, &one, sizeof one) < 0 ? -errno : 0;
}

int cepoll_eventfd_drain(int fd) {
    uint64_t count;
    return read(fd, &count, sizeof count) < 0 ? -errno : 0;
}

static int close_and(int fd, int error) {
    close(fd);
    return -error;
}

int cepoll_listen_inet(const struct sockaddr *address, socklen_t length, int backlog, int defer_accept_seconds,
                       int share_port) {
    int on = 1, off = 0;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return close_and(fd, errno);
    if (share_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) return close_and(fd, errno);
    if (address->sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (defer_accept_seconds > 0)
        setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer_accept_seconds, sizeof defer_accept_seconds);
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) return close_and(fd, errno);
    if (bind(fd, address, length) < 0) return close_and(fd, errno);
    if (listen(fd, backlog) < 0) return close_and(fd, errno);
    return fd;
}

// 1 for a socket file that a process left behind which did not end in order: nobody serves it.
static int is_abandoned(const struct sockaddr_un *address) {
    struct stat status;
    if (lstat(address->sun_path, &status) < 0) return -errno;
    // connect(2) says ECONNREFUSED of a file that is no socket, too.
    if (!S_ISSOCK(status.st_mode)) return -ENOTSOCK;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int refused = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

int cepoll_listen_unix(const char *path, int backlog, int mode) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    // The file is born with its mode: changing it by its path afterwards could meet another file.
    if (fchmod(fd, (mode_t)mode) < 0) return close_and(fd, errno);
    mode_t mask = umask(~(mode_t)mode & 0777);
    int result = bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
    if (result == -EADDRINUSE) {
        int abandoned = is_abandoned(&address);
        if (abandoned < 0) result = abandoned;
        if (abandoned == 1 && unlink(path) == 0)
            result = bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
    }
    umask(mask);
    if (result < 0) return close_and(fd, -result);
    if (listen(fd, backlog) < 0) {
        int error = errno;
        unlink(path);
        return close_and(fd, error);
    }
    return fd;
}

int cepoll_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
    return checked(fcntl(fd, F_SETFD, FD_CLOEXEC));
}

static uint64_t big_endian(const uint8_t *bytes) {
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) number = number << 8 | bytes[i];
    return number;
}

int cepoll_accept(int listener, cepoll_peer *peer) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } from;
    socklen_t length = sizeof from;
    from.any.sa_family = AF_UNSPEC;
    int fd = accept4(listener, &from.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return -errno;
    *peer = (cepoll_peer){0};
    if (from.any.sa_family == AF_INET) {
        peer->address_low = UINT64_C(0xffff00000000) | ntohl(from.v4.sin_addr.s_addr);
        peer->port = ntohs(from.v4.sin_port);
        peer->is_internet = 1;
    } else if (from.any.sa_family == AF_INET6) {
        peer->address_high = big_endian(from.v6.sin6_addr.s6_addr);
        peer->address_low = big_endian(from.v6.sin6_addr.s6_addr + 8);
        peer->port = ntohs(from.v6.sin6_port);
        peer->is_internet = 1;
    }
    return fd;
}

int cepoll_is_listening(int fd) {
    int type = 0, listens = 0;
    socklen_t type_length = sizeof type, listens_length = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) < 0 || type != SOCK_STREAM) return 0;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_length) == 0 && listens == 1;
}

int cepoll_refuse_syns(int fd) {
    // A filter on a listening TCP socket sees each segment from its TCP header on; byte 13 holds the flags (RFC 9293
    // §3.1). Segments that complete a handshake have no SYN and pass.
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    int off = 0;
    // A connection that was held back until its first bytes need not wait any longer.
    setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &off, sizeof off);
    return checked(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}

int cepoll_shutdown_read(int fd) { return checked(shutdown(fd, SHUT_RD)); }

int cepoll_local_port(int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return -errno;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

int cepoll_family(int fd) {
    int family = 0;
    socklen_t length = sizeof family;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0) return -errno;
    return family;
}

int cepoll_socket(int family) { return checked(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

int cepoll_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return checked(connect(fd, address, length));
}

ssize_t cepoll_recv(int fd, void *buffer, size_t count) {
    ssize_t n;
    do n = recv(fd, buffer, count, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t cepoll_peek(int fd, void *buffer, size_t count) {
    ssize_t n;
    do n = recv(fd, buffer, count, MSG_PEEK);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t cepoll_send(int fd, const void *buffer, size_t count, int more) {
    ssize_t n;
    do n = send(fd, buffer, count, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int cepoll_shutdown_write(int fd) { return checked(shutdown(fd, SHUT_WR)); }

int cepoll_unacknowledged(int fd) {
    int count = 0;
    return ioctl(fd, SIOCOUTQ, &count) < 0 ? -errno : count;
}

int cepoll_close(int fd) { return checked(close(fd)); }

int cepoll_reset_on_close(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    return checked(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

int cepoll_no_delay(int fd) {
    int on = 1;
    return checked(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

int cepoll_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -errno;
    return -error;
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t cepoll_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

uint64_t cepoll_realtime_ns(void) { return clock_ns(CLOCK_REALTIME); }

int cepoll_random(void *buffer, size_t count) {
    size_t done = 0;
    while (done < count) {
        ssize_t n = getrandom((char *)buffer + done, count - done, 0);
        if (n < 0 && errno != EINTR) return -errno;
        if (n > 0) done += (size_t)n;
    }
    return 0;
}
