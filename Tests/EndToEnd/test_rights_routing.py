"""Mutated paths against Django's own resolver: nothing goes out whose resolved operation the alias may not do."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from harness.proxy import ROOT
from harness.rights import Alias, Place, blank, by_name, granted, table, target
from test_rights_decisions import ACME, WEB, batch

VENV = ROOT / ".build-venv"
ROUTES = ROOT / "Tests/Fixtures/routes/sentry-2026.txt"
ALIASES = {"reader": Alias("read-only", ACME), "triage": Alias("triage", ACME, WEB), "upload": Alias("ci-upload", ACME, WEB),
           "agent": Alias("mcp-triage", ACME), "raw": Alias("raw", ACME), "all": Alias("full", ACME, WEB)}
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]


@pytest.fixture(scope="module")
def django() -> str:
    """The Python that has Django, from the package index, in a virtual environment that is kept between runs."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    if subprocess.run([str(python), "-c", "import django"], capture_output=True, check=False).returncode:
        installed = subprocess.run([str(python), "-m", "pip", "install", "--quiet", "Django>=4.2,<6"], capture_output=True, text=True,
                                   timeout=300, check=False)
        if installed.returncode:
            pytest.skip(f"Django could not be installed: {installed.stderr.strip().splitlines()[-1:]}")
    return str(python)


def mutated(path: str, chance: random.Random, literals: list[str]) -> str:
    """One to three small changes, each of a kind that some reader of paths undoes."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(1, len(path) + 1)
        kind = chance.randrange(13)
        if kind == 0 and at < len(path):
            path = path[:at] + f"%{ord(path[at]):02{chance.choice('xX')}}" + path[at + 1:]
        elif kind == 1 and at < len(path):
            path = path[:at] + f"%25{ord(path[at]):02x}" + path[at + 1:]
        elif kind == 2:
            path = path[:at] + chance.choice(["/", "//", "/./", "/../", "%2F", "%2f..%2F", "/%2e/", "/.%2E/", "\\", "%5C", ";x", ";x/", "/;/"]) + path[at:]
        elif kind == 3:
            path = path[:at] + chance.choice(["%00", "%0a", "%0A/", "%0d", "%20", "+", "%", "%4", "%zz", "%ff", "%C3%A9", "%D9%A1", "%7f", "~", "'", "=", "&", "@", ":", "*"]) + path[at:]
        elif kind == 4 and at < len(path):
            path = path[:at] + path[at].swapcase() + path[at + 1:]
        elif kind == 5:
            path = path.rstrip("/") if path.endswith("/") else path + "/"
        elif kind in (6, 7, 8):
            parts = path.split("/")
            place = chance.randrange(1, len(parts))
            if kind == 6: parts[place] = chance.choice(literals)
            elif kind == 7: parts.insert(place, chance.choice([*literals, "acme", "web", "1", "10"]))
            else: parts.pop(place)
            path = "/".join(parts)
            if not path.startswith("/"): path = "/" + path
        elif kind == 9:
            parts = path.split("/")
            place = chance.randrange(1, len(parts))
            parts[place] = chance.choice(["acme", "umbrella", "1", "2", "01", "web", "other", "10", "99", "WEB-4F", "OTHER-4F", "me", "latest", "token"])
            path = "/".join(parts)
        elif kind == 10:
            path += chance.choice(["?project=10", "?project=99", "?project=%31", "?projectSlug=web", "?id=1", "?a=/../", "?", "?%70roject=99"])
        elif kind == 11:
            path = path.replace("/api/0/", chance.choice(["/api/0/", "/API/0/", "/api/00/", "/api//0/", "/api/0//", "/%61pi/0/", "/api/0/./", "//api/0/"]), 1)
        elif at < len(path):
            path = path[:at] + path[at + 1:]
        path = path or "/"
    return path.replace("#", "").replace(" ", "") if path.startswith("/") else "/" + path.replace("#", "").replace(" ", "")


def problem(alias: Alias, method: str, upstream: str, route: list | None) -> str | None:
    """What is wrong with forwarding this, when Django takes it for that."""
    if route is None:
        return None
    path, values = route
    row = by_name().get(("GET" if method in ("HEAD", "OPTIONS") else method, blank(path)))
    if row is None:
        return None  # Sentry has no such method there, and says 405
    if row.number not in granted(alias.word):
        return f"{row.method} {row.path} is not granted"
    if row.kind == "identity":
        return None
    if "org" in values and values["org"] not in ("acme", "1"):
        return f"organization {values['org']}"
    if "org" not in values and row.path != "/organizations/":
        return "no organization"
    if alias.projects and "project" in values and values["project"] not in ("web", "api", "10", "11"):
        return f"project {values['project']}"
    if alias.projects and "issue_id" in values and values["issue_id"].rpartition("-")[0].lower() not in ("web", "api"):
        return f"issue {values['issue_id']}"
    return None


@pytest.mark.parametrize("count", [20_000, pytest.param(1_000_000, marks=pytest.mark.campaign)])
def test_no_mutated_path_reaches_an_operation_that_is_not_granted(django: str, tmp_path: Path, count: int) -> None:
    chance = random.Random(int(os.environ.get("RIGHTS_SEED", "13")))
    literals = sorted({part for row in table() for part in row.path.split("/") if part and "{" not in part})
    places = [Place("acme", "web", "WEB-4F"), Place("acme", "web", "WEB-4F"), Place("1", "10", "12")]
    names = list(ALIASES)

    def case() -> tuple[str, str, str]:
        """An alias, and a path near one that it may use, or near any."""
        name = chance.choice(names)
        row = table()[chance.choice(sorted(granted(ALIASES[name].word)))] if chance.random() < 0.8 else chance.choice(table())
        method = row.method if chance.random() < 0.8 else chance.choice(METHODS)
        return name, method, mutated(target(row, chance.choice(places)), chance, literals)

    lines = [f"{name} sap_{number} {alias.words}" for number, (name, alias) in enumerate(ALIASES.items())]
    forwarded = checked = 0
    problems: list[str] = []
    while checked < count:
        size = min(100_000, count - checked)
        asked = [case() for _ in range(size)]
        answers = batch(tmp_path, lines, [" ".join(words) for words in asked])
        sent = [(words, answer[3]) for words, answer in zip(asked, answers) if answer[0] == "allowed"]
        result = subprocess.run([django, str(ROOT / "Tests/EndToEnd/harness/django_routes.py"), str(ROUTES)],
                                input=json.dumps([upstream for _, upstream in sent]), capture_output=True, text=True, timeout=3600, check=True)
        for (words, upstream), route in zip(sent, json.loads(result.stdout)):
            wrong = problem(ALIASES[words[0]], words[1], upstream, route)
            if wrong:
                problems.append(f"{' '.join(words)} -> {upstream}: {wrong}")
        forwarded += len(sent)
        checked += size
    print(f"{checked} mutated paths, {forwarded} forwarded, {len(problems)} wrong")
    assert forwarded > count // 50, "the mutations leave nothing to forward"
    assert not problems, "\n".join(problems[:20])
