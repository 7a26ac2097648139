#!/bin/bash
# Shows the proxy at work: a stand-in Sentry, the proxy in front of it, and a call that carries no token.
# Ends by itself when there is no terminal or DEMO_ONCE=1; its status says whether what came back was right.
set -euo pipefail

binary=${1:?"usage: demo.sh PATH-OF-sentry-api-proxy"}
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-/usr/bin/python3}
folder=$(mktemp -d)
children=()

cleanup() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 0' INT TERM

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
say() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
fail() { echo "demo: $1" >&2; exit 1; }
indent() { sed "s/^/    /"; }

# wait_for FILE PATTERN PID: until the line is there, with a deadline; prints it.
wait_for() {
    for _ in $(seq 200); do
        grep -m 1 -- "$2" "$1" 2>/dev/null && return 0
        kill -0 "$3" 2>/dev/null || break
        sleep 0.05
    done
    cat "$1" >&2
    fail "it did not start"
}

token=sntryu_$("$python" -c 'import secrets; print(secrets.token_hex(32))')

"$python" "$root/Tests/StandIn/sentry.py" --token "$token" >"$folder/stand-in" 2>&1 &
children+=($!)
line=$(wait_for "$folder/stand-in" '^listening on ' "$!")
read -r _ _ upstream _ control <<<"$line"

# The token reaches the proxy by its environment, so that no process list shows it.
SENTRY_AUTH_TOKEN=$token "$binary" --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --sentry-uri "http://$upstream" >"$folder/proxy" 2>&1 &
proxy=$!
children+=("$proxy")
line=$(wait_for "$folder/proxy" 'msg="\{0,1\}listening' "$proxy")
address=$(sed -n 's/.*addr="\{0,1\}\([0-9.:]*\).*/\1/p' <<<"$line")
[ -n "$address" ] || fail "no address in: $line"

say "The stand-in Sentry listens on $upstream, the proxy on $address."

say "Sentry without a token:"
echo "${dim}\$ curl http://$upstream/api/0/organizations/${plain}"
refused=$(curl -sS --noproxy '*' --max-time 10 -w '\n%{http_code}' "http://$upstream/api/0/organizations/")
echo "$refused" | indent
grep -q '^401$' <<<"$refused" || fail "the stand-in should have refused a call without a token"

say "The same call through the proxy, still without a token:"
echo "${dim}\$ curl -i http://$address/api/0/organizations/acme/projects/${plain}"
curl -sS --noproxy '*' --max-time 10 -i -o "$folder/answer" "http://$address/api/0/organizations/acme/projects/"
tr -d '\r' <"$folder/answer" | indent
echo
head -1 "$folder/answer" | grep -q '^HTTP/1.1 200 ' || fail "the proxy's answer is not a 200"
grep -q '"slug":"web"' "$folder/answer" || fail "the answer does not hold the project"
if grep -q "$token" "$folder/answer"; then fail "the token came back to the client"; fi

say "What Sentry saw (the token shortened here):"
curl -sS --noproxy '*' --max-time 10 "http://$control/records?requests=2&seconds=5" >"$folder/records"
"$python" - "$folder/records" "$token" <<'PYTHON' | indent
import json, sys
head = json.load(open(sys.argv[1]))["requests"][-1]["head"]
assert f"Authorization: Bearer {sys.argv[2]}\r\n" in head, head
print(head.replace(sys.argv[2], sys.argv[2][:10] + "…").rstrip().replace("\r\n", "\n"))
PYTHON

if grep -q "$token" "$folder/proxy"; then fail "the token is in the proxy's log"; fi
if tr '\0' ' ' <"/proc/$proxy/cmdline" | grep -q "$token"; then fail "the token is on the command line"; fi

say "Try it:"
indent <<EOF2
curl -i http://$address/api/0/
curl -i http://$address/api/0/organizations/
SENTRY_URL=http://$address SENTRY_AUTH_TOKEN=anything sentry-cli info
EOF2

if [ "${DEMO_ONCE:-}" = 1 ] || [ ! -t 0 ] || [ ! -t 1 ]; then
    kill "$proxy"
    wait "$proxy" || fail "the proxy ended with status $?"
    say "The demo passed."
    exit 0
fi
say "Ctrl-C ends it. The proxy's log:"
tail -n +1 -f "$folder/proxy" &
children+=($!)
wait "$proxy"
