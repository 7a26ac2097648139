#!/bin/bash
# Tests the Debian package: test-deb.sh BINARY [FOLDER]. Needs root and debootstrap; FOLDER keeps the base system for the next run.
#   1. two builds under different circumstances have one checksum;
#   2. it installs into a fresh Debian, its units verify there without a word, the program runs there as its user;
#   3. purged, it leaves nothing: the files of the system are those from before.
set -euo pipefail
export LC_ALL=C

binary=$(readlink -f "${1:?"usage: test-deb.sh BINARY [FOLDER]"}")
cd "$(dirname "$0")/.."
here=$PWD
name=sentry-api-proxy
work=$(mktemp -d)
base=${2:-$work/base}
root=$work/root
child=
cleanup() {
    [ -z "$child" ] || kill "$child" 2>/dev/null || true
    umount "$root/proc" "$root/dev/null" "$root/dev/urandom" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
fail() { echo "test-deb: $1" >&2; exit 1; }
say() { echo "test-deb: $1"; }
[ "$(id -u)" -eq 0 ] || fail "needs root"
command -v debootstrap >/dev/null || fail "needs debootstrap"
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }

# 1. Another umask, time zone, locale, folder, and a minute that has gone by.
package=$("$here/Scripts/build-deb.sh" "$binary" "$work/one")
again=$(cd / && umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 "$here/Scripts/build-deb.sh" "$binary" "$work/two")
[ "$(sha256sum <"$package")" = "$(sha256sum <"$again")" ] || fail "two builds differ"
say "two builds, one checksum: $(sha256sum <"$package" | cut -c -64)"

# 2. A Debian of the smallest kind, with what the package depends on.
if [ ! -e "$base/etc/debian_version" ]; then
    mkdir -p "$base"
    mirror=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
    debootstrap --variant=minbase --include=systemd,init-system-helpers,adduser,libpq5,libssl3,libstdc++6,procps,zlib1g,ca-certificates \
        bookworm "$base" ${mirror:+"$mirror"} >"$work/debootstrap.log" || { tail "$work/debootstrap.log"; fail "debootstrap"; }
fi
cp -a "$base" "$root"
mount -t proc proc "$root/proc"
for device in null urandom; do
    rm -f "$root/dev/$device"
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

# Every file with its mode, owner and content. Left out: what dpkg keeps of its own work, what a running system has in
# memory, and passwd- and its like, the copies that the user tools make of the state before their last change.
picture() (
    cd "$root"
    unseen=(-path ./proc -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/log -o -path ./var/cache
        -o -path './etc/*-')
    find . -xdev \( "${unseen[@]}" \) -prune -o -printf '%y %m %u %g %p -> %l\n' | sort
    find . -xdev \( "${unseen[@]}" \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
)
picture >"$work/before"

cp "$package" "$root/tmp/package.deb"
inside dpkg --install /tmp/package.deb >"$work/install.log" 2>&1 || { cat "$work/install.log"; fail "it does not install"; }
# shellcheck disable=SC2016  # dpkg-query's own variables
say "installed: $(inside dpkg-query -W -f '${Package} ${Version} ${Status}' $name)"
inside getent passwd $name >/dev/null || fail "no user $name"
[ "$(inside stat -c '%a %U %G' /etc/$name)" = "2750 root $name" ] || fail "/etc/$name: wrong mode or owner"
[ "$(inside stat -c '%a %U %G' /var/lib/$name)" = "700 $name $name" ] || fail "/var/lib/$name: wrong mode or owner"
[ "$(inside stat -c '%a %U %G' /etc/default/$name)" = "640 root root" ] || fail "/etc/default/$name: wrong mode or owner"
grep -q 'does not run yet' "$work/install.log" || { cat "$work/install.log"; fail "the installation does not say what to do next"; }
# `auth` as the service's user keeps a login where the service looks for it; no Sentry answers, so it warns and stores.
inside runuser -u $name -- env STATE_DIR=/var/lib/$name $name auth login --url http://127.0.0.1:9 --token - <<<test-deb-login >"$work/login" 2>&1 ||
    { cat "$work/login"; fail "no login can be stored as $name"; }
stored=$(grep -rl test-deb-login "$root/var/lib/$name") || { cat "$work/login"; fail "the login is not in /var/lib/$name"; }
[ "$(inside stat -c '%a %U' "${stored#"$root"}")" = "600 $name" ] || fail "${stored#"$root"}: wrong mode or owner"
if grep -q test-deb-login "$work/login"; then fail "auth login shows the token"; fi
[ -L "$root/etc/systemd/system/multi-user.target.wants/$name.service" ] || fail "the service is not enabled"
[ ! -L "$root/etc/systemd/system/sockets.target.wants/$name.socket" ] || fail "the socket is enabled by itself"

# Any output is a failure. There is no man(1) in the smallest Debian to look for the page.
said=$(inside systemd-analyze --man=no verify /lib/systemd/system/$name.service /lib/systemd/system/$name.socket 2>&1) || fail "verify: $said"
[ -z "$said" ] || fail "verify: $said"
[ -s "$root/usr/share/man/man1/$name.1.gz" ] || fail "no manual page"
inside bash -c "source /usr/share/bash-completion/completions/$name && complete -p $name" >/dev/null || fail "the bash completion does not load"
say "units verified, completion loads"

# As the service would run it: its user, its token file, its variables.
inside install -m 640 -o root -g $name /dev/null /etc/$name/token
echo "test-deb-token" >"$root/etc/$name/token"
env -i PATH=/usr/sbin:/usr/bin LISTEN=127.0.0.1:0 ADMIN_LISTEN=127.0.0.1:0 SENTRY_URI=http://127.0.0.1:9 SENTRY_TOKEN_FILE=/etc/$name/token \
    chroot --userspec=$name:$name "$root" /usr/bin/$name >"$work/log" 2>&1 &
child=$!
address=
for _ in $(seq 100); do
    address=$(sed -n 's/.*msg="\{0,1\}listening.* addr="\{0,1\}\([0-9.]*:[0-9]*\).*/\1/p' "$work/log" | head -1)
    [ -z "$address" ] || break
    sleep 0.05
done
[ -n "$address" ] || { cat "$work/log"; fail "the program does not run there"; }
status=$(curl --silent --noproxy '*' --max-time 10 --output /dev/null --write-out '%{http_code}' "http://$address/api/0/")
[ "$status" = 502 ] || fail "asked with no upstream behind it, it answered $status and not 502"
kill "$child"
wait "$child" || fail "SIGTERM ended it with status $?"
child=
if grep -q test-deb-token "$work/log"; then fail "the token is in the log"; fi
say "runs there as $name, answers, ends with status 0"

# Again over itself, as an upgrade does; then away and back with the configuration kept.
inside dpkg --install /tmp/package.deb >"$work/install.log" 2>&1 || { cat "$work/install.log"; fail "it does not install over itself"; }
echo '#changed' >>"$root/etc/default/$name"
inside dpkg --remove $name >/dev/null 2>&1 || fail "it does not remove"
for kept in default/$name $name/token; do
    [ -e "$root/etc/$kept" ] || fail "remove took /etc/$kept away"
done
inside dpkg --install /tmp/package.deb >/dev/null 2>&1 || fail "it does not install again"
grep -q '^#changed' "$root/etc/default/$name" || fail "a changed configuration was lost"

# 3.
inside dpkg --purge $name >"$work/purge.log" 2>&1 || { cat "$work/purge.log"; fail "it does not purge"; }
picture >"$work/after"
diff "$work/before" "$work/after" || fail "purge leaves the above"
if inside getent passwd $name; then fail "purge leaves the user"; fi
if inside dpkg-query -W $name 2>/dev/null; then fail "purge leaves the package"; fi
say "purged: $(wc -l <"$work/before") entries before and after, no difference"
