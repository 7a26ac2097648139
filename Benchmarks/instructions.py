#!/usr/bin/env python3
"""User instructions that the whole program takes for a small request, counted by callgrind, and held against instructions.json.

The shipped binary serves a fixed number of requests twice, once more of them than the other time; the difference divided by the
requests between is a request's cost, without start and end. Unlike time it does not depend on what else the machine does.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import peers
from micro.check import REPEATABLE
from processes import Upstream, Void, answers, end, free_port, load, spawn
from run import built_tools

MARGIN = 1.03  # a request may cost so much more than is written down
THRESHOLDS = Path(__file__).resolve().parent / "instructions.json"
FEWER, MORE, CONNECTIONS = 1_000, 4_000, 16
CPUS = os.sched_getaffinity(0)


# What a case adds to the command line, and a key of `peers.ALIASES`.
CASES: dict[str, tuple[list[str], str | None]] = {
    "without-log": ([], None),
    "with-log": (["--access-log", "all"], None),
    "alias-full": ([], "full"),
    "alias-narrowed": ([], "narrowed"),
    "alias-among-10000": ([], "many"),
}


def wait_for_port(process: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise Void("the program does not listen")


def served(binary: Path, case: str, requests: int, directory: Path, profile: Path | None) -> int:
    """All instructions of a process that answered so many requests."""
    arguments, aliases = CASES[case]
    with closing(Upstream(directory / "upstream", CPUS)) as upstream:
        port = free_port()
        command = [str(binary), *peers.proxy(directory, port, upstream.port, 1, tls=False)[1:], *arguments]
        options = {}
        if aliases:
            count, words = peers.ALIASES[aliases]
            command += ["--alias-file", str(peers.alias_file(directory, count, words))]
            options = {"aliases": count}
        counter = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile or os.devnull}"]
        with open(directory / "stderr", "w+") as errors:
            process = spawn([*counter, *command], CPUS, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                            env=peers.ENVIRONMENT | REPEATABLE)
            try:
                wait_for_port(process, port)
                if aliases and "org=" in peers.ALIASES[aliases][1]:
                    peers.await_names(directory / "stderr")
                answers(load(directory / "load", CPUS, port, connections=CONNECTIONS, requests=requests, timeout=60, **options))
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)
            finally:
                end(process)
                errors.seek(0)
                text = errors.read()
    found = re.search(r"Collected : (\d+)", text)
    if not found:
        raise Void(f"callgrind gave no figure: {text[-800:]}")
    return int(found.group(1))


def per_request(binary: Path, case: str, directory: Path, profile: Path | None = None) -> int:
    few, many = (served(binary, case, requests, directory, profile) for requests in (FEWER, MORE))
    return round((many - few) / (MORE - FEWER))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", type=Path, nargs="+", help="a release build; more of them are measured beside it and not judged")
    parser.add_argument("--case", action="append", choices=CASES, help="only these")
    parser.add_argument("--update", action="store_true", help="write what is measured to instructions.json")
    parser.add_argument("--profile", type=Path, help="keep callgrind's output here")
    arguments = parser.parse_args()
    if platform.machine() != "x86_64":
        print(f"instructions.py: skipped: the thresholds are for x86_64, this is {platform.machine()}")
        return

    thresholds = json.loads(THRESHOLDS.read_text()) if THRESHOLDS.exists() else {}
    failures = []
    print(f"{'instructions a request':24}{'threshold':>11}" + "".join(f"{path.name[:22]:>24}" for path in arguments.binary))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        directory = built_tools(Path(folder))
        for case in arguments.case or CASES:
            row = []
            for binary in arguments.binary:
                try:
                    row.append(per_request(binary, case, directory, arguments.profile))
                except Void as reason:  # an older program may not know the case
                    if binary == arguments.binary[0]:
                        sys.exit(f"instructions.py: {case}: {reason}")
                    row.append(0)
            known = row[0] if arguments.update else thresholds.get(case, 0)
            print(f"{case:24}{known:>11,}" + "".join(f"{figure or '-':>24,}" if figure else f"{'-':>24}" for figure in row), flush=True)
            if arguments.update:
                thresholds[case] = row[0]
            elif case not in thresholds:
                failures.append(f"{case}: not written down; run with --update")
            elif row[0] > known * MARGIN:
                failures.append(f"{case}: {row[0]:,} instructions a request, {known:,} are written down")
            elif row[0] * MARGIN < known:
                print(f"{'':24}cheaper than written down: run with --update, so that it stays so")
    if arguments.update:
        THRESHOLDS.write_text(json.dumps(thresholds, indent=2) + "\n")
    for failure in failures:
        print(f"instructions.py: {failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
