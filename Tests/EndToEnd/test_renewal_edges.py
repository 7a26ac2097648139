"""A renewal at the worst moments: nothing of one exchange may show up in another, and nothing stalls."""

from __future__ import annotations

import re
import socket
import subprocess
import threading

import pytest

from harness.client import Client, ask, request
from harness.database import Postgres, as_server_user, server_binary
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.scripted import Gated, Scripted, read_head, read_request
from harness.sockets import wait_until_read, wait_until_watched

pytestmark = pytest.mark.tokens

OLD, NEW = "a" * 64, "b" * 64


def lock_token(postgres: Postgres, seconds: float) -> subprocess.Popen[bytes]:
    """Lets every query of the token wait for so long."""
    statement = f"BEGIN; LOCK TABLE sentry_option IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({seconds}); COMMIT"
    command = [server_binary("psql"), "-X", "-q", "-h", str(postgres.folder), "-U", "postgres", "-c", statement]
    process = subprocess.Popen(as_server_user(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    probe = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"
    eventually(lambda: int(postgres.sql(probe)) > 0, "the lock is held")
    return process


def wait_until_ready(proxy: Proxy) -> None:
    """It has its first token."""
    eventually(lambda: ask(proxy.admin, request("GET", "/readyz")).status == 200, "the proxy is ready", 20)


def test_a_broken_401_leaves_nothing_for_the_exchange_after_it(start_proxy: StartProxy, postgres: Postgres) -> None:
    postgres.store_token(OLD)
    upstream = Gated()
    proxy = start_proxy(upstream.uri, "--pgx-conn", postgres.connection_string, "--threads", "1", token=None)
    proxy.wait_for_line(lambda line: "listening" in line)
    wait_until_ready(proxy)
    lock = lock_token(postgres, 1.5)
    with Client(proxy.address) as first, Client(proxy.address) as second:
        first.send(request("GET", "/api/0/first/"))
        with upstream.accept() as sock:
            read_head(sock)
            sock.sendall(b"HTTP/1.1 401 Unauthorized\r\nX-First: secret-of-the-first\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            wait_until_read(sock)
            upstream.fill()
            second.send(request("GET", "/api/0/second/"))
            assert not first.read_answer().complete
        lock.wait(10)
        upstream.open()
        sock = upstream.accept()
        seen = read_head(sock)
        if seen.startswith(b"GET /api/0/ HTTP/1.1\r\n"):
            # The proxy's own question whether the token is at fault may come first.
            sock.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
            sock.close()
            sock = upstream.accept()
            seen = read_head(sock)
        with sock:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            sock.shutdown(socket.SHUT_WR)
            assert seen.startswith(b"GET /api/0/second/ HTTP/1.1\r\n"), seen[:200]
            assert b"secret-of-the-first" not in seen
            assert second.read_answer().body == b"ok"
    upstream.close()


def test_a_body_that_arrives_during_the_renewal_is_sent_on_when_the_401_stands(start_proxy: StartProxy, postgres: Postgres) -> None:
    postgres.store_token(OLD)
    body = b"x" * 100_000

    def play(sock: socket.socket, _: int) -> None:
        head = read_head(sock)
        sock.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\n")
        got = len(head.partition(b"\r\n\r\n")[2])
        while got < len(body):
            piece = sock.recv(65536)
            if not piece:
                return
            got += len(piece)
        sock.sendall(b"hello")

    upstream = Scripted(play)
    proxy = start_proxy(upstream.uri, "--pgx-conn", postgres.connection_string, "--body-timeout", "3", token=None)
    wait_until_ready(proxy)
    lock = lock_token(postgres, 1.5)
    with Client(proxy.address) as client:
        client.send(request("POST", "/api/0/x/", f"Content-Length: {len(body)}") + body[:100])
        wait_until_watched(proxy, client.sock)
        client.send(body[100:])
        answer = client.read_answer()
    lock.wait(10)
    upstream.close()
    assert (answer.status, answer.body) == (401, b"hello")


def test_the_times_of_a_retried_request_are_those_of_its_last_try(start_proxy: StartProxy, postgres: Postgres) -> None:
    postgres.store_token(OLD)

    def play(sock: socket.socket, _: int) -> None:
        good = NEW.encode() in read_request(sock)
        status = b"200 OK" if good else b"401 Unauthorized"
        sock.sendall(b"HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\nok" % status)

    upstream = Scripted(play)
    proxy = start_proxy(upstream.uri, "--pgx-conn", postgres.connection_string, token=None)
    wait_until_ready(proxy)
    postgres.store_token(NEW)
    with Client(proxy.address) as client:
        client.send(request("GET", "/api/0/x/"))
        assert client.read_answer().status == 200
    line = proxy.wait_for_line(lambda text: "retry=renewed" in text, 5)
    upstream.close()
    times = {name: float(value) for name, value in re.findall(r"(\w+_ms)=([\d.]+)", line)}
    assert times["upstream_ms"] < 20_000 and times["connect_ms"] < 20_000, line
