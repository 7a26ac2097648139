"""Who leaves, when, and what the other side sees of it."""

from __future__ import annotations

import time

import pytest

from harness.client import Client, ask, request
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

AT_ONCE_SECONDS = 2.0


def wait_for_end_upstream(stand_in: StandIn) -> None:
    start = time.monotonic()
    seen = stand_in.records(requests=1, ended=1, seconds=AT_ONCE_SECONDS)
    assert seen["connections"] and seen["connections"][0]["ended"] in ("fin", "reset"), seen
    assert time.monotonic() - start < AT_ONCE_SECONDS


@pytest.mark.parametrize("leave", ["close", "reset"])
@pytest.mark.parametrize("behaviour", ["hold-head", "hold-body?size=1000&sent=10"])
def test_a_client_that_leaves_drops_the_upstream_at_once(proxy: Proxy, stand_in: StandIn, behaviour: str, leave: str) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", f"/behave/{behaviour}"))
        stand_in.records(requests=1)
        if "body" in behaviour:
            client.read_until(b"\r\n\r\n")
        client.reset() if leave == "reset" else client.sock.close()
    wait_for_end_upstream(stand_in)


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
