"""Reads Tests/Fixtures/*.http, in the format of its README."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "Fixtures"
SIMPLE = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
ESCAPE = re.compile(r"\\(?:([rnt0\\])|x([0-9A-Fa-f]{2})|\{([^}]*)\*(\d+)\}|(.?))", re.DOTALL)


@dataclass
class Fixture:
    path: Path
    keys: dict[str, list[str]]
    message: bytes

    def __str__(self) -> str:
        return self.path.stem

    def value(self, key: str, default: str | None = None) -> str | None:
        return self.keys.get(key, [default])[0]

    @property
    def expect(self) -> str:
        return self.keys["expect"][0]

    @property
    def body(self) -> bytes | None:
        text = self.value("body")
        return None if text is None else unescape(text)


def unescape(text: str) -> bytes:
    out = bytearray()
    end = 0
    for match in ESCAPE.finditer(text):
        out += text[end : match.start()].encode()
        end = match.end()
        simple, code, repeated, times, wrong = match.groups()
        if simple is not None:
            out += SIMPLE[simple]
        elif code is not None:
            out.append(int(code, 16))
        elif times is not None:
            out += unescape(repeated) * int(times)
        else:
            raise ValueError(f"unknown escape \\{wrong}")
    return bytes(out + text[end:].encode())


def load(kind: str) -> list[Fixture]:
    fixtures = []
    for path in sorted((FOLDER / kind).glob("*.http")):
        meta, _, message = path.read_bytes().decode().partition("\n---\n")
        keys: dict[str, list[str]] = {}
        for line in meta.split("\n"):
            key, _, value = line.removeprefix("#").partition(":")
            keys.setdefault(key.strip(), []).append(value.strip(" "))
        fixtures.append(Fixture(path, keys, unescape(message.replace("\n", ""))))
    return fixtures
