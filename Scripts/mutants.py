#!/usr/bin/env python3
"""Changes the code in one small place at a time and asks the tests whether they notice.

    Scripts/mutants.py [--seed 1] [--count 60] [--part Exchange] [NUMBER …]

For each part (HTTP1, AccessPolicy, Exchange) `--count` places are drawn by the seed: a comparison or a boolean operator that
becomes another, a constant that is one more or less, a condition that is negated, a statement that is left out, a function that
returns at once. All of them go into one copy of the sources, each behind a switch that MUTANT in the environment turns, so one
build serves for all. A mutant that the unit tests of its part let live meets the simulator, then end-to-end tests.

Results are kept in .build/mutants, so that a run that was ended goes on. A mutant that lives must be explained in
`mutants-that-live.txt`, and what is explained there must still be in the code; otherwise the exit status is 1."""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from source_copy import ROOT, copy_sources, write

COPY = ROOT / ".build" / "mutants"
EXPLAINED = ROOT / "Scripts" / "mutants-that-live.txt"
SIMULATED_RUNS = "150"
ARROW = "  →  "


@dataclass(frozen=True)
class Part:
    name: str
    folder: str
    units: str
    # What else may notice, in this order.
    others: str
    end_to_end: tuple[str, ...]


PARTS = (
    Part("HTTP1", "Sources/HTTP1", "^HTTP1Tests", "^(AccessPolicy|ProxyServer|DeviceFlow)Tests",
         ("request_framing", "response_framing", "fixtures", "errors", "limits", "routes_and_headers")),
    Part("AccessPolicy", "Sources/AccessPolicy", "^AccessPolicyTests", "^(ProxyServer|DeviceFlow|Main)Tests",
         ("routes_and_headers", "errors", "rewriting", "aliases", "policy_command", "policy_learning", "rights", "rights_answers",
          "rights_bodies", "rights_limits", "rights_names", "rights_wire", "client_addresses", "misplaced_aliases")),
    Part("Exchange", "Sources/ProxyServer/Exchange", "^ProxyServerTests", "",
         ("request_framing", "response_framing", "rotation", "expect", "rewriting", "early_answers", "departures", "errors",
          "renewal_edges", "long_chunked_bodies", "transfer_edges", "gzip", "rights_bodies", "device_flow", "limits",
          "client_addresses")),
)
# Data, not decisions.
LEFT_OUT = {"PolicyData.swift"}

SWITCH = """internal import Glibc

private let activeMutant = getenv("MUTANT").map { atoi($0) } ?? -1

@inline(__always) func isMutant(_ number: Int32) -> Bool { activeMutant == number }
@inline(__always) func mutated<T>(_ number: Int32, _ one: T, _ other: T) -> T { isMutant(number) ? other : one }
"""

SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "+": "-", "-": "+"}
PRECEDENCE = {"&&": "LogicalConjunctionPrecedence", "||": "LogicalDisjunctionPrecedence", "+": "AdditionPrecedence",
              "-": "AdditionPrecedence"}
# What is left out or moved by one here cannot be seen from outside.
UNSEEN = re.compile(r"precondition|assert|reserveCapacity|fatalError|Unsafe|MemoryLayout|alignment|^\s*(#|@|//|import|package import)")

DECLARATION = re.compile(r"(let|var|return|throw|case|if|guard|for|while|func|init|else|default|switch|package|private|fileprivate|static|"
                         r"lazy|weak|unowned|nonisolated|final|mutating)\b")
KINDS = {"<": "boundary", "<=": "boundary", ">": "boundary", ">=": "boundary", "==": "equality", "!=": "equality", "&&": "logic",
         "||": "logic", "+": "arithmetic", "-": "arithmetic"}


@dataclass
class Mutant:
    part: Part
    path: Path
    kind: str
    start: int
    end: int
    # What stands there instead: by the switch, and as one would write it.
    switched: str
    plain: str
    first_line: int = 0
    last_line: int = 0
    number: int = -1
    lines: str = ""

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT / 'Sources')}:{self.first_line}"

    @property
    def key(self) -> str:
        return f"{self.path.relative_to(ROOT / 'Sources')}: {self.lines}"


# MARK: Places

def masked(text: str) -> str:
    """The text with comments and strings blanked, newlines kept."""
    out: list[str] = []
    at = 0

    def blank(end: int) -> None:
        nonlocal at
        out.append("".join("\n" if each == "\n" else " " for each in text[at:end]))
        at = end

    def string_end(start: int) -> int:
        quote = '"""' if text.startswith('"""', start) else '"'
        i = start + len(quote)
        while i < len(text):
            if text.startswith("\\(", i):
                depth = 1
                i += 2
                while depth:
                    if text[i] == '"':
                        i = string_end(i)
                        continue
                    depth += {"(": 1, ")": -1}.get(text[i], 0)
                    i += 1
            elif text[i] == "\\":
                i += 2
            elif text.startswith(quote, i):
                return i + len(quote)
            else:
                i += 1
        return i

    while at < len(text):
        if text.startswith("//", at):
            end = text.find("\n", at)
            blank(len(text) if end < 0 else end)
        elif text.startswith("/*", at):
            blank(text.find("*/", at) + 2)
        elif text[at] == '"':
            blank(string_end(at))
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


def clauses(mask: str, start: int) -> tuple[list[tuple[int, int]], int]:
    """The clauses of a condition that begins at `start`, and where its body's brace is; -1 when there is none."""
    found: list[tuple[int, int]] = []
    depth, begin, i = 0, start, start
    while i < len(mask):
        each = mask[i]
        if each in "([":
            depth += 1
        elif each in ")]":
            depth -= 1
        elif each == "{":
            if depth == 0:
                end = i
                if mask[begin:i].rstrip().endswith("else"):
                    end = begin + len(mask[begin:i].rstrip()) - 4
                return [*found, (begin, end)], i
            depth += 1
        elif each == "}":
            depth -= 1
        elif each == "," and depth == 0:
            found.append((begin, i))
            begin = i + 1
        if depth < 0:
            break
        i += 1
    return found, -1


def candidates(part: Part, path: Path) -> list[Mutant]:
    text = path.read_text()
    mask = masked(text)
    found: list[Mutant] = []
    starts = [0]
    for line in mask.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = mask.splitlines()

    def line_of(position: int) -> str:
        return lines[mask.count("\n", 0, position)]

    def add(kind: str, start: int, end: int, switched: str, plain: str) -> None:
        if not UNSEEN.search(line_of(start)):
            found.append(Mutant(part, path, kind, start, end, switched, plain))

    for match in re.finditer(r"(?<=[\w)\]!?]) (<=|>=|==|!=|&&|\|\||<|>|\+|-) (?=[\w(\[.!-])", mask):
        operator = match[1]
        if operator == ">" and "->" in line_of(match.start()) or mask.startswith("nil", match.end()):
            continue
        add(f"{operator} to {SWAPS[operator]}", match.start(1), match.end(1), f"{operator}OPERATOR", SWAPS[operator])
    for match in re.finditer(r"(?<![\w.$])(0x[0-9a-fA-F_]+|\d[\d_]*)(?![\w.]\w)(?!\w)", mask):
        before = mask[max(0, match.start() - 12):match.start()]
        if before.endswith(".") and not before.endswith(("...", "..<")) or re.search(r"(InlineArray|repeating)\W*$", before):
            continue
        value = int(match[1].replace("_", ""), 0)
        other = value + 1 if value == 0 or value % 2 else value - 1
        add("constant", match.start(1), match.end(1), f"mutated(NUMBER, {match[1]}, {other})", str(other))
    for match in re.finditer(r"(?<![\w.])(true|false)\b", mask):
        if re.match(r"\s*case ", line_of(match.start())):
            continue
        other = "false" if match[1] == "true" else "true"
        add("boolean", match.start(1), match.end(1), f"(isMutant(NUMBER) != {match[1]})", other)
    for match in re.finditer(r"\b(if|guard|while) ", mask):
        parts, brace = clauses(mask, match.end())
        if brace < 0:
            continue
        for begin, end in parts:
            while begin < end and mask[begin].isspace():
                begin += 1
            while end > begin and mask[end - 1].isspace():
                end -= 1
            clause = text[begin:end]
            if not clause or re.match(r"(let|var|case|#)\b", clause) or text[begin:end] != clause or "{" in mask[begin:end]:
                continue
            plain = clause[1:] if re.fullmatch(r"!\w[\w.]*", clause) else f"!({clause})" if re.search(r"\W", clause) else f"!{clause}"
            add("condition", begin, end, f"(({clause}) != isMutant(NUMBER))", plain)
    for index, line in enumerate(lines):
        statement = line.strip()
        is_call = re.fullmatch(r"(try\?? |_ = )?[A-Za-z_][\w.!?]*(\[[^\]]*\][\w.!?]*)?\(.*\)", statement)
        is_assignment = re.fullmatch(r"[A-Za-z_(][\w.\[\]!?(), ]* (&?[-+*]|\||&)?= .+", statement)
        if not (is_call or is_assignment) or DECLARATION.match(statement) or re.fullmatch(r"self\.(\w+) = \1", statement):
            continue
        if any(statement.count(a) != statement.count(b) for a, b in ("()", "[]", "{}")):
            continue
        before = next((each.rstrip() for each in reversed(lines[:index]) if each.strip()), "")
        after = next((each.strip() for each in lines[index + 1:] if each.strip()), "")
        if re.search(r"([(\[,=+\-&|?]|\bin|return|&&)$", before) and not before.endswith("{") and not re.search(r"\{.* in$", before):
            continue
        if re.match(r"[.)?&|+\-=]|\]|else\b", after) and not after.startswith("}"):
            continue
        start = starts[index] + len(line) - len(line.lstrip())
        end = starts[index] + len(line.rstrip())
        source = text[start:end]
        add("left out", start, end, f"if !isMutant(NUMBER) {{ {source} }}", f"/* {source} */")
    for match in re.finditer(r"\bfunc \w+(<[^>]*>)?\([^{}]*?\)[^{}\n]*\{\n", mask):
        if "->" in match[0]:
            continue
        brace = match.end() - 2
        add("returns at once", brace, brace + 1, "{ if isMutant(NUMBER) { return }", "{ return")
    for mutant in found:
        mutant.first_line = text.count("\n", 0, mutant.start) + 1
        mutant.last_line = text.count("\n", 0, mutant.end) + 1
        old = text[text.rfind("\n", 0, mutant.start) + 1:(text + "\n").find("\n", mutant.end)]
        offset = text.rfind("\n", 0, mutant.start) + 1
        new = old[:mutant.start - offset] + mutant.plain + old[mutant.end - offset:]
        mutant.lines = " ".join(old.split()) + ARROW + " ".join(new.split())
    return found


def draw(part: Part, seed: int) -> list[Mutant]:
    """All places of a part in the order in which they are taken, no two of them on one line."""
    chance = random.Random(f"{seed} {part.name}")
    by_kind: dict[str, list[Mutant]] = {}
    for path in sorted((ROOT / part.folder).rglob("*.swift")):
        if path.name in LEFT_OUT:
            continue
        for mutant in candidates(part, path):
            by_kind.setdefault(KINDS.get(mutant.kind.split()[0], mutant.kind), []).append(mutant)
    for each in by_kind.values():
        chance.shuffle(each)
    drawn: list[Mutant] = []
    taken: set[tuple[Path, int]] = set()
    keys: set[str] = set()
    # Each kind as often as any other, so that the many constants do not crowd the rest out.
    while any(by_kind.values()):
        for kind in sorted(by_kind):
            while by_kind[kind]:
                mutant = by_kind[kind].pop()
                lines = {(mutant.path, line) for line in range(mutant.first_line, mutant.last_line + 1)}
                if not lines & taken and mutant.key not in keys:
                    taken |= lines
                    keys.add(mutant.key)
                    drawn.append(mutant)
                    break
    return drawn


# MARK: The build

def encoded(number: int) -> str:
    return "".join("~^"[int(digit)] for digit in f"{number:b}") + "~"


def operator_source(name: str, operator: str, number: int) -> str:
    swapped = SWAPS[operator]
    head = f"infix operator {name}: {PRECEDENCE.get(operator, 'ComparisonPrecedence')}\n@inline(__always) "
    if operator in ("&&", "||"):
        return head + (f"func {name} (a: Bool, b: @autoclosure () throws -> Bool) rethrows -> Bool {{ "
                       f"isMutant({number}) ? try a {swapped} b() : try a {operator} b() }}\n")
    kind = "AdditiveArithmetic" if operator in ("+", "-") else "Equatable" if operator in ("==", "!=") else "Comparable"
    result = "T" if operator in ("+", "-") else "Bool"
    return head + f"func {name} <T: {kind}>(a: T, b: T) -> {result} {{ isMutant({number}) ? a {swapped} b : a {operator} b }}\n"


def lay_out(mutants: list[Mutant]) -> None:
    """Writes the copy with these mutants in it."""
    changed: dict[Path, str] = {}
    switches: dict[Path, str] = {}
    for mutant in sorted(mutants, key=lambda each: -each.start):
        text = changed.get(mutant.path) or mutant.path.read_text()
        switched = mutant.switched.replace("NUMBER", str(mutant.number))
        module = Path(*mutant.path.relative_to(ROOT).parts[:2]) / "Mutants.swift"
        switches.setdefault(module, SWITCH)
        if switched.endswith("OPERATOR"):
            operator = switched.removesuffix("OPERATOR")
            switched = operator + encoded(mutant.number)
            switches[module] += operator_source(switched, operator, mutant.number)
        changed[mutant.path] = text[:mutant.start] + switched + text[mutant.end:]
    copy_sources(COPY, ("Sources", "Tests"), changed, switches)
    # Tests hold documents and tables against the code.
    for entry in ROOT.iterdir():
        link = COPY / entry.name
        if not entry.name.startswith((".build", ".git")) and not link.exists():
            link.symlink_to(entry)


def swift_build(*arguments: str, **environment: str) -> str:
    """- Returns: what it said when it failed."""
    command = ["swift", "build", "-j", os.environ.get("JOBS", "2"), "--package-path", str(COPY), *arguments]
    clean = {key: value for key, value in os.environ.items() if key not in ("MUTANT", "WERROR")}
    run = subprocess.run(command, env={**clean, **environment}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return run.stdout if run.returncode else ""


def build(mutants: list[Mutant]) -> list[Mutant]:
    """Builds what the tests need. Mutants that the compiler refuses are dropped.
    - Returns: those that are left."""
    dropped: set[int] = set()
    while True:
        left = [each for each in mutants if each.number not in dropped]
        lay_out(left)
        said = swift_build("--build-tests")
        if not said:
            return left
        errors = set(re.findall(r"Sources/([\w/]+\.swift):(\d+):\d+: error:", said))
        culprits = {each.number for each in left for file, line in errors
                    if str(each.path.relative_to(ROOT / "Sources")) == file and each.first_line <= int(line) <= each.last_line}
        for file, line in errors:
            near = [each for each in left if str(each.path.relative_to(ROOT / "Sources")) == file]
            if near and not any(each.number in culprits for each in near):
                # What the compiler stumbles over later: a switch that is exhaustive no more, say.
                culprits.add(min(near, key=lambda each: abs(each.first_line - int(line))).number)
        if not culprits:
            sys.exit(f"the mutants do not build:\n{said[-4000:]}")
        print(f"{len(culprits)} do not compile", file=sys.stderr, flush=True)
        dropped |= culprits


# MARK: The tests

def limited(seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def run(command: list[str], seconds: int, **environment: str) -> str:
    """Ends what takes `seconds` of CPU time, or five times as long by the clock: other load is not the mutant's doing.
    - Returns: how it failed, or nothing."""
    clean = {key: value for key, value in os.environ.items() if key != "MUTANT"}
    process = subprocess.Popen(command, cwd=COPY, env={**clean, **environment}, text=True, errors="replace", stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=lambda: limited(seconds))
    try:
        said, _ = process.communicate(timeout=5 * seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return "not done in time"
    if process.returncode == 0:
        return ""
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return "not done in time"
    failed = (re.search(r"(?:Test|✘) \"?(\w+\([^)]*\)|[\w ]+)\"? (?:recorded|failed)", said)
              or re.search(r"^(?:FAILED|ERROR) \S*/(test_\w+\.py::\S+)", said, re.MULTILINE)
              or re.search(r"^broken: (.*?) at \d+ µs$", said, re.MULTILINE))
    return failed[1] if failed else f"status {process.returncode}"


UNIT_TESTS = COPY / ".build" / "debug" / "sentry-api-proxyPackageTests.xctest"
SIMULATION = COPY / ".build" / "simulation" / "release" / "Simulation"


def unit_tests(part: Part, number: int, filters: str, seconds: int) -> str:
    return run([str(UNIT_TESTS), "--testing-library", "swift-testing", "--filter", filters], seconds, MUTANT=str(number))


def simulated(number: int, seconds: int) -> str:
    return run([str(SIMULATION), "1", SIMULATED_RUNS, "50", str(ROOT / "Tests" / "Fixtures")], seconds, MUTANT=str(number))


def end_to_end(part: Part, number: int, seconds: int) -> str:
    program = COPY / f"proxy-{part.name}"
    write(program, f'#!/bin/sh\nMUTANT={number} exec {COPY}/.build/debug/sentry-api-proxy "$@"\n'.encode())
    program.chmod(0o755)
    files = [str(ROOT / "Tests" / "EndToEnd" / f"test_{name}.py") for name in part.end_to_end]
    jobs = os.environ.get("E2E_JOBS", "6")
    return run([os.environ.get("PYTHON", sys.executable), "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-n", jobs, "--dist", "loadfile",
                "-c", str(ROOT / "Tests" / "EndToEnd" / "pytest.ini"), "-m", "not campaign and not slow", *files], seconds,
               PROXY_BINARY=str(program))


def explanations() -> dict[str, str]:
    """What is known of mutants that live: `FILE: LINE  →  LINE`, and an indented reason below."""
    reasons: dict[str, str] = {}
    key = ""
    for line in EXPLAINED.read_text().splitlines() if EXPLAINED.exists() else []:
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith(" "):
            reasons[key] = f"{reasons.get(key, '')} {line.strip()}".strip()
        else:
            key = line.strip()
    return reasons


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60, help="mutants of each part")
    parser.add_argument("--part", choices=[part.name for part in PARTS], action="append")
    parser.add_argument("--without-end-to-end", action="store_true", help="unit tests and the simulator only")
    parser.add_argument("--built", action="store_true", help="the copy is as the last run has built it: parts can run side by side")
    parser.add_argument("--list", action="store_true", help="only show what would be changed")
    parser.add_argument("numbers", type=int, nargs="*", help="only these")
    options = parser.parse_args()
    parts = [part for part in PARTS if not options.part or part.name in options.part]

    mutants: list[Mutant] = []
    places: set[str] = set()
    for part in PARTS:
        # Some do not compile.
        all_of_part = draw(part, options.seed)
        places |= {mutant.key.split(ARROW)[0] for mutant in all_of_part}
        drawn = all_of_part[:options.count * 3 // 2]
        for index, mutant in enumerate(drawn):
            mutant.number = 1_000 * (PARTS.index(part) + 1) + index
        mutants += drawn
    reasons = explanations()
    gone = [key for key in reasons if key.split(ARROW)[0] not in places]
    for key in gone:
        print(f"explained, and not there any more: {key}", file=sys.stderr)
    if options.list:
        for mutant in mutants:
            print(mutant.number, mutant.kind, mutant.key)
        return
    if options.built:
        inside = "".join(path.read_text() for path in (COPY / "Sources").rglob("*.swift"))
        mutants = [each for each in mutants if re.search(rf"(isMutant|mutated)\({each.number}\b", inside)]
    else:
        mutants = build(mutants)
        said = swift_build("-c", "release", "-Xswiftc", "-enable-testing", "--product", "Simulation", "--scratch-path",
                           str(COPY / ".build" / "simulation"), SIMULATION="1")
        said = said or swift_build("--product", "sentry-api-proxy")
        if said:
            sys.exit(f"no build:\n{said[-4000:]}")
    chosen = [mutant for part in parts for mutant in [each for each in mutants if each.part is part][:options.count]]
    if options.numbers:
        chosen = [mutant for mutant in chosen if mutant.number in options.numbers]

    for part in parts:
        began = time.monotonic()
        for what in (unit_tests(part, -1, part.units, 300), part.others and unit_tests(part, -1, part.others, 300), simulated(-1, 300),
                     not options.without_end_to_end and end_to_end(part, -1, 900)):
            if what:
                sys.exit(f"{part.name}: red without a mutant: {what}")
        print(f"{part.name}: green without a mutant, in {time.monotonic() - began:.0f} s", flush=True)

    known: dict[str, list[str]] = {}
    for part in parts:
        results = COPY / f"results-{part.name}"
        known |= json.loads(results.read_text()) if results.exists() else {}
    for mutant in chosen:
        if known.get(mutant.key, ["lives"])[0] != "lives" or options.without_end_to_end and mutant.key in known:
            continue
        part = mutant.part
        stages = [("unit tests", lambda m=mutant: unit_tests(m.part, m.number, m.part.units, 60))]
        if part.others:
            stages.append(("unit tests", lambda m=mutant: unit_tests(m.part, m.number, m.part.others, 60)))
        stages.append(("simulator", lambda m=mutant: simulated(m.number, 120)))
        if not options.without_end_to_end:
            stages.append(("end-to-end tests", lambda m=mutant: end_to_end(m.part, m.number, 600)))
        outcome = ["lives", ""]
        for stage, test in stages:
            if how := test():
                outcome = [stage, how]
                break
        known[mutant.key] = outcome
        of_part = {each.key: known[each.key] for each in chosen if each.part is part and each.key in known}
        (COPY / f"results-{part.name}").write_text(json.dumps(of_part, indent=1, ensure_ascii=False))
        print(f"{outcome[0]:16} {mutant.number} {mutant.place} {mutant.kind}: {outcome[1] or mutant.lines}", flush=True)

    unexplained = 0
    print(f"\n{'part':14} {'mutants':>7} {'unit tests':>11} {'simulator':>10} {'end to end':>11} {'explained':>10} {'live':>5}")
    for part in parts:
        of_part = [mutant for mutant in chosen if mutant.part is part]
        by = {stage: sum(known[each.key][0] == stage for each in of_part) for stage in ("unit tests", "simulator", "end-to-end tests")}
        living = [each for each in of_part if known[each.key][0] == "lives"]
        bare = [each for each in living if each.key not in reasons]
        unexplained += len(bare)
        print(f"{part.name:14} {len(of_part):7} {by['unit tests']:11} {by['simulator']:10} {by['end-to-end tests']:11} "
              f"{len(living) - len(bare):10} {len(bare):5}")
        for mutant in bare:
            print(f"  {mutant.number} {mutant.key}")
    if unexplained or gone:
        sys.exit(f"{EXPLAINED.relative_to(ROOT)}: {unexplained} that live are not explained, {len(gone)} explained are not there any more")


if __name__ == "__main__":
    main()
