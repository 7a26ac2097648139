#ifndef CEPOLL_H
#define CEPOLL_H

// Every system call that the event loop makes. Each function returns a count (or a descriptor, or 0)
// on success and -errno on failure, so that errno is read where it was set and never races.

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

static const uint32_t CEPOLL_IN = EPOLLIN;
static const uint32_t CEPOLL_OUT = EPOLLOUT;
static const uint32_t CEPOLL_RDHUP = EPOLLRDHUP;
static const uint32_t CEPOLL_HUP = EPOLLHUP;
static const uint32_t CEPOLL_ERR = EPOLLERR;
static const uint32_t CEPOLL_ET = EPOLLET;

// epoll(7)
int cepoll_create(void);
int cepoll_add(int epoll, int fd, uint32_t events, uint64_t token);
int cepoll_modify(int epoll, int fd, uint32_t events, uint64_t token);
int cepoll_remove(int epoll, int fd);
int cepoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms);

// eventfd(2): how another thread wakes a reactor.
int cepoll_eventfd(void);
int cepoll_eventfd_signal(int fd);
int cepoll_eventfd_drain(int fd);

// Listening sockets, non-blocking and close-on-exec.
// `share_port` lets other sockets of the same user bind the same address (SO_REUSEPORT).
int cepoll_listen_inet(const struct sockaddr *address, socklen_t length, int backlog, int defer_accept_seconds, int share_port);
int cepoll_listen_unix(const char *path, int backlog, int mode);
int cepoll_set_nonblocking(int fd);
// Where a connection comes from. An IPv4 address is mapped into IPv6 (RFC 4291 §2.5.5.2); all in host order.
typedef struct {
    uint64_t address_high, address_low;
    uint16_t port;
    // 0: a Unix-domain socket, without address and port.
    uint8_t is_internet;
} cepoll_peer;
int cepoll_accept(int listener, cepoll_peer *peer);
// Looks at the next bytes and leaves them where they are (MSG_PEEK).
ssize_t cepoll_peek(int fd, void *buffer, size_t count);
// 1 for a stream socket that listens, 0 for anything else.
int cepoll_is_listening(int fd);
// From now on SYNs are dropped, while handshakes that have begun go on to the accept queue.
int cepoll_refuse_syns(int fd);
// A Unix-domain listener refuses connect(2) from now on; its queue can still be accepted.
int cepoll_shutdown_read(int fd);
// The local port of an inet socket in host order, 0 for any other family.
int cepoll_local_port(int fd);
int cepoll_family(int fd);

// Connected sockets.
int cepoll_socket(int family);
int cepoll_connect(int fd, const struct sockaddr *address, socklen_t length);
// An interrupted call is made again: with edge-triggered events it must not pass for one that would block.
ssize_t cepoll_recv(int fd, void *buffer, size_t count);
// `more` holds the bytes back until the next send or close (MSG_MORE), so that close sends them with the FIN.
ssize_t cepoll_send(int fd, const void *buffer, size_t count, int more);
int cepoll_shutdown_write(int fd);
// Bytes that were sent and that the peer has not acknowledged.
int cepoll_unacknowledged(int fd);
int cepoll_close(int fd);
// close() will send a RST instead of a FIN.
int cepoll_reset_on_close(int fd);
int cepoll_no_delay(int fd);
int cepoll_socket_error(int fd);

// Process.
// The text of an errno value; never NULL.
const char *cepoll_error_text(int code);
uint64_t cepoll_monotonic_ns(void);
uint64_t cepoll_realtime_ns(void);
// CPUs in this process's affinity mask.
int cepoll_cpu_count(void);
// Raises RLIMIT_NOFILE to its hard limit and returns it.
int64_t cepoll_raise_descriptor_limit(void);
int cepoll_ignore_sigpipe(void);
// No core file is written (RLIMIT_CORE), and no process of the same user may look into this one's memory
// (PR_SET_DUMPABLE).
int cepoll_refuse_core_dumps(void);
// The command line as execve(2) gave it; -ENODATA when it was not handed over. Indices are below the count.
int cepoll_argument_count(void);
const char *cepoll_argument(int index);
// Overwrites an argument from `offset` on, where ps(1) sees it. What was read of it before stays good.
void cepoll_conceal_argument(int index, size_t offset);
// Overwrites a variable's value where /proc/PID/environ shows it; getenv(3) goes on giving it. For the main thread,
// before there are others.
int cepoll_conceal_variable(const char *name);
// Blocks the signal in this thread and those it creates; returns a signalfd for the given set.
int cepoll_signalfd(const int *signals, int count);
// The next pending signal's number of a signalfd, blocking; -errno on failure.
int cepoll_signalfd_read(int fd);
int cepoll_random(void *buffer, size_t count);
// Lets go of the pages of the program's read-only segments: most were needed at start only, and those that are needed again
// come back from the page cache.
void cepoll_release_startup_pages(void);
// One heap of malloc(3) for all threads.
void cepoll_share_heap(void);
void cepoll_name_thread(const char *name);

/// A file in `folder` that has no name any more, to read and write; -errno.
int cepoll_nameless_file(const char *folder);
/// The same in memory (memfd_create(2)); -errno.
int cepoll_memory_file(const char *name);

#endif
