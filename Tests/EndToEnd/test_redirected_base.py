"""A Sentry that redirects to another address of its own: no round in circles, and a word of what the base should be."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator

import pytest

from harness.client import ask, request
from harness.metrics import scrape
from harness.proxy import BINARY, StartProxy, clean_environment
from harness.scripted import Scripted, read_request

HTTPS = "https://sentry.example"
Redirecting = Callable[..., Scripted]


@pytest.fixture
def redirecting() -> Iterator[Redirecting]:
    """Starts upstreams that redirect each request to the same path below `base`, as a server that forces https does."""
    started: list[Scripted] = []

    def start(base: str, status: bytes = b"301 Moved Permanently") -> Scripted:
        def play(sock, _: int) -> None:  # noqa: ANN001
            target = read_request(sock).split(b" ")[1]
            sock.sendall(b"HTTP/1.1 " + status + b"\r\nLocation: " + base.encode() + target
                         + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        started.append(Scripted(play))
        return started[-1]

    yield start
    for upstream in started:
        upstream.close()


@pytest.mark.parametrize("flags", [[], ["--access-log", "off", "--public-url", "https://proxy.example"]])
@pytest.mark.parametrize("status", [b"301 Moved Permanently", b"302 Found", b"307 Temporary Redirect", b"308 Permanent Redirect"])
def test_a_forced_https_is_a_502_and_one_warning(start_proxy: StartProxy, redirecting: Redirecting, status: bytes, flags: list[str]) -> None:
    proxy = start_proxy(redirecting(HTTPS, status).uri, *flags)
    for target in ["/api/0/organizations/?cursor=1", "/api/0/", "/api/0/" + "x" * 900 + "/"]:
        answer = ask(proxy.address, request("GET", target, "Accept: application/json"))
        assert answer.status == 502 and "SENTRY_URI" in answer.json["detail"], answer
        assert answer.value("Location") is None and "sentry.example" not in answer.body.decode()
    assert ask(proxy.address, request("POST", "/api/0/x/", body=b"{}")).status == 502
    line = proxy.wait_for_line(lambda text: "level=warning" in text and f"base={HTTPS}" in text.replace('"', ""), 5)
    assert "--sentry-uri" in line
    assert sum("level=warning" in line and "sentry.example" in line for line in proxy.lines) == 1
    assert scrape(proxy).sum("request_failures_total", cause="wrong_base") == 4


def test_its_own_name_with_https_is_enough(start_proxy: StartProxy, redirecting: Redirecting) -> None:
    proxy = start_proxy(redirecting("https://127.0.0.1:9443/auth/login").uri)
    assert ask(proxy.address, request("GET", "/organizations/")).status == 502


def test_other_redirects_go_on_as_before(start_proxy: StartProxy, redirecting: Redirecting) -> None:
    elsewhere = start_proxy(redirecting("https://storage.example/bucket").uri)
    assert ask(elsewhere.address, request("GET", "/api/0/x/")).value("Location") == "https://storage.example/bucket/api/0/x/"
    # After a POST, 303 names something else to look at.
    other = start_proxy(redirecting(HTTPS, b"303 See Other").uri)
    answer = ask(other.address, request("POST", "/api/0/x/", body=b"{}", host="seen.example"))
    assert (answer.status, answer.value("Location")) == (303, "http://seen.example/api/0/x/")


def test_the_bypass_passes_it_on(start_proxy: StartProxy, redirecting: Redirecting) -> None:
    proxy = start_proxy(redirecting(HTTPS).uri, "--alias-token", "alias-of-one")
    assert ask(proxy.address, request("GET", "/api/0/x/")).value("Location") == f"{HTTPS}/api/0/x/"


def test_the_commands_say_it(redirecting: Redirecting) -> None:
    environment = clean_environment({"SENTRY_URI": redirecting(HTTPS).uri, "SENTRY_AUTH_TOKEN": "t", "STATE_DIR": "/nonexistent/x"})

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([BINARY, *arguments], env=environment | more, capture_output=True, text=True, timeout=30, check=False)

    status = run("auth", "status", "--json")
    assert status.returncode == 1
    assert json.loads(status.stdout)["verdict"] == f"redirects to {HTTPS}: give that as --url or SENTRY_URI"


def test_a_sign_in_says_it(redirecting: Redirecting, tmp_path) -> None:  # noqa: ANN001
    environment = clean_environment({"SENTRY_URI": redirecting(HTTPS).uri, "SENTRY_CLIENT_ID": "c", "STATE_DIR": str(tmp_path / "s")})
    ended = subprocess.run([BINARY, "auth", "login"], env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 78 and f"redirects to {HTTPS}" in ended.stderr and "26.1" not in ended.stderr
