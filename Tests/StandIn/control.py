"""The stand-in's second port: read the records, change the tokens, open the gate."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from sentry import StandIn


class Control(BaseHTTPRequestHandler):
    """
    GET  /records?requests=N&ended=N&seconds=S   waits until there are so many, or the time is over
    POST /reset                                  forgets records, releases, chunks and scopes; shuts the gate
    POST /release                                opens the gate for behaviours that hold still
    PUT  /tokens        ["…"]                    the tokens that are valid from now on
    PUT  /scopes        ["…"] or null            what is said of the scopes of every token
    PUT  /url-prefix    "http://…"               `system.url-prefix`
    PUT  /canned?name=N bytes                    an answer for /behave/canned?name=N
    """

    stand_in: StandIn

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path != "/records":
            self.answer(404, {"detail": "unknown"})
            return
        wanted = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.answer(200, self.stand_in.records.snapshot(
            int(wanted.get("requests", 0)), int(wanted.get("ended", 0)), float(wanted.get("seconds", 0)),
        ))

    def do_POST(self) -> None:
        self.body()
        if self.path == "/reset":
            self.stand_in.records.reset()
            self.stand_in.gate.shut()
            self.stand_in.api.forget()
            self.stand_in.canned.clear()
        elif self.path == "/release":
            self.stand_in.gate.open()
        else:
            self.answer(404, {"detail": "unknown"})
            return
        self.answer(200, {})

    def do_PUT(self) -> None:
        parts = urlsplit(self.path)
        body = self.body()
        if parts.path == "/tokens":
            self.stand_in.api.tokens = set(json.loads(body))
        elif parts.path == "/scopes":
            self.stand_in.api.scopes = json.loads(body)
        elif parts.path == "/url-prefix":
            self.stand_in.api.url_prefix = json.loads(body)
        elif parts.path == "/canned":
            self.stand_in.canned[parse_qs(parts.query)["name"][0]] = body
        else:
            self.answer(404, {"detail": "unknown"})
            return
        self.answer(200, {})

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: Any) -> None:
        """Silent: the tests read answers, not logs."""


def control_server(stand_in: StandIn, address: tuple[str, int]) -> ThreadingHTTPServer:
    handler = type("BoundControl", (Control,), {"stand_in": stand_in})
    server = ThreadingHTTPServer(address, handler)
    server.daemon_threads = True
    return server
