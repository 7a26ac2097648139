"""A start brings along what its settings ask for, and no more: libraries and threads."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness.client import ask, request
from harness.proxy import BINARY, Proxy, StartProxy, clean_environment
from harness.upstream import StandIn

CONFIGURATION = 78


def has_libpq(proxy: Proxy) -> bool:
    return "libpq.so" in Path(f"/proc/{proxy.pid}/maps").read_text()


def threads(proxy: Proxy) -> set[str]:
    return {path.read_text().strip() for path in Path(f"/proc/{proxy.pid}/task").glob("*/comm")}


def test_what_looks_after_aliases_runs_only_where_there_can_be_some(stand_in: StandIn, start_proxy: StartProxy) -> None:
    watching = {"identifiers", "alias-expiry"}
    assert not watching & threads(start_proxy(stand_in.uri))
    assert watching <= threads(start_proxy(stand_in.uri, "--alias-token", "an-alias-of-more-than-32-characters"))


def test_libpq_is_loaded_only_when_postgresql_is_asked_for(stand_in: StandIn, start_proxy: StartProxy) -> None:
    assert not has_libpq(start_proxy(stand_in.uri))
    assert has_libpq(start_proxy(stand_in.uri, "--pgx-conn", "host=127.0.0.1 port=1 user=u dbname=d"))


def test_only_who_asks_for_postgresql_needs_libpq(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    (tmp_path / "libpq.so.5").write_text("")
    broken = {"LD_LIBRARY_PATH": str(tmp_path)}
    proxy = start_proxy(stand_in.uri, environment=broken)
    assert ask(proxy.address, request("GET", "/api/0/")).status == 200
    for arguments, name in ((["--token", "system"], "PG* variables"), (["--token", "system", "--pgx-conn", "host=h"], "--pgx-conn")):
        ended = subprocess.run([BINARY, *arguments], env=clean_environment({"LISTEN": "127.0.0.1:0", **broken}),
                               capture_output=True, text=True, timeout=20, check=False)
        assert f"{name}: PostgreSQL's client library cannot be loaded: " in ended.stderr and "libpq.so.5" in ended.stderr, ended
        assert ended.returncode == (64 if name.startswith("-") else CONFIGURATION), ended
