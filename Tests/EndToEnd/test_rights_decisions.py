"""The program's verdicts against a second reading of the same table, row by row."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.proxy import BINARY
from harness.rights import Alias, Place, all_scopes, decide, granted, sets, table, target

ACME = (("acme", 1),)
BOTH = (("acme", 1), ("umbrella", 2))
WEB = (("web", 10), ("api", 11))
RIGHT = Place("acme", "web", "WEB-4F")


def batch(tmp_path: Path, lines: list[str], requests: list[str]) -> list[list[str]]:
    """What `policy explain --batch` says of lines NAME METHOD TARGET."""
    file = tmp_path / "aliases"
    file.write_text("\n".join(lines) + "\n")
    result = subprocess.run([BINARY, "policy", "explain", "--batch", "--alias-file", str(file)], input="\n".join(requests) + "\n",
                            capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    answers = [line.split("\t") for line in result.stdout.splitlines()]
    assert len(answers) == len(requests)
    return answers


@pytest.mark.parametrize("everywhere", [False, pytest.param(True, marks=pytest.mark.campaign)])
def test_every_row_with_every_set_is_judged_as_a_second_reading_says(tmp_path: Path, everywhere: bool) -> None:
    words = [word for word in [*sets().held, *sorted(all_scopes()), "full"] if granted(word)]
    assert len(words) >= 40
    cases: list[tuple[str, Alias, Place]] = []
    for word in words:
        cases += [
            (f"{word}/any", Alias(word), RIGHT),
            (f"{word}/org", Alias(word, ACME), RIGHT), (f"{word}/org", Alias(word, ACME), Place("umbrella", "web", "12")),
            (f"{word}/project", Alias(word, ACME, WEB), RIGHT),
            (f"{word}/project", Alias(word, ACME, WEB), Place("acme", "other", "OTHER-4F")),
        ]
    if everywhere:
        for word in words:
            cases += [
                (f"{word}/both", Alias(word, BOTH), Place("2", "web", "WEB-4F", "?a=b")),
                (f"{word}/both", Alias(word, BOTH), Place("acme", "10", "12")),
                (f"{word}/org", Alias(word, ACME), Place("1", "other", "WEB-4F")),
                (f"{word}/org", Alias(word, ACME), Place("01", "other", "WEB-4F")),
                (f"{word}/project", Alias(word, ACME, WEB), Place("1", "11", "api-1", "?id=3&project=11")),
                (f"{word}/project", Alias(word, ACME, WEB), Place("acme", "web", "12", "?project=10&project=-1")),
                (f"{word}/project", Alias(word, ACME, WEB), Place("acme", "WEB", "WEB_4F", "?projectSlug=api")),
                (f"{word}/project", Alias(word, ACME, WEB), Place("acme", "api", "we-b-1", "?projectSlug=web&project=10")),
                (f"{word}/project", Alias(word, ACME, WEB), Place("acme", "web", "WEB-1", "?project=11&shortIdLookup=1&query=OTHER-1")),
            ]
    # Limits alone are no rights, so `full` without an organization is judged by nobody.
    cases = [case for case in cases if case[0] != "full/any"]
    aliases = {name: alias for name, alias, _ in cases}
    lines = [f"{name} sap_{number} {alias.words}" for number, (name, alias) in enumerate(aliases.items())]
    pairs = [(name, alias, place, row) for name, alias, place in cases for row in table()]
    assert len(pairs) >= 100_000
    answers = batch(tmp_path, lines, [f"{name} {row.method} {target(row, place)}" for name, _, place, row in pairs])
    differences = []
    for (name, alias, place, row), found in zip(pairs, answers):
        expected = decide(row, alias, place)
        if tuple(found[:4]) != expected:
            differences.append(f"{name} {row.method} {target(row, place)}: {found[:4]}, expected {expected}")
    print(f"{len(pairs)} combinations, {len(differences)} differences")
    assert not differences, "\n".join(differences[:20])
