#!/usr/bin/env bash
# Runs every fuzzer for SECONDS: Fuzzing/run.sh SECONDS [FUZZER...]
# The corpus grows in .build/corpus; inputs that break a property are left in .build/findings, and the status is then 1.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:?usage: run.sh SECONDS [FUZZER...]}
shift
[ $# -gt 0 ] || set -- RequestHeadFuzzer ResponseHeadFuzzer ChunkedFuzzer

# -parse-as-library: no target has a main; libFuzzer brings it.
swift build -c release --sanitize=fuzzer -Xswiftc -parse-as-library
bin=$(swift build -c release --sanitize=fuzzer -Xswiftc -parse-as-library --show-bin-path)

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
    corpus=.build/corpus/$fuzzer
    seeds=.build/seeds/$fuzzer
    rm -rf "$seeds"
    mkdir -p "$corpus" "$seeds" .build/findings
    folder=requests
    [ "$fuzzer" != ResponseHeadFuzzer ] || folder=responses
    for fixture in ../Tests/Fixtures/"$folder"/*.http; do seed "$fixture" "$fuzzer" "$seeds"; done
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
