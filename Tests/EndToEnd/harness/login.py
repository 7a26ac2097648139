"""The stand-in authorization server as a child process, and the proxy's own commands."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.process import Child
from harness.proxy import BINARY, clean_environment

OAUTH = Path(__file__).resolve().parents[2] / "StandIn" / "oauth.py"
READ_ONLY = ["org:read", "member:read", "team:read", "project:read", "event:read", "alerts:read"]
COMMAND_SECONDS = 60


class AuthorizationServer:
    def __init__(self, *arguments: str) -> None:
        self.child = Child([sys.executable, str(OAUTH), *arguments], os.environ, stream="stdout")
        line = self.child.wait_for_line(lambda text: text.startswith("listening on "))
        self.address = line.removeprefix("listening on ")

    @property
    def uri(self) -> str:
        return f"http://{self.address}"

    def ask(self, method: str, path: str, value: Any = None) -> Any:
        host, _, port = self.address.rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        try:
            connection.request(method, path, b"" if value is None else json.dumps(value).encode())
            answer = connection.getresponse()
            assert answer.status == 200, (path, answer.status)
            return json.loads(answer.read())
        finally:
            connection.close()

    def approve(self, scope: str | None = None) -> int:
        return self.ask("POST", "/control/approve", {} if scope is None else {"scope": scope})["codes"]

    def deny(self) -> int:
        return self.ask("POST", "/control/deny")["codes"]

    def forget(self) -> None:
        self.ask("POST", "/control/forget")

    def set(self, **settings: Any) -> None:
        self.ask("PUT", "/control/settings", settings)

    @property
    def state(self) -> Any:
        return self.ask("GET", "/control/state")

    def count(self, what: str, **said: Any) -> int:
        """How often this was asked, and what else is known of it."""
        return sum(1 for entry in self.state["log"] if {"what": what, **said}.items() <= entry.items())

    def stop(self) -> None:
        self.child.process.terminate()
        self.child.wait(10)


class Commands:
    """Runs the program's commands with a state folder of their own."""

    def __init__(self, state: Path, server: AuthorizationServer) -> None:
        self.state = state
        self.server = server

    @property
    def file(self) -> Path:
        return self.state / "logins.json"

    @property
    def stored(self) -> dict[str, Any]:
        return json.loads(self.file.read_text())["logins"]

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        environment = clean_environment({"STATE_DIR": str(self.state), "SENTRY_URI": self.server.uri, "SENTRY_CLIENT_ID": "client"})
        environment.update(extra or {})
        return environment

    def command(self, *arguments: str) -> list[str]:
        return [BINARY, *arguments]

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.environment(environment), input=stdin, capture_output=True, text=True,
            timeout=COMMAND_SECONDS, check=False)

    def start(self, *arguments: str, **environment: str) -> Child:
        return Child(self.command(*arguments), self.environment(environment))

    def sign_in(self) -> dict[str, Any]:
        """Stores a login by the whole flow."""
        child = self.start("auth", "login")
        child.wait_for_line(lambda line: "enter the code" in line)
        assert self.server.approve() == 1
        assert child.wait(COMMAND_SECONDS) == 0, child.output
        return self.stored[self.server.uri]
