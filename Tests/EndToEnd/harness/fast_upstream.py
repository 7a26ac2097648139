"""nginx as an upstream that is never what a thousand requests a second wait for."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from harness.process import eventually

# /slow takes a second: nginx sends RATE bytes, and the rest of the file when a second's worth of them is over.
RATE, SLOW_BYTES = 4096, 5000
CONFIGURATION = """
daemon off; pid {folder}/pid; error_log stderr warn; worker_processes 1;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_timeout 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ return 200 "ok\\n"; }}
    location = /slow {{ limit_rate {rate}; root {files}; }}
  }}
}}
"""


class Unavailable(Exception):
    """nginx is not installed."""


def debian_binary(name: str) -> str | None:
    """Debian's place of servers is not on every user's path."""
    return shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


class FastUpstream:
    def __init__(self, folder: Path) -> None:
        nginx = debian_binary("nginx")
        if nginx is None:
            raise Unavailable("nginx is not installed")
        # Started by root, its worker is another user, who may not look into pytest's folders.
        self._files = tempfile.TemporaryDirectory(prefix="proxy-test-nginx-")
        files = Path(self._files.name)
        files.chmod(0o755)
        (files / "slow").write_bytes(b"x" * SLOW_BYTES)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        settings = folder / "nginx.conf"
        settings.write_text(CONFIGURATION.format(folder=folder, files=files, port=self.port, rate=RATE))
        self._child = subprocess.Popen([nginx, "-p", str(folder), "-c", str(settings)])
        eventually(self._is_up, "nginx is up", 10)

    def _is_up(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._child.terminate()
        self._child.wait(10)
        self._files.cleanup()
