"""Upstreams that misbehave, chosen by path: /behave/NAME?parameter=value.

A behaviour gets the connection with the request's head read and its body unread, and writes the answer's bytes itself.
It returns how it left the connection: None (to be finished with a FIN) or "reset".
"""

from __future__ import annotations

import gzip
import hashlib
import os
import select
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from wire import BLOCK_BYTES, Connection, Request

GATE_SECONDS = 60.0


@dataclass
class Stage:
    """What a behaviour may use."""

    connection: Connection
    request: Request
    read_body: Callable[[], None]
    gate: int
    canned: dict[str, bytes]
    refused: Callable[[], bytes | None]
    parameters: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = dict(parse_qsl(self.request.query))

    def number(self, name: str, default: int) -> int:
        return int(self.parameters.get(name, default))

    def send(self, data: bytes) -> None:
        self.connection.send(data)

    def head(self, status: str, *lines: str, version: str = "HTTP/1.1") -> None:
        text = "".join(f"{line}\r\n" for line in (f"{version} {status}", *lines, ""))
        self.send(text.encode("latin-1"))

    def wait(self) -> None:
        """Holds still until the test opens the gate. Raises PeerLeft if the peer goes first."""
        while self.connection.wait(self.gate, GATE_SECONDS) == "bytes":
            pass


Behaviour = Callable[[Stage], "str | None"]
BEHAVIOURS: dict[str, Behaviour] = {}


def behaviour(name: str) -> Callable[[Behaviour], Behaviour]:
    def register(function: Behaviour) -> Behaviour:
        BEHAVIOURS[name] = function
        return function

    return register


def filler(size: int, offset: int = 0) -> bytes:
    """Bytes that tell their own place, so that a shift or a mix shows."""
    pattern = bytes(range(251))
    start = offset % 251
    return (pattern * ((size + start) // 251 + 1))[start : start + size]


def block() -> bytes:
    """One MiB that does not compress, the same for every run."""
    return b"".join(hashlib.sha256(index.to_bytes(4, "big")).digest() for index in range(BLOCK_BYTES // 32))


BLOCK = block()


@behaviour("sized")
def sized(stage: Stage) -> None:
    stage.read_body()
    body = filler(stage.number("size", 100))
    status = stage.parameters.get("status", "200 OK")
    stage.head(status, "Content-Type: application/octet-stream", f"Content-Length: {len(body)}")
    if stage.request.method != "HEAD":
        stage.send(body)


@behaviour("bare")
def bare(stage: Stage) -> None:
    """A head alone, with whatever length it claims: for HEAD, 204 and 304."""
    stage.read_body()
    lines = [f"Content-Length: {stage.parameters['length']}"] if "length" in stage.parameters else []
    stage.head(stage.parameters.get("status", "204 No Content"), "ETag: \"x\"", *lines)


@behaviour("chunked")
def chunked(stage: Stage) -> None:
    stage.read_body()
    size, step = stage.number("size", 1000), stage.number("chunk", 100)
    stage.head("200 OK", "Transfer-Encoding: chunked", "Trailer: X-Sum")
    for offset in range(0, size, step):
        piece = filler(min(step, size - offset), offset)
        stage.send(b"%x;note=1\r\n%s\r\n" % (len(piece), piece))
    stage.send(b"0\r\nX-Sum: 1\r\nSet-Cookie: stolen=1\r\n\r\n")


@behaviour("close-delimited")
def close_delimited(stage: Stage) -> None:
    stage.read_body()
    stage.head("200 OK", "Content-Type: application/octet-stream")
    stage.send(filler(stage.number("size", 1000)))


@behaviour("gzip")
def gzipped(stage: Stage) -> None:
    stage.read_body()
    body = gzip.compress(filler(stage.number("size", 100_000)), mtime=0)
    stage.head("200 OK", "Content-Encoding: gzip", f"Content-Length: {len(body)}")
    stage.send(body)


@behaviour("echo")
def echo(stage: Stage) -> None:
    stage.read_body()
    stage.head("200 OK", "Content-Type: application/octet-stream", f"Content-Length: {stage.request.body_length}")
    stage.send(bytes(stage.request.body))


@behaviour("hold-head")
def hold_head(stage: Stage) -> None:
    stage.read_body()
    stage.wait()
    stage.head("200 OK", "Content-Length: 2")
    stage.send(b"ok")


@behaviour("hold-verdict")
def hold_verdict(stage: Stage) -> None:
    """Looks at the token only once the gate is open: for tokens that change while requests are in flight."""
    stage.read_body()
    stage.wait()
    refusal = stage.refused()
    if refusal is not None:
        stage.send(refusal)
        return
    digest = stage.request.body_sha256.encode()
    stage.head("200 OK", f"Content-Length: {len(digest)}")
    stage.send(digest)


@behaviour("verdict")
def verdict(stage: Stage) -> None:
    """As a Sentry that looks at the token first and at the body afterwards."""
    refusal = stage.refused()
    if refusal is not None:
        stage.send(refusal)
        return
    stage.read_body()
    digest = stage.request.body_sha256.encode()
    stage.head("200 OK", f"Content-Length: {len(digest)}")
    stage.send(digest)


@behaviour("hold-body")
def hold_body(stage: Stage) -> None:
    """Stops in the middle of the answer."""
    stage.read_body()
    size, sent = stage.number("size", 1000), stage.number("sent", 10)
    stage.head("200 OK", f"Content-Length: {size}")
    stage.send(filler(sent))
    stage.wait()
    stage.send(filler(size - sent, sent))


@behaviour("hold-reading")
def hold_reading(stage: Stage) -> None:
    """Reads nothing of the request's body until the gate opens."""
    select.select([stage.gate], [], [], GATE_SECONDS)
    stage.read_body()
    stage.head("200 OK", "Content-Length: 2")
    stage.send(b"ok")


@behaviour("early")
def early(stage: Stage) -> None:
    """Answers before the body is read, and reads on afterwards."""
    body = b'{"detail":"early"}'
    stage.head(stage.parameters.get("status", "403 Forbidden"), "Content-Type: application/json", f"Content-Length: {len(body)}")
    stage.send(body)


@behaviour("early-reset")
def early_reset(stage: Stage) -> str:
    """Answers before the body is read and leaves by a reset once the answer is out."""
    early(stage)
    stage.connection.wait(stage.gate, 0.2)
    stage.connection.reset()
    return "reset"


@behaviour("reset-head")
def reset_head(stage: Stage) -> str:
    stage.read_body()
    stage.connection.reset()
    return "reset"


@behaviour("close-head")
def close_head(stage: Stage) -> None:
    stage.read_body()


@behaviour("partial-head")
def partial_head(stage: Stage) -> None:
    stage.read_body()
    stage.send(b"HTTP/1.1 200 OK\r\nContent-Le")


@behaviour("reset-body")
def reset_body(stage: Stage) -> str:
    stage.read_body()
    stage.head("200 OK", f"Content-Length: {stage.number('size', 1000)}")
    stage.send(filler(stage.number("sent", 10)))
    stage.connection.wait(stage.gate, 0.2)
    stage.connection.reset()
    return "reset"


@behaviour("short")
def short(stage: Stage) -> None:
    stage.read_body()
    stage.head("200 OK", f"Content-Length: {stage.number('size', 1000)}")
    stage.send(filler(stage.number("sent", 10)))


@behaviour("chunked-short")
def chunked_short(stage: Stage) -> None:
    stage.read_body()
    stage.head("200 OK", "Transfer-Encoding: chunked")
    stage.send(b"a\r\n0123456789\r\n")


@behaviour("broken-chunks")
def broken_chunks(stage: Stage) -> None:
    stage.read_body()
    stage.head("200 OK", "Transfer-Encoding: chunked")
    stage.send(b"a\r\n0123456789\r\nzz\r\nno size\r\n0\r\n\r\n")


@behaviour("extra")
def extra(stage: Stage) -> None:
    """More bytes than the length says: the start of an answer to nobody."""
    stage.read_body()
    stage.head("200 OK", "Content-Length: 5")
    stage.send(b"exact" + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen")


@behaviour("informational")
def informational(stage: Stage) -> None:
    stage.read_body()
    for code in stage.parameters.get("codes", "102,103").split(","):
        stage.head(f"{code} Interim", "Link: </style.css>; rel=preload")
    stage.head("200 OK", "Content-Length: 5")
    stage.send(b"final")


@behaviour("http10")
def http10(stage: Stage) -> None:
    stage.read_body()
    stage.head("200 OK", "Content-Type: text/plain", version="HTTP/1.0")
    stage.send(filler(stage.number("size", 300)))


@behaviour("giant-head")
def giant_head(stage: Stage) -> None:
    stage.read_body()
    stage.head("200 OK", "X-Long: " + "a" * stage.number("size", 1 << 20), "Content-Length: 0")


@behaviour("splitting")
def splitting(stage: Stage) -> None:
    """A field that ends in a bare CR or LF to smuggle another one in."""
    stage.read_body()
    ending = {"cr": b"\r", "lf": b"\n", "nul": b"\0"}[stage.parameters.get("by", "lf")]
    stage.send(b"HTTP/1.1 200 OK\r\nX-A: 1" + ending + b"Set-Cookie: stolen=1\r\nContent-Length: 0\r\n\r\n")


@behaviour("huge")
def huge(stage: Stage) -> None:
    stage.read_body()
    size = stage.number("size", 2 << 30)
    framing = stage.parameters.get("framing", "length")
    if framing == "length":
        stage.head("200 OK", f"Content-Length: {size}")
        stage.connection.send_block_repeated(BLOCK, size)
    elif framing == "close":
        stage.head("200 OK")
        stage.connection.send_block_repeated(BLOCK, size)
    else:
        stage.head("200 OK", "Transfer-Encoding: chunked")
        for offset in range(0, size, len(BLOCK)):
            piece = BLOCK[: min(len(BLOCK), size - offset)]
            stage.send(b"%x\r\n" % len(piece))
            stage.send(piece)
            stage.send(b"\r\n")
        stage.send(b"0\r\n\r\n")


@behaviour("canned")
def canned(stage: Stage) -> None:
    """Bytes that the test stored under a name by the control port."""
    stage.read_body()
    stage.send(stage.canned[stage.parameters["name"]])


class Gate:
    """What held behaviours wait for. A pipe, so that a wait for it is also a wait for the peer."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()

    def open(self) -> None:
        os.write(self._writing, b"x")

    def shut(self) -> None:
        os.set_blocking(self.reading, False)
        try:
            os.read(self.reading, 65536)
        except BlockingIOError:
            return
