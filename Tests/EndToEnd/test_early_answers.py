"""An upstream that answers before it has read the body: its answer counts, not the write that failed."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.certificates import Certificates
from harness.client import Answer, Client, request
from harness.database import Postgres
from harness.fronts import Front
from harness.metrics import scrape
from harness.packages import Missing
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.tls import read_head, server_context

SIZE = 4_000_000
TIMES = 10


class Early:
    """Answers as soon as it has a head, says farewell, and closes with the body unread, or, lingering, once it was sent."""

    def __init__(self, context: ssl.SSLContext | None, status: int, lingers: bool = False) -> None:
        self._context = context
        self._status = status
        self._lingers = lingers
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
            if self._lingers:
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
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


def send_long(proxy: Proxy, size: int = SIZE) -> Answer:
    with Client(proxy.address) as client:
        try:
            client.send(request("POST", "/api/0/x/", f"Content-Length: {size}") + bytes(size))
        except OSError:
            pass
        return client.read_answer()


@pytest.mark.parametrize("status", [401, 413, 429])
def test_an_answer_before_the_body_was_read_comes_through(start_proxy: StartProxy, certificates: Certificates,
                                                          upstream_context: ssl.SSLContext | None, status: int) -> None:
    upstream = Early(upstream_context, status)
    try:
        flags = ("--ca-file", certificates.ca_file) if upstream_context else ()
        proxy = start_proxy(upstream.uri, *flags)
        answers = [send_long(proxy) for _ in range(TIMES)]
    finally:
        upstream.close()
    assert [(answer.status, answer.body) for answer in answers] == [(status, b"nope\n")] * TIMES, answers


@pytest.mark.tokens
def test_an_early_401_has_the_token_renewed(start_proxy: StartProxy, certificates: Certificates,
                                            upstream_context: ssl.SSLContext | None, postgres: Postgres) -> None:
    """The body is too long to be sent again, so the 401 is the client's; those who come later get the new token."""
    postgres.store_token("a" * 64)
    upstream = Early(upstream_context, 401)
    try:
        flags = ("--ca-file", certificates.ca_file) if upstream_context else ()
        proxy = start_proxy(upstream.uri, "--pgx-conn", postgres.connection_string, *flags, token=None)
        eventually(lambda: scrape(proxy).sum("token_health", state="ready") == 1, "the token is there", 10)
        postgres.store_token("b" * 64)
        answer = send_long(proxy)
        assert (answer.status, answer.body) == (401, b"nope\n")
        eventually(lambda: scrape(proxy).sum("token_renewals_total", outcome="renewed") == 1, "the token is renewed", 10)
        assert scrape(proxy).sum("token_retries_total", outcome="body_too_large") == 1
    finally:
        upstream.close()


# What a server in front makes of an application that refuses early. One that closes with the body unread resets its connection,
# and some of its answers are lost to that. HAProxy, nginx and Traefik lose them asked directly as well: nginx and Traefik say 502
# then, HAProxy closes.
LOST = {"haproxy": {"closed_before_answer"}, "nginx": set(), "caddy": set(), "traefik": set()}


@pytest.mark.slow
@pytest.mark.parametrize("lingers", [True, False], ids=["lingers", "closes"])
@pytest.mark.parametrize("name", ["haproxy", "nginx", "caddy", "traefik"])
def test_through_a_server_in_front_of_the_application(start_proxy: StartProxy, certificates: Certificates, tmp_path: Path,
                                                      upstream_context: ssl.SSLContext | None, name: str, lingers: bool) -> None:
    application = Early(None, 401, lingers)
    try:
        front = Front(name, tmp_path / name, int(application.uri.rpartition(":")[2]),
                      certificates.issue("front", "DNS:localhost") if upstream_context else None, certificates.ca_file)
    except Missing as missing:
        application.close()
        pytest.skip(str(missing))
    try:
        flags = ("--ca-file", certificates.ca_file) if upstream_context else ()
        proxy = start_proxy(front.uri, *flags)
        seen = Counter(send_long(proxy).status for _ in range(2 * TIMES))
        lines = [proxy.wait_for_line(lambda line: "path=/api/0/x/" in line)] + proxy.output.splitlines()
    finally:
        front.close()
        application.close()
    causes = Counter(line.partition(" cause=")[2].split()[0] for line in set(lines) if "path=/api/0/x/" in line and " cause=" in line)
    print(f"\n{name} {'https' if upstream_context else 'http'} {'lingers' if lingers else 'closes'}: {dict(seen)} {dict(causes)}")
    if lingers:
        assert seen == {401: 2 * TIMES}, (seen, causes)
    assert seen[401] + seen[502] == 2 * TIMES
    assert set(causes) <= LOST[name], "an answer that came was lost to a write that failed"
