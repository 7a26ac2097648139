"""Edges of the data path: who sends first, who ends first, and sockets that are full at the wrong moment."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from harness.client import Client, ask, request
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.scripted import Gated, Scripted, read_head, read_request
from harness.sockets import wait_until_arrived, wait_until_ended, wait_until_full, wait_until_read, wait_until_watched
from harness.upstream import StandIn

UPLOAD = "/api/0/organizations/acme/chunk-upload/"
SLOW_READER_PAUSE = 0.02


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    opened: list[Scripted] = []

    def start(play: Callable[[socket.socket, int], None]) -> Scripted:
        opened.append(Scripted(play))
        return opened[-1]

    yield start
    for upstream in opened:
        upstream.close()


@pytest.fixture
def gated() -> Iterator[Gated]:
    upstream = Gated()
    yield upstream
    upstream.close()


def slow_reader(proxy: Proxy, window: int = 65_536) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.settimeout(20)
    sock.connect(proxy.address)
    return sock


def read_to_end(sock: socket.socket) -> bytes:
    data = b""
    try:
        while piece := sock.recv(65536):
            data += piece
    except OSError:
        pass
    return data


def json_answer(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def test_a_rewritten_answer_reaches_a_client_whose_socket_is_full(start_proxy: StartProxy, scripted) -> None:  # noqa: ANN001
    count = 30_000
    go = threading.Event()

    def play(sock: socket.socket, _: int) -> None:
        read_head(sock)
        go.wait(10)
        sock.sendall(json_answer({"regions": [{"url": "http://a.example"}] * count}))

    proxy = start_proxy(scripted(play).uri, "--body-timeout", "15")
    with slow_reader(proxy) as sock:
        # A long Host makes the rewritten body larger than any socket's buffer.
        sock.sendall(request("GET", "/api/0/users/me/regions/", host="h" * 240 + ".example"))
        wait_until_watched(proxy, sock)  # For reading only.
        go.set()
        wait_until_full(sock)
        data = read_to_end(sock)
    assert len(data) > 8_000_000, proxy.output[-600:]
    assert len(json.loads(data.partition(b"\r\n\r\n")[2])["regions"]) == count


def test_a_client_that_reads_slowly_but_steadily_is_not_taken_for_stalled(start_proxy: StartProxy, scripted) -> None:  # noqa: ANN001
    size = 10_000_000

    def play(sock: socket.socket, _: int) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"z" * size)
        read_to_end(sock)

    proxy = start_proxy(scripted(play).uri, "--body-timeout", "0.4")
    got = 0
    with slow_reader(proxy, 4096) as sock:
        sock.sendall(request("GET", "/api/0/x/"))
        # The socket's buffer takes seconds to be read so far that it counts as writable again.
        for _ in range(150):
            got += len(sock.recv(4096))
            time.sleep(SLOW_READER_PAUSE)
        while piece := sock.recv(1 << 20):
            got += len(piece)
    assert got > size


def test_an_interim_answer_split_in_two_does_not_spoil_a_rewritten_body(start_proxy: StartProxy, scripted) -> None:  # noqa: ANN001
    value = {"url": "https://sentry.example/api/0/x/", "padding": "y" * 500}

    def play(sock: socket.socket, _: int) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 103 Early")
        wait_until_read(sock)
        sock.sendall(b" Hints\r\nA: b\r\n\r\n" + json_answer(value))

    proxy = start_proxy(scripted(play).uri)
    assert ask(proxy.address, request("GET", UPLOAD)).json["padding"] == value["padding"]


def test_a_client_that_half_closes_after_a_slow_upload_gets_a_large_answer_whole(start_proxy: StartProxy, scripted) -> None:  # noqa: ANN001
    size = 3_000_000

    def play(sock: socket.socket, _: int) -> None:
        read_request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"z" * size)
        read_to_end(sock)

    proxy = start_proxy(scripted(play).uri, "--body-timeout", "5")
    with slow_reader(proxy) as sock:
        sock.sendall(request("POST", "/api/0/x/", "Content-Length: 10"))
        wait_until_watched(proxy, sock)  # While it uploads.
        sock.sendall(b"0123456789")
        sock.shutdown(socket.SHUT_WR)
        wait_until_full(sock)
        data = read_to_end(sock)
    assert len(data.rpartition(b"\r\n\r\n")[2]) == size


def test_a_body_and_a_half_close_that_come_while_the_upstream_is_dialed_count(start_proxy: StartProxy, gated: Gated) -> None:
    proxy = start_proxy(gated.uri)
    gated.fill()
    with Client(proxy.address) as client:
        client.send(request("POST", "/api/0/x/", "Content-Length: 5"))
        wait_until_watched(proxy, client.sock)
        client.send(b"hello")
        client.half_close()
        wait_until_ended(client.sock)
        gated.open()
        with gated.accept() as sock:
            assert read_request(sock).endswith(b"hello")
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            sock.shutdown(socket.SHUT_WR)
            assert client.read_answer().body == b"ok"


def test_an_upstream_that_answers_before_it_was_asked_is_heard(start_proxy: StartProxy, gated: Gated) -> None:
    proxy = start_proxy(gated.uri, "--response-timeout", "3")
    gated.fill()
    with Client(proxy.address) as client:
        client.send(request("GET", "/api/0/x/"))
        wait_until_read(client.sock)
        # The connection and the answer are there when the proxy looks again, so both are one event.
        with proxy.paused():
            gated.open()
            sock = gated.accept()
            sock.sendall(b"HTTP/1.1 503 Full\r\nContent-Length: 4\r\n\r\nfull")
            wait_until_arrived(sock, 4)
        answer = client.read_answer()
        sock.close()
    assert (answer.status, answer.body) == (503, b"full")


def test_the_end_of_one_client_is_not_held_against_the_next(start_proxy: StartProxy, scripted) -> None:  # noqa: ANN001
    asked, go, said, part, more = (threading.Event() for _ in range(5))

    def play(sock: socket.socket, number: int) -> None:
        read_head(sock)
        asked.set()
        if number == 0:
            go.wait(10)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            wait_until_arrived(sock, 2)
            said.set()
            part.wait(10)
        else:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
            more.wait(10)
            sock.sendall(b"def")

    proxy = start_proxy(scripted(play).uri, "--threads", "1")
    assert ask(proxy.address, request("TRACE", "/")).status == 405
    before = proxy.descriptors()
    with Client(proxy.address) as client:
        client.send(request("GET", "/api/0/x/", "Connection: close"))
        wait_until_watched(proxy, client.sock)
        # The answer and the client's FIN are one batch of events, the answer first.
        assert asked.wait(10)
        with proxy.paused():
            go.set()
            assert said.wait(10)
            client.half_close()
            wait_until_ended(client.sock)
        assert client.read_answer().body == b"ok"
    part.set()
    eventually(lambda: proxy.descriptors() <= before, "the first exchange is over")
    with Client(proxy.address) as client:
        client.send(request("GET", "/api/0/x/"))
        client.read_until(b"abc")
        wait_until_watched(proxy, client.sock)
        client.send(b"more")
        wait_until_arrived(client.sock, 4)
        more.set()
        answer = client.read_answer()
        assert b"abcdef" in answer.raw or answer.raw.endswith(b"def"), answer.raw


def test_broken_answers_do_not_use_up_the_descriptors(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, wrapper=["prlimit", "--nofile=164:164"])
    for _ in range(110):
        ask(proxy.address, request("GET", "/behave/chunked-short", version="HTTP/1.0"))
    assert ask(proxy.address, request("GET", "/api/0/")).status == 200


def test_a_flood_of_connections_leaves_the_reserved_descriptors_alone(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, wrapper=["prlimit", "--nofile=164:164"])
    before = proxy.descriptors()
    clients = [Client(proxy.address) for _ in range(150)]
    try:
        for client in clients:
            client.send(b"GET / HT")
        time.sleep(1)
        # Each reactor looks at the common count and then accepts: one more for each that looked at once.
        assert proxy.descriptors() - before <= 164 - 64 + len(os.sched_getaffinity(0)) - 1
    finally:
        for client in clients:
            client.sock.close()
    eventually(lambda: ask(proxy.address, request("GET", "/api/0/")).status == 200, "room again", 10)
