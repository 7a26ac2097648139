"""A chunked request body that the replay buffer does not hold: refused, or forwarded as it is (`--long-chunked-body`)."""

from __future__ import annotations

import subprocess

import pytest

from harness.client import ask, request
from harness.metrics import scrape
from harness.proxy import BINARY, Proxy, StartProxy, clean_environment
from harness.upstream import StandIn

BUFFER = 262_144


def chunked(body: bytes, step: int = 60_000) -> bytes:
    pieces = (body[start : start + step] for start in range(0, len(body), step))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def post(body: bytes, *lines: str) -> bytes:
    return request("POST", "/behave/sized", "Transfer-Encoding: chunked", *lines) + chunked(body)


def test_a_long_chunked_body_is_refused_and_nothing_is_sent_on(proxy: Proxy, stand_in: StandIn) -> None:
    for accept in ("application/json", "text/plain"):
        answer = ask(proxy.address, post(b"x" * (BUFFER + 1), f"Accept: {accept}"))
        assert answer.status == 411 and answer.complete, answer.raw
        message = answer.json["detail"] if accept == "application/json" else answer.body.decode()
        assert "Content-Length" in message and "chunked" in message
        assert answer.value("Connection") == "close"
    stand_in.assert_untouched()
    line = proxy.wait_for_line(lambda text: "status=411" in text)
    assert "cause=length_required" in line
    assert scrape(proxy).sum("request_failures_total", cause="length_required") == 2


def test_a_chunked_body_that_the_buffer_holds_is_sent_with_its_length(proxy: Proxy, stand_in: StandIn) -> None:
    assert ask(proxy.address, post(b"x" * BUFFER)).status == 200
    seen = stand_in.request()
    assert (seen["framing"], seen["body_length"], seen["body_complete"]) == ("length", BUFFER, True)


def test_forward_sends_a_long_chunked_body_as_it_is(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "forward")
    assert ask(proxy.address, post(b"x" * 1_000_000)).status == 200
    seen = stand_in.request()
    assert (seen["framing"], seen["body_length"], seen["body_complete"]) == ("chunked", 1_000_000, True)


@pytest.mark.parametrize("arguments, variables, status, name", [
    (["--long-chunked-body", "keep"], {}, 64, "--long-chunked-body"), ([], {"LONG_CHUNKED_BODY": "411"}, 78, "LONG_CHUNKED_BODY"),
])
def test_another_word_ends_the_start(arguments: list[str], variables: dict[str, str], status: int, name: str) -> None:
    ended = subprocess.run([BINARY, "--listen", "127.0.0.1:0", "--token", "t", *arguments], env=clean_environment(variables),
                           capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == status
    assert name in ended.stderr and "refuse or forward" in ended.stderr and ended.stderr.count("\n") == 1
