"""The command line and the environment: never lost on the way to the program, and never shown to others."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.proxy import BINARY, StartProxy, clean_environment
from harness.upstream import TOKEN, StandIn

USAGE = 64
SECRETS = {"SENTRY_AUTH_TOKEN": "hush-hush-auth-token", "ALIAS_TOKENS": "hush-hush-alias-0123456789", "PGPASSWORD": "hush-hush-database",
           "PGX_CONN": "host=127.0.0.1 port=1 password=hush-hush-conn"}
# What a library does that is preloaded and changes the environment before main: libfaketime for one.
CONSTRUCTOR = """
#include <stdlib.h>
__attribute__((constructor)) static void change(void) { setenv("A_NEW_VARIABLE", "1", 1); }
"""


def refused(wrapper: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A flag that is not there: a program that has lost its arguments would serve instead of naming it."""
    return subprocess.run([*wrapper, BINARY, "--no-such-flag"], env=clean_environment({"LISTEN": "127.0.0.1:0", **(environment or {})}),
                          capture_output=True, text=True, timeout=20, check=False)


def test_arguments_arrive_where_proc_is_not_mounted() -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare(1) for a mount namespace")
    if os.environ.get("SANITIZER"):
        pytest.skip("a sanitizer needs /proc")
    script = 'mount -t tmpfs none /proc || exit 99; exec "$@"'
    ended = refused(["unshare", "--mount", "sh", "-c", script, "sh"])
    if ended.returncode == 99 or "unshare" in ended.stderr:
        pytest.skip(f"no mount namespace here: {ended.stderr.strip()}")
    assert ended.returncode == USAGE and "--no-such-flag" in ended.stderr, ended


def test_arguments_arrive_under_a_library_that_changes_the_environment_first(tmp_path: Path) -> None:
    if os.environ.get("SANITIZER"):
        pytest.skip("a sanitizer wants to be the first library")
    compiler = shutil.which("clang") or shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    (tmp_path / "change.c").write_text(CONSTRUCTOR)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", tmp_path / "change.so", tmp_path / "change.c"], check=True, timeout=60)
    ended = refused([], {"LD_PRELOAD": str(tmp_path / "change.so")})
    assert ended.returncode == USAGE and "--no-such-flag" in ended.stderr, ended


def test_no_secret_is_left_in_the_command_line_or_the_environment(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--token", TOKEN, "--alias-token=hush-hush-alias-flag-0123", "--log-level", "debug",
                        environment={**SECRETS, "A_VARIABLE": "that stays"}, token=None)
    shown = Path(f"/proc/{proxy.pid}/cmdline").read_bytes()
    assert b"hush-hush" not in shown and TOKEN.encode() not in shown, shown
    assert b"--token\0***" in shown and b"--alias-token=***" in shown and b"--log-level\0debug\0" in shown
    try:
        environment = Path(f"/proc/{proxy.pid}/environ").read_bytes()
    except PermissionError:
        pytest.skip("only root may look at the environment: the program is not dumpable")
    assert b"hush-hush" not in environment, environment
    assert b"A_VARIABLE=that stays\0" in environment
    # They were read before: the flag's token is in use, and its aliases are.
    assert ask(proxy.address, request("GET", "/api/0/", "Authorization: Bearer hush-hush-alias-flag-0123")).status == 200
    assert f"Authorization: Bearer {TOKEN}" in stand_in.request()["head"]


def test_other_processes_of_its_user_may_not_look_into_it(stand_in: StandIn, start_proxy: StartProxy) -> None:
    """PR_SET_DUMPABLE makes root the owner of the process's files in /proc, whoever it runs as."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root, to start the program as another user")
    proxy = start_proxy(stand_in.uri, wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert os.stat(f"/proc/{proxy.pid}/environ").st_uid == 0
