"""The bytes that the upstream must receive, written out from the header rules of docs/reference/headers.md."""

from __future__ import annotations

from collections.abc import Sequence

from harness.upstream import TOKEN

OWN_FIELDS = "Accept-Encoding: identity"


def elevated_head(line: str, authority: str, fields: Sequence[str] = (), framing: Sequence[str] = (), token: str = TOKEN) -> str:
    """A head on the elevated route: Host, what the client's fields became, then what the proxy puts in."""
    lines = [line, f"Host: {authority}", *fields, OWN_FIELDS, *framing, "Connection: close", f"Authorization: Bearer {token}"]
    return "".join(f"{text}\r\n" for text in lines) + "\r\n"


def bypass_head(line: str, authority: str, fields: Sequence[str] = (), framing: Sequence[str] = ()) -> str:
    lines = [line, f"Host: {authority}", *fields, OWN_FIELDS, *framing, "Connection: close"]
    return "".join(f"{text}\r\n" for text in lines) + "\r\n"


def answer_head(line: str, fields: Sequence[str], framing: Sequence[str], request_id: str | None) -> bytes:
    """A head as the client must get it."""
    assert request_id and len(request_id) == 16, request_id
    text = "\r\n".join([line, *fields, *framing, f"X-Request-Id: {request_id}", "Connection: close"])
    return text.encode("latin-1")
