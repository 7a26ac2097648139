"""Only a path with one reading for everybody is elevated, whatever lies between the proxy and Sentry's routes."""

from __future__ import annotations

import pytest

from harness.client import ask, request
from harness.expect import bypass_head, elevated_head
from harness.proxy import Proxy, StartProxy, run_to_end
from harness.upstream import StandIn

ALIAS = "alias-one-0123456789"


@pytest.mark.parametrize("target", [
    "//x/oauth/token/", "/;\\0/oauth/token/", "/api/;\\x/1/envelope/", "/api/store/", "/api/embed/error-page/", "/api//0/",
    "/api/0/./organizations/", "/api/%30/organizations/", "/api/0/organizations/acme%2Fissues/", "/api/0/x/%252e/",
    "/api/0/x/%c0%ae%c0%ae/", "/api/0/x;y/",
])
@pytest.mark.parametrize("aliases", [True, False], ids=["alias", "no aliases"])
def test_a_path_with_two_readings_takes_the_bypass_with_its_own_bytes(
    stand_in: StandIn, start_proxy: StartProxy, target: str, aliases: bool
) -> None:
    proxy = start_proxy(stand_in.uri, environment={"ALIAS_TOKENS": ALIAS} if aliases else {})
    fields = [f"Authorization: Bearer {ALIAS}"] if aliases else []
    ask(proxy.address, request("GET", target, *fields))
    assert stand_in.request()["head"] == bypass_head(f"GET {target} HTTP/1.1", stand_in.address)


@pytest.mark.parametrize("prefix, target, elevated", [
    ("/api", "/1/envelope/", False), ("/api", "/store/", False), ("/api", "/0/organizations/", True),
    ("/sentry", "/oauth/token/", False), ("/sentry", "/api/1/envelope/", False), ("/sentry", "/api/0/", True),
    ("/a//b", "/api/0/", False),
])
def test_the_upstreams_path_is_a_part_of_the_path(
    stand_in: StandIn, start_proxy: StartProxy, prefix: str, target: str, elevated: bool
) -> None:
    proxy = start_proxy(stand_in.uri + prefix)
    ask(proxy.address, request("GET", target))
    head = elevated_head if elevated else bypass_head
    assert stand_in.request()["head"] == head(f"GET {prefix}{target} HTTP/1.1", stand_in.address)
    assert ("nothing is elevated" in proxy.output) == (prefix == "/a//b")


@pytest.mark.parametrize("line", [
    "SCRIPT_NAME: /api/0", "Script-Name: /api/0", "script_name: /api/0", "PATH_INFO: /oauth/token/", "Path-Info: /x",
    "Proxy: http://proxy.example", "X-Original-URL: /oauth/token/", "X_Rewrite_URL: /oauth/token/", "X-HTTP-Method-Override: TRACE",
    "X-HTTP-Method: TRACE", "x_method_override: TRACE",
])
@pytest.mark.parametrize("target", ["/api/0/", "/api/1/envelope/"])
def test_a_field_that_would_move_the_request_never_arrives(proxy: Proxy, stand_in: StandIn, line: str, target: str) -> None:
    ask(proxy.address, request("GET", target, line))
    head = elevated_head if target == "/api/0/" else bypass_head
    assert stand_in.request()["head"] == head(f"GET {target} HTTP/1.1", stand_in.address)


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_chosen_paths_are_the_only_ones_elevated(stand_in: StandIn, start_proxy: StartProxy, how: str) -> None:
    value = "/api/0/; /_health/"
    flags, environment = (["--elevate-paths", value], {}) if how == "flag" else ([], {"ELEVATE_PATHS": value})
    proxy = start_proxy(stand_in.uri, *flags, environment=environment)
    for target, elevated in [("/api/0/", True), ("/_health/", True), ("/organizations/acme/", False), ("/api/0x/", False)]:
        stand_in.reset()
        ask(proxy.address, request("GET", target))
        head = elevated_head if elevated else bypass_head
        assert stand_in.request()["head"] == head(f"GET {target} HTTP/1.1", stand_in.address), target


@pytest.mark.parametrize("value", ["/api/0", "api/0/", "/api//0/", "/a/../", "/api/0/;", "/%61pi/0/"])
def test_a_wrong_choice_ends_the_start(value: str) -> None:
    for flags, environment, status in [(["--elevate-paths", value], {}, 64), ([], {"ELEVATE_PATHS": value}, 78)]:
        ended = run_to_end("--sentry-uri", "http://127.0.0.1:9", *flags, **environment)
        assert ended.returncode == status and ended.stderr.count("\n") == 1, ended
        assert ended.stderr.startswith("sentry-api-proxy: " + (flags[0] if flags else "ELEVATE_PATHS")), ended.stderr
