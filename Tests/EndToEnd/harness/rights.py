"""What an alias may do, decided anew from the files in Policy/: a second reading to hold the program against.

It shares no code with the program and no way of finding an operation: it is given the row, not the path.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

POLICY = Path(__file__).resolve().parents[3] / "Policy"
NEVER = {"instance", "server", "user", "mint"}
ROOTS = {"O": "/organizations/*/", "P": "/projects/*/*/", "T": "/teams/*/*/", "I": "/organizations/*/issues/*/"}
IMPLIED = {"admin": ["write", "read"], "write": ["read"]}


@dataclass(frozen=True)
class Row:
    number: int
    method: str
    path: str
    effect: str
    kind: str
    selects: str
    scopes: frozenset[str]
    source: str


def blank(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "*", path).rstrip("/")


@cache
def table() -> list[Row]:
    lines = [line for line in (POLICY / "endpoints.tsv").read_text().split("\n") if line and not line.startswith("#")]
    return [Row(i, r["method"], r["path"], r["effect"], r["class"], r["selects"],
                frozenset(r["scopes"].split()) - {"-", "?"}, r["source"])
            for i, r in enumerate(csv.DictReader(lines, delimiter="\t"))]


@cache
def by_name() -> dict[tuple[str, str], Row]:
    return {(row.method, blank(row.path)): row for row in table()}


@dataclass
class Sets:
    held: dict[str, set[int]] = field(default_factory=dict)
    needs: dict[tuple[str, int], str] = field(default_factory=dict)


def paths(words: list[str]) -> list[str]:
    text, found = list(words), []
    while text:
        word = text.pop(0)
        if word in ROOTS:
            found.append(ROOTS[word] + (text.pop(0) if text and text[0] not in ROOTS and not text[0].startswith("/") else ""))
        else:
            found.append(word.removeprefix("/api/0"))
    return found


@cache
def sets() -> Sets:
    found, name = Sets(), ""
    for line in (POLICY / "sets.policy").read_text().split("\n"):
        words = line.split("#")[0].split()
        if not words:
            continue
        head, rest = words[0], words[1:]
        if head == "set":
            name = rest[0]
            found.held[name] = set()
        elif head == "use":
            for word in rest:
                found.held[name] |= found.held[word]
        elif head == "effect":
            found.held[name] |= {r.number for r in table() if r.effect == rest[0]
                                 and r.kind not in NEVER | {"personal", "cost", "identity"}}
        elif head == "class":
            wanted = {rest[2]} if len(rest) > 1 else {"read", "secret"}
            found.held[name] |= {r.number for r in table() if r.kind == rest[0] and r.effect in wanted}
        elif head == "allow":
            found.held[name] |= {by_name()[m, blank(p)].number for m in rest[0].split(",") for p in paths(rest[1:])}
        elif head == "needs":
            for path in paths(rest[3:]):
                found.needs[name, by_name()[rest[2], blank(path)].number] = rest[0]
    return found


def closed(scope: str) -> set[str]:
    family, level = scope.split(":")
    found = {scope} | {f"{family}:{lower}" for lower in IMPLIED.get(level, [])}
    if scope == "org:admin":
        found.add("org:integrations")
    if scope in ("member:admin", "member:write"):
        found.add("member:invite")
    if scope == "member:invite":
        found.add("member:read")
    return found & all_scopes()


@cache
def all_scopes() -> frozenset[str]:
    return frozenset({s for row in table() for s in row.scopes} | {"alert_rule:read", "alerts:read", "event:read", "member:read", "team:read"})


@cache
def granted(word: str) -> frozenset[int]:
    if word == "full":
        return frozenset(r.number for r in table() if r.kind not in NEVER)
    if ":" not in word:
        return frozenset(sets().held[word])
    held = closed(word)
    found = set()
    for row in table():
        met = held & row.scopes
        if not met or row.source == "rule" or row.kind in NEVER | {"identity"}:
            continue
        if row.effect in ("read", "read-by-POST") and row.kind not in ("personal", "cost"):
            found.add(row.number)
        if row.effect == "write" and any(not s.endswith(":read") for s in met):
            found.add(row.number)
    return frozenset(found)


@dataclass(frozen=True)
class Alias:
    word: str
    """Slug and number; none is any."""
    organizations: tuple[tuple[str, int], ...] = ()
    projects: tuple[tuple[str, int], ...] = ()

    @property
    def words(self) -> str:
        text = self.word
        if self.organizations:
            text += " org=" + ",".join(f"{slug}:{number}" for slug, number in self.organizations)
        if self.projects:
            text += " project=" + ",".join(f"{slug}:{number}" for slug, number in self.projects)
        return text


@dataclass(frozen=True)
class Place:
    """What stands in the places of organization, project and issue."""
    organization: str
    project: str
    issue: str
    query: str = ""


def target(row: Row, place: Place) -> str:
    values = {"org": place.organization, "project": place.project, "issue_id": place.issue, "team": "crew"}
    kinds = {"d": "12", "e": "0123456789abcdef0123456789abcdef", "h": "ab12", "*": "a/b", "free": "v1%2B2"}
    def value(match: re.Match) -> str:
        name, _, kind = match.group(1).partition(":")
        return values.get(match.group(1)) or (kinds.get(kind, "12") if kind else values.get(name, "12"))
    return "/api/0" + re.sub(r"\{([^}]*)\}", value, row.path) + place.query


def decide(row: Row, alias: Alias, place: Place) -> tuple[str, str, str, str]:
    """Verdict, reason, the row that decides, and the target as it goes upstream."""
    asked = target(row, place)
    judged: Row | None = row
    parts = row.path.strip("/").split("/")
    is_issue = len(parts) > 1 and parts[0] in ("issues", "groups") and parts[1] == "{issue_id}"
    if is_issue:
        judged = by_name().get((row.method, blank("/organizations/{org}/issues/" + "/".join(parts[1:]))))
    if judged is None:
        return "refused", "unknown", "-", "-"
    name = f"{judged.method} /api/0{judged.path}"
    def refused(reason: str) -> tuple[str, str, str, str]:
        return "refused", reason, name, "-"
    if judged.kind == "identity":
        return "identity", "-", name, "-"
    if judged.number not in granted(alias.word):
        return refused("operation")
    shape = (judged.method, blank(judged.path))
    path, _, query = asked.partition("?")
    upstream = asked
    slugs = [slug for slug, _ in alias.organizations]
    if shape == ("GET", "/projects"):
        if len(slugs) != 1:
            return refused("organization")
        upstream = f"/api/0/organizations/{slugs[0]}/projects/" + (f"?{query}" if query else "")
    elif slugs:
        if shape == ("GET", "/organizations"):
            kept = [pair for pair in query.split("&") if pair and not pair.startswith("query=")]
            upstream = path + "?query=" + "&".join(["%20".join(f"slug:{slug}" for slug in slugs), *kept])
        elif "{org}" in row.path:
            if place.organization not in slugs + [str(number) for _, number in alias.organizations]:
                return refused("organization")
        elif is_issue and len(slugs) == 1:
            upstream = f"/api/0/organizations/{slugs[0]}/issues/" + asked.split("/", 4)[4]
        else:
            return refused("organization")
    if alias.projects and shape not in {("GET", "/organizations"), ("GET", "/projects"), ("GET", "/organizations/*/projects"),
                                        ("GET", "/organizations/*/repos"), ("GET", "/organizations/*/chunk-upload"),
                                        ("POST", "/organizations/*/chunk-upload")}:
        known = [slug for slug, _ in alias.projects]
        numbers = [str(number) for _, number in alias.projects]
        if shape[0] == "GET" and shape[1] in ("/organizations/*/issues", "/projects/*/*/issues") and "shortIdLookup=1" in query:
            return refused("project")
        if shape == ("GET", "/organizations/*"):
            upstream = path + "?detailed=0" + (f"&{query}" if query else "")
        elif judged.selects == "path":
            if place.project not in known + numbers:
                return refused("project")
        elif judged.selects == "object":
            if not re.fullmatch(r"(?:%s)-[A-Za-z0-9]+" % "|".join(map(re.escape, known)), place.issue, re.IGNORECASE):
                return refused("project")
        elif judged.selects in ("query", "query-id", "body:projects?"):
            given = [pair.split("=", 1) for pair in query.split("&") if pair.startswith(("project=", "projectSlug="))]
            if len({key for key, _ in given}) > 1:
                return refused("project")
            if any(key == "projectSlug" for key, _ in given) and judged.selects != "query":
                return refused("project")
            if any(value not in (numbers if key == "project" else known) for key, value in given):
                return refused("project")
            if not given:
                upstream = path + "?" + (f"{query}&" if query else "") + "&".join(f"project={number}" for number in numbers)
        elif not judged.selects.startswith("body:"):
            return refused("project")
    if sets().needs.get((alias.word, judged.number)) and "id=" not in query:
        return refused("needs")
    return "allowed", "-", name, upstream
