#!/usr/bin/env bash
# psycopg 3 goes on to the next host of the connection string when a server refuses the password; libpq, psycopg2 and asyncpg stop there.
#
# Why it matters: psycopg 3 is libpq's own wrapper, so one expects the same string to mean the same. But it takes the list of hosts apart and
# makes one attempt after the other, while libpq tries another host only if one cannot be reached or is of the wrong kind. Who changed the
# password on the first server and forgot its twin finds that a script works, on the other server's (perhaps old) data, and hears no error;
# a gateway or psql with the same string is refused. Check a string for a gateway with psql, not with psycopg 3.
#
# Seen with psycopg 3.3.9 (libpq 18.0.6), psycopg2-binary 2.9.13, asyncpg 0.32.0 and PostgreSQL 15.18 of Debian 12.
set -euo pipefail
if ! version=$(dpkg-query --show --showformat='${Version}' postgresql-15 2>/dev/null); then
    echo "needs Debian's package postgresql-15" >&2
    exit 69
fi
echo "postgresql-15 $version"
programs=/usr/lib/postgresql/15/bin
as_user=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL does not run as root
    as_user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
work=$(mktemp -d)
run() {
    "${as_user[@]}" env -i PATH="$PATH" HOME="$work" timeout 60 "$@"
}
stop() {
    for port in 5432 5433; do run "$programs/pg_ctl" --pgdata="$work/$port" --mode=immediate --silent stop || true; done
    rm -rf "$work"
}
trap stop EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    psycopg==3.3.9 psycopg-binary==3.3.9 psycopg2-binary==2.9.13 asyncpg==0.32.0
echo "the new password" > "$work/password-5432"
echo "the old password" > "$work/password-5433"
cat > "$work/run.py" <<'PYTHON'
import asyncio, os, subprocess, sys
import asyncpg, psycopg, psycopg2
from psycopg import pq

work, psql = sys.argv[1:]
query = "SELECT current_setting('port')::int"
text = f"host={work},{work} port=5432,5433 user=postgres dbname=postgres password='the old password' connect_timeout=10"
for name in [name for name in os.environ if name.startswith("PG")]:
    del os.environ[name]

def with_psycopg():
    with psycopg.connect(text) as connection:
        return connection.execute(query).fetchone()[0]

async def with_psycopg_async():
    async with await psycopg.AsyncConnection.connect(text) as connection:
        return (await (await connection.execute(query)).fetchone())[0]

def with_libpq():
    connection = pq.PGconn.connect(text.encode())
    if connection.status != pq.ConnStatus.OK:
        raise psycopg.OperationalError(connection.error_message.decode())
    return connection.exec_(query.encode()).get_value(0, 0).decode()

def with_psycopg2():
    connection = psycopg2.connect(text)
    cursor = connection.cursor()
    cursor.execute(query)
    return cursor.fetchone()[0]

async def with_asyncpg():
    connection = await asyncpg.connect(host=[work, work], port=[5432, 5433], user="postgres", database="postgres",
                                       password="the old password", timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()

def with_psql():
    words = [psql, "--no-psqlrc", "--tuples-only", "--no-align", text, "--command", query]
    run = subprocess.run(words, capture_output=True, text=True, timeout=30)
    if run.returncode:
        raise psycopg.OperationalError(run.stderr)
    return run.stdout.strip()

print("psycopg", psycopg.__version__, "libpq", pq.version(), "psycopg2", psycopg2.__version__.split()[0], "asyncpg", asyncpg.__version__)
seen = {}
for name, connect in {"psycopg": with_psycopg, "psycopg, async": lambda: asyncio.run(with_psycopg_async()), "libpq": with_libpq,
                      "psql": with_psql, "psycopg2": with_psycopg2, "asyncpg": lambda: asyncio.run(with_asyncpg())}.items():
    try:
        seen[name] = f"connected to port {connect()}"
    except (psycopg.Error, psycopg2.Error, asyncpg.PostgresError) as error:
        seen[name] = "refused" if "password authentication failed" in str(error) else f"other error: {error}"
    print(f"{name:14} {seen[name]}")
sys.exit(0 if list(seen.values()) == ["connected to port 5433"] * 2 + ["refused"] * 4 else 1)
PYTHON
if [ "$(id -u)" = 0 ]; then chown postgres:postgres "$work" "$work"/password-*; fi
for port in 5432 5433; do
    run "$programs/initdb" --no-sync --auth=scram-sha-256 --username=postgres --pwfile="$work/password-$port" --pgdata="$work/$port" \
        > /dev/null
    run "$programs/pg_ctl" --pgdata="$work/$port" --log="$work/$port.log" --silent --wait \
        --options="-p $port -c listen_addresses= -c unix_socket_directories=$work" start
done
timeout 200 "$work/venv/bin/python" "$work/run.py" "$work" "$programs/psql"
