"""Django's own URL resolver over Sentry's routes; runs in the virtual environment that has Django.

Reads a JSON list of raw paths on standard input and prints one of [route, parameters] or null.
"""

import json
import re
import sys
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.handlers.wsgi import get_path_info
from django.urls import Resolver404, re_path
from django.urls.resolvers import RegexPattern, URLResolver

KINDS = {"d": r"\d+", "e": r"(?:\d+|[A-Fa-f0-9-]{32,36})", "h": r"[A-Fa-f0-9]+", "*": r".+",
         "e|latest|oldest|recommended": r"(?:\d+|[A-Fa-f0-9-]{32,36}|latest|oldest|recommended)"}


def pattern(route: str) -> str:
    out, seen = "", 0
    for match in re.finditer(r"\{(\w+)(?::([^}]*))?\}", route):
        out += re.escape(route[seen:match.start()]) + f"(?P<{match.group(1)}>{KINDS[match.group(2)] if match.group(2) else '[^/]+'})"
        seen = match.end()
    return "^api/0" + out + re.escape(route[seen:]) + "$"


def main() -> None:
    settings.configure()
    routes = [line for line in open(sys.argv[1], encoding="utf-8").read().split("\n") if line and not line.startswith("#")]
    views = [re_path(pattern(route), lambda request: None, name=str(number)) for number, route in enumerate(routes)]
    resolver = URLResolver(RegexPattern(r"^/"), views)
    found = []
    for path in json.load(sys.stdin):
        # A WSGI server decodes the path to bytes and hands them over as Latin-1 (PEP 3333).
        info = get_path_info({"PATH_INFO": unquote_to_bytes(path.split("?")[0]).decode("latin-1")})
        try:
            match = resolver.resolve(info)
            found.append([routes[int(match.url_name)], match.kwargs])
        except Resolver404:
            found.append(None)
    print(json.dumps(found))


main()
