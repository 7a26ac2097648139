"""The device flow promises nothing that the proxy's own token cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.device import ask_for_code, command, fetch, poll, post, starter
from harness.process import eventually
from harness.proxy import TOKEN, Proxy, StartProxy
from harness.upstream import StandIn

WARNING = "Behind this proxy is an organization token: it can upload, and read little."


@pytest.fixture
def start(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path):
    return starter(stand_in, start_proxy, tmp_path)


def shown(proxy: Proxy, code: dict) -> tuple[str, str]:
    """What page and `device list` say of it."""
    page = fetch(proxy.address, "GET", f"/oauth/device/?user_code={code['user_code']}").body.decode()
    return page, command(proxy, "device", "list").stdout


def test_what_the_token_cannot_do_is_not_granted(start, stand_in: StandIn) -> None:
    stand_in.set_scopes(["event:write", "org:read"])
    proxy: Proxy = start(approval="admin")
    code = ask_for_code(proxy.address)
    page, listed = shown(proxy, code)
    left = "alerts:read, member:read, project:read, team:read"
    assert f"<dt>Leaves out</dt><dd>{left}</dd>" in page, page
    assert f"leaves out: {left}\n" in listed and "scopes of the token" in proxy.output, listed
    assert WARNING not in page and "organization token" not in listed
    assert command(proxy, "device", "approve", code["user_code"]).returncode == 0
    assert poll(proxy.address, code["device_code"]).json["scope"] == "alert_rule:read event:read org:read", "who reads an organization reads its alert rules"


def test_when_nothing_is_left_nothing_is_granted(start, stand_in: StandIn) -> None:
    stand_in.set_scopes(["org:ci"])
    proxy: Proxy = start()
    answer = post(proxy.address, "/oauth/device/code/", client_id="a", scope="event:read")
    assert (answer.status, answer.json) == (400, {"error": "invalid_scope"}), answer.raw


def test_what_sentry_does_not_tell_cuts_nothing(start, stand_in: StandIn) -> None:
    stand_in.set_scopes(None)
    proxy: Proxy = start()
    assert "event:read" in poll(proxy.address, ask_for_code(proxy.address)["device_code"]).json["scope"]


def test_another_token_is_asked_about_anew(start, stand_in: StandIn, tmp_path: Path) -> None:
    file, other = tmp_path / "token", "sntryu_" + "1" * 64
    file.write_text(TOKEN)
    file.chmod(0o600)
    stand_in.set_tokens([TOKEN, other])
    stand_in.set_scopes(["org:read"])
    proxy: Proxy = start("--token-file", str(file))
    assert poll(proxy.address, ask_for_code(proxy.address)["device_code"]).json["scope"] == "alert_rule:read org:read"
    stand_in.set_scopes(["org:read", "team:read"])
    file.write_text(other)
    proxy.wait_for_line(lambda line: "scopes of the token" in line and "team:read" in line)
    assert poll(proxy.address, ask_for_code(proxy.address)["device_code"]).json["scope"] == "alert_rule:read org:read team:read"


def test_an_organization_token_is_warned_of(start, stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    token, file = "sntrys_" + "1" * 64, tmp_path / "token"
    file.write_text(token)
    file.chmod(0o600)
    stand_in.set_tokens([token])
    # Sentry says nothing of the scopes of such a token.
    stand_in.set_scopes(None)
    proxy: Proxy = start("--token-file", str(file), approval="admin")
    page, listed = shown(proxy, ask_for_code(proxy.address))
    assert WARNING in page and listed.startswith(WARNING + "\n"), listed
    states = ask(proxy.admin, request("GET", "/live")).json
    assert token not in json.dumps(states) + proxy.output
    assert f"{WARNING} The device flow grants no more than that." in json.dumps(states), states


def test_of_another_token_nothing_but_reading_is_promised_before_sentry_tells(start, stand_in: StandIn, tmp_path: Path) -> None:
    file, other = tmp_path / "token", "sntryu_" + "1" * 64
    file.write_text(TOKEN)
    file.chmod(0o600)
    stand_in.set_tokens([TOKEN])
    stand_in.set_scopes(["org:read", "event:write"])
    proxy: Proxy = start("--token-file", str(file), "--device-policy", "full", approval="admin")
    code = ask_for_code(proxy.address, scope="event:write org:read")
    assert "leaves out: nothing\n" in shown(proxy, code)[1]
    # Sentry refuses it, and so says nothing of it.
    file.write_text(other)
    eventually(lambda: "leaves out: event:write\n" in shown(proxy, code)[1], "the other token", 20)
    stand_in.set_tokens([other])
    eventually(lambda: "leaves out: nothing\n" in shown(proxy, code)[1], "what Sentry tells of the other token", 30)
