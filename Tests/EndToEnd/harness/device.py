"""The requests of getsentry/cli in a device flow, byte for byte: Node's fetch in `sentry auth login --url … --read-only`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from harness.client import Answer, ask

CLIENT = "1d673b81e2b4d4a1a5a0fb9ad8cba0e2b9d1f8ff3f9f6a3d0a9dbb0f2f9f6d11"
READ_ONLY = "project:read org:read event:read member:read team:read alerts:read"
EVERYTHING = ("project:read project:write project:admin org:read event:read event:write member:read "
              "team:read team:write team:admin alerts:read alerts:write")
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
FORM = "application/x-www-form-urlencoded"


def fetch(address: tuple[str, int], method: str, target: str, *lines: str, body: str = "", host: str | None = None) -> Answer:
    """What Node's fetch (undici) sends, its own fields behind those of the program."""
    fields = [f"Host: {host or f'{address[0]}:{address[1]}'}", "connection: keep-alive", *lines, "accept: */*",
              "accept-language: *", "sec-fetch-mode: cors", "user-agent: sentry-cli/0.40.0 (linux-x64; node-22)",
              "accept-encoding: gzip, deflate"]
    if method == "POST":
        fields.append(f"content-length: {len(body)}")
    head = "".join(f"{line}\r\n" for line in (f"{method} {target} HTTP/1.1", *fields, ""))
    return ask(address, head.encode() + body.encode())


def post(address: tuple[str, int], target: str, *lines: str, **form: str) -> Answer:
    return fetch(address, "POST", target, f"content-type: {FORM}", *lines, body=urlencode(form))


def ask_for_code(address: tuple[str, int], *lines: str, scope: str = READ_ONLY, client: str = CLIENT) -> Any:
    answer = post(address, "/oauth/device/code/", *lines, client_id=client, scope=scope)
    assert answer.status == 200, answer.raw
    return answer.json


def poll(address: tuple[str, int], device_code: str, client: str = CLIENT) -> Answer:
    return post(address, "/oauth/token/", client_id=client, device_code=device_code, grant_type=GRANT)


def get(address: tuple[str, int], target: str, alias: str, *lines: str) -> Answer:
    return fetch(address, "GET", target, f"authorization: Bearer {alias}", *lines)
