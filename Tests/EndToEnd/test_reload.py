"""SIGHUP: aliases and token file are read again; a bad file keeps the old state; no request is lost."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from harness.client import Client, ask, request
from harness.load import Load
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

OLD = "sntrys_" + "0ld" * 20
NEW = "sntrys_" + "4e7" * 20


def reload(proxy: Proxy, word: str = "msg=reloaded") -> None:
    before = proxy.output.count(word)
    proxy.signal(signal.SIGHUP)
    eventually(lambda: proxy.output.count(word) > before, f"the log says {word}")


def is_elevated(proxy: Proxy, alias: str) -> bool:
    return ask(proxy.address, request("GET", "/api/0/organizations/", f"Authorization: Bearer {alias}")).status == 200


def test_aliases_come_and_go(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    path = tmp_path / "aliases"
    path.write_text("one alias-of-one\n")
    proxy = start_proxy(stand_in.uri, "--alias-file", str(path))
    assert is_elevated(proxy, "alias-of-one") and not is_elevated(proxy, "alias-of-two")
    path.write_text("two alias-of-two\n")
    reload(proxy)
    assert is_elevated(proxy, "alias-of-two") and not is_elevated(proxy, "alias-of-one")
    assert scrape(proxy).sum("reloads_total", result="succeeded") == 1


@pytest.mark.parametrize("text", ["", "two\n", "two alias-of-two\ntwo alias-of-three\n", None])
def test_a_bad_alias_file_keeps_the_old_aliases(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "aliases"
    path.write_text("one alias-of-one\n")
    proxy = start_proxy(stand_in.uri, "--alias-file", str(path))
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    reload(proxy, "not reloaded, the old aliases and certificates stay")
    assert is_elevated(proxy, "alias-of-one") and not is_elevated(proxy, "alias-of-two")
    assert scrape(proxy).sum("reloads_total", result="failed") == 1
    line = next(line for line in proxy.lines if "not reloaded" in line)
    assert "--alias-file" in line and "alias-of" not in line


def test_the_token_file_is_read_again(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    stand_in.set_tokens([OLD])
    path = tmp_path / "token"
    path.write_text(OLD)
    proxy = start_proxy(stand_in.uri, "--token-file", str(path), token=None)
    assert is_elevated(proxy, "nothing")
    stand_in.set_tokens([NEW])
    path.write_text(NEW)
    proxy.signal(signal.SIGHUP)
    eventually(lambda: is_elevated(proxy, "nothing"), "the new token is in use")
    path.write_text("")
    proxy.signal(signal.SIGHUP)
    proxy.wait_for_line(lambda line: "the last good token stays in use" in line)
    assert is_elevated(proxy, "nothing")
    assert OLD not in proxy.output and NEW not in proxy.output


def test_a_request_in_flight_is_not_disturbed(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    path = tmp_path / "aliases"
    path.write_text("one alias-of-one\n")
    proxy = start_proxy(stand_in.uri, "--alias-file", str(path))
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head", "Authorization: Bearer alias-of-one"))
        stand_in.records(requests=1)
        path.write_text("two alias-of-two\n")
        reload(proxy)
        stand_in.release()
        assert client.read_answer().status == 200
    # The line names the alias that the request came with, not its successor at the same place.
    line = proxy.wait_for_line(lambda text: "path=/behave/hold-head" in text)
    assert "alias=one" in line
    assert scrape(proxy).sum("alias_requests_total", alias="one") == 1


def reload_under_load(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path, rate: int, seconds: float, pause: float) -> None:
    path = tmp_path / "aliases"
    path.write_text("one alias-of-one\n")
    proxy = start_proxy(stand_in.uri, "--threads", "2", "--alias-file", str(path), "--access-log", "off")
    load = Load(proxy.address, rate, seconds, fields=["Authorization: Bearer alias-of-one"])
    end = time.monotonic() + seconds
    reloads = 0
    while time.monotonic() < end - 0.5:
        path.write_text(f"one alias-of-one\nnumber{reloads} alias-number-{reloads}\n")
        reload(proxy)
        reloads += 1
        time.sleep(pause)
    result = load.wait()
    print(f"\n{result.sent} requests, {reloads} reloads, failures {result.unconnected} {result.broken}")
    assert result.sent == result.ok > 0.9 * rate * seconds
    assert scrape(proxy).sum("reloads_total", result="succeeded") == reloads > 3


def test_no_request_is_lost_by_reloads(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    reload_under_load(stand_in, start_proxy, tmp_path, rate=150, seconds=4, pause=0.1)
