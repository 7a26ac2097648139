"""An upstream on a Unix-domain socket, whose queue gives no event when there is room again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.client import Answer, ask, request
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.tls import ANSWER, read_head
from harness.upstream import StandIn

GET = request("GET", "/api/0/")


class FullQueue:
    """A listener whose queue is full until `serve` is called."""

    def __init__(self, path: Path) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.fillers: list[socket.socket] = []
        while True:
            filler = socket.socket(socket.AF_UNIX)
            filler.setblocking(False)
            self.fillers.append(filler)
            try:
                filler.connect(str(path))
            except BlockingIOError:
                return

    def serve(self, count: int) -> None:
        for filler in self.fillers:
            filler.close()
        self.listener.settimeout(10)
        while count:
            sock, _ = self.listener.accept()
            with sock:
                if read_head(sock):
                    sock.sendall(ANSWER)
                    count -= 1

    def close(self) -> None:
        for sock in (*self.fillers, self.listener):
            sock.close()


@pytest.fixture
def full_queue(tmp_path: Path) -> Iterator[FullQueue]:
    queue = FullQueue(tmp_path / "sentry.sock")
    yield queue
    queue.close()


def descriptors_at_rest(proxy: Proxy) -> int:
    """After a request that the proxy answers by itself: then its worker has opened all that it keeps."""
    assert ask(proxy.address, request("TRACE", "/")).status == 405
    return proxy.descriptors()


def uri(folder: Path, prefix: str = "") -> str:
    return "http+unix://" + str(folder / "sentry.sock").replace("/", "%2F") + prefix


def test_it_is_asked_as_any_other(start_proxy: StartProxy, tmp_path: Path) -> None:
    stand_in = StandIn(listen=f"unix:{tmp_path / 'sentry.sock'}")
    try:
        proxy = start_proxy(uri(tmp_path))
        assert ask(proxy.address, GET).status == 200
        assert "Host: localhost" in stand_in.records(requests=1)["requests"][0]["head"]
    finally:
        stand_in.stop()


def test_a_full_queue_is_waited_for(full_queue: FullQueue, start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start_proxy(uri(tmp_path))
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(proxy.address, GET))) for _ in range(10)]
    for thread in threads:
        thread.start()
    eventually(lambda: scrape(proxy).sum("requests_in_flight") == 10, "all of them wait")
    assert answers == [], "nobody is there to answer yet"
    full_queue.serve(10)
    for thread in threads:
        thread.join(10)
    assert [answer.body for answer in answers] == [b"ok"] * 10


def test_a_queue_that_stays_full_is_a_504_in_time(full_queue: FullQueue, start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start_proxy(uri(tmp_path), "--connect-timeout", "1")
    before = descriptors_at_rest(proxy)
    start = time.monotonic()
    answer = ask(proxy.address, request("POST", "/api/0/", body=b"kept"))
    assert answer.status == 504 and 0.8 < time.monotonic() - start < 2
    eventually(lambda: proxy.descriptors() <= before, "descriptors back to where they were")


def test_a_body_is_whole_after_the_wait(full_queue: FullQueue, start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start_proxy(uri(tmp_path))
    answers: list[Answer] = []
    asking = threading.Thread(target=lambda: answers.append(ask(proxy.address, request("POST", "/api/0/", body=b"12345"))))
    asking.start()
    eventually(lambda: scrape(proxy).sum("requests_in_flight") == 1, "it waits")
    for filler in full_queue.fillers:
        filler.close()
    full_queue.listener.settimeout(10)
    while True:
        sock, _ = full_queue.listener.accept()
        with sock:
            data = read_head(sock)
            if data:
                sock.sendall(ANSWER)
                break
    asking.join(10)
    assert data.endswith(b"\r\n\r\n12345") and answers[0].status == 200


@pytest.mark.parametrize("state", ["missing", "nobody listens"])
def test_nobody_there_is_a_502_at_once(start_proxy: StartProxy, tmp_path: Path, state: str) -> None:
    if state == "nobody listens":
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(tmp_path / "sentry.sock"))
    proxy = start_proxy(uri(tmp_path))
    start = time.monotonic()
    assert ask(proxy.address, GET).status == 502
    assert time.monotonic() - start < 1
