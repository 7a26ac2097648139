"""The admin listener answers only to names that are its own: a page in a browser cannot ask it by another (DNS rebinding)."""

from __future__ import annotations

import socket

import pytest

from harness.client import ask, request
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

OWN = socket.gethostname()


@pytest.mark.parametrize("host, status", [
    ("127.0.0.1", 200), ("127.0.0.1:9090", 200), ("10.1.2.3", 200), ("[::1]:9090", 200), ("localhost", 200), ("LocalHost:9090", 200), (OWN, 200),
    ("rebound.example", 421), ("rebound.example:9090", 421), ("localhost.rebound.example", 421), ("127.0.0.1.example", 421),
    ("[::1].example", 400), ("proxy.internal", 421),
])
def test_a_name_that_nobody_gave_is_refused(proxy: Proxy, host: str, status: int) -> None:
    for path in ("/healthz", "/status", "/metrics"):
        answer = ask(proxy.admin, request("GET", path, host=host))
        assert answer.status == status
        assert status == 200 or b"sentry_api_proxy" not in answer.raw


def test_a_name_that_was_given_is_answered(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--admin-host", "proxy.internal, metrics.example")
    for host in ("proxy.internal", "Metrics.Example:9090", "metrics.example."):
        assert ask(proxy.admin, request("GET", "/healthz", host=host)).status == 200
    assert ask(proxy.admin, request("GET", "/healthz", host="other.example")).status == 421


def test_http_1_0_needs_no_host(proxy: Proxy) -> None:
    assert ask(proxy.admin, b"GET /healthz HTTP/1.0\r\n\r\n").status == 200
