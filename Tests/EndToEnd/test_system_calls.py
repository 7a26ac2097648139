"""System calls for a small GET, counted by strace.

Eight requests are in flight, as on a proxy that has something to do: one turn of the loop then serves several of them, and
the calls that a turn makes are shared. The clients say `Connection: close`, so that the proxy knows that nothing follows.
"""

from __future__ import annotations

import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.certificates import Certificates
from harness.client import ask, request
from harness.proxy import StartProxy
from harness.tls import Nginx
from harness.upstream import StandIn

REQUESTS = 1000
IN_FLIGHT = 8
CALLS_PER_REQUEST = 11


@pytest.mark.campaign
def test_a_small_get_takes_at_most_eleven_system_calls(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start_proxy(stand_in.uri, "--threads", "1", "--access-log", "off")
    payload = request("GET", "/api/0/", "Accept: */*", "User-Agent: strace/1", "Connection: close")
    for _ in range(50):
        assert ask(proxy.address, payload).status == 200
    report = tmp_path / "strace"
    with subprocess.Popen(["strace", "-c", "-f", "-o", str(report), "-p", str(proxy.pid)], stderr=subprocess.PIPE) as tracer:
        assert tracer.stderr is not None
        while b"attached" not in tracer.stderr.readline():
            assert tracer.poll() is None, "strace did not attach"
        with ThreadPoolExecutor(IN_FLIGHT) as clients:
            statuses = list(clients.map(lambda _: ask(proxy.address, payload).status, range(REQUESTS)))
        assert statuses == [200] * REQUESTS
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
    text = report.read_text()
    total = re.search(r"^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total$", text, re.MULTILINE)
    assert total, text
    each = int(total.group(1)) / REQUESTS
    print(f"\n{text}\n{each:.2f} system calls a request over {REQUESTS} small GETs")
    assert each <= CALLS_PER_REQUEST


def test_an_https_upstream_is_not_read_before_it_can_have_spoken(start_proxy: StartProxy, tmp_path: Path) -> None:
    """Two reads that could only say EAGAIN: before the ClientHello is out, and when a read has just emptied the socket."""
    certificates = Certificates(tmp_path)
    nginx = Nginx(tmp_path / "nginx", certificates.issue("good", "DNS:localhost,IP:127.0.0.1"))
    try:
        proxy = start_proxy(nginx.uri(), "--ca-file", certificates.ca_file, "--threads", "1", "--access-log", "off")
        payload = request("GET", "/api/0/", "Connection: close")
        for _ in range(5):
            assert ask(proxy.address, payload).status == 200
        report = tmp_path / "strace"
        command = ["strace", "-f", "-e", "trace=connect,recvfrom,sendto,sendmsg", "-o", str(report), "-p", str(proxy.pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as tracer:
            assert tracer.stderr is not None
            while b"attached" not in tracer.stderr.readline():
                assert tracer.poll() is None, "strace did not attach"
            for _ in range(20):
                assert ask(proxy.address, payload).status == 200
            tracer.send_signal(signal.SIGINT)
            tracer.wait(10)
    finally:
        nginx.close()
    calls = re.findall(r"(connect|recvfrom|sendto|sendmsg)\((\d+),.*= (-?\d+)", report.read_text())
    early = behind = connects = 0
    for (name, fd, _), (next_name, next_fd, result) in zip(calls, calls[1:]):
        if fd == next_fd and next_name == "recvfrom" and result == "-1":
            early += name == "connect"
            behind += name == "sendmsg"
        connects += name == "connect"
    assert connects == 20, calls
    assert (early, behind) == (0, 0), calls
