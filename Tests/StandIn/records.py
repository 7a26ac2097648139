"""What the stand-in saw, byte for byte, for the tests to compare."""

from __future__ import annotations

import threading
from typing import Any

from wire import Connection, Request

RECORDED_BODY_BYTES = 256 << 10


class Records:
    """Connections and requests in order of arrival. Safe to use from every thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._connections: dict[int, dict[str, Any]] = {}
        self._requests: list[dict[str, Any]] = []

    def connected(self, ident: int) -> None:
        with self._changed:
            self._connections[ident] = {"id": ident, "bytes": 0, "surplus": "", "ended": None}
            self._changed.notify_all()

    def head_read(self, connection: Connection, request: Request) -> dict[str, Any]:
        """Records a request as soon as its head is whole; `body_read` completes it."""
        entry: dict[str, Any] = {
            "connection": connection.ident,
            "head": request.head.decode("latin-1"),
            "method": request.method,
            "target": request.target,
            "fields": request.fields,
            "body_complete": None,
        }
        with self._changed:
            self._requests.append(entry)
            self._changed.notify_all()
        return entry

    def body_read(self, entry: dict[str, Any], request: Request) -> None:
        body = request.body
        kept = len(body) == request.body_length and len(body) <= RECORDED_BODY_BYTES
        with self._changed:
            entry.update(
                framing=request.framing,
                body_length=request.body_length,
                body_sha256=request.body_sha256,
                body_complete=request.body_complete,
                body=body.decode("latin-1") if kept else None,
                trailer=request.trailer.decode("latin-1"),
            )
            self._changed.notify_all()

    def ended(self, connection: Connection, how: str) -> None:
        with self._changed:
            entry = self._connections.get(connection.ident)
            if entry is not None:
                surplus = bytes(connection.ahead[:65536])
                entry.update(
                    bytes=connection.bytes_received,
                    surplus=surplus.decode("latin-1"),
                    ended=how,
                )
            self._changed.notify_all()

    def snapshot(self, requests: int, ended: int, seconds: float) -> dict[str, Any]:
        """The records, once there are so many requests and ended connections, or the time is over."""

        def enough() -> bool:
            over = sum(1 for entry in self._connections.values() if entry["ended"])
            return len(self._requests) >= requests and over >= ended

        with self._changed:
            self._changed.wait_for(enough, seconds)
            return {
                "connections": [dict(entry) for entry in self._connections.values()],
                "requests": [dict(entry) for entry in self._requests],
            }

    def reset(self) -> None:
        with self._changed:
            self._connections.clear()
            self._requests.clear()
            self._changed.notify_all()
