"""What operators do with the device flow: list, approve, deny and withdraw, over the admin listener."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.client import ask, request
from harness.device import ALIAS, EVERYTHING, ask_for_code, command, fetch, get, poll, post, starter
from harness.proxy import StartProxy, run_to_end
from harness.upstream import StandIn

SECRET = "s3cret-of-the-operators-" + "0" * 40


@pytest.fixture
def start(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path):
    return starter(stand_in, start_proxy, tmp_path)


def test_an_operator_approves_and_narrows(start, stand_in: StandIn) -> None:
    proxy = start("--device-policy", "read-only", approval="admin")
    code = ask_for_code(proxy.address, scope=EVERYTHING)
    listed = command(proxy, "device", "list")
    assert listed.returncode == 0 and code["user_code"][:4] in listed.stdout and code["user_code"] not in listed.stdout, listed
    leaves = next(line for line in listed.stdout.splitlines() if "leaves out" in line)
    assert "team:admin" in leaves and "event:write" in leaves, listed.stdout
    approved = command(proxy, "device", "approve", code["user_code"].lower(), "--name", "agent-7", "--rights", "read-only org=acme",
                       "--for", "30m")
    assert approved.returncode == 0 and "agent-7" in approved.stdout, approved
    token = poll(proxy.address, code["device_code"]).json
    assert token["expires_in"] == 1800 and token["user"]["name"] == "alias agent-7"
    assert "event:write" not in token["scope"]
    assert [item["slug"] for item in get(proxy.address, "/api/0/organizations/", token["access_token"]).json] == ["acme"]
    assert fetch(proxy.address, "PUT", "/api/0/organizations/acme/issues/1/", f"authorization: Bearer {token['access_token']}").status == 403
    assert "agent-7" in command(proxy, "alias", "list").stdout
    assert command(proxy, "alias", "revoke", "agent-7").returncode == 0
    assert get(proxy.address, "/api/0/auth/", token["access_token"]).status == 401
    unknown = command(proxy, "alias", "revoke", "agent-7")
    assert unknown.returncode == 65 and unknown.stderr.count("\n") == 1, unknown


def test_a_denied_client_is_told_once(start) -> None:
    proxy = start(approval="admin")
    code = ask_for_code(proxy.address)
    assert command(proxy, "device", "deny", code["user_code"]).returncode == 0
    answer = poll(proxy.address, code["device_code"])
    assert (answer.status, answer.json) == (400, {"error": "access_denied"})
    assert command(proxy, "device", "approve", code["user_code"]).returncode == 65


def test_an_address_is_denied_for_an_hour(start) -> None:
    proxy = start("--trusted-proxies", "127.0.0.1", approval="admin")
    theirs, ours = "X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: 192.0.2.8"
    code, other = ask_for_code(proxy.address, theirs), ask_for_code(proxy.address, ours)
    denied = command(proxy, "device", "deny", "--client", "192.0.2.7")
    assert denied.returncode == 0 and denied.stdout.startswith("denied: 1 that waited"), denied
    assert poll(proxy.address, code["device_code"]).json == {"error": "access_denied"}
    again = post(proxy.address, "/oauth/device/code/", theirs, client_id="a")
    assert (again.status, again.json) == (403, {"error": "access_denied"}), again.raw
    assert poll(proxy.address, other["device_code"]).json == {"error": "authorization_pending"}
    assert ask_for_code(proxy.address, ours)
    wrong = command(proxy, "device", "deny", "--client", "somebody")
    assert wrong.returncode == 64 and "--client" in wrong.stderr and wrong.stderr.count("\n") == 1, wrong
    for words in ((), (code["user_code"], "--client", "192.0.2.7")):
        wrong = command(proxy, "device", "deny", *words)
        assert wrong.returncode == 64 and "either CODE or --client" in wrong.stderr, wrong


def test_the_addresses_of_one_network_are_denied_together(start) -> None:
    proxy = start("--trusted-proxies", "127.0.0.1", approval="admin")
    assert command(proxy, "device", "deny", "--client", "2001:db8::7").returncode == 0
    for address, status in (("2001:db8::8", 403), ("2001:db8:0:1::7", 200)):
        assert post(proxy.address, "/oauth/device/code/", f"X-Forwarded-For: {address}", client_id="a").status == status


def test_the_admin_listener_takes_no_question_of_a_web_page(start) -> None:
    proxy = start(approval="admin")
    body = b'{"command": "list"}'
    json_type = "Content-Type: application/json"
    assert ask(proxy.admin, request("POST", "/device", json_type, body=body)).status == 200
    assert ask(proxy.admin, request("POST", "/device", json_type, "Origin: http://127.0.0.1:9090", body=body)).status == 403
    assert ask(proxy.admin, request("POST", "/device", "Content-Type: text/plain", body=body)).status == 403
    assert ask(proxy.admin, request("POST", "/device", json_type, body=body, host="evil.example")).status == 421
    assert ask(proxy.admin, request("GET", "/device")).status == 405


def test_the_live_page_alone_may_ask_from_a_browser(start) -> None:
    proxy = start(approval="admin")
    origin = f"http://127.0.0.1:{proxy.admin[1]}"

    def asked(*lines: str, host: str = origin.removeprefix("http://")):
        return ask(proxy.admin, request("POST", "/device", "Content-Type: application/json", *lines, body=b'{"command": "list"}', host=host))

    assert asked(f"Origin: {origin}", "Sec-Fetch-Site: same-origin").status == 200
    for lines in ((f"Origin: {origin}",), (f"Origin: {origin}", "Sec-Fetch-Site: same-site"), ("Origin: null", "Sec-Fetch-Site: same-origin"),
                  (f"Origin: {origin}0", "Sec-Fetch-Site: same-origin"), ("Origin: https://evil.example", "Sec-Fetch-Site: same-origin")):
        assert asked(*lines).status == 403, lines
    assert asked("Origin: http://evil.example", "Sec-Fetch-Site: same-origin", host="evil.example").status == 421


def test_off_loopback_the_operators_secret_is_asked_for(start, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "secret").chmod(0o600)
    # The flag comes again: the last one counts.
    proxy = start("--admin-token-file", str(tmp_path / "secret"), "--admin-listen", "0.0.0.0:0", approval="admin")
    code = ask_for_code(proxy.address)
    body, kind = b'{"command": "list"}', "Content-Type: application/json"
    for lines in ((), ("Authorization: Bearer x",), (f"Authorization: Basic {SECRET}",), (f"Authorization: Bearer {SECRET}x",)):
        answer = ask(proxy.admin, request("POST", "/device", kind, *lines, body=body))
        assert (answer.status, answer.value("WWW-Authenticate")) == (401, "Bearer"), answer.raw
    assert ask(proxy.admin, request("POST", "/device", kind, f"Authorization: Bearer {SECRET}", body=body)).status == 200
    refused = command(proxy, "device", "approve", code["user_code"])
    assert refused.returncode == 77 and "--admin-token-file" in refused.stderr, refused
    assert command(proxy, "device", "approve", code["user_code"], "--admin-token-file", str(tmp_path / "secret")).returncode == 0
    assert poll(proxy.address, code["device_code"]).status == 200
    assert SECRET not in proxy.output


ON = ("--device-flow", "on")
ALIASES = (*ON, "--alias-token", ALIAS)
WRONG = [
    (("--device-flow", "maybe"), 64, "--device-flow"),
    ((*ALIASES, "--device-approval", "anybody"), 64, "--device-approval"),
    ((*ALIASES, "--device-approval", "none"), 64, "--device-from"),
    ((*ALIASES, "--device-lifetime", "31d"), 64, "--device-lifetime"),
    ((*ALIASES, "--device-from", "10.0.0.1/8"), 64, "--device-from"),
    ((*ALIASES, "--device-refresh", "x"), 64, "--device-refresh"),
    ((*ALIASES, "--device-policy", "nothing-known"), 64, "--device-policy"),
    ((*ALIASES, "--device-policy", "read-only expires=2099-01-31"), 64, "--device-policy: expires="),
    ((*ALIASES, "--device-policy", "our-set", "--policy-file", "{dir}/broken"), 78, "{dir}/broken', line 3"),
    (ON, 64, "--alias-file"),
    ((*ALIASES, "--listen", "0.0.0.0:0"), 64, "--public-url"),
    ((*ALIASES, "--listen", "0.0.0.0:0", "--public-url", "http://proxy.example"), 64, "--public-url"),
    ((*ALIASES, "--admin-listen", "off"), 64, "--admin-listen is off"),
    ((*ALIASES, "--admin-listen", "0.0.0.0:0"), 64, "not on loopback"),
    ((*ALIASES, "--admin-listen", "off", "--admin-token-file", "{dir}/secret"), 64, "--admin-listen is off"),
    ((*ALIASES, "--admin-token-file", "{dir}/none"), 78, "--admin-token-file: cannot read"),
    ((*ALIASES, "--admin-token-file", "{dir}/short"), 78, "at least 32"),
    ((*ALIASES, "--approvers-file", "{dir}/anna"), 64, "--approvers-file: approval codes are for"),
    ((*ALIASES, "--device-approval", "code", "--approvers-file", "{dir}/none"), 78, "--approvers-file: cannot read"),
    ((*ALIASES, "--device-approval", "code", "--approvers-file", "{dir}/approvers"), 78, "line 2"),
]


def files(folder: Path) -> None:
    for name, text in (("broken", "set our-set\n    allow GET O\n    allow NOTHING O\n"), ("secret", SECRET), ("short", "x" * 31),
                       ("anna", f"anna sha256:{'0' * 64}\n"), ("approvers", f"anna sha256:{'0' * 64}\nben sha256:1234\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)


@pytest.mark.parametrize(("flags", "status", "word"), WRONG, ids=lambda value: " ".join(value)[-60:] if isinstance(value, tuple) else str(value))
def test_what_is_wrong_ends_a_start_and_is_told_by_a_check(flags: tuple[str, ...], status: int, word: str, tmp_path: Path) -> None:
    files(tmp_path)
    words = [flag.format(dir=tmp_path) for flag in flags]
    words += () if "--listen" in flags else ("--listen", "127.0.0.1:0")
    words += () if "--admin-listen" in flags else ("--admin-listen", "127.0.0.1:0")
    for check in ((), ("--check-config",)):
        ended = run_to_end("--sentry-uri", "http://127.0.0.1:1", *words, *check, SENTRY_TOKEN="x" * 20, STATE_DIR=str(tmp_path / "state"))
        assert ended.returncode == (78 if check else status), ended
        assert ended.stderr.count("\n") == 1 and word.format(dir=tmp_path) in ended.stderr and not ended.stdout, ended


def test_a_check_tells_all_that_is_wrong_with_the_flow(tmp_path: Path) -> None:
    files(tmp_path)
    checked = run_to_end("--check-config", "--sentry-uri", "http://127.0.0.1:1", "--listen", "0.0.0.0:8080", "--admin-listen", "off",
                         "--admin-token-file", f"{tmp_path}/short", "--approvers-file", f"{tmp_path}/none", "--device-lifetime", "31d",
                         DEVICE_FLOW="on", DEVICE_POLICY="nothing-known", SENTRY_TOKEN="x" * 20, STATE_DIR=str(tmp_path / "state"))
    assert checked.returncode == 78 and not checked.stdout, checked
    found = [line.removeprefix("sentry-api-proxy: ").partition(": ")[0] for line in checked.stderr.splitlines()]
    assert found == ["--device-lifetime", "--approvers-file", "--device-flow", "--device-flow", "--device-approval admin", "DEVICE_POLICY",
                     "--approvers-file", "--admin-token-file"], checked.stderr


def test_a_check_and_a_listing_say_what_the_flow_is_set_to(tmp_path: Path) -> None:
    flags = ("--sentry-uri", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", *ALIASES, "--device-policy", "read-only org=acme", "--device-lifetime",
             "90m", "--device-approval", "none", "--device-from", "10.20.0.0/16", "--device-refresh", "on")
    checked = run_to_end("--check-config", *flags, SENTRY_TOKEN="x" * 20, STATE_DIR=str(tmp_path / "state"))
    assert checked.returncode == 0, checked
    line = next(line for line in checked.stdout.splitlines() if line.startswith("device flow"))
    assert line.split(None, 2)[2] == ("at most read-only org=acme, for 90m, granted to 10.20.0.0/16 without approval, with refresh tokens"), line
    listed = run_to_end("--print-config", *flags, SENTRY_TOKEN="x" * 20, DEVICE_APPROVAL="code", ADMIN_TOKEN_FILE="/etc/secret")
    rows = {line.split()[0]: line.split()[1:] for line in listed.stdout.splitlines()}
    assert rows["device-policy"] == ["read-only", "org=acme", "--device-policy"] and rows["device-approval"] == ["none", "--device-approval"]
    assert rows["admin-token-file"] == ["/etc/secret", "ADMIN_TOKEN_FILE"] and rows["approvers-file"] == ["unset", "default"], listed.stdout
