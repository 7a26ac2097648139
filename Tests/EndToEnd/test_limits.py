"""Limits and time-outs, each with a short flag so that the test is short."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable

import pytest

from harness.client import Client, ask, request
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.upstream import RawUpstream, StandIn

SLACK_SECONDS = 1.5
DRIP_SECONDS = 0.15


@pytest.mark.parametrize("size, status", [(15_000, 404), (17_000, 414)])
def test_a_long_target_is_414(proxy: Proxy, stand_in: StandIn, size: int, status: int) -> None:
    assert ask(proxy.address, request("GET", "/" + "a" * size + "/")).status == status


@pytest.mark.parametrize("lines, status", [
    (["X-A: " + "a" * 60_000], 200), (["X-A: " + "a" * 66_000], 431),
    ([f"X-{index}: 1" for index in range(95)], 200), ([f"X-{index}: 1" for index in range(96)], 431),
])
def test_a_large_head_is_431(proxy: Proxy, stand_in: StandIn, lines: list[str], status: int) -> None:
    assert ask(proxy.address, request("GET", "/api/0/", *lines)).status == status
    if status == 431:
        stand_in.assert_untouched()


def test_a_head_without_an_end_is_refused_at_the_limit(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 300_000)
    assert answer.status == 431


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_must_be_whole_within_its_time(stand_in: StandIn, start_proxy: StartProxy, sent: bytes) -> None:
    proxy = start_proxy(stand_in.uri, "--head-timeout", "0.3")
    start = time.monotonic()
    answer = ask(proxy.address, sent)
    assert answer.status == 408 or (not sent and answer.raw == b"")
    assert answer.ended in ("fin", "reset")
    assert 0.2 < time.monotonic() - start < 0.3 + SLACK_SECONDS


def test_a_dripping_head_does_not_extend_its_time(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--head-timeout", "0.5")
    start = time.monotonic()
    with Client(proxy.address, seconds=0.02) as client:
        while time.monotonic() - start < 5:
            client.send(b"G")
            answer = client.read_answer()
            if answer.ended != "time":
                break
    assert 0.4 < time.monotonic() - start < 0.5 + SLACK_SECONDS
    assert answer.status in (408, 0)


def test_a_stalled_request_body_is_a_408(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--body-timeout", "0.3")
    start = time.monotonic()
    answer = ask(proxy.address, request("POST", "/behave/echo", "Content-Length: 10") + b"123")
    assert answer.status == 408
    assert 0.2 < time.monotonic() - start < 0.3 + SLACK_SECONDS


def test_a_body_that_keeps_coming_is_not_cut_by_the_idle_time(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--body-timeout", "0.4")
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/echo", "Content-Length: 8"))
        for _ in range(8):
            time.sleep(DRIP_SECONDS)
            client.send(b"x")
        assert client.read_answer().body == b"x" * 8


def test_an_upstream_that_does_not_answer_is_a_504(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--response-timeout", "0.3")
    start = time.monotonic()
    answer = ask(proxy.address, request("GET", "/behave/hold-head"))
    assert (answer.status, answer.complete) == (504, True)
    assert 0.2 < time.monotonic() - start < 0.3 + SLACK_SECONDS
    ended = stand_in.records(requests=1, ended=1)["connections"][0]["ended"]
    assert ended in ("fin", "reset")


def test_an_upstream_that_stalls_within_its_body_leaves_a_truncated_answer(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--body-timeout", "0.3")
    answer = ask(proxy.address, request("GET", "/behave/hold-body?size=1000&sent=10"))
    assert answer.status == 200 and not answer.complete and answer.ended in ("fin", "reset")


def test_a_client_that_stops_reading_is_let_go(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--body-timeout", "0.5")
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/huge?size=1000000000"))
        client.read_until(b"\r\n\r\n")
        seen = stand_in.records(requests=1, ended=1, seconds=5)
        assert seen["connections"][0]["ended"] in ("fin", "reset")


def test_a_connect_that_hangs_is_a_504(start_proxy: StartProxy) -> None:
    # A listener whose backlog is full lets a connect hang, on loopback too.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for sock in fillers:
            sock.setblocking(False)
            sock.connect_ex(address)
        proxy = start_proxy(f"http://127.0.0.1:{address[1]}", "--connect-timeout", "0.4")
        start = time.monotonic()
        answer = ask(proxy.address, request("GET", "/api/0/"))
        assert answer.status == 504
        assert time.monotonic() - start < 0.4 + SLACK_SECONDS
        for sock in fillers:
            sock.close()


@pytest.mark.parametrize("size, status", [(1000, 200), (1001, 413)])
def test_a_body_above_max_body_is_413_before_it_is_read(stand_in: StandIn, start_proxy: StartProxy, size: int, status: int) -> None:
    proxy = start_proxy(stand_in.uri, "--max-body", "1000")
    answer = ask(proxy.address, request("POST", "/behave/sized", f"Content-Length: {size}") + b"x" * size)
    assert answer.status == status
    if status == 413:
        stand_in.assert_untouched()


@pytest.mark.parametrize("size, status", [(1000, 200), (1001, 413), (900_000, 413)])
def test_a_chunked_body_above_max_body_is_413(stand_in: StandIn, start_proxy: StartProxy, size: int, status: int) -> None:
    proxy = start_proxy(stand_in.uri, "--max-body", "1000")
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)
    assert ask(proxy.address, request("POST", "/behave/sized", "Transfer-Encoding: chunked") + chunks).status == status


def test_requests_beyond_max_requests_get_503_and_room_comes_back(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--max-requests", "2")
    with Client(proxy.address) as first, Client(proxy.address) as second:
        first.send(request("GET", "/behave/hold-head"))
        second.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=2)
        refused = ask(proxy.address, request("GET", "/api/0/"))
        assert refused.status == 503 and refused.value("Retry-After")
        stand_in.release()
        assert first.read_answer().body == b"ok" and second.read_answer().body == b"ok"
    eventually(lambda: ask(proxy.address, request("GET", "/api/0/")).status == 200, "room again")


@pytest.mark.parametrize("size, framing", [(90_000, "length"), (200_000, "chunked")])
def test_replay_buffer_decides_which_chunked_bodies_get_a_length(
    stand_in: StandIn, start_proxy: StartProxy, size: int, framing: str
) -> None:
    proxy = start_proxy(stand_in.uri, "--replay-buffer", "100000", "--long-chunked-body", "forward")
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)
    assert ask(proxy.address, request("POST", "/behave/sized", "Transfer-Encoding: chunked") + body).status == 200
    assert stand_in.request()["framing"] == framing


def test_backlog_is_the_length_of_the_listen_queue(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--backlog", "77", "--threads", "1")
    assert 77 in listen_queue_lengths(proxy)


def listen_queue_lengths(proxy: Proxy) -> list[int]:
    lines = subprocess.run(["ss", "-Hltn", f"sport = :{proxy.port}"], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[2]) for line in lines.splitlines()]


@pytest.mark.parametrize("count, flags, status", [(150, [], 200), (201, [], 502), (20, ["--max-answer-fields", "19"], 502), (19, ["--max-answer-fields", "19"], 200)])
def test_the_fields_of_an_answer_have_a_limit_of_their_own(
    raw_upstream: Callable[..., RawUpstream], start_proxy: StartProxy, count: int, flags: list[str], status: int
) -> None:
    fields = b"".join(b"X-%d: 1\r\n" % index for index in range(count - 1))
    upstream = raw_upstream(b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 2\r\n\r\nok")
    proxy = start_proxy(upstream.uri, *flags)
    assert ask(proxy.address, request("GET", "/api/0/")).status == status


def test_an_upstream_that_takes_no_connection_is_said_to_be_out_of_reach(start_proxy: StartProxy) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        proxy = start_proxy(f"http://127.0.0.1:{closed.getsockname()[1]}")
        answer = ask(proxy.address, request("GET", "/api/0/", "Accept: text/plain"))
    assert (answer.status, answer.body) == (502, b"Sentry could not be reached.\n")
