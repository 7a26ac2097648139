#!/usr/bin/env python3
"""Finds declarations in Sources whose name stands nowhere else: code that nothing uses, or nothing but tests.

    Scripts/dead-code.py

A name counts as used when it occurs in a second place of Sources, of Package.swift or of the micro-benchmarks, comments and
string literals apart (what a literal interpolates counts). Two unrelated declarations of one name hide each other, so not all
dead code is found; what is found is dead or in ALLOWED, with the reason. An entry there that is not needed is an error too."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Names that only others call, each with who it is.
ALLOWED: dict[str, str] = {
    "anonymous": "a class in Policy/endpoints.tsv, made by rawValue",
    "bulk": "a class in Policy/endpoints.tsv, made by rawValue",
    "credential": "a class in Policy/endpoints.tsv, made by rawValue",
    "responseTypesSupported": "JSON of the server's metadata, encoded (RFC 8414)",
    "tokenEndpointAuthMethodsSupported": "JSON of the server's metadata, encoded (RFC 8414)",
    "revocationEndpointAuthMethodsSupported": "JSON of the server's metadata, encoded (RFC 8414)",
    "stateDiagram": "ARCHITECTURE.md holds it, a test compares",
    "brokenPipe": "tests name the error that a send meets",
    "protocolName": "tests ask which version was negotiated",
    "invalidGrant": "an error of RFC 6749, made by rawValue",
    "invalidRequest": "an error of RFC 6749, made by rawValue",
    "unsupportedGrantType": "an error of RFC 6749, made by rawValue",
    "cacheDescribe": "a word of a connection string, made by rawValue",
    "describeExec": "a word of a connection string, made by rawValue",
    "exec": "a word of a connection string, made by rawValue",
    "simpleProtocol": "a word of a connection string, made by rawValue",
    "debugDescription": "CustomDebugStringConvertible",
    "unkeyedContainer": "Decoder wants it",
    "allKeys": "KeyedDecodingContainerProtocol wants it",
    "decodeNil": "KeyedDecodingContainerProtocol wants it",
    "nestedContainer": "KeyedDecodingContainerProtocol wants it",
    "nestedUnkeyedContainer": "KeyedDecodingContainerProtocol wants it",
}

DECLARATION = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*"
    r"(?:(?:package|public|private|fileprivate|internal|static|final|mutating|nonmutating|borrowing|consuming|indirect"
    r"|convenience|nonisolated(?:\(unsafe\))?|private\(set\)|fileprivate\(set\)|package\(set\)|internal\(set\)|lazy|weak"
    r"|override)\s+)*"
    r"(?P<kind>func|var|let|struct|class|enum|protocol|actor|typealias|case)\s+(?P<name>`?[A-Za-z_]\w*`?)")
CASES = re.compile(r"^\s*(?:indirect\s+)?case\s+(?P<names>[a-z]\w*(?:\([^)]*\))?(?:\s*=\s*[^,]+)?(?:,\s*[a-z]\w*(?:\([^)]*\))?(?:\s*=\s*[^,]+)?)*)\s*$")
WORD = re.compile(r"[A-Za-z_]\w*")
INTERPOLATION = re.compile(r"\\\(([^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*)\)")


def without_comments(text: str) -> str:
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return "\n".join(re.sub(r"(?<![:\"])//.*", "", line) for line in text.splitlines())


def code(text: str) -> str:
    """The text without comments, and without what string literals say."""
    def kept(match: re.Match[str]) -> str:
        return " " + " ".join(INTERPOLATION.findall(match.group(0))) + " "

    text = re.sub(r'"""(.*?)"""', kept, without_comments(text), flags=re.S)
    return re.sub(r'"(?:\\\((?:[^()]|\([^()]*\))*\)|\\.|[^"\\\n])*"', kept, text)


def main() -> int:
    sources = [path for path in sorted((ROOT / "Sources").rglob("*.swift"))]
    texts = {path: code(path.read_text()) for path in sources}
    uses: Counter[str] = Counter()
    others = [ROOT / "Package.swift", *(ROOT / "Benchmarks").rglob("*.swift")]
    for text in [*texts.values(), *(code(path.read_text()) for path in others if ".build" not in path.parts)]:
        uses.update(WORD.findall(text))
    dead: dict[str, str] = {}
    for path, text in texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            match = DECLARATION.match(line)
            if not match:
                continue
            names = [match["name"].strip("`")]
            if match["kind"] == "case":
                # A pattern of a switch has a dot, a colon or a `let`; a declaration has none.
                cases = CASES.match(line)
                if not cases:
                    continue
                names = re.findall(r"(?:^|,\s*)([a-z]\w*)", re.sub(r"\([^)]*\)|=\s*[^,]+", "", cases["names"]))
            for name in names:
                if uses[name] == 1:
                    dead.setdefault(name, f"{path.relative_to(ROOT)}:{number}")
    wrong = False
    for name, place in dead.items():
        if name not in ALLOWED:
            print(f"{place}: nothing uses '{name}'")
            wrong = True
    for name in ALLOWED.keys() - dead.keys():
        print(f"Scripts/dead-code.py: '{name}' is allowed, and is used or gone")
        wrong = True
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
