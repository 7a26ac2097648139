"""Requests at a constant rate, whatever becomes of those before; a process of its own.

    load.py HOST:PORT RATE SECONDS TARGET [FIELD]...    prints one JSON object; ends early when its standard input does.
"""

from __future__ import annotations

import errno
import json
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

DEADLINE_SECONDS = 60.0
# A machine that is behind gets no more at once.
MOST_IN_FLIGHT = 1_000


@dataclass
class Attempt:
    sock: socket.socket
    started: float
    is_connected: bool = False
    received: bytearray = field(default_factory=bytearray)


@dataclass
class Result:
    ok: int
    # Never had a connection.
    unconnected: dict[str, int]
    # Had one, and no whole answer.
    broken: dict[str, int]
    seconds: list[float]

    @property
    def sent(self) -> int:
        return self.ok + sum(self.unconnected.values()) + sum(self.broken.values())

    def percentile(self, part: float) -> float:
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(len(self.seconds) * part))]


class Load:
    """The running process, from the test's side."""

    def __init__(self, address: tuple[str, int], rate: int, seconds: float, target: str = "/api/0/",
                 fields: Sequence[str] = ()) -> None:
        command = [sys.executable, __file__, f"{address[0]}:{address[1]}", str(rate), str(seconds), target, *fields]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def stop(self) -> Result:
        """Sends no more, waits for what is under way."""
        return self._result(b"stop\n")

    def wait(self) -> Result:
        """Waits until its time is over."""
        return self._result(None)

    def _result(self, word: bytes | None) -> Result:
        if word is not None:
            output, _ = self.process.communicate(word, timeout=DEADLINE_SECONDS + 10)
        else:
            assert self.process.stdout is not None and self.process.stdin is not None
            output = self.process.stdout.read()
            self.process.stdin.close()
            self.process.wait(10)
        return Result(**json.loads(output))


def is_whole(answer: bytes) -> bool:
    head, mark, body = answer.partition(b"\r\n\r\n")
    if not mark or not head.startswith(b"HTTP/1.1 200 "):
        return False
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) == int(value)
    return b"chunked" in head.lower() and body.endswith(b"0\r\n\r\n")


class Run:
    def __init__(self, address: tuple[str, int], rate: float, seconds: float, target: str, fields: Sequence[str]) -> None:
        self.address, self.rate, self.seconds = address, rate, seconds
        lines = [f"GET {target} HTTP/1.1", "Host: sentry.example", "Connection: close", *fields, "", ""]
        self.payload = "\r\n".join(lines).encode()
        self.poll = select.epoll()
        self.attempts: dict[int, Attempt] = {}
        self.unconnected: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.taken: list[float] = []
        self.started = 0

    def begin(self, now: float) -> None:
        sock = socket.socket()
        sock.setblocking(False)
        # Loopback has 28,000 ports for one pair of addresses: a few source addresses are plenty.
        sock.bind((f"127.0.0.{2 + self.started % 4}", 0))
        self.started += 1
        attempt = Attempt(sock, now)
        error = sock.connect_ex(self.address)
        if error not in (0, errno.EINPROGRESS):
            self.unconnected[errno.errorcode[error]] += 1
            sock.close()
            return
        self.attempts[sock.fileno()] = attempt
        self.poll.register(sock.fileno(), select.EPOLLOUT)

    def finish(self, number: int, now: float, problem: str | None) -> None:
        attempt = self.attempts.pop(number)
        if problem is None:
            self.taken.append(now - attempt.started)
        elif attempt.is_connected:
            self.broken[problem] += 1
        else:
            self.unconnected[problem] += 1
        attempt.sock.close()

    def proceed(self, number: int, now: float) -> None:
        attempt = self.attempts[number]
        try:
            if not attempt.is_connected:
                error = attempt.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, "")
                attempt.is_connected = True
                attempt.sock.send(self.payload)
                self.poll.modify(number, select.EPOLLIN)
                return
            data = attempt.sock.recv(65536)
        except OSError as error:
            self.finish(number, now, errno.errorcode[error.errno or 0])
            return
        attempt.received += data
        if not data:
            answer = bytes(attempt.received)
            self.finish(number, now, None if is_whole(answer) else f"not a whole 200: {answer[:40]!r}")

    def run(self) -> Result:
        self.poll.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)
        start = time.monotonic()
        end = start + self.seconds
        while True:
            now = time.monotonic()
            if now < end:
                due = int((now - start) * self.rate)
                while self.started < due and len(self.attempts) < MOST_IN_FLIGHT:
                    self.begin(now)
            elif not self.attempts:
                break
            for number in [number for number, attempt in self.attempts.items() if now - attempt.started > DEADLINE_SECONDS]:
                self.finish(number, now, "no answer in time")
            for number, _ in self.poll.poll(0.002):
                if number == sys.stdin.fileno():
                    end = now
                    self.poll.unregister(number)
                else:
                    self.proceed(number, time.monotonic())
        return Result(len(self.taken), dict(self.unconnected), dict(self.broken), self.taken)


if __name__ == "__main__":
    host, _, port = sys.argv[1].rpartition(":")
    print(json.dumps(vars(Run((host, int(port)), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4], sys.argv[5:]).run())))
