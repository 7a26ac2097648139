"""Mutations of whole messages. All chance comes from the `Random` that is passed in, so a seed repeats them."""

from __future__ import annotations

from random import Random

# What parsers disagree about: put in whole, because single bytes rarely make them.
TOKENS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b" ", b"\t", b":", b",", b";", b"\0", b"\x0b", b"\xff", b"_", b"-", b"%0d%0a", b"\\",
    b"Transfer-Encoding: chunked\r\n", b"Transfer_Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n", b"Content_Length: 7\r\n", b"Content-Length: 18446744073709551616\r\n", b"Connection: authorization\r\n",
    b"Connection: close, host, te\r\n", b"Expect: 100-continue\r\n", b"Host: other.example\r\n", b"Upgrade: h2c\r\n", b"TE: trailers\r\n",
    b"Content-Encoding: gzip\r\n", b"Set-Cookie: a=b\r\n", b"WWW-Authenticate: Basic\r\n", b"Location: http://sentry.example/api/0/\r\n",
    b"Link: <http://sentry.example/api/0/?cursor=1>; rel=\"next\"\r\n", b"Content-Type: application/json\r\n",
    b"0\r\n\r\n", b"5\r\nhello\r\n", b"ffffffffffffffff\r\n", b"7fffffffffffffff\r\n", b"5;x=\"\r\n\"\r\n", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0",
    b"GET /oauth/token/ HTTP/1.1\r\nHost: sentry.example\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 100 Continue\r\n\r\n",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03", b"{\"url\": \"http://sentry.example/\"}", b"\"", b"{", b"[",
]
LONGEST = 200_000


def mutate(message: bytes, others: list[bytes], random: Random) -> bytes:
    """One to six mutations; now and then none, so that what is good stays in the mix."""
    data = bytearray(message)
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 4, 6))):
        place = random.randrange(len(data) + 1)
        kind = random.randrange(10)
        if kind == 0 and data:
            data[place % len(data)] ^= 1 << random.randrange(8)
        elif kind == 1 and data:
            data[place % len(data)] = random.randrange(256)
        elif kind == 2:
            del data[place : place + random.choice((1, 1, 2, 4, 16, 64))]
        elif kind == 3:
            end = place + random.choice((1, 2, 8, 40, 200))
            data[place:place] = data[place:end]
        elif kind in (4, 5, 6):
            data[place:place] = random.choice(TOKENS)
        elif kind == 7:
            other = random.choice(others)
            start = random.randrange(len(other) + 1)
            data[place:] = other[start:]
        elif kind == 8:
            lines = bytes(data).split(b"\r\n")
            if len(lines) > 2:
                index = random.randrange(len(lines) - 1)
                lines[index], lines[index + 1] = lines[index + 1], lines[index]
                data = bytearray(b"\r\n".join(lines))
        else:
            byte = bytes([random.choice((0x20, 0x30, 0x41, 0x66, 0x0D, 0x2C, 0x3B))])
            data[place:place] = byte * random.choice((3, 100, 5_000, 70_000))
    return bytes(data[:LONGEST])


def pieces(message: bytes, random: Random) -> list[bytes]:
    """The message as one to five writes."""
    cuts = sorted({random.randrange(len(message) + 1) for _ in range(random.choice((0, 0, 1, 2, 4)))})
    return [message[start:end] for start, end in zip([0, *cuts], [*cuts, len(message)]) if end > start]
