"""`policy learn` and `policy unused`: from the running proxy and from its access logs."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.process import eventually
from harness.proxy import BINARY, ROOT, Proxy, StartProxy
from harness.upstream import StandIn
from test_clients import ALIAS as CLI_ALIAS
from test_clients import run_cli, upload

pytestmark = pytest.mark.tokens

ALIAS = "sap_0123456789abcdef0123456789abcdef"


@pytest.fixture
def shadowed(start_proxy: StartProxy, stand_in: StandIn, tmp_path: Path) -> Callable[..., Proxy]:
    def start(words: str = "full mode=shadow", *flags: str) -> Proxy:
        file = tmp_path / "aliases"
        file.write_text(f"ci {ALIAS} {words}\n")
        file.chmod(0o600)
        return start_proxy(stand_in.uri, "--alias-file", str(file), *flags)

    return start


def policy(*arguments: str, stdin: str = "", variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BINARY, "policy", *arguments], capture_output=True, text=True, input=stdin, timeout=60, env=variables or {})


def learn(proxy: Proxy, *arguments: str) -> subprocess.CompletedProcess[str]:
    return policy("learn", *arguments, "--admin-listen", f"127.0.0.1:{proxy.admin[1]}")


def send(proxy: Proxy, *lines: str) -> None:
    for line in lines:
        method, target = line.split(" ", 1)
        ask(proxy.address, request(method, target, f"Authorization: Bearer {ALIAS}", "Content-Length: 0"))


def allowed(text: str) -> list[str]:
    return [" ".join(line.split()[1:3]) for line in text.splitlines() if line.startswith("    allow ")]


def block(name: str) -> str:
    """A code block of docs/rights.md."""
    return re.search(rf"^```{name}\n(.*?)^```", (ROOT / "docs/rights.md").read_text(), re.MULTILINE | re.DOTALL).group(1)  # type: ignore[union-attr]


def as_written(name: str, folder: Path, proxy: Proxy) -> str:
    """Runs the page's commands in `folder`."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "sentry-api-proxy").unlink(missing_ok=True)
    (folder / "bin" / "sentry-api-proxy").symlink_to(BINARY)
    return subprocess.run(["sh", "-ec", block(f"sh {name}")], cwd=folder, capture_output=True, text=True, timeout=60, check=True,
                          env={"PATH": f"{folder}/bin:/usr/bin:/bin", "ADMIN_LISTEN": f"127.0.0.1:{proxy.admin[1]}"}).stdout


@pytest.mark.client
def test_shadow_then_learn_then_enforce_holds_what_an_upload_used(
    start_proxy: StartProxy, stand_in: StandIn, sentry_cli: str, tmp_path: Path,
) -> None:
    # 1. Shadow: the alias may do all that it could before, and what it does is noted.
    aliases = tmp_path / "aliases"
    aliases.write_text(f"ci {CLI_ALIAS} full mode=shadow\n")
    aliases.chmod(0o600)
    proxy = start_proxy(stand_in.uri, "--alias-file", str(aliases), "--threads", "2")
    assert "Created release 7.0" in run_cli(sentry_cli, proxy.uri, "releases", "new", "7.0", folder=tmp_path)
    upload(sentry_cli, proxy, stand_in, tmp_path)
    # 2. Learn, from the proxy and from its log: both say the same.
    result = learn(proxy, "ci")
    assert (result.returncode, result.stderr) == (0, "")
    print(result.stdout)
    sent = {(item["method"], item["target"].split("?")[0]) for item in stand_in.records()["requests"]}
    assert sorted(allowed(result.stdout)) == [
        "GET /api/0/organizations/*/chunk-upload/", "POST /api/0/organizations/*/artifactbundle/assemble/",
        "POST /api/0/organizations/*/chunk-upload/", "POST /api/0/organizations/*/releases/"]
    # Exactly what went upstream, no more and no less.
    assert {(item.split()[0], item.split()[1].replace("*", "acme")) for item in allowed(result.stdout)} == sent
    assert result.stdout.rstrip().splitlines()[-1] == "alias ci : learned-ci org=acme"
    assert "# changes data, 1 request\n" in result.stdout
    log = tmp_path / "access.log"
    log.write_text(proxy.output)
    rights = re.compile(r"^(set|    allow|alias) .*?(?=  #|$)", re.MULTILINE)
    from_log = policy("learn", "ci", "--log", str(log))
    assert from_log.returncode == 0
    assert [m.group() for m in rights.finditer(from_log.stdout)] == [m.group() for m in rights.finditer(result.stdout)]
    learned, expected = tmp_path / "learned.policy", tmp_path / "ci.test"
    # The page's own commands, and what it shows of their output.
    as_written("learn", tmp_path, proxy)
    assert learned.read_text() == result.stdout
    assert [m.group() for m in rights.finditer(block("policy"))] == [m.group() for m in rights.finditer(result.stdout)]
    expected.write_text(expected.read_text() + "refuse ci DELETE /api/0/organizations/acme/releases/7.0/ operation\n"
                        "refuse ci GET /api/0/organizations/other/chunk-upload/ organization\n")
    # 3. Enforce: the words move from the alias file into the policy file.
    aliases.write_text(f"ci {CLI_ALIAS}\n")
    assert as_written("test", tmp_path, proxy) == "6 expectations, 0 differ\n"
    enforcing = start_proxy(stand_in.uri, "--alias-file", str(aliases), "--policy-file", str(learned))
    stand_in.reset()
    assert "Created release 7.0" in run_cli(sentry_cli, enforcing.uri, "releases", "new", "7.0", folder=tmp_path)
    (tmp_path / "js").rename(tmp_path / "js-before")
    upload(sentry_cli, enforcing, stand_in, tmp_path)
    assert "policy=refused" not in enforcing.output
    refused = ask(enforcing.address, request("DELETE", "/api/0/organizations/acme/releases/7.0/", f"Authorization: Bearer {CLI_ALIAS}"))
    assert refused.status == 403


def test_what_is_seen_without_an_organization_or_by_number_leaves_the_limit_out(shadowed: Callable[..., Proxy]) -> None:
    proxy = shadowed()
    send(proxy, "GET /api/0/organizations/1/releases/", "GET /api/0/organizations/acme/releases/")
    text = learn(proxy, "ci").stdout
    assert "# org= is left out: organizations were named by id" in text and text.endswith("alias ci : learned-ci\n")


def test_projects_are_named_when_every_path_names_one(shadowed: Callable[..., Proxy]) -> None:
    proxy = shadowed("full mode=shadow", "--threads", "4")
    send(proxy, *["GET /api/0/projects/acme/web/", "POST /api/0/projects/acme/api/releases/", "HEAD /api/0/organizations/acme/projects/"] * 6)
    report = json.loads(learn(proxy, "ci", "--json").stdout)
    assert report["rights"] == "learned-ci org=acme project=api,web" and report["requests"] == 18
    assert [(use["operation"], use["requests"], use["effect"]) for use in report["operations"]] == [
        ("GET /api/0/organizations/{org}/projects/", 6, "read"), ("GET /api/0/projects/{org}/{project}/", 6, "read"),
        ("POST /api/0/projects/{org}/{project}/releases/", 6, "write")]
    send(proxy, "GET /api/0/organizations/acme/issues/WEB-4F/")
    text = learn(proxy, "ci").stdout
    assert "# project= is left out (seen: api,web): GET /api/0/organizations/{org}/issues/{issue_id}/ does not say" in text
    assert text.endswith("alias ci : learned-ci org=acme\n")


def test_secrets_and_what_never_is_an_aliass_are_told_apart(shadowed: Callable[..., Proxy], tmp_path: Path) -> None:
    proxy = shadowed()
    send(proxy, "GET /api/0/projects/acme/web/keys/", "POST /api/0/projects/acme/web/keys/", "GET /api/0/brand-new/", "GET /api/0/users/me/",
         "PUT /api/0/organizations/acme/issues/?id=1")
    text = learn(proxy, "ci").stdout
    assert "    allow GET /api/0/projects/*/*/keys/  # hands out secrets, class credential, 1 request\n" in text
    assert "    # not granted, never an alias's: POST /api/0/projects/*/*/keys/  # changes data, class mint, 1 request\n" in text
    assert "# 1 of them are not in the table of operations" in text and "users/me" not in text
    # A parameter that every set asks for is asked for here too.
    assert "    needs id on PUT /api/0/organizations/*/issues/\n" in text
    # The file loads as it is, and the expectations hold.
    rules, aliases, tests = tmp_path / "rules", tmp_path / "plain", tmp_path / "tests"
    rules.write_text(text)
    aliases.write_text(f"ci {ALIAS}\n")
    tests.write_text(learn(proxy, "ci", "--expectations").stdout)
    result = policy("test", str(tests), "--alias-file", str(aliases), "--policy-file", str(rules))
    assert (result.returncode, result.stdout) == (0, "2 expectations, 0 differ\n"), result.stdout + result.stderr


def test_a_reload_keeps_what_was_learned_and_the_end_of_shadow_ends_it(shadowed: Callable[..., Proxy], tmp_path: Path) -> None:
    proxy = shadowed("mcp org=acme mode=shadow")
    send(proxy, "DELETE /api/0/organizations/acme/releases/1/")
    proxy.signal(signal.SIGHUP)
    proxy.wait_for_line(lambda line: "msg=reloaded" in line, 10)
    send(proxy, "DELETE /api/0/organizations/acme/releases/1/")
    assert "changes data, 2 requests" in learn(proxy, "ci").stdout
    (tmp_path / "aliases").write_text(f"ci {ALIAS} mcp org=acme\n")
    proxy.signal(signal.SIGHUP)
    result = wait_until_not_learning(proxy)
    assert result.returncode == 64 and "'ci' is not in shadow mode" in result.stderr and result.stderr.count("\n") == 1


def wait_until_not_learning(proxy: Proxy) -> subprocess.CompletedProcess[str]:
    eventually(lambda: learn(proxy, "ci").returncode == 64, "nothing is learned any more")
    return learn(proxy, "ci")


LOGFMT = ('ts=2026-11-01T10:00:00.000Z level=info msg=request id=1 client=10.0.0.1:1 route=elevated alias=ci method=GET '
          'path=/api/0/organizations/acme/releases/ policy=allowed op=release.list org=acme status=200\n')


def as_json(line: str) -> str:
    return json.dumps(dict(item.split("=", 1) for item in line.split()), separators=(",", ":")) + "\n"


def test_logs_are_read_in_both_forms_and_from_standard_input(tmp_path: Path) -> None:
    lines = [
        LOGFMT, as_json(LOGFMT).replace("GET", "POST"), "Nov 01 10:00:00 host proxy[12]: " + LOGFMT.replace("GET", "HEAD"),
        LOGFMT.replace("alias=ci", "alias=other").replace("releases", "projects"), LOGFMT.replace("route=elevated", "route=bypass").replace("GET", "PUT"),
        # Refused, so not used; and lines that are none of ours.
        LOGFMT.replace("policy=allowed", "policy=refused").replace("GET", "DELETE"), "level=info msg=listening alias=ci\n", "{\"ts\":\n", "\n", "\0\xff\n",
        # A path that a client made up to look like fields.
        LOGFMT.replace("path=/api/0/organizations/acme/releases/", 'path="/x alias=ci method=GET path=/api/0/organizations/evil/members/"'),
        # As an alias without words, or in shadow mode.
        LOGFMT.replace("policy=allowed ", "").replace("releases", "issues"), LOGFMT.replace("policy=allowed", "policy=would_refuse").replace("releases", "users"),
    ]
    log = tmp_path / "log"
    log.write_text("".join(lines))
    result = policy("learn", "ci", "--log", str(log), "--json")
    report = json.loads(result.stdout)
    assert {use["operation"]: use["requests"] for use in report["operations"]} == {
        "GET /api/0/organizations/{org}/releases/": 2, "POST /api/0/organizations/{org}/releases/": 1, "GET /api/0/organizations/{org}/issues/": 1,
        "GET /api/0/organizations/{org}/users/": 1}
    assert report["organizations"] == ["acme"] and report["without_operation"] == 1
    assert policy("learn", "ci", "--log", "-", "--json", stdin="".join(lines)).stdout == result.stdout
    # Two files, and only what is young enough.
    new = tmp_path / "new"
    new.write_text(LOGFMT.replace("2026-11-01", "2099-11-01").replace("releases", "projects"))
    report = json.loads(policy("learn", "ci", "--log", str(log), str(new), "--since", "1d", "--json").stdout)
    assert [use["operation"] for use in report["operations"]] == ["GET /api/0/organizations/{org}/projects/"]


@pytest.mark.parametrize(("arguments", "status", "said"), [
    (["ci", "--log", "/nowhere/log"], 78, "--log: cannot read '/nowhere/log'"), (["ci", "--since", "30d"], 64, "--since: needs --log"),
    (["ci", "--log", "-", "--since", "soon"], 64, "--since: 'soon' is not a span"), (["ci", "--log", "-"], 65, "--log: no request of 'ci'"),
    (["ci", "--admin-listen", "off"], 64, "--admin-listen"), (["ci", "--admin-listen", "unix:/nowhere/sock"], 69, "--admin-listen"),
    (["ci", "--log", "-", "--policy-file", "/nowhere/policy"], 78, "--policy-file"),
])
def test_what_is_wrong_is_one_line(arguments: list[str], status: int, said: str) -> None:
    result = policy("learn", *arguments)
    assert result.returncode == status and said in result.stderr and result.stderr.count("\n") == 1 and result.stdout == ""


def test_nothing_that_could_be_granted_is_status_1(shadowed: Callable[..., Proxy]) -> None:
    proxy = shadowed()
    result = learn(proxy, "ci")
    assert (result.returncode, result.stdout) == (1, "") and "seen to use nothing" in result.stderr
    send(proxy, "POST /api/0/projects/acme/web/keys/")
    assert learn(proxy, "ci").returncode == 1


def test_unused_lists_what_is_held_and_was_not_seen(tmp_path: Path, shadowed: Callable[..., Proxy]) -> None:
    aliases, log = tmp_path / "held", tmp_path / "log"
    aliases.write_text("ci sap_1 mcp-media org=acme\nlegacy sap_2\nidle sap_3 mcp-media\n")
    media = policy("show", "ci", "--alias-file", str(aliases)).stdout.splitlines()[1:]
    assert len(media) == 2
    used = re.sub(r"\{[^}]*\}", "12", media[0].split()[1]).replace("/organizations/12/", "/organizations/acme/")
    log.write_text(LOGFMT.replace("/api/0/organizations/acme/releases/", used))
    result = policy("unused", "--log", str(log), "--alias-file", str(aliases))
    assert result.returncode == 1
    assert result.stdout == (f"ci: mcp-media in acme: 1 of 2 unused\n  - {media[1]}\nidle: mcp-media: 2 of 2 unused\n"
                             f"  - {media[0]}\n  - {media[1]}\n")
    report = json.loads(policy("unused", "ci", "--log", str(log), "--alias-file", str(aliases), "--json").stdout)
    assert report == [{"alias": "ci", "rights": "mcp-media in acme", "held": 2, "unused": [media[1]]}]
    log.write_text(log.read_text() + LOGFMT.replace("/api/0/organizations/acme/releases/", re.sub(r"\{[^}]*\}", "12", media[1].split()[1])))
    assert policy("unused", "ci", "--log", str(log), "--alias-file", str(aliases)).returncode == 0
    assert policy("unused", "ci", "--log", str(log), "--since", "2026-11-02", "--alias-file", str(aliases)).returncode == 1
    result = policy("unused", "legacy", "--log", str(log), "--alias-file", str(aliases))
    assert result.returncode == 64 and "may do everything" in result.stderr
    # From the running proxy: of those in shadow mode.
    proxy = shadowed("mcp-media mode=shadow")
    send(proxy, f"GET {used}")
    running = policy("unused", "--alias-file", str(tmp_path / "aliases"), "--admin-listen", f"127.0.0.1:{proxy.admin[1]}")
    assert (running.returncode, running.stdout) == (1, f"ci: mcp-media: 1 of 2 unused\n  - {media[1]}\n")


def test_the_page_holds_no_secret_and_survives_names_that_clients_make_up(shadowed: Callable[..., Proxy]) -> None:
    proxy = shadowed("mcp mode=shadow")
    send(proxy, *[f"GET /api/0/organizations/org-{n}/releases/" for n in range(70)], "GET /api/0/organizations/" + "a" * 80 + "/releases/")
    page = ask(proxy.admin, request("GET", "/learned"))
    assert page.status == 200 and page.value("Content-Type") == "application/json" and ALIAS.encode() not in page.payload
    seen = json.loads(page.payload)["aliases"]["ci"]
    assert len(seen["organizations"]) == 64 and seen["more_names"] and seen["operations"] == {"GET /api/0/organizations/{org}/releases/": 71}
    assert "# org= is left out: there were more organizations" in learn(proxy, "ci").stdout
