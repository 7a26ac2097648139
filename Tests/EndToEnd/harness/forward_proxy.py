"""A real forward proxy, tinyproxy, as a child process."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from harness.process import Child, eventually


class Unavailable(Exception):
    """tinyproxy is not installed."""


class Tinyproxy:
    """Listens on loopback, with HTTP Basic credentials if any are given; `log` is what it says of its requests."""

    def __init__(self, folder: Path, credentials: tuple[str, str] | None = None) -> None:
        program = shutil.which("tinyproxy")
        if program is None:
            raise Unavailable("tinyproxy is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        # It takes no port 0: one that was free a moment ago, and another if somebody was faster.
        for _ in range(5):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            lines = [f"Port {self.port}", "Listen 127.0.0.1", "Timeout 60", "MaxClients 100", "Allow 127.0.0.1", "LogLevel Connect",
                     "DisableViaHeader Yes"]
            if credentials:
                lines.append(f"BasicAuth {credentials[0]} {credentials[1]}")
            (folder / "tinyproxy.conf").write_text("\n".join(lines) + "\n")
            self.child = Child([program, "-d", "-c", str(folder / "tinyproxy.conf")], os.environ, stream="stdout")
            eventually(lambda: self._answers() or self.child.process.poll() is not None, "tinyproxy is up", 20)
            if self.child.process.poll() is None:
                return
        raise AssertionError("tinyproxy did not start:\n" + self.child.output)

    def _answers(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.child.output

    def close(self) -> None:
        self.child.process.terminate()
        self.child.wait(20)
