#!/usr/bin/env python3
"""A stand-in for the Sentry API, for the tests and the demo. Not part of the product.

    sentry.py [--listen 127.0.0.1:0 | --listen unix:PATH] [--control 127.0.0.1:0] [--token T ...]

Prints one line when it listens: `listening on 127.0.0.1:PORT control 127.0.0.1:PORT2`. Ends on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import itertools
import socket
import ssl
import sys
import threading
from http import HTTPStatus

from api import Reply, SentryAPI
from behave import BEHAVIOURS, Gate, Stage
from control import control_server
from ending import end_on_signal
from records import Records
from wire import Connection, Malformed, PeerLeft, Request, parse_head

BACKLOG = 4096
THREAD_STACK_BYTES = 256 << 10


class StandIn:
    """Accepts on one listener; a thread for each connection; one request a connection, then FIN."""

    def __init__(self, tokens: set[str], url_prefix: str, quiet: bool = True) -> None:
        self.records = Records()
        self.gate = Gate()
        self.canned: dict[str, bytes] = {}
        self.api = SentryAPI(tokens, url_prefix)
        self.quiet = quiet
        self._idents = itertools.count(1)

    def accept_forever(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            sock, _ = listener.accept()
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            arguments = (sock, context, next(self._idents))
            threading.Thread(target=self.serve, args=arguments, daemon=True).start()

    def serve(self, sock: socket.socket, context: ssl.SSLContext | None, ident: int) -> None:
        if context is not None:
            try:
                sock = context.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                return
        self.records.connected(ident)
        connection = Connection(sock, ident)
        try:
            how = self.exchange(connection)
            if how is None:
                how = connection.finish()
        except PeerLeft as left:
            how = left.how
            sock.close()
        except (Malformed, ValueError, KeyError) as error:
            print(f"stand-in: connection {ident}: {error!r}", file=sys.stderr, flush=True)
            how = "malformed"
            sock.close()
        self.records.ended(connection, how)

    def exchange(self, connection: Connection) -> str | None:
        """One request and its answer. Returns "reset" if the connection is closed already."""
        request = parse_head(connection.read_head())
        entry = self.records.head_read(connection, request)
        if not self.quiet:
            print(request.head.decode("latin-1").rstrip().replace("\r\n", "\n"), flush=True)

        def read_body() -> None:
            try:
                connection.read_body(request)
            finally:
                self.records.body_read(entry, request)

        if request.path.startswith("/behave/"):
            play = BEHAVIOURS.get(request.path.removeprefix("/behave/"))
            if play is None:
                raise Malformed(f"no behaviour at {request.path}")

            def refused() -> bytes | None:
                refusal = self.api.refusal(request)
                return encode(refusal, request) if refusal else None

            return play(Stage(connection, request, read_body, self.gate.reading, self.canned, refused))
        read_body()
        if request.path.startswith("/oauth/") and "oauth" in self.canned:
            connection.send(self.canned["oauth"])
            return None
        connection.send(encode(self.api.answer(request), request))
        return None


def encode(reply: Reply, request: Request) -> bytes:
    try:
        reason = HTTPStatus(reply.status).phrase
    except ValueError:
        reason = ""
    fields = list(reply.fields)
    if reply.status not in (204, 304):
        fields.append(("Content-Length", str(len(reply.body))))
    fields.append(("Connection", "close"))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    body = b"" if request.method == "HEAD" else reply.body
    return f"HTTP/1.1 {reply.status} {reason}\r\n{head}\r\n".encode("latin-1") + body


def listen(address: str) -> tuple[socket.socket, str]:
    """Binds `host:port` or `unix:PATH`; returns the listener and the address that it got."""
    if address.startswith("unix:"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address.removeprefix("unix:"))
        listener.listen(BACKLOG)
        return listener, address
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host.strip("[]"), int(port)))
    listener.listen(BACKLOG)
    return listener, f"{host}:{listener.getsockname()[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for the Sentry API.")
    parser.add_argument("--listen", default="127.0.0.1:0", help="host:port or unix:PATH")
    parser.add_argument("--control", default="127.0.0.1:0", help="host:port of the control listener")
    parser.add_argument("--token", action="append", default=[], help="a token to accept; may be repeated")
    parser.add_argument("--url-prefix", help="system.url-prefix; default: the address listened on")
    parser.add_argument("--tls-cert", help="serve TLS with this certificate chain")
    parser.add_argument("--tls-key", help="the certificate's key")
    parser.add_argument("--show", action="store_true", help="print each request head as it arrives")
    options = parser.parse_args()

    end_on_signal()
    threading.stack_size(THREAD_STACK_BYTES)
    listener, address = listen(options.listen)
    context = None
    if options.tls_cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls_cert, options.tls_key)
    scheme = "https" if context else "http"
    prefix = options.url_prefix or f"{scheme}://{'localhost' if address.startswith('unix:') else address}"
    stand_in = StandIn(set(options.token), prefix, quiet=not options.show)
    host, _, port = options.control.rpartition(":")
    control = control_server(stand_in, (host, int(port)))
    threading.Thread(target=control.serve_forever, daemon=True).start()
    print(f"listening on {address} control {host}:{control.server_address[1]}", flush=True)
    stand_in.accept_forever(listener, context)


if __name__ == "__main__":
    main()
