"""Bodies of 2 GB, both ways: the checksum stays, the proxy's memory too."""

from __future__ import annotations

import hashlib
import os
import select
import socket
import sys
import time
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "StandIn"))
from behave import BLOCK  # noqa: E402

SIZE_BYTES = 2 << 30
GROWTH_LIMIT_KIB = 1024
SANITIZER = os.environ.get("SANITIZER", "")


def repeated_digest(total: int) -> str:
    digest = hashlib.sha256()
    for _ in range(total // len(BLOCK)):
        digest.update(BLOCK)
    digest.update(BLOCK[: total % len(BLOCK)])
    return digest.hexdigest()


@pytest.fixture(scope="module")
def expected_digest() -> str:
    return repeated_digest(SIZE_BYTES)


def warm(proxy: Proxy) -> int:
    """Peak memory in KiB after a first megabyte each way, so that what is allocated once is not counted as growth."""
    assert ask(proxy.address, request("GET", "/behave/huge?size=1048576")).complete
    assert ask(proxy.address, request("POST", "/behave/sized", body=BLOCK)).status == 200
    return proxy.memory_kib("VmHWM")


def report(direction: str, seconds: float, growth_kib: int) -> None:
    print(f"\n2 GB {direction}: {SIZE_BYTES / seconds / 1e6:.0f} MB/s, peak memory grew by {growth_kib} KiB")


def judge_growth(growth_kib: int, limit_kib: int) -> None:
    if SANITIZER:
        print(f"\nmemory growth of {growth_kib} KiB is not judged: the {SANITIZER} sanitizer keeps memory of its own")
        return
    assert growth_kib < limit_kib


def head_of(sock: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


@pytest.mark.slow
@pytest.mark.parametrize("framing", ["length", "close"])
def test_two_gigabytes_down_keep_checksum_and_memory(
    proxy: Proxy, stand_in: StandIn, expected_digest: str, framing: str
) -> None:
    before = warm(proxy)
    start = time.monotonic()
    digest, received = hashlib.sha256(), 0
    with socket.create_connection(proxy.address, 60) as sock:
        sock.sendall(request("GET", f"/behave/huge?size={SIZE_BYTES}&framing={framing}", version="HTTP/1.0"))
        head, rest = head_of(sock)
        assert head.startswith(b"HTTP/1.1 200")
        digest.update(rest)
        received += len(rest)
        block = memoryview(bytearray(1 << 20))
        while count := sock.recv_into(block):
            digest.update(block[:count])
            received += count
    growth = proxy.memory_kib("VmHWM") - before
    report(f"down, framed by {framing}", time.monotonic() - start, growth)
    assert received == SIZE_BYTES
    assert digest.hexdigest() == expected_digest
    judge_growth(growth, GROWTH_LIMIT_KIB)


@pytest.mark.slow
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_two_gigabytes_up_keep_checksum_and_memory(
    stand_in: StandIn, start_proxy: StartProxy, expected_digest: str, framing: str
) -> None:
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "forward")
    before = warm(proxy)
    stand_in.reset()
    start = time.monotonic()
    with socket.create_connection(proxy.address, 60) as sock:
        line = f"Content-Length: {SIZE_BYTES}" if framing == "length" else "Transfer-Encoding: chunked"
        sock.sendall(request("POST", "/behave/sized?size=2", line))
        view = memoryview(BLOCK)
        for _ in range(SIZE_BYTES // len(BLOCK)):
            if framing == "chunked":
                sock.sendall(b"%x\r\n" % len(BLOCK))
            sock.sendall(view)
            if framing == "chunked":
                sock.sendall(b"\r\n")
        if framing == "chunked":
            sock.sendall(b"0\r\n\r\n")
        head, _ = head_of(sock)
        assert head.startswith(b"HTTP/1.1 200")
    growth = proxy.memory_kib("VmHWM") - before
    report(f"up, framed by {framing}", time.monotonic() - start, growth)
    seen = stand_in.request()
    assert (seen["framing"], seen["body_length"], seen["body_complete"]) == (framing, SIZE_BYTES, True)
    assert seen["body_sha256"] == expected_digest
    judge_growth(growth, GROWTH_LIMIT_KIB)


def test_a_client_that_does_not_read_costs_bounded_memory(proxy: Proxy, stand_in: StandIn) -> None:
    before = warm(proxy)
    socks = []
    for _ in range(20):
        sock = socket.create_connection(proxy.address, 20)
        sock.sendall(request("GET", "/behave/huge?size=200000000"))
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
        socks.append(sock)
    growth = settled_growth(proxy, before)
    for sock in socks:
        sock.close()
    judge_growth(growth, 20 * 256)


def test_an_upstream_that_does_not_read_costs_bounded_memory(proxy: Proxy, stand_in: StandIn) -> None:
    before = warm(proxy)
    stand_in.reset()
    with socket.create_connection(proxy.address, 20) as sock:
        sock.sendall(request("POST", "/behave/hold-reading", "Content-Length: 50000000"))
        sock.setblocking(False)
        sent, deadline = 0, time.monotonic() + 1.0
        view = memoryview(BLOCK)
        while time.monotonic() < deadline and sent < 50_000_000:
            try:
                sent += sock.send(view[: min(len(view), 50_000_000 - sent)])
            except BlockingIOError:
                select.select([], [sock], [], max(0, deadline - time.monotonic()))
        assert sent < 50_000_000, "back-pressure never reached the client"
        judge_growth(proxy.memory_kib("VmHWM") - before, GROWTH_LIMIT_KIB)
        stand_in.release()
        sock.setblocking(True)
        sock.settimeout(20)
        while sent < 50_000_000:
            sent += sock.send(view[: min(len(view), 50_000_000 - sent)])
        head, _ = head_of(sock)
        assert head.startswith(b"HTTP/1.1 200")
    assert stand_in.request()["body_length"] == 50_000_000


def settled_growth(proxy: Proxy, before: int) -> int:
    """Peak growth, once two looks a little apart agree."""
    last = -1
    for _ in range(50):
        now = proxy.memory_kib("VmHWM") - before
        if now == last:
            return now
        last = now
        time.sleep(0.1)
    return last
