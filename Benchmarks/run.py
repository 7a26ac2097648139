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
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import conditions
import peers
import report
from processes import CPUClock, Network, Upstream, Void, answers, cpu, end, free_port, load, pss_bytes, spawn, tree

HERE = Path(__file__).resolve().parent
HELD = 4000          # requests in flight for the memory figure
RATE = 2000          # requests a second of the open loop
RATE_BURSTS = 4      # of it in a round: the median leaves out one that the hypervisor held up
CONNECTIONS = 32     # in flight at saturation
BULK_BYTES = 32_000_000
TRACED = 1000        # requests under strace
RESUMED = 80         # percent of the TLS sessions, at least, or the row is void
WORKERS = (1, 2, 8, 32)
ALIAS_BURST_S = 2    # long enough for each of 10,000 aliases to come several times
ALIAS_RATIOS = {"narrowed": "alias_narrowed_ratio", "many": "alias_many_ratio"}
FAR = "127.0.0.9"    # the upstream, when the peers reach it through a relay
ONE_WAY_MS, LOSS = 25, 1  # of the bad network: half a round trip, and percent of the segments
DESCRIPTORS = 20000


@dataclass
class Plan:
    """How long a run takes. A part is cut into short bursts that alternate between the peers, because the
    speed of a virtual CPU drifts by more than the peers differ."""

    rounds: int
    bursts: int        # of each part and peer in a round
    burst_s: float     # at saturation
    rate_s: float      # at the fixed rate, in RATE_BURSTS bursts
    bulk_requests: int # of BULK_BYTES in a burst


PARTS = ("memory", "small", "aliases", "bulk", "https", "https_clients", "two_workers", "workers", "system_calls")
QUICK = Plan(rounds=2, bursts=5, burst_s=0.4, rate_s=2, bulk_requests=4)
FULL = Plan(rounds=5, bursts=6, burst_s=0.4, rate_s=4, bulk_requests=6)


class Results:
    """Samples of every figure by peer, or why there are none."""

    def __init__(self):
        self.samples: dict[str, dict[str, list[float]]] = {}
        self.voids: dict[str, dict[str, str]] = {}
        self.tables: list[report.Table] = []  # of --growth and --bad-network

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


class Stage:
    """One peer with its upstream, in a network of its own."""

    def __init__(self, run: "Run", name: str, threads: int = 1, cores: str = "peer", tls: bool = False, secure: bool = False,
                 bad: str | None = None):
        """`bad`: the side of the network that delays and loses, `client` or `upstream`."""
        self.run, self.name, self.threads, self.cores, self.tls, self.secure, self.bad = run, name, threads, cores, tls, secure, bad

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            self.directory.chmod(0o755)
            self.network = Network()
            stack.callback(self.network.close)
            with self.network.inside():
                if self.tls or self.secure:
                    peers.make_certificates(self.directory)
                if self.tls:
                    self.upstream = peers.TLSUpstream(self.directory, self.run.cores["load"])
                elif "addresses" in peers.extra:
                    self.upstream = Upstream(self.run.tools / "upstream", self.run.cores["load"], "0.0.0.0", peers.UPSTREAM_NAME)
                else:
                    self.upstream = Upstream(self.run.tools / "upstream", self.run.cores["load"], FAR if self.bad == "upstream" else "127.0.0.1")
                stack.callback(self.upstream.close)
                self.peer = peers.Peer(self.name, self.directory, self.upstream.port, self.run.cores[self.cores], self.threads, self.tls, self.secure)
                stack.callback(self.peer.close)
                if self.bad == "upstream":
                    stack.callback(end, self.relay("127.0.0.1", self.upstream.port, FAR, self.upstream.port))
                self.port = free_port() if self.bad == "client" else self.peer.port
                if self.bad == "client":
                    stack.callback(end, self.relay("127.0.0.1", self.port, "127.0.0.1", self.peer.port))
                self.start_ms = self.first_answer()
            if not self.tls:
                self.upstream.tell("reset")
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def first_answer(self) -> float:
        """Milliseconds from the start of the program to its first whole answer."""
        while time.monotonic() < self.peer.started + 10:
            self.peer.check_alive()
            with contextlib.suppress(ConnectionError):
                with self.connected() as client:
                    client.sendall(b"GET /api/0/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                    answer = b"".join(iter(lambda: client.recv(65536), b""))
                if answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(peers.SMALL_BODY.encode()):
                    return (time.monotonic() - self.peer.started) * 1000
            time.sleep(0.0003)
        self.upstream.check_alive()
        raise Void(f"{self.name} gave no whole answer within 10 s of its start")

    def relay(self, address: str, port: int, target: str, target_port: int) -> subprocess.Popen:
        process = spawn([str(self.run.tools / "delay"), address, str(port), target, str(target_port), str(ONE_WAY_MS), str(LOSS)],
                        self.run.cores["load"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if process.stdout.readline() != "ready\n":
            raise Void("the relay did not start")
        return process

    def connected(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.peer.port), timeout=5)
        if not self.secure:
            return client
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.directory / "ca.pem")
        return context.wrap_socket(client, server_hostname="localhost")

    def load(self, **options) -> subprocess.Popen:
        with self.network.inside():
            process = load(self.run.tools / "load", self.run.cores["load"], self.port, **options)
        self.stack.callback(end, process)  # no more than a safety net: `answers` waits for it
        return process

    def measured(self, **options) -> tuple[dict, float, float, float]:
        """Runs a load. Returns its result and the CPU seconds of the peer: total, user, system."""
        total, user, system = cpu(self.peer.pid)
        result = answers(self.load(**options))
        total_after, user_after, system_after = cpu(self.peer.pid)
        self.peer.check_alive()
        spent, ticks = total_after - total, max(1, user_after - user + system_after - system)
        return result, spent, spent * (user_after - user) / ticks, spent * (system_after - system) / ticks

    def verify(self) -> None:
        """The upstream's complaints about what reached it."""
        told = self.upstream.tell("stats")
        if self.tls:
            resumed = 100 * told["resumed"] / max(1, told["requests"])
            self.run.results.add(self.name, tls_resumed=resumed)
            if resumed < RESUMED:
                raise Void(f"only {resumed:.0f} % of the sessions were resumed")
        elif told["violations"]:
            raise Void(f"{told['violations']} requests reached the upstream uncleaned, the first: {told['first']}")


class Run:
    """All parts, round by round."""

    def __init__(self, names: list[str], plan: Plan, results: Results, tools: Path, cores: dict[str, set[int]], parts: list[str]):
        self.names, self.plan, self.results, self.tools, self.cores, self.parts = names, plan, results, tools, cores, parts
        os.environ["TOOLS"] = str(tools)

    def round(self, turn: int) -> None:
        self.turn = turn
        self.order = self.names if turn % 2 == 0 else self.names[::-1]
        for part in self.parts:
            print(f"{part} ", end="", file=sys.stderr, flush=True)
            getattr(self, part)()
        print(file=sys.stderr)

    def alternate(self, figures: tuple[str, ...], bursts: int, measure: Callable[[Stage], dict[str, float]], tls: bool = False,
                  secure: bool = False, floors: tuple[str, ...] = (), warm: dict | None = None) -> None:
        """Runs bursts of each peer in turn. A round's sample is the median of its bursts; a failure voids the figures."""
        order = [*self.order, *floors]
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in order}
        with contextlib.ExitStack() as stack:
            stages = []
            for name in order:
                with self.results.row(name, *figures):
                    stage = stack.enter_context(Stage(self, name, tls=tls, secure=secure))
                    answers(stage.load(connections=8, requests=400, **(warm or {})))
                    stages.append(stage)
                    if not tls and not secure:
                        self.results.add(name, start_ms=stage.start_ms)
            for burst in range(bursts):
                for stage in stages if burst % 2 == 0 else stages[::-1]:
                    with self.results.row(stage.name, *figures):
                        taken[stage.name].append(measure(stage))
            for stage in stages:
                with self.results.row(stage.name, *figures):
                    stage.verify()
        for name, samples in taken.items():
            for figure in samples[0] if samples else ():
                self.results.add(name, **{figure: median(sample[figure] for sample in samples)})

    def small(self) -> None:
        """Small requests, at saturation and at a fixed rate."""

        def saturated(stage: Stage) -> dict[str, float]:
            result, spent, user, system = stage.measured(connections=CONNECTIONS, seconds=self.plan.burst_s)
            count = result["answered"]
            return {"cpu_us": spent / count * 1e6, "user_us": user / count * 1e6, "system_us": system / count * 1e6,
                    "rps": count / result["seconds"], "core_busy": 100 * spent / result["seconds"]}

        def at_rate(stage: Stage) -> dict[str, float]:
            result, spent, *_ = stage.measured(rate=RATE, seconds=self.plan.rate_s / RATE_BURSTS)
            return {"cpu_at_rate_us": spent / result["answered"] * 1e6, **{name: result[name] for name in ("p50_us", "p99_us", "p999_us")}}

        self.alternate(("cpu_us", "user_us", "system_us", "rps", "core_busy"), self.plan.bursts, saturated)
        self.alternate(("cpu_at_rate_us", "p50_us", "p99_us", "p999_us"), RATE_BURSTS, at_rate)

    def aliases(self) -> None:
        """What it costs to hold requests to rights: aliases of this proxy alone. Bursts of each kind in turn, and the ratio is
        that of neighbours."""
        if report.PROXY not in self.order:
            return
        figures = [f"cpu_alias_{kind}" for kind in peers.ALIASES]
        with self.results.row(report.PROXY, *figures, *ALIAS_RATIOS.values()), contextlib.ExitStack() as stack:
            stages: dict[str, Stage] = {}
            for kind, (count, words) in peers.ALIASES.items():
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
                peers.extra["arguments"] = ["--alias-file", str(peers.alias_file(folder, count, words))]
                try:
                    stages[kind] = stack.enter_context(Stage(self, report.PROXY))
                finally:
                    peers.extra.clear()
                if "org=" in words:
                    peers.await_names(stages[kind].directory / f"{report.PROXY}.log")
                    stages[kind].upstream.tell("reset")
                answers(stages[kind].load(connections=8, requests=2 * count + 400, aliases=count))
            taken: dict[str, list[float]] = {kind: [] for kind in stages}
            for burst in range(self.plan.bursts):
                for kind in list(stages)[:: 1 if burst % 2 == 0 else -1]:
                    result, spent, *_ = stages[kind].measured(connections=CONNECTIONS, seconds=ALIAS_BURST_S,
                                                              aliases=peers.ALIASES[kind][0])
                    taken[kind].append(spent / result["answered"] * 1e6)
            for stage in stages.values():
                stage.verify()
            self.results.add(report.PROXY, **{f"cpu_alias_{kind}": median(samples) for kind, samples in taken.items()},
                             **{figure: median(ours / full for ours, full in zip(taken[kind], taken["full"]))
                                for kind, figure in ALIAS_RATIOS.items()})

    def bulk(self) -> None:
        """Long bodies in both directions."""
        count, gigabytes = self.plan.bulk_requests, self.plan.bulk_requests * BULK_BYTES / 1e9

        def down(stage: Stage) -> dict[str, float]:
            path = f"/api/0/organizations/acme/bytes/{BULK_BYTES}/"
            return {"down_ms_gb": stage.measured(connections=4, requests=count, path=path, expect=BULK_BYTES)[1] * 1000 / gigabytes}

        def up(stage: Stage) -> dict[str, float]:
            path = "/api/0/organizations/acme/chunk-upload/"
            return {"up_ms_gb": stage.measured(connections=4, requests=count, path=path, upload=BULK_BYTES)[1] * 1000 / gigabytes}

        self.alternate(("down_ms_gb",), self.plan.bursts, down)
        self.alternate(("up_ms_gb",), self.plan.bursts, up)

    def https(self) -> None:
        """An https upstream (nginx, TLS 1.3), certificate checked, session resumed, a handshake for every request."""

        def handshakes(stage: Stage) -> dict[str, float]:
            result, spent, *_ = stage.measured(connections=8, seconds=self.plan.burst_s)
            return {"tls_us": spent / result["answered"] * 1e6}

        self.alternate(("tls_us",), self.plan.bursts, handshakes, tls=True, floors=("tls-floor",))

    def https_clients(self) -> None:
        """Clients that speak https (TLS 1.3, P-256), with and without a session to resume; the upstream is plain."""

        def handshakes(kind: str, figure: str) -> Callable[[Stage], dict[str, float]]:
            def measure(stage: Stage) -> dict[str, float]:
                result, spent, *_ = stage.measured(connections=8, seconds=self.plan.burst_s, tls=kind)
                resumed = 100 * result["resumed"] / result["answered"]
                if (resumed < RESUMED) if kind == "resumed" else (resumed > 0):
                    raise Void(f"{resumed:.0f} % of the sessions were resumed")
                return {figure: spent / result["answered"] * 1e6}
            return measure

        for kind, figure in (("resumed", "client_tls_us"), ("full", "client_tls_full_us")):
            self.alternate((figure,), self.plan.bursts // 2 + 1, handshakes(kind, figure), secure=True, warm={"tls": kind})

    def workers(self) -> None:
        """CPU a request at one rate with 1 to 32 workers on the same two cores: what they cost each other."""
        if self.turn % 2 == 1:
            return  # it takes half a minute; every second round will do
        taken: dict[str, dict[str, list[float]]] = {name: {} for name in self.order}
        for name in self.order:
            figures = [f"cpu_workers_{count}" for count in WORKERS]
            with self.results.row(name, *figures), contextlib.ExitStack() as stack:
                stages = [stack.enter_context(Stage(self, name, count, "two")) for count in WORKERS]
                for stage in stages:
                    answers(stage.load(connections=CONNECTIONS, requests=1000))
                for burst in range(RATE_BURSTS // 2):
                    for figure, stage in list(zip(figures, stages))[:: 1 if burst % 2 == 0 else -1]:
                        result, spent, *_ = stage.measured(rate=RATE, seconds=self.plan.rate_s / RATE_BURSTS)
                        taken[name].setdefault(figure, []).append(spent / result["answered"] * 1e6)
                for stage in stages:
                    stage.verify()
                self.results.add(name, **{figure: median(samples) for figure, samples in taken[name].items()})

    def memory(self) -> None:
        """Idle memory, and memory with 4,000 requests waiting for their answers. One peer alone, so that nobody shares its pages."""
        for name in self.order:
            with self.results.row(name, "start_ms", "idle_mb", "held_kb"), Stage(self, name) as stage:
                self.results.add(name, start_ms=stage.start_ms, idle_mb=pss_bytes(stage.peer.pid) / 1e6)
                answers(stage.load(connections=CONNECTIONS, requests=500))
                before = pss_bytes(stage.peer.pid)
                stage.upstream.tell("hold")
                client = stage.load(rate=HELD, requests=HELD, timeout=20)
                deadline = time.monotonic() + 15
                while (held := stage.upstream.tell("stats")["held"]) < HELD and time.monotonic() < deadline and client.poll() is None:
                    time.sleep(0.02)
                during = pss_bytes(stage.peer.pid)
                stage.upstream.tell("release")
                answers(client, 30)
                stage.verify()
                if held != HELD:
                    raise Void(f"only {held} of {HELD} requests were in flight")
                self.results.add(name, held_kb=(during - before) / HELD / 1000)

    def system_calls(self) -> None:
        """System calls per request, counted by strace: at saturation, and one at a time so that no two share a wake-up."""
        for name in self.order:
            for figure, connections in (("calls", CONNECTIONS), ("calls_alone", 1)):
                with self.results.row(name, figure), Stage(self, name) as stage:
                    answers(stage.load(connections=connections, requests=100))
                    calls = traced(stage, connections)
                    stage.verify()
                    self.results.add(name, **{figure: calls / TRACED})

    def two_workers(self) -> None:
        """Throughput with one worker and with two."""
        for name in self.order:
            for figure, workers, cores in (("rps_one", 1, "peer"), ("rps_two", 2, "two")):
                with self.results.row(name, "rps_one", "rps_two"), Stage(self, name, workers, cores) as stage:
                    result = answers(stage.load(connections=2 * CONNECTIONS, seconds=2 * self.plan.burst_s))
                    stage.verify()
                    self.results.add(name, **{figure: result["answered"] / result["seconds"]})


def traced(stage: Stage, connections: int) -> int:
    """How many system calls the peer makes for TRACED requests."""
    table, pids = stage.directory / "strace", tree(stage.peer.pid)
    tracer = subprocess.Popen(["strace", "-f", "-c", "-o", str(table), *(f"--attach={pid}" for pid in pids)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").glob("*/status")]
        deadline = time.monotonic() + 5
        while any("TracerPid:\t0\n" in task.read_text() for task in tasks):
            if time.monotonic() > deadline or tracer.poll() is not None:
                raise Void("strace could not attach")
            time.sleep(0.01)
        answers(stage.load(connections=connections, requests=TRACED))
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(timeout=10)
    # % time, seconds, µs a call, calls, errors (if any), name
    rows = [line.split() for line in table.read_text().splitlines()]
    return sum(int(row[3]) for row in rows if len(row) in (5, 6) and row[3].isdigit() and row[-1] != "total")


OPENSSL = ["-lssl", "-lcrypto"]
TOOLS = {"upstream": [], "load": OPENSSL, "delay": [], "tls-floor": OPENSSL}


def built_tools(directory: Path) -> Path:
    for name, libraries in TOOLS.items():
        subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(directory / name),
                        str(HERE / "tools" / f"{name}.c"), *libraries], check=True)
    return directory


def stripped_megabytes(binary: Path, directory: Path) -> float:
    shutil.copy(binary, directory / "stripped")
    if subprocess.run(["strip", "-s", str(directory / "stripped")], capture_output=True).returncode != 0:
        raise Void("strip does not take it for a program")
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
    parser.add_argument("--peers", default="sentry-api-proxy,nginx,haproxy", help="names, separated by commas (default: %(default)s)")
    parser.add_argument("--growth", action="store_true", help="more of everything: in flight, idle, aliases, addresses, log lines")
    parser.add_argument("--bad-network", action="store_true", help="50 ms and 1 %% loss on either side")
    parser.add_argument("--parts", default=",".join(PARTS), help="only these (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs", help="folder of benchmarks.md and .svg (default: docs)")
    arguments = parser.parse_args()
    names, parts = arguments.peers.split(","), arguments.parts.split(",") if arguments.parts else []
    for part in parts:
        if part not in PARTS:
            parser.error(f"--parts: there is no part {part}; known: {', '.join(PARTS)}")
    for name in names:
        if name not in peers.COMMANDS:
            parser.error(f"--peers: no peer is called {name}; known: {', '.join(peers.COMMANDS)}")
        if reason := peers.missing(name):
            sys.exit(f"run.py: {name}: {reason}; build or install it, or leave it out with --peers")

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        sys.exit(f"run.py: {DESCRIPTORS} descriptors are needed for {HELD} requests in flight, the hard limit is {hard}: raise ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    plan, results = QUICK if arguments.quick else FULL, Results()
    cores, cores_free = core_sets()
    clock = CPUClock()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-tools-") as directory:
        tools = built_tools(Path(directory))
        if "sentry-api-proxy" in names:
            with results.row("sentry-api-proxy", "binary_mb"):
                results.add("sentry-api-proxy", binary_mb=stripped_megabytes(peers.proxy_binary(), Path(directory)))
        run = Run(names, plan, results, tools, cores, parts)
        for turn in range(plan.rounds if parts else 0):
            # Alternating order: no peer always comes after the same one.
            print(f"round {turn + 1} of {plan.rounds} ({time.monotonic() - began:.0f} s): ", end="", file=sys.stderr)
            run.round(turn)
        if arguments.bad_network:
            conditions.bad_network(run, results, arguments.quick)
        if arguments.growth:
            conditions.growth(run, results, arguments.quick)
    facts = report.Facts(names, {name: peers.version(name) for name in names}, plan.rounds, arguments.quick, Network.own, cores_free,
                         *clock.shares(), time.monotonic() - began)
    arguments.out.mkdir(parents=True, exist_ok=True)
    report.write(arguments.out, results, facts)
    print(f"wrote {arguments.out}/benchmarks.md and benchmarks.svg after {facts.seconds:.0f} s", file=sys.stderr)
    for line in report.voids(results) + report.missed(results):
        print(line, file=sys.stderr)
    sys.exit(1 if any(results.voids.values()) else 0)


if __name__ == "__main__":
    main()
