"""Serving with a stored login: refresh, 401, refusal, a sign-in from another process, replicas on one table."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.client import Answer, ask, request
from harness.database import Postgres
from harness.login import AuthorizationServer, Commands
from harness.metrics import scrape
from harness.process import Child, eventually
from harness.proxy import BINARY, Proxy, StartProxy, clean_environment

KILLS = 200
# So old a token is, when its refusal is put down to its age.
AGE_SECONDS = 0.6
WINDOW_SECONDS = 0.005


@pytest.fixture
def serve(commands: Commands, start_proxy: StartProxy) -> Callable[..., Proxy]:
    def start(*flags: str, **environment: str) -> Proxy:
        return start_proxy(commands.server.uri, *flags, environment={"STATE_DIR": str(commands.state)} | environment, token=None)

    return start


def get(proxy: Proxy) -> Answer:
    return ask(proxy.address, request("GET", "/api/0/"))


def test_a_login_is_used_and_named(authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]) -> None:
    login = commands.sign_in()
    proxy = serve()
    eventually(lambda: get(proxy).status == 200, "an answer with the login")
    assert list(authorization_server.state["accepted"]) == [login["access_token"]]
    assert 'source="stored login"' in proxy.output
    assert login["access_token"] not in proxy.output and login["refresh_token"] not in proxy.output


def test_the_first_sign_in_is_taken_up_by_a_proxy_that_has_no_token(
    authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]
) -> None:
    proxy = serve(PGX_CONN="host=127.0.0.1 port=1")
    eventually(lambda: "127.0.0.1:1: Connection refused" in proxy.output, "the database is missed")
    assert get(proxy).status == 503 and "source=PostgreSQL" in proxy.output
    login = commands.sign_in()
    eventually(lambda: get(proxy).status == 200, "an answer with the login", 10)
    assert list(authorization_server.state["accepted"]) == [login["access_token"]]
    assert "cause=changed" in proxy.wait_for_line(lambda line: "kind=login" in line)
    # From now on it is kept fresh like any other.
    commands.run("auth", "logout")
    eventually(lambda: get(proxy).status == 503, "no answer after the logout", 10)


def test_who_asked_for_the_system_token_by_name_gets_no_login(
    authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]
) -> None:
    proxy = serve(SENTRY_TOKEN="system", PGX_CONN="host=127.0.0.1 port=1")
    commands.sign_in()
    # Longer than a running proxy needs to take up a login.
    time.sleep(2.5)
    assert get(proxy).status == 503 and not authorization_server.state["accepted"]


def test_it_is_refreshed_when_a_tenth_is_left(
    authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]
) -> None:
    authorization_server.set(token_life=3)
    commands.sign_in()
    begin = time.monotonic()
    proxy = serve()
    eventually(lambda: authorization_server.count("refresh") >= 2, "two refreshes", 12)
    times = [entry["at"] for entry in authorization_server.state["log"] if entry["what"] == "refresh"]
    assert 2.5 < times[0] - begin < 3.0 and 2.5 < times[1] - times[0] < 3.0
    assert get(proxy).status == 200
    assert commands.stored[authorization_server.uri]["refresh_token"] == authorization_server.state["grants"][0]["refresh"]


def test_a_401_refreshes_once_for_all_and_the_requests_are_repeated(
    authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]
) -> None:
    authorization_server.set(token_life=2.5)
    commands.sign_in()
    proxy = serve()
    eventually(lambda: get(proxy).status == 200, "an answer with the login")
    # Old enough that its refusal is put down to its age, and not yet due.
    time.sleep(AGE_SECONDS)
    authorization_server.set(token_life=600)
    taken = authorization_server.state["grants"][0]
    # Sentry forgets the access token; the refresh token stays good.
    authorization_server.ask("POST", "/control/spoil")
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(get(proxy).status)) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 30, proxy.output
    assert authorization_server.count("refresh") == 1
    assert authorization_server.state["grants"][0]["access"] != taken["access"]


def test_an_address_that_refuses_every_token_does_not_use_up_refresh_tokens(
    authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]
) -> None:
    commands.sign_in()
    proxy = serve()
    eventually(lambda: get(proxy).status == 200, "an answer with the login")
    authorization_server.set(api_status=401)
    for _ in range(20):
        assert get(proxy).status == 401
    assert authorization_server.count("refresh") == 0


def test_a_401_that_is_not_about_the_token_uses_up_no_refresh_token(
    authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]
) -> None:
    relays = "/api/0/relays/projectconfigs/"
    authorization_server.set(token_life=4, refused_path=relays)
    commands.sign_in()
    authorization_server.set(token_life=600)
    proxy = serve()
    eventually(lambda: get(proxy).status == 200, "an answer with the login")
    asked = authorization_server.state["asked"]["/api/0/"]
    # Old enough that a refusal would be put down to its age, and not yet due.
    time.sleep(AGE_SECONDS)
    statuses = [ask(proxy.address, request("POST", relays, body=b"{}")).status for _ in range(20)]
    assert statuses == [401] * 20
    assert authorization_server.count("refresh") == 0
    # The upstream is asked about the token once for all of them.
    assert authorization_server.state["asked"]["/api/0/"] == asked + 1
    samples = scrape(proxy)
    assert samples.sum("token_questions_total", answer="accepted") == 1
    assert samples.sum("token_health", state="ready") == 1 and samples.sum("token_refused") == 0
    assert samples.sum("upstream_unauthorized_total") == 20


def test_a_stored_token_that_is_refused_makes_the_proxy_unready(
    authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]
) -> None:
    grant = authorization_server.ask("POST", "/control/grant")
    assert commands.run("auth", "login", "--token", "-", stdin=grant["access_token"]).returncode == 0
    proxy = serve()
    eventually(lambda: get(proxy).status == 200, "an answer with the login")
    authorization_server.ask("POST", "/control/spoil")
    assert get(proxy).status == 401
    eventually(lambda: ask(proxy.admin, request("GET", "/readyz")).status == 503, "unready")
    assert b"auth login" in ask(proxy.admin, request("GET", "/readyz")).body
    assert scrape(proxy).sum("token_health", state="degraded") == 1
    # A sign-in mends it.
    assert authorization_server.count("refresh") == 0
    commands.run("auth", "logout")
    commands.sign_in()
    eventually(lambda: get(proxy).status == 200, "the new login in use", 10)
    assert ask(proxy.admin, request("GET", "/readyz")).status == 200


def test_a_refused_refresh_says_sign_in_again_and_is_not_repeated(
    authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]
) -> None:
    authorization_server.set(token_life=2)
    commands.sign_in()
    proxy = serve()
    eventually(lambda: get(proxy).status == 200, "an answer with the login")
    # A slow start may have refreshed it by now, which was not refused.
    authorization_server.forget()
    eventually(lambda: authorization_server.count("refresh", good=False) >= 1, "the refresh", 10)

    def ended() -> bool:
        answer = get(proxy)
        return answer.status == 503 and b"sign in again" in answer.body

    eventually(ended, "503", 10)
    assert get(proxy).value("Retry-After")
    proxy.wait_for_line(lambda line: "auth login" in line, 5)
    time.sleep(3)
    assert authorization_server.count("refresh", good=False) == 1
    # A restart knows of the refusal.
    proxy.stop()
    again = serve()
    eventually(lambda: get(again).status == 503, "503 after the restart")
    assert authorization_server.count("refresh", good=False) == 1
    # Signing in from another process mends it without a restart.
    authorization_server.set(token_life=600)
    commands.sign_in()
    eventually(lambda: get(again).status == 200, "the new login in use", 10)


def test_an_authorization_server_that_is_away_keeps_the_token_in_use(
    authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]
) -> None:
    authorization_server.set(token_life=3)
    commands.sign_in()
    proxy = serve()
    eventually(lambda: get(proxy).status == 200, "an answer with the login")
    authorization_server.set(faults=["500", "reset", "html", "cut"])
    proxy.wait_for_line(lambda line: "cannot be reached to refresh" in line, 10)
    assert get(proxy).status == 200
    eventually(lambda: authorization_server.count("refresh") >= 1, "the refresh when it is back", 20)
    eventually(lambda: get(proxy).status == 200, "an answer")


def test_logout_ends_the_use_of_the_token(
    authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]
) -> None:
    commands.sign_in()
    proxy = serve()
    eventually(lambda: get(proxy).status == 200, "an answer with the login")
    assert commands.run("auth", "logout").returncode == 0
    eventually(lambda: get(proxy).status == 503, "503", 10)
    assert authorization_server.count("refresh") == 0


def test_a_store_that_went_bad_keeps_the_token_in_use(
    authorization_server: AuthorizationServer, commands: Commands, serve: Callable[..., Proxy]
) -> None:
    commands.sign_in()
    proxy = serve()
    eventually(lambda: get(proxy).status == 200, "an answer with the login")
    commands.file.write_text("{")
    proxy.wait_for_line(lambda line: "stored logins" in line, 10)
    assert get(proxy).status == 200


def test_the_system_token_is_provoked(authorization_server: AuthorizationServer, postgres: Postgres, start_proxy: StartProxy) -> None:
    start_proxy(authorization_server.uri, "--pgx-conn", postgres.connection_string, token=None, environment={"STATE_DIR": "/nonexistent"})
    eventually(lambda: authorization_server.state["refused"] >= 1, "one bearer request", 10)


# PostgreSQL


def test_a_login_in_postgresql(
    authorization_server: AuthorizationServer, commands: Commands, postgres: Postgres, start_proxy: StartProxy
) -> None:
    postgres.sql("DROP TABLE IF EXISTS sentry_api_proxy_login")
    environment = {"STATE_DIR": "postgres", "PGX_CONN": postgres.connection_string}
    ended = commands.run("auth", "status", **environment)
    assert ended.returncode == 78 and "init-db" in ended.stderr
    for _ in range(2):
        assert commands.run("auth", "init-db", **environment).returncode == 0
    proxy = start_proxy(authorization_server.uri, environment=environment, token=None)
    eventually(lambda: get(proxy).status == 503 and b"sign in" in get(proxy).body, "503 without a login")
    child = commands.start("auth", "login", **environment)
    child.wait_for_line(lambda line: "enter the code" in line)
    authorization_server.approve()
    assert child.wait(20) == 0, child.output
    # Told by NOTIFY: well before the row is looked at by itself.
    eventually(lambda: get(proxy).status == 200, "the login in use", 4)
    assert not commands.state.exists()
    assert commands.run("auth", "refresh", **environment).returncode == 0
    assert json.loads(commands.run("auth", "status", "--json", **environment).stdout)["usable"] is True
    assert commands.run("auth", "logout", **environment).returncode == 0
    assert postgres.sql("SELECT count(*) FROM sentry_api_proxy_login").strip() == "0"


@pytest.mark.campaign
def test_three_replicas_refresh_once_a_period(
    authorization_server: AuthorizationServer, commands: Commands, postgres: Postgres, start_proxy: StartProxy
) -> None:
    seconds, life = 60, 2.25
    postgres.sql("DROP TABLE IF EXISTS sentry_api_proxy_login")
    environment = {"STATE_DIR": "postgres", "PGX_CONN": postgres.connection_string}
    assert commands.run("auth", "init-db", **environment).returncode == 0
    child = commands.start("auth", "login", **environment)
    child.wait_for_line(lambda line: "enter the code" in line)
    authorization_server.set(token_life=life)
    authorization_server.approve()
    assert child.wait(20) == 0
    proxies = [start_proxy(authorization_server.uri, environment=environment, token=None) for _ in range(3)]
    for proxy in proxies:
        eventually(lambda proxy=proxy: get(proxy).status == 200, "the login in use", 10)
    statuses: list[list[int]] = [[] for _ in range(6)]
    end = time.monotonic() + seconds
    before = authorization_server.count("refresh")

    def load(index: int) -> None:
        while time.monotonic() < end:
            statuses[index].append(get(proxies[index % 3]).status)

    threads = [threading.Thread(target=load, args=(index,)) for index in range(6)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - begin
    log = [entry for entry in authorization_server.state["log"] if entry["what"] == "refresh"]
    refreshes = len(log) - before
    gaps = [later["at"] - earlier["at"] for earlier, later in zip(log, log[1:])]
    total = sum(map(len, statuses))
    failed = sum(1 for seen in statuses for status in seen if status != 200)
    print(f"\n{total} requests, {failed} failed; {refreshes} refreshes in {elapsed:.1f} s, shortest gap {min(gaps):.2f} s")
    assert failed == 0
    assert all(entry["good"] for entry in log)
    # Due after nine tenths of the life; one more or less at the edges.
    assert abs(refreshes - elapsed / (life * 0.9)) <= 2
    assert min(gaps) > life * 0.8


# Killed


@pytest.mark.campaign
def test_killed_at_random_moments_of_a_refresh(authorization_server: AuthorizationServer, commands: Commands, tmp_path: Path) -> None:
    """Counts the one window that OAuth leaves open: after the server's rotation, before the new tokens are stored."""
    commands.sign_in()
    assert list(commands.stored) == [authorization_server.uri]
    random_ = random.Random(8628)
    # How long the whole command takes, so that the kills fall on all of it.
    begin = time.monotonic()
    assert commands.run("auth", "refresh").returncode == 0
    whole = time.monotonic() - begin
    lost = 0
    rotated = 0
    for _ in range(KILLS):
        state = authorization_server.state["grants"][-1]
        process = subprocess.Popen(commands.command("auth", "refresh"), env=commands.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random_.uniform(0, whole * 1.1))
        process.kill()
        process.wait()
        # A request that was on its way when its sender was killed is carried out all the same.
        time.sleep(0.02)
        now = authorization_server.state["grants"][-1]
        rotated += now["refresh"] != state["refresh"]
        # The file is whole, whatever happened.
        stored = commands.stored[authorization_server.uri]
        assert sorted(path.name for path in commands.state.iterdir() if path.name != "logins.json.new") == ["lock", "logins.json"]
        ended = commands.run("auth", "refresh")
        if ended.returncode == 0:
            assert commands.stored[authorization_server.uri]["refresh_token"] == authorization_server.state["grants"][-1]["refresh"]
        else:
            assert stored["refresh_token"] == state["refresh"] != now["refresh"]
            lost += 1
            assert ended.returncode == 77 and "sign in again" in ended.stderr, ended.stderr
            commands.sign_in()
    window = lost / KILLS * whole * 1.1
    print(f"\n{KILLS} kills over {whole * 1.1 * 1000:.1f} ms: {rotated} after the rotation, {lost} in the window, "
          f"which is about {window * 1000:.2f} ms long")
    assert rotated > KILLS / 20
    assert window < WINDOW_SECONDS
