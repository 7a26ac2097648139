#!/usr/bin/env bash
# For libpq an empty sslmode is a wrong value, not an unset one: PGSSLMODE= (set, empty) makes every connection fail.
#
# Why it matters: compose files and Helm charts write `PGSSLMODE=${MODE}` or `…?sslmode=${MODE}`; with MODE unset that is an empty value. pgx
# (Go) and most drivers of other languages take it as unset. A program that moves from one to the other stops connecting without a change of
# its settings, and only for some parameters: an empty PGHOST or PGPORT is taken as unset by libpq as well.
#
# Seen with libpq 17 of psycopg-binary 3.2.10.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check psycopg==3.2.10 psycopg-binary==3.2.10
cat > "$work/run.py" <<'PYTHON'
import os, sys
from psycopg import pq

print("libpq", pq.version())

def reason(text, **environment):
    for name in ("PGSSLMODE", "PGHOST", "PGPORT"):
        os.environ.pop(name, None)
    os.environ.update(environment)
    connection = pq.PGconn.connect(text.encode())
    return connection.error_message.decode(errors="replace").strip().splitlines()[0]

base = f"host={sys.argv[1]} port=5432 user=nobody connect_timeout=2"
unset, empty, in_url = (reason(base), reason(base, PGSSLMODE=""),
                        reason(f"postgresql://nobody@/db?host={sys.argv[1]}&sslmode="))
port = reason(f"host={sys.argv[1]} user=nobody connect_timeout=2", PGPORT="")
for name, text in {"unset": unset, "PGSSLMODE=": empty, "?sslmode=": in_url, "PGPORT=": port}.items():
    print(f"{name:11} -> {text.replace(sys.argv[1], 'DIR')}")
wrong = "invalid sslmode value"
sys.exit(0 if wrong not in unset and wrong in empty and wrong in in_url and "invalid" not in port else 1)
PYTHON
"$work/venv/bin/python" "$work/run.py" "$work"
