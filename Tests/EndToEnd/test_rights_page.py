"""docs/rights.md: its table of sets is that of the data, and its examples are alias files that load."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from harness.proxy import BINARY, ROOT
from harness.rights import Alias, Place, decide, granted, sets, table

ACME = (("acme", 1),)
WEB = (("web", 10),)
PAGE = ROOT / "docs/rights.md"


def rows() -> list[str]:
    found = []
    for word in sets().held:
        if word == "identity":
            continue
        held = [row for row in table() if row.number in granted(word)]
        writes = sum(row.effect == "write" for row in held)
        counts = []
        for projects in ((), WEB):
            alias = Alias(word, ACME, projects)
            counts.append(sum(decide(row, alias, Place("acme", "web", "WEB-4F"))[0] not in ("refused", "identity") for row in held))
        found.append(f"| `{word}` | {len(held)} | {writes} | {counts[0]} | {counts[1]} |")
    return found


def test_the_table_of_sets_is_that_of_the_data() -> None:
    written = [line for line in PAGE.read_text().splitlines() if re.match(r"\| `[a-z-]+` \| \d", line)]
    assert written == rows()


def test_what_a_project_takes_from_ci_upload_is_named() -> None:
    alias = Alias("ci-upload", ACME, WEB)
    lost = [f"{row.method} {row.path}" for row in table() if row.number in granted("ci-upload")
            and decide(row, alias, Place("acme", "web", "WEB-4F"))[0] == "refused"
            and decide(row, Alias("ci-upload", ACME), Place("acme", "web", "WEB-4F"))[0] != "refused"]
    text = PAGE.read_text()
    assert lost and not [name for name in lost if f"`{name}`" not in text]


def test_the_examples_load(tmp_path: Path) -> None:
    lines = [line for block in re.findall(r"```aliases\n(.*?)```", PAGE.read_text(), re.S) for line in block.splitlines()]
    assert len(lines) >= 10
    file = tmp_path / "aliases"
    file.write_text("".join(re.sub(r"sap_\S+", f"sap_{number:040}", line) + "\n" for number, line in enumerate(lines)))
    for line in lines:
        name = line.split()[0]
        result = subprocess.run([BINARY, "policy", "explain", "GET", "/api/0/", "--alias", name, "--alias-file", str(file)],
                                capture_output=True, text=True, timeout=30)
        assert result.returncode == 0, (line, result.stderr)
