"""Every secret that the tests hand out, and everything that the program writes: none of the first may be in the second.

Nothing has to be declared by a test. Secrets are taken where they pass: from the command line, variables and files of each start
of the program, from what clients send as bearer, from answers that carry a token or a code, and from what the stand-ins are told.
What the program writes is taken where it is read: standard error and output, pages of the admin listener, the page of the device
flow, the state folder, the tables of grants. `settle` compares, at the end of each test; a hit names place and kind, never the
secret.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

# What stands in every secret that the harness makes up; one word for all processes of a run. A part of a secret has it too.
MARK = os.environ.setdefault("SECRET_MARK", "5ec4e7" + secrets.token_hex(4))
SHORTEST = 12
FLOW_PATH = b"/oauth/device"

# Where a secret is by design, and why. Everything else that the program writes is searched.
BY_DESIGN = {
    "state folder: logins.json": "the stored login itself, mode 0600 in a folder of mode 0700",
    "table sentry_api_proxy_login": "the stored login, shared by replicas",
    "standard output of alias new": "the new alias, for the alias file",
    "standard error of alias new": "with --hash: the new alias, once, for its owner",
    "standard output of auth token": "the token, for scripts",
    "standard output of device passcode": "the approval code, for whoever will approve",
}
# These the program only reads, so they are not searched: whoever writes them put the secret there.
SECRET_FILES = {
    "--token-file": "SENTRY_TOKEN_FILE", "--alias-file": "ALIAS_FILE", "--config": "CONFIG_FILE", "--tls-key": "TLS_KEY",
    "--client-key": "CLIENT_KEY", "--upstream-proxy-credentials-file": "UPSTREAM_PROXY_CREDENTIALS_FILE",
}
ISSUED = re.compile(rb'"(access_token|refresh_token|device_code|user_code)"\s*:\s*"([^"\\]+)"')
BEARER = re.compile(rb"\r\nauthorization:[ \t]*bearer[ \t]+([^ \t\r\n]+)", re.IGNORECASE)
PASSWORD = re.compile(r"\bpassword\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))")
USER_PART = re.compile(r"^\w+://[^/?#]*?:(.*)@")
MADE_ALIAS = re.compile(rb"sapr?_[A-Za-z0-9_-]{43}")


@dataclass
class Start:
    """One start of the program: what it was given, and where it may write."""

    words: list[str]
    environment: Mapping[str, str]

    @property
    def command(self) -> str:
        """`serve`, `auth login`, …"""
        plain = [word for word in self.words[:2] if re.fullmatch(r"[a-z][a-z-]*", word)] if self.words[:1] != ["--"] else []
        return " ".join(plain) if plain and not self.words[0].startswith("-") else "serve"

    def given(self, flag: str, variable: str | None = None) -> list[str]:
        found = [self.words[index + 1] for index, word in enumerate(self.words[:-1]) if word == flag]
        found += [word.partition("=")[2] for word in self.words if word.startswith(flag + "=")]
        if variable and self.environment.get(variable):
            found.append(self.environment[variable])
        return found

    @property
    def state_folder(self) -> Path | None:
        given = self.given("--state-dir", "STATE_DIR")
        if given:
            return None if given[0] == "postgres" else Path(given[0])
        if self.environment.get("XDG_STATE_HOME"):
            return Path(self.environment["XDG_STATE_HOME"]) / "sentry-api-proxy"
        home = self.environment.get("HOME")
        return Path(home) / ".local/state/sentry-api-proxy" if home else None

    def secrets(self) -> Iterable[tuple[str, str]]:
        for flag, variable in (("--token", "SENTRY_TOKEN"), ("--token", "SENTRY_AUTH_TOKEN")):
            yield from (("token", value.strip()) for value in self.given(flag, variable) if value.strip() != "system")
        for value in self.given("--alias-token", "ALIAS_TOKENS"):
            yield from (("alias", part.strip()) for part in value.split(";"))
        for value in self.given("--pgx-conn", "PGX_CONN"):
            yield from (("password", part) for part in passwords(value))
        yield "password", self.environment.get("PGPASSWORD", "")
        for flag, variable in SECRET_FILES.items():
            for path in self.given(flag, variable):
                yield from secrets_of_file(flag, Path(path))
        if self.state_folder:
            text = readable(self.state_folder / "logins.json")
            yield from (("login", value.decode()) for _, value in ISSUED.findall(text))


def passwords(connection: str) -> list[str]:
    found = [quoted or plain for quoted, plain in PASSWORD.findall(connection)]
    return found + [match.group(1) for match in [USER_PART.match(connection)] if match]


def readable(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def secrets_of_file(flag: str, path: Path) -> Iterable[tuple[str, str]]:
    text = readable(path).decode("utf-8-sig", "replace")
    lines = [line.split() for line in text.splitlines()]
    if flag == "--token-file":
        yield "token", text.strip()
    elif flag == "--alias-file":
        yield from (("alias", words[1]) for words in lines if len(words) > 1 and not words[0].startswith("#") and not words[1].startswith("sha256:"))
    elif flag == "--upstream-proxy-credentials-file":
        yield "credentials of the forward proxy", text.strip()
        yield "credentials of the forward proxy", text.strip().partition(":")[2]
    elif flag == "--config":
        for words in lines:
            value = " ".join(words[1:])
            if words[:1] == ["token"] and value != "system":
                yield "token", value
            elif words[:1] == ["alias-token"]:
                yield from (("alias", part.strip()) for part in value.split(";"))
            elif words[:1] == ["pgx-conn"]:
                yield from (("password", part) for part in passwords(value))
            elif words and f"--{words[0]}" in SECRET_FILES and words[0] != "config":
                yield from secrets_of_file(f"--{words[0]}", Path(value))
    elif "PRIVATE KEY" in text:
        yield from (("private key", line[0]) for line in lines if len(line) == 1 and len(line[0]) == 64)


def forms(value: bytes) -> set[bytes]:
    """The secret as it may be written: itself, percent-encoded, as JSON, inside Basic's base64; and each half of a long random one."""
    found = {value, quote(value, safe="").encode(), json.dumps(value.decode("utf-8", "replace"))[1:-1].encode()}
    for offset in range(3):
        # Without the characters that depend on what stands before and behind.
        encoded = base64.b64encode(b"\0" * offset + value)
        found.add(encoded[(0, 2, 3)[offset]:len(encoded) // 4 * 4 - 4])
    if MADE_ALIAS.fullmatch(value) or re.fullmatch(rb"[0-9a-f]{32,}", value):
        found |= {value[5:21], value[-16:]}
    return found


@dataclass
class Output:
    """Something that the program wrote; `text` is read when it is searched."""

    place: str
    text: Callable[[], bytes]
    is_complete: Callable[[], bool] = lambda: True
    ignores: tuple[str, ...] = ()
    since: int = 0


@dataclass
class Ledger:
    program: str
    handed_out: list[tuple[str, bytes]] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    admin: set[tuple[str, int]] = field(default_factory=set)
    too_short: set[bytes] = field(default_factory=set)
    searched: int = 0
    searched_bytes: int = 0
    distinct: set[int] = field(default_factory=set)
    _mark: int = 0

    # MARK: secrets

    def hand_out(self, kind: str, value: str | bytes, shortest: int = SHORTEST) -> None:
        data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        if len(data) < shortest:
            self.too_short |= {data} - {b""}
        else:
            self.handed_out.append((kind, data))
            self.distinct.add(hash(data))

    def sent(self, data: bytes) -> None:
        """By a client."""
        if b"earer" in data[:16384]:
            for word in BEARER.findall(data[:16384]):
                self.hand_out("bearer", word)

    def answered(self, address: Any, target: bytes, raw: bytes) -> None:
        """To a client."""
        # Tokens are in short answers; bodies of gigabytes are not searched.
        for name, value in ISSUED.findall(raw[:65536]):
            self.hand_out(name.decode().replace("_", " "), value, shortest=9)
        if address in self.admin:
            self.wrote(f"a page of the admin listener, {target.decode('latin-1')}", raw)
        elif target.startswith(FLOW_PATH) and b"text/html" in raw:
            self.wrote("the page of the device flow", raw, ignores=("user code",))

    # MARK: outputs

    def wrote(self, place: str, text: bytes | Callable[[], bytes], is_complete: Callable[[], bool] = lambda: True,
              ignores: tuple[str, ...] = ()) -> None:
        self.outputs.append(Output(place, text if callable(text) else lambda: text, is_complete, ignores, self._mark))

    def started(self, command: Sequence[Any], environment: Mapping[str, str] | None) -> Start | None:
        """Notes a start of the program; nothing is noted of other programs."""
        words = [str(word) for word in command] if not isinstance(command, str) else []
        at = next((index for index, word in enumerate(words) if word == self.program), None)
        if at is None:
            return None
        start = Start(words[at + 1:], dict(os.environ if environment is None else environment))
        self.starts.append(start)
        self._take(start)
        return start

    def ended(self, start: Start, standard_input: Any, out: Any, err: Any) -> None:
        """A command that ran to its end."""
        if standard_input and start.given("--token") == ["-"]:
            self.hand_out("token", standard_input.strip())
        for name, text in (("output", out), ("error", err)):
            data = text.encode() if isinstance(text, str) else text or b""
            place = f"standard {name} of {start.command}"
            if place not in BY_DESIGN:
                self.wrote(place, data)
            elif start.command in ("alias new", "auth token"):
                for word in data.decode("utf-8", "replace").split():
                    self.hand_out("alias" if start.command == "alias new" else "token", word, shortest=40)
            elif start.command == "device passcode":
                self.hand_out("approval code", data[:9], shortest=9)

    def _take(self, start: Start) -> None:
        for kind, value in start.secrets():
            self.hand_out(kind, value)

    @property
    def counts(self) -> list[int]:
        """Distinct secrets, words too short to be looked for, outputs, bytes."""
        return [len(self.distinct), len(self.too_short), self.searched, self.searched_bytes]

    # MARK: comparison

    def settle(self) -> list[str]:
        """What is where it should not be, of all that was written since the last time and is complete."""
        for start in self.starts:
            # Files may have changed since.
            self._take(start)
        for folder in {start.state_folder for start in self.starts if start.state_folder}:
            for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
                if f"state folder: {path.name}" not in BY_DESIGN:
                    self.wrote(f"{path.name} in the state folder", readable(path))
        done = [output for output in self.outputs if output.is_complete()]
        self.outputs = [output for output in self.outputs if not output.is_complete()]
        found = [hit for output in done for hit in self._hits(output)]
        self.starts.clear()
        self._mark = len(self.handed_out)
        return sorted(set(found))

    def _hits(self, output: Output) -> Iterable[str]:
        text = output.text()
        self.searched += 1
        self.searched_bytes += len(text)
        if MARK.encode() in text:
            yield self._said("a secret of the harness, whole or in part", text, MARK.encode(), output)
        for match in MADE_ALIAS.finditer(text):
            yield self._said("an alias or refresh token, by its form", text, match.group(), output)
        for kind, value in set(self.handed_out[output.since:]):
            if kind not in output.ignores:
                for form in forms(value):
                    if len(form) >= 8 and form in text:
                        yield self._said(kind, text, form, output)
                        break

    @staticmethod
    def _said(kind: str, text: bytes, found: bytes, output: Output) -> str:
        return f"{kind}: in {output.place}, line {text[:text.index(found)].count(10) + 1}"


LEDGER = Ledger("")


def watch(ledger: Ledger, program: str) -> None:
    """From here on every process that is started through `subprocess` is looked at."""
    ledger.program = program

    class Watched(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, args: Any, *more: Any, **options: Any) -> None:
            self.start_of_program = ledger.started(args, options.get("env"))
            super().__init__(args, *more, **options)

        def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[Any, Any]:  # noqa: A002
            out, err = super().communicate(input, timeout)
            if self.start_of_program:
                ledger.ended(self.start_of_program, input, out, err)
            return out, err

    subprocess.Popen = Watched  # type: ignore[misc]
