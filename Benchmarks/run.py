#!/usr/bin/env python3
"""Measures this proxy beside nginx and HAProxy: peers in turn, several rounds, medians and spread.

One worker of the peer on one core; load and upstream on the others. Every answer is checked by the load generator,
every request by the upstream: a failed or missing answer, a wrong token or a field that should have been dropped
voids the row. Writes benchmarks.md and benchmarks.svg.
"""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import peers
import report
from processes import Upstream, Void, answers, cpu, fresh_network, load, machine_busy, pss_bytes, tree

HERE = Path(__file__).resolve().parent
HELD = 4000          # requests in flight for the memory figure
RATE = 2000          # requests a second of the open loop
CONNECTIONS = 32     # in flight at saturation
DESCRIPTORS = 20000


class Plan:
    """How long a run takes: seconds, counts and megabytes of each part."""

    def __init__(self, quick: bool):
        self.rounds = 2 if quick else 7
        self.saturation_s = 2 if quick else 3
        self.rate_s = 2.5 if quick else 4
        self.bulk_requests, self.bulk_bytes = (12, 32_000_000) if quick else (32, 32_000_000)
        self.tls_s = 1.5 if quick else 2.5
        self.traced_requests = 1000


class Results:
    """Samples of every figure by peer, or why there are none."""

    def __init__(self):
        self.samples: dict[str, dict[str, list[float]]] = {}
        self.voids: dict[str, dict[str, str]] = {}

    def add(self, peer: str, **figures: float) -> None:
        for name, value in figures.items():
            self.samples.setdefault(peer, {}).setdefault(name, []).append(value)

    @contextlib.contextmanager
    def row(self, peer: str, *figures: str):
        """What fails inside voids these figures of this peer."""
        try:
            yield
        except (Void, OSError, subprocess.SubprocessError) as reason:
            for figure in figures:
                self.voids.setdefault(peer, {}).setdefault(figure, str(reason))


class Turn:
    """One peer's turn in one round."""

    def __init__(self, name: str, plan: Plan, results: Results, tools: Path, cores: dict[str, set[int]]):
        self.name, self.plan, self.results, self.tools, self.cores = name, plan, results, tools, cores

    def take(self) -> None:
        for part in (self.memory, self.small, self.bulk, self.system_calls, self.https, self.two_threads):
            with tempfile.TemporaryDirectory(prefix="bench-") as directory:
                os.chmod(directory, 0o755)
                fresh_network()
                part(Path(directory))

    def load(self, port: int, **options):
        return load(self.tools / "load", self.cores["load"], port, **options)

    @contextlib.contextmanager
    def running(self, directory: Path, threads: int = 1, cores: str = "peer"):
        """The checking upstream and the peer, warm; the upstream's complaints void what was measured."""
        upstream = Upstream(self.tools / "upstream", self.cores["load"])
        try:
            peer = peers.Peer(self.name, directory, upstream.port, self.cores[cores], threads)
            try:
                peer.first_answer_ms = self.first_answer(peer)
                upstream.tell("reset")
                yield upstream, peer
                peer.check_alive()
                told = upstream.tell("stats")
                if told["violations"]:
                    raise Void(f"{told['violations']} requests reached the upstream uncleaned, the first: {told['first']}")
            finally:
                peer.close()
        finally:
            upstream.close()

    def first_answer(self, peer: peers.Peer) -> float:
        """Milliseconds from the start of the program to its first whole answer."""
        while time.monotonic() < peer.started + 10:
            peer.check_alive()
            with contextlib.suppress(ConnectionError):
                with socket.create_connection(("127.0.0.1", peer.port), timeout=5) as client:
                    client.sendall(b"GET /api/0/ HTTP/1.1\r\nHost: sentry.example\r\nConnection: close\r\n\r\n")
                    answer = b"".join(iter(lambda: client.recv(65536), b""))
                if answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(peers.SMALL_BODY.encode()):
                    return (time.monotonic() - peer.started) * 1000
            time.sleep(0.0003)
        raise Void(f"{self.name} gave no whole answer within 10 s of its start")

    def measured(self, peer: peers.Peer, **options) -> tuple[dict, float, float, float]:
        """Runs a load. Returns its result and the CPU seconds of the peer: total, user, system."""
        total, user, system = cpu(peer.pid)
        result = answers(self.load(peer.port, **options))
        total_after, user_after, system_after = cpu(peer.pid)
        spent, ticks = total_after - total, max(1, user_after - user + system_after - system)
        return result, spent, spent * (user_after - user) / ticks, spent * (system_after - system) / ticks

    def memory(self, directory: Path) -> None:
        """Start, idle memory, and memory with 4,000 requests waiting for their answers."""
        with self.results.row(self.name, "start_ms", "idle_mb", "held_kb"), self.running(directory) as (upstream, peer):
            self.results.add(self.name, start_ms=peer.first_answer_ms, idle_mb=pss_bytes(peer.pid) / 1e6)
            answers(self.load(peer.port, connections=CONNECTIONS, requests=500))
            before = pss_bytes(peer.pid)
            upstream.tell("hold")
            client = self.load(peer.port, rate=HELD, requests=HELD, timeout=20)
            deadline = time.monotonic() + 15
            while (held := upstream.tell("stats")["held"]) < HELD and time.monotonic() < deadline and client.poll() is None:
                time.sleep(0.02)
            during = pss_bytes(peer.pid)
            upstream.tell("release")
            answers(client, 30)
            if held != HELD:
                raise Void(f"only {held} of {HELD} requests were in flight")
            self.results.add(self.name, held_kb=(during - before) / HELD / 1000)

    def small(self, directory: Path) -> None:
        """Small requests, at saturation and at a fixed rate."""
        with self.results.row(self.name, "cpu_us", "user_us", "system_us", "rps", "p50_us", "p99_us", "p999_us", "cpu_at_rate_us"):
            with self.running(directory) as (_, peer):
                answers(self.load(peer.port, connections=CONNECTIONS, seconds=0.3))
                result, spent, user, system = self.measured(peer, connections=CONNECTIONS, seconds=self.plan.saturation_s)
                count = result["answered"]
                saturated = {"cpu_us": spent / count * 1e6, "user_us": user / count * 1e6, "system_us": system / count * 1e6,
                             "rps": count / result["seconds"], "peer_core_busy": 100 * spent / result["seconds"]}
                result, spent, *_ = self.measured(peer, rate=RATE, seconds=self.plan.rate_s)
                self.results.add(self.name, **saturated, cpu_at_rate_us=spent / result["answered"] * 1e6,
                                 **{name: result[name] for name in ("p50_us", "p99_us", "p999_us")})

    def bulk(self, directory: Path) -> None:
        """Long bodies in both directions."""
        size, count = self.plan.bulk_bytes, self.plan.bulk_requests
        for figure, options in {
            "down_ms_gb": {"path": f"/api/0/organizations/acme/bytes/{size}/", "expect": size},
            "up_ms_gb": {"path": "/api/0/organizations/acme/chunk-upload/", "upload": size},
        }.items():
            with self.results.row(self.name, figure), self.running(directory) as (_, peer):
                result, spent, *_ = self.measured(peer, connections=4, requests=count, **options)
                self.results.add(self.name, **{figure: spent * 1000 / (size * count / 1e9)})

    def system_calls(self, directory: Path) -> None:
        """System calls per request, counted by strace: one request at a time, so that none share a wake-up."""
        with self.results.row(self.name, "calls"), self.running(directory) as (_, peer):
            answers(self.load(peer.port, connections=1, requests=100))
            table, pids = directory / "strace", tree(peer.pid)
            tracer = subprocess.Popen(["strace", "-f", "-c", "-o", str(table), *(f"--attach={pid}" for pid in pids)],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").glob("*/status")]
                deadline = time.monotonic() + 5
                while any("TracerPid:\t0\n" in task.read_text() for task in tasks):
                    if time.monotonic() > deadline or tracer.poll() is not None:
                        raise Void("strace could not attach")
                    time.sleep(0.01)
                answers(self.load(peer.port, connections=1, requests=self.plan.traced_requests))
            finally:
                tracer.send_signal(signal.SIGINT)
                tracer.wait(timeout=10)
            calls = sum(int(line.split()[3]) for line in table.read_text().splitlines()
                        if len(line.split()) in (5, 6) and line.split()[3].isdigit() and line.split()[-1] != "total")
            self.results.add(self.name, calls=calls / self.plan.traced_requests)

    def https(self, directory: Path) -> None:
        """An https upstream (nginx, TLS 1.3), certificate checked, session resumed, a handshake for every request."""
        with self.results.row(self.name, "tls_us"):
            peers.make_certificates(directory)
            upstream = peers.TLSUpstream(directory, self.cores["load"])
            try:
                peer = peers.Peer(self.name, directory, upstream.port, self.cores["peer"], tls=True)
                try:
                    self.first_answer_of_any_status(peer)
                    answers(self.load(peer.port, connections=8, requests=200))
                    result, spent, *_ = self.measured(peer, connections=8, seconds=self.plan.tls_s)
                    peer.check_alive()
                finally:
                    peer.close()
            finally:
                handshakes, resumed = upstream.close()
            if handshakes < result["answered"]:
                raise Void(f"{handshakes} requests at the upstream for {result['answered']} answers")
            self.results.add(self.name, tls_us=spent / result["answered"] * 1e6, tls_resumed=100 * resumed / handshakes)

    def first_answer_of_any_status(self, peer: peers.Peer) -> None:
        """Waits until the peer answers at all: the https upstream refuses the plain probe by design."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            peer.check_alive()
            with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", peer.port), timeout=5) as client:
                client.sendall(b"GET /api/0/ HTTP/1.1\r\nHost: sentry.example\r\nConnection: close\r\n\r\n")
                if client.recv(4096).startswith(b"HTTP/1.1 200 "):
                    return
            time.sleep(0.01)
        raise Void(f"{self.name} gave no answer over https within 10 s")

    def two_threads(self, directory: Path) -> None:
        """Throughput with one worker and with two, on the same cores for the load."""
        with self.results.row(self.name, "rps_one", "rps_two"):
            for figure, threads, cores in (("rps_one", 1, "peer"), ("rps_two", 2, "two")):
                with self.running(directory, threads, cores) as (_, peer):
                    result = answers(self.load(peer.port, connections=2 * CONNECTIONS, seconds=self.plan.saturation_s / 2))
                    self.results.add(self.name, **{figure: result["answered"] / result["seconds"]})


def built_tools(directory: Path) -> Path:
    for name in ("upstream", "load"):
        subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(directory / name),
                        str(HERE / "tools" / f"{name}.c")], check=True)
    return directory


def stripped_megabytes(binary: Path, directory: Path) -> float:
    shutil.copy(binary, directory / "stripped")
    subprocess.run(["strip", "-s", str(directory / "stripped")], check=True)
    return (directory / "stripped").stat().st_size / 1e6


def core_sets() -> tuple[dict[str, set[int]], bool]:
    """Who runs where, and whether two workers and the load each have cores of their own."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        sys.exit("run.py: two CPUs are needed, one for the peer and one for load and upstream")
    free = len(cpus) >= 4
    return {"peer": {cpus[0]}, "two": set(cpus[:2]), "load": set(cpus[2:] if free else cpus[1:])}, free


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two short rounds, under two minutes")
    parser.add_argument("--peers", default=",".join(peers.COMMANDS), help="names, separated by commas (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs", help="folder of benchmarks.md and .svg (default: docs)")
    arguments = parser.parse_args()
    names = arguments.peers.split(",")
    for name in names:
        if name not in peers.COMMANDS:
            parser.error(f"--peers: no peer is called {name}; known: {', '.join(peers.COMMANDS)}")
        if reason := peers.missing(name):
            sys.exit(f"run.py: {name}: {reason}; build or install it, or leave it out with --peers")

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        sys.exit(f"run.py: {DESCRIPTORS} descriptors are needed for {HELD} requests in flight, the hard limit is {hard}: raise ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))

    plan, results, busy = Plan(arguments.quick), Results(), []
    cores, cores_free = core_sets()
    own_network = fresh_network()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-tools-") as directory:
        tools = built_tools(Path(directory))
        if "sentry-api-proxy" in names:
            results.add("sentry-api-proxy", binary_mb=stripped_megabytes(peers.proxy_binary(), Path(directory)))
        for turn in range(plan.rounds):
            # Alternating order: no peer always comes after the same one.
            for name in names if turn % 2 == 0 else names[::-1]:
                busy.append(machine_busy())
                print(f"round {turn + 1} of {plan.rounds}: {name} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
                Turn(name, plan, results, tools, cores).take()
    facts = report.Facts(names, {name: peers.version(name) for name in names}, plan.rounds, arguments.quick, own_network, cores_free,
                         max(busy), time.monotonic() - began)
    arguments.out.mkdir(parents=True, exist_ok=True)
    report.write(arguments.out, results, facts)
    print(f"wrote {arguments.out}/benchmarks.md and benchmarks.svg after {facts.seconds:.0f} s", file=sys.stderr)
    missed = report.missed(results)
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    sys.exit(1 if any(results.voids.values()) else 0)


if __name__ == "__main__":
    main()
