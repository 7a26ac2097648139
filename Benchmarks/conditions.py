"""What changes when there is more of something, and when the network is bad: tables of their own in the report.

Each row is measured for all peers in turn, in this run; a row that failed says so in its cell.
"""

import contextlib
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import peers
import report
from processes import Void, answers, cpu, pss_bytes

if TYPE_CHECKING:
    from run import Results, Run, Stage

DOWN = "/api/0/organizations/acme/bytes/{}/"
UP = "/api/0/organizations/acme/chunk-upload/"
IN_FLIGHT = (100, 1_000, 4_000, 9_000, 20_000)
IDLE = (2_000, 9_000, 50_000)
ADDRESSES = 64
CLIENT_TOKEN = "client-token-that-must-not-pass"  # tools/bench.h has the same


def say(text: str) -> None:
    print(f"{text} ", end="", file=sys.stderr, flush=True)


def taken(run: "Run", measure: Callable[[str], list[float]], width: int) -> dict[str, list[float] | None]:
    """One row of figures for each peer; None, with the reason on stderr, where it failed."""
    found: dict[str, list[float] | None] = {}
    for name in run.names:
        try:
            found[name] = measure(name)
            assert len(found[name]) == width
        except (Void, OSError, subprocess.SubprocessError) as reason:
            say(f"\nvoid: {name}: {reason}\n")
            found[name] = None
    return found


def cells(row: list[float] | None, width: int, digits: int) -> list[str]:
    return ["void"] * width if row is None else [f"{value:,.{digits}f}" for value in row]


def ratios(found: dict[str, list[float] | None], of: int) -> list[str]:
    """Of this proxy to each other peer."""
    ours = found.get(report.PROXY)
    return [f"{ours[of] / found[name][of]:.2f}" if ours and found[name] and found[name][of] else "–" for name in found if name != report.PROXY]


# MARK: A bad network

def bad_network(run: "Run", results: "Results", quick: bool) -> None:
    """50 ms of round trip and 1 % of the segments lost, on one side or the other."""
    from run import Stage

    seconds, rate, bulk = (4, 100, 20_000_000) if quick else (10, 200, 100_000_000)
    rows = []
    others = [name for name in run.names if name != report.PROXY]
    for side in ("client", "upstream"):
        say(f"bad-network-{side}")

        def measure(name: str, side: str = side) -> list[float]:
            with Stage(run, name, bad=side) as stage:
                small = answers(stage.load(rate=rate, seconds=seconds))
                down = answers(stage.load(connections=1, requests=1, path=DOWN.format(bulk), expect=bulk, timeout=60))
                up = answers(stage.load(connections=1, requests=1, path=UP, upload=bulk, timeout=60))
                stage.verify()
                return [small["p50_us"] / 1e3, small["p99_us"] / 1e3, bulk / 1e6 / down["seconds"], bulk / 1e6 / up["seconds"]]

        found = taken(run, measure, 4)
        for index, (label, digits) in enumerate((("p50 ms", 1), ("p99 ms", 1), (f"MB/s down, {bulk // 1_000_000} MB", 1),
                                                 (f"MB/s up, {bulk // 1_000_000} MB", 1))):
            rows.append([f"{side} side: {label}", *(cells(found[name], 4, digits)[index] for name in run.names), *ratios(found, index)])
    results.tables.append(report.Table(
        "Under a bad network", "A relay (`Benchmarks/tools/delay.c`; this kernel has no netem) between the peer and its client or its upstream: 50 ms\n"
        f"of round trip, 1 % of the segments lost; {rate} requests a second of small answers, then one long body each way.",
        ["figure", *run.names, *(f"÷ {name}" for name in others)], rows))


# MARK: Growth

def within_limit(counts: tuple[int, ...], each: int) -> list[int]:
    """Those for which a process may open enough descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        counts = tuple(count for count in counts if each * count + 1_000 <= hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, each * counts[-1] + 1_000), hard))
    return list(counts)


def held(stage: "Stage", count: int) -> tuple[float, float]:
    """CPU µs a request, and KB of memory for each of so many that wait at the same time."""
    before, spent = pss_bytes(stage.peer.pid), cpu(stage.peer.pid)[0]
    stage.upstream.tell("hold")
    client = stage.load(rate=4000, requests=count, timeout=40, sources=32)
    deadline = time.monotonic() + 30
    while stage.upstream.tell("stats")["held"] < count and time.monotonic() < deadline and client.poll() is None:
        time.sleep(0.02)
    reached, during = stage.upstream.tell("stats")["held"], pss_bytes(stage.peer.pid)
    stage.upstream.tell("release")
    answers(client, 60)
    if reached != count:
        raise Void(f"only {reached} of {count} requests were in flight")
    return (cpu(stage.peer.pid)[0] - spent) / count * 1e6, (during - before) / count / 1000


def in_flight(run: "Run", quick: bool) -> list[list[str]]:
    from run import Stage

    counts = within_limit(IN_FLIGHT[:3] if quick else IN_FLIGHT, 2)

    def measure(name: str) -> list[float]:
        figures: list[tuple[float, float]] = []
        for count in counts:
            peers.most_in_flight = count + 200  # nginx and HAProxy allocate for it when they start
            with Stage(run, name) as stage:
                answers(stage.load(connections=32, requests=1000))
                samples = [held(stage, count) for _ in range(5 if count <= 1_000 else 1)]
                stage.verify()
            figures.append((median(s[0] for s in samples), samples[0][1]))
        return [f[0] for f in figures] + [f[1] for f in figures] + [figures[-1][0] / figures[1][0]]

    try:
        found = taken(run, measure, 2 * len(counts) + 1)
    finally:
        peers.most_in_flight = 4096
    rows = []
    for offset, label, digits in ((0, "CPU µs a request", 1), (len(counts), "KB a request", 2)):
        for index, count in enumerate(counts):
            rows.append([f"{count:,} in flight: {label}", *(cells(found[name], 2 * len(counts) + 1, digits)[offset + index] for name in run.names),
                         *ratios(found, offset + index)])
    rows.append([f"slope of the CPU, {counts[-1]:,} ÷ {counts[1]:,}", *(cells(found[name], 2 * len(counts) + 1, 2)[-1] for name in run.names),
                 *ratios(found, 2 * len(counts))])
    return rows


def idle(run: "Run", quick: bool) -> list[list[str]]:
    """Clients that have sent one byte of a request and wait."""
    from run import Stage

    counts = within_limit(IDLE[:1] if quick else IDLE, 2)

    def measure(name: str) -> list[float]:
        figures = []
        for count in counts:
            peers.most_in_flight = count + 200
            with Stage(run, name) as stage, contextlib.ExitStack() as stack:
                answers(stage.load(connections=32, requests=500))
                before = pss_bytes(stage.peer.pid)
                with stage.network.inside():
                    for i in range(count):
                        client = stack.enter_context(socket.socket())
                        client.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
                        client.bind((f"127.0.1.{1 + i % 32}", 0))
                        client.connect(("127.0.0.1", stage.port))
                        client.send(b"G")
                time.sleep(0.5)
                figures.append((pss_bytes(stage.peer.pid) - before) / count / 1000)
                answers(stage.load(connections=8, requests=200))  # it still serves
        return figures

    try:
        found = taken(run, measure, len(counts))
    finally:
        peers.most_in_flight = 4096
    return [[f"{count:,} idle clients: KB each", *(cells(found[name], len(counts), 2)[i] for name in run.names), *ratios(found, i)]
            for i, count in enumerate(counts)]


def pair(run: "Run", few: dict, many: dict, path: dict | None = None) -> list[float]:
    """CPU µs a request of this proxy, started once the one and once the other way, in alternating bursts; and their ratio."""
    from run import Stage

    with contextlib.ExitStack() as stack:
        stages = []
        for way in (few, many):
            peers.extra.update(way)
            try:
                stages.append(stack.enter_context(Stage(run, report.PROXY)))
            finally:
                peers.extra.clear()
            if "--alias-file" in way.get("arguments", ()):
                peers.await_names(stages[-1].directory / f"{report.PROXY}.log")
                stages[-1].upstream.tell("reset")
        samples: list[list[float]] = [[], []]
        for stage in stages:
            answers(stage.load(connections=32, requests=500, **(path or {})))
        for burst in range(8):
            for i in (0, 1) if burst % 2 == 0 else (1, 0):
                result, spent, *_ = stages[i].measured(connections=32, seconds=0.3, **(path or {}))
                samples[i].append(spent / result["answered"] * 1e6)
        return [median(samples[0]), median(samples[1]), median(samples[1]) / median(samples[0])]


def ours(run: "Run", directory: Path, quick: bool) -> list[list[str]]:
    """What only this proxy has: aliases, addresses that it looks up again and again, and its log."""
    rows: list[list[str]] = []
    others = ["–"] * (len(run.names) - 1)

    def add(label: str, few: dict, many: dict, path: dict | None = None) -> None:
        say(label.split(":")[0].replace(" ", "-"))
        try:
            first, last, slope = pair(run, few, many, path)
            rows.append([f"{label}: CPU µs a request", f"{first:,.1f} → {last:,.1f}: {slope:.2f} ×", *others, *others])
        except (Void, OSError, subprocess.SubprocessError) as reason:
            say(f"\nvoid: {label}: {reason}\n")
            rows.append([label, "void", *others, *others])

    path = {"path": "/api/0/projects/acme/web/events/0123456789abcdef0123456789abcdef/"}
    line = f"bench {CLIENT_TOKEN} read-only triage org=acme project=web\n"
    files = {}
    for name, text in (("one", line), ("many", line + "".join(
            f"other-{i} other-token-{i:06}-0123456789abcdef0123456789 read-only org=team-{i % 500:03}\n" for i in range(10_000)))):
        files[name] = directory / f"aliases-{name}"
        files[name].write_text(text)
        files[name].chmod(0o600)
    add("1 → 10,001 aliases", {"arguments": ["--alias-file", str(files["one"])]}, {"arguments": ["--alias-file", str(files["many"])]}, path)

    add(f"1 → {ADDRESSES} addresses of the upstream", {"addresses": 1}, {"addresses": ADDRESSES})

    # A reader of 2,000 lines a second: most lines find no room.
    say("slow-log-reader")
    count = 20_000 if quick else 100_000
    try:
        rows.append(["log: " + f"{count:,} lines, read at 2,000 a second", slow_reader(run, count), *others, *others])
    except (Void, OSError, subprocess.SubprocessError) as reason:
        say(f"\nvoid: slow reader: {reason}\n")
        rows.append(["log: a slow reader", "void", *others, *others])
    return rows


def slow_reader(run: "Run", count: int) -> str:
    """Memory and CPU while nobody keeps up with the log."""
    from run import Stage

    reader, writer = os.pipe()
    slow = subprocess.Popen([sys.executable, "-c", "import os,time\nwhile os.read(0, 20000): time.sleep(0.05)"], stdin=reader)
    os.close(reader)
    peers.extra.update({"arguments": ["--access-log", "all"], "output": writer})
    try:
        with Stage(run, report.PROXY) as stage:
            os.close(writer)
            answers(stage.load(connections=32, requests=500))
            before = pss_bytes(stage.peer.pid)
            result, spent, *_ = stage.measured(connections=32, requests=count)
            grown = (pss_bytes(stage.peer.pid) - before) / 1e6
            return f"{spent / result['answered'] * 1e6:.1f} µs a request, {grown:.1f} MB more"
    finally:
        peers.extra.clear()
        slow.kill()
        slow.wait()


def growth(run: "Run", results: "Results", quick: bool) -> None:
    others = [name for name in run.names if name != report.PROXY]
    with tempfile.TemporaryDirectory(prefix="bench-growth-") as directory:
        rows = []
        for part in (in_flight, idle):
            say(part.__name__.replace("_", "-"))
            rows += part(run, quick)
        if report.PROXY in run.names:
            rows += ours(run, Path(directory), quick)
    results.tables.append(report.Table(
        "Growth", "Requests whose answers are held back; clients that have sent one byte; what only this proxy has, in alternating bursts.\n"
        "nginx and HAProxy are given room for each number, since they allocate it when they start. Numbers that the hard limit of\n"
        f"descriptors ({resource.getrlimit(resource.RLIMIT_NOFILE)[1]:,}) does not allow are left out: of {', '.join(f'{n:,}' for n in IN_FLIGHT)} in flight, {', '.join(f'{n:,}' for n in IDLE)} idle.",
        ["figure", *run.names, *(f"÷ {name}" for name in others)], rows))
