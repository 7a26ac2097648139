"""What people do wrong, and the one line that tells them: what was wrong, where, what to do."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from harness.certificates import Certificates
from harness.client import ask, request
from harness.proxy import BINARY, StartProxy, clean_environment
from harness.upstream import TOKEN, StandIn

USAGE, UNKNOWN_HOST, UNAVAILABLE, SYSTEM, CONFIGURATION = 64, 68, 69, 71, 78
UPSTREAM = ["--sentry-uri", "http://127.0.0.1:9"]
LONG = "/tmp/" + "x" * 126


def told(*arguments: str, wrapper: tuple[str, ...] = (), **environment: str) -> tuple[int, str]:
    """The status and the one line of a start that is refused."""
    ended = subprocess.run([*wrapper, BINARY, *arguments], env=clean_environment({"LISTEN": "127.0.0.1:0", "SENTRY_TOKEN": "x", **environment}),
                           capture_output=True, text=True, timeout=20, check=False)
    lines = ended.stderr.splitlines()
    assert len(lines) == 1 and not ended.stdout, ended
    return ended.returncode, lines[0]


@pytest.mark.parametrize("arguments, environment, status, words", [
    (UPSTREAM, {"ALIAS_TOKENS": ""}, CONFIGURATION, ["ALIAS_TOKENS", "empty", "every client gets the token"]),
    (UPSTREAM, {"ALIAS_FILE": " "}, CONFIGURATION, ["ALIAS_FILE", "empty"]),
    ([*UPSTREAM, "--alias-file", ""], {}, USAGE, ["--alias-file", "empty"]),
    (["--sentry-uri", "http://127.0.0.1:9/sub/api/0/"], {}, USAGE, ["--sentry-uri", "is http://127.0.0.1:9/sub"]),
    ([], {"SENTRY_URI": "https://sentry.example/api/0"}, CONFIGURATION, ["SENTRY_URI", "is https://sentry.example"]),
    ([], {}, UNKNOWN_HOST, ["SENTRY_URI is not set", "default http://sentry-web:9000"]),
    (["--sentry-uri", "http://no-such-host.invalid"], {}, UNKNOWN_HOST, ["--sentry-uri", "'no-such-host.invalid'", "check the name"]),
    ([*UPSTREAM, "--listen", "192.0.2.1:0"], {}, UNAVAILABLE, ["--listen", "'192.0.2.1:0'", "this host has no such address", "0.0.0.0"]),
    ([], {"SENTRY_URL": "https://sentry.example"}, UNKNOWN_HOST, ["SENTRY_URI is not set", "SENTRY_URL is"]),
    (["healtcheck"], {}, USAGE, ["healtcheck", "did you mean 'healthcheck'"]),
    (["auth", "logn"], {}, USAGE, ["logn", "did you mean 'login'"]),
    (["start"], {}, USAGE, ["start", "serve, auth"]),
    ([*UPSTREAM, "--listen", f"unix:{LONG}"], {}, USAGE, ["--listen", "131 bytes", "107"]),
    ([*UPSTREAM, "--admin-listen", f"unix:{LONG}"], {}, USAGE, ["--admin-listen", "131 bytes", "107"]),
    (["--sentry-uri", "http+unix://" + LONG.replace("/", "%2F")], {}, USAGE, ["--sentry-uri", "131", "107"]),
], ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else str(value)[:40])
def test_a_mistake_is_told(arguments: list[str], environment: dict[str, str], status: int, words: list[str]) -> None:
    ended, line = told(*arguments, **environment)
    assert ended == status and all(word in line for word in words), (ended, line)


def test_a_broken_line_in_the_alias_file_is_a_fault_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "aliases").write_text("ci one-alias-0123456789\nbroken\n")
    status, line = told(*UPSTREAM, "--alias-file", str(tmp_path / "aliases"))
    assert status == CONFIGURATION and "line 2" in line, (status, line)


def test_a_descriptor_limit_that_serves_nobody_ends_the_start() -> None:
    status, line = told(*UPSTREAM, "--threads", "1", wrapper=("prlimit", "--nofile=64:64"))
    assert status == SYSTEM and "descriptor limit: 64" in line and "LimitNOFILE" in line, (status, line)


@pytest.mark.parametrize("level", ["INFO", "warn", "Warning"])
def test_words_are_taken_in_any_case(stand_in: StandIn, start_proxy: StartProxy, level: str) -> None:
    # Below warning nothing is said of listening, so the level is one flag and the format another.
    proxy = start_proxy(stand_in.uri, environment={"LOG_LEVEL": level, "ACCESS_LOG": "ALL", "LOG_FORMAT": "LogFmt"}) if level == "INFO" else None
    if proxy is None:
        status, line = told(*UPSTREAM, "--token-file", "/no/such/file", LOG_LEVEL=level)
        assert status == CONFIGURATION and "--token-file" in line and "LOG_LEVEL" not in line, line
    else:
        assert ask(proxy.address, request("GET", "/api/0/")).status == 200


def test_a_byte_order_mark_is_no_part_of_a_file(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    (tmp_path / "aliases").write_bytes(b"\xef\xbb\xbfci alias-of-windows-0123\r\n")
    (tmp_path / "token").write_bytes(b"\xef\xbb\xbf" + TOKEN.encode() + b"\r\n")
    proxy = start_proxy(stand_in.uri, "--alias-file", str(tmp_path / "aliases"), "--token-file", str(tmp_path / "token"), token=None)
    assert ask(proxy.address, request("GET", "/api/0/", "Authorization: Bearer alias-of-windows-0123")).status == 200
    proxy.wait_for_line(lambda line: "alias=ci " in line)


def test_a_file_in_utf_16_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "aliases").write_bytes("ci alias-of-windows-0123".encode("utf-16"))
    status, line = told(*UPSTREAM, "--alias-file", str(tmp_path / "aliases"))
    assert status == CONFIGURATION and "UTF-16" in line, line


@pytest.mark.parametrize("flag", ["--listen", "--admin-listen"])
def test_a_port_in_use_is_named_with_what_to_do(flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, line = told(*UPSTREAM, flag, f"127.0.0.1:{taken.getsockname()[1]}")
    assert status == UNAVAILABLE and f"{flag}: " in line and "Address already in use" in line and "give another address" in line, line


def test_an_expired_certificate_is_logged_with_what_to_do(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    certificate, key = Certificates(tmp_path).issue("server", "DNS:localhost", days=-1).files
    proxy = start_proxy(stand_in.uri, "--tls-cert", certificate, "--tls-key", key)
    line = proxy.wait_for_line(lambda line: "level=error" in line and "certificate" in line)
    assert "has expired" in line and "renew it" in line and "--tls-cert" in line, line


def test_a_file_in_the_place_of_the_socket_stays(tmp_path: Path) -> None:
    kept = tmp_path / "precious"
    kept.write_text("do not delete")
    status, line = told(*UPSTREAM, "--listen", f"unix:{kept}")
    assert status == UNAVAILABLE and str(kept) in line and "not a socket" in line, (status, line)
    status, line = told(*UPSTREAM, "--admin-listen", f"unix:{kept}")
    assert status == UNAVAILABLE and str(kept) in line and "not a socket" in line, (status, line)
    assert kept.read_text() == "do not delete"


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
def test_a_socket_that_somebody_serves_stays(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "served"
    with socket.socket(socket.AF_UNIX, kind) as served:
        served.bind(str(path))
        if kind != socket.SOCK_DGRAM:
            served.listen()
        status, line = told(*UPSTREAM, "--listen", f"unix:{path}")
        assert status == UNAVAILABLE and "listening there" in line, (status, line)
        assert path.is_socket()


def test_an_abandoned_socket_is_replaced_and_open_to_owner_and_group_alone(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    path = tmp_path / "abandoned"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    before = os.umask(0)
    try:
        start_proxy(stand_in.uri, listen=f"unix:{path}")
    finally:
        os.umask(before)
    assert ask(str(path), request("GET", "/api/0/")).status == 200
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_files_that_decide_about_rights_are_for_their_owner_to_write(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    aliases, policy = tmp_path / "aliases", tmp_path / "policy"
    aliases.write_text("ok alias-that-is-long-enough look\n")
    aliases.chmod(0o600)
    policy.write_text("set look\n    allow GET /api/0/organizations/*/issues/\n")
    # They hold no secret: everybody may read them.
    policy.chmod(0o644)
    flags = ["--alias-file", str(aliases), "--policy-file", str(policy)]
    assert "everybody on this host" not in start_proxy(stand_in.uri, *flags, "--strict").output
    policy.chmod(0o646)
    proxy = start_proxy(stand_in.uri, *flags)
    proxy.wait_for_line(lambda line: "level=warning" in line and f"--policy-file: everybody on this host may write '{policy}'" in line)
    status, line = told(*UPSTREAM, *flags, "--strict", SENTRY_TOKEN=TOKEN)
    assert status == CONFIGURATION and f"chmod o-w '{policy}'" in line, (status, line)


def test_weak_aliases_and_open_files_are_warned_of_and_refused_when_strict(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    aliases, token = tmp_path / "aliases", tmp_path / "token"
    aliases.write_text("ci short-alias\nok alias-that-is-long-enough\n")
    token.write_text(TOKEN)
    aliases.chmod(0o604)
    token.chmod(0o606)
    flags = ["--alias-file", str(aliases), "--token-file", str(token)]
    proxy = start_proxy(stand_in.uri, *flags, token=None)
    proxy.wait_for_line(lambda line: "level=warning" in line and "line 1: the alias of 'ci' is shorter than 16 bytes" in line)
    proxy.wait_for_line(lambda line: "level=warning" in line and f"may read '{aliases}'" in line)
    proxy.wait_for_line(lambda line: "level=warning" in line and f"may read and write '{token}'" in line)
    assert "short-alias" not in proxy.output and "'ok'" not in proxy.output
    for name in (["--strict"], []):
        status, line = told(*UPSTREAM, *flags, *name, STRICT="" if name else "true")
        assert status == CONFIGURATION and f"chmod o-rwx '{aliases}'" in line and "--strict" in line, (status, line)
    aliases.chmod(0o640)
    status, line = told(*UPSTREAM, *flags, "--strict")
    assert status == CONFIGURATION and "'ci' is shorter" in line, (status, line)
    aliases.write_text("ok alias-that-is-long-enough\n")
    status, line = told(*UPSTREAM, *flags, "--strict")
    assert status == CONFIGURATION and f"read and write '{token}'" in line, (status, line)
    token.chmod(0o600)
    strict = start_proxy(stand_in.uri, *flags, "--strict", token=None)
    assert "level=warning" not in strict.output


def test_an_https_base_of_a_plain_upstream_is_named_in_the_access_line(start_proxy: StartProxy) -> None:
    def refuse(listener: socket.socket) -> None:
        with listener.accept()[0] as plain:
            plain.recv(65536)
            plain.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=refuse, args=(listener,), daemon=True).start()
        proxy = start_proxy(f"https://127.0.0.1:{listener.getsockname()[1]}", "--insecure-skip-verify")
        assert ask(proxy.address, request("GET", "/api/0/")).status == 502
    proxy.wait_for_line(lambda line: "tls_not_tls" in line and "does not speak TLS" in line and "--sentry-uri" in line and "http://" in line)
