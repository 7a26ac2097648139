"""An upstream whose every step a test writes out, and one whose queue is full until the test lets connections in."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable


def read_head(sock: socket.socket) -> bytes:
    """The request's head and what came with it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return data
        data += piece
    return data


def read_request(sock: socket.socket) -> bytes:
    """A whole request with a Content-Length, or without a body."""
    data = read_head(sock)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        piece = sock.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


class Scripted:
    """Runs `play` on a thread of its own for each connection: the socket, and its number from 0."""

    def __init__(self, play: Callable[[socket.socket, int], None]) -> None:
        self._play = play
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        number = 0
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._run, args=(sock, number), daemon=True)
            thread.start()
            self._threads.append(thread)
            number += 1

    def _run(self, sock: socket.socket, number: int) -> None:
        sock.settimeout(20)
        with sock:
            try:
                self._play(sock, number)
            except OSError:
                return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(25)


class Gated:
    """Connects hang while its queue is full (SYNs are dropped); `fill` makes it so, `open` ends it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self._listener.settimeout(15)
        self._fillers: list[socket.socket] = []
        self._ignored: set[int] = set()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def fill(self) -> None:
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(self._listener.getsockname())
            self._fillers.append(sock)

    def open(self) -> None:
        """Lets the fillers go; a hanging connect is repeated by the kernel within a second or two."""
        self._ignored = {sock.getsockname()[1] for sock in self._fillers}
        for sock in self._fillers:
            sock.close()
        self._fillers = []

    def accept(self) -> socket.socket:
        """The next connection that is none of the fillers."""
        while True:
            sock, peer = self._listener.accept()
            if peer[1] not in self._ignored:
                sock.settimeout(20)
                return sock
            sock.close()

    def close(self) -> None:
        self.open()
        self._listener.close()
