#!/usr/bin/env bash
# A client with target_session_attrs=read-write is refused by PgBouncer although the database behind it is writable, and was promoted long ago.
#
# Why it matters: libpq, and a gateway that reads its token from Sentry's database with the same parameter, chooses a host by what the server
# says at login (in_hot_standby, since PostgreSQL 14). PgBouncer says what its first connection of the pool was told, and keeps it
# when its server connections are replaced and when PostgreSQL is restarted. After a failover every new client is sent away from the primary,
# "session is read-only", and one that asks for a standby gets the primary; clients without the parameter see nothing. RECONNECT (or RELOAD)
# in PgBouncer's console ends it, so that belongs in the failover script, or the parameter not in a connection string through PgBouncer.
#
# Seen with PgBouncer 1.18.0 and PostgreSQL 15.18 of Debian 12: refused directly after the promotion, after all server connections were
# replaced, and after a restart of PostgreSQL; accepted after RECONNECT.
set -euo pipefail
for package in pgbouncer postgresql-15; do
    if ! version=$(dpkg-query --show --showformat='${Version}' "$package" 2>/dev/null); then
        echo "needs Debian's package $package" >&2
        exit 69
    fi
    echo "$package $version"
done
programs=/usr/lib/postgresql/15/bin
as_user=()
if [ "$(id -u)" = 0 ]; then # neither server runs as root
    as_user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
work=$(mktemp -d)
stop() {
    if [ -f "$work/pgbouncer.pid" ]; then kill "$(cat "$work/pgbouncer.pid")" || true; fi
    run "$programs/pg_ctl" --pgdata="$work/data" --mode=immediate --silent stop || true
    rm -rf "$work"
}
run() {
    "${as_user[@]}" env -i PATH="$PATH" HOME="$work" timeout 60 "$@"
}
trap stop EXIT
cat > "$work/pgbouncer.ini" <<INI
[databases]
postgres = host=$work port=5432
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = $work
auth_type = trust
auth_file = $work/users
admin_users = postgres
pool_mode = transaction
server_idle_timeout = 1
logfile = $work/pgbouncer.log
pidfile = $work/pgbouncer.pid
INI
echo '"postgres" ""' > "$work/users"
if [ "$(id -u)" = 0 ]; then chown -R postgres:postgres "$work"; fi

connection() { # port, database
    echo "host=$work port=$1 user=postgres dbname=${2:-postgres} connect_timeout=10"
}
# yes or no: does a client that wants the given kind of session get one at the given port?
accepted() {
    if run "$programs/psql" --no-psqlrc "$(connection "$1") target_session_attrs=$2" --command='SELECT 1' > /dev/null 2> "$work/reason"; then
        echo yes
    else
        grep --quiet 'session is' "$work/reason" || cat "$work/reason" >&2
        echo no
    fi
}
backend() {
    run "$programs/psql" --no-psqlrc --tuples-only --no-align "$(connection 6432)" --command='SELECT pg_backend_pid()'
}
look() {
    line="$1: read-write at PostgreSQL $(accepted 5432 read-write), through PgBouncer $(accepted 6432 read-write);"
    line+=" read-only at PostgreSQL $(accepted 5432 read-only), through PgBouncer $(accepted 6432 read-only)"
    echo "$line"
    echo "$line" >> "$work/seen"
}

run "$programs/initdb" --no-sync --auth=trust --username=postgres --pgdata="$work/data" > "$work/initdb.log"
run touch "$work/data/standby.signal"
options="-c listen_addresses= -c unix_socket_directories=$work"
run "$programs/pg_ctl" --pgdata="$work/data" --log="$work/postgres.log" --options="$options" --silent --wait start
run pgbouncer --daemon --quiet "$work/pgbouncer.ini"
for _ in $(seq 100); do [ ! -S "$work/.s.PGSQL.6432" ] || break; sleep 0.1; done

look 'a standby'
run "$programs/pg_ctl" --pgdata="$work/data" --silent --wait promote
look 'promoted'
first=$(backend)
for _ in $(seq 30); do [ "$(backend)" = "$first" ] || break; sleep 2; done
[ "$(backend)" != "$first" ]
look 'all server connections replaced'
run "$programs/pg_ctl" --pgdata="$work/data" --log="$work/postgres.log" --mode=fast --silent --wait restart
look 'PostgreSQL restarted'
run "$programs/psql" --no-psqlrc --quiet "$(connection 6432 pgbouncer)" --command=RECONNECT
backend > /dev/null
look 'RECONNECT'

cat > "$work/expected" <<'LINES'
a standby: read-write at PostgreSQL no, through PgBouncer no; read-only at PostgreSQL yes, through PgBouncer yes
promoted: read-write at PostgreSQL yes, through PgBouncer no; read-only at PostgreSQL no, through PgBouncer yes
all server connections replaced: read-write at PostgreSQL yes, through PgBouncer no; read-only at PostgreSQL no, through PgBouncer yes
PostgreSQL restarted: read-write at PostgreSQL yes, through PgBouncer no; read-only at PostgreSQL no, through PgBouncer yes
RECONNECT: read-write at PostgreSQL yes, through PgBouncer yes; read-only at PostgreSQL no, through PgBouncer no
LINES
cmp --silent "$work/expected" "$work/seen"
