"""Rate and requests in flight of an alias: exact over all workers, before the verdict, and nothing goes upstream."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.client import Answer, ask, request
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

pytestmark = pytest.mark.tokens

ALIAS = "sap_0123456789abcdef0123456789abcdef"
PAGE = "/api/0/organizations/acme/"


@pytest.fixture
def limited(start_proxy: StartProxy, tmp_path: Path) -> Callable[..., Proxy]:
    def start(uri: str, words: str, *flags: str) -> Proxy:
        file = tmp_path / "aliases"
        file.write_text(f"agent {ALIAS} {words}\n")
        file.chmod(0o600)
        return start_proxy(uri, "--alias-file", str(file), *flags)

    return start


def ask_as_agent(proxy: Proxy, target: str = PAGE, method: str = "GET") -> Answer:
    return ask(proxy.address, request(method, target, f"Authorization: Bearer {ALIAS}", "Accept: application/json"))


def test_over_all_workers_no_more_than_the_burst_goes_through(limited: Callable[..., Proxy], stand_in: StandIn) -> None:
    # One a minute: nothing is added to the burst while this runs.
    proxy = limited(stand_in.uri, "full rate=1/m:20", "--threads", "4")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ask_as_agent(proxy), range(60)))
    assert sorted(answer.status for answer in answers) == [200] * 20 + [429] * 40
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.value("X-Sentry-Api-Proxy-Refusal") == "rate" and 1 <= int(refused.value("Retry-After") or 0) <= 60
    assert refused.json == {"detail": "Alias agent has used up its rate. Try again later."}
    assert len(stand_in.records(requests=20)["requests"]) == 20
    samples = scrape(proxy)
    assert samples.sum("policy_decisions_total", alias="agent", verdict="allowed") == 20
    assert samples.sum("policy_decisions_total", alias="agent", verdict="refused", reason="rate") == 40


def test_the_rate_comes_back(limited: Callable[..., Proxy], stand_in: StandIn) -> None:
    proxy = limited(stand_in.uri, "full rate=2/s:1")
    assert ask_as_agent(proxy).status == 200
    eventually(lambda: ask_as_agent(proxy).status == 200, "the rate is back")


def test_refusals_spend_the_rate_too_and_a_reload_gives_nothing_back(limited: Callable[..., Proxy], stand_in: StandIn) -> None:
    proxy = limited(stand_in.uri, "read-only rate=1/m:2")
    assert ask_as_agent(proxy, "/api/0/organizations//", "GET").status == 403
    assert ask_as_agent(proxy, "/api/0/", "GET").status == 200
    assert ask_as_agent(proxy, "/api/0/", "GET").status == 429
    proxy.signal(signal.SIGHUP)
    proxy.wait_for_line(lambda line: "msg=reloaded" in line, 10)
    assert ask_as_agent(proxy, "/api/0/", "GET").status == 429
    stand_in.assert_untouched()


def test_in_shadow_mode_the_rate_is_only_counted(limited: Callable[..., Proxy], stand_in: StandIn) -> None:
    proxy = limited(stand_in.uri, "read-only rate=1/m:1 mode=shadow")
    assert [ask_as_agent(proxy).status for _ in range(3)] == [200] * 3
    assert scrape(proxy).sum("policy_decisions_total", verdict="would_refuse", reason="rate") == 2


def test_no_more_are_in_flight_than_is_allowed(limited: Callable[..., Proxy], stand_in: StandIn) -> None:
    proxy = limited(stand_in.uri, "full concurrency=1", "--threads", "2")
    with ThreadPoolExecutor(1) as pool:
        # The body is announced and not sent: the request stays in flight.
        with socket.create_connection(proxy.address, 10) as held:
            held.sendall(request("POST", PAGE, f"Authorization: Bearer {ALIAS}", "Content-Length: 5", "Expect: 100-continue"))
            assert held.recv(100).startswith(b"HTTP/1.1 100 ")
            answer = pool.submit(ask_as_agent, proxy).result(20)
            assert (answer.status, answer.value("X-Sentry-Api-Proxy-Refusal")) == (429, "concurrency")
            assert answer.value("Retry-After") == "1"
    eventually(lambda: ask_as_agent(proxy).status != 429, "the request that was held counts no more")


def test_the_log_warns_seven_days_before_an_alias_ends(limited: Callable[..., Proxy], stand_in: StandIn, tmp_path: Path) -> None:
    def day(seconds: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))

    proxy = limited(stand_in.uri, f"mcp expires={day(7 * 86_400 - 5_400)}")
    line = proxy.wait_for_line(lambda line: "an alias ends within seven days" in line, 10)
    assert "level=warning" in line and "alias=agent" in line and "hours_left=166" in line and ALIAS not in line
    other = limited(stand_in.uri, f"mcp expires={day(7 * 86_400 + 3_600)}")
    assert ask_as_agent(other, "/api/0/").status == 200 and "within seven days" not in other.output


def test_when_an_alias_ends_is_in_the_metrics(limited: Callable[..., Proxy], stand_in: StandIn) -> None:
    proxy = limited(stand_in.uri, "full expires=2099-01-31T00:00:00Z")
    assert scrape(proxy).sum("alias_expires_timestamp_seconds", alias="agent") == 4_073_500_800
