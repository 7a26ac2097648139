"""What stands between the proxy and PostgreSQL in tests: a relay to its socket, and servers that are no PostgreSQL."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable


class Server:
    """Accepts on `host`, counts, and hands each connection to `serve` on a thread of its own."""

    def __init__(self, serve: Callable[[socket.socket], None], host: str = "127.0.0.1", port: int = 0) -> None:
        self._serve = serve
        self._listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            threading.Thread(target=self._run, args=(sock,), daemon=True).start()

    def _run(self, sock: socket.socket) -> None:
        try:
            self._serve(sock)
        except OSError:
            pass
        finally:
            sock.close()

    def close(self) -> None:
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._thread.join(5)


def relay_to(path: str) -> Callable[[socket.socket], None]:
    """Passes bytes on to a socket in the file system, both ways."""

    def serve(client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as selector:
            server.connect(path)
            other = {client: server, server: client}
            for sock in other:
                selector.register(sock, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not data:
                        return
                    other[key.fileobj].sendall(data)  # type: ignore[index]

    return serve


def silent(client: socket.socket) -> None:
    """Takes all and says nothing."""
    while client.recv(65536):
        pass


def refusing(sql_state: str, message: str) -> Callable[[socket.socket], None]:
    """Answers the start-up packet with an error (PostgreSQL, Message Formats, ErrorResponse)."""

    def serve(client: socket.socket) -> None:
        first = client.recv(4096)
        if first[4:8] == (80877103).to_bytes(4, "big"):
            client.sendall(b"N")
            client.recv(4096)
        fields = f"SFATAL\0C{sql_state}\0M{message}\0\0".encode()
        client.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)

    return serve


def asking_for_a_password(client: socket.socket) -> None:
    """AuthenticationCleartextPassword, and then a refusal that repeats what was sent."""
    first = client.recv(4096)
    if first[4:8] == (80877103).to_bytes(4, "big"):
        client.sendall(b"N")
        client.recv(4096)
    client.sendall(b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big"))
    answer = client.recv(4096)
    fields = b"SFATAL\0C28P01\0Mno, not " + answer[5:].rstrip(b"\0") + b"\0\0"
    client.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)


def offering_tls(client: socket.socket) -> None:
    """Agrees to TLS and says no more."""
    client.recv(4096)
    client.sendall(b"S")
    silent(client)
