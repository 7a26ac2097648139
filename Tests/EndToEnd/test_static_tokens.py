"""Which token wins, and what a token file does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.client import ask, request
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
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
