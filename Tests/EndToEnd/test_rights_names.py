"""Organizations and projects of aliases: their numbers are asked for, pinned, and a slug that is another's is refused."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.client import Answer, ask, request
from harness.metrics import scrape
from harness.proxy import Proxy, StartProxy
from harness.upstream import RawUpstream, StandIn

pytestmark = pytest.mark.tokens

ALIAS = "sap_0123456789abcdef0123456789abcdef"
ISSUES = "/api/0/organizations/acme/issues/"


def organization(id: str, slug: str = "acme", status: str = "200 OK") -> bytes:
    body = json.dumps({"id": id, "slug": slug}).encode()
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


@pytest.fixture
def upstream() -> Iterator[RawUpstream]:
    upstream = RawUpstream([organization("1")])
    yield upstream
    upstream.close()


@pytest.fixture
def narrowed(start_proxy: StartProxy, tmp_path: Path) -> Callable[..., Proxy]:
    def start(uri: str, words: str) -> Proxy:
        file = tmp_path / "aliases"
        file.write_text(f"agent {ALIAS} {words}\n")
        file.chmod(0o600)
        return start_proxy(uri, "--alias-file", str(file))

    return start


def ask_as_agent(proxy: Proxy, target: str) -> Answer:
    return ask(proxy.address, request("GET", target, f"Authorization: Bearer {ALIAS}", "Accept: application/json"))


def known(line: str) -> bool:
    return "of aliases are known" in line


def test_a_selection_of_projects_is_filled_in_with_their_numbers(narrowed: Callable[..., Proxy], stand_in: StandIn) -> None:
    proxy = narrowed(stand_in.uri, "read-only org=acme project=web,api")
    proxy.wait_for_line(known, 10)
    stand_in.reset()
    ask_as_agent(proxy, ISSUES)
    assert stand_in.request()["head"].startswith(f"GET {ISSUES}?project=1&project=2 HTTP/1.1\r\n")
    stand_in.reset()
    ask_as_agent(proxy, "/api/0/organizations/1/issues/?project=2")
    assert stand_in.request()["head"].startswith("GET /api/0/organizations/1/issues/?project=2 HTTP/1.1\r\n")
    assert ask_as_agent(proxy, ISSUES + "?project=3").status == 403


def test_the_numbers_are_asked_for_with_the_proxys_own_token(narrowed: Callable[..., Proxy], stand_in: StandIn) -> None:
    proxy = narrowed(stand_in.uri, "read-only org=acme project=web")
    proxy.wait_for_line(known, 10)
    seen = stand_in.records(requests=2, ended=2)["requests"]
    assert [item["head"].partition(" HTTP/")[0] for item in seen] == [
        "GET /api/0/organizations/acme/?detailed=0", "GET /api/0/projects/acme/web/"]
    assert all(ALIAS not in item["head"] for item in seen)


def test_a_selection_waits_for_a_number_that_is_not_known(narrowed: Callable[..., Proxy], upstream: RawUpstream) -> None:
    upstream.pieces = [organization("1", status="500 Internal Server Error")]
    proxy = narrowed(upstream.uri, "read-only org=acme project=web")
    proxy.wait_for_line(lambda line: "gives no ids" in line and "acme/web" in line, 10)
    answer = ask_as_agent(proxy, ISSUES)
    assert (answer.status, answer.value("Retry-After")) == (503, "1")
    assert scrape(proxy).sum("alias_names_unknown") == 2
    # It is asked again, soon.
    upstream.pieces = [organization("1", slug="web")]
    proxy.wait_for_line(lambda line: "gives no ids" in line and "acme/web" not in line, 20)
    assert ask_as_agent(proxy, ISSUES).status == 200
    assert upstream.heads[-1].startswith(f"GET {ISSUES}?project=1 HTTP/1.1\r\n".encode())


@pytest.mark.parametrize("words", ["read-only org=acme:1", "read-only org=acme:1 project=acme"])
def test_a_slug_of_another_than_the_pinned_is_refused(
    narrowed: Callable[..., Proxy], upstream: RawUpstream, words: str,
) -> None:
    upstream.pieces = [organization("7")]
    proxy = narrowed(upstream.uri, words)
    proxy.wait_for_line(lambda line: "belongs to another organization" in line and "name=acme" in line, 10)
    answer = ask_as_agent(proxy, ISSUES)
    assert (answer.status, answer.value("X-Sentry-Api-Proxy-Refusal")) == (403, "organization")
    assert scrape(proxy).sum("alias_names_refused") == 1
    # One alias's name is no reason to take the proxy away from all others.
    assert json.loads(ask(proxy.admin, request("GET", "/status")).payload)["rights"]["health"] == "degraded"
    assert ask(proxy.admin, request("GET", "/readyz")).status == 200
    assert not any(ISSUES.encode() in head for head in upstream.heads)


def test_a_pin_outlives_a_reload(narrowed: Callable[..., Proxy], upstream: RawUpstream) -> None:
    proxy = narrowed(upstream.uri, "read-only org=acme")
    proxy.wait_for_line(known, 10)
    assert ask_as_agent(proxy, ISSUES).status == 200
    upstream.pieces = [organization("7")]
    proxy.signal(signal.SIGHUP)
    proxy.wait_for_line(lambda line: "belongs to another organization" in line, 10)
    assert ask_as_agent(proxy, ISSUES).status == 403
