"""An upstream under a path of its own: put before every target, taken out of what is rewritten; targets keep their bytes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.client import ask, request
from harness.proxy import StartProxy
from harness.upstream import RawUpstream, StandIn

PUBLIC = "https://proxy.example"
PREFIX = "/on/sentry"


def target_seen(stand_in: StandIn) -> str:
    return stand_in.request()["head"].split(" ", 2)[1]


@pytest.mark.parametrize("suffix", ["", "/"])
@pytest.mark.parametrize("target, sent", [
    ("/behave/sized", "/behave/sized"),
    ("/behave/sized?a=%2F&b=//&c=../", "/behave/sized?a=%2F&b=//&c=../"),
])
def test_targets_without_a_prefix(stand_in: StandIn, start_proxy: StartProxy, target: str, sent: str, suffix: str) -> None:
    assert ask(start_proxy(stand_in.uri + suffix).address, request("GET", target)).status == 200
    assert target_seen(stand_in) == sent


@pytest.mark.parametrize("target", [
    "/api/0/", "/api//0///", "/api/0/./x/../y/", "/api/%2e%2e/%2E./", "/a%2Fb%5c", "//host/path", "/%zz%", "/?", "/?a=//..", "/a;b=c,d",
    "/~!$&'()*+,;=:@-._", "/UPPER/lower", "/api/0/?statsPeriod=14d&query=is%3Aunresolved+%22x%22", "/\x7e", "/a|b^c`{d}",
])
@pytest.mark.parametrize("prefix", ["", PREFIX, "/a%2Fb//c"])
def test_a_target_keeps_its_bytes_behind_the_prefix(stand_in: StandIn, start_proxy: StartProxy, prefix: str, target: str) -> None:
    proxy = start_proxy(stand_in.uri + prefix)
    ask(proxy.address, request("GET", target))
    assert target_seen(stand_in) == prefix + target


@pytest.mark.parametrize("form, sent", [
    ("http://elsewhere.example/api/0/?a=1", PREFIX + "/api/0/?a=1"), ("http://elsewhere.example", PREFIX + "/"),
])
def test_an_absolute_form_loses_its_host_and_gets_the_prefix(stand_in: StandIn, start_proxy: StartProxy, form: str, sent: str) -> None:
    ask(start_proxy(stand_in.uri + PREFIX).address, request("GET", form))
    assert target_seen(stand_in) == sent


def test_the_asterisk_has_no_path(stand_in: StandIn, start_proxy: StartProxy) -> None:
    ask(start_proxy(stand_in.uri + PREFIX).address, request("OPTIONS", "*"))
    assert target_seen(stand_in) in ("*", PREFIX + "/", PREFIX)


@pytest.mark.parametrize("public", [(), ("--public-url", PUBLIC)], ids=["own host", "public"])
def test_the_prefix_is_taken_out_of_what_is_rewritten(
    raw_upstream: Callable[..., RawUpstream], start_proxy: StartProxy, public: tuple[str, ...]
) -> None:
    upstream = raw_upstream()
    own = upstream.uri + PREFIX
    body = f'{{"url":"{own}/api/0/organizations/acme/chunk-upload/"}}'
    rest = 'rel="next"; results="true"; cursor="0:1:0"'
    upstream.pieces = ["\r\n".join([
        "HTTP/1.1 200 OK", "Content-Type: application/json", f"Location: {own}/api/0/projects/acme/new/",
        f"Link: <{own}/api/0/issues/?&cursor=0:1:0>; {rest}", f"Content-Length: {len(body)}", "", body]).encode()]
    base = PUBLIC if public else "http://seen.example"
    proxy = start_proxy(own, *public)
    answer = ask(proxy.address, request("GET", "/api/0/organizations/acme/chunk-upload/", host="seen.example"))
    assert upstream.heads[0].startswith(f"GET {PREFIX}/api/0/organizations/acme/chunk-upload/ ".encode())
    assert answer.value("Location") == f"{base}/api/0/projects/acme/new/"
    assert answer.value("Link") == f"<{base}/api/0/issues/?&cursor=0:1:0>; {rest}"
    assert answer.json == {"url": f"{base}/api/0/organizations/acme/chunk-upload/"}
