#!/usr/bin/env python3
"""Makes Policy/endpoints.tsv, the reviewed table of Sentry's operations, and the Swift files that carry Policy/ into the binary.

  make-endpoints.py embed                          writes Sources/AccessPolicy/PolicyData.swift from Policy/
  make-endpoints.py check                          status 1 when that file is not what Policy/ makes
  make-endpoints.py import WIDE.tsv VERSION        the table anew from a wide one (columns method, path, effect, reason, selects, …)
  make-endpoints.py update OPENAPI.json VERSION    scopes and parameters from a newer OpenAPI file (getsentry/sentry-api-schema,
                                                   openapi-derefed.json). Operations that the table lacks come in unjudged: a GET as
                                                   `secret`, anything else as `write`; status 1 until somebody has judged them.

Whoever judges a row changes its effect, its class and its note, and takes the word `unjudged` out of the note.
"""
import csv
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "Policy/endpoints.tsv"
SETS = ROOT / "Policy/sets.policy"
SWIFT = ROOT / "Sources/AccessPolicy/PolicyData.swift"
COLUMNS = ["method", "path", "effect", "class", "selects", "object", "verb", "scopes", "source", "seen", "note"]
CLASSES = {"credential", "mint", "raw", "personal", "instance", "server", "outside", "cost", "user", "anonymous", "identity", "bulk"}
EFFECTS = {"read", "write", "secret", "read-by-POST", "write-on-GET"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
SHORT = {"organization_id_or_slug": "org", "project_id_or_slug": "project", "team_id_or_slug": "team"}
# Parameters whose values are texts that people choose, and which therefore come with escapes.
FREE = {"version", "key", "environment", "monitor_id_or_slug", "monitor_slug", "file_name", "url_path", "image_identifier",
        "identifier", "metric_name", "metric", "tag_name", "conversation_id", "artifact_kind", "category", "user_hash"}
# The proxy answers these by itself; the other rows of class identity are bound to a person.
IDENTITY = {"/", "/auth/", "/auth/validate/", "/users/me/", "/users/me/regions/"}
# Whether a body may go without the member that names projects, once the view was read: without it a deploy is one of all projects
# of the release, and a monitor is found whosesoever it is (with it, Sentry refuses to move a monitor). Bodies marked `body~` are not looked at.
BODIES = {
    ("POST", "/organizations/{org}/releases/{version:free}/deploys/"): "body:projects",
    ("PUT", "/organizations/{org}/monitors/{monitor_id_or_slug:free}/"): "body:project",
    ("POST", "/organizations/{org}/data-export/"): "body~", ("POST", "/organizations/{org}/dashboards/"): "body~",
    ("POST", "/organizations/{org}/discover/saved/"): "body~", ("POST", "/organizations/{org}/code-mappings/"): "body~",
}
# Published with the parameter `project`, but the view does not hold to it (docs/adr/0014-queries-that-select-projects.md). `check`
# holds the table to it.
QUERIES = {
    ("GET", "/organizations/{org}/replays/{replay_id}/"): "organization",
    ("GET", "/organizations/{org}/workflows/"): "organization",
    ("PUT", "/organizations/{org}/workflows/"): "organization",
    ("DELETE", "/organizations/{org}/workflows/"): "organization",
    ("GET", "/organizations/{org}/release-threshold-statuses/"): "organization",
    ("GET", "/organizations/{org}/stats_v2/"): "query-id", ("GET", "/organizations/{org}/stats-summary/"): "query-id",
    ("GET", "/organizations/{org}/releases/{version:free}/"): "query-id",
    ("GET", "/organizations/{org}/notifications/actions/"): "query-id",
}
# What a second reading of the views changed, with its reason (docs/adr/0013-second-reading.md). `check` holds the table to it.
SECOND = {
    ("GET", "/sentry-apps/{sentry_app_id_or_slug}/avatar/"): ("secret", "credential", "serializes the whole integration, with its client secret"),
    ("GET", "/projects/{org}/{project}/docs/{platform}/"): ("secret", "credential", "instructions with the secret half of the client key filled in"),
    ("GET", "/sentry-apps/{sentry_app_slug}/requests/"): ("secret", "credential", "headers, bodies and address of webhook requests"),
    ("GET", "/projects/{org}/{project}/preprodartifacts/snapshots/upload-options/"): ("secret", "credential", "a token for the object store, good for an hour"),
    ("GET", "/organizations/{org}/onboarding/agent/runs/{run_id:h}/"): ("secret", "credential", "a token of the event stream in a header of the answer"),
    ("GET", "/organizations/{org}/uptime/"): ("secret", "credential", "headers and body that uptime monitors send, which may log in somewhere"),
    ("GET", "/projects/{org}/{project}/uptime/{uptime_detector_id}/"): ("secret", "credential", "headers and body that uptime monitors send, which may log in somewhere"),
    ("GET", "/organizations/{org}/detectors/"): ("secret", "credential", "headers and body that uptime monitors send, which may log in somewhere"),
    ("GET", "/organizations/{org}/detectors/{detector_id:d}/"): ("secret", "credential", "headers and body that uptime monitors send, which may log in somewhere"),
    ("GET", "/organizations/{org}/preprodartifacts/snapshots/{snapshot_id}/archive/"): ("secret", "raw", "downloads all pictures of a build"),
    ("GET", "/projects/{org}/{project}/releases/{version:free}/stats/"): ("write-on-GET", "-", "adds a release that is missing"),
    ("GET", "/projects/{org}/{project}/web-vitals-detector/"): ("write-on-GET", "-", "starts a detection, which makes issues"),
    ("GET", "/projects/{org}/{project}/statistical-detector/"): ("write-on-GET", "-", "runs a detection, which makes issues"),
    ("GET", "/organizations/{org}/investigations/{investigation_id}/title-generation/"): ("write-on-GET", "-", "stores the state of the run that it asks for"),
    ("GET", "/organizations/{org}/investigations/{investigation_id}/blocks/{block_id}/executions/{execution_id}/"): ("write-on-GET", "-", "stores the state of the run that it asks for"),
    ("GET", "/organizations/{org}/seer/runs/"): ("read", "cost", "?expand=questions and ?question= ask a language model for each run"),
    ("GET", "/projects/{org}/{project}/events/{event_id}/ai-fix-suggest/"): ("read", "cost", "asks a language model"),
    ("GET", "/issues/{issue_id}/similar-issues-embeddings/"): ("read", "cost", "computes an embedding with a model"),
    ("GET", "/groups/{issue_id}/similar-issues-embeddings/"): ("read", "cost", "computes an embedding with a model"),
    ("GET", "/organizations/{org}/issues/{issue_id}/similar-issues-embeddings/"): ("read", "cost", "computes an embedding with a model"),
    ("GET", "/organizations/{org}/groups/{issue_id}/similar-issues-embeddings/"): ("read", "cost", "computes an embedding with a model"),
    ("GET", "/issues/{issue_id}/participants/"): ("read", "personal", "names and e-mail addresses"),
    ("GET", "/organizations/{org}/issues/{issue_id}/participants/"): ("read", "personal", "names and e-mail addresses"),
    ("GET", "/organizations/{org}/sentry-app-components/"): ("read", "outside", "prepares components of integrations, which asks their own servers"),
    ("GET", "/organizations/{org}/alert-rules/available-actions/"): ("read", "outside", "prepares components of integrations, which asks their own servers"),
    ("GET", "/organizations/{org}/alert-rules/{alert_rule_id}/"): ("read", "outside", "prepares components of integrations, which asks their own servers"),
    ("GET", "/projects/{org}/{project}/rules/configuration/"): ("read", "outside", "prepares components of integrations, which asks their own servers"),
    ("GET", "/projects/{org}/{project}/rules/{rule_id:d}/"): ("read", "outside", "prepares components of integrations, which asks their own servers"),
    ("GET", "/organizations/{org}/code-mappings/{config_id}/codeowners/"): ("read", "outside", "asks the source code provider with the stored credentials"),
    ("GET", "/organizations/{org}/pull-requests/{pull_request_id}/files/"): ("read", "outside", "asks the source code provider with the stored credentials"),
    ("GET", "/organizations/{org}/repos/{repo_id}/platforms/"): ("read", "outside", "asks the source code provider with the stored credentials"),
    ("GET", "/organizations/{org}/seer/autofix-overview/"): ("read", "outside", "asks the source code provider with the stored credentials"),
    ("GET", "/organizations/{org}/seer/autofix-scm-info/"): ("read", "outside", "asks the source code provider with the stored credentials"),
    ("GET", "/projects/{org}/{project}/stacktrace-links/"): ("read", "outside", "asks the source code provider with the stored credentials"),
    ("GET", "/auth/2fa/challenge/"): ("read", "user", "state of a sign-in; Sentry has the POST only"),
}


def short_path(path: str) -> str:
    """Parameters by their short names, with the mark of those that may hold escapes."""
    def parameter(match: re.Match) -> str:
        name, kind = match.group(1), match.group(2) or ""
        if not kind and name in FREE:
            kind = ":free"
        return "{" + SHORT.get(name, name) + kind + "}"
    return re.sub(r"\{(\w+)(:[^}]*)?\}", parameter, path.removeprefix("/api/0"))


def blank(path: str) -> str:
    """The path without the names of its parameters and the slash at its end."""
    return re.sub(r"\{[^}]*\}", "*", path).rstrip("/")


def narrow(row: dict) -> dict:
    """A row of the wide table as one of ours."""
    path = short_path(row["path"])
    word, colon, rest = row["reason"].partition(":")
    kind = word if colon and word in CLASSES else "-"
    note = rest.strip() if kind != "-" else row["reason"]
    if kind == "identity" and path not in IDENTITY:
        kind, note = "user", "bound to a person"
    scopes = " ".join(s for s in row["scopes_any_of"].split() if re.fullmatch(r"[a-z_]+:[a-z]+", s)) if "(" not in row["scopes_any_of"] else ""
    selects = (BODIES | QUERIES).get((row["method"], path), row["selects"])
    effect, kind, note = SECOND.get((row["method"], path), (row["effect"], kind, note))
    return dict(zip(COLUMNS, [row["method"], path, effect, kind, selects, row["object"], row["verb"], scopes or "-",
                              row["scopes_from"].replace(" ", "-"), row["seen"], note or "-"]))


def read_table() -> tuple[list[str], list[dict]]:
    lines = TABLE.read_text(encoding="utf-8").split("\n")
    head = [line for line in lines if line.startswith("#")]
    return head, list(csv.DictReader([line for line in lines if line and not line.startswith("#")], delimiter="\t"))


HEAD = [
    "# The operations of Sentry's web API, under /api/0: what each does, and how its projects are chosen. docs/rights.md says how rights use it.",
    "# path      {org} {project} {team} by slug or number; {x:d} digits, {x:e} event id, {x:h} hexadecimal, {x:free} any text, {x:*} the rest",
    "# effect    read, write, secret (hands out credentials or raw data), read-by-POST, write-on-GET",
    "# class     instance server user mint: in no set without a `danger` line; personal raw cost credential: add-on sets; identity: answered by",
    "#           the proxy; bulk: changes all that a query meets; outside: Sentry asks a third party; anonymous: needs no credential",
    "# selects   how projects are chosen: path, object (an issue), query (parameters project or projectSlug), query-id (project alone),",
    "#           query-code and query~ (perhaps, unread), body:NAME (a member of the body, ? when it may be absent: the query decides then),",
    "#           body~ (unread), organization (not), - (nothing)",
    "# scopes    any of them is enough for Sentry; source says where they are from, `rule` is by the family of the path",
    "# seen      which Sentry has it: 23.7.1, 2026 or both",
]


def write_table(version: str, rows: list[dict]) -> None:
    text = "\n".join([f"# version {version}", *HEAD, "\t".join(COLUMNS)]) + "\n"
    text += "".join("\t".join(row[c] for c in COLUMNS) + "\n" for row in rows)
    TABLE.write_text(text, encoding="utf-8")


def problems(rows: list[dict]) -> list[str]:
    found, known = [], set()
    for row in rows:
        name = f"{row['method']} {row['path']}"
        key = (row["method"], blank(row["path"]))
        if key in known: found.append(f"{name}: twice")
        known.add(key)
        if row["method"] not in METHODS: found.append(f"{name}: method")
        if row["effect"] not in EFFECTS: found.append(f"{name}: effect {row['effect']}")
        if row["class"] != "-" and row["class"] not in CLASSES: found.append(f"{name}: class {row['class']}")
        if "unjudged" in row["note"]: found.append(f"{name}: not judged yet")
        if any(not value or "\t" in value or '"""' in value for value in row.values()): found.append(f"{name}: empty or malformed cell")
        if not row["path"].isascii(): found.append(f"{name}: not ASCII")
        if row["selects"] != QUERIES.get((row["method"], row["path"]), row["selects"]): found.append(f"{name}: does not select its projects by the query")
        second = SECOND.get((row["method"], row["path"]))
        if second not in (None, (row["effect"], row["class"], row["note"])): found.append(f"{name}: not as the second reading has it: {second}")
    found += [f"{method} {path}: of a later reading, but not in the table" for method, path in (SECOND | QUERIES).keys() - {(r["method"], r["path"]) for r in rows}]
    return found


def swift() -> str:
    out = ["// Made by Scripts/make-endpoints.py from the files in Policy/; a test holds it to them.", ""]
    for name, what, path in [("endpointText", "The table of operations: Policy/endpoints.tsv.", TABLE),
                             ("builtInSetText", "The sets that are always there: Policy/sets.policy.", SETS)]:
        out += [f"/// {what}", "// swift-format-ignore", f'let {name}: StaticString = #"""']
        out += [*path.read_text(encoding="utf-8").split("\n"), '"""#', ""]
    return "\n".join(out)


def update(openapi_path: str, version: str) -> None:
    _, rows = read_table()
    by_key = {(row["method"], blank(row["path"])): row for row in rows}
    for path, operations in json.loads(Path(openapi_path).read_text())["paths"].items():
        if not path.startswith("/api/0/"):
            continue
        for method, operation in operations.items():
            if method.upper() not in METHODS:
                continue
            scopes = " ".join(sorted({s for need in operation.get("security", []) for names in need.values() for s in names}))
            parameters = {p.get("name") for p in operation.get("parameters", []) if p.get("in") == "query"}
            row = by_key.get((method.upper(), blank(short_path(path))))
            if row is None:
                known = short_path(path)
                selects = ("path" if "{project}" in known else "query" if {"project", "projectSlug"} & parameters
                           else "organization" if "{org}" in known else "-")
                row = dict(zip(COLUMNS, [method.upper(), known, "secret" if method == "get" else "write", "-", selects, "new",
                                         "list" if method == "get" else "create", "-", "openapi", version.split()[0], "unjudged"]))
                rows.append(row)
            if scopes:
                row["scopes"], row["source"] = scopes, "openapi"
            if row["selects"] in ("query~", "query-code", "organization") and {"project", "projectSlug"} & parameters:
                row["selects"] = "query"
    write_table(version, rows)


def main() -> None:
    command, *arguments = sys.argv[1:] or ["help"]
    if command == "import" and len(arguments) == 2:
        with open(arguments[0], encoding="utf-8") as file:
            write_table(arguments[1], [narrow(row) for row in csv.DictReader(file, delimiter="\t")])
    elif command == "update" and len(arguments) == 2:
        update(*arguments)
    elif command not in ("embed", "check") or arguments:
        sys.exit(__doc__)
    found = problems(read_table()[1])
    if command == "check":
        if SWIFT.read_text(encoding="utf-8") != swift():
            found.append(f"{SWIFT.relative_to(ROOT)} is not what Policy/ makes: run {sys.argv[0]} embed")
    else:
        SWIFT.write_text(swift(), encoding="utf-8")
    for problem in found:
        print(f"make-endpoints.py: {problem}", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
