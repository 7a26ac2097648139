#!/bin/bash
# Collects what the program needs to run into a folder that becomes the image's root file system:
#   collect-root.sh BINARY ROOT
# Runs inside the build stage (Debian). Files keep the paths they have in Debian, so a scanner that reads
# /var/lib/dpkg/status.d finds them where the packages say they are.
set -euo pipefail
export LC_ALL=C

binary=$1
root=$2
name=sentry-api-proxy
here=$(dirname "$(readlink -f "$0")")
mkdir -p "$root"/{etc,usr/{bin,lib,lib64,share},var/lib/dpkg/status.d}

# Debian's merged /usr: the loader is named /lib64/ld-linux-…, its file is below /usr.
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"

packages=()
# take PATH: copies a file to where it is, symbolic links followed, and notes the package it is from.
take() {
    local file folder owner
    folder=$(readlink -f "$(dirname "$1")")
    file=$folder/$(basename "$1")
    install -D -m "$(stat -L -c %a "$file")" "$(readlink -f "$file")" "$root$file"
    # dpkg knows a file by its path from before the merge or after it.
    owner=$(dpkg-query -S "$(readlink -f "$file")" 2>/dev/null || dpkg-query -S "$(readlink -f "$file" | sed 's|^/usr||')")
    packages+=("${owner%%: *}")
}

install -m 755 "$binary" "$root/usr/bin/$name"
# The program opens libpq when PostgreSQL is asked for, so it names it nowhere.
libpq=$(ldconfig -p | awk '$1 == "libpq.so.5" && !found++ {print $NF}')
[ -n "$libpq" ] || { echo "libpq.so.5 is not installed" >&2; exit 1; }
mapfile -t libraries < <({ ldd "$binary" "$libpq"; echo "libpq => $libpq"; } | awk '$2 == "=>" {print $3} $1 ~ /^\// && NF > 1 {print $1}' | sort -u)
[ "${#libraries[@]}" -gt 0 ] || { echo "ldd names no library of $binary" >&2; exit 1; }
for library in "${libraries[@]}"; do
    [ -e "$library" ] || { echo "a library of $binary is missing: $library" >&2; exit 1; }
    take "$library"
done
# The loader's name in the program is /lib64/…; its file may lie elsewhere.
for loader in /lib64/ld-linux-*; do
    [ -e "$loader" ] && install -m 755 "$(readlink -f "$loader")" "$root/usr/lib64/$(basename "$loader")"
done

# Names: files and dns are inside libc since glibc 2.34, no library is loaded for them.
printf 'hosts: files dns\npasswd: files\ngroup: files\n' >"$root/etc/nsswitch.conf"
printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/nonexistent:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"

# Trust: the bundle at Debian's path and where OpenSSL looks by itself.
take /etc/ssl/openssl.cnf
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
packages+=(ca-certificates)
mkdir -p "$root/usr/lib/ssl"
ln -s /etc/ssl/certs "$root/usr/lib/ssl/certs"
ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
ln -s /etc/ssl/openssl.cnf "$root/usr/lib/ssl/openssl.cnf"

# Time zones, without the copies that count leap seconds (right/) and the old duplicates (posix/).
mkdir -p "$root/usr/share/zoneinfo"
tar -C /usr/share/zoneinfo --exclude=./right --exclude=./posix -cf - . | tar -C "$root/usr/share/zoneinfo" -xf -
packages+=(tzdata)
ln -s /usr/share/zoneinfo/UTC "$root/etc/localtime"

take /usr/lib/os-release
ln -s ../usr/lib/os-release "$root/etc/os-release"
packages+=(base-files)

# What is in here, for scanners and for licences.
mapfile -t packages < <(printf '%s\n' "${packages[@]%%:*}" | sort -u)
for package in "${packages[@]}"; do
    dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
    if [ -e "/usr/share/doc/$package/copyright" ]; then
        install -D -m 644 "$(readlink -f "/usr/share/doc/$package/copyright")" "$root/usr/share/doc/$package/copyright"
    fi
done
install -D -m 644 LICENSE "$root/usr/share/doc/$name/copyright"
mkdir -p "$root/usr/share/sbom"
python3 "$here/../../Scripts/make-sbom.py" --packages "$root/var/lib/dpkg/status.d" >"$root/usr/share/sbom/$name.spdx.json"
chmod 644 "$root/usr/share/sbom/$name.spdx.json"

find "$root" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH:-0}" {} +
du -sb "$root" | awk '{printf "%.1f MB in the image\n", $1 / 1e6}'
