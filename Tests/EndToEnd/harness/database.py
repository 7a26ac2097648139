"""A private PostgreSQL and a private PgBouncer on unix sockets in a folder of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.process import Child, eventually
from harness.secrecy import BY_DESIGN, LEDGER

PORT = 5432
BOUNCER_PORT = 6432
KEY = "sentry:system-token"
TABLE = """
CREATE TABLE sentry_option (
    id bigserial PRIMARY KEY, key varchar(128) UNIQUE, value {type} NOT NULL,
    last_updated timestamptz DEFAULT now(), last_updated_by varchar(16)
)"""


def as_server_user(command: Sequence[str]) -> list[str]:
    """PostgreSQL and PgBouncer refuse to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)


def server_binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    assert path, f"{name} is not installed"
    return path


class Postgres:
    """One cluster; every statement is in its log, so that queries can be counted."""

    def __init__(self, value_type: str = "text") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="proxy-test-pg-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self._run([server_binary("initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", "--no-sync"])
        self.start()
        self.create_table(value_type)

    def _run(self, command: Sequence[str]) -> str:
        done = subprocess.run(as_server_user(command), capture_output=True, text=True, timeout=60, cwd="/", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _ctl(self, *arguments: str) -> None:
        command = as_server_user([server_binary("pg_ctl"), "-D", str(self.data), "-w", "-l", str(self.folder / "log"), *arguments])
        # The server inherits its parent's pipes and would hold them open.
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, cwd="/", check=True)

    def start(self) -> None:
        options = (f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c port={PORT} -c fsync=off "
                   "-c log_statement=all -c max_connections=50")
        self._ctl("-o", options, "start")

    def stop(self) -> None:
        self._ctl("-m", "immediate", "stop")

    def signal(self, number: int) -> None:
        """To the postmaster, which takes connections; not to those that it has."""
        os.kill(int((self.data / "postmaster.pid").read_text().splitlines()[0]), number)

    @property
    def connection_string(self) -> str:
        return f"host={self.folder} port={PORT} user=postgres dbname=postgres"

    def sql(self, statement: str) -> str:
        return self._run([server_binary("psql"), "-X", "-q", "-A", "-t", "-h", str(self.folder), "-p", str(PORT), "-U", "postgres",
                          "-v", "ON_ERROR_STOP=1", "-c", statement])

    def create_table(self, value_type: str) -> None:
        self.sql("DROP TABLE IF EXISTS sentry_option")
        self.sql(TABLE.format(type=value_type))

    def store(self, value: str) -> None:
        """The column's value as written, quotes of JSON included."""
        escaped = value.replace("'", "''")
        self.sql(f"INSERT INTO sentry_option (key, value) VALUES ('{KEY}', '{escaped}') "
                 "ON CONFLICT (key) DO UPDATE SET value = excluded.value")

    def store_token(self, token: str) -> None:
        LEDGER.hand_out("token", token)
        self.store(f'"{token}"')

    def delete_token(self) -> None:
        self.sql(f"DELETE FROM sentry_option WHERE key = '{KEY}'")

    def queries(self) -> int:
        """How many times the token was asked for."""
        lines = (self.folder / "log").read_text().splitlines()
        return sum(1 for line in lines if KEY in line and "SELECT" in line.upper())

    def search_tables(self) -> None:
        """Hands over what the program has written into tables of its own."""
        names = self.sql("SELECT tablename FROM pg_tables WHERE tablename LIKE 'sentry\\_api\\_proxy\\_%'").split()
        for place in {f"table {name}" for name in names} - set(BY_DESIGN):
            LEDGER.wrote(place, self.sql(f"SELECT * FROM {place.split()[1]}").encode())

    def close(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class PgBouncer:
    """In transaction mode, as self-hosted Sentry runs it."""

    def __init__(self, postgres: Postgres) -> None:
        self.folder = postgres.folder
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\npostgres = host={postgres.folder} port={PORT} user=postgres dbname=postgres\n"
            f"[pgbouncer]\nlisten_addr =\nunix_socket_dir = {self.folder}\nlisten_port = {BOUNCER_PORT}\nauth_type = any\n"
            "pool_mode = transaction\nserver_tls_sslmode = disable\n"
        )
        settings.chmod(0o644)
        binary = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        self.child = Child(as_server_user([binary, str(settings)]), os.environ)
        eventually(lambda: (self.folder / f".s.PGSQL.{BOUNCER_PORT}").exists(), "PgBouncer's socket", 10)

    @property
    def connection_string(self) -> str:
        return f"postgres://postgres@/postgres?host={self.folder}&port={BOUNCER_PORT}"

    def close(self) -> None:
        self.child.process.terminate()
        self.child.wait(10)
