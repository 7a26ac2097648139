#!/usr/bin/env bash
# Runs every fuzzer for SECONDS: Fuzzing/run.sh SECONDS [FUZZER...]
# A FUZZER is one of the parsers', or requests or answers: whole messages, see messages/fuzz.py.
# The corpus grows in .build/corpus; inputs that break a property are left in .build/findings, and the status is then 1.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:?usage: run.sh SECONDS [FUZZER...]}
shift
[ $# -gt 0 ] || set -- RequestHeadFuzzer ResponseHeadFuzzer ChunkedFuzzer AliasFileFuzzer PolicyFileFuzzer EndpointTableFuzzer PlainPathFuzzer QueryFuzzer AccessLogFuzzer JSONFilterFuzzer requests answers

# -parse-as-library: no target has a main; libFuzzer brings it.
build_parsers() {
    [ -z "${bin:-}" ] || return 0
    swift build -c release --sanitize=fuzzer -Xswiftc -parse-as-library
    bin=$(swift build -c release --sanitize=fuzzer -Xswiftc -parse-as-library --show-bin-path)
}

# Whole messages against the proxy itself, with AddressSanitizer in it. FUZZ_SEED repeats a run.
fuzz_messages() {
    swift build --package-path .. --product sentry-api-proxy --sanitize=address --scratch-path ../.build-asan
    "${PYTHON:-/usr/bin/python3}" messages/fuzz.py "$1" --binary "$PWD/../.build-asan/debug/sentry-api-proxy" --seconds "$seconds" \
        ${FUZZ_SEED:+--seed "$FUZZ_SEED"}
}

# A seed from a wire fixture ($1): a first byte that chooses the split, then the message. Those with repetitions are left out: they
# are longer than the inputs here.
seed() {
    if grep -qF '\{' "$1"; then return; fi
    message=$(sed '1,/^---$/d' "$1" | tr -d '\n')
    case $2 in
    ChunkedFuzzer) message=${message#*\\r\\n\\r\\n} ;;
    esac
    printf '%b' "\\x10$message" >"$3/$(basename "$1" .http)"
}

status=0
for fuzzer in "$@"; do
    case $fuzzer in
    requests | answers)
        fuzz_messages "$fuzzer" || status=1
        continue
        ;;
    esac
    build_parsers
    corpus=.build/corpus/$fuzzer
    seeds=.build/seeds/$fuzzer
    rm -rf "$seeds"
    mkdir -p "$corpus" "$seeds" .build/findings
    folder=requests
    [ "$fuzzer" != ResponseHeadFuzzer ] || folder=responses
    case $fuzzer in
    AliasFileFuzzer) printf 'ci sap_b ci-upload -raw org=acme:1 project=web rate=5/s:9 expires=2999-01-01\nb sap_c full\n' >"$seeds/aliases" ;;
    PolicyFileFuzzer) cp ../Policy/sets.policy "$seeds/" && printf 'effect GET /api/0/ read\nset x\n use mcp\n needs id on GET O\nalias a : x\n' >"$seeds/policy" ;;
    EndpointTableFuzzer) for from in 1 200 500 900; do sed -n "1,11p;$((from + 11)),$((from + 23))p" ../Policy/endpoints.tsv >"$seeds/$from"; done ;;
    PlainPathFuzzer | QueryFuzzer) sed 's/^#.*//' ../Tests/Fixtures/routes/sentry-2026.txt | split -l 8 - "$seeds/routes" ;;
    AccessLogFuzzer)
        printf 'ts=2026-11-01T10:00:00.000Z level=info msg=request route=elevated alias=ci method=GET path=/api/0/organizations/acme/releases/ policy=allowed\n' >"$seeds/logfmt"
        printf '{"ts":"2026-11-01T10:00:00.000Z","msg":"request","route":"elevated","alias":"ci","method":"POST","path":"/api/0/projects/acme/web/","n":1}\n' >"$seeds/json"
        ;;
    JSONFilterFuzzer)
        printf '\003[{"slug":"acme","a":[1,-2.5e3,true,null]},{"slug":"\\u00e9"}]' >"$seeds/list"
        printf '\007{"projects":["web",11],"securityToken":"a","b":{"c":[]}}' >"$seeds/object"
        ;;
    *) for fixture in ../Tests/Fixtures/"$folder"/*.http; do seed "$fixture" "$fuzzer" "$seeds"; done ;;
    esac
    echo "$fuzzer: $seconds s, $(find "$seeds" -type f | wc -l) seeds"
    log=.build/$fuzzer.log
    if SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 "$bin/$fuzzer" \
        -max_total_time="$seconds" -max_len=4096 -dict=http.dict -print_final_stats=1 \
        -artifact_prefix=".build/findings/$fuzzer-" "$corpus" "$seeds" >"$log" 2>&1; then
        grep -E 'number_of_executed_units|new_units_added|peak_rss_mb' "$log"
    else
        tail -n 40 "$log"
        status=1
    fi
done
exit $status
