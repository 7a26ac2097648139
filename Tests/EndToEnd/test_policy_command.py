"""`policy`: explanations, expectations and lists from the files alone; and files that are refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from harness.proxy import BINARY, StartProxy
from harness.upstream import StandIn

ALIASES = """# who may what
legacy sap_a
ci     sap_b  ci-upload org=acme:1 project=web:10,api   # the builds
agent  sap_c  mcp mcp-triage org=acme
shade  sap_d  mcp org=acme mode=shadow shadow-until=2999-01-01
"""


@pytest.fixture
def aliases(tmp_path: Path) -> Path:
    file = tmp_path / "aliases"
    file.write_text(ALIASES)
    return file


def policy(*arguments: str, stdin: str = "", variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BINARY, "policy", *arguments], capture_output=True, text=True, input=stdin, timeout=60, env=variables or {})


def test_explain_says_what_goes_upstream(aliases: Path) -> None:
    result = policy("explain", "GET", "/api/0/issues/12/?a=1", "--alias", "agent", "--alias-file", str(aliases), "--json")
    assert result.returncode == 0 and result.stderr == ""
    assert json.loads(result.stdout) == {
        "alias": "agent", "method": "GET", "target": "/api/0/issues/12/?a=1", "rights": "mcp mcp-triage in acme", "verdict": "allowed",
        "operation": "GET /api/0/organizations/{org}/issues/{issue_id}/", "effect": "read", "action": "issue.read", "object": "12",
        "upstream": "/api/0/organizations/acme/issues/12/?a=1"}


@pytest.mark.parametrize(("alias", "method", "target", "status", "verdict"), [
    ("legacy", "GET", "/api/0/internal/options/", 0, "allowed"), ("legacy", "POST", "/oauth/token/", 0, "bypass"),
    ("agent", "DELETE", "/api/0/organizations/acme/issues/1/", 1, "refused: operation"),
    ("agent", "GET", "/api/0/organizations/other/issues/", 1, "refused: organization"),
    ("agent", "GET", "/api/0/organizations/acme/../issues/", 1, "refused: form"), ("agent", "GET", "/auth/login/", 1, "refused: outside"),
    ("agent", "GET", "/api/0/brand-new/", 1, "refused: unknown"), ("agent", "get", "/api/0/organizations/acme/", 1, "refused: method"),
    ("agent", "GET", "/api/0/users/me/", 0, "identity"), ("ci", "GET", "/api/0/organizations/acme/releases/", 0, "waits"),
    ("ci", "GET", "/api/0/organizations/acme/releases/?project=10", 0, "allowed"), ("ci", "GET", "/api/0/organizations/acme/releases/?project=-1", 1, "refused: project"),
    ("ci", "GET", "/api/7/store/", 0, "bypass"), ("ci", "GET", "/api//7/store/", 1, "refused: form"),
    ("ci", "POST", "/api/0/projects/acme/web/releases/", 0, "allowed"), ("shade", "DELETE", "/api/0/organizations/acme/", 0, "allowed"),
    ("shade", "POST", "/api/0/projects/acme/web/keys/", 1, "refused: operation"),
])
def test_explain_has_the_verdict_as_its_status(aliases: Path, alias: str, method: str, target: str, status: int, verdict: str) -> None:
    result = policy("explain", method, target, "--alias", alias, variables={"ALIAS_FILE": str(aliases)})
    assert (result.returncode, result.stderr) == (status, "")
    assert f"verdict       {verdict}\n" in result.stdout


def test_a_test_file_is_held_to_the_rights(aliases: Path, tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_text("# ours\nallow ci POST /api/0/projects/acme/web/releases/\nrefuse ci DELETE /api/0/organizations/acme/releases/1/ operation\n"
                    "refuse agent GET /api/0/organizations/other/issues/   # any reason\nrefuse shade DELETE /api/0/organizations/acme/ operation\n")
    result = policy("test", str(good), "--alias-file", str(aliases))
    assert (result.returncode, result.stdout) == (0, "4 expectations, 0 differ\n")
    bad = tmp_path / "bad"
    bad.write_text("allow agent GET /api/0/organizations/other/issues/\nrefuse ci DELETE /api/0/organizations/acme/releases/1/ project\n")
    result = policy("test", str(bad), "--alias-file", str(aliases))
    assert result.returncode == 1
    assert result.stdout == (f"{bad}:1: expected allow, found refuse organization\n{bad}:2: expected refuse project, found refuse operation\n"
                             "2 expectations, 2 differ\n")
    report = json.loads(policy("test", str(bad), "--alias-file", str(aliases), "--json").stdout)
    assert report["expectations"] == 2 and [d["line"] for d in report["differences"]] == [1, 2]


@pytest.mark.parametrize("line", ["permit ci GET /", "allow ci GET", "allow ci GET / form", "refuse ci GET / because", "allow nobody GET /"])
def test_a_malformed_expectation_is_named(aliases: Path, tmp_path: Path, line: str) -> None:
    file = tmp_path / "test"
    file.write_text(f"# a comment\n{line}\n")
    result = policy("test", str(file), "--alias-file", str(aliases))
    assert result.returncode == 65 and f"{file}, line 2: " in result.stderr and result.stderr.count("\n") == 1


def test_show_and_diff_list_operations(aliases: Path, tmp_path: Path) -> None:
    shown = policy("show", "agent", "--alias-file", str(aliases)).stdout.splitlines()
    assert shown[0] == "# agent: mcp mcp-triage in acme" and len(shown) == 63
    assert json.loads(policy("show", "legacy", "--alias-file", str(aliases), "--json").stdout) == {"alias": "legacy", "rights": "everything"}
    new = tmp_path / "new"
    new.write_text(ALIASES.replace("mcp mcp-triage", "mcp").replace("legacy sap_a\n", ""))
    result = policy("diff", str(aliases), str(new))
    assert result.returncode == 1
    assert result.stdout == ("legacy: everything -> not there\n  - everything\nagent: mcp mcp-triage in acme -> mcp in acme\n"
                             "  - POST /api/0/organizations/{org}/issues/{issue_id}/notes/\n  - PUT /api/0/organizations/{org}/issues/{issue_id}/\n")
    assert policy("diff", str(new), str(new)).returncode == 0


def test_the_table_shows_its_version_and_what_was_corrected(tmp_path: Path) -> None:
    file = tmp_path / "policy"
    file.write_text("effect GET /api/0/projects/*/*/keys/ read\nset few\n    allow GET O\n")
    text = policy("table", "--sets", "--policy-file", str(file)).stdout
    assert text.startswith("endpoints 2026-11 ") and "1174 operations, 1 corrections\n" in text
    assert "weaker: GET /api/0/projects/{org}/{project}/keys/: secret is read now\n" in text and text.endswith("few\t1\n")
    report = json.loads(policy("table", "--rows", "--json").stdout)
    assert report["rows"] == len(report["operations"]) == 1174 and report["sets"]["read-only"] == 465


@pytest.mark.parametrize(("text", "policy_text", "place"), [
    ("a sap_1 mcp\nb sap_2 mpc\n", "", "line 2: 'mpc'"), ("a sap_1 mcp colour=red\n", "", "line 1: 'colour=red'"),
    ("a sap_1 mcp sap_2SecretSecret\n", "", "line 1: word 2 behind the alias"), ("a sap_1 mcp org=\n", "", "line 1: org="),
    ("a sap_1 mcp project=web\n", "", "line 1: project= needs exactly one org="), ("a sap_1 mcp expires=2020-01-01\n", "", "line 1: expires="),
    ("a sap_1 full mcp\n", "", "line 1: 'full'"), ("a sap_1 rate=5/s\n", "", "line 1: limits alone"), ("a sap_1 mcp rate=0/s\n", "", "line 1: rate="),
    ("a sap_1 mcp\na sap_2\n", "", "line 2: this name was given before"), ("a sha256:12 mcp\n", "", "line 1: expected 64 hexadecimal digits"),
    ("a sap_1 mcp\n", "alias a : mcp\n", "line 1: the rights of a are in the policy file too"), ("a sap_1\n", "\nalias b : mcp\n", "line 2: there is no alias"),
    ("a sap_1 mcp rate=5/s:0\n", "", "line 1: rate='5/s:0': expected N/s or N/m with N from 1, and perhaps :BURST from 1"),
    ("a sap_1 mcp project=web org=acme,beta\n", "", "line 1: project= needs exactly one org="), ("a sap_1\n", "set x\n", "line 1: set x allows nothing"),
    ("a sap_1\n", "alias a : mpc\n", "line 1: 'mpc'"), ("a sap_1\n", "set x\n    allow GET O isues/\n", "line 2: the table has no"),
])
def test_a_broken_file_ends_the_start_with_its_line(tmp_path: Path, text: str, policy_text: str, place: str) -> None:
    file, rules = tmp_path / "aliases", tmp_path / "policy"
    file.write_text(text)
    rules.write_text(policy_text)
    result = subprocess.run([BINARY, "--sentry-uri", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--admin-listen", "off", "--token", "x"],
                            capture_output=True, text=True, timeout=60, env={"ALIAS_FILE": str(file), "POLICY_FILE": str(rules)})
    assert result.returncode == 78 and place in result.stderr and result.stderr.count("\n") == 1
    assert ("POLICY_FILE" if policy_text and "too" not in place else "ALIAS_FILE") in result.stderr
    assert "SecretSecret" not in result.stderr


def test_rights_may_be_required(tmp_path: Path) -> None:
    file = tmp_path / "aliases"
    file.write_text("a sap_1 mcp\nb sap_2\n")
    arguments = [BINARY, "--sentry-uri", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--admin-listen", "off", "--token", "x"]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=60, env={"ALIAS_FILE": str(file), "ALIAS_RIGHTS": "required"})
    assert result.returncode == 78 and "line 2: expected the rights of b" in result.stderr
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=60, env={"ALIAS_FILE": str(file), "ALIAS_RIGHTS": "yes"})
    assert result.returncode == 78 and "ALIAS_RIGHTS: 'yes' is not optional or required" in result.stderr


def test_a_new_alias_may_be_kept_as_its_digest() -> None:
    result = subprocess.run([BINARY, "alias", "new", "ci", "--hash", "ci-upload", "org=acme"], capture_output=True, text=True, timeout=60)
    name, digest, *words = result.stdout.split()
    alias = result.stderr.split("the alias, shown this once: ")[1].split()[0]
    assert (name, words) == ("ci", ["ci-upload", "org=acme"]) and alias.startswith("sap_") and alias not in result.stdout
    check = subprocess.run(["sha256sum"], input=alias, capture_output=True, text=True, check=True).stdout.split()[0]
    assert digest == f"sha256:{check}"
    assert subprocess.run([BINARY, "alias", "new", "ci", "mpc"], capture_output=True, timeout=60).returncode == 64


def test_the_start_names_what_is_not_narrowed(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    file, rules = tmp_path / "aliases", tmp_path / "policy"
    file.write_text("ci sap_0123456789abcdef0 mcp org=acme\nlegacy sap_0123456789abcdef1\nshade sap_0123456789abcdef2 mcp mode=shadow\n")
    rules.write_text("effect GET /api/0/projects/*/*/keys/ read\n")
    proxy = start_proxy(stand_in.uri, environment={"ALIAS_FILE": str(file), "POLICY_FILE": str(rules)})
    for level, said in (("notice", "all that the token may: legacy"), ("warning", "shade: mode=shadow without shadow-until="),
                        ("notice", "weaker: GET /api/0/projects/{org}/{project}/keys/: secret is read now")):
        proxy.wait_for_line(lambda line, level=level, said=said: f"level={level}" in line and said in line)
