#!/bin/sh
# Installs by apt what is missing of the named sets: build, demo, lint, quick, test, bench. Without root it prints the command instead.
# Nothing is started: neither services nor a PostgreSQL cluster.
set -eu

usage="usage: install-deps.sh [build] [demo] [lint] [quick] [test] [bench]"
[ $# -gt 0 ] || { echo "$usage" >&2; exit 64; }

# What is looked for, and the package that brings it: a command, or by its ending a library (.pc), a Python module (.py), a
# program of PostgreSQL's server (.pg), a header (.h).
build_set="pkg-config:pkg-config libpq.pc:libpq-dev openssl.pc:libssl-dev zlib.pc:zlib1g-dev"
demo_set="curl:curl /usr/bin/python3:python3 initdb.pg:postgresql"
lint_set="shellcheck:shellcheck /usr/bin/python3:python3"
quick_set="/usr/bin/python3:python3 pytest.py:python3-pytest xdist.py:python3-pytest-xdist openssl:openssl"
test_set="curl:curl /usr/bin/python3:python3 pytest.py:python3-pytest xdist.py:python3-pytest-xdist
ensurepip.py:python3-venv initdb.pg:postgresql pgbouncer:pgbouncer tinyproxy:tinyproxy-bin nginx:nginx-light haproxy:haproxy strace:strace ss:iproute2 openssl:openssl"
# Not in every release of every distribution: without them the tests that need them are skipped.
optional_test_set="chromium-headless-shell:chromium-headless-shell /usr/share/fonts/truetype/dejavu:fonts-dejavu-core"
bench_set="/usr/bin/python3:python3 cc:gcc stdio.h:libc6-dev strip:binutils nginx:nginx-light haproxy:haproxy strace:strace
openssl:openssl valgrind:valgrind"

present() {
    case $1 in
        *.pc) pkg-config --exists "${1%.pc}" 2>/dev/null ;;
        *.py) /usr/bin/python3 -c "import ${1%.py}" 2>/dev/null ;;
        *.pg) ls /usr/lib/postgresql/*/bin/"${1%.pg}" >/dev/null 2>&1 ;;
        *.h) [ -e "/usr/include/$1" ] ;;
        /*) [ -x "$1" ] ;;
        *) command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] ;;
    esac
}

missing=""
optional=""
for set_name in "$@"; do
    case $set_name in
        build) entries=$build_set ;;
        demo) entries=$demo_set ;;
        lint) entries=$lint_set ;;
        quick) entries=$quick_set ;;
        test) entries="$test_set $lint_set" ;;
        bench) entries=$bench_set ;;
        *) echo "$usage" >&2; exit 64 ;;
    esac
    for entry in $entries; do
        package=${entry#*:}
        case " $missing " in *" $package "*) continue ;; esac
        present "${entry%%:*}" || missing="$missing $package"
    done
    [ "$set_name" = test ] || continue
    for entry in $optional_test_set; do
        present "${entry%%:*}" || optional="$optional ${entry#*:}"
    done
done
missing=${missing# }
# Those of the optional ones that apt has.
offered() {
    for package in $optional; do
        apt-cache show "$package" >/dev/null 2>&1 && echo "$package"
    done
    true
}
if [ -z "$missing" ]; then
    { [ -n "$optional" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; } || exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing: $missing. There is no apt-get here; install them with this system's package manager." >&2
    exit 69
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "missing packages; install them with:" >&2
    echo "    sudo apt-get update && sudo apt-get install --yes --no-install-recommends $missing $(offered | tr '\n' ' ')" >&2
    exit 69
fi

echo "installing: $missing$optional"
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.conf
kept=
# What is changed for the time of the installation is put back, however it ends.
restore() {
    [ -z "$kept" ] || mv -f "$kept" "$clusters"
    [ -z "${own_policy:-}" ] || rm -f "$policy"
}
trap restore EXIT
trap 'exit 1' INT TERM
if [ ! -e "$policy" ]; then
    # Debian's own switch against services that start on installation.
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    own_policy=yes
fi
apt-get update -qq
missing="$missing $(offered | tr '\n' ' ')"
[ -n "${missing# }" ] || exit 0
case " $missing " in
    *" postgresql "*)
        # The tests start clusters of their own; the one that installation would make is not wanted.
        apt-get install -qq --yes --no-install-recommends postgresql-common >/dev/null
        cp -p "$clusters" "$clusters.kept"
        kept=$clusters.kept
        sed -i 's/^#\{0,1\}create_main_cluster.*/create_main_cluster = false/' "$clusters"
        ;;
esac
# shellcheck disable=SC2086  # a list of packages
apt-get install -qq --yes --no-install-recommends $missing >/dev/null
