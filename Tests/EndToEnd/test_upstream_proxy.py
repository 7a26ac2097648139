"""A forward proxy on the way to the upstream: `--upstream-proxy`, and what is said of HTTPS_PROXY and its kin."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.certificates import Certificates
from harness.client import ask, request
from harness.forward_proxy import Tinyproxy, Unavailable
from harness.login import AuthorizationServer, Commands
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import BINARY, StartProxy, clean_environment
from harness.scripted import Scripted, read_head
from harness.tls import TLSUpstream, server_context
from harness.upstream import TOKEN, StandIn

USER, PASSWORD = "operator", "s3cret-of-the-proxy"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
Start = Callable[..., Tinyproxy]


@pytest.fixture
def tinyproxy(tmp_path: Path) -> Iterator[Start]:
    started: list[Tinyproxy] = []

    def start(credentials: tuple[str, str] | None = None) -> Tinyproxy:
        try:
            started.append(Tinyproxy(tmp_path / f"tinyproxy-{len(started)}", credentials))
        except Unavailable as error:
            pytest.skip(str(error))
        return started[-1]

    yield start
    for proxy in started:
        proxy.close()


@pytest.fixture
def credentials(tmp_path: Path) -> str:
    path = tmp_path / "credentials"
    path.write_text(f"{USER}:{PASSWORD}\n")
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[TLSUpstream, str]]:
    """An https upstream and the file of its authority."""
    certificates = Certificates(tmp_path / "certificates")
    upstream = TLSUpstream(server_context(certificates.issue("leaf", "DNS:localhost,IP:127.0.0.1")))
    yield upstream, certificates.ca_file
    upstream.close()


def test_http_goes_in_absolute_form(stand_in: StandIn, start_proxy: StartProxy, tinyproxy: Start, credentials: str) -> None:
    forward = tinyproxy((USER, PASSWORD))
    proxy = start_proxy(stand_in.uri, "--upstream-proxy", forward.uri, "--upstream-proxy-credentials-file", credentials)
    assert ask(proxy.address, request("GET", "/api/0/organizations/?a=1")).status == 200
    assert ask(proxy.address, request("POST", "/behave/sized", body=b"x" * 100_000)).status == 200
    seen = stand_in.records(2, 2)["requests"]
    assert f"Authorization: Bearer {TOKEN}" in seen[0]["head"]
    assert all("Proxy-" not in entry["head"] and BASIC not in entry["head"] for entry in seen)
    assert len(re.findall(rf"Request.*: (GET|POST) http://{re.escape(stand_in.address)}/", forward.log)) == 2
    assert PASSWORD not in proxy.output and BASIC not in proxy.output


def test_a_target_that_rights_rewrite_goes_in_absolute_form_too(
    stand_in: StandIn, start_proxy: StartProxy, tinyproxy: Start, tmp_path: Path,
) -> None:
    forward = tinyproxy()
    alias = "sap_0123456789abcdef0123456789abcdef"
    (tmp_path / "aliases").write_text(f"agent {alias} read-only org=acme:1\n")
    (tmp_path / "aliases").chmod(0o600)
    proxy = start_proxy(stand_in.uri, "--upstream-proxy", forward.uri, "--alias-file", str(tmp_path / "aliases"))
    proxy.wait_for_line(lambda line: "of aliases are known" in line, 10)
    stand_in.reset()
    ask(proxy.address, request("GET", "/api/0/issues/12/", f"Authorization: Bearer {alias}"))
    assert stand_in.request()["head"].startswith("GET /api/0/organizations/acme/issues/12/ HTTP/1.1\r\n")


def test_https_goes_through_a_tunnel(
    secure: tuple[TLSUpstream, str], start_proxy: StartProxy, tinyproxy: Start, credentials: str
) -> None:
    upstream, authority = secure
    forward = tinyproxy((USER, PASSWORD))
    proxy = start_proxy(
        f"https://localhost:{upstream.port}", "--ca-file", authority, "--upstream-proxy", forward.uri,
        "--upstream-proxy-credentials-file", credentials)
    for _ in range(5):
        assert ask(proxy.address, request("GET", "/api/0/")).status == 200
    assert len(re.findall(rf"Request.*: CONNECT localhost:{upstream.port} ", forward.log)) == 5
    # What is inside is between the two ends: the proxy on the way sees no path and no token, and sessions are resumed.
    assert "/api/0/" not in forward.log and TOKEN not in forward.log
    assert scrape(proxy).sum("tls_handshakes_total", side="upstream", kind="resumed") >= 3


def test_https_checks_the_upstreams_name_and_not_the_proxys(
    secure: tuple[TLSUpstream, str], start_proxy: StartProxy, tinyproxy: Start, tmp_path: Path
) -> None:
    upstream, _ = secure
    other = Certificates(tmp_path / "other")
    proxy = start_proxy(f"https://localhost:{upstream.port}", "--ca-file", other.ca_file, "--upstream-proxy", tinyproxy().uri)
    assert ask(proxy.address, request("GET", "/api/0/")).status == 502
    assert scrape(proxy).sum("request_failures_total", cause="tls_untrusted") == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_missing_credentials_are_a_502_and_a_warning(
    stand_in: StandIn, secure: tuple[TLSUpstream, str], start_proxy: StartProxy, tinyproxy: Start, scheme: str
) -> None:
    forward = tinyproxy((USER, PASSWORD))
    flags = ["--ca-file", secure[1]] if scheme == "https" else []
    proxy = start_proxy(
        f"https://localhost:{secure[0].port}" if scheme == "https" else stand_in.uri, *flags, "--upstream-proxy", forward.uri)
    for _ in range(3):
        answer = ask(proxy.address, request("GET", "/api/0/"))
        assert answer.status == 502 and answer.value("Proxy-Authenticate") is None
    line = proxy.wait_for_line(lambda text: "does not let requests through" in text, 5)
    assert "level=warning" in line and "407" in line and "--upstream-proxy-credentials-file" in line
    assert sum("does not let requests through" in line for line in proxy.lines) == 1
    assert scrape(proxy).sum("request_failures_total", cause="proxy_refused") == 3


@pytest.mark.parametrize("pieces, status", [
    ([b"HTTP/1.1 200 Connection established\r\n\r\n"], "tls"),
    ([b"HTTP/1.1 2", b"00 OK\r\nX-A: b\r\nContent-Length: 5", b"\r\n\r", b"\n"], "tls"),
    ([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\n"], "tls"),
    ([b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope"], "proxy_refused"),
    ([b"HTTP/1.1 200 OK\r\n\r\nmore than a head"], "proxy_refused"),
    ([b"SSH-2.0-OpenSSH_9.2\r\n"], "proxy_refused"),
    ([b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 4_000], "proxy_refused"),
    ([b""], "proxy_refused"),
], ids=["whole", "pieces", "interim", "403", "more", "other protocol", "endless", "nothing"])
def test_answers_to_connect(start_proxy: StartProxy, pieces: list[bytes], status: str) -> None:
    heads: list[bytes] = []
    hellos: list[bytes] = []

    def play(sock, _: int) -> None:  # noqa: ANN001
        heads.append(read_head(sock))
        for piece in pieces:
            sock.sendall(piece)
        if status == "tls":
            hellos.append(sock.recv(3))

    forward = Scripted(play)
    try:
        proxy = start_proxy("https://sentry.invalid", "--upstream-proxy", forward.uri)
        assert ask(proxy.address, request("GET", "/api/0/")).status == 502
        # The name is the forward proxy's to look up.
        assert heads[0].startswith(b"CONNECT sentry.invalid:443 HTTP/1.1\r\nHost: sentry.invalid:443\r\n")
        assert hellos == ([b"\x16\x03\x01"] if status == "tls" else [])
        causes = scrape(proxy)
        assert causes.sum("request_failures_total", cause="proxy_refused") == (0 if status == "tls" else 1)
    finally:
        forward.close()


def test_the_programs_own_calls_take_the_same_way(
    authorization_server: AuthorizationServer, commands: Commands, tinyproxy: Start, credentials: str
) -> None:
    forward = tinyproxy((USER, PASSWORD))
    environment = {"UPSTREAM_PROXY": forward.uri, "UPSTREAM_PROXY_CREDENTIALS_FILE": credentials}
    child = commands.start("auth", "login", **environment)
    child.wait_for_line(lambda line: "enter the code" in line)
    authorization_server.approve()
    assert child.wait(30) == 0, child.output
    assert json.loads(commands.run("auth", "status", "--json", **environment).stdout)["accepted"] is True
    assert f"POST {authorization_server.uri}/oauth/device/code/" in forward.log
    assert f"GET {authorization_server.uri}/api/0/" in forward.log
    refused = commands.run("auth", "status", "--json", UPSTREAM_PROXY=forward.uri)
    assert "407" in json.loads(refused.stdout)["verdict"]


def test_own_calls_to_https_are_tunnelled(secure: tuple[TLSUpstream, str], tinyproxy: Start) -> None:
    forward = tinyproxy()
    environment = clean_environment({
        "SENTRY_URI": f"https://localhost:{secure[0].port}", "CA_FILE": secure[1], "SENTRY_AUTH_TOKEN": TOKEN, "UPSTREAM_PROXY": forward.uri})
    ended = subprocess.run([BINARY, "auth", "status", "--json"], env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert json.loads(ended.stdout)["accepted"] is True, ended
    assert f"CONNECT localhost:{secure[0].port} " in forward.log


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_the_variables_of_other_programs_are_named_and_not_used(stand_in: StandIn, start_proxy: StartProxy, variable: str) -> None:
    proxy = start_proxy(stand_in.uri, environment={variable: f"http://u:{PASSWORD}@127.0.0.1:9"})
    line = proxy.wait_for_line(lambda text: "not used" in text, 5)
    assert variable in line and "--upstream-proxy" in line and "NO_PROXY" in line and PASSWORD not in proxy.output
    assert ask(proxy.address, request("GET", "/api/0/organizations/")).status == 200


@pytest.mark.parametrize("flags, environment, status, words", [
    (["--upstream-proxy", "https://p:1"], {}, 64, ["--upstream-proxy", "http://proxy.example:3128"]),
    (["--upstream-proxy", "http://p:1/x"], {}, 64, ["--upstream-proxy"]),
    ([], {"UPSTREAM_PROXY": "socks5://p:1"}, 78, ["UPSTREAM_PROXY"]),
    (["--upstream-proxy", f"http://u:{PASSWORD}@p:1"], {}, 64, ["--upstream-proxy-credentials-file"]),
    (["--upstream-proxy-credentials-file", "/x"], {}, 64, ["needs --upstream-proxy"]),
    (["--upstream-proxy", "http://p:1", "--upstream-proxy-credentials-file", "/nonexistent"], {}, 78, ["/nonexistent"]),
    (["--upstream-proxy", "http://p:1", "--sentry-uri", "http+unix://%2Fx"], {}, 64, ["Unix-domain"]),
    (["--upstream-proxy", "http://p:1", "--upstream-proxy-credentials-file", os.devnull], {}, 78, ["USER:PASSWORD"]),
])
def test_wrong_values_are_one_line(flags: list[str], environment: dict[str, str], status: int, words: list[str]) -> None:
    ended = subprocess.run([BINARY, *flags], env=clean_environment(environment), capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == status and ended.stderr.count("\n") == 1, ended
    assert all(word in ended.stderr for word in words) and PASSWORD not in ended.stderr


def test_a_forward_proxy_that_is_away_is_a_502(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--upstream-proxy", "http://127.0.0.1:1")
    assert ask(proxy.address, request("GET", "/api/0/")).status == 502
    eventually(lambda: scrape(proxy).sum("request_failures_total", cause="connection_refused") == 1, "the cause")
    stand_in.assert_untouched()
