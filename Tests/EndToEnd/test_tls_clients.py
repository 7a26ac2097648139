"""https for clients: handshakes, bodies, departures, client certificates, and certificates that change."""

from __future__ import annotations

import hashlib
import os
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.certificates import Certificates, Pair
from harness.client import ask, request
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.sockets import wait_until_watched
from harness.tls import Nginx, TLSClient, client_context
from harness.upstream import StandIn

LOCAL = "DNS:localhost,IP:127.0.0.1"
SIZE = 2 << 20


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def good(certificates: Certificates) -> Pair:
    return certificates.issue("proxy", LOCAL)


@pytest.fixture
def context(certificates: Certificates) -> ssl.SSLContext:
    return client_context(certificates.ca_file)


@pytest.fixture
def secure_proxy(stand_in: StandIn, start_proxy: StartProxy, good: Pair) -> Proxy:
    return start_proxy(stand_in.uri, *tls_flags(good))


def tls_flags(pair: Pair) -> tuple[str, ...]:
    return ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))


def curl(proxy: Proxy, path: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["curl", "-sS", "--max-time", "20", *arguments, f"https://localhost:{proxy.port}{path}"],
                          capture_output=True, check=False, cwd=cwd)


# MARK: Requests

@pytest.mark.client
@pytest.mark.parametrize("version", [("--tls-max", "1.2"), ("--tlsv1.3",)], ids=["1.2", "1.3"])
def test_curl_gets_its_answer(secure_proxy: Proxy, certificates: Certificates, version: tuple[str, ...]) -> None:
    done = curl(secure_proxy, "/api/0/", "--cacert", certificates.ca_file, "-w", " %{http_code} %{ssl_verify_result}", *version)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(b" 200 0") and b'"version"' in done.stdout


@pytest.mark.client
def test_curl_does_not_trust_a_stranger(secure_proxy: Proxy) -> None:
    assert curl(secure_proxy, "/api/0/").returncode == 60


@pytest.mark.client
def test_older_versions_than_1_2_are_refused(secure_proxy: Proxy, certificates: Certificates) -> None:
    done = curl(secure_proxy, "/api/0/", "--cacert", certificates.ca_file, "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0")
    assert done.returncode == 35, done.stderr


def test_rewritten_urls_say_https(secure_proxy: Proxy, context: ssl.SSLContext) -> None:
    with TLSClient(secure_proxy.address, context) as client:
        client.send(request("GET", "/api/0/organizations/acme/chunk-upload/", host="seen.example"))
        assert client.read_answer().json["url"] == "https://seen.example/api/0/organizations/acme/chunk-upload/"


@pytest.mark.parametrize(("offered", "chosen"), [
    ("TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
    ("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
    ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
])
def test_the_cheap_cipher_is_chosen_from_what_a_client_offers(
    secure_proxy: Proxy, certificates: Certificates, offered: str, chosen: str
) -> None:
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{secure_proxy.port}", "-CAfile", certificates.ca_file, "-tls1_3",
         "-ciphersuites", offered, "-brief"], input=b"", capture_output=True, check=False, timeout=20)
    assert f"Ciphersuite: {chosen}\n" in (done.stdout + done.stderr).decode(), done.stderr


def test_plain_http_on_the_tls_port_goes_nowhere(secure_proxy: Proxy, stand_in: StandIn) -> None:
    assert ask(secure_proxy.address, request("GET", "/api/0/")).status == 400
    stand_in.assert_untouched()


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
@pytest.mark.parametrize("behaviour", ["sized", "chunked", "close-delimited"])
def test_every_answer_ends_with_close_notify(secure_proxy: Proxy, context: ssl.SSLContext, behaviour: str, version: str) -> None:
    with TLSClient(secure_proxy.address, context) as client:
        client.send(request("GET", f"/behave/{behaviour}?size=1000", version=version))
        answer = client.read_answer()
    assert (answer.status, answer.ended, len(answer.body)) == (200, "fin", 1000) and answer.complete


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_answer_and_close_notify_leave_in_one_segment(
    secure_proxy: Proxy, context: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    """A segment each costs both sides a wake-up. The ticket of TLS 1.3 comes before, unasked: its segment acknowledges the
    client's Finished, and a client under Nagle's algorithm sends its request no sooner."""
    context.maximum_version = version
    with TLSClient(secure_proxy.address, context) as client:
        if version == ssl.TLSVersion.TLSv1_3:
            assert select.select([client.sock], [], [], 20)[0], "the ticket does not come before the request"
        before = data_segments_in(client)
        # Without a body: the stand-in sends one apart from its head.
        client.send(request("GET", "/behave/sized?size=0", "Connection: close"))
        answer = client.read_answer()
        assert (answer.status, answer.ended, answer.body) == (200, "fin", b"")
        assert data_segments_in(client) - before == 1


def data_segments_in(client: TLSClient) -> int:
    """tcpi_data_segs_in of tcp(7)'s TCP_INFO."""
    return struct.unpack_from("I", client.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192), 152)[0]


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
@pytest.mark.parametrize("behaviour", ["reset-body", "chunked-short"])
def test_an_answer_that_breaks_off_is_not_whole(secure_proxy: Proxy, context: ssl.SSLContext, behaviour: str, version: str) -> None:
    with TLSClient(secure_proxy.address, context) as client:
        client.send(request("GET", f"/behave/{behaviour}", version=version))
        answer = client.read_answer()
    # Without a length or chunks only the end of the connection tells: then there must be no close_notify.
    assert answer.status == 200 and not answer.complete, answer
    if not answer.values("Content-Length") and not answer.values("Transfer-Encoding"):
        assert answer.ended in ("ragged", "reset"), answer


def test_a_request_split_into_single_bytes(secure_proxy: Proxy, context: ssl.SSLContext) -> None:
    with TLSClient(secure_proxy.address, context) as client:
        client.send_in_pieces(bytes([byte]) for byte in request("POST", "/behave/echo", body=b"hello"))
        assert client.read_answer().body == b"hello"


def test_a_client_that_half_closes_gets_its_answer(secure_proxy: Proxy, context: ssl.SSLContext) -> None:
    """A FIN without close_notify after a whole request: the request is known to be whole by its length."""
    with TLSClient(secure_proxy.address, context) as client:
        client.send(request("POST", "/behave/echo", body=b"hello"))
        client.half_close()
        answer = client.read_answer()
    assert answer.body == b"hello" and answer.complete


def test_a_client_that_says_close_notify_gets_its_answer(secure_proxy: Proxy, context: ssl.SSLContext) -> None:
    """It ends its sending side in good order and goes on reading (RFC 8446 §6.1)."""
    with TLSClient(secure_proxy.address, context) as client:
        client.send(request("POST", "/behave/echo", body=b"hello"))
        say_close_notify(client)
        answer = client.read_answer()
    assert answer.body == b"hello" and answer.complete


def say_close_notify(client: TLSClient) -> None:
    client.sock.setblocking(False)
    with pytest.raises(ssl.SSLWantReadError):
        client.sock.unwrap()
    client.sock.settimeout(20)


@pytest.mark.parametrize("how", [TLSClient.half_close, say_close_notify], ids=["fin", "close_notify"])
def test_an_answer_that_comes_late_still_reaches_a_half_closed_client(
    secure_proxy: Proxy, stand_in: StandIn, context: ssl.SSLContext, how: Callable[[TLSClient], None]
) -> None:
    with TLSClient(secure_proxy.address, context) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
        how(client)
        wait_until_watched(secure_proxy, client.sock)
        stand_in.release()
        answer = client.read_answer()
    assert answer.body == b"ok" and answer.complete, answer


def test_a_half_close_within_a_body_is_not_a_whole_body(secure_proxy: Proxy, stand_in: StandIn, context: ssl.SSLContext) -> None:
    with TLSClient(secure_proxy.address, context) as client:
        client.send(request("POST", "/behave/echo", "Content-Length: 10", body=b"hello"))
        client.half_close()
        assert client.read_answer().status in (0, 400)
    assert all(seen["body_complete"] is not True for seen in stand_in.records()["requests"])


# MARK: Much

def both_sides(stand_in: StandIn, start_proxy: StartProxy, certificates: Certificates, good: Pair, folder: Path) -> tuple[Proxy, Nginx]:
    nginx = Nginx(folder, good, server="client_max_body_size 0; proxy_request_buffering off; proxy_buffering off;",
                  location=f"proxy_pass {stand_in.uri};")
    return start_proxy(nginx.uri(), "--ca-file", certificates.ca_file, *tls_flags(good)), nginx


def test_two_megabytes_both_ways_with_tls_on_both_sides(
    stand_in: StandIn, start_proxy: StartProxy, certificates: Certificates, good: Pair, context: ssl.SSLContext, tmp_path: Path
) -> None:
    proxy, nginx = both_sides(stand_in, start_proxy, certificates, good, tmp_path / "nginx")
    try:
        body = os.urandom(SIZE)
        with TLSClient(proxy.address, context) as client:
            client.send(request("POST", "/behave/echo", body=body))
            answer = client.read_answer()
        assert answer.complete and answer.body == body
    finally:
        nginx.close()


def test_a_slow_reader_over_tls_gets_every_byte(
    stand_in: StandIn, start_proxy: StartProxy, certificates: Certificates, good: Pair, context: ssl.SSLContext, tmp_path: Path
) -> None:
    proxy, nginx = both_sides(stand_in, start_proxy, certificates, good, tmp_path / "nginx")
    try:
        with TLSClient(proxy.address, context) as client:
            client.send(request("GET", f"/behave/huge?size={32 << 20}"))
            client.read_until(b"\r\n\r\n")
            before = proxy.memory_kib("VmRSS")
            # Nothing is read until everything between has filled up.
            last, deadline = -1, time.monotonic() + 5
            while (now := proxy.memory_kib("VmRSS")) != last and time.monotonic() < deadline:
                last = now
                time.sleep(0.2)
            if not os.environ.get("SANITIZER"):
                assert last - before < 1024, f"grew by {last - before} KiB while the client did not read"
            answer = client.read_answer()
        assert len(answer.body) == 32 << 20 and answer.complete
    finally:
        nginx.close()


def test_an_upload_that_the_upstream_does_not_read_waits(secure_proxy: Proxy, stand_in: StandIn, context: ssl.SSLContext) -> None:
    size = 24 << 20
    body = os.urandom(1 << 20) * 24
    with TLSClient(secure_proxy.address, context, seconds=30) as client:
        client.send(request("POST", "/behave/hold-reading", f"Content-Length: {size}"))
        sent = threading.Event()

        def upload() -> None:
            client.send(body)
            sent.set()

        sender = threading.Thread(target=upload, daemon=True)
        sender.start()
        assert not sent.wait(1.0), "back-pressure never reached the client"
        stand_in.release()
        sender.join(20)
        answer = client.read_answer()
    assert answer.status == 200
    seen = stand_in.request()
    assert (seen["body_length"], seen["body_sha256"]) == (size, hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("moment", ["handshake", "request", "answer"])
def test_a_client_that_is_gone_costs_nothing(
    secure_proxy: Proxy, stand_in: StandIn, context: ssl.SSLContext, moment: str
) -> None:
    with TLSClient(secure_proxy.address, context) as client:
        client.send(request("GET", "/api/0/"))
        assert client.read_answer().status == 200
    stand_in.reset()
    before = secure_proxy.descriptors()
    for _ in range(10):
        if moment == "handshake":
            with socket.create_connection(secure_proxy.address, 20) as sock:
                sock.sendall(b"\x16\x03\x01\x02\x00\x01")
            continue
        with TLSClient(secure_proxy.address, context) as client:
            if moment == "request":
                client.send(request("POST", "/behave/echo", "Content-Length: 1000000", body=b"some"))
            else:
                client.send(request("GET", "/behave/huge?size=2000000000"))
                client.read_until(b"\r\n\r\n")
            client.reset()
    eventually(lambda: secure_proxy.descriptors() <= before, "descriptors back to where they were", 10)


def test_renegotiation_by_a_client_is_refused(secure_proxy: Proxy, certificates: Certificates, stand_in: StandIn) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{secure_proxy.port}", "-CAfile", certificates.ca_file, "-tls1_2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        assert client.stdin and client.stdout
        seen = b""
        while b"Verify return code" not in seen:
            seen += client.stdout.readline()
        client.stdin.write(b"R\n")
        client.stdin.flush()
        rest, _ = client.communicate(timeout=20)
    assert b"RENEGOTIATING" in rest and b"error" in rest.lower(), rest
    stand_in.assert_untouched()


# MARK: Client certificates

def test_with_client_ca_a_client_needs_a_certificate(
    stand_in: StandIn, start_proxy: StartProxy, certificates: Certificates, good: Pair, tmp_path: Path
) -> None:
    proxy = start_proxy(stand_in.uri, *tls_flags(good), "--client-ca", certificates.ca_file)
    for pair, taken in (
        (None, False),
        (Certificates(tmp_path / "other").issue("stranger", "DNS:stranger.example"), False),
        (certificates.issue("old-client", "DNS:client.example", days=-1), False),
        (certificates.issue("client", "DNS:client.example"), True),
    ):
        arguments = ["--cacert", certificates.ca_file]
        if pair:
            arguments += ["--cert", str(pair.certificate), "--key", str(pair.key)]
        done = curl(proxy, "/api/0/", *arguments)
        assert (done.returncode == 0 and b'"version"' in done.stdout) is taken, (pair, done)
    assert len(stand_in.records(requests=1)["requests"]) == 1


@pytest.mark.parametrize("client_ca", [False, True])
def test_issuers_are_shown_when_they_are_among_the_anchors(
    stand_in: StandIn, start_proxy: StartProxy, certificates: Certificates, good: Pair, client_ca: bool
) -> None:
    """The file of the certificate holds no issuer; the authority of the clients' certificates is the proxy's own."""
    proxy = start_proxy(stand_in.uri, *tls_flags(good), *(("--client-ca", certificates.ca_file) if client_ca else ()))
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-showcerts"],
                          input=b"", capture_output=True, check=False, timeout=20)
    assert done.stdout.count(b"BEGIN CERTIFICATE") == 1 + client_ca, done


# MARK: SIGHUP

def served_certificate(proxy: Proxy, context: ssl.SSLContext) -> bytes:
    with socket.create_connection(proxy.address, 20) as plain, context.wrap_socket(plain, server_hostname="localhost") as sock:
        return sock.getpeercert(binary_form=True) or b""


def place(pair: Pair, folder: Path) -> Pair:
    """Copies the pair to the names that the proxy was told; a rename each, as a secret that is rotated."""
    placed = Pair(folder / "live.pem", folder / "live.key")
    for source, target in ((pair.certificate, placed.certificate), (pair.key, placed.key)):
        fresh = target.with_suffix(target.suffix + ".new")
        shutil.copy(source, fresh)
        fresh.rename(target)
    return placed


def test_a_new_certificate_is_taken_on_sighup_and_no_connection_is_lost(
    stand_in: StandIn, start_proxy: StartProxy, certificates: Certificates, context: ssl.SSLContext, tmp_path: Path
) -> None:
    live = place(certificates.issue("first", LOCAL), tmp_path)
    proxy = start_proxy(stand_in.uri, *tls_flags(live), "--threads", "2")
    before = served_certificate(proxy, context)
    waiting = []
    for _ in range(5):
        client = TLSClient(proxy.address, context)
        client.send(request("GET", "/behave/hold-head"))
        waiting.append(client)
    # Handshaken, request not begun.
    idle = TLSClient(proxy.address, context)
    stand_in.records(requests=5)
    failures: list[str] = []
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            try:
                with TLSClient(proxy.address, context) as client:
                    client.send(request("GET", "/api/0/"))
                    answer = client.read_answer()
                if answer.status != 200 or answer.ended != "fin":
                    failures.append(repr(answer))
            except OSError as error:
                failures.append(repr(error))

    hammering = threading.Thread(target=hammer)
    hammering.start()
    try:
        place(certificates.issue("second", LOCAL), tmp_path)
        proxy.signal(signal.SIGHUP)
        proxy.wait_for_line(lambda line: "msg=reloaded" in line or 'msg="reloaded"' in line)
        eventually(lambda: served_certificate(proxy, context) != before, "the new certificate is served")
    finally:
        stop.set()
        hammering.join(20)
    assert not failures, failures
    stand_in.release()
    for client in waiting:
        assert client.read_answer().body == b"ok"
    idle.send(request("GET", "/api/0/"))
    assert idle.read_answer().status == 200


@pytest.mark.parametrize("broken", ["no certificate", "no key", "another's key", "gone"])
def test_bad_files_on_sighup_keep_the_old_certificate(
    stand_in: StandIn, start_proxy: StartProxy, certificates: Certificates, good: Pair, context: ssl.SSLContext, tmp_path: Path, broken: str
) -> None:
    live = place(good, tmp_path)
    proxy = start_proxy(stand_in.uri, *tls_flags(live))
    before = served_certificate(proxy, context)
    if broken == "no certificate":
        live.certificate.write_text("nothing\n")
    elif broken == "no key":
        live.key.write_text("nothing\n")
    elif broken == "another's key":
        shutil.copy(certificates.authority.key, live.key)
    else:
        live.certificate.unlink()
    proxy.signal(signal.SIGHUP)
    line = proxy.wait_for_line(lambda text: "not reloaded" in text)
    flag = "--tls-key" if broken in ("no key", "another's key") else "--tls-cert"
    assert flag in line, line
    assert served_certificate(proxy, context) == before
    assert curl(proxy, "/api/0/", "--cacert", certificates.ca_file).returncode == 0
    place(certificates.issue("mended", LOCAL), tmp_path)
    proxy.signal(signal.SIGHUP)
    eventually(lambda: served_certificate(proxy, context) != before, "the mended certificate is served")


# MARK: The certificate's end


@pytest.mark.parametrize(("days", "level"), [(1, "warning"), (-1, "error"), (60, None)])
def test_the_end_of_the_certificate_is_warned_of_and_measured(stand_in: StandIn, start_proxy: StartProxy, certificates: Certificates,
                                                              days: int, level: str | None) -> None:
    pair = certificates.issue(f"ends-in-{days}", LOCAL, days=days)
    proxy = start_proxy(stand_in.uri, *tls_flags(pair))
    end = scrape(proxy).sum("sentry_api_proxy_tls_certificate_end_timestamp_seconds")
    assert abs(end - time.time() - days * 86_400) < 7_200

    def levels() -> list[str]:
        return [line.split("level=")[1].split()[0] for line in proxy.output.splitlines() if "listener's certificate" in line]

    if level:
        eventually(lambda: levels() == [level], f"a line of level {level}", 10)
    assert levels() == ([level] if level else [])
