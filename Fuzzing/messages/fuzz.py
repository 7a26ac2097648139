"""Whole messages, mutated, against a running proxy: `fuzz.py requests|answers --binary PATH --seconds N [--seed S] [--only I]`.

Each iteration has its own random numbers, made of the seed and its number: `--seed S --only I` repeats it alone. What breaks a
property is written to `--findings`, and the status is 1 then.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import secrets
import socket
import sys
import time
from functools import partial
from pathlib import Path
from random import Random
from urllib.parse import unquote_to_bytes

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "EndToEnd"))
sys.dont_write_bytecode = True

import mutate  # noqa: E402
import upstream  # noqa: E402

# Found neither in a fixture nor by chance, so wherever one of them turns up, the proxy has put it there.
TOKEN = "sntryu_" + secrets.token_hex(32)
ALIAS = "sap_" + secrets.token_urlsafe(32)
CLOTHES = [
    "Bearer {0}", "bearer {0}", "BEARER  {0}", "Bearer\t{0}", "Token {0}", "{0}", "Bearer {0},", "Bearer {0} x", "Bearer x {0}",
    "Bearer \"{0}\"", "Basic {1}", "Basic {2}", "DSN {0}", "Bearer {0};", ",Bearer {0}", "Bearer={0}",
]
PLAIN = CLOTHES[:3]
WORD = re.compile(rb"[A-Za-z0-9+/_=-]{12,}")
GROWTH_KIB = 96 * 1024


class Broken(Exception):
    """A property does not hold."""


def check(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


def forms_of(data: bytes) -> list[bytes]:
    """The bytes, and what a percent-decoder or a Basic reader would make of them."""
    forms = [data, unquote_to_bytes(data)]
    for word in WORD.findall(data):
        try:
            forms.append(base64.b64decode(word + b"=" * (-len(word) % 4), altchars=b"-_" if b"-" in word or b"_" in word else None))
        except ValueError:
            continue
    return forms


def check_upstream(received: list[bytes]) -> None:
    """At most one request, whole and alone on its connection; the token in Authorization only; no alias in any form."""
    check(len(received) <= 1, f"{len(received)} connections upstream for one client connection")
    for data in received:
        head, mark, body = data.partition(b"\r\n\r\n")
        check(data.count(TOKEN.encode()) == head.count(b"\r\nAuthorization: Bearer " + TOKEN.encode()),
              "the token is elsewhere than in Authorization")
        check(data.count(TOKEN.encode()) <= 1, "the token is there twice")
        for form in forms_of(data):
            check(ALIAS.encode() not in form, "an alias went upstream")
        if not mark:
            continue
        lines = head.split(b"\r\n")
        check(re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~\x80-\xff]+ HTTP/1\.1", lines[0]) is not None, "a malformed request line")
        for line in lines[1:]:
            check(re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*", line) is not None, "a malformed field line")
        names = [line.partition(b":")[0].lower().replace(b"_", b"-") for line in lines[1:]]
        for name in (b"content-length", b"host", b"authorization"):
            check(names.count(name) <= 1, f"{name.decode()} is there {names.count(name)} times")
        check(names.count(b"host") == 1 and b"\r\nConnection: close" in head, "Host or Connection: close is missing")
        length = next((int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length:")), 0)
        check(b"transfer-encoding" not in names and len(body) <= length, "bytes behind the request's end")


class Run:
    def __init__(self, proxy: object, recorder: upstream.Recorder) -> None:
        self.proxy, self.recorder = proxy, recorder
        self.settled_kib = 0

    def exchange(self, pieces: list[bytes], method: str = "GET") -> object:
        """One connection that says the pieces, ends its side and reads to the end."""
        from harness.client import Client

        client = Client(self.proxy.address, 15)
        with client:
            client.method = method
            client.send_in_pieces(pieces)
            client.half_close()
            answer = client.read_answer()
        check(answer.ended != "time", "the connection stayed open")
        check(TOKEN.encode() not in answer.raw and ALIAS.encode() not in answer.raw, "a secret in what the client was told")
        return answer

    def look(self, iteration: int) -> None:
        """Alive and of bounded memory, with nothing held."""
        from harness.client import ask, request
        from harness.process import eventually

        check(self.proxy.process.poll() is None, "the process has ended")
        self.recorder.answer, self.recorder.resets = [upstream.ANSWER], False
        answer = ask(self.proxy.address, request("GET", "/api/0/", f"Authorization: Bearer {ALIAS}"))
        check(answer.status == 200, f"an ordinary request is answered {answer.status}")
        self.recorder.take()
        page = {}

        def is_idle() -> bool:
            text = ask(self.proxy.admin, request("GET", "/metrics")).body.decode()
            page.update(re.findall(r"^sentry_api_proxy_(held_memory_bytes|impossible_steps_total|workers_unresponsive) (\d+)$", text, re.M))
            return page["held_memory_bytes"] == "0"

        try:
            eventually(is_idle, "nothing is held when nobody is there", 15)
        except AssertionError as error:
            raise Broken(str(error)) from error
        check(page["impossible_steps_total"] == "0", "an impossible step of the state machine")
        resident = self.proxy.memory_kib()
        if iteration <= 1_000:
            self.settled_kib = max(self.settled_kib, resident)
        check(resident <= self.settled_kib + GROWTH_KIB, f"memory grew from {self.settled_kib} to {resident} KiB")


def fuzz_request(run: Run, corpus: list[bytes], random: Random, clothes: list[str] = CLOTHES) -> bytes:
    message = mutate.mutate(random.choice(corpus), corpus, random)
    words = (ALIAS, *(base64.b64encode(f"{user}:{word}".encode()).decode() for user, word in ((ALIAS, ""), ("x", ALIAS))))
    if random.random() < 0.7:
        # Behind the request line, where no mutation can have put it into the body.
        first, mark, rest = message.partition(b"\r\n")
        name = random.choice(("Authorization", "authorization", "AUTHORIZATION"))
        message = first + mark + f"{name}: {random.choice(clothes).format(*words)}\r\n".encode() + rest
    run.exchange(mutate.pieces(message, random))
    check_upstream(run.recorder.take())
    return message


def fuzz_answer(run: Run, corpus: list[bytes], random: Random) -> bytes:
    from harness.client import request

    message = mutate.mutate(random.choice(corpus), corpus, random)
    run.recorder.answer, run.recorder.resets = mutate.pieces(message, random), random.random() < 0.1
    method = random.choice(("GET", "GET", "GET", "POST", "HEAD"))
    target = random.choice(("/api/0/", "/api/0/organizations/", "/api/0/organizations/acme/chunk-upload/", "/api/0/users/me/regions/", "/api/1/envelope/"))
    lines = [f"Authorization: Bearer {ALIAS}"] if random.random() < 0.7 else []
    if random.random() < 0.3:
        lines.append("Accept-Encoding: gzip")
    version = random.choice(("HTTP/1.1", "HTTP/1.1", "HTTP/1.0"))
    body = b"x" * random.choice((1, 70_000)) if method == "POST" else b""
    answer = run.exchange([request(method, target, *lines, body=body, version=version)], method)
    check_upstream(run.recorder.take())
    if answer.head:
        check(re.match(rb"HTTP/1\.1 [1-5]\d\d ", answer.head) is not None, "a malformed status line")
        for line in answer.head.split(b"\r\n")[1:]:
            check(re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*", line) is not None, "a malformed field line")
        check(len(answer.values("Content-Length")) + len(answer.values("Transfer-Encoding")) <= 1, "two framings")
        check(answer.beyond == b"", "bytes behind the answer's end")
        if lines[:1] != [] and not target.startswith("/api/1/") and lines[0].startswith("Authorization"):
            check(not answer.values("Set-Cookie") and not answer.values("WWW-Authenticate"), "a field of the elevated route's upstream")
    return message


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("kind", choices=("requests", "answers"))
    options.add_argument("--binary", required=True)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    options.add_argument("--only", type=int)
    options.add_argument("--clothes", choices=("all", "plain"), default="all", help="how requests show the alias")
    options.add_argument("--findings", type=Path, default=ROOT / "Fuzzing" / ".build" / "findings")
    given = options.parse_args()
    os.environ["PROXY_BINARY"] = given.binary
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0:quarantine_size_mb=8")
    from harness import fixtures
    from harness.proxy import Proxy

    corpus = [fixture.message for fixture in fixtures.load("requests" if given.kind == "requests" else "responses")]
    recorder = upstream.Recorder()
    proxy = Proxy(recorder.uri, "--threads", "1", "--body-timeout", "3", "--head-timeout", "3", "--access-log", "errors",
                  environment={"ALIAS_TOKENS": ALIAS}, token=TOKEN)
    run = Run(proxy, recorder)
    fuzz = partial(fuzz_request, clothes=CLOTHES if given.clothes == "all" else PLAIN) if given.kind == "requests" else fuzz_answer
    print(f"{given.kind}: {given.seconds:g} s, {len(corpus)} seeds, --seed {given.seed}", flush=True)
    end = time.monotonic() + given.seconds
    iteration = given.only or 0
    statuses = 0
    try:
        while time.monotonic() < end:
            before = Random(f"{given.seed}:{iteration}")
            try:
                fuzz(run, corpus, before)
                statuses += 1
                if given.only is not None or iteration % 200 == 0:
                    run.look(iteration)
            except (Broken, OSError) as error:
                given.findings.mkdir(parents=True, exist_ok=True)
                path = given.findings / f"{given.kind}-{given.seed}-{iteration}"
                path.write_bytes(mutate.mutate(*again(given.seed, iteration, corpus)))
                print(f"{given.kind}: {error}\n  repeat: {sys.argv[0]} {given.kind} --binary {given.binary} --seed {given.seed} "
                      f"--only {iteration}\n  message before its Authorization: {path}", file=sys.stderr)
                return 1
            if given.only is not None:
                break
            iteration += 1
        run.look(iteration)
        proxy.stop()
    except (Broken, AssertionError) as error:
        print(f"{given.kind}: {error} (--seed {given.seed}, at iteration {iteration})", file=sys.stderr)
        return 1
    finally:
        if proxy.process.poll() is None:
            proxy.process.kill()
    print(f"{given.kind}: {statuses} messages, no finding")
    return 0


def again(seed: int, iteration: int, corpus: list[bytes]) -> tuple[bytes, list[bytes], Random]:
    """What `mutate` was given in that iteration."""
    random = Random(f"{seed}:{iteration}")
    return random.choice(corpus), corpus, random


if __name__ == "__main__":
    sys.exit(main())
