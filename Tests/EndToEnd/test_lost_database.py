"""PostgreSQL goes away under load, and upstream and database are started and restarted in every order."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator

import pytest

from harness.client import ask, request
from harness.database import Postgres
from harness.load import Load
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn
from test_restart import report

pytestmark = pytest.mark.tokens

OLD, NEW = "c" * 64, "d" * 64
RECOVERY_SECONDS = 5.0
# Longer than the replay buffer: read to its end with a suspect token only after a try to renew it.
LONG_BODY = b"x" * 300_000


def status(proxy: Proxy) -> int:
    return ask(proxy.address, request("GET", "/api/0/")).status


def admin(proxy: Proxy, path: str) -> tuple[int, bytes]:
    answer = ask(proxy.admin, request("GET", path))
    return answer.status, answer.body


def health(proxy: Proxy) -> str:
    return ask(proxy.admin, request("GET", "/status")).json["token"]["health"]


# Away under load


def lose_database(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, rate: int, seconds: float) -> None:
    postgres.store_token(OLD)
    stand_in.set_tokens([OLD])
    stand_in.set_canned("refused", b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
    proxy = start_proxy(stand_in.uri, "--pgx-conn", postgres.connection_string, "--access-log", "off", token=None)
    eventually(lambda: status(proxy) == 200, "the token read")
    load = Load(proxy.address, rate, seconds + RECOVERY_SECONDS + 5)
    postgres.stop()
    stopped = time.monotonic()
    # One 401 has the proxy ask the database; the token is right all the same.
    assert ask(proxy.address, request("GET", "/behave/canned?name=refused")).status == 401
    eventually(lambda: health(proxy) == "degraded", "/status says degraded")
    longs = 0
    while time.monotonic() - stopped < seconds:
        assert admin(proxy, "/readyz") == (200, b"ready\n"), "a proxy that has a token can serve"
        assert health(proxy) == "degraded"
        assert ask(proxy.address, request("POST", "/behave/verdict", body=LONG_BODY)).status == 200
        longs += 1
        time.sleep(0.25)
    seen = scrape(proxy)
    assert seen.sum("token_health", state="degraded") == 1 and seen.sum("token_health", state="ready") == 0
    assert seen.sum("token_fetches_total", outcome="failed") > 0
    postgres.start()
    back = time.monotonic()
    eventually(lambda: health(proxy) == "ready", "recovery", RECOVERY_SECONDS)
    recovery = time.monotonic() - back
    assert scrape(proxy).sum("token_health", state="ready") == 1
    result = load.wait()
    report(result)
    print(f"database away for {back - stopped:.1f} s; {longs} long bodies sent; "
          f"{seen.sum('token_fetches_total', outcome='failed'):.0f} questions failed; ready {recovery:.2f} s after its return")
    assert result.sent == result.ok > 0.9 * rate * (seconds + RECOVERY_SECONDS + 5)


def test_five_seconds_without_a_database_cost_no_request(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres) -> None:
    lose_database(stand_in, start_proxy, postgres, rate=100, seconds=5)


@pytest.mark.campaign
def test_thirty_seconds_without_a_database_cost_no_request(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres) -> None:
    lose_database(stand_in, start_proxy, postgres, rate=300, seconds=30)


# Orders


class Place:
    """An upstream that comes and goes at one address."""

    def __init__(self) -> None:
        self._running: StandIn | None = StandIn(tokens=[OLD])
        self.address = self._running.address

    def start(self, token: str) -> None:
        self._running = StandIn(tokens=[token], listen=self.address)

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
        self._running = None


@pytest.fixture
def place() -> Iterator[Place]:
    own = Place()
    yield own
    own.stop()


def orders(*names: str) -> list[str]:
    return [" ".join(order) for order in itertools.permutations(names)]


@pytest.mark.parametrize("order", orders("database", "upstream", "proxy"))
def test_started_in_any_order(start_proxy: StartProxy, postgres: Postgres, place: Place, order: str) -> None:
    postgres.store_token(OLD)
    postgres.stop()
    place.stop()
    proxy = None
    for name in order.split():
        match name:
            case "database":
                postgres.start()
            case "upstream":
                place.start(OLD)
            case "proxy":
                proxy = start_proxy(f"http://{place.address}", "--pgx-conn", postgres.connection_string, token=None)
    assert proxy is not None
    eventually(lambda: status(proxy) == 200, "service without help", RECOVERY_SECONDS)
    assert health(proxy) == "ready"


@pytest.mark.parametrize("back", orders("database", "upstream"))
@pytest.mark.parametrize("away", orders("database", "upstream"))
def test_restarted_in_any_order_with_another_token(
    start_proxy: StartProxy, postgres: Postgres, place: Place, away: str, back: str
) -> None:
    """Sentry wrote a new token while the proxy saw neither of the two."""
    postgres.store_token(OLD)
    proxy = start_proxy(f"http://{place.address}", "--pgx-conn", postgres.connection_string, token=None)
    eventually(lambda: status(proxy) == 200, "the token read")
    expected = 200
    for name in away.split():
        if name == "database":
            postgres.stop()
        else:
            place.stop()
            expected = 502
        assert status(proxy) == expected
    for name in back.split():
        if name == "database":
            postgres.start()
            postgres.store_token(NEW)
        else:
            place.start(NEW)
        assert status(proxy) in (200, 401, 502)
    eventually(lambda: status(proxy) == 200, "service without help", RECOVERY_SECONDS)
    eventually(lambda: health(proxy) == "ready", "recovery", RECOVERY_SECONDS)


def test_a_database_that_hangs_costs_no_request(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres) -> None:
    """It takes connections and says nothing, as one does whose disk is stuck."""
    postgres.store_token(OLD)
    stand_in.set_tokens([OLD])
    stand_in.set_canned("refused", b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
    proxy = start_proxy(stand_in.uri, "--pgx-conn", postgres.connection_string, "--access-log", "off", token=None)
    eventually(lambda: status(proxy) == 200, "the token read")
    postgres.signal(signal.SIGSTOP)
    try:
        load = Load(proxy.address, 100, 14)
        answer = ask(proxy.address, request("GET", "/behave/canned?name=refused"), seconds=20)
        assert answer.status == 401, "Sentry's own answer, when the question's time is over"
        assert health(proxy) == "degraded"
        assert admin(proxy, "/readyz")[0] == 200
    finally:
        postgres.signal(signal.SIGCONT)
    eventually(lambda: health(proxy) == "ready", "recovery", RECOVERY_SECONDS)
    result = load.wait()
    report(result)
    assert result.sent == result.ok
