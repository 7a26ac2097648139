"""Every wire fixture against the running proxy: the verdict of the parsers is the verdict on the wire."""

from __future__ import annotations

import pytest

from harness.client import Client, ask, request
from harness.fixtures import Fixture, load, unescape
from harness.proxy import Proxy
from harness.upstream import StandIn

REQUESTS = load("requests")
RESPONSES = load("responses")
SPLIT_LIMIT_BYTES = 2000


def pieces(message: bytes, delivery: str) -> list[bytes]:
    if delivery == "whole" or len(message) > SPLIT_LIMIT_BYTES:
        return [message]
    return [message[index : index + 1] for index in range(len(message))]


def test_there_are_as_many_fixtures_as_promised() -> None:
    assert len(REQUESTS) >= 150
    assert len(RESPONSES) >= 60


@pytest.mark.parametrize("delivery", ["whole", "byte-by-byte"])
@pytest.mark.parametrize("fixture", [fixture for fixture in REQUESTS if fixture.expect != "accept"], ids=str)
def test_a_refused_request_gets_its_status_and_reaches_no_upstream(
    shared_proxy: Proxy, stand_in: StandIn, fixture: Fixture, delivery: str
) -> None:
    answer = ask(shared_proxy.address, *pieces(fixture.message, delivery))
    assert answer.status == int(fixture.expect), answer.raw[:300]
    assert answer.complete and answer.ended == "fin"
    stand_in.assert_untouched()


@pytest.mark.parametrize("delivery", ["whole", "byte-by-byte"])
@pytest.mark.parametrize("fixture", [fixture for fixture in REQUESTS if fixture.expect == "accept"], ids=str)
def test_an_accepted_request_reaches_the_upstream_once_and_whole(
    shared_proxy: Proxy, stand_in: StandIn, fixture: Fixture, delivery: str
) -> None:
    with Client(shared_proxy.address) as client:
        client.send_in_pieces(pieces(fixture.message, delivery))
        answer = client.read_answer()
    assert answer.status // 100 in (2, 4, 5) and answer.status not in (431, 502, 504), answer.raw[:300]
    seen = stand_in.request()
    assert seen["body_complete"] is True
    if fixture.body is not None:
        assert seen["body_length"] == len(fixture.body)
        assert seen["body"] == fixture.body.decode("latin-1")
    if fixture.value("path"):
        assert seen["target"].encode("latin-1").endswith(unescape(fixture.value("path") or ""))
    assert all(entry["surplus"] == "" for entry in stand_in.records()["connections"])


@pytest.mark.parametrize("fixture", RESPONSES, ids=str)
def test_a_response_is_relayed_whole_or_cannot_be_taken_for_whole(
    shared_proxy: Proxy, stand_in: StandIn, fixture: Fixture
) -> None:
    stand_in.set_canned("fixture", fixture.message)
    method = fixture.value("request-method", "GET") or "GET"
    answer = ask(shared_proxy.address, request(method, "/behave/canned?name=fixture"))
    if fixture.expect == "accept":
        assert answer.status == int(fixture.value("status") or answer.status), answer.raw[:300]
        assert answer.complete and answer.ended == "fin"
        if fixture.body is not None:
            assert answer.body == fixture.body
        assert answer.beyond == b""
    else:
        assert answer.status == 502 or not answer.complete, answer.raw[:300]
        assert answer.ended in ("fin", "reset")
