"""`sentry-api-proxy healthcheck`: one line and an exit status, for containers without a shell."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from harness.client import Client, request
from harness.database import Postgres
from harness.proxy import BINARY, Proxy, StartProxy, clean_environment
from harness.upstream import StandIn


def healthcheck(*flags: str, address: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = clean_environment({"ADMIN_LISTEN": address} if address else None)
    return subprocess.run([BINARY, "healthcheck", *flags], env=environment, capture_output=True, text=True, timeout=20, check=False)


def test_a_running_proxy_is_healthy_and_ready(proxy: Proxy) -> None:
    for flags, word in (((), "alive\n"), (("--ready",), "ready\n")):
        ended = healthcheck(*flags, "--admin-listen", proxy.admin_listening)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, word, "")
    assert healthcheck(address=proxy.admin_listening).returncode == 0


@pytest.mark.parametrize("listen", [":{}", "0.0.0.0:{}"])
def test_a_listener_on_every_address_is_asked_on_the_loopback_one(stand_in: StandIn, start_proxy: StartProxy, listen: str) -> None:
    proxy = start_proxy(stand_in.uri, "--admin-listen", listen.format(0))
    assert healthcheck("--admin-listen", listen.format(proxy.admin[1])).returncode == 0


def test_a_unix_socket_is_asked(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/admin.sock"
    start_proxy(stand_in.uri, "--admin-listen", address)
    assert healthcheck("--admin-listen", address).returncode == 0


def test_nobody_there_is_unhealthy(tmp_path: Path) -> None:
    for address in ("127.0.0.1:1", f"unix:{tmp_path}/nothing"):
        ended = healthcheck("--admin-listen", address)
        assert ended.returncode == 1 and len(ended.stdout.splitlines()) == 1 and address in ended.stdout, ended


@pytest.mark.tokens
def test_without_a_token_it_is_alive_and_not_ready(postgres: Postgres, stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, token=None, environment={"PGX_CONN": postgres.connection_string})
    assert healthcheck("--admin-listen", proxy.admin_listening).returncode == 0
    ended = healthcheck("--ready", "--admin-listen", proxy.admin_listening)
    assert ended.returncode == 1 and ended.stdout.startswith("no token: ") and len(ended.stdout.splitlines()) == 1


def test_a_draining_proxy_is_alive_and_not_ready(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
        proxy.signal(signal.SIGTERM)
        proxy.wait_for_line(lambda line: "msg=draining" in line)
        assert healthcheck("--admin-listen", proxy.admin_listening).returncode == 0
        ended = healthcheck("--ready", "--admin-listen", proxy.admin_listening)
        assert (ended.returncode, ended.stdout) == (1, "draining\n")
        stand_in.release()
        assert client.read_answer().status == 200


def test_something_else_that_listens_is_unhealthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            sock, _ = server.accept()
            with sock:
                # Closing with the question unread would reset the connection, and the reset may overtake the answer.
                sock.recv(65536)
                sock.sendall(b"SSH-2.0-something\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        ended = healthcheck("--admin-listen", f"127.0.0.1:{server.getsockname()[1]}")
        thread.join(5)
    assert ended.returncode == 1 and "not an admin listener" in ended.stdout


def test_a_listener_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = healthcheck("--admin-listen", f"127.0.0.1:{server.getsockname()[1]}")
    assert ended.returncode == 1


@pytest.mark.parametrize(("value", "status"), [("off", 64), ("nowhere", 64)])
def test_an_address_that_is_none_is_a_usage_error(value: str, status: int) -> None:
    ended = healthcheck("--admin-listen", value)
    assert ended.returncode == status and "--admin-listen" in ended.stderr
