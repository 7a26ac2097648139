"""The wire as the stand-in sees it: raw sockets, so that every byte received can be recorded.

Nothing here knows Sentry. A peer that breaks HTTP is reported, never repaired.
"""

from __future__ import annotations

import hashlib
import select
import socket
import struct
from dataclasses import dataclass, field

BLOCK_BYTES = 1 << 20
HEAD_LIMIT_BYTES = 1 << 20
KEPT_BODY_BYTES = 64 << 20
SURPLUS_LIMIT_BYTES = 64 << 10
SOCKET_TIMEOUT_SECONDS = 120.0


class PeerLeft(Exception):
    """The peer closed (`how` is "fin") or reset (`how` is "reset") the connection."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Malformed(Exception):
    """The peer sent what RFC 9112 does not allow."""


@dataclass
class Request:
    """One request, with its head as received."""

    head: bytes
    method: str
    target: str
    version: str
    fields: list[tuple[str, str]]
    framing: str = "none"
    body: bytearray = field(default_factory=bytearray)
    body_length: int = 0
    body_sha256: str = ""
    body_complete: bool = False
    trailer: bytes = b""

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        found = self.values(name)
        return found[0] if found else None

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


def parse_head(head: bytes) -> Request:
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3:
        raise Malformed(f"request line {lines[0]!r}")
    fields = []
    for line in lines[1:]:
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise Malformed(f"field line {line!r}")
        fields.append((name, value.strip(" \t")))
    return Request(head, words[0], words[1], words[2], fields)


class Connection:
    """One accepted socket with what was read ahead of need."""

    def __init__(self, sock: socket.socket, ident: int) -> None:
        self.sock = sock
        self.ident = ident
        self.ahead = bytearray()
        self.bytes_received = 0
        sock.settimeout(SOCKET_TIMEOUT_SECONDS)

    def receive(self) -> bytes:
        """More bytes. Raises PeerLeft at the end of the stream."""
        try:
            data = self.sock.recv(BLOCK_BYTES)
        except (TimeoutError, ConnectionError) as error:
            raise PeerLeft("reset") from error
        if not data:
            raise PeerLeft("fin")
        self.bytes_received += len(data)
        return data

    def read_head(self) -> bytes:
        """The bytes up to and with the empty line."""
        searched = 0
        while True:
            end = self.ahead.find(b"\r\n\r\n", searched)
            if end >= 0:
                head = bytes(self.ahead[: end + 4])
                del self.ahead[: end + 4]
                return head
            if len(self.ahead) > HEAD_LIMIT_BYTES:
                raise Malformed("head without an end")
            searched = max(0, len(self.ahead) - 3)
            self.ahead += self.receive()

    def read_line(self) -> bytes:
        while True:
            end = self.ahead.find(b"\r\n")
            if end >= 0:
                line = bytes(self.ahead[:end])
                del self.ahead[: end + 2]
                return line
            if len(self.ahead) > HEAD_LIMIT_BYTES:
                raise Malformed("line without an end")
            self.ahead += self.receive()

    def read_body(self, request: Request) -> None:
        """Reads the request's body by its own framing into `request`."""
        digest = hashlib.sha256()
        try:
            if request.values("Transfer-Encoding"):
                request.framing = "chunked"
                self._read_chunked(request, digest)
            elif request.values("Content-Length"):
                request.framing = "length"
                self._read_sized(request, digest, int(request.value("Content-Length") or "0"))
            request.body_complete = True
        finally:
            request.body_sha256 = digest.hexdigest()

    def _take(self, request: Request, digest: hashlib._Hash, data: bytes | memoryview) -> None:
        digest.update(data)
        request.body_length += len(data)
        if len(request.body) + len(data) <= KEPT_BODY_BYTES:
            request.body += data

    def _read_sized(self, request: Request, digest: hashlib._Hash, length: int) -> None:
        first = bytes(self.ahead[:length])
        del self.ahead[: len(first)]
        self._take(request, digest, first)
        block = memoryview(bytearray(BLOCK_BYTES))
        left = length - len(first)
        while left:
            try:
                count = self.sock.recv_into(block, min(left, BLOCK_BYTES))
            except (TimeoutError, ConnectionError) as error:
                raise PeerLeft("reset") from error
            if not count:
                raise PeerLeft("fin")
            self.bytes_received += count
            left -= count
            self._take(request, digest, block[:count])

    def _read_chunked(self, request: Request, digest: hashlib._Hash) -> None:
        while True:
            size = int(self.read_line().partition(b";")[0], 16)
            if size == 0:
                break
            self._read_sized(request, digest, size)
            if self.read_line():
                raise Malformed("chunk without its line end")
        while line := self.read_line():
            request.trailer += line + b"\r\n"

    def send(self, data: bytes | memoryview) -> None:
        try:
            self.sock.sendall(data)
        except (TimeoutError, ConnectionError) as error:
            raise PeerLeft("reset") from error

    def send_block_repeated(self, block: bytes, total: int) -> None:
        """`total` bytes made of `block` again and again."""
        view = memoryview(block)
        for _ in range(total // len(block)):
            self.send(view)
        self.send(view[: total % len(block)])

    def wait(self, gate: int, seconds: float) -> str:
        """Waits for the gate to open, the peer to leave or send, or the time to pass.

        Returns "gate", "bytes" or "time"; raises PeerLeft. Bytes that came are kept for reading.
        """
        poll = select.poll()
        poll.register(self.sock, select.POLLIN | select.POLLRDHUP)
        poll.register(gate, select.POLLIN)
        for descriptor, _ in poll.poll(seconds * 1000):
            if descriptor == gate:
                return "gate"
            self.ahead += self.receive()
            return "bytes"
        return "time"

    def reset(self) -> None:
        """Closes with a reset instead of a FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def finish(self) -> str:
        """Sends FIN, then reads to the peer's own end, which it names."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
            self.sock.settimeout(10.0)
            while True:
                data = self.receive()
                self.ahead += data[: max(0, SURPLUS_LIMIT_BYTES - len(self.ahead))]
        except PeerLeft as left:
            return left.how
        except OSError:
            return "reset"
        finally:
            self.sock.close()
