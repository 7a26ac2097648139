"""The stand-in Sentry as a child process, and a raw upstream inside the test for answers given byte by byte."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.process import Child
from harness.secrecy import LEDGER, MARK

STAND_IN = Path(__file__).resolve().parents[2] / "StandIn" / "sentry.py"
# As long as Sentry's.
TOKEN = "sntryu_" + (MARK * 5)[:64]


class StandIn:
    """Tests/StandIn/sentry.py, with its control port."""

    def __init__(self, tokens: Sequence[str] = (TOKEN,), listen: str = "127.0.0.1:0", extra: Sequence[str] = ()) -> None:
        command = [sys.executable, str(STAND_IN), "--listen", listen, *extra]
        for token in tokens:
            command += ["--token", token]
        self._default_tokens = list(tokens)
        self.child = Child(command, os.environ, stream="stdout")
        line = self.child.wait_for_line(lambda text: text.startswith("listening on "))
        match = re.fullmatch(r"listening on (\S+) control (\S+):(\d+)", line)
        assert match, line
        self.address = match.group(1)
        self._control = (match.group(2), int(match.group(3)))

    @property
    def uri(self) -> str:
        return f"http://{self.address}"

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def _ask(self, method: str, path: str, body: bytes = b"", seconds: float = 10.0) -> Any:
        connection = http.client.HTTPConnection(*self._control, timeout=seconds + 30)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            data = json.loads(answer.read())
            assert answer.status == 200, (path, answer.status)
            return data
        finally:
            connection.close()

    def records(self, requests: int = 0, ended: int = 0, seconds: float = 20.0) -> dict[str, Any]:
        """What was seen, once there are so many requests and ended connections; else what there is after the time."""
        return self._ask("GET", f"/records?requests={requests}&ended={ended}&seconds={seconds}", seconds=seconds)

    def request(self) -> dict[str, Any]:
        """The one request that was seen, whole."""
        seen = self.records(requests=1, ended=1)["requests"]
        assert len(seen) == 1, seen
        return seen[0]

    def assert_untouched(self) -> None:
        seen = self.records()
        assert seen == {"connections": [], "requests": []}, f"the upstream was reached: {seen}"

    def forget(self) -> None:
        """What was seen and sent."""
        self._ask("POST", "/reset")

    def reset(self) -> None:
        self.forget()
        self.set_tokens(self._default_tokens)
        self.set_url_prefix(self.uri)

    def release(self) -> None:
        self._ask("POST", "/release")

    def set_tokens(self, tokens: Sequence[str]) -> None:
        for token in tokens:
            LEDGER.hand_out("token", token)
        self._ask("PUT", "/tokens", json.dumps(list(tokens)).encode())

    def set_scopes(self, scopes: Sequence[str] | None) -> None:
        """Of every token, until the next `forget`; without it all that there are."""
        self._ask("PUT", "/scopes", json.dumps(scopes).encode())

    def set_url_prefix(self, prefix: str) -> None:
        self._ask("PUT", "/url-prefix", json.dumps(prefix).encode())

    def set_canned(self, name: str, answer: bytes) -> None:
        self._ask("PUT", f"/canned?name={name}", answer)

    def stop(self) -> None:
        self.child.process.terminate()
        self.child.wait(10)


class RawUpstream:
    """Reads one request head a connection, then sends the given pieces and closes."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = list(pieces)
        self.heads: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                try:
                    self._answer(sock)
                except OSError:
                    continue

    def _answer(self, sock: socket.socket) -> None:
        sock.settimeout(10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = b""
        while b"\r\n\r\n" not in head:
            data = sock.recv(65536)
            if not data:
                return
            head += data
        self.heads.append(head)
        for piece in self.pieces:
            sock.sendall(piece)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass

    def close(self) -> None:
        # close() alone leaves a thread that is inside accept() where it is.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(15)
