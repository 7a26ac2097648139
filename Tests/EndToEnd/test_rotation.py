"""The token changes while requests are in flight."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest

from harness.client import Client, ask, request
from harness.crowd import raise_descriptor_limit
from harness.database import Postgres
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

pytestmark = pytest.mark.tokens

OLD, NEW = "a" * 64, "b" * 64
IN_FLIGHT = 2000


@pytest.fixture
def system_proxy(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres) -> Proxy:
    postgres.store_token(OLD)
    stand_in.set_tokens([OLD])
    proxy = start_proxy(stand_in.uri, "--pgx-conn", postgres.connection_string, token=None)
    eventually(lambda: ask(proxy.address, request("GET", "/api/0/")).status == 200, "the token read", 5)
    stand_in.records(1, 1)
    stand_in.reset()
    stand_in.set_tokens([OLD])
    return proxy


def rotate(stand_in: StandIn, postgres: Postgres) -> None:
    postgres.store_token(NEW)
    stand_in.set_tokens([NEW])


def token_of(entry: dict) -> str:
    return re.findall(r"Authorization: Bearer (\S+)", entry["head"])[0]


@pytest.mark.slow
def test_two_thousand_in_flight_cost_one_query_and_none_is_lost(system_proxy: Proxy, stand_in: StandIn, postgres: Postgres) -> None:
    raise_descriptor_limit()
    clients = [Client(system_proxy.address, seconds=60) for _ in range(IN_FLIGHT)]
    try:
        for number, client in enumerate(clients):
            client.send(request("GET", "/behave/hold-verdict", f"X-Number: {number}"))
        assert len(stand_in.records(requests=IN_FLIGHT, seconds=30)["requests"]) == IN_FLIGHT
        before = postgres.queries()
        rotate(stand_in, postgres)
        stand_in.release()
        statuses = Counter(client.read_answer().status for client in clients)
    finally:
        for client in clients:
            client.sock.close()
    assert statuses == {200: IN_FLIGHT}
    assert postgres.queries() - before == 1
    seen = stand_in.records()["requests"]
    tries = Counter(re.findall(r"X-Number: (\d+)", entry["head"])[0] for entry in seen)
    assert len(tries) == IN_FLIGHT and max(tries.values()) <= 2
    assert Counter(token_of(entry) for entry in seen) == {OLD: IN_FLIGHT, NEW: IN_FLIGHT}


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("size", [1, 200 << 10, 256 << 10])
def test_a_body_within_the_replay_buffer_is_replayed_byte_for_byte(
    system_proxy: Proxy, stand_in: StandIn, postgres: Postgres, size: int, framing: str
) -> None:
    body = (hashlib.sha256(b"x").digest() * (size // 32 + 1))[:size]
    rotate(stand_in, postgres)
    if framing == "length":
        whole = request("POST", "/behave/verdict", body=body)
    else:
        whole = request("POST", "/behave/verdict", "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (size, body)
    answer = ask(system_proxy.address, whole)
    assert (answer.status, answer.body.decode()) == (200, hashlib.sha256(body).hexdigest())
    seen = stand_in.records(2, 2)["requests"]
    assert [token_of(entry) for entry in seen] == [OLD, NEW]
    assert seen[0]["head"].replace(OLD, NEW) == seen[1]["head"]


def test_a_spooled_body_is_replayed_byte_for_byte(
    stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, tmp_path: Path
) -> None:
    postgres.store_token(OLD)
    stand_in.set_tokens([OLD])
    proxy = start_proxy(stand_in.uri, "--pgx-conn", postgres.connection_string, "--long-chunked-body", "spool",
                        "--spool-dir", str(tmp_path), token=None)
    eventually(lambda: ask(proxy.address, request("GET", "/api/0/")).status == 200, "the token read", 5)
    stand_in.records(1, 1)
    stand_in.reset()
    stand_in.set_tokens([OLD])
    rotate(stand_in, postgres)
    body = hashlib.sha256(b"x").digest() * 100_000
    whole = request("POST", "/behave/verdict", "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    answer = ask(proxy.address, whole)
    assert (answer.status, answer.body.decode()) == (200, hashlib.sha256(body).hexdigest())
    seen = stand_in.records(2, 2)["requests"]
    assert [token_of(entry) for entry in seen] == [OLD, NEW]
    assert f"Content-Length: {len(body)}" in seen[1]["head"]


def test_a_body_beyond_the_replay_buffer_gets_the_upstreams_401(system_proxy: Proxy, stand_in: StandIn, postgres: Postgres) -> None:
    rotate(stand_in, postgres)
    answer = ask(system_proxy.address, request("POST", "/behave/verdict", body=b"x" * 10_000_000))
    assert (answer.status, answer.json) == (401, {"detail": "Invalid token"})
    assert len(stand_in.records(1, 1)["requests"]) == 1
    system_proxy.wait_for_line(lambda line: "body_too_large" in line, 5)
    # The next long body finds a token that was renewed before it started.
    assert ask(system_proxy.address, request("POST", "/behave/verdict", body=b"x" * 10_000_000)).status == 200


def test_an_unchanged_token_is_not_tried_twice(system_proxy: Proxy, stand_in: StandIn) -> None:
    stand_in.set_tokens([NEW])
    answer = ask(system_proxy.address, request("GET", "/behave/verdict"))
    assert (answer.status, answer.json) == (401, {"detail": "Invalid token"})
    # Besides, the upstream is asked about the token itself.
    assert sum("/behave/verdict" in entry["head"] for entry in stand_in.records(1, 1)["requests"]) == 1
    system_proxy.wait_for_line(lambda line: "unchanged" in line, 5)
    system_proxy.wait_for_line(lambda line: "INTERNAL_SYSTEM_IPS" in line and "answers 401 to the system token" in line, 5)


def test_a_401_on_the_bypass_renews_nothing(system_proxy: Proxy, stand_in: StandIn, postgres: Postgres) -> None:
    # The bypass of a proxy without aliases: paths under /oauth/ are never elevated.
    stand_in.set_canned("oauth", b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
    before = postgres.queries()
    answer = ask(system_proxy.address, request("POST", "/oauth/token/", "Content-Length: 0"))
    assert answer.status == 401
    assert len(stand_in.records(1, 1)["requests"]) == 1
    assert postgres.queries() == before


@pytest.mark.slow
@pytest.mark.parametrize("order", ["database upstream", "upstream database"])
def test_the_proxy_comes_up_before_both_and_needs_no_help(start_proxy: StartProxy, postgres: Postgres, order: str) -> None:
    reserved = StandIn(tokens=[OLD])
    address = reserved.address
    reserved.stop()
    postgres.store_token(OLD)
    postgres.stop()
    proxy = start_proxy(f"http://{address}", "--pgx-conn", postgres.connection_string, token=None)
    assert ask(proxy.address, request("GET", "/api/0/")).status == 503
    started = []
    for name in order.split():
        if name == "database":
            postgres.start()
        else:
            started.append(StandIn(tokens=[OLD], listen=address))
    eventually(lambda: ask(proxy.address, request("GET", "/api/0/")).status == 200, "service without help", 10)
    for stand_in in started:
        stand_in.stop()
