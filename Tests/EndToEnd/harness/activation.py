"""A service manager's part, small: sockets that are opened before the service and outlive it, and the words it says."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from pathlib import Path

# Puts the descriptors where sd_listen_fds(3) says they are, and becomes the service.
LAUNCHER = """
import fcntl, os, sys
count = int(sys.argv[1])
moved = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 100) for number in sys.argv[3:3 + count]]
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES=sys.argv[2])
for index, number in enumerate(moved):
    os.dup2(number, 3 + index)
for number in moved:
    os.close(number)
os.execv(sys.argv[3 + count], sys.argv[3 + count:])
"""


class ActivationSockets:
    """Listening sockets by name."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.socks = [socket.create_server(("127.0.0.1", 0), backlog=4096) for _ in names]

    @property
    def numbers(self) -> Sequence[int]:
        return [sock.fileno() for sock in self.socks]

    @property
    def wrapper(self) -> list[str]:
        """What comes before the service's own command."""
        return [sys.executable, "-c", LAUNCHER, str(len(self.socks)), ":".join(self.names), *map(str, self.numbers)]

    def address(self, index: int = 0) -> tuple[str, int]:
        return self.socks[index].getsockname()

    def close(self) -> None:
        for sock in self.socks:
            sock.close()


class NotifySocket:
    """Where NOTIFY_SOCKET leads to."""

    def __init__(self, path: Path | str) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("\0" + path[1:] if isinstance(path, str) else str(path))
        self.sock.settimeout(10)

    def next(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.sock.recv(4096).decode().splitlines())

    def close(self) -> None:
        self.sock.close()
