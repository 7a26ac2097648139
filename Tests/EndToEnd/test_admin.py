"""The admin listener: health, readiness and status for operators, apart from the proxy's own paths."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from harness.client import Answer, Client, ask, request
from harness.database import Postgres
from harness.process import eventually
from harness.proxy import BINARY, Proxy, StartProxy, clean_environment
from harness.upstream import TOKEN, StandIn

PAGES = ["/healthz", "/readyz", "/metrics", "/status"]


def admin(proxy: Proxy, path: str, method: str = "GET") -> Answer:
    return ask(proxy.admin, request(method, path))


def test_healthy_and_ready_with_a_token(proxy: Proxy) -> None:
    for path, word in (("/healthz", b"alive\n"), ("/readyz", b"ready\n")):
        answer = admin(proxy, path)
        assert (answer.status, answer.body, answer.complete, answer.ended) == (200, word, True, "fin")
        assert answer.value("Cache-Control") == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_head_is_get_without_a_body(proxy: Proxy, path: str) -> None:
    answer = admin(proxy, path, "HEAD")
    assert answer.status == 200 and answer.payload == b"" and int(answer.value("Content-Length") or 0) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
def test_other_methods_are_refused(proxy: Proxy, method: str) -> None:
    answer = admin(proxy, "/healthz", method)
    assert answer.status == 405 and answer.value("Allow") == "GET, HEAD"


@pytest.mark.parametrize("path", ["/api/0/", "/healthz/", "/healthzz", "/HEALTHZ", "//healthz", "/%68ealthz", "/oauth/token/"])
def test_nothing_else_is_there(proxy: Proxy, stand_in: StandIn, path: str) -> None:
    assert admin(proxy, path).status == 404
    stand_in.assert_untouched()


def test_a_query_does_not_matter(proxy: Proxy) -> None:
    assert admin(proxy, "/healthz?verbose=1").status == 200


@pytest.mark.parametrize("path", PAGES)
def test_the_proxy_forwards_these_paths_like_any_other(proxy: Proxy, stand_in: StandIn, path: str) -> None:
    answer = ask(proxy.address, request("GET", path))
    assert stand_in.request()["target"] == path
    assert b"sentry_api_proxy" not in answer.body and answer.body not in (b"alive\n", b"ready\n")


def test_status_tells_how_it_is_and_no_token(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--threads", "2", "--alias-token", "an-alias-of-somebody")
    answer = admin(proxy, "/status")
    assert answer.value("Content-Type") == "application/json"
    status = answer.json
    assert status["ready"] is True and status["draining"] is False and status["reason"] is None
    assert status["listen"] == proxy.listening
    assert status["token"]["kind"] == "static" and status["token"]["source"] == "SENTRY_TOKEN"
    assert status["token"]["health"] == "ready" and status["token"]["next_refresh_in_seconds"] is None
    assert status["upstream"]["base"] == stand_in.uri
    assert status["upstream"]["addresses"] == [stand_in.address]
    assert status["aliases"] == 1 and len(status["workers"]) == 2 and status["requests_in_flight"] == 0
    version, endpoints = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.strip().split("\n")
    assert status["version"] == version and f"endpoints {status['endpoints']}" == endpoints
    for path in PAGES:
        page = admin(proxy, path).raw
        assert TOKEN.encode() not in page and b"an-alias-of-somebody" not in page


def test_status_counts_what_is_in_flight(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
        assert admin(proxy, "/status").json["requests_in_flight"] == 1
        stand_in.release()
        assert client.read_answer().status == 200
    eventually(lambda: admin(proxy, "/status").json["requests_in_flight"] == 0, "nothing is in flight")


@pytest.mark.tokens
def test_not_ready_without_a_token_and_ready_once_there_is_one(postgres: Postgres, stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, token=None, environment={"PGX_CONN": postgres.connection_string})
    answer = admin(proxy, "/readyz")
    assert answer.status == 503 and answer.body.startswith(b"no token: "), answer.raw
    assert admin(proxy, "/healthz").status == 200
    postgres.store_token(TOKEN)
    eventually(lambda: admin(proxy, "/readyz").status == 200, "the token was found", 20)
    status = admin(proxy, "/status").json["token"]
    assert status["kind"] == "system" and 0 < status["next_refresh_in_seconds"] <= 1800, status


def test_draining_is_told_first_and_until_the_end(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--drain-delay", "1.5")
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
        proxy.signal(signal.SIGTERM)
        eventually(lambda: admin(proxy, "/readyz").status == 503, "not ready any more", 1)
        assert admin(proxy, "/readyz").body == b"draining\n"
        assert admin(proxy, "/healthz").status == 200
        # Balancers have not noticed yet: the listener is still there.
        assert ask(proxy.address, request("GET", "/api/0/")).status == 200

        def is_refused() -> bool:
            try:
                socket.create_connection(proxy.address, 3).close()
            except OSError:
                return True
            return False

        eventually(is_refused, "the listener closed", 6)
        assert admin(proxy, "/status").json["draining"] is True
        assert re.search(rb"^sentry_api_proxy_draining 1$", admin(proxy, "/metrics").body, re.MULTILINE)
        stand_in.release()
        assert client.read_answer().status == 200
    assert proxy.wait(5) == 0


def test_any_split_of_a_request_is_one_request(proxy: Proxy) -> None:
    payload = request("GET", "/healthz", "Accept: */*")
    for at in range(1, len(payload)):
        with Client(proxy.admin) as client:
            client.send(payload[:at])
            client.send(payload[at:])
            assert client.read_answer().body == b"alive\n", at
    with Client(proxy.admin) as client:
        for byte in payload:
            client.send(bytes([byte]))
        assert client.read_answer().body == b"alive\n"


@pytest.mark.parametrize(("payload", "status"), [
    (b"GET /healthz HTTP/1.1\r\n\r\n", 400), (b"GET /healthz HTTP/1.1\nHost: a\n\n", 400), (b"\x16\x03\x01\x02\x00\x01", 400),
    (b"GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n", 505), (b"TRACE /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431), (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\n", 414),
])
def test_what_is_no_request_is_refused(proxy: Proxy, payload: bytes, status: int) -> None:
    assert ask(proxy.admin, payload).status == status


def test_silent_and_slow_clients_keep_nobody_out_and_are_dropped(proxy: Proxy) -> None:
    silent = [Client(proxy.admin) for _ in range(100)]
    try:
        for client in silent[::2]:
            client.send(b"GET /metrics HT")
        start = time.monotonic()
        assert admin(proxy, "/healthz").status == 200
        assert time.monotonic() - start < 2
        before = proxy.descriptors()
        # One of those that were not dropped for newer ones; it goes after its five seconds.
        assert silent[-1].read_answer().ended in ("fin", "reset")
        assert 4 < time.monotonic() - start < 8
        eventually(lambda: proxy.descriptors() < before - 20, "their descriptors came back")
    finally:
        for client in silent:
            client.sock.close()


def test_a_client_that_does_not_read_keeps_nobody_out(proxy: Proxy) -> None:
    greedy = []
    for _ in range(20):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.connect(proxy.admin)
        sock.sendall(request("GET", "/metrics"))
        greedy.append(sock)
    assert admin(proxy, "/healthz").status == 200
    for sock in greedy:
        sock.close()


def test_an_endless_body_is_cut_off(proxy: Proxy) -> None:
    with Client(proxy.admin) as client:
        client.send(request("POST", "/healthz", "Content-Length: 100000000"))
        start = time.monotonic()
        while time.monotonic() - start < 8:
            try:
                client.sock.sendall(b"x" * 65536)
            except OSError:
                break
            assert admin(proxy, "/healthz").status == 200
        assert time.monotonic() - start < 7


def test_a_unix_socket_works_and_is_removed(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    proxy = start_proxy(stand_in.uri, "--admin-listen", f"unix:{path}")
    assert ask(str(path), request("GET", "/healthz")).status == 200
    assert path.stat().st_mode & 0o777 == 0o660
    proxy.stop()
    assert not path.exists()


def test_a_socket_file_that_was_left_behind_is_replaced(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    start_proxy(stand_in.uri, "--admin-listen", f"unix:{path}")
    assert ask(str(path), request("GET", "/healthz")).status == 200


def test_off_means_that_there_is_none(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--admin-listen", "off")
    assert proxy.admin_listening == "off"
    assert ask(proxy.address, request("GET", "/api/0/")).status == 200


def test_a_port_in_use_ends_the_start(proxy: Proxy, stand_in: StandIn) -> None:
    command = [BINARY, "--listen", "127.0.0.1:0", "--sentry-uri", stand_in.uri, "--admin-listen", proxy.admin_listening]
    ended = subprocess.run(command, env=clean_environment({"SENTRY_TOKEN": TOKEN}), capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 69
    line = [text for text in ended.stderr.splitlines() if text.startswith("sentry-api-proxy: ")]
    assert len(line) == 1 and "--admin-listen" in line[0] and "in use" in line[0], ended.stderr


@pytest.mark.parametrize("value", ["9090", "localhost:99999", "unix:", "nowhere"])
def test_an_address_that_is_none_ends_the_start(stand_in: StandIn, value: str) -> None:
    command = [BINARY, "--listen", "127.0.0.1:0", "--sentry-uri", stand_in.uri, "--admin-listen", value]
    ended = subprocess.run(command, env=clean_environment({"SENTRY_TOKEN": TOKEN}), capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 64 and "--admin-listen" in ended.stderr, ended.stderr
