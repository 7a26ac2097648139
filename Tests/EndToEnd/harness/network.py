"""A network and a resolv.conf of the test's own (namespaces(7)), with a name server and upstreams inside it."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import subprocess
import threading
from pathlib import Path

from harness.process import eventually
from harness.tls import read_head

CLONE_NEWNS, CLONE_NEWNET = 0x0002_0000, 0x4000_0000
DNS_PORT = 53
TYPE_A, TYPE_AAAA = 1, 28
LIBC = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """This process may not make namespaces."""


class Network:
    """The calling thread, and all that it starts, live in namespaces of their own until `leave`.

    10.99.0.1 to 10.99.0.12 and fd99::1 to fd99::c are its own.
    """

    def __init__(self, folder: Path) -> None:
        self._saved = [os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("mnt", "net")]
        # setns(2) into a mount namespace sets root and working folder to that namespace's own: out of a chroot, too.
        self._root = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._folder = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
        if LIBC.unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
            self._close()
            raise Unavailable(os.strerror(ctypes.get_errno()))
        try:
            resolv_conf = folder / "resolv.conf"
            resolv_conf.write_text("nameserver 127.0.0.1\n")
            for command in (
                "mount --make-rprivate /",
                f"mount --bind {resolv_conf} {os.path.realpath('/etc/resolv.conf')}",
                "ip link set lo up",
                *(f"ip address add 10.99.0.{host}/32 dev lo" for host in range(1, 13)),
                *(f"ip address add fd99::{host:x}/128 dev lo nodad" for host in range(1, 13)),
            ):
                done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
                if done.returncode:
                    raise Unavailable(f"{command}: {done.stderr.strip()}")
        except BaseException:
            self.leave()
            raise

    def _close(self) -> None:
        for descriptor in (*self._saved, self._root, self._folder):
            os.close(descriptor)

    def leave(self) -> None:
        for descriptor in self._saved:
            # A mount namespace is not changed while other threads share the folder, and a joined one may just be going.
            eventually(lambda: LIBC.setns(descriptor, 0) == 0, "back in the namespace outside", 10)  # noqa: B023
        os.fchdir(self._root)
        os.chroot(".")
        os.fchdir(self._folder)
        self._close()


class NameServer:
    """Answers A and AAAA from `addresses`. `mode` is "up", "silent" (asks are lost), "failing" or "unknown"."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.mode = "up"
        self.asked = 0
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", DNS_PORT))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                query, peer = self._sock.recvfrom(4096)
            except OSError:
                return
            if len(query) < 12:
                return
            self.asked += 1
            if self.mode != "silent":
                self._sock.sendto(self._answer(query), peer)

    def _answer(self, query: bytes) -> bytes:
        end = query.index(b"\0", 12) + 5
        (kind,) = struct.unpack("!H", query[end - 4 : end - 2])
        code = {"up": 0, "failing": 2, "unknown": 3}[self.mode]
        records = [address for address in self.addresses if (":" in address) == (kind == TYPE_AAAA)] if code == 0 else []
        if kind not in (TYPE_A, TYPE_AAAA):
            records = []
        head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(records), 0, 0)
        body = b"".join(
            struct.pack("!HHHIH", 0xC00C, kind, 1, 1, len(data)) + data
            for data in (socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address) for address in records)
        )
        return head + query[12:end] + body

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", ("127.0.0.1", DNS_PORT))
        self._thread.join(5)
        self._sock.close()


class NamedUpstream:
    """Answers every request with the address that it was asked at."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.requests = 0
        self._listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                sock.settimeout(5)
                try:
                    if not read_head(sock):
                        continue
                    self.requests += 1
                    sock.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.host)}\r\n\r\n{self.host}".encode())
                except OSError:
                    continue

    def close(self) -> None:
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


class DeadHost:
    """An address where connections are neither taken nor refused: a queue that is full drops every SYN (listen(2))."""

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=0)
        self._fillers = []
        for _ in range(4):
            filler = socket.socket(family)
            filler.setblocking(False)
            filler.connect_ex((host, port))
            self._fillers.append(filler)

    def close(self) -> None:
        for sock in (*self._fillers, self._listener):
            sock.close()
