"""An upstream that answers before it has read the body, over TLS: its answer counts, not the write that failed."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from harness.certificates import Certificates
from harness.client import Client, request
from harness.proxy import StartProxy
from harness.tls import read_head, server_context

SIZE = 4_000_000
TIMES = 10


class Early:
    """Answers as soon as it has a head, says farewell, and closes with the body unread."""

    def __init__(self, context: ssl.SSLContext | None, status: int) -> None:
        self._context = context
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def uri(self) -> str:
        return f"{'https' if self._context else 'http'}://localhost:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(sock,), daemon=True).start()

    def _answer(self, sock: socket.socket) -> None:
        sock.settimeout(10)
        # Else its own kernel may hold the answer back behind a ticket that is not acknowledged, and drop it at the reset.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._context:
                sock = self._context.wrap_socket(sock, server_side=True)
            read_head(sock)
            sock.sendall(b"HTTP/1.1 %d Refused\r\nContent-Length: 5\r\nConnection: close\r\n\r\nnope\n" % self._status)
            if isinstance(sock, ssl.SSLSocket):
                sock.setblocking(False)
                try:
                    sock.unwrap()
                except OSError:
                    pass
        except OSError:
            pass
        finally:
            sock.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(15)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=[False, True], ids=["http", "https"])
def upstream_context(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[ssl.SSLContext | None]:
    yield server_context(certificates.issue("upstream", "DNS:localhost")) if request.param else None


@pytest.mark.parametrize("status", [401, 413, 429])
def test_an_answer_before_the_body_was_read_comes_through(start_proxy: StartProxy, certificates: Certificates,
                                                          upstream_context: ssl.SSLContext | None, status: int) -> None:
    upstream = Early(upstream_context, status)
    try:
        flags = ("--ca-file", certificates.ca_file) if upstream_context else ()
        proxy = start_proxy(upstream.uri, *flags)
        answers = []
        for _ in range(TIMES):
            with Client(proxy.address) as client:
                try:
                    client.send(request("POST", "/api/0/x/", f"Content-Length: {SIZE}") + bytes(SIZE))
                except OSError:
                    pass
                answer = client.read_answer()
                answers.append((answer.status, answer.body))
    finally:
        upstream.close()
    assert answers == [(status, b"nope\n")] * TIMES, answers
