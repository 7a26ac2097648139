"""What the tests, the demo and `make` do to the machine that they run on: nothing that stays."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HARNESS = Path(__file__).resolve().parent

IN_CHROOT = """
import os, sys
sys.path.insert(0, "/harness")
from pathlib import Path
from harness.network import Network, Unavailable
os.chdir("/tmp")
try:
    Network(Path("/tmp")).leave()
    print("entered")
except Unavailable as error:
    print("unavailable:", error)
print(sorted(os.listdir("/")), os.getcwd())
"""


@pytest.mark.parametrize("is_mount_point", [True, False])
def test_a_network_of_its_own_is_left_into_the_chroot_that_it_was_made_in(tmp_path: Path, is_mount_point: bool) -> None:
    root = tmp_path / "root"
    for folder in ("usr", "etc", "proc", "tmp", "harness"):
        (root / folder).mkdir(parents=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / name).symlink_to(f"usr/{name}")
    mounts = [f"mount --bind {root} {root}"] if is_mount_point else []
    mounts += [f"mount --rbind /{name} {root}/{name}" for name in ("usr", "etc", "proc")]
    mounts += [f"mount --bind {HARNESS} {root}/harness"]
    script = " && ".join([*mounts, f'exec chroot {root} /usr/bin/python3 -c "$0"'])
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, IN_CHROOT],
                          capture_output=True, text=True, timeout=60, check=False)
    if "Operation not permitted" in done.stderr or "filesystem propagation" in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert "['bin', 'etc', 'harness', 'lib', 'lib64', 'proc', 'sbin', 'tmp', 'usr'] /tmp" in done.stdout, done.stdout
    if is_mount_point and os.geteuid() == 0:
        assert done.stdout.startswith("entered"), done.stdout


# MARK: make


def fake(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def check_swift(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ROOT / "Scripts" / "check-swift.sh")], env={"PATH": f"{folder}:/usr/bin:/bin"}, capture_output=True,
                          text=True, timeout=20, check=False)


def test_what_swift_lacks_is_said(tmp_path: Path) -> None:
    fake(tmp_path, "swift", "echo 'Swift version 6.3.1 (swift-6.3.1-RELEASE)'")
    fake(tmp_path, "swift-frontend", "")
    fake(tmp_path, "ldd", "printf '\\tlibxml2.so.2 => not found\\n\\tlibc.so.6 => /lib/libc.so.6 (0x0)\\n'")
    done = check_swift(tmp_path)
    assert (done.returncode, "libxml2.so.2" in done.stderr, "libc.so.6" in done.stderr) == (69, True, False), done
    fake(tmp_path, "ldd", "")
    assert check_swift(tmp_path).returncode == 0
    fake(tmp_path, "swift", "echo 'Swift version 6.1.2 (swift-6.1.2-RELEASE)'")
    assert check_swift(tmp_path).returncode == 69


def test_an_installation_puts_back_what_it_changed(tmp_path: Path) -> None:
    """Scripts/install-deps.sh with an apt-get that fails half-way, in a root of its own paths."""
    script = (ROOT / "Scripts" / "install-deps.sh").read_text()
    (tmp_path / "etc").mkdir()
    clusters = tmp_path / "etc" / "createcluster.conf"
    clusters.write_text("#create_main_cluster = true\n")
    moved = (script.replace("/usr/sbin/policy-rc.d", str(tmp_path / "etc" / "policy-rc.d"))
             .replace("/etc/postgresql-common/createcluster.conf", str(clusters))
             .replace("/usr/lib/postgresql/", str(tmp_path / "no")).replace('"$(id -u)"', "0"))
    assert moved.count(str(tmp_path)) >= 3
    for outcome in (0, 1):
        seen = tmp_path / "seen"
        fake(tmp_path, "apt-get", f"cat {clusters} >>{seen}; case \"$*\" in *postgresql\\ *|*postgresql) exit {outcome};; esac")
        done = subprocess.run(["sh", "-c", moved, "install-deps.sh", "demo"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True,
                              text=True, timeout=20, check=False)
        assert (done.returncode == 0) == (outcome == 0), done
        assert "create_main_cluster = false" in seen.read_text()
        assert clusters.read_text() == "#create_main_cluster = true\n"
        assert os.listdir(tmp_path / "etc") == ["createcluster.conf"]
