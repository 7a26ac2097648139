"""Changed alias and TLS files are taken up without a signal, all or nothing."""

from __future__ import annotations

import os
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.certificates import Certificates, Pair
from harness.client import ask, request
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import BINARY, Proxy, StartProxy, clean_environment
from harness.upstream import StandIn

A, B = "sap_" + "a" * 40, "sap_" + "b" * 40
# Longer than two looks a second apart, with room for a loaded machine.
TAKEN_UP_SECONDS = 20
Write = Callable[[Path, str], None]


def is_elevated(proxy: Proxy, alias: str) -> bool:
    return ask(proxy.address, request("GET", "/api/0/organizations/", f"Authorization: Bearer {alias}")).status == 200


def in_place_with_the_old_time(path: Path, text: str) -> None:
    before = path.stat()
    assert len(text) == before.st_size
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def renamed_over_with_the_old_time(path: Path, text: str) -> None:
    before = path.stat()
    new = path.with_suffix(".new")
    new.write_text(text)
    os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(new, path)


@pytest.mark.parametrize("write", [in_place_with_the_old_time, renamed_over_with_the_old_time])
def test_a_withdrawn_alias_is_none_without_a_signal(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path, write: Write) -> None:
    path = tmp_path / "aliases"
    path.write_text(f"a {A}\n")
    proxy = start_proxy(stand_in.uri, "--alias-file", str(path))
    assert is_elevated(proxy, A)
    write(path, f"b {B}\n")
    eventually(lambda: is_elevated(proxy, B), "the new alias", TAKEN_UP_SECONDS)
    assert not is_elevated(proxy, A)
    assert 'cause="a file has changed"' in proxy.wait_for_line(lambda line: "msg=reloaded" in line)
    assert scrape(proxy).sum("reloads_total", result="succeeded") == 1


def served_certificate(proxy: Proxy) -> str:
    return ssl.get_server_certificate(proxy.address)


def is_elevated_by_tls(proxy: Proxy, alias: str) -> bool:
    done = subprocess.run(
        ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {alias}",
         f"https://127.0.0.1:{proxy.port}/api/0/organizations/"], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout == "200"


def volume(folder: Path, version: str, alias: str, pair: Pair) -> None:
    """One version of a Kubernetes secret volume, not in use yet."""
    content = folder / version
    content.mkdir()
    (content / "aliases").write_text(f"{version.strip('.')} {alias}\n")
    (content / "tls.crt").write_bytes(pair.certificate.read_bytes())
    (content / "tls.key").write_bytes(pair.key.read_bytes())


def swap(folder: Path, version: str) -> None:
    (folder / "..data_tmp").symlink_to(version)
    os.replace(folder / "..data_tmp", folder / "..data")


def test_a_swapped_kubernetes_volume_is_taken_up_whole(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certificates")
    first, second = certificates.issue("one", "DNS:one"), certificates.issue("two", "DNS:two")
    folder = tmp_path / "volume"
    folder.mkdir()
    volume(folder, "..v1", A, first)
    volume(folder, "..v2", B, second)
    swap(folder, "..v1")
    for name in ("aliases", "tls.crt", "tls.key"):
        (folder / name).symlink_to(f"..data/{name}")
    proxy = start_proxy(
        stand_in.uri, "--alias-file", str(folder / "aliases"), "--tls-cert", str(folder / "tls.crt"), "--tls-key", str(folder / "tls.key"))
    before = served_certificate(proxy)
    assert is_elevated_by_tls(proxy, A) and not is_elevated_by_tls(proxy, B)
    swap(folder, "..v2")
    eventually(lambda: served_certificate(proxy) != before, "the new certificate", TAKEN_UP_SECONDS)
    assert is_elevated_by_tls(proxy, B) and not is_elevated_by_tls(proxy, A)


def test_a_bad_change_keeps_the_old_state_of_all_until_the_next(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certificates")
    first, second = certificates.issue("one", "DNS:one"), certificates.issue("two", "DNS:two")
    aliases, certificate, key = tmp_path / "aliases", tmp_path / "tls.crt", tmp_path / "tls.key"
    aliases.write_text(f"a {A}\n")
    certificate.write_bytes(first.certificate.read_bytes())
    key.write_bytes(first.key.read_bytes())
    proxy = start_proxy(stand_in.uri, "--alias-file", str(aliases), "--tls-cert", str(certificate), "--tls-key", str(key))
    before = served_certificate(proxy)
    # The aliases are good, the certificate's key is another one's.
    aliases.write_text(f"b {B}\n")
    certificate.write_bytes(second.certificate.read_bytes())
    proxy.wait_for_line(lambda line: "not reloaded" in line and "--tls-key" in line, TAKEN_UP_SECONDS)
    assert served_certificate(proxy) == before and is_elevated_by_tls(proxy, A)
    key.write_bytes(second.key.read_bytes())
    eventually(lambda: served_certificate(proxy) != before, "the new certificate", TAKEN_UP_SECONDS)
    assert is_elevated_by_tls(proxy, B) and not is_elevated_by_tls(proxy, A)


def test_watching_can_be_turned_off(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    path = tmp_path / "aliases"
    path.write_text(f"a {A}\n")
    proxy = start_proxy(stand_in.uri, "--alias-file", str(path), environment={"WATCH_FILES": "off"})
    assert "files" not in {Path(f"/proc/{proxy.pid}/task/{task}/comm").read_text().strip() for task in os.listdir(f"/proc/{proxy.pid}/task")}
    path.write_text(f"b {B}\n")
    time.sleep(3.5)
    assert is_elevated(proxy, A)


@pytest.mark.parametrize("flags, environment, status, name", [
    (["--watch-files", "maybe"], {}, 64, "--watch-files"), ([], {"WATCH_FILES": "yes"}, 78, "WATCH_FILES"),
])
def test_a_wrong_value_is_one_line(flags: list[str], environment: dict[str, str], status: int, name: str) -> None:
    ended = subprocess.run([BINARY, *flags], env=clean_environment(environment), capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == status and ended.stderr.count("\n") == 1 and name in ended.stderr and "on or off" in ended.stderr
