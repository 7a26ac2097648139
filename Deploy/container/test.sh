#!/bin/bash
# Builds the image, runs it as an operator would (read-only root, no capabilities, no new privileges), asks it for its
# health, stops it, and looks at what is in it. Uses docker or podman, whichever answers; where PROVER is a program (default:
# ../shared/tools/prove-container.sh), that one builds and runs the image, without an engine's daemon or a registry.
set -euo pipefail
cd "$(dirname "$0")/../.."

tag=localhost/sentry-api-proxy:test
most_bytes=45000000
arguments=(--token test --sentry-uri http://127.0.0.1:9)
prover=${PROVER:-../shared/tools/prove-container.sh}
work=$(mktemp -d)
container=
engine=
cleanup() {
    [ -z "$container" ] || "$engine" rm --force "$container" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT
fail() { echo "container-test: $1" >&2; exit 1; }

if [ -x "$prover" ] && [ "$(id -u)" -eq 0 ]; then
    TAG=$tag "$prover" . "$work/prover" -- "${arguments[@]}"
    # The image's file system, as a tar archive on standard output.
    root_archive() {
        local storage
        storage=$(STORAGE_DRIVER=overlay buildah from --pull=never "$tag")
        tar -C "$(STORAGE_DRIVER=overlay buildah mount "$storage")" -cf - .
        STORAGE_DRIVER=overlay buildah rm "$storage" >/dev/null
    }
else
    for engine in docker podman none; do "$engine" info >/dev/null 2>&1 && break; done
    [ "$engine" != none ] || fail "neither docker nor podman answers here"
    "$engine" build --tag "$tag" .
    container=$("$engine" run --detach --read-only --cap-drop=ALL --security-opt=no-new-privileges "$tag" "${arguments[@]}")
    for attempt in $(seq 100); do
        if "$engine" exec "$container" /usr/bin/sentry-api-proxy healthcheck; then break; fi
        [ "$attempt" -lt 100 ] || { "$engine" logs "$container" >&2; fail "it never became healthy"; }
        sleep 0.1
    done
    "$engine" stop --time 10 "$container" >/dev/null
    status=$("$engine" inspect --format '{{.State.ExitCode}}' "$container")
    [ "$status" = 0 ] || fail "SIGTERM ended it with status $status"
    root_archive() { "$engine" export "$container"; }
fi

mkdir "$work/root"
root_archive | tar -C "$work/root" -xf -
bytes=$(find "$work/root" -type f -printf '%s\n' | awk '{total += $1} END {print total}')
echo "image: $(awk -v b="$bytes" 'BEGIN {printf "%.1f", b / 1e6}') MB unpacked, $(find "$work/root" -type f | wc -l) files"
[ "$bytes" -le $most_bytes ] || fail "more than $((most_bytes / 1000000)) MB"

programs=$(find "$work/root" -type f -perm /111 -path '*/bin/*' -printf '/%P\n')
[ "$programs" = /usr/bin/sentry-api-proxy ] || fail "programs beside the one: $programs"
[ -z "$(find "$work/root" -xdev -perm /6000)" ] || fail "a setuid or setgid file"
for file in etc/ssl/certs/ca-certificates.crt usr/share/zoneinfo/UTC etc/nsswitch.conf; do
    [ -s "$work/root/$file" ] || fail "/$file is missing or empty"
done
grep -q '^nonroot:x:65532:65532:' "$work/root/etc/passwd" || fail "/etc/passwd does not know uid 65532"

"${PYTHON:-python3}" - "$work/root" <<'PYTHON'
import json, pathlib, sys
root = pathlib.Path(sys.argv[1])
document = json.loads((root / "usr/share/sbom/sentry-api-proxy.spdx.json").read_text())
assert document["spdxVersion"] == "SPDX-2.3", document["spdxVersion"]
listed = {p["name"] for p in document["packages"]}
status = {path.name for path in (root / "var/lib/dpkg/status.d").iterdir()}
assert status and status <= listed, f"in status.d but not in the SBOM: {status - listed}"
assert {"swift-argument-parser", "swift-log", "swift-runtime"} <= listed, listed
libraries = {p.name for p in root.glob("usr/lib/*-linux-gnu/*.so*")}
assert {"libc6", "libpq5", "libssl3", "ca-certificates", "tzdata"} <= status, status
print(f"bill of materials: {len(listed)} packages, {len(libraries)} libraries")
PYTHON
echo "container-test: passed"
