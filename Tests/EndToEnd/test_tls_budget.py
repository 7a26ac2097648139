"""What a TLS peer can make the proxy do besides carrying data: bounded in each turn, and for each connection."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.certificates import Certificates, Pair
from harness.client import ask, request
from harness.metrics import scrape
from harness.openssl import Connection
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.tls import TLSClient, client_context
from harness.turns import TurnTimes
from harness.upstream import StandIn

LOCAL = "DNS:localhost,IP:127.0.0.1"
# More than the sockets' buffers hold, so that sending them all means that the proxy took them.
UPDATES = 400_000
FLOOD_SECONDS = 20.0
# Fewer than a connection may send without data.
SLOW_UPDATES = 100


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def good(certificates: Certificates) -> Pair:
    return certificates.issue("proxy", LOCAL)


def worker_seconds(proxy: Proxy) -> float:
    """CPU time of the process's threads so far."""
    tasks = Path(f"/proc/{proxy.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


class Flood:
    """Key updates without an end on a connection that was handed over, until the peer ends it."""

    def __init__(self, connection: Connection, ask_back: bool) -> None:
        self.connection = connection
        self.sent = 0
        self.ended = False
        self._ask_back = ask_back
        connection.sock.settimeout(None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        end = time.monotonic() + FLOOD_SECONDS
        while self.sent < UPDATES and time.monotonic() < end:
            if not self.connection.update_keys(self._ask_back):
                self.ended = True
                return
            self.sent += 1

    def wait(self) -> None:
        self._thread.join(FLOOD_SECONDS + 10)


@pytest.fixture
def secure_proxy(stand_in: StandIn, start_proxy: StartProxy, good: Pair) -> Proxy:
    return start_proxy(stand_in.uri, "--tls-cert", str(good.certificate), "--tls-key", str(good.key), "--threads", "1",
                       "--head-timeout", "60")


@pytest.mark.parametrize("ask_back", [False, True], ids=["alone", "asking back"])
def test_key_updates_instead_of_a_request_end_the_connection(secure_proxy: Proxy, certificates: Certificates, ask_back: bool) -> None:
    context = client_context(certificates.ca_file)
    with TLSClient(secure_proxy.address, context) as client:
        client.send(request("GET", "/api/0/"))
        assert client.read_answer().status == 200
    before = worker_seconds(secure_proxy)
    floods = [Flood(Connection(socket.create_connection(secure_proxy.address)), ask_back) for _ in range(2)]
    # Others are served meanwhile.
    with TLSClient(secure_proxy.address, context) as client:
        client.send(request("GET", "/api/0/"))
        assert client.read_answer().status == 200
    for flood in floods:
        flood.wait()
        assert flood.ended, f"{flood.sent} key updates were taken"
    spent = worker_seconds(secure_proxy) - before
    assert spent < 1.0, f"two connections cost {spent:.2f} s of CPU"
    found = scrape(secure_proxy)
    assert found.sum("tls_failures_total", side="client", cause="tls_record_flood") == 2
    for flood in floods:
        flood.connection.close()


def test_a_few_key_updates_are_nothing_special(secure_proxy: Proxy) -> None:
    connection = Connection(socket.create_connection(secure_proxy.address, 20))
    connection.sock.settimeout(None)
    text = request("GET", "/api/0/")
    for _ in range(20):
        assert connection.update_keys(ask=True)
    assert connection.send(text[:10])
    for _ in range(20):
        assert connection.update_keys(ask=False)
    assert connection.send(text[10:])
    answer = b""
    while data := connection.receive():
        answer += data
    assert answer.startswith(b"HTTP/1.1 200 ") and connection.has_farewell()
    connection.close()


def test_key_updates_do_not_put_off_the_deadline_of_a_head(stand_in: StandIn, start_proxy: StartProxy, good: Pair) -> None:
    proxy = start_proxy(stand_in.uri, "--tls-cert", str(good.certificate), "--tls-key", str(good.key), "--head-timeout", "1")
    connection = Connection(socket.create_connection(proxy.address, 20))
    assert connection.send(request("GET", "/api/0/")[:10])
    # Slow enough to stay under the bound on records without data.
    for _ in range(SLOW_UPDATES):
        if not connection.update_keys(ask=False):
            break
        if select.select([connection.sock], [], [], 0.1)[0]:
            break
    answer = b""
    while data := connection.receive():
        answer += data
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert scrape(proxy).sum("tls_failures_total", side="client", cause="tls_record_flood") == 0
    connection.close()


@pytest.mark.campaign
def test_no_turn_is_long_under_floods(stand_in: StandIn, start_proxy: StartProxy, good: Pair, certificates: Certificates, tmp_path: Path) -> None:
    """Eight clients at a time that flood one worker with key updates and come back as soon as they are put out."""
    times = TurnTimes(tmp_path)
    proxy = start_proxy(stand_in.uri, "--tls-cert", str(good.certificate), "--tls-key", str(good.key), "--threads", "1",
                        environment=times.environment)
    end = time.monotonic() + 5

    def flood() -> None:
        while time.monotonic() < end:
            connection = Connection(socket.create_connection(proxy.address))
            while connection.update_keys(ask=True) and time.monotonic() < end:
                pass
            connection.close()

    threads = [threading.Thread(target=flood, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    served = 0
    context = client_context(certificates.ca_file)
    while time.monotonic() < end:
        with TLSClient(proxy.address, context) as client:
            client.send(request("GET", "/api/0/"))
            assert client.read_answer().status == 200
            served += 1
    for thread in threads:
        thread.join(20)
    floods = int(scrape(proxy).sum("tls_failures_total", side="client", cause="tls_record_flood"))
    spent = times.milliseconds()
    print(f"\n{floods} floods ended, {served} others served; {times.summary(spent)}")
    assert floods > 100 and served > 10 and spent[-1] < 50


class FloodingUpstream:
    """Reads a request's head and sends key updates instead of an answer, or in the middle of one."""

    def __init__(self, pair: Pair, answer: bytes) -> None:
        self.floods: list[Flood] = []
        self._pair = pair
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def uri(self) -> str:
        return f"https://localhost:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            try:
                connection = Connection(sock, self._pair)
            except AssertionError:
                continue
            connection.receive()
            if self._answer:
                connection.send(self._answer)
            self.floods.append(Flood(connection, False))

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(15)
        for flood in self.floods:
            flood.wait()
            flood.connection.close()


@pytest.fixture(params=[b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx"], ids=["no answer", "half an answer"])
def flooding(good: Pair, request: pytest.FixtureRequest) -> Iterator[FloodingUpstream]:
    upstream = FloodingUpstream(good, request.param)
    yield upstream
    upstream.close()


def test_key_updates_instead_of_an_answer_end_the_connection(flooding: FloodingUpstream, start_proxy: StartProxy, certificates: Certificates) -> None:
    proxy = start_proxy(flooding.uri, "--ca-file", certificates.ca_file, "--threads", "1", "--response-timeout", "60",
                        "--body-timeout", "60")
    before = worker_seconds(proxy)
    answer = ask(proxy.address, request("GET", "/api/0/"))
    if answer.status == 200:
        assert not answer.complete
    else:
        assert answer.status == 502
    eventually(lambda: flooding.floods and flooding.floods[0].ended, "the flood's end", FLOOD_SECONDS)
    spent = worker_seconds(proxy) - before
    assert spent < 1.0, f"the flood cost {spent:.2f} s of CPU"
    assert scrape(proxy).sum("tls_failures_total", side="upstream", cause="tls_record_flood") == 1


# MARK: Application protocols

@pytest.mark.parametrize(("offered", "chosen"), [
    (["http/1.0"], "http/1.0"), (["http/1.0", "http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (["h2", "http/1.0"], "http/1.0"),
])
def test_http_1_0_is_an_application_protocol_too(secure_proxy: Proxy, certificates: Certificates, offered: list[str], chosen: str) -> None:
    context = client_context(certificates.ca_file)
    context.set_alpn_protocols(offered)
    with TLSClient(secure_proxy.address, context) as client:
        assert isinstance(client.sock, ssl.SSLSocket)
        assert client.sock.selected_alpn_protocol() == chosen
        client.send(request("GET", "/api/0/", version="HTTP/1.0"))
        assert client.read_answer().status == 200


@pytest.mark.parametrize("offered", [["h2"], ["http/1"], ["http/0.9"]])
def test_other_application_protocols_are_refused(secure_proxy: Proxy, certificates: Certificates, offered: list[str]) -> None:
    context = client_context(certificates.ca_file)
    context.set_alpn_protocols(offered)
    with pytest.raises(ssl.SSLError, match="NO_APPLICATION_PROTOCOL|no application protocol"):
        TLSClient(secure_proxy.address, context)
