#!/usr/bin/env python3
"""Holds the data path's operations against thresholds.json: instructions (callgrind) and allocations (memcheck) per operation.

Both counts are repeatable where time is not. An operation is run N and 2 N times, and the difference divided by N, so that
start and preparation cancel out. Nanoseconds are printed and judged by nobody.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
THRESHOLDS = HERE / "thresholds.json"
COUNT = 1000
MARGIN = 1.05  # an operation may cost so much more than is written down

# The same code on every x86-64: no instruction set that only some machines have, no random hash seeds.
REPEATABLE = {"OPENSSL_ia32cap": "0x0:0x0", "SWIFT_DETERMINISTIC_HASHING": "1",
              "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM"}


def counted(tool: list[str], pattern: str, binary: Path, name: str) -> float:
    """A count that valgrind prints, per operation."""
    totals = []
    for count in (COUNT, 2 * COUNT):
        result = subprocess.run(["valgrind", *tool, str(binary), name, str(count)], capture_output=True, text=True,
                                env=os.environ | REPEATABLE)
        match = re.search(pattern, result.stderr)
        if result.returncode != 0 or not match:
            sys.exit(f"check.py: {name}: valgrind gave no figure (status {result.returncode}):\n{result.stderr[-800:]}")
        totals.append(int(match.group(1).replace(",", "")))
    return (totals[1] - totals[0]) / COUNT


def measured(binary: Path, name: str) -> dict[str, float]:
    nanoseconds = subprocess.run([str(binary), name, "200000"], capture_output=True, text=True, check=True).stdout.split()[0]
    return {
        "instructions": round(counted(["--tool=callgrind", "--callgrind-out-file=/dev/null"], r"Collected : (\d+)", binary, name)),
        "allocations": counted(["--tool=memcheck", "--leak-check=no"], r"total heap usage: ([\d,]+) allocs", binary, name),
        "nanoseconds": int(nanoseconds),
    }


def check(binary: Path, update: bool) -> int:
    names = subprocess.run([str(binary)], capture_output=True, text=True, check=True).stdout.split()
    thresholds = {} if update else json.loads(THRESHOLDS.read_text())
    failures = [f"{name}: in thresholds.json, but not in the program" for name in thresholds.keys() - set(names)]
    print(f"{'operation':22}{'instructions':>14}{'threshold':>11}{'ratio':>8}{'allocations':>13}{'ns':>8}")
    written = {}
    for name in names:
        got = measured(binary, name)
        written[name] = {"instructions": got["instructions"], "allocations": got["allocations"]}
        known = written[name] if update else thresholds.get(name)
        if known is None:
            failures.append(f"{name}: not in thresholds.json; run with --update")
            continue
        ratio = got["instructions"] / known["instructions"]
        print(f"{name:22}{got['instructions']:>14,}{known['instructions']:>11,}{ratio:>8.3f}{got['allocations']:>13g}{got['nanoseconds']:>8,}")
        if ratio > MARGIN:
            failures.append(f"{name}: {got['instructions']:,} instructions, {ratio:.2f} × the threshold")
        if ratio < 1 / MARGIN:
            print(f"{'':22}cheaper than written down: run with --update, so that it stays so")
        if got["allocations"] > known["allocations"]:
            failures.append(f"{name}: {got['allocations']:g} allocations, {known['allocations']:g} are allowed")
    if update:
        THRESHOLDS.write_text(json.dumps(written, indent=2) + "\n")
    for failure in failures:
        print(f"check.py: {failure}", file=sys.stderr)
    return 1 if failures else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", type=Path, help="the built MicroBenchmarks")
    parser.add_argument("--update", action="store_true", help="write what is measured to thresholds.json")
    arguments = parser.parse_args()
    if platform.machine() != "x86_64":
        print(f"check.py: skipped: the thresholds are for x86_64, this is {platform.machine()}")
        return

    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        binary = Path(directory) / "MicroBenchmarks"
        # valgrind's reader of debug information gives up on what Swift writes.
        subprocess.run(["strip", "--strip-debug", "-o", str(binary), str(arguments.binary)], check=True)
        sys.exit(check(binary, arguments.update))


if __name__ == "__main__":
    main()
