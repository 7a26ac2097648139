"""A copy of what a build needs, for scripts that change the sources."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def copy_sources(copy: Path, tops: Iterable[str], changed: dict[Path, str], extra: dict[Path, str]) -> None:
    """Copies the folders `tops` and the package's description into `copy`. Files that did not change keep their times, for the
    next build; files that are not there any more go.

    `changed` has the new text of files of the repository, `extra` the text of files that only the copy has, by their paths in it."""
    wanted = {path.relative_to(ROOT) for top in tops for path in (ROOT / top).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    for name in ("Package.swift", "Package.resolved"):
        if (ROOT / name).exists():
            wanted.add(Path(name))
    for top in ("Sources", "Tests"):
        for path in (copy / top).rglob("*"):
            relative = path.relative_to(copy)
            if path.is_file() and relative not in wanted and relative not in extra:
                path.unlink()
    for relative in wanted:
        text = changed.get(ROOT / relative)
        write(copy / relative, text.encode() if text is not None else (ROOT / relative).read_bytes())
    for relative, text in extra.items():
        write(copy / relative, text.encode())


def write(path: Path, data: bytes) -> None:
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
