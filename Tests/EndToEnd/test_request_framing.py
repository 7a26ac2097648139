"""Request bodies on their way up: what the upstream got is what the client sent."""

from __future__ import annotations

import hashlib

import pytest

from harness.client import Client, ask, request
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

REPLAY_BUFFER_BYTES = 256 << 10


def chunked(body: bytes, step: int, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    pieces = [body[offset : offset + step] for offset in range(0, len(body), step)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces) + b"0\r\n" + trailer + b"\r\n"


def pattern(size: int) -> bytes:
    return (hashlib.sha256(b"pattern").digest() * (size // 32 + 1))[:size]


@pytest.mark.parametrize("size", [0, 1, 100, 65535, 65536, 65537, REPLAY_BUFFER_BYTES, REPLAY_BUFFER_BYTES + 1, 3_000_000])
def test_a_sized_body_arrives_with_its_length(proxy: Proxy, stand_in: StandIn, size: int) -> None:
    body = pattern(size)
    answer = ask(proxy.address, request("POST", "/behave/sized", f"Content-Length: {size}", body=body))
    assert answer.status == 200
    seen = stand_in.request()
    assert (seen["framing"], seen["body_length"], seen["body_complete"]) == ("length", size, True)
    assert seen["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert f"Content-Length: {size}\r\n" in seen["head"]


@pytest.mark.parametrize("step", [1, 7, 4096])
def test_a_small_chunked_body_is_sent_on_with_a_length(proxy: Proxy, stand_in: StandIn, step: int) -> None:
    body = pattern(5000)
    answer = ask(proxy.address, request("POST", "/behave/sized", "Transfer-Encoding: chunked") + chunked(body, step))
    assert answer.status == 200
    seen = stand_in.request()
    assert (seen["framing"], seen["body_length"]) == ("length", 5000)
    assert "Transfer-Encoding" not in seen["head"]
    assert seen["body_sha256"] == hashlib.sha256(body).hexdigest()


def test_an_empty_chunked_body_is_sent_on_with_length_zero(proxy: Proxy, stand_in: StandIn) -> None:
    assert ask(proxy.address, request("POST", "/behave/sized", "Transfer-Encoding: chunked") + b"0\r\n\r\n").status == 200
    assert "Content-Length: 0\r\n" in stand_in.request()["head"]


def test_a_chunked_body_of_the_replay_buffers_size_still_gets_a_length(proxy: Proxy, stand_in: StandIn) -> None:
    body = pattern(REPLAY_BUFFER_BYTES)
    ask(proxy.address, request("POST", "/behave/sized", "Transfer-Encoding: chunked") + chunked(body, 50_000))
    assert stand_in.request()["framing"] == "length"


def test_a_long_chunked_body_that_is_forwarded_stays_chunked(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "forward")
    body = pattern(3_000_000)
    ask(proxy.address, request("POST", "/behave/sized", "Transfer-Encoding: chunked") + chunked(body, 70_000))
    seen = stand_in.request()
    assert (seen["framing"], seen["body_length"], seen["body_complete"]) == ("chunked", 3_000_000, True)
    assert seen["body_sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("size", [1000, 1_000_000])
def test_chunk_extensions_and_trailers_are_read_and_dropped(stand_in: StandIn, start_proxy: StartProxy, size: int) -> None:
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "forward")
    body = chunked(pattern(size), 900, b";name=\"a;b\"", b"X-Sum: 1\r\nAuthorization: Bearer stolen\r\n")
    assert ask(proxy.address, request("POST", "/behave/sized", "Transfer-Encoding: chunked") + body).status == 200
    seen = stand_in.request()
    assert (seen["body_length"], seen["trailer"]) == (size, "")
    assert "stolen" not in seen["head"]


def test_a_body_byte_by_byte_arrives_whole(proxy: Proxy, stand_in: StandIn) -> None:
    whole = request("POST", "/behave/echo", "Transfer-Encoding: chunked") + chunked(b"hello world", 4, trailer=b"X: y\r\n")
    answer = ask(proxy.address, *(whole[index : index + 1] for index in range(len(whole))))
    assert answer.body == b"hello world"


def test_a_request_without_framing_has_no_body(proxy: Proxy, stand_in: StandIn) -> None:
    ask(proxy.address, request("GET", "/api/0/"))
    head = stand_in.request()["head"]
    assert "Content-Length" not in head and "Transfer-Encoding" not in head


def test_a_body_cut_short_by_the_client_never_looks_whole_upstream(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/sized", "Content-Length: 1000000") + pattern(400_000))
        stand_in.records(requests=1)
        client.reset()
    seen = stand_in.records(requests=1, ended=1)["requests"][0]
    assert seen["body_complete"] is False


def test_a_chunked_body_without_its_last_chunk_never_looks_whole_upstream(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "forward")
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/sized", "Transfer-Encoding: chunked"))
        client.send(chunked(pattern(600_000), 60_000)[: -len(b"0\r\n\r\n")])
        stand_in.records(requests=1)
        client.half_close()
        client.read_answer()
    for seen in stand_in.records(requests=1, ended=1)["requests"]:
        assert seen["body_complete"] is False


def test_a_bad_chunk_in_a_small_body_reaches_no_upstream(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("POST", "/behave/sized", "Transfer-Encoding: chunked") + b"5\r\nhelloX\r\n0\r\n\r\n")
    assert answer.status == 400
    stand_in.assert_untouched()


def test_an_http_1_0_client_gets_an_answer_without_chunks(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/behave/chunked?size=1000", version="HTTP/1.0"))
    assert answer.status == 200
    assert not answer.values("Transfer-Encoding")
    assert len(answer.body) == 1000 and answer.ended == "fin"


def test_an_http_1_0_client_needs_no_host(proxy: Proxy, stand_in: StandIn) -> None:
    assert ask(proxy.address, request("GET", "/api/0/", host=None, version="HTTP/1.0")).status == 200
    assert f"Host: {stand_in.address}\r\n" in stand_in.request()["head"]
