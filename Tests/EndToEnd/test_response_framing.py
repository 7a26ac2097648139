"""Answers on their way down: a whole one arrives whole, a broken one can never be taken for whole."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.client import ask, request
from harness.proxy import Proxy, StartProxy
from harness.upstream import RawUpstream, StandIn


def filler(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 2_000_000])
def test_a_sized_answer_keeps_its_length(proxy: Proxy, stand_in: StandIn, size: int) -> None:
    answer = ask(proxy.address, request("GET", f"/behave/sized?size={size}"))
    assert answer.values("Content-Length") == [str(size)]
    assert answer.body == filler(size) and answer.complete and answer.beyond == b""


@pytest.mark.parametrize("chunk", [1, 13, 1000, 70_000])
def test_a_chunked_answer_arrives_whole_and_without_its_trailer(proxy: Proxy, stand_in: StandIn, chunk: int) -> None:
    size = 2000 if chunk < 100 else 300_000
    answer = ask(proxy.address, request("GET", f"/behave/chunked?size={size}&chunk={chunk}"))
    assert answer.body == filler(size) and answer.complete
    assert b"stolen" not in answer.raw and b"X-Sum" not in answer.raw and b"note=1" not in answer.raw


def test_a_close_delimited_answer_arrives_whole(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/behave/close-delimited?size=300000"))
    assert answer.body == filler(300_000) and answer.complete


def test_an_http_1_0_upstream_is_understood(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/behave/http10?size=300"))
    assert answer.head.startswith(b"HTTP/1.1 200 OK") and answer.body == filler(300) and answer.complete


@pytest.mark.parametrize("length", ["", "&length=12345"])
@pytest.mark.parametrize("status", ["204%20No%20Content", "304%20Not%20Modified"])
def test_204_and_304_have_no_body_whatever_their_fields_say(proxy: Proxy, stand_in: StandIn, status: str, length: str) -> None:
    answer = ask(proxy.address, request("GET", f"/behave/bare?status={status}{length}"))
    assert answer.status == int(status[:3])
    assert answer.payload == b"" and answer.ended == "fin"
    assert not answer.values("Transfer-Encoding")
    if answer.status == 204:
        assert not answer.values("Content-Length")


def test_head_has_no_body_and_tells_the_length(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("HEAD", "/behave/sized?size=777"))
    assert answer.value("Content-Length") == "777" and answer.payload == b"" and answer.ended == "fin"


def test_interim_answers_of_the_upstream_are_dropped(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/behave/informational?codes=100,102,103"))
    assert (answer.status, answer.body) == (200, b"final")
    assert answer.interim == []


def test_an_http_1_0_client_gets_no_interim_answer(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/behave/informational", version="HTTP/1.0"))
    assert answer.interim == [] and answer.body == b"final"


@pytest.mark.parametrize("name", ["short?size=1000&sent=10", "short?size=1000&sent=0", "short?size=3000000&sent=2999999",
                                  "chunked-short", "broken-chunks", "reset-body?size=1000&sent=10"])
def test_a_truncated_answer_looks_truncated(proxy: Proxy, stand_in: StandIn, name: str) -> None:
    answer = ask(proxy.address, request("GET", f"/behave/{name}"))
    assert answer.status in (200, 502)
    if answer.status == 200:
        assert not answer.complete, answer.raw[:300]
        assert answer.ended in ("fin", "reset")
        assert not answer.payload.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("name", ["reset-head", "close-head", "partial-head", "splitting?by=cr", "splitting?by=lf",
                                  "splitting?by=nul", "giant-head?size=1000000"])
def test_an_upstream_without_a_proper_head_is_a_502(proxy: Proxy, stand_in: StandIn, name: str) -> None:
    answer = ask(proxy.address, request("GET", f"/behave/{name}"))
    assert (answer.status, answer.complete) == (502, True)
    assert b"stolen" not in answer.raw


def test_bytes_beyond_the_length_never_reach_the_client(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/behave/extra"))
    assert answer.body == b"exact" and answer.beyond == b"" and b"stolen" not in answer.raw


@pytest.mark.rewriting
def test_a_gzip_answer_is_inflated_for_a_client_that_does_not_accept_it(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/behave/gzip?size=100000"))
    assert answer.value("Content-Encoding") is None
    assert answer.body == filler(100_000) and answer.complete


@pytest.mark.rewriting
def test_a_gzip_answer_goes_untouched_to_a_client_that_accepts_it(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/behave/gzip?size=100000", "Accept-Encoding: gzip"))
    assert answer.value("Content-Encoding") == "gzip"
    assert gzip.decompress(answer.body) == filler(100_000)


def test_concurrent_answers_never_mix(proxy: Proxy, stand_in: StandIn) -> None:
    def round_trip(number: int) -> bool:
        body = f"<{number}>".encode() * 2000
        return ask(proxy.address, request("POST", "/behave/echo", body=body)).body == body

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(round_trip, range(400)))


def test_a_204_to_head_has_no_length(raw_upstream: Callable[..., RawUpstream], start_proxy: StartProxy) -> None:
    upstream = raw_upstream(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nContent-Length: x\r\n\r\n")
    answer = ask(start_proxy(upstream.uri).address, request("HEAD", "/api/0/"))
    assert answer.status == 204 and not answer.values("Content-Length"), answer.raw
