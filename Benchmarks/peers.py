"""The peers that are measured: how each is started, configured and named."""

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from processes import Void, end, free_port, spawn

HERE = Path(__file__).resolve().parent
TOKEN = "bench-upstream-token-0123456789abcdef0123456789abcdef"  # tools/bench.h has the same
SMALL_BODY = "".join(re.findall(r'^    "(.*)"', (HERE / "tools/bench.h").read_text(), re.M)).replace('\\"', '"')


def filled(template: str, directory: Path, **words) -> Path:
    """Writes a configuration of peers/ with its @WORDS@ filled in."""
    text = (HERE / "peers" / template).read_text()
    words |= {"DIR": directory, "TOKEN": TOKEN, "SMALL_BODY": SMALL_BODY, "USER": "user root;" if os.geteuid() == 0 else ""}
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    path = directory / template
    path.write_text(text)
    return path


def proxy_binary() -> Path:
    return Path(os.environ.get("PROXY_BINARY", HERE.parent / ".build/release/sentry-api-proxy"))


def before_binary() -> Path:
    """An older build of the proxy, as the peer `before`."""
    return Path(os.environ.get("BEFORE_BINARY", "/nonexistent"))


def before(directory: Path, port: int, upstream: int, threads: int, tls: bool, secure: bool = False) -> list[str]:
    return [str(before_binary()), *proxy(directory, port, upstream, threads, tls, secure)[1:]]


def proxy(directory: Path, port: int, upstream: int, threads: int, tls: bool, secure: bool = False) -> list[str]:
    """`tls`: the upstream speaks https. `secure`: the clients do."""
    token = directory / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    # 127.0.0.1 and localhost are both in the certificate; plain http goes to the same address as the other peers'.
    uri = f"https://localhost:{upstream}" if tls else f"http://{UPSTREAM_NAME if 'addresses' in extra else '127.0.0.1'}:{upstream}"
    return [str(proxy_binary()), "--listen", f"127.0.0.1:{port}", "--admin-listen", "off", "--sentry-uri", uri, "--token-file", str(token),
            "--threads", str(threads), "--access-log", "off", *(["--ca-file", str(directory / "ca.pem")] if tls else []),
            *extra.get("arguments", []),
            *(["--tls-cert", str(directory / "server.pem"), "--tls-key", str(directory / "server.key")] if secure else [])]


def nginx(directory: Path, port: int, upstream: int, threads: int, tls: bool, secure: bool = False) -> list[str]:
    path = filled("nginx.conf", directory, PORT=port, UPSTREAM=upstream, THREADS=threads, SCHEME="https" if tls else "http",
                  REUSEPORT=(" reuseport" if threads > 1 else "") + (" ssl" if secure else ""), CONNECTIONS=2 * most_in_flight,
                  CERTIFICATE=f"ssl_certificate {directory}/server.pem; ssl_certificate_key {directory}/server.key; ssl_protocols TLSv1.2 TLSv1.3;" if secure else "")
    if not tls:  # the directive would ask for a file that is not used
        path.write_text(path.read_text().replace("proxy_ssl_trusted_certificate", "# proxy_ssl_trusted_certificate")
                        .replace("proxy_ssl_verify on", "# proxy_ssl_verify on"))
    return ["nginx", "-c", str(path), "-p", str(directory), "-e", str(directory / "error.log")]


def haproxy(directory: Path, port: int, upstream: int, threads: int, tls: bool, secure: bool = False) -> list[str]:
    # The SNI name is the one that the certificate is checked against.
    server = f"ssl verify required ca-file {directory}/ca.pem sni str(localhost)" if tls else ""
    path = filled("haproxy.cfg", directory, PORT=port, UPSTREAM=upstream, THREADS=threads, SERVER_TLS=server, CONNECTIONS=most_in_flight,
                  LISTEN_TLS=f"ssl crt {directory}/both.pem" if secure else "", DESCRIPTORS=max(20_000, 2 * most_in_flight + 1_000))
    if secure:
        (directory / "both.pem").write_text((directory / "server.pem").read_text() + (directory / "server.key").read_text())
    return ["haproxy", "-db", "-q", "-f", str(path)]


def tls_floor(directory: Path, port: int, upstream: int, threads: int, tls: bool, secure: bool = False) -> list[str]:
    """Of one worker and for an https upstream only; `Run` builds it into `TOOLS`."""
    return [str(Path(os.environ["TOOLS"]) / "tls-floor"), str(port), str(upstream), str(directory / "ca.pem"), TOKEN]


ALIAS_TEAMS = 500  # tools/bench.h has the same


def alias_file(directory: Path, count: int, words: str) -> Path:
    """So many aliases, the ones that the load shows; `@` in the words stands for the alias's own team."""
    path = directory / "aliases"
    path.write_text("".join(f"bench-{i} bench-alias-{i:06}-0123456789abcdef {words.replace('@', f'team-{i % ALIAS_TEAMS:03}')}\n"
                            for i in range(count)))
    path.chmod(0o600)
    return path


# What an alias may do, and how many there are: with everything, within a project of its team, and very many of those.
NARROWED = "read-only triage org=@ project=web"
ALIASES = {"full": (1, "full"), "narrowed": (1, NARROWED), "many": (10_000, NARROWED)}


def await_names(log: Path, seconds: float = 60) -> None:
    """Until the proxy has asked the upstream for the ids of what its aliases are held to, which costs a while."""
    deadline = time.monotonic() + seconds
    while "the ids of all organizations and projects" not in log.read_text(errors="replace"):
        if time.monotonic() > deadline:
            raise Void("the upstream was not asked for all names of the aliases")
        time.sleep(0.05)


# Of the next proxy: its further `arguments`, the descriptor that is its `output`, how many `addresses` its upstream's name has.
extra: dict = {}
UPSTREAM_NAME = "sentry.bench"
most_in_flight = 4096  # requests that nginx and HAProxy make room for when they start
os.environ["PATH"] += ":/usr/sbin"  # Debian's place of nginx and haproxy is not on every user's path
# No LISTEN, SENTRY_TOKEN, http_proxy… of the user's shell reaches a peer.
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
# The load sends an Origin, which the elevated route takes out; without aliases the proxy refuses one that it was not told of.
ENVIRONMENT["ALLOW_ORIGIN"] = "https://sentry.example"
COMMANDS = {"sentry-api-proxy": proxy, "nginx": nginx, "haproxy": haproxy, "before": before}
FLOORS = {"tls-floor": tls_floor}  # beside the peers, in one row each
BINARIES = {"sentry-api-proxy": proxy_binary, "before": before_binary}


def version(name: str) -> str:
    program = str(BINARIES[name]()) if name in BINARIES else name
    flag = "--version" if name in BINARIES else "-v"
    try:
        result = subprocess.run([program, flag], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "not found"
    text = (result.stdout + result.stderr).strip().split("\n")[0]
    return re.sub(r"^(nginx version: nginx/|HAProxy version )", "", text).split(" ")[-1 if name in BINARIES else 0]


def missing(name: str) -> str | None:
    """Why a peer cannot be started, if so."""
    if name in BINARIES:
        path = BINARIES[name]()
        return None if os.access(path, os.X_OK) else f"no program at {path}"
    return None if shutil.which(name) else f"{name} is not installed"


def with_hosts(command: list[str], directory: Path, addresses: int) -> list[str]:
    """The command with an /etc/hosts of its own, in which the upstream's name has so many addresses. Only root may do that."""
    hosts = directory / "hosts"
    hosts.write_text("".join(f"127.0.0.{i} {UPSTREAM_NAME}\n" for i in range(1, addresses + 1)))
    return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts), *command]


class Peer:
    """One running peer."""

    def __init__(self, name: str, directory: Path, upstream: int, cpus: set[int], threads: int = 1, tls: bool = False,
                 secure: bool = False):
        self.name, self.directory, self.port = name, directory, free_port()
        command = (COMMANDS | FLOORS)[name](directory, self.port, upstream, threads, tls, secure)
        if "addresses" in extra:
            command = with_hosts(command, directory, extra["addresses"])
        with open(directory / f"{name}.log", "ab") as log:
            self.started = time.monotonic()
            self.process = spawn(command, cpus, stdin=subprocess.DEVNULL, stdout=extra.get("output", log), stderr=log,
                                 env=ENVIRONMENT)
        self.pid = self.process.pid

    def check_alive(self) -> None:
        if self.process.poll() is not None:
            lines = [line for log in (f"{self.name}.log", "error.log") if (self.directory / log).exists()
                     for line in (self.directory / log).read_text(errors="replace").splitlines()]
            raise Void(f"{self.name} ended with status {self.process.returncode}: {lines[-1] if lines else 'no message'}")

    def close(self) -> None:
        end(self.process)


def has_ipv6() -> bool:
    """Whether ::1 is there: a peer that is told `localhost` may try it first."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class TLSUpstream:
    """nginx as the https upstream: checks the request, and logs whether the session was resumed."""

    def __init__(self, directory: Path, cpus: set[int]):
        self.port, self.log = free_port(), directory / "upstream-tls.log"
        self.error_log = directory / "upstream-tls-error.log"
        path = filled("upstream-tls.conf", directory, UPSTREAM=self.port,
                      LISTEN6=f"listen [::1]:{self.port} ssl backlog=4096;" if has_ipv6() else "")
        self.process = spawn(["nginx", "-c", str(path), "-p", str(directory), "-e", str(self.error_log)],
                             cpus, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def check_alive(self) -> None:
        if self.process.poll() is not None:
            text = self.error_log.read_text().strip() if self.error_log.exists() else "no message"
            raise Void(f"the https upstream ended: {text[-200:]}")

    def tell(self, _: str) -> dict:
        """How many requests came so far and how many of them on a full handshake; one that was not clean got a 418 already."""
        time.sleep(1.1)  # the log is flushed once a second
        lines = [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []
        return {"requests": len(lines), "resumed": sum(line[1] == "r" for line in lines)}

    def close(self) -> None:
        end(self.process)


def make_certificates(directory: Path) -> None:
    """A private CA and a certificate for localhost and 127.0.0.1 (P-256)."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=bench CA")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (directory / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "san", "-out", "server.pem")
