"""Which route a request takes and what becomes of its fields: the upstream's recorded bytes are compared whole."""

from __future__ import annotations

import pytest

from harness.client import ask, request
from harness.expect import answer_head, bypass_head, elevated_head
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

DROPPED_ON_BOTH_ROUTES = [
    "Accept-Encoding: br", "Accept-Language: de", "Connection: close, X-Named", "X-Named: 1", "Keep-Alive: timeout=5",
    "Proxy-Connection: keep-alive", "Trailer: X-Sum", "Forwarded: for=8.8.8.8", "Via: 1.1 edge",
    "X-Forwarded-For: 8.8.8.8", "X-Forwarded-Proto: https", "X-Forwarded-Whatever: 1", "X-Real-IP: 8.8.8.8",
    "Proxy-Authorization: Basic eDp5", "TE: trailers", "Upgrade: h2c", "X-Sentry-Relay-Id: 1", "X-Sentry-Relay-Signature: 2",
]
DROPPED_WHEN_ELEVATED = [
    "Authentication: x", "Authorization: Bearer mine", "Cookie: sentrysid=1", "Origin: https://evil.example",
    "X-Sentry-Auth: Sentry sentry_key=1",
    "X-Viewer-Context: x", "X-Is-Agent: 1",
]


def spellings(line: str) -> list[str]:
    name, _, value = line.partition(":")
    return [line, f"{name.upper()}:{value}", f"{name.lower().replace('-', '_')}:{value}"]


def test_a_request_without_a_token_reaches_the_upstream_with_sentrys(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/api/0/"))
    assert (answer.status, answer.complete) == (200, True)
    assert answer.json["version"] == "0"
    assert stand_in.request()["head"] == elevated_head("GET /api/0/ HTTP/1.1", stand_in.address)


def test_kept_fields_pass_in_order_with_duplicates_and_bytes(proxy: Proxy, stand_in: StandIn) -> None:
    kept = ["X-B: 2", "accept: */*", "x-a:  spaced  ", "X-B: 1", "User-Agent: t\xe9st/1", "X-Empty:", "sentry-trace: a-b-1"]
    ask(proxy.address, request("GET", "/api/0/?a=%2F//../x&b=+", *kept))
    expected = ["X-B: 2", "accept: */*", "x-a: spaced", "X-B: 1", "User-Agent: t\xe9st/1", "X-Empty: ", "sentry-trace: a-b-1"]
    head = stand_in.request()["head"]
    assert head == elevated_head("GET /api/0/?a=%2F//../x&b=+ HTTP/1.1", stand_in.address, expected)


@pytest.mark.parametrize("line", [spelling for line in DROPPED_ON_BOTH_ROUTES for spelling in spellings(line)])
def test_a_field_dropped_on_both_routes_never_arrives(proxy: Proxy, stand_in: StandIn, line: str) -> None:
    extra = ["Connection: X-Named"] if line.lower().startswith(("x-named", "x_named")) else []
    ask(proxy.address, request("GET", "/api/0/", line, *extra))
    ask(proxy.address, request("GET", "/oauth/userinfo/", line, *extra))
    elevated, bypass = (entry["head"] for entry in stand_in.records(2, 2)["requests"])
    assert elevated == elevated_head("GET /api/0/ HTTP/1.1", stand_in.address)
    assert bypass == bypass_head("GET /oauth/userinfo/ HTTP/1.1", stand_in.address)


@pytest.mark.parametrize("line", [spelling for line in DROPPED_WHEN_ELEVATED for spelling in spellings(line)])
def test_a_field_that_claims_an_identity_passes_only_on_the_bypass(proxy: Proxy, stand_in: StandIn, line: str) -> None:
    ask(proxy.address, request("GET", "/api/0/", line))
    ask(proxy.address, request("GET", "/api/1/envelope/", line))
    elevated, bypass = (entry["head"] for entry in stand_in.records(2, 2)["requests"])
    assert elevated == elevated_head("GET /api/0/ HTTP/1.1", stand_in.address)
    assert bypass == bypass_head("GET /api/1/envelope/ HTTP/1.1", stand_in.address, [line])


@pytest.mark.parametrize("named", ["authorization", "Authorization, host", "host", "accept-encoding", "connection"])
def test_connection_cannot_name_what_the_proxy_puts_in(proxy: Proxy, stand_in: StandIn, named: str) -> None:
    assert ask(proxy.address, request("GET", "/api/0/", f"Connection: {named}")).status == 200
    assert stand_in.request()["head"] == elevated_head("GET /api/0/ HTTP/1.1", stand_in.address)


@pytest.mark.parametrize("target", [
    "/oauth/token/", "/oauth/device/code/", "//oauth/token/", "/%6fauth/token/", "/api/../oauth/token/", "/./oauth/token/",
    "/api/1/envelope/", "/api/42/store/", "/api/%34%32/store/", "//api//7/envelope/", "/api/007/store/",
])
def test_oauth_and_ingest_are_never_elevated(proxy: Proxy, stand_in: StandIn, target: str) -> None:
    ask(proxy.address, request("POST", target, "Content-Length: 0"))
    assert stand_in.request()["head"] == bypass_head(f"POST {target} HTTP/1.1", stand_in.address, framing=["Content-Length: 0"])


def test_set_cookie_and_challenges_stay_behind_the_elevated_route(proxy: Proxy, stand_in: StandIn) -> None:
    fields = "Set-Cookie: a=1\r\nWWW-Authenticate: xBasic realm=\"api\"\r\nX-Kept: 1\r\nset-cookie: b=2\r\nX-Kept: 2\r\n"
    stand_in.set_canned("cookies", f"HTTP/1.1 200 Fine\r\n{fields}Content-Length: 2\r\n\r\nok".encode())
    answer = ask(proxy.address, request("GET", "/behave/canned?name=cookies"))
    assert answer.head == answer_head("HTTP/1.1 200 Fine", ["X-Kept: 1", "X-Kept: 2"], ["Content-Length: 2"], answer.value("X-Request-Id"))
    assert answer.body == b"ok"


def test_hop_by_hop_response_fields_and_what_connection_names_are_dropped(proxy: Proxy, stand_in: StandIn) -> None:
    fields = ("Connection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nTrailer: X\r\n"
              "Upgrade: h2c\r\nServer: s\r\n")
    stand_in.set_canned("hops", f"HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok".encode())
    answer = ask(proxy.address, request("GET", "/behave/canned?name=hops"))
    assert answer.head == answer_head("HTTP/1.1 200 OK", ["Server: s"], ["Content-Length: 2"], answer.value("X-Request-Id"))


def test_absolute_form_is_forwarded_by_its_path_and_its_host_goes_nowhere(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "http://elsewhere.example/api/0/?x=1"))
    assert answer.status == 200
    assert stand_in.request()["head"] == elevated_head("GET /api/0/?x=1 HTTP/1.1", stand_in.address)


def test_options_asterisk_is_forwarded(proxy: Proxy, stand_in: StandIn) -> None:
    ask(proxy.address, request("OPTIONS", "*"))
    assert stand_in.request()["head"].startswith("OPTIONS * HTTP/1.1\r\n")


def test_a_path_prefix_of_the_upstream_goes_before_every_target(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri + "/sentry/")
    ask(proxy.address, request("GET", "/api/0/x/?q=1"))
    assert stand_in.request()["head"] == elevated_head("GET /sentry/api/0/x/?q=1 HTTP/1.1", stand_in.address)


def test_a_second_request_on_the_same_connection_is_never_read(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/api/0/") + request("DELETE", "/api/0/organizations/acme/releases/1/"))
    assert answer.status == 200 and answer.complete and answer.beyond == b""
    assert stand_in.request()["method"] == "GET"
    assert stand_in.records()["connections"][0]["surplus"] == ""


def test_bytes_beyond_a_sized_body_are_not_sent_on(proxy: Proxy, stand_in: StandIn) -> None:
    whole = request("POST", "/behave/echo", "Content-Length: 5") + b"12345" + request("GET", "/smuggled")
    answer = ask(proxy.address, whole)
    assert answer.body == b"12345"
    assert stand_in.request()["body"] == "12345"
    assert stand_in.records()["connections"][0]["surplus"] == ""


def test_an_origin_does_not_spoil_an_elevated_request(proxy: Proxy, stand_in: StandIn) -> None:
    assert ask(proxy.address, request("GET", "/api/0/", "Origin: https://app.example")).status == 200
