#!/usr/bin/env python3
"""A stand-in for Sentry's authorization server (RFC 8628, RFC 6749 §6) and a bit of its API. Not part of the product.

    oauth.py [--listen 127.0.0.1:0] [--interval 5] [--code-life 600] [--token-life 2592000] [--client-id ID]

Answers, errors and timings are Sentry's; the interval is an argument so that tests are quick. As at Sentry a refresh replaces
both tokens in place: the old access token is refused from that moment on, and the old refresh token is good for nothing.
Prints `listening on 127.0.0.1:PORT`. Its tests steer it by `/control/…` on the same port; see `Control`.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import ssl
import struct
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from ending import end_on_signal

CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REALM = 'Basic realm="oauth"'
SCOPES = {
    "org:read", "org:write", "org:admin", "org:integrations", "org:ci", "member:read", "member:invite", "member:write",
    "member:admin", "team:read", "team:write", "team:admin", "project:read", "project:write", "project:admin",
    "project:releases", "project:distribution", "event:read", "event:write", "event:admin", "alerts:read", "alerts:write",
    "openid", "profile", "email",
}


@dataclass
class Code:
    user_code: str
    scope: str
    created: float
    polled: float = float("-inf")
    interval: float = 5
    verdict: str = "pending"  # or "approved", "denied"
    granted: str | None = None


@dataclass
class Grant:
    access: str
    refresh: str
    scope: str
    # On the monotonic clock.
    expires: float = 0


@dataclass
class Settings:
    """What `PUT /control/settings` may change."""

    interval: float = 5
    code_life: float = 600
    token_life: float = 2_592_000
    client_id: str = "client"
    # Seconds between the rotation and the answer to a refresh.
    refresh_delay: float = 0
    # How many of the next calls fail in this way: "reset", "500", "429", "html", "cut".
    faults: list[str] = field(default_factory=list)
    # Answer to every API call with any token, as Sentry does when an address is not allowed.
    api_status: int = 0
    # A path that answers 401 to every token, as one for relays does.
    refused_path: str = ""
    verification_uri: str = ""
    scope_as_array: bool = False
    # The next poll is answered with slow_down, and the code's interval is five seconds longer from then on.
    slow: bool = False


def random_word() -> str:
    """64 hexadecimal digits. The tests look for SECRET_MARK in what the program writes."""
    return (os.environ.get("SECRET_MARK", "") + secrets.token_hex(32))[:64]


class Server:
    def __init__(self, settings: Settings, prefix: str) -> None:
        self.lock = threading.Lock()
        self.settings = settings
        self.prefix = prefix
        self.codes: dict[str, Code] = {}
        self.grants: list[Grant] = []
        self.log: list[dict[str, Any]] = []
        self.accepted: dict[str, int] = {}
        self.refused = 0
        self.asked: dict[str, int] = {}

    def record(self, what: str, **more: Any) -> None:
        self.log.append({"what": what, "at": time.monotonic(), **more})

    # Every method below is called with the lock held.

    def start(self, form: dict[str, str]) -> tuple[int, Any]:
        if form.get("client_id") != self.settings.client_id:
            return 401, {"error": "invalid_client"}
        scope = form.get("scope", "")
        if not set(scope.split()) <= SCOPES:
            return 400, {"error": "invalid_scope"}
        device_code = random_word()
        letters = "".join(secrets.choice(CONSONANTS) for _ in range(8))
        user_code = f"{letters[:4]}-{letters[4:]}"
        self.codes[device_code] = Code(user_code, scope, time.monotonic(), interval=self.settings.interval)
        self.record("device_code", scope=scope)
        uri = self.settings.verification_uri or f"{self.prefix}/oauth/device/"
        return 200, {
            "device_code": device_code, "user_code": user_code, "verification_uri": uri,
            "verification_uri_complete": f"{uri}?user_code={user_code}",
            "expires_in": self.settings.code_life, "interval": self.settings.interval,
        }

    def token(self, form: dict[str, str]) -> tuple[int, Any]:
        if form.get("client_id") != self.settings.client_id:
            return 401, {"error": "invalid_client"}
        grant_type = form.get("grant_type")
        if grant_type == DEVICE_GRANT:
            return self.poll(form)
        if grant_type == "refresh_token":
            return self.refresh(form)
        return 400, {"error": "unsupported_grant_type"}

    def poll(self, form: dict[str, str]) -> tuple[int, Any]:
        code = self.codes.get(form.get("device_code", ""))
        self.record("poll")
        if code is None:
            return 400, {"error": "invalid_grant"}
        now = time.monotonic()
        if now - code.created > self.settings.code_life:
            return 400, {"error": "expired_token"}
        # A little less than the interval, as two clocks and a network never agree to the millisecond.
        too_soon = now - code.polled < code.interval * 0.9
        code.polled = now
        if too_soon or self.settings.slow:
            self.settings.slow = False
            code.interval += 5
            self.record("slow_down")
            return 400, {"error": "slow_down"}
        if code.verdict == "denied":
            del self.codes[form["device_code"]]
            return 400, {"error": "access_denied"}
        if code.verdict == "pending":
            return 400, {"error": "authorization_pending"}
        del self.codes[form["device_code"]]
        grant = Grant("", "", code.scope if code.granted is None else code.granted)
        self.grants.append(grant)
        return 200, self.issue(grant)

    def refresh(self, form: dict[str, str]) -> tuple[int, Any]:
        if "scope" in form:
            return 400, {"error": "invalid_request"}
        grant = next((grant for grant in self.grants if grant.refresh == form.get("refresh_token")), None)
        self.record("refresh", good=grant is not None)
        if grant is None:
            return 400, {"error": "invalid_grant"}
        return 200, self.issue(grant)

    def issue(self, grant: Grant) -> dict[str, Any]:
        grant.access = "sntrya_" + random_word()
        grant.refresh = "sntryr_" + random_word()
        life = self.settings.token_life
        grant.expires = time.monotonic() + life
        scope: Any = grant.scope.split() if self.settings.scope_as_array else grant.scope
        return {
            "access_token": grant.access, "refresh_token": grant.refresh, "expires_in": life,
            "expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + life)), "token_type": "Bearer",
            "scope": scope, "user": {"id": "7", "name": "Ada", "email": "ada@example.com"},
        }


class Handler(BaseHTTPRequestHandler):
    """
    GET  /control/state                 grants, log, and how often each access token was accepted
    POST /control/approve  {"scope"?}   every open code is approved, with this scope if one is given
    POST /control/deny
    POST /control/forget                every grant is withdrawn
    POST /control/spoil                 every access token is forgotten, the refresh tokens stay good
    POST /control/grant                 makes a grant as if somebody had signed in, and answers as a token request
    PUT  /control/settings {…}          see `Settings`
    """

    server_version = "stand-in"
    protocol_version = "HTTP/1.1"
    state: Server

    def do_GET(self) -> None:
        if self.path == "/control/state":
            with self.state.lock:
                self.answer(200, {
                    "grants": [vars(grant) for grant in self.state.grants], "log": self.state.log,
                    "accepted": self.state.accepted, "refused": self.state.refused, "asked": self.state.asked,
                    "codes": [vars(code) | {"polled": None} for code in self.state.codes.values()],
                })
        elif self.path.startswith("/api/"):
            self.api()
        elif self.path.startswith("/oauth/"):
            self.answer(405, {"error": "method_not_allowed"})
        else:
            self.answer(404, {"detail": "The requested resource does not exist"})

    def do_PUT(self) -> None:
        body = self.body()
        if self.path == "/control/settings":
            with self.state.lock:
                for name, value in json.loads(body).items():
                    setattr(self.state.settings, name, value)
            self.answer(200, {})
        elif self.path.startswith("/api/"):
            self.api()
        else:
            self.answer(404, {})

    def do_POST(self) -> None:
        body = self.body()
        if self.path.startswith("/control/"):
            self.control(self.path.removeprefix("/control/"), json.loads(body or b"{}"))
        elif self.path in ("/oauth/device/code/", "/oauth/token/"):
            self.oauth({name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()})
        elif self.path.startswith("/api/"):
            self.api()
        else:
            self.answer(404, {})

    def oauth(self, form: dict[str, str]) -> None:
        with self.state.lock:
            fault = self.state.settings.faults.pop(0) if self.state.settings.faults else ""
        if fault:
            self.fail(fault)
            return
        with self.state.lock:
            status, value = self.state.start(form) if self.path == "/oauth/device/code/" else self.state.token(form)
            delay = self.state.settings.refresh_delay if form.get("grant_type") == "refresh_token" else 0
        if delay:
            time.sleep(delay)
        self.answer(status, value)

    def fail(self, how: str) -> None:
        self.close_connection = True
        if how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        elif how == "html":
            data = b"<h1>Bad Gateway</h1>"
            self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data))
        else:
            self.answer(int(how), {"error": "server_error"})

    def control(self, what: str, value: dict[str, Any]) -> None:
        with self.state.lock:
            if what in ("approve", "deny"):
                for code in self.state.codes.values():
                    code.verdict = "approved" if what == "approve" else "denied"
                    code.granted = value.get("scope")
                self.answer(200, {"codes": len(self.state.codes)})
            elif what == "forget":
                self.state.grants.clear()
                self.answer(200, {})
            elif what == "spoil":
                for grant in self.state.grants:
                    grant.access = ""
                self.answer(200, {})
            elif what == "grant":
                grant = Grant("", "", value.get("scope", "org:read"))
                self.state.grants.append(grant)
                self.answer(200, self.state.issue(grant))
            else:
                self.answer(404, {})

    def api(self) -> None:
        words = (self.headers.get("Authorization") or "").split(" ")
        token = words[1] if len(words) == 2 and words[0].lower() == "bearer" else ""
        with self.state.lock:
            self.state.asked[self.path] = self.state.asked.get(self.path, 0) + 1
            status = 401 if self.path == self.state.settings.refused_path else self.state.settings.api_status
            good = any(grant.access == token and time.monotonic() < grant.expires for grant in self.state.grants)
            if good and not status:
                self.state.accepted[token] = self.state.accepted.get(token, 0) + 1
            else:
                self.state.refused += 1
        if status:
            self.answer(status, {"detail": "as told"})
        elif good:
            self.answer(200, {"version": "0", "auth": {"scopes": []}, "user": {"id": "7"}})
        else:
            self.answer(401, {"detail": "Invalid token"}, {"WWW-Authenticate": 'xBasic realm="api"'})

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, value: Any, fields: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if isinstance(value, dict) and value.get("error") == "invalid_client":
            self.send_header("WWW-Authenticate", REALM)
        for name, text in (fields or {}).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: Any) -> None:
        """Silent: the tests read answers, not logs."""


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        # A client that was killed is part of the tests.
        if not isinstance(error, ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for Sentry's authorization server.")
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--interval", type=float, default=5)
    parser.add_argument("--code-life", type=float, default=600)
    parser.add_argument("--token-life", type=float, default=2_592_000)
    parser.add_argument("--client-id", default="client")
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    options = parser.parse_args()
    end_on_signal()
    host, _, port = options.listen.rpartition(":")
    handler = type("BoundHandler", (Handler,), {})
    listener = Listener((host, int(port)), handler)
    scheme = "http"
    if options.tls_cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls_cert, options.tls_key)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        scheme = "https"
    address = f"{host}:{listener.server_address[1]}"
    settings = Settings(options.interval, options.code_life, options.token_life, options.client_id)
    handler.state = Server(settings, f"{scheme}://{address}")
    print(f"listening on {address}", flush=True)
    listener.serve_forever()


if __name__ == "__main__":
    main()
