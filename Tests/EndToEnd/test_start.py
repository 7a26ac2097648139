"""Just after the start, and during it: requests wait for the first token, and signals are neither fatal nor late."""

from __future__ import annotations

import hashlib
import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.client import Client, request
from harness.database import PORT, Postgres
from harness.network import NameServer, NamedUpstream, Network, Unavailable
from harness.process import Child, eventually
from harness.proxy import BINARY, StartProxy, clean_environment
from harness.relay import Server, relay_to
from harness.upstream import StandIn

pytestmark = pytest.mark.tokens

TOKEN = "b" * 64


class Held:
    """A way to the database on which nothing moves until it is opened; each connection needs a turn."""

    def __init__(self, postgres: Postgres) -> None:
        self._turns = threading.Semaphore(0)
        relay = relay_to(f"{postgres.folder}/.s.PGSQL.{PORT}")
        self.server = Server(lambda sock: relay(sock) if self._turns.acquire(timeout=30) else None)
        self.connection_string = f"host=127.0.0.1 port={self.server.port} user=postgres dbname=postgres sslmode=disable"

    def open(self) -> None:
        self._turns.release()

    def close(self) -> None:
        self._turns.release(100)
        self.server.close()


@pytest.fixture
def held(postgres: Postgres) -> Iterator[Held]:
    postgres.store_token(TOKEN)
    own = Held(postgres)
    yield own
    own.close()


CHUNKED = b"POST /behave/verdict HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
# More than the replay buffer holds.
SPOOLED = CHUNKED.replace(b"5\r\nhello", b"493e0\r\n" + b"w" * 300_000)


@pytest.mark.parametrize("sent, body", [
    (request("GET", "/api/0/"), b""),
    (request("POST", "/behave/verdict", body=b"x" * 1000), b"x" * 1000),
    (request("POST", "/behave/verdict", body=b"y" * 600_000), b"y" * 600_000),
    (CHUNKED, b"hello"),
    (SPOOLED, b"w" * 300_000),
], ids=["no body", "short body", "long body", "chunked body", "spooled body"])
def test_the_first_requests_wait_for_the_first_token(
    stand_in: StandIn, start_proxy: StartProxy, held: Held, sent: bytes, body: bytes
) -> None:
    stand_in.set_tokens([TOKEN])
    proxy = start_proxy(stand_in.uri, "--pgx-conn", held.connection_string, "--long-chunked-body", "spool", token=None)
    with Client(proxy.address) as first, Client(proxy.address) as second:
        for client in (first, second):
            # A long one does not fit the sockets' buffers before somebody reads it.
            threading.Thread(target=client.send, args=(sent,), daemon=True).start()
        eventually(lambda: held.server.connections > 0, "the database asked")
        assert not select.select([first.sock, second.sock], [], [], 0.5)[0], "nothing is answered without the token"
        held.open()
        for client in (first, second):
            assert client.read_answer().status == 200
    seen = stand_in.records(2)["requests"]
    assert all(f"Authorization: Bearer {TOKEN}" in one["head"] for one in seen)
    assert [one["body_sha256"] for one in seen] == [hashlib.sha256(body).hexdigest()] * 2 or not body
    assert held.server.connections == 1, "one question for all"
    assert "after a 401" not in proxy.output


def test_a_body_that_waited_is_sent_again_whole(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, held: Held) -> None:
    """The token is an old one: after the wait there is a 401, and the kept body goes out once more."""
    stand_in.set_tokens(["c" * 64])
    proxy = start_proxy(stand_in.uri, "--pgx-conn", held.connection_string, token=None)
    body = b"z" * 5000
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/verdict", body=body))
        eventually(lambda: held.server.connections > 0, "the database asked")
        held.open()
        eventually(lambda: held.server.connections > 1, "the database asked again, after the 401")
        postgres.store_token("c" * 64)
        held.open()
        assert client.read_answer().status == 200
    last = [one for one in stand_in.records(2)["requests"] if one["head"].startswith("POST ")][-1]
    assert "Bearer " + "c" * 64 in last["head"] and last["body_sha256"] == hashlib.sha256(body).hexdigest()


def test_the_wait_ends_with_the_response_timeout(stand_in: StandIn, start_proxy: StartProxy, held: Held) -> None:
    proxy = start_proxy(stand_in.uri, "--pgx-conn", held.connection_string, "--response-timeout", "1", token=None)
    with Client(proxy.address) as client:
        client.send(request("GET", "/api/0/", "Accept: application/json"))
        answer = client.read_answer()
    assert answer.status == 503 and answer.value("Retry-After") and "just started" in answer.json["detail"]


# A look-up that hangs


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    try:
        own = Network(tmp_path)
    except Unavailable as error:
        pytest.skip(f"no network namespace here: {error}")
    yield own
    own.leave()


@pytest.fixture
def names(network: Network) -> Iterator[NameServer]:
    server = NameServer()
    server.mode = "silent"
    yield server
    server.close()


@pytest.fixture
def starting(names: NameServer) -> Iterator[Child]:
    """A proxy in the middle of its start: it looks its upstream up, and nobody answers."""
    environment = clean_environment({"SENTRY_TOKEN": TOKEN})
    child = Child([BINARY, "--listen", "127.0.0.1:0", "--sentry-uri", "http://sentry.test:9000"], environment)
    eventually(lambda: names.asked > 0, "the look-up", 20)
    yield child
    if child.process.poll() is None:
        child.process.kill()
        child.wait(10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_does_not_wait_for_a_look_up(starting: Child, number: int) -> None:
    begin = time.monotonic()
    os.kill(starting.pid, number)
    assert starting.wait(20) == 0
    # The resolver would wait for 5 s and ask once more.
    assert time.monotonic() - begin < 4


def test_a_signal_to_reload_during_the_start_is_kept_for_later(starting: Child, names: NameServer) -> None:
    upstream = NamedUpstream("10.99.0.3", 9000)
    os.kill(starting.pid, signal.SIGHUP)
    names.addresses = ["10.99.0.3"]
    names.mode = "up"
    starting.wait_for_line(lambda text: "msg=listening" in text)
    starting.wait_for_line(lambda text: "msg=reloaded" in text)
    os.kill(starting.pid, signal.SIGTERM)
    assert starting.wait(30) == 0
    upstream.close()
