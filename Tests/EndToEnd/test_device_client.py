"""A login of the official command line, from its first request to the end of its alias.

The program itself (getsentry/cli, the package `sentry` of npm) is not at hand where these tests run, so its requests are sent byte for
byte and its rules about the stored login are followed here: packages/cli/src/lib/{oauth,sentry-client,scope-recovery}.ts and db/auth.ts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from harness.client import Answer, ask
from harness.device import CLIENT, EVERYTHING, FORM, GRANT, PROGRAM, READ_ONLY, command, message, poll, post, starter
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

DEVICE_CODE = "d" * 64
# Recorded from Node 20.20.2 with the calls of the files above.
RECORDED = {
    "code": (
        "POST /oauth/device/code/ HTTP/1.1\r\nhost: 127.0.0.1:1\r\nconnection: keep-alive\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "accept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\nuser-agent: node\r\naccept-encoding: gzip, deflate\r\ncontent-length: 159\r\n\r\n"
        "client_id=1d673b81d60ef84c951359c36296972ca6fd41bd8f45acd2d3a783a3b3c28e41"
        "&scope=project%3Aread+org%3Aread+event%3Aread+member%3Aread+team%3Aread+alerts%3Aread"),
    "poll": (
        "POST /oauth/token/ HTTP/1.1\r\nhost: 127.0.0.1:1\r\nconnection: keep-alive\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "accept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\nuser-agent: node\r\naccept-encoding: gzip, deflate\r\ncontent-length: 217\r\n\r\n"
        "client_id=1d673b81d60ef84c951359c36296972ca6fd41bd8f45acd2d3a783a3b3c28e41&device_code=" + DEVICE_CODE
        + "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"),
    "whoami": (
        "GET /api/0/auth/ HTTP/1.1\r\nhost: 127.0.0.1:1\r\nconnection: keep-alive\r\nContent-Type: application/json\r\nAuthorization: Bearer A\r\n"
        "User-Agent: sentry-cli/0.44.0 (linux-x64) node/20.20.2\r\naccept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\n"
        "accept-encoding: gzip, deflate\r\n\r\n"),
    "write": (
        "PUT /api/0/issues/1/ HTTP/1.1\r\nhost: 127.0.0.1:1\r\nconnection: keep-alive\r\nContent-Type: application/json\r\nAuthorization: Bearer A\r\n"
        "User-Agent: sentry-cli/0.44.0 (linux-x64) node/20.20.2\r\naccept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\n"
        "accept-encoding: gzip, deflate\r\ncontent-length: 21\r\n\r\n"
        '{"status":"resolved"}'),
}


@dataclass
class CommandLine:
    """What the program keeps between its calls, and when it forgets that."""

    address: tuple[str, int]
    login: dict[str, Any] | None = None
    sent: list[bytes] = field(default_factory=list)
    # A new login that was started by itself after a refusal, as it does on a terminal.
    asked_for_more: dict[str, Any] | None = None

    def send(self, method: str, target: str, *lines: str, body: str = "") -> Answer:
        self.sent.append(message(self.address, method, target, *lines, body=body))
        return ask(self.address, self.sent[-1])

    def form(self, target: str, **values: str) -> Answer:
        return self.send("POST", target, f"Content-Type: {FORM}", body=urlencode(values))

    def ask_for_code(self, scope: str) -> dict[str, Any]:
        answer = self.form("/oauth/device/code/", client_id=CLIENT, scope=scope)
        found: dict[str, Any] = answer.json
        assert answer.status == 200 and {"device_code", "user_code", "verification_uri", "expires_in", "interval"} <= found.keys()
        return found

    def log_in(self, scope: str = READ_ONLY) -> None:
        code = self.ask_for_code(scope)
        token = self.form("/oauth/token/", client_id=CLIENT, device_code=code["device_code"], grant_type=GRANT).json
        # TokenResponseSchema.
        assert isinstance(token["access_token"], str) and isinstance(token["token_type"], str) and isinstance(token["expires_in"], int | float)
        assert isinstance(token["user"]["id"], str)
        self.login = token
        # warmOrgCache; its failure is no failure of the login.
        self.call("GET", "/api/0/organizations/?per_page=100")

    def call(self, method: str, target: str, body: str = "", terminal: bool = False) -> Answer:
        """A call with the stored login, and what the program makes of its answer."""
        answer = self.once(method, target, body)
        for _ in range(2):
            if answer.status not in (408, 429, 500, 502, 503, 504):
                break
            answer = self.once(method, target, body)
        if answer.status == 401 and self.renewed():
            answer = self.once(method, target, body)
        if answer.status == 403 and terminal:
            scopes = self.once("GET", "/api/0/").json["auth"]["scopes"]
            if set(EVERYTHING.split()) - set(scopes):
                self.asked_for_more = self.ask_for_code(EVERYTHING)
        return answer

    def once(self, method: str, target: str, body: str = "") -> Answer:
        assert self.login is not None, "the login was forgotten"
        return self.send(method, target, "Content-Type: application/json", f"Authorization: Bearer {self.login['access_token']}",
                         f"User-Agent: {PROGRAM}", body=body)

    def renewed(self) -> bool:
        """refreshToken({force: true}): without a refresh token, or after any answer but 2xx, the login is deleted."""
        if self.login is None or "refresh_token" not in self.login:
            self.login = None
            return False
        answer = self.form("/oauth/token/", client_id=CLIENT, grant_type="refresh_token", refresh_token=self.login["refresh_token"])
        if not answer.raw:
            return False  # A network error, which deletes nothing.
        self.login = answer.json if answer.status == 200 else None
        return self.login is not None


@pytest.fixture
def start(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path):
    return starter(stand_in, start_proxy, tmp_path)


def test_the_requests_are_those_that_were_recorded() -> None:
    address = ("127.0.0.1", 1)
    own = ("Content-Type: application/json", "Authorization: Bearer A", f"User-Agent: {PROGRAM}")
    made = {
        "code": message(address, "POST", "/oauth/device/code/", f"Content-Type: {FORM}", body=urlencode({"client_id": CLIENT, "scope": READ_ONLY})),
        "poll": message(address, "POST", "/oauth/token/", f"Content-Type: {FORM}",
                        body=urlencode({"client_id": CLIENT, "device_code": DEVICE_CODE, "grant_type": GRANT})),
        "whoami": message(address, "GET", "/api/0/auth/", *own),
        "write": message(address, "PUT", "/api/0/issues/1/", *own, body=json.dumps({"status": "resolved"}, separators=(",", ":"))),
    }
    assert {name: text.decode() for name, text in made.items()} == RECORDED


def test_a_login_from_sign_in_to_a_refused_write(start, stand_in: StandIn) -> None:
    proxy: Proxy = start("--device-policy", "read-only org=acme")
    program = CommandLine(proxy.address)
    program.log_in()
    held = program.login
    assert held is not None and held["expires_in"] == 43200 and "refresh_token" not in held and held["access_token"].startswith("sap_")
    assert set(held["scope"].split()) >= set(READ_ONLY.split()), held["scope"]
    whoami = program.call("GET", "/api/0/auth/").json
    assert isinstance(whoami["id"], str) and whoami["name"] == held["user"]["name"]
    organizations = program.call("GET", "/api/0/organizations/?per_page=100")
    assert [found["slug"] for found in organizations.json] == ["acme"]
    assert organizations.json[0]["links"]["regionUrl"] == f"http://127.0.0.1:{proxy.port}", "else the alias would go to Sentry itself"
    assert [region["url"] for region in program.call("GET", "/api/0/users/me/regions/").json["regions"]] == [f"http://127.0.0.1:{proxy.port}"]
    issue = program.call("GET", "/api/0/organizations/acme/issues/1/")
    assert issue.status == 200 and issue.json["id"] == "1"
    stand_in.reset()
    refused = program.call("PUT", "/api/0/organizations/acme/issues/1/", json.dumps({"status": "resolved"}))
    assert refused.status == 403 and refused.json["detail"], refused.raw
    # What the proxy asks for itself may come at any time.
    assert not [seen for seen in stand_in.records()["requests"] if seen["head"].startswith("PUT ")]
    # Without a terminal it is told, with one it asks for everything: which is seen, and grants no more.
    assert program.asked_for_more is None and program.login == held


def test_on_a_terminal_a_refusal_asks_for_everything_and_is_seen(start) -> None:
    proxy: Proxy = start("--device-policy", "read-only", approval="admin")
    program = CommandLine(proxy.address)
    code = program.ask_for_code(READ_ONLY)
    assert command(proxy, "device", "approve", code["user_code"]).returncode == 0
    program.login = poll(proxy.address, code["device_code"]).json
    held = program.login
    assert program.call("PUT", "/api/0/organizations/acme/issues/1/", "{}", terminal=True).status == 403
    assert program.asked_for_more and program.login == held
    listed = command(proxy, "device", "list").stdout
    assert program.asked_for_more["user_code"][:4] in listed and "project:admin" in listed, listed
    assert command(proxy, "device", "approve", program.asked_for_more["user_code"]).returncode == 0
    more = poll(proxy.address, program.asked_for_more["device_code"]).json
    assert "event:write" not in more["scope"] and "project:admin" not in more["scope"], "the policy is the ceiling"


def test_what_sentry_refuses_the_proxy_does_not_end_the_login(start, stand_in: StandIn) -> None:
    proxy: Proxy = start()
    program = CommandLine(proxy.address)
    program.log_in()
    held = program.login
    stand_in.set_tokens(["sntryu_" + "0" * 64])
    assert program.call("GET", "/api/0/organizations/acme/").status == 502
    assert program.login == held


def test_a_withdrawn_alias_ends_the_login(start) -> None:
    """The control of the tests above: what the program forgets, it forgets here too."""
    proxy: Proxy = start()
    program = CommandLine(proxy.address)
    program.log_in()
    assert program.login is not None
    assert post(proxy.address, "/oauth/revoke/", token=program.login["access_token"]).status == 200
    assert program.call("GET", "/api/0/auth/").status == 401
    assert program.login is None


def test_a_login_with_a_refresh_token_outlives_a_store_that_is_away(start, tmp_path: Path) -> None:
    proxy: Proxy = start("--device-refresh", "on")
    program = CommandLine(proxy.address)
    program.log_in()
    held = program.login
    assert held is not None and held["refresh_token"].startswith("sapr_")
    state = tmp_path / "state"
    state.chmod(0o755)
    assert not program.renewed() and program.login == held
    state.chmod(0o700)
    assert program.renewed() and program.login is not None and program.login["access_token"] != held["access_token"]
    assert program.call("GET", "/api/0/auth/").status == 200
