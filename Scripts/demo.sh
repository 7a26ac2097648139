#!/bin/bash
# Shows the proxy at work: PostgreSQL holds Sentry's system token, a stand-in Sentry checks it, and the proxy puts it in, renews
# it once it was rotated, and keeps it for the clients that have an alias.
# Ends by itself when there is no terminal or DEMO_ONCE=1; its status says whether all that was shown was right.
set -euo pipefail

binary=${1:?"usage: demo.sh PATH-OF-sentry-api-proxy"}
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-/usr/bin/python3}
folder=$(mktemp -d)
cluster=$(mktemp -d)
children=()
proxies=()

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
say() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
shell_line() { printf '%s$ %s%s\n' "$dim" "$1" "$plain"; }
indent() { awk '{ print "    " $0 }'; }
shorten() { sed -E 's/([0-9a-f]{8})[0-9a-f]{56}/\1…/g; s/(sap_.{6})[A-Za-z0-9_-]+/\1…/g'; }
fail() { echo "demo: $1" >&2; exit 1; }

# PostgreSQL refuses to run as root.
as_server_user() { if [ "$(id -u)" -eq 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }
server() { as_server_user "$server_programs/pg_ctl" -D "$cluster/data" -s -w "$@"; }
sql() { as_server_user "$server_programs/psql" -X -q -v ON_ERROR_STOP=1 -h "$cluster" -p 5432 -U postgres -d postgres -c "$1"; }

cleanup() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
    [ ! -e "$cluster/data/postmaster.pid" ] || server -m immediate stop || true
    rm -rf "$folder" "$cluster"
}
trap cleanup EXIT
trap 'exit 0' INT TERM

# wait_for FILE PATTERN PID: until the line is there, with a deadline; prints it.
wait_for() {
    for _ in $(seq 200); do
        grep -m 1 -- "$2" "$1" 2>/dev/null && return 0
        kill -0 "$3" 2>/dev/null || break
        sleep 0.05
    done
    cat "$1" >&2
    fail "no line with '$2' came"
}

# start_proxy NAME FLAG...: sets `address`; the log is the file NAME. Nothing of this shell's environment configures it.
start_proxy() {
    local log=$folder/$1 line admin
    shift
    env -i HOME="$folder" PGX_CONN="host='$cluster' port=5432 user=postgres dbname=postgres" "$binary" \
        --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --sentry-uri "http://$upstream" "$@" >"$log" 2>&1 &
    children+=("$!")
    proxies+=("$!")
    line=$(wait_for "$log" 'msg="\{0,1\}listening' "$!")
    address=$(sed -n 's/.* addr="\{0,1\}\([0-9.:]*\).*/\1/p' <<<"$line")
    admin=$(sed -n 's/.* admin="\{0,1\}\([0-9.:]*\).*/\1/p' <<<"$line")
    if [ -z "$address" ] || [ -z "$admin" ]; then fail "no addresses in: $line"; fi
    for _ in $(seq 100); do
        if "$binary" healthcheck --ready --admin-listen "$admin" >"$folder/ready"; then return 0; fi
        sleep 0.05
    done
    fail "the proxy is not ready: $(cat "$folder/ready")"
}

# control METHOD PATH [BODY]: the stand-in's second port.
control() { curl -q -sS --noproxy '*' --max-time 10 -f -X "$1" ${3:+--data-binary "$3"} "http://$control$2"; }

# call STATUS URL [FIELD]: a request, the answer's first line and body, and whether the status is the expected one.
call() {
    control POST /reset >"$folder/reset"
    shell_line "curl -i ${3:+-H \"$3\" }$2" | shorten
    curl -q -sS --noproxy '*' --max-time 10 -i -o "$folder/answer" ${3:+-H "$3"} "$2"
    tr -d '\r' <"$folder/answer" | sed -n '1p; /^$/,$p' | sed '/^$/d' | indent
    head -1 "$folder/answer" | grep -q "^HTTP/1.1 $1 " || fail "that should have been a $1"
    for token in "$old_token" "$new_token"; do
        if grep -q "$token" "$folder/answer"; then fail "the token came back to the client"; fi
    done
}

# sentry_saw AUTHORIZATION...: the heads of the requests that arrived since the call, checked against the expected values ("" for none).
sentry_saw() {
    say "What Sentry saw (tokens shortened here):"
    control GET "/records?requests=$#&ended=$#&seconds=5" >"$folder/records"
    "$python" - "$folder/records" "$@" <<'PYTHON' | shorten | indent
import json, sys
requests = json.load(open(sys.argv[1]))["requests"]
seen = [[value for name, value in request["fields"] if name.lower() == "authorization"] for request in requests]
assert seen == [[value] if value else [] for value in sys.argv[2:]], seen
for number, request in enumerate(requests, 1):
    lines = request["head"].rstrip().split("\r\n")
    if len(requests) > 1:
        lines = [f"{number}. {lines[0]}", *(f"   {line}" for line in lines if line.startswith("Authorization:"))]
    print("\n".join(lines))
PYTHON
}

# --- What the proxy stands between: a database with the token, and Sentry.

server_programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
[ -x "$server_programs/initdb" ] || fail "no PostgreSQL server here; install it with: Scripts/install-deps.sh demo"
old_token=$("$python" -c 'import secrets; print(secrets.token_hex(32))')
new_token=$("$python" -c 'import secrets; print(secrets.token_hex(32))')

[ "$(id -u)" -ne 0 ] || chown postgres: "$cluster"
as_server_user "$server_programs/initdb" -D "$cluster/data" -U postgres -A trust --no-locale -E UTF8 --no-sync >"$folder/initdb"
printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$cluster'" "port = 5432" "fsync = off" |
    as_server_user tee -a "$cluster/data/postgresql.conf" >/dev/null
server -l "$cluster/log" start
sql "CREATE TABLE sentry_option (key varchar(128) PRIMARY KEY, value text NOT NULL)"
sql "INSERT INTO sentry_option VALUES ('sentry:system-token', '\"$old_token\"')"

"$python" "$root/Tests/StandIn/sentry.py" --token "$old_token" >"$folder/stand-in" 2>&1 &
children+=("$!")
line=$(wait_for "$folder/stand-in" '^listening on ' "$!")
read -r _ _ upstream _ control <<<"$line"

start_proxy open.log
open=$address
projects=api/0/organizations/acme/projects/
say "A stand-in Sentry listens on $upstream. The proxy on $open reads Sentry's token from PostgreSQL."

# --- The token is put in.

say "Sentry without a token:"
call 401 "http://$upstream/$projects"

say "The same call through the proxy, still without a token:"
call 200 "http://$open/$projects"
grep -q '"slug":"web"' "$folder/answer" || fail "the answer does not hold the project"
sentry_saw "Bearer $old_token"

# --- The token is renewed.

say "Sentry rotates its token: the row changes and the old one is refused."
rotation="UPDATE sentry_option SET value = '\"$new_token\"' WHERE key = 'sentry:system-token'"
shell_line "psql -c \"$rotation\"" | shorten
sql "$rotation"
control PUT /tokens "[\"$new_token\"]" >"$folder/tokens"
call 401 "http://$upstream/$projects" "Authorization: Bearer $old_token"

say "One call through the proxy, which still holds the old one: it renews the token and tries again."
call 200 "http://$open/$projects"
sentry_saw "Bearer $old_token" "Bearer $new_token"

say "What the proxy wrote:"
wait_for "$folder/open.log" 'token renewed after a 401' "${proxies[0]}" | indent
wait_for "$folder/open.log" 'retry=renewed' "${proxies[0]}" | indent
[ "$(grep -c 'retry=renewed' "$folder/open.log")" -eq 1 ] || fail "more than one request was tried again"

# --- Aliases.

say "With an alias for each client, the token is for them alone. A second proxy:"
shell_line "sentry-api-proxy alias new ci >aliases && sentry-api-proxy --alias-file aliases …"
(umask 077 && "$binary" alias new ci >"$folder/aliases" 2>"$folder/hint")
alias=$(cut -d ' ' -f 2 "$folder/aliases")
start_proxy aliased.log --alias-file "$folder/aliases"
aliased=$address

say "A client that has it:"
call 200 "http://$aliased/$projects" "Authorization: Bearer $alias"
sentry_saw "Bearer $new_token"

say "One that has none takes the bypass, and Sentry itself refuses it:"
call 401 "http://$aliased/$projects"
sentry_saw ""

# --- No secret anywhere else.

for secret in "$old_token" "$new_token" "$alias"; do
    for log in open.log aliased.log; do
        if grep -q "$secret" "$folder/$log"; then fail "a secret is in $log"; fi
    done
    for proxy in "${proxies[@]}"; do
        if grep -q "$secret" "/proc/$proxy/cmdline"; then fail "a secret is on the command line"; fi
    done
done

if [ "${DEMO_ONCE:-}" = 1 ] || [ ! -t 0 ] || [ ! -t 1 ]; then
    for proxy in "${proxies[@]}"; do
        kill "$proxy"
        wait "$proxy" || fail "a proxy ended with status $?"
    done
    say "The demo passed."
    exit 0
fi

say "Try it:"
indent <<TRY
curl -i http://$open/api/0/organizations/
curl -i -H 'Authorization: Bearer $alias' http://$aliased/api/0/organizations/
SENTRY_URL=http://$open SENTRY_AUTH_TOKEN=anything sentry-cli info
TRY
say "Ctrl-C ends it. What the proxies write:"
tail -q -n +1 -f "$folder/open.log" "$folder/aliased.log" &
children+=("$!")
wait "${proxies[0]}"
