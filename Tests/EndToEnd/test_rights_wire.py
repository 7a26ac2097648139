"""A sample of the differential of test_rights_decisions.py sent to a running proxy: status, reason, and what reaches the upstream."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.proxy import StartProxy
from harness.rights import Alias, Place, all_scopes, decide, granted, sets, table, target
from harness.scripted import Scripted, read_request

pytestmark = pytest.mark.tokens

SAMPLE = 2_000
ACME = (("acme", 1),)
BOTH = (("acme", 1), ("umbrella", 2))
WEB = (("web", 10), ("api", 11))
NUMBERS = {"/api/0/organizations/acme/": ("1", "acme"), "/api/0/organizations/umbrella/": ("2", "umbrella"),
           "/api/0/projects/acme/web/": ("10", "web"), "/api/0/projects/acme/api/": ("11", "api")}


class Recorder:
    """Notes each request's line and answers JSON that every filter can read; it knows the numbers of the names."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self.upstream = Scripted(self._play)

    def _play(self, sock: socket.socket, _: int) -> None:
        line, _, rest = read_request(sock).partition(b"\r\n")
        assert b"sap_" not in line + rest, "an alias went upstream"
        with self._lock:
            self._lines.append(line.decode())
        path = line.split()[1].decode()
        found = NUMBERS.get(path.partition("?")[0])
        body = (json.dumps({"id": found[0], "slug": found[1]}) if found else "[]").encode()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))

    def take(self) -> list[str]:
        with self._lock:
            lines, self._lines = self._lines, []
        return lines


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.upstream.close()


def cases() -> list[tuple[str, Alias, Place]]:
    found: list[tuple[str, Alias, Place]] = []
    for word in [word for word in [*sets().held, *sorted(all_scopes()), "full"] if granted(word)]:
        found += [
            (f"{word}/any", Alias(word), Place("acme", "web", "WEB-4F")),
            (f"{word}/org", Alias(word, ACME), Place("acme", "web", "WEB-4F")), (f"{word}/org", Alias(word, ACME), Place("umbrella", "web", "12")),
            (f"{word}/both", Alias(word, BOTH), Place("2", "web", "WEB-4F", "?a=b")),
            (f"{word}/project", Alias(word, ACME, WEB), Place("acme", "web", "WEB-4F")),
            (f"{word}/project", Alias(word, ACME, WEB), Place("acme", "other", "OTHER-4F")),
            (f"{word}/project", Alias(word, ACME, WEB), Place("1", "11", "api-1", "?id=3&project=11")),
            (f"{word}/project", Alias(word, ACME, WEB), Place("acme", "web", "12", "?project=10&project=-1")),
        ]
    return [case for case in found if case[0] != "full/any"]


def test_a_sample_is_judged_by_wire_as_a_second_reading_says(recorder: Recorder, start_proxy: StartProxy, tmp_path: Path) -> None:
    all_cases = cases()
    aliases = {name: alias for name, alias, _ in all_cases}
    tokens = {name: f"sap_{number:040}" for number, name in enumerate(aliases)}
    file = tmp_path / "aliases"
    file.write_text("".join(f"{name} {tokens[name]} {alias.words}\n" for name, alias in aliases.items()))
    file.chmod(0o600)
    proxy = start_proxy(recorder.upstream.uri, "--alias-file", str(file), "--access-log", "off")
    proxy.wait_for_line(lambda line: "of aliases are known" in line, 20)
    recorder.take()
    chosen = random.Random(13)
    # Half of the sample is of what is held: most combinations are refusals for the operation.
    everything = [(case, row) for case in all_cases for row in table()]
    held = [(case, row) for case, row in everything if row.number in granted(case[1].word)]
    sample = chosen.sample(held, SAMPLE // 2) + chosen.sample(everything, SAMPLE // 2)
    differences: list[str] = []
    verdicts: dict[str, int] = {}
    for (name, alias, place), row in sample:
        asked = target(row, place)
        verdict, reason, _, upstream = decide(row, alias, place)
        # A body that may have to name projects is not there: what must name them is refused for it.
        judged_body = verdict == "allowed" and alias.projects and row.selects.startswith("body:")
        if judged_body:
            verdict, reason = "refused", "body"
        answer = ask(proxy.address, request(row.method, asked, f"Authorization: Bearer {tokens[name]}", "Accept: application/json", "Content-Length: 0"))
        seen = recorder.take()
        found = (answer.status, answer.value("X-Sentry-Api-Proxy-Refusal"), seen)
        expected = {"refused": (403, reason, []), "identity": (200, None, []), "allowed": (200, None, [f"{row.method} {upstream} HTTP/1.1"])}[verdict]
        verdicts[reason if verdict == "refused" else verdict] = verdicts.get(reason if verdict == "refused" else verdict, 0) + 1
        if found != expected:
            differences.append(f"{name} {row.method} {asked}: {found}, expected {expected}")
    print(f"{len(sample)} combinations, {len(differences)} differences, {dict(sorted(verdicts.items()))}")
    assert len(sample) == SAMPLE and verdicts["allowed"] > 200 and min(verdicts[word] for word in ("operation", "organization", "project")) > 50
    assert not differences, "\n".join(differences[:20])
