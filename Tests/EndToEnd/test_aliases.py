"""Aliases: who is elevated, and what the upstream receives of those who are not."""

from __future__ import annotations

import pytest

from harness.client import ask, request
from harness.expect import bypass_head, elevated_head
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

pytestmark = pytest.mark.tokens

FIRST, SECOND = "alias-one-0123456789", "alias-two-9876543210"
LINE = "GET /api/0/ HTTP/1.1"
IDENTITY = ["Cookie: sentrysid=1", "Origin: https://app.example", "X-Sentry-Auth: Sentry a=b", "X-Is-Agent: 1"]


@pytest.fixture
def aliased(stand_in: StandIn, start_proxy: StartProxy) -> Proxy:
    return start_proxy(stand_in.uri, environment={"ALIAS_TOKENS": f"{FIRST};{SECOND}"})


@pytest.mark.parametrize("authorization", [
    f"Bearer {FIRST}", f"Bearer {SECOND}", f"bearer {FIRST}", f"BEARER {SECOND}",
])
def test_a_matching_alias_is_elevated(aliased: Proxy, stand_in: StandIn, authorization: str) -> None:
    ask(aliased.address, request("GET", "/api/0/", f"Authorization: {authorization}", *IDENTITY))
    assert stand_in.request()["head"] == elevated_head(LINE, stand_in.address)


@pytest.mark.parametrize("line", [
    "Authorization: Bearer another", f"Authorization: Bearer {FIRST}x", f"Authorization: Bearer {FIRST[:-1]}",
    f"Authorization: Bearer {FIRST.upper()}", "Authorization: Basic YTpi", "Authorization: Bearer", "Authorization: Bearer ;",
])
def test_anything_else_is_forwarded_as_it_is(aliased: Proxy, stand_in: StandIn, line: str) -> None:
    ask(aliased.address, request("GET", "/api/0/", line, *IDENTITY))
    assert stand_in.request()["head"] == bypass_head(LINE, stand_in.address, [line, *IDENTITY])


def test_no_authorization_is_the_bypass(aliased: Proxy, stand_in: StandIn) -> None:
    answer = ask(aliased.address, request("GET", "/api/0/"))
    assert answer.status == 401
    assert answer.values("WWW-Authenticate") == ['xBasic realm="api"'] and answer.values("Set-Cookie")
    assert stand_in.request()["head"] == bypass_head(LINE, stand_in.address)


@pytest.mark.parametrize("second", [f"Authorization: Bearer {FIRST}", "authorization: Basic x", f"AUTHORIZATION: Bearer {SECOND}"])
def test_two_authorization_fields_are_a_400(aliased: Proxy, stand_in: StandIn, second: str) -> None:
    assert ask(aliased.address, request("GET", "/api/0/", f"Authorization: Bearer {FIRST}", second)).status == 400
    stand_in.assert_untouched()


@pytest.mark.parametrize("target", ["/oauth/token/", "/api/12/envelope/", "/%6Fauth/token/"])
def test_an_alias_never_reaches_the_upstream_by_a_path_that_is_not_elevated(aliased: Proxy, stand_in: StandIn, target: str) -> None:
    ask(aliased.address, request("GET", target, f"Authorization: Bearer {FIRST}", "Cookie: a=b"))
    head = stand_in.request()["head"]
    assert FIRST not in head
    assert head == bypass_head(f"GET {target} HTTP/1.1", stand_in.address, ["Cookie: a=b"])


def test_without_aliases_every_caller_is_elevated(proxy: Proxy, stand_in: StandIn) -> None:
    for line in ["Authorization: Bearer other", "Authorization: Basic YTpi", "X-A: b"]:
        stand_in.reset()
        ask(proxy.address, request("GET", "/api/0/", line))
        kept = [line] if line.startswith("X-") else []
        assert stand_in.request()["head"] == elevated_head(LINE, stand_in.address, kept)
