"""SIGTERM and SIGINT: what is in flight finishes, nothing new begins, the exit status is 0."""

from __future__ import annotations

import signal
import socket
import time

import pytest

from harness.client import Client, ask, request
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn


def refuses_connections(proxy: Proxy) -> bool:
    try:
        socket.create_connection(proxy.address, 1).close()
    except OSError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_is_finished_and_the_listener_is_closed(proxy: Proxy, stand_in: StandIn, number: int) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
        proxy.signal(number)
        eventually(lambda: refuses_connections(proxy), "the listener closed")
        assert proxy.process.poll() is None
        stand_in.release()
        assert client.read_answer().body == b"ok"
    assert proxy.wait(5) == 0


def test_an_idle_proxy_ends_at_once(proxy: Proxy, stand_in: StandIn) -> None:
    start = time.monotonic()
    proxy.signal(signal.SIGTERM)
    assert proxy.wait(5) == 0
    assert time.monotonic() - start < 3


def test_a_connection_without_a_request_does_not_hold_up_the_end(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address):
        proxy.signal(signal.SIGTERM)
        assert proxy.wait(12) == 0


def test_drain_timeout_bounds_the_wait(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--drain-timeout", "0.5")
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
        start = time.monotonic()
        proxy.signal(signal.SIGTERM)
        assert proxy.wait(5) == 0
        assert 0.3 < time.monotonic() - start < 2.5
        answer = client.read_answer()
        assert not answer.complete or answer.status in (502, 503, 504)


def test_a_second_signal_ends_at_once(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
        proxy.signal(signal.SIGTERM)
        eventually(lambda: refuses_connections(proxy), "the listener closed")
        proxy.signal(signal.SIGTERM)
        proxy.process.wait(3)


def test_a_streaming_answer_survives_the_signal(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/huge?size=50000000"))
        client.read_until(b"\r\n\r\n")
        proxy.signal(signal.SIGTERM)
        answer = client.read_answer()
        assert len(answer.body) == 50_000_000 and answer.complete
    assert proxy.wait(5) == 0


def test_a_restart_on_the_same_port_works_at_once(stand_in: StandIn, start_proxy: StartProxy) -> None:
    first = start_proxy(stand_in.uri)
    assert ask(first.address, request("GET", "/api/0/")).status == 200
    first.stop()
    second = start_proxy(stand_in.uri, listen=f"127.0.0.1:{first.port}")
    assert ask(second.address, request("GET", "/api/0/")).status == 200
