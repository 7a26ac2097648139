"""Three replicas with one PostgreSQL: a code is asked for, approved and taken wherever a request arrives."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.database import Postgres
from harness.device import ALIAS, CLIENT, ask_for_code, command, get, poll, post
from harness.process import eventually
from harness.proxy import Proxy, StartProxy, run_to_end
from harness.upstream import StandIn


@pytest.fixture
def replicas(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, tmp_path: Path) -> Any:
    postgres.sql("DROP TABLE IF EXISTS sentry_api_proxy_device, sentry_api_proxy_grant")
    made = run_to_end("auth", "init-db", "--sentry-uri", stand_in.uri, PGX_CONN=postgres.connection_string)
    assert made.returncode == 0, made.stderr
    file = tmp_path / "aliases"
    file.write_text(f"ops {ALIAS}\n")
    file.chmod(0o600)

    def start(*flags: str) -> list[Proxy]:
        return [start_proxy(stand_in.uri, "--alias-file", str(file), "--state-dir", "postgres", "--pgx-conn", postgres.connection_string,
                            "--device-flow", "on", "--device-approval", "none", "--device-from", "127.0.0.0/8,10.0.0.0/8",
                            "--trusted-proxies", "127.0.0.1", "--access-log", "off", *flags) for _ in range(3)]

    return start


def answers(proxy: Proxy, alias: str, status: int) -> bool:
    return get(proxy.address, "/api/0/auth/", alias).status == status


def flow(proxies: list[Proxy], number: int) -> str:
    """Asks one replica and polls the next; each client has an address of its own."""
    source = f"X-Forwarded-For: 10.1.{number // 256}.{number % 256}"
    code = ask_for_code(proxies[number % 3].address, source)
    answer = post(proxies[(number + 1) % 3].address, "/oauth/token/", source, client_id=CLIENT, device_code=code["device_code"],
                  grant_type="urn:ietf:params:oauth:grant-type:device_code")
    assert answer.status == 200, answer.raw
    return answer.json["access_token"]


def withdraw(proxies: list[Proxy], alias: str) -> float:
    """Withdraws it at one replica. Returns how many seconds later it is refused everywhere."""
    for proxy in proxies:
        eventually(lambda proxy=proxy: answers(proxy, alias, 200), "the alias holds everywhere", 10)
    assert post(proxies[0].address, "/oauth/revoke/", token=alias).status == 200
    began = time.monotonic()
    for proxy in proxies:
        eventually(lambda proxy=proxy: answers(proxy, alias, 401), "the withdrawal is seen everywhere", 10)
    return time.monotonic() - began


def run_flows(proxies: list[Proxy], postgres: Postgres, count: int, withdrawn: int) -> float:
    """Flows over all replicas; while they run, the first aliases are withdrawn one after the other, and as many afterwards.

    Returns the longest time that a withdrawal took to hold everywhere.
    """
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        flows = [pool.submit(flow, proxies, number) for number in range(count)]
        took = [withdraw(proxies, running.result()) for running in flows[:withdrawn]]
        under_load = sum(not running.done() for running in flows)
        aliases = [running.result() for running in flows]
    whole = time.monotonic() - began
    print(f"{count} flows in {whole:.1f} s, {count / whole:.0f} a second; {withdrawn} withdrawals, the last with {under_load} flows under way or to come")
    assert len(set(aliases)) == count
    assert int(postgres.sql("SELECT count(*) FROM sentry_api_proxy_grant WHERE document IS NOT NULL")) == count - withdrawn
    began = time.monotonic()
    for proxy in proxies:
        eventually(lambda proxy=proxy: answers(proxy, aliases[-1], 200), "the last alias holds everywhere", 10)
    print(f"the last alias held everywhere {time.monotonic() - began:.2f} s after its flow")
    # A flow has its replica read all grants; without any they find out by themselves.
    quiet = [withdraw(proxies, alias) for alias in aliases[withdrawn:2 * withdrawn]]
    for what, seconds in (("under load", took), ("in quiet", quiet)):
        print(f"a withdrawal held everywhere {max(seconds):.2f} s after its answer at most {what}, {sorted(seconds)[len(seconds) // 2]:.2f} s in the middle")
    text = postgres.sql("SELECT document FROM sentry_api_proxy_grant") + postgres.sql("SELECT document FROM sentry_api_proxy_device")
    text += "".join(proxy.output for proxy in proxies)
    assert not [alias for alias in aliases if alias in text]
    return max(took + quiet)


def test_flows_over_three_replicas(replicas, postgres: Postgres) -> None:
    run_flows(replicas(), postgres, 40, withdrawn=2)


@pytest.mark.campaign
def test_a_thousand_flows_over_three_replicas(replicas, postgres: Postgres) -> None:
    assert run_flows(replicas(), postgres, 1_000, withdrawn=20) < 1


def test_one_code_is_taken_once_by_two_pollers_at_two_replicas(replicas, postgres: Postgres) -> None:
    proxies = replicas()
    for _ in range(5):
        code = ask_for_code(proxies[0].address, f"X-Forwarded-For: 10.2.0.{_}")
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda proxy: poll(proxy.address, code["device_code"]), proxies[:2]))
        assert sorted(answer.status for answer in both) == [200, 400], both
        alias = next(answer for answer in both if answer.status == 200).json["access_token"]
        for proxy in proxies:
            eventually(lambda proxy=proxy: answers(proxy, alias, 401), "the alias is withdrawn", 10)


def test_a_name_is_given_once_wherever_it_is_taken(replicas, postgres: Postgres) -> None:
    proxies = replicas("--device-approval", "admin")
    for turn in range(4):
        codes = [ask_for_code(proxy.address, f"X-Forwarded-For: 10.4.{turn}.{number}") for number, proxy in enumerate(proxies)]
        for proxy, code in zip(proxies, codes, strict=True):
            assert command(proxy, "device", "approve", code["user_code"], "--name", f"agent-{turn}").returncode == 0
        with ThreadPoolExecutor(3) as pool:
            tokens = [answer.json for answer in pool.map(lambda pair: poll(pair[0].address, pair[1]["device_code"]), zip(proxies, codes, strict=True))]
        assert {token["user"]["name"] for token in tokens} == {f"alias agent-{turn}{more}" for more in ("", "-2", "-3")}, tokens
        for token in tokens:
            for proxy in proxies:
                eventually(lambda proxy=proxy, token=token: answers(proxy, token["access_token"], 200), "all three aliases hold everywhere", 10)


@pytest.mark.parametrize("seconds", [0, pytest.param(30, marks=pytest.mark.campaign)])
def test_while_the_database_is_away_aliases_go_on(replicas, postgres: Postgres, seconds: int) -> None:
    proxies = replicas("--device-refresh", "on")
    source = "X-Forwarded-For: 10.3.0.1"
    code = ask_for_code(proxies[0].address, source)
    token = poll(proxies[0].address, code["device_code"]).json
    for proxy in proxies:
        eventually(lambda proxy=proxy: answers(proxy, token["access_token"], 200), "the alias holds everywhere", 10)
    postgres.stop()
    new = post(proxies[1].address, "/oauth/device/code/", client_id=CLIENT)
    assert (new.status, new.json) == (503, {"error": "temporarily_unavailable"}), new.raw
    refresh = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"], "client_id": CLIENT}
    assert post(proxies[1].address, "/oauth/token/", **refresh).raw == b"", "anything that is answered ends the login"
    for proxy in proxies:
        assert answers(proxy, token["access_token"], 200)
        proxy.wait_for_line(lambda line: "event=failed" in line, 10)
    ends, turn, asked = time.monotonic() + seconds, 0, 1
    while time.monotonic() < ends:
        turn += 1
        assert all(answers(proxy, token["access_token"], 200) for proxy in proxies)
        # Connection refused or no answer within 3 s; either way the client keeps its login.
        assert post(proxies[2].address, "/oauth/token/", **refresh).raw == b""
        if turn % 50:
            continue
        # Not in each round: addresses share buckets, and thousands of them would fill one.
        asked += 1
        new = post(proxies[1].address, "/oauth/device/code/", f"X-Forwarded-For: 10.5.{asked >> 8}.{asked & 255}", client_id=CLIENT)
        assert (new.status, new.json) == (503, {"error": "temporarily_unavailable"}), new.raw
    postgres.start()
    began = time.monotonic()
    eventually(lambda: post(proxies[1].address, "/oauth/token/", **refresh).status == 200, "a refresh goes on", 20)
    print(f"{seconds} s without a database: {turn} rounds of three requests and a refresh, {asked} new flows; "
          f"a refresh went on {time.monotonic() - began:.2f} s after it was back")


def test_it_starts_while_the_database_is_away(replicas, postgres: Postgres) -> None:
    before = replicas()
    granted = poll(before[0].address, ask_for_code(before[0].address)["device_code"]).json["access_token"]
    postgres.stop()
    for proxy in before:
        proxy.stop()
    proxy = replicas()[0]
    listed = get(proxy.address, "/api/0/organizations/", ALIAS)
    assert listed.status == 200, f"aliases of the files need no database: {listed.raw!r}"
    waiting = get(proxy.address, "/api/0/auth/", granted)
    assert waiting.status == 503, "a 401 would make the client forget its login"
    assert b"aliases granted by sign-in have not been read yet" in waiting.raw
    new = post(proxy.address, "/oauth/device/code/", client_id=CLIENT)
    assert (new.status, new.json) == (503, {"error": "temporarily_unavailable"}), new.raw
    proxy.wait_for_line(lambda line: "event=failed" in line, 10)
    postgres.start()
    eventually(lambda: answers(proxy, granted, 200), "the granted alias holds again", 20)
    # The aliases hold a moment before it is known that these are all.
    eventually(lambda: answers(proxy, "sap_" + "b" * 43, 401), "it is known that nobody has granted this one", 5)
    assert flow([proxy] * 3, 1)
