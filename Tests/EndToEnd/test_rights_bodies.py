"""Bodies that name projects: read whole and held against the rights before anything goes upstream."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.client import Answer, ask, request
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

pytestmark = pytest.mark.tokens

ALIAS = "sap_0123456789abcdef0123456789abcdef"
TARGET = "/api/0/organizations/acme/releases/"
JSON = "Content-Type: application/json"


@pytest.fixture
def proxy(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> Proxy:
    file = tmp_path / "aliases"
    file.write_text(f"ci {ALIAS} ci-upload org=acme:1 project=web:1,api:2\n")
    file.chmod(0o600)
    proxy = start_proxy(stand_in.uri, "--alias-file", str(file), "--replay-buffer", "64KiB")
    proxy.wait_for_line(lambda line: "of aliases are known" in line, 10)
    stand_in.reset()
    return proxy


def post(proxy: Proxy, body: bytes, *fields: str) -> Answer:
    return ask(proxy.address, request("POST", TARGET, f"Authorization: Bearer {ALIAS}", *fields, body=body))


@pytest.mark.parametrize("body", [
    b'{"version": "1.0", "projects": ["web"]}', b'{"projects": ["web", "api"], "version": "1.0"}', b'{"version": "1.0", "projects": [1, "2"]}',
])
def test_a_body_of_the_aliass_own_projects_goes_on_as_it_came(proxy: Proxy, stand_in: StandIn, body: bytes) -> None:
    post(proxy, body, JSON)
    seen = stand_in.request()
    assert seen["head"].startswith(f"POST {TARGET} HTTP/1.1\r\n") and f"Content-Length: {len(body)}\r\n" in seen["head"]


def test_so_does_one_in_chunks(proxy: Proxy, stand_in: StandIn) -> None:
    body = b'{"version": "1.0", "projects": ["web"]}'
    raw = request("POST", TARGET, f"Authorization: Bearer {ALIAS}", JSON, "Transfer-Encoding: chunked")
    ask(proxy.address, raw + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    assert f"Content-Length: {len(body)}\r\n" in stand_in.request()["head"]


@pytest.mark.parametrize(("body", "fields"), [
    (b'{"version": "1.0", "projects": ["docs"]}', [JSON]),
    (b'{"version": "1.0", "projects": ["web", "docs"]}', [JSON]),
    (b'{"version": "1.0", "projects": ["web"], "projects": ["docs"]}', [JSON]),
    (b'{"version": "1.0", "project\\u0073": ["docs"], "projects": ["web"]}', [JSON]),
    (b'{"version": "1.0"}', [JSON]),
    (b'{"version": "1.0", "projects": ["web"]', [JSON]),
    (b'{"version": "1.0", "projects": ["web"]}', []),
    (b'{"version": "1.0", "projects": ["web"]}', ["Content-Type: text/plain"]),
    (b'{"version": "1.0", "projects": ["web"]}', [JSON, JSON]),
    (b'{"version": "1.0", "projects": ["web"]}', [JSON, "Content-Encoding: gzip"]),
    (b'{"version": "' + b"1" * 70_000 + b'", "projects": ["web"]}', [JSON]),
    (b"", [JSON]),
])
def test_any_other_body_is_refused_and_nothing_goes_upstream(
    proxy: Proxy, stand_in: StandIn, body: bytes, fields: list[str],
) -> None:
    answer = post(proxy, body, *fields)
    assert answer.status == 403 and answer.value("X-Sentry-Api-Proxy-Refusal") == "body"
    stand_in.assert_untouched()
    line = proxy.wait_for_line(lambda line: "msg=request" in line, 5)
    assert "policy=refused" in line and "reason=body" in line


def test_a_long_body_in_chunks_is_refused_too(proxy: Proxy, stand_in: StandIn) -> None:
    raw = request("POST", TARGET, f"Authorization: Bearer {ALIAS}", JSON, "Transfer-Encoding: chunked")
    answer = ask(proxy.address, raw + b"11170\r\n" + b" " * 70_000 + b"\r\n0\r\n\r\n")
    assert answer.status == 403 and answer.value("X-Sentry-Api-Proxy-Refusal") == "body"
    stand_in.assert_untouched()
