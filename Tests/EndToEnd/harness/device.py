"""The requests of getsentry/cli 0.44 in a device flow, byte for byte: `sentry auth login --url … --read-only` on Node 20."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from harness.client import Answer, ask
from harness.proxy import Proxy, StartProxy, run_to_end
from harness.upstream import StandIn

# The id that the command line has when nothing else is set.
CLIENT = "1d673b81d60ef84c951359c36296972ca6fd41bd8f45acd2d3a783a3b3c28e41"
ALIAS = "sap_" + "a" * 43
READ_ONLY = "project:read org:read event:read member:read team:read alerts:read"
EVERYTHING = ("project:read project:write project:admin org:read event:read event:write member:read "
              "team:read team:write team:admin alerts:read alerts:write")
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
FORM = "application/x-www-form-urlencoded"
PROGRAM = "sentry-cli/0.44.0 (linux-x64) node/20.20.2"


def fetch(address: tuple[str, int], method: str, target: str, *lines: str, body: str = "", host: str | None = None) -> Answer:
    """What Node 20's fetch (undici) sends: the program's own fields stand between its `connection` and its `accept`."""
    return ask(address, message(address, method, target, *lines, body=body, host=host))


def message(address: tuple[str, int], method: str, target: str, *lines: str, body: str = "", host: str | None = None) -> bytes:
    names = [line.partition(":")[0].lower() for line in lines]
    fields = [f"host: {host or f'{address[0]}:{address[1]}'}", "connection: keep-alive", *lines, "accept: */*", "accept-language: *",
              "sec-fetch-mode: cors", *(() if "user-agent" in names else ("user-agent: node",)), "accept-encoding: gzip, deflate"]
    if method != "GET":
        fields.append(f"content-length: {len(body)}")
    return "".join(f"{line}\r\n" for line in (f"{method} {target} HTTP/1.1", *fields, "")).encode() + body.encode()


def post(address: tuple[str, int], target: str, *lines: str, **form: str) -> Answer:
    return fetch(address, "POST", target, f"Content-Type: {FORM}", *lines, body=urlencode(form))


def ask_for_code(address: tuple[str, int], *lines: str, scope: str = READ_ONLY, client: str = CLIENT) -> Any:
    answer = post(address, "/oauth/device/code/", *lines, client_id=client, scope=scope)
    assert answer.status == 200, answer.raw
    return answer.json


def poll(address: tuple[str, int], device_code: str, client: str = CLIENT) -> Answer:
    return post(address, "/oauth/token/", client_id=client, device_code=device_code, grant_type=GRANT)


def get(address: tuple[str, int], target: str, alias: str, *lines: str) -> Answer:
    return fetch(address, "GET", target, f"Authorization: Bearer {alias}", f"User-Agent: {PROGRAM}", *lines)


def starter(stand_in: StandIn, start_proxy: StartProxy, folder: Path) -> Callable[..., Proxy]:
    """What starts proxies with the device flow on, and one state directory."""
    file = folder / "aliases"
    file.write_text(f"ops {ALIAS}\n")
    file.chmod(0o600)

    def start(*flags: str, approval: str = "none") -> Proxy:
        more = ("--device-from", "127.0.0.0/8") if approval == "none" else ()
        proxy = start_proxy(stand_in.uri, "--alias-file", str(file), "--state-dir", str(folder / "state"), "--device-flow", "on",
                            "--device-approval", approval, *more, *flags)
        # It has asked what its token can do: no test is to see that request.
        proxy.wait_for_line(lambda line: "scopes of the token" in line)
        stand_in.forget()
        return proxy

    return start


def command(proxy: Proxy, *words: str) -> subprocess.CompletedProcess[str]:
    """A command for operators, of this proxy."""
    return run_to_end(*words, "--admin-listen", f"127.0.0.1:{proxy.admin[1]}")
