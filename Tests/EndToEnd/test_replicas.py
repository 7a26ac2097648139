"""Three replicas behind HAProxy: one that is killed, and all of them restarted in turn.

In a network namespace with an address for each where this process may make one, else on addresses of the loopback net.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from harness.load import Load, Result
from harness.network import Network, Unavailable
from harness.process import eventually
from harness.replicas import Balancer, Replica
from harness.replicas import Unavailable as NoHAProxy
from test_restart import report

# Every request takes a second, so that there is always some in flight.
TARGET = "/slow"
# The load goes on until the replicas are where they should be, however slow they are: no longer than this.
LONGEST_SECONDS = 50.0


@pytest.fixture
def net(tmp_path: Path) -> Iterator[str]:
    """The first three numbers of the addresses to use."""
    try:
        own = Network(tmp_path)
    except Unavailable as error:
        print(f"\nno network namespace here, on loopback: {error}")
        yield "127.0.1"
        return
    yield "10.99.0"
    own.leave()


@pytest.fixture
def replicas(net: str, fast_upstream: str) -> Iterator[list[Replica]]:
    with ExitStack() as stack:
        started = []
        for index in range(3):
            started.append(Replica(f"replica{index}", f"{net}.{index + 2}", fast_upstream))
            stack.callback(started[-1].stop)
        yield started


@pytest.fixture
def balancer(net: str, replicas: list[Replica], tmp_path: Path) -> Iterator[Balancer]:
    try:
        own = Balancer(tmp_path, f"{net}.1", replicas)
    except NoHAProxy as error:
        pytest.skip(str(error))
    with closing(own):
        for replica in replicas:
            own.wait_until_up(replica)
        yield own


def start(balancer: Balancer, rate: int) -> tuple[Load, float]:
    """The load, and since when it has been on its way."""
    load = Load(balancer.address, rate, LONGEST_SECONDS, TARGET)
    time.sleep(0.5)
    return load, time.monotonic()


def stop(load: Load, begin: float, rate: int) -> Result:
    """There was load from `begin` until now."""
    lasted = time.monotonic() - begin
    assert lasted < LONGEST_SECONDS, "the load ended before the last replica was back"
    result = load.stop()
    report(result)
    assert result.sent > 0.9 * rate * lasted
    return result


def kill_under_load(balancer: Balancer, replicas: list[Replica], rate: int, kills: int) -> None:
    """No more than what the killed ones had in flight by HAProxy's count is lost."""
    load, begin = start(balancer, rate)
    in_flight = 0
    for victim in replicas[:kills]:
        time.sleep(3)
        before = balancer.statistics()[victim.name]
        victim.kill()
        # Those that HAProxy gave to it between the two looks were in flight too.
        in_flight += int(before["scur"]) + balancer.number(victim, "stot") - int(before["stot"])
        eventually(lambda: not balancer.is_up(victim), "HAProxy has noticed")
        victim.start()
        balancer.wait_until_up(victim)
    result = stop(load, begin, rate)
    lost = sum(result.broken.values())
    print(f"{kills} killed with {in_flight} in flight: {lost} lost; HAProxy tried {balancer.total('wretr')} again, "
          f"{balancer.total('wredis')} elsewhere")
    assert result.unconnected == {}
    assert 0 < lost <= in_flight


def restart_under_load(balancer: Balancer, replicas: list[Replica], rate: int, rounds: int) -> None:
    load, begin = start(balancer, rate)
    for _ in range(rounds):
        for replica in replicas:
            replica.restart()
            # The next one goes when the balancer has two others.
            balancer.wait_until_up(replica)
    result = stop(load, begin, rate)
    print(f"{rounds * len(replicas)} restarts; HAProxy tried {balancer.total('wretr')} again, {balancer.total('wredis')} elsewhere")
    assert result.sent == result.ok
    # None even had to be tried again: /readyz told HAProxy in time.
    assert balancer.total("wretr") == balancer.total("wredis") == 0


def test_a_killed_replica_loses_at_most_what_it_had_in_flight(balancer: Balancer, replicas: list[Replica]) -> None:
    kill_under_load(balancer, replicas, rate=150, kills=1)


def test_a_rolling_restart_loses_nothing(balancer: Balancer, replicas: list[Replica]) -> None:
    restart_under_load(balancer, replicas, rate=150, rounds=1)


@pytest.mark.campaign
def test_each_replica_killed_at_1000_a_second(balancer: Balancer, replicas: list[Replica]) -> None:
    kill_under_load(balancer, replicas, rate=1000, kills=3)


@pytest.mark.campaign
def test_rolling_restarts_at_1000_a_second(balancer: Balancer, replicas: list[Replica]) -> None:
    restart_under_load(balancer, replicas, rate=1000, rounds=3)
