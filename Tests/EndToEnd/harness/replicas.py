"""Several proxies behind HAProxy, which asks each one's /readyz."""

from __future__ import annotations

import csv
import io
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from harness.client import ask, request
from harness.fast_upstream import debian_binary
from harness.process import Child, eventually
from harness.proxy import Proxy

# A request whose connection is refused goes to another replica (retries, redispatch). One that was sent is not sent
# again: it may have been carried out. `fall 1`: a replica that says it is draining is believed at once.
CONFIGURATION = """
global
    nbthread 1
    maxconn 8192
    stats socket {folder}/stats.sock level operator
defaults
    mode http
    retries 3
    option redispatch 1
    timeout connect 5s
    timeout client 25s
    timeout server 25s
    timeout check 1s
frontend clients
    bind {host}:{port} backlog 4096
    default_backend replicas
backend replicas
    balance roundrobin
    option httpchk GET /readyz
    default-server check inter 200ms fall 1 rise 1
"""


class Unavailable(Exception):
    """HAProxy is not installed."""


class Replica:
    """One address with a proxy on it, and then its successor."""

    FLAGS = ("--threads", "1", "--access-log", "off", "--drain-delay", "1")

    def __init__(self, name: str, host: str, upstream: str) -> None:
        self.name, self.host, self._upstream = name, host, upstream
        self._listen = self._admin = f"{host}:0"
        self.start()

    def start(self) -> None:
        """Returns once it says that it is ready."""
        self.proxy = Proxy(self._upstream, *self.FLAGS, "--admin-listen", self._admin, listen=self._listen)
        self._listen, self._admin = self.proxy.listening, self.proxy.admin_listening
        eventually(self.is_ready, f"{self.name} is ready", 10)

    def is_ready(self) -> bool:
        return ask((self.host, self.proxy.admin[1]), request("GET", "/readyz")).status == 200

    def kill(self) -> None:
        self.proxy.signal(signal.SIGKILL)
        self.proxy.process.wait(10)

    def stop(self) -> None:
        if self.proxy.process.poll() is None:
            self.proxy.stop()

    def restart(self) -> None:
        """As an orchestrator does it: SIGTERM, the end, a new one, its readiness."""
        self.proxy.stop()
        self.start()

    @property
    def server_line(self) -> str:
        return f"    server {self.name} {self._listen} port {self.proxy.admin[1]}\n"


class Balancer:
    """HAProxy in front of the replicas, and what its statistics say of each."""

    def __init__(self, folder: Path, host: str, replicas: Sequence[Replica]) -> None:
        """`wait_until_up` before use."""
        haproxy = debian_binary("haproxy")
        if haproxy is None:
            raise Unavailable("haproxy is not installed")
        self._stats = folder / "stats.sock"
        with socket.create_server((host, 0)) as free:
            self.address = (host, free.getsockname()[1])
        settings = folder / "haproxy.cfg"
        text = CONFIGURATION.format(folder=folder, host=host, port=self.address[1])
        settings.write_text(text + "".join(replica.server_line for replica in replicas))
        self._child = Child([haproxy, "-db", "-f", str(settings)], os.environ)

    def statistics(self) -> dict[str, dict[str, str]]:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(5)
            sock.connect(str(self._stats))
            sock.sendall(b"show stat replicas 4 -1\n")
            text = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
        return {row["svname"]: row for row in csv.DictReader(io.StringIO(text.removeprefix("# ")))}

    def number(self, replica: Replica, column: str) -> int:
        return int(self.statistics()[replica.name][column])

    def total(self, column: str) -> int:
        return sum(int(row[column] or 0) for row in self.statistics().values())

    def is_up(self, replica: Replica) -> bool:
        return self._stats.exists() and self.statistics()[replica.name]["status"] == "UP"

    def wait_until_up(self, replica: Replica) -> None:
        eventually(lambda: self.is_up(replica), f"HAProxy uses {replica.name}", 10)

    def close(self) -> None:
        # SIGTERM: at once, for nothing is under way any more.
        self._child.process.terminate()
        self._child.wait(10)
