"""`--endpoint-table`: a table of operations in place of the built-in one, its mistakes, and its changes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.process import eventually
from harness.proxy import BINARY, Proxy, StartProxy, run_to_end
from harness.upstream import TOKEN, StandIn

pytestmark = pytest.mark.tokens

ROOT = Path(__file__).parents[2]
ALIAS = "sap_0123456789abcdef0123456789abcdef"
TABLE = (ROOT / "Policy/endpoints.tsv").read_text()
BUILT_IN = TABLE.splitlines()[0].removeprefix("# version ")
NEW = "GET\t/organizations/{org}/brand-new/\tread\t-\torganization\tnew\tlist\torg:read\topenapi\t2027\t-\n"
RELEASES = "/organizations/{org}/releases/"
MOST_BYTES = 1_048_576


def changed(*, version: str = "2027-01 ours", stricter: bool = False, new: bool = False) -> str:
    """The built-in table with another version, perhaps the list of releases a secret, and perhaps an operation more."""
    text = TABLE.replace(BUILT_IN, version, 1)
    if stricter:
        before = f"GET\t{RELEASES}\tread\t-\t"
        assert before in text
        text = text.replace(before, f"GET\t{RELEASES}\tsecret\traw\t")
    return text + (NEW if new else "")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    aliases, table = tmp_path / "aliases", tmp_path / "table.tsv"
    aliases.write_text(f"ci {ALIAS} read-only org=acme\n")
    aliases.chmod(0o600)
    table.write_text(changed())
    return aliases, table


@pytest.fixture
def start(files: tuple[Path, Path], start_proxy: StartProxy, stand_in: StandIn) -> Callable[..., Proxy]:
    return lambda *flags: start_proxy(stand_in.uri, "--alias-file", str(files[0]), "--endpoint-table", str(files[1]), "--threads", "2", *flags)


def refusal(proxy: Proxy, path: str) -> str | None:
    answer = ask(proxy.address, request("GET", f"/api/0/organizations/acme/{path}", f"Authorization: Bearer {ALIAS}"))
    return answer.value("X-Sentry-Api-Proxy-Refusal")


def read_json(proxy: Proxy, path: str) -> dict[str, object]:
    read: dict[str, object] = json.loads(ask(proxy.admin, request("GET", path)).payload)
    return read


def version(proxy: Proxy) -> str:
    found = read_json(proxy, "/status")["endpoints"]
    assert isinstance(found, str)
    return found


def hang_up(proxy: Proxy, word: str) -> str:
    before = proxy.output.count(word)
    proxy.signal(signal.SIGHUP)
    eventually(lambda: proxy.output.count(word) > before, f"the log says {word}")
    return [line for line in proxy.output.splitlines() if word in line][-1]


def test_rights_go_by_the_table_that_was_brought(start: Callable[..., Proxy], files: tuple[Path, Path], tmp_path: Path) -> None:
    files[1].write_text(changed(stricter=True, new=True))
    rules = tmp_path / "rules"
    rules.write_text("effect GET /api/0/organizations/*/repos/ secret\nendpoint GET /api/0/organizations/*/newer/ read\n"
                     "effect GET /api/0/organizations/*/detectors/ read -\n")
    proxy = start("--policy-file", str(rules))
    assert {path: refusal(proxy, path) for path in ("releases/", "brand-new/", "issues/", "repos/", "newer/", "nothing/", "detectors/")} == {
        "releases/": "operation", "brand-new/": None, "issues/": None, "repos/": "operation", "newer/": None, "nothing/": "unknown", "detectors/": None}
    assert version(proxy) == "2027-01 ours"
    assert f"the table of operations is from '{files[1]}': 2027-01 ours, 1175 operations" in proxy.output
    assert "the policy file makes an operation weaker: GET /api/0/organizations/{org}/detectors/: secret is read now" in proxy.output


def test_without_aliases_the_table_is_read_and_shown_too(start_proxy: StartProxy, stand_in: StandIn, files: tuple[Path, Path]) -> None:
    proxy = start_proxy(stand_in.uri, environment={"ENDPOINT_TABLE": str(files[1])})
    assert version(proxy) == "2027-01 ours"
    assert version(start_proxy(stand_in.uri)) == BUILT_IN


def test_a_weaker_table_and_a_short_one_are_told_at_each_start(start: Callable[..., Proxy], files: tuple[Path, Path]) -> None:
    rows = TABLE.splitlines(keepends=True)
    kept = [line for line in rows if "/chunk-upload/" not in line and "/keys/" not in line and "/project-keys/" not in line and "/dsn-lookup/" not in line]
    files[1].write_text("".join(kept).replace("GET\t/organizations/{org}/detectors/\tsecret\tcredential", "GET\t/organizations/{org}/detectors/\tread\t-"))
    proxy = start()
    for words in ("the endpoint table makes an operation weaker than the built-in one: GET /api/0/organizations/{org}/detectors/: secret is read",
                  "set ci-upload goes without what the table lacks or bars: GET /api/0/organizations/*/chunk-upload/, POST",
                  "set dsn allows nothing: the table lacks or bars GET /api/0/projects/*/*/keys/"):
        assert words in proxy.output, proxy.output
    # A set of which nothing is left is no right.
    files[0].write_text(f"ci {ALIAS} read-only dsn org=acme\n")
    assert "line 1: 'dsn': no operation of this set is in the table" in hang_up(proxy, "not reloaded")


HEAD_LINES = 1 + next(number for number, line in enumerate(TABLE.splitlines()) if line.startswith("method\t"))


def broken(**row: str) -> bytes:
    line = NEW
    for before, after in row.items():
        line = line.replace(before, after, 1)
    return "\n".join([*TABLE.splitlines()[:HEAD_LINES], line]).encode()


BROKEN: list[tuple[bytes | None, list[str]]] = [
    (None, ["cannot read", "No such file"]),
    (b"", ["line 1: expected the columns method path effect"]),
    (b"sntrys_secret-of-somebody\n", ["line 1: expected the columns"]),
    (b"#\n" * (MOST_BYTES // 2 + 1), [f"larger than {MOST_BYTES} bytes"]),
    (b"\xff\xfe#\x00", ["UTF-16"]),
    (TABLE.encode().replace(b"\t", b"    "), [f"line {HEAD_LINES}: expected the columns", "tabs"]),
    (TABLE.split("\n", 1)[1].encode(), [f"line {HEAD_LINES - 1}: expected a line '# version"]),
    ("\n".join(TABLE.splitlines()[:HEAD_LINES]).encode(), [f"line {HEAD_LINES}: no operation"]),
    (broken(read="reed"), [f"line {HEAD_LINES + 1}: 'reed' is not an effect of GET: expected read, secret, write-on-GET"]),
    (broken(GET="BREW"), ["'BREW' is not GET, POST"]),
    (broken(**{"{org}": "{organization_id_or_slug}"}), ["{organization_id_or_slug} is written {org}"]),
    (broken(**{"org:read": "org:reed"}), ["'org:reed' is no scope of Sentry"]),
    (broken(**{"\t-\n": "\n"}), ["expected 11 columns with tabs between them, not 10"]),
    ((TABLE + TABLE.splitlines()[HEAD_LINES]).encode(), [f"line {len(TABLE.splitlines()) + 1}: POST", f"given before, at line {HEAD_LINES + 1}"]),
]


@pytest.mark.parametrize(("text", "words"), BROKEN, ids=[words[0][:40] for _, words in BROKEN])
def test_a_broken_table_ends_the_start_and_a_check_with_its_line(files: tuple[Path, Path], text: bytes | None, words: list[str]) -> None:
    if text is None:
        files[1].unlink()
    else:
        files[1].write_bytes(text)
    flags = ("--sentry-uri", "http://127.0.0.1:9", "--listen", "127.0.0.1:0", "--alias-file", str(files[0]))
    started = run_to_end(*flags, "--endpoint-table", str(files[1]), SENTRY_TOKEN=TOKEN)
    checked = run_to_end(*flags, "--check-config", SENTRY_TOKEN=TOKEN, ENDPOINT_TABLE=str(files[1]))
    for ended, name in ((started, "--endpoint-table"), (checked, "ENDPOINT_TABLE")):
        assert ended.returncode == 78 and ended.stderr.count("\n") == 1, ended
        assert all(word in ended.stderr for word in (name, str(files[1]), *words)), ended.stderr
        assert "sntrys_" not in ended.stderr


def test_a_check_tells_everything_that_is_wrong(files: tuple[Path, Path], tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    files[1].write_text(changed(new=True) + NEW.replace("GET", "BREW") + NEW.replace("new/", "x/").replace("read", "reed", 1))
    rules.write_text("set ours\n    allow GET O brand-new/\n    allow GET O nothing/\n")
    files[0].write_text(f"ci {ALIAS} mpc\n")
    flags = ("--sentry-uri", "http://127.0.0.1:9", "--listen", "127.0.0.1:0", "--alias-file", str(files[0]), "--policy-file", str(rules),
             "--endpoint-table", str(files[1]))
    checked = run_to_end(*flags, "--check-config", SENTRY_TOKEN=TOKEN)
    assert checked.returncode == 78, checked
    for words in ("'BREW'", "'reed'", "line 3: the table has no GET /api/0/organizations/*/nothing/", "'mpc'"):
        assert words in checked.stderr
    assert checked.stderr.count("\n") == 4, checked.stderr


def test_a_check_and_a_listing_show_where_the_table_is_from(files: tuple[Path, Path]) -> None:
    flags = ("--sentry-uri", "http://127.0.0.1:9", "--listen", "127.0.0.1:0", "--alias-file", str(files[0]), "--endpoint-table", str(files[1]))
    checked = run_to_end(*flags, "--check-config", SENTRY_TOKEN=TOKEN)
    assert checked.returncode == 0 and f"2027-01 ours, from the file '{files[1]}' (--endpoint-table)" in checked.stdout, checked
    listed = run_to_end(*flags, "--print-config", SENTRY_TOKEN=TOKEN).stdout
    assert [line.split() for line in listed.splitlines() if line.startswith("endpoint-table")] == [["endpoint-table", str(files[1]), "--endpoint-table"]]


def test_a_table_is_read_again_and_a_broken_one_keeps_the_old(start: Callable[..., Proxy], files: tuple[Path, Path]) -> None:
    proxy = start("--watch-files", "off")
    assert (refusal(proxy, "releases/"), refusal(proxy, "brand-new/")) == (None, "unknown")
    files[1].write_text(changed(version="2027-02", stricter=True, new=True))
    hang_up(proxy, "msg=reloaded")
    for text in (changed() + "broken\n", "", None):
        assert {(refusal(proxy, "releases/"), refusal(proxy, "brand-new/")) for _ in range(6)} == {("operation", None)}
        assert version(proxy) == "2027-02"
        if text is None:
            files[1].unlink()
        else:
            files[1].write_text(text)
        line = hang_up(proxy, "not reloaded, the old aliases and certificates stay")
        assert "--endpoint-table" in line and str(files[1]) in line and ("line " in line or text is None)
    assert (refusal(proxy, "releases/"), version(proxy)) == ("operation", "2027-02")


def test_a_pipe_that_nobody_writes_to_holds_up_no_signal(start: Callable[..., Proxy], files: tuple[Path, Path]) -> None:
    proxy = start()
    files[1].unlink()
    os.mkfifo(files[1])
    assert "it is a pipe, and its end did not come within" in hang_up(proxy, "not reloaded")
    # SIGTERM is answered by the thread that waited; the fixture looks at the status.
    assert refusal(proxy, "issues/") is None
    proxy.stop()


def test_a_pipe_with_a_writer_is_read_to_its_end(files: tuple[Path, Path]) -> None:
    result = subprocess.run(["bash", "-c", 'exec "$0" policy table --endpoint-table <(sleep 0.2; head -n 600 "$1"; sleep 0.2; tail -n +601 "$1")',
                             BINARY, str(files[1])], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert "1174 operations" in result.stdout


def test_a_table_that_changed_is_read_without_a_signal(start: Callable[..., Proxy], files: tuple[Path, Path]) -> None:
    proxy = start()
    assert refusal(proxy, "brand-new/") == "unknown"
    files[1].write_text(changed(version="2027-03", new=True))
    eventually(lambda: version(proxy) == "2027-03", "the new table", 20)
    assert refusal(proxy, "brand-new/") is None


def test_what_was_learned_stays_with_its_operation(start: Callable[..., Proxy], files: tuple[Path, Path]) -> None:
    files[0].write_text(f"ci {ALIAS} full mode=shadow\n")
    proxy = start("--watch-files", "off")
    assert [refusal(proxy, path) for path in ("issues/", "issues/", "releases/")] == [None] * 3
    # Every row is another one now: one is put in front, and the last comes first.
    lines = changed(version="2027-04").splitlines(keepends=True)
    files[1].write_text("".join([*lines[:HEAD_LINES], NEW, *reversed(lines[HEAD_LINES:])]))
    hang_up(proxy, "msg=reloaded")
    assert refusal(proxy, "brand-new/") is None
    learned = read_json(proxy, "/learned")["aliases"]
    assert isinstance(learned, dict)
    assert learned["ci"]["operations"] == {
        "GET /api/0/organizations/{org}/brand-new/": 1, "GET /api/0/organizations/{org}/issues/": 2, "GET /api/0/organizations/{org}/releases/": 1}


def test_what_make_endpoints_writes_is_a_table(start: Callable[..., Proxy], files: tuple[Path, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ("Scripts/make-endpoints.py", "Policy/endpoints.tsv", "Policy/sets.policy", "Sources/AccessPolicy/PolicyData.swift"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    scopes = {"security": [{"auth_token": ["org:read"]}]}
    openapi = tmp_path / "openapi.json"
    openapi.write_text(json.dumps({"paths": {"/api/0/organizations/{organization_id_or_slug}/brand-new/": {"get": scopes, "post": scopes}}}))
    made = subprocess.run([sys.executable, str(copy / "Scripts/make-endpoints.py"), "update", str(openapi), "2027-05 openapi 1.2"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert made.returncode == 1 and made.stderr.count("not judged yet") == 2, made
    shutil.copy(copy / "Policy/endpoints.tsv", files[1])
    proxy = start()
    # Nobody has judged it, so it is a secret until somebody does.
    assert (version(proxy), refusal(proxy, "brand-new/"), refusal(proxy, "releases/")) == ("2027-05 openapi 1.2", "operation", None)
    assert "2 operations of the endpoint table are not judged yet" in proxy.output


def test_the_commands_read_it_as_they_read_the_policy_file(files: tuple[Path, Path], tmp_path: Path) -> None:
    def command(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60, env=variables, check=False)

    files[1].write_text(changed(stricter=True, new=True))
    given = ("--endpoint-table", str(files[1]))
    shown = command("policy", "table", *given)
    assert shown.stdout.startswith("endpoints 2027-01 ours\n1175 operations, 0 corrections\n"), shown
    assert json.loads(command("policy", "table", "--json", ENDPOINT_TABLE=str(files[1])).stdout)["rows"] == 1175
    named = ("--alias-file", str(files[0]))
    path = "/api/0/organizations/acme/brand-new/"
    assert command("policy", "explain", "GET", path, "--alias", "ci", *named).returncode == 1
    assert command("policy", "explain", "GET", path, "--alias", "ci", *named, *given).returncode == 0
    assert f"GET /api/0{RELEASES}" not in command("policy", "show", "ci", *named, *given).stdout.splitlines()
    assert f"GET /api/0{RELEASES}" in command("policy", "show", "ci", *named).stdout.splitlines()
    differs = command("policy", "diff", str(files[0]), str(files[0]), "--new-endpoint-table", str(files[1]))
    assert differs.returncode == 1
    assert differs.stdout.splitlines()[1:] == ["  + GET /api/0/organizations/{org}/brand-new/", f"  - GET /api/0{RELEASES}"], differs
    rules = tmp_path / "rules"
    rules.write_text("set ours\n    allow GET O brand-new/\n")
    new = ("alias", "new", "x", "ours", "--policy-file", str(rules))
    assert command(*new, *given).returncode == 0
    assert command(*new).returncode == 78
    files[1].write_text("broken\n")
    failed = command("policy", "show", "ci", *named, *given)
    assert failed.returncode == 78 and f"--endpoint-table: '{files[1]}', line 1: " in failed.stderr and failed.stderr.count("\n") == 1
