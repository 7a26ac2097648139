"""Help, completions, manual page and unit say what the program does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.proxy import BINARY, ROOT, clean_environment

STATUSES = {0, 1} | {int(number) for number in re.findall(r"case \w+ = (\d+)", (ROOT / "Sources/Main/Failure.swift").read_text())}


def output(*arguments: str) -> str:
    ended = subprocess.run([BINARY, *arguments], env=clean_environment(), capture_output=True, text=True, timeout=20, check=True)
    assert not ended.stderr
    return ended.stdout


def commands() -> dict[str, Any]:
    """Each command by the words that call it."""

    def walk(found: list[dict[str, Any]], path: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
        for command in found:
            words = (*path, command["commandName"])
            if words[-1] != "help":
                yield " ".join(words), command
                yield from walk(command.get("subcommands", []), words)

    return dict(walk(json.loads(output("--experimental-dump-help"))["command"]["subcommands"]))


def flags(command: dict[str, Any]) -> set[str]:
    return {f"--{name['name']}" for argument in command.get("arguments", []) for name in argument.get("names", []) if name["kind"] == "long"}


@pytest.fixture(scope="module")
def manual() -> str:
    version = output("--version").strip()
    page = subprocess.run([sys.executable, ROOT / "Scripts/make-man.py", version, ROOT / "Deploy/man/sections.man"],
                          input=output("--experimental-dump-help"), capture_output=True, text=True, timeout=20, check=True).stdout
    return page.replace(r"\-", "-")


def test_the_manual_page_has_every_command_and_flag(manual: str) -> None:
    known = commands()
    assert {"serve", "auth login", "auth init-db", "alias new", "healthcheck"} <= known.keys()
    for words, command in known.items():
        assert f".TP\n\\fB{words}\\fR\n" in manual, words
        section = manual.partition(f'.SH "OPTIONS OF {words.upper()}"')[2].partition(".SH ")[0]
        for flag in flags(command) - {"--help", "--version"}:
            assert f"\\fB{flag}\\fR" in section, (words, flag)


def test_the_manual_page_is_ascii(manual: str) -> None:
    """man(7) knows other characters by their names alone: "\\[u2026]"."""
    assert not re.findall(r"[^\x00-\x7f]+", manual)


def test_the_manual_page_and_the_reference_have_every_status(manual: str) -> None:
    section = manual.partition('.SH "EXIT STATUS"')[2].partition(".SH ")[0]
    assert {int(number) for number in re.findall(r"\.TP\n\\fB(\d+)\\fR", section)} == STATUSES
    sentence = re.search(r"Exit statuses are those of sysexits:.*?\n\n", (ROOT / "docs/reference/status-codes.md").read_text(), re.DOTALL)
    assert sentence is not None
    assert {int(number) for number in re.findall(r"\b\d+\b", sentence.group(0))} == STATUSES


def test_the_manual_page_has_every_signal(manual: str) -> None:
    taken = set(re.findall(r"\bSIG[A-Z]+", (ROOT / "Sources/System/Signals.swift").read_text())) - {"SIGPIPE"}
    assert {"SIGTERM", "SIGINT", "SIGHUP"} <= taken
    section = manual.partition(".SH SIGNALS")[2].partition(".SH ")[0]
    for name in taken:
        assert name in section, name


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_the_help_of_the_whole_shows_the_flags_of_serve_and_every_command(arguments: list[str]) -> None:
    shown = output(*arguments)
    for flag in flags(commands()["serve"]):
        assert flag in shown, flag
    for word in ("serve", "auth", "alias", "healthcheck"):
        assert re.search(rf"^  {word} ", shown, re.MULTILINE), word


def complete(*words: str) -> list[str]:
    """What bash offers for the last word."""
    script = output("--generate-completion-script", "bash")
    function = re.search(r"complete .*-F (\S+) sentry-api-proxy", script)
    assert function is not None, script[-300:]
    line = " ".join(words)
    program = (f"{script}\nCOMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; COMP_LINE='{line}'; COMP_POINT={len(line)}\n"
               f"{function.group(1)} sentry-api-proxy '{words[-1]}' '{words[-2]}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n")
    bash = shutil.which("bash")
    assert bash is not None
    return subprocess.run([bash, "-c", program], capture_output=True, text=True, timeout=20, check=True).stdout.split()


def test_bash_completes_the_flags_of_serve_without_its_name() -> None:
    assert "--sentry-uri" in complete("sentry-api-proxy", "--sen")
    assert "healthcheck" in complete("sentry-api-proxy", "hea")
    assert "login" in complete("sentry-api-proxy", "auth", "lo")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_know_the_flags_of_serve_at_the_top_too(shell: str) -> None:
    # Once for `serve`, once without its name; `auth` knows the flag by that name as well.
    known = sum("--sentry-uri" in flags(command) for command in commands().values())
    assert output("--generate-completion-script", shell).count("sentry-uri") > known


def test_a_flag_of_serve_in_front_of_another_command_is_refused() -> None:
    ended = subprocess.run([BINARY, "--threads", "1", "healthcheck"], env=clean_environment(), capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 64 and "healthcheck" in ended.stderr, ended


def test_the_unit_and_the_documents_agree_on_its_type() -> None:
    kind = re.search(r"^Type=(.*)$", (ROOT / "Deploy/systemd/sentry-api-proxy.service").read_text(), re.MULTILINE)
    assert kind is not None
    assert f"unit is `Type={kind.group(1)}`" in (ROOT / "docs/operations.md").read_text().replace("\n", " ")


def test_the_readme_has_the_figures_of_the_benchmarks() -> None:
    row = re.search(r"^\| CPU µs a request, at saturation \|.*\| ([\d.]+) \| ([\d.]+) \|$", (ROOT / "docs/benchmarks.md").read_text(), re.MULTILINE)
    assert row is not None
    text = (ROOT / "README.md").read_text().replace("\n", " ")
    assert f"{row.group(1)} times the CPU time that nginx needs for the same work, and {row.group(2)} times that of HAProxy" in text


def run_the_check_of_markdown(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, ROOT / "Scripts/check-markdown.py", *arguments], capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize(("text", "fault"), [
    ("word " * 40, "199 columns"),
    ("- item " + "word " * 40, "columns"),
    ("[page](nowhere.md)", "nowhere.md is not there"),
    ("# One\n\n[two](#two)", "no heading for #two"),
    ("word - " * 40 + "401. word", "columns"),
    ("| cell " * 40 + "|", None),
    ("```\n" + "word " * 40 + "\n```", None),
    ("# One *two*, (three)\n\n[one](#one-two-three)", None),
    ("https://sentry.example/" + "a" * 200, None),
])
def test_lint_holds_markdown_to_its_width_and_links(tmp_path: Path, text: str, fault: str | None) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{text.strip()}\n")
    ended = run_the_check_of_markdown(str(page))
    assert ended.returncode == (1 if fault else 0), ended
    assert (fault or "") in ended.stderr
    run_the_check_of_markdown("--wrap", str(page))
    assert page.read_text().split() == text.split()
    assert "columns" not in run_the_check_of_markdown(str(page)).stderr


def test_every_copy_of_the_version_is_that_of_the_program() -> None:
    subprocess.run([ROOT / "Scripts/set-version.sh", "--check"], timeout=20, check=True)
    version = output("--version").split()[0]
    listed = subprocess.run(["git", "grep", "-lF", version], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True).stdout.split()
    known = {"Sources/Main/Version.swift", "CHANGELOG.md", "Deploy/debian/changelog", *re.findall(r"(?m)^(?:copies=')?([\w./-]+)\|", (ROOT / "Scripts/set-version.sh").read_text())}
    assert len(known) == 8
    # Figures keep the version that they were measured with.
    assert set(listed) - {"docs/benchmarks.md", "docs/benchmarks.svg"} == known


def test_decisions_say_their_status_and_date() -> None:
    for page in sorted((ROOT / "docs/adr").glob("0*.md")):
        assert re.match(rf"# {page.name[:4]} .+\n\n- Status: (proposed|accepted|superseded by .+)\n- Date: 20\d\d-\d\d-\d\d\n\n", page.read_text()), page.name


def test_the_image_is_built_with_every_script_that_its_build_calls() -> None:
    planned = subprocess.run(["make", "-Bn", "build"], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True).stdout
    called = set(re.findall(r"\bScripts/[\w.-]+", planned + (ROOT / "Deploy/container/collect-root.sh").read_text()))
    assert {"Scripts/check-swift.sh", "Scripts/install-deps.sh"} <= called
    kept = set(re.findall(r"(?m)^!(.*)$", (ROOT / ".dockerignore").read_text()))
    assert called <= kept, called - kept


def test_the_readme_of_the_findings_lists_every_script() -> None:
    listed = set(re.findall(r"^\| \[[\w-]+\]\(([\w-]+\.sh)\)", (ROOT / "findings/README.md").read_text(), re.MULTILINE))
    assert listed == {path.name for path in (ROOT / "findings").glob("*.sh")}
