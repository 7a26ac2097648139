"""An alias in other clothes never leaves: whatever holds one is a 401 here, and the upstream sees nothing."""

from __future__ import annotations

import base64

import pytest

from harness.client import ask, request
from harness.expect import elevated_head
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

pytestmark = pytest.mark.tokens

ALIAS = "sap_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
OTHER = "team-a.alias/0123456789=="
WITHDRAWN = "sap_GFEDCBAzyxwvutsrqponmlkjihgfedcba9876543210"
assert len(ALIAS) == len(WITHDRAWN) == 47


def basic(text: str) -> str:
    return "Authorization: Basic " + base64.b64encode(text.encode()).decode()


@pytest.fixture
def aliased(stand_in: StandIn, start_proxy: StartProxy) -> Proxy:
    return start_proxy(stand_in.uri, environment={"ALIAS_TOKENS": f"{ALIAS};{OTHER}"})


FORMS = [
    basic("{alias}:"), basic("{alias}:x"), basic("user:{alias}"), "Authorization: Token {alias}", "Authorization: {alias}",
    "Authorization: Bearer {alias} y", "Authorization: Bearer {alias},", "Authorization: Bearer \"{alias}\"",
    "Authorization: Bearer {alias}\xa0", "Authorization: Bearer x;{alias}", "Authorization: DSN {alias}",
    "X-Sentry-Auth: Sentry sentry_key={alias}, sentry_version=7", "X-Api-Key: {alias}", "Cookie: a=b; token={alias}",
    "Referer: http://proxy.example/x?token={alias}&a=b", "User-Agent: {alias}/1.0", "X-Request-Id: {alias}",
    "Authentication: Bearer {alias}",
]


def filled(form: str, alias: str) -> str:
    if form.startswith("Authorization: Basic "):
        text = base64.b64decode(form.rpartition(" ")[2]).decode()
        return basic(text.replace("{alias}", alias))
    return form.replace("{alias}", alias)


@pytest.mark.parametrize("alias", [ALIAS, OTHER], ids=["generated", "chosen"])
@pytest.mark.parametrize("form", FORMS)
def test_a_field_with_an_alias_in_another_form_is_a_401(aliased: Proxy, stand_in: StandIn, form: str, alias: str) -> None:
    for target in ("/api/0/", "/api/1/envelope/"):
        answer = ask(aliased.address, request("GET", target, filled(form, alias)))
        assert answer.status == 401, answer.raw
        assert answer.json == {"detail": "An alias of this proxy is taken as Authorization: Bearer and nowhere else."}
        assert answer.value("WWW-Authenticate") == 'xBasic realm="api"'
    stand_in.assert_untouched()
    line = aliased.wait_for_line(lambda text: "cause=alias_misplaced" in text)
    assert "status=401" in line and alias not in aliased.output


@pytest.mark.parametrize("form", ["X-Api-Key: {long}{alias}", "Referer: http://proxy.example/%61/{long}{alias}/"])
def test_an_alias_behind_a_long_word_is_a_401(aliased: Proxy, stand_in: StandIn, form: str) -> None:
    assert ask(aliased.address, request("GET", "/api/0/", form.format(long="abcdefgh/" * 40, alias=ALIAS))).status == 401
    stand_in.assert_untouched()


@pytest.mark.parametrize("target", [
    "/api/0/?token={alias}", "/api/0/?a=b&key={alias}#".rstrip("#"), "/api/0/?x=%73ap_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
    "/api/0/{alias}/", "/{alias}", "/oauth/token/?client_secret={alias}",
    # Behind more than is kept of a word, as it stands and with escapes before it, between and in it.
    "/api/0/" + "abcdefgh/" * 40 + "{alias}/", "/api/0/%61/" + "abcdefgh/" * 40 + "{alias}/",
    "/api/0/" + "abcdefgh/" * 40 + "x%2F{alias}", "/api/0/" + "a.b" * 120 + "%2e{alias}",
    "/api/0/" + "abcdefgh/" * 40 + "%73ap_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG/",
])
@pytest.mark.parametrize("credentials", [[], [f"Authorization: Bearer {ALIAS}"]], ids=["bare", "elevated"])
def test_a_target_with_an_alias_is_a_401_and_is_not_logged(
    aliased: Proxy, stand_in: StandIn, target: str, credentials: list[str]
) -> None:
    assert ask(aliased.address, request("GET", target.replace("{alias}", ALIAS), *credentials)).status == 401
    stand_in.assert_untouched()
    aliased.wait_for_line(lambda text: "cause=alias_misplaced" in text)
    assert ALIAS not in aliased.output


def test_an_alias_with_reserved_bytes_is_found_in_a_query(aliased: Proxy, stand_in: StandIn) -> None:
    for value in (OTHER, "team-a.alias%2F0123456789%3D%3D"):
        assert ask(aliased.address, request("GET", f"/api/0/?token={value}&x=1")).status == 401
    stand_in.assert_untouched()


@pytest.mark.parametrize("line, aliases", [
    (f"Authorization: Bearer {WITHDRAWN}", True), ("Authorization: Bearer sap_x", True), (f"Authorization: Token {WITHDRAWN}", True),
    (basic("sap_old:"), True), (f"Authorization: Bearer {WITHDRAWN}", False), ("Authorization: Bearer sap_x", False),
])
def test_an_alias_that_is_none_now_stays_here(
    stand_in: StandIn, start_proxy: StartProxy, line: str, aliases: bool
) -> None:
    proxy = start_proxy(stand_in.uri, environment={"ALIAS_TOKENS": ALIAS} if aliases else {})
    answer = ask(proxy.address, request("GET", "/api/1/envelope/", line))
    assert (answer.status, "withdrawn" in answer.json["detail"]) == (401, True)
    stand_in.assert_untouched()
    proxy.wait_for_line(lambda text: "cause=alias_unknown" in text)


@pytest.mark.parametrize("line", [
    "Authorization: Bearer sntryu_0123456789abcdef0123456789abcdef0123456789", "Authorization: Basic eDp5", "X-A: sap_report/1.0",
    "Referer: http://x.example/organizations/sap_se/", "Cookie: " + "a" * 300,
])
def test_what_is_no_alias_passes(aliased: Proxy, stand_in: StandIn, line: str) -> None:
    ask(aliased.address, request("GET", "/api/0/organizations/sap_se/", line))
    assert f"{line}\r\n" in stand_in.request()["head"]


def test_fields_that_are_dropped_anyway_do_no_harm_on_the_elevated_route(aliased: Proxy, stand_in: StandIn) -> None:
    ask(aliased.address, request("GET", "/api/0/", f"Authorization: Bearer {ALIAS}", f"X-Sentry-Auth: {ALIAS}", f"Cookie: a={ALIAS}"))
    assert stand_in.request()["head"] == elevated_head("GET /api/0/ HTTP/1.1", stand_in.address)
