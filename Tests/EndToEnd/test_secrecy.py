"""The token appears nowhere but in the request to the upstream; and what watches over that in all other tests can fail."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from harness.client import Client, ask, request
from harness.database import Postgres
from harness.process import eventually
from harness.proxy import BINARY, StartProxy
from harness.secrecy import MARK, Ledger
from harness.upstream import TOKEN, StandIn

BEHAVIOURS = ["sized", "reset-head", "partial-head", "giant-head", "short", "broken-chunks", "splitting?by=lf", "early", "hold-head"]


@pytest.mark.parametrize("source", ["file", "environment"])
def test_the_token_is_in_no_log_no_command_line_and_no_answer(
    stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path, source: str
) -> None:
    flags = ["--log-level", "trace", "--response-timeout", "0.3"]
    if source == "file":
        (tmp_path / "token").write_text(TOKEN)
        proxy = start_proxy(stand_in.uri, *flags, "--token-file", str(tmp_path / "token"), token=None)
    else:
        proxy = start_proxy(stand_in.uri, *flags)
    answers = [ask(proxy.address, request("GET", f"/behave/{name}", "Accept: */*")) for name in BEHAVIOURS]
    answers.append(ask(proxy.address, request("TRACE", "/")))
    answers.append(ask(proxy.address, b"GET / HTTP/1.1\r\nbroken\r\n\r\n"))
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/hold-head", "Content-Length: 10"))
        client.reset()
    sent = [entry["head"] for entry in stand_in.records(requests=len(BEHAVIOURS))["requests"]]
    assert any(TOKEN in head for head in sent), "the token must have been sent at all"
    proxy.stop()
    assert all(TOKEN.encode() not in answer.raw for answer in answers)
    assert TOKEN not in proxy.output
    assert proxy.output.strip(), "there is a log to look through"


def test_the_token_is_not_in_the_title_of_the_process(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri)
    for name in ("cmdline", "comm"):
        assert TOKEN.encode() not in Path(f"/proc/{proxy.pid}/{name}").read_bytes()


@pytest.mark.tokens
def test_no_secret_of_the_database_is_told_through_a_rotation_and_a_loss(
    stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres
) -> None:
    """Two system tokens, the database's password, an alias and a stranger's bearer."""
    old, new, password, alias, stranger = "0a1b" * 16, "c2d3" * 16, "pass-word-of-the-database", "alias-that-is-secret", "bearer-of-a-stranger"
    secrets = [old, new, password, alias, stranger]
    postgres.store_token(old)
    stand_in.set_tokens([old])
    environment = {"PGX_CONN": f"{postgres.connection_string} password={password}", "ALIAS_TOKENS": alias}
    proxy = start_proxy(stand_in.uri, "--log-level", "trace", environment=environment, token=None)
    elevated = request("GET", "/behave/verdict", f"Authorization: Bearer {alias}")
    eventually(lambda: ask(proxy.address, elevated).status == 200, "the token read")
    pages = [Path(f"/proc/{proxy.pid}/cmdline").read_bytes()]

    def look() -> None:
        pages.extend(ask(proxy.admin, request("GET", path)).raw for path in ("/healthz", "/readyz", "/status", "/metrics"))

    look()
    postgres.store_token(new)
    stand_in.set_tokens([new])
    pages.append(ask(proxy.address, elevated).raw)
    proxy.wait_for_line(lambda line: "retry=renewed" in line)
    look()
    postgres.stop()
    stand_in.set_tokens([])
    pages.append(ask(proxy.address, elevated).raw)
    pages.append(ask(proxy.address, request("GET", "/behave/reset-head", f"Authorization: Bearer {stranger}")).raw)
    eventually(lambda: b"degraded" in ask(proxy.admin, request("GET", "/status")).raw, "degraded")
    look()
    sent = "".join(entry["head"] for entry in stand_in.records(requests=4)["requests"])
    assert old in sent and new in sent and stranger in sent and alias not in sent
    proxy.stop()
    pages.append(proxy.output.encode())
    for secret in secrets:
        assert not any(secret.encode() in page for page in pages), f"{secret} was told"


# MARK: what watches over all tests

LEAKY = """#!/bin/sh
echo "token=$SENTRY_TOKEN" >&2
exec "{program}" "$@"
"""


@pytest.mark.parametrize("processes", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_a_run_fails_when_the_program_logs_its_token(tmp_path: Path, processes: list[str]) -> None:
    leaky = tmp_path / "sentry-api-proxy"
    leaky.write_text(LEAKY.format(program=BINARY))
    leaky.chmod(0o755)
    tests = Path(__file__).resolve().parent
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", tests / "pytest.ini", *processes,
                           f"{tests / 'test_expect.py'}::test_an_unknown_expectation_is_refused"],
                          env={**os.environ, "PROXY_BINARY": str(leaky)}, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1, done
    assert "token: in the log of serve, line 1" in done.stdout and MARK not in done.stdout, done.stdout


RANDOM = "sap_" + "q-R_" * 10 + "xYz"


@pytest.mark.parametrize("written", [
    RANDOM, quote("pass/word+of%20somebody", safe=""), RANDOM[:24], RANDOM[20:], base64.b64encode(f"user:{RANDOM}".encode()).decode(),
    base64.b64encode(f"{RANDOM}:".encode()).decode(), f"x={MARK}0",
])
def test_a_secret_is_found_in_any_clothes(written: str) -> None:
    ledger = Ledger("program")
    ledger.hand_out("alias", RANDOM)
    ledger.hand_out("password", "pass/word+of%20somebody")
    ledger.wrote("the log", f"first line\nsecond line {written} and more".encode())
    found = ledger.settle()
    assert found and all(": in the log, line 2" in line and written not in line for line in found), found


def test_what_stands_for_a_secret_is_none() -> None:
    ledger = Ledger("program")
    ledger.hand_out("alias", RANDOM)
    ledger.hand_out("user code", "WDJB-MJHT", shortest=9)
    ledger.wrote("the log", f"alias={hashlib.sha256(RANDOM.encode()).hexdigest()} code=WDJB-… sap_…".encode())
    assert not ledger.settle() and ledger.counts == [2, 0, 1, 92]


def test_the_state_folder_may_hold_a_login_and_nothing_else(tmp_path: Path) -> None:
    ledger = Ledger("program")
    ledger.started(["program", "auth", "refresh"], {"STATE_DIR": str(tmp_path), "PGX_CONN": "postgres://me:hidden-word-1234@db/sentry"})
    (tmp_path / "logins.json").write_text('{"access_token": "hidden-token-5678"}')
    assert not ledger.settle()
    for name, text in (("logins.json.tmp", "hidden-token-5678"), ("grants.json", "hidden-word-1234")):
        ledger.started(["program", "auth", "refresh"], {"STATE_DIR": str(tmp_path), "PGX_CONN": "postgres://me:hidden-word-1234@db/sentry"})
        (tmp_path / name).write_text(text)
        kind = "login" if "token" in text else "password"
        assert ledger.settle() == [f"{kind}: in {name} in the state folder, line 1"]
        (tmp_path / name).unlink()
