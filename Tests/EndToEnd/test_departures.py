"""Who leaves, when, and what the other side sees of it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from harness.client import Client, ask, request
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.scripted import Scripted, read_head
from harness.sockets import wait_until_ended, wait_until_watched
from harness.upstream import StandIn

AT_ONCE_SECONDS = 2.0
DRIP_SECONDS = 0.02
# When a client whose FIN is in is asked, by `100 Continue`, whether it is still there.
PROBE_SECONDS = 3.0


def wait_for_end_upstream(stand_in: StandIn, seconds: float = AT_ONCE_SECONDS) -> None:
    start = time.monotonic()
    seen = stand_in.records(requests=1, ended=1, seconds=seconds)
    assert seen["connections"] and seen["connections"][0]["ended"] in ("fin", "reset"), seen
    assert time.monotonic() - start < seconds


@pytest.mark.parametrize("behaviour", ["hold-head", "hold-body?size=1000&sent=10"])
def test_a_client_that_resets_drops_the_upstream_at_once(proxy: Proxy, stand_in: StandIn, behaviour: str) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", f"/behave/{behaviour}"))
        stand_in.records(requests=1)
        if "body" in behaviour:
            client.read_until(b"\r\n\r\n")
        client.reset()
    wait_for_end_upstream(stand_in)


def test_a_client_that_closes_before_the_answer_drops_the_upstream_once_it_was_asked(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
    wait_for_end_upstream(stand_in, PROBE_SECONDS + AT_ONCE_SECONDS)


@pytest.fixture
def slow_answer() -> Iterator[tuple[Scripted, threading.Event, threading.Event]]:
    """Answers 30 of 50 bytes, the rest as long as anybody takes it once it may go on; then says that nobody does."""
    go_on, refused = threading.Event(), threading.Event()

    def play(sock: socket.socket, _: int) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + b"a" * 30)
        go_on.wait(10)
        try:
            for _ in range(20):
                sock.sendall(b"b")
                time.sleep(DRIP_SECONDS)
            if not sock.recv(1):
                return
        except OSError:
            refused.set()

    upstream = Scripted(play)
    yield upstream, go_on, refused
    go_on.set()
    upstream.close()


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_a_half_close_in_the_middle_of_an_answer_is_no_departure(
    start_proxy: StartProxy, slow_answer: tuple[Scripted, threading.Event, threading.Event], version: str
) -> None:
    upstream, go_on, _ = slow_answer
    proxy = start_proxy(upstream.uri)
    with Client(proxy.address) as client:
        client.send(request("GET", "/api/0/x/", version=version))
        client.read_until(b"a" * 30)
        wait_until_watched(proxy, client.sock)
        client.half_close()
        wait_until_ended(client.sock)
        time.sleep(0.1)  # To be heard: nothing tells of that.
        go_on.set()
        answer = client.read_answer()
    assert answer.body == b"a" * 30 + b"b" * 20 and answer.complete and answer.interim == []


def test_a_client_that_closes_in_the_middle_of_an_answer_is_found_out_by_its_next_bytes(
    start_proxy: StartProxy, slow_answer: tuple[Scripted, threading.Event, threading.Event]
) -> None:
    upstream, go_on, refused = slow_answer
    proxy = start_proxy(upstream.uri)
    with Client(proxy.address) as client:
        client.send(request("GET", "/api/0/x/"))
        client.read_until(b"a" * 30)
        wait_until_watched(proxy, client.sock)
    go_on.set()
    assert refused.wait(AT_ONCE_SECONDS)


@pytest.mark.parametrize(("wait", "interim"), [(0.5, []), (PROBE_SECONDS + 1, [100])], ids=["in time", "late"])
def test_a_half_closed_client_is_asked_only_when_the_answer_takes_long(proxy: Proxy, stand_in: StandIn, wait: float, interim: list[int]) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        client.half_close()
        stand_in.records(requests=1)
        time.sleep(wait)
        stand_in.release()
        answer = client.read_answer()
    assert (answer.status, answer.complete, answer.interim) == (200, True, interim)


def test_a_client_that_leaves_while_the_answer_streams_drops_the_upstream(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/huge?size=2000000000"))
        client.read_until(b"\r\n\r\n")
        client.reset()
    wait_for_end_upstream(stand_in)


def test_a_client_that_half_closes_after_its_request_gets_its_answer(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/echo", body=b"hello"))
        client.half_close()
        answer = client.read_answer()
    assert answer.body == b"hello" and answer.complete


def test_a_half_close_within_a_body_is_not_a_whole_body(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/echo", "Content-Length: 10", body=b"hello"))
        client.half_close()
        answer = client.read_answer()
    assert answer.status in (0, 400)
    for seen in stand_in.records()["requests"]:
        assert seen["body_complete"] is not True


def test_a_half_close_within_a_head_gets_400_or_nothing(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, b"GET /api/0/ HTTP/1.1\r\nHost: a", half_close=True)
    assert answer.status in (0, 400) and answer.ended in ("fin", "reset")
    stand_in.assert_untouched()


def test_an_early_answer_comes_through_while_the_body_is_still_going_up(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/early", "Content-Length: 100000000") + b"x" * 1000)
        answer = client.read_answer()
    assert (answer.status, answer.body) == (403, b'{"detail":"early"}')


@pytest.mark.parametrize("behaviour", ["early", "early-reset"])
def test_an_early_answer_is_not_lost_on_a_client_that_keeps_sending(proxy: Proxy, stand_in: StandIn, behaviour: str) -> None:
    with Client(proxy.address) as client:
        client.send(request("POST", f"/behave/{behaviour}", "Content-Length: 3000000") + b"x" * 3_000_000)
        answer = client.read_answer()
    assert (answer.status, answer.body) == (403, b'{"detail":"early"}'), answer.raw[:200]


def test_slots_and_descriptors_come_back(proxy: Proxy, stand_in: StandIn) -> None:
    ask(proxy.address, request("GET", "/api/0/"))
    before = proxy.descriptors()
    for behaviour in ["sized", "reset-head", "close-head", "short", "chunked-short", "broken-chunks", "early", "extra", "bare"] * 10:
        ask(proxy.address, request("POST", f"/behave/{behaviour}", body=b"x" * 100))
    for _ in range(20):
        with Client(proxy.address) as client:
            client.send(request("GET", "/behave/hold-head"))
            client.reset()
    eventually(lambda: proxy.descriptors() <= before, f"descriptors back to {before}")


def test_an_upstream_that_is_not_there_is_a_502(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy("http://127.0.0.1:1")
    answer = ask(proxy.address, request("GET", "/api/0/"))
    assert (answer.status, answer.complete) == (502, True)
    assert b"127.0.0.1" not in answer.body
