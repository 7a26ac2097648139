"""Rights of aliases, by wire: what goes upstream, what is refused, and what the log says of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.client import Answer, ask, request
from harness.expect import elevated_head
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

pytestmark = pytest.mark.tokens

ALIAS = "sap_0123456789abcdef0123456789abcdef"
Narrowed = Callable[..., Proxy]


@pytest.fixture
def narrowed(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> Narrowed:
    """A proxy with one alias of these words."""

    def start(words: str, *flags: str) -> Proxy:
        file = tmp_path / "aliases"
        file.write_text(f"agent {ALIAS} {words}\n")
        file.chmod(0o600)
        proxy = start_proxy(stand_in.uri, "--alias-file", str(file), *flags)
        if "org=" in words:
            proxy.wait_for_line(lambda line: "organizations" in line and "of aliases are known" in line, 10)
            stand_in.reset()
        return proxy

    return start


def ask_as_agent(proxy: Proxy, method: str, target: str, *fields: str, body: bytes = b"") -> Answer:
    return ask(proxy.address, request(method, target, f"Authorization: Bearer {ALIAS}", *fields, body=body))


def test_what_is_held_goes_upstream_as_it_came(narrowed: Narrowed, stand_in: StandIn) -> None:
    proxy = narrowed("read-only org=acme")
    ask_as_agent(proxy, "GET", "/api/0/organizations/acme/issues/?query=is:unresolved")
    assert stand_in.request()["head"] == elevated_head(
        "GET /api/0/organizations/acme/issues/?query=is:unresolved HTTP/1.1", stand_in.address)


@pytest.mark.parametrize(("words", "method", "target", "reason", "scopes"), [
    ("read-only org=acme", "PUT", "/api/0/organizations/acme/issues/5/", "operation", "event:admin event:write"),
    ("read-only org=acme", "GET", "/api/0/organizations/other/issues/", "organization", None),
    ("read-only org=acme", "GET", "/api/0/organizations/acme/no-such-thing/", "unknown", None),
    ("read-only org=acme", "GET", "/api/0/organizations//acme/issues/", "form", None),
    ("read-only org=acme", "GET", "/settings/acme/", "outside", None),
    ("read-only org=acme project=web", "GET", "/api/0/projects/acme/api/", "project", None),
])
def test_a_refusal_says_why_and_nothing_goes_upstream(
    narrowed: Narrowed, stand_in: StandIn, words: str, method: str, target: str, reason: str, scopes: str | None,
) -> None:
    proxy = narrowed(words)
    answer = ask_as_agent(proxy, method, target, "Accept: application/json")
    assert answer.status == 403 and answer.value("Content-Type") == "application/json"
    assert list(answer.json) == ["detail"] and answer.json["detail"].startswith("Alias agent may ")
    assert answer.value("X-Sentry-Api-Proxy-Refusal") == reason
    challenge = f'Bearer error="insufficient_scope", scope="{scopes}"'
    assert answer.values("WWW-Authenticate") == ([challenge] if scopes else [])
    stand_in.assert_untouched()
    line = proxy.wait_for_line(lambda line: "msg=request" in line, 5)
    assert "alias=agent" in line and "policy=refused" in line and f"reason={reason}" in line


def test_an_issue_without_organization_is_looked_up_in_the_aliass_own(narrowed: Narrowed, stand_in: StandIn) -> None:
    proxy = narrowed("read-only org=acme")
    ask_as_agent(proxy, "GET", "/api/0/issues/4711/events/?full=1")
    assert stand_in.request()["head"] == elevated_head(
        "GET /api/0/organizations/acme/issues/4711/events/?full=1 HTTP/1.1", stand_in.address)


def test_a_rewritten_request_with_a_chunked_body_is_rewritten_too(narrowed: Narrowed, stand_in: StandIn) -> None:
    proxy = narrowed("event:write org=acme")
    raw = request("PUT", "/api/0/issues/4711/", f"Authorization: Bearer {ALIAS}", "Transfer-Encoding: chunked",
                  "Content-Type: application/json")
    ask(proxy.address, raw + b"2\r\n{}\r\n0\r\n\r\n")
    seen = stand_in.request()
    assert seen["head"].startswith("PUT /api/0/organizations/acme/issues/4711/ HTTP/1.1\r\n")
    assert "Content-Length: 2\r\n" in seen["head"]


def test_the_log_says_what_was_done(narrowed: Narrowed, stand_in: StandIn) -> None:
    proxy = narrowed("read-only org=acme")
    ask_as_agent(proxy, "GET", "/api/0/organizations/acme/issues/WEB-4F/")
    line = proxy.wait_for_line(lambda line: "msg=request" in line, 5)
    assert "policy=allowed op=issue.read org=acme project=WEB object=WEB-4F" in line


def test_sentrys_own_401_is_not_the_aliass(narrowed: Narrowed, stand_in: StandIn) -> None:
    proxy = narrowed("read-only org=acme")
    stand_in.set_tokens([])
    answer = ask_as_agent(proxy, "GET", "/api/0/organizations/acme/issues/", "Accept: application/json")
    assert (answer.status, answer.json) == (502, {"detail": "Sentry did not accept this proxy's token."})


@pytest.mark.parametrize(("words", "status"), [
    # Limits alone narrow nothing: such an alias is answered as one without words is.
    ("full rate=100/s", 401), ("full concurrency=5 expires=2999-01-01", 401), ("full mode=shadow", 401), ("", 401),
    ("full org=acme", 502), ("read-only mode=shadow", 502),
])
def test_only_who_is_narrowed_is_spared_sentrys_401(narrowed: Narrowed, stand_in: StandIn, words: str, status: int) -> None:
    proxy = narrowed(words)
    stand_in.set_tokens([])
    assert ask_as_agent(proxy, "GET", "/api/0/organizations/acme/issues/", "Accept: application/json").status == status


def test_an_expired_alias_is_told_so_in_sentrys_words(narrowed: Narrowed, stand_in: StandIn) -> None:
    ends = int(time.time()) + 8
    proxy = narrowed(f"read-only org=acme expires={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(ends))}")
    assert ask_as_agent(proxy, "GET", "/api/0/organizations/acme/issues/").status != 401
    eventually(lambda: time.time() >= ends, "the alias has expired")
    stand_in.reset()
    answer = ask_as_agent(proxy, "GET", "/api/0/organizations/acme/issues/", "Accept: application/json")
    assert (answer.status, answer.json) == (401, {"detail": "Token expired"})
    stand_in.assert_untouched()


def test_in_shadow_mode_a_refusal_is_logged_and_forwarded(narrowed: Narrowed, stand_in: StandIn) -> None:
    proxy = narrowed("read-only org=acme mode=shadow")
    ask_as_agent(proxy, "PUT", "/api/0/organizations/acme/issues/5/", body=b"{}")
    assert stand_in.request()["head"].startswith("PUT /api/0/organizations/acme/issues/5/ HTTP/1.1\r\n")
    line = proxy.wait_for_line(lambda line: "msg=request" in line, 5)
    assert "policy=would_refuse reason=operation" in line


def test_ingest_takes_the_bypass_without_the_alias(narrowed: Narrowed, stand_in: StandIn) -> None:
    proxy = narrowed("read-only org=acme")
    ask_as_agent(proxy, "POST", "/api/12/envelope/", body=b"{}")
    assert ALIAS not in stand_in.request()["head"] and "authorization" not in stand_in.request()["head"].lower()
