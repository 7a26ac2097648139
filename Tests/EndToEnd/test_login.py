"""Signing in by the device flow, and what is stored."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.database import Postgres
from harness.login import READ_ONLY, AuthorizationServer, Commands
from harness.process import eventually

USAGE, DATA, UNAVAILABLE, NO_PERMISSION, CONFIGURATION = 64, 65, 69, 77, 78


def one_line(ended: subprocess.CompletedProcess[str], status: int) -> str:
    assert ended.returncode == status, (ended.returncode, ended.stderr)
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    return ended.stderr


def test_the_whole_flow_without_a_terminal(authorization_server: AuthorizationServer, commands: Commands) -> None:
    child = commands.start("auth", "login")
    line = child.wait_for_line(lambda text: "enter the code" in text)
    code = authorization_server.state["codes"][0]
    assert line == f"Open {authorization_server.uri}/oauth/device/ and enter the code {code['user_code']}"
    assert code["scope"].split() == READ_ONLY
    assert not commands.file.exists()
    eventually(lambda: authorization_server.count("poll") >= 2, "two polls")
    authorization_server.approve()
    assert child.wait(20) == 0
    assert "\x1b" not in child.output and "\r" not in child.output
    login = commands.stored[authorization_server.uri]
    assert login["scopes"] == READ_ONLY
    assert login["access_token"] == authorization_server.state["grants"][0]["access"]
    assert login["refresh_token"] == authorization_server.state["grants"][0]["refresh"]
    assert login["user"]["email"] == "ada@example.com"
    assert login["access_token"] not in child.output
    assert stat.S_IMODE(commands.state.stat().st_mode) == 0o700
    assert stat.S_IMODE(commands.file.stat().st_mode) == 0o600
    assert sorted(path.name for path in commands.state.iterdir()) == ["lock", "logins.json"]


@pytest.mark.parametrize("flags, scopes", [
    (["--read-only"], READ_ONLY),
    (["--scope", "Org:Read,event:read", "--scope", "org:read"], ["org:read", "event:read"]),
    (["--full-access"], ["project:read", "project:write", "project:admin", "org:read", "event:read", "event:write", "member:read",
                         "team:read", "team:write", "team:admin", "alerts:read", "alerts:write"]),
])
def test_the_scopes_that_are_asked_for(
    authorization_server: AuthorizationServer, commands: Commands, flags: list[str], scopes: list[str]
) -> None:
    child = commands.start("auth", "login", *flags)
    child.wait_for_line(lambda text: "enter the code" in text)
    assert authorization_server.state["codes"][0]["scope"].split() == scopes
    authorization_server.deny()
    assert child.wait(20) == NO_PERMISSION


def test_a_store_that_cannot_be_written_is_found_out_before_a_code_is_shown(
    authorization_server: AuthorizationServer, commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    message = one_line(commands.run("auth", "login", STATE_DIR=str(tmp_path / "file" / "state")), UNAVAILABLE)
    assert "cannot be written" in message and "enter the code" not in message
    open_folder = tmp_path / "open"
    open_folder.mkdir(mode=0o755)
    assert "chmod 700" in one_line(commands.run("auth", "login", STATE_DIR=str(open_folder)), NO_PERMISSION)
    assert authorization_server.state["codes"] == [] and authorization_server.count("device_code") == 0


def test_a_table_that_may_not_be_written_is_found_out_before_a_code_is_shown(
    authorization_server: AuthorizationServer, commands: Commands, postgres: Postgres
) -> None:
    postgres.sql("DROP TABLE IF EXISTS sentry_api_proxy_login")
    environment = {"STATE_DIR": "postgres", "PGX_CONN": postgres.connection_string}
    assert commands.run("auth", "init-db", **environment).returncode == 0
    postgres.sql("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; GRANT SELECT ON sentry_api_proxy_login TO reader")
    reader = re.sub(r"user=\S+", "user=reader", postgres.connection_string)
    assert reader != postgres.connection_string
    message = one_line(commands.run("auth", "login", **environment | {"PGX_CONN": reader}), NO_PERMISSION)
    assert "GRANT" in message and authorization_server.count("device_code") == 0
    # Nothing was left behind by the attempt of one who may.
    child = commands.start("auth", "login", **environment)
    child.wait_for_line(lambda text: "enter the code" in text)
    assert postgres.sql("SELECT count(*) FROM sentry_api_proxy_login").strip() == "0"
    authorization_server.deny()
    assert child.wait(20) == NO_PERMISSION


def test_something_in_between_that_refuses_is_not_an_old_sentry(authorization_server: AuthorizationServer, commands: Commands) -> None:
    authorization_server.set(faults=["403"])
    message = one_line(commands.run("auth", "login"), CONFIGURATION)
    assert "403" in message and "in between" in message and "26.1" not in message
    authorization_server.set(faults=["404"])
    assert "26.1" in one_line(commands.run("auth", "login"), CONFIGURATION)
    # While somebody signs in, one such answer ends nothing.
    child = commands.start("auth", "login")
    child.wait_for_line(lambda text: "enter the code" in text)
    authorization_server.set(faults=["403"])
    authorization_server.approve()
    assert child.wait(30) == 0, child.output


@pytest.mark.parametrize("as_array", [False, True])
def test_a_grant_that_differs_is_told(authorization_server: AuthorizationServer, commands: Commands, as_array: bool) -> None:
    authorization_server.set(scope_as_array=as_array)
    with subprocess.Popen(commands.command("auth", "login", "--scope", "org:read,org:write", "--json"), env=commands.environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        eventually(lambda: authorization_server.state["codes"] != [], "the code")
        authorization_server.approve("org:read team:read")
        out, _ = process.communicate(timeout=20)
    report = json.loads(out)
    assert report["scopes"] == ["org:read", "team:read"]
    assert report["not_granted"] == ["org:write"]
    assert report["also_granted"] == ["team:read"]
    assert report["user"]["name"] == "Ada"


def test_denied_expired_and_impatient(authorization_server: AuthorizationServer, commands: Commands) -> None:
    child = commands.start("auth", "login")
    child.wait_for_line(lambda text: "enter the code" in text)
    authorization_server.deny()
    assert child.wait(20) == NO_PERMISSION
    assert "denied" in child.lines[-1]

    authorization_server.set(code_life=0.5)
    child = commands.start("auth", "login")
    assert child.wait(20) == UNAVAILABLE
    assert "expired" in child.lines[-1]

    authorization_server.set(code_life=600)
    child = commands.start("auth", "login", "--timeout", "500ms")
    assert child.wait(20) == UNAVAILABLE
    assert "--timeout" in child.lines[-1]
    assert not commands.file.exists()


def test_faults_of_the_network_are_waited_out(authorization_server: AuthorizationServer, commands: Commands) -> None:
    child = commands.start("auth", "login")
    child.wait_for_line(lambda text: "enter the code" in text)
    authorization_server.set(faults=["reset", "500", "html", "cut"])
    authorization_server.approve()
    assert child.wait(30) == 0, child.output
    assert authorization_server.state["grants"]


def test_slow_down_adds_five_seconds(authorization_server: AuthorizationServer, commands: Commands) -> None:
    child = commands.start("auth", "login")
    child.wait_for_line(lambda text: "enter the code" in text)
    authorization_server.set(slow=True)
    eventually(lambda: authorization_server.count("slow_down") == 1, "a slow_down")
    authorization_server.approve()
    assert child.wait(30) == 0
    polls = [entry["at"] for entry in authorization_server.state["log"] if entry["what"] == "poll"]
    assert polls[-1] - polls[-2] >= 5.0


@pytest.mark.parametrize("flags, word", [
    (["--scope", "org:reed"], "alerts:read"),
    (["--scope", ","], "--scope"),
    (["--read-only", "--scope", "org:read"], "--scope"),
    (["--read-only", "--full-access"], "--full-access"),
    (["--token", "abc", "--read-only"], "--read-only"),
    (["--token", "abc", "--scope", "org:read"], "--scope"),
    (["--token", "a b"], "--token"),
    (["--timeout", "soon"], "--timeout"),
    (["--url", "ftp://x"], "--url"),
])
def test_bad_flags_are_one_line(commands: Commands, flags: list[str], word: str) -> None:
    assert word in one_line(commands.run("auth", "login", *flags), USAGE)
    assert not commands.state.exists()


def test_a_client_id_is_needed_and_must_be_known(commands: Commands) -> None:
    assert "SENTRY_CLIENT_ID" in one_line(commands.run("auth", "login", SENTRY_CLIENT_ID=""), USAGE)
    assert "--client-id" in one_line(commands.run("auth", "login", "--client-id", "other"), NO_PERMISSION)


def test_an_address_with_control_codes_is_not_shown(authorization_server: AuthorizationServer, commands: Commands) -> None:
    authorization_server.set(verification_uri="https://x/\x1b]0;owned\x07")
    ended = commands.run("auth", "login")
    assert ended.returncode == DATA and "\x1b" not in ended.stderr


def test_a_given_token_is_stored_after_a_look(authorization_server: AuthorizationServer, commands: Commands) -> None:
    grant = authorization_server.ask("POST", "/control/grant")
    assert "401" in one_line(commands.run("auth", "login", "--token", "sntryu_bad"), NO_PERMISSION)
    assert not commands.state.exists()
    assert commands.run("auth", "login", "--token", "-", stdin=grant["access_token"] + "\n").returncode == 0
    login = commands.stored[authorization_server.uri]
    assert login["access_token"] == grant["access_token"] and "refresh_token" not in login


def test_a_login_is_replaced_by_force_only(authorization_server: AuthorizationServer, commands: Commands) -> None:
    first = commands.sign_in()
    assert "--force" in one_line(commands.run("auth", "login"), USAGE)
    assert commands.stored[authorization_server.uri] == first
    child = commands.start("auth", "login", "--force")
    child.wait_for_line(lambda text: "enter the code" in text)
    authorization_server.approve()
    assert child.wait(20) == 0
    assert commands.stored[authorization_server.uri]["access_token"] != first["access_token"]


# A terminal


class Terminal:
    """A command on a pseudo-terminal."""

    def __init__(self, commands: Commands, *arguments: str, **environment: str) -> None:
        self.output = b""
        pid, self.descriptor = pty.fork()
        if pid == 0:
            os.execve(commands.command(*arguments)[0], commands.command(*arguments),
                      commands.environment({"TERM": "xterm"} | environment))
        self.pid = pid

    def read_until(self, text: str, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while text.encode() not in self.output:
            assert time.monotonic() < deadline, self.output
            if not self.read_some(0.1):
                assert text.encode() in self.output, self.output

    def read_some(self, seconds: float) -> bool:
        if not select.select([self.descriptor], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.descriptor, 4096)
        except OSError:
            return False
        self.output += data
        return bool(data)

    def wait(self, seconds: float = 20) -> int:
        deadline = time.monotonic() + seconds
        while self.read_some(0.05):
            assert time.monotonic() < deadline, self.output
        return os.waitpid(self.pid, 0)[1]

    def screen(self) -> list[str]:
        """What is left to be seen: `\\r` goes back, `ESC [ K` wipes to the end of the line."""
        lines = []
        for line in self.output.decode().split("\r\n"):
            lines.append(line.rsplit("\r\x1b[K", 1)[-1])
        return lines


def test_the_whole_flow_in_a_terminal(authorization_server: AuthorizationServer, commands: Commands) -> None:
    terminal = Terminal(commands, "auth", "login")
    terminal.read_until("left")
    code = authorization_server.state["codes"][0]["user_code"]
    assert f"enter the code {code}" in terminal.output.decode()
    authorization_server.approve()
    assert terminal.wait() == 0
    screen = terminal.screen()
    assert not any("Waiting" in line for line in screen)
    assert f"Signed in to {authorization_server.uri} as ada@example.com." in screen
    assert commands.stored[authorization_server.uri]


def test_interrupted_in_a_terminal_nothing_is_left(authorization_server: AuthorizationServer, commands: Commands) -> None:
    terminal = Terminal(commands, "auth", "login")
    terminal.read_until("left")
    os.write(terminal.descriptor, b"\x03")
    status = terminal.wait()
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT
    assert not any("Waiting" in line for line in terminal.screen())
    # What showed that a login could be stored.
    assert [file.name for file in commands.state.iterdir()] == ["lock"]


def test_a_dumb_terminal_gets_plain_lines(authorization_server: AuthorizationServer, commands: Commands) -> None:
    terminal = Terminal(commands, "auth", "login", TERM="dumb")
    terminal.read_until("left")
    authorization_server.approve()
    assert terminal.wait() == 0
    assert b"\x1b" not in terminal.output


def test_the_token_goes_to_a_terminal_only_when_asked_twice(authorization_server: AuthorizationServer, commands: Commands) -> None:
    login = commands.sign_in()
    assert commands.run("auth", "token").stdout == login["access_token"] + "\n"
    terminal = Terminal(commands, "auth", "token")
    assert os.waitstatus_to_exitcode(terminal.wait()) == USAGE
    assert login["access_token"].encode() not in terminal.output
    terminal = Terminal(commands, "auth", "token", "--yes")
    assert terminal.wait() == 0
    assert login["access_token"].encode() in terminal.output


# The file


def spoil_mode(commands: Commands) -> None:
    commands.file.chmod(0o640)


def spoil_folder(commands: Commands) -> None:
    commands.state.chmod(0o755)


def spoil_content(commands: Commands) -> None:
    commands.file.write_text('{"version": 1, "logins": {"http')


def spoil_shape(commands: Commands) -> None:
    commands.file.write_text('{"version": 1, "logins": {"http://x": {"scopes": []}}}')


def spoil_version(commands: Commands) -> None:
    commands.file.write_text('{"version": 2, "something": "else"}')


def spoil_owner(commands: Commands) -> None:
    os.chown(commands.file, 12345, 12345)


def spoil_kind(commands: Commands) -> None:
    elsewhere = commands.state.parent / "elsewhere"
    commands.file.rename(elsewhere)
    commands.file.symlink_to(elsewhere)


@pytest.mark.parametrize("spoil, status, words", [
    (spoil_mode, NO_PERMISSION, "chmod 600"),
    (spoil_folder, NO_PERMISSION, "chmod 700"),
    (spoil_content, DATA, "sign in again"),
    (spoil_shape, DATA, "sign in again"),
    (spoil_version, CONFIGURATION, "version 2"),
    (spoil_owner, NO_PERMISSION, "another user"),
    (spoil_kind, DATA, "regular file"),
])
@pytest.mark.parametrize("arguments", [["auth", "status"], ["auth", "logout"], ["auth", "login", "--force", "--token", "x"], ["serve"]],
                         ids=lambda arguments: " ".join(arguments[:2]))
def test_a_file_that_is_not_right_is_refused_and_left_alone(
    commands: Commands, spoil: Callable[[Commands], None], status: int, words: str, arguments: list[str]
) -> None:
    if spoil is spoil_owner and os.geteuid() != 0:
        pytest.skip("needs root to give a file away")
    commands.server.ask("POST", "/control/grant")
    commands.sign_in()
    spoil(commands)
    before = (os.lstat(commands.file), commands.file.read_bytes() if not commands.file.is_symlink() else b"")
    commands.server.set(api_status=200)
    line = one_line(commands.run(*arguments, *(["--listen", "127.0.0.1:0"] if arguments == ["serve"] else [])), status)
    assert words in line
    after = (os.lstat(commands.file), commands.file.read_bytes() if not commands.file.is_symlink() else b"")
    assert (before[0].st_ino, before[0].st_mtime_ns, before[1]) == (after[0].st_ino, after[0].st_mtime_ns, after[1])


def test_the_default_folder_follows_xdg(authorization_server: AuthorizationServer, tmp_path: Path) -> None:
    for extra, folder in [({"XDG_STATE_HOME": str(tmp_path / "xdg")}, tmp_path / "xdg"),
                          ({"XDG_STATE_HOME": "", "HOME": str(tmp_path / "home")}, tmp_path / "home/.local/state"),
                          ({"XDG_STATE_HOME": "not/absolute", "HOME": str(tmp_path / "home2")}, tmp_path / "home2/.local/state")]:
        commands = Commands(folder / "sentry-api-proxy", authorization_server)
        grant = authorization_server.ask("POST", "/control/grant")
        ended = commands.run("auth", "login", "--token", grant["access_token"], STATE_DIR="", **extra)
        assert ended.returncode == 0, ended.stderr
        assert stat.S_IMODE(commands.file.stat().st_mode) == 0o600


def test_logout_removes_the_login_of_one_upstream(authorization_server: AuthorizationServer, commands: Commands) -> None:
    commands.sign_in()
    other = AuthorizationServer("--interval", "0.1")
    try:
        Commands(commands.state, other).sign_in()
        assert json.loads(commands.run("auth", "logout", "--json").stdout) == {"origin": authorization_server.uri, "removed": True}
        assert list(commands.stored) == [other.uri]
        assert json.loads(commands.run("auth", "logout", "--json").stdout)["removed"] is False
    finally:
        other.stop()


def test_refresh_rotates_both_tokens(authorization_server: AuthorizationServer, commands: Commands) -> None:
    before = commands.sign_in()
    ended = commands.run("auth", "refresh", "--json")
    assert ended.returncode == 0, ended.stderr
    after = commands.stored[authorization_server.uri]
    assert after["access_token"] == authorization_server.state["grants"][0]["access"] != before["access_token"]
    assert after["refresh_token"] == authorization_server.state["grants"][0]["refresh"] != before["refresh_token"]
    assert after["scopes"] == before["scopes"] and after["user"] == before["user"]


def test_a_token_that_has_ended_is_refreshed_before_it_is_printed(authorization_server: AuthorizationServer, commands: Commands) -> None:
    authorization_server.set(token_life=0.5)
    before = commands.sign_in()
    eventually(lambda: time.time() * 1000 > before["expires_at_ms"], "the end of the token")
    code, status = run_json(commands, "auth", "status")
    assert code == 1 and "expired" in status["problem"] and authorization_server.count("refresh") == 0
    authorization_server.set(token_life=600)
    assert commands.run("auth", "token").stdout == authorization_server.state["grants"][0]["access"] + "\n"
    assert authorization_server.state["grants"][0]["access"] != before["access_token"]
    assert commands.stored[authorization_server.uri]["access_token"] == authorization_server.state["grants"][0]["access"]


def test_a_refused_refresh_is_remembered(authorization_server: AuthorizationServer, commands: Commands) -> None:
    commands.sign_in()
    authorization_server.forget()
    assert "sign in" in one_line(commands.run("auth", "refresh"), NO_PERMISSION)
    assert commands.stored[authorization_server.uri]["refused"] is True
    status = json.loads(commands.run("auth", "status", "--json").stdout)
    assert (status["refresh"], status["accepted"], status["usable"]) == ("refused", False, False)
    # Signing in again needs no force.
    commands.sign_in()
    assert "refused" not in commands.stored[authorization_server.uri]


def run_json(commands: Commands, *arguments: str, **environment: str) -> tuple[int, Any]:
    ended = commands.run(*arguments, "--json", **environment)
    return ended.returncode, json.loads(ended.stdout)


def test_status_of_a_login(authorization_server: AuthorizationServer, commands: Commands) -> None:
    login = commands.sign_in()
    code, status = run_json(commands, "auth", "status")
    assert code == 0
    assert (status["source"], status["kind"], status["refresh"], status["accepted"]) == ("stored login", "login", "available", True)
    assert status["token"] == {"last_four": login["access_token"][-4:], "length_class": "64 to 127"}
    assert status["scopes"] == READ_ONLY and status["user"]["email"] == "ada@example.com"
    assert status["next_refresh"] < status["expires_at"]
    text = commands.run("auth", "status").stdout
    assert login["access_token"] not in text and login["refresh_token"] not in text and "available" in text
    assert authorization_server.count("refresh") == 0


def test_a_login_of_another_host_is_not_sent_and_status_says_so(commands: Commands) -> None:
    login = commands.sign_in()
    other = AuthorizationServer()
    try:
        code, status = run_json(commands, "auth", "status", "--sentry-uri", other.uri, PGX_CONN="host=/nonexistent")
        assert code == 1
        assert status["source"] == "PostgreSQL" and status["other_logins"] == [commands.server.uri]
        text = commands.run("auth", "status", "--sentry-uri", other.uri, PGX_CONN="host=/nonexistent").stdout
        assert f"not sent      the login for {commands.server.uri}" in text
        assert other.state["accepted"] == {} and login["access_token"] not in text
    finally:
        other.stop()


@pytest.mark.parametrize("given, source", [
    ({}, "stored login"),
    ({"SENTRY_TOKEN": "t"}, "SENTRY_TOKEN"),
    ({"SENTRY_AUTH_TOKEN": "t", "SENTRY_TOKEN": "t2"}, "SENTRY_AUTH_TOKEN"),
    ({"SENTRY_TOKEN_FILE": "FILE", "SENTRY_AUTH_TOKEN": "t"}, "SENTRY_TOKEN_FILE"),
    ({"--token-file": "FILE", "SENTRY_AUTH_TOKEN": "t"}, "--token-file"),
    ({"--token": "t", "--token-file": "FILE", "SENTRY_AUTH_TOKEN": "t"}, "--token"),
    ({"SENTRY_TOKEN": "system"}, "SENTRY_TOKEN"),
])
def test_precedence_over_a_stored_login(commands: Commands, tmp_path: Path, given: dict[str, str], source: str) -> None:
    commands.sign_in()
    before = os.stat(commands.file)
    (tmp_path / "token").write_text("t")
    values = {name: str(tmp_path / "token") if value == "FILE" else value for name, value in given.items()}
    flags = [part for name, value in values.items() if name.startswith("--") for part in (name, value)]
    variables = {name: value for name, value in values.items() if not name.startswith("--")}
    _, status = run_json(commands, "auth", "status", *flags, PGX_CONN="host=/nonexistent", **variables)
    assert status["source"] == source
    assert ("stored login" in status["shadowed"]) == (source != "stored login")
    assert os.stat(commands.file).st_mtime_ns == before.st_mtime_ns


def test_headless_commands_touch_no_file(authorization_server: AuthorizationServer, commands: Commands) -> None:
    grant = authorization_server.ask("POST", "/control/grant")
    for name in ("SENTRY_AUTH_TOKEN", "SENTRY_TOKEN"):
        code, status = run_json(commands, "auth", "status", **{name: grant["access_token"]})
        assert (code, status["source"], status["accepted"]) == (0, name, True)
        assert commands.run("auth", "token", **{name: "abc"}).stdout == "abc\n"
    assert not commands.state.exists()


def test_https_is_verified(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=stand-in", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
                   check=True, capture_output=True, timeout=30)
    server = AuthorizationServer("--tls-cert", str(certificate), "--tls-key", str(key))
    try:
        commands = Commands(tmp_path / "state", server)
        uri = f"https://{server.address}"
        ended = commands.run("auth", "login", "--url", uri)
        assert "tls_untrusted" in one_line(ended, UNAVAILABLE)
        code, status = run_json(commands, "auth", "status", "--url", uri, "--ca-file", str(certificate), SENTRY_AUTH_TOKEN="bad-token-of-the-test")
        assert (code, status["accepted"], status["verdict"]) == (1, False, "refused with status 401")
        code, status = run_json(commands, "auth", "status", "--url", uri, SENTRY_AUTH_TOKEN="bad-token-of-the-test")
        assert (code, status.get("accepted"), status["verdict"]) == (1, None, "not reached: no TLS connection: tls_untrusted")
        named = uri.replace("127.0.0.1", "localhost")
        ended = commands.run("auth", "login", "--url", named, "--ca-file", str(certificate))
        assert "tls_wrong_name" in one_line(ended, UNAVAILABLE)
        ended = commands.run("auth", "login", "--url", uri, "--ca-file", str(tmp_path / "none"))
        assert "--ca-file" in one_line(ended, UNAVAILABLE)
    finally:
        server.stop()


def test_alias_new_prints_a_line_for_the_alias_file(commands: Commands) -> None:
    first, second = commands.run("alias", "new", "ci"), commands.run("alias", "new", "ci")
    name, alias = first.stdout.split()
    assert name == "ci" and alias.startswith("sap_") and len(alias) == 4 + 43
    assert first.stdout != second.stdout and "--alias-file" in first.stderr
    for bad in ("", "two words", "#x", "ü"):
        assert "NAME" in one_line(commands.run("alias", "new", bad), USAGE)
