"""Sentry's absolute URLs become the proxy's, so that no client follows one out."""

from __future__ import annotations

import re
import socket
from contextlib import closing

import pytest

from harness.client import ask, request
from harness.metrics import scrape
from harness.proxy import Proxy, StartProxy
from harness.scripted import Scripted, read_head
from harness.upstream import StandIn

pytestmark = pytest.mark.rewriting

PUBLIC = "https://proxy.example"


@pytest.fixture
def public_proxy(stand_in: StandIn, start_proxy: StartProxy) -> Proxy:
    return start_proxy(stand_in.uri, "--public-url", PUBLIC)


def test_a_walk_by_link_never_leaves_the_proxy(proxy: Proxy, stand_in: StandIn) -> None:
    names, target = [], "/api/0/organizations/acme/projects/"
    while target:
        answer = ask(proxy.address, request("GET", target, host=f"127.0.0.1:{proxy.port}"))
        names += [item["slug"] for item in answer.json]
        link = answer.value("Link") or ""
        assert stand_in.address not in link
        following = re.search(r'<([^>]+)>; rel="next"; results="true"', link)
        target = following.group(1).removeprefix(proxy.uri) if following else ""
        assert target == "" or target.startswith("/api/0/"), link
    assert names == ["web", "api", "worker", "mobile", "docs"]


@pytest.mark.parametrize("target, read", [
    ("/api/0/organizations/acme/chunk-upload/", lambda value: value["url"]),
    ("/api/0/organizations/acme/", lambda value: value["links"]["regionUrl"]),
    ("/api/0/organizations/acme/", lambda value: value["links"]["organizationUrl"]),
    ("/api/0/organizations/", lambda value: value[1]["links"]["regionUrl"]),
    ("/api/0/users/me/regions/", lambda value: value["regions"][0]["url"]),
], ids=["chunk-upload", "regionUrl", "organizationUrl", "list", "regions"])
def test_urls_in_the_known_bodies_get_the_public_base(public_proxy: Proxy, stand_in: StandIn, target: str, read) -> None:  # noqa: ANN001
    answer = ask(public_proxy.address, request("GET", target))
    assert answer.complete
    url = read(answer.json)
    assert url.startswith(PUBLIC) and stand_in.address not in answer.body.decode(), url


def test_without_a_public_url_the_requests_own_host_is_the_base(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/api/0/organizations/acme/chunk-upload/", host="seen.example:81"))
    assert answer.json["url"] == "http://seen.example:81/api/0/organizations/acme/chunk-upload/"


def test_location_is_rewritten(public_proxy: Proxy, stand_in: StandIn) -> None:
    location = f"{stand_in.uri}/api/0/projects/acme/new/?a=1"
    stand_in.set_canned("moved", f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
    answer = ask(public_proxy.address, request("GET", "/behave/canned?name=moved"))
    assert answer.value("Location") == f"{PUBLIC}/api/0/projects/acme/new/?a=1"


def test_other_bodies_keep_their_urls(public_proxy: Proxy, stand_in: StandIn) -> None:
    body = f'{{"permalink":"{stand_in.uri}/issues/1/"}}'
    answer = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    stand_in.set_canned("issue", answer.encode())
    assert ask(public_proxy.address, request("GET", "/behave/canned?name=issue")).body.decode() == body


@pytest.mark.parametrize("taken_off", [True, False], ids=["taken off before", "left to the proxy"])
def test_a_public_base_with_a_path_keeps_it_in_links_and_is_taken_off_requests(
    stand_in: StandIn, start_proxy: StartProxy, taken_off: bool,
) -> None:
    proxy = start_proxy(stand_in.uri, "--public-url", f"{PUBLIC}/sentry-gw/")
    prefix = "" if taken_off else "/sentry-gw"
    answer = ask(proxy.address, request("GET", f"{prefix}/api/0/organizations/acme/projects/"))
    assert stand_in.request()["head"].startswith("GET /api/0/organizations/acme/projects/ HTTP/1.1\r\n")
    assert f"<{PUBLIC}/sentry-gw/api/0/organizations/acme/projects/" in (answer.value("Link") or "")
    upload = ask(proxy.address, request("GET", f"{prefix}/api/0/organizations/acme/chunk-upload/"))
    assert upload.json["url"] == f"{PUBLIC}/sentry-gw/api/0/organizations/acme/chunk-upload/"


def test_a_location_that_is_a_path_goes_below_the_public_path(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--public-url", f"{PUBLIC}/sentry-gw")
    stand_in.set_canned("moved", b"HTTP/1.1 302 Found\r\nLocation: /api/0/projects/acme/new/\r\nContent-Length: 0\r\n\r\n")
    answer = ask(proxy.address, request("GET", "/behave/canned?name=moved"))
    assert answer.value("Location") == "/sentry-gw/api/0/projects/acme/new/"


def test_what_only_begins_like_the_public_path_is_not_cut(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--public-url", f"{PUBLIC}/sentry-gw")
    ask(proxy.address, request("GET", "/sentry-gwen/api/0/"))
    assert stand_in.request()["head"].startswith("GET /sentry-gwen/api/0/ HTTP/1.1\r\n")


@pytest.mark.parametrize("piece", [b"", b'[{"links":{'], ids=["after the head", "within the body"])
def test_an_answer_that_stalls_while_it_is_collected_says_so(start_proxy: StartProxy, piece: bytes) -> None:
    """Its head came in time, so `--response-timeout` is not to blame."""
    def play(sock: socket.socket, _: int) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n" + piece)
        sock.recv(1)

    with closing(Scripted(play)) as upstream:
        proxy = start_proxy(upstream.uri, "--body-timeout", "500ms", "--response-timeout", "1h")
        assert ask(proxy.address, request("GET", "/api/0/organizations/")).status == 504
    line = proxy.wait_for_line(lambda line: "path=/api/0/organizations/" in line)
    assert "cause=answer_stalled" in line.split(), line
    assert scrape(proxy).sum("request_failures_total", cause="answer_stalled") == 1
    assert scrape(proxy).sum("request_failures_total", cause="answer_timeout") == 0
