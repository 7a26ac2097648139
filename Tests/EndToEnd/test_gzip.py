"""gzip from upstream: untouched for those who accept it, inflated as it streams for the others, cut off when it is broken."""

from __future__ import annotations

import gzip
import os
import random
import socket
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.client import Answer, ask, request
from harness.proxy import Proxy, StartProxy
from harness.sockets import wait_until_full, wait_until_read
from harness.upstream import RawUpstream, StandIn

BLOCK_BYTES = 1 << 20
GROWTH_LIMIT_KIB = 1024
MEASURED_SECONDS = 1
SANITIZER = os.environ.get("SANITIZER", "")
PLAIN = bytes(range(256)) * 400 + b"the end"
CODED = gzip.compress(PLAIN, mtime=0)

Upstream = Callable[..., RawUpstream]


def coded_answer(body: bytes, *fields: str, framing: str = "length", status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Encoding: gzip", *fields]
    if framing == "length":
        lines.append(f"Content-Length: {len(body)}")
    if framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[at : at + 1000] for at in range(0, len(body), 1000)))
        body += b"0\r\n\r\n"
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + body


def get(raw_upstream: Upstream, start_proxy: StartProxy, answer: bytes, *lines: str, method: str = "GET",
        version: str = "HTTP/1.1") -> tuple[Answer, Proxy]:
    proxy = start_proxy(raw_upstream(answer).uri)
    return ask(proxy.address, request(method, "/api/0/", *lines, version=version)), proxy


# MARK: Whole streams

@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_it_is_inflated_however_it_is_framed(raw_upstream: Upstream, start_proxy: StartProxy, framing: str, version: str) -> None:
    answer, _ = get(raw_upstream, start_proxy, coded_answer(CODED, framing=framing), version=version)
    assert answer.complete and answer.body == PLAIN
    assert answer.values("Content-Encoding") == [] and answer.values("Content-Length") == []


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("accepted", ["gzip", "x-gzip", "br, gzip;q=0.1", "*"])
def test_it_passes_untouched_to_a_client_that_accepts_it(
    raw_upstream: Upstream, start_proxy: StartProxy, accepted: str, framing: str
) -> None:
    answer, _ = get(raw_upstream, start_proxy, coded_answer(CODED, framing=framing), f"Accept-Encoding: {accepted}")
    assert answer.complete and answer.body == CODED and answer.value("Content-Encoding") == "gzip"


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", "gzip;q=0.000, *"])
def test_it_is_inflated_for_a_client_that_does_not(raw_upstream: Upstream, start_proxy: StartProxy, accepted: str) -> None:
    answer, _ = get(raw_upstream, start_proxy, coded_answer(CODED), f"Accept-Encoding: {accepted}")
    assert answer.complete and answer.body == PLAIN


@pytest.mark.parametrize(("sent", "inflated"), [('"v1"', 'W/"v1"'), ('W/"v1"', 'W/"v1"'), ("v1", "v1"), ("", "")])
def test_a_strong_validator_becomes_weak_with_the_coding(
    raw_upstream: Upstream, start_proxy: StartProxy, sent: str, inflated: str
) -> None:
    coded = coded_answer(CODED, f"ETag: {sent}", "Accept-Ranges: bytes")
    answer, proxy = get(raw_upstream, start_proxy, coded)
    assert answer.body == PLAIN and answer.values("ETag") == [inflated] and answer.values("Accept-Ranges") == []
    answer = ask(proxy.address, request("GET", "/api/0/", "Accept-Encoding: gzip"))
    assert answer.body == CODED and answer.values("ETag") == [sent] and answer.values("Accept-Ranges") == ["bytes"]


def test_several_members_are_one_body(raw_upstream: Upstream, start_proxy: StartProxy) -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"three" * 50_000)
    answer, _ = get(raw_upstream, start_proxy, coded_answer(body))
    assert answer.complete and answer.body == b"one " + b"three" * 50_000


def test_every_split_of_a_stream(start_proxy: StartProxy) -> None:
    """Two writes a little apart, at every byte of a short stream."""
    body = gzip.compress(b"split anywhere, " * 3, mtime=0)
    answer = coded_answer(body, framing="close")
    start = len(answer) - len(body)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = start_proxy(f"http://127.0.0.1:{listener.getsockname()[1]}")
        for at in range(start, len(answer)):
            with socket.create_connection(proxy.address, 20) as client:
                client.sendall(request("GET", "/api/0/", version="HTTP/1.0"))
                sock, _ = listener.accept()
                with sock:
                    sock.recv(65536)
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    sock.sendall(answer[:at])
                    wait_until_read(sock)
                    sock.sendall(answer[at:])
                data = b""
                while piece := client.recv(65536):
                    data += piece
            assert data.endswith(b"\r\n\r\n" + b"split anywhere, " * 3), (at, data)


def test_an_empty_body_is_empty_whatever_its_coding(raw_upstream: Upstream, start_proxy: StartProxy) -> None:
    for framing in ("length", "chunked", "close"):
        answer, _ = get(raw_upstream, start_proxy, coded_answer(b"", framing=framing))
        assert answer.complete and answer.body == b"", (framing, answer)


# MARK: Left alone

@pytest.mark.parametrize("accepts", [(), ("Accept-Encoding: gzip",)], ids=["identity", "gzip"])
@pytest.mark.parametrize("target", ["/api/0/x/", "/api/0/organizations/"], ids=["relayed", "rewritten"])
def test_head_says_what_get_would(raw_upstream: Upstream, start_proxy: StartProxy, target: str, accepts: tuple[str, ...]) -> None:
    coded = gzip.compress(b"[]")
    fields = ("Content-Type: application/json", 'ETag: "v1"', "Accept-Ranges: bytes", "Vary: Cookie")
    whole = coded_answer(coded, *fields)
    answers = {}
    for method, data in (("GET", whole), ("HEAD", whole[:-len(coded)])):
        proxy = start_proxy(raw_upstream(data).uri, "--upstream-encoding", "gzip")
        answers[method] = ask(proxy.address, request(method, target, *accepts))
    # A length that is known only once the body is there may be left out (RFC 9110 §9.3.2).
    said = {method: {name.lower(): answer.values(name) for name in ("Content-Encoding", "ETag", "Accept-Ranges", "Vary")}
            for method, answer in answers.items()}
    assert said["HEAD"] == said["GET"], said
    assert answers["HEAD"].values("Content-Length") in ([], answers["GET"].values("Content-Length"))
    assert answers["HEAD"].payload == b""


def test_an_answer_to_head_keeps_its_length_with_its_coding(raw_upstream: Upstream, start_proxy: StartProxy) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1234\r\n\r\n"
    answer, _ = get(raw_upstream, start_proxy, whole, "Accept-Encoding: gzip", method="HEAD")
    assert (answer.status, answer.value("Content-Encoding"), answer.value("Content-Length")) == (200, "gzip", "1234")


VARY = [((), ["Accept-Encoding"]), (("Vary: Cookie",), ["Cookie", "Accept-Encoding"]), (("Vary: accept-encoding, Cookie",), ["accept-encoding, Cookie"]),
        (("Vary: Cookie", "Vary: Origin,Accept-Encoding"), ["Cookie", "Origin,Accept-Encoding"]), (("Vary: *",), ["*"])]


@pytest.mark.parametrize("accepts", [(), ("Accept-Encoding: gzip",)], ids=["inflated", "untouched"])
@pytest.mark.parametrize(("sent", "expected"), VARY)
def test_what_depends_on_accept_encoding_says_so(
    raw_upstream: Upstream, start_proxy: StartProxy, sent: tuple[str, ...], expected: list[str], accepts: tuple[str, ...],
) -> None:
    answer, _ = get(raw_upstream, start_proxy, coded_answer(CODED, *sent), *accepts)
    assert answer.complete and answer.values("Vary") == expected


@pytest.mark.parametrize("whole", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok",
    coded_answer(CODED[10:200], f"Content-Range: bytes 10-199/{len(CODED)}", status="206 Partial Content"),
], ids=["plain", "another coding", "a part"])
def test_what_does_not_depend_on_it_does_not(raw_upstream: Upstream, start_proxy: StartProxy, whole: bytes) -> None:
    answer, _ = get(raw_upstream, start_proxy, whole, "Accept-Encoding: gzip")
    assert answer.complete and answer.values("Vary") == []


def test_a_304_says_what_the_200_did(raw_upstream: Upstream, start_proxy: StartProxy) -> None:
    """A cache takes over what a 304 says: the coding would be put upon a body that was stored without it."""
    whole = b'HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\nETag: "v1"\r\n\r\n'
    answer, proxy = get(raw_upstream, start_proxy, whole)
    assert (answer.values("Content-Encoding"), answer.value("ETag"), answer.values("Vary")) == ([], 'W/"v1"', ["Accept-Encoding"])
    answer = ask(proxy.address, request("GET", "/api/0/", "Accept-Encoding: gzip"))
    assert (answer.value("Content-Encoding"), answer.value("ETag"), answer.values("Vary")) == ("gzip", '"v1"', ["Accept-Encoding"])


def test_a_204_is_left_alone(raw_upstream: Upstream, start_proxy: StartProxy) -> None:
    answer, _ = get(raw_upstream, start_proxy, b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n")
    assert answer.complete and answer.value("Content-Encoding") == "gzip" and answer.payload == b""


def test_a_part_is_left_alone(raw_upstream: Upstream, start_proxy: StartProxy) -> None:
    part = CODED[10:200]
    whole = coded_answer(part, f"Content-Range: bytes 10-199/{len(CODED)}", status="206 Partial Content")
    answer, _ = get(raw_upstream, start_proxy, whole)
    assert (answer.status, answer.body, answer.value("Content-Encoding")) == (206, part, "gzip")


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip, br", "br, gzip", "gzip, gzip", "gzipped", ""])
def test_other_codings_are_left_alone(raw_upstream: Upstream, start_proxy: StartProxy, coding: str) -> None:
    data = coded_answer(CODED).replace(b"Content-Encoding: gzip", f"Content-Encoding: {coding}".encode())
    answer, _ = get(raw_upstream, start_proxy, data)
    assert answer.complete and answer.body == CODED and answer.value("Content-Encoding") == coding


def test_a_request_body_with_a_coding_is_left_alone(proxy: Proxy, stand_in: StandIn) -> None:
    """As sentry-cli sends its compressed parts."""
    answer = ask(proxy.address, request("POST", "/behave/echo", "Content-Encoding: gzip", "Content-Type: multipart/form-data; boundary=x",
                                        body=CODED))
    assert answer.body == CODED
    assert ["Content-Encoding", "gzip"] in [list(pair) for pair in stand_in.request()["fields"]]


@pytest.mark.parametrize("flags, sent", [((), "identity"), (("--upstream-encoding", "identity"), "identity"),
                                         (("--upstream-encoding", "gzip"), "gzip")])
def test_what_is_asked_of_the_upstream(raw_upstream: Upstream, start_proxy: StartProxy, flags: tuple[str, ...], sent: str) -> None:
    upstream = raw_upstream(coded_answer(CODED))
    proxy = start_proxy(upstream.uri, *flags)
    for lines in ((), ("Accept-Encoding: br",), ("Accept-Encoding: gzip", "Accept-Encoding: deflate")):
        assert ask(proxy.address, request("GET", "/api/0/", *lines)).complete
    for head in upstream.heads:
        assert [line for line in head.decode().split("\r\n") if line.lower().startswith("accept-encoding")] == [f"Accept-Encoding: {sent}"]


# MARK: Broken streams

def damaged(at: int) -> bytes:
    return CODED[:at] + bytes([CODED[at] ^ 0xFF]) + CODED[at + 1 :]


NOISE = gzip.compress(random.Random(1).randbytes(300_000), mtime=0)
BROKEN = {
    "not gzip": (b"this is no gzip stream at all", "corrupt_gzip"),
    "damaged data": (NOISE[:150_000] + b"\xff" * 64 + NOISE[150_064:], "corrupt_gzip"),
    "wrong checksum": (damaged(len(CODED) - 8), "corrupt_gzip"),
    "wrong length": (damaged(len(CODED) - 1), "corrupt_gzip"),
    "something behind it": (CODED + b"not a member", "corrupt_gzip"),
    "cut in the data": (CODED[:-100], "truncated_answer"),
    "cut in the checksum": (CODED[:-3], "truncated_answer"),
    "cut in the head": (CODED[:5], "truncated_answer"),
    "second member cut": (CODED + CODED[:20], "truncated_answer"),
}


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_stream_is_never_a_whole_answer(
    raw_upstream: Upstream, start_proxy: StartProxy, kind: str, framing: str, version: str
) -> None:
    body, cause = BROKEN[kind]
    answer, proxy = get(raw_upstream, start_proxy, coded_answer(body, framing=framing), version=version)
    # What is found out before the first byte went out may be a 502; afterwards only a broken connection tells.
    assert answer.status == 502 or not answer.complete, answer.raw[-200:]
    assert f"cause={cause}" in proxy.wait_for_line(lambda line: "path=/api/0/" in line)


def test_an_upstream_that_breaks_off_within_the_stream(raw_upstream: Upstream, start_proxy: StartProxy) -> None:
    answer, _ = get(raw_upstream, start_proxy, coded_answer(NOISE)[:-1000])
    assert not answer.complete


# MARK: Bombs

def bomb(plain_bytes: int) -> bytes:
    """One member that expands some hundred times."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    zeros = bytes(BLOCK_BYTES)
    return b"".join(packer.compress(zeros) for _ in range(plain_bytes // BLOCK_BYTES)) + packer.flush()


@pytest.mark.parametrize("plain_bytes", [256 << 20, pytest.param(4 << 30, marks=pytest.mark.campaign)], ids=["256 MB", "4 GB"])
def test_a_bomb_costs_no_memory(raw_upstream: Upstream, start_proxy: StartProxy, plain_bytes: int) -> None:
    packed = bomb(plain_bytes)
    upstream = raw_upstream(coded_answer(CODED))
    proxy = start_proxy(upstream.uri, "--threads", "1")
    before = peak_after_one_request(proxy)
    upstream.pieces = [coded_answer(packed)]
    start, received = time.monotonic(), 0
    block = memoryview(bytearray(BLOCK_BYTES))
    with socket.create_connection(proxy.address, 60) as sock:
        sock.sendall(request("GET", "/api/0/", version="HTTP/1.0"))
        first = sock.recv(65536)
        head, _, rest = first.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        received += len(rest)
        while count := sock.recv_into(block):
            received += count
    growth = proxy.memory_kib("VmHWM") - before
    seconds = time.monotonic() - start
    print(f"\n{plain_bytes >> 20} MB out of {len(packed) >> 10} KB: {plain_bytes / seconds / 1e6:.0f} MB/s, peak memory grew by {growth} KiB")
    assert received == plain_bytes
    if SANITIZER:
        print(f"memory growth is not judged: the {SANITIZER} sanitizer keeps memory of its own")
    else:
        assert growth < GROWTH_LIMIT_KIB


def peak_after_one_request(proxy: Proxy) -> int:
    """Memory in KiB once the worker has inflated one small answer, so that what is allocated once is not counted.

    The start's own peak is forgotten (proc_pid_clear_refs(5)), or it would hide what comes now.
    """
    assert ask(proxy.address, request("GET", "/api/0/")).body == PLAIN
    Path(f"/proc/{proxy.pid}/clear_refs").write_text("5")
    return proxy.memory_kib("VmHWM")


def test_a_bomb_that_nobody_reads_waits(raw_upstream: Upstream, start_proxy: StartProxy) -> None:
    upstream = raw_upstream(coded_answer(CODED))
    proxy = start_proxy(upstream.uri, "--threads", "1")
    before = peak_after_one_request(proxy)
    upstream.pieces = [coded_answer(bomb(64 << 20))]
    with socket.create_connection(proxy.address, 20) as sock:
        sock.sendall(request("GET", "/api/0/"))
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
        wait_until_full(sock)
        spent = cpu_seconds(proxy)
        time.sleep(MEASURED_SECONDS)
        assert cpu_seconds(proxy) - spent < 0.3, "the proxy spins while the client does not read"
        growth = proxy.memory_kib("VmHWM") - before
    assert SANITIZER or growth < GROWTH_LIMIT_KIB, growth


def cpu_seconds(proxy: Proxy) -> float:
    with open(f"/proc/{proxy.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
