"""The proxy's own error answers."""

from __future__ import annotations

import pytest

from harness.client import ask, request
from harness.proxy import Proxy, StartProxy
from harness.upstream import TOKEN, StandIn

JSON = "application/json"
TEXT = "text/plain"


@pytest.mark.parametrize("accept, form", [
    ("application/json", JSON), ("application/vnd.api+json", JSON), ("application/*", JSON),
    ("text/plain", TEXT), ("text/html", TEXT), ("application/json;q=0.5, text/plain", TEXT),
    ("text/plain;q=0.5, application/json;q=0.9", JSON), ("application/json;q=0, text/plain;q=0.1", TEXT),
    ("APPLICATION/JSON", JSON),
])
def test_the_form_of_an_error_follows_accept(proxy: Proxy, stand_in: StandIn, accept: str, form: str) -> None:
    answer = ask(proxy.address, request("GET", "/behave/reset-head", f"Accept: {accept}"))
    assert answer.status == 502
    assert (answer.value("Content-Type") or "").partition(";")[0] == form
    assert answer.values("Content-Length") == [str(len(answer.payload))]
    assert answer.values("Connection") == ["close"]


def test_a_json_error_has_exactly_the_key_detail(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("GET", "/behave/reset-head", "Accept: application/json"))
    assert answer.value("Content-Type") == "application/json"
    assert list(answer.json) == ["detail"] and isinstance(answer.json["detail"], str)


@pytest.mark.parametrize(("status", "payload"), [
    (405, request("TRACE", "/", "Accept: application/json")),
    (501, request("GET", "/", "Accept: application/json", "Transfer-Encoding: gzip, chunked")),
])
def test_a_request_refused_by_its_head_is_told_so_in_the_form_it_asked_for(proxy: Proxy, stand_in: StandIn, status: int, payload: bytes) -> None:
    answer = ask(proxy.address, payload)
    assert (answer.status, answer.value("Content-Type")) == (status, "application/json")


def test_an_error_has_a_request_id_that_the_log_has_too(proxy: Proxy, stand_in: StandIn) -> None:
    first = ask(proxy.address, request("GET", "/behave/reset-head"))
    second = ask(proxy.address, request("GET", "/behave/reset-head"))
    ids = [first.value("X-Request-Id"), second.value("X-Request-Id")]
    assert first.status == 502 and all(ids) and ids[0] != ids[1]
    proxy.wait_for_line(lambda line: str(ids[0]) in line, 5)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
def test_trace_and_connect_are_405(proxy: Proxy, stand_in: StandIn, method: str) -> None:
    target = "example.org:443" if method == "CONNECT" else "/"
    assert ask(proxy.address, request(method, target)).status == 405
    stand_in.assert_untouched()


def test_an_http_2_preface_is_a_400(proxy: Proxy, stand_in: StandIn) -> None:
    assert ask(proxy.address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").status == 400
    stand_in.assert_untouched()


@pytest.mark.parametrize("name", ["reset-head", "partial-head", "giant-head"])
def test_errors_tell_the_client_nothing_of_the_inside(proxy: Proxy, stand_in: StandIn, name: str) -> None:
    answer = ask(proxy.address, request("GET", f"/behave/{name}"))
    text = answer.raw.decode("latin-1").lower()
    for secret in (TOKEN, stand_in.address, "127.0.0.1", "errno", ".swift", "/proc", "refused by"):
        assert secret.lower() not in text, secret


def test_an_answer_to_head_has_no_body_even_when_it_is_an_error(proxy: Proxy, stand_in: StandIn) -> None:
    answer = ask(proxy.address, request("HEAD", "/behave/reset-head"))
    assert answer.status == 502 and answer.payload == b""


def test_sentrys_own_401_is_relayed_with_a_static_token(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, token="wrong")
    answer = ask(proxy.address, request("GET", "/api/0/organizations/"))
    assert (answer.status, answer.json) == (401, {"detail": "Invalid token"})
    assert not answer.values("WWW-Authenticate") and not answer.values("Set-Cookie")
    # The proxy's own question whether the token is at fault (GET /api/0/) is no second try.
    asked = [seen for seen in stand_in.records(1, 1)["requests"] if "/organizations/" in seen["head"]]
    assert len(asked) == 1


def test_system_without_a_source_is_a_503_that_says_why(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, token=None)
    answer = ask(proxy.address, request("GET", "/api/0/", "Accept: application/json"))
    assert answer.status == 503 and answer.value("Retry-After")
    assert "token" in answer.json["detail"].lower()
    stand_in.assert_untouched()
