"""Many clients at once, on one epoll: idle ones, slow ones, and a fast one with a clock."""

from __future__ import annotations

import resource
import select
import socket
import threading
import time
from collections.abc import Sequence

from harness.client import ask


def raise_descriptor_limit() -> int:
    """To the hard limit; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Crowd:
    """Connections that do nothing, or send one byte a second of a long request. Closed by `leave`."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.idle: list[socket.socket] = []
        self.slow: list[tuple[socket.socket, bytes]] = []
        self._leaving = threading.Event()
        self._ticker: threading.Thread | None = None

    def connect(self, count: int) -> list[socket.socket]:
        socks = []
        for index in range(count):
            sock = socket.socket()
            # Loopback has 28,000 ports for one pair of addresses: a few source addresses are plenty.
            sock.bind((f"127.0.0.{2 + index % 4}", 0))
            sock.connect(self.address)
            socks.append(sock)
        return socks

    def add_idle(self, count: int, first: bytes = b"G") -> None:
        """A first byte each, so that a listener that waits for data has accepted them."""
        for sock in self.connect(count):
            sock.sendall(first)
            self.idle.append(sock)

    def add_slow(self, requests: Sequence[bytes]) -> None:
        self.slow += zip(self.connect(len(requests)), requests, strict=True)
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def _tick(self) -> None:
        position = 0
        while not self._leaving.wait(1.0):
            for sock, data in self.slow:
                try:
                    sock.send(data[position : position + 1])
                except OSError:
                    continue
            position += 1

    def gone(self) -> int:
        """How many idle ones the proxy has closed meanwhile."""
        poll = select.poll()
        for sock in self.idle:
            poll.register(sock, select.POLLIN | select.POLLRDHUP)
        return len(poll.poll(0))

    def leave(self) -> None:
        self._leaving.set()
        if self._ticker:
            self._ticker.join(5)
        for sock in [*self.idle, *(sock for sock, _ in self.slow)]:
            sock.close()


def latencies(address: tuple[str, int], payload: bytes, count: int, pause: float) -> list[float]:
    """Seconds of `count` requests one after the other, sorted."""
    taken = []
    for _ in range(count):
        start = time.monotonic()
        answer = ask(address, payload)
        taken.append(time.monotonic() - start)
        assert answer.status == 200, answer.raw[:200]
        time.sleep(pause)
    return sorted(taken)
