#!/bin/bash
# Shows the alert for a dead proxy pending and then firing in a real Prometheus: check-alerts.sh BINARY
# The proxy is scraped under the job's name that the Prometheus operator would give it by Deploy/kubernetes; the rules are those of
# Deploy/prometheus/alerts.yml, but for their waits, which are five seconds here.
set -euo pipefail
export LC_ALL=C
binary=$(readlink -f "${1:?"usage: check-alerts.sh BINARY"}")
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
work=$(mktemp -d)
children=()
cleanup() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
fail() {
    echo "check-alerts: $1" >&2
    tail -n 5 "$work"/*.log >&2 || true
    exit 1
}
# within SECONDS COMMAND...: until it succeeds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}

env -i LISTEN=127.0.0.1:0 ADMIN_LISTEN=127.0.0.1:0 SENTRY_URI=http://127.0.0.1:9 SENTRY_TOKEN=not-a-real-token "$binary" >"$work/proxy.log" 2>&1 &
proxy=$!
children+=("$proxy")
within 30 grep -q ' admin=' "$work/proxy.log" || fail "the proxy does not start"
admin=$(sed -n 's/.* admin="\{0,1\}\([0-9.:]*\).*/\1/p' "$work/proxy.log" | head -1)

job=$("$python" Deploy/check-kubernetes.py --job Deploy/kubernetes)
port=$("$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed -E 's/^( +for: )[0-9]+m$/\15s/' Deploy/prometheus/alerts.yml >"$work/alerts.yml"
cat >"$work/prometheus.yml" <<YAML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$work/alerts.yml]
scrape_configs:
  - job_name: $job
    static_configs:
      - targets: ["$admin"]
YAML
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" --web.listen-address="127.0.0.1:$port" >"$work/prometheus.log" 2>&1 &
children+=("$!")

# api PATH EXPRESSION: whether the Python expression holds of the answer's `data`.
api() {
    "$python" -c 'import json, sys, urllib.request
data = json.load(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=5))["data"]
sys.exit(not eval(sys.argv[2]))' "http://127.0.0.1:$port/api/v1/$1" "$2"
}
up="query?query=up%7Bjob%3D%22$job%22%7D"
state() { api alerts "any(a['labels']['alertname'] == 'SentryAPIProxyDown' and a['state'] == '$1' for a in data['alerts'])"; }
within 60 api "$up" "[r['value'][1] for r in data['result']] == ['1']" || fail "Prometheus does not scrape the proxy as the job $job"
# The rules may have been evaluated once before the first scrape: then SentryAPIProxyAbsent is pending until the next evaluation.
within 60 api alerts "not data['alerts']" ||
    fail "alerts of a proxy that is well: $(curl -s --noproxy '*' --max-time 10 "http://127.0.0.1:$port/api/v1/alerts")"
echo "check-alerts: up, no alert; the job is $job"
kill -KILL "$proxy"
within 60 state pending || fail "SentryAPIProxyDown is not pending after a kill"
echo "check-alerts: killed: SentryAPIProxyDown is pending"
within 60 state firing || fail "SentryAPIProxyDown does not fire"
echo "check-alerts: SentryAPIProxyDown is firing"
