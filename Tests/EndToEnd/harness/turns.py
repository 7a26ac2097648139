"""How much CPU time each turn of the loop takes, seen from outside the program."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

# From the return of one epoll_wait to the call of the next one.
PROBE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
static __thread long began;
static long cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}
int epoll_wait(int fd, struct epoll_event *events, int most, int timeout) {
    static int (*real)(int, struct epoll_event *, int, int);
    static FILE *out;
    if (!real) real = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
    if (!out) out = fopen(getenv("TURN_TIMES"), "w");
    if (began) fprintf(out, "%ld\n", cpu() - began);
    fflush(out);
    int count = real(fd, events, most, timeout);
    began = cpu();
    return count;
}
"""


class TurnTimes:
    """A library to preload that writes down the CPU time of each turn."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("clang")
        if compiler is None:
            pytest.skip("no C compiler")
        self._report = folder / "times"
        source, library = folder / "probe.c", folder / "probe.so"
        source.write_text(PROBE)
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True, timeout=60)
        self.environment = {"LD_PRELOAD": str(library), "TURN_TIMES": str(self._report)}

    def milliseconds(self) -> list[float]:
        """All turns so far, the shortest first."""
        return sorted(int(line) / 1e6 for line in self._report.read_text().splitlines() if line)

    @staticmethod
    def summary(spent: list[float]) -> str:
        """Count, 99th percentile and the longest of sorted turns."""
        return f"{len(spent)} turns, ms of CPU: median {spent[len(spent) // 2]:.2f}, 99 % {spent[len(spent) * 99 // 100]:.2f}, longest {spent[-1]:.2f}"
