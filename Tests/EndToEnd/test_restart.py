"""SIGTERM and restarts under load: by socket activation, by two processes that overlap, and the words to the manager."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.activation import ActivationSockets, NotifySocket
from harness.client import Client, ask, request
from harness.load import Load, Result
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import BINARY, Proxy, StartProxy, clean_environment
from harness.upstream import TOKEN, StandIn

CAMPAIGN_RATE = 1_000
CAMPAIGN_REQUESTS = 60_000


def report(result: Result) -> None:
    print(f"\n{result.sent} requests, p50 {result.percentile(0.5) * 1e3:.1f} ms, p99 {result.percentile(0.99) * 1e3:.1f} ms, "
          f"max {max(result.seconds) * 1e3:.0f} ms; not connected {result.unconnected}, broken {result.broken}")


# SIGTERM


def terminate_under_load(upstream: str, start_proxy: StartProxy, rate: int, seconds: float) -> None:
    """Whoever had a connection has an answer; those who come later are refused."""
    proxy = start_proxy(upstream, "--threads", "2", "--access-log", "off")
    load = Load(proxy.address, rate, 60)
    eventually(lambda: scrape(proxy).sum("requests_total") > rate * seconds, "the load is under way", 50)
    proxy.signal(signal.SIGTERM)
    assert proxy.wait(30) == 0
    result = load.stop()
    report(result)
    assert result.broken == {} and result.ok > rate * seconds
    assert set(result.unconnected) <= {"ECONNREFUSED"}


def test_sigterm_under_load_loses_no_connection(stand_in: StandIn, start_proxy: StartProxy) -> None:
    terminate_under_load(stand_in.uri, start_proxy, rate=150, seconds=2)


# The last step of the start takes a second.
SLOW_START = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <unistd.h>
int madvise(void *start, size_t count, int advice) {
    static int (*real)(void *, size_t, int);
    if (!real) {
        real = (int (*)(void *, size_t, int))dlsym(RTLD_NEXT, "madvise");
        sleep(1);
    }
    return real(start, count, advice);
}
"""


def test_a_signal_at_the_end_of_the_start_breaks_nothing_off(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    (tmp_path / "slow.c").write_text(SLOW_START)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(tmp_path / "slow.so"), str(tmp_path / "slow.c")], check=True, timeout=60)
    # A sanitizer's preloaded library stays with it.
    before = os.environ.get("LD_PRELOAD", "")
    proxy = start_proxy(stand_in.uri, environment={"LD_PRELOAD": f"{before} {tmp_path / 'slow.so'}".strip()})
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
        proxy.signal(signal.SIGTERM)
        proxy.wait_for_line(lambda line: "msg=draining" in line)
        stand_in.release()
        assert client.read_answer().status == 200
    assert proxy.wait(10) == 0


def test_what_waits_in_the_queue_is_answered(stand_in: StandIn, start_proxy: StartProxy) -> None:
    """The process is stopped while clients connect, so that all of them wait in the accept queue when the signal comes."""
    proxy = start_proxy(stand_in.uri, "--threads", "1")
    with proxy.paused():
        clients = [Client(proxy.address) for _ in range(50)]
        for client in clients[:40]:
            client.send(request("GET", "/api/0/"))
        proxy.signal(signal.SIGTERM)
    # These connected before the signal and ask just after it: with TCP_DEFER_ACCEPT they were in no queue yet.
    proxy.wait_for_line(lambda line: "msg=draining" in line)
    for client in clients[40:]:
        client.send(request("GET", "/api/0/"))
    for client in clients:
        assert client.read_answer().status == 200
        client.sock.close()
    assert proxy.wait(10) == 0


def test_the_listener_is_closed_while_requests_are_in_flight(proxy: Proxy, stand_in: StandIn) -> None:
    """A socket that only nobody accepts from would take connections and leave them hanging."""
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
        proxy.signal(signal.SIGTERM)

        def is_refused() -> bool:
            try:
                socket.create_connection(proxy.address, 5).close()
            except ConnectionRefusedError:
                return True
            return False

        eventually(is_refused, "connections are refused", 10)
        stand_in.release()
        assert client.read_answer().status == 200
    assert proxy.wait(5) == 0


def test_a_unix_socket_is_drained_and_removed(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    path = tmp_path / "proxy.sock"
    proxy = start_proxy(stand_in.uri, "--threads", "2", listen=f"unix:{path}")
    with Client(str(path)) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
        with proxy.paused():
            waiting = [Client(str(path)) for _ in range(20)]
            for each in waiting:
                each.send(request("GET", "/api/0/"))
            proxy.signal(signal.SIGTERM)
        for each in waiting:
            assert each.read_answer().status == 200
            each.sock.close()
        eventually(lambda: not path.exists(), "the path is free")
        # While the old one still works, a new one has the path.
        successor = start_proxy(stand_in.uri, listen=f"unix:{path}")
        assert ask(str(path), request("GET", "/api/0/")).status == 200
        stand_in.release()
        assert client.read_answer().status == 200
        assert proxy.wait(5) == 0
        assert ask(str(path), request("GET", "/api/0/")).status == 200
        successor.stop()
    assert not path.exists()


# Restarts


def restart_by_overlap(upstream: str, start_proxy: StartProxy, rate: int, seconds: float, restarts: int) -> None:
    proxy = start_proxy(upstream, "--threads", "2", "--access-log", "off")
    load = Load(proxy.address, rate, seconds)
    for _ in range(restarts):
        time.sleep(seconds * 0.8 / restarts)
        successor = start_proxy(upstream, "--threads", "2", "--access-log", "off", listen=f"127.0.0.1:{proxy.port}")
        proxy.signal(signal.SIGTERM)
        assert proxy.wait(30) == 0
        proxy = successor
    result = load.wait()
    report(result)
    assert result.sent == result.ok > 0.5 * rate * seconds


def test_restarts_by_overlap_lose_nothing(stand_in: StandIn, start_proxy: StartProxy) -> None:
    restart_by_overlap(stand_in.uri, start_proxy, rate=150, seconds=6, restarts=3)


@pytest.fixture
def sockets() -> Iterator[Callable[..., ActivationSockets]]:
    opened: list[ActivationSockets] = []

    def open_sockets(*names: str) -> ActivationSockets:
        opened.append(ActivationSockets(*names))
        return opened[-1]

    yield open_sockets
    for each in opened:
        each.close()


def activated(start_proxy: StartProxy, upstream: str, sockets: ActivationSockets, *flags: str) -> Proxy:
    return start_proxy(upstream, *flags, wrapper=sockets.wrapper, pass_fds=sockets.numbers, listen="127.0.0.1:1")


def restart_by_activation(upstream: str, start_proxy: StartProxy, sockets: ActivationSockets, rate: int, seconds: float,
                          restarts: int) -> None:
    flags = ("--threads", "2", "--access-log", "off")
    proxy = activated(start_proxy, upstream, sockets, *flags)
    load = Load(sockets.address(), rate, seconds)
    for _ in range(restarts):
        time.sleep(seconds * 0.8 / restarts)
        # One after the other, as a service manager restarts: for a moment there is no process at all.
        proxy.stop()
        proxy = activated(start_proxy, upstream, sockets, *flags)
    result = load.wait()
    report(result)
    assert result.sent == result.ok > 0.5 * rate * seconds


def test_restarts_by_socket_activation_lose_nothing(stand_in: StandIn, start_proxy: StartProxy,
                                                    sockets: Callable[..., ActivationSockets]) -> None:
    restart_by_activation(stand_in.uri, start_proxy, sockets("proxy"), rate=150, seconds=6, restarts=3)


@pytest.mark.campaign
def test_sigterm_at_1000_a_second(fast_upstream: str, start_proxy: StartProxy) -> None:
    terminate_under_load(fast_upstream, start_proxy, CAMPAIGN_RATE, 10)


@pytest.mark.campaign
def test_60000_requests_over_restarts_by_overlap(fast_upstream: str, start_proxy: StartProxy) -> None:
    restart_by_overlap(fast_upstream, start_proxy, CAMPAIGN_RATE, CAMPAIGN_REQUESTS / CAMPAIGN_RATE, restarts=6)


@pytest.mark.campaign
def test_60000_requests_over_restarts_by_activation(fast_upstream: str, start_proxy: StartProxy,
                                                    sockets: Callable[..., ActivationSockets]) -> None:
    restart_by_activation(fast_upstream, start_proxy, sockets("proxy"), CAMPAIGN_RATE, CAMPAIGN_REQUESTS / CAMPAIGN_RATE, restarts=6)


@pytest.mark.campaign
def test_60000_requests_over_a_reload_every_second(fast_upstream: str, start_proxy: StartProxy) -> None:
    proxy = start_proxy(fast_upstream, "--threads", "2", "--access-log", "off")
    load = Load(proxy.address, CAMPAIGN_RATE, CAMPAIGN_REQUESTS / CAMPAIGN_RATE)
    for _ in range(CAMPAIGN_REQUESTS // CAMPAIGN_RATE):
        time.sleep(1)
        proxy.signal(signal.SIGHUP)
    result = load.wait()
    report(result)
    assert result.sent == result.ok > 0.9 * CAMPAIGN_REQUESTS


# Socket activation


def test_inherited_sockets_are_used_instead_of_binding(stand_in: StandIn, start_proxy: StartProxy,
                                                       sockets: Callable[..., ActivationSockets]) -> None:
    opened = sockets("http", "admin")
    proxy = activated(start_proxy, stand_in.uri, opened, "--threads", "3")
    assert proxy.port == opened.address(0)[1] and proxy.admin[1] == opened.address(1)[1]
    assert "inherited=true" in proxy.output
    assert ask(opened.address(0), request("GET", "/api/0/")).status == 200
    assert ask(opened.address(1), request("GET", "/healthz")).body == b"alive\n"
    # The two never stand in for each other.
    assert ask(opened.address(1), request("GET", "/api/0/")).status == 404


def test_several_inherited_sockets_are_all_served(stand_in: StandIn, start_proxy: StartProxy,
                                                  sockets: Callable[..., ActivationSockets]) -> None:
    opened = sockets("one", "two", "three")
    proxy = activated(start_proxy, stand_in.uri, opened, "--threads", "2")
    for index in range(3):
        for _ in range(5):
            assert ask(opened.address(index), request("GET", "/api/0/")).status == 200
    proxy.stop()
    # Ours again: a new client waits in the queue instead of being refused.
    socket.create_connection(opened.address(1), 2).close()


def test_sockets_for_another_process_are_left_alone(stand_in: StandIn, start_proxy: StartProxy) -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1"}
    proxy = start_proxy(stand_in.uri, environment=environment)
    assert "inherited=false" in proxy.output
    assert ask(proxy.address, request("GET", "/api/0/")).status == 200


def test_a_descriptor_that_does_not_listen_ends_the_start(stand_in: StandIn) -> None:
    with socket.socket() as sock:
        sockets = ActivationSockets("http")
        wrapper = [*sockets.wrapper[:-1], str(sock.fileno())]
        sockets.close()
        ended = subprocess.run([*wrapper, BINARY, "--sentry-uri", stand_in.uri], env=clean_environment({"SENTRY_TOKEN": TOKEN}),
                               pass_fds=[sock.fileno()], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 78
    assert "LISTEN_FDS: descriptor 3 is not a listening stream socket" in ended.stderr, ended.stderr


# sd_notify


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_is_told(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path, abstract: bool) -> None:
    address: Path | str = f"@proxy-notify-{time.monotonic_ns()}" if abstract else tmp_path / "notify"
    manager = NotifySocket(address)
    try:
        proxy = start_proxy(stand_in.uri, environment={"NOTIFY_SOCKET": str(address)})
        assert manager.next() == {"READY": "1"}
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        proxy.signal(signal.SIGHUP)
        reloading = manager.next()
        assert reloading["RELOADING"] == "1"
        assert before <= int(reloading["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert manager.next() == {"READY": "1"}
        proxy.signal(signal.SIGTERM)
        assert manager.next() == {"STOPPING": "1"}
        assert proxy.wait(5) == 0
    finally:
        manager.close()


def test_a_manager_that_is_gone_does_no_harm(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start_proxy(stand_in.uri, environment={"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    assert ask(proxy.address, request("GET", "/api/0/")).status == 200
