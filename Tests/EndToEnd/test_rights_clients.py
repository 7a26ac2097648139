"""The real sentry-cli with an alias of the set `ci-upload`: what it needs is enough, and a refusal is readable."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn
from test_clients import ALIAS, run_cli, upload

pytestmark = pytest.mark.client


@pytest.fixture
def uploader(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> Proxy:
    file = tmp_path / "aliases"
    file.write_text(f"ci {ALIAS} ci-upload org=acme\n")
    file.chmod(0o600)
    proxy = start_proxy(stand_in.uri, "--alias-file", str(file))
    proxy.wait_for_line(lambda line: "of aliases are known" in line, 10)
    stand_in.reset()
    return proxy


def test_releases_and_source_maps_go_up(uploader: Proxy, stand_in: StandIn, sentry_cli: str, tmp_path: Path) -> None:
    assert "Created release 7.0" in run_cli(sentry_cli, uploader.uri, "releases", "new", "7.0", folder=tmp_path)
    assert "Finalized release 7.0" in run_cli(sentry_cli, uploader.uri, "releases", "finalize", "7.0", folder=tmp_path)
    upload(sentry_cli, uploader, stand_in, tmp_path)
    assert not any("policy=refused" in line for line in uploader.output.splitlines() if "msg=request" in line)


def test_debug_files_go_up(uploader: Proxy, stand_in: StandIn, sentry_cli: str, tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int main(void) { return 0; }\n")
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("there is no C compiler here to make a debug file with")
    subprocess.run([compiler, "-g", "-Wl,--build-id", "-o", "a.out", "a.c"], cwd=tmp_path, check=True, timeout=60)
    out = run_cli(sentry_cli, uploader.uri, "debug-files", "upload", "a.out", folder=tmp_path)
    assert "Uploaded 1 missing debug information file" in out, out
    targets = [item["target"] for item in stand_in.records()["requests"]]
    assert "/api/0/projects/acme/web/files/difs/assemble/" in targets, targets
    assert not any("policy=refused" in line for line in uploader.output.splitlines() if "msg=request" in line)


def test_a_release_is_not_deleted_and_the_user_reads_why(
    uploader: Proxy, stand_in: StandIn, sentry_cli: str, tmp_path: Path,
) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SENTRY_URL": uploader.uri, "SENTRY_AUTH_TOKEN": ALIAS,
                   "SENTRY_ORG": "acme", "SENTRY_PROJECT": "web"}
    ended = subprocess.run([sentry_cli, "releases", "delete", "7.0"], env=environment, cwd=tmp_path, capture_output=True, text=True,
                           timeout=60, check=False)
    assert ended.returncode != 0
    assert "Alias ci may not DELETE" in ended.stdout + ended.stderr, ended.stdout + ended.stderr
    assert not [item for item in stand_in.records()["requests"] if item["head"].startswith("DELETE ")]
