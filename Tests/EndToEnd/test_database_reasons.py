"""Why there is no system token: in the words of libpq, the resolver or the server, with the place and never a password."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.database import PgBouncer, Postgres
from harness.process import eventually
from harness.proxy import BINARY, StartProxy, clean_environment
from harness.relay import Server, asking_for_a_password, offering_tls, refusing, silent
from harness.upstream import StandIn
from test_command_line import CONFIGURATION, USAGE, run

pytestmark = pytest.mark.tokens

DEFAULT_SOCKET = Path("/var/run/postgresql/.s.PGSQL.5432")


def problem(*arguments: str, **environment: str) -> str:
    ended = run("auth", "status", "--url", "http://127.0.0.1:9", *arguments, **environment)
    assert ended.returncode == 1, ended
    lines = [line for line in ended.stdout.splitlines() if line.startswith("problem")]
    assert len(lines) == 1, ended
    return lines[0].removeprefix("problem").strip()


@pytest.fixture
def server() -> Iterator[list[Server]]:
    opened: list[Server] = []
    yield opened
    for one in opened:
        one.close()


@pytest.mark.parametrize("connection, said", [
    ("host=no-such-host.invalid user=u", "PostgreSQL (PGX_CONN): host 'no-such-host.invalid': "),
    ("host=127.0.0.1 port=1 user=u", "PostgreSQL (PGX_CONN): 127.0.0.1:1: Connection refused"),
    ("postgres://u:p@127.0.0.1:1/db", "PostgreSQL (PGX_CONN): 127.0.0.1:1: Connection refused"),
    ("host=/run/nowhere user=u", "PostgreSQL (PGX_CONN): socket /run/nowhere/.s.PGSQL.5432: No such file or directory"),
    ("host=127.0.0.1,/run/nowhere port=1,2 user=u",
     "PostgreSQL (PGX_CONN): 127.0.0.1:1: Connection refused; socket /run/nowhere/.s.PGSQL.2: No such file or directory"),
])
def test_a_server_that_is_not_there(connection: str, said: str) -> None:
    assert problem(PGX_CONN=connection).startswith(said)


def test_the_flag_and_libpqs_variables_are_called_by_their_names() -> None:
    assert problem("--pgx-conn", "host=127.0.0.1 port=1 user=u").startswith("PostgreSQL (--pgx-conn): 127.0.0.1:1: Connection refused")
    assert problem(PGHOST="127.0.0.1", PGPORT="1").startswith("PostgreSQL (PG* variables): 127.0.0.1:1: Connection refused")
    assert "definition of service \"nosuch\" not found" in problem(PGSERVICE="nosuch")


@pytest.mark.skipif(DEFAULT_SOCKET.exists(), reason="a server is at libpq's default place")
def test_nothing_configured_names_all_ways_to_give_a_token() -> None:
    said = problem()
    for way in ("no token is configured", "--token-file", "SENTRY_AUTH_TOKEN", "auth login", "--pgx-conn", "PGX_CONN"):
        assert way in said, said
    assert "PostgreSQL" not in said


def test_empty_variables_count_as_unset() -> None:
    empty = dict.fromkeys(["PGSSLMODE", "PGSERVICE", "PGPORT", "PGCONNECT_TIMEOUT", "PGTARGETSESSIONATTRS", "PGCHANNELBINDING"], "")
    assert "127.0.0.1:1: Connection refused" in problem(PGX_CONN="postgres://u@127.0.0.1:1/?sslmode=&connect_timeout=", **empty)


@pytest.mark.parametrize("sql_state, message, said", [
    ("08P01", "unsupported startup parameter: options",
     "the server refused: unsupported startup parameter: options (SQLSTATE 08P01); see PgBouncer's ignore_startup_parameters"),
    ("08P01", "no more connections allowed (max_client_conn)", "the server refused: no more connections allowed (max_client_conn)"),
    ("53300", "sorry, too many clients already", "the server refused: sorry, too many clients already (SQLSTATE 53300)"),
    ("57P03", "the database system is starting up", "the server refused: the database system is starting up"),
    ("XX000", "all backend nodes are down, pgpool requires at least one valid node", "the server refused: all backend nodes are down"),
    ("28000", 'no pg_hba.conf entry for host "10.0.0.1", user "u"', 'the server refused: no pg_hba.conf entry for host "10.0.0.1"'),
])
def test_a_refusal_is_in_the_servers_words(server: list[Server], sql_state: str, message: str, said: str) -> None:
    server.append(Server(refusing(sql_state, message)))
    found = problem(PGX_CONN=f"host=127.0.0.1 port={server[0].port} user=u sslmode=disable")
    assert f"127.0.0.1:{server[0].port}: {said}" in found, found


def test_a_real_pooler_is_heard(pgbouncer: PgBouncer) -> None:
    found = problem(PGX_CONN=pgbouncer.connection_string + "&search_path=sentry")
    assert "the server refused: unsupported startup parameter" in found and "ignore_startup_parameters" in found


@pytest.mark.parametrize("more, said", [
    ("channel_binding=require", "channel binding"),
    ("target_session_attrs=standby", "server is not in hot standby mode"),
    ("target_session_attrs=read-only", "session is not read-only"),
    ("dbname=absent", 'the server refused: database "absent" does not exist'),
    ("statement_timeout=never", 'the server refused: invalid value for parameter "statement_timeout": "never"'),
])
def test_what_a_real_server_does_not_give(postgres: Postgres, more: str, said: str) -> None:
    found = problem(PGX_CONN=f"{postgres.connection_string} {more}")
    assert said in found and str(postgres.folder) in found, found


def test_a_missing_root_file_is_named(server: list[Server]) -> None:
    server.append(Server(offering_tls))
    found = problem(PGX_CONN=f"host=127.0.0.1 port={server[0].port} user=u sslmode=verify-full sslrootcert=/no/root.crt")
    assert 'root certificate file "/no/root.crt" does not exist' in found, found


def test_a_password_that_was_not_given_is_said(server: list[Server], tmp_path: Path) -> None:
    server.append(Server(asking_for_a_password))
    where = f"host=127.0.0.1 port={server[0].port} user=u sslmode=disable"
    assert "asks for a password, and none was given" in problem(PGX_CONN=where)
    passfile = tmp_path / "passfile"
    passfile.write_text("*:*:*:*:hunter2\n")
    passfile.chmod(0o640)
    found = problem(PGX_CONN=f"{where} passfile={passfile}")
    assert f"passfile '{passfile}' is not used" in found and "mode 0640" in found and "chmod 600" in found, found


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become a user without an entry in passwd")
def test_a_user_without_a_name_is_told_to_name_one(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == 0 and folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    binary = shutil.copy(BINARY, tmp_path / "proxy")
    ended = subprocess.run(
        ["setpriv", "--reuid=65532", "--regid=65532", "--clear-groups", binary, "auth", "status", "--url", "http://127.0.0.1:9"],
        env={"PATH": "/usr/bin:/bin", "PGX_CONN": "host=127.0.0.1 dbname=postgres"}, cwd="/", capture_output=True, text=True,
        timeout=20, check=False)
    assert "no user name: set user= or PGUSER" in ended.stdout, ended


# At start


def test_the_reason_is_logged_as_a_warning(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, token=None, environment={"PGX_CONN": "host=127.0.0.1 port=1 user=u"})
    line = proxy.wait_for_line(lambda text: "Connection refused" in text)
    assert "level=warning" in line and "PostgreSQL (PGX_CONN): 127.0.0.1:1: Connection refused" in line


def test_what_libpq_would_read_in_another_way_is_said_once(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, token=None, environment={"PGX_CONN": "postgres://u:a@b@127.0.0.1:1/?database=d"})
    proxy.wait_for_line(lambda text: "Connection refused" in text)
    notes = [line for line in proxy.output.splitlines() if "libpq would read it otherwise" in line]
    assert len(notes) == 2 and "last '@'" in notes[0] and "'database' is read as 'dbname'" in notes[1], notes


def test_libpqs_warning_of_a_passfile_goes_through_the_log(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    passfile = tmp_path / "passfile"
    passfile.write_text("*:*:*:*:hunter2\n")
    passfile.chmod(0o640)
    connection = f"host=127.0.0.1 port=1 user=u passfile={passfile}"
    # In JSON the line of readiness has another form than the harness waits for.
    command = [BINARY, "--listen", "127.0.0.1:0", "--sentry-uri", stand_in.uri, "--log-format", "json", "--pgx-conn", connection]
    process = subprocess.Popen(command, env=clean_environment(), stderr=subprocess.PIPE, text=True)
    try:
        lines: list[dict[str, str]] = []
        assert process.stderr is not None
        # The two come from different threads.
        while not all(any(part in line["msg"] for line in lines) for part in ("Connection refused", "listening")):
            lines.append(json.loads(process.stderr.readline()))
    finally:
        process.terminate()
        process.wait(30)
    assert all(json.loads(line) for line in process.stderr), "what came after is JSON as well"
    warnings = [line["msg"] for line in lines if line["level"] == "warning"]
    assert any(str(passfile) in message and "mode 0640" in message for message in warnings), warnings


# Passwords


@pytest.mark.parametrize("connection", [
    "postgres://u:hunter2@127.0.0.1:{port}/db", "postgres://u:hun@ter2@127.0.0.1:{port}/db",
    "host=127.0.0.1 port={port} user=u password=hunter2", "host=127.0.0.1 port={port} user=u password='hun ter2'",
])
@pytest.mark.parametrize("serve", [asking_for_a_password, refusing("28P01", "password of user is wrong"), silent], ids=["echo", "refusal", "silence"])
def test_no_message_holds_the_password(
    stand_in: StandIn, start_proxy: StartProxy, server: list[Server], connection: str, serve: object
) -> None:
    server.append(Server(serve))  # type: ignore[arg-type]
    text = connection.format(port=server[0].port) + ("&" if "?" in connection else "?" if "://" in connection else " ")
    environment = {"PGX_CONN": text + "sslmode=disable" + ("&" if "://" in text else " ") + "connect_timeout=1"}
    proxy = start_proxy(stand_in.uri, "--log-level", "trace", token=None, environment=environment)
    proxy.wait_for_line(lambda text: "level=warning" in text and "PostgreSQL (PGX_CONN)" in text)
    said = proxy.output + problem(**environment)
    assert "hunter2" not in said and "ter2" not in said, said


@pytest.mark.parametrize("connection", [
    "postgres://u:hunter2/x@127.0.0.1/db", "postgres://u:x@hunter2/x@127.0.0.1/db", "postgres://u:x?hunter2@127.0.0.1/db",
    "postgres://u:x@y?hunter2@127.0.0.1/db", "postgres://u:x#hunter2@127.0.0.1/db", "postgres://u:hunter2 x@127.0.0.1/db",
    "host=127.0.0.1 user=u password=correct hunter2=battery dbname=b", "host=127.0.0.1 user=u password=correct hunter2 dbname=b",
    "host=127.0.0.1 password='hunter2", "POSTGRES://u:hunter2@127.0.0.1/db",
])
def test_a_password_that_was_written_wrongly_ends_the_start_and_is_not_shown(connection: str) -> None:
    for arguments, environment, status in (
        (["--pgx-conn", connection], {}, USAGE), ([], {"PGX_CONN": connection}, CONFIGURATION)
    ):
        ended = run("--listen", "127.0.0.1:0", *arguments, **environment)
        assert ended.returncode == status, ended
        assert len(ended.stderr.splitlines()) == 1 and "hunter" not in ended.stderr, ended.stderr


def test_a_setting_reaches_the_session(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres) -> None:
    """The table is where only `search_path` finds it."""
    postgres.sql("DROP SCHEMA IF EXISTS elsewhere CASCADE; CREATE SCHEMA elsewhere; ALTER TABLE sentry_option SET SCHEMA elsewhere")
    try:
        postgres.sql("INSERT INTO elsewhere.sentry_option (key, value) VALUES ('sentry:system-token', '\"" + "e" * 64 + "\"')")
        connection = f"postgres://postgres@/postgres?host={postgres.folder}&search_path=elsewhere&statement_timeout=5000&TimeZone=UTC"
        proxy = start_proxy(stand_in.uri, "--pgx-conn", connection, token=None)
        eventually(lambda: "token obtained" in proxy.output, "the token read from the other schema")
    finally:
        postgres.sql("DROP SCHEMA elsewhere CASCADE")
