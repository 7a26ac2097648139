"""What the proxy holds for its clients is bounded in sum, and who holds much keeps nobody else out."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.client import Client, ask, request
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import BINARY, Proxy, StartProxy, clean_environment
from harness.scripted import Scripted, read_head
from harness.upstream import StandIn

MIB = 1 << 20
# Just under the replay buffer: the chunk is begun, and never ends.
HELD = 0x3FF00
BEGUN = request("POST", "/api/0/x", "Transfer-Encoding: chunked") + b"3ff80\r\n"


def gauge(proxy: Proxy, name: str) -> int:
    text = ask(proxy.admin, request("GET", "/metrics")).body.decode()
    found = re.search(rf"^sentry_api_proxy_{re.escape(name)} (\d+)$", text, re.MULTILINE)
    assert found, name
    return int(found.group(1))


def held(proxy: Proxy) -> int:
    return gauge(proxy, "held_memory_bytes")


def refusals(proxy: Proxy) -> int:
    return gauge(proxy, 'request_failures_total{cause="memory_short"}')


@contextmanager
def holders(proxy: Proxy, count: int) -> Iterator[list[Client]]:
    """Clients that have sent nearly the whole of a chunked body, one after the other, and wait."""
    clients: list[Client] = []
    try:
        for _ in range(count):
            client = Client(proxy.address)
            clients.append(client)
            client.send(BEGUN)
            client.send(b"x" * HELD)
        yield clients
    finally:
        for client in clients:
            client.sock.close()


def test_held_bodies_stay_within_the_budget_and_others_are_served(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--memory-budget", "8MiB", "--threads", "1")
    assert gauge(proxy, "held_memory_limit_bytes") == 8 * MIB
    with holders(proxy, 60) as clients:
        # Three quarters of 8 MiB are for bodies: 22 or 23 of 256 KiB each, with what else their requests hold.
        eventually(lambda: refusals(proxy) >= 60 - 23, "those for whom there is no room are refused")
        assert 60 - refusals(proxy) >= 20
        assert 5 * MIB < held(proxy) <= 8 * MIB
        answer = clients[-1].read_answer()
        assert answer.status == 503 and answer.value("Retry-After") == "1", answer.raw
        for _ in range(20):
            assert ask(proxy.address, request("GET", "/api/0/organizations/")).status == 200
        assert ask(proxy.address, request("POST", "/behave/sized", body=b"x" * 500_000)).status == 200
    eventually(lambda: held(proxy) == 0, "what was held is given back")
    assert scrape(proxy).sum("impossible_steps_total") == 0
    with holders(proxy, 15):
        eventually(lambda: held(proxy) > 15 * HELD, "there is room again")
    assert "cause=memory_short" in proxy.output


def test_over_the_budget_a_body_that_may_be_forwarded_is_streamed(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--memory-budget", "8MiB", "--threads", "1", "--long-chunked-body", "forward")
    body = request("POST", "/behave/sized", "Transfer-Encoding: chunked") + b"30d40\r\n%s\r\n0\r\n\r\n" % (b"x" * 200_000)
    with holders(proxy, 60):
        eventually(lambda: held(proxy) > 5 * MIB, "the budget for bodies is used up")
        answer = ask(proxy.address, body)
        assert answer.status == 200, answer.raw
        seen = next(seen for seen in stand_in.records()["requests"] if seen.get("body_length") == 200_000)
        assert (seen["framing"], seen["body_complete"]) == ("chunked", True)
        assert held(proxy) <= 8 * MIB
    assert refusals(proxy) == 0


def test_who_drips_a_chunked_body_is_not_waited_for_without_end(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--collect-timeout", "1")
    with Client(proxy.address, 0.1) as client:
        client.send(BEGUN)
        for _ in range(100):
            client.send(b"x")
            try:
                client.received += client.sock.recv(65536)
                break
            except TimeoutError:
                continue
        client.sock.settimeout(10)
        assert client.read_answer().status == 408
    stand_in.assert_untouched()


def test_slow_readers_count(start_proxy: StartProxy) -> None:
    size = 16 * MIB

    def play(sock: socket.socket, _: int) -> None:
        path = read_head(sock).split(b" ")[1]
        count = size if path == b"/long" else 2
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % count)
        block = b"x" * MIB
        while count:
            sock.sendall(block[: min(count, len(block))])
            count -= min(count, len(block))

    upstream = Scripted(play)
    proxy = start_proxy(upstream.uri, "--memory-budget", "4MiB", "--threads", "1")
    readers = []
    try:
        for _ in range(100):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(proxy.address)
            sock.sendall(request("GET", "/long"))
            readers.append(sock)
        # All of them are stuck: each holds a piece that its client does not take. Whole pieces would be 6.4 MiB.
        eventually(lambda: held(proxy) > 1.5 * MIB, "the readers hold something", 30)
        for _ in range(20):
            assert held(proxy) <= 4 * MIB
            assert ask(proxy.address, request("GET", "/short")).status == 200
    finally:
        for sock in readers:
            sock.close()
        upstream.close()
    eventually(lambda: held(proxy) == 0, "what was held is given back")


@pytest.mark.parametrize("flag, variable, value", [
    ("--memory-budget", "MEMORY_BUDGET", "1000"), ("--memory-budget", "MEMORY_BUDGET", "much"),
    ("--collect-timeout", "COLLECT_TIMEOUT", "0"), ("--collect-timeout", "COLLECT_TIMEOUT", "2d"),
])
def test_a_wrong_value_ends_the_start(flag: str, variable: str, value: str) -> None:
    command = [BINARY, "--listen", "127.0.0.1:0", "--token", "t", "--sentry-uri", "http://127.0.0.1:1"]
    for arguments, variables, status, name in (([flag, value], {}, 64, flag), ([], {variable: value}, 78, variable)):
        ended = subprocess.run([*command, *arguments], env=clean_environment(variables), capture_output=True, text=True,
                               timeout=20, check=False)
        assert ended.returncode == status, ended
        assert name in ended.stderr and ended.stderr.count("\n") == 1


def test_heaps_do_not_use_up_a_limited_address_space(stand_in: StandIn, start_proxy: StartProxy) -> None:
    """Each heap of malloc(3) reserves 64 MiB, and without one every allocation takes a page."""
    if os.environ.get("SANITIZER"):
        pytest.skip("a sanitizer needs an address space without a limit")
    proxy = start_proxy(stand_in.uri, wrapper=["bash", "-c", 'ulimit -v 262144; exec "$@"', "limited"])
    assert ask(proxy.address, request("GET", "/api/0/")).status == 200
    reserved = []
    for line in Path(f"/proc/{proxy.pid}/maps").read_text().splitlines():
        span, rights = line.split()[:2]
        begin, end = (int(bound, 16) for bound in span.split("-"))
        if rights == "---p" and end - begin > 32 * MIB:
            reserved.append(line)
    assert not reserved


@pytest.fixture(params=["address space", "cgroup"])
def limited_to_256_mib(request: pytest.FixtureRequest) -> Iterator[str]:
    """A command of the shell that limits itself, and whatever it then becomes."""
    if request.param == "address space":
        yield "ulimit -v 262144"
        return
    group = Path("/sys/fs/cgroup/memory")
    limit = group / f"sentry-api-proxy-test-{os.getpid()}" / "memory.limit_in_bytes"
    if not group.is_dir():
        limit = Path("/sys/fs/cgroup") / limit.parent.name / "memory.max"
    try:
        limit.parent.mkdir()
        limit.write_text(str(256 * MIB))
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    yield f"echo $$ > {limit.parent}/cgroup.procs"
    limit.parent.rmdir()


@pytest.mark.campaign
def test_five_thousand_holders_under_256_mib(limited_to_256_mib: str, stand_in: StandIn, start_proxy: StartProxy) -> None:
    """Bodies just under the replay buffer, a byte now and then, in 256 MiB of address space or of a cgroup's memory."""
    proxy = start_proxy(stand_in.uri, wrapper=["bash", "-c", f'{limited_to_256_mib}; exec "$@"', "limited"])
    limit = gauge(proxy, "held_memory_limit_bytes")
    assert limit <= 128 * MIB
    served = [0, 0]
    worst = 0
    with holders(proxy, 0) as clients:
        for number in range(5_000):
            client = Client(proxy.address)
            clients.append(client)
            client.send(BEGUN)
            client.send(b"x" * HELD)
            if number % 50 == 0:
                for other in clients:
                    try:
                        other.sock.send(b"x", socket.MSG_DONTWAIT)
                    except OSError:
                        continue
                status = ask(proxy.address, request("GET", "/api/0/organizations/")).status
                served[status == 200] += 1
                worst = max(worst, held(proxy))
        assert proxy.process.poll() is None
        time.sleep(3)
        for _ in range(20):
            assert ask(proxy.address, request("GET", "/api/0/organizations/")).status == 200
    print(f"\n5,000 holders: budget {limit / MIB:.1f} MiB, held at most {worst / MIB:.1f} MiB, refused {refusals(proxy)}, "
          f"resident at most {proxy.memory_kib('VmHWM') / 1024:.0f} MiB; others served {served[1]} of {sum(served)} meanwhile")
    assert worst <= limit and served[0] == 0
