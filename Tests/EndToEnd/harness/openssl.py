"""What Python's `ssl` does not offer of OpenSSL: key updates (RFC 8446 §4.6.3), through libssl's own functions."""

from __future__ import annotations

import ctypes
import ctypes.util
import socket

from harness.certificates import Pair

NOT_REQUESTED, REQUESTED = 0, 1
VERSION_1_3 = 0x0304
SET_MIN_PROTO_VERSION = 123
PEM = 1


def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library("ssl")
    assert name, "libssl is not installed"
    library = ctypes.CDLL(name)
    for function in ("TLS_client_method", "TLS_server_method", "SSL_CTX_new", "SSL_new"):
        getattr(library, function).restype = ctypes.c_void_p
    return library


class Connection:
    """TLS 1.3 on a connected blocking socket; the peer's certificate is not looked at."""

    def __init__(self, sock: socket.socket, pair: Pair | None = None) -> None:
        self.sock = sock
        sock.settimeout(None)
        self._ssl = library = _library()
        method = library.TLS_server_method() if pair else library.TLS_client_method()
        self._context = ctypes.c_void_p(library.SSL_CTX_new(ctypes.c_void_p(method)))
        library.SSL_CTX_ctrl(self._context, SET_MIN_PROTO_VERSION, ctypes.c_long(VERSION_1_3), None)
        if pair:
            assert library.SSL_CTX_use_certificate_chain_file(self._context, str(pair.certificate).encode()) == 1
            assert library.SSL_CTX_use_PrivateKey_file(self._context, str(pair.key).encode(), PEM) == 1
        self._raw = ctypes.c_void_p(library.SSL_new(self._context))
        library.SSL_set_fd(self._raw, sock.fileno())
        begun = library.SSL_accept(self._raw) if pair else library.SSL_connect(self._raw)
        assert begun == 1, "the handshake failed"

    def send(self, data: bytes) -> bool:
        return self._ssl.SSL_write(self._raw, data, len(data)) == len(data)

    def receive(self) -> bytes:
        """What came; nothing at close_notify and at any other end."""
        buffer = ctypes.create_string_buffer(65536)
        count = self._ssl.SSL_read(self._raw, buffer, len(buffer))
        return buffer.raw[:max(count, 0)]

    def has_farewell(self) -> bool:
        """The peer's close_notify was read."""
        return bool(self._ssl.SSL_get_shutdown(self._raw) & 2)

    def update_keys(self, ask: bool) -> bool:
        """One KeyUpdate. False: the connection is gone."""
        if self._ssl.SSL_key_update(self._raw, REQUESTED if ask else NOT_REQUESTED) != 1:
            return False
        return self._ssl.SSL_do_handshake(self._raw) == 1

    def close(self) -> None:
        self._ssl.SSL_free(self._raw)
        self._ssl.SSL_CTX_free(self._context)
        self.sock.close()
