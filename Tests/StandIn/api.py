"""The answers of a Sentry API, as self-hosted Sentry gives them."""

from __future__ import annotations

import gzip
import hashlib
import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from wire import Request

PAGE_SIZE = 2
COMMON_FIELDS = [
    ("X-Frame-Options", "deny"),
    ("X-Content-Type-Options", "nosniff"),
    ("Vary", "Accept-Language, Cookie"),
    ("Content-Language", "en"),
]
CORS_FIELDS = [
    ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, HEAD, OPTIONS"),
    ("Access-Control-Max-Age", "3600"),
    ("Access-Control-Expose-Headers", "X-Sentry-Error, X-Sentry-Direct-Hit, X-Hits, X-Max-Hits, Endpoint, Retry-After, Link"),
]


@dataclass
class Reply:
    """One whole answer."""

    status: int
    body: bytes = b""
    fields: list[tuple[str, str]] = field(default_factory=list)


def json_reply(status: int, value: Any, *fields: tuple[str, str]) -> Reply:
    body = json.dumps(value, separators=(",", ":")).encode()
    return Reply(status, body, [("Content-Type", "application/json"), *COMMON_FIELDS, *fields])


def detail(status: int, message: str, *fields: tuple[str, str]) -> Reply:
    return json_reply(status, {"detail": message}, *fields)


def unauthorized(message: str) -> Reply:
    challenge = ("WWW-Authenticate", 'xBasic realm="api"')
    return detail(401, message, challenge, ("Set-Cookie", "sentry-stand-in=1; Path=/; HttpOnly"))


# What Sentry says of its own token.
ALL_SCOPES = sorted([
    "org:read", "org:write", "org:admin", "org:integrations", "org:ci", "member:read", "member:invite", "member:write", "member:admin",
    "team:read", "team:write", "team:admin", "project:read", "project:write", "project:admin", "project:releases", "project:distribution",
    "event:read", "event:write", "event:admin", "alerts:read", "alerts:write",
])


class SentryAPI:
    """A small Sentry: two organizations, releases that stay, chunks that are checked."""

    def __init__(self, tokens: set[str], url_prefix: str) -> None:
        self.tokens = tokens
        self.scopes: list[str] | None = ALL_SCOPES
        self.url_prefix = url_prefix
        self.releases: dict[str, dict[str, Any]] = {}
        self.chunks: set[str] = set()
        self.routes: list[tuple[str, re.Pattern[str], Callable[..., Reply]]] = [
            ("GET", re.compile(r"/api/0/"), self.index),
            ("GET", re.compile(r"/api/0/organizations/"), self.organizations),
            ("GET", re.compile(r"/api/0/organizations/([^/]+)/"), self.organization),
            ("GET", re.compile(r"/api/0/organizations/([^/]+)/projects/"), self.projects),
            ("GET", re.compile(r"/api/0/organizations/([^/]+)/issues/(\d+)/"), self.issue),
            ("GET", re.compile(r"/api/0/users/me/regions/"), self.regions),
            ("GET", re.compile(r"/api/0/projects/([^/]+)/([^/]+)/"), self.project),
            ("GET", re.compile(r"/api/0/projects/([^/]+)/([^/]+)/releases/"), self.list_releases),
            ("POST", re.compile(r"/api/0/organizations/([^/]+)/releases/"), self.new_release),
            ("GET", re.compile(r"/api/0/organizations/([^/]+)/releases/([^/]+)/"), self.release),
            ("PUT", re.compile(r"/api/0/organizations/([^/]+)/releases/([^/]+)/"), self.change_release),
            ("DELETE", re.compile(r"/api/0/organizations/([^/]+)/releases/([^/]+)/"), self.delete_release),
            ("GET", re.compile(r"/api/0/organizations/([^/]+)/chunk-upload/"), self.chunk_options),
            ("POST", re.compile(r"/api/0/organizations/([^/]+)/chunk-upload/"), self.chunk_upload),
            ("POST", re.compile(r"/api/0/organizations/([^/]+)/artifactbundle/assemble/"), self.assemble),
            ("POST", re.compile(r"/api/0/projects/([^/]+)/([^/]+)/files/difs/assemble/"), self.assemble_debug_files),
        ]

    def forget(self) -> None:
        self.releases.clear()
        self.chunks.clear()
        self.scopes = ALL_SCOPES

    def answer(self, request: Request) -> Reply:
        path = request.path
        if path == "/_health/":
            return Reply(200, b"ok", [("Content-Type", "text/plain")])
        if re.fullmatch(r"/api/\d+/(envelope|store)/", path) and not path.startswith("/api/0/"):
            return json_reply(200, {"id": "0" * 32})
        if path.startswith("/oauth/"):
            return json_reply(200, {"access_token": "sntrya_" + "e" * 64, "token_type": "Bearer"})
        if path.startswith("/api/0/"):
            return self.guarded(request)
        return Reply(404, b"", [("Content-Type", "text/html")])

    def guarded(self, request: Request) -> Reply:
        if request.method == "OPTIONS":
            return Reply(200, b"", [*COMMON_FIELDS, *CORS_FIELDS])
        refusal = self.refusal(request)
        if refusal:
            return refusal
        if request.method == "HEAD":
            return detail(403, "You do not have permission to perform this action.")
        for method, pattern, handler in self.routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return handler(request, *match.groups())
        return self.not_found(request)

    def refusal(self, request: Request) -> Reply | None:
        authorization = request.value("Authorization")
        origin = request.value("Origin")
        if authorization is None:
            return unauthorized("Authentication credentials were not provided.")
        if origin is not None:
            return json_reply(400, f"Invalid origin: {origin}")
        forwarded = (request.value("X-Forwarded-For") or "127.0.0.1").split(",")[0].strip()
        try:
            internal = ipaddress.ip_address(forwarded).is_private
        except ValueError:
            return Reply(500, b"<h1>Internal Server Error</h1>", [("Content-Type", "text/html")])
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or token not in self.tokens or not internal:
            return unauthorized("Invalid token")
        return None

    def not_found(self, request: Request) -> Reply:
        if request.path.endswith("/"):
            return Reply(404, b"", [("Content-Type", "text/html"), *COMMON_FIELDS])
        info = "Route not found, did you forget a trailing slash?"
        if (request.value("Content-Type") or "").startswith("application/json"):
            return json_reply(404, {"info": info})
        return Reply(404, info.encode(), [("Content-Type", "text/plain"), *COMMON_FIELDS])

    def index(self, request: Request) -> Reply:
        return json_reply(200, {"version": "0", "auth": None if self.scopes is None else {"scopes": self.scopes}, "user": None})

    def organization_object(self, slug: str) -> dict[str, Any]:
        links = {"organizationUrl": f"{self.url_prefix}/organizations/{slug}", "regionUrl": self.url_prefix}
        return {"id": "1", "slug": slug, "name": slug.title(), "links": links,
                "dateCreated": "2026-01-01T00:00:00Z", "isEarlyAdopter": False, "require2FA": False,
                "requireEmailVerification": False, "features": [], "status": {"id": "active", "name": "active"},
                "avatar": {"avatarType": "letter_avatar"}}

    def organizations(self, request: Request) -> Reply:
        return self.paged(request, [self.organization_object(slug) for slug in ("acme", "beta", "gamma")])

    def organization(self, request: Request, slug: str) -> Reply:
        return json_reply(200, self.organization_object(slug))

    def projects(self, request: Request, organization: str) -> Reply:
        names = ["web", "api", "worker", "mobile", "docs"]
        return self.paged(request, [
            {"id": str(index + 1), "slug": name, "name": name, "team": None, "teams": []} for index, name in enumerate(names)
        ])

    def project(self, request: Request, organization: str, slug: str) -> Reply:
        names = ["web", "api", "worker", "mobile", "docs"]
        if slug not in names:
            return json_reply(404, {"detail": "The requested resource does not exist"})
        return json_reply(200, {"id": str(names.index(slug) + 1), "slug": slug, "name": slug, "securityToken": "5ec4e7" * 6})

    def issue(self, request: Request, slug: str, number: str) -> Reply:
        return json_reply(200, {"id": number, "shortId": f"WEB-{number}", "title": "TypeError", "status": "unresolved",
                                "project": {"id": "2", "slug": "web"}})

    def regions(self, request: Request) -> Reply:
        return json_reply(200, {"regions": [{"name": "us", "url": self.url_prefix}]})

    def paged(self, request: Request, items: list[Any]) -> Reply:
        """A page, and the Link field with absolute URLs under `system.url-prefix`."""
        cursor = parse_qs(request.query).get("cursor", [""])[0]
        match = re.fullmatch(r"0:(\d+):0", cursor)
        start = int(match.group(1)) if match else 0
        following = start + PAGE_SIZE
        link = ", ".join(
            f'<{self.url_prefix}{request.path}?&cursor=0:{offset}:{back}>; rel="{rel}"; results="{str(more).lower()}"; '
            f'cursor="0:{offset}:{back}"'
            for rel, offset, back, more in (
                ("previous", max(0, start - PAGE_SIZE), 1, start > 0),
                ("next", following, 0, following < len(items)),
            )
        )
        return json_reply(200, items[start:following], ("Link", link))

    def list_releases(self, request: Request, organization: str, project: str) -> Reply:
        return json_reply(200, list(self.releases.values()))

    def new_release(self, request: Request, organization: str) -> Reply:
        try:
            wanted = json.loads(bytes(request.body))
        except ValueError:
            return detail(400, "JSON parse error")
        release = {"version": wanted["version"], "shortVersion": wanted["version"], "url": None, "dateCreated": "2026-01-01T00:00:00Z",
                   "dateReleased": wanted.get("dateReleased"), "newGroups": 0, "lastEvent": None,
                   "projects": [{"slug": slug, "name": slug} for slug in wanted.get("projects", [])]}
        self.releases[wanted["version"]] = release
        return json_reply(201, release)

    def release(self, request: Request, organization: str, version: str) -> Reply:
        if version not in self.releases:
            return detail(404, "The requested resource does not exist")
        return json_reply(200, self.releases[version])

    def change_release(self, request: Request, organization: str, version: str) -> Reply:
        if version not in self.releases:
            return detail(404, "The requested resource does not exist")
        changes = json.loads(bytes(request.body))
        if "dateReleased" in changes:
            self.releases[version]["dateReleased"] = changes["dateReleased"]
        return json_reply(200, self.releases[version])

    def delete_release(self, request: Request, organization: str, version: str) -> Reply:
        self.releases.pop(version, None)
        return Reply(204, b"", list(COMMON_FIELDS))

    def chunk_options(self, request: Request, organization: str) -> Reply:
        return json_reply(200, {
            "url": f"{self.url_prefix}/api/0/organizations/{organization}/chunk-upload/",
            "chunkSize": 8 << 20, "chunksPerRequest": 64, "maxFileSize": 2 << 30, "maxRequestSize": 32 << 20,
            "concurrency": 1, "hashAlgorithm": "sha1", "compression": ["gzip"],
            "accept": ["debug_files", "release_files", "pdbs", "sources", "bcsymbolmaps", "il2cpp", "portablepdbs",
                       "artifact_bundles", "artifact_bundles_v2"],
        })

    def chunk_upload(self, request: Request, organization: str) -> Reply:
        """Each part is named by the sha1 of its plain content, and is checked against it."""
        match = re.search(r'boundary="?([^";]+)"?', request.value("Content-Type") or "")
        if not match:
            return json_reply(400, {"error": "multipart/form-data expected"})
        for part in bytes(request.body).split(b"--" + match.group(1).encode())[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            names = re.search(rb'name="([^"]+)"; filename="([^"]+)"', head)
            if not names:
                return json_reply(400, {"error": "part without a name"})
            plain = content[:-2]
            if names.group(1) == b"file_gzip":
                plain = gzip.decompress(plain)
            checksum = hashlib.sha1(plain).hexdigest()
            if checksum != names.group(2).decode():
                return json_reply(400, {"error": "checksum mismatch"})
            self.chunks.add(checksum)
        return Reply(200, b"", [("Content-Type", "application/json"), *COMMON_FIELDS])

    def assemble_debug_files(self, request: Request, organization: str, project: str) -> Reply:
        """The same for each debug file by its checksum."""
        answers: dict[str, Any] = {}
        for checksum, wanted in json.loads(bytes(request.body)).items():
            missing = [chunk for chunk in wanted["chunks"] if chunk not in self.chunks]
            answers[checksum] = {"state": "not_found" if missing or not wanted["chunks"] else "ok", "missingChunks": missing}
            if not missing and wanted["chunks"]:
                answers[checksum]["dif"] = {"id": "1", "debugId": wanted.get("debug_id"), "objectName": wanted["name"], "cpuName": "x86_64",
                                            "sha1": checksum, "symbolType": "elf", "data": {"type": "dbg", "features": ["debug"]}}
        return json_reply(200, answers)

    def assemble(self, request: Request, organization: str) -> Reply:
        """Asks for the chunks it lacks; once it has all of them, says so."""
        wanted = json.loads(bytes(request.body))
        missing = [chunk for chunk in wanted["chunks"] if chunk not in self.chunks]
        return json_reply(200, {"state": "not_found" if missing else "created", "missingChunks": missing})
