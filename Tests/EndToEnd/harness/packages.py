"""Programs from the package index, each in a virtual environment that is kept between runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class Missing(Exception):
    """It is not here and could not be had."""


def installed(package: str, program: str, folder: str, *, options: tuple[str, ...] = (), seconds: float = 300) -> str:
    """The path of `program`, of exactly this package."""
    venv = ROOT / folder
    path, mark = venv / "bin" / program, venv / f"has-{package}"
    if not (path.exists() and mark.exists()):
        if not (venv / "bin" / "pip").exists():
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        done = subprocess.run([str(venv / "bin" / "pip"), "install", "--quiet", *options, package], capture_output=True, text=True,
                              timeout=seconds, check=False)
        if done.returncode:
            raise Missing(f"{package} could not be installed: {done.stderr.strip().splitlines()[-1:]}")
        mark.touch()
    return str(path)
