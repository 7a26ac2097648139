"""gzip that was not asked for: the known bodies are rewritten all the same, or a client leaves with its alias."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from harness.client import ask, request
from harness.proxy import StartProxy
from harness.upstream import RawUpstream

pytestmark = pytest.mark.rewriting

OpenUpstream = Callable[..., RawUpstream]
TARGET = "/api/0/organizations/acme/chunk-upload/"


def answer_with(body: bytes, *fields: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", "Content-Encoding: gzip", "Connection: close", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize("accepts", [(), ("Accept-Encoding: gzip",)], ids=["identity", "gzip"])
@pytest.mark.parametrize("pieces", [1, 40])
def test_a_known_body_is_inflated_and_rewritten(
    start_proxy: StartProxy, raw_upstream: OpenUpstream, accepts: tuple[str, ...], pieces: int,
) -> None:
    body = gzip.compress(json.dumps({"url": "http://sentry.internal/api/0/organizations/acme/chunk-upload/", "n": 1}).encode())
    whole = answer_with(body, f"Content-Length: {len(body)}")
    step = -(-len(whole) // pieces)
    upstream = raw_upstream(*(whole[at:at + step] for at in range(0, len(whole), step)))
    proxy = start_proxy(upstream.uri, "--public-url", "https://proxy.example")
    answer = ask(proxy.address, request("GET", TARGET, *accepts))
    assert (answer.status, answer.complete, answer.values("Content-Encoding")) == (200, True, [])
    assert answer.json == {"url": "https://proxy.example/api/0/organizations/acme/chunk-upload/", "n": 1}


@pytest.mark.parametrize("harm", ["cut", "corrupt"])
def test_a_damaged_one_is_a_502(start_proxy: StartProxy, raw_upstream: OpenUpstream, harm: str) -> None:
    body = bytearray(gzip.compress(json.dumps({"url": "http://sentry.internal/api/0/", "filler": "x" * 999}).encode()))
    if harm == "cut":
        del body[-4:]
    else:
        body[-8] ^= 1
    upstream = raw_upstream(answer_with(bytes(body), f"Content-Length: {len(body)}"))
    proxy = start_proxy(upstream.uri)
    assert ask(proxy.address, request("GET", TARGET)).status == 502
    cause = {"cut": "truncated_answer", "corrupt": "corrupt_gzip"}[harm]
    proxy.wait_for_line(lambda line: f"cause={cause}" in line, 5)


def test_one_too_long_to_be_rewritten_is_inflated_as_it_comes(start_proxy: StartProxy, raw_upstream: OpenUpstream) -> None:
    text = json.dumps({"url": "http://sentry.internal/api/0/", "filler": [str(number) for number in range(400_000)]}).encode()
    body = gzip.compress(text)
    upstream = raw_upstream(answer_with(body, f"Content-Length: {len(body)}"))
    proxy = start_proxy(upstream.uri)
    answer = ask(proxy.address, request("GET", TARGET))
    assert answer.complete and answer.body == text
