"""https upstreams: what is trusted, what is refused and why, and answers that are cut off."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.certificates import Certificates, Pair
from harness.client import ask, decode_chunked, request
from harness.metrics import scrape
from harness.network import Network, Unavailable
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.tls import ANSWER, Nginx, TLSUpstream, answer_well, farewell, read_head, server_context
from harness.upstream import StandIn

GET = request("GET", "/api/0/")
LOCAL = "DNS:localhost,IP:127.0.0.1,IP:::1"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def good(certificates: Certificates) -> Pair:
    return certificates.issue("good", LOCAL)


@pytest.fixture
def upstream() -> Iterator[Callable[..., TLSUpstream]]:
    opened: list[TLSUpstream] = []

    def start(*arguments, **options) -> TLSUpstream:  # noqa: ANN002, ANN003
        opened.append(TLSUpstream(*arguments, **options))
        return opened[-1]

    yield start
    for server in opened:
        server.close()


@pytest.fixture
def start_nginx(tmp_path: Path) -> Iterator[Callable[..., Nginx]]:
    opened: list[Nginx] = []

    def start(*arguments, **options) -> Nginx:  # noqa: ANN002, ANN003
        opened.append(Nginx(tmp_path / f"nginx-{len(opened)}", *arguments, **options))
        return opened[-1]

    yield start
    for server in opened:
        server.close()


def access_line(proxy: Proxy) -> str:
    return proxy.wait_for_line(lambda line: "path=/api/0/" in line)


def refused(proxy: Proxy, cause: str) -> None:
    """502, nothing that tells why, and a log line that does."""
    answer = ask(proxy.address, GET)
    assert answer.status == 502 and answer.complete
    text = answer.raw.decode().lower()
    for word in ("tls", "ssl", "certificate", "expired", "localhost", "127.0.0.1", "alert", "handshake"):
        assert word not in text, text
    line = access_line(proxy)
    assert f"cause={cause}" in line.split(), line


# MARK: Certificates

@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_right_certificate_is_taken_by_name_and_by_address(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates, good: Pair, host: str
) -> None:
    server = upstream(server_context(good), host="::1" if host == "[::1]" else "127.0.0.1")
    proxy = start_proxy(server.uri(host), "--ca-file", certificates.ca_file)
    answer = ask(proxy.address, GET)
    assert (answer.status, answer.body) == (200, b"ok")
    assert server.handshakes == [("TLSv1.3", False)]


@pytest.mark.parametrize("name, names, host, cause", [
    ("expired", LOCAL, "localhost", "tls_expired"),
    ("other-name", "DNS:other.example", "localhost", "tls_wrong_name"),
    ("name-for-address", "DNS:127.0.0.1", "127.0.0.1", "tls_wrong_name"),
    ("other-address", "IP:127.0.0.9", "127.0.0.1", "tls_wrong_name"),
    ("self-signed", LOCAL, "localhost", "tls_untrusted"),
])
def test_a_wrong_certificate_is_a_502_without_detail_and_a_cause_in_the_log(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates,
    name: str, names: str, host: str, cause: str,
) -> None:
    pair = (certificates.self_signed(name, names) if name == "self-signed"
            else certificates.issue(name, names, days=-1 if name == "expired" else 2))
    server = upstream(server_context(pair))
    proxy = start_proxy(server.uri(host), "--ca-file", certificates.ca_file)
    refused(proxy, cause)
    assert server.handshakes == [] or server.handshakes[0][1] is False


def test_the_systems_trust_store_does_not_know_our_authority(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, good: Pair
) -> None:
    refused(start_proxy(upstream(server_context(good)).uri()), "tls_untrusted")


def test_the_trust_store_of_ssl_cert_file_is_used(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates, good: Pair
) -> None:
    proxy = start_proxy(upstream(server_context(good)).uri(), environment={"SSL_CERT_FILE": certificates.ca_file})
    assert ask(proxy.address, GET).status == 200


def test_verification_is_switched_off_only_with_a_warning(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates
) -> None:
    server = upstream(server_context(certificates.self_signed("anybody", "DNS:anybody.example")))
    proxy = start_proxy(server.uri(), "--insecure-skip-verify")
    assert ask(proxy.address, GET).status == 200
    warning = proxy.wait_for_line(lambda line: "--insecure-skip-verify" in line)
    assert "level=warn" in warning, warning


def test_without_the_switch_there_is_no_warning(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates, good: Pair
) -> None:
    proxy = start_proxy(upstream(server_context(good)).uri(), "--ca-file", certificates.ca_file)
    assert ask(proxy.address, GET).status == 200
    assert "insecure" not in proxy.output


# MARK: Protocol

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_servers_of_one_version_only(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates, good: Pair, version: ssl.TLSVersion
) -> None:
    context = server_context(good)
    context.minimum_version = context.maximum_version = version
    server = upstream(context)
    proxy = start_proxy(server.uri(), "--ca-file", certificates.ca_file)
    for _ in range(3):
        assert ask(proxy.address, GET).body == b"ok"
    assert [name for name, _ in server.handshakes] == [version.name.replace("_", ".")] * 3
    assert [resumed for _, resumed in server.handshakes] == [False, True, True]


@pytest.fixture
def two_localhosts(tmp_path: Path) -> Iterator[None]:
    """`localhost` is ::1 before it is 127.0.0.1, as on a plain Debian, in namespaces of the test's own."""
    try:
        network = Network(tmp_path)
    except Unavailable as error:
        pytest.skip(f"no network namespace here: {error}")
    try:
        hosts = tmp_path / "hosts"
        hosts.write_text("::1 localhost\n127.0.0.1 localhost\n")
        subprocess.run(["mount", "--bind", str(hosts), os.path.realpath("/etc/hosts")], check=True)
        yield
    finally:
        network.leave()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_outlives_an_address_that_refuses(
    two_localhosts: None, upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates, good: Pair,
    version: ssl.TLSVersion,
) -> None:
    """Each worker tries the address that takes no connection once; the session is for the one that does."""
    assert [entry[4][0] for entry in socket.getaddrinfo("localhost", 443, type=socket.SOCK_STREAM)] == ["::1", "127.0.0.1"]
    context = server_context(good)
    context.minimum_version = context.maximum_version = version
    server = upstream(context)
    proxy = start_proxy(server.uri(), "--ca-file", certificates.ca_file, "--threads", "8")
    for _ in range(16):
        assert ask(proxy.address, GET).body == b"ok"
    assert [resumed for _, resumed in server.handshakes] == [False] + [True] * 15


def test_an_older_version_than_1_2_is_refused(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates, good: Pair
) -> None:
    context = server_context(good)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    proxy = start_proxy(upstream(context).uri(), "--ca-file", certificates.ca_file)
    answer = ask(proxy.address, GET)
    assert answer.status == 502
    line = access_line(proxy)
    assert "cause=tls_alert" in line or "cause=tls_protocol_version" in line, line


def test_an_upstream_that_answers_in_plain_text_is_named(start_proxy: StartProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = start_proxy(f"https://127.0.0.1:{listener.getsockname()[1]}")
        asking = subprocess.Popen(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"{proxy.uri}/api/0/"], stdout=subprocess.PIPE)
        sock, _ = listener.accept()
        with sock:
            sock.recv(65536)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            assert asking.communicate(timeout=20)[0] == b"502"
    assert "cause=tls_not_tls" in access_line(proxy)


def test_a_handshake_that_never_ends_is_a_504(start_proxy: StartProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = start_proxy(f"https://127.0.0.1:{listener.getsockname()[1]}", "--connect-timeout", "1")
        assert ask(proxy.address, GET).status == 504
    assert "cause=tls_silent" in access_line(proxy)


# MARK: Cut off

CUT_OFF = {
    "close": (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhalf of i", "HTTP/1.1"),
    "close for HTTP/1.0": (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhalf of i", "HTTP/1.0"),
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf \r\n", "HTTP/1.1"),
    "chunked for HTTP/1.0": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf \r\n", "HTTP/1.0"),
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf of i", "HTTP/1.1"),
}


@pytest.mark.parametrize("end", ["abrupt", "reset"])
@pytest.mark.parametrize("kind", CUT_OFF)
def test_an_answer_without_close_notify_is_never_a_whole_one(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates, good: Pair, kind: str, end: str
) -> None:
    data, version = CUT_OFF[kind]

    def cut(sock: ssl.SSLSocket) -> None:
        read_head(sock)
        sock.sendall(data)
        if end == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    proxy = start_proxy(upstream(server_context(good), cut).uri(), "--ca-file", certificates.ca_file)
    answer = ask(proxy.address, request("GET", "/api/0/", version=version))
    # A reset may overtake the answer's head.
    assert answer.status == 200 or end == "reset" and answer.status in (0, 502)
    assert answer.status == 502 or not answer.complete, answer
    assert "cause=reset_by_upstream" in access_line(proxy) or end == "reset"


# A record of application data that does not decrypt (RFC 8446 §5.2).
FORGED = b"\x17\x03\x03\x00\x20" + bytes(32)


@pytest.mark.rewriting
@pytest.mark.parametrize("target", ["/api/0/x/", "/api/0/organizations/"], ids=["relayed", "rewritten"])
def test_what_breaks_within_an_answer_is_counted_as_tls(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates, good: Pair, target: str
) -> None:
    def forge(sock: ssl.SSLSocket) -> None:
        read_head(sock)
        sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[{"links":')
        with socket.socket(fileno=os.dup(sock.fileno())) as raw:
            raw.sendall(FORGED)
        # Its alert, or its end.
        sock.recv(1)

    proxy = start_proxy(upstream(server_context(good), forge).uri(), "--ca-file", certificates.ca_file)
    answer = ask(proxy.address, request("GET", target))
    assert answer.status == 502 or not answer.complete
    line = proxy.wait_for_line(lambda line: f"path={target}" in line)
    assert "cause=tls_corrupt_record" in line.split(), line
    found = scrape(proxy)
    assert found.sum("tls_failures_total", side="upstream", cause="tls_corrupt_record") == 1
    assert found.sum("tls_failures_total") == 1, [one for one in found.samples("tls_failures_total") if one[1]]
    assert found.sum("request_failures_total", cause="tls_corrupt_record") == 1


@pytest.mark.parametrize("kind", ["close", "close for HTTP/1.0"])
def test_the_same_answer_with_close_notify_is_whole(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates, good: Pair, kind: str
) -> None:
    data, version = CUT_OFF[kind]

    def end_well(sock: ssl.SSLSocket) -> None:
        read_head(sock)
        sock.sendall(data)
        farewell(sock)

    proxy = start_proxy(upstream(server_context(good), end_well).uri(), "--ca-file", certificates.ca_file)
    answer = ask(proxy.address, request("GET", "/api/0/", version=version))
    assert answer.complete and answer.body == b"half of i"


def test_a_whole_length_needs_no_close_notify(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates, good: Pair
) -> None:
    def leave(sock: ssl.SSLSocket) -> None:
        read_head(sock)
        sock.sendall(ANSWER)

    proxy = start_proxy(upstream(server_context(good), leave).uri(), "--ca-file", certificates.ca_file)
    assert ask(proxy.address, GET).complete


def test_renegotiation_is_refused(start_proxy: StartProxy, certificates: Certificates, good: Pair) -> None:
    """openssl's own server asks for a new handshake in the middle (RFC 5246 §7.4.1.1)."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_2", "-naccept", "1",
               "-cert", str(good.certificate), "-key", str(good.key)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        assert server.stdin and server.stdout
        while b"ACCEPT" not in server.stdout.readline():
            assert server.poll() is None
        proxy = start_proxy(f"https://localhost:{port}", "--ca-file", certificates.ca_file)
        with socket.create_connection(proxy.address, 20) as sock:
            sock.sendall(GET)
            seen = b""
            while b"Authorization: Bearer" not in seen:
                seen += server.stdout.readline()
            server.stdin.write(b"r\n")
            server.stdin.flush()
            head = read_head(sock)
        try:
            server.stdin.close()
        except BrokenPipeError:
            pass
        rest = server.stdout.read()
        server.wait(10)
    assert head.startswith(b"HTTP/1.1 502"), head
    assert b"no renegotiation" in rest, rest
    assert seen.count(b"CIPHER is") + rest.count(b"CIPHER is") <= 1
    assert "cause=tls_" in access_line(proxy) or "cause=closed_before_answer" in access_line(proxy) or "cause=reset_by" in access_line(proxy)


# MARK: nginx

def test_nginx_is_an_upstream(start_nginx: Callable[..., Nginx], start_proxy: StartProxy, certificates: Certificates, good: Pair) -> None:
    nginx = start_nginx(good, server="ssl_protocols TLSv1.2 TLSv1.3;", location="return 200 $http_authorization;")
    proxy = start_proxy(nginx.uri(), "--ca-file", certificates.ca_file)
    assert ask(proxy.address, GET).body.startswith(b"Bearer ")
    assert nginx.handshakes(1) == [(False, "TLSv1.3")]


def test_large_bodies_pass_nginx_both_ways(
    start_nginx: Callable[..., Nginx], stand_in: StandIn, start_proxy: StartProxy, certificates: Certificates, good: Pair
) -> None:
    """nginx takes TLS off in front of the stand-in, which echoes 2 MB."""
    nginx = start_nginx(good, server="client_max_body_size 0;", location=f"proxy_pass {stand_in.uri};")
    proxy = start_proxy(nginx.uri(), "--ca-file", certificates.ca_file)
    body = os.urandom(2 << 20)
    answer = ask(proxy.address, request("POST", "/behave/echo", body=body))
    assert answer.complete and answer.body == body


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
def test_sessions_are_resumed_by_all_workers(
    start_nginx: Callable[..., Nginx], start_proxy: StartProxy, certificates: Certificates, good: Pair, protocol: str
) -> None:
    nginx = start_nginx(good, server=f"ssl_protocols {protocol};")
    proxy = start_proxy(nginx.uri(), "--ca-file", certificates.ca_file, "--threads", "2")
    for _ in range(1000):
        assert ask(proxy.address, GET).status == 200
    handshakes = nginx.handshakes(1000)
    assert {version for _, version in handshakes} == {protocol}
    resumed = sum(was_resumed for was_resumed, _ in handshakes)
    print(f"\n{resumed} of {len(handshakes)} handshakes with {protocol} were resumed")
    assert resumed >= 990


# MARK: Client certificates

@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_client_certificate_is_shown_to_an_upstream_that_asks(
    start_nginx: Callable[..., Nginx], start_proxy: StartProxy, certificates: Certificates, good: Pair, version: str
) -> None:
    own = certificates.issue("gateway", "DNS:gateway.example")
    nginx = start_nginx(good, server=f"ssl_protocols {version}; ssl_client_certificate {certificates.ca_file}; ssl_verify_client on;",
                        location="return 200 $ssl_client_s_dn;")
    files = ("--client-cert", str(own.certificate), "--client-key", str(own.key))
    proxy = start_proxy(nginx.uri(), "--ca-file", certificates.ca_file, *files)
    for _ in range(2):
        assert ask(proxy.address, GET).body == b"CN=gateway"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_upstream_that_misses_the_client_certificate_says_so_by_an_alert(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates, good: Pair, version: ssl.TLSVersion
) -> None:
    context = server_context(good, client_ca=certificates.ca_file)
    context.minimum_version = context.maximum_version = version
    proxy = start_proxy(upstream(context).uri(), "--ca-file", certificates.ca_file)
    refused(proxy, "tls_alert")


def test_a_failed_handshake_leaves_no_descriptor(
    upstream: Callable[..., TLSUpstream], start_proxy: StartProxy, certificates: Certificates
) -> None:
    server = upstream(server_context(certificates.issue("stale", LOCAL, days=-1)))
    proxy = start_proxy(server.uri(), "--ca-file", certificates.ca_file)
    assert ask(proxy.address, GET).status == 502
    before = proxy.descriptors()
    for _ in range(20):
        assert ask(proxy.address, GET).status == 502
    eventually(lambda: proxy.descriptors() <= before, "descriptors back to where they were")
