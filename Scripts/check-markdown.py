#!/usr/bin/env python3
"""Holds every Markdown file to one width, the README to its length, links within the repository to what they name, and each
decision of docs/adr to a number of its own and a line in ARCHITECTURE.md.

Tables, code blocks and single words that are longer (links) are exempt from the width.

    check-markdown.py [FILE…]       checks these, or all of the repository; one line per fault, and status 1
    check-markdown.py --wrap FILE…  wraps the paragraphs of these files that are too wide
"""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

WIDTH = 130
README_LINES = 130
ROOT = Path(__file__).resolve().parent.parent

FENCE = re.compile(r"\s*(```|~~~)")
# What begins a line that stands alone: a heading, a table, a comment, an image, a reference, a rule, front matter.
ALONE = re.compile(r"(#|\||<|!\[|\[[^]]*\]: |---)|$")
ITEM = re.compile(r"(\s*)([-*]|\d{1,2}\.)\s+")
# A word that would begin an item or a heading if a line began with it.
SIGN = re.compile(r" (?=([-*+>]|#+|\d{1,2}\.) )")


def prose(lines):
    """The paragraphs and list items as (first, end, indent of the first line, indent of the rest)."""
    found, fenced, at = [], False, 0
    while at < len(lines):
        line = lines[at]
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced and not ALONE.match(line.strip()):
            first, item = at, ITEM.match(line)
            begin = item.group(0) if item else line[: len(line) - len(line.lstrip())]
            while at + 1 < len(lines) and not (
                ALONE.match(lines[at + 1].strip()) or ITEM.match(lines[at + 1]) or FENCE.match(lines[at + 1])
            ):
                at += 1
            found.append((first, at + 1, begin, " " * len(begin)))
        at += 1
    return found


def wrapped(text):
    lines = text.split("\n")
    for first, end, begin, rest in reversed(prose(lines)):
        if all(len(line) <= WIDTH for line in lines[first:end]):
            continue
        words = " ".join(line.strip() for line in lines[first:end])[len(begin.strip()):].strip()
        lines[first:end] = textwrap.wrap(
            SIGN.sub("\0", words), WIDTH, initial_indent=begin, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(lines).replace("\0", " ")


def anchors(text):
    """The names that GitHub gives to the headings."""
    names = set()
    for heading in re.findall(r"^#+ (.*)$", re.sub(r"(?ms)^\s*```.*?^\s*```", "", text), re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        names.add(re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-"))
    return names


def faults(path):
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    for first, end, _, _ in prose(lines):
        for number in range(first, end):
            if len(lines[number]) > WIDTH and " " in lines[number].strip():
                yield number + 1, f"{len(lines[number])} columns of at most {WIDTH}; --wrap mends it"
    if path == ROOT / "README.md" and len(lines) - 1 > README_LINES:
        yield len(lines) - 1, f"README.md may have {README_LINES} lines; docs/reference has room"
    if path == ROOT / "ARCHITECTURE.md":
        pages = sorted(page.name for page in (ROOT / "docs/adr").glob("[0-9]*.md"))
        for page in pages:
            if f"(docs/adr/{page})" not in text:
                yield len(lines), f"docs/adr/{page} is not among the decisions"
            if sum(other[:4] == page[:4] for other in pages) > 1:
                yield len(lines), f"docs/adr/{page} shares its number"
    for number, line in enumerate(re.sub(r"(?ms)^\s*```.*?^\s*```", lambda code: "\n" * code.group().count("\n"), text).split("\n"), 1):
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (path.parent / name).resolve() if name else path
            if not file.exists():
                yield number, f"{name} is not there"
            elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
                yield number, f"{name or path.name} has no heading for #{anchor}"


def documents():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    os.chdir(ROOT)
    return [name for name in listed.stdout.splitlines() if Path(name).exists()]


def main(arguments):
    if arguments[:1] == ["--wrap"]:
        for name in arguments[1:]:
            path = Path(name)
            path.write_text(wrapped(path.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    found = [f"{path}:{number}: {fault}" for path in map(Path, arguments or documents()) for number, fault in faults(path.resolve())]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
