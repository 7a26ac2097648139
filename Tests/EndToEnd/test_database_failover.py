"""Several addresses of the database: each gets its share of the time, and the one that answered is remembered."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.database import PORT, Postgres, as_server_user, server_binary
from harness.network import DeadHost, NamedUpstream, NameServer, Network, Unavailable
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.relay import Server, relay_to, silent
from harness.upstream import StandIn

pytestmark = pytest.mark.tokens

TOKEN = "a" * 64
# What a question to the database may take, connecting and asking.
DEADLINE_SECONDS = 10.0


def obtained(proxy: Proxy) -> bool:
    return "token obtained" in proxy.output


def health(proxy: Proxy) -> str:
    return ask(proxy.admin, request("GET", "/status")).json["token"]["health"]


def ask_again(proxy: Proxy) -> None:
    """SIGHUP, and waits until the database has answered."""
    before = proxy.output.count("token confirmed")
    proxy.signal(signal.SIGHUP)
    eventually(lambda: proxy.output.count("token confirmed") > before, "the token confirmed", DEADLINE_SECONDS)


@pytest.fixture
def servers(postgres: Postgres) -> Iterator[Callable[..., Server]]:
    opened: list[Server] = []

    def start(serve: object = None, **options: object) -> Server:
        opened.append(Server(serve or relay_to(f"{postgres.folder}/.s.PGSQL.{PORT}"), **options))  # type: ignore[arg-type]
        return opened[-1]

    yield start
    for server in opened:
        server.close()


def test_an_address_that_is_silent_has_its_share_and_is_not_tried_again(
    stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, servers: Callable[..., Server]
) -> None:
    postgres.store_token(TOKEN)
    first, second = servers(silent), servers()
    connection = f"host=127.0.0.1,127.0.0.1 port={first.port},{second.port} user=postgres dbname=postgres"
    proxy = start_proxy(stand_in.uri, "--log-level", "debug", "--pgx-conn", connection, token=None)
    # Half of the time for each of two; with no failure in between.
    eventually(lambda: obtained(proxy), "the token from the second address", DEADLINE_SECONDS)
    assert "attempt 1" not in proxy.output, proxy.output
    tried = first.connections
    for _ in range(3):
        ask_again(proxy)
    assert first.connections == tried, "the one that answered is remembered"
    assert second.connections >= 4


def test_connect_timeout_shortens_the_share(
    stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, servers: Callable[..., Server]
) -> None:
    """Five dead addresses: with equal shares the sixth would get its turn after 8 s."""
    postgres.store_token(TOKEN)
    dead, good = [servers(silent) for _ in range(5)], servers()
    ports = ",".join(str(server.port) for server in [*dead, good])
    connection = f"host={','.join(['127.0.0.1'] * 6)} port={ports} user=postgres dbname=postgres connect_timeout=1 sslmode=disable"
    begin = time.monotonic()
    proxy = start_proxy(stand_in.uri, "--pgx-conn", connection, token=None)
    eventually(lambda: obtained(proxy), "the token from the sixth address", DEADLINE_SECONDS)
    assert time.monotonic() - begin > 4.5, "each has had its second"
    assert [server.connections for server in dead] == [1] * 5


def test_the_remembered_address_goes_and_the_others_are_tried(
    stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, servers: Callable[..., Server]
) -> None:
    postgres.store_token(TOKEN)
    first, second = servers(), servers()
    connection = f"host=127.0.0.1,127.0.0.1 port={first.port},{second.port} user=postgres dbname=postgres sslmode=disable"
    proxy = start_proxy(stand_in.uri, "--log-level", "debug", "--pgx-conn", connection, token=None)
    eventually(lambda: obtained(proxy), "the token")
    assert (first.connections, second.connections) == (1, 0)
    first.close()
    ask_again(proxy)
    assert second.connections == 1 and "level=warning" not in proxy.output
    second.close()
    proxy.signal(signal.SIGHUP)
    eventually(lambda: health(proxy) == "degraded", "health follows when none is left")
    reason = ask(proxy.admin, request("GET", "/status")).json["token"]["reason"]
    assert all(f"127.0.0.1:{server.port}: Connection refused" in reason for server in (first, second)), reason
    assert ask(proxy.admin, request("GET", "/readyz")).status == 200, "the last good token is in use"


@pytest.fixture
def standby(postgres: Postgres) -> Iterator[Path]:
    """A streaming replica in a folder of its own, which is its socket's too."""
    folder = postgres.folder / "standby"
    run = lambda *command: subprocess.run(  # noqa: E731
        as_server_user(list(command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, cwd="/", check=True)
    run(server_binary("pg_basebackup"), "-D", str(folder), "-R", "-X", "stream", "-c", "fast", "-h", str(postgres.folder), "-p", str(PORT),
        "-U", "postgres")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c port={PORT} -c fsync=off -c log_statement=all"
    control = [server_binary("pg_ctl"), "-D", str(folder), "-w", "-l", str(folder / "log")]
    run(*control, "-o", options, "start")
    yield folder
    subprocess.run(as_server_user([*control, "-m", "immediate", "stop"]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   timeout=60, cwd="/", check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("attributes, asked", [
    ("any", "standby"), ("read-write", "primary"), ("primary", "primary"), ("read-only", "standby"), ("standby", "standby"),
    ("prefer-standby", "standby"),
])
def test_target_session_attrs_chooses_among_real_servers(
    stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, standby: Path, attributes: str, asked: str
) -> None:
    postgres.store_token(TOKEN)
    lsn = postgres.sql("SELECT pg_current_wal_lsn()").strip()

    def replayed() -> bool:
        done = subprocess.run(as_server_user([
            server_binary("psql"), "-XAtq", "-h", str(standby), "-p", str(PORT), "-U", "postgres", "-c",
            f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'"]), capture_output=True, text=True, timeout=20, cwd="/", check=False)
        return done.stdout.strip() == "t"

    eventually(replayed, "the standby has the row", 20)
    before = postgres.queries()
    # The wanted one comes last, but for `any`.
    order = [standby, postgres.folder] if asked == "primary" or attributes == "any" else [postgres.folder, standby]
    connection = f"host={order[0]},{order[1]} port={PORT} user=postgres dbname=postgres target_session_attrs={attributes}"
    proxy = start_proxy(stand_in.uri, "--pgx-conn", connection, token=None)
    eventually(lambda: obtained(proxy), "the token")
    assert (postgres.queries() > before) == (asked == "primary")


# One name


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    try:
        own = Network(tmp_path)
    except Unavailable as error:
        pytest.skip(f"no network namespace here: {error}")
    yield own
    own.leave()


@pytest.fixture
def names(network: Network) -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.close()


def test_a_name_with_a_dead_address_and_a_good_one(
    network: Network, names: NameServer, start_proxy: StartProxy, running_postgres: Postgres
) -> None:
    running_postgres.create_table("text")
    running_postgres.store_token(TOKEN)
    names.addresses = ["10.99.0.9", "fd99::9", "10.99.0.2"]
    dead = [DeadHost("10.99.0.9", PORT), DeadHost("fd99::9", PORT)]
    good = Server(relay_to(f"{running_postgres.folder}/.s.PGSQL.{PORT}"), "10.99.0.2", PORT)
    try:
        upstream = NamedUpstream("10.99.0.3", 9000)
        proxy = start_proxy("http://10.99.0.3:9000", "--log-level", "debug", "--pgx-conn", "host=db.test user=postgres dbname=postgres",
                            token=None)
        eventually(lambda: obtained(proxy), "the token from the last address", DEADLINE_SECONDS)
        assert "attempt 1" not in proxy.output, proxy.output
        begin = time.monotonic()
        ask_again(proxy)
        assert time.monotonic() - begin < 2.5, "less than one share: the good address comes first now"
        upstream.close()
    finally:
        for server in (*dead, good):
            server.close()


def test_a_name_service_that_hangs_is_said_and_holds_nothing_up(network: Network, names: NameServer, start_proxy: StartProxy) -> None:
    names.mode = "silent"
    upstream = NamedUpstream("10.99.0.3", 9000)
    proxy = start_proxy("http://10.99.0.3:9000", "--pgx-conn", "host=db.test,/run/nowhere user=postgres", "--response-timeout", "1",
                        token=None)
    assert ask(proxy.address, request("GET", "/api/0/")).status == 503
    line = proxy.wait_for_line(lambda text: "could not be looked up in time" in text, 2 * DEADLINE_SECONDS)
    assert "host 'db.test'" in line and "socket /run/nowhere/.s.PGSQL.5432: No such file or directory" in line
    begin = time.monotonic()
    proxy.stop()
    assert time.monotonic() - begin < 5
    upstream.close()
