"""Upstreams behind TLS: one inside the test, which does what it is told, and a real nginx; and a client."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from harness.certificates import Pair
from harness.client import Answer, Client
from harness.process import Child, eventually

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
Script = Callable[[ssl.SSLSocket], None]


def server_context(pair: Pair, client_ca: str | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair.files)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def read_head(sock: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        data = sock.recv(65536)
        if not data:
            break
        head += data
    return head


def answer_well(sock: ssl.SSLSocket) -> None:
    """One answer and TLS's own farewell."""
    read_head(sock)
    sock.sendall(ANSWER)
    farewell(sock)


def farewell(sock: ssl.SSLSocket) -> None:
    """close_notify, and the peer's own or its end."""
    try:
        sock.unwrap()
    except OSError:
        return


class TLSUpstream:
    """Accepts; after the handshake `script` has the connection, which is then closed without a close_notify."""

    def __init__(self, context: ssl.SSLContext, script: Script = answer_well, host: str = "127.0.0.1") -> None:
        self.context = context
        self.script = script
        self.handshakes: list[tuple[str, bool]] = []
        self.failures: list[str] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=128)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    def uri(self, host: str = "localhost") -> str:
        return f"https://{host}:{self.port}"

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(10)
            try:
                with self.context.wrap_socket(plain, server_side=True) as sock:
                    self.handshakes.append((sock.version() or "", sock.session_reused or False))
                    self.script(sock)
            except OSError as error:
                self.failures.append(str(error))

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(15)


class Nginx:
    """One nginx process with one server block; its access log says how each handshake went."""

    def __init__(self, folder: Path, pair: Pair, server: str = "", location: str = "return 200 ok;") -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.log = folder / "access.log"
        temporary = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(f"""
            daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
            events {{ worker_connections 512; }}
            http {{
                {temporary}
                log_format handshake '$ssl_session_reused $ssl_protocol $status';
                access_log {self.log} handshake;
                keepalive_timeout 0;
                server {{
                    listen 127.0.0.1:{self.port} ssl;
                    ssl_certificate {pair.certificate};
                    ssl_certificate_key {pair.key};
                    {server}
                    location / {{ {location} }}
                }}
            }}""")
        self.child = Child([nginx_binary(), "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"],
                           os.environ)
        eventually(self._answers, "nginx listens", 10)

    def _answers(self) -> bool:
        assert self.child.process.poll() is None, self.child.output
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def uri(self, host: str = "localhost") -> str:
        return f"https://{host}:{self.port}"

    def handshakes(self, count: int) -> list[tuple[bool, str]]:
        """Resumed or not, and the version, of each request, once there are so many."""
        def lines() -> list[str]:
            return self.log.read_text().splitlines() if self.log.exists() else []

        eventually(lambda: len(lines()) >= count, f"{count} requests in nginx's log", 10)
        return [(match.group(1) == "r", match.group(2)) for match in (re.match(r"(\S) (\S+)", line) for line in lines()) if match]

    def close(self) -> None:
        self.child.process.terminate()
        self.child.wait(10)


def nginx_binary() -> str:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert found, "nginx is not installed"
    return found


class TLSClient(Client):
    """A client on TLS: as `Client`, byte for byte."""

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext, name: str = "localhost", seconds: float = 20.0) -> None:
        super().__init__(address, seconds)
        self.sock = context.wrap_socket(self.sock, server_hostname=name, suppress_ragged_eofs=False)

    def half_close(self) -> None:
        """A FIN without close_notify; `SSLSocket.shutdown` would forget the TLS state as well."""
        socket.socket.shutdown(self.sock, socket.SHUT_WR)

    def read_answer(self) -> Answer:
        """Reads to the end; one without close_notify is "ragged", one by an alert is "alert"."""
        try:
            return super().read_answer()
        except ssl.SSLZeroReturnError:
            return Answer(bytes(self.received), "fin", self.method)
        except ssl.SSLEOFError:
            return Answer(bytes(self.received), "ragged", self.method)
        except ssl.SSLError:
            return Answer(bytes(self.received), "alert", self.method)


def client_context(ca_file: str, pair: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    if pair:
        context.load_cert_chain(*pair.files)
    return context
