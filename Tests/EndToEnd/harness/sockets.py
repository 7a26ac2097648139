"""What the kernel tells of the other end of a connection on this machine, so that no test has to guess when the proxy has got on."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct
import termios
from pathlib import Path
from typing import NamedTuple

from harness.process import eventually
from harness.proxy import Proxy

CLOSE_WAIT = 8


class FarEnd(NamedTuple):
    # Bytes that were sent and are not acknowledged.
    unsent: int
    # Bytes that have come and that nobody has read.
    unread: int
    # As in tcp_states.h; CLOSE_WAIT once a FIN has come.
    state: int
    # 0 until it was accepted.
    inode: int


def far_end(sock: socket.socket) -> FarEnd | None:
    """The other end of an IPv4 connection, by /proc/net/tcp."""

    def written(address: tuple[str, int]) -> str:
        return f"{struct.unpack('=I', socket.inet_aton(address[0]))[0]:08X}:{address[1]:04X}"

    wanted = [written(sock.getpeername()), written(sock.getsockname())]
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == wanted:
            unsent, _, unread = fields[4].partition(":")
            return FarEnd(int(unsent, 16), int(unread, 16), int(fields[3], 16), int(fields[9]))
    return None


def wait_until_read(sock: socket.socket) -> None:
    """All that `sock` has sent so far was read at the other end."""

    def is_read() -> bool:
        end = far_end(sock)
        return end is not None and end.inode != 0 and end.unread == 0

    eventually(is_read, "the other end has read everything")


def wait_until_arrived(sock: socket.socket, count: int) -> None:
    """`count` bytes of `sock`, or more, lie unread at the other end."""
    eventually(lambda: (end := far_end(sock)) is not None and end.unread >= count, f"{count} bytes at the other end")


def wait_until_full(sock: socket.socket) -> None:
    """The other end has more to send than `sock` takes: nothing moves until somebody reads."""
    looks: list[tuple[int, int]] = []

    def is_full() -> bool:
        end = far_end(sock)
        here = struct.unpack("=i", fcntl.ioctl(sock, termios.FIONREAD, b"0000"))[0]
        looks.append((end.unsent if end else 0, here))
        return looks[-1][0] > 0 and looks[-1][1] > 0 and len(looks) > 3 and len(set(looks[-4:])) == 1

    eventually(is_full, "the socket is full", pause=0.05)


def wait_until_ended(sock: socket.socket) -> None:
    """The FIN of `sock` has reached the other end."""
    eventually(lambda: (end := far_end(sock)) is not None and end.state == CLOSE_WAIT, "the FIN is at the other end")


def wait_until_watched(proxy: Proxy, sock: socket.socket) -> None:
    """The proxy's epoll watches its end of this connection: it waits for what comes next."""

    def is_watched() -> bool:
        end = far_end(sock)
        if end is None or end.inode == 0:
            return False
        wanted = f"socket:[{end.inode}]"
        numbers = {name for name in os.listdir(f"/proc/{proxy.pid}/fd") if linked(f"/proc/{proxy.pid}/fd/{name}") == wanted}
        infos = Path(f"/proc/{proxy.pid}/fdinfo").iterdir()
        return any(watched in numbers for info in infos for watched in re.findall(r"^tfd:\s*(\d+)", text(info), re.MULTILINE))

    eventually(is_watched, "the proxy watches the connection")


def linked(path: str) -> str:
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""


def text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""
