"""--ready-check upstream: whether /readyz asks that Sentry answered lately."""

from __future__ import annotations

import socket
import threading

import pytest

from harness.client import Answer, ask, request
from harness.fronts import free_port
from harness.process import eventually
from harness.proxy import Proxy, StartProxy, run_to_end
from harness.upstream import StandIn


def ready(proxy: Proxy) -> Answer:
    return ask(proxy.admin, request("GET", "/readyz"))


def until(proxy: Proxy, status: int) -> Answer:
    answers: list[Answer] = []

    def is_it() -> bool:
        answers.append(ready(proxy))
        return answers[-1].status == status

    eventually(is_it, f"/readyz says {status}", 40, pause=0.2)
    return answers[-1]


def test_the_word_is_checked() -> None:
    ended = run_to_end("--ready-check", "sentry", SENTRY_URI="http://127.0.0.1:9", SENTRY_TOKEN="x")
    assert ended.returncode == 64 and "--ready-check: 'sentry' is not token or upstream" in ended.stderr, ended


def test_without_the_flag_nobody_is_asked(start_proxy: StartProxy, stand_in: StandIn) -> None:
    proxy = start_proxy(stand_in.uri)
    assert ready(proxy).status == 200
    stand_in.assert_untouched()


def test_a_probe_without_the_token_makes_it_ready(start_proxy: StartProxy, stand_in: StandIn) -> None:
    proxy = start_proxy(stand_in.uri, "--ready-check", "upstream")
    until(proxy, 200)
    seen = stand_in.request()
    assert seen["target"] == "/api/0/" and not any(name.lower() == "authorization" for name, _ in seen["fields"]), seen


def test_an_upstream_that_is_silent_is_told_and_found_again(start_proxy: StartProxy) -> None:
    """First nobody listens, then somebody answers 503 as a balancer does, then 404 as some Sentry does."""
    port = free_port()
    proxy = start_proxy(f"http://127.0.0.1:{port}", "--ready-check", "upstream")
    assert until(proxy, 503).payload == b"the upstream does not answer\n"
    proxy.wait_for_line(lambda line: "level=warning" in line and "--ready-check upstream" in line)
    status, answered = [503], threading.Semaphore(0)
    with socket.create_server(("127.0.0.1", port)) as listener:
        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    connection.sendall(f"HTTP/1.1 {status[0]} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                answered.release()

        threading.Thread(target=serve, daemon=True).start()
        assert answered.acquire(timeout=30) and ready(proxy).status == 503
        status[0] = 404
        until(proxy, 200)
        proxy.wait_for_line(lambda line: "the upstream answers again" in line)
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("word", ["token", "TOKEN"])
def test_the_default_has_a_name(start_proxy: StartProxy, word: str) -> None:
    assert ready(start_proxy(f"http://127.0.0.1:{free_port()}", "--ready-check", word)).status == 200
