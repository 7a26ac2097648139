"""Who a request came from: the access line's address, what a balancer says of it, and the ids by which a request is found."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.certificates import Certificates, Pair
from harness.client import Answer, Client, request
from harness.process import Child, eventually
from harness.proxy import BINARY, Proxy, StartProxy
from harness.sockets import wait_until_arrived, wait_until_watched
from harness.tls import TLSClient, client_context
from harness.upstream import TOKEN as SENTRY_TOKEN
from harness.upstream import StandIn

TOKEN = ("--token", SENTRY_TOKEN)
LOOPBACK = ("--trusted-proxies", "127.0.0.0/8")
V1 = b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443\r\n"
V2 = (b"\r\n\r\n\0\r\nQUIT\n" + b"\x21\x11" + struct.pack("!H", 12 + 5)
      + socket.inet_aton("203.0.113.5") + socket.inet_aton("10.0.0.1") + struct.pack("!HH", 4711, 443) + b"\x04\0\2ab")
GET = b"GET /api/0/ HTTP/1.1\r\nHost: proxy.example\r\nConnection: close\r\n"
ADDRESS_FIELDS = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "Via")


def fields_of(line: str) -> dict[str, str]:
    return dict(re.findall(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|\S*)', line))


def access_lines(proxy: Proxy, count: int = 1) -> list[dict[str, str]]:
    lines: list[str] = []

    def come() -> bool:
        lines[:] = [line for line in proxy.output.splitlines() if "msg=request " in line]
        return len(lines) >= count

    eventually(come, f"{count} access lines", 10)
    return [fields_of(line) for line in lines]


def exchange(proxy: Proxy, sent: bytes) -> Answer:
    with Client(proxy.address) as client:
        client.send(sent)
        return client.read_answer()


# MARK: The address


def test_the_access_line_has_the_clients_address_and_port(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, *TOKEN)
    with Client(proxy.address) as client:
        port = client.sock.getsockname()[1]
        client.send(GET + b"\r\n")
        assert client.read_answer().status == 200
    assert access_lines(proxy)[0]["client"] == f"127.0.0.1:{port}"


def test_ipv6_and_unix_clients_and_refused_requests_have_one_too(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    six = start_proxy(stand_in.uri, *TOKEN, listen="[::1]:0")
    with Client(("::1", six.port)) as client:
        port = client.sock.getsockname()[1]
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert client.read_answer().status == 400
    assert access_lines(six)[0]["client"] == f"[::1]:{port}"
    path = tmp_path / "socket"
    unix = start_proxy(stand_in.uri, *TOKEN, listen=f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        sock.sendall(GET + b"\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 200 ")
    assert access_lines(unix)[0]["client"] == "unix"


def test_nobody_is_believed_unless_told(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, *TOKEN)
    exchange(proxy, GET + b"X-Forwarded-For: 203.0.113.5\r\n\r\n")
    assert access_lines(proxy)[0]["client"].startswith("127.0.0.1:")
    assert exchange(proxy, V1 + GET + b"\r\n").status == 400


def test_a_trusted_proxys_x_forwarded_for_counts_and_goes_no_further(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, *TOKEN, *LOOPBACK)
    said = "".join(f"{name}: 198.51.100.9, 203.0.113.5\r\n" for name in ADDRESS_FIELDS).encode()
    assert exchange(proxy, GET + said + b"\r\n").status == 200
    assert access_lines(proxy)[0]["client"] == "203.0.113.5"
    assert "203.0.113.5" not in repr(stand_in.request())


# MARK: PROXY protocol


@pytest.fixture
def behind(stand_in: StandIn, start_proxy: StartProxy) -> Proxy:
    return start_proxy(stand_in.uri, *TOKEN, *LOOPBACK, "--proxy-protocol")


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
def test_a_proxy_header_says_the_address_however_it_is_split(behind: Proxy, stand_in: StandIn, header: bytes) -> None:
    assert exchange(behind, header + GET + b"\r\n").status == 200
    for at in range(1, len(header) + 1, 5):
        with Client(behind.address) as client:
            client.send(header[:at])
            # The proxy has looked at the first piece, which it leaves where it is, and waits for more.
            wait_until_arrived(client.sock, at)
            wait_until_watched(behind, client.sock)
            client.send(header[at:] + GET + b"\r\n")
            assert client.read_answer().status == 200, at
    lines = access_lines(behind, 1 + len(range(1, len(header) + 1, 5)))
    assert {line["client"] for line in lines} == {"203.0.113.5:4711"}
    assert "203.0.113.5" not in repr(stand_in.records(len(lines), len(lines)))


def test_x_forwarded_for_counts_behind_a_proxy_header_only_from_a_trusted_proxy(behind: Proxy) -> None:
    exchange(behind, V1 + GET + b"X-Forwarded-For: 198.51.100.9\r\n\r\n")
    # Two workers' lines have no order among each other.
    access_lines(behind)
    exchange(behind, V1.replace(b"203.0.113.5", b"127.9.9.9") + GET + b"X-Forwarded-For: 198.51.100.9\r\n\r\n")
    assert [line["client"] for line in access_lines(behind, 2)] == ["203.0.113.5:4711", "198.51.100.9"]


def test_a_balancers_own_check_has_the_balancers_address(behind: Proxy) -> None:
    exchange(behind, b"PROXY UNKNOWN\r\n" + GET + b"\r\n")
    assert access_lines(behind)[0]["client"].startswith("127.0.0.1:")


def test_a_connection_without_the_header_is_told_so(behind: Proxy) -> None:
    answer = exchange(behind, GET + b"\r\n")
    assert answer.status == 400
    assert b"PROXY header" in answer.payload
    line = access_lines(behind)[0]
    assert (line["status"], line["cause"]) == ("400", "proxy_header")


def test_a_header_that_does_not_end_is_given_up_with_the_heads_deadline(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, *TOKEN, *LOOPBACK, "--proxy-protocol", "--head-timeout", "1")
    assert exchange(proxy, V1[:20]).status == 408
    with Client(proxy.address) as client:
        client.send(V2[:20])
        client.half_close()
        assert client.read_answer().ended in ("fin", "reset")


def test_who_is_no_trusted_proxy_is_served_as_it_comes(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, *TOKEN, "--trusted-proxies", "192.0.2.0/24,2001:db8::/32", "--proxy-protocol")
    assert exchange(proxy, GET + b"\r\n").status == 200
    assert exchange(proxy, V1 + GET + b"\r\n").status == 400
    assert all(line["client"].startswith("127.0.0.1:") for line in access_lines(proxy, 2))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(certificates: Certificates) -> Pair:
    return certificates.issue("proxy", "DNS:localhost,IP:127.0.0.1")


def tls_flags(pair: Pair) -> tuple[str, ...]:
    return ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))


@contextmanager
def haproxy(folder: Path, target: str, option: str) -> Iterator[int]:
    """A real HAProxy in TCP mode before the target; its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = folder / "haproxy.cfg"
    configuration.write_text(f"""
global
    maxconn 100
defaults
    mode tcp
    timeout connect 5s
    timeout client 20s
    timeout server 20s
listen front
    bind 127.0.0.1:{port}
    server proxy {target} {option}
""")
    child = Child([shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", str(configuration)], os.environ)
    try:
        def listens() -> bool:
            with socket.socket() as sock:
                return sock.connect_ex(("127.0.0.1", port)) == 0
        eventually(listens, "HAProxy listens", 10)
        yield port
    finally:
        child.process.terminate()
        child.wait(10)


needs_haproxy = pytest.mark.skipif(not (shutil.which("haproxy") or os.path.exists("/usr/sbin/haproxy")), reason="HAProxy is not installed")


@needs_haproxy
@pytest.mark.parametrize("option", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options unique-id,crc32c check"])
def test_haproxy_says_whom_it_speaks_for(behind: Proxy, tmp_path: Path, option: str) -> None:
    with haproxy(tmp_path, f"127.0.0.1:{behind.port}", option) as port, Client(("127.0.0.1", port)) as client:
        own = client.sock.getsockname()[1]
        client.send(GET + b"\r\n")
        assert client.read_answer().status == 200
    assert f"127.0.0.1:{own}" in [line["client"] for line in access_lines(behind)]


@needs_haproxy
@pytest.mark.parametrize("option", ["send-proxy", "send-proxy-v2"])
def test_haproxy_says_it_before_tls_as_well(stand_in: StandIn, start_proxy: StartProxy, certificates: Certificates, pair: Pair,
                                            tmp_path: Path, option: str) -> None:
    proxy = start_proxy(stand_in.uri, *TOKEN, *LOOPBACK, "--proxy-protocol", *tls_flags(pair))
    with haproxy(tmp_path, f"127.0.0.1:{proxy.port}", option) as port:
        raw = socket.create_connection(("127.0.0.1", port), 10)
        own = raw.getsockname()[1]
        with client_context(certificates.ca_file).wrap_socket(raw, server_hostname="localhost") as sock:
            sock.sendall(GET + b"\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200 ")
    assert access_lines(proxy)[0]["client"] == f"127.0.0.1:{own}"


# MARK: Ids


def test_the_clients_ids_are_logged_and_every_answer_has_the_proxys(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, *TOKEN)
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = exchange(proxy, GET + f"X-Request-Id: ci/job-17\r\nTraceparent: {traceparent}\r\n\r\n".encode())
    assert answer.status == 200
    line = access_lines(proxy)[0]
    assert (line["client_request_id"], line["traceparent"]) == ("ci/job-17", traceparent)
    assert answer.values("x-request-id") == [line["id"]]


@pytest.mark.parametrize("field", [
    "X-Request-Id: " + "x" * 129, "X-Request-Id: a b", "X-Request-Id: caf\xe9", "X-Request-Id:", "Traceparent: 00-abc-def-01",
    "Traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01", "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
])
def test_ids_that_are_none_are_not_logged(stand_in: StandIn, start_proxy: StartProxy, field: str) -> None:
    proxy = start_proxy(stand_in.uri, *TOKEN)
    assert exchange(proxy, GET + field.encode("latin-1") + b"\r\n\r\n").status == 200
    assert not {"client_request_id", "traceparent"} & access_lines(proxy)[0].keys()


def test_an_upstreams_own_request_id_gives_way(raw_upstream, start_proxy: StartProxy) -> None:  # noqa: ANN001
    upstream = raw_upstream(b"HTTP/1.1 200 OK\r\nX-Request-Id: of-sentry\r\nContent-Length: 2\r\n\r\nok")
    proxy = start_proxy(upstream.uri, *TOKEN)
    answer = exchange(proxy, GET + b"\r\n")
    assert answer.values("x-request-id") == [access_lines(proxy)[0]["id"]]


# MARK: http to https


@pytest.mark.parametrize("sent", [
    b"GET /api/0/ HTTP/1.1\r\nHost: h\r\n\r\n", b"DELETE /api/0/ HTTP/1.1\r\nHost: h\r\n\r\n", b"OPTIONS * HTTP/1.0\r\n\r\n",
    b"PATCH / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000,
], ids=["GET", "DELETE", "OPTIONS", "PATCH with a body"])
def test_http_to_the_tls_listener_is_told_so_and_logged(stand_in: StandIn, start_proxy: StartProxy, pair: Pair, sent: bytes) -> None:
    proxy = start_proxy(stand_in.uri, *TOKEN, *tls_flags(pair))
    answer = exchange(proxy, sent)
    assert answer.status == 400
    assert answer.values("content-type") == ["text/plain; charset=utf-8"]
    assert b"https://" in answer.payload
    line = access_lines(proxy)[0]
    assert (line["status"], line["cause"]) == ("400", "tls_plain_http")
    assert line["client"].startswith("127.0.0.1:")
    assert "path" not in line


def test_what_is_neither_http_nor_tls_gets_no_answer(stand_in: StandIn, start_proxy: StartProxy, pair: Pair) -> None:
    proxy = start_proxy(stand_in.uri, *TOKEN, *tls_flags(pair))
    assert b"HTTP" not in exchange(proxy, b"\x00\x01\x02\x03\x04\x05\x06\x07" * 4).raw


# MARK: Settings


@pytest.mark.parametrize(("flags", "status", "named"), [
    (["--trusted-proxies", "10.0.0.1/8"], 64, "--trusted-proxies: '10.0.0.1/8'"),
    (["--trusted-proxies", "10.0.0.0/8,balancer"], 64, "--trusted-proxies: 'balancer'"),
    (["--proxy-protocol"], 64, "--proxy-protocol: needs --trusted-proxies"),
])
def test_wrong_settings_are_refused_by_name(flags: list[str], status: int, named: str) -> None:
    ended = subprocess.run([str(BINARY), *flags, "--token", "x"], capture_output=True, text=True, timeout=20, check=False,
                           env={"PATH": os.environ["PATH"]})
    assert ended.returncode == status
    assert named in ended.stderr
