"""Which token wins, and what a token file does."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.metrics import scrape
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.scripted import Scripted, read_request
from harness.upstream import StandIn

SOURCES = ["flag", "file", "SENTRY_AUTH_TOKEN", "SENTRY_TOKEN"]


def sent_token(proxy: Proxy, stand_in: StandIn) -> str:
    stand_in.reset()
    ask(proxy.address, request("GET", "/behave/sized"))
    head = stand_in.request()["head"]
    return next(line for line in head.split("\r\n") if line.startswith("Authorization: ")).removeprefix("Authorization: Bearer ")


@pytest.mark.parametrize("present", [SOURCES[first:] for first in range(len(SOURCES))], ids=lambda names: names[0])
def test_the_first_source_in_the_order_of_precedence_wins(
    stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path, present: list[str]
) -> None:
    flags, environment = [], {}
    for name in present:
        if name == "flag":
            flags += ["--token", "token-of-flag"]
        elif name == "file":
            (tmp_path / "token").write_text("token-of-file\n")
            flags += ["--token-file", str(tmp_path / "token")]
        else:
            environment[name] = f"token-of-{name}"
    proxy = start_proxy(stand_in.uri, *flags, environment=environment, token=None)
    assert sent_token(proxy, stand_in) == f"token-of-{present[0]}"
    assert "token-of-" not in proxy.output


def test_a_file_named_by_the_environment_counts_as_the_flag(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("  from-file \n")
    environment = {"SENTRY_TOKEN_FILE": str(tmp_path / "token"), "SENTRY_AUTH_TOKEN": "shadowed"}
    proxy = start_proxy(stand_in.uri, environment=environment, token=None)
    assert sent_token(proxy, stand_in) == "from-file"


@pytest.mark.parametrize("empty", ["", "   ", "\t"])
def test_an_empty_value_counts_as_unset_and_white_space_is_trimmed(stand_in: StandIn, start_proxy: StartProxy, empty: str) -> None:
    environment = {"SENTRY_AUTH_TOKEN": empty, "SENTRY_TOKEN": " trimmed\t"}
    proxy = start_proxy(stand_in.uri, environment=environment, token=None)
    assert sent_token(proxy, stand_in) == "trimmed"


def test_the_log_names_the_winner_and_the_shadowed_but_no_token(stand_in: StandIn, start_proxy: StartProxy) -> None:
    environment = {"SENTRY_AUTH_TOKEN": "token-a-secret", "SENTRY_TOKEN": "token-b-secret"}
    proxy = start_proxy(stand_in.uri, environment=environment, token=None)
    proxy.wait_for_line(lambda line: "SENTRY_AUTH_TOKEN" in line and "SENTRY_TOKEN" in line.replace("SENTRY_AUTH_TOKEN", ""), 5)
    assert "secret" not in proxy.output


@pytest.mark.parametrize("how", ["written in place", "renamed over", "symbolic link swapped"])
def test_a_changed_token_file_is_read_again(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path, how: str) -> None:
    path = tmp_path / "token"
    if how == "symbolic link swapped":
        (tmp_path / "v1").write_text("old-token")
        path.symlink_to(tmp_path / "v1")
    else:
        path.write_text("old-token")
    proxy = start_proxy(stand_in.uri, "--token-file", str(path), token=None)
    assert sent_token(proxy, stand_in) == "old-token"
    if how == "written in place":
        path.write_text("new-token")
    else:
        other = tmp_path / "v2"
        other.write_text("new-token")
        if how == "symbolic link swapped":
            (tmp_path / "link").symlink_to(other)
            os.replace(tmp_path / "link", path)
        else:
            os.replace(other, path)
    eventually(lambda: sent_token(proxy, stand_in) == "new-token", "the new token in use", 10)


def test_a_token_file_that_goes_bad_keeps_the_last_good_token(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("good-token")
    proxy = start_proxy(stand_in.uri, "--token-file", str(path), token=None)
    path.unlink()
    proxy.wait_for_line(lambda line: "token" in line and ("level=warn" in line or "level=error" in line), 15)
    assert sent_token(proxy, stand_in) == "good-token"


def status_page(proxy: Proxy) -> dict:
    return json.loads(ask(proxy.admin, request("GET", "/status")).body)


def test_a_static_token_that_is_refused_is_seen(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("good-token")
    stand_in.set_tokens(["good-token"])
    proxy = start_proxy(stand_in.uri, "--token-file", str(path), token=None)
    assert ask(proxy.address, request("GET", "/api/0/organizations/")).status == 200
    assert status_page(proxy)["token"]["health"] == "ready"
    stand_in.set_tokens(["next-token"])
    stand_in.records(1, 1)
    for _ in range(30):
        assert ask(proxy.address, request("GET", "/api/0/organizations/")).status == 401
    eventually(lambda: status_page(proxy)["token"]["health"] == "degraded", "degraded")
    assert "401" in status_page(proxy)["token"]["reason"]
    proxy.wait_for_line(lambda line: "level=warning" in line and "revoked" in line and "--token-file" in line, 5)
    samples = scrape(proxy)
    assert samples.sum("upstream_unauthorized_total") == 30 and samples.sum("token_refused") == 1
    # Readiness stays: clients without an alias, and what is not elevated, are served all the same.
    assert ask(proxy.admin, request("GET", "/readyz")).status == 200
    # Thirty refusals cost few questions and one warning.
    assert 1 <= samples.sum("token_questions_total", answer="refused") <= 3
    assert sum("level=warning" in line and "revoked" in line for line in proxy.lines) <= 2
    path.write_text("next-token")
    eventually(lambda: status_page(proxy)["token"]["health"] == "ready", "ready with the new token", 10)
    assert "good-token" not in proxy.output and "next-token" not in proxy.output


def test_a_401_that_is_not_about_a_static_token_degrades_nothing(start_proxy: StartProxy) -> None:
    def play(sock: socket.socket, _: int) -> None:
        status = b"200 OK" if read_request(sock).startswith(b"GET /api/0/ ") else b"401 Unauthorized"
        sock.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    upstream = Scripted(play)
    try:
        proxy = start_proxy(upstream.uri)
        assert ask(proxy.address, request("POST", "/api/0/relays/projectconfigs/", body=b"{}")).status == 401
        eventually(lambda: scrape(proxy).sum("token_questions_total", answer="accepted") == 1, "the question")
        assert status_page(proxy)["token"]["health"] == "ready"
        assert not any("level=warning" in line and "401" in line for line in proxy.lines)
    finally:
        upstream.close()
