"""Whom the proxy trusts: the bypass, and a proxy that is open to everybody who can connect."""

from __future__ import annotations

import pytest

from harness.client import ask, request
from harness.expect import bypass_head, elevated_head
from harness.proxy import Proxy, StartProxy, run_to_end
from harness.upstream import StandIn

ALIAS = "alias-one-0123456789"
LINE = "GET /api/0/ HTTP/1.1"


@pytest.fixture
def proxy(stand_in: StandIn, start_proxy: StartProxy) -> Proxy:
    """Without aliases, and without anything that the other tests allow."""
    return start_proxy(stand_in.uri, environment={"ALLOW_HOST": "", "ALLOW_ORIGIN": ""})


def raw(line: str, *fields: str) -> bytes:
    return "".join(f"{text}\r\n" for text in [line, *fields, "Connection: close", ""]).encode("latin-1")


@pytest.mark.parametrize("line, detail", [
    ("X-A: b", "Authentication credentials were not provided."), ("Authorization: Bearer another", "Invalid token"),
    ("Cookie: sentrysid=1", "Authentication credentials were not provided."),
])
@pytest.mark.parametrize("target", ["/api/0/", "/oauth/token/", "/api/1/envelope/", "/auth/login/"])
def test_without_a_bypass_nobody_without_an_alias_reaches_sentry(
    stand_in: StandIn, start_proxy: StartProxy, line: str, detail: str, target: str
) -> None:
    proxy = start_proxy(stand_in.uri, "--bypass", "off", environment={"ALIAS_TOKENS": ALIAS})
    answer = ask(proxy.address, request("GET", target, line))
    assert (answer.status, answer.json) == (401, {"detail": detail})
    assert answer.value("WWW-Authenticate") == 'xBasic realm="api"'
    stand_in.assert_untouched()
    assert "status=401" in proxy.wait_for_line(lambda text: "cause=bypass_off" in text)
    ask(proxy.address, request("GET", "/api/0/", f"Authorization: Bearer {ALIAS}"))
    assert stand_in.request()["head"] == elevated_head(LINE, stand_in.address)


def test_the_bypass_says_the_clients_address_and_never_the_clients_word(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--bypass-forwarded-for", "on", environment={"ALIAS_TOKENS": ALIAS})
    ask(proxy.address, request("GET", "/api/0/", "X-Forwarded-For: 8.8.8.8", "x_forwarded_for: 9.9.9.9"))
    head = bypass_head(LINE, stand_in.address)
    assert stand_in.request()["head"] == head[:-2] + "X-Forwarded-For: 127.0.0.1\r\n\r\n"
    stand_in.reset()
    ask(proxy.address, request("GET", "/api/0/", f"Authorization: Bearer {ALIAS}"))
    assert stand_in.request()["head"] == elevated_head(LINE, stand_in.address)


@pytest.mark.parametrize("flag, variable", [("--bypass", "BYPASS"), ("--bypass-forwarded-for", "BYPASS_FORWARDED_FOR"),
                                            ("--allow-origin", "ALLOW_ORIGIN"), ("--allow-host", "ALLOW_HOST")])
def test_a_wrong_value_ends_the_start(flag: str, variable: str) -> None:
    for flags, environment, status, name in [([flag, "no/way"], {}, 64, flag), ([], {variable: "no/way"}, 78, variable)]:
        ended = run_to_end("--sentry-uri", "http://127.0.0.1:9", *flags, **environment)
        assert ended.returncode == status and ended.stderr.count("\n") == 1, ended
        assert ended.stderr.startswith(f"sentry-api-proxy: {name}: "), ended.stderr


@pytest.mark.parametrize("listen, aliases, open_", [
    ("0.0.0.0:0", False, True), ("[::]:0", False, True), ("127.0.0.1:0", False, False), ("[::1]:0", False, False),
    ("0.0.0.0:0", True, False),
])
def test_a_proxy_that_is_open_says_so(
    stand_in: StandIn, start_proxy: StartProxy, listen: str, aliases: bool, open_: bool
) -> None:
    proxy = start_proxy(stand_in.uri, listen=listen, environment={"ALIAS_TOKENS": ALIAS} if aliases else {})
    warnings = [line for line in proxy.output.splitlines() if "level=warning" in line and "no alias is configured" in line]
    assert len(warnings) == (1 if open_ else 0), proxy.output
    assert all("--alias-file" in line and "--listen 127.0.0.1:8080" in line for line in warnings)
    page = ask(proxy.admin, request("GET", "/metrics")).body.decode()
    assert f"\nsentry_api_proxy_open {1 if open_ else 0}\n" in page
    assert ask(proxy.admin, request("GET", "/status")).json["open"] is open_


@pytest.mark.parametrize("host", [
    "127.0.0.1", "10.0.0.1:8080", "[::1]:8080", "[2001:db8::1]", "localhost", "LOCALHOST:1", "sentry-proxy", "a.localhost",
    "proxy.ns.svc", "proxy.ns.svc.cluster.local:80", "host.docker.internal", "Proxy.LOCAL.",
])
def test_without_aliases_a_name_that_is_nobody_elses_is_answered_to(proxy: Proxy, stand_in: StandIn, host: str) -> None:
    ask(proxy.address, raw(LINE, f"Host: {host}"))
    assert stand_in.request()["head"] == elevated_head(LINE, stand_in.address)


@pytest.mark.parametrize("target, host", [
    ("/api/0/", "evil.example"), ("/api/0/", "127.0.0.1.evil.example"), ("/api/0/", "local.example:8080"), ("/api/0/", "svc.evil.com"),
    ("/api/0/", "1.2.3"), ("/api/1/envelope/", "evil.example"), ("http://evil.example/api/0/", "localhost"),
    ("/api/0/", "loc%61lhost.x"),
])
def test_without_aliases_a_name_that_may_be_somebody_elses_is_a_400(proxy: Proxy, stand_in: StandIn, target: str, host: str) -> None:
    answer = ask(proxy.address, raw(f"GET {target} HTTP/1.1", f"Host: {host}"))
    assert answer.status == 400 and "--allow-host" in answer.json["detail"]
    stand_in.assert_untouched()
    proxy.wait_for_line(lambda text: "cause=host_refused" in text)


@pytest.mark.parametrize("line", ["Origin: https://app.example", "ORIGIN: null", "origin: http://127.0.0.1:8080"])
def test_without_aliases_a_web_page_is_refused(proxy: Proxy, stand_in: StandIn, line: str) -> None:
    answer = ask(proxy.address, request("POST", "/api/0/", line, "Content-Length: 0"))
    assert answer.status == 400 and "--allow-origin" in answer.json["detail"]
    stand_in.assert_untouched()
    proxy.wait_for_line(lambda text: "cause=origin_refused" in text)


def test_what_is_named_is_let_in(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(
        stand_in.uri, "--allow-host", "Proxy.example;.corp.example", "--allow-origin", "https://app.example; null", "--public-url",
        "https://public.example:8443")
    for host, origin, status in [
        ("proxy.example:80", None, 200), ("a.corp.example", "https://APP.example", 200), ("PUBLIC.example", "null", 200),
        ("corp.example", None, 400), ("xcorp.example", None, 400), ("proxy.example", "https://app.example:1", 400),
    ]:
        fields = [f"Origin: {origin}"] if origin else []
        assert ask(proxy.address, raw(LINE, f"Host: {host}", *fields)).status == status, (host, origin)


def test_with_aliases_neither_is_looked_at(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, environment={"ALIAS_TOKENS": ALIAS})
    fields = ["Host: proxy.example", "Origin: https://app.example", f"Authorization: Bearer {ALIAS}"]
    assert ask(proxy.address, raw(LINE, *fields)).status == 200


def test_links_are_written_for_the_targets_authority(proxy: Proxy, stand_in: StandIn) -> None:
    link = '<https://sentry.example/api/0/projects/?cursor=1>; rel="next"'
    stand_in.set_canned("link", f"HTTP/1.1 200 OK\r\nLink: {link}\r\nContent-Length: 2\r\n\r\nok".encode())
    for target, base in [("http://192.0.2.7:81", "http://192.0.2.7:81"), ("https://192.0.2.7", "https://192.0.2.7"), ("", "http://localhost:1")]:
        answer = ask(proxy.address, raw(f"GET {target}/behave/canned?name=link HTTP/1.1", "Host: localhost:1"))
        assert answer.value("Link") == f'<{base}/api/0/projects/?cursor=1>; rel="next"'


def test_request_ids_have_no_common_difference(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--threads", "1", "--bypass", "off", environment={"ALIAS_TOKENS": ALIAS})
    ids = [int(ask(proxy.address, request("GET", "/api/0/")).value("X-Request-Id") or "", 16) for _ in range(12)]
    differences = {(b - a) % 2**64 for a, b in zip(ids, ids[1:])}
    assert len(set(ids)) == 12 and len(differences) == 11
    assert not differences & {0x9E3779B97F4A7C15}
    assert len({number >> 48 for number in ids}) > 6
    proxy.wait_for_line(lambda text: f"id={ids[0]:016x}" in text)
