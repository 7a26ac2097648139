"""Real clients: curl, and the real sentry-cli."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

ALIAS = "an-alias-that-sentry-never-saw"
UPLOAD_BYTES = 20 << 20


def run_cli(binary: str, url: str, *arguments: str, folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "SENTRY_URL": url, "SENTRY_AUTH_TOKEN": ALIAS,
                   "SENTRY_ORG": "acme", "SENTRY_PROJECT": "web"}
    ended = subprocess.run([binary, *arguments], env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def run_curl(*arguments: str) -> str:
    return subprocess.run(["curl", "--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "60", *arguments],
                          capture_output=True, text=True, check=True).stdout


@pytest.mark.client
def test_curl_without_a_token_gets_sentrys_answer(proxy: Proxy, stand_in: StandIn) -> None:
    assert run_curl(f"{proxy.uri}/api/0/").startswith('{"version":"0"')


@pytest.mark.client
@pytest.mark.parametrize("how", ["sized", "standard input"])
def test_curl_uploads_with_expect_and_does_not_wait_a_second(
    start_proxy: StartProxy, stand_in: StandIn, tmp_path: Path, how: str,
) -> None:
    # From standard input curl knows no length and sends chunks.
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "spool")
    body = random.Random(1).randbytes(3_000_000)
    (tmp_path / "body").write_bytes(body)
    command = ["curl", "-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code} %{time_total}", "-X", "POST",
               "-H", "Expect: 100-continue", "-T", "-" if how == "standard input" else str(tmp_path / "body"),
               f"{proxy.uri}/behave/sized"]
    with open(tmp_path / "body", "rb") as stdin:
        out = subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=True, timeout=60).stdout
    status, seconds = out.split()
    assert status == "200"
    assert float(seconds) < 0.9, "curl waits 1 s for a 100 that does not come"
    assert stand_in.request()["body_sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.client
def test_curl_downloads_a_chunked_answer(proxy: Proxy, stand_in: StandIn, tmp_path: Path) -> None:
    run_curl("-o", str(tmp_path / "out"), f"{proxy.uri}/behave/chunked?size=1000000&chunk=5000")
    assert (tmp_path / "out").stat().st_size == 1_000_000


@pytest.mark.client
def test_sentry_cli_info_and_releases(proxy: Proxy, stand_in: StandIn, sentry_cli: str, tmp_path: Path) -> None:
    assert "project:releases" in run_cli(sentry_cli, proxy.uri, "info", folder=tmp_path)
    assert "Created release 7.0" in run_cli(sentry_cli, proxy.uri, "releases", "new", "7.0", folder=tmp_path)
    assert "Finalized release 7.0" in run_cli(sentry_cli, proxy.uri, "releases", "finalize", "7.0", folder=tmp_path)
    assert "7.0" in run_cli(sentry_cli, proxy.uri, "releases", "list", folder=tmp_path)
    seen = stand_in.records()["requests"]
    assert len(seen) == 4
    assert all(ALIAS not in entry["head"] for entry in seen)


def write_sources(folder: Path, size: int) -> None:
    """JavaScript that does not compress, with its map, until there is enough of it."""
    generator = random.Random(2)
    for index in range(4):
        text = generator.randbytes(size // 8).hex()
        (folder / f"part{index}.js").write_text(f'var data{index} = "{text}";\n//# sourceMappingURL=part{index}.js.map\n')
        (folder / f"part{index}.js.map").write_text('{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA"}')


def upload(sentry_cli: str, proxy: Proxy, stand_in: StandIn, folder: Path) -> None:
    sources = folder / "js"
    sources.mkdir()
    write_sources(sources, UPLOAD_BYTES)
    out = run_cli(sentry_cli, proxy.uri, "sourcemaps", "upload", "--release", "7.0", "js", folder=folder)
    assert "Uploaded files to Sentry" in out
    seen = stand_in.records()["requests"]
    uploads = [entry for entry in seen if entry["method"] == "POST" and entry["target"].endswith("/chunk-upload/")]
    assert sum(entry["body_length"] for entry in uploads) > UPLOAD_BYTES / 2
    assert all(ALIAS not in entry["head"] for entry in seen)


@pytest.mark.client
def test_sentry_cli_uploads_20_mb_of_source_maps(proxy: Proxy, stand_in: StandIn, sentry_cli: str, tmp_path: Path) -> None:
    # A Sentry whose system.url-prefix is the proxy's address, as an operator can set it.
    stand_in.set_url_prefix(proxy.uri)
    upload(sentry_cli, proxy, stand_in, tmp_path)


@pytest.mark.client
@pytest.mark.rewriting
def test_sentry_cli_stays_behind_the_proxy_though_sentry_names_itself(
    proxy: Proxy, stand_in: StandIn, sentry_cli: str, tmp_path: Path
) -> None:
    upload(sentry_cli, proxy, stand_in, tmp_path)


@pytest.mark.client
def test_sentry_cli_shows_the_proxys_own_refusal(start_proxy: StartProxy, stand_in: StandIn, sentry_cli: str, tmp_path: Path) -> None:
    """A 401 of the proxy's own, told to an alias that is none."""
    proxy = start_proxy(stand_in.uri, "--alias-token", "sap_" + "a" * 40)
    ended = fail_cli(sentry_cli, proxy, tmp_path, "sap_" + "b" * 40)
    assert "This is not a current alias of this proxy: it was withdrawn or mistyped." in ended, ended
    stand_in.assert_untouched()


@pytest.mark.client
@pytest.mark.slow
def test_sentry_cli_shows_why_there_is_no_answer(start_proxy: StartProxy, stand_in: StandIn, sentry_cli: str, tmp_path: Path) -> None:
    """A 503 of the proxy's own, after the repetitions that sentry-cli makes of it for half a minute."""
    proxy = start_proxy(stand_in.uri, "--pgx-conn", "host=127.0.0.1 port=1 user=x dbname=x", "--response-timeout", "500ms", token=None)
    ended = fail_cli(sentry_cli, proxy, tmp_path, ALIAS)
    told = json.loads(ask(proxy.address, request("GET", "/api/0/", "Accept: */*")).body)["detail"]
    assert "database" in told and told in ended, (told, ended)
    assert "unknown error" not in ended
    stand_in.assert_untouched()


def fail_cli(binary: str, proxy: Proxy, folder: Path, token: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "SENTRY_URL": proxy.uri, "SENTRY_AUTH_TOKEN": token, "SENTRY_ORG": "acme"}
    ended = subprocess.run([binary, "releases", "list"], env=environment, cwd=folder, capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode != 0, ended.stdout
    return ended.stdout + ended.stderr
