"""What the device flow does when a time is over: that of a code, and that of a grant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.database import Postgres
from harness.device import CLIENT, ask_for_code, command, fetch, get, poll, post, starter
from harness.process import eventually
from harness.proxy import Proxy, StartProxy, run_to_end
from harness.upstream import StandIn


@pytest.fixture
def start(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path):
    return starter(stand_in, start_proxy, tmp_path)


def let_pass(postgres: Postgres, seconds: int) -> None:
    """Makes what waits in the table older: codes are good for ten minutes, which no test waits for."""
    postgres.sql("UPDATE sentry_api_proxy_device SET ends = ends - %d, document = (document::jsonb || jsonb_build_object("
                 "'made', (document::jsonb->>'made')::bigint - %d, 'ends', (document::jsonb->>'ends')::bigint - %d))::text"
                 % (seconds, seconds, seconds))


def test_a_code_expires_while_it_is_polled(start, stand_in: StandIn, postgres: Postgres) -> None:
    postgres.sql("DROP TABLE IF EXISTS sentry_api_proxy_device, sentry_api_proxy_grant")
    made = run_to_end("auth", "init-db", "--sentry-uri", stand_in.uri, PGX_CONN=postgres.connection_string)
    assert made.returncode == 0, made.stderr
    proxy: Proxy = start("--state-dir", "postgres", "--pgx-conn", postgres.connection_string, approval="admin")
    waiting, approved = ask_for_code(proxy.address), ask_for_code(proxy.address)
    assert poll(proxy.address, waiting["device_code"]).json == {"error": "authorization_pending"}
    assert command(proxy, "device", "approve", approved["user_code"]).returncode == 0
    let_pass(postgres, 590)
    assert poll(proxy.address, waiting["device_code"]).json["error"] in ("authorization_pending", "slow_down"), "a few seconds are left"
    let_pass(postgres, 10)
    for code in (waiting, approved, waiting):
        answer = poll(proxy.address, code["device_code"])
        assert (answer.status, answer.json) == (400, {"error": "expired_token"}), answer.raw
        assert fetch(proxy.address, "GET", f"/oauth/device/?user_code={code['user_code']}").status == 404
        assert command(proxy, "device", "approve", code["user_code"]).returncode == 65
    assert "nobody waits" in command(proxy, "device", "list").stdout
    assert "nothing is granted" in command(proxy, "alias", "list").stdout
    stand_in.assert_untouched()


def approve(proxy: Proxy, code: dict, seconds: int) -> None:
    """As `device approve --for` does, which takes no time under a minute."""
    body = json.dumps({"command": "approve", "code": code["user_code"], "name": "short", "lifetime": seconds}).encode()
    answer = ask(proxy.admin, request("POST", "/device", "Content-Type: application/json", body=body))
    assert answer.status == 200, answer.raw


@pytest.mark.parametrize(("lifetime", "chosen"), [("12h", 2), pytest.param("1m", None, marks=pytest.mark.campaign)])
@pytest.mark.parametrize("refresh", ["off", "on"])
def test_an_alias_ends_with_its_grant(start, stand_in: StandIn, tmp_path: Path, lifetime: str, chosen: int | None, refresh: str) -> None:
    proxy: Proxy = start("--device-lifetime", lifetime, "--device-refresh", refresh, approval="none" if chosen is None else "admin")
    code = ask_for_code(proxy.address)
    if chosen is not None:
        approve(proxy, code, chosen)
    token = poll(proxy.address, code["device_code"]).json
    seconds = chosen or 60
    assert token["expires_in"] == seconds, token
    alias, target = token["access_token"], "/api/0/organizations/acme/"
    assert get(proxy.address, target, alias).status == 200
    eventually(lambda: get(proxy.address, target, alias).status == 401, "the alias has ended", seconds + 10)
    stand_in.reset()
    refused = get(proxy.address, target, alias)
    assert refused.status == 401, refused.raw
    assert get(proxy.address, "/api/0/auth/", alias).status == 401
    if refresh == "on":
        renewed = post(proxy.address, "/oauth/token/", grant_type="refresh_token", refresh_token=token["refresh_token"], client_id=CLIENT)
        assert (renewed.status, renewed.json) == (400, {"error": "invalid_grant"}), renewed.raw
    stand_in.assert_untouched()
    proxy.wait_for_line(lambda line: "event=expired" in line, 10)
    assert "nothing is granted" in command(proxy, "alias", "list").stdout
    eventually(lambda: json.loads((tmp_path / "state" / "grants.json").read_text())["grants"] == [], "the store forgets it", 10)
