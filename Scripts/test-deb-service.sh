#!/bin/bash
# Tests the Debian package under a running systemd: test-deb-service.sh PACKAGE [FOLDER]. FOLDER holds a Debian as
# Scripts/test-deb.sh leaves it there. Needs root, cgroup v2 and a kernel with namespaces; systemd runs as pid 1 in ones of its own.
#   1. installed, the service starts by Type=notify and answers; a token of systemd's credentials reaches the upstream;
#   2. with the socket unit, two restarts and a reload under load fail no request;
#   3. purged, nothing listens and nothing is left of it.
set -euo pipefail
export LC_ALL=C

name=sentry-api-proxy
fail() { echo "test-deb-service: $1" >&2; exit 1; }
say() { echo "test-deb-service: $1"; }

# The inner half: from here on in new namespaces, it makes the root file system of a small machine and becomes its pid 1.
if [ "${1:-}" = --boot ]; then
    root=$2
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mkdir -p "$root"/{proc,sys,run,dev,mnt}
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for device in null zero full random urandom tty; do
        : >"$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root"/dev/{shm,pts}
    mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    ip link set lo up
    cd "$root"
    pivot_root . mnt
    # Credentials are mounted for a service by propagation, which is what / has on a real machine.
    exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /bin/sh -c \
        'umount -l /mnt; mount --make-rshared /; exec /lib/systemd/systemd --system --unit=multi-user.target --show-status=no' </dev/null
fi

package=$(readlink -f "${1:?"usage: test-deb-service.sh PACKAGE [FOLDER]"}")
[ "$(id -u)" -eq 0 ] || fail "needs root"
cgroups=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/mounts)
[ -n "$cgroups" ] || fail "needs cgroup v2"
work=$(mktemp -d)
base=${2:-$work/base}
[ -e "$base/etc/debian_version" ] || fail "$base: no Debian there; run Scripts/test-deb.sh BINARY $base first"
group=$cgroups/$name-test-$$
outer=
init=
children=()
cleanup() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    [ -z "$init" ] || kill -KILL "$init" 2>/dev/null || true
    [ -z "$outer" ] || wait "$outer" 2>/dev/null || true
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

cp -a "$base" "$work/root"
cp "$package" "$work/root/var/package.deb"
mkdir "$group"
# shellcheck disable=SC2016  # expanded by the inner shell, which is the one that moves
sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec unshare --mount --pid --net --uts --ipc --cgroup --fork "$@"' \
    sh "$group" "$(readlink -f "$0")" --boot "$work/root" >"$work/console" 2>&1 &
outer=$!
inside() { nsenter --target "$init" --all --root --wd env -i DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
in_network() { nsenter --target "$init" --net "$@"; }
get() { in_network curl --silent --noproxy '*' --max-time 10 "$1"; }
# within SECONDS COMMAND...: until it succeeds.
within() {
    local left=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}
find_init() { init=$(ps -o pid= --ppid "$outer" | tr -d ' '); [ -n "$init" ]; }
within 10 find_init || { cat "$work/console"; fail "nothing was booted"; }
within 30 inside systemctl is-system-running || { cat "$work/console"; fail "systemd did not come up"; }

# 1.
inside dpkg --install /var/package.deb >"$work/install" 2>&1 || { cat "$work/install"; fail "it does not install"; }
grep -q 'does not run yet' "$work/install" || { cat "$work/install"; fail "the installation does not say what to do next"; }
machine=/proc/$init/root
[ "$(inside systemctl show -p ActiveState --value $name.service)" = inactive ] || fail "it runs, or fails, unconfigured"
[ -z "$(in_network ss -Hltn 'sport = :8080 or sport = :9090')" ] || fail "it listens, unconfigured"
inside journalctl --no-pager -u $name | grep -q 'not configured: set SENTRY_URI' || fail "the journal does not say what to do next"
# A name that does not exist yet, as at boot: more starts than systemd's own limit (five) allows, and then it is there. Names
# come from /etc/hosts alone: a name server that cannot be reached is no answer, and the program waits for one by itself.
sed -i 's/^hosts:.*/hosts: files/' "$machine/etc/nsswitch.conf"
inside mkdir -p /run/systemd/system/$name.service.d
inside sh -c "printf '[Service]\nRestartSec=200ms\n' >/run/systemd/system/$name.service.d/soon.conf"
inside systemctl daemon-reload
sed -i 's|^#SENTRY_URI=.*|SENTRY_URI=http://upstream.test:9000|' "$machine/etc/default/$name"
inside systemctl start --no-block $name.service
tried_often() { [ "$(inside systemctl show -p NRestarts --value $name.service)" -ge 7 ]; }
within 30 tried_often || { inside journalctl --no-pager -u $name; fail "it is not tried again"; }
echo '127.0.0.1 upstream.test' >>"$machine/etc/hosts"
within 20 inside systemctl is-active --quiet $name.service || { inside journalctl --no-pager -u $name; fail "it gave up on a name"; }
inside rm -r /run/systemd/system/$name.service.d
inside systemctl daemon-reload
say "unconfigured it does not start; a name that did not exist was tried $(inside systemctl show -p NRestarts --value $name.service) times and found"
within 10 inside systemctl is-active --quiet $name.service || { inside journalctl --no-pager -u $name; fail "the service does not start"; }
[ "$(get http://127.0.0.1:9090/healthz)" = alive ] || fail "/healthz does not say alive"
say "installed and started: $(inside systemctl show -p Type -p ActiveState -p SubState $name.service | paste -sd ' ')"

cat >"$work/upstream.py" <<'PYTHON'
import http.server, socketserver
class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the credentials that it was shown."""
    def do_GET(self):
        body = (self.headers.get("Authorization") or "none").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    request_queue_size, daemon_threads = 1024, True
Server(("127.0.0.1", 9000), Echo).serve_forever()
PYTHON
cat >"$work/load.py" <<'PYTHON'
import socket, sys, time
sent = failed = 0
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    sent += 1
    try:
        with socket.create_connection(("127.0.0.1", 8080), 5) as s:
            s.settimeout(10)
            s.sendall(b"GET /api/0/ HTTP/1.1\r\nHost: proxy\r\n\r\n")
            answer = b""
            while part := s.recv(65536):
                answer += part
        failed += not (answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"Bearer test-credential"))
    except OSError:
        failed += 1
print(sent, failed)
PYTHON
in_network python3 "$work/upstream.py" &
children+=($!)
install -D -m 600 /dev/null "$machine/etc/credstore/$name.token"
echo test-credential >"$machine/etc/credstore/$name.token"
sed -i 's|^SENTRY_URI=.*|SENTRY_URI=http://127.0.0.1:9000|; s|^#\(SENTRY_TOKEN_FILE=/run\)|\1|' "$machine/etc/default/$name"

# 2. From here on the journal holds no complaint; the cursor leaves out those of 1.
inside journalctl --no-pager --cursor-file=/run/test-cursor -u $name >/dev/null
inside systemctl stop $name.service
inside systemctl enable --quiet --now $name.socket
within 10 get http://127.0.0.1:8080/api/0/ || fail "a connection does not start the service"
reached() { [ "$(get http://127.0.0.1:8080/api/0/)" = "Bearer test-credential" ]; }
within 10 reached || {
    inside journalctl --no-pager -u $name
    fail "the credential does not reach the upstream: $(get http://127.0.0.1:8080/api/0/)"
}
loads=()
for number in 1 2 3 4; do
    in_network python3 "$work/load.py" 10 >"$work/load$number" &
    loads+=($!)
done
sleep 2
inside systemctl restart $name.service
sleep 2
inside systemctl reload $name.service
sleep 2
inside systemctl restart $name.service
wait "${loads[@]}"
read -r sent failed < <(cat "$work"/load[1-4] | awk '{sent += $1; failed += $2} END {print sent, failed}')
say "two restarts and a reload under load: $sent requests, $failed failed"
if [ "$sent" -lt 100 ] || [ "$failed" != 0 ]; then fail "requests were lost"; fi
[ "$(inside systemctl show -p Result --value $name.service)" = success ] || fail "the service did not end well"
if inside journalctl --no-pager -u $name | grep -q test-credential; then fail "the token is in the journal"; fi
others=$(inside journalctl --no-pager --output cat --cursor-file=/run/test-cursor -u $name | grep -v '^ts=' | grep -iv "^\(started\|starting\|stopping\|stopped\|reloading\|reloaded\|$name.service: \)" || true)
# libdispatch, by syslog(3): an unprivileged process may not have the niceness of -4 that it wants for one thread.
known=$(grep -c '^Failed to set thread priority for worker thread' <<<"$others" || true)
[ "$known" = 0 ] || say "$known lines of libdispatch's in the journal: it may not set a thread's priority"
others=$(grep -v '^Failed to set thread priority for worker thread' <<<"$others" || true)
[ -z "$others" ] || fail "lines in the journal that are not the log's: $others"

# 3.
rm -r "$machine/etc/credstore"
inside dpkg --purge $name >"$work/purge" 2>&1 || { cat "$work/purge"; fail "it does not purge"; }
[ -z "$(in_network ss -Hltn 'sport = :8080 or sport = :9090')" ] || fail "something still listens"
left=$(inside find / -xdev -name "*$name*" ! -path '/proc/*' ! -path '/var/log/*')
[ -z "$left" ] || fail "purge leaves $left"
[ "$(inside systemctl --failed --no-legend --plain | wc -l)" = 0 ] || fail "units have failed"
say "purged while it ran: nothing listens, nothing is left"
