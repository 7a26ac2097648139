"""What a narrowed alias reads: who it is, in the proxy's words, and lists without what is not its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.client import Answer, ask, request
from harness.proxy import Proxy, StartProxy
from harness.upstream import RawUpstream, StandIn

pytestmark = pytest.mark.tokens

ALIAS = "sap_0123456789abcdef0123456789abcdef"
WEB = "read-only org=acme:1 project=web:1"


@pytest.fixture
def narrowed(start_proxy: StartProxy, tmp_path: Path) -> Callable[..., Proxy]:
    def start(uri: str, words: str, *flags: str) -> Proxy:
        file = tmp_path / "aliases"
        file.write_text(f"agent {ALIAS} {words}\n")
        file.chmod(0o600)
        return start_proxy(uri, "--alias-file", str(file), *flags)

    return start


def ask_as_agent(proxy: Proxy, method: str, target: str, *fields: str, body: bytes = b"") -> Answer:
    return ask(proxy.address, request(method, target, f"Authorization: Bearer {ALIAS}", *fields, body=body))


def answering(body: bytes, *fields: str, status: str = "200 OK") -> RawUpstream:
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *fields]
    return RawUpstream(["\r\n".join(head).encode() + b"\r\n\r\n" + body])


@pytest.mark.parametrize("target", ["/api/0/auth/", "/api/0/auth/validate/", "/api/0/users/me/"])
def test_the_alias_is_who_asks(narrowed: Callable[..., Proxy], stand_in: StandIn, target: str) -> None:
    proxy = narrowed(stand_in.uri, "read-only")
    answer = ask_as_agent(proxy, "GET", target)
    assert answer.status == 200 and answer.value("Content-Type") == "application/json"
    assert answer.json == {"id": "0", "name": "alias agent", "username": "alias-agent", "email": ""}
    head = ask_as_agent(proxy, "HEAD", target)
    assert (head.status, head.body, head.value("Content-Length")) == (200, b"", answer.value("Content-Length"))
    stand_in.assert_untouched()
    line = proxy.wait_for_line(lambda line: "msg=request" in line, 5)
    assert "policy=allowed" in line and "status=200" in line


@pytest.mark.parametrize(("words", "held", "not_held"), [
    ("read-only", {"event:read", "org:read", "project:read", "team:read"}, {"event:write", "org:write", "project:releases"}),
    ("event:write", {"event:read", "event:write"}, {"event:admin", "org:read", "project:write"}),
])
def test_the_scopes_are_those_that_are_held_whole(
    narrowed: Callable[..., Proxy], stand_in: StandIn, words: str, held: set[str], not_held: set[str],
) -> None:
    answer = ask_as_agent(narrowed(stand_in.uri, words), "GET", "/api/0/")
    scopes = set(answer.json["auth"]["scopes"])
    assert held <= scopes and not not_held & scopes, scopes
    assert answer.json == {"version": "0", "auth": {"scopes": sorted(scopes)}, "user": None}
    stand_in.assert_untouched()


def test_the_only_region_is_the_proxy(narrowed: Callable[..., Proxy], stand_in: StandIn) -> None:
    proxy = narrowed(stand_in.uri, "read-only")
    answer = ask_as_agent(proxy, "GET", "/api/0/users/me/regions/")
    assert answer.json == {"regions": [{"name": "default", "url": "http://127.0.0.1"}]}
    named = narrowed(stand_in.uri, "read-only", "--public-url", "https://proxy.example:8443")
    answer = ask_as_agent(named, "GET", "/api/0/users/me/regions/")
    assert answer.json == {"regions": [{"name": "default", "url": "https://proxy.example:8443"}]}
    stand_in.assert_untouched()


def test_an_alias_without_words_is_who_sentry_says(narrowed: Callable[..., Proxy], stand_in: StandIn) -> None:
    ask_as_agent(narrowed(stand_in.uri, ""), "GET", "/api/0/")
    assert stand_in.request()["head"].startswith("GET /api/0/ HTTP/1.1\r\n")


@pytest.mark.parametrize(("words", "target", "listed", "stays"), [
    ("read-only org=acme:1", "/api/0/organizations/",
     [{"slug": "acme", "id": "1"}, {"slug": "other"}, {"slug": "acme", "slug ": 1}], ["acme", "acme"]),
    (WEB, "/api/0/organizations/acme/projects/", [{"slug": "api"}, {"x": {"slug": "web"}}, {"slug": "web", "y": [1]}, "web"], ["web"]),
    (WEB, "/api/0/projects/", [{"slug": "api"}, {"slug": "web"}], ["web"]),
])
def test_a_list_holds_what_is_the_aliass(
    narrowed: Callable[..., Proxy], words: str, target: str, listed: list[object], stays: list[str],
) -> None:
    upstream = answering(json.dumps(listed).encode(), 'Link: <https://s.example/api/0/organizations/?cursor=1>; rel="next"')
    try:
        answer = ask_as_agent(narrowed(upstream.uri, words), "GET", target, "Accept-Encoding: gzip")
        assert answer.status == 200 and [item["slug"] for item in answer.json] == stays
    finally:
        upstream.close()


@pytest.mark.parametrize("body", [
    b'[{"slug": "other", "slug": "acme"}]', b'[{"slug": "acme", "slug": "other"}]', b'[{"\\u0073lug": "other", "slug": "acme"}]',
    b'[{"slug": "\\u0061cme"}]', b"[]", b'[{"slug": ["acme"]}]',
])
def test_a_slug_with_two_readings_is_cut_out(narrowed: Callable[..., Proxy], body: bytes) -> None:
    upstream = answering(body)
    try:
        answer = ask_as_agent(narrowed(upstream.uri, "read-only org=acme:1"), "GET", "/api/0/organizations/")
        assert (answer.status, answer.json) == (200, [])
    finally:
        upstream.close()


@pytest.mark.parametrize(("body", "fields"), [
    (b"[{]", []), (b'[{"slug": "acme"}', []), (b'{"slug": "acme"}', []), (b"\x1f\x8b\x08", ["Content-Encoding: gzip"]),
    (b"[" + b'{"slug": "acme"},' * 70_000 + b"{}]", []),
], ids=["broken", "cut", "no-list", "coded", "long"])
def test_a_list_that_cannot_be_read_is_not_sent(narrowed: Callable[..., Proxy], body: bytes, fields: list[str]) -> None:
    upstream = answering(body, *fields)
    try:
        assert ask_as_agent(narrowed(upstream.uri, "read-only org=acme:1"), "GET", "/api/0/organizations/").status == 502
    finally:
        upstream.close()


def test_what_is_no_list_of_sentrys_goes_on(narrowed: Callable[..., Proxy]) -> None:
    upstream = answering(b'{"detail": "no"}', status="404 Not Found")
    try:
        answer = ask_as_agent(narrowed(upstream.uri, "read-only org=acme:1"), "GET", "/api/0/organizations/")
        assert (answer.status, answer.json) == (404, {"detail": "no"})
    finally:
        upstream.close()


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_the_security_token_of_a_project_is_blanked(narrowed: Callable[..., Proxy], method: str) -> None:
    project = {"slug": "web", "securityToken": "5ec4e75ec4e7", "options": {"a": [1, None, True]}, "securityTokenHeader": None}
    upstream = answering(json.dumps(project).encode())
    try:
        answer = ask_as_agent(narrowed(upstream.uri, "full org=acme:1"), method, "/api/0/projects/acme/web/",
                              body=b"" if method == "GET" else b"{}")
        assert answer.status == 200 and answer.json == project | {"securityToken": ""}
    finally:
        upstream.close()
