"""Bugsink, a real one, behind the proxy: elevation, pages, uploads and events."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.bugsink import Bugsink
from harness.client import Answer, ask, request
from harness.packages import Missing
from harness.process import eventually
from harness.proxy import Proxy, StartProxy, run_to_end

pytestmark = [pytest.mark.slow, pytest.mark.rewriting, pytest.mark.client]

ALIAS = "sap_" + "b" * 40
# A page has 250.
TEAMS = 260


@pytest.fixture(scope="module")
def bugsink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bugsink]:
    try:
        running = Bugsink(tmp_path_factory.mktemp("bugsink"), TEAMS)
    except Missing as missing:
        pytest.skip(str(missing))
    yield running
    running.close()


@pytest.fixture
def proxy(bugsink: Bugsink, start_proxy: StartProxy) -> Proxy:
    return start_proxy(bugsink.uri, "--alias-token", ALIAS, token=bugsink.token)


def get(proxy: Proxy, target: str, *fields: str, method: str = "GET") -> Answer:
    return ask(proxy.address, request(method, target, f"Authorization: Bearer {ALIAS}", *fields, host=f"127.0.0.1:{proxy.port}"))


def behind(proxy: Proxy, url: str) -> str:
    """The target of a URL that leads to the proxy."""
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == proxy.uri, url
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def test_an_alias_is_elevated_and_nobody_else(proxy: Proxy, bugsink: Bugsink) -> None:
    assert get(proxy, "/api/0/").json["version"] == "0"
    assert get(proxy, "/api/canonical/0/projects/").json["results"][0]["slug"] == "web"
    for target in ("/api/0/", "/api/canonical/0/projects/"):
        assert ask(proxy.address, request("GET", target)).status == 401
        assert ask(proxy.address, request("GET", target, "Authorization: Bearer " + "0" * 40)).status == 401
        assert ask(proxy.address, request("GET", target, f"Authorization: Bearer {bugsink.token}")).status == 200


def test_auth_status_asks_it_about_the_token(bugsink: Bugsink) -> None:
    for token, status in ((bugsink.token, 0), ("0" * 40, 1)):
        ended = run_to_end("auth", "status", "--url", bugsink.uri, SENTRY_AUTH_TOKEN=token)
        assert ended.returncode == status, ended.stdout + ended.stderr


def test_an_alias_with_rights_has_none_beside_sentrys_api(bugsink: Bugsink, start_proxy: StartProxy, tmp_path: Path) -> None:
    aliases = tmp_path / "aliases"
    aliases.write_text(f"agent {ALIAS} event:read\n")
    aliases.chmod(0o600)
    proxy = start_proxy(bugsink.uri, "--alias-file", str(aliases), token=bugsink.token)
    assert get(proxy, "/api/canonical/0/issues/").status == 403
    assert "reason=outside" in proxy.wait_for_line(lambda line: "path=/api/canonical/0/issues/" in line)


def test_pages_stay_behind_the_proxy(proxy: Proxy) -> None:
    root = get(proxy, "/api/canonical/0/").json
    target = behind(proxy, root["teams"])
    names, pages, page = [], 0, {}
    while target:
        page = get(proxy, target).json
        names += [team["name"] for team in page["results"]]
        pages += 1
        target = behind(proxy, page["next"]) if page["next"] else ""
    assert pages == 2 and len(set(names)) == len(names) == TEAMS
    first = get(proxy, behind(proxy, page["previous"])).json
    assert [team["name"] for team in first["results"]] == names[:250]


def test_pages_follow_the_public_url(bugsink: Bugsink, start_proxy: StartProxy) -> None:
    proxy = start_proxy(bugsink.uri, "--alias-token", ALIAS, "--public-url", "https://proxy.example/bugs", token=bugsink.token)
    page = get(proxy, "/api/canonical/0/teams/").json
    assert page["next"].startswith("https://proxy.example/bugs/api/canonical/0/teams/?cursor=")


def run_cli(binary: str, folder: Path, proxy: Proxy, *arguments: str, **environment: str) -> str:
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder), **environment}
    ended = subprocess.run([binary, *arguments], env=variables, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr + proxy.output[-2000:]
    return ended.stdout


def test_sentry_cli_uploads(proxy: Proxy, bugsink: Bugsink, sentry_cli: str, tmp_path: Path) -> None:
    assert get(proxy, "/api/0/organizations/acme/chunk-upload/").json["url"] == f"{proxy.uri}/api/0/organizations/acme/chunk-upload/"
    sources = tmp_path / "js"
    sources.mkdir()
    (sources / "a.js").write_text("var a = 1;\n//# sourceMappingURL=a.js.map\n")
    (sources / "a.js.map").write_text('{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA"}')
    account = {"SENTRY_URL": proxy.uri, "SENTRY_AUTH_TOKEN": ALIAS, "SENTRY_ORG": "acme", "SENTRY_PROJECT": "web"}
    run_cli(sentry_cli, tmp_path, proxy, "sourcemaps", "inject", "js", **account)
    out = run_cli(sentry_cli, tmp_path, proxy, "sourcemaps", "upload", "js", **account)
    assert "Uploaded files to Sentry" in out, out
    proxy.wait_for_line(lambda line: "method=POST path=/api/0/organizations/acme/chunk-upload/" in line and "status=200" in line)
    proxy.wait_for_line(lambda line: "/artifactbundle/assemble/" in line and "status=200" in line)


def test_events_take_the_bypass(proxy: Proxy, bugsink: Bugsink, sentry_cli: str, tmp_path: Path) -> None:
    number, key = bugsink.key.split()
    run_cli(sentry_cli, tmp_path, proxy, "send-event", "-m", "seen through the proxy", SENTRY_DSN=f"http://{key}@127.0.0.1:{proxy.port}/{number}")
    line = proxy.wait_for_line(lambda line: f"path=/api/{number}/envelope/" in line)
    assert "route=bypass" in line and "status=200" in line, line

    def issues() -> list[dict]:
        return get(proxy, f"/api/canonical/0/issues/?project={number}").json["results"]

    eventually(lambda: len(issues()) == 1, "the event is an issue", 20)
    issue = issues()[0]
    events = get(proxy, f"/api/canonical/0/events/?issue={issue['id']}").json
    assert len(events["results"]) == 1
    assert "seen through the proxy" in json.dumps(get(proxy, f"/api/canonical/0/events/{events['results'][0]['id']}/").json)
