"""docs/rights.md: its table of sets is that of the data, and its examples do what is said of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.proxy import ROOT, StartProxy
from harness.rights import Alias, Place, decide, granted, sets, table
from harness.upstream import StandIn

ACME = (("acme", 1),)
WEB = (("web", 10),)
PAGE = ROOT / "docs/rights.md"
ALIAS = "sap_0123456789abcdef0123456789abcdef"


def rows() -> list[str]:
    found = []
    for word in sets().held:
        if word == "identity":
            continue
        held = [row for row in table() if row.number in granted(word)]
        writes = sum(row.effect == "write" for row in held)
        counts = []
        for projects in ((), WEB):
            alias = Alias(word, ACME, projects)
            counts.append(sum(decide(row, alias, Place("acme", "web", "WEB-4F"))[0] not in ("refused", "identity") for row in held))
        found.append(f"| `{word}` | {len(held)} | {writes} | {counts[0]} | {counts[1]} |")
    return found


def test_the_table_of_sets_is_that_of_the_data() -> None:
    written = [line for line in PAGE.read_text().splitlines() if re.match(r"\| `[a-z-]+` \| \d", line)]
    assert written == rows()


def test_what_a_project_takes_from_ci_upload_is_named() -> None:
    alias = Alias("ci-upload", ACME, WEB)
    lost = [f"{row.method} {row.path}" for row in table() if row.number in granted("ci-upload")
            and decide(row, alias, Place("acme", "web", "WEB-4F"))[0] == "refused"
            and decide(row, Alias("ci-upload", ACME), Place("acme", "web", "WEB-4F"))[0] != "refused"]
    text = PAGE.read_text()
    assert lost and not [name for name in lost if f"`{name}`" not in text]


def examples() -> dict[str, str]:
    """The page's alias file: the words of each alias."""
    lines = [line for block in re.findall(r"```aliases\n(.*?)```", PAGE.read_text(), re.DOTALL) for line in block.splitlines()]
    return {words[0]: " ".join(words[2:]) for words in map(str.split, lines)}


JSON = ("Content-Type: application/json",)
RELEASES = "/api/0/organizations/acme/releases/"
# What the page says of each: requests that go upstream, with what is in the place of their target there, and refusals.
SAID: dict[str, list[tuple[str, str, bytes, str]]] = {
    "reader": [("GET", "/api/0/organizations/acme/issues/", b"", "goes"), ("GET", "/api/0/projects/acme/web/keys/", b"", "operation"),
               ("GET", "/api/0/organizations/acme/org-auth-tokens/", b"", "operation"), ("PUT", "/api/0/organizations/acme/issues/WEB-1/", b"{}", "operation")],
    "agent": [("GET", "/api/0/organizations/acme/issues/", b"", "goes"), ("PUT", "/api/0/organizations/acme/issues/WEB-1/", b"{}", "goes"),
              ("PUT", "/api/0/issues/12/", b"{}", "/api/0/organizations/acme/issues/12/"), ("DELETE", "/api/0/organizations/acme/issues/WEB-1/", b"", "operation")],
    "ci": [("POST", RELEASES, b'{"version": "1", "projects": ["docs"]}', "goes"), ("POST", "/api/0/organizations/acme/artifactbundle/assemble/", b"{}", "goes"),
           ("POST", "/api/0/projects/acme/docs/files/difs/assemble/", b"{}", "goes"), ("DELETE", RELEASES + "1/", b"", "operation")],
    "ciweb": [("POST", RELEASES, b'{"version": "1", "projects": ["web"]}', "goes"), ("POST", RELEASES, b'{"version": "1", "projects": ["api"]}', "body"),
              ("PUT", RELEASES + "1/", b"{}", RELEASES + "1/?project=1"), ("POST", RELEASES + "1/assemble/", b"{}", "project")],
    "grafana": [("GET", "/api/0/organizations/acme/events/", b"", "goes"), ("PUT", "/api/0/organizations/acme/issues/WEB-1/", b"{}", "operation")],
    "bot": [("PUT", "/api/0/organizations/acme/issues/WEB-1/", b"{}", "goes"), ("PUT", "/api/0/organizations/acme/issues/api-1/", b"{}", "goes"),
            ("PUT", "/api/0/organizations/acme/issues/DOCS-1/", b"{}", "project"), ("PUT", "/api/0/organizations/acme/issues/12/", b"{}", "project")],
    "ops": [("GET", "/api/0/organizations/beta/members/", b"", "goes"), ("GET", "/api/0/projects/acme/web/events/12/attachments/3/", b"", "goes"),
            ("GET", "/api/0/organizations/gamma/members/", b"", "organization")],
    "release": [("DELETE", RELEASES + "1/", b"", "goes"), ("DELETE", "/api/0/organizations/beta/releases/1/", b"", "organization")],
    "scoped": [("POST", "/api/0/projects/acme/web/releases/", b"{}", "goes"), ("GET", "/api/0/organizations/acme/issues/WEB-1/", b"", "goes"),
               ("PUT", "/api/0/organizations/acme/issues/WEB-1/", b"{}", "operation")],
    "legacy": [("GET", RELEASES, b"", "goes"), ("DELETE", RELEASES + "1/", b"", "would_refuse")],
}


@pytest.mark.tokens
@pytest.mark.parametrize("name", list(SAID))
def test_the_examples_do_what_is_said_of_them(name: str, stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    words = examples()
    assert list(words) == list(SAID)
    file = tmp_path / "aliases"
    file.write_text("".join(f"{each} {ALIAS if each == name else f'sap_{number:040}'} {rights}\n" for number, (each, rights) in enumerate(words.items())))
    file.chmod(0o600)
    proxy = start_proxy(stand_in.uri, "--alias-file", str(file))
    proxy.wait_for_line(lambda line: "of aliases are known" in line, 10)
    for method, target, body, said in SAID[name]:
        stand_in.reset()
        answer = ask(proxy.address, request(method, target, f"Authorization: Bearer {ALIAS}", *(JSON if body else ()), body=body))
        if said in ("goes", "would_refuse") or said.startswith("/"):
            upstream = said if said.startswith("/") else target
            assert stand_in.request()["head"].startswith(f"{method} {upstream} HTTP/1.1\r\n")
            proxy.wait_for_line(lambda line: f"policy={'would_refuse' if said == 'would_refuse' else 'allowed'}" in line and f"method={method}" in line, 5)
        else:
            assert (answer.status, answer.value("X-Sentry-Api-Proxy-Refusal")) == (403, said), (method, target)
            stand_in.assert_untouched()
    if name == "grafana":
        ask_again = request("GET", "/api/0/auth/", f"Authorization: Bearer {ALIAS}")
        assert all(ask(proxy.address, ask_again).status == 200 for _ in range(18))
        assert any(ask(proxy.address, ask_again).status == 429 for _ in range(2_000))
