"""An upstream that keeps every byte that it was sent, connection by connection, and answers what it is told."""

from __future__ import annotations

import re
import socket
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class Recorder:
    """Takes one connection after the other, each on a thread of its own; `take` hands out what came since it was last asked."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._changed = threading.Condition()
        self._open = 0
        self._accepted = 0
        self._received: list[bytes] = []
        self.answer: list[bytes] = [ANSWER]
        self.resets = False
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            with self._changed:
                self._open += 1
                self._accepted += 1
            threading.Thread(target=self._record, args=(sock,), daemon=True).start()

    def _record(self, sock: socket.socket) -> None:
        data = b""
        try:
            with sock:
                sock.settimeout(10)
                try:
                    while not self._is_whole(data):
                        more = sock.recv(65536)
                        if not more:
                            return
                        data += more
                    for piece in self.answer:
                        sock.sendall(piece)
                    if self.resets:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                        return
                    sock.shutdown(socket.SHUT_WR)
                    # Whatever else comes would be more than the one request.
                    while more := sock.recv(65536):
                        data += more
                except OSError:
                    return
        finally:
            with self._changed:
                self._received.append(data)
                self._open -= 1
                self._changed.notify_all()

    @staticmethod
    def _is_whole(data: bytes) -> bool:
        head, mark, body = data.partition(b"\r\n\r\n")
        if not mark:
            return False
        length = LENGTH.search(head + b"\r\n")
        if length:
            return len(body) >= int(length.group(1))
        return b"\r\nTransfer-Encoding: chunked\r\n" not in head + b"\r\n" or body.endswith(b"0\r\n\r\n")

    def take(self, seconds: float = 10.0) -> list[bytes]:
        """What each connection brought, once all of them have ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._open == 0, seconds)
            received, self._received = self._received, []
            return received
