#!/bin/sh
# The story of Scripts/demo.sh, told from a container beside the proxy. Ends with 0 when all that it shows was right.
#   PROXY, SENTRY, CONTROL (URLs), ALIASES (the alias file), PGHOST, PGUSER, PGDATABASE
set -eu

projects=api/0/organizations/acme/projects/
releases=api/0/organizations/acme/releases/
first=quickstart-token-that-only-the-stand-in-takes
second=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

say() { printf '\n%s\n' "$1"; }
fail() { echo "story: $1" >&2; exit 1; }
alias_of() { sed -n "s/^$1 \([^ ]*\).*/\1/p" "$ALIASES"; }
rotate() {
    psql -X -q -v ON_ERROR_STOP=1 -c "UPDATE sentry_option SET value = '\"$1\"' WHERE key = 'sentry:system-token'"
    request -f -X PUT --data-binary "[\"$1\"]" -o "$folder/control" "$CONTROL/tokens"
}
request() { curl -q -sS --noproxy '*' --max-time 10 "$@"; }

# call STATUS SHOWN URL [CURL ARGUMENT...]: prints the call as SHOWN, the status line and the body; the status must be STATUS.
call() {
    expected=$1 shown=$2 url=$3
    shift 3
    request -f -X POST -o "$folder/control" "$CONTROL/reset"
    echo "\$ curl -i $shown$url"
    request -i -o "$folder/answer" "$@" "$url"
    tr -d '\r' <"$folder/answer" | sed -n '1p; /^$/,$p' | awk 'NF { print "    " $0 }'
    head -n 1 "$folder/answer" | grep -q "^HTTP/1.1 $expected " || fail "that should have been a $expected"
    ! grep -q -e "$first" -e "$second" "$folder/answer" || fail "the token came back to the client"
}

# sentry_saw TOKEN...: the tokens of the requests that reached Sentry since the call, in this order; none is none.
sentry_saw() {
    request -f -o "$folder/records" "$CONTROL/records?requests=$#&ended=$#&seconds=5"
    python3 - "$folder/records" "$@" <<'PYTHON' || fail "Sentry saw something else"
import json, sys
requests = json.load(open(sys.argv[1]))["requests"]
seen = [value for request in requests for name, value in request["fields"] if name.lower() == "authorization"]
assert len(requests) == len(sys.argv) - 2 and seen == [f"Bearer {token}" for token in sys.argv[2:]], len(requests)
PYTHON
}

ci=$(alias_of ci)
viewer=$(alias_of viewer)
if [ -z "$ci" ] || [ -z "$viewer" ]; then fail "no aliases in $ALIASES"; fi
# A second run starts where the first did: the proxy then renews its token during this call, which is not part of the story.
rotate "$first"
request -o "$folder/control" -H "Authorization: Bearer $ci" "$PROXY/$projects"

say "Sentry without a token:"
call 401 "" "$SENTRY/$projects"

say "Through the proxy with an alias; the client has no token of Sentry's:"
call 200 "-H 'Authorization: Bearer \$ci' " "$PROXY/$projects" -H "Authorization: Bearer $ci"
grep -q '"slug":"web"' "$folder/answer" || fail "the answer does not hold the project"
sentry_saw "$first"
echo "Sentry saw the token from its database, and no alias."

say "Sentry rotates its token: the row changes and the old one is refused. The same call again:"
rotate "$second"
call 200 "-H 'Authorization: Bearer \$ci' " "$PROXY/$projects" -H "Authorization: Bearer $ci"
sentry_saw "$first" "$second"
echo "Sentry refused the old token; the proxy renewed it and tried again. The client saw none of that."

say "An alias that may only read, reading and then writing:"
call 200 "-H 'Authorization: Bearer \$viewer' " "$PROXY/$projects" -H "Authorization: Bearer $viewer"
call 403 "-X POST -d '{\"version\":\"1\"}' -H 'Authorization: Bearer \$viewer' " "$PROXY/$releases" -X POST \
    -H "Authorization: Bearer $viewer" -H 'Content-Type: application/json' -d '{"version":"1","projects":["web"]}'
sentry_saw
echo "Sentry saw nothing of the write."

say "The story is told. The proxy keeps running; Deploy/quickstart.yaml says how to try it."
