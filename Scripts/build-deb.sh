#!/bin/bash
# Builds the Debian package from a built program: build-deb.sh BINARY FOLDER, and prints the package's path.
# The same program and commit give the same bytes: times are SOURCE_DATE_EPOCH (default: the commit's), modes and order fixed.
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022

[ $# -eq 2 ] || { echo "usage: build-deb.sh BINARY FOLDER" >&2; exit 64; }
binary=$(readlink -f "$1")
mkdir -p "$2"
folder=$(readlink -f "$2")
cd "$(dirname "$0")/.."

name=sentry-api-proxy
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
for tool in dpkg-deb dpkg-shlibdeps gzip objcopy python3 readelf strip; do
    command -v "$tool" >/dev/null || { echo "build-deb.sh: $tool is missing: install binutils, dpkg-dev and python3" >&2; exit 69; }
done

version=$("$binary" --version | head -n 1)
in_changelog=$(sed -n "1s/^$name (\([^)]*\)).*/\1/p" Deploy/debian/changelog)
if [ "$version" != "$in_changelog" ]; then
    echo "build-deb.sh: Deploy/debian/changelog: its first entry is for $in_changelog, the program is $version" >&2
    exit 65
fi
maintainer=$(sed -n 's/^ -- \(.*>\)  .*/\1/p' Deploy/debian/changelog | head -1)
architecture=$(dpkg --print-architecture)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
put() { install -D -m "${3:-644}" "$1" "$root/$2"; }
packed() { gzip -9n >"$work/packed"; put "$work/packed" "$1"; }
# made PATH COMMAND...: what the command prints becomes a file. A command that fails, or prints nothing, ends this.
made() {
    local path=$1
    shift
    # A completion is read into a shell, not run: no first line that names an interpreter.
    "$@" | sed '1{/^#!/d}' >"$work/made"
    [ -s "$work/made" ] || { echo "build-deb.sh: nothing to put into $path" >&2; exit 70; }
    put "$work/made" "$path"
}

# As dh_strip does; the build has already taken out the symbols.
strip --remove-section=.comment --remove-section=.note -o "$work/binary" "$binary"
# Two things depend on the folder that was built in: the compiler's hash of each module, which nothing reads, and the
# build id, which covers that hash. The hash is blanked, and the id becomes the SHA-1 of the program with both blanked.
# blank SECTION: false when the program has none.
blank() {
    objcopy -O binary --only-section="$1" "$binary" "$work/section"
    [ -s "$work/section" ] || return
    head -c "$(stat -c %s "$work/section")" /dev/zero >"$work/blank"
    objcopy --update-section "$1=$work/blank" "$work/binary"
}
blank .swift_modhash || true
if blank .note.gnu.build-id; then
    # elf(5): a note's header is three words, then its name `GNU`; the id is what follows.
    head -c 16 "$work/section" >"$work/id"
    sha1sum "$work/binary" | cut -c -40 | sed 's/../\\x&/g' | xargs -0 printf '%b' | head -c 20 >>"$work/id"
    if [ "$(stat -c %s "$work/id")" != "$(stat -c %s "$work/section")" ]; then
        echo "build-deb.sh: $binary has a build id that is no SHA-1" >&2
        exit 70
    fi
    objcopy --update-section ".note.gnu.build-id=$work/id" "$work/binary"
fi
put "$work/binary" usr/bin/$name 755
put Deploy/systemd/$name.service lib/systemd/system/$name.service
put Deploy/systemd/$name.socket lib/systemd/system/$name.socket
put Deploy/debian/default etc/default/$name
put Deploy/debian/copyright usr/share/doc/$name/copyright
packed usr/share/doc/$name/changelog.gz <Deploy/debian/changelog
"$binary" --experimental-dump-help | python3 Scripts/make-man.py "$version" Deploy/man/sections.man >"$work/man"
packed usr/share/man/man1/$name.1.gz <"$work/man"
made usr/share/bash-completion/completions/$name "$binary" --generate-completion-script bash
made usr/share/zsh/vendor-completions/_$name "$binary" --generate-completion-script zsh
made usr/share/fish/vendor_completions.d/$name.fish "$binary" --generate-completion-script fish

# dpkg-shlibdeps wants a source package's folder around it.
mkdir -p "$work/debian"
printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' $name $name >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O -S"$root" "$root/usr/bin/$name" 2>"$work/shlibdeps" | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { cat "$work/shlibdeps" >&2; exit 70; }
# libpq is opened at run time (Sources/CPostgres); PQconninfo is the newest of what is called.
depends+=", libpq5 (>= 9.3)"
# It looks at symbols alone; packed relocations need the dynamic loader of glibc 2.36 as well.
if readelf --dynamic "$root/usr/bin/$name" | grep '(RELR)' >/dev/null; then
    depends=$(sed -E 's/libc6 \(>= 2\.([12][0-9]|3[0-5])\)/libc6 (>= 2.36)/' <<<"$depends")
fi
installed_kib=$(find "$root" -type f -printf '%s\n' | awk '{total += int(($1 + 1023) / 1024)} END {print total}')

mkdir -p "$root/DEBIAN"
for script in postinst prerm postrm; do put Deploy/debian/$script DEBIAN/$script 755; done
echo "/etc/default/$name" >"$root/DEBIAN/conffiles"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f ! -path './etc/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
cat >"$root/DEBIAN/control" <<CONTROL
Package: $name
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $installed_kib
Depends: $depends, adduser, init-system-helpers (>= 1.54), procps
Recommends: ca-certificates
Section: net
Priority: optional
Description: credential gateway in front of the Sentry API
 A reverse proxy that holds the Sentry token, so that its clients need none:
 they call it without a token, or with an alias that is worth nothing
 elsewhere. It takes the token from a file, from the environment or out of the
 database of a self-hosted Sentry.
CONTROL
chmod 644 "$root/DEBIAN"/{control,conffiles,md5sums}
find "$root" -type d -exec chmod 755 {} +

package=$folder/${name}_${version}_$architecture.deb
# dpkg-deb sorts, and takes times that are later than SOURCE_DATE_EPOCH back to it; here all are.
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$root" "$package" >/dev/null
echo "$package"
