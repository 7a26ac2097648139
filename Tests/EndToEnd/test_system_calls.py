"""System calls for a small GET, counted by strace."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.proxy import StartProxy
from harness.upstream import StandIn

REQUESTS = 1000
CALLS_PER_REQUEST = 11


@pytest.mark.campaign
def test_a_small_get_takes_at_most_eleven_system_calls(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start_proxy(stand_in.uri)
    payload = request("GET", "/api/0/", "Accept: */*", "User-Agent: strace/1")
    for _ in range(50):
        assert ask(proxy.address, payload).status == 200
    report = tmp_path / "strace"
    with subprocess.Popen(["strace", "-c", "-f", "-o", str(report), "-p", str(proxy.pid)], stderr=subprocess.PIPE) as tracer:
        assert tracer.stderr is not None
        while b"attached" not in tracer.stderr.readline():
            assert tracer.poll() is None, "strace did not attach"
        for _ in range(REQUESTS):
            assert ask(proxy.address, payload).status == 200
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
    text = report.read_text()
    total = re.search(r"^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total$", text, re.MULTILINE)
    assert total, text
    each = int(total.group(1)) / REQUESTS
    print(f"\n{text}\n{each:.2f} system calls a request over {REQUESTS} small GETs")
    assert each <= CALLS_PER_REQUEST
