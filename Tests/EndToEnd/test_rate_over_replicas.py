"""Deploy/haproxy/haproxy.cfg is a file that HAProxy takes."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from harness.proxy import ROOT


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
def test_the_example_is_one_that_haproxy_takes() -> None:
    checked = subprocess.run(["haproxy", "-c", "-f", str(ROOT / "Deploy/haproxy/haproxy.cfg")], capture_output=True, text=True, timeout=30, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "WARNING" not in (checked.stdout + checked.stderr).upper()
