"""The token appears nowhere but in the request to the upstream."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.client import Client, ask, request
from harness.proxy import StartProxy
from harness.upstream import TOKEN, StandIn

BEHAVIOURS = ["sized", "reset-head", "partial-head", "giant-head", "short", "broken-chunks", "splitting?by=lf", "early", "hold-head"]


@pytest.mark.parametrize("source", ["file", "environment"])
def test_the_token_is_in_no_log_no_command_line_and_no_answer(
    stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path, source: str
) -> None:
    flags = ["--log-level", "trace", "--response-timeout", "0.3"]
    if source == "file":
        (tmp_path / "token").write_text(TOKEN)
        proxy = start_proxy(stand_in.uri, *flags, "--token-file", str(tmp_path / "token"), token=None)
    else:
        proxy = start_proxy(stand_in.uri, *flags)
    answers = [ask(proxy.address, request("GET", f"/behave/{name}", "Accept: */*")) for name in BEHAVIOURS]
    answers.append(ask(proxy.address, request("TRACE", "/")))
    answers.append(ask(proxy.address, b"GET / HTTP/1.1\r\nbroken\r\n\r\n"))
    with Client(proxy.address) as client:
        client.send(request("POST", "/behave/hold-head", "Content-Length: 10"))
        client.reset()
    sent = [entry["head"] for entry in stand_in.records(requests=len(BEHAVIOURS))["requests"]]
    assert any(TOKEN in head for head in sent), "the token must have been sent at all"
    proxy.stop()
    assert all(TOKEN.encode() not in answer.raw for answer in answers)
    assert TOKEN not in proxy.output
    assert proxy.output.strip(), "there is a log to look through"


def test_the_token_is_not_in_the_title_of_the_process(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri)
    for name in ("cmdline", "comm"):
        assert TOKEN.encode() not in Path(f"/proc/{proxy.pid}/{name}").read_bytes()
