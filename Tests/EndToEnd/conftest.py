"""Fixtures of the end-to-end tests. Every proxy is ended by SIGTERM and must exit with status 0 and a clean log."""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.database import PgBouncer, Postgres
from harness.fast_upstream import FastUpstream, Unavailable
from harness.login import AuthorizationServer, Commands
from harness.packages import Missing, installed
from harness.proxy import BINARY, Proxy
from harness.secrecy import LEDGER, SHORTEST, watch
from harness.upstream import RawUpstream, StandIn

watch(LEDGER, BINARY)
SECRECY = pytest.StashKey[list]()
TEST_SECONDS = float(os.environ.get("TEST_SECONDS", "120"))


def pytest_report_header() -> list[str]:
    return [f"proxy under test: {BINARY}"]


def pytest_sessionstart() -> None:
    if not os.access(BINARY, os.X_OK):
        raise pytest.UsageError(f"no proxy to test at {BINARY}; build it first or set PROXY_BINARY")


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Past it, the test fails where it stands."""

    def expire(*_: Any) -> None:
        raise AssertionError(f"the test took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def deadline_of_process(seconds: float) -> Iterator[None]:
    """Past it, the process ends; pytest-xdist says at which test, and starts another process."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """No test waits for ever."""
    # execnet, which runs the processes of pytest-xdist, may give the tests another thread than the main one, and only that one
    # takes signals.
    is_main = threading.current_thread() is threading.main_thread()
    with (deadline if is_main else deadline_of_process)(TEST_SECONDS):
        yield


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """After every fixture is gone: no secret is in anything that the program wrote."""
    if found := LEDGER.settle():
        pytest.fail("a secret was written in clear:\n" + "\n".join(found), pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What outlived the last test, and for the process that runs those of pytest-xdist, what was looked at."""
    late = LEDGER.settle()
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["secrecy"] = [LEDGER.counts, late]
    else:
        session.config.stash.setdefault(SECRECY, []).append((LEDGER.counts, late))
    if late:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    if "secrecy" in getattr(node, "workeroutput", {}):
        node.config.stash.setdefault(SECRECY, []).append(tuple(node.workeroutput["secrecy"]))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    seen = config.stash.get(SECRECY, [])
    handed_out, too_short, outputs, size = (sum(numbers) for numbers in zip(*(counts for counts, _ in seen)))
    terminalreporter.write_line(f"secrets: {handed_out} handed out, looked for in {outputs} outputs of the program ({size / 1e6:.1f} MB); "
                                f"{too_short} words of less than {SHORTEST} bytes not looked for")
    for line in (line for _, late in seen for line in late):
        terminalreporter.write_line(f"a secret was written in clear: {line}")


@pytest.fixture(scope="session")
def running_stand_in() -> Iterator[StandIn]:
    stand_in = StandIn()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def stand_in(running_stand_in: StandIn) -> StandIn:
    """The stand-in Sentry, with no record of what was before."""
    running_stand_in.release()
    running_stand_in.reset()
    return running_stand_in


@pytest.fixture
def start_proxy() -> Iterator[Callable[..., Proxy]]:
    """Starts proxies for this test alone."""
    started: list[Proxy] = []

    def start(*arguments: Any, **options: Any) -> Proxy:
        proxy = Proxy(*arguments, **options)
        started.append(proxy)
        return proxy

    yield start
    failures = []
    for proxy in started:
        try:
            proxy.stop()
        except AssertionError as error:
            failures.append(str(error))
    assert not failures, "\n".join(failures)


@pytest.fixture
def proxy(stand_in: StandIn, start_proxy: Callable[..., Proxy]) -> Proxy:
    """A proxy with the defaults and a static token in front of the stand-in."""
    return start_proxy(stand_in.uri)


@pytest.fixture
def raw_upstream() -> Iterator[Callable[..., RawUpstream]]:
    opened: list[RawUpstream] = []

    def open_upstream(*pieces: bytes) -> RawUpstream:
        upstream = RawUpstream(pieces)
        opened.append(upstream)
        return upstream

    yield open_upstream
    for upstream in opened:
        upstream.close()


@pytest.fixture
def fast_upstream(tmp_path: Path) -> Iterator[str]:
    """Its URI; see harness/fast_upstream.py."""
    try:
        upstream = FastUpstream(tmp_path)
    except Unavailable as error:
        pytest.skip(str(error))
    yield upstream.uri
    upstream.close()


@pytest.fixture(scope="module")
def shared_proxy(running_stand_in: StandIn) -> Iterator[Proxy]:
    """One proxy for all tests of a file: for files with hundreds of cases that leave nothing behind."""
    # The limits that the fixtures are written for.
    proxy = Proxy(running_stand_in.uri, "--max-fields", "100", "--max-answer-fields", "100")
    yield proxy
    proxy.stop()


@pytest.fixture(scope="session")
def running_postgres() -> Iterator[Postgres]:
    postgres = Postgres()
    yield postgres
    postgres.close()


@pytest.fixture
def postgres(running_postgres: Postgres) -> Iterator[Postgres]:
    """A PostgreSQL with an empty `sentry_option`; one that a test stopped is started again."""
    running_postgres.create_table("text")
    yield running_postgres
    if not (running_postgres.data / "postmaster.pid").exists():
        running_postgres.start()
    running_postgres.search_tables()


@pytest.fixture
def pgbouncer(postgres: Postgres) -> Iterator[PgBouncer]:
    bouncer = PgBouncer(postgres)
    yield bouncer
    bouncer.close()


@pytest.fixture
def authorization_server() -> Iterator[AuthorizationServer]:
    running = AuthorizationServer("--interval", "0.1")
    yield running
    running.stop()


@pytest.fixture
def commands(authorization_server: AuthorizationServer, tmp_path: Path) -> Commands:
    """The `auth` commands with a store of their own."""
    return Commands(tmp_path / "state", authorization_server)


@pytest.fixture(scope="session")
def sentry_cli() -> str:
    """The real sentry-cli, of the version of which docs/clients.md speaks."""
    try:
        binary = installed("sentry-cli==3.8.2", "sentry-cli", ".build-venv-sentry-cli")
    except Missing as missing:
        pytest.skip(str(missing))
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    assert version == "sentry-cli 3.8.2", version
    return binary
