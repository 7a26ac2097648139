"""What ten thousand aliases with rights cost at a start."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import pytest

from harness.proxy import StartProxy
from harness.upstream import StandIn

pytestmark = [pytest.mark.campaign, pytest.mark.tokens]

COUNT, DISTINCT, ROUNDS = 10_000, 500, 15
SETS = ["read-only", "ci-upload", "mcp", "triage", "grafana", "mcp mcp-triage", "read-only people raw", "monitors", "event:read project:releases", "cli -ai"]
MOST_SECONDS = 0.030


def line(number: int) -> str:
    right = number % DISTINCT
    words = f"{SETS[right % len(SETS)]} org=acme-{right // 50}"
    if right % 3:
        words += f" project=web-{right},api-{right % 7}"
    return f"name-{number} sap_{number:043} {words} rate={right + 1}/s\n"


def on_cpu(pid: int) -> float:
    """Seconds that the threads of a process were on a CPU so far."""
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def test_ten_thousand_aliases_of_five_hundred_rights_start_as_fast_as_one(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    files = {"one": tmp_path / "one", "many": tmp_path / "many"}
    files["one"].write_text(line(0))
    files["many"].write_text("".join(line(number) for number in range(COUNT)))
    assert len({text.split(maxsplit=2)[2] for text in files["many"].read_text().splitlines()}) == DISTINCT
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in files}
    for _ in range(ROUNDS):
        for name, file in files.items():
            file.chmod(0o600)
            began = time.monotonic()
            proxy = start_proxy(stand_in.uri, "--alias-file", str(file), "--threads", "1")
            waited = time.monotonic() - began
            try:
                spent[name].append((on_cpu(proxy.pid), waited))
            except PermissionError:
                pytest.skip("only root sees the CPU time of another process's threads")
            proxy.stop()
    cpu, wall = ({name: median(pair[which] for pair in pairs) for name, pairs in spent.items()} for which in (0, 1))
    print(f"\nstart with one alias and with {COUNT}: CPU {cpu['one'] * 1e3:.1f} and {cpu['many'] * 1e3:.1f} ms, "
          f"wall {wall['one'] * 1e3:.1f} and {wall['many'] * 1e3:.1f} ms")
    assert cpu["many"] - cpu["one"] < MOST_SECONDS
