"""A wrong start ends with one line that names the flag, and with a status of sysexits."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.proxy import BINARY, StartProxy, clean_environment
from harness.upstream import StandIn

USAGE, UNKNOWN_HOST, SYSTEM, CONFIGURATION = 64, 68, 71, 78


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the proxy to its end, with an upstream that needs no look-up unless one is given."""
    if "SENTRY_URI" not in environment and "--sentry-uri" not in arguments and "--help" not in arguments and "--version" not in arguments:
        environment["SENTRY_URI"] = "http://127.0.0.1:9"
    return subprocess.run([BINARY, *arguments], env=clean_environment(environment), capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("arguments, status, named", [
    (["--no-such-flag"], USAGE, "--no-such-flag"),
    (["--listen", "nonsense"], USAGE, "--listen"),
    (["--listen", "127.0.0.1:99999"], USAGE, "--listen"),
    (["--listen", "127.0.0.1:"], USAGE, "--listen"),
    (["--sentry-uri", "ftp://x"], USAGE, "--sentry-uri"),
    (["--sentry-uri", "no scheme"], USAGE, "--sentry-uri"),
    (["--sentry-uri", "http://user:pw@host/"], USAGE, "--sentry-uri"),
    (["--sentry-uri", "http://host/?q=1"], USAGE, "--sentry-uri"),
    (["--sentry-uri", "http://host/#f"], USAGE, "--sentry-uri"),
    (["--sentry-uri", "http://host:0/"], USAGE, "--sentry-uri"),
    (["--sentry-uri", "http:///x"], USAGE, "--sentry-uri"),
    (["--threads", "0"], USAGE, "--threads"),
    (["--threads", "many"], USAGE, "--threads"),
    (["--backlog", "-1"], USAGE, "--backlog"),
    (["--head-timeout", "0"], USAGE, "--head-timeout"),
    (["--head-timeout", "soon"], USAGE, "--head-timeout"),
    (["--body-timeout", "-3"], USAGE, "--body-timeout"),
    (["--max-body", "1x"], USAGE, "--max-body"),
    (["--sentry-uri", "http://no-such-host.invalid:9000"], UNKNOWN_HOST, "--sentry-uri"),
    (["--token-file", "/no/such/file"], CONFIGURATION, "--token-file: token file '/no/such/file'"),
    (["--token-file", "/"], CONFIGURATION, "--token-file"),
    (["--token-file", "/dev/null"], CONFIGURATION, "--token-file"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else str(value))
def test_a_wrong_start_names_the_flag_in_one_line(arguments: list[str], status: int, named: str) -> None:
    ended = run(*arguments)
    assert (ended.returncode, ended.stdout) == (status, ""), ended
    lines = [line for line in ended.stderr.splitlines() if line.strip()]
    assert named in lines[0], ended.stderr
    # The parser of the command line adds its usage; a value's error stands alone.
    assert len(lines) == 1 or lines[1].startswith("Usage:"), ended.stderr


@pytest.mark.parametrize("variable, value", [("LISTEN", "nonsense"), ("SENTRY_URI", "ftp://x"), ("SENTRY_TOKEN_FILE", "/no/such/file")])
def test_a_wrong_variable_is_named_by_its_own_name(variable: str, value: str) -> None:
    ended = run("--listen", "127.0.0.1:0", **{variable: value}) if variable != "LISTEN" else run(**{variable: value})
    assert ended.returncode in (USAGE, CONFIGURATION)
    assert variable in ended.stderr


def test_a_port_in_use_is_one_line_and_nothing_half_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run("--listen", address, "--token", "x")
        assert ended.returncode not in (0, None) and ended.returncode > 0
        errors = [line for line in ended.stderr.splitlines() if address in line]
        assert errors and "--listen" in ended.stderr


def test_without_descriptors_for_every_worker_nothing_half_starts() -> None:
    """Listeners and mailboxes take two descriptors a worker; the last workers' epoll instances do not fit."""
    ended = subprocess.run(
        ["prlimit", "--nofile=160:160", BINARY, "--listen", "127.0.0.1:0", "--admin-listen", "off", "--token", "x", "--threads", "60",
         "--sentry-uri", "http://127.0.0.1:9"],
        env=clean_environment({}), capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == SYSTEM, ended
    assert "Too many open files" in ended.stderr.splitlines()[-1] and "listening" not in ended.stderr, ended.stderr


def test_help_and_version_answer_on_standard_output() -> None:
    for arguments in (["--help"], ["--version"], ["serve", "--help"]):
        ended = run(*arguments)
        assert (ended.returncode, ended.stderr) == (0, "") and ended.stdout
    for flag in ("--listen", "--sentry-uri", "--token", "--token-file", "--pgx-conn", "--alias-token", "--threads", "--backlog"):
        assert flag in ended.stdout


def test_environment_configures_what_flags_do(stand_in: StandIn, start_proxy: StartProxy) -> None:
    # The flags given by the harness win over these variables.
    proxy = start_proxy(stand_in.uri, environment={"LISTEN": "nonsense:1:2", "SENTRY_URI": "http://127.0.0.1:1"})
    assert ask(proxy.address, request("GET", "/api/0/")).status == 200


def test_serve_may_be_named(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, subcommand=["serve"])
    assert ask(proxy.address, request("GET", "/api/0/")).status == 200


def test_it_listens_on_a_unix_socket(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    path = tmp_path / "proxy.sock"
    start_proxy(stand_in.uri, listen=f"unix:{path}")
    assert ask(str(path), request("GET", "/api/0/")).status == 200


def test_it_listens_on_ipv6(stand_in: StandIn, start_proxy: StartProxy) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    proxy = start_proxy(stand_in.uri, listen="[::1]:0")
    with socket.create_connection(("::1", proxy.port), 10) as sock:
        sock.sendall(request("GET", "/api/0/"))
        assert sock.recv(100).startswith(b"HTTP/1.1 200")


def test_the_token_of_file_or_environment_is_not_on_the_command_line(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, environment={"SENTRY_AUTH_TOKEN": "token-in-environment"})
    cmdline = Path(f"/proc/{proxy.pid}/cmdline").read_bytes()
    assert b"token-in-environment" not in cmdline
    assert "token-in-environment" not in proxy.output
