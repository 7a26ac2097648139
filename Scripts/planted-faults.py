#!/usr/bin/env python3
"""Plants faults into a copy of the sources, all at once and each behind a switch, and has the simulator find them.

    Scripts/planted-faults.py [--runs 2000] [--seed 1] [NAME …]

Each must be found within --runs runs of some 50 exchanges; the seed that found it is printed. A fault is a place in a source
file and what stands there instead: `PLANTED` becomes a question that is true in the process that looks for this fault. It is
an error when the place is not there any more, so the list follows the code."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from source_copy import ROOT, copy_sources

COPY = ROOT / ".build" / "planted"

# Name, file (found by its last part), the code as it is, the code with the fault.
FAULTS: list[tuple[str, str, str, str]] = [
    ("a buffer is leaked: a held answer is forgotten, not given back", "Exchange.swift",
     "response.held.release(to: &pool)",
     "if PLANTED { response.held = PooledBytes() } else { response.held.release(to: &pool) }"),
    ("a deadline is missed: a timer that fires early is not set anew", "ExchangeDeadlines.swift",
     "guard worker.now >= timer.deadline else {\n            arm(worker.reactor)",
     "guard worker.now >= timer.deadline else {\n            if !PLANTED { arm(worker.reactor) }"),
    ("the wait for an answer has no deadline", "RequestUpload.swift",
     "            noteEarlyFIN(worker.reactor)\n        }\n        note(UploadInput.lastByteSent, &worker.counters)",
     "            noteEarlyFIN(worker.reactor)\n            if PLANTED { timer.deadline = .never }\n        }\n        note(UploadInput.lastByteSent, &worker.counters)"),
    ("the attempt's deadline stays when it has connected", "HappyEyeballs.swift",
     "setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor)\n        return .connected",
     "if !PLANTED { setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor) }\n        return .connected"),
    ("a slot is given back twice", "Worker.swift",
     "exchanges.release(slot: slot)",
     "exchanges.release(slot: slot)\n        if PLANTED, slot == 3 { exchanges.release(slot: slot) }"),
    ("a slot keeps its generation: events of its former holder reach the next one", "Slab.swift",
     "generations[slot] &+= 1",
     "if !PLANTED { generations[slot] &+= 1 }"),
    ("a replay is cut short: the kept body's last byte is missing", "TokenRenewal.swift",
     "keptBody.bytes.part(0..<replay.body.count)))\n        }\n        replay.tokenVersion",
     "keptBody.bytes.part(0..<replay.body.count - (PLANTED ? 1 : 0))))\n        }\n        replay.tokenVersion"),
    ("a token on the bypass", "Decision.swift",
     "return .forward(Forward(route: .bypass))",
     "return .forward(Forward(route: PLANTED && authorization != nil ? .elevated : .bypass))"),
    ("an alias goes upstream where it is not elevated", "Decision.swift",
     "dropAuthorization: isBarred)",
     "dropAuthorization: isBarred && !PLANTED)"),
    ("an unflushed tail is dropped: the last byte that a full socket did not take", "ConnectionSide.swift",
     "case .wouldBlock:\n                writeBuffer.store(rest, from: &pool)",
     "case .wouldBlock:\n                writeBuffer.store(PLANTED ? UnsafeRawBufferPointer(rebasing: rest.dropLast()) : rest, from: &pool)"),
    ("the memory budget is released twice", "Worker.swift",
     "shared.descriptorClosed()\n        pool.memory.release(bytes)",
     "shared.descriptorClosed()\n        pool.memory.release(bytes)\n        if PLANTED, pool.memory.held > bytes { pool.memory.release(bytes) }"),
    ("a 401 is answered by a second replay", "TokenRenewal.swift",
     "request.forward.route.isElevated, replay.outcome == .none else",
     "request.forward.route.isElevated, replay.outcome == .none || PLANTED else"),
    ("a timer is not cancelled when its exchange ends", "Exchange.swift",
     "if timer.armedFor != .never { worker",
     "if timer.armedFor != .never, !PLANTED { worker"),
    ("a half-close is taken for a departure", "Exchange.swift",
     "clientSpoke(worker.reactor)",
     "clientSpoke(worker.reactor)\n            if PLANTED, timer.probe.isDue { closeClient(worker) }"),
    ("a client's FIN is lost when the request's last byte is out", "RequestUpload.swift",
     "guard request.upload != .givenUp else { return nil }\n        while",
     "guard request.upload != .givenUp else { return nil }\n        if PLANTED, client.hasEnded, !request.body.isWhole { return nil }\n        while"),
    ("an alias's cell is not left", "RequestLog.swift",
     "exchange.request.cell.take()?.leave()",
     "if !PLANTED { exchange.request.cell.take()?.leave() }"),
    ("a truncated answer ends with a last chunk", "ResponseRelay.swift",
     "guard response.body.streamEnded() else {",
     "guard response.body.streamEnded() || PLANTED else {"),
    ("a truncated answer until the close ends with a FIN", "Teardown.swift",
     "closeClient(worker, byReset: response.framing == .untilClose)",
     "closeClient(worker, byReset: response.framing == .untilClose && !PLANTED)"),
    ("a FIN behind a short read is not looked for", "ResponseRelay.swift",
     "upstream.side.transport.isPlain, !upstream.side.hasEnded {",
     "upstream.side.transport.isPlain, !upstream.side.hasEnded || PLANTED {"),
    ("gzip that breaks off passes for whole", "ResponseInflation.swift",
     "if isLast, step.state != .finished, response.received > 0 {",
     "if isLast, step.state != .finished, response.received > 0, !PLANTED {"),
    ("work that is postponed is forgotten", "IterationShare.swift",
     "clientPostponed = current\n",
     "clientPostponed = current\n            if PLANTED { return false }\n"),
    ("a second attempt's socket counts for ever", "HappyEyeballs.swift",
     "second.interest = .nothing\n        worker.connectionClosed(holding: worker.upstreamBytes)",
     "second.interest = .nothing\n        if !PLANTED { worker.connectionClosed(holding: worker.upstreamBytes) }"),
    ("a request that was begun on one connection goes on upon another", "HappyEyeballs.swift",
     "return upstream.side.writeBuffer.count < before ? .bytes(0) : result",
     "return upstream.side.writeBuffer.count < before && !PLANTED ? .bytes(0) : result"),
    ("a spooled body is read from the wrong place after a renewal", "TokenRenewal.swift",
     "request.spool?.sent = 0",
     "if !PLANTED { request.spool?.sent = 0 }"),
    ("a request in flight is not counted out", "Counters.swift",
     "        inFlight -= 1",
     "        if !PLANTED { inFlight -= 1 }"),
    ("an exchange that waits for addresses is forgotten", "Worker.swift",
     "let waiting = unresolved\n        unresolved.removeAll(keepingCapacity: true)\n        for token in waiting {",
     "let waiting = unresolved\n        unresolved.removeAll(keepingCapacity: true)\n        for token in waiting where !PLANTED {"),
    ("a client is asked in the middle of its answer whether it is there", "HalfClose.swift",
     "sendContinue(&pool)\n        case ", "sendContinue(&pool)\n        case .relaying where PLANTED: sendContinue(&pool)\n        case "),
    ("the log tells a path with an alias in it", "RequestLog.swift",
     "let path = target.extracting(first: pathBytes ?? endOfPath(target))",
     "let path = PLANTED ? bytes.span : target.extracting(first: pathBytes ?? endOfPath(target))"),
    ("a reset that a send has met passes for the end of the answer", "Transport.swift",
     "if isReset, case .endOfStream = result { return .failed(.reset) }",
     "if isReset, !PLANTED, case .endOfStream = result { return .failed(.reset) }"),
    ("a body of known length loses a byte of each piece", "BodyReader.swift",
     "let count = Int(min(remaining, UInt64(piece.count)))",
     "let count = Int(min(remaining, UInt64(PLANTED ? max(0, piece.count - 1) : piece.count)))"),
]

SWITCH = """internal import Glibc

private let plantedNumber = getenv("PLANTED").map { atoi($0) } ?? -1

// Code that other modules inline asks as well.
@usableFromInline func isPlanted(_ number: Int32) -> Bool { plantedNumber == number }
"""


def plant() -> list[str]:
    """Copies what a build needs and puts the faults in. Files that did not change keep their times, for the next build.
    Returns the names of those whose place is not there any more."""
    stale: list[str] = []
    changed: dict[Path, str] = {}
    modules: set[Path] = set()
    for number, (name, file, old, new) in enumerate(FAULTS):
        found = [path for path in (ROOT / "Sources").rglob(file)]
        text = changed.get(found[0]) or found[0].read_text() if len(found) == 1 else ""
        if text.count(old) != 1:
            stale.append(name)
            continue
        path = found[0]
        changed[path] = text.replace(old, new.replace("PLANTED", f"isPlanted({number})"))
        modules.add(ROOT / "Sources" / path.relative_to(ROOT / "Sources").parts[0])
    extra = {(module / "Planted.swift").relative_to(ROOT): SWITCH for module in modules}
    copy_sources(COPY, ("Sources", "Tests/Simulation"), changed, extra)
    return stale


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*", help="only faults with one of these words in their names")
    options = parser.parse_args()
    stale = plant()
    environment = {**os.environ, "SIMULATION": "1"}
    environment.pop("WERROR", None)
    environment.pop("PLANTED", None)
    build = ["swift", "build", "-c", "release", "-Xswiftc", "-enable-testing", "-j", os.environ.get("JOBS", "2"), "--package-path", str(COPY),
             "--product", "Simulation"]
    if subprocess.run(build, env=environment, stdout=sys.stderr, check=False).returncode:
        sys.exit("the faults do not build")
    program = COPY / ".build" / "release" / "Simulation"
    fixtures = str(ROOT / "Tests" / "Fixtures")
    missed = 0
    for number, (name, *_) in enumerate(FAULTS):
        if options.names and not any(word in name for word in options.names):
            continue
        if name in stale:
            missed += 1
            print(f"stale   {name}: the code that it changes is not there any more, or more than once", flush=True)
            continue
        run = subprocess.run([str(program), str(options.seed), str(options.runs), "50", fixtures], text=True, check=False,
                             env={**environment, "PLANTED": str(number)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        seed = re.search(r"^seed (\d+) broke after (\d+) exchanges", run.stdout, re.MULTILINE)
        signal = re.search(r"^seed (\d+): signal \d+", run.stdout, re.MULTILINE)
        complaint = re.search(r"^broken: (.*?) at \d+ µs$", run.stdout, re.MULTILINE)
        red = seed or signal
        # A seed that is red without the fault as well says nothing of it.
        if red and subprocess.run([str(program), red[1], "1", "50", fixtures], env=environment, check=False,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            missed += 1
            print(f"void    {name}\n        seed {red[1]} is red without it", flush=True)
        elif seed and complaint:
            print(f"found   {name}\n        seed {seed[1]}, after {seed[2]} exchanges: {complaint[1]}", flush=True)
        elif signal:
            print(f"found   {name}\n        seed {signal[1]}: a check in the code ended the process", flush=True)
        else:
            missed += 1
            print(f"missed  {name}", flush=True)
    if missed:
        sys.exit(f"{missed} faults were not found")


if __name__ == "__main__":
    main()
