#define _GNU_SOURCE
// What the process asks of the kernel, apart from its event loop.
#include "cepoll.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int checked(int result) { return result < 0 ? -errno : result; }

const char *cepoll_error_text(int code) {
    const char *text = strerrordesc_np(code);
    return text ? text : "unknown error";
}

int cepoll_cpu_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return -errno;
    return CPU_COUNT(&set);
}

int64_t cepoll_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    }
    return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

int cepoll_ignore_sigpipe(void) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    return checked(sigaction(SIGPIPE, &ignore, NULL));
}

int cepoll_refuse_core_dumps(void) {
    struct rlimit none = {0, 0};
    if (prctl(PR_SET_DUMPABLE, 0) < 0) return -errno;
    return checked(setrlimit(RLIMIT_CORE, &none));
}

int cepoll_signalfd(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error != 0) return -error;
    return checked(signalfd(-1, &set, SFD_CLOEXEC));
}

int cepoll_signalfd_read(int fd) {
    struct signalfd_siginfo info;
    ssize_t n;
    do n = read(fd, &info, sizeof info);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : (int)info.ssi_signo;
}

static int release_read_only_segments(struct dl_phdr_info *object, size_t size, void *unused) {
    (void)size;
    (void)unused;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        // A segment that was ever writable holds relocations, which would be lost.
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W)) continue;
        uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = object->dlpi_addr + segment->p_vaddr + segment->p_memsz;
        madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void cepoll_share_heap(void) { mallopt(M_ARENA_MAX, 1); }

void cepoll_release_startup_pages(void) { dl_iterate_phdr(release_read_only_segments, NULL); }

void cepoll_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int cepoll_nameless_file(const char *folder) {
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/sentry-api-proxy-XXXXXX", folder);
    if (n < 0 || (size_t)n >= sizeof path) return -ENAMETOOLONG;
    // Not O_TMPFILE: overlayfs, which containers have, came to know it late.
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) return -errno;
    unlink(path);
    return fd;
}

int cepoll_memory_file(const char *name) { return checked(memfd_create(name, MFD_CLOEXEC)); }
