"""A base with the wrong scheme: http to an upstream of https, and https to one of http, are named for what they are."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from harness.certificates import Certificates, Pair
from harness.client import ask, request
from harness.fronts import Front
from harness.metrics import scrape
from harness.packages import Missing
from harness.proxy import Proxy, StartProxy
from harness.scripted import Scripted, read_head

GET = request("GET", "/api/0/x/")
NGINX = (b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>\r\n<head><title>400 The plain HTTP request was "
         b"sent to HTTPS port</title></head>\r\n</html>\r\n")
APACHE = (b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html; charset=iso-8859-1\r\nContent-Length: 76\r\n\r\n"
          b"<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />\r\n")
GO = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
# unexpected_message, as GnuTLS and Java send it (RFC 8446 §6).
ALERT = b"\x15\x03\x01\x00\x02\x02\x0a"


def access_line(proxy: Proxy) -> str:
    return proxy.wait_for_line(lambda line: "path=/api/0/x/" in line)


def answering(data: bytes) -> Callable[[socket.socket, int], None]:
    def play(sock: socket.socket, _: int) -> None:
        read_head(sock)
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)
    return play


def assert_named(proxy: Proxy, cause: str, status: int, hint: str) -> None:
    answer = ask(proxy.address, GET)
    assert answer.status == status, answer
    assert b"https" not in answer.payload and b"TLS" not in answer.payload
    line = access_line(proxy)
    assert f"cause={cause}" in line.split() and hint in line, line
    assert scrape(proxy).sum("request_failures_total", cause=cause) == 1


@pytest.mark.parametrize("data", [NGINX, APACHE, GO, ALERT, ALERT[:1]], ids=["nginx", "Apache", "Go", "an alert", "an alert's first byte"])
def test_what_servers_of_https_say_to_http(start_proxy: StartProxy, data: bytes) -> None:
    with closing(Scripted(answering(data))) as upstream:
        assert_named(start_proxy(upstream.uri), "upstream_speaks_tls", 502, "--sentry-uri should begin with https://")


@pytest.mark.parametrize("data", [
    b'HTTP/1.1 400 Bad Request\r\nContent-Length: 20\r\n\r\n{"detail":"not so."}', NGINX.replace(b"400 Bad Request", b"403 Forbidden"),
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
], ids=["Sentry's own 400", "another status", "no body"])
def test_other_answers_are_relayed(start_proxy: StartProxy, data: bytes) -> None:
    with closing(Scripted(answering(data))) as upstream:
        proxy = start_proxy(upstream.uri)
        answer = ask(proxy.address, GET)
        assert answer.complete and answer.raw[9:12] == data[9:12] and answer.body == data.partition(b"\r\n\r\n")[2]
        assert "cause=" not in access_line(proxy)


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x00\x02\x02\x0a", b"\x15HTTP/1.1 200 OK\r\n\r\n", b"SSH-2.0-x\r\n"])
def test_other_bytes_are_a_bad_answer(start_proxy: StartProxy, data: bytes) -> None:
    with closing(Scripted(answering(data))) as upstream:
        assert_named(start_proxy(upstream.uri), "bad_answer", 502, "protocol version is malformed")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, str]:
    certificates = Certificates(tmp_path_factory.mktemp("authority"))
    return certificates.issue("front", "DNS:localhost"), certificates.ca_file


# HAProxy closes without a word, Traefik serves a 404 of its own.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_real_servers_of_https(start_proxy: StartProxy, pair: tuple[Pair, str], tmp_path: Path, name: str) -> None:
    with closing(Scripted(answering(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"))) as application:
        try:
            front = Front(name, tmp_path / name, int(application.uri.rpartition(":")[2]), *pair)
        except Missing as missing:
            pytest.skip(str(missing))
        with closing(front):
            proxy = start_proxy(front.uri.replace("https", "http"))
            assert_named(proxy, "upstream_speaks_tls", 502, "--sentry-uri should begin with https://")


# MARK: https to http

# One that answers is `tls_not_tls`: test_mistakes.py.

def test_an_upstream_that_waits_for_the_rest_of_a_request(start_proxy: StartProxy) -> None:
    """It takes the ClientHello for the beginning of a head."""
    with closing(Scripted(lambda sock, _: read_head(sock))) as upstream:
        proxy = start_proxy(upstream.uri.replace("http", "https"), "--connect-timeout", "1")
        assert_named(proxy, "tls_silent", 504, "--sentry-uri should begin with http://")
        assert scrape(proxy).sum("tls_failures_total", side="upstream", cause="tls_silent") == 1


def test_an_upstream_that_takes_no_connection_is_not_that(start_proxy: StartProxy) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        proxy = start_proxy(f"https://127.0.0.1:{listener.getsockname()[1]}", "--connect-timeout", "1")
        assert ask(proxy.address, GET).status == 504
        assert "cause=connect_timeout" in access_line(proxy).split()
        for filler in fillers:
            filler.close()
