"""Turns the samples of one run into benchmarks.md and benchmarks.svg."""

import datetime
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PROXY = "sentry-api-proxy"


@dataclass
class Facts:
    """What a reader needs to judge a run."""

    peers: list[str]
    versions: dict[str, str]
    rounds: int
    quick: bool
    own_network: bool
    cores_free: bool
    others: float  # share of all CPUs that other programs used during the run
    stolen: float  # and that the hypervisor took
    seconds: float


@dataclass
class Table:
    """A table of its own behind the targets: what --growth and --bad-network measured."""

    title: str
    note: str
    header: list[str]
    rows: list[list[str]]


# figure, label, digits
FIGURES = [
    ("cpu_us", "CPU µs a request, at saturation", 1),
    ("user_us", "– user", 1),
    ("system_us", "– system", 1),
    ("cpu_at_rate_us", "CPU µs a request, at 2,000 req/s", 1),
    ("rps", "requests/s at saturation, one worker", 0),
    ("core_busy", "its core in use meanwhile, %", 0),
    ("p50_us", "p50 µs at 2,000 req/s", 0),
    ("p99_us", "p99 µs at 2,000 req/s", 0),
    ("p999_us", "p99.9 µs at 2,000 req/s", 0),
    ("cpu_alias_full", "CPU µs a request of an alias, full", 1),
    ("cpu_alias_narrowed", "– narrowed to an organization and a project", 1),
    ("cpu_alias_many", "– 10,000 such aliases of 500 different rights, in turn", 1),
    ("alias_narrowed_ratio", "narrowed alias ÷ full", 3),
    ("alias_many_ratio", "among 10,000 aliases of 500 rights ÷ full", 3),
    ("down_ms_gb", "CPU ms per GB down", 0),
    ("up_ms_gb", "CPU ms per GB up", 0),
    ("idle_mb", "memory idle (PSS), MB", 1),
    ("held_kb", "memory per request in flight, KB", 2),
    ("calls", "system calls a request, at saturation", 1),
    ("calls_alone", "system calls a request, one at a time", 1),
    ("tls_us", "https upstream, CPU µs a request", 0),
    ("tls_resumed", "– sessions resumed, %", 1),
    ("client_tls_us", "https clients, resumed, CPU µs a request", 0),
    ("client_tls_full_us", "https clients, full handshakes, CPU µs a request", 0),
    ("cpu_workers_1", "CPU µs a request, at 2,000 req/s on two cores, 1 worker", 1),
    ("cpu_workers_2", "– 2 workers", 1),
    ("cpu_workers_8", "– 8 workers", 1),
    ("cpu_workers_32", "– 32 workers", 1),
    ("rps_one", "requests/s, 1 worker", 0),
    ("rps_two", "requests/s, 2 workers", 0),
    ("start_ms", "start to first answer, ms", 1),
    ("binary_mb", "binary, stripped, MB", 1),
]

# figure, factor, of whom (None: the factor is the limit itself), "at most" or "at least"
TARGETS = [
    ("cpu_us", 0.88, "nginx", "<="),
    ("cpu_us", 0.83, "haproxy", "<="),
    ("calls", 10.5, None, "<="),
    ("p50_us", 1, "nginx", "<="),
    ("p99_us", 1, "nginx", "<="),
    ("alias_narrowed_ratio", 1.02, None, "<="),
    ("alias_many_ratio", 1.02, None, "<="),
    ("down_ms_gb", 0.75, "haproxy", "<="),
    ("up_ms_gb", 0.75, "haproxy", "<="),
    ("held_kb", 2.5, None, "<="),
    ("idle_mb", 8, None, "<="),
    ("tls_us", 0.7, "nginx", "<="),
    ("tls_us", 1.15, "tls-floor", "<="),
    ("client_tls_us", 0.9, "nginx", "<="),
    ("client_tls_full_us", 0.9, "nginx", "<="),
    ("start_ms", 30, None, "<="),
    ("binary_mb", 16, None, "<="),
]
CHART = ["cpu_us", "p99_us", "down_ms_gb", "up_ms_gb", "idle_mb", "held_kb", "calls", "tls_us"]
LABELS = {figure: label for figure, label, _ in FIGURES}
DIGITS = {figure: digits for figure, _, digits in FIGURES}


def middle(results, peer: str | None, figure: str) -> float | None:
    """The median; none if the row is void."""
    if figure in results.voids.get(peer, {}):
        return None
    samples = results.samples.get(peer, {}).get(figure)
    return median(samples) if samples else None


def number(value: float, figure: str) -> str:
    return f"{value:,.{DIGITS[figure]}f}"


def cell(results, peer: str, figure: str) -> str:
    value = middle(results, peer, figure)
    if value is None:
        return "void" if figure in results.voids.get(peer, {}) else "–"
    samples = results.samples[peer][figure]
    spread = f" ({number(min(samples), figure)}..{number(max(samples), figure)})" if len(samples) > 1 else ""
    return number(value, figure) + spread


def ratio(results, figure: str, other: str) -> str:
    ours, theirs = middle(results, PROXY, figure), middle(results, other, figure)
    return f"{ours / theirs:.2f}" if ours is not None and theirs else "–"


def target_rows(results, cores_free: bool | None = None) -> list[tuple[str, str, str, bool | None]]:
    """What had to be reached, what was measured, and whether it was met (None: no figure)."""
    rows = []
    for figure, factor, other, _ in TARGETS:
        ours = middle(results, PROXY, figure)
        theirs = middle(results, other, figure) if other else 1
        wanted = f"{LABELS[figure]} ≤ " + (f"{factor:g} × {other}" if other else f"{factor:g}")
        if ours is None or theirs is None:
            rows.append((wanted, "no figure", "", None))
        else:
            rows.append((wanted, number(ours, figure), f"{ours / theirs:.2f} × {other}" if other else "", ours <= factor * theirs))
    alone, many = middle(results, PROXY, "cpu_workers_1"), middle(results, PROXY, "cpu_workers_32")
    if alone and many:
        rows.append(("CPU µs a request with 32 workers ≤ 1.05 × 1 worker", number(many, "cpu_workers_32"), f"{many / alone:.2f} ×",
                     many <= 1.05 * alone))
    one, two = middle(results, PROXY, "rps_one"), middle(results, PROXY, "rps_two")
    if one and two:
        rows.append(("requests/s with 2 workers ≥ 1.8 × 1 worker", number(two, "rps_two"), f"{two / one:.2f} ×",
                     two >= 1.8 * one if cores_free else None))
    return rows


def voids(results) -> list[str]:
    """One line for each peer and reason, with the figures that it cost."""
    lines = []
    for peer, reasons in results.voids.items():
        for reason in dict.fromkeys(reasons.values()):
            figures = "; ".join(LABELS[figure] for figure in reasons if reasons[figure] == reason)
            lines.append(f"void: {peer}: {reason} ({figures})")
    return lines


def missed(results) -> list[str]:
    return [f"missed: {wanted}: {measured} {times}".strip() for wanted, measured, times, met in target_rows(results) if met is False]


def machine() -> str:
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
                 platform.machine())
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    system = next((line.split("=")[1].strip('"') for line in Path("/etc/os-release").read_text().splitlines()
                   if line.startswith("PRETTY_NAME=")), "Linux")
    return f"{model}, {len(os.sched_getaffinity(0))} CPUs, {kilobytes / 1e6:.0f} GB; {system}, Linux {platform.release()}"


def markdown(results, facts: Facts) -> str:
    others = [peer for peer in facts.peers if peer != PROXY]
    ours = PROXY in facts.peers
    lines = [
        "# Benchmarks", "",
        "Written by `make bench`; do not edit. Medians of the rounds, in brackets the least and the greatest.",
        "Compare ratios within one run; absolute figures move with the machine.", "",
        "![The figures as bars](benchmarks.svg)", "",
        f"- Machine: {machine()}",
        f"- Versions: {', '.join(f'{peer} {facts.versions[peer]}' for peer in facts.peers)}",
        f"- {datetime.date.today().isoformat()}, {facts.rounds} {'short ' if facts.quick else ''}rounds, peers in turn, {facts.seconds:.0f} s; "
        f"meanwhile other programs used {facts.others:.0%} of the CPUs, the hypervisor took {facts.stolen:.1%}"
        + (" (**not a quiet machine**: latencies and throughput say little)" if facts.others > 0.1 else ""),
        "- " + ("Each part ran in a network namespace of its own." if facts.own_network
                else "No right to make a network namespace: all parts shared the machine's loopback and its TIME_WAIT."), "",
        "| figure | " + " | ".join(facts.peers + ([f"÷ {peer}" for peer in others] if ours else [])) + " |",
        "|---|" + "---|" * (len(facts.peers) + (len(others) if ours else 0)),
    ]
    for figure, label, _ in FIGURES:
        cells = [cell(results, peer, figure) for peer in facts.peers]
        if any(text != "–" for text in cells):
            ratios = [ratio(results, figure, peer) for peer in others] if ours else []
            lines.append(f"| {label} | " + " | ".join(cells + ratios) + " |")
    for line in voids(results):
        lines += ["", line]
    if ours:
        lines += ["", "## Targets", "", "| target | measured | ratio | |", "|---|---|---|---|"]
        for wanted, measured, times, met in target_rows(results, facts.cores_free):
            verdict = {True: "met", False: "missed", None: "not to be judged"}[met]
            lines.append(f"| {wanted} | {measured} | {times} | {verdict} |")
    for table in results.tables:
        lines += ["", f"## {table.title}", "", table.note, "", "| " + " | ".join(table.header) + " |", "|---" * len(table.header) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in table.rows]
    lines += ["", "## How it is measured", "", METHOD.strip(), (
        "- Two workers: the load had cores of its own." if facts.cores_free else
        "- Two workers: cores were **not** free. With fewer than four CPUs load and upstream share them with the second worker, so the two\n"
        "  rows say nothing about how the peer scales."), ""]
    return "\n".join(lines)


METHOD = """
- A new client connection and a new upstream connection for every request; the peer has one worker, pinned to one core; load and
  upstream run on the other. The same work for all: the rules of docs/reference/headers.md, the upstream token put in, no access
  log. Configurations: `Benchmarks/peers/`. nginx and HAProxy are tuned where it is fair (backlog, TCP_DEFER_ACCEPT, tables sized
  for the 4,000 requests); their buffering is the default: nginx stores an upload in a file before it sends it on.
- Every request is checked by the upstream (token, fields that must not arrive, length and bytes of a body), every answer by the
  load generator (status, length, bytes, `Set-Cookie` gone). One failure voids the row.
- Each part is cut into short bursts that alternate between the peers, since the speed of a machine drifts by more than the peers
  differ. A round's figure is the median of its bursts; the table shows the median of the rounds.
- CPU is the peer's own (`/proc/PID/task/*/schedstat`, all its processes); user and system are split as the clock ticks fell.
  Saturation is a closed loop of 32 requests in flight. The load's core can be the narrower one: the row "its core in use" tells.
- Latency is counted from the moment a request was due (open loop), so a stall counts for all that should have started in it. It
  includes the load's own and the upstream's time on their shared core.
- Aliases: a request that names its project, shown in turn by each of the 10,000; the ratios are medians of those of neighbouring
  bursts of two seconds.
- Memory is PSS of all the peer's processes, without the kernel's socket buffers (pages that another running program shares count
  in part); in flight: 4,000 requests whose answers are held back.
- System calls by strace, at saturation and one at a time. https: nginx as upstream, TLS 1.3, certificate checked, 8 in flight;
  resumption is counted in the upstream's log. tls-floor (`Benchmarks/tools/tls-floor.c`) makes the same handshake and relays the
  answer, and does nothing else. https clients: TLS 1.3, a P-256 certificate, 8 in flight, the upstream plain.
- 1 to 32 workers at one rate: all share the two cores with load and upstream, so that only what workers cost each other differs.
"""


def chart(results, facts: Facts) -> str:
    """Bars, nginx = 100 %. Colours that hold on a light and on a dark page; the text follows the page."""
    colours = {PROXY: "#f05138", "before": "#f5a08f", "nginx": "#3d9a50", "haproxy": "#4a7fd0"}
    row, bar, left, width, widest = 22 * len(facts.peers) + 26, 16, 275, 915, 1.6
    unit = (width - left - 130) / widest
    height = 70 + row * len(CHART)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        'aria-label="CPU, latency and memory of the peers, in percent of nginx">',
        "<style>text{font:13px system-ui,sans-serif;fill:#24292f;stroke:#fff;stroke-width:3px;paint-order:stroke}"
        ".quiet{fill:#57606a}.rule{stroke:#8c959f;stroke-dasharray:3 4}"
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3;stroke:#0d1117}.quiet{fill:#9198a1}}</style>",
        f'<text x="16" y="26" font-weight="600">In percent of nginx, less is better</text>',
    ]
    for i, peer in enumerate(facts.peers):
        x = left + i * 190
        out.append(f'<rect x="{x}" y="15" width="13" height="13" rx="2" fill="{colours[peer]}"/>'
                   f'<text x="{x + 19}" y="26">{peer} {facts.versions[peer].split("-")[0]}</text>')
    out.append(f'<line class="rule" x1="{left + unit:.1f}" x2="{left + unit:.1f}" y1="44" y2="{height - 16}"/>')
    y = 54
    for figure in CHART:
        base = middle(results, "nginx", figure)
        out.append(f'<text x="16" y="{y + 13}">{LABELS[figure]}</text>')
        for peer in facts.peers:
            value = middle(results, peer, figure)
            if value is None or not base:
                out.append(f'<text class="quiet" x="{left}" y="{y + 13}">{peer}: no figure</text>')
            else:
                share = max(0, value / base)
                cut = share > widest
                length = min(share, widest) * unit
                out.append(f'<rect x="{left}" y="{y}" width="{max(1, length):.1f}" height="{bar}" rx="2" fill="{colours[peer]}"/>'
                           f'<text x="{left + length + 7:.1f}" y="{y + 13}">{number(value, figure)} '
                           f'<tspan class="quiet">{"→ " if cut else ""}{share:.0%}</tspan></text>')
            y += 22
        y += row - 22 * len(facts.peers)
    return "\n".join(out + ["</svg>", ""])


def write(folder: Path, results, facts: Facts) -> None:
    (folder / "benchmarks.md").write_text(markdown(results, facts))
    (folder / "benchmarks.svg").write_text(chart(results, facts))
