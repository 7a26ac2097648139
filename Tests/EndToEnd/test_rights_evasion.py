"""Ways around the rights of an alias that are not in its path: methods, fields, framing, forms of the target, bodies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.client import ask
from harness.proxy import Proxy, StartProxy
from test_rights_wire import Recorder

pytestmark = pytest.mark.tokens

ALIAS = "sap_0123456789abcdef0123456789abcdef"
BEARER = f"Authorization: Bearer {ALIAS}\r\n".encode()
RELEASES = b"/api/0/organizations/acme/releases/"
FOREIGN = b"/api/0/organizations/other/releases/"
JSON = b"Content-Type: application/json\r\n"
# JSON that names its own project, and a form that names another.
BOTH = b'{"version": "1", "projects": ["web"], "x": "&projects=docs&version=1&y="}'
FORM = b"version=1&projects=docs"
PART = b'--b\r\nContent-Disposition: form-data; name="projects"\r\n\r\ndocs\r\n--b--\r\n'


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.upstream.close()


@pytest.fixture
def proxy(recorder: Recorder, start_proxy: StartProxy, tmp_path: Path) -> Proxy:
    file = tmp_path / "aliases"
    file.write_text(f"ci {ALIAS} ci-upload read-only org=acme:1 project=web:10,api:11\n")
    file.chmod(0o600)
    proxy = start_proxy(recorder.upstream.uri, "--alias-file", str(file))
    proxy.wait_for_line(lambda line: "of aliases are known" in line, 10)
    recorder.take()
    return proxy


def raw(line: bytes, fields: bytes = b"", body: bytes = b"", *, version: bytes = b"HTTP/1.1") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return line + b" " + version + b"\r\nHost: proxy.example\r\n" + BEARER + fields + length + b"\r\n" + body


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


WAYS: list[tuple[bytes, str]] = [
    # Another version, and other forms of the target.
    (raw(b"GET " + FOREIGN, version=b"HTTP/1.0"), "organization"), (raw(b"GET http://proxy.example" + FOREIGN), "organization"),
    (raw(b"GET http://elsewhere.example" + FOREIGN), "organization"), (raw(b"DELETE https://proxy.example" + RELEASES + b"1/"), "operation"),
    (raw(b"OPTIONS *"), "form"), (raw(b"GET http://proxy.example"), "outside"),
    # HEAD and OPTIONS run what GET runs; other methods have no row, in whatever case.
    (raw(b"HEAD " + FOREIGN), "organization"), (raw(b"OPTIONS /api/0/organizations/acme/members/"), "operation"),
    (raw(b"get " + RELEASES), "method"), (raw(b"Delete " + RELEASES + b"1/"), "method"), (raw(b"PROPFIND " + RELEASES), "method"),
    # Twice the same, once in another spelling.
    (raw(b"GET /api/0/organizations/acme/issues/?project=10&project=12"), "project"),
    (raw(b"GET /api/0/organizations/acme/issues/?project=10&%70roject=12"), "project"),
    (raw(b"GET /api/0/organizations/acme/issues/?project=10;project=12"), "project"),
    (raw(b"GET /api/0/organizations/acme/issues/?project=10&shortIdLookup=1&query=DOCS-1"), "project"),
    (raw(b"PUT " + RELEASES + b"1/?project=12", JSON, b'{"projects": ["web"]}'), "project"),
    # A body that is read in another way than it is looked at.
    (raw(b"POST " + RELEASES, b"Content-Type: application/x-www-form-urlencoded\r\n", FORM), "body"),
    (raw(b"POST " + RELEASES, b"Content-Type: multipart/form-data; boundary=b\r\n", PART), "body"),
    (raw(b"POST " + RELEASES, b"Content-Type: application/x-www-form-urlencoded\r\n", BOTH), "body"),
    (raw(b"POST " + RELEASES, JSON + b"Content_Type: application/x-www-form-urlencoded\r\n", BOTH), "body"),
    (raw(b"POST " + RELEASES, b"Content_Type: application/x-www-form-urlencoded\r\n" + JSON, BOTH), "body"),
    (raw(b"POST " + RELEASES, JSON + b"Content-Type: text/plain\r\n", BOTH), "body"),
    (raw(b"POST " + RELEASES, b"Content-Type: application/json, text/plain\r\n", BOTH), "body"),
    (raw(b"POST " + RELEASES, b"Content-Type: application/json; charset=utf-7\r\n", BOTH), "body"),
    (raw(b"POST " + RELEASES, JSON + b"Content_Encoding: deflate\r\n", BOTH), "body"),
    (raw(b"POST " + RELEASES, JSON, b'{"projects": ["web"], "projects": ["docs"]}'), "body"),
    (raw(b"POST " + RELEASES, JSON, b'\xef\xbb\xbf{"projects": ["web"]}'), "body"), (raw(b"POST " + RELEASES, JSON, b'[{"projects": ["web"]}]'), "body"),
    (raw(b"POST " + RELEASES, JSON + b"Transfer-Encoding: chunked\r\n") + chunked(b'{"projects": ["docs"]}'), "body"),
    (raw(b"POST " + RELEASES, JSON + b"Transfer-Encoding: chunked\r\nTrailer: X-A\r\n") + b'16\r\n{"projects": ["docs"]}\r\n0\r\nX-A: 1\r\n\r\n', "body"),
    (raw(b"POST " + RELEASES, JSON + b"Expect: 100-continue\r\n", b'{"projects": ["docs"]}'), "body"),
    (raw(b"POST " + RELEASES, JSON, b'{"projects": ["web"], "x": "' + b"y" * 300_000 + b'"}'), "body"), (raw(b"POST " + RELEASES, JSON), "body"),
]


def test_no_way_around(proxy: Proxy, recorder: Recorder) -> None:
    for sent, refusal in WAYS:
        answer = ask(proxy.address, sent)
        assert (answer.status, answer.value("X-Sentry-Api-Proxy-Refusal"), recorder.take()) == (403, refusal, []), sent[:400]


UNCLEAR = [
    raw(b"GET " + RELEASES + b"#/../../other/"), raw(b"GET " + RELEASES, BEARER), raw(b"GET " + RELEASES, b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    raw(b"GET " + RELEASES + b" /x"), raw(b"GET http://u@proxy.example" + RELEASES), raw(b"GET  " + RELEASES),
]


def test_what_has_two_readings_goes_nowhere(proxy: Proxy, recorder: Recorder) -> None:
    for sent in UNCLEAR:
        assert (ask(proxy.address, sent).status, recorder.take()) == (400, []), sent


def test_what_is_the_aliass_own_goes_on(proxy: Proxy, recorder: Recorder) -> None:
    """Refusals prove nothing of a proxy that refuses everything."""
    body = b'{"version": "1", "projects": ["web"]}'
    for sent, upstream in [
        (raw(b"GET http://elsewhere.example" + RELEASES), b"GET " + RELEASES + b"?project=10&project=11"), (raw(b"HEAD " + RELEASES, version=b"HTTP/1.0"), b"HEAD " + RELEASES + b"?project=10&project=11"),
        (raw(b"POST " + RELEASES, JSON, body), b"POST " + RELEASES), (raw(b"POST " + RELEASES, JSON + b"Transfer-Encoding: chunked\r\n") + chunked(body), b"POST " + RELEASES),
        (raw(b"PUT " + RELEASES + b"1/", JSON, body), b"PUT " + RELEASES + b"1/?project=10&project=11"),
    ]:
        assert ask(proxy.address, sent).status == 200, sent
        assert recorder.take() == [upstream.decode() + " HTTP/1.1"]
