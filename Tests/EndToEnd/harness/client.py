"""A client on a raw socket: sends exactly the bytes given, says exactly what came back and how it ended."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.secrecy import LEDGER

ANSWER_SECONDS = 40.0
Address = "tuple[str, int] | str"


@dataclass
class Answer:
    """What came back on a connection."""

    raw: bytes
    ended: str  # "fin", "reset" or "time"
    method: str = "GET"

    @property
    def head(self) -> bytes:
        """The final head: interim ones (1xx) are passed over."""
        return self._split()[0]

    @property
    def interim(self) -> list[int]:
        return self._split()[1]

    @property
    def payload(self) -> bytes:
        """Everything after the final head, as it came."""
        return self._split()[2]

    def _split(self) -> tuple[bytes, list[int], bytes]:
        rest, interim = self.raw, []
        while True:
            head, mark, after = rest.partition(b"\r\n\r\n")
            if not mark:
                return b"", interim, b""
            status = int(head.split(b" ", 2)[1])
            if status // 100 != 1:
                return head, interim, after
            interim.append(status)
            rest = after

    @property
    def status(self) -> int:
        """The final status, or 0 when there is no whole head."""
        head = self.head
        return int(head.split(b" ", 2)[1]) if head else 0

    @property
    def fields(self) -> list[tuple[str, str]]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [(name, value.strip(" ")) for name, _, value in (line.partition(":") for line in lines)]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        return next(iter(self.values(name)), None)

    def _decoded(self) -> tuple[bytes, bool, bytes]:
        """Body, whether it is whole by its own framing, and bytes beyond it (RFC 9112 §6.3)."""
        payload = self.payload
        if not self.head:
            return b"", False, b""
        if self.method == "HEAD" or self.status in (204, 304):
            return b"", True, payload
        if self.values("Transfer-Encoding"):
            return decode_chunked(payload)
        length = self.value("Content-Length")
        if length is not None:
            return payload[: int(length)], len(payload) >= int(length), payload[int(length):]
        return payload, self.ended == "fin", b""

    @property
    def body(self) -> bytes:
        return self._decoded()[0]

    @property
    def complete(self) -> bool:
        """Whether a client takes this for a whole answer."""
        return self._decoded()[1]

    @property
    def beyond(self) -> bytes:
        return self._decoded()[2]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def decode_chunked(payload: bytes) -> tuple[bytes, bool, bytes]:
    body = bytearray()
    while True:
        line, mark, rest = payload.partition(b"\r\n")
        if not mark:
            return bytes(body), False, b""
        size = int(line.partition(b";")[0], 16)
        if size == 0:
            if rest[:2] == b"\r\n":
                return bytes(body), True, rest[2:]
            _, mark, beyond = rest.partition(b"\r\n\r\n")
            return bytes(body), bool(mark), beyond
        body += rest[:size]
        if rest[size : size + 2] != b"\r\n":
            return bytes(body), False, b""
        payload = rest[size + 2 :]


class Client:
    """One connection to the proxy."""

    def __init__(self, address: tuple[str, int] | str, seconds: float = ANSWER_SECONDS) -> None:
        if isinstance(address, str):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(seconds)
            self.sock.connect(address)
        else:
            self.sock = socket.create_connection(address, seconds)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = address
        self.received = bytearray()
        self.method, self.target = "GET", b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Sends all of it; a proxy that answered and closed meanwhile is not a failure here."""
        if not self.received and data[:1].isalpha():
            line = data.partition(b"\r\n")[0].split(b" ")
            self.method, self.target = line[0].decode("latin-1"), line[1] if len(line) > 1 else b""
        LEDGER.sent(data)
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def send_in_pieces(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self.send(piece)

    def half_close(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def read_until(self, mark: bytes) -> bytes:
        """What came up to and with `mark`; an end before it is a failure."""
        while mark not in self.received:
            data = self.sock.recv(65536)
            if not data:
                raise AssertionError(f"the connection ended before {mark!r}: {bytes(self.received)!r}")
            self.received += data
        return bytes(self.received[: self.received.index(mark) + len(mark)])

    def read_answer(self) -> Answer:
        """Reads to the connection's end."""
        answer = self._read_to_end()
        LEDGER.answered(self.address, self.target, answer.raw)
        return answer

    def _read_to_end(self) -> Answer:
        while True:
            try:
                data = self.sock.recv(1 << 20)
            except ConnectionResetError:
                return Answer(bytes(self.received), "reset", self.method)
            except TimeoutError:
                return Answer(bytes(self.received), "time", self.method)
            if not data:
                return Answer(bytes(self.received), "fin", self.method)
            self.received += data


def ask(address: tuple[str, int] | str, *pieces: bytes, half_close: bool = False, seconds: float = ANSWER_SECONDS) -> Answer:
    """One connection: sends the pieces, reads to the end."""
    with Client(address, seconds) as client:
        client.send_in_pieces(pieces)
        if half_close:
            client.half_close()
        return client.read_answer()


def request(method: str = "GET", target: str = "/api/0/", *lines: str, body: bytes = b"", version: str = "HTTP/1.1",
            host: str | None = "127.0.0.1") -> bytes:
    """A request's bytes: the field lines as given, with Host before and Content-Length (for a body) after."""
    fields = [f"Host: {host}"] if host is not None else []
    fields += lines
    named = {line.partition(":")[0].lower() for line in lines}
    if body and not named & {"content-length", "transfer-encoding"}:
        fields.append(f"Content-Length: {len(body)}")
    head = "".join(f"{line}\r\n" for line in (f"{method} {target} {version}", *fields, ""))
    return head.encode("latin-1") + body
