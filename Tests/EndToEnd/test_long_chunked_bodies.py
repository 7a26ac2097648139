"""A chunked request body that the replay buffer does not hold: refused, forwarded as it is, or spooled (`--long-chunked-body`)."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from harness.client import Client, ask, request
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import BINARY, Proxy, StartProxy, clean_environment
from harness.scripted import Scripted
from harness.upstream import StandIn

BUFFER = 262_144


def chunked(body: bytes, step: int = 60_000) -> bytes:
    pieces = (body[start : start + step] for start in range(0, len(body), step))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def post(body: bytes, *lines: str) -> bytes:
    return request("POST", "/behave/sized", "Transfer-Encoding: chunked", *lines) + chunked(body)


def test_a_long_chunked_body_is_refused_and_nothing_is_sent_on(proxy: Proxy, stand_in: StandIn) -> None:
    for accept in ("application/json", "text/plain"):
        answer = ask(proxy.address, post(b"x" * (BUFFER + 1), f"Accept: {accept}"))
        assert answer.status == 411 and answer.complete, answer.raw
        message = answer.json["detail"] if accept == "application/json" else answer.body.decode()
        assert "Content-Length" in message and "chunked" in message
        assert answer.value("Connection") == "close"
    stand_in.assert_untouched()
    line = proxy.wait_for_line(lambda text: "status=411" in text)
    assert "cause=length_required" in line
    assert scrape(proxy).sum("request_failures_total", cause="length_required") == 2


def test_a_chunked_body_that_the_buffer_holds_is_sent_with_its_length(proxy: Proxy, stand_in: StandIn) -> None:
    assert ask(proxy.address, post(b"x" * BUFFER)).status == 200
    seen = stand_in.request()
    assert (seen["framing"], seen["body_length"], seen["body_complete"]) == ("length", BUFFER, True)


def test_forward_sends_a_long_chunked_body_as_it_is(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "forward")
    assert ask(proxy.address, post(b"x" * 1_000_000)).status == 200
    seen = stand_in.request()
    assert (seen["framing"], seen["body_length"], seen["body_complete"]) == ("chunked", 1_000_000, True)


def spooled(proxy: Proxy) -> int:
    return int(scrape(proxy).sum("spooled_bytes"))


def files_of(proxy: Proxy) -> int:
    """Spooled bodies that the process has open: files without a name, or memory."""
    links = [link.readlink() for link in Path(f"/proc/{proxy.pid}/fd").iterdir() if link.is_symlink()]
    return sum("sentry-api-proxy-" in str(link) or "memfd:spool" in str(link) for link in links)


@pytest.mark.parametrize("place", ["folder", "memory"])
@pytest.mark.parametrize("size", [BUFFER + 1, 5_000_000])
def test_spool_sends_a_long_chunked_body_with_its_length(
    stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path, size: int, place: str
) -> None:
    folder = str(tmp_path) if place == "folder" else "memory"
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "spool", "--spool-dir", folder, "--threads", "1")
    body = bytes(range(251)) * (size // 251) + b"y" * (size % 251)
    assert ask(proxy.address, post(body)).status == 200
    seen = stand_in.request()
    assert (seen["framing"], seen["body_length"], seen["body_complete"]) == ("length", size, True)
    assert seen["body_sha256"] == hashlib.sha256(body).hexdigest()
    eventually(lambda: spooled(proxy) == 0 and files_of(proxy) == 0, "nothing is left")
    assert list(tmp_path.iterdir()) == []


def test_a_spooled_body_has_no_name_and_goes_with_its_client(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "spool", "--spool-dir", str(tmp_path), "--threads", "1")
    with Client(proxy.address) as client:
        client.send(post(b"x" * 2_000_000)[:-10])
        eventually(lambda: spooled(proxy) > 1_900_000 and files_of(proxy) == 1, "it is spooled")
        assert list(tmp_path.iterdir()) == []
        held = scrape(proxy).sum("held_memory_bytes")
        assert held < 1_000_000, held
        client.reset()
    eventually(lambda: spooled(proxy) == 0 and files_of(proxy) == 0, "nothing is left")
    stand_in.assert_untouched()


def test_more_than_max_spool_is_refused(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "spool", "--spool-dir", str(tmp_path), "--max-spool", "1MiB")
    answer = ask(proxy.address, post(b"x" * 2_000_000))
    assert answer.status == 503 and answer.value("Retry-After")
    assert "cause=spool_failed" in proxy.wait_for_line(lambda text: "status=503" in text)
    stand_in.assert_untouched()
    eventually(lambda: spooled(proxy) == 0, "nothing is left")
    assert ask(proxy.address, post(b"x" * 900_000)).status == 200


def test_more_than_max_body_is_refused(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "spool", "--spool-dir", str(tmp_path), "--max-body", "1000000")
    assert ask(proxy.address, post(b"x" * 1_000_001)).status == 413
    assert ask(proxy.address, post(b"x" * 1_000_000)).status == 200


def test_memory_that_is_spooled_to_counts_in_the_budget(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--long-chunked-body", "spool", "--spool-dir", "memory", "--memory-budget", "4MiB")
    with Client(proxy.address) as client:
        client.send(post(b"x" * 2_000_000)[:-10])
        eventually(lambda: scrape(proxy).sum("held_memory_bytes") > 1_900_000, "it counts")
    assert ask(proxy.address, post(b"x" * 6_000_000)).status == 503
    eventually(lambda: scrape(proxy).sum("held_memory_bytes") == 0, "nothing is left")


def test_an_upstream_that_answers_early_ends_the_sending(start_proxy: StartProxy, tmp_path: Path) -> None:
    upstream = Scripted(lambda sock, _: (sock.recv(1000), sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"))[1])
    proxy = start_proxy(upstream.uri, "--long-chunked-body", "spool", "--spool-dir", str(tmp_path), "--threads", "1")
    for _ in range(5):
        assert ask(proxy.address, post(b"x" * 20_000_000)).status in (413, 502)
    eventually(lambda: spooled(proxy) == 0 and files_of(proxy) == 0, "nothing is left")
    assert scrape(proxy).sum("impossible_steps_total") == 0
    upstream.close()


def test_a_folder_that_takes_no_files_ends_the_start(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    ended = subprocess.run([BINARY, "--listen", "127.0.0.1:0", "--token", "t", "--long-chunked-body", "spool", "--spool-dir", missing],
                           env=clean_environment({}), capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 64
    assert "--spool-dir" in ended.stderr and missing in ended.stderr and ended.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments, variables, status, name", [
    (["--long-chunked-body", "keep"], {}, 64, "--long-chunked-body"), ([], {"LONG_CHUNKED_BODY": "411"}, 78, "LONG_CHUNKED_BODY"),
])
def test_another_word_ends_the_start(arguments: list[str], variables: dict[str, str], status: int, name: str) -> None:
    ended = subprocess.run([BINARY, "--listen", "127.0.0.1:0", "--token", "t", *arguments], env=clean_environment(variables),
                           capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == status
    assert name in ended.stderr and "refuse, forward or spool" in ended.stderr and ended.stderr.count("\n") == 1
