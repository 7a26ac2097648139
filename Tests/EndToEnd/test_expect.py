"""Expect: 100-continue (RFC 9110 §10.1.1) is answered by the proxy."""

from __future__ import annotations

from harness.client import Client, request
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn


def test_a_waiting_client_is_told_to_continue(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address, seconds=5) as client:
        client.send(request("POST", "/behave/echo", "Expect: 100-continue", "Content-Length: 5"))
        assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        client.send(b"hello")
        answer = client.read_answer()
    assert (answer.interim, answer.status, answer.body) == ([100], 200, b"hello")
    assert "expect" not in stand_in.request()["head"].lower()


def test_no_interim_answer_when_the_body_comes_along(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/echo", "Expect: 100-continue", body=b"hello"))
        answer = client.read_answer()
    assert answer.body == b"hello" and answer.interim == []


def test_an_http_1_0_client_is_never_sent_an_interim_answer(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/echo", "Expect: 100-continue", body=b"hello", version="HTTP/1.0"))
        answer = client.read_answer()
    assert answer.interim == [] and answer.body == b"hello"


def test_a_refused_request_is_not_told_to_continue(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--max-body", "10")
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/echo", "Expect: 100-continue", "Content-Length: 11"))
        answer = client.read_answer()
    assert (answer.status, answer.interim) == (413, [])
    stand_in.assert_untouched()


def test_an_unknown_expectation_is_refused(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", "/api/0/", "Expect: miracles"))
        answer = client.read_answer()
    assert answer.status == 417
    stand_in.assert_untouched()
