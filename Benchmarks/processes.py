"""Starts, pins, measures and ends the processes of a run."""

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP_RUNNING = 0x8914, 0x41


class Void(Exception):
    """Why a figure cannot be given; it voids the row."""


class Network:
    """A network namespace of its own, so that no TIME_WAIT of another peer or an earlier part is in the way.
    When that is not allowed, the machine's own loopback."""

    own = True

    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/self/ns/net") as before:
            if libc.unshare(CLONE_NEWNET) != 0:
                Network.own = False
            else:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
                    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP_RUNNING))
            self.namespace = open("/proc/self/ns/net")
            libc.setns(before.fileno(), CLONE_NEWNET)

    @contextlib.contextmanager
    def inside(self):
        """What is started or connected in here belongs to this network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/self/ns/net") as before:
            if Network.own and libc.setns(self.namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                if Network.own:
                    libc.setns(before.fileno(), CLONE_NEWNET)

    def close(self) -> None:
        self.namespace.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spawn(command: list[str], cpus: set[int], **options) -> subprocess.Popen:
    """Starts a program on the given CPUs, with no wrapper whose own start would be timed."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        return subprocess.Popen(command, **options)
    finally:
        os.sched_setaffinity(0, before)


def end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            for pid in reversed(tree(process.pid)):
                os.kill(pid, signal.SIGKILL)
            process.wait()


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    pids = [pid]
    for parent in pids:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            pids += map(int, task.read_text().split())
    return pids


def cpu(pid: int) -> tuple[float, float, float]:
    """CPU seconds that a peer has used: total (schedstat, exact), and the ticks seen in user and in system."""
    total = user = system = 0
    for member in tree(pid):
        for task in Path(f"/proc/{member}/task").glob("*/schedstat"):
            total += int(task.read_text().split()[0])
        fields = Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
        user, system = user + int(fields[11]), system + int(fields[12])
    return total / 1e9, user, system


def pss_bytes(pid: int) -> int:
    """Proportional set size of all processes of a peer."""
    total = 0
    for member in tree(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


class CPUClock:
    """What shares of all CPUs other programs and the hypervisor took since it was made."""

    def __init__(self):
        self.before, self.own_before, self.started = self.sample(), self.own(), time.monotonic()

    @staticmethod
    def sample() -> list[int]:
        return list(map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9]))

    @staticmethod
    def own() -> float:
        """CPU seconds of this run: itself and all that it started and saw end."""
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    def shares(self) -> tuple[float, float]:
        spent = [after - before for after, before in zip(self.sample(), self.before)]
        total = max(1, sum(spent))
        own = (self.own() - self.own_before) / ((time.monotonic() - self.started) * os.cpu_count())
        busy = 1 - (spent[3] + spent[4] + spent[7]) / total
        return max(0.0, busy - own), spent[7] / total


class Upstream:
    """The checking upstream (tools/upstream.c), ruled over its stdin."""

    def __init__(self, program: Path, cpus: set[int], address: str = "127.0.0.1", name: str = "127.0.0.1"):
        """`name`: how the peers reach it, even when a relay stands between."""
        self.port = free_port()
        self.process = spawn([str(program), address, str(self.port), f"{name}:{self.port}"], cpus,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise Void("the upstream did not start")

    def tell(self, command: str) -> dict:
        self.check_alive()
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Void("the upstream ended")
        return json.loads(line)

    def check_alive(self) -> None:
        if self.process.poll() is not None:
            raise Void(f"the upstream ended with status {self.process.returncode}")

    def close(self) -> None:
        self.process.stdin.close()  # end of input ends it
        self.process.wait(timeout=5)
        self.process.stdout.close()


def load(program: Path, cpus: set[int], port: int, **options) -> subprocess.Popen:
    """Starts the load generator; its result is read with `answers`."""
    flags = [f"--{name}={value}" for name, value in options.items()]
    return spawn([str(program), f"--target=127.0.0.1:{port}", *flags], cpus, stdout=subprocess.PIPE, text=True)


def answers(process: subprocess.Popen, seconds: float = 90) -> dict:
    """Waits for the load generator. One failed or missing answer is enough to void what was measured."""
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Void(f"no end after {seconds:.0f} s") from None
    if not output:
        raise Void(f"the load generator ended with status {process.returncode}")
    result = json.loads(output)
    if process.returncode != 0 or result["failed"] or result["answered"] != result["started"]:
        raise Void(f"{result['failed']} of {result['started']} requests failed, the first: {result['first_failure']}")
    return result
