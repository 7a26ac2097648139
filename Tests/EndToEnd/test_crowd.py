"""A crowd of idle and slow clients does not keep a fast one waiting."""

from __future__ import annotations

import pytest

from harness.client import ask, request
from harness.crowd import Crowd, latencies, raise_descriptor_limit
from harness.process import eventually
from harness.proxy import StartProxy
from harness.upstream import StandIn

IDLE = 10_000
SLOW = 500
P99_SECONDS = 0.050


def crowd_sizes(limit: int) -> tuple[int, int]:
    """Every slow client costs the proxy two descriptors once its head is whole; leave room for the fast one."""
    slow = min(SLOW, limit // 8)
    return min(IDLE, limit - 2 * slow - 500), slow


def measure(stand_in: StandIn, start_proxy: StartProxy, seconds_of_patience: str) -> float:
    limit = raise_descriptor_limit()
    idle, slow = crowd_sizes(limit)
    proxy = start_proxy(stand_in.uri, "--head-timeout", seconds_of_patience, "--body-timeout", seconds_of_patience)
    quiet = latencies(proxy.address, request("GET", "/api/0/"), 100, 0)
    before = proxy.memory_kib()
    crowd = Crowd(proxy.address)
    try:
        crowd.add_idle(idle)
        head = request("POST", "/behave/sized", "Content-Length: 100")
        # Half of them are slow in their heads, half in their bodies.
        crowd.add_slow([head if index % 2 else b"" for index in range(slow)])
        for index, (sock, data) in enumerate(crowd.slow):
            if not data:
                sock.sendall(head)
                crowd.slow[index] = (sock, b"x" * 100)
        eventually(lambda: proxy.descriptors() >= idle + slow, "the crowd is in", 20)
        crowded = latencies(proxy.address, request("GET", "/api/0/"), 500, 0.004)
        memory = proxy.memory_kib() - before
        assert crowd.gone() == 0, "the proxy closed idle clients before their time"
    finally:
        crowd.leave()
    p99 = crowded[int(len(crowded) * 0.99)]
    print(f"\n{idle} idle and {slow} slow clients (descriptor limit {limit}): fast client p50 {crowded[len(crowded) // 2] * 1e3:.1f} ms, "
          f"p99 {p99 * 1e3:.1f} ms, max {crowded[-1] * 1e3:.1f} ms; without the crowd p99 {quiet[98] * 1e3:.1f} ms; "
          f"memory {memory / (idle + slow):.2f} KiB a client")
    eventually(lambda: proxy.descriptors() < 200, "the crowd's descriptors came back", 20)
    assert ask(proxy.address, request("GET", "/api/0/")).status == 200
    return p99


@pytest.mark.slow
def test_a_fast_client_is_served_among_ten_thousand(stand_in: StandIn, start_proxy: StartProxy) -> None:
    measure(stand_in, start_proxy, "60")


@pytest.mark.campaign
def test_p99_of_a_fast_client_among_ten_thousand_is_below_50_ms(stand_in: StandIn, start_proxy: StartProxy) -> None:
    assert measure(stand_in, start_proxy, "60") < P99_SECONDS


def test_at_the_descriptor_limit_requests_get_503_and_the_proxy_recovers(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--threads", "1", wrapper=["prlimit", "--nofile=100:100"])
    raise_descriptor_limit()
    crowd = Crowd(proxy.address)
    try:
        crowd.add_idle(150)
        answer = ask(proxy.address, request("GET", "/api/0/"), seconds=10)
        assert answer.status == 503 or answer.raw == b"", answer.raw[:200]
    finally:
        crowd.leave()
    eventually(lambda: ask(proxy.address, request("GET", "/api/0/")).status == 200, "requests work again", 15)
