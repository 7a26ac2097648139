"""The configuration as people write it: checked before a start, listed with its sources, and read from a file."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.certificates import Certificates
from harness.client import ask, request
from harness.proxy import BINARY, StartProxy, clean_environment, run_to_end
from harness.upstream import TOKEN, StandIn

USAGE, UNKNOWN_HOST, SYSTEM, CONFIGURATION = 64, 68, 71, 78
LONG = "/tmp/" + "x" * 126
# Where libpq looks for a server when nothing is said: as Debian builds it, and as PostgreSQL does.
DEFAULT_SOCKETS = [Path(folder) / ".s.PGSQL.5432" for folder in ("/var/run/postgresql", "/tmp")]
SECRETS = ["alias-of-ci-0123456789", "s3cret-token-0123456789", "hunter2hunter2"]


@dataclass
class Mistake:
    """What somebody got wrong, and what must be in the line that says so. `{dir}` is a folder with the files."""

    name: str
    flags: list[str]
    words: list[str]
    status: int = CONFIGURATION
    variables: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    wrapper: list[str] = field(default_factory=list)
    # Found by the parser of the command line, before anything is read.
    is_usage_for_a_check: bool = False
    upstream: str | None = "http://127.0.0.1:9"


UP = "--sentry-uri"
MISTAKES = [
    Mistake("no port", ["--listen", "8080"], ["--listen", "'8080'", "addr:port"], USAGE),
    Mistake("IPv6 without brackets", ["--listen", "::1:8080"], ["--listen", "'::1:8080'", "[v6]:port"], USAGE),
    Mistake("no port for the admin listener", [], ["ADMIN_LISTEN", "'localhost'", "or off"], variables={"ADMIN_LISTEN": "localhost"}),
    Mistake("a socket's path too long", ["--listen", f"unix:{LONG}"], ["--listen", "131 bytes", "107"], USAGE),
    Mistake("the upstream's socket too", [UP, "http+unix://" + LONG.replace("/", "%2F")], [UP, "131", "107"], USAGE, upstream=None),
    Mistake("the upstream's socket with slashes", [UP, "http+unix:///run/sentry.sock"], [UP, "http+unix://%2Frun%2Fsentry.sock"], USAGE, upstream=None),
    Mistake("the upstream's socket like a host", [UP, "http+unix://run/sentry.sock"], [UP, "http+unix://%2Frun%2Fsentry.sock"], USAGE, upstream=None),
    Mistake("no scheme", [UP, "sentry.example"], [UP, "such as http://"], USAGE, upstream=None),
    Mistake("the API's path in the base", [UP, "https://sentry.example/api/0/"], [UP, "is https://sentry.example"], USAGE, upstream=None),
    Mistake("a password in the upstream", [UP, "https://me:hunter2hunter2@sentry.example"], [UP, "without user info"], USAGE, upstream=None),
    Mistake("a flag mistyped", ["--listn", ":0"], ["--listn", "--listen"], USAGE, is_usage_for_a_check=True),
    Mistake("a command mistyped", ["serv"], ["serv", "did you mean 'serve'"], USAGE, is_usage_for_a_check=True, upstream=None),
    Mistake("no aliases in the variable", [], ["ALIAS_TOKENS", "empty", "every client gets the token"], variables={"ALIAS_TOKENS": ""}),
    Mistake("an alias without a name", ["--alias-file", "{dir}/a"], ["--alias-file", "{dir}/a", "line 2", "a name and an alias"],
            files={"a": "ci alias-of-ci-0123456789\nbroken\n"}),
    Mistake("an alias twice", ["--alias-file", "{dir}/a"], ["{dir}/a", "line 2", "given before"], files={"a": "a alias-of-ci-0123456789\nb alias-of-ci-0123456789\n"}),
    Mistake("an alias file without an alias", ["--alias-file", "{dir}/a"], ["{dir}/a", "no alias is given"], files={"a": "# none yet\n"}),
    Mistake("an alias with a set that is none", ["--alias-file", "{dir}/a"], ["{dir}/a", "line 1", "no such set", "policy table --sets"],
            files={"a": "ci alias-of-ci-0123456789 ci-uplaod\n"}),
    Mistake("an alias file in UTF-16", ["--alias-file", "{dir}/a"], ["{dir}/a", "UTF-16", "save it as UTF-8"], files={"a": "\ufeffci alias-of-ci-0123456789\n"}),
    Mistake("an alias file that all may read", ["--alias-file", "{dir}/open", "--strict"], ["{dir}/open", "everybody", "chmod o-rwx"],
            files={"open": "ci alias-of-ci-0123456789\n"}),
    Mistake("no token file", ["--token-file", "{dir}/none"], ["--token-file", "{dir}/none", "no such file"]),
    Mistake("an empty token file", ["--token-file", "{dir}/t"], ["{dir}/t", "empty"], files={"t": "\n"}),
    Mistake("two lines in the token file", ["--token-file", "{dir}/t"], ["--token-file", "{dir}/t", "expected one line with a Sentry token", "more than one line"],
            files={"t": "s3cret-token-0123456789\nsecond\n"}),
    Mistake("two lines in the token's variable", [], ["SENTRY_TOKEN: ", "more than one line"], variables={"SENTRY_TOKEN": "s3cret-token-0123456789\r\nsecond"}),
    Mistake("a token with a blank", [], ["SENTRY_AUTH_TOKEN", "a space"], variables={"SENTRY_AUTH_TOKEN": "Bearer s3cret-token-0123456789"}),
    Mistake("a token in quotes", [], ["SENTRY_AUTH_TOKEN", "in quotes", "part of the value"], variables={"SENTRY_AUTH_TOKEN": '"s3cret-token-0123456789"'}),
    Mistake("a token in quotes with a blank", [], ["SENTRY_AUTH_TOKEN", "in quotes"], variables={"SENTRY_AUTH_TOKEN": "'s3cret-token-0123456789 '"}),
    Mistake("a token file in quotes", ["--token-file", "{dir}/t"], ["{dir}/t", "in quotes"], files={"t": '"s3cret-token-0123456789"\n'}),
    Mistake("a .env file for a token", ["--token-file", "{dir}/t"], ["--token-file", "{dir}/t", "expected one line with a Sentry token", "NAME=TOKEN", "only the token"],
            files={"t": "SENTRY_AUTH_TOKEN=s3cret-token-0123456789\n"}),
    Mistake("a .env file of several lines for a token", ["--token-file", "{dir}/t"], ["{dir}/t", "NAME=TOKEN"],
            files={"t": "# ours\nexport SENTRY_URL=http://a\nexport SENTRY_AUTH_TOKEN='s3cret-token-0123456789'\n"}),
    Mistake("sentry-cli's settings for a token", ["--token-file", "{dir}/t"], ["{dir}/t", "expected one line with a Sentry token", ".sentryclirc", "token="],
            files={"t": "[defaults]\nurl=http://a\n\n[auth]\ntoken=s3cret-token-0123456789\n"}),
    Mistake("a token's variable with its name twice", [], ["SENTRY_AUTH_TOKEN", "NAME=TOKEN"], variables={"SENTRY_AUTH_TOKEN": "SENTRY_AUTH_TOKEN=s3cret-token-0123456789"}),
    Mistake("certificate and key swapped", ["--tls-cert", "{dir}/key", "--tls-key", "{dir}/cert"], ["--tls-cert", "{dir}/key", "no certificate", "swapped"]),
    Mistake("another's key", ["--tls-cert", "{dir}/cert", "--tls-key", "{dir}/other"], ["--tls-key", "{dir}/other", "does not belong"]),
    Mistake("a certificate without its key", ["--tls-cert", "{dir}/cert"], ["--tls-cert", "needs --tls-key"], USAGE),
    Mistake("no file of authorities", [UP, "https://127.0.0.1:9", "--ca-file", "{dir}/none"], ["--ca-file", "{dir}/none", "cannot be read"], upstream=None),
    Mistake("authorities for a plain upstream", ["--ca-file", "{dir}/cert"], ["--ca-file", "only for an upstream with https"], USAGE),
    Mistake("a slash in the database's password", ["--token", "system"], ["PGX_CONN", "percent"], variables={"PGX_CONN": "postgres://sentry:hunter2hunter2/x@db:5432/sentry"}),
    Mistake("a blank in the database's password", ["--token", "system"], ["PGX_CONN", "quot"], variables={"PGX_CONN": "host=db password=hunter2hunter2 and more user=x"}),
    Mistake("a unit that is none", ["--head-timeout", "10sec"], ["--head-timeout", "'10sec'", "such as 10, 0.5, 250ms"], USAGE),
    Mistake("a PROXY header from anybody", ["--proxy-protocol"], ["--proxy-protocol", "needs --trusted-proxies"], USAGE),
    Mistake("too few descriptors", ["--threads", "1"], ["descriptor limit: 64", "LimitNOFILE"], SYSTEM, wrapper=["prlimit", "--nofile=64:64"]),
]


def prepare(mistake: Mistake, folder: Path, certificates: Certificates) -> None:
    (folder / "cert").write_bytes(certificates.issue('server', 'DNS:localhost').certificate.read_bytes())
    (folder / "key").write_bytes((certificates.folder / 'server.key').read_bytes())
    (folder / "other").write_bytes(certificates.authority.key.read_bytes())
    for name, text in mistake.files.items():
        (folder / name).write_bytes(text.encode("utf-16-le" if text.startswith("\ufeff") else "utf-8"))
        (folder / name).chmod(0o644 if name == "open" else 0o600)


def run(mistake: Mistake, folder: Path, *more: str, binary: str = BINARY) -> subprocess.CompletedProcess[str]:
    flags = [word.replace("{dir}", str(folder)) for word in mistake.flags]
    if mistake.upstream:
        flags += [UP, mistake.upstream]
    # The flags' values are written over in the program's own arguments, not here.
    environment = clean_environment({"LISTEN": "127.0.0.1:0", **({"SENTRY_TOKEN": "x"} if "token" not in mistake.name else {}), **mistake.variables})
    return subprocess.run([*mistake.wrapper, binary, *flags, *more], env=environment, capture_output=True, text=True, timeout=20, check=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_there_are_thirty_mistakes_and_more() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 30


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_start_and_a_check_tell_a_mistake_with_the_same_line(mistake: Mistake, tmp_path: Path, certificates: Certificates) -> None:
    prepare(mistake, tmp_path, certificates)
    started, checked = run(mistake, tmp_path), run(mistake, tmp_path, "--check-config")
    assert started.returncode == mistake.status, started
    assert checked.returncode == (mistake.status if mistake.is_usage_for_a_check else CONFIGURATION), checked
    for ended in (started, checked):
        lines = ended.stderr.splitlines()
        assert len(lines) == 1 and not ended.stdout, ended
        assert all(word.replace("{dir}", str(tmp_path)) in lines[0] for word in mistake.words), lines[0]
        assert not any(secret in lines[0] for secret in SECRETS), lines[0]
    assert started.stderr == checked.stderr


def test_a_check_tells_all_mistakes_and_a_start_the_first(tmp_path: Path) -> None:
    (tmp_path / "aliases").write_text("a\nok alias-of-ci-0123456789\nb alias-of-ci-0123456780 nonsense\n")
    flags = ["--listen", "8080", "--backlog", "many", "--head-timeout", "x", "--tls-cert", "a.pem", "--proxy-protocol", "--log-level", "loud",
             "--alias-file", str(tmp_path / "aliases"), "--token-file", str(tmp_path / "none"), UP, "https://me@sentry.example", "--ca-file", "ca.pem"]
    checked = run_to_end(*flags, "--check-config", THREADS="0")
    assert checked.returncode == CONFIGURATION and not checked.stdout, checked
    told = [line.removeprefix("sentry-api-proxy: ") for line in checked.stderr.splitlines()]
    blamed = ["--listen: ", "--sentry-uri: ", "--head-timeout: ", "THREADS: ", "--backlog: ", "--tls-cert: ", "--proxy-protocol: ", "--log-level: "]
    # What hangs on a setting that could not be read is not told of: the upstream may well be https.
    assert [line[: len(name)] for line, name in zip(told, blamed, strict=False)] == blamed, told
    assert "line 1: " in told[8] and "line 3: " in told[9] and "--token-file" in told[10] and len(told) == 11, told
    started = run_to_end(*flags, THREADS="0")
    assert started.stderr.splitlines() == checked.stderr.splitlines()[:1]


def test_a_check_says_what_would_be_in_force(tmp_path: Path) -> None:
    (tmp_path / "aliases").write_text("ci alias-of-ci-0123456789 ci-upload org=acme project=web rate=10/s:20\nall alias-of-all-0123456789\n")
    (tmp_path / "aliases").chmod(0o600)
    checked = run_to_end("--check-config", "--listen", "127.0.0.1:0", "--alias-file", str(tmp_path / "aliases"), "--bypass", "off",
                         SENTRY_URI="https://sentry.example", SENTRY_AUTH_TOKEN="s3cret-token-0123456789", SENTRY_TOKEN="system")
    assert checked.returncode == 0 and not checked.stderr, checked
    lines = {line.split()[0]: line for line in checked.stdout.splitlines() if line}
    assert "https://sentry.example, checked against" in lines["upstream"]
    assert "static, from SENTRY_AUTH_TOKEN" in lines["token"] and "not used: SENTRY_TOKEN" in checked.stdout
    assert "show an alias" in lines["elevated"] and "401" in lines["refused"]
    assert "ci-upload in acme, projects web" in lines["ci"] and "10 a second, 20 at once" in lines["ci"]
    assert "all that the token may" in lines["all"]
    assert not any(secret in checked.stdout for secret in SECRETS), checked.stdout


@pytest.mark.skipif(any(place.exists() for place in DEFAULT_SOCKETS), reason="a server is at libpq's default place")
@pytest.mark.parametrize("environment", [{}, {"SENTRY_TOKEN": "system"}, {"SENTRY_TOKEN": "system", "PGX_CONN": ""}], ids=str)
def test_a_check_misses_a_token_that_nothing_gives(environment: dict[str, str]) -> None:
    checked = run_to_end("--check-config", SENTRY_URI="http://127.0.0.1:9", **environment)
    assert checked.returncode == CONFIGURATION and not checked.stdout and checked.stderr.count("\n") == 1, checked
    for way in ("no token is configured", "--token-file", "SENTRY_AUTH_TOKEN", "auth login", "--pgx-conn", "PGX_CONN"):
        assert way in checked.stderr, checked.stderr
    named = run_to_end("--check-config", SENTRY_URI="http://127.0.0.1:9", PGHOST="db.invalid", **environment)
    assert named.returncode == 0 and "from PostgreSQL (PG* variables)" in named.stdout, named


def test_a_check_asks_nobody(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    ended = subprocess.run(
        [strace, "-f", "-e", "trace=socket,connect,bind", "-o", str(trace), BINARY, "--check-config", "--token", "system", UP, "http://sentry.invalid:9000"],
        env=clean_environment({"PGX_CONN": "postgres://me:hunter2hunter2@db.invalid/sentry", "LISTEN": "127.0.0.1:0"}),
        capture_output=True, text=True, timeout=60, check=False)
    if "PTRACE" in ended.stderr or "ptrace" in ended.stderr:
        pytest.skip("this host lets nobody trace")
    assert ended.returncode == 0, ended
    # Not to be fooled by an empty trace: the end of the process is in it.
    seen = trace.read_text()
    assert "exited with 0" in seen and "AF_INET" not in seen and "connect(" not in seen, seen


def test_the_dates_of_certificates_are_looked_at(certificates: Certificates) -> None:
    def check(days: int) -> subprocess.CompletedProcess[str]:
        certificate, key = certificates.issue(f"for-{days}", "DNS:localhost", days=days).files
        return run_to_end("--check-config", "--tls-cert", certificate, "--tls-key", key, UP, "http://127.0.0.1:9", "--token", "x")

    ends = (datetime.now(UTC) + timedelta(days=5)).strftime("%Y-%m-%d")
    soon, later, over = check(5), check(365), check(-1)
    assert soon.returncode == 0 and f" days, at {ends}" in soon.stdout and "note: --tls-cert: the certificate expires in " in soon.stdout, soon
    assert later.returncode == 0 and "certificate ends" not in later.stdout, later
    assert over.returncode == CONFIGURATION and "--tls-cert: the certificate expired at " in over.stderr and "renew it" in over.stderr, over


# A file of settings.


def write(folder: Path, name: str, *lines: str) -> str:
    (folder / name).write_text("\n".join(lines) + "\n")
    (folder / name).chmod(0o600)
    return str(folder / name)


def test_a_flag_wins_over_its_variable_and_that_over_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "settings", "# comment", "", "  threads   3  ", "backlog 5", "max-fields 7", "include more", "strict yes")
    write(tmp_path, "more", "log-level debug", "pgx-conn password=hunter2hunter2")
    printed = run_to_end("--print-config", "--config", file, "--threads", "1", "--public-url=http://a.example", BACKLOG="4", THREADS="2",
                         SENTRY_TOKEN="s3cret-token-0123456789")
    assert printed.returncode == 0 and not printed.stderr, printed
    rows = {line.split()[0]: line.split()[1:] for line in printed.stdout.splitlines()}
    assert rows["threads"] == ["1", "--threads"] and rows["backlog"] == ["4", "BACKLOG"]
    assert rows["max-fields"] == ["7", f"{file}:5"] and rows["log-level"] == ["debug", f"{tmp_path}/more:1"]
    assert rows["public-url"] == ["http://a.example", "--public-url"] and rows["strict"] == ["yes", f"{file}:7"]
    assert rows["token"] == ["set", "SENTRY_TOKEN"] and rows["pgx-conn"] == ["set", f"{tmp_path}/more:2"]
    assert rows["alias-token"] == ["unset", "default"] and rows["max-head"] == ["65536", "default"]
    assert not any(secret in printed.stdout for secret in SECRETS)
    # Every flag of the help is there, and nothing else but the variable without a flag.
    helped = run_to_end("serve", "--help").stdout
    names = {word[2:] for line in helped.splitlines() if (word := line.strip().partition(" ")[0]).startswith("--")}
    assert rows.keys() - {"SENTRY_AUTH_TOKEN"} == names - {"config", "check-config", "print-config", "version", "help"}


def test_a_file_is_served_by(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    write(tmp_path, "aliases", "ci alias-of-ci-0123456789")
    write(tmp_path, "token", TOKEN)
    file = write(tmp_path, "settings", f"alias-file {tmp_path}/aliases", f"token-file {tmp_path}/token", "bypass off")
    proxy = start_proxy(stand_in.uri, environment={"CONFIG_FILE": file}, token=None)
    assert ask(proxy.address, request("GET", "/api/0/", "Authorization: Bearer alias-of-ci-0123456789")).status == 200
    assert ask(proxy.address, request("GET", "/api/0/")).status == 401
    assert any(field == ["Authorization", f"Bearer {TOKEN}"] for field in stand_in.request()["fields"])


@pytest.mark.parametrize("lines, words", [
    (["threads 1", "treads 2"], [":2: ", "no setting 'treads'", "did you mean 'threads'"]),
    (["threads many"], [":1: threads: 'many' is not a number from 1 to 256"]),
    (["--threads 2"], [":1: ", "without dashes: threads"]),
    (["threads=2"], [":1: ", "a blank and not ="]),
    (["threads"], [":1: threads: expected a value"]),
    (["threads 1", "# again", "threads 1"], [":3: threads: ", "before, at ", ":1"]),
    (["config other"], [":1: "]),
    (["s3cret-token-0123456789"], [":1: ", "does not begin with a setting's name"]),
    (["include nowhere"], [":1: include: cannot read", "nowhere"]),
    (["include settings"], ["more than 8 deep"]),
    (["token two words"], [":1: token: expected a Sentry token"]),
    (["proxy-protocol true"], [":1: proxy-protocol: needs --trusted-proxies"]),
    (["tls-cert a.pem"], [":1: tls-cert: needs --tls-key"]),
], ids=lambda value: value[0][:30] if isinstance(value, list) else None)
def test_a_mistake_in_a_file_is_told_with_its_line(tmp_path: Path, lines: list[str], words: list[str]) -> None:
    file = write(tmp_path, "settings", *lines)
    environment = {"SENTRY_URI": "http://127.0.0.1:9"} | ({} if "token" in lines[0] else {"SENTRY_TOKEN": "x"})
    started, checked = run_to_end("--config", file, **environment), run_to_end("--config", file, "--check-config", **environment)
    assert started.returncode == checked.returncode == CONFIGURATION, (started, checked)
    assert started.stderr == checked.stderr and started.stderr.count("\n") == 1, (started, checked)
    assert file in started.stderr and all(word in started.stderr for word in words), started.stderr
    assert not any(secret in started.stderr for secret in SECRETS)


def test_a_file_with_a_secret_that_all_may_read_is_warned_of(tmp_path: Path) -> None:
    file = write(tmp_path, "settings", "token s3cret-token-0123456789")
    (tmp_path / "settings").chmod(0o644)
    noted = run_to_end("--config", file, "--check-config", SENTRY_URI="http://127.0.0.1:9")
    assert noted.returncode == 0 and "everybody on this host may read" in noted.stdout, noted
    refused = run_to_end("--config", file, "--check-config", "--strict", SENTRY_URI="http://127.0.0.1:9")
    assert refused.returncode == CONFIGURATION and "--strict" in refused.stderr, refused
