"""Rights over a reload: what is broken changes nothing, what is changed holds for the next request, what is counted stays counted."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

pytestmark = pytest.mark.tokens

ALIAS = "sap_0123456789abcdef0123456789abcdef"
READ, WRITE = "GET /api/0/organizations/acme/releases/", "POST /api/0/organizations/acme/releases/"
MINE = "set mine\n    allow GET O releases/\nalias ci : mine org=acme\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    aliases, rules = tmp_path / "aliases", tmp_path / "rules"
    aliases.write_text(f"# who\nci {ALIAS}\n")
    aliases.chmod(0o600)
    rules.write_text(MINE)
    return aliases, rules


@pytest.fixture
def start(files: tuple[Path, Path], start_proxy: StartProxy, stand_in: StandIn) -> Callable[[], Proxy]:
    return lambda: start_proxy(stand_in.uri, "--alias-file", str(files[0]), "--policy-file", str(files[1]), "--watch-files", "off", "--threads", "2")


def is_refused(proxy: Proxy, line: str) -> bool:
    return status(proxy, line) == 403


def status(proxy: Proxy, line: str) -> int:
    method, path = line.split()
    return ask(proxy.address, request(method, path, f"Authorization: Bearer {ALIAS}", "Content-Length: 0")).status


def hang_up(proxy: Proxy, word: str) -> str:
    before = proxy.output.count(word)
    proxy.signal(signal.SIGHUP)
    eventually(lambda: proxy.output.count(word) > before, f"the log says {word}")
    return [line for line in proxy.output.splitlines() if word in line][-1]


@pytest.mark.parametrize(("alias_words", "rules", "flag", "place"), [
    # A broken word, behind the alias and in the policy file.
    ("mpc", "", "--alias-file", "line 2: 'mpc'"), ("mcp rate=0/s", "", "--alias-file", "line 2: rate="), ("mcp org=", "", "--alias-file", "line 2: org="),
    ("", MINE.replace("mine org=acme", "mine org=acme colour=red"), "--policy-file", "line 3: 'colour=red'"),
    # A broken set.
    ("", MINE.replace("releases/", "isues/"), "--policy-file", "line 2: the table has no GET"), ("", "set mine\nalias ci : mine\n", "--policy-file", "line 1: set mine allows nothing"),
    ("", MINE.replace("allow GET O releases/", "allow POST P keys/"), "--policy-file", "line 2: POST /api/0/projects/{org}/{project}/keys/ ends narrowing"),
    # A broken policy file, one for an alias that nobody has, and none at all.
    ("", "sett mine\n", "--policy-file", "line 1: expected set, alias, effect or endpoint"), ("", MINE + "alias cj : mine\n", "--policy-file", "line 4: there is no alias"),
    ("", None, "--policy-file", "cannot read"), ("mcp", MINE, "--alias-file", "line 3"),
])
def test_what_is_broken_keeps_the_old_rights_and_is_named(
    start: Callable[[], Proxy], files: tuple[Path, Path], alias_words: str, rules: str | None, flag: str, place: str,
) -> None:
    proxy = start()
    assert (is_refused(proxy, READ), is_refused(proxy, WRITE)) == (False, True)
    files[0].write_text(f"# who\nci {ALIAS} {alias_words}\n")
    if rules is None:
        files[1].unlink()
    else:
        files[1].write_text(rules)
    line = hang_up(proxy, "not reloaded, the old aliases and certificates stay")
    assert flag in line and place in line.replace('\\"', '"') and ALIAS not in line, line
    assert (is_refused(proxy, READ), is_refused(proxy, WRITE)) == (False, True)
    assert scrape(proxy).sum("reloads_total", result="failed") == 1


def test_changed_rights_hold_for_the_next_request_on_every_worker(start: Callable[[], Proxy], files: tuple[Path, Path]) -> None:
    proxy = start()
    assert all(is_refused(proxy, WRITE) for _ in range(8))
    for allowed in (True, False, True):
        files[1].write_text(MINE.replace("allow GET", "allow GET,POST") if allowed else MINE)
        hang_up(proxy, "msg=reloaded")
        # Without waiting: the log speaks of it once it holds.
        assert {is_refused(proxy, WRITE) for _ in range(8)} == {not allowed}
    files[1].write_text("")
    hang_up(proxy, "msg=reloaded")
    assert not is_refused(proxy, "DELETE /api/0/organizations/acme/releases/1/")


def test_what_is_counted_of_a_rate_stays_when_the_rights_change(start: Callable[[], Proxy], files: tuple[Path, Path]) -> None:
    files[1].write_text(MINE.replace("org=acme", "org=acme rate=1/m:3"))
    proxy = start()
    assert [status(proxy, READ) == 429 for _ in range(2)] == [False, False]
    # Other rights, another burst, and a broken file between: the two that were spent stay spent.
    files[1].write_text("broken\n")
    hang_up(proxy, "not reloaded")
    files[1].write_text(MINE.replace("allow GET", "allow GET,POST").replace("org=acme", "org=acme rate=1/m:4"))
    hang_up(proxy, "msg=reloaded")
    assert [status(proxy, READ) == 429 for _ in range(3)] == [False, False, True]
    assert scrape(proxy).sum("policy_decisions_total", alias="ci", verdict="refused", reason="rate") == 1
