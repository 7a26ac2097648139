// The floor of the https row: a relay that does nothing but the system calls and the TLS of the proxy's work.
//
//   tls-floor PORT UPSTREAM-PORT CA-FILE TOKEN
//
// Reads a request, opens a connection to the upstream, TLS 1.3 with the certificate checked and a session resumed, sends a request
// of its own, relays an answer with a Content-Length, closes both. No parsing worth the name, no limits, no deadlines, no second
// worker: whatever fails ends the connection. OpenSSL is set up as the proxy sets it up (Sources/TLS), and writes during a handshake
// are held back, so that the Finished leaves with the request.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"

enum { MAX_DESCRIPTORS = 65536, SESSIONS = 64, HELD_BYTES = 1024, BUFFER_BYTES = 65536, EVENTS = 256 };

struct exchange {
    int client, upstream; // -1: closed
    SSL *ssl;
    bool established, holds, head_seen;
    size_t held;
    uint64_t left; // of the answer
    unsigned char hold[HELD_BYTES];
};

static struct exchange *by_upstream[MAX_DESCRIPTORS];
static int epoll_fd;
static SSL_CTX *context;
static BIO_METHOD *method;
static SSL_SESSION *sessions[SESSIONS];
static int session_count;
static struct sockaddr_in upstream_address;
static char request[1024], buffer[BUFFER_BYTES];
static size_t request_length;

static int bio_read(BIO *bio, char *bytes, int count) {
    struct exchange *x = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    // Nobody answers a ClientHello that is not out.
    ssize_t n = x->holds && x->held > 0 ? (errno = EAGAIN, -1) : recv(x->upstream, bytes, (size_t)count, 0);
    if (n < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
    return (int)n;
}

static int bio_write(BIO *bio, const char *bytes, int count) {
    struct exchange *x = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (x->holds && x->held + (size_t)count <= HELD_BYTES) {
        memcpy(x->hold + x->held, bytes, (size_t)count);
        x->held += (size_t)count;
        return count;
    }
    struct iovec parts[2] = {{x->hold, x->held}, {(void *)bytes, (size_t)count}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t n = sendmsg(x->upstream, &message, MSG_NOSIGNAL);
    if (n != (ssize_t)(x->held + (size_t)count)) return -1; // it fits any socket buffer
    x->held = 0;
    return count;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static int keep_session(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    if (session_count == SESSIONS) return 0;
    sessions[session_count++] = session;
    return 1;
}

static void finish(struct exchange *x) {
    if (x->established) SSL_set_shutdown(x->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(x->ssl);
    if (x->client >= 0) close(x->client);
    by_upstream[x->upstream] = NULL;
    close(x->upstream);
    free(x);
}

static void relay(struct exchange *x) {
    for (;;) {
        size_t n;
        ERR_clear_error();
        int result = SSL_read_ex(x->ssl, buffer, sizeof buffer - 1, &n);
        if (result != 1) {
            if (SSL_get_error(x->ssl, result) != SSL_ERROR_WANT_READ) finish(x); // close_notify, most of all
            return;
        }
        if (!x->head_seen) {
            buffer[n] = 0;
            char *end = strstr(buffer, "\r\n\r\n"), *length = strcasestr(buffer, "\r\ncontent-length:");
            if (!end || !length) return finish(x);
            x->head_seen = true;
            x->left = strtoull(length + 17, NULL, 10) + (uint64_t)(end + 4 - buffer);
        }
        x->left -= n;
        if (send(x->client, buffer, n, MSG_NOSIGNAL | (x->left == 0 ? MSG_MORE : 0)) != (ssize_t)n) return finish(x);
        if (x->left > 0) continue;
        close(x->client);
        x->client = -1;
    }
}

static void go_on(struct exchange *x) {
    if (x->established) return relay(x);
    ERR_clear_error();
    int result = SSL_do_handshake(x->ssl);
    if (result != 1) {
        if (SSL_get_error(x->ssl, result) != SSL_ERROR_WANT_READ) return finish(x);
        if (x->held == 0) return;
        if (send(x->upstream, x->hold, x->held, MSG_NOSIGNAL) != (ssize_t)x->held) return finish(x);
        x->held = 0;
        return;
    }
    x->established = true;
    x->holds = false;
    size_t n;
    if (SSL_write_ex(x->ssl, request, request_length, &n) != 1) finish(x);
}

static void begin(int client) {
    int upstream = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct exchange *x = malloc(sizeof *x);
    if (upstream < 0 || upstream >= MAX_DESCRIPTORS || !x) die("begin");
    x->client = client, x->upstream = upstream, x->established = x->head_seen = false, x->holds = true, x->held = 0;
    by_upstream[upstream] = x;
    BIO *bio = BIO_new(method);
    if (!(x->ssl = SSL_new(context)) || !bio) die("SSL_new");
    BIO_set_data(bio, x);
    BIO_set_init(bio, 1);
    SSL_set_bio(x->ssl, bio, bio);
    SSL_set_connect_state(x->ssl);
    SSL_set_tlsext_host_name(x->ssl, "localhost");
    SSL_SESSION *session = session_count > 1 ? sessions[--session_count] : session_count ? SSL_SESSION_dup(sessions[0]) : NULL;
    if (session) SSL_set_session(x->ssl, session), SSL_SESSION_free(session);
    if (connect(upstream, (struct sockaddr *)&upstream_address, sizeof upstream_address) < 0 && errno != EINPROGRESS) return finish(x);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = upstream};
    go_on(x);
    if (by_upstream[upstream] == x && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, upstream, &event) < 0) die("epoll_ctl");
}

static void accept_some(int listener) {
    for (int budget = 64; budget > 0; budget--) {
        int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) return;
        // TCP_DEFER_ACCEPT: the request is here.
        ssize_t n = recv(client, buffer, sizeof buffer, 0);
        if (n > 4 && memcmp(buffer + n - 4, "\r\n\r\n", 4) == 0) begin(client);
        else close(client);
    }
}

static void set_up_tls(const char *ca_file) {
    context = SSL_CTX_new(TLS_client_method());
    X509_VERIFY_PARAM *parameters = context ? SSL_CTX_get0_param(context) : NULL;
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20") != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") != 1 ||
        SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") != 1 || SSL_CTX_load_verify_file(context, ca_file) != 1 ||
        X509_VERIFY_PARAM_set1_host(parameters, "localhost", 9) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (!method) die("BIO_meth_new");
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
}

int main(int argc, char **argv) {
    if (argc != 5) return fprintf(stderr, "usage: tls-floor PORT UPSTREAM-PORT CA-FILE TOKEN\n"), 64;
    signal(SIGPIPE, SIG_IGN);
    set_up_tls(argv[3]);
    upstream_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2])),
                                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    request_length = (size_t)snprintf(request, sizeof request,
        "GET /api/0/organizations/acme/releases/?per_page=25 HTTP/1.1\r\nHost: localhost:%s\r\nUser-Agent: sentry-cli/2.46.0\r\n"
        "Accept: application/json\r\nAccept-Encoding: identity\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n", argv[2], argv[4]);

    struct sockaddr_in address = upstream_address;
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) die("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // accepted sockets inherit it
    setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
    if (listen(listener, 4096) < 0) die("listen");
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll");
    for (;;) {
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);
        if (n < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) accept_some(listener);
            else if (by_upstream[fd]) go_on(by_upstream[fd]);
        }
    }
}
